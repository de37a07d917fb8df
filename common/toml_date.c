/*
 * Dates and times of TOML (RFC 3339, each part may stand alone).
 */
#include <ctype.h>
#include <string.h>

#include "toml_int.h"

struct cursor {
	const char	*p, *end;
};

static int	 number(struct cursor *, unsigned width, unsigned max,
		    unsigned *);
static int	 accept(struct cursor *, const char *);
static int	 read_date(struct cursor *);
static int	 read_time(struct cursor *);
static int	 read_offset(struct cursor *);
static unsigned	 days_in_month(unsigned year, unsigned month);

/* width digits, at most max. */
static int
number(struct cursor *c, unsigned width, unsigned max, unsigned *out)
{
	unsigned	 i, v = 0;

	for (i = 0; i < width; i++, c->p++) {
		if (c->p == c->end || !isdigit((unsigned char)*c->p))
			return -1;
		v = v * 10 + (unsigned)(*c->p - '0');
	}
	*out = v;
	return v > max ? -1 : 0;
}

/* One of the characters; 0 when it was there. */
static int
accept(struct cursor *c, const char *chars)
{
	if (c->p == c->end || strchr(chars, *c->p) == NULL)
		return -1;
	c->p++;
	return 0;
}

static unsigned
days_in_month(unsigned year, unsigned month)
{
	static const unsigned	 days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};

	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		return 29;
	return days[month - 1];
}

static int
read_date(struct cursor *c)
{
	unsigned	 year, month, day;

	if (number(c, 4, 9999, &year) == -1 || accept(c, "-") == -1 ||
	    number(c, 2, 12, &month) == -1 || month == 0 ||
	    accept(c, "-") == -1 || number(c, 2, 31, &day) == -1)
		return -1;
	return day == 0 || day > days_in_month(year, month) ? -1 : 0;
}

static int
read_time(struct cursor *c)
{
	unsigned	 hour, minute, second;

	if (number(c, 2, 23, &hour) == -1 || accept(c, ":") == -1 ||
	    number(c, 2, 59, &minute) == -1 || accept(c, ":") == -1 ||
	    number(c, 2, 60, &second) == -1)	/* 60: a leap second */
		return -1;
	if (accept(c, ".") == 0) {
		if (c->p == c->end || !isdigit((unsigned char)*c->p))
			return -1;
		while (c->p < c->end && isdigit((unsigned char)*c->p))
			c->p++;
	}
	return 0;
}

static int
read_offset(struct cursor *c)
{
	unsigned	 hour, minute;

	if (accept(c, "Zz") == 0)
		return 0;
	if (accept(c, "+-") == -1 || number(c, 2, 23, &hour) == -1 ||
	    accept(c, ":") == -1 || number(c, 2, 59, &minute) == -1)
		return -1;
	return 0;
}

int
toml_date(const char *p, size_t len, enum toml_type *type, const char **why)
{
	struct cursor	 c = { p, p + len };

	if (len > 2 && p[2] == ':') {
		*why = "not a time: write hh:mm:ss, or put it in \"quotes\"";
		*type = TOML_TIME_LOCAL;
		return read_time(&c) == -1 || c.p != c.end ? -1 : 0;
	}
	*why = "not a date: write YYYY-MM-DD, YYYY-MM-DDThh:mm:ss or "
	    "YYYY-MM-DDThh:mm:ssZ, or put it in \"quotes\"";
	if (read_date(&c) == -1)
		return -1;
	*type = TOML_DATE_LOCAL;
	if (c.p == c.end)
		return 0;
	if (accept(&c, "Tt ") == -1 || read_time(&c) == -1)
		return -1;
	*type = TOML_DATETIME_LOCAL;
	if (c.p == c.end)
		return 0;
	*type = TOML_DATETIME;
	return read_offset(&c) == -1 || c.p != c.end ? -1 : 0;
}
