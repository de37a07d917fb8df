/*
 * The journal's writer: a process of its own, so that a disk that hangs does
 * not hang igra-keyd.  It writes what waits and syncs once for all of it.
 * When igra-keyd is gone it finishes what was sent, then ends: a kill of
 * igra-keyd loses nothing that it had sent.
 */
#include <sys/mman.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal_int.h"
#include "log.h"
#include "sandbox.h"
#include "validate.h"

#define GROUP		256		/* orders in one sync */
#define EXTEND		(4U * 1024 * 1024)
/* Two orders of each request in flight, with what the kernel adds to each. */
#define ORDERS_ROOM	(1024 * 1024)

/* As the sandbox's filter has them. */
#define SOCK_FD		SANDBOX_JOURNAL_SOCK
#define FILE_FD		SANDBOX_JOURNAL_FILE

static ssize_t	next_order(int, struct write_order *, int);
static void	child_run(int, int, const uint8_t *, uint64_t,
		    const struct journal_io *) __attribute__((noreturn));
static void	confine(int, int);

const struct journal_io	 journal_system = { pwrite, fdatasync };

int
write_all(const struct journal_io *io, int fd, const uint8_t *p, size_t len,
    uint64_t off)
{
	ssize_t	 n;

	while (len > 0) {
		n = io->pwrite(fd, p, len, (off_t)off);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (n == 0)
				errno = EIO;
			return -1;
		}
		p += n;
		len -= (size_t)n;
		off += (uint64_t)n;
	}
	return 0;
}

void
child_extend(int fd, uint64_t from, uint64_t bytes)
{
#ifdef __linux__
	/* Not posix_fallocate, which may read and write instead. */
	(void)fallocate(fd, 0, (off_t)from, (off_t)bytes);
#else
	(void)fd;
	(void)from;
	(void)bytes;
#endif
}

/*
 * 0: igra-keyd is gone, and all that it sent has been taken; -1: none waits.
 * A stream, since that alone hands out what was sent before it says that the
 * other end died with answers unread (ECONNRESET).
 */
static ssize_t
next_order(int sock, struct write_order *o, int flags)
{
	ssize_t	 n;

	while ((n = recv(sock, o, sizeof(*o), flags)) == -1 && errno == EINTR)
		;
	if (n == sizeof(*o) || n == 0)
		return n;
	if (n == -1 && errno == ECONNRESET)
		return 0;
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return -1;
	_exit(1);
}

/* Serves until the socket ends.  allocated: of the file. */
static void
child_run(int sock, int fd, const uint8_t *ring, uint64_t allocated,
    const struct journal_io *io)
{
	struct write_answer	 a;
	struct write_order	 o;
	int			 n;

	memset(&a, 0, sizeof(a));
	while (next_order(sock, &o, 0) > 0) {
		a.error = 0;
		a.synced = 0;
		n = 0;
		do {
			a.id = o.id;
			if (o.len > RING_SIZE || o.pos > RING_SIZE - o.len)
				_exit(1);
			if (write_all(io, fd, ring + o.pos, o.len,
			    o.off) == -1)
				a.error = errno;
			if (o.off + o.len + EXTEND / 4 > allocated) {
				child_extend(fd, allocated, EXTEND);
				allocated += EXTEND;
			}
		} while (++n < GROUP &&
		    next_order(sock, &o, MSG_DONTWAIT) > 0);
		/* Nobody reads it: there may be more to write all the same. */
		if (a.error == 0)
			(void)send(sock, &a, sizeof(a), MSG_NOSIGNAL);
		if (io->sync(fd) == -1)
			a.error = errno;
		a.synced = 1;
		(void)send(sock, &a, sizeof(a), MSG_NOSIGNAL);
	}
	_exit(0);
}

/* The child keeps two descriptors, under the numbers the filter allows. */
static void
confine(int sock, int fd)
{
	struct sandbox	 s;
	const int	 ignored[] = { SIGTERM, SIGINT, SIGHUP, SIGPIPE };
	size_t		 i;

	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		if (signal(ignored[i], SIG_IGN) == SIG_ERR)
			_exit(1);
	env_wipe_secrets();
	/* Out of each other's way first. */
	if ((sock = fcntl(sock, F_DUPFD, FILE_FD + 1)) == -1 ||
	    (fd = fcntl(fd, F_DUPFD, FILE_FD + 1)) == -1 ||
	    dup2(sock, SOCK_FD) == -1 || dup2(fd, FILE_FD) == -1)
		_exit(1);
	closefrom(FILE_FD + 1);
	sandbox_enter(SANDBOX_JOURNAL, NULL, &s);
}

int
journal_fork(struct journal *j, const struct journal_io *io)
{
	struct file	*f = j->file;
	int		 sv[2];
	void		*ring;
	const int	 room = ORDERS_ROOM;

	ring = mmap(NULL, RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED |
	    MAP_ANON, -1, 0);
	if (ring == MAP_FAILED)
		return -1;
	f->ring = ring;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		return -1;
	switch (f->pid = fork()) {
	case -1:
		close(sv[0]);
		close(sv[1]);
		return -1;
	case 0:
		confine(sv[1], f->fd);
		child_run(SOCK_FD, FILE_FD, f->ring, f->allocated,
		    io != NULL ? io : &journal_system);
	}
	close(sv[1]);
	f->sock = sv[0];
	/* As far as the system lets it: what finds no room is refused. */
	(void)setsockopt(f->sock, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (fcntl(f->sock, F_SETFL, O_NONBLOCK) == -1)
		return -1;
	return 0;
}
