/* Rules about secrets: where they come from, how strong, how old. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "validate_int.h"

#define ENV_PREFIX		"IGRA_SECRET__"
#define ENV_WALLET		"KASPA_IGRA_WALLET_SECRET"
#define ENV_PASSPHRASE		"IGRA_SECRETS_PASSPHRASE"
#define PAYMENT_MIN_CHARS	12

extern char	**environ;

static bool	is_secret_var(const char *, size_t *);
static bool	is_wiped_var(const char *);

/* Is this "NAME=value" of the environment a secret?  *namelen is NAME's. */
static bool
is_secret_var(const char *entry, size_t *namelen)
{
	const char	*eq = strchr(entry, '=');

	if (eq == NULL)
		return false;
	*namelen = (size_t)(eq - entry);
	return strncmp(entry, ENV_PREFIX, strlen(ENV_PREFIX)) == 0 ||
	    (*namelen == strlen(ENV_WALLET) &&
	    strncmp(entry, ENV_WALLET, *namelen) == 0);
}

static bool
is_wiped_var(const char *entry)
{
	size_t	 len;

	return is_secret_var(entry, &len) || strncmp(entry,
	    ENV_PASSPHRASE "=", strlen(ENV_PASSPHRASE) + 1) == 0;
}

enum rule_result
rule_env_secrets(const struct validate *v, struct rule_out *o)
{
	size_t	 i, len, before = o->f->n;

	for (i = 0; environ != NULL && environ[i] != NULL; i++) {
		if (!is_secret_var(environ[i], &len))
			continue;
		if (v->network == KASPA_MAINNET)
			found(o, "the environment has %.*s: on mainnet secrets "
			    "come from the encrypted file only; store it with "
			    "secrets-admin set and unset the variable",
			    (int)len, environ[i]);
		else
#ifdef ENV_SECRETS
			found(o, "the environment has the secret %.*s; the "
			    "encrypted file is the place for it",
			    (int)len, environ[i]);
#else
			found(o, "the environment has %.*s, which this build "
			    "does not read: store it with secrets-admin set",
			    (int)len, environ[i]);
#endif
	}
	return o->f->n > before ? RULE_FOUND :
	    rule_ok(o, "Secrets in the environment: none");
}

enum rule_result
rule_env_passphrase(const struct validate *v, struct rule_out *o)
{
	(void)v;
	if (getenv(ENV_PASSPHRASE) == NULL)
		return rule_ok(o, "Passphrase in the environment: none");
	found(o, "the environment has %s, which every process of this user "
	    "can read: use the prompt, --passphrase-file or --passphrase-fd",
	    ENV_PASSPHRASE);
	return RULE_FOUND;
}

/* A name may be there more than once, and unsetenv() drops all at once. */
void
env_wipe_secrets(void)
{
	char	 name[512], *eq;
	size_t	 i, len;

	for (i = 0; environ != NULL && environ[i] != NULL; i++)
		if (is_wiped_var(environ[i]) &&
		    (eq = strchr(environ[i], '=')) != NULL)
			explicit_bzero(eq + 1, strlen(eq + 1));
	for (i = 0; environ != NULL && environ[i] != NULL; ) {
		len = strcspn(environ[i], "=");
		if (!is_wiped_var(environ[i]) || len >= sizeof(name)) {
			i++;
			continue;
		}
		memcpy(name, environ[i], len);
		name[len] = '\0';
		if (unsetenv(name) == -1)
			i++;
	}
}

enum rule_result
rule_encrypted_secrets(const struct validate *v, struct rule_out *o)
{
	if (v->conf == NULL)
		return RULE_NA;
	if (v->conf->use_encrypted_secrets)
		return rule_ok(o, "Encrypted secrets: enabled");
#ifdef ENV_SECRETS
	if (v->network != KASPA_MAINNET)
		return rule_ok(o, "Encrypted secrets: off, from the "
		    "environment");
#endif
	found(o, "service.use_encrypted_secrets is false: %s",
	    v->network == KASPA_MAINNET ?
	    "on mainnet secrets come from the encrypted file only" :
	    "this build has no other store");
	return RULE_FOUND;
}

enum rule_result
rule_secrets_open(const struct validate *v, struct rule_out *o)
{
	if (v->open_error == NULL)
		return RULE_OK;
	found(o, "the secrets file could not be examined: %s", v->open_error);
	return RULE_FOUND;
}

enum rule_result
rule_two_phrases(const struct validate *v, struct rule_out *o)
{
	if (!v->secrets.known)
		return RULE_NA;
	if (!v->secrets.two_phrases)
		return RULE_OK;
	found(o, "there are two phrases for the active profile: one in "
	    "service.hd.encrypted_mnemonics and one in the secrets file. "
	    "Nobody could say which one signs: remove one");
	return RULE_FOUND;
}

/*
 * A phrase has two layers: what hides it (the file's passphrase or
 * wallet_secret) and payment_secret, its BIP39 passphrase.  Either alone
 * gives no key, so one that leaks is not the end.
 */
