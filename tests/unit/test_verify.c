/* What igra-audit verify says of logs, whole and otherwise. */
#include <sys/stat.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "common/json.h"
#include "proto/record.h"

#include "auditd/ia_filter.h"
#include "auditd/ia_hist.h"
#include "auditd/ia_text.h"

#include "ialog.h"

static struct ialog		 log_;
static struct ialog_line	 line_[IALOG_LINES];
static size_t			 nlines;
static struct ia_verify		 v;
static struct ia_opts		 none;

static void	 make(void);
static void	 index_lines(void);
static enum ia_verdict verify(const struct ia_opts *);
static void	 anchor_at(struct ia_anchor *, size_t);
static void	 keep(struct ia_kept *, size_t);
static size_t	 nth_checkpoint(size_t);
static char	*at_line(size_t);
static void	 put_lines(const char *);
static void	 read_all(const char *, size_t, const char *);

/* Lines 1-5 6-9 | 10-12 13 | 14-16; Checkpoints 4, 9, 13, 16. */
static void
make(void)
{
	ialog_begin();
	ialog_records(3);
	ialog_checkpoint();
	ialog_records(4);
	ialog_rotate();
	ialog_records(2);
	ialog_rotate();
	ialog_records(1);
	ialog_checkpoint();
	ialog_end(&log_);
	index_lines();
	ck_assert_uint_eq(nlines, 16);
}

static void
index_lines(void)
{
	nlines = ialog_lines(&log_, line_, IALOG_LINES);
}

static enum ia_verdict
verify(const struct ia_opts *o)
{
	return ialog_verify(&log_, o, &v);
}

static void
anchor_at(struct ia_anchor *a, size_t seq)
{
	a->seq = seq;
	ia_hash(line_[seq - 1].p, line_[seq - 1].len, a->head);
}

static void
keep(struct ia_kept *k, size_t seq)
{
	struct ia_head	 h;

	ck_assert_ptr_null(ia_head_parse(line_[seq - 1].p, line_[seq - 1].len,
	    &h));
	ck_assert_ptr_null(ia_checkpoint_parse(line_[seq - 1].p,
	    line_[seq - 1].len, &h, &k->cp));
	ia_hash(line_[seq - 1].p, line_[seq - 1].len, k->hash);
}

static size_t
nth_checkpoint(size_t n)
{
	size_t	 i;

	for (i = 0; i < nlines; i++)
		if (memmem(line_[i].p, line_[i].len, "\"Checkpoint\"", 12) !=
		    NULL && n-- == 1)
			return i + 1;
	ck_abort_msg("no such Checkpoint");
	return 0;
}

static char *
at_line(size_t seq)
{
	return log_.f[line_[seq - 1].file].p +
	    (line_[seq - 1].p - log_.f[line_[seq - 1].file].p);
}

START_TEST(whole)
{
	make();
	ck_assert_int_eq(verify(&none), IA_INTACT);
	ck_assert_uint_eq(v.lines, 16);
	ck_assert_uint_eq(v.files, 3);
	ck_assert_uint_eq(v.checkpoints, 4);
	ck_assert_uint_eq(v.nranges, 1);
	ck_assert_uint_eq(v.range[0].first, 1);
	ck_assert_uint_eq(v.range[0].last, 16);
	ck_assert_uint_eq(v.tail, 0);
	ck_assert(v.key_from_log);
	ck_assert_uint_eq(v.unclosed, 0);
	none.sealed = true;
	ck_assert_int_eq(verify(&none), IA_INTACT);
	ck_assert_str_eq(v.covered_time, v.last_time);
}
END_TEST

START_TEST(tail)
{
	ialog_begin();
	ialog_records(3);
	ialog_checkpoint();
	ialog_records(2);
	ialog_end(&log_);
	ck_assert_int_eq(verify(&none), IA_INTACT);
	ck_assert_uint_eq(v.range[0].last, 4);
	ck_assert_uint_eq(v.tail, 2);
	none.sealed = true;
	ck_assert_int_eq(verify(&none), IA_UNPROVEN);
	/* A line that is being written. */
	log_.f[0].len -= 10;
	ck_assert_int_eq(verify(&none), IA_UNPROVEN);
	none.sealed = false;
	ck_assert_int_eq(verify(&none), IA_INTACT);
	ck_assert_uint_gt(v.torn, 0);
	ck_assert_uint_eq(v.tail, 1);
}
END_TEST

