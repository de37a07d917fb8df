/*
 * A client that does what HTTP libraries do not, for tests/e2e/signd.sh.
 *
 *   rawclient SOCKET send [half|leave]  standard input to the socket; then
 *       what comes back to standard output, until the end or 20 s.  half:
 *       shuts its sending side first.  leave: closes without reading.
 *   rawclient SOCKET drip MS            one byte of standard input every MS
 *       ms; prints after how many seconds the server closed, or "sent".
 *   rawclient SOCKET idle N S           N connections that send nothing, for
 *       S seconds; prints how many were open at the end.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define MAX_INPUT	(32 * 1024 * 1024)
#define WAIT_MS		20000

static int	dial(const char *);
static char	*slurp(size_t *);
static int	do_send(const char *, const char *);
static int	do_drip(const char *, int);
static int	do_idle(const char *, int, unsigned);
static bool	closed(int, int);

static int
dial(const char *path)
{
	struct sockaddr_un	 sun;
	int			 fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path))
		fatalx("%s: too long", path);
	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1 ||
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		fatal("%s", path);
	return fd;
}

static char *
slurp(size_t *len)
{
	char	*buf;
	ssize_t	 n;

	if ((buf = malloc(MAX_INPUT)) == NULL)
		fatal("malloc");
	*len = 0;
	while ((n = read(STDIN_FILENO, buf + *len, MAX_INPUT - *len)) > 0)
		*len += (size_t)n;
	return buf;
}

static int
do_send(const char *path, const char *how)
{
	struct pollfd	 pfd;
	char		*in, buf[65536];
	size_t		 len, off = 0;
	ssize_t		 n;
	int		 fd = dial(path);

	in = slurp(&len);
	while (off < len) {
		if ((n = write(fd, in + off, len - off)) <= 0)
			break;		/* refused: the answer says why */
		off += (size_t)n;
	}
	free(in);
	if (strcmp(how, "leave") == 0)
		return close(fd);
	if (strcmp(how, "half") == 0 && shutdown(fd, SHUT_WR) == -1)
		fatal("shutdown");
	pfd.fd = fd;
	pfd.events = POLLIN;
	while (poll(&pfd, 1, WAIT_MS) == 1 &&
	    (n = read(fd, buf, sizeof(buf))) > 0)
		if (fwrite(buf, 1, (size_t)n, stdout) != (size_t)n)
			fatal("stdout");
	return 0;
}

/* Within ms milliseconds? */
static bool
closed(int fd, int ms)
{
	struct pollfd	 pfd = { fd, POLLIN, 0 };
	char		 buf[4096];
	ssize_t		 n;

	if (poll(&pfd, 1, ms) <= 0)
		return false;
	n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	return n == 0 || (n == -1 && errno != EAGAIN);
}

static int
do_drip(const char *path, int ms)
{
	struct timespec	 a, b;
	char		*in;
	size_t		 len, i;
	int		 fd = dial(path);

	in = slurp(&len);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < len; i++)
		if (write(fd, in + i, 1) != 1 || closed(fd, ms))
			break;
	clock_gettime(CLOCK_MONOTONIC, &b);
	if (i == len)
		printf("sent\n");
	else
		printf("%ld\n", (long)(b.tv_sec - a.tv_sec));
	free(in);
	return 0;
}

static int
do_idle(const char *path, int n, unsigned seconds)
{
	int	*fd, i, open = 0;

	if ((fd = calloc((size_t)n, sizeof(*fd))) == NULL)
		fatal("calloc");
	for (i = 0; i < n; i++)
		fd[i] = dial(path);
	printf("connected\n");
	fflush(stdout);
	sleep(seconds);
	for (i = 0; i < n; i++)
		open += !closed(fd[i], 0);
	printf("%d\n", open);
	free(fd);
	return 0;
}

int
main(int argc, char *argv[])
{
	log_init("rawclient", 0);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		fatal("signal");
	if (argc >= 3 && strcmp(argv[2], "send") == 0)
		return do_send(argv[1], argc > 3 ? argv[3] : "");
	if (argc == 4 && strcmp(argv[2], "drip") == 0)
		return do_drip(argv[1], atoi(argv[3]));
	if (argc == 5 && strcmp(argv[2], "idle") == 0)
		return do_idle(argv[1], atoi(argv[3]),
		    (unsigned)atoi(argv[4]));
	fatalx("usage: rawclient socket send|drip|idle ...");
}
