/*
 * The secrets file.  Input: a byte, then either a whole file (the header's
 * checks; no key opens it) or, if the byte is odd, a plaintext: what
 * isec_check takes can be walked, searched, sealed, opened and changed.
 */
#include <string.h>

#include <sodium.h>

#include "keyd/isec.h"
#include "keyd/names.h"

#include "fuzz.h"

static const uint8_t	 key[ISEC_KEY_LEN] = { 1 };

static void	file(const uint8_t *, size_t);
static void	contents(const uint8_t *, size_t);
static void	change(struct isec_plain *, const char *);
static void	walk(const uint8_t *, size_t);
static void	check_valid(const struct isec_plain *, uint64_t);

static void
file(const uint8_t *p, size_t len)
{
	struct isec_header	 h;
	const char		*why = NULL;
	uint8_t			*plain;
	size_t			 n;

	if (isec_parse_header(p, len, &h, &why) == -1) {
		CHECK(why != NULL);
		return;
	}
	CHECK(len >= ISEC_MIN_FILE && len <= ISEC_MAX_FILE);
	CHECK(h.p >= 1 && h.p <= 16 && h.t >= 1 && h.t <= 16);
	CHECK(h.m >= 8 * h.p && h.m <= 1024 * 1024);
	CHECK((plain = malloc(len - ISEC_OVERHEAD)) != NULL);
	CHECK(isec_open(p, len, key, plain, len - ISEC_OVERHEAD - 1, &n,
	    &why) == -1 && n == 0);
	CHECK(isec_open(p, len, key, plain, len - ISEC_OVERHEAD, &n,
	    &why) == -1 && n == 0);
	CHECK(sodium_is_zero(plain, len - ISEC_OVERHEAD));
	free(plain);
}

static void
walk(const uint8_t *p, size_t len)
{
	struct isec_entry	 e;
	const uint8_t		*val;
	char			 name[NAME_BUF];
	size_t			 pos = 0, vallen, sum = ISEC_COUNT_LEN;
	uint64_t		 n = 0;

	while (isec_next(p, len, &pos, &e)) {
		n++;
		sum += 16 + e.namelen + e.len;
		CHECK(e.namelen >= 1 && e.namelen <= ISEC_NAME_MAX);
		if (memchr(e.name, '\0', e.namelen) != NULL)
			continue;
		memcpy(name, e.name, e.namelen);
		name[e.namelen] = '\0';
		CHECK(isec_find(p, len, name, &val, &vallen));
		CHECK(val == e.value && vallen == e.len);
	}
	CHECK(n == isec_count(p, len) && sum == len);
}

static void
check_valid(const struct isec_plain *p, uint64_t count)
{
	const char	*why;

	CHECK(isec_check(p->buf, p->len, &why) == 0);
	CHECK(isec_count(p->buf, p->len) == count);
}

/* name is in p, or it may be added. */
static void
change(struct isec_plain *p, const char *name)
{
	const uint8_t	*val;
	const char	*why;
	uint64_t	 n = isec_count(p->buf, p->len);
	size_t		 len, was = p->len;

	if (!secret_name_valid(name, strlen(name)))
		return;
	if (isec_find(p->buf, p->len, name, &val, &len)) {
		CHECK(isec_put(p, name, key, sizeof(key), &why) == 0);
		check_valid(p, n);
		CHECK(isec_del(p, name, &why) == 0);
		check_valid(p, --n);
		was = p->len;
	}
	CHECK(isec_put(p, name, key, 3, &why) == 0);
	check_valid(p, n + 1);
	CHECK(isec_find(p->buf, p->len, name, &val, &len));
	CHECK(len == 3 && memcmp(val, key, 3) == 0);
	if (isec_rename(p, name, "renamed", &why) == 0) {
		check_valid(p, n + 1);
		CHECK(!isec_find(p->buf, p->len, name, &val, &len));
		CHECK(isec_del(p, "renamed", &why) == 0);
		check_valid(p, n);
		CHECK(p->len == was);
	}
}

static void
contents(const uint8_t *plain, size_t len)
{
	struct isec_plain	 copy, p;
	struct isec_header	 h;
	struct isec_entry	 e;
	const char		*why;
	uint8_t			*f;
	char			 name[NAME_BUF];
	size_t			 flen, pos = 0;

	if (isec_check(plain, len, &why) == -1)
		return;
	walk(plain, len);
	/* Sealed and opened it is the same. */
	memset(&p, 0, sizeof(p));
	copy.buf = malloc(len);
	CHECK(copy.buf != NULL);
	memcpy(copy.buf, plain, len);
	copy.len = copy.cap = len;
	CHECK(isec_header_init(&h, 64, 1, 1, &why) == 0);
	isec_new_salt(&h);
	CHECK(isec_seal(&h, key, &copy, &f, &flen, &why) == 0);
	CHECK(isec_plain_open(&p, f, flen, key, &why) == 0);
	CHECK(p.len == len && memcmp(p.buf, plain, len) == 0);
	f[flen - 1] ^= 1;
	CHECK(isec_open(f, flen, key, copy.buf, len, &flen, &why) == -1);
	free(copy.buf);
	free(f);
	(void)strlcpy(name, "a.new.name", sizeof(name));
	if (isec_next(plain, len, &pos, &e) &&
	    memchr(e.name, '\0', e.namelen) == NULL) {
		memcpy(name, e.name, e.namelen);
		name[e.namelen] = '\0';
	}
	change(&p, name);
	isec_plain_free(&p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CHECK(sodium_init() != -1);
	if (size < 1)
		return 0;
	if (data[0] & 1)
		contents(data + 1, size - 1);
	else
		file(data + 1, size - 1);
	return 0;
}
