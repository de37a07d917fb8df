/*
 * Random changes to logs.  Each is detected, or what igra-audit says is
 * proven stands there as igra-auditd wrote it.
 *
 * 10,000 of them; 100,000 with LONG=1 in the environment.  SEED repeats a
 * run.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "ialog.h"

/* The sanitizers look for other things than the verdict, and are slow. */
#ifdef IGRA_SANITIZED
#define MUTATIONS	2000U
#define STEP		16
#else
#define MUTATIONS	10000U
#define STEP		1
#endif
#define MUTATIONS_LONG	100000U

enum kind {
	FLIP, DELETE_BYTES, INSERT_BYTES, DELETE_LINE, DUPLICATE_LINE,
	REORDER_LINES, TRUNCATE_FILE, TRUNCATE_LOG, SWAP_FILES, MOVE_FILE,
	DROP_FILE, REPLAY, CLOCK_BACK, RECHAIN, FORGE_SERIES, KIND_MAX
};

static const char *const	 names[KIND_MAX] = {
	"flip", "delete bytes", "insert bytes", "delete line",
	"duplicate line", "reorder lines", "truncate file", "truncate log",
	"swap files", "move file", "drop file", "replay a checkpoint",
	"clock back", "rechain", "new series"
};

struct forger {
	uint8_t	 origin[32], pk[32], sk[64];
};

/* How an auditor may ask. */
enum mode { PLAIN, PUB, ANCHOR, KEPT, SEALED, MODE_MAX };

static struct ialog		 log_;
static struct ialog_line	 line_[IALOG_LINES];
static size_t			 nlines;
static struct ia_opts		 opts[MODE_MAX];
static uint8_t			 pub[1][IA_KEY];
static struct ia_anchor		 anchor;
static struct ia_kept		 kept;
static uint64_t			 sealed[MODE_MAX];	/* of the log itself */
static uint64_t			 state;
static struct ia_verify		 v;

static uint64_t	 rnd(uint64_t);
static void	 make(bool);
static void	 ask(void);
static bool	 same(const struct ialog_line *, size_t);
static bool	 begins(const struct ialog_line *, size_t, size_t);
static const char *unsound(const struct ialog *, enum mode, enum ia_verdict,
		    bool);
static void	 splice(struct ialog_file *, size_t, size_t, const void *,
		    size_t);
static size_t	 resign(char *, size_t, size_t, const char *, const char *,
		    struct forger *);
static size_t	 rewrite(const struct ialog_line *, char *, size_t, size_t,
		    const char *, struct forger *);
static void	 rehash(struct ialog *, size_t, bool);
static void	 bytes(struct ialog_file *, enum kind);
static void	 duplicate(struct ialog *, const struct ialog_line *,
		    const struct ialog_line *);
static void	 reorder(struct ialog *, const struct ialog_line *,
		    const struct ialog_line *);
static bool	 files(struct ialog *, size_t, enum kind);
static void	 forge(struct ialog *, const struct ialog_line *, size_t,
		    enum kind);
static bool	 mutate(struct ialog *, enum kind);
static void	 run(unsigned, unsigned [KIND_MAX][3]);

/* xorshift: the same everywhere. */
static uint64_t
rnd(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % n;
}

/* Four files, eight Checkpoints; with or without lines after the last. */
static void
make(bool tail)
{
	ialog_begin();
	ialog_records(4);
	ialog_checkpoint();
	ialog_records(5);
	ialog_rotate();
	ialog_records(1);
	ialog_checkpoint();
	ialog_checkpoint();
	ialog_records(6);
	ialog_rotate();
	ialog_rotate();
	ialog_records(6);
	ialog_checkpoint();
	ialog_records(3);
	ialog_checkpoint();
	if (tail)
		ialog_records(3);
	ialog_end(&log_);
	nlines = ialog_lines(&log_, line_, IALOG_LINES);
	ask();
}

