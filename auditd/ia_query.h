/* One line of the log on its way through a filter. */
#ifndef IGRA_IA_QUERY_H
#define IGRA_IA_QUERY_H

#include <stdint.h>

#include "auditd/ia_filter.h"
#include "auditd/ia_line.h"
#include "auditd/ia_output.h"

struct ia_bad {
	uint64_t	 n;	/* lines that are no records */
};

/*
 * Parses a line and asks the filter.  1: root (from the pool) and h hold what
 * was asked for; 0: it was not; -1: no record (counted, the first is told on
 * stderr).
 */
int	ia_query_line(const struct ia_filter *, const char *path,
	    const struct ia_line *, struct pool *, struct ia_head *,
	    const struct json **root, struct ia_bad *);
/* Says how many lines were no records; IA_OK or IA_BAD. */
int	ia_query_bad(const struct ia_bad *);

#endif
