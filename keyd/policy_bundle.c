/*
 * What the transactions of one request have to do with each other: an
 * outpoint in two of them, and what the earlier ones take of the limits.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "policy_int.h"
#include "saturate.h"

/* An input of the request, to be sorted by what it spends. */
struct spent {
	struct outpoint	 outpoint;
	uint32_t	 tx, input;
};

static int	spent_cmp(const void *, const void *);
static void	signing_id(const struct tx *, const struct decision *,
		    uint8_t[JOURNAL_ID_LEN]);

static int
spent_cmp(const void *a, const void *b)
{
	const struct spent	*x = a, *y = b;
	int			 r;

	if ((r = outpoint_cmp(&x->outpoint, &y->outpoint)) != 0)
		return r;
	return (x->tx > y->tx) - (x->tx < y->tx);
}

/* One sort for the whole request: a thousand inputs are no thousand squared. */
int
bundle_init(struct policy_bundle *b, const struct policy_request *q,
    const struct tx *tx, uint32_t n, struct pool *pool)
{
	struct spent	*s;
	size_t		 i, total = 0, k = 0;
	uint32_t	 t;

	memset(b, 0, sizeof(*b));
	for (t = 0; t < n; t++)
		total += tx[t].nin;
	if ((b->tx = pool_alloc(pool, n, sizeof(*b->tx))) == NULL ||
	    (s = pool_alloc(pool, total, sizeof(*s))) == NULL)
		return -1;
	for (t = 0; t < n; t++) {
		b->tx[t].shared = INPUT_NONE;
		for (i = 0; i < tx[t].nin; i++) {
			s[k].outpoint = tx[t].in[i].outpoint;
			s[k].tx = t;
			s[k++].input = (uint32_t)i;
		}
	}
	qsort(s, total, sizeof(*s), spent_cmp);
	for (i = 1; i < total; i++) {
		if (outpoint_cmp(&s[i - 1].outpoint, &s[i].outpoint) != 0)
			continue;
		if (s[i - 1].tx == s[i].tx)
			b->tx[s[i].tx].twice = true;
		else
			b->tx[s[i].tx].shared = s[i].input;
	}
	journal_usage(q->journal, &b->usage);
	b->room = journal_room(q->journal);
	return 0;
}

uint64_t
bundle_volume(const struct policy_bundle *b, uint64_t used,
    const struct decision *d)
{
	return d->known ? used : sat_add(sat_add(used, b->outflow), d->outflow);
}

void
bundle_add(struct policy_bundle *b, const struct decision *d)
{
	if (!d->counted || d->known)
		return;
	b->outflow = sat_add(b->outflow, d->outflow);
	b->ids++;
	b->claims += d->new_claims;
}

/*
 * Which inputs are own, profile, config and claimed paths say: where that is
 * not all of them, as on mainnet, the same transaction with others is no
 * repetition, which would count nothing.
 */
static void
signing_id(const struct tx *tx, const struct decision *d,
    uint8_t out[JOURNAL_ID_LEN])
{
	crypto_generichash_state	 h;
	size_t				 i;

	journal_signing_id(tx, d->tx_id, out);
	for (i = 0; i < tx->nin; i++)
		if (d->class[i] != INPUT_OWN)
			break;
	if (i == tx->nin)
		return;
	(void)crypto_generichash_init(&h, NULL, 0, JOURNAL_ID_LEN);
	(void)crypto_generichash_update(&h, out, JOURNAL_ID_LEN);
	(void)crypto_generichash_update(&h, d->class, tx->nin);
	(void)crypto_generichash_final(&h, out, JOURNAL_ID_LEN);
}

/*
 * Who asks twice for one transaction, each time with other inputs of ours made
 * out to be somebody else's, gets signatures for all of them: the change comes
 * back once, and the first has counted it.  Without a claim at the path that a
 * script is ours at, or with a false utxoEntry, an input is somebody else's.
 */
void
policy_known(const struct policy_request *q, const struct tx *tx,
    struct decision *d)
{
	struct journal_found	 f;
	size_t			 i;

	signing_id(tx, d, d->entry.sid);
	d->known = journal_known(q->journal, d->entry.sid);
	for (i = 0; i < tx->nin && !d->known && !d->change_taken; i++)
		d->change_taken = d->class[i] == INPUT_FOREIGN &&
		    journal_find(q->journal, &tx->in[i].outpoint, &f);
}

/* Every input that is signed, as its UTXO is claimed to be. */
int
policy_claims(const struct policy_request *q, const struct tx *tx,
    struct pool *pool, struct decision *d)
{
	struct journal_entry	*e = &d->entry;
	const struct tx_input	*in, *last = NULL;
	size_t			 i;

	e->outflow = d->outflow;
	if ((e->claim = pool_alloc(pool, d->nsign,
	    sizeof(*e->claim))) == NULL)
		return -1;
	for (i = 0; i < tx->nin; i++) {
		if (d->class[i] == INPUT_FOREIGN)
			continue;
		in = &tx->in[i];
		e->claim[e->n].outpoint = in->outpoint;
		e->claim[e->n].amount = in->amount;
		/* Most inputs have the script of the one before. */
		if (last != NULL && last->spk.version == in->spk.version &&
		    last->spk.script.len == in->spk.script.len &&
		    memcmp(last->spk.script.p, in->spk.script.p,
		    in->spk.script.len) == 0)
			memcpy(e->claim[e->n].script_hash,
			    e->claim[e->n - 1].script_hash, 32);
		else
			journal_script_hash(&in->spk,
			    e->claim[e->n].script_hash);
		last = in;
		if (!d->known && journal_claim(q->journal, &e->claim[e->n],
		    e->sid, NULL) == CLAIM_NEW)
			d->new_claims++;
		e->n++;
	}
	d->counted = true;
	return 0;
}
