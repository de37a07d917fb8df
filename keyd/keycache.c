#include <stdlib.h>
#include <string.h>

#include "keycache.h"
#include "secmem.h"

static int	name_cmp(const struct key *, const struct key *);
static int	time_cmp(const struct key *, const struct key *);

/* Not all of what the macros make is used. */
#define LOCAL	__attribute__((unused)) static

RB_PROTOTYPE_INTERNAL(keys_by_name, key, name_entry, name_cmp, LOCAL)
RB_PROTOTYPE_INTERNAL(keys_by_time, key, time_entry, time_cmp, LOCAL)
RB_GENERATE_INTERNAL(keys_by_name, key, name_entry, name_cmp, LOCAL)
RB_GENERATE_INTERNAL(keys_by_time, key, time_entry, time_cmp, LOCAL)

static int
name_cmp(const struct key *a, const struct key *b)
{
	int	 r;

	if ((r = strcmp(a->profile, b->profile)) != 0)
		return r;
	if (a->below.n != b->below.n)
		return a->below.n < b->below.n ? -1 : 1;
	return memcmp(a->below.step, b->below.step, sizeof(a->below.step));
}

static int
time_cmp(const struct key *a, const struct key *b)
{
	if (a->expires != b->expires)
		return a->expires < b->expires ? -1 : 1;
	return a->serial < b->serial ? -1 : a->serial > b->serial;
}

struct key *
key_new(void)
{
	struct key	*k;

	if ((k = calloc(1, sizeof(*k))) == NULL)
		return NULL;
	if ((k->pair = secmem_alloc(sizeof(*k->pair))) == NULL) {
		free(k);
		return NULL;
	}
	return k;
}

void
key_wipe(struct key *k)
{
	secmem_free(k->pair);
	secmem_free(k->node);
	k->pair = NULL;
	k->node = NULL;
}

void
key_free(struct key *k)
{
	if (k == NULL)
		return;
	key_wipe(k);
	free(k);
}

void
key_own(const struct key *k, struct own_key *o)
{
	memset(o, 0, sizeof(*o));
	o->xonly = k->pub + 1;
	if (k->node == NULL)
		return;
	o->account = &k->node->pub;
	o->fingerprint = k->fingerprint;
}

void
keycache_init(struct keycache *c)
{
	TAILQ_INIT(&c->used);
	RB_INIT(&c->by_name);
	RB_INIT(&c->by_time);
	c->n = 0;
	c->serial = 0;
}

struct key *
keycache_find(struct keycache *c, const char *profile,
    const struct bip32_steps *below)
{
	struct key	 want;

	memset(&want, 0, sizeof(want));
	want.below = *below;
	if (strlcpy(want.profile, profile, sizeof(want.profile)) >=
	    sizeof(want.profile))
		return NULL;
	return RB_FIND(keys_by_name, &c->by_name, &want);
}

void
keycache_add(struct keycache *c, struct key *k)
{
	k->listed = true;
	k->serial = ++c->serial;
	TAILQ_INSERT_HEAD(&c->used, k, entry);
	(void)RB_INSERT(keys_by_name, &c->by_name, k);
	(void)RB_INSERT(keys_by_time, &c->by_time, k);
	c->n++;
}

void
keycache_remove(struct keycache *c, struct key *k)
{
	k->listed = false;
	TAILQ_REMOVE(&c->used, k, entry);
	(void)RB_REMOVE(keys_by_name, &c->by_name, k);
	(void)RB_REMOVE(keys_by_time, &c->by_time, k);
	c->n--;
}

void
keycache_touch(struct keycache *c, struct key *k)
{
	TAILQ_REMOVE(&c->used, k, entry);
	TAILQ_INSERT_HEAD(&c->used, k, entry);
}

struct key *
keycache_next(struct keycache *c)
{
	return RB_MIN(keys_by_time, &c->by_time);
}

struct key *
keycache_idle(struct keycache *c)
{
	struct key	*k;

	TAILQ_FOREACH_REVERSE(k, &c->used, keys, entry)
		if (k->held == 0)
			return k;
	return NULL;
}

/* What is secret goes first, then what it stood in. */
void
keycache_clear(struct keycache *c)
{
	struct key	*k, *next;

	TAILQ_FOREACH(k, &c->used, entry)
		key_wipe(k);
	TAILQ_FOREACH_SAFE(k, &c->used, entry, next)
		key_free(k);
	TAILQ_INIT(&c->used);
	RB_INIT(&c->by_name);
	RB_INIT(&c->by_time);
	c->n = 0;
}
