/*
 * Our own code on secrets, for valgrind: what is secret is marked undefined,
 * and memcheck then reports each branch and each address that depends on it.
 * tests/sandbox/ctgrind.sh runs it and says which reports are no secret.
 *
 *   ctgrind NAME...     the checks of these names; without any: lists them
 *
 * Exits 77 when it was built without valgrind's header.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#if defined(__has_include) && __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define HAVE_VALGRIND	1
#define SECRET(p, n)	((void)VALGRIND_MAKE_MEM_UNDEFINED((p), (n)))
#define PUBLIC(p, n)	((void)VALGRIND_MAKE_MEM_DEFINED((p), (n)))
#else
#define HAVE_VALGRIND	0
#define SECRET(p, n)	((void)(p), (void)(n))
#define PUBLIC(p, n)	((void)(p), (void)(n))
#endif

#include "keyd/bip32.h"
#include "keyd/bip39.h"
#include "keyd/curve.h"
#include "keyd/isec.h"
#include "keyd/walletcrypt.h"
#include "codec.h"
#include "log.h"
#include "messages.h"
#include "secmem.h"

static const char	phrase[] = "legal winner thank year wave sausage "
			    "worth useful legal winner thank yellow";
static uint8_t		key[32];

static int	 fail(const char *);
static int	 check_leak(void);
static int	 check_words(void);
static int	 check_entropy(void);
static int	 check_seed(void);
static int	 check_bip32(void);
static int	 check_curve(void);
static int	 check_isec(void);
static int	 check_layer1(void);
static int	 check_unlock(void);
static int	 check_coding(void);
static int	 check_compare(void);
static int	 check_arena(void);

static const struct check {
	const char	*name;
	int		(*run)(void);
} checks[] = {
	{ "leak", check_leak },		/* shows that a leak is reported */
	{ "words", check_words },
	{ "entropy", check_entropy },
	{ "seed", check_seed },
	{ "bip32", check_bip32 },
	{ "curve", check_curve },
	{ "isec", check_isec },
	{ "layer1", check_layer1 },
	{ "unlock", check_unlock },
	{ "coding", check_coding },
	{ "compare", check_compare },
	{ "arena", check_arena },
};
#define NCHECKS	(sizeof(checks) / sizeof(checks[0]))

static int
fail(const char *what)
{
	fprintf(stderr, "ctgrind: %s\n", what);
	return -1;
}

static int
check_leak(void)
{
	volatile uint8_t	 k = 5;
	static volatile int	 n;

	SECRET((void *)(uintptr_t)&k, 1);
	if (k == 7)
		n++;
	return 0;
}

static int
check_words(void)
{
	char	 p[sizeof(phrase)], norm[BIP39_PHRASE_MAX], err[128];
	ssize_t	 n;
	int	 ret;

	memcpy(p, phrase, sizeof(p));
	SECRET(p, sizeof(p) - 1);
	n = bip39_normalise(p, sizeof(p) - 1, norm);
	PUBLIC(&n, sizeof(n));
	if (n != (ssize_t)sizeof(p) - 1)
		return fail("the phrase has no more blanks");
	ret = bip39_check(norm, (size_t)n, err, sizeof(err));
	PUBLIC(&ret, sizeof(ret));
	PUBLIC(err, sizeof(err));
	return ret == 0 ? 0 : fail("the phrase is good");
}

static int
check_entropy(void)
{
	uint8_t	 e[16];
	char	 p[BIP39_PHRASE_MAX];
	ssize_t	 n;

	memset(e, 0x7f, sizeof(e));
	SECRET(e, sizeof(e));
	n = bip39_from_entropy(e, sizeof(e), p);
	PUBLIC(&n, sizeof(n));
	PUBLIC(p, sizeof(p));
	return n == (ssize_t)strlen(phrase) && strncmp(p, phrase,
	    (size_t)n) == 0 ? 0 : fail("the phrase is another");
}

static int
check_seed(void)
{
	uint8_t	 seed[BIP39_SEED_LEN], pay[6] = "TREZOR";
	char	 p[sizeof(phrase)];

	memcpy(p, phrase, sizeof(p));
	SECRET(p, sizeof(p) - 1);
	SECRET(pay, sizeof(pay));
	bip39_seed(p, sizeof(p) - 1, pay, sizeof(pay), seed);
	PUBLIC(seed, sizeof(seed));
	return seed[0] == 0x2e && seed[63] == 0x07 ? 0 : fail("the seed");
}

static int
check_bip32(void)
{
	struct bip32_prv	 k;
	uint8_t			 seed[64];
	int			 ret;

	memset(seed, 9, sizeof(seed));
	SECRET(seed, sizeof(seed));
	ret = bip32_master(seed, sizeof(seed), &k);
	PUBLIC(&ret, sizeof(ret));
	if (ret == 0) {
		ret = bip32_ckd_prv(&k, BIP32_HARDENED | 44, &k);
		PUBLIC(&ret, sizeof(ret));
	}
	if (ret == 0) {
		ret = bip32_ckd_prv(&k, 3, &k);
		PUBLIC(&ret, sizeof(ret));
	}
	bip32_wipe(&k);
	return ret == 0 ? 0 : fail("bip32");
}

static int
check_curve(void)
{
	secp256k1_keypair	*kp = secmem_alloc(sizeof(*kp));
	uint8_t			 k[32], pub[33], msg[32] = { 3 }, sig[64];
	int			 ret;

	memcpy(k, key, sizeof(k));
	SECRET(k, sizeof(k));
	ret = kp == NULL ? -1 : curve_keypair(k, kp, pub);
	PUBLIC(&ret, sizeof(ret));
	if (ret == 0)
		ret = curve_sign(kp, msg, sig);
	PUBLIC(&ret, sizeof(ret));
	PUBLIC(sig, sizeof(sig));
	stack_scrub();
	secmem_free(kp);
	return ret == 0 ? 0 : fail("curve");
}

