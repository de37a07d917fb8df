/*
 * The limits of [policy] that need no memory of earlier signatures
 * (DESIGN 12).  Every amount is compared with the outflow, which includes
 * the fee.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

static bool	amount_limits(const struct conf *, struct decision *);
static bool	fee_limit(const struct conf *, struct decision *);
static bool	destinations_allowed(const struct conf *, const struct own *,
		    const uint8_t *, const struct tx *, struct decision *);
static void	describe(const struct conf *, const struct spk *, char *,
		    size_t);

static bool
amount_limits(const struct conf *c, struct decision *d)
{
	char	 limit[24], value[24];

	snprintf(value, sizeof(value), "%llu", (unsigned long long)d->outflow);
	if (c->policy.max_amount_sompi.set &&
	    d->outflow > c->policy.max_amount_sompi.v) {
		snprintf(limit, sizeof(limit), "%llu",
		    (unsigned long long)c->policy.max_amount_sompi.v);
		policy_deny(d, "max_amount_sompi", limit, value,
		    "%s sompi would leave, more than [policy] "
		    "max_amount_sompi = %s", value, limit);
		return false;
	}
	/* It applies when something leaves. */
	if (c->policy.min_amount_sompi.set && d->outflow > 0 &&
	    d->outflow < c->policy.min_amount_sompi.v) {
		snprintf(limit, sizeof(limit), "%llu",
		    (unsigned long long)c->policy.min_amount_sompi.v);
		policy_deny(d, "min_amount_sompi", limit, value,
		    "%s sompi would leave, less than [policy] "
		    "min_amount_sompi = %s", value, limit);
		return false;
	}
	return true;
}

static bool
fee_limit(const struct conf *c, struct decision *d)
{
	char	 limit[24], value[24];

	if (!c->policy.max_fee_sompi.set)
		return true;
	snprintf(limit, sizeof(limit), "%llu",
	    (unsigned long long)c->policy.max_fee_sompi.v);
	if (!d->fee_known) {
		policy_deny(d, "max_fee_sompi", limit, "unknown", "the fee "
		    "is not known, since an input has no utxoEntry; [policy] "
		    "max_fee_sompi = %s", limit);
		return false;
	}
	if (d->fee <= c->policy.max_fee_sompi.v)
		return true;
	snprintf(value, sizeof(value), "%llu", (unsigned long long)d->fee);
	policy_deny(d, "max_fee_sompi", limit, value, "the fee of %s sompi is "
	    "more than [policy] max_fee_sompi = %s", value, limit);
	return false;
}

static void
describe(const struct conf *c, const struct spk *spk, char *out, size_t size)
{
	char	 address[ADDRESS_MAX];

	if (address_from_spk(c->network, spk, address) == 0)
		(void)strlcpy(out, address, size);
	else
		(void)strlcpy(out, "a script without an address", size);
}

/*
 * Under NONE and SINGLE nobody knows what the outputs will be, so none of
 * them counts as allowed.
 */
static bool
destinations_allowed(const struct conf *c, const struct own *o,
    const uint8_t *xonly, const struct tx *tx, struct decision *d)
{
	const struct spk	*spk;
	struct destination	 want;
	char			 limit[24], value[ADDRESS_MAX];
	size_t			 i;

	if (c->policy.allowed_destinations.n == 0)
		return true;
	snprintf(limit, sizeof(limit), "%zu destinations", o->ndest);
	if (!d->change_counts) {
		policy_deny(d, "allowed_destinations", limit, "any",
		    "a signature of type none or single does not fix the "
		    "outputs, and [policy] allowed_destinations is set");
		return false;
	}
	for (i = 0; i < tx->nout; i++) {
		if (policy_is_change(o, xonly, &tx->out[i]))
			continue;
		/* A covenant binds who gets it: that is not what was allowed. */
		if (tx->out[i].has_covenant) {
			policy_deny(d, "allowed_destinations", limit,
			    "covenant", "outputs[%zu] carries a covenant, and "
			    "[policy] allowed_destinations is set", i);
			return false;
		}
		spk = &tx->out[i].spk;
		memset(&want, 0, sizeof(want));
		if (spk->version == 0 && spk->script.len <=
		    sizeof(want.script)) {
			want.len = (uint8_t)spk->script.len;
			memcpy(want.script, spk->script.p, spk->script.len);
			if (want.len != 0 && bsearch(&want, o->dest, o->ndest,
			    sizeof(want), destination_cmp) != NULL)
				continue;
		}
		describe(c, spk, value, sizeof(value));
		policy_deny(d, "allowed_destinations", limit, value,
		    "outputs[%zu] pays %s, which is not in [policy] "
		    "allowed_destinations", i, value);
		return false;
	}
	return true;
}

void
policy_limits(const struct conf *c, const struct own *o,
    const uint8_t xonly[32], const struct tx *tx, bool has_reason,
    struct decision *d)
{
	if (c->policy.require_reason && !has_reason) {
		policy_deny(d, "require_reason", "true", "", "the request "
		    "gives no reason, and [policy] require_reason is set");
		return;
	}
	if (!destinations_allowed(c, o, xonly, tx, d) ||
	    !fee_limit(c, d))
		return;
	(void)amount_limits(c, d);
}
