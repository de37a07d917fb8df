/* signd/pskt_combine: of two signatures of one key, which. */
#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>

#include "ecdsa.h"
#include "kaspa.h"
#include "pskt_combine_rig.h"
#include "schnorr.h"

#define SECRET_A \
	"e0d5444bfa387130dbfe1ee6090e586d602a3227657a5eeb48006ecaeb72d40c"

static void
sign(size_t input, uint8_t type, uint8_t out[64])
{
	secp256k1_context	*ctx;
	secp256k1_keypair	 pair;
	struct sighash_cache	 cache;
	uint8_t			 secret[32], hash[32];

	pt_unhex(SECRET_A, secret);
	sighash_cache_init(&cache);
	ck_assert_int_eq(sighash_schnorr(&pt_doc.pskt[0].tx, input, type,
	    &cache, hash), 0);
	ck_assert_ptr_nonnull(ctx = secp256k1_context_create(
	    SECP256K1_CONTEXT_NONE));
	ck_assert_int_eq(secp256k1_keypair_create(ctx, &pair, secret), 1);
	ck_assert_int_eq(secp256k1_schnorrsig_sign32(ctx, out, hash, &pair,
	    NULL), 1);
	secp256k1_context_destroy(ctx);
}

static const char *
signed_by_a(const uint8_t sig[64])
{
	char	 hex[129];

	pskt_hex(sig, 64, hex);
	hex[128] = '\0';
	return with("\"partialSigs\":{ }", pool_printf(&pt_pool,
	    "\"partialSigs\":{\"02" KEY_A "\":{\"schnorr\":\"%s\"}}", hex));
}

/* Of two signatures of one key, the right one. */
START_TEST(signatures)
{
	const char	*good, *bad, *worse;
	uint8_t		 sig[64];

	ck_assert_int_eq(pt_parse(pt_base), 0);
	sign(0, SIGHASH_ALL, sig);
	good = signed_by_a(sig);
	sig[63] ^= 1;
	bad = signed_by_a(sig);
	sig[62] ^= 1;
	worse = signed_by_a(sig);
	ck_assert_str_eq(combine2(good, bad), good);
	ck_assert_str_eq(combine2(bad, good), good);
	ck_assert_str_eq(combine2(bad, worse), bad);
	ck_assert_str_eq(combine2(worse, bad), worse);
	add_doc(bad);
	add_doc(worse);
	add_doc(pt_base);
	add_doc(good);
	ck_assert_str_eq(combined(), good);
	/* By the sighash of what comes out: here the right one's type. */
	sign(0, SIGHASH_NONE, sig);
	bad = signed_by_a(sig);
	ck_assert_str_eq(combine2(bad, good), good);
	ck_assert_str_eq(combine2(good, bad), good);
}
END_TEST

/* Only what is verified counts: one liar among many keeps nobody out. */
START_TEST(one_liar)
{
	enum { DOCS = 30, MEMBERS = 100 };
	const char	*good, *bad;
	char		*all[2], *framed[2], *to;
	uint8_t		 sig[64];
	size_t		 i, k, len;

	ck_assert_int_eq(pt_parse(pt_base), 0);
	sign(0, SIGHASH_ALL, sig);
	good = signed_by_a(sig);
	sig[63] ^= 1;
	bad = signed_by_a(sig);
	len = strlen(good);
	for (k = 0; k < 2; k++) {
		to = all[k] = pool_alloc(&pt_pool, MEMBERS * (len + 1) + 2, 1);
		for (i = 0; i < MEMBERS; i++)
			to += sprintf(to, "%s%s", i == 0 ? "[" : ",",
			    k == 0 ? bad : good);
		(void)sprintf(to, "]");
		framed[k] = pt_frame("PSKB", all[k], strlen(all[k]));
	}
	for (i = 0; i < DOCS; i++)
		add_doc(framed[i != 0]);
	good = combined();
	ck_assert_msg(good != NULL, "%s", pt_err.message);
	ck_assert_str_eq(good, framed[1]);
	free(framed[0]);
	free(framed[1]);
}
END_TEST

