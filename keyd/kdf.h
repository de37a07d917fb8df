/*
 * Argon2id v1.3 (RFC 9106) to a 32-byte key, on the calling thread only.
 * Both the secrets file (DESIGN 4) and layer 1 of a phrase (DESIGN 5) use it;
 * libsodium's crypto_pwhash knows neither more than one lane nor a salt of
 * 32 bytes.
 */
#ifndef IGRA_KDF_H
#define IGRA_KDF_H

#include <stddef.h>
#include <stdint.h>

#define KDF_MAX_MEMORY	(1024 * 1024)	/* KiB */
#define KDF_MAX_TIME	16
#define KDF_MAX_LANES	16

/* 8p <= m <= KDF_MAX_MEMORY, 1 <= t <= 16, 1 <= p <= 16; -1 says which. */
int	 kdf_check(uint32_t m, uint32_t t, uint32_t p, const char **errstr);

/*
 * m in KiB.  The working memory is mapped for this call, kept out of core
 * files, wiped and unmapped; password and salt stay as they are, and so do
 * their owners' duties.  -1 when a parameter is out of range or the memory
 * cannot be had; out is zeroed then.
 */
int	 kdf_argon2id(const uint8_t *pass, size_t passlen, const uint8_t *salt,
	    size_t saltlen, uint32_t m, uint32_t t, uint32_t p,
	    uint8_t out[32], const char **errstr);

#endif
