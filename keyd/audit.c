#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit_int.h"
#include "bootclock.h"
#include "log.h"

#define RETRY_MS	100
#define DELAYED_NS	NS_PER_S	/* less is not worth a word */
#define SUMMARY_S	5

static void	link_connect(int, short, void *);
static void	link_lost(struct audit_link *, const char *);
static void	link_closed(struct frame_conn *, const char *, void *);
static void	link_message(struct frame_conn *, const struct frame *, void *);
static void	link_state(struct audit_link *, const struct frame *);
static void	compare(struct audit_link *, const struct msg_audit_state *);
static void	tell_rollback(struct audit_link *);
static void	link_health(struct audit_link *, const struct frame *);
static void	link_ack(struct audit_link *, const struct frame *);
static void	link_refused(struct audit_link *, const struct frame *);
static void	retry_later(struct audit_link *);
static void	wait_answer(struct audit_wait *, bool,
		    const struct msg_audit_ack *, const char *);
static void	wait_drop(struct audit_link *, struct audit_wait *);
static void	timeouts_arm(struct audit_link *);
static void	timeouts_run(int, short, void *);

static const struct frame_ops link_ops = { link_message, link_closed };

int
audit_init(struct audit_link *l, struct daemon *d, struct event_base *base)
{
	struct timeval	 tv = { SUMMARY_S, 0 };

	memset(l, 0, sizeof(*l));
	l->d = d;
	l->base = base;
	TAILQ_INIT(&l->waits);
	TAILQ_INIT(&l->later);
	l->healthy = true;
	l->retry = evtimer_new(base, link_connect, l);
	l->timeout = evtimer_new(base, timeouts_run, l);
	l->summary = event_new(base, -1, EV_PERSIST, audit_tick, l);
	l->limiter = calloc(1, sizeof(*l->limiter));
	if (l->retry == NULL || l->timeout == NULL || l->summary == NULL ||
	    l->limiter == NULL)
		return -1;
	limiter_init(l->limiter, LIMITER_EVENTS, LIMITER_WINDOW);
	event_add(l->summary, &tv);
	event_active(l->retry, EV_TIMEOUT, 1);
	return 0;
}

void
audit_free(struct audit_link *l)
{
	struct audit_wait	*w;

	if (l->conn != NULL)
		frame_conn_close(l->conn);
	/* Whoever is told no may want to record that. */
	l->conn = NULL;
	l->ready = false;
	while ((w = TAILQ_FIRST(&l->waits)) != NULL) {
		wait_answer(w, false, NULL, "igra-keyd is stopping");
		wait_drop(l, w);
	}
	audit_later_free(l);
	event_free(l->retry);
	event_free(l->timeout);
	event_free(l->summary);
	free(l->limiter);
	memset(l, 0, sizeof(*l));
}

bool
audit_ready(const struct audit_link *l)
{
	const struct audit_wait	*w = TAILQ_FIRST(&l->waits);

	/* An overdue record means that auditd hangs: refuse at once. */
	return l->ready && (w == NULL || monotonic_now() - w->sent_ns <
	    (uint64_t)AUDIT_TIMEOUT_MS * 1000000);
}

static void
retry_later(struct audit_link *l)
{
	struct timeval	 tv = { 0, RETRY_MS * 1000 };

	event_add(l->retry, &tv);
}

static void
link_connect(int fd, short what, void *arg)
{
	struct audit_link	*l = arg;

	(void)what;
	if (l->conn != NULL)
		return;
	fd = daemon_connect(l->d, ROLE_AUDITD, l->d->conf->auditd_socket);
	if (fd == -1) {
		if (!l->complained)
			log_warn("%s: igra-auditd cannot be reached; nothing "
			    "is signed until it is", l->d->conf->auditd_socket);
		l->complained = true;
		retry_later(l);
		return;
	}
	l->conn = frame_conn_new(l->base, fd, LINK_AUDITD, false, &link_ops,
	    l);
	if (l->conn == NULL ||
	    frame_send(l->conn, MSG_AUDIT_HELLO, 0, NULL, 0) == -1)
		link_lost(l, "cannot send");
}

/* Everybody who waits is told no; the records stay, to be sent again. */
static void
link_lost(struct audit_link *l, const char *why)
{
	struct audit_wait	*w;

	if (!l->complained)
		log_warning("igra-auditd: %s; nothing is signed until it is "
		    "back", why);
	l->complained = true;
	l->ready = false;
	l->probing = false;
	if (l->conn != NULL)
		frame_conn_close(l->conn);
	l->conn = NULL;
	TAILQ_FOREACH(w, &l->waits, entry)
		wait_answer(w, false, NULL, "igra-auditd went away before "
		    "the record was durable");
	retry_later(l);
}

