/*
 * Which UTXOs pay for which outputs.  A transaction is weighed as it will be
 * once it is signed; what it leaves over is change.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pskt_create_int.h"

#define MAX_ROUNDS	16	/* until change and its storage mass agree */

enum fit {
	FIT,
	FIT_SHORT,		/* the inputs do not suffice */
	FIT_DUST,		/* change of so little cannot be */
	FIT_HEAVY,		/* before the inputs suffice */
	FIT_HEAVY_OUTPUTS	/* though the inputs suffice */
};

/* What is left to be paid, and with what. */
struct state {
	size_t			 utxo, out;	/* next */
	bool			 has_carry;
	struct tx_input		 carry;		/* change of the last one */
	struct create_tx	 try;		/* with room for the largest */
	uint64_t		 in;		/* sum of its inputs */
};

static int	 create_plan_init(struct create *, struct create_result *,
		    struct state *);
static int	 plan(struct create *, struct create_result *);
static void	 leave_out(struct create *);
static int	 step(struct create *, struct state *, size_t *);
static int	 split(struct create *, struct state *, enum fit, size_t *);
static enum fit	 pay(struct create *, struct state *, size_t, bool);
static void	 cheaper(struct create *, struct state *, size_t, bool);
static enum fit	 gather(struct create *, struct state *);
static void	 start(struct create *, struct state *, size_t, bool);
static bool	 add_input(struct create *, struct state *);
static enum fit	 settle(struct create *, struct state *, size_t, bool);
static enum fit	 without_change(struct create *, struct state *, uint64_t *);
static enum fit	 with_change(struct create *, struct state *, size_t);
static bool	 light(const struct mass *);
static uint64_t	 sum_out(const struct tx *, size_t);
static int	 keep(struct create *, struct create_result *, struct state *,
		    size_t);
static bool	 change_is_ours(const struct create *);
static int	 refuse(struct create *, struct state *, enum fit, size_t);

int
create_fail(struct create *c, enum pskt_code code, const char *fmt, ...)
{
	va_list	 ap;

	c->e->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(c->e->message, sizeof(c->e->message), fmt, ap);
	va_end(ap);
	return -1;
}

int
pskt_create(struct pool *pool, enum kaspa_network network,
    struct bytes redeem, const struct json *params, struct create_result *r,
    struct pskt_error *e)
{
	struct create	 c;

	memset(&c, 0, sizeof(c));
	memset(r, 0, sizeof(*r));
	memset(e, 0, sizeof(*e));
	e->pskt = PSKT_NOT_IN_BUNDLE;
	c.pool = pool;
	c.network = network;
	c.params = params;
	c.e = e;
	if (create_read(&c, redeem) == -1 || plan(&c, r) == -1)
		return -1;
	if (create_emit(&c, r) == -1)
		return create_fail(&c, PSKT_TOO_LARGE, "out of memory");
	return 0;
}

/* Amounts were read so that no sum of them overflows. */
static uint64_t
sum_out(const struct tx *tx, size_t n)
{
	uint64_t	 sum = 0;
	size_t		 i;

	for (i = 0; i < n; i++)
		sum += tx->out[i].value;
	return sum;
}

static bool
light(const struct mass *m)
{
	return m->compute <= MASS_LIMIT_WALLET &&
	    m->transient <= MASS_LIMIT_WALLET &&
	    m->storage <= MASS_LIMIT_WALLET;
}

/* --- one transaction --- */

/* With the next p outputs, and the carried change as its first input. */
static void
start(struct create *c, struct state *s, size_t p, bool last)
{
	struct create_tx	*t = &s->try;

	memcpy(t->tx.out, c->out + s->out, p * sizeof(*t->tx.out));
	t->tx.out[p] = c->change;
	t->tx.nout = p;
	t->tx.nin = 0;
	s->in = 0;
	memset(&t->tx.payload, 0, sizeof(t->tx.payload));
	if (last)
		t->tx.payload = c->payload;
	if (s->has_carry) {
		t->coinbase[0] = false;
		t->tx.in[t->tx.nin++] = s->carry;
		s->in = s->carry.amount;
	}
}

/* The next UTXO; false when there is none. */
static bool
add_input(struct create *c, struct state *s)
{
	struct create_tx	*t = &s->try;
	size_t			 next = s->utxo + t->tx.nin;

	if (s->has_carry)
		next--;
	if (next >= c->nutxo || t->tx.nin == TX_MAX_INPUTS)
		return false;
	t->coinbase[t->tx.nin] = c->utxo[next].coinbase;
	t->tx.in[t->tx.nin++] = c->utxo[next].in;
	s->in += c->utxo[next].in.amount;
	return true;
}

