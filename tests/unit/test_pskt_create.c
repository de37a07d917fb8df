/* signd/pskt_create: what is paid, from what, and for how much. */
#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>

#include "pskt_create_rig.h"
#include "signd/pskt_final.h"

#define SECRET_A \
	"e0d5444bfa387130dbfe1ee6090e586d602a3227657a5eeb48006ecaeb72d40c"
#define SECRET_B \
	"de1a043696291463d17bde69bbae7d026ef0d9782623bd6a980cdc5b1a22f27b"

static void
sign(const char *secret_hex, const char *key, size_t pskt, size_t input,
    struct pskt_new_sig *s)
{
	static secp256k1_context *ctx;
	secp256k1_keypair	 pair;
	struct sighash_cache	 cache;
	uint8_t			 secret[32], hash[32];

	if (ctx == NULL)
		ctx = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	pt_unhex(secret_hex, secret);
	sighash_cache_init(&cache);
	ck_assert_int_eq(sighash_schnorr(&pt_doc.pskt[pskt].tx, input,
	    SIGHASH_ALL, &cache, hash), 0);
	ck_assert_int_eq(secp256k1_keypair_create(ctx, &pair, secret), 1);
	ck_assert_int_eq(secp256k1_schnorrsig_sign32(ctx, s->sig, hash, &pair,
	    NULL), 1);
	s->pskt = pskt;
	s->input = input;
	s->key[0] = 2;
	pt_unhex(key, s->key + 1);
}

static const char *
text(struct bytes b)
{
	return pool_strndup(&pt_pool, (const char *)b.p, b.len);
}

/* pt_doc with two signatures in each input, finalized, in pt_doc. */
static void
sign_all(void)
{
	struct pskt_new_sig	*sig;
	struct bytes		 out;
	size_t			 i, j, n = 0;

	for (i = 0; i < pt_doc.n; i++)
		n += pt_doc.pskt[i].tx.nin;
	sig = pool_alloc(&pt_pool, 2 * n, sizeof(*sig));
	for (n = 0, i = 0; i < pt_doc.n; i++)
		for (j = 0; j < pt_doc.pskt[i].tx.nin; j++) {
			sign(SECRET_A, KEY_A, i, j, &sig[n++]);
			sign(SECRET_B, KEY_B, i, j, &sig[n++]);
		}
	ck_assert_int_eq(pskt_emit(&pt_pool, &pt_doc, sig, n, &out), 0);
	ck_assert_int_eq(pt_parse(text(out)), 0);
	ck_assert_msg(pskt_finalize(&pt_pool, &pt_doc, &out, &pt_err) == 0,
	    "%s", pt_err.message);
	ck_assert_int_eq(pt_parse(text(out)), 0);
	/* A node would take it. */
	ck_assert_msg(pskt_extract(&pt_pool, &pt_doc, &out, &pt_err) == 0,
	    "%s", pt_err.message);
}

/* Transaction i of the signed pt_doc; adds what it pays to others to *paid. */
static void
check_tx(size_t i, uint64_t rate, uint64_t *paid)
{
	const struct create_tx	*t = &res.tx[i];
	const struct tx		*tx = &pt_doc.pskt[i].tx;
	size_t			 len[TX_MAX_INPUTS], j;
	uint64_t		 in = 0, out = 0;
	struct mass		 m;
	uint8_t			 id[32];

	ck_assert_int_eq(tx_id(tx, id), 0);
	ck_assert_mem_eq(id, t->id, 32);
	for (j = 0; j < tx->nin; j++) {
		in += tx->in[j].amount;
		len[j] = pt_doc.pskt[i].in[j].final.len;
	}
	for (j = 0; j < tx->nout; j++) {
		out += tx->out[j].value;
		if (t->change == 0 || j + 1 < tx->nout)
			*paid += tx->out[j].value;
	}
	mass_of_tx(tx, len, &m);
	ck_assert_uint_eq(m.compute, t->mass.compute);
	ck_assert_uint_eq(m.transient, t->mass.transient);
	ck_assert_uint_eq(m.storage, t->mass.storage);
	ck_assert_uint_le(m.compute, MASS_LIMIT_WALLET);
	ck_assert_uint_le(m.transient, MASS_LIMIT_WALLET);
	ck_assert_uint_le(m.storage, MASS_LIMIT_WALLET);
	ck_assert_uint_eq(in - out, t->fee);
	/* Never less than the rate says, and with change never more. */
	ck_assert_uint_ge(t->fee, mass_fee(&m, rate));
	if (t->change != 0) {
		ck_assert_uint_eq(t->fee, mass_fee(&m, rate));
		ck_assert_uint_eq(t->change, tx->out[tx->nout - 1].value);
	}
	ck_assert_uint_eq(tx->in[0].sig_op_count, 3);
	/* Each spends the change of the one before. */
	if (i > 0) {
		ck_assert_mem_eq(tx->in[0].outpoint.txid, res.tx[i - 1].id, 32);
		ck_assert_uint_eq(tx->in[0].outpoint.index,
		    res.tx[i - 1].tx.nout - 1);
		ck_assert_uint_eq(tx->in[0].amount, res.tx[i - 1].change);
		ck_assert_uint_ne(tx->in[0].amount, 0);
	}
}

