/* signd/pskt_inspect: what is said of a document, in both forms. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pskt_doc.h"
#include "signd/pskt_inspect.h"
#include "vec.h"

#define PAGE	"man/igra-signd-api.7"

static struct inspect_context	 ctx;
static struct inspect		 ins;
static struct json_out		 out;

static void
setup(void)
{
	pt_setup();
	memset(&ctx, 0, sizeof(ctx));
}

static void
teardown(void)
{
	pt_teardown();
}

/* Inspects pt_doc; the JSON form, parsed. */
static const struct json *
inspect(void)
{
	struct verify	 v;
	const char	*text;
	char		*copy, err[256];
	struct json	*j;
	size_t		 len;

	ck_assert_int_eq(verify_init(&v, &pt_pool, &pt_doc, true), 0);
	ck_assert_int_eq(verify_step(&v, 1000000), 1);
	ck_assert_int_eq(inspect_make(&ins, &ctx, &v), 0);
	ck_assert_int_eq(json_out_init(&out, 0), 0);
	ck_assert_int_eq(pskt_inspect(&pt_pool, &ctx, &pt_doc, &out), 0);
	ck_assert_ptr_nonnull(text = json_out_text(&out, &len));
	copy = pool_strndup(&pt_pool, text, len);
	json_out_free(&out);
	j = json_parse(&pt_pool, copy, len, err, sizeof(err));
	ck_assert_msg(j != NULL, "%s", err);
	return j;
}

