/*
 * What keyd sends the journal's writer, and what becomes of the answers.
 *
 * All that is not known to be durable stays in the ring, in order.  After a
 * failed write or sync nobody knows what the disk has, and the kernel may have
 * dropped what it had: so all of it is sent anew, and until that has gone well
 * nothing is signed.
 */
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal_int.h"
#include "log.h"

#define RETRY_MS	500
#define NOTE_MS		1000
#define STOP_MS		2000

static const char	 too_much[] = "too much waits for the policy journal";

static uint8_t	*ring_alloc(struct file *, size_t, uint64_t *);
static struct jwrite *queue_new(struct journal *, size_t, uint64_t, int,
		    uint64_t);
static int	send_one(struct file *, struct jwrite *);
static void	send_all(struct journal *);
static void	told(struct jwrite *, bool, const char *);
static void	written(struct journal *, uint64_t);
static void	durable(struct journal *, uint64_t);
static void	failed(struct journal *, const char *);
static void	gone(struct journal *);
static bool	answer_makes_sense(struct file *, const struct write_answer *);
static void	answer_ready(int, short, void *);
static void	timer_arm(struct file *);
static void	timer_run(int, short, void *);
static void	retry_run(int, short, void *);
static void	note_run(int, short, void *);
static void	entry_fill(const struct journal *, struct entry *);
static uint64_t	number(struct journal *, size_t);
static struct jwrite *append(struct journal *, const struct journal_entry *,
		    size_t);
static const char *unwritable(const struct journal *);

/* One piece of the ring; its place in *pos.  NULL when there is no room. */
static uint8_t *
ring_alloc(struct file *f, size_t len, uint64_t *pos)
{
	uint64_t	 at = f->head;

	if (TAILQ_EMPTY(&f->queue))
		f->head = f->tail = at = 0;
	/* Never over the edge. */
	if (at % RING_SIZE + len > RING_SIZE)
		at += RING_SIZE - at % RING_SIZE;
	if (len > RING_SIZE || at + len - f->tail > RING_SIZE)
		return NULL;
	*pos = at;
	f->head = at + len;
	return f->ring + at % RING_SIZE;
}

/* At the end of the queue, not sent. */
static struct jwrite *
queue_new(struct journal *j, size_t len, uint64_t off, int slot, uint64_t pos)
{
	struct file	*f = j->file;
	struct jwrite	*w;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return NULL;
	w->pos = pos;
	w->len = (uint32_t)len;
	w->off = off;
	w->slot = slot;
	w->made_ns = bootclock_now();
	TAILQ_INSERT_TAIL(&f->queue, w, entry);
	return w;
}

static int
send_one(struct file *f, struct jwrite *w)
{
	struct write_order	 o;
	ssize_t			 n;

	memset(&o, 0, sizeof(o));
	o.id = w->id = ++f->next_id;
	o.pos = w->pos % RING_SIZE;
	o.off = w->off;
	o.len = w->len;
	if ((n = write(f->sock, &o, sizeof(o))) != sizeof(o)) {
		/* Half an order would turn all later ones to nonsense. */
		if (n > 0)
			(void)shutdown(f->sock, SHUT_WR);
		return -1;
	}
	w->sent = true;
	return 0;
}

/* In order, from the first that is not sent. */
static void
send_all(struct journal *j)
{
	struct jwrite	*w;

	TAILQ_FOREACH(w, &j->file->queue, entry)
		if (!w->sent && send_one(j->file, w) == -1)
			return;
}

static void
told(struct jwrite *w, bool ok, const char *why)
{
	journal_cb	 cb = w->cb;

	w->written = NULL;
	w->cb = NULL;
	if (cb != NULL)
		cb(ok, why, w->arg);
}

/* It is in the file; if it gets lost, then with the machine. */
static void
written(struct journal *j, uint64_t id)
{
	journal_written_cb	 cb;
	struct jwrite		*w;

	TAILQ_FOREACH(w, &j->file->queue, entry) {
		if (!w->sent || w->id > id)
			return;
		if ((cb = w->written) == NULL)
			continue;
		w->written = NULL;
		cb(w->arg);
	}
}

/* The callbacks may commit more. */
static void
durable(struct journal *j, uint64_t id)
{
	struct file	*f = j->file;
	struct jwrite	*w;

	while ((w = TAILQ_FIRST(&f->queue)) != NULL && w->sent && w->id <= id) {
		TAILQ_REMOVE(&f->queue, w, entry);
		f->tail = w->pos + w->len;
		if (w->slot >= 0)
			f->slot = w->slot;
		else
			f->synced = w->off + w->len;
		told(w, true, NULL);
		free(w);
	}
	timer_arm(f);
}

