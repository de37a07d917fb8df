/* What igra-audit makes of text: lines, names, times, and its percentiles. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "proto/record.h"

#include "auditd/ia_filter.h"
#include "auditd/ia_hist.h"
#include "auditd/ia_text.h"

#include "ialog.h"

static struct ialog		 log_;
static struct ia_verify		 v;
static const struct ia_opts	 none;

static void	 put_lines(const char *);
static void	 read_all(const char *, size_t, const char *);

static void
put_lines(const char *text)
{
	memset(&log_, 0, sizeof(log_));
	log_.n = 1;
	(void)strlcpy(log_.f[0].name, "x.log", sizeof(log_.f[0].name));
	log_.f[0].len = strlen(text);
	ck_assert_ptr_nonnull(log_.f[0].p = strdup(text));
}

#define Z16	"0000000000000000"
#define TIME	"2026-11-24T08:26:41.123456789Z"
#define LINE(seq, prev, time, rest) \
	"{\"seq\":" seq ",\"prev\":\"" prev "\",\"timestamp\":\"" time "\"," rest
#define GOOD	"\"event_type\":\"Lock\"}\n"

START_TEST(malformed)
{
	static const struct {
		const char	*text;
		bool		 good;
	} lines[] = {
		{ LINE("1", Z16 Z16 Z16 Z16, TIME, GOOD), true },
		{ "", false },
		{ "\n", false },
		{ "{}\n", false },
		{ LINE("0", Z16 Z16 Z16 Z16, TIME, GOOD), false },
		{ LINE("01", Z16 Z16 Z16 Z16, TIME, GOOD), false },
		{ LINE("", Z16 Z16 Z16 Z16, TIME, GOOD), false },
		{ LINE("-1", Z16 Z16 Z16 Z16, TIME, GOOD), false },
		{ LINE("1.0", Z16 Z16 Z16 Z16, TIME, GOOD), false },
		{ LINE("18446744073709551615", Z16 Z16 Z16 Z16, TIME, GOOD),
		    false },
		{ LINE("18446744073709551617", Z16 Z16 Z16 Z16, TIME, GOOD),
		    false },
		{ LINE("1", Z16 Z16 Z16 "000000000000000g", TIME, GOOD),
		    false },
		{ LINE("1", Z16 Z16 Z16 "000000000000000A", TIME, GOOD),
		    false },
		{ LINE("1", Z16 Z16 Z16, TIME, GOOD), false },
		{ LINE("1", Z16 Z16 Z16 "0000000000000001", TIME, GOOD),
		    false },
		{ LINE("1", Z16 Z16 Z16 Z16, "2026-11-24T08:26:41.12345678Z",
		    GOOD), false },
		{ LINE("1", Z16 Z16 Z16 Z16, "2026-11-24 08:26:41.123456789Z",
		    GOOD), false },
		{ LINE("1", Z16 Z16 Z16 Z16, "2026-11-2:T08:26:41.123456789Z",
		    GOOD), false },
		{ LINE("1", Z16 Z16 Z16 Z16, "2026-11-2/T08:26:41.123456789Z",
		    GOOD), false },
		{ LINE("1", Z16 Z16 Z16 Z16, "2026-11-24T08:26:41.12345678\xb9"
		    "Z", GOOD), false },
		{ LINE("1", Z16 Z16 Z16 Z16, TIME, "\"event_type\":\"\"}\n"),
		    false },
		{ LINE("1", Z16 Z16 Z16 Z16, TIME, "\"event\":\"Lock\"}\n"),
		    false },
		{ LINE("1", Z16 Z16 Z16 Z16, TIME, "\"event_type\":\"Lo\\u0063"
		    "k\"}\n"), false },
		{ LINE("1", Z16 Z16 Z16 Z16, TIME, "\"event_type\":\"Lock\","
		    "\"a\":\"\033[2J\"}\n"), false },
		{ LINE("1", Z16 Z16 Z16 Z16, TIME, "\"event_type\":\"Lock\"}"
		    "\r\n"), false },
		{ "not JSON at all", false },
		{ " " LINE("1", Z16 Z16 Z16 Z16, TIME, GOOD), false },
	};
	size_t	 i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		put_lines(lines[i].text);
		ck_assert_msg((ialog_verify(&log_, &none, &v) == IA_INTACT) ==
		    lines[i].good, "%s", lines[i].text);
		ialog_free(&log_);
	}
	put_lines(lines[0].text);
	log_.f[0].p[log_.f[0].len - 10] = '\0';
	ck_assert_int_eq(ialog_verify(&log_, &none, &v), IA_TAMPERED);
	ialog_free(&log_);
}
END_TEST

/* Each control character at each place is seen. */
START_TEST(control_characters)
{
	static const char	 begin[] = LINE("1", Z16 Z16 Z16 Z16, TIME,
				    "\"event_type\":\"Lock\",\"a\":\"");
	struct ia_head	 h;
	char		 line[400];
	size_t		 len, i;
	int		 c;

	for (len = 170; len < 240; len++) {
		memset(line, 'x', sizeof(line));
		memcpy(line, begin, sizeof(begin) - 1);
		memcpy(line + len - 3, "\"}\n", 3);
		ck_assert_ptr_null(ia_head_parse(line, len, &h));
		for (i = sizeof(begin) - 1; i < len - 3; i++)
			for (c = 0; c < 256; c += c < 0x21 ? 1 : 37) {
				line[i] = (char)c;
				ck_assert_int_eq(ia_head_parse(line, len,
				    &h) != NULL, c < 0x20);
				line[i] = 'x';
			}
	}
}
END_TEST

