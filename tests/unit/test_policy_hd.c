/*
 * Decisions on HD inputs and change: what is signed, with which key, what
 * counts as leaving, and what a requester cannot have by claiming it.
 */
#include "own_rig.h"

static struct journal		*journal;
static struct policy_request	 q;
static struct decision		 d;
static struct tx		 tx;
static struct tx_input		 in[3];
static struct tx_output		 out[2];
static uint8_t			 script[4][P2SH_SCRIPT_LEN];
static uint8_t			 redeem[MULTISIG_MAX_SCRIPT];
static uint8_t			 elsewhere[P2PK_SCRIPT_LEN];

static const char *const paths[] = {
	ACCOUNT "/0/0/0", ACCOUNT "/2/0/5", ACCOUNT "/1/1/9",
	ACCOUNT "/0/1/1",
};

static void
claim(struct key_claim *c, const char *path, const uint8_t *print)
{
	memset(c, 0, sizeof(*c));
	c->path = view(path, strlen(path));
	c->has_fingerprint = print != NULL;
	if (print != NULL)
		memcpy(c->fingerprint, print, sizeof(c->fingerprint));
}

/* Three inputs of 1000 at paths of their own, 2000 away, 900 back at one. */
static void
begin(void)
{
	uint8_t	 keys[N][33], nobody[32];
	size_t	 i;

	setup();
	ck_assert_ptr_nonnull(journal = journal_new(1000, NULL));
	memset(&q, 0, sizeof(q));
	q.journal = journal;
	memset(nobody, 0x44, sizeof(nobody));
	script_p2pk(nobody, elsewhere);
	for (i = 0; i < 4; i++) {
		keys_at(0, N, paths[i], keys);
		p2sh_of(keys, 2, N, true, script[i]);
	}
	memset(&tx, 0, sizeof(tx));
	memset(in, 0, sizeof(in));
	memset(out, 0, sizeof(out));
	tx.in = in;
	tx.out = out;
	tx.nin = 3;
	tx.nout = 2;
	for (i = 0; i < 3; i++) {
		in[i].outpoint.index = (uint32_t)i;
		in[i].sighash_type = SIGHASH_ALL;
		in[i].has_utxo = true;
		in[i].amount = 1000;
		in[i].spk.script = view(script[i], P2SH_SCRIPT_LEN);
		claim(&in[i].claim, paths[i], fingerprint[0]);
	}
	out[0].value = 2000;
	out[0].spk.script = view(elsewhere, sizeof(elsewhere));
	out[1].value = 900;
	out[1].spk.script = view(script[3], P2SH_SCRIPT_LEN);
	claim(&out[1].claim, paths[3], fingerprint[0]);
}

static void
finish(void)
{
	journal_free(journal);
	teardown();
}

static enum proto_code
decide(void)
{
	q.conf = conf;
	q.own = &own;
	q.key = key;
	(void)policy_decide(&q, &tx, 1, &pool, &d);
	return d.code;
}

#define REFUSED(c, text) do {						\
	ck_assert_int_eq(decide(), (c));				\
	ck_assert_msg(strstr(d.message, (text)) != NULL, "%s",		\
	    d.message);							\
} while (0)

START_TEST(signs)
{
	size_t	 i;

	for (i = 0; i < 2; i++) {
		ck_assert_msg(decide() == CODE_NONE, "%s", d.message);
		ck_assert_uint_eq(d.nsign, 3);
		ck_assert(d.class[0] == INPUT_OWN && d.derived[0]);
		ck_assert(d.class[1] == INPUT_OWN && d.derived[1]);
		ck_assert(d.class[2] == INPUT_OWN && d.derived[2]);
		ck_assert(!d.change[0] && d.change[1]);
		ck_assert_uint_eq(d.outflow, 2100);
		ck_assert_uint_eq(d.fee, 100);
		/* Through a cache that the request has filled. */
		ck_assert_int_eq(own_prepare(&own, &key, &cache, &tx, 1, 999),
		    1);
		q.cache = &cache;
	}
}
END_TEST

/* Without its own path a script is not ours, and its output leaves. */
START_TEST(wrong_claims)
{
	claim(&out[1].claim, paths[2], fingerprint[0]);
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert(!d.change[1]);
	ck_assert_uint_eq(d.outflow, 3000);
	memset(&out[1].claim, 0, sizeof(out[1].claim));
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert(!d.change[1]);
	claim(&in[1].claim, paths[2], fingerprint[0]);
	REFUSED(CODE_NOT_A_SIGNER, "inputs[1]: does not spend");
	claim(&in[1].claim, ACCOUNT "/2/0'/5", NULL);
	REFUSED(CODE_NOT_A_SIGNER, "inputs[1]: does not spend");
	memset(&in[1].claim, 0, sizeof(in[1].claim));
	REFUSED(CODE_NOT_A_SIGNER, "inputs[1]: does not spend");
}
END_TEST

START_TEST(fingerprints)
{
	claim(&in[2].claim, paths[2], NULL);
	ck_assert_int_eq(decide(), CODE_NONE);
	claim(&in[2].claim, paths[2], fingerprint[1]);
	REFUSED(CODE_INVALID_PSKT, "inputs[2].bip32Derivations: the KeySource "
	    "at " ACCOUNT "/1/1/9 has fingerprint ");
	ck_assert_ptr_nonnull(strstr(d.message, vec_hex(fingerprint[0], 4)));
	ck_assert_ptr_nonnull(strstr(d.message, vec_hex(fingerprint[1], 4)));
	claim(&in[2].claim, paths[2], fingerprint[0]);
	claim(&out[1].claim, paths[3], fingerprint[2]);
	REFUSED(CODE_INVALID_PSKT, "outputs[1].bip32Derivations");
	/* On a script that is not ours it says nothing. */
	out[1].spk.script = view(elsewhere, sizeof(elsewhere));
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert(!d.change[1]);
}
END_TEST

