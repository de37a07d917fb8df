/*
 * JSON-RPC, from the body of a POST to the body of the answer, with the link
 * to igra-keyd in this file's hands.  Input: how keyd behaves, the length of
 * its answer (u16), the answer (type, payload), then the body.
 *
 * What goes to keyd decodes; what comes back to the client is one JSON-RPC
 * answer, or one for each call; a document is answered with one that parses;
 * nothing is left over.
 */
#include <string.h>

#include <event2/buffer.h>

#include "kaspa.h"
#include "signd/methods.h"
#include "signd/pskt.h"
#include "signd/signd.h"

#include "fuzz.h"

enum keyd {
	DOWN,			/* no connection */
	GONE,			/* it dies while we wait */
	LATE,
	BUSY,
	RIGHT,			/* answers as it should */
	RAW,			/* answers with the input's bytes */
	KEYD_MAX
};

struct http_req {
	struct peer	 peer;
	const char	*body;
	size_t		 len;
	unsigned	 replies;
	int		 status;
	char		*text;
	size_t		 textlen;
};

/* A question to keyd that has no answer yet. */
struct question {
	uint16_t	 type;
	uint8_t		*p;
	size_t		 len;
	keyd_cb		 cb;
	void		*arg;
};

static struct signd	 signd;
static struct conf	 conf;
static struct limit_uid	*who;
static enum keyd	 keyd;
static const uint8_t	*raw;
static size_t		 rawlen;
/* Each call of a batch may ask once more: for the key. */
static struct question	 question[2 * RPC_MAX_BATCH];
static unsigned		 nquestions;

static void	setup(void);
static bool	decodes(uint16_t, const uint8_t *, size_t, struct pool *,
		    struct msg_sign_req *);
static void	right_answer(struct enc *, uint16_t, struct pool *,
		    const struct msg_sign_req *);
static void	right_sign(struct enc *, struct pool *,
		    const struct msg_sign_req *);
static void	right_check(struct enc *, struct pool *,
		    const struct msg_sign_req *);
static void	answer(const struct question *);
static void	check_reply(const struct http_req *);
static void	check_answer(const struct http_req *, const struct json *);
static void	check_result(const char *, const struct json *);
static void	check_id(const struct http_req *, const struct json *);

/* --- what rpc.c sees of HTTP --- */

const char *
http_header(const struct http_req *req, const char *name)
{
	(void)req;
	(void)name;
	return NULL;
}

const char *
http_body(const struct http_req *req, size_t *len)
{
	*len = req->len;
	return req->body;
}

const struct peer *
http_peer(const struct http_req *req)
{
	return &req->peer;
}

struct limit_uid *
http_uid(const struct http_req *req)
{
	(void)req;
	return who;
}

bool
http_allowed(const struct http_req *req)
{
	(void)req;
	return true;
}

void
http_refuse(struct http_req *req, int status, unsigned code, const char *why)
{
	http_reply_error(req, status, code, why, 0);
}

void
http_reply(struct http_req *req, int status, const char *type,
    struct evbuffer *body, unsigned retry_after)
{
	(void)type;
	CHECK((status == 429) == (retry_after != 0));
	req->replies++;
	req->status = status;
	req->textlen = body == NULL ? 0 : evbuffer_get_length(body);
	CHECK((req->text = malloc(req->textlen + 1)) != NULL);
	if (req->textlen != 0)
		CHECK(evbuffer_remove(body, req->text, req->textlen) ==
		    (int)req->textlen);
}

void
http_reply_error(struct http_req *req, int status, unsigned code,
    const char *message, unsigned retry_after)
{
	(void)req;
	(void)code;
	(void)retry_after;
	/* Only without memory, or a token. */
	(void)fprintf(stderr, "HTTP %d: %s\n", status, message);
	abort();
}

/* --- and of keyd --- */

bool
keyd_link_up(const struct keyd_link *l)
{
	(void)l;
	return keyd != DOWN;
}

enum keyd_fail
keyd_link_call(struct keyd_link *l, uint16_t type, const void *p, size_t len,
    unsigned timeout_ms, unsigned weight, keyd_cb cb, void *arg)
{
	struct question	*q;

	(void)l;
	(void)timeout_ms;
	(void)weight;
	if (keyd == DOWN)
		return KEYD_GONE;
	if (keyd == BUSY)
		return KEYD_BUSY;
	CHECK(nquestions < 2 * RPC_MAX_BATCH);
	q = &question[nquestions++];
	q->type = type;
	q->len = len;
	CHECK((q->p = malloc(len + 1)) != NULL);
	if (len != 0)
		memcpy(q->p, p, len);
	q->cb = cb;
	q->arg = arg;
	return KEYD_ANSWERED;
}

bool
keyd_link_tell(struct keyd_link *l, uint16_t type, const void *p, size_t len)
{
	struct msg_note	 m;
	struct pool	 pool;

	(void)l;
	CHECK(type == MSG_NOTE);
	CHECK(len >= proto_rule(type)->min && len <= proto_rule(type)->max);
	pool_init(&pool, 0);
	CHECK(dec_note(p, len, &pool, &m) == 0);
	pool_free(&pool);
	return true;
}

