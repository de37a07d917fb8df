#include <string.h>

#include <sodium.h>

#include "kdf.h"
#include "walletcrypt.h"

#define NONCE_LEN	24
#define TAG_LEN		16
#define LAYER1_M	19456	/* KiB */
#define LAYER1_T	2
#define LAYER1_P	1

int
walletcrypt_key(const uint8_t *secret, size_t len,
    uint8_t key[WALLETCRYPT_KEY_LEN], const char **errstr)
{
	uint8_t	 pass[32], salt[32];
	int	 ret;

	(void)crypto_hash_sha256(pass, secret, len);
	(void)crypto_hash_sha256(salt, pass, sizeof(pass));
	ret = kdf_argon2id(pass, sizeof(pass), salt, sizeof(salt), LAYER1_M,
	    LAYER1_T, LAYER1_P, key, errstr);
	sodium_memzero(pass, sizeof(pass));
	sodium_memzero(salt, sizeof(salt));
	return ret;
}

int
walletcrypt_decrypt(const char *text, size_t len,
    const uint8_t key[WALLETCRYPT_KEY_LEN], uint8_t *plain, size_t plainmax,
    size_t *plainlen, const char **errstr)
{
	uint8_t		 box[WALLETCRYPT_MAX_PLAIN + WALLETCRYPT_OVERHEAD];
	const char	*end;
	size_t		 n;

	*plainlen = 0;
	if (len >= WALLETCRYPT_TEXT(WALLETCRYPT_MAX_PLAIN)) {
		*errstr = "encrypted phrase is too long";
		return -1;
	}
	if (sodium_base642bin(box, sizeof(box), text, len, NULL, &n, &end,
	    sodium_base64_VARIANT_ORIGINAL) == -1 || end != text + len) {
		*errstr = "encrypted phrase is not base64";
		return -1;
	}
	if (n < WALLETCRYPT_OVERHEAD) {
		*errstr = "encrypted phrase is too short";
		return -1;
	}
	if (n - WALLETCRYPT_OVERHEAD > plainmax) {
		*errstr = "encrypted phrase is too long";
		return -1;
	}
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL,
	    box + NONCE_LEN, n - NONCE_LEN, NULL, 0, box, key) == -1) {
		sodium_memzero(plain, n - WALLETCRYPT_OVERHEAD);
		*errstr = "wrong wallet_secret or damaged encrypted phrase";
		return -1;
	}
	*plainlen = n - WALLETCRYPT_OVERHEAD;
	return 0;
}

int
walletcrypt_encrypt(const uint8_t *plain, size_t len,
    const uint8_t key[WALLETCRYPT_KEY_LEN], char *text, size_t textmax,
    const char **errstr)
{
	uint8_t	 box[WALLETCRYPT_MAX_PLAIN + WALLETCRYPT_OVERHEAD];

	if (len > WALLETCRYPT_MAX_PLAIN) {
		*errstr = "phrase is too long";
		return -1;
	}
	if (textmax < WALLETCRYPT_TEXT(len)) {
		*errstr = "buffer too small for the encrypted phrase";
		return -1;
	}
	randombytes_buf(box, NONCE_LEN);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(box + NONCE_LEN, NULL,
	    plain, len, NULL, 0, NULL, box, key);
	(void)sodium_bin2base64(text, textmax, box, len + WALLETCRYPT_OVERHEAD,
	    sodium_base64_VARIANT_ORIGINAL);
	return 0;
}
