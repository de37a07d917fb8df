/*
 * Signing: decide on the whole bundle, sign a few inputs per turn of the
 * event loop (so that lock, eviction and other clients never wait for a large
 * request); sign_commit.c makes it durable and answers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "log.h"
#include "policy_int.h"
#include "sign_int.h"
#include "sign_record.h"

#define INPUTS_PER_TURN	64
/* What deciding on a transaction will take, counted from the beginning. */
#define DECISION_BYTES	(sizeof(struct decision) + \
			    sizeof(struct journal_entry))
#define STEPS_PER_TURN	100	/* of own_prepare: about as long */

static void	job_free(struct job *);
static void	tell_accesses(struct job *);
static void	job_refusal(const struct job *, enum proto_code, uint32_t,
		    const char *, struct refusal *);
static void	job_refuse_decision(struct job *, uint32_t);
static int	job_reserve(struct job *);
static int	job_prepare(struct job *, const struct own_key *);
static bool	job_decide(struct job *, struct key *);
static bool	job_sign(struct job *, struct key *);
static bool	job_key(struct job *, struct key *, struct key **);
static bool	sign_one(struct job *, const struct key *);
static void	job_turn(struct job *);
static void	arm(struct keyd *);

static void
arm(struct keyd *k)
{
	struct timeval	 now = { 0, 0 };
	struct client	*c;
	struct job	*j;
	bool		 full = k->njobs >= KEYD_MAX_JOBS ||
			    k->jobbytes >= KEYD_MAX_JOB_BYTES;

	if (full != k->paused) {
		k->paused = full;
		TAILQ_FOREACH(c, &k->clients, entry) {
			if (c->link != LINK_KEYD)
				continue;
			if (full)
				frame_conn_pause(c->conn);
			else
				frame_conn_resume(c->conn);
		}
	}
	TAILQ_FOREACH(j, &k->jobs, entry) {
		if (j->state != JOB_RECORD) {
			/*
			 * A timer, since the loop looks at the sockets before
			 * it runs one.  What event_active() adds it runs
			 * first, over and over.
			 */
			event_add(k->work, &now);
			return;
		}
	}
}

static void
job_free(struct job *j)
{
	TAILQ_REMOVE(&j->k->jobs, j, entry);
	j->k->njobs--;
	j->k->jobbytes -= j->bytes;
	if (j->reply.sig != NULL)
		sodium_memzero(j->reply.sig, j->reply.nsig *
		    sizeof(*j->reply.sig));
	if (j->journaling)
		journal_forget(j->k->journal, j);
	own_unref(j->own);
	pool_free(&j->pool);
	free(j->payload);
	free(j);
}

void
job_done(struct job *j)
{
	struct keyd	*k = j->k;

	job_free(j);
	arm(k);
}

void
sign_request(struct client *c, const struct frame *f)
{
	struct keyd	*k = c->k;
	struct job	*j;

	k->requests++;
	if ((j = calloc(1, sizeof(*j))) == NULL) {
		client_drop(c, "out of memory");
		return;
	}
	j->k = k;
	j->client = c;
	j->check = f->type == MSG_CHECK_REQ;
	j->id = f->id;
	j->started = monotonic_now();
	pool_init(&j->pool, 0);
	TAILQ_INSERT_TAIL(&k->jobs, j, entry);
	k->njobs++;
	if (dec_sign_req(f->p, f->len, &j->pool, &j->req) == -1 ||
	    j->req.n == 0 || !bytes_cstr(j->req.profile, j->profile,
	    sizeof(j->profile))) {
		job_free(j);
		client_drop(c, "malformed SIGN_REQ or CHECK_REQ");
		return;
	}
	/* The request's views stay good: the payload is ours from here. */
	j->payload = frame_take(c->conn);
	j->bytes = f->len + j->pool.used + j->req.n * (j->check ?
	    DECISION_BYTES + POLICY_MAX_ROWS * sizeof(struct check_row) :
	    DECISION_BYTES);
	k->jobbytes += j->bytes;
	if (!audit_ready(&k->audit)) {
		job_refuse(j, CODE_AUDIT_UNAVAILABLE, PROTO_NO_PSKT,
		    "igra-auditd cannot be reached or does not answer; "
		    "nothing is signed without a durable record");
		return;
	}
	if (!journal_may_sign(k->journal, j->why, sizeof(j->why))) {
		job_refuse(j, CODE_AUDIT_UNAVAILABLE, PROTO_NO_PSKT, j->why);
		return;
	}
	arm(k);
}

