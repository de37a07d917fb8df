/*
 * Appends lines to the log and makes them durable.  Everything queued since
 * the last commit goes out in one write and one fdatasync (group commit);
 * only after that are those told who wait for it.
 *
 * A commit is all or nothing.  When it fails the file is cut back to where it
 * was last synced, and everyone who waits is refused.  After a failed
 * fdatasync the kernel may have dropped the pages and call the next one a
 * success, so the lines are cut off and written anew before they are synced
 * again.
 *
 * What is not as long as it was left has been touched by somebody else: it is
 * not written to.
 */
#ifndef IGRA_AUDITD_WRITER_H
#define IGRA_AUDITD_WRITER_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/record.h"

#include "auditd/chain.h"

/* System calls as of their manual pages; tests put failing ones here. */
struct writer_ops {
	ssize_t	(*write)(int, const void *, size_t);
	int	(*fdatasync)(int);
	int	(*fsync)(int);
	int	(*ftruncate)(int, off_t);
};

extern const struct writer_ops	writer_system;

struct writer;

/* at is where the log stood after the records waited for; NULL: refused. */
typedef void (*writer_done)(void *arg, const struct chain *at);

/*
 * fd: opened for appending, end its length, all of it synced and chained up
 * to at.  The fd stays the caller's.  NULL without memory.
 */
struct writer	*writer_new(int fd, off_t end, const struct chain *at,
		    const struct writer_ops *);
/* Whoever still waits is refused. */
void		 writer_free(struct writer *);

/*
 * Queues one record.  0, or -1 with errno of line_format: then the queue is
 * as it was.
 */
int		 writer_add(struct writer *, const struct audit_record *);
/*
 * Calls done with the next commit, for all that was added until now.
 * 0, or -1 without memory.
 */
int		 writer_wait(struct writer *, writer_done done, void *arg);

/*
 * The same for a complete line (with its newline) that follows what is queued:
 * a Checkpoint.  -1 without memory.
 */
int		 writer_add_line(struct writer *, const char *line, size_t len);

/*
 * From now on into another file, of end bytes, all synced; the chain goes on
 * after at.  Nothing may be queued.
 */
void		 writer_switch(struct writer *, int fd, off_t end,
		    const struct chain *at);

/* Records of one message come all or none. */
struct writer_mark {
	size_t		 len;
	struct chain	 chain;
};
void		 writer_mark(const struct writer *, struct writer_mark *);
void		 writer_rewind(struct writer *, const struct writer_mark *);

/*
 * Writes and syncs what is queued, then calls everyone who waits.  0, or -1:
 * they have been refused, writer_fault says why, and the queue is empty.
 * The next commit tries again from the last synced byte.
 */
int		 writer_commit(struct writer *);

/* Empties the queue without writing it: whoever waits is refused. */
void		 writer_drop(struct writer *);

/* What is durable, and that plus what is queued. */
const struct chain *writer_durable(const struct writer *);
const struct chain *writer_next(const struct writer *);
/* NULL, or why the last commit failed. */
const char	*writer_fault(const struct writer *);
/* Was that for lack of space (ENOSPC, EDQUOT)? */
bool		 writer_full(const struct writer *);
off_t		 writer_end(const struct writer *);	/* last synced byte */
uint64_t	 writer_records(const struct writer *);	/* queued */
/* The file may be longer than writer_end says: a failed commit is cut next. */
bool		 writer_dirty(const struct writer *);
size_t		 writer_queued(const struct writer *);	/* bytes */
bool		 writer_idle(const struct writer *);	/* nothing to commit */

struct writer_stats {
	uint64_t	 records, commits;	/* since start */
	uint64_t	 bytes;			/* of the file */
	uint64_t	 sync_us;		/* sum over the commits */
};
void		 writer_stats(const struct writer *, struct writer_stats *);

#endif
