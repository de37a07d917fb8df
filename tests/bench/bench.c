/*
 * What bounds a signature, measured in this process: the curve, the disk, the
 * hashes, Argon2.  tests/bench/run.sh sets the daemons against these figures.
 *
 *   bench [-s] DIR
 *
 * One round; with -s only what bounds a signature.  Prints "name microseconds"
 * lines, each the median over its repetitions.  DIR is where the file is made
 * that is appended to and synced: it must be on the file system of the audit
 * log.
 */
#include <sys/types.h>

#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "kaspa.h"
#include "keyd/curve.h"
#include "keyd/isec.h"
#include "keyd/kdf.h"
#include "measure.h"

#define SIGN_LOOPS	2000
#define SYNC_LOOPS	500
#define RECORD_LEN	1300	/* SecretAccess and Signing of one input */
#define ISEC_VALUES	16	/* of ISEC_VALUE_MAX bytes: 1 MiB */

struct bench_tx {
	struct tx	 tx;
	uint8_t		 script[P2SH_SCRIPT_LEN];
	uint8_t		 destination[P2PK_SCRIPT_LEN];
};

static void	 report(const char *, double *, size_t);
static double	*samples(size_t);
static void	 bench_curve(void);
static void	 bench_sync(const char *);
static void	 tx_make(struct bench_tx *, size_t);
static void	 bench_sighash(size_t);
static void	 bench_isec(void);
static void	 bench_argon2(void);

