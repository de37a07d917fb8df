/* Who is connected, and which handler a message of theirs gets. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keyd.h"
#include "log.h"

static void	client_message(struct frame_conn *, const struct frame *,
		    void *);
static void	client_closed(struct frame_conn *, const char *, void *);
static void	client_free(struct client *);
static void	turn_away(struct keyd *, enum proto_link, const struct peer *,
		    const char *);
static bool	welcome(const struct keyd *, enum proto_link, uid_t);

static const struct frame_ops ops = { client_message, client_closed };

/* proto/table.c says on which socket each may come at all. */
static void (*const handlers[MSG_MAX])(struct client *,
    const struct frame *) = {
	[MSG_INFO_REQ] = request_info,
	[MSG_SIGN_REQ] = sign_request,
	[MSG_KEY_LIST_REQ] = request_key_list,
	[MSG_KEY_PUBLIC_REQ] = request_key_public,
	[MSG_NOTE] = request_note,
	[MSG_KEYD_STATUS_REQ] = request_status,
	[MSG_UNLOCK_FILE] = admin_unlock_file,
	[MSG_UNLOCK] = admin_unlock,
	[MSG_LOCK] = admin_lock,
};

static bool
welcome(const struct keyd *k, enum proto_link link, uid_t uid)
{
	if (link == LINK_KEYD)
		return uid == k->d.uid[ROLE_SIGND];
	return daemon_is_admin(&k->d, uid);
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
	if (k->nclients[link] >= KEYD_MAX_CLIENTS ||
	    (c = calloc(1, sizeof(*c))) == NULL) {
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
	else
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

	(void)conn;
	if (strcmp(why, "closed by the peer") != 0)
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
