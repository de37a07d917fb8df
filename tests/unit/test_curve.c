#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "keyd/curve.h"
#include "schnorr.h"
#include "vec.h"

static uint8_t	*probe(uint8_t);
static int	 untouched(const volatile uint8_t *, size_t);

/* Keys of an independent implementation. */
START_TEST(test_keys)
{
	yajl_val		 v = vec_load("multisig.json"), c, ks, xs;
	secp256k1_keypair	 kp;
	uint8_t			*k, pub[33], pub2[33];
	size_t			 i, j;

	for (i = 0; i < vec_len(v); i++) {
		c = vec_at(v, i);
		ks = vec_get(c, "private_keys");
		xs = vec_get(c, "xonly_public_keys");
		for (j = 0; j < vec_len(ks); j++) {
			k = vec_unhex(YAJL_GET_STRING(vec_at(ks, j)), NULL);
			ck_assert_int_eq(curve_keypair(k, &kp, pub), 0);
			ck_assert(pub[0] == 2 || pub[0] == 3);
			ck_assert_str_eq(vec_hex(pub + 1, 32),
			    YAJL_GET_STRING(vec_at(xs, j)));
			ck_assert_int_eq(curve_pubkey(k, pub2), 0);
			ck_assert_mem_eq(pub, pub2, 33);
			ck_assert(schnorr_key_valid(pub + 1));
			free(k);
		}
	}
	yajl_tree_free(v);
}
END_TEST

START_TEST(test_sign)
{
	secp256k1_keypair	 kp, other;
	uint8_t			 k[32], pub[33], msg[32], a[64], b[64];
	int			 i;

	for (i = 0; i < 50; i++) {
		randombytes_buf(k, sizeof(k));
		randombytes_buf(msg, sizeof(msg));
		if (i == 25)
			ck_assert_int_eq(curve_rerandomize(), 0);
		ck_assert_int_eq(curve_keypair(k, &kp, pub), 0);
		ck_assert_int_eq(curve_sign(&kp, msg, a), 0);
		ck_assert_int_eq(curve_sign(&kp, msg, b), 0);
		/* Fresh randomness: two signatures of one message differ. */
		ck_assert_mem_ne(a, b, 64);
		ck_assert(schnorr_verify(pub + 1, msg, a));
		ck_assert(schnorr_verify(pub + 1, msg, b));
		ck_assert(curve_verify_own(&kp, msg, a));
		a[i] ^= 1;
		ck_assert(!schnorr_verify(pub + 1, msg, a));
		ck_assert(!curve_verify_own(&kp, msg, a));
		msg[i % 32] ^= 1;
		ck_assert(!curve_verify_own(&kp, msg, b));
		msg[i % 32] ^= 1;
		randombytes_buf(k, sizeof(k));
		ck_assert_int_eq(curve_keypair(k, &other, NULL), 0);
		ck_assert(!curve_verify_own(&other, msg, b));
	}
}
END_TEST

START_TEST(test_bad_keys)
{
	secp256k1_keypair	 kp;
	uint8_t			 k[32] = { 0 }, pub[33];
	static const uint8_t	 order[32] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
		0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b,
		0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41
	};

	ck_assert_int_eq(curve_keypair(k, &kp, pub), -1);
	ck_assert(sodium_is_zero((const uint8_t *)&kp, sizeof(kp)));
	ck_assert_int_eq(curve_keypair(order, &kp, pub), -1);
	ck_assert_int_eq(curve_pubkey(order, pub), -1);
	memcpy(k, order, 32);
	k[31]--;
	ck_assert_int_eq(curve_pubkey(k, pub), 0);
	/* order - 1, plus 1, is no key. */
	memset(pub, 0, sizeof(pub));
	pub[31] = 1;
	ck_assert_int_eq(curve_tweak(k, pub), -1);
	memset(k, 0xff, 32);
	ck_assert(!schnorr_key_valid(k));
	ck_assert(!schnorr_verify(k, k, (const uint8_t[64]){ 0 }));
}
END_TEST

/* Without a context nothing works, and nothing crashes. */
START_TEST(test_no_context)
{
	secp256k1_keypair	 kp;
	uint8_t			 k[32] = { 1 }, pub[33], sig[64];

	ck_assert_int_eq(curve_keypair(k, &kp, pub), 0);
	curve_free();
	ck_assert_int_eq(curve_rerandomize(), -1);
	ck_assert_int_eq(curve_pubkey(k, pub), -1);
	ck_assert_int_eq(curve_tweak(k, k), -1);
	memset(sig, 1, sizeof(sig));
	ck_assert_int_eq(curve_sign(&kp, k, sig), -1);
	ck_assert(sodium_is_zero(sig, sizeof(sig)));
	ck_assert(!curve_verify_own(&kp, k, sig));
	ck_assert_int_eq(curve_keypair(k, &kp, pub), -1);
	ck_assert_int_eq(curve_init(), 0);
	ck_assert_int_eq(curve_init(), 0);
	ck_assert_int_eq(curve_keypair(k, &kp, pub), 0);
}
END_TEST

/* Leaves a pattern on the stack and says where it was. */
static __attribute__((noinline)) uint8_t *
probe(uint8_t v)
{
	volatile uint8_t	 a[60000];
	uint8_t			*volatile at;
	size_t			 i;

	for (i = 0; i < sizeof(a); i++)
		a[i] = v;
	at = (uint8_t *)(uintptr_t)a;
	return at;
}

static __attribute__((noinline, no_sanitize("address"))) int
untouched(const volatile uint8_t *p, size_t len)
{
	size_t	 i;
	int	 n = 0;

	for (i = 0; i < len; i++)
		n += p[i] == 0x5a;
	return n;
}

START_TEST(test_stack_scrub)
{
#ifndef IGRA_SANITIZED
	uint8_t	*p = probe(0x5a);

	/* The pattern is there (less what this call itself overwrites) … */
	ck_assert_int_gt(untouched(p, 50000), 49000);
	p = probe(0x5a);
	stack_scrub();
	/* … and gone. */
	ck_assert_int_lt(untouched(p, 50000), 100);
#endif
#ifdef IGRA_SANITIZED
	(void)probe;
	(void)untouched;
#endif
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("curve");
	TCase	*tc = tcase_create("all");
	SRunner	*sr;
	int	 failed;

	if (curve_init() == -1)
		return 1;
	tcase_add_test(tc, test_keys);
	tcase_add_test(tc, test_sign);
	tcase_add_test(tc, test_bad_keys);
	tcase_add_test(tc, test_no_context);
	tcase_add_test(tc, test_stack_scrub);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
