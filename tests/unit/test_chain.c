/* The chain, and the log file as a crash or a stranger leaves it. */
#include <sys/stat.h>

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "auditd/logfile.h"
#include "auditd/writer.h"

static char	 dir[64], path[96];

static void	 setup(void);
static void	 teardown(void);
static size_t	 make_log(char *, size_t, unsigned);
static void	 put_file(const char *, const void *, size_t);
static size_t	 get_file(const char *, char *, size_t);
static void	 scan_bytes(const void *, size_t, struct chain_scan *);
static int	 open_log(struct logfile *, char *, size_t);
static unsigned	 count_files(const char *);

static void
setup(void)
{
	(void)strlcpy(dir, "/tmp/igra-chain-XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/key-audit.log", dir);
}

static void
teardown(void)
{
	char		 name[PATH_MAX];
	struct dirent	*e;
	DIR		*d;

	ck_assert_ptr_nonnull(d = opendir(dir));
	while ((e = readdir(d)) != NULL) {
		(void)snprintf(name, sizeof(name), "%s/%s", dir, e->d_name);
		(void)unlink(name);
	}
	closedir(d);
	rmdir(dir);
}

/* n records as the writer makes them; kseq is 10 times the line's number. */
static size_t
make_log(char *buf, size_t size, unsigned n)
{
	struct chain		 zero = { .seq = 0 };
	struct audit_record	 r;
	struct writer		*w;
	char			 tmp[96];
	unsigned		 i;
	int			 fd;

	(void)snprintf(tmp, sizeof(tmp), "%s/make", dir);
	fd = open(tmp, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
	ck_assert_int_ne(fd, -1);
	ck_assert_ptr_nonnull(w = writer_new(fd, 0, &zero, &writer_system));
	for (i = 1; i <= n; i++) {
		audit_record_init(&r, i % 3 == 0 ? EV_SIGNING : EV_LOCK,
		    SRC_KEYD, true);
		audit_set_u64(&r, FIELD_KSEQ, 10 * i);
		/* What is signed again has the number it had. */
		if (r.event == EV_SIGNING)
			audit_set_u64(&r, FIELD_RESERVATION, i == 18 ? 2 : i);
		audit_set_str(&r, FIELD_REASON, "test");
		ck_assert_int_eq(writer_add(w, &r), 0);
	}
	ck_assert_int_eq(writer_commit(w), 0);
	writer_free(w);
	close(fd);
	i = (unsigned)get_file(tmp, buf, size);
	(void)unlink(tmp);
	return i;
}

static void
put_file(const char *name, const void *p, size_t len)
{
	int	 fd;

	(void)unlink(name);
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq((int)write(fd, p, len), (int)len);
	close(fd);
}

static size_t
get_file(const char *name, char *buf, size_t size)
{
	ssize_t	 n;
	int	 fd;

	ck_assert_int_ne(fd = open(name, O_RDONLY), -1);
	n = read(fd, buf, size);
	ck_assert_int_ge((int)n, 0);
	ck_assert_uint_lt((size_t)n, size);
	close(fd);
	return (size_t)n;
}

static void
scan_bytes(const void *p, size_t len, struct chain_scan *s)
{
	int	 fd;

	put_file(path, p, len);
	ck_assert_int_ne(fd = open(path, O_RDONLY), -1);
	ck_assert_int_eq(chain_scan(fd, s), 0);
	close(fd);
}

static int
open_log(struct logfile *lf, char *err, size_t errlen)
{
	if (logfile_init(lf, path, err, errlen) == -1 ||
	    logfile_open_dir(lf, err, errlen) == -1)
		return -1;
	return logfile_open(lf, geteuid(), err, errlen);
}

static unsigned
count_files(const char *prefix)
{
	struct dirent	*e;
	unsigned	 n = 0;
	DIR		*d;

	ck_assert_ptr_nonnull(d = opendir(dir));
	while ((e = readdir(d)) != NULL)
		n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
	closedir(d);
	return n;
}

START_TEST(scan_whole)
{
	struct chain_scan	 s;
	char			 buf[8192];
	uint8_t			 head[CHAIN_HASH];
	const char		*last;
	size_t			 len = make_log(buf, sizeof(buf), 20);

	scan_bytes(buf, len, &s);
	ck_assert(!s.foreign);
	ck_assert_uint_eq(s.lines, 20);
	ck_assert_uint_eq(s.breaks, 0);
	ck_assert_uint_eq(s.chain.seq, 20);
	ck_assert_uint_eq(s.chain.kseq, 200);
	ck_assert_uint_eq(s.chain.reservation, 15);
	ck_assert_int_eq((int)s.end, (int)len);
	ck_assert_int_eq((int)s.torn, 0);
	buf[len - 1] = '\0';
	last = strrchr(buf, '\n') + 1;
	buf[len - 1] = '\n';
	crypto_generichash(head, sizeof(head), (const uint8_t *)last,
	    len - (size_t)(last - buf), NULL, 0);
	ck_assert_mem_eq(s.chain.head, head, sizeof(head));

	scan_bytes("", 0, &s);
	ck_assert(!s.foreign);
	ck_assert_uint_eq(s.chain.seq, 0);
}
END_TEST

/* Cut at every byte of the last line, in a log of one line and of three. */
START_TEST(torn_everywhere)
{
	struct chain_scan	 s;
	struct logfile		 lf;
	char			 buf[4096], got[4096], err[512];
	unsigned		 n = (unsigned)_i;
	size_t			 len = make_log(buf, sizeof(buf), n), start, at;

	buf[len - 1] = '\0';
	start = n == 1 ? 0 : (size_t)(strrchr(buf, '\n') + 1 - buf);
	buf[len - 1] = '\n';
	for (at = start + 1; at < len; at++) {
		scan_bytes(buf, at, &s);
		ck_assert(!s.foreign);
		ck_assert_int_eq((int)s.end, (int)start);
		ck_assert_int_eq((int)s.torn, (int)(at - start));
		ck_assert_uint_eq(s.chain.seq, n - 1);
		ck_assert_uint_eq(s.chain.kseq, 10 * (n - 1));

		ck_assert_msg(open_log(&lf, err, sizeof(err)) == 0, "%s", err);
		ck_assert_uint_eq(lf.nfindings, 1);
		ck_assert_str_eq(lf.finding[0].alert, "torn line");
		ck_assert_uint_eq(lf.finding[0].bytes, at - start);
		ck_assert_uint_eq(get_file(lf.finding[0].path, got,
		    sizeof(got)), at - start);
		ck_assert_mem_eq(got, buf + start, at - start);
		ck_assert_uint_eq(get_file(path, got, sizeof(got)), start);
		ck_assert_mem_eq(got, buf, start);
		logfile_close(&lf);
	}
	/* None overwrote another, even within one second. */
	ck_assert_uint_eq(count_files("key-audit.log.torn."), len - start - 1);
}
END_TEST

/* The chain goes on over a torn line. */
START_TEST(torn_goes_on)
{
	struct audit_record	 r;
	struct chain_scan	 s;
	struct logfile		 lf;
	struct writer		*w;
	char			 buf[4096], err[512];
	size_t			 len = make_log(buf, sizeof(buf), 3);

	put_file(path, buf, len - 1);
	ck_assert_int_eq(open_log(&lf, err, sizeof(err)), 0);
	ck_assert_ptr_nonnull(w = writer_new(lf.fd, lf.scan.end,
	    &lf.scan.chain, &writer_system));
	audit_record_init(&r, EV_LOCK, SRC_KEYD, true);
	ck_assert_int_eq(writer_add(w, &r), 0);
	ck_assert_int_eq(writer_commit(w), 0);
	ck_assert_int_eq(chain_scan(lf.fd, &s), 0);
	ck_assert_uint_eq(s.chain.seq, 3);
	ck_assert_uint_eq(s.breaks, 0);
	ck_assert_int_eq((int)s.torn, 0);
	writer_free(w);
	logfile_close(&lf);
}
END_TEST

static const struct {
	const char	*name;
	const char	*text;
} strangers[] = {
	{ "Igra's log", "{\"timestamp\":\"2025-01-01T00:00:00Z\","
	    "\"event\":{\"type\":\"Signing\"}}\n" },
	{ "text", "hello\n" },
	{ "an empty line", "\n" },
	{ "seq alone", "{\"seq\":1}\n" },
	{ "seq 0", "{\"seq\":0,\"prev\":\"000000000000000000000000000000000000"
	    "0000000000000000000000000000\",\"a\":1}\n" },
	{ "upper seq", "{\"SEQ\":1,\"prev\":\"" },
	{ "leading zero", "{\"seq\":01,\"prev\":\"" },
	{ "short hash", "{\"seq\":1,\"prev\":\"00\",\"a\":1}\n" },
	{ "no newline", "some file" },
};

START_TEST(foreign)
{
	struct logfile	 lf;
	char		 err[512], got[512];
	const char	*text = strangers[_i].text;

	put_file(path, text, strlen(text));
	ck_assert_msg(open_log(&lf, err, sizeof(err)) == 0, "%s", err);
	ck_assert_msg(lf.nfindings == 1, "%s", strangers[_i].name);
	ck_assert_str_eq(lf.finding[0].alert, "foreign log set aside");
	ck_assert_uint_eq(lf.finding[0].bytes, strlen(text));
	ck_assert_uint_eq(get_file(lf.finding[0].path, got, sizeof(got)),
	    strlen(text));
	ck_assert_mem_eq(got, text, strlen(text));
	ck_assert_uint_eq(get_file(path, got, sizeof(got)), 0);
	ck_assert_uint_eq(lf.scan.chain.seq, 0);
	ck_assert_int_eq((int)lf.scan.end, 0);
	logfile_close(&lf);
	ck_assert_uint_eq(count_files("key-audit.log.foreign."), 1);
}
END_TEST

/* A changed byte, a line gone, a line twice, a line of another kind. */
START_TEST(broken)
{
	struct chain_scan	 s;
	struct logfile		 lf;
	char			 buf[8192], was[8192], err[512];
	size_t			 len = make_log(buf, sizeof(buf), 5), one;
	char			*second;

	one = (size_t)(strchr(buf, '\n') + 1 - buf);
	second = buf + one;
	memcpy(was, buf, len);

	*(strstr(second, "test")) = 'T';
	scan_bytes(buf, len, &s);
	ck_assert_uint_eq(s.breaks, 1);
	ck_assert_uint_eq(s.break_seq, 3);
	ck_assert_uint_eq(s.chain.seq, 5);
	ck_assert_uint_eq(s.chain.kseq, 50);
	memcpy(buf, was, len);

	memmove(second, strchr(second, '\n') + 1,
	    len - (size_t)(strchr(second, '\n') + 1 - buf));
	scan_bytes(buf, len - one, &s);
	ck_assert_uint_eq(s.breaks, 1);
	ck_assert_uint_eq(s.break_seq, 2);
	ck_assert_int_eq((int)s.break_at, (int)one);
	ck_assert_uint_eq(s.chain.seq, 5);
	memcpy(buf, was, len);

	memcpy(buf + len, buf + len - one, one);
	scan_bytes(buf, len + one, &s);
	ck_assert_uint_eq(s.breaks, 1);
	ck_assert_uint_eq(s.chain.seq, 6);
	memcpy(buf, was, len);

	/* Only the number of the last line is wrong. */
	*(strstr(buf + len - one, "\"seq\":") + 6) = '7';
	scan_bytes(buf, len, &s);
	ck_assert_uint_eq(s.breaks, 1);
	ck_assert_uint_eq(s.break_seq, 5);
	ck_assert_uint_eq(s.chain.seq, 7);
	memcpy(buf, was, len);

	memcpy(buf + len, "not a record\n", 13);
	scan_bytes(buf, len + 13, &s);
	ck_assert_uint_eq(s.breaks, 1);
	ck_assert_uint_eq(s.break_seq, 6);
	ck_assert_uint_eq(s.chain.seq, 6);

	/* The log is left as it is. */
	ck_assert_int_eq(open_log(&lf, err, sizeof(err)), 0);
	ck_assert_uint_eq(lf.nfindings, 1);
	ck_assert_str_eq(lf.finding[0].alert, "broken chain");
	ck_assert_uint_eq(get_file(path, was, sizeof(was)), len + 13);
	ck_assert_mem_eq(was, buf, len + 13);
	logfile_close(&lf);

	/* A first line that claims a line before it. */
	*(strstr(buf, "\"prev\":\"") + 9) = '1';
	scan_bytes(buf, one, &s);
	ck_assert_uint_eq(s.breaks, 1);
	ck_assert_uint_eq(s.chain.seq, 1);
}
END_TEST

/* A line of 3 MiB, longer than any buffer, then the chain after it. */
START_TEST(overlong)
{
	struct chain_scan	 s;
	const size_t		 huge = 3 * 1024 * 1024;
	char			*buf;
	uint8_t			 head[CHAIN_HASH];
	size_t			 len;

	ck_assert_ptr_nonnull(buf = malloc(8192 + huge));
	len = make_log(buf, 8192, 2);
	memset(buf + len, 'x', huge);
	buf[len + huge - 1] = '\n';
	scan_bytes(buf, len + huge, &s);
	crypto_generichash(head, sizeof(head), (uint8_t *)buf + len, huge,
	    NULL, 0);
	ck_assert_uint_eq(s.breaks, 1);
	ck_assert_uint_eq(s.chain.seq, 3);
	ck_assert_mem_eq(s.chain.head, head, sizeof(head));
	ck_assert_int_eq((int)s.torn, 0);

	scan_bytes(buf, len + huge - 1, &s);
	ck_assert_uint_eq(s.breaks, 0);
	ck_assert_int_eq((int)s.torn, (int)huge - 1);
	ck_assert_int_eq((int)s.end, (int)len);
	free(buf);
}
END_TEST

START_TEST(modes_and_kinds)
{
	struct logfile	 lf;
	struct stat	 st;
	char		 err[512], other[96];
	mode_t		 old = umask(0777);

	/* Made with 0600, whatever the umask. */
	ck_assert_msg(open_log(&lf, err, sizeof(err)) == 0, "%s", err);
	umask(old);
	ck_assert_int_eq(fstat(lf.fd, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_uint_eq(lf.nfindings, 0);
	logfile_close(&lf);

	ck_assert_int_eq(chmod(path, 0644), 0);
	ck_assert_int_eq(open_log(&lf, err, sizeof(err)), 0);
	ck_assert_int_eq(fstat(lf.fd, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_uint_eq(lf.nfindings, 1);
	ck_assert_str_eq(lf.finding[0].alert, "loose log mode");
	ck_assert_str_eq(lf.finding[0].actual, "0644");
	logfile_close(&lf);

	ck_assert_int_eq(chmod(dir, 0755), 0);
	ck_assert_int_eq(open_log(&lf, err, sizeof(err)), 0);
	ck_assert_uint_eq(lf.nfindings, 1);
	ck_assert_str_eq(lf.finding[0].alert, "loose directory mode");
	logfile_close(&lf);
	ck_assert_int_eq(chmod(dir, 0700), 0);

	(void)snprintf(other, sizeof(other), "%s/other", dir);
	ck_assert_int_eq(link(path, other), 0);
	ck_assert_int_eq(open_log(&lf, err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "hard links"));
	logfile_close(&lf);
	ck_assert_int_eq(unlink(path), 0);

	ck_assert_int_eq(symlink(other, path), 0);
	ck_assert_int_eq(open_log(&lf, err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "symbolic link"));
	logfile_close(&lf);
	ck_assert_int_eq(unlink(path), 0);

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(open_log(&lf, err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "not a regular file"));
	logfile_close(&lf);
}
END_TEST

START_TEST(second_instance)
{
	struct logfile	 lf, again;
	char		 err[512];

	ck_assert_int_eq(open_log(&lf, err, sizeof(err)), 0);
	ck_assert_int_eq(open_log(&again, err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "another igra-auditd"));
	logfile_close(&again);
	logfile_close(&lf);
	ck_assert_int_eq(open_log(&lf, err, sizeof(err)), 0);
	logfile_close(&lf);
}
END_TEST

START_TEST(other_owner)
{
	struct logfile	 lf;
	char		 err[512];

	put_file(path, "", 0);
	ck_assert_int_eq(logfile_init(&lf, path, err, sizeof(err)), 0);
	ck_assert_int_eq(logfile_open_dir(&lf, err, sizeof(err)), 0);
	ck_assert_int_eq(logfile_open(&lf, geteuid() + 1, err, sizeof(err)),
	    -1);
	ck_assert_ptr_nonnull(strstr(err, "belongs to uid"));
	logfile_close(&lf);
}
END_TEST

START_TEST(paths)
{
	static struct logfile	 lf;
	char			 err[512], deep[5000];

	ck_assert_int_eq(logfile_init(&lf, "/x.log", err, sizeof(err)), 0);
	ck_assert_str_eq(lf.dir, "/");
	ck_assert_str_eq(lf.name, "x.log");
	ck_assert_int_eq(logfile_init(&lf, "a/b", err, sizeof(err)), 0);
	ck_assert_str_eq(lf.dir, "a");
	ck_assert_int_eq(logfile_init(&lf, "b", err, sizeof(err)), 0);
	ck_assert_str_eq(lf.dir, ".");
	ck_assert_int_eq(logfile_init(&lf, "/a/", err, sizeof(err)), -1);
	ck_assert_int_eq(logfile_init(&lf, "/a/..", err, sizeof(err)), -1);
	memset(deep, 'a', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	ck_assert_int_eq(logfile_init(&lf, deep, err, sizeof(err)), -1);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("chain");
	TCase	*tc = tcase_create("chain");
	SRunner	*sr;
	int	 failed;

	if (sodium_init() == -1)
		return 1;
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, scan_whole);
	tcase_add_loop_test(tc, torn_everywhere, 1, 4);
	tcase_add_test(tc, torn_goes_on);
	tcase_add_loop_test(tc, foreign, 0,
	    sizeof(strangers) / sizeof(strangers[0]));
	tcase_add_test(tc, broken);
	tcase_add_test(tc, overlong);
	tcase_add_test(tc, modes_and_kinds);
	tcase_add_test(tc, second_instance);
	tcase_add_test(tc, other_owner);
	tcase_add_test(tc, paths);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
