#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "kaspa.h"
#include "vec.h"
#include "vectx.h"

static const uint8_t	 types[] = { 0x01, 0x02, 0x04, 0x81, 0x82, 0x84 };
#define NTYPES		(sizeof(types) / sizeof(types[0]))

#define MANY		1000

static void	 check_id(const struct tx *, const char *);
static void	 check_sighash(const struct tx *, size_t, uint8_t, const char *);
static void	 check_pskt(yajl_val);
static size_t	 check_edge(yajl_val);
static void	 make_tx(struct pool *, size_t, uint16_t, struct tx *);
static void	 changed(const struct tx *, const struct tx *, const char *,
		    unsigned, bool, bool);

static void
check_id(const struct tx *tx, const char *want)
{
	uint8_t	 id[32];

	ck_assert_int_eq(tx_id(tx, id), 0);
	ck_assert_str_eq(vec_hex(id, sizeof(id)), want);
}

static void
check_sighash(const struct tx *tx, size_t i, uint8_t type, const char *want)
{
	struct sighash_cache	 c;
	uint8_t			 h[32];

	sighash_cache_init(&c);
	ck_assert_int_eq(sighash_schnorr(tx, i, type, &c, h), 0);
	ck_assert_str_eq(vec_hex(h, sizeof(h)), want);
}

START_TEST(rusty_kaspa)
{
	yajl_val	 v = vec_load("sighash.json"), c;
	struct pool	 p;
	struct tx	 tx;
	size_t		 i;

	ck_assert_uint_eq(vec_len(v), 34);
	for (i = 0; i < vec_len(v); i++) {
		c = vec_at(v, i);
		pool_init(&p, 0);
		vectx_plain(&p, vec_get(c, "transaction"), &tx);
		check_sighash(&tx, vec_u64(c, "input_index"),
		    (uint8_t)vec_u64(c, "sighash_type"), vec_str(c, "sighash"));
		pool_free(&p);
	}
	yajl_tree_free(v);
}
END_TEST

/* Every input with one cache, in order and then backwards. */
static void
check_pskt(yajl_val c)
{
	yajl_val		 want = vec_get(c, "sighashes");
	struct sighash_cache	 cache;
	struct pool		 p;
	struct tx		 tx;
	uint8_t			 h[32];
	size_t			 i, k;

	pool_init(&p, 0);
	vectx_pskt(&p, vec_get(c, "pskt"), &tx);
	check_id(&tx, vec_str(c, "transaction_id"));
	ck_assert_uint_eq(vec_len(want), tx.nin);
	sighash_cache_init(&cache);
	for (k = 0; k < 2 * tx.nin; k++) {
		i = k < tx.nin ? k : 2 * tx.nin - 1 - k;
		ck_assert_int_eq(sighash_schnorr(&tx, i,
		    tx.in[i].sighash_type, &cache, h), 0);
		ck_assert_str_eq(vec_hex(h, sizeof(h)),
		    YAJL_GET_STRING(vec_at(want, i)));
	}
	pool_free(&p);
}

START_TEST(pskts)
{
	yajl_val	 v = vec_load("pskt.json");
	size_t		 i;

	ck_assert_uint_eq(vec_len(v), 12);
	for (i = 0; i < vec_len(v); i++)
		check_pskt(vec_at(v, i));
	yajl_tree_free(v);
}
END_TEST

/* Returns how many sighashes it compared. */
static size_t
check_edge(yajl_val c)
{
	yajl_val	 decoded, want = vec_opt(c, "sighashes"), doc;
	struct pool	 p;
	struct tx	 tx;
	size_t		 i, n = 0;
	char		 key[24];

	if (want == NULL)			/* an invalid PSKT */
		return 0;
	doc = vectx_request(vec_get(c, "request"), &decoded);
	pool_init(&p, 0);
	vectx_pskt(&p, doc, &tx);
	check_id(&tx, vec_str(c, "transaction_id"));
	for (i = 0; i < tx.nin; i++) {
		(void)snprintf(key, sizeof(key), "%zu", i);
		if (vec_opt(want, key) == NULL)
			continue;
		check_sighash(&tx, i, tx.in[i].sighash_type,
		    vec_str(want, key));
		n++;
	}
	ck_assert_uint_eq(n, want->u.object.len);
	pool_free(&p);
	yajl_tree_free(decoded);
	return n;
}

START_TEST(edges)
{
	yajl_val	 v = vec_load("pskt_edge.json");
	size_t		 i, n = 0;

	ck_assert_uint_eq(vec_len(v), 13);
	for (i = 0; i < vec_len(v); i++)
		n += check_edge(vec_at(v, i));
	ck_assert_uint_eq(n, 14);
	yajl_tree_free(v);
}
END_TEST

