/*
 * An audit record on its way to igra-auditd: typed fields, no text format.
 * One table says which event carries which field; the codec and the writer
 * of the log both follow it (igra-audit-log(5)).
 */
#ifndef IGRA_RECORD_H
#define IGRA_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "codec.h"

enum audit_event {
	EV_SECRET_ACCESS,
	EV_SIGNING,
	EV_PUBLIC_KEY,
	EV_KEY_LIFECYCLE,
	EV_POLICY_DENIED,
	EV_UNLOCK,
	EV_LOCK,
	EV_CACHE_EVICTED,
	EV_SERVICE_STARTED,
	EV_SERVICE_STOPPED,
	EV_PEER_REJECTED,
	EV_REQUEST_REJECTED,
	EV_CONFIG_LOADED,
	EV_POLICY_RELEASED,
	EV_SECURITY_ALERT,
	EV_LOG_ROTATED,
	EV_CHECKPOINT,
	EV_MAX
};

enum audit_source { SRC_KEYD, SRC_SIGND, SRC_AUDITD, SRC_ADMIN, SRC_MAX };

enum audit_kind {
	AK_STR,			/* UTF-8 text */
	AK_HEX,			/* bytes, written as lower-case hex */
	AK_U64,
	AK_BOOL,
	AK_SINCE,		/* CLOCK_MONOTONIC start, ns; written as elapsed ms */
	AK_DESTINATIONS		/* audit_dest_* below */
};

enum audit_field {
	FIELD_KSEQ,
	FIELD_REQUEST_ID,
	FIELD_ERROR,
	FIELD_SECRET_NAME,
	FIELD_BACKEND,
	FIELD_OPERATION,
	FIELD_CACHED,
	FIELD_KEY_REF,
	FIELD_SCHEME,
	FIELD_PAYLOAD_HASH,
	FIELD_TX_ID,
	FIELD_INPUTS,
	FIELD_OUTFLOW,
	FIELD_FEE,
	FIELD_DESTINATIONS,
	FIELD_POLICY,
	FIELD_CHECK,
	FIELD_LIMIT,
	FIELD_VALUE,
	FIELD_REASON,
	FIELD_DURATION,
	FIELD_PEER_UID,
	FIELD_PEER_PID,
	FIELD_OPERATOR,
	FIELD_INTERACTIVE,
	FIELD_SOCKET,
	FIELD_METHOD,
	FIELD_CODE,
	FIELD_SUPPRESSED,
	FIELD_PROGRAM,
	FIELD_VERSION,
	FIELD_NETWORK,
	FIELD_CONFIG_HASH,
	FIELD_ALERT,
	FIELD_PATH,
	FIELD_EXPECTED,
	FIELD_ACTUAL,
	FIELD_BYTES,
	FIELD_ORIGIN,
	FIELD_KEY,
	FIELD_COVERED_SEQ,
	FIELD_HEAD,
	FIELD_TIME,
	FIELD_NEXT_KEY,
	FIELD_SIGNATURE,
	FIELD_LAST_KSEQ,
	FIELD_RESERVATION,
	FIELD_DELAYED,
	FIELD_MAX
};

struct audit_value {
	uint64_t	 u;
	struct bytes	 b;
};

struct audit_record {
	enum audit_event	 event;
	enum audit_source	 source;
	bool			 success;
	uint64_t		 have;		/* bit per audit_field */
	struct audit_value	 v[FIELD_MAX];
};

#define AUDIT_MAX_LINE	(256 * 1024)	/* of the log, with its newline */
#define AUDIT_MAX_STR	4096		/* one text field */

const char	*audit_event_name(enum audit_event);
const char	*audit_source_name(enum audit_source);
const char	*audit_field_name(enum audit_field);
enum audit_kind	 audit_field_kind(enum audit_field);
/* Which fields an event may carry. */
uint64_t	 audit_event_fields(enum audit_event);

void	audit_record_init(struct audit_record *, enum audit_event,
	    enum audit_source, bool success);
/* Text and bytes are views: they must outlive the record. */
void	audit_set_str(struct audit_record *, enum audit_field, const char *);
void	audit_set_bytes(struct audit_record *, enum audit_field, const void *,
	    size_t);
void	audit_set_u64(struct audit_record *, enum audit_field, uint64_t);
bool	audit_has(const struct audit_record *, enum audit_field);

/* Destinations: built into an encoder, set as one FIELD_DESTINATIONS value. */
void	audit_dest_add(struct enc *, const char *address, struct bytes script,
	    uint64_t amount_sompi);
/* Takes the next one off; false at the end or when malformed (d->failed). */
bool	audit_dest_next(struct dec *, struct bytes *address,
	    struct bytes *script, uint64_t *amount_sompi);

void	enc_audit_record(struct enc *, const struct audit_record *);
/* Views into the message.  Fields the event may not carry are a failure. */
void	dec_audit_record(struct dec *, struct audit_record *);

#endif
