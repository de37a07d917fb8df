#include <stdio.h>
#include <string.h>

#include "ecdsa.h"
#include "kaspa.h"
#include "pskt_verify.h"
#include "schnorr.h"

#define SIG_PUSH	65	/* sig64 and the sighash type */

/* A signature script being read. */
struct pushes {
	const uint8_t	*p;
	size_t		 len;
};

static int	 set_lock(struct verify *, const struct tx_input *,
		    struct verify_input *);
static int	 set_keys(struct verify *, struct verify_input *,
		    const struct multisig *, const struct bytes *);
static enum sig_state check(struct verify *, const struct pskt *, size_t,
		    const struct verify_input *, const uint8_t *,
		    const uint8_t *);
static void	 check_partial(struct verify *, const struct pskt *, size_t,
		    struct verify_input *);
static bool	 same_key(const struct verify_input *, const uint8_t *,
		    const struct pskt_sig *);
static bool	 take_push(struct pushes *, struct bytes *);
static void	 check_final(struct verify *, const struct pskt *, size_t,
		    struct verify_input *);
static bool	 final_script(struct verify *, const struct pskt *, size_t,
		    struct verify_input *);
static const char *final_signature(struct verify *, const struct pskt *,
		    size_t, const struct verify_input *, const struct bytes *,
		    unsigned *);
static bool	 why(struct verify_input *, const char *);

int
verify_init(struct verify *v, struct pool *pool, const struct pskt_doc *doc,
    bool partial)
{
	size_t	 i;

	memset(v, 0, sizeof(*v));
	v->pool = pool;
	v->doc = doc;
	v->partial = partial;
	v->cache = pool_alloc(pool, 1, sizeof(*v->cache));
	v->in = pool_alloc(pool, doc->n, sizeof(*v->in));
	if (v->cache == NULL || v->in == NULL)
		return -1;
	for (i = 0; i < doc->n; i++)
		if ((v->in[i] = pool_alloc(pool, doc->pskt[i].tx.nin,
		    sizeof(**v->in))) == NULL)
			return -1;
	return 0;
}

int
verify_step(struct verify *v, unsigned checks)
{
	const struct pskt	*p;
	struct verify_input	*in;
	uint64_t		 stop = v->checks + checks;

	for (; v->pskt < v->doc->n; v->pskt++, v->input = 0) {
		p = &v->doc->pskt[v->pskt];
		for (; v->input < p->tx.nin; v->input++) {
			if (v->checks >= stop)
				return 0;
			if (v->input == 0)
				sighash_cache_init(v->cache);
			in = &v->in[v->pskt][v->input];
			if (set_lock(v, &p->tx.in[v->input], in) == -1)
				return -1;
			if (v->partial)
				check_partial(v, p, v->input, in);
			check_final(v, p, v->input, in);
		}
	}
	return 1;
}

unsigned
verify_sig_ops(const struct verify_input *in)
{
	unsigned	 i, got = 0;

	for (i = 0; i < in->n; i++)
		if (in->key[i].state == SIG_VALID && ++got == in->m)
			return i + 1;
	return 0;
}

static int
set_keys(struct verify *v, struct verify_input *in, const struct multisig *ms,
    const struct bytes *redeem)
{
	const uint8_t	*p;
	unsigned	 i;

	in->kind = ms->ecdsa ? LOCK_MULTISIG_ECDSA : LOCK_MULTISIG;
	in->m = ms->m;
	in->n = ms->n;
	in->key_len = ms->ecdsa ? 33 : 32;
	if ((in->key = pool_alloc(v->pool, in->n, sizeof(*in->key))) == NULL)
		return -1;
	/* Past m, which is one byte up to 16 and a push of one above. */
	p = redeem->p + (ms->m <= 16 ? 1 : 2);
	for (i = 0; i < in->n; i++) {
		in->key[i].key = p + 1 + i * (1 + in->key_len);
		if (in->no_point == 0 && !(ms->ecdsa ?
		    ecdsa_key_valid(in->key[i].key) :
		    schnorr_key_valid(in->key[i].key)))
			in->no_point = i + 1;
	}
	/* That takes a tenth of a check for each of them. */
	v->checks += in->n / 10;
	return 0;
}

static int
set_lock(struct verify *v, const struct tx_input *txin,
    struct verify_input *in)
{
	struct multisig	 ms;

