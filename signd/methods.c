/* The table of methods, and those that are one question to keyd. */
#include <string.h>

#include "methods.h"
#include "pskt.h"
#include "signd.h"

struct key_params {
	struct bytes	 profile;
};

static void	 learn_key(struct signd *, const struct msg_info *);
static void	*none_parse(struct rpc_call *, const struct json *, char *);
static void	*list_parse(struct rpc_call *, const struct json *, char *);
static void	*public_parse(struct rpc_call *, const struct json *, char *);
static int	on_key(const struct frame *, enum keyd_fail, void *);
static void	 info_run(struct rpc_call *);
static int	 info_answer(const struct frame *, enum keyd_fail, void *);
static void	 info_write(struct json_out *, const struct msg_info *);
static void	 list_run(struct rpc_call *);
static int	 list_answer(const struct frame *, enum keyd_fail, void *);
static void	 public_run(struct rpc_call *);
static int	 public_answer(const struct frame *, enum keyd_fail, void *);
static void	 ask(struct rpc_call *, uint16_t, struct enc *, keyd_cb);

const struct rpc_method rpc_methods[] = {
	{ "signer.info",	none_parse,	info_run },
	{ "pskt.sign",		sign_parse,	sign_run },
	{ "pskt.check",		sign_parse,	check_run },
	{ "pskt.inspect",	life_parse,	inspect_run },
	{ "pskt.finalize",	life_parse,	finalize_run },
	{ "pskt.extract",	life_parse,	extract_run },
	{ "pskt.create",	create_parse,	create_run },
	{ "pskt.combine",	combine_parse,	combine_run },
	{ "key.list",		list_parse,	list_run },
	{ "key.public",		public_parse,	public_run },
	{ RPC_RELOAD,		reload_parse,	reload_run },
	{ NULL,			NULL,		NULL }
};

static void *
none_parse(struct rpc_call *c, const struct json *params, char *err)
{
	static const char *const	 names[] = { NULL };

	return rpc_params_only(params, names, err) == -1 ? NULL : c;
}

static void *
list_parse(struct rpc_call *c, const struct json *params, char *err)
{
	static const char *const	 names[] = { "request_id", NULL };

	return rpc_params_only(params, names, err) == -1 ||
	    rpc_param_request_id(c, params, err) == -1 ? NULL : c;
}

static void *
public_parse(struct rpc_call *c, const struct json *params, char *err)
{
	static const char *const	 names[] = { "profile", "request_id",
					    NULL };
	struct key_params		*p;

	if ((p = pool_alloc(c->pool, 1, sizeof(*p))) == NULL ||
	    rpc_params_only(params, names, err) == -1 ||
	    rpc_param_profile(params, &p->profile, err) == -1 ||
	    rpc_param_request_id(c, params, err) == -1)
		return NULL;
	return p;
}

/* Takes e over. */
static void
ask(struct rpc_call *c, uint16_t type, struct enc *e, keyd_cb cb)
{
	enum keyd_fail	 why = KEYD_BUSY;

	if (!e->failed)
		why = keyd_link_call(c->signd->link, type, e->buf, e->len,
		    KEYD_TIMEOUT_MS, 0, cb, c);
	enc_free(e);
	if (why != KEYD_ANSWERED)
		rpc_keyd_failed(c, why);
}

/* Remembers the active profile's key, if keyd knows it by now. */
static void
learn_key(struct signd *s, const struct msg_info *m)
{
	if (!m->has_key)
		return;
	memcpy(s->public_key, m->public_key, sizeof(s->public_key));
	s->have_key = true;
	s->have_fingerprint = m->has_fingerprint;
	memcpy(s->fingerprint, m->fingerprint, sizeof(s->fingerprint));
}

void
pskt_refuse(struct rpc_call *c, const struct pskt_error *e)
{
	unsigned	 code = CODE_INTERNAL;

	switch (e->code) {
	case PSKT_OK:
		break;
	case PSKT_INVALID:
		code = CODE_INVALID_PSKT;
		break;
	case PSKT_UNSUPPORTED:
		code = CODE_UNSUPPORTED;
		break;
	case PSKT_TOO_LARGE:
		code = CODE_TOO_LARGE;
		break;
	}
	c->bundle = e->pskt != PSKT_NOT_IN_BUNDLE;
	rpc_refuse(c, code, e->pskt == PSKT_NOT_IN_BUNDLE ? PROTO_NO_PSKT :
	    (uint32_t)e->pskt, "%s", e->message);
}

static int
on_key(const struct frame *f, enum keyd_fail why, void *arg)
{
	struct signd	*s = arg;
	struct msg_info	 m;
	struct pool	 pool;
	int		 ret = -1;

	(void)why;
	if (f == NULL || f->type == MSG_ERROR)
		return 0;
	pool_init(&pool, 0);
	if (f->type == MSG_INFO && dec_info(f->p, f->len, &pool, &m) == 0) {
		learn_key(s, &m);
		ret = 0;
	}
	pool_free(&pool);
	return ret;
}

void
signd_ask_key(struct signd *s)
{
	(void)keyd_link_call(s->link, MSG_INFO_REQ, NULL, 0, KEYD_TIMEOUT_MS,
	    0, on_key, s);
}