static void
ask(void)
{
	struct ia_head	 h;
	size_t		 i, seen = 0;
	unsigned	 m;

	memset(opts, 0, sizeof(opts));
	for (i = 0; i < nlines; i++) {
		ck_assert_ptr_null(ia_head_parse(line_[i].p, line_[i].len, &h));
		if (!ia_event_is(&h, "Checkpoint") || ++seen != 3)
			continue;
		ck_assert_ptr_null(ia_checkpoint_parse(line_[i].p,
		    line_[i].len, &h, &kept.cp));
		ia_hash(line_[i].p, line_[i].len, kept.hash);
	}
	memcpy(pub[0], kept.cp.origin, IA_KEY);
	anchor.seq = nlines;
	ia_hash(line_[nlines - 1].p, line_[nlines - 1].len, anchor.head);
	opts[PUB].pub = opts[SEALED].pub = (const uint8_t (*)[IA_KEY])pub;
	opts[PUB].npub = opts[SEALED].npub = 1;
	opts[ANCHOR].anchor = &anchor;
	opts[ANCHOR].nanchor = 1;
	opts[KEPT].kept = &kept;
	opts[SEALED].sealed = true;
	for (m = 0; m < MODE_MAX; m++) {
		(void)ialog_verify(&log_, &opts[m], &v);
		ck_assert_uint_eq(v.faults, 0);
		ck_assert_uint_eq(v.nranges, 1);
		ck_assert_uint_eq(v.range[0].first, 1);
		sealed[m] = v.range[0].last;
	}
}

/* Is it the line that igra-auditd wrote with this seq? */
static bool
same(const struct ialog_line *l, size_t seq)
{
	return seq >= 1 && seq <= nlines && l->len == line_[seq - 1].len &&
	    memcmp(l->p, line_[seq - 1].p, l->len) == 0;
}

/* n lines from this seq on, as written. */
static bool
begins(const struct ialog_line *m, size_t n, size_t seq)
{
	size_t	 i;

	for (i = 0; i < n; i++)
		if (!same(&m[i], seq + i))
			return false;
	return true;
}

/*
 * NULL when all that was claimed is true.  clever: who changed it also made
 * the hashes fit, or cut the log first, so that the last lines may be
 * anything.
 */
static const char *
unsound(const struct ialog *log, enum mode mode, enum ia_verdict verdict,
    bool clever)
{
	static struct ialog_line	 m[IALOG_LINES];
	size_t				 i, j, n, len;
	uint64_t			 first = 1, last = 0;

	n = ialog_lines(log, m, IALOG_LINES);
	/* Each range stands there, line by line, as it was written. */
	for (i = 0; i < v.nranges; i++) {
		first = v.range[i].first;
		last = v.range[i].last;
		len = (size_t)(last - first) + 1;
		for (j = 0; j + len <= n; j++)
			if (begins(m + j, len, (size_t)first))
				break;
		if (j + len > n)
			return "a range that does not stand there is proven";
	}
	if (verdict != IA_INTACT)
		return NULL;
	/* Only who kept a Checkpoint need not have what was before it. */
	if (v.nranges > 1 || (mode != KEPT && first != 1) ||
	    (last > 0 && !begins(m, (size_t)(last - first) + 1,
	    (size_t)first)))
		return "no fault, and the proven lines are not all at the "
		    "beginning";
	if (mode == ANCHOR && last != nlines)
		return "an anchored log that was changed has no fault";
	if (mode == SEALED && last != first + n - 1)
		return "--sealed and lines that nothing proves";
	if (last < sealed[mode] && !clever && !begins(m, n, (size_t)first))
		return "less is proven, and no fault";
	return NULL;
}

/* Puts text in the place of some bytes of a file. */
static void
splice(struct ialog_file *f, size_t at, size_t gone, const void *text,
    size_t len)
{
	char	*p;

	ck_assert_ptr_nonnull(p = malloc(f->len - gone + len + 1));
	memcpy(p, f->p, at);
	memcpy(p + at, text, len);
	memcpy(p + at + len, f->p + at + gone, f->len - at - gone);
	free(f->p);
	f->p = p;
	f->len = f->len - gone + len;
}

/* From here on the line is signed by a series of the forger's own. */
static size_t
resign(char *line, size_t size, size_t seq, const char *head, const char *when,
    struct forger *f)
{
	char	 text[512], origin[65], key[65], next[65], sig[129];
	uint8_t	 s[64], sk[64], *p;
	size_t	 at;

