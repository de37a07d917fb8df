#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "coord_http.h"
#include "peer.h"

#define URL		"http://igra/rpc"
#define FIRST_BODY	4096
#define MAX_TOKEN_LINE	4200

struct ask {
	TAILQ_ENTRY(ask)	 entry;
	struct coord_http	*http;
	CURL			*easy;
	const char		*path;
	char			*buf;
	size_t			 len, cap, max;
	size_t			 headers;
	int			 fd;
	struct coord_answer	 answer;
	coord_http_cb		 cb;
	void			*arg;
};

struct coord_http {
	CURLM			*multi;
	struct curl_slist	*header;
	const uid_t		*uid;
	size_t			 nuid;
	TAILQ_HEAD(, ask)	 asks;
};

static int	 add_header(struct coord_http *, const char *);
static bool	 add_token(struct coord_http *, const char *);
static bool	 set_options(struct ask *, const char *, size_t);
static bool	 may_listen(const struct coord_http *, uid_t);
static curl_socket_t on_open(void *, curlsocktype, struct curl_sockaddr *);
static int	 on_connected(void *, char *, char *, int, int);
static size_t	 on_header(char *, size_t, size_t, void *);
static size_t	 on_body(char *, size_t, size_t, void *);
static int	 take_done(struct coord_http *);
static void	 no_connection(struct ask *);
static void	 ask_done(struct ask *, CURLcode);
static void	 ask_free(struct ask *);

static int
add_header(struct coord_http *h, const char *line)
{
	struct curl_slist	*list;

	if ((list = curl_slist_append(h->header, line)) == NULL)
		return -1;
	h->header = list;
	return 0;
}

static bool
add_token(struct coord_http *h, const char *token)
{
	char	 line[MAX_TOKEN_LINE];
	bool	 good;
	int	 n;

	n = snprintf(line, sizeof(line), "Authorization: Bearer %s", token);
	good = n > 0 && (size_t)n < sizeof(line) && add_header(h, line) == 0;
	explicit_bzero(line, sizeof(line));
	return good;
}

struct coord_http *
coord_http_new(const uid_t *uid, size_t nuid, const char *token)
{
	struct coord_http	*h;

	/* No TLS: nothing of it is initialised. */
	if (curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
		return NULL;
	if ((h = calloc(1, sizeof(*h))) == NULL) {
		curl_global_cleanup();
		return NULL;
	}
	TAILQ_INIT(&h->asks);
	h->uid = uid;
	h->nuid = nuid;
	if ((h->multi = curl_multi_init()) == NULL ||
	    add_header(h, "Content-Type: application/json") == -1 ||
	    add_header(h, "Expect:") == -1 ||
	    (token != NULL && !add_token(h, token))) {
		coord_http_free(h);
		return NULL;
	}
	return h;
}

void
coord_http_free(struct coord_http *h)
{
	struct ask		*a;
	struct curl_slist	*l;

	if (h == NULL)
		return;
	while ((a = TAILQ_FIRST(&h->asks)) != NULL)
		ask_free(a);
	if (h->multi != NULL)
		(void)curl_multi_cleanup(h->multi);
	for (l = h->header; l != NULL; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(h->header);
	free(h);
	curl_global_cleanup();
}

int
coord_http_post(struct coord_http *h, const char *path, const char *body,
    size_t len, size_t max, coord_http_cb cb, void *arg)
{
	struct ask	*a;

	if ((a = calloc(1, sizeof(*a))) == NULL)
		return -1;
	a->http = h;
	a->fd = -1;
	a->path = path;
	a->max = max;
	a->cb = cb;
	a->arg = arg;
	TAILQ_INSERT_TAIL(&h->asks, a, entry);
	if ((a->easy = curl_easy_init()) == NULL ||
	    !set_options(a, body, len) ||
	    curl_multi_add_handle(h->multi, a->easy) != CURLM_OK) {
		ask_free(a);
		return -1;
	}
	return 0;
}

/* Each request has a connection of its own, whose listener is looked at. */
static bool
set_options(struct ask *a, const char *body, size_t len)
{
	CURL	*e = a->easy;

	return curl_easy_setopt(e, CURLOPT_URL, URL) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_PRIVATE, a) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, a->path) ==
	    CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open) ==
	    CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, a) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_connected) ==
	    CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_PREREQDATA, a) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) ==
	    CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_HEADERDATA, a) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_WRITEDATA, a) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_HTTPHEADER, a->http->header) ==
	    CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_POST, 1L) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_POSTFIELDS, body) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE,
	    (curl_off_t)len) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_HTTP_VERSION,
	    (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_HTTP09_ALLOWED, 0L) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_NETRC,
	    (long)CURL_NETRC_IGNORED) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 0L) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
}

static bool
may_listen(const struct coord_http *h, uid_t uid)
{
	size_t	 i;

	for (i = 0; i < h->nuid; i++)
		if (h->uid[i] == uid)
			return true;
	return false;
}

static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *addr)
{
	struct ask	*a = arg;

	(void)purpose;
	a->fd = socket(addr->family, addr->socktype | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, addr->protocol);
	return a->fd == -1 ? CURL_SOCKET_BAD : a->fd;
}

