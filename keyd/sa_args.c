/* The command line of secrets-admin, in both spellings. */
#include <sys/types.h>

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kdf.h"
#include "log.h"
#include "names.h"
#include "sa.h"
#include "validate.h"

enum opt {
	O_HELP,
	O_NETWORK,
	O_CONFIG,
	O_PATH,
	O_SECRETS_FILE,
	O_PASSPHRASE,
	O_PASSPHRASE_FILE,
	O_PASSPHRASE_FD,
	O_OLD,
	O_OLD_FILE,
	O_OLD_FD,
	O_NEW,
	O_NEW_FILE,
	O_NEW_FD,
	O_HEX,
	O_BASE64,
	O_RAW,
	O_STDIN,
	O_VALUE_FILE,
	O_VALUE_FD,
	O_PHRASE,
	O_UNSAFE_PRINT,
	O_ENCODING,
	O_PROFILE,
	O_DERIVATION_PATH,
	O_KEY_TYPE,
	O_ARGON2,
	O_MAX
};
#define	BIT(o)	((uint64_t)1 << (o))

/* val is the option's number, above any character. */
#define	OPT(name, arg, o)	{ name, arg, NULL, 256 + (o) }
static const struct option	 longopts[] = {
	OPT("help",			no_argument,		O_HELP),
	OPT("network",			required_argument,	O_NETWORK),
	OPT("config",			required_argument,	O_CONFIG),
	OPT("path",			required_argument,	O_PATH),
	OPT("secrets-file",		required_argument,	O_SECRETS_FILE),
	OPT("passphrase",		required_argument,	O_PASSPHRASE),
	OPT("passphrase-file",		required_argument,	O_PASSPHRASE_FILE),
	OPT("passphrase-fd",		required_argument,	O_PASSPHRASE_FD),
	OPT("old-passphrase",		required_argument,	O_OLD),
	OPT("old-passphrase-file",	required_argument,	O_OLD_FILE),
	OPT("old-passphrase-fd",	required_argument,	O_OLD_FD),
	OPT("new-passphrase",		required_argument,	O_NEW),
	OPT("new-passphrase-file",	required_argument,	O_NEW_FILE),
	OPT("new-passphrase-fd",	required_argument,	O_NEW_FD),
	OPT("hex",			no_argument,		O_HEX),
	OPT("base64",			no_argument,		O_BASE64),
	OPT("raw",			no_argument,		O_RAW),
	OPT("stdin",			no_argument,		O_STDIN),
	OPT("value-file",		required_argument,	O_VALUE_FILE),
	OPT("value-fd",			required_argument,	O_VALUE_FD),
	OPT("phrase",			required_argument,	O_PHRASE),
	OPT("unsafe-print",		no_argument,		O_UNSAFE_PRINT),
	OPT("encoding",			required_argument,	O_ENCODING),
	OPT("profile",			required_argument,	O_PROFILE),
	OPT("derivation-path",		required_argument,	O_DERIVATION_PATH),
	OPT("key-type",			required_argument,	O_KEY_TYPE),
	OPT("argon2",			required_argument,	O_ARGON2),
	{ NULL, 0, NULL, 0 }
};

#define	ALWAYS	(BIT(O_HELP) | BIT(O_NETWORK) | BIT(O_CONFIG) | BIT(O_PATH) | \
		BIT(O_SECRETS_FILE) | BIT(O_PASSPHRASE) | \
		BIT(O_PASSPHRASE_FILE) | BIT(O_PASSPHRASE_FD))
#define	SECRET	(BIT(O_PASSPHRASE) | BIT(O_OLD) | BIT(O_NEW) | BIT(O_PHRASE))

