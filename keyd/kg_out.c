#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "kg_out.h"

static void	text_addf(struct kg_text *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));
static void	text_hex(struct kg_text *, const void *, size_t);
static void	env_name(struct kg_text *, const char *, const char *);
static void	toml_keys(struct kg_text *, const struct kg_group *);

int
kg_text_init(struct kg_text *t)
{
	memset(t, 0, sizeof(*t));
	if (sodium_init() == -1 || (t->p = sodium_malloc(KG_TEXT_MAX)) == NULL)
		return -1;
	t->p[0] = '\0';
	return 0;
}

void
kg_text_free(struct kg_text *t)
{
	sodium_free(t->p);
	memset(t, 0, sizeof(*t));
}

int
kg_text_write(const struct kg_text *t, int fd)
{
	size_t	 at = 0;
	ssize_t	 n;

	if (t->failed) {
		errno = EOVERFLOW;
		return -1;
	}
	while (at < t->len) {
		n = write(fd, t->p + at, t->len - at);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		at += (size_t)n;
	}
	return 0;
}

static void
text_addf(struct kg_text *t, const char *fmt, ...)
{
	va_list	 ap;
	int	 n;

	if (t->failed)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->p + t->len, KG_TEXT_MAX - t->len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= KG_TEXT_MAX - t->len)
		t->failed = true;
	else
		t->len += (size_t)n;
}

void
kg_text_add(struct kg_text *t, const char *s)
{
	text_addf(t, "%s", s);
}

static void
text_hex(struct kg_text *t, const void *p, size_t len)
{
	if (t->failed || 2 * len + 1 > KG_TEXT_MAX - t->len) {
		t->failed = true;
		return;
	}
	(void)sodium_bin2hex(t->p + t->len, 2 * len + 1, p, len);
	t->len += 2 * len;
}

void
kg_text_quote(struct kg_text *t, const char *s)
{
	static const char	 plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789"
				    "-_=./,:+@%";

	if (*s != '\0' && s[strspn(s, plain)] == '\0') {
		kg_text_add(t, s);
		return;
	}
	kg_text_add(t, "'");
	for (; *s != '\0'; s++)
		if (*s == '\'')
			kg_text_add(t, "'\\''");
		else
			text_addf(t, "%c", *s);
	kg_text_add(t, "'");
}

/* IGRA_SECRET__<namespace>__<name>_<profile>: no '.' and no '-' in it. */
static void
env_name(struct kg_text *t, const char *name, const char *profile)
{
	text_addf(t, "export IGRA_SECRET__%s_%.6s_%s=", name, profile,
	    profile + 7);
}

void
kg_env(struct kg_text *t, const struct kg_set *set, const char *payment,
    size_t paylen)
{
	const struct kg_signer	*s;
	unsigned		 i;

	for (i = 0; i < set->n; i++) {
		s = &set->signer[i];
		switch (set->type) {
		case KG_HD:
			env_name(t, "igra_signer__mnemonic", s->profile);
			kg_text_quote(t, s->phrase);
			break;
		case KG_RAW:
			env_name(t, "igra_signer__private_key", s->profile);
			kg_text_add(t, "hex:");
			text_hex(t, s->key, sizeof(s->key));
			break;
		}
		kg_text_add(t, "\n");
		env_name(t, "igra_iroh__signer_seed", s->profile);
		kg_text_add(t, "hex:");
		text_hex(t, s->iroh_seed, sizeof(s->iroh_seed));
		kg_text_add(t, "\n");
		if (paylen == 0)
			continue;
		/* In hex, as it may begin like an encoding's name itself. */
		env_name(t, "igra_signer__payment_secret", s->profile);
		kg_text_add(t, "hex:");
		text_hex(t, payment, paylen);
		kg_text_add(t, "\n");
	}
}

static void
toml_keys(struct kg_text *t, const struct kg_group *g)
{
	unsigned	 i;

	kg_text_add(t, "# Position of each key in the redeem script, and the "
	    "profile that its holder takes\n"
	    "# (secrets-admin rename-profile OLD NEW):\n");
	for (i = 0; i < g->n; i++) {
		text_addf(t, "#   %2u  signer-%02u  ", i + 1, i + 1);
		text_hex(t, g->member[i].key + g->member[i].xonly,
		    33U - g->member[i].xonly);
		kg_text_add(t, "\n");
	}
}

void
kg_toml(struct kg_text *t, const struct kg_group *g)
{
	unsigned	 i;

	toml_keys(t, g);
	kg_text_add(t, "[service.pskt]\nredeem_script_hex = \"");
	text_hex(t, g->redeem, g->redeemlen);
	text_addf(t, "\"\nsource_addresses = [\"%s\"]\nsig_op_count = %u\n"
	    "change_address = \"%s\"\n\n", g->address, g->n, g->address);
	text_addf(t, "[group]\nthreshold_m = %u\nthreshold_n = %u\n"
	    "member_pubkeys = [\n", g->m, g->n);
	for (i = 0; i < g->n; i++) {
		kg_text_add(t, "\t\"");
		text_hex(t, g->member[i].key + 1, 32);
		kg_text_add(t, i + 1 < g->n ? "\",\n" : "\"\n");
	}
	kg_text_add(t, "]\n# The rest makes up the group's id, ");
	text_hex(t, g->id, sizeof(g->id));
	text_addf(t, ".\nnetwork_id = %u\nfee_rate_sompi_per_gram = 0\n"
	    "finality_blue_score_threshold = 0\ndust_threshold_sompi = 0\n"
	    "min_recipient_amount_sompi = 0\nsession_timeout_seconds = %u\n\n"
	    "[group.group_metadata]\ncreation_timestamp_nanos = 0\n"
	    "policy_version = %u\n\n", g->network_id, KG_SESSION_TIMEOUT,
	    KG_POLICY_VERSION);
	text_addf(t, "[group.policy]\nallowed_destinations = []\n"
	    "min_amount_sompi = %llu\nmax_amount_sompi = %llu\n"
	    "max_daily_volume_sompi = %llu\nrequire_reason = false\n",
	    (unsigned long long)KG_POLICY_MIN,
	    (unsigned long long)KG_POLICY_MAX,
	    (unsigned long long)KG_POLICY_DAILY);
}
