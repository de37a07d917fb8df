#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "kaspa.h"
#include "vec.h"

static size_t	 build(unsigned, unsigned, uint8_t, uint8_t *);
static int	 parses(const uint8_t *, size_t);
static void	 check_multisig(yajl_val);

/* m of n keys of keylen bytes, all different, by hand. */
static size_t
build(unsigned m, unsigned n, uint8_t keylen, uint8_t *out)
{
	size_t		 at = 0;
	unsigned	 i, k, num[2] = { m, n };

	for (k = 0; k < 2; k++) {
		if (num[k] > 16)
			out[at++] = 0x01;
		out[at++] = (uint8_t)(num[k] > 16 ? num[k] : 0x50 + num[k]);
		for (i = 0; k == 0 && i < n; i++) {
			out[at++] = keylen;
			memset(out + at, (int)(i + 1), keylen);
			at += keylen;
		}
	}
	out[at++] = keylen == 32 ? 0xae : 0xa9;
	return at;
}

static int
parses(const uint8_t *script, size_t len)
{
	struct multisig	 ms;
	uint8_t		*exact;
	int		 r;

	/* An allocation of just that size lets ASan see any byte too far. */
	ck_assert_ptr_nonnull(exact = malloc(len == 0 ? 1 : len));
	memcpy(exact, script, len);
	r = script_multisig_parse(exact, len, &ms);
	free(exact);
	return r;
}

static void
check_multisig(yajl_val c)
{
	uint8_t		 keys[MULTISIG_MAX_KEYS][32], out[MULTISIG_MAX_SCRIPT];
	uint8_t		 p2sh[P2SH_SCRIPT_LEN], *raw;
	yajl_val	 xonly = vec_get(c, "xonly_public_keys");
	struct multisig	 ms;
	struct spk	 spk = { 0, { p2sh, sizeof(p2sh) } };
	unsigned	 m = (unsigned)vec_u64(c, "m"), i;
	unsigned	 n = (unsigned)vec_u64(c, "n");
	size_t		 len;

	ck_assert_uint_eq(vec_len(xonly), n);
	for (i = 0; i < n; i++) {
		raw = vec_unhex(YAJL_GET_STRING(vec_at(xonly, i)), &len);
		ck_assert_uint_eq(len, 32);
		memcpy(keys[i], raw, 32);
		free(raw);
	}
	len = script_multisig(m, n, (const uint8_t (*)[32])keys, out);
	ck_assert_str_eq(vec_hex(out, len), vec_str(c, "redeem_script"));
	script_p2sh(out, len, p2sh);
	ck_assert_str_eq(vec_hex(p2sh, sizeof(p2sh)),
	    vec_str(c, "script_public_key") + 4);
	ck_assert_int_eq(script_classify(&spk), SCRIPT_P2SH);

	ck_assert_int_eq(script_multisig_parse(out, len, &ms), 0);
	ck_assert_uint_eq(ms.m, m);
	ck_assert_uint_eq(ms.n, n);
	ck_assert(!ms.ecdsa);
	for (i = 0; i < n; i++)
		ck_assert_int_eq(script_multisig_index(&ms, keys[i]), (int)i);
	keys[0][31] ^= 1;
	ck_assert_int_eq(script_multisig_index(&ms, keys[0]), -1);
}

START_TEST(vectors)
{
	yajl_val	 v = vec_load("multisig.json");
	size_t		 i;

	ck_assert_uint_eq(vec_len(v), 6);
	for (i = 0; i < vec_len(v); i++)
		check_multisig(vec_at(v, i));
	yajl_tree_free(v);
}
END_TEST

START_TEST(make_range)
{
	uint8_t		 keys[MULTISIG_MAX_KEYS + 1][32] = { { 0 } };
	uint8_t		 out[MULTISIG_MAX_SCRIPT];
	const uint8_t	 (*k)[32] = (const uint8_t (*)[32])keys;

	ck_assert_uint_eq(script_multisig(0, 1, k, out), 0);
	ck_assert_uint_eq(script_multisig(0, 0, k, out), 0);
	ck_assert_uint_eq(script_multisig(2, 1, k, out), 0);
	ck_assert_uint_eq(script_multisig(1, 16, k, out), 0);
	ck_assert_uint_eq(script_multisig(UINT32_MAX, UINT32_MAX, k, out), 0);
	ck_assert_uint_eq(script_multisig(15, 15, k, out), 3 + 15 * 33);
}
END_TEST

START_TEST(parse_all_sizes)
{
	uint8_t		 s[1024], key[33];
	struct multisig	 ms;
	unsigned	 m, n;
	uint8_t		 keylen;
	size_t		 len;

	for (keylen = 32; keylen <= 33; keylen++)
		for (n = 1; n <= 20; n++)
			for (m = 1; m <= n; m++) {
				len = build(m, n, keylen, s);
				ck_assert_int_eq(parses(s, len), 0);
				(void)script_multisig_parse(s, len, &ms);
				ck_assert_uint_eq(ms.m, m);
				ck_assert_uint_eq(ms.n, n);
				ck_assert_int_eq(ms.ecdsa, keylen == 33);
				memset(key, (int)n, sizeof(key));
				ck_assert_mem_eq(ms.keys[n - 1], key, keylen);
				ck_assert_int_eq(script_multisig_index(&ms, key),
				    keylen == 33 ? -1 : (int)n - 1);
			}
}
END_TEST

