/* The checks of [policy] that look at the transaction alone. */
#include "policy_rig.h"

#include "common/conf_int.h"
#include "keyd/policy_int.h"

#define DENIED(name, lim, val) do {					\
	ck_assert_int_eq(decide(), CODE_POLICY_DENIED);			\
	ck_assert_str_eq(d.check, (name));				\
	ck_assert_str_eq(d.limit, (lim));				\
	ck_assert_str_eq(d.value, (val));				\
} while (0)

#define BOTH_TYPES "allowed_sighash_types = [\"all\", \"none\", \"single\", " \
	"\"all_anyonecanpay\"]\n"

/* A limit that nobody applies stops mainnet, and only that. */
START_TEST(unenforced)
{
	use("mainnet", true, "[policy]\nrequire_reason = false\n");
	ck_assert_int_eq(decide(), CODE_NONE);
	free(conf->policy.keys_set.v[0]);
	conf->policy.keys_set.v[0] = strdup("max_of_tomorrow");
	DENIED("unenforced", "", "max_of_tomorrow");
	conf->network = KASPA_DEVNET;
	ck_assert_int_eq(decide(), CODE_NONE);
}
END_TEST

/* All keys that a config can have. */
START_TEST(all_enforced)
{
	const char	*name;
	char		 extra[256];
	size_t		 i, n = 0;

	for (i = 0; i < conf_nkeys; i++) {
		name = conf_keys[i].name;
		if (strncmp(name, "policy.", 7) != 0)
			continue;
		n++;
		name += 7;
		snprintf(extra, sizeof(extra), "[policy]\nrequire_reason = "
		    "false\n");
		use("mainnet", true, extra);
		free(conf->policy.keys_set.v[0]);
		conf->policy.keys_set.v[0] = strdup(name);
		ck_assert_msg(decide() == CODE_NONE, "%s", name);
	}
	ck_assert_uint_ge(n, 14);
}
END_TEST

START_TEST(reason)
{
	use("mainnet", true, "[policy]\nrequire_reason = true\n");
	DENIED("require_reason", "true", "");
	request.has_reason = true;
	ck_assert_int_eq(decide(), CODE_NONE);
}
END_TEST

/* Outflow is 700, the fee in it 100. */
START_TEST(amounts)
{
	use("mainnet", true, "[policy]\nmax_amount_sompi = 700\n"
	    "min_amount_sompi = 700\nmax_fee_sompi = 100\n");
	ck_assert_int_eq(decide(), CODE_NONE);
	out[0].value++;			/* the fee falls, the outflow stays */
	ck_assert_int_eq(decide(), CODE_NONE);
	out[0].value = 599;
	DENIED("max_fee_sompi", "100", "101");
	out[0].value = 601;
	out[1].value = 299;
	DENIED("max_amount_sompi", "700", "701");
	out[1].value = 301;
	DENIED("min_amount_sompi", "700", "699");
	/* Nothing leaves: others pay the fee. */
	use("devnet", true, "[policy]\nmin_amount_sompi = 700\n");
	tx.nin = 2;
	in[1].spk.script = view(theirs, sizeof(theirs));
	in[1].redeem = view(NULL, 0);
	out[1].value = 1000;
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.outflow, 0);
}
END_TEST

/* Whoever completes such a transaction makes all of it a fee. */
START_TEST(fee_not_fixed)
{
	static const char	*limits[] = { "max_fee_sompi",
				    "max_fee_percent" };
	static const uint8_t	 open_types[] = { SIGHASH_NONE, SIGHASH_SINGLE,
				    SIGHASH_ALL | SIGHASH_ANYONECANPAY };
	char			 extra[256];
	size_t			 i, j;

	for (i = 0; i < 2; i++) {
		snprintf(extra, sizeof(extra), "[policy]\n%s = 99\n"
		    BOTH_TYPES, limits[i]);
		use("mainnet", true, extra);
		out[1].value = 399;
		for (j = 0; j < 3; j++) {
			in[0].sighash_type = open_types[j];
			ck_assert_int_eq(decide(), CODE_POLICY_DENIED);
			ck_assert_str_eq(d.check, limits[i]);
			ck_assert_str_eq(d.value, "any");
		}
		in[0].sighash_type = SIGHASH_ALL;
		ck_assert_int_eq(decide(), CODE_NONE);
		/* An input without its UTXO: nobody knows the fee. */
		use("devnet", true, extra);
		tx.nin = 2;
		in[1].redeem = view(NULL, 0);
		in[1].has_utxo = false;
		ck_assert_int_eq(decide(), CODE_POLICY_DENIED);
		ck_assert_str_eq(d.check, limits[i]);
		ck_assert_str_eq(d.value, "unknown");
		tx.nin = 1;
		in[1].has_utxo = true;
	}
}
END_TEST

