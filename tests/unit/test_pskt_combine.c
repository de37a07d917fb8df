/* signd/pskt_combine: every rule of KASPA.md, "Combine", but for signatures. */
#include "pskt_combine_rig.h"

/*
 * A member of the document as the left and the right one have it and as it
 * comes out; without that, the error.
 */
struct row {
	const char	*from, *left, *right, *out, *error;
};

#define UTXO	"\"utxoEntry\":{\"amount\":721525998,\"scriptPublicKey\":\"" \
	SPK_A "\",\"blockDaaScore\":36151168,\"isCoinbase\":false," \
	"\"covenantId\":null}"
#define OUT	"\"scriptPublicKey\":\"0102\","
#define COV	"\"covenant\":{\"authorizingInput\":1,\"covenantId\":\"" \
	TXID_2 "\"}"
#define DIFFER	": differs between documents 0 and 1"
#define B_NULL	"\"03" KEY_B "\":null"
#define B_SOURCE "\"03" KEY_B "\":" SOURCE
#define SIG_B	"{\"schnorr\" : \"" SIG_1 "\"}"
#define XPUB	"\"xpub1\":{\"keyFingerprint\":\"a1b2c3d4\"," \
	"\"derivationPath\":\"m"
#define XEND	"\"}"

static const struct row rows[] = {
	/* Equal, or one-sided. */
	{ "\"version\":1", "\"version\":1", "\"version\":2", NULL,
	    "global.version" DIFFER },
	{ "\"fallbackLockTime\":null", "\"fallbackLockTime\" : null",
	    "\"fallbackLockTime\":5", "\"fallbackLockTime\" : 5", NULL },
	{ "\"fallbackLockTime\":null", "\"fallbackLockTime\":5",
	    "\"fallbackLockTime\":null", "\"fallbackLockTime\":5", NULL },
	{ "\"fallbackLockTime\":null", "\"fallbackLockTime\":5",
	    "\"fallbackLockTime\":6", NULL, "global.fallbackLockTime" DIFFER },
	{ "\"id\":null", "\"id\":null", "\"id\":\"" TXID_1 "\"",
	    "\"id\":\"" TXID_1 "\"", NULL },
	{ "\"id\":null", "\"id\":\"" TXID_1 "\"", "\"id\":\"" TXID_2 "\"",
	    NULL, "global.id" DIFFER },
	{ "\"payload\":\"00fF\"", "\"payload\":\"00fF\"",
	    "\"payload\":\"00Ff\"", "\"payload\":\"00fF\"", NULL },
	{ "\"payload\":\"00fF\"", "\"payload\":null", "\"payload\":\"00Ff\"",
	    "\"payload\":\"00Ff\"", NULL },
	{ "\"payload\":\"00fF\"", "\"payload\":\"\"", "\"payload\":\"00\"",
	    NULL, "global.payload" DIFFER },
	{ UTXO, "\"utxoEntry\":null", UTXO, UTXO, NULL },
	{ "\"amount\":721525998,", "\"amount\":721525998,",
	    "\"amount\":721525999,", NULL, "inputs[0].utxoEntry" DIFFER },
	{ "\"isCoinbase\":false", "\"isCoinbase\":false",
	    "\"isCoinbase\":true", NULL, "inputs[0].utxoEntry" DIFFER },
	{ "\"covenantId\":null},", "\"covenantId\":null},", "\"x\":1},",
	    "\"covenantId\":null},", NULL },
	{ "\"covenantId\":null},", "\"covenantId\":null},",
	    "\"covenantId\":\"" TXID_1 "\"},", NULL,
	    "inputs[0].utxoEntry" DIFFER },
	{ "4294967295", "4294967295", "4294967294", NULL,
	    "inputs[0].previousOutpoint" DIFFER },
	{ TXID_1 "\",\"index", TXID_1 "\",\"index", TXID_2 "\",\"index",
	    NULL, "inputs[0].previousOutpoint" DIFFER },
	{ "\"redeemScript\":\"51ac\"", "\"redeemScript\":\"51ac\"",
	    "\"redeemScript\":\"51AC\"", "\"redeemScript\":\"51ac\"", NULL },
	{ "\"redeemScript\":\"51ac\"", "\"redeemScript\":null",
	    "\"redeemScript\":\"51ac\"", "\"redeemScript\":\"51ac\"", NULL },
	{ "\"redeemScript\":\"51ac\"", "\"redeemScript\":\"51ac\"",
	    "\"redeemScript\":\"52ac\"", NULL,
	    "inputs[1].redeemScript" DIFFER },
	{ "\"finalScriptSig\":\"ab\"", "\"finalScriptSig\":null",
	    "\"finalScriptSig\":\"ab\"", "\"finalScriptSig\":\"ab\"", NULL },
	{ "\"finalScriptSig\":\"ab\"", "\"finalScriptSig\":\"ac\"",
	    "\"finalScriptSig\":\"ab\"", NULL,
	    "inputs[0].finalScriptSig" DIFFER },
	{ "\"redeemScript\":\"aB\"", "\"redeemScript\":null",
	    "\"redeemScript\":\"aB\"", "\"redeemScript\":\"aB\"", NULL },
	{ "\"redeemScript\":\"aB\"", "\"redeemScript\":\"bB\"",
	    "\"redeemScript\":\"aB\"", NULL,
	    "outputs[1].redeemScript" DIFFER },
	{ COV, "\"covenant\":null", COV, COV, NULL },
	{ "\"authorizingInput\":1", "\"authorizingInput\":1",
	    "\"authorizingInput\":0", NULL, "outputs[1].covenant" DIFFER },
	{ "\"amount\":1000", "\"amount\":1000", "\"amount\":1001", NULL,
	    "outputs[0].amount" DIFFER },
	{ OUT, OUT, "\"scriptPublicKey\":\"0103\",", NULL,
	    "outputs[1].scriptPublicKey" DIFFER },
	/* The greater; null is least. */
	{ "\"sequence\":null", "\"sequence\":null", "\"sequence\":0",
	    "\"sequence\":0", NULL },
	{ "\"sequence\":18446744073709551615",
	    "\"sequence\":18446744073709551614",
	    "\"sequence\":18446744073709551615",
	    "\"sequence\":18446744073709551615", NULL },
	{ "\"sequence\":18446744073709551615", "\"sequence\":7",
	    "\"sequence\":null", "\"sequence\":7", NULL },
	{ "\"minTime\":77", "\"minTime\":77", "\"minTime\":78",
	    "\"minTime\":78", NULL },
	{ "\"minTime\":77", "\"minTime\":null", "\"minTime\":0",
	    "\"minTime\":0", NULL },
	{ "\"inputCount\":2", "\"inputCount\":0", "\"inputCount\":2",
	    "\"inputCount\":2", NULL },
	{ "\"outputCount\":2", "\"outputCount\":9", "\"outputCount\":2",
	    "\"outputCount\":9", NULL },
	/* Both. */
	{ "\"inputsModifiable\":false", "\"inputsModifiable\":true",
	    "\"inputsModifiable\":false", "\"inputsModifiable\":false",
	    NULL },
	{ "\"inputsModifiable\":false", "\"inputsModifiable\":true",
	    "\"inputsModifiable\":true", "\"inputsModifiable\":true", NULL },
	{ "\"outputsModifiable\":true", "\"outputsModifiable\":false",
	    "\"outputsModifiable\":true", "\"outputsModifiable\":false",
	    NULL },
	/* Of equally long lists, the right one. */
	{ "\"sighashType\":129", "\"sighashType\":129", "\"sighashType\":1",
	    "\"sighashType\":1", NULL },
	{ "\"sigOpCount\":1", "\"sigOpCount\":3", "\"sigOpCount\":2",
	    "\"sigOpCount\":2", NULL },
	{ "\"sigOpCount\":1", "\"sigOpCount\":3", "\"sigOpCount\":null",
	    "\"sigOpCount\":null", NULL },
	/* Maps: a conflict is an error. */
	{ "{\"p\":[1.50,-0,1e5]}", "{\"p\":[1.50,-0,1e5]}",
	    "{\"q\" : {},\"p\":[1.50, -0,1e5]}",
	    "{\"p\":[1.50,-0,1e5],\"q\" : {}}", NULL },
	{ "{\"p\":[1.50,-0,1e5]}", "{ }", "{ \"\\u0070\" : [1.50,-0,1e5]}",
	    "{\"\\u0070\" : [1.50,-0,1e5] }", NULL },
	{ "{\"p\":[1.50,-0,1e5]}", "{\"p\":[1.50,-0,1e5]}",
	    "{\"p\":[1.5,-0,1e5]}", NULL, "global.proprietaries.p" DIFFER },
	{ "{\"p\":[1.50,-0,1e5]}", "{\"p\":{\"a\":1,\"b\":[true]}}",
	    "{\"p\":{ \"b\":[true],\"\\u0061\":1}}",
	    "{\"p\":{\"a\":1,\"b\":[true]}}", NULL },
	{ "{\"p\":[1.50,-0,1e5]}", "{\"p\":{\"a\":1,\"b\":[true]}}",
	    "{\"p\":{\"a\":1,\"b\":[false]}}", NULL,
	    "global.proprietaries.p" DIFFER },
	{ "{\"p\":[1.50,-0,1e5]}", "{\"p\":null}", "{\"p\":0}", NULL,
	    "global.proprietaries.p" DIFFER },
	{ "[18446744073709551615,1.0]", "[18446744073709551615,1.0]",
	    "[18446744073709551615,1.00]", NULL,
	    "global[\"unknown ????\"]" DIFFER },
	{ "\"more\":{}", "\"more\":{}", "\"more\":{},\"and\\\\\\\"\": 1.0e0",
	    "\"more\":{},\"and\\\\\\\"\": 1.0e0", NULL },
	{ ", \"x\" : \"\\/\" }", ", \"x\" : \"\\/\" }", ", \"x\" : \"/\" }",
	    ", \"x\" : \"\\/\" }", NULL },
	{ ", \"x\" : \"\\/\" }", ", \"x\" : \"\\/\" }", ", \"x\" : \"a\" }",
	    NULL, "inputs[0].x" DIFFER },
	{ B_NULL, B_NULL, B_SOURCE, NULL,
	    "inputs[1].bip32Derivations.03" KEY_B DIFFER },
	{ "," B_NULL, "", "," B_NULL, "," B_NULL, NULL },
	{ "," B_NULL, "", "," B_SOURCE, "," B_SOURCE, NULL },
	{ "\"bip32Derivations\":{\"02" KEY_A "\":null}",
	    "\"bip32Derivations\":{\"02" KEY_A "\":null}",
	    "\"bip32Derivations\":{\"02" KEY_A "\":" SOURCE "}", NULL,
	    "outputs[1].bip32Derivations.02" KEY_A DIFFER },
	{ "," B_NULL "}", "," B_NULL "}", ",\"02" TXID_1
	    "\":null,\"02AB8176564dc757fa907b5681cb92bc7aecbfcd023a3205dd6e6cc"
	    "0db4b5b07e3\":null}", NULL, "inputs[1].bip32Derivations."
	    "02AB8176564dc757fa907b5681cb92bc7aecbfcd023a3205dd6e6cc0db4b5b0"
	    "7e3: one key twice" },
	/* xpubs: the longer path, if the other is its end. */
	{ "\"xpub1\":" SOURCE, XPUB "/0/1" XEND, XPUB "/7/0/1" XEND,
	    XPUB "/7/0/1" XEND, NULL },
	{ "\"xpub1\":" SOURCE, XPUB "/7'/0/1" XEND, XPUB "/1" XEND,
	    XPUB "/7'/0/1" XEND, NULL },
	{ "\"xpub1\":" SOURCE, XPUB "/1" XEND, XPUB "/7/11" XEND, NULL,
	    "global.xpubs.xpub1" DIFFER },
	{ "\"xpub1\":" SOURCE, XPUB "/7/11" XEND, XPUB "/1" XEND, NULL,
	    "global.xpubs.xpub1" DIFFER },
	{ "\"xpub1\":" SOURCE, "\"xpub1\":" SOURCE, XPUB "/1" XEND, NULL,
	    "global.xpubs.xpub1" DIFFER },
	{ "\"keyFingerprint\":\"A1b2", "\"keyFingerprint\":\"A1b3",
	    "\"keyFingerprint\":\"A1b2", NULL, "global.xpubs.xpub1" DIFFER },
	{ "\"xpub1\":" SOURCE, "\"xpub1\":" SOURCE, "\"xpub2\":" SOURCE,
	    "\"xpub1\":" SOURCE ",\"xpub2\":" SOURCE, NULL },
	/* Signatures never conflict; the first, if none verifies. */
	{ SIG_B, SIG_B, "{\"eCDSA\":\"" DER "\"}", SIG_B, NULL },
	{ SIG_B, "{\"eCDSA\":\"" DER "\"}", SIG_B,
	    "{\"eCDSA\":\"" DER "\"}", NULL },
};

