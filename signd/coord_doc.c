#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coord_doc.h"
#include "kaspa.h"
#include "schnorr.h"

#define MAX_MEMORY	(1024U * 1024 * 1024)

static int	 fail(char *, size_t, const char *, size_t, size_t, bool);
static int	 trim(char *, size_t *);
static int	 quote(struct coord_doc *);
static const char *read_tx(struct coord_doc *, size_t, size_t *);
static const char *read_input(struct coord_doc *, const struct pskt *, size_t,
		    struct coord_input *);
static const char *read_keys(struct coord_doc *, const struct tx_input *,
		    struct coord_input *);
static int	 add_keys(struct coord_doc *, struct coord_input *, unsigned,
		    unsigned);
static void	 read_sigs(struct coord_doc *, const struct pskt *, size_t,
		    struct coord_input *);
static bool	 same_tx(const struct coord_tx *, const struct pskt *);

/* input SIZE_MAX: the transaction as a whole. */
static int
fail(char *err, size_t errlen, const char *what, size_t pskt, size_t input,
    bool bundle)
{
	char	 where[64] = "", which[40] = "";

	if (bundle)
		(void)snprintf(where, sizeof(where), "pskt[%zu]%s", pskt,
		    input == SIZE_MAX ? ": " : ".");
	if (input != SIZE_MAX)
		(void)snprintf(which, sizeof(which), "inputs[%zu].", input);
	(void)snprintf(err, errlen, "%s%s%s", where, which, what);
	return -1;
}

/* White space around the value; what is left must be something. */
static int
trim(char *text, size_t *len)
{
	size_t	 lead = strspn(text, " \t\r\n");

	while (*len > lead && strchr(" \t\r\n", text[*len - 1]) != NULL)
		(*len)--;
	*len -= lead > *len ? *len : lead;
	memmove(text, text + lead, *len);
	text[*len] = '\0';
	return *len == 0 ? -1 : 0;
}

/* The hex form as a file has it: without the quotes of a JSON string. */
static int
quote(struct coord_doc *d)
{
	char	*p;

	if (strncmp(d->text, "PSKT", 4) != 0 &&
	    strncmp(d->text, "PSKB", 4) != 0)
		return 0;
	if ((p = malloc(d->len + 3)) == NULL)
		return -1;
	p[0] = '"';
	memcpy(p + 1, d->text, d->len);
	p[d->len + 1] = '"';
	p[d->len + 2] = '\0';
	free(d->text);
	d->text = p;
	d->len += 2;
	return 0;
}

int
coord_doc_read(struct coord_doc *d, char *text, size_t len,
    struct bytes redeem, char *err, size_t errlen)
{
	struct pskt_context	 ctx = { .redeem = redeem };
	struct pskt_error	 e;
	const struct json	*root;
	const char		*what;
	char			 why[256];
	size_t			 i, input;

	memset(d, 0, sizeof(*d));
	pool_init(&d->pool, MAX_MEMORY);
	d->text = text;
	d->len = len;
	if (trim(d->text, &d->len) == -1)
		return fail(err, errlen, "is empty", 0, SIZE_MAX, false);
	if (quote(d) == -1)
		return fail(err, errlen, "out of memory", 0, SIZE_MAX, false);
	root = json_parse(&d->pool, d->text, d->len, why, sizeof(why));
	if (root == NULL)
		return fail(err, errlen, why, 0, SIZE_MAX, false);
	if (pskt_parse(&d->pool, &ctx, d->text, root, &d->doc, &e) == -1)
		return fail(err, errlen, e.message, e.pskt, SIZE_MAX,
		    e.pskt != PSKT_NOT_IN_BUNDLE);
	d->n = d->doc.n;
	if ((d->tx = pool_alloc(&d->pool, d->n, sizeof(*d->tx))) == NULL)
		return fail(err, errlen, "out of memory", 0, SIZE_MAX, false);
	for (i = 0; i < d->n; i++)
		if ((what = read_tx(d, i, &input)) != NULL)
			return fail(err, errlen, what, i, input,
			    d->doc.form == PSKT_FORM_PSKB);
	return 0;
}

