/* Which log is meant: --log, or what the config of its host says. */
#ifndef IGRA_IA_CONFIG_H
#define IGRA_IA_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "auditd/ia_checkpoint.h"

#define IA_DEFAULT_CONFIG	"/etc/igra/igra.toml"
#define IA_DEFAULT_LOG		"/var/log/igra/key-audit.log"

/* Long options; what getopt returns for them.  -f goes with them. */
#define IA_O_LOG	500
#define IA_LOG_OPTIONS \
	{ "log", required_argument, NULL, IA_O_LOG }, \
	{ "config", required_argument, NULL, 'f' }

struct ia_config {
	const char	*file;			/* -f; NULL: not given */
	const char	*log;			/* --log; NULL: not given */
	char		 path[PATH_MAX];	/* of the log */
	bool		 pinned;		/* [audit] anchor is set ... */
	uint8_t		 anchor[IA_KEY];	/* ... to this key */
};

/* Takes --log and --config; false when it is another option. */
bool	ia_config_option(struct ia_config *, int opt, const char *arg);
/*
 * After the options.  The default config is only read, if it can be, when
 * neither --log nor files (named) say which log it is: its anchor is that of
 * its own log.  IA_OK, or IA_USAGE when the one of -f is not to be used, which
 * has been told on stderr.
 */
int	ia_config_load(struct ia_config *, bool named);

#endif
