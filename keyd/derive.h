/*
 * From the plaintext of a secrets file to a signer's keypair (DESIGN 5).
 */
#ifndef IGRA_DERIVE_H
#define IGRA_DERIVE_H

#include "conf.h"
#include "keyring.h"
#include "validate.h"

/* Where a profile's key comes from. */
#ifdef ENV_SECRETS
#define KEY_BACKEND_FILE	(c->use_encrypted_secrets ? \
				    "EncryptedFile" : "Environment")
#else
#define KEY_BACKEND_FILE	"EncryptedFile"
#endif
#define KEY_BACKEND_CONFIG	"EncryptedConfig"	/* layer 1 in igra.toml */
#define KEY_REF_CONFIG		"service.hd.encrypted_mnemonics[0]"

/*
 * plain: the checked plaintext, in the arena.  layer1: the key of DESIGN 5,
 * or NULL.  On success key->pair (allocated by the caller, in the arena),
 * pub, ref, backend and hd are set, and of a phrase node, fingerprint and
 * account.  Everything in between is in the arena and wiped.  accesses and facts (what the rules about secrets judge) may be
 * NULL.
 */
enum proto_code	derive_key(const struct conf *, const uint8_t *plain,
		    size_t len, const uint8_t *layer1, const char *profile,
		    struct key *, struct key_accesses *,
		    struct secret_facts *, char *err, size_t errlen);
/*
 * A key below the account key of a phrase: leaf->pair (allocated by the
 * caller), pub, below and what it has of its account's are set.  -1: no valid
 * key (never in practice), or the arena is full.
 */
int		derive_below(const struct key *account,
		    const struct bip32_steps *, struct key *leaf);

#endif
