/*
 * The messages between the daemons and their operators' tools.
 * PROTOCOL.md describes each; tests/unit/test_proto.c pins their bytes.
 */
#ifndef IGRA_MESSAGES_H
#define IGRA_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "codec.h"
#include "record.h"
#include "tx.h"

#define PROTO_MAGIC		0x31524749	/* "IGR1", little-endian */
#define PROTO_HEADER_LEN	20

/* magic u32, type u16, zero u16, length u32, request id u64 */
struct proto_header {
	uint16_t	 type;
	uint32_t	 len;		/* of the payload */
	uint64_t	 id;
};

enum proto_type {
	MSG_NONE,
	/* any link, from the server */
	MSG_ERROR,
	MSG_OK,
	/* keyd.sock */
	MSG_INFO_REQ,
	MSG_INFO,
	MSG_SIGN_REQ,
	MSG_SIGN,
	MSG_KEY_LIST_REQ,
	MSG_KEY_LIST,
	MSG_KEY_PUBLIC_REQ,
	MSG_KEY_PUBLIC,
	MSG_NOTE,			/* no answer */
	/* keyd.sock and keyd's admin.sock */
	MSG_KEYD_STATUS_REQ,
	MSG_KEYD_STATUS,
	/* keyd's admin.sock */
	MSG_UNLOCK_FILE,		/* no answer: the UNLOCK that follows has it */
	MSG_UNLOCK,			/* holds keys: read into the arena */
	MSG_LOCK,
	/* auditd.sock */
	MSG_AUDIT_HELLO,
	MSG_AUDIT_STATE,
	/* auditd.sock and auditd's admin.sock */
	MSG_AUDIT_APPEND,
	MSG_AUDIT_ACK,
	/* auditd's admin.sock */
	MSG_AUDITD_STATUS_REQ,
	MSG_AUDITD_STATUS,
	MSG_AUDIT_ROTATE,
	MSG_AUDIT_REOPEN,
	/* auditd.sock */
	MSG_AUDIT_HEALTH,		/* unasked */
	/* keyd's and auditd's admin.sock */
	MSG_RELOAD,
	/* keyd's admin.sock, root only */
	MSG_POLICY_ACCEPT,
	MSG_POLICY_RELEASE,
	/* keyd.sock */
	MSG_CHECK_REQ,			/* the body of SIGN_REQ */
	MSG_CHECK,
	/* keyd's admin.sock */
	MSG_POLICY_REQ,
	MSG_POLICY,
	MSG_MAX
};

/* A role is the socket it came in by. */
enum proto_link {
	LINK_KEYD,			/* keyd.sock: signd is the client */
	LINK_KEYD_ADMIN,
	LINK_AUDITD,			/* auditd.sock: keyd is the client */
	LINK_AUDITD_ADMIN,
	LINK_MAX
};

#define PROTO_SECRET	0x01		/* payload only ever in the arena */

struct proto_rule {
	const char	*name;
	uint32_t	 min, max;	/* payload length */
	uint8_t		 to_server;	/* bit per proto_link */
	uint8_t		 to_client;
	uint8_t		 flags;
};

/* NULL for a type that does not exist. */
const struct proto_rule	*proto_rule(uint16_t type);
/* May this type travel on this link, in this direction? */
bool	proto_allowed(uint16_t type, enum proto_link, bool to_server);

void	proto_put_header(uint8_t out[PROTO_HEADER_LEN],
	    const struct proto_header *);
/*
 * 0, or -1: wrong magic, nonzero reserved field, unknown type, a type not
 * allowed on this link in this direction, or a length outside its bounds.
 */
int	proto_get_header(const uint8_t in[PROTO_HEADER_LEN],
	    struct proto_header *, enum proto_link, bool to_server,
	    const char **errstr);

/* Error codes; JSON-RPC code is -32000 - value (DESIGN 10, in its order). */
enum proto_code {
	CODE_NONE,
	CODE_LOCKED,
	CODE_POLICY_DENIED,
	CODE_KEY_NOT_FOUND,
	CODE_NOT_A_SIGNER,
	CODE_INVALID_PSKT,
	CODE_UNSUPPORTED,
	CODE_AUDIT_UNAVAILABLE,
	CODE_KEYD_UNAVAILABLE,
	CODE_RATE_LIMITED,
	CODE_UNAUTHORIZED,
	CODE_CONFLICT,
	CODE_TOO_LARGE,
	CODE_INTERNAL,			/* JSON-RPC -32603 */
	CODE_MAX
};
const char	*proto_code_name(enum proto_code);

