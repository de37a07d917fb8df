/* A daemon's first steps: descriptors, options, config, users. */
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "daemon.h"
#include "log.h"
#include "notify.h"
#include "roles.h"
#include "validate.h"

#define DEFAULT_CONF	"/etc/igra/igra.toml"

#ifdef IGRA_TEST_ENTRY
#define FIRST_CLOSED	10	/* tests/sandbox/attack.sh hands over 9 */
#else
#define FIRST_CLOSED	(STDERR_FILENO + 1)
#endif

struct options {
	const char	*file;
	const char	*network;
	const char	*profile;
	int		 debug, check, verbose;
};

static const char *prognames[ROLE_MAX] = {
	[ROLE_KEYD] = "igra-keyd",
	[ROLE_SIGND] = "igra-signd",
	[ROLE_AUDITD] = "igra-auditd",
};

static void	fix_descriptors(void);
static void	usage(const char *, FILE *, int) __attribute__((noreturn));
static void	parse_options(struct daemon *, int, char **, struct options *);
static const char *conf_path(const struct options *, char *, size_t);
static void	read_conf(struct daemon *, const struct options *);
static char	*read_text(const char *, size_t *);
static void	settle_network(struct daemon *, const struct options *);
static void	settle_users(struct daemon *);
static void	settle_admins(struct daemon *);
static void	raise_files(void);

/*
 * A daemon whose descriptor 1 or 2 is the log it opens next is a mess; and what
 * whoever started it left open, a thief of the daemon would find.
 */
static void
fix_descriptors(void)
{
	int	 fd;

	do {
		if ((fd = open("/dev/null", O_RDWR)) == -1)
			_exit(1);
	} while (fd <= STDERR_FILENO);
	close(fd);
	closefrom(FIRST_CLOSED);
}

static void
usage(const char *prog, FILE *f, int status)
{
	fprintf(f, "usage: %s [-dhnv] [-f file] [--network name] "
	    "[--profile name]\n", prog);
	exit(status);
}

