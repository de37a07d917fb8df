/* Passphrases and values of secrets-admin: where they come from, the rules. */
#include <sys/types.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "log.h"
#include "passphrase.h"
#include "sa.h"

static bool	given(const struct sa_source *);
static int	from_source(struct sa *, struct sa_source *, const char *,
		    struct secret *);
static int	from_env(struct sa *, struct secret *);
static int	plain_line(const char *, const struct secret *);
static int	value_bytes(struct sa *, const char *, struct secret *);
static int	value_decode(struct sa *, struct secret *);

static bool
given(const struct sa_source *s)
{
	return s->has_arg || s->file != NULL || s->fd != -1;
}

bool
sa_pass_given(const struct sa *sa)
{
	return given(&sa->pass) || sa->env.p != NULL;
}

/* A source that is given; the argument moves over. */
static int
from_source(struct sa *sa, struct sa_source *s, const char *what,
    struct secret *out)
{
	bool	 loose_ok = sa->net != KASPA_MAINNET;
	char	 err[512] = "";
	int	 r = 0;

	if (s->has_arg) {
		*out = s->arg;
		memset(&s->arg, 0, sizeof(s->arg));
	} else if (s->file != NULL) {
		r = readpass_file(s->file, loose_ok, out, err, sizeof(err));
		if (r == 0 && err[0] != '\0' && sa->net == KASPA_TESTNET)
			log_warning("%s", err);
	} else
		r = readpass_fd(s->fd, out, err, sizeof(err));
	if (r == -1) {
		log_warnx("%s: %s", what, err);
		return SA_FAIL;
	}
	return plain_line(what, out);
}

static int
from_env(struct sa *sa, struct secret *out)
{
	if (secret_set(out, sa->env.p, sa->env.len) == -1) {
		log_warnx("out of memory");
		return SA_FAIL;
	}
	return plain_line("the passphrase", out);
}

/* What no passphrase is, on any network. */
static int
plain_line(const char *what, const struct secret *s)
{
	if (s->len == 0) {
		log_warnx("%s is empty", what);
		return SA_FAIL;
	}
	if (memchr(s->p, '\0', s->len) != NULL ||
	    memchr(s->p, '\n', s->len) != NULL) {
		log_warnx("%s is more than a line of text", what);
		return SA_FAIL;
	}
	return SA_OK;
}

int
sa_pass_open(struct sa *sa, struct sa_source *first,
    struct sa_source *second, const char *prompt, struct secret *out)
{
	char	 err[256] = "";

	if (given(first))
		return from_source(sa, first, "the passphrase", out);
	if (second != NULL && given(second))
		return from_source(sa, second, "the passphrase", out);
	if (sa->env.p != NULL)
		return from_env(sa, out);
	if (readpass_prompt(prompt, out, err, sizeof(err)) == -1) {
		log_warnx("the passphrase: %s", err);
		return SA_FAIL;
	}
	return plain_line("the passphrase", out);
}

void
sa_pass_advise(const struct sa *sa, const struct secret *s)
{
	char	 msg[PASSPHRASE_MSG];

	if (sa->net == KASPA_MAINNET && passphrase_check(sa->net, s->p, s->len,
	    NULL, msg, sizeof(msg)) != PASSPHRASE_OK)
		log_warning("igractl will not unlock this file on mainnet, "
		    "rotate-passphrase: %s", msg);
}

int
sa_pass_new(struct sa *sa, struct sa_source *s, const char *prompt,
    struct secret *out)
{
	char	 err[256] = "";
	int	 r = SA_OK;

	(void)printf("%s\n", passphrase_rule(sa->net));
	(void)fflush(stdout);
	if (given(s))
		r = from_source(sa, s, "the new passphrase", out);
	else if (s == &sa->pass && sa->env.p != NULL)
		r = from_env(sa, out);
	else if (readpass_new(prompt, out, err, sizeof(err)) == -1) {
		log_warnx("the new passphrase: %s", err);
		return SA_FAIL;
	}
	return r != SA_OK ? r : sa_pass_rule(sa, "the passphrase", out);
}

