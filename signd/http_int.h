/* Between http.c (requests) and http_conn.c (connections). */
#ifndef IGRA_HTTP_INT_H
#define IGRA_HTTP_INT_H

#include <sys/queue.h>

#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "http.h"

enum conn_state {
	CONN_NEW,		/* accepted, not looked at */
	CONN_IDLE,		/* before a request's first byte */
	CONN_RECEIVE,
	CONN_RUN,		/* the request is ours to answer */
	CONN_SEND,
	CONN_LINGER		/* taken from evhttp: refused, then closed */
};

struct http_conn {
	TAILQ_ENTRY(http_conn)	 entry;
	TAILQ_ENTRY(http_conn)	 idle_entry;	/* in CONN_IDLE */
	struct http		*http;
	struct bufferevent	*bev;
	struct evhttp_connection *evcon;
	int			 fd;
	struct peer		 peer;
	struct limit_uid	*who;
	enum conn_state		 state;
	bool			 freeing;	/* by us, not by evhttp */
	bool			 eof;		/* in CONN_LINGER */
	int			 page;		/* status that evhttp answers with */
	size_t			 held;		/* bytes of the request so far */
	struct http_req		*req;		/* in CONN_RUN */
	struct event		*timer;
	struct event		*later;
	struct evbuffer_cb_entry *incb, *outcb;
};
TAILQ_HEAD(http_conns, http_conn);

struct http {
	struct event_base	*base;
	struct evhttp		*ev;
	struct evconnlistener	*listener;	/* evhttp's */
	struct limits		*limits;
	struct metrics		*metrics;
	const struct http_ops	*ops;
	void			*arg;
	bool			 stopping;
	unsigned		 n;
	struct http_conns	 conns;
	struct http_conns	 idle;		/* for longest first */
	struct http_conn	**byfd;
	size_t			 nbyfd;
};

/* evhttp_set_bevcb: a connection was accepted. */
struct bufferevent *conn_new(struct event_base *, void *http);
struct http_conn *conn_find(struct http *, struct evhttp_request *);
/* The request is complete: no deadline but the handler's. */
void	 conn_running(struct http_conn *, struct http_req *);
/* The answer is with evhttp. */
void	 conn_sending(struct http_conn *);
/* evhttp_request_set_on_complete_cb: the answer is out. */
void	 conn_answered(struct evhttp_request *, void *conn);
void	 conn_free(struct http_conn *);
/* evhttp frees it: http_req must not use it, nor the evhttp_request if gone. */
void	 http_conn_gone(struct http_req *, bool request_gone);

const char *http_reason(int status);

#endif
