#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "vec.h"
#include "vectx.h"

static struct bytes	 hex(struct pool *, const char *);
static void		 hex_exact(const char *, uint8_t *, size_t);
static void		 script(struct pool *, const char *, struct spk *);
static void		 alloc(struct pool *, yajl_val, yajl_val, struct tx *);
static uint64_t		 u64_or(yajl_val, const char *, uint64_t);
static void		 pskt_input(struct pool *, yajl_val, struct tx_input *);
static void		 pskt_output(struct pool *, yajl_val, struct tx_output *);

static struct bytes
hex(struct pool *p, const char *text)
{
	struct bytes	 b;
	uint8_t		*raw = vec_unhex(text, &b.len);

	if ((b.p = pool_dup(p, raw, b.len)) == NULL)
		err(1, NULL);
	free(raw);
	return b;
}

static void
hex_exact(const char *text, uint8_t *out, size_t want)
{
	size_t	 len;
	uint8_t	*raw = vec_unhex(text, &len);

	if (len != want)
		errx(1, "%s: not %zu bytes", text, want);
	memcpy(out, raw, len);
	free(raw);
}

/* Version in two big-endian bytes, then the script. */
static void
script(struct pool *p, const char *text, struct spk *spk)
{
	struct bytes	 b = hex(p, text);

	if (b.len < 2)
		errx(1, "scriptPublicKey too short");
	spk->version = (uint16_t)(b.p[0] << 8 | b.p[1]);
	spk->script.p = b.p + 2;
	spk->script.len = b.len - 2;
}

static void
alloc(struct pool *p, yajl_val inputs, yajl_val outputs, struct tx *tx)
{
	memset(tx, 0, sizeof(*tx));
	tx->nin = vec_len(inputs);
	tx->nout = vec_len(outputs);
	tx->in = pool_alloc(p, tx->nin, sizeof(*tx->in));
	tx->out = pool_alloc(p, tx->nout, sizeof(*tx->out));
	if (tx->in == NULL || tx->out == NULL)
		err(1, NULL);
}

static uint64_t
u64_or(yajl_val v, const char *key, uint64_t absent)
{
	return vec_opt(v, key) == NULL ? absent : vec_u64(v, key);
}

static void
pskt_input(struct pool *p, yajl_val v, struct tx_input *in)
{
	yajl_val	 o = vec_get(v, "previousOutpoint");
	yajl_val	 utxo = vec_opt(v, "utxoEntry");

	hex_exact(vec_str(o, "transactionId"), in->outpoint.txid, TX_ID_LEN);
	in->outpoint.index = (uint32_t)vec_u64(o, "index");
	in->sequence = u64_or(v, "sequence", UINT64_MAX);
	in->sig_op_count = (uint8_t)u64_or(v, "sigOpCount", 0);
	in->sighash_type = (uint8_t)vec_u64(v, "sighashType");
	if (utxo != NULL) {
		in->has_utxo = true;
		in->amount = vec_u64(utxo, "amount");
		in->daa_score = vec_u64(utxo, "blockDaaScore");
		script(p, vec_str(utxo, "scriptPublicKey"), &in->spk);
	}
	if (vec_opt(v, "redeemScript") != NULL)
		in->redeem = hex(p, vec_str(v, "redeemScript"));
}

static void
pskt_output(struct pool *p, yajl_val v, struct tx_output *out)
{
	yajl_val	 c = vec_opt(v, "covenant");

	out->value = vec_u64(v, "amount");
	script(p, vec_str(v, "scriptPublicKey"), &out->spk);
	if (c != NULL) {
		out->has_covenant = true;
		out->authorizing_input = (uint16_t)vec_u64(c,
		    "authorizingInput");
		hex_exact(vec_str(c, "covenantId"), out->covenant_id, 32);
	}
}

void
vectx_pskt(struct pool *p, yajl_val doc, struct tx *tx)
{
	yajl_val	 global = vec_get(doc, "global");
	yajl_val	 inputs = vec_get(doc, "inputs");
	yajl_val	 outputs = vec_get(doc, "outputs");
	uint64_t	 t;
	size_t		 i;

	alloc(p, inputs, outputs, tx);
	tx->version = (uint16_t)vec_u64(global, "txVersion");
	if (tx->nin == 0)
		tx->lock_time = u64_or(global, "fallbackLockTime", 0);
	for (i = 0; i < tx->nin; i++) {
		pskt_input(p, vec_at(inputs, i), &tx->in[i]);
		t = u64_or(vec_at(inputs, i), "minTime", 0);
		if (t > tx->lock_time)
			tx->lock_time = t;
	}
	for (i = 0; i < tx->nout; i++)
		pskt_output(p, vec_at(outputs, i), &tx->out[i]);
	if (vec_u64(global, "version") >= 1 &&
	    vec_opt(global, "payload") != NULL)
		tx->payload = hex(p, vec_str(global, "payload"));
}

void
vectx_plain(struct pool *p, yajl_val t, struct tx *tx)
{
	yajl_val	 inputs = vec_get(t, "inputs");
	yajl_val	 outputs = vec_get(t, "outputs"), v;
	struct tx_input	*in;
	size_t		 i;

	alloc(p, inputs, outputs, tx);
	tx->version = (uint16_t)vec_u64(t, "version");
	tx->lock_time = vec_u64(t, "lockTime");
	tx->gas = vec_u64(t, "gas");
	hex_exact(vec_str(t, "subnetwork"), tx->subnetwork,
	    sizeof(tx->subnetwork));
	tx->payload = hex(p, vec_str(t, "payload"));
	for (i = 0; i < tx->nin; i++) {
		v = vec_at(inputs, i);
		in = &tx->in[i];
		hex_exact(vec_str(v, "txid"), in->outpoint.txid, TX_ID_LEN);
		in->outpoint.index = (uint32_t)vec_u64(v, "index");
		in->sequence = vec_u64(v, "sequence");
		in->sig_op_count = (uint8_t)vec_u64(v, "sigOpCount");
		in->has_utxo = true;
		in->amount = vec_u64(v, "amount");
		script(p, vec_str(v, "spk"), &in->spk);
	}
	for (i = 0; i < tx->nout; i++) {
		v = vec_at(outputs, i);
		tx->out[i].value = vec_u64(v, "amount");
		script(p, vec_str(v, "spk"), &tx->out[i].spk);
	}
}

yajl_val
vectx_request(yajl_val request, yajl_val *decoded)
{
	const char	*text;
	char		 e[256];
	uint8_t		*json;

	*decoded = NULL;
	if (YAJL_IS_OBJECT(request))
		return request;
	if ((text = YAJL_GET_STRING(request)) == NULL ||
	    (strncmp(text, "PSKT", 4) != 0 && strncmp(text, "PSKB", 4) != 0))
		errx(1, "request is neither PSKT nor PSKB");
	json = vec_unhex(text + 4, NULL);
	*decoded = yajl_tree_parse((const char *)json, e, sizeof(e));
	if (*decoded == NULL)
		errx(1, "request: %s", e);
	free(json);
	return text[3] == 'B' ? vec_at(*decoded, 0) : *decoded;
}
