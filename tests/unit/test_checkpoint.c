/*
 * Checkpoints over crashes and failing disks: after each of them the log
 * verifies and the key goes on.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "secmem.h"

#include "auditd/checkpoint.h"
#include "auditd/writer.h"

/* Every call that touches the disk is counted, and the nth goes wrong. */
static struct {
	int	 calls, at;		/* at: 0 is never */
	bool	 crash;			/* dies there instead of failing */
	size_t	 part;			/* of a write, that still happens */
	int	 error;
} disk;

static char	 dir[] = "/tmp/igra-checkpoint-XXXXXX";
static int	 dirfd = -1, logfd = -1;

static bool	 goes_wrong(void);
static ssize_t	 t_pwrite(int, const void *, size_t, off_t);
static ssize_t	 t_write(int, const void *, size_t);
static int	 t_fdatasync(int);
static int	 t_fsync(int);
static int	 t_ftruncate(int, off_t);

static const struct checkpoint_ops	 cp_ops = {
	.pwrite = t_pwrite,
	.fdatasync = t_fdatasync,
};
static const struct writer_ops		 w_ops = {
	.write = t_write,
	.fdatasync = t_fdatasync,
	.fsync = t_fsync,
	.ftruncate = t_ftruncate,
};

static bool
goes_wrong(void)
{
	if (++disk.calls != disk.at)
		return false;
	errno = disk.error;
	return true;
}

static ssize_t
t_pwrite(int fd, const void *p, size_t len, off_t at)
{
	if (!goes_wrong())
		return pwrite(fd, p, len, at);
	if (disk.part != 0)
		(void)!pwrite(fd, p, len / 2, at);
	if (disk.crash)
		_exit(7);
	return -1;
}

static ssize_t
t_write(int fd, const void *p, size_t len)
{
	if (!goes_wrong())
		return write(fd, p, len);
	if (disk.part != 0)
		(void)!write(fd, p, len / 2);
	if (disk.crash)
		_exit(7);
	return -1;
}

/* A crash after the bytes are there, or a sync that says that they are not. */
static int
t_fdatasync(int fd)
{
	(void)fd;
	if (!goes_wrong())
		return 0;
	if (disk.crash)
		_exit(7);
	return -1;
}

static int
t_fsync(int fd)
{
	return t_fdatasync(fd);
}

static int
t_ftruncate(int fd, off_t len)
{
	return ftruncate(fd, len);
}

static void
in_order(int at, bool crash, bool part)
{
	memset(&disk, 0, sizeof(disk));
	disk.at = at;
	disk.crash = crash;
	disk.part = part;
	disk.error = EIO;
}

/* A signer's log, from its descriptor: what igra-auditd does at start. */
struct signer {
	struct chain_scan	 scan;
	struct checkpoint	 cp;
	struct writer		*w;
	enum checkpoint_found	 found;
};

static void
append(struct signer *s)
{
	ck_assert_int_eq(writer_add_line(s->w, s->cp.line, s->cp.len), 0);
	ck_assert_int_eq(writer_commit(s->w), 0);
	checkpoint_appended(&s->cp);
}

static void
start(struct signer *s)
{
	memset(s, 0, sizeof(*s));
	ck_assert_int_eq(chain_scan(logfd, &s->scan), 0);
	/* A torn line is cut off before. */
	ck_assert_int_eq(ftruncate(logfd, s->scan.end), 0);
	ck_assert_msg(checkpoint_open(&s->cp, dirfd, geteuid(), &cp_ops) == 0,
	    "%s", s->cp.fault);
	s->w = writer_new(logfd, s->scan.end, &s->scan.chain, &w_ops);
	ck_assert_ptr_nonnull(s->w);
	s->found = checkpoint_recover(&s->cp, &s->scan);
	ck_assert_int_ne(s->found, CHECKPOINT_FAILED);
	if (s->found == CHECKPOINT_APPEND)
		append(s);
}

static void
stop(struct signer *s)
{
	checkpoint_close(&s->cp);
	writer_free(s->w);
}

