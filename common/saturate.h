/* Sums and products that stop at UINT64_MAX instead of wrapping. */
#ifndef IGRA_SATURATE_H
#define IGRA_SATURATE_H

#include <stdint.h>

static inline uint64_t
sat_add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static inline uint64_t
sat_mul(uint64_t a, uint64_t b)
{
	return b != 0 && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

#endif
