#include <sys/types.h>
#include <sys/endian.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "keyd/isec.h"
#include "keyd/kdf.h"
#include "keyd/names.h"
#include "vec.h"

static void	 expect_header(const uint8_t *, size_t, const char *);
static void	 expect_check(const uint8_t *, size_t, const char *);
static void	 same_contents(const struct isec_plain *, yajl_val);
static uint8_t	*cheap_file(size_t *, const char *);
static size_t	 rec(uint8_t *, const char *, size_t, const char *, size_t);

static void
expect_header(const uint8_t *f, size_t len, const char *want)
{
	struct isec_header	 h;
	const char		*e = NULL;

	ck_assert_int_eq(isec_parse_header(f, len, &h, &e), -1);
	ck_assert_ptr_nonnull(e);
	ck_assert_msg(strstr(e, want) != NULL, "\"%s\" has no \"%s\"", e, want);
}

static void
expect_check(const uint8_t *p, size_t len, const char *want)
{
	const char	*e = NULL;

	ck_assert_int_eq(isec_check(p, len, &e), -1);
	ck_assert_ptr_nonnull(e);
	ck_assert_msg(strstr(e, want) != NULL, "\"%s\" has no \"%s\"", e, want);
}

static void
same_contents(const struct isec_plain *p, yajl_val secrets)
{
	struct isec_entry	 e;
	const uint8_t		*val;
	uint8_t			*want;
	size_t			 i, pos = 0, n = 0, len, wlen;

	while (isec_next(p->buf, p->len, &pos, &e))
		n++;
	ck_assert_uint_eq(n, secrets->u.object.len);
	ck_assert_uint_eq(isec_count(p->buf, p->len), n);
	for (i = 0; i < n; i++) {
		ck_assert(isec_find(p->buf, p->len, secrets->u.object.keys[i],
		    &val, &len));
		want = vec_unhex(YAJL_GET_STRING(secrets->u.object.values[i]),
		    &wlen);
		ck_assert_uint_eq(len, wlen);
		ck_assert_mem_eq(val, want, len);
		free(want);
	}
	ck_assert(!isec_find(p->buf, p->len, "igra.no.such", &val, &len));
	ck_assert(!isec_find(p->buf, p->len, "", &val, &len));
}

/* A file that costs next to nothing to open. */
static uint8_t *
cheap_file(size_t *len, const char *pass)
{
	struct isec_header	 h;
	struct isec_plain	 p;
	const char		*e;
	uint8_t			*f;

	ck_assert_int_eq(isec_header_init(&h, 8, 1, 1, &e), 0);
	ck_assert_int_eq(isec_plain_init(&p), 0);
	ck_assert_int_eq(isec_put(&p, "igra.a", (const uint8_t *)"one", 3, &e),
	    0);
	ck_assert_int_eq(isec_put(&p, "igra.b", NULL, 0, &e), 0);
	ck_assert_int_eq(isec_seal_pass(&h, (const uint8_t *)pass, strlen(pass),
	    &p, &f, len, &e), 0);
	isec_plain_free(&p);
	return f;
}

