/*
 * Connections.  evhttp makes one and calls us for its bufferevent; we learn
 * the descriptor, and so the peer, in an event that runs before the first
 * byte can be read.  From then on two evbuffer callbacks watch it: what comes
 * in is counted, and what evhttp sends without having been asked (its error
 * pages) is replaced.  A refused connection is taken from evhttp: the answer
 * goes out at once, and what the client still sends is read and dropped for a
 * while, since a close would take the answer with it.
 */
#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_int.h"
#include "log.h"

#define READ_SIZE	(256 * 1024)	/* per turn of the loop */
#define EVICT_OWN	8		/* connections of a uid that are asked */
#define EVICT_ANY	64
#define STRANGER_RAW	(64 * 1024)

static void	conn_later(int, short, void *);
static void	conn_setup(struct http_conn *);
static int	conn_register(struct http_conn *);
static bool	conn_room(struct http_conn *);
static void	conn_become(struct http_conn *, enum conn_state);
static bool	conn_evict(struct http *, const struct limit_uid *, bool);
static void	conn_timeout(int, short, void *);
static void	conn_deadline(struct http_conn *, int);
static void	conn_input(struct evbuffer *, const struct evbuffer_cb_info *,
		    void *);
static void	conn_output(struct evbuffer *, const struct evbuffer_cb_info *,
		    void *);
static void	conn_page(struct http_conn *);
static void	conn_refuse(struct http_conn *, int, unsigned, const char *);
static void	conn_closed(struct evhttp_connection *, void *);
static void	conn_destroy(struct http_conn *);
static void	linger_read(struct bufferevent *, void *);
static void	linger_written(struct bufferevent *, void *);
static void	linger_event(struct bufferevent *, short, void *);

struct bufferevent *
conn_new(struct event_base *base, void *arg)
{
	struct http		*http = arg;
	struct http_conn	*c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->http = http;
	c->fd = -1;
	c->bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	c->later = event_new(base, -1, 0, conn_later, c);
	c->timer = evtimer_new(base, conn_timeout, c);
	if (c->bev == NULL || c->later == NULL || c->timer == NULL) {
		if (c->bev != NULL)
			bufferevent_free(c->bev);
		c->bev = NULL;
		conn_destroy(c);
		return NULL;
	}
	/* Ours until conn_setup, should evhttp fail in between. */
	bufferevent_incref(c->bev);
	bufferevent_set_max_single_read(c->bev, READ_SIZE);
	TAILQ_INSERT_TAIL(&http->conns, c, entry);
	event_active(c->later, EV_TIMEOUT, 0);
	return c->bev;
}

static void
conn_later(int fd, short what, void *arg)
{
	struct http_conn	*c = arg;

	(void)fd;
	(void)what;
	if (c->state == CONN_NEW)
		conn_setup(c);
	else if (c->state == CONN_RECEIVE && c->page != 0)
		conn_page(c);
}

static void
conn_setup(struct http_conn *c)
{
	struct http		*http = c->http;
	struct bufferevent	*bev = c->bev;
	uint64_t		 now = now_ns();
	void			*evcon = NULL;

	c->fd = bufferevent_getfd(bev);
	bufferevent_getcb(bev, NULL, NULL, NULL, &evcon);
	if (c->fd == -1 || evcon == NULL ||
	    evhttp_connection_get_bufferevent(evcon) != bev) {
		conn_destroy(c);		/* evhttp gave up */
		bufferevent_decref(bev);
		return;
	}
	bufferevent_decref(bev);
	c->evcon = evcon;
	evhttp_connection_set_closecb(c->evcon, conn_closed, c);
	c->incb = evbuffer_add_cb(bufferevent_get_input(bev), conn_input, c);
	c->outcb = evbuffer_add_cb(bufferevent_get_output(bev), conn_output,
	    c);
	http->metrics->accepted++;
	http->metrics->connections = ++http->n;
	if (c->incb == NULL || c->outcb == NULL ||
	    peer_get(c->fd, &c->peer) == -1 || conn_register(c) == -1 ||
	    (c->who = limits_get(http->limits, c->peer.uid, now)) == NULL) {
		log_warn("connection refused");
		conn_free(c);
		return;
	}
	if (!conn_room(c))
		return;
	conn_become(c, CONN_IDLE);
	conn_deadline(c, c->who->allowed ? HTTP_IDLE_S : HTTP_RECEIVE_S);
}

