/*
 * Memory that lives as long as one request: everything a decoder or parser
 * makes for it comes from one pool and goes with it.  Not for secrets.
 */
#ifndef IGRA_POOL_H
#define IGRA_POOL_H

#include <stddef.h>
#include <stdint.h>

/* A view of bytes that somebody else owns. */
struct bytes {
	const uint8_t	*p;
	size_t		 len;
};

struct pool_chunk;
struct pool {
	struct pool_chunk	*head;
	size_t			 used;	/* bytes handed out, all chunks */
	size_t			 limit;	/* 0: none */
};

/* limit caps the sum of all allocations; past it pool_alloc returns NULL. */
void	 pool_init(struct pool *, size_t limit);
void	 pool_free(struct pool *);

/* n * size zeroed bytes, aligned for any object; NULL with errno ENOMEM. */
void	*pool_alloc(struct pool *, size_t n, size_t size);
void	*pool_dup(struct pool *, const void *, size_t);
char	*pool_strndup(struct pool *, const char *, size_t);
char	*pool_printf(struct pool *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));

#endif
