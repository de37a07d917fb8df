/*
 * pskt.check: would pskt.sign sign it, and what does every check say?  A
 * refusal is an answer here, not an error.
 */
#include "methods.h"
#include "signd.h"

static int	check_result(const struct frame *, enum keyd_fail, void *);
static void	write_check(struct json_out *, const struct rpc_call *,
		    const struct msg_check *);
static void	write_document(struct json_out *, const struct check_tx *);
static void	write_results(struct json_out *, const struct check_tx *);

void
check_run(struct rpc_call *c)
{
	sign_ask(c, MSG_CHECK_REQ, check_result);
}

static int
check_result(const struct frame *f, enum keyd_fail why, void *arg)
{
	struct rpc_call		*c = arg;
	struct json_out		*o;
	struct msg_check	 m;
	int			 rc;

	if ((rc = rpc_keyd_answer(c, f, why, MSG_CHECK)) != 1)
		return rc;
	if (dec_check(f->p, f->len, c->pool, &m) == -1 ||
	    m.n != sign_documents(c)) {
		rpc_keyd_broken(c);
		return -1;
	}
	if ((o = rpc_result(c)) == NULL)
		return 0;
	write_check(o, c, &m);
	rpc_done(c);
	return 0;
}

static void
write_check(struct json_out *o, const struct rpc_call *c,
    const struct msg_check *m)
{
	bool		 allowed = true;
	uint32_t	 i;

	for (i = 0; i < m->n; i++)
		allowed = allowed && m->tx[i].code == CODE_NONE;
	json_out_begin_object(o);
	json_put_bool(o, "allowed", allowed);
	json_out_key(o, "pskts");
	json_out_begin_array(o);
	for (i = 0; i < m->n; i++)
		write_document(o, &m->tx[i]);
	json_out_end_array(o);
	json_put_string(o, "request_id", c->request_id);
	json_out_key(o, "notes");
	sign_notes(o, c);
	json_out_end_object(o);
}

static void
write_document(struct json_out *o, const struct check_tx *t)
{
	json_out_begin_object(o);
	json_put_bool(o, "allowed", t->code == CODE_NONE);
	json_put_string_or_null(o, "code", t->code == CODE_NONE ? NULL :
	    proto_code_name(t->code));
	json_put_text_or_null(o, "message", t->message);
	json_put_hex(o, "transaction_id", t->tx_id, sizeof(t->tx_id));
	json_put_u64(o, "inputs", t->inputs);
	json_put_bool(o, "signed_before", t->known);
	json_put_u64(o, "outflow_sompi", t->outflow);
	json_put_u64_or_null(o, "fee_sompi", t->fee_known, t->fee);
	json_out_key(o, "checks");
	write_results(o, t);
	json_out_end_object(o);
}

static void
write_results(struct json_out *o, const struct check_tx *t)
{
	static const char *const	 outcomes[CHECK_OUTCOMES] = {
		[CHECK_NOT_SET] = "not_set",
		[CHECK_PASS] = "pass",
		[CHECK_FAIL] = "fail",
	};
	uint32_t			 i;

	json_out_begin_array(o);
	for (i = 0; i < t->nresult; i++) {
		json_out_begin_object(o);
		json_put_text_or_null(o, "check", t->result[i].check);
		json_put_string(o, "outcome", outcomes[t->result[i].outcome]);
		json_put_text_or_null(o, "limit", t->result[i].limit);
		json_put_text_or_null(o, "value", t->result[i].value);
		json_out_end_object(o);
	}
	json_out_end_array(o);
}
