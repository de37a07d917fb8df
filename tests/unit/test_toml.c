/*
 * TOML 1.0: documents that must parse, and documents that must not, with a
 * part of the message and the line it must name.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toml.h"

#define TEXT(s)	s, sizeof(s) - 1

static const struct {
	const char	*text;
	size_t		 len;
} valid[] = {
	{ TEXT("") },
	{ TEXT("\n\n\r\n") },
	{ TEXT("# only a comment") },
	{ TEXT("# caf\xc3\xa9 \xf0\x9f\x94\x91\ttab\n") },
	{ TEXT("\xef\xbb\xbf" "bom = 1\n") },
	{ TEXT("a = 1") },
	{ TEXT("a=1#c\nb  =  2  # c\n") },
	{ TEXT("a = 1\r\nb = 2\r\n") },
	{ TEXT("\ta\t=\t1\t\n") },
	{ TEXT("1234 = 1\n-x_ = 2\n_ = 3\n-- = 4\n") },
	{ TEXT("3.14159 = 'pi'\n") },
	{ TEXT("true = 1\ninf = 2\n1979-05-27 = 3\n") },
	{ TEXT("\"127.0.0.1\" = 1\n'quoted \"k\"' = 2\n\"\" = 3\n") },
	{ TEXT("a.\"b.c\" . 'd' = 1\na.e=2\n") },
	{ TEXT("a.b.c = 1\na.b.d = 2\na.x = 3\n") },
	{ TEXT("apple.type = 1\norange.type = 2\napple.skin = 3\n") },
	{ TEXT("a = 0\nb = -0\nc = +0\nd = +99\ne = -17\n") },
	{ TEXT("a = 1_000\nb = 5_349_221\nc = 1_2_3_4_5\n") },
	{ TEXT("a = 9223372036854775807\nb = -9223372036854775808\n") },
	{ TEXT("a = 0xDEADBEEF\nb = 0xdead_beef\nc = 0o755\nd = 0b1101_0110\n"
	    "e = 0x00\n") },
	{ TEXT("a = 0x7fffffffffffffff\n") },
	{ TEXT("a = +1.0\nb = 3.1415\nc = -0.01\nd = 5e+22\ne = 1e06\n"
	    "f = -2E-2\ng = 6.626e-34\nh = 224_617.445_991_228\ni = 0e0\n"
	    "j = 1e0_1\n") },
	{ TEXT("a = inf\nb = +inf\nc = -inf\nd = nan\ne = +nan\nf = -nan\n") },
	{ TEXT("a = 1e-400\n") },
	{ TEXT("a = true\nb = false\n") },
	{ TEXT("a = \"\"\nb = ''\nc = \"\"\"\"\"\"\nd = ''''''\n") },
	{ TEXT("a = \"\\b\\t\\n\\f\\r\\\"\\\\\\u00E9\\U0001F511\"\n") },
	{ TEXT("a = 'C:\\Users\\x'\nb = '<\\i\\c*\\s*>'\n") },
	{ TEXT("a = \"\"\"\nRoses\nViolets\"\"\"\n") },
	{ TEXT("a = \"\"\"\r\nRoses\r\nViolets\"\"\"\r\n") },
	{ TEXT("a = \"\"\"x \\\n\n   y \\  \n  z\\\n  \"\"\"\n") },
	{ TEXT("a = \"\"\"two \"\" and three \"\"\\\"\"\"\"\n") },
	{ TEXT("a = \"\"\"\"one\"\"\"\"\nb = \"\"\"\"\"two\"\"\"\"\"\n") },
	{ TEXT("a = ''''one''''\nb = '''''two'''''\nc = '''\nno \\escape'''\n") },
	{ TEXT("a = \"\\u0000\"\n") },
	{ TEXT("a = 1979-05-27T07:32:00Z\nb = 1979-05-27T00:32:00.999999-07:00\n"
	    "c = 1979-05-27 07:32:00z\nd = 1979-05-27t07:32:00+00:00\n") },
	{ TEXT("a = 1979-05-27T07:32:00\nb = 1979-05-27 00:32:00.5\n") },
	{ TEXT("a = 1979-05-27\nb = 2000-02-29 # leap\nc = 2024-02-29\n") },
	{ TEXT("a = 07:32:00\nb = 00:32:00.999999\nc = 23:59:60\n") },
	{ TEXT("a = [1979-05-27 , 1979-05-27 ]\n") },
	{ TEXT("a = []\nb = [ ]\nc = [\n]\nd = [ # c\n # d\n]\n") },
	{ TEXT("a = [1, 2, 3]\nb = [1,2,3,]\nc = [\n 1,\n 2, # two\n]\n") },
	{ TEXT("a = [[1, 2], [\"a\", 'b'], [[]]]\n") },
	{ TEXT("a = [0.1, 1, 'x', {b = 1}, [true]]\n") },
	{ TEXT("a = [\n  1 # one\n  , # comma\n  2\n  ,\n]\n") },
	{ TEXT("a = {}\nb = { }\nc = {x=1}\nd = { x = 1, y.z = 2 }\n") },
	{ TEXT("a = { b.c = 1, b.d = 2 }\n") },
	{ TEXT("a = { b = [\n 1,\n # c\n 2\n] , c = \"\"\"\nx\n\"\"\" }\n") },
	{ TEXT("a = [ { x = 1 }, { x = 2 },\n]\n") },
	{ TEXT("[a]\n[b]\n[c.d]\n[ e . f ]\n[\"g.h\".'i']\n") },
	{ TEXT("[a.b.c]\nx = 1\n[a]\ny = 2\n[a.b]\nz = 3\n") },
	{ TEXT("[a]\nb.c = 1\n[a.b.d]\ne = 1\n") },
	{ TEXT("[x.y.z.w]\n[x] # later\n") },
	{ TEXT("[[p]]\na = 1\n[[p]]\n[[p]]\na = 2\n") },
	{ TEXT("[[f]]\nn = 1\n[f.p]\nc = 1\n[[f.v]]\nn = 1\n[[f.v]]\nn = 2\n"
	    "[[f]]\n[[f.v]]\n[f.p]\n") },
	{ TEXT("[[a.b]]\n[a]\nc = 1\n") },
	{ TEXT("[[ a . b ]] # c\n") },
	{ TEXT("[a] # comment\nb = 1\n[ c ]\r\n") },
	{ TEXT("a.b = 1\n[c]\na.b = 1\n[d]\na.b = 1\n") },
	{ TEXT("[a.b.c]\n[a]\nb.x = 1\n") },
	{ TEXT("a = { b = { c = { d = {} } } }\n") },
	{ TEXT("\"\\u00e9\" = 1\n'\xc3\xa8' = 2\n") },
	{ TEXT("a = [\"]\", '#', \"}\"] # ]\n") },
	{ TEXT("site.\"google.com\" = true\n") },
	{ TEXT("a = \"x\\\\\"\nb = 1\n") },
	{ TEXT("[empty]\n[empty.sub]\n") },
};

static const struct {
	const char	*text;
	size_t		 len;
	unsigned	 line;
	const char	*says;
} invalid[] = {
	/* lines */
	{ TEXT("a"), 1, "'='" },
	{ TEXT("a ="), 1, "a value after '='" },
	{ TEXT("\na =\nb = 1\n"), 2, "a value after '='" },
	{ TEXT("= 1"), 1, "unexpected '='" },
	{ TEXT("a = 1 b = 2"), 1, "new line" },
	{ TEXT("a = 1\n\nb = 2 3\n"), 3, "new line" },
	{ TEXT("a b = 1"), 1, "unexpected key" },
	{ TEXT("a = \"x\" \"y\""), 1, "new line" },
	{ TEXT("a = b"), 1, "quotes" },
	{ TEXT("a = [b]"), 1, "quotes" },
	{ TEXT("a = @x"), 1, "quotes" },
	{ TEXT("a! = 1"), 1, "letters" },
	{ TEXT("\xc3\xa9 = 1"), 1, "letters" },
	{ TEXT("a. = 1"), 1, "a key after '.'" },
	{ TEXT(".a = 1"), 1, "unexpected '.'" },
	{ TEXT("a..b = 1"), 1, "a key after '.'" },
	{ TEXT("a = 1 = 2"), 1, "new line" },
	{ TEXT("\"a\nb\" = 1"), 1, "not closed" },
	{ TEXT("\"\"\"a\"\"\" = 1"), 1, "one quote" },
	{ TEXT("a = 1, b = 2"), 1, "new line" },
	{ TEXT("{a = 1}"), 1, "unexpected '{'" },
	/* bytes */
	{ TEXT("a = 1\rb = 2\n"), 1, "carriage return" },
	{ TEXT("# x\r"), 1, "carriage return" },
	{ TEXT("a = \"\"\"x\ry\"\"\""), 1, "carriage return" },
	{ TEXT("a = \"x\x01\""), 1, "0x01" },
	{ TEXT("a = 'x\x7f'"), 1, "0x7f" },
	{ TEXT("# \x1f"), 1, "0x1f" },
	{ TEXT("a = 1\x0b"), 1, "0x0b" },
	{ TEXT("a = 1\nb = \0\n"), 2, "NUL" },
	{ TEXT("a = \"x\0y\""), 1, "NUL" },
	{ TEXT("a = \"\xff\""), 1, "UTF-8" },
	{ TEXT("# \xc3"), 1, "UTF-8" },
	{ TEXT("\n# \xc0\x80"), 2, "UTF-8" },
	{ TEXT("a = \"\xed\xa0\x80\""), 1, "UTF-8" },
	{ TEXT("a = '\xf4\x90\x80\x80'"), 1, "UTF-8" },
	{ TEXT("a = 1\n\xef\xbb\xbf" "b = 1"), 2, "letters" },
	/* strings */
	{ TEXT("a = \"x"), 1, "not closed" },
	{ TEXT("a = 'x\n'"), 1, "not closed" },
	{ TEXT("\na = \"\"\"x\ny"), 2, "not closed" },
	{ TEXT("a = '''x''"), 1, "not closed" },
	{ TEXT("a = \"\\x41\""), 1, "escape" },
	{ TEXT("a = \"\\a\""), 1, "escape" },
	{ TEXT("a = \"\\ \""), 1, "escape" },
	{ TEXT("a = \"x\\\ny\""), 1, "escape" },
	{ TEXT("a = \"\"\"x\\ y\"\"\""), 1, "escape" },
	{ TEXT("a = \"\\u12\""), 1, "4 hex digits" },
	{ TEXT("a = \"\\U0001F51\""), 1, "8 hex digits" },
	{ TEXT("a = \"\\u00g0\""), 1, "4 hex digits" },
	{ TEXT("a = \"\\ud800\""), 1, "surrogate" },
	{ TEXT("a = \"\\uDFFF\""), 1, "surrogate" },
	{ TEXT("a = \"\\U0000d900\""), 1, "surrogate" },
	{ TEXT("a = \"\\U00110000\""), 1, "0010FFFF" },
	{ TEXT("a = \"\"\"x\"\"\"\"\"\""), 1, "new line" },
	{ TEXT("a = \"\\"), 1, "escape" },
	/* numbers */
	{ TEXT("a = 01"), 1, "leading zeros" },
	{ TEXT("a = -01"), 1, "leading zeros" },
	{ TEXT("a = 00"), 1, "leading zeros" },
	{ TEXT("a = 03.14"), 1, "leading zeros" },
	{ TEXT("a = 0_1"), 1, "leading zeros" },
	{ TEXT("a = 1__2"), 1, "underscore" },
	{ TEXT("a = 1_"), 1, "underscore" },
	{ TEXT("a = _1"), 1, "quotes" },
	{ TEXT("a = +_1"), 1, "underscore" },
	{ TEXT("a = 1_.0"), 1, "underscore" },
	{ TEXT("a = 1._0"), 1, "underscore" },
	{ TEXT("a = 1e_3"), 1, "underscore" },
	{ TEXT("a = 0x_1"), 1, "underscore" },
	{ TEXT("a = 0x"), 1, "digits" },
	{ TEXT("a = 0xg"), 1, "wrong digit" },
	{ TEXT("a = 0o8"), 1, "wrong digit" },
	{ TEXT("a = 0b2"), 1, "wrong digit" },
	{ TEXT("a = 0X1"), 1, "quotes" },
	{ TEXT("a = +0x1"), 1, "quotes" },
	{ TEXT("a = -0b1"), 1, "quotes" },
	{ TEXT("a = 9223372036854775808"), 1, "out of range" },
	{ TEXT("a = -9223372036854775809"), 1, "out of range" },
	{ TEXT("a = 0x8000000000000000"), 1, "out of range" },
	{ TEXT("a = 0xffffffffffffffffffff"), 1, "out of range" },
	{ TEXT("a = ++1"), 1, "quotes" },
	{ TEXT("a = 1."), 1, "after '.'" },
	{ TEXT("a = 1.e5"), 1, "after '.'" },
	{ TEXT("a = .5"), 1, "before '.'" },
	{ TEXT("a = -.5"), 1, "before '.'" },
	{ TEXT("a = 1e"), 1, "exponent" },
	{ TEXT("a = 1e+"), 1, "exponent" },
	{ TEXT("a = 1.2.3"), 1, "quotes" },
	{ TEXT("a = 1e400"), 1, "too large" },
	{ TEXT("a = 1f"), 1, "quotes" },
	{ TEXT("a = Inf"), 1, "quotes" },
	{ TEXT("a = NaN"), 1, "quotes" },
	{ TEXT("a = infinity"), 1, "quotes" },
	{ TEXT("a = True"), 1, "quotes" },
	{ TEXT("a = truer"), 1, "quotes" },
	/* dates */
	{ TEXT("a = 1979-13-01"), 1, "not a date" },
	{ TEXT("a = 1979-00-01"), 1, "not a date" },
	{ TEXT("a = 1979-02-29"), 1, "not a date" },
	{ TEXT("a = 1900-02-29"), 1, "not a date" },
	{ TEXT("a = 1979-04-31"), 1, "not a date" },
	{ TEXT("a = 1979-05-00"), 1, "not a date" },
	{ TEXT("a = 79-05-27"), 1, "not a date" },
	{ TEXT("a = 1979-5-27"), 1, "not a date" },
	{ TEXT("a = 1979-05-27T"), 1, "not a date" },
	{ TEXT("a = 1979-05-27T24:00:00"), 1, "not a date" },
	{ TEXT("a = 1979-05-27T07:32"), 1, "not a date" },
	{ TEXT("a = 1979-05-27T07:32:00.Z"), 1, "not a date" },
	{ TEXT("a = 1979-05-27T07:32:00+24:00"), 1, "not a date" },
	{ TEXT("a = 1979-05-27T07:32:00+0700"), 1, "not a date" },
	{ TEXT("a = 1979-05-27T07:32:00Zx"), 1, "not a date" },
	{ TEXT("a = 07:60:00"), 1, "not a time" },
	{ TEXT("a = 07:32:61"), 1, "not a time" },
	{ TEXT("a = 07:32"), 1, "not a time" },
	{ TEXT("a = 07:32:00Z"), 1, "not a time" },
	{ TEXT("a = 1979-05-27  07:32:00"), 1, "new line" },
	/* arrays */
	{ TEXT("a = [1"), 1, "close the array" },
	{ TEXT("a = [1 2]"), 1, "separate" },
	{ TEXT("a = [,]"), 1, "unexpected ','" },
	{ TEXT("a = [1,,2]"), 1, "unexpected ','" },
	{ TEXT("a = [1}\n"), 1, "unexpected '}'" },
	{ TEXT("a = [\n1\n2\n]"), 3, "separate" },
	{ TEXT("a = [1]]"), 1, "new line" },
	{ TEXT("a = [b = 1]"), 1, "quotes" },
	/* inline tables */
	{ TEXT("a = { b = 1, }"), 1, "no comma" },
	{ TEXT("a = { b = 1\n}"), 1, "on the line" },
	{ TEXT("a = {\n}"), 1, "on the line" },
	{ TEXT("a = { b = 1 # c\n}"), 1, "on the line" },
	{ TEXT("a = { b = 1"), 1, "'}'" },
	{ TEXT("a = { b = 1 c = 2 }"), 1, "separate" },
	{ TEXT("a = { b }"), 1, "'='" },
	{ TEXT("a = { , }"), 1, "unexpected ','" },
	{ TEXT("a = { b = 1, b = 2 }"), 1, "b is already set" },
	{ TEXT("a = { b = {c = 1}, b.d = 2 }"), 1, "closed inline" },
	{ TEXT("a = { b.c = 1, b = 2 }"), 1, "b is already set" },
	{ TEXT("a = {b = 1}\n[a.c]"), 2, "closed inline table on line 1" },
	{ TEXT("a = {b = 1}\na.c = 2"), 2, "closed inline table" },
	{ TEXT("a = {b = {}}\n[a.b]"), 2, "closed inline" },
	{ TEXT("[t]\na = {}\n[t.a]"), 3, "already a table" },
	{ TEXT("a = [{b = 1}]\n[[a]]"), 2, "already a value" },
	{ TEXT("a = [{b = 1}]\n[a.c]"), 2, "no table" },
	{ TEXT("a = []\n[[a]]"), 2, "already a value" },
	/* headers */
	{ TEXT("[]"), 1, "name" },
	{ TEXT("[a"), 1, "']'" },
	{ TEXT("[a]]"), 1, "new line" },
	{ TEXT("[[a]"), 1, "']]'" },
	{ TEXT("[[a] ]"), 1, "']]'" },
	{ TEXT("[ [a]]"), 1, "unexpected '['" },
	{ TEXT("[a] b = 1"), 1, "new line" },
	{ TEXT("[a.]"), 1, "a key after '.'" },
	{ TEXT("[a b]"), 1, "unexpected key" },
	{ TEXT("[a\n]"), 1, "']'" },
	{ TEXT("[a]\n[a]"), 2, "already a table on line 1" },
	{ TEXT("[a.b]\n[a]\n[a.b]"), 3, "already a table" },
	{ TEXT("[a]\nb = 1\n[a.b]"), 3, "already a value" },
	{ TEXT("[a]\nb = 1\n[a.b.c]"), 3, "no table" },
	{ TEXT("a = 1\n[a]"), 2, "already a value" },
	{ TEXT("[a]\nb.c = 1\n[a.b]"), 3, "already a table" },
	{ TEXT("a.b.c = 1\n[a.b]"), 2, "already a table" },
	{ TEXT("[a.b.c]\nz = 1\n[a]\nb.c.t = 2"), 4, "table of its own" },
	{ TEXT("[a.b.c]\n[a]\nb.x = 1\n[a.b]"), 4, "already a table" },
	{ TEXT("[[a]]\n[a]"), 2, "array of tables" },
	{ TEXT("[a]\n[[a]]"), 2, "already a table" },
	{ TEXT("[a.b]\n[[a]]"), 2, "already a table" },
	{ TEXT("[[a]]\n[a.b]\n[[a.b]]"), 3, "already a table" },
	{ TEXT("[[a.b]]\n[a]\nb.c = 1"), 3, "no table" },
	{ TEXT("a.b = 1\n[[a]]"), 2, "already a table" },
	/* keys */
	{ TEXT("a = 1\na = 2"), 2, "already set on line 1" },
	{ TEXT("a = 1\n\"a\" = 2"), 2, "already set" },
	{ TEXT("a = 1\n'\\u0061' = 1\n\"\\u0061\" = 2"), 3, "already set" },
	{ TEXT("a = 1\na.b = 2"), 2, "no table" },
	{ TEXT("a.b = 1\na = 2"), 2, "already set" },
	{ TEXT("a.b = 1\na.b.c = 2"), 2, "no table" },
	{ TEXT("[a]\nb = 1\nb = 2"), 3, "already set on line 2" },
};

