/* igractl: the operator's hand on a running signer. */
#include <sys/types.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "log.h"
#include "messages.h"
#include "unlock_client.h"
#include "validate.h"

#define EXIT_USAGE	2

struct options {
	const char		*file, *network, *profile;
	struct unlock_source	 source;
	bool			 json;
	const char		*reason;
	const char		*argument;	/* NULL: none */
};

/* Whether a command takes an argument. */
enum argument { ARG_NONE, ARG_MAY, ARG_MUST };

struct command {
	const char	*name, *sub;	/* one word or two */
	bool		 secret;	/* takes --passphrase-file, -fd */
	bool		 json;		/* takes -j */
	int		(*run)(struct options *);
	enum argument	 argument;
	bool		 reason;	/* takes --reason */
};

static int	cmd_unlock(struct options *);
static int	cmd_lock(struct options *);
static int	cmd_status(struct options *);
static int	cmd_audit_rotate(struct options *);
static int	cmd_reload(struct options *);
static int	cmd_audit_reopen(struct options *);
static int	cmd_policy_show(struct options *);
static int	cmd_policy_release(struct options *);
static int	cmd_policy_clock(struct options *);
static int	cmd_policy_rollback(struct options *);
static bool	outpoint_of(const struct options *, struct outpoint *);
static const struct command *find_command(int, char **, int *);
static void	usage(FILE *, int) __attribute__((noreturn));
static void	parse_options(int, char **, struct options *,
		    const struct command *);
static void	parse_arguments(int, char **, struct options *,
		    const struct command *);
static int	read_conf(struct ctl *, struct options *, unsigned);
static void	print_note(const char *, void *);

static const struct command commands[] = {
	{ "unlock", NULL, true, false, cmd_unlock, ARG_NONE, false },
	{ "lock", NULL, false, false, cmd_lock, ARG_NONE, false },
	{ "status", NULL, false, true, cmd_status, ARG_NONE, false },
	{ "reload", NULL, false, false, cmd_reload, ARG_NONE, false },
	{ "policy", "show", false, true, cmd_policy_show, ARG_MAY, false },
	{ "policy", "release", false, false, cmd_policy_release, ARG_MUST,
	    true },
	{ "policy", "accept-clock", false, false, cmd_policy_clock, ARG_NONE,
	    false },
	{ "policy", "accept-rollback", false, false, cmd_policy_rollback,
	    ARG_NONE, false },
	{ "audit", "rotate", false, false, cmd_audit_rotate, ARG_NONE, false },
	{ "audit", "reopen", false, false, cmd_audit_reopen, ARG_NONE, false },
};

static void
usage(FILE *f, int status)
{
	fputs("usage: igractl [-h] [-f file] [--network name] "
	    "[--profile name] command\n"
	    "       igractl unlock [--passphrase-file file | "
	    "--passphrase-fd n]\n"
	    "       igractl lock\n"
	    "       igractl status [-j]\n"
	    "       igractl reload\n"
	    "       igractl policy show [-j] [outpoint]\n"
	    "       igractl policy release outpoint --reason text\n"
	    "       igractl policy accept-clock | accept-rollback\n"
	    "       igractl audit rotate | reopen\n", f);
	exit(status);
}

/*
 * Options may stand before and after the command.  command NULL: those before
 * it, where the rest are not known yet.
 */
