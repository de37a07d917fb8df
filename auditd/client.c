/* The two sockets, their peers, and what they may ask for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fileattr.h"
#include "common/frame.h"
#include "common/log.h"
#include "proto/messages.h"

#include "auditd/auditd.h"

#define MAX_CLIENTS	32	/* of each socket: one never starves the other */
#define MAX_PER_UID	16
#define ACCEPT_BURST	32
#define BATCH_MAX	(8 * 1024 * 1024)	/* bytes that wait for a commit */
#define BATCH_RECORDS	4000		/* the same, so that checkpoints come */
#define APPEND_POOL	(64 * 1024 * 1024)	/* of one decoded message */

#define EVENT(e)	(UINT32_C(1) << (e))

struct listener {
	struct auditd		*a;
	struct event		*ev;
	enum proto_link		 link;
	const char		*name;
};

struct client {
	TAILQ_ENTRY(client)	 entry;
	struct auditd		*a;
	struct frame_conn	*conn;
	struct peer		 peer;
	enum proto_link		 link;
	const char		*name;		/* of the socket */
	bool			 greeted;	/* keyd, who is told of our health */
};

/* A message whose answer waits for the sync. */
struct pending {
	TAILQ_ENTRY(pending)	 entry;
	struct auditd		*a;
	struct client		*client;	/* NULL: it has left */
	uint64_t		 id;
	uint8_t			*copy;		/* the message, if it may use ... */
	size_t			 len;		/* ... the reserve; or NULL */
};

/* Who may write what. */
static const struct {
	enum proto_link	 link;
	uint32_t	 events;
} permits[SRC_MAX] = {
	[SRC_KEYD] = { LINK_AUDITD, ~(EVENT(EV_LOG_ROTATED) |
	    EVENT(EV_CHECKPOINT)) },
	[SRC_SIGND] = { LINK_AUDITD, EVENT(EV_PEER_REJECTED) |
	    EVENT(EV_REQUEST_REJECTED) | EVENT(EV_SERVICE_STARTED) |
	    EVENT(EV_SERVICE_STOPPED) },
	[SRC_AUDITD] = { LINK_MAX, 0 },
	[SRC_ADMIN] = { LINK_AUDITD_ADMIN, EVENT(EV_KEY_LIFECYCLE) |
	    EVENT(EV_SECRET_ACCESS) },
};

static void	 accept_some(int, short, void *);
static void	 accept_resume(int, short, void *);
static const char *why_not(struct auditd *, const struct listener *,
		    const struct peer *);
static void	 client_new(struct listener *, int, const struct peer *);
static void	 client_free(struct client *);
static void	 client_message(struct frame_conn *, const struct frame *,
		    void *);
static void	 client_closed(struct frame_conn *, const char *, void *);
static void	 refuse(struct client *, const struct frame *,
		    enum proto_code, const char *, bool);
static void	 do_hello(struct client *, const struct frame *);
static void	 do_append(struct client *, const struct frame *);
static void	 do_status(struct client *, const struct frame *);
static void	 do_rotate(struct client *, const struct frame *);
static void	 do_reopen(struct client *, const struct frame *);
static void	 send_health(struct client *);
static bool	 may_use_reserve(const struct msg_audit_append *);
static void	 write_again(struct pending *);
static bool	 is_root(const struct client *);
static const char *vet(const struct client *, struct audit_record *,
		    uint64_t);
static int	 add_records(struct writer *, const struct msg_audit_append *);
static void	 append_records(struct client *, const struct frame *,
		    struct msg_audit_append *);
static void	 answer_later(struct client *, const struct frame *,
		    const struct writer_mark *, bool);
static void	 pending_answer(struct pending *, const struct chain *);
static void	 append_done(void *, const struct chain *);

static const struct frame_ops	 client_ops = {
	.message = client_message,
	.closed = client_closed,
};

/* frame_conn has checked that the type may come in by this socket. */
static void	(*const handlers[MSG_MAX])(struct client *,
		    const struct frame *) = {
	[MSG_AUDIT_HELLO] = do_hello,
	[MSG_AUDIT_APPEND] = do_append,
	[MSG_AUDITD_STATUS_REQ] = do_status,
	[MSG_AUDIT_ROTATE] = do_rotate,
	[MSG_AUDIT_REOPEN] = do_reopen,
};

