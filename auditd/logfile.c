#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/fileattr.h"

#include "auditd/logfile_int.h"

#define COPY_BUF	65536
#define MAX_ASIDE	1000	/* set aside within one second */

static int	 check_dir(struct logfile *, uid_t, struct reason *);
static int	 open_file(struct logfile *, uid_t, struct reason *);
static int	 check_file(struct logfile *, const struct stat *, uid_t,
		    struct reason *);
static int	 set_mode(struct logfile *, struct reason *);
static int	 begin_anew(struct logfile *, const char *, struct reason *);
static int	 set_torn_aside(struct logfile *, struct reason *);
static int	 cut_tail(struct logfile *, off_t, off_t, char *,
		    struct reason *);
static void	 find_breaks(struct logfile *);
static int	 scan_file(struct logfile *, struct reason *);

int
logfile_fail(struct reason *why, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(why->err, why->len, fmt, ap);
	va_end(ap);
	return -1;
}

int
logfile_fail_errno(struct reason *why, const char *path, const char *what)
{
	return logfile_fail(why, "%s: %s%s%s", path, what, *what ? ": " : "",
	    strerror(errno));
}

struct finding *
logfile_finding(struct logfile *lf, const char *alert)
{
	struct finding	*f;

	/* There are not so many kinds; the last place serves the rest. */
	f = &lf->finding[lf->nfindings];
	if (lf->nfindings < LOGFILE_FINDINGS - 1)
		lf->nfindings++;
	memset(f, 0, sizeof(*f));
	f->alert = alert;
	(void)strlcpy(f->path, lf->path, sizeof(f->path));
	return f;
}

void
logfile_path(const struct logfile *lf, const char *name, char out[PATH_MAX])
{
	(void)snprintf(out, PATH_MAX, "%.*s/%.*s",
	    (int)(PATH_MAX - NAME_MAX - 2), lf->dir, NAME_MAX, name);
}

int
logfile_init(struct logfile *lf, const char *path, char *err, size_t errlen)
{
	struct reason	 why = { err, errlen };
	const char	*slash = strrchr(path, '/');
	const char	*name = slash == NULL ? path : slash + 1;

	memset(lf, 0, sizeof(*lf));
	lf->fd = lf->dirfd = -1;
	if (strlcpy(lf->path, path, sizeof(lf->path)) >= sizeof(lf->path) ||
	    strlcpy(lf->dir, path, sizeof(lf->dir)) >= sizeof(lf->dir) ||
	    strlcpy(lf->name, name, sizeof(lf->name)) >= sizeof(lf->name))
		return logfile_fail(&why, "%s: path too long", path);
	if (lf->name[0] == '\0' || strcmp(lf->name, ".") == 0 ||
	    strcmp(lf->name, "..") == 0)
		return logfile_fail(&why, "%s: not a file name", path);
	if (slash == NULL)
		(void)strlcpy(lf->dir, ".", sizeof(lf->dir));
	else
		lf->dir[slash == path ? 1 : slash - path] = '\0';
	return 0;
}