int
sa_pass_rule(const struct sa *sa, const char *what, const struct secret *s)
{
	const char	*context[3] = { NULL, NULL, NULL }, *base;
	char		 msg[PASSPHRASE_MSG];

	base = strrchr(sa->path, '/');
	context[0] = base == NULL ? sa->path : base + 1;
	context[1] = sa->profile;
	switch (passphrase_check(sa->net, s->p, s->len, context, msg,
	    sizeof(msg))) {
	case PASSPHRASE_OK:
		return SA_OK;
	case PASSPHRASE_WEAK:
		log_warning("%s: %s", what, msg);
		return SA_OK;
	case PASSPHRASE_REFUSED:
		break;
	}
	log_warnx("%s: %s", what, msg);
	return SA_FAIL;
}

/* The value as it came. */
static int
value_bytes(struct sa *sa, const char *prompt, struct secret *out)
{
	bool	 loose_ok = sa->net != KASPA_MAINNET;
	char	 err[512] = "";
	int	 r = 0;

	if (sa->value.has_arg) {
		*out = sa->value.arg;
		memset(&sa->value.arg, 0, sizeof(sa->value.arg));
		return SA_OK;
	}
	if (sa->use_stdin)
		r = readpass_all(STDIN_FILENO, 2 * ISEC_VALUE_MAX + 16, out,
		    err, sizeof(err));
	else if (sa->value.file != NULL) {
		r = readpass_file_all(sa->value.file, loose_ok,
		    2 * ISEC_VALUE_MAX + 16, out, err, sizeof(err));
		if (r == 0 && err[0] != '\0' && sa->net == KASPA_TESTNET)
			log_warning("%s", err);
	} else if (sa->value.fd != -1)
		r = readpass_all(sa->value.fd, 2 * ISEC_VALUE_MAX + 16, out,
		    err, sizeof(err));
	else
		r = readpass_new(prompt, out, err, sizeof(err));
	if (r == -1) {
		log_warnx("the value: %s", err);
		return SA_FAIL;
	}
	if (sa->in != SA_RAW)
		secret_chomp(out);
	return SA_OK;
}

/* Hex (0x allowed) or base64 to bytes, in constant time. */
static int
value_decode(struct sa *sa, struct secret *s)
{
	struct secret	 bin = { 0 };
	const char	*p = s->p, *end;
	size_t		 n = s->len, got;
	int		 r;

	for (; n > 0 && strchr(" \t\r\n", p[0]) != NULL && p[0] != '\0'; n--)
		p++;
	while (n > 0 && strchr(" \t\r\n", p[n - 1]) != NULL &&
	    p[n - 1] != '\0')
		n--;
	if (sa->in == SA_HEX && n >= 2 && p[0] == '0' &&
	    (p[1] == 'x' || p[1] == 'X')) {
		p += 2;
		n -= 2;
	}
	if (secret_alloc(&bin, n) == -1) {
		log_warnx("out of memory");
		return SA_FAIL;
	}
	r = sa->in == SA_HEX ?
	    sodium_hex2bin((uint8_t *)bin.p, n, p, n, NULL, &got, &end) :
	    sodium_base642bin((uint8_t *)bin.p, n, p, n, NULL, &got, &end,
	    sodium_base64_VARIANT_ORIGINAL);
	if (r == -1 || end != p + n) {
		log_warnx("the value is not %s", sa->in == SA_HEX ?
		    "hex digits, two for each byte" : "base64");
		secret_free(&bin);
		return SA_FAIL;
	}
	bin.len = got;
	bin.p[got] = '\0';
	secret_free(s);
	*s = bin;
	return SA_OK;
}

int
sa_value(struct sa *sa, const char *prompt, struct secret *out)
{
	int	 r;

	if ((r = value_bytes(sa, prompt, out)) != SA_OK)
		return r;
	return sa->in == SA_HEX || sa->in == SA_BASE64 ?
	    value_decode(sa, out) : SA_OK;
}
