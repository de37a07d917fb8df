/*
 * HTTP/1.1 on the Unix socket: libevent's evhttp, with around it what it
 * lacks.  A cap of connections and of bytes per uid, a deadline for each
 * request and for each answer, JSON instead of evhttp's own error pages, and
 * answers that outlive a client that left or half-closed.
 */
#ifndef IGRA_HTTP_H
#define IGRA_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "limits.h"
#include "metrics.h"
#include "peer.h"

#define HTTP_MAX_BODY		(8 * 1024 * 1024)	/* DESIGN 10 */
#define HTTP_MAX_HEADERS	(64 * 1024)
/* evhttp's own cap, above ours, since it answers by itself. */
#define HTTP_EVHTTP_BODY	(HTTP_MAX_BODY + 1024 * 1024)
/* A request as it comes, chunk headers included. */
#define HTTP_MAX_RAW		(HTTP_EVHTTP_BODY + 1024 * 1024)
/* All that one uid has under way. */
#define HTTP_MAX_UID_BYTES	(64 * 1024 * 1024)

#define HTTP_MAX_CONNS		1024
#define HTTP_MAX_UID_CONNS	256
#define HTTP_MAX_STRANGER_CONNS	16	/* per uid that is not allowed */
#define HTTP_MAX_LINGER		32	/* beyond its cap, being told so */

#define HTTP_RECEIVE_S		10	/* first byte to last of a request */
#define HTTP_SEND_S		30	/* an answer taken */
#define HTTP_IDLE_S		60
#define HTTP_LINGER_S		5	/* a refused client may still send */

struct http;
struct http_req;

struct http_ops {
	/* Answered with http_reply, now or later. */
	void	(*request)(struct http_req *, void *);
	/* A peer or a request was refused before it came to that. */
	void	(*refused)(const struct peer *, unsigned code,
		    const char *why, void *);
};

/*
 * Serves the listening socket.  Limits, metrics, ops and arg must outlive it.
 * NULL when out of memory.
 */
struct http	*http_new(struct event_base *, int fd, struct limits *,
		    struct metrics *, const struct http_ops *, void *arg);
/* Takes no more connections; those there end with their next answer. */
void		 http_stop(struct http *);
/* Is one being answered, or its answer being sent? */
bool		 http_answering(const struct http *);
/* Closes everything.  No request may be unanswered. */
void		 http_free(struct http *);

bool		 http_is_post(const struct http_req *);
const char	*http_path(const struct http_req *);
/* First header of this name, or NULL. */
const char	*http_header(const struct http_req *, const char *);
/* The body, valid until http_reply. */
const char	*http_body(const struct http_req *, size_t *len);
const struct peer *http_peer(const struct http_req *);
struct limit_uid *http_uid(const struct http_req *);
/*
 * Is the peer in allow_users?  If not, it is an operator, who may only reload:
 * nobody else comes as far as a request.
 */
bool		 http_allowed(const struct http_req *);
/*
 * Refuses a request for what it is or who sent it: counted, told, answered
 * with a JSON-RPC error, and the connection closed after it.
 */
void		 http_refuse(struct http_req *, int status, unsigned code,
		    const char *why);

/*
 * Answers and frees the request; body is emptied, not freed.  retry_after:
 * seconds, 0 for none.  A client that has left makes no difference.
 */
void		 http_reply(struct http_req *, int status, const char *type,
		    struct evbuffer *body, unsigned retry_after);
/* Answers with a JSON-RPC error (id null); message needs no escaping. */
void		 http_reply_error(struct http_req *, int status, unsigned code,
		    const char *message, unsigned retry_after);

#endif
