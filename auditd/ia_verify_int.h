/* What the two halves of the verifier share: chain and trust. */
#ifndef IGRA_IA_VERIFY_INT_H
#define IGRA_IA_VERIFY_INT_H

#include "auditd/ia_verify.h"

/* Counts a fault; the first is kept. */
void	ia_fault(struct ia_verify *, const struct ia_where *, const char *, ...)
	    __attribute__((format(printf, 3, 4)));
/* The line at hand. */
void	ia_here(const struct ia_verify *, uint64_t seq, struct ia_where *);
/* Everything of this piece of chain up to seq is proven. */
void	ia_seal(struct ia_verify *, uint64_t seq, const struct ia_head *);

/* ia_trust.c */

/* The first line: does it continue what the auditor keeps? */
void	ia_trust_first(struct ia_verify *, const struct ia_head *);
/* Each line that continues the chain, with its hash. */
void	ia_trust_line(struct ia_verify *, const struct ia_head *,
	    const struct ia_line *, const char *hash);
/* At the end: what was asked for and has not been proven. */
void	ia_trust_finish(struct ia_verify *);

#endif
