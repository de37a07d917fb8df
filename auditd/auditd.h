/* igra-auditd's one state, and what its files do for each other. */
#ifndef IGRA_AUDITD_H
#define IGRA_AUDITD_H

#include <sys/types.h>
#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

#include "common/daemon.h"
#include "common/limiter.h"

#include "auditd/logfile.h"
#include "auditd/writer.h"

struct client;
struct listener;
struct own;
struct pending;
TAILQ_HEAD(client_list, client);
TAILQ_HEAD(pending_list, pending);
TAILQ_HEAD(own_list, own);

struct auditd {
	struct daemon		 d;
	struct event_base	*base;
	struct logfile		 log;
	struct writer		*writer;
	uint64_t		 started;	/* CLOCK_MONOTONIC, ns */

	struct event		*commit_ev;	/* runs after the reads of a turn */
	struct event		*recover_ev;	/* pending while not writable */
	bool			 faulted;

	struct limiter		 limiter;
	struct event		*limiter_ev;	/* pending while it counts */

	struct listener		*listeners;
	struct event		*accept_ev;	/* pending while out of descriptors */
	struct client_list	 clients;
	struct pending_list	 pending;	/* messages that wait for the sync */

	struct own_list		 own;		/* own records not yet durable */
	unsigned		 nown;
	uint64_t		 own_lost;
};

uint64_t	 monotonic_ns(void);

/* auditd.c */

/* A commit follows when everything readable has been read. */
void		 auditd_schedule(struct auditd *);
/* Commits now; watches over the fault and the way out of it. */
int		 auditd_commit(struct auditd *);

/* own.c: records that igra-auditd writes about itself */

/*
 * Queues a record, source auditd.  It is kept until it is durable, through a
 * time in which the log is not writable as well (up to a limit).
 */
void		 own_record(struct auditd *, const struct audit_record *);
/* Queues again what a failed commit has given back. */
void		 own_flush(struct auditd *);
void		 own_started(struct auditd *);
void		 own_stopped(struct auditd *, const char *reason);
/* What opening the log found, as SecurityAlert. */
void		 own_findings(struct auditd *);
void		 own_fault(struct auditd *, const char *fault);
/*
 * A rejected peer or request, within the limiter: true when it is to be
 * logged to stderr as well.
 */
bool		 own_rejected(struct auditd *, enum audit_event,
		    const struct peer *, const char *where, const char *code,
		    const char *error);
/* Records what the limiter has counted; all: open windows, too. */
void		 own_suppressed(struct auditd *, bool all);

/* client.c */

/* Starts to serve the two listening sockets. */
void		 clients_init(struct auditd *, int auditd_fd, int admin_fd);
void		 clients_free(struct auditd *);

#endif
