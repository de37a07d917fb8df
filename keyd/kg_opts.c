#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "isec.h"
#include "kdf.h"
#include "kg_opts.h"
#include "kg_out.h"
#include "log.h"
#include "names.h"

#define EXIT_USAGE	2
#define GO_ON		(-1)

enum opt {
	O_FORMAT, O_OUTPUT, O_OUTPUT_DIR, O_PASSPHRASE, O_PASSPHRASE_FILE,
	O_PASSPHRASE_FD, O_NUM_SIGNERS, O_THRESHOLD_M, O_NETWORK, O_NETWORK_ID,
	O_PROFILE, O_PAYMENT, O_PAYMENT_FILE, O_OVERWRITE, O_VALIDATORS,
	O_VALIDATOR_NAMES, O_MEMBER, O_KEY_TYPE, O_ARGON2, O_HELP, O_MAX
};
#define FIRST		256	/* past every character */

/* The first name of an option is its own; the others are other programs'. */
static const struct option	 longopts[] = {
	{ "format", required_argument, NULL, FIRST + O_FORMAT },
	{ "output", required_argument, NULL, FIRST + O_OUTPUT },
	{ "output-dir", required_argument, NULL, FIRST + O_OUTPUT_DIR },
	{ "passphrase", required_argument, NULL, FIRST + O_PASSPHRASE },
	{ "passphrase-file", required_argument, NULL,
	    FIRST + O_PASSPHRASE_FILE },
	{ "passphrase-fd", required_argument, NULL, FIRST + O_PASSPHRASE_FD },
	{ "num-signers", required_argument, NULL, FIRST + O_NUM_SIGNERS },
	{ "threshold-m", required_argument, NULL, FIRST + O_THRESHOLD_M },
	{ "kaspa-network", required_argument, NULL, FIRST + O_NETWORK },
	{ "network-id", required_argument, NULL, FIRST + O_NETWORK_ID },
	{ "signer-profile", required_argument, NULL, FIRST + O_PROFILE },
	{ "payment-secret", required_argument, NULL, FIRST + O_PAYMENT },
	{ "payment-secret-file", required_argument, NULL,
	    FIRST + O_PAYMENT_FILE },
	{ "overwrite", no_argument, NULL, FIRST + O_OVERWRITE },
	{ "hyperlane-validator-count", required_argument, NULL,
	    FIRST + O_VALIDATORS },
	{ "hyperlane-validator-name-format", required_argument, NULL,
	    FIRST + O_VALIDATOR_NAMES },
	{ "member-pubkey", required_argument, NULL, FIRST + O_MEMBER },
	{ "key-type", required_argument, NULL, FIRST + O_KEY_TYPE },
	{ "argon2", required_argument, NULL, FIRST + O_ARGON2 },
	{ "help", no_argument, NULL, FIRST + O_HELP },
	{ "output-format", required_argument, NULL, FIRST + O_FORMAT },
	{ "output-file", required_argument, NULL, FIRST + O_OUTPUT },
	{ "threshold-n", required_argument, NULL, FIRST + O_NUM_SIGNERS },
	{ "network", required_argument, NULL, FIRST + O_NETWORK },
	{ NULL, 0, NULL, 0 }
};

/* What the command line says, before it is understood. */
struct words {
	bool		 seen[O_MAX];
	const char	*word[O_MAX];
	const char	*member[MULTISIG_MAX_KEYS];
	unsigned	 nmembers;
};

static const char	*name_of(enum opt);
static int		 bad(const char *, ...)
			    __attribute__((format(printf, 1, 2)));
static void		 print_usage(FILE *);
static int		 read_words(struct kg_opts *, struct words *, int,
			    char **);
static int		 take_secret(struct secret *, char *);
static int		 number(const struct words *, enum opt, long long,
			    long long, unsigned *);
static int		 choice(const struct words *, enum opt,
			    const char *const *, unsigned *);
static int		 set_numbers(struct kg_opts *, const struct words *);
static int		 set_choices(struct kg_opts *, const struct words *);
static int		 set_argon2(struct kg_opts *, const struct words *);
static int		 set_threshold(struct kg_opts *, const struct words *);
static int		 set_members(struct kg_opts *, const struct words *);
static int		 check_members(const struct kg_opts *,
			    const struct words *);