#define PROTO_NO_PSKT		UINT32_MAX
#define PROTO_MAX_TEXT		4096
#define PROTO_MAX_REQUEST_ID	64
#define PROTO_MAX_PROFILE	16
#define PROTO_MAX_REASON	256
#define PROTO_MAX_CHECKS	32	/* of one transaction */
#define PROTO_MAX_BUNDLE	256	/* transactions of one request */
#define PROTO_MAX_NAME		256	/* of a secret */
#define PROTO_MAX_HEALTH	512	/* why the log is not healthy */
#define PROTO_MAX_CONFIG	(4 * 1024 * 1024)
#define PROTO_MAX_SANDBOX	512	/* what is in force, in words */
#define PROTO_MAX_SIGN		(24 * 1024 * 1024)
#define PROTO_MAX_UNLOCK_FILE	(16 * 1024 * 1024)

struct msg_error {
	enum proto_code	 code;
	uint32_t	 pskt;		/* index in a bundle, or PROTO_NO_PSKT */
	struct bytes	 message;
	struct bytes	 check, limit, value;	/* POLICY_DENIED; else empty */
};

struct msg_info {
	struct bytes	 version;
	struct bytes	 network;
	struct bytes	 profile;
	struct bytes	 key_ref;
	bool		 locked;
	bool		 has_key;	/* false until the first unlock */
	uint8_t		 public_key[33]; /* compressed, true parity */
	struct bytes	 address;	/* empty until known */
	struct bytes	 redeem_script;	/* empty: none */
	uint8_t		 threshold_m, threshold_n;
	bool		 has_fingerprint; /* the key comes from a phrase */
	uint8_t		 fingerprint[TX_FINGERPRINT]; /* of its master key */
};

struct msg_sign_req {
	struct bytes	 request_id;
	struct bytes	 profile;	/* empty: the active one */
	struct bytes	 reason;
	uint32_t	 peer_uid, peer_pid;	/* signd's client */
	uint32_t	 n;
	struct tx	*tx;
};

struct sign_sig {
	uint32_t	 tx, input;
	uint8_t		 public_key[33]; /* compressed, true parity */
	uint8_t		 sig[64];
};

struct sign_note {
	uint32_t	 tx;
	struct bytes	 text;
};

struct msg_sign {
	uint64_t	 audit_seq;		/* last record of this request */
	uint8_t		 audit_head[32];
	uint32_t	 n;			/* transaction ids, as asked */
	uint8_t		(*tx_id)[32];
	uint32_t	 nsig;
	struct sign_sig	*sig;
	uint32_t	 nnote;
	struct sign_note *note;
};

/* What pskt.check tells of one check. */
enum check_outcome {
	CHECK_NOT_SET,			/* the config does not ask for it */
	CHECK_PASS,
	CHECK_FAIL,
	CHECK_OUTCOMES
};

struct check_result {
	struct bytes	 check;		/* its name: mostly a key of [policy] */
	enum check_outcome outcome;
	struct bytes	 limit, value;	/* empty: none */
};

struct check_tx {
	enum proto_code	 code;		/* CODE_NONE: it would be signed */
	struct bytes	 message;	/* why not */
	uint8_t		 tx_id[TX_ID_LEN];
	uint32_t	 inputs;	/* that would be signed */
	bool		 known;		/* signed before: counts no more */
	uint64_t	 outflow;
	bool		 fee_known;
	uint64_t	 fee;
	uint32_t	 nresult;	/* 0: it is no transaction of ours */
	struct check_result *result;
};

struct msg_check {
	uint32_t	 n;		/* as many as were asked about */
	struct check_tx	*tx;
};

struct key_entry_info {
	struct bytes	 key_ref;
	struct bytes	 profile;
	bool		 hd;
	bool		 active;
};

struct msg_key_list_req {
	struct bytes	 request_id;
	uint32_t	 peer_uid, peer_pid;
};

