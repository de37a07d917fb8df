#include <sys/types.h>

#include <string.h>

#include <secp256k1_schnorrsig.h>
#include <sodium.h>

#include "curve.h"

/* The library's context is a process-wide resource, not daemon state. */
static secp256k1_context	*ctx;

int
curve_init(void)
{
	if (ctx != NULL)
		return 0;
	if (sodium_init() == -1)
		return -1;
	if ((ctx = secp256k1_context_create(SECP256K1_CONTEXT_NONE)) == NULL)
		return -1;
	return curve_rerandomize();
}

int
curve_rerandomize(void)
{
	uint8_t	 seed[32];
	int	 ok;

	if (ctx == NULL)
		return -1;
	randombytes_buf(seed, sizeof(seed));
	ok = secp256k1_context_randomize(ctx, seed);
	sodium_memzero(seed, sizeof(seed));
	return ok ? 0 : -1;
}

void
curve_free(void)
{
	if (ctx != NULL)
		secp256k1_context_destroy(ctx);
	ctx = NULL;
}

int
curve_keypair(const uint8_t seckey[32], secp256k1_keypair *kp, uint8_t pub[33])
{
	secp256k1_pubkey	 pk;
	size_t			 len = 33;

	if (ctx == NULL || !secp256k1_keypair_create(ctx, kp, seckey) ||
	    !secp256k1_keypair_pub(ctx, &pk, kp)) {
		sodium_memzero(kp, sizeof(*kp));
		return -1;
	}
	if (pub != NULL)
		(void)secp256k1_ec_pubkey_serialize(ctx, pub, &len, &pk,
		    SECP256K1_EC_COMPRESSED);
	return 0;
}

int
curve_pubkey(const uint8_t seckey[32], uint8_t pub[33])
{
	secp256k1_pubkey	 pk;
	size_t			 len = 33;

	if (ctx == NULL || !secp256k1_ec_pubkey_create(ctx, &pk, seckey))
		return -1;
	(void)secp256k1_ec_pubkey_serialize(ctx, pub, &len, &pk,
	    SECP256K1_EC_COMPRESSED);
	return 0;
}

int
curve_tweak(uint8_t key[32], const uint8_t tweak[32])
{
	if (ctx == NULL)
		return -1;
	return secp256k1_ec_seckey_tweak_add(ctx, key, tweak) ? 0 : -1;
}

int
curve_sign(const secp256k1_keypair *kp, const uint8_t msg[32],
    uint8_t sig[CURVE_SIG_LEN])
{
	uint8_t	 aux[32];
	int	 ok = 0;

	if (ctx != NULL) {
		randombytes_buf(aux, sizeof(aux));
		ok = secp256k1_schnorrsig_sign32(ctx, sig, msg, kp, aux);
		sodium_memzero(aux, sizeof(aux));
	}
	if (!ok) {
		sodium_memzero(sig, CURVE_SIG_LEN);
		return -1;
	}
	return 0;
}

bool
curve_verify_own(const secp256k1_keypair *kp, const uint8_t msg[32],
    const uint8_t sig[CURVE_SIG_LEN])
{
	secp256k1_xonly_pubkey	 pk;

	return ctx != NULL &&
	    secp256k1_keypair_xonly_pub(ctx, &pk, NULL, kp) &&
	    secp256k1_schnorrsig_verify(ctx, sig, msg, 32, &pk);
}

/*
 * The array lies where the frames of the functions called before were; the
 * compiler must neither inline this nor find the stores useless.
 */
__attribute__((noinline)) void
stack_scrub(void)
{
	uint8_t	 a[STACK_SCRUB_LEN];

	explicit_bzero(a, sizeof(a));
}