static const struct sa_command	 commands[] = {
	{ "init",	BIT(O_ARGON2), sa_init },
	{ "list",	0, sa_list },
	{ "get",	BIT(O_UNSAFE_PRINT) | BIT(O_ENCODING), sa_get },
	{ "set",	BIT(O_HEX) | BIT(O_BASE64) | BIT(O_RAW) |
	    BIT(O_STDIN) | BIT(O_VALUE_FILE) | BIT(O_VALUE_FD) |
	    BIT(O_ARGON2), sa_set },
	{ "remove",	0, sa_remove },
	{ "import-mnemonic", BIT(O_PROFILE) | BIT(O_STDIN) | BIT(O_PHRASE) |
	    BIT(O_VALUE_FILE) | BIT(O_VALUE_FD) | BIT(O_ARGON2), sa_import },
	{ "encrypt-mnemonic", BIT(O_PROFILE) | BIT(O_STDIN) | BIT(O_PHRASE) |
	    BIT(O_VALUE_FILE) | BIT(O_VALUE_FD), sa_encrypt },
	{ "verify-mnemonic", BIT(O_PROFILE), sa_verify },
	{ "pubkey",	BIT(O_PROFILE) | BIT(O_DERIVATION_PATH) |
	    BIT(O_KEY_TYPE), sa_pubkey },
	{ "xpub",	BIT(O_PROFILE) | BIT(O_DERIVATION_PATH) |
	    BIT(O_KEY_TYPE), sa_xpub },
	{ "rename-profile", 0, sa_rename },
	{ "rotate-passphrase", BIT(O_OLD) | BIT(O_OLD_FILE) | BIT(O_OLD_FD) |
	    BIT(O_NEW) | BIT(O_NEW_FILE) | BIT(O_NEW_FD) | BIT(O_ARGON2),
	    sa_rotate },
	{ "info",	0, sa_info },
	{ "check-passphrase", BIT(O_PROFILE), sa_check }
};
#define	NCOMMANDS	(sizeof(commands) / sizeof(commands[0]))

_Static_assert(O_MAX <= SA_MAX_OPTIONS, "sa.given is too small");

static int	usage(const char *, ...) __attribute__((format(printf, 1, 2)));
static int	set_source(struct sa *, struct sa_source *, enum opt, char *,
		    const char *);
static int	set_option(struct sa *, enum opt, char *);
static int	set_encoding(struct sa *, const char *);
static int	set_argon2(struct sa *, const char *);
static int	find_command(struct sa *, const char *);
static int	options_fit(const struct sa *);
static int	use_file(struct sa *, const char *);
static int	positionals(struct sa *, int, char **);
static int	pos_name(struct sa *, int, char **);
static int	pos_set(struct sa *, int, char **);
static int	find_network(struct sa *);
static int	environment(struct sa *);
static int	command_line_secrets(struct sa *);

/* Says what is wrong; SA_USAGE. */
static int
usage(const char *fmt, ...)
{
	char	 msg[512];
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	log_warnx("%s", msg);
	(void)fprintf(stderr, "Try secrets-admin --help, or "
	    "secrets-admin(1).\n");
	return SA_USAGE;
}

static int
set_source(struct sa *sa, struct sa_source *s, enum opt o, char *arg,
    const char *what)
{
	const char	*errstr;

	(void)sa;
	if (s->has_arg || s->file != NULL || s->fd != -1) {
		if (SECRET & BIT(o))
			explicit_bzero(arg, strlen(arg));
		return usage("%s is given more than once", what);
	}
	switch (o) {
	case O_PASSPHRASE:
	case O_OLD:
	case O_NEW:
	case O_PHRASE:
		s->has_arg = true;
		if (secret_take_arg(&s->arg, arg) == -1) {
			log_warnx("out of memory");
			return SA_FAIL;
		}
		return SA_OK;
	case O_PASSPHRASE_FILE:
	case O_OLD_FILE:
	case O_NEW_FILE:
	case O_VALUE_FILE:
		s->file = arg;
		return SA_OK;
	default:
		s->fd = (int)strtonum(arg, 0, INT_MAX, &errstr);
		if (errstr != NULL)
			return usage("\"%s\" is no file descriptor", arg);
		return SA_OK;
	}
}

static int
set_encoding(struct sa *sa, const char *arg)
{
	if (strcasecmp(arg, "hex") == 0)
		sa->out = SA_HEX;
	else if (strcasecmp(arg, "utf8") == 0)
		sa->out = SA_TEXT;
	else if (strcasecmp(arg, "base64") == 0)
		sa->out = SA_BASE64;
	else
		return usage("--encoding is hex, utf8 or base64");
	return SA_OK;
}

