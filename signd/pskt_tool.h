/* The commands of igra-pskt. */
#ifndef IGRA_PSKT_TOOL_H
#define IGRA_PSKT_TOOL_H

#include <stdbool.h>
#include <stddef.h>

#include "pskt_inspect.h"

#define PT_MAX_FILE	(256U * 1024 * 1024)	/* bytes read of one */

/* What a command takes. */
#define PT_MANY		0x01	/* more than one document */
#define PT_NETWORK	0x02	/* a network and a redeem script */
#define PT_INSPECTS	0x04	/* a key, and a form of the answer */

struct pt;
struct pt_command {
	const char	*name;
	unsigned	 takes;
	int		(*run)(struct pt *, struct pool *);
};

/* One document, as it stands in a file. */
struct pt_text {
	const char	*name;		/* of the file, printable */
	char		*p;
	size_t		 len;
};

struct pt {
	const struct pt_command	*cmd;
	bool			 json;
	struct inspect_context	 ctx;
	struct pt_text		*text;
	size_t			 n;
	char			 err[1024];
};

/* By name; NULL: there is none. */
const struct pt_command *pt_find(const char *name);
/*
 * Runs the command on t->text and prints its result to standard output, with a
 * newline.  0, or -1 with the file and what is wrong in t->err, and nothing
 * printed.
 */
int	 pt_run(struct pt *);
/* {"error": …} on a line of its own. */
void	 pt_error_line(const struct pt *);

#endif
