/*
 * igra-audit verify.  Input: options, then a log that anybody may have
 * written; or an edit of a genuine one, as somebody would make it who has the
 * log but not the key: bytes taken out and put in, the hashes made to fit
 * again.  Nothing that was changed may come out as proven.
 */
#include <sys/mman.h>

#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "auditd/checkpoint.h"
#include "auditd/ia_verify.h"

#include "fuzz.h"

#define OPT_EDIT	0x01	/* the input is an edit */
#define OPT_CHAIN	0x02	/* its hashes are made right */
#define OPT_PUB		0x04	/* the auditor knows the first key */
#define OPT_SEALED	0x08
#define OPT_TWO		0x10	/* two files, cut where the input says */

#define LINES		13
#define MAX_LOG		(128 * 1024)
#define HEAD_KEY	",\"head\":\""

struct text {
	char	 p[MAX_LOG];
	size_t	 len;
};

static struct text	 genuine;
static size_t		 line_at[LINES + 1];	/* of seq i + 1 */
static uint8_t		 first_key[1][IA_KEY];
static int		 fd = -1;

static void	add_line(const struct audit_record *, struct chain *);
static void	add_checkpoint(struct chain *, unsigned);
static void	setup(void);
static void	edit(struct text *, const uint8_t *, size_t);
static void	make_right(struct text *);
static enum ia_verdict verify(const struct text *, unsigned, size_t,
		    struct ia_verify *);
static void	check_proven(const struct text *, const struct ia_verify *);
static bool	all_parse(const struct text *);
static void	check_scan(const struct text *, const struct ia_verify *);

static const struct line_clock	 clock_then = { { 1700000000, 5 }, 0 };

static void
add_line(const struct audit_record *r, struct chain *c)
{
	struct json_out	 o;
	const char	*text;
	size_t		 len;

	CHECK((text = line_format(&o, r, c, &clock_then, &len)) != NULL);
	CHECK(len + 1 < MAX_LOG - genuine.len && c->seq < LINES);
	line_at[c->seq] = genuine.len;
	memcpy(genuine.p + genuine.len, text, len);
	genuine.p[genuine.len + len] = '\n';
	chain_add(c, 0, 0, genuine.p + genuine.len, len + 1);
	genuine.len += len + 1;
	line_at[c->seq] = genuine.len;
	json_out_free(&o);
}

/* As seal.c has it, with keys that are always the same. */
static void
add_checkpoint(struct chain *c, unsigned n)
{
	struct audit_record	 r;
	uint8_t			 seed[32], key[3][IA_KEY], secret[3][64];
	uint8_t			 sig[64], head[CHAIN_HASH];
	char			 msg[CHECKPOINT_MESSAGE_MAX], time[LINE_TIME];
	size_t			 i, len;

	for (i = 0; i < 3; i++) {
		memset(seed, (int)(i == 0 ? 1 : n + i), sizeof(seed));
		(void)crypto_sign_seed_keypair(key[i], secret[i], seed);
	}
	memcpy(first_key[0], key[0], IA_KEY);
	line_timestamp(time, &clock_then.real);
	len = checkpoint_message(msg, key[0], c, time, key[2]);
	(void)crypto_sign_detached(sig, NULL, (uint8_t *)msg, len, secret[1]);
	memcpy(head, c->head, sizeof(head));
	audit_record_init(&r, EV_CHECKPOINT, SRC_AUDITD, true);
	audit_set_bytes(&r, FIELD_ORIGIN, key[0], IA_KEY);
	audit_set_bytes(&r, FIELD_KEY, key[1], IA_KEY);
	audit_set_u64(&r, FIELD_COVERED_SEQ, c->seq);
	audit_set_bytes(&r, FIELD_HEAD, head, sizeof(head));
	audit_set_str(&r, FIELD_TIME, time);
	audit_set_bytes(&r, FIELD_NEXT_KEY, key[2], IA_KEY);
	audit_set_bytes(&r, FIELD_SIGNATURE, sig, sizeof(sig));
	add_line(&r, c);
}

static void
setup(void)
{
	struct audit_record	 r;
	struct chain		 c = { 0 };
	unsigned		 i;

	if (fd != -1)
		return;
	CHECK(sodium_init() != -1);
	CHECK((fd = memfd_create("log", 0)) != -1);
	for (i = 0; c.seq < LINES; i++) {
		audit_record_init(&r, EV_LOCK, SRC_KEYD, true);
		audit_set_u64(&r, FIELD_KSEQ, i + 1);
		audit_set_str(&r, FIELD_REASON, "fuzz");
		add_line(&r, &c);
		if (i % 3 == 2 && c.seq < LINES)
			add_checkpoint(&c, i / 3);
	}
}

/* Edits: where (u16), how many bytes to take out, how many to put in; these. */
static void
edit(struct text *t, const uint8_t *p, size_t len)
{
	size_t	 at, out, in;

	while (len >= 4) {
		at = (size_t)(p[0] | p[1] << 8) % (t->len + 1);
		out = p[2] < t->len - at ? p[2] : t->len - at;
		in = p[3] < len - 4 ? p[3] : len - 4;
		if (in > MAX_LOG - t->len)
			return;
		memmove(t->p + at + in, t->p + at + out, t->len - at - out);
		memcpy(t->p + at, p + 4, in);
		t->len = t->len - out + in;
		p += 4 + in;
		len -= 4 + in;
	}
}

