/*
 * igra-pskt: what igra-signd does to PSKTs without a key, offline.  Documents
 * come from anywhere: all of them are read first, and nothing in them is looked
 * at before the process can do no more than write its answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "conf.h"
#include "log.h"
#include "pskt_tool.h"
#include "sandbox.h"
#ifdef IGRA_TEST_ENTRY
#include "tests/sandbox/attack.h"
#endif

#define CONFIG		"/etc/igra/igra.toml"
#define MAX_FILES	100
#define FIRST_SIZE	65536

enum { OK, BAD, USAGE };
enum { O_NETWORK = 256, O_REDEEM, O_KEY };

struct args {
	const struct pt_command	*cmd;
	const char		*config, *network, *redeem, *key;
	bool			 lines;
	/* What the last two say. */
	uint8_t			 script[TX_MAX_SCRIPT], xonly[32];
};

static int	 usage(const char *, const char *);
static int	 options(struct args *, struct pt *, int, char **);
static int	 settle(struct args *, struct pt *);
static int	 from_config(struct args *, struct pt *);
static int	 hex(const char *, uint8_t *, size_t, struct bytes *);
static int	 read_all(const char *, struct pt_text *);
static int	 read_fd(int, struct pt_text *);
static int	 each_line(struct pt *);
static int	 finish(int);

static const char	 help[] =
"usage: igra-pskt create [-l] [-f FILE] [--network NAME] [--redeem HEX]\n"
"           [FILE]\n"
"       igra-pskt inspect [-jl] [-f FILE] [--network NAME] [--redeem HEX]\n"
"           [--key HEX] [FILE]\n"
"       igra-pskt combine [FILE ...]\n"
"       igra-pskt finalize [-l] [FILE]\n"
"       igra-pskt extract [-l] [FILE]\n"
"  -f FILE         config whose network and redeem script count (default:\n"
"                  " CONFIG " where it can be read)\n"
"  -h, --help      this\n"
"  -j              JSON instead of text\n"
"  -l              each line of FILE is a document, each gets a line\n"
"  --key HEX       this signer's public key, x-only\n"
"  --network NAME  mainnet, testnet, devnet or simnet\n"
"  --redeem HEX    this signer's redeem script\n"
"FILE is - or missing for standard input.\n";

static int
usage(const char *what, const char *arg)
{
	if (what != NULL)
		log_warnx("%s%s", what, arg);
	(void)fputs(help, stderr);
	return USAGE;
}

static int
options(struct args *a, struct pt *t, int argc, char **argv)
{
	static const struct option	 longs[] = {
		{ "help",	no_argument,		NULL, 'h' },
		{ "key",	required_argument,	NULL, O_KEY },
		{ "network",	required_argument,	NULL, O_NETWORK },
		{ "redeem",	required_argument,	NULL, O_REDEEM },
		{ NULL,		0,			NULL, 0 }
	};
	int				 c;

	while ((c = getopt_long(argc, argv, "f:hjl", longs, NULL)) != -1)
		switch (c) {
		case 'f':
			a->config = optarg;
			break;
		case 'j':
			t->json = true;
			break;
		case 'l':
			a->lines = true;
			break;
		case O_KEY:
			a->key = optarg;
			break;
		case O_NETWORK:
			a->network = optarg;
			break;
		case O_REDEEM:
			a->redeem = optarg;
			break;
		case 'h':
			(void)fputs(help, stdout);
			exit(finish(OK));
		default:
			return usage(NULL, NULL);
		}
	if ((t->json || a->key != NULL) && !(a->cmd->takes & PT_INSPECTS))
		return usage("only inspect has -j and --key", "");
	if ((a->config != NULL || a->network != NULL || a->redeem != NULL) &&
	    !(a->cmd->takes & PT_NETWORK))
		return usage("only create and inspect have -f, --network and "
		    "--redeem", "");
	if (a->lines && (a->cmd->takes & PT_MANY))
		return usage("combine has no -l", "");
	if (a->lines && (a->cmd->takes & PT_INSPECTS) && !t->json)
		return usage("inspect -l goes with -j", "");
	return OK;
}

/* Into buf, which b then shows. */
static int
hex(const char *text, uint8_t *buf, size_t max, struct bytes *b)
{
	size_t	 len = strlen(text);

	if (len == 0 || len / 2 > max ||
	    pskt_unhex((const uint8_t *)text, len, buf) == -1)
		return -1;
	b->p = buf;
	b->len = len / 2;
	return 0;
}

/* --network, else what a readable config says, else mainnet. */
static int
from_config(struct args *a, struct pt *t)
{
	const char	*path = a->config != NULL ? a->config : CONFIG;
	struct conf	*conf;
	char		 err[1024];

	if (a->config == NULL && access(path, R_OK) == -1)
		return OK;
	if ((conf = conf_load(path, NULL, geteuid(), err,
	    sizeof(err))) == NULL) {
		if (a->config != NULL) {
			log_warnx("%s", err);
			return BAD;
		}
		log_warning("%s: not used", err);
		return OK;
	}
	if (conf->network_set)
		t->ctx.network = conf->network;
	t->ctx.hd = conf->xpubs.n != 0;
	if (conf->redeem_script_hex != NULL && hex(conf->redeem_script_hex,
	    a->script, sizeof(a->script), &t->ctx.redeem) == -1)
		log_warning("%s: its redeem script is not used", path);
	conf_free(conf);
	return OK;
}

