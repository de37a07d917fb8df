/*
 * devnet-keygen: where its passphrases come from, and the files it writes.
 * What goes wrong is said on standard error; 0 or -1.
 */
#ifndef IGRA_KG_FILES_H
#define IGRA_KG_FILES_H

#include "kg_keys.h"
#include "kg_opts.h"
#include "readpass.h"

/*
 * The passphrase of the files, from the option, file, descriptor, environment
 * (not on mainnet) or a prompt, under the network's rule.  Stays empty when no
 * file is written.
 */
int	 kg_passphrase(struct kg_opts *, struct secret *);
/*
 * The phrases' payment secret: as given; asked for on mainnet; else none, and
 * *out stays empty.
 */
int	 kg_payment(struct kg_opts *, struct secret *out);

/* Path of the n'th signer's file into out (PATH_MAX); makes no directory. */
int	 kg_path(const struct kg_opts *, const struct kg_signer *, char *out);
/* There must be nothing at the path, or --overwrite is given. */
int	 kg_check_free(const struct kg_opts *, const char *path);
/* The directory, and in it one for each signer: 0700, if they are missing. */
int	 kg_make_dirs(const struct kg_opts *, const struct kg_set *);

/*
 * Writes a file with the secrets of n signers from first, reads it back and
 * derives their public keys from what it holds.
 */
int	 kg_write(const struct kg_opts *, const char *path,
	    const struct kg_set *, unsigned first, unsigned n,
	    const struct secret *pass, const struct secret *payment);

#endif
