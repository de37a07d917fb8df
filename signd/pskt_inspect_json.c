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
static void	 put_u64(struct json_out *, const char *, uint64_t);
static void	 put_opt(struct json_out *, const char *, bool, uint64_t);
static void	 put_bool(struct json_out *, const char *, bool);
static void	 put_text(struct json_out *, const char *, const char *);
static void	 put_hex(struct json_out *, const char *, const void *, size_t);
static void	 put_own(struct json_out *, const char *, enum inspect_own);
static void	 put_spk(const struct inspect *, struct json_out *,
		    const struct spk *);

static void
put_u64(struct json_out *o, const char *key, uint64_t v)
{
	json_out_key(o, key);
	json_out_u64(o, v);
}

static void
put_opt(struct json_out *o, const char *key, bool known, uint64_t v)
{
	json_out_key(o, key);
	if (known)
		json_out_u64(o, v);
	else
		json_out_null(o);
}

static void
put_bool(struct json_out *o, const char *key, bool v)
{
	json_out_key(o, key);
	json_out_bool(o, v);
}

static void
put_text(struct json_out *o, const char *key, const char *text)
{
	json_out_key(o, key);
	if (text == NULL || text[0] == '\0')
		json_out_null(o);
	else
		json_out_string(o, text);
}

static void
put_hex(struct json_out *o, const char *key, const void *p, size_t len)
{
	json_out_key(o, key);
	json_out_hex(o, p, len);
}

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
	put_text(o, "address", address);
	put_hex(o, "script_public_key", b, 2 + spk->script.len);
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
	put_u64(o, "version", d->pskt->version);
	put_u64(o, "tx_version", tx->version);
	put_hex(o, "transaction_id", d->id, sizeof(d->id));
	put_text(o, "state", inspect_state(d));
	put_u64(o, "missing_signatures", d->missing);
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
	put_hex(o, "payload", tx->payload.p, tx->payload.len);
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
	put_hex(o, "transaction_id", txin->outpoint.txid,
	    sizeof(txin->outpoint.txid));
	put_u64(o, "index", txin->outpoint.index);
	json_out_end_object(o);
	write_utxo(s, txin, o);
	put_own(o, "own", d->own[i]);
	put_u64(o, "sequence", txin->sequence);
	put_u64(o, "sighash_type", txin->sighash_type);
	put_text(o, "sighash", inspect_sighash_name(txin->sighash_type));
	put_u64(o, "sig_op_count", txin->sig_op_count);
	put_text(o, "script", inspect_lock_name(in->kind));
	put_opt(o, "required", in->m != 0, in->m);
	put_u64(o, "valid", in->valid);
	put_opt(o, "missing", in->m != 0 || in->final == FINAL_VALID,
	    in->final == FINAL_VALID || in->valid >= in->m ? 0 :
	    in->m - in->valid);
	json_out_key(o, "keys");
	write_keys(s, in, o);
	put_u64(o, "other_signatures", in->foreign);
	put_text(o, "final", inspect_final_name(in->final));
	put_text(o, "final_error", in->why);
	json_out_end_object(o);
}

static void
write_utxo(const struct inspect *s, const struct tx_input *in,
    struct json_out *o)
{
	put_opt(o, "amount", in->has_utxo, in->amount);
	put_opt(o, "block_daa_score", in->has_utxo, in->daa_score);
	if (in->has_utxo) {
		put_spk(s, o, &in->spk);
		return;
	}
	put_text(o, "address", NULL);
	put_text(o, "script_public_key", NULL);
}

static void
write_keys(const struct inspect *s, const struct verify_input *in,
    struct json_out *o)
{
	unsigned	 i;

	json_out_begin_array(o);
	for (i = 0; i < in->n; i++) {
		json_out_begin_object(o);
		put_hex(o, "public_key", in->key[i].key, in->key_len);
		put_text(o, "signature", inspect_sig_name(in->key[i].state));
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
	put_u64(o, "amount", out->value);
	put_spk(s, o, &out->spk);
	put_own(o, "change", d->change[i]);
	put_bool(o, "dust", d->dust[i]);
	json_out_key(o, "covenant");
	if (out->has_covenant) {
		json_out_begin_object(o);
		put_u64(o, "authorizing_input", out->authorizing_input);
		put_hex(o, "covenant_id", out->covenant_id,
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

	put_opt(o, "amount_in", d->fee_known, d->sum_in);
	put_u64(o, "amount_out", d->sum_out);
	put_opt(o, "outflow", d->outflow_known, d->outflow);
	put_opt(o, "fee", d->fee_known, d->fee);
	inspect_fee_rate(d, rate);
	json_out_key(o, "fee_rate");
	if (rate[0] != '\0')
		json_out_raw(o, rate, strlen(rate));
	else
		json_out_null(o);
	put_u64(o, "relay_fee", d->relay_fee);
}

static void
write_mass(const struct inspect_doc *d, struct json_out *o)
{
	json_out_key(o, "mass");
	json_out_begin_object(o);
	put_bool(o, "exact", d->mass_known);
	put_u64(o, "size", d->mass.size);
	put_u64(o, "compute", d->mass.compute);
	put_u64(o, "transient", d->mass.transient);
	put_opt(o, "storage", d->mass.storage_known, d->mass.storage);
	put_u64(o, "fee", mass_for_fee(&d->mass));
	json_out_key(o, "limits");
	json_out_begin_object(o);
	put_u64(o, "compute", MASS_LIMIT_COMPUTE);
	put_u64(o, "transient", MASS_LIMIT_TRANSIENT);
	put_u64(o, "storage", MASS_LIMIT_STORAGE);
	put_u64(o, "wallet", MASS_LIMIT_WALLET);
	json_out_end_object(o);
	json_out_end_object(o);
}

static void
write_lock_time(const struct inspect_doc *d, struct json_out *o)
{
	uint64_t	 at = d->pskt->tx.lock_time;

	json_out_key(o, "lock_time");
	json_out_begin_object(o);
	put_u64(o, "value", at);
	put_text(o, "unit", at == 0 ? "none" : inspect_is_time(at) ?
	    "milliseconds" : "daa_score");
	put_bool(o, "active", d->locked);
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
		put_text(o, "code", inspect_warn_name((enum inspect_warn)w));
		put_text(o, "message", d->warn[w]);
		put_u64(o, "count", d->nwarn[w]);
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
	put_u64(o, "pskts", s->doc->n);
	put_u64(o, "inputs", t.inputs);
	put_u64(o, "outputs", t.outputs);
	put_opt(o, "amount_in", t.fee_known, t.sum_in);
	put_u64(o, "amount_out", t.sum_out);
	put_opt(o, "outflow", t.outflow_known, t.outflow);
	put_opt(o, "fee", t.fee_known, t.fee);
	put_u64(o, "missing_signatures", t.missing);
	json_out_end_object(o);
}