/* What was made is right; the outputs are paid, in their order. */
static void
check_result(uint64_t rate, size_t nout, const uint64_t *want)
{
	size_t		 i, j, n = 0;
	uint64_t	 paid = 0, total = 0, fee = 0;

	ck_assert_int_eq(pt_parse(text(res.text)), 0);
	ck_assert_uint_eq(pt_doc.n, res.n);
	ck_assert_uint_eq(pt_doc.nnote, 0);
	sign_all();
	for (i = 0; i < res.n; i++) {
		check_tx(i, rate, &paid);
		fee += res.tx[i].fee;
		for (j = 0; j + (res.tx[i].change != 0) <
		    res.tx[i].tx.nout; j++) {
			ck_assert_uint_lt(n, nout);
			ck_assert_uint_eq(res.tx[i].tx.out[j].value,
			    want[n++]);
		}
	}
	for (i = 0; i < nout; i++)
		total += want[i];
	ck_assert_uint_eq(n, nout);
	ck_assert_uint_eq(paid, total);
	ck_assert_uint_eq(res.fee, fee);
	ck_assert_uint_eq(res.change, res.tx[res.n - 1].change);
}

/* KASPA.md's example: 4,217 grams. */
START_TEST(example)
{
	const uint64_t	 in[] = { 50 * KAS }, out[] = { 20 * KAS };
	const char	*s;

	ck_assert_msg(create(params(utxos(1, in), outputs(1, out), 100,
	    "")) == 0, "%s", pt_err.message);
	ck_assert_uint_eq(res.n, 1);
	ck_assert_uint_eq(res.tx[0].mass.compute, 4217);
	ck_assert_uint_eq(res.fee, 421700);
	ck_assert_uint_eq(res.change, 30 * KAS - 421700);
	check_result(100, 1, out);
	/* As wallets write it. */
	ck_assert_int_eq(pt_parse(text(res.text)), 0);
	s = pool_strndup(&pt_pool, pt_doc.src, pt_doc.end);
	ck_assert_str_eq(s, pool_printf(&pt_pool, "{\"global\":{\"version\":0,"
	    "\"txVersion\":0,\"fallbackLockTime\":null,\"inputsModifiable\":"
	    "false,\"outputsModifiable\":false,\"inputCount\":1,"
	    "\"outputCount\":2,\"xpubs\":{},\"id\":null,\"proprietaries\":{},"
	    "\"payload\":null},\"inputs\":[{\"utxoEntry\":{\"amount\":"
	    "5000000000,\"scriptPublicKey\":\"0000%s\",\"blockDaaScore\":1000,"
	    "\"isCoinbase\":true},\"previousOutpoint\":{\"transactionId\":"
	    "\"%064x\",\"index\":0},\"sequence\":null,\"minTime\":null,"
	    "\"partialSigs\":{},\"sighashType\":1,\"redeemScript\":\"" REDEEM
	    "\",\"sigOpCount\":3,\"bip32Derivations\":{},\"finalScriptSig\":"
	    "null,\"proprietaries\":{}}],\"outputs\":[{\"amount\":2000000000,"
	    "\"scriptPublicKey\":\"" SPK_A "\",\"redeemScript\":null,"
	    "\"bip32Derivations\":{},\"proprietaries\":{}},{\"amount\":"
	    "2999578300,\"scriptPublicKey\":\"0000%s\",\"redeemScript\":\""
	    REDEEM "\",\"bip32Derivations\":{},\"proprietaries\":{}}]}",
	    p2sh_hex, 7, p2sh_hex));
}
END_TEST