/* libcurl has connected and sent nothing yet. */
static int
on_connected(void *arg, char *ip, char *local_ip, int port, int local_port)
{
	struct ask		*a = arg;
	struct coord_answer	*r = &a->answer;
	struct peer		 peer;

	(void)ip;
	(void)local_ip;
	(void)port;
	(void)local_port;
	if (peer_get(a->fd, &peer) == -1)
		(void)snprintf(r->failure, sizeof(r->failure),
		    "the kernel does not say who listens: %s",
		    strerror(errno));
	else if (!may_listen(a->http, peer.uid))
		(void)snprintf(r->failure, sizeof(r->failure),
		    "not asked: uid %u listens there", (unsigned)peer.uid);
	else
		return CURL_PREREQFUNC_OK;
	return CURL_PREREQFUNC_ABORT;
}

/* Interim answers and trailers come here, too. */
static size_t
on_header(char *line, size_t size, size_t n, void *arg)
{
	struct ask	*a = arg;

	(void)line;
	if (n * size > COORD_HTTP_MAX_HEADERS - a->headers) {
		(void)snprintf(a->answer.failure, sizeof(a->answer.failure),
		    "more than %d KiB of headers",
		    COORD_HTTP_MAX_HEADERS / 1024);
		return 0;
	}
	a->headers += n * size;
	return n * size;
}

static size_t
on_body(char *data, size_t size, size_t n, void *arg)
{
	struct ask	*a = arg;
	char		*p;
	size_t		 cap;

	n *= size;
	if (n > a->max - a->len) {
		(void)snprintf(a->answer.failure, sizeof(a->answer.failure),
		    "an answer of more than %zu bytes", a->max);
		return 0;
	}
	if (n >= a->cap - a->len) {
		cap = a->cap == 0 ? FIRST_BODY : a->cap;
		while (n >= cap - a->len)
			cap *= 2;
		if ((p = realloc(a->buf, cap)) == NULL) {
			(void)snprintf(a->answer.failure,
			    sizeof(a->answer.failure), "out of memory");
			return 0;
		}
		a->buf = p;
		a->cap = cap;
	}
	memcpy(a->buf + a->len, data, n);
	a->len += n;
	return n;
}

int
coord_http_turn(struct coord_http *h, int ms)
{
	int	 running, n;

	if (curl_multi_perform(h->multi, &running) != CURLM_OK)
		return -1;
	/* What is done already is not to wait. */
	if ((n = take_done(h)) != 0)
		return n == -1 ? -1 : 0;
	if (curl_multi_poll(h->multi, NULL, 0, ms, NULL) != CURLM_OK ||
	    curl_multi_perform(h->multi, &running) != CURLM_OK)
		return -1;
	return take_done(h) == -1 ? -1 : 0;
}

/* How many are done and answered; -1 when libcurl is confused. */
static int
take_done(struct coord_http *h)
{
	CURLMsg	*m;
	char	*a;
	int	 left, n = 0;

	while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
		if (m->msg != CURLMSG_DONE || curl_easy_getinfo(m->easy_handle,
		    CURLINFO_PRIVATE, &a) != CURLE_OK || a == NULL)
			return -1;
		ask_done((struct ask *)(void *)a, m->data.result);
		n++;
	}
	return n;
}

static void
no_connection(struct ask *a)
{
	long	 number = 0;

	/* After EAGAIN it waits, and then has no number to tell. */
	(void)curl_easy_getinfo(a->easy, CURLINFO_OS_ERRNO, &number);
	a->answer.busy = number == 0 || number == EAGAIN;
	(void)snprintf(a->answer.failure, sizeof(a->answer.failure),
	    "no connection: %s", a->answer.busy ? "its queue is full" :
	    strerror((int)number));
}

static void
ask_done(struct ask *a, CURLcode code)
{
	struct coord_answer	*r = &a->answer;
	curl_off_t		 retry = 0;

	if (code == CURLE_COULDNT_CONNECT && r->failure[0] == '\0')
		no_connection(a);
	else if (code != CURLE_OK && r->failure[0] == '\0')
		(void)snprintf(r->failure, sizeof(r->failure), "%s",
		    curl_easy_strerror(code));
	if (code == CURLE_OK) {
		r->failure[0] = '\0';
		(void)curl_easy_getinfo(a->easy, CURLINFO_RESPONSE_CODE,
		    &r->status);
		(void)curl_easy_getinfo(a->easy, CURLINFO_RETRY_AFTER, &retry);
		r->retry_after = retry > 86400 ? 86400 : (long)retry;
	}
	if (a->buf != NULL)
		a->buf[a->len] = '\0';
	r->body = a->buf == NULL ? "" : a->buf;
	r->len = a->len;
	(void)curl_multi_remove_handle(a->http->multi, a->easy);
	a->cb(r, a->arg);
	ask_free(a);
}

static void
ask_free(struct ask *a)
{
	TAILQ_REMOVE(&a->http->asks, a, entry);
	if (a->easy != NULL) {
		(void)curl_multi_remove_handle(a->http->multi, a->easy);
		curl_easy_cleanup(a->easy);
	}
	free(a->buf);
	free(a);
}