/* All five files: opened, and written so that a re-read gives the same. */
START_TEST(test_vectors)
{
	yajl_val		 all = vec_load("secrets.json"), c, s;
	struct isec_header	 h, h2;
	struct isec_plain	 p, q;
	struct isec_entry	 en;
	const char		*pass, *e;
	char			 name[NAME_BUF];
	uint8_t			*f, *g, key[32];
	size_t			 len, glen, pos;

	c = vec_at(all, (size_t)_i);
	f = (uint8_t *)vec_read(vec_str(c, "file"), &len);
	pass = vec_str(c, "passphrase");
	s = vec_get(c, "secrets");
	memset(&p, 0, sizeof(p));
	ck_assert_int_eq(isec_parse_header(f, len, &h, &e), 0);
	ck_assert_uint_eq(h.m, vec_u64(vec_get(c, "params"), "m_cost"));
	ck_assert_uint_eq(h.t, vec_u64(vec_get(c, "params"), "t_cost"));
	ck_assert_uint_eq(h.p, vec_u64(vec_get(c, "params"), "p_cost"));
	ck_assert_uint_eq(h.created_ns, strtoull(vec_str(c,
	    "created_at_nanos"), NULL, 10));
	ck_assert_uint_eq(h.rotated_ns, strtoull(vec_str(c,
	    "last_rotated_at_nanos"), NULL, 10));
	ck_assert(isec_params_strong(&h) == (h.m == 65536));
	ck_assert_int_eq(isec_derive(&h, (const uint8_t *)pass, strlen(pass),
	    key, &e), 0);
	ck_assert_int_eq(isec_plain_open(&p, f, len, key, &e), 0);
	same_contents(&p, s);

	ck_assert_int_eq(isec_plain_init(&q), 0);
	for (pos = 0; isec_next(p.buf, p.len, &pos, &en);) {
		memcpy(name, en.name, en.namelen);
		name[en.namelen] = '\0';
		ck_assert_int_eq(isec_put(&q, name, en.value, en.len, &e), 0);
	}
	ck_assert_uint_eq(p.len, q.len);
	ck_assert_mem_eq(p.buf, q.buf, p.len);
	h2 = h;
	ck_assert_int_eq(isec_seal_pass(&h2, (const uint8_t *)pass,
	    strlen(pass), &q, &g, &glen, &e), 0);
	ck_assert_uint_eq(glen, len);
	/* Parameters and dates stay, salt, nonce and ciphertext do not. */
	ck_assert_mem_eq(f, g, 17);
	ck_assert_mem_ne(f + 17, g + 17, 32);
	ck_assert_mem_ne(f + 49, g + 49, 24);
	ck_assert_mem_eq(f + 73, g + 73, 20);
	ck_assert_int_eq(isec_plain_open(&q, g, glen, key, &e), -1);
	ck_assert_int_eq(isec_parse_header(g, glen, &h2, &e), 0);
	ck_assert_int_eq(isec_derive(&h2, (const uint8_t *)pass, strlen(pass),
	    key, &e), 0);
	ck_assert_int_eq(isec_plain_open(&q, g, glen, key, &e), 0);
	same_contents(&q, s);
	isec_plain_free(&p);
	isec_plain_free(&q);
	free(f);
	free(g);
	yajl_tree_free(all);
}
END_TEST

/* Cut off anywhere, or one bit wrong anywhere, a file does not open. */
START_TEST(test_damage)
{
	yajl_val		 all = vec_load("secrets.json"), c;
	struct isec_header	 h;
	const char		*pass, *e;
	uint8_t			*f, *plain, key[32];
	size_t			 i, len, n;

	c = vec_at(all, (size_t)_i);
	f = (uint8_t *)vec_read(vec_str(c, "file"), &len);
	pass = vec_str(c, "passphrase");
	ck_assert_int_eq(isec_parse_header(f, len, &h, &e), 0);
	ck_assert_int_eq(isec_derive(&h, (const uint8_t *)pass, strlen(pass),
	    key, &e), 0);
	ck_assert_ptr_nonnull(plain = malloc(len));
	ck_assert_int_eq(isec_open(f, len, key, plain, len, &n, &e), 0);
	for (i = 0; i < len; i++) {
		e = NULL;
		ck_assert_int_eq(isec_open(f, i, key, plain, len, &n, &e), -1);
		ck_assert_ptr_nonnull(e);
		ck_assert_uint_eq(n, 0);
	}
	for (i = 0; i < len; i++) {
		f[i] ^= (uint8_t)(1U << (i % 8));
		e = NULL;
		ck_assert_int_eq(isec_open(f, len, key, plain, len, &n, &e),
		    -1);
		ck_assert_ptr_nonnull(e);
		f[i] ^= (uint8_t)(1U << (i % 8));
	}
	ck_assert_int_eq(isec_open(f, len, key, plain, len, &n, &e), 0);
	ck_assert_int_eq(isec_open(f, len, key, plain, n - 1, &n, &e), -1);
	ck_assert_ptr_nonnull(strstr(e, "larger than the memory"));
	free(plain);
	free(f);
	yajl_tree_free(all);
}
END_TEST

