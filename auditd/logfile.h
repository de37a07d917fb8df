/*
 * The log file and its directory: opening, and putting right what a crash or
 * somebody else left there.  Nothing is ever deleted, and no complete line of
 * ours is ever changed.
 */
#ifndef IGRA_AUDITD_LOGFILE_H
#define IGRA_AUDITD_LOGFILE_H

#include <sys/types.h>

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "auditd/chain.h"

/* Something found at opening that belongs into the log (SecurityAlert). */
struct finding {
	const char	*alert;
	char		 path[PATH_MAX];	/* of what was set aside, or the log */
	char		 expected[160];		/* "": none */
	char		 actual[160];
	bool		 has_bytes;
	uint64_t	 bytes;
};

#define LOGFILE_FINDINGS	8

struct logfile {
	char			 path[PATH_MAX];	/* as in the config */
	char			 dir[PATH_MAX];
	char			 name[NAME_MAX + 1];
	int			 dirfd, fd;
	struct chain_scan	 scan;
	unsigned		 nfindings;
	struct finding		 finding[LOGFILE_FINDINGS];
};

/* Splits path into directory and name.  0, or -1 with the reason in err. */
int	logfile_init(struct logfile *, const char *path, char *err, size_t);
/* Opens the directory, so that no path is needed after a chroot. */
int	logfile_open_dir(struct logfile *, char *err, size_t);
/*
 * Opens the log for appending, or makes it (0600), and locks it; then
 * - refuses a symlink, another kind of file, another owner, a second link,
 * - sets a loose mode back to 0600,
 * - renames a file that is not an audit log to NAME.foreign.UTC and makes a
 *   new one,
 * - verifies the chain,
 * - moves a torn last line to NAME.torn.UTC.OFFSET,
 * - syncs, so that what the scan found is durable.
 * Each but the first leaves a finding.  owner: who must own file and
 * directory (ourselves).  0, or -1 with the reason in err.
 */
int	logfile_open(struct logfile *, uid_t owner, char *err, size_t);
void	logfile_close(struct logfile *);

#endif
