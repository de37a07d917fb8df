#include <math.h>
#include <string.h>
#include <uchar.h>

#include "strength_int.h"

#define KEYS		4		/* rows of a keyboard */
#define NO_KEY		-1
/*
 * Figures of a US keyboard as in the paper: characters to begin with, and
 * neighbours of a key on average.  Other layouts are alike.
 */
#define STARTS		94.0
#define NEIGHBOURS	4.6
#define PAD_STARTS	15.0
#define PAD_NEIGHBOURS	5.07
#define PERIOD_MAX	12

struct layout {
	const char32_t	*plain[KEYS];
	const char32_t	*shifted[KEYS];
	int		 column[KEYS];	/* where a row begins */
	bool		 pad;		/* keys below each other, 8 ways */
};

/* Where characters are on a layout. */
struct place {
	int		 x, y;
	bool		 shifted;
};

struct walk {
	const struct layout	*l;
	const struct place	*p;
	size_t			 at;
	size_t			 len;
};

/* How a figure may be turned over from one time to the next. */
struct mirror {
	int	 x, y;
};

static const struct mirror	 mirrors[4] = {
	{ 1, 1 }, { 1, -1 }, { -1, 1 }, { -1, -1 }
};

static const struct layout	 layouts[] = {
	/* US */
	{ { U"`1234567890-=", U"qwertyuiop[]\\", U"asdfghjkl;'",
	    U"zxcvbnm,./" },
	  { U"~!@#$%^&*()_+", U"QWERTYUIOP{}|", U"ASDFGHJKL:\"",
	    U"ZXCVBNM<>?" },
	  { 0, 1, 1, 1 }, false },
	/* German */
	{ { U"^1234567890\u00df\u00b4", U"qwertzuiop\u00fc+",
	    U"asdfghjkl\u00f6\u00e4#", U"yxcvbnm,.-" },
	  { U"\u00b0!\"\u00a7$%&/()=?`", U"QWERTZUIOP\u00dc*",
	    U"ASDFGHJKL\u00d6\u00c4'", U"YXCVBNM;:_" },
	  { 0, 1, 1, 1 }, false },
	/* French */
	{ { U"\u00b2&\u00e9\"'(-\u00e8_\u00e7\u00e0)=", U"azertyuiop^$",
	    U"qsdfghjklm\u00f9*", U"wxcvbn,;:!" },
	  { U"\u00b31234567890\u00b0+", U"AZERTYUIOP\u00a8\u00a3",
	    U"QSDFGHJKLM%\u00b5", U"WXCVBN?./\u00a7" },
	  { 0, 1, 1, 1 }, false },
	/* Dvorak */
	{ { U"`1234567890[]", U"',.pyfgcrl/=\\", U"aoeuidhtns-",
	    U";qjkxbmwvz" },
	  { U"~!@#$%^&*(){}", U"\"<>PYFGCRL?+|", U"AOEUIDHTNS_",
	    U":QJKXBMWVZ" },
	  { 0, 1, 1, 1 }, false },
	/* Russian */
	{ { U"\u04511234567890-=", U"йцукенгшщзхъ\\", U"фывапролджэ",
	    U"ячсмитьбю." },
	  { U"\u0401!\"\u2116;%:?*()_+", U"ЙЦУКЕНГШЩЗХЪ/", U"ФЫВАПРОЛДЖЭ",
	    U"ЯЧСМИТЬБЮ," },
	  { 0, 1, 1, 1 }, false },
	/* number pads: with the operators around them, and a telephone's */
	{ { U"=/*", U"789-", U"456+", U"1230" }, { U"", U"", U"", U"" },
	  { 0, 0, 0, 0 }, true },
	{ { U"/*-", U"789+", U"456", U"123" }, { U"", U"", U"", U"" },
	  { 1, 0, 0, 0 }, true },
	{ { U"123", U"456", U"789", U"0." }, { U"", U"", U"", U"" },
	  { 0, 0, 0, 1 }, true }
};

static bool	 find(const struct layout *, uint32_t, struct place *);
static bool	 adjacent(const struct layout *, const struct place *,
		    const struct place *);
static bool	 same_step(const struct place *, size_t, size_t,
		    const struct mirror *);
