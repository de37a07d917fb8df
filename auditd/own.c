#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "proto/messages.h"

#include "auditd/auditd.h"

#define OWN_MAX		128	/* kept while the log is not writable */

struct own {
	TAILQ_ENTRY(own)	 entry;
	struct auditd		*a;
	bool			 queued;	/* waits for the next commit */
	struct enc		 e;		/* the record */
};

static void	 own_insert(struct auditd *, const struct audit_record *,
		    bool);
static void	 own_queue(struct own *);
static void	 own_done(void *, const struct chain *);
static void	 own_drop(struct own *);
static void	 own_add(struct auditd *, struct audit_record *);
static void	 wake_for_limiter(struct auditd *);
static void	 hushed(struct auditd *, unsigned, uint64_t);

/* The encoded form owns its texts. */
void
own_record(struct auditd *a, const struct audit_record *r)
{
	own_insert(a, r, false);
}

static void
own_insert(struct auditd *a, const struct audit_record *r, bool first)
{
	struct own	*o;

	if (a->nown >= OWN_MAX || (o = calloc(1, sizeof(*o))) == NULL) {
		a->own_lost++;
		return;
	}
	o->a = a;
	enc_init(&o->e);
	enc_audit_record(&o->e, r);
	if (first)
		TAILQ_INSERT_HEAD(&a->own, o, entry);
	else
		TAILQ_INSERT_TAIL(&a->own, o, entry);
	a->nown++;
	if (o->e.failed) {
		a->own_lost++;
		own_drop(o);
		return;
	}
	if (auditd_writable(a))
		own_queue(o);
}

static void
own_drop(struct own *o)
{
	TAILQ_REMOVE(&o->a->own, o, entry);
	o->a->nown--;
	enc_free(&o->e);
	free(o);
}

static void
own_queue(struct own *o)
{
	struct audit_record	 r;
	struct writer_mark	 mark;
	struct dec		 d;

	dec_init(&d, o->e.buf, o->e.len);
	dec_audit_record(&d, &r);
	writer_mark(o->a->writer, &mark);
	if (dec_done(&d) == -1 || writer_add(o->a->writer, &r) == -1) {
		log_warn("cannot record %s", audit_event_name(r.event));
		return;
	}
	if (writer_wait(o->a->writer, own_done, o) == -1) {
		writer_rewind(o->a->writer, &mark);
		return;
	}
	o->queued = true;
	auditd_schedule(o->a);
}

static void
own_done(void *arg, const struct chain *at)
{
	struct own	*o = arg;

	o->queued = false;
	if (at != NULL)
		own_drop(o);
}

void
own_flush(struct auditd *a)
{
	struct audit_record	 r;
	struct own		*o;
	char			 text[64];

	if (a->own_lost != 0 && a->nown < OWN_MAX) {
		(void)snprintf(text, sizeof(text), "%" PRIu64 " records",
		    a->own_lost);
		audit_record_init(&r, EV_SECURITY_ALERT, SRC_AUDITD, false);
		audit_set_str(&r, FIELD_ALERT, "own records lost");
		audit_set_str(&r, FIELD_ERROR,
		    "the log was not writable for too long");
		audit_set_str(&r, FIELD_ACTUAL, text);
		a->own_lost = 0;
		own_add(a, &r);
	}
	TAILQ_FOREACH(o, &a->own, entry)
		if (!o->queued)
			own_queue(o);
}

static void
own_add(struct auditd *a, struct audit_record *r)
{
	audit_set_str(r, FIELD_PROGRAM, a->d.progname);
	own_record(a, r);
}

void
own_started(struct auditd *a)
{
	const char		*network;
	struct audit_record	 r;

	network = kaspa_network_name(a->d.conf->network);
	audit_record_init(&r, EV_SERVICE_STARTED, SRC_AUDITD, true);
	audit_set_str(&r, FIELD_VERSION, IGRA_VERSION);
	audit_set_str(&r, FIELD_NETWORK, network);
	own_add(a, &r);

	own_config(a, NULL);
}

void
own_config(struct auditd *a, const struct peer *peer)
{
	struct audit_record	 r;

	audit_record_init(&r, EV_CONFIG_LOADED, SRC_AUDITD, true);
	audit_set_bytes(&r, FIELD_CONFIG_HASH, a->d.conf_hash,
	    sizeof(a->d.conf_hash));
	audit_set_str(&r, FIELD_NETWORK,
	    kaspa_network_name(a->d.conf->network));
	if (peer != NULL) {
		audit_set_u64(&r, FIELD_PEER_UID, peer->uid);
		audit_set_u64(&r, FIELD_PEER_PID, (uint64_t)peer->pid);
	}
	own_add(a, &r);
}

void
own_stopped(struct auditd *a, const char *reason)
{
	struct audit_record	 r;

	audit_record_init(&r, EV_SERVICE_STOPPED, SRC_AUDITD, true);
	audit_set_str(&r, FIELD_REASON, reason);
	own_add(a, &r);
}

void
own_findings(struct auditd *a)
{
	unsigned	 i;

	for (i = 0; i < a->log.nfindings; i++)
		own_alert(a, &a->log.finding[i], -1, false);
	a->log.nfindings = 0;
}

void
own_first_line(struct audit_record *r, const struct chain *at)
{
	if (at->kseq != 0)
		audit_set_u64(r, FIELD_LAST_KSEQ, at->kseq);
	if (at->reservation != 0)
		audit_set_u64(r, FIELD_RESERVATION, at->reservation);
}

