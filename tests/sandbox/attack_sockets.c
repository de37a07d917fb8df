/* Attacks by sockets. */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "messages.h"

#include "attack.h"

#define OURS	(SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK)
#define ABSTRACT "\0igra-attack"

static int	unix_connect(const char *, size_t);

/* Under each of its types, were it there. */
static long
family(const struct attack *a)
{
	static const int	 types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW,
				    SOCK_SEQPACKET };
	size_t			 i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (socket((int)a->arg, types[i], 0) != -1)
			return 0;
	return -1;
}

static long
unix_type(const struct attack *a)
{
	return socket(AF_UNIX, (int)a->arg, 0);
}

static long
unix_pair(const struct attack *a)
{
	int	 fd[2];

	(void)a;
	return socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
}

static int
unix_connect(const char *path, size_t len)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	int			 fd;

	if (len > sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sun.sun_path, path, len);
	if ((fd = socket(AF_UNIX, OURS, 0)) == -1 || connect(fd,
	    (struct sockaddr *)&sun, (socklen_t)(offsetof(struct sockaddr_un,
	    sun_path) + len)) == -1)
		return -1;
	return fd;
}

static long
abstract(const struct attack *a)
{
	(void)a;
	return unix_connect(ABSTRACT, sizeof(ABSTRACT) - 1);
}

static long
abstract_bind(const struct attack *a)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	int			 fd;

	(void)a;
	memcpy(sun.sun_path, "\0igra-own", 9);
	if ((fd = socket(AF_UNIX, OURS, 0)) == -1)
		return -1;
	return bind(fd, (struct sockaddr *)&sun,
	    offsetof(struct sockaddr_un, sun_path) + 9);
}

static long
outside(const struct attack *a)
{
	char	 path[PATH_MAX];
	int	 n;

	(void)a;
	n = snprintf(path, sizeof(path), "%s/listen.sock", scene.dir);
	return unix_connect(path, (size_t)n + 1);
}

static long
dbus(const struct attack *a)
{
	static const char	 path[] = "/run/dbus/system_bus_socket";

	(void)a;
	return unix_connect(path, sizeof(path));
}

static long
journald(const struct attack *a)
{
	static const char	 path[] = "/run/systemd/journal/stdout";

	(void)a;
	return unix_connect(path, sizeof(path));
}

/*
 * The admin socket beside the one that the role may use can be connected to:
 * it is the listener who knows us by our uid.  "Works" is an answer.
 */
static long
admin(const struct attack *a)
{
	char		 path[PATH_MAX];
	uint8_t		 hdr[PROTO_HEADER_LEN];
	struct proto_header	 h = { .type = MSG_AUDITD_STATUS_REQ, .id = 1 };
	ssize_t		 got;
	int		 n, fd;

	(void)a;
	n = snprintf(path, sizeof(path), "%s/admin.sock",
	    strcmp(scene.own, "/") == 0 ? "" : scene.own);
	if ((fd = unix_connect(path, (size_t)n + 1)) == -1)
		return -1;
	if (scene.role == SANDBOX_SIGND)
		h.type = MSG_KEYD_STATUS_REQ;
	proto_put_header(hdr, &h);
	if (write(fd, hdr, sizeof(hdr)) == sizeof(hdr)) {
		/* The filter has no call to wait with. */
		while ((got = read(fd, hdr, sizeof(hdr))) == -1 &&
		    errno == EAGAIN)
			continue;
		if (got > 0)
			return 0;
	}
	errno = ECONNRESET;
	return -1;
}

const struct attack	 attack_sockets[] = {
	{ "socket-family-%", family, 0 },
	{ "unix-dgram", unix_type, SOCK_DGRAM },
	{ "unix-seqpacket", unix_type, SOCK_SEQPACKET },
	{ "unix-pair", unix_pair, -1 },
	{ "unix-bind-abstract", abstract_bind, -1 },
	{ "connect-abstract", abstract, -1 },
	{ "connect-outside", outside, -1 },
	{ "connect-dbus", dbus, -1 },
	{ "connect-journald", journald, -1 },
	{ "admin-socket", admin, -1 },
	{ NULL, NULL, 0 }
};
