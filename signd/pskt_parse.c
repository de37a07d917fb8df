/* A PSKT document, member by member (KASPA.md, "PSKT JSON"). */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecdsa.h"
#include "kaspa.h"
#include "pskt_int.h"

#define MAX_VERSION	2	/* of PSKT */
#define MAX_TX_VERSION	1
#define MAX_ECDSA_SIG	72	/* DER */

static int	 read_global(struct reader *, const struct json *);
static int	 read_versions(struct reader *, const struct json *);
static int	 read_counts(struct reader *, const struct json *);
static int	 read_payload(struct reader *, const struct json *);
static int	 read_inputs(struct reader *, const struct json *);
static int	 read_input(struct reader *, const struct json *, size_t);
static int	 read_utxo(struct reader *, const struct json *,
		    struct tx_input *);
static int	 read_outpoint(struct reader *, const struct json *,
		    struct outpoint *);
static int	 read_sigs(struct reader *, struct pskt_input *);
static int	 read_sig(struct reader *, const struct json *,
		    struct pskt_sig *);
static bool	 own_path(const struct reader *, const struct bytes *);
static int	 claim_rank(const struct reader *, const uint8_t[33],
		    const struct key_claim *);
static int	 read_derivations(struct reader *, const struct json *,
		    struct key_claim *);
static int	 read_redeem(struct reader *, const struct json *,
		    struct tx_input *);
static int	 read_outputs(struct reader *, const struct json *);
static int	 read_output(struct reader *, const struct json *,
		    struct tx_output *);
static int	 read_covenant(struct reader *, const struct json *,
		    struct tx_output *);
static int	 check_outpoints(struct reader *);
static int	 check_amounts(struct reader *);

int
pskt_read(struct reader *r)
{
	const struct json	*global, *inputs, *outputs, *role;

	r->all_utxos = true;
	if ((global = rd_get(r, r->root, "global", JSON_OBJECT)) == NULL ||
	    (inputs = rd_get(r, r->root, "inputs", JSON_ARRAY)) == NULL ||
	    (outputs = rd_get(r, r->root, "outputs", JSON_ARRAY)) == NULL ||
	    rd_opt(r, r->root, "role", JSON_NULL, true, &role) == -1)
		return -1;
	if (inputs->n > TX_MAX_INPUTS)
		return rd_fail(r, PSKT_TOO_LARGE, inputs, NULL,
		    "more than 1000 inputs");
	if (outputs->n > TX_MAX_OUTPUTS)
		return rd_fail(r, PSKT_TOO_LARGE, outputs, NULL,
		    "more than 1000 outputs");
	r->pskt->root = r->root;
	r->pskt->tx.nin = inputs->n;
	r->pskt->tx.nout = outputs->n;
	if (read_global(r, global) == -1 || read_inputs(r, inputs) == -1 ||
	    read_outputs(r, outputs) == -1 || check_outpoints(r) == -1 ||
	    check_amounts(r) == -1)
		return -1;
	/* fallbackLockTime counts only without inputs. */
	if (r->pskt->tx.nin != 0)
		r->pskt->tx.lock_time = r->min_time;
	return 0;
}

static int
read_global(struct reader *r, const struct json *g)
{
	const struct json	*xpubs, *v;
	struct key_claim	 source;
	uint8_t			 id[TX_ID_LEN];
	int			 rc;

	if (read_versions(r, g) == -1 ||
	    rd_opt_u64(r, g, "fallbackLockTime", UINT64_MAX,
	    &r->pskt->tx.lock_time) == -1 ||
	    rd_bool(r, g, "inputsModifiable") == -1 ||
	    rd_bool(r, g, "outputsModifiable") == -1 ||
	    read_counts(r, g) == -1 ||
	    (xpubs = rd_get(r, g, "xpubs", JSON_OBJECT)) == NULL)
		return -1;
	for (v = xpubs->first; v != NULL; v = v->next)
		if (rd_key_source(r, v, &source) == -1)
			return -1;
	if ((rc = rd_opt(r, g, "id", JSON_STRING, true, &v)) == -1 ||
	    (rc == 1 && rd_fixed(r, v, id, sizeof(id)) == -1) ||
	    rd_get(r, g, "proprietaries", JSON_OBJECT) == NULL)
		return -1;
	return read_payload(r, g);
}