static int		 check_mainnet(const struct kg_opts *,
			    const struct words *);
static int		 check_making(struct kg_opts *, const struct words *);
static int		 refuse_secrets(const struct words *);

static const char *
name_of(enum opt o)
{
	const struct option	*p;

	for (p = longopts; p->name != NULL; p++)
		if (p->val == FIRST + (int)o)
			return p->name;
	return "";
}

static int
bad(const char *fmt, ...)
{
	char	 msg[512];
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	log_warnx("%s", msg);
	return EXIT_USAGE;
}

static void
print_usage(FILE *f)
{
	(void)fputs(
	    "usage: devnet-keygen [--kaspa-network N] [--num-signers N] "
	    "[--threshold-m M]\n"
	    "           [--format json|env|file|file-per-signer|both] "
	    "[--output FILE]\n"
	    "           [--output-dir DIR] [--overwrite] [--passphrase-file F "
	    "|\n"
	    "           --passphrase-fd N | --passphrase P] "
	    "[--payment-secret-file F |\n"
	    "           --payment-secret P] [--signer-profile P] "
	    "[--key-type hd|raw]\n"
	    "           [--network-id N] [--argon2 M,T,P] "
	    "[--hyperlane-validator-count N]\n"
	    "           [--hyperlane-validator-name-format legacy|two-digit]\n"
	    "       devnet-keygen --member-pubkey KEY [--member-pubkey KEY ...] "
	    "[--kaspa-network N]\n"
	    "           [--threshold-m M] [--network-id N] "
	    "[--format json|toml]\n", f);
}

bool
kg_opts_files(const struct kg_opts *o)
{
	return o->format == KG_FORMAT_FILE || o->format == KG_FORMAT_BOTH ||
	    o->format == KG_FORMAT_FILE_PER_SIGNER;
}

void
kg_opts_free(struct kg_opts *o)
{
	secret_free(&o->pass);
	secret_free(&o->payment);
	secret_free(&o->env);
}

static int
take_secret(struct secret *s, char *arg)
{
	if (secret_take_arg(s, arg) == 0)
		return GO_ON;
	log_warnx("out of memory");
	return EXIT_FAILURE;
}

/* Goes on after an error, so that every secret is taken out of argv. */
static int
read_words(struct kg_opts *o, struct words *w, int argc, char **argv)
{
	int	 c, r = GO_ON, e;
	bool	 unknown = false;

	while ((c = getopt_long(argc, argv, "h", longopts, NULL)) != -1) {
		enum opt	 k;

		if (c != 'h' && c < FIRST) {
			unknown = true;
			continue;
		}
		k = c == 'h' ? O_HELP : (enum opt)(c - FIRST);
		e = k == O_PASSPHRASE ? take_secret(&o->pass, optarg) :
		    k == O_PAYMENT ? take_secret(&o->payment, optarg) : GO_ON;
		if (e == GO_ON && k == O_MEMBER) {
			if (w->nmembers < MULTISIG_MAX_KEYS)
				w->member[w->nmembers++] = optarg;
			else
				e = bad("more than %d member keys: relay takes "
				    "no larger multisig", MULTISIG_MAX_KEYS);
		} else if (e == GO_ON && w->seen[k] && k != O_HELP)
			e = bad("--%s is given twice", name_of(k));
		w->seen[k] = true;
		w->word[k] = optarg;
		if (r == GO_ON)
			r = e;
	}
	if (unknown || optind < argc) {
		if (optind < argc)
			log_warnx("%d word%s too many", argc - optind,
			    argc - optind == 1 ? "" : "s");
		print_usage(stderr);
		return EXIT_USAGE;
	}
	return r;
}

static int
number(const struct words *w, enum opt o, long long min, long long max,
    unsigned *out)
{
	const char	*errstr;

	if (!w->seen[o])
		return GO_ON;
	*out = (unsigned)strtonum(w->word[o], min, max, &errstr);
	return errstr == NULL ? GO_ON : bad("--%s must be a number from %lld "
	    "to %lld", name_of(o), min, max);
}

