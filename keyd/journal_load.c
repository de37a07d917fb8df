/* Opening the journal's file, and reading it into memory. */
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "journal_int.h"
#include "log.h"

#define PREALLOC	(4U * 1024 * 1024)
#define LOCK_TRIES	500		/* of 20 ms */
#define BUFSIZE		(1024U * 1024)	/* holds many entries of FORMAT_MAX */

_Static_assert(BUFSIZE > 2 * FORMAT_MAX, "an entry fits");

/* The file from start on, as far as it has been read. */
struct window_of_file {
	int		 fd;
	uint8_t		*buf;
	uint64_t	 start;
	size_t		 len;
	bool		 eof;
};

static int	fail(char *, size_t, const char *, ...)
		    __attribute__((format(printf, 3, 4)));
static void	damaged(struct journal *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));
static int	create(const char *, const struct journal_owner *, char *,
		    size_t);
static int	check(int, const char *, const struct journal_owner *, char *,
		    size_t);
static int	lock(int, const char *, char *, size_t);
static int	more(struct window_of_file *, size_t);
static int	read_slots(struct journal *, struct slot *);
static int	take(struct journal *, const struct slot *,
		    const struct entry *);
static int	read_entries(struct journal *, struct window_of_file *,
		    const struct slot *);
static int	read_rest(struct journal *, struct window_of_file *, uint64_t *);
static int	cut(struct journal *, uint64_t);

static int
fail(char *err, size_t size, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(err, size, fmt, ap);
	va_end(ap);
	return -1;
}

static void
damaged(struct journal *j, const char *fmt, ...)
{
	char	 what[128];
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	j->file->damaged = true;
	(void)snprintf(j->fault, sizeof(j->fault), "the policy journal is "
	    "damaged (%s): put a copy back, or move it away, restart "
	    "igra-keyd and see igractl policy accept-rollback", what);
	log_alert("%s: %s", j->file->path, j->fault);
}

