/*
 * igra-coord's witness: the head of each signer's audit log as its last
 * signature told it.  Who rolls a log back cannot take that from here.
 *
 * The file is {"version":1,"signers":{"<x-only public key>":{"seq":N,
 * "head":"<64 hex digits>"}}}, 0600, replaced atomically under a lock on
 * FILE.lock, so that coordinators may run side by side.
 */
#ifndef IGRA_COORD_WITNESS_H
#define IGRA_COORD_WITNESS_H

#include <stddef.h>
#include <stdint.h>

#define WITNESS_MAX_SIGNERS	1024
#define WITNESS_MAX_FILE	(1024 * 1024)

struct witness_head {
	uint8_t		 key[32];	/* x-only public key of the signer */
	uint64_t	 seq;
	uint8_t		 head[32];
};

struct witness {
	char			*path;
	size_t			 n;
	struct witness_head	*head;	/* in no order */
};

enum witness_verdict {
	WITNESS_OK,
	WITNESS_BACK,			/* the sequence number went back */
	WITNESS_OTHER_HEAD		/* another head under the same number */
};

/*
 * Reads the file; one that is not there is an empty witness.  It must be a
 * regular file of this user's or root's that nobody else can write.  0, or -1
 * with the reason in err; then there is nothing to free.
 */
int	 witness_load(struct witness *, const char *path, char *err,
	    size_t errlen);
void	 witness_free(struct witness *);

const struct witness_head *witness_find(const struct witness *,
	    const uint8_t key[32]);

/*
 * What a signer's answer says beside what was known when it was asked (NULL:
 * nothing).
 */
enum witness_verdict witness_judge(const struct witness_head *known,
	    const struct witness_head *now);

/*
 * Keeps a head on disk.  Reads the file again first: another coordinator may
 * have been told a later one, which stays; *verdict is WITNESS_OTHER_HEAD if
 * the file has another head under the same number, and then it is left as it
 * is.  0, or -1 with the reason in err.
 */
int	 witness_keep(struct witness *, const struct witness_head *,
	    enum witness_verdict *verdict, char *err, size_t errlen);

#endif