START_TEST(rules)
{
	const struct row	*r = &rows[_i];
	const char		*left = with(r->from, r->left), *got;

	got = combine2(left, with(r->from, r->right));
	if (r->out != NULL) {
		ck_assert_msg(got != NULL, "%s: %s", r->right,
		    pt_err.message);
		ck_assert_str_eq(got, with(r->from, r->out));
	} else {
		ck_assert_msg(got == NULL, "%s was taken", r->right);
		ck_assert_str_eq(pt_err.message, r->error);
		ck_assert_int_eq(pt_err.code, PSKT_INVALID);
		ck_assert_uint_eq(pt_err.pskt, PSKT_NOT_IN_BUNDLE);
	}
	/* With itself, and as often as you like. */
	ck_assert_str_eq(combine2(left, left), left);
	if (got == NULL)
		return;
	ck_assert_str_eq(combine2(left, got), got);
	add_doc(left);
	add_doc(left);
	add_doc(got);
	add_doc(got);
	ck_assert_str_eq(combined(), got);
}
END_TEST

#define ENTRY(amount)	"{\"amount\":" amount ",\"scriptPublicKey\":\"" SPK_A \
	"\",\"blockDaaScore\":0,\"isCoinbase\":false}"

/* A plain document: PSKT version, txVersion, payload, two UTXO entries. */
static const char *
plain(int version, int tx_version, const char *pay, const char *utxo1,
    const char *utxo2)
{
	static const char	*input = "\"sighashType\":1,\"partialSigs\":{},"
	    "\"bip32Derivations\":{},\"redeemScript\":null,"
	    "\"finalScriptSig\":null,\"proprietaries\":{},"
	    "\"previousOutpoint\":{\"transactionId\":\"" TXID_1 "\"";

	return pool_printf(&pt_pool, "{\"global\":{\"version\":%d,"
	    "\"txVersion\":%d,\"inputsModifiable\":false,"
	    "\"outputsModifiable\":false,\"inputCount\":2,"
	    "\"outputCount\":1,\"xpubs\":{},\"proprietaries\":{},"
	    "\"payload\":%s},\"inputs\":[{\"utxoEntry\":%s,%s,\"index\":0}},"
	    "{\"utxoEntry\":%s,%s,\"index\":1}}],\"outputs\":[{\"amount\":11,"
	    "\"scriptPublicKey\":\"" SPK_A "\",\"redeemScript\":null,"
	    "\"bip32Derivations\":{},\"proprietaries\":{}}]}", version,
	    tx_version, pay, utxo1, input, utxo2, input);
}

