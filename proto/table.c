#include <string.h>

#include "messages.h"

#define ON(l)		(1u << (l))
#define KEYD		ON(LINK_KEYD)
#define KEYD_ADMIN	ON(LINK_KEYD_ADMIN)
#define AUDITD		ON(LINK_AUDITD)
#define AUDITD_ADMIN	ON(LINK_AUDITD_ADMIN)
#define ANY		(KEYD | KEYD_ADMIN | AUDITD | AUDITD_ADMIN)

#define TEXT(n)		(4 + (n))	/* longest text of n bytes */

/*
 * Greatest AUDIT_APPEND: the records of one bundle, each within a log line.
 * keyd splits what would be longer.
 */
#define MAX_APPEND	(16 * 1024 * 1024)

static const struct proto_rule rules[MSG_MAX] = {
	[MSG_ERROR] = { "ERROR", 2 + 4 + 4 * 4, 2 + 4 + TEXT(PROTO_MAX_TEXT) +
	    3 * TEXT(128), 0, ANY, 0 },
	[MSG_OK] = { "OK", 0, 0, 0, KEYD_ADMIN | AUDITD_ADMIN, 0 },
	[MSG_INFO_REQ] = { "INFO_REQ", 0, 0, KEYD, 0, 0 },
	[MSG_INFO] = { "INFO", 66, 32 * 1024, 0, KEYD, 0 },
	[MSG_SIGN_REQ] = { "SIGN_REQ", 24, PROTO_MAX_SIGN, KEYD, 0, 0 },
	[MSG_SIGN] = { "SIGN", 52, PROTO_MAX_SIGN, 0, KEYD, 0 },
	[MSG_KEY_LIST_REQ] = { "KEY_LIST_REQ", 12,
	    8 + TEXT(PROTO_MAX_REQUEST_ID), KEYD, 0, 0 },
	[MSG_KEY_LIST] = { "KEY_LIST", 4, 64 * 1024, 0, KEYD, 0 },
	[MSG_KEY_PUBLIC_REQ] = { "KEY_PUBLIC_REQ", 16,
	    8 + TEXT(PROTO_MAX_REQUEST_ID) + TEXT(PROTO_MAX_PROFILE),
	    KEYD, 0, 0 },
	[MSG_KEY_PUBLIC] = { "KEY_PUBLIC", 45, 1024, 0, KEYD, 0 },
	[MSG_NOTE] = { "NOTE", 33, 17 + TEXT(PROTO_MAX_REQUEST_ID) +
	    2 * TEXT(64) + TEXT(PROTO_MAX_TEXT), KEYD, 0, 0 },
	[MSG_KEYD_STATUS_REQ] = { "KEYD_STATUS_REQ", 0, 0, KEYD | KEYD_ADMIN,
	    0, 0 },
	[MSG_KEYD_STATUS] = { "KEYD_STATUS", 289, 4096, 0,
	    KEYD | KEYD_ADMIN, 0 },
	[MSG_UNLOCK_FILE] = { "UNLOCK_FILE", 1, PROTO_MAX_UNLOCK_FILE,
	    KEYD_ADMIN, 0, 0 },
	[MSG_UNLOCK] = { "UNLOCK", 67, 67, KEYD_ADMIN, 0, PROTO_SECRET },
	[MSG_LOCK] = { "LOCK", 0, 0, KEYD_ADMIN, 0, 0 },
	[MSG_AUDIT_HELLO] = { "AUDIT_HELLO", 0, 0, AUDITD, 0, 0 },
	[MSG_AUDIT_STATE] = { "AUDIT_STATE", 61, 61, 0, AUDITD, 0 },
	[MSG_AUDIT_APPEND] = { "AUDIT_APPEND", 4, MAX_APPEND,
	    AUDITD | AUDITD_ADMIN, 0, 0 },
	[MSG_AUDIT_ACK] = { "AUDIT_ACK", 48, 48, 0, AUDITD | AUDITD_ADMIN, 0 },
	[MSG_AUDITD_STATUS_REQ] = { "AUDITD_STATUS_REQ", 0, 0, AUDITD_ADMIN,
	    0, 0 },
	[MSG_AUDITD_STATUS] = { "AUDITD_STATUS", 160, 8192, 0,
	    AUDITD_ADMIN, 0 },
	[MSG_AUDIT_ROTATE] = { "AUDIT_ROTATE", 0, 0, AUDITD_ADMIN, 0, 0 },
	[MSG_AUDIT_REOPEN] = { "AUDIT_REOPEN", 0, 0, AUDITD_ADMIN, 0, 0 },
	[MSG_AUDIT_HEALTH] = { "AUDIT_HEALTH", 17,
	    9 + TEXT(PROTO_MAX_HEALTH) + TEXT(PROTO_MAX_SANDBOX), 0, AUDITD, 0 },
	[MSG_RELOAD] = { "RELOAD", 1 + 32 + 4, 1 + 32 + TEXT(PROTO_MAX_CONFIG),
	    KEYD_ADMIN | AUDITD_ADMIN, 0, 0 },
	[MSG_POLICY_ACCEPT] = { "POLICY_ACCEPT", 1, 1, KEYD_ADMIN, 0, 0 },
	[MSG_POLICY_RELEASE] = { "POLICY_RELEASE", 40,
	    36 + TEXT(PROTO_MAX_REASON), KEYD_ADMIN, 0, 0 },
	[MSG_CHECK_REQ] = { "CHECK_REQ", 24, PROTO_MAX_SIGN, KEYD, 0, 0 },
	[MSG_CHECK] = { "CHECK", 4, 4 * 1024 * 1024, 0, KEYD, 0 },
	[MSG_POLICY_REQ] = { "POLICY_REQ", 37, 37, KEYD_ADMIN, 0, 0 },
	[MSG_POLICY] = { "POLICY", 77, 16 * 1024, 0, KEYD_ADMIN, 0 },
};

