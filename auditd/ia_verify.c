#include <stdarg.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"

#include "auditd/ia_verify_int.h"

#define POOL_MAX	(8 * 1024 * 1024)

static void	 before(const struct ia_verify *, struct ia_where *);
static void	 cut(struct ia_verify *);
static void	 doubt_lines(struct ia_verify *, const struct ia_head *);
static bool	 settle_doubt(struct ia_verify *, const struct ia_head *);
static bool	 same_file(const char *, const char *);
static bool	 names_other_file(const struct ia_verify *,
		    const struct ia_line *);
static bool	 file_missing(struct ia_verify *, const struct ia_head *,
		    const struct ia_line *);
static void	 wrong_seq(struct ia_verify *, const struct ia_head *, bool);
static void	 follow(struct ia_verify *, const struct ia_head *,
		    const struct ia_line *);
static void	 begin_log(struct ia_verify *, const struct ia_head *);
static void	 torn(struct ia_verify *, const struct ia_line *);
static const char *not_json(const struct ia_line *, char *, size_t);
static void	 note_time(struct ia_verify *, const struct ia_head *);

void
ia_verify_init(struct ia_verify *v, const struct ia_opts *o)
{
	memset(v, 0, sizeof(*v));
	v->o = *o;
	v->tail_next = true;
}

void
ia_fault(struct ia_verify *v, const struct ia_where *at, const char *fmt, ...)
{
	va_list	 ap;

	if (v->faults++ > 0)
		return;
	v->fault_at = *at;
	va_start(ap, fmt);
	(void)vsnprintf(v->fault, sizeof(v->fault), fmt, ap);
	va_end(ap);
}

void
ia_verify_unproven(struct ia_verify *v, const char *fmt, ...)
{
	va_list	 ap;

	if (v->nreasons == IA_REASONS)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(v->reason[v->nreasons++], IA_TEXT, fmt, ap);
	va_end(ap);
}

void
ia_here(const struct ia_verify *v, uint64_t seq, struct ia_where *at)
{
	(void)strlcpy(at->path, v->path, sizeof(at->path));
	at->line = v->line;
	at->seq = seq;
}

static void
before(const struct ia_verify *v, struct ia_where *at)
{
	(void)strlcpy(at->path, v->before_elsewhere ? v->path_before :
	    v->path, sizeof(at->path));
	at->line = v->line_before;
	at->seq = v->chain.last;
}

/* The chain ends here; what it has proven stays. */
static void
cut(struct ia_verify *v)
{
	if (v->chain.sealed > 0) {
		if (v->nranges < IA_RANGES) {
			v->range[v->nranges].first = v->chain.first;
			v->range[v->nranges].last = v->chain.sealed;
		}
		v->nranges++;
	}
	v->chain.have = false;
	v->chain.sealed = 0;
	v->tail_next = true;
}

void
ia_seal(struct ia_verify *v, uint64_t seq, const struct ia_head *h)
{
	if (seq <= v->chain.sealed || seq < v->chain.first)
		return;
	v->chain.sealed = seq;
	v->tail_next = seq == h->seq;
	if (v->tail_next)
		(void)snprintf(v->covered_time, sizeof(v->covered_time),
		    "%.*s", IA_TIME, h->time);
	else {
		(void)strlcpy(v->covered_time, v->last_time,
		    sizeof(v->covered_time));
		(void)snprintf(v->tail_time, sizeof(v->tail_time), "%.*s",
		    IA_TIME, h->time);
	}
}

/*
 * The hash of the line before is not what this one says.  Which of them was
 * changed shows the next line.
 */
static void
doubt_lines(struct ia_verify *v, const struct ia_head *h)
{
	struct ia_where	 at;

	before(v, &at);
	ia_fault(v, &at, "this line or the next was changed: the next one's "
	    "prev is not the hash of this one");
	if (v->faults > 1)
		return;
	v->doubt = true;
	v->doubt_at[0] = at;
	ia_here(v, h->seq, &v->doubt_at[1]);
}

/* True when the line before is the one, and so has no right hash either. */
static bool
settle_doubt(struct ia_verify *v, const struct ia_head *h)
{
	bool	 second;

	if (!v->doubt)
		return false;
	v->doubt = false;
	second = memcmp(h->prev, v->chain.head, IA_HEX) != 0;
	v->fault_at = v->doubt_at[second];
	if (second)
		(void)snprintf(v->fault, sizeof(v->fault), "the line was "
		    "changed: it fits neither the line before nor the next");
	else
		(void)snprintf(v->fault, sizeof(v->fault), "the line was "
		    "changed: the next one has another hash of it");
	return second;
}

