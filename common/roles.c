#include <sys/types.h>

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "roles.h"

static const char *default_user[ROLE_MAX] = {
	[ROLE_KEYD] = "_igra_keyd",
	[ROLE_SIGND] = "_igra_signd",
	[ROLE_AUDITD] = "_igra_auditd",
};

static const char *role_table[ROLE_MAX] = {
	[ROLE_KEYD] = "keyd",
	[ROLE_SIGND] = "signd",
	[ROLE_AUDITD] = "auditd",
};

bool
roles_system(uid_t euid)
{
	struct passwd	*pw;
	int		 i;

	if (euid == 0)
		return true;
	for (i = 0; i < ROLE_MAX; i++)
		if ((pw = getpwnam(default_user[i])) != NULL &&
		    pw->pw_uid == euid)
			return true;
	return false;
}

int
roles_default(enum daemon_role role, uid_t euid, uid_t *uid)
{
	gid_t	 gid;

	*uid = euid;
	return roles_system(euid) ? conf_uid(default_user[role], uid, &gid) : 0;
}

int
roles_resolve(const struct conf *c, uid_t euid, gid_t egid, struct roles *r,
    char *err, size_t errlen)
{
	const char	*name[ROLE_MAX];
	bool		 system = roles_system(euid);
	int		 i;

	name[ROLE_KEYD] = c->keyd_user.name;
	name[ROLE_SIGND] = c->signd_user.name;
	name[ROLE_AUDITD] = c->auditd_user.name;
	for (i = 0; i < ROLE_MAX; i++) {
		if (name[i] == NULL && !system) {
			r->uid[i] = euid;
			r->gid[i] = egid;
			continue;
		}
		if (name[i] == NULL)
			name[i] = default_user[i];
		if (conf_uid(name[i], &r->uid[i], &r->gid[i]) == -1) {
			snprintf(err, errlen, "no user %s: create it or name "
			    "another with [%s] user", name[i], role_table[i]);
			return -1;
		}
	}
	r->separated = r->uid[0] != r->uid[1] && r->uid[0] != r->uid[2] &&
	    r->uid[1] != r->uid[2];
	return 0;
}
