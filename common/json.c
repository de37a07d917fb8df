#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "json.h"
#include "utf8.h"

#define JSON_MAX_TEXT	(1U << 30)
#define PATH_NAME_MAX	40	/* bytes of a strange member name shown */
#define PATH_WORD_MAX	80	/* of a plain one: a key in hex is 66 */

struct parser {
	struct pool	*pool;
	yajl_handle	 yajl;
	const char	*text;
	size_t		 len;
	size_t		 seen;		/* end of the last token */
	bool		 finishing;	/* in yajl_complete_parse */
	struct json	*root;
	struct json	*open;		/* innermost container, or NULL */
	struct json	*last[JSON_MAX_DEPTH];	/* newest child, per level */
	unsigned	 depth;
	uint32_t	 values;
	struct bytes	 key;		/* of the member whose value comes next */
	char		*err;
	size_t		 errlen;
};

static int	 fail(struct parser *, const char *);
static int	 fail_at(struct parser *, size_t, const char *);
static int	 fail_in(struct parser *, const struct json *, const char *);
static int	 check_utf8(struct parser *);
static int	 check_escapes(struct parser *);
static int	 check_space(struct parser *, size_t, size_t);
static int	 token(struct parser *, size_t *, size_t *);
static struct json *add(struct parser *, enum json_type);
static int	 string_bytes(struct parser *, const unsigned char *, size_t,
		    struct bytes *);
static int	 open_value(struct parser *, enum json_type);
static int	 close_value(struct parser *);
static int	 unique_members(struct parser *, const struct json *);
static int	 on_null(void *);
static int	 on_bool(void *, int);
static int	 on_number(void *, const char *, size_t);
static int	 on_string(void *, const unsigned char *, size_t);
static int	 on_key(void *, const unsigned char *, size_t);
static int	 on_start_map(void *);
static int	 on_start_array(void *);
static int	 on_end(void *);

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_bool,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_start_map,
	.yajl_map_key = on_key,
	.yajl_end_map = on_end,
	.yajl_start_array = on_start_array,
	.yajl_end_array = on_end,
};

/* The first message counts: what follows is only its consequence. */
static int
fail(struct parser *p, const char *what)
{
	if (p->errlen != 0 && p->err[0] == '\0')
		(void)snprintf(p->err, p->errlen, "%s", what);
	return 0;
}

static int
fail_at(struct parser *p, size_t at, const char *what)
{
	if (p->errlen != 0 && p->err[0] == '\0')
		(void)snprintf(p->err, p->errlen, "not JSON at byte %zu: %s",
		    at, what);
	return 0;
}

static int
fail_in(struct parser *p, const struct json *v, const char *what)
{
	char	 path[160];

	json_path(p->root, v, path, sizeof(path));
	if (p->errlen != 0 && p->err[0] == '\0')
		(void)snprintf(p->err, p->errlen, "%s%s%s", path,
		    path[0] == '\0' ? "" : ": ", what);
	return 0;
}

/* Documents are nearly all ASCII: take that eight bytes at a time. */
static int
check_utf8(struct parser *p)
{
	const uint8_t	*s = (const uint8_t *)p->text;
	uint64_t	 eight;
	size_t		 i = 0, n;

	while (i < p->len) {
		if (p->len - i >= sizeof(eight)) {
			memcpy(&eight, s + i, sizeof(eight));
			if ((eight & 0x8080808080808080U) == 0) {
				i += sizeof(eight);
				continue;
			}
		}
		if (utf8_decode(s + i, p->len - i, &n) == -1)
			return fail_at(p, i, "not UTF-8");
		i += n;
	}
	return 1;
}

static int
hex4(const char *s)
{
	int	 i, v = 0;

	for (i = 0; i < 4; i++) {
		v <<= 4;
		if (s[i] >= '0' && s[i] <= '9')
			v |= s[i] - '0';
		else if ((s[i] | 0x20) >= 'a' && (s[i] | 0x20) <= 'f')
			v |= (s[i] | 0x20) - 'a' + 10;
		else
			return -1;
	}
	return v;
}

/*
 * yajl turns a lone surrogate into '?'.  A backslash can only stand within a
 * string, so that escapes can be found without knowing where strings are.
 */