int
logfile_open_dir(struct logfile *lf, char *err, size_t errlen)
{
	struct reason	 why = { err, errlen };

	lf->dirfd = open(lf->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (lf->dirfd == -1)
		return logfile_fail_errno(&why, lf->dir, "");
	return 0;
}

void
logfile_close(struct logfile *lf)
{
	if (lf->fd != -1)
		close(lf->fd);
	if (lf->dirfd != -1)
		close(lf->dirfd);
	lf->fd = lf->dirfd = -1;
}

static int
check_dir(struct logfile *lf, uid_t owner, struct reason *why)
{
	struct finding	*f;
	struct stat	 st;

	if (fstat(lf->dirfd, &st) == -1)
		return logfile_fail_errno(why, lf->dir, "");
	if (st.st_uid != owner)
		return logfile_fail(why, "%s: belongs to uid %u: must be igra-auditd's "
		    "own directory (chown it to uid %u)", lf->dir,
		    (unsigned)st.st_uid, (unsigned)owner);
	if ((st.st_mode & 022) != 0)
		return logfile_fail(why, "%s: writable by others (mode %04o): "
		    "whoever can write it can replace the log: chmod 0700 it",
		    lf->dir, (unsigned)st.st_mode & 07777);
	if ((st.st_mode & 077) != 0) {
		/* Not ours to change: it may be shared on purpose (devnet). */
		f = logfile_finding(lf, "loose directory mode");
		(void)strlcpy(f->path, lf->dir, sizeof(f->path));
		(void)snprintf(f->expected, sizeof(f->expected), "0700");
		(void)snprintf(f->actual, sizeof(f->actual), "%04o",
		    (unsigned)st.st_mode & 07777);
	}
	return 0;
}

static int
check_file(struct logfile *lf, const struct stat *st, uid_t owner,
    struct reason *why)
{
	if (S_ISLNK(st->st_mode))
		return logfile_fail(why, "%s: a symbolic link: the log must be the "
		    "file itself", lf->path);
	if (!S_ISREG(st->st_mode))
		return logfile_fail(why, "%s: not a regular file", lf->path);
	if (st->st_uid != owner)
		return logfile_fail(why, "%s: belongs to uid %u, not to igra-auditd's "
		    "uid %u: move it away or chown it", lf->path,
		    (unsigned)st->st_uid, (unsigned)owner);
	if (st->st_nlink > 1)
		return logfile_fail(why, "%s: has %lu hard links: somebody else holds "
		    "the log under another name", lf->path,
		    (unsigned long)st->st_nlink);
	return 0;
}

/* Of an append-only file only root can change the mode, once that is off. */
static int
set_mode(struct logfile *lf, struct reason *why)
{
	if (fchmod(lf->fd, 0600) == 0)
		return 0;
	if (errno == EPERM && fileattr_append_only(lf->fd))
		return logfile_fail(why, "%s: its mode is not 0600 and cannot "
		    "be set while it has the append-only attribute: take that "
		    "off (chattr -a), chmod 0600 it, set it again", lf->path);
	return logfile_fail_errno(why, lf->path, "chmod");
}

static int
open_file(struct logfile *lf, uid_t owner, struct reason *why)
{
	const int	 flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC |
			    O_NONBLOCK;
	struct finding	*f;
	struct stat	 st;

	lf->fd = openat(lf->dirfd, lf->name, flags | O_CREAT | O_EXCL, 0600);
	if (lf->fd != -1) {
		/* Not left to the umask. */
		if (fchmod(lf->fd, 0600) == -1 || fsync(lf->dirfd) == -1)
			return logfile_fail_errno(why, lf->path, "");
		return 0;
	}
	if (errno != EEXIST)
		return logfile_fail_errno(why, lf->path, "cannot make it");
	/* First without opening: what a FIFO or another's file is, can be said. */
	if (fstatat(lf->dirfd, lf->name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return logfile_fail_errno(why, lf->path, "");
	if (check_file(lf, &st, owner, why) == -1)
		return -1;
	lf->fd = openat(lf->dirfd, lf->name, flags);
	if (lf->fd == -1 || fstat(lf->fd, &st) == -1)
		return logfile_fail_errno(why, lf->path, "");
	if (check_file(lf, &st, owner, why) == -1)
		return -1;
	if ((st.st_mode & 07777) != 0600) {
		f = logfile_finding(lf, "loose log mode");
		(void)snprintf(f->expected, sizeof(f->expected), "0600");
		(void)snprintf(f->actual, sizeof(f->actual), "%04o",
		    (unsigned)st.st_mode & 07777);
		if (set_mode(lf, why) == -1)
			return -1;
	}
	return 0;
}

/* The lock is the inode's: make sure that it still has the name. */
int
logfile_lock(struct logfile *lf, struct reason *why)
{
	struct stat	 a, b;

	if (flock(lf->fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno == EWOULDBLOCK)
			return logfile_fail(why, "%s: another igra-auditd writes it",
			    lf->path);
		return logfile_fail_errno(why, lf->path, "flock");
	}
	if (fstat(lf->fd, &a) == -1 ||
	    fstatat(lf->dirfd, lf->name, &b, AT_SYMLINK_NOFOLLOW) == -1)
		return logfile_fail_errno(why, lf->path, "");
	if (a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		return logfile_fail(why, "%s: was replaced while it was opened",
		    lf->path);
	return 0;
}

int
logfile_utc(char *out, size_t size, struct reason *why, const char *path)
{
	struct tm	 tm;
	time_t		 now = time(NULL);

	if (gmtime_r(&now, &tm) == NULL ||
	    strftime(out, size, "%Y%m%dT%H%M%SZ", &tm) == 0)
		return logfile_fail(why, "%s: the clock is out of range", path);
	return 0;
}

/* NAME.KIND.UTC[.OFFSET], with -1, -2, … if that is taken. */
int
logfile_aside_name(struct logfile *lf, const char *kind, off_t offset,
    char *out, size_t size, struct reason *why)
{
	struct stat	 st;
	char		 utc[32], at[32] = "", again[16] = "";
	int		 n, i;

	if (logfile_utc(utc, sizeof(utc), why, lf->path) == -1)
		return -1;
	if (offset >= 0)
		(void)snprintf(at, sizeof(at), ".%jd", (intmax_t)offset);
	for (i = 0; i < MAX_ASIDE; i++) {
		if (i > 0)
			(void)snprintf(again, sizeof(again), "-%d", i);
		n = snprintf(out, size, "%s.%s.%s%s%s", lf->name, kind, utc,
		    at, again);
		if (n < 0 || (size_t)n >= size)
			return logfile_fail(why, "%s: name too long", lf->path);
		if (fstatat(lf->dirfd, out, &st, AT_SYMLINK_NOFOLLOW) == -1)
			return errno == ENOENT ? 0 :
			    logfile_fail_errno(why, lf->path, out);
	}
	return logfile_fail(why, "%s: too many files set aside", lf->path);
}

int
logfile_set_aside(struct logfile *lf, char moved[CLOSED_MAX], char *err,
    size_t errlen)
{
	struct reason	 why = { err, errlen };
	struct stat	 st;

	moved[0] = '\0';
	if (fstatat(lf->dirfd, lf->name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 :
		    logfile_fail_errno(&why, lf->path, "");
	if (logfile_aside_name(lf, "foreign", -1, moved, CLOSED_MAX,
	    &why) == -1)
		return -1;
	if (renameat(lf->dirfd, lf->name, lf->dirfd, moved) == -1 ||
	    fsync(lf->dirfd) == -1) {
		/* The sandbox lets igra-auditd rename nothing else. */
		if (!S_ISREG(st.st_mode))
			return logfile_fail(&why, "%s: is not a file but "
			    "something else now: look at it, move it away and "
			    "reopen again", lf->path);
		return logfile_fail_errno(&why, lf->path,
		    "cannot set it aside");
	}
	return 0;
}

/* What is there gets another name, which the finding has. */
static int
begin_anew(struct logfile *lf, const char *alert, struct reason *why)
{
	struct finding	*f;
	struct stat	 st;
	char		 to[CLOSED_MAX];

	if (fstat(lf->fd, &st) == -1)
		return logfile_fail_errno(why, lf->path, "");
	if (logfile_set_aside(lf, to, why->err, why->len) == -1)
		return -1;
	f = logfile_finding(lf, alert);
	logfile_path(lf, to, f->path);
	f->has_bytes = true;
	f->bytes = (uint64_t)st.st_size;
	close(lf->fd);
	if (open_file(lf, lf->owner, why) == -1 || logfile_lock(lf, why) == -1)
		return -1;
	memset(&lf->scan, 0, sizeof(lf->scan));
	return 0;
}

int
logfile_copy(int from, int to, off_t at, off_t len)
{
	char	 buf[COPY_BUF];
	size_t	 want, done;
	ssize_t	 n, w;

	while (len > 0) {
		want = len < COPY_BUF ? (size_t)len : COPY_BUF;
		n = pread(from, buf, want, at);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			return -1;
		for (done = 0; done < (size_t)n; done += (size_t)w) {
			w = write(to, buf + done, (size_t)n - done);
			if (w == -1 && errno == EINTR)
				w = 0;
			else if (w <= 0)
				return -1;
		}
		at += n;
		len -= n;
	}
	return fsync(to);
}

/* The copy is durable before the log is cut. */
static int
cut_tail(struct logfile *lf, off_t end, off_t len, char *to,
    struct reason *why)
{
	int	 fd, bad;

	if (logfile_aside_name(lf, "torn", end, to, CLOSED_MAX, why) == -1)
		return -1;
	fd = openat(lf->dirfd, to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd == -1)
		return logfile_fail_errno(why, lf->path,
		    "cannot save a torn line");
	bad = logfile_copy(lf->fd, fd, end, len) == -1 ||
	    fsync(lf->dirfd) == -1;
	if (bad) {
		(void)logfile_fail_errno(why, lf->path,
		    "cannot save a torn line");
		/* A half copy of what is still there. */
		(void)unlinkat(lf->dirfd, to, 0);
	}
	close(fd);
	if (bad)
		return -1;
	if (ftruncate(lf->fd, end) == 0)
		return 0;
	if (errno == EPERM && fileattr_append_only(lf->fd))
		return logfile_fail(why, "%s: ends in a torn line, which "
		    "cannot be cut off while the file has the append-only "
		    "attribute: take that off (chattr -a), start igra-auditd, "
		    "set it again", lf->path);
	return logfile_fail_errno(why, lf->path, "cannot cut a torn line");
}

int
logfile_cut_tail(struct logfile *lf, off_t end, char moved[CLOSED_MAX],
    char *err, size_t errlen)
{
	struct reason	 why = { err, errlen };
	struct stat	 st;

	if (fstat(lf->fd, &st) == -1)
		return logfile_fail_errno(&why, lf->path, "");
	moved[0] = '\0';
	if (st.st_size <= end)
		return 0;
	return cut_tail(lf, end, st.st_size - end, moved, &why);
}

static int
set_torn_aside(struct logfile *lf, struct reason *why)
{
	struct finding	*f;
	char		 to[CLOSED_MAX];

	if (cut_tail(lf, lf->scan.end, lf->scan.torn, to, why) == -1)
		return -1;
	f = logfile_finding(lf, "torn line");
	logfile_path(lf, to, f->path);
	f->has_bytes = true;
	f->bytes = (uint64_t)lf->scan.torn;
	return 0;
}

static void
find_breaks(struct logfile *lf)
{
	struct finding	*f;

	if (lf->scan.breaks == 0)
		return;
	f = logfile_finding(lf, "broken chain");
	(void)snprintf(f->expected, sizeof(f->expected),
	    "line with seq %" PRIu64 " at byte %jd, following the line before",
	    lf->scan.break_seq, (intmax_t)lf->scan.break_at);
	(void)snprintf(f->actual, sizeof(f->actual),
	    "%" PRIu64 " of %" PRIu64 " lines do not follow the line before",
	    lf->scan.breaks, lf->scan.lines);
}

static int
scan_file(struct logfile *lf, struct reason *why)
{
	bool	 replaced = false;

	if (chain_scan(lf->fd, &lf->scan) == -1)
		return logfile_fail_errno(why, lf->path, "read");
	if (lf->scan.foreign &&
	    begin_anew(lf, "foreign log set aside", why) == -1)
		return -1;
	if (lf->scan.lines != 0 &&
	    logfile_compare_copy(lf, &replaced, why) == -1)
		return -1;
	if (replaced && begin_anew(lf, "log replaced", why) == -1)
		return -1;
	find_breaks(lf);
	if (lf->scan.torn > 0 && set_torn_aside(lf, why) == -1)
		return -1;
	if (lf->scan.lines == 0 && logfile_continue(lf, why) == -1)
		return -1;
	lf->first_seq = lf->scan.lines == 0 ? lf->scan.chain.seq + 1 :
	    lf->scan.first_seq;
	return 0;
}

int
logfile_make_anew(struct logfile *lf, char *err, size_t errlen)
{
	struct reason	 why = { err, errlen };
	int		 old = lf->fd;

	if (open_file(lf, lf->owner, &why) == 0 &&
	    logfile_lock(lf, &why) == 0) {
		if (old != -1)
			close(old);
		return 0;
	}
	if (lf->fd != old && lf->fd != -1)
		close(lf->fd);
	lf->fd = old;
	return -1;
}

int
logfile_open(struct logfile *lf, uid_t owner, char *err, size_t errlen)
{
	struct reason	 why = { err, errlen };

	lf->owner = owner;
	if (check_dir(lf, owner, &why) == -1 ||
	    logfile_find_closed(lf, &why) == -1 ||
	    open_file(lf, owner, &why) == -1 ||
	    logfile_lock(lf, &why) == -1 || scan_file(lf, &why) == -1)
		return -1;
	/* keyd is told of these lines as written: they must be. */
	if (fsync(lf->fd) == -1)
		return logfile_fail_errno(&why, lf->path, "sync");
	return 0;
}
