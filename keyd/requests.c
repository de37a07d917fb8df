/* signd's requests other than signing, and how any of them is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "keyd.h"
#include "log.h"
#include "secmem.h"

static void	note_service(struct keyd *, const struct msg_note *);
static void	own_address(const struct keyd *, char *);
static const char *spk_address(const struct keyd *, const uint8_t *, char *);
static void	public_audited(bool, const struct msg_audit_ack *,
		    const char *, void *);
static bool	pending_new(struct client *, const struct frame *,
		    struct enc *, uint16_t, struct bytes, uint32_t, uint32_t,
		    const char *, struct audit_record *, uint32_t);

/* An answer that waits for its record: key.list and key.public. */
struct pending {
	struct keyd	*k;
	uint64_t	 client;	/* serial */
	uint64_t	 id;
	uint16_t	 type;
	struct enc	 e;
	uint32_t	 peer_uid, peer_pid;
	char		 request_id[PROTO_MAX_REQUEST_ID + 1];
	const char	*method;
};

void
refuse_request(struct keyd *k, struct client *c, uint64_t id,
    const struct refusal *f)
{
	struct audit_record	 r;
	struct msg_error	 m;
	struct enc		 e;

	k->refusals++;
	memset(&m, 0, sizeof(m));
	m.code = f->code;
	m.pskt = f->pskt;
	m.message = bytes_str(f->message);
	m.check = bytes_str(f->check);
	m.limit = bytes_str(f->limit);
	m.value = bytes_str(f->value);
	if (c != NULL) {
		enc_init(&e);
		enc_error(&e, &m);
		(void)frame_send_enc(c->conn, MSG_ERROR, id, &e);
	}
	if (f->extra != NULL) {
		r = *f->extra;
		audit_set_str(&r, FIELD_CHECK, f->check);
		audit_set_str(&r, FIELD_LIMIT, f->limit);
		audit_set_str(&r, FIELD_VALUE, f->value);
	} else {
		audit_record_init(&r, EV_REQUEST_REJECTED, SRC_KEYD, false);
		audit_set_str(&r, FIELD_METHOD, f->method);
		audit_set_str(&r, FIELD_CODE, proto_code_name(f->code));
		audit_set_u64(&r, FIELD_PEER_UID, f->peer_uid);
		audit_set_u64(&r, FIELD_PEER_PID, f->peer_pid);
		if (f->request_id.len != 0)
			audit_set_bytes(&r, FIELD_REQUEST_ID, f->request_id.p,
			    f->request_id.len);
	}
	audit_set_str(&r, FIELD_ERROR, f->message);
	(void)audit_tell_capped(&k->audit, &r, f->peer_uid);
}

uint32_t
access_records(const struct key_accesses *a, struct bytes request_id,
    uint32_t uid, uint32_t pid, const char *operation, bool ok,
    struct audit_record *r)
{
	unsigned	 i;

	for (i = 0; i < a->n; i++) {
		audit_record_init(&r[i], EV_SECRET_ACCESS, SRC_KEYD, ok);
		if (request_id.len != 0)
			audit_set_bytes(&r[i], FIELD_REQUEST_ID, request_id.p,
			    request_id.len);
		audit_set_str(&r[i], FIELD_SECRET_NAME, a->a[i].name);
		audit_set_str(&r[i], FIELD_BACKEND, a->a[i].backend);
		audit_set_str(&r[i], FIELD_OPERATION, operation);
		audit_set_u64(&r[i], FIELD_CACHED, a->a[i].cached);
		audit_set_u64(&r[i], FIELD_PEER_UID, uid);
		audit_set_u64(&r[i], FIELD_PEER_PID, pid);
	}
	return a->n;
}

static const char *
spk_address(const struct keyd *k, const uint8_t *script, char *out)
{
	struct spk	 spk;

	spk.version = 0;
	spk.script.p = script;
	spk.script.len = script[0] == 0xaa ? P2SH_SCRIPT_LEN :
	    P2PK_SCRIPT_LEN;
	out[0] = '\0';
	(void)address_from_spk(k->d.conf->network, &spk, out);
	return out;
}

/*
 * The multisig's address, or without one that of the key itself; with xpubs
 * each path has its own.
 */
static void
own_address(const struct keyd *k, char *out)
{
	uint8_t	 script[P2PK_SCRIPT_LEN];

	out[0] = '\0';
	if (k->own->nxpub > 0 && !k->own->has_redeem)
		return;
	if (k->own->has_redeem) {
		(void)spk_address(k, k->own->p2sh, out);
		return;
	}
	script_p2pk(k->pub + 1, script);
	(void)spk_address(k, script, out);
}

