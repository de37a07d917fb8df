/* igra-auditd: the only process that writes the audit log. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/fileattr.h"
#include "common/log.h"
#include "common/notify.h"
#include "common/secmem.h"

#include "auditd/auditd.h"

#define RECOVER_MS	500	/* between tries while the log is not writable */
#define DRAIN_TURNS	16	/* of the loop, for what was sent before a signal */

static struct auditd	 auditd;

static void	 on_commit(int, short, void *);
static void	 on_recover(int, short, void *);
static void	 retry_soon(struct auditd *);
static void	 on_limiter(int, short, void *);
static void	 on_stop(int, short, void *);
static void	 on_hup(int, short, void *);
static struct event *must(struct event *);
static void	 make_events(struct auditd *);
static void	 make_arena(struct auditd *);
static void	 open_reserve(struct auditd *);
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

bool
auditd_writable(const struct auditd *a)
{
	return !a->faulted && !a->stopped && !seal_outstanding(a);
}

const char *
auditd_reason(const struct auditd *a)
{
	if (a->stopped || a->tampered != 0)
		return a->tamper_text;
	if (a->faulted)
		return a->fault;
	if (a->nospace)
		return "no space left for the audit log: only refusals, locks "
		    "and alerts are recorded";
	return a->off_anchor ? "the checkpoints' origin is not the audit.anchor "
	    "of the config" : "";
}

static void
retry_soon(struct auditd *a)
{
	struct timeval	 soon = { 0, RECOVER_MS * 1000 };

	event_add(a->recover_ev, &soon);
}

/*
 * A full disk is no fault as long as there is a reserve: those records that
 * may use it are queued again with the next commit, in this turn of the loop.
 */
int
auditd_fault(struct auditd *a, const char *why)
{
	if (writer_full(a->writer) && reserve_give(&a->reserve)) {
		a->nospace = true;
		log_alert("%s cannot be written (%s): nothing is signed; "
		    "refusals, locks and alerts are recorded in the reserve",
		    a->log.path, why);
		own_fault(a, why);
		auditd_schedule(a);
	} else if (!a->faulted) {
		a->faulted = true;
		(void)strlcpy(a->fault, why, sizeof(a->fault));
		log_alert("%s cannot be written (%s): nothing is signed until "
		    "it can%s", a->log.path, why,
		    fileattr_append_only(a->log.fd) ? "; it has the "
		    "append-only attribute, so that a half-written line may "
		    "have to be cut off by hand: chattr -a it" : "");
		own_fault(a, why);
		append_again(a);
	}
	retry_soon(a);
	clients_health(a);
	return -1;
}

int
auditd_commit(struct auditd *a)
{
	if (seal_outstanding(a) && seal_finish(a) == -1)
		return -1;
	if (!a->faulted && !a->stopped) {
		append_again(a);
		own_flush(a);
	}
	if (writer_commit(a->writer) == -1)
		return auditd_fault(a, writer_fault(a->writer));
	if (a->faulted && writer_fault(a->writer) == NULL) {
		a->faulted = false;
		log_info("%s is writable again", a->log.path);
	}
	seal_schedule(a);
	rotate_if_large(a);
	clients_health(a);
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
	struct auditd	*a = arg;

	(void)fd;
	(void)what;
	if (a->stopped)
		return;
	if (a->nospace && reserve_keep(&a->reserve) == 0) {
		a->nospace = false;
		log_info("%s: there is space again", a->log.path);
	}
	if (a->faulted && !seal_outstanding(a)) {
		if (TAILQ_EMPTY(&a->own))
			own_fault(a, a->fault);
		own_flush(a);
	}
	(void)auditd_commit(a);
	if (a->faulted || a->nospace)
		retry_soon(a);
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
	notify_stopping();
	log_info("stopping (%s)", sig == SIGTERM ? "SIGTERM" : "SIGINT");
	event_base_loopexit(a->base, NULL);
}

