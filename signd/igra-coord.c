/*
 * igra-coord: the coordinator's client.  Collects the signatures of m of n
 * signers for a PSKT and makes the transaction of it.
 */
#include <sys/types.h>

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "conf.h"
#include "coord.h"
#include "coord_file.h"
#include "json.h"
#include "log.h"
#include "pskt_final.h"
#include "readpass.h"
#include "roles.h"
#include "utf8.h"

#define DEFAULT_CONF	"/etc/igra/igra.toml"
#define DEFAULT_TIMEOUT	60
#define MAX_TIMEOUT	3600
#define MAX_REASON	256
#define MAX_TOKEN	4096

enum { EXIT_DONE, EXIT_NOT, EXIT_USAGE, EXIT_LIE };

struct options {
	const char	*conf, *pskt, *out, *pskt_out, *witness, *token_file;
	const char	*reason, *request_id;
	unsigned	 timeout;
	bool		 json;
	size_t		 n;
	const char	*signer[COORD_MAX_SIGNERS];
};

struct config {				/* what it needs of igra.toml */
	uid_t		 uid[3];
	size_t		 nuid;
	uint8_t		*redeem;
	size_t		 redeemlen;
};

static void	 usage(FILE *, int) __attribute__((noreturn));
static void	 bad_usage(const char *, const char *)
		    __attribute__((noreturn));
static void	 parse_options(int, char **, struct options *);
static void	 add_signer(struct options *, const char *);
static void	 check_options(const struct options *);
static int	 read_config(const struct options *, struct config *);
static int	 use_config(const struct conf *, struct config *);
static int	 read_token(const struct options *, struct secret *);
static int	 read_document(const struct options *, const struct config *,
		    struct coord *);
static int	 prepare(const struct options *, const struct config *,
		    struct coord *);
static int	 set_request_id(const struct options *, struct coord *);
static int	 reparse(struct coord *, const struct config *, struct bytes,
		    struct pskt_doc *, struct pskt_error *);
static int	 finish(struct coord *, const struct config *);
static int	 put_file(const char *, struct bytes, mode_t);
static int	 write_results(const struct options *, const struct coord *);
static int	 verdict(const struct coord *, bool);
static void	 coord_free(struct coord *);

static void
usage(FILE *f, int status)
{
	fputs("usage: igra-coord [-h]\n"
	    "       igra-coord sign --signer socket ... --pskt file "
	    "[-f file] [--json]\n"
	    "           [--out file] [--pskt-out file] [--reason text] "
	    "[--request-id id]\n"
	    "           [--timeout seconds] [--token-file file] "
	    "[--witness file]\n", f);
	exit(status);
}

static void
bad_usage(const char *option, const char *why)
{
	log_warnx("%s: %s", option, why);
	exit(EXIT_USAGE);
}

static void
add_signer(struct options *o, const char *path)
{
	size_t	 i;

	if (o->n == COORD_MAX_SIGNERS)
		bad_usage("--signer", "more than 64");
	for (i = 0; i < o->n; i++)
		if (strcmp(o->signer[i], path) == 0)
			bad_usage(path, "twice among the signers");
	o->signer[o->n++] = path;
}

