#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "strength_int.h"

/*
 * Figures of the paper's estimator: a character tried one by one counts ten;
 * a part of something longer counts at least so many, whatever it is; and an
 * attacker who tries cuts of l parts has tried the shorter ones before.
 */
#define PER_CHAR	10.0
#define LEAST_ONE	10.0
#define LEAST_MORE	50.0
#define PER_PART	10000.0

/* Parts of few guesses, and digits at most that are taken with them. */
#define FIRST		100.0
#define COMMON		1000.0
#define TAIL_MAX	10
#define TAIL_LEAST	5000.0

/* A further name, out of a few, with what is between; so many are looked at. */
#define PER_NAME	50.0
#define CHAINS_MAX	2000

/* The cheapest way to cut the first k + 1 characters into l parts. */
struct cut {
	double		 product;	/* of the parts' guesses */
	double		 guesses;	/* 0: no such cut */
	struct part	 last;
};

struct table {
	size_t		 n;
	size_t		 len;		/* of the slice */
	struct cut	*cuts;		/* [n][n + 1] */
};

static void		 repeats(struct text *, size_t, size_t, struct parts *);
static struct cut	*cut_at(const struct table *, size_t, size_t);
static double		 part_floor(const struct table *, const struct part *);
static void		 cut_try(struct table *, const struct part *, size_t);
static void		 cut_part(struct table *, const struct part *);
static void		 cut_chars(struct table *, size_t);
static double		 cut_best(const struct table *, size_t,
			    struct part *, size_t *);
static int		 part_cmp(const void *, const void *);
static double		 tail_guesses(const struct text *,
			    const struct part *, size_t);
static void		 tails(const struct text *, size_t, size_t,
			    struct parts *);
static bool		 letter(uint32_t);
static void		 name_chains(const struct text *, size_t, size_t,
			    struct parts *);
static double		 unit_guesses(struct text *, size_t, size_t);
static bool		 is_primitive(const struct text *, size_t, size_t);
static void		 repeats_of(struct text *, size_t, size_t, size_t,
			    struct parts *);

double
strength_choose(size_t n, size_t k)
{
	double	 r = 1;
	size_t	 i;

	if (k > n)
		return 0;
	for (i = 1; i <= k; i++)
		r = r * (double)(n - k + i) / (double)i;
	return r;
}

double
strength_ways(size_t a, size_t b)
{
	double	 r = 0;
	size_t	 i, least = a < b ? a : b;

	for (i = 1; i <= least; i++)
		r += strength_choose(a + b, i);
	return r;
}

void
parts_add(struct parts *s, size_t at, size_t len, double guesses,
    enum strength_kind kind)
{
	struct part	*p;
	size_t		 cap;

	if (s->failed)
		return;
	if (s->n == s->cap) {
		cap = s->cap == 0 ? 64 : s->cap * 2;
		if ((p = reallocarray(s->p, cap, sizeof(*p))) == NULL) {
			s->failed = true;
			return;
		}
		s->p = p;
		s->cap = cap;
	}
	s->p[s->n++] = (struct part){ at, len, guesses, kind };
}

static struct cut *
cut_at(const struct table *t, size_t k, size_t l)
{
	return &t->cuts[k * (t->n + 1) + l];
}

/* What a part costs at least where it stands. */
static double
part_floor(const struct table *t, const struct part *p)
{
	double	 least = 1;

	if (p->len < t->len)
		least = p->len == 1 ? LEAST_ONE : LEAST_MORE;
	/* A known part wins over the same characters tried one by one. */
	if (p->kind == STRENGTH_CHARACTERS)
		least = (p->len == 1 ? LEAST_ONE : LEAST_MORE) + 1;
	return p->guesses > least ? p->guesses : least;
}

/* Offers p as the l-th and last part up to where it ends. */
static void
cut_try(struct table *t, const struct part *p, size_t l)
{
	struct cut	*c, *before;
	double		 product = part_floor(t, p), guesses, order = 1;
	size_t		 end = p->at + p->len - 1, i;

	if (l > 1) {
		before = cut_at(t, p->at - 1, l - 1);
		product *= before->product;
	}
	for (i = 2; i <= l; i++)
		order *= (double)i;
	guesses = order * product + pow(PER_PART, (double)(l - 1));
	/* Fewer parts for less are always better. */
	for (i = 1; i <= l; i++) {
		c = cut_at(t, end, i);
		if (c->guesses > 0 && c->guesses <= guesses)
			return;
	}
	c = cut_at(t, end, l);
	c->product = product;
	c->guesses = guesses;
	c->last = *p;
}

