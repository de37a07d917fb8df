/*
 * One encode and decode pair a message; the transaction's is in wire_tx.c.
 */
#include <string.h>

#include "messages_int.h"
#include "wire_tx.h"

#define MIN_SIG		(4 + 4 + 33 + 64)
#define MAX_CHECK	128		/* check, limit, value of a refusal */

void
enc_error(struct enc *e, const struct msg_error *m)
{
	enc_u16(e, (uint16_t)m->code);
	enc_u32(e, m->pskt);
	enc_bytes(e, m->message);
	enc_bytes(e, m->check);
	enc_bytes(e, m->limit);
	enc_bytes(e, m->value);
}

DEC_BEGIN(error);
	m->code = dec_u16(d);
	if (m->code == CODE_NONE || m->code >= CODE_MAX)
		d->failed = true;
	m->pskt = dec_u32(d);
	m->message = dec_bytes(d, PROTO_MAX_TEXT);
	m->check = dec_bytes(d, MAX_CHECK);
	m->limit = dec_bytes(d, MAX_CHECK);
	m->value = dec_bytes(d, MAX_CHECK);
DEC_END()

void
enc_info(struct enc *e, const struct msg_info *m)
{
	enc_bytes(e, m->version);
	enc_bytes(e, m->network);
	enc_bytes(e, m->profile);
	enc_bytes(e, m->key_ref);
	enc_u8(e, m->locked);
	enc_u8(e, m->has_key);
	enc_raw(e, m->public_key, sizeof(m->public_key));
	enc_bytes(e, m->address);
	enc_bytes(e, m->redeem_script);
	enc_u8(e, m->threshold_m);
	enc_u8(e, m->threshold_n);
	enc_u8(e, m->has_fingerprint);
	enc_raw(e, m->fingerprint, sizeof(m->fingerprint));
}

DEC_BEGIN(info);
	m->version = dec_bytes(d, 64);
	m->network = dec_bytes(d, 32);
	m->profile = dec_bytes(d, PROTO_MAX_PROFILE);
	m->key_ref = dec_bytes(d, PROTO_MAX_NAME);
	m->locked = dec_bool(d);
	m->has_key = dec_bool(d);
	dec_raw(d, m->public_key, sizeof(m->public_key));
	m->address = dec_bytes(d, 128);
	m->redeem_script = dec_bytes(d, TX_MAX_SCRIPT);
	m->threshold_m = dec_u8(d);
	m->threshold_n = dec_u8(d);
	m->has_fingerprint = dec_bool(d);
	dec_raw(d, m->fingerprint, sizeof(m->fingerprint));
DEC_END()

void
enc_sign_req(struct enc *e, const struct msg_sign_req *m)
{
	uint32_t	 i;

	enc_bytes(e, m->request_id);
	enc_bytes(e, m->profile);
	enc_bytes(e, m->reason);
	enc_u32(e, m->peer_uid);
	enc_u32(e, m->peer_pid);
	enc_u32(e, m->n);
	for (i = 0; i < m->n; i++)
		enc_tx(e, &m->tx[i]);
}

DEC_BEGIN(sign_req);
	uint32_t	 i;

	m->request_id = dec_bytes(d, PROTO_MAX_REQUEST_ID);
	m->profile = dec_bytes(d, PROTO_MAX_PROFILE);
	m->reason = dec_bytes(d, PROTO_MAX_REASON);
	m->peer_uid = dec_u32(d);
	m->peer_pid = dec_u32(d);
	m->n = dec_count(d, PROTO_MAX_BUNDLE, WIRE_TX_MIN);
	if ((m->tx = pool_alloc(pool, m->n, sizeof(*m->tx))) == NULL)
		return -1;
	for (i = 0; i < m->n && !d->failed; i++)
		dec_tx(d, pool, &m->tx[i]);
DEC_END()

