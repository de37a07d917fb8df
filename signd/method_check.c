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
static void	put_text(struct json_out *, const char *, struct bytes);

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

	if (f == NULL) {
		rpc_keyd_failed(c, why);
		return 0;
	}
	if ((rc = rpc_keyd_answer(c, f, MSG_CHECK)) != 1)
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
put_text(struct json_out *o, const char *key, struct bytes text)
{
	json_out_key(o, key);
	if (text.len != 0)
		json_out_stringn(o, text.p, text.len);
	else
		json_out_null(o);
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
	json_out_key(o, "allowed");
	json_out_bool(o, allowed);
	json_out_key(o, "pskts");
	json_out_begin_array(o);
	for (i = 0; i < m->n; i++)
		write_document(o, &m->tx[i]);
	json_out_end_array(o);
	json_out_key(o, "request_id");
	json_out_string(o, c->request_id);
	json_out_key(o, "notes");
	sign_notes(o, c);
	json_out_end_object(o);
}

static void
write_document(struct json_out *o, const struct check_tx *t)
{
	json_out_begin_object(o);
	json_out_key(o, "allowed");
	json_out_bool(o, t->code == CODE_NONE);
	put_text(o, "code", bytes_str(t->code == CODE_NONE ? NULL :
	    proto_code_name(t->code)));
	put_text(o, "message", t->message);
	json_out_key(o, "transaction_id");
	json_out_hex(o, t->tx_id, sizeof(t->tx_id));
	json_out_key(o, "inputs");
	json_out_u64(o, t->inputs);
	json_out_key(o, "signed_before");
	json_out_bool(o, t->known);
	json_out_key(o, "outflow_sompi");
	json_out_u64(o, t->outflow);
	json_out_key(o, "fee_sompi");
	if (t->fee_known)
		json_out_u64(o, t->fee);
	else
		json_out_null(o);
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
		put_text(o, "check", t->result[i].check);
		json_out_key(o, "outcome");
		json_out_string(o, outcomes[t->result[i].outcome]);
		put_text(o, "limit", t->result[i].limit);
		put_text(o, "value", t->result[i].value);
		json_out_end_object(o);
	}
	json_out_end_array(o);
}
