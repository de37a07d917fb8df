/*
 * The one config file, igra.toml (igra.toml(5), DESIGN 11): TOML 1.0 parsed
 * in full by a yacc grammar, then every key checked for type and range.
 * All programs use this parser; each reads only what it needs of the result.
 */
#ifndef IGRA_CONF_H
#define IGRA_CONF_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kaspa.h"

#define CONF_MAX_SIZE	(4 * 1024 * 1024)	/* 10,000 destinations fit */

/* A number that may be left out of the config. */
struct conf_u64 {
	bool		 set;
	uint64_t	 v;
};

struct conf_strings {
	size_t		 n;
	char		**v;
};

struct conf_user {			/* a name or a number, resolved late */
	char		*name;		/* as written; NULL: not set */
};

enum conf_key_type { KEY_HD_MNEMONIC, KEY_RAW_PRIVATE };
enum conf_parity { PARITY_EVEN, PARITY_TRUE };

/* Bits of allowed_sighash_types. */
#define CONF_SIGHASH_ALL		0x01
#define CONF_SIGHASH_NONE		0x02
#define CONF_SIGHASH_SINGLE		0x04
#define CONF_SIGHASH_ALL_ACP		0x08
#define CONF_SIGHASH_NONE_ACP		0x10
#define CONF_SIGHASH_SINGLE_ACP		0x20

struct conf {
	char		*path;			/* file the text came from */

	/* [service] */
	bool		 network_set;
	enum kaspa_network network;		/* KASPA_MAINNET unless set */
	char		*network_text;		/* as written, or NULL */
	char		*active_profile;
	char		*data_dir;
	char		*secrets_file;
	bool		 use_encrypted_secrets;
	char		*key_audit_log_path;
	char		*node_rpc_url;
	bool		 allow_remote_rpc;
	bool		 passphrase_rotation_enabled;
	struct conf_u64	 passphrase_rotation_warn_days;
	struct conf_u64	 passphrase_rotation_error_days;

	/* [service.hd] */
	enum conf_key_type key_type;
	char		*derivation_path;	/* never NULL; "" is the master key */
	struct conf_strings encrypted_mnemonics;
	struct conf_u64	 required_sigs;
	struct conf_strings xpubs;

	/* [service.pskt] */
	char		*redeem_script_hex;	/* NULL or even-length lower hex */
	struct conf_strings source_addresses;
	struct conf_u64	 sig_op_count;
	char		*change_address;
	enum conf_parity signer_key_parity;
	char		*fee_payment_mode;	/* "recipient_pays", "signers_pay", "split" */
	double		 fee_recipient_parts, fee_signer_parts;
	struct conf_u64	 fee_sompi;

	/* [security] */
	uint64_t	 secret_cache_ttl;	/* s */
	uint64_t	 secret_cache_max;	/* entries */
	uint64_t	 secrets_file_max;	/* bytes */
	uint64_t	 unlock_ttl;		/* s, 0: until locked */
	bool		 verify_after_sign;
	struct conf_strings admin_users;

	/* [audit] */
	uint64_t	 checkpoint_interval;
	uint64_t	 permission_check_interval;
	uint64_t	 rotate_size;
	uint64_t	 reserve_bytes;
	char		*anchor;

	/* [policy] */
	struct {
		/* Each an address, or hex of a script: version ‖ script. */
		struct conf_strings allowed_destinations;
		struct conf_u64	 min_amount_sompi, max_amount_sompi;
		struct conf_u64	 max_hourly_volume_sompi;
		struct conf_u64	 max_daily_volume_sompi;
		struct conf_u64	 max_weekly_volume_sompi;
		struct conf_u64	 max_fee_sompi;
		bool		 max_fee_percent_set;
		double		 max_fee_percent;
		struct conf_u64	 max_per_hour;
		bool		 require_reason;
		unsigned int	 allowed_sighash_types;	/* CONF_SIGHASH_*; default ALL */
		bool		 allow_replacement;
		struct conf_u64	 max_lock_time_ahead;	/* s */
		uint64_t	 max_outpoints;
		/* Names of the keys that the file sets, in its order. */
		struct conf_strings keys_set;
	} policy;

