/*
 * signd's refusals on their way to the audit log: signd has no link to
 * auditd, so they go to keyd as typed notes, at most LIMITER_EVENTS a
 * LIMITER_WINDOW per type and uid; then one says how many were left out.
 */
#ifndef IGRA_NOTES_H
#define IGRA_NOTES_H

#include <event2/event.h>

#include "keyd_link.h"
#include "limiter.h"
#include "metrics.h"
#include "peer.h"

struct notes {
	struct limiter		 limiter;
	struct keyd_link	*link;
	struct metrics		*metrics;
	struct event		*timer;
};

/* Link and metrics must outlive it.  0, or -1 without memory. */
int	notes_init(struct notes *, struct event_base *, struct keyd_link *,
	    struct metrics *);
void	notes_free(struct notes *);
/*
 * That signd has started (hash: BLAKE2b-256 of its config's text), or ends.
 * False when keyd is not there to be told.
 */
bool	notes_started(struct notes *, const uint8_t hash[32]);
bool	notes_stopped(struct notes *, const char *reason);
/*
 * A request or (CODE_UNAUTHORIZED) a peer was refused.  method and request_id
 * may be empty; all texts are cut to what a note holds.
 */
void	notes_refused(struct notes *, const struct peer *, unsigned code,
	    struct bytes method, struct bytes request_id, const char *error);

#endif