static void
records(struct signer *s, unsigned n)
{
	struct audit_record	 r;

	while (n-- > 0) {
		audit_record_init(&r, EV_LOCK, SRC_KEYD, true);
		ck_assert_int_eq(writer_add(s->w, &r), 0);
	}
	ck_assert_int_eq(writer_commit(s->w), 0);
}

/* Steps 1 to 5; -1 where one fails. */
static int
make(struct signer *s)
{
	struct line_clock	 now;

	line_clock_now(&now);
	if (checkpoint_make(&s->cp, writer_durable(s->w), &now) == -1 ||
	    writer_add_line(s->w, s->cp.line, s->cp.len) == -1 ||
	    writer_commit(s->w) == -1)
		return -1;
	checkpoint_appended(&s->cp);
	return 0;
}

static void
hex_of(const char *line, const char *key, uint8_t *out, size_t len)
{
	char	 name[32];
	const char *p;
	size_t	 n;

	(void)snprintf(name, sizeof(name), "\"%s\":\"", key);
	ck_assert_ptr_nonnull(p = strstr(line, name));
	p += strlen(name);
	ck_assert_int_eq(sodium_hex2bin(out, len, p, 2 * len, NULL, &n, NULL),
	    0);
	ck_assert_uint_eq(n, len);
}

/* The whole log, as a verifier does it: how many series it has. */
static unsigned
verify(unsigned *checkpoints)
{
	struct chain_scan	 s;
	struct chain		 at;
	struct stat		 st;
	uint8_t			 origin[32], key[32], next[32], sig[64];
	uint8_t			 last_origin[32] = { 0 }, announced[32] = { 0 };
	char			*text, *line, *nl, msg[CHECKPOINT_MESSAGE_MAX];
	char			*time;
	unsigned		 series = 0;
	size_t			 len;

	*checkpoints = 0;
	ck_assert_int_eq(chain_scan(logfd, &s), 0);
	ck_assert(!s.foreign);
	ck_assert_uint_eq(s.breaks, 0);
	ck_assert_int_eq((int)s.torn, 0);
	ck_assert_int_eq(fstat(logfd, &st), 0);
	ck_assert_ptr_nonnull(text = calloc(1, (size_t)st.st_size + 1));
	ck_assert_int_eq((int)pread(logfd, text, (size_t)st.st_size, 0),
	    (int)st.st_size);
	memset(&at, 0, sizeof(at));
	for (line = text; (nl = strchr(line, '\n')) != NULL; line = nl + 1) {
		*nl = '\0';
		if (strstr(line, "\"event_type\":\"Checkpoint\"") != NULL) {
			hex_of(line, "origin", origin, 32);
			hex_of(line, "key", key, 32);
			hex_of(line, "next_key", next, 32);
			hex_of(line, "signature", sig, 64);
			ck_assert_ptr_nonnull(time = strstr(line,
			    "\"time\":\""));
			time = strndup(time + 8, 30);
			len = checkpoint_message(msg, origin, &at, time, next);
			ck_assert_int_eq(crypto_sign_verify_detached(sig,
			    (const uint8_t *)msg, len, key), 0);
			free(time);
			if (memcmp(origin, last_origin, 32) != 0 ||
			    memcmp(key, announced, 32) != 0) {
				ck_assert_mem_eq(key, origin, 32);
				series++;
			}
			memcpy(last_origin, origin, 32);
			memcpy(announced, next, 32);
			++*checkpoints;
		}
		*nl = '\n';
		chain_add(&at, 0, 0, line, (size_t)(nl - line) + 1);
	}
	free(text);
	return series;
}

/* Is this secret still in the state file? */
static bool
on_disk(const uint8_t *seed)
{
	uint8_t	 buf[2 * CHECKPOINT_SLOT];
	int	 fd = openat(dirfd, CHECKPOINT_FILE, O_RDONLY);
	bool	 hit;

	ck_assert_int_eq((int)read(fd, buf, sizeof(buf)), (int)sizeof(buf));
	close(fd);
	hit = memmem(buf, sizeof(buf), seed, 32) != NULL;
	sodium_memzero(buf, sizeof(buf));
	return hit;
}