static void
job_refusal(const struct job *j, enum proto_code code, uint32_t pskt,
    const char *message, struct refusal *r)
{
	memset(r, 0, sizeof(*r));
	r->code = code;
	r->pskt = pskt;
	r->message = message;
	r->method = j->check ? "pskt.check" : "pskt.sign";
	r->request_id = j->req.request_id;
	r->peer_uid = j->req.peer_uid;
	r->peer_pid = j->req.peer_pid;
}

/*
 * A secret that was decrypted has been used, though the request was refused.
 * What stood in the cache is told of when it leads to something.
 */
static void
tell_accesses(struct job *j)
{
	struct audit_record	 r[KEYRING_MAX_ACCESS];
	uint32_t		 i, n;

	n = access_records(&j->accesses, j->req.request_id, j->req.peer_uid,
	    j->req.peer_pid, "Get", j->key_ref[0] != '\0', r);
	for (i = 0; i < n; i++)
		if (!j->accesses.a[i].cached)
			(void)audit_tell_capped(&j->k->audit, &r[i],
			    j->req.peer_uid);
}

void
job_refuse(struct job *j, enum proto_code code, uint32_t pskt,
    const char *message)
{
	struct refusal	 r;

	job_refusal(j, code, pskt, message, &r);
	r.check = code == CODE_POLICY_DENIED ? "secrets" : NULL;
	tell_accesses(j);
	refuse_request(j->k, j->client, j->id, &r);
	job_done(j);
}

static void
job_refuse_decision(struct job *j, uint32_t i)
{
	const struct decision	*d = &j->decision[i];
	struct audit_record	 extra;
	struct refusal		 r;
	struct enc		 dest;

	job_refusal(j, d->code, j->req.n > 1 ? i : PROTO_NO_PSKT, d->message,
	    &r);
	r.check = d->check;
	r.limit = d->limit;
	r.value = d->value;
	enc_init(&dest);
	if (d->check != NULL) {
		audit_record_init(&extra, EV_POLICY_DENIED, SRC_KEYD, false);
		sign_record_fill(&extra, &j->k->d, &j->req, i, d, j->key_ref,
		    j->reply.tx_id[i], j->started, &dest);
		r.extra = &extra;
	}
	tell_accesses(j);
	refuse_request(j->k, j->client, j->id, &r);
	enc_free(&dest);
	job_done(j);
}

/* Counts at once, so that requests in flight see each other. */
static int
job_reserve(struct job *j)
{
	struct journal_entry	*e;
	uint32_t		 i;

	if ((e = pool_alloc(&j->pool, j->req.n, sizeof(*e))) == NULL)
		return -1;
	for (i = 0; i < j->req.n; i++)
		e[i] = j->decision[i].entry;
	j->reserved = e;
	return journal_reserve(j->k->journal, e, j->req.n);
}

/*
 * Extended keys along claimed paths take their time: some a turn, before the
 * decision.  1 when all are there, 0: later, -1: no memory.
 */
static int
job_prepare(struct job *j, const struct own_key *key)
{
	if (j->own != j->k->own) {	/* at first, or after a reload */
		own_unref(j->own);
		j->own = own_ref(j->k->own);
		own_cache_init(&j->paths, &j->pool);
	}
	return own_prepare(j->own, key, &j->paths, j->req.tx, j->req.n,
	    STEPS_PER_TURN);
}

