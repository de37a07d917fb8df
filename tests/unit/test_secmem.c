/* The secret arena: its allocator against a model, and what protects it. */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "secmem.h"

#define SIZE	(256 * 1024)

static const int kinds[] = { SECMEM_NO_MEMFD, 0 };

static void
start(int flags)
{
	const char	*errstr;

	ck_assert_int_eq(secmem_init(SIZE, flags, &errstr), 0);
	ck_assert_int_eq(secmem_locked(), 1);
	ck_assert_uint_ge(secmem_size(), SIZE);
}

/* All n bytes are c. */
static bool
all(const uint8_t *p, uint8_t c, size_t n)
{
	while (n > 0)
		if (p[--n] != c)
			return false;
	return true;
}

static bool
zero(const uint8_t *p, size_t n)
{
	return all(p, 0, n);
}

/* The signal that ends a child which reads (or writes) there; 0: none. */
static int
touch(volatile uint8_t *p, bool write_it)
{
	pid_t	 pid;
	int	 status;

	if ((pid = fork()) == 0) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		if (write_it)
			*p = 1;
		else
			(void)*p;
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	/* ASan turns the signal into an exit. */
	return WIFSIGNALED(status) ? WTERMSIG(status) :
	    WEXITSTATUS(status) != 0 ? SIGSEGV : 0;
}

#if defined(__linux__) && !defined(IGRA_SANITIZED)
/* The flags of the mapping at p, from /proc/self/smaps. */
static void
vmflags(const void *p, char *out, size_t size)
{
	FILE		*f = fopen("/proc/self/smaps", "r");
	char		 line[512];
	unsigned long	 lo = 0, hi = 0, a, b;
	uintptr_t	 at = (uintptr_t)p;

	out[0] = '\0';
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%lx-%lx ", &a, &b) == 2) {
			lo = a;
			hi = b;
		} else if (strncmp(line, "VmFlags:", 8) == 0 && at >= lo &&
		    at < hi)
			(void)strlcpy(out, line + 8, size);
	}
	fclose(f);
}
#endif

struct model {
	uint8_t	*p;
	size_t	 n;
	uint8_t	 fill;
};

/*
 * Random allocations of many sizes: aligned, zeroed, apart from each other;
 * wiped where they were; and in the end the arena is one piece again.
 */
START_TEST(stress)
{
	static struct model	 m[64];
	struct model		*s;
	uint8_t			*p;
	size_t			 i, before, n;
	unsigned		 round, given = 0, full = 0;
	bool			 good;

	start(kinds[_i]);
	srandom(7);
	for (round = 0; round < 20000; round++) {
		s = &m[random() % 64];
		if ((p = s->p) != NULL) {
			good = all(p, s->fill, s->n);
			secmem_free(p);
			ck_assert(good && zero(p, s->n));
			s->p = NULL;
			continue;
		}
		n = (size_t)random() % (round % 2 == 0 ? 30000 : 300);
		before = secmem_used();
		if ((p = secmem_alloc(n)) == NULL) {
			ck_assert_int_eq(errno, ENOMEM);
			ck_assert_uint_eq(secmem_used(), before);
			full++;
			continue;
		}
		ck_assert((uintptr_t)p % 16 == 0 && zero(p, n) &&
		    secmem_used() - before >= n &&
		    secmem_used() - before <= n + 32);
		s->p = p;
		s->n = n;
		s->fill = (uint8_t)(random() | 1);
		memset(p, s->fill, n);
		given++;
	}
	ck_assert_uint_gt(given, 1000);
	ck_assert_uint_gt(full, 0);
	for (i = 0; i < 64; i++)
		secmem_free(m[i].p);
	secmem_free(NULL);
	ck_assert_uint_eq(secmem_used(), 0);
	ck_assert_ptr_nonnull(p = secmem_alloc(secmem_size() - 16));
	ck_assert(zero(p, secmem_size() - 16));
	ck_assert_ptr_null(secmem_alloc(0));
	secmem_free(p);
}
END_TEST

#define MANY	20000

/*
 * As many as the largest caches hold, given back in the order they came, in
 * the opposite one, every second first, or at random: no walk over the arena.
 */
