#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "curve.h"
#include "isec.h"
#include "kg_files.h"
#include "log.h"
#include "names.h"
#include "passphrase.h"
#include "secrets_file.h"
#include "utf8.h"

#define PAYMENT_MIN	12	/* characters, on mainnet */

static int		 from_file(const struct kg_opts *, const char *,
			    const char *, struct secret *);
static int		 find_passphrase(struct kg_opts *, struct secret *);
static const char	*payment_form(const struct secret *);
static int		 put_signer(struct isec_plain *, enum kg_key_type,
			    const struct kg_signer *, const struct secret *);
static int		 put(struct isec_plain *, enum secret_kind,
			    const char *, const void *, size_t);
static int		 save(const struct kg_opts *, const char *,
			    const struct isec_plain *, const struct secret *);
static int		 verify(const char *, const struct kg_set *, unsigned,
			    unsigned, const struct secret *);
static int		 verify_signer(const struct isec_plain *,
			    const struct kg_set *, unsigned);

static int
from_file(const struct kg_opts *o, const char *what, const char *path,
    struct secret *out)
{
	char	 err[512];

	if (readpass_file(path, o->network != KASPA_MAINNET, out, err,
	    sizeof(err)) == -1) {
		log_warnx("%s: %s", what, err);
		return -1;
	}
	if (err[0] != '\0' && o->network == KASPA_TESTNET)
		log_warning("%s", err);
	return 0;
}

/* From the first place that has one. */
static int
find_passphrase(struct kg_opts *o, struct secret *out)
{
	char	 err[256];
	int	 r;

	if (o->pass.p != NULL) {
		*out = o->pass;
		memset(&o->pass, 0, sizeof(o->pass));
		return 0;
	}
	if (o->pass_file != NULL)
		return from_file(o, "the passphrase", o->pass_file, out);
	if (o->pass_fd != -1)
		r = readpass_fd(o->pass_fd, out, err, sizeof(err));
	else if (o->env.p != NULL) {
		*out = o->env;
		memset(&o->env, 0, sizeof(o->env));
		return 0;
	} else {
		(void)fprintf(stderr, "%s\n", passphrase_rule(o->network));
		r = readpass_new("Passphrase of the secrets file: ", out, err,
		    sizeof(err));
	}
	if (r == -1)
		log_warnx("the passphrase: %s", err);
	return r;
}

int
kg_passphrase(struct kg_opts *o, struct secret *out)
{
	const char	*context[3] = { NULL, NULL, NULL }, *base;
	char		 msg[PASSPHRASE_MSG];

	if (!kg_opts_files(o))
		return 0;
	if (find_passphrase(o, out) == -1)
		return -1;
	base = strrchr(o->output, '/');
	context[0] = base == NULL ? o->output : base + 1;
	context[1] = o->profile;
	switch (passphrase_check(o->network, out->p, out->len, context, msg,
	    sizeof(msg))) {
	case PASSPHRASE_OK:
		return 0;
	case PASSPHRASE_WEAK:
		log_warning("%s", msg);
		return 0;
	case PASSPHRASE_REFUSED:
		break;
	}
	log_warnx("%s", msg);
	return -1;
}

/* Its bytes count as they are: nothing that a hand would not type again. */
static const char *
payment_form(const struct secret *s)
{
	const uint8_t	*p = (const uint8_t *)s->p;
	size_t		 at, n;
	int32_t		 c;

	for (at = 0; at < s->len; at += n) {
		if ((c = utf8_decode(p + at, s->len - at, &n)) == -1)
			return "is not UTF-8";
		if (utf8_is_space(c) && (at == 0 || at + n == s->len))
			return "has white space at its start or end";
		if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			return "has a control character in it";
	}
	return s->len > PASSPHRASE_MAX ? "is longer than 1024 bytes" : NULL;
}

