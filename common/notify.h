/*
 * Readiness and watchdog, told to a service manager that asks for them
 * (systemd, sd_notify(3)).  Where none does, nothing here does anything.
 */
#ifndef IGRA_NOTIFY_H
#define IGRA_NOTIFY_H

#include <event2/event.h>

/*
 * At the start, before a chroot or sandbox: connects to $NOTIFY_SOCKET and
 * takes $WATCHDOG_USEC.  Both variables are gone afterwards.  From then on
 * only write(2) on that descriptor is needed.
 */
void	notify_open(void);
/*
 * The sockets are served from now on.  Keeps the watchdog quiet as long as
 * the event loop turns.  0, or -1 without memory.
 */
int	notify_ready(struct event_base *);
/* The daemon is about to stop. */
void	notify_stopping(void);

#endif
