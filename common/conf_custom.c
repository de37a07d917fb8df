/*
 * Keys with a form of their own.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "conf_int.h"

#define MAX_PARTS	1e9
#define TOKEN_MIN	1
#define TOKEN_MAX	512
#define TOKEN_MASK	"********"
#define HASH_STACK	4096

static int	 number_of(struct conf_ctx *, const struct toml_value *,
		    const char *, double, double *);
static int	 set_split(struct conf_ctx *, const struct toml_table *,
		    unsigned);
static int	 replace(struct conf_ctx *, char **, const char *, unsigned);
static bool	 is_text(const struct toml_value *, const char *);

static const struct {
	const char	*name;
	unsigned	 bit;
} sighash_types[] = {
	{ "all",			CONF_SIGHASH_ALL },
	{ "none",			CONF_SIGHASH_NONE },
	{ "single",			CONF_SIGHASH_SINGLE },
	{ "all_anyonecanpay",		CONF_SIGHASH_ALL_ACP },
	{ "none_anyonecanpay",		CONF_SIGHASH_NONE_ACP },
	{ "single_anyonecanpay",	CONF_SIGHASH_SINGLE_ACP }
};
#define NSIGHASH	(sizeof(sighash_types) / sizeof(sighash_types[0]))

static bool
is_text(const struct toml_value *v, const char *s)
{
	return v->type == TOML_STRING && v->u.str.len == strlen(s) &&
	    memcmp(v->u.str.s, s, v->u.str.len) == 0;
}

static int
replace(struct conf_ctx *ctx, char **text, const char *s, unsigned line)
{
	char	*copy = strdup(s);

	if (copy == NULL)
		return conf_error(ctx, line, "out of memory");
	free(*text);
	*text = copy;
	return 0;
}

int
conf_set_network(struct conf_ctx *ctx, const struct toml_value *v)
{
	struct conf	*c = ctx->conf;
	char		*s = conf_string(ctx, v);

	if (s == NULL)
		return -1;
	if (kaspa_network_parse(s, &c->network) == -1) {
		free(s);
		return conf_key_error(ctx, v->line, "must be mainnet, testnet, "
		    "testnet-10 (or another number), devnet or simnet");
	}
	free(c->network_text);
	c->network_text = s;
	c->network_set = true;
	return 0;
}

void
conf_print_network(const struct conf *c, FILE *f)
{
	if (c->network_text != NULL)
		conf_print_text(c->network_text, f);
}

int
conf_set_key_type(struct conf_ctx *ctx, const struct toml_value *v)
{
	if (is_text(v, "hd_mnemonic") || is_text(v, "mnemonic"))
		ctx->conf->key_type = KEY_HD_MNEMONIC;
	else if (is_text(v, "raw_private_key") || is_text(v, "raw") ||
	    is_text(v, "private_key"))
		ctx->conf->key_type = KEY_RAW_PRIVATE;
	else
		return conf_key_error(ctx, v->line, "must be \"hd_mnemonic\" "
		    "or \"raw_private_key\"");
	return 0;
}

void
conf_print_key_type(const struct conf *c, FILE *f)
{
	conf_print_text(c->key_type == KEY_HD_MNEMONIC ? "hd_mnemonic" :
	    "raw_private_key", f);
}

int
conf_set_parity(struct conf_ctx *ctx, const struct toml_value *v)
{
	if (is_text(v, "even"))
		ctx->conf->signer_key_parity = PARITY_EVEN;
	else if (is_text(v, "true"))
		ctx->conf->signer_key_parity = PARITY_TRUE;
	else
		return conf_key_error(ctx, v->line, "must be \"even\" or "
		    "\"true\" (with quotes)");
	return 0;
}

void
conf_print_parity(const struct conf *c, FILE *f)
{
	conf_print_text(c->signer_key_parity == PARITY_EVEN ? "even" : "true",
	    f);
}

/* A float or an integer from 0 to max; inf and nan are in no range. */
static int
number_of(struct conf_ctx *ctx, const struct toml_value *v, const char *sub,
    double max, double *out)
{
	double	 d;

	if (v->type == TOML_INTEGER)
		d = (double)v->u.integer;
	else if (v->type == TOML_FLOAT)
		d = v->u.real;
	else
		return conf_key_error(ctx, v->line, "%smust be a number, not "
		    "%s", sub, toml_type_name(v->type));
	if (!(d >= 0 && d <= max))
		return conf_key_error(ctx, v->line, "%smust be 0 to %.0f", sub,
		    max);
	*out = d;
	return 0;
}

static int
set_split(struct conf_ctx *ctx, const struct toml_table *t, unsigned line)
{
	struct toml_entry	*recipient = toml_find(t, "recipient_parts");
	struct toml_entry	*signer = toml_find(t, "signer_parts");
	double			 r, s;

	if (recipient == NULL || signer == NULL || t->n != 2)
		return conf_key_error(ctx, line, "split takes recipient_parts "
		    "and signer_parts");
	if (number_of(ctx, recipient->value, "recipient_parts ", MAX_PARTS,
	    &r) == -1 || number_of(ctx, signer->value, "signer_parts ",
	    MAX_PARTS, &s) == -1)
		return -1;
	if (!(r + s > 0))
		return conf_key_error(ctx, line, "split needs a part that is "
		    "not 0");
	ctx->conf->fee_recipient_parts = r;
	ctx->conf->fee_signer_parts = s;
	return 0;
}

