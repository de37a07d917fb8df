#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keyd_link.h"
#include "log.h"

struct call {
	uint64_t		 id;		/* its low bits are the slot */
	unsigned		 weight;
	keyd_cb			 cb;
	void			*arg;
	struct keyd_link	*link;
	struct event		*timer;
};

struct keyd_link {
	struct event_base	*base;
	struct daemon		*daemon;
	struct metrics		*metrics;
	void			(*connected)(void *);
	void			*arg;
	struct frame_conn	*conn;
	struct event		*retry;
	unsigned		 backoff_ms;
	bool			 said;		/* that it is gone */
	uint64_t		 count;		/* of messages sent */
	unsigned		 inflight;
	unsigned		 weight;	/* of all in flight */
	struct call		*slot[KEYD_MAX_INFLIGHT];
};

static struct call *call_new(struct keyd_link *);
static void	call_end(struct call *);
static void	call_late(int, short, void *);
static void	link_try(int, short, void *);
static void	link_retry(struct keyd_link *, unsigned);
static void	link_message(struct frame_conn *, const struct frame *, void *);
static void	link_closed(struct frame_conn *, const char *, void *);
static void	link_down(struct keyd_link *, const char *);

static const struct frame_ops ops = { link_message, link_closed };

struct keyd_link *
keyd_link_new(struct event_base *base, struct daemon *d, struct metrics *m,
    void (*connected)(void *), void *arg)
{
	struct keyd_link	*l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	l->base = base;
	l->daemon = d;
	l->metrics = m;
	l->connected = connected;
	l->arg = arg;
	if ((l->retry = evtimer_new(base, link_try, l)) == NULL) {
		free(l);
		return NULL;
	}
	event_active(l->retry, EV_TIMEOUT, 0);
	return l;
}

void
keyd_link_free(struct keyd_link *l)
{
	struct frame_conn	*c = l->conn;

	l->conn = NULL;
	if (c != NULL)
		frame_conn_close(c);
	link_down(l, NULL);
	event_free(l->retry);
	free(l);
}

bool
keyd_link_up(const struct keyd_link *l)
{
	return l->conn != NULL;
}

static void
link_try(int fd, short what, void *arg)
{
	struct keyd_link	*l = arg;
	bool			 squatted;

	(void)what;
	if (l->conn != NULL)
		return;
	fd = daemon_connect(l->daemon, ROLE_KEYD,
	    l->daemon->conf->keyd_socket);
	if (fd == -1) {
		squatted = errno == EACCES;
		if (!l->said)
			log_warn("no connection to igra-keyd at %s",
			    l->daemon->conf->keyd_socket);
		l->said = true;
		link_retry(l, squatted ? KEYD_SQUATTED_MS : 0);
		return;
	}
	l->conn = frame_conn_new(l->base, fd, LINK_KEYD, false, &ops, l);
	if (l->conn == NULL) {
		log_warn("igra-keyd");
		link_retry(l, 0);
		return;
	}
	log_info("connected to igra-keyd");
	l->said = false;
	l->metrics->keyd_connected = true;
	l->metrics->keyd_connects++;
	l->connected(l->arg);
}

static void
link_retry(struct keyd_link *l, unsigned wait_ms)
{
	struct timeval	 tv;

	if (l->backoff_ms == 0)
		l->backoff_ms = KEYD_BACKOFF_MIN_MS;
	if (wait_ms == 0)
		wait_ms = l->backoff_ms;
	tv.tv_sec = wait_ms / 1000;
	tv.tv_usec = (suseconds_t)(wait_ms % 1000) * 1000;
	evtimer_add(l->retry, &tv);
	if ((l->backoff_ms *= 2) > KEYD_BACKOFF_MAX_MS)
		l->backoff_ms = KEYD_BACKOFF_MAX_MS;
}

static void
call_end(struct call *c)
{
	struct keyd_link	*l = c->link;

	l->slot[c->id % KEYD_MAX_INFLIGHT] = NULL;
	l->weight -= c->weight;
	l->metrics->keyd_inflight = --l->inflight;
	event_free(c->timer);
	free(c);
}

