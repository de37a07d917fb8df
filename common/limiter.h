/*
 * Caps what anybody can make a daemon write: so many events per type and
 * peer uid in a window, the rest only counted (DESIGN 8: 20 a minute, then
 * one record counts the suppressed).  Memory is fixed: peers beyond
 * LIMITER_SLOTS at a time share one budget per type.
 */
#ifndef IGRA_LIMITER_H
#define IGRA_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

#define LIMITER_SLOTS	128
#define LIMITER_TYPES	32		/* types are 0 .. 31 */
#define LIMITER_OTHERS	UINT32_MAX	/* uid of the shared budget */

#define LIMITER_EVENTS	20		/* what the log allows ... */
#define LIMITER_WINDOW	60000000000U	/* ... in this many ns */

struct limiter_slot {
	bool		 used;
	unsigned	 type;
	uint32_t	 uid;
	uint32_t	 events;	/* let through in this window */
	uint64_t	 start;		/* of the window, ns */
	uint64_t	 suppressed;
};

struct limiter {
	uint32_t		 max;
	uint64_t		 window;
	struct limiter_slot	 slot[LIMITER_SLOTS];
	struct limiter_slot	 others[LIMITER_TYPES];
};

/* max events of one (type, uid) in window nanoseconds. */
void	limiter_init(struct limiter *, uint32_t max, uint64_t window);
/*
 * now: a monotonic clock in ns.  True: write the event.  False: it has been
 * counted as suppressed.
 */
bool	limiter_allow(struct limiter *, unsigned type, uint32_t uid,
	    uint64_t now);
/* Counts n more as suppressed, which somebody else's limiter has held back. */
void	limiter_add(struct limiter *, unsigned type, uint32_t uid, uint64_t n,
	    uint64_t now);
/*
 * Takes one window that has ended by now and suppressed something; false when
 * there is none.  now = UINT64_MAX takes those still open, too (at exit).
 */
bool	limiter_next(struct limiter *, uint64_t now, unsigned *type,
	    uint32_t *uid, uint64_t *suppressed);
/* When limiter_next will have something, ns; UINT64_MAX: not until an event. */
uint64_t limiter_due(const struct limiter *);

#endif