static const char *code_names[CODE_MAX] = {
	[CODE_NONE] = "NONE",
	[CODE_LOCKED] = "LOCKED",
	[CODE_POLICY_DENIED] = "POLICY_DENIED",
	[CODE_KEY_NOT_FOUND] = "KEY_NOT_FOUND",
	[CODE_NOT_A_SIGNER] = "NOT_A_SIGNER",
	[CODE_INVALID_PSKT] = "INVALID_PSKT",
	[CODE_UNSUPPORTED] = "UNSUPPORTED",
	[CODE_AUDIT_UNAVAILABLE] = "AUDIT_UNAVAILABLE",
	[CODE_KEYD_UNAVAILABLE] = "KEYD_UNAVAILABLE",
	[CODE_RATE_LIMITED] = "RATE_LIMITED",
	[CODE_UNAUTHORIZED] = "UNAUTHORIZED",
	[CODE_CONFLICT] = "CONFLICT",
	[CODE_TOO_LARGE] = "TOO_LARGE",
	[CODE_INTERNAL] = "INTERNAL",
};

const struct proto_rule *
proto_rule(uint16_t type)
{
	if (type >= MSG_MAX || rules[type].name == NULL)
		return NULL;
	return &rules[type];
}

bool
proto_allowed(uint16_t type, enum proto_link link, bool to_server)
{
	const struct proto_rule	*r = proto_rule(type);

	if (r == NULL || link >= LINK_MAX)
		return false;
	return ((to_server ? r->to_server : r->to_client) & ON(link)) != 0;
}

const char *
proto_code_name(enum proto_code c)
{
	return c < CODE_MAX ? code_names[c] : "?";
}

void
proto_put_header(uint8_t out[PROTO_HEADER_LEN], const struct proto_header *h)
{
	struct enc	 e;

	enc_init_fixed(&e, out, PROTO_HEADER_LEN);
	enc_u32(&e, PROTO_MAGIC);
	enc_u16(&e, h->type);
	enc_u16(&e, 0);
	enc_u32(&e, h->len);
	enc_u64(&e, h->id);
}

int
proto_get_header(const uint8_t in[PROTO_HEADER_LEN], struct proto_header *h,
    enum proto_link link, bool to_server, const char **errstr)
{
	const struct proto_rule	*r;
	struct dec		 d;
	uint32_t		 magic;
	uint16_t		 zero;

	dec_init(&d, in, PROTO_HEADER_LEN);
	magic = dec_u32(&d);
	h->type = dec_u16(&d);
	zero = dec_u16(&d);
	h->len = dec_u32(&d);
	h->id = dec_u64(&d);
	if (magic != PROTO_MAGIC || zero != 0) {
		*errstr = "not an igra protocol message";
		return -1;
	}
	if ((r = proto_rule(h->type)) == NULL) {
		*errstr = "unknown message type";
		return -1;
	}
	if (!proto_allowed(h->type, link, to_server)) {
		*errstr = "message type not allowed on this socket";
		return -1;
	}
	if (h->len < r->min || h->len > r->max) {
		*errstr = "message length out of bounds";
		return -1;
	}
	return 0;
}
