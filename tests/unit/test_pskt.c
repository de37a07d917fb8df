/* signd/pskt: documents read, and refused with the path of what is wrong. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kaspa.h"
#include "pskt_doc.h"
#include "vec.h"

START_TEST(reads)
{
	struct pskt_context	 ctx = { .derivation_path = "m/45'/111111'/0'" };
	const struct tx		*tx;
	uint8_t			 key[33];

	ck_assert_msg(pt_parse_ctx(&ctx, pt_base, strlen(pt_base)) == 0, "%s",
	    pt_err.message);
	ck_assert_int_eq(pt_doc.form, PSKT_FORM_OBJECT);
	ck_assert_uint_eq(pt_doc.n, 1);
	ck_assert_uint_eq(pt_doc.nnote, 0);
	ck_assert_uint_eq(pt_doc.pskt[0].version, 1);
	tx = &pt_doc.pskt[0].tx;
	ck_assert_uint_eq(tx->version, 1);
	ck_assert_uint_eq(tx->lock_time, 77);
	ck_assert_uint_eq(tx->payload.len, 2);
	ck_assert_mem_eq(tx->payload.p, "\x00\xff", 2);
	ck_assert_uint_eq(tx->nin, 2);
	ck_assert_uint_eq(tx->in[0].outpoint.index, UINT32_MAX);
	ck_assert_str_eq(vec_hex(tx->in[0].outpoint.txid, 32), TXID_1);
	ck_assert_uint_eq(tx->in[0].sequence, UINT64_MAX);
	ck_assert(tx->in[0].has_utxo);
	ck_assert_uint_eq(tx->in[0].amount, 721525998);
	ck_assert_uint_eq(tx->in[0].daa_score, 36151168);
	ck_assert_uint_eq(tx->in[0].spk.version, 0);
	ck_assert_uint_eq(tx->in[0].spk.script.len, P2PK_SCRIPT_LEN);
	ck_assert_uint_eq(tx->in[0].claim.path.len, 0);
	ck_assert_uint_eq(tx->in[0].sig_op_count, 1);
	ck_assert(!tx->in[1].has_utxo);
	ck_assert_uint_eq(tx->in[1].sequence, UINT64_MAX);
	ck_assert_uint_eq(tx->in[1].sighash_type, 129);
	ck_assert_uint_eq(tx->in[1].sig_op_count, 0);
	ck_assert_uint_eq(tx->in[1].redeem.len, 2);
	ck_assert_uint_eq(tx->in[1].claim.path.len, 22);
	ck_assert_mem_eq(tx->in[1].claim.path.p, "m/45'/111111'/0'/0/0/3", 22);
	ck_assert_uint_eq(tx->nout, 2);
	ck_assert_uint_eq(tx->out[1].spk.version, 0x0102);
	ck_assert_uint_eq(tx->out[1].spk.script.len, 0);
	ck_assert(tx->out[1].has_covenant && !tx->out[0].has_covenant);
	ck_assert_uint_eq(tx->out[1].authorizing_input, 1);
	ck_assert_str_eq(vec_hex(tx->out[1].covenant_id, 32), TXID_2);

	ck_assert_uint_eq(pt_doc.pskt[0].in[1].nsig, 2);
	pt_unhex("03" KEY_B, key);
	ck_assert_ptr_null(pskt_own_signature(&pt_doc.pskt[0], 0, key + 1,
	    NULL));
	ck_assert_ptr_null(pskt_own_signature(&pt_doc.pskt[0], 2, key + 1,
	    NULL));
	ck_assert_ptr_nonnull(pskt_own_signature(&pt_doc.pskt[0], 1, key + 1,
	    NULL));
	ck_assert_ptr_null(pskt_own_signature(&pt_doc.pskt[0], 1, key + 1,
	    pskt_own_signature(&pt_doc.pskt[0], 1, key + 1, NULL)));
	ck_assert_str_eq(vec_hex(pskt_own_signature(&pt_doc.pskt[0], 1, key + 1,
	    NULL)->sig, 64), SIG_1);
}
END_TEST

START_TEST(accepts)
{
	static const struct { const char *from, *to, *note; } t[] = {
		{ "\"payload\":\"00fF\"", "\"payload\":null", NULL },
		{ "\"payload\":\"00fF\"", "\"payload\":\"\"", NULL },
		{ "\"version\":1", "\"version\":0", "global.payload: " },
		{ "\"version\":1", "\"version\":2", NULL },
		{ "\"inputCount\":2", "\"inputCount\":0",
		    "global.inputCount: 0, but there are 2" },
		{ "\"outputCount\":2", "\"outputCount\":18446744073709551615",
		    "global.outputCount: 18446744073709551615, but there are 2" },
		{ "\"id\":null,", "", NULL },
		{ "\"id\":null", "\"id\":\"" TXID_1 "\"", NULL },
		{ "\"fallbackLockTime\":null,", "\"fallbackLockTime\":5,", NULL },
		{ "\"sequence\":null,\"minTime\":null,", "", NULL },
		{ "\"sigOpCount\":null,", "", NULL },
		{ "\"utxoEntry\":null,", "", NULL },
		{ ",\"hidden\":null", "", NULL },
		{ ",\"role\":null", "", NULL },
		{ "\"covenantId\":null", "\"covenantId\":\"" TXID_1 "\"", NULL },
		{ ",\"covenantId\":null", "", NULL },
		{ "\"authorizingInput\":1", "\"authorizingInput\":65535", NULL },
		{ "\"inputs\"", "\"\\u0069nputs\"", NULL },
		{ "\"transactionId\":\"ab", "\"transactionId\":\"AB", NULL },
		{ "\"sighashType\":1,", "\"sighashType\":255,", NULL },
		{ "m/45'/111111'/0'/0/0/3", "m", NULL },
		{ "m/45'/111111'/0'/0/0/3", "m/2147483647'", NULL },
		{ "\"02" TXID_1 "\":{\"eCDSA", "\"02" KEY_B "\":{\"eCDSA", NULL },
		{ "\"minTime\":77", "\"minTime\":18446744073709551615", NULL },
		{ "\"redeemScript\":\"51ac\"", "\"redeemScript\":\"52"
		    "20" KEY_A "20" KEY_B "52ae\"",
		    "inputs[1].sigOpCount: 0, but the redeem script has 2 keys" },
	};
	size_t	 i;
	char	*s;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		s = pt_change(t[i].from, t[i].to);
		ck_assert_msg(pt_parse(s) == 0, "%s: %s", t[i].to,
		    pt_err.message);
		ck_assert_msg(pt_doc.nnote == (t[i].note != NULL), "%s",
		    t[i].to);
		if (t[i].note != NULL)
			ck_assert_msg(strncmp(pt_doc.note[0].text, t[i].note,
			    strlen(t[i].note)) == 0, "%s", pt_doc.note[0].text);
		free(s);
	}
}
END_TEST

#define KS(fp, path)	"{\"keyFingerprint\":\"" fp "\",\"derivationPath\":\"" \
			path "\"}"
#define OWN_PATH	"m/45'/111111'/0'"

/* Which KeySource of several goes to keyd as a claim of ours. */
static const struct {
	const char	*derivations;
	const char	*own;		/* configured path; NULL: OWN_PATH */
	bool		 known;		/* our key KEY_A, our fingerprint 00112233 */
	const char	*path;		/* "" is none */
	const char	*fingerprint;	/* NULL: none */
} claims[] = {
	{ "", NULL, false, "", NULL },
	{ "\"02" KEY_B "\":null", NULL, true, "", NULL },
	{ "\"02" KEY_B "\":" KS("a1b2c3d4", OWN_PATH "/0/0/3"), NULL, false,
	    OWN_PATH "/0/0/3", "a1b2c3d4" },
	{ "\"02" KEY_B "\":" KS("a1b2c3d4", OWN_PATH), NULL, false,
	    OWN_PATH, "a1b2c3d4" },
	/* another account; a path that only begins alike */
	{ "\"02" KEY_B "\":" KS("a1b2c3d4", "m/45'/111111'/1'/0/0/3"), NULL,
	    true, "", NULL },
	{ "\"02" KEY_B "\":" KS("a1b2c3d4", "m/45'/111111'/00'/0/0/3"), NULL,
	    true, "", NULL },
	{ "\"02" KEY_B "\":" KS("a1b2c3d4", "m/45'/1/2"), "m/45'/1/23", true,
	    "", NULL },
	{ "\"02" KEY_B "\":" KS("a1b2c3d4", "m/45'/1/23"), "m/45'/1/2", true,
	    "", NULL },
	/* the master key, however it is written */
	{ "\"02" KEY_B "\":" KS("a1b2c3d4", "m/0/1"), "", false, "m/0/1",
	    "a1b2c3d4" },
	{ "\"02" KEY_B "\":" KS("a1b2c3d4", "m"), "m", false, "m",
	    "a1b2c3d4" },
	/* cosigners on one path: ours when it is known, else nobody's */
	{ "\"02" KEY_B "\":" KS("a1b2c3d4", OWN_PATH "/1/0/3") ",\"03" TXID_1
	    "\":" KS("00112233", OWN_PATH "/1/0/3"), NULL, true,
	    OWN_PATH "/1/0/3", "00112233" },
	{ "\"02" KEY_B "\":" KS("a1b2c3d4", OWN_PATH "/1/0/3") ",\"03" TXID_1
	    "\":" KS("00112233", OWN_PATH "/1/0/3"), NULL, false,
	    OWN_PATH "/1/0/3", NULL },
	{ "\"02" KEY_B "\":" KS("00112233", OWN_PATH "/1/0/3") ",\"03" TXID_1
	    "\":" KS("a1b2c3d4", OWN_PATH "/1/0/4"), NULL, true,
	    OWN_PATH "/1/0/3", "00112233" },
	{ "\"02" KEY_B "\":" KS("a1b2c3d4", OWN_PATH "/1/0/3") ",\"03" TXID_1
	    "\":" KS("a1b2c3d4", OWN_PATH "/1/0/3"), NULL, false,
	    OWN_PATH "/1/0/3", "a1b2c3d4" },
	/* none is ours, and keyd shall say so */
	{ "\"02" KEY_B "\":" KS("a1b2c3d4", OWN_PATH "/1/0/3") ",\"03" TXID_1
	    "\":" KS("a1b2c3d5", OWN_PATH "/1/0/3"), NULL, true,
	    OWN_PATH "/1/0/3", "a1b2c3d4" },
	/* our own key by its name, wherever it says that it comes from */
	{ "\"02" KEY_B "\":" KS("00112233", OWN_PATH "/1/0/3") ",\"03" KEY_A
	    "\":" KS("a1b2c3d4", "m/44'"), NULL, true, "m/44'", "a1b2c3d4" },
};

