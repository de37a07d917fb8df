/*
 * Text from the log on its way to a terminal: no control character, no byte
 * that is not ASCII reaches it.  Letters of other scripts are escaped as well:
 * among them are those that reverse the text, take no room, or look like
 * others.
 */
#ifndef IGRA_IA_TEXT_H
#define IGRA_IA_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Appends to a buffer of size bytes, of which *at are used; what does not fit
 * is left out.  Always terminated.  \uXXXX for a character, \xXX for a byte
 * that is not UTF-8, \\ for a backslash.
 */
void		 ia_escape(char *out, size_t size, size_t *at, const void *,
		    size_t len);
/* The same for a path or message; a static buffer. */
const char	*ia_safe(const char *);
/*
 * A line of JSON (that has been parsed), without its newline.  For a terminal
 * everything but ASCII is written as \uXXXX, which is the same JSON.
 */
void		 ia_put_json(FILE *, const char *, size_t, bool terminal);

#endif
