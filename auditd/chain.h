/*
 * The chain of the log: each line starts with its number and the BLAKE2b-256
 * of the line before it, newline included (DESIGN 8).
 */
#ifndef IGRA_AUDITD_CHAIN_H
#define IGRA_AUDITD_CHAIN_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHAIN_HASH	32

/* Where a log stands after its last line. */
struct chain {
	uint64_t	 seq;		/* of the last line; 0: there is none */
	uint64_t	 kseq;		/* greatest of keyd's; 0: none */
	uint64_t	 reservation;	/* greatest that keyd named; 0: none */
	uint8_t		 head[CHAIN_HASH]; /* hash of the last line; zeros */
};

/* Adds a line (with its newline).  kseq, reservation: the line's own, or 0. */
void	chain_add(struct chain *, uint64_t kseq, uint64_t reservation,
	    const void *line, size_t);

struct chain_line {
	uint64_t	 seq;
	uint8_t		 prev[CHAIN_HASH];
	uint64_t	 kseq;		/* 0: none; of LogRotated the last_kseq */
	uint64_t	 reservation;	/* 0: none */
	bool		 checkpoint;	/* it says to be one */
};

/* Reads what the chain needs of one complete line; -1 if it is not of ours. */
int	chain_parse(const char *line, size_t len, struct chain_line *);
/* Can these bytes be the beginning of one of our lines? */
bool	chain_begins(const char *, size_t);

struct chain_scan {
	struct chain	 chain;		/* after the last complete line */
	uint64_t	 lines;
	uint64_t	 first_seq;	/* of the file; 0: it has no line */
	uint8_t		 first_prev[CHAIN_HASH];
	uint64_t	 checkpoint_seq; /* of its last Checkpoint; 0: none */
	uint8_t		 checkpoint_head[CHAIN_HASH]; /* the hash of that line */
	off_t		 end;		/* offset behind the last newline */
	off_t		 torn;		/* bytes behind that */
	bool		 foreign;	/* the file is not an audit log of ours */
	/* Lines that do not follow from the one before; of the first of them: */
	uint64_t	 breaks;
	uint64_t	 break_seq;	/* the number that was due there */
	off_t		 break_at;
};

/*
 * Reads the log from offset 0 and verifies its chain.  A broken chain is not
 * an error: the scan goes on from the line as it stands.  0, or -1 (errno).
 */
int	chain_scan(int fd, struct chain_scan *);

#endif
