/*
 * igra-audit: reads the audit log.  Everything in it may have been written by
 * somebody else than igra-auditd.
 */
#include <string.h>

#include <sodium.h>

#include "common/log.h"

#include "auditd/ia_cmd.h"

static const struct {
	const char	*name;
	int		(*run)(int, char **);
} commands[] = {
	{ "verify", ia_cmd_verify },
	{ "query", ia_cmd_query },
	{ "follow", ia_cmd_follow },
	{ "stats", ia_cmd_stats },
	{ "checkpoint", ia_cmd_checkpoint },
};

int
main(int argc, char **argv)
{
	size_t	 i;

	log_init("igra-audit", 0);
	if (sodium_init() == -1)
		fatalx("cannot initialise libsodium");
	for (i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return ia_flush(commands[i].run(argc - 1, argv + 1));
	if (argc == 2 && (strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "--help") == 0)) {
		ia_help(stdout);
		return ia_flush(0);
	}
	return ia_usage();
}
