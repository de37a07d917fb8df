/*
 * UTF-8 as of RFC 3629: no overlong forms, no surrogates, at most U+10FFFF.
 */
#ifndef IGRA_UTF8_H
#define IGRA_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool	 utf8_valid(const void *, size_t);
/* Characters (code points), or SIZE_MAX when it is not UTF-8. */
size_t	 utf8_chars(const void *, size_t);
/*
 * The character at p (len > 0 bytes follow) and its length in *n; -1 when it
 * is not UTF-8.
 */
int32_t	 utf8_decode(const uint8_t *p, size_t len, size_t *n);
/* White_Space of Unicode, as Rust's char::is_whitespace. */
bool	 utf8_is_space(int32_t);

#endif
