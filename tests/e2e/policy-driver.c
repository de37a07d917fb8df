/*
 * The policy and its journal by themselves, for the reference model
 * (tests/model/compare.py): commands on standard input, decisions on standard
 * output, with clocks that the commands set.
 *
 *	script N VERSION HEX		numbers a script public key
 *	redeem N HEX			and a redeem script ("-": empty)
 *	key HEX				our x-only key
 *	journal BOOT WALL		an empty one, with clocks in ns
 *	config LINES MAX		lines of igra.toml follow; max_outpoints
 *	time BOOT WALL			later
 *	reboot BOOT WALL		the same, in another boot
 *	accept				the operator believes the clock
 *	release TXID INDEX		and clears a claim; TXID is a number
 *	sign|check REASON N		N transactions follow
 *	tx VERSION LOCK_TIME NIN NOUT
 *	i TXID INDEX SEQUENCE SIGOPS TYPE HAS_UTXO AMOUNT SCRIPT SCORE REDEEM
 *	o VALUE SCRIPT COVENANT
 *
 * sign and check answer with one line; a bundle that is signed is reserved.
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "keyd/journal_int.h"
#include "keyd/policy_int.h"

#define MAX_SCRIPTS	64
#define MAX_TX		8
#define MAX_IO		16

static struct spk	 scripts[MAX_SCRIPTS];
static struct bytes	 redeems[MAX_SCRIPTS];
static uint8_t		 key[32];
static struct conf	*conf;
static struct own	 own;
static struct journal	*journal;
static int64_t		 boot_ns, wall_ns;
static struct tx	 tx[MAX_TX];
static struct tx_input	 in[MAX_TX][MAX_IO];
static struct tx_output	 out[MAX_TX][MAX_IO];
static struct decision	 d[MAX_TX];
static char		*line, *rest;
static size_t		 linecap;

static bool	 next_line(void);
static const char *word(void);
static uint64_t	 number(void);
static struct bytes hex(void);
static int64_t	 clock_of(void *);
static int64_t	 wall_of(void *);
static void	 new_journal(void);
static void	 read_config(void);
static void	 set_time(bool);
static void	 outpoint(struct outpoint *);
static void	 read_tx(uint32_t);
static void	 decide(bool);
static void	 print_decision(const struct decision *, bool);
static void	 done(bool, const char *, void *);

static bool
next_line(void)
{
	ssize_t	 n = getline(&line, &linecap, stdin);

	if (n <= 0)
		return false;
	line[n - 1] = '\0';
	rest = line;
	return true;
}

static const char *
word(void)
{
	const char	*w = strsep(&rest, " ");

	if (w == NULL || *w == '\0')
		errx(2, "a word is missing");
	return w;
}

static uint64_t
number(void)
{
	const char	*w = word();
	char		*end;
	uint64_t	 v = strtoull(w, &end, 10);

	if (*end != '\0')
		errx(2, "%s: no number", w);
	return v;
}

static struct bytes
hex(void)
{
	struct bytes	 b = { NULL, 0 };
	const char	*w = word();
	uint8_t		*p;

	if (strcmp(w, "-") == 0)
		return b;
	if ((p = malloc(strlen(w) / 2 + 1)) == NULL ||
	    sodium_hex2bin(p, strlen(w) / 2, w, strlen(w), NULL, &b.len,
	    NULL) != 0)
		errx(2, "%s: no hex", w);
	b.p = p;
	return b;
}

static int64_t
clock_of(void *arg)
{
	return *(const int64_t *)arg;
}

static int64_t
wall_of(void *arg)
{
	(void)arg;
	return wall_ns;
}

static void
new_journal(void)
{
	struct journal_clocks	 c = { clock_of, wall_of, &boot_ns, { 1 } };

	journal_free(journal);
	if ((journal = journal_new(1000000, &c)) == NULL)
		errx(1, "out of memory");
}

static void
read_config(void)
{
	uint64_t	 n = number(), max = number();
	const char	*errstr;
	char		*text = NULL, msg[512];
	size_t		 len = 0;
	FILE		*f;

	if ((f = open_memstream(&text, &len)) == NULL)
		err(1, NULL);
	while (n-- > 0) {
		if (!next_line())
			errx(2, "config ends");
		fprintf(f, "%s\n", line);
	}
	fclose(f);
	conf_free(conf);
	if ((conf = conf_parse(text, len, "igra.toml", NULL, 0, msg,
	    sizeof(msg))) == NULL)
		errx(2, "%s", msg);
	free(text);
	own_free(&own);
	if (own_init(&own, conf, &errstr) == -1)
		errx(2, "%s", errstr);
	conf->policy.max_outpoints = max;
	journal_set_max(journal, max);
}

static void
set_time(bool reboot)
{
	boot_ns = (int64_t)number();
	wall_ns = (int64_t)number();
	if (reboot)
		journal->clocks.boot_id[0]++;
	journal_tick(journal);
}

static void
outpoint(struct outpoint *o)
{
	uint64_t	 id = number();

	memset(o, 0, sizeof(*o));
	memcpy(o->txid, &id, sizeof(id));
	o->index = (uint32_t)number();
}

static void
read_tx(uint32_t t)
{
	struct tx_input		*i;
	struct tx_output	*o;

	if (!next_line() || strcmp(word(), "tx") != 0)
		errx(2, "tx expected");
	memset(&tx[t], 0, sizeof(tx[t]));
	memset(in[t], 0, sizeof(in[t]));
	memset(out[t], 0, sizeof(out[t]));
	tx[t].version = (uint16_t)number();
	tx[t].lock_time = number();
	tx[t].nin = number();
	tx[t].nout = number();
	tx[t].in = in[t];
	tx[t].out = out[t];
	if (tx[t].nin > MAX_IO || tx[t].nout > MAX_IO)
		errx(2, "too many");
	for (i = in[t]; i < in[t] + tx[t].nin; i++) {
		if (!next_line() || strcmp(word(), "i") != 0)
			errx(2, "i expected");
		outpoint(&i->outpoint);
		i->sequence = number();
		i->sig_op_count = (uint8_t)number();
		i->sighash_type = (uint8_t)number();
		i->has_utxo = number() != 0;
		i->amount = number();
		i->spk = scripts[number() % MAX_SCRIPTS];
		i->daa_score = number();
		i->redeem = redeems[number() % MAX_SCRIPTS];
		if (!i->has_utxo) {
			i->amount = i->daa_score = 0;
			memset(&i->spk, 0, sizeof(i->spk));
		}
	}
	for (o = out[t]; o < out[t] + tx[t].nout; o++) {
		if (!next_line() || strcmp(word(), "o") != 0)
			errx(2, "o expected");
		o->value = number();
		o->spk = scripts[number() % MAX_SCRIPTS];
		o->has_covenant = number() != 0;
	}
}

/*
 * CODE CHECK LIMIT VALUE NSIGN OUTFLOW FEE KNOWN, and of a check every row.
 * Blanks in a text become underscores.
 */
