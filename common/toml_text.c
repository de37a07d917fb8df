/*
 * Strings of TOML: basic, literal, and both over several lines.  Their bytes
 * are known to be valid UTF-8 without control characters (toml_tree.c).
 */
#include <string.h>

#include "toml_int.h"

struct text {				/* what is being decoded */
	char		*out;
	size_t		 n;
	char		 quote;
	bool		 multi;
};

static size_t	 quotes(const struct toml_parser *, char);
static int	 body(struct toml_parser *, struct text *, unsigned);
static int	 closing(struct toml_parser *, struct text *);
static int	 line_end(struct toml_parser *, struct text *);
static int	 escape(struct toml_parser *, struct text *);
static int	 escape_code(struct toml_parser *, struct text *, unsigned);
static bool	 skip_line_ending(struct toml_parser *);
static void	 put_utf8(struct text *, uint32_t);

static size_t
quotes(const struct toml_parser *ps, char quote)
{
	size_t	 n = 0;

	while ((size_t)(ps->end - ps->p) > n && ps->p[n] == quote)
		n++;
	return n;
}

static void
put_utf8(struct text *t, uint32_t c)
{
	if (c < 0x80) {
		t->out[t->n++] = (char)c;
	} else if (c < 0x800) {
		t->out[t->n++] = (char)(0xc0 | c >> 6);
		t->out[t->n++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		t->out[t->n++] = (char)(0xe0 | c >> 12);
		t->out[t->n++] = (char)(0x80 | (c >> 6 & 0x3f));
		t->out[t->n++] = (char)(0x80 | (c & 0x3f));
	} else {
		t->out[t->n++] = (char)(0xf0 | c >> 18);
		t->out[t->n++] = (char)(0x80 | (c >> 12 & 0x3f));
		t->out[t->n++] = (char)(0x80 | (c >> 6 & 0x3f));
		t->out[t->n++] = (char)(0x80 | (c & 0x3f));
	}
}

/* \uXXXX and \UXXXXXXXX; p stands after the u. */
static int
escape_code(struct toml_parser *ps, struct text *t, unsigned digits)
{
	uint32_t	 c = 0;
	unsigned	 i;

	for (i = 0; i < digits; i++, ps->p++) {
		char	 ch = ps->p < ps->end ? *ps->p : '\0';

		if (ch >= '0' && ch <= '9')
			c = c << 4 | (uint32_t)(ch - '0');
		else if (ch >= 'a' && ch <= 'f')
			c = c << 4 | (uint32_t)(ch - 'a' + 10);
		else if (ch >= 'A' && ch <= 'F')
			c = c << 4 | (uint32_t)(ch - 'A' + 10);
		else
			return toml_error(ps, ps->line, "\\%c takes %u hex "
			    "digits", digits == 4 ? 'u' : 'U', digits);
	}
	if (c >= 0xd800 && c <= 0xdfff)
		return toml_error(ps, ps->line, "\\%c names a surrogate: write "
		    "the character itself or its code with \\U",
		    digits == 4 ? 'u' : 'U');
	if (c > 0x10ffff)
		return toml_error(ps, ps->line, "\\U goes to 0010FFFF");
	put_utf8(t, c);
	return 0;
}

/* A backslash at the end of a line: blanks up to the next text are not part. */
static bool
skip_line_ending(struct toml_parser *ps)
{
	const char	*p = ps->p;

	while (p < ps->end && (*p == ' ' || *p == '\t'))
		p++;
	if (p == ps->end || (*p != '\n' && *p != '\r'))
		return false;
	for (; p < ps->end && strchr(" \t\r\n", *p) != NULL; p++)
		if (*p == '\n')
			ps->line++;
	ps->p = p;
	return true;
}

static int
escape(struct toml_parser *ps, struct text *t)
{
	static const char	 names[] = "btnfr\"\\";
	static const char	 means[] = "\b\t\n\f\r\"\\";
	const char		*at;

	ps->p++;
	if (t->multi && skip_line_ending(ps))
		return 0;
	if (ps->p < ps->end && *ps->p == 'u') {
		ps->p++;
		return escape_code(ps, t, 4);
	}
	if (ps->p < ps->end && *ps->p == 'U') {
		ps->p++;
		return escape_code(ps, t, 8);
	}
	if (ps->p == ps->end || (at = strchr(names, *ps->p)) == NULL)
		return toml_error(ps, ps->line, "unknown escape: after \\ comes "
		    "one of b t n f r \" \\ u U; 'literal' strings take none");
	t->out[t->n++] = means[at - names];
	ps->p++;
	return 0;
}

/*
 * At a quote: 1 if the string ends here.  Up to two quotes may stand directly
 * before the closing three.
 */
static int
closing(struct toml_parser *ps, struct text *t)
{
	size_t	 n = 1, keep = 0;

	if (t->multi) {
		n = quotes(ps, t->quote);
		if (n > 5)
			n = 5;
		keep = n >= 3 ? n - 3 : n;
	}
	memset(t->out + t->n, t->quote, keep);
	t->n += keep;
	ps->p += n;
	return !t->multi || n >= 3;
}

static int
line_end(struct toml_parser *ps, struct text *t)
{
	if (!t->multi)
		return toml_error(ps, ps->line, "the string is not closed on "
		    "its line: add %c, or use three quotes for several lines",
		    t->quote);
	if (*ps->p == '\r')
		ps->p++;
	ps->p++;
	ps->line++;
	t->out[t->n++] = '\n';
	return 0;
}

/* The rest of the string, to its closing quotes. */
static int
body(struct toml_parser *ps, struct text *t, unsigned line)
{
	while (ps->p < ps->end) {
		if (*ps->p == t->quote) {
			if (closing(ps, t))
				return 0;
		} else if (*ps->p == '\n' || *ps->p == '\r') {
			if (line_end(ps, t) == -1)
				return -1;
		} else if (*ps->p == '\\' && t->quote == '"') {
			if (escape(ps, t) == -1)
				return -1;
		} else
			t->out[t->n++] = *ps->p++;
	}
	return toml_error(ps, line, "the string that begins here is not closed");
}

/*
 * Decoding never makes a string longer than its source, so the room from
 * here to where it could end at most is enough.
 */
int
toml_lex_string(struct toml_parser *ps, bool multiline_ok, struct toml_str *str)
{
	struct text	 t = { .quote = *ps->p };
	unsigned	 line = ps->line;
	const char	*q;
	size_t		 room;

	t.multi = quotes(ps, t.quote) >= 3;
	if (t.multi && !multiline_ok)
		return toml_error(ps, ps->line, "a key must be quoted on one "
		    "line, with one quote on each side");
	ps->p += t.multi ? 3 : 1;
	if (t.multi && ps->p < ps->end && (*ps->p == '\n' || *ps->p == '\r')) {
		ps->p += *ps->p == '\r' ? 2 : 1;	/* not part of it */
		ps->line++;
	}
	/* Room: a one-line string ends with its line, others are measured. */
	for (q = ps->p; q < ps->end; q++) {
		if (!t.multi && *q == '\n')
			break;
		if (*q == '\\' && t.quote == '"' && q + 1 < ps->end)
			q++;
		else if (*q == t.quote && (!t.multi ||
		    (ps->end - q >= 3 && q[1] == t.quote && q[2] == t.quote)))
			break;
	}
	/* Two quotes more may belong to it, and the NUL. */
	room = (size_t)(q - ps->p) + 3;
	if ((t.out = toml_alloc(ps, room)) == NULL)
		return -1;
	if (body(ps, &t, line) == -1)
		return -1;
	t.out[t.n] = '\0';
	str->s = t.out;
	str->len = t.n;
	return 0;
}
