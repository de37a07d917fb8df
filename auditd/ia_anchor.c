/* What an auditor keeps elsewhere: anchors and a Checkpoint. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json.h"

#include "auditd/ia_checkpoint.h"

#define POOL_MAX	(4 * 1024 * 1024)

static int	 push(struct ia_anchors *, uint64_t, const char *);
static int	 add_text(struct ia_anchors *, const char *, size_t);
static int	 add_json(struct ia_anchors *, const char *, size_t);
static int	 add_file(struct ia_anchors *, const char *, char *, size_t);
static int	 by_seq(const void *, const void *);
static int	 open_kept(const char *, struct ia_reader *, char *, size_t);

static int
push(struct ia_anchors *a, uint64_t seq, const char *head)
{
	struct ia_anchor	*more;
	size_t			 i, cap;

	if (seq == 0 || seq == UINT64_MAX || a->n == IA_ANCHORS_MAX)
		return -1;
	if (a->n == a->cap) {
		cap = a->cap == 0 ? 16 : 2 * a->cap;
		if ((more = reallocarray(a->v, cap, sizeof(*more))) == NULL)
			return -1;
		a->v = more;
		a->cap = cap;
	}
	a->v[a->n].seq = seq;
	for (i = 0; i < IA_HEX; i++)
		a->v[a->n].head[i] = head[i] >= 'A' && head[i] <= 'F' ?
		    (char)(head[i] - 'A' + 'a') : head[i];
	if (!ia_is_hex(a->v[a->n].head, IA_HEX))
		return -1;
	a->n++;
	return 0;
}

/* SEQ:HEAD, and nothing else. */
static int
add_text(struct ia_anchors *a, const char *text, size_t len)
{
	uint64_t	 seq = 0, d;
	size_t		 i;

	for (i = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
		d = (uint64_t)(text[i] - '0');
		if (seq > (UINT64_MAX - d) / 10)
			return -1;
		seq = seq * 10 + d;
	}
	if (i == 0 || i == len || text[i] != ':' || len - i - 1 != IA_HEX)
		return -1;
	return push(a, seq, text + i + 1);
}

static int
add_json(struct ia_anchors *a, const char *text, size_t len)
{
	const struct json	*v, *in, *seq, *head;
	struct pool		 pool;
	char			 err[256];
	uint64_t		 n;
	int			 ret = -1;

	pool_init(&pool, POOL_MAX);
	if ((v = json_parse(&pool, text, len, err, sizeof(err))) == NULL)
		goto out;
	if ((in = json_get(v, "result")) != NULL && in->type == JSON_OBJECT)
		v = in;
	if ((in = json_get(v, "audit")) != NULL)
		v = in;
	if (json_is_string(json_get(v, "event_type"), "Checkpoint"))
		seq = json_get(v, "covered_seq");
	else
		seq = json_get(v, "seq");
	head = json_get(v, "head");
	if (json_u64(seq, UINT64_MAX, &n) == 0 && head != NULL &&
	    head->type == JSON_STRING && head->text.len == IA_HEX)
		ret = push(a, n, (const char *)head->text.p);
out:
	pool_free(&pool);
	return ret;
}

static int
open_kept(const char *path, struct ia_reader *r, char *err, size_t errlen)
{
	int	 fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd == -1 || ia_reader_init(r) == -1) {
		(void)snprintf(err, errlen, "%s: %s", path, strerror(errno));
		if (fd != -1)
			close(fd);
		return -1;
	}
	ia_reader_start(r, fd);
	return 0;
}

static int
add_file(struct ia_anchors *a, const char *path, char *err, size_t errlen)
{
	struct ia_reader	 r;
	struct ia_line		 l;
	const char		*brace;
	size_t			 before = a->n;
	int			 n, bad = 0;

	if (open_kept(path, &r, err, errlen) == -1)
		return -1;
	while (!bad && (n = ia_reader_next(&r, &l)) == 1) {
		while (l.len > 0 && (l.p[l.len - 1] == '\n' ||
		    l.p[l.len - 1] == '\r' || l.p[l.len - 1] == ' '))
			l.len--;
		if (l.len == 0)
			continue;
		brace = memchr(l.p, '{', l.len);
		if (l.kind == IA_LONG)
			bad = 1;
		else if (brace != NULL)
			bad = add_json(a, brace,
			    (size_t)(l.p + l.len - brace)) == -1;
		else
			bad = add_text(a, l.p, l.len) == -1;
		if (bad && a->n == IA_ANCHORS_MAX)
			(void)snprintf(err, errlen, "%s:%llu: more than %u "
			    "anchors: give the newest, which prove the rest",
			    path, (unsigned long long)l.lineno,
			    IA_ANCHORS_MAX);
		else if (bad)
			(void)snprintf(err, errlen, "%s:%llu: neither SEQ:HEAD "
			    "nor JSON with seq and head", path,
			    (unsigned long long)l.lineno);
	}
	if (!bad && n == -1) {
		(void)snprintf(err, errlen, "%s: %s", path, strerror(errno));
		bad = 1;
	} else if (!bad && a->n == before) {
		(void)snprintf(err, errlen, "%s: no anchor in it", path);
		bad = 1;
	}
	close(r.fd);
	ia_reader_free(&r);
	return bad ? -1 : 0;
}

int
ia_anchor_add(struct ia_anchors *a, const char *arg, char *err, size_t errlen)
{
	if (strspn(arg, "0123456789") > 0 &&
	    arg[strspn(arg, "0123456789")] == ':') {
		if (add_text(a, arg, strlen(arg)) == 0)
			return 0;
		(void)snprintf(err, errlen, "not a seq, a colon and 64 hex "
		    "digits");
		return -1;
	}
	return add_file(a, arg, err, errlen);
}

static int
by_seq(const void *a, const void *b)
{
	const struct ia_anchor	*x = a, *y = b;

	return (x->seq > y->seq) - (x->seq < y->seq);
}

void
ia_anchors_sort(struct ia_anchors *a)
{
	if (a->n > 1)
		qsort(a->v, a->n, sizeof(*a->v), by_seq);
}

void
ia_anchors_free(struct ia_anchors *a)
{
	free(a->v);
	memset(a, 0, sizeof(*a));
}

int
ia_kept_read(const char *path, struct ia_kept *k, char *err, size_t errlen)
{
	struct ia_reader	 r;
	struct ia_line		 l;
	struct ia_head		 h;
	const char		*wrong, *brace;
	int			 n;

	if (open_kept(path, &r, err, errlen) == -1)
		return -1;
	n = ia_reader_next(&r, &l);
	/* A journal puts something before it. */
	if (n == 1 && (brace = memchr(l.p, '{', l.len)) != NULL) {
		l.len -= (size_t)(brace - l.p);
		l.p = brace;
	}
	if (n == -1)
		wrong = strerror(errno);
	else if (n == 0)
		wrong = "is empty";
	else if (l.kind != IA_LINE)
		wrong = "is not one whole line with its newline";
	else if ((wrong = ia_head_parse(l.p, l.len, &h)) == NULL) {
		if (!ia_event_is(&h, "Checkpoint"))
			wrong = "is no Checkpoint";
		else
			wrong = ia_checkpoint_parse(l.p, l.len, &h, &k->cp);
	}
	if (wrong == NULL)
		ia_hash(l.p, l.len, k->hash);
	else
		(void)snprintf(err, errlen, "%s: %s", path, wrong);
	close(r.fd);
	ia_reader_free(&r);
	return wrong == NULL ? 0 : -1;
}
