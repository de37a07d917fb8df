/* igractl reload: one config for all three daemons, or for none. */
#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "frame.h"
#include "json.h"
#include "log.h"
#include "messages.h"
#include "validate.h"

#define EXIT_UNREACHABLE	3
#define ANSWER_MS		10000
#define TRIES			10	/* while igra-signd has too much to do */

enum outcome { TAKEN, REFUSED, UNREACHABLE };

struct text {
	char	*p;
	size_t	 len;
};

struct reloading {
	const struct ctl	*ctl;
	uint8_t			 hash[32];	/* of the file */
	struct text		 plain;		/* for those without the token */
	struct text		 full;		/* for igra-signd */
	char			 why[CTL_ERR - 256];
};

static int		 lock(const char *, char *, size_t);
static int		 read_texts(struct reloading *, char *, size_t);
static int		 judge(struct reloading *, const char *, char *,
			    size_t);
static int		 judge_rules(const struct reloading *,
			    const struct conf *, char *, size_t);
static enum outcome	 ask_frame(struct reloading *, const char *, uid_t,
			    enum proto_link, bool);
static enum outcome	 ask_keyd(struct reloading *, bool);
static enum outcome	 ask_auditd(struct reloading *, bool);
static enum outcome	 ask_signd(struct reloading *, bool);
static enum outcome	 signd_says(struct reloading *, const struct json *,
			    bool *);
static int		 ask_all(struct reloading *, char *, size_t);
static void		 text_free(struct text *);

/* In this order: the least certain first. */
static const struct {
	const char	*name;
	enum outcome	 (*ask)(struct reloading *, bool);
} daemons[] = {
	{ "igra-signd", ask_signd },
	{ "igra-keyd", ask_keyd },
	{ "igra-auditd", ask_auditd },
};
#define NDAEMONS	(sizeof(daemons) / sizeof(daemons[0]))

static void
text_free(struct text *t)
{
	if (t->p != NULL)
		freezero(t->p, t->len);
	t->p = NULL;
}