static void
parse_options(int argc, char **argv, struct options *o)
{
	static const struct option	 longopts[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "out", required_argument, NULL, 'o' },
		{ "pskt", required_argument, NULL, 'p' },
		{ "pskt-out", required_argument, NULL, 'P' },
		{ "reason", required_argument, NULL, 'r' },
		{ "request-id", required_argument, NULL, 'i' },
		{ "signer", required_argument, NULL, 's' },
		{ "timeout", required_argument, NULL, 't' },
		{ "token-file", required_argument, NULL, 'T' },
		{ "witness", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 }
	};
	const char			*errstr;
	int				 ch;

	while ((ch = getopt_long(argc, argv, "+f:h", longopts, NULL)) != -1) {
		switch (ch) {
		case 'f':
			o->conf = optarg;
			break;
		case 'h':
			usage(stdout, 0);
		case 'j':
			o->json = true;
			break;
		case 'o':
			o->out = optarg;
			break;
		case 'p':
			o->pskt = optarg;
			break;
		case 'P':
			o->pskt_out = optarg;
			break;
		case 'r':
			o->reason = optarg;
			break;
		case 'i':
			o->request_id = optarg;
			break;
		case 's':
			add_signer(o, optarg);
			break;
		case 't':
			o->timeout = (unsigned)strtonum(optarg, 1, MAX_TIMEOUT,
			    &errstr);
			if (errstr != NULL)
				bad_usage("--timeout", errstr);
			break;
		case 'T':
			o->token_file = optarg;
			break;
		case 'w':
			o->witness = optarg;
			break;
		default:
			usage(stderr, EXIT_USAGE);
		}
	}
	if (optind != argc)
		usage(stderr, EXIT_USAGE);
}

