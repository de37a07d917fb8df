/* signd/pskt_final, pskt_extract, pskt_verify: from signatures to a node. */
#include <check.h>
#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kaspa.h"
#include "pskt_doc.h"
#include "signd/mass.h"
#include "signd/pskt_final.h"
#include "vec.h"

static char		*file;
static const struct json *cases;

static void
setup(void)
{
	size_t	 len;
	char	 err[256];

	pt_setup();
	file = vec_read("pskt.json", &len);
	cases = json_parse(&pt_pool, file, len, err, sizeof(err));
	ck_assert_msg(cases != NULL, "%s", err);
	ck_assert_uint_ge(cases->n, 12);
}

static void
teardown(void)
{
	free(file);
	pt_teardown();
}

static const struct json *
find(const char *name)
{
	const struct json	*c;

	for (c = cases->first; c != NULL; c = c->next)
		if (json_is_string(json_get(c, "name"), name))
			return c;
	ck_abort_msg("%s: no such case", name);
}

/* Text of a case with the signatures that it has, but for every skip-th. */
static char *
signed_text(const struct json *c, size_t skip)
{
	const struct json	*v, *sigs = json_get(c, "signatures");
	struct pskt_new_sig	*sig;
	struct bytes		 out;
	uint64_t		 input;
	size_t			 n = 0;

	ck_assert_int_eq(pskt_parse(&pt_pool, NULL, file, json_get(c, "pskt"),
	    &pt_doc, &pt_err), 0);
	sig = pool_alloc(&pt_pool, sigs->n, sizeof(*sig));
	for (v = sigs->first; v != NULL; v = v->next) {
		if (skip != 0 && v->index % skip == 0)
			continue;
		ck_assert_int_eq(json_u64(json_get(v, "input"), 999, &input),
		    0);
		sig[n].input = (size_t)input;
		sig[n].key[0] = (uint8_t)(2 + v->index % 2);
		pt_unhex(json_cstr(&pt_pool, json_get(v, "xonly_public_key")),
		    sig[n].key + 1);
		pt_unhex(json_cstr(&pt_pool, json_get(v, "signature")),
		    sig[n].sig);
		n++;
	}
	ck_assert_int_eq(pskt_emit(&pt_pool, &pt_doc, sig, n, &out), 0);
	return pool_strndup(&pt_pool, (const char *)out.p, out.len);
}

static char *
text_of(const struct bytes *b)
{
	return pool_strndup(&pt_pool, (const char *)b->p, b->len);
}

/* NULL with pt_err when it is refused. */
static char *
finalize(const char *text)
{
	struct bytes	 out;

	ck_assert_msg(pt_parse(text) == 0, "%s", pt_err.message);
	memset(&pt_err, 0, sizeof(pt_err));
	return pskt_finalize(&pt_pool, &pt_doc, &out, &pt_err) == -1 ? NULL :
	    text_of(&out);
}

static char *
extract(const char *text)
{
	struct bytes	 out;

	ck_assert_msg(pt_parse(text) == 0, "%s", pt_err.message);
	memset(&pt_err, 0, sizeof(pt_err));
	return pskt_extract(&pt_pool, &pt_doc, &out, &pt_err) == -1 ? NULL :
	    text_of(&out);
}

static struct json *
parse(const char *text)
{
	char		 err[256];
	struct json	*v;

	v = json_parse(&pt_pool, text, strlen(text), err, sizeof(err));
	ck_assert_msg(v != NULL, "%s", err);
	return v;
}

/* s with the first occurrence of from at or after `past` replaced. */
static char *
change(const char *s, const char *past, const char *from, const char *to)
{
	const char	*at;

	ck_assert_ptr_nonnull(at = past == NULL ? s : strstr(s, past));
	ck_assert_msg((at = strstr(at, from)) != NULL, "%s: not found", from);
	return pool_printf(&pt_pool, "%.*s%s%s", (int)(at - s), s, to,
	    at + strlen(from));
}

