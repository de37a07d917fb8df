/* As in OpenBSD, whose path is shorter. */
#ifndef IGRA_PORT_SYS_UN_H
#define IGRA_PORT_SYS_UN_H

#include <sys/socket.h>

struct sockaddr_un {
	sa_family_t	 sun_family;
	char		 sun_path[104];
};

#endif