static void
link_closed(struct frame_conn *c, const char *why, void *arg)
{
	struct audit_link	*l = arg;

	(void)c;
	l->conn = NULL;			/* freed by frame */
	link_lost(l, why);
}

static void
link_message(struct frame_conn *c, const struct frame *f, void *arg)
{
	struct audit_link	*l = arg;

	(void)c;
	switch (f->type) {
	case MSG_AUDIT_STATE:
		link_state(l, f);
		return;
	case MSG_AUDIT_HEALTH:
		link_health(l, f);
		return;
	case MSG_AUDIT_ACK:
		link_ack(l, f);
		return;
	case MSG_ERROR:
		link_refused(l, f);
		return;
	}
	log_alert("igra-auditd sent an answer of type %u out of turn",
	    f->type);
	link_lost(l, "protocol error");
}

/* Either may have been put back to an earlier state: DESIGN 12. */
static void
compare(struct audit_link *l, const struct msg_audit_state *m)
{
	struct journal_log	 log;
	struct journal_state	 js;

	memset(&log, 0, sizeof(log));
	log.last_kseq = m->last_kseq;
	log.reservation = m->reservation;
	log.seq = m->seq;
	memcpy(log.head, m->head, sizeof(log.head));
	journal_compare(l->journal, &log);
	journal_state(l->journal, &js);
	/* None is given twice, even if the log has forgotten it. */
	if (js.kseq > l->kseq)
		l->kseq = js.kseq;
	if (js.acked_kseq > l->kseq)
		l->kseq = js.acked_kseq;
}

static void
tell_rollback(struct audit_link *l)
{
	struct audit_record	 r;
	char			 why[JOURNAL_WHY];

	(void)journal_may_sign(l->journal, why, sizeof(why));
	log_alert("%s", why);
	audit_record_init(&r, EV_SECURITY_ALERT, SRC_KEYD, false);
	audit_set_str(&r, FIELD_ALERT, "rollback");
	audit_set_str(&r, FIELD_ERROR, why);
	audit_tell(l, &r);
}

static void
link_state(struct audit_link *l, const struct frame *f)
{
	struct msg_audit_state	 m;
	struct audit_wait	*w, *next;
	struct pool		 pool;
	unsigned		 before = 0;

	pool_init(&pool, 0);
	if (l->ready || dec_audit_state(f->p, f->len, &pool, &m) == -1) {
		log_alert("igra-auditd sent a broken greeting");
		link_lost(l, "protocol error");
		return;
	}
	if (m.last_kseq < l->acked_kseq)
		log_alert("the audit log ends at kseq %llu, but igra-auditd "
		    "acknowledged %llu: the log was rolled back",
		    (unsigned long long)m.last_kseq,
		    (unsigned long long)l->acked_kseq);
	if (!l->numbered || m.last_kseq > l->kseq)
		l->kseq = m.last_kseq;
	l->numbered = true;
	l->acked_seq = m.seq;
	memcpy(l->head, m.head, sizeof(l->head));
	l->pid = m.pid;
	l->ready = true;
	if (l->complained)
		log_info("igra-auditd is back");
	l->complained = false;
	if (l->journal != NULL) {
		before = journal_rollback(l->journal);
		compare(l, &m);
	}
	TAILQ_FOREACH_SAFE(w, &l->waits, entry, next) {
		if (w->numbered && w->last_kseq <= m.last_kseq) {
			wait_drop(l, w);	/* it has that one */
			continue;
		}
		if (!w->numbered && audit_wait_number(l, w) == -1) {
			wait_drop(l, w);
			continue;
		}
		if (l->conn != NULL)
			audit_wait_send(l, w);
	}
	if (l->journal != NULL && journal_rollback(l->journal) != before)
		tell_rollback(l);
}

/* It decides itself what it still takes; this is for /readyz. */
static void
link_health(struct audit_link *l, const struct frame *f)
{
	struct msg_audit_health	 m;

	if (!l->ready || dec_audit_health(f->p, f->len, NULL, &m) == -1 ||
	    !bytes_cstr(m.reason, l->reason, sizeof(l->reason)) ||
	    !bytes_cstr(m.sandbox, l->sandbox, sizeof(l->sandbox))) {
		log_alert("igra-auditd sent a broken word on its health");
		link_lost(l, "protocol error");
		return;
	}
	if (m.healthy != l->healthy && m.healthy)
		log_info("igra-auditd: the log is in order again");
	else if (m.healthy != l->healthy)
		log_alert("igra-auditd: %s", l->reason);
	l->healthy = m.healthy;
	l->alerts = m.alerts;
	audit_later_send(l, false);
}

