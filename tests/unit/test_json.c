/* common/json: what it takes, what it refuses, where values stood. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json.h"

static struct pool	 pool;
static char		 err[256];

static void
setup(void)
{
	pool_init(&pool, 0);
	err[0] = '\0';
}

static void
teardown(void)
{
	pool_free(&pool);
}

/*
 * An exact heap copy, so that a read past the end is seen.  It lives until
 * the next call: the tree has views into it.
 */
static struct json *
parse_n(const char *text, size_t len)
{
	static char	*copy;

	free(copy);
	ck_assert_ptr_nonnull(copy = malloc(len + 1));
	/* At the end of the block. */
	memmove(copy + 1, text, len);
	return json_parse(&pool, copy + 1, len, err, sizeof(err));
}

static struct json *
parse(const char *text)
{
	return parse_n(text, strlen(text));
}

/* Each node's range must hold exactly its own text. */
static void
check_ranges(const char *text, const struct json *v)
{
	const struct json	*c;
	char			 first = text[v->start], last = text[v->end - 1];
	uint32_t		 at = v->start + 1, n = 0;

	ck_assert_uint_lt(v->start, v->end);
	switch (v->type) {
	case JSON_NULL:
		ck_assert_int_eq(strncmp(text + v->start, "null", 4), 0);
		ck_assert_uint_eq(v->end - v->start, 4);
		break;
	case JSON_BOOL:
		ck_assert_int_eq(strncmp(text + v->start,
		    v->truth ? "true" : "false", v->end - v->start), 0);
		break;
	case JSON_NUMBER:
		ck_assert_uint_eq(v->end - v->start, v->text.len);
		ck_assert_mem_eq(text + v->start, v->text.p, v->text.len);
		break;
	case JSON_STRING:
		ck_assert(first == '"' && last == '"');
		break;
	case JSON_ARRAY:
		ck_assert(first == '[' && last == ']');
		break;
	case JSON_OBJECT:
		ck_assert(first == '{' && last == '}');
		break;
	}
	for (c = v->first; c != NULL; c = c->next) {
		ck_assert_ptr_eq(c->parent, v);
		ck_assert_uint_eq(c->index, n++);
		ck_assert_uint_ge(c->start, at);
		at = c->end;
		check_ranges(text, c);
	}
	ck_assert_uint_eq(n, v->n);
}

START_TEST(values)
{
	static const char	*good[] = {
		"null", " true ", "false\n", "0", "-0", "1.5e+10 ", "12", "\"\"",
		"\t\r\n {} ", "[]", "[ 1 ,2,\t-3.0 , [ ] ]",
		"{ \"a\" : 1 , \"b\":[{\"c\":null}], \"\":\"x\" }",
		"\"\\u00e9\\ud83d\\ude00\\n\\/\\\\\"", "[\"\\\\\",\"\\\"\", 1]",
		"{\"a\\\"\":\"\\u0000\",\"b\" : 18446744073709551615}",
		"[\"\xc3\xa9\xf0\x9f\x98\x80\xed\x9f\xbf\", {\"k\\ud83d\\ude00\":1}]",
		"{\"a\":{\"a\":{\"a\":1}},\"A\":2}", "\"\x7f\"",
	};
	size_t			 i;
	struct json		*v;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		v = parse(good[i]);
		ck_assert_msg(v != NULL, "%s: %s", good[i], err);
		ck_assert_str_eq(err, "");
		check_ranges(good[i], v);
	}
}
END_TEST

START_TEST(tree)
{
	const char	*text = " {\"n\\u0061me\": \"A\\u00e9\\u0000\\ud83d\\ude00z\","
			    "\"list\" : [10 , \"plain\",true,null] }";
	struct json	*v = parse(text), *c;

	ck_assert_msg(v != NULL, "%s", err);
	ck_assert_uint_eq(v->n, 2);
	c = json_get(v, "name");
	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(c->text.len, 9);
	ck_assert_mem_eq(c->text.p, "A\xc3\xa9\0\xf0\x9f\x98\x80z", 9);
	ck_assert_uint_eq(c->end - c->start,
	    strlen("\"A\\u00e9\\u0000\\ud83d\\ude00z\""));
	ck_assert_ptr_null(json_cstr(&pool, c));
	ck_assert(!json_is_string(c, "A\xc3\xa9"));
	c = json_get(v, "list");
	ck_assert_uint_eq(c->n, 4);
	ck_assert(json_is_string(c->first->next, "plain"));
	ck_assert_str_eq(json_cstr(&pool, c->first->next), "plain");
	ck_assert(c->first->next->next->truth);
	ck_assert_ptr_null(c->first->next->next->next->next);
	ck_assert_ptr_null(json_get(v, "nam"));
	ck_assert_ptr_null(json_get(c, "list"));
	ck_assert_ptr_null(json_get(NULL, "list"));
	ck_assert_ptr_null(json_cstr(&pool, c));
}
END_TEST