/* Where the fault is, and what is proven around it. */
START_TEST(changed_line)
{
	make();
	at_line(7)[300]++;
	ck_assert_int_eq(verify(&none), IA_TAMPERED);
	ck_assert_uint_eq(v.faults, 1);
	ck_assert_uint_eq(v.fault_at.seq, 7);
	ck_assert_uint_eq(v.fault_at.line, 7);
	ck_assert_str_eq(v.fault_at.path, log_.f[0].name);
	ck_assert_ptr_nonnull(strstr(v.fault, "next one has another hash"));
	ck_assert_uint_eq(v.nranges, 2);
	ck_assert_uint_eq(v.range[0].first, 1);
	ck_assert_uint_eq(v.range[0].last, 4);
	ck_assert_uint_eq(v.range[1].first, 8);
	ck_assert_uint_eq(v.range[1].last, 16);
}
END_TEST

START_TEST(changed_prev)
{
	char	*p;

	make();
	p = at_line(10) + strlen("{\"seq\":10,\"prev\":\"");
	*p = *p == '0' ? '1' : '0';
	ck_assert_int_eq(verify(&none), IA_TAMPERED);
	ck_assert_uint_eq(v.faults, 1);
	ck_assert_uint_eq(v.fault_at.seq, 10);
	ck_assert_uint_eq(v.fault_at.line, 1);
	ck_assert_str_eq(v.fault_at.path, log_.f[1].name);
	ck_assert_ptr_nonnull(strstr(v.fault, "neither"));
	ck_assert_uint_eq(v.range[0].last, 9);
	ck_assert_uint_eq(v.range[1].first, 11);
}
END_TEST

/* The last of a file, whose hash stands in the next. */
START_TEST(changed_before_rotation)
{
	make();
	ck_assert_uint_eq(nth_checkpoint(2), 9);
	memcpy(strstr(at_line(9), "auditd"), "nobody", 6);
	ck_assert_int_eq(verify(&none), IA_TAMPERED);
	ck_assert_uint_eq(v.fault_at.seq, 9);
	ck_assert_str_eq(v.fault_at.path, log_.f[0].name);
	/* Its next_key is not to be believed. */
	ck_assert_uint_eq(v.nranges, 1);
	ck_assert_uint_eq(v.range[0].last, 4);
}
END_TEST

START_TEST(missing_lines)
{
	size_t	 gone;

	make();
	gone = line_[5].len + line_[6].len;
	memmove(at_line(6), at_line(8), log_.f[0].len -
	    (size_t)(at_line(8) - log_.f[0].p));
	log_.f[0].len -= gone;
	ck_assert_int_eq(verify(&none), IA_TAMPERED);
	ck_assert_uint_eq(v.fault_at.seq, 8);
	ck_assert_uint_eq(v.fault_at.line, 6);
	ck_assert_ptr_nonnull(strstr(v.fault, "seq 6 to 7 are missing"));
}
END_TEST

START_TEST(missing_files)
{
	struct ialog	 all;
	struct ia_opts	 o = none;
	struct ia_anchor a;

	make();
	all = log_;
	/* The middle one. */
	log_.n = 2;
	log_.f[1] = all.f[2];
	ck_assert_int_eq(verify(&none), IA_UNPROVEN);
	ck_assert_ptr_nonnull(strstr(v.reason[0], "seq 10 to 13 are missing"));
	ck_assert_uint_eq(v.nranges, 1);
	ck_assert_uint_eq(v.range[0].last, 9);
	/* An anchor proves what is behind the gap as well. */
	anchor_at(&a, 16);
	o.anchor = &a;
	o.nanchor = 1;
	ck_assert_int_eq(verify(&o), IA_UNPROVEN);
	ck_assert_uint_eq(v.nranges, 1);
	ck_assert_uint_eq(v.range[0].first, 14);
	/* Lines cut off before a whole file are no missing file. */
	log_.f[1] = all.f[1];
	log_.f[0].len = (size_t)(at_line(5) - log_.f[0].p);
	ck_assert_int_eq(verify(&none), IA_TAMPERED);
	/* The first one. */
	log_ = all;
	log_.f[0] = all.f[1];
	log_.f[1] = all.f[2];
	log_.n = 2;
	ck_assert_int_eq(verify(&none), IA_UNPROVEN);
	ck_assert_ptr_nonnull(strstr(v.reason[0], "begins with seq 10"));
}
END_TEST