static int
read_versions(struct reader *r, const struct json *g)
{
	uint64_t	 version, tx_version;

	if (rd_u64(r, g, "version", UINT8_MAX, &version) == -1 ||
	    rd_u64(r, g, "txVersion", UINT16_MAX, &tx_version) == -1)
		return -1;
	if (version > MAX_VERSION)
		return rd_fail(r, PSKT_UNSUPPORTED, g, "version",
		    "PSKT versions 0, 1 and 2 are known");
	if (tx_version > MAX_TX_VERSION)
		return rd_fail(r, PSKT_UNSUPPORTED, g, "txVersion",
		    "transaction versions 0 and 1 are known");
	r->pskt->version = (unsigned)version;
	r->pskt->tx.version = (uint16_t)tx_version;
	return 0;
}

/* rusty-kaspa's wallet leaves them 0. */
static int
read_counts(struct reader *r, const struct json *g)
{
	uint64_t	 nin, nout;
	char		 what[80];

	if (rd_u64(r, g, "inputCount", UINT64_MAX, &nin) == -1 ||
	    rd_u64(r, g, "outputCount", UINT64_MAX, &nout) == -1)
		return -1;
	if (nin != r->pskt->tx.nin) {
		(void)snprintf(what, sizeof(what), "%llu, but there are %zu",
		    (unsigned long long)nin, r->pskt->tx.nin);
		rd_note(r, NOTE_INPUT_COUNT, g, "inputCount", what);
	}
	if (nout != r->pskt->tx.nout) {
		(void)snprintf(what, sizeof(what), "%llu, but there are %zu",
		    (unsigned long long)nout, r->pskt->tx.nout);
		rd_note(r, NOTE_OUTPUT_COUNT, g, "outputCount", what);
	}
	return 0;
}

static int
read_payload(struct reader *r, const struct json *g)
{
	const struct json	*v;
	struct bytes		 payload = { NULL, 0 };
	int			 rc;

	if ((rc = rd_opt(r, g, "payload", JSON_STRING, false, &v)) != 1)
		return rc;
	if (rd_bytes(r, v, SIZE_MAX, &payload) == -1)
		return -1;
	if (r->pskt->version >= 1)
		r->pskt->tx.payload = payload;
	else if (payload.len != 0)
		rd_note(r, NOTE_PAYLOAD, g, "payload",
		    "not part of the transaction: PSKT version 0 has none");
	return 0;
}

static int
read_inputs(struct reader *r, const struct json *inputs)
{
	const struct json	*v;

	r->pskt->in = pool_alloc(r->pool, inputs->n, sizeof(*r->pskt->in));
	r->pskt->tx.in = pool_alloc(r->pool, inputs->n,
	    sizeof(*r->pskt->tx.in));
	if (r->pskt->in == NULL || r->pskt->tx.in == NULL)
		return rd_fail(r, PSKT_TOO_LARGE, inputs, NULL,
		    "out of memory");
	for (v = inputs->first; v != NULL; v = v->next)
		if (read_input(r, v, v->index) == -1)
			return -1;
	return 0;
}

static int
read_input(struct reader *r, const struct json *v, size_t i)
{
	struct pskt_input	*in = &r->pskt->in[i];
	struct tx_input		*txin = &r->pskt->tx.in[i];
	const struct json	*f;
	uint64_t		 sequence = UINT64_MAX, min_time = 0, type;
	uint64_t		 sig_ops = 0;
	int			 rc;

	if (v->type != JSON_OBJECT)
		return rd_fail(r, PSKT_INVALID, v, NULL, "must be an object");
	if (read_utxo(r, v, txin) == -1 ||
	    read_outpoint(r, v, &txin->outpoint) == -1 ||
	    rd_opt_u64(r, v, "sequence", UINT64_MAX, &sequence) == -1 ||
	    rd_opt_u64(r, v, "minTime", UINT64_MAX, &min_time) == -1 ||
	    rd_u64(r, v, "sighashType", UINT8_MAX, &type) == -1 ||
	    rd_opt_u64(r, v, "sigOpCount", UINT8_MAX, &sig_ops) == -1)
		return -1;
	txin->sequence = sequence;
	txin->sighash_type = (uint8_t)type;
	txin->sig_op_count = (uint8_t)sig_ops;
	if (min_time > r->min_time)
		r->min_time = min_time;
	if ((in->partial_sigs = rd_get(r, v, "partialSigs",
	    JSON_OBJECT)) == NULL || read_sigs(r, in) == -1 ||
	    read_redeem(r, v, txin) == -1 ||
	    (in->derivations = rd_get(r, v, "bip32Derivations",
	    JSON_OBJECT)) == NULL || read_derivations(r,
	    in->derivations, &txin->claim) == -1)
		return -1;
	if ((rc = rd_opt(r, v, "finalScriptSig", JSON_STRING, false,
	    &f)) == -1 ||
	    (rc == 1 && rd_bytes(r, f, SIZE_MAX, &in->final) == -1) ||
	    rd_get(r, v, "proprietaries", JSON_OBJECT) == NULL ||
	    rd_opt(r, v, "hidden", JSON_NULL, true, &f) == -1)
		return -1;
	return 0;
}

