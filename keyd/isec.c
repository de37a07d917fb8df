#include <sys/types.h>
#include <sys/endian.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "isec.h"
#include "kdf.h"
#include "utf8.h"

/* Offsets of the header's fields. */
#define OFF_VERSION	4
#define OFF_M		5
#define OFF_T		9
#define OFF_P		13
#define OFF_SALT	17
#define OFF_NONCE	49
#define OFF_RTM		73
#define OFF_CREATED	77
#define OFF_ROTATED	85

static int	isec_record(const uint8_t *, size_t, size_t *,
		    struct isec_entry *, const char **);
static int	isec_duplicates(const uint8_t *, size_t, uint64_t,
		    const char **);
static int	name_cmp(const void *, const void *);

int
isec_parse_header(const uint8_t *file, size_t len, struct isec_header *h,
    const char **errstr)
{
	memset(h, 0, sizeof(*h));
	if (len > ISEC_MAX_FILE) {
		*errstr = "secrets file is larger than 16 MiB";
		return -1;
	}
	if (len == 0) {
		*errstr = "secrets file is empty";
		return -1;
	}
	if (len < 4 || memcmp(file, "ISEC", 4) != 0) {
		*errstr = "not a secrets file (it does not begin with ISEC)";
		return -1;
	}
	if (len < 5) {
		*errstr = "secrets file ends within its header";
		return -1;
	}
	if (file[OFF_VERSION] != 1) {
		*errstr = "secrets file version is not 1";
		return -1;
	}
	if (len < ISEC_HEADER_LEN) {
		*errstr = "secrets file ends within its header";
		return -1;
	}
	if (memcmp(file + OFF_RTM, "RTM1", 4) != 0) {
		*errstr = "secrets file header has no RTM1 (a file of an older "
		    "form, or damaged)";
		return -1;
	}
	if (len < ISEC_MIN_FILE) {
		*errstr = "secrets file is cut off after its header";
		return -1;
	}
	h->m = le32dec(file + OFF_M);
	h->t = le32dec(file + OFF_T);
	h->p = le32dec(file + OFF_P);
	if (kdf_check(h->m, h->t, h->p, errstr) == -1)
		return -1;
	memcpy(h->salt, file + OFF_SALT, sizeof(h->salt));
	memcpy(h->nonce, file + OFF_NONCE, sizeof(h->nonce));
	h->created_ns = le64dec(file + OFF_CREATED);
	h->rotated_ns = le64dec(file + OFF_ROTATED);
	return 0;
}

bool
isec_params_strong(const struct isec_header *h)
{
	return h->m >= ISEC_DEFAULT_M && h->t >= ISEC_DEFAULT_T;
}

int
isec_derive(const struct isec_header *h, const uint8_t *pass, size_t passlen,
    uint8_t key[ISEC_KEY_LEN], const char **errstr)
{
	return kdf_argon2id(pass, passlen, h->salt, sizeof(h->salt), h->m,
	    h->t, h->p, key, errstr);
}

int
isec_open(const uint8_t *file, size_t len, const uint8_t key[ISEC_KEY_LEN],
    uint8_t *plain, size_t plainmax, size_t *plainlen, const char **errstr)
{
	struct isec_header	 h;

	*plainlen = 0;
	if (isec_parse_header(file, len, &h, errstr) == -1)
		return -1;
	if (plainmax < len - ISEC_OVERHEAD) {
		*errstr = "secrets file is larger than the memory for it";
		return -1;
	}
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL,
	    file + ISEC_HEADER_LEN, len - ISEC_HEADER_LEN, file,
	    ISEC_HEADER_LEN, h.nonce, key) == -1) {
		sodium_memzero(plain, len - ISEC_OVERHEAD);
		*errstr = "wrong passphrase or damaged secrets file";
		return -1;
	}
	*plainlen = len - ISEC_OVERHEAD;
	return 0;
}

/* One record at *pos, which moves behind it; nothing is read past len. */
static int
isec_record(const uint8_t *plain, size_t len, size_t *pos,
    struct isec_entry *e, const char **errstr)
{
	uint64_t	 n;
	size_t		 at = *pos;

	if (len - at < 8) {
		*errstr = "secrets file contents: a record is cut off";
		return -1;
	}
	n = le64dec(plain + at);
	at += 8;
	if (n > len - at) {
		*errstr = "secrets file contents: a name is longer than what "
		    "is left";
		return -1;
	}
	e->name = (const char *)plain + at;
	e->namelen = (size_t)n;
	at += (size_t)n;
	if (len - at < 8) {
		*errstr = "secrets file contents: a record is cut off";
		return -1;
	}
	n = le64dec(plain + at);
	at += 8;
	if (n > len - at) {
		*errstr = "secrets file contents: a value is longer than what "
		    "is left";
		return -1;
	}
	e->value = plain + at;
	e->len = (size_t)n;
	*pos = at + (size_t)n;
	return 0;
}

/* Pointers to records' length fields; the names are where they are. */
static int
name_cmp(const void *a, const void *b)
{
	const uint8_t	*x = *(const uint8_t *const *)a;
	const uint8_t	*y = *(const uint8_t *const *)b;
	size_t		 xn = (size_t)le64dec(x), yn = (size_t)le64dec(y);

	if (xn != yn)
		return xn < yn ? -1 : 1;
	return memcmp(x + 8, y + 8, xn);
}

