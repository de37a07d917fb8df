#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "isec.h"
#include "secrets_file.h"

static int	fail(char *, size_t, const char *, const char *, ...)
		    __attribute__((format(printf, 4, 5)));
static int	file_open(int, const char *, const char *, char *, size_t);
static int	file_checks(const char *, const struct stat *, unsigned,
		    char *, size_t);

/* "path: text" into err; always -1. */
static int
fail(char *err, size_t errlen, const char *path, const char *fmt, ...)
{
	va_list	 ap;
	int	 n;

	n = snprintf(err, errlen, "%s: ", path);
	if (n < 0 || (size_t)n >= errlen)
		return -1;
	va_start(ap, fmt);
	(void)vsnprintf(err + n, errlen - (size_t)n, fmt, ap);
	va_end(ap);
	return -1;
}

static int
file_open(int dirfd, const char *name, const char *path, char *err,
    size_t errlen)
{
	int	 fd;

	/* O_NONBLOCK: a FIFO must not hang us before it is refused. */
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd != -1)
		return fd;
	if (errno == ENOENT)
		return fail(err, errlen, path, "no such secrets file");
	/* O_NOFOLLOW's errno: ELOOP, or EMLINK on FreeBSD. */
	if (errno == ELOOP || errno == EMLINK)
		return fail(err, errlen, path, "is a symbolic link");
	return fail(err, errlen, path, "%s", strerror(errno));
}

/* -1: refused; 0 with err set: loose, and the caller said that is allowed. */
static int
file_checks(const char *path, const struct stat *st, unsigned flags, char *err,
    size_t errlen)
{
	int	 loose = flags & SECRETS_LOOSE ? 0 : -1;

	if (S_ISDIR(st->st_mode))
		return fail(err, errlen, path, "is a directory");
	if (!S_ISREG(st->st_mode))
		return fail(err, errlen, path, "is not a regular file");
	if (st->st_size > ISEC_MAX_FILE)
		return fail(err, errlen, path,
		    "secrets file is larger than 16 MiB");
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		(void)fail(err, errlen, path, "belongs to uid %u, neither root "
		    "nor you", (unsigned)st->st_uid);
		return loose;
	}
	if ((st->st_mode & 077) != 0) {
		(void)fail(err, errlen, path, "mode %04o lets others in; "
		    "chmod 0600 it", (unsigned)st->st_mode & 07777);
		return loose;
	}
	return 0;
}

int
secrets_file_readat(int dirfd, const char *name, const char *path,
    unsigned flags, struct secrets_file *f, char *err, size_t errlen)
{
	struct stat	 st;
	ssize_t		 n;
	size_t		 want;
	int		 fd, ret = -1;

	memset(f, 0, sizeof(*f));
	if (errlen > 0)
		err[0] = '\0';
	if ((fd = file_open(dirfd, name, path, err, errlen)) == -1)
		return -1;
	if (fstat(fd, &st) == -1) {
		(void)fail(err, errlen, path, "%s", strerror(errno));
		goto out;
	}
	if (file_checks(path, &st, flags, err, errlen) == -1)
		goto out;
	want = (size_t)st.st_size;
	if ((f->data = malloc(want + 1)) == NULL) {
		(void)fail(err, errlen, path, "out of memory");
		goto out;
	}
	/* One byte more than there should be: a file that grows is noticed. */
	while (f->len < want + 1) {
		n = read(fd, f->data + f->len, want + 1 - f->len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			(void)fail(err, errlen, path, "%s", strerror(errno));
			goto out;
		}
		if (n == 0)
			break;
		f->len += (size_t)n;
	}
	if (f->len != want) {
		(void)fail(err, errlen, path, "changed while it was read");
		goto out;
	}
	f->uid = st.st_uid;
	f->gid = st.st_gid;
	f->mode = st.st_mode & 07777;
	f->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 +
	    st.st_mtim.tv_nsec;
	ret = 0;
out:
	close(fd);
	if (ret == -1)
		secrets_file_free(f);
	return ret;
}

int
secrets_file_read(const char *path, unsigned flags, struct secrets_file *f,
    char *err, size_t errlen)
{
	return secrets_file_readat(AT_FDCWD, path, path, flags, f, err,
	    errlen);
}

void
secrets_file_free(struct secrets_file *f)
{
	free(f->data);
	memset(f, 0, sizeof(*f));
}
