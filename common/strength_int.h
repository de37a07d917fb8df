/* strength: what its files share.  All of it runs in the child. */
#ifndef IGRA_STRENGTH_INT_H
#define IGRA_STRENGTH_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "strength.h"

#define STRENGTH_WORD_MAX	24	/* longest word looked up */
#define STRENGTH_NAMES		32	/* context words */
#define STRENGTH_NAME_MAX	32	/* their characters */
/* A fixed year: no passphrase gets weaker or stronger by the clock. */
#define STRENGTH_YEAR_NOW	2026

/* A part that is guessed as one. */
struct part {
	size_t			 at;
	size_t			 len;
	double			 guesses;
	enum strength_kind	 kind;
};

struct word {
	double			 guesses;	/* 0: no word; case counted */
	enum strength_kind	 kind;
};

struct name {
	uint32_t		 c[STRENGTH_NAME_MAX];
	size_t			 len;
};

struct text {
	size_t		 n;
	uint32_t	 typed[STRENGTH_CHARS];
	uint32_t	 lower[STRENGTH_CHARS];
	struct word	 words[STRENGTH_CHARS][STRENGTH_WORD_MAX + 1];
	struct name	 names[STRENGTH_NAMES];
	size_t		 nnames;
	/* Guesses of a slice taken alone, by start and length; 0: not yet. */
	double		 alone[STRENGTH_CHARS][STRENGTH_CHARS + 1];
};

/* The parts of one slice. */
struct parts {
	struct part	*p;
	size_t		 n;
	size_t		 cap;
	bool		 failed;	/* out of memory */
};

void	 parts_add(struct parts *, size_t at, size_t len, double guesses,
	    enum strength_kind);

/* strength_word.c: fills words (and names, from context). */
void	 strength_names(struct text *, const char *const *context);
void	 strength_words(struct text *);

/* Each adds what it finds in the slice [at, at + len). */
void	 strength_walks(const struct text *, size_t at, size_t len,
	    struct parts *);
void	 strength_sequences(const struct text *, size_t at, size_t len,
	    struct parts *);
void	 strength_dates(const struct text *, size_t at, size_t len,
	    struct parts *);

/*
 * Least guesses for the slice as a passphrase of its own; -1: no memory.
 * With chosen (room for len), *n parts of the cheapest way to cut it.
 */
double	 strength_slice(struct text *, size_t at, size_t len,
	    struct part *chosen, size_t *n);

/* Ways to choose 1 to min(a, b) of a + b: which of them are changed. */
double	 strength_ways(size_t a, size_t b);
double	 strength_choose(size_t n, size_t k);
/* The same work in this process, for tests; not wiped, see strength.h. */
int	 strength_here(const char *pass, size_t len,
	    const char *const *context, struct strength *);

#endif