/* A payload makes it version 1; key sources go where their keys are. */
START_TEST(extras)
{
	const uint64_t	 in[] = { 50 * KAS }, out[] = { 20 * KAS };
	const char	*more = ",\"payload\":\"00fF\",\"key_sources\":{\"03"
	    KEY_B "\":" SOURCE ",\"02" TXID_1 "\":" SOURCE "},\"request_id\":1";

	ck_assert_msg(create(params(utxos(1, in), outputs(1, out), 100,
	    more)) == 0, "%s", pt_err.message);
	check_result(100, 1, out);
	ck_assert_uint_eq(pt_doc.pskt[0].version, 1);
	ck_assert_uint_eq(pt_doc.pskt[0].tx.payload.len, 2);
	ck_assert_uint_eq(pt_doc.pskt[0].in[0].derivations->n, 2);
	ck_assert_ptr_nonnull(json_get(pt_doc.pskt[0].in[0].derivations,
	    "03" KEY_B));
	ck_assert_uint_eq(res.tx[0].mass.size, 489);
}
END_TEST

/* Coins of several scripts: each input has its own, and its own mass. */
START_TEST(scripts)
{
	const char	*s, *two = "5120" KEY_B "51ae";
	uint8_t		 script[sizeof("5120" KEY_B "51ae") / 2], own2[35];
	char		 spk[71] = "";

	pt_unhex(two, script);
	script_p2sh(script, sizeof(script), own2);
	pskt_hex(own2, sizeof(own2), spk);
	s = pool_printf(&pt_pool, "{\"utxos\":["
	    "{\"outpoint\":{\"transactionId\":\"" TXID_1 "\",\"index\":0},"
	    "\"utxoEntry\":{\"amount\":300000000,\"scriptPublicKey\":\"0000%s"
	    "\",\"blockDaaScore\":1,\"isCoinbase\":false}},"
	    "{\"outpoint\":{\"transactionId\":\"" TXID_1 "\",\"index\":1},"
	    "\"utxoEntry\":{\"amount\":200000000,\"scriptPublicKey\":\"0000%s"
	    "\",\"blockDaaScore\":1,\"isCoinbase\":false}},"
	    "{\"outpoint\":{\"transactionId\":\"" TXID_1 "\",\"index\":2},"
	    "\"utxoEntry\":{\"amount\":100000000,\"scriptPublicKey\":\"" SPK_A
	    "\",\"blockDaaScore\":1,\"isCoinbase\":false}}],"
	    "\"outputs\":[{\"address\":\"%s\",\"amount\":520000000}],"
	    "\"change_address\":\"%s\",\"fee_rate\":100,\"redeem_scripts\":"
	    "[\"" REDEEM "\",\"%s\"]}", p2sh_hex, spk, payee, own, two);
	ck_assert_msg(create(s) == 0, "%s", pt_err.message);
	ck_assert_uint_eq(res.n, 1);
	ck_assert_uint_eq(res.tx[0].tx.nin, 3);
	ck_assert_uint_eq(res.tx[0].tx.in[0].sig_op_count, 3);
	ck_assert_uint_eq(res.tx[0].tx.in[1].sig_op_count, 1);
	ck_assert_uint_eq(res.tx[0].tx.in[2].sig_op_count, 1);
	/* 94 + 3 * 52 + 236 + 103 + 66 + 52 + 53, 73 of scripts, 5 checks. */
	ck_assert_uint_eq(res.tx[0].mass.size, 760);
	ck_assert_uint_eq(res.tx[0].mass.compute, 760 + 730 + 5000);
	ck_assert_uint_eq(res.fee, 649000);
	ck_assert_int_eq(pt_parse(text(res.text)), 0);
	ck_assert_uint_eq(pt_doc.pskt[0].tx.in[0].redeem.len, redeem.len);
	ck_assert_uint_eq(pt_doc.pskt[0].tx.in[1].redeem.len, 36);
	ck_assert_uint_eq(pt_doc.pskt[0].tx.in[2].redeem.len, 0);
}
END_TEST

