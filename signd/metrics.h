/*
 * Counters of signd and what keyd says of itself, as Prometheus text
 * (text format 0.0.4).  Never amounts, addresses or names of secrets.
 */
#ifndef IGRA_METRICS_H
#define IGRA_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/buffer.h>

#include "messages.h"
#include "rpc_code.h"

#define METRICS_METHODS	16
#define METRICS_BUCKETS	14	/* the last is +Inf */

struct metrics {
	const char	*method[METRICS_METHODS];	/* label; NULL: none */
	uint64_t	 calls[METRICS_METHODS][RPC_CODE_MAX];
	uint64_t	 bucket[METRICS_METHODS][METRICS_BUCKETS];
	uint64_t	 sum_ns[METRICS_METHODS];
	uint64_t	 start;			/* of signd, ns */
	const char	*sandbox;		/* signd's, as in struct daemon */
	/* Connections. */
	uint64_t	 accepted;
	uint64_t	 evicted;		/* idle, to make room */
	uint64_t	 timed_out;		/* mid-request or not reading */
	uint64_t	 http_refused[RPC_CODE_MAX];	/* before any method */
	unsigned	 connections;
	/* The link to keyd. */
	bool		 keyd_connected;
	uint64_t	 keyd_connects;
	uint64_t	 keyd_timeouts;
	unsigned	 keyd_inflight;
	uint64_t	 notes_sent, notes_suppressed;
};

/* start: a monotonic clock, ns. */
void	metrics_init(struct metrics *, uint64_t start);
/* One call that ended with code after ns nanoseconds. */
void	metrics_call(struct metrics *, unsigned method, unsigned code,
	    uint64_t ns);
/*
 * The whole text, appended.  status: keyd's latest, or NULL when keyd does not
 * answer.  0, or -1 without memory.
 */
int	metrics_write(struct evbuffer *, const struct metrics *, uint64_t now,
	    const struct msg_keyd_status *status);

#endif
