/*
 * igra-service validate-config: every rule of the network, all findings in
 * one run.  What needs the secrets is asked of a running, unlocked keyd, or
 * worked out here from a passphrase, or shown as not checked.
 */
#include <sys/types.h>

#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "json.h"
#include "keyd/curve.h"
#include "keyd/own.h"
#include "log.h"
#include "roles.h"
#include "secmem.h"
#include "service.h"
#include "validate.h"

#define EXIT_USAGE	2
#define DEFAULT_CONF	"/etc/igra/igra.toml"
#define ARENA		(20 * 1024 * 1024)

struct options {
	const char		*file;
	const char		*network;
	bool			 json, offline;
	struct unlock_source	 source;
};

static void	usage(FILE *, int) __attribute__((noreturn));
static void	parse_options(int, char **, struct options *);
static int	source_fd(const char *);
static bool	facts_from_keyd(const struct conf *, const uint8_t *,
		    struct validate *);
static bool	facts_from_file(const struct conf *, struct options *,
		    struct validate *, char *, size_t);
static const char *own_error(const struct conf *);
static void	learn_secrets(const struct conf *, struct options *,
		    struct validate *, char *, size_t);
static void	note(const char *, void *);
static void	print_text(const struct findings *, const char *);
static void	print_json(const struct findings *, enum kaspa_network, bool);
static int	conf_broken(const struct options *, enum kaspa_network,
		    const char *);

static void
usage(FILE *f, int status)
{
	fputs("usage: igra-service validate-config [-h] [--config file] "
	    "[--network name]\n"
	    "           [--json] [--offline] [--passphrase-file file | "
	    "--passphrase-fd n]\n", f);
	exit(status);
}

static int
source_fd(const char *arg)
{
	const char	*errstr;
	int		 fd;

	fd = (int)strtonum(arg, 0, 65535, &errstr);
	if (errstr != NULL) {
		log_warnx("--passphrase-fd %s: %s", arg, errstr);
		exit(EXIT_USAGE);
	}
	return fd;
}

