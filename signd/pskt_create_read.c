/* The parameters of pskt.create. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pskt_create_int.h"
#include "pskt_int.h"
#include "schnorr.h"

static int	 check_names(struct create *, struct reader *);
static int	 read_redeems(struct create *, struct reader *, struct bytes);
static int	 add_redeem(struct create *, struct reader *,
		    const struct json *, struct bytes);
static int	 read_utxos(struct create *, struct reader *);
static int	 read_utxo(struct create *, struct reader *,
		    const struct json *, struct create_utxo *);
static int	 read_entry(struct reader *, const struct json *,
		    struct create_utxo *);
static int	 set_lock(struct create *, struct reader *,
		    const struct json *, struct tx_input *);
static int	 check_address(struct create *, struct reader *,
		    const struct json *, const struct spk *);
static int	 check_utxos(struct create *);
static int	 read_outputs(struct create *, struct reader *);
static int	 read_address(struct create *, struct reader *,
		    const struct json *, const char *, struct spk *);
static int	 read_rest(struct create *, struct reader *);
static int	 read_sources(struct create *, struct reader *);

int
create_read(struct create *c, struct bytes redeem)
{
	struct reader	 r;

	memset(&r, 0, sizeof(r));
	r.pool = c->pool;
	r.root = c->params;
	r.e = c->e;
	if (c->params == NULL || c->params->type != JSON_OBJECT)
		return create_fail(c, PSKT_INVALID, "must be an object");
	if (check_names(c, &r) == -1 || read_redeems(c, &r, redeem) == -1 ||
	    read_utxos(c, &r) == -1 || read_outputs(c, &r) == -1 ||
	    read_rest(c, &r) == -1)
		return -1;
	return read_sources(c, &r);
}

/* A name that is misspelt must not be as good as none. */
static int
check_names(struct create *c, struct reader *r)
{
	static const char *const	 names[] = { "utxos", "outputs",
					    "change_address", "fee_rate",
					    "payload", "redeem_scripts",
					    "key_sources", "dust_to_fee",
					    "request_id" };
	const struct json		*v;
	size_t				 i, n = sizeof(names) /
					    sizeof(names[0]);

	for (v = c->params->first; v != NULL; v = v->next) {
		for (i = 0; i < n; i++)
			if (v->key.len == strlen(names[i]) &&
			    memcmp(v->key.p, names[i], v->key.len) == 0)
				break;
		if (i == n)
			return rd_fail(r, PSKT_INVALID, v, NULL,
			    "no such parameter");
	}
	return 0;
}

const struct create_redeem *
create_find_redeem(const struct create *c, const struct spk *spk)
{
	size_t	 i;

	if (script_classify(spk) != SCRIPT_P2SH)
		return NULL;
	for (i = 0; i < c->nredeem; i++)
		if (memcmp(c->redeem[i].p2sh, spk->script.p,
		    P2SH_SCRIPT_LEN) == 0)
			return &c->redeem[i];
	return NULL;
}

static int
read_redeems(struct create *c, struct reader *r, struct bytes own)
{
	const struct json	*v, *s;
	struct bytes		 b;
	int			 rc;

	if ((rc = rd_opt(r, r->root, "redeem_scripts", JSON_ARRAY, true,
	    &v)) == -1)
		return -1;
	if (rc == 1 && v->n > CREATE_MAX_REDEEM)
		return rd_fail(r, PSKT_TOO_LARGE, v, NULL,
		    "more than 1000 redeem scripts");
	if ((c->redeem = pool_alloc(c->pool, rc == 1 ? v->n + 1 : 1,
	    sizeof(*c->redeem))) == NULL)
		return rd_fail(r, PSKT_TOO_LARGE, r->root, "redeem_scripts",
		    "out of memory");
	if (rc == 0)
		return own.len == 0 ? 0 :
		    add_redeem(c, r, r->root, own);
	for (s = v->first; s != NULL; s = s->next)
		if (rd_bytes(r, s, TX_MAX_SCRIPT, &b) == -1 ||
		    add_redeem(c, r, s, b) == -1)
			return -1;
	return 0;
}

static int
add_redeem(struct create *c, struct reader *r, const struct json *v,
    struct bytes script)
{
	struct create_redeem	*d = &c->redeem[c->nredeem];
	unsigned		 i;

