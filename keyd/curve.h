/*
 * secp256k1 with secret keys: one blinded context per process, fresh auxiliary
 * randomness for every signature, and a way to clear what the library leaves
 * on the stack.  Verification alone: common/schnorr.h.
 */
#ifndef IGRA_CURVE_H
#define IGRA_CURVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <secp256k1.h>
#include <secp256k1_extrakeys.h>

#define CURVE_SIG_LEN	64

/* Makes and randomizes the context; a second call does nothing.  0 or -1. */
int	 curve_init(void);
/* New blinding from fresh randomness: at start and at every unlock. */
int	 curve_rerandomize(void);
void	 curve_free(void);

/*
 * Keypair of a secret key, and its compressed public key if pub is not NULL:
 * pub + 1 is the x-only key, pub[0] (2 or 3) the parity.  -1: not a valid key
 * (zero or not below the order), or no context.
 */
int	 curve_keypair(const uint8_t seckey[32], secp256k1_keypair *,
	    uint8_t pub[33]);
/* The compressed public key alone. */
int	 curve_pubkey(const uint8_t seckey[32], uint8_t pub[33]);
/* key = key + tweak mod the order; -1 if either or the sum is no valid key. */
int	 curve_tweak(uint8_t key[32], const uint8_t tweak[32]);

/* BIP340 over a 32-byte message; sig is 64 bytes.  -1 leaves it zeroed. */
int	 curve_sign(const secp256k1_keypair *, const uint8_t msg[32],
	    uint8_t sig[CURVE_SIG_LEN]);
/* Verifies a signature under the keypair's own public key. */
bool	 curve_verify_own(const secp256k1_keypair *, const uint8_t msg[32],
	    const uint8_t sig[CURVE_SIG_LEN]);

#define STACK_SCRUB_LEN	(96 * 1024)
/*
 * Overwrites STACK_SCRUB_LEN bytes below the caller's frame and, where it
 * knows how, the vector registers.  Call it after sign, derive and decrypt,
 * from the function that called them.
 */
void	 stack_scrub(void);

#endif
