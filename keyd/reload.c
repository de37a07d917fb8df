/* igractl reload: another config for a keyd that runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keyd.h"
#include "log.h"

static enum proto_code	 check(struct keyd *, const struct msg_reload *,
			    struct reload *, struct own **, char *, size_t);
static void		 apply(struct client *, const struct msg_reload *,
			    struct reload *, struct own *);
static void		 refused(struct client *, uint64_t, enum proto_code,
			    const char *);

void
keyd_config_loaded(struct keyd *k, const struct peer *operator)
{
	struct audit_record	 r;

	audit_record_init(&r, EV_CONFIG_LOADED, SRC_KEYD, true);
	audit_set_str(&r, FIELD_PROGRAM, k->d.progname);
	audit_set_str(&r, FIELD_NETWORK,
	    kaspa_network_name(k->d.conf->network));
	audit_set_bytes(&r, FIELD_CONFIG_HASH, k->d.conf_hash,
	    sizeof(k->d.conf_hash));
	if (operator != NULL) {
		audit_set_u64(&r, FIELD_PEER_UID, operator->uid);
		audit_set_u64(&r, FIELD_PEER_PID, (uint64_t)operator->pid);
	}
	audit_tell(&k->audit, &r);
}

/* Everything that can fail is done before anything is changed. */
static enum proto_code
check(struct keyd *k, const struct msg_reload *m, struct reload *r,
    struct own **own, char *err, size_t errlen)
{
	const char	*errstr;
	enum proto_code	 code;

	if (daemon_reload_parse(&k->d, (const char *)m->text.p, m->text.len,
	    r, err, errlen) == -1)
		return r->frozen ? CODE_CONFLICT : CODE_UNSUPPORTED;
	if ((*own = own_new(r->conf, &errstr)) == NULL) {
		(void)snprintf(err, errlen, "%s: %s", r->conf->path, errstr);
		code = CODE_UNSUPPORTED;
	} else
		code = keyring_reload_check(&k->ring, r->conf, err, errlen);
	if (code != CODE_NONE)
		daemon_reload_free(r);
	return code;
}

/*
 * Requests that were decided by the old config go on with it, all others meet
 * the new one.
 */
static void
apply(struct client *c, const struct msg_reload *m, struct reload *r,
    struct own *own)
{
	struct keyd	*k = c->k;

	keyring_reload(&k->ring, r->conf);
	daemon_reload_swap(&k->d, r, m->file_hash);
	own_unref(k->own);
	k->own = own;
	client_limits_change(k);
	journal_set_max(k->journal, k->d.conf->policy.max_outpoints);
	log_info("the config was reloaded by uid %u", (unsigned)c->peer.uid);
	keyd_config_loaded(k, &c->peer);
}

static void
refused(struct client *c, uint64_t id, enum proto_code code, const char *why)
{
	struct keyd		*k = c->k;
	struct audit_record	 r;

	audit_record_init(&r, EV_CONFIG_LOADED, SRC_KEYD, false);
	audit_set_str(&r, FIELD_PROGRAM, k->d.progname);
	audit_set_u64(&r, FIELD_PEER_UID, c->peer.uid);
	audit_set_u64(&r, FIELD_PEER_PID, (uint64_t)c->peer.pid);
	audit_set_str(&r, FIELD_ERROR, why);
	if (audit_tell_capped(&k->audit, &r, c->peer.uid))
		log_warnx("reload by uid %u refused: %s",
		    (unsigned)c->peer.uid, why);
	(void)frame_send_error(c->conn, id, code, PROTO_NO_PSKT, why);
}

void
admin_reload(struct client *c, const struct frame *f)
{
	struct own		*own = NULL;
	struct reload		 r;
	struct msg_reload	 m;
	uint8_t			*text;
	char			 err[KEYRING_ERR];
	enum proto_code		 code;

	if (!daemon_is_root(&c->k->d, c->peer.uid)) {
		refused(c, f->id, CODE_UNAUTHORIZED, "only root may reload");
		return;
	}
	if (dec_reload(f->p, f->len, NULL, &m) == -1) {
		client_drop(c, "malformed RELOAD");
		return;
	}
	code = check(c->k, &m, &r, &own, err, sizeof(err));
	if (code == CODE_NONE) {
		if (m.apply) {
			apply(c, &m, &r, own);
			own = NULL;
		}
		daemon_reload_free(&r);
		(void)frame_send(c->conn, MSG_OK, f->id, NULL, 0);
	} else
		refused(c, f->id, code, err);
	own_unref(own);
	if ((text = frame_take(c->conn)) != NULL)
		freezero(text, f->len);
}