static void
link_ack(struct audit_link *l, const struct frame *f)
{
	struct msg_audit_ack	 m;
	struct audit_wait	*w;
	struct pool		 pool;

	pool_init(&pool, 0);
	w = TAILQ_FIRST(&l->waits);
	if (dec_audit_ack(f->p, f->len, &pool, &m) == -1 || w == NULL ||
	    f->id != w->id || m.last_kseq < w->last_kseq) {
		log_alert("igra-auditd acknowledged what was not sent");
		link_lost(l, "protocol error");
		return;
	}
	l->acked_kseq = w->last_kseq;
	l->acked_seq = m.seq;
	memcpy(l->head, m.head, sizeof(l->head));
	if (l->journal != NULL)
		journal_acked(l->journal, m.last_kseq, m.seq,
		    m.head);
	l->commits++;
	l->wait_us += (monotonic_now() - w->sent_ns) / 1000;
	if (l->complained)
		log_info("igra-auditd answers again");
	l->complained = false;
	/* Off the list first: the callback may submit more. */
	audit_wait_unqueue(l, w);
	wait_answer(w, true, &m, NULL);
	if (w->again) {
		l->probing = false;
		audit_later_send(l, true);
	}
	audit_wait_free(w);
	timeouts_arm(l);
}

/*
 * Refused is known not to be written.  Who waits is told so; what is only told
 * is kept, if auditd could not take any.
 */
static void
link_refused(struct audit_link *l, const struct frame *f)
{
	struct msg_error	 m;
	struct audit_wait	*w;
	struct pool		 pool;
	char			 why[256];

	pool_init(&pool, 0);
	TAILQ_FOREACH(w, &l->waits, entry)
		if (w->id == f->id)
			break;
	if (w == NULL || dec_error(f->p, f->len, &pool, &m) == -1) {
		log_alert("igra-auditd refused what was not sent");
		link_lost(l, "protocol error");
		return;
	}
	if (!bytes_cstr(m.message, why, sizeof(why)))
		(void)strlcpy(why, "igra-auditd cannot write the log",
		    sizeof(why));
	if (!w->again)
		log_warnx("igra-auditd refused a record: %s", why);
	audit_wait_unqueue(l, w);
	wait_answer(w, false, NULL, why);
	if (w->told_ns != 0 && m.code == CODE_AUDIT_UNAVAILABLE)
		audit_later_keep(l, w);
	else
		audit_wait_free(w);
	timeouts_arm(l);
}

static void
wait_answer(struct audit_wait *w, bool ok, const struct msg_audit_ack *ack,
    const char *why)
{
	audit_cb	 cb = w->cb;

	w->cb = NULL;
	w->deadline_ns = 0;
	if (cb != NULL)
		cb(ok, ack, why, w->arg);
}

void
audit_wait_queue(struct audit_link *l, struct audit_wait *w)
{
	TAILQ_INSERT_TAIL(&l->waits, w, entry);
	l->nwaits++;
	l->bytes += w->len;
}

void
audit_wait_unqueue(struct audit_link *l, struct audit_wait *w)
{
	TAILQ_REMOVE(&l->waits, w, entry);
	l->nwaits--;
	l->bytes -= w->len;
}

void
audit_wait_free(struct audit_wait *w)
{
	freezero(w->p, w->len);
	free(w);
}

static void
wait_drop(struct audit_link *l, struct audit_wait *w)
{
	audit_wait_unqueue(l, w);
	audit_wait_free(w);
}

/* Records that had none, or one that was refused, get their kseq now. */
int
audit_wait_number(struct audit_link *l, struct audit_wait *w)
{
	struct msg_audit_append	 m;
	struct pool		 pool;
	struct enc		 e;
	bool			 delayed;
	uint32_t		 i;
	int			 ret = -1;

	delayed = w->told_ns != 0 &&
	    monotonic_now() - w->told_ns >= DELAYED_NS;
	pool_init(&pool, 0);
	enc_init(&e);
	if (dec_audit_append(w->p, w->len, &pool, &m) == -1)
		goto out;
	for (i = 0; i < m.n; i++) {
		audit_set_u64(&m.record[i], FIELD_KSEQ, ++l->kseq);
		if (delayed)
			audit_set_u64(&m.record[i], FIELD_DELAYED, w->told_ns);
	}
	enc_audit_append(&e, &m);
	if (e.failed)
		goto out;
	l->bytes = l->bytes - w->len + e.len;
	freezero(w->p, w->len);
	w->p = e.buf;
	w->len = e.len;
	w->last_kseq = l->kseq;
	w->numbered = true;
	e.buf = NULL;			/* now w's */
	e.cap = 0;
	ret = 0;
out:
	enc_free(&e);
	pool_free(&pool);
	return ret;
}

