/* As in OpenBSD: minherit(2), MAP_CONCEAL, and nothing of Linux's. */
#include_next <sys/mman.h>
#ifndef IGRA_PORT_SYS_MMAN_H
#define IGRA_PORT_SYS_MMAN_H

#define MAP_CONCEAL		0x8000
#define MAP_INHERIT_ZERO	3

#undef MADV_DONTDUMP
#undef MADV_DONTFORK
#undef MADV_WIPEONFORK
#undef MAP_LOCKED
#undef MAP_POPULATE

int	 minherit(void *, size_t, int);

#endif
