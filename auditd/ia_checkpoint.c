#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "common/json.h"
#include "proto/record.h"

#include "auditd/ia_checkpoint.h"
#include "auditd/record.h"

#define POOL_MAX	(4 * 1024 * 1024)
#define LABEL		"igra-audit-checkpoint-v1"
#define SIGNED_MAX	512

struct fields {
	const struct json	*root;
	uint8_t			 signature[crypto_sign_BYTES];
};

static bool	 is_text(const struct json *, const char *, const char *, size_t);
static int	 get_key(const struct json *, const char *, uint8_t *, size_t);
static const char *check_members(const struct json *, const struct ia_head *);
static const char *read_values(struct fields *, const struct ia_head *,
		    struct ia_checkpoint *);
static bool	 signed_by_key(const struct fields *,
		    const struct ia_checkpoint *);
static bool	 is_canonical(const struct fields *, const struct ia_head *,
		    const struct ia_checkpoint *, const char *, size_t);
static time_t	 time_of(const char *, long *);

static bool
is_text(const struct json *root, const char *name, const char *text,
    size_t len)
{
	const struct json	*v = json_get(root, name);

	return v != NULL && v->type == JSON_STRING && v->text.len == len &&
	    memcmp(v->text.p, text, len) == 0;
}

static int
get_key(const struct json *root, const char *name, uint8_t *out, size_t size)
{
	const struct json	*v = json_get(root, name);
	const char		*text;
	size_t			 n;

	if (v == NULL || v->type != JSON_STRING || v->text.len != 2 * size)
		return -1;
	text = (const char *)v->text.p;
	if (!ia_is_hex(text, 2 * size))
		return -1;
	return sodium_hex2bin(out, size, text, 2 * size, NULL, &n, NULL) == 0 &&
	    n == size ? 0 : -1;
}

int
ia_key_parse(const char *text, uint8_t key[IA_KEY])
{
	size_t	 n;

	return strlen(text) == 2 * IA_KEY && sodium_hex2bin(key, IA_KEY, text,
	    2 * IA_KEY, NULL, &n, NULL) == 0 && n == IA_KEY ? 0 : -1;
}

/* What every Checkpoint says the same way, or says twice. */
static const char *
check_members(const struct json *root, const struct ia_head *h)
{
	char		 id[32];
	uint64_t	 covered;

	(void)snprintf(id, sizeof(id), "req-%016" PRIx64, h->seq);
	if (!json_is_string(json_get(root, "source"), "auditd") ||
	    !json_is_string(json_get(root, "request_id"), id) ||
	    !json_is_string(json_get(root, "result"), "Success"))
		return "a Checkpoint that igra-auditd did not write: its "
		    "source, request_id or result is another";
	if (json_u64(json_get(root, "covered_seq"), UINT64_MAX, &covered) == -1 ||
	    covered != h->seq - 1)
		return "the Checkpoint's covered_seq is not that of the line "
		    "before";
	if (!is_text(root, "head", h->prev, IA_HEX))
		return "the Checkpoint's head is not its prev";
	if (!is_text(root, "time", h->time, IA_TIME))
		return "the Checkpoint's time is not its timestamp";
	return NULL;
}

static const char *
read_values(struct fields *f, const struct ia_head *h,
    struct ia_checkpoint *cp)
{
	cp->seq = h->seq;
	memcpy(cp->head, h->prev, IA_HEX);
	memcpy(cp->time, h->time, IA_TIME);
	cp->time[IA_TIME] = '\0';
	if (get_key(f->root, "origin", cp->origin, IA_KEY) == -1 ||
	    get_key(f->root, "key", cp->key, IA_KEY) == -1 ||
	    get_key(f->root, "next_key", cp->next, IA_KEY) == -1)
		return "the Checkpoint has no origin, key and next_key of 64 "
		    "digits";
	if (get_key(f->root, "signature", f->signature,
	    sizeof(f->signature)) == -1)
		return "the Checkpoint has no signature of 128 digits";
	return NULL;
}

