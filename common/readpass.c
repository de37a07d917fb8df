#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <readpassphrase.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "readpass.h"
#include "sandbox.h"

extern char	**environ;

static int	fail(char *, size_t, const char *);
static mode_t	too_open(const char *, const struct stat *);
static int	open_checked(const char *, bool, char *, size_t);

static int
fail(char *err, size_t errlen, const char *text)
{
	(void)strlcpy(err, text, errlen);
	return -1;
}

void
readpass_init(void)
{
	(void)sandbox_no_dump();
}

int
secret_alloc(struct secret *s, size_t cap)
{
	secret_free(s);
	if (sodium_init() == -1 || (s->p = sodium_malloc(cap + 1)) == NULL) {
		errno = ENOMEM;
		return -1;
	}
	s->p[0] = '\0';
	s->cap = cap;
	return 0;
}

int
secret_set(struct secret *s, const void *data, size_t len)
{
	if (secret_alloc(s, len) == -1)
		return -1;
	if (len > 0)
		memcpy(s->p, data, len);
	s->p[len] = '\0';
	s->len = len;
	return 0;
}

void
secret_free(struct secret *s)
{
	sodium_free(s->p);
	memset(s, 0, sizeof(*s));
}

int
secret_take_arg(struct secret *s, char *arg)
{
	size_t	 len = strlen(arg);
	int	 r;

	r = secret_set(s, arg, len);
	explicit_bzero(arg, len);
	return r;
}

bool
secret_take_env(struct secret *s, const char *name)
{
	char	*v = getenv(name);
	size_t	 i, len = strlen(name);

	if (v == NULL)
		return false;
	if (secret_take_arg(s, v) == -1)
		secret_free(s);
	/* It may be there more than once. */
	for (i = 0; environ[i] != NULL; i++)
		if (strncmp(environ[i], name, len) == 0 &&
		    environ[i][len] == '=')
			explicit_bzero(environ[i] + len + 1,
			    strlen(environ[i] + len + 1));
	(void)unsetenv(name);
	return s->p != NULL;
}

void
secret_chomp(struct secret *s)
{
	if (s->len > 0 && s->p[s->len - 1] == '\n')
		s->p[--s->len] = '\0';
	else
		return;
	if (s->len > 0 && s->p[s->len - 1] == '\r')
		s->p[--s->len] = '\0';
}

bool
readpass_have_tty(void)
{
	int	 fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd == -1)
		return false;
	close(fd);
	return true;
}

int
readpass_prompt(const char *prompt, struct secret *s, char *err,
    size_t errlen)
{
	if (!readpass_have_tty())
		return readpass_fd(STDIN_FILENO, s, err, errlen);
	if (secret_alloc(s, READPASS_LINE) == -1)
		return fail(err, errlen, "out of memory");
	/* One byte more than is allowed, as the rest is dropped in silence. */
	if (readpassphrase(prompt, s->p, READPASS_LINE + 1,
	    RPP_ECHO_OFF | RPP_REQUIRE_TTY) == NULL) {
		secret_free(s);
		return fail(err, errlen, "nothing read from the terminal");
	}
	s->len = strlen(s->p);
	if (s->len >= READPASS_LINE) {
		secret_free(s);
		return fail(err, errlen, "line is too long");
	}
	return 0;
}

int
readpass_new(const char *prompt, struct secret *s, char *err, size_t errlen)
{
	struct secret	 again = { 0 };
	char		 confirm[256];
	int		 round, same;

	if (!readpass_have_tty())
		return readpass_prompt(prompt, s, err, errlen);
	(void)snprintf(confirm, sizeof(confirm), "Again, %s", prompt);
	for (round = 0; round < 3; round++) {
		if (readpass_prompt(prompt, s, err, errlen) == -1)
			return -1;
		if (readpass_prompt(confirm, &again, err, errlen) == -1)
			break;
		same = s->len == again.len &&
		    sodium_memcmp(s->p, again.p, s->len) == 0;
		secret_free(&again);
		if (same)
			return 0;
		(void)fprintf(stderr, "The two do not match.\n");
		(void)fail(err, errlen, "the two do not match");
	}
	secret_free(&again);
	secret_free(s);
	return -1;
}