/*
 * Two requests, an input each and the same outputs: what they give fits one
 * transaction with both inputs, and the change of one of them is its fee.
 */
START_TEST(anyonecanpay)
{
	use("mainnet", true, "[policy]\nmax_daily_volume_sompi = 1500\n"
	    "allowed_destinations = [\"0000aa20" "11\"]\n" BOTH_TYPES);
	tx.nout = 1;
	out[0] = out[1];
	out[0].value = 1000;
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.outflow, 0);
	in[0].sighash_type = SIGHASH_ALL | SIGHASH_ANYONECANPAY;
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert(d.change[0]);
	ck_assert_uint_eq(d.outflow, 1000);
	ck_assert_int_eq(journal_reserve(journal, &d.entry, 1), 0);
	in[0].outpoint.index = 1;
	DENIED("max_daily_volume_sompi", "1500", "2000");
	/* One of two is enough: it goes with others. */
	in[0].sighash_type = SIGHASH_ALL;
	in[1].sighash_type = SIGHASH_ALL | SIGHASH_ANYONECANPAY;
	in[1].outpoint.index = 2;
	in[0].amount = in[1].amount = 200;
	out[0].value = 400;
	tx.nin = 2;
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.outflow, 400);
}
END_TEST

START_TEST(percent)
{
	/* q p + floor(r p / 10^8), and by hand. */
	ck_assert_uint_eq(policy_percent(0.1, 1000), 1);
	ck_assert_uint_eq(policy_percent(0.1, 999), 0);
	ck_assert_uint_eq(policy_percent(100, UINT64_MAX), UINT64_MAX);
	ck_assert_uint_eq(policy_percent(0, UINT64_MAX), 0);
	ck_assert_uint_eq(policy_percent(50, UINT64_MAX), UINT64_MAX / 2);
	/* floor((2^64 - 1) 0.29 / 100); 0.29 is no binary fraction. */
	ck_assert_uint_eq(policy_percent(0.29, UINT64_MAX),
	    53495557813757699ULL);
	ck_assert_uint_eq(policy_percent(0.000001, 100000000), 1);
	ck_assert_uint_eq(policy_percent(0.0000019, 100000000), 1);
	ck_assert_uint_eq(policy_percent(0.0000009, UINT64_MAX), 0);
	ck_assert_uint_eq(policy_percent(33.333333, 300), 99);
	use("mainnet", true, "[policy]\nmax_fee_percent = 14.285714\n");
	DENIED("max_fee_percent", "99 (14.285714% of 700)", "100");
	use("mainnet", true, "[policy]\nmax_fee_percent = 14.285715\n");
	ck_assert_int_eq(decide(), CODE_NONE);
	/* A fee without an outflow is over any percentage. */
	use("devnet", true, "[policy]\nmax_fee_percent = 100\n");
	tx.nin = 2;
	in[1].spk.script = view(theirs, sizeof(theirs));
	in[1].redeem = view(NULL, 0);
	out[1].value = 1000;
	DENIED("max_fee_percent", "0 (100% of 0)", "400");
}
END_TEST

START_TEST(lock_time)
{
	use("devnet", true, "[policy]\nmax_lock_time_ahead = 60\n"
	    BOTH_TYPES);
	request.now_ms = 1700000000123ULL;
	in[0].daa_score = 5000;
	tx.lock_time = 5600;
	ck_assert_int_eq(decide(), CODE_NONE);
	tx.lock_time = 5601;
	DENIED("max_lock_time_ahead", "60", "61");
	/* The greatest of the own scores, and of the own alone. */
	tx.nin = 3;
	in[1].daa_score = 5001;
	in[2].daa_score = 9000;
	in[2].spk.script = view(theirs, sizeof(theirs));
	in[2].redeem = view(NULL, 0);
	ck_assert_int_eq(decide(), CODE_NONE);
	tx.lock_time = 5602;
	DENIED("max_lock_time_ahead", "60", "61");
	tx.lock_time = 1;		/* long ago */
	ck_assert_int_eq(decide(), CODE_NONE);
	tx.lock_time = 499999999999ULL;
	DENIED("max_lock_time_ahead", "60", "49999999500");
	tx.nin = 1;
	/* Milliseconds from here on. */
	tx.lock_time = 500000000000ULL;
	ck_assert_int_eq(decide(), CODE_NONE);
	tx.lock_time = request.now_ms + 60000;
	ck_assert_int_eq(decide(), CODE_NONE);
	tx.lock_time++;
	DENIED("max_lock_time_ahead", "60", "61");
	tx.lock_time = UINT64_MAX;
	DENIED("max_lock_time_ahead", "60", "18446742373709552");
	/* Final sequences disable it, if the signature fixes them all. */
	in[0].sequence = UINT64_MAX;
	ck_assert_int_eq(decide(), CODE_NONE);
	in[0].sighash_type = SIGHASH_ALL | SIGHASH_ANYONECANPAY;
	ck_assert_int_eq(decide(), CODE_POLICY_DENIED);
	in[0].sighash_type = SIGHASH_NONE;
	ck_assert_int_eq(decide(), CODE_POLICY_DENIED);
	in[0].sighash_type = SIGHASH_ALL;
	tx.nin = 2;
	ck_assert_int_eq(decide(), CODE_POLICY_DENIED);
	in[1].sequence = UINT64_MAX;
	ck_assert_int_eq(decide(), CODE_NONE);
}
END_TEST

