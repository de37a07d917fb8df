/*
 * igra-keyd: holds the secrets, computes what it signs, applies the policy.
 * It parses no text but its config, opens no path after its start, and every
 * request of signd's is checked as if an attacker had written it.
 */
#include <sys/stat.h>

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "envstore.h"
#include "keyd.h"
#include "log.h"
#include "notify.h"
#include "secmem.h"
#include "validate.h"

#define ARENA_EXTRA	(1024 * 1024)
#define KEY_COST	160		/* a cached keypair in the arena */
#define DRAIN_MS	2000
#define DAY_S		86400

struct listener {
	struct keyd	*k;
	enum proto_link	 link;
	struct event	*ev;
};

static size_t	arena_size(const struct conf *);
static void	make_arena(struct keyd *);
static void	chroot_into_peer(struct keyd *);
static void	start_listening(struct keyd *, struct listener *, int,
		    enum proto_link);
static void	accept_ready(int, short, void *);
static void	on_signal(int, short, void *);
static void	writer_died(void *);
static void	start_journal(struct keyd *);
static void	tell_started(struct keyd *);
static void	unlock_from_environment(struct keyd *);
static void	stop(struct keyd *);

/* DESIGN 7: the file's plaintext, the cache, and 1 MiB. */
static size_t
arena_size(const struct conf *c)
{
	return (size_t)c->secrets_file_max + (size_t)c->secret_cache_max *
	    KEY_COST + ARENA_EXTRA;
}

static void
make_arena(struct keyd *k)
{
	const char	*errstr;
	size_t		 size = arena_size(k->d.conf);

	log_onfatal(secmem_wipe);
	if (secmem_init(size, 0, &errstr) == 0)
		return;
	/* Whether it may go on like this is a rule, memory-lock. */
	log_warning("%s", errstr);
	if (secmem_init_insecure(size) == -1)
		fatalx("cannot map the secret arena");
}

static void
chroot_into_peer(struct keyd *k)
{
	char	 dir[PATH_MAX];

	if (strlcpy(dir, k->d.conf->auditd_socket, sizeof(dir)) >=
	    sizeof(dir))
		fatalx("[auditd] socket: path too long");
	(void)dirname(dir);
	if (k->d.root)
		daemon_mkdir(&k->d, ROLE_AUDITD, dir, 0755);
	daemon_drop(&k->d, dir);
}

static void
accept_ready(int fd, short what, void *arg)
{
	struct listener	*l = arg;

	(void)what;
	client_accept(l->k, fd, l->link);
}

static void
start_listening(struct keyd *k, struct listener *l, int fd,
    enum proto_link link)
{
	l->k = k;
	l->link = link;
	l->ev = event_new(k->base, fd, EV_READ | EV_PERSIST, accept_ready, l);
	if (l->ev == NULL || event_add(l->ev, NULL) == -1)
		fatalx("out of memory");
}

static void
on_signal(int sig, short what, void *arg)
{
	struct keyd	*k = arg;

	(void)what;
	if (sig == SIGHUP) {
		log_info("SIGHUP changes nothing: use igractl reload");
		return;
	}
	(void)event_base_loopbreak(k->base);
}

/* Without it nothing can be signed: the service manager starts both anew. */
static void
writer_died(void *arg)
{
	struct keyd	*k = arg;

	k->failed = true;
	(void)event_base_loopbreak(k->base);
}

/* What is in the file counts before anybody may ask. */
static void
start_journal(struct keyd *k)
{
	struct journal_state	 s;
	char			 err[512];

	if (journal_load(k->journal, err, sizeof(err)) == -1)
		fatalx("%s", err);
	if (journal_start(k->journal, k->base, writer_died, k) == -1)
		fatalx("cannot start the policy journal");
	k->audit.journal = k->journal;
	journal_state(k->journal, &s);
	log_info("policy journal: %llu transactions, %llu of %llu outpoints",
	    (unsigned long long)s.entries, (unsigned long long)s.outpoints,
	    (unsigned long long)s.max);
}

static void
tell_started(struct keyd *k)
{
	struct audit_record	 r;

	audit_record_init(&r, EV_SERVICE_STARTED, SRC_KEYD, true);
	audit_set_str(&r, FIELD_PROGRAM, k->d.progname);
	audit_set_str(&r, FIELD_VERSION, IGRA_VERSION);
	audit_set_str(&r, FIELD_NETWORK,
	    kaspa_network_name(k->d.conf->network));
	audit_tell(&k->audit, &r);
	keyd_config_loaded(k, NULL);
}

