/* The policy journal in memory: claims, signing ids, windows, the clock. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "kaspa.h"
#include "keyd/journal_int.h"

#define S	NS_PER_S

static struct {
	int64_t	 boot, wall;
} now;

static int64_t
boot(void *arg)
{
	(void)arg;
	return now.boot;
}

static int64_t
wall(void *arg)
{
	(void)arg;
	return now.wall;
}

static const struct journal_clocks	 clocks = { boot, wall, NULL, { 1 } };

static void
pass(int64_t seconds)
{
	now.boot += seconds * S;
	now.wall += seconds * S;
}

static struct journal *
fresh(size_t max)
{
	struct journal	*j;

	now.boot = 1000 * S;
	now.wall = INT64_C(1700000000) * S;
	ck_assert_ptr_nonnull(j = journal_new(max, &clocks));
	return j;
}

static struct journal_claim_in
claim_of(uint32_t n, uint64_t amount)
{
	struct journal_claim_in	 c;

	memset(&c, 0, sizeof(c));
	c.outpoint.index = n;
	c.amount = amount;
	memset(c.script_hash, 7, sizeof(c.script_hash));
	return c;
}

/* Signing id number id over one outpoint. */
static int
reserve(struct journal *j, uint32_t id, uint32_t outpoint, uint64_t outflow)
{
	struct journal_claim_in	 c = claim_of(outpoint, 100);
	struct journal_entry	 e;

	memset(&e, 0, sizeof(e));
	memcpy(e.sid, &id, sizeof(id));
	e.outflow = outflow;
	e.n = 1;
	e.claim = &c;
	return journal_reserve(j, &e, 1);
}

static void
sid_of(uint32_t id, uint8_t sid[JOURNAL_ID_LEN])
{
	memset(sid, 0, JOURNAL_ID_LEN);
	memcpy(sid, &id, sizeof(id));
}

START_TEST(test_claims)
{
	struct journal		*j = fresh(100);
	struct journal_claim_in	 c = claim_of(5, 100);
	struct journal_found	 f;
	uint8_t			 one[JOURNAL_ID_LEN], two[JOURNAL_ID_LEN];

	sid_of(1, one);
	sid_of(2, two);
	ck_assert_int_eq(journal_claim(j, &c, one, &f), CLAIM_NEW);
	ck_assert(!journal_known(j, one));
	ck_assert_int_eq(reserve(j, 1, 5, 10), 0);
	ck_assert(journal_known(j, one));
	ck_assert_int_eq(journal_claim(j, &c, one, NULL), CLAIM_SAME);
	ck_assert_int_eq(journal_claim(j, &c, two, &f), CLAIM_OTHER_ID);
	ck_assert_mem_eq(f.sid, one, sizeof(one));
	c.amount = 99;
	ck_assert_int_eq(journal_claim(j, &c, one, &f), CLAIM_OTHER_AMOUNT);
	ck_assert_uint_eq(f.amount, 100);
	c.amount = 100;
	c.script_hash[31] ^= 1;
	ck_assert_int_eq(journal_claim(j, &c, two, &f), CLAIM_OTHER_SCRIPT);
	c.script_hash[31] ^= 1;
	/* Replaced by another: what was signed before may be signed again. */
	ck_assert_int_eq(reserve(j, 2, 5, 10), 0);
	ck_assert_int_eq(journal_claim(j, &c, one, &f), CLAIM_SAME);
	ck_assert_mem_eq(f.sid, two, sizeof(two));
	c.outpoint.txid[31] = 1;
	ck_assert_int_eq(journal_claim(j, &c, one, &f), CLAIM_NEW);
	journal_free(j);
}
END_TEST

/* Against an array that is searched from end to end. */
START_TEST(test_table_model)
{
	enum { RANGE = 700, STEPS = 60000 };
	static uint64_t		 amount[RANGE];
	static bool		 there[RANGE];
	struct journal		*j = fresh(1000000);
	struct journal_claim_in	 c;
	struct journal_found	 f;
	uint8_t			 sid[JOURNAL_ID_LEN];
	uint32_t		 i, k;

	memset(there, 0, sizeof(there));
	for (i = 0; i < STEPS; i++) {
		k = randombytes_uniform(RANGE);
		c = claim_of(k, randombytes_uniform(50));
		ck_assert_int_eq(journal_find(j, &c.outpoint, &f), there[k]);
		ck_assert_uint_eq(f.amount, there[k] ? amount[k] : 0);
		if (randombytes_uniform(2) == 0) {
			ck_assert_int_eq(table_grow(j, 1, 1), 0);
			sid_of(i, sid);
			table_claim(j, &c, table_add_id(j, sid, 0, 0));
			there[k] = true;
			amount[k] = c.amount;
		} else {
			ck_assert_int_eq(table_release(j, &c.outpoint),
			    there[k]);
			there[k] = false;
		}
	}
	for (i = 0, k = 0; i < RANGE; i++)
		k += there[i];
	ck_assert_uint_eq(j->nclaims, k);
	ck_assert_uint_eq(j->by_outpoint.used, k);
	journal_free(j);
}
END_TEST