static void
claim_is(const struct key_claim *c, size_t i)
{
	ck_assert_msg(c->path.len == strlen(claims[i].path) &&
	    (c->path.len == 0 || memcmp(c->path.p, claims[i].path,
	    c->path.len) == 0), "%zu: %.*s", i, (int)c->path.len, c->path.p);
	ck_assert_msg(c->has_fingerprint == (claims[i].fingerprint != NULL),
	    "%zu", i);
	if (claims[i].fingerprint != NULL)
		ck_assert_str_eq(vec_hex(c->fingerprint, 4),
		    claims[i].fingerprint);
}

START_TEST(claims_ours)
{
	static const uint8_t	 fingerprint[4] = { 0, 0x11, 0x22, 0x33 };
	struct pskt_context	 ctx;
	uint8_t			 key[32];
	size_t			 i = (size_t)_i;
	char			 from[256], to[1024], *s;
	int			 out;

	pt_unhex(KEY_A, key);
	memset(&ctx, 0, sizeof(ctx));
	ctx.derivation_path = claims[i].own == NULL ? OWN_PATH : claims[i].own;
	if (claims[i].known) {
		ctx.xonly = key;
		ctx.fingerprint = fingerprint;
	}
	for (out = 0; out < 2; out++) {
		(void)strlcpy(from, out ? "{\"02" KEY_A "\":null}" :
		    "\"bip32Derivations\":{ }", sizeof(from));
		(void)snprintf(to, sizeof(to), out ? "{%s}" :
		    "\"bip32Derivations\":{%s}", claims[i].derivations);
		s = pt_change(from, to);
		ck_assert_msg(pt_parse_ctx(&ctx, s, strlen(s)) == 0, "%s",
		    pt_err.message);
		claim_is(out ? &pt_doc.pskt[0].tx.out[1].claim :
		    &pt_doc.pskt[0].tx.in[0].claim, i);
		free(s);
	}
}
END_TEST

