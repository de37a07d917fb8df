/*
 * What igra-keyd remembers of what it has signed (DESIGN 12): the amounts
 * that left, for the rolling limits, and which outpoint was claimed with
 * which amount and script, for which transaction.  A reservation counts at
 * once, is never given back, and is durable before a signature leaves.
 *
 * Amounts in sompi.  "Policy time" is the time that rolling windows run on:
 * exact within one boot, standing still while the clock is in doubt.
 */
#ifndef IGRA_JOURNAL_H
#define IGRA_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <event2/event.h>

#include "tx.h"

#define JOURNAL_ID_LEN	32
#define JOURNAL_WHY	256	/* buffers for a reason are this large */
#define JOURNAL_NEVER	UINT64_MAX	/* seconds, while nothing frees */

struct journal;

/* An input that is signed, as its UTXO is claimed to be. */
struct journal_claim_in {
	struct outpoint	 outpoint;
	uint64_t	 amount;
	uint8_t		 script_hash[32];	/* journal_script_hash() */
};

/* One transaction of a request. */
struct journal_entry {
	uint8_t		 sid[JOURNAL_ID_LEN];	/* journal_signing_id() */
	uint64_t	 outflow;
	uint64_t	 reservation;		/* its number; by journal_commit() */
	size_t		 n;
	struct journal_claim_in *claim;		/* of every input signed */
};

/* BLAKE2b-256 (script version as u16 LE ‖ script). */
void	journal_script_hash(const struct spk *, uint8_t out[32]);
/*
 * What is signed: BLAKE2b-256 over the transaction's id, which commits to all
 * but the UTXOs, and per input, in order, whether it has a UTXO, its amount,
 * script (version, length, bytes), sighash type and sig op count.
 */
void	journal_signing_id(const struct tx *, const uint8_t txid[TX_ID_LEN],
	    uint8_t out[JOURNAL_ID_LEN]);

/* --- reading; nothing here changes anything --- */

/* Signed before: signed again, counted once. */
bool	journal_known(const struct journal *, const uint8_t sid[JOURNAL_ID_LEN]);

enum journal_verdict {
	CLAIM_NEW,		/* nobody has claimed this outpoint */
	CLAIM_SAME,		/* for this signing id, or one that is known */
	CLAIM_OTHER_ID,		/* for another transaction: CONFLICT */
	CLAIM_OTHER_AMOUNT,	/* lies about the amount, now or earlier */
	CLAIM_OTHER_SCRIPT
};
/* The claim that is there; for CLAIM_NEW all zeros. */
struct journal_found {
	uint64_t	 amount;
	uint8_t		 script_hash[32];
	uint8_t		 sid[JOURNAL_ID_LEN];	/* the last for it */
};
/*
 * Compares with what was reserved earlier; the transactions of one bundle the
 * caller compares with each other.  found may be NULL.
 */
enum journal_verdict journal_claim(const struct journal *,
	    const struct journal_claim_in *, const uint8_t sid[JOURNAL_ID_LEN],
	    struct journal_found *);
/* What is claimed for an outpoint; false when nothing is. */
bool	journal_find(const struct journal *, const struct outpoint *,
	    struct journal_found *);

/* Sums saturate at UINT64_MAX. */
struct journal_usage {
	uint64_t	 hour, day, week;	/* outflow of the last … */
	uint64_t	 count;			/* signing ids of the last hour */
	/*
	 * Seconds, rounded up, until the oldest that is counted in each
	 * leaves; 0 when nothing is, JOURNAL_NEVER while the clock is pending.
	 */
	uint64_t	 hour_frees, day_frees, week_frees, count_frees;
};
void	journal_usage(const struct journal *, struct journal_usage *);

/* New outpoints (and new signing ids) that may be reserved still. */
size_t	journal_room(const struct journal *);

/*
 * False with the reason, for the operator, and what to do: log or journal
 * were rolled back, the journal is damaged or cannot be written.
 */
bool	journal_may_sign(const struct journal *, char *why, size_t);

enum journal_clock { CLOCK_RUNS, CLOCK_REBOOT, CLOCK_STEP };
/*
 * Why policy time stands still, if it does.  gap: seconds that would be
 * counted if the operator accepts the clock now; for a reboot by the wall
 * clock (0 when it shows less than before), for a step since the boot clock.
 */
enum journal_clock journal_clock_pending(const struct journal *, uint64_t *gap);

/* For status and metrics. */
struct journal_state {
	uint64_t	 outpoints, max;
	uint64_t	 entries;	/* signing ids */
	uint64_t	 bytes;		/* of the file */
	uint64_t	 reservation;	/* number of the last */
	uint64_t	 kseq;		/* of keyd's records: what it knows */
	/* Of auditd's last acknowledgement. */
	uint64_t	 acked_kseq, acked_seq;
};
void	journal_state(const struct journal *, struct journal_state *);

/* --- writing --- */

