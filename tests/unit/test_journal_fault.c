/*
 * The policy journal's writer: writes and syncs that fail or hang, its death,
 * and what it can do when it has been taken over.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "journal_rig.h"
#include "log.h"
#include "messages.h"
#include "sandbox.h"

/* --- writes and syncs that fail --- */

/* Shared with the writer: which call fails, and how. */
static struct {
	int	 calls, fail_to;
	volatile int fail_from;
	bool	 partial;
	int	 error;
} *fault;

static bool
fails(void)
{
	int	 n = fault->calls++;

	return n >= fault->fail_from && n < fault->fail_to;
}

static ssize_t
faulty_pwrite(int fd, const void *p, size_t len, off_t off)
{
	if (fails()) {
		if (fault->partial && len > 1)
			return pwrite(fd, p, len / 2, off);
		errno = fault->error;
		return -1;
	}
	return pwrite(fd, p, len, off);
}

static int
faulty_sync(int fd)
{
	if (fails()) {
		errno = fault->error;
		return -1;
	}
	return fdatasync(fd);
}

static const struct journal_io	 faulty = { faulty_pwrite, faulty_sync };

/*
 * The _i-th call of the writer fails, and the next few: whoever was told yes
 * is there afterwards; it recovers without a restart.
 */
START_TEST(nth_call_fails)
{
	struct journal	*j;
	uint32_t	 i, id = 1, yes[64], nyes = 0;
	int		 before, tries;

	fault = mmap(NULL, sizeof(*fault), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANON, -1, 0);
	fault->fail_from = _i;
	fault->fail_to = _i + 1 + _i % 3;
	fault->error = _i % 2 == 0 ? ENOSPC : EIO;
	fault->partial = _i % 5 == 4;
	j = jr_start(&faulty, 1);
	for (tries = 0; tries < 12; tries++) {
		before = jr_good;
		/* One alone, so that the answer is its own. */
		jr_put(j, id, 2);
		jr_turn_until(tries + 1);
		if (jr_good > before)
			yes[nyes++] = id;
		else
			jr_turn_ms(300);
		/* Refused: the same again, or another. */
		if (jr_good > before || tries % 2 == 0)
			id++;
	}
	for (i = 0; i < 40 && !jr_may_sign(j); i++)
		jr_turn_ms(100);
	ck_assert(jr_may_sign(j));
	jr_put(j, id, 2);
	jr_turn_until(13);
	yes[nyes++] = id;
	jr_end(j, false);
	j = jr_start(NULL, 1);
	ck_assert(jr_may_sign(j));
	for (i = 0; i < nyes; i++)
		ck_assert_msg(jr_has(j, yes[i], 2), "entry %u", yes[i]);
	ck_assert_uint_ge(nyes, 8);
	jr_end(j, true);
	munmap(fault, sizeof(*fault));
}
END_TEST

/* A disk that takes its time: what comes meanwhile waits, and is not refused. */
START_TEST(many_wait_for_one_sync)
{
	struct journal	*j = jr_start(NULL, 1);
	uint32_t	 i;

	ck_assert_int_eq(kill(j->file->pid, SIGSTOP), 0);
	for (i = 1; i <= 200; i++)
		ck_assert_int_eq(jr_put(j, i, 1), 0);
	ck_assert_int_eq(jr_answers, 0);
	ck_assert_int_eq(kill(j->file->pid, SIGCONT), 0);
	jr_turn_until(200);
	ck_assert_int_eq(jr_good, 200);
	jr_end(j, true);
}
END_TEST

