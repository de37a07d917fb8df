#include <stdlib.h>
#include <string.h>

#include "codec.h"

static uint8_t	*enc_space(struct enc *, size_t);
static const uint8_t *dec_take(struct dec *, size_t);

void
enc_init(struct enc *e)
{
	memset(e, 0, sizeof(*e));
}

void
enc_init_fixed(struct enc *e, void *buf, size_t cap)
{
	memset(e, 0, sizeof(*e));
	e->buf = buf;
	e->cap = cap;
	e->fixed = true;
}

void
enc_free(struct enc *e)
{
	if (!e->fixed && e->buf != NULL)
		freezero(e->buf, e->cap);
	memset(e, 0, sizeof(*e));
}

static uint8_t *
enc_space(struct enc *e, size_t n)
{
	size_t	 cap;
	uint8_t	*p;

	if (e->failed)
		return NULL;
	if (n > e->cap - e->len) {
		if (e->fixed || n > SIZE_MAX / 4 - e->len)
			goto fail;
		for (cap = e->cap ? e->cap : 512; cap - e->len < n; )
			cap *= 2;
		/* Not realloc: the old copy would be left in freed memory. */
		if ((p = malloc(cap)) == NULL)
			goto fail;
		if (e->len != 0)
			memcpy(p, e->buf, e->len);
		if (e->buf != NULL)
			freezero(e->buf, e->cap);
		e->buf = p;
		e->cap = cap;
	}
	p = e->buf + e->len;
	e->len += n;
	return p;
fail:
	e->failed = true;
	return NULL;
}

void
enc_raw(struct enc *e, const void *src, size_t n)
{
	uint8_t	*p;

	if ((p = enc_space(e, n)) != NULL && n != 0)
		memcpy(p, src, n);
}

void
enc_u8(struct enc *e, uint8_t v)
{
	enc_raw(e, &v, 1);
}

void
enc_u16(struct enc *e, uint16_t v)
{
	uint8_t	 b[2] = { (uint8_t)v, (uint8_t)(v >> 8) };

	enc_raw(e, b, sizeof(b));
}

void
enc_u32(struct enc *e, uint32_t v)
{
	uint8_t	 b[4];
	int	 i;

	for (i = 0; i < 4; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	enc_raw(e, b, sizeof(b));
}

void
enc_u64(struct enc *e, uint64_t v)
{
	uint8_t	 b[8];
	int	 i;

	for (i = 0; i < 8; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	enc_raw(e, b, sizeof(b));
}

void
enc_bytes(struct enc *e, struct bytes b)
{
	if (b.len > UINT32_MAX) {
		e->failed = true;
		return;
	}
	enc_u32(e, (uint32_t)b.len);
	enc_raw(e, b.p, b.len);
}

void
enc_str(struct enc *e, const char *s)
{
	enc_bytes(e, bytes_str(s));
}

void
dec_init(struct dec *d, const void *p, size_t len)
{
	d->p = p;
	d->left = len;
	d->failed = false;
}

static const uint8_t *
dec_take(struct dec *d, size_t n)
{
	const uint8_t	*p = d->p;

	if (d->failed || n > d->left) {
		d->failed = true;
		return NULL;
	}
	d->p += n;
	d->left -= n;
	return p;
}

uint8_t
dec_u8(struct dec *d)
{
	const uint8_t	*p = dec_take(d, 1);

	return p == NULL ? 0 : *p;
}

bool
dec_bool(struct dec *d)
{
	uint8_t	 v = dec_u8(d);

	if (v > 1)
		d->failed = true;
	return v == 1;
}

uint16_t
dec_u16(struct dec *d)
{
	const uint8_t	*p = dec_take(d, 2);

	return p == NULL ? 0 : (uint16_t)(p[0] | (unsigned)p[1] << 8);
}

uint32_t
dec_u32(struct dec *d)
{
	const uint8_t	*p = dec_take(d, 4);
	uint32_t	 v = 0;
	int		 i;

	for (i = 3; p != NULL && i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

uint64_t
dec_u64(struct dec *d)
{
	const uint8_t	*p = dec_take(d, 8);
	uint64_t	 v = 0;
	int		 i;

	for (i = 7; p != NULL && i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

void
dec_raw(struct dec *d, void *dst, size_t n)
{
	const uint8_t	*p = dec_take(d, n);

	if (p == NULL)
		memset(dst, 0, n);
	else if (n != 0)
		memcpy(dst, p, n);
}

struct bytes
dec_bytes(struct dec *d, size_t max)
{
	struct bytes	 b = { NULL, 0 };
	uint32_t	 len = dec_u32(d);
	const uint8_t	*p;

	if (len > max)
		d->failed = true;
	if ((p = dec_take(d, len)) != NULL) {
		b.p = p;
		b.len = len;
	}
	return b;
}

uint32_t
dec_count(struct dec *d, uint32_t max, size_t minsize)
{
	uint32_t	 n = dec_u32(d);

	if (d->failed || n > max || (minsize != 0 && n > d->left / minsize)) {
		d->failed = true;
		return 0;
	}
	return n;
}

int
dec_done(const struct dec *d)
{
	return d->failed || d->left != 0 ? -1 : 0;
}

struct bytes
bytes_str(const char *s)
{
	struct bytes	 b = { NULL, 0 };

	if (s != NULL) {
		b.p = (const uint8_t *)s;
		b.len = strlen(s);
	}
	return b;
}

bool
bytes_eq(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool
bytes_cstr(struct bytes b, char *dst, size_t size)
{
	if (b.len >= size || (b.len != 0 && memchr(b.p, '\0', b.len) != NULL))
		return false;
	if (b.len != 0)
		memcpy(dst, b.p, b.len);
	dst[b.len] = '\0';
	return true;
}
