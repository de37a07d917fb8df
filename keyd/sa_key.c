/* secrets-admin: phrases, public keys, profiles. */
#include <sys/types.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "bip39.h"
#include "derive.h"
#include "log.h"
#include "names.h"
#include "sa.h"
#include "sa_audit.h"
#include "sa_value.h"
#include "secmem.h"
#include "walletcrypt.h"

#define ARENA	65536

struct rename {
	size_t			 n;
	char			(*from)[NAME_BUF];
	char			(*to)[NAME_BUF];
};

static int	arena(const struct sa *);
static bool	has_secret(const struct isec_plain *, enum secret_kind,
		    const char *);
static int	pick_type(const struct sa *, const struct isec_plain *,
		    struct conf *);
static int	layer1_key(const struct isec_plain *, uint8_t **);
static int	profile_key(const struct sa *, const struct conf *,
		    const struct isec_plain *, struct key *);
static void	print_profile(const struct sa *, const struct conf *,
		    const struct key *);
static int	print_pubkey(const struct sa *, const struct conf *,
		    const struct isec_plain *);
static int	print_xpub(const struct sa *, const struct conf *,
		    const struct isec_plain *);
static int	with_key(struct sa *, int (*)(const struct sa *,
		    const struct conf *, const struct isec_plain *));
static int	rename_collect(struct sa *, const struct isec_plain *,
		    struct rename *);
static int	change_rename(struct sa *, struct isec_plain *, void *);
static void	rename_report(struct sa *, const struct rename *);

int
sa_import(struct sa *sa)
{
	struct secret	 pass = { 0 }, phrase = { 0 }, norm = { 0 };
	char		 name[NAME_BUF], why[192];
	ssize_t		 n;
	int		 r;

	if (secret_name(SECRET_KIND_MNEMONIC, sa->profile, name) == -1)
		return SA_USAGE;
	if ((r = sa_pass_store(sa, &pass)) != SA_OK ||
	    (r = sa_value(sa, "Phrase (12 or 24 words): ", &phrase)) != SA_OK)
		goto out;
	r = SA_FAIL;
	if (secret_alloc(&norm, BIP39_PHRASE_MAX) == -1) {
		log_warnx("out of memory");
		goto out;
	}
	if ((n = bip39_normalise(phrase.p, phrase.len, norm.p)) == -1)
		(void)strlcpy(why, "it is too long", sizeof(why));
	if (n == -1 || bip39_check(norm.p, (size_t)n, why, sizeof(why)) ==
	    -1) {
		log_warnx("invalid BIP39 mnemonic: %s", why);
		goto out;
	}
	norm.len = (size_t)n;
	if ((r = sa_store(sa, name, &norm, &pass)) == SA_OK)
		(void)printf("imported mnemonic profile=%s secret_name=%s "
		    "path=%s\n", sa->profile, name, sa->path);
out:
	secret_free(&norm);
	secret_free(&phrase);
	secret_free(&pass);
	return r;
}

int
sa_verify(struct sa *sa)
{
	struct isec_header	 h;
	struct isec_plain	 p = { 0 };
	struct secret		 norm = { 0 };
	const uint8_t		*val;
	char			 name[NAME_BUF], why[192];
	size_t			 len, i, words = 1;
	ssize_t			 n;
	int			 r;

	if (secret_name(SECRET_KIND_MNEMONIC, sa->profile, name) == -1)
		return SA_USAGE;
	if ((r = sa_load(sa, &h, &p)) != SA_OK)
		return r;
	r = SA_FAIL;
	if (!isec_find(p.buf, p.len, name, &val, &len)) {
		log_warnx("%s: there is no secret %s", sa->path, name);
		goto out;
	}
	if (secret_alloc(&norm, BIP39_PHRASE_MAX) == -1) {
		log_warnx("out of memory");
		goto out;
	}
	if ((n = bip39_normalise((const char *)val, len, norm.p)) == -1)
		(void)strlcpy(why, "it is too long", sizeof(why));
	if (n == -1 || bip39_check(norm.p, (size_t)n, why, sizeof(why)) ==
	    -1) {
		log_warnx("%s: invalid BIP39 mnemonic: %s", name, why);
		goto out;
	}
	for (i = 0; i < (size_t)n; i++)
		words += norm.p[i] == ' ';
	(void)printf("mnemonic OK profile=%s words=%zu secret_name=%s "
	    "path=%s\n", sa->profile, words, name, sa->path);
	r = SA_OK;
out:
	secret_free(&norm);
	isec_plain_free(&p);
	return r;
}

