/*
 * The policy journal with a million outpoints: what it takes of memory, how
 * long keyd's start reads it, how long a look and a reservation take.
 *
 *   bench-journal [-n OUTPOINTS] DIR
 *
 * Prints "name value" lines: times in microseconds, sizes in KiB.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keyd/journal_int.h"

#define LOOKS	200000
#define BATCH	4096			/* entries in one write */

static double	 now_us(void);
static long	 rss_kib(void);
static void	 entry_of(uint32_t, struct journal_entry *,
		    struct journal_claim_in *);
static struct journal *open_journal(const char *, size_t);
static void	 fill_file(const char *, uint32_t);
static int	 cmp(const void *, const void *);
static void	 looks(struct journal *, uint32_t);

static double
now_us(void)
{
	return (double)monotonic_now() / 1000;
}

static long
rss_kib(void)
{
	char	 line[128];
	long	 kib = 0;
	FILE	*f;

	if ((f = fopen("/proc/self/status", "r")) == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

/* One input each, as most have. */
static void
entry_of(uint32_t id, struct journal_entry *e, struct journal_claim_in *c)
{
	memset(e, 0, sizeof(*e));
	memset(c, 0, sizeof(*c));
	(void)crypto_generichash(e->sid, sizeof(e->sid), (uint8_t *)&id,
	    sizeof(id), NULL, 0);
	memcpy(c->outpoint.txid, e->sid, TX_ID_LEN);
	c->outpoint.txid[0] ^= 1;
	c->amount = id;
	e->outflow = 1;
	e->n = 1;
	e->claim = c;
}

static struct journal *
open_journal(const char *path, size_t max)
{
	struct journal_owner	 o = { geteuid(), getegid(), false, true };
	struct journal		*j;
	char			 why[256];

	if ((j = journal_new(max, NULL)) == NULL)
		err(1, "journal_new");
	if (journal_open(j, path, &o, why, sizeof(why)) == -1)
		errx(1, "%s", why);
	return j;
}

static void
fill_file(const char *path, uint32_t n)
{
	const size_t		 one = format_entry_len(1);
	struct journal		*j = open_journal(path, n);
	struct journal_claim_in	 c;
	struct journal_entry	 e;
	struct entry		 x;
	uint8_t			*buf;
	uint32_t		 i, k;

	if ((buf = malloc(BATCH * one)) == NULL)
		err(1, "malloc");
	for (i = 0; i < n; i += k) {
		for (k = 0; k < BATCH && i + k < n; k++) {
			entry_of(i + k, &e, &c);
			memset(&x, 0, sizeof(x));
			x.type = ENTRY_SIGN;
			x.at = FORMAT_FIRST + (uint64_t)(i + k) * one;
			x.generation = 1;
			x.reservation = (uint64_t)i + k + 1;
			x.clock = j->clock;
			memcpy(x.sid, e.sid, sizeof(x.sid));
			x.outflow = e.outflow;
			format_entry(&x, &c, 1, buf + k * one);
		}
		if (write_all(&journal_system, j->file->fd, buf, k * one,
		    FORMAT_FIRST + (uint64_t)i * one) == -1)
			err(1, "%s", path);
	}
	free(buf);
	journal_free(j);
}

static int
cmp(const void *a, const void *b)
{
	double	 x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* What a decision asks of it: known?  the claim?  the windows? */
static void
looks(struct journal *j, uint32_t n)
{
	struct journal_claim_in	 c;
	struct journal_entry	 e;
	struct journal_usage	 u;
	double			*t, from;
	uint32_t		 i;

	if ((t = calloc(LOOKS, sizeof(*t))) == NULL)
		err(1, "calloc");
	for (i = 0; i < LOOKS; i++) {
		entry_of(randombytes_uniform(n), &e, &c);
		from = now_us();
		if (!journal_known(j, e.sid) ||
		    journal_claim(j, &c, e.sid, NULL) != CLAIM_SAME)
			errx(1, "an entry is missing");
		journal_usage(j, &u);
		t[i] = now_us() - from;
	}
	qsort(t, LOOKS, sizeof(*t), cmp);
	printf("journal_look_p50 %.3f\njournal_look_p99 %.3f\n", t[LOOKS / 2],
	    t[LOOKS / 100 * 99]);
	free(t);
}

int
main(int argc, char **argv)
{
	struct journal_claim_in	 c;
	struct journal_entry	 e;
	struct journal		*j;
	char			 path[PATH_MAX], why[256];
	const char		*errstr = NULL;
	double			 from, t;
	uint32_t		 n = 1000000, i;
	long			 before;
	int			 ch;

	while ((ch = getopt(argc, argv, "n:")) != -1) {
		if (ch == 'n')
			n = (uint32_t)strtonum(optarg, 1, 100000000, &errstr);
		if (ch != 'n' || errstr != NULL)
			errx(2, "usage: bench-journal [-n outpoints] dir");
	}
	if (optind != argc - 1)
		errx(2, "usage: bench-journal [-n outpoints] dir");
	if (sodium_init() == -1)
		errx(1, "libsodium");
	(void)snprintf(path, sizeof(path), "%s/bench.journal", argv[optind]);
	(void)unlink(path);
	fill_file(path, n);
	before = rss_kib();
	j = open_journal(path, 2 * (size_t)n);
	from = now_us();
	if (journal_load(j, why, sizeof(why)) == -1 ||
	    !journal_may_sign(j, why, sizeof(why)))
		errx(1, "%s", why);
	printf("journal_load %.0f\n", now_us() - from);
	printf("journal_memory %ld\n", rss_kib() - before);
	printf("journal_file %llu\n", (unsigned long long)j->bytes / 1024);
	looks(j, n);
	/* The indexes grow in here as well. */
	t = 0;
	for (i = n; i < n + n / 10; i++) {
		entry_of(i, &e, &c);
		from = now_us();
		if (journal_reserve(j, &e, 1) == -1)
			errx(1, "no room");
		t += now_us() - from;
	}
	printf("journal_reserve %.3f\n", t / (n / 10));
	journal_free(j);
	(void)unlink(path);
	return 0;
}
