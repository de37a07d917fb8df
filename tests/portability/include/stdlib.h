/* What glibc has for _GNU_SOURCE alone, and OpenBSD has. */
#include_next <stdlib.h>
#ifndef IGRA_PORT_STDLIB_H
#define IGRA_PORT_STDLIB_H

int	 mkostemp(char *, int);

#endif
