#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "proto/record.h"

#include "auditd/ia_line.h"

#define BUFSIZE		(2 * AUDIT_MAX_LINE)
#define BLOCK		(64 * 1024)	/* at once: stays in the cache */
#define SEQ_KEY		"{\"seq\":"
#define PREV_KEY	",\"prev\":\""
#define TIME_KEY	"\",\"timestamp\":\""
#define EVENT_KEY	"\",\"event_type\":\""
#define EVENT_MAX	40
#define BYTES(c)	(UINT64_C(0x0101010101010101) * (c))

/* All bytes in hex, one after the other. */
#define ROW(h) \
	h "0" h "1" h "2" h "3" h "4" h "5" h "6" h "7" \
	h "8" h "9" h "a" h "b" h "c" h "d" h "e" h "f"
static const char	 pairs[] =
	ROW("0") ROW("1") ROW("2") ROW("3") ROW("4") ROW("5") ROW("6") ROW("7")
	ROW("8") ROW("9") ROW("a") ROW("b") ROW("c") ROW("d") ROW("e") ROW("f");

static int	 fill(struct ia_reader *);
static int	 next(struct ia_reader *, struct ia_line *, bool);
static bool	 literal(const char **, const char *, const char *);
static bool	 has_control(const char *, size_t);
static bool	 is_time(const char *);
static const char *parse_seq(const char **, const char *, uint64_t *);

int
ia_reader_init(struct ia_reader *r)
{
	memset(r, 0, sizeof(*r));
	r->fd = -1;
	return (r->buf = malloc(BUFSIZE)) == NULL ? -1 : 0;
}

void
ia_reader_free(struct ia_reader *r)
{
	free(r->buf);
	r->buf = NULL;
}

void
ia_reader_start(struct ia_reader *r, int fd)
{
	r->fd = fd;
	r->start = r->end = r->scanned = 0;
	r->eof = r->skipping = false;
	r->lineno = 0;
}

/* 1 when there is more, 0 at the end of the file, -1 (errno). */
static int
fill(struct ia_reader *r)
{
	size_t	 room;
	ssize_t	 n;

	if (r->start > 0) {
		memmove(r->buf, r->buf + r->start, r->end - r->start);
		r->end -= r->start;
		r->start = 0;
	}
	room = BUFSIZE - r->end;
	do
		n = read(r->fd, r->buf + r->end, room < BLOCK ? room : BLOCK);
	while (n == -1 && errno == EINTR);
	if (n <= 0)
		return (int)n;
	r->end += (size_t)n;
	r->bytes += (uint64_t)n;
	return 1;
}

static int
next(struct ia_reader *r, struct ia_line *l, bool grows)
{
	const char	*nl;
	int		 more;

	for (;;) {
		nl = memchr(r->buf + r->start + r->scanned, '\n',
		    r->end - r->start - r->scanned);
		l->p = r->buf + r->start;
		l->len = nl != NULL ? (size_t)(nl - l->p) + 1 :
		    r->end - r->start;
		if (nl == NULL && l->len <= AUDIT_MAX_LINE) {
			r->scanned = l->len;
			if ((more = fill(r)) == 1)
				continue;
			if (more == -1)
				return -1;
			if (grows || l->len == 0 || r->skipping)
				return 0;
			l->p = r->buf + r->start;
		}
		r->start += l->len;
		r->scanned = 0;
		if (!r->skipping)
			break;
		/* The rest of a line whose beginning has been returned. */
		r->skipping = nl == NULL;
	}
	l->lineno = ++r->lineno;
	l->end = r->start == r->end;
	if (l->len > AUDIT_MAX_LINE) {
		l->kind = IA_LONG;
		r->skipping = nl == NULL;
	} else
		l->kind = nl != NULL ? IA_LINE : IA_TORN;
	return 1;
}

int
ia_reader_next(struct ia_reader *r, struct ia_line *l)
{
	return next(r, l, false);
}

int
ia_reader_more(struct ia_reader *r, struct ia_line *l)
{
	return next(r, l, true);
}

static bool
literal(const char **p, const char *end, const char *text)
{
	size_t	 n = strlen(text);

	if ((size_t)(end - *p) < n || memcmp(*p, text, n) != 0)
		return false;
	*p += n;
	return true;
}