/* igra-keyd is killed with answers that it has not read, and orders out. */
START_TEST(killed_with_answers_unread)
{
	struct journal		*j;
	volatile pid_t		*writer;
	uint32_t		 i;
	int			 status;
	pid_t			 pid;

	writer = mmap(NULL, sizeof(*writer), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANON, -1, 0);
	if ((pid = fork()) == 0) {
		if (event_reinit(jr_base) == -1)
			_exit(9);
		j = jr_start(NULL, 1);
		*writer = j->file->pid;
		(void)jr_put(j, 1, 1);
		usleep(300 * 1000);	/* answered, and not read */
		(void)kill(*writer, SIGSTOP);
		for (i = 2; i <= 6; i++)
			(void)jr_put(j, i, 1);
		_exit(jr_answers);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(kill(*writer, SIGCONT), 0);
	j = jr_start(NULL, 1);
	ck_assert(jr_may_sign(j));
	for (i = 1; i <= 6; i++)
		ck_assert_msg(jr_has(j, i, 1), "entry %u", i);
	jr_end(j, true);
	munmap((void *)(uintptr_t)writer, sizeof(*writer));
}
END_TEST

/*
 * A full disk: what an operator was refused does not count later, and what was
 * found meanwhile is not forgotten.
 */
START_TEST(full_disk_accepts_nothing)
{
	struct journal_log	 log = { 9, 50, { 1 }, 9 };
	struct journal		*j;
	uint64_t		 gap;
	int			 i;

	jr_now.fake = true;
	jr_now.boot = 100 * S;
	jr_now.wall = 1000000 * S;
	fault = mmap(NULL, sizeof(*fault), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANON, -1, 0);
	j = jr_start(&faulty, 1);
	jr_put(j, 1, 2);
	jr_turn_until(1);
	ck_assert_int_eq(jr_good, 1);
	fault->error = ENOSPC;
	fault->fail_to = INT_MAX;
	fault->fail_from = fault->calls;
	jr_put(j, 2, 2);
	jr_turn_until(2);
	ck_assert(!jr_may_sign(j));
	journal_compare(j, &log);
	jr_now.wall += 3600 * S;
	journal_tick(j);
	ck_assert_int_eq(journal_clock_pending(j, &gap), CLOCK_STEP);
	journal_accept_rollback(j, jr_told, NULL);
	journal_accept_clock(j, jr_told, NULL);
	ck_assert_int_eq(jr_answers, 4);
	ck_assert_int_eq(jr_good, 1);
	ck_assert_uint_eq(journal_rollback(j), PROTO_ROLLBACK_JOURNAL);
	ck_assert_int_eq(journal_clock_pending(j, &gap), CLOCK_STEP);
	fault->fail_from = INT_MAX;
	for (i = 0; i < 40 && write_fault(j) != NULL; i++)
		jr_turn_ms(100);
	ck_assert_ptr_null(write_fault(j));
	ck_assert(!jr_may_sign(j));
	jr_turn_ms(1300);
	jr_end(j, false);
	j = jr_start(NULL, 1);
	ck_assert_uint_eq(journal_rollback(j), PROTO_ROLLBACK_JOURNAL);
	ck_assert_int_eq(journal_clock_pending(j, &gap), CLOCK_STEP);
	jr_end(j, true);
	munmap(fault, sizeof(*fault));
	jr_now.fake = false;
}
END_TEST

/* A hung disk: no within its time, and again yes when it goes on. */
static ssize_t
slow_pwrite(int fd, const void *p, size_t len, off_t off)
{
	/* To sleep is more than its sandbox allows. */
	while (fault->fail_from != 0)
		;
	return pwrite(fd, p, len, off);
}

static const struct journal_io	 slow = { slow_pwrite, fdatasync };

START_TEST(hung_disk)
{
	struct journal	*j;
	int64_t		 t;

	fault = mmap(NULL, sizeof(*fault), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANON, -1, 0);
	j = jr_start(&slow, 1);
	fault->fail_from = 1;
	t = bootclock_now();
	jr_put(j, 1, 1);
	jr_turn_until(1);
	ck_assert_int_eq(jr_good, 0);
	t = bootclock_now() - t;
	ck_assert_int_gt(t, S);
	printf("a disk that hangs: refused after %lld ms\n",
	    (long long)(t / 1000000));
	ck_assert(!jr_may_sign(j));
	/* At once. */
	jr_put(j, 2, 1);
	ck_assert_int_eq(jr_answers, 2);
	fault->fail_from = 0;
	jr_turn_ms(300);
	ck_assert(jr_may_sign(j));
	jr_put(j, 2, 1);
	jr_turn_until(3);
	ck_assert_int_eq(jr_good, 1);
	jr_end(j, false);
	j = jr_start(NULL, 1);
	ck_assert(jr_has(j, 1, 1));
	ck_assert(jr_has(j, 2, 1));
	jr_end(j, true);
	munmap(fault, sizeof(*fault));
}
END_TEST

/* The writer is killed: what it had is written all the same. */
START_TEST(writer_killed)
{
	struct journal	*j;
	uint32_t	 i;

	fault = mmap(NULL, sizeof(*fault), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANON, -1, 0);
	j = jr_start(&slow, 1);
	fault->fail_from = 1;
	for (i = 1; i <= 20; i++)
		jr_put(j, i, 3);
	kill(j->file->pid, SIGKILL);
	jr_turn_until(20);
	ck_assert_int_eq(jr_good, 0);
	ck_assert(jr_writer_died);
	ck_assert(!jr_may_sign(j));
	jr_end(j, true);
	j = jr_start(NULL, 1);
	for (i = 1; i <= 20; i++)
		ck_assert(jr_has(j, i, 3));
	jr_end(j, true);
	munmap(fault, sizeof(*fault));
}
END_TEST

/* --- the writer, taken --- */

#if defined(__linux__) && !defined(IGRA_SANITIZED)
static volatile int	*came;		/* shared: what the call returned */
static int		 attack;

static int
a_open(void)
{
	return open("/etc/passwd", O_RDONLY) == -1 ? errno : 0;
}

static int
a_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int
a_fork(void)
{
	return (int)fork();
}

static int
a_exec(void)
{
	char	*argv[] = { NULL };

	return execve("/bin/true", argv, argv);
}

static int
a_kill(void)
{
	return kill(getppid(), 0);
}

static int
a_read_file(void)
{
	char	 c;

	return (int)pread(SANDBOX_JOURNAL_FILE, &c, 1, 0);
}

static int
a_truncate(void)
{
	return ftruncate(SANDBOX_JOURNAL_FILE, 0);
}

static int
a_write_stderr(void)
{
	return (int)write(STDERR_FILENO, "", 1);
}

static int
a_write_other(void)
{
	return (int)pwrite(STDOUT_FILENO, "", 1, 0);
}

static int
a_dup(void)
{
	return dup(SANDBOX_JOURNAL_FILE);
}

static int
a_mmap(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANON,
	    -1, 0) == MAP_FAILED;
}

