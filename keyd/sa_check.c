/* check-passphrase: what the rule says of each line, without making a file. */
#include <sys/types.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "passphrase.h"
#include "sa.h"
#include "utf8.h"

static int	next_line(struct secret *, bool *);
static int	judge_line(const struct sa *, const struct secret *, bool *);

/*
 * The next line of standard input; *end when there is none.  What is longer
 * than a passphrase may be is read to its end and cut one byte above that.
 */
static int
next_line(struct secret *s, bool *end)
{
	ssize_t	 n;
	size_t	 total = 0;
	char	 c = '\0';

	if (secret_alloc(s, PASSPHRASE_MAX + 2) == -1) {
		log_warnx("out of memory");
		return SA_FAIL;
	}
	while ((n = read(STDIN_FILENO, &c, 1)) != 0 && c != '\n') {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			log_warn("standard input");
			return SA_FAIL;
		}
		total++;
		if (s->len < s->cap)
			s->p[s->len++] = c;
	}
	c = '\0';
	if (n == 1 && s->len > 0 && s->p[s->len - 1] == '\r' &&
	    total <= s->cap)
		s->len--;
	s->p[s->len] = '\0';
	*end = n == 0 && total == 0;
	return SA_OK;
}

static int
judge_line(const struct sa *sa, const struct secret *s, bool *refused)
{
	const char		*context[] = { sa->path, sa->profile, NULL };
	struct passphrase_score	 score;
	char			 msg[PASSPHRASE_MSG];
	size_t			 chars;

	switch (passphrase_check(sa->net, s->p, s->len, context, msg,
	    sizeof(msg))) {
	case PASSPHRASE_OK:
		if (passphrase_score(s->p, s->len, context, &score) == -1) {
			log_warn("the passphrase cannot be scored");
			return SA_FAIL;
		}
		chars = utf8_chars(s->p, s->len);
		(void)printf("ok: %zu character%s, score %d/4\n", chars,
		    chars == 1 ? "" : "s", score.score);
		break;
	case PASSPHRASE_WEAK:
		(void)printf("ok, with a warning: %s\n", msg);
		break;
	case PASSPHRASE_REFUSED:
		(void)printf("refused: %s\n", msg);
		*refused = true;
		break;
	}
	if (fflush(stdout) != 0) {
		log_warn("standard output");
		return SA_FAIL;
	}
	return SA_OK;
}

int
sa_check(struct sa *sa)
{
	struct secret	 s = { 0 };
	char		 err[256];
	bool		 refused = false, end = false;
	int		 r;

	if (isatty(STDIN_FILENO)) {
		if (readpass_prompt("Passphrase to check: ", &s, err,
		    sizeof(err)) == -1) {
			log_warnx("the passphrase: %s", err);
			return SA_FAIL;
		}
		r = judge_line(sa, &s, &refused);
		secret_free(&s);
		return r != SA_OK ? r : refused ? SA_FAIL : SA_OK;
	}
	do
		if ((r = next_line(&s, &end)) == SA_OK && !end)
			r = judge_line(sa, &s, &refused);
	while (r == SA_OK && !end);
	secret_free(&s);
	return r != SA_OK ? r : refused ? SA_FAIL : SA_OK;
}
