/* Checkpoint lines of the log, and what an auditor keeps elsewhere. */
#ifndef IGRA_IA_CHECKPOINT_H
#define IGRA_IA_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auditd/ia_line.h"

#define IA_KEY		32
#define IA_ANCHORS_MAX	100000U

struct ia_checkpoint {
	uint64_t	 seq;		/* of its own line */
	uint8_t		 origin[IA_KEY], key[IA_KEY], next[IA_KEY];
	char		 head[IA_HEX];	/* of the line before */
	char		 time[IA_TIME + 1];
	/*
	 * The line is byte for byte what igra-auditd writes: then the
	 * signature fixes the line itself, too.
	 */
	bool		 canonical;
};

/*
 * Reads a complete Checkpoint line (with its newline), whose fixed places h
 * holds, and verifies its signature under its own key.  Whether that key is
 * to be believed is the caller's question.  NULL, or what is wrong.
 */
const char	*ia_checkpoint_parse(const char *line, size_t len,
		    const struct ia_head *h, struct ia_checkpoint *);

/* "The line with this seq has this hash." */
struct ia_anchor {
	uint64_t	 seq;
	char		 head[IA_HEX];
};

struct ia_anchors {
	struct ia_anchor	*v;	/* sorted by seq when they are used */
	size_t			 n, cap;
};

/*
 * SEQ:HEAD, or the name of a file with one on each line.  There a line may
 * also be a Checkpoint line, or JSON with seq and head, or with them in a
 * member audit or result.audit (answers to pskt.sign); what stands before the
 * first brace is skipped, as a journal puts it there.  0, or -1 with the
 * reason in err.
 */
int	ia_anchor_add(struct ia_anchors *, const char *arg, char *err, size_t);
void	ia_anchors_sort(struct ia_anchors *);
void	ia_anchors_free(struct ia_anchors *);

/* The Checkpoint that was kept in a file: its first line.  */
struct ia_kept {
	struct ia_checkpoint	 cp;
	char			 hash[IA_HEX];	/* of that line */
};
int	ia_kept_read(const char *path, struct ia_kept *, char *err, size_t);

/* 64 hex digits of either case to a key; 0 or -1. */
int	ia_key_parse(const char *, uint8_t key[IA_KEY]);

#endif
