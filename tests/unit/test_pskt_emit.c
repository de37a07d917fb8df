/* signd/pskt: documents given back, the shared vectors, and the largest. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kaspa.h"
#include "pskt_doc.h"
#include "schnorr.h"
#include "vec.h"

static struct pskt_new_sig
new_sig(size_t pskt, size_t input, const char *key, uint8_t fill)
{
	struct pskt_new_sig	 s = { .pskt = pskt, .input = input };

	pt_unhex(key, s.key);
	memset(s.sig, fill, sizeof(s.sig));
	return s;
}

static char *
emit(const struct pskt_new_sig *sigs, size_t n)
{
	struct bytes	 out;

	ck_assert_int_eq(pskt_emit(&pt_pool, &pt_doc, sigs, n, &out), 0);
	return pool_strndup(&pt_pool, (const char *)out.p, out.len);
}

/* s with the only occurrence of from replaced by to. */
static char *
swap(const char *s, const char *from, const char *to)
{
	const char	*at = strstr(s, from);

	ck_assert_msg(at != NULL, "%s: not found", from);
	ck_assert_msg(strstr(at + 1, from) == NULL, "%s: twice", from);
	return pool_printf(&pt_pool, "%.*s%s%s", (int)(at - s), s, to,
	    at + strlen(from));
}

#define ONES	"11111111111111111111111111111111111111111111111111111111111111" \
	"111111111111111111111111111111111111111111111111111111111111111111"