static void
parse_options(struct daemon *d, int argc, char **argv, struct options *o)
{
	static const struct option	 longopts[] = {
		{ "network", required_argument, NULL, 'N' },
		{ "profile", required_argument, NULL, 'P' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int				 ch;

	memset(o, 0, sizeof(*o));
	while ((ch = getopt_long(argc, argv, "df:hnv", longopts, NULL)) != -1) {
		switch (ch) {
		case 'd':
			o->debug++;
			break;
		case 'f':
			o->file = optarg;
			break;
		case 'n':
			o->check = 1;
			break;
		case 'v':
			o->verbose = 1;
			break;
		case 'N':
			o->network = optarg;
			break;
		case 'P':
			o->profile = optarg;
			break;
		case 'h':
			usage(d->progname, stdout, 0);
		default:
			usage(d->progname, stderr, 2);
		}
	}
	if (optind != argc)
		usage(d->progname, stderr, 2);
}

static const char *
conf_path(const struct options *o, char *buf, size_t size)
{
	const char	*dir;
	int		 n;

	if (o->file != NULL)
		return o->file;
	if ((dir = getenv("CREDENTIALS_DIRECTORY")) != NULL) {
		n = snprintf(buf, size, "%s/igra.toml", dir);
		if (n > 0 && (size_t)n < size && access(buf, R_OK) == 0)
			return buf;
	}
	return DEFAULT_CONF;
}

static char *
read_text(const char *path, size_t *len)
{
	struct stat	 st;
	char		*text;
	size_t		 got = 0;
	ssize_t		 n;
	int		 fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1 ||
	    fstat(fd, &st) == -1)
		fatal("%s", path);
	if (!S_ISREG(st.st_mode))
		fatalx("%s: not a regular file", path);
	if (st.st_size > CONF_MAX_SIZE)
		fatalx("%s: larger than %d bytes", path, CONF_MAX_SIZE);
	if ((text = malloc((size_t)st.st_size + 1)) == NULL)
		fatal("%s", path);
	while (got < (size_t)st.st_size &&
	    (n = read(fd, text + got, (size_t)st.st_size - got)) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			fatal("%s", path);
		got += (size_t)n;
	}
	close(fd);
	*len = got;
	return text;
}

static void
read_conf(struct daemon *d, const struct options *o)
{
	char		 err[1024], buf[1024];
	const char	*path = conf_path(o, buf, sizeof(buf));
	char		*text;
	size_t		 len, i;

	text = read_text(path, &len);
	conf_hash(text, len, d->conf_hash);
	d->profile = o->profile;
	d->conf_euid = roles_system(geteuid()) ? 0 : geteuid();
	d->conf = conf_parse(text, len, path, o->profile, d->conf_euid, err,
	    sizeof(err));
	freezero(text, len + 1);
	if (d->conf == NULL)
		fatalx("%s", err);
	d->credential = path == buf;
	if (o->verbose || o->check)
		for (i = 0; i < d->conf->notes.n; i++)
			log_info("%s", d->conf->notes.v[i]);
}

static void
settle_network(struct daemon *d, const struct options *o)
{
	if (o->network == NULL)
		return;
	/* That the config agrees is a rule, network-stated. */
	if (kaspa_network_parse(o->network, &d->network) == -1) {
		log_warnx("--network %s: not a network", o->network);
		usage(d->progname, stderr, 2);
	}
}

static void
settle_users(struct daemon *d)
{
	struct roles	 r;
	char		 err[256];
	uid_t		 own;
	enum daemon_role i;

	d->root = geteuid() == 0;
	if (roles_resolve(d->conf, geteuid(), getegid(), &r, err,
	    sizeof(err)) == -1)
		fatalx("%s", err);
	memcpy(d->uid, r.uid, sizeof(d->uid));
	memcpy(d->gid, r.gid, sizeof(d->gid));
	d->separated = r.separated;
	for (i = 0; i < ROLE_MAX; i++)
		if (roles_default(i, geteuid(), &d->default_uid[i]) == -1)
			d->default_uid[i] = (uid_t)-1;
	own = d->uid[d->role];
	if (!d->root && own != geteuid())
		fatalx("started as uid %u, but the config says uid %u: start "
		    "it as root or as that user", (unsigned)geteuid(),
		    (unsigned)own);
	/* On mainnet and testnet it is a rule, roles-separated. */
	if (!d->separated && d->network != KASPA_MAINNET &&
	    d->network != KASPA_TESTNET)
		log_warning("roles are not separated: all daemons run as uid "
		    "%u", (unsigned)own);
}

static void
settle_admins(struct daemon *d)
{
	const struct conf_strings	*a = &d->conf->admin_users;
	gid_t				 gid;
	size_t				 i;

	if ((d->admins = calloc(a->n + 1, sizeof(*d->admins))) == NULL)
		fatal("calloc");
	for (i = 0; i < a->n; i++)
		if (conf_uid(a->v[i], &d->admins[d->nadmins++], &gid) == -1)
			fatalx("%s: [security] admin_users: no user %s",
			    d->conf->path, a->v[i]);
}

/* As far as we may; whether that is enough is a rule, open-files-limit. */
static void
raise_files(void)
{
	struct rlimit	 rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		fatal("getrlimit");
	if (rl.rlim_cur >= VALIDATE_MIN_FILES)
		return;
	rl.rlim_cur = rl.rlim_max < VALIDATE_MIN_FILES ? rl.rlim_max :
	    VALIDATE_MIN_FILES;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		log_warn("cannot raise the limit of open files");
}

void
daemon_init(struct daemon *d, enum daemon_role role, int argc, char **argv)
{
	struct options	 o;

	memset(d, 0, sizeof(*d));
	d->role = role;
	d->progname = prognames[role];
	fix_descriptors();
	log_init(d->progname, 0);
	parse_options(d, argc, argv, &o);
	log_init(d->progname, o.debug);
	d->debug = o.debug;
	if (sodium_init() == -1)
		fatalx("cannot initialise libsodium");
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		fatal("signal");
	umask(022);
	read_conf(d, &o);
	d->network = d->conf->network;
	settle_network(d, &o);
	if (o.check) {
		if (o.verbose)
			fputs(d->conf->canonical, stdout);
		exit(0);
	}
	log_nowait();
	notify_open();
	settle_users(d);
	settle_admins(d);
	if (validate_environment(d->network, role == ROLE_KEYD) == -1)
		exit(1);
	raise_files();
	daemon_validate(d, VALIDATE_DAEMON);
	d->conf->network = d->network;
}