void
own_alert(struct auditd *a, const struct finding *f, int64_t operator,
    bool first)
{
	struct audit_record	 r;

	audit_record_init(&r, EV_SECURITY_ALERT, SRC_AUDITD, false);
	audit_set_str(&r, FIELD_ALERT, f->alert);
	audit_set_str(&r, FIELD_ERROR, f->alert);
	audit_set_str(&r, FIELD_PATH, f->path);
	if (f->expected[0] != '\0')
		audit_set_str(&r, FIELD_EXPECTED, f->expected);
	if (f->actual[0] != '\0')
		audit_set_str(&r, FIELD_ACTUAL, f->actual);
	if (f->has_bytes)
		audit_set_u64(&r, FIELD_BYTES, f->bytes);
	if (operator >= 0)
		audit_set_u64(&r, FIELD_OPERATOR, (uint64_t)operator);
	audit_set_str(&r, FIELD_PROGRAM, a->d.progname);
	if (writer_end(a->writer) == 0 && writer_queued(a->writer) == 0)
		own_first_line(&r, writer_durable(a->writer));
	a->alerts++;
	log_alert("%s: %s%s%s%s%s", f->path, f->alert,
	    f->expected[0] != '\0' ? "; expected " : "", f->expected,
	    f->actual[0] != '\0' ? "; found " : "", f->actual);
	own_insert(a, &r, first);
}

void
own_fault(struct auditd *a, const char *fault)
{
	struct audit_record	 r;
	struct tm		 tm;
	time_t			 now = time(NULL);
	char			 since[64] = "";

	if (gmtime_r(&now, &tm) != NULL)
		(void)strftime(since, sizeof(since),
		    "not writable since %Y-%m-%dT%H:%M:%SZ", &tm);
	audit_record_init(&r, EV_SECURITY_ALERT, SRC_AUDITD, false);
	audit_set_str(&r, FIELD_ALERT, "log not writable");
	audit_set_str(&r, FIELD_ERROR, fault);
	audit_set_str(&r, FIELD_PATH, a->log.path);
	audit_set_str(&r, FIELD_ACTUAL, since);
	a->alerts++;
	own_add(a, &r);
}

/* A wake-up when the first window that has suppressed something ends. */
static void
wake_for_limiter(struct auditd *a)
{
	uint64_t	 due = limiter_due(&a->limiter), now = monotonic_ns();
	uint64_t	 other = limiter_due(&a->tamper_limiter);
	struct timeval	 tv;

	if (other < due)
		due = other;
	if (due == UINT64_MAX || event_pending(a->limiter_ev, EV_TIMEOUT, NULL))
		return;
	due = due > now ? due - now : 0;
	tv.tv_sec = (time_t)(due / 1000000000U);
	tv.tv_usec = (suseconds_t)(due % 1000000000U / 1000U) + 1;
	event_add(a->limiter_ev, &tv);
}

bool
own_rejected(struct auditd *a, enum audit_event event, const struct peer *peer,
    const char *where, const char *code, const char *error)
{
	struct audit_record	 r;

	if (!limiter_allow(&a->limiter, event, peer->uid, monotonic_ns())) {
		wake_for_limiter(a);
		return false;
	}
	audit_record_init(&r, event, SRC_AUDITD, false);
	audit_set_str(&r, FIELD_ERROR, error);
	audit_set_str(&r, event == EV_PEER_REJECTED ? FIELD_SOCKET :
	    FIELD_METHOD, where);
	if (event == EV_REQUEST_REJECTED)
		audit_set_str(&r, FIELD_CODE, code);
	audit_set_u64(&r, FIELD_PEER_UID, peer->uid);
	if (peer->pid > 0)
		audit_set_u64(&r, FIELD_PEER_PID, (uint64_t)peer->pid);
	own_add(a, &r);
	return true;
}

bool
own_hush(struct auditd *a, unsigned bit)
{
	if (limiter_allow(&a->tamper_limiter, EV_SECURITY_ALERT, bit,
	    monotonic_ns()))
		return false;
	a->alerts++;
	wake_for_limiter(a);
	return true;
}

static void
hushed(struct auditd *a, unsigned bit, uint64_t n)
{
	struct audit_record	 r;

	log_alert("%s: %s, %" PRIu64 " times more", a->log.path,
	    tamper_name(bit), n);
	audit_record_init(&r, EV_SECURITY_ALERT, SRC_AUDITD, false);
	audit_set_str(&r, FIELD_ALERT, tamper_name(bit));
	audit_set_str(&r, FIELD_ERROR, "more of this");
	audit_set_str(&r, FIELD_PATH, bit == TAMPER_DIR ? a->log.dir :
	    a->log.path);
	audit_set_u64(&r, FIELD_SUPPRESSED, n);
	own_add(a, &r);
}

void
own_suppressed(struct auditd *a, bool all)
{
	struct audit_record	 r;
	uint64_t		 now = all ? UINT64_MAX : monotonic_ns(), n;
	uint32_t		 uid;
	unsigned		 event;

	while (limiter_next(&a->limiter, now, &event, &uid, &n)) {
		audit_record_init(&r, event, SRC_AUDITD, false);
		audit_set_str(&r, FIELD_ERROR, uid == LIMITER_OTHERS ?
		    "more of this from other peers" : "more of this");
		audit_set_u64(&r, FIELD_SUPPRESSED, n);
		if (uid != LIMITER_OTHERS)
			audit_set_u64(&r, FIELD_PEER_UID, uid);
		own_add(a, &r);
	}
	while (limiter_next(&a->tamper_limiter, now, &event, &uid, &n))
		hushed(a, uid, n);
	if (!all)
		wake_for_limiter(a);
}
