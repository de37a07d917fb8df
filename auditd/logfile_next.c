/* From one file of the log to the next. */
#include <sys/file.h>
#include <sys/stat.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auditd/logfile_int.h"

#define UTC_LEN		16	/* 20261124T082641Z */
#define COMPARE_BUF	16384

static size_t	 stem(const struct logfile *);
static bool	 is_closed(const struct logfile *, const char *);
static void	 next_name(const struct logfile *, char *);
static int	 find_newest(struct logfile *, struct reason *);
static int	 open_named(struct logfile *, const char *);
static int	 make_writable(struct logfile *, const char *);
static int	 scan_named(struct logfile *, const char *,
		    struct chain_scan *);
static int	 recover_next(struct logfile *, struct reason *);
static int	 holds(int, int, off_t);
static int	 drop_copy(struct logfile *, struct reason *);

/* "key-audit" of "key-audit.log". */
static size_t
stem(const struct logfile *lf)
{
	size_t	 len = strlen(lf->name);

	return len > 4 && strcmp(lf->name + len - 4, ".log") == 0 ?
	    len - 4 : len;
}

static void
next_name(const struct logfile *lf, char *out)
{
	(void)snprintf(out, CLOSED_MAX, "%.*s.new", NAME_MAX - 4, lf->name);
}

/* STEM.UTC.SEQ.log */
static bool
is_closed(const struct logfile *lf, const char *name)
{
	size_t	 n = stem(lf), i;

	if (strncmp(name, lf->name, n) != 0 || name[n] != '.')
		return false;
	name += n + 1;
	for (i = 0; i < UTC_LEN; i++)
		if (i == 8 ? name[i] != 'T' : i == UTC_LEN - 1 ?
		    name[i] != 'Z' : !isdigit((unsigned char)name[i]))
			return false;
	name += UTC_LEN;
	if (*name++ != '.' || !isdigit((unsigned char)*name))
		return false;
	return strcmp(name + strspn(name, "0123456789"), ".log") == 0;
}

/* Names sort as the files follow each other. */
static int
find_newest(struct logfile *lf, struct reason *why)
{
	struct dirent	*e;
	DIR		*d;
	int		 fd;

	lf->newest[0] = '\0';
	fd = openat(lf->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || (d = fdopendir(fd)) == NULL) {
		if (fd != -1)
			close(fd);
		return logfile_fail_errno(why, lf->dir, "read");
	}
	while ((e = readdir(d)) != NULL)
		if (is_closed(lf, e->d_name) &&
		    strcmp(e->d_name, lf->newest) > 0)
			(void)strlcpy(lf->newest, e->d_name,
			    sizeof(lf->newest));
	closedir(d);
	return 0;
}

/* A crash may have come before its mode was set. */
static int
open_named(struct logfile *lf, const char *name)
{
	struct stat	 st;
	int		 fd;

	fd = openat(lf->dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC |
	    O_NONBLOCK);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_uid != lf->owner) {
		close(fd);
		errno = EPERM;
		return -1;
	}
	if ((st.st_mode & 07777) != 0400)
		(void)fchmod(fd, 0400);
	return fd;
}

/* Of a descriptor: the sandbox changes none by a path. */
static int
make_writable(struct logfile *lf, const char *name)
{
	int	 fd, ret, saved;

	if ((fd = open_named(lf, name)) == -1)
		return -1;
	ret = fchmod(fd, 0600);
	saved = errno;
	close(fd);
	errno = saved;
	return ret;
}

static int
scan_named(struct logfile *lf, const char *name, struct chain_scan *s)
{
	int	 fd, ret;

	if ((fd = open_named(lf, name)) == -1)
		return -1;
	ret = chain_scan(fd, s);
	close(fd);
	return ret;
}

/*
 * A crash between the two renames left NAME.new as the log's next file; one
 * before the first rename, as a file that never was part of it.
 */
