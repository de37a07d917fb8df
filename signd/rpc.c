#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "log.h"
#include "rpc.h"
#include "signd.h"

struct rpc_batch {
	struct signd	*signd;
	struct http_req	*req;
	struct pool	 pool;
	struct limit_uid *who;		/* held, or NULL */
	size_t		 held;		/* of the pool, in who's sum */
	bool		 array;
	uint32_t	 n;
	uint32_t	 left;		/* calls not over; one more while starting */
	unsigned	 retry_after;	/* of the last that was rate-limited */
	struct rpc_call	*call;
};

static bool	token_right(struct signd *, struct http_req *);
static bool	may_reload(struct http_req *);
static bool	is_reload(const struct json *);
static void	batch_fail(struct rpc_batch *, unsigned, const char *);
static void	batch_run(struct rpc_batch *, const struct json *);
static void	batch_hold(struct rpc_batch *);
static void	batch_over(struct rpc_batch *);
static void	batch_free(struct rpc_batch *);
static void	call_start(struct rpc_call *, const struct json *, bool);
static int	call_read(struct rpc_call *, const struct json *,
		    const struct json **, unsigned *, char *);
static void	call_over(struct rpc_call *);
static void	call_begin(struct rpc_call *);
static void	call_error(struct rpc_call *, unsigned, uint32_t,
		    struct bytes, const struct msg_error *);
static bool	add_answer(struct evbuffer *, struct rpc_call *);
static void	free_text(const void *, size_t, void *);

void
rpc_init(struct signd *s)
{
	unsigned	 i;

	for (i = 0; i < METRICS_METHODS - 1 && rpc_methods[i].name != NULL;
	    i++)
		s->metrics.method[i] = rpc_methods[i].name;
	s->metrics.method[i] = "none";		/* unknown, or not even a call */
}

/* Only the token's hash is known; comparing hashes tells nothing of it. */
static bool
token_right(struct signd *s, struct http_req *req)
{
	static const char	 scheme[] = "Bearer ";
	const struct conf	*conf = s->d.conf;
	const char		*auth;
	uint8_t			 hash[32];

	if (!conf->token_set)
		return true;
	if ((auth = http_header(req, "Authorization")) == NULL ||
	    strncasecmp(auth, scheme, sizeof(scheme) - 1) != 0)
		return false;
	auth += sizeof(scheme) - 1;
	if (crypto_generichash(hash, sizeof(hash), (const uint8_t *)auth,
	    strlen(auth), NULL, 0) != 0)
		return false;
	return sodium_memcmp(hash, conf->token_hash, sizeof(hash)) == 0;
}

bool
rpc_authorized(struct signd *s, struct http_req *req)
{
	const struct bytes	 none = { NULL, 0 };

	if (!http_allowed(req)) {
		http_refuse(req, 401, CODE_UNAUTHORIZED,
		    "this user is not in allow_users");
		return false;
	}
	if (token_right(s, req))
		return true;
	s->metrics.http_refused[CODE_UNAUTHORIZED]++;
	notes_refused(&s->notes, http_peer(req), CODE_UNAUTHORIZED, none, none,
	    "the bearer token is missing or wrong");
	http_reply_error(req, 401, CODE_UNAUTHORIZED,
	    "the bearer token is missing or wrong", 0);
	return false;
}

/*
 * Root may reload without being in allow_users, and without the token: the
 * file that he has may hold the next one.
 */
static bool
may_reload(struct http_req *req)
{
	const struct limit_uid	*who = http_uid(req);

	return who != NULL && who->operator;
}

static bool
is_reload(const struct json *root)
{
	return root->type == JSON_OBJECT &&
	    json_is_string(json_get(root, "method"), RPC_RELOAD);
}