static bool
same_file(const char *a, const char *b)
{
	const char	*x = strrchr(a, '/'), *y = strrchr(b, '/');

	return strcmp(x != NULL ? x + 1 : a, y != NULL ? y + 1 : b) == 0;
}

/* Does a LogRotated say that another file comes before this one? */
static bool
names_other_file(const struct ia_verify *v, const struct ia_line *l)
{
	const struct json	*root;
	struct pool		 pool;
	char			 err[256], *path;
	bool			 other = false;

	pool_init(&pool, POOL_MAX);
	if ((root = json_parse(&pool, l->p, l->len, err, sizeof(err))) != NULL)
		if ((path = json_cstr(&pool, json_get(root, "path"))) != NULL)
			other = !same_file(path, v->path_before);
	pool_free(&pool);
	return other;
}

/*
 * A whole file that is not here is no forgery: the one before ended and this
 * one begins as igra-auditd ends and begins them.
 */
static bool
file_missing(struct ia_verify *v, const struct ia_head *h,
    const struct ia_line *l)
{
	if (!v->first_of_file || h->seq <= v->chain.last + 1 ||
	    !v->last_is_checkpoint)
		return false;
	if (!ia_event_is(h, "SecurityAlert") &&
	    !(ia_event_is(h, "LogRotated") && names_other_file(v, l)))
		return false;
	ia_verify_unproven(v, "seq %" PRIu64 " to %" PRIu64 " are missing: a "
	    "file between %s and %s is not here", v->chain.last + 1,
	    h->seq - 1, v->path_before, v->path);
	v->series.known = v->series.trusted = false;
	return true;
}

static void
wrong_seq(struct ia_verify *v, const struct ia_head *h, bool fits)
{
	struct ia_where	 at;
	uint64_t	 last = v->chain.last;

	ia_here(v, h->seq, &at);
	if (fits)
		ia_fault(v, &at, "seq must be %" PRIu64 ": the number was "
		    "changed", last + 1);
	else if (h->seq > last + 1)
		ia_fault(v, &at, "seq %" PRIu64 " to %" PRIu64 " are missing "
		    "before this line", last + 1, h->seq - 1);
	else
		ia_fault(v, &at, "seq must be %" PRIu64 ": a line is repeated "
		    "or out of order", last + 1);
}

/* A line after another one. */
static void
follow(struct ia_verify *v, const struct ia_head *h, const struct ia_line *l)
{
	bool	 fits = memcmp(h->prev, v->chain.head, IA_HEX) == 0;
	bool	 settled = settle_doubt(v, h);

	if (fits && h->seq == v->chain.last + 1)
		return;
	if (!settled && !file_missing(v, h, l)) {
		if (h->seq != v->chain.last + 1)
			wrong_seq(v, h, fits);
		else
			doubt_lines(v, h);
	}
	cut(v);
}

static void
begin_log(struct ia_verify *v, const struct ia_head *h)
{
	struct ia_where	 at;
	char		 zeros[IA_HEX];

	v->first_seq = h->seq;
	memset(zeros, '0', sizeof(zeros));
	if (h->seq == 1 && memcmp(h->prev, zeros, IA_HEX) != 0) {
		ia_here(v, h->seq, &at);
		ia_fault(v, &at, "the first line ever must have a prev of "
		    "zeros");
	}
	ia_trust_first(v, h);
}

void
ia_verify_begin(struct ia_verify *v, const char *path, uint64_t name_seq)
{
	if (v->line > 0)
		(void)strlcpy(v->path_before, v->path, sizeof(v->path_before));
	(void)strlcpy(v->path, path, sizeof(v->path));
	v->name_seq = name_seq;
	v->first_of_file = true;
	v->line = 0;
	v->before_elsewhere = true;
	v->files++;
}

/* An unfinished line, which the end of the file may have. */
static void
torn(struct ia_verify *v, const struct ia_line *l)
{
	struct ia_where	 at;

	v->torn = l->len;
	if (chain_begins(l->p, l->len))
		return;
	ia_here(v, 0, &at);
	ia_fault(v, &at, "what stands at the end is not the beginning of a "
	    "line of an audit log");
}

static void
note_time(struct ia_verify *v, const struct ia_head *h)
{
	if (v->last_time[0] != '\0' &&
	    memcmp(h->time, v->last_time, IA_TIME) < 0 && v->clock_back++ == 0)
		v->clock_seq = h->seq;
	memcpy(v->last_time, h->time, IA_TIME);
}