int
kg_payment(struct kg_opts *o, struct secret *out)
{
	bool		 mainnet = o->network == KASPA_MAINNET;
	const char	*why;
	char		 err[256];
	size_t		 chars;

	if (o->key_type != KG_HD)
		return 0;
	if (o->payment.p != NULL) {
		*out = o->payment;
		memset(&o->payment, 0, sizeof(o->payment));
	} else if (o->payment_file != NULL) {
		if (from_file(o, "the payment secret", o->payment_file, out) ==
		    -1)
			return -1;
	} else if (mainnet) {
		(void)fprintf(stderr, "The payment secret is the BIP39 "
		    "passphrase of the new phrase: at least %d characters.\n",
		    PAYMENT_MIN);
		if (readpass_new("Payment secret: ", out, err, sizeof(err)) ==
		    -1) {
			log_warnx("the payment secret: %s", err);
			return -1;
		}
	}
	if (out->p != NULL && (why = payment_form(out)) != NULL) {
		log_warnx("the payment secret %s", why);
		return -1;
	}
	chars = out->p == NULL ? 0 : utf8_chars(out->p, out->len);
	if (chars >= PAYMENT_MIN || o->network == KASPA_DEVNET ||
	    o->network == KASPA_SIMNET)
		return 0;
	if (mainnet) {
		log_warnx("the payment secret has %zu characters; mainnet "
		    "needs at least %d", chars, PAYMENT_MIN);
		return -1;
	}
	log_warning("%s", chars == 0 ? "phrases without a payment secret" :
	    "a payment secret of less than 12 characters");
	return 0;
}

int
kg_path(const struct kg_opts *o, const struct kg_signer *s, char *out)
{
	int	 n;

	n = snprintf(out, PATH_MAX, "%s/%s/secrets.bin", o->output_dir,
	    s->profile);
	if (n > 0 && n < PATH_MAX)
		return 0;
	log_warnx("%s: path is too long", o->output_dir);
	return -1;
}

int
kg_check_free(const struct kg_opts *o, const char *path)
{
	struct stat	 st;

	if (o->overwrite)
		return 0;
	if (lstat(path, &st) == 0) {
		log_warnx("%s is there already; --overwrite replaces it and "
		    "the keys in it", path);
		return -1;
	}
	if (errno == ENOENT)
		return 0;
	log_warn("%s", path);
	return -1;
}

int
kg_make_dirs(const struct kg_opts *o, const struct kg_set *set)
{
	char		 path[PATH_MAX];
	unsigned	 i;
	int		 n;

	if (mkdir(o->output_dir, 0700) == -1 && errno != EEXIST) {
		log_warn("%s", o->output_dir);
		return -1;
	}
	for (i = 0; i < set->n; i++) {
		n = snprintf(path, sizeof(path), "%s/%s", o->output_dir,
		    set->signer[i].profile);
		if (n < 0 || (size_t)n >= sizeof(path)) {
			log_warnx("%s: path is too long", o->output_dir);
			return -1;
		}
		if (mkdir(path, 0700) == -1 && errno != EEXIST) {
			log_warn("%s", path);
			return -1;
		}
	}
	return 0;
}

static int
put(struct isec_plain *p, enum secret_kind kind, const char *profile,
    const void *val, size_t len)
{
	const char	*why = "no such profile";
	char		 name[NAME_BUF];

	if (secret_name(kind, profile, name) == 0 &&
	    isec_put(p, name, val, len, &why) == 0)
		return 0;
	log_warnx("%s: %s", profile, why);
	return -1;
}

static int
put_signer(struct isec_plain *p, enum kg_key_type type,
    const struct kg_signer *s, const struct secret *payment)
{
	switch (type) {
	case KG_HD:
		if (put(p, SECRET_KIND_MNEMONIC, s->profile, s->phrase,
		    strlen(s->phrase)) == -1)
			return -1;
		break;
	case KG_RAW:
		if (put(p, SECRET_KIND_PRIVATE_KEY, s->profile, s->key,
		    sizeof(s->key)) == -1)
			return -1;
		break;
	}
	/* An empty payment secret is none. */
	if (payment->len > 0 && put(p, SECRET_KIND_PAYMENT, s->profile,
	    payment->p, payment->len) == -1)
		return -1;
	return put(p, SECRET_KIND_IROH, s->profile, s->iroh_seed,
	    sizeof(s->iroh_seed));
}

