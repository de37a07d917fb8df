#include <sys/types.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "keyd/base58.h"
#include "keyd/bip32.h"
#include "keyd/curve.h"
#include "kaspa.h"
#include "vec.h"

static void	 path_ok(const char *, size_t, const char *);
static void	 path_bad(const char *, const char *);
static void	 check_address(yajl_val, const char *, enum kaspa_network,
		    const uint8_t[33]);
static void	 random_key(struct bip32_prv *);

static void
path_ok(const char *text, size_t steps, const char *canonical)
{
	struct bip32_path	 p;
	const char		*e;
	char			 out[BIP32_PATH_TEXT];

	ck_assert_int_eq(bip32_path_parse(text, strlen(text), &p, &e), 0);
	ck_assert_uint_eq(p.n, steps);
	bip32_path_format(&p, out);
	ck_assert_str_eq(out, canonical);
}

static void
path_bad(const char *text, const char *want)
{
	struct bip32_path	 p;
	const char		*e = "";

	ck_assert_int_eq(bip32_path_parse(text, strlen(text), &p, &e), -1);
	ck_assert_msg(strstr(e, want) != NULL, "\"%s\" has no \"%s\"", e, want);
}

START_TEST(test_path)
{
	struct bip32_path	 p;
	const char		*e;

	path_ok("", 0, "m");
	path_ok("m", 0, "m");
	path_ok("m/44'/111111'/0'/0/0", 5, "m/44'/111111'/0'/0/0");
	path_ok("m/2147483647'/2147483647", 2, "m/2147483647'/2147483647");
	path_ok("m/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9"
	    "/0/1", 32, "m/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/"
	    "5/6/7/8/9/0/1");
	ck_assert_int_eq(bip32_path_parse("m/1'/2xxx", 6, &p, &e), 0);
	ck_assert_uint_eq(p.step[0], BIP32_HARDENED + 1);
	ck_assert_uint_eq(p.step[1], 2);
	path_bad("M/0", "start with m");
	path_bad("/0", "start with m");
	path_bad("0/1", "start with m");
	path_bad("m0", "/ expected");
	path_bad("m/", "number expected");
	path_bad("m//0", "number expected");
	path_bad("m/0/", "number expected");
	path_bad("m/0h", "/ expected");
	path_bad("m/0H", "/ expected");
	path_bad("m/0''", "/ expected");
	path_bad("m/'", "number expected");
	path_bad("m/-1", "number expected");
	path_bad("m/+1", "number expected");
	path_bad("m/ 1", "number expected");
	path_bad("m/1 ", "/ expected");
	path_bad("m/2147483648", "above");
	path_bad("m/99999999999999999999999999", "above");
	path_bad("m/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/"
	    "9/0/1/2", "32 steps");
}
END_TEST

static void
check_address(yajl_val addresses, const char *name, enum kaspa_network net,
    const uint8_t pub[33])
{
	struct kaspa_address	 a;
	char			 text[ADDRESS_MAX];

	memset(&a, 0, sizeof(a));
	a.network = net;
	a.version = ADDRESS_SCHNORR;
	a.len = 32;
	memcpy(a.payload, pub + 1, 32);
	address_encode(&a, text);
	ck_assert_str_eq(text, vec_str(addresses, name));
}

/* hd.json whole: master, every key, every address. */
START_TEST(test_vectors)
{
	yajl_val		 v = vec_load("hd.json"), c, ks, k, ad;
	struct bip32_prv	 master, got;
	struct bip32_path	 path;
	const char		*e, *text;
	uint8_t			*seed, pub[33];
	char			 x[BIP32_XKEY_MAX];
	size_t			 i, j, len, total = 0;

	for (i = 0; i < vec_len(v); i++) {
		c = vec_at(v, i);
		seed = vec_unhex(vec_str(c, "seed"), &len);
		ck_assert_int_eq(bip32_master(seed, len, &master), 0);
		free(seed);
		bip32_prv_encode(&master, BIP32_KPRV, x);
		ck_assert_str_eq(x, vec_str(c, "kprv"));
		ck_assert_int_eq(bip32_prv_decode(x, strlen(x), &got, NULL,
		    &e), 0);
		ck_assert_mem_eq(&got, &master, sizeof(got));
		ks = vec_get(c, "keys");
		for (j = 0; j < vec_len(ks); j++, total++) {
			k = vec_at(ks, j);
			text = vec_str(k, "path");
			ck_assert_int_eq(bip32_path_parse(text, strlen(text),
			    &path, &e), 0);
			ck_assert_int_eq(bip32_derive(&master, &path, &got),
			    0);
			ck_assert_str_eq(vec_hex(got.key, 32),
			    vec_str(k, "private_key"));
			ck_assert_int_eq(curve_pubkey(got.key, pub), 0);
			ck_assert_str_eq(vec_hex(pub, 33),
			    vec_str(k, "public_key"));
			ad = vec_get(k, "addresses");
			check_address(ad, "mainnet", KASPA_MAINNET, pub);
			check_address(ad, "testnet-10", KASPA_TESTNET, pub);
			check_address(ad, "devnet", KASPA_DEVNET, pub);
			check_address(ad, "simnet", KASPA_SIMNET, pub);
		}
	}
	ck_assert_uint_ge(total, 72);
	yajl_tree_free(v);
}
END_TEST