/* A damaged header changes the key as well: the whole way, from the passphrase. */
START_TEST(test_damaged_header)
{
	struct isec_header	 h;
	struct isec_plain	 p;
	const char		*e;
	uint8_t			*f, key[32];
	size_t			 i, len;

	memset(&p, 0, sizeof(p));
	f = cheap_file(&len, "pass");
	for (i = 0; i < len; i++) {
		f[i] ^= 1;
		if (isec_parse_header(f, len, &h, &e) == 0 &&
		    isec_derive(&h, (const uint8_t *)"pass", 4, key, &e) == 0)
			ck_assert_int_eq(isec_plain_open(&p, f, len, key, &e),
			    -1);
		f[i] ^= 1;
	}
	ck_assert_int_eq(isec_parse_header(f, len, &h, &e), 0);
	ck_assert_int_eq(isec_derive(&h, (const uint8_t *)"wrong", 5, key, &e),
	    0);
	ck_assert_int_eq(isec_plain_open(&p, f, len, key, &e), -1);
	ck_assert_ptr_nonnull(strstr(e, "wrong passphrase"));
	ck_assert_ptr_null(p.buf);
	free(f);
}
END_TEST

START_TEST(test_header)
{
	uint8_t	 *f, *big;
	size_t	  len;

	f = cheap_file(&len, "x");
	expect_header(f, 0, "empty");
	expect_header(f, 3, "begin with ISEC");
	expect_header(f, 4, "within its header");
	expect_header(f, 92, "within its header");
	expect_header(f, 93, "cut off after its header");
	expect_header(f, ISEC_MIN_FILE - 1, "cut off after its header");
	f[4] = 2;
	expect_header(f, len, "version is not 1");
	f[4] = 1;
	f[76] = '2';
	expect_header(f, len, "RTM1");
	f[76] = '1';

	le32enc(f + 5, UINT32_MAX);
	expect_header(f, len, "above 1 GiB");
	le32enc(f + 5, 1024 * 1024 + 1);
	expect_header(f, len, "above 1 GiB");
	le32enc(f + 5, 0);
	expect_header(f, len, "below 8 KiB per lane");
	le32enc(f + 5, 31);
	le32enc(f + 13, 4);
	expect_header(f, len, "below 8 KiB per lane");
	le32enc(f + 5, 128);
	le32enc(f + 13, 17);
	expect_header(f, len, "parallelism is above 16");
	le32enc(f + 13, 0x20000001);	/* 8p wraps around to 8 */
	expect_header(f, len, "parallelism is above 16");
	le32enc(f + 13, 0);
	expect_header(f, len, "parallelism is 0");
	le32enc(f + 13, 1);
	le32enc(f + 9, 0);
	expect_header(f, len, "time cost is 0");
	le32enc(f + 9, 17);
	expect_header(f, len, "time cost is above 16");
	le32enc(f + 9, UINT32_MAX);
	expect_header(f, len, "time cost is above 16");
	le32enc(f + 9, 1);

	ck_assert_ptr_nonnull(big = calloc(1, ISEC_MAX_FILE + 1));
	memcpy(big, f, len);
	expect_header(big, ISEC_MAX_FILE + 1, "larger than 16 MiB");
	free(big);
	free(f);
}
END_TEST