#define INT_MAX_64	"must be a plain integer from 0 to 18446744073709551615"

static const struct refusal {
	const char	*from, *to;
	const char	*says;		/* begins so */
	enum pskt_code	 code;		/* 0: PSKT_INVALID */
} refusals[] = {
	/* top */
	{ "\"global\" :", "\"glob\" :", "global: missing", 0 },
	{ "\"inputs\":", "\"input\":", "inputs: missing", 0 },
	{ "\"outputs\":", "\"output\":", "outputs: missing", 0 },
	{ "\"role\":null", "\"role\":\"Signer\"", "role: must be null", 0 },
	{ "\"more\":{}", "\"more\":{},\"more\":1", "more: member twice", 0 },
	{ "\"more\":{}", "\"global\":{}", "global: member twice", 0 },
	{ "\"more\":{}", "\"inp\\u0075ts\":[]", "inputs: member twice", 0 },
	{ "\"more\":{}", "\"more\":\"\\ud800\"", "not JSON at byte", 0 },
	{ "\"more\":{}", "\"more\":\"\xff\"", "not JSON at byte", 0 },
	{ "\"more\":{}", "\"more\":[,]", "not JSON at byte", 0 },
	/* global */
	{ "\"version\":1", "\"version\":3", "global.version: ",
	    PSKT_UNSUPPORTED },
	{ "\"version\":1", "\"version\":256",
	    "global.version: must be a plain integer from 0 to 255", 0 },
	{ "\"version\":1", "\"version\":\"1\"", "global.version: must be", 0 },
	{ "\"version\":1", "\"version\":null", "global.version: must be", 0 },
	{ "\"version\":1,", "", "global.version: missing", 0 },
	{ "\"txVersion\": 1 ,", "", "global.txVersion: missing", 0 },
	{ "\"txVersion\": 1 ", "\"txVersion\":2", "global.txVersion: ",
	    PSKT_UNSUPPORTED },
	{ "\"txVersion\": 1 ", "\"txVersion\":65536",
	    "global.txVersion: must be", 0 },
	{ "\"txVersion\": 1 ", "\"txVersion\":1.0",
	    "global.txVersion: must be", 0 },
	{ "\"txVersion\": 1 ", "\"txVersion\":0", "outputs[1].covenant: ", 0 },
	{ "\"fallbackLockTime\":null", "\"fallbackLockTime\":-1",
	    "global.fallbackLockTime: " INT_MAX_64, 0 },
	{ "\"inputsModifiable\":false,", "", "global.inputsModifiable: missing", 0 },
	{ "\"inputsModifiable\":false", "\"inputsModifiable\":0",
	    "global.inputsModifiable: must be true or false", 0 },
	{ "\"outputsModifiable\":true", "\"outputsModifiable\":null",
	    "global.outputsModifiable: must be true or false", 0 },
	{ "\"inputCount\":2,", "", "global.inputCount: missing", 0 },
	{ "\"outputCount\":2", "\"outputCount\":2e0",
	    "global.outputCount: must be", 0 },
	{ "\"xpubs\":{", "\"xpubs\":[],\"y\":{", "global.xpubs: must be an object",
	    0 },
	{ "\"xpub1\":", "\"xpub1\":null,\"xpub2\":",
	    "global.xpubs.xpub1: must be an object", 0 },
	{ "\"keyFingerprint\":\"A1b2c3d4\"", "\"keyFingerprint\":\"A1b2c3d\"",
	    "global.xpubs.xpub1.keyFingerprint: must be 8 hex digits", 0 },
	{ "\"keyFingerprint\":\"A1b2c3d4\"", "\"keyFingerprint\":\"A1b2c3dg\"",
	    "global.xpubs.xpub1.keyFingerprint: must be 8 hex digits", 0 },
	{ "\"keyFingerprint\":\"A1b2c3d4\",", "",
	    "global.xpubs.xpub1.keyFingerprint: missing", 0 },
	{ "\"m/45'", "\"45'", "global.xpubs.xpub1.derivationPath: ", 0 },
	{ "\"m/45'", "\"m//45'", "global.xpubs.xpub1.derivationPath: ", 0 },
	{ "\"m/45'", "\"m/45h", "global.xpubs.xpub1.derivationPath: ", 0 },
	{ "\"m/45'", "\"m/2147483648", "global.xpubs.xpub1.derivationPath: ", 0 },
	{ "\"m/45'", "\"m/99999999999999999999",
	    "global.xpubs.xpub1.derivationPath: ", 0 },
	{ "/0/3\"", "/0/3/\"", "global.xpubs.xpub1.derivationPath: ", 0 },
	{ "\"id\":null", "\"id\":\"ab\"", "global.id: must be 64 hex digits", 0 },
	{ "\"proprietaries\":{\"p\"", "\"propr\":{\"p\"",
	    "global.proprietaries: missing", 0 },
	{ "\"payload\":\"00fF\",", "", "global.payload: missing", 0 },
	{ "\"payload\":\"00fF\"", "\"payload\":\"00f\"",
	    "global.payload: odd number of hex digits", 0 },
	{ "\"payload\":\"00fF\"", "\"payload\":\"00fg\"",
	    "global.payload: not hex", 0 },
	{ "\"payload\":\"00fF\"", "\"payload\":\"00\\u0000f\"",
	    "global.payload: not hex", 0 },
	{ "\"payload\":\"00fF\"", "\"payload\":[]",
	    "global.payload: must be a string", 0 },
	/* inputs */
	{ "\"inputs\": [{", "\"inputs\": [7,{", "inputs[0]: must be an object", 0 },
	{ "\"inputs\": [{", "\"inputs\": {}, \"i\":[{",
	    "inputs: must be an array", 0 },
	{ "\"utxoEntry\":null", "\"utxoEntry\":[]",
	    "inputs[1].utxoEntry: must be an object", 0 },
	{ "\"amount\":721525998", "\"amount\":\"721525998\"",
	    "inputs[0].utxoEntry.amount: " INT_MAX_64, 0 },
	{ "\"amount\":721525998", "\"amount\":721525998.0",
	    "inputs[0].utxoEntry.amount: must be", 0 },
	{ "\"amount\":721525998", "\"amount\":7.2e8",
	    "inputs[0].utxoEntry.amount: must be", 0 },
	{ "\"amount\":721525998", "\"amount\":-1",
	    "inputs[0].utxoEntry.amount: must be", 0 },
	{ "\"amount\":721525998", "\"amount\":-0",
	    "inputs[0].utxoEntry.amount: must be", 0 },
	{ "\"amount\":721525998", "\"amount\":0721525998", "not JSON", 0 },
	{ "\"amount\":721525998", "\"amount\":18446744073709551616",
	    "inputs[0].utxoEntry.amount: must be", 0 },
	{ "\"amount\":721525998", "\"amount\":18446744073709551615",
	    "inputs[0].utxoEntry.amount: more sompi", 0 },
	{ "\"amount\":721525998,", "", "inputs[0].utxoEntry.amount: missing", 0 },
	{ "\"scriptPublicKey\":\"000020", "\"spk\":\"000020",
	    "inputs[0].utxoEntry.scriptPublicKey: missing", 0 },
	{ "\"scriptPublicKey\":\"000020", "\"scriptPublicKey\":\"0000200",
	    "inputs[0].utxoEntry.scriptPublicKey: odd", 0 },
	{ "\"blockDaaScore\":36151168", "\"blockDaaScore\":null",
	    "inputs[0].utxoEntry.blockDaaScore: must be", 0 },
	{ "\"isCoinbase\":false", "\"isCoinbase\":\"false\"",
	    "inputs[0].utxoEntry.isCoinbase: must be", 0 },
	{ "\"covenantId\":null", "\"covenantId\":7",
	    "inputs[0].utxoEntry.covenantId: must be a string", 0 },
	{ "\"covenantId\":null", "\"covenantId\":\"\"",
	    "inputs[0].utxoEntry.covenantId: must be 64 hex", 0 },
	{ "\"previousOutpoint\":{\"t", "\"outpoint\":{\"t",
	    "inputs[0].previousOutpoint: missing", 0 },
	{ "\"transactionId\":\"ab", "\"transactionId\":\"",
	    "inputs[0].previousOutpoint.transactionId: must be 64 hex", 0 },
	{ "\"transactionId\":\"ab", "\"transactionId\":\"ax",
	    "inputs[0].previousOutpoint.transactionId: must be 64 hex", 0 },
	{ "\"index\":4294967295", "\"index\":4294967296",
	    "inputs[0].previousOutpoint.index: must be", 0 },
	{ "\"index\":0,\"transactionId\":\"" TXID_2,
	    "\"index\":4294967295,\"transactionId\":\"" TXID_1,
	    "inputs[1].previousOutpoint: spent by inputs[0] already", 0 },
	{ "\"sequence\":18446744073709551615", "\"sequence\":18446744073709551616",
	    "inputs[0].sequence: " INT_MAX_64, 0 },
	{ "\"sequence\":18446744073709551615", "\"sequence\":\"0\"",
	    "inputs[0].sequence: must be", 0 },
	{ "\"minTime\":77", "\"minTime\":77.5", "inputs[0].minTime: must be", 0 },
	{ "\"minTime\":77", "\"minTime\":false", "inputs[0].minTime: must be", 0 },
	{ "\"sighashType\":1,", "", "inputs[0].sighashType: missing", 0 },
	{ "\"sighashType\":1,", "\"sighashType\":256,",
	    "inputs[0].sighashType: must be", 0 },
	{ "\"sighashType\":1,", "\"sighashType\":null,",
	    "inputs[0].sighashType: must be", 0 },
	{ "\"sigOpCount\":1", "\"sigOpCount\":256",
	    "inputs[0].sigOpCount: must be", 0 },
	{ "\"redeemScript\":null,", "", "inputs[0].redeemScript: missing", 0 },
	{ "\"redeemScript\":null", "\"redeemScript\":\"51ac\"",
	    "inputs[0].redeemScript: does not hash", 0 },
	{ "\"redeemScript\":null", "\"redeemScript\":\"\"",
	    "inputs[0].redeemScript: does not hash", 0 },
	{ "\"redeemScript\":\"51ac\"", "\"redeemScript\":\"51a\"",
	    "inputs[1].redeemScript: odd", 0 },
	{ "\"redeemScript\":\"51ac\"", "\"redeemScript\":{}",
	    "inputs[1].redeemScript: must be a string", 0 },
	{ "\"finalScriptSig\":null,", "", "inputs[1].finalScriptSig: missing", 0 },
	{ "\"finalScriptSig\":null", "\"finalScriptSig\":\"x\"",
	    "inputs[1].finalScriptSig: odd", 0 },
	{ "\"hidden\":null", "\"hidden\":true", "inputs[1].hidden: must be null", 0 },
	{ "\"proprietaries\":{}, \"x\"", "\"proprietaries\":null, \"x\"",
	    "inputs[0].proprietaries: must be an object", 0 },
	{ "\"partialSigs\":{ },", "", "inputs[0].partialSigs: missing", 0 },
	{ "\"partialSigs\":{ }", "\"partialSigs\":null",
	    "inputs[0].partialSigs: must be an object", 0 },
	{ "\"partialSigs\":{ }", "\"partialSigs\":{\"04" KEY_A "\":{}}",
	    "inputs[0].partialSigs.04" KEY_A ": name must be", 0 },
	{ "\"partialSigs\":{ }", "\"partialSigs\":{\"" KEY_A "\":{}}",
	    "inputs[0].partialSigs." KEY_A ": name must be", 0 },
	{ "\"03" KEY_B "\" : {\"schnorr\"", "\"03" KEY_B "\" : {\"Schnorr\"",
	    "inputs[1].partialSigs.03" KEY_B ": must be {\"schnorr\"", 0 },
	{ "{\"schnorr\" : \"" SIG_1 "\"}", "{\"schnorr\":\"" SIG_1 "00\"}",
	    "inputs[1].partialSigs.03" KEY_B ".schnorr: must be 128 hex", 0 },
	{ "{\"schnorr\" : \"" SIG_1 "\"}", "{}",
	    "inputs[1].partialSigs.03" KEY_B ": must be {\"schnorr\"", 0 },
	{ "{\"schnorr\" : \"" SIG_1 "\"}", "\"" SIG_1 "\"",
	    "inputs[1].partialSigs.03" KEY_B ": must be {\"schnorr\"", 0 },
	{ "{\"eCDSA\":\"" DER "\"}", "{\"eCDSA\":\"" SIG_1 SIG_1 "\"}",
	    "inputs[1].partialSigs.02" TXID_1 ".eCDSA: longer than 72 bytes",
	    0 },
	{ "\"02" TXID_1 "\":{\"eCDSA", "\"03" "0CB1b7c079ba61f0eead7a68411634a8"
	    "d1ee0e479351338a92ea0dcc15f2dfb8\":{\"eCDSA",
	    "inputs[1].partialSigs: one key twice", 0 },
	{ "\"bip32Derivations\":{ },", "",
	    "inputs[0].bip32Derivations: missing", 0 },
	{ "\"bip32Derivations\":{ }", "\"bip32Derivations\":{\"a b\":null}",
	    "inputs[0].bip32Derivations[\"a b\"]: name must be", 0 },
	{ "\"03" KEY_B "\":null", "\"03" KEY_B "\":1",
	    "inputs[1].bip32Derivations.03" KEY_B ": must be an object", 0 },
	/* outputs */
	{ "\"outputs\":[{", "\"outputs\":[null,{",
	    "outputs[0]: must be an object", 0 },
	{ "\"amount\":1000", "\"amount\":0", "outputs[0].amount: is 0", 0 },
	{ "\"amount\":1000", "\"amount\":\"1000\"",
	    "outputs[0].amount: " INT_MAX_64, 0 },
	{ "\"amount\":1000", "\"amount\":1e3", "outputs[0].amount: must be", 0 },
	{ "\"amount\":1000", "\"amount\":-1000", "outputs[0].amount: must be", 0 },
	{ "\"amount\":1000,", "", "outputs[0].amount: missing", 0 },
	{ "\"amount\":1000", "\"amount\":2900000000000000001",
	    "outputs[0].amount: more sompi", 0 },
	{ "\"amount\":1000", "\"amount\":20000",
	    "outputs[1].amount: more sompi", 0 },
	{ "\"scriptPublicKey\":\"0102\"", "\"scriptPublicKey\":\"01\"",
	    "outputs[1].scriptPublicKey: too short", 0 },
	{ "\"scriptPublicKey\":\"0102\"", "\"scriptPublicKey\":\"0x0102\"",
	    "outputs[1].scriptPublicKey: not hex", 0 },
	{ "\"redeemScript\":\"aB\",", "", "outputs[1].redeemScript: missing", 0 },
	{ "\"redeemScript\":\"aB\"", "\"redeemScript\":1",
	    "outputs[1].redeemScript: must be a string", 0 },
	{ "\"bip32Derivations\":{\"02" KEY_A "\":null}",
	    "\"bip32Derivations\":{\"02\":null}",
	    "outputs[1].bip32Derivations.02: name must be", 0 },
	{ "\"authorizingInput\":1", "\"authorizingInput\":65536",
	    "outputs[1].covenant.authorizingInput: must be", 0 },
	{ "\"authorizingInput\":1,", "",
	    "outputs[1].covenant.authorizingInput: missing", 0 },
	{ "\"covenantId\":\"" TXID_2 "\"", "\"covenantId\":null",
	    "outputs[1].covenant.covenantId: must be a string", 0 },
	{ "\"covenant\":{\"a", "\"covenant\":[],\"c\":{\"a",
	    "outputs[1].covenant: must be an object", 0 },
	{ "\"proprietaries\":{}}],\"role\"", "\"p\":{}}],\"role\"",
	    "outputs[1].proprietaries: missing", 0 },
};