void
clients_init(struct auditd *a, int auditd_fd, int admin_fd)
{
	int	 fd[2] = { auditd_fd, admin_fd };
	int	 i;

	if ((a->listeners = calloc(2, sizeof(*a->listeners))) == NULL ||
	    (a->accept_ev = evtimer_new(a->base, accept_resume, a)) == NULL)
		fatal("cannot serve");
	a->listeners[0].link = LINK_AUDITD;
	a->listeners[0].name = "auditd.sock";
	a->listeners[1].link = LINK_AUDITD_ADMIN;
	a->listeners[1].name = "admin.sock";
	for (i = 0; i < 2; i++) {
		a->listeners[i].a = a;
		a->listeners[i].ev = event_new(a->base, fd[i], EV_READ |
		    EV_PERSIST, accept_some, &a->listeners[i]);
		if (a->listeners[i].ev == NULL ||
		    event_add(a->listeners[i].ev, NULL) != 0)
			fatal("cannot serve");
	}
}

void
clients_free(struct auditd *a)
{
	struct client	*c;
	int		 i;

	while ((c = TAILQ_FIRST(&a->clients)) != NULL) {
		frame_conn_close(c->conn);
		client_free(c);
	}
	for (i = 0; i < 2; i++) {
		close(event_get_fd(a->listeners[i].ev));
		event_free(a->listeners[i].ev);
	}
	event_free(a->accept_ev);
	free(a->listeners);
}

static void
accept_some(int fd, short what, void *arg)
{
	struct listener	*l = arg;
	struct timeval	 pause = { 0, 200000 };
	struct peer	 peer;
	int		 i, cfd;

	(void)what;
	for (i = 0; i < ACCEPT_BURST; i++) {
		if ((cfd = daemon_accept(fd, &peer)) != -1) {
			client_new(l, cfd, &peer);
			continue;
		}
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS) {
			/* The queue stays readable: look again later. */
			log_warn("%s: accept", l->name);
			event_del(l->a->listeners[0].ev);
			event_del(l->a->listeners[1].ev);
			event_add(l->a->accept_ev, &pause);
		}
		return;
	}
}

static void
accept_resume(int fd, short what, void *arg)
{
	struct auditd	*a = arg;

	(void)fd;
	(void)what;
	event_add(a->listeners[0].ev, NULL);
	event_add(a->listeners[1].ev, NULL);
}

/* NULL, or why this peer is not served. */
static const char *
why_not(struct auditd *a, const struct listener *l, const struct peer *peer)
{
	struct client	*c;
	unsigned	 all = 0, own = 0;

	if (l->link == LINK_AUDITD && peer->uid != a->d.uid[ROLE_KEYD])
		return "not igra-keyd's user";
	if (l->link == LINK_AUDITD_ADMIN && !daemon_is_admin(&a->d, peer->uid))
		return "neither root nor one of admin_users";
	TAILQ_FOREACH(c, &a->clients, entry) {
		if (c->link != l->link)
			continue;
		all++;
		own += c->peer.uid == peer->uid;
	}
	if (own >= MAX_PER_UID || all >= MAX_CLIENTS)
		return "too many connections";
	return NULL;
}

static void
client_new(struct listener *l, int fd, const struct peer *peer)
{
	struct auditd	*a = l->a;
	struct client	*c;
	const char	*why;

	if ((why = why_not(a, l, peer)) != NULL) {
		close(fd);
		if (own_rejected(a, EV_PEER_REJECTED, peer, l->name, NULL, why))
			log_warnx("%s: rejected uid %u pid %d: %s", l->name,
			    (unsigned)peer->uid, (int)peer->pid, why);
		return;
	}
	if ((c = calloc(1, sizeof(*c))) == NULL) {
		log_warn("%s", l->name);
		close(fd);
		return;
	}
	c->a = a;
	c->peer = *peer;
	c->link = l->link;
	c->name = l->name;
	c->conn = frame_conn_new(a->base, fd, l->link, true, &client_ops, c);
	if (c->conn == NULL) {
		log_warn("%s", l->name);
		free(c);
		return;
	}
	TAILQ_INSERT_TAIL(&a->clients, c, entry);
	log_debug("%s: uid %u pid %d connected", c->name,
	    (unsigned)peer->uid, (int)peer->pid);
}

/* What it has sent is still written: it may count on that. */
static void
client_free(struct client *c)
{
	struct pending	*p;

	TAILQ_FOREACH(p, &c->a->pending, entry)
		if (p->client == c)
			p->client = NULL;
	TAILQ_FOREACH(p, &c->a->again, entry)
		if (p->client == c)
			p->client = NULL;
	TAILQ_REMOVE(&c->a->clients, c, entry);
	free(c);
}

