#include <string.h>

#include "utf8.h"

#include "fuzz.h"

#define MAX_DEPTH	256

struct text {
	const uint8_t	*p, *end;
};

static bool	value(struct text *, int);

static void
space(struct text *t)
{
	while (t->p < t->end && memchr(" \t\r\n", *t->p, 4) != NULL)
		t->p++;
}

static bool
take(struct text *t, int c)
{
	if (t->p == t->end || *t->p != c)
		return false;
	t->p++;
	return true;
}

static bool
word(struct text *t, const char *w)
{
	size_t	 n = strlen(w);

	if ((size_t)(t->end - t->p) < n || memcmp(t->p, w, n) != 0)
		return false;
	t->p += n;
	return true;
}

static bool
digits(struct text *t)
{
	const uint8_t	*start = t->p;

	while (t->p < t->end && *t->p >= '0' && *t->p <= '9')
		t->p++;
	return t->p != start;
}

static bool
number(struct text *t)
{
	(void)take(t, '-');
	if (!take(t, '0') && !digits(t))
		return false;
	if (take(t, '.') && !digits(t))
		return false;
	if (take(t, 'e') || take(t, 'E')) {
		if (!take(t, '+'))
			(void)take(t, '-');
		return digits(t);
	}
	return true;
}

static int
code_unit(struct text *t)
{
	int	 i, c, v = 0;

	for (i = 0; i < 4; i++) {
		if (t->p == t->end)
			return -1;
		c = *t->p++;
		if (c >= '0' && c <= '9')
			v = v * 16 + c - '0';
		else if (c >= 'a' && c <= 'f')
			v = v * 16 + c - 'a' + 10;
		else if (c >= 'A' && c <= 'F')
			v = v * 16 + c - 'A' + 10;
		else
			return -1;
	}
	return v;
}

static bool
escape(struct text *t)
{
	int	 u;

	if (t->p == t->end)
		return false;
	if (*t->p != 'u')
		return memchr("\"\\/bfnrt", *t->p++, 8) != NULL;
	t->p++;
	if ((u = code_unit(t)) == -1 || (u >= 0xdc00 && u <= 0xdfff))
		return false;
	if (u < 0xd800 || u > 0xdbff)
		return true;
	return word(t, "\\u") && (u = code_unit(t)) >= 0xdc00 && u <= 0xdfff;
}

static bool
string(struct text *t)
{
	if (!take(t, '"'))
		return false;
	while (t->p < t->end && *t->p >= 0x20) {
		if (*t->p == '"') {
			t->p++;
			return true;
		}
		if (*t->p++ == '\\' && !escape(t))
			return false;
	}
	return false;
}

/* Elements or members, up to the closing bracket. */
static bool
list(struct text *t, int depth, bool object)
{
	int	 close = object ? '}' : ']';

	t->p++;
	space(t);
	if (take(t, close))
		return true;
	do {
		if (object) {
			space(t);
			if (!string(t))
				return false;
			space(t);
			if (!take(t, ':'))
				return false;
		}
		if (!value(t, depth + 1))
			return false;
	} while (take(t, ','));
	return take(t, close);
}

/* Recursion ends at MAX_DEPTH. */
static bool
value(struct text *t, int depth)
{
	bool	 ok = false;

	space(t);
	if (depth > MAX_DEPTH || t->p == t->end)
		return false;
	switch (*t->p) {
	case '{':
	case '[':
		ok = list(t, depth, *t->p == '{');
		break;
	case '"':
		ok = string(t);
		break;
	case 't':
		ok = word(t, "true");
		break;
	case 'f':
		ok = word(t, "false");
		break;
	case 'n':
		ok = word(t, "null");
		break;
	default:
		ok = number(t);
		break;
	}
	space(t);
	return ok;
}

bool
json_strict(const void *p, size_t len)
{
	struct text	 t = { p, (const uint8_t *)p + len };

	return utf8_valid(p, len) && value(&t, 0) && t.p == t.end;
}
