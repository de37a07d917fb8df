/*
 * Names of secrets (DESIGN 4).  A profile is signer-01 to signer-99.
 */
#ifndef IGRA_NAMES_H
#define IGRA_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#define SECRET_WALLET		"igra.hd.wallet_secret"
#define SECRET_PAYMENT		"igra.hd.payment_secret"
#define SECRET_KEY_PREFIX	"igra.signer.private_key_"
#define SECRET_MNEMONIC_PREFIX	"igra.signer.mnemonic_"
#define SECRET_PAYMENT_PREFIX	"igra.signer.payment_secret_"
#define SECRET_IROH_PREFIX	"igra.iroh.signer_seed_"

#define NAME_BUF		257	/* ISEC_NAME_MAX and a NUL */

enum secret_kind {
	SECRET_KIND_PRIVATE_KEY,	/* 32 raw bytes */
	SECRET_KIND_MNEMONIC,
	SECRET_KIND_PAYMENT,
	SECRET_KIND_IROH
};
#define SECRET_KINDS	4

/* signer-01 … signer-99, nothing else. */
bool	 profile_valid(const char *profile);

/* Name of a profile's secret, into out (NAME_BUF bytes).  -1: no profile. */
int	 secret_name(enum secret_kind, const char *profile, char *out);

/*
 * Splits a name of a profile's secret: kind, profile (10 bytes with the NUL)
 * and version (1 without a .vN).  false if it is not one.
 */
bool	 secret_name_parse(const char *name, size_t len, enum secret_kind *,
	    char profile[10], unsigned *version);

/*
 * What may be a name of a new secret: 1 to 256 bytes of UTF-8 without blanks
 * and control characters.
 */
bool	 secret_name_valid(const char *name, size_t len);

#endif
