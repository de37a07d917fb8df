/*
 * igractl policy: limits and what is used of them, claims on outpoints, and
 * the operator's word where igra-keyd does not believe what it sees.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "ctl.h"
#include "json.h"
#include "log.h"
#include "messages.h"
#include "unlock_client.h"

#define EXIT_UNREACHABLE	3

struct shown {
	struct pool		 pool;
	struct frame_reply	 status_reply, policy_reply;
	struct msg_keyd_status	 s;
	struct msg_policy	 p;
	const struct outpoint	*outpoint;	/* NULL: not asked */
};

static int	ask(const struct ctl *, uint16_t, const struct enc *,
		    uint16_t, struct frame_reply *);
static int	get_status(const struct ctl *, struct shown *);
static int	get_policy(const struct ctl *, struct shown *);
static void	shown_free(struct shown *);
static const char *clock_word(const struct msg_keyd_status *);
static void	print_limit(const struct policy_limit *);
static void	print_journal(const struct msg_keyd_status *);
static void	print_claim(const struct shown *);
static void	json_limits(struct json_out *, const struct msg_policy *);
static void	json_journal(struct json_out *,
		    const struct msg_keyd_status *);
static void	json_claim(struct json_out *, const struct shown *);
static int	print_json(const struct shown *);
static int	accept_word(const struct ctl *, enum policy_accept);

/* payload NULL: none.  0 with an answer of type want; else exit status. */
static int
ask(const struct ctl *ctl, uint16_t type, const struct enc *payload,
    uint16_t want, struct frame_reply *r)
{
	struct msg_error	 m;
	struct pool		 pool;
	char			 err[CTL_ERR], why[PROTO_MAX_TEXT + 1];

	if (admin_send(ctl->conf->keyd_admin_socket,
	    ctl->roles.uid[ROLE_KEYD], LINK_KEYD_ADMIN, type,
	    payload == NULL ? NULL : payload->buf,
	    payload == NULL ? 0 : payload->len, r, err, sizeof(err)) == -1) {
		log_warnx("%s", err);
		return EXIT_UNREACHABLE;
	}
	if (r->type == want)
		return 0;
	pool_init(&pool, 0);
	if (r->type == MSG_ERROR &&
	    dec_error(r->p, r->len, &pool, &m) == 0 &&
	    bytes_cstr(m.message, why, sizeof(why)))
		log_warnx("igra-keyd: %s: %s", proto_code_name(m.code), why);
	else
		log_warnx("igra-keyd: its answer makes no sense");
	pool_free(&pool);
	frame_reply_free(r);
	return 1;
}

static int
get_status(const struct ctl *ctl, struct shown *x)
{
	int	 ret;

	ret = ask(ctl, MSG_KEYD_STATUS_REQ, NULL, MSG_KEYD_STATUS,
	    &x->status_reply);
	if (ret == 0 && dec_keyd_status(x->status_reply.p,
	    x->status_reply.len, &x->pool, &x->s) == -1) {
		log_warnx("igra-keyd: its answer makes no sense");
		ret = 1;
	}
	return ret;
}

static int
get_policy(const struct ctl *ctl, struct shown *x)
{
	struct msg_policy_req	 q;
	struct enc		 e;
	int			 ret;

	memset(&q, 0, sizeof(q));
	if (x->outpoint != NULL) {
		q.has_outpoint = true;
		q.outpoint = *x->outpoint;
	}
	enc_init(&e);
	enc_policy_req(&e, &q);
	ret = e.failed ? 1 : ask(ctl, MSG_POLICY_REQ, &e, MSG_POLICY,
	    &x->policy_reply);
	enc_free(&e);
	if (ret == 0 && dec_policy(x->policy_reply.p, x->policy_reply.len,
	    &x->pool, &x->p) == -1) {
		log_warnx("igra-keyd: its answer makes no sense");
		ret = 1;
	}
	return ret;
}

static void
shown_free(struct shown *x)
{
	frame_reply_free(&x->status_reply);
	frame_reply_free(&x->policy_reply);
	pool_free(&x->pool);
}

static const char *
clock_word(const struct msg_keyd_status *s)
{
	static const char *const	 words[PROTO_CLOCK_MAX] = {
		[PROTO_CLOCK_RUNS] = "runs",
		[PROTO_CLOCK_REBOOT] = "reboot",
		[PROTO_CLOCK_STEP] = "step",
	};

	return words[s->clock];		/* dec_keyd_status has looked */
}

static void
print_limit(const struct policy_limit *l)
{
	printf("%-24.*s %.*s", (int)l->key.len, (const char *)l->key.p,
	    l->text.len == 0 ? 1 : (int)l->text.len,
	    l->text.len == 0 ? "-" : (const char *)l->text.p);
	if (l->counted) {
		printf(", used %" PRIu64, l->used);
		if (l->used != 0 && l->frees_s != UINT64_MAX)
			printf(", frees in %" PRIu64 " s", l->frees_s);
	}
	printf("\n");
}

