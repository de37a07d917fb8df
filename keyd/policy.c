#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "policy_int.h"

static void	refuse(struct decision *, enum proto_code, const char *, ...)
		    __attribute__((format(printf, 3, 4)));
static bool	form_ok(const struct tx *, struct decision *);
static bool	input_claims_ours(const struct own *, const uint8_t *,
		    const struct tx_input *);
static bool	classify(const struct own *, const uint8_t *,
		    const struct tx *, struct pool *, struct decision *);
static enum input_class classify_input(const struct own *, const uint8_t *,
		    const struct tx_input *);
static bool	is_own_script(const struct own *, const uint8_t *,
		    const struct spk *);
static bool	amounts(const struct tx *, struct decision *);
static bool	sighash_types(const struct tx *, struct decision *);
static void	decide_one(const struct policy_view *, struct pool *);

void
own_free(struct own *o)
{
	destinations_free(&o->dest);
	memset(o, 0, sizeof(*o));
}

int
own_init(struct own *o, const struct conf *c, const char **errstr)
{
	const char	*hex = c->redeem_script_hex;

	memset(o, 0, sizeof(*o));
	if (destinations_init(&o->dest, &c->policy.allowed_destinations,
	    errstr) == -1)
		return -1;
	if (hex == NULL || *hex == '\0') {
		/* On mainnet own scripts are only what the config names. */
		o->p2pk = c->network != KASPA_MAINNET && c->xpubs.n == 0;
		return 0;
	}
	if (sodium_hex2bin(o->redeem, sizeof(o->redeem), hex, strlen(hex),
	    NULL, &o->redeem_len, NULL) != 0 ||
	    script_multisig_parse(o->redeem, o->redeem_len,
	    &o->multisig) == -1 || o->multisig.ecdsa) {
		*errstr = "service.pskt.redeem_script_hex is no m-of-n "
		    "Schnorr multisig script";
		return -1;
	}
	o->has_redeem = true;
	script_p2sh(o->redeem, o->redeem_len, o->p2sh);
	return 0;
}

struct own *
own_new(const struct conf *c, const char **errstr)
{
	struct own	*o;

	*errstr = "out of memory";
	if ((o = calloc(1, sizeof(*o))) == NULL)
		return NULL;
	if (own_init(o, c, errstr) == -1) {
		own_free(o);
		free(o);
		return NULL;
	}
	o->refs = 1;
	return o;
}

struct own *
own_ref(struct own *o)
{
	o->refs++;
	return o;
}

void
own_unref(struct own *o)
{
	if (o == NULL || --o->refs > 0)
		return;
	own_free(o);
	free(o);
}

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

static bool
is_own_script(const struct own *o, const uint8_t *xonly,
    const struct spk *spk)
{
	if (o->has_redeem)
		return script_multisig_index(&o->multisig, xonly) != -1 &&
		    spk->version == 0 && spk->script.len == sizeof(o->p2sh) &&
		    memcmp(spk->script.p, o->p2sh, sizeof(o->p2sh)) == 0;
	return o->p2pk && script_classify(spk) == SCRIPT_P2PK &&
	    memcmp(spk->script.p + 1, xonly, 32) == 0;
}

bool
policy_is_change(const struct own *o, const uint8_t xonly[32],
    const struct tx_output *out)
{
	return !out->has_covenant && is_own_script(o, xonly, &out->spk);
}

static enum input_class
classify_input(const struct own *o, const uint8_t *xonly,
    const struct tx_input *in)
{
	struct multisig	 ms;

	if (!in->has_utxo)
		return INPUT_FOREIGN;
	if (is_own_script(o, xonly, &in->spk))
		return INPUT_OWN;
	switch (script_classify(&in->spk)) {
	case SCRIPT_P2PK:
		return memcmp(in->spk.script.p + 1, xonly, 32) == 0 ?
		    INPUT_SHARED : INPUT_FOREIGN;
	case SCRIPT_P2SH:
		/* form_ok() has compared its hash. */
		if (in->redeem.len != 0 && script_multisig_parse(in->redeem.p,
		    in->redeem.len, &ms) == 0 &&
		    script_multisig_index(&ms, xonly) != -1)
			return INPUT_SHARED;
		return INPUT_FOREIGN;
	case SCRIPT_P2PK_ECDSA:
	case SCRIPT_NONSTANDARD:
		break;
	}
	return INPUT_FOREIGN;
}

/* Without its UTXO an input can only say that it is ours. */
static bool
input_claims_ours(const struct own *o, const uint8_t *xonly,
    const struct tx_input *in)
{
	struct multisig	 ms;

	if (in->redeem.len == 0)
		return false;
	if (o->has_redeem && in->redeem.len == o->redeem_len &&
	    memcmp(in->redeem.p, o->redeem, o->redeem_len) == 0)
		return true;
	return script_multisig_parse(in->redeem.p, in->redeem.len,
	    &ms) == 0 && script_multisig_index(&ms, xonly) != -1;
}

static bool
classify(const struct own *o, const uint8_t *xonly, const struct tx *tx,
    struct pool *pool, struct decision *d)
{
	size_t	 i;

	if ((d->class = pool_alloc(pool, tx->nin, 1)) == NULL ||
	    (d->change = pool_alloc(pool, tx->nout, 1)) == NULL) {
		refuse(d, CODE_INTERNAL, "out of memory");
		return false;
	}
	for (i = 0; i < tx->nin; i++) {
		if (!tx->in[i].has_utxo &&
		    input_claims_ours(o, xonly, &tx->in[i])) {
			refuse(d, CODE_INVALID_PSKT, "inputs[%zu].utxoEntry: "
			    "missing, and this input is ours", i);
			return false;
		}
		d->class[i] = (uint8_t)classify_input(o, xonly, &tx->in[i]);
		if (d->class[i] != INPUT_FOREIGN)
			d->nsign++;
	}
	for (i = 0; i < tx->nout; i++)
		d->change[i] = policy_is_change(o, xonly, &tx->out[i]);
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
		if (d->change[i])
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

/* Whether each type is one, and whether together they fix the outputs. */
static bool
sighash_types(const struct tx *tx, struct decision *d)
{
	uint8_t	 type;
	size_t	 i;

	d->change_counts = true;
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
	if (!classify(q->own, q->xonly, tx, pool, d))
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
