/*
 * Reading log files that anybody may have written: lines of bounded length
 * from a descriptor, and what stands at the fixed places of a line
 * (igra-audit-log(5)).
 */
#ifndef IGRA_IA_LINE_H
#define IGRA_IA_LINE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auditd/chain.h"

#define IA_HEX		(2 * CHAIN_HASH)	/* digits of a hash or key */
#define IA_LINE_POOL	(64 * 1024 * 1024)	/* to parse one line */
#define IA_TIME		30	/* 2026-11-24T08:26:41.123456789Z */

/* One reader serves many files, one after the other, with one buffer. */
struct ia_reader {
	int		 fd;
	char		*buf;
	size_t		 start, end;	/* of what is read and not yet used */
	size_t		 scanned;	/* from start: no newline there */
	bool		 eof, skipping;
	uint64_t	 lineno;
	uint64_t	 bytes;		/* read of all files */
};

enum ia_kind {
	IA_LINE,	/* complete, with its newline, <= AUDIT_MAX_LINE */
	IA_LONG,	/* longer: its beginning; the rest is skipped */
	IA_TORN		/* at the end of the file, without a newline */
};

struct ia_line {
	enum ia_kind	 kind;
	const char	*p;		/* not terminated; until the next call */
	size_t		 len;
	uint64_t	 lineno;	/* of the file, from 1 */
	bool		 end;		/* no byte after it has been read yet */
};

/* 0, or -1 without memory. */
int	ia_reader_init(struct ia_reader *);
void	ia_reader_free(struct ia_reader *);
/* Goes on with another file; the descriptor stays the caller's. */
void	ia_reader_start(struct ia_reader *, int fd);
/* 1 with a line, 0 at the end of the file, -1 (errno) when it cannot be read. */
int	ia_reader_next(struct ia_reader *, struct ia_line *);
/*
 * The same for a file that grows: 0 at its end, and the bytes of a line
 * without its newline stay for the next call.
 */
int	ia_reader_more(struct ia_reader *, struct ia_line *);

/* The fixed places of a line; pointers into it. */
struct ia_head {
	uint64_t	 seq;
	const char	*prev;		/* IA_HEX digits, lower case */
	const char	*time;		/* IA_TIME characters */
	const char	*event;
	size_t		 event_len;
};

/*
 * A complete line: NULL, or what is wrong with it.  Only what is cheap: the
 * first four members, the braces at its ends, no control character.
 */
const char	*ia_head_parse(const char *line, size_t len, struct ia_head *);
/* The same, faster where prev (NULL: none) is the prev that it should have. */
const char	*ia_head_parse_after(const char *line, size_t len,
		    const char *prev, struct ia_head *);
bool		 ia_event_is(const struct ia_head *, const char *name);
/* Is it one of igra-audit-log(5)? */
bool		 ia_event_known(const struct ia_head *);

/* BLAKE2b-256 of a line with its newline, as IA_HEX digits (no NUL). */
void	ia_hash(const char *line, size_t len, char hex[IA_HEX]);
/* Exactly len lower-case hex digits? */
bool	ia_is_hex(const char *, size_t len);

#endif
