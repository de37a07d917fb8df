/* posix_fallocate(3), which OpenBSD has not got. */
#ifndef IGRA_ALLOCATE_H
#define IGRA_ALLOCATE_H

#include <sys/types.h>

/*
 * The file's first len bytes have their place on the disk; what is new of them
 * is zero.  0, or an errno.
 */
int	allocate(int fd, off_t len);
/* OpenBSD's way: bytes behind the file's end are written. */
int	allocate_by_writing(int fd, off_t len);

#endif
