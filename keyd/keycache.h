/*
 * The keypairs that keyd keeps for a while: found by name, dropped when their
 * time is over or when room is needed, least recently used first.  Every step
 * takes at most log(n), so that a full cache delays neither eviction nor lock.
 */
#ifndef IGRA_KEYCACHE_H
#define IGRA_KEYCACHE_H

#include <sys/queue.h>
#include <sys/tree.h>

#include <stdbool.h>
#include <stdint.h>

#include "bip32.h"
#include "curve.h"
#include "names.h"
#include "own.h"

/* What keys below an account are derived from: the chain code is secret, too. */
struct key_node {
	struct bip32_prv	 prv;
	struct bip32_pub	 pub;
};

struct key {
	TAILQ_ENTRY(key)	 entry;		/* most recently used first */
	RB_ENTRY(key)		 name_entry;
	RB_ENTRY(key)		 time_entry;
	bool			 listed;	/* false: gone after this use */
	char			 profile[10];	/* what it is found by, with … */
	struct bip32_steps	 below;		/* … these; none: at derivation_path */
	char			 ref[NAME_BUF];	/* the secret's name */
	const char		*backend;
	bool			 hd;
	uint8_t			 pub[33];	/* compressed */
	secp256k1_keypair	*pair;		/* in the arena */
	/* Of a phrase's key at derivation_path, in the arena; else NULL. */
	struct key_node		*node;
	uint8_t			 fingerprint[4]; /* of the master key, if hd */
	uint8_t			 account[32];	/* own_account_id(), with node */
	unsigned		 held;		/* given out, and not yet back */
	int64_t			 expires;	/* bootclock */
	uint64_t		 serial;	/* of keycache_add */
};
TAILQ_HEAD(keys, key);
RB_HEAD(keys_by_name, key);
RB_HEAD(keys_by_time, key);

struct keycache {
	struct keys		 used;		/* most recently used first */
	struct keys_by_name	 by_name;
	struct keys_by_time	 by_time;
	unsigned		 n;
	uint64_t		 serial;
};

/* NULL when memory or the arena is full. */
struct key	*key_new(void);
/* Wipes and frees; NULL is fine. */
void		 key_free(struct key *);
/* Wipes what is secret and keeps the rest, to tell of. */
void		 key_wipe(struct key *);
/* How own.h asks about an account's key; views into it. */
void		 key_own(const struct key *, struct own_key *);

void		 keycache_init(struct keycache *);
/* Does not count as a use; NULL when it is not there. */
struct key	*keycache_find(struct keycache *, const char *profile,
		    const struct bip32_steps *below);
/* expires, profile and below are set; no other key has those two. */
void		 keycache_add(struct keycache *, struct key *);
void		 keycache_remove(struct keycache *, struct key *);
void		 keycache_touch(struct keycache *, struct key *);
/* The one whose time is over first, NULL when empty. */
struct key	*keycache_next(struct keycache *);
/* The one not used for longest of those that nobody holds, or NULL. */
struct key	*keycache_idle(struct keycache *);
/* Wipes and frees all. */
void		 keycache_clear(struct keycache *);

#endif