static struct toml *
parse(const char *text)
{
	char		 err[512] = "";
	struct toml	*doc;

	doc = toml_parse(text, strlen(text), "t", err, sizeof(err));
	ck_assert_msg(doc != NULL, "%s", err);
	return doc;
}

static const struct toml_value *
get(const struct toml *doc, const char *key)
{
	struct toml_entry	*e = toml_find(&doc->root->u.table, key);

	ck_assert_msg(e != NULL, "no %s", key);
	return e->value;
}

START_TEST(test_valid)
{
	char		 err[512] = "";
	struct toml	*doc;

	doc = toml_parse(valid[_i].text, valid[_i].len, "t", err, sizeof(err));
	ck_assert_msg(doc != NULL, "%s\n%s", valid[_i].text, err);
	toml_free(doc);
}
END_TEST

START_TEST(test_invalid)
{
	char		 err[512] = "", where[32];
	struct toml	*doc;

	doc = toml_parse(invalid[_i].text, invalid[_i].len, "t", err,
	    sizeof(err));
	ck_assert_msg(doc == NULL, "accepted:\n%s", invalid[_i].text);
	snprintf(where, sizeof(where), "t:%u: ", invalid[_i].line);
	ck_assert_msg(strncmp(err, where, strlen(where)) == 0,
	    "%s\nnot on line %u: %s", invalid[_i].text, invalid[_i].line, err);
	ck_assert_msg(strstr(err, invalid[_i].says) != NULL,
	    "%s\nsays: %s\nnot: %s", invalid[_i].text, err, invalid[_i].says);
}
END_TEST

