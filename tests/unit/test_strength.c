/*
 * How strong a passphrase is: the mainnet gate against the reference's
 * scores, and one passphrase or more of every kind that zxcvbn-c alone takes
 * for strong.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "passphrase.h"
#include "strength.h"
#include "strength_int.h"
#include "utf8.h"
#include "vec.h"

static double	 guesses(const char *, const char *const *);
static void	 reason(const char *, const char *);
static bool	 says(const char *, const char *);
static void	 gate(const char *, size_t *, size_t *);
static void	 scores(const char *);

static double
guesses(const char *pass, const char *const *context)
{
	struct strength	 s;

	ck_assert_int_eq(strength_here(pass, strlen(pass), context, &s), 0);
	return s.guesses_log10;
}

static void
reason(const char *pass, const char *text)
{
	struct strength	 s;

	ck_assert_int_eq(strength_here(pass, strlen(pass), NULL, &s), 0);
	ck_assert_msg(strstr(strength_reason(&s), text) != NULL,
	    "\"%s\": \"%s\" has no \"%s\"", pass, strength_reason(&s), text);
}

/* Does the message hold the text, in capitals or not? */
static bool
says(const char *msg, const char *text)
{
	size_t	 n = strlen(text);

	for (; strlen(msg) >= n; msg++)
		if (strncasecmp(msg, text, n) == 0)
			return true;
	return false;
}

/* Refuses all that the reference does; counts what it accepts and we do not. */
static void
gate(const char *file, size_t *accepted, size_t *refused)
{
	yajl_val	 list = vec_load(file), v;
	const char	*pass;
	char		 msg[PASSPHRASE_MSG];
	size_t		 i, len;
	bool		 strong, taken;

	for (i = 0; i < vec_len(list); i++) {
		v = vec_at(list, i);
		pass = vec_str(v, "password");
		len = strlen(pass);
		strong = vec_u64(v, "score") == 4 &&
		    utf8_chars(pass, len) >= 16;
		taken = passphrase_check(KASPA_MAINNET, pass, len, NULL, msg,
		    sizeof(msg)) == PASSPHRASE_OK;
		ck_assert_msg(strong || !taken, "\"%s\" is accepted, the "
		    "reference gives it %u", pass,
		    (unsigned)vec_u64(v, "score"));
		*accepted += strong;
		*refused += strong && !taken;
		ck_assert_msg(taken || len < 4 || !says(msg, pass),
		    "\"%s\" is in \"%s\"", pass, msg);
	}
	yajl_tree_free(list);
}

START_TEST(test_gate)
{
	size_t	 accepted = 0, refused = 0;

	gate("zxcvbn.json", &accepted, &refused);
	gate("zxcvbn-kinds.json", &accepted, &refused);
	ck_assert_uint_ge(accepted, 300);
	ck_assert_msg(refused * 100 <= accepted * 8, "%zu of %zu refused",
	    refused, accepted);
}
END_TEST

/* The words' ranks are right, or these would be far from the reference. */
static void
scores(const char *file)
{
	yajl_val	 list = vec_load(file), v;
	const char	*number;
	double		 near = 0, d;
	size_t		 i, n = vec_len(list);

	for (i = 0; i < n; i++) {
		v = vec_at(list, i);
		number = YAJL_GET_NUMBER(yajl_tree_get(v,
		    (const char *[]){ "guesses_log10", NULL }, yajl_t_number));
		d = guesses(vec_str(v, "password"), NULL) - atof(number);
		near += d > -0.5 && d < 0.5;
	}
	ck_assert_msg(near >= 0.75 * (double)n, "%.0f of %zu are within half "
	    "a power of ten", near, n);
	yajl_tree_free(list);
}

START_TEST(test_scores)
{
	scores("zxcvbn.json");
	scores("zxcvbn-kinds.json");
}
END_TEST

/*
 * None of these is in the vectors.  The reference rejects what it knows: it
 * takes figures on the keyboard, other layouts than the American, interleaved
 * sequences and names of the place for strong.
 */