/* Everybody who waits is told no; what was to be written stays so. */
static void
failed(struct journal *j, const char *why)
{
	struct file	*f = j->file;
	struct timeval	 tv = { 0, RETRY_MS * 1000 };
	struct jwrite	*w;

	if (j->fault[0] == '\0')
		log_alert("%s: %s: nothing is signed until it can be written",
		    f->path, why);
	(void)snprintf(j->fault, sizeof(j->fault), "the policy journal cannot "
	    "be written: %s", why);
	f->ignore = f->next_id;
	TAILQ_FOREACH(w, &f->queue, entry) {
		w->sent = false;
		told(w, false, j->fault);
	}
	event_add(f->retry, &tv);
}

static void
retry_run(int fd, short what, void *arg)
{
	struct journal	*j = arg;
	struct timeval	 tv = { 0, RETRY_MS * 1000 };

	(void)fd;
	(void)what;
	/* Something to try with, if nothing is left. */
	if (TAILQ_EMPTY(&j->file->queue) && write_slot(j, NULL, NULL) == -1)
		event_add(j->file->retry, &tv);
	send_all(j);
}

/* The writer ended: this process writes what it had, and is to end too. */
static void
gone(struct journal *j)
{
	struct file	*f = j->file;
	struct jwrite	*w;
	int		 error = 0;

	event_del(f->answer);
	event_del(f->retry);
	event_del(f->note);
	TAILQ_FOREACH(w, &f->queue, entry)
		if (write_all(&journal_system, f->fd, f->ring + w->pos %
		    RING_SIZE, w->len, w->off) == -1)
			error = errno;
	if (fdatasync(f->fd) == -1)
		error = errno;
	log_alert("%s: its writer has ended; what it had is %s", f->path,
	    error == 0 ? "written" : strerror(error));
	(void)strlcpy(j->fault, "the policy journal's writer has ended",
	    sizeof(j->fault));
	f->damaged = true;
	while ((w = TAILQ_FIRST(&f->queue)) != NULL) {
		TAILQ_REMOVE(&f->queue, w, entry);
		told(w, false, j->fault);
		free(w);
	}
	if (f->died != NULL)
		f->died(f->arg);
}

/*
 * Of a writer that somebody has taken over it is not believed that it answers
 * what it was asked, once: it would keep the loop, and the log, to itself.
 * That what it calls durable is, nobody can tell.
 */
static bool
answer_makes_sense(struct file *f, const struct write_answer *a)
{
	if (a->id <= f->answered || a->id > f->next_id || a->synced > 1)
		return false;
	if (a->synced == 0) {
		if (a->error != 0 || f->half != 0)
			return false;
		f->half = a->id;
		return true;
	}
	if (f->half != 0 ? a->id != f->half : a->error == 0)
		return false;
	f->answered = a->id;
	f->half = 0;
	return true;
}

static void
answer_ready(int fd, short what, void *arg)
{
	struct journal		*j = arg;
	struct write_answer	 a;
	ssize_t			 n;

	(void)what;
	for (;;) {
		n = read(fd, &a, sizeof(a));
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n == sizeof(a) && !answer_makes_sense(j->file, &a)) {
			log_alert("%s: its writer answers what it was not "
			    "asked", j->file->path);
			n = 0;
		}
		if (n != sizeof(a)) {
			gone(j);
			return;
		}
		if (a.id <= j->file->ignore)
			continue;
		if (a.error != 0) {
			failed(j, strerror(a.error));
			continue;
		}
		if (!a.synced) {
			written(j, a.id);
			continue;
		}
		durable(j, a.id);
		/* All of it is written that was in doubt. */
		if (j->fault[0] != '\0' && !j->file->damaged) {
			log_info("%s: can be written again", j->file->path);
			j->fault[0] = '\0';
		}
		send_all(j);
	}
}

/* One timer, for the oldest that somebody waits for. */
static void
timer_arm(struct file *f)
{
	struct timeval	 tv;
	struct jwrite	*w;
	int64_t		 left;

	event_del(f->timer);
	TAILQ_FOREACH(w, &f->queue, entry)
		if (w->cb != NULL)
			break;
	if (w == NULL)
		return;
	left = w->made_ns + JOURNAL_TIMEOUT_MS * INT64_C(1000000) -
	    bootclock_now();
	if (left < 0)
		left = 0;
	tv.tv_sec = (time_t)(left / NS_PER_S);
	tv.tv_usec = (suseconds_t)(left % NS_PER_S / 1000) + 1;
	event_add(f->timer, &tv);
}

