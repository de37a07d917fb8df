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

void
check_answer(struct enc *e, struct pool *pool, const struct decision *d,
    uint32_t n)
{
	struct msg_check	 m = { n, NULL };
	struct check_tx		*t;
	size_t			 i;

	if ((m.tx = pool_alloc(pool, n, sizeof(*m.tx))) == NULL) {
		e->failed = true;
		return;
	}
	for (t = m.tx; t < m.tx + n; t++, d++) {
		t->code = d->code;
		t->message = bytes_str(d->message);
		memcpy(t->tx_id, d->tx_id, sizeof(t->tx_id));
		t->inputs = (uint32_t)d->nsign;
		t->known = d->known;
		t->outflow = d->outflow;
		t->fee_known = d->fee_known;
		t->fee = d->fee;
		t->nresult = (uint32_t)d->nrow;
		if ((t->result = pool_alloc(pool, d->nrow,
		    sizeof(*t->result))) == NULL) {
			e->failed = true;
			return;
		}
		for (i = 0; i < d->nrow; i++) {
			t->result[i].check = bytes_str(d->row[i].check);
			t->result[i].outcome = d->row[i].outcome;
			t->result[i].limit = bytes_str(d->row[i].limit);
			t->result[i].value = bytes_str(d->row[i].value);
		}
	}
	enc_check(e, &m);
}
