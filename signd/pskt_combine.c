/* KASPA.md, "Combine", as tables: what becomes of each member. */
#include <stdio.h>
#include <string.h>

#include "kaspa.h"
#include "pskt_combine.h"
#include "pskt_merge.h"

#define MAX_CHECKS	2000U	/* signatures to verify: 0.2 s */

struct rule;
/*
 * v[k] is document k's member (NULL: none), base the document whose text is
 * patched.
 */
typedef int	 merge_fn(struct merge *, const struct rule *,
		    const struct json *const *v, size_t base, struct patch *);

struct rule {
	const char		*name;
	merge_fn		*merge;
	same_fn			*same;
	const struct rule	*sub;	/* of the object, or each element */
	bool			 fold;	/* its members' names are hex */
	/* Of entries with one name in several documents, the one to keep. */
	int			(*choose)(struct merge *, const struct rule *,
				    const struct entry *, size_t, size_t *);
};

static merge_fn	 one_sided, greater, both, longer, payload, keep, map, object,
		    list;
static int	 choose_same(struct merge *, const struct rule *,
		    const struct entry *, size_t, size_t *);
static int	 choose_xpub(struct merge *, const struct rule *,
		    const struct entry *, size_t, size_t *);
static bool	 seen_before(struct merge *, const struct rule *,
		    const struct entry *, size_t);
static int	 choose_signature(struct merge *, const struct rule *,
		    const struct entry *, size_t, size_t *);
static int	 groups(struct merge *, const struct rule *,
		    const struct entry *, size_t, size_t, struct patch *);
static int	 merge_object(struct merge *, const struct rule *,
		    const struct json *const *, struct json_text *);
static int	 set(struct merge *, struct patch *, const struct json *,
		    size_t, const struct json *);
static int	 set_text(struct merge *, struct patch *, const struct json *,
		    const struct json_text *);
static bool	 suffix(const struct json *, const struct json *);
static bool	 is_rule(const void *, const struct json *);
static int	 merge_all(struct merge *, struct bytes *);
static int	 read_back(struct merge *, const struct bytes *,
		    struct pskt_doc *);
static int	 fits(struct merge *);

static const struct rule global_rules[] = {
	{ .name = "version", .merge = one_sided, .same = same_scalar },
	{ .name = "txVersion", .merge = one_sided, .same = same_scalar },
	{ .name = "fallbackLockTime", .merge = one_sided,
	    .same = same_scalar },
	{ .name = "inputsModifiable", .merge = both },
	{ .name = "outputsModifiable", .merge = both },
	{ .name = "inputCount", .merge = greater },
	{ .name = "outputCount", .merge = greater },
	{ .name = "xpubs", .merge = map, .same = same_key_source,
	    .choose = choose_xpub },
	{ .name = "id", .merge = one_sided, .same = same_hex },
	{ .name = "proprietaries", .merge = map, .same = same_json,
	    .choose = choose_same },
	{ .name = "payload", .merge = payload, .same = same_hex },
	{ .name = NULL }
};

static const struct rule input_rules[] = {
	{ .name = "utxoEntry", .merge = one_sided, .same = same_utxo },
	{ .name = "previousOutpoint", .merge = one_sided,
	    .same = same_outpoint },
	{ .name = "sequence", .merge = greater },
	{ .name = "minTime", .merge = greater },
	{ .name = "partialSigs", .merge = map, .same = same_signature,
	    .fold = true, .choose = choose_signature },
	{ .name = "sighashType", .merge = longer, .same = same_scalar },
	{ .name = "redeemScript", .merge = one_sided, .same = same_hex },
	{ .name = "sigOpCount", .merge = longer, .same = same_scalar },
	{ .name = "bip32Derivations", .merge = map, .same = same_key_source,
	    .fold = true, .choose = choose_same },
	{ .name = "finalScriptSig", .merge = one_sided, .same = same_hex },
	{ .name = "proprietaries", .merge = map, .same = same_json,
	    .choose = choose_same },
	{ .name = "hidden", .merge = keep },
	{ .name = NULL }
};