	if ((p = (uint8_t *)strstr(line, "\"origin\"")) == NULL)
		return strlen(line);
	memcpy(sk, f->sk, sizeof(sk));
	sodium_bin2hex(origin, sizeof(origin), f->origin, 32);
	sodium_bin2hex(key, sizeof(key), f->pk, 32);
	crypto_sign_keypair(f->pk, f->sk);
	sodium_bin2hex(next, sizeof(next), f->pk, 32);
	(void)snprintf(text, sizeof(text), "igra-audit-checkpoint-v1\n%s\n%zu"
	    "\n%s\n%.30s\n%s\n", origin, seq - 1, head, when, next);
	crypto_sign_detached(s, NULL, (uint8_t *)text, strlen(text), sk);
	sodium_bin2hex(sig, sizeof(sig), s, sizeof(s));
	at = (size_t)((char *)p - line);
	return at + (size_t)snprintf(line + at, size - at, "\"origin\":\"%s\","
	    "\"key\":\"%s\",\"covered_seq\":%zu,\"head\":\"%s\",\"time\":"
	    "\"%.30s\",\"next_key\":\"%s\",\"signature\":\"%s\"}\n", origin,
	    key, seq - 1, head, when, next, sig);
}

/* The line with another number and prev; its length, 0: it is none. */
static size_t
rewrite(const struct ialog_line *l, char *out, size_t size, size_t seq,
    const char *head, struct forger *f)
{
	struct ia_head	 h;
	const char	*body;
	char		*p;
	size_t		 len;

	body = memmem(l->p, l->len, "\",\"timestamp\"", 13);
	if (body == NULL || ia_head_parse(l->p, l->len, &h) != NULL ||
	    l->len > size - 512)
		return 0;
	len = (size_t)snprintf(out, size, "{\"seq\":%zu,\"prev\":\"%s%.*s", seq,
	    head, (int)(l->len - (size_t)(body - l->p)), body);
	if (!ia_event_is(&h, "Checkpoint"))
		return len;
	if (f != NULL)
		return resign(out, size, seq, head, h.time, f);
	if ((p = strstr(out, "\"head\":\"")) != NULL)
		memcpy(p + 8, head, IA_HEX);
	return len;
}

/*
 * What somebody without the keys can do: numbers and hashes that fit, from
 * line i on; with sign, and signatures with keys of his own.
 */
static void
rehash(struct ialog *log, size_t i, bool sign)
{
	static struct ialog_line	 m[IALOG_LINES];
	struct forger			 f;
	struct ialog_file		*file;
	char				 head[IA_HEX + 1], line[4096];
	size_t				 n, k, len;

	crypto_sign_keypair(f.pk, f.sk);
	memcpy(f.origin, f.pk, sizeof(f.origin));
	memset(head, '0', IA_HEX);
	head[IA_HEX] = '\0';
	n = ialog_lines(log, m, IALOG_LINES);
	for (k = 0; k < n; k++) {
		if (k >= i) {
			len = rewrite(&m[k], line, sizeof(line), k + 1, head,
			    sign ? &f : NULL);
			if (len == 0)
				return;
			file = &log->f[m[k].file];
			splice(file, (size_t)(m[k].p - file->p), m[k].len,
			    line, len);
			/* They have moved. */
			(void)ialog_lines(log, m, IALOG_LINES);
		}
		ia_hash(m[k].p, m[k].len, head);
	}
}

static void
bytes(struct ialog_file *f, enum kind kind)
{
	size_t	 i, at = (size_t)rnd(f->len), len = (size_t)rnd(20) + 1;
	char	 text[20];

	if (kind == FLIP)
		f->p[at] = (char)(f->p[at] ^ (1 << rnd(8)));
	else if (kind == DELETE_BYTES)
		splice(f, at, len < f->len - at ? len : f->len - at, "", 0);
	else {
		for (i = 0; i < len; i++)
			text[i] = (char)rnd(256);
		splice(f, at, 0, text, len);
	}
}

/* a once more, after b. */
static void
duplicate(struct ialog *log, const struct ialog_line *a,
    const struct ialog_line *b)
{
	struct ialog_file	*f = &log->f[b->file];
	char			 text[4096];
	size_t			 len = a->len;

	ck_assert_uint_lt(len, sizeof(text));
	memcpy(text, a->p, len);
	splice(f, (size_t)(b->p - f->p) + b->len, 0, text, len);
}

