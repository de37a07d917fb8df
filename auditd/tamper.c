/*
 * What others have done to the log's file or directory while it is open.  The
 * watch says when to look, and once in permission_check_interval it is looked
 * at anyway.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"

#include "auditd/auditd.h"

#define BITS	8

static const char	*names[BITS] = {
	"loose log mode",
	"log owner changed",
	"log has another name",
	"directory changed",
	"log shortened",
	"log written by somebody else",
	"log deleted",
	"log replaced",
};

static bool	 moved(const struct auditd *);
static unsigned	 look_at_file(struct auditd *, const struct stat *);
static unsigned	 look_at_name(struct auditd *, const struct stat *);
static void	 describe(struct auditd *, unsigned, struct finding *);
static void	 stop(struct auditd *, unsigned);
static void	 on_watch(void *);
static void	 on_check(int, short, void *);

const char *
tamper_name(unsigned bit)
{
	unsigned	 i;

	for (i = 0; i < BITS; i++)
		if (bit == 1U << i)
			return names[i];
	return "?";
}

static bool
moved(const struct auditd *a)
{
	return a->watch != NULL && watch_moved(a->watch);
}

static unsigned
look_at_file(struct auditd *a, const struct stat *st)
{
	unsigned	 bits = 0;

	if ((st->st_mode & 07777) != 0600)
		bits |= TAMPER_MODE;
	if (st->st_uid != a->d.uid[ROLE_AUDITD])
		bits |= TAMPER_OWNER;
	if (st->st_nlink > 1)
		bits |= TAMPER_LINKS;
	if (st->st_size < writer_end(a->writer))
		bits |= TAMPER_SHORT;
	/* What a failed write has left is ours to cut off. */
	if (st->st_size > writer_end(a->writer) && !writer_dirty(a->writer))
		bits |= TAMPER_LONG;
	return bits;
}

