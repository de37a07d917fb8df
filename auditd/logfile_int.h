/* What the files about the log file share. */
#ifndef IGRA_AUDITD_LOGFILE_INT_H
#define IGRA_AUDITD_LOGFILE_INT_H

#include "auditd/logfile.h"

struct reason {
	char	*err;
	size_t	 len;
};

/* Both return -1. */
int	 logfile_fail(struct reason *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
int	 logfile_fail_errno(struct reason *, const char *path,
	    const char *what);
struct finding *logfile_finding(struct logfile *, const char *alert);
/* The path of a file in the log's directory. */
void	 logfile_path(const struct logfile *, const char *name,
	    char out[PATH_MAX]);
/* A free NAME.KIND.UTC[.OFFSET]; offset -1: without. */
int	 logfile_aside_name(struct logfile *, const char *kind, off_t offset,
	    char *out, size_t, struct reason *);
/* Copies len bytes from an offset on, and syncs. */
int	 logfile_copy(int from, int to, off_t at, off_t len);
/* fd has an exclusive lock, and still the log's name. */
int	 logfile_lock(struct logfile *, struct reason *);
/* Is it "now" in UTC, as file names have it? */
int	 logfile_utc(char *out, size_t, struct reason *, const char *path);
/*
 * Finds the newest closed file, and takes a NAME.new that a crash left where
 * it belongs.
 */
int	 logfile_find_closed(struct logfile *, struct reason *);
/* Lets the chain go on after the newest closed file. */
int	 logfile_continue(struct logfile *, struct reason *);
/*
 * A log that was deleted or replaced has been saved as a closed file.  Put back
 * before a start, it would be there twice: then the copy is removed, with a
 * finding.  replaced: something else is there that does not follow the copy.
 */
int	 logfile_compare_copy(struct logfile *, bool *replaced, struct reason *);

#endif
