/* Which records are asked for. */
#ifndef IGRA_IA_FILTER_H
#define IGRA_IA_FILTER_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json.h"

#include "auditd/ia_line.h"

#define IA_EVENTS_MAX	32

struct ia_filter {
	char		 since[IA_TIME + 1];	/* "": from the beginning */
	char		 until[IA_TIME + 1];	/* not with it; "": to the end */
	uint64_t	 seq_first, seq_last;	/* 0: all */
	const char	*event[IA_EVENTS_MAX];
	size_t		 nevents;
	const char	*key;			/* key_ref or secret_name */
	const char	*result;
	const char	*request_id;
	const char	*tx_id;
};

enum {
	IA_O_SINCE = 512, IA_O_UNTIL, IA_O_SEQ, IA_O_EVENT, IA_O_KEY,
	IA_O_RESULT, IA_O_REQUEST, IA_O_TX
};

/* For a getopt_long table. */
#define IA_FILTER_OPTIONS \
	{ "since", required_argument, NULL, IA_O_SINCE }, \
	{ "until", required_argument, NULL, IA_O_UNTIL }, \
	{ "seq", required_argument, NULL, IA_O_SEQ }, \
	{ "event", required_argument, NULL, IA_O_EVENT }, \
	{ "key", required_argument, NULL, IA_O_KEY }, \
	{ "result", required_argument, NULL, IA_O_RESULT }, \
	{ "request-id", required_argument, NULL, IA_O_REQUEST }, \
	{ "tx", required_argument, NULL, IA_O_TX }

/*
 * Takes one of these options.  IA_OK, IA_USAGE with the reason on stderr, or
 * -1: it is another.
 */
int	ia_filter_option(struct ia_filter *, int opt, const char *arg);
/* By what stands at the fixed places of a line ... */
bool	ia_filter_head(const struct ia_filter *, const struct ia_head *);
/* ... by whether the texts asked for are in it at all ... */
bool	ia_filter_text(const struct ia_filter *, const char *, size_t);
/* ... and by its members. */
bool	ia_filter_json(const struct ia_filter *, const struct json *);

/*
 * A time as a timestamp of the log: 2026-11-24, 2026-11-24T08:26[:41[.123]]
 * with or without Z (all UTC), or 90s, 30m, 24h, 7d ago.  0 or -1.
 */
int	ia_time_parse(const char *, char out[IA_TIME + 1]);

#endif
