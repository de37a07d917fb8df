/* As in OpenBSD: sysctl(2). */
#ifndef IGRA_PORT_SYS_SYSCTL_H
#define IGRA_PORT_SYS_SYSCTL_H

#include <stddef.h>

#define CTL_KERN	1
#define KERN_BOOTTIME	21

int	 sysctl(const int *, unsigned, void *, size_t *, void *, size_t);

#endif