static int
isec_duplicates(const uint8_t *plain, size_t len, uint64_t count,
    const char **errstr)
{
	const uint8_t		**v;
	struct isec_entry	  e;
	size_t			  i, n = (size_t)count, pos;
	int			  ret = -1;

	if (n < 2)
		return 0;
	if ((v = reallocarray(NULL, n, sizeof(*v))) == NULL) {
		*errstr = "out of memory";
		return -1;
	}
	for (i = 0, pos = ISEC_COUNT_LEN; i < n; i++) {
		v[i] = plain + pos;
		if (isec_record(plain, len, &pos, &e, errstr) == -1)
			goto out;
	}
	qsort(v, n, sizeof(*v), name_cmp);
	for (i = 1; i < n; i++)
		if (name_cmp(&v[i - 1], &v[i]) == 0) {
			*errstr = "secrets file contents: a name is there "
			    "twice";
			goto out;
		}
	ret = 0;
out:
	free(v);
	return ret;
}

int
isec_check(const uint8_t *plain, size_t len, const char **errstr)
{
	struct isec_entry	 e;
	uint64_t		 count, i;
	size_t			 pos = ISEC_COUNT_LEN;

	if (len < ISEC_COUNT_LEN) {
		*errstr = "secrets file contents: no count";
		return -1;
	}
	count = le64dec(plain);
	/* A record takes at least its two lengths. */
	if (count > (len - ISEC_COUNT_LEN) / 16) {
		*errstr = "secrets file contents: the count is more than fits";
		return -1;
	}
	for (i = 0; i < count; i++) {
		if (isec_record(plain, len, &pos, &e, errstr) == -1)
			return -1;
		if (e.namelen == 0) {
			*errstr = "secrets file contents: an empty name";
			return -1;
		}
		if (e.namelen > ISEC_NAME_MAX) {
			*errstr = "secrets file contents: a name is longer "
			    "than 256 bytes";
			return -1;
		}
		if (!utf8_valid(e.name, e.namelen)) {
			*errstr = "secrets file contents: a name is not UTF-8";
			return -1;
		}
	}
	if (pos != len) {
		*errstr = "secrets file contents: bytes after the last record";
		return -1;
	}
	return isec_duplicates(plain, len, count, errstr);
}

uint64_t
isec_count(const uint8_t *plain, size_t len)
{
	return len < ISEC_COUNT_LEN ? 0 : le64dec(plain);
}

bool
isec_next(const uint8_t *plain, size_t len, size_t *pos, struct isec_entry *e)
{
	const char	*errstr;

	if (*pos == 0)
		*pos = ISEC_COUNT_LEN;
	if (*pos >= len)
		return false;
	return isec_record(plain, len, pos, e, &errstr) == 0;
}

bool
isec_find(const uint8_t *plain, size_t len, const char *name,
    const uint8_t **val, size_t *vallen)
{
	struct isec_entry	 e;
	size_t			 n = strlen(name), pos = 0;

	while (isec_next(plain, len, &pos, &e))
		if (e.namelen == n && memcmp(e.name, name, n) == 0) {
			*val = e.value;
			*vallen = e.len;
			return true;
		}
	return false;
}

uint64_t
isec_now(void)
{
	struct timespec	 ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) == -1 || ts.tv_sec < 0)
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

int
isec_header_init(struct isec_header *h, uint32_t m, uint32_t t, uint32_t p,
    const char **errstr)
{
	memset(h, 0, sizeof(*h));
	if (kdf_check(m, t, p, errstr) == -1)
		return -1;
	h->m = m;
	h->t = t;
	h->p = p;
	h->created_ns = h->rotated_ns = isec_now();
	return 0;
}

void
isec_new_salt(struct isec_header *h)
{
	randombytes_buf(h->salt, sizeof(h->salt));
}

int
isec_seal(struct isec_header *h, const uint8_t key[ISEC_KEY_LEN],
    const struct isec_plain *p, uint8_t **file, size_t *len,
    const char **errstr)
{
	uint8_t	*f;

	*file = NULL;
	*len = 0;
	if (p->len > ISEC_MAX_PLAIN) {
		*errstr = "secrets file would be larger than 16 MiB";
		return -1;
	}
	if ((f = malloc(p->len + ISEC_OVERHEAD)) == NULL) {
		*errstr = "out of memory";
		return -1;
	}
	randombytes_buf(h->nonce, sizeof(h->nonce));
	memcpy(f, "ISEC", 4);
	f[OFF_VERSION] = 1;
	le32enc(f + OFF_M, h->m);
	le32enc(f + OFF_T, h->t);
	le32enc(f + OFF_P, h->p);
	memcpy(f + OFF_SALT, h->salt, sizeof(h->salt));
	memcpy(f + OFF_NONCE, h->nonce, sizeof(h->nonce));
	memcpy(f + OFF_RTM, "RTM1", 4);
	le64enc(f + OFF_CREATED, h->created_ns);
	le64enc(f + OFF_ROTATED, h->rotated_ns);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(f + ISEC_HEADER_LEN,
	    NULL, p->buf, p->len, f, ISEC_HEADER_LEN, NULL, h->nonce, key);
	*file = f;
	*len = p->len + ISEC_OVERHEAD;
	return 0;
}

int
isec_seal_pass(struct isec_header *h, const uint8_t *pass, size_t passlen,
    const struct isec_plain *p, uint8_t **file, size_t *len,
    const char **errstr)
{
	uint8_t	 key[ISEC_KEY_LEN];
	int	 ret;

	*file = NULL;
	*len = 0;
	isec_new_salt(h);
	if ((ret = isec_derive(h, pass, passlen, key, errstr)) == 0)
		ret = isec_seal(h, key, p, file, len, errstr);
	sodium_memzero(key, sizeof(key));
	return ret;
}
