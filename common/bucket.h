/* A token bucket: so many requests a second, and so many at once. */
#ifndef IGRA_BUCKET_H
#define IGRA_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* What all buckets of a kind share. */
struct bucket_rate {
	uint64_t	 cost;		/* of a request, ns of refill; 0: no limit */
	uint64_t	 cap;		/* of a bucket, ns */
};

struct bucket {
	uint64_t	 level;		/* ns of refill */
	uint64_t	 refilled;	/* when, ns */
};

/* rps 0 means no limit; burst is at least 1. */
void	bucket_rate(struct bucket_rate *, uint64_t rps, uint64_t burst);
/* Full.  now here and below: a monotonic clock, ns. */
void	bucket_init(const struct bucket_rate *, struct bucket *, uint64_t now);
/* Another rate: the bucket stays as full as it is. */
void	bucket_change(const struct bucket_rate *old,
	    const struct bucket_rate *new, struct bucket *);
bool	bucket_full(const struct bucket_rate *, struct bucket *, uint64_t now);
/*
 * Takes one request's token.  False when there is none: then *retry is the
 * seconds until there is, at least 1.
 */
bool	bucket_take(const struct bucket_rate *, struct bucket *, uint64_t now,
	    unsigned *retry);

#endif
