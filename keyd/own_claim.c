/*
 * What a request claims to be ours, held against the config and our key
 * (KASPA.md, "HD"; rusty-kaspa wallet/core/src/derivation.rs).
 */
#include <stdlib.h>
#include <string.h>

#include "own.h"

static int	path_cmp(const struct own_path *, const struct own_path *);
static struct own_path *path_get(struct own_cache *, const struct bip32_steps *);
static int	key33_cmp(const void *, const void *);
static bool	is_multisig_path(const struct own *, const struct bip32_steps *);
static bool	is_pubkey_path(const struct bip32_steps *);
static bool	key_listed(const struct own *, const struct own_key *);
static int	path_p2sh(const struct own *, struct own_path *);
static int	path_xonly(const struct own_key *, struct own_path *);
static bool	claim_is_ours(const struct own_key *, const struct key_claim *);
static bool	wants_p2sh(const struct own *, const struct own_key *,
		    const struct bip32_steps *);
static bool	wants_xonly(const struct own *, const struct own_key *);
static int	prepare_one(const struct own *, const struct own_key *,
		    struct own_cache *, const struct key_claim *, bool,
		    unsigned *);
static enum own_match own_p2sh(const struct own *, const struct own_key *,
		    struct own_cache *, const struct spk *,
		    const struct key_claim *);
static enum own_match own_p2pk(const struct own *, const struct own_key *,
		    struct own_cache *, const struct spk *,
		    const struct key_claim *);
static enum own_match derived_xonly(const struct own *,
		    const struct own_key *, struct own_cache *,
		    const struct key_claim *, const uint8_t **);

#define LOCAL	__attribute__((unused)) static
RB_PROTOTYPE_INTERNAL(own_paths, own_path, entry, path_cmp, LOCAL)
RB_GENERATE_INTERNAL(own_paths, own_path, entry, path_cmp, LOCAL)

static int
path_cmp(const struct own_path *a, const struct own_path *b)
{
	if (a->rel.n != b->rel.n)
		return a->rel.n < b->rel.n ? -1 : 1;
	return memcmp(a->rel.step, b->rel.step, sizeof(a->rel.step));
}

void
own_cache_init(struct own_cache *c, struct pool *pool)
{
	memset(c, 0, sizeof(*c));
	c->pool = pool;
	RB_INIT(&c->paths);
}

static struct own_path *
path_get(struct own_cache *c, const struct bip32_steps *rel)
{
	struct own_path	 want, *p;

	memset(&want, 0, sizeof(want));
	want.rel = *rel;
	if ((p = RB_FIND(own_paths, &c->paths, &want)) != NULL)
		return p;
	if ((p = pool_alloc(c->pool, 1, sizeof(*p))) == NULL)
		return NULL;
	p->rel = *rel;
	(void)RB_INSERT(own_paths, &c->paths, p);
	return p;
}

bool
own_relative(const struct own *o, const struct key_claim *c,
    struct bip32_steps *rel)
{
	struct bip32_path	 path;
	const char		*errstr;
	size_t			 i;

	if (c->path.len == 0 || bip32_path_parse((const char *)c->path.p,
	    c->path.len, &path, &errstr) == -1 || path.n < o->account.n ||
	    path.n - o->account.n > BIP32_MAX_STEPS ||
	    memcmp(path.step, o->account.step,
	    o->account.n * sizeof(path.step[0])) != 0)
		return false;
	memset(rel, 0, sizeof(*rel));
	for (i = o->account.n; i < path.n; i++) {
		if (path.step[i] & BIP32_HARDENED)
			return false;
		rel->step[rel->n++] = path.step[i];
	}
	return true;
}

/* c/{0|1}/i: whose cosigner's addresses, receive or change, which one. */
static bool
is_multisig_path(const struct own *o, const struct bip32_steps *rel)
{
	return rel->n == 3 && rel->step[0] < o->nxpub && rel->step[1] <= 1;
}

/* The same without other cosigners, or {0|1}/i. */
static bool
is_pubkey_path(const struct bip32_steps *rel)
{
	return (rel->n == 3 && rel->step[1] <= 1) ||
	    (rel->n == 2 && rel->step[0] <= 1);
}

/* A multisig of others, be it in our config, is not this key's. */
static bool
key_listed(const struct own *o, const struct own_key *k)
{
	unsigned	 i;

	for (i = 0; k->account != NULL && i < o->nxpub; i++)
		if (memcmp(k->account->key, o->xpub[i].key, 33) == 0 &&
		    memcmp(k->account->chain, o->xpub[i].chain, 32) == 0)
			return true;
	return false;
}

