/* The transactions of pskt.create as PSKTs. */
#include <string.h>

#include "pskt_create_int.h"

static void	 write_pskt(struct json_out *, const struct create *,
		    const struct create_tx *);
static void	 write_global(struct json_out *, const struct create_tx *);
static void	 write_input(struct json_out *, const struct create *,
		    const struct tx_input *, bool);
static void	 write_entry(struct json_out *, const struct tx_input *, bool);
static void	 write_output(struct json_out *, const struct create *,
		    const struct tx_output *);
static void	 write_spk(struct json_out *, const struct spk *);
static size_t	 find_source(const struct create *, const uint8_t [32]);
static void	 write_sources_of(struct json_out *, const struct create *,
		    const uint8_t [32]);
static void	 write_derivations(struct json_out *, const struct create *,
		    const struct create_redeem *, const struct spk *);
static void	 write_source(struct json_out *, const struct json *);

static void
put_empty(struct json_out *o, const char *name)
{
	json_out_key(o, name);
	json_out_begin_object(o);
	json_out_end_object(o);
}

int
create_emit(const struct create *c, struct create_result *r)
{
	struct json_out	 o;
	const char	*text;
	char		*out;
	size_t		 i, len;
	int		 rc = -1;

	if (json_out_init(&o, 0) == -1)
		return -1;
	if (r->n > 1)
		json_out_begin_array(&o);
	for (i = 0; i < r->n; i++)
		write_pskt(&o, c, &r->tx[i]);
	if (r->n > 1)
		json_out_end_array(&o);
	if ((text = json_out_text(&o, &len)) != NULL &&
	    (out = pool_alloc(c->pool, 2 * len + 6, 1)) != NULL) {
		memcpy(out, r->n > 1 ? "\"PSKB" : "\"PSKT", 5);
		pskt_hex(text, len, out + 5);
		out[2 * len + 5] = '"';
		r->text.p = (const uint8_t *)out;
		r->text.len = 2 * len + 6;
		rc = 0;
	}
	json_out_free(&o);
	return rc;
}

static void
write_pskt(struct json_out *o, const struct create *c,
    const struct create_tx *t)
{
	size_t	 i;

	json_out_begin_object(o);
	json_out_key(o, "global");
	write_global(o, t);
	json_out_key(o, "inputs");
	json_out_begin_array(o);
	for (i = 0; i < t->tx.nin; i++)
		write_input(o, c, &t->tx.in[i], t->coinbase[i]);
	json_out_end_array(o);
	json_out_key(o, "outputs");
	json_out_begin_array(o);
	for (i = 0; i < t->tx.nout; i++)
		write_output(o, c, &t->tx.out[i]);
	json_out_end_array(o);
	json_out_end_object(o);
}

/* Wallets read version 0; only a payload needs 1. */
static void
write_global(struct json_out *o, const struct create_tx *t)
{
	json_out_begin_object(o);
	json_put_u64(o, "version", t->tx.payload.len != 0);
	json_put_u64(o, "txVersion", 0);
	json_put_null(o, "fallbackLockTime");
	json_put_bool(o, "inputsModifiable", false);
	json_put_bool(o, "outputsModifiable", false);
	json_put_u64(o, "inputCount", t->tx.nin);
	json_put_u64(o, "outputCount", t->tx.nout);
	put_empty(o, "xpubs");
	json_put_null(o, "id");
	put_empty(o, "proprietaries");
	json_put_hex_or_null(o, "payload", t->tx.payload.p,
	    t->tx.payload.len);
	json_out_end_object(o);
}

static void
write_input(struct json_out *o, const struct create *c,
    const struct tx_input *in, bool coinbase)
{
	json_out_begin_object(o);
	json_out_key(o, "utxoEntry");
	write_entry(o, in, coinbase);
	json_out_key(o, "previousOutpoint");
	json_out_begin_object(o);
	json_put_hex(o, "transactionId", in->outpoint.txid, TX_ID_LEN);
	json_put_u64(o, "index", in->outpoint.index);
	json_out_end_object(o);
	json_put_null(o, "sequence");
	json_put_null(o, "minTime");
	put_empty(o, "partialSigs");
	json_put_u64(o, "sighashType", SIGHASH_ALL);
	json_put_hex_or_null(o, "redeemScript", in->redeem.p, in->redeem.len);
	json_put_u64(o, "sigOpCount", in->sig_op_count);
	json_out_key(o, "bip32Derivations");
	write_derivations(o, c, create_find_redeem(c, &in->spk), &in->spk);
	json_put_null(o, "finalScriptSig");
	put_empty(o, "proprietaries");
	json_out_end_object(o);
}

