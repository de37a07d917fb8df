/*
 * A closed loop of requests: each connection sends the next one when it has
 * its answer.  Only for measuring.
 *
 *   bench-client [-u] [-c connections] [-m member] [-n requests] SOCKET BODIES
 *
 * BODIES has one JSON-RPC request a line; connections take them in turn, -n
 * in all.  -u: each with transaction ids of its own, as a transaction that
 * nobody has seen before.  HTTP/1.1 with keep-alive over a Unix socket, one process per
 * connection.  An answer that is not a result ends the run with its text.
 * Prints one line: requests seconds p50 p99 signatures; times in
 * microseconds but for the second.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <ctype.h>
#include <err.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"

#define MAX_CONNECTIONS	64
#define MAX_REQUESTS	1000000
#define MAX_BODIES	4096
#define MAX_ANSWER	(64 * 1024 * 1024)

struct body {
	char		*p;		/* head and body; ends with a NUL */
	size_t		 len;
};

/* Of all processes. */
struct shared {
	atomic_uint		 next;		/* request to be sent */
	atomic_uint_fast64_t	 signatures;
	double			 latency[];	/* by request */
};

struct answer {
	char		*p;
	size_t		 len, cap;
};

static char	*slurp(const char *, size_t *);
static size_t	 bodies_read(const char *, struct body *);
static void	 body_make(struct body *, const char *, size_t);
static void	 body_renew(struct body *, uint64_t);
static int	 dial(const char *);
/* What an answer that is none has not got; counted. */
static const char	*member = "\"signature\":";
/* Of the first request; 0: they stay as they are. */
static uint64_t		 fresh;

static void	 send_all(int, const char *, size_t);
static void	 answer_room(struct answer *, size_t);
static size_t	 answer_head(int, struct answer *, size_t *);
static unsigned	 answer_read(int, struct answer *);
static void	 worker(const char *, int, unsigned, struct body *, size_t,
		    struct shared *);
static unsigned	 number(const char *, unsigned, const char *);

int
main(int argc, char **argv)
{
	static struct body	 bodies[MAX_BODIES];
	struct shared		*sh;
	unsigned		 conns = 1, total = 100, i;
	size_t			 n, size;
	double			 start;
	int			 ch, gate[2], status, bad = 0;

	while ((ch = getopt(argc, argv, "c:m:n:u")) != -1) {
		switch (ch) {
		case 'c':
			conns = number(optarg, MAX_CONNECTIONS, "-c");
			break;
		case 'm':
			member = optarg;
			break;
		case 'n':
			total = number(optarg, MAX_REQUESTS, "-n");
			break;
		case 'u':
			fresh = (uint64_t)(now_us() * 1000);
			break;
		default:
			goto usage;
		}
	}
	if (argc - optind != 2) {
usage:
		fprintf(stderr, "usage: bench-client [-u] [-c connections] "
		    "[-m member] [-n requests] socket bodies\n");
		return 2;
	}
	n = bodies_read(argv[optind + 1], bodies);
	size = sizeof(*sh) + total * sizeof(sh->latency[0]);
	sh = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sh == MAP_FAILED || pipe(gate) == -1)
		err(1, NULL);
	for (i = 0; i < conns; i++) {
		switch (fork()) {
		case -1:
			err(1, "fork");
		case 0:
			close(gate[1]);
			worker(argv[optind], gate[0], total, bodies, n, sh);
			_exit(0);
		}
	}
	close(gate[0]);
	usleep(50000);		/* all are connected */
	start = now_us();
	close(gate[1]);		/* and off */
	for (i = 0; i < conns; i++)
		if (wait(&status) == -1 || status != 0)
			bad = 1;
	start = now_us() - start;
	if (bad)
		return 1;
	qsort(sh->latency, total, sizeof(sh->latency[0]), by_value);
	printf("%u %.6f %.1f %.1f %llu\n", total, start / 1e6,
	    sh->latency[total / 2], sh->latency[total - 1 - total / 100],
	    (unsigned long long)sh->signatures);
	return 0;
}

static unsigned
number(const char *text, unsigned max, const char *what)
{
	unsigned long	 v;
	char		*end;

	v = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end != '\0' || v < 1 ||
	    v > max)
		errx(2, "%s: a number from 1 to %u", what, max);
	return (unsigned)v;
}

static char *
slurp(const char *path, size_t *len)
{
	struct stat	 st;
	ssize_t		 n;
	char		*p;
	int		 fd;

	if ((fd = open(path, O_RDONLY)) == -1 || fstat(fd, &st) == -1)
		err(1, "%s", path);
	if ((p = malloc((size_t)st.st_size + 1)) == NULL)
		err(1, NULL);
	for (*len = 0; *len < (size_t)st.st_size; *len += (size_t)n)
		if ((n = read(fd, p + *len, (size_t)st.st_size - *len)) <= 0)
			err(1, "%s", path);
	close(fd);
	p[*len] = '\0';
	return p;
}

