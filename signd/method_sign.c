/*
 * pskt.sign: the document becomes transactions for keyd; what comes back goes
 * into the document, which else stays as it was.
 */
#include <stdio.h>
#include <string.h>

#include "kaspa.h"
#include "methods.h"
#include "pskt.h"
#include "schnorr.h"
#include "signd.h"

/* Of a deadline: to sign, verify and encode; to derive up to 15 keys. */
#define MS_PER_INPUT	1
#define MS_PER_PATH	3

/* One signature of the answer. */
struct signature {
	uint32_t	 tx, input;
	const uint8_t	*sig;	/* keyd's, or the one that was there already */
	bool		 kept;
};

struct sign {
	const struct json	*value;
	struct bytes		 profile;
	struct bytes		 reason;
	struct pskt_doc		 doc;
	/* Once keyd has answered: */
	struct msg_sign		 m;
	struct signature	*sig;
	struct bytes		*note;		/* of ours */
	size_t			 nnote;
};

static int	 sign_encode(struct rpc_call *, struct enc *, unsigned *);
static unsigned	 sign_weight(const struct tx *);
static int	 sign_answer(const struct frame *, enum keyd_fail, void *);
static int	 sign_fits(const struct sign *);
static int	 sign_settle(struct rpc_call *);
static const uint8_t *own_valid(const struct pskt *, size_t, const uint8_t *,
		    struct sighash_cache *, bool *);
static int	 sign_note(struct rpc_call *, uint32_t, uint32_t);
static int	 sign_emit(struct rpc_call *, struct bytes *);
static void	 write_result(struct json_out *, const struct rpc_call *,
		    struct bytes);
static void	 write_signatures(struct json_out *, const struct sign *);
static void	 write_ids(struct json_out *, const struct sign *);
static void	 write_notes(struct json_out *, const struct sign *);
static void	 write_note(struct json_out *, const struct sign *, size_t,
		    const char *, size_t);

void *
sign_parse(struct rpc_call *c, const struct json *params, char *err)
{
	static const char *const	 names[] = { "pskt", "profile",
					    "reason", "request_id", NULL };
	struct sign			*s;

	if ((s = pool_alloc(c->pool, 1, sizeof(*s))) == NULL ||
	    rpc_params_only(params, names, err) == -1 ||
	    rpc_param_request_id(c, params, err) == -1 ||
	    rpc_param_profile(params, &s->profile, err) == -1 ||
	    rpc_param_text(params, "reason", PROTO_MAX_REASON, &s->reason,
	    err) == -1)
		return NULL;
	if ((s->value = json_get(params, "pskt")) == NULL) {
		(void)strlcpy(err, "params.pskt: missing", RPC_ERR_LEN);
		return NULL;
	}
	return s;
}

void
sign_run(struct rpc_call *c)
{
	sign_ask(c, MSG_SIGN_REQ, sign_answer);
}

void
sign_ask(struct rpc_call *c, uint16_t type, keyd_cb cb)
{
	struct signd		*d = c->signd;
	struct sign		*s = c->params;
	struct pskt_context	 ctx;
	struct pskt_error	 e;
	struct enc		 enc;
	enum keyd_fail		 why;
	unsigned		 weight;

	/* A link that is down says so before a document is even looked at. */
	if (!keyd_link_up(d->link)) {
		rpc_keyd_failed(c, KEYD_GONE);
		return;
	}
	memset(&ctx, 0, sizeof(ctx));
	if (d->have_key && s->profile.len == 0) {
		ctx.xonly = d->public_key + 1;
		if (d->have_fingerprint)
			ctx.fingerprint = d->fingerprint;
	}
	/* A copy: the config may be reloaded before keyd has answered. */
	ctx.redeem.len = d->c.redeem_len;
	if (d->c.redeem_len != 0 && (ctx.redeem.p = pool_dup(c->pool,
	    d->c.redeem, d->c.redeem_len)) == NULL) {
		rpc_refuse(c, CODE_INTERNAL, PROTO_NO_PSKT, "out of memory");
		return;
	}
	ctx.derivation_path = d->d.conf->derivation_path;
	if (pskt_parse(c->pool, &ctx, c->src, s->value, &s->doc, &e) == -1) {
		pskt_refuse(c, &e);
		return;
	}
	c->bundle = s->doc.form == PSKT_FORM_PSKB;
	if (sign_encode(c, &enc, &weight) == -1) {
		enc_free(&enc);
		rpc_refuse(c, CODE_INTERNAL, PROTO_NO_PSKT, "out of memory");
		return;
	}
	if (enc.len > PROTO_MAX_SIGN) {
		enc_free(&enc);
		rpc_refuse(c, CODE_TOO_LARGE, PROTO_NO_PSKT,
		    "the transactions are larger than 24 MiB");
		return;
	}
	why = keyd_link_call(d->link, type, enc.buf, enc.len,
	    KEYD_TIMEOUT_MS, weight, cb, c);
	enc_free(&enc);
	if (why != KEYD_ANSWERED)
		rpc_keyd_failed(c, why);
}

