/*
 * Rolling sums.  Signing ids stand in the order of policy time, so a window
 * is a suffix of them: each leaves once, however often one looks.
 */
#include "journal_int.h"

static const int64_t	 lengths[WINDOWS] = {
	[WINDOW_HOUR] = HOUR_NS,
	[WINDOW_DAY] = DAY_NS,
	[WINDOW_WEEK] = WEEK_NS,
};

static void	advance(struct window *, const struct journal *, int64_t);
static uint64_t	saturate(journal_sum);
static uint64_t	frees(const struct journal *, const struct window *, int64_t,
		    bool);

void
window_init(struct journal *j)
{
	int	 i;

	for (i = 0; i < WINDOWS; i++)
		j->window[i].ns = lengths[i];
}

/* What was signed at t counts before t + length, and no longer. */
/* Forgets what has left the window by then. */
static void
advance(struct window *w, const struct journal *j, int64_t now)
{
	while (w->first < j->nids &&
	    now - j->ids[w->first].policy_ns >= w->ns)
		w->sum -= j->ids[w->first++].outflow;
}

void
window_add(struct journal *j, uint64_t outflow)
{
	int	 i;

	for (i = 0; i < WINDOWS; i++) {
		j->window[i].sum += outflow;
		advance(&j->window[i], j,
		    j->ids[j->nids - 1].policy_ns);
	}
}

/* What has left need not be walked again by each who asks. */
void
window_tick(struct journal *j)
{
	int64_t	 now = clock_policy(j);
	int	 i;

	for (i = 0; i < WINDOWS; i++)
		advance(&j->window[i], j, now);
}

static uint64_t
saturate(journal_sum sum)
{
	return sum > UINT64_MAX ? UINT64_MAX : (uint64_t)sum;
}

static uint64_t
frees(const struct journal *j, const struct window *w, int64_t now, bool amount)
{
	size_t	 i = w->first;
	int64_t	 left;

	while (amount && i < j->nids && j->ids[i].outflow == 0)
		i++;
	if (i >= j->nids)
		return 0;
	if (j->clock.state != CLOCK_RUNS)
		return JOURNAL_NEVER;
	left = j->ids[i].policy_ns + w->ns - now;
	return (uint64_t)((left + NS_PER_S - 1) / NS_PER_S);
}

void
journal_usage(const struct journal *j, struct journal_usage *u)
{
	struct window	 w[WINDOWS];
	int64_t		 now = clock_policy(j);
	int		 i;

	for (i = 0; i < WINDOWS; i++) {
		w[i] = j->window[i];
		advance(&w[i], j, now);
	}
	u->hour = saturate(w[WINDOW_HOUR].sum);
	u->day = saturate(w[WINDOW_DAY].sum);
	u->week = saturate(w[WINDOW_WEEK].sum);
	u->count = j->nids - w[WINDOW_HOUR].first;
	u->hour_frees = frees(j, &w[WINDOW_HOUR], now, true);
	u->day_frees = frees(j, &w[WINDOW_DAY], now, true);
	u->week_frees = frees(j, &w[WINDOW_WEEK], now, true);
	u->count_frees = frees(j, &w[WINDOW_HOUR], now, false);
}
