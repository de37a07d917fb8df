/*
 * An audit record as its line of the log: one JSON object with a fixed order
 * of members (igra-audit-log(5)).  The typed record is proto/record.h.
 */
#ifndef IGRA_AUDITD_RECORD_H
#define IGRA_AUDITD_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/json.h"
#include "proto/record.h"

#include "auditd/chain.h"

struct line_clock {
	struct timespec	 real;		/* for the timestamp */
	uint64_t	 mono_ns;	/* CLOCK_MONOTONIC, for durations */
};

void	line_clock_now(struct line_clock *);

#define LINE_TIME	80	/* room for a timestamp */

/* RFC 3339 in UTC with nine decimals, as every line has it. */
void	line_timestamp(char out[LINE_TIME], const struct timespec *);

/*
 * Formats the line that follows after; its newline is the caller's to add,
 * and fits AUDIT_MAX_LINE.  Bytes of a text that are not UTF-8 become U+FFFD,
 * and so do DEL and the C1 controls, which would reach a terminal.
 *
 * A record that is too long for a line has its texts cut and its destinations
 * left out (destinations_omitted counts them), unless it is a successful
 * Signing: no signature is released on an incomplete record.
 *
 * Returns the text, which lives until json_out_free (the caller calls it in
 * any case), or NULL with errno EMSGSIZE (too long), EINVAL (malformed
 * destinations) or ENOMEM.
 */
const char	*line_format(struct json_out *, const struct audit_record *,
		    const struct chain *after, const struct line_clock *,
		    size_t *len);

#endif
