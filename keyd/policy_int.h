/* Between the files of the policy: the table of checks and what they see. */
#ifndef IGRA_POLICY_INT_H
#define IGRA_POLICY_INT_H

#include "policy.h"

#define POLICY_MAX_ROWS	24

struct policy_view {
	const struct policy_request *q;
	const struct tx		*tx;
	struct decision		*d;	/* its amounts are known */
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
/* Walks the table, for a decision that has its amounts. */
void	 policy_walk(const struct policy_view *, struct pool *);

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

#endif