START_TEST(wrong_names)
{
	struct ialog_file	 f;

	make();
	f = log_.f[0];
	(void)strlcpy(log_.f[0].name, log_.f[1].name, sizeof(f.name));
	ck_assert_int_eq(verify(&none), IA_TAMPERED);
	ck_assert_ptr_nonnull(strstr(v.fault, "name says"));
	/* What is in it is proven all the same. */
	ck_assert_uint_eq(v.range[0].last, 16);
}
END_TEST

START_TEST(keys)
{
	struct ia_opts	 o = none;
	uint8_t		 pub[2][IA_KEY];
	struct ia_kept	 k;

	make();
	keep(&k, 4);
	memcpy(pub[0], k.cp.origin, IA_KEY);
	o.pub = (const uint8_t (*)[IA_KEY])pub;
	o.npub = 1;
	o.sealed = true;
	ck_assert_int_eq(verify(&o), IA_INTACT);
	ck_assert(v.key_matched && !v.key_from_log);
	pub[0][0] ^= 1;
	ck_assert_int_eq(verify(&o), IA_TAMPERED);
	ck_assert_uint_eq(v.fault_at.seq, 4);
	ck_assert_uint_eq(v.nranges, 0);
	/* Any key that is known from elsewhere will do. */
	keep(&k, 9);
	memcpy(pub[0], k.cp.key, IA_KEY);
	ck_assert_int_eq(verify(&o), IA_INTACT);
	ck_assert_uint_eq(v.range[0].first, 1);
	ck_assert_uint_eq(v.range[0].last, 16);
	/* A log without Checkpoints. */
	log_.f[0].len = (size_t)(at_line(4) - log_.f[0].p);
	log_.n = 1;
	ck_assert_int_eq(verify(&o), IA_UNPROVEN);
	ck_assert_int_eq(verify(&none), IA_INTACT);
	ck_assert_uint_eq(v.nranges, 0);
	ck_assert_uint_eq(v.tail, 3);
}
END_TEST

START_TEST(anchors)
{
	struct ia_anchor a[3];
	struct ia_opts	 o = none;

	make();
	anchor_at(&a[0], 2);
	anchor_at(&a[1], 8);
	o.anchor = a;
	o.nanchor = 2;
	ck_assert_int_eq(verify(&o), IA_INTACT);
	ck_assert_uint_eq(v.anchors_met, 2);
	/* The key announced before the anchor is good after it. */
	ck_assert_uint_eq(v.range[0].last, 16);
	o.nanchor = 1;
	/* One before the first Checkpoint says nothing of keys. */
	ck_assert_int_eq(verify(&o), IA_INTACT);
	ck_assert_uint_eq(v.range[0].last, 2);
	ck_assert_uint_eq(v.tail, 14);
	o.nanchor = 2;
	a[1].head[5] = a[1].head[5] == 'a' ? 'b' : 'a';
	ck_assert_int_eq(verify(&o), IA_TAMPERED);
	ck_assert_uint_eq(v.fault_at.seq, 8);
	anchor_at(&a[1], 16);
	a[1].seq = 17;
	ck_assert_int_eq(verify(&o), IA_UNPROVEN);
	ck_assert_ptr_nonnull(strstr(v.reason[0], "beyond the end"));
	/* The file before is elsewhere, its end is anchored. */
	anchor_at(&a[0], 9);
	o.nanchor = 1;
	log_.f[0] = log_.f[1];
	log_.f[1] = log_.f[2];
	log_.n = 2;
	ck_assert_int_eq(verify(&o), IA_UNPROVEN);
	ck_assert_uint_eq(v.anchors_met, 1);
	a[0].head[0] ^= 1;
	ck_assert_int_eq(verify(&o), IA_TAMPERED);
}
END_TEST