/* Parameters within the bounds that this machine cannot serve. */
START_TEST(test_no_memory)
{
#ifdef IGRA_SANITIZED
	return;		/* its shadow needs the address space */
#else
	struct rlimit	 rl = { 256 << 20, 256 << 20 };
	const char	*e = "";
	uint8_t		 out[32];
	int		 st;
	pid_t		 pid;

	ck_assert_int_ne(pid = fork(), -1);
	if (pid == 0) {
		if (setrlimit(RLIMIT_AS, &rl) == -1)
			_exit(2);
		memset(out, 1, sizeof(out));
		if (kdf_argon2id((const uint8_t *)"p", 1, (const uint8_t *)
		    "saltsalt", 8, 1024 * 1024, 1, 1, out, &e) != -1)
			_exit(3);
		if (strstr(e, "not enough memory") == NULL)
			_exit(4);
		_exit(sodium_is_zero(out, sizeof(out)) ? 0 : 5);
	}
	ck_assert_int_eq(waitpid(pid, &st, 0), pid);
	ck_assert(WIFEXITED(st));
	ck_assert_int_eq(WEXITSTATUS(st), 0);
#endif
}
END_TEST

static size_t
rec(uint8_t *p, const char *name, size_t n, const char *val, size_t v)
{
	le64enc(p, n);
	memcpy(p + 8, name, n);
	le64enc(p + 8 + n, v);
	memcpy(p + 16 + n, val, v);
	return 16 + n + v;
}

START_TEST(test_contents)
{
	static const char	*const bad[] = {
		"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
		"ab\xc3", "\xe2\x82", "\x80", "\xf8\x88\x80\x80\x80"
	};
	uint8_t			 p[1024];
	char			 longname[300];
	const char		*e;
	size_t			 i, n, a;

	memset(p, 0, sizeof(p));
	for (i = 0; i < 8; i++)
		expect_check(p, i, "no count");
	ck_assert_int_eq(isec_check(p, 8, &e), 0);
	expect_check(p, 9, "after the last record");
	le64enc(p, UINT64_MAX);
	expect_check(p, 8, "more than fits");
	expect_check(p, 1024, "more than fits");
	le64enc(p, 1);
	expect_check(p, 8, "more than fits");
	expect_check(p, 23, "more than fits");

	le64enc(p, 2);
	a = 8 + rec(p + 8, "one", 3, "1", 1);
	n = a + rec(p + a, "two", 3, "22", 2);
	ck_assert_int_eq(isec_check(p, n, &e), 0);
	for (i = 8; i < n; i++)
		ck_assert_int_eq(isec_check(p, i, &e), -1);
	expect_check(p, n + 1, "after the last record");
	le64enc(p, 1);
	expect_check(p, n, "after the last record");
	le64enc(p, 3);
	ck_assert_int_eq(isec_check(p, n, &e), -1);
	le64enc(p, 2);

	le64enc(p + 8, UINT64_MAX);
	expect_check(p, n, "name is longer");
	le64enc(p + 8, (uint64_t)INT64_MAX + 1);
	expect_check(p, n, "name is longer");
	le64enc(p + 8, n);
	expect_check(p, n, "name is longer");
	le64enc(p + 8, n - 16);
	expect_check(p, n, "cut off");
	le64enc(p + 8, 3);
	le64enc(p + 19, UINT64_MAX - 18);
	expect_check(p, n, "value is longer");
	le64enc(p + 19, 1);
	ck_assert_int_eq(isec_check(p, n, &e), 0);

	memcpy(p + a + 8, "one", 3);
	expect_check(p, n, "twice");
	le64enc(p, 1);
	n = 8 + rec(p + 8, "", 0, "v", 1);
	expect_check(p, n, "empty name");
	memset(longname, 'a', sizeof(longname));
	n = 8 + rec(p + 8, longname, ISEC_NAME_MAX, "v", 1);
	ck_assert_int_eq(isec_check(p, n, &e), 0);
	n = 8 + rec(p + 8, longname, ISEC_NAME_MAX + 1, "v", 1);
	expect_check(p, n, "longer than 256");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		n = 8 + rec(p + 8, bad[i], strlen(bad[i]), "v", 1);
		expect_check(p, n, "not UTF-8");
	}
}
END_TEST