static const struct rule output_rules[] = {
	{ .name = "amount", .merge = one_sided, .same = same_scalar },
	{ .name = "scriptPublicKey", .merge = one_sided, .same = same_hex },
	{ .name = "redeemScript", .merge = one_sided, .same = same_hex },
	{ .name = "bip32Derivations", .merge = map, .same = same_key_source,
	    .fold = true, .choose = choose_same },
	{ .name = "covenant", .merge = one_sided, .same = same_covenant },
	{ .name = "proprietaries", .merge = map, .same = same_json,
	    .choose = choose_same },
	{ .name = NULL }
};

static const struct rule root_rules[] = {
	{ .name = "global", .merge = object, .sub = global_rules },
	{ .name = "inputs", .merge = list, .sub = input_rules },
	{ .name = "outputs", .merge = list, .sub = output_rules },
	{ .name = "role", .merge = keep },
	{ .name = NULL }
};

/* What the schema does not know, at any level but within an entry. */
static const struct rule unknown_rule =
	{ .name = "", .merge = map, .same = same_json, .choose = choose_same };

/* v is document doc's member where base's is to be; old is base's own. */
static int
set(struct merge *m, struct patch *p, const struct json *old, size_t doc,
    const struct json *v)
{
	if (v == old)
		return 0;
	if ((old == NULL ? patch_append_member(p, m, doc, v) :
	    patch_replace(p, old, merge_raw(m, doc, v))) == -1)
		return merge_no_memory(m);
	return 0;
}

static int
set_text(struct merge *m, struct patch *p, const struct json *old,
    const struct json_text *t)
{
	if (t->changed && patch_replace(p, old, t->text) == -1)
		return merge_no_memory(m);
	return 0;
}

static bool
is_null(const struct json *v)
{
	return v == NULL || v->type == JSON_NULL;
}

static int
keep(struct merge *m, const struct rule *r, const struct json *const *v,
    size_t base, struct patch *p)
{
	(void)m;
	(void)r;
	(void)v;
	(void)base;
	(void)p;
	return 0;
}

/* All that have it have the same. */
static int
one_sided(struct merge *m, const struct rule *r, const struct json *const *v,
    size_t base, struct patch *p)
{
	size_t	 k, first = m->n;
	int	 same;

	for (k = 0; k < m->n; k++) {
		if (is_null(v[k]))
			continue;
		if (first == m->n) {
			first = k;
			continue;
		}
		if ((same = r->same(m->pool, v[first], v[k])) == -1)
			return merge_no_memory(m);
		if (same == 0)
			return merge_conflict(m, first, k, v[k]);
	}
	return first == m->n ? 0 : set(m, p, v[base], first, v[first]);
}

static int
payload(struct merge *m, const struct rule *r, const struct json *const *v,
    size_t base, struct patch *p)
{
	size_t	 k;

	for (k = 0; k < m->n; k++)
		if (!is_null(v[k]) && m->docs[k].pskt[m->member].version == 0)
			return merge_fail(m, k, v[k], NULL,
			    "PSKT version 0 has none");
	return one_sided(m, r, v, base, p);
}

/* Null is least; the first of equals stays. */
static int
greater(struct merge *m, const struct rule *r, const struct json *const *v,
    size_t base, struct patch *p)
{
	uint64_t	 n, max = 0;
	size_t		 k, best = m->n;

	(void)r;
	for (k = 0; k < m->n; k++) {
		if (is_null(v[k]) || json_u64(v[k], UINT64_MAX, &n) == -1 ||
		    (best != m->n && n <= max))
			continue;
		best = k;
		max = n;
	}
	return best == m->n ? 0 : set(m, p, v[base], best, v[best]);
}

