/* Test vectors: JSON read with yajl's tree; failures abort the test program. */
#ifndef IGRA_VEC_H
#define IGRA_VEC_H

#include <stddef.h>
#include <stdint.h>
#include <yajl/yajl_tree.h>

/* A file of the source tree, whole; *len (may be NULL) without the added NUL. */
char		*vec_file(const char *path, size_t *len);
/* The same of tests/vectors/NAME. */
char		*vec_read(const char *name, size_t *len);
yajl_val	 vec_load(const char *name);
/* Member of an object; aborts when missing. */
yajl_val	 vec_get(yajl_val, const char *key);
/* NULL when missing or null. */
yajl_val	 vec_opt(yajl_val, const char *key);
const char	*vec_str(yajl_val, const char *key);
uint64_t	 vec_u64(yajl_val, const char *key);
size_t		 vec_len(yajl_val array);
yajl_val	 vec_at(yajl_val array, size_t i);
/* Hex text to a malloc'd buffer. */
uint8_t		*vec_unhex(const char *hex, size_t *len);
/* Lower-case hex of up to 4096 bytes in a static buffer (4 rotate). */
const char	*vec_hex(const void *, size_t);

#endif