void
coord_doc_free(struct coord_doc *d)
{
	pool_free(&d->pool);
	free(d->text);
	memset(d, 0, sizeof(*d));
}

/* NULL, or what is wrong, and with which input. */
static const char *
read_tx(struct coord_doc *d, size_t i, size_t *input)
{
	const struct pskt	*p = &d->doc.pskt[i];
	struct coord_tx		*t = &d->tx[i];
	struct sighash_cache	 cache;
	struct coord_input	*in;
	const char		*what;
	size_t			 k;

	*input = SIZE_MAX;
	if (p->tx.nin == 0)
		return "has no inputs";
	if (tx_id(&p->tx, t->id) == -1)
		return "its transaction version is not known";
	if ((t->in = pool_alloc(&d->pool, p->tx.nin, sizeof(*t->in))) == NULL)
		return "out of memory";
	t->nin = p->tx.nin;
	sighash_cache_init(&cache);
	for (k = 0; k < t->nin; k++) {
		in = &t->in[k];
		*input = k;
		if (!p->tx.in[k].has_utxo)
			return "utxoEntry: missing";
		if (sighash_schnorr(&p->tx, k, p->tx.in[k].sighash_type,
		    &cache, in->sighash) == -1)
			return "sighashType: not known";
		if ((what = read_input(d, p, k, in)) != NULL)
			return what;
		d->inputs++;
		d->complete += in->have >= in->m;
	}
	return NULL;
}

static const char *
read_input(struct coord_doc *d, const struct pskt *p, size_t k,
    struct coord_input *in)
{
	const char	*what;

	if ((what = read_keys(d, &p->tx.in[k], in)) != NULL)
		return what;
	/* Finalized already: whether its script is right is for pskt_finalize. */
	if (p->in[k].final.p != NULL)
		in->have = in->m;
	else
		read_sigs(d, p, k, in);
	return NULL;
}

static const char *
read_keys(struct coord_doc *d, const struct tx_input *txin,
    struct coord_input *in)
{
	struct multisig	 ms;
	unsigned	 i, k;

	switch (script_classify(&txin->spk)) {
	case SCRIPT_P2PK:
		if (add_keys(d, in, 1, 1) == -1)
			return "out of memory";
		memcpy(in->slot[0].key, txin->spk.script.p + 1, 32);
		return NULL;
	case SCRIPT_P2SH:
		break;
	case SCRIPT_P2PK_ECDSA:
		return "utxoEntry.scriptPublicKey: ECDSA is not supported";
	case SCRIPT_NONSTANDARD:
		return "utxoEntry.scriptPublicKey: not a standard script";
	}
	if (txin->redeem.len == 0)
		return "redeemScript: missing";
	if (script_multisig_parse(txin->redeem.p, txin->redeem.len,
	    &ms) == -1 || ms.ecdsa)
		return "redeemScript: not a Schnorr multisig";
	if (add_keys(d, in, ms.m, ms.n) == -1)
		return "out of memory";
	for (i = 0; i < ms.n; i++) {
		memcpy(in->slot[i].key, ms.keys[i], 32);
		for (k = 0; k < i; k++)
			if (memcmp(ms.keys[k], ms.keys[i], 32) == 0)
				return "redeemScript: has a key twice";
	}
	return NULL;
}

static int
add_keys(struct coord_doc *d, struct coord_input *in, unsigned m, unsigned n)
{
	in->m = m;
	in->n = n;
	in->slot = pool_alloc(&d->pool, n, sizeof(*in->slot));
	return in->slot == NULL ? -1 : 0;
}

/* What is in the document counts if it is valid, and is counted if not. */
static void
read_sigs(struct coord_doc *d, const struct pskt *p, size_t k,
    struct coord_input *in)
{
	const struct pskt_sig	*s;
	struct coord_slot	*slot;
	unsigned		 i;

	for (i = 0; i < in->n; i++) {
		slot = &in->slot[i];
		for (s = NULL; !slot->have && (s = pskt_own_signature(p, k,
		    slot->key, s)) != NULL; ) {
			if (!s->schnorr || !schnorr_verify(slot->key,
			    in->sighash, s->sig)) {
				d->wrong++;
				continue;
			}
			slot->have = true;
			memcpy(slot->sig, s->sig, sizeof(slot->sig));
			in->have++;
		}
	}
}

