/*
 * devnet-keygen: makes the keys of an m-of-n multisig, or one signer's own,
 * or the public part of a group from its members' public keys.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "curve.h"
#include "kg_files.h"
#include "kg_out.h"
#include "log.h"
#include "validate.h"

static int	print(struct kg_text *);
static int	build(const struct kg_opts *, struct kg_group *);
static int	do_members(const struct kg_opts *);
static int	do_make(struct kg_opts *);
static int	make_keys(struct kg_opts *, struct kg_set *,
		    struct kg_group *, struct secret *);
static int	write_files(const struct kg_opts *, const struct kg_set *,
		    const struct secret *, const struct secret *);
static int	targets_free(const struct kg_opts *);
static int	print_made(const struct kg_opts *, const struct kg_set *,
		    const struct kg_group *, const struct secret *);
static void	tell_own(const struct kg_opts *, const struct kg_set *);

static int
print(struct kg_text *t)
{
	if (kg_text_write(t, STDOUT_FILENO) == 0)
		return 0;
	log_warn("standard output");
	return -1;
}

/* What the options say of the group; its members are the caller's. */
static int
build(const struct kg_opts *o, struct kg_group *g)
{
	char	 err[256];

	g->network = o->network;
	g->network_id = o->network_id;
	g->m = o->m;
	g->n = o->n;
	if (kg_group_build(g, err, sizeof(err)) == 0)
		return 0;
	log_warnx("%s", err);
	return -1;
}

static int
do_members(const struct kg_opts *o)
{
	struct kg_group	 g;
	struct kg_text	 t;
	unsigned	 i, xonly = 0;
	int		 ret;

	memset(&g, 0, sizeof(g));
	memcpy(g.member, o->member, sizeof(g.member));
	for (i = 0; i < o->n; i++)
		xonly += o->member[i].xonly;
	if (build(o, &g) == -1)
		return 2;
	if (xonly == o->n && o->n > 1)
		(void)fprintf(stderr, "These keys are x-only and are ordered "
		    "as if all were even.  Every signer must give\nthem in "
		    "this form: the same keys with 66 digits may make another "
		    "address.\n");
	if (kg_text_init(&t) == -1) {
		log_warnx("out of memory");
		return 1;
	}
	if (!o->format_set || o->format == KG_FORMAT_JSON)
		kg_json_public(&t, &g);
	if (!o->format_set)
		kg_text_add(&t, "\n");
	if (!o->format_set || o->format == KG_FORMAT_TOML)
		kg_toml(&t, &g);
	ret = print(&t);
	kg_text_free(&t);
	return ret == 0 ? 0 : 1;
}

static int
make_keys(struct kg_opts *o, struct kg_set *set, struct kg_group *g,
    struct secret *payment)
{
	unsigned	 i, n = o->mode == KG_OWN ? 1 : o->n;
	const char	*profile;

	profile = n > 1 ? NULL : o->profile != NULL ? o->profile : "signer-01";
	if (kg_make_signers(set, o->key_type, n, profile,
	    (const uint8_t *)payment->p, payment->len) == -1 ||
	    (o->network == KASPA_DEVNET && kg_make_devnet(set, o->validators,
	    o->two_digit) == -1)) {
		log_warnx("cannot make keys");
		return -1;
	}
	if (n == 1)
		return 0;
	for (i = 0; i < n; i++)
		memcpy(g->member[i].key, set->signer[i].pub, 33);
	return build(o, g);
}

/* Before anything is asked or made. */
static int
targets_free(const struct kg_opts *o)
{
	struct kg_signer	 s;
	char			 path[PATH_MAX];
	unsigned		 i;

	if (!kg_opts_files(o))
		return 0;
	if (o->format != KG_FORMAT_FILE_PER_SIGNER)
		return kg_check_free(o, o->output);
	memset(&s, 0, sizeof(s));
	for (i = 0; i < o->n; i++) {
		(void)snprintf(s.profile, sizeof(s.profile), "signer-%02u",
		    (i + 1) % 100);
		if (o->profile != NULL)
			(void)strlcpy(s.profile, o->profile,
			    sizeof(s.profile));
		if (kg_path(o, &s, path) == -1 ||
		    kg_check_free(o, path) == -1)
			return -1;
	}
	return 0;
}

