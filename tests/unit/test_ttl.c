/*
 * How long secrets stay (DESIGN 6), with clocks that the test sets: time asleep
 * counts, and whoever sets the wall clock neither prolongs nor shortens
 * anything.  How late they go is printed; a tenth of a second it is at most, the
 * best of some times, since a machine may be late for itself.
 *
 * Alone: it measures tenths of a second.
 */
#ifndef __linux__
#include <stdio.h>

int
main(void)
{
	puts("skip - time to live (the clocks are set in Linux's own way)");
	return 0;
}
#else
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include <time.h>

#include "keyd_rig.h"

#define MS		INT64_C(1000000)
#define HUNG		20000		/* ms: it does not come by itself */
#define LATE		(100 * MS)	/* DESIGN 6 allows no more */
#define TIMES		10
#define DAYS		INT64_C(86400)

static int64_t	asleep;		/* CLOCK_BOOTTIME beside CLOCK_MONOTONIC, ns */
static int64_t	stepped;	/* what the wall clock was set by, ns */
static int64_t	stopped;	/* CLOCK_BOOTTIME stands still there, ns */

/* The kernel's timers, which this program's sleep must move as well. */
static struct {
	int		 fd;
	clockid_t	 clock;
	int64_t		 when;
} timer[8];
static unsigned	ntimers;

static int64_t	real(clockid_t);
static void	timer_arm(unsigned);
static void	sleep_for(int64_t);

static int64_t
real(clockid_t id)
{
	struct timespec	 ts;

	ck_assert_int_eq(syscall(SYS_clock_gettime, id, &ts), 0);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* In place of libc's. */
int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int64_t	 t = real(id);

	if (id == CLOCK_BOOTTIME)
		t = (stopped != 0 ? stopped : t) + asleep;
	else if (id == CLOCK_REALTIME)
		t += stepped;
	ts->tv_sec = t / NS_PER_S;
	ts->tv_nsec = t % NS_PER_S;
	return 0;
}

int
timerfd_create(clockid_t id, int flags)
{
	int	 fd = (int)syscall(SYS_timerfd_create, id, flags);

	ck_assert_uint_lt(ntimers, 8);
	timer[ntimers].fd = fd;
	timer[ntimers++].clock = id;
	return fd;
}

static void
timer_arm(unsigned i)
{
	struct itimerspec	 its = { 0 };
	int64_t			 t = timer[i].when;

	if (t != 0 && timer[i].clock == CLOCK_BOOTTIME)
		t = t - asleep > 0 ? t - asleep : 1;
	its.it_value.tv_sec = t / NS_PER_S;
	its.it_value.tv_nsec = t % NS_PER_S;
	ck_assert_int_eq(syscall(SYS_timerfd_settime, timer[i].fd,
	    TFD_TIMER_ABSTIME, &its, NULL), 0);
}

int
timerfd_settime(int fd, int flags, const struct itimerspec *its,
    struct itimerspec *old)
{
	unsigned	 i;

	(void)old;
	ck_assert_int_eq(flags, TFD_TIMER_ABSTIME);
	for (i = 0; i < ntimers && timer[i].fd != fd; i++)
		;
	ck_assert_uint_lt(i, ntimers);
	timer[i].when = (int64_t)its->it_value.tv_sec * NS_PER_S +
	    its->it_value.tv_nsec;
	timer_arm(i);
	return 0;
}

/* The machine is suspended for so many ns. */
static void
sleep_for(int64_t ns)
{
	unsigned	 i;

	asleep += ns;
	for (i = 0; i < ntimers; i++)
		timer_arm(i);
}

/* --- */

static struct conf *
conf(void)
{
	return (struct conf *)(uintptr_t)k.d.conf;
}

/* Runs the loop until nothing is in the arena; how long that took, in ms. */
static void
goes(const char *what)
{
	struct timeval	 tv = { 0, 1000 };
	int64_t		 start = real(CLOCK_MONOTONIC), t = 0;

	while (secmem_used() != 0 && t < HUNG) {
		event_base_loopexit(k.base, &tv);
		event_base_dispatch(k.base);
		t = (real(CLOCK_MONOTONIC) - start) / MS;
	}
	ck_assert_msg(secmem_used() == 0, "%s: not in %lld ms", what,
	    (long long)t);
	printf("%s: gone after %lld ms\n", what, (long long)t);
}

static void
sign_once(int fd)
{
	send_sign(fd, 1, 1, 0, 1);
	expect(fd, LINK_KEYD, MSG_SIGN);
	turns(2);
}