/* In the script's order, each key once, under both parities if asked. */
START_TEST(sources)
{
	const uint64_t	 in[] = { 50 * KAS }, out[] = { 20 * KAS };
	const char	*twice = "5120" KEY_A "20" KEY_A "52ae";
	const char	*more = ",\"key_sources\":{\"03" KEY_C "\":" SOURCE
	    ",\"02" KEY_B "\":" SOURCE ",\"03" KEY_B "\":" SOURCE "}";
	const struct json *v;

	ck_assert_int_eq(create(params(utxos(1, in), outputs(1, out), 100,
	    more)), 0);
	ck_assert_int_eq(pt_parse(text(res.text)), 0);
	v = pt_doc.pskt[0].in[0].derivations;
	ck_assert_uint_eq(v->n, 3);
	ck_assert_int_eq(memcmp(v->first->key.p, "02" KEY_B, 66), 0);
	ck_assert_int_eq(memcmp(v->first->next->key.p, "03" KEY_B, 66), 0);
	ck_assert_int_eq(memcmp(v->first->next->next->key.p, "03" KEY_C, 66),
	    0);
	/* A script with one key twice still makes one member of it. */
	pt_unhex(twice, redeem_bytes);
	redeem.len = strlen(twice) / 2;
	script_p2sh(redeem.p, redeem.len, p2sh);
	pskt_hex(p2sh, sizeof(p2sh), p2sh_hex);
	more = pool_printf(&pt_pool, ",\"key_sources\":{\"02" KEY_A "\":"
	    SOURCE "}");
	ck_assert_msg(create(pool_printf(&pt_pool, "{\"utxos\":[{\"outpoint\":{"
	    "\"transactionId\":\"" TXID_1 "\",\"index\":0},\"utxoEntry\":{"
	    "\"amount\":5000000000,\"scriptPublicKey\":\"0000%s\","
	    "\"blockDaaScore\":1,\"isCoinbase\":false}}],\"outputs\":%s,"
	    "\"change_address\":\"%s\",\"fee_rate\":100%s}", p2sh_hex,
	    outputs(1, out), payee, more)) == 0, "%s", pt_err.message);
	ck_assert_int_eq(pt_parse(text(res.text)), 0);
	ck_assert_uint_eq(pt_doc.pskt[0].in[0].derivations->n, 1);
}
END_TEST

/* Each of many inputs finds its keys among many sources, in little time. */
START_TEST(many_sources)
{
	enum { INPUTS = 2000, SOURCES = 20000 };
	static uint64_t	 in[INPUTS];
	const uint64_t	 out[] = { 790 * KAS };
	char		*more, *to;
	size_t		 i;
	double		 t;

	for (i = 0; i < INPUTS; i++)
		in[i] = 2 * KAS / 5;
	more = pool_alloc(&pt_pool, SOURCES * 160 + 32, 1);
	to = more + sprintf(more, ",\"key_sources\":{\"02" KEY_A "\":" SOURCE);
	for (i = 0; i < SOURCES; i++)
		to += sprintf(to, ",\"02%064zx\":" SOURCE, i);
	(void)sprintf(to, "}");
	t = pt_now();
	ck_assert_msg(create(params(utxos(INPUTS, in), outputs(1, out), 100,
	    more)) == 0, "%s", pt_err.message);
	ck_assert_msg(pt_now() - t < 2, "%f s", pt_now() - t);
	ck_assert_int_eq(pt_parse(text(res.text)), 0);
	ck_assert_uint_eq(pt_doc.pskt[0].in[0].derivations->n, 1);
}
END_TEST

/* Greatest first, then by outpoint; as few as will do. */
START_TEST(selection)
{
	const uint64_t	 in[] = { 3 * KAS, 50 * KAS, 10 * KAS, 50 * KAS,
			    20000 };
	const uint64_t	 out[] = { 95 * KAS };
	const char	*first;

	ck_assert_int_eq(create(params(utxos(5, in), outputs(1, out), 100,
	    "")), 0);
	ck_assert_uint_eq(res.n, 1);
	ck_assert_uint_eq(res.tx[0].tx.nin, 2);
	ck_assert_uint_eq(res.tx[0].tx.in[0].outpoint.txid[31], 7);
	ck_assert_uint_eq(res.tx[0].tx.in[1].outpoint.txid[31], 8);
	check_result(100, 1, out);
	/* The same again, to the last byte. */
	first = text(res.text);
	ck_assert_int_eq(create(params(utxos(5, in), outputs(1, out), 100,
	    "")), 0);
	ck_assert_str_eq(text(res.text), first);
}
END_TEST