static const struct {
	int	 (*fn)(void);
	int	 want;			/* 0: SIGSYS */
} attacks[] = {
	{ a_open, EACCES }, { a_socket, 0 }, { a_fork, 0 }, { a_exec, 0 },
	{ a_kill, 0 }, { a_read_file, 0 }, { a_truncate, 0 },
	{ a_write_stderr, 0 }, { a_write_other, 0 }, { a_dup, 0 },
	{ a_mmap, 0 },
};
#define NATTACK	((int)(sizeof(attacks) / sizeof(attacks[0])))

static ssize_t
taken_pwrite(int fd, const void *p, size_t len, off_t off)
{
	*came = attacks[attack].fn();
	return pwrite(fd, p, len, off);
}

static const struct journal_io	 taken = { taken_pwrite, fdatasync };

/* Its answers, as they would be if it were free to make them. */
#define NONSENSE	9

static void
answer(uint64_t id, int error, uint32_t synced)
{
	const struct write_answer	 a = { id, error, synced };

	(void)send(SANDBOX_JOURNAL_SOCK, &a, sizeof(a), MSG_NOSIGNAL);
}

/* For the first order, which is written: written(1) has been said. */
static int
lying_sync(int fd)
{
	int	 i;

	switch (attack) {
	case 0:				/* what was never sent */
		answer(UINT64_MAX, 0, 1);
		break;
	case 1:
		answer(0, 0, 1);
		break;
	case 2:
		answer(2, 0, 1);
		break;
	case 3:				/* written twice */
		answer(1, 0, 0);
		break;
	case 4:				/* written, and an error */
		answer(1, EIO, 0);
		break;
	case 5:				/* no such answer */
		answer(1, 0, 2);
		break;
	case 6:				/* durable twice: the writer says it too */
		answer(1, 0, 1);
		break;
	case 7:				/* half of one */
		(void)send(SANDBOX_JOURNAL_SOCK, "", 1, MSG_NOSIGNAL);
		break;
	case 8:				/* as fast as it goes */
		for (i = 0; i < 20000; i++)
			answer(UINT64_MAX - (uint64_t)i % 2, i % 2 ? EIO : 0,
			    1);
		break;
	}
	return fdatasync(fd);
}

