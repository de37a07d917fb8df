/*
 * What a transaction weighs and what that costs (KASPA.md, "Mass";
 * rusty-kaspa consensus/core/src/mass/mod.rs, mining/src/mempool).  Pure
 * functions; sums saturate at UINT64_MAX.  Masses are in grams, as fee rates
 * are in sompi per gram.
 */
#ifndef IGRA_MASS_H
#define IGRA_MASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tx.h"

/* A node's mempool takes no more than these. */
#define MASS_LIMIT_COMPUTE	500000U
#define MASS_LIMIT_STORAGE	500000U
#define MASS_LIMIT_TRANSIENT	1000000U
/* Wallets, and nodes before that, of each of the three. */
#define MASS_LIMIT_WALLET	100000U

#define MASS_RELAY_RATE		100U	/* sompi per gram, at least */

#define MASS_SIGNATURE		66U	/* in a signature script: 41 sig64 type */

struct mass {
	uint64_t	 size;		/* bytes, as relay counts them */
	uint64_t	 compute;
	uint64_t	 transient;
	uint64_t	 storage;	/* KIP-9 */
	bool		 storage_known;	/* every input has its UTXO */
};

/*
 * Bytes of the signature script that spends this input once finalized: by its
 * UTXO's script and its redeem script; 0 when they do not tell (no UTXO, a P2SH
 * whose redeem script is missing or no multisig, a nonstandard script).
 */
size_t		 mass_signature_script(const struct tx_input *);
/* Bytes that a push of len bytes takes in a script, with its opcode. */
size_t		 mass_push(size_t len);

/*
 * Weighs tx with signature scripts of these lengths, one per input; NULL: of
 * what mass_signature_script expects.  Of transaction version 1 the compute
 * mass is without the compute budget, which a PSKT does not carry.
 */
void		 mass_of_tx(const struct tx *, const size_t *sigscripts,
		    struct mass *);

/* The mass that a fee rate multiplies: the greatest of compute, half the
 * transient (rounded up), and storage. */
uint64_t	 mass_for_fee(const struct mass *);
/* Least fee in sompi with which a node relays it; storage does not count. */
uint64_t	 mass_relay_fee(const struct mass *);
/* Fee in sompi at rate sompi per gram of mass_for_fee. */
uint64_t	 mass_fee(const struct mass *, uint64_t rate);

/* Would a wallet call an output of this value and script length dust? */
bool		 mass_is_dust(uint64_t value, size_t script_len);

#endif