void
enc_sign(struct enc *e, const struct msg_sign *m)
{
	uint32_t	 i;

	enc_u64(e, m->audit_seq);
	enc_raw(e, m->audit_head, sizeof(m->audit_head));
	enc_u32(e, m->n);
	for (i = 0; i < m->n; i++)
		enc_raw(e, m->tx_id[i], 32);
	enc_u32(e, m->nsig);
	for (i = 0; i < m->nsig; i++) {
		enc_u32(e, m->sig[i].tx);
		enc_u32(e, m->sig[i].input);
		enc_raw(e, m->sig[i].public_key,
		    sizeof(m->sig[i].public_key));
		enc_raw(e, m->sig[i].sig, sizeof(m->sig[i].sig));
	}
	enc_u32(e, m->nnote);
	for (i = 0; i < m->nnote; i++) {
		enc_u32(e, m->note[i].tx);
		enc_bytes(e, m->note[i].text);
	}
}

DEC_BEGIN(sign);
	uint32_t	 i;

	m->audit_seq = dec_u64(d);
	dec_raw(d, m->audit_head, sizeof(m->audit_head));
	m->n = dec_count(d, PROTO_MAX_BUNDLE, 32);
	if ((m->tx_id = pool_alloc(pool, m->n, 32)) == NULL)
		return -1;
	for (i = 0; i < m->n; i++)
		dec_raw(d, m->tx_id[i], 32);
	m->nsig = dec_count(d, PROTO_MAX_BUNDLE * TX_MAX_INPUTS,
	    MIN_SIG);
	if ((m->sig = pool_alloc(pool, m->nsig, sizeof(*m->sig))) == NULL)
		return -1;
	for (i = 0; i < m->nsig; i++) {
		m->sig[i].tx = dec_u32(d);
		m->sig[i].input = dec_u32(d);
		dec_raw(d, m->sig[i].public_key,
		    sizeof(m->sig[i].public_key));
		dec_raw(d, m->sig[i].sig, sizeof(m->sig[i].sig));
	}
	m->nnote = dec_count(d, PROTO_MAX_BUNDLE * TX_MAX_INPUTS, 8);
	if ((m->note = pool_alloc(pool, m->nnote, sizeof(*m->note))) == NULL)
		return -1;
	for (i = 0; i < m->nnote; i++) {
		m->note[i].tx = dec_u32(d);
		m->note[i].text = dec_bytes(d, PROTO_MAX_TEXT);
	}
DEC_END()

void
enc_key_list_req(struct enc *e, const struct msg_key_list_req *m)
{
	enc_bytes(e, m->request_id);
	enc_u32(e, m->peer_uid);
	enc_u32(e, m->peer_pid);
}

DEC_BEGIN(key_list_req);
	m->request_id = dec_bytes(d, PROTO_MAX_REQUEST_ID);
	m->peer_uid = dec_u32(d);
	m->peer_pid = dec_u32(d);
DEC_END()

void
enc_key_list(struct enc *e, const struct msg_key_list *m)
{
	uint32_t	 i;

	enc_u32(e, m->n);
	for (i = 0; i < m->n; i++) {
		enc_bytes(e, m->key[i].key_ref);
		enc_bytes(e, m->key[i].profile);
		enc_u8(e, m->key[i].hd);
		enc_u8(e, m->key[i].active);
	}
}

DEC_BEGIN(key_list);
	uint32_t	 i;

	m->n = dec_count(d, 4096, 10);
	if ((m->key = pool_alloc(pool, m->n, sizeof(*m->key))) == NULL)
		return -1;
	for (i = 0; i < m->n; i++) {
		m->key[i].key_ref = dec_bytes(d, PROTO_MAX_NAME);
		m->key[i].profile = dec_bytes(d, PROTO_MAX_PROFILE);
		m->key[i].hd = dec_bool(d);
		m->key[i].active = dec_bool(d);
	}
DEC_END()

void
enc_key_public_req(struct enc *e, const struct msg_key_public_req *m)
{
	enc_bytes(e, m->request_id);
	enc_bytes(e, m->profile);
	enc_u32(e, m->peer_uid);
	enc_u32(e, m->peer_pid);
}