static void
cut_part(struct table *t, const struct part *p)
{
	size_t	 l;

	if (p->at == 0) {
		cut_try(t, p, 1);
		return;
	}
	for (l = 1; l <= p->at; l++)
		if (cut_at(t, p->at - 1, l)->guesses > 0)
			cut_try(t, p, l + 1);
}

/* Everything that ends at k with characters tried one by one. */
static void
cut_chars(struct table *t, size_t k)
{
	struct part		 p = { .kind = STRENGTH_CHARACTERS };
	const struct cut	*c;
	size_t			 l;

	for (p.at = 0; p.at <= k; p.at++) {
		p.len = k - p.at + 1;
		p.guesses = pow(PER_CHAR, (double)p.len);
		if (p.at == 0) {
			cut_try(t, &p, 1);
			continue;
		}
		/* Two such parts side by side are one. */
		for (l = 1; l <= p.at; l++) {
			c = cut_at(t, p.at - 1, l);
			if (c->guesses > 0 &&
			    c->last.kind != STRENGTH_CHARACTERS)
				cut_try(t, &p, l + 1);
		}
	}
}

static double
cut_best(const struct table *t, size_t base, struct part *chosen, size_t *n)
{
	struct cut	*c;
	double		 least = INFINITY;
	size_t		 l, best = 0, end = t->n - 1;

	for (l = 1; l <= t->n; l++) {
		c = cut_at(t, end, l);
		if (c->guesses > 0 && c->guesses < least) {
			least = c->guesses;
			best = l;
		}
	}
	if (chosen == NULL)
		return least;
	for (*n = best, l = best; l > 0; l--) {
		c = cut_at(t, end, l);
		chosen[l - 1] = c->last;
		chosen[l - 1].at += base;
		end = c->last.at - 1;
	}
	return least;
}

static int
part_cmp(const void *a, const void *b)
{
	const struct part	*p = a, *q = b;
	size_t			 e = p->at + p->len, f = q->at + q->len;

	return (e > f) - (e < f);
}

/*
 * What something that everybody takes costs with digits behind it: 1, 12, 123,
 * 4321, or any one digit behind the very first of words.  0: not these.
 */
static double
tail_guesses(const struct text *x, const struct part *p, size_t len)
{
	const uint32_t	*c = &x->typed[p->at + p->len];
	int32_t		 step;
	size_t		 i;

	if (c[0] < '0' || c[0] > '9')
		return 0;
	if (len == 1)
		return c[0] == '1' ? 10 * p->guesses : p->guesses <= FIRST ?
		    fmax(100 * p->guesses, TAIL_LEAST) : 0;
	step = (int32_t)c[1] - (int32_t)c[0];
	if (step != 1 && (step != -1 || len < 3))
		return 0;
	for (i = 1; i < len; i++)
		if (c[i] < '0' || c[i] > '9' ||
		    (int32_t)c[i] - (int32_t)c[i - 1] != step)
			return 0;
	return c[step == 1 ? 0 : len - 1] == '1' ?
	    p->guesses * 5 * (double)len : 0;
}

/* The lists have such words as they stand: they are one part, not two. */
static void
tails(const struct text *x, size_t at, size_t len, struct parts *s)
{
	struct part	 p;
	double		 g;
	size_t		 i, n, end, parts = s->n;

	for (i = 0; i < parts; i++) {
		p = s->p[i];
		end = p.at + p.len;
		if (p.guesses > COMMON || p.len < 3 ||
		    p.kind == STRENGTH_REPEAT || p.kind == STRENGTH_LEET)
			continue;
		for (n = 1; n <= TAIL_MAX && end + n <= at + len; n++)
			if ((g = tail_guesses(x, &p, n)) > 0)
				parts_add(s, p.at, p.len + n, g, p.kind);
	}
}

static bool
letter(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || c >= 0x80;
}

/*
 * Names that are tried first, one behind the other or with one character
 * between, are tried in all combinations: they are one part as well.
 */