START_TEST(emits)
{
	struct pskt_new_sig	 sig[3];
	char			*want, *s, *body;
	struct bytes		 out;
	const char		*in;
	struct json		*v;
	char			 err[256];

	/* In a request, as signd gets it: only the document comes back. */
	body = pool_printf(&pt_pool, "{\"params\": [{\"pskt\":%s, \"x\":1}] }",
	    pt_base);
	v = json_parse(&pt_pool, body, strlen(body), err, sizeof(err));
	v = json_get(json_get(v, "params")->first, "pskt");
	ck_assert_int_eq(pskt_parse(&pt_pool, NULL, body, v, &pt_doc,
	    &pt_err), 0);
	ck_assert_str_eq(emit(NULL, 0), pt_base);
	/* Empty objects: no comma, and a null derivation. */
	ck_assert_int_eq(pt_parse(pt_base), 0);
	sig[0] = new_sig(0, 0, "02" KEY_A, 0x11);
	want = swap(pt_base, "\"partialSigs\":{ }",
	    "\"partialSigs\":{\"02" KEY_A
	    "\":{\"schnorr\":\"" ONES "\"} }");
	want = swap(want, "\"bip32Derivations\":{ }", "\"bip32Derivations\":{"
	    "\"02" KEY_A "\":null }");
	ck_assert_str_eq(emit(sig, 1), want);
	/* After what is there; a KeySource stays, whatever the parity. */
	sig[1] = new_sig(0, 1, "03" KEY_A, 0x11);
	want = swap(want, DER "\"} }", DER "\"},\"03" KEY_A "\":{\"schnorr\":\""
	    ONES "\"} }");
	ck_assert_str_eq(emit(sig, 2), want);
	/* Two new keys of one input. */
	sig[2] = new_sig(0, 0, "03" KEY_B, 0x11);
	want = swap(want, "\"bip32Derivations\":{\"02" KEY_A "\":null }",
	    "\"bip32Derivations\":{\"02" KEY_A "\":null,\"03" KEY_B "\":null }");
	want = swap(want,
	    "\"partialSigs\":{\"02" KEY_A "\":{\"schnorr\":\"" ONES
	    "\"} }", "\"partialSigs\":{\"02" KEY_A "\":{\"schnorr\":\"" ONES
	    "\"},\"03" KEY_B "\":{\"schnorr\":\"" ONES "\"} }");
	ck_assert_str_eq(emit(sig, 3), want);
	/* In the place of the old one, and nowhere else. */
	sig[0] = new_sig(0, 1, "02" KEY_B, 0x11);
	want = swap(pt_base, "{\"schnorr\" : \"" SIG_1 "\"}",
	    "{\"schnorr\":\"" ONES "\"}");
	ck_assert_str_eq(emit(sig, 1), want);
	ck_assert_int_eq(pt_parse(want), 0);
	/* Nothing that is not there, no key twice. */
	sig[1] = new_sig(0, 1, "03" KEY_B, 0x22);
	ck_assert_int_eq(pt_parse(pt_base), 0);
	ck_assert_int_eq(pskt_emit(&pt_pool, &pt_doc, sig, 2, &out), -1);
	sig[0] = new_sig(0, 2, "02" KEY_B, 0x11);
	ck_assert_int_eq(pskt_emit(&pt_pool, &pt_doc, sig, 1, &out), -1);
	sig[0] = new_sig(1, 0, "02" KEY_B, 0x11);
	ck_assert_int_eq(pskt_emit(&pt_pool, &pt_doc, sig, 1, &out), -1);

	/* Hex: lower case, white space around it kept. */
	in = pool_printf(&pt_pool, " %s\n", pt_base);
	s = pt_frame("PSKT", in, strlen(in));
	ck_assert_int_eq(pt_parse(s), 0);
	ck_assert_str_eq(emit(NULL, 0), s);
	for (char *c = s + 5; *c != '"'; c++)
		if (*c >= 'a')
			*c = (char)(*c - 32);
	ck_assert_int_eq(pt_parse(s), 0);
	sig[0] = new_sig(0, 0, "02" KEY_A, 0x11);
	body = emit(sig, 1);
	free(s);
	ck_assert_int_eq(pt_parse(pt_base), 0);
	in = pool_printf(&pt_pool, " %s\n", emit(sig, 1));
	s = pt_frame("PSKT", in, strlen(in));
	ck_assert_str_eq(body, s);
	free(s);
	/* A bundle: signatures in any order. */
	in = pool_printf(&pt_pool, "[ %s , %s]", pt_base, pt_base);
	s = pt_frame("PSKB", in, strlen(in));
	ck_assert_int_eq(pt_parse(s), 0);
	free(s);
	sig[0] = new_sig(1, 0, "02" KEY_A, 0x11);
	sig[1] = new_sig(0, 1, "02" KEY_B, 0x11);
	body = emit(sig, 2);
	ck_assert_int_eq(pt_parse(pt_base), 0);
	sig[0].pskt = 0;
	in = pool_printf(&pt_pool, "[ %s , %s]", emit(sig + 1, 1), emit(sig,
	    1));
	s = pt_frame("PSKB", in, strlen(in));
	ck_assert_str_eq(body, s);
	free(s);
}
END_TEST

/* Both keys of an input whose old signature stands under each parity. */
START_TEST(both_parities)
{
	struct pskt_new_sig	 sig = new_sig(0, 1, "02" KEY_B, 0x11);
	const struct pskt_sig	*s;
	char			*src, *out;
	unsigned		 n = 0;

	src = pt_change("\"02" TXID_1 "\":{\"eCDSA", "\"02" KEY_B "\":{\"eCDSA");
	ck_assert_int_eq(pt_parse(src), 0);
	for (s = NULL; (s = pskt_own_signature(&pt_doc.pskt[0], 1, sig.key + 1,
	    s)) != NULL; n++)
		ck_assert_int_eq(s->schnorr, s->key[0] == 3);
	ck_assert_uint_eq(n, 2);
	out = swap(src, "{\"schnorr\" : \"" SIG_1 "\"}",
	    "{\"schnorr\":\"" ONES "\"}");
	out = swap(out, "{\"eCDSA\":\"" DER "\"}",
	    "{\"schnorr\":\"" ONES "\"}");
	ck_assert_str_eq(emit(&sig, 1), out);
	free(src);
}
END_TEST

