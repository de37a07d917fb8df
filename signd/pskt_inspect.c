#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "pskt_inspect.h"

/* rusty-kaspa consensus/core/src/constants.rs, SEQUENCE_LOCK_TIME_*. */
#define SEQUENCE_NO_LOCK	(UINT64_C(1) << 63)
#define SEQUENCE_LOCK		UINT64_C(0xffffffff)

static int	 make_doc(struct inspect *, size_t);
static int	 make_sums(struct inspect *, struct inspect_doc *);
static int	 make_mass(struct inspect *, struct inspect_doc *);
static void	 look_inputs(struct inspect *, struct inspect_doc *);
static void	 look_input(struct inspect *, struct inspect_doc *, size_t);
static void	 look_outputs(struct inspect *, struct inspect_doc *);
static void	 look_fee(struct inspect *, struct inspect_doc *);
static void	 look_mass(struct inspect *, struct inspect_doc *);
static void	 look_lock_time(struct inspect *, struct inspect_doc *);
static void	 look_document(struct inspect *, struct inspect_doc *, size_t);
static enum inspect_own is_own(const struct inspect *, const struct spk *);
static void	 warn(struct inspect *, struct inspect_doc *,
		    enum inspect_warn, const char *, ...)
		    __attribute__((format(printf, 4, 5)));

const char *
inspect_warn_name(enum inspect_warn w)
{
	static const char *const	 names[WARN_MAX] = {
		[WARN_HIGH_FEE] = "HIGH_FEE",
		[WARN_LOW_FEE] = "LOW_FEE",
		[WARN_FEE_UNKNOWN] = "FEE_UNKNOWN",
		[WARN_UNKNOWN_SCRIPT] = "UNKNOWN_SCRIPT",
		[WARN_LOCK_TIME] = "LOCK_TIME",
		[WARN_RELATIVE_LOCK] = "RELATIVE_LOCK",
		[WARN_DUST] = "DUST",
		[WARN_MASS] = "MASS",
		[WARN_WALLET_MASS] = "WALLET_MASS",
		[WARN_SIGHASH_TYPE] = "SIGHASH_TYPE",
		[WARN_SIGNATURE] = "SIGNATURE",
		[WARN_SIG_OP_COUNT] = "SIG_OP_COUNT",
		[WARN_KEYS] = "KEYS",
		[WARN_FINAL_SCRIPT] = "FINAL_SCRIPT",
		[WARN_ID] = "ID",
		[WARN_TX_VERSION] = "TX_VERSION",
		[WARN_DOCUMENT] = "DOCUMENT",
	};

	return names[w];
}

/* Without memory a text is lost, but it is still counted. */
static void
warn(struct inspect *s, struct inspect_doc *d, enum inspect_warn w,
    const char *fmt, ...)
{
	char	 text[640];
	va_list	 ap;

	if (d->nwarn[w]++ != 0)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->warn[w] = pool_strndup(s->pool, text, strlen(text));
}

int
inspect_make(struct inspect *s, const struct inspect_context *ctx,
    const struct verify *v)
{
	size_t	 i;

	memset(s, 0, sizeof(*s));
	s->pool = v->pool;
	s->ctx = *ctx;
	s->doc = v->doc;
	if (ctx->redeem.len != 0) {
		script_p2sh(ctx->redeem.p, ctx->redeem.len, s->own_spk);
		s->own_len = P2SH_SCRIPT_LEN;
	} else if (ctx->xonly != NULL && !ctx->hd &&
	    ctx->network != KASPA_MAINNET) {
		/* There own scripts are only what the config names. */
		script_p2pk(ctx->xonly, s->own_spk);
		s->own_len = P2PK_SCRIPT_LEN;
	}
	if ((s->d = pool_alloc(s->pool, s->doc->n, sizeof(*s->d))) == NULL)
		return -1;
	for (i = 0; i < s->doc->n; i++) {
		s->d[i].pskt = &s->doc->pskt[i];
		s->d[i].in = v->in[i];
		if (make_doc(s, i) == -1)
			return -1;
	}
	return 0;
}

static int
make_doc(struct inspect *s, size_t i)
{
	struct inspect_doc	*d = &s->d[i];

	if (make_sums(s, d) == -1 || make_mass(s, d) == -1 ||
	    tx_id(&d->pskt->tx, d->id) == -1)
		return -1;
	look_fee(s, d);
	look_inputs(s, d);
	look_outputs(s, d);
	look_mass(s, d);
	look_lock_time(s, d);
	look_document(s, d, i);
	return 0;
}