enum coord_sig
coord_doc_add(struct coord_doc *d, uint64_t pskt, uint64_t input,
    const uint8_t key[32], const uint8_t sig[64])
{
	struct coord_input	*in;
	struct coord_slot	*slot;
	unsigned		 i;

	if (pskt >= d->n || input >= d->tx[pskt].nin)
		return COORD_SIG_NO_INPUT;
	in = &d->tx[pskt].in[input];
	for (i = 0; i < in->n; i++)
		if (memcmp(in->slot[i].key, key, 32) == 0)
			break;
	if (i == in->n)
		return COORD_SIG_NO_KEY;
	slot = &in->slot[i];
	if (slot->have && memcmp(slot->sig, sig, sizeof(slot->sig)) == 0)
		return COORD_SIG_KNOWN;
	if (!schnorr_verify(key, in->sighash, sig))
		return COORD_SIG_WRONG;
	if (slot->have)
		return COORD_SIG_KNOWN;
	slot->have = slot->added = true;
	memcpy(slot->sig, sig, sizeof(slot->sig));
	d->added++;
	if (++in->have == in->m)
		d->complete++;
	return COORD_SIG_NEW;
}

bool
coord_doc_has_key(const struct coord_doc *d, uint64_t pskt, uint64_t input,
    const uint8_t key[32])
{
	const struct coord_input	*in;
	unsigned			 i;

	if (pskt >= d->n || input >= d->tx[pskt].nin)
		return false;
	in = &d->tx[pskt].in[input];
	for (i = 0; i < in->n; i++)
		if (memcmp(in->slot[i].key, key, 32) == 0)
			return true;
	return false;
}

bool
coord_doc_complete(const struct coord_doc *d)
{
	return d->complete == d->inputs;
}

bool
coord_doc_same(const struct coord_doc *d, const char *src,
    const struct json *value)
{
	struct pool		 pool;
	struct pskt_doc		 doc;
	struct pskt_error	 e;
	bool			 same;
	size_t			 i;

	pool_init(&pool, MAX_MEMORY);
	same = value != NULL &&
	    pskt_parse(&pool, NULL, src, value, &doc, &e) == 0 &&
	    doc.form == d->doc.form && doc.n == d->n;
	for (i = 0; same && i < d->n; i++)
		same = same_tx(&d->tx[i], &doc.pskt[i]);
	pool_free(&pool);
	return same;
}

static bool
same_tx(const struct coord_tx *t, const struct pskt *p)
{
	struct sighash_cache	 cache;
	uint8_t			 hash[32];
	size_t			 i;

	if (p->tx.nin != t->nin || tx_id(&p->tx, hash) == -1 ||
	    memcmp(hash, t->id, sizeof(hash)) != 0)
		return false;
	sighash_cache_init(&cache);
	for (i = 0; i < t->nin; i++)
		if (!p->tx.in[i].has_utxo || sighash_schnorr(&p->tx, i,
		    p->tx.in[i].sighash_type, &cache, hash) == -1 ||
		    memcmp(hash, t->in[i].sighash, sizeof(hash)) != 0)
			return false;
	return true;
}

int
coord_doc_emit(struct coord_doc *d, struct bytes *out)
{
	const struct coord_slot	*slot;
	struct pskt_new_sig	*sig;
	size_t			 i, k, n = 0;
	unsigned		 j;

	if ((sig = pool_alloc(&d->pool, d->added + 1, sizeof(*sig))) == NULL)
		return -1;
	for (i = 0; i < d->n; i++)
		for (k = 0; k < d->tx[i].nin; k++)
			for (j = 0; j < d->tx[i].in[k].n; j++) {
				slot = &d->tx[i].in[k].slot[j];
				if (!slot->added)
					continue;
				sig[n].pskt = i;
				sig[n].input = k;
				/* The parity is not known; Igra writes 02. */
				sig[n].key[0] = 2;
				memcpy(sig[n].key + 1, slot->key, 32);
				memcpy(sig[n].sig, slot->sig, 64);
				n++;
			}
	return pskt_emit(&d->pool, &d->doc, sig, n, out);
}
