#include "bucket.h"

#define SECOND		1000000000ULL
#define MAX_RPS		SECOND		/* beyond that there is no limit */
#define MAX_BURST	1000000ULL

static void	refill(const struct bucket_rate *, struct bucket *, uint64_t);

void
bucket_rate(struct bucket_rate *r, uint64_t rps, uint64_t burst)
{
	r->cost = rps == 0 || rps > MAX_RPS ? 0 : SECOND / rps;
	if (burst == 0)
		burst = 1;
	if (burst > MAX_BURST)
		burst = MAX_BURST;
	r->cap = r->cost * burst;
}

void
bucket_init(const struct bucket_rate *r, struct bucket *b, uint64_t now)
{
	b->level = r->cap;
	b->refilled = now;
}

void
bucket_change(const struct bucket_rate *old, const struct bucket_rate *new,
    struct bucket *b)
{
	if (old->cap == 0 || b->level >= old->cap)
		b->level = new->cap;
	else
		b->level = (uint64_t)((double)b->level / (double)old->cap *
		    (double)new->cap);
}

static void
refill(const struct bucket_rate *r, struct bucket *b, uint64_t now)
{
	uint64_t	 elapsed = now > b->refilled ? now - b->refilled : 0;

	b->refilled = now;
	if (b->level > r->cap)
		b->level = r->cap;	/* the rate has changed */
	if (elapsed > r->cap - b->level)
		b->level = r->cap;
	else
		b->level += elapsed;
}

bool
bucket_full(const struct bucket_rate *r, struct bucket *b, uint64_t now)
{
	refill(r, b, now);
	return b->level >= r->cap;
}

bool
bucket_take(const struct bucket_rate *r, struct bucket *b, uint64_t now,
    unsigned *retry)
{
	if (r->cost == 0)
		return true;
	refill(r, b, now);
	if (b->level >= r->cost) {
		b->level -= r->cost;
		return true;
	}
	*retry = (unsigned)((r->cost - b->level + SECOND - 1) / SECOND);
	if (*retry == 0)
		*retry = 1;
	return false;
}
