/*
 * Audit logs for tests, made by igra-auditd's own writer and checkpoints,
 * held in memory, and given to the verifier through a file of the kernel's.
 */
#ifndef IGRA_IALOG_H
#define IGRA_IALOG_H

#include <stddef.h>
#include <stdint.h>

#include "auditd/ia_verify.h"

#define IALOG_FILES	12
#define IALOG_LINES	256

struct ialog_file {
	char	 name[128];
	char	*p;
	size_t	 len;
};

struct ialog {
	struct ialog_file	 f[IALOG_FILES];
	size_t			 n;
};

/* A log of its own in a temporary directory; one at a time. */
void	ialog_begin(void);
void	ialog_records(unsigned n);
void	ialog_checkpoint(void);
/* A Checkpoint, and on in a new file. */
void	ialog_rotate(void);
/* The checkpoint key is gone. */
void	ialog_lose_key(void);
/* Seconds that the clock is wrong from now on. */
void	ialog_clock(long);
void	ialog_end(struct ialog *);

void	ialog_copy(struct ialog *, const struct ialog *);
void	ialog_free(struct ialog *);

/* All of it through reader and verifier. */
enum ia_verdict	ialog_verify(const struct ialog *, const struct ia_opts *,
		    struct ia_verify *);

/* Its lines, complete ones, over all files. */
struct ialog_line {
	const char	*p;
	size_t		 len;
	size_t		 file;
};
size_t	ialog_lines(const struct ialog *, struct ialog_line *, size_t max);

#endif
