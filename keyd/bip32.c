#include <sys/types.h>
#include <sys/endian.h>

#include <stdio.h>
#include <string.h>

#include <rmd160.h>
#include <sodium.h>

#include "bip32.h"
#include "curve.h"

/* What crypto_auth_hmacsha512 leaves: left half key or tweak, right half chain. */
struct halves {
	uint8_t	 left[32];
	uint8_t	 right[32];
};

static void	hmac512(const uint8_t *, size_t, const uint8_t *, size_t,
		    struct halves *);

static void
hmac512(const uint8_t *key, size_t keylen, const uint8_t *data, size_t len,
    struct halves *out)
{
	crypto_auth_hmacsha512_state	 st;
	uint8_t				 mac[64];

	crypto_auth_hmacsha512_init(&st, key, keylen);
	crypto_auth_hmacsha512_update(&st, data, len);
	crypto_auth_hmacsha512_final(&st, mac);
	memcpy(out->left, mac, 32);
	memcpy(out->right, mac + 32, 32);
	sodium_memzero(mac, sizeof(mac));
	sodium_memzero(&st, sizeof(st));
}

int
bip32_path_parse(const char *text, size_t len, struct bip32_path *path,
    const char **errstr)
{
	size_t		 i = 1;
	uint64_t	 v;
	bool		 digits;

	memset(path, 0, sizeof(*path));
	if (len == 0)
		return 0;
	if (text[0] != 'm') {
		*errstr = "derivation path does not start with m";
		return -1;
	}
	while (i < len) {
		if (text[i++] != '/') {
			*errstr = "derivation path: / expected";
			return -1;
		}
		if (path->n == BIP32_MAX_PATH) {
			*errstr = "derivation path has more than 32 steps";
			return -1;
		}
		for (v = 0, digits = false; i < len && text[i] >= '0' &&
		    text[i] <= '9'; i++) {
			digits = true;
			v = v * 10 + (uint64_t)(text[i] - '0');
			if (v >= BIP32_HARDENED) {
				*errstr = "derivation path: index above "
				    "2147483647";
				return -1;
			}
		}
		if (!digits) {
			*errstr = "derivation path: number expected";
			return -1;
		}
		if (i < len && text[i] == '\'') {
			v |= BIP32_HARDENED;
			i++;
		}
		path->step[path->n++] = (uint32_t)v;
	}
	return 0;
}

void
bip32_path_format(const struct bip32_path *path, char *out)
{
	size_t	 i, at = 1;
	int	 n;

	out[0] = 'm';
	out[1] = '\0';
	for (i = 0; i < path->n; i++) {
		n = snprintf(out + at, BIP32_PATH_TEXT - at, "/%u%s",
		    path->step[i] & ~BIP32_HARDENED,
		    path->step[i] & BIP32_HARDENED ? "'" : "");
		if (n < 0 || (size_t)n >= BIP32_PATH_TEXT - at)
			return;
		at += (size_t)n;
	}
}

int
bip32_master(const uint8_t *seed, size_t len, struct bip32_prv *out)
{
	struct halves	 h;
	uint8_t		 pub[33];
	int		 ret = -1;

	memset(out, 0, sizeof(*out));
	if (len < 16 || len > 64)
		return -1;
	hmac512((const uint8_t *)"Bitcoin seed", 12, seed, len, &h);
	if (curve_pubkey(h.left, pub) == 0) {
		memcpy(out->key, h.left, 32);
		memcpy(out->chain, h.right, 32);
		ret = 0;
	}
	sodium_memzero(&h, sizeof(h));
	stack_scrub();
	return ret;
}

int
bip32_ckd_prv(const struct bip32_prv *parent, uint32_t index,
    struct bip32_prv *out)
{
	struct bip32_prv	 child;
	struct halves		 h;
	uint8_t			 pub[33], data[37];
	int			 ret = -1;

	memset(&child, 0, sizeof(child));
	if (parent->depth == UINT8_MAX ||
	    curve_pubkey(parent->key, pub) == -1)
		goto out;
	if (index & BIP32_HARDENED) {
		data[0] = 0;
		memcpy(data + 1, parent->key, 32);
	} else
		memcpy(data, pub, 33);
	be32enc(data + 33, index);
	hmac512(parent->chain, 32, data, sizeof(data), &h);
	memcpy(child.key, parent->key, 32);
	memcpy(child.chain, h.right, 32);
	child.depth = (uint8_t)(parent->depth + 1);
	child.child = index;
	bip32_fingerprint(pub, child.parent);
	if ((ret = curve_tweak(child.key, h.left)) == 0)
		memcpy(out, &child, sizeof(child));
	sodium_memzero(&h, sizeof(h));
	sodium_memzero(data, sizeof(data));
out:
	if (ret == -1)
		bip32_wipe(out);
	bip32_wipe(&child);
	return ret;
}

int
bip32_derive(const struct bip32_prv *from, const struct bip32_path *path,
    struct bip32_prv *out)
{
	size_t	 i;
	int	 ret = 0;

	if (out != from)
		memcpy(out, from, sizeof(*out));
	for (i = 0; i < path->n && ret == 0; i++)
		ret = bip32_ckd_prv(out, path->step[i], out);
	stack_scrub();
	return ret;
}

int
bip32_neuter(const struct bip32_prv *prv, struct bip32_pub *out)
{
	memset(out, 0, sizeof(*out));
	if (curve_pubkey(prv->key, out->key) == -1)
		return -1;
	memcpy(out->chain, prv->chain, 32);
	out->depth = prv->depth;
	out->child = prv->child;
	memcpy(out->parent, prv->parent, 4);
	return 0;
}

int
bip32_ckd_pub(const struct bip32_pub *parent, uint32_t index,
    struct bip32_pub *out)
{
	const secp256k1_context	*ctx = secp256k1_context_static;
	secp256k1_pubkey	 pk;
	struct bip32_pub	 child;
	struct halves		 h;
	uint8_t			 data[37];
	size_t			 len = 33;

	if ((index & BIP32_HARDENED) || parent->depth == UINT8_MAX)
		return -1;
	memcpy(data, parent->key, 33);
	be32enc(data + 33, index);
	hmac512(parent->chain, 32, data, sizeof(data), &h);
	if (!secp256k1_ec_pubkey_parse(ctx, &pk, parent->key, 33) ||
	    !secp256k1_ec_pubkey_tweak_add(ctx, &pk, h.left))
		return -1;
	memset(&child, 0, sizeof(child));
	(void)secp256k1_ec_pubkey_serialize(ctx, child.key, &len, &pk,
	    SECP256K1_EC_COMPRESSED);
	memcpy(child.chain, h.right, 32);
	child.depth = (uint8_t)(parent->depth + 1);
	child.child = index;
	bip32_fingerprint(parent->key, child.parent);
	*out = child;
	return 0;
}

void
bip32_fingerprint(const uint8_t pub[33], uint8_t out[4])
{
	RMD160_CTX	 ctx;
	uint8_t		 sha[32], rmd[RMD160_DIGEST_LENGTH];

	(void)crypto_hash_sha256(sha, pub, 33);
	RMD160Init(&ctx);
	RMD160Update(&ctx, sha, sizeof(sha));
	RMD160Final(rmd, &ctx);
	memcpy(out, rmd, 4);
}

void
bip32_wipe(struct bip32_prv *k)
{
	sodium_memzero(k, sizeof(*k));
}
