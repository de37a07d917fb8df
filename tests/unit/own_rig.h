/*
 * Cosigners of one multisig, by the phrases of hd.json and some more seeds,
 * and a config with their xpubs: what the tests of own scripts share.
 */
#ifndef IGRA_OWN_RIG_H
#define IGRA_OWN_RIG_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "keyd/curve.h"
#include "keyd/policy.h"
#include "vec.h"

#define ACCOUNT	"m/45'/111111'/0'"
#define N	3

static yajl_val		 vectors;
static struct conf	*conf;
static struct own	 own;
static struct own_cache	 cache;
static struct pool	 pool;
static struct bip32_prv	 master[15];
static struct bip32_pub	 account[15];
static uint8_t		 fingerprint[15][4];
static struct own_key	 key;		/* cosigner 0's */

static struct bytes
view(const void *p, size_t len)
{
	struct bytes	 b = { p, len };

	return b;
}

static void
derive(const struct bip32_prv *from, const char *text, struct bip32_prv *out)
{
	struct bip32_path	 path;
	const char		*e;

	ck_assert_int_eq(bip32_path_parse(text, strlen(text), &path, &e), 0);
	ck_assert_int_eq(bip32_derive(from, &path, out), 0);
}

/* The masters of the vectors' phrases, and some more; accounts at path. */
static void
masters(const char *path)
{
	struct bip32_prv	 prv;
	uint8_t			*seed, more[32], pub[33];
	size_t			 i, len;

	for (i = 0; i < 15; i++) {
		memset(more, (int)i, sizeof(more));
		seed = i < vec_len(vectors) ?
		    vec_unhex(vec_str(vec_at(vectors, i), "seed"), &len) : NULL;
		ck_assert_int_eq(seed == NULL ? bip32_master(more, 32,
		    &master[i]) : bip32_master(seed, len, &master[i]), 0);
		free(seed);
		ck_assert_int_eq(curve_pubkey(master[i].key, pub), 0);
		bip32_fingerprint(pub, fingerprint[i]);
		derive(&master[i], path, &prv);
		ck_assert_int_eq(bip32_neuter(&prv, &account[i]), 0);
	}
}

/* A config whose xpubs are those of the cosigners first to first + n - 1. */
static int
try(const char *network, const char *path, size_t first, size_t n,
    unsigned required, const char *extra, const char **errstr)
{
	char	 text[8192], xpub[BIP32_XKEY_MAX], err[256];
	size_t	 i, at;

	at = (size_t)snprintf(text, sizeof(text), "[service]\n"
	    "network = \"%s\"\nactive_profile = \"signer-01\"\n"
	    "[service.hd]\nderivation_path = \"%s\"\n", network, path);
	if (required != 0)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
		    "required_sigs = %u\n", required);
	at += (size_t)snprintf(text + at, sizeof(text) - at, "xpubs = [");
	for (i = 0; i < n; i++) {
		/* The same key in another spelling of its version. */
		bip32_pub_encode(&account[first + i], i == 1 ? BIP32_XPUB :
		    strcmp(network, "mainnet") == 0 ? BIP32_KPUB : BIP32_KTUB,
		    xpub);
		at += (size_t)snprintf(text + at, sizeof(text) - at,
		    "\"%s\",", xpub);
	}
	at += (size_t)snprintf(text + at, sizeof(text) - at, "]\n%s", extra);
	conf_free(conf);
	conf = conf_parse(text, at, "igra.toml", NULL, 0, err, sizeof(err));
	ck_assert_msg(conf != NULL, "%s", err);
	own_free(&own);
	own_cache_init(&cache, &pool);
	key.account = &account[first];
	key.xonly = account[first].key + 1;
	key.fingerprint = fingerprint[first];
	return own_init(&own, conf, errstr);
}

static void
use(const char *network, const char *path, size_t first, size_t n,
    unsigned required)
{
	const char	*errstr = "";

	ck_assert_msg(try(network, path, first, n, required, "",
	    &errstr) == 0, "%s", errstr);
}

static void
setup(void)
{
	ck_assert_int_eq(curve_init(), 0);
	vectors = vec_load("hd.json");
	pool_init(&pool, 0);
	masters(ACCOUNT);
	use("mainnet", ACCOUNT, 0, N, 2);
}

static void
teardown(void)
{
	own_free(&own);
	conf_free(conf);
	conf = NULL;
	pool_free(&pool);
	yajl_tree_free(vectors);
}

static int
cmp33(const void *a, const void *b)
{
	return memcmp(a, b, 33);
}

/* P2SH of m of these n compressed keys, sorted or as they stand. */
static void
p2sh_of(uint8_t (*keys)[33], unsigned m, unsigned n, bool sorted,
    uint8_t *out)
{
	uint8_t	 redeem[MULTISIG_MAX_SCRIPT], xonly[15][32];
	size_t	 len;
	unsigned i;

	if (sorted)
		qsort(keys, n, 33, cmp33);
	for (i = 0; i < n; i++)
		memcpy(xonly[i], keys[i] + 1, 32);
	len = script_multisig(m, n,
	    (const uint8_t (*)[32])(const void *)xonly, redeem);
	ck_assert_uint_ne(len, 0);
	script_p2sh(redeem, len, out);
}

/* The cosigners' keys at a path, by their private keys. */
static void
keys_at(size_t first, size_t n, const char *path, uint8_t (*keys)[33])
{
	struct bip32_prv	 prv;
	size_t			 i;

	for (i = 0; i < n; i++) {
		derive(&master[first + i], path, &prv);
		ck_assert_int_eq(curve_pubkey(prv.key, keys[i]), 0);
	}
}

#endif
