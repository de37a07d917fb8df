/*
 * Who has signed: what each input of a document asks for, each signature
 * checked against our own sighash, and the final scripts as a node runs them.
 * inspect, finalize and extract all stand on this.
 *
 * Curve work is counted, so that an event loop can do it a piece at a time.
 * It is bounded by the document: a signature that stands in it is checked at
 * most once per key of the redeem script that it may belong to.
 */
#ifndef IGRA_PSKT_VERIFY_H
#define IGRA_PSKT_VERIFY_H

#include "pskt.h"

/* What an input's UTXO asks for. */
enum lock_kind {
	LOCK_NO_UTXO,		/* utxoEntry is missing */
	LOCK_NONSTANDARD,	/* of the UTXO's script */
	LOCK_P2PK,
	LOCK_P2PK_ECDSA,
	LOCK_NO_REDEEM,		/* P2SH, redeem script not known */
	LOCK_SCRIPT,		/* P2SH of something that is no multisig */
	LOCK_MULTISIG,
	LOCK_MULTISIG_ECDSA
};

enum sig_state {
	SIG_MISSING,
	SIG_VALID,
	SIG_INVALID,
	SIG_UNKNOWN		/* the input's sighash type is none of the six */
};

enum final_state {
	FINAL_NONE,		/* finalScriptSig is null */
	FINAL_VALID,
	FINAL_INVALID,
	FINAL_UNKNOWN		/* a lock that we cannot run */
};

struct verify_key {
	const uint8_t	*key;		/* as the script has it */
	enum sig_state	 state;		/* of its entry in partialSigs */
	const uint8_t	*sig;		/* 64 bytes, when SIG_VALID */
};

struct verify_input {
	enum lock_kind		 kind;
	unsigned		 m, n;		/* of n keys, m must sign */
	size_t			 key_len;	/* 32, or 33 for ECDSA */
	struct verify_key	*key;		/* n, in the script's order */
	unsigned		 no_point;	/* first key, from 1, that is no
						 * point of the curve; 0: none */
	unsigned		 valid;		/* keys whose signature is */
	unsigned		 invalid;	/* or unknown */
	size_t			 foreign;	/* partialSigs of no such key */
	enum final_state	 final;
	char			 why[96];	/* final is not valid */
};

struct sighash_cache;
struct verify {
	struct pool		*pool;
	const struct pskt_doc	*doc;
	struct verify_input	**in;		/* [pskt][input] */
	bool			 partial;	/* look at partialSigs */
	size_t			 pskt, input;	/* next */
	uint64_t		 checks;	/* curve operations so far */
	struct sighash_cache	*cache;
};

/*
 * doc must outlive it.  partial: whether partialSigs matter, or final scripts
 * alone.  0, or -1 without memory.
 */
int	 verify_init(struct verify *, struct pool *, const struct pskt_doc *,
	    bool partial);
/*
 * Goes on until about `checks` signatures more have been checked (never within
 * an input: at most 40 over).  1 when all is done, 0 when there is more, -1
 * without memory.
 */
int	 verify_step(struct verify *, unsigned checks);
/* The position of the last of the first m keys that have a valid signature,
 * counted from 1: the sig ops that a node counts.  0 if they are fewer. */
unsigned verify_sig_ops(const struct verify_input *);

#endif
