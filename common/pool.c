#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool.h"

#define POOL_CHUNK	(16 * 1024)
#define POOL_ALIGN	_Alignof(max_align_t)

struct pool_chunk {
	struct pool_chunk	*next;
	size_t			 size;
	size_t			 used;
	max_align_t		 data[];
};

void
pool_init(struct pool *p, size_t limit)
{
	p->head = NULL;
	p->used = 0;
	p->limit = limit;
}

void
pool_free(struct pool *p)
{
	struct pool_chunk	*c, *next;

	for (c = p->head; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	p->head = NULL;
	p->used = 0;
}

void *
pool_alloc(struct pool *p, size_t n, size_t size)
{
	struct pool_chunk	*c = p->head;
	size_t			 need, space;
	uint8_t			*base;

	if (size != 0 && n > (SIZE_MAX / 4) / size)
		goto nomem;
	need = n * size;
	need = (need + POOL_ALIGN - 1) / POOL_ALIGN * POOL_ALIGN;
	if (need == 0)
		need = POOL_ALIGN;
	if (p->limit != 0 && need > p->limit - p->used)
		goto nomem;
	if (c == NULL || c->size - c->used < need) {
		space = need > POOL_CHUNK ? need : POOL_CHUNK;
		if ((c = calloc(1, sizeof(*c) + space)) == NULL)
			return NULL;
		c->size = space;
		c->next = p->head;
		p->head = c;
	}
	base = (uint8_t *)c->data + c->used;
	c->used += need;
	p->used += need;
	return base;
nomem:
	errno = ENOMEM;
	return NULL;
}

void *
pool_dup(struct pool *p, const void *src, size_t len)
{
	void	*d;

	if ((d = pool_alloc(p, len, 1)) != NULL && len != 0)
		memcpy(d, src, len);
	return d;
}

char *
pool_strndup(struct pool *p, const char *s, size_t len)
{
	char	*d;

	if ((d = pool_alloc(p, len + 1, 1)) != NULL && len != 0)
		memcpy(d, s, len);
	return d;
}

char *
pool_printf(struct pool *p, const char *fmt, ...)
{
	va_list	 ap;
	char	*d;
	int	 n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || (d = pool_alloc(p, (size_t)n + 1, 1)) == NULL)
		return NULL;
	va_start(ap, fmt);
	(void)vsnprintf(d, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return d;
}
