/* From one file of the log to the next, with each step failing. */
#include <sys/stat.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "auditd/logfile.h"
#include "auditd/record.h"
#include "auditd/reserve.h"

static char		 dir[64];
static struct logfile	 lf;
static char		 err[512];

static void
path_of(const char *name, char *out, size_t size)
{
	ck_assert_int_lt(snprintf(out, size, "%s/%s", dir, name), (int)size);
}

static void
open_log(void)
{
	char	 path[128];

	path_of("key-audit.log", path, sizeof(path));
	ck_assert_int_eq(logfile_init(&lf, path, err, sizeof(err)), 0);
	ck_assert_int_eq(logfile_open_dir(&lf, err, sizeof(err)), 0);
	ck_assert_msg(logfile_open(&lf, geteuid(), err, sizeof(err)) == 0,
	    "%s", err);
}

static void
setup(void)
{
	(void)strlcpy(dir, "/tmp/igra-logfile-XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	open_log();
}

static void
teardown(void)
{
	char	 cmd[128];

	logfile_close(&lf);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	ck_assert_int_eq(system(cmd), 0);
}

static bool
there(const char *name)
{
	struct stat	 st;

	return fstatat(lf.dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static unsigned
mode_of(const char *name)
{
	struct stat	 st;

	ck_assert_int_eq(fstatat(lf.dirfd, name, &st, 0), 0);
	return st.st_mode & 07777;
}

/* A line that follows at, appended to a descriptor unless -1. */
static size_t
line(struct chain *at, int fd, char *out, size_t size)
{
	struct audit_record	 r;
	struct line_clock	 now;
	struct json_out		 o;
	const char		*text;
	size_t			 len;

	line_clock_now(&now);
	audit_record_init(&r, EV_LOG_ROTATED, SRC_AUDITD, true);
	audit_set_u64(&r, FIELD_LAST_KSEQ, 77);
	ck_assert_ptr_nonnull(text = line_format(&o, &r, at, &now, &len));
	ck_assert_uint_lt(len + 1, size);
	memcpy(out, text, len);
	out[len++] = '\n';
	json_out_free(&o);
	chain_add(at, 0, 0, out, len);
	if (fd != -1)
		ck_assert_int_eq((int)write(fd, out, len), (int)len);
	return len;
}

START_TEST(next)
{
	struct chain	 at = { .seq = 0 };
	char		 buf[1024], closed[CLOSED_MAX], again[CLOSED_MAX];
	size_t		 len;
	int		 fd;

	ck_assert_uint_eq(lf.first_seq, 1);
	(void)line(&at, lf.fd, buf, sizeof(buf));
	(void)line(&at, lf.fd, buf, sizeof(buf));
	ck_assert_int_eq(logfile_closed_name(&lf, closed, err, sizeof(err)), 0);
	ck_assert_str_eq(closed + strlen(closed) - 18, "Z.000000000001.log");
	ck_assert_int_eq(strncmp(closed, "key-audit.2", 11), 0);
	len = line(&at, -1, buf, sizeof(buf));
	fd = logfile_make_next(&lf, buf, len, err, sizeof(err));
	ck_assert_msg(fd != -1, "%s", err);
	ck_assert_uint_eq(mode_of("key-audit.log.new"), 0600);
	ck_assert_int_eq(logfile_take_next(&lf, fd, closed, err,
	    sizeof(err)), 0);
	ck_assert_int_eq(lf.fd, fd);
	lf.first_seq = 3;
	ck_assert(!there("key-audit.log.new"));
	ck_assert_uint_eq(mode_of(closed), 0400);
	ck_assert_uint_eq(mode_of("key-audit.log"), 0600);

	/* In the same second, and with a clock that went back, names sort. */
	ck_assert_int_eq(logfile_closed_name(&lf, again, err, sizeof(err)), 0);
	ck_assert_int_gt(strcmp(again, closed), 0);
	(void)strlcpy(lf.newest, "key-audit.29991231T235959Z.000000000001.log",
	    sizeof(lf.newest));
	ck_assert_int_eq(logfile_closed_name(&lf, again, err, sizeof(err)), 0);
	ck_assert_str_eq(again, "key-audit.29991231T235959Z.000000000003.log");

	/* What opens it knows where the chain stands, and keyd's number. */
	logfile_close(&lf);
	open_log();
	ck_assert_uint_eq(lf.scan.chain.seq, 3);
	ck_assert_uint_eq(lf.scan.chain.kseq, 77);
	ck_assert_uint_eq(lf.first_seq, 3);
	ck_assert_str_eq(lf.newest, closed);
	ck_assert_uint_eq(lf.nfindings, 0);
}
END_TEST

/* Each step fails; the log is as it was, and the next try works. */
START_TEST(step_fails)
{
	struct chain	 at = { .seq = 0 };
	char		 buf[1024], closed[CLOSED_MAX];
	size_t		 len;
	int		 fd, other, old = lf.fd;

	(void)line(&at, lf.fd, buf, sizeof(buf));
	len = line(&at, -1, buf, sizeof(buf));
	ck_assert_int_eq(logfile_closed_name(&lf, closed, err, sizeof(err)), 0);
	switch (_i) {
	case 0:		/* open */
		ck_assert_int_eq(mkdirat(lf.dirfd, "key-audit.log.new", 0700),
		    0);
		fd = logfile_make_next(&lf, buf, len, err, sizeof(err));
		ck_assert_int_eq(fd, -1);
		ck_assert_int_eq(unlinkat(lf.dirfd, "key-audit.log.new",
		    AT_REMOVEDIR), 0);
		break;
	case 1:		/* the first rename */
		fd = logfile_make_next(&lf, buf, len, err, sizeof(err));
		ck_assert_int_ne(fd, -1);
		ck_assert_int_eq(mkdirat(lf.dirfd, closed, 0700), 0);
		ck_assert_int_eq(logfile_take_next(&lf, fd, closed, err,
		    sizeof(err)), -1);
		ck_assert_int_eq(unlinkat(lf.dirfd, closed, AT_REMOVEDIR), 0);
		logfile_drop_next(&lf, fd);
		break;
	case 2:		/* the second one */
		fd = logfile_make_next(&lf, buf, len, err, sizeof(err));
		ck_assert_int_ne(fd, -1);
		ck_assert_int_eq(unlinkat(lf.dirfd, "key-audit.log.new", 0),
		    0);
		ck_assert_int_eq(logfile_take_next(&lf, fd, closed, err,
		    sizeof(err)), -1);
		logfile_drop_next(&lf, fd);
		break;
	case 4:		/* somebody puts another file there meanwhile */
		fd = logfile_make_next(&lf, buf, len, err, sizeof(err));
		ck_assert_int_ne(fd, -1);
		ck_assert_int_eq(renameat(lf.dirfd, "key-audit.log", lf.dirfd,
		    "away"), 0);
		ck_assert_int_ne(other = openat(lf.dirfd, "key-audit.log",
		    O_WRONLY | O_CREAT | O_EXCL, 0600), -1);
		ck_assert_int_eq(logfile_take_next(&lf, fd, closed, err,
		    sizeof(err)), -1);
		ck_assert_ptr_nonnull(strstr(err, "was replaced"));
		close(other);
		logfile_drop_next(&lf, fd);
		break;
	case 3:		/* given up before */
		fd = logfile_make_next(&lf, buf, len, err, sizeof(err));
		ck_assert_int_ne(fd, -1);
		logfile_drop_next(&lf, fd);
		break;
	}
	ck_assert_int_eq(lf.fd, old);
	ck_assert(there("key-audit.log"));
	ck_assert(!there(closed));
	if (_i == 4)
		ck_assert_int_eq(renameat(lf.dirfd, "away", lf.dirfd,
		    "key-audit.log"), 0);
	ck_assert(!there("key-audit.log.new"));
	ck_assert_uint_eq(mode_of("key-audit.log"), 0600);
	fd = logfile_make_next(&lf, buf, len, err, sizeof(err));
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(logfile_take_next(&lf, fd, closed, err,
	    sizeof(err)), 0);
}
END_TEST

/* Only what is named as a closed file of this log is one. */
START_TEST(newest)
{
	static const char *const	 names[] = {
		"key-audit.20260101T000000Z.1.log.gz",
		"key-audit.2026010T0000000Z.000000000001.log",
		"key-audit.20260101T000000Z..log",
		"key-audit.20260101T000000Z.00000000000x.log",
		"other.20260101T000000Z.000000000001.log",
		"key-audit.log.foreign.20270101T000000Z",
	};
	struct chain			 at = { .seq = 41 };
	char				 buf[1024];
	size_t				 i;
	int				 fd;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		fd = openat(lf.dirfd, names[i], O_WRONLY | O_CREAT, 0600);
		ck_assert_int_ne(fd, -1);
		close(fd);
	}
	logfile_close(&lf);
	open_log();
	ck_assert_str_eq(lf.newest, "");
	/* A log without a line goes on after the newest closed one. */
	fd = openat(lf.dirfd, "key-audit.20260101T000000Z.000000000042.log",
	    O_WRONLY | O_CREAT, 0600);
	(void)line(&at, fd, buf, sizeof(buf));
	close(fd);
	logfile_close(&lf);
	open_log();
	ck_assert_uint_eq(lf.scan.chain.seq, 42);
	ck_assert_mem_eq(lf.scan.chain.head, at.head, CHAIN_HASH);
	ck_assert_uint_eq(lf.scan.chain.kseq, 77);
	ck_assert_uint_eq(lf.first_seq, 43);
	ck_assert_uint_eq(lf.nfindings, 1);
	ck_assert_str_eq(lf.finding[0].alert, "log missing");
	ck_assert_uint_eq(mode_of("key-audit.20260101T000000Z.000000000042.log"),
	    0400);
}
END_TEST

/*
 * What was moved away is saved: once it is back, the log would be there twice.
 * 1: it is an older copy that was put there; 2, 3: what has the name of a closed
 * file is none, or not the one that its name says.
 */
START_TEST(put_back)
{
	struct chain	 at = { .seq = 0 };
	char		 buf[1024], closed[CLOSED_MAX];
	size_t		 len, first;
	int		 fd;

	first = line(&at, lf.fd, buf, sizeof(buf));
	len = first + line(&at, lf.fd, buf, sizeof(buf));
	ck_assert_int_eq(logfile_closed_name(&lf, closed, err, sizeof(err)), 0);
	closed[strlen(closed) - 5] = _i == 3 ? '2' : '1';
	ck_assert_int_eq(logfile_copy_out(&lf, (off_t)len, closed, err,
	    sizeof(err)), 0);
	ck_assert_int_ne(fd = openat(lf.dirfd, closed, O_RDWR), -1);
	if (_i == 2)
		ck_assert_int_eq((int)pwrite(fd, "x", 1, 0), 1);
	if (_i == 3)
		ck_assert_int_eq((int)pwrite(fd, "0", 1, 100), 1);
	if (_i == 1)
		ck_assert_int_eq(ftruncate(lf.fd, (off_t)first), 0);
	close(fd);
	logfile_close(&lf);
	open_log();
	ck_assert_uint_eq(lf.scan.chain.seq, 2);
	ck_assert_mem_eq(lf.scan.chain.head, at.head, CHAIN_HASH);
	ck_assert_int_eq(there(closed), _i != 0);
	ck_assert_str_eq(lf.newest, _i == 0 ? "" : closed);
	ck_assert_uint_eq(lf.first_seq, _i == 1 ? 3 : 1);
	ck_assert_uint_eq(lf.nfindings, _i == 0 ? 1 : _i == 1 ? 2 : 0);
	if (_i == 0)
		ck_assert_str_eq(lf.finding[0].actual, "the file is back");
	if (_i == 1) {
		ck_assert_str_eq(lf.finding[0].alert, "log replaced");
		ck_assert_uint_eq(lf.finding[0].bytes, first);
		ck_assert_ptr_nonnull(strstr(lf.finding[0].path, ".foreign."));
	}
}
END_TEST

START_TEST(copy_and_cut)
{
	struct chain	 at = { .seq = 0 };
	struct stat	 st;
	char		 buf[1024], moved[CLOSED_MAX], got[16];
	size_t		 len;
	int		 fd;

	len = line(&at, lf.fd, buf, sizeof(buf));
	ck_assert_int_eq((int)write(lf.fd, "stranger", 8), 8);
	ck_assert_int_eq(logfile_copy_out(&lf, (off_t)len, "copy", err,
	    sizeof(err)), 0);
	ck_assert_uint_eq(mode_of("copy"), 0400);
	ck_assert_int_eq(fstatat(lf.dirfd, "copy", &st, 0), 0);
	ck_assert_int_eq((int)st.st_size, (int)len);
	/* Never over one that is there, and nothing half. */
	ck_assert_int_eq(logfile_copy_out(&lf, (off_t)len, "copy", err,
	    sizeof(err)), -1);
	ck_assert_int_eq(logfile_copy_out(&lf, (off_t)len + 100, "more", err,
	    sizeof(err)), -1);
	ck_assert(!there("more"));

	ck_assert_int_eq(logfile_cut_tail(&lf, (off_t)len, moved, err,
	    sizeof(err)), 0);
	ck_assert_int_ne(fd = openat(lf.dirfd, moved, O_RDONLY), -1);
	ck_assert_int_eq((int)read(fd, got, sizeof(got)), 8);
	ck_assert_mem_eq(got, "stranger", 8);
	close(fd);
	ck_assert_int_eq(fstat(lf.fd, &st), 0);
	ck_assert_int_eq((int)st.st_size, (int)len);
	ck_assert_int_eq(logfile_cut_tail(&lf, (off_t)len, moved, err,
	    sizeof(err)), 0);
	ck_assert_str_eq(moved, "");
}
END_TEST

START_TEST(anew)
{
	char	 moved[CLOSED_MAX];
	int	 old = lf.fd;

	ck_assert_int_eq(unlinkat(lf.dirfd, "key-audit.log", 0), 0);
	ck_assert_int_eq(logfile_set_aside(&lf, moved, err, sizeof(err)), 0);
	ck_assert_str_eq(moved, "");
	ck_assert_int_eq(symlinkat("/etc/passwd", lf.dirfd, "key-audit.log"),
	    0);
	/* A link in its place is not followed. */
	ck_assert_int_eq(logfile_make_anew(&lf, err, sizeof(err)), -1);
	ck_assert_int_eq(lf.fd, old);
	ck_assert_int_eq(logfile_set_aside(&lf, moved, err, sizeof(err)), 0);
	ck_assert_int_eq(strncmp(moved, "key-audit.log.foreign.", 22), 0);
	ck_assert_int_eq(logfile_make_anew(&lf, err, sizeof(err)), 0);
	ck_assert_uint_eq(mode_of("key-audit.log"), 0600);
}
END_TEST

START_TEST(reserve)
{
	struct reserve	 r;
	struct stat	 st;

	ck_assert_int_eq(reserve_open(&r, lf.dirfd, 262144, geteuid()), 0);
	ck_assert(r.kept);
	ck_assert_uint_eq(mode_of(RESERVE_FILE), 0600);
	ck_assert_int_eq(fstat(r.fd, &st), 0);
	ck_assert_int_eq((int)st.st_size, 262144);
	ck_assert_int_ge((int)st.st_blocks * 512, 262144);
	ck_assert(reserve_give(&r));
	ck_assert(!reserve_give(&r));
	ck_assert_int_eq(fstat(r.fd, &st), 0);
	ck_assert_int_eq((int)st.st_size, 0);
	ck_assert_int_eq(reserve_keep(&r), 0);
	reserve_close(&r);
	/* Made smaller by the config; larger than the disk: none. */
	ck_assert_int_eq(reserve_open(&r, lf.dirfd, 65536, geteuid()), 0);
	ck_assert_int_eq(fstat(r.fd, &st), 0);
	ck_assert_int_eq((int)st.st_size, 65536);
	reserve_close(&r);
	ck_assert_int_eq(reserve_open(&r, lf.dirfd, INT64_MAX / 2,
	    geteuid()), -1);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert(!r.kept);
	reserve_close(&r);
	ck_assert_int_eq(unlinkat(lf.dirfd, RESERVE_FILE, 0), 0);
	ck_assert_int_eq(symlinkat("key-audit.log", lf.dirfd, RESERVE_FILE),
	    0);
	ck_assert_int_eq(reserve_open(&r, lf.dirfd, 65536, geteuid()), -1);
	ck_assert_int_eq(r.fd, -1);
	ck_assert(!reserve_give(&r));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("logfile");
	TCase	*tc = tcase_create("logfile");
	SRunner	*sr;
	int	 failed;

	if (sodium_init() == -1)
		return 1;
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, next);
	tcase_add_loop_test(tc, step_fails, 0, 5);
	tcase_add_test(tc, newest);
	tcase_add_loop_test(tc, put_back, 0, 4);
	tcase_add_test(tc, copy_and_cut);
	tcase_add_test(tc, anew);
	tcase_add_test(tc, reserve);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
