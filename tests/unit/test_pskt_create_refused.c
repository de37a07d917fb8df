/* signd/pskt_create: requests that it refuses, and what it says. */
#include "pskt_create_rig.h"

#define U(more)	"[{\"outpoint\":{\"transactionId\":\"" TXID_1 \
	"\",\"index\":0},\"utxoEntry\":{\"amount\":5000000000," \
	"\"scriptPublicKey\":\"" SPK_A "\",\"blockDaaScore\":1," \
	"\"isCoinbase\":false" more "}}]"

#define FOUR	"20" KEY_A "20" KEY_A "20" KEY_B "20" KEY_B

struct bad {
	const char	*from, *to, *error;
};
/* In the request below. */
static const struct bad bad[] = {
	{ "\"fee_rate\":100", "\"fee_rate\":0", "fee_rate: is 0" },
	{ "\"fee_rate\":100", "\"fee_rate\":1.5", "fee_rate: must be a plain "
	    "integer from 0 to 1000000" },
	{ "\"fee_rate\":100", "\"fee_rate\":1000001", "fee_rate: must be a "
	    "plain integer from 0 to 1000000" },
	{ ",\"fee_rate\":100", "", "fee_rate: missing" },
	{ ",\"fee_rate\"", ",\"Payload\":\"00\",\"fee_rate\"",
	    "Payload: no such parameter" },
	{ "\"amount\":2000000000", "\"amount\":0", "outputs[0].amount: is 0" },
	{ "\"amount\":2000000000", "\"amount\":59999", "outputs[0].amount: "
	    "dust, which nodes do not relay" },
	{ "\"amount\":2000000000", "\"amount\":\"2\"", "outputs[0].amount: "
	    "must be a plain integer from 0 to 2900000000000000000" },
	{ "\"amount\":2000000000", "\"amount\":5000000000", "utxos: 162400 "
	    "sompi are missing: they hold 5000000000, outputs take 5000000000 "
	    "and the fee 162400" },
	{ "\"amount\":2000000000}", "\"amount\":2000000000},{\"address\":"
	    "\"kaspadev:qqq\",\"amount\":1}", "outputs[1].address: " },
	{ "5000000000,", "0,", "utxos[0].utxoEntry.amount: is 0" },
	{ "5000000000,", "2900000000000000001,", "utxos[0].utxoEntry.amount: "
	    "must be a plain integer from 0 to 2900000000000000000" },
	{ "\"isCoinbase\":false", "\"isCoinbase\":false,\"covenantId\":\""
	    TXID_1 "\"", "utxos[0].utxoEntry.covenantId: transaction version 0 "
	    "cannot spend covenants" },
	{ "\"" SPK_A "\"", "\"0000aa20" KEY_A "87\"",
	    "utxos[0].utxoEntry.scriptPublicKey: no redeem script hashes to "
	    "it" },
	{ "\"" SPK_A "\"", "\"000021" "02" KEY_A "ab\"",
	    "utxos[0].utxoEntry.scriptPublicKey: neither P2PK nor P2SH" },
	{ "\"" SPK_A "\"", "\"00\"", "utxos[0].utxoEntry.scriptPublicKey: too "
	    "short for a version and a script" },
	{ "\"index\":0", "\"index\":4294967296", "utxos[0].outpoint.index: "
	    "must be a plain integer from 0 to 4294967295" },
	{ "[{\"outpoint", "[{\"address\":\"OWN\",\"outpoint",
	    "utxos[0].address: not that of utxoEntry.scriptPublicKey" },
	{ "[{\"outpoint", "[{\"address\":\"x\",\"outpoint",
	    "utxos[0].address: " },
	{ ",\"fee_rate\"", ",\"redeem_scripts\":[\"51ac\"],\"fee_rate\"",
	    "redeem_scripts[0]: no multisig" },
	{ ",\"fee_rate\"", ",\"redeem_scripts\":[\"5121" "02" KEY_A
	    "51a9\"],\"fee_rate\"", "redeem_scripts[0]: ECDSA multisig" },
	{ ",\"fee_rate\"", ",\"redeem_scripts\":[\"51" FOUR FOUR FOUR FOUR
	    "60ae\"],\"fee_rate\"", "redeem_scripts[0]: more than the 15 keys "
	    "that nodes take" },
	{ ",\"fee_rate\"", ",\"redeem_scripts\":[\"5120" KEY_A "20ffffffffffff"
	    "ffffffffffffffffffffffffffffffffffffffffffffffffffff52ae\"],"
	    "\"fee_rate\"", "redeem_scripts[0]: a key is no point of the "
	    "curve" },
	{ ",\"fee_rate\"", ",\"payload\":\"0\",\"fee_rate\"",
	    "payload: odd number of hex digits" },
	{ ",\"fee_rate\"", ",\"key_sources\":{\"02" KEY_A "\":null},"
	    "\"fee_rate\"", "key_sources.02" KEY_A ": must be an object" },
	{ ",\"fee_rate\"", ",\"key_sources\":{\"02" TXID_1 "\":" SOURCE
	    ",\"02AB8176564dc757fa907b5681cb92bc7aecbfcd023a3205dd6e6cc0db4b5"
	    "b07e3\":" SOURCE "},\"fee_rate\"", "key_sources: one key twice" },
};

