/* What glibc has for _GNU_SOURCE alone, and OpenBSD has. */
#include_next <string.h>
#ifndef IGRA_PORT_STRING_H
#define IGRA_PORT_STRING_H

void	*memmem(const void *, size_t, const void *, size_t);
char	*strcasestr(const char *, const char *);

#endif