/* All that remains is the fee; *over is what of that is too much. */
static enum fit
without_change(struct create *c, struct state *s, uint64_t *over)
{
	struct create_tx	*t = &s->try;
	uint64_t		 out = sum_out(&t->tx, t->tx.nout), fee;

	mass_of_tx(&t->tx, NULL, &t->mass);
	fee = mass_fee(&t->mass, c->rate);
	if (s->in < out || s->in - out < fee)
		return FIT_SHORT;
	t->fee = s->in - out;
	t->change = 0;
	*over = t->fee - fee;
	return light(&t->mass) ? FIT : FIT_HEAVY_OUTPUTS;
}

/*
 * A fee for the change, and change for what that leaves, until both agree:
 * less change weighs more, so that it only goes down.
 */
static enum fit
with_change(struct create *c, struct state *s, size_t p)
{
	struct create_tx	*t = &s->try;
	uint64_t		 out = sum_out(&t->tx, p), fee = 0, more;
	unsigned		 i;

	t->tx.nout = p + 1;
	for (i = 0; i < MAX_ROUNDS; i++) {
		if (s->in <= out || s->in - out <= fee)
			return FIT_SHORT;
		t->change = t->tx.out[p].value = s->in - out - fee;
		t->fee = fee;
		mass_of_tx(&t->tx, NULL, &t->mass);
		if ((more = mass_fee(&t->mass, c->rate)) <= fee)
			break;
		fee = more;
	}
	if (i == MAX_ROUNDS || mass_is_dust(t->change,
	    c->change.spk.script.len))
		return FIT_SHORT;
	return light(&t->mass) ? FIT : FIT_HEAVY_OUTPUTS;
}

/* Can its inputs pay its p outputs, and how?  last: change may be missing. */
static enum fit
settle(struct create *c, struct state *s, size_t p, bool last)
{
	struct create_tx	*t = &s->try;
	enum fit		 plain = FIT_SHORT, fit;
	uint64_t		 over = 0, dust;

	t->tx.nout = p;
	mass_of_tx(&t->tx, NULL, &t->mass);
	if (t->mass.compute > MASS_LIMIT_WALLET ||
	    t->mass.transient > MASS_LIMIT_WALLET)
		return FIT_HEAVY;
	if (last) {
		plain = without_change(c, s, &over);
		if (plain == FIT && over == 0)
			return FIT;
	}
	if ((fit = with_change(c, s, p)) == FIT)
		return FIT;
	t->tx.nout = p;
	if (!last)
		return fit;
	if (plain != FIT)
		return plain;
	(void)without_change(c, s, &over);
	dust = c->has_dust ? c->dust : t->fee - over;
	return over <= dust ? FIT : FIT_DUST;
}

/*
 * The next p outputs, with as few inputs as will do.  When there are no more,
 * or no more fit, the answer is what was in the way last.
 */
static enum fit
pay(struct create *c, struct state *s, size_t p, bool last)
{
	struct create_tx	*t = &s->try;
	enum fit		 fit, was = FIT_SHORT;
	uint64_t		 need;

	start(c, s, p, last);
	need = sum_out(&t->tx, p);
	while (t->tx.nin == 0 || s->in < need)
		if (!add_input(c, s))
			return t->tx.nin == TX_MAX_INPUTS ? FIT_HEAVY :
			    FIT_SHORT;
	while ((fit = settle(c, s, p, last)) != FIT) {
		if (fit == FIT_HEAVY && t->tx.nin == 1)
			return FIT_HEAVY_OUTPUTS;
		if (fit == FIT_HEAVY)
			return was == FIT_SHORT ? FIT_HEAVY : was;
		was = fit;
		if (!add_input(c, s))
			return fit;
	}
	cheaper(c, s, p, last);
	return FIT;
}

/*
 * Little change weighs much, and what is too little goes to the fee: further
 * inputs, as long as they cost less than they save.
 */
