/* pskt.check: the decision and every check's result, by what signing does. */
#include <string.h>
#include <time.h>

#include "keyd.h"

void
keyd_policy_request(const struct keyd *k, const struct msg_sign_req *m,
    const struct own *own, const struct own_key *key, struct own_cache *paths,
    struct policy_request *q)
{
	struct timespec	 now;

	memset(q, 0, sizeof(*q));
	q->conf = k->d.conf;
	q->own = own;
	q->journal = k->journal;
	q->key = *key;
	q->cache = paths;
	q->has_reason = m->reason.len != 0;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec > 0)
		q->now_ms = (uint64_t)now.tv_sec * 1000 +
		    (uint64_t)now.tv_nsec / 1000000;
}
