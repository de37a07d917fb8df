#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_int.h"
#include "log.h"

#define ACCEPT_PAUSE_MS	250

struct http_req {
	struct http		*http;
	struct http_conn	*conn;	/* NULL: the client has left */
	struct evhttp_request	*req;	/* NULL: evhttp has freed it */
	struct peer		 peer;
	const char		*body;
	size_t			 len;
};

static void	on_request(struct evhttp_request *, void *);
static void	on_accept_error(struct evconnlistener *, void *);
static void	on_resume(int, short, void *);
static int	pull_body(struct http_req *);

const char *
http_reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 413:
		return "Content Too Large";
	case 417:
		return "Expectation Failed";
	case 429:
		return "Too Many Requests";
	case 503:
		return "Service Unavailable";
	}
	return "Error";
}

struct http *
http_new(struct event_base *base, int fd, struct limits *limits,
    struct metrics *metrics, const struct http_ops *ops, void *arg)
{
	struct http	*h;

	if ((h = calloc(1, sizeof(*h))) == NULL)
		return NULL;
	h->base = base;
	h->limits = limits;
	h->metrics = metrics;
	h->ops = ops;
	h->arg = arg;
	TAILQ_INIT(&h->conns);
	TAILQ_INIT(&h->idle);
	h->ev = evhttp_new(base);
	/* Backlog 0: the socket listens already. */
	h->listener = evconnlistener_new(base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_CLOSE_ON_FREE, 0, fd);
	if (h->ev == NULL || h->listener == NULL)
		goto fail;
	evconnlistener_set_error_cb(h->listener, on_accept_error);
	evhttp_set_max_headers_size(h->ev, HTTP_MAX_HEADERS);
	evhttp_set_max_body_size(h->ev, HTTP_EVHTTP_BODY);
	evhttp_set_allowed_methods(h->ev, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
	evhttp_set_default_content_type(h->ev, "application/json");
	if (evhttp_set_flags(h->ev, EVHTTP_SERVER_LINGERING_CLOSE) != 0)
		goto fail;
	evhttp_set_bevcb(h->ev, conn_new, h);
	evhttp_set_gencb(h->ev, on_request, h);
	if (evhttp_bind_listener(h->ev, h->listener) == NULL)
		goto fail;
	return h;
fail:
	if (h->listener != NULL)
		evconnlistener_free(h->listener);
	if (h->ev != NULL)
		evhttp_free(h->ev);
	free(h);
	return NULL;
}

void
http_stop(struct http *h)
{
	h->stopping = true;
	evconnlistener_disable(h->listener);
}

bool
http_answering(const struct http *h)
{
	const struct http_conn	*c;

	TAILQ_FOREACH(c, &h->conns, entry)
		if (c->state == CONN_RUN || c->state == CONN_SEND)
			return true;
	return false;
}

void
http_free(struct http *h)
{
	struct http_conn	*c;

	while ((c = TAILQ_FIRST(&h->conns)) != NULL) {
		if (c->state == CONN_NEW)
			break;		/* the process is about to end */
		conn_free(c);
	}
	evhttp_free(h->ev);
	free(h->byfd);
	free(h);
}

/*
 * Out of descriptors: without a pause the loop would spin on the listener,
 * whose user argument is evhttp's.
 */
static void
on_accept_error(struct evconnlistener *l, void *arg)
{
	const struct timeval	 tv = { 0, ACCEPT_PAUSE_MS * 1000 };

	(void)arg;
	log_warn("accept");
	if (event_base_once(evconnlistener_get_base(l), -1, EV_TIMEOUT,
	    on_resume, l, &tv) == 0)
		evconnlistener_disable(l);
}

static void
on_resume(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	evconnlistener_enable(arg);
}

/* In one piece, as the parser wants it; small bodies already are. */
static int
pull_body(struct http_req *r)
{
	struct evbuffer	*in = evhttp_request_get_input_buffer(r->req);

	if ((r->len = evbuffer_get_length(in)) == 0) {
		r->body = "";
		return 0;
	}
	r->body = (const char *)evbuffer_pullup(in, -1);
	return r->body == NULL ? -1 : 0;
}

static void
on_request(struct evhttp_request *req, void *arg)
{
	struct http		*h = arg;
	struct http_conn	*c;
	struct http_req		*r;

	if ((c = conn_find(h, req)) == NULL || c->who == NULL ||
	    (r = calloc(1, sizeof(*r))) == NULL) {
		evhttp_send_error(req, HTTP_SERVUNAVAIL, NULL);
		return;
	}
	r->http = h;
	r->conn = c;
	r->req = req;
	r->peer = c->peer;
	conn_running(c, r);
	evhttp_request_set_on_complete_cb(req, conn_answered, c);
	if (!c->who->allowed && !c->who->operator)
		http_refuse(r, 401, CODE_UNAUTHORIZED,
		    "this user is not in allow_users");
	else if (pull_body(r) == -1)
		http_reply_error(r, 503, CODE_INTERNAL, "out of memory", 0);
	else if (r->len > HTTP_MAX_BODY)
		http_refuse(r, 413, CODE_TOO_LARGE,
		    "the body is larger than 8 MiB");
	else
		h->ops->request(r, h->arg);
}

void
http_refuse(struct http_req *r, int status, unsigned code, const char *why)
{
	struct http	*h = r->http;

	h->metrics->http_refused[code]++;
	h->ops->refused(&r->peer, code, why, h->arg);
	evhttp_add_header(evhttp_request_get_output_headers(r->req),
	    "Connection", "close");
	http_reply_error(r, status, code, why, 0);
}

bool
http_is_post(const struct http_req *r)
{
	return evhttp_request_get_command(r->req) == EVHTTP_REQ_POST;
}

const char *
http_path(const struct http_req *r)
{
	const struct evhttp_uri	*uri = evhttp_request_get_evhttp_uri(r->req);
	const char		*path = NULL;

	if (uri != NULL)
		path = evhttp_uri_get_path(uri);
	return path == NULL ? "" : path;
}

const char *
http_header(const struct http_req *r, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(r->req),
	    name);
}

