/* Who is at the other end of a Unix socket: the kernel's word only. */
#ifndef IGRA_PEER_H
#define IGRA_PEER_H

#include <sys/types.h>

struct peer {
	uid_t	 uid;
	gid_t	 gid;
	pid_t	 pid;		/* 0 where the kernel does not say */
};

/* Credentials frozen at connect() or listen().  0 or -1 (errno). */
int	peer_get(int fd, struct peer *);

#endif