void
request_info(struct client *c, const struct frame *f)
{
	struct keyd	*k = c->k;
	const struct secret_facts *facts = &k->ring.facts;
	struct msg_info	 m;
	struct enc	 e;
	char		 address[ADDRESS_MAX] = "";

	memset(&m, 0, sizeof(m));
	m.version = bytes_str(IGRA_VERSION);
	m.network = bytes_str(kaspa_network_name(k->d.conf->network));
	m.profile = bytes_str(k->d.conf->active_profile);
	m.locked = keyring_locked(&k->ring);
	m.has_key = k->has_pub;
	if (k->has_pub) {
		m.key_ref = bytes_str(k->key_ref);
		memcpy(m.public_key, k->pub, sizeof(m.public_key));
		own_address(k, address);
		m.address = bytes_str(address);
		m.has_fingerprint = facts->has_account;
		if (m.has_fingerprint)
			memcpy(m.fingerprint, facts->fingerprint,
			    sizeof(m.fingerprint));
	}
	if (k->own->has_redeem) {
		m.redeem_script.p = k->own->redeem;
		m.redeem_script.len = k->own->redeem_len;
		m.threshold_m = (uint8_t)k->own->multisig.m;
		m.threshold_n = (uint8_t)k->own->multisig.n;
	} else if (k->own->nxpub > 0) {
		m.threshold_m = (uint8_t)k->own->required;
		m.threshold_n = (uint8_t)k->own->nxpub;
	} else
		m.threshold_m = m.threshold_n = 1;
	enc_init(&e);
	enc_info(&e, &m);
	(void)frame_send_enc(c->conn, MSG_INFO, f->id, &e);
}

static bool
pending_new(struct client *c, const struct frame *f, struct enc *e,
    uint16_t type, struct bytes request_id, uint32_t uid, uint32_t pid,
    const char *method, struct audit_record *r, uint32_t n)
{
	struct pending	*p;

	if ((p = calloc(1, sizeof(*p))) == NULL) {
		enc_free(e);
		client_drop(c, "out of memory");
		return false;
	}
	p->k = c->k;
	p->client = c->serial;
	p->id = f->id;
	p->type = type;
	p->e = *e;
	p->peer_uid = uid;
	p->peer_pid = pid;
	p->method = method;
	(void)bytes_cstr(request_id, p->request_id, sizeof(p->request_id));
	audit_submit(&c->k->audit, r, n, bootclock_now(), public_audited, p);
	return true;
}

static void
public_audited(bool ok, const struct msg_audit_ack *ack, const char *why,
    void *arg)
{
	struct pending	*p = arg;
	struct client	*c = client_find(p->k, p->client);
	struct refusal	 r;
	char		 msg[256];

	(void)ack;
	if (!ok) {
		snprintf(msg, sizeof(msg), "%s: no durable record, no answer",
		    why);
		memset(&r, 0, sizeof(r));
		r.code = CODE_AUDIT_UNAVAILABLE;
		r.pskt = PROTO_NO_PSKT;
		r.message = msg;
		r.method = p->method;
		r.request_id = bytes_str(p->request_id);
		r.peer_uid = p->peer_uid;
		r.peer_pid = p->peer_pid;
		refuse_request(p->k, c, p->id, &r);
		enc_free(&p->e);
	} else if (c != NULL)
		(void)frame_send_enc(c->conn, p->type, p->id, &p->e);
	else
		enc_free(&p->e);
	free(p);
}

void
request_key_list(struct client *c, const struct frame *f)
{
	struct msg_key_list_req	 q;
	struct msg_key_list	 m;
	struct audit_record	 r;
	struct refusal		 ref;
	struct pool		 pool;
	struct enc		 e;
	char			 err[256];

	c->k->requests++;
	pool_init(&pool, 0);
	if (dec_key_list_req(f->p, f->len, &pool, &q) == -1) {
		client_drop(c, "malformed KEY_LIST_REQ");
		return;
	}
	memset(&ref, 0, sizeof(ref));
	ref.code = keyring_list(&c->k->ring, &pool, &m, err, sizeof(err));
	if (ref.code != CODE_NONE) {
		ref.pskt = PROTO_NO_PSKT;
		ref.message = err;
		ref.method = "key.list";
		ref.request_id = q.request_id;
		ref.peer_uid = q.peer_uid;
		ref.peer_pid = q.peer_pid;
		refuse_request(c->k, c, f->id, &ref);
		goto out;
	}
	enc_init(&e);
	enc_key_list(&e, &m);
	audit_record_init(&r, EV_SECRET_ACCESS, SRC_KEYD, true);
	audit_set_bytes(&r, FIELD_REQUEST_ID, q.request_id.p,
	    q.request_id.len);
	audit_set_str(&r, FIELD_SECRET_NAME, "*");
	audit_set_str(&r, FIELD_BACKEND, "EncryptedFile");
	audit_set_str(&r, FIELD_OPERATION, "List");
	audit_set_u64(&r, FIELD_CACHED, false);
	audit_set_u64(&r, FIELD_PEER_UID, q.peer_uid);
	audit_set_u64(&r, FIELD_PEER_PID, q.peer_pid);
	(void)pending_new(c, f, &e, MSG_KEY_LIST, q.request_id, q.peer_uid,
	    q.peer_pid, "key.list", &r, 1);
out:
	pool_free(&pool);
}

