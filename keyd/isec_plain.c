/* The plaintext of a secrets file that a tool changes. */
#include <sys/types.h>
#include <sys/endian.h>

#include <string.h>

#include <sodium.h>

#include "isec.h"
#include "names.h"

static int	plain_reserve(struct isec_plain *, size_t, const char **);
static int	plain_splice(struct isec_plain *, size_t, size_t, size_t,
		    const char **);
static bool	plain_locate(const struct isec_plain *, const char *,
		    size_t *, struct isec_entry *);
static int	plain_name_ok(const char *, const char **);

/* sodium_free() wipes what the buffer held. */
static int
plain_reserve(struct isec_plain *p, size_t need, const char **errstr)
{
	uint8_t	*n;
	size_t	 cap = p->cap == 0 ? 4096 : p->cap;

	if (need > ISEC_MAX_PLAIN) {
		*errstr = "secrets file would be larger than 16 MiB";
		return -1;
	}
	while (cap < need)
		cap *= 2;
	if (cap == p->cap)
		return 0;
	if ((n = sodium_malloc(cap)) == NULL) {
		*errstr = "out of memory";
		return -1;
	}
	if (p->buf != NULL)
		memcpy(n, p->buf, p->len);
	sodium_free(p->buf);
	p->buf = n;
	p->cap = cap;
	return 0;
}

/* Makes room of newlen bytes where oldlen are at off; keeps what follows. */
static int
plain_splice(struct isec_plain *p, size_t off, size_t oldlen, size_t newlen,
    const char **errstr)
{
	size_t	 tail = p->len - off - oldlen, total;

	if (newlen > ISEC_MAX_PLAIN) {
		*errstr = "secrets file would be larger than 16 MiB";
		return -1;
	}
	total = p->len - oldlen + newlen;
	if (plain_reserve(p, total, errstr) == -1)
		return -1;
	memmove(p->buf + off + newlen, p->buf + off + oldlen, tail);
	if (total < p->len)
		sodium_memzero(p->buf + total, p->len - total);
	p->len = total;
	return 0;
}

/* *start is the offset of the record of name, its end is in e. */
static bool
plain_locate(const struct isec_plain *p, const char *name, size_t *start,
    struct isec_entry *e)
{
	size_t	 n = strlen(name), pos = ISEC_COUNT_LEN;

	for (*start = pos; isec_next(p->buf, p->len, &pos, e); *start = pos)
		if (e->namelen == n && memcmp(e->name, name, n) == 0)
			return true;
	return false;
}

static int
plain_name_ok(const char *name, const char **errstr)
{
	if (secret_name_valid(name, strlen(name)))
		return 0;
	*errstr = "name of a secret must be 1 to 256 bytes of UTF-8 without "
	    "blanks and control characters";
	return -1;
}

int
isec_plain_init(struct isec_plain *p)
{
	const char	*errstr;

	memset(p, 0, sizeof(*p));
	if (plain_reserve(p, ISEC_COUNT_LEN, &errstr) == -1)
		return -1;
	le64enc(p->buf, 0);
	p->len = ISEC_COUNT_LEN;
	return 0;
}

int
isec_plain_open(struct isec_plain *p, const uint8_t *file, size_t len,
    const uint8_t key[ISEC_KEY_LEN], const char **errstr)
{
	struct isec_header	 h;

	isec_plain_free(p);
	if (isec_parse_header(file, len, &h, errstr) == -1)
		return -1;
	if (plain_reserve(p, len - ISEC_OVERHEAD, errstr) == -1)
		return -1;
	if (isec_open(file, len, key, p->buf, p->cap, &p->len, errstr) == -1 ||
	    isec_check(p->buf, p->len, errstr) == -1) {
		isec_plain_free(p);
		return -1;
	}
	return 0;
}

void
isec_plain_free(struct isec_plain *p)
{
	sodium_free(p->buf);
	memset(p, 0, sizeof(*p));
}

int
isec_put(struct isec_plain *p, const char *name, const uint8_t *val,
    size_t len, const char **errstr)
{
	struct isec_entry	 e;
	uint8_t			*w;
	size_t			 n = strlen(name), off;

	if (plain_name_ok(name, errstr) == -1)
		return -1;
	if (len > ISEC_VALUE_MAX) {
		*errstr = "value is longer than 64 KiB";
		return -1;
	}
	if (plain_locate(p, name, &off, &e)) {
		off += 8 + n;
		if (plain_splice(p, off, 8 + e.len, 8 + len, errstr) == -1)
			return -1;
		w = p->buf + off;
	} else {
		off = p->len;
		if (plain_splice(p, off, 0, 16 + n + len, errstr) == -1)
			return -1;
		w = p->buf + off;
		le64enc(w, n);
		memcpy(w + 8, name, n);
		w += 8 + n;
		le64enc(p->buf, le64dec(p->buf) + 1);
	}
	le64enc(w, len);
	if (len > 0)
		memcpy(w + 8, val, len);
	return 0;
}

int
isec_del(struct isec_plain *p, const char *name, const char **errstr)
{
	struct isec_entry	 e;
	size_t			 off;

	if (!plain_locate(p, name, &off, &e)) {
		*errstr = "no such secret";
		return -1;
	}
	if (plain_splice(p, off, 16 + e.namelen + e.len, 0, errstr) == -1)
		return -1;
	le64enc(p->buf, le64dec(p->buf) - 1);
	return 0;
}

int
isec_rename(struct isec_plain *p, const char *from, const char *to,
    const char **errstr)
{
	struct isec_entry	 e;
	size_t			 n = strlen(to), off;

	if (plain_name_ok(to, errstr) == -1)
		return -1;
	if (plain_locate(p, to, &off, &e)) {
		*errstr = "there is a secret of that name already";
		return -1;
	}
	if (!plain_locate(p, from, &off, &e)) {
		*errstr = "no such secret";
		return -1;
	}
	if (plain_splice(p, off, 8 + e.namelen, 8 + n, errstr) == -1)
		return -1;
	le64enc(p->buf + off, n);
	memcpy(p->buf + off + 8, to, n);
	return 0;
}
