#include <string.h>

#include "record.h"

#define F(f)	(UINT64_C(1) << (f))

/* What any record may carry. */
#define COMMON	(F(FIELD_KSEQ) | F(FIELD_REQUEST_ID) | F(FIELD_ERROR) | \
		F(FIELD_PEER_UID) | F(FIELD_PEER_PID) | \
		F(FIELD_SUPPRESSED) | F(FIELD_DELAYED))
#define TX	(F(FIELD_KEY_REF) | F(FIELD_SCHEME) | F(FIELD_PAYLOAD_HASH) | \
		F(FIELD_TX_ID) | F(FIELD_INPUTS) | F(FIELD_OUTFLOW) | F(FIELD_FEE) | \
		F(FIELD_DESTINATIONS) | F(FIELD_POLICY) | F(FIELD_REASON) | \
		F(FIELD_DURATION))

static const struct {
	const char	*name;
	uint64_t	 fields;
} events[EV_MAX] = {
	[EV_SECRET_ACCESS] = { "SecretAccess", COMMON | F(FIELD_SECRET_NAME) |
	    F(FIELD_BACKEND) | F(FIELD_OPERATION) | F(FIELD_CACHED) | F(FIELD_OPERATOR) },
	[EV_SIGNING] = { "Signing", COMMON | TX | F(FIELD_RESERVATION) },
	[EV_PUBLIC_KEY] = { "PublicKey", COMMON | F(FIELD_KEY_REF) |
	    F(FIELD_SCHEME) },
	[EV_KEY_LIFECYCLE] = { "KeyLifecycle", COMMON | F(FIELD_KEY_REF) |
	    F(FIELD_OPERATION) | F(FIELD_OPERATOR) },
	[EV_POLICY_DENIED] = { "PolicyDenied", COMMON | TX | F(FIELD_CHECK) |
	    F(FIELD_LIMIT) | F(FIELD_VALUE) },
	[EV_UNLOCK] = { "Unlock", COMMON | F(FIELD_OPERATOR) |
	    F(FIELD_INTERACTIVE) },
	[EV_LOCK] = { "Lock", COMMON | F(FIELD_OPERATOR) | F(FIELD_REASON) },
	[EV_CACHE_EVICTED] = { "CacheEvicted", COMMON | F(FIELD_KEY_REF) |
	    F(FIELD_REASON) },
	[EV_SERVICE_STARTED] = { "ServiceStarted", COMMON | F(FIELD_PROGRAM) |
	    F(FIELD_VERSION) | F(FIELD_NETWORK) },
	[EV_SERVICE_STOPPED] = { "ServiceStopped", COMMON | F(FIELD_PROGRAM) |
	    F(FIELD_REASON) },
	[EV_PEER_REJECTED] = { "PeerRejected", COMMON | F(FIELD_SOCKET) |
	    F(FIELD_PROGRAM) },
	[EV_REQUEST_REJECTED] = { "RequestRejected", COMMON | F(FIELD_METHOD) |
	    F(FIELD_CODE) | F(FIELD_PROGRAM) },
	[EV_CONFIG_LOADED] = { "ConfigLoaded", COMMON | F(FIELD_PROGRAM) |
	    F(FIELD_CONFIG_HASH) | F(FIELD_NETWORK) },
	[EV_POLICY_RELEASED] = { "PolicyReleased", COMMON | F(FIELD_OPERATOR) |
	    F(FIELD_OPERATION) |
	    F(FIELD_REASON) | F(FIELD_VALUE) },
	[EV_SECURITY_ALERT] = { "SecurityAlert", COMMON | F(FIELD_ALERT) |
	    F(FIELD_PATH) | F(FIELD_EXPECTED) | F(FIELD_ACTUAL) | F(FIELD_BYTES) |
	    F(FIELD_PROGRAM) | F(FIELD_OPERATOR) | F(FIELD_LAST_KSEQ) |
	    F(FIELD_RESERVATION) },
	[EV_LOG_ROTATED] = { "LogRotated", COMMON | F(FIELD_PATH) |
	    F(FIELD_REASON) | F(FIELD_OPERATOR) | F(FIELD_LAST_KSEQ) |
	    F(FIELD_RESERVATION) },
	[EV_CHECKPOINT] = { "Checkpoint", COMMON | F(FIELD_ORIGIN) |
	    F(FIELD_KEY) | F(FIELD_COVERED_SEQ) | F(FIELD_HEAD) |
	    F(FIELD_TIME) | F(FIELD_NEXT_KEY) | F(FIELD_SIGNATURE) },
};

