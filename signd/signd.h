/* The one state of igra-signd. */
#ifndef IGRA_SIGND_H
#define IGRA_SIGND_H

#include <sys/queue.h>

#include <event2/event.h>

#include "daemon.h"
#include "health.h"
#include "http.h"
#include "keyd_link.h"
#include "limits.h"
#include "metrics.h"
#include "notes.h"

/* What of the config signd keeps in another form. */
struct signd_conf {
	uid_t			*allow;		/* allow_users as uids */
	size_t			 nallow;
	uint8_t			*redeem;	/* own redeem script, or NULL */
	size_t			 redeem_len;
};

struct life;

struct signd {
	struct daemon		 d;
	struct event_base	*base;
	struct http		*http;
	struct keyd_link	*link;
	struct limits		 limits;
	struct metrics		 metrics;
	struct notes		 notes;
	struct health		 health;
	struct signd_conf	 c;
	bool			 have_key;	/* keyd has said it */
	uint8_t			 public_key[33]; /* of the active profile */
	bool			 have_fingerprint;
	uint8_t			 fingerprint[4]; /* of its master key */
	TAILQ_HEAD(, life)	 life;		/* documents being checked */
	size_t			 life_bytes;
	struct event		*life_work;
	unsigned		 batches;	/* HTTP requests being answered */
	bool			 started_told;	/* keyd, for the log */
	bool			 stopping;
	uint64_t		 stop_at;	/* ns */
	struct event		*stop;
};

/*
 * Users are looked up, so only at the start, unless numbers: of a reload.  0,
 * or -1 with the reason in err; then there is nothing to free.
 */
int	signd_conf_init(struct signd_conf *, const struct conf *, bool numbers,
	    char *err, size_t errlen);
void	signd_conf_free(struct signd_conf *);

/* Asks keyd for the active profile's key; nobody waits for the answer. */
void	signd_ask_key(struct signd *);

/*
 * The checking of signatures for inspect, finalize and extract, a piece per
 * turn of the loop.  0, or -1 without memory.  life_free refuses what is left.
 */
int	life_init(struct signd *);
void	life_free(struct signd *);

#endif
