/*
 * The checks that remember what has been signed (DESIGN 12): claims on
 * outpoints, and limits over time.  What has been signed before is signed
 * again: it takes nothing of any limit.
 */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "policy_int.h"

static void	amount_lie(const struct policy_view *, struct check_row *,
		    const struct tx_input *, const struct journal_found *);
static void	script_lie(const struct policy_view *, struct check_row *,
		    const struct tx_input *, const struct journal_found *);
static enum check_outcome volume(const struct policy_view *,
		    struct check_row *, const struct conf_u64 *, uint64_t,
		    const char *);

static void
amount_lie(const struct policy_view *v, struct check_row *row,
    const struct tx_input *in, const struct journal_found *f)
{
	outpoint_text(&in->outpoint, row->value);
	policy_number(row->limit, sizeof(row->limit), f->amount);
	if (!in->has_utxo) {
		(void)policy_fail(v, row, CODE_POLICY_DENIED, "outpoint %s "
		    "has no utxoEntry in this request, and was signed for "
		    "with %s sompi", row->value, row->limit);
		return;
	}
	(void)policy_fail(v, row, CODE_POLICY_DENIED, "outpoint %s holds "
	    "%llu sompi in this request and %s in one that was signed: one "
	    "of the two is false", row->value,
	    (unsigned long long)in->amount, row->limit);
}

static void
script_lie(const struct policy_view *v, struct check_row *row,
    const struct tx_input *in, const struct journal_found *f)
{
	outpoint_text(&in->outpoint, row->value);
	(void)sodium_bin2hex(row->limit, sizeof(row->limit), f->script_hash,
	    sizeof(f->script_hash));
	(void)policy_fail(v, row, CODE_POLICY_DENIED, "outpoint %s has "
	    "another script in this request than in one that was signed",
	    row->value);
}

/*
 * A sighash commits to its own input's amount only: with one lie in each of
 * two sessions the difference would burn as a fee.  So what has been signed for
 * has to be as it was, though it may be made out to be somebody else's now.
 */
enum check_outcome
check_claims(const struct policy_view *v, struct check_row *row)
{
	const struct journal_entry	*e = &v->d->entry;
	const struct tx_input		*in;
	struct journal_claim_in		 claim;
	struct journal_found		 f;
	enum journal_verdict		 verdict;
	size_t				 i, n = 0;

	for (i = 0; i < v->tx->nin; i++) {
		in = &v->tx->in[i];
		if (v->d->class[i] != INPUT_FOREIGN)
			claim = e->claim[n++];
		else if (journal_find(v->q->journal, &in->outpoint, &f)) {
			claim.outpoint = in->outpoint;
			claim.amount = in->amount;
			journal_script_hash(&in->spk, claim.script_hash);
		} else
			continue;
		verdict = journal_claim(v->q->journal, &claim, e->sid, &f);
		if (verdict == CLAIM_OTHER_AMOUNT ||
		    (verdict != CLAIM_NEW && !in->has_utxo)) {
			amount_lie(v, row, in, &f);
			return CHECK_FAIL;
		}
		if (verdict == CLAIM_OTHER_SCRIPT) {
			script_lie(v, row, in, &f);
			return CHECK_FAIL;
		}
	}
	return CHECK_PASS;
}

enum check_outcome
check_conflict(const struct policy_view *v, struct check_row *row)
{
	const struct journal_entry	*e = &v->d->entry;
	bool	 replace = v->q->conf->policy.allow_replacement;
	size_t	 i;

	if (v->b->tx[v->index].shared != INPUT_NONE) {
		i = v->b->tx[v->index].shared;
		outpoint_text(&v->tx->in[i].outpoint, row->value);
		return policy_fail(v, row, CODE_CONFLICT, "inputs[%zu]: "
		    "outpoint %s is spent by an earlier document of the "
		    "bundle too", i, row->value);
	}
	(void)snprintf(row->limit, sizeof(row->limit),
	    "allow_replacement = %s", replace ? "true" : "false");
	if (replace)
		return CHECK_PASS;
	for (i = 0; i < e->n; i++) {
		if (journal_claim(v->q->journal, &e->claim[i], e->sid,
		    NULL) != CLAIM_OTHER_ID)
			continue;
		outpoint_text(&e->claim[i].outpoint, row->value);
		return policy_fail(v, row, CODE_CONFLICT, "outpoint %s has "
		    "been signed for in another transaction, and [policy] "
		    "allow_replacement is not set", row->value);
	}
	return CHECK_PASS;
}

/* The journal holds each outpoint and each signing id. */
enum check_outcome
check_outpoints(const struct policy_view *v, struct check_row *row)
{
	uint64_t	 ids, claims, need, max, used;

	max = v->q->conf->policy.max_outpoints;
	used = max > v->b->room ? max - v->b->room : 0;
	ids = v->b->ids + !v->d->known;
	claims = v->b->claims + v->d->new_claims;
	need = v->d->known ? 0 : claims > ids ? claims : ids;
	policy_number(row->limit, sizeof(row->limit), max);
	policy_number(row->value, sizeof(row->value), used + need);
	if (need <= v->b->room)
		return CHECK_PASS;
	return policy_fail(v, row, CODE_POLICY_DENIED, "the journal would "
	    "have to hold %s outpoints, more than [policy] max_outpoints = "
	    "%s", row->value, row->limit);
}

enum check_outcome
check_count(const struct policy_view *v, struct check_row *row)
{
	const struct conf_u64	*max = &v->q->conf->policy.max_per_hour;
	uint64_t		 n = v->b->usage.count;

	if (!max->set)
		return CHECK_NOT_SET;
	if (!v->d->known)
		n += v->b->ids + 1;
	policy_number(row->limit, sizeof(row->limit), max->v);
	policy_number(row->value, sizeof(row->value), n);
	if (v->d->known || n <= max->v)
		return CHECK_PASS;
	return policy_fail(v, row, CODE_POLICY_DENIED, "it would be "
	    "transaction %s of the last hour, more than [policy] "
	    "max_per_hour = %s", row->value, row->limit);
}

static enum check_outcome
volume(const struct policy_view *v, struct check_row *row,
    const struct conf_u64 *max, uint64_t used, const char *window)
{
	uint64_t	 sum;

	if (!max->set)
		return CHECK_NOT_SET;
	sum = bundle_volume(v->b, used, v->d);
	policy_number(row->limit, sizeof(row->limit), max->v);
	policy_number(row->value, sizeof(row->value), sum);
	if (v->d->known || sum <= max->v)
		return CHECK_PASS;
	return policy_fail(v, row, CODE_POLICY_DENIED, "%s sompi would have "
	    "left within %s, more than [policy] %s = %s", row->value, window,
	    row->check, row->limit);
}

enum check_outcome
check_hour(const struct policy_view *v, struct check_row *row)
{
	return volume(v, row, &v->q->conf->policy.max_hourly_volume_sompi,
	    v->b->usage.hour, "an hour");
}

enum check_outcome
check_day(const struct policy_view *v, struct check_row *row)
{
	return volume(v, row, &v->q->conf->policy.max_daily_volume_sompi,
	    v->b->usage.day, "a day");
}

enum check_outcome
check_week(const struct policy_view *v, struct check_row *row)
{
	return volume(v, row, &v->q->conf->policy.max_weekly_volume_sompi,
	    v->b->usage.week, "a week");
}