static void
name_chains(const struct text *x, size_t at, size_t len, struct parts *s)
{
	struct part	 p, q;
	size_t		 i, k, end, parts = s->n;

	for (i = 0; i < s->n && s->n < parts + CHAINS_MAX; i++) {
		p = s->p[i];
		end = p.at + p.len;
		if (p.kind != STRENGTH_CONTEXT || end >= at + len)
			continue;
		for (k = 0; k < parts; k++) {
			q = s->p[k];
			if (q.kind == STRENGTH_CONTEXT && (q.at == end ||
			    (q.at == end + 1 && !letter(x->lower[end]))))
				parts_add(s, p.at, q.at + q.len - p.at,
				    p.guesses * q.guesses * PER_NAME,
				    STRENGTH_CONTEXT);
		}
	}
}

double
strength_slice(struct text *x, size_t at, size_t len, struct part *chosen,
    size_t *n)
{
	struct table	 t = { .n = len, .len = len };
	struct parts	 s = { 0 };
	double		 guesses = -1;
	size_t		 i, k, l;

	for (i = 0; i < len; i++)
		for (l = 1; l <= STRENGTH_WORD_MAX && i + l <= len; l++)
			if (x->words[at + i][l].guesses > 0)
				parts_add(&s, at + i, l,
				    x->words[at + i][l].guesses,
				    x->words[at + i][l].kind);
	strength_walks(x, at, len, &s);
	strength_sequences(x, at, len, &s);
	strength_dates(x, at, len, &s);
	repeats(x, at, len, &s);
	tails(x, at, len, &s);
	name_chains(x, at, len, &s);
	t.cuts = calloc(len * (len + 1), sizeof(*t.cuts));
	if (s.failed || t.cuts == NULL)
		goto out;
	for (i = 0; i < s.n; i++)
		s.p[i].at -= at;
	if (s.n > 0)
		qsort(s.p, s.n, sizeof(*s.p), part_cmp);
	for (i = k = 0; k < len; k++) {
		for (; i < s.n && s.p[i].at + s.p[i].len == k + 1; i++)
			cut_part(&t, &s.p[i]);
		cut_chars(&t, k);
	}
	guesses = cut_best(&t, at, chosen, n);
out:
	if (t.cuts != NULL)
		freezero(t.cuts, len * (len + 1) * sizeof(*t.cuts));
	if (s.p != NULL)
		freezero(s.p, s.cap * sizeof(*s.p));
	return guesses;
}

/* Remembered: the runs of a long repetition share most of their units. */
static double
unit_guesses(struct text *x, size_t at, size_t len)
{
	double	*g = &x->alone[at][len];

	if (*g == 0)
		*g = strength_slice(x, at, len, NULL, NULL);
	return *g;
}

/* Is the unit itself no repetition of something shorter? */
static bool
is_primitive(const struct text *x, size_t at, size_t len)
{
	size_t	 i, p;

	for (p = 1; p <= len / 2; p++) {
		if (len % p != 0)
			continue;
		for (i = p; i < len; i++)
			if (x->typed[at + i] != x->typed[at + i - p])
				break;
		if (i == len)
			return false;
	}
	return true;
}

/*
 * A run of a unit of p characters, wherever in it the unit is taken to begin.
 * The unit is scored as a passphrase of its own, times how often it comes.
 */
static void
repeats_of(struct text *x, size_t at, size_t run, size_t p, struct parts *s)
{
	double	 g;
	size_t	 i, times;

	for (i = 0; i < p && i + 2 * p <= run; i++) {
		times = (run - i) / p;
		if ((g = unit_guesses(x, at + i, p)) < 0) {
			s->failed = true;
			return;
		}
		parts_add(s, at + i, times * p, g * (double)times,
		    STRENGTH_REPEAT);
	}
}

static void
repeats(struct text *x, size_t at, size_t len, struct parts *s)
{
	size_t	 p, i, start;

	for (p = 1; p <= len / 2; p++)
		for (start = 0; start + 2 * p <= len; start = i + 1) {
			/* What is in [start, i) comes again p later. */
			for (i = start; i + p < len && x->typed[at + i] ==
			    x->typed[at + i + p]; i++)
				;
			if (i - start >= p && is_primitive(x, at + start, p))
				repeats_of(x, at + start, i - start + p, p,
				    s);
		}
}
