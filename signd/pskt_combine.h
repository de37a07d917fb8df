/* The combiner: copies of one PSKT, each with something the others lack. */
#ifndef IGRA_PSKT_COMBINE_H
#define IGRA_PSKT_COMBINE_H

#include "pskt.h"

#define PSKT_MAX_COMBINE	100	/* documents at once */

/*
 * Combines 1 to PSKT_MAX_COMBINE documents, from left to right, by the rules
 * of KASPA.md, "Combine" (rusty-kaspa wallet/pskt: impl Add of Global, Input,
 * Output and PSKT).  All are single PSKTs, or all bundles of as many members,
 * which are combined in order.  *out is one JSON value, as pskt_emit writes
 * it, in the form of the first document and, but for what the others add,
 * byte for byte like it.  Two signatures of one key: the first that verifies
 * stays, and if none does, the first (at most 2,000 such signatures, or
 * PSKT_TOO_LARGE).  What comes out has been read again.
 * 0, or -1 with *e: where two documents differ, the path and which two.
 */
int	 pskt_combine(struct pool *, const struct pskt_doc *docs, size_t n,
	    struct bytes *out, struct pskt_error *e);

#endif
