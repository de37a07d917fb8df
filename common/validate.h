/*
 * The rules that decide whether a signer may run with real money (DESIGN 9,
 * igra-network-modes(7)).  One table: igra-service validate-config shows it
 * whole, and daemons and tools run the part of it that is theirs.
 *
 * Rules read only what struct validate holds and what the system says of the
 * files that the config names.  They never print and never see a secret:
 * only facts about secrets.
 */
#ifndef IGRA_VALIDATE_H
#define IGRA_VALIDATE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "passphrase.h"

enum validate_category {
	CAT_SECRETS,
	CAT_RPC_ENDPOINT,
	CAT_CONFIGURATION,
	CAT_LOGGING,
	CAT_FILE_PERMISSIONS,
	CAT_STARTUP,
	CAT_NETWORK
};
/* "Secrets", "RpcEndpoint", … as --json prints them. */
const char	*validate_category_name(enum validate_category);

enum validate_severity {
	SEV_OK,			/* checked, all well */
	SEV_UNCHECKED,		/* could not be checked; the message says why */
	SEV_DEBUG,
	SEV_WARNING,
	SEV_ERROR
};
const char	*validate_severity_name(enum validate_severity);

/* Who asks; a rule runs for some of them. */
#define VALIDATE_PROGRAM	0x01	/* any program, at its start */
#define VALIDATE_DAEMON		0x02	/* a daemon, at its start */
#define VALIDATE_UNLOCK		0x04	/* igractl, before it unlocks */
#define VALIDATE_SECRETS	0x08	/* whoever has just opened the file */
#define VALIDATE_CONFIG		0x10	/* igra-service validate-config */
#define VALIDATE_AGE		0x20	/* keyd, once a day */
#define VALIDATE_CONFINED	0x40	/* a daemon that has confined itself */

#define VALIDATE_MIN_FILES	4096	/* RLIMIT_NOFILE */

/* What is known about secrets, never they themselves. */
struct secret_facts {
	bool		 known;		/* the file was opened, or keyd said so */
	bool		 phrase;	/* the active key comes from a phrase */
	bool		 two_phrases;	/* one in the config, one in the file */
	bool		 payment_there;	/* a payment secret, maybe empty */
	bool		 payment_utf8;
	uint32_t	 payment_chars;
	bool		 has_pub;
	uint8_t		 pub[33];	/* of the active key, compressed */
	/* Of a phrase: BLAKE2b-256 of the key and chain code at the path, … */
	bool		 has_account;
	uint8_t		 account[32];
	bool		 xpub_listed;	/* … is one of service.hd.xpubs … */
	uint8_t		 fingerprint[4]; /* … and its master key's */
	/* Passphrase and wallet_secret: what passphrase_check() said. */
	bool		 pass_known;
	enum passphrase_verdict pass;
	char		 pass_msg[PASSPHRASE_MSG];
	bool		 wallet_known;	/* there is one and it was scored */
	enum passphrase_verdict wallet;
	char		 wallet_msg[PASSPHRASE_MSG];
};

struct validate {
	const struct conf	*conf;		/* NULL: this program has none */
	enum kaspa_network	 network;
	unsigned		 when;		/* VALIDATE_* */
	uid_t			 owner;		/* of config and secrets */
	uid_t			 uid[3];	/* keyd, signd, auditd */
	bool			 users_known;
	const char		*users_error;	/* why they are not, or NULL */
	bool			 elsewhere;	/* not on the signer's own host */
	bool			 separated;
	/* A daemon in its sandbox: only what the config's text says. */
	bool			 inside;
	/* A daemon that has another's directories hidden from it. */
	bool			 hidden;
	bool			 credential;	/* conf is the service manager's copy */
	/* The daemon itself, for VALIDATE_DAEMON and VALIDATE_CONFINED. */
	bool			 debug;
	bool			 core_dumps;
	bool			 has_arena;	/* it is one that holds secrets */
	bool			 memory_locked;
	bool			 sandboxed;
	const char		*unconfined;	/* what is missing of it, or NULL */
	/* Of the secrets file's header: needs no passphrase. */
	bool			 age_known;
	uint64_t		 age_days;
	struct secret_facts	 secrets;
	const char		*own_error;	/* why igra-keyd refuses conf, or NULL */
	const char		*unchecked;	/* why secrets are not known */
	const char		*open_error;	/* the file was tried and not opened */
};

struct finding {
	enum validate_category	 category;
	const char		*rule;		/* its name in the table */
	enum validate_severity	 severity;
	char			*message;	/* one line */
};

struct findings {
	size_t		 n;
	struct finding	*v;
	bool		 failed;	/* out of memory: treat as an error */
};

/*
 * Runs every rule for v->when, never stopping at the first that fails.  Adds
 * to f (zero it first); free with findings_free().
 */
void	validate_run(const struct validate *, struct findings *);
void	findings_free(struct findings *);
/* The worst severity in it; SEV_ERROR also when memory ran out. */
enum validate_severity	findings_worst(const struct findings *);
/* The first finding of a severity, or NULL. */
const struct finding	*findings_first(const struct findings *,
			    enum validate_severity);

/* For tests and the manual: the rules there are. */
struct validate_rule_info {
	const char		*name;
	enum validate_category	 category;
	unsigned		 when;
	enum validate_severity	 severity[3];	/* mainnet, testnet, devnet */
};
size_t	validate_rules(const struct validate_rule_info **);

/*
 * Runs the rules and logs what they found (debug, warnings, errors with
 * their category).  The number of errors.
 */
size_t	validate_log(const struct validate *);
/*
 * What every program does with its environment once it knows the network:
 * the rules of VALIDATE_PROGRAM, logged.  -1: stop.  keep: leave the values
 * where they are when the network allows them, for a program that uses them;
 * it calls env_wipe_secrets() when it has.
 */
int	validate_environment(enum kaspa_network, bool keep);

/*
 * Variables of the environment that hold or name secrets of Igra's.  Each
 * one's value is overwritten where it stands and the variable is unset.
 * What the rules say about them must have been asked before.
 */
void	env_wipe_secrets(void);

#endif