static double	 shift_ways(const struct walk *);
static double	 starts(const struct walk *);
static double	 walk_guesses(const struct walk *);
static void	 walk_add(const struct walk *, size_t, size_t, size_t,
		    struct parts *);
static void	 straight(const struct walk *, size_t, struct parts *);
static double	 figure_guesses(const struct walk *, size_t);
static size_t	 figure_end(const struct walk *, size_t, size_t,
		    const struct mirror *);
static void	 periodic(const struct walk *, size_t, size_t,
		    const struct mirror *, struct parts *);

static bool
find(const struct layout *l, uint32_t c, struct place *p)
{
	const char32_t	*s;
	int		 row, i, shift;

	for (shift = 0; shift <= 1; shift++)
		for (row = 0; row < KEYS; row++) {
			s = shift ? l->shifted[row] : l->plain[row];
			for (i = 0; s[i] != 0; i++)
				if (s[i] == c) {
					p->x = l->column[row] + i;
					p->y = row;
					p->shifted = shift != 0;
					return true;
				}
		}
	p->x = p->y = NO_KEY;
	return false;
}

/* Rows lean to the right: a key has two above and two below. */
static bool
adjacent(const struct layout *l, const struct place *a, const struct place *b)
{
	int	 dx = b->x - a->x, dy = b->y - a->y;

	if (a->x == NO_KEY || b->x == NO_KEY || (dx == 0 && dy == 0) ||
	    dx < -1 || dx > 1 || dy < -1 || dy > 1)
		return false;
	return l->pad || dy == 0 || dx == 0 || dx == -dy;
}

/* Is the step from i the one from k, or its mirror image? */
static bool
same_step(const struct place *p, size_t i, size_t k, const struct mirror *m)
{
	return p[i + 1].x - p[i].x == m->x * (p[k + 1].x - p[k].x) &&
	    p[i + 1].y - p[i].y == m->y * (p[k + 1].y - p[k].y);
}

/* Shift is held for a while and let go again; or mixed in as it comes. */
static double
shift_ways(const struct walk *w)
{
	double	 ways = 1;
	size_t	 i, shifted = 0, changes = 0;

	for (i = 0; i < w->len; i++) {
		shifted += w->p[w->at + i].shifted;
		changes += i > 0 && w->p[w->at + i].shifted !=
		    w->p[w->at + i - 1].shifted;
	}
	if (shifted == 0)
		return 1;
	if (shifted == w->len)
		return 2;
	for (i = 1; i <= changes; i++)
		ways += strength_choose(w->len - 1, i);
	return fmin(2 * ways, strength_ways(shifted, w->len - shifted));
}

/* Most walks begin at the end of a row, the left one first. */
static double
starts(const struct walk *w)
{
	const struct place	*p = &w->p[w->at];
	int			 x = p->x - w->l->column[p->y], last;

	if (w->l->pad)
		return PAD_STARTS;
	for (last = 0; w->l->plain[p->y][last + 1] != 0; last++)
		;
	if (x <= (p->y == 0))
		return STARTS / 12;
	/* the last letter of a row as well as its last key */
	return x >= last - 3 ? STARTS / 6 : STARTS / 2;
}

/* All walks as long and with as many turns, and those that are simpler. */
static double
walk_guesses(const struct walk *w)
{
	double	 g = 0, from = w->l->pad ? PAD_STARTS : STARTS,
		 ways = w->l->pad ? PAD_NEIGHBOURS : NEIGHBOURS, power;
	size_t	 i, k, turns = 1;

	for (i = 1; i + 1 < w->len; i++)
		turns += !same_step(w->p, w->at + i - 1, w->at + i,
		    &mirrors[0]);
	/* Straight on: where from, which way and how far. */
	if (turns == 1 && w->len > 4)
		return starts(w) * (w->p[w->at].y == w->p[w->at + 1].y ? 1 :
		    ways) * (double)w->len * shift_ways(w);
	for (i = 2; i <= w->len; i++)
		for (power = ways, k = 1; k <= turns && k < i; k++,
		    power *= ways)
			g += strength_choose(i - 1, k - 1) * from * power;
	return g * shift_ways(w);
}

/* Part of a walk, as one. */
static void
walk_add(const struct walk *all, size_t i, size_t len, size_t base,
    struct parts *s)
{
	struct walk	 w = { all->l, all->p, i, len };