/* Eight bytes at a time, and four of these: this sees all of the log. */
static bool
has_control(const char *p, size_t len)
{
	uint64_t	 w[4], found[4] = { 0, 0, 0, 0 };
	const char	*end = p + len;
	size_t		 i;

	for (; len >= sizeof(w); p += sizeof(w), len -= sizeof(w)) {
		memcpy(w, p, sizeof(w));
		for (i = 0; i < 4; i++)
			found[i] |= (w[i] - BYTES(0x20)) & ~w[i];
	}
	for (; p < end; p++)
		if ((unsigned char)*p < 0x20)
			return true;
	return ((found[0] | found[1] | found[2] | found[3]) &
	    BYTES(0x80)) != 0;
}

bool
ia_is_hex(const char *p, size_t len)
{
	size_t	 i;

	for (i = 0; i < len; i++)
		if (!(p[i] >= '0' && p[i] <= '9') &&
		    !(p[i] >= 'a' && p[i] <= 'f'))
			return false;
	return true;
}

/*
 * 2026-11-24T08:26:41.123456789Z.  Less the form, a digit leaves 0 to 9 and
 * all else nothing: with room added, whatever is more reaches the top bit.
 */
static bool
is_time(const char *p)
{
	static const char	 form[] = "0000-00-00T00:00:00.000000000Z";
	static const char	 room[] = "vvvv\177vv\177vv\177vv\177vv\177vv"
				    "\177vvvvvvvvv\177";
	static const size_t	 at[] = { 0, 8, 16, IA_TIME - 8 };
	uint64_t		 w, f, r, bad = 0;
	size_t			 i;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		memcpy(&w, p + at[i], sizeof(w));
		memcpy(&f, form + at[i], sizeof(f));
		memcpy(&r, room + at[i], sizeof(r));
		w ^= f;
		/* The top bits are kept apart, so that nothing carries. */
		bad |= w | ((w & BYTES(0x7f)) + r);
	}
	return (bad & BYTES(0x80)) == 0;
}

static const char *
parse_seq(const char **p, const char *end, uint64_t *seq)
{
	const char	*start = *p;
	uint64_t	 d;

	for (*seq = 0; *p < end && **p >= '0' && **p <= '9'; ++*p) {
		d = (uint64_t)(**p - '0');
		if (*seq > (UINT64_MAX - d) / 10)
			return "seq is out of range";
		*seq = *seq * 10 + d;
	}
	/* UINT64_MAX has no successor. */
	if (*p == start || *start == '0' || *seq == UINT64_MAX)
		return "seq is no number from 1";
	return NULL;
}

const char *
ia_head_parse(const char *line, size_t len, struct ia_head *h)
{
	return ia_head_parse_after(line, len, NULL, h);
}

const char *
ia_head_parse_after(const char *line, size_t len, const char *prev,
    struct ia_head *h)
{
	const char	*p = line, *end = line + len, *wrong;

	memset(h, 0, sizeof(*h));
	if (len < 3 || line[len - 1] != '\n' || line[len - 2] != '}' ||
	    !literal(&p, end, SEQ_KEY))
		return "not a line of an audit log";
	if ((wrong = parse_seq(&p, end, &h->seq)) != NULL)
		return wrong;
	if (!literal(&p, end, PREV_KEY) || end - p < IA_HEX ||
	    ((prev == NULL || memcmp(p, prev, IA_HEX) != 0) &&
	    !ia_is_hex(p, IA_HEX)))
		return "prev is no hash";
	h->prev = p;
	p += IA_HEX;
	if (!literal(&p, end, TIME_KEY) || end - p < IA_TIME || !is_time(p))
		return "timestamp is no time";
	h->time = p;
	p += IA_TIME;
	if (!literal(&p, end, EVENT_KEY))
		return "event_type is missing";
	for (h->event = p; p < end && h->event_len < EVENT_MAX &&
	    ((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z')); p++)
		h->event_len++;
	if (h->event_len == 0 || p == end || *p != '"')
		return "event_type is no word";
	if (has_control(line, len - 1))
		return "has a control character in it";
	return NULL;
}

bool
ia_event_is(const struct ia_head *h, const char *name)
{
	return strlen(name) == h->event_len &&
	    memcmp(h->event, name, h->event_len) == 0;
}

bool
ia_event_known(const struct ia_head *h)
{
	unsigned	 i;

	/* The frequent ones are the first. */
	for (i = 0; i < EV_MAX; i++)
		if (ia_event_is(h, audit_event_name(i)))
			return true;
	return false;
}

void
ia_hash(const char *line, size_t len, char hex[IA_HEX])
{
	uint8_t	 hash[CHAIN_HASH];
	size_t	 i;

	crypto_generichash(hash, sizeof(hash), (const uint8_t *)line, len,
	    NULL, 0);
	for (i = 0; i < sizeof(hash); i++)
		memcpy(hex + 2 * i, pairs + 2 * hash[i], 2);
}