static unsigned
sign_weight(const struct tx *tx)
{
	unsigned	 ms = (unsigned)tx->nin * MS_PER_INPUT;
	size_t		 i;

	for (i = 0; i < tx->nin; i++)
		if (tx->in[i].claim.path.len != 0)
			ms += MS_PER_PATH;
	for (i = 0; i < tx->nout; i++)
		if (tx->out[i].claim.path.len != 0)
			ms += MS_PER_PATH;
	return ms;
}

static int
sign_encode(struct rpc_call *c, struct enc *enc, unsigned *weight)
{
	struct sign		*s = c->params;
	struct msg_sign_req	 m;
	size_t			 i;

	enc_init(enc);
	memset(&m, 0, sizeof(m));
	m.request_id = bytes_str(c->request_id);
	m.profile = s->profile;
	m.reason = s->reason;
	m.peer_uid = rpc_peer(c)->uid;
	m.peer_pid = (uint32_t)rpc_peer(c)->pid;
	m.n = (uint32_t)s->doc.n;
	if ((m.tx = pool_alloc(c->pool, s->doc.n, sizeof(*m.tx))) == NULL)
		return -1;
	for (*weight = 0, i = 0; i < s->doc.n; i++) {
		m.tx[i] = s->doc.pskt[i].tx;
		*weight += sign_weight(&m.tx[i]);
	}
	enc_sign_req(enc, &m);
	return enc->failed ? -1 : 0;
}

static int
sign_answer(const struct frame *f, enum keyd_fail why, void *arg)
{
	struct rpc_call	*c = arg;
	struct signd	*d = c->signd;	/* c may be gone once it is answered */
	struct sign	*s = c->params;
	struct json_out	*o;
	struct bytes	 pskt;
	int		 rc;

	if ((rc = rpc_keyd_answer(c, f, why, MSG_SIGN)) != 1) {
		/* It may have another key by now than the one we know of. */
		if (rc == 0 && f != NULL)
			signd_ask_key(d);
		return rc;
	}
	if (!d->have_key)
		signd_ask_key(d);
	if (dec_sign(f->p, f->len, c->pool, &s->m) == -1 ||
	    sign_fits(s) == -1) {
		rpc_keyd_broken(c);
		return -1;
	}
	if (sign_settle(c) == -1 || sign_emit(c, &pskt) == -1) {
		rpc_refuse(c, CODE_INTERNAL, PROTO_NO_PSKT,
		    "the signed document cannot be written");
		return 0;
	}
	if ((o = rpc_result(c)) == NULL)
		return 0;
	write_result(o, c, pskt);
	rpc_done(c);
	return 0;
}

/* Does the answer fit what was asked? */
static int
sign_fits(const struct sign *s)
{
	const struct msg_sign	*m = &s->m;
	uint32_t		 i;

	if (m->n != s->doc.n)
		return -1;
	for (i = 0; i < m->nsig; i++)
		if ((m->sig[i].public_key[0] != 2 &&
		    m->sig[i].public_key[0] != 3) ||
		    m->sig[i].tx >= m->n || m->sig[i].input >=
		    s->doc.pskt[m->sig[i].tx].tx.nin ||
		    (i > 0 && (m->sig[i].tx < m->sig[i - 1].tx ||
		    (m->sig[i].tx == m->sig[i - 1].tx &&
		    m->sig[i].input <= m->sig[i - 1].input))))
			return -1;
	for (i = 0; i < m->nnote; i++)
		if (m->note[i].tx >= m->n)
			return -1;
	return 0;
}

/* Decides for each input which signature stands. */
static int
sign_settle(struct rpc_call *c)
{
	struct sign		*s = c->params;
	const struct msg_sign	*m = &s->m;
	const struct pskt	*p;
	struct sighash_cache	 cache;
	const uint8_t		*old;
	uint32_t		 i;
	bool			 bad;

	s->sig = pool_alloc(c->pool, m->nsig, sizeof(*s->sig));
	s->note = pool_alloc(c->pool, m->nsig, sizeof(*s->note));
	if (s->sig == NULL || s->note == NULL)
		return -1;
	for (i = 0; i < m->nsig; i++) {
		if (i == 0 || m->sig[i].tx != m->sig[i - 1].tx)
			sighash_cache_init(&cache);
		p = &s->doc.pskt[m->sig[i].tx];
		old = own_valid(p, m->sig[i].input,
		    m->sig[i].public_key + 1, &cache, &bad);
		s->sig[i].tx = m->sig[i].tx;
		s->sig[i].input = m->sig[i].input;
		s->sig[i].kept = old != NULL;
		s->sig[i].sig = old != NULL ? old : m->sig[i].sig;
		if (old == NULL && bad &&
		    sign_note(c, m->sig[i].tx, m->sig[i].input) == -1)
			return -1;
	}
	return 0;
}

/* A signature of ours that is there and right; *bad: there are wrong ones. */
static const uint8_t *
own_valid(const struct pskt *p, size_t i, const uint8_t *xonly,
    struct sighash_cache *cache, bool *bad)
{
	const struct pskt_sig	*sig = NULL;
	uint8_t			 hash[32];

