#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ecdsa.h"
#include "kaspa.h"
#include "pskt_merge.h"
#include "schnorr.h"

#define FIRST_EDITS	8
#define MAX_DER		72	/* bytes of an ECDSA signature */

struct edit {
	size_t		 at;		/* in the source */
	size_t		 skip;		/* bytes of the source it replaces */
	size_t		 order;		/* among those at one place */
	bool		 comma;
	struct bytes	 text;
};

static int	 add_edit(struct patch *, size_t, size_t, bool, struct bytes);
static int	 compare_edits(const void *, const void *);
static int	 compare_entries(const void *, const void *);
static int	 compare_folded(const void *, const void *);
static int	 compare(const struct entry *, const struct entry *, bool);
static int	 compare_names(const struct bytes *, const struct bytes *,
		    bool);
static bool	 takes_ecdsa(const struct tx_input *);
static int	 compare_members(const void *, const void *);
static int	 same_member(struct pool *, const struct json *,
		    const struct json *, const char *, same_fn *);
static int	 same_object(struct pool *, const struct json *,
		    const struct json *);
static const struct json **sorted(struct pool *, const struct json *);

int
merge_fail(struct merge *m, size_t doc, const struct json *v,
    const char *name, const char *what)
{
	char	 path[256];

	json_path(m->docs[doc].pskt[m->member].root, v, path, sizeof(path));
	m->e->code = PSKT_INVALID;
	(void)snprintf(m->e->message, sizeof(m->e->message), "%s%s%s%s%s",
	    path, path[0] != '\0' && name != NULL ? "." : "",
	    name != NULL ? name : "",
	    path[0] != '\0' || name != NULL ? ": " : "", what);
	return -1;
}

int
merge_no_memory(struct merge *m)
{
	m->e->code = PSKT_TOO_LARGE;
	(void)snprintf(m->e->message, sizeof(m->e->message), "out of memory");
	return -1;
}

int
merge_conflict(struct merge *m, size_t a, size_t b, const struct json *v)
{
	char	 what[96];

	(void)snprintf(what, sizeof(what),
	    "differs between documents %zu and %zu", a, b);
	return merge_fail(m, b, v, NULL, what);
}

struct bytes
merge_raw(const struct merge *m, size_t doc, const struct json *v)
{
	struct bytes	 b;

	b.p = (const uint8_t *)m->docs[doc].src + v->start;
	b.len = v->end - v->start;
	return b;
}

void
patch_init(struct patch *p, struct merge *m, size_t doc,
    const struct json *base)
{
	memset(p, 0, sizeof(*p));
	p->pool = m->pool;
	p->src = m->docs[doc].src;
	p->base = base;
}

static int
add_edit(struct patch *p, size_t at, size_t skip, bool comma,
    struct bytes text)
{
	struct edit	*e;

	if (p->n == p->max) {
		p->max = p->max == 0 ? FIRST_EDITS : 2 * p->max;
		if ((e = pool_alloc(p->pool, p->max, sizeof(*e))) == NULL)
			return -1;
		if (p->n != 0)
			memcpy(e, p->edit, p->n * sizeof(*e));
		p->edit = e;
	}
	e = &p->edit[p->n];
	e->at = at;
	e->skip = skip;
	e->order = p->n++;
	e->comma = comma;
	e->text = text;
	return 0;
}

int
patch_replace(struct patch *p, const struct json *old, struct bytes text)
{
	return add_edit(p, old->start, old->end - old->start, false, text);
}

int
patch_append(struct patch *p, struct bytes text)
{
	const struct json	*v;

	if (p->tail == 0) {
		p->tail = p->base->start + 1;
		for (v = p->base->first; v != NULL; v = v->next)
			p->tail = v->end;
	}
	return add_edit(p, p->tail, 0, p->base->n != 0 || p->nadded++ != 0,
	    text);
}

/*
 * Where v's name begins, as it is spelled: backwards, since a walk along the
 * members would be quadratic.
 */
static size_t
name_start(const char *src, const struct json *v)
{
	size_t	 at = v->start, i;

	while (src[--at] != '"')
		;
	for (;;) {
		while (src[--at] != '"')
			;
		for (i = at; src[i - 1] == '\\'; i--)
			;
		if ((at - i) % 2 == 0)
			return at;
	}
}

int
patch_append_member(struct patch *p, const struct merge *m, size_t doc,
    const struct json *v)
{
	const char	*src = m->docs[doc].src;
	size_t		 at = name_start(src, v);
	struct bytes	 text;

	text.p = (const uint8_t *)src + at;
	text.len = v->end - at;
	return patch_append(p, text);
}