/* "m,t,p": KiB, passes, lanes. */
static int
set_argon2(struct sa *sa, const char *arg)
{
	const char	*errstr = NULL;
	char		 buf[64], *f, *rest = buf;
	uint32_t	 v[3];
	int		 n;

	if (strlcpy(buf, arg, sizeof(buf)) >= sizeof(buf))
		return usage("--argon2 takes m,t,p");
	for (n = 0; (f = strsep(&rest, ",")) != NULL; n++) {
		if (n == 3)
			return usage("--argon2 takes m,t,p");
		v[n] = (uint32_t)strtonum(f, 0, UINT32_MAX, &errstr);
		if (errstr != NULL)
			return usage("--argon2 takes m,t,p: \"%s\" is %s", f,
			    errstr);
	}
	if (n != 3)
		return usage("--argon2 takes m,t,p");
	if (kdf_check(v[0], v[1], v[2], &errstr) == -1)
		return usage("--argon2: %s", errstr);
	sa->argon2 = true;
	sa->m = v[0];
	sa->t = v[1];
	sa->p = v[2];
	return SA_OK;
}

static int
set_option(struct sa *sa, enum opt o, char *arg)
{
	switch (o) {
	case O_NETWORK:
		sa->network = arg;
		if (kaspa_network_parse(arg, &sa->net) == -1)
			return usage("--network is mainnet, testnet, devnet or "
			    "simnet");
		return SA_OK;
	case O_CONFIG:
		sa->config = arg;
		return SA_OK;
	case O_PATH:
	case O_SECRETS_FILE:
		if (sa->path_given)
			return usage("the secrets file is given twice");
		sa->path_given = true;
		sa->path = arg;
		return SA_OK;
	case O_PASSPHRASE:
	case O_PASSPHRASE_FILE:
	case O_PASSPHRASE_FD:
		return set_source(sa, &sa->pass, o, arg, "the passphrase");
	case O_OLD:
	case O_OLD_FILE:
	case O_OLD_FD:
		return set_source(sa, &sa->oldpass, o, arg,
		    "the old passphrase");
	case O_NEW:
	case O_NEW_FILE:
	case O_NEW_FD:
		return set_source(sa, &sa->newpass, o, arg,
		    "the new passphrase");
	case O_PHRASE:
	case O_VALUE_FILE:
	case O_VALUE_FD:
		return set_source(sa, &sa->value, o, arg, "the value");
	case O_HEX:
	case O_BASE64:
	case O_RAW:
		if (sa->in != SA_TEXT)
			return usage("only one of --hex, --base64 and --raw");
		sa->in = o == O_HEX ? SA_HEX : o == O_BASE64 ? SA_BASE64 :
		    SA_RAW;
		return SA_OK;
	case O_STDIN:
		sa->use_stdin = true;
		return SA_OK;
	case O_UNSAFE_PRINT:
		sa->unsafe_print = true;
		return SA_OK;
	case O_ENCODING:
		return set_encoding(sa, arg);
	case O_PROFILE:
		sa->profile = arg;
		return SA_OK;
	case O_DERIVATION_PATH:
		sa->derivation_path = arg;
		return SA_OK;
	case O_KEY_TYPE:
		sa->key_type = arg;
		return SA_OK;
	case O_ARGON2:
		return set_argon2(sa, arg);
	case O_HELP:
	case O_MAX:
		break;
	}
	return SA_OK;
}

static int
find_command(struct sa *sa, const char *name)
{
	size_t	 i;

	for (i = 0; i < NCOMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0) {
			sa->cmd = &commands[i];
			return SA_OK;
		}
	return usage("there is no command \"%s\"", name);
}

static int
options_fit(const struct sa *sa)
{
	int	 o;

	for (o = 0; o < O_MAX; o++)
		if ((sa->seen & BIT(o)) != 0 &&
		    ((ALWAYS | sa->cmd->options) & BIT(o)) == 0)
			return usage("%s does not take --%s", sa->cmd->name,
			    longopts[o].name);
	/* A phrase for the config is the active profile's. */
	if ((sa->cmd->options & BIT(O_PROFILE)) != 0 && sa->profile == NULL &&
	    sa->cmd->run != sa_encrypt && sa->cmd->run != sa_check)
		return usage("%s needs --profile signer-XX", sa->cmd->name);
	if (sa->profile != NULL && !profile_valid(sa->profile))
		return usage("a profile is signer-01 to signer-99");
	if (sa->use_stdin && (sa->value.has_arg || sa->value.file != NULL ||
	    sa->value.fd != -1))
		return usage("the value is given more than once");
	return SA_OK;
}