	if (script_multisig_parse(script.p, script.len, &d->ms) == -1 ||
	    d->ms.m > d->ms.n)
		return rd_fail(r, PSKT_INVALID, v,
		    v == r->root ? "redeem_scripts" : NULL, "no multisig");
	if (d->ms.ecdsa)
		return rd_fail(r, PSKT_UNSUPPORTED, v,
		    v == r->root ? "redeem_scripts" : NULL, "ECDSA multisig");
	/* What goes to such a script may never come back. */
	if (d->ms.n > MULTISIG_MAX_KEYS)
		return rd_fail(r, PSKT_INVALID, v,
		    v == r->root ? "redeem_scripts" : NULL,
		    "more than the 15 keys that nodes take");
	for (i = 0; i < d->ms.n; i++)
		if (!schnorr_key_valid(d->ms.keys[i]))
			return rd_fail(r, PSKT_INVALID, v,
			    v == r->root ? "redeem_scripts" : NULL,
			    "a key is no point of the curve");
	d->script = script;
	script_p2sh(script.p, script.len, d->p2sh);
	c->nredeem++;
	return 0;
}

static int
read_utxos(struct create *c, struct reader *r)
{
	const struct json	*list, *v;
	uint64_t		 sum = 0;

	if ((list = rd_get(r, r->root, "utxos", JSON_ARRAY)) == NULL)
		return -1;
	if ((c->utxo = pool_alloc(c->pool, list->n,
	    sizeof(*c->utxo))) == NULL)
		return rd_fail(r, PSKT_TOO_LARGE, list, NULL,
		    "out of memory");
	for (v = list->first; v != NULL; v = v->next) {
		if (read_utxo(c, r, v, &c->utxo[v->index]) == -1)
			return -1;
		if (c->utxo[v->index].in.amount > PSKT_MAX_SOMPI - sum)
			return rd_fail(r, PSKT_INVALID, v, "utxoEntry.amount",
			    "more sompi than there can be");
		sum += c->utxo[v->index].in.amount;
	}
	c->nutxo = list->n;
	return check_utxos(c);
}

static int
read_utxo(struct create *c, struct reader *r, const struct json *v,
    struct create_utxo *u)
{
	const struct json	*o, *id, *a;
	uint64_t		 index;
	int			 rc;

	if (v->type != JSON_OBJECT)
		return rd_fail(r, PSKT_INVALID, v, NULL, "must be an object");
	if ((o = rd_get(r, v, "outpoint", JSON_OBJECT)) == NULL ||
	    (id = rd_get(r, o, "transactionId", JSON_STRING)) == NULL ||
	    rd_fixed(r, id, u->in.outpoint.txid, TX_ID_LEN) == -1 ||
	    rd_u64(r, o, "index", UINT32_MAX, &index) == -1 ||
	    read_entry(r, v, u) == -1 ||
	    (rc = rd_opt(r, v, "address", JSON_STRING, true, &a)) == -1 ||
	    (rc == 1 && check_address(c, r, a, &u->in.spk) == -1))
		return -1;
	u->in.outpoint.index = (uint32_t)index;
	u->in.sequence = UINT64_MAX;
	u->in.sighash_type = SIGHASH_ALL;
	return set_lock(c, r, v, &u->in);
}

static int
read_entry(struct reader *r, const struct json *utxo, struct create_utxo *u)
{
	const struct json	*v, *b;
	int			 rc;

	if ((v = rd_get(r, utxo, "utxoEntry", JSON_OBJECT)) == NULL ||
	    rd_u64(r, v, "amount", PSKT_MAX_SOMPI, &u->in.amount) == -1 ||
	    rd_spk(r, v, &u->in.spk) == -1 ||
	    rd_u64(r, v, "blockDaaScore", UINT64_MAX,
	    &u->in.daa_score) == -1 ||
	    (b = rd_get(r, v, "isCoinbase", JSON_BOOL)) == NULL ||
	    (rc = rd_opt(r, v, "covenantId", JSON_STRING, true, &v)) == -1)
		return -1;
	u->coinbase = b->truth;
	u->in.has_utxo = true;
	if (rc == 1)
		return rd_fail(r, PSKT_UNSUPPORTED, v, NULL,
		    "transaction version 0 cannot spend covenants");
	if (u->in.amount == 0)
		return rd_fail(r, PSKT_INVALID, utxo, "utxoEntry.amount",
		    "is 0");
	return 0;
}