static int
recover_next(struct logfile *lf, struct reason *why)
{
	struct chain_scan	 next, last;
	struct stat		 st;
	char			 name[CLOSED_MAX];

	next_name(lf, name);
	if (fstatat(lf->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 :
		    logfile_fail_errno(why, lf->path, name);
	if (fstatat(lf->dirfd, lf->name, &st, AT_SYMLINK_NOFOLLOW) == -1 &&
	    errno == ENOENT && lf->newest[0] != '\0' &&
	    scan_named(lf, lf->newest, &last) == 0 &&
	    scan_named(lf, name, &next) == 0 && next.lines == 1 &&
	    next.first_seq == last.chain.seq + 1 && memcmp(next.first_prev,
	    last.chain.head, CHAIN_HASH) == 0) {
		if (make_writable(lf, name) == -1 ||
		    renameat(lf->dirfd, name, lf->dirfd, lf->name) == -1 ||
		    fsync(lf->dirfd) == -1)
			return logfile_fail_errno(why, lf->path, name);
		return 0;
	}
	if (unlinkat(lf->dirfd, name, 0) == -1)
		return logfile_fail_errno(why, lf->path, name);
	return 0;
}

int
logfile_find_closed(struct logfile *lf, struct reason *why)
{
	int	 fd;

	if (find_newest(lf, why) == -1)
		return -1;
	if (lf->newest[0] != '\0' && (fd = open_named(lf, lf->newest)) != -1)
		close(fd);
	return recover_next(lf, why);
}

/* 1 when the log begins with all of the copy, 0 when not, -1 (errno). */
static int
holds(int log, int copy, off_t len)
{
	char	 a[COMPARE_BUF], b[COMPARE_BUF];
	off_t	 at;
	ssize_t	 n;

	for (at = 0; at < len; at += n) {
		n = pread(copy, a, sizeof(a), at);
		if (n == -1 && errno == EINTR) {
			n = 0;
			continue;
		}
		if (n <= 0)
			return n == 0 ? 0 : -1;
		if (pread(log, b, (size_t)n, at) != n ||
		    memcmp(a, b, (size_t)n) != 0)
			return 0;
	}
	return 1;
}

/* The log holds it as well. */
static int
drop_copy(struct logfile *lf, struct reason *why)
{
	struct finding	*f;

	if (unlinkat(lf->dirfd, lf->newest, 0) == -1 || fsync(lf->dirfd) == -1)
		return logfile_fail_errno(why, lf->newest,
		    "cannot remove what the log holds as well");
	f = logfile_finding(lf, "log deleted");
	(void)snprintf(f->actual, sizeof(f->actual), "the file is back");
	return find_newest(lf, why);
}

int
logfile_compare_copy(struct logfile *lf, bool *replaced, struct reason *why)
{
	struct chain_scan	 s;
	struct stat		 st;
	uint64_t		 seq;
	int			 fd, same = 0;

	*replaced = false;
	if (lf->newest[0] == '\0')
		return 0;
	seq = strtoull(lf->newest + stem(lf) + 1 + UTC_LEN + 1, NULL, 10);
	/* Those before the log begin before it. */
	if (seq < lf->scan.first_seq ||
	    (fd = open_named(lf, lf->newest)) == -1)
		return 0;
	if (fstat(fd, &st) == 0 && st.st_size <= lf->scan.end)
		same = holds(lf->fd, fd, st.st_size);
	*replaced = same == 0 && chain_scan(fd, &s) == 0 && !s.foreign &&
	    s.lines > 0 && s.first_seq == seq && s.breaks == 0 && s.torn == 0;
	close(fd);
	return same == 1 ? drop_copy(lf, why) : 0;
}

/* Never empty otherwise: the log has a line before it has the name. */
int
logfile_continue(struct logfile *lf, struct reason *why)
{
	struct chain_scan	 last;
	struct finding		*f;

	if (lf->newest[0] == '\0')
		return 0;
	if (scan_named(lf, lf->newest, &last) == -1)
		return logfile_fail_errno(why, lf->newest,
		    "cannot go on after it");
	lf->scan.chain = last.chain;
	f = logfile_finding(lf, "log missing");
	(void)snprintf(f->expected, sizeof(f->expected),
	    "the file after %.120s", lf->newest);
	(void)snprintf(f->actual, sizeof(f->actual), "none, or an empty one");
	return 0;
}

int
logfile_make_next(struct logfile *lf, const char *line, size_t len, char *err,
    size_t errlen)
{
	struct reason	 why = { err, errlen };
	char		 name[CLOSED_MAX];
	size_t		 done = 0;
	ssize_t		 n;
	int		 fd;

	next_name(lf, name);
	(void)unlinkat(lf->dirfd, name, 0);
	fd = openat(lf->dirfd, name, O_RDWR | O_APPEND | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (fd == -1)
		return logfile_fail_errno(&why, name, "cannot make it");
	if (fchmod(fd, 0600) == -1 || flock(fd, LOCK_EX | LOCK_NB) == -1)
		goto fail;
	while (done < len) {
		n = write(fd, line + done, len - done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			goto fail;
		done += (size_t)n;
	}
	if (fsync(fd) == -1)
		goto fail;
	return fd;
fail:
	(void)logfile_fail_errno(&why, name, "cannot write it");
	logfile_drop_next(lf, fd);
	return -1;
}

void
logfile_drop_next(struct logfile *lf, int fd)
{
	char	 name[CLOSED_MAX];

	next_name(lf, name);
	(void)unlinkat(lf->dirfd, name, 0);
	close(fd);
}

/* A clock that went back does not make the names go back. */
int
logfile_closed_name(struct logfile *lf, char out[CLOSED_MAX], char *err,
    size_t errlen)
{
	struct reason	 why = { err, errlen };
	struct stat	 st;
	char		 utc[UTC_LEN + 1];
	const char	*last;
	int		 n;

	if (logfile_utc(utc, sizeof(utc), &why, lf->path) == -1)
		return -1;
	last = lf->newest + stem(lf) + 1;
	if (lf->newest[0] != '\0' && strncmp(utc, last, UTC_LEN) < 0) {
		memcpy(utc, last, UTC_LEN);
		utc[UTC_LEN] = '\0';
	}
	n = snprintf(out, CLOSED_MAX, "%.*s.%s.%012" PRIu64 ".log",
	    (int)stem(lf), lf->name, utc, lf->first_seq);
	if (n < 0 || n >= CLOSED_MAX)
		return logfile_fail(&why, "%s: name too long", lf->path);
	if (fstatat(lf->dirfd, out, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return logfile_fail(&why, "%s: %s is there already", lf->path,
		    out);
	return 0;
}

bool
logfile_is(const struct logfile *lf, const char *name)
{
	struct stat	 st, named;

	return fstat(lf->fd, &st) == 0 && fstatat(lf->dirfd, name, &named,
	    AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == named.st_dev &&
	    st.st_ino == named.st_ino;
}

int
logfile_take_next(struct logfile *lf, int fd, const char *closed, char *err,
    size_t errlen)
{
	struct reason	 why = { err, errlen };
	char		 name[CLOSED_MAX];
	int		 saved;

	next_name(lf, name);
	if (renameat(lf->dirfd, lf->name, lf->dirfd, closed) == -1)
		return logfile_fail_errno(&why, lf->path, "rename");
	if (!logfile_is(lf, closed)) {
		/* Put there since somebody looked; ours is only in lf->fd. */
		(void)renameat(lf->dirfd, closed, lf->dirfd, lf->name);
		return logfile_fail(&why, "%s: was replaced", lf->path);
	}
	if (renameat(lf->dirfd, name, lf->dirfd, lf->name) == -1 ||
	    fsync(lf->dirfd) == -1) {
		/* Back, so that no line is in a file without a name. */
		saved = errno;
		(void)renameat(lf->dirfd, lf->name, lf->dirfd, name);
		(void)renameat(lf->dirfd, closed, lf->dirfd, lf->name);
		(void)fsync(lf->dirfd);
		errno = saved;
		return logfile_fail_errno(&why, lf->path, "rename");
	}
	(void)fchmod(lf->fd, 0400);
	close(lf->fd);
	lf->fd = fd;
	(void)strlcpy(lf->newest, closed, sizeof(lf->newest));
	return 0;
}

int
logfile_copy_out(struct logfile *lf, off_t end, const char *closed, char *err,
    size_t errlen)
{
	struct reason	 why = { err, errlen };
	int		 fd;

	fd = openat(lf->dirfd, closed, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0400);
	if (fd == -1)
		return logfile_fail_errno(&why, closed, "cannot make it");
	if (fchmod(fd, 0400) == -1 ||
	    logfile_copy(lf->fd, fd, 0, end) == -1 ||
	    fsync(lf->dirfd) == -1) {
		(void)logfile_fail_errno(&why, closed, "cannot write it");
		(void)unlinkat(lf->dirfd, closed, 0);
		close(fd);
		return -1;
	}
	close(fd);
	return 0;
}