/* Each prev, and each head, becomes the hash of the line before. */
static void
make_right(struct text *t)
{
	struct ia_head	 h;
	char		*line = t->p, *nl, *head;
	char		 hash[IA_HEX];
	size_t		 len, left = t->len;
	bool		 first = true;

	while ((nl = memchr(line, '\n', left)) != NULL) {
		len = (size_t)(nl - line) + 1;
		if (!first && ia_head_parse(line, len, &h) == NULL) {
			memcpy(line + (h.prev - line), hash, IA_HEX);
			head = memmem(line, len, HEAD_KEY, strlen(HEAD_KEY));
			if (head != NULL && nl - head > 2 * IA_HEX)
				memcpy(head + strlen(HEAD_KEY), hash, IA_HEX);
		}
		ia_hash(line, len, hash);
		first = false;
		line += len;
		left -= len;
	}
}

static enum ia_verdict
verify(const struct text *t, unsigned opt, size_t cut, struct ia_verify *v)
{
	struct ia_reader	 r;
	struct ia_opts		 o;
	struct ia_line		 l;
	size_t			 i, n = opt & OPT_TWO ? 2 : 1;
	size_t			 at[3] = { 0, t->len, t->len };

	memset(&o, 0, sizeof(o));
	o.pub = (const uint8_t (*)[IA_KEY])first_key;
	o.npub = opt & OPT_PUB ? 1 : 0;
	o.sealed = (opt & OPT_SEALED) != 0;
	if (n == 2)
		at[1] = cut % (t->len + 1);
	ia_verify_init(v, &o);
	CHECK(ia_reader_init(&r) == 0);
	for (i = 0; i < n; i++) {
		CHECK(ftruncate(fd, 0) == 0);
		CHECK(pwrite(fd, t->p + at[i], at[i + 1] - at[i], 0) ==
		    (ssize_t)(at[i + 1] - at[i]));
		CHECK(lseek(fd, 0, SEEK_SET) == 0);
		ia_verify_begin(v, i == 0 ? "one" : "two", 0);
		ia_reader_start(&r, fd);
		while (ia_reader_next(&r, &l) == 1)
			ia_verify_line(v, &l);
		ia_verify_end(v, i == n - 1);
	}
	ia_reader_free(&r);
	return ia_verify_finish(v);
}

/*
 * The log has no fault, so its numbers count up: every line in a proven range
 * is the genuine one.
 */
static void
check_proven(const struct text *t, const struct ia_verify *v)
{
	const char	*line = t->p, *nl;
	size_t		 len, left = t->len;
	uint64_t	 i, seq = v->first_seq;

	for (; (nl = memchr(line, '\n', left)) != NULL; seq++) {
		len = (size_t)(nl - line) + 1;
		for (i = 0; i < v->nranges && i < IA_RANGES; i++) {
			if (seq < v->range[i].first || seq > v->range[i].last)
				continue;
			CHECK(seq >= 1 && seq <= LINES);
			CHECK(len == line_at[seq] - line_at[seq - 1]);
			CHECK(memcmp(line, genuine.p + line_at[seq - 1],
			    len) == 0);
		}
		line += len;
		left -= len;
	}
}

/* igra-audit does not look at kseq, auditd does. */
static bool
all_parse(const struct text *t)
{
	struct chain_line	 cl;
	const char		*line = t->p, *nl;
	size_t			 len, left = t->len;

	for (; (nl = memchr(line, '\n', left)) != NULL;
	    line += len, left -= len) {
		len = (size_t)(nl - line) + 1;
		if (chain_parse(line, len, &cl) == -1)
			return false;
	}
	return true;
}

/* Where igra-audit finds no fault, auditd finds none at its start. */
static void
check_scan(const struct text *t, const struct ia_verify *v)
{
	struct chain_scan	 s;

	CHECK(ftruncate(fd, 0) == 0);
	CHECK(pwrite(fd, t->p, t->len, 0) == (ssize_t)t->len);
	CHECK(chain_scan(fd, &s) == 0);
	CHECK(!s.foreign && s.breaks == 0);
	CHECK(s.lines == v->lines && s.torn == (off_t)v->torn);
	if (v->lines != 0)
		CHECK(s.chain.seq == v->last_seq && s.first_seq ==
		    v->first_seq);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct text	 t;
	static struct ia_verify	 v;
	enum ia_verdict		 verdict;
	bool			 same;

	if (size < 3 || size > MAX_LOG)
		return 0;
	setup();
	t = genuine;
	if (data[0] & OPT_EDIT)
		edit(&t, data + 3, size - 3);
	else {
		memcpy(t.p, data + 3, size - 3);
		t.len = size - 3;
	}
	if (data[0] & OPT_CHAIN)
		make_right(&t);
	same = t.len == genuine.len && memcmp(t.p, genuine.p, t.len) == 0;
	verdict = verify(&t, data[0], (size_t)(data[1] | data[2] << 8), &v);
	CHECK((verdict == IA_TAMPERED) == (v.faults != 0));
	CHECK((v.fault[0] != '\0') == (v.faults != 0));
	if (data[0] & OPT_TWO) {
		if (v.faults == 0 && (data[0] & OPT_PUB))
			check_proven(&t, &v);
		return 0;
	}
	/* The last line is proven by nothing. */
	if (same)
		CHECK(verdict == (data[0] & OPT_SEALED ? IA_UNPROVEN :
		    IA_INTACT) && v.nranges == 1 &&
		    v.range[0].first == 1 && v.range[0].last == LINES - 1);
	if (v.faults == 0) {
		if (all_parse(&t))
			check_scan(&t, &v);
		if (data[0] & OPT_PUB)
			check_proven(&t, &v);
	}
	return 0;
}
