#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frame.h"
#include "secmem.h"

#define FRAME_IOV	64
#define FRAME_BURST	64	/* messages of one peer per turn of the loop */
#define FRAME_AHEAD	4096	/* bytes read ahead */

struct outbuf {
	STAILQ_ENTRY(outbuf)	 entry;
	size_t			 len, off;
	uint8_t			 data[];
};
STAILQ_HEAD(outqueue, outbuf);

struct frame_conn {
	int			 fd;
	enum proto_link		 link;
	bool			 server;
	bool			 paused;	/* by the owner */
	bool			 choked;	/* does not read its answers */
	bool			 violated;
	bool			 dead;		/* close() came inside a handler */
	int			 busy;		/* handlers on the stack */
	const char		*broken;	/* send failed; closed() is due */
	const struct frame_ops	*ops;
	void			*arg;
	struct event		*rev, *wev;
	struct event		*more;		/* bytes read ahead are left */
	uint8_t			 head[PROTO_HEADER_LEN];
	size_t			 headlen;
	struct proto_header	 h;
	uint8_t			*payload;
	bool			 secret;	/* payload is in the arena */
	size_t			 got;
	uint8_t			*ahead;		/* NULL: secrets may come */
	size_t			 aheadlen, aheadoff;
	bool			 drained;	/* by the last read */
	struct outqueue		 out;
	size_t			 queued;
};

static void	frame_readable(int, short, void *);
static void	frame_writable(int, short, void *);
static int	frame_read_some(struct frame_conn *, const char **);
static bool	frame_has_more(const struct frame_conn *);
static void	frame_more(struct frame_conn *);
static void	frame_listen(struct frame_conn *);
static void	frame_choke(struct frame_conn *);
static ssize_t	frame_get(struct frame_conn *, uint8_t *, size_t);
static int	frame_start_payload(struct frame_conn *, const char **);
static void	frame_deliver(struct frame_conn *);
static void	frame_drop_payload(struct frame_conn *);
static int	frame_flush(struct frame_conn *);
static void	frame_free(struct frame_conn *);
static void	frame_lost(struct frame_conn *, const char *);
static struct outbuf *outbuf_new(uint16_t, uint64_t, const void *, size_t);
static bool	secrets_come(enum proto_link, bool);

/* May a message that we receive on this link be a secret one? */
static bool
secrets_come(enum proto_link link, bool server)
{
	uint16_t	 type;

	for (type = 0; type < MSG_MAX; type++)
		if (proto_allowed(type, link, server) &&
		    (proto_rule(type)->flags & PROTO_SECRET) != 0)
			return true;
	return false;
}

struct frame_conn *
frame_conn_new(struct event_base *base, int fd, enum proto_link link,
    bool server, const struct frame_ops *ops, void *arg)
{
	struct frame_conn	*c;

	if ((c = calloc(1, sizeof(*c))) == NULL) {
		close(fd);
		return NULL;
	}
	c->fd = fd;
	c->link = link;
	c->server = server;
	c->ops = ops;
	c->arg = arg;
	STAILQ_INIT(&c->out);
	c->rev = event_new(base, fd, EV_READ | EV_PERSIST, frame_readable, c);
	c->wev = event_new(base, fd, EV_WRITE, frame_writable, c);
	c->more = evtimer_new(base, frame_readable, c);
	if (!secrets_come(link, server))
		c->ahead = malloc(FRAME_AHEAD);	/* without, it is slower */
	if (c->rev == NULL || c->wev == NULL || c->more == NULL ||
	    event_add(c->rev, NULL) != 0) {
		frame_free(c);
		return NULL;
	}
	return c;
}

static void
frame_free(struct frame_conn *c)
{
	struct outbuf	*o;

	if (c->rev != NULL)
		event_free(c->rev);
	if (c->wev != NULL)
		event_free(c->wev);
	if (c->more != NULL)
		event_free(c->more);
	close(c->fd);
	frame_drop_payload(c);
	free(c->ahead);
	while ((o = STAILQ_FIRST(&c->out)) != NULL) {
		STAILQ_REMOVE_HEAD(&c->out, entry);
		freezero(o, sizeof(*o) + o->len);
	}
	free(c);
}

void
frame_conn_close(struct frame_conn *c)
{
	if (c->busy > 0) {
		c->dead = true;
		event_del(c->rev);
		event_del(c->wev);
		event_del(c->more);
		return;
	}
	frame_free(c);
}

/* The peer is gone: tell the owner once, then free. */
static void
frame_lost(struct frame_conn *c, const char *why)
{
	if (!c->dead) {
		c->dead = true;
		c->busy++;
		c->ops->closed(c, why, c->arg);
		c->busy--;
	}
	if (c->busy == 0)
		frame_free(c);
}