static void
timer_run(int fd, short what, void *arg)
{
	struct journal	*j = arg;
	struct jwrite	*w;
	int64_t		 now = bootclock_now();

	(void)fd;
	(void)what;
	TAILQ_FOREACH(w, &j->file->queue, entry)
		if (now - w->made_ns >= JOURNAL_TIMEOUT_MS * INT64_C(1000000))
			told(w, false, "the policy journal's disk does not "
			    "answer");
	timer_arm(j->file);
}

/* NULL, or why nothing can be written now. */
static const char *
unwritable(const struct journal *j)
{
	const struct jwrite	*w = TAILQ_FIRST(&j->file->queue);
	const struct jwrite	*last = TAILQ_LAST(&j->file->queue, jwrites);

	if (j->fault[0] != '\0')
		return j->fault;
	if (w != NULL && bootclock_now() - w->made_ns >= JOURNAL_TIMEOUT_MS *
	    INT64_C(1000000))
		return "the policy journal's disk does not answer";
	/* In order: first those that the socket had no room for. */
	if (last != NULL && !last->sent)
		return too_much;
	return NULL;
}

const char *
write_fault(const struct journal *j)
{
	return j->file == NULL ? (j->fault[0] == '\0' ? NULL : j->fault) :
	    unwritable(j);
}

static void
entry_fill(const struct journal *j, struct entry *x)
{
	memset(x, 0, sizeof(*x));
	x->at = j->file->end;
	x->synced = j->file->synced;
	x->generation = j->generation;
	x->kseq = j->kseq;
	x->acked_kseq = j->acked_kseq;
	x->acked_seq = j->acked_seq;
	memcpy(x->acked_head, j->acked_head, sizeof(x->acked_head));
	x->clock = j->clock;
}

/*
 * The other place than the one that is durable; the same again while that is
 * on its way.  end is what is durable, since the entries may be torn when the
 * slot is not.
 */
int
write_slot(struct journal *j, journal_cb cb, void *arg)
{
	struct file	*f = j->file;
	struct slot	 s;
	struct jwrite	*w;
	uint8_t		*p;
	uint64_t	 pos;
	int		 i = 1 - f->slot;

	memset(&s, 0, sizeof(s));
	s.generation = j->generation + 1;
	s.end = f->synced;
	s.reservation = j->reservation;
	s.kseq = j->kseq;
	s.acked_kseq = j->acked_kseq;
	s.acked_seq = j->acked_seq;
	memcpy(s.acked_head, j->acked_head, sizeof(s.acked_head));
	s.rollback = j->rollback;
	s.log = j->log;
	s.clock = j->clock;
	if ((p = ring_alloc(f, FORMAT_SLOT, &pos)) == NULL ||
	    (w = queue_new(j, FORMAT_SLOT, FORMAT_SLOT_AT(i), i,
	    pos)) == NULL)
		return -1;
	format_slot(&s, p);
	j->generation++;
	f->noted = false;
	/* What does not go now goes with the next answer. */
	if (send_one(f, w) == -1)
		return -1;
	w->cb = cb;
	w->arg = arg;
	timer_arm(f);
	return 0;
}

/* The number that a signing id has in the file, or will have. */
static uint64_t
number(struct journal *j, size_t id)
{
	if (j->ids[id].reservation == 0)
		j->ids[id].reservation = ++j->reservation;
	return j->ids[id].reservation;
}

/* In one piece, all that are not written yet; it may be none. */
static struct jwrite *
append(struct journal *j, const struct journal_entry *e, size_t n)
{
	struct file	*f = j->file;
	struct jwrite	*w;
	struct entry	 x;
	uint8_t		*p;
	uint64_t	 pos;
	size_t		 i, len = 0, id, one;

	for (i = 0; i < n; i++)
		len += format_entry_len(e[i].n);
	if ((p = ring_alloc(f, len, &pos)) == NULL ||
	    (w = queue_new(j, 0, f->end, -1, pos)) == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		id = table_find_id(j, e[i].sid);
		if (id == NOT_FOUND || j->ids[id].reservation != 0)
			continue;
		entry_fill(j, &x);
		x.type = ENTRY_SIGN;
		x.reservation = number(j, id);
		memcpy(x.sid, e[i].sid, sizeof(x.sid));
		x.outflow = e[i].outflow;
		one = format_entry_len(e[i].n);
		format_entry(&x, e[i].claim, e[i].n, p + w->len);
		w->len += (uint32_t)one;
		f->end += one;
	}
	f->head = pos + w->len;
	j->bytes = f->end;
	return w;
}

