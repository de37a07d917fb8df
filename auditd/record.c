#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/utf8.h"

#include "auditd/record.h"

#define SHORT_STR	256	/* bytes of a text in a shortened record */
#define BAD_CHAR	"\xef\xbf\xbd"	/* U+FFFD */

static bool	 plain(const uint8_t *, size_t);
static void	 put_text(struct json_out *, struct bytes, size_t);
static void	 put_timestamp(struct json_out *, const struct timespec *);
static void	 put_request_id(struct json_out *, const struct audit_record *,
		    uint64_t, size_t);
static void	 put_elapsed(struct json_out *, uint64_t, uint64_t);
static int	 count_destinations(struct bytes, uint64_t *);
static void	 put_destinations(struct json_out *, struct bytes);
static void	 put_field(struct json_out *, const struct audit_record *,
		    enum audit_field, const struct line_clock *, size_t);
static const char *format(struct json_out *, const struct audit_record *,
		    const struct chain *, const struct line_clock *,
		    uint64_t, bool, size_t *);

void
line_clock_now(struct line_clock *now)
{
	struct timespec	 mono;

	clock_gettime(CLOCK_REALTIME, &now->real);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	now->mono_ns = (uint64_t)mono.tv_sec * 1000000000U +
	    (uint64_t)mono.tv_nsec;
}

static bool
plain(const uint8_t *p, size_t len)
{
	size_t	 i;

	for (i = 0; i < len; i++)
		if (p[i] >= 0x7f)
			return false;
	return true;
}

/* A text from outside.  yajl escapes the C0 controls; the rest is here. */
static void
put_text(struct json_out *o, struct bytes text, size_t max)
{
	uint8_t	 clean[3 * AUDIT_MAX_STR];
	size_t	 i, n, at = 0, len = text.len < max ? text.len : max;
	int32_t	 c;

	if (len == 0) {
		json_out_string(o, "");
		return;
	}
	if (plain(text.p, len)) {
		json_out_stringn(o, text.p, len);
		return;
	}
	for (i = 0; i < len; i += n) {
		if ((c = utf8_decode(text.p + i, len - i, &n)) == -1)
			n = 1;
		if (c == -1 || (c >= 0x7f && c < 0xa0)) {
			memcpy(clean + at, BAD_CHAR, 3);
			at += 3;
		} else {
			memcpy(clean + at, text.p + i, n);
			at += n;
		}
	}
	json_out_stringn(o, clean, at);
}