static int
arena(const struct sa *sa)
{
	const char	*errstr;

	if (secmem_init(ARENA, 0, &errstr) == 0)
		return SA_OK;
	if (sa->net != KASPA_MAINNET && secmem_init_insecure(ARENA) == 0) {
		log_warning("memory is not locked: %s", errstr);
		return SA_OK;
	}
	log_warnx("memory for secrets: %s", errstr);
	return SA_FAIL;
}

static bool
has_secret(const struct isec_plain *p, enum secret_kind kind,
    const char *profile)
{
	const uint8_t	*val;
	size_t		 len;
	char		 name[NAME_BUF];

	return secret_name(kind, profile, name) == 0 &&
	    isec_find(p->buf, p->len, name, &val, &len);
}

/* --key-type, else what the config says, as far as the file has it. */
static int
pick_type(const struct sa *sa, const struct isec_plain *p, struct conf *c)
{
	bool	 raw, phrase;

	raw = has_secret(p, SECRET_KIND_PRIVATE_KEY, sa->profile);
	phrase = has_secret(p, SECRET_KIND_MNEMONIC, sa->profile) ||
	    (c->encrypted_mnemonics.n > 0 &&
	    strcmp(c->active_profile, sa->profile) == 0);
	if (sa->key_type != NULL) {
		if (strcmp(sa->key_type, "hd_mnemonic") == 0 ||
		    strcmp(sa->key_type, "mnemonic") == 0)
			c->key_type = KEY_HD_MNEMONIC;
		else if (strcmp(sa->key_type, "raw_private_key") == 0 ||
		    strcmp(sa->key_type, "raw") == 0 ||
		    strcmp(sa->key_type, "private_key") == 0)
			c->key_type = KEY_RAW_PRIVATE;
		else {
			log_warnx("--key-type is hd_mnemonic or "
			    "raw_private_key");
			return SA_USAGE;
		}
	} else if (raw && phrase && sa->conf == NULL) {
		log_warnx("%s has a phrase and a private key: say which with "
		    "--key-type hd_mnemonic or raw_private_key", sa->profile);
		return SA_FAIL;
	} else if (!raw || !phrase) {
		if (sa->conf != NULL && (raw || phrase) &&
		    raw != (c->key_type == KEY_RAW_PRIVATE))
			log_warning("the config's key_type is the other kind "
			    "of key");
		c->key_type = raw ? KEY_RAW_PRIVATE : KEY_HD_MNEMONIC;
	}
	return SA_OK;
}

/* NULL in *key: the file has no wallet secret. */
static int
layer1_key(const struct isec_plain *p, uint8_t **key)
{
	const uint8_t	*val;
	const char	*errstr;
	size_t		 len;

	*key = NULL;
	if (!isec_find(p->buf, p->len, SECRET_WALLET, &val, &len))
		return SA_OK;
	if ((*key = secmem_alloc(WALLETCRYPT_KEY_LEN)) == NULL) {
		log_warnx("out of memory");
		return SA_FAIL;
	}
	if (walletcrypt_key(val, len, *key, &errstr) == 0)
		return SA_OK;
	log_warnx("%s", errstr);
	return SA_FAIL;
}

