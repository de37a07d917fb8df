/* The rules of the network modes: what valid_rows.c says, and the whole. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "valid.h"

#define E	SEV_ERROR
#define W	SEV_WARNING
#define D	SEV_DEBUG
#define N	SEV_OK
#define LEN(a)	(sizeof(a) / sizeof((a)[0]))

#define START	(VALIDATE_DAEMON | VALIDATE_CONFIG)
#define ALL	(VALIDATE_PROGRAM | VALIDATE_DAEMON | VALIDATE_UNLOCK |	\
		    VALIDATE_SECRETS | VALIDATE_CONFIG | VALIDATE_AGE |	\
		    VALIDATE_CONFINED)

/* DESIGN 9, in its order: what a rule is, where it stops whom. */
static const struct {
	const char		*name;
	enum validate_category	 category;
	unsigned		 when;		/* at least then */
	enum validate_severity	 severity[3];
} design[] = {
	{ "network-mode", CAT_NETWORK, VALIDATE_CONFIG, { E, W, D } },
	{ "environment-secrets", CAT_SECRETS, VALIDATE_PROGRAM |
	    VALIDATE_CONFIG, { E, W, N } },
	{ "encrypted-secrets", CAT_SECRETS, START, { E, E, E } },
	{ "environment-passphrase", CAT_SECRETS, VALIDATE_PROGRAM |
	    VALIDATE_CONFIG, { E, W, N } },
	{ "network-stated", CAT_NETWORK, START, { E, W, D } },
	{ "payment-secret", CAT_SECRETS, VALIDATE_SECRETS | VALIDATE_CONFIG,
	    { E, W, D } },
	{ "passphrase-strength", CAT_SECRETS, VALIDATE_UNLOCK |
	    VALIDATE_CONFIG, { E, W, N } },
	{ "wallet-secret-strength", CAT_SECRETS, VALIDATE_UNLOCK |
	    VALIDATE_CONFIG, { E, W, N } },
	{ "secrets-open", CAT_SECRETS, VALIDATE_CONFIG, { E, E, E } },
	{ "two-phrases", CAT_SECRETS, VALIDATE_SECRETS | VALIDATE_CONFIG,
	    { E, E, E } },
	{ "passphrase-age", CAT_SECRETS, VALIDATE_UNLOCK | VALIDATE_SECRETS |
	    VALIDATE_CONFIG | VALIDATE_AGE, { E, W, N } },
	{ "passphrase-rotation", CAT_SECRETS, START, { W, W, N } },
	{ "config-file-mode", CAT_FILE_PERMISSIONS, START, { E, W, N } },
	{ "secrets-file-mode", CAT_FILE_PERMISSIONS, VALIDATE_UNLOCK |
	    VALIDATE_CONFIG, { E, W, N } },
	{ "audit-log-mode", CAT_FILE_PERMISSIONS, START, { E, W, N } },
	{ "directories", CAT_FILE_PERMISSIONS, START, { E, W, N } },
	{ "address-network", CAT_CONFIGURATION, START, { E, E, W } },
	{ "xpub-network", CAT_CONFIGURATION, START, { E, E, W } },
	{ "coin-type", CAT_CONFIGURATION, START, { E, E, W } },
	{ "redeem-addresses", CAT_CONFIGURATION, START, { E, E, W } },
	{ "own-xpub", CAT_CONFIGURATION, VALIDATE_SECRETS |
	    VALIDATE_CONFIG, { E, E, E } },
	{ "own-scripts", CAT_CONFIGURATION, VALIDATE_CONFIG, { E, E, E } },
	{ "profile-position", CAT_CONFIGURATION, VALIDATE_SECRETS |
	    VALIDATE_CONFIG, { E, E, E } },
	{ "group", CAT_CONFIGURATION, START, { E, W, N } },
	/* Devnet's "agrees: error" cannot be a warning on testnet. */
	{ "group-redeem-script", CAT_CONFIGURATION, START, { E, E, E } },
	{ "policy-limits", CAT_CONFIGURATION, START, { E, W, N } },
	/* DESIGN 2 */
	{ "verify-after-sign", CAT_CONFIGURATION, START, { E, N, N } },
	{ "rpc-endpoint", CAT_RPC_ENDPOINT, START, { E, W, N } },
	{ "data-dir-name", CAT_CONFIGURATION, START, { E, W, N } },
	{ "sandbox", CAT_STARTUP, VALIDATE_CONFINED, { E, W, N } },
	{ "memory-lock", CAT_STARTUP, VALIDATE_CONFINED, { E, W, N } },
	{ "audit-log", CAT_LOGGING, START, { E, W, N } },
	{ "running-as-root", CAT_STARTUP, START, { E, W, N } },
	{ "core-dumps", CAT_STARTUP, VALIDATE_CONFINED, { E, W, N } },
	{ "debug-logging", CAT_LOGGING, VALIDATE_DAEMON, { E, W, N } },
	{ "roles-separated", CAT_STARTUP, START, { E, W, N } },
	{ "open-files-limit", CAT_STARTUP, START, { E, W, N } },
	{ "disk-space", CAT_STARTUP, START, { E, W, N } },
};

