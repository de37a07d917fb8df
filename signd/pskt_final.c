#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kaspa.h"
#include "mass.h"
#include "pskt_final.h"
#include "pskt_splice.h"

#define MAX_SEQUENCE	"18446744073709551615"
#define PER_INPUT	2	/* splices: sequence and finalScriptSig */

struct final {
	struct pool		*pool;
	const struct verify	*v;
	struct splice		*splice;
	size_t			 nsplice;
	struct pskt_error	*e;
};

static int	 final_doc(struct final *, size_t);
static int	 final_id(struct final *, size_t);
static int	 final_input(struct final *, size_t, size_t,
		    const struct json *);
static int	 final_ready(struct final *, size_t, size_t);
static int	 too_few(struct final *, size_t, size_t);
static char	*signature_script(struct final *, size_t, size_t);
static int	 set_member(struct final *, const struct json *, const char *,
		    char *);
static size_t	 put_push(uint8_t *, const struct bytes *);

int
pskt_fail(const struct pskt_doc *doc, size_t pskt, struct pskt_error *e,
    enum pskt_code code, const char *fmt, ...)
{
	va_list	 ap;

	e->code = code;
	e->pskt = doc->form == PSKT_FORM_PSKB ? pskt : PSKT_NOT_IN_BUNDLE;
	va_start(ap, fmt);
	(void)vsnprintf(e->message, sizeof(e->message), fmt, ap);
	va_end(ap);
	return -1;
}

static int
no_memory(const struct pskt_doc *doc, struct pskt_error *e)
{
	(void)pskt_fail(doc, 0, e, PSKT_TOO_LARGE, "out of memory");
	e->pskt = PSKT_NOT_IN_BUNDLE;
	return -1;
}

int
pskt_finalize(struct pool *pool, const struct pskt_doc *doc, struct bytes *out,
    struct pskt_error *e)
{
	struct verify	 v;

	if (verify_init(&v, pool, doc, true) == -1 ||
	    verify_step(&v, UINT32_MAX) != 1)
		return no_memory(doc, e);
	return pskt_finalize_verified(&v, out, e);
}

int
pskt_finalize_verified(const struct verify *v, struct bytes *out,
    struct pskt_error *e)
{
	struct final	 f = { .pool = v->pool, .v = v, .e = e };
	size_t		 i, max = 0;

	for (i = 0; i < v->doc->n; i++)
		max += 1 + PER_INPUT * v->doc->pskt[i].tx.nin;
	if ((f.splice = pool_alloc(f.pool, max, sizeof(*f.splice))) == NULL)
		return no_memory(v->doc, e);
	for (i = 0; i < v->doc->n; i++)
		if (final_doc(&f, i) == -1)
			return -1;
	if (splice_apply(f.pool, v->doc, f.splice, f.nsplice, out) == -1)
		return no_memory(v->doc, e);
	return 0;
}

static int
final_doc(struct final *f, size_t d)
{
	const struct pskt	*p = &f->v->doc->pskt[d];
	const struct json	*v;

	if (p->tx.nin == 0)
		return pskt_fail(f->v->doc, d, f->e, PSKT_INVALID,
		    "inputs: there are none");
	v = json_get(p->root, "inputs")->first;
	for (; v != NULL; v = v->next)
		if (final_input(f, d, v->index, v) == -1)
			return -1;
	return final_id(f, d);
}

/* The extractor of rusty-kaspa's needs it. */
static int
final_id(struct final *f, size_t d)
{
	const struct pskt	*p = &f->v->doc->pskt[d];
	uint8_t			 id[TX_ID_LEN];
	char			*text;

	if (tx_id(&p->tx, id) == -1)
		return pskt_fail(f->v->doc, d, f->e, PSKT_UNSUPPORTED,
		    "global.txVersion: not known");
	if ((text = pool_alloc(f->pool, 2 * sizeof(id) + 3, 1)) == NULL)
		return no_memory(f->v->doc, f->e);
	text[0] = text[2 * sizeof(id) + 1] = '"';
	pskt_hex(id, sizeof(id), text + 1);
	return set_member(f, json_get(p->root, "global"), "id", text);
}

static int
final_input(struct final *f, size_t d, size_t i, const struct json *v)
{
	const struct pskt	*p = &f->v->doc->pskt[d];
	const struct json	*sequence;
	char			*script;

	if (p->in[i].final.p != NULL) {
		if (pskt_check_final(f->v, d, i, f->e) == -1)
			return -1;
	} else {
		if (final_ready(f, d, i) == -1)
			return -1;
		if ((script = signature_script(f, d, i)) == NULL)
			return no_memory(f->v->doc, f->e);
		if (set_member(f, v, "finalScriptSig", script) == -1)
			return -1;
	}
	sequence = json_get(v, "sequence");
	if (sequence != NULL && sequence->type != JSON_NULL)
		return 0;
	if ((script = pool_strndup(f->pool, MAX_SEQUENCE,
	    sizeof(MAX_SEQUENCE) - 1)) == NULL)
		return no_memory(f->v->doc, f->e);
	return set_member(f, v, "sequence", script);
}

