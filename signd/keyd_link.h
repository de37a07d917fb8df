/*
 * signd's one connection to igra-keyd: many requests in flight, each with a
 * deadline; reconnects by itself.  Without a connection a request fails at
 * once, and when the connection dies all in flight do.
 */
#ifndef IGRA_KEYD_LINK_H
#define IGRA_KEYD_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "daemon.h"
#include "frame.h"
#include "metrics.h"

#define KEYD_TIMEOUT_MS		2500	/* after keyd's own 2 s */
#define KEYD_BACKOFF_MIN_MS	10
#define KEYD_BACKOFF_MAX_MS	250
#define KEYD_SQUATTED_MS	5000	/* another uid listens there: an alert */
#define KEYD_MAX_INFLIGHT	4096
#define KEYD_MAX_QUEUE		(FRAME_MAX_QUEUE - PROTO_MAX_SIGN)

enum keyd_fail {
	KEYD_ANSWERED,
	KEYD_GONE,		/* no connection, or it died */
	KEYD_LATE,		/* no answer in time; it may still act */
	KEYD_BUSY		/* too much in flight */
};

struct keyd_link;

/*
 * The answer (any type; valid only during the call), or NULL and why not.
 * -1 when the answer is not what keyd may say: the link is then cut, as it
 * is for a broken frame, and the others in flight fail.
 */
typedef int	(*keyd_cb)(const struct frame *, enum keyd_fail, void *);

/*
 * Connects from the event loop.  connected is called after each connect and
 * may send.  Daemon and metrics must outlive the link.  NULL when out of
 * memory.
 */
struct keyd_link *keyd_link_new(struct event_base *, struct daemon *,
		    struct metrics *, void (*connected)(void *), void *arg);
/* Fails what is in flight first. */
void		  keyd_link_free(struct keyd_link *);
bool		  keyd_link_up(const struct keyd_link *);

/*
 * Sends one request; p is copied.  weight adds to the deadline, in ms, of this
 * and all later ones while it is in flight.  KEYD_ANSWERED: sent, cb will be
 * called once; else it will not.
 */
enum keyd_fail	  keyd_link_call(struct keyd_link *, uint16_t type,
		    const void *p, size_t len, unsigned timeout_ms,
		    unsigned weight, keyd_cb, void *arg);
/* Sends what has no answer.  False when it could not. */
bool		  keyd_link_tell(struct keyd_link *, uint16_t type,
		    const void *p, size_t len);

#endif