static enum inspect_own
is_own(const struct inspect *s, const struct spk *spk)
{
	enum script_class	 class = script_classify(spk);

	if (s->own_len == 0 && !s->ctx.hd)
		return OWN_UNKNOWN;
	if (s->own_len != 0 && spk->version == 0 &&
	    spk->script.len == s->own_len &&
	    memcmp(spk->script.p, s->own_spk, s->own_len) == 0)
		return OWN_YES;
	/* Which scripts its other keys make, only igra-keyd knows. */
	return s->ctx.hd && class == SCRIPT_P2SH ? OWN_UNKNOWN : OWN_NO;
}

/* Does a signature leave outputs open, so that nothing is sure to come back? */
static bool
leaves_open(const struct tx *tx)
{
	size_t	 i;

	for (i = 0; i < tx->nin; i++)
		if ((tx->in[i].sighash_type & ~SIGHASH_ANYONECANPAY) !=
		    SIGHASH_ALL)
			return true;
	return false;
}

/* Do its signatures fit a transaction with further inputs, too? */
static bool
is_joinable(const struct tx *tx)
{
	size_t	 i;

	for (i = 0; i < tx->nin; i++)
		if ((tx->in[i].sighash_type & SIGHASH_ANYONECANPAY) != 0)
			return true;
	return false;
}

/* pskt_parse has seen that neither sum is more than there can be. */
static int
make_sums(struct inspect *s, struct inspect_doc *d)
{
	const struct tx	*tx = &d->pskt->tx;
	uint64_t	 back;
	size_t		 i;
	bool		 open;

	d->own = pool_alloc(s->pool, tx->nin, sizeof(*d->own));
	d->change = pool_alloc(s->pool, tx->nout, sizeof(*d->change));
	d->dust = pool_alloc(s->pool, tx->nout, sizeof(*d->dust));
	if (d->own == NULL || d->change == NULL || d->dust == NULL)
		return -1;
	open = leaves_open(tx);
	d->fee_known = tx->nin != 0;
	d->outflow_known = true;
	for (i = 0; i < tx->nin; i++) {
		if (!tx->in[i].has_utxo) {
			d->fee_known = d->outflow_known = false;
			continue;
		}
		d->sum_in += tx->in[i].amount;
		d->own[i] = is_own(s, &tx->in[i].spk);
		if (d->own[i] == OWN_UNKNOWN)
			d->outflow_known = false;
		else if (d->own[i] == OWN_YES)
			d->own_in += tx->in[i].amount;
	}
	for (i = 0; i < tx->nout; i++) {
		d->sum_out += tx->out[i].value;
		d->change[i] = open || tx->out[i].has_covenant ?
		    OWN_NO : is_own(s, &tx->out[i].spk);
		if (d->change[i] == OWN_UNKNOWN)
			d->outflow_known = false;
		else if (d->change[i] == OWN_YES)
			d->own_out += tx->out[i].value;
		d->dust[i] = mass_is_dust(tx->out[i].value,
		    tx->out[i].spk.script.len);
	}
	if (d->fee_known)
		d->fee = d->sum_in - d->sum_out;
	/* As igra-keyd counts it: what is joined has its change only once. */
	back = is_joinable(tx) ? 0 : d->own_out;
	if (d->outflow_known)
		d->outflow = d->own_in > back ? d->own_in - back : 0;
	return 0;
}

static int
make_mass(struct inspect *s, struct inspect_doc *d)
{
	const struct pskt	*p = d->pskt;
	size_t			*scripts, i;

	if ((scripts = pool_alloc(s->pool, p->tx.nin,
	    sizeof(*scripts))) == NULL)
		return -1;
	d->mass_known = true;
	for (i = 0; i < p->tx.nin; i++) {
		scripts[i] = p->in[i].final.p != NULL ? p->in[i].final.len :
		    mass_signature_script(&p->tx.in[i]);
		if (scripts[i] == 0)
			d->mass_known = false;
	}
	mass_of_tx(&p->tx, scripts, &d->mass);
	d->relay_fee = mass_relay_fee(&d->mass);
	return 0;
}

