#ifdef __linux__
#include <sys/timerfd.h>
#endif

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bootclock.h"
#include "log.h"

#ifdef CLOCK_BOOTTIME
#define BOOTCLOCK	CLOCK_BOOTTIME
#else
#define BOOTCLOCK	CLOCK_MONOTONIC
#endif

struct boottimer {
	int		 fd;		/* timerfd, or -1 */
	struct event	*ev;
	void		(*fn)(void *);
	void		*arg;
	int64_t		 when;
};

static int64_t	clock_ns(clockid_t);
static void	fired(int, short, void *);

static int64_t
clock_ns(clockid_t id)
{
	struct timespec	 ts;

	if (clock_gettime(id, &ts) == -1)
		fatal("clock_gettime");
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t
bootclock_now(void)
{
	return clock_ns(BOOTCLOCK);
}

uint64_t
monotonic_now(void)
{
	return (uint64_t)clock_ns(CLOCK_MONOTONIC);
}

struct boottimer *
boottimer_new(struct event_base *base, void (*fn)(void *), void *arg)
{
	struct boottimer	*t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->fn = fn;
	t->arg = arg;
	t->fd = -1;
#ifdef __linux__
	t->fd = timerfd_create(BOOTCLOCK, TFD_CLOEXEC | TFD_NONBLOCK);
	if (t->fd == -1) {
		free(t);
		return NULL;
	}
	t->ev = event_new(base, t->fd, EV_READ | EV_PERSIST, fired, t);
	if (t->ev != NULL && event_add(t->ev, NULL) == 0)
		return t;
#else
	if ((t->ev = event_new(base, -1, 0, fired, t)) != NULL)
		return t;
#endif
	boottimer_free(t);
	return NULL;
}

static void
fired(int fd, short what, void *arg)
{
	struct boottimer	*t = arg;
	uint64_t		 n;

	(void)what;
	if (fd != -1 && read(fd, &n, sizeof(n)) == -1)
		return;			/* set anew meanwhile */
	if (t->when == 0)
		return;
	if (bootclock_now() < t->when) {
		boottimer_set(t, t->when);
		return;
	}
	t->when = 0;
	t->fn(t->arg);
}

void
boottimer_set(struct boottimer *t, int64_t when)
{
	t->when = when;
#ifdef __linux__
	struct itimerspec	 its;

	memset(&its, 0, sizeof(its));
	its.it_value.tv_sec = when / NS_PER_S;
	its.it_value.tv_nsec = when % NS_PER_S;
	if (timerfd_settime(t->fd, TFD_TIMER_ABSTIME, &its, NULL) == -1)
		log_warn("timerfd_settime");
#else
	struct timeval		 tv;
	int64_t			 left = when - bootclock_now();

	event_del(t->ev);
	if (when == 0)
		return;
	if (left < 0)
		left = 0;
	tv.tv_sec = left / NS_PER_S;
	tv.tv_usec = left % NS_PER_S / 1000 + 1;
	event_add(t->ev, &tv);
#endif
}

void
boottimer_free(struct boottimer *t)
{
	if (t == NULL)
		return;
	if (t->ev != NULL)
		event_free(t->ev);
	if (t->fd != -1)
		close(t->fd);
	free(t);
}
