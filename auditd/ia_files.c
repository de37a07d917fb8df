#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auditd/ia_files.h"

#define LOG_NAME	"key-audit.log"
#define SUFFIX		".log"
#define SEQ_DIGITS	12
#define NAME_SIZE	(NAME_MAX + 64)
#define RETRIES		20	/* rotations while the directory is read */
#define MISSING		3	/* looks for a log that is not there */
#define FLAGS		(O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)

static int	 split(struct ia_files *, const char *, char *, size_t);
static int	 open_regular(int, const char *, int);
static int	 list(struct ia_files *, char *, size_t);
static int	 add(struct ia_files *, size_t *, const struct ia_name *);
static int	 by_seq(const void *, const void *);
static bool	 still_there(const struct ia_files *);
static int	 get_operand(const char *, struct ia_file *);
static void	 name_format(const struct ia_files *, const struct ia_name *,
		    char *, size_t);

/* Where the log is, and what its closed files begin with. */
static int
split(struct ia_files *fs, const char *path, char *err, size_t errlen)
{
	const char	*name = LOG_NAME, *slash;
	struct stat	 st;
	size_t		 n;
	bool		 fits;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		fits = strlcpy(fs->dir, path, sizeof(fs->dir)) <
		    sizeof(fs->dir);
	else {
		slash = strrchr(path, '/');
		name = slash != NULL ? slash + 1 : path;
		fits = strlcpy(fs->dir, slash == NULL ? "." : path,
		    sizeof(fs->dir)) < sizeof(fs->dir);
		if (fits && slash != NULL)
			fs->dir[slash == path ? 1 : slash - path] = '\0';
	}
	fits = fits && strlcpy(fs->active_name, name,
	    sizeof(fs->active_name)) < sizeof(fs->active_name);
	if (!fits || *name == '\0') {
		(void)snprintf(err, errlen, "%s", fits ? "not a file name" :
		    "path too long");
		return -1;
	}
	(void)strlcpy(fs->base, name, sizeof(fs->base));
	n = strlen(fs->base);
	if (n > strlen(SUFFIX) &&
	    strcmp(fs->base + n - strlen(SUFFIX), SUFFIX) == 0)
		fs->base[n - strlen(SUFFIX)] = '\0';
	return 0;
}

