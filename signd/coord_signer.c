/* Asking the signers: all at once, each who it is and then to sign. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "coord.h"
#include "json.h"

#define BUSY_MS		100	/* until a full queue is tried again */

static uint64_t	 now_ms(void);
static char	*take_text(struct json_out *, size_t *);
static void	 begin_request(struct json_out *, unsigned, const char *);
static int	 ask(struct coord_signer *);
static void	 on_answer(const struct coord_answer *, void *);
static void	 finished(struct coord_signer *);
static void	 out_of_time(struct coord *);
static int	 wait_ms(const struct coord *, uint64_t);
static int	 retry_due(struct coord *, uint64_t);

static uint64_t
now_ms(void)
{
	struct timespec	 ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static char *
take_text(struct json_out *o, size_t *len)
{
	const char	*text;
	char		*copy = NULL;

	if ((text = json_out_text(o, len)) != NULL &&
	    (copy = malloc(*len + 1)) != NULL)
		memcpy(copy, text, *len + 1);
	json_out_free(o);
	return copy;
}

static void
begin_request(struct json_out *o, unsigned id, const char *method)
{
	json_out_begin_object(o);
	json_put_string(o, "jsonrpc", "2.0");
	json_put_u64(o, "id", id);
	json_put_string(o, "method", method);
}

int
coord_requests(struct coord *c, const char *reason)
{
	struct json_out	 o;

	if (json_out_init(&o, 0) == -1)
		return -1;
	begin_request(&o, COORD_ID_INFO, "signer.info");
	json_out_end_object(&o);
	if ((c->info = take_text(&o, &c->infolen)) == NULL ||
	    json_out_init(&o, 0) == -1)
		return -1;
	begin_request(&o, COORD_ID_SIGN, "pskt.sign");
	json_out_key(&o, "params");
	json_out_begin_object(&o);
	json_put_string(&o, "request_id", c->request_id);
	if (reason != NULL) {
		json_put_string(&o, "reason", reason);
	}
	json_out_key(&o, "pskt");
	json_out_raw(&o, c->doc.text, c->doc.len);
	json_out_end_object(&o);
	json_out_end_object(&o);
	return (c->sign = take_text(&o, &c->signlen)) == NULL ? -1 : 0;
}

static int
ask(struct coord_signer *s)
{
	const struct witness_head	*known;
	struct coord			*c = s->coord;

	s->retry_at = 0;
	if (!s->signing)
		return coord_http_post(c->http, s->path, c->info, c->infolen,
		    COORD_MAX_INFO, on_answer, s);
	/* Other coordinators may add to the witness while we wait. */
	known = c->have_witness ? witness_find(&c->witness, s->key) : NULL;
	if ((s->have_known = known != NULL))
		s->known = *known;
	return coord_http_post(c->http, s->path, c->sign, c->signlen,
	    COORD_MAX_SIGN, on_answer, s);
}

static void
on_answer(const struct coord_answer *a, void *arg)
{
	struct coord_signer	*s = arg;
	unsigned		 again = 0;

	if (a->busy) {
		coord_result(s, COORD_PENDING, "%s", a->failure);
		s->retry_at = now_ms() + BUSY_MS;
		return;
	}
	coord_answer(s, a, &again);
	if (again != 0) {
		s->retry_at = now_ms() + again * 1000ULL;
		return;
	}
	if (s->result == COORD_PENDING) {
		s->signing = true;
		if (ask(s) == 0)
			return;
		coord_result(s, COORD_FAILED, "out of memory");
	}
	finished(s);
}

static void
finished(struct coord_signer *s)
{
	s->coord->pending--;
	coord_tell(s);
}

static int
wait_ms(const struct coord *c, uint64_t now)
{
	uint64_t	 until = c->deadline;
	size_t		 i;

	for (i = 0; i < c->n; i++)
		if (c->signer[i].retry_at != 0 &&
		    c->signer[i].retry_at < until)
			until = c->signer[i].retry_at;
	if (until <= now)
		return 0;
	return until - now > 1000 ? 1000 : (int)(until - now);
}

static int
retry_due(struct coord *c, uint64_t now)
{
	struct coord_signer	*s;
	size_t			 i;

	for (i = 0; i < c->n; i++) {
		s = &c->signer[i];
		if (s->retry_at != 0 && s->retry_at <= now && ask(s) == -1)
			return -1;
	}
	return 0;
}

static void
out_of_time(struct coord *c)
{
	struct coord_signer	*s;
	const char		*step;
	size_t			 i;

	for (i = 0; i < c->n; i++) {
		s = &c->signer[i];
		if (s->result != COORD_PENDING)
			continue;
		step = s->signing ? "pskt.sign" : "signer.info";
		if (coord_doc_complete(&c->doc))
			coord_result(s, COORD_PENDING, "not needed: no answer "
			    "to %s waited for", step);
		else if (s->what[0] != '\0')
			coord_result(s, COORD_FAILED, "%u seconds are over; "
			    "until then: %s", c->timeout, s->what);
		else
			coord_result(s, COORD_FAILED, "no answer to %s "
			    "within %u seconds", step, c->timeout);
		coord_tell(s);
	}
}

int
coord_ask_all(struct coord *c)
{
	uint64_t	 now = now_ms();
	size_t		 i;
	int		 rc = 0;

	c->deadline = now + c->timeout * 1000ULL;
	c->pending = c->n;
	for (i = 0; i < c->n && !coord_doc_complete(&c->doc); i++)
		if (ask(&c->signer[i]) == -1)
			return -1;
	while (c->pending != 0 && !coord_doc_complete(&c->doc) &&
	    (now = now_ms()) < c->deadline) {
		if ((rc = retry_due(c, now)) == -1 ||
		    (rc = coord_http_turn(c->http, wait_ms(c, now))) == -1)
			break;
	}
	out_of_time(c);
	return rc;
}