static void
info_run(struct rpc_call *c)
{
	struct enc	 e;

	enc_init(&e);
	ask(c, MSG_INFO_REQ, &e, info_answer);
}

static int
info_answer(const struct frame *f, enum keyd_fail why, void *arg)
{
	struct rpc_call	*c = arg;
	struct json_out	*o;
	struct msg_info	 m;
	int		 rc;

	if ((rc = rpc_keyd_answer(c, f, why, MSG_INFO)) != 1)
		return rc;
	if (dec_info(f->p, f->len, c->pool, &m) == -1) {
		rpc_keyd_broken(c);
		return -1;
	}
	learn_key(c->signd, &m);
	if ((o = rpc_result(c)) == NULL)
		return 0;
	info_write(o, &m);
	rpc_done(c);
	return 0;
}

static void
info_write(struct json_out *o, const struct msg_info *m)
{
	json_out_begin_object(o);
	json_put_text(o, "version", m->version);
	json_put_text(o, "network", m->network);
	json_put_text(o, "profile", m->profile);
	json_put_text(o, "key_ref", m->key_ref);
	json_out_key(o, "public_key");
	if (m->has_key)
		json_out_hex(o, m->public_key + 1, 32);
	else
		json_out_null(o);
	json_out_key(o, "address");
	if (m->address.len != 0)
		json_out_stringn(o, m->address.p, m->address.len);
	else
		json_out_null(o);
	json_out_key(o, "redeem_script");
	if (m->redeem_script.len != 0)
		json_out_hex(o, m->redeem_script.p, m->redeem_script.len);
	else
		json_out_null(o);
	json_put_u64(o, "threshold_m", m->threshold_m);
	json_put_u64(o, "threshold_n", m->threshold_n);
	json_put_bool(o, "locked", m->locked);
	json_out_end_object(o);
}

static void
list_run(struct rpc_call *c)
{
	struct msg_key_list_req	 m;
	struct enc		 e;

	m.request_id = bytes_str(c->request_id);
	m.peer_uid = rpc_peer(c)->uid;
	m.peer_pid = (uint32_t)rpc_peer(c)->pid;
	enc_init(&e);
	enc_key_list_req(&e, &m);
	ask(c, MSG_KEY_LIST_REQ, &e, list_answer);
}

static int
list_answer(const struct frame *f, enum keyd_fail why, void *arg)
{
	struct rpc_call		*c = arg;
	struct json_out		*o;
	struct msg_key_list	 m;
	uint32_t		 i;
	int			 rc;

	if ((rc = rpc_keyd_answer(c, f, why, MSG_KEY_LIST)) != 1)
		return rc;
	if (dec_key_list(f->p, f->len, c->pool, &m) == -1) {
		rpc_keyd_broken(c);
		return -1;
	}
	if ((o = rpc_result(c)) == NULL)
		return 0;
	json_out_begin_object(o);
	json_out_key(o, "keys");
	json_out_begin_array(o);
	for (i = 0; i < m.n; i++) {
		json_out_begin_object(o);
		json_put_text(o, "key_ref", m.key[i].key_ref);
		json_put_text(o, "profile", m.key[i].profile);
		json_out_key(o, "type");
		json_out_string(o, m.key[i].hd ? "hd_mnemonic" :
		    "raw_private_key");
		json_put_bool(o, "active", m.key[i].active);
		json_out_end_object(o);
	}
	json_out_end_array(o);
	json_put_string(o, "request_id", c->request_id);
	json_out_end_object(o);
	rpc_done(c);
	return 0;
}

static void
public_run(struct rpc_call *c)
{
	const struct key_params		*p = c->params;
	struct msg_key_public_req	 m;
	struct enc			 e;

	m.request_id = bytes_str(c->request_id);
	m.profile = p->profile;
	m.peer_uid = rpc_peer(c)->uid;
	m.peer_pid = (uint32_t)rpc_peer(c)->pid;
	enc_init(&e);
	enc_key_public_req(&e, &m);
	ask(c, MSG_KEY_PUBLIC_REQ, &e, public_answer);
}

static int
public_answer(const struct frame *f, enum keyd_fail why, void *arg)
{
	struct rpc_call		*c = arg;
	struct json_out		*o;
	struct msg_key_public	 m;
	int			 rc;

	if ((rc = rpc_keyd_answer(c, f, why, MSG_KEY_PUBLIC)) != 1)
		return rc;
	if (dec_key_public(f->p, f->len, c->pool, &m) == -1) {
		rpc_keyd_broken(c);
		return -1;
	}
	if ((o = rpc_result(c)) == NULL)
		return 0;
	json_out_begin_object(o);
	json_put_text(o, "key_ref", m.key_ref);
	json_put_text(o, "profile", m.profile);
	json_put_hex(o, "public_key", m.public_key + 1, 32);
	json_put_hex(o, "public_key_compressed", m.public_key, 33);
	json_put_text(o, "address", m.address);
	json_put_string(o, "request_id", c->request_id);
	json_out_end_object(o);
	rpc_done(c);
	return 0;
}
