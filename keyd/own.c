#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "own.h"

static int	init_redeem(struct own *, const struct conf *, const char **);
static int	init_xpubs(struct own *, const struct conf *, const char **);
static int	read_xpubs(struct own *, const struct conf *, const char **);
static int	init_branches(struct own *, const char **);

static int
init_redeem(struct own *o, const struct conf *c, const char **errstr)
{
	const char	*hex = c->redeem_script_hex;

	if (hex == NULL || *hex == '\0') {
		/* On mainnet own scripts are only what the config names. */
		o->p2pk = !o->mainnet && c->xpubs.n == 0;
		return 0;
	}
	if (sodium_hex2bin(o->redeem, sizeof(o->redeem), hex, strlen(hex),
	    NULL, &o->redeem_len, NULL) != 0 ||
	    script_multisig_parse(o->redeem, o->redeem_len,
	    &o->multisig) == -1 || o->multisig.ecdsa) {
		*errstr = "service.pskt.redeem_script_hex is no m-of-n "
		    "Schnorr multisig script";
		return -1;
	}
	o->has_redeem = true;
	script_p2sh(o->redeem, o->redeem_len, o->p2sh);
	return 0;
}

static int
read_xpubs(struct own *o, const struct conf *c, const char **errstr)
{
	size_t	 i, j;

	for (i = 0; i < c->xpubs.n; i++) {
		if (i == MULTISIG_MAX_KEYS) {
			*errstr = "service.hd.xpubs has more than 15 keys";
			return -1;
		}
		if (bip32_pub_decode(c->xpubs.v[i], strlen(c->xpubs.v[i]),
		    &o->xpub[i], NULL, errstr) == -1) {
			*errstr = "service.hd.xpubs has a key that is "
			    "mistyped, or neither kpub, ktub nor xpub";
			return -1;
		}
		for (j = 0; j < i; j++)
			if (memcmp(o->xpub[i].key, o->xpub[j].key,
			    sizeof(o->xpub[i].key)) == 0) {
				*errstr = "service.hd.xpubs has a key twice: "
				    "its signer would count as two";
				return -1;
			}
	}
	return 0;
}

/* Every path that is ours goes through one of these. */
static int
init_branches(struct own *o, const char **errstr)
{
	struct bip32_pub	*b, cosigner;
	uint32_t		 c, change;
	unsigned		 x;

	if ((o->branch = calloc(2 * (size_t)o->nxpub * o->nxpub,
	    sizeof(*o->branch))) == NULL) {
		*errstr = "out of memory";
		return -1;
	}
	*errstr = "service.hd.xpubs: a key has no keys below it";
	for (c = 0; c < o->nxpub; c++)
		for (x = 0; x < o->nxpub; x++) {
			if (bip32_ckd_pub(&o->xpub[x], c, &cosigner) == -1)
				return -1;
			for (change = 0; change < 2; change++) {
				b = &o->branch[(2 * c + change) * o->nxpub +
				    x];
				if (bip32_ckd_pub(&cosigner, change, b) == -1)
					return -1;
			}
		}
	return 0;
}

static int
init_xpubs(struct own *o, const struct conf *c, const char **errstr)
{
	if (bip32_path_parse(c->derivation_path, strlen(c->derivation_path),
	    &o->account, errstr) == -1 || read_xpubs(o, c, errstr) == -1)
		return -1;
	if (c->xpubs.n == 0 || !c->required_sigs.set)
		return 0;
	if (c->required_sigs.v == 0 || c->required_sigs.v > c->xpubs.n) {
		*errstr = "service.hd.required_sigs is more than there are "
		    "xpubs";
		return -1;
	}
	o->nxpub = (unsigned)c->xpubs.n;
	o->required = (unsigned)c->required_sigs.v;
	return init_branches(o, errstr);
}

int
own_init(struct own *o, const struct conf *c, const char **errstr)
{
	memset(o, 0, sizeof(*o));
	o->mainnet = c->network == KASPA_MAINNET;
	if (destinations_init(&o->dest, &c->policy.allowed_destinations,
	    errstr) == -1 || init_redeem(o, c, errstr) == -1)
		return -1;
	return init_xpubs(o, c, errstr);
}

void
own_free(struct own *o)
{
	destinations_free(&o->dest);
	free(o->branch);
	memset(o, 0, sizeof(*o));
}

struct own *
own_new(const struct conf *c, const char **errstr)
{
	struct own	*o;

	*errstr = "out of memory";
	if ((o = calloc(1, sizeof(*o))) == NULL)
		return NULL;
	if (own_init(o, c, errstr) == -1) {
		own_free(o);
		free(o);
		return NULL;
	}
	o->refs = 1;
	return o;
}

struct own *
own_ref(struct own *o)
{
	o->refs++;
	return o;
}

void
own_unref(struct own *o)
{
	if (o == NULL || --o->refs > 0)
		return;
	own_free(o);
	free(o);
}

void
own_account_id(const struct bip32_pub *p, uint8_t out[32])
{
	crypto_generichash_state	 st;

	(void)crypto_generichash_init(&st, NULL, 0, 32);
	(void)crypto_generichash_update(&st, p->key, sizeof(p->key));
	(void)crypto_generichash_update(&st, p->chain, sizeof(p->chain));
	(void)crypto_generichash_final(&st, out, 32);
	sodium_memzero(&st, sizeof(st));
}

bool
own_xpub_listed(const struct conf *c, const uint8_t id[32])
{
	struct bip32_pub	 p;
	const char		*errstr;
	uint8_t			 other[32];
	size_t			 i;

	for (i = 0; i < c->xpubs.n; i++) {
		if (bip32_pub_decode(c->xpubs.v[i], strlen(c->xpubs.v[i]), &p,
		    NULL, &errstr) == -1)
			continue;
		own_account_id(&p, other);
		if (memcmp(other, id, 32) == 0)
			return true;
	}
	return false;
}