START_TEST(refused)
{
	static const struct { const char *text, *says; } bad[] = {
		{ "", "" }, { "  \n", "" }, { "{", "" }, { "[1", "" },
		{ "tru", "" }, { "truex", "" }, { "nulll", "" }, { "1 2", "" },
		{ "{} x", "" }, { "{}{}", "" }, { "[1,]", "" }, { "[,1]", "" },
		{ "{\"a\":1,}", "" }, { "{\"a\" 1}", "" }, { "{a:1}", "" },
		{ "{1:1}", "" }, { "[1 2]", "" }, { "]", "" }, { "[}", "" },
		{ "{]", "" }, { "'a'", "" }, { "01", "" }, { "-01", "" },
		{ "+1", "" }, { ".5", "" }, { "1.", "" }, { "1e", "" },
		{ "1e+", "" }, { "-", "" }, { "0x10", "" }, { "NaN", "" },
		{ "Infinity", "" }, { "[1]//x", "" }, { "/*x*/[1]", "" },
		{ "[1/**/]", "" }, { "\"a", "" }, { "\"\\x\"", "" },
		{ "\"\\u12g4\"", "byte 1" }, { "\"\\u12\"", "" },
		{ "\"\\", "" }, { "\"\\u", "" }, { "\"\t\"", "" },
		{ "\"\n\"", "" }, { "\"\x01\"", "" }, { "[\"\x1f\"]", "" },
		{ "\xef\xbb\xbf[]", "" }, { "\"a\\", "" },
		{ "[1]\v", "byte 3" }, { "[1\v]", "" }, { "[\f1]", "byte 1" },
		{ "\v[1]", "byte 0" }, { "{\"a\"\v:1}", "" },
		{ "{\"a\":\f1}", "" }, { "{\f}", "" }, { "1\v", "" },
		{ "{\"a\"\f:1}", "" }, { "[1,\f2]", "" }, { "[1\f,2]", "" },
		{ "\"\x80\"", "byte 1" }, { "\"\xc3\"", "UTF-8" },
		{ "\"\xc0\xaf\"", "UTF-8" }, { "\"\xe0\x80\xaf\"", "UTF-8" },
		{ "\"\xed\xa0\x80\"", "UTF-8" }, { "\"\xf4\x90\x80\x80\"", "UTF-8" },
		{ "\"\xf8\x88\x80\x80\x80\"", "UTF-8" }, { "\"\xff\"", "UTF-8" },
		{ "\"12345678901234567\xe2\x82\"", "byte 18" },
		{ "\"\\ud800\"", "lone surrogate" },
		{ "\"\\udc00\"", "lone surrogate" },
		{ "\"\\ud800x\"", "lone surrogate" },
		{ "\"\\ud800\\u0041\"", "lone surrogate" },
		{ "\"\\ud800\\ud800\"", "lone surrogate" },
		{ "{\"\\uD83D\":1}", "lone surrogate" },
		{ "\"\\\\\\udfff\"", "byte 3" },
		{ "{\"a\":1,\"a\":2}", "a: member twice" },
		{ "[0,{\"x\":[{\"k\":1,\"b\":0,\"k\":1}]}]",
		    "[1].x[0].k: member twice" },
		{ "{\"a\":1,\"\\u0061\":2}", "a: member twice" },
		{ "{\"a b\":1,\"a b\":2}", "[\"a b\"]: member twice" },
		{ "{\"\":1,\"\":2}", "[\"\"]: member twice" },
		{ "{\"a\\u0000\":1,\"a\\u0000\":2}", "member twice" },
	};
	size_t	 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(parse(bad[i].text) == NULL, "%s", bad[i].text);
		ck_assert_msg(err[0] != '\0', "%s: no message", bad[i].text);
		ck_assert_msg(strstr(err, bad[i].says) != NULL, "%s: %s",
		    bad[i].text, err);
		ck_assert_msg(strchr(err, '\n') == NULL, "%s", err);
	}
	ck_assert_ptr_null(parse_n("[1]\0", 4));
	ck_assert_ptr_null(parse_n("\0", 1));
	ck_assert_ptr_null(parse_n("\"a\0b\"", 5));
	ck_assert_ptr_null(parse_n("[1\0]", 4));
}
END_TEST

