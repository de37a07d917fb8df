/* The tools' blocking side of proto: connect, ask, wait for the answer. */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"
#include "peer.h"

#define CONNECT_MS	5000

static int64_t	now_ms(void);
static int	limit_sending(int, int);
static int	read_full(int, void *, size_t, int64_t, char *, size_t);

static int64_t
now_ms(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A daemon that hangs takes no bytes; whoever talks to it must not hang too. */
static int
limit_sending(int fd, int ms)
{
	struct timeval	 tv = { ms / 1000, ms % 1000 * 1000 };

	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

int
frame_connect(const char *path, uid_t want, char *err, size_t errlen)
{
	struct sockaddr_un	 sun;
	struct peer		 peer;
	int			 fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		snprintf(err, errlen, "%s: socket path too long (at most %zu "
		    "bytes)", path, sizeof(sun.sun_path) - 1);
		return -1;
	}
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1) {
		snprintf(err, errlen, "socket: %s", strerror(errno));
		return -1;
	}
	if (limit_sending(fd, CONNECT_MS) == -1 ||
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    peer_get(fd, &peer) == -1) {
		snprintf(err, errlen, "%s: %s", path, strerror(errno));
		close(fd);
		return -1;
	}
	if (peer.uid != want && peer.uid != 0) {
		snprintf(err, errlen, "%s: listened to by uid %u, expected "
		    "%u: not talking to it", path, (unsigned)peer.uid,
		    (unsigned)want);
		close(fd);
		return -1;
	}
	return fd;
}

int
frame_write(int fd, uint16_t type, uint64_t id, const void *p, size_t len)
{
	struct proto_header	 h;
	uint8_t			 head[PROTO_HEADER_LEN];
	const uint8_t		*at[2];
	size_t			 left[2];
	ssize_t			 n;
	int			 i;

	if (len > UINT32_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	h.type = type;
	h.len = (uint32_t)len;
	h.id = id;
	proto_put_header(head, &h);
	at[0] = head;
	left[0] = sizeof(head);
	at[1] = p;
	left[1] = len;
	for (i = 0; i < 2; i++) {
		while (left[i] > 0) {
			n = send(fd, at[i], left[i], MSG_NOSIGNAL);
			if (n == -1 && errno == EINTR)
				continue;
			if (n == -1)
				return -1;
			at[i] += n;
			left[i] -= (size_t)n;
		}
	}
	return 0;
}

static int
read_full(int fd, void *buf, size_t len, int64_t deadline, char *err,
    size_t errlen)
{
	struct pollfd	 pfd;
	uint8_t		*p = buf;
	int64_t		 left;
	ssize_t		 n;

	while (len > 0) {
		if ((left = deadline - now_ms()) <= 0) {
			snprintf(err, errlen, "no answer in time");
			return -1;
		}
		pfd.fd = fd;
		pfd.events = POLLIN;
		if (poll(&pfd, 1, (int)left) <= 0)
			continue;
		n = read(fd, p, len);
		if (n == -1 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0) {
			snprintf(err, errlen, "%s", n == 0 ?
			    "the daemon closed the connection" :
			    strerror(errno));
			return -1;
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
frame_call(int fd, enum proto_link link, uint16_t type, const void *p,
    size_t len, int timeout_ms, struct frame_reply *r, char *err,
    size_t errlen)
{
	static uint64_t		 next = 1;
	struct proto_header	 h;
	uint8_t			 head[PROTO_HEADER_LEN];
	const char		*why;
	uint64_t		 id = next++;
	int64_t			 deadline = now_ms() + timeout_ms;

	memset(r, 0, sizeof(*r));
	if (limit_sending(fd, timeout_ms) == -1 ||
	    frame_write(fd, type, id, p, len) == -1) {
		if (errno == EAGAIN)
			snprintf(err, errlen, "no answer in time");
		else
			snprintf(err, errlen, "send: %s", strerror(errno));
		return -1;
	}
	for (;;) {
		if (read_full(fd, head, sizeof(head), deadline, err,
		    errlen) == -1)
			return -1;
		if (proto_get_header(head, &h, link, false, &why) == -1) {
			snprintf(err, errlen, "bad answer: %s", why);
			return -1;
		}
		/* One byte more: an empty answer is not an allocation of 0. */
		if ((r->p = malloc((size_t)h.len + 1)) == NULL) {
			snprintf(err, errlen, "out of memory");
			return -1;
		}
		r->type = h.type;
		r->id = h.id;
		r->len = h.len;
		if (read_full(fd, r->p, h.len, deadline, err, errlen) == -1) {
			frame_reply_free(r);
			return -1;
		}
		if (h.id == id)
			return 0;
		frame_reply_free(r);
	}
}

void
frame_reply_free(struct frame_reply *r)
{
	free(r->p);
	memset(r, 0, sizeof(*r));
}
