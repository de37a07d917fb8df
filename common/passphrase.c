#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>
#include <zxcvbn.h>

#include "passphrase.h"
#include "utf8.h"

/* zxcvbn's own advice: what comes after this adds nothing but time. */
#define SCORE_MAX	100

struct rule {
	const char	*text;
	size_t		 chars;
	int		 score;
	int		 score_refuses;
};

static const struct rule	 rules[] = {
	[KASPA_MAINNET] = { "Mainnet mode: passphrase must be 16+ characters, "
	    "score 4/4", 16, 4, 1 },
	[KASPA_TESTNET] = { "Testnet mode: passphrase must be 12+ characters; "
	    "a score below 3/4 is warned about", 12, 3, 0 },
	[KASPA_DEVNET] = { "Devnet mode: any passphrase that is not empty", 1,
	    0, 0 },
	[KASPA_SIMNET] = { "Simnet mode: any passphrase that is not empty", 1,
	    0, 0 }
};

struct estimate {
	double	 bits;
	int	 type;		/* of the longest part */
};

static int		 estimate_in_child(const char *, size_t,
			    const char *const *, struct estimate *);
static void		 estimate(const char *, size_t, const char *const *,
			    struct estimate *);
static const char	*reason_of(int);
static const char	*form_error(const char *, size_t);

const char *
passphrase_rule(enum kaspa_network net)
{
	return rules[net].text;
}

static void
estimate(const char *pass, size_t len, const char *const *context,
    struct estimate *e)
{
	static const char	*own[] = { "igra", "kaspa", "secrets", NULL };
	const char		*words[16];
	char			 buf[SCORE_MAX + 1];
	ZxcMatch_t		*info = NULL, *m;
	size_t			 n = 0, i;
	int			 longest = 0;

	for (i = 0; own[i] != NULL; i++)
		words[n++] = own[i];
	for (i = 0; context != NULL && context[i] != NULL && n < 15; i++)
		words[n++] = context[i];
	words[n] = NULL;
	if (len > SCORE_MAX)
		len = SCORE_MAX;
	memcpy(buf, pass, len);
	buf[len] = '\0';
	e->bits = ZxcvbnMatch(buf, words, &info);
	e->type = BRUTE_MATCH;
	for (m = info; m != NULL; m = m->Next)
		if (m->Length > longest) {
			longest = m->Length;
			e->type = (int)m->Type;
		}
	ZxcvbnFreeInfo(info);
	sodium_memzero(buf, sizeof(buf));
}

/*
 * zxcvbn-c leaves copies of what it scores on heap and stack, which nobody
 * can wipe.  They go with a process made for it.
 */
static int
estimate_in_child(const char *pass, size_t len, const char *const *context,
    struct estimate *e)
{
	ssize_t	 n;
	pid_t	 pid;
	int	 fds[2], status;

	if (pipe(fds) == -1)
		return -1;
	if ((pid = fork()) == -1) {
		close(fds[0]);
		close(fds[1]);
		return -1;
	}
	if (pid == 0) {
		struct estimate	 r;

		memset(&r, 0, sizeof(r));
		estimate(pass, len, context, &r);
		n = write(fds[1], &r, sizeof(r));
		_exit(n == (ssize_t)sizeof(r) ? 0 : 1);
	}
	close(fds[1]);
	do
		n = read(fds[0], e, sizeof(*e));
	while (n == -1 && errno == EINTR);
	close(fds[0]);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	return n == (ssize_t)sizeof(*e) ? 0 : -1;
}

static const char *
reason_of(int type)
{
	if (type & MULTIPLE_MATCH)
		return "it repeats the same part";
	switch (type) {
	case DICTIONARY_MATCH:
	case DICT_LEET_MATCH:
		return "this is a common password or word";
	case USER_MATCH:
	case USER_LEET_MATCH:
		return "it is made of names that an attacker tries first";
	case REPEATS_MATCH:
		return "it repeats one character";
	case SEQUENCE_MATCH:
		return "it is a sequence like abcd or 1234";
	case SPATIAL_MATCH:
		return "it is a row of keys on a keyboard";
	case DATE_MATCH:
	case YEAR_MATCH:
		return "it is a date or a year";
	}
	return "it is too easy to guess";
}

int
passphrase_score(const char *pass, size_t len, const char *const *context,
    struct passphrase_score *s)
{
	static const double	 steps[] = { 3, 6, 8, 10 };
	struct estimate		 e;
	size_t			 i;

	memset(s, 0, sizeof(*s));
	s->reason = reason_of(BRUTE_MATCH);
	if (len > 0 && estimate_in_child(pass, len, context, &e) == -1)
		return -1;
	if (len == 0)
		return 0;
	s->guesses_log10 = e.bits * log10(2.0);
	for (i = 0; i < 4; i++)
		s->score += s->guesses_log10 >= steps[i];
	s->reason = reason_of(e.type);
	return 0;
}

/* What no network takes; NULL when there is nothing. */
static const char *
form_error(const char *pass, size_t len)
{
	const uint8_t	*p = (const uint8_t *)pass;
	size_t		 at, n;
	int32_t		 c;

	if (len == 0)
		return "passphrase is empty";
	if (len > PASSPHRASE_MAX)
		return "passphrase is longer than 1024 bytes";
	for (at = 0; at < len; at += n) {
		if ((c = utf8_decode(p + at, len - at, &n)) == -1)
			return "passphrase is not UTF-8";
		if (utf8_is_space(c) && (at == 0 || at + n == len))
			return "passphrase has white space at its start or end";
		if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			return "passphrase has a control character in it";
	}
	return NULL;
}

enum passphrase_verdict
passphrase_check(enum kaspa_network net, const char *pass, size_t len,
    const char *const *context, char *msg, size_t msglen)
{
	const struct rule	*r = &rules[net];
	struct passphrase_score	 s;
	const char		*form, *name = kaspa_network_name(net);
	size_t			 chars;

	if (msglen > 0)
		msg[0] = '\0';
	if ((form = form_error(pass, len)) != NULL) {
		(void)strlcpy(msg, form, msglen);
		return PASSPHRASE_REFUSED;
	}
	chars = utf8_chars(pass, len);
	if (chars >= r->chars && r->score == 0)
		return PASSPHRASE_OK;
	if (passphrase_score(pass, len, context, &s) == -1) {
		(void)strlcpy(msg, "passphrase cannot be scored: no memory "
		    "or process for it", msglen);
		return PASSPHRASE_REFUSED;
	}
	if (chars >= r->chars && s.score >= r->score)
		return PASSPHRASE_OK;
	(void)snprintf(msg, msglen, "passphrase too weak for %s: %zu "
	    "character%s (at least %zu), score %d/4 (%s %d/4)%s%s. Take four "
	    "or more words picked at random, or a password manager's.",
	    name, chars, chars == 1 ? "" : "s", r->chars, s.score,
	    r->score_refuses ? "needed" : "advised", r->score,
	    s.score < r->score ? ": " : "",
	    s.score < r->score ? s.reason : "");
	return chars < r->chars || r->score_refuses ? PASSPHRASE_REFUSED :
	    PASSPHRASE_WEAK;
}