/* Only in a build made for it; else the variables are wiped unread. */
static void
unlock_from_environment(struct keyd *k)
{
#ifdef ENV_SECRETS
	struct audit_record	 r;
	char			 err[256];

	if (k->d.conf->use_encrypted_secrets) {
		env_wipe_secrets();
		return;
	}
	if (envstore_unlock(k, err, sizeof(err)) == -1) {
		log_warnx("no key from the environment: %s", err);
		return;
	}
	log_warning("unlocked with secrets from the environment");
	audit_record_init(&r, EV_UNLOCK, SRC_KEYD, true);
	audit_set_u64(&r, FIELD_OPERATOR, k->d.uid[ROLE_KEYD]);
	audit_set_u64(&r, FIELD_INTERACTIVE, false);
	audit_tell(&k->audit, &r);
#else
	(void)k;
	env_wipe_secrets();
#endif
}

static void
stop(struct keyd *k)
{
	struct audit_record	 r;
	bool			 reachable = audit_ready(&k->audit);

	notify_stopping();
	keyring_lock(&k->ring);
	sign_cancel_all(k);
	audit_summary(&k->audit, true);
	audit_record_init(&r, EV_SERVICE_STOPPED, SRC_KEYD, true);
	audit_set_str(&r, FIELD_PROGRAM, k->d.progname);
	audit_tell(&k->audit, &r);
	if (reachable && audit_drain(&k->audit, DRAIN_MS) == -1)
		log_warnx("stopping with records that igra-auditd has not "
		    "acknowledged");
	journal_stop(k->journal);
	while (!TAILQ_EMPTY(&k->clients))
		client_close(TAILQ_FIRST(&k->clients));
	audit_free(&k->audit);
	journal_free(k->journal);
	own_unref(k->own);
	secmem_wipe();
}

int
main(int argc, char **argv)
{
	static struct keyd	 k;
	struct listener		 l[2];
	struct event		*ev[3], *daily;
	const struct timeval	 day = { DAY_S, 0 };
	const int		 sigs[3] = { SIGTERM, SIGINT, SIGHUP };
	const char		*errstr;
	int			 fd, admin_fd, i;

	daemon_init(&k.d, ROLE_KEYD, argc, argv);
	if ((k.own = own_new(k.d.conf, &errstr)) == NULL)
		fatalx("%s: %s", k.d.conf->path, errstr);
	fd = daemon_bind(&k.d, k.d.conf->keyd_socket);
	admin_fd = daemon_bind(&k.d, k.d.conf->keyd_admin_socket);
	if (admin_open_state(&k) == -1)
		fatal("%s/state", k.d.conf->keyd_state_dir);
	admin_open_journal(&k);
	daemon_allow_memlock(&k.d, arena_size(k.d.conf) + 1024 * 1024);
	chroot_into_peer(&k);
	/* Before there is anything that it must not have. */
	if (journal_fork(k.journal, NULL) == -1)
		fatal("cannot start the policy journal's writer");
	daemon_listen(fd);
	daemon_listen(admin_fd);
	make_arena(&k);
	if (curve_init() == -1)
		fatalx("cannot make the curve context");
	daemon_confine(&k.d);

	TAILQ_INIT(&k.clients);
	TAILQ_INIT(&k.jobs);
	k.started = bootclock_now();
	if ((k.base = event_base_new()) == NULL ||
	    keyring_init(&k.ring, k.d.conf, k.base) == -1 ||
	    audit_init(&k.audit, &k.d, k.base) == -1 ||
	    (k.work = event_new(k.base, -1, 0, sign_work, &k)) == NULL)
		fatalx("cannot start the event loop");
	k.ring.evicted = admin_evicted;
	k.ring.expired = admin_relock;
	k.ring.arg = &k;
	client_limits(&k);
	start_journal(&k);
	tell_started(&k);
	unlock_from_environment(&k);
	start_listening(&k, &l[0], fd, LINK_KEYD);
	start_listening(&k, &l[1], admin_fd, LINK_KEYD_ADMIN);
	for (i = 0; i < 3; i++) {
		ev[i] = evsignal_new(k.base, sigs[i], on_signal, &k);
		if (ev[i] == NULL || event_add(ev[i], NULL) == -1)
			fatalx("cannot catch signals");
	}
	daily = event_new(k.base, -1, EV_PERSIST, admin_age_check, &k);
	if (daily == NULL || event_add(daily, &day) == -1)
		fatalx("out of memory");
	log_info("%s, %s%s; secrets in %s memory",
	    kaspa_network_name(k.d.conf->network),
	    keyring_locked(&k.ring) ? "locked" : "unlocked",
	    k.marker ? " by an operator" : "", secmem_kind());
	if (notify_ready(k.base) == -1)
		fatalx("out of memory");
	if (event_base_dispatch(k.base) == -1)
		fatalx("event loop");
	for (i = 0; i < 3; i++)
		event_free(ev[i]);
	event_free(daily);
	event_free(l[0].ev);
	event_free(l[1].ev);
	stop(&k);
	return k.failed;
}
