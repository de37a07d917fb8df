#include <sys/types.h>

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "bip39.h"
#include "curve.h"

#define WORD_MAX	8
#define NO_WORD		0x8000U		/* beside an index */
#define PBKDF2_ROUNDS	2048

static uint32_t	word_index(const char *, size_t)
		    __attribute__((noinline));
static size_t	word_at(uint32_t, char[WORD_MAX + 1])
		    __attribute__((noinline));
static int	words_read(const char *, size_t, uint16_t[24], char *, size_t);
static void	words_to_bits(const uint16_t *, size_t, uint8_t[33]);

/*
 * These two look at the whole list, without a branch, so that neither time
 * nor cache tells the word; how long it is does show.  Not inlined, so that
 * tests/sandbox/ctgrind.sh can tell them from what is around them.
 */
static uint32_t
word_index(const char *w, size_t len)
{
	char	 pad[WORD_MAX + 1] = { 0 };
	uint32_t i, j, diff, mask, at = NO_WORD, nul = 0;

	if (len == 0 || len > WORD_MAX)
		return NO_WORD;
	memcpy(pad, w, len);
	for (j = 0; j < len; j++)
		nul |= ((uint32_t)(uint8_t)pad[j] - 1) >> 31;
	for (i = 0; i < BIP39_WORDS; i++) {
		diff = 0;
		for (j = 0; j < sizeof(pad); j++)
			diff |= (uint32_t)(uint8_t)(pad[j] ^ bip39_words[i][j]);
		mask = (uint32_t)0 - ((diff - 1) >> 31);
		at = (at & ~mask) | (i & mask);
	}
	sodium_memzero(pad, sizeof(pad));
	return at | (NO_WORD & ((uint32_t)0 - nul));
}

/* Returns its length. */
static size_t
word_at(uint32_t at, char w[WORD_MAX + 1])
{
	uint32_t i, j, diff, mask, len = 0;

	memset(w, 0, WORD_MAX + 1);
	for (i = 0; i < BIP39_WORDS; i++) {
		diff = i ^ at;
		mask = (uint32_t)0 - ((diff - 1) >> 31);
		for (j = 0; j < WORD_MAX; j++)
			w[j] = (char)(w[j] | (bip39_words[i][j] &
			    (char)mask));
	}
	for (j = 0; j < WORD_MAX; j++)
		len += 1 - (((uint32_t)(uint8_t)w[j] - 1) >> 31);
	return len;
}

