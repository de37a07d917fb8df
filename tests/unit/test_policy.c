/* What igra-keyd agrees to sign, on transactions made by hand. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "keyd/policy.h"

#define MAXIO	8

static struct pool	 pool;
static struct conf	*conf;
static struct own	 own;
static struct tx	 tx;
static struct tx_input	 in[MAXIO];
static struct tx_output	 out[MAXIO];
static struct decision	 d;
static uint8_t		 keys[3][32];		/* the first is ours */
static uint8_t		 redeem[MULTISIG_MAX_SCRIPT], other[MULTISIG_MAX_SCRIPT];
static size_t		 redeemlen, otherlen;
static uint8_t		 p2sh[P2SH_SCRIPT_LEN], other_p2sh[P2SH_SCRIPT_LEN];
static uint8_t		 ours[P2PK_SCRIPT_LEN], theirs[P2PK_SCRIPT_LEN];

static struct bytes
view(const void *p, size_t len)
{
	struct bytes	 b = { p, len };

	return b;
}

/* The config of a network, with the redeem script unless extra says pubkey. */
static void
use(const char *network, bool multisig, const char *extra)
{
	char		 text[4096], err[256], hex[2 * MULTISIG_MAX_SCRIPT + 1];
	const char	*errstr;
	int		 n;

	(void)sodium_bin2hex(hex, sizeof(hex), redeem, redeemlen);
	n = snprintf(text, sizeof(text), "[service]\nnetwork = \"%s\"\n"
	    "active_profile = \"signer-01\"\n[service.pskt]\n"
	    "redeem_script_hex = \"%s\"\n%s", network, multisig ? hex : "",
	    extra);
	conf_free(conf);
	conf = conf_parse(text, (size_t)n, "igra.toml", NULL, 0, err,
	    sizeof(err));
	ck_assert_msg(conf != NULL, "%s", err);
	own_free(&own);
	ck_assert_int_eq(own_init(&own, conf, &errstr), 0);
}

/* One own input of 1000 sompi, 600 to another, 300 back, fee 100. */
static void
setup(void)
{
	size_t	 i;

	for (i = 0; i < 3; i++)
		memset(keys[i], (int)(0x11 * (i + 1)), 32);
	redeemlen = script_multisig(2, 3,
	    (const uint8_t (*)[32])(const void *)keys, redeem);
	otherlen = script_multisig(1, 2,
	    (const uint8_t (*)[32])(const void *)(keys + 1), other);
	script_p2sh(redeem, redeemlen, p2sh);
	script_p2sh(other, otherlen, other_p2sh);
	script_p2pk(keys[0], ours);
	script_p2pk(keys[1], theirs);
	pool_init(&pool, 0);
	use("mainnet", true, "");
	memset(&tx, 0, sizeof(tx));
	memset(in, 0, sizeof(in));
	memset(out, 0, sizeof(out));
	tx.in = in;
	tx.out = out;
	tx.nin = 1;
	tx.nout = 2;
	for (i = 0; i < MAXIO; i++) {
		in[i].outpoint.index = (uint32_t)i;
		in[i].sighash_type = SIGHASH_ALL;
		in[i].has_utxo = true;
		in[i].amount = 1000;
		in[i].spk.script = view(p2sh, sizeof(p2sh));
		in[i].redeem = view(redeem, redeemlen);
		out[i].value = 600;
		out[i].spk.script = view(theirs, sizeof(theirs));
	}
	out[1].value = 300;
	out[1].spk.script = view(p2sh, sizeof(p2sh));
}

static void
teardown(void)
{
	pool_free(&pool);
	own_free(&own);
	conf_free(conf);
	conf = NULL;
}

static enum proto_code
decide(void)
{
	policy_decide(conf, &own, keys[0], &tx, false, &pool, &d);
	if (d.code != CODE_NONE) {
		ck_assert_str_ne(d.message, "");
		ck_assert_int_eq(d.check != NULL,
		    d.code == CODE_POLICY_DENIED);
	}
	return d.code;
}

