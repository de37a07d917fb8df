/* The next file of the log: by size, by an operator, after tampering. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fileattr.h"
#include "common/log.h"

#include "auditd/auditd.h"

#define RETRY_NS	UINT64_C(60000000000)

static char	*first_line(struct auditd *, const char *, const char *,
		    int64_t, struct chain *, size_t *);
static int	 next_file(struct auditd *, const char *, int64_t, char *,
		    size_t);
static int	 make_anew(struct auditd *, struct finding *, char *, size_t);
static int	 go_on(struct auditd *, struct finding *, char *, size_t);

/* LogRotated, formatted before there is a file for it. */
static char *
first_line(struct auditd *a, const char *closed, const char *reason,
    int64_t operator, struct chain *at, size_t *len)
{
	struct audit_record	 r;
	struct line_clock	 now;
	struct json_out		 o;
	const char		*text;
	char			*line = NULL, path[PATH_MAX];

	*at = *writer_durable(a->writer);
	(void)snprintf(path, sizeof(path), "%.*s/%s",
	    (int)(sizeof(path) - CLOSED_MAX - 1), a->log.dir, closed);
	audit_record_init(&r, EV_LOG_ROTATED, SRC_AUDITD, true);
	audit_set_str(&r, FIELD_PATH, path);
	audit_set_str(&r, FIELD_REASON, reason);
	if (operator >= 0)
		audit_set_u64(&r, FIELD_OPERATOR, (uint64_t)operator);
	own_first_line(&r, at);
	line_clock_now(&now);
	text = line_format(&o, &r, at, &now, len);
	if (text != NULL && (line = malloc(*len + 1)) != NULL) {
		memcpy(line, text, *len);
		line[(*len)++] = '\n';
		chain_add(at, 0, 0, line, *len);
	}
	json_out_free(&o);
	return line;
}

/* The last line is a Checkpoint, and nothing is queued. */
static int
next_file(struct auditd *a, const char *reason, int64_t operator, char *err,
    size_t errlen)
{
	struct chain	 at;
	char		 closed[CLOSED_MAX], *line;
	size_t		 len;
	int		 fd;

	if (logfile_closed_name(&a->log, closed, err, errlen) == -1)
		return -1;
	line = first_line(a, closed, reason, operator, &at, &len);
	if (line == NULL) {
		(void)snprintf(err, errlen, "out of memory");
		return -1;
	}
	fd = logfile_make_next(&a->log, line, len, err, errlen);
	free(line);
	if (fd == -1)
		return -1;
	if (logfile_take_next(&a->log, fd, closed, err, errlen) == -1) {
		logfile_drop_next(&a->log, fd);
		return -1;
	}
	writer_switch(a->writer, fd, (off_t)len, &at);
	a->log.first_seq = at.seq;
	if (a->watch != NULL)
		watch_file(a->watch, a->log.name, fd);
	log_info("the log goes on in a new file (%s); closed: %s", reason,
	    closed);
	seal_schedule(a);
	return 0;
}

enum proto_code
rotate_now(struct auditd *a, const char *reason, int64_t operator, char *err,
    size_t errlen)
{
	/* What somebody else has put there is not renamed for ours. */
	if ((tamper_now(a) & TAMPER_STOPS) != 0)
		tamper_look(a, false);
	if (!auditd_writable(a)) {
		(void)snprintf(err, errlen, "%s", auditd_reason(a));
		return CODE_AUDIT_UNAVAILABLE;
	}
	if (fileattr_append_only(a->log.fd)) {
		(void)snprintf(err, errlen, "%s has the append-only "
		    "attribute: run igractl audit rotate as root",
		    a->log.path);
		return CODE_UNSUPPORTED;
	}
	if (seal_now(a) == -1) {
		(void)snprintf(err, errlen, "no checkpoint for the end of the "
		    "file: %s", a->cp.fault[0] != '\0' ? a->cp.fault :
		    a->fault);
		return CODE_AUDIT_UNAVAILABLE;
	}
	if (next_file(a, reason, operator, err, errlen) == -1)
		return CODE_AUDIT_UNAVAILABLE;
	return CODE_NONE;
}

void
rotate_if_large(struct auditd *a)
{
	struct writer_stats	 st;
	char			 err[512];

	writer_stats(a->writer, &st);
	if (st.bytes < a->d.conf->rotate_size || !auditd_writable(a) ||
	    monotonic_ns() < a->rotate_after)
		return;
	if (rotate_now(a, "size", -1, err, sizeof(err)) == CODE_NONE)
		return;
	a->rotate_after = monotonic_ns() + RETRY_NS;
	log_warning("the log is larger than rotate_size and stays: %s", err);
}

