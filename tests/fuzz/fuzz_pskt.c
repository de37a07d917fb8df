/*
 * signd/pskt.  Input: a byte of options, then a JSON value as params.pskt.
 * What parses goes to keyd and arrives there whole; without signatures it
 * comes back byte for byte; with signatures it parses again, to the same
 * transaction, with them in it, and giving them twice changes nothing.
 */
#include <string.h>

#include "kaspa.h"
#include "messages.h"
#include "signd/pskt.h"

#include "fuzz.h"

#define OPT_KEY		0x01	/* our key is known */
#define OPT_REDEEM	0x02	/* our redeem script, too */
#define OPT_PATH	0x04
#define OPT_TWO		0x08	/* a second key signs as well */
#define OPT_ODD		0x10	/* keys are written with parity 3 */
#define OPT_MASTER	0x20	/* our master key's fingerprint is known */

#define MAX_NEW		64

static const uint8_t	 key_a[32] = {
	0x07, 0x20, 0xa8, 0xb5, 0x64, 0xd1, 0xd0, 0x25, 0x56, 0x3e, 0xa8, 0x76,
	0x66, 0x1e, 0x32, 0x36, 0xc7, 0x13, 0xc5, 0x0d, 0x93, 0xe5, 0x24, 0x4b,
	0xa8, 0x4b, 0x91, 0xec, 0x4f, 0x9c, 0xd2, 0xe4
};
static const uint8_t	 key_b[32] = {
	0x0c, 0xb1, 0xb7, 0xc0, 0x79, 0xba, 0x61, 0xf0, 0xee, 0xad, 0x7a, 0x68,
	0x41, 0x16, 0x34, 0xa8, 0xd1, 0xee, 0x0e, 0x47, 0x93, 0x51, 0x33, 0x8a,
	0x92, 0xea, 0x0d, 0xcc, 0x15, 0xf2, 0xdf, 0xb8
};
static const uint8_t	 fingerprint[4] = { 0x00, 0x11, 0x22, 0x33 };
static const uint8_t	 redeem[] = { 0x51, 0xac };

static void	context(uint8_t, struct pskt_context *);
static void	check_doc(const struct pskt_doc *, const struct json *);
static void	check_hashes(const struct tx *);
static void	check_wire(struct pool *, const struct pskt_doc *);
static void	check_unchanged(struct pool *, const struct pskt_doc *);
static size_t	new_sigs(const struct pskt_doc *, uint8_t,
		    struct pskt_new_sig *);
static void	check_signed(struct pool *, uint8_t, const struct pskt_doc *);
static void	check_has(const struct pskt_doc *, const struct pskt_doc *,
		    const struct pskt_new_sig *);
static void	check_same_tx(const struct pskt_doc *, const struct pskt_doc *);

static void
context(uint8_t opt, struct pskt_context *ctx)
{
	memset(ctx, 0, sizeof(*ctx));
	if (opt & OPT_KEY)
		ctx->xonly = key_a;
	if (opt & OPT_REDEEM) {
		ctx->redeem.p = redeem;
		ctx->redeem.len = sizeof(redeem);
	}
	if (opt & OPT_PATH)
		ctx->derivation_path = "m/45'/111111'/0'";
	if (opt & OPT_MASTER)
		ctx->fingerprint = fingerprint;
}

/* What is read can be hashed; what cannot is refused before. */
static void
check_hashes(const struct tx *tx)
{
	struct sighash_cache	 cache;
	uint8_t			 id[32], hash[32];
	size_t			 i;

	CHECK(tx_id(tx, id) == 0);
	sighash_cache_init(&cache);
	for (i = 0; i < tx->nin; i++)
		CHECK((sighash_schnorr(tx, i, tx->in[i].sighash_type, &cache,
		    hash) == 0) == (tx->in[i].has_utxo &&
		    sighash_type_valid(tx->in[i].sighash_type)));
}

static void
check_doc(const struct pskt_doc *doc, const struct json *v)
{
	size_t	 i;

	CHECK(doc->n >= 1 && doc->n <= PSKT_MAX_BUNDLE);
	CHECK((v->type == JSON_OBJECT) == (doc->form == PSKT_FORM_OBJECT));
	for (i = 0; i < doc->n; i++) {
		CHECK(doc->pskt[i].tx.nin <= TX_MAX_INPUTS);
		CHECK(doc->pskt[i].tx.nout <= TX_MAX_OUTPUTS);
		check_hashes(&doc->pskt[i].tx);
	}
	for (i = 0; i < doc->nnote; i++)
		CHECK(doc->note[i].pskt < doc->n &&
		    doc->note[i].text != NULL);
}

/* To keyd and back. */
static void
check_wire(struct pool *pool, const struct pskt_doc *doc)
{
	struct msg_sign_req	 m, got;
	struct enc		 e, again;
	size_t			 i;

	memset(&m, 0, sizeof(m));
	m.n = (uint32_t)doc->n;
	CHECK((m.tx = pool_alloc(pool, doc->n, sizeof(*m.tx))) != NULL);
	for (i = 0; i < doc->n; i++)
		m.tx[i] = doc->pskt[i].tx;
	enc_init(&e);
	enc_init(&again);
	enc_sign_req(&e, &m);
	CHECK(!e.failed);
	if (e.len <= PROTO_MAX_SIGN) {
		CHECK(dec_sign_req(e.buf, e.len, pool, &got) == 0);
		enc_sign_req(&again, &got);
		CHECK(again.len == e.len &&
		    memcmp(again.buf, e.buf, e.len) == 0);
	}
	enc_free(&e);
	enc_free(&again);
}