/* Two reloads at once could leave the daemons with one config each. */
static int
lock(const char *path, char *err, size_t errlen)
{
	int	 fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
		(void)snprintf(err, errlen, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	(void)snprintf(err, errlen, "%s: %s", path, errno == EWOULDBLOCK ?
	    "another igractl reloads it" : strerror(errno));
	(void)close(fd);
	return -1;
}

static int
read_texts(struct reloading *r, char *err, size_t errlen)
{
	const char	*path = r->ctl->conf->path;
	struct text	 file;

	if ((file.p = conf_read(path, &file.len, err, errlen)) == NULL)
		return -1;
	conf_hash(file.p, file.len, r->hash);
	r->plain.p = conf_reload_text(file.p, file.len, path, false,
	    &r->plain.len, err, errlen);
	if (r->plain.p != NULL)
		r->full.p = conf_reload_text(file.p, file.len, path, true,
		    &r->full.len, err, errlen);
	text_free(&file);
	return r->full.p == NULL ? -1 : 0;
}

/* What a daemon would not start with is not handed to one that runs. */
static int
judge_rules(const struct reloading *r, const struct conf *c, char *err,
    size_t errlen)
{
	struct validate		 v;
	struct findings		 f = { 0 };
	size_t			 i;
	int			 ret = 0;

	memset(&v, 0, sizeof(v));
	v.conf = c;
	v.network = r->ctl->conf->network;
	v.when = VALIDATE_DAEMON;
	v.owner = geteuid();
	memcpy(v.uid, r->ctl->roles.uid, sizeof(v.uid));
	v.users_known = true;
	v.separated = r->ctl->roles.separated;
	validate_run(&v, &f);
	for (i = 0; i < f.n; i++) {
		/* How full a disk is, is no matter of the config's. */
		if (f.v[i].category == CAT_STARTUP)
			continue;
		if (f.v[i].severity == SEV_WARNING)
			log_warning("[%s] %s",
			    validate_category_name(f.v[i].category),
			    f.v[i].message);
		if (f.v[i].severity == SEV_ERROR && ret == 0) {
			(void)snprintf(err, errlen, "[%s] %s",
			    validate_category_name(f.v[i].category),
			    f.v[i].message);
			ret = -1;
		}
	}
	if (f.failed) {
		(void)snprintf(err, errlen, "out of memory");
		ret = -1;
	}
	findings_free(&f);
	return ret;
}

static int
judge(struct reloading *r, const char *profile, char *err, size_t errlen)
{
	struct conf	*c;
	const char	*user;
	int		 ret = -1;

	c = conf_parse(r->full.p, r->full.len, r->ctl->conf->path, profile,
	    r->ctl->euid, err, errlen);
	if (c == NULL)
		return -1;
	if ((user = conf_named_user(c)) != NULL)
		(void)snprintf(err, errlen, "%s: no user %s", c->path, user);
	else
		ret = judge_rules(r, c, err, errlen);
	conf_free(c);
	return ret;
}

static enum outcome
ask_frame(struct reloading *r, const char *path, uid_t uid,
    enum proto_link link, bool apply)
{
	struct frame_reply	 reply;
	struct msg_reload	 m;
	struct msg_error	 e;
	struct enc		 enc;
	struct pool		 pool;
	enum outcome		 outcome = UNREACHABLE;
	int			 fd, ret;

	if ((fd = frame_connect(path, uid, r->why, sizeof(r->why))) == -1)
		return UNREACHABLE;
	m.apply = apply;
	memcpy(m.file_hash, r->hash, sizeof(m.file_hash));
	m.text.p = (const uint8_t *)r->plain.p;
	m.text.len = r->plain.len;
	enc_init(&enc);
	enc_reload(&enc, &m);
	if (enc.failed) {
		(void)strlcpy(r->why, "out of memory", sizeof(r->why));
		ret = -1;
	} else
		ret = frame_call(fd, link, MSG_RELOAD, enc.buf, enc.len,
		    ANSWER_MS, &reply, r->why, sizeof(r->why));
	enc_free(&enc);
	close(fd);
	if (ret == -1)
		return UNREACHABLE;
	pool_init(&pool, 0);
	if (reply.type == MSG_OK)
		outcome = TAKEN;
	else if (reply.type == MSG_ERROR &&
	    dec_error(reply.p, reply.len, &pool, &e) == 0) {
		(void)snprintf(r->why, sizeof(r->why), "%.*s",
		    (int)e.message.len, (const char *)e.message.p);
		outcome = REFUSED;
	} else
		(void)strlcpy(r->why, "its answer makes no sense",
		    sizeof(r->why));
	pool_free(&pool);
	frame_reply_free(&reply);
	return outcome;
}

static enum outcome
ask_keyd(struct reloading *r, bool apply)
{
	return ask_frame(r, r->ctl->conf->keyd_admin_socket,
	    r->ctl->roles.uid[ROLE_KEYD], LINK_KEYD_ADMIN, apply);
}

static enum outcome
ask_auditd(struct reloading *r, bool apply)
{
	return ask_frame(r, r->ctl->conf->auditd_admin_socket,
	    r->ctl->roles.uid[ROLE_AUDITD], LINK_AUDITD_ADMIN, apply);
}

static enum outcome
signd_says(struct reloading *r, const struct json *answer, bool *again)
{
	const struct json	*e = json_get(answer, "error"), *m;

	if (json_get(answer, "result") != NULL)
		return TAKEN;
	if ((m = json_get(e, "message")) == NULL || m->type != JSON_STRING) {
		(void)strlcpy(r->why, "its answer makes no sense",
		    sizeof(r->why));
		return UNREACHABLE;
	}
	*again = json_is_string(json_get(json_get(e, "data"), "code"),
	    proto_code_name(CODE_RATE_LIMITED));
	(void)snprintf(r->why, sizeof(r->why), "%.*s", (int)m->text.len,
	    (const char *)m->text.p);
	return REFUSED;
}

static enum outcome
ask_signd(struct reloading *r, bool apply)
{
	const struct json	*answer;
	struct json_out		 o;
	struct pool		 pool;
	const char		*body;
	enum outcome		 outcome = UNREACHABLE;
	bool			 again = true;
	size_t			 len;
	int			 i;

	if (json_out_init(&o, 0) == -1) {
		(void)strlcpy(r->why, "out of memory", sizeof(r->why));
		return UNREACHABLE;
	}
	json_out_begin_object(&o);
	json_put_string(&o, "jsonrpc", "2.0");
	json_put_u64(&o, "id", 1);
	json_put_string(&o, "method", "admin.reload");
	json_out_key(&o, "params");
	json_out_begin_object(&o);
	json_out_key(&o, "config");
	json_out_stringn(&o, r->full.p, r->full.len);
	json_put_bool(&o, "check", !apply);
	json_out_end_object(&o);
	json_out_end_object(&o);
	if ((body = json_out_text(&o, &len)) == NULL)
		(void)strlcpy(r->why, "out of memory", sizeof(r->why));
	for (i = 0; body != NULL && again && i < TRIES; i++) {
		if (i > 0)
			(void)sleep(1);
		again = false;
		pool_init(&pool, 0);
		outcome = UNREACHABLE;
		if (ctl_rpc(r->ctl, body, len, &pool, &answer, r->why,
		    sizeof(r->why)) == 0)
			outcome = signd_says(r, answer, &again);
		pool_free(&pool);
	}
	if (o.buf != NULL)
		explicit_bzero(o.buf, o.cap);
	json_out_free(&o);
	return outcome;
}

static int
ask_all(struct reloading *r, char *err, size_t errlen)
{
	enum outcome	 outcome, worst = TAKEN;
	size_t		 i;

	/*
	 * All are asked: where a config moves a daemon's socket, that one is
	 * not found, and the others say why.
	 */
	for (i = 0; i < NDAEMONS && worst != REFUSED; i++) {
		outcome = daemons[i].ask(r, false);
		if (outcome == TAKEN || (outcome == UNREACHABLE &&
		    worst == UNREACHABLE))
			continue;
		worst = outcome;
		(void)snprintf(err, errlen, "%s: %s; no daemon has taken the "
		    "config", daemons[i].name, r->why);
	}
	if (worst != TAKEN)
		return worst == UNREACHABLE ? EXIT_UNREACHABLE : 1;
	for (i = 0; i < NDAEMONS; i++) {
		if ((outcome = daemons[i].ask(r, true)) == TAKEN)
			continue;
		(void)snprintf(err, errlen, "%s: %s; %s the config: restart "
		    "%s", daemons[i].name, r->why, i == 0 ?
		    "no daemon has taken" : "those before it have taken",
		    daemons[i].name);
		return outcome == UNREACHABLE ? EXIT_UNREACHABLE : 1;
	}
	return 0;
}

int
ctl_reload(const struct ctl *ctl, const char *profile, char *err,
    size_t errlen)
{
	struct reloading	 r = { .ctl = ctl };
	int			 fd, ret = 1;

	if ((fd = lock(ctl->conf->path, err, errlen)) == -1)
		return 1;
	if (read_texts(&r, err, errlen) == 0 &&
	    judge(&r, profile, err, errlen) == 0)
		ret = ask_all(&r, err, errlen);
	text_free(&r.plain);
	text_free(&r.full);
	(void)close(fd);
	return ret;
}