/* Deleted or replaced: a copy of what it held, and a new file. */
static int
make_anew(struct auditd *a, struct finding *f, char *err, size_t errlen)
{
	char	 moved[CLOSED_MAX];

	if (logfile_is(&a->log, a->log.name)) {
		/* Somebody has put it back: the copy is not needed. */
		if (a->copied[0] != '\0')
			(void)unlinkat(a->log.dirfd, a->copied, 0);
		a->copied[0] = '\0';
		(void)snprintf(f->actual, sizeof(f->actual),
		    "the file is back");
		return 0;
	}
	if (a->copied[0] == '\0' && (logfile_closed_name(&a->log, a->copied,
	    err, errlen) == -1 || logfile_copy_out(&a->log,
	    tamper_left(a), a->copied, err, errlen) == -1)) {
		a->copied[0] = '\0';
		return -1;
	}
	if (logfile_set_aside(&a->log, moved, err, errlen) == -1 ||
	    logfile_make_anew(&a->log, err, errlen) == -1)
		return -1;
	(void)snprintf(f->path, sizeof(f->path), "%.*s/%s",
	    (int)(sizeof(f->path) - CLOSED_MAX - 1), a->log.dir, a->copied);
	(void)snprintf(f->actual, sizeof(f->actual), "copied out; %s%.120s",
	    moved[0] != '\0' ? "what was there instead is " :
	    "nothing was there instead", moved);
	(void)strlcpy(a->log.newest, a->copied, sizeof(a->log.newest));
	a->copied[0] = '\0';
	writer_switch(a->writer, a->log.fd, 0, writer_durable(a->writer));
	a->log.first_seq = writer_durable(a->writer)->seq + 1;
	if (a->watch != NULL)
		watch_file(a->watch, a->log.name, a->log.fd);
	return 0;
}

/* Shorter or longer than it was written: on from its last whole line. */
static int
go_on(struct auditd *a, struct finding *f, char *err, size_t errlen)
{
	struct chain_scan	 s;
	struct stat		 st;
	off_t			 end = writer_end(a->writer);
	char			 moved[CLOSED_MAX];

	if (fstat(a->log.fd, &st) == -1) {
		(void)snprintf(err, errlen, "%s: %s", a->log.path,
		    strerror(errno));
		return -1;
	}
	if (st.st_size < end) {
		if (chain_scan(a->log.fd, &s) == -1 || s.foreign) {
			(void)snprintf(err, errlen, "%s: is no audit log any "
			    "more: move it away", a->log.path);
			return -1;
		}
		end = s.end;
		if (s.lines == 0)
			a->log.first_seq = writer_durable(a->writer)->seq + 1;
	}
	if (logfile_cut_tail(&a->log, end, moved, err, errlen) == -1)
		return -1;
	(void)snprintf(f->expected, sizeof(f->expected), "%jd bytes",
	    (intmax_t)writer_end(a->writer));
	(void)snprintf(f->actual, sizeof(f->actual), "%jd bytes%s%.120s",
	    (intmax_t)st.st_size, moved[0] != '\0' ?
	    "; moved what was too much to " : "", moved);
	writer_switch(a->writer, a->log.fd, end, writer_durable(a->writer));
	return 0;
}

enum proto_code
rotate_reopen(struct auditd *a, uid_t operator, char *err, size_t errlen)
{
	struct finding	 f;
	unsigned	 bits;
	int		 ret = 0;

	tamper_look(a, false);
	bits = a->tampered;
	if (a->stopped && seal_outstanding(a) &&
	    (bits & (TAMPER_DELETED | TAMPER_REPLACED)) != 0 &&
	    seal_finish(a) == -1) {
		(void)snprintf(err, errlen, "%s", a->fault);
		return CODE_AUDIT_UNAVAILABLE;
	}
	memset(&f, 0, sizeof(f));
	(void)strlcpy(f.path, a->log.path, sizeof(f.path));
	if ((bits & (TAMPER_DELETED | TAMPER_REPLACED)) != 0)
		ret = make_anew(a, &f, err, errlen);
	if (ret == 0 && (bits & (TAMPER_SHORT | TAMPER_LONG)) != 0 &&
	    tamper_now(a) & (TAMPER_SHORT | TAMPER_LONG))
		ret = go_on(a, &f, err, errlen);
	if (ret == -1)
		return CODE_AUDIT_UNAVAILABLE;
	if (bits & TAMPER_STOPS) {
		f.alert = tamper_name(bits & TAMPER_REPLACED ? TAMPER_REPLACED :
		    bits & TAMPER_DELETED ? TAMPER_DELETED :
		    bits & TAMPER_SHORT ? TAMPER_SHORT : TAMPER_LONG);
		own_alert(a, &f, operator, true);
	}
	if ((bits & TAMPER_MODE) != 0 && fchmod(a->log.fd, 0600) == -1)
		log_warn("%s: chmod", a->log.path);
	/* Whether its directory is back where it was, the operator says. */
	if (a->watch != NULL)
		watch_forget(a->watch);
	a->stopped = false;
	a->tampered = 0;
	a->faulted = false;
	own_flush(a);
	if (auditd_commit(a) == -1) {
		(void)snprintf(err, errlen, "%s", auditd_reason(a));
		return CODE_AUDIT_UNAVAILABLE;
	}
	tamper_look(a, false);
	log_info("%s: reopened by uid %u", a->log.path, (unsigned)operator);
	return CODE_NONE;
}
