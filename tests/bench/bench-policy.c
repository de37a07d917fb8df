/*
 * What a decision of the policy costs with every check in use, 10,000
 * destinations, and a million outpoints in the journal.
 *
 *   bench-policy [OUTPOINTS [DESTINATIONS]]
 *
 * Prints "name microseconds" lines: policy_{p50,p99} of transactions with one
 * input and two outputs, policy100_{p50,p99} with 100 inputs; and
 * policy_memory, KiB that the journal takes.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "keyd/policy.h"
#include "measure.h"

#define LOOPS		20000
#define LOOPS_100	1000
#define MAX_IN		100

static struct conf	*conf;
static struct own	 own;
static struct journal	*journal;
static uint8_t		 key[32], our_script[P2SH_SCRIPT_LEN];
static uint8_t		 pay_script[P2PK_SCRIPT_LEN];
static struct tx_input	 in[MAX_IN];
static struct tx_output	 out[2];
static struct tx	 tx;

static long	 resident_kib(void);
static void	 destination(uint8_t *, uint64_t);
static void	 make_config(size_t);
static void	 make_tx(size_t);
static void	 set_outpoints(uint64_t);
static uint32_t	 decide(struct pool *, struct decision *);
static void	 fill(size_t);
static void	 measure(const char *, size_t, size_t, size_t, size_t);

static long
resident_kib(void)
{
	long	 size, pages = 0;
	FILE	*f;

	if ((f = fopen("/proc/self/statm", "r")) == NULL)
		return 0;
	if (fscanf(f, "%ld %ld", &size, &pages) != 2)
		pages = 0;
	fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void
destination(uint8_t *script, uint64_t n)
{
	uint8_t	 x[32];

	(void)crypto_generichash(x, sizeof(x), (const uint8_t *)&n, sizeof(n),
	    NULL, 0);
	script_p2pk(x, script);
}

static void
make_config(size_t n)
{
	char		 hex[2 * MULTISIG_MAX_SCRIPT + 1], msg[512];
	char		*text = NULL;
	uint8_t		 keys[3][32], redeem[MULTISIG_MAX_SCRIPT];
	const char	*errstr;
	size_t		 len = 0, i;
	FILE		*f;

	for (i = 0; i < 3; i++)
		randombytes_buf(keys[i], sizeof(keys[i]));
	memcpy(key, keys[1], sizeof(key));
	len = script_multisig(2, 3,
	    (const uint8_t (*)[32])(const void *)keys, redeem);
	script_p2sh(redeem, len, our_script);
	(void)sodium_bin2hex(hex, sizeof(hex), redeem, len);
	if ((f = open_memstream(&text, &len)) == NULL)
		err(1, NULL);
	fprintf(f, "[service]\nnetwork = \"devnet\"\nactive_profile = "
	    "\"signer-02\"\n[service.pskt]\nredeem_script_hex = \"%s\"\n"
	    "[policy]\nmax_fee_sompi = 10000\nmax_fee_percent = 90.0\n"
	    "max_amount_sompi = 1000000\nmin_amount_sompi = 1\n"
	    "max_hourly_volume_sompi = 1000000000000000\n"
	    "max_daily_volume_sompi = 1000000000000000\n"
	    "max_weekly_volume_sompi = 1000000000000000\n"
	    "max_per_hour = 1000000\nmax_lock_time_ahead = 3600\n"
	    "require_reason = true\nmax_outpoints = 10000000\n"
	    "allowed_destinations = [\n", hex);
	for (i = 0; i < n; i++) {
		destination(pay_script, i);
		(void)sodium_bin2hex(hex, sizeof(hex), pay_script,
		    sizeof(pay_script));
		fprintf(f, "\"0000%s\",\n", hex);
	}
	fprintf(f, "]\n");
	fclose(f);
	if ((conf = conf_parse(text, len, "igra.toml", NULL, 0, msg,
	    sizeof(msg))) == NULL)
		errx(1, "%s", msg);
	free(text);
	if (own_init(&own, conf, &errstr) == -1)
		errx(1, "%s", errstr);
}

static void
make_tx(size_t nin)
{
	size_t	 i;

	memset(&tx, 0, sizeof(tx));
	tx.nin = nin;
	tx.in = in;
	tx.nout = 2;
	tx.out = out;
	for (i = 0; i < nin; i++) {
		in[i].sighash_type = SIGHASH_ALL;
		in[i].sig_op_count = 3;
		in[i].has_utxo = true;
		in[i].amount = 100000;
		in[i].spk.script.p = our_script;
		in[i].spk.script.len = sizeof(our_script);
	}
	out[0].value = 50000;
	out[0].spk.script.p = pay_script;
	out[0].spk.script.len = sizeof(pay_script);
	out[1].value = 100000 * nin - 50000 - 5000;
	out[1].spk = in[0].spk;
}

/* Those of transaction n; no order that a cache could guess. */
static void
set_outpoints(uint64_t n)
{
	size_t	 i;

	for (i = 0; i < tx.nin; i++) {
		n = n * 1000 + i;
		(void)crypto_generichash(in[i].outpoint.txid,
		    sizeof(in[i].outpoint.txid), (const uint8_t *)&n,
		    sizeof(n), NULL, 0);
	}
}

