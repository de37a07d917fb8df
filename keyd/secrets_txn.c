/* Replacing the secrets file; see secrets_file.h. */
#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "isec.h"
#include "secrets_file.h"

#define TMP_MARK	".tmp."
#define TMP_RANDOM	6	/* mkstemp's XXXXXX */

static int	txn_error(const char *, const char *, char *, size_t);
static int	txn_paths(struct secrets_txn *, const char *);
static int	txn_lock(struct secrets_txn *, char *, size_t);
static void	txn_clean(const struct secrets_txn *);
static int	txn_write(int, const uint8_t *, size_t);
static int	txn_owner(int, const struct secrets_txn *);
static int	txn_install(const struct secrets_txn *, const char *);

static int
txn_error(const char *path, const char *what, char *err, size_t errlen)
{
	(void)snprintf(err, errlen, "%s: %s: %s", path, what, strerror(errno));
	return -1;
}

static int
txn_paths(struct secrets_txn *t, const char *path)
{
	const char	*slash = strrchr(path, '/');

	t->path = strdup(path);
	if (slash == NULL) {
		t->dir = strdup(".");
		t->base = strdup(path);
	} else {
		t->dir = slash == path ? strdup("/") :
		    strndup(path, (size_t)(slash - path));
		t->base = strdup(slash + 1);
	}
	if (t->path == NULL || t->dir == NULL || t->base == NULL)
		return -1;
	if (t->base[0] == '\0') {
		errno = EISDIR;
		return -1;
	}
	return 0;
}

static int
txn_lock(struct secrets_txn *t, char *err, size_t errlen)
{
	struct stat	 st, file;
	char		*name;

	if (asprintf(&name, "%s.lock", t->base) == -1)
		return txn_error(t->path, "lock", err, errlen);
	t->lockfd = openat(t->dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW |
	    O_NONBLOCK | O_CLOEXEC, 0600);
	free(name);
	if (t->lockfd == -1)
		return txn_error(t->path, "cannot open its .lock file", err,
		    errlen);
	if (fstat(t->lockfd, &st) == -1 || !S_ISREG(st.st_mode)) {
		(void)snprintf(err, errlen, "%s: its .lock is not a regular "
		    "file", t->path);
		return -1;
	}
	/* Made by root, the lock must still serve the file's owner. */
	if (geteuid() == 0 && st.st_uid == 0 && fstatat(t->dirfd, t->base,
	    &file, AT_SYMLINK_NOFOLLOW) == 0 && file.st_uid != 0 &&
	    fchown(t->lockfd, file.st_uid, file.st_gid) == -1)
		return txn_error(t->path, "owner of its .lock", err, errlen);
	while (flock(t->lockfd, LOCK_EX) == -1)
		if (errno != EINTR)
			return txn_error(t->path, "lock", err, errlen);
	return 0;
}

/*
 * Whoever holds the lock is the only writer, so that any temporary file there
 * was left by one that was killed.
 */
static void
txn_clean(const struct secrets_txn *t)
{
	struct dirent	*e;
	DIR		*d;
	size_t		 n = strlen(t->base), mark = strlen(TMP_MARK);

	if ((d = opendir(t->dir)) == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] == '.' &&
		    strncmp(e->d_name + 1, t->base, n) == 0 &&
		    strncmp(e->d_name + 1 + n, TMP_MARK, mark) == 0 &&
		    strlen(e->d_name + 1 + n + mark) == TMP_RANDOM)
			(void)unlinkat(t->dirfd, e->d_name, 0);
	closedir(d);
}

