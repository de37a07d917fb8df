/*
 * Audit records from keyd to the log.  Input: a byte that says how much to
 * blow up the first one's texts (0x80) and destinations (0x40), then an
 * AUDIT_APPEND payload.  Each record becomes one line of JSON of at most
 * 256 KiB that the chain's reader knows as the next, whatever its texts hold;
 * or nothing, if it is malformed, or a signature's and too long.
 */
#include <errno.h>
#include <string.h>

#include "auditd/record.h"
#include "messages.h"

#include "fuzz.h"

static void	repeat(struct pool *, struct bytes *, size_t, size_t);
static void	blow_up(struct pool *, struct audit_record *, uint8_t);
static void	append(struct chain *, const struct audit_record *);
static void	check_line(const char *, size_t, const struct chain *,
		    const struct audit_record *);
static void	check_members(struct json *, const struct audit_record *);

static void
check_members(struct json *v, const struct audit_record *r)
{
	uint64_t	 n;

	CHECK(json_is_string(json_get(v, "event_type"),
	    audit_event_name(r->event)));
	CHECK(json_is_string(json_get(v, "source"),
	    audit_source_name(r->source)));
	CHECK(json_is_string(json_get(v, "result"),
	    r->success ? "Success" : "Failure"));
	CHECK(r->success || json_get(v, "error") != NULL);
	CHECK(json_get(v, "request_id") != NULL);
	CHECK((json_get(v, "kseq") != NULL) == audit_has(r, FIELD_KSEQ));
	if (audit_has(r, FIELD_OUTFLOW))
		CHECK(json_u64(json_get(v, "outflow_sompi"), UINT64_MAX,
		    &n) == 0 && n == r->v[FIELD_OUTFLOW].u);
	if (audit_has(r, FIELD_DESTINATIONS))
		CHECK(json_get(v, "destinations") != NULL ||
		    (json_get(v, "destinations_omitted") != NULL &&
		    !(r->event == EV_SIGNING && r->success)));
}

static void
check_line(const char *line, size_t len, const struct chain *after,
    const struct audit_record *r)
{
	struct chain_line	 cl;
	struct pool		 pool;
	struct json		*v;
	char			 err[256];
	size_t			 i;

	CHECK(len <= AUDIT_MAX_LINE && line[len - 1] == '\n');
	for (i = 0; i < len - 1; i++)
		CHECK((uint8_t)line[i] >= 0x20 && line[i] != 0x7f);
	CHECK(json_strict(line, len - 1));
	pool_init(&pool, 0);
	CHECK((v = json_parse(&pool, line, len - 1, err, sizeof(err))) !=
	    NULL);
	check_members(v, r);
	pool_free(&pool);
	CHECK(chain_begins(line, len));
	CHECK(chain_parse(line, len, &cl) == 0);
	CHECK(cl.seq == after->seq + 1);
	CHECK(memcmp(cl.prev, after->head, sizeof(cl.prev)) == 0);
	/* Absent fields are 0. */
	CHECK(cl.kseq == (r->v[FIELD_KSEQ].u != 0 ? r->v[FIELD_KSEQ].u :
	    r->v[FIELD_LAST_KSEQ].u));
	CHECK(cl.reservation == r->v[FIELD_RESERVATION].u);
	CHECK(cl.checkpoint == (r->event == EV_CHECKPOINT));
}

static void
repeat(struct pool *pool, struct bytes *b, size_t times, size_t max)
{
	uint8_t	*p;
	size_t	 i;

	if (b->len == 0)
		return;
	if (times > max / b->len)
		times = max / b->len;
	if (times < 2)
		return;
	CHECK((p = pool_alloc(pool, times, b->len)) != NULL);
	for (i = 0; i < times; i++)
		memcpy(p + i * b->len, b->p, b->len);
	b->p = p;
	b->len *= times;
}

/* To what the decoder takes at most: long lines from short inputs. */
static void
blow_up(struct pool *pool, struct audit_record *r, uint8_t how)
{
	size_t		 times = (size_t)1 << (how & 0x0f);
	unsigned	 f;

	for (f = 0; f < FIELD_MAX; f++) {
		if (!audit_has(r, f))
			continue;
		if (audit_field_kind(f) == AK_STR && (how & 0xb0) == 0x80)
			repeat(pool, &r->v[f].b, times, AUDIT_MAX_STR);
		else if (audit_field_kind(f) == AK_DESTINATIONS &&
		    (how & 0x70) == 0x40)
			repeat(pool, &r->v[f].b, times, AUDIT_MAX_LINE);
	}
}

static void
append(struct chain *after, const struct audit_record *r)
{
	const struct line_clock	 clock = { { 1700000000, 123456789 }, 1000 };
	struct json_out		 o;
	const char		*text;
	char			*line;
	size_t			 len;

	errno = 0;
	if ((text = line_format(&o, r, after, &clock, &len)) == NULL) {
		CHECK((errno == EINVAL && audit_has(r, FIELD_DESTINATIONS)) ||
		    (errno == EMSGSIZE && r->event == EV_SIGNING &&
		    r->success));
		json_out_free(&o);
		return;
	}
	CHECK((line = malloc(len + 1)) != NULL);
	memcpy(line, text, len);
	line[len] = '\n';
	json_out_free(&o);
	check_line(line, len + 1, after, r);
	chain_add(after, r->v[FIELD_KSEQ].u, r->v[FIELD_RESERVATION].u, line,
	    len + 1);
	free(line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct msg_audit_append	 m;
	struct chain		 chain = { 0 };
	struct pool		 pool;
	uint32_t		 i;

	if (size < 1)
		return 0;
	pool_init(&pool, 0);
	if (dec_audit_append(data + 1, size - 1, &pool, &m) == 0)
		for (i = 0; i < m.n && i < 16; i++) {
			if (i == 0)
				blow_up(&pool, &m.record[i], data[0]);
			append(&chain, &m.record[i]);
		}
	pool_free(&pool);
	return 0;
}