static int
conn_register(struct http_conn *c)
{
	struct http		*http = c->http;
	struct http_conn	**p;
	size_t			 fd = (size_t)c->fd, n;

	if (fd >= http->nbyfd) {
		n = (fd + 64) / 64 * 64;
		p = recallocarray(http->byfd, http->nbyfd, n, sizeof(*p));
		if (p == NULL)
			return -1;
		http->byfd = p;
		http->nbyfd = n;
	}
	http->byfd[fd] = c;
	return 0;
}

struct http_conn *
conn_find(struct http *http, struct evhttp_request *req)
{
	struct evhttp_connection	*evcon;
	struct http_conn		*c;
	int				 fd;

	if ((evcon = evhttp_request_get_connection(req)) == NULL)
		return NULL;
	fd = bufferevent_getfd(evhttp_connection_get_bufferevent(evcon));
	if (fd < 0 || (size_t)fd >= http->nbyfd)
		return NULL;
	c = http->byfd[fd];
	return c != NULL && c->evcon == evcon ? c : NULL;
}

/*
 * Makes room for a new connection by closing the one that has been idle
 * longest: its own uid's when that has too many, else anybody's, but a
 * stranger's only for a stranger.  False: there is none, the new one is
 * refused.
 */
static bool
conn_room(struct http_conn *c)
{
	struct http	*http = c->http;
	unsigned	 max = c->who->allowed ? HTTP_MAX_UID_CONNS :
			    HTTP_MAX_STRANGER_CONNS;

	if (c->who->refs > max && !conn_evict(http, c->who, false) &&
	    c->who->refs <= max + HTTP_MAX_LINGER) {
		conn_refuse(c, 429, CODE_RATE_LIMITED,
		    "too many connections of this user");
		return false;
	}
	if (c->who->refs > max || (http->n > HTTP_MAX_CONNS &&
	    !conn_evict(http, NULL, !c->who->allowed))) {
		http->metrics->http_refused[CODE_RATE_LIMITED]++;
		conn_free(c);
		return false;
	}
	return true;
}

static void
conn_become(struct http_conn *c, enum conn_state state)
{
	if (c->state == CONN_IDLE)
		TAILQ_REMOVE(&c->http->idle, c, idle_entry);
	if (state == CONN_IDLE)
		TAILQ_INSERT_TAIL(&c->http->idle, c, idle_entry);
	c->state = state;
}

/*
 * The list is in the order in which they became idle.  One whose request has
 * come but has not been read yet is not idle.  Only a few are asked: who
 * connects over and over shall not make each new connection cost more.
 */
