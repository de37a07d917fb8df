/*
 * An operator's word on the policy journal (DESIGN 12): each is in the audit
 * log before it counts, and in the journal before it is answered.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "keyd.h"
#include "log.h"

enum word { WORD_RELEASE, WORD_CLOCK, WORD_ROLLBACK };

static const char *const names[] = {
	[WORD_RELEASE] = "release",
	[WORD_CLOCK] = "accept-clock",
	[WORD_ROLLBACK] = "accept-rollback",
};

/* One that waits for its record, then for the journal. */
struct given {
	struct keyd	*k;
	uint64_t	 client;	/* serial */
	uint64_t	 id;
	uid_t		 uid;
	enum word	 word;
	struct outpoint	 outpoint;
	char		 value[JOURNAL_WHY];
};

static bool	permitted(struct client *, const struct frame *, enum word);
static void	refused(struct client *, uint64_t, enum word, enum proto_code,
		    const char *);
static struct given *given_new(struct client *, const struct frame *,
		    enum word);
static void	given_submit(struct given *, struct bytes reason);
static void	given_audited(bool, const struct msg_audit_ack *, const char *,
		    void *);
static void	given_done(bool, const char *, void *);

static void
refused(struct client *c, uint64_t id, enum word w, enum proto_code code,
    const char *why)
{
	struct audit_record	 r;

	audit_record_init(&r, EV_POLICY_RELEASED, SRC_KEYD, false);
	audit_set_u64(&r, FIELD_OPERATOR, c->peer.uid);
	audit_set_str(&r, FIELD_OPERATION, names[w]);
	audit_set_str(&r, FIELD_ERROR, why);
	if (audit_tell_capped(&c->k->audit, &r, c->peer.uid))
		log_warnx("policy %s by uid %u refused: %s", names[w],
		    (unsigned)c->peer.uid, why);
	(void)frame_send_error(c->conn, id, code, PROTO_NO_PSKT, why);
}

static bool
permitted(struct client *c, const struct frame *f, enum word w)
{
	if (daemon_is_root(&c->k->d, c->peer.uid))
		return true;
	refused(c, f->id, w, CODE_UNAUTHORIZED, "only root may do that");
	return false;
}

static struct given *
given_new(struct client *c, const struct frame *f, enum word w)
{
	struct given	*g;

	if ((g = calloc(1, sizeof(*g))) == NULL) {
		client_drop(c, "out of memory");
		return NULL;
	}
	g->k = c->k;
	g->client = c->serial;
	g->id = f->id;
	g->uid = c->peer.uid;
	g->word = w;
	return g;
}

static void
given_submit(struct given *g, struct bytes reason)
{
	struct audit_record	 r;

	audit_record_init(&r, EV_POLICY_RELEASED, SRC_KEYD, true);
	audit_set_u64(&r, FIELD_OPERATOR, g->uid);
	audit_set_str(&r, FIELD_OPERATION, names[g->word]);
	audit_set_str(&r, FIELD_VALUE, g->value);
	if (reason.len != 0)
		audit_set_bytes(&r, FIELD_REASON, reason.p, reason.len);
	audit_submit(&g->k->audit, &r, 1, bootclock_now(), given_audited, g);
}

void
admin_policy_accept(struct client *c, const struct frame *f)
{
	struct journal		*j = c->k->journal;
	struct msg_policy_accept m;
	struct given		*g;
	enum word		 w;
	uint64_t		 gap;
	char			 value[JOURNAL_WHY];

	if (dec_policy_accept(f->p, f->len, NULL, &m) == -1) {
		client_drop(c, "malformed POLICY_ACCEPT");
		return;
	}
	w = m.what == ACCEPT_CLOCK ? WORD_CLOCK : WORD_ROLLBACK;
	if (!permitted(c, f, w))
		return;
	if (m.what == ACCEPT_CLOCK) {
		if (journal_clock_pending(j, &gap) == CLOCK_RUNS) {
			refused(c, f->id, w, CODE_CONFLICT,
			    "the clock is not in doubt");
			return;
		}
		(void)snprintf(value, sizeof(value), "%llu s",
		    (unsigned long long)gap);
	} else if (journal_rollback(j) == 0) {
		refused(c, f->id, w, CODE_CONFLICT,
		    "neither log nor journal was rolled back");
		return;
	} else
		(void)journal_may_sign(j, value, sizeof(value));
	if ((g = given_new(c, f, w)) == NULL)
		return;
	(void)strlcpy(g->value, value, sizeof(g->value));
	given_submit(g, bytes_str(NULL));
}

void
admin_policy_release(struct client *c, const struct frame *f)
{
	struct msg_policy_release	 m;
	struct journal_found		 found;
	struct given			*g;

	if (dec_policy_release(f->p, f->len, NULL, &m) == -1) {
		client_drop(c, "malformed POLICY_RELEASE");
		return;
	}
	if (!permitted(c, f, WORD_RELEASE))
		return;
	if (m.reason.len == 0) {
		refused(c, f->id, WORD_RELEASE, CODE_UNSUPPORTED,
		    "give a reason");
		return;
	}
	if (!journal_find(c->k->journal, &m.outpoint, &found)) {
		refused(c, f->id, WORD_RELEASE, CODE_CONFLICT,
		    "nothing is claimed for this outpoint");
		return;
	}
	if ((g = given_new(c, f, WORD_RELEASE)) == NULL)
		return;
	g->outpoint = m.outpoint;
	outpoint_text(&m.outpoint, g->value);
	given_submit(g, m.reason);
}

static void
given_audited(bool ok, const struct msg_audit_ack *ack, const char *why,
    void *arg)
{
	struct given	*g = arg;
	struct journal	*j = g->k->journal;

	(void)ack;
	if (!ok) {
		given_done(false, why, g);
		return;
	}
	switch (g->word) {
	case WORD_RELEASE:
		journal_release(j, &g->outpoint, given_done, g);
		break;
	case WORD_CLOCK:
		journal_accept_clock(j, given_done, g);
		break;
	case WORD_ROLLBACK:
		journal_accept_rollback(j, given_done, g);
		break;
	}
}

static void
given_done(bool ok, const char *why, void *arg)
{
	struct given	*g = arg;
	struct client	*c = client_find(g->k, g->client);
	char		 msg[512];

	if (ok)
		log_info("policy %s by uid %u: %s", names[g->word],
		    (unsigned)g->uid, g->value);
	if (c != NULL && ok)
		(void)frame_send(c->conn, MSG_OK, g->id, NULL, 0);
	else if (c != NULL) {
		snprintf(msg, sizeof(msg), "%s: not done", why);
		(void)frame_send_error(c->conn, g->id, CODE_AUDIT_UNAVAILABLE,
		    PROTO_NO_PSKT, msg);
	}
	free(g);
}
