#include <stdlib.h>
#include <time.h>

#include "limits.h"

static bool	 is_allowed(const struct limits *, uid_t);
static void	 forget(struct limits *, uint64_t);

uint64_t
now_ns(void)
{
	struct timespec	 ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static bool
is_allowed(const struct limits *l, uid_t uid)
{
	size_t	 i;

	for (i = 0; i < l->nallow; i++)
		if (l->allow[i] == uid)
			return true;
	return false;
}

void
limits_init(struct limits *l, uint64_t rps, uint64_t burst,
    const uid_t *allow, size_t nallow)
{
	LIST_INIT(&l->uids);
	l->n = 0;
	bucket_rate(&l->rate, rps, burst);
	l->allow = allow;
	l->nallow = nallow;
	l->operator = 0;
}

/* A bucket keeps its share: nobody gains a burst by a reload. */
void
limits_change(struct limits *l, uint64_t rps, uint64_t burst,
    const uid_t *allow, size_t nallow)
{
	struct bucket_rate	 old = l->rate;
	struct limit_uid	*u;

	bucket_rate(&l->rate, rps, burst);
	l->allow = allow;
	l->nallow = nallow;
	LIST_FOREACH(u, &l->uids, entry) {
		u->allowed = is_allowed(l, u->uid);
		bucket_change(&old, &l->rate, &u->bucket);
	}
}

void
limits_free(struct limits *l)
{
	struct limit_uid	*u;

	while ((u = LIST_FIRST(&l->uids)) != NULL) {
		LIST_REMOVE(u, entry);
		free(u);
	}
	l->n = 0;
}

struct limit_uid *
limits_get(struct limits *l, uid_t uid, uint64_t now)
{
	struct limit_uid	*u;

	LIST_FOREACH(u, &l->uids, entry) {
		if (u->uid == uid) {
			u->refs++;
			return u;
		}
	}
	if ((u = calloc(1, sizeof(*u))) == NULL)
		return NULL;
	u->uid = uid;
	u->allowed = is_allowed(l, uid);
	u->operator = uid == 0 || uid == l->operator;
	u->refs = 1;
	bucket_init(&l->rate, &u->bucket, now);
	LIST_INSERT_HEAD(&l->uids, u, entry);
	l->n++;
	return u;
}

void
limits_put(struct limits *l, struct limit_uid *u, uint64_t now)
{
	if (--u->refs == 0 && l->n > LIMITS_MAX_IDLE)
		forget(l, now);
}

/* Those without a connection whose bucket is full are as good as new ones. */
static void
forget(struct limits *l, uint64_t now)
{
	struct limit_uid	*u, *next;

	for (u = LIST_FIRST(&l->uids); u != NULL; u = next) {
		next = LIST_NEXT(u, entry);
		if (u->refs != 0 || !bucket_full(&l->rate, &u->bucket, now))
			continue;
		LIST_REMOVE(u, entry);
		free(u);
		l->n--;
	}
}

bool
limits_take(struct limits *l, struct limit_uid *u, uint64_t now,
    unsigned *retry)
{
	return bucket_take(&l->rate, &u->bucket, now, retry);
}