static void
look_inputs(struct inspect *s, struct inspect_doc *d)
{
	size_t	 i;

	for (i = 0; i < d->pskt->tx.nin; i++)
		look_input(s, d, i);
}

static void
look_input(struct inspect *s, struct inspect_doc *d, size_t i)
{
	const struct verify_input	*in = &d->in[i];
	const struct tx_input		*txin = &d->pskt->tx.in[i];
	unsigned			 ops;

	/* A lock of 1 is over when the coin is there. */
	if ((txin->sequence & SEQUENCE_NO_LOCK) == 0 &&
	    (txin->sequence & SEQUENCE_LOCK) > 1)
		warn(s, d, WARN_RELATIVE_LOCK, "inputs[%zu].sequence: its coin "
		    "must first be %" PRIu64 " old in DAA score (%" PRIu64
		    " seconds)", i, txin->sequence & SEQUENCE_LOCK,
		    (txin->sequence & SEQUENCE_LOCK) / 10);
	if (txin->sighash_type != SIGHASH_ALL)
		warn(s, d, WARN_SIGHASH_TYPE, "inputs[%zu].sighashType: %s", i,
		    sighash_type_valid(txin->sighash_type) ?
		    "signatures do not cover the whole transaction" :
		    "not one that there is");
	if (in->invalid != 0)
		warn(s, d, WARN_SIGNATURE, "inputs[%zu].partialSigs: %u do%s "
		    "not verify", i, in->invalid, in->invalid == 1 ? "es" :
		    "");
	ops = in->m != 0 && in->valid >= in->m ? verify_sig_ops(in) : in->m;
	if (ops > txin->sig_op_count)
		warn(s, d, WARN_SIG_OP_COUNT, "inputs[%zu].sigOpCount: %u, "
		    "but at least %u checks will be made", i,
		    txin->sig_op_count, ops);
	if (in->n > MULTISIG_MAX_KEYS)
		warn(s, d, WARN_KEYS, "inputs[%zu].redeemScript: %u keys, but "
		    "nodes take %u", i, in->n, MULTISIG_MAX_KEYS);
	if (in->no_point != 0)
		warn(s, d, WARN_KEYS, "inputs[%zu].redeemScript: key %u is no "
		    "point of the curve; nodes stop there", i, in->no_point);
	if (in->final == FINAL_INVALID)
		warn(s, d, WARN_FINAL_SCRIPT, "inputs[%zu].finalScriptSig: %s",
		    i, in->why);
	if (in->final == FINAL_VALID)
		d->finals++;
	else if (in->m == 0)
		d->unknown++;
	else if (in->valid < in->m)
		d->missing += in->m - in->valid;
}

static void
look_outputs(struct inspect *s, struct inspect_doc *d)
{
	const struct tx	*tx = &d->pskt->tx;
	size_t		 i;

	for (i = 0; i < tx->nout; i++) {
		if (script_classify(&tx->out[i].spk) == SCRIPT_NONSTANDARD)
			warn(s, d, WARN_UNKNOWN_SCRIPT, "outputs[%zu]."
			    "scriptPublicKey: not a standard script; nodes do "
			    "not relay it", i);
		if (d->dust[i])
			warn(s, d, WARN_DUST, "outputs[%zu].amount: %" PRIu64
			    " sompi cost more to spend than wallets find "
			    "worth while", i, tx->out[i].value);
	}
}

static void
look_fee(struct inspect *s, struct inspect_doc *d)
{
	uint64_t	 leaves;

	if (!d->fee_known) {
		warn(s, d, WARN_FEE_UNKNOWN, "the fee is not known: not every "
		    "input has its utxoEntry");
		return;
	}
	if (d->fee < d->relay_fee)
		warn(s, d, WARN_LOW_FEE, "the fee of %" PRIu64 " sompi is "
		    "below the %" PRIu64 " that nodes relay%s", d->fee,
		    d->relay_fee, d->mass_known ? "" : " at least");
	leaves = d->outflow_known ? d->sum_out - d->own_out : d->sum_out;
	if (d->fee > leaves / INSPECT_FEE_PART &&
	    d->fee / INSPECT_FEE_TIMES > d->relay_fee)
		warn(s, d, WARN_HIGH_FEE, "the fee of %" PRIu64 " sompi is "
		    "more than 1 %% of the %" PRIu64 " that leave, and more "
		    "than 10 times the %" PRIu64 " that nodes ask for",
		    d->fee, leaves, d->relay_fee);
}