START_TEST(kept_checkpoint)
{
	struct ia_opts	 o = none;
	struct ia_kept	 k;
	struct ialog	 all;

	make();
	all = log_;
	keep(&k, 9);
	o.kept = &k;
	o.sealed = true;
	ck_assert_int_eq(verify(&o), IA_INTACT);
	ck_assert_uint_eq(v.range[0].first, 1);
	/* From it on: what was before was proven then. */
	log_.f[0] = all.f[1];
	log_.f[1] = all.f[2];
	log_.n = 2;
	ck_assert_int_eq(verify(&o), IA_INTACT);
	ck_assert_uint_eq(v.range[0].first, 10);
	ck_assert_uint_eq(v.range[0].last, 16);
	log_.f[0] = all.f[2];
	log_.n = 1;
	ck_assert_int_eq(verify(&o), IA_UNPROVEN);
	/* Rolled back behind it. */
	log_ = all;
	log_.n = 1;
	log_.f[0].len = (size_t)(at_line(9) - log_.f[0].p);
	o.sealed = false;
	ck_assert_int_eq(verify(&o), IA_UNPROVEN);
	ck_assert_ptr_nonnull(strstr(v.reason[0], "beyond the end"));
	log_ = all;
	k.hash[0] = k.hash[0] == 'a' ? 'b' : 'a';
	ck_assert_int_eq(verify(&o), IA_TAMPERED);
	ck_assert_uint_eq(v.fault_at.seq, 9);
}
END_TEST

/* The key is lost: a break, and the new one is nobody's yet. */
START_TEST(lost_key)
{
	uint8_t		 pub[2][IA_KEY];
	struct ia_opts	 o = none;
	struct ia_anchor a;

	ialog_begin();
	ialog_records(3);
	ialog_checkpoint();
	ialog_records(2);
	ialog_lose_key();
	ialog_records(2);
	ialog_checkpoint();
	ialog_records(1);
	ialog_checkpoint();
	ialog_end(&log_);
	index_lines();
	ck_assert_int_eq(verify(&none), IA_UNPROVEN);
	ck_assert_uint_eq(v.faults, 0);
	ck_assert_uint_eq(v.breaks, 1);
	ck_assert_uint_eq(v.break_seq, 9);
	ck_assert_uint_eq(v.range[0].last, 4);
	ck_assert_uint_eq(v.tail, 7);
	memcpy(pub[0], v.first_origin, IA_KEY);
	memcpy(pub[1], v.break_key, IA_KEY);
	o.pub = (const uint8_t (*)[IA_KEY])pub;
	o.npub = 1;
	ck_assert_int_eq(verify(&o), IA_UNPROVEN);
	o.npub = 2;
	o.sealed = true;
	ck_assert_int_eq(verify(&o), IA_INTACT);
	ck_assert_uint_eq(v.breaks, 1);
	ck_assert_uint_eq(v.range[0].last, nlines);
	/* An anchor after the break says the same. */
	memset(&o, 0, sizeof(o));
	anchor_at(&a, 10);
	o.anchor = &a;
	o.nanchor = 1;
	ck_assert_int_eq(verify(&o), IA_INTACT);
	ck_assert_uint_eq(v.range[0].last, nlines);
}
END_TEST

START_TEST(clock_went_back)
{
	ialog_begin();
	ialog_records(3);
	ialog_clock(-86400);
	ialog_records(3);
	ialog_checkpoint();
	ialog_end(&log_);
	ck_assert_int_eq(verify(&none), IA_INTACT);
	ck_assert_uint_eq(v.clock_back, 1);
	ck_assert_uint_eq(v.clock_seq, 4);
}
END_TEST

static void
put_lines(const char *text)
{
	memset(&log_, 0, sizeof(log_));
	log_.n = 1;
	(void)strlcpy(log_.f[0].name, "x.log", sizeof(log_.f[0].name));
	log_.f[0].len = strlen(text);
	ck_assert_ptr_nonnull(log_.f[0].p = strdup(text));
}

#define Z16	"0000000000000000"
#define TIME	"2026-11-24T08:26:41.123456789Z"
#define LINE(seq, prev, time, rest) \
	"{\"seq\":" seq ",\"prev\":\"" prev "\",\"timestamp\":\"" time "\"," rest
#define GOOD	"\"event_type\":\"Lock\"}\n"