/* The same documents cut at every byte: an answer each time, never a crash. */
START_TEST(test_truncated)
{
	char		 err[512], *copy;
	struct toml	*doc;
	size_t		 i, n;

	for (i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
		for (n = 0; n <= valid[i].len; n++) {
			/* An exact copy, so that reading on is seen. */
			ck_assert_ptr_nonnull(copy = malloc(n + 1));
			copy = realloc(copy, n == 0 ? 1 : n);
			memcpy(copy, valid[i].text, n);
			err[0] = '\0';
			doc = toml_parse(copy, n, "t", err, sizeof(err));
			ck_assert((doc == NULL) == (err[0] != '\0'));
			toml_free(doc);
			free(copy);
		}
}
END_TEST

START_TEST(test_strings)
{
	static const struct {
		const char	*text, *want;
		size_t		 len;
	} t[] = {
		{ "a = \"\\b\\t\\n\\f\\r\\\"\\\\\"", TEXT("\b\t\n\f\r\"\\") },
		{ "a = \"\\u00E9\\U0001F511\\u20ac\"",
		    TEXT("\xc3\xa9\xf0\x9f\x94\x91\xe2\x82\xac") },
		{ "a = \"x\\u0000y\"", TEXT("x\0y") },
		{ "a = '\\n\"'", TEXT("\\n\"") },
		{ "a = \"\"\"\nx\n\"\"\"", TEXT("x\n") },
		{ "a = \"\"\"\r\nx\r\ny\"\"\"", TEXT("x\ny") },
		{ "a = \"\"\"\n\nx\"\"\"", TEXT("\nx") },
		{ "a = \"\"\"x\\\n\n \t y\\  \n\"\"\"", TEXT("xy") },
		{ "a = \"\"\"\"\"x\"\"\"\"\"", TEXT("\"\"x\"\"") },
		{ "a = '''''x'''''", TEXT("''x''") },
		{ "a = \"\"\"x\"y\"\"z\"\"\"", TEXT("x\"y\"\"z") },
		{ "a = '''\n\\\nx'''", TEXT("\\\nx") },
		{ "a = \"\"\"\"\"\"", TEXT("") },
	};
	size_t	 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct toml		*doc = parse(t[i].text);
		const struct toml_value	*v = get(doc, "a");

		ck_assert_int_eq(v->type, TOML_STRING);
		ck_assert_uint_eq(v->u.str.len, t[i].len);
		ck_assert_mem_eq(v->u.str.s, t[i].want, t[i].len + 1);
		toml_free(doc);
	}
}
END_TEST

