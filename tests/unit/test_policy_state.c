/*
 * The checks of the policy that remember: claims on outpoints, limits over
 * time, bundles; and attacks that need more than one request.
 */
#include "policy_rig.h"

#include "bootclock.h"
#include "keyd/policy_int.h"

static int64_t	 now;			/* of the journal's clocks, ns */
static struct tx	 bundle[3];
static struct tx_input	 bundle_in[3][2];
static struct tx_output	 bundle_out[3][2];
static struct decision	 many[3];

static int64_t
clock_now(void *arg)
{
	(void)arg;
	return now;
}

static void
setup_state(void)
{
	struct journal_clocks	 c = { clock_now, clock_now, NULL, { 1 } };

	setup();
	journal_free(journal);
	now = 1000 * NS_PER_S;
	ck_assert_ptr_nonnull(journal = journal_new(1000, &c));
	request.journal = journal;
}

/* Signed: what it takes is reserved. */
static void
sign(void)
{
	ck_assert_msg(decide() == CODE_NONE, "%s", d.message);
	ck_assert_int_eq(journal_reserve(journal, &d.entry, 1), 0);
}

/* Another transaction: other outpoints. */
static void
next(void)
{
	size_t	 i;

	for (i = 0; i < MAXIO; i++)
		in[i].outpoint.txid[0]++;
}

#define DENIED(name, lim, val) do {					\
	ck_assert_int_eq(decide(), CODE_POLICY_DENIED);			\
	ck_assert_str_eq(d.check, (name));				\
	ck_assert_str_eq(d.limit, (lim));				\
	ck_assert_str_eq(d.value, (val));				\
} while (0)

/* 700 leave each time. */
START_TEST(volume)
{
	static const struct {
		const char	*key;
		int64_t		 seconds;
	}	 window[] = {
		{ "max_hourly_volume_sompi", 3600 },
		{ "max_daily_volume_sompi", 86400 },
		{ "max_weekly_volume_sompi", 604800 },
	};
	char	 extra[256];

	snprintf(extra, sizeof(extra), "[policy]\n%s = 2100\n",
	    window[_i].key);
	use("devnet", true, extra);
	sign();
	now += NS_PER_S;
	next();
	sign();
	now += NS_PER_S;
	next();
	sign();
	next();
	DENIED(window[_i].key, "2100", "2800");
	/* Exact to the entry, and to the nanosecond. */
	now = (1000 + window[_i].seconds) * NS_PER_S - 1;
	DENIED(window[_i].key, "2100", "2800");
	now++;
	sign();
	next();
	DENIED(window[_i].key, "2100", "2800");
	now += NS_PER_S - 1;
	DENIED(window[_i].key, "2100", "2800");
	/* Less fits as soon as enough is free, and not before. */
	out[1].value = 1000;
	out[0].value = 0;
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.outflow, 0);
	now++;
	out[0].value = 600;
	out[1].value = 300;
	sign();
}
END_TEST

START_TEST(count)
{
	use("devnet", true, "[policy]\nmax_per_hour = 2\n");
	sign();
	sign();			/* the same again: counted once */
	next();
	now += NS_PER_S;
	sign();
	next();
	DENIED("max_per_hour", "2", "3");
	in[0].outpoint.txid[0]--;
	sign();			/* signed before: no limit holds it */
	in[0].outpoint.txid[0]++;
	now = (1000 + 3600) * NS_PER_S;
	sign();
}
END_TEST

/* What was signed before takes nothing, whatever the limits are now. */
START_TEST(the_same_again)
{
	struct journal_usage	 u;

	sign();
	use("devnet", true, "[policy]\nmax_hourly_volume_sompi = 1\n"
	    "max_per_hour = 1\n");
	sign();
	sign();
	ck_assert(d.known);
	journal_usage(journal, &u);
	ck_assert_uint_eq(u.hour, 700);
	ck_assert_uint_eq(u.count, 1);
	/* But what looks at the transaction alone still holds. */
	use("devnet", true, "[policy]\nmax_amount_sompi = 1\n");
	DENIED("max_amount_sompi", "1", "700");
}
END_TEST

