/*
 * devnet-keygen: its command line.
 */
#ifndef IGRA_KG_OPTS_H
#define IGRA_KG_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kaspa.h"
#include "kg_group.h"
#include "kg_keys.h"
#include "readpass.h"

#define KG_ENV_PASSPHRASE	"IGRA_SECRETS_PASSPHRASE"

enum kg_format {
	KG_FORMAT_JSON,
	KG_FORMAT_ENV,
	KG_FORMAT_FILE,
	KG_FORMAT_FILE_PER_SIGNER,
	KG_FORMAT_BOTH,			/* json and file */
	KG_FORMAT_TOML			/* with --member-pubkey only */
};

enum kg_mode {
	KG_GENERATE,			/* n keys and what they make */
	KG_OWN,				/* mainnet: one key, whatever n is */
	KG_MEMBERS			/* none: public keys are given */
};

struct kg_opts {
	enum kg_mode		 mode;
	enum kaspa_network	 network;
	enum kg_format		 format;
	bool			 format_set;
	enum kg_key_type	 key_type;
	unsigned		 n, m;
	uint8_t			 network_id;
	const char		*output;	/* file and both */
	const char		*output_dir;	/* file-per-signer */
	const char		*profile;	/* NULL: by position */
	bool			 overwrite;
	unsigned		 validators;
	bool			 two_digit;
	uint32_t		 argon_m, argon_t, argon_p;
	struct kg_member	 member[MULTISIG_MAX_KEYS];
	struct secret		 pass, payment;	/* from the command line */
	struct secret		 env;		/* KG_ENV_PASSPHRASE */
	const char		*pass_file;
	int			 pass_fd;	/* -1: not given */
	const char		*payment_file;
};

/*
 * Reads the command line, takes the secrets out of argv and applies the
 * rules.  -1: go on; else an exit code, and all has been said.  Free the
 * options in either case.
 */
int	 kg_opts_parse(struct kg_opts *, int argc, char **argv);
void	 kg_opts_free(struct kg_opts *);
/* Does the format write files? */
bool	 kg_opts_files(const struct kg_opts *);

#endif