/* Can it be finalized? */
static int
final_ready(struct final *f, size_t d, size_t i)
{
	const struct pskt_doc		*doc = f->v->doc;
	const struct verify_input	*in = &f->v->in[d][i];
	const struct tx_input		*txin = &doc->pskt[d].tx.in[i];
	unsigned			 ops;

	switch (in->kind) {
	case LOCK_NO_UTXO:
		return pskt_fail(doc, d, f->e, PSKT_INVALID,
		    "inputs[%zu].utxoEntry: missing", i);
	case LOCK_NO_REDEEM:
		return pskt_fail(doc, d, f->e, PSKT_INVALID,
		    "inputs[%zu].redeemScript: missing", i);
	case LOCK_NONSTANDARD:
		return pskt_fail(doc, d, f->e, PSKT_UNSUPPORTED,
		    "inputs[%zu].utxoEntry.scriptPublicKey: not a standard "
		    "script", i);
	case LOCK_SCRIPT:
		return pskt_fail(doc, d, f->e, PSKT_UNSUPPORTED,
		    "inputs[%zu].redeemScript: no multisig", i);
	case LOCK_P2PK:
	case LOCK_P2PK_ECDSA:
	case LOCK_MULTISIG:
	case LOCK_MULTISIG_ECDSA:
		break;
	}
	if (in->n > MULTISIG_MAX_KEYS)
		return pskt_fail(doc, d, f->e, PSKT_UNSUPPORTED,
		    "inputs[%zu].redeemScript: %u keys, but nodes take %u", i,
		    in->n, MULTISIG_MAX_KEYS);
	if (!sighash_type_valid(txin->sighash_type))
		return pskt_fail(doc, d, f->e, PSKT_INVALID,
		    "inputs[%zu].sighashType: %u is no sighash type", i,
		    txin->sighash_type);
	if (in->valid < in->m)
		return too_few(f, d, i);
	ops = verify_sig_ops(in);
	if (in->no_point != 0 && in->no_point < ops)
		return pskt_fail(doc, d, f->e, PSKT_UNSUPPORTED,
		    "inputs[%zu].redeemScript: key %u is no point of the "
		    "curve, at which a node stops before the last key that "
		    "signed", i, in->no_point);
	if (ops > txin->sig_op_count)
		return pskt_fail(doc, d, f->e, PSKT_INVALID,
		    "inputs[%zu].sigOpCount: %u, but a node counts %u checks "
		    "up to the last key that signed", i, txin->sig_op_count,
		    ops);
	return 0;
}

static int
too_few(struct final *f, size_t d, size_t i)
{
	const struct verify_input	*in = &f->v->in[d][i];
	char				 bad[64];

	bad[0] = '\0';
	if (in->invalid != 0)
		(void)snprintf(bad, sizeof(bad), "; %u more do%s not verify",
		    in->invalid, in->invalid == 1 ? "es" : "");
	return pskt_fail(f->v->doc, d, f->e, PSKT_INVALID,
	    "inputs[%zu]: %u of %u signatures%s", i, in->valid, in->m, bad);
}

static size_t
put_push(uint8_t *out, const struct bytes *b)
{
	size_t	 n = 0;

	if (b->len > 255) {
		out[n++] = 0x4d;
		out[n++] = (uint8_t)(b->len & 0xff);
		out[n++] = (uint8_t)(b->len >> 8);
	} else {
		if (b->len > 75)
			out[n++] = 0x4c;
		out[n++] = (uint8_t)b->len;
	}
	memcpy(out + n, b->p, b->len);
	return n + b->len;
}

/* As a JSON string; NULL without memory. */
static char *
signature_script(struct final *f, size_t d, size_t i)
{
	const struct verify_input	*in = &f->v->in[d][i];
	const struct tx_input		*txin = &f->v->doc->pskt[d].tx.in[i];
	uint8_t				*script;
	char				*text;
	size_t				 at = 0, max;
	unsigned			 k, left = in->m;

	max = in->m * MASS_SIGNATURE + mass_push(txin->redeem.len);
	if ((script = pool_alloc(f->pool, max, 1)) == NULL)
		return NULL;
	for (k = 0; left != 0 && k < in->n; k++) {
		if (in->key[k].state != SIG_VALID)
			continue;
		script[at++] = MASS_SIGNATURE - 1;
		memcpy(script + at, in->key[k].sig, 64);
		script[at + 64] = txin->sighash_type;
		at += 65;
		left--;
	}
	if (in->kind == LOCK_MULTISIG || in->kind == LOCK_MULTISIG_ECDSA)
		at += put_push(script + at, &txin->redeem);
	if ((text = pool_alloc(f->pool, 2 * at + 3, 1)) == NULL)
		return NULL;
	text[0] = text[2 * at + 1] = '"';
	pskt_hex(script, at, text + 1);
	return text;
}

/* In the place of the old value, or as a further member. */
static int
set_member(struct final *f, const struct json *obj, const char *name,
    char *value)
{
	const struct json	*old = json_get(obj, name);
	struct splice		*s = &f->splice[f->nsplice];

	s->order = f->nsplice++;
	if (old != NULL) {
		s->at = old->start;
		s->skip = old->end - old->start;
		s->text = value;
	} else {
		s->at = splice_tail(obj);
		s->text = pool_printf(f->pool, "%s\"%s\":%s",
		    obj->first == NULL ? "" : ",", name, value);
	}
	if (s->text == NULL)
		return no_memory(f->v->doc, f->e);
	s->len = strlen(s->text);
	return 0;
}