START_TEST(test_weak)
{
	static const char	*const weak[] = {
		/* units again and again */
		"mnbmnbmnbmnbmnbmnbmnb", "t4xt4xt4xt4xt4xt4xt4x",
		"baseballbaseballbaseball", "xbananabananabananax",
		"a-a-a-a-a-a-a-a-a-a-a", "$$$$$$$$$$$$$$$$$$$$$$$$",
		"Tigger7!Tigger7!Tigger7!", "cheese cheese cheese",
		/* doubled words with a tail */
		"moneymoneyMoney123", "incomeincomeIncome579",
		/* the keyboard, straight, turning and in figures */
		"zxcvbnmlkjhgfdsapoiuytrewq", "zaq12wsxcde34rfvbgt5",
		"2wsx3edc4rfv5tgb", "1qaz!QAZ2wsx@WSX", "qweasdzxcqweasdzxc",
		"qwertzuiopyxcvbnm", "azertyuiopqsdfghjklm",
		"789456123789456123", "147258369963852741",
		"q1w2e3r4t5y6u7i8o9p0", "aoeuidhtnsaoeuidhtns",
		"QWERTYUIOPasdfghjkl", "йцукенгшщзфывапр",
		/* sequences of any step */
		"abcdefghijklmnopqrst", "zyxwvutsrqponmlkj",
		"acegikmoqsuwyacegikmo", "13579135791357913579",
		"a1b2c3d4e5f6g7h8", "112233445566778899",
		"78901234567890123456", "xyzabcdefghijklmnop",
		/* dates */
		"1999-12-31dragon", "monkey31.12.1999",
		"12/25/2001password", "1970010119850228",
		/* look-alikes */
		"P@$$w0rd!Dr@g0n", "5up3rm4n84tm4n1", "m0nk3ybu51n3ss1",
		/* backwards, capitals */
		"drowssapdrowssap", "nogardyeknom2001", "PaSsWoRdMoNkEy",
		"PASSWORDDRAGON123", "password1monkey123",
		/* words of the place */
		"igra-kaspa-kaspa-igra", "k4sp4-igra-k4sp4"
	};
	static const char	*const strong[] = {
		"CorrectHorseBatteryStaple2024!",
		"velvet anchor prism tundra", "ozone.ladder.crumb.fjord.mint",
		"Tulip-Gravel-Monsoon-48", "kx7vq2mwz9fr3hbt",
		"8f1b6c0e9a3d7245", "pW4!zR9#kM2@xQ7&",
		"сорок тысяч обезьян"
	};
	char			 msg[PASSPHRASE_MSG];
	size_t			 i;

	for (i = 0; i < sizeof(weak) / sizeof(weak[0]); i++)
		ck_assert_msg(passphrase_check(KASPA_MAINNET, weak[i],
		    strlen(weak[i]), NULL, msg, sizeof(msg)) ==
		    PASSPHRASE_REFUSED, "\"%s\": %.2f", weak[i],
		    guesses(weak[i], NULL));
	for (i = 0; i < sizeof(weak) / sizeof(weak[0]); i++)
		ck_assert_msg(guesses(weak[i], NULL) < 10, "\"%s\": %.2f",
		    weak[i], guesses(weak[i], NULL));
	for (i = 0; i < sizeof(strong) / sizeof(strong[0]); i++)
		ck_assert_msg(passphrase_check(KASPA_MAINNET, strong[i],
		    strlen(strong[i]), NULL, msg, sizeof(msg)) ==
		    PASSPHRASE_OK, "\"%s\": %s", strong[i], msg);
}
END_TEST

START_TEST(test_context)
{
	static const char	*const words[] = {
		"/srv/keys/zanzibar-koala.bin", "signer-07", NULL
	};
	static const char	*const known[] = {
		"zanzibar", "koala", "Signer-07", "z4nz1b4r", "rabiznaz",
		"kaspa", "igra", "zanzibar-koala.bin"
	};
	size_t			 i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		ck_assert_msg(guesses(known[i], words) < 2, "%s: %.2f",
		    known[i], guesses(known[i], words));
	ck_assert(guesses("zanzibar-koala-signer-07-igra", words) < 10);
	ck_assert(guesses("zanzibarkoala", NULL) > 6);
	ck_assert(guesses("7uFq#zanzibar!Lm2xWp9", words) > 10.5);
}
END_TEST

