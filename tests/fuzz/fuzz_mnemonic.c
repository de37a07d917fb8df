/*
 * Phrases.  Input: a byte, then text to check or, if the byte is odd, entropy.
 * No message says a word of the phrase.
 */
#include <ctype.h>
#include <string.h>

#include "keyd/bip39.h"

#include "fuzz.h"

static void	check(const char *, size_t);
static void	make(const uint8_t *, size_t);

static void
check(const char *text, size_t len)
{
	char	 phrase[BIP39_PHRASE_MAX], again[BIP39_PHRASE_MAX], err[128];
	ssize_t	 n;

	err[0] = '\0';
	if (bip39_check(text, len, err, sizeof(err)) == 0) {
		/* What is right needs no trimming. */
		CHECK(bip39_normalise(text, len, phrase) == (ssize_t)len);
		CHECK(memcmp(phrase, text, len) == 0);
	} else
		CHECK(err[0] != '\0' && strlen(err) < sizeof(err) - 1);
	if ((n = bip39_normalise(text, len, phrase)) == -1)
		return;
	CHECK((size_t)n <= len && (size_t)n < sizeof(phrase));
	CHECK(phrase[n] == '\0');
	CHECK(n == 0 || (phrase[0] != ' ' && phrase[n - 1] != ' '));
	CHECK(bip39_normalise(phrase, (size_t)n, again) == n);
	CHECK(memcmp(phrase, again, (size_t)n) == 0);
	(void)bip39_check(phrase, (size_t)n, err, sizeof(err));
}

static void
make(const uint8_t *p, size_t len)
{
	char	 phrase[BIP39_PHRASE_MAX], err[128];
	ssize_t	 n;
	size_t	 i;

	n = bip39_from_entropy(p, len, phrase);
	CHECK((n != -1) == (len == 16 || len == 32));
	if (n == -1)
		return;
	CHECK(strlen(phrase) == (size_t)n);
	CHECK(bip39_check(phrase, (size_t)n, err, sizeof(err)) == 0);
	for (i = 0; i < (size_t)n; i++)
		CHECK(phrase[i] == ' ' || islower((unsigned char)phrase[i]));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (data[0] & 1)
		make(data + 1, size - 1);
	else
		check((const char *)data + 1, size - 1);
	return 0;
}
