/*
 * How fast igra-audit verify reads, against the bare hash: BLAKE2b-256 over
 * the same bytes of the same file, read in blocks of the same size.
 *
 *   bench-audit [-m MIB] [-r ROUNDS] DIR
 *
 * Makes a log of pairs of SecretAccess and Signing records, a Checkpoint after
 * each 10,000, in DIR; measures both by turns; prints "name value" lines, each
 * the median: bare and verify in MiB/s, and the ratio of each round.
 */
#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "common/secmem.h"

#include "auditd/checkpoint.h"
#include "auditd/ia_verify.h"
#include "measure.h"

#define EVERY	10000		/* records */
#define BLOCK	(1024 * 1024)
#define ROUNDS	15
#define MIB	(1024.0 * 1024.0)

static void	 put(FILE *, struct chain *, const char *, size_t);
static void	 put_record(FILE *, struct chain *, enum audit_event);
static void	 put_checkpoint(FILE *, struct chain *, struct checkpoint *);
static uint64_t	 make_log(const char *, const char *, uint64_t);
static double	 bare(int);
static double	 verify(int, uint64_t);
static double	 median(double *, size_t);

static void
put(FILE *f, struct chain *at, const char *line, size_t len)
{
	if (fwrite(line, 1, len, f) != len)
		err(1, "write");
	chain_add(at, 0, 0, line, len);
}

static void
put_record(FILE *f, struct chain *at, enum audit_event event)
{
	struct audit_record	 r;
	struct line_clock	 clock;
	struct json_out		 o;
	struct enc		 e;
	const char		*text;
	char			 line[4096];
	uint8_t			 hash[32], dest[512];
	size_t			 len;

	randombytes_buf(hash, sizeof(hash));
	line_clock_now(&clock);
	audit_record_init(&r, event, SRC_KEYD, true);
	audit_set_u64(&r, FIELD_KSEQ, at->seq + 1);
	audit_set_str(&r, FIELD_REQUEST_ID, "payout-2026-11-24-000017");
	if (event == EV_SECRET_ACCESS) {
		audit_set_str(&r, FIELD_SECRET_NAME,
		    "igra.signer.mnemonic_signer-01");
		audit_set_str(&r, FIELD_BACKEND, "file");
		audit_set_str(&r, FIELD_OPERATION, "Get");
		audit_set_u64(&r, FIELD_CACHED, 1);
	} else {
		audit_set_str(&r, FIELD_KEY_REF,
		    "igra.signer.mnemonic_signer-01");
		audit_set_str(&r, FIELD_SCHEME, "Secp256k1Schnorr");
		audit_set_bytes(&r, FIELD_PAYLOAD_HASH, hash, sizeof(hash));
		audit_set_bytes(&r, FIELD_TX_ID, hash, sizeof(hash));
		audit_set_u64(&r, FIELD_INPUTS, 1);
		audit_set_u64(&r, FIELD_OUTFLOW, 1000000000);
		audit_set_u64(&r, FIELD_FEE, 2000);
		enc_init_fixed(&e, dest, sizeof(dest));
		audit_dest_add(&e, "kaspa:qpamkvhgh0kzx50gwvvp5xs8ktmqutcy3"
		    "dfs9dc3w7lm9rq0zs76vf959mmrp", (struct bytes){ NULL, 0 },
		    1000000000);
		audit_set_bytes(&r, FIELD_DESTINATIONS, dest, e.len);
		audit_set_str(&r, FIELD_POLICY, "allowed");
		audit_set_u64(&r, FIELD_DURATION, clock.mono_ns - 1500000);
	}
	audit_set_u64(&r, FIELD_PEER_UID, 1000);
	audit_set_u64(&r, FIELD_PEER_PID, 4711);
	text = line_format(&o, &r, at, &clock, &len);
	if (text == NULL || len + 1 > sizeof(line))
		errx(1, "no line");
	memcpy(line, text, len);
	line[len] = '\n';
	json_out_free(&o);
	put(f, at, line, len + 1);
}

static void
put_checkpoint(FILE *f, struct chain *at, struct checkpoint *cp)
{
	struct line_clock	 clock;

	line_clock_now(&clock);
	if (checkpoint_make(cp, at, &clock) == -1)
		errx(1, "%s", cp->fault);
	put(f, at, cp->line, cp->len);
	checkpoint_appended(cp);
}