static int
write_files(const struct kg_opts *o, const struct kg_set *set,
    const struct secret *pass, const struct secret *payment)
{
	char		 path[PATH_MAX];
	unsigned	 i;

	if (!kg_opts_files(o))
		return 0;
	if (o->format != KG_FORMAT_FILE_PER_SIGNER)
		return kg_write(o, o->output, set, 0, set->n, pass, payment);
	if (kg_make_dirs(o, set) == -1)
		return -1;
	for (i = 0; i < set->n; i++)
		if (kg_path(o, &set->signer[i], path) == -1 ||
		    kg_write(o, path, set, i, 1, pass, payment) == -1)
			return -1;
	return 0;
}

static void
tell_own(const struct kg_opts *o, const struct kg_set *set)
{
	char	 address[ADDRESS_MAX];

	kg_member_address(o->network, set->signer[0].pub, address);
	(void)fprintf(stderr, "%s: %s of %s, %s\n"
	    "Its compressed public key, for the other signers, is on standard "
	    "output.\n", o->output, o->key_type == KG_HD ? "phrase" :
	    "private key", set->signer[0].profile, address);
	if (o->key_type == KG_RAW)
		(void)fprintf(stderr, "Its configuration needs [service.hd] "
		    "key_type = \"raw_private_key\".\n");
}

static int
print_made(const struct kg_opts *o, const struct kg_set *set,
    const struct kg_group *g, const struct secret *payment)
{
	struct kg_text	 t;
	char		 hex[67];
	int		 ret;

	if (kg_text_init(&t) == -1) {
		log_warnx("out of memory");
		return -1;
	}
	switch (o->format) {
	case KG_FORMAT_ENV:
		kg_env(&t, set, payment->p, payment->len);
		break;
	case KG_FORMAT_FILE:
		/* The one form that shows nothing secret. */
		if (set->n > 1) {
			kg_json_public(&t, g);
			break;
		}
		tell_own(o, set);
		(void)sodium_bin2hex(hex, sizeof(hex), set->signer[0].pub, 33);
		kg_text_add(&t, hex);
		kg_text_add(&t, "\n");
		break;
	case KG_FORMAT_JSON:
	case KG_FORMAT_FILE_PER_SIGNER:
	case KG_FORMAT_BOTH:
	case KG_FORMAT_TOML:
		if (set->n == 1)
			kg_json_one(&t, set, o->network);
		else
			kg_json_set(&t, set, g);
		break;
	}
	if (o->format != KG_FORMAT_FILE && o->network == KASPA_TESTNET)
		log_warning("standard output holds the keys");
	ret = print(&t);
	kg_text_free(&t);
	return ret;
}

static int
do_make(struct kg_opts *o)
{
	struct kg_set	*set;
	struct kg_group	 g;
	struct secret	 pass = { 0 }, payment = { 0 };
	int		 ret = 1;

	memset(&g, 0, sizeof(g));
	if ((set = kg_set_new()) == NULL) {
		log_warnx("no locked memory, or no curve");
		return 1;
	}
	if (targets_free(o) == 0 && kg_passphrase(o, &pass) == 0 &&
	    kg_payment(o, &payment) == 0 &&
	    make_keys(o, set, &g, &payment) == 0 &&
	    write_files(o, set, &pass, &payment) == 0 &&
	    print_made(o, set, &g, &payment) == 0)
		ret = 0;
	secret_free(&pass);
	secret_free(&payment);
	kg_set_free(set);
	curve_free();
	return ret;
}

int
main(int argc, char **argv)
{
	struct kg_opts	 o;
	int		 r;

	readpass_init();
	log_init(getprogname(), 0);
	if (sodium_init() == -1)
		fatalx("cannot start libsodium");
	if ((r = kg_opts_parse(&o, argc, argv)) == -1 &&
	    validate_environment(o.network, true) == -1)
		r = 1;
	else if (r == -1) {
		(void)secret_take_env(&o.env, KG_ENV_PASSPHRASE);
		env_wipe_secrets();
		switch (o.mode) {
		case KG_MEMBERS:
			r = do_members(&o);
			break;
		case KG_OWN:
		case KG_GENERATE:
			r = do_make(&o);
			break;
		}
	}
	kg_opts_free(&o);
	return r;
}
