/*
 * devnet-keygen: making keys.  Every struct here with a secret in it lives in
 * memory of sodium_malloc(), inside one struct kg_set.
 */
#ifndef IGRA_KG_KEYS_H
#define IGRA_KG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bip39.h"
#include "kaspa.h"

#define KG_PROFILE_LEN		10	/* "signer-01" and its NUL */
#define KG_MAX_VALIDATORS	99

enum kg_key_type { KG_HD, KG_RAW };

struct kg_signer {
	char		 profile[KG_PROFILE_LEN];
	char		 phrase[BIP39_PHRASE_MAX];	/* 24 words; KG_HD */
	uint8_t		 key[32];			/* KG_RAW */
	uint8_t		 pub[33];			/* compressed */
	uint8_t		 iroh_seed[32];
	uint8_t		 iroh_pub[32];			/* Ed25519 */
	char		 iroh_peer_id[5 + 16 + 1];	/* "peer-" and hex */
};

struct kg_wallet {
	char		 phrase[BIP39_PHRASE_MAX];
	uint8_t		 key[32];			/* m/44'/111111'/0'/0/0 */
	uint8_t		 pub[33];
};

/* Account 0 of Anvil, which everybody knows. */
#define KG_EVM_PHRASE	"test test test test test test test test test test " \
			"test junk"
#define KG_EVM_ADDRESS	"f39fd6e51aad88f6f4ce6ab8827279cfffb92266"
#define KG_EVM_CHAIN_ID	31337

struct kg_evm {
	uint8_t		 key[32];			/* m/44'/60'/0'/0/0 */
	uint8_t		 pub[65];			/* uncompressed */
};

struct kg_validator {
	char		 name[16];
	uint8_t		 key[32];
	uint8_t		 pub[33];			/* compressed */
};

struct kg_set {
	enum kg_key_type	 type;
	unsigned		 n;
	struct kg_signer	 signer[MULTISIG_MAX_KEYS];
	/* Devnet only: what Igra's scripts for it want besides. */
	bool			 devnet;
	struct kg_wallet	 wallet;
	struct kg_evm		 evm;
	unsigned		 nvalidators;
	struct kg_validator	 validator[KG_MAX_VALIDATORS];
};

/* Locked and zeroed, or NULL. */
struct kg_set	*kg_set_new(void);
void		 kg_set_free(struct kg_set *);

/*
 * n new keys, sorted by their compressed public keys and named signer-01 and
 * on in that order, or the one key named profile (not NULL: n is 1).  payment
 * is the phrases' passphrase (BIP39), not used for raw keys.  0 or -1.
 */
int	 kg_make_signers(struct kg_set *, enum kg_key_type, unsigned n,
	    const char *profile, const uint8_t *payment, size_t paylen);
/* The wallet, Anvil's account, and n Hyperlane validators. */
int	 kg_make_devnet(struct kg_set *, unsigned n, bool two_digit);

/*
 * Key at a path of a phrase with a passphrase; pub is 33 bytes.  0 or -1.
 */
int	 kg_derive(const char *phrase, const uint8_t *payment, size_t paylen,
	    const char *path, uint8_t key[32], uint8_t pub[33]);
/* Ed25519 public key and peer id of a seed; see struct kg_signer. */
int	 kg_iroh(struct kg_signer *);

#endif
