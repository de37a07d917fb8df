/*
 * A reservation goes to the journal while it is signed for; when the file has
 * it, the records go to auditd.  Both are synced at the same time, and when
 * both are durable the answer leaves.  So no kill leaves a log that knows of a
 * signature and a journal that does not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "bootclock.h"
#include "sign_int.h"
#include "sign_record.h"

static void	job_written(void *);
static void	job_journaled(bool, const char *, void *);
static void	job_submit(struct job *);
static void	job_audited(bool, const struct msg_audit_ack *, const char *,
		    void *);
static void	job_withhold(struct job *);
static void	job_answer(struct job *);

bool
job_journal(struct job *j)
{
	struct keyd	*k = j->k;

	j->journaling = true;
	journal_commit(k->journal, j->reserved, j->req.n, k->audit.kseq,
	    job_written, job_journaled, j);
	if (j->why[0] == '\0')
		return true;
	job_withhold(j);
	return false;
}

static void
job_written(void *arg)
{
	struct job	*j = arg;

	j->written = true;
	if (j->state == JOB_RECORD)
		job_record(j);
}

static void
job_journaled(bool ok, const char *why, void *arg)
{
	struct job	*j = arg;

	j->journaling = false;
	j->written = true;
	if (!ok && j->why[0] == '\0')
		(void)strlcpy(j->why, why, sizeof(j->why));
	if (j->state == JOB_RECORD)
		job_record(j);
}

void
job_record(struct job *j)
{
	if (j->signed_ns == 0)
		j->signed_ns = bootclock_now();
	/* What auditd has been sent it answers: the job must be there then. */
	if (j->recording)
		return;
	/* It may have been found rolled back since. */
	if (j->why[0] == '\0' && !j->recorded && !j->check)
		(void)journal_may_sign(j->k->journal, j->why, sizeof(j->why));
	if (j->why[0] != '\0')
		job_withhold(j);
	else if (!j->recorded && (j->written || j->check))
		job_submit(j);
	else if (j->recorded && !j->journaling)
		job_answer(j);
}

/* A request's records go in one message and one commit (DESIGN 2). */
static void
job_submit(struct job *j)
{
	struct audit_record	*r;
	struct enc		*dest;
	uint32_t		 i, n, ntx = j->check ? 0 : j->req.n;

	/* Not from the job's pool: when auditd is away the job ends within. */
	r = pool_alloc(&j->pool, KEYRING_MAX_ACCESS + ntx, sizeof(*r));
	dest = calloc(j->req.n, sizeof(*dest));
	if (r == NULL || dest == NULL) {
		free(dest);
		job_refuse(j, CODE_INTERNAL, PROTO_NO_PSKT, "out of memory");
		return;
	}
	n = access_records(&j->accesses, j->req.request_id, j->req.peer_uid,
	    j->req.peer_pid, "Get", true, r);
	for (i = 0; i < ntx; i++) {
		audit_record_init(&r[n], EV_SIGNING, SRC_KEYD, true);
		enc_init(&dest[i]);
		sign_record_fill(&r[n], &j->k->d, &j->req, i, &j->decision[i],
		    j->key_ref, j->reply.tx_id[i], j->started, &dest[i]);
		audit_set_bytes(&r[n], FIELD_PAYLOAD_HASH, j->first[i], 32);
		audit_set_u64(&r[n], FIELD_RESERVATION,
		    j->reserved[i].reservation);
		n++;
	}
	j->accesses.n = 0;		/* told of with this */
	j->recording = true;
	audit_submit(&j->k->audit, r, n, j->signed_ns, job_audited, j);
	for (i = 0; i < ntx; i++)
		enc_free(&dest[i]);
	free(dest);
}

static void
job_audited(bool ok, const struct msg_audit_ack *ack, const char *why,
    void *arg)
{
	struct job	*j = arg;

	j->recording = false;
	j->recorded = ok;
	if (ok)
		j->ack = *ack;
	else if (j->why[0] == '\0')
		(void)strlcpy(j->why, why, sizeof(j->why));
	job_record(j);
}

static void
job_withhold(struct job *j)
{
	char	 msg[512];

	snprintf(msg, sizeof(msg), "%s: no durable record, no %s", j->why,
	    j->check ? "answer" : "signature");
	job_refuse(j, CODE_AUDIT_UNAVAILABLE, PROTO_NO_PSKT, msg);
}

static void
job_answer(struct job *j)
{
	struct enc	 e;

	if (j->client != NULL && j->check) {
		enc_init(&e);
		check_answer(&e, &j->pool, j->decision, j->req.n);
		(void)frame_send_enc(j->client->conn, MSG_CHECK, j->id, &e);
	} else if (j->client != NULL) {
		j->reply.audit_seq = j->ack.seq;
		memcpy(j->reply.audit_head, j->ack.head,
		    sizeof(j->reply.audit_head));
		enc_init(&e);
		enc_sign(&e, &j->reply);
		(void)frame_send_enc(j->client->conn, MSG_SIGN, j->id, &e);
	}
	j->k->signatures += j->reply.nsig;
	job_done(j);
}
