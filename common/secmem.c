#include <sys/mman.h>
#include <sys/resource.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "secmem.h"

#define ALIGN		16

/*
 * Blocks lie one after another; a header before each says how long it is.
 * First fit, neighbours joined when freed: allocations are few and the
 * arena is small.
 */
struct block {
	size_t	 size;		/* of the data, a multiple of ALIGN */
	size_t	 used;		/* 1 or 0; keeps the header 16 bytes */
};

static struct {
	uint8_t		*map;		/* with both guards */
	size_t		 maplen;
	uint8_t		*pages;		/* SECMEM_PAGES single pages */
	uint8_t		*heap;
	size_t		 heaplen;
	size_t		 page;
	size_t		 used;
	int		 locked;
	const char	*kind;
} arena;

static uint8_t	*map_memfd(size_t);
static uint8_t	*map_anon(size_t);
static int	 init(size_t, int, int, const char **);
static struct block *next_block(struct block *);

/* One locked mapping, invisible even to root's /proc/pid/mem. */
static uint8_t *
map_memfd(size_t len)
{
#if defined(__linux__) && defined(SYS_memfd_secret)
	uint8_t	*p;
	int	 fd;

	if ((fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC)) == -1)
		return NULL;
	if (ftruncate(fd, (off_t)len) == -1) {
		close(fd);
		return NULL;
	}
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return NULL;
	/* It refuses MADV_WIPEONFORK; a child gets no mapping at all. */
	if (madvise(p, len, MADV_DONTFORK) == -1) {
		munmap(p, len);
		return NULL;
	}
	return p;
#else
	(void)len;
	return NULL;
#endif
}

static uint8_t *
map_anon(size_t len)
{
	int	 flags = MAP_PRIVATE | MAP_ANON;
	uint8_t	*p;

#ifdef MAP_CONCEAL
	flags |= MAP_CONCEAL;
#endif
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
#ifdef __linux__
	if (madvise(p, len, MADV_DONTDUMP) == -1 ||
	    madvise(p, len, MADV_WIPEONFORK) == -1) {
		munmap(p, len);
		return NULL;
	}
#else
	if (minherit(p, len, MAP_INHERIT_ZERO) == -1) {
		munmap(p, len);
		return NULL;
	}
#endif
	return p;
}

static int
init(size_t size, int flags, int want_lock, const char **errstr)
{
	size_t		 page = (size_t)sysconf(_SC_PAGESIZE), len;
	uint8_t		*p = NULL;
	struct block	*b;

	if (arena.map != NULL) {
		*errstr = "the secret arena exists already";
		return -1;
	}
	if (size == 0 || size > SIZE_MAX / 4) {
		*errstr = "no size for the secret arena";
		return -1;
	}
	len = (size + page - 1) / page * page + (SECMEM_PAGES + 2) * page;
	if (want_lock && !(flags & SECMEM_NO_MEMFD) &&
	    (p = map_memfd(len)) != NULL) {
		arena.kind = "memfd_secret";
		/*
		 * These mappings are locked by nature, and mlock(2) refuses
		 * them; touching each page now shows a lack of memory here
		 * and not as SIGBUS later.
		 */
		memset(p, 0, len);
	}
	if (p == NULL) {
		if ((p = map_anon(len)) == NULL) {
			*errstr = "cannot map the secret arena";
			return -1;
		}
		arena.kind = want_lock ? "mlock" : "not locked";
		/* mlock faults every page in or fails: its success is the check. */
		if (want_lock && mlock(p + page, len - 2 * page) == -1) {
			munmap(p, len);
			*errstr = "cannot lock the secret arena: raise the "
			    "locked-memory limit (LimitMEMLOCK=, ulimit -l, "
			    "login.conf memorylocked)";
			return -1;
		}
	}
	if (mprotect(p, page, PROT_NONE) == -1 ||
	    mprotect(p + len - page, page, PROT_NONE) == -1 ||
	    mprotect(p + page, SECMEM_PAGES * page, PROT_NONE) == -1) {
		munmap(p, len);
		*errstr = "cannot protect the arena's guard pages";
		return -1;
	}
	arena.map = p;
	arena.maplen = len;
	arena.page = page;
	arena.pages = p + page;
	arena.heap = p + (1 + SECMEM_PAGES) * page;
	arena.heaplen = len - (2 + SECMEM_PAGES) * page;
	arena.used = 0;
	arena.locked = want_lock;
	b = (struct block *)(void *)arena.heap;
	b->size = arena.heaplen - sizeof(*b);
	b->used = 0;
	return 0;
}

