/* Between the files of the policy: the table of checks and what they see. */
#ifndef IGRA_POLICY_INT_H
#define IGRA_POLICY_INT_H

#include "policy.h"

#define POLICY_MAX_ROWS	24

#define INPUT_NONE	UINT32_MAX

/* The transactions of a request that have been decided so far. */
struct policy_bundle {
	struct {
		bool	 twice;		/* spends an outpoint twice */
		uint32_t shared;	/* input that an earlier one spends too */
	}		*tx;
	/* Before the request: */
	struct journal_usage usage;
	uint64_t	 room;
	/* What the earlier ones take, those that are new: */
	uint64_t	 outflow, ids, claims;
};

struct policy_view {
	const struct policy_request *q;
	const struct policy_bundle *b;
	uint32_t		 index;	/* of the transaction */
	const struct tx		*tx;
	struct decision		*d;	/* its amounts and claims are known */
};

/*
 * A check fills in the row's limit and value and says how it came out;
 * CHECK_FAIL through policy_fail.
 */
struct policy_check {
	const char		*name;
	enum check_outcome	 (*run)(const struct policy_view *,
				    struct check_row *);
};

/* In the order in which they are made; the last has no name. */
extern const struct policy_check policy_checks[];

/*
 * CHECK_FAIL.  If it is the first, the decision gets code, message, check,
 * limit and value.
 */
enum check_outcome policy_fail(const struct policy_view *,
	    const struct check_row *, enum proto_code, const char *, ...)
	    __attribute__((format(printf, 4, 5)));
/* A number in text, as limits and values are told. */
void	 policy_number(char *, size_t, uint64_t);
/* The names of CONF_SIGHASH_* bits, with commas between. */
void	 policy_sighash_list(unsigned, char *, size_t);
/* Walks the table, for a decision that has its amounts. */
void	 policy_walk(const struct policy_view *, struct pool *);

/* policy_bundle.c.  0, or -1 without memory. */
int	 bundle_init(struct policy_bundle *, const struct policy_request *,
	    const struct tx *, uint32_t n, struct pool *);
/* What a window would hold with the earlier ones and this. */
uint64_t bundle_volume(const struct policy_bundle *, uint64_t used,
	    const struct decision *);
/* One has been decided: those that follow count it. */
void	 bundle_add(struct policy_bundle *, const struct decision *);
/*
 * The signing id, whether it is known, and whether an input that is not signed
 * here has been signed for earlier.
 */
void	 policy_known(const struct policy_request *, const struct tx *,
	    struct decision *);
/* What is claimed: after policy_known() and the amounts.  0 or -1. */
int	 policy_claims(const struct policy_request *, const struct tx *,
	    struct pool *, struct decision *);

/* policy_limits.c: on the transaction alone. */
enum check_outcome	check_unenforced(const struct policy_view *,
			    struct check_row *);
enum check_outcome	check_sighash_types(const struct policy_view *,
			    struct check_row *);
enum check_outcome	check_reason(const struct policy_view *,
			    struct check_row *);
enum check_outcome	check_destinations(const struct policy_view *,
			    struct check_row *);
enum check_outcome	check_fee(const struct policy_view *,
			    struct check_row *);
enum check_outcome	check_fee_percent(const struct policy_view *,
			    struct check_row *);
enum check_outcome	check_max_amount(const struct policy_view *,
			    struct check_row *);
enum check_outcome	check_min_amount(const struct policy_view *,
			    struct check_row *);
enum check_outcome	check_lock_time(const struct policy_view *,
			    struct check_row *);
/* policy_state.c: on what has been signed before. */
enum check_outcome	check_claims(const struct policy_view *,
			    struct check_row *);
enum check_outcome	check_conflict(const struct policy_view *,
			    struct check_row *);
enum check_outcome	check_outpoints(const struct policy_view *,
			    struct check_row *);
enum check_outcome	check_count(const struct policy_view *,
			    struct check_row *);
enum check_outcome	check_hour(const struct policy_view *,
			    struct check_row *);
enum check_outcome	check_day(const struct policy_view *,
			    struct check_row *);
enum check_outcome	check_week(const struct policy_view *,
			    struct check_row *);

#endif
