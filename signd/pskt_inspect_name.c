/* What the two written forms of an inspection share. */
#include <inttypes.h>
#include <string.h>

#include "pskt_inspect.h"
#include "saturate.h"

#define LOCK_TIME_THRESHOLD	500000000000U	/* below it is a DAA score */

void
inspect_sums(const struct inspect *s, struct inspect_sums *t)
{
	const struct inspect_doc	*d;
	size_t				 i;

	memset(t, 0, sizeof(*t));
	t->fee_known = t->outflow_known = true;
	for (i = 0; i < s->doc->n; i++) {
		d = &s->d[i];
		t->inputs += d->pskt->tx.nin;
		t->outputs += d->pskt->tx.nout;
		t->fee_known = t->fee_known && d->fee_known;
		t->outflow_known = t->outflow_known && d->outflow_known;
		t->sum_in = sat_add(t->sum_in, d->sum_in);
		t->sum_out = sat_add(t->sum_out, d->sum_out);
		t->fee = sat_add(t->fee, d->fee);
		t->outflow = sat_add(t->outflow, d->outflow);
		t->missing += d->missing;
		t->unknown += d->unknown;
		t->finals += d->finals;
	}
}

const char *
inspect_state(const struct inspect_doc *d)
{
	size_t	 i;

	if (d->pskt->tx.nin != 0 && d->finals == d->pskt->tx.nin)
		return "final";
	if (d->unknown != 0)
		return "unknown";
	if (d->missing == 0 && d->pskt->tx.nin != 0)
		return "complete";
	for (i = 0; i < d->pskt->tx.nin; i++)
		if (d->in[i].valid != 0 || d->in[i].final == FINAL_VALID)
			return "partial";
	return "unsigned";
}

const char *
inspect_lock_name(enum lock_kind kind)
{
	switch (kind) {
	case LOCK_NO_UTXO:
		return "unknown";
	case LOCK_NONSTANDARD:
		return "nonstandard";
	case LOCK_P2PK:
		return "p2pk";
	case LOCK_P2PK_ECDSA:
		return "p2pk_ecdsa";
	case LOCK_NO_REDEEM:
		return "p2sh";
	case LOCK_SCRIPT:
		return "p2sh_script";
	case LOCK_MULTISIG:
		return "multisig";
	case LOCK_MULTISIG_ECDSA:
		return "multisig_ecdsa";
	}
	return "unknown";
}

const char *
inspect_sig_name(enum sig_state state)
{
	switch (state) {
	case SIG_MISSING:
		return "missing";
	case SIG_VALID:
		return "valid";
	case SIG_INVALID:
		return "invalid";
	case SIG_UNKNOWN:
		break;
	}
	return "unknown";
}

const char *
inspect_final_name(enum final_state state)
{
	switch (state) {
	case FINAL_NONE:
		return "none";
	case FINAL_VALID:
		return "valid";
	case FINAL_INVALID:
		return "invalid";
	case FINAL_UNKNOWN:
		break;
	}
	return "unknown";
}

const char *
inspect_sighash_name(uint8_t type)
{
	switch (type) {
	case SIGHASH_ALL:
		return "all";
	case SIGHASH_NONE:
		return "none";
	case SIGHASH_SINGLE:
		return "single";
	case SIGHASH_ALL | SIGHASH_ANYONECANPAY:
		return "all_anyonecanpay";
	case SIGHASH_NONE | SIGHASH_ANYONECANPAY:
		return "none_anyonecanpay";
	case SIGHASH_SINGLE | SIGHASH_ANYONECANPAY:
		return "single_anyonecanpay";
	}
	return "unknown";
}

/* A mass is far below 2^54, so the product fits. */
void
inspect_fee_rate(const struct inspect_doc *d, char *out)
{
	uint64_t	 mass = mass_for_fee(&d->mass);

	out[0] = '\0';
	if (d->fee_known && mass != 0 && mass < UINT64_MAX / 1000)
		(void)snprintf(out, 32, "%" PRIu64 ".%03u", d->fee / mass,
		    (unsigned)(d->fee % mass * 1000 / mass));
}

void
inspect_address(const struct inspect *s, const struct spk *spk, char *out)
{
	if (address_from_spk(s->ctx.network, spk, out) == -1)
		out[0] = '\0';
}

bool
inspect_is_time(uint64_t lock_time)
{
	return lock_time >= LOCK_TIME_THRESHOLD;
}
