#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "policy_int.h"

static void	refuse(struct decision *, enum proto_code, const char *, ...)
		    __attribute__((format(printf, 3, 4)));
static bool	form_ok(const struct tx *, struct decision *);
static bool	claimed(enum own_match, const char *, size_t,
		    const struct key_claim *, const struct own_key *,
		    struct decision *);
static bool	utxo_missing(const struct policy_request *,
		    struct own_cache *, const struct tx_input *, size_t,
		    struct decision *);
static bool	classify_input(const struct policy_request *,
		    struct own_cache *, const struct tx_input *, size_t,
		    struct decision *);
static bool	classify(const struct policy_request *, const struct tx *,
		    struct pool *, struct decision *);
static bool	amounts(const struct tx *, struct decision *);
static bool	sighash_types(const struct tx *, struct decision *);
static void	decide_one(const struct policy_view *, struct pool *);

static void
refuse(struct decision *d, enum proto_code code, const char *fmt, ...)
{
	va_list	 ap;

	d->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(d->message, sizeof(d->message), fmt, ap);
	va_end(ap);
}

/* keyd does not believe that signd checked any of this. */
static bool
form_ok(const struct tx *tx, struct decision *d)
{
	const struct tx_input	*in;
	uint8_t			 hash[P2SH_SCRIPT_LEN];
	size_t			 i;

	if (tx->version > 1) {
		refuse(d, CODE_UNSUPPORTED, "transaction version %u",
		    tx->version);
		return false;
	}
	if (tx->nin == 0 || tx->nout == 0) {
		refuse(d, CODE_INVALID_PSKT, "%s: empty",
		    tx->nin == 0 ? "inputs" : "outputs");
		return false;
	}
	for (i = 0; i < tx->nin; i++) {
		in = &tx->in[i];
		if (in->redeem.len == 0 || !in->has_utxo ||
		    script_classify(&in->spk) != SCRIPT_P2SH)
			continue;
		script_p2sh(in->redeem.p, in->redeem.len, hash);
		if (memcmp(hash, in->spk.script.p, sizeof(hash)) != 0) {
			refuse(d, CODE_INVALID_PSKT, "inputs[%zu]."
			    "redeemScript: does not hash to the script of "
			    "its UTXO", i);
			return false;
		}
	}
	for (i = 0; i < tx->nout; i++) {
		if (tx->version == 0 && tx->out[i].has_covenant) {
			refuse(d, CODE_INVALID_PSKT, "outputs[%zu].covenant: "
			    "needs transaction version 1", i);
			return false;
		}
	}
	return true;
}

/* Puts down what a claim came to; false: the transaction is refused. */
static bool
claimed(enum own_match m, const char *list, size_t i,
    const struct key_claim *claim, const struct own_key *key,
    struct decision *d)
{
	char	 theirs[2 * TX_FINGERPRINT + 1], ours[2 * TX_FINGERPRINT + 1];

	switch (m) {
	case OWN_NOT:
	case OWN_ACCOUNT:
	case OWN_DERIVED:
		return true;
	case OWN_MISCLAIMED:
		(void)sodium_bin2hex(theirs, sizeof(theirs),
		    claim->fingerprint, TX_FINGERPRINT);
		(void)sodium_bin2hex(ours, sizeof(ours), key->fingerprint,
		    TX_FINGERPRINT);
		refuse(d, CODE_INVALID_PSKT, "%s[%zu].bip32Derivations: the "
		    "KeySource at %.*s has fingerprint %s; this is a script "
		    "of this signer's, whose fingerprint is %s", list, i,
		    (int)claim->path.len, (const char *)claim->path.p, theirs,
		    ours);
		return false;
	case OWN_NOMEM:
		refuse(d, CODE_INTERNAL, "out of memory");
		return false;
	}
	return true;
}

/*
 * Without its UTXO an input can only say that it is ours: by its redeem
 * script.
 */
