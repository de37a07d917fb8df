/* From the first daemon's start to the last one's end. */
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bootclock.h"
#include "frame.h"
#include "log.h"
#include "service.h"

#define TICK_MS	20
#define ASK_MS	1000

const enum daemon_role service_order[ROLE_MAX] = {
	ROLE_AUDITD, ROLE_KEYD, ROLE_SIGND
};

static void	start_next(struct service *);
static void	on_tick(int, short, void *);
static int	reach(const struct service_child *);
static bool	listens(const struct service_child *);
static bool	has_log(const struct service_child *);
static bool	is_up(const struct service *);
static void	all_up(struct service *);
static void	say_locked(const struct service *, const char *);
static void	stop(struct service *, int);
static void	stop_next(struct service *);
static void	on_kill(int, short, void *);
static void	on_signal(int, short, void *);
static void	on_child(int, short, void *);
static void	unlock_ended(struct service *, int);
static void	daemon_ended(struct service *, struct service_child *, int);
static struct event *must(struct event *);

static void
start_next(struct service *s)
{
	const struct timeval	 tick = { 0, TICK_MS * 1000 };
	enum daemon_role	 role = service_order[s->nup];

	s->started = bootclock_now();
	if (service_spawn(s, role) == -1) {
		log_warn("cannot start %s", s->child[role].name);
		stop(s, 1);
		return;
	}
	event_add(s->tick, &tick);
}

static int
reach(const struct service_child *c)
{
	char	 err[256];
	int	 fd;

	if ((fd = frame_connect(c->socket, c->uid, err, sizeof(err))) == -1)
		log_debug("%s", err);
	return fd;
}

/* Whether it is its own instance that listens, its exit tells. */
static bool
listens(const struct service_child *c)
{
	int	 fd = reach(c);

	if (fd != -1)
		close(fd);
	return fd != -1;
}

/*
 * igra-auditd listens before it has put the log in order, which takes a while
 * on a slow disk, and without a record nothing is unlocked: igra-keyd knows
 * when it has igra-auditd's answer.
 */
static bool
has_log(const struct service_child *c)
{
	struct msg_keyd_status	 m;
	struct frame_reply	 r;
	struct pool		 pool;
	char			 err[256];
	bool			 ok;
	int			 fd = reach(c), ret;

	if (fd == -1)
		return false;
	ret = frame_call(fd, LINK_KEYD_ADMIN, MSG_KEYD_STATUS_REQ, NULL, 0,
	    ASK_MS, &r, err, sizeof(err));
	close(fd);
	if (ret == -1) {
		log_debug("%s: %s", c->socket, err);
		return false;
	}
	pool_init(&pool, 0);
	ok = r.type == MSG_KEYD_STATUS &&
	    dec_keyd_status(r.p, r.len, &pool, &m) == 0 && m.audit_ok;
	pool_free(&pool);
	frame_reply_free(&r);
	return ok;
}

static bool
is_up(const struct service *s)
{
	enum daemon_role		 role = service_order[s->nup];
	const struct service_child	*c = &s->child[role];

	return role == ROLE_KEYD ? has_log(c) : listens(c);
}

static void
on_tick(int fd, short what, void *arg)
{
	struct service			*s = arg;
	const struct service_child	*c;
	const struct timeval		 tick = { 0, TICK_MS * 1000 };

	(void)fd;
	(void)what;
	if (s->stopping)
		return;
	c = &s->child[service_order[s->nup]];
	if (is_up(s)) {
		if (++s->nup == ROLE_MAX)
			all_up(s);
		else
			start_next(s);
		return;
	}
	if (bootclock_now() - s->started < SERVICE_START_S * NS_PER_S) {
		event_add(s->tick, &tick);
		return;
	}
	log_warnx("%s does not %s %s after %d s", c->name, listens(c) ?
	    "reach igra-auditd, asked on" : "listen on", c->socket,
	    SERVICE_START_S);
	stop(s, 1);
}

static void
say_locked(const struct service *s, const char *why)
{
	log_info("locked (%s): unlock it with igractl -f %s unlock", why,
	    s->ctl.conf->path);
}

/*
 * Without being asked to, only a development network is unlocked; elsewhere
 * somebody at a terminal is asked, or nobody is.
 */
static void
all_up(struct service *s)
{
	const struct service_options	*o = s->o;
	bool				 given;

	given = unlock_source_given(&o->source);
	log_info("igra-auditd, igra-keyd and igra-signd are up");
	if (o->no_unlock)
		say_locked(s, "--no-unlock");
	else if (!given && !s->ctl.conf->use_encrypted_secrets)
		return;
	else if (!given && !readpass_have_tty())
		say_locked(s, "no terminal to ask for the passphrase at");
	else if (service_unlock(s) == -1) {
		log_warn("cannot fork to unlock");
		stop(s, 1);
	}
}