static const struct journal_io	 lying = { pwrite, lying_sync };

START_TEST(writer_lies)
{
	struct journal	*j;
	int64_t		 t = bootclock_now();

	attack = _i;
	j = jr_start(&lying, 1);
	jr_put(j, 1, 1);
	jr_turn_until(1);
	while (!jr_writer_died && bootclock_now() - t < S)
		jr_turn_ms(10);
	ck_assert(jr_writer_died);
	/* Nothing is released from there on; what was claimed is kept. */
	ck_assert(!jr_may_sign(j));
	ck_assert_int_eq(jr_good, attack == 6);
	jr_put(j, 2, 1);
	ck_assert_int_eq(jr_answers, 2);
	ck_assert_int_eq(jr_good, attack == 6);
	jr_end(j, true);
	j = jr_start(NULL, 1);
	ck_assert(jr_has(j, 1, 1));
	jr_end(j, true);
}
END_TEST

/* "Durable" without "written" is what a writer says that could not write. */
static ssize_t
hasty_pwrite(int fd, const void *p, size_t len, off_t off)
{
	answer(1, 0, 1);
	return pwrite(fd, p, len, off);
}

static const struct journal_io	 hasty = { hasty_pwrite, fdatasync };

START_TEST(writer_hasty)
{
	struct journal	*j = jr_start(&hasty, 1);

	jr_put(j, 1, 1);
	jr_turn_until(1);
	ck_assert_int_eq(jr_good, 0);
	ck_assert(jr_writer_died);
	jr_end(j, true);
}
END_TEST

START_TEST(writer_taken)
{
	struct journal	*j;
	pid_t		 pid;
	int		 status;

	came = mmap(NULL, sizeof(*came), PROT_READ | PROT_WRITE, MAP_SHARED |
	    MAP_ANON, -1, 0);
	*came = -12345;
	attack = _i;
	j = jr_start(&taken, 1);
	pid = j->file->pid;
	jr_put(j, 1, 1);
	jr_turn_until(1);
	journal_free(j);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (attacks[_i].want != 0) {
		ck_assert_int_eq(*came, attacks[_i].want);
		ck_assert(WIFEXITED(status));
	} else {
		ck_assert_int_eq(*came, -12345);
		ck_assert(WIFSIGNALED(status));
		ck_assert_int_eq(WTERMSIG(status), SIGSYS);
	}
	j = jr_start(NULL, 1);
	ck_assert(jr_has(j, 1, 1));
	jr_end(j, true);
}
END_TEST
#endif

int
main(void)
{
	Suite	*s = suite_create("journal_fault");
	TCase	*t = tcase_create("fault");
	SRunner	*r;
	int	 failed;

	if (sodium_init() == -1 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return 1;
	log_init("test_journal_fault", 0);
	tcase_add_checked_fixture(t, jr_setup_fast, jr_teardown);
#if defined(__linux__) && !defined(IGRA_SANITIZED)
	tcase_add_loop_test(t, writer_taken, 0, NATTACK);
	tcase_add_loop_test(t, writer_lies, 0, NONSENSE);
	tcase_add_test(t, writer_hasty);
#endif
	tcase_add_loop_test(t, nth_call_fails, 0, 16);
	tcase_add_test(t, hung_disk);
	tcase_add_test(t, full_disk_accepts_nothing);
	tcase_add_test(t, many_wait_for_one_sync);
	tcase_add_test(t, killed_with_answers_unread);
	tcase_add_test(t, writer_killed);
	tcase_set_timeout(t, 240);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