/* Length: a strong beginning is enough, a weak one is not made strong. */
START_TEST(test_long)
{
	static const char	 unit[] = "hedgehog-";
	struct passphrase_score	 s;
	char			 msg[PASSPHRASE_MSG], p[PASSPHRASE_MAX + 1];
	size_t			 i;

	for (i = 0; i < PASSPHRASE_MAX; i++)
		p[i] = unit[i % (sizeof(unit) - 1)];
	p[PASSPHRASE_MAX - 1] = 'x';
	ck_assert_int_eq(passphrase_check(KASPA_MAINNET, p, PASSPHRASE_MAX,
	    NULL, msg, sizeof(msg)), PASSPHRASE_REFUSED);
	ck_assert_ptr_nonnull(strstr(msg, "1024 characters"));
	ck_assert_ptr_nonnull(strstr(msg, "repeats"));
	for (i = 0; i < PASSPHRASE_MAX; i++)
		p[i] = (char)('!' + randombytes_uniform(94));
	ck_assert_int_eq(passphrase_check(KASPA_MAINNET, p, PASSPHRASE_MAX,
	    NULL, msg, sizeof(msg)), PASSPHRASE_OK);
	/* What takes the estimator longest. */
	for (i = 0; i < PASSPHRASE_MAX; i++)
		p[i] = "1|7@3$0al"[randombytes_uniform(9)];
	ck_assert_int_eq(passphrase_score(p, PASSPHRASE_MAX, NULL, &s), 0);
	ck_assert_int_eq(s.score, 4);
	ck_assert_int_eq(passphrase_score("", 0, NULL, &s), 0);
	ck_assert_int_eq(s.score, 0);
}
END_TEST

START_TEST(test_reasons)
{
	reason("password123", "common password");
	reason("p@ssw0rd", "common password");
	reason("dragon", "common password");
	reason("ThisIsMyDragon", "common words");
	reason("abqzabqzabqzabqz", "repeats like");
	reason("xxxxxxxxxxxxxxxx", "repeats like");
	reason("lkjhgfdsapoiuy", "keyboard");
	reason("5tgb6yhn7ujm8ik,", "keyboard");
	reason("efghijklmnopqr", "sequences");
	reason("kaspa-1", "a name that is tried first");
	reason("1997-08-29", "dates");
	reason("fzq", "too little");
}
END_TEST

START_TEST(test_messages)
{
	static const char	*const echoes[] = {
		"password", "Passphrase", "common", "words", "random",
		"mainnet", "score", "too easy", "keyboard", "qwerty", "igra",
		"abcabc", "characters", "five or more", "this is a "
	};
	char			 msg[PASSPHRASE_MSG];
	size_t			 i;

	(void)passphrase_check(KASPA_MAINNET, "password123", 11, NULL, msg,
	    sizeof(msg));
	ck_assert_msg(strstr(msg, "11 characters (at least 16), score 0/4 "
	    "(needed 4/4): this is a common password. Take ") != NULL, "%s",
	    msg);
	(void)passphrase_check(KASPA_MAINNET, "qwertyqwertyqwerty", 18, NULL,
	    msg, sizeof(msg));
	ck_assert_ptr_nonnull(strstr(msg, "18 characters (at least 16), "));
	ck_assert_ptr_nonnull(strstr(msg, "score 0/4"));
	for (i = 0; i < sizeof(echoes) / sizeof(echoes[0]); i++) {
		ck_assert_int_eq(passphrase_check(KASPA_MAINNET, echoes[i],
		    strlen(echoes[i]), NULL, msg, sizeof(msg)),
		    PASSPHRASE_REFUSED);
		ck_assert_msg(!says(msg, echoes[i]), "\"%s\": \"%s\"",
		    echoes[i], msg);
	}
	(void)passphrase_check(KASPA_MAINNET, "password", 8, NULL, msg,
	    sizeof(msg));
	ck_assert_msg(says(msg, "8 characters") && says(msg, "common"), "%s",
	    msg);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("strength");
	TCase	*tc = tcase_create("all");
	SRunner	*sr;
	int	 failed;

	if (sodium_init() == -1)
		return 1;
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, test_gate);
	tcase_add_test(tc, test_scores);
	tcase_add_test(tc, test_weak);
	tcase_add_test(tc, test_context);
	tcase_add_test(tc, test_long);
	tcase_add_test(tc, test_reasons);
	tcase_add_test(tc, test_messages);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