/* Where an input may be foreign: what it was then counts when it is own. */
START_TEST(same_with_other_inputs)
{
	use("devnet", false, "[policy]\nmax_hourly_volume_sompi = 1500\n");
	in[0].spk.script = view(ours, sizeof(ours));
	in[1].spk.script = view(theirs, sizeof(theirs));
	in[0].redeem = in[1].redeem = view(NULL, 0);
	out[0].spk.script = view(other_p2sh, sizeof(other_p2sh));
	tx.nin = 2;
	tx.nout = 1;
	sign();
	ck_assert_uint_eq(d.outflow, 1000);
	sign();
	ck_assert(d.known);
	/* Another profile's key, in the same transaction. */
	request.key.xonly = keys[1];
	DENIED("max_hourly_volume_sompi", "1500", "2000");
	use("devnet", false, "");
	sign();
	ck_assert(!d.known);
	ck_assert_uint_eq(d.outflow, 1000);
	/* Its outpoint is claimed now, too. */
	in[1].amount = 999;
	ck_assert_int_eq(decide(), CODE_POLICY_DENIED);
	ck_assert_str_eq(d.check, "outpoint_claim");
}
END_TEST

START_TEST(conflict)
{
	char	 value[80];

	sign();
	in[0].outpoint.txid[0] = 0;
	out[0].value = 599;
	memset(value, '0', 64);
	(void)strlcpy(value + 64, ":0", sizeof(value) - 64);
	REFUSED(CODE_CONFLICT, value);
	ck_assert_str_eq(d.check, "outpoint_conflict");
	ck_assert_str_eq(d.value, value);
	/* Each of what the signing id is made of makes it another. */
	out[0].value = 600;
	ck_assert_int_eq(decide(), CODE_NONE);
	in[0].sig_op_count = 7;
	ck_assert_int_eq(decide(), CODE_CONFLICT);
	in[0].sig_op_count = 0;
	tx.lock_time = 1;
	ck_assert_int_eq(decide(), CODE_CONFLICT);
	tx.lock_time = 0;
	in[0].sequence = 1;
	ck_assert_int_eq(decide(), CODE_CONFLICT);
	in[0].sequence = 0;
	tx.nin = 2;		/* one more input beside it */
	ck_assert_int_eq(decide(), CODE_CONFLICT);
	tx.nin = 1;
	/* Replaced if the config says so; counted a second time then. */
	use("devnet", true, "[policy]\nallow_replacement = true\n"
	    "max_hourly_volume_sompi = 1401\n");
	out[0].value = 599;
	sign();
	out[0].value = 598;
	DENIED("max_hourly_volume_sompi", "1401", "2100");
}
END_TEST

/*
 * Two own inputs, each true in one session and small in the other: the
 * signatures that hold would together spend what no session showed.
 */
START_TEST(amount_lies)
{
	use("devnet", true, "[policy]\nallow_replacement = true\n"
	    "max_amount_sompi = 700\nmax_fee_sompi = 100\n");
	tx.nin = 2;
	in[0].amount = 1000;
	in[1].amount = 100;		/* holds 100,000 in truth */
	out[0].value = 600;
	out[1].value = 400;
	sign();
	in[0].amount = 100;		/* and now the other way round */
	in[1].amount = 1000;
	ck_assert_int_eq(decide(), CODE_POLICY_DENIED);
	ck_assert_str_eq(d.check, "outpoint_claim");
	ck_assert_str_eq(d.limit, "1000");
	in[0].amount = 1000;
	in[1].amount = 100;
	ck_assert_int_eq(decide(), CODE_NONE);
	/* The script is claimed as well. */
	in[1].spk.script = view(ours, sizeof(ours));
	in[1].redeem = view(NULL, 0);
	ck_assert_int_eq(decide(), CODE_POLICY_DENIED);
	ck_assert_str_eq(d.check, "outpoint_claim");
	ck_assert_uint_eq(strlen(d.limit), 64);
}
END_TEST

