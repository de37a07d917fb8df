/* What igra-audit verify says of logs, whole and otherwise. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

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

#define Z16	"0000000000000000"

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