static void
refused(const char *got, enum pskt_code code, const char *message)
{
	ck_assert_msg(got == NULL, "%s: accepted", message);
	ck_assert_int_eq(pt_err.code, code);
	ck_assert_str_eq(pt_err.message, message);
}

/* Without what finalize writes, the text must be what it was. */
static void
check_kept(const char *text, const char *final)
{
	const struct json	*a = parse(text), *b = parse(final), *x, *y;

	x = json_get(a, "inputs")->first;
	y = json_get(b, "inputs")->first;
	for (; x != NULL; x = x->next, y = y->next) {
		for (const struct json *m = x->first, *n = y->first; m != NULL;
		    m = m->next, n = n->next) {
			if (json_get(x, "finalScriptSig") == m ||
			    (json_get(x, "sequence") == m &&
			    m->type == JSON_NULL))
				continue;
			ck_assert_uint_eq(m->end - m->start, n->end - n->start);
			ck_assert_mem_eq(text + m->start, final + n->start,
			    m->end - m->start);
		}
	}
	x = json_get(a, "outputs");
	y = json_get(b, "outputs");
	ck_assert_mem_eq(text + x->start, final + y->start, x->end - x->start);
}

static void
check_transaction(const struct json *tx, const struct pskt *p)
{
	const struct json	*in, *out;
	uint64_t		 v;
	size_t			 i = 0;

	ck_assert_uint_eq(json_get(tx, "inputs")->n, p->tx.nin);
	ck_assert_uint_eq(json_get(tx, "outputs")->n, p->tx.nout);
	for (in = json_get(tx, "inputs")->first; in != NULL; in = in->next) {
		ck_assert(json_is_string(json_get(json_get(in,
		    "previousOutpoint"), "transactionId"),
		    vec_hex(p->tx.in[i].outpoint.txid, 32)));
		ck_assert(json_is_string(json_get(in, "signatureScript"),
		    vec_hex(p->in[i].final.p, p->in[i].final.len)));
		ck_assert_uint_eq(p->in[i].final.len,
		    mass_signature_script(&p->tx.in[i]));
		ck_assert_int_eq(json_u64(json_get(in, "sequence"), UINT64_MAX,
		    &v), 0);
		ck_assert_uint_eq(v, p->tx.in[i].sequence);
		ck_assert_int_eq(json_u64(json_get(in, "sigOpCount"), 255, &v),
		    0);
		ck_assert_uint_eq(v, p->tx.in[i++].sig_op_count);
	}
	for (out = json_get(tx, "outputs")->first; out != NULL;
	    out = out->next) {
		ck_assert_int_eq(json_u64(json_get(out, "value"), UINT64_MAX,
		    &v), 0);
		ck_assert_uint_eq(v, p->tx.out[out->index].value);
	}
	ck_assert_int_eq(json_u64(json_get(tx, "lockTime"), UINT64_MAX, &v),
	    0);
	ck_assert_uint_eq(v, p->tx.lock_time);
	ck_assert(json_is_string(json_get(tx, "subnetworkId"),
	    "0000000000000000000000000000000000000000"));
}

/* Every vector from its signatures to a transaction with the same id. */
START_TEST(vectors)
{
	const struct json	*c, *v;
	char			*text, *final, *tx, *again;

	for (c = cases->first; c != NULL; c = c->next) {
		text = signed_text(c, 0);
		final = finalize(text);
		ck_assert_msg(final != NULL, "%s", pt_err.message);
		check_kept(text, final);
		v = parse(final);
		ck_assert(json_is_string(json_get(json_get(v, "global"), "id"),
		    json_cstr(&pt_pool, json_get(c, "transaction_id"))));
		/* A second time nothing changes. */
		again = finalize(final);
		ck_assert_msg(again != NULL, "%s", pt_err.message);
		ck_assert_str_eq(again, final);
		tx = extract(final);
		ck_assert_msg(tx != NULL, "%s", pt_err.message);
		v = parse(tx);
		ck_assert(json_get(v, "allowOrphan")->type == JSON_BOOL);
		check_transaction(json_get(v, "transaction"), &pt_doc.pskt[0]);
		/* Nothing to take before it is finalized. */
		refused(extract(text), PSKT_INVALID,
		    "inputs[0].finalScriptSig: missing");
	}
}
END_TEST