	if (!txin->has_utxo) {
		in->kind = LOCK_NO_UTXO;
		return 0;
	}
	switch (script_classify(&txin->spk)) {
	case SCRIPT_NONSTANDARD:
		in->kind = LOCK_NONSTANDARD;
		return 0;
	case SCRIPT_P2PK:
	case SCRIPT_P2PK_ECDSA:
		break;
	case SCRIPT_P2SH:
		if (txin->redeem.len == 0)
			in->kind = LOCK_NO_REDEEM;
		else if (script_multisig_parse(txin->redeem.p,
		    txin->redeem.len, &ms) == -1)
			in->kind = LOCK_SCRIPT;
		else
			return set_keys(v, in, &ms, &txin->redeem);
		return 0;
	}
	in->kind = txin->spk.script.len == P2PK_SCRIPT_LEN ? LOCK_P2PK :
	    LOCK_P2PK_ECDSA;
	in->m = in->n = 1;
	in->key_len = in->kind == LOCK_P2PK ? 32 : 33;
	if ((in->key = pool_alloc(v->pool, 1, sizeof(*in->key))) == NULL)
		return -1;
	in->key[0].key = txin->spk.script.p + 1;
	return 0;
}

static bool
is_ecdsa(const struct verify_input *in)
{
	return in->key_len == 33;
}

static enum sig_state
check(struct verify *v, const struct pskt *p, size_t i,
    const struct verify_input *in, const uint8_t *key, const uint8_t *sig)
{
	uint8_t	 hash[32];

	if (sighash_schnorr(&p->tx, i, p->tx.in[i].sighash_type, v->cache,
	    hash) == -1)
		return SIG_UNKNOWN;
	v->checks++;
	if (!is_ecdsa(in))
		return schnorr_verify(key, hash, sig) ? SIG_VALID :
		    SIG_INVALID;
	ecdsa_digest(hash, hash);
	return ecdsa_verify(key, hash, sig) ? SIG_VALID : SIG_INVALID;
}

static bool
same_key(const struct verify_input *in, const uint8_t *key,
    const struct pskt_sig *sig)
{
	return is_ecdsa(in) ? memcmp(key, sig->key, 33) == 0 :
	    memcmp(key, sig->key + 1, 32) == 0;
}

/* One key may have an entry under either parity: one that is right counts. */
static void
check_partial(struct verify *v, const struct pskt *p, size_t i,
    struct verify_input *in)
{
	const struct pskt_input	*pin = &p->in[i];
	struct verify_key	*k;
	enum sig_state		 state;
	size_t			 s;
	unsigned		 n;
	bool			 ours;

	for (s = 0; s < pin->nsig; s++) {
		ours = false;
		for (n = 0; n < in->n; n++) {
			k = &in->key[n];
			if (!same_key(in, k->key, &pin->sig[s]))
				continue;
			ours = true;
			if (k->state == SIG_VALID)
				continue;
			if (is_ecdsa(in) ? !pin->sig[s].ecdsa :
			    !pin->sig[s].schnorr)
				state = SIG_INVALID;
			else
				state = check(v, p, i, in, k->key,
				    pin->sig[s].sig);
			k->state = state;
			k->sig = pin->sig[s].sig;
		}
		in->foreign += !ours;
	}
	for (n = 0; n < in->n; n++) {
		in->valid += in->key[n].state == SIG_VALID;
		in->invalid += in->key[n].state == SIG_INVALID ||
		    in->key[n].state == SIG_UNKNOWN;
	}
}

static bool
why(struct verify_input *in, const char *text)
{
	(void)snprintf(in->why, sizeof(in->why), "%s", text);
	return false;
}

/*
 * The next push, which must be the shortest there is for its length
 * (rusty-kaspa crypto/txscript/src/opcodes, check_minimal_data_push).
 */
static bool
take_push(struct pushes *s, struct bytes *out)
{
	size_t	 len, head;

	if (s->len == 0)
		return false;
	if (s->p[0] >= 1 && s->p[0] <= 75) {
		head = 1;
		len = s->p[0];
	} else if (s->p[0] == 0x4c && s->len >= 2 && s->p[1] > 75) {
		head = 2;
		len = s->p[1];
	} else if (s->p[0] == 0x4d && s->len >= 3 && s->p[2] != 0) {
		head = 3;
		len = (size_t)(s->p[1] | s->p[2] << 8);
	} else
		return false;
	if (len > s->len - head)
		return false;
	out->p = s->p + head;
	out->len = len;
	s->p += head + len;
	s->len -= head + len;
	return true;
}

