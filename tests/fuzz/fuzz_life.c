/*
 * signd/pskt_verify, pskt_final, pskt_extract, pskt_inspect.  Input: a byte of
 * options, then a JSON value as params.pskt.  What is inspected is sound JSON
 * and printable text; what is finalized has a right script in every input,
 * is the same transaction, can be extracted, and finalized again is the same;
 * what is extracted is sound JSON; checking in small steps finds the same.
 */
#include <string.h>

#include "kaspa.h"
#include "signd/pskt_final.h"
#include "signd/pskt_inspect.h"

#include "fuzz.h"

#define OPT_KEY		0x01	/* the signer's key is known */
#define OPT_REDEEM	0x02	/* the first input's redeem script is ours */
#define OPT_HD		0x04
#define OPT_NOW		0x08

static void	check_steps(struct pool *, const struct pskt_doc *,
		    const struct verify *);
static void	check_inspect(uint8_t, const struct pskt_doc *,
		    const struct verify *);
static void	check_error(const struct pskt_doc *,
		    const struct pskt_error *);
static void	check_final(struct pool *, const struct pskt_doc *,
		    const struct bytes *);
static bool	check_extract(struct pool *, const struct pskt_doc *);
static bool	extractable(const struct pskt_doc *);

static void
check_steps(struct pool *pool, const struct pskt_doc *doc,
    const struct verify *v)
{
	const struct verify_input	*x, *y;
	struct verify			 w;
	size_t				 d, i;
	int				 rc;

	CHECK(verify_init(&w, pool, doc, true) == 0);
	while ((rc = verify_step(&w, 1)) == 0)
		;
	CHECK(rc == 1 && w.checks == v->checks);
	for (d = 0; d < doc->n; d++)
		for (i = 0; i < doc->pskt[d].tx.nin; i++) {
			x = &v->in[d][i];
			y = &w.in[d][i];
			CHECK(x->kind == y->kind && x->final == y->final &&
			    x->valid == y->valid && x->invalid == y->invalid);
			CHECK(x->valid + x->invalid <= x->n && x->m <= x->n);
			CHECK((x->final == FINAL_NONE ||
			    x->final == FINAL_VALID) == (x->why[0] == '\0'));
			CHECK(verify_sig_ops(x) <= x->n);
			CHECK((verify_sig_ops(x) != 0) == (x->m != 0 &&
			    x->valid >= x->m));
		}
}

static void
check_inspect(uint8_t opt, const struct pskt_doc *doc,
    const struct verify *v)
{
	struct inspect_context	 ctx;
	struct inspect		 s;
	struct json_out		 o;
	const char		*text;
	char			*lines, *p;
	size_t			 len;
	FILE			*f;

	memset(&ctx, 0, sizeof(ctx));
	if (opt & OPT_KEY && v->in[0] != NULL && doc->pskt[0].tx.nin != 0 &&
	    v->in[0][0].key_len == 32)
		ctx.xonly = v->in[0][0].key[0].key;
	if (opt & OPT_REDEEM && doc->pskt[0].tx.nin != 0)
		ctx.redeem = doc->pskt[0].tx.in[0].redeem;
	ctx.hd = (opt & OPT_HD) != 0;
	ctx.now_ms = opt & OPT_NOW ? 1800000000000 : 0;
	CHECK(inspect_make(&s, &ctx, v) == 0);
	CHECK(json_out_init(&o, 0) == 0);
	inspect_json(&s, &o);
	CHECK((text = json_out_text(&o, &len)) != NULL);
	CHECK(json_strict(text, len));
	json_out_free(&o);
	CHECK((f = open_memstream(&lines, &len)) != NULL);
	inspect_text(&s, f);
	CHECK(fclose(f) == 0);
	for (p = lines; p < lines + len; p++)
		CHECK(*p == '\n' || (*p >= ' ' && *p <= '~'));
	free(lines);
}

static void
check_error(const struct pskt_doc *doc, const struct pskt_error *e)
{
	CHECK(e->code == PSKT_INVALID || e->code == PSKT_UNSUPPORTED);
	CHECK(e->message[0] != '\0');
	CHECK(doc->form == PSKT_FORM_PSKB ? e->pskt < doc->n :
	    e->pskt == PSKT_NOT_IN_BUNDLE);
}

static bool
extractable(const struct pskt_doc *doc)
{
	size_t	 i;

	for (i = 0; i < doc->n; i++)
		if (doc->pskt[i].tx.version != 0 || doc->pskt[i].tx.nout == 0)
			return false;
	return true;
}

static bool
check_extract(struct pool *pool, const struct pskt_doc *doc)
{
	struct pskt_error	 e;
	struct bytes		 out;

	memset(&e, 0, sizeof(e));
	if (pskt_extract(pool, doc, &out, &e) == -1) {
		check_error(doc, &e);
		return false;
	}
	CHECK(json_strict(out.p, out.len));
	return true;
}

static void
check_final(struct pool *pool, const struct pskt_doc *old,
    const struct bytes *out)
{
	struct pskt_error	 e;
	struct pskt_doc		 doc;
	struct bytes		 again;
	struct json		*v;
	uint8_t			 a[32], b[32];
	char			 err[256];
	size_t			 d, i;

	CHECK((v = json_parse(pool, (const char *)out->p, out->len, err,
	    sizeof(err))) != NULL);
	CHECK(pskt_parse(pool, NULL, (const char *)out->p, v, &doc, &e) == 0);
	CHECK(doc.form == old->form && doc.n == old->n);
	for (d = 0; d < doc.n; d++) {
		CHECK(tx_id(&old->pskt[d].tx, a) == 0 &&
		    tx_id(&doc.pskt[d].tx, b) == 0);
		CHECK(memcmp(a, b, sizeof(a)) == 0);
		for (i = 0; i < doc.pskt[d].tx.nin; i++)
			CHECK(doc.pskt[d].in[i].final.p != NULL);
	}
	CHECK(check_extract(pool, &doc) == extractable(&doc));
	CHECK(pskt_finalize(pool, &doc, &again, &e) == 0);
	CHECK(again.len == out->len &&
	    memcmp(again.p, out->p, out->len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pskt_error	 e;
	struct pskt_doc		 doc;
	struct verify		 v;
	struct pool		 pool;
	struct bytes		 out;
	struct json		*j;
	const char		*text;
	char			 err[256];

	if (size < 1)
		return 0;
	text = (const char *)data + 1;
	pool_init(&pool, 0);
	if ((j = json_parse(&pool, text, size - 1, err, sizeof(err))) == NULL ||
	    pskt_parse(&pool, NULL, text, j, &doc, &e) == -1)
		goto out;
	CHECK(verify_init(&v, &pool, &doc, true) == 0);
	CHECK(verify_step(&v, UINT32_MAX) == 1);
	check_steps(&pool, &doc, &v);
	check_inspect(data[0], &doc, &v);
	(void)check_extract(&pool, &doc);
	memset(&e, 0, sizeof(e));
	if (pskt_finalize_verified(&v, &out, &e) == -1)
		check_error(&doc, &e);
	else
		check_final(&pool, &doc, &out);
out:
	pool_free(&pool);
	return 0;
}
