#include <stdio.h>
#include <string.h>

#include "bip32.h"
#include "bip39.h"
#include "derive.h"
#include "own.h"
#include "secmem.h"
#include "utf8.h"
#include "walletcrypt.h"

/* All that exists on the way from a phrase to a key, in the arena. */
struct scratch {
	uint8_t		 text[WALLETCRYPT_MAX_PLAIN];
	char		 phrase[BIP39_PHRASE_MAX];
	uint8_t		 seed[BIP39_SEED_LEN];
	struct bip32_prv key;
};

static void		 note_access(struct key_accesses *, const char *,
			    const char *);
static enum proto_code	 derive_raw(const struct conf *, const uint8_t *,
			    size_t, const char *, struct key *,
			    struct key_accesses *, char *, size_t);
static enum proto_code	 derive_hd(const struct conf *, const uint8_t *,
			    size_t, const uint8_t *, const char *,
			    struct key *, struct key_accesses *,
			    struct secret_facts *, char *, size_t);
static enum proto_code	 find_phrase(const struct conf *, const uint8_t *,
			    size_t, const uint8_t *, const char *,
			    struct scratch *, size_t *, const char **,
			    struct key *, struct key_accesses *,
			    struct secret_facts *, char *, size_t);
static int		 keep_node(const struct bip32_prv *, struct key *);
static enum proto_code	 phrase_to_key(const struct conf *, struct scratch *,
			    size_t, const uint8_t *, size_t, struct key *,
			    char *, size_t);

static void
note_access(struct key_accesses *a, const char *name, const char *backend)
{
	if (a == NULL || a->n == KEYRING_MAX_ACCESS)
		return;
	(void)strlcpy(a->a[a->n].name, name, sizeof(a->a[a->n].name));
	a->a[a->n].backend = backend;
	a->a[a->n].cached = false;
	a->n++;
}

enum proto_code
derive_key(const struct conf *c, const uint8_t *plain, size_t len,
    const uint8_t *layer1, const char *profile, struct key *k,
    struct key_accesses *acc, struct secret_facts *facts, char *err,
    size_t errlen)
{
	struct secret_facts	 none;
	enum proto_code		 code;

	if (facts == NULL)
		facts = &none;
	memset(facts, 0, sizeof(*facts));
	if (c->key_type == KEY_RAW_PRIVATE)
		code = derive_raw(c, plain, len, profile, k, acc, err, errlen);
	else
		code = derive_hd(c, plain, len, layer1, profile, k, acc,
		    facts, err, errlen);
	facts->known = true;
	facts->phrase = k->hd;
	if (code == CODE_NONE) {
		facts->has_pub = true;
		memcpy(facts->pub, k->pub, sizeof(facts->pub));
		facts->has_account = k->hd;
		memcpy(facts->account, k->account, sizeof(facts->account));
		facts->xpub_listed = k->hd && own_xpub_listed(c, k->account);
		memcpy(facts->fingerprint, k->fingerprint,
		    sizeof(facts->fingerprint));
	}
	return code;
}

static enum proto_code
derive_raw(const struct conf *c, const uint8_t *plain, size_t len,
    const char *profile, struct key *k, struct key_accesses *acc, char *err,
    size_t errlen)
{
	const uint8_t	*val;
	size_t		 vallen;

	if (secret_name(SECRET_KIND_PRIVATE_KEY, profile, k->ref) == -1 ||
	    !isec_find(plain, len, k->ref, &val, &vallen)) {
		snprintf(err, errlen, "the secrets file has no "
		    SECRET_KEY_PREFIX "%s: add it with secrets-admin set",
		    profile);
		return CODE_KEY_NOT_FOUND;
	}
	(void)c;
	k->backend = KEY_BACKEND_FILE;
	k->hd = false;
	note_access(acc, k->ref, k->backend);
	if (vallen != 32 || curve_keypair(val, k->pair, k->pub) == -1) {
		snprintf(err, errlen, "%s is not a private key of 32 bytes",
		    k->ref);
		return CODE_KEY_NOT_FOUND;
	}
	return CODE_NONE;
}

/*
 * A phrase stands either in the config, under layer 1, or in the secrets
 * file.  Both at once is an error: nobody could say which one signs.
 */