/* What others put in is not claimed: they could block what is ours. */
START_TEST(foreign_not_claimed)
{
	struct journal_state	 st;

	use("devnet", true, "");
	tx.nin = 2;
	in[1].spk.script = view(theirs, sizeof(theirs));
	in[1].redeem = view(NULL, 0);
	in[1].amount = UINT64_MAX / 2;	/* a false amount is theirs to pay */
	sign();
	ck_assert_uint_eq(d.outflow, 700);
	journal_state(journal, &st);
	ck_assert_uint_eq(st.outpoints, 1);
	in[0].outpoint.txid[0] = 1;
	in[1].amount = 5;
	sign();
}
END_TEST

/*
 * But what has been signed for is what it was, whoever it is said to belong
 * to: two inputs of ours, each somebody else's in the session of the other,
 * would leave as change that comes back once, or as fee that no session shows.
 */
START_TEST(made_out_foreign)
{
	use("devnet", true, "[policy]\nmax_fee_sompi = 100\n"
	    "max_hourly_volume_sompi = 1000\n");
	tx.nin = 2;
	out[0].value = 1;
	out[1].value = 1000;
	in[1].spk.script = view(theirs, sizeof(theirs));
	in[1].redeem = view(NULL, 0);
	in[1].amount = 50;
	sign();
	ck_assert_uint_eq(d.outflow, 0);
	/* Now the other; of the first all is false, the amount, or all gone. */
	in[1] = in[2];
	in[1].outpoint.index = 1;
	in[0].spk.script = view(theirs, sizeof(theirs));
	in[0].redeem = view(NULL, 0);
	in[0].amount = 50;
	ck_assert_int_eq(decide(), CODE_POLICY_DENIED);
	ck_assert_str_eq(d.check, "outpoint_claim");
	ck_assert_str_eq(d.limit, "1000");
	in[0].amount = 1000;
	ck_assert_int_eq(decide(), CODE_POLICY_DENIED);
	ck_assert_str_eq(d.check, "max_fee_sompi");
	out[0].value = 950;
	ck_assert_int_eq(decide(), CODE_POLICY_DENIED);
	ck_assert_str_eq(d.check, "outpoint_claim");
	ck_assert_uint_eq(strlen(d.limit), 64);
	use("devnet", true, "");
	in[0].has_utxo = false;
	ck_assert_int_eq(decide(), CODE_POLICY_DENIED);
	ck_assert_str_eq(d.check, "outpoint_claim");
	ck_assert_str_eq(d.limit, "1000");
	/* Nobody's that has not been signed for: it is as it was. */
	in[0].outpoint.txid[0] = 1;
	in[0].has_utxo = true;
	in[0].amount = 50;
	out[0].value = 1;
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.outflow, 0);
}
END_TEST

/* Told the truth about, but for whose it is: the change counts once. */
START_TEST(change_once)
{
	struct journal_usage	 u;

	use("devnet", false, "[policy]\nmax_hourly_volume_sompi = 1050\n");
	tx.nin = 2;
	in[0].spk.script = in[1].spk.script = view(ours, sizeof(ours));
	in[0].redeem = in[1].redeem = view(NULL, 0);
	in[1].spk.script = view(theirs, sizeof(theirs));
	out[0].value = 950;
	out[1].value = 1000;
	out[0].spk.script = view(other_p2sh, sizeof(other_p2sh));
	out[1].spk.script = view(ours, sizeof(ours));
	sign();
	ck_assert_uint_eq(d.outflow, 0);
	/* Another key of this signer's, to whose script the change goes too. */
	request.key.xonly = keys[1];
	out[1].spk.script = view(theirs, sizeof(theirs));
	sign();
	ck_assert_uint_eq(d.outflow, 1000);
	journal_usage(journal, &u);
	ck_assert_uint_eq(u.hour, 1000);
	/* The same again is what it was. */
	request.key.xonly = keys[0];
	out[1].spk.script = view(ours, sizeof(ours));
	sign();
	ck_assert(d.known);
	ck_assert_uint_eq(d.outflow, 0);
	/* With an outpoint of nobody's, the change is change. */
	in[0].outpoint.txid[0] = in[1].outpoint.txid[0] = 1;
	sign();
	ck_assert_uint_eq(d.outflow, 0);
}
END_TEST