static const enum kaspa_network	 networks[] = { KASPA_MAINNET, KASPA_TESTNET,
				    KASPA_DEVNET };

static const struct validate_rule_info	*rule_info(const char *);
static bool	 has_words(const char *, const char *);
static void	 judge_row(const struct valid_row *, int, unsigned,
		    const struct findings *);
static void	 run_row(const struct valid_row *, int);

static const struct validate_rule_info *
rule_info(const char *name)
{
	const struct validate_rule_info	*r;
	size_t				 i, n = validate_rules(&r);

	for (i = 0; i < n; i++)
		if (strcmp(r[i].name, name) == 0)
			return &r[i];
	ck_abort_msg("no rule %s", name);
}

static bool
has_words(const char *text, const char *words)
{
	char	 copy[512], *p = copy, *word;

	ck_assert_uint_lt(strlcpy(copy, words, sizeof(copy)), sizeof(copy));
	while ((word = strsep(&p, "|")) != NULL)
		if (strstr(text, word) == NULL)
			return false;
	return true;
}

/* when is one bit. */
static void
judge_row(const struct valid_row *r, int net, unsigned when,
    const struct findings *f)
{
	const struct validate_rule_info	*info = rule_info(r->rule);
	const struct finding		*w;
	enum validate_severity		 got, want = r->want[net];
	size_t				 n;

	w = valid_finding(f, r->rule, &n);
	got = w == NULL ? SEV_OK : w->severity;
	if ((info->when & when) == 0) {
		ck_assert_msg(w == NULL, "%s spoke at %#x", r->rule, when);
		return;
	}
	/* That something could not be checked only validate-config says. */
	if (want == SEV_UNCHECKED && when != VALIDATE_CONFIG && w == NULL)
		return;
	ck_assert_msg(got == want, "%s on %s at %#x, \"%s\": %s, not %s: %s",
	    r->rule, kaspa_network_name(networks[net]), when, r->edit,
	    validate_severity_name(got), validate_severity_name(want),
	    w == NULL ? "" : w->message);
	if (want == SEV_OK)
		return;
	ck_assert_int_eq(w->category, info->category);
	ck_assert_msg(has_words(w->message, r->words), "no \"%s\" in \"%s\"",
	    r->words, w->message);
}

static void
run_row(const struct valid_row *r, int net)
{
	struct valid	 f;
	struct findings	 found;
	unsigned	 when;
	size_t		 i;

	valid_init(&f, networks[net]);
	valid_edit(&f, r->edit);
	if (r->fn != NULL)
		r->fn(&f);
	for (when = 1; !f.skip && when <= ALL; when <<= 1) {
		memset(&found, 0, sizeof(found));
		f.v.when = when;
		validate_run(&f.v, &found);
		ck_assert(!found.failed);
		judge_row(r, net, when, &found);
		for (i = 0; i < found.n; i++) {
			ck_assert_ptr_null(strstr(found.v[i].message,
			    VALID_SECRET));
			ck_assert_ptr_null(strchr(found.v[i].message, '\n'));
		}
		findings_free(&found);
	}
	valid_free(&f);
}

START_TEST(test_row)
{
	run_row(&valid_rows[_i / 3], _i % 3);
}
END_TEST

START_TEST(test_design)
{
	const struct validate_rule_info	*r;
	size_t				 i, j;

	ck_assert_uint_eq(validate_rules(&r), LEN(design));
	for (i = 0; i < LEN(design); i++) {
		r = rule_info(design[i].name);
		ck_assert_msg(r->category == design[i].category, "%s",
		    r->name);
		ck_assert_msg((r->when & design[i].when) == design[i].when,
		    "%s at %#x", r->name, r->when);
		for (j = 0; j < 3; j++)
			ck_assert_msg(r->severity[j] == design[i].severity[j],
			    "%s[%zu]", r->name, j);
	}
}
END_TEST