START_TEST(refuses)
{
	const struct refusal	*t;
	size_t			 i;
	char			*s, *f, *both;

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		t = &refusals[i];
		s = pt_change(t->from, t->to);
		ck_assert_msg(pt_parse(s) == -1, "accepted: %s", t->to);
		ck_assert_msg(strncmp(pt_err.message, t->says,
		    strlen(t->says)) == 0, "%s: %s", t->to, pt_err.message);
		ck_assert_msg(pt_err.code == (t->code
		    == 0 ? PSKT_INVALID : t->code),
		    "%s", t->to);
		/* The same in a bundle,
		    with its index where one can be told. */
		ck_assert_ptr_nonnull(both = malloc(2 * pt_base_len + 600));
		(void)snprintf(both, 2 * pt_base_len + 600, "[%s,%s]", pt_base,
		    s);
		f = pt_frame("PSKB", both, strlen(both));
		ck_assert_int_eq(pt_parse(f), -1);
		if (pt_err.pskt != PSKT_NOT_IN_BUNDLE)
			ck_assert_uint_eq(pt_err.pskt, 1);
		else
			ck_assert_msg(strncmp(pt_err.message, "not JSON", 8)
			    == 0 ||
			    strstr(pt_err.message, "member twice") != NULL,
			    "%s",
			    pt_err.message);
		free(s);
		free(f);
		free(both);
	}
}
END_TEST