DEC_BEGIN(key_public_req);
	m->request_id = dec_bytes(d, PROTO_MAX_REQUEST_ID);
	m->profile = dec_bytes(d, PROTO_MAX_PROFILE);
	m->peer_uid = dec_u32(d);
	m->peer_pid = dec_u32(d);
DEC_END()

void
enc_key_public(struct enc *e, const struct msg_key_public *m)
{
	enc_bytes(e, m->key_ref);
	enc_bytes(e, m->profile);
	enc_raw(e, m->public_key, sizeof(m->public_key));
	enc_bytes(e, m->address);
}

DEC_BEGIN(key_public);
	m->key_ref = dec_bytes(d, PROTO_MAX_NAME);
	m->profile = dec_bytes(d, PROTO_MAX_PROFILE);
	dec_raw(d, m->public_key, sizeof(m->public_key));
	m->address = dec_bytes(d, 128);
DEC_END()

void
enc_note(struct enc *e, const struct msg_note *m)
{
	enc_u8(e, (uint8_t)m->event);
	enc_bytes(e, m->request_id);
	enc_bytes(e, m->method);
	enc_bytes(e, m->code);
	enc_bytes(e, m->error);
	enc_u32(e, m->peer_uid);
	enc_u32(e, m->peer_pid);
	enc_u64(e, m->suppressed);
}

DEC_BEGIN(note);
	m->event = dec_u8(d);
	if (m->event != EV_PEER_REJECTED && m->event != EV_REQUEST_REJECTED &&
	    m->event != EV_SERVICE_STARTED && m->event != EV_SERVICE_STOPPED)
		d->failed = true;
	m->request_id = dec_bytes(d, PROTO_MAX_REQUEST_ID);
	m->method = dec_bytes(d, 64);
	m->code = dec_bytes(d, 64);
	m->error = dec_bytes(d, PROTO_MAX_TEXT);
	m->peer_uid = dec_u32(d);
	m->peer_pid = dec_u32(d);
	m->suppressed = dec_u64(d);
DEC_END()

void
enc_keyd_status(struct enc *e, const struct msg_keyd_status *m)
{
	enc_u8(e, m->locked);
	enc_u8(e, m->lock_marker);
	enc_u8(e, m->audit_ok);
	enc_u8(e, m->roles_separated);
	enc_u32(e, m->pid);
	enc_u64(e, m->uptime_s);
	enc_u64(e, m->unlocked_s);
	enc_u32(e, m->cache_entries);
	enc_u32(e, m->cache_max);
	enc_u64(e, m->cache_ttl_s);
	enc_u64(e, m->signatures);
	enc_u64(e, m->requests);
	enc_u64(e, m->refusals);
	enc_u64(e, m->evictions);
	enc_u64(e, m->kseq);
	enc_u64(e, m->audit_seq);
	enc_raw(e, m->audit_head, sizeof(m->audit_head));
	enc_u64(e, m->audit_commits);
	enc_u64(e, m->audit_wait_us);
	enc_u32(e, m->auditd_pid);
	enc_raw(e, m->file_salt, sizeof(m->file_salt));
	enc_u8(e, m->facts);
	enc_u8(e, m->phrase);
	enc_u8(e, m->payment_there);
	enc_u8(e, m->payment_utf8);
	enc_u32(e, m->payment_chars);
	enc_raw(e, m->public_key, sizeof(m->public_key));
	enc_bytes(e, m->network);
	enc_bytes(e, m->profile);
	enc_bytes(e, m->version);
	enc_bytes(e, m->memory);
	enc_bytes(e, m->sandbox);
	enc_u8(e, m->audit_healthy);
	enc_u64(e, m->audit_alerts);
	enc_bytes(e, m->audit_reason);
	enc_bytes(e, m->audit_sandbox);
	enc_u8(e, m->journal_ok);
	enc_u8(e, m->rollback);
	enc_u8(e, m->clock);
	enc_u64(e, m->clock_gap);
	enc_u64(e, m->journal_entries);
	enc_u64(e, m->journal_outpoints);
	enc_u64(e, m->journal_max);
	enc_bytes(e, m->journal_reason);
}