START_TEST(sequences)
{
	char		*text, *final;

	text = signed_text(find("ins2-outs1-seqnull1-ms1"), 0);
	ck_assert_ptr_nonnull(strstr(text, "\"sequence\": null"));
	final = finalize(text);
	ck_assert_ptr_nonnull(final);
	ck_assert_ptr_null(strstr(final, "\"sequence\": null"));
	ck_assert_uint_eq(pt_doc.pskt[0].tx.in[0].sequence, UINT64_MAX);
	/* Absent: added. */
	text = pool_strndup(&pt_pool, text, strlen(text));
	for (char *at; (at = strstr(text, "\"sequence\"")) != NULL;)
		memcpy(at, "\"sequencX\"", 10);
	final = finalize(text);
	ck_assert_ptr_nonnull(final);
	ck_assert_ptr_nonnull(strstr(final,
	    "{},\"sequence\":18446744073709551615"));
	ck_assert_ptr_nonnull(extract(final));
}
END_TEST

/* Two of three, so that one may be wrong but not two. */
START_TEST(too_few)
{
	const struct json	*c = find("ins2-outs1-seqnull1-ms1");
	const struct json	*v;
	char			*text, *sig, *bad, *other;

	refused(finalize(signed_text(c, 1)), PSKT_INVALID,
	    "inputs[0]: 0 of 2 signatures");
	/* Signatures 0, 2 and 4 left out: one is left, then two. */
	refused(finalize(signed_text(c, 2)), PSKT_INVALID,
	    "inputs[0]: 1 of 2 signatures");
	text = signed_text(c, 3);
	ck_assert_msg(finalize(text) != NULL, "%s", pt_err.message);
	/* One of the two is another's. */
	v = json_get(c, "signatures")->first;
	sig = json_cstr(&pt_pool, json_get(v->next, "signature"));
	other = json_cstr(&pt_pool, json_get(v->next->next, "signature"));
	bad = change(text, NULL, sig, other);
	refused(finalize(bad), PSKT_INVALID,
	    "inputs[0]: 1 of 2 signatures; 1 more does not verify");
	/* With a third that is right, the wrong one is left out. */
	bad = change(signed_text(c, 0), NULL, sig, other);
	ck_assert_msg(finalize(bad) != NULL, "%s", pt_err.message);
	/* Under another sighash type none is right. */
	bad = change(signed_text(c, 0), NULL, "\"sighashType\": 1",
	    "\"sighashType\": 2");
	refused(finalize(bad), PSKT_INVALID,
	    "inputs[0]: 0 of 2 signatures; 3 more do not verify");
	bad = change(signed_text(c, 0), NULL, "\"sighashType\": 1",
	    "\"sighashType\": 3");
	refused(finalize(bad), PSKT_INVALID,
	    "inputs[0].sighashType: 3 is no sighash type");
}
END_TEST

/* A node counts checks up to the last key used. */
START_TEST(sig_op_count)
{
	const struct json	*c = find("ins2-outs1-seqnull1-ms1");
	struct verify		 v;

	ck_assert_int_eq(pt_parse(signed_text(c, 0)), 0);
	ck_assert_int_eq(verify_init(&v, &pt_pool, &pt_doc, true), 0);
	ck_assert_int_eq(verify_step(&v, 1), 0);
	ck_assert_int_eq(verify_step(&v, 1), 1);
	ck_assert_uint_eq(v.checks, 6);
	ck_assert_uint_eq(verify_sig_ops(&v.in[0][0]), 2);
	v.in[0][0].key[1].state = SIG_INVALID;
	ck_assert_uint_eq(verify_sig_ops(&v.in[0][0]), 3);
	v.in[0][0].key[0].state = SIG_MISSING;
	ck_assert_uint_eq(verify_sig_ops(&v.in[0][0]), 0);
}
END_TEST

