#include <string.h>

#include "proto_msg.h"

#define S(str)		{ (const uint8_t *)(str), sizeof(str) - 1 }

static const uint8_t *fill(uint8_t);
static struct bytes view(const void *, size_t);

/* Bytes that count up from start, at least 64 of them. */
static const uint8_t *
fill(uint8_t start)
{
	static uint8_t	 ramp[256 + 64];
	size_t		 i;

	for (i = 0; i < sizeof(ramp); i++)
		ramp[i] = (uint8_t)i;
	return ramp + start;
}

static struct bytes
view(const void *p, size_t len)
{
	struct bytes	 b = { p, len };

	return b;
}

/* Decodes a payload and, when it is one, encodes it again. */
#define RECODE(name)							\
static int								\
re_##name(const uint8_t *p, size_t len, struct enc *e)			\
{									\
	struct msg_##name	 m;					\
	struct pool		 pool;					\
	int			 ret;					\
									\
	pool_init(&pool, 0);						\
	if ((ret = dec_##name(p, len, &pool, &m)) == 0)			\
		enc_##name(e, &m);					\
	pool_free(&pool);						\
	return ret;							\
}
RECODE(error)
RECODE(info)
RECODE(sign_req)
RECODE(sign)
RECODE(key_list_req)
RECODE(key_list)
RECODE(key_public_req)
RECODE(key_public)
RECODE(note)
RECODE(keyd_status)
RECODE(unlock)
RECODE(audit_state)
RECODE(audit_append)
RECODE(audit_ack)
RECODE(auditd_status)
RECODE(audit_health)
RECODE(reload)
RECODE(check)
RECODE(policy_req)
RECODE(policy)
RECODE(policy_accept)
RECODE(policy_release)

/* The same messages from structs. */
static void
build_error(struct enc *e, bool full)
{
	struct msg_error	 m = { CODE_LOCKED, 0, { 0 }, { 0 }, { 0 }, { 0 } };
	struct msg_error	 f = { CODE_POLICY_DENIED, 7, S("too much"),
				    S("max_amount_sompi"), S("1000"), S("1001") };

	enc_error(e, full ? &f : &m);
}

static void
build_info(struct enc *e, bool full)
{
	struct msg_info	 m;

	memset(&m, 0, sizeof(m));
	if (full) {
		m.version = bytes_str("0.1.0");
		m.network = bytes_str("testnet");
		m.profile = bytes_str("signer-01");
		m.key_ref = bytes_str("igra.signer.private_key_signer-01");
		m.locked = m.has_key = true;
		memcpy(m.public_key, fill(2), 33);
		m.address = bytes_str("kaspatest:q");
		m.redeem_script = view(fill(0x51), 5);
		m.threshold_m = 2;
		m.threshold_n = 3;
		m.has_fingerprint = true;
		memcpy(m.fingerprint, fill(0x70), 4);
	}
	enc_info(e, &m);
}

static void
build_sign_req(struct enc *e, bool full)
{
	struct msg_sign_req	 m;
	struct tx		 tx[2];
	struct tx_input		 in[2];
	struct tx_output	 out[2];

	memset(&m, 0, sizeof(m));
	memset(tx, 0, sizeof(tx));
	memset(in, 0, sizeof(in));
	memset(out, 0, sizeof(out));
	if (!full) {
		enc_sign_req(e, &m);
		return;
	}
	memcpy(in[0].outpoint.txid, fill(0), 32);
	in[0].outpoint.index = 1;
	in[0].sequence = UINT64_MAX;
	in[0].sig_op_count = 3;
	in[0].sighash_type = SIGHASH_ALL;
	in[0].has_utxo = true;
	in[0].amount = UINT64_C(0x1122334455667788);
	in[0].spk.version = 2;
	in[0].spk.script = view(fill(0xaa), 6);
	in[0].daa_score = 99;
	in[0].redeem = view(fill(0x51), 4);
	in[0].claim.path = bytes_str("m/1'");
	in[0].claim.has_fingerprint = true;
	memcpy(in[0].claim.fingerprint, fill(0xd0), 4);
	memcpy(in[1].outpoint.txid, fill(0x20), 32);
	in[1].outpoint.index = UINT32_MAX;
	in[1].sequence = 5;
	in[1].sighash_type = SIGHASH_SINGLE | SIGHASH_ANYONECANPAY;
	out[0].value = 10;
	out[0].spk.script = view(fill(1), 3);
	out[1].value = UINT64_MAX - 1;
	out[1].spk.version = 0x0102;
	out[1].has_covenant = true;
	out[1].authorizing_input = 0x0304;
	memcpy(out[1].covenant_id, fill(0x40), 32);
	out[1].claim.path = bytes_str("m/1'/0/2");
	out[1].claim.has_fingerprint = true;
	memcpy(out[1].claim.fingerprint, fill(0xd4), 4);
	tx[0].version = 1;
	tx[0].nin = tx[0].nout = 2;
	tx[0].in = in;
	tx[0].out = out;
	tx[0].lock_time = 0x0a0b;
	memcpy(tx[0].subnetwork, fill(0x60), 20);
	tx[0].gas = 77;
	tx[0].payload = bytes_str("pay");
	m.request_id = bytes_str("req-1");
	m.profile = bytes_str("signer-02");
	m.reason = bytes_str("rent");
	m.peer_uid = 1000;
	m.peer_pid = 4321;
	m.n = 2;
	m.tx = tx;
	enc_sign_req(e, &m);
}

static void
build_sign(struct enc *e, bool full)
{
	struct msg_sign		 m;
	struct sign_sig		 sig = { 1, 0x0201, { 0 }, { 0 } };
	struct sign_note	 note[2] = { { 0, S("a note") }, { 1, S("") } };
	uint8_t			 id[2][32];

	memset(&m, 0, sizeof(m));
	if (full) {
		memcpy(sig.public_key, fill(3), 33);
		m.audit_seq = 9;
		memcpy(m.audit_head, fill(0x80), 32);
		memcpy(id[0], fill(0x10), 32);
		memcpy(id[1], fill(0x30), 32);
		memcpy(sig.sig, fill(0x90), 64);
		m.n = m.nnote = 2;
		m.tx_id = id;
		m.nsig = 1;
		m.sig = &sig;
		m.note = note;
	}
	enc_sign(e, &m);
}

static void
build_key_list_req(struct enc *e, bool full)
{
	struct msg_key_list_req	 m = { S(""), 0, 0 }, f = { S("r"), 1, 2 };

	enc_key_list_req(e, full ? &f : &m);
}

static void
build_key_list(struct enc *e, bool full)
{
	struct key_entry_info	 k[2] = {
		{ S("igra.signer.mnemonic_signer-01"), S("signer-01"), true,
		    true },
		{ S("k"), S("signer-02"), false, false },
	};
	struct msg_key_list	 m = { full ? 2 : 0, k };

	enc_key_list(e, &m);
}

static void
build_key_public_req(struct enc *e, bool full)
{
	struct msg_key_public_req	 m = { S(""), S(""), 0, 0 };
	struct msg_key_public_req	 f = { S("r"), S("signer-09"), 1, 2 };

	enc_key_public_req(e, full ? &f : &m);
}

static void
build_key_public(struct enc *e, bool full)
{
	struct msg_key_public	 m;

	memset(&m, 0, sizeof(m));
	if (full) {
		m.key_ref = bytes_str("k");
		m.profile = bytes_str("signer-01");
		memcpy(m.public_key, fill(2), 33);
		m.address = bytes_str("kaspa:q");
	}
	enc_key_public(e, &m);
}

static void
build_note(struct enc *e, bool full)
{
	struct msg_note	 m = { EV_PEER_REJECTED, S(""), S(""), S(""), S(""), 0,
			    0, 0 };
	struct msg_note	 f = { EV_REQUEST_REJECTED, S("r"), S("pskt.sign"),
			    S("INVALID_PSKT"), S("bad"), 1, 2, 3 };

	enc_note(e, full ? &f : &m);
}

static void
build_keyd_status(struct enc *e, bool full)
{
	struct msg_keyd_status	 m;

	memset(&m, 0, sizeof(m));
	if (full) {
		m.locked = m.audit_ok = m.roles_separated = true;
		m.pid = 2;
		m.uptime_s = 3;
		m.unlocked_s = 4;
		m.cache_entries = 5;
		m.cache_max = 6;
		m.cache_ttl_s = 7;
		m.signatures = 8;
		m.requests = 9;
		m.refusals = 10;
		m.evictions = 11;
		m.kseq = 12;
		m.audit_seq = 13;
		memcpy(m.audit_head, fill(0x20), 32);
		m.audit_commits = 14;
		m.audit_wait_us = 15;
		m.auditd_pid = 16;
		memcpy(m.file_salt, fill(0x50), 32);
		m.facts = true;
		m.phrase = true;
		m.payment_there = true;
		m.payment_utf8 = true;
		m.payment_chars = 17;
		memcpy(m.public_key, fill(2), 33);
		m.network = bytes_str("devnet");
		m.profile = bytes_str("signer-01");
		m.version = bytes_str("0.1.0");
		m.memory = bytes_str("mlock");
		m.sandbox = bytes_str("chroot");
		m.audit_healthy = true;
		m.audit_alerts = 18;
		m.audit_reason = bytes_str("replaced");
		m.audit_sandbox = bytes_str("seccomp");
		m.journal_ok = true;
		m.rollback = PROTO_ROLLBACK_LOG | PROTO_ROLLBACK_JOURNAL;
		m.clock = PROTO_CLOCK_STEP;
		m.clock_gap = 19;
		m.journal_entries = 20;
		m.journal_outpoints = 21;
		m.journal_max = 22;
		m.journal_reason = bytes_str("full");
	}
	enc_keyd_status(e, &m);
}

static void
build_unlock(struct enc *e, bool full)
{
	struct msg_unlock	 m;

	memset(&m, 0, sizeof(m));
	if (full) {
		memcpy(m.file_key, fill(1), 32);
		m.has_layer1 = m.interactive = m.accept_clock = true;
		memcpy(m.layer1_key, fill(0x41), 32);
	}
	enc_unlock(e, &m);
}

static void
build_unlock_file(struct enc *e, bool full)
{
	if (full)
		enc_raw(e, "ISEC\1", 5);
	else
		enc_u8(e, 0);
}

static void
build_audit_state(struct enc *e, bool full)
{
	struct msg_audit_state	 m;

	memset(&m, 0, sizeof(m));
	if (full) {
		m.last_kseq = 1;
		m.reservation = 5;
		m.seq = 2;
		m.have = true;
		memcpy(m.head, fill(3), 32);
		m.pid = 4;
	}
	enc_audit_state(e, &m);
}

static void
fill_signing(struct audit_record *r, struct enc *dest)
{
	audit_dest_add(dest, "kaspatest:q", view(NULL, 0), 5);
	audit_dest_add(dest, NULL, view(fill(0x6a), 3), 6);
	audit_record_init(r, EV_SIGNING, SRC_KEYD, true);
	audit_set_u64(r, FIELD_KSEQ, 7);
	audit_set_str(r, FIELD_REQUEST_ID, "r");
	audit_set_str(r, FIELD_KEY_REF, "k");
	audit_set_str(r, FIELD_SCHEME, "Secp256k1Schnorr");
	audit_set_bytes(r, FIELD_PAYLOAD_HASH, fill(0), 32);
	audit_set_bytes(r, FIELD_TX_ID, fill(0x20), 32);
	audit_set_u64(r, FIELD_INPUTS, 2);
	audit_set_u64(r, FIELD_OUTFLOW, 3);
	audit_set_u64(r, FIELD_FEE, 4);
	audit_set_bytes(r, FIELD_DESTINATIONS, dest->buf, dest->len);
	audit_set_str(r, FIELD_POLICY, "allowed");
	audit_set_str(r, FIELD_REASON, "rent");
	audit_set_u64(r, FIELD_DURATION, 0x1000);
	audit_set_u64(r, FIELD_PEER_UID, 1000);
	audit_set_u64(r, FIELD_PEER_PID, 4321);
}

static void
build_audit_append(struct enc *e, bool full)
{
	struct audit_record	 r[3];
	struct msg_audit_append	 m = { full ? 3 : 0, r };
	struct enc		 dest;

	enc_init(&dest);
	fill_signing(&r[0], &dest);
	audit_record_init(&r[1], EV_SECRET_ACCESS, SRC_ADMIN, false);
	audit_set_str(&r[1], FIELD_SECRET_NAME, "igra.hd.wallet_secret");
	audit_set_u64(&r[1], FIELD_CACHED, 2);	/* any but 0 is true */
	audit_set_str(&r[1], FIELD_ERROR, "no");
	audit_set_str(&r[1], FIELD_OPERATION, NULL);	/* not set */
	audit_record_init(&r[2], EV_SECURITY_ALERT, SRC_AUDITD, false);
	audit_set_str(&r[2], FIELD_ALERT, "a");
	audit_set_u64(&r[2], FIELD_BYTES, 9);
	enc_audit_append(e, &m);
	enc_free(&dest);
}

static void
build_audit_ack(struct enc *e, bool full)
{
	struct msg_audit_ack	 m;

	memset(&m, 0, sizeof(m));
	if (full) {
		m.last_kseq = 1;
		m.seq = 2;
		memcpy(m.head, fill(3), 32);
	}
	enc_audit_ack(e, &m);
}

static void
build_auditd_status(struct enc *e, bool full)
{
	struct msg_auditd_status	 m;

	memset(&m, 0, sizeof(m));
	if (full) {
		m.pid = 1;
		m.uptime_s = 2;
		m.records = 3;
		m.bytes = 4;
		m.commits = 5;
		m.sync_us = 6;
		m.seq = 7;
		m.have = m.writable = true;
		memcpy(m.head, fill(8), 32);
		m.last_kseq = 9;
		m.path = bytes_str("/log");
		m.fault = bytes_str("full");
		m.sandbox = bytes_str("chroot");
		m.append_only = true;
		m.alerts = 10;
		m.reason = bytes_str("deleted");
		m.covered_seq = 6;
		memcpy(m.origin, fill(0x30), 32);
	}
	enc_auditd_status(e, &m);
}

static void
build_audit_health(struct enc *e, bool full)
{
	struct msg_audit_health	 m;

	memset(&m, 0, sizeof(m));
	if (full) {
		m.healthy = true;
		m.alerts = 3;
		m.reason = bytes_str("mode");
		m.sandbox = bytes_str("landlock 7");
	}
	enc_audit_health(e, &m);
}

static void
build_reload(struct enc *e, bool full)
{
	struct msg_reload	 m;

	memset(&m, 0, sizeof(m));
	if (full) {
		m.apply = true;
		memcpy(m.file_hash, fill(0x21), 32);
		m.text = bytes_str("[rpc]\n");
	}
	enc_reload(e, &m);
}

static void
build_policy_accept(struct enc *e, bool full)
{
	struct msg_policy_accept	 m = { full ? ACCEPT_ROLLBACK :
					    ACCEPT_CLOCK };

	enc_policy_accept(e, &m);
}

static void
build_policy_release(struct enc *e, bool full)
{
	struct msg_policy_release	 m;

	memset(&m, 0, sizeof(m));
	if (full) {
		memcpy(m.outpoint.txid, fill(0x11), 32);
		m.outpoint.index = 7;
		m.reason = bytes_str("replaced");
	}
	enc_policy_release(e, &m);
}

static void
build_check(struct enc *e, bool full)
{
	struct check_result	 result[2] = {
		{ S("require_reason"), CHECK_NOT_SET, S(""), S("") },
		{ S("max_fee_sompi"), CHECK_FAIL, S("10"), S("11") },
	};
	struct check_tx		 tx[2];
	struct msg_check	 m = { full ? 2 : 0, tx };

	memset(tx, 0, sizeof(tx));
	tx[0].code = CODE_POLICY_DENIED;
	tx[0].message = bytes_str("no");
	memcpy(tx[0].tx_id, fill(0x21), TX_ID_LEN);
	tx[0].inputs = 3;
	tx[0].known = true;
	tx[0].outflow = UINT64_MAX;
	tx[0].fee_known = true;
	tx[0].fee = 11;
	tx[0].nresult = 2;
	tx[0].result = result;
	enc_check(e, &m);
}

static void
build_policy_req(struct enc *e, bool full)
{
	struct msg_policy_req	 m;

	memset(&m, 0, sizeof(m));
	if (full) {
		m.has_outpoint = true;
		memcpy(m.outpoint.txid, fill(0x12), 32);
		m.outpoint.index = 8;
	}
	enc_policy_req(e, &m);
}

static void
build_policy(struct enc *e, bool full)
{
	struct policy_limit	 limit[2] = {
		{ S("max_per_hour"), S("60"), true, 7, 3600 },
		{ S("require_reason"), S(""), false, 0, 0 },
	};
	struct msg_policy	 m;

	memset(&m, 0, sizeof(m));
	if (full) {
		m.n = 2;
		m.limit = limit;
		m.claimed = true;
		m.amount = 5;
		memcpy(m.script_hash, fill(0x13), 32);
		memcpy(m.signing_id, fill(0x14), 32);
	}
	enc_policy(e, &m);
}

const struct proto_codec proto_codec[MSG_MAX] = {
	[MSG_ERROR] = { build_error, re_error },
	[MSG_INFO] = { build_info, re_info },
	[MSG_SIGN_REQ] = { build_sign_req, re_sign_req },
	[MSG_SIGN] = { build_sign, re_sign },
	[MSG_KEY_LIST_REQ] = { build_key_list_req, re_key_list_req },
	[MSG_KEY_LIST] = { build_key_list, re_key_list },
	[MSG_KEY_PUBLIC_REQ] = { build_key_public_req, re_key_public_req },
	[MSG_KEY_PUBLIC] = { build_key_public, re_key_public },
	[MSG_NOTE] = { build_note, re_note },
	[MSG_KEYD_STATUS] = { build_keyd_status, re_keyd_status },
	[MSG_UNLOCK_FILE] = { build_unlock_file, NULL },
	[MSG_UNLOCK] = { build_unlock, re_unlock },
	[MSG_AUDIT_STATE] = { build_audit_state, re_audit_state },
	[MSG_AUDIT_APPEND] = { build_audit_append, re_audit_append },
	[MSG_AUDIT_ACK] = { build_audit_ack, re_audit_ack },
	[MSG_AUDITD_STATUS] = { build_auditd_status, re_auditd_status },
	[MSG_AUDIT_HEALTH] = { build_audit_health, re_audit_health },
	[MSG_RELOAD] = { build_reload, re_reload },
	[MSG_POLICY_ACCEPT] = { build_policy_accept, re_policy_accept },
	[MSG_POLICY_RELEASE] = { build_policy_release, re_policy_release },
	[MSG_CHECK_REQ] = { build_sign_req, re_sign_req },
	[MSG_CHECK] = { build_check, re_check },
	[MSG_POLICY_REQ] = { build_policy_req, re_policy_req },
	[MSG_POLICY] = { build_policy, re_policy },
};