void
request_key_public(struct client *c, const struct frame *f)
{
	struct keyd			*k = c->k;
	struct msg_key_public_req	 q;
	struct msg_key_public		 m;
	struct key_accesses		 acc = { 0 };
	struct audit_record		 r[KEYRING_MAX_ACCESS + 1];
	struct refusal			 ref;
	struct key			*key = NULL;
	struct enc			 e;
	uint8_t				 script[P2PK_SCRIPT_LEN];
	char				 err[KEYRING_ERR], address[ADDRESS_MAX];
	char				 profile[PROTO_MAX_PROFILE + 1];
	uint32_t			 n;

	k->requests++;
	if (dec_key_public_req(f->p, f->len, NULL, &q) == -1 ||
	    !bytes_cstr(q.profile, profile, sizeof(profile))) {
		client_drop(c, "malformed KEY_PUBLIC_REQ");
		return;
	}
	memset(&ref, 0, sizeof(ref));
	ref.code = keyring_get(&k->ring, profile[0] == '\0' ? NULL : profile,
	    &key, &acc, err, sizeof(err));
	if (ref.code != CODE_NONE) {
		ref.pskt = PROTO_NO_PSKT;
		ref.message = err;
		ref.method = "key.public";
		ref.request_id = q.request_id;
		ref.peer_uid = q.peer_uid;
		ref.peer_pid = q.peer_pid;
		refuse_request(k, c, f->id, &ref);
		return;
	}
	memset(&m, 0, sizeof(m));
	m.key_ref = bytes_str(key->ref);
	m.profile = profile[0] == '\0' ? bytes_str(k->d.conf->active_profile) :
	    bytes_str(profile);
	memcpy(m.public_key, key->pub, sizeof(m.public_key));
	script_p2pk(key->pub + 1, script);
	m.address = bytes_str(spk_address(k, script, address));
	enc_init(&e);
	enc_key_public(&e, &m);
	n = access_records(&acc, q.request_id, q.peer_uid, q.peer_pid, "Get",
	    true, r);
	audit_record_init(&r[n], EV_PUBLIC_KEY, SRC_KEYD, true);
	audit_set_bytes(&r[n], FIELD_REQUEST_ID, q.request_id.p,
	    q.request_id.len);
	audit_set_str(&r[n], FIELD_KEY_REF, key->ref);
	audit_set_str(&r[n], FIELD_SCHEME, "Secp256k1Schnorr");
	audit_set_u64(&r[n], FIELD_PEER_UID, q.peer_uid);
	audit_set_u64(&r[n], FIELD_PEER_PID, q.peer_pid);
	(void)pending_new(c, f, &e, MSG_KEY_PUBLIC, q.request_id, q.peer_uid,
	    q.peer_pid, "key.public", r, n + 1);
	keyring_put(&k->ring, key);
}

/* signd's start is two records: its own and that of its config. */
static void
note_service(struct keyd *k, const struct msg_note *m)
{
	struct audit_record	 r;
	char			 hex[65];
	uint8_t			 hash[32];
	size_t			 len;

	audit_record_init(&r, m->event, SRC_SIGND, true);
	audit_set_str(&r, FIELD_PROGRAM, "igra-signd");
	if (m->event == EV_SERVICE_STOPPED)
		audit_set_bytes(&r, FIELD_REASON, m->error.p, m->error.len);
	else {
		audit_set_bytes(&r, FIELD_VERSION, m->method.p, m->method.len);
		audit_set_str(&r, FIELD_NETWORK,
		    kaspa_network_name(k->d.conf->network));
	}
	audit_set_u64(&r, FIELD_PEER_UID, m->peer_uid);
	audit_set_u64(&r, FIELD_PEER_PID, m->peer_pid);
	if (!audit_tell_capped(&k->audit, &r, m->peer_uid) ||
	    m->event == EV_SERVICE_STOPPED ||
	    !bytes_cstr(m->code, hex, sizeof(hex)) ||
	    sodium_hex2bin(hash, sizeof(hash), hex, strlen(hex), NULL, &len,
	    NULL) != 0 || len != sizeof(hash))
		return;
	audit_record_init(&r, EV_CONFIG_LOADED, SRC_SIGND, true);
	audit_set_str(&r, FIELD_PROGRAM, "igra-signd");
	audit_set_bytes(&r, FIELD_CONFIG_HASH, hash, sizeof(hash));
	audit_set_u64(&r, FIELD_PEER_UID, m->peer_uid);
	audit_set_u64(&r, FIELD_PEER_PID, m->peer_pid);
	audit_tell(&k->audit, &r);
}

