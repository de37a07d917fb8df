/* GET /healthz, /readyz and /metrics. */
#ifndef IGRA_HEALTH_H
#define IGRA_HEALTH_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "http.h"
#include "messages.h"

#define HEALTH_CACHE_NS		100000000	/* keyd's status is this old at most */
#define HEALTH_TIMEOUT_MS	1000

struct signd;
struct health_waiter;

struct health {
	STAILQ_HEAD(, health_waiter) waiters;	/* for the status asked for */
	bool			 have;
	uint64_t		 at;		/* when it came, ns */
	struct msg_keyd_status	 status;	/* its texts are gone ... */
	/* ... but these. */
	char			 audit_reason[PROTO_MAX_HEALTH + 1];
	char			 journal_reason[PROTO_MAX_HEALTH + 1];
	char			 sandbox[PROTO_MAX_SANDBOX + 1];
	char			 audit_sandbox[PROTO_MAX_SANDBOX + 1];
};

void	health_init(struct health *);
void	health_alive(struct signd *, struct http_req *);
void	health_ready(struct signd *, struct http_req *);
void	health_metrics(struct signd *, struct http_req *);

#endif