#define REFUSED(c, text) do {						\
	ck_assert_int_eq(decide(), (c));				\
	ck_assert_msg(strstr(d.message, (text)) != NULL,		\
	    "%s", d.message);						\
} while (0)

START_TEST(plain)
{
	static const char	*nets[] = { "mainnet", "testnet-10", "devnet",
				    "simnet" };
	size_t			 i;

	for (i = 0; i < 4; i++) {
		use(nets[i], true, "");
		ck_assert_int_eq(decide(), CODE_NONE);
		ck_assert_uint_eq(d.nsign, 1);
		ck_assert_uint_eq(d.class[0], INPUT_OWN);
		ck_assert(d.change_counts);
		ck_assert(d.fee_known);
		ck_assert_uint_eq(d.fee, 100);
		ck_assert_uint_eq(d.outflow, 700);
	}
	/* The redeem script need not come along. */
	in[0].redeem = view(NULL, 0);
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.class[0], INPUT_OWN);
}
END_TEST

/* Our key alone, in scripts that are not the config's. */
START_TEST(classes)
{
	uint8_t	 ecdsa[P2PK_ECDSA_SCRIPT_LEN] = { 0x21, 2 };
	uint8_t	 script[MULTISIG_MAX_SCRIPT], hash[P2SH_SCRIPT_LEN];
	uint8_t	 pair[2][32];
	size_t	 len;

	memcpy(pair[0], keys[2], 32);
	memcpy(pair[1], keys[0], 32);
	len = script_multisig(1, 2, (const uint8_t (*)[32])(const void *)pair,
	    script);
	script_p2sh(script, len, hash);
	memcpy(ecdsa + 2, keys[0], 32);
	ecdsa[34] = 0xab;
	tx.nin = 7;
	in[1].spk.script = view(ours, sizeof(ours));
	in[1].redeem = view(NULL, 0);
	in[2].spk.script = view(theirs, sizeof(theirs));
	in[2].redeem = view(NULL, 0);
	in[3].spk.script = view(hash, sizeof(hash));
	in[3].redeem = view(script, len);
	in[4].spk.script = view(other_p2sh, sizeof(other_p2sh));
	in[4].redeem = view(other, otherlen);
	in[5].spk.script = view(ecdsa, sizeof(ecdsa));
	in[5].redeem = view(NULL, 0);
	in[6].spk.version = 1;		/* not the script that we know */
	REFUSED(CODE_NOT_A_SIGNER, "inputs[1]");
	use("devnet", true, "");
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.class[0], INPUT_OWN);
	ck_assert_uint_eq(d.class[1], INPUT_SHARED);
	ck_assert_uint_eq(d.class[2], INPUT_FOREIGN);
	ck_assert_uint_eq(d.class[3], INPUT_SHARED);
	ck_assert_uint_eq(d.class[4], INPUT_FOREIGN);
	ck_assert_uint_eq(d.class[5], INPUT_FOREIGN);
	ck_assert_uint_eq(d.class[6], INPUT_FOREIGN);
	ck_assert_uint_eq(d.nsign, 3);
	ck_assert_uint_eq(d.outflow, 700);	/* of the own one alone */
	/* Without its script nobody can tell that our key is in it. */
	in[3].redeem = view(NULL, 0);
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.class[3], INPUT_FOREIGN);
	/* Mainnet: each of them alone spoils it. */
	use("mainnet", true, "");
	for (tx.in = in; ++tx.in < in + 7; ) {
		tx.nin = 1;
		REFUSED(CODE_NOT_A_SIGNER, "");
		ck_assert(d.nsign <= 1);
	}
	tx.in = in;
	in[1] = in[6];
	tx.nin = 2;
	REFUSED(CODE_NOT_A_SIGNER, "inputs[1]");
}
END_TEST

/* The config's script is not ours when our key is not in it. */
START_TEST(not_our_script)
{
	policy_decide(conf, &own, keys[1], &tx, false, &pool, &d);
	ck_assert_int_eq(d.code, CODE_NONE);
	memset(keys[0], 0x77, 32);
	REFUSED(CODE_NOT_A_SIGNER, "");
	ck_assert(!policy_is_change(&own, keys[0], &out[1]));
	use("devnet", true, "");
	REFUSED(CODE_NOT_A_SIGNER, "");
}
END_TEST