START_TEST(attacks)
{
	const struct json	*c = find("ins2-outs1-seqnull1-ms1");
	char			*final, *bad, *one, *two, *script;

	final = finalize(signed_text(c, 0));
	ck_assert_ptr_nonnull(final);
	one = json_cstr(&pt_pool, json_get(json_get(parse(final),
	    "inputs")->first, "finalScriptSig"));
	two = json_cstr(&pt_pool, json_get(json_get(parse(final),
	    "inputs")->first->next, "finalScriptSig"));
	/* The other input's script. */
	refused(extract(change(final, NULL, one, two)), PSKT_INVALID,
	    "inputs[0].finalScriptSig: signature 1 of 2: is of no key that may "
	    "come here");
	refused(finalize(change(final, NULL, one, two)), PSKT_INVALID,
	    "inputs[0].finalScriptSig: signature 1 of 2: is of no key that may "
	    "come here");
	/* The same two signatures in the wrong order. */
	script = pool_printf(&pt_pool, "%.132s%.132s%s", one + 132, one,
	    one + 264);
	refused(extract(change(final, NULL, one, script)), PSKT_INVALID,
	    "inputs[0].finalScriptSig: signature 2 of 2: is of no key that may "
	    "come here");
	/* One of them twice. */
	script = pool_printf(&pt_pool, "%.132s%.132s%s", one, one, one + 264);
	refused(extract(change(final, NULL, one, script)), PSKT_INVALID,
	    "inputs[0].finalScriptSig: signature 2 of 2: is of no key that may "
	    "come here");
	/* One, three, none, and none of it. */
	refused(extract(change(final, NULL, one, one + 132)), PSKT_INVALID,
	    "inputs[0].finalScriptSig: 1 signatures where 2 belong");
	script = pool_printf(&pt_pool, "%.132s%s", one, one);
	refused(extract(change(final, NULL, one, script)), PSKT_INVALID,
	    "inputs[0].finalScriptSig: 3 signatures where 2 belong");
	refused(extract(change(final, NULL, one, one + 264)), PSKT_INVALID,
	    "inputs[0].finalScriptSig: 0 signatures where 2 belong");
	refused(extract(change(final, NULL, one, "")), PSKT_INVALID,
	    "inputs[0].finalScriptSig: does not end in the redeem script");
	/* Another type in the script than the document's. */
	script = pool_printf(&pt_pool, "%.130s02%s", one, one + 132);
	refused(extract(change(final, NULL, one, script)), PSKT_INVALID,
	    "inputs[0].finalScriptSig: signature 1 of 2: another sighash type "
	    "than the input's");
	bad = change(final, NULL, "\"sighashType\": 1", "\"sighashType\": 2");
	refused(extract(bad), PSKT_INVALID,
	    "inputs[0].finalScriptSig: signature 1 of 2: another sighash type "
	    "than the input's");
	/* An opcode, and a push longer than it need be. */
	script = pool_printf(&pt_pool, "51%s", one);
	refused(extract(change(final, NULL, one, script)), PSKT_INVALID,
	    "inputs[0].finalScriptSig: not a row of pushes, each the shortest");
	script = pool_printf(&pt_pool, "4c%s", one);
	refused(extract(change(final, NULL, one, script)), PSKT_INVALID,
	    "inputs[0].finalScriptSig: not a row of pushes, each the shortest");
	script = pool_printf(&pt_pool, "%.60s", one);
	refused(extract(change(final, NULL, one, script)), PSKT_INVALID,
	    "inputs[0].finalScriptSig: not a row of pushes, each the shortest");
	/* More checks than are paid for. */
	bad = change(final, NULL, "\"sigOpCount\": 3", "\"sigOpCount\": 1");
	ck_assert_ptr_null(extract(bad));
	/* Without its UTXO an input cannot be checked. */
	bad = change(final, NULL, "\"utxoEntry\"", "\"utxoEntrX\"");
	refused(extract(bad), PSKT_INVALID, "inputs[0].utxoEntry: missing");
	bad = change(signed_text(c, 0), NULL, "\"utxoEntry\"", "\"utxoEntrX\"");
	refused(finalize(bad), PSKT_INVALID, "inputs[0].utxoEntry: missing");
	/* An amount that is not what was signed for. */
	bad = change(final, NULL, "\"amount\": ", "\"amount\": 1");
	ck_assert_ptr_null(extract(bad));
	ck_assert_int_eq(pt_err.code, PSKT_INVALID);
	/* Without redeemScript the final script has it. */
	bad = change(final, NULL, "\"redeemScript\"", "\"redeemScripX\"");
	bad = change(bad, "redeemScripX", "\"bip32", "\"redeemScript\":null,"
	    "\"bip32");
	ck_assert_msg(extract(bad) != NULL, "%s", pt_err.message);
}
END_TEST

