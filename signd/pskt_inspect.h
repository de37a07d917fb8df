/*
 * What a PSKT says, for those who are to agree to it: where the money comes
 * from and goes, what it costs, who has signed, and what is odd.  Made once,
 * written as JSON (igra-signd-api(7)) or as text for a terminal.
 */
#ifndef IGRA_PSKT_INSPECT_H
#define IGRA_PSKT_INSPECT_H

#include <stdio.h>

#include "kaspa.h"
#include "mass.h"
#include "pskt_verify.h"

/* What is known of the signer and of now; zeros where it is not. */
struct inspect_context {
	enum kaspa_network	 network;	/* of the addresses */
	const uint8_t		*xonly;		/* the signer's key, or NULL */
	struct bytes		 redeem;	/* own redeem script; len 0: none */
	bool			 hd;		/* it has other own scripts, too */
	uint64_t		 now_ms;	/* since 1970; 0: not known */
};

/* A high fee: more than a hundredth of what leaves, and ten times the least
 * with which nodes relay. */
#define INSPECT_FEE_PART	100
#define INSPECT_FEE_TIMES	10

enum inspect_own {
	OWN_UNKNOWN,
	OWN_NO,
	OWN_YES
};

/* Of each a document shows the first and counts the rest. */
enum inspect_warn {
	WARN_HIGH_FEE,
	WARN_LOW_FEE,
	WARN_FEE_UNKNOWN,
	WARN_UNKNOWN_SCRIPT,
	WARN_LOCK_TIME,
	WARN_RELATIVE_LOCK,
	WARN_DUST,
	WARN_MASS,		/* over what nodes take */
	WARN_WALLET_MASS,	/* over what wallets make */
	WARN_SIGHASH_TYPE,
	WARN_SIGNATURE,
	WARN_SIG_OP_COUNT,
	WARN_KEYS,		/* that nodes do not take, or too many */
	WARN_FINAL_SCRIPT,
	WARN_ID,
	WARN_TX_VERSION,
	WARN_DOCUMENT,		/* pskt_parse's notes */
	WARN_MAX
};

struct inspect_doc {
	const struct pskt		*pskt;
	const struct verify_input	*in;
	enum inspect_own		*own;		/* per input */
	enum inspect_own		*change;	/* per output */
	bool				*dust;		/* per output */
	uint8_t				 id[TX_ID_LEN];
	bool				 fee_known;	/* all UTXOs are there */
	uint64_t			 sum_in, sum_out, fee;
	bool				 outflow_known;
	uint64_t			 own_in, own_out, outflow;
	struct mass			 mass;
	bool				 mass_known;	/* all scripts' lengths */
	uint64_t			 relay_fee;
	bool				 locked;	/* lock time counts */
	unsigned			 missing;	/* signatures, all inputs */
	size_t				 unknown;	/* inputs that say not how
							 * many they need */
	size_t				 finals;	/* right final scripts */
	size_t				 nwarn[WARN_MAX];
	char				*warn[WARN_MAX];
};

struct inspect {
	struct pool			*pool;
	struct inspect_context		 ctx;
	uint8_t				 own_spk[P2SH_SCRIPT_LEN];
	size_t				 own_len;	/* 0: not known */
	const struct pskt_doc		*doc;
	struct inspect_doc		*d;		/* doc->n */
};

/* From a verify that is done, partial set.  0, or -1 without memory. */
int	 inspect_make(struct inspect *, const struct inspect_context *,
	    const struct verify *);
/* One value: {pskts, totals}. */
void	 inspect_json(const struct inspect *, struct json_out *);
/* Its members, into an object that is open. */
void	 inspect_members(const struct inspect *, struct json_out *);
/* Lines of printable ASCII. */
void	 inspect_text(const struct inspect *, FILE *);
/* As data.code words: HIGH_FEE … */
const char *inspect_warn_name(enum inspect_warn);

/* What both forms say alike. */
struct inspect_sums {
	size_t		 inputs, outputs;
	bool		 fee_known, outflow_known;
	uint64_t	 sum_in, sum_out, fee, outflow;	/* saturating */
	unsigned	 missing;
	size_t		 unknown, finals;
};
void	 inspect_sums(const struct inspect *, struct inspect_sums *);
/* "final", "complete", "partial", "unsigned" or "unknown". */
const char *inspect_state(const struct inspect_doc *);
const char *inspect_lock_name(enum lock_kind);
const char *inspect_sig_name(enum sig_state);
const char *inspect_final_name(enum final_state);
/* "all" … "single_anyonecanpay", or "unknown". */
const char *inspect_sighash_name(uint8_t);
/* Sompi per gram with three decimals; "" without a fee.  out: 32 bytes. */
void	 inspect_fee_rate(const struct inspect_doc *, char *out);
/* An address, or "" (out: ADDRESS_MAX bytes). */
void	 inspect_address(const struct inspect *, const struct spk *, char *out);
bool	 inspect_is_time(uint64_t lock_time);

/* verify, make and write in one go.  0, or -1 without memory. */
int	 pskt_inspect(struct pool *, const struct inspect_context *,
	    const struct pskt_doc *, struct json_out *);
int	 pskt_inspect_text(struct pool *, const struct inspect_context *,
	    const struct pskt_doc *, FILE *);

#endif