static void
setup(void)
{
	if (signd.base != NULL)
		return;
	CHECK((signd.base = event_base_new()) != NULL);
	conf.derivation_path = strdup("m/45'/111111'/0'");
	CHECK(conf.derivation_path != NULL);
	signd.d.conf = &conf;
	signd.d.separated = true;
	metrics_init(&signd.metrics, now_ns());
	rpc_init(&signd);
	limits_init(&signd.limits, 0, 1, NULL, 0);
	CHECK((who = limits_get(&signd.limits, 0, now_ns())) != NULL);
	CHECK(notes_init(&signd.notes, signd.base, NULL,
	    &signd.metrics) == 0);
}

/* Is it what keyd takes? */
static bool
decodes(uint16_t type, const uint8_t *p, size_t len, struct pool *pool,
    struct msg_sign_req *sign)
{
	struct msg_key_list_req		 list;
	struct msg_key_public_req	 pub;

	if (!proto_allowed(type, LINK_KEYD, true) ||
	    len < proto_rule(type)->min || len > proto_rule(type)->max)
		return false;
	switch (type) {
	case MSG_INFO_REQ:
		return len == 0;
	case MSG_SIGN_REQ:
	case MSG_CHECK_REQ:
		return dec_sign_req(p, len, pool, sign) == 0 &&
		    sign->request_id.len != 0;
	case MSG_KEY_LIST_REQ:
		return dec_key_list_req(p, len, pool, &list) == 0;
	case MSG_KEY_PUBLIC_REQ:
		return dec_key_public_req(p, len, pool, &pub) == 0;
	}
	return false;
}

static void
right_sign(struct enc *e, struct pool *pool, const struct msg_sign_req *req)
{
	struct msg_sign	 m;
	uint32_t	 i, j;

	memset(&m, 0, sizeof(m));
	m.audit_seq = 7;
	m.n = req->n;
	m.nnote = 1;
	m.tx_id = pool_alloc(pool, m.n, sizeof(*m.tx_id));
	m.sig = pool_alloc(pool, 1000 * (size_t)m.n, sizeof(*m.sig));
	m.note = pool_alloc(pool, 1, sizeof(*m.note));
	CHECK(m.tx_id != NULL && m.sig != NULL && m.note != NULL);
	m.note[0].text = bytes_str("a note");
	for (i = 0; i < m.n; i++) {
		CHECK(tx_id(&req->tx[i], m.tx_id[i]) == 0);
		for (j = 0; j < req->tx[i].nin; j++, m.nsig++) {
			m.sig[m.nsig].tx = i;
			m.sig[m.nsig].input = j;
			memset(m.sig[m.nsig].public_key, 0x33, 33);
			m.sig[m.nsig].public_key[0] = 3;
			memset(m.sig[m.nsig].sig, 0x44, 64);
		}
	}
	enc_sign(e, &m);
}

static void
right_check(struct enc *e, struct pool *pool, const struct msg_sign_req *req)
{
	static struct check_result	 one = { .outcome = CHECK_PASS };
	struct msg_check		 m = { req->n, NULL };
	uint32_t			 i;

	one.check = bytes_str("max_fee_sompi");
	m.tx = pool_alloc(pool, m.n, sizeof(*m.tx));
	CHECK(m.tx != NULL);
	for (i = 0; i < m.n; i++) {
		m.tx[i].code = i % 2 == 0 ? CODE_NONE : CODE_POLICY_DENIED;
		m.tx[i].nresult = 1;
		m.tx[i].result = &one;
	}
	enc_check(e, &m);
}

static void
right_answer(struct enc *e, uint16_t type, struct pool *pool,
    const struct msg_sign_req *req)
{
	struct msg_info		 info;
	struct msg_key_list	 list = { 0, NULL };
	struct msg_key_public	 pub;

	switch (type) {
	case MSG_INFO_REQ:
		memset(&info, 0, sizeof(info));
		info.network = bytes_str("devnet");
		enc_info(e, &info);
		break;
	case MSG_SIGN_REQ:
		right_sign(e, pool, req);
		break;
	case MSG_CHECK_REQ:
		right_check(e, pool, req);
		break;
	case MSG_KEY_LIST_REQ:
		enc_key_list(e, &list);
		break;
	case MSG_KEY_PUBLIC_REQ:
		memset(&pub, 0, sizeof(pub));
		enc_key_public(e, &pub);
		break;
	}
}

static void
answer(const struct question *q)
{
	struct msg_sign_req	 req;
	struct frame		 f;
	struct pool		 pool;
	struct enc		 e;

	memset(&f, 0, sizeof(f));
	pool_init(&pool, 0);
	enc_init(&e);
	CHECK(decodes(q->type, q->p, q->len, &pool, &req));
	if (keyd == GONE || keyd == LATE)
		(void)q->cb(NULL, keyd == GONE ? KEYD_GONE : KEYD_LATE,
		    q->arg);
	else if (keyd == RIGHT) {
		right_answer(&e, q->type, &pool, &req);
		CHECK(!e.failed);
		f.type = (uint16_t)(q->type + 1);
		f.p = e.buf;
		f.len = e.len;
		CHECK(q->cb(&f, KEYD_ANSWERED, q->arg) == 0);
	} else {
		f.type = rawlen == 0 ? MSG_ERROR : raw[0];
		f.p = rawlen == 0 ? raw : raw + 1;
		f.len = rawlen == 0 ? 0 : rawlen - 1;
		(void)q->cb(&f, KEYD_ANSWERED, q->arg);
	}
	enc_free(&e);
	pool_free(&pool);
}

