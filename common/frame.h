/*
 * proto over a Unix stream socket.  frame_conn is the daemons' non-blocking
 * side on libevent; frame_call is the tools' blocking one.
 *
 * The header is checked (type, link, direction, length) before a byte of
 * payload is read or allocated.  Payloads flagged PROTO_SECRET are read
 * straight into the secret arena and wiped after the handler.
 */
#ifndef IGRA_FRAME_H
#define IGRA_FRAME_H

#include <sys/types.h>

#include <event2/event.h>

#include "messages.h"

#define FRAME_MAX_QUEUE	(64 * 1024 * 1024)	/* unsent bytes per connection */
/* A server reads no further requests of who leaves so much unread. */
#define FRAME_HIGH	(1024 * 1024)

struct frame {
	uint16_t	 type;
	uint64_t	 id;		/* request id, chosen by the client */
	const uint8_t	*p;
	size_t		 len;
};

struct frame_conn;
struct frame_ops {
	/* The frame is valid only during the call.  May close the connection. */
	void	(*message)(struct frame_conn *, const struct frame *, void *);
	/*
	 * The peer left or broke the protocol (why is never NULL).  The
	 * connection is freed when this returns.
	 */
	void	(*closed)(struct frame_conn *, const char *why, void *);
};

/*
 * Takes the non-blocking fd over.  server: we are the end that listens on
 * this link.  NULL when out of memory (fd is closed).
 */
struct frame_conn *frame_conn_new(struct event_base *, int fd,
		    enum proto_link, bool server, const struct frame_ops *,
		    void *arg);
/* Closes without calling ops->closed.  Safe inside ops->message. */
void		 frame_conn_close(struct frame_conn *);
/*
 * Inside ops->message: the frame's payload (malloc'd) becomes the caller's.
 * NULL when it is empty or secret.
 */
uint8_t		*frame_take(struct frame_conn *);
/* Backpressure: stop reading from this peer, and go on. */
void		 frame_conn_pause(struct frame_conn *);
void		 frame_conn_resume(struct frame_conn *);
/*
 * Queues one message, writing at once what the socket takes.  -1 when the
 * queue is full or memory is out: then the connection is no longer usable
 * and ops->closed follows from the event loop.
 */
int		 frame_send(struct frame_conn *, uint16_t type, uint64_t id,
		    const void *, size_t);
/* Sends and frees what an encoder made; -1 also when it had failed. */
int		 frame_send_enc(struct frame_conn *, uint16_t type,
		    uint64_t id, struct enc *);
int		 frame_send_error(struct frame_conn *, uint64_t id,
		    enum proto_code, uint32_t pskt, const char *message);
/* Has the peer sent what no message begins with?  For ops->closed. */
bool		 frame_violated(const struct frame_conn *);
size_t		 frame_queued(const struct frame_conn *);
int		 frame_fd(const struct frame_conn *);

/* --- tools: one request, one answer --- */

struct frame_reply {
	uint16_t	 type;
	uint64_t	 id;
	uint8_t		*p;		/* malloc'd; frame_reply_free */
	size_t		 len;
};

/*
 * Connects to a daemon's socket and checks the listener's uid before a byte
 * is sent: want_uid, or root (an admin socket squatted by a third is refused).
 * Connecting, and each later write, waits at most 5 s.
 * fd, or -1 with the reason in err.
 */
int	frame_connect(const char *path, uid_t want_uid, char *err, size_t);
/* Sends without waiting for an answer.  0 or -1 (errno). */
int	frame_write(int fd, uint16_t type, uint64_t id, const void *, size_t);
/*
 * Sends and waits for the answer with the same id, at most timeout_ms for
 * each of the two.
 * 0, or -1 with the reason in err.
 */
int	frame_call(int fd, enum proto_link, uint16_t type, const void *,
	    size_t, int timeout_ms, struct frame_reply *, char *err, size_t);
void	frame_reply_free(struct frame_reply *);

#endif