int
secrets_begin(struct secrets_txn *t, const char *path, unsigned flags,
    char *err, size_t errlen)
{
	struct stat	 st;

	memset(t, 0, sizeof(*t));
	t->lockfd = t->dirfd = -1;
	if (txn_paths(t, path) == -1) {
		(void)txn_error(path, "path", err, errlen);
		goto bad;
	}
	t->dirfd = open(t->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->dirfd == -1) {
		(void)txn_error(t->path, "its directory", err, errlen);
		goto bad;
	}
	/* A reader's mistake should not leave a lock file in the directory. */
	if (!(flags & SECRETS_CREATE) && fstatat(t->dirfd, t->base, &st,
	    AT_SYMLINK_NOFOLLOW) == -1 && errno == ENOENT) {
		(void)snprintf(err, errlen, "%s: no such secrets file", path);
		goto bad;
	}
	if (txn_lock(t, err, errlen) == -1)
		goto bad;
	txn_clean(t);
	if (fstatat(t->dirfd, t->base, &st, AT_SYMLINK_NOFOLLOW) == -1 &&
	    errno == ENOENT && (flags & SECRETS_CREATE)) {
		if (errlen > 0)
			err[0] = '\0';
		return 0;
	}
	if (secrets_file_readat(t->dirfd, t->base, t->path, flags, &t->old,
	    err, errlen) == -1)
		goto bad;
	t->exists = true;
	return 0;
bad:
	secrets_end(t);
	return -1;
}

static int
txn_write(int fd, const uint8_t *data, size_t len)
{
	ssize_t	 n;

	while (len > 0) {
		n = write(fd, data, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
txn_owner(int fd, const struct secrets_txn *t)
{
	struct stat	 st;

	if (!t->exists)
		return fchmod(fd, 0600);
	if (fstat(fd, &st) == -1)
		return -1;
	if ((st.st_uid != t->old.uid || st.st_gid != t->old.gid) &&
	    fchown(fd, t->old.uid, t->old.gid) == -1)
		return -1;
	return fchmod(fd, t->old.mode);
}

/*
 * link(2) refuses to overwrite: a file that another program, which knows no
 * lock, put there meanwhile survives.
 */
static int
txn_install(const struct secrets_txn *t, const char *tmp)
{
	if (t->exists)
		return renameat(t->dirfd, tmp, t->dirfd, t->base);
	if (linkat(t->dirfd, tmp, t->dirfd, t->base, 0) == -1)
		return -1;
	(void)unlinkat(t->dirfd, tmp, 0);
	return 0;
}

int
secrets_commit(struct secrets_txn *t, const uint8_t *data, size_t len,
    char *err, size_t errlen)
{
	const char	*what = "cannot make a temporary file";
	char		*tmp, *tmpbase;
	int		 fd, ret = -1;

	if (asprintf(&tmp, "%s/.%s" TMP_MARK "XXXXXX", t->dir, t->base) == -1)
		return txn_error(t->path, what, err, errlen);
	tmpbase = strrchr(tmp, '/') + 1;
	if ((fd = mkostemp(tmp, O_CLOEXEC)) == -1)
		goto out;
	what = "cannot write";
	if (txn_write(fd, data, len) == -1)
		goto out;
	what = "cannot keep owner and mode";
	if (txn_owner(fd, t) == -1)
		goto out;
	what = "cannot write";
	if (fsync(fd) == -1)
		goto out;
	what = "cannot replace";
	if (txn_install(t, tmpbase) == -1)
		goto out;
	what = "cannot sync its directory";
	if (fsync(t->dirfd) == -1)
		goto out;
	ret = 0;
out:
	if (ret == -1) {
		(void)txn_error(t->path, what, err, errlen);
		if (fd != -1)
			(void)unlinkat(t->dirfd, tmpbase, 0);
	}
	if (fd != -1)
		close(fd);
	free(tmp);
	return ret;
}

void
secrets_end(struct secrets_txn *t)
{
	/* Closing the descriptor gives the lock back. */
	if (t->lockfd != -1)
		close(t->lockfd);
	if (t->dirfd != -1)
		close(t->dirfd);
	secrets_file_free(&t->old);
	free(t->path);
	free(t->dir);
	free(t->base);
	memset(t, 0, sizeof(*t));
	t->lockfd = t->dirfd = -1;
}