START_TEST(forms)
{
	static const struct { const char *text, *says; } bad[] = {
		{ "null", "must be an object" }, { "[]", "must be an object" },
		{ "7", "must be an object" }, { "\"\"", "must begin with" },
		{ "\"pskt7b7d\"", "must begin with" }, { "\"PSK\"", "must begin" },
		{ "\"PSKT\"", "" }, { "\"PSKT7b7\"", "odd number" },
		{ "\"PSKT7b7g\"", "not hex" }, { "\"PSKT7b\\u00007d\"", "odd" },
		{ "\"PSKT7b7d\"", "global: missing" },
		{ "\"PSKT5b5d\"", "PSKT must hold an object" },
		{ "\"PSKB7b7d\"", "PSKB must hold an array" },
		{ "\"PSKB5b5d\"", "the bundle is empty" },
		{ "\"PSKB5b315d\"", "must be an object" },
		{ "\"PSKB5b7b7d5d\"", "global: missing" },
		{ "\"PSKT7b7d00\"", "not JSON" }, { "\"PSKTff\"", "not JSON" },
		{ "{}", "global: missing" },
	};
	char	*s;
	size_t	 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(pt_parse(bad[i].text) == -1, "%s", bad[i].text);
		ck_assert_int_eq(pt_err.code, PSKT_INVALID);
		ck_assert_msg(strncmp(pt_err.message, bad[i].says,
		    strlen(bad[i].says)) == 0, "%s: %s", bad[i].text,
		    pt_err.message);
	}
	ck_assert_ptr_nonnull(s = malloc(2000));
	(void)memset(s, 0, 2000);
	(void)strlcat(s, "\"PSKB5b30", 2000);
	for (i = 0; i < 256; i++)
		(void)strlcat(s, "2c30", 2000);
	(void)strlcat(s, "5d\"", 2000);
	ck_assert_int_eq(pt_parse(s), -1);
	ck_assert_int_eq(pt_err.code, PSKT_TOO_LARGE);
	free(s);
}
END_TEST