static void
print_journal(const struct msg_keyd_status *s)
{
	if (s->clock == PROTO_CLOCK_RUNS)
		printf("%-24s runs\n", "policy time");
	else
		printf("%-24s stands still since a %s: nothing frees until "
		    "igractl policy accept-clock, which would count %" PRIu64
		    " s\n", "policy time", s->clock == PROTO_CLOCK_REBOOT ?
		    "reboot" : "step of the wall clock", s->clock_gap);
	printf("%-24s %s%.*s, %" PRIu64 " transactions, %" PRIu64
	    " outpoints\n", "journal", s->journal_ok ? "lets sign" :
	    "signs nothing: ", (int)s->journal_reason.len,
	    (const char *)s->journal_reason.p, s->journal_entries,
	    s->journal_outpoints);
}

static void
print_claim(const struct shown *x)
{
	char	 text[OUTPOINT_TEXT], hash[65], sid[65];

	outpoint_text(x->outpoint, text);
	if (!x->p.claimed) {
		printf("%-24s nothing, for %s\n", "claimed", text);
		return;
	}
	(void)sodium_bin2hex(hash, sizeof(hash), x->p.script_hash, 32);
	(void)sodium_bin2hex(sid, sizeof(sid), x->p.signing_id, 32);
	printf("%-24s %s\n%-24s %" PRIu64 " sompi\n%-24s %s\n%-24s %s\n",
	    "claimed", text, "  amount", x->p.amount, "  script hash", hash,
	    "  signing id", sid);
}

static void
json_limits(struct json_out *o, const struct msg_policy *p)
{
	const struct policy_limit	*l;

	json_out_key(o, "limits");
	json_out_begin_array(o);
	for (l = p->limit; l < p->limit + p->n; l++) {
		json_out_begin_object(o);
		json_put_text_or_null(o, "key", l->key);
		json_put_text_or_null(o, "value", l->text);
		if (l->counted) {
			json_put_u64(o, "used", l->used);
			json_out_key(o, "frees_seconds");
			if (l->used == 0 || l->frees_s == UINT64_MAX)
				json_out_null(o);
			else
				json_out_u64(o, l->frees_s);
		}
		json_out_end_object(o);
	}
	json_out_end_array(o);
}

static void
json_journal(struct json_out *o, const struct msg_keyd_status *s)
{
	json_out_key(o, "clock");
	json_out_begin_object(o);
	json_put_string(o, "state", clock_word(s));
	json_put_u64(o, "gap_seconds", s->clock_gap);
	json_out_end_object(o);
	json_out_key(o, "journal");
	json_out_begin_object(o);
	json_put_bool(o, "ok", s->journal_ok);
	json_put_text_or_null(o, "reason", s->journal_reason);
	json_out_key(o, "rollback");
	json_out_begin_array(o);
	if (s->rollback & PROTO_ROLLBACK_LOG)
		json_out_string(o, "log");
	if (s->rollback & PROTO_ROLLBACK_JOURNAL)
		json_out_string(o, "journal");
	json_out_end_array(o);
	json_put_u64(o, "transactions", s->journal_entries);
	json_put_u64(o, "outpoints", s->journal_outpoints);
	json_out_end_object(o);
}

static void
json_claim(struct json_out *o, const struct shown *x)
{
	char	 text[OUTPOINT_TEXT];

	json_out_key(o, "claim");
	if (x->outpoint == NULL || !x->p.claimed) {
		json_out_null(o);
		return;
	}
	json_out_begin_object(o);
	outpoint_text(x->outpoint, text);
	json_put_string(o, "outpoint", text);
	json_put_u64(o, "amount_sompi", x->p.amount);
	json_put_hex(o, "script_hash", x->p.script_hash,
	    sizeof(x->p.script_hash));
	json_put_hex(o, "signing_id", x->p.signing_id, sizeof(x->p.signing_id));
	json_out_end_object(o);
}

static int
print_json(const struct shown *x)
{
	struct json_out	 o;
	const char	*text;

	if (json_out_init(&o, 0) == -1) {
		log_warnx("out of memory");
		return 1;
	}
	json_out_begin_object(&o);
	json_limits(&o, &x->p);
	json_journal(&o, &x->s);
	json_claim(&o, x);
	json_out_end_object(&o);
	if ((text = json_out_text(&o, NULL)) != NULL)
		puts(text);
	else
		log_warnx("out of memory");
	json_out_free(&o);
	return text == NULL;
}

int
ctl_policy_show(const struct ctl *ctl, const struct outpoint *outpoint,
    bool json)
{
	struct shown	 x;
	uint32_t	 i;
	int		 ret;

	memset(&x, 0, sizeof(x));
	pool_init(&x.pool, 0);
	x.outpoint = outpoint;
	if ((ret = get_status(ctl, &x)) == 0)
		ret = get_policy(ctl, &x);
	if (ret == 0 && json)
		ret = print_json(&x);
	else if (ret == 0) {
		for (i = 0; i < x.p.n; i++)
			print_limit(&x.p.limit[i]);
		print_journal(&x.s);
		if (outpoint != NULL)
			print_claim(&x);
	}
	shown_free(&x);
	return ret;
}