/* A transaction in which all fields differ from each other. */
static void
make_tx(struct pool *p, size_t n, uint16_t version, struct tx *tx)
{
	uint8_t	*script;
	size_t	 i;

	memset(tx, 0, sizeof(*tx));
	tx->version = version;
	tx->nin = tx->nout = n;
	tx->in = pool_alloc(p, n, sizeof(*tx->in));
	tx->out = pool_alloc(p, n, sizeof(*tx->out));
	ck_assert(tx->in != NULL && tx->out != NULL);
	for (i = 0; i < n; i++) {
		script = pool_alloc(p, 1, 35);
		ck_assert_ptr_nonnull(script);
		memset(script, (int)(i & 0x7f), 35);
		memset(tx->in[i].outpoint.txid, (int)(i >> 8), TX_ID_LEN);
		tx->in[i].outpoint.index = (uint32_t)i;
		tx->in[i].sequence = 1000 + i;
		tx->in[i].sig_op_count = 3;
		tx->in[i].has_utxo = true;
		tx->in[i].amount = 5000 + i;
		tx->in[i].spk.script.p = script;
		tx->in[i].spk.script.len = 35;
		tx->out[i].value = 4000 + i;
		tx->out[i].spk.script.p = script;
		tx->out[i].spk.script.len = 35;
	}
}

START_TEST(many_inputs)
{
	struct sighash_cache	 shared, fresh, poisoned;
	struct pool		 p;
	struct tx		 tx;
	uint8_t			 a[32], b[32];
	clock_t			 t0, t1, t2;
	size_t			 i, k;

	pool_init(&p, 0);
	make_tx(&p, MANY, 0, &tx);
	sighash_cache_init(&shared);
	t0 = clock();
	for (i = 0; i < MANY; i++)
		ck_assert_int_eq(sighash_schnorr(&tx, i, SIGHASH_ALL, &shared,
		    a), 0);
	t1 = clock();
	/* A tenth of them without sharing must still cost more than all with. */
	for (i = 0; i < MANY; i += 10) {
		sighash_cache_init(&fresh);
		ck_assert_int_eq(sighash_schnorr(&tx, i, SIGHASH_ALL, &fresh,
		    b), 0);
	}
	t2 = clock();
	ck_assert_msg(t1 - t0 < t2 - t1, "shared %ld, not shared %ld ticks",
	    (long)(t1 - t0), (long)(t2 - t1));

	/* And the results are the same, whatever the mix of types before. */
	for (i = 0; i < MANY; i += 37)
		for (k = 0; k < NTYPES; k++) {
			sighash_cache_init(&fresh);
			(void)sighash_schnorr(&tx, i, types[k], &shared, a);
			(void)sighash_schnorr(&tx, i, types[k], &fresh, b);
			ck_assert_mem_eq(a, b, 32);
		}

	/* The parts in the cache are really what is used. */
	(void)sighash_schnorr(&tx, 5, SIGHASH_ALL, &shared, a);
	for (k = 0; k < 4; k++) {
		poisoned = shared;
		(k == 0 ? poisoned.prevouts : k == 1 ? poisoned.sequences :
		    k == 2 ? poisoned.sigopcounts : poisoned.outputs)[0] ^= 1;
		(void)sighash_schnorr(&tx, 5, SIGHASH_ALL, &poisoned, b);
		ck_assert_mem_ne(a, b, 32);
	}
	pool_free(&p);
}
END_TEST

START_TEST(refusals)
{
	struct sighash_cache	 c;
	struct pool		 p;
	struct tx		 tx;
	uint8_t			 h[32];
	unsigned		 t, valid = 0;

	pool_init(&p, 0);
	make_tx(&p, 3, 0, &tx);
	sighash_cache_init(&c);
	for (t = 0; t < 256; t++) {
		bool	 known = memchr(types, (int)t, NTYPES) != NULL;

		ck_assert_int_eq(sighash_type_valid((uint8_t)t), known);
		ck_assert_int_eq(sighash_schnorr(&tx, 0, (uint8_t)t, &c, h),
		    known ? 0 : -1);
		valid += known;
	}
	ck_assert_uint_eq(valid, 6);
	ck_assert_int_eq(sighash_schnorr(&tx, 3, SIGHASH_ALL, &c, h), -1);
	ck_assert_int_eq(sighash_schnorr(&tx, SIZE_MAX, SIGHASH_ALL, &c, h),
	    -1);
	tx.in[1].has_utxo = false;
	ck_assert_int_eq(sighash_schnorr(&tx, 1, SIGHASH_ALL, &c, h), -1);
	ck_assert_int_eq(sighash_schnorr(&tx, 0, SIGHASH_ALL, &c, h), 0);
	for (t = 2; t <= UINT16_MAX; t += t < 300 ? 1 : 257) {
		tx.version = (uint16_t)t;
		ck_assert_int_eq(tx_id(&tx, h), -1);
		ck_assert_int_eq(sighash_schnorr(&tx, 0, SIGHASH_ALL, &c, h),
		    -1);
	}
	pool_free(&p);
}
END_TEST

