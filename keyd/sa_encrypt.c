/* secrets-admin: a phrase for the config, under layer 1 (DESIGN 5). */
#include <sys/types.h>

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "bip39.h"
#include "log.h"
#include "names.h"
#include "sa.h"
#include "walletcrypt.h"

static void	print_set(const struct sa *, const char *);
static int	one_place(const struct sa *, const struct isec_plain *);
static int	layer1_key(struct sa *, const struct isec_plain *,
		    struct secret *);
static void	advise_payment(const struct sa *, const struct isec_plain *);
static int	read_phrase(struct sa *, struct secret *);
static int	seal(const struct secret *, const struct secret *, char *,
		    size_t);

/* The command that sets a secret of this file. */
static void
print_set(const struct sa *sa, const char *name)
{
	(void)fprintf(stderr, "    secrets-admin --network %s",
	    kaspa_network_name(sa->net));
	if (sa->config != NULL) {
		(void)fputs(" --config", stderr);
		sa_print_word(sa->config);
	}
	(void)fputs(" --path", stderr);
	sa_print_word(sa->path);
	(void)fprintf(stderr, " set %s\n", name);
}

/* A phrase in the file as well is an error at unlock: say so now. */
static int
one_place(const struct sa *sa, const struct isec_plain *p)
{
	const char		*profile = sa->profile;
	struct isec_entry	 e;
	enum secret_kind	 kind;
	char			 found[10];
	unsigned		 version;
	size_t			 pos = 0;

	if (profile == NULL && sa->conf != NULL)
		profile = sa->conf->active_profile;
	while (isec_next(p->buf, p->len, &pos, &e)) {
		if (!secret_name_parse(e.name, e.namelen, &kind, found,
		    &version) || kind != SECRET_KIND_MNEMONIC)
			continue;
		if (profile == NULL) {
			log_warning("%s has the phrase of %s: its phrase may "
			    "not stand in the config as well (say whose this "
			    "is with --profile)", sa->path, found);
			continue;
		}
		if (strcmp(found, profile) != 0)
			continue;
		log_warnx("%s: %.*s is in the secrets file: a phrase stands "
		    "there or in the config, and both is an error; remove it "
		    "first if this one is to be used", sa->path,
		    (int)e.namelen, e.name);
		return SA_FAIL;
	}
	return SA_OK;
}

static int
layer1_key(struct sa *sa, const struct isec_plain *p, struct secret *key)
{
	struct secret	 wallet = { 0 };
	const uint8_t	*val;
	const char	*errstr;
	size_t		 len;
	int		 r;

	if (!isec_find(p->buf, p->len, SECRET_WALLET, &val, &len)) {
		log_warnx("%s has no " SECRET_WALLET ", which encrypts a "
		    "phrase for the config; set it first with:", sa->path);
		print_set(sa, SECRET_WALLET);
		return SA_FAIL;
	}
	if (secret_set(&wallet, val, len) == -1 ||
	    secret_alloc(key, WALLETCRYPT_KEY_LEN) == -1) {
		log_warnx("out of memory");
		r = SA_FAIL;
	} else
		r = sa_pass_rule(sa, SECRET_WALLET, &wallet);
	secret_free(&wallet);
	if (r != SA_OK)
		return r;
	if (walletcrypt_key(val, len, (uint8_t *)key->p, &errstr) == -1) {
		log_warnx("%s", errstr);
		return SA_FAIL;
	}
	key->len = WALLETCRYPT_KEY_LEN;
	return SA_OK;
}

/* Layer 2 is the other half; mainnet does not unlock without it. */
static void
advise_payment(const struct sa *sa, const struct isec_plain *p)
{
	const uint8_t	*val;
	size_t		 len;

	if (sa->net != KASPA_MAINNET && sa->net != KASPA_TESTNET)
		return;
	if (isec_find(p->buf, p->len, SECRET_PAYMENT, &val, &len) && len > 0)
		return;
	log_warning("%s has no " SECRET_PAYMENT ", the second layer of a "
	    "phrase in the config%s; set it with:", sa->path,
	    sa->net == KASPA_MAINNET ? ": mainnet does not unlock without "
	    "it" : "");
	print_set(sa, SECRET_PAYMENT);
}

static int
read_phrase(struct sa *sa, struct secret *norm)
{
	struct secret	 phrase = { 0 };
	char		 why[192];
	ssize_t		 n;
	int		 r;

	if ((r = sa_value(sa, "Phrase (12 or 24 words): ", &phrase)) != SA_OK)
		goto out;
	r = SA_FAIL;
	if (secret_alloc(norm, BIP39_PHRASE_MAX) == -1) {
		log_warnx("out of memory");
		goto out;
	}
	if ((n = bip39_normalise(phrase.p, phrase.len, norm->p)) == -1)
		(void)strlcpy(why, "it is too long", sizeof(why));
	if (n == -1 || bip39_check(norm->p, (size_t)n, why, sizeof(why)) ==
	    -1) {
		log_warnx("invalid BIP39 mnemonic: %s", why);
		goto out;
	}
	norm->len = (size_t)n;
	r = SA_OK;
out:
	secret_free(&phrase);
	return r;
}

/* What is printed has been decrypted again. */
static int
seal(const struct secret *key, const struct secret *phrase, char *text,
    size_t max)
{
	struct secret	 back = { 0 };
	const char	*errstr = "out of memory";
	const uint8_t	*k = (const uint8_t *)key->p;
	size_t		 len = 0;
	int		 r = SA_FAIL;

	if (secret_alloc(&back, WALLETCRYPT_MAX_PLAIN) == -1 ||
	    walletcrypt_encrypt((const uint8_t *)phrase->p, phrase->len, k,
	    text, max, &errstr) == -1 ||
	    walletcrypt_decrypt(text, strlen(text), k, (uint8_t *)back.p,
	    back.cap, &len, &errstr) == -1)
		log_warnx("%s", errstr);
	else if (len != phrase->len ||
	    sodium_memcmp(back.p, phrase->p, len) != 0)
		log_warnx("the encrypted phrase does not decrypt to what it "
		    "was: nothing is printed");
	else
		r = SA_OK;
	secret_free(&back);
	return r;
}

int
sa_encrypt(struct sa *sa)
{
	struct isec_header	 h;
	struct isec_plain	 p = { 0 };
	struct secret		 key = { 0 }, phrase = { 0 };
	char			 text[WALLETCRYPT_TEXT(BIP39_PHRASE_MAX)];
	int			 r;

	if ((r = sa_load(sa, &h, &p)) == SA_OK &&
	    (r = one_place(sa, &p)) == SA_OK &&
	    (r = layer1_key(sa, &p, &key)) == SA_OK &&
	    (r = read_phrase(sa, &phrase)) == SA_OK &&
	    (r = seal(&key, &phrase, text, sizeof(text))) == SA_OK) {
		advise_payment(sa, &p);
		(void)printf("encrypted_mnemonics = [\"%s\"]\n", text);
	}
	secret_free(&key);
	secret_free(&phrase);
	isec_plain_free(&p);
	return r;
}