void
frame_conn_pause(struct frame_conn *c)
{
	if (!c->paused && !c->dead) {
		event_del(c->rev);
		event_del(c->more);
	}
	c->paused = true;
}

void
frame_conn_resume(struct frame_conn *c)
{
	if (c->paused) {
		c->paused = false;
		frame_listen(c);
	}
}

static void
frame_listen(struct frame_conn *c)
{
	if (c->paused || c->choked || c->dead)
		return;
	event_add(c->rev, NULL);
	frame_more(c);
}

/*
 * Backpressure on the server's side only: were both ends to wait for the
 * other to read first, neither would.
 */
static void
frame_choke(struct frame_conn *c)
{
	if (!c->server || c->dead)
		return;
	if (!c->choked && c->queued > FRAME_HIGH) {
		c->choked = true;
		event_del(c->rev);
		event_del(c->more);
	} else if (c->choked && c->queued <= FRAME_HIGH / 2) {
		c->choked = false;
		frame_listen(c);
	}
}

int
frame_fd(const struct frame_conn *c)
{
	return c->fd;
}

bool
frame_violated(const struct frame_conn *c)
{
	return c->violated;
}

size_t
frame_queued(const struct frame_conn *c)
{
	return c->queued;
}

static void
frame_drop_payload(struct frame_conn *c)
{
	if (c->payload != NULL) {
		if (c->secret)
			secmem_free(c->payload);
		else
			free(c->payload);
	}
	c->payload = NULL;
	c->secret = false;
	c->headlen = c->got = 0;
}

static void
frame_readable(int fd, short what, void *arg)
{
	struct frame_conn	*c = arg;
	const char		*why = NULL;
	int			 i, n = 1;

	(void)fd;
	(void)what;
	c->busy++;
	c->drained = false;
	for (i = 0; i < FRAME_BURST && !c->dead && !c->paused && !c->choked;
	    i++) {
		if ((n = frame_read_some(c, &why)) <= 0)
			break;
		if (c->headlen == PROTO_HEADER_LEN && c->got == c->h.len)
			frame_deliver(c);
	}
	c->busy--;
	if (c->dead)
		frame_free(c);
	else if (n < 0)
		frame_lost(c, why);
	else if (!c->paused && !c->choked)
		frame_more(c);
}

static bool
frame_has_more(const struct frame_conn *c)
{
	return c->aheadoff < c->aheadlen;
}

/* The socket does not tell of bytes that we have already: a timer does. */
static void
frame_more(struct frame_conn *c)
{
	const struct timeval	 now = { 0, 0 };

	if (frame_has_more(c))
		event_add(c->more, &now);
}

/*
 * read(2), but where no secret can come through a buffer: header and payload
 * then cost one system call, and a short read says that there is no more.
 */
static ssize_t
frame_get(struct frame_conn *c, uint8_t *p, size_t len)
{
	size_t	 have;
	ssize_t	 n;

	if (!frame_has_more(c)) {
		if (c->drained) {
			errno = EAGAIN;
			return -1;
		}
		if (c->ahead == NULL || len >= FRAME_AHEAD)
			return read(c->fd, p, len);
		if ((n = read(c->fd, c->ahead, FRAME_AHEAD)) <= 0)
			return n;
		c->drained = n < FRAME_AHEAD;
		c->aheadoff = 0;
		c->aheadlen = (size_t)n;
	}
	have = c->aheadlen - c->aheadoff;
	if (have > len)
		have = len;
	memcpy(p, c->ahead + c->aheadoff, have);
	c->aheadoff += have;
	return (ssize_t)have;
}

/*
 * One read.  1: progress, 0: nothing more now, -1: the connection is over.
 * Where secret messages may come nothing is read past a message, so that none
 * ever lands in a buffer outside the arena.
 */
static int
frame_read_some(struct frame_conn *c, const char **why)
{
	ssize_t	 n;

	if (c->headlen < PROTO_HEADER_LEN) {
		n = frame_get(c, c->head + c->headlen,
		    PROTO_HEADER_LEN - c->headlen);
		if (n > 0)
			c->headlen += (size_t)n;
		if (n > 0 && c->headlen == PROTO_HEADER_LEN &&
		    frame_start_payload(c, why) == -1)
			return -1;
	} else {
		n = frame_get(c, c->payload + c->got, c->h.len - c->got);
		if (n > 0)
			c->got += (size_t)n;
	}
	if (n > 0)
		return 1;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	*why = n == 0 ? "closed by the peer" : strerror(errno);
	return -1;
}

static int
frame_start_payload(struct frame_conn *c, const char **why)
{
	if (proto_get_header(c->head, &c->h, c->link, c->server, why) == -1) {
		c->violated = true;
		return -1;
	}
	c->got = 0;
	if (c->h.len == 0)
		return 0;
	c->secret = (proto_rule(c->h.type)->flags & PROTO_SECRET) != 0;
	c->payload = c->secret ? secmem_alloc(c->h.len) : malloc(c->h.len);
	if (c->payload == NULL) {
		*why = "out of memory for a message";
		return -1;
	}
	return 0;
}