/* The whole bundle is decided before anything is signed. */
static bool
job_decide(struct job *j, struct key *key)
{
	struct keyd	*k = j->k;
	struct pool	*p = &j->pool;
	struct policy_request q;
	struct own_key	 own_key;
	uint32_t	 i, refused;
	size_t		 nsig = 0;

	key_own(key, &own_key);
	switch (job_prepare(j, &own_key)) {
	case 0:
		return true;
	case -1:
		goto nomem;
	}
	j->decision = pool_alloc(p, j->req.n, sizeof(*j->decision));
	j->reply.tx_id = pool_alloc(p, j->req.n, 32);
	j->first = pool_alloc(p, j->req.n, 32);
	if (j->decision == NULL || j->reply.tx_id == NULL ||
	    j->first == NULL)
		goto nomem;
	keyd_policy_request(k, &j->req, j->own, &own_key, &j->paths, &q);
	q.every_check = j->check;
	journal_tick(k->journal);
	refused = policy_decide(&q, j->req.tx, j->req.n, p, j->decision);
	if (j->check) {
		j->state = JOB_RECORD;
		return true;
	}
	for (i = 0; i < j->req.n && i <= refused; i++) {
		memcpy(j->reply.tx_id[i], j->decision[i].tx_id, TX_ID_LEN);
		nsig += j->decision[i].nsign;
	}
	if (refused < j->req.n) {
		job_refuse_decision(j, refused);
		return false;
	}
	if ((j->reply.sig = pool_alloc(p, nsig,
	    sizeof(*j->reply.sig))) == NULL)
		goto nomem;
	if (job_reserve(j) == -1)
		goto nomem;
	if (!job_journal(j))
		return false;
	sighash_cache_init(&j->cache);
	j->state = JOB_SIGN;
	return true;
nomem:
	job_refuse(j, CODE_INTERNAL, PROTO_NO_PSKT, "out of memory");
	return false;
}

/* What input's key is; false: there is none. */
static bool
job_key(struct job *j, struct key *account, struct key **leaf)
{
	const struct decision	*d = &j->decision[j->tx];
	struct keyring		*r = &j->k->ring;
	struct bip32_steps	 below;
	struct key		*was = *leaf;
	char			 err[KEYRING_ERR];

	if (!d->derived[j->input]) {
		*leaf = NULL;
		below.n = 0;
	} else if (!own_relative(j->own, &j->req.tx[j->tx].in[j->input].claim,
	    &below))
		return false;
	else if (was != NULL && memcmp(&was->below, &below,
	    sizeof(below)) == 0)
		return true;
	else if (keyring_below(r, account, &below, leaf, err,
	    sizeof(err)) != CODE_NONE) {
		log_warnx("%s", err);
		keyring_put(r, was);
		return false;
	}
	if (was != NULL)
		keyring_put(r, was);
	return true;
}

static bool
sign_one(struct job *j, const struct key *key)
{
	const struct conf	*c = j->k->d.conf;
	const struct tx		*tx = &j->req.tx[j->tx];
	struct sign_sig		*s = &j->reply.sig[j->reply.nsig];
	uint8_t			 hash[32];

	if (sighash_schnorr(tx, j->input, tx->in[j->input].sighash_type,
	    &j->cache, hash) == -1 ||
	    curve_sign(key->pair, hash, s->sig) == -1 ||
	    ((c->verify_after_sign || c->network == KASPA_MAINNET) &&
	    !curve_verify_own(key->pair, hash, s->sig))) {
		log_alert("a signature that was just made does not verify, "
		    "or could not be made: it is withheld");
		return false;
	}
	if (sodium_is_zero(j->first[j->tx], 32))
		memcpy(j->first[j->tx], hash, 32);
	s->tx = j->tx;
	s->input = (uint32_t)j->input;
	memcpy(s->public_key, key->pub, sizeof(s->public_key));
	j->reply.nsig++;
	return true;
}