int
ctl_outpoint(const char *text, struct outpoint *o)
{
	const char	*colon = strchr(text, ':'), *errstr;
	size_t		 len;

	if (colon == NULL || colon - text != 2 * TX_ID_LEN ||
	    sodium_hex2bin(o->txid, sizeof(o->txid), text, 2 * TX_ID_LEN,
	    NULL, &len, NULL) != 0 || len != TX_ID_LEN ||
	    colon[1] < '0' || colon[1] > '9')
		return -1;
	o->index = (uint32_t)strtonum(colon + 1, 0, UINT32_MAX, &errstr);
	return errstr == NULL ? 0 : -1;
}

int
ctl_policy_release(const struct ctl *ctl, const struct outpoint *outpoint,
    const char *reason)
{
	struct msg_policy_release	 m;
	struct frame_reply		 r;
	struct enc			 e;
	int				 ret;

	m.outpoint = *outpoint;
	m.reason = bytes_str(reason);
	if (m.reason.len == 0 || m.reason.len > PROTO_MAX_REASON) {
		log_warnx("--reason: give 1 to %d bytes", PROTO_MAX_REASON);
		return 1;
	}
	enc_init(&e);
	enc_policy_release(&e, &m);
	ret = e.failed ? 1 : ask(ctl, MSG_POLICY_RELEASE, &e, MSG_OK, &r);
	enc_free(&e);
	if (ret == 0) {
		frame_reply_free(&r);
		puts("released");
	}
	return ret;
}

int
ctl_ask_yes(const char *prompt)
{
	char	 line[16];
	FILE	*tty;
	int	 ret = -1;

	if ((tty = fopen("/dev/tty", "r+")) == NULL) {
		log_warnx("there is no terminal to ask at: this takes "
		    "somebody who reads it and types yes");
		return -1;
	}
	fputs(prompt, tty);
	(void)fflush(tty);
	if (fgets(line, sizeof(line), tty) != NULL &&
	    strcmp(line, "yes\n") == 0)
		ret = 0;
	else
		log_warnx("nothing has been accepted");
	fclose(tty);
	return ret;
}

static int
accept_word(const struct ctl *ctl, enum policy_accept what)
{
	struct msg_policy_accept	 m = { what };
	struct frame_reply		 r;
	struct enc			 e;
	int				 ret;

	if (ctl_ask_yes("Type yes to accept this: ") == -1)
		return 1;
	enc_init(&e);
	enc_policy_accept(&e, &m);
	ret = e.failed ? 1 : ask(ctl, MSG_POLICY_ACCEPT, &e, MSG_OK, &r);
	enc_free(&e);
	if (ret == 0) {
		frame_reply_free(&r);
		puts("accepted");
	}
	return ret;
}

int
ctl_policy_accept_clock(const struct ctl *ctl)
{
	struct shown	 x;
	int		 ret;

	memset(&x, 0, sizeof(x));
	pool_init(&x.pool, 0);
	ret = get_status(ctl, &x);
	if (ret == 0 && x.s.clock == PROTO_CLOCK_RUNS) {
		log_warnx("the clock is not in doubt");
		ret = 1;
	} else if (ret == 0) {
		if (x.s.clock == PROTO_CLOCK_REBOOT)
			printf("The system has been started anew.  By the "
			    "wall clock %" PRIu64 " seconds have passed\n"
			    "since igra-keyd last saw the time: look whether "
			    "that is true.  What was signed\nbefore leaves "
			    "the limits as if they had.\n", x.s.clock_gap);
		else
			printf("The wall clock was set by more than five "
			    "minutes.  Look whether it is right now,\nand who "
			    "did that.  %" PRIu64 " seconds have passed since, "
			    "by the time since the boot.\n", x.s.clock_gap);
		(void)fflush(stdout);
		ret = accept_word(ctl, ACCEPT_CLOCK);
	}
	shown_free(&x);
	return ret;
}

int
ctl_policy_accept_rollback(const struct ctl *ctl)
{
	struct shown	 x;
	int		 ret;

	memset(&x, 0, sizeof(x));
	pool_init(&x.pool, 0);
	ret = get_status(ctl, &x);
	if (ret == 0 && x.s.rollback == 0) {
		log_warnx("neither log nor journal was rolled back");
		ret = 1;
	} else if (ret == 0) {
		printf("%.*s.\n", (int)x.s.journal_reason.len,
		    (const char *)x.s.journal_reason.p);
		if (x.s.rollback & PROTO_ROLLBACK_LOG)
			puts("The log ends before what the policy journal "
			    "knows of: records are missing from it.");
		if (x.s.rollback & PROTO_ROLLBACK_JOURNAL)
			puts("The policy journal ends before what the log "
			    "knows of: what was signed since is\nmissing from "
			    "the limits and from the claims on outpoints.");
		puts("Keep both files as they are before you go on, and find "
		    "out why.");
		(void)fflush(stdout);
		ret = accept_word(ctl, ACCEPT_ROLLBACK);
	}
	shown_free(&x);
	return ret;
}