#define SECRET_A \
	"e0d5444bfa387130dbfe1ee6090e586d602a3227657a5eeb48006ecaeb72d40c"
#define NO_POINT \
	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

/* pt_doc's input signed with SECRET_A. */
static void
sign_a(uint8_t sig[64])
{
	secp256k1_context	*secp;
	secp256k1_keypair	 pair;
	struct sighash_cache	 cache;
	uint8_t			 secret[32], hash[32];

	pt_unhex(SECRET_A, secret);
	sighash_cache_init(&cache);
	ck_assert_int_eq(sighash_schnorr(&pt_doc.pskt[0].tx, 0, SIGHASH_ALL,
	    &cache, hash), 0);
	ck_assert_ptr_nonnull(secp = secp256k1_context_create(
	    SECP256K1_CONTEXT_NONE));
	ck_assert_int_eq(secp256k1_keypair_create(secp, &pair, secret), 1);
	ck_assert_int_eq(secp256k1_schnorrsig_sign32(secp, sig, hash, &pair,
	    NULL), 1);
	secp256k1_context_destroy(secp);
}

/* One input of this 1-of-2 script, with key A's signature. */
static char *
one_of_two(const char *redeem, bool final)
{
	uint8_t	 script[69], p2sh[P2SH_SCRIPT_LEN], sig[64];
	char	 hex[2 * P2SH_SCRIPT_LEN + 1], sighex[129];
	char	*text, *member;

	pt_unhex(redeem, script);
	script_p2sh(script, sizeof(script), p2sh);
	pskt_hex(p2sh, sizeof(p2sh), hex);
	hex[sizeof(hex) - 1] = '\0';
	text = pool_printf(&pt_pool, "{\"global\":{\"version\":0,"
	    "\"txVersion\":0,\"inputsModifiable\":false,"
	    "\"outputsModifiable\":false,\"inputCount\":1,\"outputCount\":1,"
	    "\"xpubs\":{},\"proprietaries\":{},\"payload\":null},\"inputs\":[{"
	    "\"utxoEntry\":{\"amount\":1000000000,\"scriptPublicKey\":\"0000%s"
	    "\",\"blockDaaScore\":1,\"isCoinbase\":false},"
	    "\"previousOutpoint\":{\"transactionId\":\"" TXID_1 "\",\"index\":"
	    "0},\"partialSigs\":{},\"sighashType\":1,\"redeemScript\":\"%s\","
	    "\"sigOpCount\":2,\"bip32Derivations\":{},\"finalScriptSig\":null,"
	    "\"proprietaries\":{}}],\"outputs\":[{\"amount\":999000000,"
	    "\"scriptPublicKey\":\"" SPK_A "\",\"redeemScript\":null,"
	    "\"bip32Derivations\":{},\"proprietaries\":{}}]}", hex, redeem);
	ck_assert_msg(pt_parse(text) == 0, "%s", pt_err.message);
	sign_a(sig);
	pskt_hex(sig, sizeof(sig), sighex);
	sighex[128] = '\0';
	if (!final)
		return change(text, NULL, "\"partialSigs\":{}",
		    pool_printf(&pt_pool, "\"partialSigs\":{\"02" KEY_A
		    "\":{\"schnorr\":\"%s\"}}", sighex));
	member = pool_printf(&pt_pool, "\"finalScriptSig\":\"41%s0145%s\"",
	    sighex, redeem);
	return change(text, NULL, "\"finalScriptSig\":null", member);
}