/* What it takes to spend it: that is part of its mass. */
static int
set_lock(struct create *c, struct reader *r, const struct json *v,
    struct tx_input *in)
{
	const struct create_redeem	*d;

	switch (script_classify(&in->spk)) {
	case SCRIPT_P2PK:
		in->sig_op_count = 1;
		return 0;
	case SCRIPT_P2SH:
		if ((d = create_find_redeem(c, &in->spk)) == NULL)
			return rd_fail(r, PSKT_INVALID, v,
			    "utxoEntry.scriptPublicKey",
			    "no redeem script hashes to it");
		in->redeem = d->script;
		in->sig_op_count = (uint8_t)d->ms.n;
		return 0;
	case SCRIPT_P2PK_ECDSA:
	case SCRIPT_NONSTANDARD:
		break;
	}
	return rd_fail(r, PSKT_UNSUPPORTED, v, "utxoEntry.scriptPublicKey",
	    "neither P2PK nor P2SH");
}

static int
decode(struct create *c, struct reader *r, const struct json *v,
    struct kaspa_address *a)
{
	const char	*why;
	char		 what[96];

	if (address_decode((const char *)v->text.p, v->text.len, a,
	    &why) == -1)
		return rd_fail(r, PSKT_INVALID, v, NULL, why);
	if (a->network == c->network)
		return 0;
	(void)snprintf(what, sizeof(what), "an address of %s, not of %s",
	    kaspa_network_name(a->network), kaspa_network_name(c->network));
	return rd_fail(r, PSKT_INVALID, v, NULL, what);
}

static int
check_address(struct create *c, struct reader *r, const struct json *v,
    const struct spk *spk)
{
	struct kaspa_address	 a;
	uint8_t			 script[P2SH_SCRIPT_LEN];
	size_t			 len;

	if (decode(c, r, v, &a) == -1)
		return -1;
	len = address_script(&a, script);
	if (spk->version == 0 && len == spk->script.len &&
	    memcmp(script, spk->script.p, len) == 0)
		return 0;
	return rd_fail(r, PSKT_INVALID, v, NULL,
	    "not that of utxoEntry.scriptPublicKey");
}

static int
compare_outpoints(const void *a, const void *b)
{
	const struct create_utxo	*x = a, *y = b;

	return outpoint_cmp(&x->in.outpoint, &y->in.outpoint);
}

static int
compare_amounts(const void *a, const void *b)
{
	const struct create_utxo	*x = a, *y = b;

	if (x->in.amount != y->in.amount)
		return x->in.amount > y->in.amount ? -1 : 1;
	return compare_outpoints(a, b);
}

/* None twice; the greatest first. */
static int
check_utxos(struct create *c)
{
	char	 text[OUTPOINT_TEXT];
	size_t	 i;

	if (c->nutxo == 0)
		return create_fail(c, PSKT_INVALID, "utxos: there are none");
	qsort(c->utxo, c->nutxo, sizeof(*c->utxo), compare_outpoints);
	for (i = 1; i < c->nutxo; i++)
		if (compare_outpoints(&c->utxo[i - 1], &c->utxo[i]) == 0) {
			outpoint_text(&c->utxo[i].in.outpoint, text);
			return create_fail(c, PSKT_INVALID,
			    "utxos: %s twice", text);
		}
	qsort(c->utxo, c->nutxo, sizeof(*c->utxo), compare_amounts);
	return 0;
}

