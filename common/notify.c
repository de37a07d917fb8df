#include <sys/socket.h>
#include <sys/un.h>

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "notify.h"

#define SECOND_US	1000000

static int		 notify_fd = -1;
static long long	 watchdog_us;		/* 0: nobody watches */

static void	 take_socket(const char *);
static void	 take_watchdog(void);
static void	 tell(const char *);
static void	 on_watchdog(int, short, void *);

/* A path, or with '@' in front a name of the abstract namespace. */
static void
take_socket(const char *path)
{
	struct sockaddr_un	 sun;
	size_t			 len = strlen(path);

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (len < 2 || len >= sizeof(sun.sun_path) ||
	    (*path != '/' && *path != '@')) {
		log_warnx("NOTIFY_SOCKET: not a socket's address");
		return;
	}
	memcpy(sun.sun_path, path, len);
	if (*path == '@')
		sun.sun_path[0] = '\0';
	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (notify_fd != -1 && connect(notify_fd, (struct sockaddr *)&sun,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == 0)
		return;
	log_warn("NOTIFY_SOCKET %s", path);
	if (notify_fd != -1)
		(void)close(notify_fd);
	notify_fd = -1;
}

static void
take_watchdog(void)
{
	const char	*us = getenv("WATCHDOG_USEC"), *errstr = NULL;
	const char	*pid = getenv("WATCHDOG_PID");

	if (us == NULL || (pid != NULL && strtonum(pid, 1, INT_MAX, &errstr) !=
	    getpid()))
		return;
	watchdog_us = strtonum(us, 1, LLONG_MAX / 2, &errstr);
	if (errstr != NULL) {
		log_warnx("WATCHDOG_USEC: %s", errstr);
		watchdog_us = 0;
	}
}

void
notify_open(void)
{
	const char	*path = getenv("NOTIFY_SOCKET");

	if (path != NULL)
		take_socket(path);
	if (notify_fd != -1)
		take_watchdog();
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

/* Whoever listens there may be gone or busy: that is not our trouble. */
static void
tell(const char *what)
{
	if (notify_fd != -1 && write(notify_fd, what, strlen(what)) == -1)
		log_debug("the service manager was not told %s", what);
}

static void
on_watchdog(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	tell("WATCHDOG=1");
}

int
notify_ready(struct event_base *base)
{
	struct timeval	 tv;
	struct event	*ev;

	if (notify_fd != -1 && watchdog_us != 0) {
		tv.tv_sec = (time_t)(watchdog_us / 2 / SECOND_US);
		tv.tv_usec = (suseconds_t)(watchdog_us / 2 % SECOND_US);
		ev = event_new(base, -1, EV_PERSIST, on_watchdog, NULL);
		if (ev == NULL || event_add(ev, &tv) == -1)
			return -1;
	}
	tell("READY=1");
	return 0;
}

void
notify_stopping(void)
{
	tell("STOPPING=1");
}