void
rpc_handle(struct signd *s, struct http_req *req)
{
	struct rpc_batch	*b;
	const struct json	*root;
	const char		*body;
	size_t			 len;
	char			 err[RPC_ERR_LEN];
	bool			 reload_only;

	reload_only = may_reload(req) && (!http_allowed(req) ||
	    !token_right(s, req));
	if (!reload_only && !rpc_authorized(s, req))
		return;
	if ((b = calloc(1, sizeof(*b))) == NULL) {
		http_reply_error(req, 503, CODE_INTERNAL, "out of memory", 0);
		return;
	}
	b->signd = s;
	b->req = req;
	pool_init(&b->pool, RPC_MAX_MEMORY);
	s->batches++;
	b->who = limits_get(&s->limits, http_peer(req)->uid, now_ns());
	body = http_body(req, &len);
	/* Before the work of parsing; a batch pays for its others later. */
	if (!limits_take(&s->limits, http_uid(req), now_ns(),
	    &b->retry_after))
		batch_fail(b, CODE_RATE_LIMITED, "too many requests");
	else if (b->who == NULL || b->who->held > RPC_MAX_HELD)
		batch_fail(b, CODE_RATE_LIMITED,
		    "too much is being answered already");
	else if ((root = json_parse(&b->pool, body, len, err,
	    sizeof(err))) == NULL)
		batch_fail(b, RPC_PARSE_ERROR, err);
	else if (reload_only && !is_reload(root))
		batch_fail(b, CODE_UNAUTHORIZED, http_allowed(req) ?
		    "the bearer token is missing or wrong" :
		    "this user is not in allow_users");
	else if (root->type == JSON_ARRAY && root->n == 0)
		batch_fail(b, RPC_INVALID_REQUEST, "the batch is empty");
	else if (root->type == JSON_ARRAY && root->n > RPC_MAX_BATCH)
		batch_fail(b, RPC_INVALID_REQUEST,
		    "the batch has more than 100 members");
	else
		batch_run(b, root);
}

/* One error instead of any answer. */
static void
batch_fail(struct rpc_batch *b, unsigned code, const char *why)
{
	struct rpc_call	*c;

	if ((c = pool_alloc(&b->pool, 1, sizeof(*c))) == NULL) {
		http_reply_error(b->req, 503, CODE_INTERNAL, "out of memory",
		    0);
		batch_free(b);
		return;
	}
	b->call = c;
	b->n = b->left = 1;
	c->batch = b;
	c->signd = b->signd;
	c->pool = &b->pool;
	c->start = now_ns();
	while (rpc_methods[c->label].name != NULL)
		c->label++;
	rpc_refuse(c, code, PROTO_NO_PSKT, "%s", why);
}

static void
batch_run(struct rpc_batch *b, const struct json *root)
{
	struct signd		*s = b->signd;
	const struct json	*v;
	uint32_t		 i;
	bool			 paid;

	b->array = root->type == JSON_ARRAY;
	b->n = b->array ? root->n : 1;
	if ((b->call = pool_alloc(&b->pool, b->n,
	    sizeof(*b->call))) == NULL) {
		b->array = false;
		batch_fail(b, CODE_INTERNAL, "out of memory");
		return;
	}
	b->left = b->n + 1;
	v = b->array ? root->first : root;
	for (i = 0; i < b->n; i++, v = v->next) {
		b->call[i].batch = b;
		b->call[i].signd = s;
		b->call[i].pool = &b->pool;
		paid = i == 0 || limits_take(&s->limits, http_uid(b->req),
		    now_ns(), &b->retry_after);
		call_start(&b->call[i], v, paid);
	}
	if (--b->left == 0)
		batch_over(b);
	else
		batch_hold(b);
}

/*
 * A value of one byte takes eighty: what waits for others is counted by what
 * it takes, not by what was sent.
 */
static void
batch_hold(struct rpc_batch *b)
{
	b->who->held += b->pool.used - b->held;
	b->held = b->pool.used;
}

static void
call_start(struct rpc_call *c, const struct json *v, bool paid)
{
	const struct json	*params = NULL;
	unsigned		 code;
	char			 err[RPC_ERR_LEN];
	size_t			 len;

	c->start = now_ns();
	c->src = http_body(c->batch->req, &len);
	while (rpc_methods[c->label].name != NULL)
		c->label++;
	if (call_read(c, v, &params, &code, err) == -1) {
		rpc_refuse(c, code, PROTO_NO_PSKT, "%s", err);
		return;
	}
	if (!paid) {
		rpc_refuse(c, CODE_RATE_LIMITED, PROTO_NO_PSKT,
		    "too many requests");
		return;
	}
	if (c->method->parse != NULL) {
		err[0] = '\0';
		if ((c->params = c->method->parse(c, params, err)) == NULL) {
			rpc_refuse(c, RPC_INVALID_PARAMS, PROTO_NO_PSKT, "%s",
			    err[0] == '\0' ? "out of memory" : err);
			return;
		}
	}
	c->method->run(c);
}