static int
key33_cmp(const void *a, const void *b)
{
	return memcmp(a, b, 33);
}

/* The multisig script at c/{0|1}/i: every xpub's key there, sorted. */
static int
path_p2sh(const struct own *o, struct own_path *p)
{
	const uint32_t		*s = p->rel.step;
	const struct bip32_pub	*branch;
	struct bip32_pub	 leaf;
	uint8_t			 key[MULTISIG_MAX_KEYS][33];
	uint8_t			 xonly[MULTISIG_MAX_KEYS][32];
	uint8_t			 redeem[MULTISIG_MAX_SCRIPT];
	size_t			 len;
	unsigned		 i;

	branch = &o->branch[(2 * s[0] + s[1]) * o->nxpub];
	for (i = 0; i < o->nxpub; i++) {
		if (bip32_ckd_pub(&branch[i], s[2], &leaf) == -1)
			return -1;
		memcpy(key[i], leaf.key, sizeof(key[i]));
	}
	qsort(key, o->nxpub, sizeof(key[0]), key33_cmp);
	for (i = 0; i < o->nxpub; i++)
		memcpy(xonly[i], key[i] + 1, sizeof(xonly[i]));
	if ((len = script_multisig(o->required, o->nxpub,
	    (const uint8_t (*)[32])(const void *)xonly, redeem)) == 0)
		return -1;
	script_p2sh(redeem, len, p->p2sh);
	p->has_p2sh = true;
	return 0;
}

static int
path_xonly(const struct own_key *k, struct own_path *p)
{
	struct bip32_pub	 pub = *k->account;
	size_t			 i;

	for (i = 0; i < p->rel.n; i++)
		if (bip32_ckd_pub(&pub, p->rel.step[i], &pub) == -1)
			return -1;
	memcpy(p->xonly, pub.key + 1, sizeof(p->xonly));
	p->has_xonly = true;
	return 0;
}

static bool
claim_is_ours(const struct own_key *k, const struct key_claim *c)
{
	return !c->has_fingerprint || memcmp(c->fingerprint, k->fingerprint,
	    sizeof(c->fingerprint)) == 0;
}

static bool
wants_p2sh(const struct own *o, const struct own_key *k,
    const struct bip32_steps *rel)
{
	return is_multisig_path(o, rel) && key_listed(o, k);
}

static bool
wants_xonly(const struct own *o, const struct own_key *k)
{
	return !o->mainnet && k->account != NULL;
}

/* p2sh: the script is one, so it may be that of all xpubs' keys. */
static int
prepare_one(const struct own *o, const struct own_key *k, struct own_cache *c,
    const struct key_claim *claim, bool p2sh, unsigned *steps)
{
	struct bip32_steps	 rel;
	struct own_path		*p;

	if (!own_relative(o, claim, &rel))
		return 0;
	p2sh = p2sh && wants_p2sh(o, k, &rel);
	if (!p2sh && !wants_xonly(o, k))
		return 0;
	if ((p = path_get(c, &rel)) == NULL)
		return -1;
	/* What cannot be derived is nobody's: matching finds that out again. */
	if (p2sh && !p->has_p2sh) {
		(void)path_p2sh(o, p);
		*steps += o->nxpub;
	}
	if (wants_xonly(o, k) && !p->has_xonly) {
		(void)path_xonly(k, p);
		*steps += rel.n;
	}
	return 0;
}

int
own_prepare(const struct own *o, const struct own_key *k, struct own_cache *c,
    const struct tx *tx, uint32_t n, unsigned steps)
{
	const struct tx_input	*in;
	const struct tx_output	*out;
	unsigned		 done = 0;
	int			 ret;

	for (; c->tx < n; c->tx++, c->at = 0) {
		for (; c->at < tx[c->tx].nin + tx[c->tx].nout; c->at++) {
			if (done >= steps)
				return 0;
			if (c->at < tx[c->tx].nin) {
				in = &tx[c->tx].in[c->at];
				ret = prepare_one(o, k, c, &in->claim,
				    !in->has_utxo || script_classify(
				    &in->spk) == SCRIPT_P2SH, &done);
			} else {
				out = &tx[c->tx].out[c->at - tx[c->tx].nin];
				ret = prepare_one(o, k, c, &out->claim,
				    script_classify(&out->spk) ==
				    SCRIPT_P2SH, &done);
			}
			if (ret == -1)
				return -1;
		}
	}
	return 1;
}