/* ok: durable; else why it is not. */
typedef void (*journal_cb)(bool ok, const char *why, void *);
typedef void (*journal_written_cb)(void *);

/*
 * Writes the reservations of one request and gives each its number, one that
 * was made before the one it has; kseq: the last given to a record.  cb is
 * called exactly once, from the event loop or from here when nothing is left
 * to be done or it fails at once, and at the latest in JOURNAL_TIMEOUT_MS.
 *
 * written: called at most once, and before cb, when the file has it: now the
 * audit log may name it, since a kill, of whatever process, loses it no more.
 * A cb that says ok says so, too.
 */
#define JOURNAL_TIMEOUT_MS	1500
void	journal_commit(struct journal *, struct journal_entry *, size_t n,
	    uint64_t kseq, journal_written_cb written, journal_cb, void *);
/* Nobody waits any more for what was committed with arg. */
void	journal_forget(struct journal *, const void *arg);

/* Where auditd's log ends: its greeting, and its acknowledgements. */
struct journal_log {
	uint64_t	 reservation;		/* greatest of a Signing record */
	uint64_t	 seq;			/* of the last line; 0: none */
	uint8_t		 head[32];
	uint64_t	 last_kseq;		/* of any record of keyd's */
};
/*
 * Compares with the log's greeting.  A reservation that was never acknowledged
 * may be missing in the log, since a crash leaves it so; nothing else may, and
 * of what the log names none may be missing here.
 */
void	journal_compare(struct journal *, const struct journal_log *);
/* PROTO_ROLLBACK_*: which was rolled back, and not accepted. */
unsigned journal_rollback(const struct journal *);
/*
 * auditd has acknowledged keyd's records up to kseq, in a log that ends at
 * record seq.  Rolled back, that may have grown beyond seq again, with records
 * of others, but not beyond kseq.
 */
void	journal_acked(struct journal *, uint64_t kseq, uint64_t seq,
	    const uint8_t head[32]);

/* Looks at the clocks: call it before journal_usage(). */
void	journal_tick(struct journal *);
/*
 * Counts a whole bundle, in memory, at once and for good; signing ids that
 * are known count no more.  0, or -1 with nothing counted: no room, no memory.
 */
int	journal_reserve(struct journal *, const struct journal_entry *, size_t n);

/*
 * An operator's word, durable before cb says so: forget the claim on an
 * outpoint; believe the clock; believe log and journal as they are now.
 */
void	journal_release(struct journal *, const struct outpoint *, journal_cb,
	    void *);
void	journal_accept_clock(struct journal *, journal_cb, void *);
void	journal_accept_rollback(struct journal *, journal_cb, void *);

/* Clocks that tests replace; NULL members: the system's. */
struct journal_clocks {
	int64_t		(*boot)(void *);	/* ns since boot */
	int64_t		(*wall)(void *);	/* ns since 1970 */
	void		*arg;
	uint8_t		 boot_id[16];		/* another after a reboot */
};

/*
 * Which boot this is: the same until the next.  -1 when that cannot be told;
 * then it is made up, and no start is like another.
 */
int	journal_boot_id(uint8_t out[16]);

/* Without a file: for tests, and what a file is loaded into.  NULL: memory. */
struct journal	*journal_new(size_t max_outpoints,
		    const struct journal_clocks *);
void		 journal_free(struct journal *);

/* --- the file, in this order --- */

struct journal_owner {
	uid_t		 uid;
	gid_t		 gid;
	bool		 root;		/* we are, and give it to them */
	bool		 strict;	/* refuse another mode than 0600 */
};
/*
 * Opens the file, or makes it (0600, preallocated); locks it, waiting a little
 * for the writer of a keyd that was killed.  0, or -1 with the reason in err:
 * a link, another's, in use.
 */
int	journal_open(struct journal *, const char *path,
	    const struct journal_owner *, char *err, size_t);
/* What the writer calls; tests make them fail. */
struct journal_io {
	ssize_t		(*pwrite)(int, const void *, size_t, off_t);
	int		(*sync)(int);
};
/*
 * Forks the writer: before there is a secret to inherit.  It keeps the file
 * and one socket, and behind its sandbox can do no more than write the one and
 * answer on the other.  io NULL: the system's.  0, or -1 (errno).
 */
int	journal_fork(struct journal *, const struct journal_io *);
/*
 * Reads the file.  A torn end is cut off; damage is no error here, but nothing
 * is signed then (journal_may_sign).  0, or -1 with the reason in err.
 */
int	journal_load(struct journal *, char *err, size_t);
/*
 * From here on it is written.  died: the writer is gone; what it had is
 * written, and this process should end.  0, or -1 without memory.
 */
int	journal_start(struct journal *, struct event_base *,
	    void (*died)(void *), void *);
/* A clean end: what is known of auditd's acknowledgements is written too. */
void	journal_stop(struct journal *);

/* [policy] max_outpoints, at a reload. */
void		 journal_set_max(struct journal *, size_t);

#endif