/* Bits of the types under which a change shows in the sighash of input 0. */
#define T_ALL		0x01
#define T_NONE		0x02
#define T_SINGLE	0x04
#define T_ALL_ACP	0x08
#define T_NONE_ACP	0x10
#define T_SINGLE_ACP	0x20
#define T_EACH		0x3f
#define T_NOT_ACP	(T_ALL | T_NONE | T_SINGLE)
#define T_ALLS		(T_ALL | T_ALL_ACP)
#define T_SINGLES	(T_SINGLE | T_SINGLE_ACP)

static void
changed(const struct tx *a, const struct tx *b, const char *what,
    unsigned shows, bool in_id, bool not_v1)
{
	struct sighash_cache	 ca, cb;
	uint8_t			 x[32], y[32];
	unsigned		 k;
	bool			 want;

	sighash_cache_init(&ca);
	sighash_cache_init(&cb);
	for (k = 0; k < NTYPES; k++) {
		(void)sighash_schnorr(a, 0, types[k], &ca, x);
		(void)sighash_schnorr(b, 0, types[k], &cb, y);
		want = (shows >> k & 1) != 0 && !(not_v1 && a->version == 1);
		ck_assert_msg((memcmp(x, y, 32) != 0) == want,
		    "v%u type %02x: %s", a->version, types[k], what);
	}
	ck_assert_int_eq(tx_id(a, x), 0);
	ck_assert_int_eq(tx_id(b, y), 0);
	ck_assert_msg((memcmp(x, y, 32) != 0) == in_id, "v%u id: %s",
	    a->version, what);
}

/* What each type commits to, field by field. */
START_TEST(commitments)
{
	static const uint8_t	 byte[1] = { 9 };
	struct pool		 p;
	struct tx		 a, b;
	uint16_t		 v;

#define CHANGE(field, value, shows, in_id, not_v1) do {			\
		make_tx(&p, 3, v, &b);					\
		b.field = value;					\
		changed(&a, &b, #field, shows, in_id, not_v1);		\
	} while (0)

	for (v = 0; v <= 1; v++) {
		pool_init(&p, 0);
		make_tx(&p, 3, v, &a);
		CHANGE(in[0].outpoint.index, 99, T_EACH, true, false);
		CHANGE(in[0].outpoint.txid[31], 99, T_EACH, true, false);
		CHANGE(in[0].sequence, 99, T_EACH, true, false);
		CHANGE(in[0].amount, 99, T_EACH, false, false);
		CHANGE(in[0].spk.version, 1, T_EACH, false, false);
		CHANGE(in[0].spk.script.len, 34, T_EACH, false, false);
		CHANGE(in[0].sig_op_count, 1, T_EACH, false, true);
		CHANGE(in[0].daa_score, 1, 0, false, false);
		CHANGE(in[1].outpoint.index, 99, T_NOT_ACP, true, false);
		CHANGE(in[1].sequence, 99, T_ALL, true, false);
		CHANGE(in[1].sig_op_count, 1, T_NOT_ACP, false, true);
		CHANGE(in[1].amount, 99, 0, false, false);
		CHANGE(nin, 2, T_NOT_ACP, true, false);
		CHANGE(out[0].value, 99, T_ALLS | T_SINGLES, true, false);
		CHANGE(out[0].spk.version, 1, T_ALLS | T_SINGLES, true, false);
		CHANGE(out[0].spk.script.len, 3, T_ALLS | T_SINGLES, true,
		    false);
		CHANGE(out[1].value, 99, T_ALLS, true, false);
		CHANGE(out[1].has_covenant, true, v == 1 ? T_ALLS : 0, v == 1,
		    false);
		CHANGE(nout, 2, T_ALLS, true, false);
		CHANGE(nout, 0, T_ALLS | T_SINGLES, true, false);
		CHANGE(lock_time, 1, T_EACH, true, false);
		CHANGE(subnetwork[19], 1, T_EACH, true, false);
		CHANGE(gas, 1, T_EACH, true, false);
		make_tx(&p, 3, v, &b);
		b.payload.p = byte;
		b.payload.len = 1;
		changed(&a, &b, "payload", T_EACH, true, false);

		a.out[0].has_covenant = true;	/* what a covenant says */
		make_tx(&p, 3, v, &b);
		b.out[0].has_covenant = true;
		b.out[0].authorizing_input = 1;
		changed(&a, &b, "authorizing input",
		    v == 1 ? T_ALLS | T_SINGLES : 0, v == 1, false);
		b.out[0].authorizing_input = 0;
		b.out[0].covenant_id[31] = 1;
		changed(&a, &b, "covenant id",
		    v == 1 ? T_ALLS | T_SINGLES : 0, v == 1, false);
		pool_free(&p);
	}
#undef CHANGE
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("sighash");
	TCase	*tc = tcase_create("all");
	SRunner	*r;
	int	 failed;

	if (sodium_init() == -1)
		return EXIT_FAILURE;
	tcase_add_test(tc, rusty_kaspa);
	tcase_add_test(tc, pskts);
	tcase_add_test(tc, edges);
	tcase_add_test(tc, many_inputs);
	tcase_add_test(tc, refusals);
	tcase_add_test(tc, commitments);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
