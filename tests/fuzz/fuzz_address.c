/*
 * Addresses.  Input: a byte, then text to decode or, if the byte is odd,
 * network, version and payload to encode.  One text an address, one address a
 * text, and no letter of it can change unseen.
 */
#include <string.h>

#include "kaspa.h"

#include "fuzz.h"

static void	decode(const char *, size_t);
static void	encode(const uint8_t *, size_t);
static void	check_script(const struct kaspa_address *, const char *);
static void	check_typo(const char *, size_t, uint8_t);

static void
check_script(const struct kaspa_address *a, const char *text)
{
	struct spk	 spk = { 0, { NULL, 0 } };
	uint8_t		 script[35];
	char		 again[ADDRESS_MAX];

	spk.script.len = address_script(a, script);
	spk.script.p = script;
	CHECK(spk.script.len == P2PK_SCRIPT_LEN || spk.script.len == 35);
	CHECK(script_classify(&spk) != SCRIPT_NONSTANDARD);
	CHECK(address_from_spk(a->network, &spk, again) == 0);
	CHECK(strcmp(again, text) == 0);
}

static void
decode(const char *text, size_t len)
{
	struct kaspa_address	 a;
	const char		*why = NULL;
	char			 again[ADDRESS_MAX];

	if (address_decode(text, len, &a, &why) == -1) {
		CHECK(why != NULL);
		return;
	}
	address_encode(&a, again);
	CHECK(strlen(again) == len && memcmp(again, text, len) == 0);
	check_script(&a, again);
}

static void
check_typo(const char *text, size_t at, uint8_t c)
{
	struct kaspa_address	 a;
	char			 typo[ADDRESS_MAX];
	size_t			 len = strlen(text);

	(void)strlcpy(typo, text, sizeof(typo));
	at %= len;
	if ((uint8_t)typo[at] == c)
		return;
	typo[at] = (char)c;
	CHECK(address_decode(typo, len, &a, NULL) == -1);
	CHECK(address_decode(text, len - 1, &a, NULL) == -1);
}

static void
encode(const uint8_t *p, size_t len)
{
	struct kaspa_address	 a, b;
	const char		*why;
	char			 text[ADDRESS_MAX];
	bool			 right;

	if (len < 4 || len - 4 > sizeof(a.payload))
		return;
	memset(&a, 0, sizeof(a));
	a.network = p[0] % 4;
	a.version = p[1];
	a.len = len - 4;
	memcpy(a.payload, p + 4, a.len);
	address_encode(&a, text);
	right = (a.version == ADDRESS_ECDSA && a.len == 33) ||
	    ((a.version == ADDRESS_SCHNORR || a.version == ADDRESS_P2SH) &&
	    a.len == 32);
	CHECK((text[0] != '\0') == right);
	if (!right)
		return;
	CHECK(address_decode(text, strlen(text), &b, &why) == 0);
	CHECK(a.network == b.network && a.version == b.version &&
	    a.len == b.len && memcmp(a.payload, b.payload, a.len) == 0);
	check_script(&a, text);
	check_typo(text, p[2], p[3]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (data[0] & 1)
		encode(data + 1, size - 1);
	else
		decode((const char *)data + 1, size - 1);
	return 0;
}