int
readpass_fd(int fd, struct secret *s, char *err, size_t errlen)
{
	ssize_t	 n;
	char	 c;

	if (secret_alloc(s, READPASS_LINE) == -1)
		return fail(err, errlen, "out of memory");
	for (;;) {
		if ((n = read(fd, &c, 1)) == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			(void)fail(err, errlen, strerror(errno));
			break;
		}
		if (n == 0 && s->len == 0) {
			(void)fail(err, errlen, "end of file");
			break;
		}
		if (n == 1 && s->len == READPASS_LINE - 1) {
			(void)fail(err, errlen, "line is too long");
			break;
		}
		if (n == 1)
			s->p[s->len++] = c;
		if (n == 0 || c == '\n') {
			c = '\0';
			s->p[s->len] = '\0';
			secret_chomp(s);
			return 0;
		}
	}
	c = '\0';
	secret_free(s);
	return -1;
}

int
readpass_all(int fd, size_t max, struct secret *s, char *err, size_t errlen)
{
	ssize_t	 n;

	if (secret_alloc(s, max + 1) == -1)
		return fail(err, errlen, "out of memory");
	while (s->len <= max) {
		n = read(fd, s->p + s->len, max + 1 - s->len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			(void)fail(err, errlen, strerror(errno));
			goto bad;
		}
		if (n == 0) {
			s->p[s->len] = '\0';
			return 0;
		}
		s->len += (size_t)n;
	}
	(void)snprintf(err, errlen, "more than %zu bytes", max);
bad:
	secret_free(s);
	return -1;
}

/* Descriptor, or -1; err holds a warning when it is loose and that is fine. */
/*
 * The bits of a mode that a file must not have.  A service manager gives its
 * user a credential, which is root's, by an ACL, whose mask shows as the group's
 * bits, or by the group itself.
 */
static mode_t
too_open(const char *path, const struct stat *st)
{
	const char	*dir = getenv("CREDENTIALS_DIRECTORY");
	size_t		 len;

	if (dir == NULL || (len = strlen(dir)) == 0 ||
	    strncmp(path, dir, len) != 0 || path[len] != '/' ||
	    strchr(path + len + 1, '/') != NULL ||
	    (st->st_uid != 0 && st->st_uid != geteuid()))
		return 077;
	return 037;
}

static int
open_checked(const char *path, bool loose_ok, char *err, size_t errlen)
{
	struct stat	 st;
	int		 fd;

	if (errlen > 0)
		err[0] = '\0';
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
		(void)snprintf(err, errlen, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) == -1 || S_ISDIR(st.st_mode)) {
		(void)snprintf(err, errlen, "%s: is not a file to read", path);
		close(fd);
		return -1;
	}
	/* A pipe, as a shell makes one for <(…), belongs to us alone. */
	if (S_ISREG(st.st_mode) && (st.st_mode & too_open(path, &st)) != 0) {
		(void)snprintf(err, errlen, "%s: mode %04o lets others in; "
		    "chmod 0600 it", path, (unsigned)st.st_mode & 07777);
		if (!loose_ok) {
			close(fd);
			return -1;
		}
	}
	return fd;
}

int
readpass_file_all(const char *path, bool loose_ok, size_t max,
    struct secret *s, char *err, size_t errlen)
{
	char	 why[128] = "";
	int	 fd, r;

	if (strcmp(path, "-") == 0) {
		if (errlen > 0)
			err[0] = '\0';
		return readpass_all(STDIN_FILENO, max, s, err, errlen);
	}
	if ((fd = open_checked(path, loose_ok, err, errlen)) == -1)
		return -1;
	if ((r = readpass_all(fd, max, s, why, sizeof(why))) == -1)
		(void)snprintf(err, errlen, "%s: %s", path, why);
	close(fd);
	return r;
}

int
readpass_file(const char *path, bool loose_ok, struct secret *s, char *err,
    size_t errlen)
{
	if (strcmp(path, "-") == 0) {
		if (errlen > 0)
			err[0] = '\0';
		return readpass_fd(STDIN_FILENO, s, err, errlen);
	}
	if (readpass_file_all(path, loose_ok, READPASS_LINE - 1, s, err,
	    errlen) == -1)
		return -1;
	secret_chomp(s);
	if (memchr(s->p, '\n', s->len) == NULL)
		return 0;
	secret_free(s);
	(void)snprintf(err, errlen, "%s: more than one line", path);
	return -1;
}
