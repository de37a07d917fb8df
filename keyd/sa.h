/*
 * secrets-admin: what its files share.  One invocation is one struct sa;
 * nothing here outlives it.
 */
#ifndef IGRA_SA_H
#define IGRA_SA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "isec.h"
#include "kaspa.h"
#include "readpass.h"
#include "secrets_file.h"

/* Exit codes. */
#define SA_OK		0
#define SA_FAIL		1
#define SA_USAGE	2

#define SA_ENV_PASSPHRASE	"IGRA_SECRETS_PASSPHRASE"
#define SA_MAX_OPTIONS		32
#define SA_CONFIG		"/etc/igra/igra.toml"

/* Where a secret comes from; at most one of the three is given. */
struct sa_source {
	struct secret	 arg;		/* from the command line */
	bool		 has_arg;
	const char	*file;
	int		 fd;		/* -1: not given */
};

enum sa_encoding { SA_TEXT, SA_HEX, SA_BASE64, SA_RAW };

struct sa_command;

struct sa {
	const struct sa_command	*cmd;
	enum kaspa_network	 net;
	const char		*network;	/* as given, or NULL */
	const char		*config;	/* as given, or NULL */
	struct conf		*conf;		/* NULL: none */
	const char		*path;		/* of the secrets file */
	bool			 path_given;
	bool			 file_form;	/* FILE was a positional */
	const char		*name;		/* of a secret */
	const char		*profile;
	const char		*old_profile;	/* rename-profile */
	const char		*derivation_path;	/* NULL: not given */
	const char		*key_type;
	enum sa_encoding	 in;		/* set */
	enum sa_encoding	 out;		/* get */
	bool			 unsafe_print;
	bool			 use_stdin;
	bool			 argon2;	/* m, t and p were given */
	uint32_t		 m, t, p;
	struct sa_source	 pass;
	struct sa_source	 oldpass;
	struct sa_source	 newpass;
	struct sa_source	 value;		/* of set; the phrase of import */
	struct secret		 env;		/* IGRA_SECRETS_PASSPHRASE */
	/* What was given, to be printed back without its secrets. */
	uint64_t		 seen;
	const char		*given[SA_MAX_OPTIONS];
};

struct sa_command {
	const char	*name;
	uint64_t	 options;	/* what goes with it, sa_args.c */
	int		 (*run)(struct sa *);
};

/*
 * Reads the command line into sa, takes the secrets out of argv, finds the
 * network.  SA_OK; or the exit code, after saying why (-h: 0 with *done set).
 */
int	 sa_parse(struct sa *, int argc, char **argv, bool *done);
void	 sa_usage(void);
/* On standard error: the command line to use instead, without its secrets. */
void	 sa_print_prompt_form(const struct sa *);

/* A blank and a word as a shell reads it, on standard error. */
void	 sa_print_word(const char *);

/* The commands; each returns the exit code. */
int	 sa_init(struct sa *);
int	 sa_list(struct sa *);
int	 sa_get(struct sa *);
int	 sa_set(struct sa *);
int	 sa_remove(struct sa *);
int	 sa_import(struct sa *);
int	 sa_encrypt(struct sa *);
int	 sa_verify(struct sa *);
int	 sa_pubkey(struct sa *);
int	 sa_xpub(struct sa *);
int	 sa_rename(struct sa *);
int	 sa_rotate(struct sa *);
int	 sa_info(struct sa *);
int	 sa_check(struct sa *);

/* Passphrase of a file that is there, from sources in this order. */
int	 sa_pass_open(struct sa *, struct sa_source *first,
	    struct sa_source *second, const char *prompt, struct secret *);
/* Warns of one that mainnet would not unlock. */
void	 sa_pass_advise(const struct sa *, const struct secret *);
/* One that is new: states the rule, asks twice, applies it. */
int	 sa_pass_new(struct sa *, struct sa_source *, const char *prompt,
	    struct secret *);
/* The rule of DESIGN 9 for a passphrase-like secret; what is its name. */
int	 sa_pass_rule(const struct sa *, const char *what,
	    const struct secret *);
/* A value or phrase: argument, file, descriptor, standard input or prompt. */
int	 sa_value(struct sa *, const char *prompt, struct secret *);
/* Is a passphrase given in a way that asks nobody? */
bool	 sa_pass_given(const struct sa *);

/* Header check, key, decryption, with the network's floor for Argon2. */
int	 sa_decrypt(const struct sa *, const struct secrets_file *,
	    const struct secret *pass, struct isec_header *,
	    struct isec_plain *);
/* Reads the file and its header; secrets_file_free() after SA_OK. */
int	 sa_read(const struct sa *, struct secrets_file *,
	    struct isec_header *);
/* What is wrong with the file, before anyone is asked for a passphrase. */
int	 sa_precheck(const struct sa *);
/* Reads and opens the file. */
int	 sa_load(struct sa *, struct isec_header *, struct isec_plain *);

struct sa_edit {
	bool		 create;	/* a missing file is made */
	/* Changes the plaintext; an exit code. */
	int		 (*change)(struct sa *, struct isec_plain *, void *);
	void		*arg;
	bool		 rotate;	/* seal under newpass, new date */
	struct secret	 newpass;
	uint64_t	 age_days;	/* out: before a rotation */
};
/* One locked read-modify-write cycle; pass opens (or creates) the file. */
int	 sa_edit(struct sa *, struct sa_edit *, const struct secret *pass);
/* Is there something at the file's path? */
bool	 sa_exists(const struct sa *);

/* Whole days since a passphrase was set; 0 if that is in the future. */
uint64_t sa_age_days(const struct isec_header *);
/* 0 or -1: standard output, unbuffered, for what must not stay in memory. */
int	 sa_write(const void *, size_t);
/* Bytes of a name as they may go to a terminal; out holds 4 * len + 1. */
void	 sa_escape(const char *, size_t len, char *out);

#endif
