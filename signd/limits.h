/*
 * What one uid may take of signd: requests a second (a token bucket),
 * connections, and memory for bodies.  The counting of connections and bytes
 * is http.c's; this keeps one record per uid and the bucket.
 */
#ifndef IGRA_LIMITS_H
#define IGRA_LIMITS_H

#include <sys/queue.h>
#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bucket.h"

#define LIMITS_MAX_IDLE	256	/* uids remembered without a connection */

struct limit_uid {
	LIST_ENTRY(limit_uid)	 entry;
	uid_t			 uid;
	bool			 allowed;	/* in allow_users */
	bool			 operator;	/* may reload, allowed or not */
	unsigned		 refs;		/* connections that hold it */
	size_t			 bytes;		/* of requests not yet answered */
	size_t			 held;		/* by rpc.c, to answer them */
	struct bucket		 bucket;
};

struct limits {
	LIST_HEAD(, limit_uid)	 uids;
	size_t			 n;		/* in uids */
	struct bucket_rate	 rate;
	const uid_t		*allow;		/* caller's */
	size_t			 nallow;
	uid_t			 operator;	/* besides root; root: nobody else */
};

/* The one clock of signd: monotonic, ns. */
uint64_t		 now_ns(void);

/*
 * rps and burst as in the config; rps 0 means no limit, burst is at least 1.
 * allow must outlive the limits.
 */
void			 limits_init(struct limits *, uint64_t rps,
			    uint64_t burst, const uid_t *allow, size_t nallow);
void			 limits_free(struct limits *);
/* Other limits, and other users: also for those that are connected. */
void			 limits_change(struct limits *, uint64_t rps,
			    uint64_t burst, const uid_t *allow, size_t nallow);
/* The uid's record, held until limits_put; NULL without memory. */
struct limit_uid	*limits_get(struct limits *, uid_t, uint64_t now);
void			 limits_put(struct limits *, struct limit_uid *,
			    uint64_t now);
/*
 * Takes one request's token.  now: a monotonic clock, ns.  False when there is
 * none: then *retry is the seconds until there is, at least 1.
 */
bool			 limits_take(struct limits *, struct limit_uid *,
			    uint64_t now, unsigned *retry);

#endif
