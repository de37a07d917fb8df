#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coord_file.h"

#define FIRST_READ	16384

static int	 fail_errno(char *, size_t, const char *, const char *);
static int	 write_all(int, const void *, size_t);
static int	 sync_directory(const char *);

static int
fail_errno(char *err, size_t errlen, const char *path, const char *what)
{
	(void)snprintf(err, errlen, "%s: %s%s%s", path, what,
	    *what == '\0' ? "" : ": ", strerror(errno));
	return -1;
}

char *
file_read_fd(int fd, const char *name, size_t max, size_t *len, char *err,
    size_t errlen)
{
	char	*buf = NULL, *p;
	size_t	 cap = 0, n = 0;
	ssize_t	 got;

	for (;;) {
		if (cap - n < 2) {
			cap = cap == 0 ? FIRST_READ : 2 * cap;
			if ((p = realloc(buf, cap)) == NULL)
				break;
			buf = p;
		}
		if ((got = read(fd, buf + n, cap - n - 1)) == -1) {
			if (errno == EINTR)
				continue;
			break;
		}
		n += (size_t)got;
		if (n > max) {
			(void)snprintf(err, errlen, "%s: larger than %zu bytes",
			    name, max);
			free(buf);
			return NULL;
		}
		if (got == 0) {
			buf[n] = '\0';
			*len = n;
			return buf;
		}
	}
	(void)fail_errno(err, errlen, name, "");
	free(buf);
	return NULL;
}

char *
file_read(const char *path, size_t max, size_t *len, char *err, size_t errlen)
{
	char	*text;
	int	 fd;

	if (strcmp(path, "-") == 0)
		return file_read_fd(STDIN_FILENO, "standard input", max, len,
		    err, errlen);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
		(void)fail_errno(err, errlen, path, "");
		return NULL;
	}
	text = file_read_fd(fd, path, max, len, err, errlen);
	close(fd);
	return text;
}

static int
write_all(int fd, const void *data, size_t len)
{
	const char	*p = data;
	ssize_t		 n;

	while (len > 0) {
		if ((n = write(fd, p, len)) == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
sync_directory(const char *path)
{
	char	 dir[PATH_MAX];
	char	*slash;
	int	 fd, rc;

	if (strlcpy(dir, path, sizeof(dir)) >= sizeof(dir)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((slash = strrchr(dir, '/')) == NULL)
		(void)strlcpy(dir, ".", sizeof(dir));
	else
		slash[slash == dir ? 1 : 0] = '\0';
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

int
file_replace(const char *path, const void *data, size_t len, mode_t mode,
    char *err, size_t errlen)
{
	char	 tmp[PATH_MAX];
	mode_t	 mask;
	int	 fd, n;

	n = snprintf(tmp, sizeof(tmp), "%s.XXXXXXXXXX", path);
	if (n < 0 || (size_t)n >= sizeof(tmp)) {
		errno = ENAMETOOLONG;
		return fail_errno(err, errlen, path, "");
	}
	mask = umask(077);
	(void)umask(mask);
	if ((fd = mkstemp(tmp)) == -1)
		return fail_errno(err, errlen, path, "no file beside it");
	if (fchmod(fd, mode & ~mask) == -1 || write_all(fd, data, len) == -1 ||
	    fsync(fd) == -1) {
		(void)fail_errno(err, errlen, path, "");
		close(fd);
		(void)unlink(tmp);
		return -1;
	}
	close(fd);
	if (rename(tmp, path) == -1) {
		(void)fail_errno(err, errlen, path, "");
		(void)unlink(tmp);
		return -1;
	}
	if (sync_directory(path) == -1)
		return fail_errno(err, errlen, path, "its directory");
	return 0;
}
