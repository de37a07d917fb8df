/* Extended keys as text (BIP32, "Serialization format"). */
#include <sys/types.h>
#include <sys/endian.h>

#include <string.h>

#include <sodium.h>

#include "base58.h"
#include "bip32.h"
#include "curve.h"

#define XKEY_LEN	78	/* version, depth, parent, child, chain, key */

static void	xkey_encode(uint32_t, uint8_t, const uint8_t[4], uint32_t,
		    const uint8_t[32], const uint8_t[33], char *);
static int	xkey_decode(const char *, size_t, uint8_t[XKEY_LEN],
		    const char **);

static void
xkey_encode(uint32_t version, uint8_t depth, const uint8_t parent[4],
    uint32_t child, const uint8_t chain[32], const uint8_t key[33], char *out)
{
	uint8_t	 b[XKEY_LEN];

	be32enc(b, version);
	b[4] = depth;
	memcpy(b + 5, parent, 4);
	be32enc(b + 9, child);
	memcpy(b + 13, chain, 32);
	memcpy(b + 45, key, 33);
	if (base58check_encode(b, sizeof(b), out, BIP32_XKEY_MAX) == -1)
		out[0] = '\0';
	sodium_memzero(b, sizeof(b));
}

void
bip32_prv_encode(const struct bip32_prv *k, uint32_t version, char *out)
{
	uint8_t	 key[33];

	key[0] = 0;
	memcpy(key + 1, k->key, 32);
	xkey_encode(version, k->depth, k->parent, k->child, k->chain, key, out);
	sodium_memzero(key, sizeof(key));
	stack_scrub();
}

void
bip32_pub_encode(const struct bip32_pub *k, uint32_t version, char *out)
{
	xkey_encode(version, k->depth, k->parent, k->child, k->chain, k->key,
	    out);
}

static int
xkey_decode(const char *text, size_t len, uint8_t b[XKEY_LEN],
    const char **errstr)
{
	static const uint8_t	 zero[8];

	if (base58check_decode(text, len, b, XKEY_LEN) != XKEY_LEN) {
		*errstr = "extended key: not Base58Check of 78 bytes";
		return -1;
	}
	if (b[4] == 0 && memcmp(b + 5, zero, 8) != 0) {
		*errstr = "extended key: a master key with a parent";
		return -1;
	}
	return 0;
}

int
bip32_prv_decode(const char *text, size_t len, struct bip32_prv *k,
    uint32_t *version, const char **errstr)
{
	uint8_t		 b[XKEY_LEN], pub[33];
	uint32_t	 v;
	int		 ret = -1;

	memset(k, 0, sizeof(*k));
	if (xkey_decode(text, len, b, errstr) == -1)
		goto out;
	v = be32dec(b);
	if (v != BIP32_KPRV && v != BIP32_KTRV && v != BIP32_XPRV) {
		*errstr = "extended key: not kprv, ktrv or xprv";
		goto out;
	}
	if (b[45] != 0 || curve_pubkey(b + 46, pub) == -1) {
		*errstr = "extended key: not a valid private key";
		goto out;
	}
	if (version != NULL)
		*version = v;
	k->depth = b[4];
	memcpy(k->parent, b + 5, 4);
	k->child = be32dec(b + 9);
	memcpy(k->chain, b + 13, 32);
	memcpy(k->key, b + 46, 32);
	ret = 0;
out:
	sodium_memzero(b, sizeof(b));
	stack_scrub();
	return ret;
}

int
bip32_pub_decode(const char *text, size_t len, struct bip32_pub *k,
    uint32_t *version, const char **errstr)
{
	secp256k1_pubkey	 pk;
	uint8_t			 b[XKEY_LEN];
	uint32_t		 v;

	memset(k, 0, sizeof(*k));
	if (xkey_decode(text, len, b, errstr) == -1)
		goto bad;
	v = be32dec(b);
	if (v != BIP32_KPUB && v != BIP32_KTUB && v != BIP32_XPUB) {
		*errstr = "extended key: not kpub, ktub or xpub";
		goto bad;
	}
	if (!secp256k1_ec_pubkey_parse(secp256k1_context_static, &pk, b + 45,
	    33)) {
		*errstr = "extended key: not a valid public key";
		goto bad;
	}
	if (version != NULL)
		*version = v;
	k->depth = b[4];
	memcpy(k->parent, b + 5, 4);
	k->child = be32dec(b + 9);
	memcpy(k->chain, b + 13, 32);
	memcpy(k->key, b + 45, 33);
	return 0;
bad:
	/* It may have been a private key. */
	sodium_memzero(b, sizeof(b));
	return -1;
}
