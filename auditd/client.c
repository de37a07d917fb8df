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
#include "auditd/client.h"

#define MAX_CLIENTS	32	/* of each socket: one never starves the other */
#define MAX_PER_UID	16
#define MAX_OTHERS	16	/* of admin.sock, who is not root: it is heard */
#define ACCEPT_BURST	32

struct listener {
	struct auditd		*a;
	struct event		*ev;
	enum proto_link		 link;
	const char		*name;
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
static void	 do_hello(struct client *, const struct frame *);
static void	 do_status(struct client *, const struct frame *);
static void	 do_rotate(struct client *, const struct frame *);
static void	 do_reopen(struct client *, const struct frame *);
static void	 send_health(struct client *);

static const struct frame_ops	 client_ops = {
	.message = client_message,
	.closed = client_closed,
};

/* frame_conn has checked that the type may come in by this socket. */
static void	(*const handlers[MSG_MAX])(struct client *,
		    const struct frame *) = {
	[MSG_AUDIT_HELLO] = do_hello,
	[MSG_AUDIT_APPEND] = append_message,
	[MSG_AUDITD_STATUS_REQ] = do_status,
	[MSG_AUDIT_ROTATE] = do_rotate,
	[MSG_AUDIT_REOPEN] = do_reopen,
	[MSG_RELOAD] = reload_message,
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
	unsigned	 all = 0, own = 0, others = 0;

	if (l->link == LINK_AUDITD && peer->uid != a->d.uid[ROLE_KEYD])
		return "not igra-keyd's user";
	if (l->link == LINK_AUDITD_ADMIN && !daemon_is_admin(&a->d, peer->uid))
		return "neither root nor one of admin_users";
	TAILQ_FOREACH(c, &a->clients, entry) {
		if (c->link != l->link)
			continue;
		all++;
		own += c->peer.uid == peer->uid;
		others += !daemon_is_root(&a->d, c->peer.uid);
	}
	if (l->link == LINK_AUDITD_ADMIN && others >= MAX_OTHERS &&
	    !daemon_is_root(&a->d, peer->uid))
		return "too many connections";
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

static void
client_free(struct client *c)
{
	append_client_gone(c);
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
		client_refuse(c, f, CODE_UNSUPPORTED, "not served here", true);
	else
		handlers[f->type](c, f);
}

void
client_refuse(struct client *c, const struct frame *f, enum proto_code code,
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
	m.reservation = at->reservation;
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
	m.sandbox = bytes_str(c->a->d.sandbox);
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

	if (!daemon_is_root(&c->a->d, c->peer.uid)) {
		client_refuse(c, f, CODE_UNAUTHORIZED, "only root may do that",
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
