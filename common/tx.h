/*
 * A Kaspa transaction as a signer needs it: with the UTXO each input spends.
 * Byte views and arrays belong to whoever built it (usually a struct pool).
 */
#ifndef IGRA_TX_H
#define IGRA_TX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool.h"

#define TX_MAX_INPUTS	1000
#define TX_MAX_OUTPUTS	1000
#define TX_MAX_SCRIPT	10000	/* rusty-kaspa MAX_SCRIPTS_SIZE */
#define TX_ID_LEN	32
#define TX_FINGERPRINT	4	/* of a master key: bip32_fingerprint() */

/* Sighash types (rusty-kaspa consensus/core/src/hashing/sighash_type.rs). */
#define SIGHASH_ALL		0x01
#define SIGHASH_NONE		0x02
#define SIGHASH_SINGLE		0x04
#define SIGHASH_ANYONECANPAY	0x80

struct outpoint {
	uint8_t		 txid[TX_ID_LEN];
	uint32_t	 index;
};

struct spk {				/* script public key */
	uint16_t	 version;
	struct bytes	 script;
};

/*
 * Where a document says that our key comes from (PSKT's KeySource): a claim
 * to check, never a source.
 */
struct key_claim {
	struct bytes	 path;		/* derivation path, text; len 0: none */
	bool		 has_fingerprint;
	uint8_t		 fingerprint[TX_FINGERPRINT];
};

struct tx_input {
	struct outpoint	 outpoint;
	uint64_t	 sequence;
	uint8_t		 sig_op_count;
	uint8_t		 sighash_type;	/* what the PSKT asks for */
	bool		 has_utxo;	/* amount, spk, daa_score are set */
	uint64_t	 amount;	/* sompi */
	struct spk	 spk;
	uint64_t	 daa_score;
	bool		 utxo_covenant;	/* the UTXO has one; for its mass only */
	struct bytes	 redeem;	/* claimed redeem script; len 0: none */
	struct key_claim claim;
};

struct tx_output {
	uint64_t	 value;		/* sompi */
	struct spk	 spk;
	bool		 has_covenant;
	uint16_t	 authorizing_input;
	uint8_t		 covenant_id[32];
	struct key_claim claim;
};

struct tx {
	uint16_t	 version;	/* 0 or 1 */
	size_t		 nin;
	struct tx_input	*in;
	size_t		 nout;
	struct tx_output *out;
	uint64_t	 lock_time;
	uint8_t		 subnetwork[20];
	uint64_t	 gas;
	struct bytes	 payload;
};

#endif
