#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "validate_int.h"

#define E	SEV_ERROR
#define W	SEV_WARNING
#define D	SEV_DEBUG
#define N	SEV_OK			/* not a rule of this network */

#define PROGRAM	VALIDATE_PROGRAM
#define DAEMON	VALIDATE_DAEMON
#define UNLOCK	VALIDATE_UNLOCK
#define SECRETS	VALIDATE_SECRETS
#define CONFIG	VALIDATE_CONFIG
#define AGE	VALIDATE_AGE
#define CONFINED VALIDATE_CONFINED

/*
 * DESIGN 9, row by row.  The order is the order of validate-config's lines:
 * the first of each group are those that operators of Igra know.
 */
static const struct rule rules[] = {
	{ { "network-mode", CAT_NETWORK, CONFIG, { E, W, D } },
	    rule_network_mode },
	{ { "encrypted-secrets", CAT_SECRETS, DAEMON | UNLOCK | CONFIG,
	    { E, E, E } }, rule_encrypted_secrets },
	{ { "payment-secret", CAT_SECRETS, SECRETS | CONFIG, { E, W, D } },
	    rule_payment_secret },
	{ { "audit-log", CAT_LOGGING, DAEMON | CONFIG, { E, W, N } },
	    rule_audit_log },
	{ { "rpc-endpoint", CAT_RPC_ENDPOINT, DAEMON | CONFIG, { E, W, N } },
	    rule_rpc_endpoint },

	{ { "environment-secrets", CAT_SECRETS, PROGRAM | CONFIG,
	    { E, W, N } }, rule_env_secrets },
	{ { "environment-passphrase", CAT_SECRETS, PROGRAM | CONFIG,
	    { E, W, N } }, rule_env_passphrase },
	{ { "secrets-open", CAT_SECRETS, CONFIG, { E, E, E } },
	    rule_secrets_open },
	{ { "two-phrases", CAT_SECRETS, SECRETS | CONFIG, { E, E, E } },
	    rule_two_phrases },
	{ { "passphrase-strength", CAT_SECRETS, UNLOCK | CONFIG,
	    { E, W, N } }, rule_passphrase },
	{ { "wallet-secret-strength", CAT_SECRETS, UNLOCK | CONFIG,
	    { E, W, N } }, rule_wallet_secret },
	{ { "passphrase-age", CAT_SECRETS, UNLOCK | SECRETS | CONFIG | AGE,
	    { E, W, N } }, rule_passphrase_age },
	{ { "passphrase-rotation", CAT_SECRETS, DAEMON | CONFIG,
	    { W, W, N } }, rule_rotation_enabled },

	{ { "network-stated", CAT_NETWORK, DAEMON | UNLOCK | CONFIG,
	    { E, W, D } }, rule_network_stated },
	{ { "address-network", CAT_CONFIGURATION, DAEMON | CONFIG,
	    { E, E, W } }, rule_addresses },
	{ { "xpub-network", CAT_CONFIGURATION, DAEMON | CONFIG,
	    { E, E, W } }, rule_xpubs },
	{ { "coin-type", CAT_CONFIGURATION, DAEMON | CONFIG, { E, E, W } },
	    rule_coin_type },
	{ { "redeem-addresses", CAT_CONFIGURATION, DAEMON | CONFIG,
	    { E, E, W } }, rule_redeem_addresses },
	{ { "group", CAT_CONFIGURATION, DAEMON | CONFIG, { E, W, N } },
	    rule_group },
	{ { "group-redeem-script", CAT_CONFIGURATION, DAEMON | CONFIG,
	    { E, E, E } }, rule_group_redeem },
	{ { "profile-position", CAT_CONFIGURATION, SECRETS | CONFIG,
	    { E, E, E } }, rule_profile_position },
	{ { "own-xpub", CAT_CONFIGURATION, SECRETS | CONFIG, { E, E, E } },
	    rule_own_xpub },
	{ { "own-scripts", CAT_CONFIGURATION, CONFIG, { E, E, E } },
	    rule_own_scripts },
	{ { "policy-limits", CAT_CONFIGURATION, DAEMON | CONFIG,
	    { E, W, N } }, rule_policy_limits },
	{ { "verify-after-sign", CAT_CONFIGURATION, DAEMON | CONFIG,
	    { E, N, N } }, rule_verify_after_sign },
	{ { "data-dir-name", CAT_CONFIGURATION, DAEMON | CONFIG,
	    { E, W, N } }, rule_data_dir_name },

	{ { "config-file-mode", CAT_FILE_PERMISSIONS,
	    DAEMON | UNLOCK | CONFIG, { E, W, N } }, rule_config_file },
	{ { "secrets-file-mode", CAT_FILE_PERMISSIONS, UNLOCK | CONFIG,
	    { E, W, N } }, rule_secrets_file },
	{ { "directories", CAT_FILE_PERMISSIONS, DAEMON | UNLOCK | CONFIG,
	    { E, W, N } }, rule_directories },
	{ { "audit-log-mode", CAT_FILE_PERMISSIONS, DAEMON | CONFIG,
	    { E, W, N } }, rule_audit_log_mode },

	{ { "debug-logging", CAT_LOGGING, DAEMON, { E, W, N } },
	    rule_debug_logging },
	{ { "running-as-root", CAT_STARTUP, DAEMON | CONFIG, { E, W, N } },
	    rule_root },
	{ { "roles-separated", CAT_STARTUP, DAEMON | CONFIG, { E, W, N } },
	    rule_roles },
	{ { "core-dumps", CAT_STARTUP, CONFINED, { E, W, N } },
	    rule_core_dumps },
	{ { "memory-lock", CAT_STARTUP, CONFINED, { E, W, N } },
	    rule_memory_lock },
	{ { "sandbox", CAT_STARTUP, CONFINED, { E, W, N } }, rule_sandbox },
	{ { "open-files-limit", CAT_STARTUP, DAEMON | CONFIG, { E, W, N } },
	    rule_descriptors },
	{ { "disk-space", CAT_STARTUP, DAEMON | CONFIG, { E, W, N } },
	    rule_disk },
};
#define NRULES	(sizeof(rules) / sizeof(rules[0]))

