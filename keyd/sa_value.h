/* secrets-admin: what a secret's value must look like, and storing it. */
#ifndef IGRA_SA_VALUE_H
#define IGRA_SA_VALUE_H

#include "sa.h"

/*
 * Does the value fit its name (private keys, phrases, payment secrets, the
 * wallet secret)?  What mainnet refuses is a warning elsewhere, where tests
 * may need it.  A good phrase is stored trimmed.
 */
int	 sa_value_check(struct sa *, const char *name, struct secret *);

/* The passphrase to store under: opens the file, or is new with it. */
int	 sa_pass_store(struct sa *, struct secret *pass);
/* Puts one secret, tells auditd. */
int	 sa_store(struct sa *, const char *name, struct secret *value,
	    const struct secret *pass);

#endif
