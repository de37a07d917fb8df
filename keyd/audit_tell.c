/* Records that nothing waits for: told once, counted, or kept for later. */
#include <stdio.h>
#include <string.h>

#include "audit_int.h"
#include "bootclock.h"
#include "log.h"

static void	tell_lost(struct audit_link *);

void
audit_tell(struct audit_link *l, struct audit_record *r)
{
	audit_tell_all(l, r, 1);
}

void
audit_tell_all(struct audit_link *l, struct audit_record *r, uint32_t n)
{
	struct audit_wait	*w;
	const char		*why;

	if ((w = audit_wait_new(l, r, n, &why)) == NULL) {
		log_alert("%u audit record%s (%s) lost: %s", n,
		    n == 1 ? " is" : "s are", audit_event_name(r->event),
		    why);
		l->lost += n;
		return;
	}
	w->told_ns = w->sent_ns;
	if (l->ready && l->conn != NULL)
		audit_wait_send(l, w);
}

bool
audit_tell_capped(struct audit_link *l, struct audit_record *r, uid_t uid)
{
	if (!limiter_allow(l->limiter, r->event, uid, monotonic_now()))
		return false;
	audit_tell(l, r);
	return true;
}

void
audit_suppressed(struct audit_link *l, enum audit_event event, uid_t uid,
    uint64_t n)
{
	limiter_add(l->limiter, event, uid, n, monotonic_now());
}

void
audit_summary(struct audit_link *l, bool all)
{
	struct audit_record	 r;
	unsigned		 type;
	uint32_t		 uid;
	uint64_t		 n;

	while (limiter_next(l->limiter, all ? UINT64_MAX : monotonic_now(),
	    &type, &uid, &n)) {
		audit_record_init(&r, (enum audit_event)type, SRC_KEYD, false);
		audit_set_str(&r, FIELD_ERROR, "more of the same, only "
		    "counted");
		audit_set_u64(&r, FIELD_SUPPRESSED, n);
		if (uid != LIMITER_OTHERS)
			audit_set_u64(&r, FIELD_PEER_UID, uid);
		audit_tell(l, &r);
	}
}

void
audit_later_keep(struct audit_link *l, struct audit_wait *w)
{
	struct audit_wait	*before;

	if (w->again)
		l->probing = false;
	if (l->nlater >= AUDIT_MAX_LATER ||
	    w->len > AUDIT_MAX_LATER_BYTES - l->later_bytes) {
		if (l->lost == 0)
			log_alert("igra-auditd refuses, and there is no room "
			    "for more audit records: they are lost");
		l->lost += w->n;
		audit_wait_free(w);
		return;
	}
	w->numbered = false;
	w->again = true;
	TAILQ_FOREACH_REVERSE(before, &l->later, audit_waits, entry)
		if (before->told_ns <= w->told_ns)
			break;
	if (before != NULL)
		TAILQ_INSERT_AFTER(&l->later, before, w, entry);
	else
		TAILQ_INSERT_HEAD(&l->later, w, entry);
	l->nlater++;
	l->later_bytes += w->len;
}

/* One shows whether auditd can write again; its refusal costs nothing. */
void
audit_later_send(struct audit_link *l, bool all)
{
	struct audit_wait	*w;

	while (audit_ready(l) && (all || !l->probing) &&
	    (w = TAILQ_FIRST(&l->later)) != NULL) {
		TAILQ_REMOVE(&l->later, w, entry);
		l->nlater--;
		l->later_bytes -= w->len;
		w->id = ++l->next_id;
		audit_wait_queue(l, w);
		if (audit_wait_number(l, w) == -1) {
			log_alert("out of memory for an audit record: it is "
			    "lost");
			l->lost += w->n;
			audit_wait_unqueue(l, w);
			audit_wait_free(w);
			continue;
		}
		l->probing = true;
		audit_wait_send(l, w);
	}
}

void
audit_later_free(struct audit_link *l)
{
	struct audit_wait	*w;

	while ((w = TAILQ_FIRST(&l->later)) != NULL) {
		TAILQ_REMOVE(&l->later, w, entry);
		l->lost += w->n;
		audit_wait_free(w);
	}
	if (l->lost != 0)
		log_alert("%llu audit records are lost: igra-auditd could "
		    "not write them", (unsigned long long)l->lost);
}

/* Once there is room again, how many had none. */
static void
tell_lost(struct audit_link *l)
{
	struct audit_record	 r;
	uint64_t		 n = l->lost;
	char			 text[64];

	if (n == 0 || !audit_ready(l) || !TAILQ_EMPTY(&l->later))
		return;
	(void)snprintf(text, sizeof(text), "%llu records",
	    (unsigned long long)n);
	audit_record_init(&r, EV_SECURITY_ALERT, SRC_KEYD, false);
	audit_set_str(&r, FIELD_ALERT, "records lost");
	audit_set_str(&r, FIELD_ERROR, "the log was not writable for too long");
	audit_set_str(&r, FIELD_ACTUAL, text);
	audit_set_str(&r, FIELD_PROGRAM, "igra-keyd");
	l->lost = 0;
	audit_tell(l, &r);
	if (l->lost != 0)
		l->lost = n;
}

void
audit_tick(int fd, short what, void *arg)
{
	struct audit_link	*l = arg;

	(void)fd;
	(void)what;
	audit_later_send(l, false);
	tell_lost(l);
	audit_summary(l, false);
}
