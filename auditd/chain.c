#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "proto/record.h"

#include "auditd/chain.h"

#define SEQ_KEY		"{\"seq\":"
#define PREV_KEY	",\"prev\":\""
#define KSEQ_KEY	",\"kseq\":"
#define LAST_KSEQ_KEY	",\"last_kseq\":"
#define RESERVATION_KEY	",\"reservation\":"
#define CHECKPOINT	",\"event_type\":\"Checkpoint\","
#define EVENT_WITHIN	256
#define BUFSIZE		(4 * AUDIT_MAX_LINE)

/* A scan under way. */
struct reader {
	struct chain_scan		*scan;
	crypto_generichash_state	 overlong;	/* hash of a line ... */
	bool				 in_overlong;	/* ... longer than the buffer */
};

static size_t	 digits(const char *, size_t, uint64_t *);
static bool	 is_event(const char *, size_t, const char *);
static int	 parse_number(const char *, size_t, const char *, uint64_t *);
static void	 line_end(struct reader *, const char *, size_t, off_t);
static void	 mark_break(struct chain_scan *, off_t);
static size_t	 take_lines(struct reader *, const char *, size_t, off_t);

void
chain_add(struct chain *c, uint64_t kseq, uint64_t reservation,
    const void *line, size_t len)
{
	crypto_generichash(c->head, sizeof(c->head), line, len, NULL, 0);
	c->seq++;
	if (kseq > c->kseq)
		c->kseq = kseq;
	if (reservation > c->reservation)
		c->reservation = reservation;
}

/* A JSON integer at p: how many bytes it has, 0 when there is none. */
static size_t
digits(const char *p, size_t len, uint64_t *v)
{
	size_t	 i;
	uint64_t d;

	*v = 0;
	for (i = 0; i < len && p[i] >= '0' && p[i] <= '9'; i++) {
		d = (uint64_t)(p[i] - '0');
		if (*v > (UINT64_MAX - d) / 10)
			return 0;
		*v = *v * 10 + d;
	}
	if (i > 1 && p[0] == '0')
		return 0;
	return i;
}

/*
 * In JSON the quote of a key is unescaped, so no text field can hold these
 * bytes.
 */
static int
parse_number(const char *p, size_t len, const char *key, uint64_t *v)
{
	const char	*hit;

	if ((hit = memmem(p, len, key, strlen(key))) == NULL)
		return 0;
	hit += strlen(key);
	return digits(hit, (size_t)(p + len - hit), v) == 0 ? -1 : 0;
}

/* It follows prev and the timestamp. */
static bool
is_event(const char *p, size_t len, const char *event)
{
	return memmem(p, len < EVENT_WITHIN ? len : EVENT_WITHIN, event,
	    strlen(event)) != NULL;
}

int
chain_parse(const char *line, size_t len, struct chain_line *cl)
{
	const char	*p = line, *end;
	size_t		 n, binlen;

	memset(cl, 0, sizeof(*cl));
	if (len < 3 || len > AUDIT_MAX_LINE ||
	    line[len - 1] != '\n' || line[len - 2] != '}')
		return -1;
	if (len < sizeof(SEQ_KEY) || memcmp(p, SEQ_KEY, sizeof(SEQ_KEY) - 1) != 0)
		return -1;
	p += sizeof(SEQ_KEY) - 1;
	len -= sizeof(SEQ_KEY) - 1;
	if ((n = digits(p, len, &cl->seq)) == 0 || cl->seq == 0)
		return -1;
	p += n;
	len -= n;
	n = sizeof(PREV_KEY) - 1;
	if (len < n + 2 * CHAIN_HASH + 2 || memcmp(p, PREV_KEY, n) != 0)
		return -1;
	p += n;
	len -= n;
	if (sodium_hex2bin(cl->prev, sizeof(cl->prev), p, 2 * CHAIN_HASH, NULL,
	    &binlen, &end) != 0 || binlen != CHAIN_HASH ||
	    p[2 * CHAIN_HASH] != '"')
		return -1;
	cl->checkpoint = is_event(p, len, CHECKPOINT);
	if (parse_number(p, len, RESERVATION_KEY, &cl->reservation) == -1 ||
	    parse_number(p, len, KSEQ_KEY, &cl->kseq) == -1)
		return -1;
	return cl->kseq != 0 ? 0 :
	    parse_number(p, len, LAST_KSEQ_KEY, &cl->kseq);
}

