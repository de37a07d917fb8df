/*
 * How many guesses a passphrase takes: the method of Wheeler, "zxcvbn:
 * Low-Budget Password Strength Estimation" (USENIX Security 2016).  Every way
 * to cut the passphrase into words, repeats, sequences, keyboard walks, dates
 * and characters tried one by one is priced, and the cheapest one counts.
 *
 * zxcvbn-c knows the words and their ranks.  What it joins them to is too
 * generous (repeated units, walks that turn, doubled words), so the parts are
 * found and added up here, on the scale that the paper's 0 to 4 belongs to.
 */
#ifndef IGRA_STRENGTH_H
#define IGRA_STRENGTH_H

#include <stdbool.h>
#include <stddef.h>

/* What comes after this many characters is not looked at: time is bounded. */
#define STRENGTH_CHARS	100

enum strength_kind {
	STRENGTH_CHARACTERS,	/* nothing known: tried one by one */
	STRENGTH_WORD,
	STRENGTH_LEET,		/* a word with p@55w0rd letters */
	STRENGTH_CONTEXT,	/* igra, kaspa, or a word of the caller's */
	STRENGTH_REPEAT,
	STRENGTH_SEQUENCE,
	STRENGTH_WALK,
	STRENGTH_DATE,
	STRENGTH_YEAR
};

struct strength {
	double			 guesses_log10;
	int			 score;		/* 0 to 4 */
	enum strength_kind	 kind;		/* of what weakens it most */
	bool			 common;	/* near the top of word lists */
	bool			 context;	/* has a context word in it */
};

/*
 * Estimates pass, len bytes of UTF-8.  context is a NULL-terminated list of
 * names that an attacker tries first (profile, file, host; a path counts by
 * its parts), or NULL.  0, or -1 (errno) when it could not be scored.
 *
 * zxcvbn-c leaves copies of what it scores on heap and stack, where nobody
 * can wipe them: the work is done in a process made for it and ends with it.
 * For tools, then; not for a daemon behind its sandbox.
 */
int	 strength_estimate(const char *pass, size_t len,
	    const char *const *context, struct strength *);

/* The reason in words, a part of a sentence; never NULL, never the secret. */
const char
	*strength_reason(const struct strength *);

#endif
