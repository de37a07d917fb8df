/* As in OpenBSD, without what igra-auditd does not watch: kqueue(2). */
#ifndef IGRA_PORT_SYS_EVENT_H
#define IGRA_PORT_SYS_EVENT_H

#include <sys/types.h>

#include <stdint.h>
#include <time.h>

#define EVFILT_VNODE	(-4)

#define EV_ADD		0x0001
#define EV_CLEAR	0x0020

#define NOTE_DELETE	0x0001
#define NOTE_WRITE	0x0002
#define NOTE_EXTEND	0x0004
#define NOTE_ATTRIB	0x0008
#define NOTE_LINK	0x0010
#define NOTE_RENAME	0x0020
#define NOTE_REVOKE	0x0040

struct kevent {
	uintptr_t	 ident;
	short		 filter;
	unsigned short	 flags;
	unsigned	 fflags;
	int64_t		 data;
	void		*udata;
};

#define EV_SET(k, a, b, c, d, e, f) do {	\
	struct kevent	*k_ = (k);		\
	k_->ident = (uintptr_t)(a);		\
	k_->filter = (b);			\
	k_->flags = (c);			\
	k_->fflags = (d);			\
	k_->data = (e);				\
	k_->udata = (f);			\
} while (0)

int	 kqueue(void);
int	 kevent(int, const struct kevent *, int, struct kevent *, int,
	    const struct timespec *);

#endif