static int
read_utxo(struct reader *r, const struct json *input, struct tx_input *in)
{
	const struct json	*v, *f;
	uint8_t			 id[32];
	int			 rc;

	if ((rc = rd_opt(r, input, "utxoEntry", JSON_OBJECT, true, &v)) != 1) {
		r->all_utxos = false;
		return rc;
	}
	if (rd_u64(r, v, "amount", UINT64_MAX, &in->amount) == -1 ||
	    rd_spk(r, v, &in->spk) == -1 ||
	    rd_u64(r, v, "blockDaaScore", UINT64_MAX, &in->daa_score) == -1 ||
	    rd_bool(r, v, "isCoinbase") == -1 ||
	    (rc = rd_opt(r, v, "covenantId", JSON_STRING, true, &f)) == -1 ||
	    (rc == 1 && rd_fixed(r, f, id, sizeof(id)) == -1))
		return -1;
	if (in->amount > PSKT_MAX_SOMPI - r->sum_in)
		return rd_fail(r, PSKT_INVALID, v, "amount",
		    "more sompi than there can be");
	r->sum_in += in->amount;
	in->utxo_covenant = rc == 1;
	in->has_utxo = true;
	return 0;
}

static int
read_outpoint(struct reader *r, const struct json *input, struct outpoint *o)
{
	const struct json	*v, *id;
	uint64_t		 index;

	if ((v = rd_get(r, input, "previousOutpoint", JSON_OBJECT)) == NULL ||
	    (id = rd_get(r, v, "transactionId", JSON_STRING)) == NULL ||
	    rd_fixed(r, id, o->txid, sizeof(o->txid)) == -1 ||
	    rd_u64(r, v, "index", UINT32_MAX, &index) == -1)
		return -1;
	o->index = (uint32_t)index;
	return 0;
}

static int
compare_sig_keys(const void *a, const void *b)
{
	return memcmp(((const struct pskt_sig *)a)->key,
	    ((const struct pskt_sig *)b)->key, 33);
}

/* Kept in the order of their keys: one key in two spellings is seen that way. */
static int
read_sigs(struct reader *r, struct pskt_input *in)
{
	const struct json	*v;
	size_t			 i;

	if ((in->nsig = in->partial_sigs->n) == 0)
		return 0;
	if ((in->sig = pool_alloc(r->pool, in->nsig, sizeof(*in->sig))) == NULL)
		return rd_fail(r, PSKT_TOO_LARGE, in->partial_sigs, NULL,
		    "out of memory");
	for (v = in->partial_sigs->first; v != NULL; v = v->next)
		if (read_sig(r, v, &in->sig[v->index]) == -1)
			return -1;
	qsort(in->sig, in->nsig, sizeof(*in->sig), compare_sig_keys);
	for (i = 1; i < in->nsig; i++)
		if (compare_sig_keys(&in->sig[i - 1], &in->sig[i]) == 0)
			return rd_fail(r, PSKT_INVALID, in->partial_sigs, NULL,
			    "one key twice");
	return 0;
}

static int
read_sig(struct reader *r, const struct json *v, struct pskt_sig *sig)
{
	const struct json	*s;
	struct bytes		 der;

	sig->start = v->start;
	sig->end = v->end;
	if (rd_key(r, v, sig->key) == -1)
		return -1;
	if (v->type != JSON_OBJECT || v->n != 1)
		return rd_fail(r, PSKT_INVALID, v, NULL,
		    "must be {\"schnorr\": …} or {\"eCDSA\": …}");
	if ((s = json_get(v, "schnorr")) != NULL) {
		sig->schnorr = true;
		return rd_fixed(r, s, sig->sig, sizeof(sig->sig));
	}
	if ((s = json_get(v, "eCDSA")) == NULL)
		return rd_fail(r, PSKT_INVALID, v, NULL,
		    "must be {\"schnorr\": …} or {\"eCDSA\": …}");
	if (rd_bytes(r, s, MAX_ECDSA_SIG, &der) == -1)
		return -1;
	sig->ecdsa = ecdsa_compact(der.p, der.len, sig->sig) == 0;
	return 0;
}