static bool
conn_evict(struct http *http, const struct limit_uid *who, bool strangers)
{
	struct http_conn	*c;
	char			 byte;
	int			 left = who != NULL ? EVICT_OWN : EVICT_ANY;

	TAILQ_FOREACH(c, &http->idle, idle_entry) {
		if ((who != NULL && c->who != who) ||
		    (strangers && c->who->allowed))
			continue;
		if (left-- == 0)
			break;
		if (recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
			continue;
		http->metrics->evicted++;
		conn_free(c);
		return true;
	}
	return false;
}

static void
conn_deadline(struct http_conn *c, int seconds)
{
	struct timeval	 tv = { seconds, 0 };

	if (seconds == 0)
		evtimer_del(c->timer);
	else
		evtimer_add(c->timer, &tv);
}

static void
conn_timeout(int fd, short what, void *arg)
{
	struct http_conn	*c = arg;

	(void)fd;
	(void)what;
	if (c->state == CONN_RECEIVE || c->state == CONN_SEND)
		c->http->metrics->timed_out++;
	conn_free(c);
}

/*
 * Runs inside the read, before evhttp sees the bytes.  Nothing may be freed
 * here; the bufferevent's callbacks may be changed.
 */
static void
conn_input(struct evbuffer *buf, const struct evbuffer_cb_info *info,
    void *arg)
{
	struct http_conn	*c = arg;

	(void)buf;
	if (info->n_added == 0 || c->who == NULL || c->state == CONN_LINGER)
		return;
	c->held += info->n_added;
	c->who->bytes += info->n_added;
	if (c->state == CONN_IDLE) {
		conn_become(c, CONN_RECEIVE);
		conn_deadline(c, HTTP_RECEIVE_S);
	}
	if (c->state != CONN_RECEIVE)
		return;
	if (!c->who->allowed && !c->who->operator && c->held > STRANGER_RAW)
		conn_refuse(c, 401, CODE_UNAUTHORIZED,
		    "this user is not in allow_users");
	else if (c->held > HTTP_MAX_RAW)
		conn_refuse(c, 413, CODE_TOO_LARGE,
		    "the body is larger than 8 MiB");
	else if (c->who->bytes > HTTP_MAX_UID_BYTES)
		conn_refuse(c, 429, CODE_RATE_LIMITED,
		    "too many bytes of this user are under way");
}

/*
 * While a request is being received only evhttp itself writes: 100 Continue,
 * or one of its pages.
 */
static void
conn_output(struct evbuffer *buf, const struct evbuffer_cb_info *info,
    void *arg)
{
	struct http_conn	*c = arg;
	struct evbuffer_ptr	 at;
	char			 line[32];
	ev_ssize_t		 n;
	int			 major, minor, status;

	if (c->state != CONN_RECEIVE || info->n_added == 0 || c->page != 0 ||
	    evbuffer_ptr_set(buf, &at, info->orig_size,
	    EVBUFFER_PTR_SET) == -1)
		return;
	n = evbuffer_copyout_from(buf, &at, line, sizeof(line) - 1);
	if (n <= 0)
		return;
	line[n] = '\0';
	if (sscanf(line, "HTTP/%d.%d %d", &major, &minor, &status) != 3 ||
	    status < 200)
		return;
	c->page = status;
	event_active(c->later, EV_TIMEOUT, 0);
}

static void
conn_page(struct http_conn *c)
{
	switch (c->page) {
	case 413:
		conn_refuse(c, 413, CODE_TOO_LARGE,
		    "the body is larger than 8 MiB, or its chunks are wrong");
		break;
	case 501:
		conn_refuse(c, 405, RPC_INVALID_REQUEST,
		    "the methods are GET and POST");
		break;
	case 400:
		conn_refuse(c, 400, RPC_INVALID_REQUEST,
		    "not an HTTP request, or more than 64 KiB of headers");
		break;
	default:
		conn_refuse(c, c->page, RPC_INVALID_REQUEST,
		    http_reason(c->page));
		break;
	}
}

static void
conn_refuse(struct http_conn *c, int status, unsigned code, const char *why)
{
	struct evbuffer	*out = bufferevent_get_output(c->bev);
	char		 body[512];
	int		 n;

	/* Who may only reload is told what is wrong with the rest. */
	if (status == 413 && c->who != NULL && !c->who->allowed) {
		status = 401;
		code = CODE_UNAUTHORIZED;
		why = "this user is not in allow_users";
	}
	conn_become(c, CONN_LINGER);
	conn_deadline(c, HTTP_LINGER_S);
	c->http->metrics->http_refused[code]++;
	c->http->ops->refused(&c->peer, code, why, c->http->arg);
	n = snprintf(body, sizeof(body), "{\"jsonrpc\":\"2.0\",\"id\":null,"
	    "\"error\":{\"code\":%d,\"message\":\"%s\",\"data\":{\"code\":"
	    "\"%s\"}}}", rpc_code_number(code), why, rpc_code_name(code));
	bufferevent_setcb(c->bev, linger_read, linger_written, linger_event,
	    c);
	evbuffer_unfreeze(out, 1);
	evbuffer_drain(out, evbuffer_get_length(out));
	evbuffer_freeze(out, 1);
	evbuffer_add_printf(out, "HTTP/1.1 %d %s\r\n"
	    "Content-Type: application/json\r\n%sConnection: close\r\n"
	    "Content-Length: %d\r\n\r\n%s", status, http_reason(status),
	    status == 429 ? "Retry-After: 1\r\n" : "", n, body);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

/* arg may be evhttp's: a deferred read that it had scheduled. */
static void
linger_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer	*in = bufferevent_get_input(bev);

	(void)arg;
	evbuffer_drain(in, evbuffer_get_length(in));
}

static void
linger_written(struct bufferevent *bev, void *arg)
{
	struct http_conn	*c = arg;

	(void)bev;
	if (c->eof)
		conn_free(c);
	else
		(void)shutdown(c->fd, SHUT_WR);
}

static void
linger_event(struct bufferevent *bev, short what, void *arg)
{
	struct http_conn	*c = arg;

	/* A client that half-closed still reads: its answer goes first. */
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_READING)) ==
	    (BEV_EVENT_EOF | BEV_EVENT_READING) &&
	    evbuffer_get_length(bufferevent_get_output(bev)) != 0)
		c->eof = true;
	else
		conn_free(c);
}