/* Not one prefix of a document is a document, in whichever form. */
START_TEST(truncated)
{
	const char	*prefix[] = { "PSKT", "PSKB" };
	char		*s, *list;
	struct pool	 other;		/* the fixture's is freed on the way */
	size_t		 i, k;

	pool_init(&other, 0);
	for (i = 0; i < strlen(pt_base); i++) {
		ck_assert_msg(pt_parse_ctx(NULL, pt_base, i) == -1, "%zu", i);
		pool_free(&pt_pool);
	}
	list = pool_printf(&other, "[%s]", pt_base);
	for (k = 0; k < 2; k++) {
		s = k == 0 ? pt_frame(prefix[k], pt_base, strlen(pt_base)) :
		    pt_frame(prefix[k], list, strlen(list));
		ck_assert_msg(pt_parse(s) == 0, "%s", pt_err.message);
		for (i = strlen(s) - 1; i > 1; i--) {
			s[i] = '\0';
			s[i - 1] = '"';
			ck_assert_msg(pt_parse(s) == -1, "%zu", i);
			ck_assert_int_eq(pt_err.code, PSKT_INVALID);
			pool_free(&pt_pool);
		}
		free(s);
	}
	pool_free(&other);
}
END_TEST

/* 8 MiB of what a hostile client would send. */
START_TEST(hostile)
{
	size_t	 n = 8 * 1024 * 1024, i;
	char	*s = malloc(n + 1);
	double	 t = pt_now();

	memset(s, '[', n);
	memcpy(s, "\"PSKB", 5);
	for (i = 5; i + 1 < n; i += 2)
		memcpy(s + i, "5b", 2);
	s[i] = '"';
	s[i + 1] = '\0';
	ck_assert_int_eq(pt_parse(s), -1);
	ck_assert_str_eq(pt_err.message, "nested too deeply");
	memset(s, 'f', n);
	memcpy(s, "\"PSKT", 5);
	s[n - 1] = '"';
	ck_assert_int_eq(pt_parse_ctx(NULL, s, n), -1);
	pool_free(&pt_pool);
	pool_init(&pt_pool, 100000);
	memcpy(s, "\"PSKT20", 7);
	ck_assert_int_eq(pt_parse_ctx(NULL, s, n), -1);
	s[n - 2] = '"';
	ck_assert_int_eq(pt_parse_ctx(NULL, s, n - 1), -1);
	ck_assert_int_eq(pt_err.code, PSKT_TOO_LARGE);
	free(s);
	s = pt_change("\"outputs\":[", "\"outputs\":[{},");
	ck_assert_int_eq(pt_parse(s), -1);
	free(s);
	ck_assert_double_lt(pt_now() - t, 5.0);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("pskt");
	TCase	*tc = tcase_create("pskt");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(tc, pt_setup, pt_teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, reads);
	tcase_add_test(tc, accepts);
	tcase_add_loop_test(tc, claims_ours, 0,
	    sizeof(claims) / sizeof(claims[0]));
	tcase_add_test(tc, refuses);
	tcase_add_test(tc, forms);
	tcase_add_test(tc, truncated);
	tcase_add_test(tc, hostile);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