START_TEST(malformed)
{
	static const struct {
		const char	*text;
		bool		 good;
	} lines[] = {
		{ LINE("1", Z16 Z16 Z16 Z16, TIME, GOOD), true },
		{ "", false },
		{ "\n", false },
		{ "{}\n", false },
		{ LINE("0", Z16 Z16 Z16 Z16, TIME, GOOD), false },
		{ LINE("01", Z16 Z16 Z16 Z16, TIME, GOOD), false },
		{ LINE("", Z16 Z16 Z16 Z16, TIME, GOOD), false },
		{ LINE("-1", Z16 Z16 Z16 Z16, TIME, GOOD), false },
		{ LINE("1.0", Z16 Z16 Z16 Z16, TIME, GOOD), false },
		{ LINE("18446744073709551615", Z16 Z16 Z16 Z16, TIME, GOOD),
		    false },
		{ LINE("18446744073709551617", Z16 Z16 Z16 Z16, TIME, GOOD),
		    false },
		{ LINE("1", Z16 Z16 Z16 "000000000000000g", TIME, GOOD),
		    false },
		{ LINE("1", Z16 Z16 Z16 "000000000000000A", TIME, GOOD),
		    false },
		{ LINE("1", Z16 Z16 Z16, TIME, GOOD), false },
		{ LINE("1", Z16 Z16 Z16 "0000000000000001", TIME, GOOD),
		    false },
		{ LINE("1", Z16 Z16 Z16 Z16, "2026-11-24T08:26:41.12345678Z",
		    GOOD), false },
		{ LINE("1", Z16 Z16 Z16 Z16, "2026-11-24 08:26:41.123456789Z",
		    GOOD), false },
		{ LINE("1", Z16 Z16 Z16 Z16, "2026-11-2:T08:26:41.123456789Z",
		    GOOD), false },
		{ LINE("1", Z16 Z16 Z16 Z16, "2026-11-2/T08:26:41.123456789Z",
		    GOOD), false },
		{ LINE("1", Z16 Z16 Z16 Z16, "2026-11-24T08:26:41.12345678\xb9"
		    "Z", GOOD), false },
		{ LINE("1", Z16 Z16 Z16 Z16, TIME, "\"event_type\":\"\"}\n"),
		    false },
		{ LINE("1", Z16 Z16 Z16 Z16, TIME, "\"event\":\"Lock\"}\n"),
		    false },
		{ LINE("1", Z16 Z16 Z16 Z16, TIME, "\"event_type\":\"Lo\\u0063"
		    "k\"}\n"), false },
		{ LINE("1", Z16 Z16 Z16 Z16, TIME, "\"event_type\":\"Lock\","
		    "\"a\":\"\033[2J\"}\n"), false },
		{ LINE("1", Z16 Z16 Z16 Z16, TIME, "\"event_type\":\"Lock\"}"
		    "\r\n"), false },
		{ "not JSON at all", false },
		{ " " LINE("1", Z16 Z16 Z16 Z16, TIME, GOOD), false },
	};
	size_t	 i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		put_lines(lines[i].text);
		ck_assert_msg((verify(&none) == IA_INTACT) == lines[i].good,
		    "%s", lines[i].text);
		ialog_free(&log_);
	}
	put_lines(lines[0].text);
	log_.f[0].p[log_.f[0].len - 10] = '\0';
	ck_assert_int_eq(verify(&none), IA_TAMPERED);
	ialog_free(&log_);
}
END_TEST

/* Each control character at each place is seen. */
START_TEST(control_characters)
{
	static const char	 begin[] = LINE("1", Z16 Z16 Z16 Z16, TIME,
				    "\"event_type\":\"Lock\",\"a\":\"");
	struct ia_head	 h;
	char		 line[400];
	size_t		 len, i;
	int		 c;

	for (len = 170; len < 240; len++) {
		memset(line, 'x', sizeof(line));
		memcpy(line, begin, sizeof(begin) - 1);
		memcpy(line + len - 3, "\"}\n", 3);
		ck_assert_ptr_null(ia_head_parse(line, len, &h));
		for (i = sizeof(begin) - 1; i < len - 3; i++)
			for (c = 0; c < 256; c += c < 0x21 ? 1 : 37) {
				line[i] = (char)c;
				ck_assert_int_eq(ia_head_parse(line, len,
				    &h) != NULL, c < 0x20);
				line[i] = 'x';
			}
	}
}
END_TEST

