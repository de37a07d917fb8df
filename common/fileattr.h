/* The append-only attribute of a file (chattr +a, chflags sappnd). */
#ifndef IGRA_FILEATTR_H
#define IGRA_FILEATTR_H

#include <stdbool.h>

/* False also where the file system knows no such attribute. */
bool	fileattr_append_only(int fd);
/* Sets or clears it; root only.  0, or -1 (errno). */
int	fileattr_set_append_only(int fd, bool on);

#endif