START_TEST(test_numbers)
{
	struct toml	*doc = parse("a = -9223372036854775808\nb = 0xdead_beef\n"
			    "c = 0o755\nd = 0b101\ne = +1_000\nf = 6.5e-1\n"
			    "g = -inf\nh = nan\ni = 1e3\nj = true\n"
			    "k = 0x7fffffffffffffff\n");

	ck_assert_int_eq(get(doc, "a")->u.integer, INT64_MIN);
	ck_assert_int_eq(get(doc, "b")->u.integer, 0xdeadbeef);
	ck_assert_int_eq(get(doc, "c")->u.integer, 0755);
	ck_assert_int_eq(get(doc, "d")->u.integer, 5);
	ck_assert_int_eq(get(doc, "e")->u.integer, 1000);
	ck_assert_int_eq(get(doc, "e")->type, TOML_INTEGER);
	ck_assert_double_eq(get(doc, "f")->u.real, 0.65);
	ck_assert(isinf(get(doc, "g")->u.real) && get(doc, "g")->u.real < 0);
	ck_assert(isnan(get(doc, "h")->u.real));
	ck_assert_int_eq(get(doc, "i")->type, TOML_FLOAT);
	ck_assert(get(doc, "j")->u.boolean);
	ck_assert_int_eq(get(doc, "k")->u.integer, INT64_MAX);
	toml_free(doc);
}
END_TEST

