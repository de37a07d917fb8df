#include <sys/types.h>

#include <string.h>

#include "bip39.h"
#include "curve.h"
#include "log.h"
#include "names.h"
#include "sa_value.h"
#include "utf8.h"

#define PAYMENT_MIN	12	/* characters, DESIGN 9 */

static int	complain(const struct sa *, const char *, const char *);
static int	check_payment(const struct sa *, const char *,
		    const struct secret *);
static int	check_phrase(const struct sa *, const char *, struct secret *);
static int	check_key(const struct sa *, const char *,
		    const struct secret *);

/* Mainnet refuses, the others only say it. */
static int
complain(const struct sa *sa, const char *name, const char *what)
{
	if (sa->net == KASPA_MAINNET) {
		log_warnx("%s: %s", name, what);
		return SA_FAIL;
	}
	log_warning("%s: %s", name, what);
	return SA_OK;
}

static int
check_payment(const struct sa *sa, const char *name, const struct secret *v)
{
	size_t	 chars = utf8_chars(v->p, v->len);

	if (chars == SIZE_MAX) {
		log_warnx("%s: a payment secret is UTF-8 text", name);
		return SA_FAIL;
	}
	if (chars >= PAYMENT_MIN || sa->net == KASPA_DEVNET ||
	    sa->net == KASPA_SIMNET)
		return SA_OK;
	return complain(sa, name, "a payment secret has at least 12 "
	    "characters on mainnet: with it, the phrase alone gives no key");
}

static int
check_phrase(const struct sa *sa, const char *name, struct secret *v)
{
	struct secret	 norm = { 0 };
	char		 why[192];
	ssize_t		 n;
	int		 r;

	if (secret_alloc(&norm, BIP39_PHRASE_MAX) == -1) {
		log_warnx("out of memory");
		return SA_FAIL;
	}
	if ((n = bip39_normalise(v->p, v->len, norm.p)) == -1)
		(void)strlcpy(why, "phrase is too long", sizeof(why));
	if (n == -1 || bip39_check(norm.p, (size_t)n, why, sizeof(why)) ==
	    -1) {
		r = complain(sa, name, why);
		secret_free(&norm);
		return r;
	}
	norm.len = (size_t)n;
	secret_free(v);
	*v = norm;
	return SA_OK;
}

static int
check_key(const struct sa *sa, const char *name, const struct secret *v)
{
	uint8_t	 pub[33];

	if (v->len == 64 && sa->in == SA_TEXT)
		return complain(sa, name, "a private key is 32 bytes; for 64 "
		    "hex digits give --hex");
	if (v->len != 32)
		return complain(sa, name, "a private key is 32 bytes");
	if (curve_pubkey((const uint8_t *)v->p, pub) == -1)
		return complain(sa, name, "these 32 bytes are no private key "
		    "of secp256k1");
	return SA_OK;
}

int
sa_value_check(struct sa *sa, const char *name, struct secret *v)
{
	enum secret_kind	 kind;
	char			 profile[10];
	unsigned		 version;

	if (v->len > ISEC_VALUE_MAX) {
		log_warnx("%s: a value has at most 64 KiB", name);
		return SA_FAIL;
	}
	if (strcmp(name, SECRET_WALLET) == 0)
		return sa_pass_rule(sa, name, v);
	if (strcmp(name, SECRET_PAYMENT) == 0)
		return check_payment(sa, name, v);
	if (!secret_name_parse(name, strlen(name), &kind, profile, &version))
		return SA_OK;
	switch (kind) {
	case SECRET_KIND_PAYMENT:
		return check_payment(sa, name, v);
	case SECRET_KIND_MNEMONIC:
		return check_phrase(sa, name, v);
	case SECRET_KIND_PRIVATE_KEY:
		return check_key(sa, name, v);
	case SECRET_KIND_IROH:
		return v->len == 32 ? SA_OK :
		    complain(sa, name, "an iroh seed is 32 bytes");
	}
	return SA_OK;
}