static int
check_isec(void)
{
	struct isec_header	 h;
	struct isec_plain	 p;
	const char		*errstr;
	const uint8_t		*val;
	uint8_t			*file, *plain, k[32], v[32];
	size_t			 len, n, vlen;
	int			 ret;

	memcpy(k, key, sizeof(k));
	if (isec_header_init(&h, 8, 1, 1, &errstr) == -1 ||
	    isec_plain_init(&p) == -1)
		return fail("isec");
	isec_new_salt(&h);
	memset(v, 6, sizeof(v));
	SECRET(v, sizeof(v));		/* names and lengths are none */
	if (isec_put(&p, "b", key, sizeof(key), &errstr) == -1 ||
	    isec_put(&p, "a", v, sizeof(v), &errstr) == -1 ||
	    isec_put(&p, "b", v, 16, &errstr) == -1)
		return fail(errstr);
	ret = isec_check(p.buf, p.len, &errstr);
	if (ret == -1 || !isec_find(p.buf, p.len, "a", &val, &vlen))
		return fail("not found");
	SECRET(k, sizeof(k));
	if (isec_seal(&h, k, &p, &file, &len, &errstr) == -1)
		return fail(errstr);
	isec_plain_free(&p);
	PUBLIC(file, len);
	if ((plain = secmem_alloc(len)) == NULL)
		return fail("no memory");
	ret = isec_open(file, len, k, plain, len, &n, &errstr);
	PUBLIC(&ret, sizeof(ret));
	secmem_free(plain);
	free(file);
	return ret == 0 ? 0 : fail("isec");
}

static int
check_layer1(void)
{
	const char	*errstr;
	uint8_t		 k[32], plain[WALLETCRYPT_MAX_PLAIN];
	char		 p[sizeof(phrase)];
	char		 text[WALLETCRYPT_TEXT(sizeof(phrase))];
	size_t		 n = 0;
	int		 ret;

	memcpy(k, key, sizeof(k));
	memcpy(p, phrase, sizeof(p));
	SECRET(k, sizeof(k));
	SECRET(p, sizeof(p));
	ret = walletcrypt_encrypt((uint8_t *)p, sizeof(p) - 1, k, text,
	    sizeof(text), &errstr);
	PUBLIC(&ret, sizeof(ret));
	if (ret == -1)
		return fail("layer 1");
	PUBLIC(text, sizeof(text));
	ret = walletcrypt_decrypt(text, strlen(text), k, plain, sizeof(plain),
	    &n, &errstr);
	PUBLIC(&ret, sizeof(ret));
	return ret == 0 && n == sizeof(p) - 1 ? 0 : fail("layer 1");
}

/* The message that brings the keys to keyd. */
static int
check_unlock(void)
{
	struct msg_unlock	 m, back;
	struct enc		 e;
	uint8_t			 buf[128];

	memset(&m, 0, sizeof(m));
	memset(m.file_key, 1, sizeof(m.file_key));
	m.has_layer1 = true;
	SECRET(m.file_key, sizeof(m.file_key));
	SECRET(m.layer1_key, sizeof(m.layer1_key));
	enc_init_fixed(&e, buf, sizeof(buf));
	enc_unlock(&e, &m);
	if (e.failed || dec_unlock(buf, e.len, NULL, &back) == -1)
		return fail("unlock");
	return 0;
}

static int
check_coding(void)
{
	uint8_t		 k[32], back[32];
	char		 hex[65], b64[64];
	const char	*end;
	size_t		 n;

	memcpy(k, key, sizeof(k));
	SECRET(k, sizeof(k));
	(void)sodium_bin2hex(hex, sizeof(hex), k, sizeof(k));
	if (sodium_hex2bin(back, sizeof(back), hex, 64, NULL, &n, NULL) != 0)
		return fail("hex");
	(void)sodium_bin2base64(b64, sizeof(b64), k, sizeof(k),
	    sodium_base64_VARIANT_ORIGINAL);
	if (sodium_base642bin(back, sizeof(back), b64, 44, NULL, &n, &end,
	    sodium_base64_VARIANT_ORIGINAL) != 0)
		return fail("base64");
	return 0;
}

static int
check_compare(void)
{
	uint8_t	 a[32], b[32];
	int	 r;

	memcpy(a, key, sizeof(a));
	memcpy(b, key, sizeof(b));
	SECRET(a, sizeof(a));
	r = sodium_memcmp(a, b, sizeof(a));
	PUBLIC(&r, sizeof(r));
	return r;
}

/* Wiping looks at nothing. */
static int
check_arena(void)
{
	uint8_t	*p, *q;

	if ((p = secmem_alloc(100)) == NULL || (q = secmem_alloc(50)) == NULL)
		return fail("arena");
	SECRET(p, 100);
	SECRET(q, 50);
	secmem_free(p);
	secmem_free(q);
	return 0;
}

int
main(int argc, char **argv)
{
	size_t	 i;
	int	 a, ret = 0;

	if (!HAVE_VALGRIND)
		return 77;
	log_init("ctgrind", 0);
	if (curve_init() == -1 || secmem_init_insecure(1 << 20) == -1)
		return 2;
	memset(key, 0x42, sizeof(key));
	for (i = 0; argc == 1 && i < NCHECKS; i++)
		puts(checks[i].name);
	for (a = 1; a < argc; a++)
		for (i = 0; i < NCHECKS; i++)
			if (strcmp(argv[a], checks[i].name) == 0 &&
			    checks[i].run() != 0)
				ret = 1;
	return ret;
}