struct msg_key_list {
	uint32_t	 n;
	struct key_entry_info *key;
};

struct msg_key_public_req {
	struct bytes	 request_id;
	struct bytes	 profile;
	uint32_t	 peer_uid, peer_pid;
};

struct msg_key_public {
	struct bytes	 key_ref;
	struct bytes	 profile;
	uint8_t		 public_key[33];
	struct bytes	 address;	/* pay-to-pubkey */
};

/* signd's refusals, start and stop, on their way to the log. */
struct msg_note {
	/* EV_PEER_REJECTED, EV_REQUEST_REJECTED, EV_SERVICE_STARTED, _STOPPED */
	enum audit_event event;
	struct bytes	 request_id;
	struct bytes	 method;
	struct bytes	 code;
	struct bytes	 error;
	uint32_t	 peer_uid, peer_pid;
	uint64_t	 suppressed;	/* not 0: only a count, of the event */
};

struct msg_keyd_status {
	bool		 locked;
	bool		 lock_marker;
	bool		 audit_ok;	/* auditd connected and answering */
	bool		 roles_separated;
	uint32_t	 pid;
	uint64_t	 uptime_s;
	uint64_t	 unlocked_s;	/* since the unlock; 0 when locked */
	uint32_t	 cache_entries, cache_max;
	uint64_t	 cache_ttl_s;
	uint64_t	 signatures;	/* made since start */
	uint64_t	 requests, refusals;
	uint64_t	 evictions;
	uint64_t	 kseq;		/* last given */
	uint64_t	 audit_seq;	/* last acknowledged */
	uint8_t		 audit_head[32];
	uint64_t	 audit_commits;	/* acknowledgements, and their time */
	uint64_t	 audit_wait_us;	/* sum over them */
	uint32_t	 auditd_pid;
	uint8_t		 file_salt[32];	/* of the unlocked file; zero: none */
	/* About the active key, to operators only; zeros to signd. */
	bool		 facts;		/* unlocked: what follows is known */
	bool		 phrase;	/* the key comes from a phrase */
	bool		 payment_there, payment_utf8;
	uint32_t	 payment_chars;
	uint8_t		 public_key[33];
	struct bytes	 network, profile, version;
	struct bytes	 memory;	/* "memfd_secret", "mlock", … */
	struct bytes	 sandbox;	/* what is in force, in words */
	/* What auditd last said: MSG_AUDIT_HEALTH. */
	bool		 audit_healthy;
	uint64_t	 audit_alerts;
	struct bytes	 audit_reason;
	struct bytes	 audit_sandbox;
	/* The policy journal (journal.h). */
	bool		 journal_ok;	/* it lets sign */
	uint8_t		 rollback;	/* of PROTO_ROLLBACK_*, not accepted */
	uint8_t		 clock;		/* of enum proto_clock */
	uint64_t	 clock_gap;	/* s that accepting the clock would count */
	uint64_t	 journal_entries;	/* signing ids */
	uint64_t	 journal_outpoints, journal_max;
	struct bytes	 journal_reason;	/* why not; empty: ok */
};

/* Which of the two ends before what the other knows of. */
#define PROTO_ROLLBACK_LOG	0x01
#define PROTO_ROLLBACK_JOURNAL	0x02

/* Why policy time stands still, so that no limit frees. */
enum proto_clock {
	PROTO_CLOCK_RUNS,
	PROTO_CLOCK_REBOOT,
	PROTO_CLOCK_STEP,		/* the wall clock was set */
	PROTO_CLOCK_MAX
};

/* First the keys, so that they sit at a fixed place in the message. */
struct msg_unlock {
	uint8_t		 file_key[32];
	bool		 has_layer1;
	uint8_t		 layer1_key[32];
	bool		 interactive;
	bool		 accept_clock;	/* the operator believes the clock */
};

/* An operator's word, recorded as PolicyReleased before it counts. */
enum policy_accept {
	ACCEPT_CLOCK = 1,
	ACCEPT_ROLLBACK,
	ACCEPT_MAX
};
struct msg_policy_accept {
	enum policy_accept what;
};

/* For igractl policy show. */
struct msg_policy_req {
	bool		 has_outpoint;	/* what is claimed for it? */
	struct outpoint	 outpoint;	/* else zeros */
};

