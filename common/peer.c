#include <sys/types.h>
#include <sys/socket.h>

#include <string.h>
#include <unistd.h>

#include "peer.h"

int
peer_get(int fd, struct peer *p)
{
	memset(p, 0, sizeof(*p));
#ifdef SO_PEERCRED
#ifdef __OpenBSD__
	struct sockpeercred	 cr;
#else
	struct ucred		 cr;
#endif
	socklen_t		 len = sizeof(cr);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cr, &len) == -1)
		return -1;
	p->uid = cr.uid;
	p->gid = cr.gid;
	p->pid = cr.pid;
	return 0;
#else
	return getpeereid(fd, &p->uid, &p->gid);
#endif
}
