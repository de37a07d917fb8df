#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "signd.h"

typedef void	(*health_answer)(struct signd *, struct http_req *);

struct health_waiter {
	STAILQ_ENTRY(health_waiter)	 entry;
	struct http_req			*req;
	health_answer			 answer;
};

static void	with_status(struct signd *, struct http_req *, health_answer);
static int	on_status(const struct frame *, enum keyd_fail, void *);
static void	answer_ready(struct signd *, struct http_req *);
static void	answer_metrics(struct signd *, struct http_req *);
static void	reply_json(struct http_req *, int, struct json_out *);
static void	reason_unless(struct json_out *, bool, const char *);

void
health_init(struct health *h)
{
	memset(h, 0, sizeof(*h));
	STAILQ_INIT(&h->waiters);
}

void
health_alive(struct signd *s, struct http_req *req)
{
	struct json_out	 o;

	(void)s;
	if (json_out_init(&o, 0) == -1) {
		http_reply(req, 503, "application/json", NULL, 0);
		return;
	}
	json_out_begin_object(&o);
	json_put_bool(&o, "alive", true);
	json_out_end_object(&o);
	reply_json(req, 200, &o);
}

void
health_ready(struct signd *s, struct http_req *req)
{
	with_status(s, req, answer_ready);
}

void
health_metrics(struct signd *s, struct http_req *req)
{
	with_status(s, req, answer_metrics);
}

/* Those that ask meanwhile share one question to keyd. */
static void
with_status(struct signd *s, struct http_req *req, health_answer answer)
{
	struct health		*h = &s->health;
	struct health_waiter	*w;
	bool			 asked = !STAILQ_EMPTY(&h->waiters);

	if (!keyd_link_up(s->link))
		h->have = false;
	else if (!h->have || now_ns() - h->at > HEALTH_CACHE_NS) {
		if ((w = calloc(1, sizeof(*w))) == NULL) {
			http_reply(req, 503, "application/json", NULL, 0);
			return;
		}
		w->req = req;
		w->answer = answer;
		if (asked || keyd_link_call(s->link, MSG_KEYD_STATUS_REQ, NULL,
		    0, HEALTH_TIMEOUT_MS, 0, on_status, s) == KEYD_ANSWERED) {
			STAILQ_INSERT_TAIL(&h->waiters, w, entry);
			return;
		}
		free(w);
		h->have = false;
	}
	answer(s, req);
}

static int
on_status(const struct frame *f, enum keyd_fail why, void *arg)
{
	struct signd		*s = arg;
	struct health		*h = &s->health;
	struct health_waiter	*w;
	STAILQ_HEAD(, health_waiter) ready;
	struct pool		 pool;
	int			 ret = 0;

	(void)why;
	h->have = false;
	if (f != NULL) {
		pool_init(&pool, 0);
		h->have = f->type == MSG_KEYD_STATUS && dec_keyd_status(f->p,
		    f->len, &pool, &h->status) == 0 && bytes_cstr(
		    h->status.audit_reason, h->audit_reason,
		    sizeof(h->audit_reason)) && bytes_cstr(h->status.sandbox,
		    h->sandbox, sizeof(h->sandbox)) && bytes_cstr(
		    h->status.audit_sandbox, h->audit_sandbox,
		    sizeof(h->audit_sandbox)) && bytes_cstr(
		    h->status.journal_reason, h->journal_reason,
		    sizeof(h->journal_reason));
		h->status.sandbox = bytes_str(h->sandbox);
		h->status.audit_sandbox = bytes_str(h->audit_sandbox);
		pool_free(&pool);
		h->at = now_ns();
		/* An ERROR is a state that keyd may be in. */
		ret = h->have || f->type == MSG_ERROR ? 0 : -1;
	}
	STAILQ_INIT(&ready);
	STAILQ_CONCAT(&ready, &h->waiters);
	while ((w = STAILQ_FIRST(&ready)) != NULL) {
		STAILQ_REMOVE_HEAD(&ready, entry);
		w->answer(s, w->req);
		free(w);
	}
	return ret;
}

static void
reason_unless(struct json_out *o, bool fine, const char *why)
{
	if (!fine)
		json_out_string(o, why);
}

static void
answer_ready(struct signd *s, struct http_req *req)
{
	const struct msg_keyd_status	*st = &s->health.status;
	struct json_out			 o;
	bool				 have = s->health.have, ready;

	ready = have && !st->locked && st->audit_ok && st->audit_healthy &&
	    st->journal_ok;
	if (json_out_init(&o, 0) == -1) {
		http_reply(req, 503, "application/json", NULL, 0);
		return;
	}
	json_out_begin_object(&o);
	json_put_bool(&o, "ready", ready);
	json_out_key(&o, "reasons");
	json_out_begin_array(&o);
	reason_unless(&o, have, keyd_link_up(s->link) ?
	    "igra-keyd does not answer" : "igra-keyd is not running");
	reason_unless(&o, !have || !st->locked, "locked: igractl unlock");
	reason_unless(&o, !have || st->audit_ok,
	    "the audit log takes no records");
	reason_unless(&o, !have || st->audit_healthy, s->health.audit_reason);
	reason_unless(&o, !have || st->journal_ok, s->health.journal_reason);
	json_out_end_array(&o);
	json_out_end_object(&o);
	reply_json(req, ready ? 200 : 503, &o);
}

static void
answer_metrics(struct signd *s, struct http_req *req)
{
	struct evbuffer	*body;

	if ((body = evbuffer_new()) == NULL || metrics_write(body,
	    &s->metrics, now_ns(), s->health.have ? &s->health.status :
	    NULL) == -1)
		http_reply_error(req, 503, CODE_INTERNAL, "out of memory", 0);
	else
		http_reply(req, 200, "text/plain; version=0.0.4", body, 0);
	if (body != NULL)
		evbuffer_free(body);
}

static void
reply_json(struct http_req *req, int status, struct json_out *o)
{
	struct evbuffer	*body;
	const char	*text;
	size_t		 len;

	if ((body = evbuffer_new()) != NULL &&
	    (text = json_out_text(o, &len)) != NULL)
		evbuffer_add(body, text, len);
	http_reply(req, status, "application/json", body, 0);
	if (body != NULL)
		evbuffer_free(body);
	json_out_free(o);
}