START_TEST(test_dates)
{
	struct toml	*doc = parse("a = 1979-05-27 07:32:00Z\n"
			    "b = 1979-05-27T07:32:00\nc = 1979-05-27 # x\n"
			    "d = 07:32:00.5\n");

	ck_assert_int_eq(get(doc, "a")->type, TOML_DATETIME);
	ck_assert_str_eq(get(doc, "a")->u.str.s, "1979-05-27 07:32:00Z");
	ck_assert_int_eq(get(doc, "b")->type, TOML_DATETIME_LOCAL);
	ck_assert_int_eq(get(doc, "c")->type, TOML_DATE_LOCAL);
	ck_assert_str_eq(get(doc, "c")->u.str.s, "1979-05-27");
	ck_assert_int_eq(get(doc, "d")->type, TOML_TIME_LOCAL);
	toml_free(doc);
}
END_TEST

START_TEST(test_tree)
{
	struct toml		*doc = parse("z = 1\na = 2\n\n[t]\nb.c = 'x'\n"
				    "[[l]]\nn = 1\n[l.s]\n[[l]]\nn = [2,\n{q = 3}]\n");
	struct toml_entry	*e;
	const struct toml_value	*v;

	e = TAILQ_FIRST(&doc->root->u.table.entries);
	ck_assert_str_eq(e->key.s, "z");
	e = TAILQ_NEXT(e, order);
	ck_assert_str_eq(e->key.s, "a");
	ck_assert_uint_eq(e->line, 2);
	ck_assert_uint_eq(doc->root->u.table.n, 4);

	e = toml_find(&doc->root->u.table, "t");
	ck_assert_uint_eq(e->line, 4);
	e = toml_find(&e->value->u.table, "b");
	e = toml_find(&e->value->u.table, "c");
	ck_assert_uint_eq(e->line, 5);
	ck_assert_str_eq(e->value->u.str.s, "x");

	v = get(doc, "l");
	ck_assert_int_eq(v->type, TOML_ARRAY);
	ck_assert_uint_eq(v->u.array.n, 2);
	v = STAILQ_FIRST(&v->u.array.items);
	ck_assert_ptr_nonnull(toml_find(&v->u.table, "s"));
	v = STAILQ_NEXT(v, next);
	v = toml_find(&v->u.table, "n")->value;
	ck_assert_uint_eq(v->u.array.n, 2);
	v = STAILQ_NEXT(STAILQ_FIRST(&v->u.array.items), next);
	ck_assert_uint_eq(v->line, 11);
	ck_assert_int_eq(toml_find(&v->u.table, "q")->value->u.integer, 3);
	toml_free(doc);
}
END_TEST