static void
cheaper(struct create *c, struct state *s, size_t p, bool last)
{
	struct create_tx	*t = &s->try;
	uint64_t		 fee;

	do {
		fee = t->fee;
		if (t->change != 0 && t->mass.storage < mass_for_fee(&t->mass))
			return;
		if (!add_input(c, s))
			return;
	} while (settle(c, s, p, last) == FIT && t->fee < fee);
	s->in -= t->tx.in[--t->tx.nin].amount;
	(void)settle(c, s, p, last);
}

/* As many inputs as fit become one output, which is the next one's input. */
static enum fit
gather(struct create *c, struct state *s)
{
	struct create_tx	*t = &s->try;
	enum fit		 fit = FIT_SHORT;

	start(c, s, 0, false);
	while (add_input(c, s)) {
		if (settle(c, s, 0, false) != FIT_HEAVY)
			continue;
		s->in -= t->tx.in[--t->tx.nin].amount;
		break;
	}
	if (t->tx.nin >= 2)
		fit = settle(c, s, 0, false);
	return fit;
}

/* --- the whole --- */

/* UTXOs that cost more than they hold. */
static void
leave_out(struct create *c)
{
	struct tx	 one;
	struct mass	 with, without;
	size_t		 i, n = 0;
	uint64_t	 cost;

	memset(&one, 0, sizeof(one));
	mass_of_tx(&one, NULL, &without);
	one.nin = 1;
	for (i = 0; i < c->nutxo; i++) {
		one.in = &c->utxo[i].in;
		mass_of_tx(&one, NULL, &with);
		cost = (with.compute - without.compute) * c->rate;
		if (c->utxo[i].in.amount > cost)
			c->utxo[n++] = c->utxo[i];
	}
	c->nleft = c->nutxo - n;
	c->nutxo = n;
}

static int
create_plan_init(struct create *c, struct create_result *r, struct state *s)
{
	size_t	 max = c->nutxo < TX_MAX_INPUTS ? c->nutxo + 1 : TX_MAX_INPUTS;

	memset(s, 0, sizeof(*s));
	s->try.tx.in = pool_alloc(c->pool, max, sizeof(*s->try.tx.in));
	s->try.coinbase = pool_alloc(c->pool, max,
	    sizeof(*s->try.coinbase));
	s->try.tx.out = pool_alloc(c->pool, c->nout + 1,
	    sizeof(*s->try.tx.out));
	r->tx = pool_alloc(c->pool, PSKT_MAX_BUNDLE, sizeof(*r->tx));
	if (s->try.tx.in == NULL || s->try.coinbase == NULL ||
	    s->try.tx.out == NULL || r->tx == NULL)
		return create_fail(c, PSKT_TOO_LARGE, "out of memory");
	leave_out(c);
	return 0;
}

static int
plan(struct create *c, struct create_result *r)
{
	struct state	 s;
	size_t		 paid;

	if (create_plan_init(c, r, &s) == -1)
		return -1;
	while (s.out < c->nout) {
		if (r->n == PSKT_MAX_BUNDLE)
			return create_fail(c, PSKT_TOO_LARGE,
			    "utxos: it takes more than 256 transactions");
		if (step(c, &s, &paid) == -1 || keep(c, r, &s, paid) == -1)
			return -1;
	}
	return 0;
}

/* The next transaction, in s->try, which pays the next *paid outputs. */
static int
step(struct create *c, struct state *s, size_t *paid)
{
	enum fit	 fit;

	*paid = c->nout - s->out;
	fit = pay(c, s, *paid, true);
	if (fit == FIT)
		return 0;
	if (fit != FIT_HEAVY && fit != FIT_HEAVY_OUTPUTS)
		return refuse(c, s, fit, *paid);
	return split(c, s, fit, paid);
}

/* As many outputs as can be paid at once, or inputs gathered, if that helps. */
static int
split(struct create *c, struct state *s, enum fit fit, size_t *paid)
{
	size_t	 low = 0, high = *paid, mid;

	if (!change_is_ours(c))
		return create_fail(c, PSKT_INVALID, "change_address: one "
		    "transaction would be too heavy, and several need change "
		    "to the script of a UTXO");
	/* A payload goes with all that is paid, or nobody could tell. */
	while (c->payload.len == 0 && high - low > 1) {
		mid = low + (high - low) / 2;
		if ((fit = pay(c, s, mid, false)) == FIT)
			low = mid;
		else
			high = mid;
	}
	if (low != 0) {
		*paid = low;
		return pay(c, s, low, false) == FIT ? 0 :
		    refuse(c, s, FIT_HEAVY, low);
	}
	if (fit == FIT_HEAVY && gather(c, s) == FIT) {
		*paid = 0;
		return 0;
	}
	if (fit != FIT_HEAVY_OUTPUTS)
		high = *paid;
	fit = pay(c, s, high, high == *paid);
	return refuse(c, s, fit, high);
}