START_TEST(test_room)
{
	struct journal	*j = fresh(3);

	ck_assert_uint_eq(journal_room(j), 3);
	ck_assert_int_eq(reserve(j, 1, 1, 1), 0);
	ck_assert_int_eq(reserve(j, 1, 1, 1), 0);
	ck_assert_uint_eq(journal_room(j), 2);
	/* An id over an outpoint that is there takes room as well. */
	ck_assert_int_eq(reserve(j, 2, 1, 1), 0);
	ck_assert_uint_eq(journal_room(j), 1);
	ck_assert_int_eq(reserve(j, 3, 3, 1), 0);
	ck_assert_int_eq(reserve(j, 4, 4, 1), -1);
	ck_assert_int_eq(reserve(j, 2, 1, 1), 0);
	journal_set_max(j, 4);
	ck_assert_int_eq(reserve(j, 4, 4, 1), 0);
	journal_set_max(j, 1);
	ck_assert_uint_eq(journal_room(j), 0);
	journal_free(j);
}
END_TEST

START_TEST(test_windows_model)
{
	enum { STEPS = 4000 };
	static struct { int64_t t; uint64_t out; } all[STEPS];
	struct journal		*j = fresh(1000000);
	struct journal_usage	 u;
	uint64_t		 hour, day, week, count, frees;
	int64_t			 age;
	uint32_t		 i, k, n = 0;

	for (i = 0; i < STEPS; i++) {
		pass(randombytes_uniform(3) == 0 ?
		    randombytes_uniform(7000) : randombytes_uniform(100));
		if (randombytes_uniform(400) == 0)
			pass(randombytes_uniform(900000));
		if (randombytes_uniform(4) != 0) {
			all[n].t = now.boot;
			all[n].out = randombytes_uniform(1000000);
			ck_assert_int_eq(reserve(j, n, n, all[n].out), 0);
			n++;
			/* The same again: counted once. */
			ck_assert_int_eq(reserve(j, n - 1, n - 1, 5), 0);
		}
		hour = day = week = count = frees = 0;
		for (k = n; k-- > 0;) {
			age = now.boot - all[k].t;
			if (age < WEEK_NS)
				week += all[k].out;
			if (age < DAY_NS)
				day += all[k].out;
			if (age >= HOUR_NS)
				continue;
			hour += all[k].out;
			count++;
			frees = (uint64_t)((HOUR_NS - age) / S);
		}
		journal_usage(j, &u);
		ck_assert_uint_eq(u.hour, hour);
		ck_assert_uint_eq(u.day, day);
		ck_assert_uint_eq(u.week, week);
		ck_assert_uint_eq(u.count, count);
		ck_assert_uint_eq(u.count_frees, frees);
	}
	journal_free(j);
}
END_TEST

START_TEST(test_saturates)
{
	struct journal		*j = fresh(100);
	struct journal_usage	 u;

	ck_assert_int_eq(reserve(j, 1, 1, UINT64_MAX), 0);
	pass(1800);
	ck_assert_int_eq(reserve(j, 2, 2, UINT64_MAX), 0);
	journal_usage(j, &u);
	ck_assert_uint_eq(u.hour, UINT64_MAX);
	ck_assert_uint_eq(u.hour_frees, 1800);
	pass(1800);
	ck_assert_int_eq(reserve(j, 3, 3, 0), 0);
	journal_usage(j, &u);
	ck_assert_uint_eq(u.hour, UINT64_MAX);
	ck_assert_uint_eq(u.hour_frees, 1800);
	pass(1800);
	/* What frees next is an amount, or a place in the count. */
	journal_usage(j, &u);
	ck_assert_uint_eq(u.hour, 0);
	ck_assert_uint_eq(u.hour_frees, 0);
	ck_assert_uint_eq(u.count, 1);
	ck_assert_uint_eq(u.count_frees, 1800);
	ck_assert_uint_eq(u.day, UINT64_MAX);
	journal_free(j);
}
END_TEST

START_TEST(test_step)
{
	const int64_t		 by[] = { 86400 * 30, -86400 * 30, 301, -301 };
	struct journal		*j;
	struct journal_usage	 u;
	uint64_t		 gap;
	size_t			 i;

	for (i = 0; i < sizeof(by) / sizeof(by[0]); i++) {
		j = fresh(100);
		ck_assert_int_eq(reserve(j, 1, 1, 10), 0);
		pass(60);
		now.wall += by[i] * S;
		ck_assert_int_eq(reserve(j, 2, 2, 20), 0);
		ck_assert_int_eq(journal_clock_pending(j, &gap), CLOCK_STEP);
		ck_assert_uint_eq(gap, 0);
		/* Signing goes on, nothing frees. */
		pass(86400 * 30);
		ck_assert_int_eq(reserve(j, 3, 3, 30), 0);
		journal_usage(j, &u);
		ck_assert_uint_eq(u.hour, 60);
		ck_assert_uint_eq(u.hour_frees, JOURNAL_NEVER);
		/* Accepted: what the boot clock says has passed. */
		ck_assert_int_eq(journal_clock_pending(j, &gap), CLOCK_STEP);
		ck_assert_uint_eq(gap, 86400 * 30);
		clock_accept(j);
		ck_assert_int_eq(journal_clock_pending(j, &gap), CLOCK_RUNS);
		journal_usage(j, &u);
		ck_assert_uint_eq(u.week, 0);
		journal_free(j);
	}
}
END_TEST