/* Test vectors 1 and 4 of BIP32 (4: private keys with leading zeros). */
START_TEST(test_bip32_vectors)
{
	static const struct {
		const char	*seed, *path, *xpub, *xprv;
	} t[] = {
		{ "000102030405060708090a0b0c0d0e0f", "m",
		  "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2"
		  "gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8",
		  "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqji"
		  "ChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi" },
		{ "000102030405060708090a0b0c0d0e0f", "m/0'/1",
		  "xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFH"
		  "KkNAWbWMiGj7Wf5uMash7SyYq527Hqck2AxYysAA7xmALppuCkwQ",
		  "xprv9wTYmMFdV23N2TdNG573QoEsfRrWKQgWeibmLntzniatZvR9BmLnvSx"
		  "qu53Kw1UmYPxLgboyZQaXwTCg8MSY3H2EU4pWcQDnRnrVA1xe8fs" },
		{ "3ddd5602285899a946114506157c7997e5444528f3003f6134712147db19"
		  "b678", "m/0'",
		  "xpub69AUMk3qDBi3uW1sXgjCmVjJ2G6WQoYSnNHyzkmdCHEhSZ4tBok37xf"
		  "FEqHd2AddP56Tqp4o56AePAgCjYdvpW2PU2jbUPFKsav5ut6Ch1m",
		  "xprv9vB7xEWwNp9kh1wQRfCCQMnZUEG21LpbR9NPCNN1dwhiZkjjeGRnaAL"
		  "mPXCX7SgjFTiCTT6bXes17boXtjq3xLpcDjzEuGLQBM5ohqkao9G" }
	};
	struct bip32_prv	 prv;
	struct bip32_pub	 pub, dec;
	struct bip32_path	 path;
	const char		*e;
	uint8_t			*seed;
	uint32_t		 ver;
	char			 x[BIP32_XKEY_MAX];
	size_t			 i, len;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		seed = vec_unhex(t[i].seed, &len);
		ck_assert_int_eq(bip32_master(seed, len, &prv), 0);
		free(seed);
		ck_assert_int_eq(bip32_path_parse(t[i].path,
		    strlen(t[i].path), &path, &e), 0);
		ck_assert_int_eq(bip32_derive(&prv, &path, &prv), 0);
		bip32_prv_encode(&prv, BIP32_XPRV, x);
		ck_assert_str_eq(x, t[i].xprv);
		ck_assert_int_eq(bip32_neuter(&prv, &pub), 0);
		bip32_pub_encode(&pub, BIP32_XPUB, x);
		ck_assert_str_eq(x, t[i].xpub);
		ck_assert_int_eq(bip32_pub_decode(x, strlen(x), &dec, &ver,
		    &e), 0);
		ck_assert_uint_eq(ver, BIP32_XPUB);
		ck_assert_mem_eq(&dec, &pub, sizeof(pub));
	}
}
END_TEST

static void
random_key(struct bip32_prv *k)
{
	uint8_t	 seed[64];

	randombytes_buf(seed, sizeof(seed));
	ck_assert_int_eq(bip32_master(seed, sizeof(seed), k), 0);
}

/* Neuter then derive is derive then neuter. */
START_TEST(test_public_derivation)
{
	struct bip32_prv	 prv;
	struct bip32_pub	 a, b;
	uint32_t		 index;
	int			 i, j;

	for (i = 0; i < 10; i++) {
		random_key(&prv);
		ck_assert_int_eq(bip32_neuter(&prv, &a), 0);
		for (j = 0; j < 6; j++) {
			index = randombytes_uniform(BIP32_HARDENED);
			ck_assert_int_eq(bip32_ckd_prv(&prv, index, &prv), 0);
			ck_assert_int_eq(bip32_ckd_pub(&a, index, &a), 0);
			ck_assert_int_eq(bip32_neuter(&prv, &b), 0);
			ck_assert_mem_eq(&a, &b, sizeof(a));
		}
		ck_assert_int_eq(bip32_ckd_pub(&a, BIP32_HARDENED, &b), -1);
	}
	prv.depth = 255;
	ck_assert_int_eq(bip32_ckd_prv(&prv, 0, &prv), -1);
	ck_assert(sodium_is_zero((const uint8_t *)&prv, sizeof(prv)));
	a.depth = 255;
	ck_assert_int_eq(bip32_ckd_pub(&a, 0, &a), -1);
	ck_assert_int_eq(bip32_master((const uint8_t *)"short", 5, &prv), -1);
}
END_TEST