/* Many names, with and without one that is there twice: not quadratic. */
START_TEST(test_many_names)
{
	const size_t	 n = 400000;
	uint8_t		*p;
	const char	*e;
	char		 name[16];
	size_t		 i, at = 8, last = 0;

	ck_assert_ptr_nonnull(p = malloc(8 + n * 24));
	le64enc(p, n);
	for (i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "%08zx", (i * 2654435761U) &
		    0xffffffff);
		last = at;
		at += rec(p + at, name, 8, "", 0);
	}
	ck_assert_int_eq(isec_check(p, at, &e), 0);
	memcpy(p + last + 8, p + 8 + 24 * 1000 + 8, 8);
	expect_check(p, at, "twice");
	free(p);
}
END_TEST

/* Random puts, removals and renames against a plain model. */
START_TEST(test_editing)
{
	struct isec_plain	 p;
	const char		*e;
	const uint8_t		*v;
	uint8_t			 val[64][300];
	int			 vlen[64];	/* -1: not there */
	char			 name[16], to[16];
	size_t			 i, j, k, len, r, n;

	ck_assert_int_eq(isec_plain_init(&p), 0);
	for (i = 0; i < 64; i++)
		vlen[i] = -1;
	for (r = 0; r < 4000; r++) {
		i = randombytes_uniform(64);
		j = randombytes_uniform(64);
		(void)snprintf(name, sizeof(name), "igra.%zu", i);
		(void)snprintf(to, sizeof(to), "igra.%zu", j);
		switch (randombytes_uniform(4)) {
		case 0:
			ck_assert_int_eq(isec_del(&p, name, &e),
			    vlen[i] == -1 ? -1 : 0);
			vlen[i] = -1;
			break;
		case 1:
			k = vlen[i] != -1 && vlen[j] == -1;
			ck_assert_int_eq(isec_rename(&p, name, to, &e),
			    k ? 0 : -1);
			if (k) {
				memcpy(val[j], val[i], 300);
				vlen[j] = vlen[i];
				vlen[i] = -1;
			}
			break;
		default:
			vlen[i] = (int)randombytes_uniform(301);
			randombytes_buf(val[i], 300);
			ck_assert_int_eq(isec_put(&p, name, val[i],
			    (size_t)vlen[i], &e), 0);
		}
	}
	ck_assert_int_eq(isec_check(p.buf, p.len, &e), 0);
	for (i = n = 0; i < 64; i++) {
		(void)snprintf(name, sizeof(name), "igra.%zu", i);
		ck_assert(isec_find(p.buf, p.len, name, &v, &len) ==
		    (vlen[i] != -1));
		if (vlen[i] == -1)
			continue;
		ck_assert_uint_eq(len, (size_t)vlen[i]);
		ck_assert_mem_eq(v, val[i], len);
		n++;
	}
	ck_assert_uint_eq(isec_count(p.buf, p.len), n);
	isec_plain_free(&p);
}
END_TEST