static int
read_outputs(struct create *c, struct reader *r)
{
	const struct json	*list, *v;
	struct tx_output	*out;

	if ((list = rd_get(r, r->root, "outputs", JSON_ARRAY)) == NULL)
		return -1;
	if (list->n == 0)
		return rd_fail(r, PSKT_INVALID, list, NULL, "there are none");
	if (list->n >= TX_MAX_OUTPUTS)
		return rd_fail(r, PSKT_TOO_LARGE, list, NULL,
		    "more than 999 outputs");
	if ((c->out = pool_alloc(c->pool, list->n, sizeof(*c->out))) == NULL)
		return rd_fail(r, PSKT_TOO_LARGE, list, NULL,
		    "out of memory");
	for (v = list->first; v != NULL; v = v->next) {
		out = &c->out[v->index];
		if (v->type != JSON_OBJECT)
			return rd_fail(r, PSKT_INVALID, v, NULL,
			    "must be an object");
		if (read_address(c, r, v, "address", &out->spk) == -1 ||
		    rd_u64(r, v, "amount", PSKT_MAX_SOMPI, &out->value) == -1)
			return -1;
		if (out->value == 0)
			return rd_fail(r, PSKT_INVALID, v, "amount", "is 0");
		if (mass_is_dust(out->value, out->spk.script.len))
			return rd_fail(r, PSKT_INVALID, v, "amount",
			    "dust, which nodes do not relay");
		if (out->value > PSKT_MAX_SOMPI - c->total)
			return rd_fail(r, PSKT_INVALID, v, "amount",
			    "more sompi than there can be");
		c->total += out->value;
	}
	c->nout = list->n;
	return 0;
}

static int
read_address(struct create *c, struct reader *r, const struct json *obj,
    const char *name, struct spk *spk)
{
	const struct json	*v;
	struct kaspa_address	 a;
	uint8_t			*script;

	if ((v = rd_get(r, obj, name, JSON_STRING)) == NULL ||
	    decode(c, r, v, &a) == -1)
		return -1;
	if ((script = pool_alloc(c->pool, P2SH_SCRIPT_LEN, 1)) == NULL)
		return rd_fail(r, PSKT_TOO_LARGE, v, NULL, "out of memory");
	spk->version = 0;
	spk->script.p = script;
	spk->script.len = address_script(&a, script);
	return 0;
}

static int
read_rest(struct create *c, struct reader *r)
{
	const struct json	*v;
	int			 rc;

	if (read_address(c, r, r->root, "change_address",
	    &c->change.spk) == -1 ||
	    rd_u64(r, r->root, "fee_rate", CREATE_MAX_RATE, &c->rate) == -1 ||
	    (rc = rd_opt(r, r->root, "payload", JSON_STRING, true,
	    &v)) == -1 ||
	    (rc == 1 && rd_bytes(r, v, SIZE_MAX, &c->payload) == -1) ||
	    (rc = rd_opt_u64(r, r->root, "dust_to_fee", PSKT_MAX_SOMPI,
	    &c->dust)) == -1)
		return -1;
	c->has_dust = rc == 1;
	if (c->rate == 0)
		return rd_fail(r, PSKT_INVALID, r->root, "fee_rate", "is 0");
	c->change_redeem = create_find_redeem(c, &c->change.spk);
	return 0;
}

/* By x-only key: a script may have no more of it. */
static int
compare_sources(const void *a, const void *b)
{
	const uint8_t	*x = ((const struct create_source *)a)->key;
	const uint8_t	*y = ((const struct create_source *)b)->key;
	int		 d;

	return (d = memcmp(x + 1, y + 1, 32)) != 0 ? d : x[0] - y[0];
}

static int
read_sources(struct create *c, struct reader *r)
{
	const struct json	*list, *v;
	struct create_source	*s;
	struct key_claim	 claim;
	size_t			 i;
	int			 rc;

	if ((rc = rd_opt(r, r->root, "key_sources", JSON_OBJECT, true,
	    &list)) != 1)
		return rc;
	if ((s = pool_alloc(c->pool, list->n, sizeof(*s))) == NULL)
		return rd_fail(r, PSKT_TOO_LARGE, list, NULL,
		    "out of memory");
	for (v = list->first; v != NULL; v = v->next) {
		if (rd_key(r, v, s[v->index].key) == -1 ||
		    rd_key_source(r, v, &claim) == -1)
			return -1;
		s[v->index].v = v;
	}
	/* In either case of hex. */
	if (list->n != 0)
		qsort(s, list->n, sizeof(*s), compare_sources);
	for (i = 1; i < list->n; i++)
		if (compare_sources(&s[i - 1], &s[i]) == 0)
			return rd_fail(r, PSKT_INVALID, list, NULL,
			    "one key twice");
	c->source = s;
	c->nsource = list->n;
	return 0;
}