/* s->try as the next of r's; what it leaves goes on. */
static int
keep(struct create *c, struct create_result *r, struct state *s, size_t paid)
{
	struct create_tx	*t = &r->tx[r->n++];

	*t = s->try;
	t->tx.in = pool_dup(c->pool, t->tx.in,
	    t->tx.nin * sizeof(*t->tx.in));
	t->coinbase = pool_dup(c->pool, t->coinbase,
	    t->tx.nin * sizeof(*t->coinbase));
	t->tx.out = pool_dup(c->pool, t->tx.out,
	    t->tx.nout * sizeof(*t->tx.out));
	if (t->tx.in == NULL || t->coinbase == NULL || t->tx.out == NULL ||
	    tx_id(&t->tx, t->id) == -1)
		return create_fail(c, PSKT_TOO_LARGE, "out of memory");
	r->fee += t->fee;
	r->change = t->change;
	s->utxo += t->tx.nin - (s->has_carry ? 1 : 0);
	s->out += paid;
	memset(&s->carry, 0, sizeof(s->carry));
	s->has_carry = t->change != 0;
	memcpy(s->carry.outpoint.txid, t->id, TX_ID_LEN);
	s->carry.outpoint.index = (uint32_t)t->tx.nout - 1;
	s->carry.sequence = UINT64_MAX;
	s->carry.sighash_type = SIGHASH_ALL;
	s->carry.has_utxo = true;
	s->carry.amount = t->change;
	s->carry.spk = c->change.spk;
	s->carry.sig_op_count = 1;
	if (c->change_redeem != NULL) {
		s->carry.redeem = c->change_redeem->script;
		s->carry.sig_op_count = (uint8_t)c->change_redeem->ms.n;
	}
	return 0;
}

static bool
change_is_ours(const struct create *c)
{
	const struct spk	*a = &c->change.spk, *b;
	size_t			 i;

	for (i = 0; i < c->nutxo; i++) {
		b = &c->utxo[i].in.spk;
		if (a->script.len == b->script.len && memcmp(a->script.p,
		    b->script.p, a->script.len) == 0)
			return true;
	}
	return c->change_redeem != NULL;
}

/* p outputs cannot be paid, for this reason. */
static int
refuse(struct create *c, struct state *s, enum fit fit, size_t p)
{
	struct create_tx	*t = &s->try;
	unsigned long long	 out, fee, in = s->in;
	char			 left[64] = "";

	if (c->nleft != 0)
		(void)snprintf(left, sizeof(left),
		    " (%zu more cost more than they hold)", c->nleft);
	t->tx.nout = p;
	mass_of_tx(&t->tx, NULL, &t->mass);
	out = sum_out(&t->tx, p);
	fee = mass_fee(&t->mass, c->rate);
	if (fit == FIT_DUST)
		return create_fail(c, PSKT_INVALID, "utxos: %llu sompi over "
		    "the fee of %llu would be left, too little for change and "
		    "more than may go to the fee (dust_to_fee)", in - out - fee,
		    fee);
	if (fit == FIT_SHORT)
		return create_fail(c, PSKT_INVALID, "utxos: %llu sompi are "
		    "missing: they hold %llu%s, outputs take %llu and the "
		    "fee %llu", out + fee > in ? out + fee - in : 1, in, left,
		    out, fee);
	if (p > 1)
		return create_fail(c, PSKT_INVALID, "outputs: too heavy for "
		    "one transaction%s: compute mass %llu, transient %llu, "
		    "storage %llu, of %u each",
		    c->payload.len != 0 ? ", which a payload needs" : "",
		    (unsigned long long)t->mass.compute,
		    (unsigned long long)t->mass.transient,
		    (unsigned long long)t->mass.storage, MASS_LIMIT_WALLET);
	return create_fail(c, PSKT_INVALID, "outputs[%zu].amount: too heavy: "
	    "compute mass %llu, transient %llu, storage %llu, of %u each",
	    s->out, (unsigned long long)t->mass.compute,
	    (unsigned long long)t->mass.transient,
	    (unsigned long long)t->mass.storage, MASS_LIMIT_WALLET);
}
