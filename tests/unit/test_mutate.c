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
static void	 rehash(struct ialog *, size_t, bool);
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

/*
 * What somebody without the keys can do: numbers and hashes that fit from
 * line number i on, and in Checkpoints as well; resign: with keys of his own.
 */
static void
rehash(struct ialog *log, size_t i, bool resign)
{
	static struct ialog_line	 m[IALOG_LINES];
	uint8_t				 pk[2][32], sk[2][64], sig[64];
	char				 head[IA_HEX + 1], hex[129], text[512];
	char				 new_[4096], origin[65], next[65];
	size_t				 n, k, len, old;
	struct ia_head			 h;
	char				*p, *body;
	unsigned			 cur = 0;

	crypto_sign_keypair(pk[0], sk[0]);
	sodium_bin2hex(origin, sizeof(origin), pk[0], 32);
	n = ialog_lines(log, m, IALOG_LINES);
	memset(head, '0', IA_HEX);
	head[IA_HEX] = '\0';
	for (k = 0; k < n; k++) {
		/* Lines move as they are rewritten. */
		(void)ialog_lines(log, m, IALOG_LINES);
		if (k >= i) {
			body = memmem(m[k].p, m[k].len, "\",\"timestamp\"", 13);
			if (body == NULL || ia_head_parse(m[k].p, m[k].len,
			    &h) != NULL || m[k].len > sizeof(new_) - 512)
				return;
			old = m[k].len;
			len = (size_t)snprintf(new_, sizeof(new_),
			    "{\"seq\":%zu,\"prev\":\"%s%.*s", k + 1, head,
			    (int)(m[k].len - (size_t)(body - m[k].p)), body);
			if (ia_event_is(&h, "Checkpoint") &&
			    (p = strstr(new_, "\"origin\"")) != NULL) {
				crypto_sign_keypair(pk[1 - cur], sk[1 - cur]);
				sodium_bin2hex(next, sizeof(next), pk[1 - cur],
				    32);
				snprintf(text, sizeof(text),
				    "igra-audit-checkpoint-v1\n%s\n%zu\n%s\n"
				    "%.30s\n%s\n", origin, k, head, h.time,
				    next);
				crypto_sign_detached(sig, NULL,
				    (uint8_t *)text, strlen(text), sk[cur]);
				if (resign) {
					snprintf(p, sizeof(new_) -
					    (size_t)(p - new_), "\"origin\":"
					    "\"%s\",\"key\":\"%s\","
					    "\"covered_seq\":%zu,\"head\":"
					    "\"%s\",\"time\":\"%.30s\","
					    "\"next_key\":\"%s\","
					    "\"signature\":\"%s\"}\n", origin,
					    sodium_bin2hex(hex, 65, pk[cur],
					    32), k, head, h.time, next,
					    "");
					len = (size_t)(p - new_) + strlen(p);
					sodium_bin2hex(hex, 129, sig, 64);
					len -= 3;	/* "}\n */
					len += (size_t)snprintf(new_ + len,
					    sizeof(new_) - len, "%s\"}\n",
					    hex);
					cur = 1 - cur;
				} else if ((p = strstr(new_, "\"head\":\"")) !=
				    NULL)
					memcpy(p + 8, head, IA_HEX);
			}
			splice(&log->f[m[k].file], (size_t)(m[k].p -
			    log->f[m[k].file].p), old, new_, len);
			(void)ialog_lines(log, m, IALOG_LINES);
		}
		ia_hash(m[k].p, m[k].len, head);
	}
}

/* False: nothing was to be done. */
static bool
mutate(struct ialog *log, enum kind kind)
{
	static struct ialog_line	 m[IALOG_LINES];
	struct ialog_file		*f, swap;
	struct ialog_line		*a, *b, tmp;
	char				 text[8192];
	size_t				 n, i, at, len;

	n = ialog_lines(log, m, IALOG_LINES);
	if (n < 3)
		return false;
	f = &log->f[rnd(log->n)];
	a = &m[rnd(n)];
	b = &m[rnd(n)];
	if (f->len == 0)
		return false;
	at = (size_t)rnd(f->len);
	len = (size_t)rnd(20) + 1;
	switch (kind) {
	case FLIP:
		f->p[at] = (char)(f->p[at] ^ (1 << rnd(8)));
		return true;
	case DELETE_BYTES:
		splice(f, at, len < f->len - at ? len : f->len - at, "", 0);
		return true;
	case INSERT_BYTES:
		for (i = 0; i < len; i++)
			text[i] = (char)rnd(256);
		splice(f, at, 0, text, len);
		return true;
	case DELETE_LINE:
		f = &log->f[a->file];
		splice(f, (size_t)(a->p - f->p), a->len, "", 0);
		return true;
	case DUPLICATE_LINE:
	case REPLAY:
		if (kind == REPLAY && memmem(a->p, a->len, "\"Checkpoint\"",
		    12) == NULL)
			return false;
		len = a->len;
		memcpy(text, a->p, len);
		f = &log->f[b->file];
		splice(f, (size_t)(b->p - f->p) + b->len, 0, text, len);
		return true;
	case REORDER_LINES:
		if (a == b)
			return false;
		if (a > b) {
			tmp = *a;
			*a = *b;
			*b = tmp;
		}
		len = a->len;
		memcpy(text, a->p, len);
		memcpy(text + len, b->p, b->len);
		at = (size_t)(a->p - log->f[a->file].p);
		f = &log->f[b->file];
		splice(f, (size_t)(b->p - f->p), b->len, text, len);
		splice(&log->f[a->file], at, len, text + len, b->len);
		return true;
	case TRUNCATE_FILE:
		f->len = at;
		return true;
	case TRUNCATE_LOG:
		i = (size_t)(f - log->f);
		f->len = at;
		while (log->n > i + 1)
			free(log->f[--log->n].p);
		return true;
	case SWAP_FILES:
		i = (size_t)rnd(log->n);
		swap = *f;
		f->p = log->f[i].p;
		f->len = log->f[i].len;
		log->f[i].p = swap.p;
		log->f[i].len = swap.len;
		return f != &log->f[i];
	case MOVE_FILE:
		i = (size_t)rnd(log->n);
		swap = *f;
		*f = log->f[i];
		log->f[i] = swap;
		return f != &log->f[i];
	case DROP_FILE:
		free(f->p);
		log->n--;
		memmove(f, f + 1, (size_t)(log->f + log->n - f) * sizeof(*f));
		return true;
	case CLOCK_BACK:
	case RECHAIN:
	case FORGE_SERIES:
		f = &log->f[a->file];
		at = (size_t)(memmem(a->p, a->len, "\"timestamp\":\"", 13) ==
		    NULL ? f->p : (char *)memmem(a->p, a->len,
		    "\"timestamp\":\"", 13)) - (size_t)f->p;
		if (kind == CLOCK_BACK)
			memcpy(f->p + at + 13, "1999", 4);
		else if (rnd(2) == 0 && n > 4)
			splice(f, (size_t)(a->p - f->p), a->len, "", 0);
		else
			f->p[at + 14] = '9';
		if (kind != CLOCK_BACK || rnd(2) == 0)
			rehash(log, (size_t)(a - m), kind == FORGE_SERIES);
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