	*bad = false;
	while ((sig = pskt_own_signature(p, i, xonly, sig)) != NULL) {
		if (sig->schnorr && sighash_schnorr(&p->tx, i,
		    p->tx.in[i].sighash_type, cache, hash) == 0 &&
		    schnorr_verify(xonly, hash, sig->sig))
			return sig->sig;
		*bad = true;
	}
	return NULL;
}

static int
sign_note(struct rpc_call *c, uint32_t tx, uint32_t input)
{
	struct sign	*s = c->params;
	char		 prefix[32], *text;

	prefix[0] = '\0';
	if (s->doc.form == PSKT_FORM_PSKB)
		(void)snprintf(prefix, sizeof(prefix), "pskt[%u].", tx);
	text = pool_printf(c->pool, "%sinputs[%u].partialSigs: a signature of "
	    "this signer's key was wrong and has been replaced", prefix,
	    input);
	if (text == NULL)
		return -1;
	s->note[s->nnote++] = bytes_str(text);
	return 0;
}

static int
sign_emit(struct rpc_call *c, struct bytes *out)
{
	const struct sign	*s = c->params;
	const struct msg_sign	*m = &s->m;
	struct pskt_new_sig	*new;
	size_t			 i, n = 0;

	if ((new = pool_alloc(c->pool, m->nsig, sizeof(*new))) == NULL)
		return -1;
	for (i = 0; i < m->nsig; i++) {
		if (s->sig[i].kept)
			continue;
		new[n].pskt = s->sig[i].tx;
		new[n].input = s->sig[i].input;
		memcpy(new[n].key, m->sig[i].public_key,
		    sizeof(new[n].key));
		if (c->signd->d.conf->signer_key_parity == PARITY_EVEN)
			new[n].key[0] = 2;
		memcpy(new[n].sig, s->sig[i].sig, sizeof(new[n].sig));
		n++;
	}
	return pskt_emit(c->pool, &s->doc, new, n, out);
}

static void
write_result(struct json_out *o, const struct rpc_call *c, struct bytes pskt)
{
	const struct sign	*s = c->params;

	json_out_begin_object(o);
	json_out_key(o, "pskt");
	json_out_raw(o, (const char *)pskt.p, pskt.len);
	json_out_key(o, "signatures");
	write_signatures(o, s);
	write_ids(o, s);
	json_put_string(o, "request_id", c->request_id);
	json_out_key(o, "notes");
	write_notes(o, s);
	json_out_key(o, "audit");
	json_out_begin_object(o);
	json_put_u64(o, "seq", s->m.audit_seq);
	json_put_hex(o, "head", s->m.audit_head, sizeof(s->m.audit_head));
	json_out_end_object(o);
	json_out_end_object(o);
}

static void
write_signatures(struct json_out *o, const struct sign *s)
{
	uint32_t	 i;

	json_out_begin_array(o);
	for (i = 0; i < s->m.nsig; i++) {
		json_out_begin_object(o);
		json_put_u64(o, "pskt", s->sig[i].tx);
		json_put_u64(o, "input", s->sig[i].input);
		json_put_hex(o, "public_key", s->m.sig[i].public_key + 1, 32);
		json_put_hex(o, "signature", s->sig[i].sig, 64);
		json_out_end_object(o);
	}
	json_out_end_array(o);
}

static void
write_ids(struct json_out *o, const struct sign *s)
{
	uint32_t	 i;

	if (s->doc.form != PSKT_FORM_PSKB) {
		json_put_hex(o, "transaction_id", s->m.tx_id[0], TX_ID_LEN);
		return;
	}
	json_out_key(o, "transaction_ids");
	json_out_begin_array(o);
	for (i = 0; i < s->m.n; i++)
		json_out_hex(o, s->m.tx_id[i], TX_ID_LEN);
	json_out_end_array(o);
}

size_t
sign_documents(const struct rpc_call *c)
{
	const struct sign	*s = c->params;

	return s->doc.n;
}

void
sign_notes(struct json_out *o, const struct rpc_call *c)
{
	write_notes(o, c->params);
}

/* Those of the document, of keyd, and ours. */
static void
write_notes(struct json_out *o, const struct sign *s)
{
	size_t	 i;

	json_out_begin_array(o);
	for (i = 0; i < s->doc.nnote; i++)
		write_note(o, s, s->doc.note[i].pskt, s->doc.note[i].text,
		    strlen(s->doc.note[i].text));
	for (i = 0; i < s->m.nnote; i++)
		write_note(o, s, s->m.note[i].tx,
		    (const char *)s->m.note[i].text.p, s->m.note[i].text.len);
	for (i = 0; i < s->nnote; i++)
		json_out_stringn(o, s->note[i].p, s->note[i].len);
	json_out_end_array(o);
}

static void
write_note(struct json_out *o, const struct sign *s, size_t pskt,
    const char *text, size_t len)
{
	char	 line[1024];

	if (s->doc.form != PSKT_FORM_PSKB) {
		json_out_stringn(o, text, len);
		return;
	}
	(void)snprintf(line, sizeof(line), "pskt[%zu]: %.*s", pskt,
	    len > 900 ? 900 : (int)len, text);
	json_out_string(o, line);
}