START_TEST(test_text)
{
	static const uint32_t	 prvv[] = { BIP32_KPRV, BIP32_KTRV, BIP32_XPRV };
	static const uint32_t	 pubv[] = { BIP32_KPUB, BIP32_KTUB, BIP32_XPUB };
	static const char	*const prvs[] = { "kprv", "ktrv", "xprv" };
	static const char	*const pubs[] = { "kpub", "ktub", "xpub" };
	struct bip32_prv	 prv, got;
	struct bip32_pub	 pub, gpub;
	const char		*e;
	uint32_t		 v;
	char			 x[BIP32_XKEY_MAX];
	size_t			 i, j;

	for (i = 0; i < 3; i++) {
		random_key(&prv);
		ck_assert_int_eq(bip32_ckd_prv(&prv, BIP32_HARDENED | 7, &prv),
		    0);
		ck_assert_int_eq(bip32_neuter(&prv, &pub), 0);
		bip32_prv_encode(&prv, prvv[i], x);
		ck_assert_mem_eq(x, prvs[i], 4);
		ck_assert_int_eq(bip32_prv_decode(x, strlen(x), &got, &v, &e),
		    0);
		ck_assert_uint_eq(v, prvv[i]);
		ck_assert_mem_eq(&got, &prv, sizeof(prv));
		ck_assert_int_eq(bip32_pub_decode(x, strlen(x), &gpub, &v, &e),
		    -1);
		bip32_pub_encode(&pub, pubv[i], x);
		ck_assert_mem_eq(x, pubs[i], 4);
		ck_assert_int_eq(bip32_pub_decode(x, strlen(x), &gpub, &v, &e),
		    0);
		ck_assert_uint_eq(v, pubv[i]);
		ck_assert_mem_eq(&gpub, &pub, sizeof(pub));
		ck_assert_int_eq(bip32_prv_decode(x, strlen(x), &got, &v, &e),
		    -1);
		/* One character wrong, or missing, anywhere. */
		for (j = 0; j < strlen(x); j++) {
			x[j] = x[j] == '2' ? '3' : '2';
			ck_assert_int_eq(bip32_pub_decode(x, strlen(x), &gpub,
			    &v, &e), -1);
			bip32_pub_encode(&pub, pubv[i], x);
			ck_assert_int_eq(bip32_pub_decode(x, j, &gpub, &v, &e),
			    -1);
		}
	}
	/* BIP32 test vector 5: a private key version with a public key. */
	ck_assert_int_eq(bip32_prv_decode("xprv9s21ZrQH143K24Mfq5zL5MhWK9hUhh"
	    "bd45hLXo2Pq2oqzMMo63oStZzFGTQQD3dC4H2D5GBj7vWvSQaaBv5cxi9gafk7NF"
	    "3pnBju6dwKvH", 111, &got, &v, &e), -1);
}
END_TEST

START_TEST(test_base58)
{
	uint8_t	 in[BASE58_MAX_DATA + 1], out[BASE58_MAX_DATA];
	char	 t[BASE58_MAX_TEXT];
	size_t	 len;
	ssize_t	 n;

	/* Address of key hash 0 in Bitcoin: leading zeros are leading ones. */
	memset(in, 0, sizeof(in));
	ck_assert_int_eq(base58check_encode(in, 21, t, sizeof(t)), 27);
	ck_assert_str_eq(t, "1111111111111111111114oLvT2");
	for (len = 0; len <= BASE58_MAX_DATA; len++) {
		randombytes_buf(in, len);
		memset(in, 0, len % 4 < len ? len % 4 : len);
		n = base58check_encode(in, len, t, sizeof(t));
		ck_assert_int_gt(n, 0);
		ck_assert_int_eq(base58check_decode(t, (size_t)n, out,
		    sizeof(out)), (ssize_t)len);
		ck_assert_mem_eq(in, out, len);
		ck_assert_int_eq(base58check_encode(in, len, t, (size_t)n), -1);
		if (len > 0)
			ck_assert_int_eq(base58check_decode(t, (size_t)n, out,
			    len - 1), -1);
	}
	memset(in, 0xff, sizeof(in));
	ck_assert_int_gt(base58check_encode(in, BASE58_MAX_DATA, t, sizeof(t)),
	    0);
	ck_assert_int_eq(base58check_encode(in, BASE58_MAX_DATA + 1, t,
	    sizeof(t)), -1);
	ck_assert_int_eq(base58check_decode("", 0, out, sizeof(out)), -1);
	ck_assert_int_eq(base58check_decode("1111", 4, out, sizeof(out)), -1);
	ck_assert_int_eq(base58check_decode("0OIl", 4, out, sizeof(out)), -1);
	memset(t, 'z', sizeof(t));
	ck_assert_int_eq(base58check_decode(t, sizeof(t) - 1, out,
	    sizeof(out)), -1);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("bip32");
	TCase	*tc = tcase_create("all");
	SRunner	*sr;
	int	 failed;

	if (curve_init() == -1)
		return 1;
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_path);
	tcase_add_test(tc, test_vectors);
	tcase_add_test(tc, test_bip32_vectors);
	tcase_add_test(tc, test_public_derivation);
	tcase_add_test(tc, test_text);
	tcase_add_test(tc, test_base58);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
