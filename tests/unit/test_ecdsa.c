/* common/ecdsa: what a Kaspa script takes, and what it does not. */
#include <check.h>
#include <secp256k1.h>
#include <string.h>

#include "ecdsa.h"
#include "vec.h"

#define DIGEST	"bcb4e3b84f9756016e88a4bd6292ce4cbb2dd92263c1ea4a9742435ee2b0b330"

static secp256k1_context	*secp;
static uint8_t			 key[33], digest[32], sig[64], der[72];
static size_t			 der_len;

/* A signature of the secret 7; libsecp256k1 makes s low. */
static void
setup(void)
{
	secp256k1_ecdsa_signature	 s;
	secp256k1_pubkey		 pk;
	uint8_t				 secret[32] = { [31] = 7 };
	size_t				 len = sizeof(key);

	secp = secp256k1_context_create(SECP256K1_CONTEXT_SIGN);
	ck_assert_ptr_nonnull(secp);
	memset(digest, 0x5a, sizeof(digest));
	ck_assert(secp256k1_ec_pubkey_create(secp, &pk, secret));
	ck_assert(secp256k1_ec_pubkey_serialize(secp, key, &len, &pk,
	    SECP256K1_EC_COMPRESSED));
	ck_assert(secp256k1_ecdsa_sign(secp, &s, digest, secret, NULL, NULL));
	der_len = sizeof(der);
	ck_assert(secp256k1_ecdsa_signature_serialize_der(secp, der, &der_len,
	    &s));
	ck_assert(secp256k1_ecdsa_signature_serialize_compact(secp, sig, &s));
}

static void
teardown(void)
{
	secp256k1_context_destroy(secp);
}

START_TEST(verifies)
{
	uint8_t	 got[64];

	ck_assert_int_eq(ecdsa_compact(der, der_len, got), 0);
	ck_assert_mem_eq(got, sig, sizeof(sig));
	ck_assert(ecdsa_verify(key, digest, sig));
	digest[0] ^= 1;
	ck_assert(!ecdsa_verify(key, digest, sig));
	digest[0] ^= 1;
	sig[40] ^= 1;
	ck_assert(!ecdsa_verify(key, digest, sig));
	sig[40] ^= 1;
	key[0] ^= 1;	/* the other y */
	ck_assert(!ecdsa_verify(key, digest, sig));
	key[0] = 4;
	ck_assert(!ecdsa_verify(key, digest, sig));
	key[0] = 2;
	memset(key + 1, 0xff, 32);
	ck_assert(!ecdsa_verify(key, digest, sig));
}
END_TEST

/* The same signature with the order less s: a node does not take it. */
START_TEST(high_s)
{
	ck_assert(secp256k1_ec_seckey_negate(secp, sig + 32));
	ck_assert(!ecdsa_verify(key, digest, sig));
	ck_assert(secp256k1_ec_seckey_negate(secp, sig + 32));
	ck_assert(ecdsa_verify(key, digest, sig));
	memset(sig + 32, 0xff, 32);	/* above the order */
	ck_assert(!ecdsa_verify(key, digest, sig));
	memset(sig, 0, sizeof(sig));
	ck_assert(!ecdsa_verify(key, digest, sig));
}
END_TEST

START_TEST(not_der)
{
	uint8_t	 got[64];
	size_t	 i;

	for (i = 0; i < der_len; i++)
		ck_assert_int_eq(ecdsa_compact(der, i, got), -1);
	der[0] = 0x31;
	ck_assert_int_eq(ecdsa_compact(der, der_len, got), -1);
}
END_TEST

/* SHA256(SHA256(domain) || 32 zero bytes), by Python's hashlib. */
START_TEST(digests)
{
	uint8_t	 hash[32] = { 0 };

	ecdsa_digest(hash, hash);
	ck_assert_str_eq(vec_hex(hash, sizeof(hash)), DIGEST);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("ecdsa");
	TCase	*t = tcase_create("ecdsa");
	SRunner	*r;
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, verifies);
	tcase_add_test(t, high_s);
	tcase_add_test(t, not_der);
	tcase_add_test(t, digests);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
