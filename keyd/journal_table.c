/*
 * Claims and signing ids in memory: arrays that only grow, and beside each an
 * index with linear probing.  The hash is keyed at random, since whoever asks
 * for signatures may choose outpoints.
 */
#include <stdlib.h>
#include <string.h>

#include "journal_int.h"

#define FIRST_SLOTS	1024
#define FIRST_ITEMS	256

typedef bool (*same_fn)(const struct journal *, size_t, const void *);

static uint64_t	hash_outpoint(const struct journal *, const struct outpoint *);
static uint64_t	hash_sid(const struct journal *, const uint8_t *);
static int	index_init(struct index *);
static int	index_grow(struct journal *, struct index *, size_t, bool);
static void	index_put(struct index *, uint64_t, size_t);
static size_t	index_slot(const struct journal *, const struct index *,
		    uint64_t, same_fn, const void *);
static void	index_remove(struct journal *, size_t);
static int	array_grow(void *, size_t *, size_t, size_t, size_t);
static bool	same_claim(const struct journal *, size_t, const void *);
static bool	same_sid(const struct journal *, size_t, const void *);

static uint64_t
hash_outpoint(const struct journal *j, const struct outpoint *o)
{
	uint8_t		 in[TX_ID_LEN + 4], out[crypto_shorthash_BYTES];
	uint64_t	 h;
	int		 i;

	memcpy(in, o->txid, TX_ID_LEN);
	for (i = 0; i < 4; i++)
		in[TX_ID_LEN + i] = (uint8_t)(o->index >> (8 * i));
	(void)crypto_shorthash(out, in, sizeof(in), j->key);
	memcpy(&h, out, sizeof(h));
	return h;
}

static uint64_t
hash_sid(const struct journal *j, const uint8_t *sid)
{
	uint8_t		 out[crypto_shorthash_BYTES];
	uint64_t	 h;

	(void)crypto_shorthash(out, sid, JOURNAL_ID_LEN, j->key);
	memcpy(&h, out, sizeof(h));
	return h;
}

static bool
same_claim(const struct journal *j, size_t i, const void *p)
{
	const struct outpoint	*o = p;

	return j->claims[i].outpoint.index == o->index &&
	    memcmp(j->claims[i].outpoint.txid, o->txid, TX_ID_LEN) == 0;
}

static bool
same_sid(const struct journal *j, size_t i, const void *sid)
{
	return memcmp(j->ids[i].sid, sid, JOURNAL_ID_LEN) == 0;
}

static int
index_init(struct index *x)
{
	x->used = 0;
	x->mask = FIRST_SLOTS - 1;
	x->slot = calloc(FIRST_SLOTS, sizeof(*x->slot));
	return x->slot == NULL ? -1 : 0;
}

static void
index_put(struct index *x, uint64_t hash, size_t i)
{
	size_t	 s = (size_t)hash & x->mask;

	while (x->slot[s] != 0)
		s = (s + 1) & x->mask;
	x->slot[s] = (uint32_t)i + 1;
	x->used++;
}

/* The slot of what same() finds, or the empty one where it would be. */
static size_t
index_slot(const struct journal *j, const struct index *x, uint64_t hash,
    same_fn same, const void *what)
{
	size_t	 s = (size_t)hash & x->mask;

	while (x->slot[s] != 0 && !same(j, x->slot[s] - 1, what))
		s = (s + 1) & x->mask;
	return s;
}

/* At most half full, so that a search is short. */
static int
index_grow(struct journal *j, struct index *x, size_t more, bool outpoints)
{
	struct index	 n;
	size_t		 slots = x->mask + 1, s, i;

	if (more > UINT32_MAX / 4 - x->used)
		return -1;
	while (slots < 2 * (x->used + more))
		slots *= 2;
	if (slots == x->mask + 1)
		return 0;
	if ((n.slot = calloc(slots, sizeof(*n.slot))) == NULL)
		return -1;
	n.mask = slots - 1;
	n.used = 0;
	for (s = 0; s <= x->mask; s++) {
		if (x->slot[s] == 0)
			continue;
		i = x->slot[s] - 1;
		index_put(&n, outpoints ?
		    hash_outpoint(j, &j->claims[i].outpoint) :
		    hash_sid(j, j->ids[i].sid), i);
	}
	free(x->slot);
	*x = n;
	return 0;
}

