/*
 * A document with some places changed: its source is copied between them,
 * never written anew, so that everything else comes back byte for byte.
 */
#ifndef IGRA_PSKT_SPLICE_H
#define IGRA_PSKT_SPLICE_H

#include "pskt.h"

struct splice {
	size_t		 at;		/* in doc->src */
	size_t		 skip;		/* bytes of the source that it replaces */
	size_t		 order;		/* among those at one place */
	size_t		 len;
	char		*text;
};

/*
 * The document with the n splices, which may not overlap, as one JSON value in
 * the form it came in, in memory of the pool.  Sorts them.  0, or -1 without
 * memory.
 */
int	 splice_apply(struct pool *, const struct pskt_doc *, struct splice *,
	    size_t n, struct bytes *out);
/* Where a further member of obj goes. */
size_t	 splice_tail(const struct json *obj);

#endif