int
secmem_init(size_t size, int flags, const char **errstr)
{
	return init(size, flags, 1, errstr);
}

int
secmem_init_insecure(size_t size)
{
	const char	*errstr;

	return init(size, 0, 0, &errstr);
}

const char *
secmem_kind(void)
{
	return arena.map == NULL ? "none" : arena.kind;
}

int
secmem_locked(void)
{
	return arena.locked;
}

size_t
secmem_used(void)
{
	return arena.used;
}

size_t
secmem_size(void)
{
	return arena.heaplen;
}

static struct block *
next_block(struct block *b)
{
	uint8_t	*p = (uint8_t *)(b + 1) + b->size;

	return p >= arena.heap + arena.heaplen ? NULL :
	    (struct block *)(void *)p;
}

void *
secmem_alloc(size_t n)
{
	struct block	*b, *rest;

	if (arena.map == NULL || n > arena.heaplen)
		goto nomem;
	n = n == 0 ? ALIGN : (n + ALIGN - 1) / ALIGN * ALIGN;
	for (b = (struct block *)(void *)arena.heap; b != NULL;
	    b = next_block(b)) {
		if (b->used || b->size < n)
			continue;
		if (b->size - n >= sizeof(*b) + ALIGN) {
			rest = (struct block *)(void *)
			    ((uint8_t *)(b + 1) + n);
			rest->size = b->size - n - sizeof(*b);
			rest->used = 0;
			b->size = n;
		}
		b->used = 1;
		arena.used += b->size;
		return b + 1;		/* free blocks are always zero */
	}
nomem:
	errno = ENOMEM;
	return NULL;
}

void
secmem_free(void *p)
{
	struct block	*b, *n;

	if (p == NULL)
		return;
	b = (struct block *)p - 1;
	explicit_bzero(p, b->size);
	b->used = 0;
	arena.used -= b->size;
	/* Join free neighbours, and wipe the headers that lie between. */
	for (b = (struct block *)(void *)arena.heap; b != NULL; ) {
		n = next_block(b);
		if (n != NULL && !b->used && !n->used) {
			b->size += sizeof(*n) + n->size;
			explicit_bzero(n, sizeof(*n));
			continue;
		}
		b = n;
	}
}

void *
secmem_page_open(unsigned which)
{
	uint8_t	*p = arena.pages + which * arena.page;

	if (arena.map == NULL || which >= SECMEM_PAGES ||
	    mprotect(p, arena.page, PROT_READ | PROT_WRITE) == -1)
		return NULL;
	return p;
}

void
secmem_page_close(unsigned which)
{
	if (arena.map != NULL && which < SECMEM_PAGES)
		(void)mprotect(arena.pages + which * arena.page, arena.page,
		    PROT_NONE);
}

void
secmem_wipe(void)
{
	unsigned	 i;
	void		*p;

	if (arena.map == NULL)
		return;
	for (i = 0; i < SECMEM_PAGES; i++) {
		if ((p = secmem_page_open(i)) != NULL)
			explicit_bzero(p, arena.page);
		secmem_page_close(i);
	}
	/* The headers go too: nothing may allocate after this. */
	explicit_bzero(arena.heap, arena.heaplen);
	arena.heaplen = 0;
}