	/* [group] */
	bool		 group_present;
	struct {
		uint64_t	 threshold_m, threshold_n;
		struct conf_strings member_pubkeys;	/* as written */
		uint64_t	 network_id;
		uint64_t	 fee_rate_sompi_per_gram;
		uint64_t	 finality_blue_score_threshold;
		uint64_t	 dust_threshold_sompi;
		uint64_t	 min_recipient_amount_sompi;
		uint64_t	 session_timeout_seconds;
		/* [group.group_metadata] and [group.policy]: Igra's group id. */
		uint64_t	 creation_timestamp_nanos;
		char		*group_name;
		uint64_t	 policy_version;
		struct conf_strings policy_destinations;
		struct conf_u64	 policy_min_amount_sompi;
		struct conf_u64	 policy_max_amount_sompi;
		struct conf_u64	 policy_max_daily_volume_sompi;
		bool		 policy_require_reason;
	} group;

	/* [rpc] */
	struct conf_strings allow_users;	/* never empty: else the default */
	uint64_t	 rate_limit_rps;
	uint64_t	 rate_limit_burst;
	bool		 token_set;
	uint8_t		 token_hash[32];	/* BLAKE2b-256; the text is wiped */

	/* [keyd] [signd] [auditd] */
	struct conf_user keyd_user, signd_user, auditd_user;
	char		*keyd_socket, *keyd_admin_socket, *keyd_state_dir;
	char		*signd_socket;
	char		*auditd_socket, *auditd_admin_socket;

	/* What -nv prints: the canonical document, the token masked. */
	char		*canonical;

	/* Warnings that are not errors (for example a key of Igra's skipped). */
	struct conf_strings notes;

	unsigned	*lines;			/* conf_line() */
};

/*
 * Parses text (len bytes, need not end in NUL).  path is for messages.
 * profile: --profile, or NULL for service.active_profile; the tables
 * [profiles.<that name>.*] override.  euid 0 selects the defaults of a
 * system service, any other those under data_dir (DESIGN 11).
 * NULL on error with "path:line: what is wrong" in err.
 */
struct conf	*conf_parse(const char *text, size_t len, const char *path,
		    const char *profile, uid_t euid, char *err, size_t errlen);

/* Reads path (at most CONF_MAX_SIZE bytes; wiped afterwards), then the above. */
struct conf	*conf_load(const char *path, const char *profile, uid_t euid,
		    char *err, size_t errlen);
void		 conf_free(struct conf *);
/*
 * The text of a file, *len bytes, malloc'd; the caller wipes.  NULL with the
 * reason in err.
 */
char		*conf_read(const char *path, size_t *len, char *err,
		    size_t errlen);

/*
 * Line on which the file sets a key ("service.pskt.change_address"), in the
 * active profile if it does so there; 0 when it does not.  For messages of
 * checks that take more than one value.
 */
unsigned	 conf_line(const struct conf *, const char *key);

/*
 * Name of the first key that differs between the two and that a reload may
 * not change (igra.toml(5)), or NULL.  Users are compared as written.
 */
const char	*conf_frozen_change(const struct conf *, const struct conf *);

/*
 * The text as igractl reload hands it to the daemons, which can look nobody
 * up: each user's name that the system knows is replaced by its number, in
 * all profiles.  with_token false: the bearer token is replaced, too, by
 * another; only signd needs it.  malloc'd, *outlen bytes, with a NUL behind
 * them; the caller wipes.  NULL on error with "path:line: ..." in err.
 */
char		*conf_reload_text(const char *text, size_t len,
		    const char *path, bool with_token, size_t *outlen,
		    char *err, size_t errlen);
/* BLAKE2b-256 of a config's text, for the log. */
void		 conf_hash(const void *text, size_t len, uint8_t hash[32]);
/*
 * The first user of the config that is a name and not a number, or NULL.
 */
const char	*conf_named_user(const struct conf *);

/*
 * Passphrase age in days from which to warn and from which to refuse
 * (0: never), with the network's defaults where the config is silent.
 */
void		 conf_rotation_days(const struct conf *, enum kaspa_network,
		    uint64_t *warn, uint64_t *error);

/*
 * uid of a conf_user or list element: a number, or a name looked up with
 * getpwnam.  The group is that of the user, or the uid's number when the
 * system knows no such uid.  0, or -1 when there is no such name.
 */
int		 conf_uid(const char *name, uid_t *uid, gid_t *gid);
/* The same for a number only: asks nobody.  0, or -1 when it is a name. */
int		 conf_uid_number(const char *name, uid_t *uid);

/*
 * "signer-03" -> 3 (1-99), -1 when it is no profile name.
 */
int		 conf_profile_index(const char *profile);

#endif
