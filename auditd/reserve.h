/*
 * Disk space put by in a file of its own, so that when the disk is full the
 * refusals, locks and alerts of that time can still be recorded.
 */
#ifndef IGRA_AUDITD_RESERVE_H
#define IGRA_AUDITD_RESERVE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#define RESERVE_FILE	"audit.reserve"

struct reserve {
	int		 fd;		/* -1: could not be made */
	off_t		 bytes;
	bool		 kept;		/* the space is put by */
};

/*
 * Opens or makes the file (0600) in the log's directory; then reserve_keep.
 * 0, or -1 (errno): there is no reserve, or not yet.
 */
int	reserve_open(struct reserve *, int dirfd, uint64_t bytes, uid_t owner);
/* Gives the space to the log.  False when there is none to give. */
bool	reserve_give(struct reserve *);
/*
 * Puts the space by again, if then an eighth as much (at least 64 KiB) is
 * still free.  0, or -1 (errno).
 */
int	reserve_keep(struct reserve *);
void	reserve_close(struct reserve *);

#endif
