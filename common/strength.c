#include <sys/types.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "strength_int.h"
#include "utf8.h"

/*
 * Steps from one score to the next, in powers of ten.  The uppermost is the
 * paper's 10 and a margin for what zxcvbn-c's word lists rank otherwise than
 * the reference's: two or three words of a passphrase, each a bit too high.
 */
#define STEP_TOP	10.5

/* Words of a rank this low are the ones that everybody takes. */
#define COMMON_RANK	1000.0

static uint32_t	 fold(uint32_t);
static uint32_t	 lower(uint32_t);
static void	 text_load(struct text *, const char *, size_t);
static void	 judge(const struct text *, const struct part *, size_t,
		    struct strength *);
static void	 lock_memory(void);
static ssize_t	 child_result(int, struct strength *);

/* Full-width forms are the same letters. */
static uint32_t
fold(uint32_t c)
{
	return c >= 0xff01 && c <= 0xff5e ? c - 0xff01 + 0x21 : c;
}

static uint32_t
lower(uint32_t c)
{
	if ((c >= 'A' && c <= 'Z') || (c >= 0x410 && c <= 0x42f) ||
	    (c >= 0xc0 && c <= 0xde && c != 0xd7))
		return c + 0x20;
	return c;
}

static void
text_load(struct text *x, const char *pass, size_t len)
{
	const uint8_t	*p = (const uint8_t *)pass;
	size_t		 at, n;
	int32_t		 c;

	for (at = 0; at < len && x->n < STRENGTH_CHARS; at += n) {
		if ((c = utf8_decode(p + at, len - at, &n)) == -1) {
			c = p[at];
			n = 1;
		}
		x->typed[x->n] = fold((uint32_t)c);
		x->lower[x->n] = lower(x->typed[x->n]);
		x->n++;
	}
}

/* The kind that most characters belong to; what is known before what is not. */
static void
judge(const struct text *x, const struct part *p, size_t n,
    struct strength *s)
{
	size_t	 chars[STRENGTH_YEAR + 1] = { 0 }, i, most = 0;

	s->common = false;
	for (i = 0; i < n; i++) {
		chars[p[i].kind] += p[i].len;
		s->context = s->context || p[i].kind == STRENGTH_CONTEXT;
	}
	for (i = STRENGTH_CHARACTERS + 1; i <= STRENGTH_YEAR; i++)
		if (chars[i] > most) {
			most = chars[i];
			s->kind = (enum strength_kind)i;
		}
	for (i = 0; i < n; i++)
		if ((p[i].kind == STRENGTH_WORD ||
		    p[i].kind == STRENGTH_LEET) &&
		    p[i].guesses <= COMMON_RANK && 2 * p[i].len >= x->n)
			s->common = true;
}

int
strength_here(const char *pass, size_t len, const char *const *context,
    struct strength *s)
{
	static const double	 steps[] = { 3, 6, 8, STEP_TOP };
	struct part		 parts[STRENGTH_CHARS];
	struct text		*x;
	double			 guesses;
	size_t			 i, n = 0;

	memset(s, 0, sizeof(*s));
	if (len == 0)
		return 0;
	if ((x = calloc(1, sizeof(*x))) == NULL)
		return -1;
	text_load(x, pass, len);
	strength_names(x, context);
	strength_words(x);
	guesses = strength_slice(x, 0, x->n, parts, &n);
	if (guesses > 0) {
		judge(x, parts, n, s);
		s->guesses_log10 = fmin(log10(guesses), 300);
		for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
			s->score += s->guesses_log10 >= steps[i];
	}
	sodium_memzero(parts, sizeof(parts));
	freezero(x, sizeof(*x));
	return guesses > 0 ? 0 : -1;
}

/*
 * A child does not inherit locks.  With a limit on them none are taken: once
 * it is reached, allocations would fail.
 */
static void
lock_memory(void)
{
	struct rlimit	 rl;

	if (geteuid() == 0 || (getrlimit(RLIMIT_MEMLOCK, &rl) == 0 &&
	    rl.rlim_cur == RLIM_INFINITY))
		(void)mlockall(MCL_CURRENT | MCL_FUTURE);
}

static ssize_t
child_result(int fd, struct strength *s)
{
	ssize_t	 n;

	do
		n = read(fd, s, sizeof(*s));
	while (n == -1 && errno == EINTR);
	return n;
}

int
strength_estimate(const char *pass, size_t len, const char *const *context,
    struct strength *s)
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
		struct strength	 r;

		lock_memory();
		memset(&r, 0, sizeof(r));
		if (strength_here(pass, len, context, &r) == -1)
			_exit(1);
		n = write(fds[1], &r, sizeof(r));
		_exit(n == (ssize_t)sizeof(r) ? 0 : 1);
	}
	close(fds[1]);
	n = child_result(fds[0], s);
	close(fds[0]);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	if (n == (ssize_t)sizeof(*s))
		return 0;
	errno = EAGAIN;
	return -1;
}

const char *
strength_reason(const struct strength *s)
{
	if (s->common)
		return "this is a common password";
	if (s->context)
		return "it contains a name that is tried first (igra, kaspa, "
		    "the file's, the profile's or the host's)";
	switch (s->kind) {
	case STRENGTH_WORD:
		return "it is made of common words or names";
	case STRENGTH_LEET:
		return "it is made of common words, and look-alikes such as "
		    "0 for o do not hide them";
	case STRENGTH_CONTEXT:
	case STRENGTH_CHARACTERS:
		break;
	case STRENGTH_REPEAT:
		return "repeats like abcabc or aaaa add next to nothing";
	case STRENGTH_SEQUENCE:
		return "sequences like abcd or 4321 are easy to guess";
	case STRENGTH_WALK:
		return "it is a walk over the keyboard, like qwerty or 1qaz";
	case STRENGTH_DATE:
		return "dates are easy to guess";
	case STRENGTH_YEAR:
		return "years are easy to guess";
	}
	return "there is too little of it";
}