/* Takes what emit added for sig out of text again. */
static void
remove_sig(char *s, const struct pskt_new_sig *sig)
{
	char	 member[256], *at;
	int	 i;

	for (i = 0; i < 2; i++) {
		(void)snprintf(member, sizeof(member),
		    i == 0 ? "\"%s\":{\"schnorr\":\"%s\"}" : "\"%s\":null",
		    vec_hex(sig->key, 33), vec_hex(sig->sig, 64));
		if ((at = strstr(s, member)) == NULL) {
			ck_assert_int_eq(i, 1);
			continue;
		}
		memmove(at, at + strlen(member),
		    strlen(at + strlen(member)) + 1);
		if (at[-1] == ',')
			memmove(at - 1, at, strlen(at) + 1);
	}
}

static void
check_hashes(const struct tx *tx, const char *name, const char *id)
{
	uint8_t	 h[32];

	ck_assert_int_eq(tx_id(tx, h), 0);
	ck_assert_msg(strcmp(vec_hex(h, 32), id) == 0, "%s: id", name);
}

static void
check_sighash(const struct tx *tx, size_t i, struct sighash_cache *c,
    const struct json *want)
{
	uint8_t	 h[32];

	ck_assert_int_eq(sighash_schnorr(tx, i, tx->in[i].sighash_type, c, h),
	    0);
	ck_assert(json_is_string(want, vec_hex(h, 32)));
}

/* Every document of pskt.json, with the signature each key makes put in. */
START_TEST(vectors)
{
	size_t			 len, n;
	char			*file = vec_read("pskt.json", &len), *out;
	char			 err[256];
	struct json		*all, *c, *v;
	struct pskt_new_sig	*sig;
	struct sighash_cache	 cache;
	uint64_t		 input;
	uint8_t			 h[32];

	all = json_parse(&pt_pool, file, len, err, sizeof(err));
	ck_assert_msg(all != NULL, "%s", err);
	ck_assert_uint_ge(all->n, 12);
	for (c = all->first; c != NULL; c = c->next) {
		v = json_get(c, "pskt");
		ck_assert_msg(pskt_parse(&pt_pool, NULL, file, v, &pt_doc,
		    &pt_err) == 0,
		    "%s", pt_err.message);
		check_hashes(&pt_doc.pskt[0].tx, json_cstr(&pt_pool,
		    json_get(c, "name")), json_cstr(&pt_pool,
		    json_get(c, "transaction_id")));
		sighash_cache_init(&cache);
		for (v = json_get(c,
		    "sighashes")->first; v != NULL; v = v->next)
			check_sighash(&pt_doc.pskt[0].tx, v->index, &cache, v);
		sig = pool_alloc(&pt_pool, json_get(c, "signatures")->n,
		    sizeof(*sig));
		n = 0;
		for (v = json_get(c, "signatures")->first; v != NULL;
		    v = v->next, n++) {
			ck_assert_int_eq(json_u64(json_get(v, "input"), 999,
			    &input), 0);
			sig[n].input = (size_t)input;
			sig[n].key[0] = 2;
			pt_unhex(json_cstr(&pt_pool, json_get(v,
			    "xonly_public_key")),
			    sig[n].key + 1);
			pt_unhex(json_cstr(&pt_pool, json_get(v, "signature")),
			    sig[n].sig);
			ck_assert_int_eq(sighash_schnorr(&pt_doc.pskt[0].tx,
			    sig[n].input,
			    pt_doc.pskt[0].tx.in[input].sighash_type,
			    &cache, h), 0);
			ck_assert(schnorr_verify(sig[n].key + 1, h,
			    sig[n].sig));
		}
		out = emit(sig, n);
		v = json_parse(&pt_pool, out, strlen(out), err, sizeof(err));
		ck_assert_msg(v != NULL, "%s", err);
		ck_assert_int_eq(pskt_parse(&pt_pool, NULL, out, v, &pt_doc,
		    &pt_err), 0);
		for (size_t i = 0; i < n; i++)
			ck_assert_mem_eq(pskt_own_signature(&pt_doc.pskt[0],
			    sig[i].input, sig[i].key + 1, NULL)->sig,
			    sig[i].sig, 64);
		v = json_get(c, "pskt");
		out = emit(NULL, 0);
		while (n-- > 0)
			remove_sig(out, &sig[n]);
		ck_assert_uint_eq(strlen(out), v->end - v->start);
		ck_assert_mem_eq(out, file + v->start, strlen(out));
	}
	free(file);
}
END_TEST