void
line_timestamp(char out[LINE_TIME], const struct timespec *ts)
{
	struct tm	 tm;

	if (gmtime_r(&ts->tv_sec, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	(void)snprintf(out, LINE_TIME, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec, ts->tv_nsec);
}

static void
put_timestamp(struct json_out *o, const struct timespec *ts)
{
	char	 text[LINE_TIME];

	line_timestamp(text, ts);
	json_put_string(o, "timestamp", text);
}

/* What no client named gets a name of its own; the number is unique. */
static void
put_request_id(struct json_out *o, const struct audit_record *r, uint64_t seq,
    size_t max)
{
	char	 text[24];

	json_out_key(o, "request_id");
	if (audit_has(r, FIELD_REQUEST_ID) && r->v[FIELD_REQUEST_ID].b.len != 0) {
		put_text(o, r->v[FIELD_REQUEST_ID].b, max);
		return;
	}
	snprintf(text, sizeof(text), "req-%016" PRIx64, seq);
	json_out_string(o, text);
}

static void
put_elapsed(struct json_out *o, uint64_t start, uint64_t now)
{
	uint64_t	 us = now > start ? (now - start) / 1000 : 0;
	char		 text[32];
	int		 n;

	n = snprintf(text, sizeof(text), "%" PRIu64 ".%03u", us / 1000,
	    (unsigned)(us % 1000));
	json_out_raw(o, text, n < 0 ? 0 : (size_t)n);
}

static int
count_destinations(struct bytes b, uint64_t *n)
{
	struct bytes	 address, script;
	uint64_t	 amount;
	struct dec	 d;

	dec_init(&d, b.p, b.len);
	for (*n = 0; audit_dest_next(&d, &address, &script, &amount); ++*n)
		;
	return dec_done(&d);
}

static void
put_destinations(struct json_out *o, struct bytes b)
{
	struct bytes	 address, script;
	uint64_t	 amount;
	struct dec	 d;

	dec_init(&d, b.p, b.len);
	json_out_begin_array(o);
	while (audit_dest_next(&d, &address, &script, &amount)) {
		json_out_begin_object(o);
		if (address.len != 0) {
			json_out_key(o, "address");
			put_text(o, address, AUDIT_MAX_STR);
		} else
			json_put_hex(o, "script", script.p, script.len);
		json_put_u64(o, "amount_sompi", amount);
		json_out_end_object(o);
	}
	json_out_end_array(o);
}

static void
put_field(struct json_out *o, const struct audit_record *r,
    enum audit_field f, const struct line_clock *now, size_t max)
{
	const struct audit_value	*v = &r->v[f];

	json_out_key(o, audit_field_name(f));
	switch (audit_field_kind(f)) {
	case AK_STR:
		put_text(o, v->b, max);
		break;
	case AK_HEX:
		json_out_hex(o, v->b.p, v->b.len);
		break;
	case AK_U64:
		json_out_u64(o, v->u);
		break;
	case AK_BOOL:
		json_out_bool(o, v->u != 0);
		break;
	case AK_SINCE:
		put_elapsed(o, v->u, now->mono_ns);
		break;
	case AK_DESTINATIONS:
		put_destinations(o, v->b);
		break;
	}
}

static const char *
format(struct json_out *o, const struct audit_record *r,
    const struct chain *after, const struct line_clock *now,
    uint64_t ndest, bool whole, size_t *len)
{
	size_t		 max = whole ? AUDIT_MAX_STR : SHORT_STR;
	unsigned	 f;

	if (json_out_init(o, AUDIT_MAX_LINE - 1) == -1)
		return NULL;
	json_out_begin_object(o);
	json_put_u64(o, "seq", after->seq + 1);
	json_put_hex(o, "prev", after->head, sizeof(after->head));
	put_timestamp(o, &now->real);
	json_put_string(o, "event_type", audit_event_name(r->event));
	json_put_string(o, "source", audit_source_name(r->source));
	put_request_id(o, r, after->seq + 1, max);
	json_put_string(o, "result", r->success ? "Success" : "Failure");
	if (audit_has(r, FIELD_ERROR))
		put_field(o, r, FIELD_ERROR, now, max);
	else if (!r->success)
		json_put_string(o, "error", "unspecified");
	for (f = 0; f < FIELD_MAX; f++) {
		if (!audit_has(r, f) || f == FIELD_REQUEST_ID || f == FIELD_ERROR)
			continue;
		if (f == FIELD_DESTINATIONS && !whole)
			json_put_u64(o, "destinations_omitted", ndest);
		else
			put_field(o, r, f, now, max);
	}
	json_out_end_object(o);
	return json_out_text(o, len);
}

const char *
line_format(struct json_out *o, const struct audit_record *r,
    const struct chain *after, const struct line_clock *now, size_t *len)
{
	const char	*text;
	uint64_t	 ndest = 0;

	memset(o, 0, sizeof(*o));
	if (audit_has(r, FIELD_DESTINATIONS) &&
	    count_destinations(r->v[FIELD_DESTINATIONS].b, &ndest) == -1) {
		errno = EINVAL;
		return NULL;
	}
	if ((text = format(o, r, after, now, ndest, true, len)) != NULL)
		return text;
	if (r->event == EV_SIGNING && r->success) {
		errno = EMSGSIZE;
		return NULL;
	}
	json_out_free(o);
	memset(o, 0, sizeof(*o));
	if ((text = format(o, r, after, now, ndest, false, len)) == NULL)
		errno = ENOMEM;
	return text;
}