/* An address of what out[0] pays, in the config. */
static const char *
address_of(const struct spk *spk)
{
	static char	 text[ADDRESS_MAX];

	ck_assert_int_eq(address_from_spk(KASPA_MAINNET, spk, text), 0);
	return text;
}

START_TEST(destinations)
{
	static uint8_t	 script[3] = { 0x51, 0x52, 0x53 };
	char		 extra[512];

	snprintf(extra, sizeof(extra), "[policy]\nallowed_destinations = "
	    "[\"%s\", \"0000515253\", \"0001AABB\"]\n" BOTH_TYPES,
	    address_of(&out[0].spk));
	use("mainnet", true, extra);
	ck_assert_int_eq(decide(), CODE_NONE);
	out[0].spk.script = view(script, 3);
	ck_assert_int_eq(decide(), CODE_NONE);
	out[0].spk.version = 1;
	DENIED("allowed_destinations", "3 destinations",
	    "a script without an address");
	script[0] = 0xaa;
	script[1] = 0xbb;
	out[0].spk.script = view(script, 2);
	ck_assert_int_eq(decide(), CODE_NONE);
	out[0].spk.script = view(script, 3);
	ck_assert_int_eq(decide(), CODE_POLICY_DENIED);
	out[0].spk.script = view(script, 1);
	ck_assert_int_eq(decide(), CODE_POLICY_DENIED);
	out[0].spk.script = view(NULL, 0);
	ck_assert_int_eq(decide(), CODE_POLICY_DENIED);
	out[0].spk.version = 0;
	out[0].spk.script = view(other_p2sh, sizeof(other_p2sh));
	DENIED("allowed_destinations", "3 destinations",
	    address_of(&out[0].spk));
	out[0].spk.script = view(theirs, sizeof(theirs));
	in[0].sighash_type = SIGHASH_NONE;
	DENIED("allowed_destinations", "3 destinations", "any");
	/* A covenant on what is allowed, and on change. */
	in[0].sighash_type = SIGHASH_ALL;
	tx.version = 1;
	out[0].has_covenant = true;
	DENIED("allowed_destinations", "3 destinations", "covenant");
	out[0].has_covenant = false;
	ck_assert_int_eq(decide(), CODE_NONE);
	out[1].has_covenant = true;
	DENIED("allowed_destinations", "3 destinations", "covenant");
}
END_TEST

START_TEST(many_destinations)
{
	char		*text, *p, err[256];
	uint8_t		 script[P2PK_SCRIPT_LEN], key[32] = { 0 };
	struct spk	 spk = { 0, { script, sizeof(script) } };
	struct destinations list;
	const char	*errstr;
	unsigned	 i;

	ck_assert_ptr_nonnull(p = text = malloc(CONF_MAX_SIZE));
	p += snprintf(p, 256, "[service]\nactive_profile = \"signer-01\"\n[policy]\n"
	    "allowed_destinations = [\n");
	for (i = 0; i < 10000; i++) {
		key[0] = (uint8_t)(i * 7);
		key[31] = (uint8_t)(i >> 8);
		key[5] = (uint8_t)i;
		script_p2pk(key, script);
		if (i % 2 == 0) {
			p += snprintf(p, 256, "\"%s\",\n", address_of(&spk));
			continue;
		}
		p += snprintf(p, 256, "\"0000");
		(void)sodium_bin2hex(p, 2 * sizeof(script) + 1, script,
		    sizeof(script));
		p += 2 * sizeof(script);
		p += snprintf(p, 256, "\",\n");
	}
	p += snprintf(p, 256, "]\n");
	conf_free(conf);
	conf = conf_parse(text, (size_t)(p - text), "igra.toml", NULL, 0, err,
	    sizeof(err));
	free(text);
	ck_assert_msg(conf != NULL, "%s", err);
	ck_assert_int_eq(destinations_init(&list,
	    &conf->policy.allowed_destinations, &errstr), 0);
	ck_assert_uint_eq(list.n, 10000);
	for (i = 0; i < 10000; i++) {
		key[0] = (uint8_t)(i * 7);
		key[31] = (uint8_t)(i >> 8);
		key[5] = (uint8_t)i;
		script_p2pk(key, script);
		ck_assert(destinations_has(&list, &spk));
		key[1] = 1;
		script_p2pk(key, script);
		ck_assert(!destinations_has(&list, &spk));
		key[1] = 0;
	}
	destinations_free(&list);
}
END_TEST