static void
stop(struct service *s, int status)
{
	if (status > s->status)
		s->status = status;
	if (s->stopping)
		return;
	s->stopping = true;
	if (s->unlocker != 0)
		(void)kill(s->unlocker, SIGTERM);
	stop_next(s);
}

static void
stop_next(struct service *s)
{
	const struct timeval	 limit = { SERVICE_STOP_S, 0 };
	struct service_child	*c;
	int			 i;

	for (i = ROLE_MAX - 1; i >= 0; i--) {
		c = &s->child[service_order[i]];
		if (c->pid == 0)
			continue;
		if (!c->told) {
			c->told = true;
			(void)kill(c->pid, SIGTERM);
			event_add(s->kill, &limit);
		}
		return;
	}
	(void)event_base_loopexit(s->base, NULL);
}

static void
on_kill(int fd, short what, void *arg)
{
	struct service	*s = arg;
	int		 i;

	(void)fd;
	(void)what;
	for (i = 0; i < ROLE_MAX; i++) {
		if (s->child[i].pid == 0 || !s->child[i].told)
			continue;
		log_warnx("%s has not stopped within %d s: killed",
		    s->child[i].name, SERVICE_STOP_S);
		(void)kill(s->child[i].pid, SIGKILL);
	}
}

static void
on_signal(int sig, short what, void *arg)
{
	struct service	*s = arg;
	int		 i;

	(void)what;
	if (sig == SIGHUP) {
		for (i = 0; i < ROLE_MAX; i++)
			if (s->child[i].pid != 0)
				(void)kill(s->child[i].pid, SIGHUP);
		return;
	}
	log_info("stopping (%s)", sig == SIGTERM ? "SIGTERM" : "SIGINT");
	stop(s, 0);
}

static void
unlock_ended(struct service *s, int status)
{
	s->unlocker = 0;
	if (s->stopping)
		return;
	if (WIFEXITED(status) && WEXITSTATUS(status) == UNLOCK_OK) {
		log_info("unlocked");
		return;
	}
	/* A lock that an operator wants outlives restarts: that is its point. */
	if (WIFEXITED(status) && WEXITSTATUS(status) == UNLOCK_MARKER)
		say_locked(s, "by an operator");
	else if (s->o->source.file == NULL && s->o->source.fd == -1)
		say_locked(s, "the unlock failed");
	else {
		log_warnx("the unlock failed");
		stop(s, 1);
	}
}

static void
daemon_ended(struct service *s, struct service_child *c, int status)
{
	char	 why[128];
	bool	 clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	c->pid = 0;
	if (!c->told)
		log_warnx("%s died: %s; stopping the others", c->name,
		    service_why(status, why, sizeof(why)));
	else if (!clean)
		log_warnx("%s stopped with %s", c->name,
		    service_why(status, why, sizeof(why)));
	if (!c->told || !clean)
		stop(s, 1);
	if (!s->stopping)
		return;
	if (c->told)
		event_del(s->kill);
	stop_next(s);
}

static void
on_child(int sig, short what, void *arg)
{
	struct service	*s = arg;
	pid_t		 pid;
	int		 i, status;

	(void)sig;
	(void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->unlocker)
			unlock_ended(s, status);
		for (i = 0; i < ROLE_MAX; i++)
			if (pid == s->child[i].pid)
				daemon_ended(s, &s->child[i], status);
	}
}

static struct event *
must(struct event *ev)
{
	if (ev == NULL)
		fatalx("cannot make an event");
	return ev;
}

int
service_run(struct service *s)
{
	static const int	 sigs[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	struct event		*ev[4];
	int			 i;

	if ((s->base = event_base_new()) == NULL)
		fatalx("cannot make the event loop");
	for (i = 0; i < 4; i++) {
		ev[i] = must(evsignal_new(s->base, sigs[i], sigs[i] ==
		    SIGCHLD ? on_child : on_signal, s));
		if (event_add(ev[i], NULL) == -1)
			fatalx("cannot catch signals");
	}
	s->tick = must(evtimer_new(s->base, on_tick, s));
	s->kill = must(evtimer_new(s->base, on_kill, s));
	/* The daemons must be stopped, whoever reads what they say. */
	log_nowait();
	start_next(s);
	if (event_base_dispatch(s->base) == -1)
		fatalx("event loop");
	for (i = 0; i < 4; i++)
		event_free(ev[i]);
	event_free(s->tick);
	event_free(s->kill);
	event_base_free(s->base);
	return s->status;
}
