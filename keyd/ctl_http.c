/* igractl's one question to igra-signd: HTTP/1.1 with what it needs of it. */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"
#include "frame.h"
#include "json.h"

#define ANSWER_MAX	(64 * 1024)
#define ANSWER_MS	10000

static int	 send_all(int, const void *, size_t);
static ssize_t	 read_all(int, char *, size_t, char *, size_t);
static char	*body_of(char *, size_t, size_t *);
static int64_t	 now_ms(void);

static int64_t
now_ms(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* frame_connect() has set how long a write may take. */
static int
send_all(int fd, const void *data, size_t len)
{
	const char	*p = data;
	ssize_t		 n;

	while (len > 0) {
		n = send(fd, p, len, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Until igra-signd closes; one byte more than fits is too much. */
static ssize_t
read_all(int fd, char *buf, size_t size, char *err, size_t errlen)
{
	struct pollfd	 pfd = { .fd = fd, .events = POLLIN };
	int64_t		 end = now_ms() + ANSWER_MS, left;
	size_t		 len = 0;
	ssize_t		 n;

	for (;;) {
		if ((left = end - now_ms()) <= 0) {
			(void)snprintf(err, errlen, "no answer in time");
			return -1;
		}
		if (poll(&pfd, 1, (int)left) <= 0)
			continue;
		n = read(fd, buf + len, size - len);
		if (n == -1 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n == 0)
			return (ssize_t)len;
		if (n == -1 || (len += (size_t)n) == size) {
			(void)snprintf(err, errlen, "%s", n == -1 ?
			    strerror(errno) : "its answer is too long");
			return -1;
		}
	}
}

/* What follows the empty line, or NULL. */
static char *
body_of(char *answer, size_t len, size_t *bodylen)
{
	char	*p;

	if (len < 12 || memcmp(answer, "HTTP/1.1 ", 9) != 0 ||
	    (p = memmem(answer, len, "\r\n\r\n", 4)) == NULL)
		return NULL;
	p += 4;
	*bodylen = len - (size_t)(p - answer);
	return p;
}

int
ctl_rpc(const struct ctl *ctl, const void *body, size_t len,
    struct pool *pool, const struct json **answer, char *err, size_t errlen)
{
	char		*buf, *text, head[256], why[256];
	size_t		 textlen;
	ssize_t		 n;
	int		 fd, ret = -1;

	fd = frame_connect(ctl->conf->signd_socket,
	    ctl->roles.uid[ROLE_SIGND], err, errlen);
	if (fd == -1)
		return -1;
	(void)snprintf(head, sizeof(head), "POST /rpc HTTP/1.1\r\n"
	    "Host: igra\r\nContent-Type: application/json\r\n"
	    "Connection: close\r\nContent-Length: %zu\r\n\r\n", len);
	if ((buf = pool_alloc(pool, 1, ANSWER_MAX)) == NULL)
		(void)snprintf(why, sizeof(why), "out of memory");
	else if (send_all(fd, head, strlen(head)) == -1 ||
	    send_all(fd, body, len) == -1)
		(void)snprintf(why, sizeof(why), "send: %s", strerror(errno));
	else if ((n = read_all(fd, buf, ANSWER_MAX, why, sizeof(why))) == -1)
		;
	else if ((text = body_of(buf, (size_t)n, &textlen)) == NULL)
		(void)snprintf(why, sizeof(why), "it does not answer in HTTP");
	else if ((*answer = json_parse(pool, text, textlen, why,
	    sizeof(why))) != NULL)
		ret = 0;
	if (ret == -1)
		(void)snprintf(err, errlen, "%s: %s",
		    ctl->conf->signd_socket, why);
	close(fd);
	return ret;
}
