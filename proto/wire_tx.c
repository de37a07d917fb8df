#include <string.h>

#include "wire_tx.h"

#define MIN_CLAIM	(4 + 1)
#define MIN_INPUT	(32 + 4 + 8 + 1 + 1 + 1 + 4 + MIN_CLAIM)
#define MIN_OUTPUT	(8 + 2 + 4 + 1 + MIN_CLAIM)
#define MAX_PATH	256
#define MAX_PAYLOAD	(4 * 1024 * 1024)

static void	enc_claim(struct enc *, const struct key_claim *);
static void	dec_claim(struct dec *, struct key_claim *);
static void	enc_input(struct enc *, const struct tx_input *);
static void	dec_input(struct dec *, struct tx_input *);
static void	enc_output(struct enc *, const struct tx_output *);
static void	dec_output(struct dec *, struct tx_output *);

static void
enc_claim(struct enc *e, const struct key_claim *c)
{
	enc_bytes(e, c->path);
	enc_u8(e, c->has_fingerprint);
	if (c->has_fingerprint)
		enc_raw(e, c->fingerprint, sizeof(c->fingerprint));
}

static void
dec_claim(struct dec *d, struct key_claim *c)
{
	c->path = dec_bytes(d, MAX_PATH);
	c->has_fingerprint = dec_bool(d);
	if (c->has_fingerprint)
		dec_raw(d, c->fingerprint, sizeof(c->fingerprint));
}

static void
enc_input(struct enc *e, const struct tx_input *in)
{
	enc_raw(e, in->outpoint.txid, TX_ID_LEN);
	enc_u32(e, in->outpoint.index);
	enc_u64(e, in->sequence);
	enc_u8(e, in->sig_op_count);
	enc_u8(e, in->sighash_type);
	enc_u8(e, in->has_utxo);
	if (in->has_utxo) {
		enc_u64(e, in->amount);
		enc_u16(e, in->spk.version);
		enc_bytes(e, in->spk.script);
		enc_u64(e, in->daa_score);
	}
	enc_bytes(e, in->redeem);
	enc_claim(e, &in->claim);
}

static void
dec_input(struct dec *d, struct tx_input *in)
{
	dec_raw(d, in->outpoint.txid, TX_ID_LEN);
	in->outpoint.index = dec_u32(d);
	in->sequence = dec_u64(d);
	in->sig_op_count = dec_u8(d);
	in->sighash_type = dec_u8(d);
	in->has_utxo = dec_bool(d);
	if (in->has_utxo) {
		in->amount = dec_u64(d);
		in->spk.version = dec_u16(d);
		in->spk.script = dec_bytes(d, TX_MAX_SCRIPT);
		in->daa_score = dec_u64(d);
	}
	in->redeem = dec_bytes(d, TX_MAX_SCRIPT);
	dec_claim(d, &in->claim);
}

static void
enc_output(struct enc *e, const struct tx_output *out)
{
	enc_u64(e, out->value);
	enc_u16(e, out->spk.version);
	enc_bytes(e, out->spk.script);
	enc_u8(e, out->has_covenant);
	if (out->has_covenant) {
		enc_u16(e, out->authorizing_input);
		enc_raw(e, out->covenant_id, sizeof(out->covenant_id));
	}
	enc_claim(e, &out->claim);
}

static void
dec_output(struct dec *d, struct tx_output *out)
{
	out->value = dec_u64(d);
	out->spk.version = dec_u16(d);
	out->spk.script = dec_bytes(d, TX_MAX_SCRIPT);
	out->has_covenant = dec_bool(d);
	if (out->has_covenant) {
		out->authorizing_input = dec_u16(d);
		dec_raw(d, out->covenant_id, sizeof(out->covenant_id));
	}
	dec_claim(d, &out->claim);
}

void
enc_tx(struct enc *e, const struct tx *tx)
{
	size_t	 i;

	if (tx->nin > TX_MAX_INPUTS || tx->nout > TX_MAX_OUTPUTS) {
		e->failed = true;
		return;
	}
	enc_u16(e, tx->version);
	enc_u32(e, (uint32_t)tx->nin);
	for (i = 0; i < tx->nin; i++)
		enc_input(e, &tx->in[i]);
	enc_u32(e, (uint32_t)tx->nout);
	for (i = 0; i < tx->nout; i++)
		enc_output(e, &tx->out[i]);
	enc_u64(e, tx->lock_time);
	enc_raw(e, tx->subnetwork, sizeof(tx->subnetwork));
	enc_u64(e, tx->gas);
	enc_bytes(e, tx->payload);
}

void
dec_tx(struct dec *d, struct pool *pool, struct tx *tx)
{
	size_t	 i;

	memset(tx, 0, sizeof(*tx));
	tx->version = dec_u16(d);
	tx->nin = dec_count(d, TX_MAX_INPUTS, MIN_INPUT);
	if ((tx->in = pool_alloc(pool, tx->nin, sizeof(*tx->in))) == NULL)
		goto nomem;
	for (i = 0; i < tx->nin; i++)
		dec_input(d, &tx->in[i]);
	tx->nout = dec_count(d, TX_MAX_OUTPUTS, MIN_OUTPUT);
	if ((tx->out = pool_alloc(pool, tx->nout, sizeof(*tx->out))) == NULL)
		goto nomem;
	for (i = 0; i < tx->nout; i++)
		dec_output(d, &tx->out[i]);
	tx->lock_time = dec_u64(d);
	dec_raw(d, tx->subnetwork, sizeof(tx->subnetwork));
	tx->gas = dec_u64(d);
	tx->payload = dec_bytes(d, MAX_PAYLOAD);
	return;
nomem:
	d->failed = true;
}
