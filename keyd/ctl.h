/* What igractl's files share. */
#ifndef IGRA_CTL_H
#define IGRA_CTL_H

#include <sys/types.h>

#include <stdbool.h>

#include "conf.h"
#include "roles.h"

#define CTL_ERR	1280

struct ctl {
	struct conf	*conf;
	struct roles	 roles;
	bool		 guessed;	/* no config: default paths */
};

/*
 * The config as the daemons see it, whoever asks: an operator who is not root
 * and has no daemons of his own means the system's, whose paths and users are
 * root's defaults.  file NULL is the default config; if that cannot be read
 * and need is false, its defaults are taken (status, lock: admin_users need
 * not be able to read the config).  network and profile may be NULL.
 * 0, or -1 with the reason in err.
 */
int	ctl_conf(struct ctl *, const char *file, const char *network,
	    const char *profile, bool need, char *err, size_t errlen);
void	ctl_free(struct ctl *);

/*
 * Asks both daemons and prints what they say, as text or JSON.  igractl's exit
 * status: 0, 1 (no memory), 3 (no keyd).
 */
int	ctl_status(const struct ctl *, bool json);

#endif
