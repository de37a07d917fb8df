/*
 * The end of a request: what was reserved goes to the journal and the records
 * to auditd, both at once, and the answer leaves when both are durable.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "sign_int.h"
#include "sign_record.h"

static bool	job_commit(struct job *, uint32_t);
static void	job_one(struct job *, bool, const char *);
static void	job_journaled(bool, const char *, void *);
static void	job_answer(struct job *);
static void	job_audited(bool, const struct msg_audit_ack *, const char *,
		    void *);

/* A request's records go in one message and one commit (DESIGN 2). */
void
job_record(struct job *j)
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
		n++;
	}
	j->waiting = ntx == 0 ? 1 : 2;
	if (ntx == 0 || job_commit(j, n - ntx)) {
		j->accesses.n = 0;	/* told of with this */
		audit_submit(&j->k->audit, r, n, job_audited, j);
	} else
		job_answer(j);
	for (i = 0; i < ntx; i++)
		enc_free(&dest[i]);
	free(dest);
}

/*
 * The journal has it before auditd: whatever the moment of a kill, there is
 * no record of a signature that the journal does not know.  naccess: records
 * before the Signing ones.  False: it failed at once.
 */
static bool
job_commit(struct job *j, uint32_t naccess)
{
	struct journal	*journal = j->k->journal;
	uint32_t	 i;

	/* It may have been found rolled back since. */
	if (!journal_may_sign(journal, j->why, sizeof(j->why)))
		return false;
	for (i = 0; i < j->req.n; i++)
		j->reserved[i].kseq = j->k->audit.kseq + naccess + i + 1;
	journal_commit(journal, j->reserved, j->req.n, job_journaled, j);
	return j->why[0] == '\0';
}

static void
job_one(struct job *j, bool ok, const char *why)
{
	if (!ok && j->why[0] == '\0')
		(void)strlcpy(j->why, why, sizeof(j->why));
	j->waiting--;
}

static void
job_journaled(bool ok, const char *why, void *arg)
{
	struct job	*j = arg;

	job_one(j, ok, why);
	if (j->waiting == 0)
		job_answer(j);
}

static void
job_audited(bool ok, const struct msg_audit_ack *ack, const char *why,
    void *arg)
{
	struct job	*j = arg;

	if (ok)
		j->ack = *ack;
	job_one(j, ok, why);
	if (j->waiting == 0)
		job_answer(j);
}

static void
job_answer(struct job *j)
{
	struct keyd	*k = j->k;
	struct enc	 e;
	char		 msg[512];

	if (j->why[0] != '\0') {
		snprintf(msg, sizeof(msg), "%s: no durable record, no "
		    "%s", j->why, j->check ? "answer" : "signature");
		sodium_memzero(j->reply.sig, j->reply.nsig *
		    sizeof(*j->reply.sig));
		job_refuse(j, CODE_AUDIT_UNAVAILABLE, PROTO_NO_PSKT, msg);
		return;
	}
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
	k->signatures += j->reply.nsig;
	job_done(j);
}
