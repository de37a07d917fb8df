/*
 * The secret arena: one mapping per process that holds secrets, between
 * guard pages, locked into memory and kept out of core files, sized once at
 * start and never grown (DESIGN 7).  Not thread-safe: daemons have no threads.
 */
#ifndef IGRA_SECMEM_H
#define IGRA_SECMEM_H

#include <stddef.h>

#define SECMEM_NO_MEMFD	0x01	/* use mlock even where memfd_secret works */

/*
 * Maps and locks at least size bytes.  0, or -1 with *errstr: then nothing
 * is mapped.  secmem_insecure is for devnet and testnet only: the same
 * arena without the lock.
 */
int		 secmem_init(size_t size, int flags, const char **errstr);
int		 secmem_init_insecure(size_t size);
/* "memfd_secret", "mlock", "MAP_CONCEAL+mlock" or "not locked". */
const char	*secmem_kind(void);
int		 secmem_locked(void);

/* Zeroed, 16-byte aligned; NULL (errno ENOMEM) when the arena is full. */
void		*secmem_alloc(size_t);
/* Wipes and gives back; NULL is fine. */
void		 secmem_free(void *);
size_t		 secmem_used(void);
size_t		 secmem_size(void);

/*
 * Pages of their own at the head of the arena, PROT_NONE except between
 * open and close: for the file key.
 */
#define SECMEM_PAGES	2
void		*secmem_page_open(unsigned which);
void		 secmem_page_close(unsigned which);

/* Wipes everything, whatever is allocated.  Async-signal-safe. */
void		 secmem_wipe(void);

#endif
