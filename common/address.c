#include <string.h>

#include "kaspa.h"

#define CHECKSUM_LEN	8	/* characters: 40 bits */
#define MAX_BYTES	34	/* version and an ECDSA key */
#define MAX_GROUPS	55	/* MAX_BYTES in groups of five bits */

static int	 refuse(const char **, const char *);
static size_t	 payload_len(uint8_t);
static uint64_t	 polymod_step(uint64_t, uint8_t);
static uint64_t	 checksum(const char *, size_t, const uint8_t *, size_t);
static size_t	 to_groups(const uint8_t *, size_t, uint8_t *);
static int	 to_bytes(const uint8_t *, size_t, uint8_t *, size_t);
static int	 read_prefix(const char *, size_t, enum kaspa_network *);
static int	 read_groups(const char *, size_t, uint8_t *, const char **);

static const char charset[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static int
refuse(const char **errstr, const char *why)
{
	if (errstr != NULL)
		*errstr = why;
	return -1;
}

/* 0: no such version. */
static size_t
payload_len(uint8_t version)
{
	if (version == ADDRESS_SCHNORR || version == ADDRESS_P2SH)
		return 32;
	return version == ADDRESS_ECDSA ? 33 : 0;
}

static uint64_t
polymod_step(uint64_t c, uint8_t d)
{
	static const uint64_t gen[5] = {
		0x98f2bc8e61, 0x79b76d99e2, 0xf33e5fb3c4, 0xae2eabe2a8,
		0x1e4f43e470
	};
	uint64_t	 c0 = c >> 35;
	unsigned	 i;

	c = (c & 0x07ffffffff) << 5 ^ d;
	for (i = 0; i < 5; i++)
		if (c0 >> i & 1)
			c ^= gen[i];
	return c;
}

/* Over the prefix, a zero, the groups and eight zeros for the checksum. */
static uint64_t
checksum(const char *prefix, size_t prefixlen, const uint8_t *groups, size_t n)
{
	uint64_t	 c = 1;
	size_t		 i;

	for (i = 0; i < prefixlen; i++)
		c = polymod_step(c, (uint8_t)prefix[i] & 31);
	c = polymod_step(c, 0);
	for (i = 0; i < n; i++)
		c = polymod_step(c, groups[i]);
	for (i = 0; i < CHECKSUM_LEN; i++)
		c = polymod_step(c, 0);
	return c ^ 1;
}

/* Most significant bit first, the last group filled up with zeros. */
static size_t
to_groups(const uint8_t *in, size_t len, uint8_t *out)
{
	unsigned	 acc = 0, bits = 0;
	size_t		 i, n = 0;

	for (i = 0; i < len; i++) {
		acc = (acc << 8 | in[i]) & 0xfff;
		for (bits += 8; bits >= 5; bits -= 5)
			out[n++] = (uint8_t)(acc >> (bits - 5) & 31);
	}
	if (bits > 0)
		out[n++] = (uint8_t)(acc << (5 - bits) & 31);
	return n;
}

/* Exactly len bytes from n groups; the bits left over must be zero. */
static int
to_bytes(const uint8_t *groups, size_t n, uint8_t *out, size_t len)
{
	unsigned	 acc = 0, bits = 0;
	size_t		 i, at = 0;

	for (i = 0; i < n; i++) {
		acc = (acc << 5 | groups[i]) & 0xfff;
		bits += 5;
		if (bits >= 8) {
			if (at == len)
				return -1;
			bits -= 8;
			out[at++] = (uint8_t)(acc >> bits);
		}
	}
	if (at != len || bits >= 5 || (acc & ((1U << bits) - 1)) != 0)
		return -1;
	return 0;
}

static int
read_prefix(const char *s, size_t len, enum kaspa_network *network)
{
	static const enum kaspa_network all[] = {
		KASPA_MAINNET, KASPA_TESTNET, KASPA_DEVNET, KASPA_SIMNET
	};
	const char	*prefix;
	size_t		 i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		prefix = kaspa_network_prefix(all[i]);
		if (strlen(prefix) == len && memcmp(prefix, s, len) == 0) {
			*network = all[i];
			return 0;
		}
	}
	return -1;
}

