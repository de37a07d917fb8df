/*
 * Values of TOML that are not quoted: booleans, integers, floats, dates.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "toml_int.h"

#define WORD_MAX	128		/* the longest number worth reading */

static size_t	 word_length(const struct toml_parser *);
static bool	 is_word(const char *, size_t, const char *);
static bool	 looks_like_date(const char *, size_t);
static int	 special_float(const char *, size_t, double *);
static const char *parse_number(const char *, size_t, struct toml_value *);
static const char *parse_based(const char *, size_t, int64_t *);
static const char *parse_decimal(const char *, int64_t *);
static const char *parse_float(const char *, double *);
static const char *strip_underscores(const char *, size_t, unsigned, char *);
static int	 digit_value(char);

static bool
is_word(const char *p, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(p, word, len) == 0;
}

/*
 * Up to a blank or punctuation; a blank between a date and a time belongs
 * to it.
 */
static size_t
word_length(const struct toml_parser *ps)
{
	size_t	 left = (size_t)(ps->end - ps->p), n = 0;

	while (n < left && strchr(" \t\r\n,]}#=[{\"'", ps->p[n]) == NULL)
		n++;
	if (n == 10 && left > 11 && ps->p[4] == '-' && ps->p[7] == '-' &&
	    ps->p[10] == ' ' && isdigit((unsigned char)ps->p[11]))
		for (n = 11; n < left &&
		    strchr(" \t\r\n,]}#=[{\"'", ps->p[n]) == NULL; n++)
			;
	return n;
}

static bool
looks_like_date(const char *p, size_t len)
{
	size_t	 digits = 0;

	while (digits < len && isdigit((unsigned char)p[digits]))
		digits++;
	return digits > 0 && digits < len &&
	    (p[digits] == ':' || p[digits] == '-');
}

static int
special_float(const char *p, size_t len, double *f)
{
	bool	 negative = len > 0 && *p == '-';

	if (len > 0 && (*p == '+' || *p == '-')) {
		p++;
		len--;
	}
	if (is_word(p, len, "inf"))
		*f = negative ? -(double)INFINITY : (double)INFINITY;
	else if (is_word(p, len, "nan"))
		*f = (double)NAN;
	else
		return -1;
	return 0;
}

static int
digit_value(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'a' && ch <= 'f')
		return ch - 'a' + 10;
	if (ch >= 'A' && ch <= 'F')
		return ch - 'A' + 10;
	return -1;
}

/* Copies a number without its underscores, each of which needs digits around. */
static const char *
strip_underscores(const char *p, size_t len, unsigned base, char *out)
{
	size_t	 i, n = 0;

	for (i = 0; i < len; i++) {
		if (p[i] != '_') {
			out[n++] = p[i];
			continue;
		}
		if (i == 0 || i + 1 == len || digit_value(p[i - 1]) < 0 ||
		    digit_value(p[i + 1]) < 0 ||
		    digit_value(p[i - 1]) >= (int)base ||
		    digit_value(p[i + 1]) >= (int)base)
			return "an underscore must stand between two digits";
	}
	out[n] = '\0';
	return NULL;
}

/* 0x, 0o, 0b */
static const char *
parse_based(const char *p, size_t len, int64_t *i)
{
	char		 buf[WORD_MAX + 1];
	const char	*why, *s;
	unsigned	 base = p[1] == 'x' ? 16 : p[1] == 'o' ? 8 : 2;
	uint64_t	 v = 0;

	if ((why = strip_underscores(p + 2, len - 2, base, buf)) != NULL)
		return why;
	if (*buf == '\0')
		return "digits are missing after 0x, 0o or 0b";
	for (s = buf; *s != '\0'; s++) {
		int	 d = digit_value(*s);

		if (d < 0 || d >= (int)base)
			return "wrong digit: 0x takes 0-9 a-f, 0o 0-7, 0b 0-1";
		if (v > ((uint64_t)INT64_MAX - (uint64_t)d) / base)
			return "the number is out of range: at most "
			    "9223372036854775807";
		v = v * base + (uint64_t)d;
	}
	*i = (int64_t)v;
	return NULL;
}

