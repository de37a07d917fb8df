/* The timer on the clock that counts through suspend. */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "bootclock.h"

#define MS	INT64_C(1000000)

static struct event_base	*base;
static struct boottimer		*t;
static int			 fired;
static int64_t			 when, again;

static void
fire(void *arg)
{
	ck_assert_ptr_eq(arg, &fired);
	fired++;
	when = bootclock_now();
	if (again != 0)
		boottimer_set(t, when + again);
	again = 0;
}

static void
start(void)
{
	ck_assert_ptr_nonnull(base = event_base_new());
	ck_assert_ptr_nonnull(t = boottimer_new(base, fire, &fired));
}

/* For so long, and once more after it, however late that is. */
static void
run(int64_t ns)
{
	int64_t	 end = bootclock_now() + ns;
	bool	 over;

	do {
		usleep(500);
		over = bootclock_now() >= end;
		event_base_loop(base, EVLOOP_NONBLOCK);
	} while (!over);
}

/* Until it has fired n times, which it does by itself, and no more. */
static void
fires(int n)
{
	int64_t	 end = bootclock_now() + 20 * NS_PER_S;

	while (fired < n && bootclock_now() < end)
		run(MS);
	run(10 * MS);
	ck_assert_int_eq(fired, n);
}

START_TEST(clocks)
{
	int64_t		 a = bootclock_now();
	uint64_t	 m = monotonic_now();

	usleep(2000);
	ck_assert_int_ge(bootclock_now() - a, 2 * MS);
	ck_assert_int_lt(bootclock_now() - a, 5 * NS_PER_S);
	ck_assert_uint_ge(monotonic_now() - m, (uint64_t)(2 * MS));
}
END_TEST

START_TEST(once)
{
	int64_t	 due;

	start();
	run(5 * MS);
	ck_assert_int_eq(fired, 0);		/* unset at first */
	due = bootclock_now() + 30 * MS;
	boottimer_set(t, due);
	fires(1);
	ck_assert_int_ge(when, due);
	run(40 * MS);
	ck_assert_int_eq(fired, 1);
}
END_TEST

START_TEST(set_anew)
{
	start();
	boottimer_set(t, 1);			/* long past: at once */
	fires(1);
	boottimer_set(t, bootclock_now() + 20 * MS);
	boottimer_set(t, bootclock_now() + 3600 * NS_PER_S);
	run(50 * MS);
	ck_assert_int_eq(fired, 1);		/* later */
	boottimer_set(t, bootclock_now() + 5 * MS);
	fires(2);				/* sooner */
	boottimer_set(t, bootclock_now() + 5 * MS);
	usleep(10000);
	boottimer_set(t, 0);			/* over, but not yet told */
	run(20 * MS);
	ck_assert_int_eq(fired, 2);
	again = 5 * MS;				/* from within */
	boottimer_set(t, bootclock_now());
	fires(4);
	boottimer_set(t, bootclock_now());
	boottimer_free(t);
	run(10 * MS);
	ck_assert_int_eq(fired, 4);
	boottimer_free(NULL);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("bootclock");
	TCase	*tc = tcase_create("bootclock");
	SRunner	*sr;
	int	 failed;

	tcase_add_test(tc, clocks);
	tcase_add_test(tc, once);
	tcase_add_test(tc, set_anew);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