/* Against itself, byte by byte. */
static void
read_all(const char *text, size_t len, const char *what)
{
	struct ia_reader	 r;
	struct ia_line		 l;
	char			 path[] = "/tmp/igra-reader-XXXXXX";
	const char		*p = text, *end = text + len, *nl;
	size_t			 n;
	int			 fd;

	ck_assert_int_ge(fd = mkstemp(path), 0);
	(void)unlink(path);
	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	ck_assert_int_eq(ia_reader_init(&r), 0);
	ia_reader_start(&r, fd);
	while (p < end) {
		nl = memchr(p, '\n', (size_t)(end - p));
		n = nl != NULL ? (size_t)(nl - p) + 1 : (size_t)(end - p);
		ck_assert_int_eq(ia_reader_next(&r, &l), 1);
		ck_assert_msg(l.kind == (n > AUDIT_MAX_LINE ? IA_LONG :
		    nl != NULL ? IA_LINE : IA_TORN), "%s", what);
		if (l.kind != IA_LONG)
			ck_assert_uint_eq(l.len, n);
		ck_assert_int_eq(memcmp(l.p, p, l.len), 0);
		p += n;
	}
	ck_assert_int_eq(ia_reader_next(&r, &l), 0);
	ck_assert_uint_eq(r.bytes, len);
	ia_reader_free(&r);
	close(fd);
}

START_TEST(long_lines)
{
	static const size_t	 at[] = { 0, 1, AUDIT_MAX_LINE - 1,
		AUDIT_MAX_LINE, AUDIT_MAX_LINE + 1, 2 * AUDIT_MAX_LINE,
		3 * AUDIT_MAX_LINE + 7, 4 * AUDIT_MAX_LINE, 1999999 };
	const size_t		 len = 2000000;
	size_t			 i, j;
	char			*p;

	ck_assert_ptr_nonnull(p = malloc(len));
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		for (j = i; j < sizeof(at) / sizeof(at[0]); j++) {
			memset(p, 'x', len);
			p[at[i]] = p[at[j]] = '\n';
			read_all(p, len, "whole");
			read_all(p, at[j] + 1, "cut");
			memset(p, '\n', 1000);
			read_all(p, at[j] + 1, "empty lines");
		}
	free(p);
}
END_TEST

START_TEST(names)
{
	static const struct {
		const char	*name;
		uint64_t	 seq;
	} n[] = {
		{ "key-audit.20261124T082641Z.000000000001.log", 1 },
		{ "key-audit.20261124T082641Z.18446744073709551615.log",
		    UINT64_MAX },
		{ "key-audit.20261124T082641Z.18446744073709551616.log", 0 },
		{ "key-audit.20261124T082641Z.00000000001.log", 0 },
		{ "key-audit.20261124T082641Z.0000000000001.log", 0 },
		{ "key-audit.20261124T082641Z.000000000000.log", 0 },
		{ "key-audit.20261124T082641Z.+00000000001.log", 0 },
		{ "key-audit.20261124T082641Z.000000000001.log.gz", 0 },
		{ "key-audit.20261124T08264Z.000000000001.log", 0 },
		{ "key-audit.log", 0 },
		{ "key-audit", 0 },
		{ "", 0 },
	};
	struct ia_name	 name;
	size_t		 i;

	for (i = 0; i < sizeof(n) / sizeof(n[0]); i++)
		ck_assert_msg((ia_name_parse("key-audit", n[i].name, &name) ?
		    name.seq : 0) == n[i].seq, "%s", n[i].name);
}
END_TEST

