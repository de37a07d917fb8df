#include <string.h>

#include "pskt_inspect.h"

static void	 write_doc(const struct inspect *, const struct inspect_doc *,
		    struct json_out *);
static void	 write_input(const struct inspect *, const struct inspect_doc *,
		    size_t, struct json_out *);
static void	 write_utxo(const struct inspect *, const struct tx_input *,
		    struct json_out *);
static void	 write_keys(const struct inspect *, const struct verify_input *,
		    struct json_out *);
static void	 write_output(const struct inspect *,
		    const struct inspect_doc *, size_t, struct json_out *);
static void	 write_money(const struct inspect_doc *, struct json_out *);
static void	 write_mass(const struct inspect_doc *, struct json_out *);
static void	 write_lock_time(const struct inspect_doc *,
		    struct json_out *);
static void	 write_warnings(const struct inspect_doc *, struct json_out *);
static void	 write_totals(const struct inspect *, struct json_out *);
static void	 put_own(struct json_out *, const char *, enum inspect_own);
static void	 put_spk(const struct inspect *, struct json_out *,
		    const struct spk *);

static void
put_own(struct json_out *o, const char *key, enum inspect_own own)
{
	json_out_key(o, key);
	if (own == OWN_UNKNOWN)
		json_out_null(o);
	else
		json_out_bool(o, own == OWN_YES);
}

static void
put_spk(const struct inspect *s, struct json_out *o, const struct spk *spk)
{
	uint8_t	 b[2 + TX_MAX_SCRIPT];
	char	 address[ADDRESS_MAX];

	b[0] = (uint8_t)(spk->version >> 8);
	b[1] = (uint8_t)(spk->version & 0xff);
	memcpy(b + 2, spk->script.p, spk->script.len);
	inspect_address(s, spk, address);
	json_put_string_or_null(o, "address", address);
	json_put_hex(o, "script_public_key", b, 2 + spk->script.len);
}

void
inspect_json(const struct inspect *s, struct json_out *o)
{
	json_out_begin_object(o);
	inspect_members(s, o);
	json_out_end_object(o);
}

void
inspect_members(const struct inspect *s, struct json_out *o)
{
	size_t	 i;

	json_out_key(o, "pskts");
	json_out_begin_array(o);
	for (i = 0; i < s->doc->n; i++)
		write_doc(s, &s->d[i], o);
	json_out_end_array(o);
	json_out_key(o, "totals");
	write_totals(s, o);
}

static void
write_doc(const struct inspect *s, const struct inspect_doc *d,
    struct json_out *o)
{
	const struct tx	*tx = &d->pskt->tx;
	size_t		 i;

	json_out_begin_object(o);
	json_put_u64(o, "version", d->pskt->version);
	json_put_u64(o, "tx_version", tx->version);
	json_put_hex(o, "transaction_id", d->id, sizeof(d->id));
	json_put_string_or_null(o, "state", inspect_state(d));
	json_put_u64(o, "missing_signatures", d->missing);
	json_out_key(o, "inputs");
	json_out_begin_array(o);
	for (i = 0; i < tx->nin; i++)
		write_input(s, d, i, o);
	json_out_end_array(o);
	json_out_key(o, "outputs");
	json_out_begin_array(o);
	for (i = 0; i < tx->nout; i++)
		write_output(s, d, i, o);
	json_out_end_array(o);
	write_money(d, o);
	write_mass(d, o);
	write_lock_time(d, o);
	json_put_hex(o, "payload", tx->payload.p, tx->payload.len);
	write_warnings(d, o);
	json_out_end_object(o);
}

static void
write_input(const struct inspect *s, const struct inspect_doc *d, size_t i,
    struct json_out *o)
{
	const struct verify_input	*in = &d->in[i];
	const struct tx_input		*txin = &d->pskt->tx.in[i];

	json_out_begin_object(o);
	json_out_key(o, "outpoint");
	json_out_begin_object(o);
	json_put_hex(o, "transaction_id", txin->outpoint.txid,
	    sizeof(txin->outpoint.txid));
	json_put_u64(o, "index", txin->outpoint.index);
	json_out_end_object(o);
	write_utxo(s, txin, o);
	put_own(o, "own", d->own[i]);
	json_put_u64(o, "sequence", txin->sequence);
	json_put_u64(o, "sighash_type", txin->sighash_type);
	json_put_string_or_null(o, "sighash",
	    inspect_sighash_name(txin->sighash_type));
	json_put_u64(o, "sig_op_count", txin->sig_op_count);
	json_put_string_or_null(o, "script", inspect_lock_name(in->kind));
	json_put_u64_or_null(o, "required", in->m != 0, in->m);
	json_put_u64(o, "valid", in->valid);
	json_put_u64_or_null(o, "missing", in->m != 0 ||
	    in->final == FINAL_VALID, in->final == FINAL_VALID ||
	    in->valid >= in->m ? 0 : in->m - in->valid);
	json_out_key(o, "keys");
	write_keys(s, in, o);
	json_put_u64(o, "other_signatures", in->foreign);
	json_put_string_or_null(o, "final", inspect_final_name(in->final));
	json_put_string_or_null(o, "final_error", in->why);
	json_out_end_object(o);
}

