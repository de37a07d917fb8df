/*
 * pskt.inspect, pskt.finalize and pskt.extract: what takes no key and no
 * igra-keyd.  To check thousands of signatures takes seconds: documents take
 * turns, a few signatures each, and the sockets are looked at in between.
 */
#include <string.h>
#include <time.h>

#include "kaspa.h"
#include "methods.h"
#include "pskt_final.h"
#include "pskt_inspect.h"
#include "signd.h"

#define CHECKS_PER_TURN	50	/* about 4 ms */
#define MAX_WAITING	(32 * 1024 * 1024)	/* bytes of documents */

struct life {
	TAILQ_ENTRY(life)	 entry;
	struct rpc_call		*call;
	const struct json	*value;		/* params.pskt */
	void			(*finish)(struct life *);
	struct pskt_doc		 doc;
	struct verify		 v;
	struct inspect_context	 ctx;
	size_t			 bytes;		/* of the document */
};

static void	 start(struct rpc_call *, bool, void (*)(struct life *));
static int	 set_context(struct rpc_call *, struct life *);
static void	 arm(struct signd *);
static void	 work(int, short, void *);
static void	 no_memory(struct rpc_call *);
static void	 inspect_finish(struct life *);
static void	 finalize_finish(struct life *);
static void	 extract_finish(struct life *);
static void	 write_ids(struct json_out *, const struct pskt_doc *);
static void	 write_rest(struct json_out *, const struct life *);

int
life_init(struct signd *s)
{
	TAILQ_INIT(&s->life);
	s->life_work = evtimer_new(s->base, work, s);
	return s->life_work == NULL ? -1 : 0;
}

void
life_free(struct signd *s)
{
	struct life	*l;

	while ((l = TAILQ_FIRST(&s->life)) != NULL) {
		TAILQ_REMOVE(&s->life, l, entry);
		rpc_refuse(l->call, CODE_INTERNAL, PROTO_NO_PSKT,
		    "igra-signd is stopping");
	}
	event_free(s->life_work);
}

void *
life_parse(struct rpc_call *c, const struct json *params, char *err)
{
	static const char *const	 names[] = { "pskt", "request_id",
					    NULL };
	struct life			*l;

	if ((l = pool_alloc(c->pool, 1, sizeof(*l))) == NULL ||
	    rpc_params_only(params, names, err) == -1 ||
	    rpc_param_request_id(c, params, err) == -1)
		return NULL;
	if ((l->value = json_get(params, "pskt")) == NULL) {
		(void)strlcpy(err, "params.pskt: missing", RPC_ERR_LEN);
		return NULL;
	}
	l->call = c;
	return l;
}

static void
no_memory(struct rpc_call *c)
{
	rpc_refuse(c, CODE_INTERNAL, PROTO_NO_PSKT, "out of memory");
}

/* Copies: the config may be reloaded, the key learnt, before all is checked. */
static int
set_context(struct rpc_call *c, struct life *l)
{
	const struct signd	*s = c->signd;
	struct timespec		 now;

	l->ctx.network = s->d.conf->network;
	l->ctx.hd = s->d.conf->xpubs.n != 0;
	if (s->have_key && (l->ctx.xonly = pool_dup(c->pool,
	    s->public_key + 1, 32)) == NULL)
		return -1;
	l->ctx.redeem.len = s->c.redeem_len;
	if (s->c.redeem_len != 0 && (l->ctx.redeem.p = pool_dup(c->pool,
	    s->c.redeem, s->c.redeem_len)) == NULL)
		return -1;
	if (clock_gettime(CLOCK_REALTIME, &now) == 0 && now.tv_sec > 0)
		l->ctx.now_ms = (uint64_t)now.tv_sec * 1000;
	return 0;
}

static void
start(struct rpc_call *c, bool partial, void (*finish)(struct life *))
{
	struct life		*l = c->params;
	struct pskt_context	 ctx;
	struct pskt_error	 e;

	if (set_context(c, l) == -1) {
		no_memory(c);
		return;
	}
	memset(&ctx, 0, sizeof(ctx));
	ctx.xonly = l->ctx.xonly;
	ctx.redeem = l->ctx.redeem;
	if (pskt_parse(c->pool, &ctx, c->src, l->value, &l->doc, &e) == -1) {
		pskt_refuse(c, &e);
		return;
	}
	if (verify_init(&l->v, c->pool, &l->doc, partial) == -1) {
		no_memory(c);
		return;
	}
	l->finish = finish;
	l->bytes = l->value->end - l->value->start;
	if (l->bytes > MAX_WAITING - c->signd->life_bytes) {
		rpc_refuse(c, CODE_RATE_LIMITED, PROTO_NO_PSKT,
		    "too many documents are being checked");
		return;
	}
	c->signd->life_bytes += l->bytes;
	TAILQ_INSERT_TAIL(&c->signd->life, l, entry);
	arm(c->signd);
}