static int
both(struct merge *m, const struct rule *r, const struct json *const *v,
    size_t base, struct patch *p)
{
	size_t	 k;

	(void)r;
	for (k = base; k < m->n; k++)
		if (v[k] != NULL && !v[k]->truth)
			return set(m, p, v[base], k, v[k]);
	return 0;
}

/* Of the longer list, and of the last of those that are equally long. */
static int
longer(struct merge *m, const struct rule *r, const struct json *const *v,
    size_t base, struct patch *p)
{
	static const uint8_t	 null[] = { 'n', 'u', 'l', 'l' };
	const struct json	*last = v[m->longest];

	if (is_null(last)) {
		if (!is_null(v[base]) && patch_replace(p, v[base],
		    (struct bytes){ null, sizeof(null) }) == -1)
			return merge_no_memory(m);
		return 0;
	}
	if (!is_null(v[base]) && r->same(m->pool, v[base], last) == 1)
		return 0;
	return set(m, p, v[base], m->longest, last);
}

/* --- maps --- */

static int
choose_same(struct merge *m, const struct rule *r, const struct entry *e,
    size_t n, size_t *choice)
{
	size_t	 i;
	int	 same;

	*choice = 0;
	for (i = 1; i < n; i++) {
		if ((same = r->same(m->pool, e[0].v, e[i].v)) == -1)
			return merge_no_memory(m);
		if (same == 0)
			return merge_conflict(m, e[0].doc, e[i].doc, e[i].v);
	}
	return 0;
}

/* Is the path of a the end of b's, which is longer? */
static bool
suffix(const struct json *a, const struct json *b)
{
	struct bytes	 x = json_get(a, "derivationPath")->text;
	struct bytes	 y = json_get(b, "derivationPath")->text;

	/* Without the m; then whole steps, since each begins with a slash. */
	return x.len < y.len && memcmp(x.p + 1, y.p + (y.len - x.len) + 1,
	    x.len - 1) == 0;
}

/*
 * The longer of two paths, if the shorter is its end (rusty-kaspa
 * wallet/pskt/src/global.rs).
 */
static int
choose_xpub(struct merge *m, const struct rule *r, const struct entry *e,
    size_t n, size_t *choice)
{
	size_t	 i;

	*choice = 0;
	for (i = 1; i < n; i++) {
		if (r->same(m->pool, e[*choice].v, e[i].v) == 1 ||
		    suffix(e[i].v, e[*choice].v))
			continue;
		if (!suffix(e[*choice].v, e[i].v))
			return merge_conflict(m, e[*choice].doc, e[i].doc,
			    e[i].v);
		*choice = i;
	}
	return 0;
}

/* Is entry i one of those before it? */
static bool
seen_before(struct merge *m, const struct rule *r, const struct entry *e,
    size_t i)
{
	size_t	 k;

	for (k = 0; k < i; k++)
		if (r->same(m->pool, e[k].v, e[i].v) == 1)
			return true;
	return false;
}

/* The first pass tells what is to be verified, the second decides. */
static int
choose_signature(struct merge *m, const struct rule *r, const struct entry *e,
    size_t n, size_t *choice)
{
	size_t	 i;

	*choice = 0;
	for (i = 1; i < n; i++)
		if (r->same(m->pool, e[0].v, e[i].v) != 1)
			break;
	if (i >= n)
		return 0;
	m->doubt = true;
	if (m->result == NULL)
		return 0;
	for (i = 0; i < n; i++) {
		if (seen_before(m, r, e, i))
			continue;
		/* Curve work, while an event loop waits. */
		if (m->checks++ == MAX_CHECKS) {
			m->e->code = PSKT_TOO_LARGE;
			(void)snprintf(m->e->message, sizeof(m->e->message),
			    "more than %u signatures that differ", MAX_CHECKS);
			return -1;
		}
		if (merge_verifies(m, e[i].v)) {
			*choice = i;
			break;
		}
	}
	return 0;
}