/* The text of igra-audit-log(5), from the values as they stand in the line. */
static bool
signed_by_key(const struct fields *f, const struct ia_checkpoint *cp)
{
	char	 text[SIGNED_MAX], origin[2 * IA_KEY + 1], next[2 * IA_KEY + 1];
	int	 n;

	sodium_bin2hex(origin, sizeof(origin), cp->origin, IA_KEY);
	sodium_bin2hex(next, sizeof(next), cp->next, IA_KEY);
	n = snprintf(text, sizeof(text), LABEL "\n%s\n%" PRIu64 "\n%.*s\n%s\n"
	    "%s\n", origin, cp->seq - 1, IA_HEX, cp->head, cp->time, next);
	return n > 0 && (size_t)n < sizeof(text) &&
	    crypto_sign_verify_detached(f->signature,
	    (const unsigned char *)text, (unsigned long long)n, cp->key) == 0;
}

/* A timestamp whose form has been checked; -1 is no time either. */
static time_t
time_of(const char *text, long *ns)
{
	struct tm	 tm;

	memset(&tm, 0, sizeof(tm));
	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%9ldZ", &tm.tm_year,
	    &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec,
	    ns) != 7)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return timegm(&tm);
}

/* Written anew by the writer's own code, is it the same? */
static bool
is_canonical(const struct fields *f, const struct ia_head *h,
    const struct ia_checkpoint *cp, const char *line, size_t len)
{
	struct audit_record	 r;
	struct line_clock	 clock = { .mono_ns = 0 };
	struct chain		 after = { .seq = cp->seq - 1 };
	struct json_out		 o;
	const char		*text;
	size_t			 n, size;
	bool			 same;

	clock.real.tv_sec = time_of(cp->time, &clock.real.tv_nsec);
	if (sodium_hex2bin(after.head, sizeof(after.head), h->prev, IA_HEX,
	    NULL, &n, NULL) != 0)
		return false;
	audit_record_init(&r, EV_CHECKPOINT, SRC_AUDITD, true);
	audit_set_bytes(&r, FIELD_ORIGIN, cp->origin, IA_KEY);
	audit_set_bytes(&r, FIELD_KEY, cp->key, IA_KEY);
	audit_set_u64(&r, FIELD_COVERED_SEQ, cp->seq - 1);
	audit_set_bytes(&r, FIELD_HEAD, after.head, sizeof(after.head));
	audit_set_str(&r, FIELD_TIME, cp->time);
	audit_set_bytes(&r, FIELD_NEXT_KEY, cp->next, IA_KEY);
	audit_set_bytes(&r, FIELD_SIGNATURE, f->signature,
	    sizeof(f->signature));
	text = line_format(&o, &r, &after, &clock, &size);
	same = text != NULL && size + 1 == len &&
	    memcmp(text, line, size) == 0;
	json_out_free(&o);
	return same;
}

const char *
ia_checkpoint_parse(const char *line, size_t len, const struct ia_head *h,
    struct ia_checkpoint *cp)
{
	struct fields	 f;
	struct pool	 pool;
	const char	*wrong;
	char		 err[256];

	memset(cp, 0, sizeof(*cp));
	pool_init(&pool, POOL_MAX);
	f.root = json_parse(&pool, line, len, err, sizeof(err));
	if (f.root == NULL)
		wrong = "the Checkpoint is not JSON";
	else if ((wrong = check_members(f.root, h)) == NULL &&
	    (wrong = read_values(&f, h, cp)) == NULL &&
	    !signed_by_key(&f, cp))
		wrong = "the Checkpoint's signature does not verify: what it "
		    "covers or the line itself was changed";
	if (wrong == NULL)
		cp->canonical = is_canonical(&f, h, cp, line, len);
	pool_free(&pool);
	return wrong;
}