static void
write_entry(struct json_out *o, const struct tx_input *in, bool coinbase)
{
	json_out_begin_object(o);
	json_put_u64(o, "amount", in->amount);
	write_spk(o, &in->spk);
	json_put_u64(o, "blockDaaScore", in->daa_score);
	json_put_bool(o, "isCoinbase", coinbase);
	json_out_end_object(o);
}

static void
write_output(struct json_out *o, const struct create *c,
    const struct tx_output *out)
{
	const struct create_redeem	*d = create_find_redeem(c, &out->spk);
	struct bytes			 redeem = { NULL, 0 };

	if (d != NULL)
		redeem = d->script;
	json_out_begin_object(o);
	json_put_u64(o, "amount", out->value);
	write_spk(o, &out->spk);
	json_put_hex_or_null(o, "redeemScript", redeem.p, redeem.len);
	json_out_key(o, "bip32Derivations");
	write_derivations(o, c, d, &out->spk);
	put_empty(o, "proprietaries");
	json_out_end_object(o);
}

/* 2-byte big-endian version, then the script: 35 bytes at most here. */
static void
write_spk(struct json_out *o, const struct spk *spk)
{
	uint8_t	 b[2 + P2SH_SCRIPT_LEN];

	b[0] = (uint8_t)(spk->version >> 8);
	b[1] = (uint8_t)spk->version;
	memcpy(b + 2, spk->script.p, spk->script.len);
	json_put_hex(o, "scriptPublicKey", b, 2 + spk->script.len);
}

/* First source of this x-only key, or where it would be. */
static size_t
find_source(const struct create *c, const uint8_t xonly[32])
{
	size_t	 low = 0, high = c->nsource, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (memcmp(c->source[mid].key + 1, xonly, 32) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Under either parity: the script does not say which it is. */
static void
write_sources_of(struct json_out *o, const struct create *c,
    const uint8_t xonly[32])
{
	const struct create_source	*s;
	char				 name[2 * sizeof(s->key) + 1];
	size_t				 i;

	for (i = find_source(c, xonly); i < c->nsource; i++) {
		s = &c->source[i];
		if (memcmp(s->key + 1, xonly, 32) != 0)
			return;
		pskt_hex(s->key, sizeof(s->key), name);
		name[sizeof(name) - 1] = '\0';
		json_out_key(o, name);
		write_source(o, s->v);
	}
}

/* Of the keys of a multisig, or of the one that the script pays to. */
static void
write_derivations(struct json_out *o, const struct create *c,
    const struct create_redeem *d, const struct spk *spk)
{
	unsigned	 i, k;

	json_out_begin_object(o);
	for (i = 0; d != NULL && i < d->ms.n; i++) {
		for (k = 0; k < i; k++)
			if (memcmp(d->ms.keys[k], d->ms.keys[i], 32) == 0)
				break;
		if (k == i)
			write_sources_of(o, c, d->ms.keys[i]);
	}
	switch (script_classify(spk)) {
	case SCRIPT_P2PK:
		write_sources_of(o, c, spk->script.p + 1);
		break;
	case SCRIPT_P2PK_ECDSA:
		write_sources_of(o, c, spk->script.p + 2);
		break;
	case SCRIPT_P2SH:
	case SCRIPT_NONSTANDARD:
		break;
	}
	json_out_end_object(o);
}

/* A KeySource, of which only what a PSKT has. */
static void
write_source(struct json_out *o, const struct json *v)
{
	const struct json	*f;

	json_out_begin_object(o);
	f = json_get(v, "keyFingerprint");
	json_out_key(o, "keyFingerprint");
	json_out_stringn(o, f->text.p, f->text.len);
	f = json_get(v, "derivationPath");
	json_out_key(o, "derivationPath");
	json_out_stringn(o, f->text.p, f->text.len);
	json_out_end_object(o);
}