START_TEST(test_small_steps)
{
	struct journal	*j = fresh(100);
	uint64_t	 gap;

	ck_assert_int_eq(reserve(j, 1, 1, 10), 0);
	now.wall += 200 * S;
	pass(3600);
	clock_check(j);
	ck_assert_int_eq(journal_clock_pending(j, &gap), CLOCK_RUNS);
	now.wall += 200 * S;
	clock_check(j);
	ck_assert_int_eq(journal_clock_pending(j, &gap), CLOCK_STEP);
	journal_free(j);
}
END_TEST

START_TEST(test_reboot)
{
	struct journal		*j = fresh(100);
	struct journal_usage	 u;
	uint64_t		 gap;

	/* Nothing is counted: nothing to ask. */
	j->clocks.boot_id[0]++;
	clock_check(j);
	ck_assert_int_eq(journal_clock_pending(j, &gap), CLOCK_RUNS);
	ck_assert_int_eq(reserve(j, 1, 1, 10), 0);
	j->clocks.boot_id[0]++;
	now.boot = 5 * S;
	now.wall += 7200 * S;
	clock_check(j);
	ck_assert_int_eq(journal_clock_pending(j, &gap), CLOCK_REBOOT);
	ck_assert_uint_eq(gap, 7200);
	journal_usage(j, &u);
	ck_assert_uint_eq(u.hour, 10);
	ck_assert_int_eq(reserve(j, 2, 2, 20), 0);
	pass(86400);
	journal_usage(j, &u);
	ck_assert_uint_eq(u.hour, 30);
	clock_accept(j);
	journal_usage(j, &u);
	ck_assert_uint_eq(u.day, 0);
	ck_assert_uint_eq(u.week, 30);
	/* A clock that shows less than before frees nothing when accepted. */
	j->clocks.boot_id[0]++;
	now.boot = 5 * S;
	now.wall -= 86400 * S;
	clock_check(j);
	ck_assert_int_eq(journal_clock_pending(j, &gap), CLOCK_REBOOT);
	ck_assert_uint_eq(gap, 0);
	clock_accept(j);
	journal_usage(j, &u);
	ck_assert_uint_eq(u.week, 30);
	journal_free(j);
}
END_TEST

/* Whatever is signed differently has another id. */
START_TEST(test_signing_id)
{
	static const uint8_t	 bytes[64] = { 1, 2, 3 };
	struct tx_input		 in[2];
	struct tx		 tx;
	uint8_t			 txid[32] = { 9 }, id[9][JOURNAL_ID_LEN];
	size_t			 i, k;

	memset(in, 0, sizeof(in));
	memset(&tx, 0, sizeof(tx));
	for (i = 0; i < 2; i++) {
		in[i].has_utxo = true;
		in[i].spk.script.p = bytes;
		in[i].spk.script.len = 20;
	}
	tx.nin = 2;
	tx.in = in;
	journal_signing_id(&tx, txid, id[0]);
	in[0].amount = 1;
	journal_signing_id(&tx, txid, id[1]);
	in[0].spk.version = 1;
	journal_signing_id(&tx, txid, id[2]);
	/* A byte moved from one script to the next. */
	in[0].spk.script.len = 21;
	in[1].spk.script.p++;
	in[1].spk.script.len = 19;
	journal_signing_id(&tx, txid, id[3]);
	in[1].sighash_type = SIGHASH_ALL;
	journal_signing_id(&tx, txid, id[4]);
	in[1].sig_op_count = 1;
	journal_signing_id(&tx, txid, id[5]);
	tx.nin = 1;
	journal_signing_id(&tx, txid, id[6]);
	in[0].has_utxo = false;
	journal_signing_id(&tx, txid, id[7]);
	txid[0]++;
	journal_signing_id(&tx, txid, id[8]);
	for (i = 0; i < 9; i++)
		for (k = 0; k < i; k++)
			ck_assert_mem_ne(id[i], id[k], JOURNAL_ID_LEN);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("journal");
	TCase	*t = tcase_create("memory");
	SRunner	*r;
	int	 failed;

	if (sodium_init() == -1)
		return 1;
	tcase_add_test(t, test_claims);
	tcase_add_test(t, test_table_model);
	tcase_add_test(t, test_room);
	tcase_add_test(t, test_windows_model);
	tcase_add_test(t, test_saturates);
	tcase_add_test(t, test_step);
	tcase_add_test(t, test_small_steps);
	tcase_add_test(t, test_reboot);
	tcase_add_test(t, test_signing_id);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