static int
use_file(struct sa *sa, const char *path)
{
	if (sa->path_given)
		return usage("the secrets file is given twice, as --path and "
		    "as \"%s\"", path);
	sa->path = path;
	sa->path_given = sa->file_form = true;
	return SA_OK;
}

/* get, remove: NAME, FILE NAME, FILE PASSPHRASE NAME. */
static int
pos_name(struct sa *sa, int n, char **v)
{
	int	 r;

	if (n < 1 || n > 3)
		return usage("%s takes NAME, FILE NAME or FILE PASSPHRASE "
		    "NAME", sa->cmd->name);
	sa->name = v[n - 1];
	if (n > 1 && (r = use_file(sa, v[0])) != SA_OK)
		return r;
	return n < 3 ? SA_OK : set_source(sa, &sa->pass, O_PASSPHRASE, v[1],
	    "the passphrase");
}

/* set: NAME, NAME VALUE, FILE PASSPHRASE NAME VALUE. */
static int
pos_set(struct sa *sa, int n, char **v)
{
	int	 r;

	if (n < 1 || n == 3 || n > 4)
		return usage("set takes NAME, NAME VALUE, or FILE PASSPHRASE "
		    "NAME VALUE");
	if (n == 4 && ((r = use_file(sa, v[0])) != SA_OK ||
	    (r = set_source(sa, &sa->pass, O_PASSPHRASE, v[1],
	    "the passphrase")) != SA_OK))
		return r;
	sa->name = n == 4 ? v[2] : v[0];
	if (n == 1)
		return SA_OK;
	if (sa->use_stdin) {
		explicit_bzero(v[n - 1], strlen(v[n - 1]));
		return usage("the value is given more than once");
	}
	return set_source(sa, &sa->value, O_PHRASE, v[n - 1], "the value");
}

/* The number of arguments tells Igra's spelling from the one with FILE. */
static int
positionals(struct sa *sa, int n, char **v)
{
	int	 r;

	if (sa->cmd->run == sa_get || sa->cmd->run == sa_remove)
		return pos_name(sa, n, v);
	if (sa->cmd->run == sa_set)
		return pos_set(sa, n, v);
	if (sa->cmd->run == sa_rename) {
		if (n < 2 || n > 3)
			return usage("rename-profile takes [FILE] OLD NEW");
		if (n == 3 && (r = use_file(sa, v[0])) != SA_OK)
			return r;
		sa->old_profile = v[n - 2];
		sa->profile = v[n - 1];
		if (!profile_valid(sa->old_profile) ||
		    !profile_valid(sa->profile))
			return usage("a profile is signer-01 to signer-99");
		return strcmp(sa->old_profile, sa->profile) != 0 ? SA_OK :
		    usage("the two profiles are the same");
	}
	if (n > 2 || (n == 2 && sa->cmd->run != sa_list))
		return usage("%s takes at most FILE%s", sa->cmd->name,
		    sa->cmd->run == sa_list ? " and PASSPHRASE" : "");
	if (n > 0 && (r = use_file(sa, v[0])) != SA_OK)
		return r;
	return n < 2 ? SA_OK : set_source(sa, &sa->pass, O_PASSPHRASE, v[1],
	    "the passphrase");
}

/* --network, else what a readable config says, else mainnet. */
static int
find_network(struct sa *sa)
{
	const char	*path = sa->config != NULL ? sa->config : SA_CONFIG;
	char		 err[1024];

	if (sa->config != NULL || access(path, R_OK) == 0) {
		sa->conf = conf_load(path, NULL, geteuid(), err, sizeof(err));
		if (sa->conf == NULL && sa->config != NULL) {
			log_warnx("%s", err);
			return SA_FAIL;
		}
		if (sa->conf == NULL)
			log_warning("%s: not used", err);
	}
	if (sa->network == NULL && sa->conf != NULL && sa->conf->network_set)
		sa->net = sa->conf->network;
	return SA_OK;
}