static void
parse_options(int argc, char **argv, struct options *o,
    const struct command *command)
{
	static const struct option	 longopts[] = {
		{ "network", required_argument, NULL, 'N' },
		{ "profile", required_argument, NULL, 'P' },
		{ "passphrase-file", required_argument, NULL, 'F' },
		{ "passphrase-fd", required_argument, NULL, 'D' },
		{ "reason", required_argument, NULL, 'R' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	const char			*errstr;
	int				 ch;

	while ((ch = getopt_long(argc, argv, "+f:hj", longopts, NULL)) != -1) {
		switch (ch) {
		case 'f':
			o->file = optarg;
			break;
		case 'N':
			o->network = optarg;
			break;
		case 'P':
			o->profile = optarg;
			break;
		case 'h':
			usage(stdout, 0);
		case 'j':
			if (command == NULL || !command->json)
				usage(stderr, EXIT_USAGE);
			o->json = true;
			break;
		case 'R':
			if (command == NULL || !command->reason)
				usage(stderr, EXIT_USAGE);
			o->reason = optarg;
			break;
		case 'F':
			if (command == NULL || !command->secret)
				usage(stderr, EXIT_USAGE);
			o->source.file = optarg;
			break;
		case 'D':
			if (command == NULL || !command->secret)
				usage(stderr, EXIT_USAGE);
			o->source.fd = (int)strtonum(optarg, 0, 65535,
			    &errstr);
			if (errstr != NULL) {
				log_warnx("--passphrase-fd %s: %s", optarg,
				    errstr);
				exit(EXIT_USAGE);
			}
			break;
		default:
			usage(stderr, EXIT_USAGE);
		}
	}
	if (o->source.file != NULL && o->source.fd != -1)
		usage(stderr, EXIT_USAGE);
}

static int
read_conf(struct ctl *ctl, struct options *o, unsigned flags)
{
	char	 err[CTL_ERR];

	if (ctl_conf(ctl, o->file, o->network, o->profile, flags, err,
	    sizeof(err)) == -1) {
		log_warnx("%s", err);
		return -1;
	}
	/* Only now the network is known, whose rules they are. */
	if (unlock_source_environment(&o->source, ctl->conf->network) == -1) {
		ctl_free(ctl);
		return -1;
	}
	env_wipe_secrets();
	return 0;
}

static void
print_note(const char *text, void *arg)
{
	(void)arg;
	log_info("%s", text);
}

static bool
ask_clock(enum proto_clock clock, uint64_t gap, void *arg)
{
	(void)arg;
	log_info("%s: nothing leaves the limits of [policy] until the clock "
	    "is accepted.  It is %s", clock == PROTO_CLOCK_REBOOT ?
	    "this machine has been started anew" :
	    "the clock was set by more than 5 minutes", ctl_clock(gap));
	return ctl_ask_yes("Is that right? Type yes to accept the clock: ") ==
	    0;
}

static int
cmd_unlock(struct options *o)
{
	struct unlock_client	 u;
	struct ctl		 ctl;
	char			 err[UNLOCK_ERR];
	enum unlock_result	 res;

	if (read_conf(&ctl, o, CTL_NEED) == -1)
		return UNLOCK_FAILED;
	memset(&u, 0, sizeof(u));
	u.conf = ctl.conf;
	u.keyd_uid = ctl.roles.uid[ROLE_KEYD];
	u.source = &o->source;
	u.note = print_note;
	u.ask_clock = ask_clock;
	res = unlock_client(&u, err, sizeof(err));
	if (res == UNLOCK_OK)
		puts("unlocked");
	else
		log_warnx("%s", err);
	ctl_free(&ctl);
	return (int)res;
}

static int
cmd_lock(struct options *o)
{
	struct ctl		 ctl;
	char			 err[UNLOCK_ERR];
	enum unlock_result	 res;

	if (read_conf(&ctl, o, 0) == -1)
		return UNLOCK_FAILED;
	res = keyd_command(ctl.conf, ctl.roles.uid[ROLE_KEYD], MSG_LOCK, err,
	    sizeof(err));
	if (res == UNLOCK_OK)
		puts("locked");
	else
		log_warnx("%s", err);
	ctl_free(&ctl);
	return (int)res;
}

static int
cmd_status(struct options *o)
{
	struct ctl	 ctl;
	int		 ret;

	if (read_conf(&ctl, o, 0) == -1)
		return 1;
	ret = ctl_status(&ctl, o->json);
	ctl_free(&ctl);
	return ret;
}

static int
cmd_audit_rotate(struct options *o)
{
	struct ctl	 ctl;
	int		 ret;

	if (read_conf(&ctl, o, 0) == -1)
		return 1;
	ret = ctl_audit_rotate(&ctl);
	ctl_free(&ctl);
	return ret;
}

static int
cmd_audit_reopen(struct options *o)
{
	struct ctl	 ctl;
	int		 ret;

	if (read_conf(&ctl, o, 0) == -1)
		return 1;
	ret = ctl_audit_reopen(&ctl);
	ctl_free(&ctl);
	return ret;
}

/* words: how many of the arguments name it. */
static const struct command *
find_command(int argc, char **argv, int *words)
{
	const struct command	*c;
	size_t			 i;

	for (i = 0; argc > 0 && i < sizeof(commands) / sizeof(*commands); i++) {
		c = &commands[i];
		*words = c->sub == NULL ? 1 : 2;
		if (argc >= *words && strcmp(argv[0], c->name) == 0 &&
		    (c->sub == NULL || strcmp(argv[1], c->sub) == 0))
			return c;
	}
	return NULL;
}

static int
cmd_reload(struct options *o)
{
	struct ctl	 ctl;
	char		 err[CTL_ERR];
	int		 ret;

	if (read_conf(&ctl, o, CTL_NEED) == -1)
		return 1;
	ret = ctl_reload(&ctl, o->profile, err, sizeof(err));
	if (ret == 0)
		puts("reloaded");
	else
		log_warnx("%s", err);
	ctl_free(&ctl);
	return ret;
}

static bool
outpoint_of(const struct options *o, struct outpoint *outpoint)
{
	if (ctl_outpoint(o->argument, outpoint) == 0)
		return true;
	log_warnx("%s: no outpoint; write the transaction's id, a colon and "
	    "the index", o->argument);
	return false;
}

static int
cmd_policy_show(struct options *o)
{
	struct outpoint	 outpoint;
	struct ctl	 ctl;
	int		 ret;

	if (o->argument != NULL && !outpoint_of(o, &outpoint))
		return EXIT_USAGE;
	if (read_conf(&ctl, o, 0) == -1)
		return 1;
	ret = ctl_policy_show(&ctl, o->argument == NULL ? NULL : &outpoint,
	    o->json);
	ctl_free(&ctl);
	return ret;
}

static int
cmd_policy_release(struct options *o)
{
	struct outpoint	 outpoint;
	struct ctl	 ctl;
	int		 ret;

	if (!outpoint_of(o, &outpoint))
		return EXIT_USAGE;
	if (o->reason == NULL)
		usage(stderr, EXIT_USAGE);
	if (read_conf(&ctl, o, 0) == -1)
		return 1;
	ret = ctl_policy_release(&ctl, &outpoint, o->reason);
	ctl_free(&ctl);
	return ret;
}

static int
cmd_policy_clock(struct options *o)
{
	struct ctl	 ctl;
	int		 ret;

	if (read_conf(&ctl, o, 0) == -1)
		return 1;
	ret = ctl_policy_accept_clock(&ctl);
	ctl_free(&ctl);
	return ret;
}

static int
cmd_policy_rollback(struct options *o)
{
	struct ctl	 ctl;
	int		 ret;

	if (read_conf(&ctl, o, 0) == -1)
		return 1;
	ret = ctl_policy_accept_rollback(&ctl);
	ctl_free(&ctl);
	return ret;
}

/* Options before and after the command's argument. */
static void
parse_arguments(int argc, char **argv, struct options *o,
    const struct command *c)
{
	optind = 1;
	parse_options(argc, argv, o, c);
	if (optind < argc && c->argument != ARG_NONE) {
		o->argument = argv[optind];
		argc -= optind;
		argv += optind;
		optind = 1;
		parse_options(argc, argv, o, c);
	}
	if (optind != argc || (c->argument == ARG_MUST && o->argument == NULL))
		usage(stderr, EXIT_USAGE);
}

int
main(int argc, char **argv)
{
	const struct command	*c;
	struct options		 o;
	int			 ret, words = 0;

	log_init("igractl", 0);
	readpass_init();
	memset(&o, 0, sizeof(o));
	unlock_source_init(&o.source);
	parse_options(argc, argv, &o, NULL);
	argc -= optind;
	argv += optind;
	if ((c = find_command(argc, argv, &words)) == NULL) {
		if (argc > 0)
			log_warnx("%s: no such command", argv[0]);
		usage(stderr, EXIT_USAGE);
	}
	argc -= words - 1;
	argv += words - 1;
	parse_arguments(argc, argv, &o, c);
	ret = c->run(&o);
	unlock_source_free(&o.source);
	if (fflush(stdout) == EOF)
		ret = ret == 0 ? 1 : ret;
	return ret;
}