/* Repeats part n times between head and tail. */
static char *
repeat(const char *head, const char *part, size_t n, const char *tail)
{
	size_t	 len = strlen(part), total = strlen(head) + n * len +
		    strlen(tail) + 1;
	char	*s = malloc(total), *p = s;

	ck_assert_ptr_nonnull(s);
	p += strlcpy(p, head, total);
	while (n-- > 0) {
		memcpy(p, part, len);
		p += len;
	}
	strlcpy(p, tail, total - (size_t)(p - s));
	return s;
}

static void
refuses(const char *head, const char *part, size_t n, const char *says)
{
	char		 err[512] = "", *s = repeat(head, part, n, "");
	struct toml	*doc = toml_parse(s, strlen(s), "t", err, sizeof(err));

	ck_assert_msg(doc == NULL, "%s accepted", part);
	ck_assert_msg(strstr(err, says) != NULL, "%s", err);
	free(s);
}

START_TEST(test_deep)
{
	char		 a[512] = "a = ", err[256];
	struct toml	*doc;
	int		 i;

	refuses("a = ", "[", 400000, "nest deeper than 64");
	refuses("a = ", "{a=", 400000, "deeper than 64");
	refuses("a = ", "[{a=", 200000, "nest deeper than 64");
	refuses("", "[", 400000, "unexpected '['");
	refuses("a", ".a", 400000, "more than 64 parts");
	refuses("[a", ".a", 400000, "more than 64 parts");
	refuses("a = [", "1,", 400000, "more than 200000 values");
	refuses("", "[[a]]\n", 300000, "more than 200000 values");
	refuses("a = ", "9", 400000, "this long");

	for (i = 0; i < 64; i++)
		strlcat(a, "[", sizeof(a));
	for (i = 0; i < 64; i++)
		strlcat(a, "]", sizeof(a));
	doc = toml_parse(a, strlen(a), "t", err, sizeof(err));
	ck_assert_msg(doc != NULL, "%s", err);
	toml_free(doc);
}
END_TEST