/* false: the job is over. */
static bool
job_sign(struct job *j, struct key *key)
{
	struct keyring	*r = &j->k->ring;
	struct key	*leaf = NULL;	/* of the input before, if derived */
	int		 left = INPUTS_PER_TURN;
	bool		 ok = true;

	while (j->tx < j->req.n) {
		for (; j->input < j->req.tx[j->tx].nin; j->input++) {
			if (j->decision[j->tx].class[j->input] ==
			    INPUT_FOREIGN)
				continue;
			if (left-- == 0)
				goto out;
			ok = job_key(j, key, &leaf) &&
			    sign_one(j, leaf == NULL ? key : leaf);
			if (!ok)
				goto out;
		}
		j->tx++;
		j->input = 0;
		sighash_cache_init(&j->cache);
	}
	j->state = JOB_RECORD;
out:
	keyring_put(r, leaf);
	if (!ok)
		job_refuse(j, CODE_INTERNAL, j->tx, "signing failed, or its "
		    "own verification");
	return ok;
}

static void
job_turn(struct job *j)
{
	struct keyd	*k = j->k;
	struct key	*key;
	char		 err[KEYRING_ERR];
	enum proto_code	 code;
	bool		 decide = j->state == JOB_DECIDE;

	if (decide && j->profile[0] != '\0' && k->d.conf->network ==
	    KASPA_MAINNET && strcmp(j->profile, k->d.conf->active_profile)) {
		job_refuse(j, CODE_KEY_NOT_FOUND, PROTO_NO_PSKT, "on mainnet "
		    "only the active profile signs");
		return;
	}
	code = keyring_get(&k->ring, j->profile[0] == '\0' ? NULL :
	    j->profile, &key, j->accesses.n == 0 ? &j->accesses : NULL, err,
	    sizeof(err));
	if (code != CODE_NONE) {
		job_refuse(j, code, PROTO_NO_PSKT, err);
		return;
	}
	/*
	 * Another file may have been unlocked since the first turn.  All keys
	 * of a request come from this one.
	 */
	if (j->key_ref[0] == '\0') {
		memcpy(j->pub, key->pub, sizeof(j->pub));
		(void)strlcpy(j->key_ref, key->ref, sizeof(j->key_ref));
		j->reply.n = j->req.n;
	} else if (memcmp(key->pub, j->pub, sizeof(key->pub)) != 0) {
		job_refuse(j, CODE_LOCKED, PROTO_NO_PSKT, "igra-keyd has been "
		    "unlocked with another key meanwhile: ask again");
		keyring_put(&k->ring, key);
		return;
	}
	if (decide && !job_decide(j, key)) {
		keyring_put(&k->ring, key);
		return;
	}
	if (j->state == JOB_SIGN && !job_sign(j, key)) {
		keyring_put(&k->ring, key);
		return;
	}
	keyring_put(&k->ring, key);
	if (j->state == JOB_RECORD)
		job_record(j);
	else
		arm(k);
}

void
sign_work(int fd, short what, void *arg)
{
	struct keyd	*k = arg;
	struct job	*j;

	(void)fd;
	(void)what;
	TAILQ_FOREACH(j, &k->jobs, entry) {
		if (j->state == JOB_RECORD)
			continue;
		/* The others' turn comes before its next. */
		TAILQ_REMOVE(&k->jobs, j, entry);
		TAILQ_INSERT_TAIL(&k->jobs, j, entry);
		if (j->client == NULL)
			job_done(j);
		else
			job_turn(j);
		break;
	}
	arm(k);
}

/* What auditd has been sent is on record, and leaves as it says. */
void
sign_cancel_all(struct keyd *k)
{
	struct job	*j, *next;

	TAILQ_FOREACH_SAFE(j, &k->jobs, entry, next)
		if (!j->recording && !j->recorded)
			job_refuse(j, CODE_LOCKED, PROTO_NO_PSKT,
			    "igra-keyd has been locked");
}

void
sign_client_gone(struct client *c)
{
	struct job	*j;

	TAILQ_FOREACH(j, &c->k->jobs, entry)
		if (j->client == c)
			j->client = NULL;
}
