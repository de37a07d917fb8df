#include <sys/types.h>
#include <sys/stat.h>

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "passphrase.h"
#include "readpass.h"
#include "utf8.h"
#include "vec.h"

static void	 verdict(enum kaspa_network, const char *,
		    enum passphrase_verdict, const char *);

static void
verdict(enum kaspa_network net, const char *pass, enum passphrase_verdict want,
    const char *text)
{
	char	 msg[PASSPHRASE_MSG];

	ck_assert_msg(passphrase_check(net, pass, strlen(pass), NULL, msg,
	    sizeof(msg)) == want, "\"%s\" on %s: \"%s\"", pass,
	    kaspa_network_name(net), msg);
	if (want == PASSPHRASE_OK)
		ck_assert_str_eq(msg, "");
	else
		ck_assert_msg(strstr(msg, text) != NULL,
		    "\"%s\" has no \"%s\"", msg, text);
	if (strlen(pass) > 4)
		ck_assert_ptr_null(strstr(msg, pass));
}

START_TEST(test_rules)
{
	const enum kaspa_network	 m = KASPA_MAINNET, t = KASPA_TESTNET,
					 d = KASPA_DEVNET;

	verdict(m, "CorrectHorseBatteryStaple2024!", PASSPHRASE_OK, "");
	verdict(m, "password123", PASSPHRASE_REFUSED, "11 characters");
	verdict(m, "password123", PASSPHRASE_REFUSED, "common");
	verdict(m, "password123", PASSPHRASE_REFUSED, "/4");
	verdict(m, "vK9#qT2!xL7@wZ4", PASSPHRASE_REFUSED, "15 characters");
	verdict(m, "vK9#qT2!xL7@wZ4e", PASSPHRASE_OK, "");
	verdict(m, "aaaaaaaaaaaaaaaaaaaaaaaa", PASSPHRASE_REFUSED, "score 0/4");
	verdict(t, "password123", PASSPHRASE_REFUSED, "at least 12");
	verdict(t, "password1234", PASSPHRASE_WEAK, "too weak for testnet");
	verdict(t, "vK9#qT2!xL7@", PASSPHRASE_OK, "");
	verdict(d, "x", PASSPHRASE_OK, "");
	verdict(KASPA_SIMNET, "x", PASSPHRASE_OK, "");
	ck_assert_ptr_nonnull(strstr(passphrase_rule(m), "16+"));
	ck_assert_ptr_nonnull(strstr(passphrase_rule(t), "12+"));
}
END_TEST

/* The same on every network. */
START_TEST(test_form)
{
	static const struct {
		const char	*pass, *why;
	} bad[] = {
		{ "", "empty" },
		{ " correct horse battery staple 2024", "white space" },
		{ "correct horse battery staple 2024 ", "white space" },
		{ "correct horse battery staple 2024\t", "white space" },
		{ "correct horse battery staple\xc2\xa0", "white space" },
		{ "\xe2\x80\x83" "correct horse battery", "white space" },
		{ "correct horse\nbattery staple", "control character" },
		{ "correct horse\x7f" "battery staple", "control character" },
		{ "correct horse \xff battery staple", "not UTF-8" },
		{ "correct horse battery staple \xc3", "not UTF-8" }
	};
	char	 msg[PASSPHRASE_MSG], big[PASSPHRASE_MAX + 2];
	size_t	 i;
	int	 net;

	memset(big, 'x', sizeof(big));
	for (net = KASPA_MAINNET; net <= KASPA_SIMNET; net++) {
		for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
			verdict((enum kaspa_network)net, bad[i].pass,
			    PASSPHRASE_REFUSED, bad[i].why);
		ck_assert_int_eq(passphrase_check((enum kaspa_network)net, big,
		    PASSPHRASE_MAX + 1, NULL, msg, sizeof(msg)),
		    PASSPHRASE_REFUSED);
		ck_assert_ptr_nonnull(strstr(msg, "1024 bytes"));
	}
	ck_assert_int_eq(passphrase_check(KASPA_DEVNET, big, PASSPHRASE_MAX,
	    NULL, msg, sizeof(msg)), PASSPHRASE_OK);
}
END_TEST

/* Characters, not bytes: 12 of three bytes each are 12. */
START_TEST(test_length)
{
	verdict(KASPA_MAINNET, "ключ-дом-лес-я", PASSPHRASE_REFUSED,
	    "14 characters");
	ck_assert_uint_eq(utf8_chars("ключ", 8), 4);
	ck_assert_uint_eq(utf8_chars("☃☃", 6), 2);
	ck_assert_uint_eq(utf8_chars("", 0), 0);
	ck_assert_uint_eq(utf8_chars("\xe2\x98", 2), SIZE_MAX);
	ck_assert(!utf8_valid("\xf0\x80\x80\x80", 4));
	ck_assert(utf8_valid("\xf4\x8f\xbf\xbf", 4));
}
END_TEST

/* Words of the place count for nothing. */
START_TEST(test_context)
{
	static const char	*const words[] = { "zanzibarkoala", NULL };
	struct passphrase_score	 with, without;

	ck_assert_int_eq(passphrase_score("zanzibarkoala", 13, words, &with),
	    0);
	ck_assert_int_eq(passphrase_score("zanzibarkoala", 13, NULL, &without),
	    0);
	ck_assert(with.guesses_log10 + 2 < without.guesses_log10);
}
END_TEST