/* Change of too little: storage mass, another input, or the fee. */
START_TEST(dust)
{
	const uint64_t	 in[] = { 50 * KAS, 10 * KAS };
	uint64_t	 out[] = { 50 * KAS - 380500 };
	const char	*s;

	/* Exactly the fee of one output: no change. */
	ck_assert_int_eq(create(params(utxos(1, in), outputs(1, out), 100,
	    ",\"dust_to_fee\":0")), -1);
	s = strstr(pt_err.message, "the fee of ");
	ck_assert_ptr_nonnull(s);
	out[0] = 50 * KAS - strtoull(s + 11, NULL, 10);
	ck_assert_msg(create(params(utxos(2, in), outputs(1, out), 100,
	    ",\"dust_to_fee\":0")) == 0, "%s", pt_err.message);
	ck_assert_uint_eq(res.tx[0].tx.nin, 1);
	ck_assert_uint_eq(res.change, 0);
	check_result(100, 1, out);
	/* A sompi more: to the fee, by default up to as much again. */
	out[0] -= 1;
	ck_assert_int_eq(create(params(utxos(2, in), outputs(1, out), 100,
	    "")), 0);
	ck_assert_uint_eq(res.tx[0].tx.nin, 1);
	ck_assert_uint_eq(res.fee, 50 * KAS - out[0]);
	check_result(100, 1, out);
	/* Where that is too much, a further input, with change. */
	out[0] -= KAS / 100;
	ck_assert_int_eq(create(params(utxos(2, in), outputs(1, out), 100,
	    "")), 0);
	ck_assert_uint_eq(res.tx[0].tx.nin, 2);
	ck_assert_uint_gt(res.change, 9 * KAS);
	check_result(100, 1, out);
	/* And if there is none, it is refused, or given on request. */
	ck_assert_int_eq(create(params(utxos(1, in), outputs(1, out), 100,
	    "")), -1);
	ck_assert_ptr_nonnull(strstr(pt_err.message, "utxos: 1000001 sompi "
	    "over the fee of "));
	ck_assert_int_eq(create(params(utxos(1, in), outputs(1, out), 100,
	    ",\"dust_to_fee\":1000001")), 0);
	ck_assert_uint_eq(res.change, 0);
	check_result(100, 1, out);
	ck_assert_int_eq(create(params(utxos(1, in), outputs(1, out), 100,
	    ",\"dust_to_fee\":1000000")), -1);
	/* Storage mass is paid for: change of 0.3 KAS is 33,000 grams. */
	out[0] = 50 * KAS - 4 * KAS / 10;
	ck_assert_int_eq(create(params(utxos(1, in), outputs(1, out), 100,
	    "")), 0);
	ck_assert_uint_gt(res.tx[0].mass.storage, 20000);
	ck_assert_uint_eq(res.fee, 100 * res.tx[0].mass.storage);
	check_result(100, 1, out);
	/* Unless a further input is cheaper. */
	ck_assert_int_eq(create(params(utxos(2, in), outputs(1, out), 100,
	    "")), 0);
	ck_assert_uint_eq(res.tx[0].tx.nin, 2);
	ck_assert_uint_eq(res.fee, 100 * res.tx[0].mass.compute);
	check_result(100, 1, out);
}
END_TEST

