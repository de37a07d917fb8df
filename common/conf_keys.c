/*
 * Every key of igra.toml.  igra.toml(5) says the same for people.
 */
#include <string.h>

#include "conf_int.h"

#define AT(member)	offsetof(struct conf, member)
#define KIB		1024ULL
#define MIB		(1024 * KIB)
#define GIB		(1024 * MIB)
#define DAY		86400ULL
#define MAX_INT		((uint64_t)INT64_MAX)	/* TOML's integers end there */

#define BOOL(n, f, m) \
	{ n, CONF_BOOL, f, AT(m), 0, 0, NULL, NULL, NULL }
#define UINT(n, f, m, lo, hi) \
	{ n, CONF_UINT, f, AT(m), lo, hi, NULL, NULL, NULL }
#define OPT_UINT(n, f, m, lo, hi) \
	{ n, CONF_OPT_UINT, f, AT(m), lo, hi, NULL, NULL, NULL }
#define TEXT(n, f, m, check) \
	{ n, CONF_TEXT, f, AT(m), 0, 0, check, NULL, NULL }
#define TEXTS(n, f, m, max, check) \
	{ n, CONF_TEXTS, f, AT(m), 0, max, check, NULL, NULL }
#define USER(n, m) \
	{ n, CONF_USER, CONF_FROZEN, AT(m), 0, 0, conf_check_user, NULL, NULL }
#define USERS(n, m) \
	{ n, CONF_USERS, 0, AT(m), 0, 100, conf_check_user, NULL, NULL }
#define CUSTOM(n, f, set, print) \
	{ n, CONF_CUSTOM, f, 0, 0, 0, NULL, set, print }
#define SKIP(n) \
	{ n, CONF_SKIP, 0, 0, 0, 0, NULL, NULL, NULL }

