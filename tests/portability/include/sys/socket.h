/*
 * As in OpenBSD: SO_PEERCRED tells a struct sockpeercred.  And what glibc has
 * for _GNU_SOURCE alone.
 */
#include_next <sys/socket.h>
#ifndef IGRA_PORT_SYS_SOCKET_H
#define IGRA_PORT_SYS_SOCKET_H

#include <sys/types.h>

struct sockpeercred {
	uid_t	 uid;
	gid_t	 gid;
	pid_t	 pid;
};

int	 accept4(int, struct sockaddr *, socklen_t *, int);

#endif
