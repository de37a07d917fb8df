#include <check.h>
#include <stdlib.h>

#include "limiter.h"

#define SECOND	UINT64_C(1000000000)

static unsigned	 burst(struct limiter *, unsigned, uint32_t, uint64_t, unsigned);

static unsigned
burst(struct limiter *l, unsigned type, uint32_t uid, uint64_t now, unsigned n)
{
	unsigned	 i, through = 0;

	for (i = 0; i < n; i++)
		through += limiter_allow(l, type, uid, now);
	return through;
}

START_TEST(cap)
{
	static struct limiter	 l;
	uint64_t		 t = 5 * SECOND, n;
	uint32_t		 uid;
	unsigned		 type;

	limiter_init(&l, LIMITER_EVENTS, LIMITER_WINDOW);
	ck_assert_uint_eq(limiter_due(&l), UINT64_MAX);
	ck_assert_uint_eq(burst(&l, 3, 1000, t, 20), 20);
	ck_assert_uint_eq(limiter_due(&l), UINT64_MAX);
	ck_assert_uint_eq(burst(&l, 3, 1000, t + SECOND, 7), 0);
	/* Another type and another uid have budgets of their own. */
	ck_assert_uint_eq(burst(&l, 4, 1000, t + SECOND, 25), 20);
	ck_assert_uint_eq(burst(&l, 3, 1001, t + SECOND, 1), 1);

	ck_assert_uint_eq(limiter_due(&l), 65 * SECOND);
	ck_assert(!limiter_next(&l, 65 * SECOND - 1, &type, &uid, &n));
	ck_assert(limiter_next(&l, 65 * SECOND, &type, &uid, &n));
	ck_assert_uint_eq(type, 3);
	ck_assert_uint_eq(uid, 1000);
	ck_assert_uint_eq(n, 7);
	ck_assert(!limiter_next(&l, 65 * SECOND, &type, &uid, &n));
	ck_assert_uint_eq(limiter_due(&l), 66 * SECOND);
	ck_assert(limiter_next(&l, UINT64_MAX, &type, &uid, &n));
	ck_assert_uint_eq(type, 4);
	ck_assert_uint_eq(n, 5);
	ck_assert_uint_eq(limiter_due(&l), UINT64_MAX);
	ck_assert_uint_eq(burst(&l, 3, 1000, 66 * SECOND, 21), 20);
}
END_TEST

/* A window that nobody asked about in time loses no count. */
START_TEST(count_survives)
{
	static struct limiter	 l;
	uint64_t		 n;
	uint32_t		 uid;
	unsigned		 type;

	limiter_init(&l, 2, SECOND);
	ck_assert_uint_eq(burst(&l, 0, 7, 0, 5), 2);
	ck_assert_uint_eq(burst(&l, 0, 7, 10 * SECOND, 5), 2);
	ck_assert(limiter_next(&l, 11 * SECOND, &type, &uid, &n));
	ck_assert_uint_eq(n, 6);
}
END_TEST

/* A user with 65,536 subordinate uids gets no more than anybody. */
START_TEST(many_uids)
{
	static struct limiter	 l;
	uint64_t		 n, sum = 0;
	uint32_t		 uid, u;
	unsigned		 type, through = 0;

	limiter_init(&l, LIMITER_EVENTS, LIMITER_WINDOW);
	for (u = 0; u < 65536; u++)
		through += limiter_allow(&l, 10, u, SECOND);
	ck_assert_uint_eq(through, LIMITER_SLOTS + LIMITER_EVENTS);
	while (limiter_next(&l, 61 * SECOND, &type, &uid, &n)) {
		ck_assert_uint_eq(uid, LIMITER_OTHERS);
		ck_assert_uint_eq(type, 10);
		sum += n;
	}
	ck_assert_uint_eq(sum + through, 65536);
	/* Slots of windows that ended are used again. */
	ck_assert(limiter_allow(&l, 10, 70000, 62 * SECOND));
	ck_assert(limiter_allow(&l, 10, 70000, 62 * SECOND));
}
END_TEST

/* A clock that goes back must not free a budget. */
START_TEST(clock_back)
{
	static struct limiter	 l;

	limiter_init(&l, 2, SECOND);
	ck_assert_uint_eq(burst(&l, 1, 1, 10 * SECOND, 3), 2);
	ck_assert_uint_eq(burst(&l, 1, 1, 2 * SECOND, 3), 0);
}
END_TEST

/* What another limiter has held back is only counted. */
START_TEST(added)
{
	struct limiter	 l;
	unsigned	 type;
	uint32_t	 uid;
	uint64_t	 n;

	limiter_init(&l, 2, 100);
	limiter_add(&l, 3, 7, 5, 0);
	ck_assert(limiter_allow(&l, 3, 7, 1));
	ck_assert(limiter_allow(&l, 3, 7, 1));
	ck_assert(!limiter_allow(&l, 3, 7, 1));
	limiter_add(&l, 3, 7, 10, 2);
	ck_assert(!limiter_next(&l, 50, &type, &uid, &n));
	ck_assert(limiter_next(&l, 100, &type, &uid, &n));
	ck_assert_uint_eq(type, 3);
	ck_assert_uint_eq(uid, 7);
	ck_assert_uint_eq(n, 16);
	limiter_add(&l, 3, 7, UINT64_MAX, 200);
	limiter_add(&l, 3, 7, 1, 200);
	ck_assert(limiter_next(&l, UINT64_MAX, &type, &uid, &n));
	ck_assert_uint_eq(n, UINT64_MAX);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("limiter");
	TCase	*tc = tcase_create("limiter");
	SRunner	*sr;
	int	 failed;

	tcase_add_test(tc, cap);
	tcase_add_test(tc, added);
	tcase_add_test(tc, count_survives);
	tcase_add_test(tc, many_uids);
	tcase_add_test(tc, clock_back);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