/* The Request object.  -1 with a code and a message. */
static int
call_read(struct rpc_call *c, const struct json *v,
    const struct json **params, unsigned *code, char *err)
{
	const struct json	*id, *m, *p;
	unsigned		 i;
	const char		*what = NULL;

	*code = RPC_INVALID_REQUEST;
	id = json_get(v, "id");
	m = json_get(v, "method");
	p = json_get(v, "params");
	if (id != NULL && (id->type == JSON_STRING || id->type == JSON_NUMBER ||
	    id->type == JSON_NULL) && id->end - id->start <= RPC_MAX_ID)
		c->id = id;
	if (v->type != JSON_OBJECT)
		what = "a request must be an object";
	else if (!json_is_string(json_get(v, "jsonrpc"), "2.0"))
		what = "jsonrpc: must be \"2.0\"";
	else if (id != NULL && c->id == NULL)
		what = "id: must be a string, a number or null, of at most "
		    "1024 bytes";
	else if (m == NULL || m->type != JSON_STRING)
		what = "method: must be a string";
	else if (p != NULL && p->type != JSON_OBJECT &&
	    p->type != JSON_ARRAY && p->type != JSON_NULL)
		what = "params: must be an object";
	if (what != NULL) {
		(void)strlcpy(err, what, RPC_ERR_LEN);
		return -1;
	}
	c->notification = id == NULL;
	c->method_text = m->text;
	for (i = 0; rpc_methods[i].name != NULL; i++)
		if (json_is_string(m, rpc_methods[i].name))
			break;
	c->label = i;
	if (rpc_methods[i].name == NULL) {
		*code = RPC_METHOD_NOT_FOUND;
		(void)strlcpy(err, "no such method", RPC_ERR_LEN);
		return -1;
	}
	c->method = &rpc_methods[i];
	if (p != NULL && p->type == JSON_ARRAY) {
		*code = RPC_INVALID_PARAMS;
		(void)strlcpy(err, "params: by name only: must be an object",
		    RPC_ERR_LEN);
		return -1;
	}
	*params = p != NULL && p->type == JSON_OBJECT ? p : NULL;
	return 0;
}

const struct peer *
rpc_peer(const struct rpc_call *c)
{
	return http_peer(c->batch->req);
}

/* Opens the answer and writes what all have. */
static void
call_begin(struct rpc_call *c)
{
	if (c->writing)
		json_out_free(&c->out);
	if (!(c->writing = json_out_init(&c->out, 0) == 0))
		return;
	json_out_begin_object(&c->out);
	json_put_string(&c->out, "jsonrpc", "2.0");
	json_out_key(&c->out, "id");
	if (c->id == NULL)
		json_out_null(&c->out);
	else		/* as it was written: 1.0 is not 1 */
		json_out_raw(&c->out, c->src + c->id->start,
		    c->id->end - c->id->start);
}

struct json_out *
rpc_result(struct rpc_call *c)
{
	call_begin(c);
	if (!c->writing) {
		c->code = CODE_INTERNAL;
		call_over(c);
		return NULL;
	}
	json_out_key(&c->out, "result");
	return &c->out;
}

void
rpc_done(struct rpc_call *c)
{
	const struct bytes	 why = bytes_str("out of memory");

	json_out_end_object(&c->out);
	if (json_out_text(&c->out, NULL) == NULL)
		call_error(c, CODE_INTERNAL, PROTO_NO_PSKT, why, NULL);
	else
		call_over(c);
}

static void
call_error(struct rpc_call *c, unsigned code, uint32_t pskt,
    struct bytes message, const struct msg_error *m)
{
	struct json_out	*o = &c->out;
	char		 number[16];
	int		 n;

	c->code = code;
	call_begin(c);
	if (!c->writing) {
		call_over(c);
		return;
	}
	json_out_key(o, "error");
	json_out_begin_object(o);
	json_out_key(o, "code");
	n = snprintf(number, sizeof(number), "%d", rpc_code_number(code));
	json_out_raw(o, number, (size_t)n);
	json_out_key(o, "message");
	json_out_stringn(o, message.p, message.len);
	json_out_key(o, "data");
	json_out_begin_object(o);
	json_put_string(o, "code", rpc_code_name(code));
	if (c->bundle && pskt != PROTO_NO_PSKT) {
		json_put_u64(o, "pskt", pskt);
	}
	if (m != NULL && m->check.len != 0) {
		json_out_key(o, "check");
		json_out_stringn(o, m->check.p, m->check.len);
		json_out_key(o, "limit");
		json_out_stringn(o, m->limit.p, m->limit.len);
		json_out_key(o, "value");
		json_out_stringn(o, m->value.p, m->value.len);
	}
	json_out_end_object(o);
	json_out_end_object(o);
	json_out_end_object(o);
	call_over(c);
}