static bool
has_note(const char *what)
{
	size_t	 i;

	for (i = 0; i < pt_doc.nnote; i++)
		if (strstr(pt_doc.note[i].text, what) != NULL)
			return true;
	return false;
}

START_TEST(edge_vectors)
{
	static const struct { const char *name, *note; } notes[] = {
		{ "counts left at zero", "global.inputCount" },
		{ "counts left at zero", "global.outputCount" },
		{ "sigOpCount below n", "inputs[0].sigOpCount: 2, but the redeem "
		    "script has 3 keys (and 1 more inputs)" },
		{ "P2SH input without redeemScript, own script in the config",
		    "inputs[0].redeemScript: missing" },
	};
	size_t			 len, i, seen = 0;
	char			*file = vec_read("pskt_edge.json", &len), *out;
	char			 err[256];
	struct json		*all, *c, *v, *s;
	struct sighash_cache	 cache;
	struct pskt_context	 ctx = { 0 };
	uint8_t			*redeem;

	all = json_parse(&pt_pool, file, len, err, sizeof(err));
	ck_assert_msg(all != NULL, "%s", err);
	ck_assert_uint_ge(all->n, 13);
	for (c = all->first; c != NULL; c = c->next) {
		redeem = vec_unhex(json_cstr(&pt_pool, json_get(c,
		    "redeem_script")), &ctx.redeem.len);
		ctx.redeem.p = redeem;
		v = json_get(c, "request");
		if (json_get(c, "error") != NULL) {
			ck_assert_int_eq(pskt_parse(&pt_pool, &ctx, file, v,
			    &pt_doc,
			    &pt_err), -1);
			ck_assert_int_eq(pt_err.code, PSKT_INVALID);
			free(redeem);
			seen++;
			continue;
		}
		ck_assert_msg(pskt_parse(&pt_pool, &ctx, file, v, &pt_doc,
		    &pt_err) == 0,
		    "%s", pt_err.message);
		check_hashes(&pt_doc.pskt[0].tx, json_cstr(&pt_pool,
		    json_get(c, "name")), json_cstr(&pt_pool,
		    json_get(c, "transaction_id")));
		sighash_cache_init(&cache);
		for (s = json_get(c,
		    "sighashes")->first; s != NULL; s = s->next)
			check_sighash(&pt_doc.pskt[0].tx,
			    (size_t)(s->key.p[0] - '0'), &cache, s);
		for (i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
			if (json_is_string(json_get(c, "name"),
			    notes[i].name)) {
				ck_assert_msg(has_note(notes[i].note), "%s",
				    notes[i].note);
				seen++;
			}
		out = emit(NULL, 0);
		ck_assert_uint_eq(strlen(out), v->end - v->start);
		ck_assert_mem_eq(out, file + v->start, strlen(out));
		free(redeem);
	}
	ck_assert_uint_eq(seen, 4 + sizeof(notes) / sizeof(notes[0]));
	free(file);
}
END_TEST

static char *
many(size_t nin, size_t nout)
{
	size_t	 cap = 2000 + 1600 * (nin + nout), at, i;
	char	*s = malloc(cap);

	ck_assert_ptr_nonnull(s);
	at = (size_t)snprintf(s, cap,
	    "{\"global\":{\"version\":0,\"txVersion\":0,"
	    "\"inputsModifiable\":false,\"outputsModifiable\":false,"
	    "\"inputCount\":%zu,\"outputCount\":%zu,\"xpubs\":{},\"id\":null,"
	    "\"proprietaries\":{},\"payload\":null,\"fallbackLockTime\":9},"
	    "\"inputs\":[", nin, nout);
	for (i = 0; i < nin; i++)
		at += (size_t)snprintf(s + at, cap - at, "%s{\"utxoEntry\":{"
		    "\"amount\":1000000,\"scriptPublicKey\":\"" SPK_A "\","
		    "\"blockDaaScore\":36151168,\"isCoinbase\":false},"
		    "\"previousOutpoint\":{\"transactionId\":\"" TXID_1
		    "\",\"index\":%zu},\"sequence\":0,\"minTime\":null,"
		    "\"partialSigs\":{\"03" KEY_B "\":{\"schnorr\":\"" SIG_1 "\"},"
		    "\"02" TXID_2 "\":{\"schnorr\":\"" SIG_1 "\"}},"
		    "\"sighashType\":1,\"redeemScript\":null,\"sigOpCount\":1,"
		    "\"bip32Derivations\":{\"03" KEY_B "\":null,\"02" TXID_2
		    "\":null},\"finalScriptSig\":null,\"proprietaries\":{}}",
		    i == 0 ? "" : ",", i);
	at += (size_t)snprintf(s + at, cap - at, "],\"outputs\":[");
	for (i = 0; i < nout; i++)
		at += (size_t)snprintf(s + at, cap - at, "%s{\"amount\":10,"
		    "\"scriptPublicKey\":\"" SPK_A "\",\"redeemScript\":null,"
		    "\"bip32Derivations\":{},\"proprietaries\":{}}",
		    i == 0 ? "" : ",");
	(void)snprintf(s + at, cap - at, "]}");
	return s;
}

START_TEST(large)
{
	struct pskt_new_sig	*sig = calloc(1000, sizeof(*sig));
	char			*s, *out;
	double			 t;
	size_t			 i;

	s = many(1000, 1000);
	t = pt_now();
	ck_assert_msg(pt_parse(s) == 0, "%s", pt_err.message);
	ck_assert_uint_eq(pt_doc.pskt[0].tx.lock_time, 0);
	for (i = 0; i < 1000; i++)
		sig[i] = new_sig(0, 999 - i, "02" KEY_A, 0x11);
	out = emit(sig, 1000);
	ck_assert_double_lt(pt_now() - t, 2.0);
	free(s);
	ck_assert_msg(pt_parse(out) == 0, "%s", pt_err.message);
	ck_assert_uint_eq(pt_doc.pskt[0].in[999].nsig, 3);
	free(sig);

	s = many(1001, 1);
	ck_assert_int_eq(pt_parse(s), -1);
	ck_assert_int_eq(pt_err.code, PSKT_TOO_LARGE);
	ck_assert_int_eq(strncmp(pt_err.message, "inputs: ", 8), 0);
	free(s);
	s = many(1, 1001);
	ck_assert_int_eq(pt_parse(s), -1);
	ck_assert_int_eq(pt_err.code, PSKT_TOO_LARGE);
	ck_assert_int_eq(strncmp(pt_err.message, "outputs: ", 9), 0);
	free(s);
	/* Without inputs fallbackLockTime counts. */
	s = many(0, 1);
	ck_assert_msg(pt_parse(s) == 0, "%s", pt_err.message);
	ck_assert_uint_eq(pt_doc.pskt[0].tx.lock_time, 9);
	free(s);
	s = many(1, 999);
	ck_assert_msg(pt_parse(s) == 0, "%s", pt_err.message);
	free(s);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("pskt_emit");
	TCase	*tc = tcase_create("pskt_emit");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(tc, pt_setup, pt_teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, emits);
	tcase_add_test(tc, both_parities);
	tcase_add_test(tc, vectors);
	tcase_add_test(tc, edge_vectors);
	tcase_add_test(tc, large);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
