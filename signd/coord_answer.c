/*
 * What signers answer.  All of it is hostile: it is parsed within limits,
 * verified, and escaped before anybody sees it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coord.h"
#include "json.h"
#include "kaspa.h"

#define MAX_MEMORY	(256U * 1024 * 1024)	/* of one answer, parsed */
#define MAX_TEXT	200			/* bytes shown of a text */
#define MAX_WAIT	3600			/* s */

/* One answer being read. */
struct reply {
	struct pool		 pool;
	struct coord_signer	*signer;
	const char		*body;
	const struct json	*result;
	unsigned		*again;		/* s */
	long			 retry_after;
};

static void	 failed(struct coord_signer *, const char *, const void *,
		    size_t);
static bool	 right_id(const struct json *, uint64_t);
static void	 read_envelope(struct reply *, const struct coord_answer *);
static void	 read_error(struct reply *, const struct json *);
static void	 add_datum(char *, size_t, const struct json *, const char *,
		    const char *);
static int	 read_key(const struct json *, uint8_t [32]);
static void	 read_info(struct reply *);
static void	 read_signed(struct reply *);
static const char *wrong_answer(const struct reply *);
static bool	 right_id_of(const struct json *, const uint8_t [TX_ID_LEN]);
static bool	 right_ids(const struct reply *);
static const char *take_signatures(struct reply *, size_t *);
static const char *take_signature(struct reply *, const struct json *);
static bool	 is_duplicate(const struct coord_signer *,
		    const struct coord_signer **);
static const char *read_audit(struct reply *);
static const char *keep_audit(struct coord_signer *);
static void	 conclude(struct coord_signer *, const char *, const char *);

void
coord_result(struct coord_signer *s, enum coord_result result,
    const char *fmt, ...)
{
	char	 text[COORD_MAX_WHAT];
	va_list	 ap;

	/* Through another buffer: the old text may be among the arguments. */
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s->result = result;
	(void)strlcpy(s->what, text, sizeof(s->what));
}

static void
failed(struct coord_signer *s, const char *what, const void *text, size_t len)
{
	char	 safe[4 * MAX_TEXT] = "";

	coord_escape(safe, sizeof(safe), text, len, MAX_TEXT);
	coord_result(s, COORD_FAILED, "%s: %s", what, safe);
}

void
coord_answer(struct coord_signer *s, const struct coord_answer *a,
    unsigned *again)
{
	struct reply	 r;

	*again = 0;
	if (a->failure[0] != '\0') {
		failed(s, s->signing ? "pskt.sign" : "signer.info",
		    a->failure, strlen(a->failure));
		return;
	}
	memset(&r, 0, sizeof(r));
	pool_init(&r.pool, MAX_MEMORY);
	r.signer = s;
	r.again = again;
	r.retry_after = a->retry_after;
	read_envelope(&r, a);
	if (r.result != NULL) {
		if (s->signing)
			read_signed(&r);
		else
			read_info(&r);
	}
	pool_free(&r.pool);
}

static bool
right_id(const struct json *id, uint64_t want)
{
	uint64_t	 got;

	return json_u64(id, UINT32_MAX, &got) == 0 && got == want;
}

/* r->result, or the signer's result is set. */
static void
read_envelope(struct reply *r, const struct coord_answer *a)
{
	struct coord_signer	*s = r->signer;
	const struct json	*root, *error, *result, *id;
	char			 why[256];

	root = json_parse(&r->pool, a->body, a->len, why, sizeof(why));
	if (root == NULL) {
		if (a->status != 200)
			coord_result(s, COORD_FAILED,
			    "HTTP status %ld without JSON", a->status);
		else
			failed(s, "its answer is not JSON", why, strlen(why));
		return;
	}
	r->body = a->body;
	error = json_get(root, "error");
	result = json_get(root, "result");
	id = json_get(root, "id");
	if (!json_is_string(json_get(root, "jsonrpc"), "2.0") ||
	    (error == NULL) == (result == NULL))
		coord_result(s, COORD_FAILED,
		    "its answer is not JSON-RPC 2.0");
	else if (!right_id(id, s->signing ? COORD_ID_SIGN : COORD_ID_INFO) &&
	    (error == NULL || id == NULL || id->type != JSON_NULL))
		coord_result(s, COORD_LIED, "its answer is to another request");
	else if (error != NULL)
		read_error(r, error);
	else if (a->status != 200)
		coord_result(s, COORD_FAILED, "HTTP status %ld with a result",
		    a->status);
	else if (result->type != JSON_OBJECT)
		coord_result(s, COORD_FAILED, "its result is no object");
	else
		r->result = result;
}

/* " name value" of a member of data, if it is there. */
static void
add_datum(char *out, size_t size, const struct json *data, const char *name,
    const char *before)
{
	const struct json	*v = json_get(data, name);

	if (v == NULL || (v->type != JSON_STRING && v->type != JSON_NUMBER))
		return;
	(void)strlcat(out, before, size);
	(void)strlcat(out, name, size);
	(void)strlcat(out, " ", size);
	coord_escape(out, size, v->text.p, v->text.len, MAX_TEXT / 2);
}