/* Without a redeem script: our key's own script, but never on mainnet. */
START_TEST(pay_to_pubkey)
{
	in[0].spk.script = view(ours, sizeof(ours));
	in[0].redeem = view(NULL, 0);
	out[1].spk.script = view(ours, sizeof(ours));
	use("devnet", false, "");
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.class[0], INPUT_OWN);
	ck_assert_uint_eq(d.outflow, 700);
	use("mainnet", false, "");
	REFUSED(CODE_NOT_A_SIGNER, "");
	use("devnet", true, "");
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.class[0], INPUT_SHARED);
	ck_assert_uint_eq(d.outflow, 0);
	ck_assert(!policy_is_change(&own, keys[0], &out[1]));
}
END_TEST

START_TEST(form)
{
	tx.version = 2;
	REFUSED(CODE_UNSUPPORTED, "version 2");
	tx.version = 0;
	tx.nin = 0;
	REFUSED(CODE_INVALID_PSKT, "inputs: empty");
	tx.nin = 1;
	tx.nout = 0;
	REFUSED(CODE_INVALID_PSKT, "outputs: empty");
	tx.nout = 2;
	out[0].has_covenant = true;
	REFUSED(CODE_INVALID_PSKT, "outputs[0].covenant");
	tx.version = 1;
	ck_assert_int_eq(decide(), CODE_NONE);
	in[0].redeem = view(other, otherlen);
	REFUSED(CODE_INVALID_PSKT, "inputs[0].redeemScript");
	in[0].redeem = view(redeem, redeemlen - 1);
	REFUSED(CODE_INVALID_PSKT, "inputs[0].redeemScript");
}
END_TEST

START_TEST(outpoint_twice)
{
	tx.nin = MAXIO;
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.nsign, MAXIO);
	in[7].outpoint.index = 2;
	REFUSED(CODE_INVALID_PSKT, "spent twice");
	in[7].outpoint.txid[31] = 1;
	ck_assert_int_eq(decide(), CODE_NONE);
	in[2].outpoint.txid[31] = 1;
	REFUSED(CODE_INVALID_PSKT, "spent twice");
}
END_TEST

/* An input that says it is ours must come with what it spends. */
START_TEST(missing_utxo)
{
	tx.nin = 2;
	in[1].has_utxo = false;
	REFUSED(CODE_INVALID_PSKT, "inputs[1].utxoEntry");
	use("devnet", true, "");
	REFUSED(CODE_INVALID_PSKT, "inputs[1].utxoEntry");
	in[1].redeem = view(other, otherlen);
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.class[1], INPUT_FOREIGN);
	ck_assert(!d.fee_known);
	ck_assert_uint_eq(d.fee, 0);
	ck_assert_uint_eq(d.outflow, 700);
	use("mainnet", true, "");
	REFUSED(CODE_NOT_A_SIGNER, "inputs[1]");
	/* A script of our key's that is not the config's. */
	otherlen = script_multisig(2, 2,
	    (const uint8_t (*)[32])(const void *)keys, other);
	in[1].redeem = view(other, otherlen);
	use("devnet", true, "");
	REFUSED(CODE_INVALID_PSKT, "inputs[1].utxoEntry");
}
END_TEST

START_TEST(sums)
{
	out[0].value = 700;
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.fee, 0);
	out[0].value = 701;
	REFUSED(CODE_INVALID_PSKT, "exceeds");
	out[0].value = UINT64_MAX - 300;
	REFUSED(CODE_INVALID_PSKT, "exceeds");
	out[0].value++;
	REFUSED(CODE_INVALID_PSKT, "outputs: the sum");
	tx.nin = 2;
	in[0].amount = UINT64_MAX - 1000;
	out[0].value--;
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.outflow, UINT64_MAX - 300);
	in[0].amount++;
	REFUSED(CODE_INVALID_PSKT, "inputs: the sum");
	/* More change than own inputs: others pay us. */
	use("devnet", true, "");
	in[0].amount = 100;
	in[1].amount = 1000;
	in[1].spk.script = view(theirs, sizeof(theirs));
	in[1].redeem = view(NULL, 0);
	out[0].value = 1;
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.outflow, 0);
	ck_assert_uint_eq(d.fee, 799);
}
END_TEST

