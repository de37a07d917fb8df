/* The commands of igra-audit and what they share. */
#ifndef IGRA_IA_CMD_H
#define IGRA_IA_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "auditd/ia_files.h"

enum { IA_OK = 0, IA_BAD = 1, IA_USAGE = 2, IA_CANNOT = 3 };

/* Each takes its own arguments, argv[0] being its name; exit status. */
int	ia_cmd_verify(int, char **);
int	ia_cmd_query(int, char **);
int	ia_cmd_follow(int, char **);
int	ia_cmd_stats(int, char **);
int	ia_cmd_checkpoint(int, char **);

/* Prints how it is used; IA_USAGE. */
int	ia_usage(void);
/* The usage, for -h on standard output. */
void	ia_help(FILE *);
/* Says what is wrong with an option's argument; IA_USAGE. */
int	ia_bad_option(const char *option, const char *wrong);

/*
 * What was named, else the log at path; tells on stderr.  0 or -1.  From then
 * on nothing else can be opened: ia_confine.
 */
int	ia_open(struct ia_files *, const char *path, char *const *files,
	    size_t n);
/* IA_OK, or IA_CANNOT when there is no file to read, which it tells. */
int	ia_any(const struct ia_files *, const char *path);
/* Before the first byte of a log is looked at: see common/sandbox.h. */
void	ia_confine(const char *const *paths, size_t n);
/* Flushes standard output; status, or IA_CANNOT when that fails. */
int	ia_flush(int status);

/*
 * How far it is, on stderr when that is a terminal and the work takes more
 * than a second.
 */
struct ia_progress {
	bool		 on, shown;
	uint64_t	 total;		/* bytes */
	uint64_t	 start, last;	/* CLOCK_MONOTONIC, ms */
};

void	ia_progress_start(struct ia_progress *, const struct ia_files *);
void	ia_progress(struct ia_progress *, uint64_t bytes);
void	ia_progress_end(struct ia_progress *);

#endif
