/* Single members of a PSKT: type, range and encoding, with the path if wrong. */
#include <stdio.h>
#include <string.h>

#include "pskt_int.h"

#define MAX_PATH_TEXT	255	/* what proto carries */

static int	 path_valid(const struct bytes *);

/* Value of a hex digit plus one; 0 for all else. */
static const uint8_t digit[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6,
	['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
	['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

int
pskt_unhex(const uint8_t *text, size_t n, uint8_t *out)
{
	uint8_t	 high, low;
	size_t	 i;

	if (n % 2 != 0)
		return -1;
	for (i = 0; i < n; i += 2) {
		high = digit[text[i]];
		low = digit[text[i + 1]];
		if (high == 0 || low == 0)
			return -1;
		out[i / 2] = (uint8_t)((high - 1) << 4 | (low - 1));
	}
	return 0;
}

void
pskt_hex(const void *p, size_t len, char *out)
{
	static const char	 digits[] = "0123456789abcdef";
	const uint8_t		*b = p;
	size_t			 i;

	for (i = 0; i < len; i++) {
		out[2 * i] = digits[b[i] >> 4];
		out[2 * i + 1] = digits[b[i] & 15];
	}
}

int
rd_fail(struct reader *r, enum pskt_code code, const struct json *v,
    const char *name, const char *what)
{
	char	 path[256];

	json_path(r->root, v, path, sizeof(path));
	r->e->code = code;
	(void)snprintf(r->e->message, sizeof(r->e->message), "%s%s%s%s%s", path,
	    path[0] != '\0' && name != NULL ? "." : "",
	    name != NULL ? name : "",
	    path[0] != '\0' || name != NULL ? ": " : "", what);
	return -1;
}

/* Without memory a note is lost, but never a refusal. */
void
rd_note(struct reader *r, enum note_kind kind, const struct json *v,
    const char *name, const char *what)
{
	char	 path[256];

	if (r->note[kind].n++ != 0)
		return;
	json_path(r->root, v, path, sizeof(path));
	r->note[kind].text = pool_printf(r->pool, "%s.%s: %s", path, name,
	    what);
}

static const char *
expected(enum json_type type)
{
	static const char	*const names[] = {
		[JSON_NULL] = "must be null",
		[JSON_BOOL] = "must be true or false",
		[JSON_NUMBER] = "must be a number",
		[JSON_STRING] = "must be a string",
		[JSON_ARRAY] = "must be an array",
		[JSON_OBJECT] = "must be an object",
	};

	return names[type];
}

const struct json *
rd_get(struct reader *r, const struct json *obj, const char *name,
    enum json_type type)
{
	const struct json	*v;

	if ((v = json_get(obj, name)) == NULL) {
		rd_fail(r, PSKT_INVALID, obj, name, "missing");
		return NULL;
	}
	if (v->type != type) {
		rd_fail(r, PSKT_INVALID, v, NULL, expected(type));
		return NULL;
	}
	return v;
}

int
rd_opt(struct reader *r, const struct json *obj, const char *name,
    enum json_type type, bool may_be_absent, const struct json **v)
{
	*v = json_get(obj, name);
	if (*v == NULL && !may_be_absent)
		return rd_fail(r, PSKT_INVALID, obj, name, "missing");
	if (*v == NULL || (*v)->type == JSON_NULL)
		return 0;
	if ((*v)->type != type)
		return rd_fail(r, PSKT_INVALID, *v, NULL, expected(type));
	return 1;
}

static int
integer(struct reader *r, const struct json *v, uint64_t max, uint64_t *out)
{
	char	 what[80];

	if (json_u64(v, max, out) == 0)
		return 0;
	(void)snprintf(what, sizeof(what),
	    "must be a plain integer from 0 to %llu", (unsigned long long)max);
	return rd_fail(r, PSKT_INVALID, v, NULL, what);
}

int
rd_u64(struct reader *r, const struct json *obj, const char *name,
    uint64_t max, uint64_t *out)
{
	const struct json	*v;

	if ((v = json_get(obj, name)) == NULL)
		return rd_fail(r, PSKT_INVALID, obj, name, "missing");
	return integer(r, v, max, out);
}

int
rd_opt_u64(struct reader *r, const struct json *obj, const char *name,
    uint64_t max, uint64_t *out)
{
	const struct json	*v;

	if ((v = json_get(obj, name)) == NULL || v->type == JSON_NULL)
		return 0;
	return integer(r, v, max, out) == -1 ? -1 : 1;
}

int
rd_bool(struct reader *r, const struct json *obj, const char *name)
{
	return rd_get(r, obj, name, JSON_BOOL) == NULL ? -1 : 0;
}

int
rd_bytes(struct reader *r, const struct json *v, size_t max, struct bytes *out)
{
	char	 what[64];
	uint8_t	*b;

	if (v->type != JSON_STRING)
		return rd_fail(r, PSKT_INVALID, v, NULL, expected(JSON_STRING));
	if (v->text.len / 2 > max) {
		(void)snprintf(what, sizeof(what), "longer than %zu bytes", max);
		return rd_fail(r, PSKT_INVALID, v, NULL, what);
	}
	if ((b = pool_alloc(r->pool, v->text.len / 2 + 1, 1)) == NULL)
		return rd_fail(r, PSKT_TOO_LARGE, v, NULL, "out of memory");
	if (pskt_unhex(v->text.p, v->text.len, b) == -1)
		return rd_fail(r, PSKT_INVALID, v, NULL,
		    v->text.len % 2 != 0 ? "odd number of hex digits" :
		    "not hex");
	out->p = b;
	out->len = v->text.len / 2;
	return 0;
}

int
rd_fixed(struct reader *r, const struct json *v, uint8_t *out, size_t len)
{
	char	 what[64];

	if (v->type != JSON_STRING || v->text.len != 2 * len ||
	    pskt_unhex(v->text.p, v->text.len, out) == -1) {
		(void)snprintf(what, sizeof(what), "must be %zu hex digits",
		    2 * len);
		return rd_fail(r, PSKT_INVALID, v, NULL, what);
	}
	return 0;
}

int
rd_key(struct reader *r, const struct json *v, uint8_t key[33])
{
	if (v->key.len != 66 || pskt_unhex(v->key.p, 66, key) == -1 ||
	    (key[0] != 2 && key[0] != 3))
		return rd_fail(r, PSKT_INVALID, v, NULL,
		    "name must be a compressed public key, 66 hex digits");
	return 0;
}

/* m, then /N or /N' with N below 2^31 (rusty-kaspa wallet/bip32). */
static int
path_valid(const struct bytes *path)
{
	size_t		 i = 1;
	uint64_t	 n;

	if (path->len == 0 || path->len > MAX_PATH_TEXT || path->p[0] != 'm')
		return 0;
	while (i < path->len) {
		if (path->p[i++] != '/' || i == path->len ||
		    path->p[i] < '0' || path->p[i] > '9')
			return 0;
		for (n = 0; i < path->len && path->p[i] >= '0' &&
		    path->p[i] <= '9'; i++)
			if ((n = n * 10 + (uint64_t)(path->p[i] - '0')) >
			    0x7fffffff)
				return 0;
		if (i < path->len && path->p[i] == '\'')
			i++;
	}
	return 1;
}

int
rd_spk(struct reader *r, const struct json *obj, struct spk *spk)
{
	const struct json	*v;
	struct bytes		 b;

	if ((v = rd_get(r, obj, "scriptPublicKey", JSON_STRING)) == NULL ||
	    rd_bytes(r, v, TX_MAX_SCRIPT + 2, &b) == -1)
		return -1;
	if (b.len < 2)
		return rd_fail(r, PSKT_INVALID, v, NULL,
		    "too short for a version and a script");
	spk->version = (uint16_t)(b.p[0] << 8 | b.p[1]);
	spk->script.p = b.p + 2;
	spk->script.len = b.len - 2;
	return 0;
}

int
rd_key_source(struct reader *r, const struct json *v, struct key_claim *c)
{
	const struct json	*f, *path;

	if (v->type != JSON_OBJECT)
		return rd_fail(r, PSKT_INVALID, v, NULL, expected(JSON_OBJECT));
	if ((f = rd_get(r, v, "keyFingerprint", JSON_STRING)) == NULL ||
	    rd_fixed(r, f, c->fingerprint, sizeof(c->fingerprint)) == -1 ||
	    (path = rd_get(r, v, "derivationPath", JSON_STRING)) == NULL)
		return -1;
	if (!path_valid(&path->text))
		return rd_fail(r, PSKT_INVALID, path, NULL,
		    "must be a path such as m/45'/111111'/0'/0/0/3");
	c->path = path->text;
	c->has_fingerprint = true;
	return 0;
}