static const struct {
	const char	*name;
	enum audit_kind	 kind;
} fields[FIELD_MAX] = {
	[FIELD_KSEQ] = { "kseq", AK_U64 },
	[FIELD_REQUEST_ID] = { "request_id", AK_STR },
	[FIELD_ERROR] = { "error", AK_STR },
	[FIELD_SECRET_NAME] = { "secret_name", AK_STR },
	[FIELD_BACKEND] = { "backend", AK_STR },
	[FIELD_OPERATION] = { "operation", AK_STR },
	[FIELD_CACHED] = { "cached", AK_BOOL },
	[FIELD_KEY_REF] = { "key_ref", AK_STR },
	[FIELD_SCHEME] = { "scheme", AK_STR },
	[FIELD_PAYLOAD_HASH] = { "payload_hash", AK_HEX },
	[FIELD_TX_ID] = { "tx_id", AK_HEX },
	[FIELD_INPUTS] = { "inputs", AK_U64 },
	[FIELD_OUTFLOW] = { "outflow_sompi", AK_U64 },
	[FIELD_FEE] = { "fee_sompi", AK_U64 },
	[FIELD_DESTINATIONS] = { "destinations", AK_DESTINATIONS },
	[FIELD_POLICY] = { "policy", AK_STR },
	[FIELD_CHECK] = { "check", AK_STR },
	[FIELD_LIMIT] = { "limit", AK_STR },
	[FIELD_VALUE] = { "value", AK_STR },
	[FIELD_REASON] = { "reason", AK_STR },
	[FIELD_DURATION] = { "duration_ms", AK_SINCE },
	[FIELD_PEER_UID] = { "peer_uid", AK_U64 },
	[FIELD_PEER_PID] = { "peer_pid", AK_U64 },
	[FIELD_OPERATOR] = { "operator", AK_U64 },
	[FIELD_INTERACTIVE] = { "interactive", AK_BOOL },
	[FIELD_SOCKET] = { "socket", AK_STR },
	[FIELD_METHOD] = { "method", AK_STR },
	[FIELD_CODE] = { "code", AK_STR },
	[FIELD_SUPPRESSED] = { "suppressed", AK_U64 },
	[FIELD_PROGRAM] = { "program", AK_STR },
	[FIELD_VERSION] = { "version", AK_STR },
	[FIELD_NETWORK] = { "network", AK_STR },
	[FIELD_CONFIG_HASH] = { "config_hash", AK_HEX },
	[FIELD_ALERT] = { "alert", AK_STR },
	[FIELD_PATH] = { "path", AK_STR },
	[FIELD_EXPECTED] = { "expected", AK_STR },
	[FIELD_ACTUAL] = { "actual", AK_STR },
	[FIELD_BYTES] = { "bytes", AK_U64 },
	[FIELD_ORIGIN] = { "origin", AK_HEX },
	[FIELD_KEY] = { "key", AK_HEX },
	[FIELD_COVERED_SEQ] = { "covered_seq", AK_U64 },
	[FIELD_HEAD] = { "head", AK_HEX },
	[FIELD_TIME] = { "time", AK_STR },
	[FIELD_NEXT_KEY] = { "next_key", AK_HEX },
	[FIELD_SIGNATURE] = { "signature", AK_HEX },
	[FIELD_LAST_KSEQ] = { "last_kseq", AK_U64 },
	[FIELD_RESERVATION] = { "reservation", AK_U64 },
	[FIELD_DELAYED] = { "delayed_ms", AK_SINCE },
};

static const char	*sources[SRC_MAX] = {
	[SRC_KEYD] = "keyd",
	[SRC_SIGND] = "signd",
	[SRC_AUDITD] = "auditd",
	[SRC_ADMIN] = "admin",
};

_Static_assert(FIELD_MAX <= 64, "one bit a field");