DEC_BEGIN(keyd_status);
	m->locked = dec_bool(d);
	m->lock_marker = dec_bool(d);
	m->audit_ok = dec_bool(d);
	m->roles_separated = dec_bool(d);
	m->pid = dec_u32(d);
	m->uptime_s = dec_u64(d);
	m->unlocked_s = dec_u64(d);
	m->cache_entries = dec_u32(d);
	m->cache_max = dec_u32(d);
	m->cache_ttl_s = dec_u64(d);
	m->signatures = dec_u64(d);
	m->requests = dec_u64(d);
	m->refusals = dec_u64(d);
	m->evictions = dec_u64(d);
	m->kseq = dec_u64(d);
	m->audit_seq = dec_u64(d);
	dec_raw(d, m->audit_head, sizeof(m->audit_head));
	m->audit_commits = dec_u64(d);
	m->audit_wait_us = dec_u64(d);
	m->auditd_pid = dec_u32(d);
	dec_raw(d, m->file_salt, sizeof(m->file_salt));
	m->facts = dec_bool(d);
	m->phrase = dec_bool(d);
	m->payment_there = dec_bool(d);
	m->payment_utf8 = dec_bool(d);
	m->payment_chars = dec_u32(d);
	dec_raw(d, m->public_key, sizeof(m->public_key));
	m->network = dec_bytes(d, 32);
	m->profile = dec_bytes(d, PROTO_MAX_PROFILE);
	m->version = dec_bytes(d, 64);
	m->memory = dec_bytes(d, 64);
	m->sandbox = dec_bytes(d, PROTO_MAX_SANDBOX);
	m->audit_healthy = dec_bool(d);
	m->audit_alerts = dec_u64(d);
	m->audit_reason = dec_bytes(d, PROTO_MAX_HEALTH);
	m->audit_sandbox = dec_bytes(d, PROTO_MAX_SANDBOX);
	m->journal_ok = dec_bool(d);
	m->rollback = dec_u8(d);
	m->clock = dec_u8(d);
	if (m->rollback > (PROTO_ROLLBACK_LOG | PROTO_ROLLBACK_JOURNAL) ||
	    m->clock >= PROTO_CLOCK_MAX)
		d->failed = true;
	m->clock_gap = dec_u64(d);
	m->journal_entries = dec_u64(d);
	m->journal_outpoints = dec_u64(d);
	m->journal_max = dec_u64(d);
	m->journal_reason = dec_bytes(d, PROTO_MAX_HEALTH);
DEC_END()

void
enc_unlock(struct enc *e, const struct msg_unlock *m)
{
	enc_raw(e, m->file_key, sizeof(m->file_key));
	enc_u8(e, m->has_layer1);
	enc_raw(e, m->layer1_key, sizeof(m->layer1_key));
	enc_u8(e, m->interactive);
	enc_u8(e, m->accept_clock);
}

DEC_BEGIN(unlock);
	dec_raw(d, m->file_key, sizeof(m->file_key));
	m->has_layer1 = dec_bool(d);
	dec_raw(d, m->layer1_key, sizeof(m->layer1_key));
	m->interactive = dec_bool(d);
	m->accept_clock = dec_bool(d);
DEC_END()

void
enc_audit_state(struct enc *e, const struct msg_audit_state *m)
{
	enc_u64(e, m->last_kseq);
	enc_u64(e, m->reservation);
	enc_u64(e, m->seq);
	enc_u8(e, m->have);
	enc_raw(e, m->head, sizeof(m->head));
	enc_u32(e, m->pid);
}

DEC_BEGIN(audit_state);
	m->last_kseq = dec_u64(d);
	m->reservation = dec_u64(d);
	m->seq = dec_u64(d);
	m->have = dec_bool(d);
	dec_raw(d, m->head, sizeof(m->head));
	m->pid = dec_u32(d);
DEC_END()