enum rule_result
rule_payment_secret(const struct validate *v, struct rule_out *o)
{
	const struct secret_facts	*s = &v->secrets;
	bool				 in_conf;
	char				 name[64];

	if (v->conf != NULL && v->conf->key_type == KEY_RAW_PRIVATE)
		return rule_ok(o, "payment_secret: not needed for a raw "
		    "private key");
	if (!s->known)
		return rule_unknown(o, "payment_secret: not checked (%s)",
		    v->unchecked == NULL ? "the secrets file is not open" :
		    v->unchecked);
	if (!s->phrase)
		return rule_ok(o, "payment_secret: not needed for a raw "
		    "private key");
	in_conf = v->conf != NULL && v->conf->encrypted_mnemonics.n > 0;
	(void)snprintf(name, sizeof(name), in_conf ?
	    "igra.hd.payment_secret" : "igra.signer.payment_secret_%s",
	    v->conf == NULL ? "signer-NN" : v->conf->active_profile);
	if (s->payment_there && !s->payment_utf8) {
		found_as(o, SEV_ERROR, "%s is not valid UTF-8", name);
		return RULE_FOUND;
	}
	if (s->payment_there && s->payment_chars >= PAYMENT_MIN_CHARS)
		return rule_ok(o, "payment_secret: configured");
	found(o, "%s is %s: a phrase has two layers, the one that encrypts it "
	    "and payment_secret, its BIP39 passphrase, so that either alone "
	    "gives no key. It needs at least %d characters; note that it "
	    "changes the keys. Set it with: secrets-admin set %s", name,
	    !s->payment_there ? "missing" : s->payment_chars == 0 ? "empty" :
	    "too short", PAYMENT_MIN_CHARS, name);
	return RULE_FOUND;
}

enum rule_result
rule_passphrase(const struct validate *v, struct rule_out *o)
{
	if (!v->secrets.pass_known)
		return v->when == VALIDATE_CONFIG ?
		    rule_unknown(o, "Passphrase of the secrets file: not "
		    "checked (%s)", v->unchecked == NULL ?
		    "it was not given" : v->unchecked) : RULE_NA;
	if (v->secrets.pass == PASSPHRASE_OK)
		return rule_ok(o, "Passphrase of the secrets file: strong");
	found_as(o, v->secrets.pass == PASSPHRASE_WEAK ? SEV_WARNING :
	    SEV_ERROR, "the passphrase of the secrets file: %s Change it with "
	    "secrets-admin rotate-passphrase", v->secrets.pass_msg);
	return RULE_FOUND;
}

enum rule_result
rule_wallet_secret(const struct validate *v, struct rule_out *o)
{
	if (!v->secrets.wallet_known)
		return RULE_NA;
	if (v->secrets.wallet == PASSPHRASE_OK)
		return rule_ok(o, "wallet_secret: strong");
	found_as(o, v->secrets.wallet == PASSPHRASE_WEAK ? SEV_WARNING :
	    SEV_ERROR, "igra.hd.wallet_secret: %s Make a new one and encrypt "
	    "the phrase anew with secrets-admin encrypt-mnemonic",
	    v->secrets.wallet_msg);
	return RULE_FOUND;
}

enum rule_result
rule_passphrase_age(const struct validate *v, struct rule_out *o)
{
	uint64_t	 warn = 0, error = 0;

	if (v->conf != NULL && !v->conf->passphrase_rotation_enabled)
		return RULE_NA;
	if (!v->age_known)
		return v->when == VALIDATE_CONFIG ?
		    rule_unknown(o, "Passphrase age: not checked (the secrets "
		    "file cannot be read)") : RULE_NA;
	if (v->conf != NULL)
		conf_rotation_days(v->conf, v->network, &warn, &error);
	if (error != 0 && v->age_days >= error)
		found_as(o, SEV_ERROR, "the passphrase of the secrets file is "
		    "%llu days old; from %llu on it is refused: change it "
		    "with secrets-admin rotate-passphrase",
		    (unsigned long long)v->age_days,
		    (unsigned long long)error);
	else if (warn != 0 && v->age_days >= warn)
		found_as(o, SEV_WARNING, "the passphrase of the secrets file "
		    "is %llu days old: change it with secrets-admin "
		    "rotate-passphrase%s", (unsigned long long)v->age_days,
		    error != 0 ? " before it is refused" : "");
	else
		return rule_ok(o, "Passphrase age: %llu days",
		    (unsigned long long)v->age_days);
	return RULE_FOUND;
}

enum rule_result
rule_rotation_enabled(const struct validate *v, struct rule_out *o)
{
	if (v->conf->passphrase_rotation_enabled)
		return RULE_OK;
	found(o, "service.passphrase_rotation_enabled is false: nobody will "
	    "notice an old passphrase");
	return RULE_FOUND;
}