/* What one of them alone may say, but not both together. */
START_TEST(together)
{
	const char	*s;

	s = plain(0, 0, "null", "null", "null");
	ck_assert_str_eq(combine2(s, s), s);
	ck_assert_ptr_null(combine2(s, plain(0, 1, "null", "null", "null")));
	ck_assert_str_eq(pt_err.message, "global.txVersion" DIFFER);
	/* PSKT version 0 has no payload, not even an empty one. */
	ck_assert_ptr_null(combine2(s, plain(0, 0, "\"\"", "null", "null")));
	ck_assert_str_eq(pt_err.message,
	    "global.payload: PSKT version 0 has none");
	/* Each from one side. */
	ck_assert_str_eq(combine2(plain(0, 0, "null", ENTRY("5"), "null"),
	    plain(0, 0, "null", "null", ENTRY("6"))),
	    plain(0, 0, "null", ENTRY("5"), ENTRY("6")));
	ck_assert_ptr_null(combine2(plain(0, 0, "null", ENTRY("5"), "null"),
	    plain(0, 0, "null", "null", ENTRY("5"))));
	ck_assert_str_eq(pt_err.message,
	    "combined: outputs: exceed the inputs");
	s = plain(0, 0, "null", "null", ENTRY("2899999999999999999"));
	ck_assert_ptr_null(combine2(plain(0, 0, "null", ENTRY("2"), "null"),
	    s));
	ck_assert_str_eq(pt_err.message, "combined: inputs[1].utxoEntry.amount"
	    ": more sompi than there can be");
	ck_assert_int_eq(pt_err.code, PSKT_INVALID);
}
END_TEST