START_TEST(change)
{
	uint8_t	 longer[P2SH_SCRIPT_LEN + 1];

	tx.version = 1;
	out[1].has_covenant = true;
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.outflow, 1000);
	out[1].has_covenant = false;
	out[1].spk.version = 1;
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.outflow, 1000);
	out[1].spk.version = 0;
	memcpy(longer, p2sh, sizeof(p2sh));
	longer[sizeof(p2sh)] = 0;
	out[1].spk.script = view(longer, sizeof(longer));
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.outflow, 1000);
	out[1].spk.script = view(longer, sizeof(longer) - 2);
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.outflow, 1000);
	out[1].spk.script = view(NULL, 0);
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.outflow, 1000);
}
END_TEST

static const struct {
	uint8_t		 type;
	const char	*name;
	bool		 fixes;		/* the outputs */
} types[] = {
	{ 0x01, "all", true },
	{ 0x02, "none", false },
	{ 0x04, "single", false },
	{ 0x81, "all_anyonecanpay", true },
	{ 0x82, "none_anyonecanpay", false },
	{ 0x84, "single_anyonecanpay", false },
};
#define NTYPES	(sizeof(types) / sizeof(types[0]))

START_TEST(sighash_types)
{
	char	 extra[256], want[128];
	size_t	 i, j;
	int	 type;

	/* The default is all. */
	for (i = 0; i < NTYPES; i++) {
		in[0].sighash_type = types[i].type;
		ck_assert_int_eq(decide(), i == 0 ? CODE_NONE :
		    CODE_POLICY_DENIED);
	}
	for (i = 0; i < NTYPES; i++) {
		/* All but one. */
		(void)strlcpy(extra, "[policy]\nallowed_sighash_types = [",
		    sizeof(extra));
		want[0] = '\0';
		for (j = 0; j < NTYPES; j++) {
			if (j == i)
				continue;
			snprintf(extra + strlen(extra), sizeof(extra) -
			    strlen(extra), "\"%s\",", types[j].name);
			snprintf(want + strlen(want), sizeof(want) -
			    strlen(want), "%s%s", want[0] == '\0' ? "" : ",",
			    types[j].name);
		}
		(void)strlcat(extra, "]\n", sizeof(extra));
		use("mainnet", true, extra);
		for (j = 0; j < NTYPES; j++) {
			in[0].sighash_type = types[j].type;
			if (i == j) {
				REFUSED(CODE_POLICY_DENIED, types[i].name);
				ck_assert_str_eq(d.check,
				    "allowed_sighash_types");
				ck_assert_str_eq(d.value, types[i].name);
				ck_assert_str_eq(d.limit, want);
				continue;
			}
			ck_assert_int_eq(decide(), CODE_NONE);
			ck_assert_int_eq(d.change_counts, types[j].fixes);
			ck_assert_uint_eq(d.outflow, types[j].fixes ? 700 :
			    1000);
			ck_assert_uint_eq(d.fee, 100);
		}
	}
	for (type = 0; type < 256; type++) {
		in[0].sighash_type = (uint8_t)type;
		for (j = 0; j < NTYPES && types[j].type != type; j++)
			;
		if (j == NTYPES)
			REFUSED(CODE_INVALID_PSKT, "inputs[0].sighashType");
	}
}
END_TEST