static char *
text(void)
{
	char	*s, *copy;
	size_t	 len;
	FILE	*f;

	ck_assert_ptr_nonnull(f = open_memstream(&s, &len));
	ck_assert_int_eq(pskt_inspect_text(&pt_pool, &ctx, &pt_doc, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	copy = pool_strndup(&pt_pool, s, len);
	free(s);
	for (const char *p = copy; *p != '\0'; p++)
		ck_assert(*p == '\n' || (*p >= ' ' && *p <= '~'));
	return copy;
}

static const struct json *
doc0(const struct json *j)
{
	return json_get(j, "pskts")->first;
}

static const struct json *
nth(const struct json *array, unsigned n)
{
	const struct json	*v = array->first;

	while (n-- > 0)
		v = v->next;
	return v;
}

static uint64_t
number(const struct json *obj, const char *name)
{
	uint64_t	 v = 0;

	ck_assert_msg(json_u64(json_get(obj, name), UINT64_MAX, &v) == 0, "%s",
	    name);
	return v;
}

static bool
is_null(const struct json *obj, const char *name)
{
	const struct json	*v = json_get(obj, name);

	ck_assert_msg(v != NULL, "%s", name);
	return v->type == JSON_NULL;
}

static bool
says(const struct json *doc, const char *code)
{
	const struct json	*v = json_get(doc, "warnings")->first;

	for (; v != NULL; v = v->next)
		if (json_is_string(json_get(v, "code"), code))
			return true;
	return false;
}

/* A document with what nobody can know: no UTXO, ECDSA, covenants. */
START_TEST(strange)
{
	const struct json	*d, *in;
	char			*s;

	ck_assert_int_eq(pt_parse(pt_base), 0);
	d = doc0(inspect());
	ck_assert_uint_eq(number(d, "tx_version"), 1);
	ck_assert(is_null(d, "fee") && is_null(d, "fee_rate") &&
	    is_null(d, "amount_in") && is_null(d, "outflow"));
	ck_assert(is_null(json_get(d, "mass"), "storage"));
	ck_assert(json_is_string(json_get(d, "state"), "unknown"));
	ck_assert(says(d, "FEE_UNKNOWN") && says(d, "TX_VERSION") &&
	    says(d, "SIGHASH_TYPE") && says(d, "UNKNOWN_SCRIPT") &&
	    says(d, "FINAL_SCRIPT") && !says(d, "LOCK_TIME"));
	in = nth(json_get(d, "inputs"), 0);
	ck_assert(json_is_string(json_get(in, "script"), "p2pk"));
	ck_assert(json_is_string(json_get(in, "final"), "invalid"));
	ck_assert(is_null(in, "own"));
	ck_assert_uint_eq(number(in, "missing"), 1);
	in = nth(json_get(d, "inputs"), 1);
	ck_assert(json_is_string(json_get(in, "script"), "unknown"));
	ck_assert(is_null(in, "amount") && is_null(in, "address") &&
	    is_null(in, "required") && is_null(in, "missing"));
	ck_assert_uint_eq(number(in, "other_signatures"), 2);
	ck_assert(json_is_string(json_get(in, "sighash"),
	    "all_anyonecanpay"));
	in = nth(json_get(d, "outputs"), 1);
	ck_assert_uint_eq(number(json_get(in, "covenant"),
	    "authorizing_input"), 1);
	ck_assert(is_null(in, "address"));
	s = text();
	ck_assert_ptr_nonnull(strstr(s, "fee          not known"));
	ck_assert_ptr_nonnull(strstr(s, " (covenant)"));
	ck_assert_ptr_nonnull(strstr(s, "lock time    77 (DAA score), switched "
	    "off by the sequences\n"));
}
END_TEST

/* The vectors, unsigned: each adds up, and is what we are told is ours. */
START_TEST(vectors)
{
	size_t			 len, i;
	char			*file = vec_read("pskt.json", &len), err[256];
	const struct json	*all, *c, *d, *in;
	const struct tx		*tx;
	uint64_t		 fee;

	all = json_parse(&pt_pool, file, len, err, sizeof(err));
	ck_assert_ptr_nonnull(all);
	for (c = all->first; c != NULL; c = c->next) {
		ck_assert_int_eq(pskt_parse(&pt_pool, NULL, file, json_get(c,
		    "pskt"), &pt_doc, &pt_err), 0);
		tx = &pt_doc.pskt[0].tx;
		memset(&ctx, 0, sizeof(ctx));
		ctx.network = KASPA_TESTNET;
		ctx.redeem = tx->in[0].redeem;
		ctx.now_ms = 1800000000000;
		d = doc0(inspect());
		ck_assert(json_is_string(json_get(d, "transaction_id"),
		    json_cstr(&pt_pool, json_get(c, "transaction_id"))));
		ck_assert(json_is_string(json_get(d, "state"), "unsigned"));
		for (fee = 0, i = 0; i < tx->nin; i++)
			fee += tx->in[i].amount;
		for (i = 0; i < tx->nout; i++)
			fee -= tx->out[i].value;
		ck_assert_uint_eq(number(d, "fee"), fee);
		ck_assert_uint_eq(number(json_get(d, "mass"), "size") * 4,
		    number(json_get(d, "mass"), "transient"));
		ck_assert_int_eq(number(d, "relay_fee") > fee,
		    says(d, "LOW_FEE"));
		in = json_get(d, "inputs")->first;
		for (i = 0; i < tx->nin; i++, in = in->next) {
			if (tx->in[i].redeem.len == 0) {
				ck_assert(ctx.redeem.len == 0 ||
				    !json_get(in, "own")->truth);
				continue;
			}
			ck_assert(json_get(in, "own")->truth);
			ck_assert_uint_eq(number(in, "required"), 2 +
			    (json_get(in, "keys")->n == 5));
			ck_assert_uint_eq(number(in, "missing"),
			    number(in, "required"));
		}
		ck_assert_ptr_nonnull(strstr(text(), " KAS from kaspatest:"));
	}
	free(file);
}
END_TEST

/* An input of 10 KAS and these outputs, P2PK of key A. */
static char *
plain(uint64_t one, uint64_t two, const char *more)
{
	return pool_printf(&pt_pool, "{\"global\":{\"version\":0,\"txVersion\":0,"
	    "\"inputsModifiable\":false,\"outputsModifiable\":false,"
	    "\"inputCount\":1,\"outputCount\":2,\"xpubs\":{},"
	    "\"proprietaries\":{},\"payload\":null},\"inputs\":[{\"utxoEntry\":{"
	    "\"amount\":1000000000,\"scriptPublicKey\":\"" SPK_A "\","
	    "\"blockDaaScore\":100,\"isCoinbase\":false},\"previousOutpoint\":{"
	    "\"transactionId\":\"" TXID_1 "\",\"index\":0},\"partialSigs\":{},"
	    "\"sighashType\":1,\"redeemScript\":null,\"sigOpCount\":1,"
	    "\"bip32Derivations\":{},\"finalScriptSig\":null,"
	    "\"proprietaries\":{}%s}],\"outputs\":[{\"amount\":%" PRIu64 ","
	    "\"scriptPublicKey\":\"000020" KEY_B "ac\",\"redeemScript\":null,"
	    "\"bip32Derivations\":{},\"proprietaries\":{}},{\"amount\":%" PRIu64
	    ",\"scriptPublicKey\":\"" SPK_A "\",\"redeemScript\":null,"
	    "\"bip32Derivations\":{},\"proprietaries\":{}}]}", more, one, two);
}

static const struct json *
look(uint64_t one, uint64_t two, const char *more)
{
	ck_assert_msg(pt_parse(plain(one, two, more)) == 0, "%s",
	    pt_err.message);
	return doc0(inspect());
}

START_TEST(fees)
{
	uint8_t			 key[32];
	const struct json	*d;
	uint64_t		 relay;

	pt_unhex(KEY_A, key);
	ctx.xonly = key;
	ctx.network = KASPA_DEVNET;
	d = look(400000000, 599000000, "");
	relay = number(d, "relay_fee");
	/* 94 + 52 + 66 + 2 * 52 bytes, 10 * 72 for scripts, 1 check */
	ck_assert_uint_eq(relay, 100 * (316 + 720 + 1000));
	ck_assert(json_get(nth(json_get(d, "outputs"), 1), "change")->truth);
	ck_assert(!json_get(nth(json_get(d, "outputs"), 0), "change")->truth);
	ck_assert_uint_eq(number(d, "outflow"), 401000000);
	ck_assert_uint_eq(number(d, "fee"), 1000000);
	/* Not more than a hundredth of 4 KAS, though five times relay. */
	ck_assert(!says(d, "HIGH_FEE") && !says(d, "LOW_FEE"));
	/* At the border of either measure. */
	ck_assert(!says(look(400000000, 1000000000 - 400000000 - 4000000, ""),
	    "HIGH_FEE"));
	ck_assert(says(look(400000000, 1000000000 - 400000000 - 4000001, ""),
	    "HIGH_FEE"));
	ck_assert(!says(look(20000000, 980000000 - 10 * relay - 9, ""),
	    "HIGH_FEE"));
	ck_assert(says(look(20000000, 980000000 - 10 * relay - 10, ""),
	    "HIGH_FEE"));
	ck_assert(!says(look(20000000, 980000000 - relay, ""), "LOW_FEE"));
	ck_assert(says(look(20000000, 980000000 - relay + 1, ""), "LOW_FEE"));
	/* Under NONE nothing is sure to come back. */
	d = look(400000000, 599000000, ",\"x\":0");
	ck_assert_uint_eq(number(d, "outflow"), 401000000);
	ck_assert_int_eq(pt_parse(plain(400000000, 599000000, "")), 0);
	pt_doc.pskt[0].tx.in[0].sighash_type = SIGHASH_NONE;
	d = doc0(inspect());
	ck_assert_uint_eq(number(d, "outflow"), 1000000000);
	ck_assert(!json_get(nth(json_get(d, "outputs"), 1), "change")->truth);
	/* Under ANYONECANPAY it does, but only once for all that are joined. */
	pt_doc.pskt[0].tx.in[0].sighash_type = SIGHASH_ALL |
	    SIGHASH_ANYONECANPAY;
	d = doc0(inspect());
	ck_assert_uint_eq(number(d, "outflow"), 1000000000);
	ck_assert(json_get(nth(json_get(d, "outputs"), 1), "change")->truth);
	/* On mainnet igra-keyd calls only configured scripts its own. */
	ctx.network = KASPA_MAINNET;
	d = look(400000000, 599000000, "");
	ck_assert(is_null(d, "outflow"));
	ck_assert(is_null(nth(json_get(d, "outputs"), 1), "change"));
	ck_assert(is_null(nth(json_get(d, "inputs"), 0), "own"));
	ck_assert_ptr_null(strstr(text(), "(change)"));
	/* Nobody is known. */
	ctx.network = KASPA_DEVNET;
	ctx.xonly = NULL;
	d = look(400000000, 599000000, "");
	ck_assert(is_null(d, "outflow"));
	ck_assert(is_null(nth(json_get(d, "outputs"), 1), "change"));
	/* With keys that only igra-keyd derives, a P2PK is not ours. */
	ctx.hd = true;
	d = look(400000000, 599000000, "");
	ck_assert(!json_get(nth(json_get(d, "outputs"), 1), "change")->truth);
}
END_TEST

START_TEST(warnings)
{
	const struct json	*d;

	d = look(59999, 599000000, "");
	ck_assert(says(d, "DUST"));
	ck_assert(json_get(nth(json_get(d, "outputs"), 0), "dust")->truth);
	/* 10^12 / 59999 grams of storage. */
	ck_assert(says(d, "MASS"));
	d = look(5000000, 990000000, "");
	ck_assert(!says(d, "DUST") && !says(d, "MASS") &&
	    says(d, "WALLET_MASS"));
	/* A lock time counts unless every sequence is the greatest. */
	ctx.now_ms = 1800000000000;
	d = look(400000000, 599000000, ",\"minTime\":1800000000001");
	ck_assert(!says(d, "LOCK_TIME"));
	ck_assert(!json_get(json_get(d, "lock_time"), "active")->truth);
	d = look(400000000, 599000000,
	    ",\"minTime\":1800000000001,\"sequence\":0");
	ck_assert(says(d, "LOCK_TIME"));
	ck_assert(json_get(json_get(d, "lock_time"), "active")->truth);
	ck_assert_ptr_nonnull(strstr(text(), "2027-01-15T08:00:00Z"));
	d = look(400000000, 599000000,
	    ",\"minTime\":1800000000000,\"sequence\":0");
	ck_assert(!says(d, "LOCK_TIME"));
	d = look(400000000, 599000000, ",\"minTime\":100,\"sequence\":0");
	ck_assert(!says(d, "LOCK_TIME"));
	d = look(400000000, 599000000, ",\"minTime\":101,\"sequence\":0");
	ck_assert(says(d, "LOCK_TIME"));
	d = look(400000000, 599000000,
	    ",\"minTime\":18446744073709551615,\"sequence\":0");
	ck_assert(says(d, "LOCK_TIME"));
	ck_assert_ptr_nonnull(strstr(text(), "18446744073709551615 (ms)"));
	ck_assert(!says(d, "RELATIVE_LOCK"));
	/* Bit 63 disables the relative lock, whose bits are the low 32. */
	d = look(400000000, 599000000, ",\"sequence\":9223372036854775850");
	ck_assert(!says(d, "RELATIVE_LOCK"));
	d = look(400000000, 599000000, ",\"sequence\":4294967297");
	ck_assert(!says(d, "RELATIVE_LOCK"));
	d = look(400000000, 599000000, ",\"sequence\":4294967295");
	ck_assert(says(d, "RELATIVE_LOCK"));
	ck_assert_ptr_nonnull(strstr(text(), "must first be 4294967295 old in "
	    "DAA score (429496729 seconds)"));
}
END_TEST

static char	*page;

static bool
in_page(const char *word, size_t len)
{
	const char	*at;

	for (at = page; (at = strstr(at, word)) != NULL; at++)
		if ((at == page || strchr(" {[\n", at[-1]) != NULL) &&
		    strchr(" ,}]:\n", at[len]) != NULL)
			return true;
	return false;
}

/* Every member's name is in the page. */
static void
check_names(const struct json *v)
{
	const struct json	*c;

	if (v->key.len != 0)
		ck_assert_msg(in_page(pool_strndup(&pt_pool,
		    (const char *)v->key.p, v->key.len), v->key.len),
		    PAGE " has no %.*s", (int)v->key.len, v->key.p);
	for (c = v->first; c != NULL; c = c->next)
		check_names(c);
}

/* 1 of 16 is a multisig, but a push of 531 bytes no node takes. */
START_TEST(keys)
{
	uint8_t			 redeem[MULTISIG_MAX_SCRIPT] = { 0x51 };
	uint8_t			 p2sh[P2SH_SCRIPT_LEN];
	const struct json	*d;
	unsigned		 i;

	ck_assert_int_eq(pt_parse(plain(400000000, 599000000, "")), 0);
	for (i = 0; i < 16; i++) {
		redeem[1 + 33 * i] = 0x20;
		pt_unhex(KEY_A, redeem + 2 + 33 * i);
	}
	redeem[529] = 0x60;
	redeem[530] = 0xae;
	script_p2sh(redeem, 531, p2sh);
	pt_doc.pskt[0].tx.in[0].redeem.p = redeem;
	pt_doc.pskt[0].tx.in[0].redeem.len = 531;
	pt_doc.pskt[0].tx.in[0].spk.script.p = p2sh;
	pt_doc.pskt[0].tx.in[0].spk.script.len = sizeof(p2sh);
	d = doc0(inspect());
	ck_assert(says(d, "KEYS"));
	ck_assert_uint_eq(json_get(nth(json_get(d, "inputs"), 0), "keys")->n,
	    16);
	/* With 15 it is one that nodes take. */
	redeem[496] = 0x5f;
	redeem[497] = 0xae;
	script_p2sh(redeem, 498, p2sh);
	pt_doc.pskt[0].tx.in[0].redeem.len = 498;
	ck_assert(!says(doc0(inspect()), "KEYS"));
	/* A node stops at a key that is none. */
	memset(redeem + 2 + 33 * 7, 0xff, 32);
	script_p2sh(redeem, 498, p2sh);
	ck_assert(says(doc0(inspect()), "KEYS"));
	ck_assert_ptr_nonnull(strstr(text(), "KEYS: inputs[0].redeemScript: "
	    "key 8 is no point of the curve"));
}
END_TEST

START_TEST(names)
{
	const char	*name;
	size_t		 n;
	int		 w;

	page = vec_file(PAGE, &n);
	ck_assert_uint_gt(n, 10000);
	for (w = 0; w < WARN_MAX; w++) {
		name = inspect_warn_name((enum inspect_warn)w);
		ck_assert_msg(in_page(name, strlen(name)), PAGE " has no %s",
		    name);
	}
	ck_assert_int_eq(pt_parse(pt_base), 0);
	check_names(inspect());
	ck_assert_str_eq(inspect_sighash_name(0x84), "single_anyonecanpay");
	ck_assert_str_eq(inspect_sighash_name(3), "unknown");
	free(page);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("pskt_inspect");
	TCase	*t = tcase_create("inspect");
	SRunner	*r;
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, strange);
	tcase_add_test(t, vectors);
	tcase_add_test(t, fees);
	tcase_add_test(t, warnings);
	tcase_add_test(t, keys);
	tcase_add_test(t, names);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
