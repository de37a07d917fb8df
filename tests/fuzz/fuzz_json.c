/*
 * common/json: what it takes is JSON (by a second parser), its tree says where
 * each value stood, and written again it reads the same.
 */
#include <string.h>

#include "json.h"
#include "utf8.h"

#include "fuzz.h"

static void	check_value(const struct json *, const char *, size_t);
static void	check_number(const struct json *);
static void	write_value(struct json_out *, const struct json *);
static void	check_same(const struct json *, const struct json *);
static void	check_written(const struct json *);
static bool	may_be_deep(const char *, size_t);

static void
check_number(const struct json *v)
{
	char		 text[32], *end;
	uint64_t	 n = 0;

	if (json_u64(v, UINT64_MAX, &n) == -1)
		return;
	CHECK(v->text.len < sizeof(text));
	memcpy(text, v->text.p, v->text.len);
	text[v->text.len] = '\0';
	CHECK(strtoull(text, &end, 10) == n && *end == '\0');
	CHECK((text[0] != '0' || text[1] == '\0') && text[0] != '-');
}

static void
check_value(const struct json *v, const char *text, size_t len)
{
	static const char	 first[] = {
		[JSON_NULL] = 'n', [JSON_STRING] = '"', [JSON_ARRAY] = '[',
		[JSON_OBJECT] = '{'
	};
	const struct json	*c;
	char			 path[64];
	uint32_t		 n = 0;

	CHECK(v->start < v->end && v->end <= len);
	CHECK(json_strict(text + v->start, v->end - v->start));
	CHECK(strchr(" \t\r\n", text[v->start]) == NULL);
	CHECK(strchr(" \t\r\n", text[v->end - 1]) == NULL);
	if (v->type == JSON_BOOL)
		CHECK(text[v->start] == (v->truth ? 't' : 'f'));
	else if (v->type == JSON_NUMBER)
		check_number(v);
	else
		CHECK(text[v->start] == first[v->type]);
	if (v->type == JSON_STRING)
		CHECK(utf8_valid(v->text.p, v->text.len));
	json_path(NULL, v, path, sizeof(path));
	CHECK(strlen(path) < sizeof(path));
	for (c = v->first; c != NULL; c = c->next, n++) {
		CHECK(c->parent == v && c->index == n);
		CHECK(c->start > v->start && c->end < v->end);
		CHECK(c->next == NULL || c->end < c->next->start);
		if (v->type == JSON_OBJECT)
			CHECK(utf8_valid(c->key.p, c->key.len));
		check_value(c, text, len);
	}
	CHECK(n == v->n);
}

static void
write_value(struct json_out *o, const struct json *v)
{
	const struct json	*c;

	switch (v->type) {
	case JSON_NULL:
		json_out_null(o);
		break;
	case JSON_BOOL:
		json_out_bool(o, v->truth);
		break;
	case JSON_NUMBER:
		json_out_raw(o, (const char *)v->text.p, v->text.len);
		break;
	case JSON_STRING:
		json_out_stringn(o, v->text.p, v->text.len);
		break;
	case JSON_ARRAY:
		json_out_begin_array(o);
		for (c = v->first; c != NULL; c = c->next)
			write_value(o, c);
		json_out_end_array(o);
		break;
	case JSON_OBJECT:
		json_out_begin_object(o);
		for (c = v->first; c != NULL; c = c->next) {
			json_out_stringn(o, c->key.p, c->key.len);
			write_value(o, c);
		}
		json_out_end_object(o);
		break;
	}
}

static void
check_same(const struct json *a, const struct json *b)
{
	const struct json	*x, *y;

	CHECK(a->type == b->type && a->truth == b->truth && a->n == b->n);
	CHECK(a->text.len == b->text.len && (a->text.len == 0 ||
	    memcmp(a->text.p, b->text.p, a->text.len) == 0));
	CHECK(a->key.len == b->key.len && (a->key.len == 0 ||
	    memcmp(a->key.p, b->key.p, a->key.len) == 0));
	for (x = a->first, y = b->first; x != NULL; x = x->next, y = y->next)
		check_same(x, y);
}

static void
check_written(const struct json *v)
{
	struct json_out	 o, again;
	struct pool	 pool;
	struct json	*w;
	const char	*text, *second;
	char		 err[256];
	size_t		 len, n;

	pool_init(&pool, 0);
	CHECK(json_out_init(&o, 0) == 0 && json_out_init(&again, 0) == 0);
	write_value(&o, v);
	CHECK((text = json_out_text(&o, &len)) != NULL);
	CHECK(json_strict(text, len));
	CHECK((w = json_parse(&pool, text, len, err, sizeof(err))) != NULL);
	check_same(v, w);
	write_value(&again, w);
	CHECK((second = json_out_text(&again, &n)) != NULL);
	CHECK(n == len && memcmp(text, second, n) == 0);
	json_out_free(&o);
	json_out_free(&again);
	pool_free(&pool);
}

/* Could it be nested deeper than it may? */
static bool
may_be_deep(const char *text, size_t len)
{
	size_t	 i, n = 0;

	for (i = 0; i < len; i++)
		n += text[i] == '[' || text[i] == '{';
	return n > JSON_MAX_DEPTH;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char	*text = (const char *)data;
	struct pool	 pool;
	struct json	*v, *part;
	char		 err[256];

	pool_init(&pool, 0);
	if ((v = json_parse(&pool, text, size, err, sizeof(err))) == NULL) {
		CHECK(err[0] != '\0' && strchr(err, '\n') == NULL);
		/* Nothing but what json.h says is refused beyond RFC 8259. */
		CHECK(!json_strict(text, size) ||
		    strstr(err, "member twice") != NULL ||
		    (strstr(err, "nested too deeply") != NULL &&
		    may_be_deep(text, size)));
	} else {
		CHECK(json_strict(text, size));
		check_value(v, text, size);
		CHECK((part = json_parse(&pool, text + v->start,
		    v->end - v->start, err, sizeof(err))) != NULL);
		check_same(v, part);
		check_written(v);
	}
	pool_free(&pool);
	return 0;
}