static int
save(const struct kg_opts *o, const char *path, const struct isec_plain *plain,
    const struct secret *pass)
{
	struct isec_header	 h;
	struct secrets_txn	 txn;
	const char		*why;
	char			 err[512];
	uint8_t			*file = NULL;
	size_t			 len;
	int			 ret = -1;

	if (isec_header_init(&h, o->argon_m, o->argon_t, o->argon_p, &why) ==
	    -1 || isec_seal_pass(&h, (const uint8_t *)pass->p, pass->len,
	    plain, &file, &len, &why) == -1) {
		log_warnx("%s: %s", path, why);
		return -1;
	}
	if (secrets_begin(&txn, path, SECRETS_CREATE, err, sizeof(err)) == -1) {
		log_warnx("%s", err);
		free(file);
		return -1;
	}
	if (txn.exists && !o->overwrite)
		log_warnx("%s has appeared meanwhile; it is left alone", path);
	else if (secrets_commit(&txn, file, len, err, sizeof(err)) == -1)
		log_warnx("%s", err);
	else
		ret = 0;
	secrets_end(&txn);
	free(file);
	return ret;
}

static int
verify_signer(const struct isec_plain *p, const struct kg_set *set,
    unsigned i)
{
	const struct kg_signer	*s = &set->signer[i];
	const uint8_t		*key, *payment = NULL;
	char			 name[NAME_BUF];
	char			 phrase[BIP39_PHRASE_MAX] = "";
	uint8_t			 prv[32], pub[33];
	size_t			 len, paylen = 0;
	int			 ret = -1;

	if (secret_name(set->type == KG_HD ? SECRET_KIND_MNEMONIC :
	    SECRET_KIND_PRIVATE_KEY, s->profile, name) == -1 ||
	    !isec_find(p->buf, p->len, name, &key, &len))
		return -1;
	if (set->type == KG_RAW)
		return len == 32 && curve_pubkey(key, pub) == 0 &&
		    memcmp(pub, s->pub, sizeof(pub)) == 0 ? 0 : -1;
	if (secret_name(SECRET_KIND_PAYMENT, s->profile, name) == -1)
		return -1;
	(void)isec_find(p->buf, p->len, name, &payment, &paylen);
	if (len < sizeof(phrase)) {
		memcpy(phrase, key, len);
		if (kg_derive(phrase, payment, paylen, "", prv, pub) == 0 &&
		    memcmp(pub, s->pub, sizeof(pub)) == 0)
			ret = 0;
	}
	sodium_memzero(phrase, sizeof(phrase));
	sodium_memzero(prv, sizeof(prv));
	stack_scrub();
	return ret;
}

/* A key that cannot be had again is worth less than none. */
static int
verify(const char *path, const struct kg_set *set, unsigned first, unsigned n,
    const struct secret *pass)
{
	struct secrets_file	 f;
	struct isec_header	 h;
	struct isec_plain	 plain = { 0 };
	const char		*why = "cannot be read back";
	char			 err[512];
	uint8_t			 key[ISEC_KEY_LEN];
	unsigned		 i;
	int			 ret = -1;

	if (secrets_file_read(path, 0, &f, err, sizeof(err)) == -1) {
		log_warnx("%s", err);
		return -1;
	}
	if (isec_parse_header(f.data, f.len, &h, &why) == -1 ||
	    isec_derive(&h, (const uint8_t *)pass->p, pass->len, key, &why) ==
	    -1 || isec_plain_open(&plain, f.data, f.len, key, &why) == -1)
		goto out;
	why = "holds another key than the one that was made";
	for (i = first; i < first + n; i++)
		if (verify_signer(&plain, set, i) == -1)
			goto out;
	ret = 0;
out:
	if (ret == -1)
		log_warnx("%s: %s", path, why);
	sodium_memzero(key, sizeof(key));
	isec_plain_free(&plain);
	secrets_file_free(&f);
	return ret;
}

int
kg_write(const struct kg_opts *o, const char *path, const struct kg_set *set,
    unsigned first, unsigned n, const struct secret *pass,
    const struct secret *payment)
{
	struct isec_plain	 plain;
	unsigned		 i;
	int			 ret = -1;

	if (isec_plain_init(&plain) == -1) {
		log_warnx("out of memory");
		return -1;
	}
	for (i = first; i < first + n; i++)
		if (put_signer(&plain, set->type, &set->signer[i], payment) ==
		    -1)
			goto out;
	ret = save(o, path, &plain, pass);
out:
	isec_plain_free(&plain);
	return ret == -1 ? -1 : verify(path, set, first, n, pass);
}