struct audit_wait *
audit_wait_new(struct audit_link *l, struct audit_record *r, uint32_t n,
    const char **why)
{
	struct msg_audit_append	 m;
	struct audit_wait	*w;
	struct enc		 e;
	uint32_t		 i;

	if (l->nwaits >= AUDIT_MAX_WAITING || l->bytes > AUDIT_MAX_BYTES) {
		*why = "too many records wait for igra-auditd";
		return NULL;
	}
	*why = "out of memory for an audit record";
	if ((w = calloc(1, sizeof(*w))) == NULL)
		return NULL;
	for (i = 0; i < n; i++)
		audit_set_u64(&r[i], FIELD_KSEQ, l->numbered ? ++l->kseq : 0);
	m.n = n;
	m.record = r;
	enc_init(&e);
	enc_audit_append(&e, &m);
	if (e.failed || e.len > proto_rule(MSG_AUDIT_APPEND)->max) {
		if (!e.failed)
			*why = "the transaction's audit records are too long";
		enc_free(&e);
		free(w);
		return NULL;
	}
	w->p = e.buf;
	w->len = e.len;
	w->n = n;
	w->id = ++l->next_id;
	w->numbered = l->numbered;
	w->last_kseq = l->kseq;
	w->sent_ns = monotonic_now();
	audit_wait_queue(l, w);
	return w;
}

void
audit_wait_send(struct audit_link *l, struct audit_wait *w)
{
	w->sent_ns = monotonic_now();
	/* On failure frame reports the connection as closed. */
	(void)frame_send(l->conn, MSG_AUDIT_APPEND, w->id, w->p, w->len);
}

void
audit_submit(struct audit_link *l, struct audit_record *r, uint32_t n,
    int64_t since, audit_cb cb, void *arg)
{
	struct audit_wait	*w;
	const char		*why;

	if (!audit_ready(l)) {
		cb(false, NULL, l->ready ? "igra-auditd does not answer" :
		    "igra-auditd cannot be reached", arg);
		return;
	}
	if ((w = audit_wait_new(l, r, n, &why)) == NULL) {
		cb(false, NULL, why, arg);
		return;
	}
	w->cb = cb;
	w->arg = arg;
	w->deadline_ns = since + (int64_t)AUDIT_TIMEOUT_MS * 1000000;
	audit_wait_send(l, w);
	timeouts_arm(l);
}

static void
timeouts_arm(struct audit_link *l)
{
	struct audit_wait	*w, *first = NULL;
	struct timeval		 tv;
	int64_t			 left;

	/* Not in order: some have waited for the journal before. */
	TAILQ_FOREACH(w, &l->waits, entry)
		if (w->deadline_ns != 0 && (first == NULL ||
		    w->deadline_ns < first->deadline_ns))
			first = w;
	if (first == NULL) {
		event_del(l->timeout);
		return;
	}
	if ((left = first->deadline_ns - bootclock_now()) < 0)
		left = 0;
	tv.tv_sec = (time_t)(left / NS_PER_S);
	tv.tv_usec = (suseconds_t)(left % NS_PER_S / 1000 + 1);
	event_add(l->timeout, &tv);
}

static void
timeouts_run(int fd, short what, void *arg)
{
	struct audit_link	*l = arg;
	struct audit_wait	*w;
	int64_t			 now = bootclock_now();

	(void)fd;
	(void)what;
	TAILQ_FOREACH(w, &l->waits, entry) {
		if (w->deadline_ns == 0 || w->deadline_ns > now)
			continue;
		if (!l->complained)
			log_warning("igra-auditd did not answer within %d ms",
			    AUDIT_TIMEOUT_MS);
		l->complained = true;
		wait_answer(w, false, NULL, "igra-auditd did not answer in "
		    "time");
	}
	timeouts_arm(l);
}

int
audit_drain(struct audit_link *l, int ms)
{
	uint64_t	 end = monotonic_now() + (uint64_t)ms * 1000000;
	struct timeval	 tv = { 0, 10000 };

	audit_later_send(l, true);
	while (!TAILQ_EMPTY(&l->waits) && monotonic_now() < end) {
		if (event_base_loopexit(l->base, &tv) == -1 ||
		    event_base_dispatch(l->base) == -1)
			break;
	}
	return TAILQ_EMPTY(&l->waits) ? 0 : -1;
}