/*
 * Whatever was done to a line before, the next line's prev tells; to the last
 * one nothing does, so that at least it must be a record.  Which one is the
 * last is not known yet: of each block that was read it may be.
 */
static const char *
not_json(const struct ia_line *l, char *err, size_t errlen)
{
	struct pool	 pool;
	bool		 ok;

	if (!l->end)
		return NULL;
	pool_init(&pool, IA_LINE_POOL);
	ok = json_parse(&pool, l->p, l->len, err, errlen) != NULL;
	pool_free(&pool);
	return ok ? NULL : err;
}

void
ia_verify_line(struct ia_verify *v, const struct ia_line *l)
{
	struct ia_where	 at;
	struct ia_head	 h;
	const char	*wrong;
	char		 hash[IA_HEX], err[256];

	v->line = l->lineno;
	if (l->kind == IA_TORN) {
		torn(v, l);
		return;
	}
	v->lines++;
	wrong = l->kind == IA_LONG ? "longer than a line can be" :
	    ia_head_parse_after(l->p, l->len, v->chain.have ? v->chain.head :
	    NULL, &h);
	if (wrong == NULL)
		wrong = not_json(l, err, sizeof(err));
	if (wrong != NULL) {
		ia_here(v, 0, &at);
		ia_fault(v, &at, "%s", wrong);
		cut(v);
		v->doubt = v->last_is_checkpoint = v->first_of_file = false;
		return;
	}
	ia_hash(l->p, l->len, hash);
	if (v->first_of_file && v->name_seq != 0 && v->name_seq != h.seq) {
		ia_here(v, h.seq, &at);
		ia_fault(v, &at, "the file's name says that its first seq is "
		    "%" PRIu64, v->name_seq);
	}
	if (v->last_seq == 0)
		begin_log(v, &h);
	else if (v->chain.have)
		follow(v, &h, l);
	if (!v->chain.have)
		v->chain.first = h.seq;
	v->chain.have = true;
	v->chain.last = v->last_seq = h.seq;
	if (v->tail_next) {
		v->tail_next = false;
		(void)snprintf(v->tail_time, sizeof(v->tail_time), "%.*s",
		    IA_TIME, h.time);
	}
	v->last_is_checkpoint = ia_event_is(&h, "Checkpoint");
	if (!ia_event_known(&h))
		v->unknown_seq = h.seq;
	ia_trust_line(v, &h, l, hash);
	note_time(v, &h);
	memcpy(v->chain.head, hash, IA_HEX);
	memcpy(v->head, hash, IA_HEX);
	v->line_before = v->line;
	v->first_of_file = v->before_elsewhere = false;
}

void
ia_verify_end(struct ia_verify *v, bool last)
{
	struct ia_where	 at;

	ia_here(v, 0, &at);
	if (v->line == 0 && v->name_seq != 0)
		ia_fault(v, &at, "a closed file that is empty");
	if (v->torn > 0 && !last) {
		ia_fault(v, &at, "the last line is not whole");
		v->torn = 0;
	}
	if (!last && v->line > 0 && !v->last_is_checkpoint &&
	    v->unclosed++ == 0)
		(void)strlcpy(v->unclosed_path, v->path,
		    sizeof(v->unclosed_path));
}

enum ia_verdict
ia_verify_finish(struct ia_verify *v)
{
	uint64_t	 sealed = v->chain.sealed, first = v->chain.first;

	if (v->chain.have)
		v->tail = v->chain.last - (sealed > 0 ? sealed : first - 1);
	if (v->last_seq == 0 && v->faults == 0)
		ia_verify_unproven(v, "there is no line of an audit log");
	ia_trust_finish(v);
	/* A Checkpoint with a letter changed, or a later igra-auditd's. */
	if (v->tail > 0 && v->unknown_seq > v->chain.last - v->tail)
		ia_verify_unproven(v, "seq %" PRIu64 ", which nothing proves, "
		    "is an event that is not known", v->unknown_seq);
	if (v->o.sealed && v->tail > 0)
		ia_verify_unproven(v, "nothing proves the last %" PRIu64
		    " lines", v->tail);
	else if (v->o.sealed && v->torn > 0)
		ia_verify_unproven(v, "nothing proves the unfinished line at "
		    "the end");
	cut(v);
	if (v->faults > 0)
		return IA_TAMPERED;
	return v->nreasons > 0 ? IA_UNPROVEN : IA_INTACT;
}
