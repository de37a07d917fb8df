/*
 * HTTP as a client of the socket writes it: http.c over evhttp, the methods
 * behind it, and a keyd that is down.  Input: how the bytes are cut into
 * writes, then the bytes.  What comes back is HTTP with JSON in it, and when
 * the client is gone nothing of it is left.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <string.h>
#include <unistd.h>

#include "signd/rpc.h"
#include "signd/signd.h"

#include "fuzz.h"

#define MAX_INPUT	(64 * 1024)	/* what a socket takes at once */
#define MAX_TURNS	200

static struct signd		 signd;
static const char		 config[] = "[service]\nnetwork = 'devnet'\n"
				    "active_profile = 'signer-01'\n";
static uid_t			 self;
static struct sockaddr_un	 addr;
static socklen_t		 addrlen;

static void	on_request(struct http_req *, void *);
static void	on_refused(const struct peer *, unsigned, const char *, void *);
static void	setup(void);
static void	turn(void);
static size_t	drain(int, char *, size_t, size_t);
static void	send_all(int, const uint8_t *, size_t, unsigned, char *,
		    size_t, size_t *);
static void	check_reply(const char *, size_t);

/* --- keyd is down --- */

bool
keyd_link_up(const struct keyd_link *l)
{
	(void)l;
	return false;
}

enum keyd_fail
keyd_link_call(struct keyd_link *l, uint16_t type, const void *p, size_t len,
    unsigned timeout_ms, unsigned weight, keyd_cb cb, void *arg)
{
	(void)l;
	(void)type;
	(void)p;
	(void)len;
	(void)timeout_ms;
	(void)weight;
	(void)cb;
	(void)arg;
	return KEYD_GONE;
}

bool
keyd_link_tell(struct keyd_link *l, uint16_t type, const void *p, size_t len)
{
	(void)l;
	(void)type;
	(void)p;
	(void)len;
	return false;
}

static void
on_request(struct http_req *req, void *arg)
{
	if (http_is_post(req))
		rpc_handle(arg, req);
	else if (strcmp(http_path(req), "/metrics") == 0)
		health_metrics(arg, req);
	else
		health_ready(arg, req);
}

static void
on_refused(const struct peer *peer, unsigned code, const char *why, void *arg)
{
	(void)arg;
	CHECK(peer->uid == self && code < RPC_CODE_MAX && why != NULL);
}

/* The kernel chooses a name without a file. */
static void
setup(void)
{
	static const struct http_ops	 ops = { on_request, on_refused };
	char				 err[1024];
	int				 fd;

	if (signd.base != NULL)
		return;
	self = geteuid();
	CHECK((signd.base = event_base_new()) != NULL);
	/* A root that fuzzes may reload, so it is a config like any other. */
	signd.d.conf = conf_parse(config, strlen(config), "igra.toml", NULL,
	    self, err, sizeof(err));
	CHECK(signd.d.conf != NULL);
	signd.d.conf_euid = self;
	signd.d.network = KASPA_DEVNET;
	metrics_init(&signd.metrics, now_ns());
	rpc_init(&signd);
	health_init(&signd.health);
	limits_init(&signd.limits, 0, 1, &self, 1);
	CHECK(notes_init(&signd.notes, signd.base, NULL,
	    &signd.metrics) == 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CHECK(fd != -1);
	addr.sun_family = AF_UNIX;
	CHECK(bind(fd, (struct sockaddr *)&addr, sizeof(sa_family_t)) == 0);
	addrlen = sizeof(addr);
	CHECK(getsockname(fd, (struct sockaddr *)&addr, &addrlen) == 0);
	CHECK(listen(fd, 16) == 0);
	signd.http = http_new(signd.base, fd, &signd.limits, &signd.metrics,
	    &ops, &signd);
	CHECK(signd.http != NULL);
}

static void
turn(void)
{
	CHECK(event_base_loop(signd.base, EVLOOP_NONBLOCK) != -1);
}

static size_t
drain(int fd, char *buf, size_t size, size_t len)
{
	ssize_t	 n;

	while (len < size && (n = read(fd, buf + len, size - len)) > 0)
		len += (size_t)n;
	return len;
}

static void
send_all(int fd, const uint8_t *p, size_t left, unsigned step, char *buf,
    size_t size, size_t *len)
{
	ssize_t	 n;
	size_t	 want;

	while (left > 0) {
		want = step == 0 || step > left ? left : step;
		/* Refused and closed: the rest is not wanted. */
		if ((n = send(fd, p, want, MSG_NOSIGNAL)) <= 0)
			break;
		p += n;
		left -= (size_t)n;
		step *= 2;
		turn();
		*len = drain(fd, buf, size, *len);
	}
}

/* The first answer; the length of a second depends on what the first was. */
static void
check_reply(const char *buf, size_t len)
{
	static const char	 end[] = "\r\n\r\n";
	const char		*body, *length;
	char			*stop;
	size_t			 n;
	unsigned		 status;
	int			 major, minor;

	if (len == 0)
		return;
	/* evhttp answers in the version it was asked in, say -1.7. */
	CHECK(sscanf(buf, "HTTP/%d.%d %u ", &major, &minor, &status) == 3);
	CHECK(major <= 1);
	CHECK(status == 100 || (status >= 200 && status < 600));
	if (status == 100)
		return;
	CHECK((body = memmem(buf, len, end, 4)) != NULL);
	body += 4;
	length = memmem(buf, (size_t)(body - buf), "\r\nContent-Length: ", 18);
	if (length == NULL)
		return;
	n = strtoul(length + 18, &stop, 10);
	CHECK(*stop == '\r');
	if (n == 0 || n > len - (size_t)(body - buf))
		return;
	if (memmem(buf, (size_t)(body - buf), "application/json", 16) != NULL)
		CHECK(json_strict(body, n));
	else
		CHECK(memmem(buf, (size_t)(body - buf), "text/plain", 10) !=
		    NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char		 buf[1024 * 1024];
	struct limit_uid	*who;
	size_t			 len = 0;
	unsigned		 turns;
	int			 fd;

	if (size < 1 || size > MAX_INPUT)
		return 0;
	setup();
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CHECK(fd != -1);
	CHECK(connect(fd, (struct sockaddr *)&addr, addrlen) == 0);
	turn();
	send_all(fd, data + 1, size - 1, data[0] & 0x7f, buf,
	    sizeof(buf) - 1, &len);
	/* A client may half-close and still read. */
	if (data[0] & 0x80)
		(void)shutdown(fd, SHUT_WR);
	for (turns = 0; turns < 3; turns++) {
		turn();
		len = drain(fd, buf, sizeof(buf) - 1, len);
	}
	buf[len] = '\0';
	check_reply(buf, len);
	close(fd);
	for (turns = 0; signd.metrics.connections != 0; turns++) {
		CHECK(turns < MAX_TURNS);
		turn();
	}
	CHECK(signd.batches == 0);
	CHECK((who = limits_get(&signd.limits, self, now_ns())) != NULL);
	CHECK(who->refs == 1 && who->bytes == 0);
	limits_put(&signd.limits, who, now_ns());
	return 0;
}
