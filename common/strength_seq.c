#include <stdlib.h>

#include "strength_int.h"

/* Interleaved sequences (a1b2c3, 11335577): so many at most. */
#define LANES_MAX	4

struct alphabet {
	uint32_t	 first;
	int32_t		 size;
};

static const struct alphabet	*alphabet_of(uint32_t);
static int32_t			 step_between(uint32_t, uint32_t, bool *);
static double			 start_guesses(uint32_t);
static double			 step_guesses(int32_t, bool);
static void			 plain(const struct text *, size_t, size_t,
				    struct parts *);
static void			 lanes(const struct text *, size_t, size_t,
				    size_t, struct parts *);

static const struct alphabet *
alphabet_of(uint32_t c)
{
	static const struct alphabet	 all[] = {
		{ '0', 10 }, { 'a', 26 }, { 'A', 26 }, { 0x430, 32 },
		{ 0x410, 32 }, { 0x3b1, 25 }
	};
	size_t				 i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (c >= all[i].first &&
		    c < all[i].first + (uint32_t)all[i].size)
			return &all[i];
	return NULL;
}

/*
 * From a to b in one alphabet, the shorter way round (z to a is 1, and
 * *wraps); in code points where there is no alphabet.  INT32_MIN: no step
 * of a sequence.
 */
static int32_t
step_between(uint32_t a, uint32_t b, bool *wraps)
{
	const struct alphabet	*x = alphabet_of(a);
	int32_t			 d = (int32_t)b - (int32_t)a;

	*wraps = false;
	if (x != alphabet_of(b))
		return INT32_MIN;
	if (x == NULL)
		return d >= -5 && d <= 5 ? d : INT32_MIN;
	if (d > x->size / 2 || (d < 0 && -d >= x->size - x->size / 2)) {
		d += d > 0 ? -x->size : x->size;
		*wraps = true;
	}
	return d;
}

/* Ends of the alphabet come first; then digits, then letters. */
static double
start_guesses(uint32_t c)
{
	const struct alphabet	*x = alphabet_of(c);

	if (x == NULL)
		return 26;
	if (c == x->first || c == x->first + (uint32_t)x->size - 1 ||
	    c == '1')
		return 4;
	return x->size;
}

static double
step_guesses(int32_t step, bool wraps)
{
	double	 g = step < 0 ? 2 : 1;

	/* Steps of up to 5 are taken for one another, as in the paper. */
	if (abs(step) > 5)
		g *= abs(step);
	return wraps ? 2 * g : g;
}

/* Runs of one step: abcd, 97531, 890123; of equal characters too. */
static void
plain(const struct text *x, size_t at, size_t len, struct parts *s)
{
	double	 g;
	int32_t	 step;
	size_t	 i, j;
	bool	 w, wraps;

	for (i = 0; i + 1 < len; i = j) {
		j = i + 1;
		step = step_between(x->typed[at + i], x->typed[at + j],
		    &wraps);
		if (step == INT32_MIN)
			continue;
		while (j + 1 < len && step_between(x->typed[at + j],
		    x->typed[at + j + 1], &w) == step) {
			wraps = wraps || w;
			j++;
		}
		if (step == 0 || (j - i < 2 && abs(step) != 1) ||
		    (j - i < 3 && (wraps || abs(step) > 5)))
			continue;
		g = start_guesses(x->typed[at + i]) * step_guesses(step,
		    wraps) * (double)(j - i + 1);
		parts_add(s, at + i, j - i + 1, g, STRENGTH_SEQUENCE);
	}
}

/* Several sequences dealt in turn, each with a step of its own. */
static void
lanes(const struct text *x, size_t at, size_t len, size_t n, struct parts *s)
{
	double	 g;
	int32_t	 step;
	size_t	 i, j, k;
	bool	 w;

	for (i = 0; i + 3 * n <= len; i = j > i + 3 * n ? j - 2 * n + 1 :
	    i + 1) {
		for (j = i + 2 * n; j < len; j++) {
			step = step_between(x->typed[at + j - n],
			    x->typed[at + j], &w);
			if (step == INT32_MIN || step != step_between(
			    x->typed[at + j - 2 * n], x->typed[at + j - n],
			    &w))
				break;
		}
		if (j - i < 3 * n)
			continue;
		for (g = (double)(j - i), k = i; k < i + n; k++) {
			step = step_between(x->typed[at + k],
			    x->typed[at + k + n], &w);
			g *= start_guesses(x->typed[at + k]);
			g *= 1 + step_guesses(step, w);
		}
		parts_add(s, at + i, j - i, g, STRENGTH_SEQUENCE);
	}
}

void
strength_sequences(const struct text *x, size_t at, size_t len,
    struct parts *s)
{
	size_t	 n;

	plain(x, at, len, s);
	for (n = 2; n <= LANES_MAX; n++)
		lanes(x, at, len, n, s);
}
