/*
 * What keyd agrees to sign (DESIGN 2 and 12): decided on the transaction that
 * it hashes itself, from the config and its own key alone.
 */
#ifndef IGRA_POLICY_H
#define IGRA_POLICY_H

#include "conf.h"
#include "kaspa.h"
#include "messages.h"

/* A script that may be paid: [policy] allowed_destinations. */
struct destination {
	uint8_t		 len;
	uint8_t		 script[P2SH_SCRIPT_LEN];
};

/* Scripts that are this signer's, and those it may pay, from the config. */
struct own {
	unsigned	 refs;
	bool		 has_redeem;
	bool		 p2pk;		/* nothing configured: our key's own script */
	uint8_t		 redeem[TX_MAX_SCRIPT];
	size_t		 redeem_len;
	struct multisig	 multisig;
	uint8_t		 p2sh[P2SH_SCRIPT_LEN];
	size_t		 ndest;		/* 0: any */
	struct destination *dest;	/* sorted, for bsearch(3) */
};

/*
 * 0, or -1: redeem_script_hex is no m-of-n Schnorr multisig, a destination is
 * no address, or memory is out.
 */
int	own_init(struct own *, const struct conf *, const char **errstr);
void	own_free(struct own *);
/*
 * The same, on the heap and counted: a request that was decided goes on with
 * what it was decided by, whatever is reloaded meanwhile.  NULL on error.
 */
struct own	*own_new(const struct conf *, const char **errstr);
struct own	*own_ref(struct own *);
void		 own_unref(struct own *);	/* NULL is fine */

enum input_class {
	INPUT_FOREIGN,		/* not signed */
	INPUT_OWN,		/* spends an own script: signed */
	INPUT_SHARED		/* not an own script, but our key is in it */
};

struct decision {
	enum proto_code	 code;		/* CODE_NONE: sign */
	char		 message[512];
	const char	*check;		/* of POLICY_DENIED */
	char		 limit[128], value[ADDRESS_MAX];

	size_t		 nsign;		/* inputs to sign */
	uint8_t		*class;		/* enum input_class per input */
	uint64_t	 outflow;	/* sompi that leave, fee included */
	bool		 fee_known;	/* every input's amount is */
	uint64_t	 fee;
	bool		 change_counts;	/* false under NONE and SINGLE */
};

/* Is this output back to us (own script, no covenant)? */
bool	policy_is_change(const struct own *, const uint8_t xonly[32],
	    const struct tx_output *);

/*
 * Decides one transaction for the key xonly (x-only public key).  has_reason:
 * the request gives one.  Arrays come from the pool.  Only reads; nothing is
 * reserved.
 */
void	policy_decide(const struct conf *, const struct own *,
	    const uint8_t xonly[32], const struct tx *, bool has_reason,
	    struct pool *, struct decision *);

/* POLICY_DENIED: check is the key of [policy], limit and value in text. */
void	policy_deny(struct decision *, const char *check, const char *limit,
	    const char *value, const char *, ...)
	    __attribute__((format(printf, 5, 6)));
/*
 * The limits of [policy] that need no state (policy_limits.c), on a decision
 * that has its amounts.
 */
void	policy_limits(const struct conf *, const struct own *,
	    const uint8_t xonly[32], const struct tx *, bool has_reason,
	    struct decision *);
int	destination_cmp(const void *, const void *);

#endif
