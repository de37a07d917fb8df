#include <sys/queue.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auditd/record.h"
#include "auditd/writer.h"

#define QUEUE_KEEP	(1024 * 1024)	/* buffer kept between commits */

struct waiter {
	STAILQ_ENTRY(waiter)	 entry;
	writer_done		 done;
	void			*arg;
	struct chain		 at;
};
STAILQ_HEAD(waiters, waiter);

struct writer {
	int				 fd;
	const struct writer_ops		*ops;
	off_t				 end;		/* last synced byte */
	bool				 dirty;		/* file may be longer */
	struct chain			 durable;
	struct chain			 next;
	char				*buf;
	size_t				 len, cap;
	struct waiters			 waiters;
	uint64_t			 queued;	/* records */
	struct writer_stats		 stats;
	bool				 failed;
	int				 error;		/* errno of the fault */
	char				 fault[128];
};

static int	 reserve(struct writer *, size_t);
static int	 untouched(struct writer *);
static int	 write_all(struct writer *);
static int	 cut_back(struct writer *);
static int	 store(struct writer *);
static void	 fault(struct writer *, const char *);
static void	 finish(struct writer *, bool);
static uint64_t	 now_us(void);

const struct writer_ops	 writer_system = {
	.write = write,
	.fdatasync = fdatasync,
	.fsync = fsync,
	.ftruncate = ftruncate,
};

struct writer *
writer_new(int fd, off_t end, const struct chain *at,
    const struct writer_ops *ops)
{
	struct writer	*w;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return NULL;
	w->fd = fd;
	w->ops = ops;
	w->end = end;
	w->durable = w->next = *at;
	w->stats.bytes = (uint64_t)end;
	STAILQ_INIT(&w->waiters);
	return w;
}

void
writer_free(struct writer *w)
{
	if (w == NULL)
		return;
	finish(w, false);
	free(w->buf);
	free(w);
}

static int
reserve(struct writer *w, size_t n)
{
	size_t	 cap;
	char	*p;

	if (n <= w->cap - w->len)
		return 0;
	for (cap = w->cap != 0 ? w->cap : 65536; cap - w->len < n; cap *= 2)
		if (cap > SIZE_MAX / 4) {
			errno = ENOMEM;
			return -1;
		}
	if ((p = realloc(w->buf, cap)) == NULL)
		return -1;
	w->buf = p;
	w->cap = cap;
	return 0;
}

int
writer_add(struct writer *w, const struct audit_record *r)
{
	struct line_clock	 now;
	struct json_out		 o;
	const char		*text;
	size_t			 len;
	int			 saved;

	line_clock_now(&now);
	text = line_format(&o, r, &w->next, &now, &len);
	if (text != NULL && reserve(w, len + 1) == -1)
		text = NULL;
	if (text != NULL) {
		memcpy(w->buf + w->len, text, len);
		w->buf[w->len + len] = '\n';
		/* Of a field that is not there the value is 0. */
		chain_add(&w->next, r->v[FIELD_KSEQ].u,
		    r->v[FIELD_RESERVATION].u, w->buf + w->len, len + 1);
		w->len += len + 1;
		w->queued++;
	}
	saved = errno;
	json_out_free(&o);
	errno = saved;
	return text == NULL ? -1 : 0;
}

int
writer_add_line(struct writer *w, const char *line, size_t len)
{
	if (reserve(w, len) == -1)
		return -1;
	memcpy(w->buf + w->len, line, len);
	chain_add(&w->next, 0, 0, line, len);
	w->len += len;
	w->queued++;
	return 0;
}

void
writer_switch(struct writer *w, int fd, off_t end, const struct chain *at)
{
	w->fd = fd;
	w->end = end;
	w->dirty = false;
	w->failed = false;
	w->durable = w->next = *at;
	w->stats.bytes = (uint64_t)end;
}

int
writer_wait(struct writer *w, writer_done done, void *arg)
{
	struct waiter	*wait;

	if ((wait = calloc(1, sizeof(*wait))) == NULL)
		return -1;
	wait->done = done;
	wait->arg = arg;
	wait->at = w->next;
	STAILQ_INSERT_TAIL(&w->waiters, wait, entry);
	return 0;
}

void
writer_mark(const struct writer *w, struct writer_mark *m)
{
	m->len = w->len;
	m->chain = w->next;
}

void
writer_rewind(struct writer *w, const struct writer_mark *m)
{
	w->queued -= w->next.seq - m->chain.seq;
	w->len = m->len;
	w->next = m->chain;
}