/* Empties slot s of by_outpoint and moves up what probing had put behind. */
static void
index_remove(struct journal *j, size_t s)
{
	struct index	*x = &j->by_outpoint;
	size_t		 next = s, home;

	for (;;) {
		x->slot[s] = 0;
		for (;;) {
			next = (next + 1) & x->mask;
			if (x->slot[next] == 0) {
				x->used--;
				return;
			}
			home = (size_t)hash_outpoint(j, &j->claims[
			    x->slot[next] - 1].outpoint) & x->mask;
			/* May it stand at s?  Not before its home. */
			if (((next - home) & x->mask) >= ((next - s) & x->mask))
				break;
		}
		x->slot[s] = x->slot[next];
		s = next;
	}
}

static int
array_grow(void *p, size_t *cap, size_t used, size_t more, size_t size)
{
	void	**array = p, *bigger;
	size_t	  want = *cap == 0 ? FIRST_ITEMS : *cap;

	if (more > UINT32_MAX / 4 - used)
		return -1;
	while (want < used + more)
		want *= 2;
	if (want == *cap)
		return 0;
	if ((bigger = reallocarray(*array, want, size)) == NULL)
		return -1;
	*array = bigger;
	*cap = want;
	return 0;
}

int
table_init(struct journal *j)
{
	crypto_shorthash_keygen(j->key);
	return index_init(&j->by_outpoint) == -1 ||
	    index_init(&j->by_sid) == -1 ? -1 : 0;
}

void
table_free(struct journal *j)
{
	free(j->by_outpoint.slot);
	free(j->by_sid.slot);
	free(j->claims);
	free(j->ids);
}

size_t
table_find(const struct journal *j, const struct outpoint *o)
{
	size_t	 s = index_slot(j, &j->by_outpoint, hash_outpoint(j, o),
		    same_claim, o);

	return j->by_outpoint.slot[s] == 0 ? NOT_FOUND :
	    j->by_outpoint.slot[s] - 1;
}

size_t
table_find_id(const struct journal *j, const uint8_t *sid)
{
	size_t	 s = index_slot(j, &j->by_sid, hash_sid(j, sid), same_sid, sid);

	return j->by_sid.slot[s] == 0 ? NOT_FOUND : j->by_sid.slot[s] - 1;
}

int
table_grow(struct journal *j, size_t claims, size_t ids)
{
	if (array_grow(&j->claims, &j->claims_cap, j->nclaims, claims,
	    sizeof(*j->claims)) == -1 ||
	    array_grow(&j->ids, &j->ids_cap, j->nids, ids,
	    sizeof(*j->ids)) == -1)
		return -1;
	return index_grow(j, &j->by_outpoint, claims, true) == -1 ||
	    index_grow(j, &j->by_sid, ids, false) == -1 ? -1 : 0;
}

void
table_claim(struct journal *j, const struct journal_claim_in *in, size_t id)
{
	size_t		 i = table_find(j, &in->outpoint);
	struct claim	*c;

	if (i == NOT_FOUND) {
		i = j->nclaims++;
		j->claims[i].outpoint = in->outpoint;
		index_put(&j->by_outpoint, hash_outpoint(j, &in->outpoint), i);
	}
	c = &j->claims[i];
	c->amount = in->amount;
	memcpy(c->script_hash, in->script_hash, sizeof(c->script_hash));
	c->id = (uint32_t)id;
}

size_t
table_add_id(struct journal *j, const uint8_t *sid, int64_t policy_ns,
    uint64_t outflow)
{
	size_t		 i = j->nids++;
	struct signing	*s = &j->ids[i];

	memcpy(s->sid, sid, sizeof(s->sid));
	s->policy_ns = policy_ns;
	s->outflow = outflow;
	s->reservation = 0;
	index_put(&j->by_sid, hash_sid(j, sid), i);
	return i;
}

/* The last claim takes the place of the one that goes. */
bool
table_release(struct journal *j, const struct outpoint *o)
{
	size_t	 s = index_slot(j, &j->by_outpoint, hash_outpoint(j, o),
		    same_claim, o), i, last;

	if (j->by_outpoint.slot[s] == 0)
		return false;
	i = j->by_outpoint.slot[s] - 1;
	index_remove(j, s);
	last = --j->nclaims;
	if (i == last)
		return true;
	s = index_slot(j, &j->by_outpoint, hash_outpoint(j,
	    &j->claims[last].outpoint), same_claim, &j->claims[last].outpoint);
	j->claims[i] = j->claims[last];
	j->by_outpoint.slot[s] = (uint32_t)i + 1;
	return true;
}
