#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <zxcvbn.h>

#include "strength_int.h"
#include "utf8.h"

#define NAME_MIN	3	/* characters of a context word */
#define KEEP_1		8	/* of a choice of readings */
#define CHOICES		16
#define SPLIT_MIN	4
#define SPLIT_BITS	13.0
#define SPLIT_LEET	8	/* longest with look-alikes */

/* A reading of the text with look-alikes taken for letters. */
struct reading {
	uint32_t	 c[STRENGTH_CHARS];
};

static uint32_t	 undo(uint32_t, unsigned);
static unsigned	 ambiguous(uint32_t);
static double	 rank_of(const uint32_t *, size_t, bool *);
static bool	 one_word(const struct text *, const struct reading *,
		    size_t, size_t);
static double	 name_rank(const struct text *, const uint32_t *, size_t);
static double	 case_ways(const struct text *, size_t, size_t);
static double	 leet_ways(const struct text *, const struct reading *,
		    size_t, size_t);
static void	 name_add(struct text *, const char *, size_t);
static void	 read_words(struct text *, const struct reading *, int);
static void	 word_offer(struct text *, size_t, size_t, double,
		    enum strength_kind);

/*
 * Look-alikes that stand for either of two letters have a bit each; 1 has
 * another, as many a word ends in it.
 */
static unsigned
ambiguous(uint32_t c)
{
	return c == '1' ? KEEP_1 | 1 : c == '|' ? 2 : c == '7' ? 4 : 0;
}

/* The letter that c looks like, second choice where its bit is in choice. */
static uint32_t
undo(uint32_t c, unsigned choice)
{
	/* U+00E0 to U+00FF without their marks */
	static const char	 latin1[] = "aaaaaaaceeeeiiiidnooooo/ouuuuypy";

	switch (c) {
	case '4': case '@':
		return 'a';
	case '8':
		return 'b';
	case '(': case '{': case '[': case '<':
		return 'c';
	case '3':
		return 'e';
	case '6': case '9':
		return 'g';
	case '!':
		return 'i';
	case '1':
		if (choice & KEEP_1)
			return c;
		return choice & 1 ? 'l' : 'i';
	case '|':
		return choice & 2 ? 'l' : 'i';
	case '0':
		return 'o';
	case '5': case '$':
		return 's';
	case '+':
		return 't';
	case '7':
		return choice & 4 ? 'l' : 't';
	case '%':
		return 'x';
	case '2':
		return 'z';
	}
	if (c >= 0xe0 && c <= 0xff)
		return (uint32_t)latin1[c - 0xe0];
	return c;
}

/*
 * The word's rank in zxcvbn-c's lists, read forwards or backwards; 0: not a
 * word.  A word is what zxcvbn-c finds to be one part: its bits are the
 * rank's, as there are neither capitals nor look-alikes.  Where shorter words
 * cost it less ("in", "come"), it does not tell whether the whole is one as
 * well; *split is then what they cost together, which is less than a rank.
 */
static double
rank_of(const uint32_t *c, size_t len, bool *split)
{
	char			 w[STRENGTH_WORD_MAX + 1];
	ZxcMatch_t		*info = NULL;
	const ZxcMatch_t	*m;
	double			 bits;
	size_t			 i, parts = 0;
	bool			 words = true, letters = true;

	*split = false;
	for (i = 0; i < len; i++) {
		if (c[i] <= 0x20 || c[i] >= 0x7f)
			return 0;
		letters = letters && c[i] >= 'a' && c[i] <= 'z';
		w[i] = (char)c[i];
	}
	w[len] = '\0';
	bits = ZxcvbnMatch(w, NULL, &info);
	for (m = info; m != NULL; m = m->Next, parts++)
		words = words && (m->Type == DICTIONARY_MATCH ||
		    (m->Type == BRUTE_MATCH && m->Length == 1));
	ZxcvbnFreeInfo(info);
	sodium_memzero(w, sizeof(w));
	if (!words || parts == 0)
		return 0;
	*split = parts > 1;
	if (parts > 1 && (!letters || len < SPLIT_MIN || parts > 3 ||
	    bits > SPLIT_BITS))
		return 0;
	return exp2(bits);
}

static double
name_rank(const struct text *x, const uint32_t *c, size_t len)
{
	const struct name	*n;
	size_t			 i, k;

	for (i = 0; i < x->nnames; i++) {
		n = &x->names[i];
		if (n->len != len)
			continue;
		if (memcmp(n->c, c, len * sizeof(*c)) == 0)
			return 1;
		for (k = 0; k < len && n->c[k] == c[len - 1 - k]; k++)
			;
		if (k == len)
			return 2;
	}
	return 0;
}

/* Ways to set capitals: the usual ones cost a factor of two. */
static double
case_ways(const struct text *x, size_t at, size_t len)
{
	size_t	 i, upper = 0, lower = 0;
	bool	 ends;

	for (i = at; i < at + len; i++)
		if (x->typed[i] != x->lower[i])
			upper++;
		else if (x->typed[i] >= 'a' && x->typed[i] <= 'z')
			lower++;
	if (upper == 0)
		return 1;
	ends = x->typed[at] != x->lower[at] ||
	    x->typed[at + len - 1] != x->lower[at + len - 1];
	if (lower == 0 || (upper == 1 && ends))
		return 2;
	return strength_ways(upper, lower);
}

/*
 * Does nothing say that it is two words?  There is no capital within, and no
 * look-alike that may be there to keep words apart.
 */