	if (len >= 3)
		parts_add(s, base + i, len, walk_guesses(&w), STRENGTH_WALK);
}

/* Keys next to each other: all of the way, and as far as it is straight. */
static void
straight(const struct walk *w, size_t base, struct parts *s)
{
	size_t	 i, j, k;

	for (i = 0; i < w->len; i = j) {
		for (j = i + 1; j < w->len && adjacent(w->l, &w->p[j - 1],
		    &w->p[j]); j++)
			;
		walk_add(w, i, j - i, base, s);
		for (k = i + 1; k + 1 < j; k++)
			if (!same_step(w->p, k - 1, k, &mirrors[0])) {
				walk_add(w, i, k - i + 1, base, s);
				walk_add(w, k, j - k, base, s);
				walk_add(w, k + 1, j - k - 1, base, s);
				i = k;
			}
	}
}

/* The steps of a figure that comes again period keys later. */
static double
figure_guesses(const struct walk *w, size_t period)
{
	const struct place	*p = &w->p[w->at];
	double			 g = 1;
	size_t			 i;

	for (i = 0; i + 1 < period; i++)
		if (!adjacent(w->l, &p[i], &p[i + 1]))
			g *= STARTS / 2;
		else
			g *= i > 0 && same_step(p, i - 1, i, &mirrors[0]) ? 2 :
			    NEIGHBOURS;
	/* The next figure is most often beside the last, or on top of it. */
	if (p[0].x == p[period].x && p[0].y == p[period].y)
		return g;
	return g * (adjacent(w->l, &p[0], &p[period]) ? NEIGHBOURS :
	    w->l->pad ? PAD_STARTS : STARTS / 2);
}

/* How far the figure at i, of so many keys, is repeated: its end. */
static size_t
figure_end(const struct walk *w, size_t i, size_t period,
    const struct mirror *m)
{
	size_t	 j;

	for (j = i; j < w->len && w->p[j].x != NO_KEY; j++) {
		/* A mirror image is seen of what is drawn without a gap. */
		if (m != &mirrors[0] && j > i && j < i + period &&
		    !adjacent(w->l, &w->p[j - 1], &w->p[j]))
			break;
		/* The way from one figure to the next is not mirrored. */
		if (m != &mirrors[0] && j - i > period &&
		    (j - i) % period == 0)
			continue;
		if (j - i > period && !same_step(w->p, j - 1, j - 1 - period,
		    m))
			break;
	}
	return j;
}

/*
 * A figure repeated across the keyboard, as in 1qaz2wsx3edc or qazxswedc: its
 * steps come again every period.  Guessed are its first key and its steps.
 */
static void
periodic(const struct walk *all, size_t base, size_t period,
    const struct mirror *m, struct parts *s)
{
	struct walk	 w = *all;
	double		 g;
	size_t		 i, j, n;

	for (i = 0; i + 2 * period <= all->len; i++) {
		j = figure_end(all, i, period, m);
		if (j - i < 2 * period || j - i < 6)
			continue;
		w.at = i;
		g = starts(&w) * figure_guesses(&w, period) / 4;
		if (m != &mirrors[0])
			g *= 2;
		/* With what is there of the next figure, and without. */
		for (w.len = j - i; w.len >= 2 * period; w.len -= n) {
			parts_add(s, base + i, w.len, g * (double)w.len *
			    shift_ways(&w), STRENGTH_WALK);
			n = w.len % period == 0 ? period : w.len % period;
		}
		i = j - period;
	}
}

void
strength_walks(const struct text *x, size_t at, size_t len, struct parts *s)
{
	struct place	 p[STRENGTH_CHARS];
	struct walk	 w = { .p = p, .at = 0, .len = len };
	size_t		 i, k, m;

	for (i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		w.l = &layouts[i];
		memset(p, 0, sizeof(p));
		for (k = 0; k < len; k++)
			(void)find(w.l, x->typed[at + k], &p[k]);
		straight(&w, at, s);
		for (k = 2; k <= PERIOD_MAX && k <= len / 2; k++)
			for (m = 0; m < 4; m++)
				if (m == 0 || k >= 3)
					periodic(&w, at, k, &mirrors[m], s);
	}
	explicit_bzero(p, sizeof(p));
}