/* Is path the configured derivation path, or does it extend it? */
static bool
own_path(const struct reader *r, const struct bytes *path)
{
	const char	*own = r->ctx == NULL ? NULL : r->ctx->derivation_path;
	size_t		 len;

	if (own == NULL)
		return false;
	if (*own == '\0')
		own = "m";
	len = strlen(own);
	return path->len >= len && memcmp(path->p, own, len) == 0 &&
	    (path->len == len || path->p[len] == '/');
}

/* How sure it is that this KeySource is ours; 0: it is not. */
static int
claim_rank(const struct reader *r, const uint8_t key[33],
    const struct key_claim *c)
{
	const struct pskt_context	*ctx = r->ctx;

	if (ctx == NULL)
		return 0;
	if (ctx->xonly != NULL && memcmp(key + 1, ctx->xonly, 32) == 0)
		return 3;
	if (!own_path(r, &c->path))
		return 0;
	return ctx->fingerprint != NULL && memcmp(c->fingerprint,
	    ctx->fingerprint, sizeof(c->fingerprint)) == 0 ? 2 : 1;
}

/*
 * Whose keys these are: each must be well-formed, and what may be our own
 * KeySource is a claim for keyd to check.  Cosigners of one multisig have the
 * same path (rusty-kaspa wallet/core/src/derivation.rs) and differ by their
 * fingerprints: where ours is not known, none of several can be held against
 * the path.
 */
static int
read_derivations(struct reader *r, const struct json *derivations,
    struct key_claim *claim)
{
	const struct json	*v;
	struct key_claim	 c;
	uint8_t			 key[33];
	int			 rank, best = 0;

	for (v = derivations->first; v != NULL; v = v->next) {
		if (rd_key(r, v, key) == -1)
			return -1;
		if (v->type == JSON_NULL)
			continue;
		if (rd_key_source(r, v, &c) == -1)
			return -1;
		rank = claim_rank(r, key, &c);
		if (rank > best) {
			*claim = c;
			best = rank;
		} else if (rank == 1 && best == 1 &&
		    r->ctx->fingerprint == NULL &&
		    memcmp(c.fingerprint, claim->fingerprint,
		    sizeof(c.fingerprint)) != 0)
			claim->has_fingerprint = false;
	}
	return 0;
}

static bool
is_p2sh_of(const struct spk *spk, const uint8_t p2sh[P2SH_SCRIPT_LEN])
{
	return spk->version == 0 && spk->script.len == P2SH_SCRIPT_LEN &&
	    memcmp(spk->script.p, p2sh, P2SH_SCRIPT_LEN) == 0;
}

static int
read_redeem(struct reader *r, const struct json *input, struct tx_input *in)
{
	const struct json	*v;
	struct multisig		 ms;
	uint8_t			 p2sh[P2SH_SCRIPT_LEN];
	char			 what[80];
	int			 rc;

	if ((rc = rd_opt(r, input, "redeemScript", JSON_STRING, false,
	    &v)) == -1)
		return -1;
	if (rc == 1) {
		if (rd_bytes(r, v, TX_MAX_SCRIPT, &in->redeem) == -1)
			return -1;
		script_p2sh(in->redeem.p, in->redeem.len, p2sh);
		if (in->has_utxo && !is_p2sh_of(&in->spk, p2sh))
			return rd_fail(r, PSKT_INVALID, v, NULL,
			    "does not hash to the script of the UTXO");
	} else if (in->has_utxo && r->ctx != NULL && r->ctx->redeem.len != 0 &&
	    is_p2sh_of(&in->spk, r->own_p2sh)) {
		in->redeem = r->ctx->redeem;
		rd_note(r, NOTE_NO_REDEEM, input, "redeemScript",
		    "missing; the configured one hashes to the UTXO");
	}
	/* A run-time limit on checks, not n: it may still be enough. */
	if (in->redeem.len != 0 && script_multisig_parse(in->redeem.p,
	    in->redeem.len, &ms) == 0 && in->sig_op_count < ms.n) {
		(void)snprintf(what, sizeof(what),
		    "%u, but the redeem script has %u keys",
		    in->sig_op_count, ms.n);
		rd_note(r, NOTE_SIG_OP_COUNT, input, "sigOpCount", what);
	}
	return 0;
}

