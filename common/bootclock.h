/*
 * Time that a clock set by hand cannot move and that counts through suspend
 * (CLOCK_BOOTTIME), and one timer on it.
 */
#ifndef IGRA_BOOTCLOCK_H
#define IGRA_BOOTCLOCK_H

#include <stdint.h>

#include <event2/event.h>

#define NS_PER_S	INT64_C(1000000000)

/* Nanoseconds since boot. */
int64_t	bootclock_now(void);
/* CLOCK_MONOTONIC in nanoseconds: what AK_SINCE values are. */
uint64_t monotonic_now(void);

struct boottimer;
/* NULL when there is no memory or descriptor.  The timer starts unset. */
struct boottimer *boottimer_new(struct event_base *, void (*)(void *), void *);
/*
 * Fires once at that time (at once if it has passed); 0 unsets it.  Also
 * after a suspend that it slept through.
 */
void	boottimer_set(struct boottimer *, int64_t when_ns);
void	boottimer_free(struct boottimer *);

#endif