static void
check_final(struct verify *v, const struct pskt *p, size_t i,
    struct verify_input *in)
{
	if (p->in[i].final.p == NULL)
		return;
	in->final = FINAL_UNKNOWN;
	switch (in->kind) {
	case LOCK_NO_UTXO:
		(void)why(in, "cannot be checked without utxoEntry");
		return;
	case LOCK_NONSTANDARD:
		(void)why(in, "the UTXO's script is not a standard one");
		return;
	case LOCK_SCRIPT:
		(void)why(in, "the redeem script is no multisig");
		return;
	case LOCK_NO_REDEEM:
	case LOCK_P2PK:
	case LOCK_P2PK_ECDSA:
	case LOCK_MULTISIG:
	case LOCK_MULTISIG_ECDSA:
		break;
	}
	in->final = final_script(v, p, i, in) ? FINAL_VALID : FINAL_INVALID;
}

/*
 * As a node runs it: the signatures in the order of the keys, each against one
 * key after the other until one fits (rusty-kaspa crypto/txscript,
 * op_check_multisig_schnorr_or_ecdsa), and no more tries than sigOpCount.
 */
static bool
final_script(struct verify *v, const struct pskt *p, size_t i,
    struct verify_input *in)
{
	const struct tx_input	*txin = &p->tx.in[i];
	struct verify_input	 lock = *in;
	struct tx_input		 with;
	struct pushes		 s, all;
	struct bytes		 push = { NULL, 0 };
	uint8_t			 p2sh[P2SH_SCRIPT_LEN];
	const char		*wrong;
	size_t			 n = 0;
	unsigned		 at = 0, k;

	s.p = p->in[i].final.p;
	s.len = p->in[i].final.len;
	for (all = s; all.len != 0; n++)
		if (!take_push(&all, &push))
			return why(in, "not a row of pushes, each the shortest");
	if (in->kind != LOCK_P2PK && in->kind != LOCK_P2PK_ECDSA) {
		script_p2sh(push.p, push.len, p2sh);
		if (n == 0 || memcmp(p2sh, txin->spk.script.p,
		    sizeof(p2sh)) != 0)
			return why(in, "does not end in the redeem script");
		n--;
	}
	if (in->kind == LOCK_NO_REDEEM) {
		with = *txin;
		with.redeem = push;
		if (set_lock(v, &with, &lock) == -1 || lock.m == 0)
			return why(in, "the redeem script is no multisig");
	}
	if (lock.n > MULTISIG_MAX_KEYS)
		return why(in, "more keys than nodes take");
	if (n != lock.m) {
		(void)snprintf(in->why, sizeof(in->why), "%zu signatures "
		    "where %u belong", n, lock.m);
		return false;
	}
	for (k = 0; k < lock.m; k++) {
		(void)take_push(&s, &push);
		if ((wrong = final_signature(v, p, i, &lock, &push,
		    &at)) == NULL)
			continue;
		(void)snprintf(in->why, sizeof(in->why),
		    "signature %u of %u: %s", k + 1, lock.m, wrong);
		return false;
	}
	if (at > txin->sig_op_count) {
		(void)snprintf(in->why, sizeof(in->why), "takes %u signature "
		    "checks, but sigOpCount is %u", at, txin->sig_op_count);
		return false;
	}
	return true;
}

/*
 * *at: keys used up so far.  What is wrong with it, or NULL.  A key that is no
 * point ends the script when a check comes to it.
 */
static const char *
final_signature(struct verify *v, const struct pskt *p, size_t i,
    const struct verify_input *lock, const struct bytes *push, unsigned *at)
{
	const struct verify_key	*k;

	if (push->len != SIG_PUSH)
		return "not 65 bytes";
	if (push->p[64] != p->tx.in[i].sighash_type)
		return "another sighash type than the input's";
	while (*at < lock->n) {
		if (++*at == lock->no_point)
			return "comes to a key that is no point of the curve";
		k = &lock->key[*at - 1];
		if (k->state == SIG_VALID && memcmp(k->sig, push->p, 64) == 0)
			return NULL;
		if (check(v, p, i, lock, k->key, push->p) == SIG_VALID)
			return NULL;
	}
	return "is of no key that may come here";
}