/* When nothing asks, and not before its time. */
START_TEST(exact)
{
	int64_t	 due, late, least = INT64_MAX;
	int	 i, fd = dial(LINK_KEYD);

	conf()->secret_cache_ttl = 1;
	unlock(1);
	for (i = 0; i < TIMES && least > LATE; i++) {
		sign_once(fd);
		ck_assert_uint_eq(secmem_used(), 96);
		due = keycache_next(&k.ring.cache)->expires;
		ck_assert_int_gt(due, real(CLOCK_BOOTTIME));
		goes("a key to live for 1,000 ms");
		late = real(CLOCK_BOOTTIME) - due;
		ck_assert_int_ge(late, 0);
		if (late < least)
			least = late;
		ck_assert_uint_eq(k.ring.evictions, (unsigned)i + 1);
	}
	ck_assert_msg(least <= LATE, "%lld ms late", (long long)(least / MS));
	ck_assert(!keyring_locked(&k.ring));
	close(fd);
}
END_TEST

/* And use does not prolong it. */
START_TEST(asleep_counts)
{
	int	 fd = dial(LINK_KEYD);

	conf()->secret_cache_ttl = 300;
	unlock(1);
	sign_once(fd);
	sleep_for(290 * NS_PER_S);
	turns(20);
	ck_assert_uint_eq(secmem_used(), 96);
	sign_once(fd);
	ck_assert_uint_eq(k.ring.evictions, 0);
	sleep_for(11 * NS_PER_S);
	goes("asleep while its time ended");
	/* And once more, asleep for long. */
	sign_once(fd);
	ck_assert_uint_eq(secmem_used(), 96);
	sleep_for(30 * DAYS * NS_PER_S);
	goes("asleep for a month");
	ck_assert_uint_eq(k.ring.evictions, 2);
	close(fd);
}
END_TEST

/* Set to and fro by a year. */
START_TEST(wall_clock_set)
{
	static const int64_t	 by[] = { 365 * DAYS, -365 * DAYS };
	int			 fd = dial(LINK_KEYD);

	conf()->secret_cache_ttl = 300;
	unlock(1);
	sign_once(fd);
	stepped += by[_i] * NS_PER_S;
	turns(50);
	ck_assert_uint_eq(secmem_used(), 96);
	sleep_for(301 * NS_PER_S);
	goes("after the wall clock was set");
	ck_assert_uint_eq(k.ring.evictions, 1);
	close(fd);
}
END_TEST

START_TEST(nothing_cached)
{
	int	 fd = dial(LINK_KEYD);

	conf()->secret_cache_ttl = 0;
	unlock(1);
	sign_once(fd);
	ck_assert_uint_eq(secmem_used(), 0);
	ck_assert_uint_eq(k.ring.cache.n, 0);
	ck_assert_uint_eq(k.ring.evictions, 0);
	close(fd);
}
END_TEST

/* The file key's own time, asleep as well; and not a moment longer. */
START_TEST(unlock_ttl)
{
	struct key	*key;
	char		 err[KEYRING_ERR];
	int		 fd = dial(LINK_KEYD);

	conf()->unlock_ttl = 3600;
	conf()->secret_cache_ttl = DAYS;
	unlock(1);
	sign_once(fd);
	stepped += 2 * DAYS * NS_PER_S;
	sleep_for(3590 * NS_PER_S);
	turns(20);
	ck_assert(!keyring_locked(&k.ring));
	sleep_for(11 * NS_PER_S);
	/* Before the loop has seen its timer. */
	ck_assert_int_eq(keyring_get(&k.ring, NULL, &key, NULL, err,
	    sizeof(err)), CODE_LOCKED);
	goes("at the end of the unlock");
	ck_assert(keyring_locked(&k.ring));
	ck_assert(!k.marker);
	send_sign(fd, 1, 1, 0, 2);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_LOCKED);
	unlock(1);
	sign_once(fd);
	close(fd);
}
END_TEST

/* A file that is none, and keys that are not its. */
static int
fail_unlock(int fd)
{
	static const uint8_t	 junk[200];
	struct msg_unlock	 m;
	struct enc		 e;

	memset(&m, 0, sizeof(m));
	ck_assert_int_eq(frame_write(fd, MSG_UNLOCK_FILE, 0, junk,
	    sizeof(junk)), 0);
	enc_init(&e);
	enc_unlock(&e, &m);
	ck_assert_int_eq(frame_write(fd, MSG_UNLOCK, 1, e.buf, e.len), 0);
	enc_free(&e);
	return refusal(fd, LINK_KEYD_ADMIN);
}

