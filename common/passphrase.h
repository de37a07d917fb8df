/*
 * The rule for passphrases that people choose: the secrets file's and
 * igra.hd.wallet_secret (DESIGN 9).  One function, used wherever one is set
 * and, on mainnet, wherever one is used.
 *
 *   mainnet   at least 16 characters and zxcvbn 4 of 4, or it is refused
 *   testnet   at least 12 characters; below 3 of 4 a warning
 *   others    not empty
 *
 * On every network: UTF-8, without white space at either end (Igra trims) and
 * without control characters.  Length counts characters, not bytes.
 */
#ifndef IGRA_PASSPHRASE_H
#define IGRA_PASSPHRASE_H

#include <stdbool.h>
#include <stddef.h>

#include "kaspa.h"

#define PASSPHRASE_MAX		1024	/* bytes */
#define PASSPHRASE_MSG		512	/* room for any message */

enum passphrase_verdict {
	PASSPHRASE_OK,
	PASSPHRASE_WEAK,		/* allowed, msg is a warning */
	PASSPHRASE_REFUSED
};

struct passphrase_score {
	int		 score;		/* 0 to 4 */
	double		 guesses_log10;
	const char	*reason;	/* in words */
	bool		 common;	/* a password that everybody takes */
};

/* "Mainnet mode: …", to state before a prompt. */
const char	*passphrase_rule(enum kaspa_network);

/*
 * Estimates guesses (strength.h).  context is a NULL-terminated list of up to
 * 14 words that an attacker tries first (profile, file), or NULL; igra, kaspa
 * and the host's name are known.  -1: could not be scored.
 */
int		 passphrase_score(const char *pass, size_t len,
		    const char *const *context, struct passphrase_score *);

/*
 * Applies the network's rule.  msg (PASSPHRASE_MSG bytes) says what is wrong
 * (length and score together, and why) and what to do, and never holds the
 * passphrase; it is empty for PASSPHRASE_OK.
 */
enum passphrase_verdict
		 passphrase_check(enum kaspa_network, const char *pass,
		    size_t len, const char *const *context, char *msg,
		    size_t msglen);

#endif
