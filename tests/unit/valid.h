/* A signer that passes every rule, and ways to spoil it: for test_validate. */
#ifndef IGRA_VALID_H
#define IGRA_VALID_H

#include "validate.h"

#define VALID_PATH	256
#define VALID_SECRET	"do-not-show-this"	/* in no message */

struct valid {
	char		 dir[VALID_PATH];	/* a temporary directory */
	char		 conf_path[VALID_PATH], data[VALID_PATH];
	char		 secrets[VALID_PATH], log_dir[VALID_PATH];
	char		 log[VALID_PATH], keyd[VALID_PATH];
	char		*text;			/* of the config */
	struct conf	*conf;
	struct validate	 v;
	bool		 skip;			/* could not be spoiled so */
};

/*
 * One way to spoil it: the config's lines, then fn.  What each network is to
 * find (SEV_OK: nothing, or that all is well), and "|" between the words that
 * must be in the message.
 */
struct valid_row {
	const char		*rule, *edit;
	void			(*fn)(struct valid *);
	enum validate_severity	 want[3];	/* mainnet, testnet, devnet */
	const char		*words;
};
extern const struct valid_row	 valid_rows[];
extern const size_t		 valid_nrows;

/* Files, facts and a config for the network; all rules are content with it. */
void	 valid_init(struct valid *, enum kaspa_network);
void	 valid_free(struct valid *);

/*
 * Lines "table.key = value", one per key, that replace those of the config,
 * or are added; "-table.key" drops one, "-table." a whole table.  "@" and a
 * letter stand for what hangs on the network or the place:
 *	N O	name of the network, and of another
 *	A B C	address of the redeem script, of another network, of a stranger
 *	R E	the redeem script (2 of 3), a 2-of-2 of ECDSA keys
 *	1 2 3 4	x-only keys: of the script, 4 is not in it
 *	X Y	an extended public key, and one of another network
 *	T	the temporary directory
 * The config is parsed again.
 */
void	 valid_edit(struct valid *, const char *lines);

/*
 * All that can be wrong at once: every rule but network-mode, and two that
 * others need: encrypted-secrets and passphrase-rotation.
 */
void	 valid_spoil(struct valid *);

/* Every key of the redeem script, compressed. */
void	 valid_pub(int i, uint8_t pub[33]);

/* The worst finding of a rule, NULL without one; *n how many it made. */
const struct finding	*valid_finding(const struct findings *,
			    const char *rule, size_t *n);

#endif
