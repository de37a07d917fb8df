/* The checks of the policy in their order, and how they are walked. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy_int.h"

const struct policy_check policy_checks[] = {
	{ "unenforced",			check_unenforced },
	{ "allowed_sighash_types",	check_sighash_types },
	{ "require_reason",		check_reason },
	{ "allowed_destinations",	check_destinations },
	{ "max_fee_sompi",		check_fee },
	{ "max_fee_percent",		check_fee_percent },
	{ "max_amount_sompi",		check_max_amount },
	{ "min_amount_sompi",		check_min_amount },
	{ "max_lock_time_ahead",	check_lock_time },
	{ "outpoint_claim",		check_claims },
	{ "outpoint_conflict",		check_conflict },
	{ "max_outpoints",		check_outpoints },
	{ "max_per_hour",		check_count },
	{ "max_hourly_volume_sompi",	check_hour },
	{ "max_daily_volume_sompi",	check_day },
	{ "max_weekly_volume_sompi",	check_week },
	{ NULL,				NULL }
};
_Static_assert(sizeof(policy_checks) / sizeof(policy_checks[0]) - 1 <=
    POLICY_MAX_ROWS, "room for a row of every check");

enum check_outcome
policy_fail(const struct policy_view *v, const struct check_row *row,
    enum proto_code code, const char *fmt, ...)
{
	struct decision	*d = v->d;
	va_list		 ap;

	if (d->code != CODE_NONE)
		return CHECK_FAIL;
	d->code = code;
	d->check = row->check;
	memcpy(d->limit, row->limit, sizeof(d->limit));
	memcpy(d->value, row->value, sizeof(d->value));
	va_start(ap, fmt);
	(void)vsnprintf(d->message, sizeof(d->message), fmt, ap);
	va_end(ap);
	return CHECK_FAIL;
}

void
policy_number(char *out, size_t size, uint64_t n)
{
	(void)snprintf(out, size, "%llu", (unsigned long long)n);
}

void
policy_walk(const struct policy_view *v, struct pool *pool)
{
	const struct policy_check	*c;
	struct decision			*d = v->d;
	struct check_row		 one, *row = &one;

	if (v->q->every_check && (d->row = pool_alloc(pool, POLICY_MAX_ROWS,
	    sizeof(*d->row))) == NULL) {
		d->code = CODE_INTERNAL;
		(void)strlcpy(d->message, "out of memory",
		    sizeof(d->message));
		return;
	}
	for (c = policy_checks; c->name != NULL; c++) {
		if (v->q->every_check)
			row = &d->row[d->nrow++];
		memset(row, 0, sizeof(*row));
		row->check = c->name;
		row->outcome = c->run(v, row);
		if (row->outcome == CHECK_FAIL && !v->q->every_check)
			return;
	}
}