static int
check_escapes(struct parser *p)
{
	const char	*s = p->text, *end = p->text + p->len;
	int		 u;

	while ((s = memchr(s, '\\', (size_t)(end - s))) != NULL) {
		if (end - s < 2)
			break;
		if (s[1] != 'u') {
			s += 2;
			continue;
		}
		if (end - s < 6)
			break;
		if ((u = hex4(s + 2)) < 0)
			return fail_at(p, (size_t)(s - p->text), "bad \\u escape");
		if (u >= 0xd800 && u <= 0xdbff) {
			if (end - s < 12 || s[6] != '\\' || s[7] != 'u' ||
			    (u = hex4(s + 8)) < 0xdc00 || u > 0xdfff)
				return fail_at(p, (size_t)(s - p->text),
				    "lone surrogate");
			s += 12;
		} else if (u >= 0xdc00 && u <= 0xdfff)
			return fail_at(p, (size_t)(s - p->text),
			    "lone surrogate");
		else
			s += 6;
	}
	return 1;
}

/* yajl takes vertical tabs and form feeds for white space; JSON does not. */
static int
check_space(struct parser *p, size_t from, size_t to)
{
	for (; from < to; from++)
		if (memchr(" \t\r\n", p->text[from], 4) == NULL)
			return fail_at(p, from, "invalid character");
	return 1;
}

/*
 * Source range of the token that yajl has just read.  It says where the token
 * ends; between the last one and this can only be space, commas and colons.
 */
static int
token(struct parser *p, size_t *start, size_t *end)
{
	size_t	 at = p->seen;

	while (at < p->len &&
	    memchr(" \t\r\n,:", p->text[at], 6) != NULL)
		at++;
	*start = at;
	/* A number at the very end is only known to be over when told so. */
	*end = p->finishing ? p->len : yajl_get_bytes_consumed(p->yajl);
	if (at < p->len && (p->text[at] == '\v' || p->text[at] == '\f'))
		return fail_at(p, at, "invalid character");
	if (*end > p->len || *start >= *end)
		return fail_at(p, at, "parser lost its place");
	p->seen = *end;
	return 1;
}

static struct json *
add(struct parser *p, enum json_type type)
{
	struct json	*v, *up = p->open;
	size_t		 start, end;

	if (!token(p, &start, &end))
		return NULL;
	if (p->values++ == JSON_MAX_VALUES) {
		fail(p, "too many values");
		return NULL;
	}
	if ((v = pool_alloc(p->pool, 1, sizeof(*v))) == NULL) {
		fail(p, "too large");
		return NULL;
	}
	v->type = type;
	v->start = (uint32_t)start;
	v->end = (uint32_t)end;
	v->parent = up;
	if (up == NULL) {
		p->root = v;
		return v;
	}
	v->key = p->key;
	v->index = up->n++;
	if (v->index == 0)
		up->first = v;
	else
		p->last[p->depth - 1]->next = v;
	p->last[p->depth - 1] = v;
	return v;
}

/* Within the text if nothing was escaped, else a copy of yajl's buffer. */
static int
string_bytes(struct parser *p, const unsigned char *s, size_t len,
    struct bytes *out)
{
	const uint8_t	*text = (const uint8_t *)p->text;

	out->len = len;
	if ((uintptr_t)s >= (uintptr_t)text &&
	    (uintptr_t)s < (uintptr_t)(text + p->len))
		out->p = s;
	else if ((out->p = pool_dup(p->pool, s, len)) == NULL)
		return fail(p, "too large");
	return 1;
}

static int
on_null(void *arg)
{
	return add(arg, JSON_NULL) != NULL;
}

static int
on_bool(void *arg, int truth)
{
	struct json	*v;

	if ((v = add(arg, JSON_BOOL)) == NULL)
		return 0;
	v->truth = truth != 0;
	return 1;
}

static int
on_number(void *arg, const char *s, size_t len)
{
	struct parser	*p = arg;
	struct json	*v;

	(void)s;
	if ((v = add(p, JSON_NUMBER)) == NULL)
		return 0;
	/* At the end of the text space was counted in (see token). */
	if (len > v->end - v->start)
		return fail_at(p, v->start, "parser lost its place");
	v->end = v->start + (uint32_t)len;
	p->seen = v->end;
	v->text.p = (const uint8_t *)p->text + v->start;
	v->text.len = len;
	return 1;
}