int
conf_set_fee_mode(struct conf_ctx *ctx, const struct toml_value *v)
{
	struct conf		*c = ctx->conf;
	struct toml_entry	*split;
	const char		*mode;

	if (is_text(v, "recipient_pays"))
		mode = "recipient_pays";
	else if (is_text(v, "signers_pay"))
		mode = "signers_pay";
	else if (v->type == TOML_TABLE && v->u.table.n == 1 &&
	    (split = toml_find(&v->u.table, "split")) != NULL &&
	    split->value->type == TOML_TABLE) {
		if (set_split(ctx, &split->value->u.table, v->line) == -1)
			return -1;
		mode = "split";
	} else
		return conf_key_error(ctx, v->line, "must be "
		    "\"recipient_pays\", \"signers_pay\" or { split = { "
		    "recipient_parts = N, signer_parts = N } }");
	return replace(ctx, &c->fee_payment_mode, mode, v->line);
}

void
conf_print_fee_mode(const struct conf *c, FILE *f)
{
	if (c->fee_payment_mode == NULL)
		return;
	if (strcmp(c->fee_payment_mode, "split") != 0) {
		conf_print_text(c->fee_payment_mode, f);
		return;
	}
	fputs("{ split = { recipient_parts = ", f);
	conf_print_real(c->fee_recipient_parts, f);
	fputs(", signer_parts = ", f);
	conf_print_real(c->fee_signer_parts, f);
	fputs(" } }", f);
}

int
conf_set_fee_percent(struct conf_ctx *ctx, const struct toml_value *v)
{
	if (number_of(ctx, v, "", 100, &ctx->conf->policy.max_fee_percent) ==
	    -1)
		return -1;
	ctx->conf->policy.max_fee_percent_set = true;
	return 0;
}

void
conf_print_fee_percent(const struct conf *c, FILE *f)
{
	if (c->policy.max_fee_percent_set)
		conf_print_real(c->policy.max_fee_percent, f);
}

int
conf_set_sighash_types(struct conf_ctx *ctx, const struct toml_value *v)
{
	const struct toml_value	*item;
	unsigned		 types = 0;
	size_t			 i;

	if (v->type != TOML_ARRAY || v->u.array.n == 0)
		return conf_key_error(ctx, v->line, "must be an array like "
		    "[\"all\"], with at least one type");
	STAILQ_FOREACH(item, &v->u.array.items, next) {
		for (i = 0; i < NSIGHASH; i++)
			if (is_text(item, sighash_types[i].name))
				break;
		if (i == NSIGHASH)
			return conf_key_error(ctx, item->line, "takes \"all\", "
			    "\"none\", \"single\" and each with "
			    "\"_anyonecanpay\" after it");
		types |= sighash_types[i].bit;
	}
	ctx->conf->policy.allowed_sighash_types = types;
	return 0;
}

void
conf_print_sighash_types(const struct conf *c, FILE *f)
{
	const char	*sep = "[";
	size_t		 i;

	for (i = 0; i < NSIGHASH; i++)
		if (c->policy.allowed_sighash_types & sighash_types[i].bit) {
			fputs(sep, f);
			conf_print_text(sighash_types[i].name, f);
			sep = ", ";
		}
	fputs("]", f);
}

int
conf_set_mnemonics(struct conf_ctx *ctx, const struct toml_value *v)
{
	static const struct conf_key	 key = {
		.name = "service.hd.encrypted_mnemonics",
		.type = CONF_TEXTS,
		.off = offsetof(struct conf, encrypted_mnemonics),
		.max = 99,
		.check = conf_check_sealed
	};
	const struct toml_value		*item;
	bool				 old = v->type != TOML_ARRAY;

	if (!old)
		STAILQ_FOREACH(item, &v->u.array.items, next)
			old = old || item->type != TOML_STRING;
	if (old)
		return conf_key_error(ctx, v->line, "has Igra's old structure "
		    "(encrypted_mnemonics that is not an array of strings), "
		    "which is not read: import each phrase with secrets-admin "
		    "import-mnemonic and remove it here");
	return conf_set(ctx, &key, v);
}

void
conf_print_mnemonics(const struct conf *c, FILE *f)
{
	if (c->encrypted_mnemonics.n > 0)
		conf_print_texts(&c->encrypted_mnemonics, f);
}

/* Only its hash stays; the text goes with the tree. */
int
conf_set_token(struct conf_ctx *ctx, const struct toml_value *v)
{
	size_t	 i, len;

	if (v->type != TOML_STRING)
		return conf_key_error(ctx, v->line, "must be a string");
	len = v->u.str.len;
	if (is_text(v, TOKEN_MASK))
		return conf_key_error(ctx, v->line, "is the mask that -nv "
		    "prints: write the token itself");
	if (len < TOKEN_MIN || len > TOKEN_MAX)
		return conf_key_error(ctx, v->line, "must have %d to %d "
		    "characters; leave it out for none", TOKEN_MIN, TOKEN_MAX);
	for (i = 0; i < len; i++)
		if (v->u.str.s[i] <= 0x20 || v->u.str.s[i] >= 0x7f)
			return conf_key_error(ctx, v->line, "must be printable "
			    "ASCII without blanks");
	crypto_generichash(ctx->conf->token_hash,
	    sizeof(ctx->conf->token_hash), (const uint8_t *)v->u.str.s, len,
	    NULL, 0);
	sodium_stackzero(HASH_STACK);	/* BLAKE2b leaves its last block there */
	ctx->conf->token_set = true;
	return 0;
}

void
conf_print_token(const struct conf *c, FILE *f)
{
	if (c->token_set)
		conf_print_text(TOKEN_MASK, f);
}