static void
check_unchanged(struct pool *pool, const struct pskt_doc *doc)
{
	struct bytes	 out;
	size_t		 len = doc->end - doc->start;
	uint8_t		*text;

	CHECK(pskt_emit(pool, doc, NULL, 0, &out) == 0);
	if (doc->form == PSKT_FORM_OBJECT) {
		CHECK(out.len == len &&
		    memcmp(out.p, doc->src + doc->start, len) == 0);
		return;
	}
	CHECK(out.len == 2 * len + 6 && (text = malloc(len)) != NULL);
	CHECK(memcmp(out.p, doc->form == PSKT_FORM_PSKT ? "\"PSKT" : "\"PSKB",
	    5) == 0 && out.p[out.len - 1] == '"');
	CHECK(pskt_unhex(out.p + 5, 2 * len, text) == 0);
	CHECK(memcmp(text, doc->src + doc->start, len) == 0);
	free(text);
}

static size_t
new_sigs(const struct pskt_doc *doc, uint8_t opt, struct pskt_new_sig *s)
{
	size_t	 i, j, k, n = 0, keys = opt & OPT_TWO ? 2 : 1;

	for (i = 0; i < doc->n; i++)
		for (j = 0; j < doc->pskt[i].tx.nin; j++)
			for (k = 0; k < keys && n < MAX_NEW; k++, n++) {
				s[n].pskt = i;
				s[n].input = j;
				s[n].key[0] = opt & OPT_ODD ? 3 : 2;
				memcpy(s[n].key + 1, k == 0 ? key_b : key_a,
				    32);
				memset(s[n].sig, (int)(n + 1),
				    sizeof(s[n].sig));
			}
	return n;
}

static void
check_same_tx(const struct pskt_doc *a, const struct pskt_doc *b)
{
	struct enc	 x, y;
	size_t		 i;

	CHECK(a->form == b->form && a->n == b->n && a->nnote == b->nnote);
	enc_init(&x);
	enc_init(&y);
	for (i = 0; i < a->n; i++) {
		struct msg_sign_req	 m = { .n = 1 };

		m.tx = &a->pskt[i].tx;
		enc_sign_req(&x, &m);
		m.tx = &b->pskt[i].tx;
		enc_sign_req(&y, &m);
	}
	CHECK(x.len == y.len && memcmp(x.buf, y.buf, x.len) == 0);
	enc_free(&x);
	enc_free(&y);
}

static void
check_has(const struct pskt_doc *old, const struct pskt_doc *new,
    const struct pskt_new_sig *s)
{
	const struct pskt	*p = &new->pskt[s->pskt];
	const struct pskt	*was = &old->pskt[s->pskt];
	const struct pskt_sig	*got = NULL;
	unsigned		 n = 0;

	while ((got = pskt_own_signature(p, s->input, s->key + 1,
	    got)) != NULL) {
		CHECK(got->schnorr);
		CHECK(memcmp(got->sig, s->sig, sizeof(got->sig)) == 0);
		n++;
	}
	CHECK(n >= 1);
	/* No other signature is lost, and none is made up. */
	CHECK(p->in[s->input].nsig >= was->in[s->input].nsig);
	CHECK(p->in[s->input].nsig <= was->in[s->input].nsig + 2);
}

static void
check_signed(struct pool *pool, uint8_t opt, const struct pskt_doc *doc)
{
	struct pskt_new_sig	 sig[MAX_NEW];
	struct pskt_context	 ctx;
	struct pskt_error	 e;
	struct pskt_doc		 got;
	struct bytes		 out, again;
	struct json		*v;
	char			 err[256];
	size_t			 i, n;

	context(opt, &ctx);
	n = new_sigs(doc, opt, sig);
	CHECK(pskt_emit(pool, doc, sig, n, &out) == 0);
	CHECK((v = json_parse(pool, (const char *)out.p, out.len, err,
	    sizeof(err))) != NULL);
	CHECK(pskt_parse(pool, &ctx, (const char *)out.p, v, &got, &e) == 0);
	check_same_tx(doc, &got);
	for (i = 0; i < n; i++)
		check_has(doc, &got, &sig[i]);
	CHECK(pskt_emit(pool, &got, sig, n, &again) == 0);
	CHECK(again.len == out.len && memcmp(again.p, out.p, out.len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pskt_context	 ctx;
	struct pskt_error	 e;
	struct pskt_doc		 doc;
	struct pool		 pool;
	struct json		*v;
	const char		*text;
	char			 err[256];

	if (size < 1)
		return 0;
	text = (const char *)data + 1;
	pool_init(&pool, 0);
	context(data[0], &ctx);
	v = json_parse(&pool, text, size - 1, err, sizeof(err));
	if (v == NULL)
		goto out;
	if (pskt_parse(&pool, &ctx, text, v, &doc, &e) == -1) {
		CHECK(e.code != PSKT_OK && e.message[0] != '\0');
		CHECK(e.pskt == PSKT_NOT_IN_BUNDLE || e.pskt < doc.n);
		goto out;
	}
	check_doc(&doc, v);
	check_wire(&pool, &doc);
	check_unchanged(&pool, &doc);
	check_signed(&pool, data[0], &doc);
out:
	pool_free(&pool);
	return 0;
}
