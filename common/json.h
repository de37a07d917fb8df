/*
 * The one wrapper around yajl: a strict parser that keeps where each value
 * stood in the text, and a writer.
 *
 * Stricter than yajl (RFC 8259, and DESIGN 10): UTF-8 is checked over the
 * whole text first, lone surrogates, duplicate members, nesting deeper than
 * JSON_MAX_DEPTH, white space that JSON has not, and anything after the value
 * are errors.  Numbers stay text: yajl's integers are signed and its doubles
 * lose amounts.
 */
#ifndef IGRA_JSON_H
#define IGRA_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool.h"

#define JSON_MAX_DEPTH	64		/* arrays and objects within each other */
#define JSON_MAX_VALUES	500000		/* in one text; 80 bytes each */

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

struct json {
	enum json_type	 type;
	bool		 truth;		/* of a JSON_BOOL */
	uint32_t	 n;		/* elements or members */
	uint32_t	 index;		/* which of its parent's */
	uint32_t	 start, end;	/* source range: text[start] .. text[end - 1] */
	struct bytes	 key;		/* unescaped; may hold NUL; not terminated */
	struct bytes	 text;		/* string: unescaped bytes; number: as written */
	struct json	*parent;	/* NULL: the whole text */
	struct json	*first;		/* child */
	struct json	*next;		/* sibling */
};

/*
 * Parses text (len bytes, less than 1 GiB) into a tree from the pool.  Keys
 * and strings without escapes are views into text, which must outlive the
 * tree.  NULL on error, with one line in err (errlen bytes; 256 are enough):
 * what is wrong, and the path or the byte where.
 */
struct json	*json_parse(struct pool *, const char *text, size_t len,
		    char *err, size_t errlen);

/* Member of an object; NULL if there is none or v is no object (or NULL). */
struct json	*json_get(const struct json *v, const char *name);
/* A string with exactly these bytes. */
bool		 json_is_string(const struct json *, const char *);
/*
 * A plain integer 0 <= v <= max, in digits only: no sign, fraction, exponent,
 * leading zero, no string.  0, or -1.
 */
int		 json_u64(const struct json *, uint64_t max, uint64_t *v);
/* A string as C text from the pool; NULL if it is none or holds a NUL. */
char		*json_cstr(struct pool *, const struct json *);
/*
 * Path of v below root, e.g. inputs[3].utxoEntry.amount; "" for root itself.
 * Always terminated; cut if out (len bytes) is too small.  Members whose names
 * are not plain words are shown as ["…"], cut to 40 bytes, printable ASCII.
 */
void		 json_path(const struct json *root, const struct json *v,
		    char *out, size_t len);

/*
 * Writer.  Errors (no memory, over limit, wrong nesting) stick: write on, and
 * ask json_out_text at the end.
 */
struct json_out {
	void	*gen;			/* yajl_gen */
	char	*buf;
	size_t	 len, cap;
	size_t	 limit;			/* of len; 0: none */
	bool	 failed;
};

/* 0, or -1 without memory (then nothing is to be freed). */
int	 json_out_init(struct json_out *, size_t limit);
void	 json_out_free(struct json_out *);
void	 json_out_begin_object(struct json_out *);
void	 json_out_end_object(struct json_out *);
void	 json_out_begin_array(struct json_out *);
void	 json_out_end_array(struct json_out *);
void	 json_out_key(struct json_out *, const char *);
/* Bytes that are not well-formed UTF-8 (a text cut short) become '?'. */
void	 json_out_string(struct json_out *, const char *);
void	 json_out_stringn(struct json_out *, const void *, size_t);
/* Lower-case hex string. */
void	 json_out_hex(struct json_out *, const void *, size_t);
void	 json_out_u64(struct json_out *, uint64_t);
void	 json_out_bool(struct json_out *, bool);
void	 json_out_null(struct json_out *);
/* A value that is JSON text already, taken byte for byte. */
void	 json_out_raw(struct json_out *, const char *, size_t);

/* A member of an object: its name and its value at once. */
void	 json_put_u64(struct json_out *, const char *name, uint64_t);
void	 json_put_bool(struct json_out *, const char *name, bool);
void	 json_put_null(struct json_out *, const char *name);
void	 json_put_string(struct json_out *, const char *name, const char *);
void	 json_put_text(struct json_out *, const char *name, struct bytes);
void	 json_put_hex(struct json_out *, const char *name, const void *,
	    size_t);
/* The same, or null when it is empty or not known. */
void	 json_put_string_or_null(struct json_out *, const char *name,
	    const char *);
void	 json_put_text_or_null(struct json_out *, const char *name,
	    struct bytes);
void	 json_put_hex_or_null(struct json_out *, const char *name,
	    const void *, size_t);
void	 json_put_u64_or_null(struct json_out *, const char *name, bool known,
	    uint64_t);

/*
 * The finished text, NUL-terminated, owned by the writer; NULL if anything
 * failed or an object or array is still open.  len may be NULL.
 */
const char *json_out_text(struct json_out *, size_t *len);

#endif