const char *
http_body(const struct http_req *r, size_t *len)
{
	*len = r->len;
	return r->body;
}

const struct peer *
http_peer(const struct http_req *r)
{
	return &r->peer;
}

struct limit_uid *
http_uid(const struct http_req *r)
{
	return r->conn == NULL ? NULL : r->conn->who;
}

/*
 * evhttp takes a request that waits for us out of a connection that fails,
 * and leaves it to us; with a connection that we free it goes as well.
 */
void
http_conn_gone(struct http_req *r, bool request_gone)
{
	r->conn = NULL;
	if (request_gone)
		r->req = NULL;
}

bool
http_allowed(const struct http_req *r)
{
	return r->conn != NULL && r->conn->who->allowed;
}

void
http_reply(struct http_req *r, int status, const char *type,
    struct evbuffer *body, unsigned retry_after)
{
	struct evkeyvalq	*headers;
	char			 seconds[16];

	if (r->conn == NULL) {
		if (r->req != NULL)
			evhttp_request_free(r->req);
		free(r);
		return;
	}
	headers = evhttp_request_get_output_headers(r->req);
	evhttp_add_header(headers, "Content-Type", type);
	if (retry_after != 0) {
		(void)snprintf(seconds, sizeof(seconds), "%u", retry_after);
		evhttp_add_header(headers, "Retry-After", seconds);
	}
	if (status == 401)
		evhttp_add_header(headers, "WWW-Authenticate", "Bearer");
	if (r->http->stopping)
		evhttp_add_header(headers, "Connection", "close");
	evhttp_send_reply(r->req, status, http_reason(status), body);
	conn_sending(r->conn);
	free(r);
}

void
http_reply_error(struct http_req *r, int status, unsigned code,
    const char *message, unsigned retry_after)
{
	struct evbuffer	*body;

	if ((body = evbuffer_new()) != NULL)
		evbuffer_add_printf(body, "{\"jsonrpc\":\"2.0\",\"id\":null,"
		    "\"error\":{\"code\":%d,\"message\":\"%s\",\"data\":"
		    "{\"code\":\"%s\"}}}", rpc_code_number(code), message,
		    rpc_code_name(code));
	http_reply(r, status, "application/json", body, retry_after);
	if (body != NULL)
		evbuffer_free(body);
}
