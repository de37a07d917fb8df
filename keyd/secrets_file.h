/*
 * The secrets file on disk: opening with every check, and replacing it so
 * that a kill at any instant leaves the old file or the new one, whole, and
 * concurrent writers lose nothing.  What is in it: isec.h.
 */
#ifndef IGRA_SECRETS_FILE_H
#define IGRA_SECRETS_FILE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Flags of reading. */
#define SECRETS_LOOSE	0x01	/* wrong mode or owner: only a warning */
#define SECRETS_CREATE	0x02	/* secrets_begin: the file may be missing */

struct secrets_file {
	uint8_t		*data;		/* ciphertext, malloc'd */
	size_t		 len;
	uid_t		 uid;
	gid_t		 gid;
	mode_t		 mode;		/* permission bits */
	int64_t		 mtime_ns;
};

/*
 * Reads path whole.  Refused, each with its own message: missing, a symbolic
 * link, not a regular file, more than ISEC_MAX_FILE bytes, group or others may
 * do anything, an owner other than root and the effective user.  All is
 * checked on the open descriptor.  0 or -1 with err "path: what is wrong";
 * with SECRETS_LOOSE mode and owner return 0 and leave their message in err,
 * which is empty otherwise.
 */
int	 secrets_file_read(const char *path, unsigned flags,
	    struct secrets_file *, char *err, size_t errlen);
/* The same relative to an open directory; path is for messages. */
int	 secrets_file_readat(int dirfd, const char *name, const char *path,
	    unsigned flags, struct secrets_file *, char *err, size_t errlen);
void	 secrets_file_free(struct secrets_file *);

/*
 * A read-modify-write cycle.  The lock is flock(2) on FILE.lock, never on the
 * file itself: that one is renamed over, and a lock on it would be on a stale
 * inode.  It is held from secrets_begin() to secrets_end(); the lock file stays.
 */
struct secrets_txn {
	char			*path;
	char			*dir;
	char			*base;
	int			 lockfd;
	int			 dirfd;
	bool			 exists;	/* old is the present file */
	struct secrets_file	 old;
};

/*
 * Takes the lock (waits for it), removes what a killed writer left, reads the
 * file.  With SECRETS_CREATE a missing file is no error: exists is false.
 * -1: err says why; nothing to end then.
 */
int	 secrets_begin(struct secrets_txn *, const char *path, unsigned flags,
	    char *err, size_t errlen);
/*
 * Replaces (or creates, 0600) the file with the old owner and mode: mkstemp in
 * the same directory, fsync, rename, fsync the directory.  A new file never
 * overwrites one that appeared meanwhile.  Once per secrets_begin().
 */
int	 secrets_commit(struct secrets_txn *, const uint8_t *data, size_t len,
	    char *err, size_t errlen);
/* Gives the lock back and frees; also after secrets_commit(). */
void	 secrets_end(struct secrets_txn *);

#endif
