/*
 * The last two forms of a PSKT (KASPA.md, "Finalize", "RPC JSON"; rusty-kaspa
 * wallet/pskt/src/role.rs): finalized, and the transaction that a node takes.
 */
#ifndef IGRA_PSKT_FINAL_H
#define IGRA_PSKT_FINAL_H

#include "pskt_verify.h"

/*
 * The document finalized, as one JSON value in the form it came in: in each
 * input the signature script of exactly m valid signatures, in the order of
 * the keys; null sequences as 2^64 - 1; global.id the transaction's.  All else
 * is kept byte for byte.  An input that is finalized already is kept if its
 * script is right.  All or nothing; a signature that does not verify is as if
 * it were missing.
 *
 * 0, or -1 with *e: PSKT_INVALID names the input and what is missing;
 * PSKT_UNSUPPORTED: scripts other than P2PK and multisig, of either kind.
 */
int	 pskt_finalize(struct pool *, const struct pskt_doc *,
	    struct bytes *out, struct pskt_error *e);
/*
 * The transaction as the node's submitTransaction takes it: JSON text
 * {"transaction": {...}, "allowOrphan": false}; of a bundle an array of them,
 * in its order.  Every signature of every final script is verified first.
 * 0, or -1 with *e; PSKT_UNSUPPORTED also for transaction version 1.
 */
int	 pskt_extract(struct pool *, const struct pskt_doc *,
	    struct bytes *out, struct pskt_error *e);

/*
 * The same, with what verify_step has found out: for callers that let others
 * have a turn meanwhile.  The first needs partial set, the other does not.
 */
int	 pskt_finalize_verified(const struct verify *, struct bytes *out,
	    struct pskt_error *e);
int	 pskt_extract_verified(const struct verify *, struct bytes *out,
	    struct pskt_error *e);

/* Fills in *e, pskt only for a bundle.  -1. */
int	 pskt_fail(const struct pskt_doc *, size_t pskt, struct pskt_error *e,
	    enum pskt_code, const char *, ...)
	    __attribute__((format(printf, 5, 6)));
/* Is the final script of every input there and right? */
int	 pskt_check_final(const struct verify *, size_t pskt, size_t input,
	    struct pskt_error *e);

#endif