START_TEST(room)
{
	char	 extra[128];

	use("devnet", true, "");
	tx.nin = 2;
	journal_set_max(journal, 1000);
	conf->policy.max_outpoints = 1000;
	sign();
	journal_set_max(journal, 3);
	conf->policy.max_outpoints = 3;
	next();
	DENIED("max_outpoints", "3", "4");
	tx.nin = 1;
	sign();
	next();
	DENIED("max_outpoints", "3", "4");
	/* What is known needs no room. */
	in[0].outpoint.txid[0]--;
	sign();
	snprintf(extra, sizeof(extra), "[policy]\nallow_replacement = true\n");
	use("devnet", true, extra);
	conf->policy.max_outpoints = 3;
	out[0].value--;
	DENIED("max_outpoints", "3", "4");	/* an id of its own */
}
END_TEST

static void
make_bundle(void)
{
	size_t	 i;

	for (i = 0; i < 3; i++) {
		bundle[i] = tx;
		memcpy(bundle_in[i], in, sizeof(bundle_in[i]));
		memcpy(bundle_out[i], out, sizeof(bundle_out[i]));
		bundle[i].in = bundle_in[i];
		bundle[i].out = bundle_out[i];
		bundle_in[i][0].outpoint.txid[1] = (uint8_t)(i + 1);
		bundle_in[i][1].outpoint.txid[1] = (uint8_t)(i + 1);
	}
}

static uint32_t
decide_bundle(void)
{
	request.conf = conf;
	request.own = &own;
	return policy_decide(&request, bundle, 3, &pool, many);
}

/* 700 leave in each, and none of it is reserved before all is decided. */
START_TEST(bundles)
{
	use("devnet", true, "[policy]\nmax_hourly_volume_sompi = 2100\n"
	    "max_per_hour = 3\n");
	make_bundle();
	ck_assert_uint_eq(decide_bundle(), 3);
	bundle_out[2][0].value = 601;
	bundle_out[2][1].value = 298;
	ck_assert_uint_eq(decide_bundle(), 2);
	ck_assert_str_eq(many[2].check, "max_hourly_volume_sompi");
	ck_assert_str_eq(many[2].value, "2102");
	use("devnet", true, "[policy]\nmax_per_hour = 2\n");
	ck_assert_uint_eq(decide_bundle(), 2);
	ck_assert_str_eq(many[2].check, "max_per_hour");
	use("devnet", true, "");
	conf->policy.max_outpoints = 2;
	journal_set_max(journal, 2);
	ck_assert_uint_eq(decide_bundle(), 2);
	ck_assert_str_eq(many[2].check, "max_outpoints");
	/* One of them is known: it takes nothing of anything. */
	journal_set_max(journal, 1000);
	tx = bundle[0];
	sign();
	use("devnet", true, "[policy]\nmax_hourly_volume_sompi = 2102\n"
	    "max_per_hour = 3\n");
	ck_assert_uint_eq(decide_bundle(), 3);
	ck_assert(many[0].known);
	ck_assert(!many[1].known);
}
END_TEST