static void
call_late(int fd, short what, void *arg)
{
	struct call	*c = arg;
	keyd_cb		 cb = c->cb;
	void		*cbarg = c->arg;

	(void)fd;
	(void)what;
	c->link->metrics->keyd_timeouts++;
	call_end(c);
	(void)cb(NULL, KEYD_LATE, cbarg);
}

static void
link_message(struct frame_conn *conn, const struct frame *f, void *arg)
{
	struct keyd_link	*l = arg;
	struct call		*c = l->slot[f->id % KEYD_MAX_INFLIGHT];
	keyd_cb			 cb;
	void			*cbarg;

	l->backoff_ms = 0;		/* it talks: start short next time */
	if (c == NULL || c->id != f->id)
		return;			/* answered too late */
	cb = c->cb;
	cbarg = c->arg;
	call_end(c);
	if (cb(f, KEYD_ANSWERED, cbarg) == -1 && l->conn == conn) {
		log_alert("igra-keyd sent a %s that cannot be: link cut",
		    proto_rule(f->type)->name);
		l->conn = NULL;
		frame_conn_close(conn);
		link_down(l, "wrong answer");
	}
}

static void
link_closed(struct frame_conn *conn, const char *why, void *arg)
{
	struct keyd_link	*l = arg;

	if (l->conn != conn)
		return;
	l->conn = NULL;
	link_down(l, why);
}

/* why NULL: at exit. */
static void
link_down(struct keyd_link *l, const char *why)
{
	struct call	*c;
	keyd_cb		 cb;
	void		*cbarg;
	size_t		 i;

	l->metrics->keyd_connected = false;
	if (why != NULL)
		log_warnx("igra-keyd: %s (%u requests in flight)", why,
		    l->inflight);
	/* With l->conn NULL no callback can add a call. */
	for (i = 0; i < KEYD_MAX_INFLIGHT; i++) {
		if ((c = l->slot[i]) == NULL)
			continue;
		cb = c->cb;
		cbarg = c->arg;
		call_end(c);
		(void)cb(NULL, KEYD_GONE, cbarg);
	}
	if (why != NULL)
		link_retry(l, 0);
}

/* In the first free slot from where the last one went. */
static struct call *
call_new(struct keyd_link *l)
{
	struct call	*c;

	if (l->inflight >= KEYD_MAX_INFLIGHT ||
	    (c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	if ((c->timer = evtimer_new(l->base, call_late, c)) == NULL) {
		free(c);
		return NULL;
	}
	do
		c->id = ++l->count;
	while (l->slot[c->id % KEYD_MAX_INFLIGHT] != NULL);
	c->link = l;
	return c;
}

enum keyd_fail
keyd_link_call(struct keyd_link *l, uint16_t type, const void *p, size_t len,
    unsigned timeout_ms, unsigned weight, keyd_cb cb, void *arg)
{
	struct call	*c;
	struct timeval	 tv;
	unsigned	 ms = timeout_ms + l->weight + weight;

	if (l->conn == NULL)
		return KEYD_GONE;
	if (frame_queued(l->conn) + len > KEYD_MAX_QUEUE ||
	    (c = call_new(l)) == NULL)
		return KEYD_BUSY;
	c->weight = weight;
	c->cb = cb;
	c->arg = arg;
	if (frame_send(l->conn, type, c->id, p, len) == -1) {
		event_free(c->timer);
		free(c);
		return KEYD_GONE;	/* link_closed follows */
	}
	tv.tv_sec = ms / 1000;
	tv.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	evtimer_add(c->timer, &tv);
	l->slot[c->id % KEYD_MAX_INFLIGHT] = c;
	l->weight += weight;
	l->metrics->keyd_inflight = ++l->inflight;
	return KEYD_ANSWERED;
}

bool
keyd_link_tell(struct keyd_link *l, uint16_t type, const void *p, size_t len)
{
	return l->conn != NULL &&
	    frame_queued(l->conn) + len <= KEYD_MAX_QUEUE &&
	    frame_send(l->conn, type, ++l->count, p, len) == 0;
}
