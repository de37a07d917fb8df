/*
 * Every rule of the network modes (DESIGN 9), every network, as a table.
 * Each row spoils a signer that passes in one way and says what each network
 * makes of it.
 */
#include "valid_ways.h"

#define E	SEV_ERROR
#define W	SEV_WARNING
#define D	SEV_DEBUG
#define U	SEV_UNCHECKED
#define K	SEV_OK
#define LEN(a)	(sizeof(a) / sizeof((a)[0]))

const struct valid_row valid_rows[] = {
	/* It only says which; that is another rule's to judge. */
	{ "network-mode", "", NULL, { K, K, K }, "" },

	/* secrets from the environment, IGRA_SECRETS_PASSPHRASE */
#ifdef ENV_SECRETS
	{ "encrypted-secrets", "service.use_encrypted_secrets = false", NULL,
	    { E, K, K }, "use_encrypted_secrets|encrypted file only" },
#else
	{ "encrypted-secrets", "service.use_encrypted_secrets = false", NULL,
	    { E, E, E }, "use_encrypted_secrets is false" },
#endif
	{ "environment-secrets", "", env_secret, { E, W, K },
	    "IGRA_SECRET__igra_signer__private_key_signer_01" },
	{ "environment-secrets", "", env_empty, { E, W, K }, "IGRA_SECRET__" },
	{ "environment-secrets", "", env_wallet, { E, W, K },
	    "KASPA_IGRA_WALLET_SECRET" },
	{ "environment-secrets", "", env_other, { K, K, K }, "" },
	{ "environment-passphrase", "", env_other, { K, K, K }, "" },
	{ "environment-passphrase", "", env_pass, { E, W, K },
	    "IGRA_SECRETS_PASSPHRASE|--passphrase-file" },

	/* config says which network */
	{ "network-stated", "-service.network", NULL, { E, W, D },
	    "igra.toml|network = \"" },
	{ "network-stated", "service.network = \"@O\"", NULL, { E, E, E },
	    "make them agree" },

	/* payment_secret for a phrase */
	{ "payment-secret", "", pay_none, { E, W, D },
	    "igra.signer.payment_secret_signer-01 is missing|two layers|"
	    "at least 12|secrets-admin set igra.signer.payment_secret_"
	    "signer-01" },
	{ "payment-secret", "", pay_empty, { E, W, D }, "is empty|two layers" },
	{ "payment-secret", "", pay_11, { E, W, D }, "is too short" },
	{ "payment-secret", "", pay_binary, { E, E, E }, "not valid UTF-8" },
	{ "payment-secret", "service.hd.encrypted_mnemonics = [\"AAAAAAAAAAAAA"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\"]", pay_none,
	    { E, W, D }, "secrets-admin set igra.hd.payment_secret" },
	{ "payment-secret", "", pay_raw, { K, K, K }, "" },
	{ "payment-secret", "service.hd.key_type = \"raw\"", pay_none,
	    { K, K, K }, "" },
	{ "payment-secret", "", facts_unknown, { U, U, U }, "--offline" },

	/* file passphrase; wallet_secret */
	{ "passphrase-strength", "", pass_short, { E, E, K },
	    "11 characters|rotate-passphrase" },
	{ "passphrase-strength", "", pass_common, { E, W, K }, "/4|rotate" },
	{ "passphrase-strength", "", pass_strong, { K, K, K }, "" },
	{ "wallet-secret-strength", "", pass_short, { E, E, K },
	    "igra.hd.wallet_secret|encrypt-mnemonic" },
	{ "wallet-secret-strength", "", pass_common, { E, W, K }, "/4" },
	{ "wallet-secret-strength", "", pass_strong, { K, K, K }, "" },
	{ "wallet-secret-strength", "", facts_unknown, { K, K, K }, "" },
	{ "secrets-open", "", open_error, { E, E, E }, "wrong passphrase" },
	{ "two-phrases", "", two_phrases, { E, E, E },
	    "encrypted_mnemonics|remove one" },
	{ "two-phrases", "", facts_unknown, { K, K, K }, "" },

	/* passphrase age in days */
	{ "passphrase-age", "", age_59, { K, K, K }, "" },
	{ "passphrase-age", "", age_60, { W, K, K },
	    "60 days|rotate-passphrase" },
	{ "passphrase-age", "", age_89, { W, K, K }, "before it is refused" },
	{ "passphrase-age", "", age_90, { E, W, K },
	    "90 days|rotate-passphrase" },
	{ "passphrase-age", "", age_max, { E, W, K }, "days old" },
	{ "passphrase-age", "service.passphrase_rotation_warn_days = 10\n"
	    "service.passphrase_rotation_error_days = 20", age_10,
	    { W, W, K }, "10 days" },
	{ "passphrase-age", "service.passphrase_rotation_warn_days = 10\n"
	    "service.passphrase_rotation_error_days = 20", age_20,
	    { E, E, K }, "20 days" },
	{ "passphrase-age", "service.passphrase_rotation_enabled = false",
	    age_max, { K, K, K }, "" },
	{ "passphrase-age", "", age_unknown, { U, U, K }, "cannot be read" },
	{ "passphrase-rotation", "service.passphrase_rotation_enabled = false",
	    NULL, { W, W, K }, "passphrase_rotation_enabled" },

	/* secrets, config, audit log 0600, directories 0700, owners */
	{ "config-file-mode", "", conf_0640, { E, W, K },
	    "igra.toml|0640|chmod 0600" },
	{ "config-file-mode", "", conf_0604, { E, W, K }, "0604" },
	{ "config-file-mode", "", conf_0400, { K, K, K }, "" },
	{ "config-file-mode", "", credential_0440, { K, K, K }, "" },
	{ "config-file-mode", "", credential_0444, { E, W, K }, "0444" },
	{ "config-file-mode", "", conf_given, { E, W, K }, "uid 64009|chown" },
	{ "secrets-file-mode", "", secrets_0660, { E, W, K },
	    "secrets.bin|0660|chmod 0600" },
	{ "secrets-file-mode", "", secrets_4600, { E, W, K }, "4600" },
	{ "secrets-file-mode", "", secrets_0400, { K, K, K }, "" },
	{ "secrets-file-mode", "", no_secrets, { E, W, K }, "No such file" },
	{ "secrets-file-mode", "", link_secrets, { E, W, K },
	    "not a regular file" },
	{ "secrets-file-mode", "", secrets_given, { E, W, K }, "uid 64009" },
	{ "audit-log-mode", "", log_0644, { E, W, K },
	    "key-audit.log|0644|chmod 0600" },
	{ "audit-log-mode", "", log_link, { E, W, K }, "not a regular file" },
	{ "audit-log-mode", "", log_given, { E, W, K }, "uid 64009" },
	{ "audit-log-mode", "", log_gone, { K, K, K }, "" },
	{ "directories", "", data_0750, { E, W, K }, "data|0750|chmod 0700" },
	{ "directories", "", log_dir_0755, { E, W, K }, "/log|0755" },
	{ "directories", "", keyd_0702, { E, W, K }, "keyd|0702" },
	{ "directories", "", keyd_file, { E, W, K }, "not a directory" },
	{ "directories", "", data_0500, { K, K, K }, "" },
	{ "directories", "", keyd_gone, { K, K, K }, "" },
	{ "directories", "", log_dir_gone, { K, K, K }, "" },
	{ "directories", "service.data_dir = \"@T/none\"\n"
	    "service.secrets_file = \"@T/data/secrets.bin\"", NULL,
	    { E, W, K }, "/none|No such file" },
	{ "directories", "service.secrets_file = \"@T/none/secrets.bin\"",
	    NULL, { E, W, K }, "/none|No such file" },
	{ "directories", "", data_given, { E, W, K }, "uid 64009" },
	{ "directories", "", log_dir_given, { E, W, K }, "uid 64009" },

	/* address, key or path of another network; coin type */
	{ "address-network", "service.pskt.source_addresses = [\"@A\", \"@B\"]",
	    NULL, { E, E, W }, "source_addresses[1] is an address of" },
	{ "address-network", "service.pskt.change_address = \"@B\"", NULL,
	    { E, E, W }, "change_address" },
	{ "address-network", "policy.allowed_destinations = [\"@B\"]", NULL,
	    { E, E, W }, "allowed_destinations[0]" },
	{ "xpub-network", "service.hd.xpubs = [\"@X\", \"@Y\", \"@X\"]\n"
	    "service.hd.required_sigs = 2", NULL,
	    { E, E, W }, "xpubs[1] begins with" },
	{ "xpub-network", "service.hd.xpubs = [\"@X\", \"@X\", \"@X\"]\n"
	    "service.hd.required_sigs = 2", NULL, { K, K, K }, "" },
	{ "xpub-network", "service.hd.xpubs = [\"@X\", \"@X\", \"@X\"]", NULL,
	    { E, E, W }, "required_sigs is missing" },
	{ "xpub-network", "service.hd.xpubs = [\"@X\", \"@X\", \"@X\"]\n"
	    "service.hd.required_sigs = 4", NULL, { E, E, E },
	    "required_sigs is 4|has 3 keys" },
	{ "xpub-network", "service.hd.xpubs = [\"@X\", \"@X\"]\n"
	    "service.hd.required_sigs = 2", NULL, { E, E, E },
	    "has 2 keys|threshold_n is 3" },
	{ "xpub-network", "service.hd.xpubs = [\"@X\", \"@X\", \"@X\"]\n"
	    "service.hd.required_sigs = 3", NULL, { E, E, E },
	    "required_sigs is 3|threshold_m is 2" },
	{ "coin-type", "service.hd.derivation_path = \"m/45'/111110'/0'\"",
	    NULL, { E, E, W }, "111110|Igra|111111|igra-key-rotation" },
	{ "coin-type", "service.hd.derivation_path = \"m/44'/0'/0'\"", NULL,
	    { E, E, W }, "coin type 0'|111111'" },
	{ "coin-type", "service.hd.derivation_path = \"m/44'/111111/0'\"",
	    NULL, { E, E, W }, "111111'" },
	{ "coin-type", "service.hd.derivation_path = \"m/44'/1111111'\"",
	    NULL, { E, E, W }, "1111111'" },
	{ "coin-type", "service.hd.derivation_path = \"m/44'\"", NULL,
	    { E, E, W }, "no coin type" },
	{ "coin-type", "service.hd.derivation_path = \"m/44'/111111'\"", NULL,
	    { K, K, K }, "" },
	{ "coin-type", "service.hd.derivation_path = \"m\"", NULL,
	    { K, K, K }, "" },
	{ "coin-type", "-service.hd.derivation_path", NULL, { K, K, K }, "" },
	{ "redeem-addresses", "service.pskt.source_addresses = [\"@C\"]", NULL,
	    { E, E, W }, "source_addresses is not" },
	{ "redeem-addresses", "service.pskt.change_address = \"@C\"", NULL,
	    { E, E, W }, "change_address is not" },
	{ "redeem-addresses", "-service.pskt.redeem_script_hex", NULL,
	    { E, K, K }, "nothing would be signed" },
	{ "data-dir-name", "service.data_dir = \"/srv/latest/contest\"", NULL,
	    { K, K, K }, "" },
	{ "redeem-addresses", "service.pskt.redeem_script_hex = \"5151ae\"",
	    NULL, { E, E, E }, "no m-of-n Schnorr" },
	{ "redeem-addresses", "service.pskt.redeem_script_hex = \"@E\"", NULL,
	    { E, E, E }, "no m-of-n Schnorr" },
	{ "redeem-addresses", "service.pskt.redeem_script_hex = \"@R51\"",
	    NULL, { E, E, E }, "no m-of-n Schnorr" },
	{ "redeem-addresses", "service.pskt.redeem_script_hex = "
	    "\"5220@120@120@253ae\"\n-service.pskt.source_addresses\n"
	    "-service.pskt.change_address", NULL, { E, E, W },
	    "a key twice" },

	/* profile index, position of the key in the redeem script */
	{ "profile-position", "", pub_2, { E, E, E },
	    "position 2|rename-profile signer-01 signer-02" },
	{ "profile-position", "service.active_profile = \"signer-02\"", pub_2,
	    { K, K, K }, "" },
	{ "profile-position", "service.active_profile = \"signer-04\"", NULL,
	    { E, E, E }, "key of signer-04 stands at position 1" },
	{ "profile-position", "", pub_4, { E, E, E },
	    "not in redeem_script_hex" },
	{ "profile-position", "", facts_unknown, { U, U, U }, "--offline" },

	/* with xpubs, ours is one of them */
#define XPUBS	"service.hd.xpubs = [\"@X\", \"@X\", \"@X\"]\n" \
		"service.hd.required_sigs = 2"
	{ "own-xpub", XPUBS, xpub_listed, { K, K, K }, "" },
	{ "own-xpub", XPUBS, xpub_missing, { E, E, E },
	    "not in service.hd.xpubs|signer-01|secrets-admin xpub" },
	{ "own-xpub", XPUBS, no_phrase, { E, E, E },
	    "does not come from a phrase" },
	{ "own-xpub", XPUBS, facts_unknown, { U, U, U }, "--offline" },
	{ "own-xpub", "", xpub_missing, { K, K, K }, "" },

	/* what igra-keyd stops for */
	{ "own-scripts", "", own_error, { E, E, E },
	    "has a key twice|does not start" },
	{ "own-scripts", XPUBS, NULL, { K, K, K }, "" },

	/* [group] present, m >= 2, agrees with the redeem script */
	{ "group", "-group.", NULL, { E, W, K }, "[group] is missing" },
	{ "group", "group.threshold_m = 1", NULL, { E, W, K },
	    "threshold_m is 1" },
	{ "group-redeem-script", "group.threshold_m = 3", NULL, { E, E, E },
	    "3 of 3|2 of 3" },
	{ "group-redeem-script", "group.threshold_n = 4", NULL, { E, E, E },
	    "2 of 4" },
	{ "group-redeem-script", "group.member_pubkeys = [\"@1\", \"@2\"]",
	    NULL, { E, E, E }, "has 2 keys" },
	{ "group-redeem-script",
	    "group.member_pubkeys = [\"@1\", \"@2\", \"@4\"]", NULL,
	    { E, E, E }, "member_pubkeys[2] is not in" },
	{ "group-redeem-script",
	    "group.member_pubkeys = [\"@1\", \"@2\", \"0x03@2\"]", NULL,
	    { E, E, E }, "member_pubkeys[2] is there twice" },
	{ "group-redeem-script",
	    "group.member_pubkeys = [\"@3\", \"@2\", \"@1\"]", NULL,
	    { K, K, K }, "" },
	{ "group-redeem-script", "-group.", NULL, { K, K, K }, "" },

	/* policy */
	{ "policy-limits", "-policy.max_fee_sompi", NULL, { E, W, K },
	    "max_fee_sompi is missing" },
	{ "policy-limits", "policy.allowed_destinations = []", NULL,
	    { E, W, K }, "needs allowed_destinations" },
	{ "policy-limits", "-policy.allowed_destinations\n"
	    "policy.max_amount_sompi = 5", NULL, { E, W, K },
	    "both max_amount_sompi and max_daily_volume_sompi" },
	{ "policy-limits", "-policy.allowed_destinations\n"
	    "policy.max_daily_volume_sompi = 5", NULL, { E, W, K }, "both" },
	{ "policy-limits", "-policy.allowed_destinations\n"
	    "policy.max_daily_volume_sompi = 5\npolicy.max_amount_sompi = 5",
	    NULL, { K, K, K }, "" },

	/* DESIGN 2: switched off anywhere but on mainnet */
	{ "verify-after-sign", "security.verify_after_sign = false", NULL,
	    { E, K, K }, "verify_after_sign" },

	/* node_rpc_url not local */
	{ "rpc-endpoint", "-service.node_rpc_url", NULL, { K, K, K }, "" },
	{ "rpc-endpoint", "service.node_rpc_url = \"grpc://[::1]:16110\"", NULL,
	    { K, K, K }, "" },
	{ "rpc-endpoint", "service.node_rpc_url = \"ws://LocalHost:1/x@y\"",
	    NULL, { K, K, K }, "" },
	{ "rpc-endpoint", "service.node_rpc_url = \"ws://127.9.8.7\"", NULL,
	    { K, K, K }, "" },
	{ "rpc-endpoint", "service.node_rpc_url = \"ws://0.0.0.0\"", NULL,
	    { E, W, K }, "0.0.0.0" },
	{ "rpc-endpoint", "service.node_rpc_url = \"ws://[::ffff:10.0.0.1]\"",
	    NULL, { E, W, K }, "::ffff:10.0.0.1" },
	{ "rpc-endpoint", "service.node_rpc_url = \"ws://localhost.example\"",
	    NULL, { E, W, K }, "localhost.example" },
	{ "rpc-endpoint", "service.node_rpc_url = \"ws://127.0.0.1.example\"",
	    NULL, { E, W, K }, "127.0.0.1.example" },
	{ "rpc-endpoint", "service.node_rpc_url = "
	    "\"wss://localhost:" SECRET "@node.example:1\"", NULL,
	    { E, W, K }, "node.example:|allow_remote_rpc" },
	{ "rpc-endpoint", "service.node_rpc_url = "
	    "\"ws://node.example#@localhost\"", NULL, { E, W, K },
	    "node.example:" },
	{ "rpc-endpoint", "service.node_rpc_url = "
	    "'ws://node.example\\@localhost'", NULL, { E, W, K },
	    "node.example:" },
	{ "rpc-endpoint", "service.node_rpc_url = \"ws://:16110\"", NULL,
	    { E, W, K }, "no URL" },
	{ "rpc-endpoint", "service.node_rpc_url = \"ws://" SECRET "@:1\"",
	    NULL, { E, W, K }, "no URL" },
	{ "rpc-endpoint", "service.allow_remote_rpc = true\n"
	    "service.node_rpc_url = \"ws://u:" SECRET "@node.example\"", NULL,
	    { E, W, K }, "without TLS" },
	{ "rpc-endpoint", "service.allow_remote_rpc = true\n"
	    "service.node_rpc_url = \"grpcs://node.example\"", NULL,
	    { E, W, K }, "without credentials" },
	{ "rpc-endpoint", "service.allow_remote_rpc = true\n"
	    "service.node_rpc_url = \"https://:@node.example\"", NULL,
	    { E, W, K }, "without credentials" },
	{ "rpc-endpoint", "service.allow_remote_rpc = true\n"
	    "service.node_rpc_url = \"wss://u:" SECRET "@node.example\"", NULL,
	    { K, K, K }, "" },

	/* data_dir named devnet or test */
	{ "data-dir-name", "service.data_dir = \"/srv/igra-devnet/x\"", NULL,
	    { E, W, K }, "/srv/igra-devnet/x" },
	{ "data-dir-name", "service.data_dir = \"/srv/Test/x\"", NULL,
	    { E, W, K }, "/srv/Test/x" },
	{ "data-dir-name", "service.data_dir = \"/var/lib/igra\"", NULL,
	    { K, K, K }, "" },

	/* the host and the daemon */
	{ "audit-log", "", log_gone, { K, K, K }, "" },
	{ "audit-log", "", log_dir_gone, { K, K, K }, "" },
	{ "audit-log", "service.key_audit_log_path = \"@T/a/b/audit.log\"",
	    NULL, { E, W, K }, "/a/b/audit.log|could not make it" },
	{ "audit-log", "service.key_audit_log_path = \"@T/data\"", NULL,
	    { E, W, K }, "not a regular file" },
	{ "audit-log", "", log_link, { E, W, K }, "not a regular file" },
	{ "audit-log", "service.key_audit_log_path = "
	    "\"@T/igra.toml/audit.log\"", NULL, { E, W, K },
	    "could not make it" },
	{ "debug-logging", "", debug, { E, W, K }, "debug logging" },
	{ "running-as-root", "", root_user, { E, W, K }, "run as root" },
	{ "running-as-root", "", no_users, { K, K, K }, "" },
	{ "roles-separated", "", one_role, { E, W, K }, "not separated" },
	{ "roles-separated", "", no_users, { E, W, K }, "no user _igra_keyd" },
	{ "roles-separated", "", no_users_elsewhere, { U, U, K },
	    "no user _igra_keyd" },
	{ "core-dumps", "", cores, { E, W, K }, "core dumps" },
	{ "memory-lock", "", unlocked, { E, W, K }, "LimitMEMLOCK" },
	{ "memory-lock", "", no_arena, { K, K, K }, "" },
	{ "sandbox", "", no_sandbox, { E, W, K }, "sandbox is missing" },
	{ "open-files-limit", "", files_4095, { E, W, K }, "4095|4096" },
	{ "open-files-limit", "", files_4096, { K, K, K }, "" },
	{ "open-files-limit", "", files_soft, { K, K, K }, "" },
#ifdef __linux__
	/* A file system that has no room at all. */
	{ "disk-space", "service.key_audit_log_path = \"/proc/self/audit.log\"",
	    NULL, { E, W, K }, "0 MiB" },
#endif
};
const size_t	 valid_nrows = LEN(valid_rows);

void
valid_spoil(struct valid *f)
{
	valid_edit(f, "-service.network\n"
	    "service.secrets_file = \"@T/data/secrets.bin\"\n"
	    "service.data_dir = \"/nowhere/devnet\"\n"
	    "service.key_audit_log_path = \"/proc/self\"\n"
	    "service.node_rpc_url = \"ws://node.example\"\n"
	    "service.hd.derivation_path = \"m/44'/0'\"\n"
	    "service.hd.xpubs = [\"@Y\"]\n"
	    "service.pskt.change_address = \"@C\"\n"
	    "service.pskt.source_addresses = [\"@B\"]\n"
	    "security.verify_after_sign = false\n"
	    "group.threshold_m = 1\n"
	    "-policy.");
	env_secret(f);
	env_pass(f);
	open_error(f);
	two_phrases(f);
	pay_none(f);
	pass_short(f);
	age_90(f);
	pub_2(f);
	xpub_missing(f);
	own_error(f);
	conf_0640(f);
	secrets_0660(f);
	debug(f);
	root_user(f);
	one_role(f);
	cores(f);
	unlocked(f);
	no_sandbox(f);
	files_4095(f);
}