/* A passphrase of greatest length is scored in good time. */
START_TEST(test_time)
{
	struct passphrase_score	 s;
	char			 p[PASSPHRASE_MAX];
	size_t			 i;

	for (i = 0; i < sizeof(p); i++)
		p[i] = (char)('a' + randombytes_uniform(26));
	ck_assert_int_eq(passphrase_score(p, sizeof(p), NULL, &s), 0);
	ck_assert_int_eq(s.score, 4);
}
END_TEST

START_TEST(test_sources)
{
	struct secret	 s = { 0 };
	char		 path[] = "/tmp/igra-pass.XXXXXX", err[256];
	char		 arg[] = "--very-secret", env[64];
	int		 fd, fds[2];

	ck_assert_int_ne(fd = mkstemp(path), -1);
	ck_assert_int_eq(write(fd, "hello there\r\n", 13), 13);
	ck_assert_int_eq(readpass_file(path, false, &s, err, sizeof(err)), 0);
	ck_assert_str_eq(s.p, "hello there");
	ck_assert_str_eq(err, "");
	ck_assert_int_eq(fchmod(fd, 0640), 0);
	ck_assert_int_eq(readpass_file(path, false, &s, err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "lets others in"));
	ck_assert_int_eq(readpass_file(path, true, &s, err, sizeof(err)), 0);
	ck_assert_ptr_nonnull(strstr(err, "lets others in"));
	ck_assert_uint_eq(s.len, 11);
	ck_assert_int_eq(fchmod(fd, 0600), 0);
	ck_assert_int_eq(write(fd, "two\n", 4), 4);
	ck_assert_int_eq(readpass_file(path, false, &s, err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "more than one line"));
	ck_assert_int_eq(readpass_file_all(path, false, 17, &s, err,
	    sizeof(err)), 0);
	ck_assert_mem_eq(s.p, "hello there\r\ntwo\n", 17);
	ck_assert_int_eq(readpass_file_all(path, false, 16, &s, err,
	    sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "more than 16 bytes"));
	/* The group of a credential is its user. */
	ck_assert_int_eq(ftruncate(fd, 5), 0);
	ck_assert_int_eq(fchmod(fd, 0440), 0);
	ck_assert_int_eq(readpass_file(path, false, &s, err, sizeof(err)), -1);
	ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", "/tmp", 1), 0);
	ck_assert_int_eq(readpass_file(path, false, &s, err, sizeof(err)), 0);
	ck_assert_str_eq(s.p, "hello");
	ck_assert_int_eq(fchmod(fd, 0460), 0);
	ck_assert_int_eq(readpass_file(path, false, &s, err, sizeof(err)), -1);
	ck_assert_int_eq(fchmod(fd, 0444), 0);
	ck_assert_int_eq(readpass_file(path, false, &s, err, sizeof(err)), -1);
	ck_assert_int_eq(fchmod(fd, 0440), 0);
	ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", "/tm", 1), 0);
	ck_assert_int_eq(readpass_file(path, false, &s, err, sizeof(err)), -1);
	ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", "", 1), 0);
	ck_assert_int_eq(readpass_file(path, false, &s, err, sizeof(err)), -1);
	ck_assert_int_eq(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(readpass_file(path, false, &s, err, sizeof(err)), -1);
	ck_assert_int_eq(readpass_file("/tmp", false, &s, err, sizeof(err)),
	    -1);
	close(fd);

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(write(fds[1], "one\n\ntail", 9), 9);
	close(fds[1]);
	ck_assert_int_eq(readpass_fd(fds[0], &s, err, sizeof(err)), 0);
	ck_assert_str_eq(s.p, "one");
	ck_assert_int_eq(readpass_fd(fds[0], &s, err, sizeof(err)), 0);
	ck_assert_str_eq(s.p, "");
	ck_assert_int_eq(readpass_fd(fds[0], &s, err, sizeof(err)), 0);
	ck_assert_str_eq(s.p, "tail");
	ck_assert_int_eq(readpass_fd(fds[0], &s, err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "end of file"));
	close(fds[0]);

	ck_assert_int_eq(secret_take_arg(&s, arg), 0);
	ck_assert_str_eq(s.p, "--very-secret");
	ck_assert(sodium_is_zero((const uint8_t *)arg, sizeof(arg)));
	(void)strlcpy(env, "value", sizeof(env));
	ck_assert_int_eq(setenv("IGRA_TEST_SECRET", env, 1), 0);
	ck_assert(secret_take_env(&s, "IGRA_TEST_SECRET"));
	ck_assert_str_eq(s.p, "value");
	ck_assert(!secret_take_env(&s, "IGRA_TEST_SECRET"));
	secret_free(&s);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("passphrase");
	TCase	*tc = tcase_create("all");
	SRunner	*sr;
	int	 failed;

	if (sodium_init() == -1)
		return 1;
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_rules);
	tcase_add_test(tc, test_form);
	tcase_add_test(tc, test_length);
	tcase_add_test(tc, test_context);
	tcase_add_test(tc, test_time);
	tcase_add_test(tc, test_sources);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