START_TEST(many)
{
	static uint8_t	*p[MANY];
	struct timespec	 a, b;
	const char	*errstr;
	uint8_t		*t;
	size_t		 i, j;
	long		 ms;

	ck_assert_int_eq(secmem_init(MANY * 112, SECMEM_NO_MEMFD, &errstr),
	    0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	for (i = 0; i < MANY; i++) {
		ck_assert_ptr_nonnull(p[i] = secmem_alloc(96));
		memset(p[i], 0x5a, 96);
	}
	ck_assert_uint_eq(secmem_used(), MANY * 96);
	srandom(3);
	for (i = MANY - 1; _i == 3 && i > 0; i--) {
		j = (size_t)random() % (i + 1);
		t = p[i];
		p[i] = p[j];
		p[j] = t;
	}
	for (i = 0; i < MANY; i++)
		secmem_free(p[_i == 1 ? MANY - 1 - i : _i == 2 ?
		    i * 2 % MANY + i * 2 / MANY : i]);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	ms = (long)(b.tv_sec - a.tv_sec) * 1000 +
	    (b.tv_nsec - a.tv_nsec) / 1000000;
	ck_assert_msg(ms < 500, "%ld ms", ms);
	ck_assert_uint_eq(secmem_used(), 0);
	ck_assert_ptr_nonnull(t = secmem_alloc(secmem_size() - 16));
	ck_assert(zero(t, secmem_size() - 16));
}
END_TEST

/* Somebody else may have it by now: that is the end, and all is wiped. */
START_TEST(freed_twice)
{
	uint8_t	*p, *q;

	start(SECMEM_NO_MEMFD);
	ck_assert_ptr_nonnull(q = secmem_alloc(100));
	ck_assert_ptr_nonnull(p = secmem_alloc(100));
	memset(q, 0x5a, 100);
	secmem_free(p);
	secmem_free(p);
}
END_TEST

START_TEST(limits)
{
	const char	*errstr = NULL;
	uint8_t		*p, *q;

	ck_assert_str_eq(secmem_kind(), "none");
	ck_assert_ptr_null(secmem_alloc(1));
	ck_assert_ptr_null(secmem_page_open(0));
	secmem_wipe();
	ck_assert_int_eq(secmem_init(SIZE_MAX / 2, 0, &errstr), -1);
	ck_assert_ptr_nonnull(errstr);
	ck_assert_int_eq(secmem_init(0, 0, &errstr), -1);
	start(SECMEM_NO_MEMFD);
	ck_assert_str_eq(secmem_kind(), "mlock");
	ck_assert_int_eq(secmem_init(SIZE, 0, &errstr), -1);	/* once */
	ck_assert_ptr_null(secmem_alloc(SIZE_MAX));
	ck_assert_ptr_null(secmem_alloc(SIZE_MAX - 15));
	ck_assert_ptr_null(secmem_alloc(secmem_size()));
	ck_assert_ptr_nonnull(p = secmem_alloc(0));
	ck_assert_ptr_nonnull(q = secmem_alloc(1));
	ck_assert_ptr_ne(p, q);
	ck_assert_uint_eq(secmem_used(), 32);
	ck_assert_ptr_null(secmem_page_open(SECMEM_PAGES));
	secmem_page_close(SECMEM_PAGES);
}
END_TEST

#ifndef IGRA_SANITIZED		/* there mlock(2) does nothing */
/* Past the limit it says so, and leaves nothing half done. */
START_TEST(no_lock_no_arena)
{
	struct rlimit	 rl = { 65536, 65536 };
	const char	*errstr = NULL;
	pid_t		 pid;
	int		 status;

	if ((pid = fork()) == 0) {
		if (setrlimit(RLIMIT_MEMLOCK, &rl) == -1 ||
		    (geteuid() == 0 && setresuid(64009, 64009, 64009) == -1))
			_exit(2);
		if (secmem_init(SIZE, SECMEM_NO_MEMFD, &errstr) != -1 ||
		    errstr == NULL || strstr(errstr, "locked-memory") == NULL)
			_exit(3);
		if (secmem_init(SIZE, 0, &errstr) != -1)
			_exit(4);
		if (secmem_init_insecure(SIZE) != 0 || secmem_locked() ||
		    strcmp(secmem_kind(), "not locked") != 0 ||
		    secmem_alloc(100) == NULL)
			_exit(5);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST
#endif

/* Before, between and behind: touching any of it is the end. */
START_TEST(guards)
{
	size_t	 page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t	*p, *q, *first, *heap;

	start(SECMEM_NO_MEMFD);
	ck_assert_ptr_nonnull(p = secmem_page_open(0));
	ck_assert_ptr_nonnull(q = secmem_page_open(1));
	ck_assert_ptr_eq(q, p + page);
	ck_assert(zero(p, 2 * page));
	memset(p, 0x5a, page);
	ck_assert_int_eq(touch(p, false), 0);
	first = p - page;
	heap = p + SECMEM_PAGES * page;
	ck_assert_int_eq(touch(first, false), SIGSEGV);
	ck_assert_int_eq(touch(first + page - 1, true), SIGSEGV);
	ck_assert_int_eq(touch(heap, false), 0);
	ck_assert_int_eq(touch(heap + secmem_size() - 1, true), 0);
	ck_assert_int_eq(touch(heap + secmem_size(), false), SIGSEGV);
	ck_assert_int_eq(touch(heap + secmem_size(), true), SIGSEGV);
	secmem_page_close(0);
	ck_assert_int_eq(touch(p, false), SIGSEGV);
	ck_assert_int_eq(touch(p, true), SIGSEGV);
	ck_assert_int_eq(touch(q, false), 0);	/* its own page */
	secmem_page_close(1);
	ck_assert_int_eq(touch(q, false), SIGSEGV);
	ck_assert_ptr_eq(secmem_page_open(0), p);
	ck_assert_uint_eq(p[page - 1], 0x5a);	/* kept while closed */
	secmem_page_close(0);
}
END_TEST

#if defined(__linux__) && !defined(IGRA_SANITIZED)
/* Locked, out of core files, wiped in children. */
START_TEST(mlock_flags)
{
	size_t	 page = (size_t)sysconf(_SC_PAGESIZE), i;
	uint8_t	*p, vec[8];
	char	 flags[256];
	void	*key;

	start(SECMEM_NO_MEMFD);
	ck_assert_ptr_nonnull(p = secmem_alloc(secmem_size() - 16));
	ck_assert_ptr_nonnull(key = secmem_page_open(0));
	secmem_page_close(0);
	vmflags(p, flags, sizeof(flags));
	ck_assert_msg(strstr(flags, " lo") != NULL, "%s", flags);
	ck_assert_msg(strstr(flags, " dd") != NULL, "%s", flags);
	ck_assert_msg(strstr(flags, " wf") != NULL, "%s", flags);
	vmflags(key, flags, sizeof(flags));
	ck_assert_msg(strstr(flags, " lo") != NULL, "%s", flags);
	ck_assert_msg(strstr(flags, " dd") != NULL, "%s", flags);
	ck_assert_msg(strstr(flags, " rd") == NULL, "%s", flags);
	/* In memory already, though nobody has touched most of it. */
	for (i = 0; i + 8 * page < secmem_size(); i += 8 * page) {
		ck_assert_int_eq(mincore(p - 16 + i, 8 * page, vec), 0);
		ck_assert_uint_eq(vec[0] & vec[7] & 1, 1);
	}
}
END_TEST
#endif

/* A child has the secret in neither kind: zeros, or no memory at all. */
START_TEST(not_in_children)
{
	uint8_t	*p, *key;
	pid_t	 pid;
	int	 status;

	start(kinds[_i]);
	ck_assert_ptr_nonnull(p = secmem_alloc(64));
	ck_assert_ptr_nonnull(key = secmem_page_open(0));
	memset(p, 0x5a, 64);
	key[0] = 0x5a;
	if (strcmp(secmem_kind(), "memfd_secret") == 0) {
		ck_assert_int_eq(touch(p, false), SIGSEGV);
		ck_assert_int_eq(touch(key, false), SIGSEGV);
	} else {
		if ((pid = fork()) == 0)
			_exit(p[0] != 0 || p[63] != 0 || key[0] != 0 ||
			    secmem_alloc(16) != NULL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_uint_eq(p[63], 0x5a);
}
END_TEST

START_TEST(wipe)
{
	uint8_t	*p, *key;
	void	*q;

	start(kinds[_i]);
	ck_assert_ptr_nonnull(p = secmem_alloc(1000));
	ck_assert_ptr_nonnull(q = secmem_alloc(1000));
	memset(p, 0x5a, 1000);
	memset(q, 0x5a, 1000);
	ck_assert_ptr_nonnull(key = secmem_page_open(1));
	memset(key, 0x5a, 100);
	secmem_page_close(1);
	secmem_wipe();
	ck_assert(zero(p - 16, 2032));
	ck_assert_ptr_eq(secmem_page_open(1), key);
	ck_assert(zero(key, 100));
	/* Nothing is given out after it, and giving back does no harm. */
	ck_assert_ptr_null(secmem_alloc(0));
	ck_assert_ptr_null(secmem_alloc(16));
	secmem_free(p);
	secmem_free(q);
	ck_assert(zero(p - 16, 2032));
	secmem_wipe();
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("secmem");
	TCase	*tc = tcase_create("secmem");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, stress, 0, 2);
	tcase_add_loop_test(tc, many, 0, 4);
	tcase_add_test_raise_signal(tc, freed_twice, SIGABRT);
	tcase_add_test(tc, limits);
	tcase_add_test(tc, guards);
#ifndef IGRA_SANITIZED
	tcase_add_test(tc, no_lock_no_arena);
#endif
#if defined(__linux__) && !defined(IGRA_SANITIZED)
	tcase_add_test(tc, mlock_flags);
#endif
	tcase_add_loop_test(tc, not_in_children, 0, 2);
	tcase_add_loop_test(tc, wipe, 0, 2);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
