/*
 * Kaspa encodings that all rooms share: networks, scripts, addresses, hashes
 * of transactions.  Figures and formulas: rusty-kaspa, as cited per function.
 */
#ifndef IGRA_KASPA_H
#define IGRA_KASPA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tx.h"

enum kaspa_network {
	KASPA_MAINNET,
	KASPA_TESTNET,
	KASPA_DEVNET,
	KASPA_SIMNET
};

/*
 * "mainnet", "testnet", "testnet-N" (N a u32 from 1, no leading zero; it is
 * dropped), "devnet", "simnet".  0, or -1 for any other text.
 */
int		 kaspa_network_parse(const char *, enum kaspa_network *);
/* The names above without a suffix; both NULL for no member of the enum. */
const char	*kaspa_network_name(enum kaspa_network);
/* Address prefix without the colon: kaspa, kaspatest, kaspadev, kaspasim. */
const char	*kaspa_network_prefix(enum kaspa_network);

/* --- outpoints --- */

#define OUTPOINT_TEXT	(2 * TX_ID_LEN + 1 + 10 + 1)

/* By transaction id, then index: less than, equal to, greater than 0. */
int	 outpoint_cmp(const struct outpoint *, const struct outpoint *);
/* The transaction's id, a colon and the index; out: OUTPOINT_TEXT bytes. */
void	 outpoint_text(const struct outpoint *, char *out);

/* --- scripts (rusty-kaspa crypto/txscript/src/standard.rs) --- */

#define P2PK_SCRIPT_LEN		34	/* 20 x ac */
#define P2PK_ECDSA_SCRIPT_LEN	35	/* 21 pk33 ab */
#define P2SH_SCRIPT_LEN		35	/* aa 20 hash 87 */
#define MULTISIG_MAX_KEYS	15	/* relay limit within P2SH; we make no more */
#define MULTISIG_MAX_SCRIPT	(3 + 33 * 20)

enum script_class {
	SCRIPT_NONSTANDARD,
	SCRIPT_P2PK,
	SCRIPT_P2PK_ECDSA,
	SCRIPT_P2SH
};

/* Class of a version-0 script public key; any other version is nonstandard. */
enum script_class script_classify(const struct spk *);

/* out: P2PK_SCRIPT_LEN bytes. */
void	 script_p2pk(const uint8_t xonly[32], uint8_t *out);
/* out: P2SH_SCRIPT_LEN bytes; hash is unkeyed BLAKE2b-256 of the redeem script. */
void	 script_p2sh(const uint8_t *redeem, size_t len, uint8_t *out);
/*
 * m-of-n Schnorr multisig over x-only keys, in the order given.
 * out holds MULTISIG_MAX_SCRIPT bytes.  Length, or 0 if m or n is out of
 * range (1 <= m <= n <= MULTISIG_MAX_KEYS).
 */
size_t	 script_multisig(unsigned m, unsigned n, const uint8_t (*xonly)[32],
	    uint8_t *out);

struct multisig {
	unsigned	 m, n;
	bool		 ecdsa;		/* keys are 33 bytes compressed */
	uint8_t		 keys[20][33];	/* x-only in the first 32 bytes if !ecdsa */
};
/*
 * Parses a multisig redeem script exactly, to its last byte; n <= 20, all keys
 * of one kind, counts past 16 as the script builder pushes them.  Whether the
 * keys are points on the curve, or differ, is not looked at.  0 or -1.
 */
int	 script_multisig_parse(const uint8_t *, size_t, struct multisig *);
/* First position of an x-only key in a Schnorr multisig redeem script, or -1. */
int	 script_multisig_index(const struct multisig *, const uint8_t xonly[32]);

/* --- addresses (rusty-kaspa crypto/addresses/src/bech32.rs) --- */

#define ADDRESS_SCHNORR	0
#define ADDRESS_ECDSA	1
#define ADDRESS_P2SH	8
#define ADDRESS_MAX	96	/* longest address with its NUL */

struct kaspa_address {
	enum kaspa_network	 network;
	uint8_t			 version;	/* ADDRESS_* */
	uint8_t			 payload[33];
	size_t			 len;		/* 32, or 33 for ECDSA */
};

/*
 * Strict: lower case, known prefix and version, right length, zero padding,
 * nothing before or after.  The text need not end in NUL.  0, or -1 with a
 * static text in *errstr (errstr may be NULL).
 */
int	 address_decode(const char *, size_t, struct kaspa_address *,
	    const char **errstr);
/*
 * out: ADDRESS_MAX bytes.  "" when version and length do not go together or
 * the network is none.
 */
void	 address_encode(const struct kaspa_address *, char *out);
/* Address of a standard script in out (ADDRESS_MAX bytes); -1 if it has none. */
int	 address_from_spk(enum kaspa_network, const struct spk *, char *out);
/* Script of an address: at most 35 bytes in out.  Length, 0: no such version. */
size_t	 address_script(const struct kaspa_address *, uint8_t *out);

/* --- hashes of transactions --- */

/*
 * Parts of the sighash that inputs share, computed once per transaction
 * (rusty-kaspa consensus/core/src/hashing/sighash.rs SigHashReusedValues):
 * 1,000 inputs cost linear work.
 */
struct sighash_cache {
	uint8_t	 have;		/* which of the five are computed */
	uint8_t	 prevouts[32];
	uint8_t	 sequences[32];
	uint8_t	 sigopcounts[32];
	uint8_t	 outputs[32];
	uint8_t	 payload[32];
};
/* Before the first input, and again after any change to the transaction. */
void	 sighash_cache_init(struct sighash_cache *);
/*
 * Schnorr sighash of input i under its own amount and script, with the given
 * type (one of the six valid; others return -1, as do i out of range, an
 * input without its UTXO and transaction versions other than 0 and 1).
 * Covenants count from version 1; a version-0 transaction must have none.
 */
int	 sighash_schnorr(const struct tx *, size_t i, uint8_t type,
	    struct sighash_cache *, uint8_t out[32]);
bool	 sighash_type_valid(uint8_t);

/* Transaction id, versions 0 and 1 (hashing/tx.rs); -1 for other versions. */
int	 tx_id(const struct tx *, uint8_t out[32]);

#endif