/* -1 with errno; EINVAL: it is something else. */
static int
open_regular(int dirfd, const char *name, int flags)
{
	struct stat	 st;
	int		 fd;

	if ((fd = openat(dirfd, name, FLAGS | flags)) == -1)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

bool
ia_name_parse(const char *base, const char *name, struct ia_name *n)
{
	static const char	 form[] = ".ddddddddTddddddZ.";
	size_t			 i, len = strlen(base);
	char			 again[32];
	int			 width;
	char			*end;

	if (strncmp(name, base, len) != 0)
		return false;
	name += len;
	for (i = 0; form[i] != '\0'; i++)
		if (form[i] == 'd' ? name[i] < '0' || name[i] > '9' :
		    name[i] != form[i])
			return false;
	memcpy(n->utc, name + 1, IA_UTC);
	n->utc[IA_UTC] = '\0';
	name += i;
	errno = 0;
	n->seq = strtoull(name, &end, 10);
	width = snprintf(again, sizeof(again), "%0*" PRIu64 SUFFIX,
	    SEQ_DIGITS, n->seq);
	return errno == 0 && n->seq > 0 && width > 0 && strcmp(again, name) == 0;
}

static void
name_format(const struct ia_files *fs, const struct ia_name *n, char *out,
    size_t size)
{
	(void)snprintf(out, size, "%s.%s.%0*" PRIu64 SUFFIX, fs->base, n->utc,
	    SEQ_DIGITS, n->seq);
}

static int
by_seq(const void *a, const void *b)
{
	const struct ia_name	*x = a, *y = b;

	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return strcmp(x->utc, y->utc);
}

static int
add(struct ia_files *fs, size_t *cap, const struct ia_name *n)
{
	struct ia_name	*more;

	if (fs->nclosed == *cap) {
		*cap = *cap == 0 ? 64 : *cap * 2;
		more = reallocarray(fs->closed, *cap, sizeof(*more));
		if (more == NULL)
			return -1;
		fs->closed = more;
	}
	fs->closed[fs->nclosed++] = *n;
	return 0;
}

static int
list(struct ia_files *fs, char *err, size_t errlen)
{
	struct dirent	*e;
	struct ia_name	 n;
	size_t		 cap = 0;
	DIR		*d;
	int		 fd;

	free(fs->closed);
	fs->closed = NULL;
	fs->nclosed = 0;
	/* Opened anew: a copy would share its place in the directory. */
	if ((fd = openat(fs->dirfd, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1 || (d = fdopendir(fd)) == NULL) {
		(void)snprintf(err, errlen, "%s: %s", fs->dir, strerror(errno));
		if (fd != -1)
			close(fd);
		return -1;
	}
	for (errno = 0; (e = readdir(d)) != NULL; errno = 0) {
		if (!ia_name_parse(fs->base, e->d_name, &n))
			continue;
		if (fs->nclosed == IA_FILES_MAX)
			errno = EFBIG;
		if (fs->nclosed == IA_FILES_MAX || add(fs, &cap, &n) == -1)
			break;
	}
	if (errno != 0)
		(void)snprintf(err, errlen, "%s: %s", fs->dir, strerror(errno));
	fd = errno != 0 ? -1 : 0;
	closedir(d);
	if (fd == 0 && fs->nclosed > 1)
		qsort(fs->closed, fs->nclosed, sizeof(*fs->closed), by_seq);
	return fd;
}

/* Was the log rotated after it was opened? */
static bool
still_there(const struct ia_files *fs)
{
	struct stat	 a, b;
	bool		 there;

	there = fstatat(fs->dirfd, fs->active_name, &b,
	    AT_SYMLINK_NOFOLLOW) == 0;
	if (fs->active == -1)
		return !there || fs->active_errno != ENOENT;
	return there && fstat(fs->active, &a) == 0 && a.st_dev == b.st_dev &&
	    a.st_ino == b.st_ino;
}

int
ia_files_open(struct ia_files *fs, const char *path, char *err, size_t errlen)
{
	const struct timespec	 pause = { 0, 20000000 };
	int			 i, missing = 0;

	memset(fs, 0, sizeof(*fs));
	fs->dirfd = fs->active = -1;
	if (split(fs, path, err, errlen) == -1)
		return -1;
	fs->dirfd = open(fs->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fs->dirfd == -1) {
		(void)snprintf(err, errlen, "%s: %s", fs->dir, strerror(errno));
		return -1;
	}
	for (i = 0; i < RETRIES; i++) {
		if (fs->active != -1)
			close(fs->active);
		fs->active = open_regular(fs->dirfd, fs->active_name,
		    O_NOFOLLOW);
		fs->active_errno = fs->active == -1 ? errno : 0;
		if (list(fs, err, errlen) == -1)
			break;
		if (!still_there(fs))
			continue;
		/* Between the two renames of a rotation there is none. */
		if (fs->active != -1 || fs->active_errno != ENOENT ||
		    fs->nclosed == 0 || ++missing > MISSING)
			return 0;
		(void)nanosleep(&pause, NULL);
	}
	if (i == RETRIES)
		(void)snprintf(err, errlen, "%s: it is rotated all the time",
		    fs->dir);
	ia_files_close(fs);
	return -1;
}

void
ia_files_operands(struct ia_files *fs, char *const *operand, size_t n)
{
	memset(fs, 0, sizeof(*fs));
	fs->dirfd = fs->active = -1;
	fs->operand = operand;
	fs->noperands = n;
}

void
ia_files_close(struct ia_files *fs)
{
	if (fs->active != -1)
		close(fs->active);
	if (fs->dirfd != -1)
		close(fs->dirfd);
	free(fs->closed);
	fs->closed = NULL;
	fs->nclosed = fs->noperands = 0;
	fs->active = fs->dirfd = -1;
}

size_t
ia_files_count(const struct ia_files *fs)
{
	if (fs->operand != NULL)
		return fs->noperands;
	return fs->nclosed + (fs->active != -1 || fs->active_errno != ENOENT);
}

uint64_t
ia_files_bytes(const struct ia_files *fs)
{
	char		 name[NAME_SIZE];
	struct stat	 st;
	uint64_t	 sum = 0;
	size_t		 i;

	for (i = 0; i < fs->noperands; i++)
		if (stat(fs->operand[i], &st) == 0 && S_ISREG(st.st_mode))
			sum += (uint64_t)st.st_size;
	for (i = 0; i < fs->nclosed; i++) {
		name_format(fs, &fs->closed[i], name, sizeof(name));
		if (fstatat(fs->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			sum += (uint64_t)st.st_size;
	}
	if (fs->active != -1 && fstat(fs->active, &st) == 0)
		sum += (uint64_t)st.st_size;
	return sum;
}

static int
get_operand(const char *name, struct ia_file *f)
{
	const char	*slash = strrchr(name, '/'), *dot;
	char		 base[NAME_MAX + 1];
	struct ia_name	 n;

	(void)strlcpy(f->path, name, sizeof(f->path));
	if (strcmp(name, "-") == 0)
		return dup(STDIN_FILENO);
	name = slash != NULL ? slash + 1 : name;
	/* The base is whatever stands before the first ".UTC.SEQ.log". */
	for (dot = strchr(name, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
		if ((size_t)(dot - name) >= sizeof(base))
			break;
		memcpy(base, name, (size_t)(dot - name));
		base[dot - name] = '\0';
		if (ia_name_parse(base, name, &n)) {
			f->name_seq = n.seq;
			break;
		}
	}
	return open_regular(AT_FDCWD, f->path, 0);
}

int
ia_files_get(const struct ia_files *fs, size_t i, struct ia_file *f, char *err,
    size_t errlen)
{
	char	 name[NAME_SIZE];
	int	 len;

	memset(f, 0, sizeof(*f));
	f->last = i + 1 == ia_files_count(fs);
	if (fs->operand != NULL)
		f->fd = get_operand(fs->operand[i], f);
	else {
		(void)strlcpy(name, fs->active_name, sizeof(name));
		if (i < fs->nclosed)
			name_format(fs, &fs->closed[i], name, sizeof(name));
		len = snprintf(f->path, sizeof(f->path), "%s/%s",
		    strcmp(fs->dir, "/") == 0 ? "" : fs->dir, name);
		if (len < 0 || (size_t)len >= sizeof(f->path))
			f->path[sizeof(f->path) - 1] = '\0';
		if (i < fs->nclosed) {
			f->name_seq = fs->closed[i].seq;
			f->fd = open_regular(fs->dirfd, name, O_NOFOLLOW);
		} else if (fs->active != -1)
			f->fd = fcntl(fs->active, F_DUPFD_CLOEXEC, 0);
		else {
			f->fd = -1;
			errno = fs->active_errno;
		}
	}
	if (f->fd != -1)
		return 0;
	(void)snprintf(err, errlen, "%s", errno == EINVAL ?
	    "not a regular file" : errno == ELOOP ? "a symbolic link" :
	    strerror(errno));
	return -1;
}

int
ia_files_next(struct ia_files *fs, struct ia_file *f, char *err, size_t errlen)
{
	if (fs->at >= ia_files_count(fs))
		return 0;
	return ia_files_get(fs, fs->at++, f, err, errlen) == -1 ? -1 : 1;
}
