/* Which user each daemon is, and so whom its sockets may talk to. */
#ifndef IGRA_ROLES_H
#define IGRA_ROLES_H

#include <sys/types.h>

#include <stdbool.h>

#include "conf.h"
#include "daemon.h"

struct roles {
	bool	 separated;		/* three different users */
	uid_t	 uid[ROLE_MAX];
	gid_t	 gid[ROLE_MAX];
};

/*
 * The config's users, else _igra_keyd, _igra_signd and _igra_auditd where
 * they exist and this process is root or one of them, else our own uid for
 * all three (which root may not do).  0 or -1 with the reason.
 */
int	roles_resolve(const struct conf *, uid_t euid, gid_t egid,
	    struct roles *, char *err, size_t errlen);

/* Who a role is where the config does not say.  0, or -1: nobody is. */
int	roles_default(enum daemon_role, uid_t euid, uid_t *uid);

/*
 * Does this process use a system service's default paths?  Root does, and so
 * does a daemon that the service manager started under its own user.
 */
bool	roles_system(uid_t euid);

#endif