/* Each rule has rows that fail and rows that pass. */
START_TEST(test_nothing_untested)
{
	const struct validate_rule_info	*r;
	size_t				 i, j, n = validate_rules(&r);
	bool				 fails;

	for (i = 0; i < n; i++) {
		fails = strcmp(r[i].name, "network-mode") == 0;
		for (j = 0; j < valid_nrows; j++)
			fails |= strcmp(r[i].name, valid_rows[j].rule) == 0 &&
			    valid_rows[j].want[0] >= SEV_WARNING;
#ifndef __linux__
		fails |= strcmp(r[i].name, "disk-space") == 0;
#endif
		ck_assert_msg(fails, "%s is never found", r[i].name);
	}
}
END_TEST

/* The lines of validate-config when all is well; "*" is a path. */
START_TEST(test_all_well)
{
	static const char *const	 lines[] = {
		"Network mode: mainnet",
		"Encrypted secrets: enabled",
		"payment_secret: configured",
		"Audit logging: enabled",
		"RPC endpoint: localhost",
		"Secrets in the environment: none",
		"Passphrase in the environment: none",
		"Passphrase of the secrets file: strong",
		"wallet_secret: strong",
		"Passphrase age: 0 days",
		"Network in the config: mainnet",
		"Addresses: of mainnet",
		"Derivation path: m/45'/111111'/0'/0/0",
		"Redeem script: 2 of 3",
		"Group: 2 of 3",
		"Group and redeem script: agree",
		"Position in the redeem script: 1",
		"Policy: fee and destinations or volume limited",
		"Signatures: verified before they leave",
		"Data directory: ",
		"Config file: ",
		"Secrets file: ",
		"Directories: private",
		"Audit log: ",
		"Users: not root",
		"Roles: separated, uids ",
		"Open files: enough",
		"Disk space: enough",
	};
	struct valid	 f;
	struct findings	 found = { 0 };
	size_t		 i;

	valid_init(&f, networks[_i]);
	/* It need not be there when it is that of somebody else's disk. */
	f.v.when = VALIDATE_CONFIG;
	validate_run(&f.v, &found);
	for (i = 0; i < found.n; i++)
		ck_assert_msg(found.v[i].severity == SEV_OK, "%s: %s",
		    found.v[i].rule, found.v[i].message);
	ck_assert_int_eq(findings_worst(&found), SEV_OK);
	if (geteuid() != 0)
		goto out;
	for (i = 0; _i == 0 && i < LEN(lines); i++) {
		ck_assert_uint_lt(i, found.n);
		ck_assert_msg(strncmp(found.v[i].message, lines[i],
		    strlen(lines[i])) == 0, "%s", found.v[i].message);
		/* A line that ends in a blank goes on. */
		if (lines[i][strlen(lines[i]) - 1] != ' ')
			ck_assert_str_eq(found.v[i].message, lines[i]);
	}
	if (_i == 0)
		ck_assert_uint_eq(found.n, LEN(lines));
out:
	findings_free(&found);
	valid_free(&f);
}
END_TEST

/* No rule keeps another from being run. */
START_TEST(test_all_at_once)
{
	const struct validate_rule_info	*r;
	const struct finding		*w;
	struct valid			 f;
	struct findings			 found = { 0 };
	size_t				 i, k, n;

	n = validate_rules(&r);
	valid_init(&f, networks[_i]);
	valid_spoil(&f);
	f.v.when = ALL;
	validate_run(&f.v, &found);
	valid_edit(&f, "service.passphrase_rotation_enabled = false\n"
	    "service.use_encrypted_secrets = false");
	validate_run(&f.v, &found);
	for (i = 0; i < n; i++) {
		w = valid_finding(&found, r[i].name, &k);
		if (r[i].severity[_i] == SEV_OK) {
			ck_assert_msg(w == NULL, "%s", r[i].name);
			continue;
		}
		if (strcmp(r[i].name, "network-mode") == 0)
			continue;
#ifdef ENV_SECRETS
		if (strcmp(r[i].name, "encrypted-secrets") == 0 && _i > 0)
			continue;
#endif
		ck_assert_msg(w != NULL && w->severity >= SEV_DEBUG &&
		    w->severity >= r[i].severity[_i], "%s on %s", r[i].name,
		    kaspa_network_name(networks[_i]));
	}
	findings_free(&found);
	valid_free(&f);
}
END_TEST

