#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "journal_int.h"
#include "messages.h"

static void	hash_number(crypto_generichash_state *, uint64_t, size_t);
static bool	acceptable(const struct journal *, journal_cb, void *);
static void	accepted(struct journal *, journal_cb, void *);
static size_t	new_claims(const struct journal *, const struct journal_entry *);

/* Little-endian, n bytes. */
static void
hash_number(crypto_generichash_state *h, uint64_t v, size_t n)
{
	uint8_t	 b[8];
	size_t	 i;

	for (i = 0; i < n; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	(void)crypto_generichash_update(h, b, n);
}

void
journal_script_hash(const struct spk *spk, uint8_t out[32])
{
	crypto_generichash_state	 h;

	(void)crypto_generichash_init(&h, NULL, 0, 32);
	hash_number(&h, spk->version, 2);
	(void)crypto_generichash_update(&h, spk->script.p, spk->script.len);
	(void)crypto_generichash_final(&h, out, 32);
}

void
journal_signing_id(const struct tx *tx, const uint8_t txid[TX_ID_LEN],
    uint8_t out[JOURNAL_ID_LEN])
{
	crypto_generichash_state	 h;
	const struct tx_input		*in;
	size_t				 i;

	(void)crypto_generichash_init(&h, NULL, 0, JOURNAL_ID_LEN);
	(void)crypto_generichash_update(&h, txid, TX_ID_LEN);
	hash_number(&h, tx->nin, 8);
	for (i = 0; i < tx->nin; i++) {
		in = &tx->in[i];
		hash_number(&h, in->has_utxo, 1);
		hash_number(&h, in->has_utxo ? in->amount : 0, 8);
		hash_number(&h, in->has_utxo ? in->spk.version : 0, 2);
		hash_number(&h, in->has_utxo ? in->spk.script.len : 0, 8);
		if (in->has_utxo)
			(void)crypto_generichash_update(&h, in->spk.script.p,
			    in->spk.script.len);
		hash_number(&h, in->sighash_type, 1);
		hash_number(&h, in->sig_op_count, 1);
	}
	(void)crypto_generichash_final(&h, out, JOURNAL_ID_LEN);
}

struct journal *
journal_new(size_t max, const struct journal_clocks *clocks)
{
	struct journal	*j;

	if ((j = calloc(1, sizeof(*j))) == NULL)
		return NULL;
	j->max = max;
	if (clocks != NULL)
		j->clocks = *clocks;
	window_init(j);
	clock_start(j);
	if (table_init(j) == -1) {
		journal_free(j);
		return NULL;
	}
	return j;
}

void
journal_free(struct journal *j)
{
	if (j == NULL)
		return;
	file_free(j);
	table_free(j);
	free(j);
}

void
journal_set_max(struct journal *j, size_t max)
{
	j->max = max;
}

bool
journal_known(const struct journal *j, const uint8_t sid[JOURNAL_ID_LEN])
{
	return table_find_id(j, sid) != NOT_FOUND;
}

bool
journal_find(const struct journal *j, const struct outpoint *o,
    struct journal_found *f)
{
	const struct claim	*c;
	size_t			 i;

	memset(f, 0, sizeof(*f));
	if ((i = table_find(j, o)) == NOT_FOUND)
		return false;
	c = &j->claims[i];
	f->amount = c->amount;
	memcpy(f->script_hash, c->script_hash, sizeof(f->script_hash));
	memcpy(f->sid, j->ids[c->id].sid, sizeof(f->sid));
	return true;
}

/*
 * What is known has been signed: to sign it again gives nothing away, even if
 * another transaction has claimed the outpoint since.
 */
enum journal_verdict
journal_claim(const struct journal *j, const struct journal_claim_in *in,
    const uint8_t sid[JOURNAL_ID_LEN], struct journal_found *found)
{
	struct journal_found	 f;

	if (found == NULL)
		found = &f;
	if (!journal_find(j, &in->outpoint, found))
		return CLAIM_NEW;
	if (found->amount != in->amount)
		return CLAIM_OTHER_AMOUNT;
	if (memcmp(found->script_hash, in->script_hash,
	    sizeof(found->script_hash)) != 0)
		return CLAIM_OTHER_SCRIPT;
	if (memcmp(found->sid, sid, sizeof(found->sid)) == 0 ||
	    journal_known(j, sid))
		return CLAIM_SAME;
	return CLAIM_OTHER_ID;
}

/* Each outpoint and each signing id takes memory and room in the file. */
size_t
journal_room(const struct journal *j)
{
	size_t	 used = j->nclaims > j->nids ? j->nclaims : j->nids;

	return used >= j->max ? 0 : j->max - used;
}

bool
journal_may_sign(const struct journal *j, char *why, size_t size)
{
	const char	*fault = write_fault(j);

	if (fault != NULL)
		(void)strlcpy(why, fault, size);
	else if ((j->rollback & PROTO_ROLLBACK_LOG) != 0 &&
	    j->log.seq > j->acked_seq)
		(void)snprintf(why, size, "the audit log was rolled back: "
		    "igra-keyd's records in it end at kseq %llu, igra-auditd "
		    "had acknowledged %llu; see igractl policy "
		    "accept-rollback", (unsigned long long)j->log.last_kseq,
		    (unsigned long long)j->acked_kseq);
	else if ((j->rollback & PROTO_ROLLBACK_LOG) != 0)
		(void)snprintf(why, size, "the audit log was rolled back: it "
		    "ends at record %llu, igra-auditd had acknowledged %llu; "
		    "see igractl policy accept-rollback",
		    (unsigned long long)j->log.seq,
		    (unsigned long long)j->acked_seq);
	else if ((j->rollback & PROTO_ROLLBACK_JOURNAL) != 0)
		(void)snprintf(why, size, "the policy journal was rolled "
		    "back: it ends at reservation %llu, the audit log has a "
		    "signature of %llu; see igractl policy accept-rollback",
		    (unsigned long long)j->reservation,
		    (unsigned long long)j->log.reservation);
	else {
		why[0] = '\0';
		return true;
	}
	return false;
}

void
journal_compare(struct journal *j, const struct journal_log *log)
{
	unsigned	 before = j->rollback;

	/* Once seen it stays, though the log grows on from there. */
	if (before == 0)
		j->log = *log;
	if (log->seq < j->acked_seq || (log->seq == j->acked_seq &&
	    memcmp(log->head, j->acked_head, sizeof(log->head)) != 0) ||
	    log->last_kseq < j->acked_kseq)
		j->rollback |= PROTO_ROLLBACK_LOG;
	if (log->reservation > j->reservation)
		j->rollback |= PROTO_ROLLBACK_JOURNAL;
	if (j->rollback != before) {
		j->log = *log;
		/* As soon as the file can be written, if not now. */
		if (j->file != NULL && (write_fault(j) != NULL ||
		    write_slot(j, NULL, NULL) == -1))
			write_note(j);
	}
}

unsigned
journal_rollback(const struct journal *j)
{
	return j->rollback;
}

/* Nothing of a log that is in doubt: what is missing in it is to be shown. */
void
journal_acked(struct journal *j, uint64_t kseq, uint64_t seq,
    const uint8_t head[32])
{
	if ((j->rollback & PROTO_ROLLBACK_LOG) != 0)
		return;
	j->acked_kseq = kseq;
	j->acked_seq = seq;
	memcpy(j->acked_head, head, sizeof(j->acked_head));
	write_note(j);
}

void
journal_tick(struct journal *j)
{
	enum journal_clock	 before = j->clock.state;

	clock_check(j);
	if (j->clock.state != before)
		write_note(j);
	window_tick(j);
}

void
journal_release(struct journal *j, const struct outpoint *o, journal_cb cb,
    void *arg)
{
	struct journal_claim_in	 c;
	size_t			 i = table_find(j, o);

	if (i == NOT_FOUND || j->file == NULL) {
		(void)table_release(j, o);
		cb(true, NULL, arg);
		return;
	}
	c.outpoint = *o;
	c.amount = j->claims[i].amount;
	memcpy(c.script_hash, j->claims[i].script_hash, sizeof(c.script_hash));
	write_release(j, &c, cb, arg);
}

/* False: refused, since what cannot be written is not to count later either. */
static bool
acceptable(const struct journal *j, journal_cb cb, void *arg)
{
	const char	*why;

	if (j->file == NULL || (why = write_fault(j)) == NULL)
		return true;
	cb(false, why, arg);
	return false;
}

/* Both acceptances are a matter of the slot. */
static void
accepted(struct journal *j, journal_cb cb, void *arg)
{
	if (j->file == NULL)
		cb(true, NULL, arg);
	else if (write_slot(j, cb, arg) == -1)
		cb(false, "too much waits for the policy journal", arg);
}

void
journal_accept_clock(struct journal *j, journal_cb cb, void *arg)
{
	if (!acceptable(j, cb, arg))
		return;
	clock_accept(j);
	accepted(j, cb, arg);
}

void
journal_accept_rollback(struct journal *j, journal_cb cb, void *arg)
{
	if (!acceptable(j, cb, arg))
		return;
	j->acked_kseq = j->log.last_kseq;
	j->acked_seq = j->log.seq;
	memcpy(j->acked_head, j->log.head, sizeof(j->acked_head));
	if (j->log.reservation > j->reservation)
		j->reservation = j->log.reservation;
	j->rollback = 0;
	accepted(j, cb, arg);
}

void
journal_state(const struct journal *j, struct journal_state *s)
{
	s->outpoints = j->nclaims;
	s->max = j->max;
	s->entries = j->nids;
	s->bytes = j->bytes;
	s->reservation = j->reservation;
	s->kseq = j->kseq;
	s->acked_kseq = j->acked_kseq;
	s->acked_seq = j->acked_seq;
}

static size_t
new_claims(const struct journal *j, const struct journal_entry *e)
{
	size_t	 i, n = 0;

	for (i = 0; i < e->n; i++)
		if (table_find(j, &e->claim[i].outpoint) == NOT_FOUND)
			n++;
	return n;
}

int
journal_reserve(struct journal *j, const struct journal_entry *e, size_t n)
{
	size_t	 i, k, id, claims = 0, ids = 0, room = journal_room(j);

	for (i = 0; i < n; i++) {
		if (journal_known(j, e[i].sid))
			continue;
		ids++;
		claims += new_claims(j, &e[i]);
	}
	if (ids == 0)
		return 0;
	if (claims > room || ids > room || table_grow(j, claims, ids) == -1)
		return -1;
	clock_check(j);
	for (i = 0; i < n; i++) {
		/* Also twice in one bundle. */
		if (journal_known(j, e[i].sid))
			continue;
		id = table_add_id(j, e[i].sid, clock_policy(j), e[i].outflow);
		window_add(j, e[i].outflow);
		for (k = 0; k < e[i].n; k++)
			table_claim(j, &e[i].claim[k], id);
	}
	return 0;
}
