/*
 * The document: its arena, the check of its bytes, parse and free.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toml_int.h"
#include "utf8.h"

#define ARENA_CHUNK	(16 * 1024)
#define ARENA_ALIGN	_Alignof(max_align_t)

struct toml_arena {
	struct toml_arena	*next;
	size_t			 size, used;
	max_align_t		 data[];
};

static int	 check_bytes(struct toml_parser *, const char *, size_t);
static int	 check_control(struct toml_parser *, const uint8_t *, size_t,
		    unsigned);

int
toml_error(struct toml_parser *ps, unsigned line, const char *fmt, ...)
{
	va_list	 ap;
	char	 msg[512];

	va_start(ap, fmt);
	(void)vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	if (!ps->failed)		/* the first is the cause */
		(void)snprintf(ps->err, ps->errlen, "%s:%u: %s", ps->path, line,
		    msg);
	ps->failed = true;
	return -1;
}

void *
toml_alloc(struct toml_parser *ps, size_t size)
{
	struct toml_arena	*a = ps->doc->arena;
	size_t			 space;
	uint8_t			*p;

	/* size comes from the length of the text, at most SIZE_MAX / 2. */
	size = (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
	if (a == NULL || a->size - a->used < size) {
		space = size > ARENA_CHUNK ? size : ARENA_CHUNK;
		if ((a = calloc(1, sizeof(*a) + space)) == NULL) {
			toml_error(ps, ps->line, "out of memory");
			return NULL;
		}
		a->size = space;
		a->next = ps->doc->arena;
		ps->doc->arena = a;
	}
	p = (uint8_t *)a->data + a->used;
	a->used += size;
	return p;
}

struct toml_value *
toml_new(struct toml_parser *ps, enum toml_type type, unsigned line)
{
	struct toml_value	*v;

	if (++ps->doc->nvalues > TOML_MAX_VALUES) {
		toml_error(ps, line, "more than %d values and keys: no config "
		    "needs that many", TOML_MAX_VALUES);
		return NULL;
	}
	if ((v = toml_alloc(ps, sizeof(*v))) == NULL)
		return NULL;
	v->type = type;
	v->line = line;
	return v;
}

const char *
toml_keyname(const struct toml_str *key, char *buf)
{
	size_t	 i, n = 0;

	if (key->len == 0)
		return "\"\"";
	for (i = 0; i < key->len && n < TOML_KEYBUF - 4; i++) {
		unsigned char	 ch = (unsigned char)key->s[i];

		buf[n++] = ch < 0x20 || ch == 0x7f ? '?' : (char)ch;
	}
	if (i < key->len) {
		/* Not in the middle of a character. */
		while (n > 0 && ((unsigned char)key->s[n] & 0xc0) == 0x80)
			n--;
		memcpy(buf + n, "...", 3);
		n += 3;
	}
	buf[n] = '\0';
	return buf;
}

const char *
toml_type_name(enum toml_type type)
{
	switch (type) {
	case TOML_STRING:
		return "a string";
	case TOML_INTEGER:
		return "an integer";
	case TOML_FLOAT:
		return "a float";
	case TOML_BOOLEAN:
		return "true or false";
	case TOML_DATETIME:
	case TOML_DATETIME_LOCAL:
	case TOML_DATE_LOCAL:
	case TOML_TIME_LOCAL:
		return "a date or time";
	case TOML_ARRAY:
		return "an array";
	case TOML_TABLE:
		return "a table";
	}
	return "nothing known";
}

/*
 * What no TOML document may hold anywhere, in strings and comments neither:
 * control characters but tab and the ends of lines, and a CR without LF.
 */
static int
check_control(struct toml_parser *ps, const uint8_t *p, size_t left,
    unsigned line)
{
	if (*p == '\t' || *p == '\n')
		return 0;
	if (*p == '\r') {
		if (left >= 2 && p[1] == '\n')
			return 0;
		return toml_error(ps, line, "carriage return without a line "
		    "feed: end lines with LF or CR LF");
	}
	if (*p == '\0')
		return toml_error(ps, line, "NUL byte: the config is a text "
		    "file");
	if (*p < 0x20 || *p == 0x7f)
		return toml_error(ps, line, "control character 0x%02x: write "
		    "\\u%04X within a \"string\"", *p, *p);
	return 0;
}

static int
check_bytes(struct toml_parser *ps, const char *text, size_t len)
{
	const uint8_t	*p = (const uint8_t *)text, *end = p + len;
	unsigned	 line = 1;
	size_t		 n;

	while (p < end) {
		if (check_control(ps, p, (size_t)(end - p), line) == -1)
			return -1;
		if (*p == '\n')
			line++;
		if (*p < 0x80)
			n = 1;
		else if (utf8_decode(p, (size_t)(end - p), &n) == -1)
			return toml_error(ps, line, "invalid UTF-8: save the "
			    "file as UTF-8");
		p += n;
	}
	return 0;
}

struct toml *
toml_parse(const char *text, size_t len, const char *path, char *err,
    size_t errlen)
{
	struct toml_parser	 ps;
	struct toml		*doc;

	memset(&ps, 0, sizeof(ps));
	ps.path = path;
	ps.err = err;
	ps.errlen = errlen;
	ps.line = 1;
	if ((doc = calloc(1, sizeof(*doc))) == NULL) {
		toml_error(&ps, 1, "out of memory");
		return NULL;
	}
	ps.doc = doc;
	if (check_bytes(&ps, text, len) == -1)
		goto bad;
	if ((doc->root = toml_new(&ps, TOML_TABLE, 1)) == NULL)
		goto bad;
	toml_table_init(&doc->root->u.table, TOML_HEADER, 0);
	ps.tables[0] = &doc->root->u.table;
	ps.ntables = 1;
	ps.text = ps.p = text;
	ps.end = text + len;
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		ps.p += 3;		/* byte order mark */
	ps.mode = MODE_KEY;
	ps.line_start = true;
	ps.tok = TOK_NEWLINE;
	if (toml_yyparse(&ps) != 0) {
		toml_error(&ps, ps.line, "out of memory");	/* if nothing else */
		goto bad;
	}
	return doc;
bad:
	toml_free(doc);
	return NULL;
}

void
toml_free(struct toml *doc)
{
	struct toml_arena	*a, *next;

	if (doc == NULL)
		return;
	for (a = doc->arena; a != NULL; a = next) {
		next = a->next;
		freezero(a, sizeof(*a) + a->size);
	}
	free(doc);
}