/* A document that comes back is one that signd reads. */
static void
check_result(const char *text, const struct json *result)
{
	const struct json	*v = json_get(result, "pskt");
	struct pskt_doc		 doc;
	struct pskt_error	 e;
	struct pool		 pool;

	if (v == NULL)
		return;
	pool_init(&pool, 0);
	CHECK(pskt_parse(&pool, NULL, text, v, &doc, &e) == 0);
	CHECK(json_get(result, "signatures") != NULL);
	CHECK(json_get(result, "notes") != NULL);
	CHECK(json_get(result, "audit") != NULL);
	CHECK((json_get(result, "transaction_id") != NULL) ==
	    (doc.form != PSKT_FORM_PSKB));
	CHECK((json_get(result, "transaction_ids") != NULL) ==
	    (doc.form == PSKT_FORM_PSKB));
	pool_free(&pool);
}

/* The id of a single call is told back as it was written. */
static void
check_id(const struct http_req *req, const struct json *id)
{
	struct json	*call, *sent;
	struct pool	 pool;
	char		 err[256];

	pool_init(&pool, 0);
	call = json_parse(&pool, req->body, req->len, err, sizeof(err));
	sent = json_get(call, "id");
	if (id->type == JSON_NULL)
		CHECK(sent == NULL || sent->type == JSON_NULL ||
		    sent->type == JSON_BOOL || sent->type == JSON_ARRAY ||
		    sent->type == JSON_OBJECT ||
		    sent->end - sent->start > RPC_MAX_ID);
	else {
		CHECK(sent != NULL);
		CHECK(sent->end - sent->start == id->end - id->start);
		CHECK(memcmp(req->body + sent->start, req->text + id->start,
		    id->end - id->start) == 0);
	}
	pool_free(&pool);
}

static void
check_answer(const struct http_req *req, const struct json *v)
{
	const struct json	*error, *result, *code;

	CHECK(json_is_string(json_get(v, "jsonrpc"), "2.0"));
	CHECK(json_get(v, "id") != NULL && v->n == 3);
	error = json_get(v, "error");
	result = json_get(v, "result");
	CHECK((error == NULL) != (result == NULL));
	if (result != NULL) {
		CHECK(result->type == JSON_OBJECT);
		check_result(req->text, result);
	} else {
		CHECK((code = json_get(error, "code")) != NULL);
		CHECK(code->type == JSON_NUMBER && code->text.p[0] == '-');
		CHECK(json_get(error, "message")->type == JSON_STRING);
		/* keyd's own may be empty. */
		CHECK(keyd == RAW ||
		    json_get(error, "message")->text.len != 0);
		CHECK(json_get(json_get(error, "data"), "code") != NULL);
	}
	if (v->parent == NULL)
		check_id(req, json_get(v, "id"));
}

static void
check_reply(const struct http_req *req)
{
	const struct json	*v;
	struct json		*root;
	struct pool		 pool;
	char			 err[256];

	CHECK(req->replies == 1);
	CHECK(req->status == 200 || req->status == 401 ||
	    req->status == 413 || req->status == 429);
	if (req->textlen == 0)
		return;			/* notifications only */
	CHECK(json_strict(req->text, req->textlen));
	pool_init(&pool, 0);
	root = json_parse(&pool, req->text, req->textlen, err, sizeof(err));
	CHECK(root != NULL);
	if (root->type == JSON_ARRAY) {
		CHECK(root->n >= 1 && root->n <= RPC_MAX_BATCH);
		for (v = root->first; v != NULL; v = v->next)
			check_answer(req, v);
	} else
		check_answer(req, root);
	pool_free(&pool);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_req	 req;
	unsigned	 i;

	if (size < 3)
		return 0;
	setup();
	keyd = data[0] % KEYD_MAX;
	conf.signer_key_parity = data[0] & 0x80 ? PARITY_TRUE : PARITY_EVEN;
	rawlen = (size_t)(data[1] | data[2] << 8);
	if (rawlen > size - 3)
		rawlen = size - 3;
	raw = data + 3;
	signd.have_key = false;
	limiter_init(&signd.notes.limiter, LIMITER_EVENTS, LIMITER_WINDOW);
	memset(&req, 0, sizeof(req));
	req.body = (const char *)raw + rawlen;
	req.len = size - 3 - rawlen;
	req.peer.uid = 1000;		/* who may not reload */
	nquestions = 0;
	rpc_handle(&signd, &req);
	for (i = 0; i < nquestions; i++) {
		answer(&question[i]);
		free(question[i].p);
	}
	check_reply(&req);
	CHECK(signd.batches == 0);
	free(req.text);
	return 0;
}
