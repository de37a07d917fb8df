/*
 * devnet-keygen: the texts it prints.  All are built in one buffer of
 * sodium_malloc() that never moves, written unbuffered, and wiped.
 */
#ifndef IGRA_KG_OUT_H
#define IGRA_KG_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include "kg_group.h"
#include "kg_keys.h"

#define KG_TEXT_MAX	(256 * 1024)	/* all there can be is a fifth of it */

struct kg_text {
	char	*p;			/* NUL-terminated */
	size_t	 len;
	bool	 failed;		/* no room, or a value that has no text */
};

int	 kg_text_init(struct kg_text *);
void	 kg_text_free(struct kg_text *);
/* To a descriptor, whole.  0, or -1 with errno (EOVERFLOW: text failed). */
int	 kg_text_write(const struct kg_text *, int fd);

/*
 * Each appends to the text.  The JSON forms are one line.
 *
 * kg_json_set: everything there is, secrets included.
 * kg_json_one: {"signer": {...}} of the only key, its phrase or key included.
 * kg_json_public: the group's public part; nothing is secret.
 * kg_env: export lines for a shell's eval, secrets included.
 * kg_toml: [service.pskt] and [group] of igra.toml(5).
 */
void	 kg_json_set(struct kg_text *, const struct kg_set *,
	    const struct kg_group *);
void	 kg_json_one(struct kg_text *, const struct kg_set *,
	    enum kaspa_network);
void	 kg_json_public(struct kg_text *, const struct kg_group *);
void	 kg_env(struct kg_text *, const struct kg_set *, const char *payment,
	    size_t paylen);
void	 kg_toml(struct kg_text *, const struct kg_group *);

/* A word as a shell takes it, in quotes where it needs them. */
void	 kg_text_quote(struct kg_text *, const char *);
void	 kg_text_add(struct kg_text *, const char *);

#endif