/* One input that leaves the outputs open takes the change from all. */
START_TEST(one_open_input)
{
	use("devnet", true,
	    "[policy]\nallowed_sighash_types = [\"all\", \"none\"]\n");
	tx.nin = 2;
	in[1].sighash_type = SIGHASH_NONE;
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert(!d.change_counts);
	ck_assert_uint_eq(d.outflow, 2000);
	/* What others ask for theirs is their affair. */
	in[1].sighash_type = 0x55;
	in[1].spk.script = view(theirs, sizeof(theirs));
	in[1].redeem = view(NULL, 0);
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert(d.change_counts);
	ck_assert_uint_eq(d.outflow, 700);
}
END_TEST

/* A limit that nobody applies stops mainnet, and only that. */
START_TEST(unenforced)
{
	static const char	*keys_not_yet[] = {
		"max_hourly_volume_sompi = 1000000",
		"max_daily_volume_sompi = 1000000",
		"max_weekly_volume_sompi = 1000000",
		"max_fee_percent = 50.0", "max_per_hour = 1000",
		"max_lock_time_ahead = 1000000", "allow_replacement = true",
		"max_outpoints = 5000",
	};
	char			 extra[128], key[64];
	size_t			 i;

	for (i = 0; i < sizeof(keys_not_yet) / sizeof(keys_not_yet[0]); i++) {
		snprintf(extra, sizeof(extra), "[policy]\n%s\n",
		    keys_not_yet[i]);
		(void)strlcpy(key, keys_not_yet[i], sizeof(key));
		key[strcspn(key, " ")] = '\0';
		use("mainnet", true, extra);
		/* In the message, or enforced by now: then it is let through. */
		if (decide() != CODE_NONE) {
			REFUSED(CODE_POLICY_DENIED, key);
			ck_assert_str_eq(d.check, "unenforced");
			ck_assert_str_eq(d.value, key);
		}
		use("devnet", true, extra);
		ck_assert_int_eq(decide(), CODE_NONE);
	}
}
END_TEST

START_TEST(own_script_refused)
{
	/* 1-of-0, 3-of-2, ECDSA, one byte more, not a script at all. */
	static const char	*bad[] = { "5150ae", "5350ae", "51", "ae",
				    "0000", "51ae" };
	char			 text[4096], err[256], hex[1024];
	uint8_t			 ecdsa[3 + 34] = { 0x51, 0x21, 2 };
	const char		*errstr;
	struct conf		*c;
	struct own		 o;
	size_t			 i;
	int			 n;

	ecdsa[35] = 0x51;
	ecdsa[36] = 0xa9;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]) + 2; i++) {
		if (i < sizeof(bad) / sizeof(bad[0]))
			(void)strlcpy(hex, bad[i], sizeof(hex));
		else if (i == sizeof(bad) / sizeof(bad[0]))
			(void)sodium_bin2hex(hex, sizeof(hex), ecdsa,
			    sizeof(ecdsa));
		else {
			redeem[redeemlen] = 0;
			(void)sodium_bin2hex(hex, sizeof(hex), redeem,
			    redeemlen + 1);
		}
		n = snprintf(text, sizeof(text), "[service]\nnetwork = "
		    "\"devnet\"\nactive_profile = \"signer-01\"\n"
		    "[service.pskt]\nredeem_script_hex = \"%s\"\n", hex);
		c = conf_parse(text, (size_t)n, "igra.toml", NULL, 0, err,
		    sizeof(err));
		if (c == NULL)
			continue;	/* refused even earlier */
		ck_assert_msg(own_init(&o, c, &errstr) == -1, "%s", hex);
		ck_assert_ptr_nonnull(strstr(errstr, "redeem_script_hex"));
		own_free(&o);
		conf_free(c);
	}
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("policy");
	TCase	*tc = tcase_create("policy");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, plain);
	tcase_add_test(tc, classes);
	tcase_add_test(tc, not_our_script);
	tcase_add_test(tc, pay_to_pubkey);
	tcase_add_test(tc, form);
	tcase_add_test(tc, outpoint_twice);
	tcase_add_test(tc, missing_utxo);
	tcase_add_test(tc, sums);
	tcase_add_test(tc, change);
	tcase_add_test(tc, sighash_types);
	tcase_add_test(tc, one_open_input);
	tcase_add_test(tc, unenforced);
	tcase_add_test(tc, own_script_refused);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