static void	add(struct rule_out *, enum validate_severity, const char *);

static const char *category_names[] = {
	[CAT_SECRETS] = "Secrets",
	[CAT_RPC_ENDPOINT] = "RpcEndpoint",
	[CAT_CONFIGURATION] = "Configuration",
	[CAT_LOGGING] = "Logging",
	[CAT_FILE_PERMISSIONS] = "FilePermissions",
	[CAT_STARTUP] = "Startup",
	[CAT_NETWORK] = "Network",
};

static const char *severity_names[] = {
	[SEV_OK] = "ok",
	[SEV_UNCHECKED] = "unchecked",
	[SEV_DEBUG] = "debug",
	[SEV_WARNING] = "warning",
	[SEV_ERROR] = "error",
};

const char *
validate_category_name(enum validate_category c)
{
	return category_names[c];
}

const char *
validate_severity_name(enum validate_severity s)
{
	return severity_names[s];
}

static void
add(struct rule_out *o, enum validate_severity sev, const char *message)
{
	struct findings	*f = o->f;
	struct finding	*v;
	char		*copy;

	v = reallocarray(f->v, f->n + 1, sizeof(*v));
	copy = strdup(message);
	if (v != NULL)
		f->v = v;
	if (v == NULL || copy == NULL) {
		f->failed = true;
		free(copy);
		return;
	}
	v[f->n].category = o->rule->info.category;
	v[f->n].rule = o->rule->info.name;
	v[f->n].severity = sev;
	v[f->n].message = copy;
	f->n++;
}

#define FORMAT(buf, fmt) do {						\
	va_list	 ap;							\
	va_start(ap, fmt);						\
	(void)vsnprintf(buf, sizeof(buf), fmt, ap);			\
	va_end(ap);							\
} while (0)

