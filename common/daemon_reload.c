/* A running daemon's next config (igractl reload). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "validate.h"

static int	same_user(const struct daemon *, enum daemon_role,
		    const struct conf_user *, struct conf_user *);
static int	same_users(const struct daemon *, struct conf *);
static int	resolve_admins(struct reload *);
static int	judge(const struct daemon *, const struct conf *, char *, size_t);

/*
 * A role's user that is the same under another name is given the old one,
 * so that the two configs can be compared as written.
 */
static int
same_user(const struct daemon *d, enum daemon_role role,
    const struct conf_user *old, struct conf_user *new)
{
	uid_t	 uid = d->default_uid[role];
	char	*name = NULL;

	if (new->name != NULL && conf_uid_number(new->name, &uid) == -1)
		return -1;
	if (uid != d->uid[role])
		return 0;
	if (old->name != NULL && (name = strdup(old->name)) == NULL)
		return -1;
	free(new->name);
	new->name = name;
	return 0;
}

static int
same_users(const struct daemon *d, struct conf *c)
{
	const struct conf	*old = d->conf;

	return same_user(d, ROLE_KEYD, &old->keyd_user, &c->keyd_user) == -1 ||
	    same_user(d, ROLE_SIGND, &old->signd_user, &c->signd_user) == -1 ||
	    same_user(d, ROLE_AUDITD, &old->auditd_user, &c->auditd_user) ==
	    -1 ? -1 : 0;
}

static int
resolve_admins(struct reload *r)
{
	const struct conf_strings	*a = &r->conf->admin_users;

	if ((r->admins = calloc(a->n + 1, sizeof(*r->admins))) == NULL)
		return -1;
	for (; r->nadmins < a->n; r->nadmins++)
		if (conf_uid_number(a->v[r->nadmins],
		    &r->admins[r->nadmins]) == -1)
			return -1;
	return 0;
}

/* The rules of a start, without what is no matter of the config's text. */
static int
judge(const struct daemon *d, const struct conf *c, char *err, size_t errlen)
{
	struct validate		 v;
	struct findings		 f = { 0 };
	const struct finding	*first;
	int			 ret = 0;

	memset(&v, 0, sizeof(v));
	v.conf = c;
	v.network = d->network;
	v.when = VALIDATE_DAEMON;
	memcpy(v.uid, d->uid, sizeof(v.uid));
	v.users_known = true;
	v.separated = d->separated;
	v.inside = true;
	v.debug = d->debug > 0;
	validate_run(&v, &f);
	if (findings_worst(&f) == SEV_ERROR) {
		first = findings_first(&f, SEV_ERROR);
		(void)snprintf(err, errlen, "[%s] %s", first == NULL ?
		    "Startup" : validate_category_name(first->category),
		    first == NULL ? "out of memory" : first->message);
		ret = -1;
	}
	findings_free(&f);
	return ret;
}

int
daemon_reload_parse(const struct daemon *d, const char *text, size_t len,
    struct reload *r, char *err, size_t errlen)
{
	const char	*key, *user;

	memset(r, 0, sizeof(*r));
	r->conf = conf_parse(text, len, d->conf->path, d->profile,
	    d->conf_euid, err, errlen);
	if (r->conf == NULL)
		return -1;
	if ((user = conf_named_user(r->conf)) != NULL) {
		(void)snprintf(err, errlen, "%s: user %s: a running daemon "
		    "knows no names: igractl reload writes numbers",
		    d->conf->path, user);
		goto bad;
	}
	if (same_users(d, r->conf) == -1 || resolve_admins(r) == -1) {
		(void)snprintf(err, errlen, "out of memory");
		goto bad;
	}
	if ((key = conf_frozen_change(d->conf, r->conf)) != NULL) {
		(void)snprintf(err, errlen, "%s has changed, which needs a "
		    "restart: nothing was reloaded", key);
		daemon_reload_free(r);
		r->frozen = true;
		return -1;
	}
	if (judge(d, r->conf, err, errlen) == -1)
		goto bad;
	r->conf->network = d->network;
	return 0;
bad:
	daemon_reload_free(r);
	return -1;
}

void
daemon_reload_swap(struct daemon *d, struct reload *r, const uint8_t hash[32])
{
	struct reload	 old = { d->conf, d->admins, d->nadmins, false };

	d->conf = r->conf;
	d->admins = r->admins;
	d->nadmins = r->nadmins;
	memcpy(d->conf_hash, hash, sizeof(d->conf_hash));
	*r = old;
}

void
daemon_reload_free(struct reload *r)
{
	conf_free(r->conf);
	free(r->admins);
	memset(r, 0, sizeof(*r));
}
