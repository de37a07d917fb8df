/*
 * Layer 1 of a phrase in the config (DESIGN 5): base64(nonce ‖ ciphertext ‖
 * tag), XChaCha20-Poly1305 without associated data, the key from
 * igra.hd.wallet_secret, as the Kaspa SDK's encryptXChaCha20Poly1305
 * (rusty-kaspa wallet/core/src/encryption.rs).
 */
#ifndef IGRA_WALLETCRYPT_H
#define IGRA_WALLETCRYPT_H

#include <stddef.h>
#include <stdint.h>

#define WALLETCRYPT_KEY_LEN	32
#define WALLETCRYPT_OVERHEAD	(24 + 16)
#define WALLETCRYPT_MAX_PLAIN	1024		/* a phrase needs 215 */
/* Base64 with its NUL of n bytes of plaintext. */
#define WALLETCRYPT_TEXT(n)	(((n) + WALLETCRYPT_OVERHEAD + 2) / 3 * 4 + 1)

/* Argon2id (19 MiB, t 2, p 1) of the hashed secret. */
int	 walletcrypt_key(const uint8_t *secret, size_t len,
	    uint8_t key[WALLETCRYPT_KEY_LEN], const char **errstr);

/*
 * Decrypts base64 text (not terminated, no blanks) into plain, plainmax bytes
 * of the caller's locked memory.  -1: not base64, too short or long, or the
 * wrong wallet_secret.
 */
int	 walletcrypt_decrypt(const char *text, size_t len,
	    const uint8_t key[WALLETCRYPT_KEY_LEN], uint8_t *plain,
	    size_t plainmax, size_t *plainlen, const char **errstr);

/* text holds WALLETCRYPT_TEXT(len) bytes; a fresh nonce. */
int	 walletcrypt_encrypt(const uint8_t *plain, size_t len,
	    const uint8_t key[WALLETCRYPT_KEY_LEN], char *text,
	    size_t textmax, const char **errstr);

#endif
