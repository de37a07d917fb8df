/* What igractl policy show tells: limits, what is used of them, claims. */
#include <stdio.h>
#include <string.h>

#include "keyd.h"
#include "policy_int.h"

struct shown {
	struct policy_limit	 limit[PROTO_MAX_CHECKS];
	char			 text[PROTO_MAX_CHECKS][128];
	uint32_t		 n;
};

static struct policy_limit *show(struct shown *, const char *, const char *);
static struct policy_limit *show_number(struct shown *, const char *,
		    const struct conf_u64 *);
static void	counts(struct policy_limit *, uint64_t, uint64_t);
static void	show_lists(struct shown *, const struct keyd *);
static void	show_amounts(struct shown *, const struct keyd *);
static void	show_state(struct shown *, const struct keyd *);

static struct policy_limit *
show(struct shown *s, const char *key, const char *text)
{
	struct policy_limit	*l = &s->limit[s->n];

	(void)strlcpy(s->text[s->n], text, sizeof(s->text[s->n]));
	l->key = bytes_str(key);
	l->text = bytes_str(s->text[s->n]);
	s->n++;
	return l;
}

static struct policy_limit *
show_number(struct shown *s, const char *key, const struct conf_u64 *v)
{
	char	 text[24] = "";

	if (v->set)
		policy_number(text, sizeof(text), v->v);
	return show(s, key, text);
}

static void
counts(struct policy_limit *l, uint64_t used, uint64_t frees_s)
{
	l->counted = true;
	l->used = used;
	l->frees_s = frees_s;
}

static void
show_lists(struct shown *s, const struct keyd *k)
{
	const struct conf	*c = k->d.conf;
	char			 text[128] = "";

	if (k->own->dest.n != 0)
		(void)snprintf(text, sizeof(text), "%zu destinations",
		    k->own->dest.n);
	(void)show(s, "allowed_destinations", text);
	policy_sighash_list(c->policy.allowed_sighash_types, text,
	    sizeof(text));
	(void)show(s, "allowed_sighash_types", text);
	(void)show(s, "require_reason",
	    c->policy.require_reason ? "true" : "");
	(void)show(s, "allow_replacement",
	    c->policy.allow_replacement ? "true" : "");
}

static void
show_amounts(struct shown *s, const struct keyd *k)
{
	const struct conf	*c = k->d.conf;
	char			 text[32] = "";

	(void)show_number(s, "min_amount_sompi", &c->policy.min_amount_sompi);
	(void)show_number(s, "max_amount_sompi", &c->policy.max_amount_sompi);
	(void)show_number(s, "max_fee_sompi", &c->policy.max_fee_sompi);
	if (c->policy.max_fee_percent_set)
		(void)snprintf(text, sizeof(text), "%.10g",
		    c->policy.max_fee_percent);
	(void)show(s, "max_fee_percent", text);
	(void)show_number(s, "max_lock_time_ahead",
	    &c->policy.max_lock_time_ahead);
}

static void
show_state(struct shown *s, const struct keyd *k)
{
	const struct conf	*c = k->d.conf;
	struct conf_u64		 max = { true, c->policy.max_outpoints };
	struct journal_usage	 u;
	struct journal_state	 st;

	journal_usage(k->journal, &u);
	journal_state(k->journal, &st);
	counts(show_number(s, "max_hourly_volume_sompi",
	    &c->policy.max_hourly_volume_sompi), u.hour, u.hour_frees);
	counts(show_number(s, "max_daily_volume_sompi",
	    &c->policy.max_daily_volume_sompi), u.day, u.day_frees);
	counts(show_number(s, "max_weekly_volume_sompi",
	    &c->policy.max_weekly_volume_sompi), u.week, u.week_frees);
	counts(show_number(s, "max_per_hour", &c->policy.max_per_hour),
	    u.count, u.count_frees);
	/* Ids and outpoints are held alike; neither leaves by itself. */
	counts(show_number(s, "max_outpoints", &max),
	    st.outpoints > st.entries ? st.outpoints : st.entries,
	    JOURNAL_NEVER);
}

void
request_policy(struct client *c, const struct frame *f)
{
	struct keyd		*k = c->k;
	struct msg_policy_req	 q;
	struct msg_policy	 m;
	struct journal_found	 found;
	struct shown		 s;
	struct enc		 e;

	if (dec_policy_req(f->p, f->len, NULL, &q) == -1) {
		client_drop(c, "malformed POLICY_REQ");
		return;
	}
	memset(&s, 0, sizeof(s));
	memset(&m, 0, sizeof(m));
	journal_tick(k->journal);
	show_lists(&s, k);
	show_amounts(&s, k);
	show_state(&s, k);
	m.n = s.n;
	m.limit = s.limit;
	if (q.has_outpoint && journal_find(k->journal, &q.outpoint, &found)) {
		m.claimed = true;
		m.amount = found.amount;
		memcpy(m.script_hash, found.script_hash,
		    sizeof(m.script_hash));
		memcpy(m.signing_id, found.sid, sizeof(m.signing_id));
	}
	enc_init(&e);
	enc_policy(&e, &m);
	(void)frame_send_enc(c->conn, MSG_POLICY, f->id, &e);
}
