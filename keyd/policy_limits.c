/*
 * The checks that need no memory of earlier signatures (DESIGN 12).  Every
 * amount is compared with the outflow, which includes the fee.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "policy_int.h"

#define PERCENT_UNITS	1000000		/* of one percent: its sixth decimal */
#define WHOLE_UNITS	(100 * (uint64_t)PERCENT_UNITS)
/* Below it a lock time is a DAA score, else milliseconds since 1970. */
#define LOCK_TIME_THRESHOLD	500000000000ULL
#define DAA_PER_SECOND	10
#define SEQUENCE_FINAL	UINT64_MAX

/* Keys of [policy] that this version enforces: by now, all that there are. */
static const char *const enforced[] = {
	"allow_replacement",
	"allowed_destinations",
	"allowed_sighash_types",
	"max_amount_sompi",
	"max_daily_volume_sompi",
	"max_fee_percent",
	"max_fee_sompi",
	"max_hourly_volume_sompi",
	"max_lock_time_ahead",
	"max_outpoints",
	"max_per_hour",
	"max_weekly_volume_sompi",
	"min_amount_sompi",
	"require_reason",
};

static const struct {
	uint8_t		 type;
	unsigned int	 bit;
	const char	*name;
} sighash_names[] = {
	{ SIGHASH_ALL, CONF_SIGHASH_ALL, "all" },
	{ SIGHASH_NONE, CONF_SIGHASH_NONE, "none" },
	{ SIGHASH_SINGLE, CONF_SIGHASH_SINGLE, "single" },
	{ SIGHASH_ALL | SIGHASH_ANYONECANPAY, CONF_SIGHASH_ALL_ACP,
	    "all_anyonecanpay" },
	{ SIGHASH_NONE | SIGHASH_ANYONECANPAY, CONF_SIGHASH_NONE_ACP,
	    "none_anyonecanpay" },
	{ SIGHASH_SINGLE | SIGHASH_ANYONECANPAY, CONF_SIGHASH_SINGLE_ACP,
	    "single_anyonecanpay" },
};
#define NSIGHASH	(sizeof(sighash_names) / sizeof(sighash_names[0]))

static void	describe(const struct conf *, const struct spk *, char *,
		    size_t);
static bool	fee_fixed(const struct policy_view *, struct check_row *,
		    enum check_outcome *);
static bool	lock_time_off(const struct policy_view *);
static uint64_t	lock_time_ahead(const struct policy_view *);

/* On mainnet a limit that is written down and not applied is worse than none. */
enum check_outcome
check_unenforced(const struct policy_view *v, struct check_row *row)
{
	const struct conf	*c = v->q->conf;
	const char		*key;
	size_t			 i, j;

	if (c->network != KASPA_MAINNET)
		return CHECK_NOT_SET;
	for (i = 0; i < c->policy.keys_set.n; i++) {
		key = c->policy.keys_set.v[i];
		for (j = 0; j < sizeof(enforced) / sizeof(enforced[0]); j++)
			if (strcmp(key, enforced[j]) == 0)
				break;
		if (j < sizeof(enforced) / sizeof(enforced[0]))
			continue;
		(void)strlcpy(row->value, key, sizeof(row->value));
		return policy_fail(v, row, CODE_POLICY_DENIED, "[policy] %s "
		    "is set, but this version does not enforce it: nothing "
		    "is signed on mainnet until it is removed or the signer "
		    "updated", key);
	}
	return CHECK_PASS;
}

void
policy_sighash_list(unsigned bits, char *out, size_t size)
{
	size_t	 i;

	out[0] = '\0';
	for (i = 0; i < NSIGHASH; i++) {
		if ((bits & sighash_names[i].bit) == 0)
			continue;
		if (out[0] != '\0')
			(void)strlcat(out, ",", size);
		(void)strlcat(out, sighash_names[i].name, size);
	}
}

enum check_outcome
check_sighash_types(const struct policy_view *v, struct check_row *row)
{
	unsigned	 allowed = v->q->conf->policy.allowed_sighash_types;
	unsigned	 used = 0;
	size_t		 i, j;

	policy_sighash_list(allowed, row->limit, sizeof(row->limit));
	for (i = 0; i < v->tx->nin; i++) {
		if (v->d->class[i] == INPUT_FOREIGN)
			continue;
		for (j = 0; j < NSIGHASH; j++)
			if (sighash_names[j].type ==
			    v->tx->in[i].sighash_type)
				break;
		if (j == NSIGHASH)	/* refused before */
			continue;
		if ((allowed & sighash_names[j].bit) == 0) {
			(void)strlcpy(row->value, sighash_names[j].name,
			    sizeof(row->value));
			return policy_fail(v, row, CODE_POLICY_DENIED,
			    "inputs[%zu].sighashType: %s is not in [policy] "
			    "allowed_sighash_types (%s)", i, row->value,
			    row->limit);
		}
		used |= sighash_names[j].bit;
	}
	policy_sighash_list(used, row->value, sizeof(row->value));
	return CHECK_PASS;
}