static void
arena(void)
{
	const char	*errstr;

	if (secmem_init(CHECKPOINT_ARENA, 0, &errstr) == -1)
		ck_assert_int_eq(secmem_init_insecure(CHECKPOINT_ARENA), 0);
}

static void
setup_dir(void)
{
	(void)strlcpy(dir, "/tmp/igra-checkpoint-XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_ne(dirfd = open(dir, O_RDONLY | O_DIRECTORY), -1);
	logfd = openat(dirfd, "log", O_RDWR | O_APPEND | O_CREAT, 0600);
	ck_assert_int_ne(logfd, -1);
	in_order(0, false, false);
}

static void
setup(void)
{
	setup_dir();
	arena();
}

static void
teardown(void)
{
	(void)unlinkat(dirfd, "log", 0);
	(void)unlinkat(dirfd, CHECKPOINT_FILE, 0);
	(void)rmdir(dir);
	close(logfd);
	close(dirfd);
}

START_TEST(goes_on)
{
	struct signer	 s;
	struct stat	 st;
	uint8_t		 seed[32];
	unsigned	 n;
	int		 i;

	start(&s);
	ck_assert_int_eq(s.found, CHECKPOINT_FRESH);
	for (i = 0; i < 5; i++) {
		records(&s, 3);
		memcpy(seed, s.cp.slot[s.cp.cur] + 16, 32);
		ck_assert(on_disk(seed));
		ck_assert_int_eq(make(&s), 0);
		/* What has signed is gone. */
		ck_assert(!on_disk(seed));
		ck_assert_uint_eq(s.cp.covered, (uint64_t)i * 4 + 3);
		stop(&s);
		start(&s);
		ck_assert_int_eq(s.found, CHECKPOINT_GOES_ON);
		ck_assert_uint_eq(s.cp.covered, (uint64_t)i * 4 + 3);
	}
	stop(&s);
	ck_assert_uint_eq(verify(&n), 1);
	ck_assert_uint_eq(n, 5);
	ck_assert_int_eq(fstatat(dirfd, CHECKPOINT_FILE, &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq((int)st.st_size, 2 * CHECKPOINT_SLOT);
}
END_TEST

/* The calls of one checkpoint: 2 pwrites and 2 syncs, 1 write and 1 sync. */
#define CALLS	6

/*
 * Dies at each call, before it has done anything or with half of it done;
 * then goes on with more records and checkpoints.
 */
START_TEST(crash)
{
	struct signer	 s;
	unsigned	 n;
	pid_t		 pid;
	int		 status, at = _i % CALLS + 1;
	bool		 part = _i / CALLS % 2 != 0;
	int		 before = _i / (2 * CALLS);	/* checkpoints until then */

	/* An arena does not outlive a fork: each process makes its own. */
	ck_assert_int_ne(pid = fork(), -1);
	if (pid == 0) {
		arena();
		start(&s);
		for (status = 0; status < before; status++) {
			records(&s, 2);
			ck_assert_int_eq(make(&s), 0);
		}
		records(&s, 3);
		in_order(at, true, part);
		(void)make(&s);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 7);
	arena();

	start(&s);
	ck_assert_int_ne(s.found, CHECKPOINT_LOST);
	(void)verify(&n);
	records(&s, 2);
	ck_assert_int_eq(make(&s), 0);
	records(&s, 1);
	ck_assert_int_eq(make(&s), 0);
	stop(&s);
	ck_assert_uint_eq(verify(&n), 1);
	/* Once the key was erased its line is there. */
	ck_assert_uint_ge(n, (unsigned)before + (at > 2 ? 3 : 2));
	start(&s);
	ck_assert_int_eq(s.found, CHECKPOINT_GOES_ON);
	stop(&s);
}
END_TEST

/* Fails at each call; what igra-auditd then does brings it through. */
START_TEST(failing)
{
	static const int errors[] = { EIO, ENOSPC, EROFS };
	struct signer	 s;
	unsigned	 n;
	int		 at = _i % CALLS + 1;

	start(&s);
	records(&s, 2);
	ck_assert_int_eq(make(&s), 0);
	records(&s, 2);
	in_order(at, false, _i / CALLS % 2 != 0);
	disk.error = errors[_i / CALLS / 2];
	if (at == CALLS) {
		/* The writer itself writes anew what a sync has lost. */
		ck_assert_int_eq(make(&s), 0);
	} else {
		ck_assert_int_eq(make(&s), -1);
		ck_assert(at > 4 || s.cp.fault[0] != '\0');
	}
	in_order(0, false, false);
	if (at <= 2) {
		/* Nothing has happened: records go on. */
		ck_assert(!s.cp.half);
		ck_assert_uint_eq(s.cp.len, 0);
		records(&s, 1);
		ck_assert_int_eq(make(&s), 0);
	} else if (at < CALLS) {
		ck_assert_int_eq(s.cp.half, at <= 4);
		ck_assert_uint_ne(s.cp.len, 0);
		ck_assert_int_eq(checkpoint_finish(&s.cp), 0);
		append(&s);
	}
	records(&s, 1);
	ck_assert_int_eq(make(&s), 0);
	stop(&s);
	ck_assert_uint_eq(verify(&n), 1);
	ck_assert_uint_eq(n, 3);
	start(&s);
	ck_assert_int_eq(s.found, CHECKPOINT_GOES_ON);
	stop(&s);
}
END_TEST

/* Given up after step 3, then more records, then a crash. */
START_TEST(given_up)
{
	struct signer	 s;
	unsigned	 n;

	start(&s);
	records(&s, 2);
	ck_assert_int_eq(make(&s), 0);
	records(&s, 2);
	in_order(2, false, false);
	ck_assert_int_eq(make(&s), -1);
	records(&s, 3);
	stop(&s);
	in_order(0, false, false);
	start(&s);
	ck_assert_int_eq(s.found, CHECKPOINT_GOES_ON);
	ck_assert_int_eq(make(&s), 0);
	stop(&s);
	ck_assert_uint_eq(verify(&n), 1);
	ck_assert_uint_eq(n, 2);
}
END_TEST

/* What is cut off the log, the state remembers. */
START_TEST(log_cut)
{
	struct signer	 s;
	struct stat	 st;
	unsigned	 n;

	start(&s);
	records(&s, 2);
	ck_assert_int_eq(fstat(logfd, &st), 0);
	ck_assert_int_eq(make(&s), 0);
	records(&s, 2);
	ck_assert_int_eq(make(&s), 0);
	stop(&s);
	ck_assert_int_eq(ftruncate(logfd, st.st_size), 0);
	start(&s);
	ck_assert_int_eq(s.found, CHECKPOINT_LOST);
	ck_assert_int_eq(make(&s), 0);
	stop(&s);
	ck_assert_uint_eq(verify(&n), 1);
	/* All of it is gone, and the state is left. */
	ck_assert_int_eq(ftruncate(logfd, 0), 0);
	start(&s);
	ck_assert_int_eq(s.found, CHECKPOINT_LOST);
	stop(&s);
}
END_TEST

START_TEST(state_lost)
{
	struct signer	 s;
	uint8_t		 junk[2 * CHECKPOINT_SLOT];
	unsigned	 n;
	int		 fd;

	start(&s);
	records(&s, 2);
	ck_assert_int_eq(make(&s), 0);
	stop(&s);
	if (_i == 0)
		ck_assert_int_eq(unlinkat(dirfd, CHECKPOINT_FILE, 0), 0);
	else {
		fd = openat(dirfd, CHECKPOINT_FILE, O_RDWR);
		ck_assert_int_eq((int)read(fd, junk, sizeof(junk)),
		    (int)sizeof(junk));
		if (_i == 1)
			memset(junk, 0, sizeof(junk));
		else
			junk[_i == 2 ? 20 : CHECKPOINT_SLOT + 20] ^= 1;
		ck_assert_int_eq((int)pwrite(fd, junk, sizeof(junk), 0),
		    (int)sizeof(junk));
		if (_i == 3)
			ck_assert_int_eq(ftruncate(fd, 5000), 0);
		close(fd);
	}
	start(&s);
	/* A flipped bit in the slot that is zero hurts nothing. */
	if (s.found == CHECKPOINT_GOES_ON) {
		ck_assert_int_eq(_i, 2);
		stop(&s);
		return;
	}
	ck_assert_int_eq(s.found, CHECKPOINT_LOST);
	records(&s, 1);
	ck_assert_int_eq(make(&s), 0);
	stop(&s);
	ck_assert_uint_eq(verify(&n), 2);
}
END_TEST

/* Not our file: refused. */
START_TEST(refused)
{
	struct checkpoint	 c;
	int			 fd;

	switch (_i) {
	case 0:
		ck_assert_int_eq(symlinkat("log", dirfd, CHECKPOINT_FILE), 0);
		break;
	case 1:
		ck_assert_int_eq(mkdirat(dirfd, CHECKPOINT_FILE, 0700), 0);
		break;
	case 2:
		fd = openat(dirfd, CHECKPOINT_FILE, O_CREAT | O_RDWR, 0600);
		close(fd);
		ck_assert_int_eq(linkat(dirfd, CHECKPOINT_FILE, dirfd, "two",
		    0), 0);
		break;
	}
	ck_assert_int_eq(checkpoint_open(&c, dirfd, geteuid() +
	    (_i == 3 ? 1 : 0), &cp_ops), -1);
	ck_assert_str_ne(c.fault, "");
	checkpoint_close(&c);
	(void)unlinkat(dirfd, "two", 0);
	(void)unlinkat(dirfd, CHECKPOINT_FILE, _i == 1 ? AT_REMOVEDIR : 0);
}
END_TEST

/* Mode set back, and said so. */
START_TEST(loose)
{
	struct signer	 s;
	struct stat	 st;

	start(&s);
	stop(&s);
	ck_assert_int_eq(fchmodat(dirfd, CHECKPOINT_FILE, 0644, 0), 0);
	start(&s);
	ck_assert(s.cp.loose);
	ck_assert_int_eq(fstatat(dirfd, CHECKPOINT_FILE, &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	stop(&s);
}
END_TEST

/* The signed bytes, written out. */
START_TEST(message)
{
	struct chain	 at = { .seq = UINT64_MAX };
	uint8_t		 origin[32], next[32];
	char		 msg[CHECKPOINT_MESSAGE_MAX];
	size_t		 len;

	memset(origin, 0x11, sizeof(origin));
	memset(at.head, 0x22, sizeof(at.head));
	memset(next, 0x33, sizeof(next));
	len = checkpoint_message(msg, origin, &at,
	    "2025-01-02T03:04:05.000000067Z", next);
	ck_assert_str_eq(msg, "igra-audit-checkpoint-v1\n"
	    "1111111111111111111111111111111111111111111111111111111111111111\n"
	    "18446744073709551615\n"
	    "2222222222222222222222222222222222222222222222222222222222222222\n"
	    "2025-01-02T03:04:05.000000067Z\n"
	    "3333333333333333333333333333333333333333333333333333333333333333\n");
	ck_assert_uint_eq(len, strlen(msg));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("checkpoint");
	TCase	*tc = tcase_create("checkpoint");
	SRunner	*sr;
	int	 failed;

	if (sodium_init() == -1)
		return 1;
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, goes_on);
	tcase_add_loop_test(tc, failing, 0, CALLS * 2 * 3);
	tcase_add_test(tc, given_up);
	tcase_add_test(tc, log_cut);
	tcase_add_loop_test(tc, state_lost, 0, 4);
	tcase_add_loop_test(tc, refused, 0, 4);
	tcase_add_test(tc, loose);
	tcase_add_test(tc, message);
	suite_add_tcase(s, tc);
	tc = tcase_create("crash");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup_dir, teardown);
	tcase_add_loop_test(tc, crash, 0, CALLS * 2 * 3);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
