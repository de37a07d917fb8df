#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "bip32.h"
#include "blake3.h"
#include "curve.h"
#include "kg_keys.h"

#define WALLET_PATH	"m/44'/111111'/0'/0/0"
#define EVM_PATH	"m/44'/60'/0'/0/0"

static int	new_phrase(char *);
static int	new_key(uint8_t [32], uint8_t [33]);
static int	make_signer(struct kg_signer *, enum kg_key_type,
		    const uint8_t *, size_t);
static int	by_pub(const void *, const void *);
static int	make_evm(struct kg_evm *);

struct kg_set *
kg_set_new(void)
{
	struct kg_set	*s;

	if (sodium_init() == -1 || curve_init() == -1 ||
	    (s = sodium_malloc(sizeof(*s))) == NULL)
		return NULL;
	sodium_memzero(s, sizeof(*s));
	return s;
}

void
kg_set_free(struct kg_set *s)
{
	sodium_free(s);
}

static int
new_phrase(char *phrase)
{
	uint8_t	 entropy[32];
	ssize_t	 n;

	randombytes_buf(entropy, sizeof(entropy));
	n = bip39_from_entropy(entropy, sizeof(entropy), phrase);
	sodium_memzero(entropy, sizeof(entropy));
	return n == -1 ? -1 : 0;
}

static int
new_key(uint8_t key[32], uint8_t pub[33])
{
	int	 tries;

	/* One of 2^128 numbers is none; a second one is a broken generator. */
	for (tries = 0; tries < 2; tries++) {
		randombytes_buf(key, 32);
		if (curve_pubkey(key, pub) == 0)
			return 0;
	}
	return -1;
}

int
kg_derive(const char *phrase, const uint8_t *payment, size_t paylen,
    const char *path, uint8_t key[32], uint8_t pub[33])
{
	struct bip32_path	 steps;
	struct bip32_prv	 prv;
	const char		*errstr;
	uint8_t			 seed[BIP39_SEED_LEN];
	int			 ret = -1;

	memset(&prv, 0, sizeof(prv));
	bip39_seed(phrase, strlen(phrase), payment, paylen, seed);
	if (bip32_path_parse(path, strlen(path), &steps, &errstr) == -1 ||
	    bip32_master(seed, sizeof(seed), &prv) == -1 ||
	    bip32_derive(&prv, &steps, &prv) == -1 ||
	    curve_pubkey(prv.key, pub) == -1)
		goto out;
	memcpy(key, prv.key, 32);
	ret = 0;
out:
	sodium_memzero(seed, sizeof(seed));
	bip32_wipe(&prv);
	return ret;
}

int
kg_iroh(struct kg_signer *s)
{
	struct blake3	 b;
	uint8_t		 digest[BLAKE3_OUT_LEN];
	uint8_t		 sk[crypto_sign_SECRETKEYBYTES];
	char		 hex[17];
	int		 n;

	if (crypto_sign_seed_keypair(s->iroh_pub, sk, s->iroh_seed) != 0)
		return -1;
	blake3_init(&b);
	blake3_update(&b, s->iroh_seed, sizeof(s->iroh_seed));
	blake3_final(&b, digest);
	(void)sodium_bin2hex(hex, sizeof(hex), digest, 8);
	n = snprintf(s->iroh_peer_id, sizeof(s->iroh_peer_id), "peer-%s", hex);
	sodium_memzero(&b, sizeof(b));
	sodium_memzero(digest, sizeof(digest));
	sodium_memzero(sk, sizeof(sk));
	return n == 21 ? 0 : -1;
}

static int
make_signer(struct kg_signer *s, enum kg_key_type type, const uint8_t *payment,
    size_t paylen)
{
	uint8_t	 key[32];
	int	 ret = -1;

	randombytes_buf(s->iroh_seed, sizeof(s->iroh_seed));
	if (kg_iroh(s) == -1)
		return -1;
	switch (type) {
	case KG_RAW:
		return new_key(s->key, s->pub);
	case KG_HD:
		/* derivation_path "" is the master key. */
		if (new_phrase(s->phrase) == 0)
			ret = kg_derive(s->phrase, payment, paylen, "", key,
			    s->pub);
		sodium_memzero(key, sizeof(key));
		break;
	}
	return ret;
}

static int
by_pub(const void *a, const void *b)
{
	const struct kg_signer	*x = a, *y = b;

	return memcmp(x->pub, y->pub, sizeof(x->pub));
}

int
kg_make_signers(struct kg_set *set, enum kg_key_type type, unsigned n,
    const char *profile, const uint8_t *payment, size_t paylen)
{
	struct kg_signer	 t;
	unsigned		 i, j;
	int			 ret = -1;

	if (n < 1 || n > MULTISIG_MAX_KEYS || (profile != NULL && n != 1))
		return -1;
	set->type = type;
	for (i = 0; i < n; i++)
		if (make_signer(&set->signer[i], type, payment, paylen) == -1)
			goto out;
	/* Insertion sort: qsort(3) may copy secrets to the heap. */
	for (i = 1; i < n; i++)
		for (j = i; j > 0 && by_pub(&set->signer[j - 1],
		    &set->signer[j]) > 0; j--) {
			t = set->signer[j];
			set->signer[j] = set->signer[j - 1];
			set->signer[j - 1] = t;
		}
	for (i = 0; i < n; i++)
		(void)snprintf(set->signer[i].profile, KG_PROFILE_LEN,
		    "signer-%02u", (i + 1) % 100);
	if (profile != NULL && strlcpy(set->signer[0].profile, profile,
	    KG_PROFILE_LEN) >= KG_PROFILE_LEN)
		goto out;
	set->n = n;
	ret = 0;
out:
	sodium_memzero(&t, sizeof(t));
	stack_scrub();
	return ret;
}

/*
 * Key and public key are derived; the address is Keccak-256 of the latter, and
 * stands in the header as the fact it is.
 */
static int
make_evm(struct kg_evm *e)
{
	secp256k1_pubkey	 point;
	uint8_t			 pub[33];
	size_t			 len = sizeof(e->pub);

	if (kg_derive(KG_EVM_PHRASE, NULL, 0, EVM_PATH, e->key, pub) == -1 ||
	    secp256k1_ec_pubkey_parse(secp256k1_context_static, &point, pub,
	    sizeof(pub)) != 1)
		return -1;
	return secp256k1_ec_pubkey_serialize(secp256k1_context_static, e->pub,
	    &len, &point, SECP256K1_EC_UNCOMPRESSED) == 1 ? 0 : -1;
}

int
kg_make_devnet(struct kg_set *set, unsigned n, bool two_digit)
{
	struct kg_validator	*v;
	unsigned		 i;
	int			 ret = -1;

	if (n > KG_MAX_VALIDATORS)
		return -1;
	if (new_phrase(set->wallet.phrase) == -1 ||
	    kg_derive(set->wallet.phrase, NULL, 0, WALLET_PATH,
	    set->wallet.key, set->wallet.pub) == -1 ||
	    make_evm(&set->evm) == -1)
		goto out;
	for (i = 0; i < n; i++) {
		v = &set->validator[i];
		if (new_key(v->key, v->pub) == -1)
			goto out;
		(void)snprintf(v->name, sizeof(v->name),
		    two_digit ? "validator-%02u" : "validator-%u", i + 1);
	}
	set->nvalidators = n;
	set->devnet = true;
	ret = 0;
out:
	stack_scrub();
	return ret;
}
