/* What operators ask on the admin socket: unlock and lock (DESIGN 6). */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keyd.h"
#include "log.h"
#include "secmem.h"
#include "validate.h"

#define BACKOFF_FIRST_S	1
#define BACKOFF_MAX_S	60

/* An unlock that waits for its record. */
struct unlock {
	struct keyd	*k;
	uint64_t	 client;	/* serial */
	uint64_t	 id;
	uid_t		 uid;
	uint64_t	 staging;	/* of the keyring */
	uint8_t		 pub[33];
	char		 ref[NAME_BUF];
	bool		 interactive;
	bool		 accept_clock;
};

static void	set_marker(struct keyd *, bool);
static void	unlock_failed(struct client *, uint64_t, bool,
		    enum proto_code, const char *);
static void	back_off(struct keyd *);
static bool	unlock_permitted(struct client *, uint64_t, bool);
static void	unlock_start(struct client *, uint64_t,
		    const struct msg_unlock *, uint8_t *, size_t);
static void	unlock_audited(bool, const struct msg_audit_ack *,
		    const char *, void *);
static void	unlock_done(bool, const char *, void *);

/*
 * The state file is opened before the sandbox and stays open: one byte, '1'
 * while a lock that only an interactive unlock lifts is in force.
 */
int
admin_open_state(struct keyd *k)
{
	const char	*dir = k->d.conf->keyd_state_dir;
	struct stat	 st;
	char		 path[PATH_MAX], byte = '0';
	int		 n;

	daemon_mkdir(&k->d, ROLE_KEYD, dir, 0700);
	n = snprintf(path, sizeof(path), "%s/state", dir);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	k->state_fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (k->state_fd == -1 || fstat(k->state_fd, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1 ||
	    (st.st_uid != k->d.uid[ROLE_KEYD] && st.st_uid != 0)) {
		log_warnx("%s: not a file of ours", path);
		errno = EPERM;
		return -1;
	}
	if (k->d.root && fchown(k->state_fd, k->d.uid[ROLE_KEYD],
	    k->d.gid[ROLE_KEYD]) == -1)
		return -1;
	if (fchmod(k->state_fd, 0600) == -1 ||
	    pread(k->state_fd, &byte, 1, 0) == -1)
		return -1;
	k->marker = byte == '1';
	return 0;
}

void
admin_open_journal(struct keyd *k)
{
	const struct conf	*c = k->d.conf;
	struct journal_owner	 o;
	struct journal_clocks	 clocks;
	char			 path[PATH_MAX], err[512];

	memset(&clocks, 0, sizeof(clocks));
	if (journal_boot_id(clocks.boot_id) == -1)
		log_warning("which boot this is cannot be told: the clock has "
		    "to be accepted after each start");
	k->journal = journal_new(c->policy.max_outpoints, &clocks);
	if (k->journal == NULL)
		fatalx("out of memory");
	memset(&o, 0, sizeof(o));
	o.uid = k->d.uid[ROLE_KEYD];
	o.gid = k->d.gid[ROLE_KEYD];
	o.root = k->d.root;
	o.strict = c->network == KASPA_MAINNET;
	/* admin_open_state() has made the directory, with a longer name. */
	(void)snprintf(path, sizeof(path), "%s/policy.journal",
	    c->keyd_state_dir);
	if (journal_open(k->journal, path, &o, err, sizeof(err)) == -1)
		fatalx("%s", err);
}

static void
set_marker(struct keyd *k, bool on)
{
	char	 byte = on ? '1' : '0';

	k->marker = on;
	if (pwrite(k->state_fd, &byte, 1, 0) != 1 ||
	    fdatasync(k->state_fd) == -1)
		log_alert("the lock marker cannot be written (%s): a restart "
		    "would forget it", strerror(errno));
}

void
admin_unlock_file(struct client *c, const struct frame *f)
{
	free(c->file);
	c->filelen = f->len;
	c->file = frame_take(c->conn);
}

static void
unlock_failed(struct client *c, uint64_t id, bool interactive,
    enum proto_code code, const char *why)
{
	struct keyd		*k = c->k;
	struct audit_record	 r;

	audit_record_init(&r, EV_UNLOCK, SRC_KEYD, false);
	audit_set_u64(&r, FIELD_OPERATOR, c->peer.uid);
	audit_set_u64(&r, FIELD_INTERACTIVE, interactive);
	audit_set_str(&r, FIELD_ERROR, why);
	if (audit_tell_capped(&k->audit, &r, c->peer.uid))
		log_warnx("unlock by uid %u refused: %s",
		    (unsigned)c->peer.uid, why);
	(void)frame_send_error(c->conn, id, code, PROTO_NO_PSKT, why);
}

/* Wrong passphrases get slower: 1 s after the first, up to a minute. */
static void
back_off(struct keyd *k)
{
	int64_t	 wait = BACKOFF_MAX_S;

	if (k->failures < 6)
		wait = BACKOFF_FIRST_S << k->failures;
	k->failures++;
	k->backoff_until = bootclock_now() + wait * NS_PER_S;
}

/* May this peer unlock now, and so?  Otherwise it has been told. */
static bool
unlock_permitted(struct client *c, uint64_t id, bool interactive)
{
	struct keyd	*k = c->k;
	int64_t		 left = k->backoff_until - bootclock_now();
	char		 err[128];

	if (left > 0) {
		snprintf(err, sizeof(err), "too many failed unlocks: try "
		    "again in %lld s", (long long)((left + NS_PER_S - 1) /
		    NS_PER_S));
		unlock_failed(c, id, interactive, CODE_RATE_LIMITED, err);
		return false;
	}
	if (k->marker && !interactive) {
		unlock_failed(c, id, false, CODE_LOCKED, "locked by an "
		    "operator: only igractl unlock with the passphrase typed "
		    "at its prompt lifts it");
		return false;
	}
	return true;
}

/* file is taken over. */
static void
unlock_start(struct client *c, uint64_t id, const struct msg_unlock *m,
    uint8_t *file, size_t len)
{
	struct keyd		*k = c->k;
	struct key_accesses	 acc = { 0 };
	struct audit_record	 r[KEYRING_MAX_ACCESS + 2];
	struct unlock		*u;
	uint64_t		 gap;
	char			 err[KEYRING_ERR], value[32];
	enum proto_code		 code;
	uint32_t		 n;

	if ((u = calloc(1, sizeof(*u))) == NULL) {
		free(file);
		client_drop(c, "out of memory");
		return;
	}
	code = keyring_stage(&k->ring, file, len, m, u->pub, u->ref, &acc,
	    err, sizeof(err));
	if (code != CODE_NONE) {
		if (code == CODE_UNAUTHORIZED)
			back_off(k);
		free(u);
		unlock_failed(c, id, m->interactive, code, err);
		return;
	}
	u->k = k;
	u->client = c->serial;
	u->id = id;
	u->uid = c->peer.uid;
	u->staging = k->ring.staging;
	u->interactive = m->interactive;
	n = access_records(&acc, bytes_str(NULL), c->peer.uid,
	    (uint32_t)c->peer.pid, "Get", true, r);
	audit_record_init(&r[n], EV_UNLOCK, SRC_KEYD, true);
	audit_set_u64(&r[n], FIELD_OPERATOR, c->peer.uid);
	audit_set_u64(&r[n], FIELD_INTERACTIVE, m->interactive);
	n++;
	/* Asked and answered at the same prompt as the passphrase. */
	u->accept_clock = m->interactive && m->accept_clock &&
	    journal_clock_pending(k->journal, &gap) != CLOCK_RUNS;
	if (u->accept_clock) {
		(void)snprintf(value, sizeof(value), "%llu s",
		    (unsigned long long)gap);
		audit_record_init(&r[n], EV_POLICY_RELEASED, SRC_KEYD, true);
		audit_set_u64(&r[n], FIELD_OPERATOR, c->peer.uid);
		audit_set_str(&r[n], FIELD_OPERATION, "accept-clock");
		audit_set_str(&r[n], FIELD_VALUE, value);
		n++;
	}
	audit_submit(&k->audit, r, n, bootclock_now(), unlock_audited, u);
}

void
admin_unlock(struct client *c, const struct frame *f)
{
	struct keyd		*k = c->k;
	struct msg_unlock	*m;	/* keys: in the arena, not on the stack */
	uint8_t			*file = c->file;

	/* Without separated roles our own user is root's equal, nobody else. */
	if (!daemon_is_root(&k->d, c->peer.uid)) {
		unlock_failed(c, f->id, false, CODE_UNAUTHORIZED,
		    "only root may unlock");
		return;
	}
	if ((m = secmem_alloc(sizeof(*m))) == NULL ||
	    dec_unlock(f->p, f->len, NULL, m) == -1 || file == NULL) {
		secmem_free(m);
		client_drop(c, "UNLOCK without its file, or malformed");
		return;
	}
	c->file = NULL;
	if (unlock_permitted(c, f->id, m->interactive))
		unlock_start(c, f->id, m, file, c->filelen);
	else
		free(file);
	secmem_free(m);
}

static void
unlock_audited(bool ok, const struct msg_audit_ack *ack, const char *why,
    void *arg)
{
	struct unlock	*u = arg;
	struct keyd	*k = u->k;
	struct client	*c = client_find(k, u->client);
	char		 msg[256];
	bool		 staged = k->ring.staged.data != NULL &&
			    k->ring.staging == u->staging;

	(void)ack;
	if (!ok || !staged) {
		if (staged)
			keyring_abort(&k->ring);
		snprintf(msg, sizeof(msg), "%s: not unlocked", ok ?
		    "locked or unlocked again meanwhile" : why);
		if (c != NULL)
			(void)frame_send_error(c->conn, u->id, ok ?
			    CODE_CONFLICT : CODE_AUDIT_UNAVAILABLE,
			    PROTO_NO_PSKT, msg);
		free(u);
		return;
	}
	keyring_commit(&k->ring);
	k->failures = 0;
	k->backoff_until = 0;
	memcpy(k->pub, u->pub, sizeof(k->pub));
	(void)strlcpy(k->key_ref, u->ref, sizeof(k->key_ref));
	k->has_pub = true;
	if (k->marker)
		set_marker(k, false);
	log_info("unlocked by uid %u", (unsigned)u->uid);
	if (u->accept_clock)
		journal_accept_clock(k->journal, unlock_done, u);
	else
		unlock_done(true, NULL, u);
}

static void
unlock_done(bool ok, const char *why, void *arg)
{
	struct unlock	*u = arg;
	struct client	*c = client_find(u->k, u->client);

	if (!ok)
		log_warnx("the clock is not accepted: %s", why);
	if (c != NULL)
		(void)frame_send(c->conn, MSG_OK, u->id, NULL, 0);
	free(u);
}

void
admin_lock(struct client *c, const struct frame *f)
{
	struct keyd		*k = c->k;
	struct audit_record	 r;

	keyring_lock(&k->ring);		/* first of all, and waits for nothing */
	sign_cancel_all(k);
	set_marker(k, true);
	log_info("locked by uid %u", (unsigned)c->peer.uid);
	audit_record_init(&r, EV_LOCK, SRC_KEYD, true);
	audit_set_u64(&r, FIELD_OPERATOR, c->peer.uid);
	audit_set_str(&r, FIELD_REASON, "igractl lock");
	audit_tell(&k->audit, &r);
	(void)frame_send(c->conn, MSG_OK, f->id, NULL, 0);
}

void
admin_relock(void *arg)
{
	struct keyd		*k = arg;
	struct audit_record	 r;

	keyring_lock(&k->ring);
	sign_cancel_all(k);
	log_info("locked: [security] unlock_ttl is over");
	audit_record_init(&r, EV_LOCK, SRC_KEYD, true);
	audit_set_str(&r, FIELD_REASON, "unlock_ttl over");
	audit_tell(&k->audit, &r);
}

/* In few messages: a full cache may go at once. */
void
admin_evicted(const char *const ref[], unsigned n, const char *reason,
    void *arg)
{
	struct keyd		*k = arg;
	struct audit_record	 r[KEYRING_TELL];
	unsigned		 i;

	for (i = 0; i < n; i++) {
		audit_record_init(&r[i], EV_CACHE_EVICTED, SRC_KEYD, true);
		audit_set_str(&r[i], FIELD_KEY_REF, ref[i]);
		audit_set_str(&r[i], FIELD_REASON, reason);
	}
	audit_tell_all(&k->audit, r, n);
}

/* Once a day: an old passphrase does not lock, but nobody shall forget it. */
void
admin_age_check(int fd, short what, void *arg)
{
	struct keyd		*k = arg;
	struct validate		 v;
	struct findings		 f = { 0 };
	struct audit_record	 r;
	size_t			 i;

	(void)fd;
	(void)what;
	if (keyring_locked(&k->ring))
		return;
	memset(&v, 0, sizeof(v));
	v.conf = k->d.conf;
	v.network = k->d.conf->network;
	v.when = VALIDATE_AGE;
	v.age_known = true;
	v.age_days = keyring_age_days(&k->ring.file.header);
	validate_run(&v, &f);
	for (i = 0; i < f.n; i++) {
		if (f.v[i].severity < SEV_WARNING)
			continue;
		log_alert("%s", f.v[i].message);
		audit_record_init(&r, EV_SECURITY_ALERT, SRC_KEYD, false);
		audit_set_str(&r, FIELD_ALERT, "passphrase age");
		audit_set_str(&r, FIELD_ERROR, f.v[i].message);
		audit_tell(&k->audit, &r);
	}
	findings_free(&f);
}
