/* OpenBSD's pledge(2) and unveil(2), and what glibc has for _GNU_SOURCE alone. */
#include_next <unistd.h>
#ifndef IGRA_PORT_UNISTD_H
#define IGRA_PORT_UNISTD_H

int	 pledge(const char *, const char *);
int	 unveil(const char *, const char *);

int	 setresgid(gid_t, gid_t, gid_t);
int	 setresuid(uid_t, uid_t, uid_t);

#endif