static unsigned
look_at_name(struct auditd *a, const struct stat *st)
{
	struct stat	 named;

	if (fstatat(a->log.dirfd, a->log.name, &named,
	    AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? TAMPER_DELETED : 0;
	return named.st_dev != st->st_dev || named.st_ino != st->st_ino ?
	    TAMPER_REPLACED : 0;
}

unsigned
tamper_now(struct auditd *a)
{
	struct stat	 st, dir;
	unsigned	 bits;

	if (fstat(a->log.fd, &st) == -1 || fstat(a->log.dirfd, &dir) == -1)
		return 0;
	bits = look_at_file(a, &st) | look_at_name(a, &st);
	if ((dir.st_mode & 022) != 0 ||
	    dir.st_uid != a->d.uid[ROLE_AUDITD] || moved(a))
		bits |= TAMPER_DIR;
	return bits;
}

off_t
tamper_left(struct auditd *a)
{
	struct stat	 st;
	off_t		 end = writer_end(a->writer);

	return fstat(a->log.fd, &st) == 0 && st.st_size < end ? st.st_size :
	    end;
}

/* Expected and actual values, in words. */
static void
describe(struct auditd *a, unsigned bit, struct finding *f)
{
	struct stat	 st;
	int		 fd = bit == TAMPER_DIR ? a->log.dirfd : a->log.fd;
	unsigned	 owner = (unsigned)a->d.uid[ROLE_AUDITD];

	memset(f, 0, sizeof(*f));
	memset(&st, 0, sizeof(st));
	(void)fstat(fd, &st);
	f->alert = tamper_name(bit);
	(void)strlcpy(f->path, bit == TAMPER_DIR ? a->log.dir : a->log.path,
	    sizeof(f->path));
#define SAY(what, ...)	(void)snprintf(f->what, sizeof(f->what), __VA_ARGS__)
	switch (bit) {
	case TAMPER_MODE:
		SAY(expected, "0600");
		SAY(actual, "%04o", (unsigned)st.st_mode & 07777);
		break;
	case TAMPER_OWNER:
		SAY(expected, "uid %u", owner);
		SAY(actual, "uid %u", (unsigned)st.st_uid);
		break;
	case TAMPER_LINKS:
		SAY(expected, "1 name");
		SAY(actual, "%lu names", (unsigned long)st.st_nlink);
		break;
	case TAMPER_DIR:
		SAY(expected, "uid %u, mode 0700", owner);
		SAY(actual, "uid %u, mode %04o%s", (unsigned)st.st_uid,
		    (unsigned)st.st_mode & 07777, moved(a) ? ", and it was "
		    "renamed or deleted" : "");
		break;
	case TAMPER_SHORT:
	case TAMPER_LONG:
		SAY(expected, "%jd bytes", (intmax_t)writer_end(a->writer));
		SAY(actual, "%jd bytes", (intmax_t)st.st_size);
		break;
	case TAMPER_DELETED:
		SAY(expected, "inode %ju", (uintmax_t)st.st_ino);
		SAY(actual, "no file; the inode has %lu other names",
		    (unsigned long)st.st_nlink);
		break;
	case TAMPER_REPLACED:
		SAY(expected, "inode %ju", (uintmax_t)st.st_ino);
		if (fstatat(a->log.dirfd, a->log.name, &st,
		    AT_SYMLINK_NOFOLLOW) == 0)
			SAY(actual, "inode %ju, uid %u, %jd bytes",
			    (uintmax_t)st.st_ino, (unsigned)st.st_uid,
			    (intmax_t)st.st_size);
		break;
	}
#undef SAY
}

/* What is known only from the open descriptor is saved while there is one. */
static void
stop(struct auditd *a, unsigned bits)
{
	char	 err[512], name[CLOSED_MAX];

	/* First: what has grown to rotate_size must not be rotated now. */
	a->stopped = true;
	if ((bits & (TAMPER_DELETED | TAMPER_REPLACED)) != 0 &&
	    a->copied[0] == '\0') {
		/* The alert itself goes with it. */
		(void)auditd_commit(a);
		(void)seal_now(a);
		if (logfile_closed_name(&a->log, name, err,
		    sizeof(err)) == -1 || logfile_copy_out(&a->log,
		    tamper_left(a), name, err, sizeof(err)) == -1)
			log_alert("cannot save what the log held: %s", err);
		else {
			(void)strlcpy(a->copied, name, sizeof(a->copied));
			log_info("what the log held is in %s/%s", a->log.dir,
			    name);
		}
	}
	/* What cannot be written now is queued anew for the file to come. */
	writer_drop(a->writer);
	log_alert("%s: nothing is signed until: igractl audit reopen",
	    a->log.path);
}

void
tamper_look(struct auditd *a, bool again)
{
	unsigned	 bits = tamper_now(a), fresh, gone, i;
	struct finding	 f;

	fresh = again ? bits : bits & ~a->tampered;
	gone = a->tampered & ~bits & ~(unsigned)TAMPER_STOPS;
	a->tampered = bits | (a->tampered & TAMPER_STOPS);
	for (i = 0; i < BITS; i++)
		if ((gone & ~a->hushed & 1U << i) != 0)
			log_info("%s: in order again (%s)", a->log.path,
			    names[i]);
	for (i = 0; i < BITS; i++) {
		if ((fresh & 1U << i) == 0)
			continue;
		describe(a, 1U << i, &f);
		a->hushed &= ~(1U << i);
		/* Who does it over and over is to fill no disk. */
		if (!again && (1U << i & TAMPER_STOPS) == 0 &&
		    own_hush(a, 1U << i))
			a->hushed |= 1U << i;
		else
			own_alert(a, &f, -1, false);
		(void)snprintf(a->tamper_text, sizeof(a->tamper_text),
		    "%s: expected %.80s, found %.80s", f.alert, f.expected,
		    f.actual);
	}
	if ((a->tampered & TAMPER_STOPS) != 0 && !a->stopped)
		stop(a, a->tampered);
	clients_health(a);
}

static void
on_watch(void *arg)
{
	tamper_look(arg, false);
}

static void
on_check(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	tamper_look(arg, true);
}

void
tamper_init(struct auditd *a)
{
	struct timeval	 tv;

	tv.tv_sec = (time_t)a->d.conf->permission_check_interval;
	tv.tv_usec = 0;
	a->check_ev = event_new(a->base, -1, EV_PERSIST, on_check, a);
	if (a->check_ev == NULL || event_add(a->check_ev, &tv) == -1)
		fatal("cannot make an event");
	a->watch = watch_new(a->base, a->d.chrooted != NULL ? "/" :
	    a->log.dir, a->log.dirfd, on_watch, a);
	if (a->watch == NULL)
		log_warn("cannot watch %s: it is looked at every %llu s only",
		    a->log.dir, (unsigned long long)tv.tv_sec);
	else
		watch_file(a->watch, a->log.name, a->log.fd);
}
