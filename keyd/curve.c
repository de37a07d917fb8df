#include <sys/types.h>

#include <string.h>

#include <secp256k1_schnorrsig.h>
#include <sodium.h>

#include "curve.h"

static void	registers_scrub(void);

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
 * Vector registers keep what ciphers and hashes last had in them until
 * somebody else needs them, which an idle daemon never does.
 */
static void
registers_scrub(void)
{
#if defined(__x86_64__)
	__asm__ volatile(
	    "pxor %%xmm0, %%xmm0\n\tpxor %%xmm1, %%xmm1\n\t"
	    "pxor %%xmm2, %%xmm2\n\tpxor %%xmm3, %%xmm3\n\t"
	    "pxor %%xmm4, %%xmm4\n\tpxor %%xmm5, %%xmm5\n\t"
	    "pxor %%xmm6, %%xmm6\n\tpxor %%xmm7, %%xmm7\n\t"
	    "pxor %%xmm8, %%xmm8\n\tpxor %%xmm9, %%xmm9\n\t"
	    "pxor %%xmm10, %%xmm10\n\tpxor %%xmm11, %%xmm11\n\t"
	    "pxor %%xmm12, %%xmm12\n\tpxor %%xmm13, %%xmm13\n\t"
	    "pxor %%xmm14, %%xmm14\n\tpxor %%xmm15, %%xmm15"
	    ::: "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
	    "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
	    "xmm14", "xmm15");
	/* Upper halves, and those that only EVEX knows: libc uses them. */
	if (__builtin_cpu_supports("avx"))
		__asm__ volatile("vzeroall" ::: "xmm0", "xmm1", "xmm2",
		    "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
		    "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	if (__builtin_cpu_supports("avx512f"))
		__asm__ volatile(
		    "vpxord %zmm16, %zmm16, %zmm16\n\t"
		    "vpxord %zmm17, %zmm17, %zmm17\n\t"
		    "vpxord %zmm18, %zmm18, %zmm18\n\t"
		    "vpxord %zmm19, %zmm19, %zmm19\n\t"
		    "vpxord %zmm20, %zmm20, %zmm20\n\t"
		    "vpxord %zmm21, %zmm21, %zmm21\n\t"
		    "vpxord %zmm22, %zmm22, %zmm22\n\t"
		    "vpxord %zmm23, %zmm23, %zmm23\n\t"
		    "vpxord %zmm24, %zmm24, %zmm24\n\t"
		    "vpxord %zmm25, %zmm25, %zmm25\n\t"
		    "vpxord %zmm26, %zmm26, %zmm26\n\t"
		    "vpxord %zmm27, %zmm27, %zmm27\n\t"
		    "vpxord %zmm28, %zmm28, %zmm28\n\t"
		    "vpxord %zmm29, %zmm29, %zmm29\n\t"
		    "vpxord %zmm30, %zmm30, %zmm30\n\t"
		    "vpxord %zmm31, %zmm31, %zmm31");
#elif defined(__aarch64__)
	__asm__ volatile(
	    "movi v0.2d, #0\n\tmovi v1.2d, #0\n\tmovi v2.2d, #0\n\t"
	    "movi v3.2d, #0\n\tmovi v4.2d, #0\n\tmovi v5.2d, #0\n\t"
	    "movi v6.2d, #0\n\tmovi v7.2d, #0\n\tmovi v16.2d, #0\n\t"
	    "movi v17.2d, #0\n\tmovi v18.2d, #0\n\tmovi v19.2d, #0\n\t"
	    "movi v20.2d, #0\n\tmovi v21.2d, #0\n\tmovi v22.2d, #0\n\t"
	    "movi v23.2d, #0\n\tmovi v24.2d, #0\n\tmovi v25.2d, #0\n\t"
	    "movi v26.2d, #0\n\tmovi v27.2d, #0\n\tmovi v28.2d, #0\n\t"
	    "movi v29.2d, #0\n\tmovi v30.2d, #0\n\tmovi v31.2d, #0"
	    ::: "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16", "v17",
	    "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26",
	    "v27", "v28", "v29", "v30", "v31");
#endif
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
	registers_scrub();
}