static int
untouched(struct writer *w)
{
	struct stat	 st;

	if (fstat(w->fd, &st) == -1) {
		fault(w, "stat");
		return -1;
	}
	if (st.st_size == w->end)
		return 0;
	w->error = EIO;
	(void)snprintf(w->fault, sizeof(w->fault), "the log has %jd bytes "
	    "instead of the %jd written", (intmax_t)st.st_size,
	    (intmax_t)w->end);
	return -1;
}

static int
write_all(struct writer *w)
{
	size_t	 done = 0;
	ssize_t	 n;

	while (done < w->len) {
		n = w->ops->write(w->fd, w->buf + done, w->len - done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

/* The cut itself must be durable, or a crash would bring the bytes back. */
static int
cut_back(struct writer *w)
{
	if (w->ops->ftruncate(w->fd, w->end) == -1) {
		fault(w, "cut back");
		return -1;
	}
	if (w->ops->fsync(w->fd) == -1) {
		fault(w, "sync");
		return -1;
	}
	w->dirty = false;
	return 0;
}

static void
fault(struct writer *w, const char *what)
{
	w->error = errno;
	snprintf(w->fault, sizeof(w->fault), "%s: %s", what, strerror(errno));
}

/* One write and one sync; once anew when it is the sync that fails. */
static int
store(struct writer *w)
{
	int	 tries;

	for (tries = 0; tries < 2; tries++) {
		if (w->dirty && cut_back(w) == -1)
			return -1;
		if (untouched(w) == -1)
			return -1;
		w->dirty = true;
		if (write_all(w) == -1) {
			fault(w, "write");
			break;
		}
		if (w->ops->fdatasync(w->fd) == 0) {
			w->dirty = false;
			return 0;
		}
		fault(w, "sync");
	}
	/* Now rather than later: others read the file.  The fault stays. */
	if (w->ops->ftruncate(w->fd, w->end) == 0 &&
	    w->ops->fsync(w->fd) == 0)
		w->dirty = false;
	return -1;
}

/* Empties the queue, then tells those who wait. */
static void
finish(struct writer *w, bool ok)
{
	struct waiters	 told = STAILQ_HEAD_INITIALIZER(told);
	struct waiter	*wait;

	if (ok) {
		w->durable = w->next;
		w->end += (off_t)w->len;
		w->stats.records += w->queued;
		w->stats.bytes = (uint64_t)w->end;
	} else
		w->next = w->durable;
	w->len = 0;
	w->queued = 0;
	if (w->cap > QUEUE_KEEP) {
		free(w->buf);
		w->buf = NULL;
		w->cap = 0;
	}
	STAILQ_CONCAT(&told, &w->waiters);
	while ((wait = STAILQ_FIRST(&told)) != NULL) {
		STAILQ_REMOVE_HEAD(&told, entry);
		wait->done(wait->arg, ok ? &wait->at : NULL);
		free(wait);
	}
}

static uint64_t
now_us(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000U + (uint64_t)ts.tv_nsec / 1000U;
}

int
writer_commit(struct writer *w)
{
	uint64_t	 start;
	bool		 ok;

	if (writer_idle(w))
		return 0;
	start = now_us();
	if (w->len == 0) {
		/* Those who wait asked for what is durable already. */
		ok = !w->dirty || cut_back(w) == 0;
		w->failed = w->failed || !ok;
	} else if ((ok = store(w) == 0)) {
		w->stats.commits++;
		w->stats.sync_us += now_us() - start;
		w->failed = false;
	} else
		w->failed = true;
	finish(w, ok);
	return ok ? 0 : -1;
}

void
writer_drop(struct writer *w)
{
	finish(w, false);
}

const struct chain *
writer_durable(const struct writer *w)
{
	return &w->durable;
}

const struct chain *
writer_next(const struct writer *w)
{
	return &w->next;
}

const char *
writer_fault(const struct writer *w)
{
	return w->failed ? w->fault : NULL;
}

bool
writer_full(const struct writer *w)
{
	return w->failed && (w->error == ENOSPC || w->error == EDQUOT);
}

off_t
writer_end(const struct writer *w)
{
	return w->end;
}

uint64_t
writer_records(const struct writer *w)
{
	return w->queued;
}

bool
writer_dirty(const struct writer *w)
{
	return w->dirty;
}

size_t
writer_queued(const struct writer *w)
{
	return w->len;
}

bool
writer_idle(const struct writer *w)
{
	return w->len == 0 && STAILQ_EMPTY(&w->waiters) && !w->dirty;
}

void
writer_stats(const struct writer *w, struct writer_stats *s)
{
	*s = w->stats;
}