static void
read_error(struct reply *r, const struct json *error)
{
	struct coord_signer	*s = r->signer;
	const struct json	*data = json_get(error, "data"), *v;
	char			 text[COORD_MAX_WHAT / 2] = "", more[320] = "";

	s->code[0] = '\0';
	v = json_get(data, "code");
	if (v != NULL && v->type == JSON_STRING)
		coord_escape(s->code, sizeof(s->code), v->text.p, v->text.len,
		    sizeof(s->code) - 1);
	v = json_get(error, "message");
	if (v != NULL && v->type == JSON_STRING)
		coord_escape(text, sizeof(text), v->text.p, v->text.len,
		    MAX_TEXT);
	add_datum(more, sizeof(more), data, "check", "; ");
	add_datum(more, sizeof(more), data, "limit", ", ");
	add_datum(more, sizeof(more), data, "value", ", ");
	add_datum(more, sizeof(more), data, "pskt", ", ");
	coord_result(s, COORD_REFUSED, "%s: %s%s",
	    s->code[0] == '\0' ? "an error without a code" : s->code, text,
	    more);
	if (strcmp(s->code, "RATE_LIMITED") != 0)
		return;
	s->result = COORD_PENDING;
	*r->again = r->retry_after <= 0 ? 1 : r->retry_after > MAX_WAIT ?
	    MAX_WAIT : (unsigned)r->retry_after;
}

static int
read_key(const struct json *v, uint8_t key[32])
{
	if (v == NULL || v->type != JSON_STRING || v->text.len != 64)
		return -1;
	return pskt_unhex(v->text.p, v->text.len, key);
}

static void
read_info(struct reply *r)
{
	struct coord_signer	*s = r->signer;
	const struct json	*v = json_get(r->result, "public_key");

	if (v != NULL && v->type == JSON_NULL) {
		(void)strlcpy(s->code, "LOCKED", sizeof(s->code));
		coord_result(s, COORD_REFUSED, "LOCKED: not unlocked since "
		    "it was started; it says no public key");
	} else if (read_key(v, s->key) == -1)
		coord_result(s, COORD_FAILED, "signer.info: its public_key "
		    "is not 64 hex digits");
	else {
		s->have_key = true;
		s->code[0] = s->what[0] = '\0';
	}
}

static void
read_signed(struct reply *r)
{
	struct coord_signer		*s = r->signer;
	const struct coord_signer	*other;
	const char			*lie, *worry = NULL;

	s->code[0] = '\0';
	if ((lie = wrong_answer(r)) == NULL) {
		lie = take_signatures(r, &s->inputs);
		if (lie == NULL && s->inputs == 0) {
			coord_result(s, COORD_FAILED,
			    "it answers without a signature");
			return;
		}
		if (lie == NULL && !s->proven && is_duplicate(s, &other)) {
			coord_result(s, COORD_DUPLICATE, "the same signer as "
			    "%s, counted once", other->path);
			return;
		}
		if (lie == NULL && !coord_doc_same(&s->coord->doc, r->body,
		    json_get(r->result, "pskt")))
			lie = "the document comes back altered";
		if (lie == NULL && (lie = read_audit(r)) == NULL)
			worry = keep_audit(s);
	}
	conclude(s, lie, worry);
}

/* Is it an answer to this request, for these transactions?  NULL: yes. */
static const char *
wrong_answer(const struct reply *r)
{
	if (!json_is_string(json_get(r->result, "request_id"),
	    r->signer->coord->request_id))
		return "its answer is to another request";
	if (!right_ids(r))
		return "its answer is for another transaction";
	return NULL;
}

static bool
right_id_of(const struct json *v, const uint8_t want[TX_ID_LEN])
{
	uint8_t	 id[TX_ID_LEN];

	return read_key(v, id) == 0 && memcmp(id, want, sizeof(id)) == 0;
}

static bool
right_ids(const struct reply *r)
{
	const struct coord_doc	*d = &r->signer->coord->doc;
	const struct json	*v;

	if (d->doc.form != PSKT_FORM_PSKB)
		return right_id_of(json_get(r->result, "transaction_id"),
		    d->tx[0].id);
	v = json_get(r->result, "transaction_ids");
	if (v == NULL || v->type != JSON_ARRAY || v->n != d->n)
		return false;
	for (v = v->first; v != NULL; v = v->next)
		if (!right_id_of(v, d->tx[v->index].id))
			return false;
	return true;
}

/* NULL, or the lie; it ends at the first, which bounds the work. */
static const char *
take_signatures(struct reply *r, size_t *n)
{
	const struct json	*list = json_get(r->result, "signatures"), *v;
	const char		*lie;

	*n = 0;
	if (list == NULL || list->type != JSON_ARRAY)
		return "it answers without a list of signatures";
	if (list->n > r->signer->coord->doc.inputs)
		return "it gives more signatures than there are inputs";
	for (v = list->first; v != NULL; v = v->next, (*n)++)
		if ((lie = take_signature(r, v)) != NULL)
			return lie;
	return NULL;
}

