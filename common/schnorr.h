/*
 * BIP340 verification, for those that have no keys.
 */
#ifndef IGRA_SCHNORR_H
#define IGRA_SCHNORR_H

#include <stdbool.h>
#include <stdint.h>

/* false too when xonly is no point. */
bool	 schnorr_verify(const uint8_t xonly[32], const uint8_t msg[32],
	    const uint8_t sig[64]);
/* Is it the x coordinate of a point? */
bool	 schnorr_key_valid(const uint8_t xonly[32]);

#endif
