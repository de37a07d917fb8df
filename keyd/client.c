/* Who is connected, and which handler a message of theirs gets. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keyd.h"
#include "log.h"

static void	set_rate(struct keyd *);
static void	client_message(struct frame_conn *, const struct frame *,
		    void *);
static void	client_closed(struct frame_conn *, const char *, void *);
static void	client_free(struct client *);
static void	turn_away(struct keyd *, enum proto_link, const struct peer *,
		    const char *);
static bool	over_rate(struct client *, const struct frame *);
static bool	welcome(const struct keyd *, enum proto_link, uid_t);
static bool	too_many(const struct keyd *, enum proto_link, uid_t);

static const struct frame_ops ops = { client_message, client_closed };

/* proto/table.c says on which socket each may come at all. */
static void (*const handlers[MSG_MAX])(struct client *,
    const struct frame *) = {
	[MSG_INFO_REQ] = request_info,
	[MSG_SIGN_REQ] = sign_request,
	[MSG_CHECK_REQ] = sign_request,
	[MSG_POLICY_REQ] = request_policy,
	[MSG_KEY_LIST_REQ] = request_key_list,
	[MSG_KEY_PUBLIC_REQ] = request_key_public,
	[MSG_NOTE] = request_note,
	[MSG_KEYD_STATUS_REQ] = request_status,
	[MSG_UNLOCK_FILE] = admin_unlock_file,
	[MSG_UNLOCK] = admin_unlock,
	[MSG_LOCK] = admin_lock,
	[MSG_RELOAD] = admin_reload,
	[MSG_POLICY_ACCEPT] = admin_policy_accept,
	[MSG_POLICY_RELEASE] = admin_policy_release,
};

/* Requests that use a secret or make records. */
static const char *const limited[MSG_MAX] = {
	[MSG_SIGN_REQ] = "pskt.sign",
	[MSG_CHECK_REQ] = "pskt.check",
	[MSG_KEY_LIST_REQ] = "key.list",
	[MSG_KEY_PUBLIC_REQ] = "key.public",
};

/*
 * Twice what signd lets all of its users ask together: an honest one is never
 * refused here, and a taken one gets no more.
 */
static void
set_rate(struct keyd *k)
{
	const struct conf	*c = k->d.conf;
	uint64_t		 users = c->allow_users.n;

	bucket_rate(&k->rate, 2 * users * c->rate_limit_rps,
	    2 * users * c->rate_limit_burst);
}

void
client_limits_change(struct keyd *k)
{
	struct bucket_rate	 old = k->rate;

	set_rate(k);
	bucket_change(&old, &k->rate, &k->bucket);
}

void
client_limits(struct keyd *k)
{
	set_rate(k);
	bucket_init(&k->rate, &k->bucket, monotonic_now());
	limiter_init(&k->talk, LIMITER_EVENTS, LIMITER_WINDOW);
}

/* True: it has been refused, unread. */
static bool
over_rate(struct client *c, const struct frame *f)
{
	struct keyd	*k = c->k;
	struct refusal	 r;
	unsigned	 retry;
	char		 msg[96];

	if (c->link != LINK_KEYD || limited[f->type] == NULL ||
	    bucket_take(&k->rate, &k->bucket, monotonic_now(), &retry))
		return false;
	snprintf(msg, sizeof(msg), "igra-signd asks more than [rpc] "
	    "rate_limit_rps allows: try again in %u s", retry);
	k->requests++;
	memset(&r, 0, sizeof(r));
	r.code = CODE_RATE_LIMITED;
	r.pskt = PROTO_NO_PSKT;
	r.message = msg;
	r.method = limited[f->type];
	r.peer_uid = (uint32_t)c->peer.uid;
	r.peer_pid = (uint32_t)c->peer.pid;
	refuse_request(k, c, f->id, &r);
	return true;
}

static bool
welcome(const struct keyd *k, enum proto_link link, uid_t uid)
{
	if (link == LINK_KEYD)
		return uid == k->d.uid[ROLE_SIGND];
	return daemon_is_admin(&k->d, uid);
}

