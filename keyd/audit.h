/*
 * keyd's line to igra-auditd.  Nothing that a record describes leaves keyd
 * before auditd has acknowledged the record as durable; what is not
 * acknowledged in time is refused, and its record counts as written: it is
 * sent again after a reconnect until auditd has it or says that it has it
 * already (DESIGN 2).
 */
#ifndef IGRA_KEYD_AUDIT_H
#define IGRA_KEYD_AUDIT_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "daemon.h"
#include "frame.h"
#include "journal.h"
#include "limiter.h"

#define AUDIT_TIMEOUT_MS	1500	/* the client has it within 2 s */
#define AUDIT_MAX_WAITING	4096	/* messages without an acknowledgement */
#define AUDIT_MAX_BYTES		(32 * 1024 * 1024)
/* Told records that auditd has refused, kept until it takes them. */
#define AUDIT_MAX_LATER		1024		/* messages */
#define AUDIT_MAX_LATER_BYTES	(1024 * 1024)

/* ok: durable, with auditd's position; else the reason in why. */
typedef void (*audit_cb)(bool ok, const struct msg_audit_ack *,
    const char *why, void *);

struct audit_wait {
	TAILQ_ENTRY(audit_wait)	 entry;
	uint64_t		 id;
	uint64_t		 last_kseq;	/* of the records within */
	uint32_t		 n;		/* records within */
	bool			 numbered;	/* kseq is final */
	uint64_t		 told_ns;	/* monotonic; 0: somebody waits */
	bool			 again;		/* was refused before */
	uint8_t			*p;		/* MSG_AUDIT_APPEND */
	size_t			 len;
	uint64_t		 sent_ns;	/* monotonic */
	int64_t			 deadline_ns;	/* bootclock; 0: nobody waits */
	audit_cb		 cb;		/* NULL once answered */
	void			*arg;
};
TAILQ_HEAD(audit_waits, audit_wait);

struct audit_link {
	struct daemon		*d;
	struct journal		*journal;	/* told, and compared */
	struct event_base	*base;
	struct frame_conn	*conn;
	bool			 ready;		/* HELLO was answered */
	struct event		*retry;
	struct event		*timeout;	/* of the oldest waiter */
	struct audit_waits	 later;		/* refused, in order of told_ns */
	unsigned		 nlater;
	size_t			 later_bytes;
	bool			 probing;	/* the first of them was sent */
	uint64_t		 lost;		/* told records that found no room */
	struct audit_waits	 waits;		/* in the order of kseq */
	unsigned		 nwaits;
	size_t			 bytes;
	bool			 numbered;	/* kseq is known */
	uint64_t		 kseq;		/* last given */
	uint64_t		 next_id;
	uint64_t		 acked_kseq, acked_seq;
	uint8_t			 head[32];
	uint32_t		 pid;
	uint64_t		 commits, wait_us;
	/* What auditd says of the log: MSG_AUDIT_HEALTH. */
	bool			 healthy;
	uint64_t		 alerts;
	char			 reason[PROTO_MAX_HEALTH + 1];
	char			 sandbox[PROTO_MAX_SANDBOX + 1];
	bool			 complained;	/* said that auditd is away */
	struct limiter		*limiter;
	struct event		*summary;	/* of what it suppressed */
};

/* 0, or -1 without memory.  Connecting starts with the event loop. */
int	audit_init(struct audit_link *, struct daemon *, struct event_base *);
/* Connected, and no acknowledgement is overdue. */
bool	audit_ready(const struct audit_link *);

/*
 * Sends the records in one message; cb is called exactly once, from the
 * event loop or from here when it fails at once, and at the latest
 * AUDIT_TIMEOUT_MS after since (boot clock).  kseq is given here.
 */
void	audit_submit(struct audit_link *, struct audit_record *, uint32_t n,
	    int64_t since, audit_cb, void *);
/*
 * A record that nothing waits for: lock, eviction, refusals.  Kept while
 * auditd is away or cannot write, as far as there is room: then it says how
 * long ago it was (delayed_ms), and what found no room is counted in a
 * SecurityAlert.
 */
void	audit_tell(struct audit_link *, struct audit_record *);
/* n of them, in one message. */
void	audit_tell_all(struct audit_link *, struct audit_record *,
	    uint32_t n);
/*
 * The same for refusals, rejected peers and failed accesses: at most 20 a
 * minute per event type and uid, then one that counts the suppressed.  False
 * when this one is only counted.
 */
bool	audit_tell_capped(struct audit_link *, struct audit_record *,
	    uid_t uid);

/* Counts for the summary what igra-signd has held back itself. */
void	audit_suppressed(struct audit_link *, enum audit_event, uid_t,
	    uint64_t n);
/* Tells what has been counted; all: of windows that are still open, too. */
void	audit_summary(struct audit_link *, bool all);

/*
 * For a clean stop: runs the event loop until all is acknowledged or ms are
 * over.  0 when nothing is outstanding.
 */
int	audit_drain(struct audit_link *, int ms);
void	audit_free(struct audit_link *);

#endif