/* a comes before b. */
static void
reorder(struct ialog *log, const struct ialog_line *a,
    const struct ialog_line *b)
{
	struct ialog_file	*f = &log->f[b->file];
	char			 first[4096], second[4096];
	size_t			 at = (size_t)(a->p - log->f[a->file].p);

	ck_assert_uint_lt(a->len, sizeof(first));
	ck_assert_uint_lt(b->len, sizeof(second));
	memcpy(first, a->p, a->len);
	memcpy(second, b->p, b->len);
	splice(f, (size_t)(b->p - f->p), b->len, first, a->len);
	splice(&log->f[a->file], at, a->len, second, b->len);
}

static bool
files(struct ialog *log, size_t i, enum kind kind)
{
	struct ialog_file	*f = &log->f[i], *g, swap;

	g = &log->f[rnd(log->n)];
	swap = *f;
	if (kind == DROP_FILE) {
		free(f->p);
		log->n--;
		memmove(f, f + 1, (log->n - i) * sizeof(*f));
		return true;
	}
	if (kind == TRUNCATE_FILE || kind == TRUNCATE_LOG) {
		f->len = (size_t)rnd(f->len);
		while (kind == TRUNCATE_LOG && log->n > i + 1)
			free(log->f[--log->n].p);
		return true;
	}
	if (f == g)
		return false;
	*f = *g;
	*g = swap;
	if (kind == SWAP_FILES) {
		/* The names stay where they were. */
		memcpy(g->name, f->name, sizeof(g->name));
		memcpy(f->name, swap.name, sizeof(f->name));
	}
	return true;
}

/* Line number i is changed or taken out, and the rest made to fit. */
static void
forge(struct ialog *log, const struct ialog_line *l, size_t i, enum kind kind)
{
	struct ialog_file	*f = &log->f[l->file];
	size_t			 at = (size_t)(l->p - f->p);
	char			*p;

	p = memmem(f->p + at, l->len, "\"timestamp\":\"", 13);
	if (p == NULL)
		return;
	if (kind == CLOCK_BACK)
		memcpy(p + 13, "1999", 4);
	else if (rnd(2) == 0)
		splice(f, at, l->len, "", 0);
	else
		p[14] = '9';
	if (kind != CLOCK_BACK || rnd(2) == 0)
		rehash(log, i, kind == FORGE_SERIES);
}

/* False: nothing was done. */
static bool
mutate(struct ialog *log, enum kind kind)
{
	static struct ialog_line	 m[IALOG_LINES];
	struct ialog_file		*f;
	struct ialog_line		*a, *b;
	size_t				 n, i;

	n = ialog_lines(log, m, IALOG_LINES);
	if (n < 3)
		return false;
	i = (size_t)rnd(log->n);
	f = &log->f[i];
	a = &m[rnd(n)];
	b = &m[rnd(n)];
	if (f->len == 0)
		return false;
	switch (kind) {
	case FLIP:
	case DELETE_BYTES:
	case INSERT_BYTES:
		bytes(f, kind);
		return true;
	case DELETE_LINE:
		f = &log->f[a->file];
		splice(f, (size_t)(a->p - f->p), a->len, "", 0);
		return true;
	case REPLAY:
		if (memmem(a->p, a->len, "\"Checkpoint\"", 12) == NULL)
			return false;
		duplicate(log, a, b);
		return true;
	case DUPLICATE_LINE:
		duplicate(log, a, b);
		return true;
	case REORDER_LINES:
		if (a != b)
			reorder(log, a < b ? a : b, a < b ? b : a);
		return a != b;
	case TRUNCATE_FILE:
	case TRUNCATE_LOG:
	case SWAP_FILES:
	case MOVE_FILE:
	case DROP_FILE:
		return files(log, i, kind);
	case CLOCK_BACK:
	case RECHAIN:
	case FORGE_SERIES:
		forge(log, a, (size_t)(a - m), kind);
		return true;
	case KIND_MAX:
		break;
	}
	return false;
}