/*
 * A node ends a script at a key that is no point (rusty-kaspa crypto/txscript,
 * check_schnorr_signature), but not at one that no check comes to.
 */
START_TEST(no_point)
{
	const char	*first = "5120" NO_POINT "20" KEY_A "52ae";
	const char	*last = "5120" KEY_A "20" NO_POINT "52ae";
	char		*s;

	ck_assert_ptr_nonnull(s = finalize(one_of_two(last, false)));
	ck_assert_ptr_nonnull(extract(s));
	ck_assert_ptr_nonnull(extract(one_of_two(last, true)));
	refused(finalize(one_of_two(first, false)), PSKT_UNSUPPORTED,
	    "inputs[0].redeemScript: key 1 is no point of the curve, at which "
	    "a node stops before the last key that signed");
	refused(extract(one_of_two(first, true)), PSKT_INVALID,
	    "inputs[0].finalScriptSig: signature 1 of 1: comes to a key that "
	    "is no point of the curve");
	/* Both are points. */
	ck_assert_ptr_nonnull(finalize(one_of_two("5120" KEY_B "20" KEY_A
	    "52ae", false)));
}
END_TEST

START_TEST(bundle)
{
	const struct json	*c = find("ins1-outs2-ms1");
	char			*text = signed_text(c, 0), *s, *b, *final;
	char			*few = signed_text(c, 1);
	struct json		*v;

	s = pool_printf(&pt_pool, "[%s, %s]", text, text);
	b = pt_frame("PSKB", s, strlen(s));
	final = finalize(b);
	ck_assert_msg(final != NULL, "%s", pt_err.message);
	ck_assert_int_eq(strncmp(final, "\"PSKB", 5), 0);
	free(b);
	b = extract(final);
	ck_assert_msg(b != NULL, "%s", pt_err.message);
	v = parse(b);
	ck_assert_int_eq(v->type, JSON_ARRAY);
	ck_assert_uint_eq(v->n, 2);
	s = pool_printf(&pt_pool, "[%s, %s]", text, few);
	b = pt_frame("PSKB", s, strlen(s));
	refused(finalize(b), PSKT_INVALID, "inputs[0]: 0 of 3 signatures");
	ck_assert_uint_eq(pt_err.pskt, 1);
	free(b);
}
END_TEST

START_TEST(versions)
{
	const struct json	*c = find("ins1-outs2-ms1");
	char			*final = finalize(signed_text(c, 0));

	ck_assert_ptr_nonnull(final);
	refused(extract(change(final, NULL, "\"txVersion\": 0",
	    "\"txVersion\": 1")), PSKT_UNSUPPORTED, "global.txVersion: a PSKT "
	    "has no compute budget, which transaction version 1 needs");
}
END_TEST

