/* A request that is decided, signed and recorded: sign.c and sign_commit.c. */
#ifndef IGRA_SIGN_INT_H
#define IGRA_SIGN_INT_H

#include "keyd.h"

enum job_state { JOB_DECIDE, JOB_SIGN, JOB_AUDIT };

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
	unsigned		 waiting;	/* for journal and auditd */
	char			 why[256];	/* one of them failed; "": none */
	struct msg_audit_ack	 ack;
};

/* sign.c: the job is over, answered; or refused, and over. */
void	job_done(struct job *);
void	job_refuse(struct job *, enum proto_code, uint32_t pskt,
	    const char *message);
/*
 * sign_commit.c: makes durable what a job in JOB_AUDIT has come to, answers,
 * and ends it.
 */
void	job_record(struct job *);

#endif