START_TEST(bundle_shares)
{
	use("devnet", true, "[policy]\nallow_replacement = true\n");
	make_bundle();
	bundle_in[2][0].outpoint = bundle_in[0][0].outpoint;
	ck_assert_uint_eq(decide_bundle(), 2);
	ck_assert_int_eq(many[2].code, CODE_CONFLICT);
	ck_assert_str_eq(many[2].check, "outpoint_conflict");
	/* Also the very same document, and an input that is not ours. */
	bundle[1].in = bundle[0].in;
	bundle[2].in = bundle_in[1];
	ck_assert_uint_eq(decide_bundle(), 1);
	ck_assert_int_eq(many[1].code, CODE_CONFLICT);
	make_bundle();
	for (size_t i = 0; i < 3; i++) {
		bundle[i].nin = 2;
		bundle_in[i][1].spk.script = view(theirs, sizeof(theirs));
		bundle_in[i][1].redeem = view(NULL, 0);
	}
	ck_assert_uint_eq(decide_bundle(), 3);
	bundle_in[2][1].outpoint = bundle_in[1][1].outpoint;
	ck_assert_uint_eq(decide_bundle(), 2);
	ck_assert_int_eq(many[2].code, CODE_CONFLICT);
	/* Twice within one is no transaction at all. */
	bundle_in[1][1].outpoint = bundle_in[1][0].outpoint;
	ck_assert_uint_eq(decide_bundle(), 1);
	ck_assert_int_eq(many[1].code, CODE_INVALID_PSKT);
}
END_TEST

/* A check goes on behind a refusal, and tells what the rest would be. */
START_TEST(bundle_checked)
{
	request.every_check = true;
	use("devnet", true, "[policy]\nmax_amount_sompi = 700\n"
	    "max_hourly_volume_sompi = 1400\n");
	make_bundle();
	bundle_out[0][1].value = 299;
	ck_assert_uint_eq(decide_bundle(), 0);
	ck_assert_str_eq(many[0].check, "max_amount_sompi");
	ck_assert_int_eq(many[1].code, CODE_POLICY_DENIED);
	ck_assert_str_eq(many[1].check, "max_hourly_volume_sompi");
	ck_assert_str_eq(many[1].value, "1401");
	ck_assert_str_eq(many[2].value, "2101");
	/* One that is no transaction takes nothing. */
	bundle[0].nout = 0;
	ck_assert_uint_eq(decide_bundle(), 0);
	ck_assert_int_eq(many[0].code, CODE_INVALID_PSKT);
	ck_assert_uint_eq(many[0].nrow, 0);
	ck_assert_int_eq(many[1].code, CODE_NONE);
	ck_assert_int_eq(many[2].code, CODE_NONE);
}
END_TEST

/* Amounts near 2^64 wrap nowhere. */
START_TEST(sums)
{
	use("devnet", true, "");
	in[0].amount = UINT64_MAX;
	out[0].value = UINT64_MAX - 300;
	sign();
	use("devnet", true, "[policy]\n"
	    "max_hourly_volume_sompi = 9223372036854775807\n");
	next();
	DENIED("max_hourly_volume_sompi", "9223372036854775807",
	    "18446744073709551615");
	out[1].value = UINT64_MAX - 1;
	out[0].value = 1;
	DENIED("max_hourly_volume_sompi", "9223372036854775807",
	    "18446744073709551316");
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("policy_state");
	TCase	*tc = tcase_create("policy_state");
	SRunner	*sr;
	int	 failed;

	if (sodium_init() == -1)
		return 1;
	tcase_add_checked_fixture(tc, setup_state, teardown);
	tcase_add_loop_test(tc, volume, 0, 3);
	tcase_add_test(tc, count);
	tcase_add_test(tc, the_same_again);
	tcase_add_test(tc, same_with_other_inputs);
	tcase_add_test(tc, conflict);
	tcase_add_test(tc, amount_lies);
	tcase_add_test(tc, foreign_not_claimed);
	tcase_add_test(tc, made_out_foreign);
	tcase_add_test(tc, change_once);
	tcase_add_test(tc, room);
	tcase_add_test(tc, bundles);
	tcase_add_test(tc, bundle_shares);
	tcase_add_test(tc, bundle_checked);
	tcase_add_test(tc, sums);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