START_TEST(test_limits)
{
	struct isec_plain	 p;
	const char		*e;
	uint8_t			*v;
	char			 name[300];
	int			 i, r = 0;

	ck_assert_int_eq(isec_plain_init(&p), 0);
	ck_assert_ptr_nonnull(v = calloc(1, ISEC_VALUE_MAX + 1));
	ck_assert_int_eq(isec_put(&p, "a", v, ISEC_VALUE_MAX + 1, &e), -1);
	ck_assert_ptr_nonnull(strstr(e, "64 KiB"));
	ck_assert_int_eq(isec_put(&p, "", v, 1, &e), -1);
	ck_assert_int_eq(isec_put(&p, "a b", v, 1, &e), -1);
	ck_assert_int_eq(isec_put(&p, "a\nb", v, 1, &e), -1);
	ck_assert_int_eq(isec_put(&p, "a\xc2\x85", v, 1, &e), -1);
	ck_assert_int_eq(isec_put(&p, "\xff", v, 1, &e), -1);
	memset(name, 'n', sizeof(name));
	name[257] = '\0';
	ck_assert_int_eq(isec_put(&p, name, v, 1, &e), -1);
	name[256] = '\0';
	ck_assert_int_eq(isec_put(&p, name, v, 1, &e), 0);
	for (i = 0; i < 300 && r == 0; i++) {
		(void)snprintf(name, sizeof(name), "igra.%d", i);
		r = isec_put(&p, name, v, ISEC_VALUE_MAX, &e);
	}
	ck_assert_int_eq(r, -1);
	ck_assert_ptr_nonnull(strstr(e, "16 MiB"));
	ck_assert_uint_le(p.len, ISEC_MAX_PLAIN);
	ck_assert_int_eq(isec_check(p.buf, p.len, &e), 0);
	isec_plain_free(&p);
	free(v);
}
END_TEST

START_TEST(test_names)
{
	enum secret_kind	 k;
	char			 b[NAME_BUF], prof[10];
	unsigned		 v;

	ck_assert(profile_valid("signer-01") && profile_valid("signer-99"));
	ck_assert(!profile_valid("signer-00") && !profile_valid("signer-1") &&
	    !profile_valid("signer-001") && !profile_valid("Signer-01") &&
	    !profile_valid("signer_01") && !profile_valid(""));
	ck_assert_int_eq(secret_name(SECRET_KIND_PRIVATE_KEY, "signer-07", b), 0);
	ck_assert_str_eq(b, "igra.signer.private_key_signer-07");
	ck_assert(secret_name_parse(b, strlen(b), &k, prof, &v));
	ck_assert_int_eq(k, SECRET_KIND_PRIVATE_KEY);
	ck_assert_str_eq(prof, "signer-07");
	ck_assert_uint_eq(v, 1);
	ck_assert_int_eq(secret_name(SECRET_KIND_IROH, "signer-7", b), -1);
#define	PARSE(s)	secret_name_parse(s, strlen(s), &k, prof, &v)
	ck_assert(PARSE("igra.signer.mnemonic_signer-10.v12"));
	ck_assert_int_eq(k, SECRET_KIND_MNEMONIC);
	ck_assert_uint_eq(v, 12);
	ck_assert(PARSE("igra.iroh.signer_seed_signer-01.v2"));
	ck_assert(PARSE("igra.signer.payment_secret_signer-01"));
	ck_assert(!PARSE("igra.signer.mnemonic_signer-10.v0"));
	ck_assert(!PARSE("igra.signer.mnemonic_signer-10.v02"));
	ck_assert(!PARSE("igra.signer.mnemonic_signer-10.v"));
	ck_assert(!PARSE("igra.signer.mnemonic_signer-10.v1x"));
	ck_assert(!PARSE("igra.signer.mnemonic_signer-10x"));
	ck_assert(!PARSE("igra.signer.mnemonic_signer-00"));
	ck_assert(!PARSE("igra.signer.mnemonic_"));
	ck_assert(!PARSE("igra.hd.wallet_secret"));
	ck_assert(secret_name_valid("igra.tëst.ключ", strlen("igra.tëst.ключ")));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("isec");
	TCase	*tc = tcase_create("all");
	SRunner	*sr;
	int	 failed;

	if (sodium_init() == -1)
		return 1;
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, test_vectors, 0, 5);
	tcase_add_loop_test(tc, test_damage, 0, 5);
	tcase_add_test(tc, test_damaged_header);
	tcase_add_test(tc, test_header);
	tcase_add_test(tc, test_no_memory);
	tcase_add_test(tc, test_contents);
	tcase_add_test(tc, test_many_names);
	tcase_add_test(tc, test_editing);
	tcase_add_test(tc, test_limits);
	tcase_add_test(tc, test_names);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