/* A timer, since the loop looks at the sockets before it runs one. */
static void
arm(struct signd *s)
{
	struct timeval	 now = { 0, 0 };

	if (!TAILQ_EMPTY(&s->life))
		(void)event_add(s->life_work, &now);
}

static void
work(int fd, short what, void *arg)
{
	struct signd	*s = arg;
	struct life	*l;
	int		 rc;

	(void)fd;
	(void)what;
	if ((l = TAILQ_FIRST(&s->life)) == NULL)
		return;
	TAILQ_REMOVE(&s->life, l, entry);
	rc = verify_step(&l->v, CHECKS_PER_TURN);
	if (rc == 0) {		/* the others' turn comes before its next */
		TAILQ_INSERT_TAIL(&s->life, l, entry);
		arm(s);
		return;
	}
	s->life_bytes -= l->bytes;
	if (rc == 1)
		l->finish(l);
	else
		no_memory(l->call);
	arm(s);
}

void
inspect_run(struct rpc_call *c)
{
	start(c, true, inspect_finish);
}

void
finalize_run(struct rpc_call *c)
{
	start(c, true, finalize_finish);
}

void
extract_run(struct rpc_call *c)
{
	start(c, false, extract_finish);
}

static void
inspect_finish(struct life *l)
{
	struct rpc_call	*c = l->call;
	struct json_out	*o;
	struct inspect	 s;

	if (inspect_make(&s, &l->ctx, &l->v) == -1) {
		no_memory(c);
		return;
	}
	if ((o = rpc_result(c)) == NULL)
		return;
	json_out_begin_object(o);
	inspect_members(&s, o);
	json_put_string(o, "request_id", c->request_id);
	json_out_end_object(o);
	rpc_done(c);
}

static void
finalize_finish(struct life *l)
{
	struct rpc_call		*c = l->call;
	struct json_out		*o;
	struct pskt_error	 e;
	struct bytes		 out;

	if (pskt_finalize_verified(&l->v, &out, &e) == -1) {
		pskt_refuse(c, &e);
		return;
	}
	if ((o = rpc_result(c)) == NULL)
		return;
	json_out_begin_object(o);
	json_out_key(o, "pskt");
	json_out_raw(o, (const char *)out.p, out.len);
	write_rest(o, l);
	json_out_end_object(o);
	rpc_done(c);
}

static void
extract_finish(struct life *l)
{
	struct rpc_call		*c = l->call;
	struct json_out		*o;
	struct pskt_error	 e;
	struct bytes		 out;

	if (pskt_extract_verified(&l->v, &out, &e) == -1) {
		pskt_refuse(c, &e);
		return;
	}
	if ((o = rpc_result(c)) == NULL)
		return;
	json_out_begin_object(o);
	json_out_key(o, "submit");
	json_out_raw(o, (const char *)out.p, out.len);
	write_rest(o, l);
	json_out_end_object(o);
	rpc_done(c);
}

static void
write_ids(struct json_out *o, const struct pskt_doc *doc)
{
	uint8_t	 id[TX_ID_LEN];
	size_t	 i;
	bool	 bundle = doc->form == PSKT_FORM_PSKB;

	json_out_key(o, bundle ? "transaction_ids" : "transaction_id");
	if (bundle)
		json_out_begin_array(o);
	for (i = 0; i < doc->n; i++) {
		/* The parser takes no version that has none. */
		(void)tx_id(&doc->pskt[i].tx, id);
		json_out_hex(o, id, sizeof(id));
	}
	if (bundle)
		json_out_end_array(o);
}

static void
write_rest(struct json_out *o, const struct life *l)
{
	const struct pskt_doc	*doc = &l->doc;
	char			 line[1024];
	size_t			 i;

	write_ids(o, doc);
	json_put_string(o, "request_id", l->call->request_id);
	json_out_key(o, "notes");
	json_out_begin_array(o);
	for (i = 0; i < doc->nnote; i++) {
		if (doc->form != PSKT_FORM_PSKB) {
			json_out_string(o, doc->note[i].text);
			continue;
		}
		(void)snprintf(line, sizeof(line), "pskt[%zu]: %s",
		    doc->note[i].pskt, doc->note[i].text);
		json_out_string(o, line);
	}
	json_out_end_array(o);
}