void
conn_running(struct http_conn *c, struct http_req *req)
{
	conn_become(c, CONN_RUN);
	c->req = req;
	conn_deadline(c, 0);
}

void
conn_sending(struct http_conn *c)
{
	conn_become(c, CONN_SEND);
	c->req = NULL;
	conn_deadline(c, HTTP_SEND_S);
	/*
	 * evhttp reads while it writes, to see a close, and takes a client's
	 * half-close for one: the answer would be lost.
	 */
	bufferevent_disable(c->bev, EV_READ);
}

void
conn_answered(struct evhttp_request *req, void *arg)
{
	struct http_conn	*c = arg;
	size_t			 left;

	(void)req;
	left = evbuffer_get_length(bufferevent_get_input(c->bev));
	if (left > c->held)
		left = c->held;
	c->who->bytes -= c->held - left;
	c->held = left;
	conn_become(c, left != 0 ? CONN_RECEIVE : CONN_IDLE);
	conn_deadline(c, left != 0 ? HTTP_RECEIVE_S : HTTP_IDLE_S);
}

void
conn_free(struct http_conn *c)
{
	c->freeing = true;
	evhttp_connection_free(c->evcon);	/* calls conn_closed */
}

static void
conn_closed(struct evhttp_connection *evcon, void *arg)
{
	struct http_conn	*c = arg;
	struct http		*http = c->http;

	(void)evcon;
	if (c->req != NULL)
		http_conn_gone(c->req, c->freeing);
	if ((size_t)c->fd < http->nbyfd && http->byfd[c->fd] == c)
		http->byfd[c->fd] = NULL;
	if (c->incb != NULL)
		evbuffer_remove_cb_entry(bufferevent_get_input(c->bev),
		    c->incb);
	if (c->outcb != NULL)
		evbuffer_remove_cb_entry(bufferevent_get_output(c->bev),
		    c->outcb);
	if (c->who != NULL) {
		c->who->bytes -= c->held;
		limits_put(http->limits, c->who, now_ns());
	}
	http->metrics->connections = --http->n;
	conn_destroy(c);
}

static void
conn_destroy(struct http_conn *c)
{
	if (c->state == CONN_IDLE)
		TAILQ_REMOVE(&c->http->idle, c, idle_entry);
	if (c->bev != NULL)
		TAILQ_REMOVE(&c->http->conns, c, entry);
	if (c->later != NULL)
		event_free(c->later);
	if (c->timer != NULL)
		event_free(c->timer);
	free(c);
}