/* The profile's key, as igra-keyd would have it. */
static int
profile_key(const struct sa *sa, const struct conf *c,
    const struct isec_plain *p, struct key *k)
{
	uint8_t	*layer1 = NULL;
	char	 err[512] = "";
	int	 r;

	memset(k, 0, sizeof(*k));
	if ((k->pair = secmem_alloc(sizeof(*k->pair))) == NULL) {
		log_warnx("out of memory");
		return SA_FAIL;
	}
	if (c->encrypted_mnemonics.n > 0 &&
	    (r = layer1_key(p, &layer1)) != SA_OK)
		return r;
	if (derive_key(c, p->buf, p->len, layer1, sa->profile, k, NULL, NULL,
	    err, sizeof(err)) == CODE_NONE)
		return SA_OK;
	log_warnx("%s: %s", sa->path, err);
	return SA_FAIL;
}

static void
print_profile(const struct sa *sa, const struct conf *c, const struct key *k)
{
	(void)printf("profile: %s\nkey_ref: %s\n", sa->profile, k->ref);
	if (k->hd)
		(void)printf("derivation_path: %s\n",
		    c->derivation_path[0] == '\0' ? "m" : c->derivation_path);
}

static int
print_pubkey(const struct sa *sa, const struct conf *c,
    const struct isec_plain *p)
{
	struct key		 k;
	struct kaspa_address	 a;
	char			 text[ADDRESS_MAX], hex[67];
	int			 r;

	if ((r = profile_key(sa, c, p, &k)) != SA_OK)
		return r;
	memset(&a, 0, sizeof(a));
	a.network = sa->net;
	a.version = ADDRESS_SCHNORR;
	a.len = 32;
	memcpy(a.payload, k.pub + 1, 32);
	address_encode(&a, text);
	(void)sodium_bin2hex(hex, sizeof(hex), k.pub, 33);
	print_profile(sa, c, &k);
	(void)printf("public_key: %s\npublic_key_compressed: %s\n"
	    "address: %s\n", hex + 2, hex, text);
	return SA_OK;
}

/* What service.hd.xpubs wants of each signer, and how others name it. */
static int
print_xpub(const struct sa *sa, const struct conf *c,
    const struct isec_plain *p)
{
	struct key		 k;
	char			 text[BIP32_XKEY_MAX];
	char			 hex[2 * sizeof(k.fingerprint) + 1];
	int			 r;

	if ((r = profile_key(sa, c, p, &k)) != SA_OK)
		return r;
	if (k.node == NULL) {
		log_warnx("%s: %s is a single key: only a phrase has an "
		    "extended public key", sa->path, k.ref);
		return SA_FAIL;
	}
	bip32_pub_encode(&k.node->pub, sa->net == KASPA_MAINNET ? BIP32_KPUB :
	    BIP32_KTUB, text);
	(void)sodium_bin2hex(hex, sizeof(hex), k.fingerprint,
	    sizeof(k.fingerprint));
	print_profile(sa, c, &k);
	(void)printf("fingerprint: %s\nxpub: %s\n", hex, text);
	return SA_OK;
}

/* Opens the file and prints something of a profile's key. */
static int
with_key(struct sa *sa, int (*print)(const struct sa *, const struct conf *,
    const struct isec_plain *))
{
	static char		 none[] = "";
	struct isec_header	 h;
	struct isec_plain	 p = { 0 };
	struct conf		 c;
	char			*path = NULL;
	int			 r;

	memset(&c, 0, sizeof(c));
	if (sa->conf != NULL)
		c = *sa->conf;
	else {
		c.derivation_path = none;
		c.active_profile = (char *)(uintptr_t)sa->profile;
	}
	if (sa->derivation_path != NULL) {
		if ((path = strdup(sa->derivation_path)) == NULL) {
			log_warnx("out of memory");
			return SA_FAIL;
		}
		c.derivation_path = path;
	}
	if ((r = arena(sa)) == SA_OK && (r = sa_load(sa, &h, &p)) == SA_OK &&
	    (r = pick_type(sa, &p, &c)) == SA_OK)
		r = print(sa, &c, &p);
	isec_plain_free(&p);
	secmem_wipe();
	free(path);
	return r;
}