static bool
one_word(const struct text *x, const struct reading *r, size_t at,
    size_t len)
{
	size_t	 i, upper = 0, inside = 0, changed = 0;

	for (i = at; i < at + len; i++) {
		upper += i > at && x->typed[i] != x->lower[i];
		changed += r->c[i] != x->lower[i];
		inside += r->c[i] != x->lower[i] && i > at &&
		    i + 1 < at + len;
	}
	return (upper == 0 || upper == len - 1) && (changed == 0 ||
	    (len <= SPLIT_LEET && ((changed >= 2 && inside > 0) ||
	    (changed == 1 && (x->lower[at + len - 1] == '$' ||
	    x->lower[at + len - 1] == '@')))));
}

/* Ways to write look-alikes for some of each letter. */
static double
leet_ways(const struct text *x, const struct reading *r, size_t at,
    size_t len)
{
	double	 ways = 1;
	size_t	 i, k, changed, kept;

	for (i = at; i < at + len; i++) {
		if (r->c[i] == x->lower[i])
			continue;
		for (k = at; k < i && x->lower[k] != x->lower[i]; k++)
			;
		if (k < i)
			continue;	/* counted already */
		for (changed = kept = 0, k = at; k < at + len; k++) {
			changed += x->lower[k] == x->lower[i];
			kept += x->lower[k] == r->c[i];
		}
		ways *= kept == 0 ? 2 : strength_ways(changed, kept);
	}
	return ways;
}

static void
word_offer(struct text *x, size_t at, size_t len, double guesses,
    enum strength_kind kind)
{
	struct word	*w = &x->words[at][len];

	guesses *= case_ways(x, at, len);
	if (w->guesses > 0 && w->guesses <= guesses)
		return;
	w->guesses = guesses;
	w->kind = kind;
}

/* Looks up everything as typed (choice -1), or what look-alikes are in. */
static void
read_words(struct text *x, const struct reading *r, int choice)
{
	double	 rank, ways;
	size_t	 at, len;
	bool	 changed, again, split;

	for (at = 0; at < x->n; at++) {
		changed = again = false;
		for (len = 1; len <= STRENGTH_WORD_MAX && at + len <= x->n;
		    len++) {
			changed = changed || r->c[at + len - 1] !=
			    x->lower[at + len - 1];
			again = again ||
			    ambiguous(x->lower[at + len - 1]) != 0;
			if (choice >= 0 && (!changed || len == 1))
				continue;
			/* Read like this before. */
			if (choice > 0 && !again)
				continue;
			ways = choice >= 0 ? leet_ways(x, r, at, len) : 1;
			if ((rank = name_rank(x, &r->c[at], len)) > 0)
				word_offer(x, at, len, rank * ways,
				    STRENGTH_CONTEXT);
			rank = rank_of(&r->c[at], len, &split);
			if (rank > 0 && (!split || one_word(x, r, at, len)))
				word_offer(x, at, len, rank * ways,
				    choice >= 0 ? STRENGTH_LEET : STRENGTH_WORD);
		}
	}
}

void
strength_words(struct text *x)
{
	struct reading	 r;
	size_t		 i;
	unsigned	 seen = 0, choice;
	bool		 any = false;

	memcpy(r.c, x->lower, sizeof(r.c));
	read_words(x, &r, -1);
	for (i = 0; i < x->n; i++) {
		seen |= ambiguous(x->lower[i]);
		any = any || undo(x->lower[i], 0) != x->lower[i];
	}
	for (choice = 0; any && choice < CHOICES; choice++) {
		if ((choice & ~seen) != 0 ||
		    ((choice & KEEP_1) && (choice & 1)))
			continue;
		for (i = 0; i < x->n; i++)
			r.c[i] = undo(x->lower[i], choice);
		read_words(x, &r, (int)choice);
	}
	sodium_memzero(&r, sizeof(r));
}

static void
name_add(struct text *x, const char *s, size_t len)
{
	struct name	*n;
	size_t		 i, letters = 0;

	if (x->nnames == STRENGTH_NAMES || len < NAME_MIN)
		return;
	n = &x->names[x->nnames];
	if (len > STRENGTH_WORD_MAX)
		len = STRENGTH_WORD_MAX;
	for (i = 0; i < len; i++) {
		n->c[i] = (uint32_t)tolower((unsigned char)s[i]);
		letters += !isdigit((unsigned char)s[i]);
	}
	n->len = len;
	/* "01" of a profile is no word of its own. */
	if (letters > 0 || len > NAME_MIN)
		x->nnames++;
}

/* Each name whole, as the last part of a path, and by its words. */
void
strength_names(struct text *x, const char *const *context)
{
	static const char	*const own[] = { "igra", "kaspa", NULL };
	const char		*s, *base;
	size_t			 i, n;

	for (i = 0; own[i] != NULL; i++)
		name_add(x, own[i], strlen(own[i]));
	for (i = 0; context != NULL && context[i] != NULL; i++) {
		base = strrchr(context[i], '/');
		base = base == NULL ? context[i] : base + 1;
		name_add(x, base, strlen(base));
		for (s = context[i]; *s != '\0'; s += n) {
			for (n = 0; isalnum((unsigned char)s[n]); n++)
				;
			if (s + n != base + strlen(base) || s != base)
				name_add(x, s, n);
			n += s[n] != '\0' && n == 0;
		}
	}
}
