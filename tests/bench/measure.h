/* What the bench programs share. */
#ifndef IGRA_MEASURE_H
#define IGRA_MEASURE_H

#include <stdlib.h>
#include <time.h>

/* Of a clock that nobody sets. */
static inline double
now_us(void)
{
	struct timespec	 ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* The same in seconds. */
static inline double
now(void)
{
	return now_us() / 1e6;
}

/* Of doubles, for qsort(3). */
static inline int
by_value(const void *a, const void *b)
{
	double	 x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

#endif
