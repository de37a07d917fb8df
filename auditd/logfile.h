/*
 * The log file and its directory: opening, putting right what a crash or
 * somebody else left there, and going on to the next file.  No complete line
 * of the log is ever changed or deleted.
 *
 * Closed files are NAME.UTC.SEQ.log (igra-audit-log(5)).  The next file is
 * made as NAME.new, complete with its first line, before it takes the name.
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

#define CLOSED_MAX	(NAME_MAX + 1)

#define LOGFILE_FINDINGS	8

struct logfile {
	char			 path[PATH_MAX];	/* as in the config */
	char			 dir[PATH_MAX];
	char			 name[NAME_MAX + 1];
	int			 dirfd, fd;
	uid_t			 owner;
	struct chain_scan	 scan;
	uint64_t		 first_seq;	/* of the file, also to come */
	char			 newest[CLOSED_MAX];	/* closed file; "": none */
	unsigned		 nfindings;
	struct finding		 finding[LOGFILE_FINDINGS];
};

/* Splits path into directory and name.  0, or -1 with the reason in err. */
int	logfile_init(struct logfile *, const char *path, char *err, size_t);
/* Opens the directory, so that no path is needed after a chroot. */
int	logfile_open_dir(struct logfile *, char *err, size_t);
/*
 * Opens the log for appending, or makes it (0600), and locks it; then
 * - refuses a symlink, another kind of file, another owner, a second link, a
 *   directory that others can write,
 * - sets a loose mode back to 0600,
 * - renames a file that is not an audit log to NAME.foreign.UTC and makes a
 *   new one,
 * - verifies the chain, which without a line here goes on after the newest
 *   closed file,
 * - moves a torn last line to NAME.torn.UTC.OFFSET,
 * - syncs, so that what the scan found is durable.
 * Each but the first leaves a finding.  owner: who must own file and
 * directory (ourselves).  0, or -1 with the reason in err.
 */
int	logfile_open(struct logfile *, uid_t owner, char *err, size_t);

/*
 * Makes NAME.new (0600, locked) with one line, durable.  Its descriptor, or -1
 * with the reason in err.
 */
int	logfile_make_next(struct logfile *, const char *line, size_t len,
	    char *err, size_t);
/* Gives NAME.new up. */
void	logfile_drop_next(struct logfile *, int fd);
/*
 * The log becomes the closed file of this name (logfile_closed_name), mode
 * 0400, and NAME.new the log; fd, which is its, becomes lf->fd, unless -1
 * comes back: then all is as it was.
 */
int	logfile_take_next(struct logfile *, int fd, const char *closed,
	    char *err, size_t);
int	logfile_closed_name(struct logfile *, char out[CLOSED_MAX], char *err,
	    size_t);
/*
 * Copies what the open file holds up to end to the closed file of this name,
 * 0400 and durable.
 */
int	logfile_copy_out(struct logfile *, off_t end, const char *closed,
	    char *err, size_t);
/*
 * Moves what is behind end to a file of its own and cuts it off; moved is its
 * name.
 */
int	logfile_cut_tail(struct logfile *, off_t end, char moved[CLOSED_MAX],
	    char *err, size_t);
/* Whatever has the log's name now gets another; moved is "" for nothing. */
int	logfile_set_aside(struct logfile *, char moved[CLOSED_MAX], char *err,
	    size_t);
/* A new and empty log; lf->fd becomes its.  first_seq is the caller's. */
int	logfile_make_anew(struct logfile *, char *err, size_t);
/* Is the file of this name in the directory the one that is open? */
bool	logfile_is(const struct logfile *, const char *name);
void	logfile_close(struct logfile *);

#endif
