/* Between the files of validate: what a rule is and how it speaks. */
#ifndef IGRA_VALIDATE_INT_H
#define IGRA_VALIDATE_INT_H

#include "validate.h"

enum rule_result {
	RULE_NA,		/* nothing to check here: no line at all */
	RULE_OK,		/* out has the line to show, if any */
	RULE_UNKNOWN,		/* out has the reason */
	RULE_FOUND		/* found() was called at least once */
};

struct rule;
struct rule_out {
	struct findings		*f;
	const struct rule	*rule;
	enum validate_severity	 severity;	/* of this rule, this network */
	char			 line[512];	/* for RULE_OK and RULE_UNKNOWN */
};

struct rule {
	struct validate_rule_info	 info;
	enum rule_result		 (*fn)(const struct validate *,
					    struct rule_out *);
};

void	found(struct rule_out *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
/* With a severity of its own instead of the table's. */
void	found_as(struct rule_out *, enum validate_severity, const char *, ...)
	    __attribute__((format(printf, 3, 4)));
enum rule_result	rule_ok(struct rule_out *, const char *, ...)
			    __attribute__((format(printf, 2, 3)));
enum rule_result	rule_unknown(struct rule_out *, const char *, ...)
			    __attribute__((format(printf, 2, 3)));

#define RULE(fn)	enum rule_result fn(const struct validate *,	\
			    struct rule_out *)
/* validate_env.c, validate_secrets.c */
RULE(rule_env_secrets);
RULE(rule_env_passphrase);
RULE(rule_encrypted_secrets);
RULE(rule_secrets_open);
RULE(rule_two_phrases);
RULE(rule_payment_secret);
RULE(rule_passphrase);
RULE(rule_wallet_secret);
RULE(rule_passphrase_age);
RULE(rule_rotation_enabled);
/* validate_conf.c */
RULE(rule_network_mode);
RULE(rule_network_stated);
RULE(rule_addresses);
RULE(rule_xpubs);
RULE(rule_own_xpub);
RULE(rule_own_scripts);
RULE(rule_coin_type);
RULE(rule_redeem_addresses);
RULE(rule_group);
RULE(rule_group_redeem);
RULE(rule_profile_position);
RULE(rule_policy_limits);
RULE(rule_verify_after_sign);
RULE(rule_data_dir_name);
RULE(rule_rpc_endpoint);
/* validate_host.c */
RULE(rule_config_file);
RULE(rule_secrets_file);
RULE(rule_directories);
RULE(rule_audit_log);
RULE(rule_audit_log_mode);
RULE(rule_debug_logging);
RULE(rule_root);
RULE(rule_core_dumps);
RULE(rule_roles);
RULE(rule_memory_lock);
RULE(rule_sandbox);
RULE(rule_descriptors);
RULE(rule_disk);
#undef RULE

#endif