int
sa_pubkey(struct sa *sa)
{
	return with_key(sa, print_pubkey);
}

int
sa_xpub(struct sa *sa)
{
	return with_key(sa, print_xpub);
}

/* Every name of the old profile and what it becomes; .vN stays. */
static int
rename_collect(struct sa *sa, const struct isec_plain *p, struct rename *r)
{
	struct isec_entry	 e;
	enum secret_kind	 kind;
	char			 profile[10], *at;
	unsigned		 version;
	size_t			 pos = 0, max = (size_t)isec_count(p->buf,
				    p->len) + 1;

	r->from = calloc(max, sizeof(*r->from));
	r->to = calloc(max, sizeof(*r->to));
	if (r->from == NULL || r->to == NULL) {
		log_warnx("out of memory");
		return SA_FAIL;
	}
	while (isec_next(p->buf, p->len, &pos, &e)) {
		if (!secret_name_parse(e.name, e.namelen, &kind, profile,
		    &version))
			continue;
		if (strcmp(profile, sa->profile) == 0) {
			log_warnx("%s: %s has secrets already (%.*s)",
			    sa->path, sa->profile, (int)e.namelen, e.name);
			return SA_FAIL;
		}
		if (strcmp(profile, sa->old_profile) != 0)
			continue;
		memcpy(r->from[r->n], e.name, e.namelen);
		memcpy(r->to[r->n], e.name, e.namelen);
		/* Both names have nine characters, and it is there once. */
		at = strstr(r->to[r->n], sa->old_profile);
		memcpy(at, sa->profile, strlen(sa->profile));
		r->n++;
	}
	if (r->n > 0)
		return SA_OK;
	log_warnx("%s: %s has no secrets", sa->path, sa->old_profile);
	return SA_FAIL;
}

static int
change_rename(struct sa *sa, struct isec_plain *p, void *arg)
{
	struct rename	*r = arg;
	const char	*errstr;
	size_t		 i;
	int		 ret;

	if ((ret = rename_collect(sa, p, r)) != SA_OK)
		return ret;
	for (i = 0; i < r->n; i++)
		if (isec_rename(p, r->from[i], r->to[i], &errstr) == -1) {
			log_warnx("%s: %s: %s", sa->path, r->to[i], errstr);
			return SA_FAIL;
		}
	return SA_OK;
}

static void
rename_report(struct sa *sa, const struct rename *r)
{
	struct audit_change	*c;
	size_t			 i;

	if ((c = calloc(2 * r->n, sizeof(*c))) == NULL) {
		log_warning("out of memory: this change is not in the audit "
		    "log");
		return;
	}
	for (i = 0; i < r->n; i++) {
		c[2 * i].name = r->to[i];
		c[2 * i + 1].name = r->from[i];
		c[2 * i + 1].removed = true;
	}
	(void)audit_report(sa->conf, c, 2 * r->n);
	free(c);
}

int
sa_rename(struct sa *sa)
{
	struct rename	 ren = { 0 };
	struct sa_edit	 e = { .change = change_rename, .arg = &ren };
	struct secret	 pass = { 0 };
	int		 r;

	if ((r = sa_precheck(sa)) == SA_OK && (r = sa_pass_open(sa, &sa->pass,
	    NULL, "Secrets file passphrase: ", &pass)) == SA_OK &&
	    (r = sa_edit(sa, &e, &pass)) == SA_OK) {
		rename_report(sa, &ren);
		(void)printf("renamed profile old=%s new=%s secrets=%zu\n",
		    sa->old_profile, sa->profile, ren.n);
	}
	secret_free(&pass);
	free(ren.from);
	free(ren.to);
	return r;
}