enum check_outcome
check_reason(const struct policy_view *v, struct check_row *row)
{
	if (!v->q->conf->policy.require_reason)
		return CHECK_NOT_SET;
	(void)strlcpy(row->limit, "true", sizeof(row->limit));
	if (v->q->has_reason) {
		(void)strlcpy(row->value, "given", sizeof(row->value));
		return CHECK_PASS;
	}
	return policy_fail(v, row, CODE_POLICY_DENIED, "the request gives no "
	    "reason, and [policy] require_reason is set");
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
enum check_outcome
check_destinations(const struct policy_view *v, struct check_row *row)
{
	const struct destinations	*dest = &v->q->own->dest;
	const struct tx_output		*out;
	size_t				 i;

	if (dest->n == 0)
		return CHECK_NOT_SET;
	(void)snprintf(row->limit, sizeof(row->limit), "%zu destinations",
	    dest->n);
	if (!v->d->change_counts) {
		(void)strlcpy(row->value, "any", sizeof(row->value));
		return policy_fail(v, row, CODE_POLICY_DENIED, "a signature "
		    "of type none or single does not fix the outputs, and "
		    "[policy] allowed_destinations is set");
	}
	for (i = 0; i < v->tx->nout; i++) {
		out = &v->tx->out[i];
		if (v->d->change[i])
			continue;
		/* A covenant binds who gets it: that is not what was allowed. */
		if (out->has_covenant) {
			(void)strlcpy(row->value, "covenant",
			    sizeof(row->value));
			return policy_fail(v, row, CODE_POLICY_DENIED,
			    "outputs[%zu] carries a covenant, and [policy] "
			    "allowed_destinations is set", i);
		}
		if (destinations_has(dest, &out->spk))
			continue;
		describe(v->q->conf, &out->spk, row->value,
		    sizeof(row->value));
		return policy_fail(v, row, CODE_POLICY_DENIED, "outputs[%zu] "
		    "pays %s, which is not in [policy] allowed_destinations",
		    i, row->value);
	}
	(void)strlcpy(row->value, "listed", sizeof(row->value));
	return CHECK_PASS;
}

/*
 * A fee can only be limited if it is known and the signature fixes it: under
 * NONE, SINGLE and ANYONECANPAY whoever completes the transaction says what it
 * will be.
 */
static bool
fee_fixed(const struct policy_view *v, struct check_row *row,
    enum check_outcome *outcome)
{
	if (!v->d->fee_known) {
		(void)strlcpy(row->value, "unknown", sizeof(row->value));
		*outcome = policy_fail(v, row, CODE_POLICY_DENIED, "the fee "
		    "is not known, since an input has no utxoEntry; [policy] "
		    "%s = %s", row->check, row->limit);
		return false;
	}
	if (!v->d->change_counts || !v->d->inputs_fixed) {
		(void)strlcpy(row->value, "any", sizeof(row->value));
		*outcome = policy_fail(v, row, CODE_POLICY_DENIED, "a "
		    "signature of type none, single or anyonecanpay does not "
		    "fix the fee; [policy] %s = %s", row->check, row->limit);
		return false;
	}
	policy_number(row->value, sizeof(row->value), v->d->fee);
	return true;
}

enum check_outcome
check_fee(const struct policy_view *v, struct check_row *row)
{
	const struct conf_u64	*max = &v->q->conf->policy.max_fee_sompi;
	enum check_outcome	 out;

	if (!max->set)
		return CHECK_NOT_SET;
	policy_number(row->limit, sizeof(row->limit), max->v);
	if (!fee_fixed(v, row, &out))
		return out;
	if (v->d->fee <= max->v)
		return CHECK_PASS;
	return policy_fail(v, row, CODE_POLICY_DENIED, "the fee of %s sompi "
	    "is more than [policy] max_fee_sompi = %s", row->value,
	    row->limit);
}

/*
 * Exact in 64 bits: with percent = p / 10^6 and outflow = 10^8 q + r it is
 * q p + floor(r p / 10^8), and p is at most 10^8.
 */
uint64_t
policy_percent(double percent, uint64_t outflow)
{
	uint64_t	 p;

	/*
	 * What is written with six decimals comes within 2^-25 of a whole
	 * number of units; more decimals are cut.
	 */
	p = (uint64_t)floor(percent * PERCENT_UNITS + 1e-6);
	return outflow / WHOLE_UNITS * p +
	    outflow % WHOLE_UNITS * p / WHOLE_UNITS;
}

enum check_outcome
check_fee_percent(const struct policy_view *v, struct check_row *row)
{
	double			 percent = v->q->conf->policy.max_fee_percent;
	enum check_outcome	 out;
	uint64_t		 max;

	if (!v->q->conf->policy.max_fee_percent_set)
		return CHECK_NOT_SET;
	max = policy_percent(percent, v->d->outflow);
	(void)snprintf(row->limit, sizeof(row->limit), "%llu (%.10g%% of %llu)",
	    (unsigned long long)max, percent,
	    (unsigned long long)v->d->outflow);
	if (!fee_fixed(v, row, &out))
		return out;
	if (v->d->fee <= max)
		return CHECK_PASS;
	return policy_fail(v, row, CODE_POLICY_DENIED, "the fee of %s sompi "
	    "is more than %.10g percent of the outflow of %llu, [policy] "
	    "max_fee_percent", row->value, percent,
	    (unsigned long long)v->d->outflow);
}

enum check_outcome
check_max_amount(const struct policy_view *v, struct check_row *row)
{
	const struct conf_u64	*max = &v->q->conf->policy.max_amount_sompi;

	if (!max->set)
		return CHECK_NOT_SET;
	policy_number(row->limit, sizeof(row->limit), max->v);
	policy_number(row->value, sizeof(row->value), v->d->outflow);
	if (v->d->outflow <= max->v)
		return CHECK_PASS;
	return policy_fail(v, row, CODE_POLICY_DENIED, "%s sompi would "
	    "leave, more than [policy] max_amount_sompi = %s", row->value,
	    row->limit);
}

/* It applies when something leaves. */
enum check_outcome
check_min_amount(const struct policy_view *v, struct check_row *row)
{
	const struct conf_u64	*min = &v->q->conf->policy.min_amount_sompi;

	if (!min->set)
		return CHECK_NOT_SET;
	policy_number(row->limit, sizeof(row->limit), min->v);
	policy_number(row->value, sizeof(row->value), v->d->outflow);
	if (v->d->outflow == 0 || v->d->outflow >= min->v)
		return CHECK_PASS;
	return policy_fail(v, row, CODE_POLICY_DENIED, "%s sompi would "
	    "leave, less than [policy] min_amount_sompi = %s", row->value,
	    row->limit);
}

/*
 * Sequences that are all final disable the lock time, if the signatures fix
 * them all: under NONE, SINGLE and ANYONECANPAY those of other inputs can
 * still change.
 */
static bool
lock_time_off(const struct policy_view *v)
{
	size_t	 i;

	for (i = 0; i < v->tx->nin; i++) {
		if (v->tx->in[i].sequence != SEQUENCE_FINAL)
			return false;
		if (v->d->class[i] != INPUT_FOREIGN &&
		    v->tx->in[i].sighash_type != SIGHASH_ALL)
			return false;
	}
	return true;
}

/* In milliseconds, for both kinds of lock time; 0: not in the future. */
static uint64_t
lock_time_ahead(const struct policy_view *v)
{
	uint64_t	 from = 0, lock = v->tx->lock_time;
	size_t		 i;

	if (lock >= LOCK_TIME_THRESHOLD)
		return lock > v->q->now_ms ? lock - v->q->now_ms : 0;
	for (i = 0; i < v->tx->nin; i++)
		if (v->d->class[i] == INPUT_OWN &&
		    v->tx->in[i].daa_score > from)
			from = v->tx->in[i].daa_score;
	/* Below the threshold: it cannot overflow. */
	return lock > from ? (lock - from) * 1000 / DAA_PER_SECOND : 0;
}

enum check_outcome
check_lock_time(const struct policy_view *v, struct check_row *row)
{
	const struct conf_u64	*max = &v->q->conf->policy.max_lock_time_ahead;
	uint64_t		 ms;

	if (!max->set)
		return CHECK_NOT_SET;
	policy_number(row->limit, sizeof(row->limit), max->v);
	ms = lock_time_off(v) ? 0 : lock_time_ahead(v);
	/* Seconds, a part of one counted whole. */
	policy_number(row->value, sizeof(row->value),
	    ms / 1000 + (ms % 1000 != 0));
	if (ms / 1000 < max->v || (ms / 1000 == max->v && ms % 1000 == 0))
		return CHECK_PASS;
	return policy_fail(v, row, CODE_POLICY_DENIED, "the lock time is %s "
	    "seconds ahead, more than [policy] max_lock_time_ahead = %s",
	    row->value, row->limit);
}