/* Not one prefix of a text is a text. */
START_TEST(truncated)
{
	const char	*text = "{\"a\\u00e9\":[1,2.5e3,\"\\ud83d\\ude00\",null,true"
			    "],\"\xc3\xa9\":{\"b\":false}}";
	size_t		 i;

	ck_assert_ptr_nonnull(parse(text));
	for (i = 0; i < strlen(text); i++)
		ck_assert_msg(parse_n(text, i) == NULL, "%zu", i);
}
END_TEST

/* Of this process, so that other work of the machine does not count. */
static double
now(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

START_TEST(depth)
{
	char	*text = malloc(800001);
	size_t	 i;
	double	 t = now();

	memset(text, '[', 400000);
	ck_assert_ptr_null(parse_n(text, 400000));
	ck_assert_str_eq(err, "nested too deeply");
	memset(text + 400000, ']', 400000);
	ck_assert_ptr_null(parse_n(text, 800000));
	for (i = 0; i < 400000; i += 5)
		memcpy(text + i, "{\"a\":", 5);
	ck_assert_ptr_null(parse_n(text, 400000));
	ck_assert_str_eq(err, "nested too deeply");
	ck_assert_double_lt(now() - t, 1.0);
	ck_assert_uint_lt(pool.used, 100000);

	memset(text, '[', JSON_MAX_DEPTH);
	memset(text + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
	ck_assert_ptr_nonnull(parse_n(text, 2 * JSON_MAX_DEPTH));
	memset(text, '[', JSON_MAX_DEPTH + 1);
	memset(text + JSON_MAX_DEPTH + 1, ']', JSON_MAX_DEPTH + 1);
	ck_assert_ptr_null(parse_n(text, 2 * JSON_MAX_DEPTH + 2));
	free(text);
}
END_TEST

/* n members m0 … m(n-1), the last one named like the first if twice. */
static char *
members(unsigned n, bool twice, size_t *len)
{
	char		*text = malloc(n * 24UL + 2);
	size_t		 at = 0;
	unsigned	 i;

	for (i = 0; i < n; i++)
		at += (size_t)sprintf(text + at, "%c\"m%u\":0",
		    i == 0 ? '{' : ',', twice && i == n - 1 ? 0 : i);
	text[at++] = '}';
	*len = at;
	return text;
}

START_TEST(many_members)
{
	size_t		 len;
	unsigned	 n;
	char		*text;
	double		 t = now();

	for (n = 2; n < 40; n++) {
		text = members(n, false, &len);
		ck_assert_ptr_nonnull(parse_n(text, len));
		free(text);
		text = members(n, true, &len);
		ck_assert_ptr_null(parse_n(text, len));
		ck_assert_str_eq(err, "m0: member twice");
		free(text);
	}
	text = members(100000, false, &len);
	ck_assert_ptr_nonnull(parse_n(text, len));
	free(text);
	text = members(100000, true, &len);
	ck_assert_ptr_null(parse_n(text, len));
	ck_assert_str_eq(err, "m0: member twice");
	free(text);
	ck_assert_double_lt(now() - t, 5.0);
}
END_TEST

START_TEST(large)
{
	size_t		 n = 8 * 1024 * 1024;
	char		*text = malloc(n);
	struct json	*v;
	double		 t = now();

	memset(text, 'a', n);
	text[0] = text[n - 1] = '"';
	v = parse_n(text, n);
	ck_assert_ptr_nonnull(v);
	ck_assert_uint_eq(v->text.len, n - 2);
	ck_assert_uint_lt(pool.used, 1000);
	text[n - 1] = 'a';
	ck_assert_ptr_null(parse_n(text, n));
	memset(text, '\\', n);
	text[0] = text[n - 1] = '"';
	v = parse_n(text, n);
	ck_assert_ptr_nonnull(v);
	ck_assert_uint_eq(v->text.len, n / 2 - 1);
	memset(text, ' ', n);
	ck_assert_ptr_null(parse_n(text, n));
	memset(text, '1', n);
	ck_assert_ptr_nonnull(parse_n(text, n));
	text[0] = '[';
	for (size_t i = 1; i < n; i += 2) {
		text[i] = '1';
		text[i + 1 < n ? i + 1 : i] = ',';
	}
	text[n - 1] = ']';
	ck_assert_ptr_null(parse_n(text, n));
	ck_assert_str_eq(err, "too many values");
	pool_free(&pool);
	pool_init(&pool, 10000);
	ck_assert_ptr_null(parse_n(text, n));
	ck_assert_str_eq(err, "too large");
	free(text);
	ck_assert_double_lt(now() - t, 10.0);
}
END_TEST

START_TEST(integers)
{
	static const struct { const char *text; uint64_t max; int rc; uint64_t v; }
	t[] = {
		{ "0", 0, 0, 0 }, { "1", 0, -1, 0 }, { "255", 255, 0, 255 },
		{ "256", 255, -1, 0 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, -1, 0 },
		{ "18446744073709551620", UINT64_MAX, -1, 0 },
		{ "28446744073709551615", UINT64_MAX, -1, 0 },
		{ "184467440737095516150", UINT64_MAX, -1, 0 },
		{ "-0", UINT64_MAX, -1, 0 }, { "-1", UINT64_MAX, -1, 0 },
		{ "1.0", UINT64_MAX, -1, 0 }, { "1e0", UINT64_MAX, -1, 0 },
		{ "1E2", UINT64_MAX, -1, 0 }, { "0.0", UINT64_MAX, -1, 0 },
		{ "\"1\"", UINT64_MAX, -1, 0 }, { "null", UINT64_MAX, -1, 0 },
		{ "true", UINT64_MAX, -1, 0 }, { "[1]", UINT64_MAX, -1, 0 },
		{ "9007199254740993", UINT64_MAX, 0, 9007199254740993 },
	};
	uint64_t	 v;
	size_t		 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		v = 0;
		ck_assert_msg(json_u64(parse(t[i].text), t[i].max, &v) == t[i].rc,
		    "%s", t[i].text);
		ck_assert_uint_eq(v, t[i].v);
	}
	ck_assert_int_eq(json_u64(NULL, 1, &v), -1);
}
END_TEST

START_TEST(paths)
{
	struct json	*v, *c;
	char		 path[128], name[90];

	v = parse("{\"inputs\":[0,{\"utxoEntry\":{\"a-b\\n\\\"\":1}}]}");
	c = json_get(v, "inputs")->first->next;
	json_path(v, json_get(c, "utxoEntry"), path, sizeof(path));
	ck_assert_str_eq(path, "inputs[1].utxoEntry");
	json_path(v, json_get(c, "utxoEntry")->first, path, sizeof(path));
	ck_assert_str_eq(path, "inputs[1].utxoEntry[\"a-b??\"]");
	json_path(c, json_get(c, "utxoEntry"), path, sizeof(path));
	ck_assert_str_eq(path, "utxoEntry");
	json_path(v, v, path, sizeof(path));
	ck_assert_str_eq(path, "");
	json_path(v, c, path, 5);
	ck_assert_str_eq(path, "inpu");
	memset(name, 'x', sizeof(name));
	memcpy(name, "{\"", 2);
	memcpy(name + 85, "\":1}", 5);
	v = parse(name);
	ck_assert_ptr_nonnull(v);
	json_path(v, v->first, path, sizeof(path));
	ck_assert_int_eq(strncmp(path, "[\"xxxx", 6), 0);
	ck_assert_uint_eq(strlen(path), 40 + 3 + 4);
}
END_TEST

/* Name and value at once; null where there is none. */
START_TEST(written_members)
{
	struct json_out	 o;
	struct bytes	 none = { NULL, 0 }, text = { (const uint8_t *)"ab", 2 };

	ck_assert_int_eq(json_out_init(&o, 0), 0);
	json_out_begin_object(&o);
	json_put_u64(&o, "a", 7);
	json_put_bool(&o, "b", true);
	json_put_null(&o, "c");
	json_put_string(&o, "d", "");
	json_put_text(&o, "e", none);
	json_put_hex(&o, "f", "\xff", 1);
	json_put_string_or_null(&o, "g", NULL);
	json_put_string_or_null(&o, "h", "");
	json_put_string_or_null(&o, "i", "x");
	json_put_text_or_null(&o, "j", none);
	json_put_text_or_null(&o, "k", text);
	json_put_hex_or_null(&o, "l", NULL, 0);
	json_put_hex_or_null(&o, "m", "\x01", 1);
	json_put_u64_or_null(&o, "n", false, 7);
	json_put_u64_or_null(&o, "o", true, 0);
	json_out_end_object(&o);
	ck_assert_str_eq(json_out_text(&o, NULL), "{\"a\":7,\"b\":true,"
	    "\"c\":null,\"d\":\"\",\"e\":\"\",\"f\":\"ff\",\"g\":null,"
	    "\"h\":null,\"i\":\"x\",\"j\":null,\"k\":\"ab\",\"l\":null,"
	    "\"m\":\"01\",\"n\":null,\"o\":0}");
	json_out_free(&o);
}
END_TEST

START_TEST(writer)
{
	struct json_out	 o;
	size_t		 len;
	const char	*text;

	ck_assert_int_eq(json_out_init(&o, 0), 0);
	json_out_begin_object(&o);
	json_out_key(&o, "s");
	json_out_string(&o, "a\"\\\n\x01\xc3\xa9/");
	json_out_key(&o, "cut");
	json_out_string(&o, "x\xe2\x82");
	json_out_key(&o, "n");
	json_out_u64(&o, UINT64_MAX);
	json_out_key(&o, "list");
	json_out_begin_array(&o);
	json_out_bool(&o, true);
	json_out_bool(&o, false);
	json_out_null(&o);
	json_out_raw(&o, "{ \"x\":1 }", 9);
	json_out_hex(&o, "\x00\xab", 2);
	json_out_stringn(&o, "", 0);
	json_out_end_array(&o);
	json_out_end_object(&o);
	ck_assert_ptr_nonnull(text = json_out_text(&o, &len));
	ck_assert_str_eq(text, "{\"s\":\"a\\\"\\\\\\n\\u0001\xc3\xa9/\",\"cut\":\"x??\","
	    "\"n\":18446744073709551615,\"list\":[true,false,null,"
	    "{ \"x\":1 },\"00ab\",\"\"]}");
	ck_assert_uint_eq(strlen(text), len);
	ck_assert_ptr_eq(json_out_text(&o, NULL), text);
	ck_assert_ptr_nonnull(parse_n(text, len));
	json_out_free(&o);

	/* Unfinished, empty, a value where a key belongs, over the limit. */
	ck_assert_int_eq(json_out_init(&o, 0), 0);
	json_out_begin_array(&o);
	ck_assert_ptr_null(json_out_text(&o, NULL));
	json_out_end_array(&o);
	ck_assert_ptr_null(json_out_text(&o, NULL));
	json_out_free(&o);
	ck_assert_int_eq(json_out_init(&o, 0), 0);
	ck_assert_ptr_null(json_out_text(&o, NULL));
	json_out_free(&o);
	ck_assert_int_eq(json_out_init(&o, 0), 0);
	json_out_begin_object(&o);
	json_out_u64(&o, 1);
	json_out_end_object(&o);
	ck_assert_ptr_null(json_out_text(&o, NULL));
	json_out_free(&o);
	ck_assert_int_eq(json_out_init(&o, 10), 0);
	json_out_string(&o, "123456789");
	ck_assert_ptr_null(json_out_text(&o, NULL));
	json_out_free(&o);
	ck_assert_int_eq(json_out_init(&o, 10), 0);
	json_out_string(&o, "12345678");
	ck_assert_ptr_nonnull(json_out_text(&o, &len));
	ck_assert_uint_eq(len, 10);
	json_out_free(&o);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("json");
	TCase	*tc = tcase_create("json");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, values);
	tcase_add_test(tc, tree);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, truncated);
	tcase_add_test(tc, depth);
	tcase_add_test(tc, many_members);
	tcase_add_test(tc, large);
	tcase_add_test(tc, integers);
	tcase_add_test(tc, paths);
	tcase_add_test(tc, writer);
	tcase_add_test(tc, written_members);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
