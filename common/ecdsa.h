/*
 * ECDSA verification as Kaspa's scripts do it, for those that have no keys.
 */
#ifndef IGRA_ECDSA_H
#define IGRA_ECDSA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A signature in DER (as a PSKT has it) as r and s of 32 bytes each (as a
 * script has it).  0, or -1 if it is none.
 */
int	 ecdsa_compact(const uint8_t *der, size_t len, uint8_t sig[64]);
/* The digest that is signed, of an input's Schnorr sighash. */
void	 ecdsa_digest(const uint8_t sighash[32], uint8_t digest[32]);
/* Is it a compressed point? */
bool	 ecdsa_key_valid(const uint8_t key[33]);
/* false too when key is no point, or s is in its upper half. */
bool	 ecdsa_verify(const uint8_t key[33], const uint8_t digest[32],
	    const uint8_t sig[64]);

#endif