const char *
audit_event_name(enum audit_event e)
{
	return e < EV_MAX ? events[e].name : "?";
}

const char *
audit_source_name(enum audit_source s)
{
	return s < SRC_MAX ? sources[s] : "?";
}

const char *
audit_field_name(enum audit_field f)
{
	return f < FIELD_MAX ? fields[f].name : "?";
}

enum audit_kind
audit_field_kind(enum audit_field f)
{
	return fields[f].kind;
}

uint64_t
audit_event_fields(enum audit_event e)
{
	return e < EV_MAX ? events[e].fields : 0;
}

void
audit_record_init(struct audit_record *r, enum audit_event ev,
    enum audit_source src, bool success)
{
	memset(r, 0, sizeof(*r));
	r->event = ev;
	r->source = src;
	r->success = success;
}

void
audit_set_bytes(struct audit_record *r, enum audit_field f, const void *p,
    size_t len)
{
	r->have |= F(f);
	r->v[f].b.p = p;
	r->v[f].b.len = len;
}

void
audit_set_str(struct audit_record *r, enum audit_field f, const char *s)
{
	size_t	 len;

	if (s == NULL)
		return;
	len = strlen(s);
	audit_set_bytes(r, f, s, len > AUDIT_MAX_STR ? AUDIT_MAX_STR : len);
}

void
audit_set_u64(struct audit_record *r, enum audit_field f, uint64_t v)
{
	r->have |= F(f);
	r->v[f].u = v;
}

bool
audit_has(const struct audit_record *r, enum audit_field f)
{
	return (r->have & F(f)) != 0;
}

void
audit_dest_add(struct enc *e, const char *address, struct bytes script,
    uint64_t amount)
{
	enc_str(e, address);
	enc_bytes(e, script);
	enc_u64(e, amount);
}

bool
audit_dest_next(struct dec *d, struct bytes *address, struct bytes *script,
    uint64_t *amount)
{
	if (d->failed || d->left == 0)
		return false;
	*address = dec_bytes(d, AUDIT_MAX_STR);
	*script = dec_bytes(d, AUDIT_MAX_LINE);
	*amount = dec_u64(d);
	return !d->failed;
}

void
enc_audit_record(struct enc *e, const struct audit_record *r)
{
	unsigned	 f;

	enc_u8(e, (uint8_t)r->event);
	enc_u8(e, (uint8_t)r->source);
	enc_u8(e, r->success);
	enc_u64(e, r->have);
	for (f = 0; f < FIELD_MAX; f++) {
		if (!audit_has(r, f))
			continue;
		switch (fields[f].kind) {
		case AK_STR:
		case AK_HEX:
		case AK_DESTINATIONS:
			enc_bytes(e, r->v[f].b);
			break;
		case AK_U64:
		case AK_SINCE:
			enc_u64(e, r->v[f].u);
			break;
		case AK_BOOL:
			enc_u8(e, r->v[f].u != 0);
			break;
		}
	}
}

void
dec_audit_record(struct dec *d, struct audit_record *r)
{
	unsigned	 f;
	uint8_t		 ev, src;

	memset(r, 0, sizeof(*r));
	ev = dec_u8(d);
	src = dec_u8(d);
	r->success = dec_bool(d);
	r->have = dec_u64(d);
	if (ev >= EV_MAX || src >= SRC_MAX ||
	    (r->have & ~audit_event_fields(ev)) != 0) {
		d->failed = true;
		return;
	}
	r->event = ev;
	r->source = src;
	for (f = 0; f < FIELD_MAX; f++) {
		if (!audit_has(r, f))
			continue;
		switch (fields[f].kind) {
		case AK_STR:
			r->v[f].b = dec_bytes(d, AUDIT_MAX_STR);
			break;
		case AK_HEX:
			r->v[f].b = dec_bytes(d, 64);
			break;
		case AK_DESTINATIONS:
			r->v[f].b = dec_bytes(d, AUDIT_MAX_LINE);
			break;
		case AK_U64:
		case AK_SINCE:
			r->v[f].u = dec_u64(d);
			break;
		case AK_BOOL:
			r->v[f].u = dec_bool(d);
			break;
		}
	}
}