struct policy_limit {
	struct bytes	 key;		/* of [policy] */
	struct bytes	 text;		/* its value; empty: not set */
	bool		 counted;	/* what follows is known of it */
	uint64_t	 used;		/* sompi, signing ids or outpoints */
	/* s until the oldest that counts leaves; UINT64_MAX: not by itself. */
	uint64_t	 frees_s;
};

struct msg_policy {
	uint32_t	 n;
	struct policy_limit *limit;
	bool		 claimed;	/* what follows is, for the outpoint */
	uint64_t	 amount;
	uint8_t		 script_hash[32];	/* journal_script_hash() */
	uint8_t		 signing_id[32];
};

/* Forgets what is claimed for one outpoint. */
struct msg_policy_release {
	struct outpoint	 outpoint;
	struct bytes	 reason;
};

struct msg_audit_state {
	uint64_t	 last_kseq;
	uint64_t	 reservation;	/* greatest in a record; 0: none */
	uint64_t	 seq;		/* of the last line; 0 with have false */
	bool		 have;		/* the log has a line */
	uint8_t		 head[32];	/* hash of the last line */
	uint32_t	 pid;
};

struct msg_audit_append {
	uint32_t	 n;
	struct audit_record *record;
};

struct msg_audit_ack {
	uint64_t	 last_kseq;
	uint64_t	 seq;
	uint8_t		 head[32];
};

struct msg_auditd_status {
	uint32_t	 pid;
	uint64_t	 uptime_s;
	uint64_t	 records, bytes, commits;
	uint64_t	 sync_us;	/* sum over the commits */
	uint64_t	 seq;
	bool		 have;
	uint8_t		 head[32];
	uint64_t	 last_kseq;
	bool		 writable;
	struct bytes	 path;
	struct bytes	 fault;		/* why not writable; empty: none */
	struct bytes	 sandbox;
	bool		 append_only;	/* file attribute, set by an operator */
	bool		 healthy;	/* nobody has tampered with the log */
	uint64_t	 alerts;	/* SecurityAlerts since the start */
	struct bytes	 reason;	/* why not healthy; empty: healthy */
	uint64_t	 covered_seq;	/* of the last Checkpoint; 0: none yet */
	uint8_t		 origin[32];	/* first key of the checkpoints */
};

/* Sent to keyd after its greeting, and whenever it changes. */
struct msg_audit_health {
	bool		 healthy;
	uint64_t	 alerts;	/* since auditd's start */
	struct bytes	 reason;	/* for the operator; empty: healthy */
	struct bytes	 sandbox;	/* of auditd: what is in force */
};

/* A config, for all daemons alike: first each checks it, then each takes it. */
struct msg_reload {
	bool		 apply;		/* else only check */
	uint8_t		 file_hash[32];	/* BLAKE2b-256 of the file, for the log */
	struct bytes	 text;		/* users' names replaced by numbers */
};

/*
 * Encoders append to e (check e->failed); decoders return 0, or -1 when the
 * payload is not exactly one such message.  Arrays come from the pool, text
 * and scripts are views into the payload.
 */
#define PROTO_CODEC(name)						\
	void	enc_##name(struct enc *, const struct msg_##name *);	\
	int	dec_##name(const void *, size_t, struct pool *,		\
		    struct msg_##name *)
PROTO_CODEC(error);
PROTO_CODEC(info);
PROTO_CODEC(sign_req);
PROTO_CODEC(sign);
PROTO_CODEC(key_list_req);
PROTO_CODEC(key_list);
PROTO_CODEC(key_public_req);
PROTO_CODEC(key_public);
PROTO_CODEC(note);
PROTO_CODEC(keyd_status);
PROTO_CODEC(unlock);
PROTO_CODEC(audit_state);
PROTO_CODEC(audit_append);
PROTO_CODEC(audit_ack);
PROTO_CODEC(auditd_status);
PROTO_CODEC(audit_health);
PROTO_CODEC(reload);
PROTO_CODEC(check);
PROTO_CODEC(policy_req);
PROTO_CODEC(policy);
PROTO_CODEC(policy_accept);
PROTO_CODEC(policy_release);
#undef PROTO_CODEC

#endif
