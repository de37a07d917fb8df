#include <stddef.h>
#include <string.h>

#include "limiter.h"
#include "saturate.h"

static bool	 ended(const struct limiter *, const struct limiter_slot *,
		    uint64_t);
static struct limiter_slot *find(struct limiter *, unsigned, uint32_t,
		    uint64_t);
static bool	 take(struct limiter *, struct limiter_slot *, uint64_t,
		    unsigned *, uint32_t *, uint64_t *);

void
limiter_init(struct limiter *l, uint32_t max, uint64_t window)
{
	memset(l, 0, sizeof(*l));
	l->max = max;
	l->window = window;
}

static bool
ended(const struct limiter *l, const struct limiter_slot *s, uint64_t now)
{
	return now >= s->start && now - s->start >= l->window;
}

/*
 * The slot of (type, uid), else a free one.  A window that has ended without
 * suppressing anything holds nothing worth keeping.
 */
static struct limiter_slot *
find(struct limiter *l, unsigned type, uint32_t uid, uint64_t now)
{
	struct limiter_slot	*s, *empty = NULL;
	size_t			 i;

	for (i = 0; i < LIMITER_SLOTS; i++) {
		s = &l->slot[i];
		if (s->used && s->suppressed == 0 && ended(l, s, now))
			s->used = false;
		if (!s->used) {
			if (empty == NULL)
				empty = s;
		} else if (s->type == type && s->uid == uid)
			return s;
	}
	if (empty == NULL) {
		empty = &l->others[type];
		uid = LIMITER_OTHERS;
		if (empty->used)
			return empty;
	}
	memset(empty, 0, sizeof(*empty));
	empty->used = true;
	empty->type = type;
	empty->uid = uid;
	empty->start = now;
	return empty;
}

bool
limiter_allow(struct limiter *l, unsigned type, uint32_t uid, uint64_t now)
{
	struct limiter_slot	*s;

	s = find(l, type % LIMITER_TYPES, uid, now);
	if (ended(l, s, now)) {
		/* What was suppressed stays for limiter_next. */
		s->start = now;
		s->events = 0;
	}
	if (s->events >= l->max) {
		s->suppressed++;
		return false;
	}
	s->events++;
	return true;
}

void
limiter_add(struct limiter *l, unsigned type, uint32_t uid, uint64_t n,
    uint64_t now)
{
	struct limiter_slot	*s = find(l, type % LIMITER_TYPES, uid, now);

	s->suppressed = sat_add(s->suppressed, n);
}

static bool
take(struct limiter *l, struct limiter_slot *s, uint64_t now, unsigned *type,
    uint32_t *uid, uint64_t *suppressed)
{
	if (!s->used || s->suppressed == 0 || !ended(l, s, now))
		return false;
	*type = s->type;
	*uid = s->uid;
	*suppressed = s->suppressed;
	s->used = false;
	s->suppressed = 0;
	return true;
}

bool
limiter_next(struct limiter *l, uint64_t now, unsigned *type, uint32_t *uid,
    uint64_t *suppressed)
{
	size_t	 i;

	for (i = 0; i < LIMITER_SLOTS; i++)
		if (take(l, &l->slot[i], now, type, uid, suppressed))
			return true;
	for (i = 0; i < LIMITER_TYPES; i++)
		if (take(l, &l->others[i], now, type, uid, suppressed))
			return true;
	return false;
}

uint64_t
limiter_due(const struct limiter *l)
{
	const struct limiter_slot	*s;
	uint64_t			 due = UINT64_MAX;
	size_t				 i;

	for (i = 0; i < LIMITER_SLOTS + LIMITER_TYPES; i++) {
		s = i < LIMITER_SLOTS ? &l->slot[i] :
		    &l->others[i - LIMITER_SLOTS];
		if (s->used && s->suppressed != 0 &&
		    s->start + l->window < due)
			due = s->start + l->window;
	}
	return due;
}