static int
on_string(void *arg, const unsigned char *s, size_t len)
{
	struct json	*v;

	if ((v = add(arg, JSON_STRING)) == NULL)
		return 0;
	return string_bytes(arg, s, len, &v->text);
}

static int
on_key(void *arg, const unsigned char *s, size_t len)
{
	struct parser	*p = arg;
	size_t		 start, end;

	return token(p, &start, &end) && string_bytes(p, s, len, &p->key);
}

static int
open_value(struct parser *p, enum json_type type)
{
	struct json	*v;

	if (p->depth == JSON_MAX_DEPTH)
		return fail(p, "nested too deeply");
	if ((v = add(p, type)) == NULL)
		return 0;
	p->open = v;
	p->last[p->depth++] = NULL;
	return 1;
}

static int
on_start_map(void *arg)
{
	return open_value(arg, JSON_OBJECT);
}

static int
on_start_array(void *arg)
{
	return open_value(arg, JSON_ARRAY);
}

static int
on_end(void *arg)
{
	return close_value(arg);
}

static int
close_value(struct parser *p)
{
	struct json	*v = p->open;
	size_t		 start, end;

	if (!token(p, &start, &end))
		return 0;
	v->end = (uint32_t)end;
	p->open = v->parent;
	p->depth--;
	return v->type == JSON_OBJECT ? unique_members(p, v) : 1;
}

static bool
same_key(const struct json *a, const struct json *b)
{
	return a->key.len == b->key.len &&
	    (a->key.len == 0 || memcmp(a->key.p, b->key.p, a->key.len) == 0);
}

static int
compare_keys(const void *x, const void *y)
{
	const struct json	*a = *(const struct json *const *)x;
	const struct json	*b = *(const struct json *const *)y;

	if (a->key.len != b->key.len)
		return a->key.len < b->key.len ? -1 : 1;
	return a->key.len == 0 ? 0 : memcmp(a->key.p, b->key.p, a->key.len);
}

/*
 * Objects are small, as a rule; large ones are sorted, so that a hundred
 * thousand members cost no quadratic time.
 */
static int
unique_members(struct parser *p, const struct json *obj)
{
	const struct json	*a, *b, *twice = NULL;
	const struct json	**v;
	size_t			 i, n = 0;

	if (obj->n <= 16) {
		for (a = obj->first; a != NULL; a = a->next)
			for (b = a->next; b != NULL; b = b->next)
				if (same_key(a, b))
					return fail_in(p, b, "member twice");
		return 1;
	}
	if ((v = reallocarray(NULL, obj->n, sizeof(*v))) == NULL)
		return fail(p, "too large");
	for (a = obj->first; a != NULL; a = a->next)
		v[n++] = a;
	qsort(v, n, sizeof(*v), compare_keys);
	for (i = 1; i < n && twice == NULL; i++)
		if (same_key(v[i - 1], v[i]))
			twice = v[i];
	free(v);
	return twice == NULL ? 1 : fail_in(p, twice, "member twice");
}

static void
yajl_failed(struct parser *p)
{
	unsigned char	*why;
	size_t		 at = yajl_get_bytes_consumed(p->yajl);

	if ((why = yajl_get_error(p->yajl, 0, NULL, 0)) == NULL) {
		fail(p, "not JSON");
		return;
	}
	why[strcspn((char *)why, "\n")] = '\0';
	fail_at(p, p->finishing ? p->len : at, (char *)why);
	yajl_free_error(p->yajl, why);
}