void
found(struct rule_out *o, const char *fmt, ...)
{
	char	 buf[1024];

	FORMAT(buf, fmt);
	add(o, o->severity, buf);
}

void
found_as(struct rule_out *o, enum validate_severity sev, const char *fmt, ...)
{
	char	 buf[1024];

	FORMAT(buf, fmt);
	add(o, sev, buf);
}

enum rule_result
rule_ok(struct rule_out *o, const char *fmt, ...)
{
	FORMAT(o->line, fmt);
	return RULE_OK;
}

enum rule_result
rule_unknown(struct rule_out *o, const char *fmt, ...)
{
	FORMAT(o->line, fmt);
	return RULE_UNKNOWN;
}

void
validate_run(const struct validate *v, struct findings *f)
{
	struct rule_out	 o;
	size_t		 i, before;
	int		 net;

	net = v->network == KASPA_MAINNET ? 0 :
	    v->network == KASPA_TESTNET ? 1 : 2;
	for (i = 0; i < NRULES; i++) {
		if ((rules[i].info.when & v->when) == 0 ||
		    rules[i].info.severity[net] == SEV_OK)
			continue;
		memset(&o, 0, sizeof(o));
		o.f = f;
		o.rule = &rules[i];
		o.severity = rules[i].info.severity[net];
		before = f->n;
		switch (rules[i].fn(v, &o)) {
		case RULE_NA:
			break;
		case RULE_OK:
			if (f->n == before && o.line[0] != '\0')
				add(&o, SEV_OK, o.line);
			break;
		case RULE_UNKNOWN:
			add(&o, SEV_UNCHECKED, o.line);
			break;
		case RULE_FOUND:
			break;
		}
	}
}

void
findings_free(struct findings *f)
{
	size_t	 i;

	for (i = 0; i < f->n; i++)
		free(f->v[i].message);
	free(f->v);
	memset(f, 0, sizeof(*f));
}

enum validate_severity
findings_worst(const struct findings *f)
{
	enum validate_severity	 worst = f->failed ? SEV_ERROR : SEV_OK;
	size_t			 i;

	for (i = 0; i < f->n; i++)
		if (f->v[i].severity > worst)
			worst = f->v[i].severity;
	return worst;
}

const struct finding *
findings_first(const struct findings *f, enum validate_severity sev)
{
	size_t	 i;

	for (i = 0; i < f->n; i++)
		if (f->v[i].severity == sev)
			return &f->v[i];
	return NULL;
}

size_t
validate_rules(const struct validate_rule_info **out)
{
	static struct validate_rule_info	 info[NRULES];
	size_t					 i;

	for (i = 0; i < NRULES; i++)
		info[i] = rules[i].info;
	*out = info;
	return NRULES;
}

size_t
validate_log(const struct validate *v)
{
	struct findings	 f = { 0 };
	size_t		 i, errors = 0;

	validate_run(v, &f);
	for (i = 0; i < f.n; i++) {
		switch (f.v[i].severity) {
		case SEV_ERROR:
			log_warnx("error: [%s] %s",
			    validate_category_name(f.v[i].category),
			    f.v[i].message);
			errors++;
			break;
		case SEV_WARNING:
			log_warning("[%s] %s",
			    validate_category_name(f.v[i].category),
			    f.v[i].message);
			break;
		case SEV_DEBUG:
		case SEV_UNCHECKED:
		case SEV_OK:
			log_debug("[%s] %s",
			    validate_category_name(f.v[i].category),
			    f.v[i].message);
			break;
		}
	}
	if (f.failed)
		errors++;
	findings_free(&f);
	return errors;
}

int
validate_environment(enum kaspa_network network, bool keep)
{
	struct validate	 v;
	size_t		 errors;

	memset(&v, 0, sizeof(v));
	v.network = network;
	v.when = VALIDATE_PROGRAM;
	errors = validate_log(&v);
	if (errors > 0 || !keep)
		env_wipe_secrets();
	return errors > 0 ? -1 : 0;
}