/* Position of the word in names, which NULL ends. */
static int
choice(const struct words *w, enum opt o, const char *const *names,
    unsigned *out)
{
	char		 list[128] = "";
	unsigned	 i;

	if (!w->seen[o])
		return GO_ON;
	for (i = 0; names[i] != NULL; i++) {
		if (strcmp(w->word[o], names[i]) == 0) {
			*out = i;
			return GO_ON;
		}
		if (i > 0)
			(void)strlcat(list, ", ", sizeof(list));
		(void)strlcat(list, names[i], sizeof(list));
	}
	return bad("--%s must be one of %s", name_of(o), list);
}

static int
set_numbers(struct kg_opts *o, const struct words *w)
{
	unsigned	 fd = 0, id = 0;
	int		 r;

	if ((r = number(w, O_NUM_SIGNERS, 1, MULTISIG_MAX_KEYS, &o->n)) !=
	    GO_ON ||
	    (r = number(w, O_THRESHOLD_M, 1, MULTISIG_MAX_KEYS, &o->m)) !=
	    GO_ON ||
	    (r = number(w, O_NETWORK_ID, 0, 255, &id)) != GO_ON ||
	    (r = number(w, O_VALIDATORS, 0, KG_MAX_VALIDATORS,
	    &o->validators)) != GO_ON ||
	    (r = number(w, O_PASSPHRASE_FD, 0, INT_MAX, &fd)) != GO_ON)
		return r;
	o->network_id = (uint8_t)id;
	o->pass_fd = w->seen[O_PASSPHRASE_FD] ? (int)fd : -1;
	return GO_ON;
}

static int
set_choices(struct kg_opts *o, const struct words *w)
{
	static const char *const	 formats[] = { "json", "env", "file",
	    "file-per-signer", "both", "toml", NULL };
	static const char *const	 types[] = { "hd", "raw", NULL };
	static const char *const	 names[] = { "legacy", "two-digit",
	    NULL };
	unsigned			 format = 0, type = 0, name = 0;
	int				 r;

	if ((r = choice(w, O_FORMAT, formats, &format)) != GO_ON ||
	    (r = choice(w, O_KEY_TYPE, types, &type)) != GO_ON ||
	    (r = choice(w, O_VALIDATOR_NAMES, names, &name)) != GO_ON)
		return r;
	o->format = (enum kg_format)format;
	o->format_set = w->seen[O_FORMAT];
	o->key_type = type == 0 ? KG_HD : KG_RAW;
	o->two_digit = name == 1;
	o->network = KASPA_DEVNET;
	if (w->seen[O_NETWORK] &&
	    kaspa_network_parse(w->word[O_NETWORK], &o->network) == -1)
		return bad("--%s must be mainnet, testnet, testnet-N, devnet "
		    "or simnet", name_of(O_NETWORK));
	o->profile = w->word[O_PROFILE];
	if (o->profile != NULL && !profile_valid(o->profile))
		return bad("--%s must be signer-01 to signer-99",
		    name_of(O_PROFILE));
	return GO_ON;
}

static int
set_argon2(struct kg_opts *o, const struct words *w)
{
	const char	*why;
	char		*end;
	unsigned long	 v[3];
	const char	*p = w->word[O_ARGON2];
	int		 i;

	o->argon_m = ISEC_DEFAULT_M;
	o->argon_t = ISEC_DEFAULT_T;
	o->argon_p = ISEC_DEFAULT_P;
	if (p == NULL)
		return GO_ON;
	for (i = 0; i < 3; i++) {
		if (*p < '0' || *p > '9')
			break;
		v[i] = strtoul(p, &end, 10);
		if (v[i] > UINT32_MAX || *end != (i < 2 ? ',' : '\0'))
			break;
		p = end + 1;
	}
	if (i < 3)
		return bad("--%s must be three numbers M,T,P: KiB, passes, "
		    "lanes", name_of(O_ARGON2));
	if (kdf_check((uint32_t)v[0], (uint32_t)v[1], (uint32_t)v[2], &why) ==
	    -1)
		return bad("--%s: %s", name_of(O_ARGON2), why);
	o->argon_m = (uint32_t)v[0];
	o->argon_t = (uint32_t)v[1];
	o->argon_p = (uint32_t)v[2];
	return GO_ON;
}