/* Members that are not there, and rows too special for the table. */
START_TEST(added)
{
	const char	*s, *a;

	/* An absent member is null. */
	s = combine2(with("\"fallbackLockTime\":null,", ""),
	    with("\"fallbackLockTime\":null", "\"fallbackLockTime\" :5"));
	ck_assert_ptr_nonnull(strstr(s, "[18446744073709551615,1.0],"
	    "\"fallbackLockTime\" :5}"));
	s = combine2(with("\"sigOpCount\":1,", ""), pt_base);
	ck_assert_ptr_nonnull(strstr(s, "\"x\" : \"\\/\",\"sigOpCount\":1 }"));
	s = combine2(pt_base, with("\"sigOpCount\":1,", ""));
	ck_assert_str_eq(s, with("\"sigOpCount\":1", "\"sigOpCount\":null"));
	/* A signature of the right one only: after those of the left. */
	s = combine2(with("\"03" KEY_B "\" : " SIG_B ",", ""), pt_base);
	ck_assert_ptr_nonnull(strstr(s, "{ \"02" TXID_1 "\":{\"eCDSA\":\""
	    DER "\"},\"03" KEY_B "\" : " SIG_B " }"));
	/* Keys are the same in either case, and the left spelling stays. */
	a = with("\"03" KEY_B "\" : ", "\"030CB1B7c079ba61f0eead7a68411634a8d1"
	    "ee0e479351338a92ea0dcc15f2dfb8\" : ");
	ck_assert_str_eq(combine2(pt_base, a), pt_base);
	ck_assert_str_eq(combine2(a, pt_base), a);
}
END_TEST