struct json *
json_parse(struct pool *pool, const char *text, size_t len, char *err,
    size_t errlen)
{
	struct parser	 p = { .pool = pool, .text = text, .len = len,
			    .err = err, .errlen = errlen };
	bool		 ok = false;

	if (errlen != 0)
		err[0] = '\0';
	if (len >= JSON_MAX_TEXT) {
		fail(&p, "too large");
		return NULL;
	}
	if (!check_utf8(&p) || !check_escapes(&p))
		return NULL;
	if ((p.yajl = yajl_alloc(&callbacks, NULL, &p)) == NULL) {
		fail(&p, "out of memory");
		return NULL;
	}
	/* Done above, and better. */
	(void)yajl_config(p.yajl, yajl_dont_validate_strings, 1);
	if (yajl_parse(p.yajl, (const unsigned char *)text, len) ==
	    yajl_status_ok) {
		p.finishing = true;
		ok = yajl_complete_parse(p.yajl) == yajl_status_ok;
	}
	if (!ok)
		yajl_failed(&p);
	yajl_free(p.yajl);
	if (ok && p.root == NULL)
		ok = fail(&p, "empty");
	if (ok && !check_space(&p, p.seen, len))
		ok = false;
	return ok ? p.root : NULL;
}

struct json *
json_get(const struct json *obj, const char *name)
{
	struct json	*v;
	size_t		 len = strlen(name);

	if (obj == NULL || obj->type != JSON_OBJECT)
		return NULL;
	for (v = obj->first; v != NULL; v = v->next)
		if (v->key.len == len && memcmp(v->key.p, name, len) == 0)
			return v;
	return NULL;
}

bool
json_is_string(const struct json *v, const char *s)
{
	return v != NULL && v->type == JSON_STRING &&
	    v->text.len == strlen(s) && memcmp(v->text.p, s, v->text.len) == 0;
}

int
json_u64(const struct json *v, uint64_t max, uint64_t *out)
{
	uint64_t	 n = 0, digit;
	size_t		 i;

	if (v == NULL || v->type != JSON_NUMBER || v->text.len == 0)
		return -1;
	if (v->text.p[0] == '0' && v->text.len > 1)
		return -1;
	for (i = 0; i < v->text.len; i++) {
		if (v->text.p[i] < '0' || v->text.p[i] > '9')
			return -1;
		digit = (uint64_t)(v->text.p[i] - '0');
		if (n > (UINT64_MAX - digit) / 10)
			return -1;
		n = n * 10 + digit;
	}
	if (n > max)
		return -1;
	*out = n;
	return 0;
}

char *
json_cstr(struct pool *pool, const struct json *v)
{
	if (v == NULL || v->type != JSON_STRING ||
	    (v->text.len != 0 && memchr(v->text.p, '\0', v->text.len) != NULL))
		return NULL;
	return pool_strndup(pool, (const char *)v->text.p, v->text.len);
}

static bool
plain_word(const struct bytes *key)
{
	size_t	 i;
	uint8_t	 c;

	if (key->len == 0 || key->len > PATH_WORD_MAX)
		return false;
	for (i = 0; i < key->len; i++) {
		c = key->p[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z') || c == '_'))
			return false;
	}
	return true;
}

static void
path_name(const struct bytes *key, char *out, size_t len)
{
	char	 name[PATH_NAME_MAX + 1];
	size_t	 i, n = key->len < PATH_NAME_MAX ? key->len : PATH_NAME_MAX;
	uint8_t	 c;

	for (i = 0; i < n; i++) {
		c = key->p[i];
		name[i] = c >= 0x20 && c < 0x7f && c != '"' ? (char)c : '?';
	}
	name[n] = '\0';
	(void)snprintf(out, len, "[\"%s%s\"]", name,
	    n < key->len ? "..." : "");
}

void
json_path(const struct json *root, const struct json *v, char *out, size_t len)
{
	const struct json	*up[JSON_MAX_DEPTH];
	char			 step[PATH_WORD_MAX + 16];
	size_t			 n = 0;

	if (len == 0)
		return;
	out[0] = '\0';
	for (; v != NULL && v != root && n < JSON_MAX_DEPTH; v = v->parent)
		up[n++] = v;
	while (n-- > 0) {
		v = up[n];
		if (v->parent != NULL && v->parent->type == JSON_ARRAY)
			(void)snprintf(step, sizeof(step), "[%u]", v->index);
		else if (plain_word(&v->key))
			(void)snprintf(step, sizeof(step), "%s%.*s",
			    out[0] == '\0' ? "" : ".", (int)v->key.len,
			    (const char *)v->key.p);
		else
			path_name(&v->key, step, sizeof(step));
		if (strlcat(out, step, len) >= len)
			return;
	}
}
