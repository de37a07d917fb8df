/* Messages about the policy: what it decides, holds, and is told. */
#include <string.h>

#include "messages_int.h"

#define MIN_RESULT	(4 + 1 + 4 + 4)
#define MIN_CHECK_TX	(2 + 4 + TX_ID_LEN + 4 + 1 + 8 + 1 + 8 + 4)
#define MIN_LIMIT	(4 + 4 + 1 + 8 + 8)
#define MAX_NAME	64	/* of a check */
#define MAX_LIMIT	128
#define MAX_VALUE	128
#define MAX_MESSAGE	512

static void	enc_check_tx(struct enc *, const struct check_tx *);
static void	dec_check_tx(struct dec *, struct pool *, struct check_tx *);

static void
enc_check_tx(struct enc *e, const struct check_tx *t)
{
	uint32_t	 i;

	enc_u16(e, (uint16_t)t->code);
	enc_bytes(e, t->message);
	enc_raw(e, t->tx_id, sizeof(t->tx_id));
	enc_u32(e, t->inputs);
	enc_u8(e, t->known);
	enc_u64(e, t->outflow);
	enc_u8(e, t->fee_known);
	enc_u64(e, t->fee);
	enc_u32(e, t->nresult);
	for (i = 0; i < t->nresult; i++) {
		enc_bytes(e, t->result[i].check);
		enc_u8(e, (uint8_t)t->result[i].outcome);
		enc_bytes(e, t->result[i].limit);
		enc_bytes(e, t->result[i].value);
	}
}

static void
dec_check_tx(struct dec *d, struct pool *pool, struct check_tx *t)
{
	uint32_t	 i;

	t->code = dec_u16(d);
	if (t->code >= CODE_MAX)
		d->failed = true;
	t->message = dec_bytes(d, MAX_MESSAGE);
	dec_raw(d, t->tx_id, sizeof(t->tx_id));
	t->inputs = dec_u32(d);
	t->known = dec_bool(d);
	t->outflow = dec_u64(d);
	t->fee_known = dec_bool(d);
	t->fee = dec_u64(d);
	t->nresult = dec_count(d, PROTO_MAX_CHECKS, MIN_RESULT);
	if ((t->result = pool_alloc(pool, t->nresult,
	    sizeof(*t->result))) == NULL) {
		d->failed = true;
		return;
	}
	for (i = 0; i < t->nresult; i++) {
		t->result[i].check = dec_bytes(d, MAX_NAME);
		t->result[i].outcome = dec_u8(d);
		if (t->result[i].outcome >= CHECK_OUTCOMES)
			d->failed = true;
		t->result[i].limit = dec_bytes(d, MAX_LIMIT);
		t->result[i].value = dec_bytes(d, MAX_VALUE);
	}
}

void
enc_check(struct enc *e, const struct msg_check *m)
{
	uint32_t	 i;

	enc_u32(e, m->n);
	for (i = 0; i < m->n; i++)
		enc_check_tx(e, &m->tx[i]);
}

DEC_BEGIN(check);
	uint32_t	 i;

	m->n = dec_count(d, PROTO_MAX_BUNDLE, MIN_CHECK_TX);
	if ((m->tx = pool_alloc(pool, m->n, sizeof(*m->tx))) == NULL)
		return -1;
	for (i = 0; i < m->n && !d->failed; i++)
		dec_check_tx(d, pool, &m->tx[i]);
DEC_END()

void
enc_policy_req(struct enc *e, const struct msg_policy_req *m)
{
	enc_u8(e, m->has_outpoint);
	enc_raw(e, m->outpoint.txid, sizeof(m->outpoint.txid));
	enc_u32(e, m->outpoint.index);
}

DEC_BEGIN(policy_req);
	m->has_outpoint = dec_bool(d);
	dec_raw(d, m->outpoint.txid, sizeof(m->outpoint.txid));
	m->outpoint.index = dec_u32(d);
DEC_END()

void
enc_policy(struct enc *e, const struct msg_policy *m)
{
	uint32_t	 i;

	enc_u32(e, m->n);
	for (i = 0; i < m->n; i++) {
		enc_bytes(e, m->limit[i].key);
		enc_bytes(e, m->limit[i].text);
		enc_u8(e, m->limit[i].counted);
		enc_u64(e, m->limit[i].used);
		enc_u64(e, m->limit[i].frees_s);
	}
	enc_u8(e, m->claimed);
	enc_u64(e, m->amount);
	enc_raw(e, m->script_hash, sizeof(m->script_hash));
	enc_raw(e, m->signing_id, sizeof(m->signing_id));
}

DEC_BEGIN(policy);
	uint32_t	 i;

	m->n = dec_count(d, PROTO_MAX_CHECKS, MIN_LIMIT);
	if ((m->limit = pool_alloc(pool, m->n, sizeof(*m->limit))) == NULL)
		return -1;
	for (i = 0; i < m->n; i++) {
		m->limit[i].key = dec_bytes(d, MAX_NAME);
		m->limit[i].text = dec_bytes(d, MAX_LIMIT);
		m->limit[i].counted = dec_bool(d);
		m->limit[i].used = dec_u64(d);
		m->limit[i].frees_s = dec_u64(d);
	}
	m->claimed = dec_bool(d);
	m->amount = dec_u64(d);
	dec_raw(d, m->script_hash, sizeof(m->script_hash));
	dec_raw(d, m->signing_id, sizeof(m->signing_id));
DEC_END()

void
enc_policy_accept(struct enc *e, const struct msg_policy_accept *m)
{
	enc_u8(e, (uint8_t)m->what);
}

DEC_BEGIN(policy_accept);
	m->what = dec_u8(d);
	if (m->what < ACCEPT_CLOCK || m->what >= ACCEPT_MAX)
		d->failed = true;
DEC_END()

void
enc_policy_release(struct enc *e, const struct msg_policy_release *m)
{
	enc_raw(e, m->outpoint.txid, sizeof(m->outpoint.txid));
	enc_u32(e, m->outpoint.index);
	enc_bytes(e, m->reason);
}

DEC_BEGIN(policy_release);
	dec_raw(d, m->outpoint.txid, sizeof(m->outpoint.txid));
	m->outpoint.index = dec_u32(d);
	m->reason = dec_bytes(d, PROTO_MAX_REASON);
DEC_END()