/* Change to ours and the attacker's, to another m, under a covenant. */
START_TEST(no_change)
{
	uint8_t	 keys[4][33], theirs[P2SH_SCRIPT_LEN];

	keys_at(0, 4, paths[3], keys);
	memcpy(keys[1], keys[3], 33);
	p2sh_of(keys, 2, N, true, theirs);
	out[1].spk.script = view(theirs, sizeof(theirs));
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert(!d.change[1]);
	keys_at(0, N, paths[3], keys);
	p2sh_of(keys, 1, N, true, theirs);
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert(!d.change[1]);
	out[1].spk.script = view(script[3], P2SH_SCRIPT_LEN);
	tx.version = 1;
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert(d.change[1]);
	out[1].has_covenant = true;
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert(!d.change[1]);
	ck_assert_uint_eq(d.outflow, 3000);
	out[1].has_covenant = false;
	in[0].sighash_type = SIGHASH_NONE;
	ck_assert_int_eq(decide(), CODE_POLICY_DENIED);
	ck_assert(!d.change[1]);
}
END_TEST

/* A redeem script in the request adds nothing, and must fit. */
START_TEST(redeem_scripts)
{
	uint8_t	 keys[N][33], xonly[N][32], hash[P2SH_SCRIPT_LEN];
	size_t	 i, len;

	keys_at(0, N, paths[0], keys);
	p2sh_of(keys, 2, N, true, hash);	/* sorts them */
	for (i = 0; i < N; i++)
		memcpy(xonly[i], keys[i] + 1, 32);
	len = script_multisig(2, N,
	    (const uint8_t (*)[32])(const void *)xonly, redeem);
	in[0].redeem = view(redeem, len);
	ck_assert_int_eq(decide(), CODE_NONE);
	in[1].redeem = view(redeem, len);
	REFUSED(CODE_INVALID_PSKT, "inputs[1].redeemScript");
	in[1].redeem.len = 0;
	/* Without its UTXO it is ours by its redeem script. */
	in[0].has_utxo = false;
	REFUSED(CODE_INVALID_PSKT, "inputs[0].utxoEntry: missing");
	claim(&in[0].claim, paths[0], fingerprint[1]);
	REFUSED(CODE_INVALID_PSKT, "inputs[0].bip32Derivations");
	claim(&in[0].claim, paths[1], fingerprint[0]);
	REFUSED(CODE_NOT_A_SIGNER, "inputs[0]: does not spend");
}
END_TEST

/* Off mainnet a script with our derived key is signed, and is not ours. */
START_TEST(shared_elsewhere)
{
	uint8_t	 keys[1][33], p2pk[P2PK_SCRIPT_LEN];

	use("testnet-10", ACCOUNT, 0, N, 2);
	keys_at(0, 1, ACCOUNT "/0/7", keys);
	script_p2pk(keys[0] + 1, p2pk);
	in[1].spk.script = view(p2pk, sizeof(p2pk));
	claim(&in[1].claim, ACCOUNT "/0/7", NULL);
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.nsign, 3);
	ck_assert(d.class[1] == INPUT_SHARED && d.derived[1]);
	ck_assert_uint_eq(d.outflow, 1100);
	claim(&in[1].claim, ACCOUNT "/0/8", NULL);
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert_uint_eq(d.nsign, 2);
	ck_assert(d.class[1] == INPUT_FOREIGN && !d.derived[1]);
	use("mainnet", ACCOUNT, 0, N, 2);
	claim(&in[1].claim, ACCOUNT "/0/7", NULL);
	REFUSED(CODE_NOT_A_SIGNER, "inputs[1]: does not spend");
}
END_TEST

/* Both kinds in one config: the fixed script and those of the xpubs. */
START_TEST(with_redeem_script)
{
	const char	*errstr = "";
	uint8_t		 xonly[2][32], fixed[P2SH_SCRIPT_LEN];
	char		 extra[2048], hex[2 * MULTISIG_MAX_SCRIPT + 1];
	size_t		 len;

	memcpy(xonly[0], key.xonly, 32);
	memset(xonly[1], 0x21, 32);
	len = script_multisig(2, 2,
	    (const uint8_t (*)[32])(const void *)xonly, redeem);
	script_p2sh(redeem, len, fixed);
	(void)sodium_bin2hex(hex, sizeof(hex), redeem, len);
	snprintf(extra, sizeof(extra), "[service.pskt]\n"
	    "redeem_script_hex = \"%s\"\n", hex);
	ck_assert_int_eq(try("mainnet", ACCOUNT, 0, N, 2, extra, &errstr), 0);
	in[0].spk.script = view(fixed, sizeof(fixed));
	ck_assert_int_eq(decide(), CODE_NONE);
	ck_assert(d.class[0] == INPUT_OWN && !d.derived[0]);
	ck_assert(d.class[1] == INPUT_OWN && d.derived[1]);
	ck_assert_uint_eq(d.outflow, 2100);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("policy_hd");
	TCase	*tc = tcase_create("policy_hd");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(tc, begin, finish);
	tcase_add_test(tc, signs);
	tcase_add_test(tc, wrong_claims);
	tcase_add_test(tc, fingerprints);
	tcase_add_test(tc, no_change);
	tcase_add_test(tc, redeem_scripts);
	tcase_add_test(tc, shared_elsewhere);
	tcase_add_test(tc, with_redeem_script);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