static void
write_utxo(const struct inspect *s, const struct tx_input *in,
    struct json_out *o)
{
	json_put_u64_or_null(o, "amount", in->has_utxo, in->amount);
	json_put_u64_or_null(o, "block_daa_score", in->has_utxo, in->daa_score);
	if (in->has_utxo) {
		put_spk(s, o, &in->spk);
		return;
	}
	json_put_string_or_null(o, "address", NULL);
	json_put_string_or_null(o, "script_public_key", NULL);
}

static void
write_keys(const struct inspect *s, const struct verify_input *in,
    struct json_out *o)
{
	unsigned	 i;

	json_out_begin_array(o);
	for (i = 0; i < in->n; i++) {
		json_out_begin_object(o);
		json_put_hex(o, "public_key", in->key[i].key, in->key_len);
		json_put_string(o, "signature",
		    inspect_sig_name(in->key[i].state));
		put_own(o, "own", s->ctx.xonly == NULL ? OWN_UNKNOWN :
		    in->key_len == 32 && memcmp(in->key[i].key, s->ctx.xonly,
		    32) == 0 ? OWN_YES : s->ctx.hd ? OWN_UNKNOWN : OWN_NO);
		json_out_end_object(o);
	}
	json_out_end_array(o);
}

static void
write_output(const struct inspect *s, const struct inspect_doc *d, size_t i,
    struct json_out *o)
{
	const struct tx_output	*out = &d->pskt->tx.out[i];

	json_out_begin_object(o);
	json_put_u64(o, "amount", out->value);
	put_spk(s, o, &out->spk);
	put_own(o, "change", d->change[i]);
	json_put_bool(o, "dust", d->dust[i]);
	json_out_key(o, "covenant");
	if (out->has_covenant) {
		json_out_begin_object(o);
		json_put_u64(o, "authorizing_input", out->authorizing_input);
		json_put_hex(o, "covenant_id", out->covenant_id,
		    sizeof(out->covenant_id));
		json_out_end_object(o);
	} else
		json_out_null(o);
	json_out_end_object(o);
}

static void
write_money(const struct inspect_doc *d, struct json_out *o)
{
	char	 rate[32];

	json_put_u64_or_null(o, "amount_in", d->fee_known, d->sum_in);
	json_put_u64(o, "amount_out", d->sum_out);
	json_put_u64_or_null(o, "outflow", d->outflow_known, d->outflow);
	json_put_u64_or_null(o, "fee", d->fee_known, d->fee);
	inspect_fee_rate(d, rate);
	json_out_key(o, "fee_rate");
	if (rate[0] != '\0')
		json_out_raw(o, rate, strlen(rate));
	else
		json_out_null(o);
	json_put_u64(o, "relay_fee", d->relay_fee);
}

static void
write_mass(const struct inspect_doc *d, struct json_out *o)
{
	json_out_key(o, "mass");
	json_out_begin_object(o);
	json_put_bool(o, "exact", d->mass_known);
	json_put_u64(o, "size", d->mass.size);
	json_put_u64(o, "compute", d->mass.compute);
	json_put_u64(o, "transient", d->mass.transient);
	json_put_u64_or_null(o, "storage", d->mass.storage_known,
	    d->mass.storage);
	json_put_u64(o, "fee", mass_for_fee(&d->mass));
	json_out_key(o, "limits");
	json_out_begin_object(o);
	json_put_u64(o, "compute", MASS_LIMIT_COMPUTE);
	json_put_u64(o, "transient", MASS_LIMIT_TRANSIENT);
	json_put_u64(o, "storage", MASS_LIMIT_STORAGE);
	json_put_u64(o, "wallet", MASS_LIMIT_WALLET);
	json_out_end_object(o);
	json_out_end_object(o);
}

static void
write_lock_time(const struct inspect_doc *d, struct json_out *o)
{
	uint64_t	 at = d->pskt->tx.lock_time;

	json_out_key(o, "lock_time");
	json_out_begin_object(o);
	json_put_u64(o, "value", at);
	json_put_string(o, "unit", at == 0 ? "none" : inspect_is_time(at) ?
	    "milliseconds" : "daa_score");
	json_put_bool(o, "active", d->locked);
	json_out_end_object(o);
}

static void
write_warnings(const struct inspect_doc *d, struct json_out *o)
{
	int	 w;

	json_out_key(o, "warnings");
	json_out_begin_array(o);
	for (w = 0; w < WARN_MAX; w++) {
		if (d->nwarn[w] == 0)
			continue;
		json_out_begin_object(o);
		json_put_string(o, "code",
		    inspect_warn_name((enum inspect_warn)w));
		json_put_string_or_null(o, "message", d->warn[w]);
		json_put_u64(o, "count", d->nwarn[w]);
		json_out_end_object(o);
	}
	json_out_end_array(o);
}

static void
write_totals(const struct inspect *s, struct json_out *o)
{
	struct inspect_sums	 t;

	inspect_sums(s, &t);
	json_out_begin_object(o);
	json_put_u64(o, "pskts", s->doc->n);
	json_put_u64(o, "inputs", t.inputs);
	json_put_u64(o, "outputs", t.outputs);
	json_put_u64_or_null(o, "amount_in", t.fee_known, t.sum_in);
	json_put_u64(o, "amount_out", t.sum_out);
	json_put_u64_or_null(o, "outflow", t.outflow_known, t.outflow);
	json_put_u64_or_null(o, "fee", t.fee_known, t.fee);
	json_put_u64(o, "missing_signatures", t.missing);
	json_out_end_object(o);
}