static const char *
parse_decimal(const char *s, int64_t *i)
{
	char	*end;

	errno = 0;
	*i = strtoll(s, &end, 10);
	if (errno == ERANGE)
		return "the number is out of range: -9223372036854775808 to "
		    "9223372036854775807";
	return NULL;
}

static const char *
parse_float(const char *s, double *f)
{
	char	*end;

	*f = strtod(s, &end);
	if (*end != '\0')		/* another locale's decimal point */
		return "not a number";
	if (!isfinite(*f))
		return "the number is too large for a float";
	return NULL;
}

/* Digits of a part of a number; advances *s past them. */
static size_t
digits(const char **s)
{
	size_t	 n = 0;

	while (isdigit((unsigned char)(*s)[n]))
		n++;
	*s += n;
	return n;
}

static const char *
parse_number(const char *p, size_t len, struct toml_value *v)
{
	static const char	 unknown[] = "not a value: put text in "
				    "\"quotes\"";
	char			 buf[WORD_MAX + 1];
	const char		*s, *why, *first;
	bool			 is_float = false;

	if (len > WORD_MAX)
		return "a number this long, or text without \"quotes\"";
	if (len >= 2 && *p == '0' && strchr("xob", p[1]) != NULL) {
		v->type = TOML_INTEGER;
		return parse_based(p, len, &v->u.integer);
	}
	if ((why = strip_underscores(p, len, 10, buf)) != NULL)
		return isdigit((unsigned char)*p) || *p == '+' || *p == '-' ?
		    why : unknown;
	s = buf;
	if (*s == '+' || *s == '-')
		s++;
	first = s;
	if (digits(&s) == 0)
		return *s == '.' ? "digits are missing before '.': write 0.5" :
		    unknown;
	if (*first == '0' && s - first > 1)
		return "a number has no leading zeros: remove them, or put it "
		    "in \"quotes\"";
	if (*s == '.') {
		s++;
		is_float = true;
		if (digits(&s) == 0)
			return "digits are missing after '.': write 1.0";
	}
	if (*s == 'e' || *s == 'E') {
		s++;
		is_float = true;
		if (*s == '+' || *s == '-')
			s++;
		if (digits(&s) == 0)
			return "digits are missing in the exponent";
	}
	if (*s != '\0')
		return unknown;
	v->type = is_float ? TOML_FLOAT : TOML_INTEGER;
	return is_float ? parse_float(buf, &v->u.real) :
	    parse_decimal(buf, &v->u.integer);
}

int
toml_lex_bare(struct toml_parser *ps, struct toml_value *v)
{
	const char	*p = ps->p, *why = NULL;
	size_t		 len = word_length(ps);
	char		*copy;

	if (len == 0)
		return toml_error(ps, v->line, "not a value: put text in "
		    "\"quotes\"");
	ps->p += len;
	if (is_word(p, len, "true") || is_word(p, len, "false")) {
		v->type = TOML_BOOLEAN;
		v->u.boolean = *p == 't';
		return 0;
	}
	if (special_float(p, len, &v->u.real) == 0) {
		v->type = TOML_FLOAT;
		return 0;
	}
	if (looks_like_date(p, len)) {
		if (toml_date(p, len, &v->type, &why) == -1)
			return toml_error(ps, v->line, "%s", why);
		if ((copy = toml_alloc(ps, len + 1)) == NULL)
			return -1;
		memcpy(copy, p, len);
		v->u.str.s = copy;
		v->u.str.len = len;
		return 0;
	}
	if ((why = parse_number(p, len, v)) != NULL)
		return toml_error(ps, v->line, "%s", why);
	return 0;
}