static void
print_decision(const struct decision *x, bool check)
{
	static const char	 outcomes[] = { '-', '+', '!' };
	char			 text[512], *p;
	size_t			 i;

	(void)snprintf(text, sizeof(text), "%s|%s|%s",
	    x->check == NULL ? "" : x->check, x->limit, x->value);
	for (p = text; *p != '\0'; p++)
		if (*p == ' ')
			*p = '_';
	printf(" %s %s", x->code == CODE_NONE ? "OK" :
	    proto_code_name(x->code), text);
	if (x->counted) {
		printf(" %zu %" PRIu64 " ", x->nsign, x->outflow);
		if (x->fee_known)
			printf("%" PRIu64, x->fee);
		else
			printf("?");
		printf(" %d", x->known);
	}
	for (i = 0; check && i < x->nrow; i++)
		printf(" %c%s", outcomes[x->row[i].outcome],
		    strncmp(x->row[i].check, "max_", 4) == 0 ||
		    strncmp(x->row[i].check, "min_", 4) == 0 ?
		    x->row[i].value : "");
	printf(";");
}

static void
decide(bool check)
{
	struct policy_request	 q;
	struct journal_entry	 e[MAX_TX];
	struct pool		 pool;
	uint32_t		 i, n, refused;

	pool_init(&pool, 0);
	memset(&q, 0, sizeof(q));
	memset(d, 0, sizeof(d));
	q.conf = conf;
	q.own = &own;
	q.journal = journal;
	q.key.xonly = key;
	q.has_reason = number() != 0;
	q.every_check = check;
	q.now_ms = (uint64_t)(wall_ns / 1000000);
	if ((n = (uint32_t)number()) > MAX_TX)
		errx(2, "too many");
	for (i = 0; i < n; i++)
		read_tx(i);
	refused = policy_decide(&q, tx, n, &pool, d);
	printf("%u", refused);
	for (i = 0; i < n && (check || i <= refused); i++)
		print_decision(&d[i], check);
	printf("\n");
	if (!check && refused == n) {
		for (i = 0; i < n; i++)
			e[i] = d[i].entry;
		if (journal_reserve(journal, e, n) == -1)
			printf("NOT RESERVED\n");
	}
	pool_free(&pool);
}

static void
done(bool ok, const char *why, void *arg)
{
	(void)arg;
	if (!ok)
		printf("NOT DONE: %s\n", why);
}

int
main(void)
{
	struct outpoint	 o;
	struct bytes	 b;
	const char	*w;
	size_t		 i;

	if (sodium_init() == -1)
		errx(1, "sodium_init");
	while (next_line()) {
		w = word();
		if (strcmp(w, "script") == 0) {
			i = number() % MAX_SCRIPTS;
			scripts[i].version = (uint16_t)number();
			scripts[i].script = hex();
		} else if (strcmp(w, "redeem") == 0) {
			i = number() % MAX_SCRIPTS;
			redeems[i] = hex();
		} else if (strcmp(w, "key") == 0) {
			b = hex();
			if (b.len != sizeof(key))
				errx(2, "no key");
			memcpy(key, b.p, sizeof(key));
			free((void *)(uintptr_t)b.p);
		} else if (strcmp(w, "journal") == 0) {
			boot_ns = (int64_t)number();
			wall_ns = (int64_t)number();
			new_journal();
		} else if (strcmp(w, "config") == 0)
			read_config();
		else if (strcmp(w, "time") == 0)
			set_time(false);
		else if (strcmp(w, "reboot") == 0)
			set_time(true);
		else if (strcmp(w, "accept") == 0)
			journal_accept_clock(journal, done, NULL);
		else if (strcmp(w, "release") == 0) {
			outpoint(&o);
			journal_release(journal, &o, done, NULL);
		} else if (strcmp(w, "sign") == 0)
			decide(false);
		else if (strcmp(w, "check") == 0)
			decide(true);
		else
			errx(2, "%s: no such command", w);
	}
	return fflush(stdout) == EOF;
}