static int
read_outputs(struct reader *r, const struct json *outputs)
{
	struct tx		*tx = &r->pskt->tx;
	const struct json	*v;

	if ((tx->out = pool_alloc(r->pool, outputs->n,
	    sizeof(*tx->out))) == NULL)
		return rd_fail(r, PSKT_TOO_LARGE, outputs, NULL,
		    "out of memory");
	for (v = outputs->first; v != NULL; v = v->next)
		if (read_output(r, v, &tx->out[v->index]) == -1)
			return -1;
	return 0;
}

static int
read_output(struct reader *r, const struct json *v, struct tx_output *out)
{
	const struct json	*f;
	struct bytes		 redeem;
	int			 rc;

	if (v->type != JSON_OBJECT)
		return rd_fail(r, PSKT_INVALID, v, NULL, "must be an object");
	if (rd_u64(r, v, "amount", UINT64_MAX, &out->value) == -1)
		return -1;
	if (out->value == 0)
		return rd_fail(r, PSKT_INVALID, v, "amount", "is 0");
	if (out->value > PSKT_MAX_SOMPI - r->sum_out)
		return rd_fail(r, PSKT_INVALID, v, "amount",
		    "more sompi than there can be");
	r->sum_out += out->value;
	if (rd_spk(r, v, &out->spk) == -1 ||
	    (rc = rd_opt(r, v, "redeemScript", JSON_STRING, false,
	    &f)) == -1 ||
	    (rc == 1 && rd_bytes(r, f, TX_MAX_SCRIPT, &redeem) == -1) ||
	    (f = rd_get(r, v, "bip32Derivations", JSON_OBJECT)) == NULL ||
	    read_derivations(r, f, &out->claim) == -1)
		return -1;
	if (rd_get(r, v, "proprietaries", JSON_OBJECT) == NULL)
		return -1;
	return read_covenant(r, v, out);
}

static int
read_covenant(struct reader *r, const struct json *output,
    struct tx_output *out)
{
	const struct json	*v, *id;
	uint64_t		 input;
	int			 rc;

	if ((rc = rd_opt(r, output, "covenant", JSON_OBJECT, true, &v)) != 1)
		return rc;
	if (rd_u64(r, v, "authorizingInput", UINT16_MAX, &input) == -1 ||
	    (id = rd_get(r, v, "covenantId", JSON_STRING)) == NULL ||
	    rd_fixed(r, id, out->covenant_id, sizeof(out->covenant_id)) == -1)
		return -1;
	if (r->pskt->tx.version == 0)
		return rd_fail(r, PSKT_INVALID, v, NULL,
		    "transaction version 0 has no covenants");
	out->authorizing_input = (uint16_t)input;
	out->has_covenant = true;
	return 0;
}

static int
compare_outpoints(const void *a, const void *b)
{
	const struct tx_input	*const *x = a, *const *y = b;

	return outpoint_cmp(&(*x)->outpoint, &(*y)->outpoint);
}

static int
check_outpoints(struct reader *r)
{
	struct tx	*tx = &r->pskt->tx;
	struct tx_input	**in;
	ptrdiff_t	 a, b;
	size_t		 i;

	if ((in = pool_alloc(r->pool, tx->nin, sizeof(*in))) == NULL)
		return rd_fail(r, PSKT_TOO_LARGE, r->root, "inputs",
		    "out of memory");
	for (i = 0; i < tx->nin; i++)
		in[i] = &tx->in[i];
	qsort(in, tx->nin, sizeof(*in), compare_outpoints);
	for (i = 1; i < tx->nin; i++) {
		if (compare_outpoints(&in[i - 1], &in[i]) != 0)
			continue;
		a = in[i - 1] - tx->in;
		b = in[i] - tx->in;
		r->e->code = PSKT_INVALID;
		(void)snprintf(r->e->message, sizeof(r->e->message),
		    "inputs[%td].previousOutpoint: spent by inputs[%td] already",
		    a > b ? a : b, a > b ? b : a);
		return -1;
	}
	return 0;
}

/* Without all UTXO entries the inputs' sum is not known. */
static int
check_amounts(struct reader *r)
{
	if (r->all_utxos && r->pskt->tx.nin != 0 && r->sum_out > r->sum_in)
		return rd_fail(r, PSKT_INVALID, r->root, "outputs",
		    "exceed the inputs");
	return 0;
}
