/* What igra-keyd agrees to sign, on transactions made by hand. */
#include "policy_rig.h"

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
	request.key.xonly = keys[1];
	ck_assert_int_eq(decide(), CODE_NONE);
	request.key.xonly = keys[0];
	memset(keys[0], 0x77, 32);
	REFUSED(CODE_NOT_A_SIGNER, "");
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
	ck_assert(!d.change[1]);
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
	uint64_t	 outflow;
} types[] = {
	{ 0x01, "all", true, 700 },
	{ 0x02, "none", false, 1000 },
	{ 0x04, "single", false, 1000 },
	{ 0x81, "all_anyonecanpay", true, 1000 },
	{ 0x82, "none_anyonecanpay", false, 1000 },
	{ 0x84, "single_anyonecanpay", false, 1000 },
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
			ck_assert_uint_eq(d.outflow, types[j].outflow);
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
	tcase_add_test(tc, own_script_refused);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