static void
run(unsigned n, unsigned told[KIND_MAX][3])
{
	struct ialog		 log;
	enum ia_verdict		 verdict;
	const char		*wrong;
	unsigned		 i, kind, mode;
	uint64_t		 seed;
	bool			 done, clever;

	for (i = 0; i < n; i++) {
		seed = state;
		kind = (unsigned)rnd(KIND_MAX);
		ialog_copy(&log, &log_);
		clever = kind >= CLOCK_BACK;
		done = mutate(&log, kind);
		/* Sometimes another: cut off, then change what is last. */
		if (done && rnd(8) == 0) {
			(void)mutate(&log, (unsigned)rnd(CLOCK_BACK));
			clever = true;
		}
		for (mode = 0; done && mode < MODE_MAX; mode++) {
			if (mode != PUB && mode != ANCHOR && rnd(4) != 0)
				continue;
			verdict = ialog_verify(&log, &opts[mode], &v);
			/* Without a key elsewhere a whole new log is one. */
			if (mode == PLAIN && kind == FORGE_SERIES)
				continue;
			wrong = unsound(&log, mode, verdict, clever);
			if (wrong != NULL)
				ck_abort_msg("%s: %s (mode %u, verdict %d, "
				    "SEED=%" PRIu64 "): %s", names[kind],
				    wrong, mode, (int)verdict, seed, v.fault);
			if (mode == PUB)
				told[kind][verdict == IA_TAMPERED ? 0 :
				    verdict == IA_UNPROVEN ? 1 : 2]++;
		}
		ialog_free(&log);
	}
}

START_TEST(random_mutations)
{
	unsigned	 told[KIND_MAX][3], kind, n;
	const char	*seed = getenv("SEED");
	bool		 tail = _i == 1;

	memset(told, 0, sizeof(told));
	n = (getenv("LONG") != NULL ? MUTATIONS_LONG : MUTATIONS) / 2U;
	make(tail);
	state = seed != NULL ? strtoull(seed, NULL, 10) :
	    ((uint64_t)time(NULL) << 20) | 1;
	if (seed != NULL)
		n = 1;
	run(n, told);
	printf("%-20s %9s %9s %9s\n", tail ? "with a tail" : "sealed",
	    "tampered", "unproven", "no fault");
	for (kind = 0; kind < KIND_MAX; kind++) {
		printf("%-20s %9u %9u %9u\n", names[kind], told[kind][0],
		    told[kind][1], told[kind][2]);
		/* A kind of mutation that is never caught proves no test. */
		if (seed == NULL && kind != TRUNCATE_LOG)
			ck_assert_uint_gt(told[kind][0] + told[kind][1], 0);
	}
	ialog_free(&log_);
}
END_TEST

/* Cut anywhere: no fault is found, but an anchor misses what is gone. */
START_TEST(every_truncation)
{
	struct ialog	 log;
	enum ia_verdict	 verdict;
	const char	*wrong;
	size_t		 i, len;

	make(true);
	for (i = 0; i < log_.n; i++)
		for (len = 0; len < log_.f[i].len; len += STEP) {
			log = log_;
			log.n = i + 1;
			log.f[i].len = len;
			if (i == 0 && len == 0)
				continue;
			verdict = ialog_verify(&log, &opts[PUB], &v);
			/* An empty file has a name that promises lines. */
			if (len > 0 || i + 1 == log_.n)
				ck_assert_uint_eq(v.faults, 0);
			wrong = unsound(&log, PUB, verdict, false);
			ck_assert_msg(wrong == NULL, "%zu %zu: %s", i, len,
			    wrong);
			if (len % 32 != 0 && len + 2 < log_.f[i].len)
				continue;
			verdict = ialog_verify(&log, &opts[ANCHOR], &v);
			ck_assert_int_ne(verdict, IA_INTACT);
		}
	ialog_free(&log_);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("mutate");
	TCase	*t = tcase_create("mutate");
	SRunner	*r;
	int	 failed;

	if (sodium_init() == -1)
		return 1;
	tcase_set_timeout(t, 540);
	tcase_add_loop_test(t, random_mutations, 0, 2);
	tcase_add_test(t, every_truncation);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
