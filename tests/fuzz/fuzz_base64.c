/*
 * Layer 1 of a phrase: base64 of nonce, ciphertext, tag.  Input: a byte, then
 * text to open or, if the byte is odd, a plaintext to seal: it opens, and with
 * any letter changed it does not.
 */
#include <string.h>

#include <sodium.h>

#include "keyd/walletcrypt.h"

#include "fuzz.h"

static const uint8_t	 key[WALLETCRYPT_KEY_LEN] = { 7 };

static void	open_text(const char *, size_t);
static void	seal(const uint8_t *, size_t, uint8_t);

static void
open_text(const char *text, size_t len)
{
	uint8_t		 plain[WALLETCRYPT_MAX_PLAIN];
	const char	*why = NULL;
	size_t		 n;

	/* The tag of a seed that was made with this key may be right. */
	if (walletcrypt_decrypt(text, len, key, plain, sizeof(plain), &n,
	    &why) == -1) {
		CHECK(why != NULL && n == 0);
		return;
	}
	CHECK(WALLETCRYPT_TEXT(n) == len + 1);
	if (n > 0)
		CHECK(walletcrypt_decrypt(text, len, key, plain, n - 1, &n,
		    &why) == -1 && n == 0);
}

static void
seal(const uint8_t *p, size_t len, uint8_t seed)
{
	uint8_t		 plain[WALLETCRYPT_MAX_PLAIN];
	char		 text[WALLETCRYPT_TEXT(WALLETCRYPT_MAX_PLAIN) + 1];
	const char	*why;
	size_t		 n, at, textlen;

	if (walletcrypt_encrypt(p, len, key, text, sizeof(text), &why) == -1) {
		CHECK(len > WALLETCRYPT_MAX_PLAIN);
		return;
	}
	textlen = strlen(text);
	CHECK(textlen + 1 == WALLETCRYPT_TEXT(len));
	CHECK(walletcrypt_decrypt(text, textlen, key, plain, sizeof(plain),
	    &n, &why) == 0);
	CHECK(n == len && (n == 0 || memcmp(plain, p, n) == 0));
	/* Nothing may follow. */
	text[textlen] = (char)seed;
	CHECK(walletcrypt_decrypt(text, textlen + 1, key, plain,
	    sizeof(plain), &n, &why) == -1);
	/* Also the bits that padding leaves over: one text a ciphertext. */
	at = textlen - 1 - seed % (textlen < 8 ? textlen : 8);
	text[at] = text[at] == 'A' ? 'B' : 'A';
	CHECK(walletcrypt_decrypt(text, textlen, key, plain, sizeof(plain),
	    &n, &why) == -1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (data[0] & 1)
		seal(data + 1, size - 1, data[0] >> 1);
	else
		open_text((const char *)data + 1, size - 1);
	return 0;
}