ssize_t
bip39_normalise(const char *phrase, size_t len, char *out)
{
	size_t	 i, n = 0;
	char	 c;

	for (i = 0; i < len; i++) {
		c = phrase[i];
		if (c == '\t' || c == '\n' || c == '\r' || c == '\v' ||
		    c == '\f')
			c = ' ';
		if (c == ' ' && (n == 0 || out[n - 1] == ' '))
			continue;
		if (n == BIP39_PHRASE_MAX - 1) {
			/* Only a blank that the end will trim may not fit. */
			if (c == ' ')
				continue;
			goto bad;
		}
		out[n++] = c;
	}
	if (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
	return (ssize_t)n;
bad:
	sodium_memzero(out, BIP39_PHRASE_MAX);
	return -1;
}

/* Number of words, or -1. */
static int
words_read(const char *phrase, size_t len, uint16_t word[24], char *err,
    size_t errlen)
{
	size_t	 i, start;
	uint32_t at, bad = 0;		/* the first that is not on the list */
	int	 n = 0;

	if (len > 0 && (phrase[0] == ' ' || phrase[len - 1] == ' ')) {
		(void)snprintf(err, errlen, "blanks around the phrase");
		return -1;
	}
	for (i = start = 0; i <= len; i++) {
		if (i < len && phrase[i] != ' ')
			continue;
		if (i == start && len > 0) {
			(void)snprintf(err, errlen, "more than one blank after "
			    "word %d", n);
			return -1;
		}
		at = word_index(phrase + start, i - start);
		if (n < 24)
			word[n] = (uint16_t)(at & (BIP39_WORDS - 1));
		n++;
		bad |= (uint32_t)n & ((uint32_t)0 - (at / NO_WORD &
		    (bad - 1) >> 31));
		start = i + 1;
	}
	if (len == 0)
		n = 0;
	if (n != 12 && n != 24) {
		(void)snprintf(err, errlen, "phrase has %d word%s, not 12 or "
		    "24", n, n == 1 ? "" : "s");
		return -1;
	}
	if (bad != 0) {
		(void)snprintf(err, errlen, "word %u is not on the BIP39 "
		    "English list", bad);
		return -1;
	}
	return n;
}

/* 11 bits a word, most significant first. */
static void
words_to_bits(const uint16_t *word, size_t n, uint8_t bits[33])
{
	size_t	 i, b, pos;

	memset(bits, 0, 33);
	for (i = 0; i < n; i++)
		for (b = 0; b < 11; b++) {
			pos = i * 11 + b;
			bits[pos / 8] |= (uint8_t)((word[i] >> (10 - b) & 1) <<
			    (7 - pos % 8));
		}
}

int
bip39_check(const char *phrase, size_t len, char *err, size_t errlen)
{
	uint16_t	 word[24];
	uint8_t		 bits[33], hash[32], mask;
	size_t		 entlen;
	int		 n, ret = -1;

	if ((n = words_read(phrase, len, word, err, errlen)) == -1)
		goto out;
	words_to_bits(word, (size_t)n, bits);
	entlen = n == 12 ? 16 : 32;
	mask = n == 12 ? 0xf0 : 0xff;
	(void)crypto_hash_sha256(hash, bits, entlen);
	if (((hash[0] ^ bits[entlen]) & mask) != 0) {
		(void)snprintf(err, errlen, "checksum of the phrase is wrong "
		    "(a word mistaken or out of place)");
		goto out;
	}
	ret = 0;
out:
	sodium_memzero(word, sizeof(word));
	sodium_memzero(bits, sizeof(bits));
	sodium_memzero(hash, sizeof(hash));
	return ret;
}

ssize_t
bip39_from_entropy(const uint8_t *entropy, size_t len, char *out)
{
	uint8_t		 bits[33 + 2] = { 0 }, hash[32];
	size_t		 i, n, pos, at = 0;
	uint32_t	 v;
	char		 w[WORD_MAX + 1];

	if (len != 16 && len != 32)
		return -1;
	memcpy(bits, entropy, len);
	(void)crypto_hash_sha256(hash, entropy, len);
	bits[len] = hash[0];
	n = len == 16 ? 12 : 24;
	for (i = 0; i < n; i++) {
		pos = i * 11;
		v = (uint32_t)bits[pos / 8] << 16 |
		    (uint32_t)bits[pos / 8 + 1] << 8 | bits[pos / 8 + 2];
		v = v >> (24 - 11 - pos % 8) & 0x7ff;
		if (i > 0)
			out[at++] = ' ';
		pos = word_at(v, w);
		memcpy(out + at, w, sizeof(w));	/* ends within the buffer */
		at += pos;
	}
	v = 0;
	sodium_memzero(w, sizeof(w));
	sodium_memzero(bits, sizeof(bits));
	sodium_memzero(hash, sizeof(hash));
	return (ssize_t)at;
}

/*
 * RFC 8018 PBKDF2 with one block, as 64 bytes are HMAC-SHA512's length.  The
 * key's two blocks are hashed once, and every round starts from that state.
 */
void
bip39_seed(const char *phrase, size_t len, const uint8_t *passphrase,
    size_t passlen, uint8_t seed[BIP39_SEED_LEN])
{
	static const uint8_t		 block[4] = { 0, 0, 0, 1 };
	crypto_auth_hmacsha512_state	 keyed, st;
	uint8_t				 u[64];
	size_t				 i, r;

	crypto_auth_hmacsha512_init(&keyed, (const uint8_t *)phrase, len);
	st = keyed;
	crypto_auth_hmacsha512_update(&st, (const uint8_t *)"mnemonic", 8);
	if (passlen > 0)
		crypto_auth_hmacsha512_update(&st, passphrase, passlen);
	crypto_auth_hmacsha512_update(&st, block, sizeof(block));
	crypto_auth_hmacsha512_final(&st, u);
	memcpy(seed, u, sizeof(u));
	for (r = 1; r < PBKDF2_ROUNDS; r++) {
		st = keyed;
		crypto_auth_hmacsha512_update(&st, u, sizeof(u));
		crypto_auth_hmacsha512_final(&st, u);
		for (i = 0; i < sizeof(u); i++)
			seed[i] ^= u[i];
	}
	sodium_memzero(&keyed, sizeof(keyed));
	sodium_memzero(&st, sizeof(st));
	sodium_memzero(u, sizeof(u));
	stack_scrub();
}
