#ifdef __linux__
#include <sys/inotify.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auditd/watch.h"

#define PAUSE_US	100000

/*
 * The directory reports what happens to its files, own writes included; while
 * it is paused they cost nothing.  Of a name elsewhere only the file knows.
 */
#define EVENTS	(IN_ATTRIB | IN_MODIFY | IN_CREATE | IN_DELETE | \
		IN_DELETE_SELF | IN_MOVED_FROM | IN_MOVED_TO | IN_MOVE_SELF)

struct watch {
	struct event	*ev;		/* readable */
	struct event	*resume;
	int		 fd;
	int		 own, file;	/* watch descriptors, or -1 */
	bool		 moved;
	char		 dir[PATH_MAX];
	watch_cb	 cb;
	void		*arg;
};

static void	 drain(struct watch *);
static void	 on_event(int, short, void *);
static void	 on_resume(int, short, void *);

/* Of what has happened only the end of the directory's name is not seen later. */
static void
drain(struct watch *w)
{
	struct inotify_event	 ev;
	char			 buf[4096];
	ssize_t			 n, at;

	while ((n = read(w->fd, buf, sizeof(buf))) > 0)
		for (at = 0; at + (ssize_t)sizeof(ev) <= n;
		    at += (ssize_t)sizeof(ev) + (ssize_t)ev.len) {
			memcpy(&ev, buf + at, sizeof(ev));
			if (ev.wd == w->own &&
			    (ev.mask & (IN_MOVE_SELF | IN_DELETE_SELF)) != 0)
				w->moved = true;
		}
}

/* At once, then once more for what came during the pause. */
static void
on_event(int fd, short what, void *arg)
{
	struct timeval	 tv = { 0, PAUSE_US };
	struct watch	*w = arg;

	(void)fd;
	(void)what;
	drain(w);
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

	(void)dirfd;
	if ((w = calloc(1, sizeof(*w))) == NULL)
		return NULL;
	w->file = -1;
	(void)strlcpy(w->dir, dir, sizeof(w->dir));
	w->cb = cb;
	w->arg = arg;
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd == -1 ||
	    (w->own = inotify_add_watch(w->fd, dir, EVENTS)) == -1)
		goto fail;
	w->ev = event_new(base, w->fd, EV_READ | EV_PERSIST, on_event, w);
	w->resume = evtimer_new(base, on_resume, w);
	if (w->ev == NULL || w->resume == NULL ||
	    event_add(w->ev, NULL) == -1)
		goto fail;
	return w;
fail:
	watch_free(w);
	return NULL;
}

/* One that was deleted has lost its watch already. */
void
watch_file(struct watch *w, const char *name, int fd)
{
	char	 path[PATH_MAX + NAME_MAX + 2];
	int	 old = w->file;

	(void)fd;
	(void)snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	w->file = inotify_add_watch(w->fd, path, IN_ATTRIB);
	if (old != -1 && old != w->file)
		(void)inotify_rm_watch(w->fd, old);
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
	if (w->fd != -1)
		close(w->fd);
	free(w);
}

#else
typedef int	 watch_inotify_unused;
#endif
