/* Durations in bounded memory: percentiles with an error below 2 %. */
#ifndef IGRA_IA_HIST_H
#define IGRA_IA_HIST_H

#include <stdint.h>

#define IA_HIST_FINE	64	/* steps in each power of two */
#define IA_HIST_STEPS	(IA_HIST_FINE * 36)	/* up to 2^41 us */

struct ia_hist {
	uint64_t	 n, min, max;	/* us */
	uint32_t	*count;		/* IA_HIST_STEPS, made when needed */
};

/* 0, or -1 without memory. */
int		 ia_hist_add(struct ia_hist *, uint64_t us);
/* All of another one. */
int		 ia_hist_merge(struct ia_hist *, const struct ia_hist *);
/* The value that this share (percent) does not exceed, us; 0: none. */
uint64_t	 ia_hist_at(const struct ia_hist *, double percent);
void		 ia_hist_free(struct ia_hist *);

#endif