static const char *
take_signature(struct reply *r, const struct json *v)
{
	struct coord_signer	*s = r->signer;
	struct coord_doc	*d = &s->coord->doc;
	const struct json	*sig = json_get(v, "signature");
	uint64_t		 pskt, input;
	uint8_t			 key[32], raw[64];
	bool			 own;

	if (json_u64(json_get(v, "pskt"), SIZE_MAX, &pskt) == -1 ||
	    json_u64(json_get(v, "input"), SIZE_MAX, &input) == -1 ||
	    read_key(json_get(v, "public_key"), key) == -1 || sig == NULL ||
	    sig->type != JSON_STRING || sig->text.len != 128 ||
	    pskt_unhex(sig->text.p, sig->text.len, raw) == -1)
		return "an entry of its list of signatures is malformed";
	own = memcmp(key, s->key, sizeof(key)) == 0;
	/* Derived keys differ from it, but then it is not in the script. */
	if (!own && coord_doc_has_key(d, pskt, input, s->key))
		return "it signs with another key than its own";
	switch (coord_doc_add(d, pskt, input, key, raw)) {
	case COORD_SIG_NEW:
		s->proven = true;
		return NULL;
	case COORD_SIG_KNOWN:
		return NULL;
	case COORD_SIG_NO_INPUT:
		return "it signs an input that is not there";
	case COORD_SIG_NO_KEY:
		return "it signs with a key that is not in the input's script";
	case COORD_SIG_WRONG:
		return "a signature of it is not valid";
	}
	return "a signature of it is not valid";
}

/* Has another signer of this run shown that this key is its own? */
static bool
is_duplicate(const struct coord_signer *s, const struct coord_signer **other)
{
	const struct coord	*c = s->coord;
	size_t			 i;

	for (i = 0; i < c->n; i++) {
		*other = &c->signer[i];
		if (*other != s && (*other)->proven &&
		    memcmp((*other)->key, s->key, sizeof(s->key)) == 0)
			return true;
	}
	return false;
}

static const char *
read_audit(struct reply *r)
{
	struct coord_signer	*s = r->signer;
	const struct json	*v = json_get(r->result, "audit");

	if (json_u64(json_get(v, "seq"), UINT64_MAX, &s->audit.seq) == -1 ||
	    read_key(json_get(v, "head"), s->audit.head) == -1)
		return "it answers without the head of its audit log";
	memcpy(s->audit.key, s->key, sizeof(s->audit.key));
	s->have_audit = true;
	return NULL;
}

/*
 * Judges the head beside what was known when the signer was asked, and keeps
 * it, if a new signature of its key shows that it is who it says.
 */
static const char *
keep_audit(struct coord_signer *s)
{
	static char		 text[COORD_MAX_WHAT];
	struct coord		*c = s->coord;
	enum witness_verdict	 verdict;
	char			 err[256];

	if (!c->have_witness)
		return NULL;
	verdict = witness_judge(s->have_known ? &s->known : NULL, &s->audit);
	if (verdict == WITNESS_OK && s->proven &&
	    witness_keep(&c->witness, &s->audit, &verdict, err,
	    sizeof(err)) == -1) {
		c->witness_failed = true;
		(void)snprintf(text, sizeof(text),
		    "the witness is not kept: %s", err);
		return text;
	}
	switch (verdict) {
	case WITNESS_OK:
		return NULL;
	case WITNESS_BACK:
		(void)snprintf(text, sizeof(text), "the head of its audit log "
		    "went back, from record %llu to %llu",
		    (unsigned long long)s->known.seq,
		    (unsigned long long)s->audit.seq);
		break;
	case WITNESS_OTHER_HEAD:
		(void)snprintf(text, sizeof(text), "record %llu of its audit "
		    "log had another hash before",
		    (unsigned long long)s->audit.seq);
		break;
	}
	s->result = COORD_LIED;
	return text;
}

static void
conclude(struct coord_signer *s, const char *lie, const char *worry)
{
	char	 audit[128] = "", head[17];

	if (lie != NULL) {
		coord_result(s, COORD_LIED, "%s (%zu valid signatures taken "
		    "before)", lie, s->inputs);
		return;
	}
	if (s->have_audit) {
		pskt_hex(s->audit.head, 8, head);
		head[16] = '\0';
		(void)snprintf(audit, sizeof(audit), "; audit %llu %s...",
		    (unsigned long long)s->audit.seq, head);
	}
	coord_result(s, s->result == COORD_LIED ? COORD_LIED : COORD_SIGNED,
	    "signed %zu of %zu inputs%s%s%s", s->inputs,
	    s->coord->doc.inputs, audit, worry == NULL ? "" : "; ",
	    worry == NULL ? "" : worry);
}