static void
parse_options(int argc, char **argv, struct options *o)
{
	static const struct option	 longopts[] = {
		{ "config", required_argument, NULL, 'f' },
		{ "network", required_argument, NULL, 'N' },
		{ "json", no_argument, NULL, 'j' },
		{ "offline", no_argument, NULL, 'o' },
		{ "passphrase-file", required_argument, NULL, 'F' },
		{ "passphrase-fd", required_argument, NULL, 'D' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int				 ch;

	while ((ch = getopt_long(argc, argv, "f:hj", longopts, NULL)) != -1) {
		switch (ch) {
		case 'f':
			o->file = optarg;
			break;
		case 'N':
			o->network = optarg;
			break;
		case 'j':
			o->json = true;
			break;
		case 'o':
			o->offline = true;
			break;
		case 'F':
			o->source.file = optarg;
			break;
		case 'D':
			o->source.fd = source_fd(optarg);
			break;
		case 'h':
			usage(stdout, 0);
		default:
			usage(stderr, EXIT_USAGE);
		}
	}
	if (optind != argc || (o->source.file != NULL && o->source.fd != -1))
		usage(stderr, EXIT_USAGE);
}

static void
note(const char *text, void *arg)
{
	(void)arg;
	log_warnx("%s", text);
}

/*
 * keyd's facts are about the file that it was unlocked with (every save takes
 * a new salt), and of use only if it runs for the same network and profile.
 * Salt is zero when the file cannot be read here.
 */
static bool
facts_from_keyd(const struct conf *c, const uint8_t *salt, struct validate *v)
{
	struct msg_keyd_status	 m;
	struct frame_reply	 r;
	struct pool		 pool;
	char			 err[UNLOCK_ERR];
	bool			 known = false;

	if (!v->users_known || admin_call(c->keyd_admin_socket, v->uid[0],
	    LINK_KEYD_ADMIN, MSG_KEYD_STATUS_REQ, &r, err, sizeof(err)) == -1)
		return false;
	pool_init(&pool, 0);
	if (r.type == MSG_KEYD_STATUS &&
	    dec_keyd_status(r.p, r.len, &pool, &m) == 0 && m.facts &&
	    bytes_eq(m.network, bytes_str(kaspa_network_name(v->network))) &&
	    bytes_eq(m.profile, bytes_str(c->active_profile)) &&
	    (sodium_is_zero(salt, sizeof(m.file_salt)) ||
	    memcmp(salt, m.file_salt, sizeof(m.file_salt)) == 0)) {
		v->secrets.known = true;
		v->secrets.phrase = m.phrase;
		v->secrets.payment_there = m.payment_there;
		v->secrets.payment_utf8 = m.payment_utf8;
		v->secrets.payment_chars = m.payment_chars;
		v->secrets.has_pub = true;
		memcpy(v->secrets.pub, m.public_key, sizeof(v->secrets.pub));
		known = true;
	}
	pool_free(&pool);
	frame_reply_free(&r);
	return known;
}

static bool
facts_from_file(const struct conf *c, struct options *o, struct validate *v,
    char *err, size_t errlen)
{
	struct unlock_client	 uc;
	const char		*errstr;
	bool			 ok;

	if (secmem_init(ARENA, 0, &errstr) == -1 &&
	    (c->network == KASPA_MAINNET || secmem_init_insecure(ARENA) == -1)) {
		(void)strlcpy(err, errstr, errlen);
		return false;
	}
	if (curve_init() == -1) {
		(void)strlcpy(err, "cannot make the curve context", errlen);
		return false;
	}
	memset(&uc, 0, sizeof(uc));
	uc.conf = c;
	uc.source = &o->source;
	uc.note = note;
	ok = unlock_examine(&uc, v, err, errlen) == 0;
	curve_free();
	secmem_wipe();
	return ok;
}

/* By igra-keyd's own code: NULL, or why it would not take this config. */
static const char *
own_error(const struct conf *c)
{
	struct own	*o;
	const char	*errstr;

	if ((o = own_new(c, &errstr)) == NULL)
		return errstr;
	own_unref(o);
	return NULL;
}

static void
learn_secrets(const struct conf *c, struct options *o, struct validate *v,
    char *err, size_t errlen)
{
	uint8_t	 salt[32];

	err[0] = '\0';
	unlock_examine_header(c, v, salt);
	if (o->offline) {
		v->unchecked = "--offline";
		return;
	}
	if (!unlock_source_given(&o->source) && facts_from_keyd(c, salt, v)) {
		v->unchecked = "igractl judged it at the unlock";
		return;
	}
	if (!unlock_source_given(&o->source) && !readpass_have_tty()) {
		v->unchecked = "no igra-keyd unlocked with this file, and no "
		    "terminal to ask for the passphrase; give --passphrase-file, "
		    "--passphrase-fd or --offline";
		return;
	}
	if (!facts_from_file(c, o, v, err, errlen)) {
		v->unchecked = "the secrets file was not opened";
		v->open_error = err;
	}
}

static void
print_text(const struct findings *f, const char *network)
{
	static const char *const	 utf8[] = {
		[SEV_OK] = "✓ ", [SEV_UNCHECKED] = "– ", [SEV_DEBUG] = "· ",
		[SEV_WARNING] = "! ", [SEV_ERROR] = "✗ ",
	};
	static const char *const	 ascii[] = {
		[SEV_OK] = "ok: ", [SEV_UNCHECKED] = "not checked: ",
		[SEV_DEBUG] = "note: ", [SEV_WARNING] = "warning: ",
		[SEV_ERROR] = "error: ",
	};
	const char *const		*mark = ascii;
	size_t				 i, errors = 0, warnings = 0;
	bool				 plain;

	if (setlocale(LC_CTYPE, "") != NULL &&
	    strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
		mark = utf8;
	for (i = 0; i < f->n; i++) {
		plain = f->v[i].severity == SEV_OK ||
		    f->v[i].severity == SEV_UNCHECKED;
		errors += f->v[i].severity == SEV_ERROR;
		warnings += f->v[i].severity == SEV_WARNING;
		printf("%s%s%s%s%s\n", mark[f->v[i].severity],
		    plain ? "" : "[", plain ? "" :
		    validate_category_name(f->v[i].category),
		    plain ? "" : "] ", f->v[i].message);
	}
	if (errors > 0 || warnings > 0) {
		fflush(stdout);
		fprintf(stderr, "%s: %zu error%s, %zu warning%s\n", network,
		    errors, errors == 1 ? "" : "s", warnings,
		    warnings == 1 ? "" : "s");
	}
}

static void
print_json(const struct findings *f, enum kaspa_network net, bool ok)
{
	struct json_out	 j;
	const char	*text;
	size_t		 i;

	if (json_out_init(&j, 0) == -1)
		fatalx("out of memory");
	json_out_begin_object(&j);
	json_put_string(&j, "network", kaspa_network_name(net));
	json_put_bool(&j, "ok", ok);
	json_out_key(&j, "findings");
	json_out_begin_array(&j);
	for (i = 0; i < f->n; i++) {
		if (f->v[i].severity == SEV_OK)
			continue;
		json_out_begin_object(&j);
		json_out_key(&j, "category");
		json_out_string(&j, validate_category_name(f->v[i].category));
		json_put_string(&j, "rule", f->v[i].rule);
		json_out_key(&j, "severity");
		json_out_string(&j, validate_severity_name(f->v[i].severity));
		json_put_string(&j, "message", f->v[i].message);
		json_out_end_object(&j);
	}
	json_out_end_array(&j);
	json_out_end_object(&j);
	if ((text = json_out_text(&j, NULL)) == NULL)
		fatalx("out of memory");
	puts(text);
	json_out_free(&j);
}

/* Without a config there is one finding, and no rule to run. */
static int
conf_broken(const struct options *o, enum kaspa_network net, const char *why)
{
	struct finding	 v;
	struct findings	 f;
	char		 message[UNLOCK_ERR];

	(void)strlcpy(message, why, sizeof(message));
	v.category = CAT_CONFIGURATION;
	v.rule = "config";
	v.severity = SEV_ERROR;
	v.message = message;
	f.n = 1;
	f.v = &v;
	f.failed = false;
	if (o->json)
		print_json(&f, net, false);
	else
		print_text(&f, kaspa_network_name(net));
	return 1;
}

int
service_validate(int argc, char **argv)
{
	struct options		 o = { 0 };
	struct validate		 v;
	struct findings		 f = { 0 };
	struct roles		 roles;
	struct conf		*c;
	enum kaspa_network	 net = KASPA_MAINNET;
	char			 err[UNLOCK_ERR], why[UNLOCK_ERR];
	bool			 ok;

	memset(&v, 0, sizeof(v));
	/* The rules about the environment see it before it is wiped. */
	o.source.fd = -1;
	parse_options(argc, argv, &o);
	readpass_init();
	if (o.network != NULL && kaspa_network_parse(o.network, &net) == -1) {
		log_warnx("--network %s: not a network", o.network);
		usage(stderr, EXIT_USAGE);
	}
	c = conf_load(o.file == NULL ? DEFAULT_CONF : o.file, NULL,
	    roles_system(geteuid()) ? 0 : geteuid(), err, sizeof(err));
	if (c == NULL)
		return conf_broken(&o, net, err);
	v.conf = c;
	v.network = o.network == NULL ? c->network : net;
	v.when = VALIDATE_CONFIG;
	v.owner = geteuid();
	v.elsewhere = o.offline;
	if (roles_resolve(c, geteuid(), getegid(), &roles, why,
	    sizeof(why)) == 0) {
		memcpy(v.uid, roles.uid, sizeof(v.uid));
		v.users_known = true;
		v.separated = roles.separated;
	} else
		v.users_error = why;
	v.own_error = own_error(c);
	learn_secrets(c, &o, &v, err, sizeof(err));
	validate_run(&v, &f);
	env_wipe_secrets();
	ok = findings_worst(&f) != SEV_ERROR;
	if (o.json)
		print_json(&f, v.network, ok);
	else
		print_text(&f, kaspa_network_name(v.network));
	findings_free(&f);
	conf_free(c);
	return ok ? 0 : 1;
}