static int
compare_edits(const void *a, const void *b)
{
	const struct edit	*x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

int
patch_text(struct patch *p, struct json_text *out)
{
	const struct edit	*e;
	size_t			 len = p->base->end - p->base->start, i;
	size_t			 at = p->base->start;
	uint8_t			*to;

	out->changed = p->n != 0;
	out->text.p = (const uint8_t *)p->src + at;
	out->text.len = len;
	if (p->n == 0)
		return 0;
	qsort(p->edit, p->n, sizeof(*p->edit), compare_edits);
	for (i = 0; i < p->n; i++) {
		e = &p->edit[i];
		len = len - e->skip + e->comma + e->text.len;
	}
	if ((to = pool_alloc(p->pool, len, 1)) == NULL)
		return -1;
	out->text.p = to;
	out->text.len = len;
	for (i = 0; i < p->n; i++) {
		e = &p->edit[i];
		memcpy(to, p->src + at, e->at - at);
		to += e->at - at;
		if (e->comma)
			*to++ = ',';
		memcpy(to, e->text.p, e->text.len);
		to += e->text.len;
		at = e->at + e->skip;
	}
	memcpy(to, p->src + at, p->base->end - at);
	return 0;
}

int
merge_frame(struct merge *m, struct bytes root, struct bytes *out)
{
	const struct pskt_doc	*d = &m->docs[0];
	size_t			 before = d->root->start - d->start;
	size_t			 after = d->end - d->root->end;
	size_t			 len = before + root.len + after;
	char			*text, *to;

	if (d->form == PSKT_FORM_OBJECT) {
		*out = root;
		return 0;
	}
	if ((text = pool_alloc(m->pool, 2 * len + 6, 1)) == NULL)
		return merge_no_memory(m);
	memcpy(text, d->form == PSKT_FORM_PSKT ? "\"PSKT" : "\"PSKB", 5);
	to = text + 5;
	pskt_hex(d->src + d->start, before, to);
	pskt_hex(root.p, root.len, to += 2 * before);
	pskt_hex(d->src + d->root->end, after, to += 2 * root.len);
	to[2 * after] = '"';
	out->p = (const uint8_t *)text;
	out->len = 2 * len + 6;
	return 0;
}

/* --- members of several objects --- */

static int
compare_names(const struct bytes *a, const struct bytes *b, bool fold)
{
	size_t	 len = a->len < b->len ? a->len : b->len;
	int	 c = 0;

	if (len != 0)
		c = fold ? strncasecmp((const char *)a->p,
		    (const char *)b->p, len) : memcmp(a->p, b->p, len);
	if (c != 0)
		return c;
	return (a->len > b->len) - (a->len < b->len);
}

static int
compare(const struct entry *a, const struct entry *b, bool fold)
{
	int	 c;

	if ((c = compare_names(&a->v->key, &b->v->key, fold)) != 0)
		return c;
	return (a->doc > b->doc) - (a->doc < b->doc);
}

static int
compare_entries(const void *a, const void *b)
{
	return compare(a, b, false);
}

static int
compare_folded(const void *a, const void *b)
{
	return compare(a, b, true);
}

bool
merge_same_name(const struct entry *a, const struct entry *b, bool fold)
{
	return compare_names(&a->v->key, &b->v->key, fold) == 0;
}

int
merge_collect(struct merge *m, const struct json *const *v, bool fold,
    bool (*skip)(const void *, const struct json *), const void *arg,
    struct entry **entries, size_t *n)
{
	const struct json	*f;
	struct entry		*e;
	size_t			 k, total = 0;

	*n = 0;
	for (k = 0; k < m->n; k++)
		total += v[k] == NULL ? 0 : v[k]->n;
	if ((*entries = e = pool_alloc(m->pool, total, sizeof(*e))) == NULL)
		return merge_no_memory(m);
	for (k = 0; k < m->n; k++)
		for (f = v[k] == NULL ? NULL : v[k]->first; f != NULL;
		    f = f->next) {
			if (skip != NULL && skip(arg, f))
				continue;
			e[*n].v = f;
			e[(*n)++].doc = k;
		}
	qsort(e, *n, sizeof(*e), fold ? compare_folded : compare_entries);
	/* The parser takes no name twice, but it knows no hex. */
	for (k = 1; k < *n; k++)
		if (e[k].doc == e[k - 1].doc &&
		    merge_same_name(&e[k], &e[k - 1], fold))
			return merge_fail(m, e[k].doc, e[k].v, NULL,
			    "one key twice");
	return 0;
}

/* --- signatures --- */

/* Does its script take ECDSA? */
static bool
takes_ecdsa(const struct tx_input *in)
{
	struct multisig	 ms;

	return script_classify(&in->spk) == SCRIPT_P2PK_ECDSA ||
	    (script_multisig_parse(in->redeem.p, in->redeem.len, &ms) == 0 &&
	    ms.ecdsa);
}

bool
merge_verifies(struct merge *m, const struct json *v)
{
	const struct tx		*tx = &m->result->tx;
	const struct json	*s;
	size_t			 i = v->parent->parent->index;
	uint8_t			 key[33], sig[64], der[MAX_DER], hash[32];
	bool			 ecdsa;

	if (i >= tx->nin || !tx->in[i].has_utxo ||
	    pskt_unhex(v->key.p, 2 * sizeof(key), key) == -1)
		return false;
	ecdsa = takes_ecdsa(&tx->in[i]);
	if ((s = json_get(v, ecdsa ? "eCDSA" : "schnorr")) == NULL ||
	    s->text.len > (ecdsa ? 2 * sizeof(der) : 2 * sizeof(sig)) ||
	    sighash_schnorr(tx, i, tx->in[i].sighash_type, m->cache,
	    hash) == -1)
		return false;
	if (!ecdsa)
		return s->text.len == 2 * sizeof(sig) &&
		    pskt_unhex(s->text.p, 2 * sizeof(sig), sig) == 0 &&
		    schnorr_verify(key + 1, hash, sig);
	ecdsa_digest(hash, hash);
	return pskt_unhex(s->text.p, s->text.len, der) == 0 &&
	    ecdsa_compact(der, s->text.len / 2, sig) == 0 &&
	    ecdsa_verify(key, hash, sig);
}

/* --- comparing; what pskt_parse has checked is not checked again --- */

int
same_scalar(struct pool *pool, const struct json *a, const struct json *b)
{
	(void)pool;
	if (a->type != b->type || a->truth != b->truth ||
	    a->text.len != b->text.len)
		return 0;
	return (a->type != JSON_STRING && a->type != JSON_NUMBER) ||
	    a->text.len == 0 ||
	    memcmp(a->text.p, b->text.p, a->text.len) == 0;
}

int
same_hex(struct pool *pool, const struct json *a, const struct json *b)
{
	(void)pool;
	return a->type == b->type && a->text.len == b->text.len &&
	    (a->type != JSON_STRING || a->text.len == 0 ||
	    strncasecmp((const char *)a->text.p, (const char *)b->text.p,
	    a->text.len) == 0);
}

/* Absent is null. */
static int
same_member(struct pool *pool, const struct json *a, const struct json *b,
    const char *name, same_fn *same)
{
	const struct json	*x = json_get(a, name), *y = json_get(b, name);
	bool			 no_x = x == NULL || x->type == JSON_NULL;
	bool			 no_y = y == NULL || y->type == JSON_NULL;

	if (no_x || no_y)
		return no_x && no_y;
	return same(pool, x, y);
}

int
same_outpoint(struct pool *pool, const struct json *a, const struct json *b)
{
	return same_member(pool, a, b, "transactionId", same_hex) &&
	    same_member(pool, a, b, "index", same_scalar);
}

int
same_utxo(struct pool *pool, const struct json *a, const struct json *b)
{
	return same_member(pool, a, b, "amount", same_scalar) &&
	    same_member(pool, a, b, "scriptPublicKey", same_hex) &&
	    same_member(pool, a, b, "blockDaaScore", same_scalar) &&
	    same_member(pool, a, b, "isCoinbase", same_scalar) &&
	    same_member(pool, a, b, "covenantId", same_hex);
}

int
same_covenant(struct pool *pool, const struct json *a, const struct json *b)
{
	return same_member(pool, a, b, "authorizingInput", same_scalar) &&
	    same_member(pool, a, b, "covenantId", same_hex);
}

/* Null is not a KeySource, whatever that says. */
int
same_key_source(struct pool *pool, const struct json *a,
    const struct json *b)
{
	if (a->type != b->type || a->type == JSON_NULL)
		return a->type == b->type;
	return same_member(pool, a, b, "keyFingerprint", same_hex) &&
	    same_member(pool, a, b, "derivationPath", same_scalar);
}

int
same_signature(struct pool *pool, const struct json *a, const struct json *b)
{
	return same_member(pool, a, b, "schnorr", same_hex) &&
	    same_member(pool, a, b, "eCDSA", same_hex);
}

static int
compare_members(const void *a, const void *b)
{
	return compare_names(&(*(const struct json *const *)a)->key,
	    &(*(const struct json *const *)b)->key, false);
}

static const struct json **
sorted(struct pool *pool, const struct json *v)
{
	const struct json	**list, *f;

	if ((list = pool_alloc(pool, v->n, sizeof(*list))) == NULL)
		return NULL;
	for (f = v->first; f != NULL; f = f->next)
		list[f->index] = f;
	if (v->n != 0)
		qsort(list, v->n, sizeof(*list), compare_members);
	return list;
}

static int
same_object(struct pool *pool, const struct json *a, const struct json *b)
{
	const struct json	**x, **y;
	uint32_t		 i;
	int			 rc = 1;

	if ((x = sorted(pool, a)) == NULL || (y = sorted(pool, b)) == NULL)
		return -1;
	for (i = 0; i < a->n && rc == 1; i++)
		rc = compare_members(&x[i], &y[i]) != 0 ? 0 :
		    same_json(pool, x[i], y[i]);
	return rc;
}

/* As deep as JSON_MAX_DEPTH at most. */
int
same_json(struct pool *pool, const struct json *a, const struct json *b)
{
	const struct json	*x, *y;
	int			 rc = 1;

	if (a->type != b->type || a->n != b->n)
		return 0;
	if (a->type == JSON_OBJECT)
		return same_object(pool, a, b);
	if (a->type != JSON_ARRAY)
		return same_scalar(pool, a, b);
	for (x = a->first, y = b->first; x != NULL && rc == 1;
	    x = x->next, y = y->next)
		rc = same_json(pool, x, y);
	return rc;
}
