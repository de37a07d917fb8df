#if defined(__OpenBSD__) || defined(__FreeBSD__) || defined(__NetBSD__)
#include <sys/types.h>
#include <sys/event.h>
#include <sys/time.h>

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "auditd/watch.h"

#define PAUSE_US	100000
#define EVENTS		(NOTE_DELETE | NOTE_WRITE | NOTE_EXTEND | \
			NOTE_ATTRIB | NOTE_LINK | NOTE_RENAME | NOTE_REVOKE)

/* A queue of its own: its descriptor is readable for libevent's. */
struct watch {
	struct event	*ev;
	struct event	*resume;
	int		 kq, dirfd;
	bool		 moved;
	watch_cb	 cb;
	void		*arg;
};

static int	 add(struct watch *, int);
static void	 on_event(int, short, void *);
static void	 on_resume(int, short, void *);

static int
add(struct watch *w, int fd)
{
	struct kevent	 kev;

	EV_SET(&kev, fd, EVFILT_VNODE, EV_ADD | EV_CLEAR, EVENTS, 0, 0);
	return kevent(w->kq, &kev, 1, NULL, 0, NULL);
}

static void
on_event(int fd, short what, void *arg)
{
	struct timespec	 none = { 0, 0 };
	struct timeval	 tv = { 0, PAUSE_US };
	struct kevent	 kev[8];
	struct watch	*w = arg;
	int		 i, n;

	(void)what;
	while ((n = kevent(fd, NULL, 0, kev, 8, &none)) > 0)
		for (i = 0; i < n; i++)
			if (kev[i].ident == (uintptr_t)w->dirfd &&
			    (kev[i].fflags & (NOTE_RENAME | NOTE_DELETE)) != 0)
				w->moved = true;
	event_del(w->ev);
	event_add(w->resume, &tv);
	w->cb(w->arg);
}

static void
on_resume(int fd, short what, void *arg)
{
	struct watch	*w = arg;

	(void)fd;
	(void)what;
	event_add(w->ev, NULL);
}

struct watch *
watch_new(struct event_base *base, const char *dir, int dirfd, watch_cb cb,
    void *arg)
{
	struct watch	*w;

	(void)dir;
	if ((w = calloc(1, sizeof(*w))) == NULL)
		return NULL;
	w->cb = cb;
	w->arg = arg;
	w->dirfd = dirfd;
	if ((w->kq = kqueue()) == -1 || add(w, dirfd) == -1)
		goto fail;
	w->ev = event_new(base, w->kq, EV_READ | EV_PERSIST, on_event, w);
	w->resume = evtimer_new(base, on_resume, w);
	if (w->ev == NULL || w->resume == NULL ||
	    event_add(w->ev, NULL) == -1)
		goto fail;
	return w;
fail:
	watch_free(w);
	return NULL;
}

/* The old file's descriptor leaves the queue when it is closed. */
void
watch_file(struct watch *w, const char *name, int fd)
{
	(void)name;
	(void)add(w, fd);
}

bool
watch_moved(const struct watch *w)
{
	return w->moved;
}

void
watch_forget(struct watch *w)
{
	w->moved = false;
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	if (w->ev != NULL)
		event_free(w->ev);
	if (w->resume != NULL)
		event_free(w->resume);
	if (w->kq != -1)
		close(w->kq);
	free(w);
}

#else
typedef int	 watch_kqueue_unused;
#endif
