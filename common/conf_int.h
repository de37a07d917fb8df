/*
 * Between the files of the config: the table of its keys, and how a key is
 * checked, stored, printed and freed.
 */
#ifndef IGRA_CONF_INT_H
#define IGRA_CONF_INT_H

#include <stdio.h>

#include "conf.h"
#include "toml.h"

#define CONF_NAME_MAX	160		/* a key with its tables */

/* Largest amount in sompi: KASPA.md, "Outputs 1 ... 2.9e18". */
#define CONF_MAX_SOMPI	2900000000000000000ULL

enum conf_type {
	CONF_BOOL,			/* bool */
	CONF_UINT,			/* uint64_t */
	CONF_OPT_UINT,			/* struct conf_u64 */
	CONF_TEXT,			/* char * */
	CONF_TEXTS,			/* struct conf_strings */
	CONF_USER,			/* char *: string or integer */
	CONF_USERS,			/* struct conf_strings of those */
	CONF_CUSTOM,			/* set and print say */
	CONF_SKIP			/* Igra's: without meaning here */
};

/* A reload may not change it. */
#define CONF_FROZEN		0x01
/* "" and 0 mean that it is not set, as in Igra's templates. */
#define CONF_EMPTY_UNSETS	0x02
/* Printed only when there is a [group]. */
#define CONF_OF_GROUP		0x04

struct conf_key;

struct conf_ctx {
	struct conf	*conf;
	const char	*path;
	const char	*shown;		/* full name of the key, for messages */
	char		*err;
	size_t		 errlen;
};

struct conf_key {
	const char	*name;		/* "service.hd.key_type" */
	enum conf_type	 type;
	unsigned	 flags;
	size_t		 off;		/* in struct conf */
	uint64_t	 min, max;	/* CONF_TEXTS, CONF_USERS: max elements */
	/* What is wrong with a text, or NULL; may rewrite it, never longer. */
	const char	*(*check)(char *);
	int		 (*set)(struct conf_ctx *, const struct toml_value *);
	void		 (*print)(const struct conf *, FILE *);
};

/* conf_keys.c */
extern const struct conf_key conf_keys[];
extern const size_t conf_nkeys;
const struct conf_key *conf_key_find(const char *name);
/* Whether keys of such a table exist. */
bool	 conf_table_known(const char *name);
void	 conf_defaults(struct conf *);

/* conf_set.c; -1 with the error set. */
int	 conf_error(struct conf_ctx *, unsigned line, const char *, ...)
	    __attribute__((format(printf, 3, 4)));
int	 conf_key_error(struct conf_ctx *, unsigned line, const char *, ...)
	    __attribute__((format(printf, 3, 4)));
int	 conf_set(struct conf_ctx *, const struct conf_key *,
	    const struct toml_value *);
/* The C string of a TOML string, or NULL with the error set. */
char	*conf_string(struct conf_ctx *, const struct toml_value *);
int	 conf_strings_add(struct conf_strings *, const char *);
void	 conf_strings_free(struct conf_strings *);
void	 conf_key_free(struct conf *, const struct conf_key *);

/* conf_custom.c */
int	 conf_set_network(struct conf_ctx *, const struct toml_value *);
int	 conf_set_key_type(struct conf_ctx *, const struct toml_value *);
int	 conf_set_parity(struct conf_ctx *, const struct toml_value *);
int	 conf_set_fee_mode(struct conf_ctx *, const struct toml_value *);
int	 conf_set_fee_percent(struct conf_ctx *, const struct toml_value *);
int	 conf_set_sighash_types(struct conf_ctx *, const struct toml_value *);
int	 conf_set_mnemonics(struct conf_ctx *, const struct toml_value *);
int	 conf_set_token(struct conf_ctx *, const struct toml_value *);
void	 conf_print_network(const struct conf *, FILE *);
void	 conf_print_key_type(const struct conf *, FILE *);
void	 conf_print_parity(const struct conf *, FILE *);
void	 conf_print_fee_mode(const struct conf *, FILE *);
void	 conf_print_fee_percent(const struct conf *, FILE *);
void	 conf_print_sighash_types(const struct conf *, FILE *);
void	 conf_print_mnemonics(const struct conf *, FILE *);
void	 conf_print_token(const struct conf *, FILE *);

/* conf_check.c: what is wrong with a text, or NULL. */
const char	*conf_check_path(char *);
const char	*conf_check_socket(char *);
const char	*conf_check_profile(char *);
const char	*conf_check_user(char *);
const char	*conf_check_url(char *);
const char	*conf_check_derivation(char *);
const char	*conf_check_script(char *);
const char	*conf_check_hex32(char *);
const char	*conf_check_member(char *);
const char	*conf_check_address(char *);
const char	*conf_check_destination(char *);
const char	*conf_check_xpub(char *);
const char	*conf_check_sealed(char *);

/* conf_print.c */
void	 conf_print_text(const char *, FILE *);
void	 conf_print_texts(const struct conf_strings *, FILE *);
void	 conf_print_real(double, FILE *);
/* The value alone; nothing when there is none. */
void	 conf_print_value(const struct conf *, const struct conf_key *, FILE *);
/* The document of -nv, or NULL out of memory. */
char	*conf_print(const struct conf *);

#endif
