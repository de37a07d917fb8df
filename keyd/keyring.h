/*
 * The unlocked secrets file and the keypairs made from it (DESIGN 5 to 7).
 *
 * keyd keeps the file's ciphertext and, in a page that is closed except while
 * in use, its key.  What a signature needs is decrypted for that moment into
 * the arena; only the derived keypair stays, until its time is up.
 */
#ifndef IGRA_KEYRING_H
#define IGRA_KEYRING_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "bootclock.h"
#include "conf.h"
#include "isec.h"
#include "keycache.h"
#include "messages.h"
#include "validate.h"

#define KEYRING_MAX_ACCESS	4
#define KEYRING_TELL		16
#define KEYRING_ERR		1024	/* room for any message, rules' too */

/* One use of a secret, for the log. */
struct key_access {
	char		 name[NAME_BUF];
	const char	*backend;
	bool		 cached;
};

struct key_accesses {
	unsigned	 n;
	struct key_access a[KEYRING_MAX_ACCESS];
};

struct keyring_file {
	uint8_t			*data;		/* ciphertext; NULL: locked */
	size_t			 len;
	struct isec_header	 header;
	bool			 has_layer1;
	unsigned		 page;		/* of the arena, with the keys */
};

struct keyring {
	const struct conf	*conf;
	struct keyring_file	 file;
	struct keyring_file	 staged;
	uint64_t		 staging;	/* number of what is staged */
	struct keycache		 cache;
	struct boottimer	*evict;
	struct boottimer	*relock;	/* unlock_ttl */
	int64_t			 unlocked_at;
	struct secret_facts	 facts;		/* of the active key */
	struct secret_facts	 staged_facts;
	uint64_t		 evictions;
	struct keys		 gone;		/* for room, and not told of yet */
	/*
	 * Told of evictions by time or for room (reason in words), after
	 * all that is due has been wiped: n names, at most KEYRING_TELL.
	 */
	void			(*evicted)(const char *const ref[], unsigned n,
				    const char *reason, void *);
	/* unlock_ttl is over. */
	void			(*expired)(void *);
	void			*arg;
};

/* 0, or -1 without memory.  The arena must be there. */
int	keyring_init(struct keyring *, const struct conf *,
	    struct event_base *);

bool	keyring_locked(const struct keyring *);

/*
 * Stages a file and its keys: decrypts and checks it whole, finds the active
 * profile's key and returns its compressed public key and key_ref.  Takes a
 * copy of nothing secret but the keys, which go to their page.  data (malloc'd) is
 * taken over in any case.  CODE_NONE, or a code with a message in err.
 */
enum proto_code	keyring_stage(struct keyring *, uint8_t *data, size_t len,
		    const struct msg_unlock *, uint8_t pub[33],
		    char ref[NAME_BUF], struct key_accesses *,
		    char *err, size_t errlen);
/*
 * The rules about secrets (validate.h), for the facts and the header of a
 * file; age is only judged when it is being unlocked.  CODE_NONE, or
 * CODE_POLICY_DENIED with the first error in err.
 */
enum proto_code	keyring_rules(const struct keyring *,
		    const struct secret_facts *, const struct isec_header *,
		    char *err, size_t errlen);
/*
 * Could this config take the place of the present one?  The rules about the
 * secrets that are unlocked, or about to be, are asked again.  Same results.
 */
enum proto_code	keyring_reload_check(const struct keyring *,
		    const struct conf *, char *err, size_t errlen);
/* It does: what is cached and unlocked keeps to its times from now on. */
void	keyring_reload(struct keyring *, const struct conf *);
/* Days since the passphrase of a file was set. */
uint64_t keyring_age_days(const struct isec_header *);
/* What is staged takes the place of what was, at once; the cache is emptied. */
void	keyring_commit(struct keyring *);
void	keyring_abort(struct keyring *);
/* Forgets and wipes everything. */
void	keyring_lock(struct keyring *);

/*
 * The keypair of a profile (NULL: the active one), from the cache or freshly
 * derived; give it back with keyring_put before returning to the event loop.
 * accesses may be NULL.
 */
enum proto_code	keyring_get(struct keyring *, const char *profile,
		    struct key **, struct key_accesses *, char *err,
		    size_t errlen);
void	keyring_put(struct keyring *, struct key *);
/*
 * The keypair so many steps below an account's (which the caller holds), from
 * the cache or freshly derived; give it back likewise, before the account's.
 * It is gone when the account's time is over.
 */
enum proto_code	keyring_below(struct keyring *, const struct key *account,
		    const struct bip32_steps *, struct key **, char *err,
		    size_t errlen);

/* The keys that could sign; arrays and text from the pool. */
enum proto_code	keyring_list(struct keyring *, struct pool *,
		    struct msg_key_list *, char *err, size_t errlen);

#endif
