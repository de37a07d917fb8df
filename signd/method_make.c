/* pskt.create and pskt.combine: what makes a document. */
#include <stdio.h>
#include <string.h>

#include "methods.h"
#include "pskt_combine.h"
#include "pskt_create.h"
#include "signd.h"

struct combine {
	const struct json	*list;
	struct pskt_doc		*docs;
	size_t			 n;
};

static int	 parse_docs(struct rpc_call *, struct combine *,
		    struct pskt_error *);
static void	 create_refuse(struct rpc_call *, const struct pskt_error *);
static void	 create_write(struct json_out *, const struct rpc_call *,
		    const struct create_result *);

/* --- pskt.combine --- */

void *
combine_parse(struct rpc_call *c, const struct json *params, char *err)
{
	static const char *const	 names[] = { "pskts", "request_id",
					    NULL };
	struct combine			*m;

	if ((m = pool_alloc(c->pool, 1, sizeof(*m))) == NULL ||
	    rpc_params_only(params, names, err) == -1 ||
	    rpc_param_request_id(c, params, err) == -1)
		return NULL;
	m->list = json_get(params, "pskts");
	if (m->list == NULL || m->list->type != JSON_ARRAY ||
	    m->list->n == 0 || m->list->n > PSKT_MAX_COMBINE) {
		(void)snprintf(err, RPC_ERR_LEN, "params.pskts: must be an "
		    "array of 1 to %d documents", PSKT_MAX_COMBINE);
		return NULL;
	}
	return m;
}

static int
parse_docs(struct rpc_call *c, struct combine *m, struct pskt_error *e)
{
	const struct json	*v;
	struct pskt_error	 why;

	memset(e, 0, sizeof(*e));
	e->pskt = PSKT_NOT_IN_BUNDLE;
	if ((m->docs = pool_alloc(c->pool, m->list->n,
	    sizeof(*m->docs))) == NULL) {
		e->code = PSKT_TOO_LARGE;
		(void)strlcpy(e->message, "out of memory", sizeof(e->message));
		return -1;
	}
	for (v = m->list->first; v != NULL; v = v->next) {
		if (pskt_parse(c->pool, NULL, c->src, v, &m->docs[m->n++],
		    &why) == 0)
			continue;
		*e = why;
		(void)snprintf(e->message, sizeof(e->message),
		    "pskts[%u]: %.480s", v->index, why.message);
		return -1;
	}
	return 0;
}

void
combine_run(struct rpc_call *c)
{
	struct combine		*m = c->params;
	struct pskt_error	 e;
	struct json_out		*o;
	struct bytes		 out;

	if (parse_docs(c, m, &e) == -1 ||
	    pskt_combine(c->pool, m->docs, m->n, &out, &e) == -1) {
		pskt_refuse(c, &e);
		return;
	}
	if ((o = rpc_result(c)) == NULL)
		return;
	json_out_begin_object(o);
	json_out_key(o, "pskt");
	json_out_raw(o, (const char *)out.p, out.len);
	json_put_string(o, "request_id", c->request_id);
	json_out_end_object(o);
	rpc_done(c);
}

/* --- pskt.create --- */

void *
create_parse(struct rpc_call *c, const struct json *params, char *err)
{
	static const char *const	 names[] = { "utxos", "outputs",
					    "change_address", "fee_rate",
					    "payload", "redeem_scripts",
					    "key_sources", "dust_to_fee",
					    "request_id", NULL };

	if (rpc_params_only(params, names, err) == -1 ||
	    rpc_param_request_id(c, params, err) == -1)
		return NULL;
	if (params == NULL)
		(void)strlcpy(err, "params.utxos: missing", RPC_ERR_LEN);
	return (void *)(uintptr_t)params;
}

/* There is no document yet that could be wrong, but the parameters. */
static void
create_refuse(struct rpc_call *c, const struct pskt_error *e)
{
	if (e->code == PSKT_INVALID)
		rpc_refuse(c, RPC_INVALID_PARAMS, PROTO_NO_PSKT, "params.%s",
		    e->message);
	else
		pskt_refuse(c, e);
}

void
create_run(struct rpc_call *c)
{
	struct signd		*s = c->signd;
	struct bytes		 redeem = { s->c.redeem, s->c.redeem_len };
	struct create_result	 r;
	struct pskt_error	 e;
	struct json_out		*o;

	if (pskt_create(c->pool, s->d.conf->network, redeem, c->params, &r,
	    &e) == -1) {
		create_refuse(c, &e);
		return;
	}
	if ((o = rpc_result(c)) == NULL)
		return;
	create_write(o, c, &r);
	rpc_done(c);
}

static void
create_write(struct json_out *o, const struct rpc_call *c,
    const struct create_result *r)
{
	size_t	 i;

	json_out_begin_object(o);
	json_out_key(o, "pskt");
	json_out_raw(o, (const char *)r->text.p, r->text.len);
	json_out_key(o, "transactions");
	json_out_begin_array(o);
	for (i = 0; i < r->n; i++) {
		json_out_begin_object(o);
		json_put_hex(o, "transaction_id", r->tx[i].id, TX_ID_LEN);
		json_put_u64(o, "inputs", r->tx[i].tx.nin);
		json_put_u64(o, "outputs", r->tx[i].tx.nout);
		json_put_u64(o, "mass", mass_for_fee(&r->tx[i].mass));
		json_put_u64(o, "fee", r->tx[i].fee);
		json_put_u64(o, "change", r->tx[i].change);
		json_out_end_object(o);
	}
	json_out_end_array(o);
	json_put_u64(o, "fee", r->fee);
	json_put_u64(o, "change", r->change);
	json_put_string(o, "request_id", c->request_id);
	json_out_end_object(o);
}