static bool
utxo_missing(const struct policy_request *q, struct own_cache *cache,
    const struct tx_input *in, size_t i, struct decision *d)
{
	uint8_t		 script[P2SH_SCRIPT_LEN];
	struct spk	 spk = { 0, { script, sizeof(script) } };
	enum own_match	 m;

	if (in->redeem.len == 0)
		return true;
	script_p2sh(in->redeem.p, in->redeem.len, script);
	m = own_script(q->own, &q->key, cache, &spk, &in->claim);
	if (m == OWN_NOT)
		m = own_shared(q->own, &q->key, cache, &spk, in->redeem,
		    &in->claim);
	if (m == OWN_NOT || !claimed(m, "inputs", i, &in->claim, &q->key, d))
		return m == OWN_NOT;
	refuse(d, CODE_INVALID_PSKT, "inputs[%zu].utxoEntry: missing, and "
	    "this input is ours", i);
	return false;
}

static bool
classify_input(const struct policy_request *q, struct own_cache *cache,
    const struct tx_input *in, size_t i, struct decision *d)
{
	enum own_match	 m;

	d->class[i] = INPUT_FOREIGN;
	if (!in->has_utxo)
		return utxo_missing(q, cache, in, i, d);
	m = own_script(q->own, &q->key, cache, &in->spk, &in->claim);
	if (m == OWN_ACCOUNT || m == OWN_DERIVED)
		d->class[i] = INPUT_OWN;
	else if (m == OWN_NOT) {
		/* form_ok() has compared the redeem script's hash. */
		m = own_shared(q->own, &q->key, cache, &in->spk, in->redeem,
		    &in->claim);
		if (m != OWN_NOT)
			d->class[i] = INPUT_SHARED;
	}
	d->derived[i] = m == OWN_DERIVED;
	if (!claimed(m, "inputs", i, &in->claim, &q->key, d))
		return false;
	if (d->class[i] != INPUT_FOREIGN)
		d->nsign++;
	return true;
}

static bool
classify(const struct policy_request *q, const struct tx *tx,
    struct pool *pool, struct decision *d)
{
	const struct tx_output	*out;
	struct own_cache	 local, *cache = q->cache;
	enum own_match		 m;
	size_t			 i;

	if ((d->class = pool_alloc(pool, tx->nin, 1)) == NULL ||
	    (d->derived = pool_alloc(pool, tx->nin, 1)) == NULL ||
	    (d->change = pool_alloc(pool, tx->nout, 1)) == NULL) {
		refuse(d, CODE_INTERNAL, "out of memory");
		return false;
	}
	own_cache_init(&local, pool);
	if (cache == NULL)
		cache = &local;
	for (i = 0; i < tx->nin; i++)
		if (!classify_input(q, cache, &tx->in[i], i, d))
			return false;
	for (i = 0; i < tx->nout; i++) {
		out = &tx->out[i];
		m = own_script(q->own, &q->key, cache, &out->spk, &out->claim);
		if (!claimed(m, "outputs", i, &out->claim, &q->key, d))
			return false;
		d->change[i] = m != OWN_NOT && !out->has_covenant;
	}
	return true;
}

/* No sum can wrap: each amount is checked against what is left of 2^64. */
static bool
amounts(const struct tx *tx, struct decision *d)
{
	uint64_t	 in = 0, own = 0, out = 0, change = 0;
	size_t		 i;

	d->fee_known = true;
	for (i = 0; i < tx->nin; i++) {
		if (!tx->in[i].has_utxo) {
			d->fee_known = false;
			continue;
		}
		if (tx->in[i].amount > UINT64_MAX - in) {
			refuse(d, CODE_INVALID_PSKT, "inputs: the sum of the "
			    "amounts overflows");
			return false;
		}
		in += tx->in[i].amount;
		if (d->class[i] == INPUT_OWN)
			own += tx->in[i].amount;
	}
	for (i = 0; i < tx->nout; i++) {
		if (tx->out[i].value > UINT64_MAX - out) {
			refuse(d, CODE_INVALID_PSKT, "outputs: the sum of the "
			    "amounts overflows");
			return false;
		}
		out += tx->out[i].value;
		d->change[i] = d->change[i] && d->change_counts;
		if (d->change[i] && d->inputs_fixed && !d->change_taken)
			change += tx->out[i].value;
	}
	if (d->fee_known && out > in) {
		refuse(d, CODE_INVALID_PSKT, "outputs: their sum of %llu "
		    "sompi exceeds the inputs' %llu",
		    (unsigned long long)out, (unsigned long long)in);
		return false;
	}
	d->fee = d->fee_known ? in - out : 0;
	d->outflow = own > change ? own - change : 0;
	return true;
}

