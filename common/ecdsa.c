#include <secp256k1.h>
#include <sodium.h>
#include <string.h>

#include "ecdsa.h"

#define DOMAIN	"TransactionSigningHashECDSA"

int
ecdsa_compact(const uint8_t *der, size_t len, uint8_t sig[64])
{
	secp256k1_ecdsa_signature	 s;

	if (!secp256k1_ecdsa_signature_parse_der(secp256k1_context_static, &s,
	    der, len))
		return -1;
	(void)secp256k1_ecdsa_signature_serialize_compact(
	    secp256k1_context_static, sig, &s);
	return 0;
}

/* rusty-kaspa consensus/core/src/hashing/sighash.rs */
void
ecdsa_digest(const uint8_t sighash[32], uint8_t digest[32])
{
	uint8_t	 b[64];

	(void)crypto_hash_sha256(b, (const uint8_t *)DOMAIN,
	    sizeof(DOMAIN) - 1);
	memcpy(b + 32, sighash, 32);
	(void)crypto_hash_sha256(digest, b, sizeof(b));
}

bool
ecdsa_key_valid(const uint8_t key[33])
{
	secp256k1_pubkey	 pk;

	return secp256k1_ec_pubkey_parse(secp256k1_context_static, &pk, key,
	    33);
}

bool
ecdsa_verify(const uint8_t key[33], const uint8_t digest[32],
    const uint8_t sig[64])
{
	secp256k1_ecdsa_signature	 s;
	secp256k1_pubkey		 pk;

	return secp256k1_ec_pubkey_parse(secp256k1_context_static, &pk, key,
	    33) &&
	    secp256k1_ecdsa_signature_parse_compact(secp256k1_context_static,
	    &s, sig) &&
	    secp256k1_ecdsa_verify(secp256k1_context_static, &s, digest, &pk);
}
