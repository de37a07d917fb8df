#include <sys/types.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "keyd/bip39.h"
#include "vec.h"

static void	 expect(const char *, const char *);

static void
expect(const char *phrase, const char *want)
{
	char	 e[256] = "";

	ck_assert_int_eq(bip39_check(phrase, strlen(phrase), e, sizeof(e)), -1);
	ck_assert_msg(strstr(e, want) != NULL, "\"%s\" has no \"%s\"", e, want);
}

/* The table is the list of the vectors, word for word. */
START_TEST(test_words)
{
	char	*list = vec_read("english.txt", NULL), *w, *save = NULL;
	size_t	 n = 0;

	for (w = strtok_r(list, "\n", &save); w != NULL;
	    w = strtok_r(NULL, "\n", &save), n++) {
		ck_assert_uint_lt(n, BIP39_WORDS);
		ck_assert_str_eq(bip39_words[n], w);
	}
	ck_assert_uint_eq(n, BIP39_WORDS);
	free(list);
}
END_TEST

/* Phrase and passphrase (one is not ASCII) to seed, as Kaspa's SDK does it. */
START_TEST(test_seeds)
{
	yajl_val	 v = vec_load("hd.json"), c;
	const char	*phrase, *pass;
	uint8_t		 seed[BIP39_SEED_LEN];
	char		 e[128];
	size_t		 i;

	ck_assert_uint_ge(vec_len(v), 12);
	for (i = 0; i < vec_len(v); i++) {
		c = vec_at(v, i);
		phrase = vec_str(c, "phrase");
		pass = vec_str(c, "passphrase");
		ck_assert_int_eq(bip39_check(phrase, strlen(phrase), e,
		    sizeof(e)), 0);
		bip39_seed(phrase, strlen(phrase), (const uint8_t *)pass,
		    strlen(pass), seed);
		ck_assert_str_eq(vec_hex(seed, sizeof(seed)),
		    vec_str(c, "seed"));
	}
	yajl_tree_free(v);
}
END_TEST

START_TEST(test_entropy)
{
	uint8_t	 ent[32];
	char	 p[BIP39_PHRASE_MAX], e[128];
	ssize_t	 n;
	int	 i;

	memset(ent, 0, sizeof(ent));
	ck_assert_int_gt(bip39_from_entropy(ent, 16, p), 0);
	ck_assert_str_eq(p, "abandon abandon abandon abandon abandon abandon "
	    "abandon abandon abandon abandon abandon about");
	ck_assert_int_gt(bip39_from_entropy(ent, 32, p), 0);
	ck_assert_str_eq(strrchr(p, ' '), " art");
	memset(ent, 0xff, sizeof(ent));
	ck_assert_int_gt(bip39_from_entropy(ent, 16, p), 0);
	ck_assert_str_eq(p, "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo "
	    "wrong");
	ck_assert_int_eq(bip39_from_entropy(ent, 20, p), -1);
	for (i = 0; i < 200; i++) {
		randombytes_buf(ent, sizeof(ent));
		n = bip39_from_entropy(ent, i % 2 == 0 ? 16 : 32, p);
		ck_assert_int_gt(n, 0);
		ck_assert_uint_eq((size_t)n, strlen(p));
		ck_assert_int_eq(bip39_check(p, (size_t)n, e, sizeof(e)), 0);
	}
}
END_TEST

#define	A11	"abandon abandon abandon abandon abandon abandon abandon " \
		"abandon abandon abandon abandon"

START_TEST(test_refused)
{
	char	 e[256] = "";

	ck_assert_int_eq(bip39_check(A11 " about", strlen(A11 " about"), e,
	    sizeof(e)), 0);
	expect("", "0 words");
	expect("abandon", "1 word,");
	expect(A11, "11 words");
	expect(A11 " abandon about", "13 words");
	expect(A11 " abandon", "checksum");
	expect(A11 " aboute", "word 12 is");
	expect(A11 " About", "word 12 is");
	expect("abandon abandom abandon abandon abandon abandon abandon "
	    "abandon abandon abandon abandon about", "word 2 is");
	expect("aban abandon abandon abandon abandon abandon abandon "
	    "abandon abandon abandon abandon about", "word 1 is");
	expect(" " A11 " about", "blanks around");
	expect(A11 " about ", "blanks around");
	expect(A11 "  about", "more than one blank after word 11");
	expect(A11 "\tabout", "11 words");
	expect(A11 " " A11 " about about about about about about", "words");
	/* The word itself is never told. */
	(void)bip39_check(A11 " secretword", strlen(A11 " secretword"), e,
	    sizeof(e));
	ck_assert_ptr_null(strstr(e, "secret"));
	/* Words that differ only behind a NUL. */
	ck_assert_int_eq(bip39_check(A11 " about\0", strlen(A11) + 7, e,
	    sizeof(e)), -1);
}
END_TEST

/* 18 words are BIP39 too, but not for Igra. */
START_TEST(test_eighteen)
{
	expect("abandon abandon abandon abandon abandon abandon abandon "
	    "abandon abandon abandon abandon abandon abandon abandon abandon "
	    "abandon abandon agent", "18 words");
}
END_TEST

START_TEST(test_normalise)
{
	char	 out[BIP39_PHRASE_MAX], in[400];

	ck_assert_int_eq(bip39_normalise("\n  a \t b\r\nc  ", 13, out), 5);
	ck_assert_str_eq(out, "a b c");
	ck_assert_int_eq(bip39_normalise("", 0, out), 0);
	ck_assert_int_eq(bip39_normalise("   ", 3, out), 0);
	ck_assert_str_eq(out, "");
	memset(in, 'x', sizeof(in));
	ck_assert_int_eq(bip39_normalise(in, 216, out), -1);
	memset(in + 215, ' ', 100);
	ck_assert_int_eq(bip39_normalise(in, 315, out), 215);
	in[300] = 'x';
	ck_assert_int_eq(bip39_normalise(in, 315, out), -1);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("bip39");
	TCase	*tc = tcase_create("all");
	SRunner	*sr;
	int	 failed;

	if (sodium_init() == -1)
		return 1;
	tcase_add_test(tc, test_words);
	tcase_add_test(tc, test_seeds);
	tcase_add_test(tc, test_entropy);
	tcase_add_test(tc, test_refused);
	tcase_add_test(tc, test_eighteen);
	tcase_add_test(tc, test_normalise);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