static int
groups(struct merge *m, const struct rule *r, const struct entry *e, size_t n,
    size_t base, struct patch *p)
{
	size_t	 i, len, choice;

	for (i = 0; i < n; i += len) {
		for (len = 1; i + len < n && merge_same_name(&e[i],
		    &e[i + len], r->fold);)
			len++;
		if (r->choose(m, r, e + i, len, &choice) == -1 ||
		    set(m, p, e[i].doc == base ? e[i].v : NULL,
		    e[i + choice].doc, e[i + choice].v) == -1)
			return -1;
	}
	return 0;
}

static int
map(struct merge *m, const struct rule *r, const struct json *const *v,
    size_t base, struct patch *p)
{
	struct patch		 sub;
	struct json_text	 t;
	struct entry		*e;
	size_t			 n;

	if (merge_collect(m, v, r->fold, NULL, NULL, &e, &n) == -1)
		return -1;
	patch_init(&sub, m, base, v[base]);
	if (groups(m, r, e, n, base, &sub) == -1)
		return -1;
	if (patch_text(&sub, &t) == -1)
		return merge_no_memory(m);
	return set_text(m, p, v[base], &t);
}

/* --- objects and lists --- */

static bool
is_rule(const void *rules, const struct json *v)
{
	const struct rule	*r;

	for (r = rules; r->name != NULL; r++)
		if (v->key.len == strlen(r->name) &&
		    memcmp(v->key.p, r->name, v->key.len) == 0)
			return true;
	return false;
}

/* One object out of those that are there. */
static int
merge_object(struct merge *m, const struct rule *rules,
    const struct json *const *v, struct json_text *out)
{
	const struct json	**f;
	const struct rule	*r;
	struct patch		 p;
	struct entry		*e;
	size_t			 k, n, base;

	for (base = 0; v[base] == NULL; base++)
		;
	if ((f = pool_alloc(m->pool, m->n, sizeof(*f))) == NULL)
		return merge_no_memory(m);
	patch_init(&p, m, base, v[base]);
	for (r = rules; r->name != NULL; r++) {
		for (k = 0; k < m->n; k++)
			f[k] = json_get(v[k], r->name);
		if (r->merge(m, r, f, base, &p) == -1)
			return -1;
	}
	if (merge_collect(m, v, false, is_rule, rules, &e, &n) == -1 ||
	    groups(m, &unknown_rule, e, n, base, &p) == -1)
		return -1;
	if (patch_text(&p, out) == -1)
		return merge_no_memory(m);
	return 0;
}

static int
object(struct merge *m, const struct rule *r, const struct json *const *v,
    size_t base, struct patch *p)
{
	struct json_text	 t;

	if (merge_object(m, r->sub, v, &t) == -1)
		return -1;
	return set_text(m, p, v[base], &t);
}

/* Element by element; what a longer list has more is taken from it. */
static int
list(struct merge *m, const struct rule *r, const struct json *const *v,
    size_t base, struct patch *p)
{
	const struct json	**el;
	struct patch		 sub;
	struct json_text	 t;
	uint32_t		 i, max = 0;
	size_t			 k;
	int			 rc;

	if ((el = pool_alloc(m->pool, m->n, sizeof(*el))) == NULL)
		return merge_no_memory(m);
	for (k = 0; k < m->n; k++) {
		el[k] = v[k]->first;
		if (v[k]->n >= max) {
			max = v[k]->n;
			m->longest = k;
		}
	}
	patch_init(&sub, m, base, v[base]);
	for (i = 0; i < max; i++) {
		if (merge_object(m, r->sub, el, &t) == -1)
			return -1;
		rc = 0;
		if (el[base] == NULL)
			rc = patch_append(&sub, t.text);
		else if (t.changed)
			rc = patch_replace(&sub, el[base], t.text);
		if (rc == -1)
			return merge_no_memory(m);
		for (k = 0; k < m->n; k++)
			if (el[k] != NULL)
				el[k] = el[k]->next;
	}
	if (patch_text(&sub, &t) == -1)
		return merge_no_memory(m);
	return set_text(m, p, v[base], &t);
}

