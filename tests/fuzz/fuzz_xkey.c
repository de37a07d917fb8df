/*
 * Extended keys and Base58Check.  Input: a byte, then text to decode or, if
 * the byte is odd, the bytes that the text is to hold.
 */
#include <string.h>

#include "keyd/base58.h"
#include "keyd/bip32.h"
#include "keyd/curve.h"

#include "fuzz.h"

static void	check_text(const char *, size_t);
static void	check_bytes(const uint8_t *, size_t);

static void
check_text(const char *text, size_t len)
{
	struct bip32_prv	 prv;
	struct bip32_pub	 pub;
	const char		*why = NULL;
	uint32_t		 version;
	char			 again[BIP32_XKEY_MAX];
	bool			 is_prv, is_pub;

	is_prv = bip32_prv_decode(text, len, &prv, &version, &why) == 0;
	if (is_prv) {
		bip32_prv_encode(&prv, version, again);
		CHECK(strlen(again) == len && memcmp(again, text, len) == 0);
		CHECK(bip32_neuter(&prv, &pub) == 0);
	} else
		CHECK(why != NULL);
	is_pub = bip32_pub_decode(text, len, &pub, &version, &why) == 0;
	if (is_pub) {
		bip32_pub_encode(&pub, version, again);
		CHECK(strlen(again) == len && memcmp(again, text, len) == 0);
	}
	CHECK(!is_prv || !is_pub);
	bip32_wipe(&prv);
}

static void
check_bytes(const uint8_t *p, size_t len)
{
	uint8_t	 back[BASE58_MAX_DATA];
	char	 text[BASE58_MAX_TEXT];
	ssize_t	 n;

	if ((n = base58check_encode(p, len, text, sizeof(text))) == -1) {
		CHECK(len > BASE58_MAX_DATA);
		return;
	}
	CHECK(strlen(text) == (size_t)n);
	CHECK(base58check_decode(text, (size_t)n, back, sizeof(back)) ==
	    (ssize_t)len);
	CHECK(memcmp(back, p, len) == 0);
	if (len > 0)
		CHECK(base58check_decode(text, (size_t)n, back, len - 1) == -1);
	check_text(text, (size_t)n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t	 back[BASE58_MAX_DATA];
	char	 text[BASE58_MAX_TEXT];
	ssize_t	 n;

	CHECK(curve_init() == 0);
	if (size < 1)
		return 0;
	if (data[0] & 1) {
		check_bytes(data + 1, size - 1);
		return 0;
	}
	n = base58check_decode((const char *)data + 1, size - 1, back,
	    sizeof(back));
	if (n == -1)
		return 0;
	CHECK(base58check_encode(back, (size_t)n, text, sizeof(text)) ==
	    (ssize_t)size - 1);
	CHECK(memcmp(text, data + 1, size - 1) == 0);
	check_text((const char *)data + 1, size - 1);
	return 0;
}
