/*
 * The creator and constructor: a PSKT from UTXOs as a node returns them, or,
 * where one transaction would be too heavy, a bundle of several, each of
 * which spends the change of the one before.
 */
#ifndef IGRA_PSKT_CREATE_H
#define IGRA_PSKT_CREATE_H

#include "kaspa.h"
#include "mass.h"
#include "pskt.h"

#define CREATE_MAX_RATE		1000000U	/* sompi per gram */
#define CREATE_MAX_REDEEM	1000		/* redeem scripts */

struct create_tx {
	struct tx	 tx;
	bool		*coinbase;	/* of each input's UTXO */
	uint8_t		 id[TX_ID_LEN];
	struct mass	 mass;		/* with the signatures to come */
	uint64_t	 fee;
	uint64_t	 change;	/* its last output; 0: it has none */
};

struct create_result {
	size_t			 n;
	struct create_tx	*tx;
	uint64_t		 fee;		/* of all */
	uint64_t		 change;	/* of the last */
	struct bytes		 text;		/* PSKT or PSKB hex, quoted */
};

/*
 * Reads params, a JSON object:
 *	utxos		[{address?, outpoint, utxoEntry}], RpcUtxosByAddresses
 *	outputs		[{address, amount}]
 *	change_address	where the rest goes
 *	fee_rate	sompi per gram, 1 to CREATE_MAX_RATE
 *	payload?	hex; makes it PSKT version 1
 *	redeem_scripts?	hex, of the UTXOs; else redeem is
 *	key_sources?	{public key: KeySource} for bip32Derivations
 *	dust_to_fee?	sompi that may go to the fee where change of so little
 *			cannot be; else as much as the fee
 *	request_id?	not looked at; other members are an error
 *
 * UTXOs are taken by amount, greatest first, then by outpoint, until they
 * cover the outputs and the fee, and further ones while they make it cheaper
 * (little change weighs much); one that costs more than it holds is left out.
 * The fee is the rate times the mass of the signed transaction (mass_for_fee)
 * and not a sompi less.  No transaction is heavier than MASS_LIMIT_WALLET in
 * any of the three masses.
 *
 * 0, or -1 with *e: PSKT_INVALID for wrong params and where the UTXOs do not
 * suffice, PSKT_UNSUPPORTED for UTXOs with a covenant, PSKT_TOO_LARGE for more
 * than PSKT_MAX_BUNDLE transactions.
 */
int	 pskt_create(struct pool *, enum kaspa_network, struct bytes redeem,
	    const struct json *params, struct create_result *,
	    struct pskt_error *e);

#endif