static void
on_hup(int sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	(void)arg;
	log_info("SIGHUP changes nothing: use igractl reload");
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

/* For the checkpoints' secrets. */
static void
make_arena(struct auditd *a)
{
	const char	*errstr;

	log_onfatal(secmem_wipe);
	if (secmem_init(CHECKPOINT_ARENA, 0, &errstr) == 0)
		return;
	if (a->d.network == KASPA_MAINNET)
		fatalx("%s", errstr);
	log_warning("%s", errstr);
	if (secmem_init_insecure(CHECKPOINT_ARENA) == -1)
		fatalx("cannot map the secret arena");
}

static void
open_reserve(struct auditd *a)
{
	if (reserve_open(&a->reserve, a->log.dirfd, a->d.conf->reserve_bytes,
	    a->d.uid[ROLE_AUDITD]) == 0)
		return;
	/* What is left of an earlier one is not for signatures either. */
	a->nospace = errno == ENOSPC || errno == EDQUOT;
	log_alert("%s/%s: cannot put reserve_bytes by: %s%s", a->log.dir,
	    RESERVE_FILE, strerror(errno), a->nospace ? "; nothing is signed "
	    "until it can" : "");
	if (a->nospace)
		retry_soon(a);
}

/* What opening has found comes first, and a Checkpoint before even that. */
static void
open_writer(struct auditd *a)
{
	a->writer = writer_new(a->log.fd, a->log.scan.end,
	    &a->log.scan.chain, &writer_system);
	if (a->writer == NULL)
		fatal("cannot make the writer");
	seal_recover(a);
	own_findings(a);
	own_started(a);
	(void)auditd_commit(a);
	tamper_init(a);
	tamper_look(a, false);
}

/* Until a signal; then all that has been sent is written. */
static int
serve(struct auditd *a)
{
	int	 i;

	if (notify_ready(a->base) == -1)
		fatalx("out of memory");
	if (event_base_dispatch(a->base) == -1)
		fatalx("the event loop failed");
	for (i = 0; i < DRAIN_TURNS; i++)
		event_base_loop(a->base, EVLOOP_NONBLOCK);
	own_suppressed(a, true);
	own_stopped(a, "signal");
	if (a->stopped || auditd_commit(a) == -1 || !TAILQ_EMPTY(&a->own)) {
		log_alert("stopped with records that could not be written");
		return 1;
	}
	(void)seal_now(a);
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
	TAILQ_INIT(&a->again);
	TAILQ_INIT(&a->own);
	limiter_init(&a->limiter, LIMITER_EVENTS, LIMITER_WINDOW);
	limiter_init(&a->tamper_limiter, LIMITER_EVENTS, LIMITER_WINDOW);
	if (logfile_init(&a->log, a->d.conf->key_audit_log_path, err,
	    sizeof(err)) == -1)
		fatalx("%s", err);

	daemon_mkdir(&a->d, ROLE_AUDITD, a->log.dir, 0700);
	fd = daemon_bind(&a->d, a->d.conf->auditd_socket);
	admin_fd = daemon_bind(&a->d, a->d.conf->auditd_admin_socket);
	if (logfile_open_dir(&a->log, err, sizeof(err)) == -1)
		fatalx("%s", err);
	daemon_allow_memlock(&a->d, CHECKPOINT_ARENA + 1024 * 1024);
	daemon_drop(&a->d, a->log.dir);
	daemon_listen(fd);
	daemon_listen(admin_fd);
	make_events(a);
	make_arena(a);
	daemon_confine(&a->d);

	/*
	 * The directory is open already; the files come only now, since what
	 * a stranger may have put there is not for root to read or rename, nor
	 * for anybody who is not confined.
	 */
	if (logfile_open(&a->log, a->d.uid[ROLE_AUDITD], err,
	    sizeof(err)) == -1)
		fatalx("%s", err);
	open_reserve(a);
	seal_open(a);
	open_writer(a);
	clients_init(a, fd, admin_fd);
	log_info("writing %s, seq %" PRIu64 " (%s)", a->log.path,
	    writer_durable(a->writer)->seq, a->d.sandbox);
	ret = serve(a);
	clients_free(a);
	writer_free(a->writer);
	watch_free(a->watch);
	reserve_close(&a->reserve);
	checkpoint_close(&a->cp);
	secmem_wipe();
	logfile_close(&a->log);
	return ret;
}
