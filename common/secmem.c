#include <sys/mman.h>
#include <sys/resource.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "secmem.h"

#define ALIGN		16

/*
 * Blocks lie one after another.  A header before each says how long it and
 * the one before it are, so that a block that is freed joins its neighbours
 * without a walk, and links the free ones: 10,000 keys are wiped in a
 * moment.  All is counted in units of ALIGN; the links are in the header
 * because the data of a free block is always zero.
 */
struct block {
	uint32_t	 size;		/* of the data */
	uint32_t	 before;	/* of the block before; 0: the first */
	uint32_t	 prev, next;	/* free blocks, 0: none; or USED */
};

#define USED		UINT32_MAX

_Static_assert(sizeof(struct block) == ALIGN, "headers keep data aligned");

static struct {
	uint8_t		*map;		/* with both guards */
	size_t		 maplen;
	uint8_t		*pages;		/* SECMEM_PAGES single pages */
	uint8_t		*heap;
	size_t		 heaplen;
	size_t		 page;
	size_t		 used;
	uint32_t	 free;		/* the first free block, 0: none */
	int		 locked;
	const char	*kind;
} arena;

static uint8_t	*map_memfd(size_t);
static uint8_t	*map_anon(size_t);
static int	 init(size_t, int, int, const char **);
static struct block *block_at(uint32_t);
static uint32_t	 index_of(const struct block *);
static size_t	 bytes_of(const struct block *);
static struct block *block_after(struct block *);
static void	 set_size(struct block *, uint32_t);
static void	 list_add(struct block *);
static void	 list_del(struct block *);
static void	 join(struct block *, struct block *);

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
	if (size == 0 || size > SIZE_MAX / 4 ||
	    size / ALIGN > UINT32_MAX / 2) {
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
	b->size = (uint32_t)((arena.heaplen - sizeof(*b)) / ALIGN);
	arena.free = 0;
	list_add(b);
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

/* Blocks have a number, from 1. */
static struct block *
block_at(uint32_t i)
{
	return (struct block *)(void *)(arena.heap + (size_t)(i - 1) * ALIGN);
}

static uint32_t
index_of(const struct block *b)
{
	return (uint32_t)((size_t)((const uint8_t *)b - arena.heap) / ALIGN) +
	    1;
}

static size_t
bytes_of(const struct block *b)
{
	return (size_t)b->size * ALIGN;
}

/* NULL behind the last. */
static struct block *
block_after(struct block *b)
{
	uint8_t	*p = (uint8_t *)(b + 1) + bytes_of(b);

	return p >= arena.heap + arena.heaplen ? NULL :
	    (struct block *)(void *)p;
}

static void
set_size(struct block *b, uint32_t size)
{
	struct block	*n;

	b->size = size;
	if ((n = block_after(b)) != NULL)
		n->before = size;
}

static void
list_add(struct block *b)
{
	b->prev = 0;
	b->next = arena.free;
	arena.free = index_of(b);
	if (b->next != 0)
		block_at(b->next)->prev = arena.free;
}

static void
list_del(struct block *b)
{
	if (b->next != 0)
		block_at(b->next)->prev = b->prev;
	if (b->prev != 0)
		block_at(b->prev)->next = b->next;
	else
		arena.free = b->next;
}

/* n comes right after b, and neither is in the list. */
static void
join(struct block *b, struct block *n)
{
	uint32_t	 size = b->size + n->size + (uint32_t)(sizeof(*n) /
			    ALIGN);

	explicit_bzero(n, sizeof(*n));
	set_size(b, size);
}

void *
secmem_alloc(size_t n)
{
	struct block	*b, *rest;
	uint32_t	 i, units;

	if (arena.map == NULL || n > arena.heaplen)
		goto nomem;
	units = n == 0 ? 1 : (uint32_t)((n + ALIGN - 1) / ALIGN);
	for (i = arena.free; i != 0; i = b->next) {
		b = block_at(i);
		if (b->size < units)
			continue;
		list_del(b);
		if (b->size - units >= 2) {	/* room for a block of 1 */
			rest = (struct block *)(void *)
			    ((uint8_t *)(b + 1) + (size_t)units * ALIGN);
			rest->before = units;
			set_size(rest, b->size - units - 1);
			list_add(rest);
			b->size = units;
		}
		b->prev = b->next = USED;
		arena.used += bytes_of(b);
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

	if (p == NULL || arena.heaplen == 0)
		return;			/* wiped: the headers are gone */
	b = (struct block *)p - 1;
	if (b->next != USED) {
		secmem_wipe();		/* given back twice: who has it now? */
		abort();
	}
	explicit_bzero(p, bytes_of(b));
	arena.used -= bytes_of(b);
	if ((n = block_after(b)) != NULL && n->next != USED) {
		list_del(n);
		join(b, n);
	}
	if (b->before != 0) {
		n = (struct block *)(void *)((uint8_t *)b -
		    (size_t)b->before * ALIGN) - 1;
		if (n->next != USED) {
			list_del(n);
			join(n, b);
			b = n;
		}
	}
	list_add(b);
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
	arena.free = 0;
}
