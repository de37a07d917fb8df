/* igractl reload: another config for an auditd that runs. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/log.h"

#include "auditd/client.h"

static void	 rearm(struct auditd *, const struct conf *);
static enum proto_code reload(struct auditd *, const struct peer *,
		    const struct msg_reload *, char *, size_t);

/* Intervals that have changed begin anew. */
static void
rearm(struct auditd *a, const struct conf *old)
{
	const struct conf	*c = a->d.conf;
	struct timeval		 tv;

	if (a->check_ev != NULL && c->permission_check_interval !=
	    old->permission_check_interval) {
		tv.tv_sec = (time_t)c->permission_check_interval;
		tv.tv_usec = 0;
		event_add(a->check_ev, &tv);
	}
	if (c->anchor == NULL || old->anchor == NULL ? c->anchor != old->anchor :
	    strcasecmp(c->anchor, old->anchor) != 0) {
		seal_check_anchor(a);
		clients_health(a);
	}
	if (a->seal_ev != NULL && c->checkpoint_interval !=
	    old->checkpoint_interval) {
		event_del(a->seal_ev);
		seal_schedule(a);
	}
}

/* Checks the config, and if the message says so goes by it from now on. */
static enum proto_code
reload(struct auditd *a, const struct peer *peer, const struct msg_reload *m,
    char *err, size_t errlen)
{
	struct reload	 r;

	if (daemon_reload_parse(&a->d, (const char *)m->text.p, m->text.len,
	    &r, err, errlen) == -1)
		return r.frozen ? CODE_CONFLICT : CODE_UNSUPPORTED;
	if (m->apply) {
		daemon_reload_swap(&a->d, &r, m->file_hash);
		log_info("the config was reloaded by uid %u",
		    (unsigned)peer->uid);
		own_config(a, peer);
		rearm(a, r.conf);
	}
	daemon_reload_free(&r);
	return CODE_NONE;
}

void
reload_message(struct client *c, const struct frame *f)
{
	struct msg_reload	 m;
	uint8_t			*text;
	char			 err[1024];
	enum proto_code		 code;

	if (!daemon_is_root(&c->a->d, c->peer.uid)) {
		client_refuse(c, f, CODE_UNAUTHORIZED, "only root may reload",
		    false);
		return;
	}
	if (dec_reload(f->p, f->len, NULL, &m) == -1) {
		client_refuse(c, f, CODE_INTERNAL, "malformed message", true);
		return;
	}
	code = reload(c->a, &c->peer, &m, err, sizeof(err));
	if ((text = frame_take(c->conn)) != NULL)
		freezero(text, f->len);
	if (code == CODE_NONE)
		(void)frame_send(c->conn, MSG_OK, f->id, NULL, 0);
	else
		client_refuse(c, f, code, err, false);
}
