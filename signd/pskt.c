#include <stdio.h>
#include <string.h>

#include "kaspa.h"
#include "pskt_int.h"

#define PREFIX_LEN	4	/* PSKT or PSKB, case-sensitive */

static int	 whole_fail(struct pskt_error *, enum pskt_code, const char *);
static int	 unframe(struct pool *, const struct json *, struct pskt_doc *,
		    struct pskt_error *);
static int	 add_notes(struct reader *, struct pskt_doc *, size_t);

static int
whole_fail(struct pskt_error *e, enum pskt_code code, const char *what)
{
	e->code = code;
	(void)snprintf(e->message, sizeof(e->message), "%s", what);
	return -1;
}

/* The document within a string of PSKT or PSKB hex. */
static int
unframe(struct pool *pool, const struct json *value, struct pskt_doc *doc,
    struct pskt_error *e)
{
	const struct bytes	*s = &value->text;
	size_t			 len;
	char			*text, err[256];

	if (s->len >= PREFIX_LEN && memcmp(s->p, "PSKT", PREFIX_LEN) == 0)
		doc->form = PSKT_FORM_PSKT;
	else if (s->len >= PREFIX_LEN && memcmp(s->p, "PSKB", PREFIX_LEN) == 0)
		doc->form = PSKT_FORM_PSKB;
	else
		return whole_fail(e, PSKT_INVALID,
		    "must begin with PSKT or PSKB");
	len = (s->len - PREFIX_LEN) / 2;
	if ((text = pool_alloc(pool, len + 1, 1)) == NULL)
		return whole_fail(e, PSKT_TOO_LARGE, "out of memory");
	if (pskt_unhex(s->p + PREFIX_LEN, s->len - PREFIX_LEN,
	    (uint8_t *)text) == -1)
		return whole_fail(e, PSKT_INVALID, s->len % 2 != 0 ?
		    "odd number of hex digits" : "not hex after its prefix");
	if ((doc->root = json_parse(pool, text, len, err,
	    sizeof(err))) == NULL)
		return whole_fail(e, PSKT_INVALID, err);
	doc->src = text;
	doc->start = 0;
	doc->end = len;
	if (doc->form == PSKT_FORM_PSKT && doc->root->type != JSON_OBJECT)
		return whole_fail(e, PSKT_INVALID, "PSKT must hold an object");
	if (doc->form == PSKT_FORM_PSKB && doc->root->type != JSON_ARRAY)
		return whole_fail(e, PSKT_INVALID, "PSKB must hold an array");
	return 0;
}

int
pskt_parse(struct pool *pool, const struct pskt_context *ctx, const char *src,
    const struct json *value, struct pskt_doc *doc, struct pskt_error *e)
{
	struct reader		 r;
	uint8_t			 own_p2sh[P2SH_SCRIPT_LEN] = { 0 };
	const struct json	*v;
	size_t			 i;

	memset(doc, 0, sizeof(*doc));
	memset(e, 0, sizeof(*e));
	e->pskt = PSKT_NOT_IN_BUNDLE;
	doc->src = src;
	doc->root = value;
	doc->start = value->start;
	doc->end = value->end;
	if (value->type == JSON_STRING) {
		if (unframe(pool, value, doc, e) == -1)
			return -1;
	} else if (value->type != JSON_OBJECT)
		return whole_fail(e, PSKT_INVALID, "must be an object, or a "
		    "string that begins with PSKT or PSKB");
	doc->n = doc->form == PSKT_FORM_PSKB ? doc->root->n : 1;
	if (doc->n == 0)
		return whole_fail(e, PSKT_INVALID, "the bundle is empty");
	if (doc->n > PSKT_MAX_BUNDLE)
		return whole_fail(e, PSKT_TOO_LARGE,
		    "more than 256 documents in a bundle");
	doc->pskt = pool_alloc(pool, doc->n, sizeof(*doc->pskt));
	doc->note = pool_alloc(pool, doc->n * NOTE_MAX, sizeof(*doc->note));
	if (doc->pskt == NULL || doc->note == NULL)
		return whole_fail(e, PSKT_TOO_LARGE, "out of memory");
	if (ctx != NULL && ctx->redeem.len != 0)
		script_p2sh(ctx->redeem.p, ctx->redeem.len, own_p2sh);
	v = doc->form == PSKT_FORM_PSKB ? doc->root->first : doc->root;
	for (i = 0; i < doc->n; i++, v = v->next) {
		if (doc->form == PSKT_FORM_PSKB)
			e->pskt = i;
		memset(&r, 0, sizeof(r));
		r.pool = pool;
		r.ctx = ctx;
		r.root = v;
		r.e = e;
		r.pskt = &doc->pskt[i];
		memcpy(r.own_p2sh, own_p2sh, sizeof(r.own_p2sh));
		if (v->type != JSON_OBJECT)
			return whole_fail(e, PSKT_INVALID, "must be an object");
		if (pskt_read(&r) == -1 || add_notes(&r, doc, i) == -1)
			return -1;
	}
	e->pskt = PSKT_NOT_IN_BUNDLE;
	return 0;
}

static int
add_notes(struct reader *r, struct pskt_doc *doc, size_t i)
{
	const struct note	*n;
	char			*text;
	int			 kind;

	for (kind = 0; kind < NOTE_MAX; kind++) {
		n = &r->note[kind];
		if (n->n == 0 || n->text == NULL)
			continue;
		text = n->text;
		if (n->n > 1)
			text = pool_printf(r->pool, "%s (and %zu more inputs)",
			    n->text, n->n - 1);
		if (text == NULL)
			return whole_fail(r->e, PSKT_TOO_LARGE,
			    "out of memory");
		doc->note[doc->nnote].pskt = i;
		doc->note[doc->nnote++].text = text;
	}
	return 0;
}

const struct pskt_sig *
pskt_own_signature(const struct pskt *p, size_t i, const uint8_t xonly[32],
    const struct pskt_sig *prev)
{
	const struct pskt_sig	*s, *end;

	if (i >= p->tx.nin || p->in[i].nsig == 0)
		return NULL;
	end = p->in[i].sig + p->in[i].nsig;
	for (s = prev == NULL ? p->in[i].sig : prev + 1; s < end; s++)
		if (memcmp(s->key + 1, xonly, 32) == 0)
			return s;
	return NULL;
}
