/*
 * Is the log what igra-auditd wrote?  The lines of all files in order go in;
 * faults, and the ranges of lines that are proven, come out.  Memory is
 * constant, and nothing is printed.
 *
 * A line is proven by the hashes that lead from it to a later Checkpoint whose
 * key is trusted, or to an anchor.  A key is trusted when the auditor gave it,
 * when a trusted Checkpoint announced it, or when an anchor came after it;
 * if nothing was given at all, the first one of the log is.
 *
 * After a fault the lines that follow are a chain of their own, which later
 * Checkpoints prove just as well.
 */
#ifndef IGRA_IA_VERIFY_H
#define IGRA_IA_VERIFY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auditd/ia_checkpoint.h"
#include "auditd/ia_files.h"
#include "auditd/ia_line.h"

#define IA_RANGES	32	/* shown; more are counted */
#define IA_REASONS	16
#define IA_TEXT		512

enum ia_verdict {
	IA_INTACT = 0,
	IA_TAMPERED = 1,
	IA_UNPROVEN = 3		/* the exit status of igra-audit */
};

struct ia_opts {
	const uint8_t		(*pub)[IA_KEY];
	size_t			 npub;
	const struct ia_anchor	*anchor;	/* sorted */
	size_t			 nanchor;
	const struct ia_kept	*kept;		/* NULL: from the beginning */
	bool			 sealed;	/* a tail is unproven */
};

struct ia_where {
	char		 path[PATH_MAX];
	uint64_t	 line;		/* of that file; 0: the file as such */
	uint64_t	 seq;		/* 0: none */
};

struct ia_range {
	uint64_t	 first, last;
};

/* The Checkpoints that announce each other. */
struct ia_series {
	bool		 known;		/* next is what the last one announced */
	bool		 trusted;
	uint64_t	 seq;		/* of the last one */
	uint8_t		 origin[IA_KEY], next[IA_KEY];
};

/* The piece of chain that the next line is to continue. */
struct ia_chain {
	bool		 have;		/* a last line, with its hash */
	uint64_t	 first;
	uint64_t	 last;
	char		 head[IA_HEX];
	uint64_t	 sealed;	/* proven up to here; 0: nothing */
};

struct ia_verify {
	struct ia_opts	 o;

	/* results */
	uint64_t	 faults;
	struct ia_where	 fault_at;	/* of the first */
	char		 fault[IA_TEXT];
	unsigned	 nreasons;	/* why something cannot be proven */
	char		 reason[IA_REASONS][IA_TEXT];
	struct ia_range	 range[IA_RANGES];
	uint64_t	 nranges;
	char		 covered_time[IA_TIME + 1]; /* of the last proven line */
	uint64_t	 files, lines, checkpoints;
	uint64_t	 first_seq, last_seq;
	char		 head[IA_HEX];	/* of the last line */
	uint64_t	 tail;		/* lines after the last proven one */
	char		 tail_time[IA_TIME + 1]; /* of the first of them */
	uint64_t	 torn;		/* bytes of an unfinished line */
	bool		 key_from_log;	/* nothing was given */
	bool		 key_matched;	/* one that was given signed here */
	uint8_t		 first_origin[IA_KEY];
	uint64_t	 breaks;	/* series that began anew */
	uint64_t	 break_seq;	/* of the last of them */
	uint8_t		 break_key[IA_KEY];
	uint64_t	 anchors_met;
	uint64_t	 clock_back;	/* timestamps before the one before */
	uint64_t	 clock_seq;	/* the first of them */
	uint64_t	 unclosed;	/* closed files not ending in a Checkpoint */
	char		 unclosed_path[PATH_MAX]; /* the first of them */

	/* on the way */
	struct ia_chain	 chain;
	struct ia_series series;
	char		 path[PATH_MAX];	/* of the file at hand */
	char		 path_before[PATH_MAX];	/* the last one with a line */
	uint64_t	 name_seq;
	uint64_t	 line, line_before;	/* numbers in their files */
	bool		 first_of_file;
	bool		 before_elsewhere;	/* the line before: path_before */
	bool		 last_is_checkpoint;
	uint64_t	 unknown_seq;	/* the last event that nobody knows */
	char		 last_time[IA_TIME + 1];
	bool		 tail_next;	/* the next line is the tail's first */
	bool		 doubt;		/* which of two lines is the bad one? */
	struct ia_where	 doubt_at[2];
	size_t		 anchor;	/* the next that is due */
	bool		 kept_met;
	struct ia_where	 first_checkpoint;
};

void	ia_verify_init(struct ia_verify *, const struct ia_opts *);
/* A file begins; lines; it ends (last: nothing is to come after it). */
void	ia_verify_begin(struct ia_verify *, const char *path,
	    uint64_t name_seq);
void	ia_verify_line(struct ia_verify *, const struct ia_line *);
void	ia_verify_end(struct ia_verify *, bool last);
/* Something that is missing: then not all can be proven. */
void	ia_verify_unproven(struct ia_verify *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
/* After the last file. */
enum ia_verdict	ia_verify_finish(struct ia_verify *);

#endif