START_TEST(refused)
{
	const struct bad	*b = &bad[_i];
	const char		*base, *at, *s, *to = b->to;
	char			 mainnet[ADDRESS_MAX];
	struct kaspa_address	 a;

	base = pool_printf(&pt_pool, "{\"utxos\":" U("") ",\"outputs\":["
	    "{\"address\":\"%s\",\"amount\":2000000000}],\"change_address\":"
	    "\"%s\",\"fee_rate\":100}", payee, payee);
	ck_assert_msg(create(base) == 0, "%s", pt_err.message);
	at = strstr(base, b->from);
	ck_assert_ptr_nonnull(at);
	if ((s = strstr(to, "OWN")) != NULL)
		to = pool_printf(&pt_pool, "%.*s%s%s", (int)(s - to), to, own,
		    s + 3);
	s = pool_printf(&pt_pool, "%.*s%s%s", (int)(at - base), base, to,
	    at + strlen(b->from));
	ck_assert_msg(create(s) == -1, "%s", to);
	ck_assert_msg(strncmp(pt_err.message, b->error,
	    strlen(b->error)) == 0, "%s, not %s", pt_err.message, b->error);
	/* Another network's addresses, wherever they stand. */
	ck_assert_int_eq(address_decode(payee, strlen(payee), &a, NULL), 0);
	a.network = KASPA_MAINNET;
	address_encode(&a, mainnet);
	s = pool_printf(&pt_pool, "{\"utxos\":" U("") ",\"outputs\":["
	    "{\"address\":\"%s\",\"amount\":2000000000}],\"change_address\":"
	    "\"%s\",\"fee_rate\":100}", payee, mainnet);
	ck_assert_int_eq(create(s), -1);
	ck_assert_str_eq(pt_err.message,
	    "change_address: an address of mainnet, not of devnet");
}
END_TEST

/* What does not fit in a table. */
START_TEST(refused_more)
{
	const uint64_t	 in[] = { 50 * KAS, 50 * KAS }, out[] = { KAS };
	const char	*u = utxos(2, in), *s;
	uint64_t	 small[60], big[] = { 55 * KAS };
	size_t		 i;

	ck_assert_int_eq(create("{}"), -1);
	ck_assert_int_eq(create("[]"), -1);
	ck_assert_str_eq(pt_err.message, "must be an object");
	ck_assert_int_eq(create(params("[]", outputs(1, out), 1, "")), -1);
	ck_assert_str_eq(pt_err.message, "utxos: there are none");
	ck_assert_int_eq(create(params(u, "[]", 1, "")), -1);
	ck_assert_str_eq(pt_err.message, "outputs: there are none");
	s = pool_printf(&pt_pool, "%.*s,%s", (int)strlen(u) - 1, u, u + 1);
	ck_assert_int_eq(create(params(s, outputs(1, out), 1, "")), -1);
	ck_assert_str_eq(pt_err.message, pool_printf(&pt_pool,
	    "utxos: %064x:0 twice", 7));
	/* Several transactions, but the change is somebody else's. */
	for (i = 0; i < 60; i++)
		small[i] = KAS;
	s = pool_printf(&pt_pool, "{\"utxos\":%s,\"outputs\":%s,"
	    "\"change_address\":\"%s\",\"fee_rate\":1}", utxos(60, small),
	    outputs(1, big), payee);
	ck_assert_int_eq(create(s), -1);
	ck_assert_int_eq(strncmp(pt_err.message, "change_address: one "
	    "transaction would be too heavy", 49), 0);
	/* UTXOs that cost more than they hold pay for nothing. */
	small[0] = 2 * KAS;
	for (i = 1; i < 60; i++)
		small[i] = 328800;
	ck_assert_int_eq(create(params(utxos(60, small), outputs(1, out), 100,
	    "")), 0);
	ck_assert_uint_eq(res.tx[0].tx.nin, 1);
	big[0] = 2 * KAS;
	ck_assert_int_eq(create(params(utxos(60, small), outputs(1, big), 100,
	    "")), -1);
	ck_assert_ptr_nonnull(strstr(pt_err.message,
	    "they hold 200000000 (59 more cost more than they hold), outputs "
	    "take 200000000"));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("pskt_create_refused");
	TCase	*tc = tcase_create("pskt_create_refused");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(tc, setup, pt_teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, refused, 0,
	    (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(tc, refused_more);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