/* Under another name until it is whole, so that it is whole or not there. */
static int
create(const char *path, const struct journal_owner *o, char *err,
    size_t errlen)
{
	struct slot	 s;
	uint8_t		*first;
	char		 tmp[PATH_MAX], dir[PATH_MAX];
	int		 fd = -1, dirfd = -1, ret = -1;

	(void)strlcpy(dir, path, sizeof(dir));
	if (snprintf(tmp, sizeof(tmp), "%s.new", path) >= (int)sizeof(tmp))
		return fail(err, errlen, "%s: path too long", path);
	if ((first = calloc(1, FORMAT_FIRST)) == NULL)
		return fail(err, errlen, "out of memory");
	memset(&s, 0, sizeof(s));
	s.end = FORMAT_FIRST;
	s.generation = 1;
	/* No boot is like this one: nothing is counted, so nothing is asked. */
	format_header(first);
	format_slot(&s, first + FORMAT_SLOT_AT(0));
	(void)unlink(tmp);
	fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd == -1 || (o->root && fchown(fd, o->uid, o->gid) == -1) ||
	    fchmod(fd, 0600) == -1 ||
	    write_all(&journal_system, fd, first, FORMAT_FIRST, 0) == -1)
		goto out;
	child_extend(fd, 0, PREALLOC);
	if (fsync(fd) == -1 || rename(tmp, path) == -1 ||
	    (dirfd = open(dirname(dir), O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1 || fsync(dirfd) == -1)
		goto out;
	ret = 0;
out:
	if (ret == -1)
		(void)fail(err, errlen, "%s: cannot make it: %s", path,
		    strerror(errno));
	if (fd != -1)
		close(fd);
	if (dirfd != -1)
		close(dirfd);
	free(first);
	return ret;
}

static int
check(int fd, const char *path, const struct journal_owner *o, char *err,
    size_t errlen)
{
	struct stat	 st;

	if (fstat(fd, &st) == -1)
		return fail(err, errlen, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail(err, errlen, "%s: not a regular file", path);
	if (st.st_nlink != 1)
		return fail(err, errlen, "%s: has another name as well (%lu "
		    "links)", path, (unsigned long)st.st_nlink);
	if (st.st_uid != o->uid)
		return fail(err, errlen, "%s: belongs to uid %u, should be "
		    "uid %u: chown it", path, (unsigned)st.st_uid,
		    (unsigned)o->uid);
	if ((st.st_mode & 07777) == 0600)
		return 0;
	if (o->strict)
		return fail(err, errlen, "%s: mode %04o: chmod 0600 %s", path,
		    (unsigned)st.st_mode & 07777, path);
	log_warning("%s: mode %04o, now 0600", path,
	    (unsigned)st.st_mode & 07777);
	if (fchmod(fd, 0600) == -1)
		return fail(err, errlen, "%s: chmod: %s", path,
		    strerror(errno));
	return 0;
}

/* The writer of a keyd that was killed has the lock until it has finished. */
static int
lock(int fd, const char *path, char *err, size_t errlen)
{
	const struct timespec	 pause = { 0, 20 * 1000 * 1000 };
	int			 i;

	for (i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail(err, errlen, "%s: flock: %s", path,
			    strerror(errno));
		(void)nanosleep(&pause, NULL);
	}
	return fail(err, errlen, "%s: another process has it", path);
}

int
journal_open(struct journal *j, const char *path,
    const struct journal_owner *o, char *err, size_t errlen)
{
	const int	 flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	struct stat	 st;
	struct file	*f;

	if ((f = calloc(1, sizeof(*f))) == NULL ||
	    (f->path = strdup(path)) == NULL) {
		free(f);
		return fail(err, errlen, "out of memory");
	}
	TAILQ_INIT(&f->queue);
	f->sock = -1;
	f->end = f->synced = FORMAT_FIRST;
	j->file = f;
	f->fd = open(path, flags);
	if (f->fd == -1 && errno == ENOENT) {
		if (create(path, o, err, errlen) == -1)
			return -1;
		f->fd = open(path, flags);
	}
	if (f->fd == -1)
		return fail(err, errlen, "%s: %s", path, errno == ELOOP ?
		    "a symbolic link" : strerror(errno));
	if (check(f->fd, path, o, err, errlen) == -1 ||
	    lock(f->fd, path, err, errlen) == -1)
		return -1;
	if (fstat(f->fd, &st) == -1)
		return fail(err, errlen, "%s: %s", path, strerror(errno));
	f->allocated = (uint64_t)st.st_size;
	return 0;
}

void
file_free(struct journal *j)
{
	struct file	*f = j->file;
	struct jwrite	*w;

	if (f == NULL)
		return;
	while ((w = TAILQ_FIRST(&f->queue)) != NULL) {
		TAILQ_REMOVE(&f->queue, w, entry);
		free(w);
	}
	if (f->answer != NULL)
		event_free(f->answer);
	if (f->timer != NULL)
		event_free(f->timer);
	if (f->retry != NULL)
		event_free(f->retry);
	if (f->note != NULL)
		event_free(f->note);
	if (f->sock != -1)
		close(f->sock);
	if (f->fd != -1)
		close(f->fd);
	if (f->ring != NULL)
		(void)munmap(f->ring, RING_SIZE);
	free(f->path);
	free(f);
	j->file = NULL;
}

/* Drops the first used bytes and reads as much as fits.  0, or -1 (errno). */
static int
more(struct window_of_file *w, size_t used)
{
	ssize_t	 n;

	memmove(w->buf, w->buf + used, w->len - used);
	w->start += used;
	w->len -= used;
	while (!w->eof && w->len < BUFSIZE) {
		n = pread(w->fd, w->buf + w->len, BUFSIZE - w->len,
		    (off_t)(w->start + w->len));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			w->eof = true;
		w->len += (size_t)n;
	}
	return 0;
}

/* The newer of the two.  -1: damaged, and said so. */
static int
read_slots(struct journal *j, struct slot *s)
{
	uint8_t		 b[FORMAT_SLOT];
	struct slot	 one;
	int		 i, found = -1;

	if (pread(j->file->fd, b, sizeof(b), 0) != sizeof(b) ||
	    !format_header_ok(b)) {
		damaged(j, "its header");
		return -1;
	}
	for (i = 0; i < 2; i++) {
		if (pread(j->file->fd, b, sizeof(b),
		    (off_t)FORMAT_SLOT_AT(i)) != sizeof(b) ||
		    !format_slot_read(b, &one))
			continue;
		if (found == -1 || one.generation > s->generation) {
			*s = one;
			found = i;
		}
	}
	if (found == -1) {
		damaged(j, "both of its slots");
		return -1;
	}
	j->file->slot = found;
	j->generation = s->generation;
	j->reservation = s->reservation;
	j->kseq = s->kseq;
	j->acked_kseq = s->acked_kseq;
	j->acked_seq = s->acked_seq;
	memcpy(j->acked_head, s->acked_head, sizeof(j->acked_head));
	j->rollback = s->rollback;
	j->log = s->log;
	if (s->generation > 1)
		j->clock = s->clock;
	return 0;
}

/* What an entry says goes into memory.  -1: out of it. */
static int
take(struct journal *j, const struct slot *s, const struct entry *x)
{
	struct journal_claim_in	 c;
	size_t			 i, id;

	if (x->reservation > j->reservation)
		j->reservation = x->reservation;
	if (x->kseq > j->kseq)
		j->kseq = x->kseq;
	/* Unless the slot is newer. */
	if (x->generation >= s->generation) {
		j->clock = x->clock;
		if (j->rollback == 0) {
			j->acked_kseq = x->acked_kseq;
			j->acked_seq = x->acked_seq;
			memcpy(j->acked_head, x->acked_head,
			    sizeof(j->acked_head));
		}
	}
	if (x->type == ENTRY_RELEASE) {
		format_claim_read(x, 0, &c);
		(void)table_release(j, &c.outpoint);
		return 0;
	}
	if (table_grow(j, x->n, 1) == -1)
		return -1;
	/* Written twice, after a fault: counted once. */
	if ((id = table_find_id(j, x->sid)) == NOT_FOUND) {
		id = table_add_id(j, x->sid, x->clock.policy_ns, x->outflow);
		window_add(j, x->outflow);
	}
	j->ids[id].reservation = x->reservation;
	for (i = 0; i < x->n; i++) {
		format_claim_read(x, i, &c);
		table_claim(j, &c, id);
	}
	return 0;
}

static int
read_entries(struct journal *j, struct window_of_file *w,
    const struct slot *s)
{
	struct entry	 x;
	size_t		 used = 0, n;

	for (;;) {
		if (!w->eof && w->len - used < FORMAT_MAX) {
			if (more(w, used) == -1)
				return -1;
			used = 0;
		}
		n = format_entry_read(w->buf + used, w->len - used,
		    w->start + used, &x);
		if (n == 0)
			return more(w, used);
		if (take(j, s, &x) == -1) {
			errno = ENOMEM;
			return -1;
		}
		used += n;
		j->file->end = w->start + used;
	}
}

/*
 * Behind the last whole entry: *written is where the last byte stands that is
 * not zero.  An entry that says that the file was durable beyond the end makes
 * it damage.  Few bytes in the good case: what was on its way in a crash.
 */
static int
read_rest(struct journal *j, struct window_of_file *w, uint64_t *written)
{
	const uint64_t	 end = j->file->end;
	struct entry	 x;
	const uint8_t	*p;
	size_t		 i, keep;

	*written = 0;
	for (;;) {
		for (i = w->len; i > 0 && w->buf[i - 1] == 0; i--)
			;
		if (i > 0)
			*written = w->start + i;
		for (p = w->buf; (p = memmem(p, (size_t)(w->buf + i - p),
		    FORMAT_MAGIC, 4)) != NULL; p++) {
			if (format_entry_read(p, (size_t)(w->buf + w->len - p),
			    w->start + (uint64_t)(p - w->buf), &x) == 0 ||
			    x.synced <= end)
				continue;
			damaged(j, "between the bytes %llu and %llu",
			    (unsigned long long)end,
			    (unsigned long long)x.synced);
			return 0;
		}
		if (w->eof)
			return 0;
		/* One that is not all here is looked at again. */
		keep = w->len < FORMAT_MAX ? w->len : FORMAT_MAX;
		if (more(w, w->len - keep) == -1)
			return -1;
	}
}

/* What a crash left unfinished must not be taken for an entry later. */
static int
cut(struct journal *j, uint64_t written)
{
	static const uint8_t	 zeros[65536];
	struct file		*f = j->file;
	uint64_t		 at;
	size_t			 n;

	if (written <= f->end)
		return 0;
	log_info("%s: %llu bytes that were not finished before a crash are "
	    "cut off", f->path, (unsigned long long)(written - f->end));
	for (at = f->end; at < written; at += n) {
		n = written - at < sizeof(zeros) ? (size_t)(written - at) :
		    sizeof(zeros);
		if (write_all(&journal_system, f->fd, zeros, n, at) == -1)
			return -1;
	}
	return 0;
}

int
journal_load(struct journal *j, char *err, size_t errlen)
{
	struct window_of_file	 w;
	struct file		*f = j->file;
	struct slot		 s;
	uint64_t		 written;
	int			 ret = -1;

	memset(&s, 0, sizeof(s));
	memset(&w, 0, sizeof(w));
	w.fd = f->fd;
	w.start = FORMAT_FIRST;
	if (read_slots(j, &s) == -1)
		return 0;
	if ((w.buf = malloc(BUFSIZE)) == NULL)
		return fail(err, errlen, "out of memory");
	if (read_entries(j, &w, &s) == -1 ||
	    read_rest(j, &w, &written) == -1)
		goto out;
	if (!f->damaged && f->end < s.end)
		damaged(j, "at byte %llu", (unsigned long long)f->end);
	/* Of what was read none may be lost later: it counts as durable. */
	if (!f->damaged && (cut(j, written) == -1 || fdatasync(f->fd) == -1))
		goto out;
	f->synced = f->end;
	j->bytes = f->end;
	clock_check(j);
	ret = 0;
out:
	if (ret == -1)
		(void)fail(err, errlen, "%s: %s", f->path, strerror(errno));
	free(w.buf);
	return ret;
}