/* What the signers would refuse anyway. */
static void
check_options(const struct options *o)
{
	static const char	 id[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t			 len;

	if (o->n == 0 || o->pskt == NULL)
		usage(stderr, EXIT_USAGE);
	if (o->reason != NULL && ((len = strlen(o->reason)) > MAX_REASON ||
	    !utf8_valid(o->reason, len)))
		bad_usage("--reason", "must be UTF-8 of at most 256 bytes");
	if (o->request_id == NULL)
		return;
	len = strlen(o->request_id);
	if (len == 0 || len >= COORD_REQUEST_ID ||
	    strspn(o->request_id, id) != len)
		bad_usage("--request-id", "must be 1 to 64 characters "
		    "A-Z a-z 0-9 . _ -");
}

/*
 * Who may listen: ourselves (ssh forwards sockets for us), root, and the user
 * that the config says igra-signd is.  A config that nobody named may be
 * missing, or not ours to read.
 */
static int
read_config(const struct options *o, struct config *cf)
{
	const char	*path = o->conf == NULL ? DEFAULT_CONF : o->conf;
	struct conf	*conf;
	char		 err[512];
	int		 rc;

	memset(cf, 0, sizeof(*cf));
	cf->uid[cf->nuid++] = geteuid();
	cf->uid[cf->nuid++] = 0;
	if (o->conf == NULL && access(path, R_OK) == -1)
		return 0;
	if ((conf = conf_load(path, NULL, geteuid(), err,
	    sizeof(err))) == NULL) {
		log_warnx("%s", err);
		return -1;
	}
	rc = use_config(conf, cf);
	conf_free(conf);
	return rc;
}

static int
use_config(const struct conf *conf, struct config *cf)
{
	const char	*hex = conf->redeem_script_hex;
	uid_t		 uid;
	gid_t		 gid;

	if (conf->signd_user.name != NULL) {
		if (conf_uid(conf->signd_user.name, &uid, &gid) == -1) {
			log_warnx("%s: signd.user: no such user", conf->path);
			return -1;
		}
		cf->uid[cf->nuid++] = uid;
	} else if (roles_default(ROLE_SIGND, 0, &uid) == 0)
		cf->uid[cf->nuid++] = uid;
	if (hex == NULL)
		return 0;
	cf->redeemlen = strlen(hex) / 2;
	if ((cf->redeem = malloc(cf->redeemlen + 1)) == NULL ||
	    pskt_unhex((const uint8_t *)hex, strlen(hex), cf->redeem) == -1) {
		log_warnx("%s: service.pskt.redeem_script_hex", conf->path);
		return -1;
	}
	return 0;
}

static int
read_token(const struct options *o, struct secret *token)
{
	char	 err[256] = "";
	size_t	 i;

	if (o->token_file == NULL)
		return 0;
	if (readpass_file(o->token_file, false, token, err,
	    sizeof(err)) == -1) {
		log_warnx("%s: %s", o->token_file, err);
		return -1;
	}
	for (i = 0; i < token->len; i++)
		if (token->p[i] <= ' ' || token->p[i] > '~')
			break;
	if (token->len == 0 || token->len > MAX_TOKEN || i < token->len) {
		log_warnx("%s: not a bearer token", o->token_file);
		return -1;
	}
	return 0;
}

static int
read_document(const struct options *o, const struct config *cf,
    struct coord *c)
{
	const struct bytes	 redeem = { cf->redeem, cf->redeemlen };
	char			*text, err[640];
	size_t			 len;

	if ((text = file_read(o->pskt, COORD_MAX_DOC, &len, err,
	    sizeof(err))) == NULL) {
		log_warnx("%s", err);
		return -1;
	}
	if (coord_doc_read(&c->doc, text, len, redeem, err,
	    sizeof(err)) == -1) {
		log_warnx("%s: %s", o->pskt, err);
		return -1;
	}
	if (c->doc.wrong != 0)
		log_warning("%s: %zu signatures in it are not valid and do "
		    "not count", o->pskt, c->doc.wrong);
	return 0;
}

static int
set_request_id(const struct options *o, struct coord *c)
{
	uint8_t	 random[8];
	char	 hex[17];

	if (o->request_id != NULL) {
		(void)strlcpy(c->request_id, o->request_id,
		    sizeof(c->request_id));
		return 0;
	}
	randombytes_buf(random, sizeof(random));
	pskt_hex(random, sizeof(random), hex);
	hex[16] = '\0';
	return snprintf(c->request_id, sizeof(c->request_id), "coord-%s",
	    hex) < 0 ? -1 : 0;
}

static int
prepare(const struct options *o, const struct config *cf, struct coord *c)
{
	char	 err[512];
	size_t	 i;

	if (o->witness != NULL) {
		if (witness_load(&c->witness, o->witness, err,
		    sizeof(err)) == -1) {
			log_warnx("%s", err);
			return -1;
		}
		c->have_witness = true;
	}
	if (read_document(o, cf, c) == -1)
		return -1;
	c->timeout = o->timeout;
	c->n = o->n;
	if ((c->signer = calloc(c->n, sizeof(*c->signer))) == NULL ||
	    set_request_id(o, c) == -1 || coord_requests(c, o->reason) == -1) {
		log_warnx("out of memory");
		return -1;
	}
	for (i = 0; i < c->n; i++) {
		c->signer[i].coord = c;
		c->signer[i].path = o->signer[i];
	}
	return 0;
}

static int
reparse(struct coord *c, const struct config *cf, struct bytes text,
    struct pskt_doc *doc, struct pskt_error *e)
{
	const struct pskt_context	 ctx = {
		.redeem = { cf->redeem, cf->redeemlen }
	};
	const struct json		*root;

	root = json_parse(&c->doc.pool, (const char *)text.p, text.len,
	    e->message, sizeof(e->message));
	return root == NULL ? -1 : pskt_parse(&c->doc.pool, &ctx,
	    (const char *)text.p, root, doc, e);
}

/* The document with its signatures, and if they are enough the transaction. */
static int
finish(struct coord *c, const struct config *cf)
{
	struct pskt_doc		 doc;
	struct pskt_error	 e = { .pskt = PSKT_NOT_IN_BUNDLE };
	struct bytes		 final;

	if (coord_doc_emit(&c->doc, &c->pskt) == -1) {
		log_warnx("out of memory");
		return -1;
	}
	if (!coord_doc_complete(&c->doc)) {
		log_warnx("not enough signatures: %zu of %zu inputs have what "
		    "they need", c->doc.complete, c->doc.inputs);
		return 0;
	}
	if (reparse(c, cf, c->pskt, &doc, &e) == -1 ||
	    pskt_finalize(&c->doc.pool, &doc, &final, &e) == -1 ||
	    reparse(c, cf, final, &doc, &e) == -1 ||
	    pskt_extract(&c->doc.pool, &doc, &c->transaction, &e) == -1) {
		if (e.pskt == PSKT_NOT_IN_BUNDLE)
			log_warnx("no transaction: %s", e.message);
		else
			log_warnx("no transaction: pskt[%zu]: %s", e.pskt,
			    e.message);
		return -1;
	}
	return 0;
}

static int
put_file(const char *path, struct bytes text, mode_t mode)
{
	char	*line, err[512];
	int	 rc;

	if ((line = malloc(text.len + 1)) == NULL) {
		log_warnx("out of memory");
		return -1;
	}
	memcpy(line, text.p, text.len);
	line[text.len] = '\n';
	rc = file_replace(path, line, text.len + 1, mode, err, sizeof(err));
	free(line);
	if (rc == -1)
		log_warnx("%s", err);
	return rc;
}

static int
write_results(const struct options *o, const struct coord *c)
{
	const char	*p = (const char *)c->transaction.p;
	char		*json = NULL;
	size_t		 len = c->transaction.len;
	int		 rc = 0;

	if (o->pskt_out != NULL && c->pskt.len != 0 &&
	    put_file(o->pskt_out, c->pskt, 0666) == -1)
		rc = -1;
	if (o->out != NULL && len != 0 &&
	    put_file(o->out, c->transaction, 0666) == -1)
		rc = -1;
	if (o->json) {
		if ((json = coord_json(c, &len)) == NULL) {
			log_warnx("out of memory");
			return -1;
		}
		p = json;
	} else if (o->out != NULL)
		len = 0;
	if (len != 0 && (fwrite(p, 1, len, stdout) != len ||
	    (json == NULL && putchar('\n') == EOF)))
		rc = -1;
	if (fflush(stdout) == EOF || ferror(stdout)) {
		log_warn("standard output");
		rc = -1;
	}
	free(json);
	return rc;
}

static int
verdict(const struct coord *c, bool good)
{
	size_t	 i;

	for (i = 0; i < c->n; i++)
		if (c->signer[i].result == COORD_LIED)
			return EXIT_LIE;
	return good && c->transaction.len != 0 && !c->witness_failed ?
	    EXIT_DONE : EXIT_NOT;
}

static void
coord_free(struct coord *c)
{
	coord_http_free(c->http);
	coord_doc_free(&c->doc);
	if (c->have_witness)
		witness_free(&c->witness);
	free(c->signer);
	free(c->info);
	free(c->sign);
}

int
main(int argc, char **argv)
{
	struct options	 o = { .timeout = DEFAULT_TIMEOUT };
	struct config	 cf;
	struct coord	 c;
	struct secret	 token = { 0 };
	bool		 good = false;
	int		 status;

	log_init("igra-coord", 0);
	readpass_init();
	if (argc == 2 && (strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "--help") == 0))
		usage(stdout, 0);
	if (argc < 2 || strcmp(argv[1], "sign") != 0)
		usage(stderr, EXIT_USAGE);
	parse_options(argc - 1, argv + 1, &o);
	check_options(&o);
	if (sodium_init() == -1)
		fatalx("cannot initialise libsodium");
	(void)signal(SIGPIPE, SIG_IGN);
	memset(&c, 0, sizeof(c));
	if (read_config(&o, &cf) == 0 && prepare(&o, &cf, &c) == 0 &&
	    read_token(&o, &token) == 0) {
		c.http = coord_http_new(cf.uid, cf.nuid, token.p);
		if (c.http == NULL || coord_ask_all(&c) == -1)
			log_warnx("cannot ask: out of memory");
		else
			good = finish(&c, &cf) == 0;
		if (write_results(&o, &c) == -1)
			good = false;
	}
	status = verdict(&c, good);
	secret_free(&token);
	coord_free(&c);
	free(cf.redeem);
	return status;
}