/* KASPA.md's example: 2 of 3, one input, P2PK and P2SH out. */
START_TEST(mass_example)
{
	uint8_t			 keys[3][32] = { { 1 }, { 2 }, { 3 } };
	uint8_t			 redeem[MULTISIG_MAX_SCRIPT];
	uint8_t			 p2sh[P2SH_SCRIPT_LEN], p2pk[P2PK_SCRIPT_LEN];
	struct tx_input		 in = { 0 };
	struct tx_output	 out[2] = { { 0 } };
	struct tx		 tx = { .nin = 1, .in = &in, .nout = 2,
				    .out = out };
	struct mass		 m;

	in.redeem.p = redeem;
	in.redeem.len = script_multisig(2, 3, keys, redeem);
	script_p2sh(redeem, in.redeem.len, p2sh);
	script_p2pk(keys[0], p2pk);
	in.sig_op_count = 3;
	in.has_utxo = true;
	in.amount = 200000000;
	in.spk.script.p = out[1].spk.script.p = p2sh;
	in.spk.script.len = out[1].spk.script.len = sizeof(p2sh);
	out[0].spk.script.p = p2pk;
	out[0].spk.script.len = sizeof(p2pk);
	out[0].value = 100000000;
	out[1].value = 99000000;
	ck_assert_uint_eq(mass_signature_script(&in), 236);
	mass_of_tx(&tx, NULL, &m);
	ck_assert_uint_eq(m.size, 487);
	ck_assert_uint_eq(m.compute, 4217);
	ck_assert_uint_eq(m.transient, 4 * 487);
	ck_assert_uint_eq(mass_relay_fee(&m), 421700);
	/* One input: each side harmonic. */
	ck_assert(m.storage_known);
	ck_assert_uint_eq(m.storage, 10000 + 10101 - 5000);
	ck_assert_uint_eq(mass_for_fee(&m), m.storage);
	ck_assert_uint_eq(mass_fee(&m, 2), 2 * m.storage);
	/* A payload, and a covenant on either side. */
	tx.payload.len = 1000;
	mass_of_tx(&tx, NULL, &m);
	ck_assert_uint_eq(m.compute, 5217);
	tx.version = 1;
	out[0].has_covenant = true;	/* 63 + 34 + 32: 2 hundreds */
	mass_of_tx(&tx, NULL, &m);
	ck_assert_uint_eq(m.size, 1487 + 2 + 34);
	ck_assert_uint_eq(m.storage, 40000 + 10101 - 5000);
	in.utxo_covenant = true;	/* both sides weigh more than 2 now */
	mass_of_tx(&tx, NULL, &m);
	ck_assert_uint_eq(m.storage, 40000 + 10101 - 2 * 10000);
	in.has_utxo = false;
	mass_of_tx(&tx, NULL, &m);
	ck_assert(!m.storage_known);
	/* Whatever is claimed, nothing overflows. */
	m.compute = m.storage = m.transient = UINT64_MAX;
	ck_assert_uint_eq(mass_relay_fee(&m), UINT64_MAX);
	ck_assert_uint_eq(mass_fee(&m, 1000), UINT64_MAX);
	ck_assert_uint_eq(mass_fee(&m, 0), 0);
}
END_TEST

/* rusty-kaspa wallet/core/src/tx/mass.rs: 3 (18 + 34 + 148) = 600 bytes. */
START_TEST(dust)
{
	ck_assert(mass_is_dust(59999, 34));
	ck_assert(!mass_is_dust(60000, 34));
	ck_assert(mass_is_dust(60299, 35));
	ck_assert(!mass_is_dust(60300, 35));
	ck_assert(!mass_is_dust(UINT64_MAX, 35));
	ck_assert(mass_is_dust(0, 0));
	ck_assert_uint_eq(mass_push(75), 76);
	ck_assert_uint_eq(mass_push(76), 78);
	ck_assert_uint_eq(mass_push(255), 257);
	ck_assert_uint_eq(mass_push(256), 259);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("pskt_final");
	TCase	*t = tcase_create("final");
	SRunner	*r;
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, vectors);
	tcase_add_test(t, sequences);
	tcase_add_test(t, too_few);
	tcase_add_test(t, sig_op_count);
	tcase_add_test(t, attacks);
	tcase_add_test(t, no_point);
	tcase_add_test(t, bundle);
	tcase_add_test(t, versions);
	tcase_add_test(t, mass_example);
	tcase_add_test(t, dust);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