static bool
too_many(const struct keyd *k, enum proto_link link, uid_t uid)
{
	const struct client	*c;
	unsigned		 own = 0, others = 0;

	if (link == LINK_KEYD)
		return k->nclients[link] >= KEYD_MAX_SIGND;
	if (k->nclients[link] >= KEYD_MAX_ADMIN)
		return true;
	if (daemon_is_root(&k->d, uid))
		return false;
	TAILQ_FOREACH(c, &k->clients, entry) {
		if (c->link != link || daemon_is_root(&k->d, c->peer.uid))
			continue;
		others++;
		own += c->peer.uid == uid;
	}
	return own >= KEYD_MAX_OTHER || others >= KEYD_MAX_OTHERS;
}

static void
turn_away(struct keyd *k, enum proto_link link, const struct peer *peer,
    const char *why)
{
	const char		*sock = link == LINK_KEYD ? "keyd.sock" :
				    "admin.sock";
	struct audit_record	 r;

	audit_record_init(&r, EV_PEER_REJECTED, SRC_KEYD, false);
	audit_set_str(&r, FIELD_SOCKET, sock);
	audit_set_str(&r, FIELD_ERROR, why);
	audit_set_u64(&r, FIELD_PEER_UID, peer->uid);
	audit_set_u64(&r, FIELD_PEER_PID, (uint64_t)peer->pid);
	/* Anybody may knock; nobody shall fill the system's log with it. */
	if (audit_tell_capped(&k->audit, &r, peer->uid))
		log_warnx("%s: turned uid %u away: %s", sock,
		    (unsigned)peer->uid, why);
}

void
client_accept(struct keyd *k, int lfd, enum proto_link link)
{
	struct client	*c;
	struct peer	 peer;
	int		 fd;

	if ((fd = daemon_accept(lfd, &peer)) == -1) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			log_warn("accept");
		return;
	}
	if (!welcome(k, link, peer.uid)) {
		turn_away(k, link, &peer, "wrong user for this socket");
		close(fd);
		return;
	}
	if (too_many(k, link, peer.uid) || (c = calloc(1, sizeof(*c))) == NULL) {
		turn_away(k, link, &peer, "too many connections");
		close(fd);
		return;
	}
	c->k = k;
	c->link = link;
	c->peer = peer;
	c->serial = ++k->nserial;
	if ((c->conn = frame_conn_new(k->base, fd, link, true, &ops,
	    c)) == NULL) {
		free(c);
		return;
	}
	TAILQ_INSERT_TAIL(&k->clients, c, entry);
	k->nclients[link]++;
	if (k->paused && link == LINK_KEYD)
		frame_conn_pause(c->conn);
}

static void
client_message(struct frame_conn *conn, const struct frame *f, void *arg)
{
	struct client	*c = arg;

	(void)conn;
	if (handlers[f->type] == NULL)
		client_drop(c, "a message of the wrong direction");
	else if (!over_rate(c, f))
		handlers[f->type](c, f);
}

static void
client_free(struct client *c)
{
	sign_client_gone(c);
	TAILQ_REMOVE(&c->k->clients, c, entry);
	c->k->nclients[c->link]--;
	free(c->file);
	free(c);
}

static void
client_closed(struct frame_conn *conn, const char *why, void *arg)
{
	struct client	*c = arg;
	struct keyd	*k = c->k;

	if (frame_violated(conn))
		turn_away(k, c->link, &c->peer, why);
	else if (strcmp(why, "closed by the peer") != 0 &&
	    limiter_allow(&k->talk, c->link, (uint32_t)c->peer.uid,
	    monotonic_now()))
		log_warnx("%s of uid %u: %s", c->link == LINK_KEYD ?
		    "keyd.sock client" : "admin client",
		    (unsigned)c->peer.uid, why);
	client_free(c);
}

/* A client that does not keep to the protocol is logged, counted and closed. */
void
client_drop(struct client *c, const char *why)
{
	turn_away(c->k, c->link, &c->peer, why);
	client_close(c);
}

void
client_close(struct client *c)
{
	frame_conn_close(c->conn);
	client_free(c);
}

struct client *
client_find(struct keyd *k, uint64_t serial)
{
	struct client	*c;

	TAILQ_FOREACH(c, &k->clients, entry)
		if (c->serial == serial)
			return c;
	return NULL;
}
