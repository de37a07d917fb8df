/* What glibc has for _GNU_SOURCE alone, and OpenBSD has. */
#include_next <stdio.h>
#ifndef IGRA_PORT_STDIO_H
#define IGRA_PORT_STDIO_H

int	 asprintf(char **, const char *, ...)
	    __attribute__((format(printf, 2, 3)));

#endif
