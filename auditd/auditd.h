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
#include "proto/messages.h"

#include "auditd/checkpoint.h"
#include "auditd/logfile.h"
#include "auditd/reserve.h"
#include "auditd/watch.h"
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
	char			 fault[192];	/* why, when faulted */

	struct checkpoint	 cp;
	struct event		*seal_ev;	/* pending while records are bare */
	bool			 seal_failed;	/* said so */
	bool			 off_anchor;	/* another origin than [audit] anchor */

	struct reserve		 reserve;
	bool			 nospace;	/* the reserve is being used */

	struct watch		*watch;
	struct event		*check_ev;	/* permission_check_interval */
	unsigned		 tampered;	/* TAMPER_* */
	bool			 stopped;	/* until igractl audit reopen */
	char			 tamper_text[256];	/* the worst of it */
	struct limiter		 tamper_limiter;	/* by TAMPER_* */
	unsigned		 hushed;	/* TAMPER_* that are only counted */
	char			 copied[CLOSED_MAX];	/* what was copied out */

	uint64_t		 rotate_after;	/* not before, ns: it failed */
	uint64_t		 alerts;	/* SecurityAlerts of our own */
	uint64_t		 told_alerts;	/* to keyd */
	char			 told_reason[PROTO_MAX_HEALTH + 1];

	struct limiter		 limiter;
	struct event		*limiter_ev;	/* pending while it counts */

	struct listener		*listeners;
	struct event		*accept_ev;	/* pending while out of descriptors */
	struct client_list	 clients;
	struct pending_list	 pending;	/* messages that wait for the sync */
	struct pending_list	 again;		/* to be written to the reserve */

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
/* Nothing is written until it can be again.  Returns -1. */
int		 auditd_fault(struct auditd *, const char *why);
/* Records can be queued: no fault, no tampering, no line that comes first. */
bool		 auditd_writable(const struct auditd *);
/* For keyd and the operator: "" when all is well. */
const char	*auditd_reason(const struct auditd *);

/* seal.c: when checkpoints are made */

/* Opens the state; fatal on error. */
void		 seal_open(struct auditd *);
/* Which key goes on; appends a line that is missing.  Alerts. */
void		 seal_recover(struct auditd *);
/* After a commit: is one due now, or when? */
void		 seal_schedule(struct auditd *);
/*
 * Commits what is queued and covers all with a checkpoint, unless the last
 * line is one.  0 or -1.
 */
int		 seal_now(struct auditd *);
/* A line is signed that must be the log's next. */
bool		 seal_outstanding(const struct auditd *);
/* Does the series begin with the key of [audit] anchor?  Alerts if not. */
void		 seal_check_anchor(struct auditd *);
int		 seal_finish(struct auditd *);

/* rotate.c */

/* A file that has grown to rotate_size is closed. */
void		 rotate_if_large(struct auditd *);
/* operator: uid, or -1 for none.  CODE_NONE, or the reason in err. */
enum proto_code	 rotate_now(struct auditd *, const char *reason,
		    int64_t operator, char *err, size_t);
/* After tampering: takes records again.  Same results. */
enum proto_code	 rotate_reopen(struct auditd *, uid_t operator, char *err,
		    size_t);

/* tamper.c: what others have done to the file */

#define TAMPER_MODE	0x01
#define TAMPER_OWNER	0x02
#define TAMPER_LINKS	0x04
#define TAMPER_DIR	0x08
#define TAMPER_SHORT	0x10
#define TAMPER_LONG	0x20
#define TAMPER_DELETED	0x40
#define TAMPER_REPLACED	0x80
/* After these nothing is written until an operator has looked. */
#define TAMPER_STOPS	(TAMPER_SHORT | TAMPER_LONG | TAMPER_DELETED | \
			TAMPER_REPLACED)

void		 tamper_init(struct auditd *);
/* Looks; again: alerts also about what is known. */
void		 tamper_look(struct auditd *, bool again);
/* What is wrong right now, TAMPER_*. */
unsigned	 tamper_now(struct auditd *);
/* How much of what was written the open file still has, in bytes. */
off_t		 tamper_left(struct auditd *);
const char	*tamper_name(unsigned bit);

/* own.c: records that igra-auditd writes about itself */

/*
 * Queues a record, source auditd.  It is kept until it is durable, through a
 * time in which the log is not writable as well (up to a limit).
 */
void		 own_record(struct auditd *, const struct audit_record *);
/* Queues again what a failed commit has given back. */
void		 own_flush(struct auditd *);
void		 own_started(struct auditd *);
/* A config is in force; peer: who asked for it, or NULL at the start. */
void		 own_config(struct auditd *, const struct peer *);
void		 own_stopped(struct auditd *, const char *reason);
/* What opening the log found, as SecurityAlert. */
void		 own_findings(struct auditd *);
/*
 * Of the first line of a file that others come before: what those have of
 * igra-keyd, which is told that after a restart.
 */
void		 own_first_line(struct audit_record *, const struct chain *);
/*
 * A SecurityAlert, to stderr and to the log; operator: uid, or -1.  first:
 * before all that waits.
 */
void		 own_alert(struct auditd *, const struct finding *,
		    int64_t operator, bool first);
void		 own_fault(struct auditd *, const char *fault);
/*
 * A rejected peer or request, within the limiter: true when it is to be
 * logged to stderr as well.
 */
bool		 own_rejected(struct auditd *, enum audit_event,
		    const struct peer *, const char *where, const char *code,
		    const char *error);
/*
 * Counts an alert of tampering with others of its kind; false when it is to be
 * recorded and said.
 */
bool		 own_hush(struct auditd *, unsigned bit);
/* Records what the limiters have counted; all: open windows, too. */
void		 own_suppressed(struct auditd *, bool all);

/* append.c: queues again, for the reserve, what a full disk has refused. */
void		 append_again(struct auditd *);

/* client.c */

/* Starts to serve the two listening sockets. */
void		 clients_init(struct auditd *, int auditd_fd, int admin_fd);
void		 clients_free(struct auditd *);
/* Tells keyd how the log is, if that has changed. */
void		 clients_health(struct auditd *);

#endif