/*
 * Whether each type is one, and whether together they fix the outputs and the
 * inputs.  Under ANYONECANPAY a signature goes with any other inputs: two
 * requests with one input each and the same outputs give signatures for one
 * transaction with both inputs, so change comes back once and is not counted
 * in either.
 */
static bool
sighash_types(const struct tx *tx, struct decision *d)
{
	uint8_t	 type;
	size_t	 i;

	d->change_counts = d->inputs_fixed = true;
	for (i = 0; i < tx->nin; i++) {
		if (d->class[i] == INPUT_FOREIGN)
			continue;
		type = tx->in[i].sighash_type;
		if (!sighash_type_valid(type)) {
			refuse(d, CODE_INVALID_PSKT, "inputs[%zu].sighashType: "
			    "%u is none", i, type);
			return false;
		}
		if ((type & (SIGHASH_NONE | SIGHASH_SINGLE)) != 0)
			d->change_counts = false;
		if ((type & SIGHASH_ANYONECANPAY) != 0)
			d->inputs_fixed = false;
	}
	return true;
}

static void
decide_one(const struct policy_view *v, struct pool *pool)
{
	const struct policy_request	*q = v->q;
	const struct tx			*tx = v->tx;
	struct decision			*d = v->d;
	size_t				 i;

	memset(d, 0, sizeof(*d));
	if (!form_ok(tx, d))
		return;
	if (v->b->tx[v->index].twice) {
		refuse(d, CODE_INVALID_PSKT, "inputs: an outpoint is spent "
		    "twice");
		return;
	}
	(void)tx_id(tx, d->tx_id);
	if (!classify(q, tx, pool, d))
		return;
	if (d->nsign == 0) {
		refuse(d, CODE_NOT_A_SIGNER, "no input of this transaction "
		    "can be signed with this signer's key");
		return;
	}
	if (q->conf->network == KASPA_MAINNET) {
		for (i = 0; i < tx->nin; i++) {
			if (d->class[i] == INPUT_OWN)
				continue;
			refuse(d, CODE_NOT_A_SIGNER, "inputs[%zu]: does not "
			    "spend this signer's own script; on mainnet a "
			    "transaction with such an input is not signed", i);
			return;
		}
	}
	policy_known(q, tx, d);
	if (!sighash_types(tx, d) || !amounts(tx, d))
		return;
	if (policy_claims(q, tx, pool, d) == -1) {
		refuse(d, CODE_INTERNAL, "out of memory");
		return;
	}
	policy_walk(v, pool);
}

uint32_t
policy_decide(const struct policy_request *q, const struct tx *tx, uint32_t n,
    struct pool *pool, struct decision *d)
{
	struct policy_bundle	 b;
	uint32_t		 i, refused = n;

	if (bundle_init(&b, q, tx, n, pool) == -1) {
		memset(d, 0, sizeof(*d));
		refuse(d, CODE_INTERNAL, "out of memory");
		return 0;
	}
	for (i = 0; i < n; i++) {
		struct policy_view	 v = { q, &b, i, &tx[i], &d[i] };

		decide_one(&v, pool);
		if (d[i].code != CODE_NONE && refused == n)
			refused = i;
		if (refused != n && !q->every_check)
			break;
		bundle_add(&b, &d[i]);
	}
	return refused;
}