/* 1 s after the first, twice as long each time, a minute at most. */
START_TEST(failed_unlocks)
{
	static const int	 wait[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };
	int			 fd = dial(LINK_KEYD_ADMIN);
	size_t			 i;

	/* However long each of these takes. */
	stopped = real(CLOCK_BOOTTIME);
	for (i = 0; i < sizeof(wait) / sizeof(wait[0]); i++) {
		ck_assert_int_eq(fail_unlock(fd), CODE_UNAUTHORIZED);
		ck_assert_int_eq(fail_unlock(fd), CODE_RATE_LIMITED);
		/* The right one has to wait as well. */
		send_unlock(fd, 1, 1);
		ck_assert_int_eq(refusal(fd, LINK_KEYD_ADMIN),
		    CODE_RATE_LIMITED);
		stepped += 100 * DAYS * NS_PER_S;
		sleep_for(wait[i] * NS_PER_S - 500 * MS);
		ck_assert_int_eq(fail_unlock(fd), CODE_RATE_LIMITED);
		sleep_for(500 * MS);
	}
	/* To be told to wait is no failure; success forgets the others. */
	send_unlock(fd, 1, 1);
	expect(fd, LINK_KEYD_ADMIN, MSG_OK);
	ck_assert_int_eq(fail_unlock(fd), CODE_UNAUTHORIZED);
	ck_assert(!keyring_locked(&k.ring));
	sleep_for(NS_PER_S);
	ck_assert_int_eq(fail_unlock(fd), CODE_UNAUTHORIZED);
	close(fd);
}
END_TEST

/* In the byte of the state file; only somebody at a terminal lifts it. */
START_TEST(lock_marker)
{
	struct isec_header	 h;
	struct isec_plain	 plain;
	struct msg_unlock	 m;
	struct enc		 e;
	const char		*errstr;
	uint8_t			 key[32], *file;
	size_t			 len;
	char			 byte = 0;
	int			 fd = dial(LINK_KEYD_ADMIN);

	unlock(1);
	ck_assert_int_eq(frame_write(fd, MSG_LOCK, 1, NULL, 0), 0);
	expect(fd, LINK_KEYD_ADMIN, MSG_OK);
	ck_assert_uint_eq(secmem_used(), 0);
	ck_assert_int_eq(pread(k.state_fd, &byte, 1, 0), 1);
	ck_assert_int_eq(byte, '1');
	send_unlock(fd, 1, 1);
	ck_assert_int_eq(refusal(fd, LINK_KEYD_ADMIN), CODE_LOCKED);
	ck_assert(keyring_locked(&k.ring));
	sleep_for(30 * DAYS * NS_PER_S);	/* no time lifts it */
	send_unlock(fd, 1, 1);
	ck_assert_int_eq(refusal(fd, LINK_KEYD_ADMIN), CODE_LOCKED);
	memset(&m, 0, sizeof(m));
	memset(key, 1, sizeof(key));
	m.interactive = true;
	ck_assert_int_eq(isec_header_init(&h, 8, 1, 1, &errstr), 0);
	ck_assert_int_eq(isec_plain_init(&plain), 0);
	ck_assert_int_eq(isec_put(&plain, "igra.signer.private_key_signer-01",
	    key, sizeof(key), &errstr), 0);
	ck_assert_int_eq(isec_seal(&h, m.file_key, &plain, &file, &len,
	    &errstr), 0);
	isec_plain_free(&plain);
	ck_assert_int_eq(frame_write(fd, MSG_UNLOCK_FILE, 0, file, len), 0);
	free(file);
	enc_init(&e);
	enc_unlock(&e, &m);
	ck_assert_int_eq(frame_write(fd, MSG_UNLOCK, 2, e.buf, e.len), 0);
	enc_free(&e);
	expect(fd, LINK_KEYD_ADMIN, MSG_OK);
	ck_assert(!keyring_locked(&k.ring));
	ck_assert_int_eq(pread(k.state_fd, &byte, 1, 0), 1);
	ck_assert_int_eq(byte, '0');
	close(fd);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("ttl");
	TCase	*tc = tcase_create("ttl");
	SRunner	*sr;
	int	 failed;

	log_init("test_ttl", 0);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, exact);
	tcase_add_test(tc, asleep_counts);
	tcase_add_loop_test(tc, wall_clock_set, 0, 2);
	tcase_add_test(tc, nothing_cached);
	tcase_add_test(tc, unlock_ttl);
	tcase_add_test(tc, failed_unlocks);
	tcase_add_test(tc, lock_marker);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
#endif