static enum own_match
own_p2sh(const struct own *o, const struct own_key *k, struct own_cache *c,
    const struct spk *spk, const struct key_claim *claim)
{
	struct bip32_steps	 rel;
	struct own_path		*p;

	if (o->has_redeem && memcmp(spk->script.p, o->p2sh,
	    sizeof(o->p2sh)) == 0 &&
	    script_multisig_index(&o->multisig, k->xonly) != -1)
		return OWN_ACCOUNT;
	if (!own_relative(o, claim, &rel) || !wants_p2sh(o, k, &rel))
		return OWN_NOT;
	if ((p = path_get(c, &rel)) == NULL)
		return OWN_NOMEM;
	if ((!p->has_p2sh && path_p2sh(o, p) == -1) ||
	    memcmp(spk->script.p, p->p2sh, sizeof(p->p2sh)) != 0)
		return OWN_NOT;
	return claim_is_ours(k, claim) ? OWN_DERIVED : OWN_MISCLAIMED;
}

/* *xonly: our key at the claimed path; OWN_NOT when there is none. */
static enum own_match
derived_xonly(const struct own *o, const struct own_key *k,
    struct own_cache *c, const struct key_claim *claim, const uint8_t **xonly)
{
	struct bip32_steps	 rel;
	struct own_path		*p;

	if (!wants_xonly(o, k) || !own_relative(o, claim, &rel) || rel.n == 0)
		return OWN_NOT;
	if ((p = path_get(c, &rel)) == NULL)
		return OWN_NOMEM;
	if (!p->has_xonly && path_xonly(k, p) == -1)
		return OWN_NOT;
	*xonly = p->xonly;
	return OWN_DERIVED;
}

static enum own_match
own_p2pk(const struct own *o, const struct own_key *k, struct own_cache *c,
    const struct spk *spk, const struct key_claim *claim)
{
	struct bip32_steps	 rel;
	const uint8_t		*xonly;
	enum own_match		 m;

	if (!o->p2pk)
		return OWN_NOT;
	if (memcmp(spk->script.p + 1, k->xonly, 32) == 0)
		return OWN_ACCOUNT;
	if (!own_relative(o, claim, &rel) || !is_pubkey_path(&rel) ||
	    (m = derived_xonly(o, k, c, claim, &xonly)) == OWN_NOT)
		return OWN_NOT;
	if (m != OWN_DERIVED)
		return m;
	if (memcmp(spk->script.p + 1, xonly, 32) != 0)
		return OWN_NOT;
	return claim_is_ours(k, claim) ? OWN_DERIVED : OWN_MISCLAIMED;
}

enum own_match
own_script(const struct own *o, const struct own_key *k, struct own_cache *c,
    const struct spk *spk, const struct key_claim *claim)
{
	switch (script_classify(spk)) {
	case SCRIPT_P2SH:
		return own_p2sh(o, k, c, spk, claim);
	case SCRIPT_P2PK:
		return own_p2pk(o, k, c, spk, claim);
	case SCRIPT_P2PK_ECDSA:
	case SCRIPT_NONSTANDARD:
		break;
	}
	return OWN_NOT;
}

enum own_match
own_shared(const struct own *o, const struct own_key *k, struct own_cache *c,
    const struct spk *spk, struct bytes redeem, const struct key_claim *claim)
{
	struct multisig	 ms;
	const uint8_t	*xonly;
	enum own_match	 m;
	bool		 pubkey;

	pubkey = script_classify(spk) == SCRIPT_P2PK;
	if (!pubkey && (script_classify(spk) != SCRIPT_P2SH ||
	    redeem.len == 0 || script_multisig_parse(redeem.p, redeem.len,
	    &ms) == -1))
		return OWN_NOT;
	if (pubkey ? memcmp(spk->script.p + 1, k->xonly, 32) == 0 :
	    script_multisig_index(&ms, k->xonly) != -1)
		return OWN_ACCOUNT;
	if ((m = derived_xonly(o, k, c, claim, &xonly)) != OWN_DERIVED)
		return m;
	if (pubkey ? memcmp(spk->script.p + 1, xonly, 32) != 0 :
	    script_multisig_index(&ms, xonly) == -1)
		return OWN_NOT;
	return claim_is_ours(k, claim) ? OWN_DERIVED : OWN_NOT;
}