const struct conf_key	 conf_keys[] = {
	CUSTOM("service.network", CONF_FROZEN, conf_set_network,
	    conf_print_network),
	TEXT("service.active_profile", CONF_FROZEN, active_profile,
	    conf_check_profile),
	TEXT("service.data_dir", CONF_FROZEN | CONF_EMPTY_UNSETS, data_dir,
	    conf_check_path),
	TEXT("service.secrets_file", CONF_FROZEN, secrets_file,
	    conf_check_path),
	BOOL("service.use_encrypted_secrets", CONF_FROZEN, use_encrypted_secrets),
	TEXT("service.key_audit_log_path", CONF_FROZEN, key_audit_log_path,
	    conf_check_path),
	TEXT("service.node_rpc_url", CONF_EMPTY_UNSETS, node_rpc_url,
	    conf_check_url),
	BOOL("service.allow_remote_rpc", 0, allow_remote_rpc),
	BOOL("service.passphrase_rotation_enabled", 0,
	    passphrase_rotation_enabled),
	OPT_UINT("service.passphrase_rotation_warn_days", 0,
	    passphrase_rotation_warn_days, 0, 36500),
	OPT_UINT("service.passphrase_rotation_error_days", 0,
	    passphrase_rotation_error_days, 0, 36500),
	SKIP("service.allow_schema_wipe"),
	SKIP("service.node_rpc_circuit_breaker"),

	CUSTOM("service.hd.key_type", CONF_FROZEN, conf_set_key_type,
	    conf_print_key_type),
	TEXT("service.hd.derivation_path", CONF_FROZEN, derivation_path,
	    conf_check_derivation),
	CUSTOM("service.hd.encrypted_mnemonics", CONF_FROZEN, conf_set_mnemonics,
	    conf_print_mnemonics),
	OPT_UINT("service.hd.required_sigs", CONF_EMPTY_UNSETS, required_sigs,
	    1, MULTISIG_MAX_KEYS),
	TEXTS("service.hd.xpubs", 0, xpubs, MULTISIG_MAX_KEYS,
	    conf_check_xpub),

	TEXT("service.pskt.redeem_script_hex", CONF_EMPTY_UNSETS,
	    redeem_script_hex, conf_check_script),
	TEXTS("service.pskt.source_addresses", 0, source_addresses, 1000,
	    conf_check_address),
	OPT_UINT("service.pskt.sig_op_count", CONF_EMPTY_UNSETS, sig_op_count,
	    1, 255),
	TEXT("service.pskt.change_address", CONF_EMPTY_UNSETS, change_address,
	    conf_check_address),
	CUSTOM("service.pskt.signer_key_parity", 0, conf_set_parity,
	    conf_print_parity),
	CUSTOM("service.pskt.fee_payment_mode", 0, conf_set_fee_mode,
	    conf_print_fee_mode),
	OPT_UINT("service.pskt.fee_sompi", 0, fee_sompi, 0, CONF_MAX_SOMPI),
	SKIP("service.pskt.node_rpc_url"),
	SKIP("service.pskt.outputs"),

	UINT("security.secret_cache_ttl", 0, secret_cache_ttl, 0, DAY),
	UINT("security.secret_cache_max", CONF_FROZEN, secret_cache_max, 1, 100000),
	UINT("security.secrets_file_max", CONF_FROZEN, secrets_file_max,
	    4 * KIB, 16 * MIB),
	UINT("security.unlock_ttl", 0, unlock_ttl, 0, 365 * DAY),
	BOOL("security.verify_after_sign", 0, verify_after_sign),
	USERS("security.admin_users", admin_users),

	UINT("audit.checkpoint_interval", 0, checkpoint_interval, 1, DAY),
	UINT("audit.permission_check_interval", 0, permission_check_interval,
	    1, DAY),
	UINT("audit.rotate_size", 0, rotate_size, 64 * KIB, 1024 * GIB),
	UINT("audit.reserve_bytes", CONF_FROZEN, reserve_bytes, 64 * KIB, 16 * GIB),
	TEXT("audit.anchor", CONF_EMPTY_UNSETS, anchor, conf_check_hex32),

	TEXTS("policy.allowed_destinations", 0, policy.allowed_destinations,
	    100000, conf_check_destination),
	OPT_UINT("policy.min_amount_sompi", 0, policy.min_amount_sompi, 0,
	    CONF_MAX_SOMPI),
	OPT_UINT("policy.max_amount_sompi", 0, policy.max_amount_sompi, 1,
	    CONF_MAX_SOMPI),
	OPT_UINT("policy.max_hourly_volume_sompi", 0,
	    policy.max_hourly_volume_sompi, 1, MAX_INT),
	OPT_UINT("policy.max_daily_volume_sompi", 0,
	    policy.max_daily_volume_sompi, 1, MAX_INT),
	OPT_UINT("policy.max_weekly_volume_sompi", 0,
	    policy.max_weekly_volume_sompi, 1, MAX_INT),
	OPT_UINT("policy.max_fee_sompi", 0, policy.max_fee_sompi, 1,
	    CONF_MAX_SOMPI),
	CUSTOM("policy.max_fee_percent", 0, conf_set_fee_percent,
	    conf_print_fee_percent),
	OPT_UINT("policy.max_per_hour", 0, policy.max_per_hour, 1, 1000000),
	BOOL("policy.require_reason", 0, policy.require_reason),
	CUSTOM("policy.allowed_sighash_types", 0, conf_set_sighash_types,
	    conf_print_sighash_types),
	BOOL("policy.allow_replacement", 0, policy.allow_replacement),
	OPT_UINT("policy.max_lock_time_ahead", 0, policy.max_lock_time_ahead,
	    0, 3650 * DAY),
	UINT("policy.max_outpoints", CONF_FROZEN, policy.max_outpoints, 1000,
	    10000000),

	UINT("group.threshold_m", CONF_OF_GROUP, group.threshold_m, 1, 20),
	UINT("group.threshold_n", CONF_OF_GROUP, group.threshold_n, 1, 20),
	TEXTS("group.member_pubkeys", CONF_OF_GROUP, group.member_pubkeys, 20,
	    conf_check_member),
	UINT("group.network_id", CONF_OF_GROUP, group.network_id, 0, 255),
	UINT("group.fee_rate_sompi_per_gram", CONF_OF_GROUP,
	    group.fee_rate_sompi_per_gram, 0, CONF_MAX_SOMPI),
	UINT("group.finality_blue_score_threshold", CONF_OF_GROUP,
	    group.finality_blue_score_threshold, 0, MAX_INT),
	UINT("group.dust_threshold_sompi", CONF_OF_GROUP,
	    group.dust_threshold_sompi, 0, CONF_MAX_SOMPI),
	UINT("group.min_recipient_amount_sompi", CONF_OF_GROUP,
	    group.min_recipient_amount_sompi, 0, CONF_MAX_SOMPI),
	UINT("group.session_timeout_seconds", CONF_OF_GROUP,
	    group.session_timeout_seconds, 0, 365 * DAY),
	UINT("group.group_metadata.creation_timestamp_nanos", CONF_OF_GROUP,
	    group.creation_timestamp_nanos, 0, MAX_INT),
	TEXT("group.group_metadata.group_name", CONF_OF_GROUP,
	    group.group_name, NULL),
	UINT("group.group_metadata.policy_version", CONF_OF_GROUP,
	    group.policy_version, 0, UINT32_MAX),
	SKIP("group.group_metadata.extra"),
	TEXTS("group.policy.allowed_destinations", CONF_OF_GROUP,
	    group.policy_destinations, 100000, conf_check_address),
	OPT_UINT("group.policy.min_amount_sompi", CONF_OF_GROUP,
	    group.policy_min_amount_sompi, 0, CONF_MAX_SOMPI),
	OPT_UINT("group.policy.max_amount_sompi", CONF_OF_GROUP,
	    group.policy_max_amount_sompi, 0, CONF_MAX_SOMPI),
	OPT_UINT("group.policy.max_daily_volume_sompi", CONF_OF_GROUP,
	    group.policy_max_daily_volume_sompi, 0, MAX_INT),
	BOOL("group.policy.require_reason", CONF_OF_GROUP,
	    group.policy_require_reason),

	USERS("rpc.allow_users", allow_users),
	UINT("rpc.rate_limit_rps", 0, rate_limit_rps, 1, 1000000),
	UINT("rpc.rate_limit_burst", 0, rate_limit_burst, 1, 1000000),
	CUSTOM("rpc.token", 0, conf_set_token, conf_print_token),
	SKIP("rpc.addr"),
	SKIP("rpc.enabled"),
	SKIP("rpc.hyperlane_mailbox_wait_seconds"),

	USER("keyd.user", keyd_user.name),
	TEXT("keyd.socket", CONF_FROZEN, keyd_socket, conf_check_socket),
	TEXT("keyd.admin_socket", CONF_FROZEN, keyd_admin_socket,
	    conf_check_socket),
	TEXT("keyd.state_dir", CONF_FROZEN, keyd_state_dir, conf_check_path),
	USER("signd.user", signd_user.name),
	TEXT("signd.socket", CONF_FROZEN, signd_socket, conf_check_socket),
	USER("auditd.user", auditd_user.name),
	TEXT("auditd.socket", CONF_FROZEN, auditd_socket, conf_check_socket),
	TEXT("auditd.admin_socket", CONF_FROZEN, auditd_admin_socket,
	    conf_check_socket),

	/* Tables of other Igra programs. */
	SKIP("hyperlane"),
	SKIP("layerzero"),
	SKIP("iroh"),
	SKIP("runtime"),
	SKIP("signing"),
	SKIP("two_phase")
};
const size_t		 conf_nkeys = sizeof(conf_keys) / sizeof(conf_keys[0]);