void
rpc_refuse(struct rpc_call *c, unsigned code, uint32_t pskt, const char *fmt,
    ...)
{
	char	 text[1024];
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (code != CODE_KEYD_UNAVAILABLE)
		notes_refused(&c->signd->notes, rpc_peer(c), code,
		    c->method_text, bytes_str(c->request_id), text);
	call_error(c, code, pskt, bytes_str(text), NULL);
}

void
rpc_keyd_failed(struct rpc_call *c, enum keyd_fail why)
{
	switch (why) {
	case KEYD_ANSWERED:
		break;
	case KEYD_GONE:
		rpc_refuse(c, CODE_KEYD_UNAVAILABLE, PROTO_NO_PSKT,
		    "igra-keyd is not running");
		break;
	case KEYD_LATE:
		rpc_refuse(c, CODE_KEYD_UNAVAILABLE, PROTO_NO_PSKT,
		    "igra-keyd does not answer; if it still signs, its log "
		    "says so");
		break;
	case KEYD_BUSY:
		c->batch->retry_after = 1;
		rpc_refuse(c, CODE_RATE_LIMITED, PROTO_NO_PSKT,
		    "too much is waiting for igra-keyd");
		break;
	}
}

int
rpc_keyd_answer(struct rpc_call *c, const struct frame *f, enum keyd_fail why,
    uint16_t want)
{
	struct msg_error	 m;

	if (f == NULL) {
		rpc_keyd_failed(c, why);
		return 0;
	}
	if (f->type == want)
		return 1;
	if (f->type == MSG_ERROR &&
	    dec_error(f->p, f->len, c->pool, &m) == 0) {
		if (m.code == CODE_RATE_LIMITED)
			c->batch->retry_after = 1;
		call_error(c, m.code, m.pskt, m.message, &m);
		return 0;
	}
	rpc_keyd_broken(c);
	return -1;
}

void
rpc_keyd_broken(struct rpc_call *c)
{
	call_error(c, CODE_INTERNAL, PROTO_NO_PSKT,
	    bytes_str("igra-keyd gave a wrong answer"), NULL);
}

static void
call_over(struct rpc_call *c)
{
	struct rpc_batch	*b = c->batch;

	metrics_call(&c->signd->metrics, c->label, c->code,
	    now_ns() - c->start);
	if (--b->left == 0)
		batch_over(b);
}

static void
free_text(const void *text, size_t len, void *arg)
{
	(void)text;
	(void)len;
	free(arg);
}

/* The text changes hands without being copied. */
static bool
add_answer(struct evbuffer *body, struct rpc_call *c)
{
	size_t	 len;
	char	*text;

	if (!c->writing || json_out_text(&c->out, &len) == NULL)
		return false;
	text = c->out.buf;
	if (evbuffer_add_reference(body, text, len, free_text, text) == -1)
		return false;
	c->out.buf = NULL;
	return true;
}

static void
batch_over(struct rpc_batch *b)
{
	struct evbuffer	*body;
	uint32_t	 i, answers = 0, limited = 0;
	int		 status = 200;
	bool		 failed = false;

	if ((body = evbuffer_new()) == NULL)
		failed = true;
	for (i = 0; i < b->n && !failed; i++) {
		limited += b->call[i].code == CODE_RATE_LIMITED;
		if (b->call[i].notification)
			continue;
		if (b->array)
			failed = evbuffer_add(body, answers == 0 ? "[" : ",",
			    1) == -1;
		failed = failed || !add_answer(body, &b->call[i]);
		answers++;
	}
	if (b->array && answers != 0 && !failed)
		failed = evbuffer_add(body, "]", 1) == -1;
	if (failed)
		http_reply_error(b->req, 503, CODE_INTERNAL, "out of memory",
		    0);
	else {
		if (!b->array && answers != 0)
			status = rpc_code_http(b->call[0].code);
		else if (limited == b->n)
			status = 429;
		if (status == 429 && b->retry_after == 0)
			b->retry_after = 1;
		http_reply(b->req, status, "application/json", body,
		    status == 429 ? b->retry_after : 0);
	}
	if (body != NULL)
		evbuffer_free(body);
	batch_free(b);
}

static void
batch_free(struct rpc_batch *b)
{
	uint32_t	 i;

	for (i = 0; i < b->n; i++)
		if (b->call[i].writing)
			json_out_free(&b->call[i].out);
	b->signd->batches--;
	if (b->who != NULL) {
		b->who->held -= b->held;
		limits_put(&b->signd->limits, b->who, now_ns());
	}
	pool_free(&b->pool);
	free(b);
}
