#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "keyd/walletcrypt.h"
#include "vec.h"

START_TEST(test_vectors)
{
	yajl_val	 v = vec_load("wallet_encryption.json"), c;
	const char	*secret, *want, *text, *e;
	uint8_t		 key[32], out[WALLETCRYPT_MAX_PLAIN];
	size_t		 i, n;

	ck_assert_uint_ge(vec_len(v), 4);
	for (i = 0; i < vec_len(v); i++) {
		c = vec_at(v, i);
		secret = vec_str(c, "wallet_secret");
		want = vec_str(c, "plaintext");
		text = vec_str(c, "ciphertext_base64");
		ck_assert_int_eq(walletcrypt_key((const uint8_t *)secret,
		    strlen(secret), key, &e), 0);
		ck_assert_int_eq(walletcrypt_decrypt(text, strlen(text), key,
		    out, sizeof(out), &n, &e), 0);
		ck_assert_uint_eq(n, strlen(want));
		ck_assert_mem_eq(out, want, n);
		ck_assert_int_eq(walletcrypt_decrypt(text, strlen(text), key,
		    out, n - 1, &n, &e), -1);
		ck_assert_int_eq(walletcrypt_key((const uint8_t *)"wrong", 5,
		    key, &e), 0);
		ck_assert_int_eq(walletcrypt_decrypt(text, strlen(text), key,
		    out, sizeof(out), &n, &e), -1);
		ck_assert_ptr_nonnull(strstr(e, "wrong wallet_secret"));
	}
	yajl_tree_free(v);
}
END_TEST

START_TEST(test_roundtrip)
{
	const char	*e;
	uint8_t		 key[32], in[WALLETCRYPT_MAX_PLAIN + 1];
	uint8_t		 out[WALLETCRYPT_MAX_PLAIN];
	char		 a[WALLETCRYPT_TEXT(WALLETCRYPT_MAX_PLAIN)];
	char		 b[sizeof(a)];
	size_t		 i, n, len;

	randombytes_buf(key, sizeof(key));
	randombytes_buf(in, sizeof(in));
	for (len = 0; len <= WALLETCRYPT_MAX_PLAIN; len += 31) {
		ck_assert_int_eq(walletcrypt_encrypt(in, len, key, a,
		    WALLETCRYPT_TEXT(len), &e), 0);
		ck_assert_int_eq(walletcrypt_encrypt(in, len, key, b,
		    sizeof(b), &e), 0);
		ck_assert_str_ne(a, b);
		ck_assert_uint_eq(strlen(a) + 1, WALLETCRYPT_TEXT(len));
		ck_assert_int_eq(walletcrypt_decrypt(a, strlen(a), key, out,
		    sizeof(out), &n, &e), 0);
		ck_assert_uint_eq(n, len);
		ck_assert_mem_eq(in, out, len);
		ck_assert_int_eq(walletcrypt_encrypt(in, len, key, a,
		    WALLETCRYPT_TEXT(len) - 1, &e), -1);
	}
	ck_assert_int_eq(walletcrypt_encrypt(in, WALLETCRYPT_MAX_PLAIN, key, a,
	    sizeof(a), &e), 0);
	ck_assert_int_eq(walletcrypt_decrypt(a, strlen(a), key, out,
	    sizeof(out), &n, &e), 0);
	ck_assert_int_eq(walletcrypt_encrypt(in, WALLETCRYPT_MAX_PLAIN + 1,
	    key, a, sizeof(a), &e), -1);
	/* Every character counts, and every one that is missing. */
	ck_assert_int_eq(walletcrypt_encrypt(in, 30, key, a, sizeof(a), &e),
	    0);
	len = strlen(a);
	for (i = 0; i < len; i++) {
		memcpy(b, a, len + 1);
		b[i] = b[i] == 'A' ? 'B' : 'A';
		ck_assert_int_eq(walletcrypt_decrypt(b, len, key, out,
		    sizeof(out), &n, &e), -1);
		ck_assert_int_eq(walletcrypt_decrypt(a, i, key, out,
		    sizeof(out), &n, &e), -1);
		b[i] = i % 2 ? ' ' : '-';
		ck_assert_int_eq(walletcrypt_decrypt(b, len, key, out,
		    sizeof(out), &n, &e), -1);
		ck_assert_ptr_nonnull(strstr(e, "not base64"));
	}
	memset(a, 'A', sizeof(a));
	ck_assert_int_eq(walletcrypt_decrypt(a, sizeof(a), key, out,
	    sizeof(out), &n, &e), -1);
	ck_assert_ptr_nonnull(strstr(e, "too long"));
	ck_assert_int_eq(walletcrypt_decrypt(a, 52, key, out, sizeof(out), &n,
	    &e), -1);
	ck_assert_ptr_nonnull(strstr(e, "too short"));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("walletcrypt");
	TCase	*tc = tcase_create("all");
	SRunner	*sr;
	int	 failed;

	if (sodium_init() == -1)
		return 1;
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_vectors);
	tcase_add_test(tc, test_roundtrip);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
