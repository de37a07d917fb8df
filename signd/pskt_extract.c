#include <string.h>

#include "kaspa.h"
#include "mass.h"
#include "pskt_final.h"

static int	 extract_check(const struct verify *, size_t,
		    struct pskt_error *);
static void	 write_tx(struct json_out *, const struct pskt *, uint64_t);
static void	 write_input(struct json_out *, const struct tx_input *,
		    const struct bytes *);
static void	 write_output(struct json_out *, const struct tx_output *);
static uint64_t	 storage_mass(const struct tx *);

int
pskt_extract(struct pool *pool, const struct pskt_doc *doc, struct bytes *out,
    struct pskt_error *e)
{
	struct verify	 v;

	if (verify_init(&v, pool, doc, false) == -1 ||
	    verify_step(&v, UINT32_MAX) != 1) {
		(void)pskt_fail(doc, 0, e, PSKT_TOO_LARGE, "out of memory");
		e->pskt = PSKT_NOT_IN_BUNDLE;
		return -1;
	}
	return pskt_extract_verified(&v, out, e);
}

int
pskt_check_final(const struct verify *v, size_t d, size_t i,
    struct pskt_error *e)
{
	const struct verify_input	*in = &v->in[d][i];

	switch (in->final) {
	case FINAL_VALID:
		return 0;
	case FINAL_NONE:
		return pskt_fail(v->doc, d, e, PSKT_INVALID,
		    "inputs[%zu].finalScriptSig: missing", i);
	case FINAL_INVALID:
		break;
	case FINAL_UNKNOWN:
		if (in->kind == LOCK_NO_UTXO)
			return pskt_fail(v->doc, d, e, PSKT_INVALID,
			    "inputs[%zu].utxoEntry: missing", i);
		return pskt_fail(v->doc, d, e, PSKT_UNSUPPORTED,
		    "inputs[%zu].finalScriptSig: %s", i, in->why);
	}
	return pskt_fail(v->doc, d, e, PSKT_INVALID,
	    "inputs[%zu].finalScriptSig: %s", i, in->why);
}

static int
extract_check(const struct verify *v, size_t d, struct pskt_error *e)
{
	const struct tx	*tx = &v->doc->pskt[d].tx;
	size_t		 i;

	if (tx->version != 0)
		return pskt_fail(v->doc, d, e, PSKT_UNSUPPORTED,
		    "global.txVersion: a PSKT has no compute budget, which "
		    "transaction version 1 needs");
	if (tx->nin == 0)
		return pskt_fail(v->doc, d, e, PSKT_INVALID,
		    "inputs: there are none");
	if (tx->nout == 0)
		return pskt_fail(v->doc, d, e, PSKT_INVALID,
		    "outputs: there are none");
	for (i = 0; i < tx->nin; i++)
		if (pskt_check_final(v, d, i, e) == -1)
			return -1;
	return 0;
}

int
pskt_extract_verified(const struct verify *v, struct bytes *out,
    struct pskt_error *e)
{
	const struct pskt_doc	*doc = v->doc;
	struct json_out		 o;
	const char		*text = NULL;
	size_t			 i;

	for (i = 0; i < doc->n; i++)
		if (extract_check(v, i, e) == -1)
			return -1;
	if (json_out_init(&o, 0) == 0) {
		if (doc->form == PSKT_FORM_PSKB)
			json_out_begin_array(&o);
		for (i = 0; i < doc->n; i++)
			write_tx(&o, &doc->pskt[i],
			    storage_mass(&doc->pskt[i].tx));
		if (doc->form == PSKT_FORM_PSKB)
			json_out_end_array(&o);
		if ((text = json_out_text(&o, &out->len)) != NULL)
			text = pool_dup(v->pool, text, out->len);
		json_out_free(&o);
	}
	if (text == NULL) {
		(void)pskt_fail(doc, 0, e, PSKT_TOO_LARGE, "out of memory");
		e->pskt = PSKT_NOT_IN_BUNDLE;
		return -1;
	}
	out->p = (const uint8_t *)text;
	return 0;
}

/* Signature scripts do not count for it. */
static uint64_t
storage_mass(const struct tx *tx)
{
	struct mass	 m;

	mass_of_tx(tx, NULL, &m);
	return m.storage;
}

/* rusty-kaspa rpc/core/src/model/tx.rs, RpcTransaction */
static void
write_tx(struct json_out *o, const struct pskt *p, uint64_t storage)
{
	const struct tx	*tx = &p->tx;
	size_t		 i;

	json_out_begin_object(o);
	json_out_key(o, "transaction");
	json_out_begin_object(o);
	json_put_u64(o, "version", tx->version);
	json_out_key(o, "inputs");
	json_out_begin_array(o);
	for (i = 0; i < tx->nin; i++)
		write_input(o, &tx->in[i], &p->in[i].final);
	json_out_end_array(o);
	json_out_key(o, "outputs");
	json_out_begin_array(o);
	for (i = 0; i < tx->nout; i++)
		write_output(o, &tx->out[i]);
	json_out_end_array(o);
	json_put_u64(o, "lockTime", tx->lock_time);
	json_put_hex(o, "subnetworkId", tx->subnetwork, sizeof(tx->subnetwork));
	json_put_u64(o, "gas", tx->gas);
	json_put_hex(o, "payload", tx->payload.p, tx->payload.len);
	json_put_u64(o, "storageMass", storage);
	json_put_u64(o, "mass", storage);
	json_put_null(o, "verboseData");
	json_out_end_object(o);
	json_put_bool(o, "allowOrphan", false);
	json_out_end_object(o);
}

static void
write_input(struct json_out *o, const struct tx_input *in,
    const struct bytes *script)
{
	json_out_begin_object(o);
	json_out_key(o, "previousOutpoint");
	json_out_begin_object(o);
	json_put_hex(o, "transactionId", in->outpoint.txid,
	    sizeof(in->outpoint.txid));
	json_put_u64(o, "index", in->outpoint.index);
	json_out_end_object(o);
	json_put_hex(o, "signatureScript", script->p, script->len);
	json_put_u64(o, "sequence", in->sequence);
	json_put_u64(o, "sigOpCount", in->sig_op_count);
	json_put_u64(o, "computeBudget", 0);
	json_put_null(o, "verboseData");
	json_out_end_object(o);
}

static void
write_output(struct json_out *o, const struct tx_output *out)
{
	uint8_t	 spk[2 + TX_MAX_SCRIPT];

	spk[0] = (uint8_t)(out->spk.version >> 8);
	spk[1] = (uint8_t)(out->spk.version & 0xff);
	memcpy(spk + 2, out->spk.script.p, out->spk.script.len);
	json_out_begin_object(o);
	json_put_u64(o, "value", out->value);
	json_put_hex(o, "scriptPublicKey", spk, 2 + out->spk.script.len);
	json_put_null(o, "covenant");
	json_put_null(o, "verboseData");
	json_out_end_object(o);
}
