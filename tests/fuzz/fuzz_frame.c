/*
 * common/frame on a real socket.  Input: link and direction, how the bytes
 * are cut into writes, then what a hostile peer sends.  What the connection
 * delivers is what walking the same bytes by hand finds, and it closes at the
 * first wrong header.
 */
#include <sys/socket.h>

#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "frame.h"
#include "secmem.h"

#include "fuzz.h"

#define MAX_INPUT	(64 * 1024)	/* what a socket takes at once */
#define MAX_TURNS	1000

/* The same bytes, by hand. */
struct expect {
	const uint8_t	*p;
	size_t		 left;
	enum proto_link	 link;
	bool		 server;
	bool		 pause;
	bool		 paused;
	bool		 closed;
};

static struct event_base	*base;

static void	on_message(struct frame_conn *, const struct frame *, void *);
static void	on_closed(struct frame_conn *, const char *, void *);
static void	setup(void);
static void	feed(struct frame_conn *, struct expect *, int, unsigned);

static void
on_message(struct frame_conn *c, const struct frame *f, void *arg)
{
	struct expect		*x = arg;
	struct proto_header	 h;
	const char		*why;
	uint8_t			*taken;

	CHECK(!x->closed && !x->paused && x->left >= PROTO_HEADER_LEN);
	CHECK(proto_get_header(x->p, &h, x->link, x->server, &why) == 0);
	CHECK(h.type == f->type && h.id == f->id && h.len == f->len);
	x->p += PROTO_HEADER_LEN;
	x->left -= PROTO_HEADER_LEN;
	CHECK(x->left >= f->len);
	CHECK(f->len == 0 || memcmp(x->p, f->p, f->len) == 0);
	x->p += f->len;
	x->left -= f->len;
	if (f->id & 1) {
		taken = frame_take(c);
		CHECK(taken == NULL || taken == f->p);
		free(taken);
	}
	if (x->pause) {
		x->paused = true;
		frame_conn_pause(c);
	}
}

static void
on_closed(struct frame_conn *c, const char *why, void *arg)
{
	struct expect	*x = arg;

	(void)c;
	CHECK(why != NULL && !x->closed);
	x->closed = true;
}

static void
setup(void)
{
	if (base != NULL)
		return;
	CHECK((base = event_base_new()) != NULL);
	CHECK(secmem_init_insecure(1024 * 1024) == 0);
}

static void
feed(struct frame_conn *c, struct expect *x, int fd, unsigned step)
{
	const uint8_t	*p = x->p;
	size_t		 n, left = x->left;
	unsigned	 turns;

	while (left > 0 && !x->closed) {
		n = step == 0 || step > left ? left : step;
		CHECK(write(fd, p, n) == (ssize_t)n);
		p += n;
		left -= n;
		/* Small steps would take a turn a byte. */
		step = step == 0 ? 0 : step * 2;
		CHECK(event_base_loop(base, EVLOOP_NONBLOCK) != -1);
	}
	close(fd);
	for (turns = 0; !x->closed; turns++) {
		CHECK(turns < MAX_TURNS);
		if (x->paused) {
			x->paused = false;
			frame_conn_resume(c);
		}
		CHECK(event_base_loop(base, EVLOOP_NONBLOCK) != -1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct frame_ops	 ops = { on_message, on_closed };
	struct proto_header		 h;
	struct frame_conn		*c;
	struct expect			 x;
	const char			*why;
	int				 fd[2];

	if (size < 2 || size > MAX_INPUT)
		return 0;
	setup();
	memset(&x, 0, sizeof(x));
	x.link = data[0] % LINK_MAX;
	x.server = (data[0] & 0x80) != 0;
	x.pause = (data[0] & 0x40) != 0;
	x.p = data + 2;
	x.left = size - 2;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, fd) == 0);
	c = frame_conn_new(base, fd[0], x.link, x.server, &ops, &x);
	CHECK(c != NULL);
	feed(c, &x, fd[1], data[1]);
	CHECK(secmem_used() == 0);
	/* What is left is no whole message. */
	if (x.left >= PROTO_HEADER_LEN && proto_get_header(x.p, &h, x.link,
	    x.server, &why) == 0)
		CHECK(x.left - PROTO_HEADER_LEN < h.len);
	return 0;
}
