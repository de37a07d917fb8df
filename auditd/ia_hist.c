#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "auditd/ia_hist.h"

static unsigned	 step_of(uint64_t);
static uint64_t	 middle_of(unsigned);
static int	 make(struct ia_hist *);

/* Exact below IA_HIST_FINE, then that many steps to each doubling. */
static unsigned
step_of(uint64_t us)
{
	unsigned	 shift = 0, step;

	while (us >> shift >= 2 * IA_HIST_FINE)
		shift++;
	step = shift * IA_HIST_FINE + (unsigned)(us >> shift);
	return step < IA_HIST_STEPS ? step : IA_HIST_STEPS - 1;
}

static uint64_t
middle_of(unsigned step)
{
	unsigned	 shift;

	if (step < 2 * IA_HIST_FINE)
		return step;
	shift = step / IA_HIST_FINE - 1;
	return ((uint64_t)(step - shift * IA_HIST_FINE) << shift) +
	    (UINT64_C(1) << shift) / 2;
}

static int
make(struct ia_hist *h)
{
	if (h->count == NULL) {
		h->count = calloc(IA_HIST_STEPS, sizeof(*h->count));
		h->min = UINT64_MAX;
	}
	return h->count == NULL ? -1 : 0;
}

int
ia_hist_add(struct ia_hist *h, uint64_t us)
{
	if (make(h) == -1)
		return -1;
	h->n++;
	h->count[step_of(us)]++;
	if (us < h->min)
		h->min = us;
	if (us > h->max)
		h->max = us;
	return 0;
}

int
ia_hist_merge(struct ia_hist *to, const struct ia_hist *h)
{
	unsigned	 i;

	if (h->n == 0)
		return 0;
	if (make(to) == -1)
		return -1;
	for (i = 0; i < IA_HIST_STEPS; i++)
		to->count[i] += h->count[i];
	to->n += h->n;
	if (h->min < to->min)
		to->min = h->min;
	if (h->max > to->max)
		to->max = h->max;
	return 0;
}

uint64_t
ia_hist_at(const struct ia_hist *h, double percent)
{
	uint64_t	 rank, seen = 0, v;
	unsigned	 i;

	if (h->n == 0)
		return 0;
	rank = (uint64_t)ceil((double)h->n * percent / 100);
	if (rank >= h->n)
		return h->max;
	if (rank == 0)
		rank = 1;
	for (i = 0; i + 1 < IA_HIST_STEPS; i++)
		if ((seen += h->count[i]) >= rank)
			break;
	v = middle_of(i);
	return v < h->min ? h->min : v > h->max ? h->max : v;
}

void
ia_hist_free(struct ia_hist *h)
{
	free(h->count);
	memset(h, 0, sizeof(*h));
}
