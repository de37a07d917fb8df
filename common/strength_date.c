#include <stdlib.h>

#include "strength_int.h"

#define SPACE_MIN	20.0		/* years, however near */
#define DAYS		365.0
/* Days of birth, written without separators, are in the lists of passwords. */
#define BORN_FIRST	1970
#define BORN_LAST	2012

static double	 year_space(int);
static bool	 number(const struct text *, size_t, size_t, int *);
static double	 date_space(const int[3]);
static bool	 is_separator(uint32_t);
static void	 years(const struct text *, size_t, size_t, struct parts *);
static void	 dates_from(const struct text *, size_t, size_t,
		    struct parts *);

/* Years within as far as this one is from now. */
static double
year_space(int year)
{
	int	 d = abs(year - STRENGTH_YEAR_NOW);

	return d > SPACE_MIN ? d : SPACE_MIN;
}

/* len digits at at. */
static bool
number(const struct text *x, size_t at, size_t len, int *n)
{
	size_t	 i;

	for (*n = 0, i = 0; i < len; i++) {
		if (x->typed[at + i] < '0' || x->typed[at + i] > '9')
			return false;
		*n = *n * 10 + (int)(x->typed[at + i] - '0');
	}
	return true;
}

/*
 * Years that three numbers can mean as a date, in whatever order; 0 when
 * they are none.  The nearest year counts: it is guessed first.
 */
static double
date_space(const int v[3])
{
	/* place of year, month, day */
	static const int	 orders[4][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 2, 1, 0 }, { 2, 0, 1 }
	};
	double			 best = 0, space;
	size_t			 i;
	int			 y, m, d;

	for (i = 0; i < 4; i++) {
		y = v[orders[i][0]];
		m = v[orders[i][1]];
		d = v[orders[i][2]];
		if (m < 1 || m > 12 || d < 1 || d > 31)
			continue;
		if (y <= 99)
			y += y > 50 ? 1900 : 2000;
		else if (y < 1000 || y > 2059)
			continue;
		space = year_space(y);
		if (best == 0 || space < best)
			best = space;
	}
	return best;
}

static bool
is_separator(uint32_t c)
{
	return c == ' ' || c == '/' || c == '\\' || c == '_' || c == '.' ||
	    c == '-' || c == ',' || c == ':';
}

static void
years(const struct text *x, size_t at, size_t len, struct parts *s)
{
	size_t	 i;
	int	 y;

	for (i = 0; i + 4 <= len; i++)
		if (number(x, at + i, 4, &y) && y >= 1900 && y <= 2059)
			parts_add(s, at + i, 4, year_space(y), STRENGTH_YEAR);
}

/* Every date that begins at at: 3 numbers, with one separator or none. */
static void
dates_from(const struct text *x, size_t at, size_t len, struct parts *s)
{
	double	 space;
	size_t	 n[3], p[3], end, sep;
	int	 v[3];

	for (n[0] = 1; n[0] <= 4; n[0]++)
		for (n[1] = 1; n[1] <= 2; n[1]++)
			for (n[2] = 1; n[2] <= 4; n[2]++)
				for (sep = 0; sep <= 1; sep++) {
		p[0] = at;
		p[1] = p[0] + n[0] + sep;
		p[2] = p[1] + n[1] + sep;
		end = p[2] + n[2];
		if (end > at + len || !number(x, p[0], n[0], &v[0]) ||
		    !number(x, p[1], n[1], &v[1]) ||
		    !number(x, p[2], n[2], &v[2]))
			continue;
		if (sep == 1 && (!is_separator(x->typed[p[1] - 1]) ||
		    x->typed[p[1] - 1] != x->typed[p[2] - 1]))
			continue;
		if ((space = date_space(v)) == 0)
			continue;
		if (sep == 0 && n[2] == 4 && v[2] >= BORN_FIRST &&
		    v[2] <= BORN_LAST)
			space = SPACE_MIN / 2;
		parts_add(s, at, end - at, space * DAYS * (sep == 1 ? 4 : 1),
		    STRENGTH_DATE);
	}
}

void
strength_dates(const struct text *x, size_t at, size_t len, struct parts *s)
{
	size_t	 i;

	years(x, at, len, s);
	for (i = 0; i + 4 <= len; i++)
		dates_from(x, at + i, len - i, s);
}