/* 60,000 keys in one table must not take quadratic time (test timeout). */
START_TEST(test_wide)
{
	size_t		 size = 60000 * 16, n = 0;
	char		*s = malloc(size), err[256];
	struct toml	*doc;
	int		 i;

	ck_assert_ptr_nonnull(s);
	for (i = 0; i < 60000; i++)
		n += (size_t)snprintf(s + n, size - n, "k%d = %d\n", i, i);
	doc = toml_parse(s, n, "t", err, sizeof(err));
	ck_assert_msg(doc != NULL, "%s", err);
	ck_assert_int_eq(get(doc, "k59999")->u.integer, 59999);
	toml_free(doc);
	free(s);
}
END_TEST

/* What a message quotes: keys, cut short and printable; never a value. */
START_TEST(test_messages)
{
	char		 err[512], *s;

	s = repeat("\"\\u001b", "\xc3\xa9", 200, "\" = 1 2\n\"");
	ck_assert_ptr_null(toml_parse(s, strlen(s), "t", err, sizeof(err)));
	free(s);
	s = repeat("a = 1\n\"\\u001b", "\xc3\xa9", 200, "\" \"x\" = 1\n");
	ck_assert_ptr_null(toml_parse(s, strlen(s), "t", err, sizeof(err)));
	free(s);
	ck_assert_ptr_null(toml_parse(TEXT("token = sesame\n"), "t", err,
	    sizeof(err)));
	ck_assert_ptr_null(strstr(err, "sesame"));
	ck_assert_ptr_null(toml_parse(TEXT("token \"sesame\"\n"), "t", err,
	    sizeof(err)));
	ck_assert_ptr_null(strstr(err, "sesame"));
	ck_assert_ptr_null(toml_parse(TEXT("token = 'a' sesame\n"), "t", err,
	    sizeof(err)));
	ck_assert_ptr_null(strstr(err, "sesame"));
	ck_assert_ptr_null(toml_parse(TEXT("a = 1\na = 2\n"), "/etc/x.toml",
	    err, sizeof(err)));
	ck_assert_str_eq(err, "/etc/x.toml:2: a is already set on line 1: keep "
	    "one of the two");
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("toml");
	TCase	*tc = tcase_create("toml");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_valid, 0,
	    (int)(sizeof(valid) / sizeof(valid[0])));
	tcase_add_loop_test(tc, test_invalid, 0,
	    (int)(sizeof(invalid) / sizeof(invalid[0])));
	tcase_add_test(tc, test_truncated);
	tcase_add_test(tc, test_strings);
	tcase_add_test(tc, test_numbers);
	tcase_add_test(tc, test_dates);
	tcase_add_test(tc, test_tree);
	tcase_add_test(tc, test_deep);
	tcase_add_test(tc, test_wide);
	tcase_add_test(tc, test_messages);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
