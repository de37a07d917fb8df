/* igra-keyd's one state, and what its files call of each other. */
#ifndef IGRA_KEYD_H
#define IGRA_KEYD_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "audit.h"
#include "bucket.h"
#include "daemon.h"
#include "frame.h"
#include "journal.h"
#include "keyring.h"
#include "limiter.h"
#include "policy.h"

#define KEYD_MAX_SIGND		4	/* one, and what has not gone yet */
#define KEYD_MAX_ADMIN		16
/* Of the latter, who is not root: so that root is always heard. */
#define KEYD_MAX_OTHERS		8	/* all together */
#define KEYD_MAX_OTHER		4	/* one user */
/* Then igra-signd is read no further. */
#define KEYD_MAX_JOBS		256
#define KEYD_MAX_JOB_BYTES	(64 * 1024 * 1024)

struct keyd;

struct client {
	TAILQ_ENTRY(client)	 entry;
	struct keyd		*k;
	struct frame_conn	*conn;
	uint64_t		 serial;	/* never given twice */
	enum proto_link		 link;
	struct peer		 peer;
	uint8_t			*file;		/* UNLOCK_FILE, until UNLOCK */
	size_t			 filelen;
};
TAILQ_HEAD(clients, client);

struct job;
TAILQ_HEAD(jobs, job);

struct keyd {
	struct daemon		 d;
	struct event_base	*base;
	struct keyring		 ring;
	struct own		*own;
	struct audit_link	 audit;
	struct journal		*journal;
	struct clients		 clients;
	unsigned		 nclients[LINK_MAX];
	/* What signd may ask, whatever it lets its own clients ask. */
	struct bucket_rate	 rate;
	struct bucket		 bucket;
	/* How often the log is told of clients that went in disorder. */
	struct limiter		 talk;
	uint64_t		 nserial;	/* of the last client */
	struct jobs		 jobs;		/* signing, and waiting for auditd */
	unsigned		 njobs;
	size_t			 jobbytes;	/* messages and what they become */
	struct event		*work;		/* a job has inputs to sign */
	bool			 paused;	/* signd is not read */
	int			 state_fd;	/* one byte: the lock marker */
	bool			 marker;
	int64_t			 started;	/* bootclock */
	int64_t			 backoff_until;	/* of failed unlocks */
	unsigned		 failures;
	bool			 has_pub;	/* an unlock has succeeded */
	uint8_t			 pub[33];
	char			 key_ref[NAME_BUF];
	uint64_t		 signatures, requests, refusals;
	bool			 failed;	/* exit 1, for a new start */
};

/* --- client.c --- */

void		 client_limits(struct keyd *);
/* The config says otherwise now. */
void		 client_limits_change(struct keyd *);
/* NULL when it is gone. */
struct client	*client_find(struct keyd *, uint64_t serial);
void		 client_accept(struct keyd *, int lfd, enum proto_link);
void		 client_close(struct client *);
/* The same for one that broke the protocol: logged and recorded. */
void		 client_drop(struct client *, const char *why);

/* --- sign.c --- */

void	sign_request(struct client *, const struct frame *);
void	sign_work(int, short, void *);
/* Every job that has not been answered is, with LOCKED. */
void	sign_cancel_all(struct keyd *);
void	sign_client_gone(struct client *);

/* --- check.c --- */

/*
 * By what a request is decided, whether to be signed or only to be told.  The
 * cache has been through own_prepare().
 */
void	keyd_policy_request(const struct keyd *, const struct msg_sign_req *,
	    const struct own *, const struct own_key *, struct own_cache *,
	    struct policy_request *);

/* What pskt.check is told, encoded as MSG_CHECK. */
void	check_answer(struct enc *, struct pool *, const struct decision *,
	    uint32_t n);

/* --- policy_show.c --- */

void	request_policy(struct client *, const struct frame *);

/* --- requests.c --- */

void	request_info(struct client *, const struct frame *);
void	request_key_list(struct client *, const struct frame *);
void	request_key_public(struct client *, const struct frame *);
void	request_note(struct client *, const struct frame *);
void	request_status(struct client *, const struct frame *);

/*
 * Refuses a request of signd's: answers (unless the client is NULL: gone),
 * counts, and records it (capped).
 * check, limit and value only for POLICY_DENIED.
 */
struct refusal {
	enum proto_code	 code;
	uint32_t	 pskt;
	const char	*message;
	const char	*check, *limit, *value;
	const char	*method;
	struct bytes	 request_id;
	uint32_t	 peer_uid, peer_pid;
	const struct audit_record *extra;	/* what a PolicyDenied adds */
};
void	refuse_request(struct keyd *, struct client *, uint64_t id,
	    const struct refusal *);
/* SecretAccess records of what was used, into r; returns how many. */
uint32_t access_records(const struct key_accesses *, struct bytes request_id,
	    uint32_t uid, uint32_t pid, const char *operation, bool ok,
	    struct audit_record *r);

/* --- admin.c --- */

int	admin_open_state(struct keyd *);
/* The journal's file, beside it; fatal. */
void	admin_open_journal(struct keyd *);
void	admin_unlock_file(struct client *, const struct frame *);
void	admin_unlock(struct client *, const struct frame *);
void	admin_lock(struct client *, const struct frame *);
/* Locks without an operator (unlock_ttl); no marker. */
void	admin_relock(void *);
void	admin_age_check(int, short, void *);
void	admin_evicted(const char *const ref[], unsigned n, const char *reason,
	    void *);

/* --- admin_policy.c --- */

void	admin_policy_accept(struct client *, const struct frame *);
void	admin_policy_release(struct client *, const struct frame *);

/* --- reload.c --- */

void	admin_reload(struct client *, const struct frame *);
/* A config is in force: into the log.  peer: who asked for it, or NULL. */
void	keyd_config_loaded(struct keyd *, const struct peer *);

#endif
