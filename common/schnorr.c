#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>

#include "schnorr.h"

bool
schnorr_key_valid(const uint8_t xonly[32])
{
	secp256k1_xonly_pubkey	 pk;

	return secp256k1_xonly_pubkey_parse(secp256k1_context_static, &pk,
	    xonly);
}

bool
schnorr_verify(const uint8_t xonly[32], const uint8_t msg[32],
    const uint8_t sig[64])
{
	secp256k1_xonly_pubkey	 pk;

	return secp256k1_xonly_pubkey_parse(secp256k1_context_static, &pk,
	    xonly) &&
	    secp256k1_schnorrsig_verify(secp256k1_context_static, sig, msg, 32,
	    &pk);
}
