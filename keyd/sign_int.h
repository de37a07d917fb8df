/* A request that is decided, signed and recorded: sign.c and sign_commit.c. */
#ifndef IGRA_SIGN_INT_H
#define IGRA_SIGN_INT_H

#include "keyd.h"

enum job_state { JOB_DECIDE, JOB_SIGN, JOB_RECORD };

struct job {
	TAILQ_ENTRY(job)	 entry;
	struct keyd		*k;
	struct client		*client;	/* NULL: gone */
	bool			 check;		/* decide, and sign nothing */
	uint64_t		 id;		/* of the frame */
	uint64_t		 started;	/* monotonic */
	enum job_state		 state;
	struct pool		 pool;
	uint8_t			*payload;
	size_t			 bytes;		/* counted in keyd's jobbytes */
	struct msg_sign_req	 req;
	char			 profile[PROTO_MAX_PROFILE + 1];
	uint8_t			 pub[33];	/* of the profile's key */
	char			 key_ref[NAME_BUF];
	struct decision		*decision;	/* per transaction */
	struct journal_entry	*reserved;	/* likewise */
	struct own		*own;		/* that it was decided by */
	struct own_cache	 paths;		/* what claims come to, by own */
	struct key_accesses	 accesses;
	struct msg_sign		 reply;
	uint8_t			(*first)[32];	/* first sighash of each */
	struct sighash_cache	 cache;		/* of transaction tx */
	uint32_t		 tx;
	size_t			 input;
	/* Where what was reserved is, and the records. */
	bool			 journaling;	/* not durable yet */
	bool			 written;	/* it may be recorded */
	bool			 recording;	/* auditd has not answered */
	bool			 recorded;
	char			 why[256];	/* one of them failed; "": none */
	int64_t			 signed_ns;	/* boot clock */
	struct msg_audit_ack	 ack;
};

/* sign.c: the job is over, answered; or refused, and over. */
void	job_done(struct job *);
void	job_refuse(struct job *, enum proto_code, uint32_t pskt,
	    const char *message);
/*
 * sign_commit.c.  Beside the signing, what was reserved goes to the journal;
 * false: it failed at once, and the job is over.
 */
bool	job_journal(struct job *);
/*
 * Goes on with a job in JOB_RECORD: when the journal has it, what it has come
 * to goes to the log; when both are durable it is answered, and over.
 */
void	job_record(struct job *);

#endif
