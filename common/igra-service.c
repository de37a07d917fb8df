/* igra-service: the front door that starts and stops the whole. */
#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "service.h"

#define EXIT_USAGE	2

static void	fix_descriptors(void);
static void	usage(FILE *, int) __attribute__((noreturn));
static void	parse_options(int, char **, struct service_options *);
static int	passphrase_fd(const char *);
static char	*own_dir(const char *);
static void	set_children(struct service *);

static void
fix_descriptors(void)
{
	int	 fd;

	do {
		if ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
			_exit(1);
	} while (fd <= STDERR_FILENO && fcntl(fd, F_SETFD, 0) == 0);
	(void)close(fd);
}

static void
usage(FILE *f, int status)
{
	fputs("usage: igra-service run [-dh] [-f file] [--network name] "
	    "[--profile name]\n"
	    "           [--passphrase-file file | --passphrase-fd n | "
	    "--no-unlock]\n"
	    "       igra-service validate-config [-h] [--config file] "
	    "[--network name]\n"
	    "           [--json] [--offline] [--passphrase-file file | "
	    "--passphrase-fd n]\n", f);
	exit(status);
}

/* Ours alone: no child may have it. */
static int
passphrase_fd(const char *arg)
{
	const char	*errstr;
	int		 fd;

	fd = (int)strtonum(arg, 0, 65535, &errstr);
	if (errstr != NULL) {
		log_warnx("--passphrase-fd %s: %s", arg, errstr);
		exit(EXIT_USAGE);
	}
	if (fcntl(fd, F_GETFD) == -1 ||
	    (fd > STDERR_FILENO && fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)) {
		log_warn("--passphrase-fd %s", arg);
		exit(EXIT_USAGE);
	}
	return fd;
}

static void
parse_options(int argc, char **argv, struct service_options *o)
{
	static const struct option	 longopts[] = {
		{ "network", required_argument, NULL, 'N' },
		{ "profile", required_argument, NULL, 'P' },
		{ "passphrase-file", required_argument, NULL, 'F' },
		{ "passphrase-fd", required_argument, NULL, 'D' },
		{ "no-unlock", no_argument, NULL, 'U' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int				 ch;

	while ((ch = getopt_long(argc, argv, "df:h", longopts, NULL)) != -1) {
		switch (ch) {
		case 'd':
			o->debug++;
			break;
		case 'f':
			o->file = optarg;
			break;
		case 'N':
			o->network = optarg;
			break;
		case 'P':
			o->profile = optarg;
			break;
		case 'F':
			o->source.file = optarg;
			break;
		case 'D':
			o->source.fd = passphrase_fd(optarg);
			break;
		case 'U':
			o->no_unlock = true;
			break;
		case 'h':
			usage(stdout, 0);
		default:
			usage(stderr, EXIT_USAGE);
		}
	}
	if ((o->source.file != NULL) + (o->source.fd != -1) + o->no_unlock > 1)
		usage(stderr, EXIT_USAGE);
}

/* The daemons of the same build are beside us. */
static char *
own_dir(const char *argv0)
{
	char	 path[PATH_MAX];
	ssize_t	 n;

	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (n > 0)
		path[n] = '\0';
	else if (strchr(argv0, '/') == NULL ||
	    strlcpy(path, argv0, sizeof(path)) >= sizeof(path))
		return NULL;
	return strdup(dirname(path));
}

static void
set_children(struct service *s)
{
	const struct conf	*c = s->ctl.conf;
	int			 i;

	s->child[ROLE_AUDITD].name = "igra-auditd";
	s->child[ROLE_AUDITD].socket = c->auditd_admin_socket;
	s->child[ROLE_KEYD].name = "igra-keyd";
	s->child[ROLE_KEYD].socket = c->keyd_admin_socket;
	s->child[ROLE_SIGND].name = "igra-signd";
	s->child[ROLE_SIGND].socket = c->signd_socket;
	for (i = 0; i < ROLE_MAX; i++)
		s->child[i].uid = s->ctl.roles.uid[i];
}

int
main(int argc, char **argv)
{
	static struct service	 s;
	struct service_options	 o;
	char			 err[CTL_ERR];
	int			 status;

	fix_descriptors();
	log_init("igra-service", 0);
	readpass_init();
	/* Who reads our output may leave; the daemons stay ours to stop. */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		fatal("signal");
	/* It looks at the environment before anything is taken from there. */
	if (argc >= 2 && strcmp(argv[1], "validate-config") == 0)
		return service_validate(argc - 1, argv + 1);
	memset(&o, 0, sizeof(o));
	unlock_source_init(&o.source);
	if (argc < 2)
		usage(stderr, EXIT_USAGE);
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)
		usage(stdout, 0);
	if (strcmp(argv[1], "run") != 0) {
		log_warnx("%s: no such command", argv[1]);
		usage(stderr, EXIT_USAGE);
	}
	parse_options(argc - 1, argv + 1, &o);
	if (optind != argc - 1)
		usage(stderr, EXIT_USAGE);
	log_init("igra-service", o.debug);
	o.dir = own_dir(argv[0]);
	s.o = &o;
	if (ctl_conf(&s.ctl, o.file, o.network, o.profile, CTL_NEED | CTL_OWN,
	    err, sizeof(err)) == -1)
		fatalx("%s", err);
	if (unlock_source_environment(&o.source, s.ctl.conf->network) == -1)
		return 1;
	set_children(&s);
	status = service_run(&s);
	unlock_source_free(&o.source);
	ctl_free(&s.ctl);
	free(o.dir);
	return status;
}