/* Against itself, byte by byte. */
static void
read_all(const char *text, size_t len, const char *what)
{
	struct ia_reader	 r;
	struct ia_line		 l;
	char			 path[] = "/tmp/igra-reader-XXXXXX";
	const char		*p = text, *end = text + len, *nl;
	size_t			 n;
	int			 fd;

	ck_assert_int_ge(fd = mkstemp(path), 0);
	(void)unlink(path);
	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	ck_assert_int_eq(ia_reader_init(&r), 0);
	ia_reader_start(&r, fd);
	while (p < end) {
		nl = memchr(p, '\n', (size_t)(end - p));
		n = nl != NULL ? (size_t)(nl - p) + 1 : (size_t)(end - p);
		ck_assert_int_eq(ia_reader_next(&r, &l), 1);
		ck_assert_msg(l.kind == (n > AUDIT_MAX_LINE ? IA_LONG :
		    nl != NULL ? IA_LINE : IA_TORN), "%s", what);
		if (l.kind != IA_LONG)
			ck_assert_uint_eq(l.len, n);
		ck_assert_int_eq(memcmp(l.p, p, l.len), 0);
		p += n;
	}
	ck_assert_int_eq(ia_reader_next(&r, &l), 0);
	ck_assert_uint_eq(r.bytes, len);
	ia_reader_free(&r);
	close(fd);
}

START_TEST(long_lines)
{
	static const size_t	 at[] = { 0, 1, AUDIT_MAX_LINE - 1,
		AUDIT_MAX_LINE, AUDIT_MAX_LINE + 1, 2 * AUDIT_MAX_LINE,
		3 * AUDIT_MAX_LINE + 7, 4 * AUDIT_MAX_LINE, 1999999 };
	const size_t		 len = 2000000;
	size_t			 i, j;
	char			*p;

	ck_assert_ptr_nonnull(p = malloc(len));
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		for (j = i; j < sizeof(at) / sizeof(at[0]); j++) {
			memset(p, 'x', len);
			p[at[i]] = p[at[j]] = '\n';
			read_all(p, len, "whole");
			read_all(p, at[j] + 1, "cut");
			memset(p, '\n', 1000);
			read_all(p, at[j] + 1, "empty lines");
		}
	free(p);
}
END_TEST

START_TEST(names)
{
	static const struct {
		const char	*name;
		uint64_t	 seq;
	} n[] = {
		{ "key-audit.20261124T082641Z.000000000001.log", 1 },
		{ "key-audit.20261124T082641Z.18446744073709551615.log",
		    UINT64_MAX },
		{ "key-audit.20261124T082641Z.18446744073709551616.log", 0 },
		{ "key-audit.20261124T082641Z.00000000001.log", 0 },
		{ "key-audit.20261124T082641Z.0000000000001.log", 0 },
		{ "key-audit.20261124T082641Z.000000000000.log", 0 },
		{ "key-audit.20261124T082641Z.+00000000001.log", 0 },
		{ "key-audit.20261124T082641Z.000000000001.log.gz", 0 },
		{ "key-audit.20261124T08264Z.000000000001.log", 0 },
		{ "key-audit.log", 0 },
		{ "key-audit", 0 },
		{ "", 0 },
	};
	struct ia_name	 name;
	size_t		 i;

	for (i = 0; i < sizeof(n) / sizeof(n[0]); i++)
		ck_assert_msg((ia_name_parse("key-audit", n[i].name, &name) ?
		    name.seq : 0) == n[i].seq, "%s", n[i].name);
}
END_TEST

START_TEST(escaped)
{
	char	 out[256];
	size_t	 at = 0;

	ia_escape(out, sizeof(out), &at, "a\033[2J\n\\\x7f\xff", 9);
	ck_assert_str_eq(out, "a\\u001b[2J\\u000a\\\\\\u007f\\xff");
	at = 0;
	/* Right-to-left override, zero width, C1, a letter that looks like a. */
	ia_escape(out, sizeof(out), &at, "\xe2\x80\xae\xe2\x80\x8b\xc2\x9b"
	    "\xd0\xb0\xf0\x9f\x98\x80", 14);
	ck_assert_str_eq(out, "\\u202e\\u200b\\u009b\\u0430\\ud83d\\ude00");
	at = 0;
	ia_escape(out, 8, &at, "abcdefghijk", 11);
	ck_assert_str_eq(out, "abcdefg");
	at = 0;
	ia_escape(out, 8, &at, "abc\033x", 5);
	ck_assert_str_eq(out, "abc");
}
END_TEST