static void
client_closed(struct frame_conn *conn, const char *why, void *arg)
{
	struct client	*c = arg;

	(void)conn;
	log_debug("%s: uid %u pid %d: %s", c->name, (unsigned)c->peer.uid,
	    (int)c->peer.pid, why);
	client_free(c);
}

static void
client_message(struct frame_conn *conn, const struct frame *f, void *arg)
{
	struct client	*c = arg;

	(void)conn;
	if (handlers[f->type] == NULL)
		refuse(c, f, CODE_UNSUPPORTED, "not served here", true);
	else
		handlers[f->type](c, f);
}

/* Answers with an error; hang_up when the peer does not speak our language. */
static void
refuse(struct client *c, const struct frame *f, enum proto_code code,
    const char *why, bool hang_up)
{
	const char	*method = proto_rule(f->type)->name;

	if (code != CODE_AUDIT_UNAVAILABLE && own_rejected(c->a,
	    EV_REQUEST_REJECTED, &c->peer, method, proto_code_name(code), why))
		log_warnx("%s: refused %s of uid %u pid %d: %s", c->name,
		    method, (unsigned)c->peer.uid, (int)c->peer.pid, why);
	(void)frame_send_error(c->conn, f->id, code, PROTO_NO_PSKT, why);
	if (hang_up) {
		frame_conn_close(c->conn);
		client_free(c);
	}
}

static void
do_hello(struct client *c, const struct frame *f)
{
	struct msg_audit_state	 m;
	const struct chain	*at;
	struct enc		 e;

	/* An earlier connection's records may be on their way. */
	if (!c->a->stopped)
		(void)auditd_commit(c->a);
	at = writer_durable(c->a->writer);
	memset(&m, 0, sizeof(m));
	m.last_kseq = at->kseq;
	m.seq = at->seq;
	m.have = at->seq != 0;
	memcpy(m.head, at->head, sizeof(m.head));
	m.pid = (uint32_t)getpid();
	enc_init(&e);
	enc_audit_state(&e, &m);
	if (frame_send_enc(c->conn, MSG_AUDIT_STATE, f->id, &e) == -1)
		return;
	c->greeted = true;
	send_health(c);
}

static void
send_health(struct client *c)
{
	struct msg_audit_health	 m;
	struct enc		 e;

	m.reason = bytes_str(auditd_reason(c->a));
	m.healthy = m.reason.len == 0;
	m.alerts = c->a->alerts;
	enc_init(&e);
	enc_audit_health(&e, &m);
	(void)frame_send_enc(c->conn, MSG_AUDIT_HEALTH, 0, &e);
}

void
clients_health(struct auditd *a)
{
	struct client	*c;
	const char	*reason = auditd_reason(a);

	if (a->told_alerts == a->alerts &&
	    strcmp(a->told_reason, reason) == 0)
		return;
	a->told_alerts = a->alerts;
	(void)strlcpy(a->told_reason, reason, sizeof(a->told_reason));
	TAILQ_FOREACH(c, &a->clients, entry)
		if (c->greeted)
			send_health(c);
}

/*
 * NULL, or why this peer may not write this record.  Operators are named by
 * the kernel, whatever they call themselves.
 */
static const char *
vet(const struct client *c, struct audit_record *r, uint64_t last_kseq)
{
	if (c->link != permits[r->source].link ||
	    (permits[r->source].events & EVENT(r->event)) == 0)
		return "not a record that may come in by this socket";
	if (c->link == LINK_AUDITD) {
		if (!audit_has(r, FIELD_KSEQ) || r->v[FIELD_KSEQ].u <= last_kseq)
			return "kseq does not increase";
		return NULL;
	}
	if (audit_has(r, FIELD_KSEQ))
		return "kseq in a record that is not keyd's";
	audit_set_u64(r, FIELD_OPERATOR, c->peer.uid);
	audit_set_u64(r, FIELD_PEER_UID, c->peer.uid);
	audit_set_u64(r, FIELD_PEER_PID, (uint64_t)c->peer.pid);
	return NULL;
}

/* 0, or an errno: then some may have been added. */
static int
add_records(struct writer *w, const struct msg_audit_append *m)
{
	const struct audit_record	*r;
	uint32_t			 i;

	for (i = 0; i < m->n; i++) {
		r = &m->record[i];
		/* Sent again after a lost answer: the log has it. */
		if (audit_has(r, FIELD_KSEQ) &&
		    r->v[FIELD_KSEQ].u <= writer_next(w)->kseq)
			continue;
		if (writer_add(w, r) == -1)
			return errno;
	}
	return 0;
}