static enum proto_code
find_phrase(const struct conf *c, const uint8_t *plain, size_t len,
    const uint8_t *layer1, const char *profile, struct scratch *s,
    size_t *phraselen, const char **paysecret, struct key *k,
    struct key_accesses *acc, struct secret_facts *facts, char *err,
    size_t errlen)
{
	static char	 payname[NAME_BUF];
	const uint8_t	*val;
	const char	*errstr;
	size_t		 vallen;
	ssize_t		 n;
	bool		 in_file, active;

	active = strcmp(profile, c->active_profile) == 0;
	if (secret_name(SECRET_KIND_MNEMONIC, profile, k->ref) == -1) {
		snprintf(err, errlen, "%s is no profile name", profile);
		return CODE_KEY_NOT_FOUND;
	}
	in_file = isec_find(plain, len, k->ref, &val, &vallen);
	if (active && c->encrypted_mnemonics.n > 0) {
		if (in_file) {
			facts->two_phrases = true;
			snprintf(err, errlen, "there are two phrases for %s: "
			    "%s in the secrets file and one in "
			    "service.hd.encrypted_mnemonics: remove one",
			    profile, k->ref);
			return CODE_KEY_NOT_FOUND;
		}
		if (layer1 == NULL) {
			snprintf(err, errlen, "service.hd.encrypted_mnemonics "
			    "needs %s in the secrets file", SECRET_WALLET);
			return CODE_KEY_NOT_FOUND;
		}
		if (walletcrypt_decrypt(c->encrypted_mnemonics.v[0],
		    strlen(c->encrypted_mnemonics.v[0]), layer1, s->text,
		    sizeof(s->text), &vallen, &errstr) == -1) {
			snprintf(err, errlen,
			    "service.hd.encrypted_mnemonics[0]: %s", errstr);
			return CODE_KEY_NOT_FOUND;
		}
		val = s->text;
		(void)strlcpy(k->ref, KEY_REF_CONFIG, sizeof(k->ref));
		k->backend = KEY_BACKEND_CONFIG;
		note_access(acc, SECRET_WALLET, KEY_BACKEND_FILE);
		*paysecret = SECRET_PAYMENT;
	} else if (in_file) {
		k->backend = KEY_BACKEND_FILE;
		if (secret_name(SECRET_KIND_PAYMENT, profile, payname) == -1)
			return CODE_INTERNAL;
		*paysecret = payname;
	} else {
		snprintf(err, errlen, "the secrets file has no "
		    SECRET_MNEMONIC_PREFIX "%s: add it with secrets-admin "
		    "import-mnemonic --profile %s", profile, profile);
		return CODE_KEY_NOT_FOUND;
	}
	note_access(acc, k->ref, k->backend);
	if ((n = bip39_normalise((const char *)val, vallen, s->phrase)) == -1 ||
	    bip39_check(s->phrase, (size_t)n, err, errlen) == -1) {
		if (n == -1)
			snprintf(err, errlen, "the phrase of %s is too long",
			    profile);
		return CODE_KEY_NOT_FOUND;
	}
	*phraselen = (size_t)n;
	return CODE_NONE;
}

/* What derived keys are made from, and how others name this account. */
static int
keep_node(const struct bip32_prv *prv, struct key *k)
{
	if ((k->node = secmem_alloc(sizeof(*k->node))) == NULL ||
	    bip32_neuter(prv, &k->node->pub) == -1)
		return -1;
	memcpy(&k->node->prv, prv, sizeof(k->node->prv));
	own_account_id(&k->node->pub, k->account);
	return 0;
}

static enum proto_code
phrase_to_key(const struct conf *c, struct scratch *s, size_t phraselen,
    const uint8_t *pay, size_t paylen, struct key *k, char *err,
    size_t errlen)
{
	struct bip32_path	 path;
	const char		*errstr;
	uint8_t			 master[33];

	if (bip32_path_parse(c->derivation_path, strlen(c->derivation_path),
	    &path, &errstr) == -1) {
		snprintf(err, errlen, "service.hd.derivation_path: %s",
		    errstr);
		return CODE_KEY_NOT_FOUND;
	}
	bip39_seed(s->phrase, phraselen, pay, paylen, s->seed);
	if (bip32_master(s->seed, sizeof(s->seed), &s->key) == -1 ||
	    curve_pubkey(s->key.key, master) == -1 ||
	    bip32_derive(&s->key, &path, &s->key) == -1 ||
	    curve_keypair(s->key.key, k->pair, k->pub) == -1) {
		snprintf(err, errlen, "this phrase and path give no valid "
		    "key");
		return CODE_KEY_NOT_FOUND;
	}
	bip32_fingerprint(master, k->fingerprint);
	if (keep_node(&s->key, k) == -1) {
		snprintf(err, errlen, "the secret arena is full");
		return CODE_INTERNAL;
	}
	return CODE_NONE;
}

static enum proto_code
derive_hd(const struct conf *c, const uint8_t *plain, size_t len,
    const uint8_t *layer1, const char *profile, struct key *k,
    struct key_accesses *acc, struct secret_facts *facts, char *err,
    size_t errlen)
{
	struct scratch	*s;
	const uint8_t	*pay = NULL;
	const char	*paysecret = NULL;
	size_t		 phraselen = 0, paylen = 0;
	enum proto_code	 code;

	if ((s = secmem_alloc(sizeof(*s))) == NULL) {
		snprintf(err, errlen, "the secret arena is full");
		return CODE_INTERNAL;
	}
	k->hd = true;
	code = find_phrase(c, plain, len, layer1, profile, s, &phraselen,
	    &paysecret, k, acc, facts, err, errlen);
	if (code != CODE_NONE)
		goto out;
	/* An empty payment secret is none (DESIGN 5). */
	if (isec_find(plain, len, paysecret, &pay, &paylen)) {
		note_access(acc, paysecret, KEY_BACKEND_FILE);
		facts->payment_there = true;
		facts->payment_utf8 = utf8_valid(pay, paylen);
		if (facts->payment_utf8)
			facts->payment_chars = (uint32_t)utf8_chars(pay,
			    paylen);
	}
	code = phrase_to_key(c, s, phraselen, pay, paylen, k, err, errlen);
out:
	secmem_free(s);
	return code;
}

int
derive_below(const struct key *account, const struct bip32_steps *below,
    struct key *leaf)
{
	struct bip32_prv	*prv;
	unsigned		 i;
	int			 ret = 0;

	if (account->node == NULL ||
	    (prv = secmem_alloc(sizeof(*prv))) == NULL)
		return -1;
	memcpy(prv, &account->node->prv, sizeof(*prv));
	for (i = 0; i < below->n && ret == 0; i++)
		ret = bip32_ckd_prv(prv, below->step[i], prv);
	if (ret == 0)
		ret = curve_keypair(prv->key, leaf->pair, leaf->pub);
	secmem_free(prv);
	memcpy(leaf->profile, account->profile, sizeof(leaf->profile));
	memcpy(leaf->ref, account->ref, sizeof(leaf->ref));
	memcpy(leaf->fingerprint, account->fingerprint,
	    sizeof(leaf->fingerprint));
	leaf->below = *below;
	leaf->backend = account->backend;
	leaf->hd = true;
	return ret;
}