/* More inputs than one transaction takes: each spends the last one's change. */
START_TEST(chain)
{
	uint64_t	 in[400], out[1];
	size_t		 i, inputs = 0;
	double		 t;

	for (i = 0; i < 400; i++)
		in[i] = KAS + i;
	out[0] = 390 * KAS;
	t = pt_now();
	ck_assert_msg(create(params(utxos(400, in), outputs(1, out), 100,
	    "")) == 0, "%s", pt_err.message);
	ck_assert_msg(pt_now() - t < 2, "%f s", pt_now() - t);
	ck_assert_uint_gt(res.n, 10);
	for (i = 0; i < res.n; i++)
		inputs += res.tx[i].tx.nin;
	ck_assert_uint_ge(inputs - (res.n - 1), 392);
	check_result(100, 1, out);
	/* A payload is the last one's. */
	ck_assert_int_eq(create(params(utxos(400, in), outputs(1, out), 100,
	    ",\"payload\":\"00\"")), 0);
	check_result(100, 1, out);
	for (i = 0; i < res.n; i++)
		ck_assert_uint_eq(pt_doc.pskt[i].version, i + 1 == res.n);
	/* It is not enough: how much is missing. */
	out[0] = 400 * KAS;
	ck_assert_int_eq(create(params(utxos(400, in), outputs(1, out), 100,
	    "")), -1);
	ck_assert_ptr_nonnull(strstr(pt_err.message, "sompi are missing"));
}
END_TEST

/* More outputs than one transaction takes. */
START_TEST(many_outputs)
{
	uint64_t	 in[3] = { 2000 * KAS, 500 * KAS, 30 * KAS }, out[900];
	size_t		 i;
	double		 t;

	for (i = 0; i < 900; i++)
		out[i] = 2 * KAS + i;
	t = pt_now();
	ck_assert_msg(create(params(utxos(3, in), outputs(900, out), 100,
	    "")) == 0, "%s", pt_err.message);
	ck_assert_msg(pt_now() - t < 2, "%f s", pt_now() - t);
	ck_assert_uint_ge(res.n, 4);
	check_result(100, 900, out);
	ck_assert_int_eq(create(params(utxos(3, in), outputs(900, out), 100,
	    ",\"payload\":\"00\"")), -1);
	ck_assert_ptr_nonnull(strstr(pt_err.message, "outputs: too heavy for "
	    "one transaction, which a payload needs: "));
	/* Outputs so small that each is heavy. */
	for (i = 0; i < 10; i++)
		out[i] = KAS / 5;
	ck_assert_int_eq(create(params(utxos(3, in), outputs(10, out), 1,
	    "")), 0);
	ck_assert_uint_ge(res.n, 5);
	check_result(1, 10, out);
	out[3] = KAS / 20;
	ck_assert_int_eq(create(params(utxos(3, in), outputs(10, out), 1,
	    "")), -1);
	ck_assert_int_eq(strncmp(pt_err.message,
	    "outputs[3].amount: too heavy: ", 30), 0);
}
END_TEST

/* Whatever is asked for: right, or an error. */
START_TEST(random_requests)
{
	uint64_t	 in[120], out[40], rate, sum;
	size_t		 i, nin, nout, made = 0, bundles = 0;
	unsigned	 round, rounds = getenv("LONG") != NULL ? 5000 : 300;

	srandom(1);
	for (round = 0; round < rounds; round++) {
		nin = 1 + (size_t)random() % 120;
		nout = 1 + (size_t)random() % 40;
		for (sum = 0, i = 0; i < nin; i++) {
			in[i] = 1 + (uint64_t)random() %
			    (random() % 2 ? 100 * KAS : KAS / 2);
			sum += in[i];
		}
		for (i = 0; i < nout; i++)
			out[i] = KAS / 10 + (uint64_t)random() %
			    (1 + sum / nout);
		rate = 1 + (uint64_t)random() % (random() % 2 ? 10 : 1000);
		if (create(params(utxos(nin, in), outputs(nout, out), rate,
		    "")) == 0) {
			check_result(rate, nout, out);
			made++;
			bundles += res.n > 1;
		} else
			ck_assert_int_eq(pt_err.code, PSKT_INVALID);
		pool_free(&pt_pool);
		pool_init(&pt_pool, 0);
	}
	ck_assert_uint_gt(made, rounds / 4);
	ck_assert_uint_gt(bundles, rounds / 20);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("pskt_create");
	TCase	*tc = tcase_create("pskt_create");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(tc, setup, pt_teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, example);
	tcase_add_test(tc, extras);
	tcase_add_test(tc, scripts);
	tcase_add_test(tc, sources);
	tcase_add_test(tc, many_sources);
	tcase_add_test(tc, selection);
	tcase_add_test(tc, dust);
	tcase_add_test(tc, chain);
	tcase_add_test(tc, many_outputs);
	tcase_add_test(tc, random_requests);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
