/* When checkpoints are made, and what happens when one cannot be. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/log.h"

#include "auditd/auditd.h"

#define BARE_MAX	10000	/* records that no checkpoint covers */

static uint64_t	 bare(const struct auditd *);
static void	 on_seal(int, short, void *);
static void	 lost_key(struct auditd *);
static void	 state_alert(struct auditd *, struct finding *);
static void	 cannot_seal(struct auditd *);

void
seal_open(struct auditd *a)
{
	if (checkpoint_open(&a->cp, a->log.dirfd, a->d.uid[ROLE_AUDITD],
	    &checkpoint_system) == -1)
		fatalx("%s/%s", a->log.dir, a->cp.fault);
}

/* An alert about the file of the state. */
static void
state_alert(struct auditd *a, struct finding *f)
{
	(void)snprintf(f->path, sizeof(f->path), "%.*s/%s",
	    (int)(sizeof(f->path) - sizeof(CHECKPOINT_FILE) - 1), a->log.dir,
	    CHECKPOINT_FILE);
	own_alert(a, f, -1, false);
}

/* Nothing has happened: records go on, and nothing proves them. */
static void
cannot_seal(struct auditd *a)
{
	struct finding	 f;

	if (a->seal_failed)
		return;
	a->seal_failed = true;
	memset(&f, 0, sizeof(f));
	f.alert = "no checkpoint";
	(void)strlcpy(f.actual, a->cp.fault, sizeof(f.actual));
	state_alert(a, &f);
}

static void
lost_key(struct auditd *a)
{
	struct finding	 f;

	memset(&f, 0, sizeof(f));
	f.alert = "checkpoint key lost";
	(void)snprintf(f.expected, sizeof(f.expected),
	    "the key of this log, whose last line is %" PRIu64,
	    a->log.scan.chain.seq);
	(void)snprintf(f.actual, sizeof(f.actual),
	    "none that goes with it: a new series of checkpoints begins");
	state_alert(a, &f);
}

/*
 * The anchor is the operator's word on who signs this log.  It is no reason to
 * stop: what is recorded under another key is still recorded, and whoever
 * verifies with the anchor sees where that begins.
 */
void
seal_check_anchor(struct auditd *a)
{
	struct finding	 f;
	char		 hex[2 * CHECKPOINT_KEY + 1];

	sodium_bin2hex(hex, sizeof(hex), a->cp.origin, sizeof(a->cp.origin));
	log_info("checkpoints: origin %s", hex);
	a->off_anchor = a->d.conf->anchor != NULL &&
	    strcasecmp(a->d.conf->anchor, hex) != 0;
	if (!a->off_anchor)
		return;
	memset(&f, 0, sizeof(f));
	f.alert = "origin is not the anchor";
	(void)strlcpy(f.path, a->log.path, sizeof(f.path));
	(void)snprintf(f.expected, sizeof(f.expected), "%s",
	    a->d.conf->anchor);
	(void)snprintf(f.actual, sizeof(f.actual), "%s", hex);
	own_alert(a, &f, -1, false);
}

void
seal_recover(struct auditd *a)
{
	struct finding	 f;

	switch (checkpoint_recover(&a->cp, &a->log.scan)) {
	case CHECKPOINT_FAILED:
		fatalx("%s/%s", a->log.dir, a->cp.fault);
	case CHECKPOINT_LOST:
		lost_key(a);
		break;
	case CHECKPOINT_APPEND:
		log_info("the last checkpoint is not in the log yet");
		(void)seal_finish(a);
		break;
	case CHECKPOINT_FRESH:
	case CHECKPOINT_GOES_ON:
		break;
	}
	if (a->cp.loose) {
		memset(&f, 0, sizeof(f));
		f.alert = "loose mode of the checkpoint state";
		(void)snprintf(f.expected, sizeof(f.expected), "0600");
		state_alert(a, &f);
	}
	seal_check_anchor(a);
	if ((a->seal_ev = evtimer_new(a->base, on_seal, a)) == NULL)
		fatal("cannot make an event");
}

bool
seal_outstanding(const struct auditd *a)
{
	return a->cp.half || a->cp.len != 0;
}

/* How many records no checkpoint covers; the checkpoint itself is none. */
static uint64_t
bare(const struct auditd *a)
{
	uint64_t	 seq = writer_durable(a->writer)->seq;
	uint64_t	 sealed = a->cp.covered == 0 ? 0 : a->cp.covered + 1;

	return seq > sealed ? seq - sealed : 0;
}

void
seal_schedule(struct auditd *a)
{
	struct timeval	 tv;
	uint64_t	 n = bare(a);

	if (a->seal_ev == NULL || n == 0)
		return;
	tv.tv_sec = (time_t)a->d.conf->checkpoint_interval;
	tv.tv_usec = 0;
	if (n >= BARE_MAX && !a->seal_failed)
		(void)seal_now(a);
	else if (!event_pending(a->seal_ev, EV_TIMEOUT, NULL))
		event_add(a->seal_ev, &tv);
}

static void
on_seal(int fd, short what, void *arg)
{
	struct auditd	*a = arg;

	(void)fd;
	(void)what;
	if (auditd_writable(a))
		(void)seal_now(a);
	seal_schedule(a);
}

int
seal_now(struct auditd *a)
{
	struct line_clock	 now;

	if (seal_outstanding(a))
		return seal_finish(a);
	if (writer_commit(a->writer) == -1)
		return auditd_fault(a, writer_fault(a->writer));
	if (bare(a) == 0)
		return 0;
	line_clock_now(&now);
	if (checkpoint_make(&a->cp, writer_durable(a->writer), &now) == -1 &&
	    !a->cp.half) {
		cannot_seal(a);
		return -1;
	}
	a->seal_failed = false;
	return seal_finish(a);
}

/* Step 4, if it failed, and step 5. */
int
seal_finish(struct auditd *a)
{
	size_t	 len = a->cp.len;

	if (checkpoint_finish(&a->cp) == -1)
		return auditd_fault(a, a->cp.fault);
	/*
	 * It has the number after the last durable line: what has been queued
	 * since it failed comes behind it.
	 */
	if (writer_queued(a->writer) != 0)
		writer_drop(a->writer);
	if (writer_add_line(a->writer, a->cp.line, len) == -1)
		return auditd_fault(a, "out of memory for a checkpoint");
	if (writer_commit(a->writer) == -1)
		return auditd_fault(a, writer_fault(a->writer));
	/* For whoever keeps it elsewhere. */
	log_info("%.*s", (int)len - 1, a->cp.line);
	checkpoint_appended(&a->cp);
	if (a->seal_ev != NULL)
		event_del(a->seal_ev);
	return 0;
}