static int
set_members(struct kg_opts *o, const struct words *w)
{
	const char	*why;
	unsigned	 i;

	for (i = 0; i < w->nmembers; i++)
		if (kg_member_parse(w->member[i], &o->member[i], &why) == -1)
			/* Not echoed: it may be a private key. */
			return bad("--%s number %u %s", name_of(O_MEMBER),
			    i + 1, why);
	return GO_ON;
}

/* Defaults that depend on each other: 2 of 3, or of the keys given. */
static int
set_threshold(struct kg_opts *o, const struct words *w)
{
	if (!w->seen[O_NUM_SIGNERS])
		o->n = w->nmembers > 0 ? w->nmembers : 3;
	if (!w->seen[O_THRESHOLD_M])
		o->m = o->n < 2 ? o->n : 2;
	if (o->m > o->n)
		return bad("--%s %u is more than the %u signers",
		    name_of(O_THRESHOLD_M), o->m, o->n);
	if (w->nmembers > 0 && w->nmembers != o->n)
		return bad("%u member keys for %u signers: all of them are "
		    "needed", w->nmembers, o->n);
	return GO_ON;
}

static int
check_members(const struct kg_opts *o, const struct words *w)
{
	static const enum opt	 making[] = { O_OUTPUT, O_OUTPUT_DIR,
	    O_PASSPHRASE, O_PASSPHRASE_FILE, O_PASSPHRASE_FD, O_PROFILE,
	    O_PAYMENT, O_PAYMENT_FILE, O_OVERWRITE, O_VALIDATORS,
	    O_VALIDATOR_NAMES, O_KEY_TYPE, O_ARGON2 };
	size_t			 i;

	for (i = 0; i < sizeof(making) / sizeof(making[0]); i++)
		if (w->seen[making[i]])
			return bad("--%s is for making keys; with --%s none "
			    "is made", name_of(making[i]), name_of(O_MEMBER));
	if (o->format_set && o->format != KG_FORMAT_JSON &&
	    o->format != KG_FORMAT_TOML)
		return bad("with --%s, --%s is json or toml, or both in this "
		    "order when it is not given", name_of(O_MEMBER),
		    name_of(O_FORMAT));
	if (o->network == KASPA_MAINNET && o->m < 2)
		log_warning("igra-keyd takes no group on mainnet with a "
		    "threshold below 2");
	return GO_ON;
}

/* DESIGN 9: the same command in prompt form, and nothing is done. */
static int
refuse_secrets(const struct words *w)
{
	struct kg_text	 t;
	unsigned	 i;
	int		 k;

	log_warnx("on mainnet no secret is taken from the command line, where "
	    "others see it and the shell keeps it");
	log_warnx("nothing was done; choose another and enter it when asked:");
	if (kg_text_init(&t) == -1)
		return EXIT_USAGE;
	kg_text_add(&t, "    devnet-keygen");
	for (k = 0; k < O_MAX; k++) {
		if (!w->seen[k] || k == O_PASSPHRASE || k == O_PAYMENT ||
		    k == O_MEMBER)
			continue;
		kg_text_add(&t, " --");
		kg_text_add(&t, name_of((enum opt)k));
		if (w->word[k] != NULL) {
			kg_text_add(&t, " ");
			kg_text_quote(&t, w->word[k]);
		}
	}
	for (i = 0; i < w->nmembers; i++) {
		kg_text_add(&t, " --member-pubkey ");
		kg_text_quote(&t, w->member[i]);
	}
	kg_text_add(&t, "\n");
	(void)kg_text_write(&t, STDERR_FILENO);
	kg_text_free(&t);
	return EXIT_USAGE;
}