/* All or none of them: a refused message leaves no trace. */
static void
append_records(struct client *c, const struct frame *f,
    struct msg_audit_append *m)
{
	struct writer		*w = c->a->writer;
	struct writer_mark	 mark;
	uint64_t		 last_kseq = 0;
	const char		*why;
	uint32_t		 i;
	int			 error;

	for (i = 0; i < m->n; i++) {
		if ((why = vet(c, &m->record[i], last_kseq)) != NULL) {
			refuse(c, f, CODE_UNAUTHORIZED, why, true);
			return;
		}
		last_kseq = m->record[i].v[FIELD_KSEQ].u;
	}
	writer_mark(w, &mark);
	if ((error = add_records(w, m)) == 0) {
		answer_later(c, f, &mark, may_use_reserve(m));
		return;
	}
	/* Before refuse, which adds a record of its own. */
	writer_rewind(w, &mark);
	if (error == EMSGSIZE)
		refuse(c, f, CODE_TOO_LARGE, "the record does not fit a line "
		    "of the log (256 KiB)", false);
	else if (error == EINVAL)
		refuse(c, f, CODE_INTERNAL, "malformed record", true);
	else
		refuse(c, f, CODE_AUDIT_UNAVAILABLE, "out of memory", false);
}

/*
 * Of a full disk only what did not happen is recorded, and what makes the
 * signer safer.
 */
static bool
may_use_reserve(const struct msg_audit_append *m)
{
	const struct audit_record	*r;
	uint32_t			 i;

	for (i = 0; i < m->n; i++) {
		r = &m->record[i];
		if (r->success && r->event != EV_LOCK &&
		    r->event != EV_CACHE_EVICTED &&
		    r->event != EV_SERVICE_STARTED &&
		    r->event != EV_SERVICE_STOPPED &&
		    r->event != EV_CONFIG_LOADED)
			return false;
	}
	return true;
}

static void
do_append(struct client *c, const struct frame *f)
{
	struct auditd		*a = c->a;
	struct msg_audit_append	 m;
	struct pool		 pool;

	if (!auditd_writable(a)) {
		refuse(c, f, CODE_AUDIT_UNAVAILABLE, a->stopped ?
		    "the audit log has been tampered with: igractl audit "
		    "reopen" : "the audit log is not writable", false);
		return;
	}
	pool_init(&pool, APPEND_POOL);
	if (dec_audit_append(f->p, f->len, &pool, &m) == -1)
		refuse(c, f, CODE_INTERNAL, "malformed message", true);
	else if (a->nospace && !may_use_reserve(&m))
		refuse(c, f, CODE_AUDIT_UNAVAILABLE,
		    "no space left for the audit log", false);
	else
		append_records(c, f, &m);
	pool_free(&pool);
	if (writer_queued(a->writer) > BATCH_MAX ||
	    writer_records(a->writer) > BATCH_RECORDS)
		(void)auditd_commit(a);
}

static void
answer_later(struct client *c, const struct frame *f,
    const struct writer_mark *mark, bool keep)
{
	struct pending	*p;

	if ((p = calloc(1, sizeof(*p))) == NULL ||
	    writer_wait(c->a->writer, append_done, p) == -1) {
		free(p);
		writer_rewind(c->a->writer, mark);
		refuse(c, f, CODE_AUDIT_UNAVAILABLE, "out of memory", false);
		return;
	}
	p->a = c->a;
	p->client = c;
	p->id = f->id;
	if (keep && (p->copy = malloc(f->len)) != NULL) {
		memcpy(p->copy, f->p, f->len);
		p->len = f->len;
	}
	TAILQ_INSERT_TAIL(&c->a->pending, p, entry);
	auditd_schedule(c->a);
}

static void
append_done(void *arg, const struct chain *at)
{
	struct pending	*p = arg;
	struct auditd	*a = p->a;

	TAILQ_REMOVE(&a->pending, p, entry);
	/* The disk is full, and this is what the reserve is for. */
	if (at == NULL && p->copy != NULL && writer_full(a->writer) &&
	    a->reserve.kept) {
		TAILQ_INSERT_TAIL(&a->again, p, entry);
		return;
	}
	pending_answer(p, at);
}

