/* Records that come in: who may write what, and when it is acknowledged. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auditd/client.h"

#define BATCH_MAX	(8 * 1024 * 1024)	/* bytes that wait for a commit */
#define BATCH_RECORDS	4000		/* the same, so that checkpoints come */
#define APPEND_POOL	(64 * 1024 * 1024)	/* of one decoded message */

#define EVENT(e)	(UINT32_C(1) << (e))

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
	    EVENT(EV_SERVICE_STOPPED) | EVENT(EV_CONFIG_LOADED) },
	[SRC_AUDITD] = { LINK_MAX, 0 },
	[SRC_ADMIN] = { LINK_AUDITD_ADMIN, EVENT(EV_KEY_LIFECYCLE) |
	    EVENT(EV_SECRET_ACCESS) },
};

static const char *vet(const struct client *, struct audit_record *,
		    uint64_t);
static int	 add_records(struct writer *, const struct msg_audit_append *);
static void	 append_records(struct client *, const struct frame *,
		    struct msg_audit_append *);
static bool	 may_use_reserve(const struct msg_audit_append *);
static void	 answer_later(struct client *, const struct frame *,
		    const struct writer_mark *, bool);
static void	 append_done(void *, const struct chain *);
static void	 pending_answer(struct pending *, const struct chain *);
static void	 write_again(struct pending *);

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
			client_refuse(c, f, CODE_UNAUTHORIZED, why, true);
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
		client_refuse(c, f, CODE_TOO_LARGE, "the record does not fit a line "
		    "of the log (256 KiB)", false);
	else if (error == EINVAL)
		client_refuse(c, f, CODE_INTERNAL, "malformed record", true);
	else
		client_refuse(c, f, CODE_AUDIT_UNAVAILABLE, "out of memory", false);
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

void
append_message(struct client *c, const struct frame *f)
{
	struct auditd		*a = c->a;
	struct msg_audit_append	 m;
	struct pool		 pool;

	if (!auditd_writable(a)) {
		client_refuse(c, f, CODE_AUDIT_UNAVAILABLE, a->stopped ?
		    "the audit log has been tampered with: igractl audit "
		    "reopen" : "the audit log is not writable", false);
		return;
	}
	pool_init(&pool, APPEND_POOL);
	if (dec_audit_append(f->p, f->len, &pool, &m) == -1)
		client_refuse(c, f, CODE_INTERNAL, "malformed message", true);
	else if (a->nospace && !may_use_reserve(&m))
		client_refuse(c, f, CODE_AUDIT_UNAVAILABLE,
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
		client_refuse(c, f, CODE_AUDIT_UNAVAILABLE, "out of memory", false);
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
append_again(struct auditd *a)
{
	struct pending	*p;

	while ((p = TAILQ_FIRST(&a->again)) != NULL) {
		TAILQ_REMOVE(&a->again, p, entry);
		write_again(p);
	}
}

/* What it has sent is still written: it may count on that. */
void
append_client_gone(struct client *c)
{
	struct pending	*p;

	TAILQ_FOREACH(p, &c->a->pending, entry)
		if (p->client == c)
			p->client = NULL;
	TAILQ_FOREACH(p, &c->a->again, entry)
		if (p->client == c)
			p->client = NULL;
}