const struct conf_key *
conf_key_find(const char *name)
{
	size_t	 i;

	for (i = 0; i < conf_nkeys; i++)
		if (strcmp(conf_keys[i].name, name) == 0)
			return &conf_keys[i];
	return NULL;
}

bool
conf_table_known(const char *name)
{
	size_t	 i, len = strlen(name);

	for (i = 0; i < conf_nkeys; i++)
		if (strncmp(conf_keys[i].name, name, len) == 0 &&
		    conf_keys[i].name[len] == '.')
			return true;
	return false;
}

/* Everything but paths, which hang on data_dir and the uid (conf.c). */
void
conf_defaults(struct conf *c)
{
	c->network = KASPA_MAINNET;
	c->use_encrypted_secrets = true;
	c->passphrase_rotation_enabled = true;
	c->key_type = KEY_HD_MNEMONIC;
	c->signer_key_parity = PARITY_EVEN;
	c->secret_cache_ttl = 300;
	c->secret_cache_max = 100;
	c->secrets_file_max = MIB;
	c->unlock_ttl = 0;
	c->verify_after_sign = true;
	c->checkpoint_interval = 60;
	c->permission_check_interval = 3600;
	c->rotate_size = 100 * MIB;
	c->reserve_bytes = 8 * MIB;
	c->policy.allowed_sighash_types = CONF_SIGHASH_ALL;
	c->policy.max_outpoints = 1000000;
	c->group.session_timeout_seconds = 60;
	c->group.policy_version = 1;
	c->rate_limit_rps = 100;
	c->rate_limit_burst = 200;
}
