/*
 * TOML 1.0 (https://toml.io/en/v1.0.0) read into a tree.  The whole document
 * is one arena: toml_free wipes and frees it, so that no string of a config
 * (a bearer token) stays behind.
 */
#ifndef IGRA_TOML_H
#define IGRA_TOML_H

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOML_MAX_DEPTH	64		/* tables and arrays within each other */
#define TOML_MAX_VALUES	200000		/* in one document */

enum toml_type {
	TOML_STRING,
	TOML_INTEGER,
	TOML_FLOAT,
	TOML_BOOLEAN,
	TOML_DATETIME,			/* with an offset */
	TOML_DATETIME_LOCAL,
	TOML_DATE_LOCAL,
	TOML_TIME_LOCAL,
	TOML_ARRAY,
	TOML_TABLE
};

struct toml_arena;
struct toml_entry;

/* UTF-8 with a NUL after it; s may hold NUL bytes too (\u0000). */
struct toml_str {
	const char	*s;
	size_t		 len;
};

/* How a table came about decides what may still be added to it. */
enum toml_origin {
	TOML_IMPLICIT,			/* a parent named in a [header] */
	TOML_HEADER,			/* its own [header] or [[header]] */
	TOML_DOTTED,			/* dotted keys */
	TOML_INLINE			/* { }: closed */
};

RB_HEAD(toml_index, toml_entry);

struct toml_table {
	TAILQ_HEAD(toml_entries, toml_entry) entries;	/* as in the file */
	struct toml_index	 index;
	size_t			 n;
	unsigned		 depth;
	enum toml_origin	 origin;
};

struct toml_array {
	STAILQ_HEAD(toml_items, toml_value) items;
	size_t			 n;
	bool			 of_tables;		/* made by [[header]] */
};

struct toml_value {
	STAILQ_ENTRY(toml_value) next;		/* within an array */
	enum toml_type		 type;
	unsigned		 line;
	uint32_t		 start, end;	/* bytes of a scalar in the text */
	union {
		struct toml_str	 str;		/* TOML_STRING; dates as written */
		int64_t		 integer;
		double		 real;
		bool		 boolean;
		struct toml_array array;
		struct toml_table table;
	} u;
};

struct toml_entry {
	TAILQ_ENTRY(toml_entry)	 order;
	RB_ENTRY(toml_entry)	 node;
	struct toml_str		 key;
	unsigned		 line;		/* of the key */
	struct toml_value	*value;
};

struct toml {
	struct toml_value	*root;		/* TOML_TABLE */
	struct toml_arena	*arena;
	size_t			 nvalues;
};

/*
 * Parses len bytes of text, which need not end in NUL and are not changed.
 * path is for messages only.  NULL on error with "path:line: what is wrong
 * and what to do" in err; a message quotes keys, never values.
 */
struct toml	*toml_parse(const char *text, size_t len, const char *path,
		    char *err, size_t errlen);
void		 toml_free(struct toml *);

/* The entry of a table by its key, or NULL. */
struct toml_entry *toml_find(const struct toml_table *, const char *key);
/* "a string", "an array", ... for messages. */
const char	*toml_type_name(enum toml_type);

#endif
