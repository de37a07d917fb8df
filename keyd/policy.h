/*
 * What keyd agrees to sign (DESIGN 2 and 12, igra-policy(5)): decided on the
 * transaction that it hashes itself, from the config, its own key and what it
 * has signed before.
 */
#ifndef IGRA_POLICY_H
#define IGRA_POLICY_H

#include "conf.h"
#include "journal.h"
#include "kaspa.h"
#include "messages.h"
#include "own.h"

enum input_class {
	INPUT_FOREIGN,		/* not signed */
	INPUT_OWN,		/* spends an own script: signed */
	INPUT_SHARED		/* not an own script, but our key is in it */
};

/* What one check of the table found. */
struct check_row {
	const char	*check;		/* its name: mostly a key of [policy] */
	enum check_outcome outcome;
	char		 limit[128];	/* "" when there is none */
	char		 value[ADDRESS_MAX];
};

struct decision {
	enum proto_code	 code;		/* CODE_NONE: sign */
	char		 message[512];
	/* The check that failed first; NULL if none did. */
	const char	*check;
	char		 limit[128], value[ADDRESS_MAX];

	uint8_t		 tx_id[TX_ID_LEN];
	size_t		 nsign;		/* inputs to sign */
	uint8_t		*class;		/* enum input_class per input */
	uint8_t		*derived;	/* per input: bool, with the key at its path */
	uint8_t		*change;	/* per output: bool, back to us */
	uint64_t	 outflow;	/* sompi that leave, fee included */
	bool		 fee_known;	/* every input's amount is */
	uint64_t	 fee;
	bool		 change_counts;	/* false under NONE and SINGLE */
	bool		 inputs_fixed;	/* false under ANYONECANPAY */
	bool		 change_taken;	/* by an earlier request, it may be */
	/* What signing it reserves (journal_reserve), once counted is set. */
	bool		 counted;
	bool		 known;		/* signed before: counts no more */
	size_t		 new_claims;	/* outpoints that nobody has claimed */
	struct journal_entry entry;
	size_t		 nrow;
	struct check_row *row;		/* if every check was asked for */
};

/* What a transaction is decided by, besides itself. */
struct policy_request {
	const struct conf *conf;
	const struct own *own;
	const struct journal *journal;
	struct own_key	 key;
	struct own_cache *cache;	/* NULL: one for each transaction */
	bool		 has_reason;	/* the request gives one */
	bool		 every_check;	/* also after one has failed */
	uint64_t	 now_ms;	/* wall clock, since 1970 */
};

/*
 * Decides the n transactions of a request, each into d: first its form and
 * whose inputs they are; then the table of checks, in order, up to the first
 * that fails (or every one of them: decision->row).  What earlier ones take of
 * the limits counts for later ones.  Arrays come from the pool.  Only reads
 * (call journal_tick before); nothing is reserved.  The index of the first
 * that is refused, at which it stops unless every check is asked for, or n:
 * all may be signed.
 */
uint32_t policy_decide(const struct policy_request *, const struct tx *,
	    uint32_t n, struct pool *, struct decision *);

/*
 * What max_fee_percent lets be the fee of this outflow, in sompi, rounded
 * down.  The percentage counts to its sixth decimal.
 */
uint64_t policy_percent(double percent, uint64_t outflow);

#endif