START_TEST(escaped)
{
	char	 out[256];
	size_t	 at = 0;

	ia_escape(out, sizeof(out), &at, "a\033[2J\n\\\x7f\xff", 9);
	ck_assert_str_eq(out, "a\\u001b[2J\\u000a\\\\\\u007f\\xff");
	at = 0;
	/* Right-to-left override, zero width, C1, a letter that looks like a. */
	ia_escape(out, sizeof(out), &at, "\xe2\x80\xae\xe2\x80\x8b\xc2\x9b"
	    "\xd0\xb0\xf0\x9f\x98\x80", 14);
	ck_assert_str_eq(out, "\\u202e\\u200b\\u009b\\u0430\\ud83d\\ude00");
	at = 0;
	ia_escape(out, 8, &at, "abcdefghijk", 11);
	ck_assert_str_eq(out, "abcdefg");
	at = 0;
	ia_escape(out, 8, &at, "abc\033x", 5);
	ck_assert_str_eq(out, "abc");
}
END_TEST

START_TEST(times)
{
	static const struct {
		const char	*in, *out;
	} t[] = {
		{ "2026-11-24", "2026-11-24T00:00:00.000000000Z" },
		{ "2026-11-24T08:26", "2026-11-24T08:26:00.000000000Z" },
		{ "2026-11-24 08:26:41Z", "2026-11-24T08:26:41.000000000Z" },
		{ "2026-11-24T08:26:41.5Z", "2026-11-24T08:26:41.500000000Z" },
		{ TIME, TIME },
		{ "2026-13-24", NULL }, { "2026-11-32", NULL },
		{ "2026-11-24T24:00", NULL }, { "2026-11", NULL },
		{ "yesterday", NULL }, { "", NULL }, { "5", NULL },
		{ "5x", NULL }, { "-5h", NULL }, { "99999999d", NULL },
		{ "2026-11-24T08:26:41.", NULL },
	};
	char	 out[IA_TIME + 1];
	size_t	 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		ck_assert_msg((ia_time_parse(t[i].in, out) == 0) ==
		    (t[i].out != NULL), "%s", t[i].in);
		if (t[i].out != NULL)
			ck_assert_str_eq(out, t[i].out);
	}
	ck_assert_int_eq(ia_time_parse("24h", out), 0);
	ck_assert_uint_eq(strlen(out), IA_TIME);
}
END_TEST

START_TEST(percentiles)
{
	struct ia_hist	 h, sum;
	uint64_t	 i;

	memset(&h, 0, sizeof(h));
	memset(&sum, 0, sizeof(sum));
	ck_assert_uint_eq(ia_hist_at(&h, 50), 0);
	ck_assert_int_eq(ia_hist_add(&h, 1500), 0);
	ck_assert_uint_eq(ia_hist_at(&h, 50), 1500);
	ck_assert_uint_eq(ia_hist_at(&h, 99), 1500);
	ia_hist_free(&h);
	for (i = 1; i <= 100000; i++)
		ck_assert_int_eq(ia_hist_add(&h, i), 0);
	ck_assert_int_eq(ia_hist_add(&h, UINT64_MAX), 0);
	ck_assert_int_eq(ia_hist_merge(&sum, &h), 0);
	ck_assert_int_eq(ia_hist_merge(&sum, &h), 0);
	ck_assert_uint_eq(sum.n, 200002);
	ck_assert_uint_eq(ia_hist_at(&sum, 100), UINT64_MAX);
	for (i = 1; i < 100; i++) {
		ck_assert_uint_ge(ia_hist_at(&sum, (double)i), i * 980);
		ck_assert_uint_le(ia_hist_at(&sum, (double)i), i * 1020);
	}
	ia_hist_free(&h);
	ia_hist_free(&sum);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("audit_text");
	TCase	*t = tcase_create("audit_text");
	SRunner	*r;
	int	 failed;

	if (sodium_init() == -1)
		return 1;
	tcase_add_test(t, malformed);
	tcase_add_test(t, control_characters);
	tcase_add_test(t, long_lines);
	tcase_add_test(t, names);
	tcase_add_test(t, escaped);
	tcase_add_test(t, times);
	tcase_add_test(t, percentiles);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