static void
pending_answer(struct pending *p, const struct chain *at)
{
	struct msg_audit_ack	 m;
	struct enc		 e;
	uint8_t			 buf[64];

	if (p->client != NULL && at == NULL)
		(void)frame_send_error(p->client->conn, p->id,
		    CODE_AUDIT_UNAVAILABLE, PROTO_NO_PSKT,
		    "the audit log is not writable");
	else if (p->client != NULL) {
		m.last_kseq = at->kseq;
		m.seq = at->seq;
		memcpy(m.head, at->head, sizeof(m.head));
		enc_init_fixed(&e, buf, sizeof(buf));
		enc_audit_ack(&e, &m);
		(void)frame_send_enc(p->client->conn, MSG_AUDIT_ACK, p->id,
		    &e);
	}
	free(p->copy);
	free(p);
}

static void
write_again(struct pending *p)
{
	struct writer		*w = p->a->writer;
	struct writer_mark	 mark;
	struct msg_audit_append	 m;
	struct pool		 pool;
	bool			 ok;

	pool_init(&pool, APPEND_POOL);
	writer_mark(w, &mark);
	ok = p->a->nospace && auditd_writable(p->a) &&
	    dec_audit_append(p->copy, p->len, &pool, &m) == 0 &&
	    add_records(w, &m) == 0;
	if (ok && writer_wait(w, append_done, p) == 0)
		TAILQ_INSERT_TAIL(&p->a->pending, p, entry);
	else {
		writer_rewind(w, &mark);
		pending_answer(p, NULL);
	}
	pool_free(&pool);
}

void
clients_again(struct auditd *a)
{
	struct pending	*p;

	while ((p = TAILQ_FIRST(&a->again)) != NULL) {
		TAILQ_REMOVE(&a->again, p, entry);
		write_again(p);
	}
}

/* Root, or where all run as one user that one. */
static bool
is_root(const struct client *c)
{
	return c->peer.uid == 0 || (!c->a->d.separated &&
	    c->peer.uid == c->a->d.uid[ROLE_AUDITD]);
}

static void
do_rotate(struct client *c, const struct frame *f)
{
	enum proto_code	 code;
	char		 err[512];

	code = rotate_now(c->a, "operator", c->peer.uid, err, sizeof(err));
	if (code == CODE_NONE)
		(void)frame_send(c->conn, MSG_OK, f->id, NULL, 0);
	else
		(void)frame_send_error(c->conn, f->id, code, PROTO_NO_PSKT,
		    err);
}

static void
do_reopen(struct client *c, const struct frame *f)
{
	enum proto_code	 code;
	char		 err[512];

	if (!is_root(c)) {
		refuse(c, f, CODE_UNAUTHORIZED, "only root may do that",
		    false);
		return;
	}
	code = rotate_reopen(c->a, c->peer.uid, err, sizeof(err));
	if (code == CODE_NONE)
		(void)frame_send(c->conn, MSG_OK, f->id, NULL, 0);
	else
		(void)frame_send_error(c->conn, f->id, code, PROTO_NO_PSKT,
		    err);
}

static void
do_status(struct client *c, const struct frame *f)
{
	struct msg_auditd_status	 m;
	struct writer_stats		 st;
	struct auditd			*a = c->a;
	const struct chain		*at = writer_durable(a->writer);
	struct enc			 e;

	writer_stats(a->writer, &st);
	memset(&m, 0, sizeof(m));
	m.pid = (uint32_t)getpid();
	m.uptime_s = (monotonic_ns() - a->started) / 1000000000U;
	m.records = st.records;
	m.bytes = st.bytes;
	m.commits = st.commits;
	m.sync_us = st.sync_us;
	m.seq = at->seq;
	m.have = at->seq != 0;
	memcpy(m.head, at->head, sizeof(m.head));
	m.last_kseq = at->kseq;
	m.writable = auditd_writable(a);
	m.append_only = fileattr_append_only(a->log.fd);
	m.reason = bytes_str(auditd_reason(a));
	m.healthy = m.reason.len == 0;
	m.alerts = a->alerts;
	m.covered_seq = a->cp.covered;
	memcpy(m.origin, a->cp.origin, sizeof(m.origin));
	m.path = bytes_str(a->log.path);
	m.fault = bytes_str(m.writable ? NULL : auditd_reason(a));
	m.sandbox = bytes_str(a->d.sandbox);
	enc_init(&e);
	enc_auditd_status(&e, &m);
	(void)frame_send_enc(c->conn, MSG_AUDITD_STATUS, f->id, &e);
}