/* Values are overwritten where they stand, names go. */
START_TEST(test_env_wiped)
{
	static char	 entries[][64] = {
		"IGRA_SECRET__a=" VALID_SECRET, "IGRA_SECRET__b=x",
		"KASPA_IGRA_WALLET_SECRET=" VALID_SECRET,
		"IGRA_SECRETS_PASSPHRASE=" VALID_SECRET,
		"IGRA_SECRET__=", "IGRA_KEPT=" VALID_SECRET,
	};
	char		*eq, name[64];
	size_t		 i, j;

	for (i = 0; i < LEN(entries); i++)
		ck_assert_int_eq(putenv(entries[i]), 0);
	env_wipe_secrets();
	for (i = 0; i < LEN(entries) - 1; i++) {
		eq = strchr(entries[i], '=');
		(void)strlcpy(name, entries[i], sizeof(name));
		name[eq - entries[i]] = '\0';
		ck_assert_ptr_null(getenv(name));
		for (j = (size_t)(eq + 1 - entries[i]); j < sizeof(entries[i]);
		    j++)
			ck_assert_int_eq(entries[i][j], '\0');
	}
	ck_assert_str_eq(getenv("IGRA_KEPT"), VALID_SECRET);
	env_wipe_secrets();
}
END_TEST

/* What every program does first, with what it prints. */
START_TEST(test_environment)
{
	static const int	 want[] = { -1, 0, 0 };
	char			 text[4096];
	FILE			*err;
	size_t			 n;
	int			 saved;

	setenv("IGRA_SECRET__x", VALID_SECRET, 1);
	setenv("IGRA_SECRETS_PASSPHRASE", VALID_SECRET, 1);
	ck_assert_ptr_nonnull(err = tmpfile());
	ck_assert_int_ne(saved = dup(STDERR_FILENO), -1);
	ck_assert_int_ne(dup2(fileno(err), STDERR_FILENO), -1);
	log_init("test", 1);
	ck_assert_int_eq(validate_environment(networks[_i], true), want[_i]);
	/* Kept for the program that may use it, unless it must stop. */
	ck_assert_int_eq(getenv("IGRA_SECRET__x") != NULL, _i > 0);
	(void)validate_environment(networks[_i], false);
	ck_assert_ptr_null(getenv("IGRA_SECRET__x"));
	ck_assert_int_ne(dup2(saved, STDERR_FILENO), -1);
	rewind(err);
	n = fread(text, 1, sizeof(text) - 1, err);
	text[n] = '\0';
	ck_assert_ptr_null(strstr(text, VALID_SECRET));
	ck_assert_int_eq(strstr(text, "IGRA_SECRET__x") != NULL, _i < 2);
	ck_assert_int_eq(strstr(text, "error: [Secrets]") != NULL, _i == 0);
	ck_assert_int_eq(strstr(text, "WARNING: [Secrets]") != NULL, _i == 1);
	fclose(err);
}
END_TEST

START_TEST(test_names)
{
	struct findings	 f = { 0 };

	ck_assert_str_eq(validate_category_name(CAT_SECRETS), "Secrets");
	ck_assert_str_eq(validate_category_name(CAT_RPC_ENDPOINT),
	    "RpcEndpoint");
	ck_assert_str_eq(validate_category_name(CAT_CONFIGURATION),
	    "Configuration");
	ck_assert_str_eq(validate_category_name(CAT_LOGGING), "Logging");
	ck_assert_str_eq(validate_category_name(CAT_FILE_PERMISSIONS),
	    "FilePermissions");
	ck_assert_str_eq(validate_category_name(CAT_STARTUP), "Startup");
	ck_assert_str_eq(validate_category_name(CAT_NETWORK), "Network");
	ck_assert_str_eq(validate_severity_name(SEV_ERROR), "error");
	ck_assert_str_eq(validate_severity_name(SEV_WARNING), "warning");
	ck_assert_str_eq(validate_severity_name(SEV_DEBUG), "debug");
	ck_assert_str_eq(validate_severity_name(SEV_UNCHECKED), "unchecked");
	ck_assert_int_eq(findings_worst(&f), SEV_OK);
	f.failed = true;	/* out of memory is never "all well" */
	ck_assert_int_eq(findings_worst(&f), SEV_ERROR);
	ck_assert_ptr_null(findings_first(&f, SEV_ERROR));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("validate");
	TCase	*tc = tcase_create("validate");
	SRunner	*r;
	int	 failed;

	tcase_add_loop_test(tc, test_row, 0, (int)valid_nrows * 3);
	tcase_add_test(tc, test_design);
	tcase_add_test(tc, test_nothing_untested);
	tcase_add_loop_test(tc, test_all_well, 0, 3);
	tcase_add_loop_test(tc, test_all_at_once, 0, 3);
	tcase_add_test(tc, test_env_wiped);
	tcase_add_loop_test(tc, test_environment, 0, 3);
	tcase_add_test(tc, test_names);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