START_TEST(times)
{
	static const struct {
		const char	*in, *out;
	} t[] = {
		{ "2026-11-24", "2026-11-24T00:00:00.000000000Z" },
		{ "2026-11-24T08:26", "2026-11-24T08:26:00.000000000Z" },
		{ "2026-11-24 08:26:41Z", "2026-11-24T08:26:41.000000000Z" },
		{ "2026-11-24T08:26:41.5Z", "2026-11-24T08:26:41.500000000Z" },
		{ TIME, TIME },
		{ "2026-13-24", NULL }, { "2026-11-32", NULL },
		{ "2026-11-24T24:00", NULL }, { "2026-11", NULL },
		{ "yesterday", NULL }, { "", NULL }, { "5", NULL },
		{ "5x", NULL }, { "-5h", NULL }, { "99999999d", NULL },
		{ "2026-11-24T08:26:41.", NULL },
	};
	char	 out[IA_TIME + 1];
	size_t	 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		ck_assert_msg((ia_time_parse(t[i].in, out) == 0) ==
		    (t[i].out != NULL), "%s", t[i].in);
		if (t[i].out != NULL)
			ck_assert_str_eq(out, t[i].out);
	}
	ck_assert_int_eq(ia_time_parse("24h", out), 0);
	ck_assert_uint_eq(strlen(out), IA_TIME);
}
END_TEST

START_TEST(percentiles)
{
	struct ia_hist	 h, sum;
	uint64_t	 i;

	memset(&h, 0, sizeof(h));
	memset(&sum, 0, sizeof(sum));
	ck_assert_uint_eq(ia_hist_at(&h, 50), 0);
	ck_assert_int_eq(ia_hist_add(&h, 1500), 0);
	ck_assert_uint_eq(ia_hist_at(&h, 50), 1500);
	ck_assert_uint_eq(ia_hist_at(&h, 99), 1500);
	ia_hist_free(&h);
	for (i = 1; i <= 100000; i++)
		ck_assert_int_eq(ia_hist_add(&h, i), 0);
	ck_assert_int_eq(ia_hist_add(&h, UINT64_MAX), 0);
	ck_assert_int_eq(ia_hist_merge(&sum, &h), 0);
	ck_assert_int_eq(ia_hist_merge(&sum, &h), 0);
	ck_assert_uint_eq(sum.n, 200002);
	ck_assert_uint_eq(ia_hist_at(&sum, 100), UINT64_MAX);
	for (i = 1; i < 100; i++) {
		ck_assert_uint_ge(ia_hist_at(&sum, (double)i), i * 980);
		ck_assert_uint_le(ia_hist_at(&sum, (double)i), i * 1020);
	}
	ia_hist_free(&h);
	ia_hist_free(&sum);
}
END_TEST