static size_t
bodies_read(const char *path, struct body *bodies)
{
	size_t	 len, n = 0;
	char	*text = slurp(path, &len), *line = text, *end;

	while (n < MAX_BODIES && (end = strchr(line, '\n')) != NULL) {
		body_make(&bodies[n++], line, (size_t)(end - line));
		line = end + 1;
	}
	free(text);
	if (n == 0)
		errx(1, "%s: no requests", path);
	return n;
}

/* Head and body in one buffer: one write, as a good client would. */
static void
body_make(struct body *b, const char *json, size_t len)
{
	char	 head[256];
	int	 n;

	n = snprintf(head, sizeof(head), "POST /rpc HTTP/1.1\r\n"
	    "Host: localhost\r\nContent-Type: application/json\r\n"
	    "Content-Length: %zu\r\n\r\n", len);
	b->len = (size_t)n + len;
	if ((b->p = malloc(b->len + 1)) == NULL)
		err(1, NULL);
	memcpy(b->p, head, (size_t)n);
	memcpy(b->p + n, json, len);
	b->p[b->len] = '\0';
}

/* The first 16 digits of each transaction id become v. */
static void
body_renew(struct body *b, uint64_t v)
{
	static const char	 key[] = "\"transactionId\":\"";
	char			 digits[17], *p = b->p;

	(void)snprintf(digits, sizeof(digits), "%016llx",
	    (unsigned long long)v);
	while ((p = strstr(p, key)) != NULL) {
		p += strlen(key);
		memcpy(p, digits, 16);
	}
}

static int
dial(const char *path)
{
	struct sockaddr_un	 sun;
	int			 fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path))
		errx(1, "%s: too long for a socket", path);
	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1 ||
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		err(1, "%s", path);
	return fd;
}

static void
send_all(int fd, const char *p, size_t len)
{
	ssize_t	 n;

	for (; len > 0; p += n, len -= (size_t)n)
		if ((n = send(fd, p, len, MSG_NOSIGNAL)) == -1)
			err(1, "send");
}

/* Room for n bytes in all, and a NUL. */
static void
answer_room(struct answer *a, size_t n)
{
	if (n > MAX_ANSWER)
		errx(1, "the answer is too long");
	if (n + 1 <= a->cap)
		return;
	a->cap = n + 64 * 1024;
	if ((a->p = realloc(a->p, a->cap)) == NULL)
		err(1, NULL);
}

/* Reads until the head is there; its length, and that of the body. */
static size_t
answer_head(int fd, struct answer *a, size_t *bodylen)
{
	char	*end, *p;
	ssize_t	 n;

	do {
		answer_room(a, a->len + 16 * 1024);
		if ((n = read(fd, a->p + a->len, 16 * 1024)) <= 0)
			err(1, "the connection ended");
		a->len += (size_t)n;
		a->p[a->len] = '\0';
	} while ((end = strstr(a->p, "\r\n\r\n")) == NULL);
	if (strncmp(a->p, "HTTP/1.1 200 ", 13) != 0 ||
	    (p = strcasestr(a->p, "\r\nContent-Length:")) == NULL || p > end)
		errx(1, "unexpected answer: %.300s", a->p);
	*bodylen = (size_t)strtoul(p + strlen("\r\nContent-Length:"), NULL,
	    10);
	return (size_t)(end - a->p) + 4;
}

/* One answer, whole; the number of signatures in it. */
static unsigned
answer_read(int fd, struct answer *a)
{
	size_t			 head, body;
	ssize_t			 n;
	unsigned		 found = 0;
	char			*p;

	a->len = 0;
	head = answer_head(fd, a, &body);
	answer_room(a, head + body);
	while (a->len < head + body) {
		n = read(fd, a->p + a->len, head + body - a->len);
		if (n <= 0)
			err(1, "the connection ended");
		a->len += (size_t)n;
	}
	a->p[a->len] = '\0';
	for (p = a->p + head; (p = strstr(p, member)) != NULL; found++)
		p += strlen(member);
	if (found == 0)
		errx(1, "no %s in: %.500s", member, a->p + head);
	return found;
}

static void
worker(const char *path, int gate, unsigned total, struct body *bodies,
    size_t n, struct shared *sh)
{
	struct answer	 a = { 0 };
	unsigned	 i;
	double		 start;
	char		 c;
	int		 fd = dial(path);

	(void)!read(gate, &c, 1);
	while ((i = atomic_fetch_add(&sh->next, 1)) < total) {
		if (fresh != 0)
			body_renew(&bodies[i % n], fresh + i);
		start = now_us();
		send_all(fd, bodies[i % n].p, bodies[i % n].len);
		sh->signatures += answer_read(fd, &a);
		sh->latency[i] = now_us() - start;
	}
	close(fd);
}