static void
frame_deliver(struct frame_conn *c)
{
	struct frame	 f;

	f.type = c->h.type;
	f.id = c->h.id;
	f.p = c->payload;
	f.len = c->h.len;
	c->ops->message(c, &f, c->arg);
	frame_drop_payload(c);
}

uint8_t *
frame_take(struct frame_conn *c)
{
	uint8_t	*p = c->secret ? NULL : c->payload;

	if (p != NULL)
		c->payload = NULL;
	return p;
}

static struct outbuf *
outbuf_new(uint16_t type, uint64_t id, const void *p, size_t len)
{
	struct proto_header	 h;
	struct outbuf		*o;

	if (len > UINT32_MAX ||
	    (o = malloc(sizeof(*o) + PROTO_HEADER_LEN + len)) == NULL)
		return NULL;
	h.type = type;
	h.len = (uint32_t)len;
	h.id = id;
	proto_put_header(o->data, &h);
	if (len != 0)
		memcpy(o->data + PROTO_HEADER_LEN, p, len);
	o->len = PROTO_HEADER_LEN + len;
	o->off = 0;
	return o;
}

int
frame_send(struct frame_conn *c, uint16_t type, uint64_t id, const void *p,
    size_t len)
{
	struct outbuf	*o;

	if (c->dead || c->broken != NULL)
		return -1;
	if (c->queued + len > FRAME_MAX_QUEUE) {
		c->broken = "the peer does not read its answers";
		goto broken;
	}
	if ((o = outbuf_new(type, id, p, len)) == NULL) {
		c->broken = "out of memory for an answer";
		goto broken;
	}
	STAILQ_INSERT_TAIL(&c->out, o, entry);
	c->queued += o->len;
	/* If it is not the first, the write event is already waiting. */
	if (STAILQ_FIRST(&c->out) != o || frame_flush(c) == 0) {
		frame_choke(c);
		return 0;
	}
	c->broken = "write failed";
broken:
	/* Not from here: the caller may be walking its own lists. */
	event_active(c->wev, EV_WRITE, 1);
	return -1;
}

int
frame_send_enc(struct frame_conn *c, uint16_t type, uint64_t id,
    struct enc *e)
{
	int	 ret = -1;

	if (!e->failed)
		ret = frame_send(c, type, id, e->buf, e->len);
	enc_free(e);
	return ret;
}

int
frame_send_error(struct frame_conn *c, uint64_t id, enum proto_code code,
    uint32_t pskt, const char *message)
{
	struct msg_error	 m;
	struct enc		 e;

	memset(&m, 0, sizeof(m));
	m.code = code;
	m.pskt = pskt;
	m.message = bytes_str(message);
	if (m.message.len > PROTO_MAX_TEXT)
		m.message.len = PROTO_MAX_TEXT;
	enc_init(&e);
	enc_error(&e, &m);
	return frame_send_enc(c, MSG_ERROR, id, &e);
}

/* 0: all written or the write event waits for the rest; -1: broken. */
static int
frame_flush(struct frame_conn *c)
{
	struct iovec	 iov[FRAME_IOV];
	struct msghdr	 mh;
	struct outbuf	*o;
	size_t		 left;
	ssize_t		 n;
	int		 cnt;

	while (!STAILQ_EMPTY(&c->out)) {
		cnt = 0;
		STAILQ_FOREACH(o, &c->out, entry) {
			iov[cnt].iov_base = o->data + o->off;
			iov[cnt].iov_len = o->len - o->off;
			if (++cnt == FRAME_IOV)
				break;
		}
		memset(&mh, 0, sizeof(mh));
		mh.msg_iov = iov;
		mh.msg_iovlen = (size_t)cnt;
		n = sendmsg(c->fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			return event_add(c->wev, NULL);
		if (n == -1)
			return -1;
		c->queued -= (size_t)n;
		for (left = (size_t)n; left > 0; ) {
			o = STAILQ_FIRST(&c->out);
			if (left < o->len - o->off) {
				o->off += left;
				break;
			}
			left -= o->len - o->off;
			STAILQ_REMOVE_HEAD(&c->out, entry);
			freezero(o, sizeof(*o) + o->len);
		}
	}
	return 0;
}

static void
frame_writable(int fd, short what, void *arg)
{
	struct frame_conn	*c = arg;

	(void)fd;
	(void)what;
	if (c->broken == NULL && frame_flush(c) == -1)
		c->broken = "write failed";
	if (c->broken != NULL)
		frame_lost(c, c->broken);
	else
		frame_choke(c);
}
