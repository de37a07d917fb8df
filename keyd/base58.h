/*
 * Base58Check (Bitcoin alphabet) for extended keys.  Buffers are wiped where
 * they held a key.
 */
#ifndef IGRA_BASE58_H
#define IGRA_BASE58_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#define BASE58_MAX_DATA	128	/* bytes without the checksum */
#define BASE58_MAX_TEXT	184	/* characters with the NUL */

/* Appends 4 bytes of SHA256(SHA256(data)).  Length of out, or -1. */
ssize_t	 base58check_encode(const uint8_t *data, size_t len, char *out,
	    size_t outmax);
/* Length without the checksum, or -1: alphabet, length or checksum. */
ssize_t	 base58check_decode(const char *text, size_t len, uint8_t *out,
	    size_t outmax);

#endif