/* The base with an ECDSA P2PK of key A's secret, signed so. */
static const char *
ecdsa_signed_by_a(const char *key, const char *sig)
{
	const char	*spk = pool_printf(&pt_pool, "\"000021%sab\",\"block",
	    key);
	char		*s = pt_change("\"" SPK_A "\",\"block", spk), *t;

	t = strstr(s, "\"partialSigs\":{ }");
	ck_assert_ptr_nonnull(t);
	spk = sig == NULL ? s : pool_printf(&pt_pool,
	    "%.*s\"partialSigs\":{\"%s\":%s}%s", (int)(t - s), s, key, sig,
	    t + strlen("\"partialSigs\":{ }"));
	spk = pool_strndup(&pt_pool, spk, strlen(spk));
	free(s);
	return spk;
}

/* Likewise of ECDSA signatures, and by the kind that the script takes. */
START_TEST(ecdsa_signatures)
{
	secp256k1_context		*secp;
	secp256k1_ecdsa_signature	 s;
	secp256k1_pubkey		 pk;
	struct sighash_cache		 cache;
	const char			*good, *bad, *other;
	uint8_t				 secret[32], hash[32], der[72], pub[33];
	uint8_t				 sig[64];
	char				 key[67], hex[145];
	size_t				 len = sizeof(pub);

	secp = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	ck_assert_ptr_nonnull(secp);
	pt_unhex(SECRET_A, secret);
	ck_assert(secp256k1_ec_pubkey_create(secp, &pk, secret));
	ck_assert(secp256k1_ec_pubkey_serialize(secp, pub, &len, &pk,
	    SECP256K1_EC_COMPRESSED));
	pskt_hex(pub, sizeof(pub), key);
	key[66] = '\0';
	ck_assert_int_eq(pt_parse(ecdsa_signed_by_a(key, NULL)), 0);
	sighash_cache_init(&cache);
	ck_assert_int_eq(sighash_schnorr(&pt_doc.pskt[0].tx, 0, SIGHASH_ALL,
	    &cache, hash), 0);
	ecdsa_digest(hash, hash);
	ck_assert(secp256k1_ecdsa_sign(secp, &s, hash, secret, NULL, NULL));
	len = sizeof(der);
	ck_assert(secp256k1_ecdsa_signature_serialize_der(secp, der, &len,
	    &s));
	secp256k1_context_destroy(secp);
	pskt_hex(der, len, hex);
	hex[2 * len] = '\0';
	good = ecdsa_signed_by_a(key, pool_printf(&pt_pool,
	    "{\"eCDSA\":\"%s\"}", hex));
	hex[2 * len - 1] = hex[2 * len - 1] == '0' ? '1' : '0';
	bad = ecdsa_signed_by_a(key, pool_printf(&pt_pool,
	    "{\"eCDSA\":\"%s\"}", hex));
	ck_assert_str_eq(combine2(good, bad), good);
	ck_assert_str_eq(combine2(bad, good), good);
	/* A Schnorr signature of that key is right, and of no use. */
	sign(0, SIGHASH_ALL, sig);
	pskt_hex(sig, sizeof(sig), hex);
	hex[128] = '\0';
	other = ecdsa_signed_by_a(key, pool_printf(&pt_pool,
	    "{\"schnorr\":\"%s\"}", hex));
	ck_assert_str_eq(combine2(other, good), good);
	ck_assert_str_eq(combine2(good, other), good);
}
END_TEST

/* Signatures of a hundred, each in a document of its own. */
START_TEST(hundred)
{
	const char	*s;
	char		 key[67];
	size_t		 i;

	for (i = 0; i < PSKT_MAX_COMBINE; i++) {
		(void)snprintf(key, sizeof(key), "02%064zx", i + 1);
		add_doc(with("\"partialSigs\":{ }", pool_printf(&pt_pool,
		    "\"partialSigs\":{\"%s\":{\"schnorr\":\"" SIG_1 "\"}}",
		    key)));
	}
	ck_assert_ptr_nonnull(s = combined());
	ck_assert_int_eq(pt_parse(s), 0);
	ck_assert_uint_eq(pt_doc.pskt[0].in[0].nsig, PSKT_MAX_COMBINE);
	ck_assert_uint_eq(pt_doc.pskt[0].in[1].nsig, 2);
	for (i = 0; i <= PSKT_MAX_COMBINE; i++)
		add_doc(pt_base);
	ck_assert_ptr_null(combined());
	ck_assert_int_eq(pt_err.code, PSKT_TOO_LARGE);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("pskt_combine_sigs");
	TCase	*tc = tcase_create("pskt_combine_sigs");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(tc, pt_setup, pt_teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, signatures);
	tcase_add_test(tc, one_liar);
	tcase_add_test(tc, ecdsa_signatures);
	tcase_add_test(tc, hundred);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