START_TEST(parse_refuses)
{
	uint8_t	 s[1024], t[1025];
	size_t	 i, len = build(2, 3, 32, s);

	ck_assert_int_eq(parses(s, len), 0);
	for (i = 0; i < len; i++)		/* cut anywhere */
		ck_assert_int_eq(parses(s, i), -1);
	memcpy(t, s, len);
	t[len] = 0xae;				/* one byte more */
	ck_assert_int_eq(parses(t, len + 1), -1);
	t[len] = 0x00;
	ck_assert_int_eq(parses(t, len + 1), -1);

	/* Every byte that is not part of a key, with every other value. */
	for (i = 0; i < len; i++) {
		unsigned	 b;

		if (i != 0 && i < len - 2 && (i - 1) % 33 != 0)
			continue;
		for (b = 0; b < 256; b++) {
			memcpy(t, s, len);
			t[i] = (uint8_t)b;
			if (b == s[i] || (i == 0 && (b == 0x51 || b == 0x53)))
				ck_assert_int_eq(parses(t, len), 0);
			else
				ck_assert_int_eq(parses(t, len), -1);
		}
	}

	len = build(4, 3, 32, s);		/* m > n */
	ck_assert_int_eq(parses(s, len), -1);
	len = build(2, 21, 32, s);		/* n too large */
	ck_assert_int_eq(parses(s, len), -1);
	len = build(3, 3, 33, s);		/* opcode of the other kind */
	s[len - 1] = 0xae;
	ck_assert_int_eq(parses(s, len), -1);
	ck_assert_int_eq(parses((const uint8_t *)"\x51\x51\xae", 3), -1);
	ck_assert_int_eq(parses((const uint8_t *)"\x00\x00\xae", 3), -1);
}
END_TEST

/* A count up to 16 written as a push is not what a builder makes. */
START_TEST(parse_noncanonical_count)
{
	uint8_t	 s[1024], t[1025];
	size_t	 len = build(2, 3, 32, s);

	memcpy(t, s, len);
	t[len - 2] = 0x01;
	t[len - 1] = 0x03;
	t[len] = 0xae;
	ck_assert_int_eq(parses(t, len + 1), -1);
	t[0] = 0x01;
	t[1] = 0x02;
	memcpy(t + 2, s + 1, len - 1);
	ck_assert_int_eq(parses(t, len + 1), -1);
}
END_TEST

START_TEST(classes)
{
	uint8_t		 s[36] = { 0 }, x[32] = { 7 };
	struct spk	 spk = { 0, { s, 0 } };

	ck_assert_int_eq(script_classify(&spk), SCRIPT_NONSTANDARD);
	script_p2pk(x, s);
	spk.script.len = P2PK_SCRIPT_LEN;
	ck_assert_int_eq(script_classify(&spk), SCRIPT_P2PK);
	ck_assert_mem_eq(s + 1, x, 32);
	spk.version = 1;
	ck_assert_int_eq(script_classify(&spk), SCRIPT_NONSTANDARD);
	spk.version = 0x100;
	ck_assert_int_eq(script_classify(&spk), SCRIPT_NONSTANDARD);
	spk.version = 0;
	spk.script.len--;
	ck_assert_int_eq(script_classify(&spk), SCRIPT_NONSTANDARD);
	spk.script.len += 2;
	ck_assert_int_eq(script_classify(&spk), SCRIPT_NONSTANDARD);
	s[0] = 0x21;
	s[34] = 0xab;
	ck_assert_int_eq(script_classify(&spk), SCRIPT_P2PK_ECDSA);
	s[34] = 0xac;
	ck_assert_int_eq(script_classify(&spk), SCRIPT_NONSTANDARD);
	script_p2sh(x, sizeof(x), s);
	ck_assert_int_eq(script_classify(&spk), SCRIPT_P2SH);
	s[1] = 0x21;
	ck_assert_int_eq(script_classify(&spk), SCRIPT_NONSTANDARD);
	s[1] = 0x20;
	s[34] = 0x88;
	ck_assert_int_eq(script_classify(&spk), SCRIPT_NONSTANDARD);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("script");
	TCase	*tc = tcase_create("all");
	SRunner	*r;
	int	 failed;

	tcase_add_test(tc, vectors);
	tcase_add_test(tc, make_range);
	tcase_add_test(tc, parse_all_sizes);
	tcase_add_test(tc, parse_refuses);
	tcase_add_test(tc, parse_noncanonical_count);
	tcase_add_test(tc, classes);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
