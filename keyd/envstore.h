/*
 * Secrets from the environment, as Igra's development set-ups have them.
 * Only a build made for it (make ENV_SECRETS=1) has this, and no network but
 * devnet and testnet takes it.
 */
#ifndef IGRA_ENVSTORE_H
#define IGRA_ENVSTORE_H

#include "keyd.h"

#define ENVSTORE_PREFIX	"IGRA_SECRET__"
#define ENVSTORE_WALLET	"KASPA_IGRA_WALLET_SECRET"

/*
 * Name of the secret that a variable holds, into out (NAME_BUF bytes):
 * IGRA_SECRET__igra_signer__private_key_signer_01 is
 * igra.signer.private_key_signer-01.  -1: not such a name.
 */
int	envstore_name(const char *var, size_t len, char *out);
/*
 * A value: plain text, hex:DIGITS or b64:TEXT, into out (max bytes).  Length,
 * or -1 when malformed or too long.
 */
ssize_t	envstore_value(const char *value, uint8_t *out, size_t max);
/*
 * Unlocks keyd with what the environment holds; malformed variables are
 * named, warned about and skipped.  0, or -1 with the reason.
 */
int	envstore_unlock(struct keyd *, char *err, size_t errlen);

#endif