/* --- the whole --- */

static int
fits(struct merge *m)
{
	const struct pskt_doc	*d = m->docs;
	const char		*what = NULL;
	size_t			 k;

	if (m->n == 0)
		what = "there is nothing to combine";
	if (m->n > PSKT_MAX_COMBINE)
		what = "more than 100 documents";
	for (k = 1; what == NULL && k < m->n; k++) {
		if ((d[k].form == PSKT_FORM_PSKB) !=
		    (d[0].form == PSKT_FORM_PSKB))
			what = "a bundle and a single PSKT";
		else if (d[k].n != d[0].n)
			what = "bundles of different lengths";
	}
	if (what == NULL)
		return 0;
	m->e->code = m->n > PSKT_MAX_COMBINE ? PSKT_TOO_LARGE : PSKT_INVALID;
	(void)snprintf(m->e->message, sizeof(m->e->message), "%s", what);
	return -1;
}

static int
merge_all(struct merge *m, struct bytes *out)
{
	const struct json	**v;
	struct patch		 p;
	struct json_text	 t;
	struct sighash_cache	 cache;
	const struct pskt	*results = m->result;
	bool			 bundle = m->docs[0].form == PSKT_FORM_PSKB;
	size_t			 k;

	if ((v = pool_alloc(m->pool, m->n, sizeof(*v))) == NULL)
		return merge_no_memory(m);
	patch_init(&p, m, 0, m->docs[0].root);
	m->cache = &cache;
	for (m->member = 0; m->member < m->docs[0].n; m->member++) {
		m->e->pskt = bundle ? m->member : PSKT_NOT_IN_BUNDLE;
		m->result = results == NULL ? NULL : &results[m->member];
		sighash_cache_init(&cache);
		for (k = 0; k < m->n; k++)
			v[k] = m->docs[k].pskt[m->member].root;
		if (merge_object(m, root_rules, v, &t) == -1)
			return -1;
		if (!bundle)
			return merge_frame(m, t.text, out);
		if (set_text(m, &p, v[0], &t) == -1)
			return -1;
	}
	m->e->pskt = PSKT_NOT_IN_BUNDLE;
	if (patch_text(&p, &t) == -1)
		return merge_no_memory(m);
	return merge_frame(m, t.text, out);
}

/* Together they may say what none may say alone. */
static int
read_back(struct merge *m, const struct bytes *text, struct pskt_doc *doc)
{
	const struct json	*v;
	struct pskt_error	 e;
	char			 err[256];

	if ((v = json_parse(m->pool, (const char *)text->p, text->len, err,
	    sizeof(err))) == NULL) {
		m->e->code = PSKT_TOO_LARGE;
		(void)snprintf(m->e->message, sizeof(m->e->message),
		    "combined: %s", err);
		return -1;
	}
	if (pskt_parse(m->pool, NULL, (const char *)text->p, v, doc,
	    &e) == 0)
		return 0;
	m->e->code = e.code;
	m->e->pskt = e.pskt;
	(void)snprintf(m->e->message, sizeof(m->e->message), "combined: %.*s",
	    480, e.message);
	return -1;
}

int
pskt_combine(struct pool *pool, const struct pskt_doc *docs, size_t n,
    struct bytes *out, struct pskt_error *e)
{
	struct merge	 m = { .pool = pool, .docs = docs, .n = n, .e = e };
	struct pskt_doc	 result;

	memset(e, 0, sizeof(*e));
	e->pskt = PSKT_NOT_IN_BUNDLE;
	if (fits(&m) == -1 || merge_all(&m, out) == -1 ||
	    read_back(&m, out, &result) == -1)
		return -1;
	if (!m.doubt)
		return 0;
	m.result = result.pskt;
	return merge_all(&m, out);
}
