/*
 * signd/pskt_combine and pskt_create.  Input: a JSON value, an array of
 * documents or the parameters of pskt.create.
 *
 * What is combined parses, has every signature that any of them has, and
 * combined again, with itself or with what it is made of, is the same.  One
 * document alone comes back byte for byte.
 *
 * What is created parses to the transactions it says, pays all outputs in their
 * order, no fee below the rate, and nothing vanishes.
 */
#include <string.h>

#include "kaspa.h"
#include "signd/pskt_combine.h"
#include "signd/pskt_create.h"

#include "fuzz.h"

#define MAX_DOCS	8

static void	check_combine(struct pool *, const char *,
		    const struct json *);
static void	check_sigs(const struct pskt_doc *, const struct pskt_doc *);
static void	check_create(struct pool *, const struct json *);
static void	check_tx(const struct create_result *, size_t, uint64_t,
		    const struct tx *);
static void	reparse(struct pool *, struct bytes, struct pskt_doc *);
static void	check_error(const struct pskt_error *);

static void
check_error(const struct pskt_error *e)
{
	CHECK(e->code != PSKT_OK && e->message[0] != '\0');
}

static void
reparse(struct pool *pool, struct bytes text, struct pskt_doc *doc)
{
	struct pskt_error	 e;
	struct json		*v;
	char			 err[256];

	CHECK(json_strict(text.p, text.len));
	CHECK((v = json_parse(pool, (const char *)text.p, text.len, err,
	    sizeof(err))) != NULL);
	CHECK(pskt_parse(pool, NULL, (const char *)text.p, v, doc, &e) == 0);
}

/* b has a key of every signature of a, where it has the input. */
static void
check_sigs(const struct pskt_doc *a, const struct pskt_doc *b)
{
	const struct pskt_input	*in;
	size_t			 d, i, k;

	CHECK(a->n == b->n);
	for (d = 0; d < a->n; d++) {
		CHECK(a->pskt[d].tx.nin <= b->pskt[d].tx.nin);
		CHECK(a->pskt[d].tx.nout <= b->pskt[d].tx.nout);
		for (i = 0; i < a->pskt[d].tx.nin; i++) {
			in = &a->pskt[d].in[i];
			CHECK(in->nsig <= b->pskt[d].in[i].nsig);
			for (k = 0; k < in->nsig; k++)
				CHECK(pskt_own_signature(&b->pskt[d], i,
				    in->sig[k].key + 1, NULL) != NULL);
		}
	}
}

static void
check_combine(struct pool *pool, const char *src, const struct json *list)
{
	const struct json	*v;
	struct pskt_doc		 docs[MAX_DOCS + 2], all;
	struct pskt_error	 e;
	struct bytes		 out, again, plain;
	size_t			 n = 0, i;

	for (v = list->first; v != NULL && n < MAX_DOCS; v = v->next)
		if (pskt_parse(pool, NULL, src, v, &docs[n], &e) == 0)
			n++;
	if (n == 0)
		return;
	/* One, but for what version 0 may not have. */
	if (pskt_combine(pool, docs, 1, &out, &e) == 0) {
		CHECK(pskt_emit(pool, &docs[0], NULL, 0, &plain) == 0);
		CHECK(out.len == plain.len &&
		    memcmp(out.p, plain.p, out.len) == 0);
	} else
		check_error(&e);
	if (pskt_combine(pool, docs, n, &out, &e) == -1) {
		check_error(&e);
		return;
	}
	reparse(pool, out, &all);
	for (i = 0; i < n; i++)
		check_sigs(&docs[i], &all);
	/* What it is made of first: types are the last one's. */
	docs[n] = docs[n + 1] = all;
	CHECK(pskt_combine(pool, docs + n, 2, &again, &e) == 0);
	CHECK(again.len == out.len && memcmp(again.p, out.p, out.len) == 0);
	CHECK(pskt_combine(pool, docs, n + 1, &again, &e) == 0);
	CHECK(again.len == out.len && memcmp(again.p, out.p, out.len) == 0);
}

static void
check_tx(const struct create_result *r, size_t i, uint64_t rate,
    const struct tx *tx)
{
	const struct create_tx	*t = &r->tx[i];
	struct mass		 m;
	uint64_t		 in = 0, out = 0;
	uint8_t			 id[TX_ID_LEN];
	size_t			 k;

	CHECK(tx_id(tx, id) == 0 && memcmp(id, t->id, sizeof(id)) == 0);
	for (k = 0; k < tx->nin; k++)
		in += tx->in[k].amount;
	for (k = 0; k < tx->nout; k++)
		out += tx->out[k].value;
	mass_of_tx(tx, NULL, &m);
	CHECK(in >= out && in - out == t->fee);
	CHECK(t->fee >= mass_fee(&m, rate));
	CHECK(t->change == 0 || (t->fee == mass_fee(&m, rate) &&
	    tx->out[tx->nout - 1].value == t->change));
	CHECK(m.compute <= MASS_LIMIT_WALLET &&
	    m.transient <= MASS_LIMIT_WALLET && m.storage <=
	    MASS_LIMIT_WALLET);
	if (i > 0)
		CHECK(memcmp(tx->in[0].outpoint.txid, r->tx[i - 1].id,
		    TX_ID_LEN) == 0 && r->tx[i - 1].change ==
		    tx->in[0].amount && r->tx[i - 1].change != 0);
}

static void
check_create(struct pool *pool, const struct json *params)
{
	static const struct bytes	 none = { NULL, 0 };
	const struct json		*o = NULL;
	struct create_result		 r;
	struct pskt_error		 e;
	struct pskt_doc			 doc;
	const struct tx			*tx;
	uint64_t			 rate, amount;
	size_t				 i, k;

	if (pskt_create(pool, KASPA_DEVNET, none, params, &r, &e) == -1) {
		check_error(&e);
		return;
	}
	reparse(pool, r.text, &doc);
	CHECK(doc.n == r.n);
	CHECK(json_u64(json_get(params, "fee_rate"), CREATE_MAX_RATE,
	    &rate) == 0);
	o = json_get(params, "outputs")->first;
	for (i = 0; i < doc.n; i++) {
		tx = &doc.pskt[i].tx;
		check_tx(&r, i, rate, tx);
		for (k = 0; k + (r.tx[i].change != 0) < tx->nout; k++) {
			CHECK(o != NULL && json_u64(json_get(o, "amount"),
			    UINT64_MAX, &amount) == 0);
			CHECK(tx->out[k].value == amount);
			o = o->next;
		}
	}
	CHECK(o == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char	*text = (const char *)data;
	struct pool	 pool;
	struct json	*v;
	char		 err[256];

	pool_init(&pool, 0);
	v = json_parse(&pool, text, size, err, sizeof(err));
	if (v != NULL && v->type == JSON_ARRAY)
		check_combine(&pool, text, v);
	else if (v != NULL)
		check_create(&pool, v);
	pool_free(&pool);
	return 0;
}
