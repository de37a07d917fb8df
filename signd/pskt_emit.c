/* A document with signatures spliced in. */
#include <stdlib.h>
#include <string.h>

#include "pskt_int.h"
#include "pskt_splice.h"

/* ,"02…":{"schnorr":"…"} */
#define MAX_MEMBER	(1 + 68 + 1 + 12 + 128 + 2)

struct plan {
	struct pool		*pool;
	const struct pskt_doc	*doc;
	const struct pskt_new_sig **sig;	/* by document, then input */
	size_t			 n;
	struct splice		*splice;
	size_t			 nsplice, max;
	size_t			 group;		/* first splice of this input */
};

static int	 compare_sigs(const void *, const void *);
static int	 make_plan(struct plan *, const struct pskt_new_sig *, size_t);
static int	 plan_sig(struct plan *, size_t);
static struct splice *add_splice(struct plan *, size_t, size_t);
static int	 replace_sig(struct plan *, const struct pskt_new_sig *,
		    const struct pskt_sig *);
static int	 add_sig(struct plan *, const struct pskt_new_sig *, bool);
static int	 add_derivation(struct plan *, const struct pskt_new_sig *, bool);
static bool	 has_derivation(const struct json *, const uint8_t [32]);
static void	 put(struct splice *, const char *);
static void	 put_hex(struct splice *, const uint8_t *, size_t);

static int
compare_sigs(const void *a, const void *b)
{
	const struct pskt_new_sig	*x = *(const struct pskt_new_sig *const *)a;
	const struct pskt_new_sig	*y = *(const struct pskt_new_sig *const *)b;

	if (x->pskt != y->pskt)
		return x->pskt < y->pskt ? -1 : 1;
	if (x->input != y->input)
		return x->input < y->input ? -1 : 1;
	return memcmp(x->key + 1, y->key + 1, 32);
}

static int
make_plan(struct plan *p, const struct pskt_new_sig *sigs, size_t n)
{
	const struct pskt_sig	*s;
	size_t			 i;

	if ((p->sig = pool_alloc(p->pool, n, sizeof(*p->sig))) == NULL)
		return -1;
	p->n = n;
	for (i = 0; i < n; i++) {
		if (sigs[i].pskt >= p->doc->n ||
		    sigs[i].input >= p->doc->pskt[sigs[i].pskt].tx.nin)
			return -1;
		p->sig[i] = &sigs[i];
		/* A signature and a derivation, or each old signature. */
		p->max += 2;
		for (s = NULL; (s = pskt_own_signature(
		    &p->doc->pskt[sigs[i].pskt], sigs[i].input,
		    sigs[i].key + 1, s)) != NULL;)
			p->max++;
	}
	qsort(p->sig, n, sizeof(*p->sig), compare_sigs);
	for (i = 1; i < n; i++)
		if (compare_sigs(&p->sig[i - 1], &p->sig[i]) == 0)
			return -1;
	if ((p->splice = pool_alloc(p->pool, p->max,
	    sizeof(*p->splice))) == NULL)
		return -1;
	for (i = 0; i < n; i++)
		if (plan_sig(p, i) == -1)
			return -1;
	return 0;
}

/* Has an earlier signature for the same input put something at this place? */
static bool
follows(const struct plan *p, size_t at)
{
	size_t	 i;

	for (i = p->group; i < p->nsplice; i++)
		if (p->splice[i].at == at && p->splice[i].skip == 0)
			return true;
	return false;
}

static int
plan_sig(struct plan *p, size_t i)
{
	const struct pskt_new_sig	*sig = p->sig[i];
	const struct pskt		*pskt = &p->doc->pskt[sig->pskt];
	const struct pskt_sig		*old;
	const struct json		*derivs;

	if (i == 0 || p->sig[i - 1]->pskt != sig->pskt ||
	    p->sig[i - 1]->input != sig->input)
		p->group = p->nsplice;
	old = pskt_own_signature(pskt, sig->input, sig->key + 1, NULL);
	if (old != NULL) {
		for (; old != NULL; old = pskt_own_signature(pskt, sig->input,
		    sig->key + 1, old))
			if (replace_sig(p, sig, old) == -1)
				return -1;
		return 0;
	}
	if (add_sig(p, sig, pskt->in[sig->input].partial_sigs->n != 0) == -1)
		return -1;
	derivs = pskt->in[sig->input].derivations;
	if (has_derivation(derivs, sig->key + 1))
		return 0;
	return add_derivation(p, sig, derivs->n != 0);
}

static struct splice *
add_splice(struct plan *p, size_t at, size_t skip)
{
	struct splice	*s = &p->splice[p->nsplice];

	if (p->nsplice == p->max ||
	    (s->text = pool_alloc(p->pool, MAX_MEMBER, 1)) == NULL)
		return NULL;
	s->at = at;
	s->skip = skip;
	s->order = p->nsplice++;
	return s;
}

static void
put(struct splice *s, const char *text)
{
	size_t	 len = strlen(text);

	memcpy(s->text + s->len, text, len);
	s->len += len;
}

static void
put_hex(struct splice *s, const uint8_t *b, size_t len)
{
	put(s, "\"");
	pskt_hex(b, len, s->text + s->len);
	s->len += 2 * len;
	put(s, "\"");
}

static int
replace_sig(struct plan *p, const struct pskt_new_sig *sig,
    const struct pskt_sig *old)
{
	struct splice	*s;

	if ((s = add_splice(p, old->start, old->end - old->start)) == NULL)
		return -1;
	put(s, "{\"schnorr\":");
	put_hex(s, sig->sig, sizeof(sig->sig));
	put(s, "}");
	return 0;
}

static int
add_sig(struct plan *p, const struct pskt_new_sig *sig, bool comma)
{
	const struct pskt	*pskt = &p->doc->pskt[sig->pskt];
	size_t			 at = splice_tail(pskt->in[sig->input].partial_sigs);
	struct splice		*s;

	comma = comma || follows(p, at);
	if ((s = add_splice(p, at, 0)) == NULL)
		return -1;
	put(s, comma ? "," : "");
	put_hex(s, sig->key, sizeof(sig->key));
	put(s, ":{\"schnorr\":");
	put_hex(s, sig->sig, sizeof(sig->sig));
	put(s, "}");
	return 0;
}

static int
add_derivation(struct plan *p, const struct pskt_new_sig *sig, bool comma)
{
	const struct pskt	*pskt = &p->doc->pskt[sig->pskt];
	size_t			 at = splice_tail(pskt->in[sig->input].derivations);
	struct splice		*s;

	comma = comma || follows(p, at);
	if ((s = add_splice(p, at, 0)) == NULL)
		return -1;
	put(s, comma ? "," : "");
	put_hex(s, sig->key, sizeof(sig->key));
	put(s, ":null");
	return 0;
}

static bool
has_derivation(const struct json *derivs, const uint8_t xonly[32])
{
	const struct json	*v;
	uint8_t			 key[33];

	for (v = derivs->first; v != NULL; v = v->next)
		if (v->key.len == 66 && pskt_unhex(v->key.p, 66, key) == 0 &&
		    memcmp(key + 1, xonly, 32) == 0)
			return true;
	return false;
}

int
pskt_emit(struct pool *pool, const struct pskt_doc *doc,
    const struct pskt_new_sig *sigs, size_t n, struct bytes *out)
{
	struct plan	 p = { .pool = pool, .doc = doc };

	if (make_plan(&p, sigs, n) == -1)
		return -1;
	return splice_apply(pool, doc, p.splice, p.nsplice, out);
}