/* How many lines it has. */
static uint64_t
make_log(const char *dir, const char *path, uint64_t bytes)
{
	static struct checkpoint	 cp;
	struct chain_scan		 none;
	struct chain			 at;
	FILE				*f;
	int				 dirfd;

	memset(&none, 0, sizeof(none));
	memset(&at, 0, sizeof(at));
	if (secmem_init_insecure(65536) == -1)
		err(1, "arena");
	if ((dirfd = open(dir, O_RDONLY | O_DIRECTORY)) == -1 ||
	    (f = fopen(path, "w")) == NULL)
		err(1, "%s", path);
	if (checkpoint_open(&cp, dirfd, geteuid(), &checkpoint_system) == -1 ||
	    checkpoint_recover(&cp, &none) == CHECKPOINT_FAILED)
		errx(1, "%s", cp.fault);
	while ((uint64_t)ftello(f) < bytes) {
		put_record(f, &at, EV_SECRET_ACCESS);
		put_record(f, &at, EV_SIGNING);
		if (at.seq % EVERY < 2)
			put_checkpoint(f, &at, &cp);
	}
	put_checkpoint(f, &at, &cp);
	if (fclose(f) != 0)
		err(1, "%s", path);
	checkpoint_close(&cp);
	(void)unlinkat(dirfd, CHECKPOINT_FILE, 0);
	close(dirfd);
	return at.seq;
}

static double
bare(int fd)
{
	static uint8_t			 buf[BLOCK];
	crypto_generichash_state	 st;
	uint8_t				 hash[CHAIN_HASH];
	double				 start = now();
	ssize_t				 n;

	if (lseek(fd, 0, SEEK_SET) == -1)
		err(1, "seek");
	crypto_generichash_init(&st, NULL, 0, sizeof(hash));
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		crypto_generichash_update(&st, buf, (unsigned long long)n);
	if (n == -1)
		err(1, "read");
	crypto_generichash_final(&st, hash, sizeof(hash));
	return now() - start;
}

static double
verify(int fd, uint64_t lines)
{
	static struct ia_verify	 v;
	static struct ia_reader	 r;
	struct ia_opts		 o;
	struct ia_line		 l;
	double			 start = now();
	int			 n;

	memset(&o, 0, sizeof(o));
	o.sealed = true;
	if (lseek(fd, 0, SEEK_SET) == -1 || ia_reader_init(&r) == -1)
		err(1, "read");
	ia_verify_init(&v, &o);
	ia_verify_begin(&v, "key-audit.log", 0);
	ia_reader_start(&r, fd);
	while ((n = ia_reader_next(&r, &l)) == 1)
		ia_verify_line(&v, &l);
	if (n == -1)
		err(1, "read");
	ia_verify_end(&v, true);
	if (ia_verify_finish(&v) != IA_INTACT || v.range[0].last != lines)
		errx(1, "the log does not verify: %s", v.fault);
	ia_reader_free(&r);
	return now() - start;
}

static double
median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

int
main(int argc, char **argv)
{
	double		*b, *v, *ratio, size;
	struct stat	 st;
	uint64_t	 lines, mib = 64;
	size_t		 i, rounds = ROUNDS;
	char		 path[PATH_MAX];
	int		 opt, fd;

	while ((opt = getopt(argc, argv, "m:r:")) != -1)
		if (opt == 'm')
			mib = strtoull(optarg, NULL, 10);
		else
			rounds = (size_t)strtoull(optarg, NULL, 10);
	if (argc - optind != 1 || mib == 0 || rounds == 0 || rounds > 10000) {
		fprintf(stderr, "usage: bench-audit [-m mib] [-r rounds] "
		    "directory\n");
		return 2;
	}
	if (sodium_init() == -1)
		errx(1, "cannot initialise libsodium");
	(void)snprintf(path, sizeof(path), "%s/bench-audit.log",
	    argv[optind]);
	lines = make_log(argv[optind], path, mib * 1024 * 1024);
	if ((fd = open(path, O_RDONLY)) == -1 || fstat(fd, &st) == -1)
		err(1, "%s", path);
	(void)unlink(path);
	b = calloc(rounds, sizeof(*b));
	v = calloc(rounds, sizeof(*v));
	ratio = calloc(rounds, sizeof(*ratio));
	if (b == NULL || v == NULL || ratio == NULL)
		err(1, NULL);
	size = (double)st.st_size / MIB;
	for (i = 0; i < rounds; i++) {
		b[i] = size / bare(fd);
		v[i] = size / verify(fd, lines);
		ratio[i] = v[i] / b[i];
	}
	printf("verify_bare %.0f\nverify %.0f\nverify_ratio %.3f\n",
	    median(b, rounds), median(v, rounds), median(ratio, rounds));
	printf("verify_line %.0f\n", (double)st.st_size / (double)lines);
	free(b);
	free(v);
	free(ratio);
	close(fd);
	return 0;
}
