#include <check.h>
#include <stdlib.h>

#include "signd/limits.h"

#define S	1000000000ULL

static struct limits		 l;
static const uid_t		 allow[] = { 7, 9 };

static unsigned
drain(struct limit_uid *u, uint64_t now)
{
	unsigned	 n, retry;

	for (n = 0; n < 100000 && limits_take(&l, u, now, &retry); n++)
		;
	return n;
}

START_TEST(burst_then_rate)
{
	struct limit_uid	*u;
	unsigned		 retry = 0;

	limits_init(&l, 10, 20, allow, 2);
	u = limits_get(&l, 7, S);
	ck_assert_uint_eq(drain(u, S), 20);
	ck_assert(!limits_take(&l, u, S, &retry));
	ck_assert_uint_eq(retry, 1);
	/* A tenth of a second is one request. */
	ck_assert_uint_eq(drain(u, S + S / 10 - 1), 0);
	ck_assert_uint_eq(drain(u, S + S / 10), 1);
	ck_assert_uint_eq(drain(u, 2 * S + S / 10), 10);
	/* No more than the burst, however long it waits. */
	ck_assert_uint_eq(drain(u, 1000000 * S), 20);
	/* A clock that goes back gives nothing and takes nothing. */
	ck_assert_uint_eq(drain(u, S), 0);
	limits_put(&l, u, S);
	limits_free(&l);
}
END_TEST

START_TEST(slow_rate_says_when)
{
	struct limit_uid	*u;
	unsigned		 retry = 0;

	limits_init(&l, 1, 1, allow, 2);
	u = limits_get(&l, 7, 0);
	ck_assert(limits_take(&l, u, 0, &retry));
	ck_assert(!limits_take(&l, u, S / 2, &retry));
	ck_assert_uint_eq(retry, 1);
	ck_assert(limits_take(&l, u, S, &retry));
	limits_put(&l, u, S);
	limits_free(&l);
}
END_TEST

START_TEST(zero_is_no_limit)
{
	struct limit_uid	*u;

	limits_init(&l, 0, 0, allow, 2);
	u = limits_get(&l, 7, 0);
	ck_assert_uint_eq(drain(u, 0), 100000);
	limits_put(&l, u, 0);
	limits_free(&l);
	/* Extremes must not overflow: they are no limit, or a huge one. */
	limits_init(&l, UINT64_MAX, UINT64_MAX, allow, 2);
	u = limits_get(&l, 7, 0);
	ck_assert_uint_eq(drain(u, 0), 100000);
	limits_put(&l, u, 0);
	limits_free(&l);
	limits_init(&l, 1, UINT64_MAX, allow, 2);
	u = limits_get(&l, 7, UINT64_MAX);
	ck_assert_uint_eq(drain(u, UINT64_MAX), 100000);
	limits_put(&l, u, UINT64_MAX);
	limits_free(&l);
}
END_TEST

START_TEST(a_change_reaches_all)
{
	static const uid_t	 others[] = { 9, 11 };
	struct limit_uid	*a, *b, *root;

	limits_init(&l, 1, 10, allow, 2);
	a = limits_get(&l, 7, 0);
	b = limits_get(&l, 11, 0);
	root = limits_get(&l, 0, 0);
	ck_assert(a->allowed && !b->allowed && !root->allowed);
	ck_assert(!a->operator && !b->operator && root->operator);
	ck_assert_uint_eq(drain(b, 0), 10);
	limits_change(&l, 100, 1000, others, 2);
	ck_assert(!a->allowed && b->allowed && !root->allowed);
	/* What was full is full, what was empty is empty. */
	ck_assert_uint_eq(drain(a, 0), 1000);
	ck_assert_uint_eq(drain(b, 0), 0);
	ck_assert_uint_eq(drain(b, S), 100);
	limits_change(&l, 0, 0, others, 2);
	ck_assert_uint_eq(drain(b, S), 100000);
	limits_change(&l, 1, 3, others, 2);
	ck_assert_uint_eq(drain(b, S), 3);
	limits_put(&l, a, S);
	limits_put(&l, b, S);
	limits_put(&l, root, S);
	limits_free(&l);
}
END_TEST

START_TEST(uids_are_apart)
{
	struct limit_uid	*a, *b;

	limits_init(&l, 1, 5, allow, 2);
	a = limits_get(&l, 7, 0);
	b = limits_get(&l, 8, 0);
	ck_assert_ptr_ne(a, b);
	ck_assert(a->allowed);
	ck_assert(!b->allowed);
	ck_assert_uint_eq(drain(a, 0), 5);
	ck_assert_uint_eq(drain(b, 0), 5);
	ck_assert_ptr_eq(limits_get(&l, 7, 0), a);
	ck_assert_uint_eq(a->refs, 2);
	limits_put(&l, a, 0);
	limits_put(&l, a, 0);
	limits_put(&l, b, 0);
	/* Reconnecting does not fill the bucket. */
	a = limits_get(&l, 7, 0);
	ck_assert_uint_eq(drain(a, 0), 0);
	limits_put(&l, a, 0);
	limits_free(&l);
}
END_TEST

START_TEST(forgets_full_buckets_only)
{
	struct limit_uid	*u;
	uid_t			 i;

	limits_init(&l, 1, 2, allow, 2);
	u = limits_get(&l, 7, 0);
	ck_assert_uint_eq(drain(u, 0), 2);
	limits_put(&l, u, 0);
	for (i = 100; i < 100 + 4 * LIMITS_MAX_IDLE; i++)
		limits_put(&l, limits_get(&l, i, 0), 0);
	ck_assert_uint_le(l.n, LIMITS_MAX_IDLE + 1);
	u = limits_get(&l, 7, 0);
	ck_assert_uint_eq(drain(u, 0), 0);
	limits_put(&l, u, 0);
	limits_free(&l);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("limits");
	TCase	*t = tcase_create("limits");
	SRunner	*r;
	int	 failed;

	tcase_add_test(t, burst_then_rate);
	tcase_add_test(t, slow_rate_says_when);
	tcase_add_test(t, zero_is_no_limit);
	tcase_add_test(t, a_change_reaches_all);
	tcase_add_test(t, uids_are_apart);
	tcase_add_test(t, forgets_full_buckets_only);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
