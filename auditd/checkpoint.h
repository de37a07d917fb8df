/*
 * Checkpoints: signatures over the log with keys that sign once and are then
 * erased (DESIGN 8, igra-audit-log(5)).  Who breaks in later has only the next
 * key and cannot sign what came before.
 *
 * The state is one preallocated file with two slots, written in place.  Each
 * holds the secret of the next checkpoint and the line of the last one:
 *
 *	(1) all records are durable
 *	(2) the line is signed
 *	(3) the free slot gets the next secret and the line; sync
 *	(4) the slot with the secret that has signed is zeroed; sync
 *	(5) the line is appended to the log; sync
 *
 * (1) and (5) are the caller's.  Nothing is appended between them, so that
 * after a crash anywhere a line that is missing can still be appended.
 *
 *	bytes		field
 *	0-7		"IGRACKP1"
 *	8-15		generation, u64 LE: the greater one is the newer
 *	16-47		secret (Ed25519 seed) of the next checkpoint
 *	48-79		its public key
 *	80-111		origin: the first public key
 *	112-115		length of the line, u32 LE; 0: no checkpoint yet
 *	116-		the line, with its newline
 *	4064-4095	BLAKE2b-256 of all before
 */
#ifndef IGRA_AUDITD_CHECKPOINT_H
#define IGRA_AUDITD_CHECKPOINT_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auditd/chain.h"
#include "auditd/record.h"

#define CHECKPOINT_FILE		"checkpoint.state"
#define CHECKPOINT_SLOT		4096
#define CHECKPOINT_LINE_MAX	2048
#define CHECKPOINT_KEY		32
/* What must fit the secret arena. */
#define CHECKPOINT_ARENA	(4 * CHECKPOINT_SLOT)

/* System calls as of their manual pages; tests put failing ones here. */
struct checkpoint_ops {
	ssize_t	(*pwrite)(int, const void *, size_t, off_t);
	int	(*fdatasync)(int);
};

extern const struct checkpoint_ops	checkpoint_system;

struct checkpoint {
	int				 fd;
	const struct checkpoint_ops	*ops;
	uint8_t				*slot[2];	/* as in the file */
	bool				 valid[2];
	uint8_t				*work;		/* a secret key */
	unsigned			 cur;		/* slot of the next key */
	bool				 half;		/* step 4 is to be done */
	bool				 loose;		/* had another mode */
	uint64_t			 generation;
	uint8_t				 origin[CHECKPOINT_KEY];
	uint8_t				 key[CHECKPOINT_KEY];	/* the next */
	uint64_t			 covered;	/* 0: nothing yet */
	/* The line to be appended before anything else; 0: none. */
	size_t				 len;
	char				 line[CHECKPOINT_LINE_MAX];
	char				 fault[160];
};

enum checkpoint_found {
	CHECKPOINT_FRESH,	/* a log without checkpoints: a first key made */
	CHECKPOINT_GOES_ON,
	CHECKPOINT_APPEND,	/* the same, once line is appended */
	CHECKPOINT_LOST,	/* a new series begun */
	CHECKPOINT_FAILED	/* fault says why */
};

/*
 * Opens the state file in the log's directory or makes it (0600), and reads
 * it into the secret arena, which must exist.  owner: who must own it.
 * 0, or -1 with the reason in fault.
 */
int	checkpoint_open(struct checkpoint *, int dirfd, uid_t owner,
	    const struct checkpoint_ops *);
/*
 * Once, with what the scan of the log has found: which of the secrets goes
 * on, or a new one; the others are erased.
 */
enum checkpoint_found checkpoint_recover(struct checkpoint *,
	    const struct chain_scan *);
/*
 * Steps 2 to 4, for a log whose every line up to at is durable.  0: line is
 * to be appended, then checkpoint_appended.  -1 with the reason in fault: if
 * half is set nothing may be appended until checkpoint_finish has succeeded
 * and line is appended; otherwise nothing has happened.
 */
int	checkpoint_make(struct checkpoint *, const struct chain *at,
	    const struct line_clock *);
/* Step 4 again. */
int	checkpoint_finish(struct checkpoint *);
void	checkpoint_appended(struct checkpoint *);
/* Wipes all. */
void	checkpoint_close(struct checkpoint *);

#define CHECKPOINT_MESSAGE_MAX	512

/*
 * The bytes that are signed; their length.  origin and next: 32 bytes; time:
 * as in the line.
 */
size_t	checkpoint_message(char out[CHECKPOINT_MESSAGE_MAX],
	    const uint8_t *origin, const struct chain *at, const char *time,
	    const uint8_t *next);

#endif