/* signd's own refusals: typed, and no more of them than the cap. */
void
request_note(struct client *c, const struct frame *f)
{
	struct msg_note		 m;
	struct audit_record	 r;

	if (dec_note(f->p, f->len, NULL, &m) == -1) {
		client_drop(c, "malformed NOTE");
		return;
	}
	if (m.suppressed != 0) {
		audit_suppressed(&c->k->audit, m.event, m.peer_uid,
		    m.suppressed);
		return;
	}
	if (m.event == EV_SERVICE_STARTED || m.event == EV_SERVICE_STOPPED) {
		note_service(c->k, &m);
		return;
	}
	audit_record_init(&r, m.event, SRC_SIGND, false);
	if (m.request_id.len != 0)
		audit_set_bytes(&r, FIELD_REQUEST_ID, m.request_id.p,
		    m.request_id.len);
	if (m.event == EV_REQUEST_REJECTED) {
		audit_set_bytes(&r, FIELD_METHOD, m.method.p, m.method.len);
		audit_set_bytes(&r, FIELD_CODE, m.code.p, m.code.len);
	} else
		audit_set_str(&r, FIELD_SOCKET, "signd.sock");
	audit_set_bytes(&r, FIELD_ERROR, m.error.p, m.error.len);
	audit_set_u64(&r, FIELD_PEER_UID, m.peer_uid);
	audit_set_u64(&r, FIELD_PEER_PID, m.peer_pid);
	(void)audit_tell_capped(&c->k->audit, &r, m.peer_uid);
}

void
request_status(struct client *c, const struct frame *f)
{
	struct keyd		*k = c->k;
	const struct conf	*conf = k->d.conf;
	struct msg_keyd_status	 m;
	struct journal_state	 js;
	struct enc		 e;
	int64_t			 now = bootclock_now();
	char			 why[JOURNAL_WHY];

	memset(&m, 0, sizeof(m));
	m.locked = keyring_locked(&k->ring);
	m.lock_marker = k->marker;
	m.audit_ok = audit_ready(&k->audit);
	m.roles_separated = k->d.separated;
	m.pid = (uint32_t)getpid();
	m.uptime_s = (uint64_t)((now - k->started) / NS_PER_S);
	if (!m.locked) {
		m.unlocked_s = (uint64_t)((now - k->ring.unlocked_at) /
		    NS_PER_S);
		memcpy(m.file_salt, k->ring.file.header.salt,
		    sizeof(m.file_salt));
	}
	if (!m.locked && c->link == LINK_KEYD_ADMIN) {
		m.facts = k->ring.facts.known;
		m.phrase = k->ring.facts.phrase;
		m.payment_there = k->ring.facts.payment_there;
		m.payment_utf8 = k->ring.facts.payment_utf8;
		m.payment_chars = k->ring.facts.payment_chars;
		memcpy(m.public_key, k->pub, sizeof(m.public_key));
	}
	m.cache_entries = k->ring.cache.n;
	m.cache_max = (uint32_t)conf->secret_cache_max;
	m.cache_ttl_s = conf->secret_cache_ttl;
	m.signatures = k->signatures;
	m.requests = k->requests;
	m.refusals = k->refusals;
	m.evictions = k->ring.evictions;
	m.kseq = k->audit.kseq;
	m.audit_seq = k->audit.acked_seq;
	memcpy(m.audit_head, k->audit.head, sizeof(m.audit_head));
	m.audit_commits = k->audit.commits;
	m.audit_wait_us = k->audit.wait_us;
	m.auditd_pid = k->audit.pid;
	m.network = bytes_str(kaspa_network_name(conf->network));
	m.profile = bytes_str(conf->active_profile);
	m.version = bytes_str(IGRA_VERSION);
	m.memory = bytes_str(secmem_kind());
	m.sandbox = bytes_str(k->d.sandbox);
	m.audit_healthy = k->audit.healthy;
	m.audit_alerts = k->audit.alerts;
	m.audit_reason = bytes_str(k->audit.reason);
	m.audit_sandbox = bytes_str(k->audit.sandbox);
	journal_tick(k->journal);
	m.journal_ok = journal_may_sign(k->journal, why, sizeof(why));
	m.journal_reason = bytes_str(why);
	m.rollback = (uint8_t)journal_rollback(k->journal);
	m.clock = (uint8_t)journal_clock_pending(k->journal, &m.clock_gap);
	journal_state(k->journal, &js);
	m.journal_entries = js.entries;
	m.journal_outpoints = js.outpoints;
	m.journal_max = js.max;
	enc_init(&e);
	enc_keyd_status(&e, &m);
	(void)frame_send_enc(c->conn, MSG_KEYD_STATUS, f->id, &e);
}