int
main(int argc, char **argv)
{
	static const size_t	 inputs[] = { 10, 100, 1000 };
	size_t			 i;
	bool			 bounds_only = false;

	if (argc == 3 && strcmp(argv[1], "-s") == 0)
		bounds_only = true;
	else if (argc != 2) {
		fprintf(stderr, "usage: bench [-s] directory\n");
		return 2;
	}
	if (curve_init() == -1)
		errx(1, "cannot initialise libsodium or libsecp256k1");
	bench_curve();
	bench_sync(argv[argc - 1]);
	if (bounds_only)
		return 0;
	for (i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
		bench_sighash(inputs[i]);
	bench_isec();
	bench_argon2();
	curve_free();
	return 0;
}

static double *
samples(size_t n)
{
	double	*v;

	if ((v = calloc(n, sizeof(*v))) == NULL)
		err(1, NULL);
	return v;
}

/* Prints the median and frees. */
static void
report(const char *name, double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	printf("%s %.3f\n", name, v[n / 2]);
	free(v);
}

/* Signing as keyd does it, with fresh auxiliary randomness. */
static void
bench_curve(void)
{
	secp256k1_keypair	 pair;
	uint8_t			 key[32], msg[32], sig[CURVE_SIG_LEN];
	double			*sign = samples(SIGN_LOOPS);
	double			*both = samples(SIGN_LOOPS), start;
	size_t			 i;

	do
		randombytes_buf(key, sizeof(key));
	while (curve_keypair(key, &pair, NULL) == -1);
	for (i = 0; i < SIGN_LOOPS; i++) {
		randombytes_buf(msg, sizeof(msg));
		start = now_us();
		if (curve_sign(&pair, msg, sig) == -1)
			errx(1, "cannot sign");
		sign[i] = now_us() - start;
		if (!curve_verify_own(&pair, msg, sig))
			errx(1, "the signature does not verify");
		both[i] = now_us() - start;
	}
	report("sign", sign, SIGN_LOOPS);
	report("sign_verify", both, SIGN_LOOPS);
}

/* What auditd's writer does for a group of one. */
static void
bench_sync(const char *dir)
{
	char	 path[PATH_MAX], record[RECORD_LEN];
	double	*v = samples(SYNC_LOOPS), start;
	size_t	 i;
	int	 fd, n;

	n = snprintf(path, sizeof(path), "%s/bench.XXXXXXXX", dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		errx(1, "%s: too long", dir);
	if ((fd = mkstemp(path)) == -1 ||
	    fcntl(fd, F_SETFL, O_APPEND) == -1)
		err(1, "%s", path);
	(void)unlink(path);
	memset(record, 'x', sizeof(record));
	for (i = 0; i < SYNC_LOOPS; i++) {
		start = now_us();
		if (write(fd, record, sizeof(record)) != sizeof(record) ||
		    fdatasync(fd) == -1)
			err(1, "%s: append", dir);
		v[i] = now_us() - start;
	}
	close(fd);
	report("append_sync", v, SYNC_LOOPS);
}

static void
tx_make(struct bench_tx *b, size_t n)
{
	uint8_t	 filler[32];
	size_t	 i;

	memset(b, 0, sizeof(*b));
	memset(filler, 7, sizeof(filler));
	script_p2sh(filler, sizeof(filler), b->script);
	script_p2pk(filler, b->destination);
	b->tx.nin = n;
	b->tx.nout = 2;
	b->tx.in = calloc(n, sizeof(*b->tx.in));
	b->tx.out = calloc(b->tx.nout, sizeof(*b->tx.out));
	if (b->tx.in == NULL || b->tx.out == NULL)
		err(1, NULL);
	for (i = 0; i < n; i++) {
		randombytes_buf(b->tx.in[i].outpoint.txid, TX_ID_LEN);
		b->tx.in[i].sig_op_count = 2;
		b->tx.in[i].sighash_type = SIGHASH_ALL;
		b->tx.in[i].has_utxo = true;
		b->tx.in[i].amount = 100000000;
		b->tx.in[i].spk.script.p = b->script;
		b->tx.in[i].spk.script.len = sizeof(b->script);
	}
	for (i = 0; i < b->tx.nout; i++) {
		b->tx.out[i].value = 100000000;
		b->tx.out[i].spk.script.p = b->destination;
		b->tx.out[i].spk.script.len = sizeof(b->destination);
	}
}

/* All sighashes of a transaction, with what they share computed once. */
static void
bench_sighash(size_t n)
{
	struct sighash_cache	 cache;
	struct bench_tx		 b;
	size_t			 loops = 20000 / n, i, j;
	double			*v = samples(loops), start;
	uint8_t			 hash[32];
	char			 name[32];

	tx_make(&b, n);
	for (i = 0; i < loops; i++) {
		start = now_us();
		sighash_cache_init(&cache);
		for (j = 0; j < n; j++)
			if (sighash_schnorr(&b.tx, j, SIGHASH_ALL, &cache,
			    hash) == -1)
				errx(1, "no sighash");
		v[i] = now_us() - start;
	}
	free(b.tx.in);
	free(b.tx.out);
	(void)snprintf(name, sizeof(name), "sighash_%zu", n);
	report(name, v, loops);
}

/* One pass over a secrets file of 1 MiB: what a key costs after its TTL. */
static void
bench_isec(void)
{
	static uint8_t		 value[ISEC_VALUE_MAX];
	struct isec_header	 h;
	struct isec_plain	 p = { 0 };
	const char		*errstr = "no memory";
	uint8_t			 key[ISEC_KEY_LEN], *file, *plain = NULL;
	size_t			 len, plainlen, i, loops = 40;
	double			*v = samples(loops), start;
	char			 name[32];

	randombytes_buf(key, sizeof(key));
	if (isec_plain_init(&p) == -1 || isec_header_init(&h, 8192, 1, 1,
	    &errstr) == -1)
		errx(1, "isec: %s", errstr);
	for (i = 0; i < ISEC_VALUES; i++) {
		(void)snprintf(name, sizeof(name), "bench.value-%zu", i);
		if (isec_put(&p, name, value, sizeof(value), &errstr) == -1)
			errx(1, "isec: %s", errstr);
	}
	isec_new_salt(&h);
	if (isec_seal(&h, key, &p, &file, &len, &errstr) == -1 ||
	    (plain = malloc(len)) == NULL)
		errx(1, "isec: %s", errstr);
	for (i = 0; i < loops; i++) {
		start = now_us();
		if (isec_open(file, len, key, plain, len, &plainlen,
		    &errstr) == -1 || isec_check(plain, plainlen,
		    &errstr) == -1)
			errx(1, "isec: %s", errstr);
		v[i] = now_us() - start;
	}
	isec_plain_free(&p);
	free(plain);
	free(file);
	report("isec_open_1mib", v, loops);
}

static void
bench_argon2(void)
{
	static const uint8_t	 pass[] = "correct horse battery staple";
	const char		*errstr;
	uint8_t			 salt[32], key[32];
	double			*v = samples(3), start;
	size_t			 i;

	randombytes_buf(salt, sizeof(salt));
	for (i = 0; i < 3; i++) {
		start = now_us();
		if (kdf_argon2id(pass, sizeof(pass) - 1, salt, sizeof(salt),
		    ISEC_DEFAULT_M, ISEC_DEFAULT_T, ISEC_DEFAULT_P, key,
		    &errstr) == -1)
			errx(1, "argon2: %s", errstr);
		v[i] = now_us() - start;
	}
	report("argon2", v, 3);
}