static uint32_t
decide(struct pool *pool, struct decision *d)
{
	struct policy_request	 q;
	struct timespec		 ts;

	memset(&q, 0, sizeof(q));
	journal_tick(journal);
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	q.conf = conf;
	q.own = &own;
	q.journal = journal;
	q.key.xonly = key;
	q.has_reason = true;
	q.now_ms = (uint64_t)ts.tv_sec * 1000;
	return policy_decide(&q, &tx, 1, pool, d);
}

static void
fill(size_t n)
{
	struct decision	 d;
	struct pool	 pool;
	size_t		 i;
	long		 before = resident_kib();

	make_tx(1);
	for (i = 0; i < n; i++) {
		set_outpoints(i);
		pool_init(&pool, 0);
		/* max_per_hour would be in the way. */
		conf->policy.max_per_hour.set = false;
		if (decide(&pool, &d) != 1)
			errx(1, "%s", d.message);
		if (journal_reserve(journal, &d.entry, 1) == -1)
			errx(1, "no room");
		pool_free(&pool);
	}
	printf("policy_memory %ld\n", resident_kib() - before);
}

/* Every second one has been signed before. */
static void
measure(const char *name, size_t nin, size_t loops, size_t ndest, size_t held)
{
	struct decision	 d;
	struct pool	 pool;
	double		*v, start;
	size_t		 i;

	if ((v = calloc(loops, sizeof(*v))) == NULL)
		err(1, NULL);
	make_tx(nin);
	for (i = 0; i < loops; i++) {
		if (nin == 1 && i % 2 == 0) {
			/* fill() paid the last destination. */
			destination(pay_script, ndest - 1);
			set_outpoints(randombytes_uniform((uint32_t)held));
		} else {
			destination(pay_script,
			    randombytes_uniform((uint32_t)ndest));
			set_outpoints(held + i);
		}
		pool_init(&pool, 0);
		start = now_us();
		if (decide(&pool, &d) != 1)
			errx(1, "%s", d.message);
		v[i] = now_us() - start;
		pool_free(&pool);
	}
	qsort(v, loops, sizeof(*v), by_value);
	printf("%s_p50 %.3f\n%s_p99 %.3f\n", name, v[loops / 2], name,
	    v[loops * 99 / 100]);
	free(v);
}

int
main(int argc, char **argv)
{
	size_t	 outpoints = 1000000, destinations = 10000;

	if (argc > 1)
		outpoints = (size_t)strtonum(argv[1], 1, 10000000, NULL);
	if (argc > 2)
		destinations = (size_t)strtonum(argv[2], 1, 10000, NULL);
	if (argc > 3 || outpoints == 0 || destinations == 0)
		errx(2, "usage: bench-policy [outpoints [destinations]]");
	if (sodium_init() == -1)
		errx(1, "sodium_init");
	make_config(destinations);
	if ((journal = journal_new(20000000, NULL)) == NULL)
		errx(1, "out of memory");
	fill(outpoints);
	measure("policy", 1, LOOPS, destinations, outpoints);
	measure("policy100", MAX_IN, LOOPS_100, destinations, outpoints);
	return fflush(stdout) == EOF;
}
