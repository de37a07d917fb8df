#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vec.h"

char *
vec_file(const char *path, size_t *len)
{
	FILE	*f;
	char	*buf;
	long	 n;

	if ((f = fopen(path, "rb")) == NULL)
		err(1, "%s", path);
	if (fseek(f, 0, SEEK_END) != 0 || (n = ftell(f)) < 0)
		err(1, "%s", path);
	rewind(f);
	if ((buf = calloc(1, (size_t)n + 1)) == NULL)
		err(1, NULL);
	if (fread(buf, 1, (size_t)n, f) != (size_t)n)
		errx(1, "%s: short read", path);
	fclose(f);
	if (len != NULL)
		*len = (size_t)n;
	return buf;
}

char *
vec_read(const char *name, size_t *len)
{
	char	 path[512];

	(void)snprintf(path, sizeof(path), "tests/vectors/%s", name);
	return vec_file(path, len);
}

yajl_val
vec_load(const char *name)
{
	char		 e[1024];
	char		*text = vec_read(name, NULL);
	yajl_val	 v;

	if ((v = yajl_tree_parse(text, e, sizeof(e))) == NULL)
		errx(1, "%s: %s", name, e);
	free(text);
	return v;
}

yajl_val
vec_opt(yajl_val v, const char *key)
{
	size_t	 i;

	if (!YAJL_IS_OBJECT(v))
		errx(1, "%s: not in an object", key);
	for (i = 0; i < v->u.object.len; i++)
		if (strcmp(v->u.object.keys[i], key) == 0)
			return YAJL_IS_NULL(v->u.object.values[i]) ? NULL :
			    v->u.object.values[i];
	return NULL;
}

yajl_val
vec_get(yajl_val v, const char *key)
{
	yajl_val	 r = vec_opt(v, key);

	if (r == NULL)
		errx(1, "vector has no %s", key);
	return r;
}

const char *
vec_str(yajl_val v, const char *key)
{
	yajl_val	 r = vec_get(v, key);

	if (!YAJL_IS_STRING(r))
		errx(1, "%s: not a string", key);
	return YAJL_GET_STRING(r);
}

uint64_t
vec_u64(yajl_val v, const char *key)
{
	yajl_val	 r = vec_get(v, key);

	if (!YAJL_IS_NUMBER(r))
		errx(1, "%s: not a number", key);
	return strtoull(YAJL_GET_NUMBER(r), NULL, 10);
}

size_t
vec_len(yajl_val v)
{
	if (!YAJL_IS_ARRAY(v))
		errx(1, "not an array");
	return v->u.array.len;
}

yajl_val
vec_at(yajl_val v, size_t i)
{
	if (i >= vec_len(v))
		errx(1, "no element %zu", i);
	return v->u.array.values[i];
}

uint8_t *
vec_unhex(const char *hex, size_t *len)
{
	size_t		 i, n = strlen(hex) / 2;
	uint8_t		*out;
	unsigned int	 b;

	if ((out = calloc(1, n + 1)) == NULL)
		err(1, NULL);
	for (i = 0; i < n; i++) {
		if (sscanf(hex + 2 * i, "%2x", &b) != 1)
			errx(1, "bad hex: %s", hex);
		out[i] = (uint8_t)b;
	}
	if (len != NULL)
		*len = n;
	return out;
}

const char *
vec_hex(const void *p, size_t len)
{
	static char	 buf[4][8193];
	static unsigned	 at;
	char		*b = buf[at++ % 4];
	size_t		 i;

	if (len > 4096)
		errx(1, "vec_hex: too long");
	b[0] = '\0';
	for (i = 0; i < len; i++)
		(void)snprintf(b + 2 * i, 3, "%02x", ((const uint8_t *)p)[i]);
	return b;
}