static int
settle(struct args *a, struct pt *t)
{
	struct timespec	 now;
	struct bytes	 key;

	t->ctx.network = KASPA_MAINNET;
	if (!(a->cmd->takes & PT_NETWORK))
		return OK;
	if (from_config(a, t) != OK)
		return BAD;
	if (a->network != NULL && kaspa_network_parse(a->network,
	    &t->ctx.network) == -1)
		return usage("no network: ", a->network);
	if (a->redeem != NULL && hex(a->redeem, a->script, sizeof(a->script),
	    &t->ctx.redeem) == -1)
		return usage("--redeem is a script in hex", "");
	if (a->key != NULL) {
		if (hex(a->key, a->xonly, sizeof(a->xonly), &key) == -1 ||
		    key.len != sizeof(a->xonly))
			return usage("--key is 64 hex digits", "");
		t->ctx.xonly = key.p;
	}
	if (clock_gettime(CLOCK_REALTIME, &now) == 0 && now.tv_sec > 0)
		t->ctx.now_ms = (uint64_t)now.tv_sec * 1000;
	return OK;
}

static int
read_fd(int fd, struct pt_text *t)
{
	size_t	 cap = 0;
	ssize_t	 n;
	char	*p;

	for (;;) {
		if (t->len == cap) {
			cap = cap == 0 ? FIRST_SIZE : 2 * cap;
			if (cap > PT_MAX_FILE ||
			    (p = realloc(t->p, cap)) == NULL) {
				errno = EFBIG;
				return -1;
			}
			t->p = p;
		}
		if ((n = read(fd, t->p + t->len, cap - t->len)) == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		if (n == 0)
			return 0;
		t->len += (size_t)n;
	}
}

static int
read_all(const char *path, struct pt_text *t)
{
	char	*shown, *c;
	int	 fd = STDIN_FILENO, rc, saved;

	t->name = "standard input";
	if (path != NULL && strcmp(path, "-") != 0) {
		/* Whatever its name is, a terminal shows it as it is. */
		if ((shown = strdup(path)) == NULL) {
			log_warn("cannot read");
			return -1;
		}
		for (c = shown; *c != '\0'; c++)
			if (*c < ' ' || *c > '~')
				*c = '?';
		t->name = shown;
		if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
			log_warn("%s", t->name);
			return -1;
		}
	}
	rc = read_fd(fd, t);
	saved = errno;
	if (fd != STDIN_FILENO)
		(void)close(fd);
	errno = saved;
	if (rc == -1)
		log_warn("%s", t->name);
	return rc;
}

/* One answer per line, also for a line that is wrong. */
static int
each_line(struct pt *t)
{
	struct pt_text	 all = t->text[0], *one = &t->text[0];
	char		*at = all.p, *end = all.p + all.len, *nl;
	int		 rc = OK;

	for (; at < end; at = nl < end ? nl + 1 : end) {
		nl = memchr(at, '\n', (size_t)(end - at));
		if (nl == NULL)
			nl = end;
		one->p = at;
		one->len = (size_t)(nl - at);
		if (pt_run(t) == -1) {
			pt_error_line(t);
			rc = BAD;
		}
	}
	return rc;
}

static int
finish(int rc)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return rc;
	log_warn("standard output");
	return BAD;
}

int
main(int argc, char **argv)
{
	static struct pt_text	 text[MAX_FILES];
	static struct args	 a;
	struct pt		 t;
	struct sandbox		 box;
	int			 rc;

	log_init("igra-pskt", 0);
	memset(&t, 0, sizeof(t));
	t.text = text;
	if (argc > 1 && (strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "--help") == 0)) {
		(void)fputs(help, stdout);
		return finish(OK);
	}
	if (argc < 2)
		return usage(NULL, NULL);
	if ((a.cmd = t.cmd = pt_find(argv[1])) == NULL)
		return usage("no such command: ", argv[1]);
	if ((rc = options(&a, &t, argc - 1, argv + 1)) != OK ||
	    (rc = settle(&a, &t)) != OK)
		return rc;
	argc -= optind + 1;
	argv += optind + 1;
	if (argc > 1 && !(a.cmd->takes & PT_MANY))
		return usage("more than one file for ", a.cmd->name);
	if (argc > MAX_FILES)
		return usage("more than 100 files", "");
	do {
		if (read_all(argc > 0 ? argv[t.n] : NULL, &text[t.n]) == -1)
			return BAD;
	} while (++t.n < (size_t)argc);
#ifdef IGRA_TEST_ENTRY
	if (getenv("IGRA_TEST_ATTACK") != NULL)
		attack_run(SANDBOX_TOOL, "/tmp/none",
		    getenv("IGRA_TEST_ATTACK"));
#endif
	/* What it can do without is not worth stopping for: it has no key. */
	sandbox_enter(SANDBOX_TOOL, NULL, &box);
	if (a.lines)
		return finish(each_line(&t));
	if (pt_run(&t) == -1) {
		log_warnx("%s", t.err);
		return finish(BAD);
	}
	return finish(OK);
}