void
journal_commit(struct journal *j, struct journal_entry *e, size_t n,
    uint64_t kseq, journal_written_cb written_cb, journal_cb cb, void *arg)
{
	struct jwrite	*w = NULL;
	const char	*why = write_fault(j);
	size_t		 i, id, fresh = 0;

	for (i = 0; i < n && why == NULL; i++) {
		if ((id = table_find_id(j, e[i].sid)) == NOT_FOUND)
			why = "not reserved";
		else
			fresh += j->ids[id].reservation == 0;
	}
	if (kseq > j->kseq)
		j->kseq = kseq;
	/* What is there already may be on its way still: behind it, then. */
	if (why == NULL && j->file != NULL &&
	    (fresh != 0 || !TAILQ_EMPTY(&j->file->queue)) &&
	    (w = append(j, e, n)) == NULL)
		why = too_much;
	for (i = 0; i < n && why == NULL; i++)
		e[i].reservation = number(j, table_find_id(j, e[i].sid));
	if (w != NULL && send_one(j->file, w) == -1)
		why = too_much;
	if (w == NULL || why != NULL) {
		cb(why == NULL, why, arg);
		return;
	}
	w->written = written_cb;
	w->cb = cb;
	w->arg = arg;
	timer_arm(j->file);
}

void
journal_forget(struct journal *j, const void *arg)
{
	struct jwrite	*w;

	if (j->file == NULL)
		return;
	TAILQ_FOREACH(w, &j->file->queue, entry)
		if (w->arg == arg) {
			w->written = NULL;
			w->cb = NULL;
		}
	timer_arm(j->file);
}

void
write_release(struct journal *j, const struct journal_claim_in *c,
    journal_cb cb, void *arg)
{
	struct file	*f = j->file;
	struct jwrite	*w = NULL;
	struct entry	 x;
	const char	*why;
	size_t		 len = format_entry_len(1);
	uint8_t		*p;
	uint64_t	 pos;

	if ((why = unwritable(j)) != NULL) {
		cb(false, why, arg);
		return;
	}
	if ((p = ring_alloc(f, len, &pos)) == NULL ||
	    (w = queue_new(j, len, f->end, -1, pos)) == NULL) {
		cb(false, too_much, arg);
		return;
	}
	entry_fill(j, &x);
	x.type = ENTRY_RELEASE;
	format_entry(&x, c, 1, p);
	f->end += len;
	j->bytes = f->end;
	(void)table_release(j, &c->outpoint);
	if (send_one(f, w) == -1) {
		cb(false, too_much, arg);
		return;
	}
	w->cb = cb;
	w->arg = arg;
	timer_arm(f);
}

void
write_note(struct journal *j)
{
	struct timeval	 tv = { NOTE_MS / 1000, 0 };

	if (j->file == NULL || j->file->noted || j->file->damaged ||
	    j->file->note == NULL)
		return;
	j->file->noted = true;
	event_add(j->file->note, &tv);
}

static void
note_run(int fd, short what, void *arg)
{
	struct journal	*j = arg;
	struct timeval	 tv = { NOTE_MS / 1000, 0 };

	(void)fd;
	(void)what;
	clock_check(j);
	if (unwritable(j) != NULL || write_slot(j, NULL, NULL) == -1)
		event_add(j->file->note, &tv);
}

int
journal_start(struct journal *j, struct event_base *base,
    void (*died)(void *), void *arg)
{
	struct file	*f = j->file;

	f->base = base;
	f->died = died;
	f->arg = arg;
	f->answer = event_new(base, f->sock, EV_READ | EV_PERSIST,
	    answer_ready, j);
	f->timer = evtimer_new(base, timer_run, j);
	f->retry = evtimer_new(base, retry_run, j);
	f->note = evtimer_new(base, note_run, j);
	if (f->answer == NULL || f->timer == NULL || f->retry == NULL ||
	    f->note == NULL || event_add(f->answer, NULL) == -1)
		return -1;
	/* The clock may stand still since the load. */
	write_note(j);
	return 0;
}

void
journal_stop(struct journal *j)
{
	struct file	*f = j->file;
	struct jwrite	*w;
	const struct timeval tick = { 0, 5000 };
	int64_t		 until = bootclock_now() + STOP_MS * INT64_C(1000000);

	if (f == NULL || f->answer == NULL || f->damaged)
		return;
	clock_check(j);
	(void)write_slot(j, NULL, NULL);
	while (!TAILQ_EMPTY(&f->queue) && !f->damaged &&
	    bootclock_now() < until)
		if (event_base_loopexit(f->base, &tick) == -1 ||
		    event_base_dispatch(f->base) == -1)
			break;
	if (!TAILQ_EMPTY(&f->queue))
		log_warnx("%s: stopping before all of it is durable", f->path);
	f->damaged = true;
	(void)strlcpy(j->fault, "igra-keyd is stopping", sizeof(j->fault));
	TAILQ_FOREACH(w, &f->queue, entry)
		told(w, false, j->fault);
}