bool
chain_begins(const char *p, size_t len)
{
	size_t		 n = sizeof(SEQ_KEY) - 1;
	uint64_t	 v;

	if (len <= n)
		return memcmp(p, SEQ_KEY, len) == 0;
	if (memcmp(p, SEQ_KEY, n) != 0)
		return false;
	p += n;
	len -= n;
	if ((n = digits(p, len, &v)) == 0)
		return false;
	p += n;
	len -= n;
	n = sizeof(PREV_KEY) - 1;
	return memcmp(p, PREV_KEY, len < n ? len : n) == 0;
}

static void
mark_break(struct chain_scan *s, off_t at)
{
	if (s->breaks++ == 0) {
		s->break_seq = s->chain.seq + 1;
		s->break_at = at;
	}
}

/* One line, or the last piece of one that was longer than the buffer. */
static void
line_end(struct reader *r, const char *p, size_t len, off_t at)
{
	struct chain_scan	*s = r->scan;
	struct chain_line	 cl;
	static const uint8_t	 zero[CHAIN_HASH];

	if (r->in_overlong || chain_parse(p, len, &cl) == -1) {
		if (s->lines == 0) {
			s->foreign = true;
			return;
		}
		mark_break(s, at);
		memset(&cl, 0, sizeof(cl));
	} else {
		/* The first line of a file may continue another file. */
		if (s->lines == 0) {
			s->first_seq = cl.seq;
			memcpy(s->first_prev, cl.prev, CHAIN_HASH);
			s->chain.seq = cl.seq - 1;
			if (cl.seq == 1 && memcmp(cl.prev, zero, CHAIN_HASH) != 0)
				mark_break(s, at);
		} else if (cl.seq != s->chain.seq + 1 ||
		    memcmp(cl.prev, s->chain.head, CHAIN_HASH) != 0)
			mark_break(s, at);
		/* Numbers never go back, whatever stands there. */
		if (cl.seq > s->chain.seq)
			s->chain.seq = cl.seq - 1;
	}
	s->lines++;
	if (s->chain.seq == UINT64_MAX)
		s->chain.seq--;
	if (!r->in_overlong) {
		chain_add(&s->chain, cl.kseq, cl.reservation, p, len);
		if (cl.checkpoint) {
			s->checkpoint_seq = s->chain.seq;
			memcpy(s->checkpoint_head, s->chain.head, CHAIN_HASH);
		}
		return;
	}
	crypto_generichash_update(&r->overlong, (const uint8_t *)p, len);
	crypto_generichash_final(&r->overlong, s->chain.head, CHAIN_HASH);
	s->chain.seq++;
	r->in_overlong = false;
}

/* All complete lines of a buffer that stands at this offset of the file. */
static size_t
take_lines(struct reader *r, const char *buf, size_t len, off_t at)
{
	const char	*nl;
	size_t		 used = 0, n;

	while (!r->scan->foreign && used < len &&
	    (nl = memchr(buf + used, '\n', len - used)) != NULL) {
		n = (size_t)(nl - (buf + used)) + 1;
		line_end(r, buf + used, n, at + (off_t)used);
		used += n;
		r->scan->end = at + (off_t)used;
	}
	return used;
}

int
chain_scan(int fd, struct chain_scan *s)
{
	struct reader	 r = { .scan = s };
	char		*buf;
	size_t		 len = 0, used;
	off_t		 at = 0;	/* of buf in the file */
	ssize_t		 n;

	memset(s, 0, sizeof(*s));
	if ((buf = malloc(BUFSIZE)) == NULL)
		return -1;
	for (;;) {
		n = pread(fd, buf + len, BUFSIZE - len, at + (off_t)len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0 || s->foreign)
			break;
		len += (size_t)n;
		if (s->lines == 0 && !chain_begins(buf, len))
			s->foreign = true;
		used = take_lines(&r, buf, len, at);
		if (used == 0 && len == BUFSIZE) {
			if (!r.in_overlong)
				crypto_generichash_init(&r.overlong, NULL, 0,
				    CHAIN_HASH);
			r.in_overlong = true;
			crypto_generichash_update(&r.overlong,
			    (const uint8_t *)buf, len);
			used = len;
		}
		memmove(buf, buf + used, len - used);
		len -= used;
		at += (off_t)used;
	}
	s->torn = at + (off_t)len - s->end;
	free(buf);
	return n == -1 ? -1 : 0;
}
