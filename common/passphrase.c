#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "passphrase.h"
#include "strength.h"
#include "utf8.h"

#define CONTEXT_MAX	14	/* the caller's words */
#define ECHO_MIN	4	/* shorter ones are part of many a word */

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

static const char	*form_error(const char *, size_t);
static int		 echoes(const char *, const char *, size_t);
static void		 explain(const struct rule *, const char *, size_t,
			    const struct passphrase_score *, const char *,
			    char *, size_t);

const char *
passphrase_rule(enum kaspa_network net)
{
	return rules[net].text;
}

int
passphrase_score(const char *pass, size_t len, const char *const *context,
    struct passphrase_score *s)
{
	struct strength	 e;
	const char	*words[CONTEXT_MAX + 2];
	char		 host[256];
	size_t		 n = 0;

	memset(s, 0, sizeof(*s));
	while (context != NULL && context[n] != NULL && n < CONTEXT_MAX) {
		words[n] = context[n];
		n++;
	}
	if (gethostname(host, sizeof(host)) == 0) {
		host[sizeof(host) - 1] = '\0';
		words[n++] = host;
	}
	words[n] = NULL;
	if (strength_estimate(pass, len, words, &e) == -1)
		return -1;
	s->score = e.score;
	s->guesses_log10 = e.guesses_log10;
	s->reason = strength_reason(&e);
	s->common = e.common;
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

/* Does the text hold the passphrase, as "a common password" may? */
static int
echoes(const char *text, const char *pass, size_t len)
{
	size_t	 i, n = strlen(text);

	for (i = 0; len >= ECHO_MIN && i + len <= n; i++)
		if (strncasecmp(text + i, pass, len) == 0)
			return 1;
	return 0;
}

static void
explain(const struct rule *r, const char *name, size_t chars,
    const struct passphrase_score *s, const char *reason, char *msg,
    size_t msglen)
{
	(void)snprintf(msg, msglen, "passphrase too weak for %s: %zu "
	    "character%s (at least %zu), score %d/4 (%s %d/4)%s%s. Take five "
	    "or more words picked at random, or 20 random characters.",
	    name, chars, chars == 1 ? "" : "s", r->chars, s->score,
	    r->score_refuses ? "needed" : "advised", r->score,
	    s->score < r->score ? ": " : "",
	    s->score < r->score ? reason : "");
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
	/* Word it so that it does not show what was typed. */
	explain(r, name, chars, &s, s.reason, msg, msglen);
	if (echoes(msg, pass, len))
		explain(r, name, chars, &s, s.common ? "this is a very "
		    "common one" : "it is too easy to guess", msg, msglen);
	if (echoes(msg, pass, len))
		(void)snprintf(msg, msglen, "%zu of %zu, %d/4", chars,
		    r->chars, s.score);
	return chars < r->chars || r->score_refuses ? PASSPHRASE_REFUSED :
	    PASSPHRASE_WEAK;
}