static int
read_groups(const char *s, size_t len, uint8_t *groups, const char **errstr)
{
	const char	*at;
	size_t		 i;

	for (i = 0; i < len; i++) {
		if (s[i] >= 'A' && s[i] <= 'Z')
			return refuse(errstr, "address is not in lower case");
		if (s[i] == '\0' || (at = strchr(charset, s[i])) == NULL)
			return refuse(errstr, "address has a character that "
			    "no address has");
		groups[i] = (uint8_t)(at - charset);
	}
	return 0;
}

int
address_decode(const char *s, size_t len, struct kaspa_address *a,
    const char **errstr)
{
	uint8_t		 groups[MAX_GROUPS + CHECKSUM_LEN], raw[MAX_BYTES];
	const char	*colon;
	uint64_t	 sum = 0;
	size_t		 i, n, prefixlen;

	memset(a, 0, sizeof(*a));
	if ((colon = memchr(s, ':', len)) == NULL)
		return refuse(errstr, "address has no prefix");
	prefixlen = (size_t)(colon - s);
	if (read_prefix(s, prefixlen, &a->network) == -1)
		return refuse(errstr, "address prefix is not kaspa, kaspatest, "
		    "kaspadev or kaspasim");
	n = len - prefixlen - 1;
	if (n < 2 + CHECKSUM_LEN)
		return refuse(errstr, "address is too short");
	if (n > sizeof(groups))
		return refuse(errstr, "address is too long");
	if (read_groups(colon + 1, n, groups, errstr) == -1)
		return -1;
	n -= CHECKSUM_LEN;
	for (i = 0; i < CHECKSUM_LEN; i++)
		sum = sum << 5 | groups[n + i];
	if (checksum(s, prefixlen, groups, n) != sum)
		return refuse(errstr, "address checksum does not match");
	a->version = (uint8_t)(groups[0] << 3 | groups[1] >> 2);
	if ((a->len = payload_len(a->version)) == 0)
		return refuse(errstr, "address version is not 0, 1 or 8");
	if (to_bytes(groups, n, raw, 1 + a->len) == -1)
		return refuse(errstr,
		    "address has a wrong length or padding for its version");
	memcpy(a->payload, raw + 1, a->len);
	return 0;
}

void
address_encode(const struct kaspa_address *a, char *out)
{
	uint8_t		 raw[MAX_BYTES], groups[MAX_GROUPS] = { 0 };
	const char	*prefix = kaspa_network_prefix(a->network);
	uint64_t	 sum;
	size_t		 i, n, at;

	out[0] = '\0';
	if (prefix == NULL || a->len == 0 || a->len != payload_len(a->version))
		return;
	raw[0] = a->version;
	memcpy(raw + 1, a->payload, a->len);
	n = to_groups(raw, 1 + a->len, groups);
	at = strlcpy(out, prefix, ADDRESS_MAX);
	sum = checksum(prefix, at, groups, n);
	out[at++] = ':';
	for (i = 0; i < n; i++)
		out[at++] = charset[groups[i]];
	for (i = CHECKSUM_LEN; i-- > 0;)
		out[at++] = charset[sum >> (5 * i) & 31];
	out[at] = '\0';
}

int
address_from_spk(enum kaspa_network network, const struct spk *spk, char *out)
{
	struct kaspa_address	 a;
	const uint8_t		*script = spk->script.p;

	memset(&a, 0, sizeof(a));
	a.network = network;
	switch (script_classify(spk)) {
	case SCRIPT_NONSTANDARD:
		return -1;
	case SCRIPT_P2PK:
		a.version = ADDRESS_SCHNORR;
		script += 1;
		break;
	case SCRIPT_P2PK_ECDSA:
		a.version = ADDRESS_ECDSA;
		script += 1;
		break;
	case SCRIPT_P2SH:
		a.version = ADDRESS_P2SH;
		script += 2;
		break;
	}
	a.len = payload_len(a.version);
	memcpy(a.payload, script, a.len);
	address_encode(&a, out);
	return 0;
}