static void
over(struct inspect *s, struct inspect_doc *d, const char *what,
    uint64_t mass, uint64_t limit)
{
	if (mass > limit)
		warn(s, d, WARN_MASS, "%s mass: %" PRIu64 " grams, but nodes "
		    "take %" PRIu64, what, mass, limit);
	else if (mass > MASS_LIMIT_WALLET)
		warn(s, d, WARN_WALLET_MASS, "%s mass: %" PRIu64 " grams; "
		    "wallets and older nodes stop at %u", what, mass,
		    MASS_LIMIT_WALLET);
}

static void
look_mass(struct inspect *s, struct inspect_doc *d)
{
	over(s, d, "compute", d->mass.compute, MASS_LIMIT_COMPUTE);
	over(s, d, "transient", d->mass.transient, MASS_LIMIT_TRANSIENT);
	over(s, d, "storage", d->mass.storage, MASS_LIMIT_STORAGE);
	if (d->pskt->tx.version != 0)
		warn(s, d, WARN_TX_VERSION, "global.txVersion: %u has a "
		    "compute budget, which a PSKT does not carry: masses are "
		    "without it, and extract is not possible",
		    d->pskt->tx.version);
}

static void
look_lock_time(struct inspect *s, struct inspect_doc *d)
{
	const struct tx	*tx = &d->pskt->tx;
	uint64_t	 daa = 0;
	size_t		 i;

	if (tx->lock_time == 0)
		return;
	for (i = 0; i < tx->nin; i++) {
		if (tx->in[i].sequence != UINT64_MAX)
			d->locked = true;
		if (tx->in[i].has_utxo && tx->in[i].daa_score > daa)
			daa = tx->in[i].daa_score;
	}
	if (!d->locked)
		return;
	if (inspect_is_time(tx->lock_time)) {
		if (s->ctx.now_ms == 0 || tx->lock_time > s->ctx.now_ms)
			warn(s, d, WARN_LOCK_TIME, "the lock time is in the "
			    "future");
	} else if (tx->lock_time > daa)
		/* The score of now is not known; 10 a second. */
		warn(s, d, WARN_LOCK_TIME, "the lock time is %" PRIu64
		    " in DAA score after the newest coin (%" PRIu64
		    " seconds)", tx->lock_time - daa,
		    (tx->lock_time - daa) / 10);
}

static void
look_document(struct inspect *s, struct inspect_doc *d, size_t n)
{
	const struct json	*id;
	char			 hex[2 * TX_ID_LEN];
	size_t			 i;

	for (i = 0; i < s->doc->nnote; i++)
		if (s->doc->note[i].pskt == n)
			warn(s, d, WARN_DOCUMENT, "%s", s->doc->note[i].text);
	id = json_get(json_get(d->pskt->root, "global"), "id");
	if (id == NULL || id->type != JSON_STRING)
		return;
	pskt_hex(d->id, sizeof(d->id), hex);
	if (id->text.len != sizeof(hex) ||
	    strncasecmp((const char *)id->text.p, hex, sizeof(hex)) != 0)
		warn(s, d, WARN_ID, "global.id: not the id of this "
		    "transaction");
}

static int
verify_all(struct verify *v, struct pool *pool, const struct pskt_doc *doc)
{
	return verify_init(v, pool, doc, true) == -1 ||
	    verify_step(v, UINT32_MAX) != 1 ? -1 : 0;
}

int
pskt_inspect(struct pool *pool, const struct inspect_context *ctx,
    const struct pskt_doc *doc, struct json_out *o)
{
	struct verify	 v;
	struct inspect	 s;

	if (verify_all(&v, pool, doc) == -1 ||
	    inspect_make(&s, ctx, &v) == -1)
		return -1;
	inspect_json(&s, o);
	return 0;
}

int
pskt_inspect_text(struct pool *pool, const struct inspect_context *ctx,
    const struct pskt_doc *doc, FILE *f)
{
	struct verify	 v;
	struct inspect	 s;

	if (verify_all(&v, pool, doc) == -1 ||
	    inspect_make(&s, ctx, &v) == -1)
		return -1;
	inspect_text(&s, f);
	return 0;
}
