/*
 * HTTP requests to many Unix sockets at once, over libcurl (evhttp's client
 * knows no Unix sockets).  Whoever answers may be hostile: a connection is
 * made here and its listener's uid checked before a byte is sent; bodies and
 * headers have a limit; nothing is followed, decoded, looked up or taken from
 * the environment.
 */
#ifndef IGRA_COORD_HTTP_H
#define IGRA_COORD_HTTP_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#define COORD_HTTP_MAX_HEADERS	(64 * 1024)	/* bytes, of one answer */

struct coord_http;

struct coord_answer {
	char		 failure[256];	/* "": answered */
	bool		 busy;		/* its queue is full: ask again */
	long		 status;	/* of HTTP */
	long		 retry_after;	/* s; 0: not said */
	const char	*body;		/* NUL behind it; until the callback ends */
	size_t		 len;
};

/* Runs in coord_http_turn(); may ask again. */
typedef void	(*coord_http_cb)(const struct coord_answer *, void *arg);

/*
 * Listeners must have one of the nuid uids.  token: bearer token or NULL, kept
 * by reference.  NULL without memory.
 */
struct coord_http *coord_http_new(const uid_t *uid, size_t nuid,
	    const char *token);
/* Ends what is under way, without its callbacks. */
void	 coord_http_free(struct coord_http *);

/*
 * POST /rpc to the socket at path.  path and body must last until the
 * callback; an answer of more than max bytes is a failure.  0, or -1 without
 * memory.
 */
int	 coord_http_post(struct coord_http *, const char *path,
	    const char *body, size_t len, size_t max, coord_http_cb, void *arg);

/*
 * Waits at most ms for something to happen, and sees to it.  -1 when libcurl
 * fails.
 */
int	 coord_http_turn(struct coord_http *, int ms);

#endif