START_TEST(not_a_destination)
{
	static const char	*bad[] = { "", "00", "0000", "00005", "0000zz",
				    "kaspa:", "0000 51" };
	char			 text[256], err[256];
	size_t			 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "[service]\nactive_profile = "
		    "\"signer-01\"\n[policy]\nallowed_destinations = "
		    "[\"%s\"]\n", bad[i]);
		ck_assert_msg(conf_parse(text, strlen(text), "igra.toml", NULL,
		    0, err, sizeof(err)) == NULL, "%s", bad[i]);
		ck_assert_ptr_nonnull(strstr(err,
		    "policy.allowed_destinations[0]"));
	}
}
END_TEST

/* Every check of the table answers, whatever the others say. */
START_TEST(every_check)
{
	size_t	 i, failed = 0;

	request.every_check = true;
	ck_assert_int_eq(decide(), CODE_NONE);
	for (i = 0; policy_checks[i].name != NULL; i++) {
		ck_assert_uint_lt(i, d.nrow);
		ck_assert_str_eq(d.row[i].check, policy_checks[i].name);
		ck_assert_int_ne(d.row[i].outcome, CHECK_FAIL);
	}
	ck_assert_uint_eq(d.nrow, i);
	use("mainnet", true, "[policy]\nmax_fee_sompi = 99\n"
	    "max_amount_sompi = 1\nrequire_reason = true\n"
	    "max_fee_percent = 0\n");
	/* The decision is that of the first that fails. */
	DENIED("require_reason", "true", "");
	for (i = 0; i < d.nrow; i++)
		failed += d.row[i].outcome == CHECK_FAIL;
	ck_assert_uint_eq(failed, 4);
	request.every_check = false;
	DENIED("require_reason", "true", "");
	ck_assert_ptr_null(d.row);
}
END_TEST

/* igra-policy(5) has every check, in the order in which they are made. */
START_TEST(page)
{
	char	 line[512];
	size_t	 i = 0;
	bool	 on = false;
	FILE	*f;

	ck_assert_ptr_nonnull(f = fopen("man/igra-policy.5", "r"));
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, ".Sh ", 4) == 0)
			on = strcmp(line, ".Sh CHECKS\n") == 0;
		if (!on || strncmp(line, ".It Cm ", 7) != 0)
			continue;
		/* The three volumes are told together. */
		for (const char *p = line + 7; *p != '\0' &&
		    policy_checks[i].name != NULL; i++) {
			ck_assert_msg(strncmp(p, policy_checks[i].name,
			    strlen(policy_checks[i].name)) == 0, "%s: %s",
			    policy_checks[i].name, line);
			p += strlen(policy_checks[i].name);
			p += strspn(p, " ,\n");
		}
	}
	fclose(f);
	ck_assert_msg(policy_checks[i].name == NULL, "%s is missing",
	    policy_checks[i].name);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("policy_limits");
	TCase	*tc = tcase_create("policy_limits");
	SRunner	*sr;
	int	 failed;

	if (sodium_init() == -1)
		return 1;
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, unenforced);
	tcase_add_test(tc, all_enforced);
	tcase_add_test(tc, reason);
	tcase_add_test(tc, amounts);
	tcase_add_test(tc, fee_not_fixed);
	tcase_add_test(tc, anyonecanpay);
	tcase_add_test(tc, percent);
	tcase_add_test(tc, lock_time);
	tcase_add_test(tc, destinations);
	tcase_add_test(tc, many_destinations);
	tcase_add_test(tc, not_a_destination);
	tcase_add_test(tc, every_check);
	tcase_add_test(tc, page);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