void
enc_audit_append(struct enc *e, const struct msg_audit_append *m)
{
	uint32_t	 i;

	enc_u32(e, m->n);
	for (i = 0; i < m->n; i++)
		enc_audit_record(e, &m->record[i]);
}

DEC_BEGIN(audit_append);
	uint32_t	 i;

	m->n = dec_count(d, 16 * PROTO_MAX_BUNDLE, 11);
	if ((m->record = pool_alloc(pool, m->n, sizeof(*m->record))) == NULL)
		return -1;
	for (i = 0; i < m->n && !d->failed; i++)
		dec_audit_record(d, &m->record[i]);
DEC_END()

void
enc_audit_ack(struct enc *e, const struct msg_audit_ack *m)
{
	enc_u64(e, m->last_kseq);
	enc_u64(e, m->seq);
	enc_raw(e, m->head, sizeof(m->head));
}

DEC_BEGIN(audit_ack);
	m->last_kseq = dec_u64(d);
	m->seq = dec_u64(d);
	dec_raw(d, m->head, sizeof(m->head));
DEC_END()

void
enc_auditd_status(struct enc *e, const struct msg_auditd_status *m)
{
	enc_u32(e, m->pid);
	enc_u64(e, m->uptime_s);
	enc_u64(e, m->records);
	enc_u64(e, m->bytes);
	enc_u64(e, m->commits);
	enc_u64(e, m->sync_us);
	enc_u64(e, m->seq);
	enc_u8(e, m->have);
	enc_raw(e, m->head, sizeof(m->head));
	enc_u64(e, m->last_kseq);
	enc_u8(e, m->writable);
	enc_bytes(e, m->path);
	enc_bytes(e, m->fault);
	enc_bytes(e, m->sandbox);
	enc_u8(e, m->append_only);
	enc_u8(e, m->healthy);
	enc_u64(e, m->alerts);
	enc_bytes(e, m->reason);
	enc_u64(e, m->covered_seq);
	enc_raw(e, m->origin, sizeof(m->origin));
}

DEC_BEGIN(auditd_status);
	m->pid = dec_u32(d);
	m->uptime_s = dec_u64(d);
	m->records = dec_u64(d);
	m->bytes = dec_u64(d);
	m->commits = dec_u64(d);
	m->sync_us = dec_u64(d);
	m->seq = dec_u64(d);
	m->have = dec_bool(d);
	dec_raw(d, m->head, sizeof(m->head));
	m->last_kseq = dec_u64(d);
	m->writable = dec_bool(d);
	m->path = dec_bytes(d, PROTO_MAX_TEXT);
	m->fault = dec_bytes(d, 512);
	m->sandbox = dec_bytes(d, PROTO_MAX_SANDBOX);
	m->append_only = dec_bool(d);
	m->healthy = dec_bool(d);
	m->alerts = dec_u64(d);
	m->reason = dec_bytes(d, PROTO_MAX_HEALTH);
	m->covered_seq = dec_u64(d);
	dec_raw(d, m->origin, sizeof(m->origin));
DEC_END()

void
enc_audit_health(struct enc *e, const struct msg_audit_health *m)
{
	enc_u8(e, m->healthy);
	enc_u64(e, m->alerts);
	enc_bytes(e, m->reason);
	enc_bytes(e, m->sandbox);
}

DEC_BEGIN(audit_health);
	m->healthy = dec_bool(d);
	m->alerts = dec_u64(d);
	m->reason = dec_bytes(d, PROTO_MAX_HEALTH);
	m->sandbox = dec_bytes(d, PROTO_MAX_SANDBOX);
DEC_END()

void
enc_reload(struct enc *e, const struct msg_reload *m)
{
	enc_u8(e, m->apply);
	enc_raw(e, m->file_hash, sizeof(m->file_hash));
	enc_bytes(e, m->text);
}

DEC_BEGIN(reload);
	m->apply = dec_bool(d);
	dec_raw(d, m->file_hash, sizeof(m->file_hash));
	m->text = dec_bytes(d, PROTO_MAX_CONFIG);
DEC_END()