/* Lists of different lengths: the longer one, and its types. */
START_TEST(lengths)
{
	const char	*both, *one, *s, *at, *end;

	/* So that the first input pays for the outputs. */
	both = with("2899999999999990000", "1");
	at = strstr(both, "\r\n,{\"utxoEntry\":null");
	end = strstr(both, "],\"outputs\"");
	one = pool_printf(&pt_pool, "%.*s%s", (int)(at - both), both, end);
	/* Without the white space before the comma. */
	both = pool_printf(&pt_pool, "%.*s%s", (int)(at - both), both,
	    at + 2);
	ck_assert_str_eq(combine2(both, one), both);
	ck_assert_str_eq(combine2(one, both), both);
	at = strstr(one, "\"sighashType\":1");
	one = pool_printf(&pt_pool, "%.*s\"sighashType\":2%s",
	    (int)(at - one), one, at + strlen("\"sighashType\":1"));
	ck_assert_str_eq(combine2(both, one), both);
	s = combine2(one, both);
	ck_assert_ptr_nonnull(strstr(s, "\"sighashType\":1,\"redeemScript\":"
	    "null,\"sigOpCount\":1"));
	ck_assert_ptr_null(strstr(s, "\"sighashType\":2,"));
}
END_TEST

START_TEST(forms)
{
	const char	*other = with("\"minTime\":77", "\"minTime\":78");
	const char	*two, *swapped, *got;
	char		*s, *t, *u;

	/* In the form of the first. */
	s = pt_frame("PSKT", pt_base, pt_base_len);
	t = pt_frame("PSKT", other, strlen(other));
	ck_assert_str_eq(combine2(s, t), t);
	ck_assert_str_eq(combine2(s, other), t);
	ck_assert_str_eq(combine2(pt_base, t), other);
	free(t);
	/* Bundles, member by member; white space is kept. */
	two = pool_printf(&pt_pool, " [ %s ,\n%s ]\n", pt_base, other);
	swapped = pool_printf(&pt_pool, "[%s,%s]", other, pt_base);
	t = pt_frame("PSKB", two, strlen(two));
	u = pt_frame("PSKB", swapped, strlen(swapped));
	got = combine2(t, u);
	free(u);
	two = pool_printf(&pt_pool, " [ %s ,\n%s ]\n", other, other);
	u = pt_frame("PSKB", two, strlen(two));
	ck_assert_str_eq(got, u);
	/* An error says in which. */
	free(u);
	swapped = pool_printf(&pt_pool, "[%s,%s]", other,
	    with("\"amount\":1000", "\"amount\":1001"));
	u = pt_frame("PSKB", swapped, strlen(swapped));
	ck_assert_ptr_null(combine2(t, u));
	ck_assert_uint_eq(pt_err.pskt, 1);
	ck_assert_str_eq(pt_err.message, "outputs[0].amount" DIFFER);
	free(u);
	/* Not of one kind. */
	ck_assert_ptr_null(combine2(t, s));
	ck_assert_str_eq(pt_err.message, "a bundle and a single PSKT");
	swapped = pool_printf(&pt_pool, "[%s]", pt_base);
	u = pt_frame("PSKB", swapped, strlen(swapped));
	ck_assert_ptr_null(combine2(t, u));
	ck_assert_str_eq(pt_err.message, "bundles of different lengths");
	free(s);
	free(t);
	free(u);
	ck_assert_ptr_null(combined());
	ck_assert_str_eq(pt_err.message, "there is nothing to combine");
	add_doc(pt_base);
	ck_assert_str_eq(combined(), pt_base);
}
END_TEST

/* Many members: the work is not to be quadratic. */
START_TEST(wide)
{
	const size_t	 n = 60000;
	char		*doc[2], *to, *all;
	size_t		 k, i;
	double		 t;
	const char	*s;

	for (k = 0; k < 2; k++) {
		ck_assert_ptr_nonnull(to = doc[k] = malloc(20 * n));
		for (i = 0; i < n; i++)
			to += sprintf(to, "%s\"%zu\":%zu", i == 0 ? "" : ",",
			    2 * i + k, i);
		all = pool_printf(&pt_pool, "\"more\":{},%s", doc[k]);
		free(doc[k]);
		add_doc(with("\"more\":{}", all));
	}
	t = pt_now();
	ck_assert_ptr_nonnull(s = combined());
	ck_assert_msg(pt_now() - t < 5, "%f s", pt_now() - t);
	ck_assert_uint_gt(strlen(s), 2 * 10 * n);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("pskt_combine");
	TCase	*tc = tcase_create("pskt_combine");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(tc, pt_setup, pt_teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, rules, 0,
	    (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(tc, together);
	tcase_add_test(tc, added);
	tcase_add_test(tc, lengths);
	tcase_add_test(tc, forms);
	tcase_add_test(tc, wide);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
