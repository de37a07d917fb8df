/* igra-auditd: the only process that writes the audit log. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"

#include "auditd/auditd.h"

#define RECOVER_MS	500	/* between tries while the log is not writable */
#define DRAIN_TURNS	16	/* of the loop, for what was sent before a signal */

static struct auditd	 auditd;

static void	 on_commit(int, short, void *);
static void	 on_recover(int, short, void *);
static void	 on_limiter(int, short, void *);
static void	 on_stop(int, short, void *);
static void	 on_hup(int, short, void *);
static struct event *must(struct event *);
static void	 make_events(struct auditd *);
static void	 open_writer(struct auditd *);
static int	 serve(struct auditd *);

uint64_t
monotonic_ns(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

/*
 * An event that is made active while others run comes after all that are
 * active already: the reads of this turn of the loop share one commit.
 */
void
auditd_schedule(struct auditd *a)
{
	event_active(a->commit_ev, EV_TIMEOUT, 1);
}

int
auditd_commit(struct auditd *a)
{
	struct timeval	 soon = { 0, RECOVER_MS * 1000 };

	if (writer_commit(a->writer) == -1) {
		if (!a->faulted) {
			a->faulted = true;
			log_alert("%s cannot be written (%s): nothing is "
			    "signed until it can", a->log.path,
			    writer_fault(a->writer));
			own_fault(a, writer_fault(a->writer));
		}
		event_add(a->recover_ev, &soon);
		return -1;
	}
	if (a->faulted && writer_fault(a->writer) == NULL) {
		a->faulted = false;
		log_info("%s is writable again", a->log.path);
	}
	return 0;
}

static void
on_commit(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)auditd_commit(arg);
}

/* The record of the fault itself is what it is tried with. */
static void
on_recover(int fd, short what, void *arg)
{
	struct timeval	 soon = { 0, RECOVER_MS * 1000 };
	struct auditd	*a = arg;

	(void)fd;
	(void)what;
	if (TAILQ_EMPTY(&a->own))
		own_fault(a, writer_fault(a->writer));
	own_flush(a);
	(void)auditd_commit(a);
	if (a->faulted)
		event_add(a->recover_ev, &soon);
}

static void
on_limiter(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	own_suppressed(arg, false);
}

static void
on_stop(int sig, short what, void *arg)
{
	struct auditd	*a = arg;

	(void)what;
	log_info("stopping (%s)", sig == SIGTERM ? "SIGTERM" : "SIGINT");
	event_base_loopexit(a->base, NULL);
}

static void
on_hup(int sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	(void)arg;
	log_info("SIGHUP changes nothing: the config is read at start");
}

static struct event *
must(struct event *ev)
{
	if (ev == NULL)
		fatal("cannot make an event");
	return ev;
}

static void
make_events(struct auditd *a)
{
	struct event	*ev;

	/* Past a file size limit a write is to fail, not to kill. */
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		fatal("signal");
	if ((a->base = event_base_new()) == NULL)
		fatal("cannot make the event loop");
	a->commit_ev = must(event_new(a->base, -1, 0, on_commit, a));
	a->recover_ev = must(evtimer_new(a->base, on_recover, a));
	a->limiter_ev = must(evtimer_new(a->base, on_limiter, a));
	ev = must(evsignal_new(a->base, SIGTERM, on_stop, a));
	event_add(ev, NULL);
	ev = must(evsignal_new(a->base, SIGINT, on_stop, a));
	event_add(ev, NULL);
	ev = must(evsignal_new(a->base, SIGHUP, on_hup, a));
	event_add(ev, NULL);
}

static void
open_writer(struct auditd *a)
{
	a->writer = writer_new(a->log.fd, a->log.scan.end,
	    &a->log.scan.chain, &writer_system);
	if (a->writer == NULL)
		fatal("cannot make the writer");
	own_started(a);
	own_findings(a);
	(void)auditd_commit(a);
}

/* Until a signal; then all that has been sent is written. */
static int
serve(struct auditd *a)
{
	int	 i;

	if (event_base_dispatch(a->base) == -1)
		fatalx("the event loop failed");
	for (i = 0; i < DRAIN_TURNS; i++)
		event_base_loop(a->base, EVLOOP_NONBLOCK);
	own_suppressed(a, true);
	own_stopped(a, "signal");
	own_flush(a);
	if (auditd_commit(a) == -1 || !TAILQ_EMPTY(&a->own)) {
		log_alert("stopped with records that could not be written");
		return 1;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct auditd	*a = &auditd;
	char		 err[512];
	int		 fd, admin_fd, ret;

	daemon_init(&a->d, ROLE_AUDITD, argc, argv);
	a->started = monotonic_ns();
	TAILQ_INIT(&a->clients);
	TAILQ_INIT(&a->pending);
	TAILQ_INIT(&a->own);
	limiter_init(&a->limiter, LIMITER_EVENTS, LIMITER_WINDOW);
	if (logfile_init(&a->log, a->d.conf->key_audit_log_path, err,
	    sizeof(err)) == -1)
		fatalx("%s", err);

	daemon_mkdir(&a->d, ROLE_AUDITD, a->log.dir, 0700);
	fd = daemon_bind(&a->d, a->d.conf->auditd_socket);
	admin_fd = daemon_bind(&a->d, a->d.conf->auditd_admin_socket);
	if (logfile_open_dir(&a->log, err, sizeof(err)) == -1)
		fatalx("%s", err);
	daemon_drop(&a->d, a->log.dir);
	/*
	 * The directory is open already; the file comes only now, since what
	 * a stranger may have put there is not for root to read or rename.
	 */
	if (logfile_open(&a->log, a->d.uid[ROLE_AUDITD], err,
	    sizeof(err)) == -1)
		fatalx("%s", err);
	daemon_listen(fd);
	daemon_listen(admin_fd);
	make_events(a);
	daemon_confine(&a->d);

	open_writer(a);
	clients_init(a, fd, admin_fd);
	log_info("writing %s, seq %" PRIu64 " (%s)", a->log.path,
	    writer_durable(a->writer)->seq, a->d.sandbox);
	ret = serve(a);
	clients_free(a);
	writer_free(a->writer);
	logfile_close(&a->log);
	return ret;
}