static int
environment(struct sa *sa)
{
	if (validate_environment(sa->net, true) == -1)
		return SA_USAGE;
	(void)secret_take_env(&sa->env, SA_ENV_PASSPHRASE);
	env_wipe_secrets();
	return SA_OK;
}

/* Others see them in ps(1), and the shell keeps them. */
static int
command_line_secrets(struct sa *sa)
{
	if (!sa->pass.has_arg && !sa->oldpass.has_arg &&
	    !sa->newpass.has_arg && !sa->value.has_arg)
		return SA_OK;
	if (sa->net != KASPA_MAINNET) {
		log_warning("a secret on the command line is seen by other "
		    "users and kept by the shell");
		return SA_OK;
	}
	log_warnx("on mainnet no secret is taken from the command line, where "
	    "others see it and the shell keeps it");
	log_warnx("nothing was done; change that secret if it is in use, and "
	    "enter it when asked:");
	sa_print_prompt_form(sa);
	return SA_USAGE;
}

void
sa_print_word(const char *w)
{
	(void)fputc(' ', stderr);
	if (w[0] != '\0' && w[strspn(w, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,@%+=")] == '\0') {
		(void)fputs(w, stderr);
		return;
	}
	(void)fputc('\'', stderr);
	for (; *w != '\0'; w++)
		if (*w == '\'')
			(void)fputs("'\\''", stderr);
		else
			(void)fputc((unsigned char)*w < 0x20 ? '?' : *w,
			    stderr);
	(void)fputc('\'', stderr);
}

void
sa_print_prompt_form(const struct sa *sa)
{
	bool	 as_option;
	int	 o;

	/* set with a FILE has no form without its secrets. */
	as_option = sa->file_form && sa->cmd->run == sa_set;
	(void)fputs("    secrets-admin", stderr);
	for (o = 0; o < O_MAX; o++) {
		if ((sa->seen & BIT(o)) == 0 || (SECRET & BIT(o)) != 0)
			continue;
		(void)fprintf(stderr, " --%s", longopts[o].name);
		if (sa->given[o] != NULL)
			sa_print_word(sa->given[o]);
	}
	if (as_option) {
		(void)fputs(" --path", stderr);
		sa_print_word(sa->path);
	}
	sa_print_word(sa->cmd->name);
	if (sa->file_form && !as_option)
		sa_print_word(sa->path);
	if (sa->old_profile != NULL)
		sa_print_word(sa->old_profile);
	if (sa->cmd->run == sa_rename)
		sa_print_word(sa->profile);
	if (sa->name != NULL)
		sa_print_word(sa->name);
	(void)fputc('\n', stderr);
}

int
sa_parse(struct sa *sa, int argc, char **argv, bool *done)
{
	int	 c, r = SA_OK;

	*done = false;
	sa->net = KASPA_MAINNET;
	sa->path = "./secrets.bin";
	sa->in = SA_TEXT;
	sa->out = SA_HEX;
	sa->pass.fd = sa->oldpass.fd = sa->newpass.fd = sa->value.fd = -1;
	/* Goes on after an error, so that every secret is taken out of argv. */
	while ((c = getopt_long(argc, argv, "f:h", longopts, NULL)) != -1) {
		int	 o = c == 'f' ? O_CONFIG : c == 'h' ? O_HELP : c - 256;
		int	 e;

		if (c == '?') {
			r = usage("options that are not understood");
			continue;
		}
		sa->seen |= BIT(o);
		sa->given[o] = optarg;
		e = set_option(sa, (enum opt)o, optarg);
		if (r == SA_OK)
			r = e;
	}
	argc -= optind;
	argv += optind;
	if ((sa->seen & BIT(O_HELP)) != 0) {
		*done = true;
		sa_usage();
		return SA_OK;
	}
	if (r == SA_OK && argc == 0)
		r = usage("a command is needed");
	if (r != SA_OK || (r = find_command(sa, argv[0])) != SA_OK ||
	    (r = positionals(sa, argc - 1, argv + 1)) != SA_OK ||
	    (r = options_fit(sa)) != SA_OK ||
	    (r = find_network(sa)) != SA_OK ||
	    (r = command_line_secrets(sa)) != SA_OK ||
	    (r = environment(sa)) != SA_OK)
		return r;
	return SA_OK;
}
