/*
 * igra-signd: HTTP and JSON-RPC for coordinators.  It parses untrusted input
 * and has no key, no passphrase, no file system: what it asks keyd to sign,
 * keyd reads for itself.
 */

#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "notify.h"
#include "pskt.h"
#include "rpc.h"
#include "signd.h"

#define STOP_MS		3500	/* for requests under way, at most */
#define STOP_POLL_MS	20

static struct event_base *base_new(void);
static void	serve(struct signd *, int) __attribute__((noreturn));
static void	on_request(struct http_req *, void *);
static void	on_refused(const struct peer *, unsigned, const char *, void *);
static void	on_connected(void *);
static void	on_signal(int, short, void *);
static void	on_stop(int, short, void *);

int
main(int argc, char *argv[])
{
	static struct signd	 s;
	char			 dir[PATH_MAX], err[256];
	int			 fd;

	daemon_init(&s.d, ROLE_SIGND, argc, argv);
	if (signd_conf_init(&s.c, s.d.conf, false, err, sizeof(err)) == -1)
		fatalx("%s", err);
	fd = daemon_bind(&s.d, s.d.conf->signd_socket);
	if (strlcpy(dir, s.d.conf->keyd_socket, sizeof(dir)) >= sizeof(dir))
		fatalx("%s: path too long", s.d.conf->keyd_socket);
	(void)dirname(dir);
	if (s.d.root)	/* keyd makes its own, but may start later */
		daemon_mkdir(&s.d, ROLE_KEYD, dir, 0755);
	daemon_drop(&s.d, s.d.root ? dir : NULL);
	daemon_listen(fd);
	serve(&s, fd);
}

/*
 * evhttp changes what it waits for several times per request: with a change
 * list the kernel hears only what came of it.
 */
static struct event_base *
base_new(void)
{
	struct event_config	*cfg;
	struct event_base	*base = NULL;

	if ((cfg = event_config_new()) == NULL)
		return NULL;
	if (event_config_set_flag(cfg,
	    EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST) == 0)
		base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	return base;
}

static void
serve(struct signd *s, int fd)
{
	static const struct http_ops	 ops = { on_request, on_refused };
	struct event			*ev[3];

	metrics_init(&s->metrics, now_ns());
	s->metrics.sandbox = s->d.sandbox;
	rpc_init(s);
	limits_init(&s->limits, s->d.conf->rate_limit_rps,
	    s->d.conf->rate_limit_burst, s->c.allow, s->c.nallow);
	if (!s->d.separated)
		s->limits.operator = s->d.uid[ROLE_SIGND];
	health_init(&s->health);
	if ((s->base = base_new()) == NULL || life_init(s) == -1 ||
	    (s->link = keyd_link_new(s->base, &s->d, &s->metrics,
	    on_connected, s)) == NULL ||
	    notes_init(&s->notes, s->base, s->link, &s->metrics) == -1 ||
	    (s->http = http_new(s->base, fd, &s->limits, &s->metrics, &ops,
	    s)) == NULL)
		fatalx("out of memory");
	ev[0] = evsignal_new(s->base, SIGTERM, on_signal, s);
	ev[1] = evsignal_new(s->base, SIGINT, on_signal, s);
	ev[2] = evsignal_new(s->base, SIGHUP, on_signal, s);
	if (ev[0] == NULL || ev[1] == NULL || ev[2] == NULL ||
	    evsignal_add(ev[0], NULL) == -1 ||
	    evsignal_add(ev[1], NULL) == -1 || evsignal_add(ev[2], NULL) == -1)
		fatalx("cannot watch signals");
	daemon_confine(&s->d);
	log_info("serving %s", s->d.conf->signd_socket);
	if (notify_ready(s->base) == -1)
		fatalx("out of memory");
	if (event_base_dispatch(s->base) == -1)
		fatalx("event loop");
	life_free(s);
	(void)notes_stopped(&s->notes, "signal");
	notes_free(&s->notes);
	keyd_link_free(s->link);	/* ends what still waits */
	http_free(s->http);
	event_free(ev[0]);
	event_free(ev[1]);
	event_free(ev[2]);
	event_base_free(s->base);
	limits_free(&s->limits);
	signd_conf_free(&s->c);
	log_info("stopped");
	exit(0);
}

static void
on_request(struct http_req *req, void *arg)
{
	static const struct {
		const char	*path;
		bool		 post;
		bool		 token;
		void		 (*run)(struct signd *, struct http_req *);
	} paths[] = {
		{ "/rpc",	true,	false,	rpc_handle },
		{ "/healthz",	false,	false,	health_alive },
		{ "/readyz",	false,	false,	health_ready },
		{ "/metrics",	false,	true,	health_metrics },
	};
	size_t		 i;

	/* An operator who is not allowed anything else: rpc_handle looks. */
	if (!http_allowed(req) && strcmp(http_path(req), "/rpc") != 0) {
		http_refuse(req, 401, CODE_UNAUTHORIZED,
		    "this user is not in allow_users");
		return;
	}
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (strcmp(http_path(req), paths[i].path) != 0)
			continue;
		if (http_is_post(req) != paths[i].post)
			http_reply_error(req, 405, RPC_INVALID_REQUEST,
			    paths[i].post ? "the method of this path is POST" :
			    "the method of this path is GET", 0);
		else if (!paths[i].token || rpc_authorized(arg, req))
			paths[i].run(arg, req);
		return;
	}
	http_reply_error(req, 404, RPC_INVALID_REQUEST,
	    "no such path: /rpc, /healthz, /readyz, /metrics", 0);
}

static void
on_refused(const struct peer *peer, unsigned code, const char *why, void *arg)
{
	const struct bytes	 none = { NULL, 0 };
	struct signd		*s = arg;

	notes_refused(&s->notes, peer, code, none, none, why);
}

static void
on_connected(void *arg)
{
	struct signd	*s = arg;

	if (!s->started_told)
		s->started_told = notes_started(&s->notes, s->d.conf_hash);
	s->have_key = false;
	signd_ask_key(s);
}

static void
on_signal(int sig, short what, void *arg)
{
	struct signd	*s = arg;
	struct timeval	 tv = { 0, STOP_POLL_MS * 1000 };
	struct event	*ev;

	(void)what;
	if (sig == SIGHUP) {
		log_info("SIGHUP changes nothing: use igractl reload");
		return;
	}
	if (s->stopping)
		return;
	notify_stopping();
	s->stopping = true;
	s->stop_at = now_ns() + STOP_MS * 1000000ULL;
	http_stop(s->http);
	if ((ev = event_new(s->base, -1, EV_PERSIST, on_stop, s)) == NULL ||
	    event_add(ev, &tv) == -1)
		event_base_loopbreak(s->base);
	s->stop = ev;
}

/* Answers under way go out first. */
static void
on_stop(int fd, short what, void *arg)
{
	struct signd	*s = arg;

	(void)fd;
	(void)what;
	if ((s->batches != 0 || http_answering(s->http)) &&
	    now_ns() < s->stop_at)
		return;
	event_free(s->stop);
	s->stop = NULL;
	event_base_loopexit(s->base, NULL);
}