static int
check_mainnet(const struct kg_opts *o, const struct words *w)
{
	if (w->seen[O_PASSPHRASE] || w->seen[O_PAYMENT])
		return refuse_secrets(w);
	if (w->nmembers > 0)
		return GO_ON;
	if (o->format != KG_FORMAT_FILE)
		return bad("on mainnet each signer makes its own key with "
		    "--format file, then all print the same tables with "
		    "--member-pubkey; no other form is made there, as it "
		    "shows secrets or has one host hold all keys");
	if (o->argon_m < ISEC_DEFAULT_M || o->argon_t < ISEC_DEFAULT_T)
		return bad("on mainnet --%s must be at least %d KiB and %d "
		    "passes", name_of(O_ARGON2), ISEC_DEFAULT_M,
		    ISEC_DEFAULT_T);
	return GO_ON;
}

static int
check_making(struct kg_opts *o, const struct words *w)
{
	int	 sources = w->seen[O_PASSPHRASE] + w->seen[O_PASSPHRASE_FILE] +
		    w->seen[O_PASSPHRASE_FD];

	if (sources > 1)
		return bad("the passphrase is given in more than one way");
	if (w->seen[O_PAYMENT] && w->seen[O_PAYMENT_FILE])
		return bad("the payment secret is given in more than one way");
	if (o->key_type == KG_RAW && (w->seen[O_PAYMENT] ||
	    w->seen[O_PAYMENT_FILE]))
		return bad("a payment secret belongs to a phrase; raw keys "
		    "have none");
	if (o->format == KG_FORMAT_TOML)
		return bad("--%s toml goes with --%s", name_of(O_FORMAT),
		    name_of(O_MEMBER));
	if (o->output != NULL && o->format != KG_FORMAT_FILE &&
	    o->format != KG_FORMAT_BOTH)
		return bad("--%s is the secrets file of --%s file or both",
		    name_of(O_OUTPUT), name_of(O_FORMAT));
	if (o->output_dir != NULL && o->format != KG_FORMAT_FILE_PER_SIGNER)
		return bad("--%s goes with --%s file-per-signer",
		    name_of(O_OUTPUT_DIR), name_of(O_FORMAT));
	if (o->profile != NULL && o->mode == KG_GENERATE && o->n != 1)
		return bad("--%s names one key, and there are %u: they are "
		    "named by their positions", name_of(O_PROFILE), o->n);
	if (o->network != KASPA_DEVNET && (w->seen[O_VALIDATORS] ||
	    w->seen[O_VALIDATOR_NAMES]))
		log_warning("Hyperlane keys are made for devnet only");
	if (w->seen[O_PASSPHRASE] || w->seen[O_PAYMENT])
		log_warning("a secret on the command line can be seen by "
		    "others and stays in the shell's history");
	if (o->output == NULL)
		o->output = "./devnet-secrets.bin";
	if (o->output_dir == NULL)
		o->output_dir = ".";
	return GO_ON;
}

int
kg_opts_parse(struct kg_opts *o, int argc, char **argv)
{
	struct words	 w;
	int		 r;

	memset(o, 0, sizeof(*o));
	memset(&w, 0, sizeof(w));
	o->pass_fd = -1;
	o->validators = 2;
	if ((r = read_words(o, &w, argc, argv)) != GO_ON)
		return r;
	if (w.seen[O_HELP]) {
		print_usage(stdout);
		return EXIT_SUCCESS;
	}
	o->output = w.word[O_OUTPUT];
	o->output_dir = w.word[O_OUTPUT_DIR];
	o->pass_file = w.word[O_PASSPHRASE_FILE];
	o->payment_file = w.word[O_PAYMENT_FILE];
	o->overwrite = w.seen[O_OVERWRITE];
	if ((r = set_choices(o, &w)) != GO_ON ||
	    (r = set_numbers(o, &w)) != GO_ON ||
	    (r = set_argon2(o, &w)) != GO_ON ||
	    (r = set_threshold(o, &w)) != GO_ON ||
	    (r = set_members(o, &w)) != GO_ON)
		return r;
	o->mode = w.nmembers > 0 ? KG_MEMBERS :
	    o->network == KASPA_MAINNET ? KG_OWN : KG_GENERATE;
	if (o->network == KASPA_MAINNET &&
	    (r = check_mainnet(o, &w)) != GO_ON)
		return r;
	return o->mode == KG_MEMBERS ? check_members(o, &w) :
	    check_making(o, &w);
}