/* What an auditor may keep, in each of its forms. */
START_TEST(anchor_forms)
{
	static const char	 hash[] = Z16 Z16 Z16 "00000000000000ab";
	static const uint64_t	 seqs[] = { 3, 3, 5, 7, 12 };
	struct ia_anchors	 a;
	struct ia_kept		 k;
	char			 path[] = "/tmp/igra-anchor-XXXXXX";
	char			 err[256], text[128];
	FILE			*f;
	size_t			 i;

	memset(&a, 0, sizeof(a));
	(void)snprintf(text, sizeof(text), "12:%s", hash);
	ck_assert_int_eq(ia_anchor_add(&a, text, err, sizeof(err)), 0);
	text[5] = 'x';
	ck_assert_int_eq(ia_anchor_add(&a, text, err, sizeof(err)), -1);
	ck_assert_int_eq(ia_anchor_add(&a, "12:", err, sizeof(err)), -1);
	ck_assert_int_eq(ia_anchor_add(&a, "/none/such", err, sizeof(err)),
	    -1);
	make();
	ck_assert_int_ge(mkstemp(path), 0);
	ck_assert_ptr_nonnull(f = fopen(path, "w"));
	fprintf(f, "3:%s\n\nNov 24 host igra-auditd: ", hash);
	fwrite(line_[3].p, 1, line_[3].len, f);
	fprintf(f, "{\"seq\":7,\"head\":\"%s\"}\n{\"result\":{\"audit\":"
	    "{\"seq\":5,\"head\":\"%s\"}}}\n", hash, hash);
	fclose(f);
	ck_assert_int_eq(ia_anchor_add(&a, path, err, sizeof(err)), 0);
	ia_anchors_sort(&a);
	ck_assert_uint_eq(a.n, 5);
	for (i = 0; i < 5; i++)
		ck_assert_uint_eq(a.v[i].seq, seqs[i]);
	ck_assert_int_eq(ia_kept_read(path, &k, err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(f = fopen(path, "w"));
	fprintf(f, "igra-auditd: ");
	fwrite(line_[3].p, 1, line_[3].len, f);
	fclose(f);
	ck_assert_int_eq(ia_kept_read(path, &k, err, sizeof(err)), 0);
	ck_assert_uint_eq(k.cp.seq, 4);
	ck_assert(k.cp.canonical);
	ck_assert_ptr_nonnull(f = fopen(path, "w"));
	fprintf(f, "{\"seq\":5}\n");
	fclose(f);
	ck_assert_int_eq(ia_anchor_add(&a, path, err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, ":1:"));
	(void)unlink(path);
	ia_anchors_free(&a);
}
END_TEST

/* Members that a later igra-auditd may add leave the line itself unsealed. */
START_TEST(unknown_member)
{
	struct ialog_file	*f;
	char			*p;

	ialog_begin();
	ialog_records(2);
	ialog_checkpoint();
	ialog_end(&log_);
	f = &log_.f[0];
	ck_assert_ptr_nonnull(p = malloc(f->len + 8));
	memcpy(p, f->p, f->len - 2);
	memcpy(p + f->len - 2, ",\"x\":1}\n", 8);
	free(f->p);
	f->p = p;
	f->len += 6;
	ck_assert_int_eq(verify(&none), IA_INTACT);
	ck_assert_uint_eq(v.range[0].last, 2);
	ck_assert_uint_eq(v.tail, 1);
}
END_TEST

/* A Checkpoint that is none any more, with nothing after it to tell. */
START_TEST(unknown_event)
{
	make();
	/* The log has no NUL at its end: only within the line. */
	memcpy(memmem(at_line(16), 200, "Checkpoint", 10), "Checkpoinv", 10);
	ck_assert_int_eq(verify(&none), IA_UNPROVEN);
	ck_assert_ptr_nonnull(strstr(v.reason[0], "seq 16"));
	ck_assert_uint_eq(v.range[0].last, 13);
}
END_TEST

/* The last Checkpoint runs into the line before it, so that it is none. */
START_TEST(merged_at_the_end)
{
	struct ialog_file	*f;
	char			*p, *nl;

	ialog_begin();
	ialog_records(3);
	ialog_checkpoint();
	ialog_end(&log_);
	f = &log_.f[0];
	nl = memrchr(f->p, '\n', f->len - 1);
	ck_assert_ptr_nonnull(nl);
	/* "}\n{" is gone, or all up to the next member's name. */
	p = nl - 1;
	nl += _i == 0 ? 2 : 10;
	memmove(p, nl, f->len - (size_t)(nl - f->p));
	f->len -= (size_t)(nl - p);
	ck_assert_int_eq(verify(&none), IA_TAMPERED);
	ck_assert_uint_eq(v.fault_at.line, 3);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("verify");
	TCase	*t = tcase_create("verify");
	SRunner	*r;
	int	 failed;

	if (sodium_init() == -1)
		return 1;
	tcase_add_test(t, whole);
	tcase_add_test(t, tail);
	tcase_add_test(t, changed_line);
	tcase_add_test(t, changed_prev);
	tcase_add_test(t, changed_before_rotation);
	tcase_add_test(t, missing_lines);
	tcase_add_test(t, missing_files);
	tcase_add_test(t, wrong_names);
	tcase_add_test(t, keys);
	tcase_add_test(t, anchors);
	tcase_add_test(t, kept_checkpoint);
	tcase_add_test(t, lost_key);
	tcase_add_test(t, clock_went_back);
	tcase_add_test(t, malformed);
	tcase_add_test(t, control_characters);
	tcase_add_test(t, long_lines);
	tcase_add_test(t, names);
	tcase_add_test(t, escaped);
	tcase_add_test(t, times);
	tcase_add_test(t, percentiles);
	tcase_add_test(t, anchor_forms);
	tcase_add_test(t, unknown_member);
	tcase_add_test(t, unknown_event);
	tcase_add_loop_test(t, merged_at_the_end, 0, 2);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
