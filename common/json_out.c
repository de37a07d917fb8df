#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>

#include "json.h"
#include "utf8.h"

#define FIRST_SIZE	1024

static void	 append(void *, const char *, size_t);
static void	 done(struct json_out *, yajl_gen_status);

static void
append(void *arg, const char *s, size_t len)
{
	struct json_out	*o = arg;
	size_t		 cap;
	char		*buf;

	if (o->failed)
		return;
	if (len > SIZE_MAX / 4 || o->len > SIZE_MAX / 4 ||
	    (o->limit != 0 && o->len + len > o->limit)) {
		o->failed = true;
		return;
	}
	/* One byte more for the NUL. */
	if (o->len + len >= o->cap) {
		for (cap = o->cap; cap <= o->len + len;)
			cap *= 2;
		if ((buf = realloc(o->buf, cap)) == NULL) {
			o->failed = true;
			return;
		}
		o->buf = buf;
		o->cap = cap;
	}
	/* What is empty may be nowhere, and memcpy wants somewhere. */
	if (len > 0)
		memcpy(o->buf + o->len, s, len);
	o->len += len;
}

/* yajl reports the end of the outermost value as a status of its own. */
static void
done(struct json_out *o, yajl_gen_status status)
{
	if (status != yajl_gen_status_ok)
		o->failed = true;
}

int
json_out_init(struct json_out *o, size_t limit)
{
	memset(o, 0, sizeof(*o));
	o->limit = limit;
	o->cap = FIRST_SIZE;
	if ((o->buf = malloc(o->cap)) == NULL)
		return -1;
	if ((o->gen = yajl_gen_alloc(NULL)) == NULL) {
		free(o->buf);
		o->buf = NULL;
		return -1;
	}
	(void)yajl_gen_config(o->gen, yajl_gen_print_callback, append, o);
	return 0;
}

void
json_out_free(struct json_out *o)
{
	if (o->gen != NULL)
		yajl_gen_free(o->gen);
	free(o->buf);
	memset(o, 0, sizeof(*o));
}

void
json_out_begin_object(struct json_out *o)
{
	done(o, yajl_gen_map_open(o->gen));
}

void
json_out_end_object(struct json_out *o)
{
	done(o, yajl_gen_map_close(o->gen));
}

void
json_out_begin_array(struct json_out *o)
{
	done(o, yajl_gen_array_open(o->gen));
}

void
json_out_end_array(struct json_out *o)
{
	done(o, yajl_gen_array_close(o->gen));
}

void
json_out_key(struct json_out *o, const char *key)
{
	json_out_string(o, key);
}

void
json_out_string(struct json_out *o, const char *s)
{
	json_out_stringn(o, s, strlen(s));
}

void
json_out_stringn(struct json_out *o, const void *p, size_t len)
{
	uint8_t	*fixed;
	size_t	 i, n;

	if (utf8_valid(p, len)) {
		done(o, yajl_gen_string(o->gen, p, len));
		return;
	}
	if ((fixed = malloc(len)) == NULL) {
		o->failed = true;
		return;
	}
	memcpy(fixed, p, len);
	for (i = 0; i < len; i += n)
		if (utf8_decode(fixed + i, len - i, &n) == -1) {
			fixed[i] = '?';
			n = 1;
		}
	done(o, yajl_gen_string(o->gen, fixed, len));
	free(fixed);
}

void
json_out_hex(struct json_out *o, const void *p, size_t len)
{
	static const char	 digits[] = "0123456789abcdef";
	const uint8_t		*b = p;
	char			*text;
	size_t			 i;

	if (len > SIZE_MAX / 4 || (text = malloc(2 * len + 2)) == NULL) {
		o->failed = true;
		return;
	}
	text[0] = text[2 * len + 1] = '"';
	for (i = 0; i < len; i++) {
		text[1 + 2 * i] = digits[b[i] >> 4];
		text[2 + 2 * i] = digits[b[i] & 15];
	}
	json_out_raw(o, text, 2 * len + 2);
	free(text);
}

void
json_out_u64(struct json_out *o, uint64_t v)
{
	char	 text[24];
	int	 n;

	n = snprintf(text, sizeof(text), "%" PRIu64, v);
	json_out_raw(o, text, (size_t)n);
}

void
json_out_bool(struct json_out *o, bool v)
{
	done(o, yajl_gen_bool(o->gen, v));
}

void
json_out_null(struct json_out *o)
{
	done(o, yajl_gen_null(o->gen));
}

/* yajl writes the text of a number as it is given, whatever it is. */
void
json_out_raw(struct json_out *o, const char *text, size_t len)
{
	done(o, yajl_gen_number(o->gen, text, len));
}

void
json_put_u64(struct json_out *o, const char *name, uint64_t v)
{
	json_out_key(o, name);
	json_out_u64(o, v);
}

void
json_put_bool(struct json_out *o, const char *name, bool v)
{
	json_out_key(o, name);
	json_out_bool(o, v);
}

void
json_put_null(struct json_out *o, const char *name)
{
	json_out_key(o, name);
	json_out_null(o);
}

void
json_put_string(struct json_out *o, const char *name, const char *s)
{
	json_out_key(o, name);
	json_out_string(o, s);
}

void
json_put_text(struct json_out *o, const char *name, struct bytes text)
{
	json_out_key(o, name);
	json_out_stringn(o, text.p, text.len);
}

void
json_put_hex(struct json_out *o, const char *name, const void *p, size_t len)
{
	json_out_key(o, name);
	json_out_hex(o, p, len);
}

void
json_put_string_or_null(struct json_out *o, const char *name, const char *s)
{
	if (s == NULL || *s == '\0')
		json_put_null(o, name);
	else
		json_put_string(o, name, s);
}

void
json_put_text_or_null(struct json_out *o, const char *name, struct bytes text)
{
	if (text.len == 0)
		json_put_null(o, name);
	else
		json_put_text(o, name, text);
}

void
json_put_hex_or_null(struct json_out *o, const char *name, const void *p,
    size_t len)
{
	if (len == 0)
		json_put_null(o, name);
	else
		json_put_hex(o, name, p, len);
}

void
json_put_u64_or_null(struct json_out *o, const char *name, bool known,
    uint64_t v)
{
	if (known)
		json_put_u64(o, name, v);
	else
		json_put_null(o, name);
}

const char *
json_out_text(struct json_out *o, size_t *len)
{
	/* Complete is the one state in which yajl takes nothing more. */
	if (!o->failed && yajl_gen_null(o->gen) != yajl_gen_generation_complete)
		o->failed = true;
	if (o->failed)
		return NULL;
	o->buf[o->len] = '\0';
	if (len != NULL)
		*len = o->len;
	return o->buf;
}
