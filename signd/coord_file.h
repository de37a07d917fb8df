/* Files as igra-coord reads and writes them. */
#ifndef IGRA_COORD_FILE_H
#define IGRA_COORD_FILE_H

#include <sys/types.h>

#include <stddef.h>

/*
 * All of a file, at most max bytes, NUL-terminated, malloc'd; "-" is standard
 * input.  NULL with the reason in err.
 */
char	*file_read(const char *path, size_t max, size_t *len, char *err,
	    size_t errlen);
/* The same from a descriptor; name is for messages. */
char	*file_read_fd(int fd, const char *name, size_t max, size_t *len,
	    char *err, size_t errlen);
/*
 * Puts a new file in the place of path, whole or not at all, synced with its
 * directory; mode goes through the umask.  0, or -1 with the reason in err.
 */
int	 file_replace(const char *path, const void *data, size_t len,
	    mode_t mode, char *err, size_t errlen);

#endif
