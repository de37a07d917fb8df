/*
 * Looks for secrets where they must not be: in the memory and the registers
 * of running processes, in core files and in any other file.
 *
 *   memscan make FILE PASSFILE N      a secrets file with N canaries; prints
 *                                     a phrase for encrypted_mnemonics
 *   memscan scan [-k] [-c CIPHERTEXT] [-p PATH] FILE PASSFILE TARGET...
 *                                     a target is a pid or a file; prints
 *                                     what was found where, and exits 1 then;
 *                                     -k: but not the file key and the key
 *                                     of layer 1
 *   memscan mlock COMMAND...          runs it without memfd_secret(2), whose
 *                                     pages not even root can read
 *
 * All that is looked for comes from the secrets file: every value raw, in
 * hex, in base64 and as the curve's library holds it; of phrases the words,
 * the entropy, the seed, and all keys on the path; the passphrase, the keys
 * made from it, and the key stream over the file.  Any 8 bytes of it count, or
 * 16 characters of text.
 */
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "keyd/bip32.h"
#include "keyd/bip39.h"
#include "keyd/curve.h"
#include "keyd/isec.h"
#include "keyd/names.h"
#include "keyd/walletcrypt.h"
#include "log.h"
#include "secmem.h"

#define WORD		8		/* bytes of a window */
#define TEXT		16		/* the same for text */
#define CHUNK		(1 << 20)
#define SLOTS		(1U << 21)
#define MAX_REGION	(1ULL << 30)
#define SHOWN		5		/* findings printed per target */

enum what { W_VALUE, W_HEX, W_BASE64, W_CURVE, W_TEXT, W_DERIVED, W_PASS,
	W_STREAM, W_KEY, W_MAX };

static const char *const what_name[W_MAX] = {
	[W_VALUE] = "a value as it is", [W_HEX] = "hex",
	[W_BASE64] = "base64", [W_CURVE] = "a key as a scalar",
	[W_TEXT] = "words of a phrase", [W_DERIVED] = "what is derived",
	[W_PASS] = "the passphrase", [W_STREAM] = "the key stream",
	[W_KEY] = "the file key or layer 1",
};

struct slot {
	uint64_t	 v;		/* of a window; 0: empty */
	uint64_t	 rest;		/* of text, else 0 */
	enum what	 what;
};

static struct slot	*table;
static unsigned		 nslots;
static uint8_t		 bloom[1 << 21];
static bool		 no_keys;	/* -k */
static uint64_t		 found[W_MAX];	/* in this target */

static void	 die(const char *, ...) __attribute__((format(printf, 1, 2),
		    noreturn));
static uint64_t	 load(const uint8_t *);
static uint32_t	 hash(uint64_t);
static void	 add(enum what, uint64_t, uint64_t);
static void	 add_bytes(enum what, const void *, size_t);
static void	 add_text(enum what, const char *, size_t);
static void	 add_reversed(enum what, const uint8_t *, size_t, size_t);
static void	 add_coded(const uint8_t *, size_t);
static void	 add_key(enum what, const uint8_t *);
static void	 add_phrase(const char *, size_t, const uint8_t *, size_t,
		    const struct bip32_path *);
static uint8_t	*read_file(const char *, size_t *);
static void	 look_for(const char *, const char *, const char *,
		    const char *);
static void	 look_for_values(const struct isec_plain *,
		    const struct bip32_path *);
static void	 look_for_layer1(const struct isec_plain *, const char *,
		    const struct bip32_path *);
static void	 look(const uint8_t *, size_t, const char *, uint64_t);
static int	 scan_pid(const char *);
static int	 scan_file(const char *);
static void	 scan_registers(pid_t);
static int	 report(const char *);
static int	 scan(int, char **);
static int	 make(const char *, const char *, const char *);
static void	 put(struct isec_plain *, const char *, const void *, size_t);
static void	 put_text(struct isec_plain *, const char *);
static int	 without_memfd(char **);

static void
die(const char *fmt, ...)
{
	va_list	 ap;

	fputs("memscan: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

/* --- what is looked for --- */

static uint64_t
load(const uint8_t *p)
{
	uint64_t	 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t
hash(uint64_t v)
{
	v *= 0x9e3779b97f4a7c15ULL;
	return (uint32_t)(v >> 40);		/* 24 bits */
}

static void
add(enum what what, uint64_t v, uint64_t rest)
{
	uint32_t	 h = hash(v), i;
	unsigned	 b, distinct = 0;
	uint8_t		 seen[256] = { 0 };

	/* Few different bytes: zeros, padding, small numbers. */
	for (b = 0; b < WORD; b++) {
		distinct += !seen[v >> (8 * b) & 0xff];
		seen[v >> (8 * b) & 0xff] = 1;
	}
	if (distinct < 4)
		return;
	for (i = h % SLOTS; table[i].v != 0; i = (i + 1) % SLOTS)
		if (table[i].v == v && table[i].rest == rest)
			return;
	if (++nslots > SLOTS / 2)
		die("too much to look for");
	table[i].v = v;
	table[i].rest = rest;
	table[i].what = what;
	bloom[h >> 3] |= (uint8_t)(1U << (h & 7));
}

static void
add_bytes(enum what what, const void *p, size_t len)
{
	const uint8_t	*b = p;
	size_t		 i;

	for (i = 0; i + WORD <= len; i++)
		add(what, load(b + i), 0);
}

static void
add_text(enum what what, const char *s, size_t len)
{
	const uint8_t	*b = (const uint8_t *)s;
	size_t		 i;

	for (i = 0; i + TEXT <= len; i++)
		add(what, load(b + i), load(b + i + WORD));
}

/* Every unit of so many bytes the other way round. */
static void
add_reversed(enum what what, const uint8_t *p, size_t len, size_t unit)
{
	uint8_t	 r[512];
	size_t	 i;

	if (len > sizeof(r))
		len = sizeof(r);
	len -= len % unit;
	for (i = 0; i < len; i++)
		r[i] = p[i / unit * unit + unit - 1 - i % unit];
	add_bytes(what, r, len);
}

static void
add_coded(const uint8_t *p, size_t len)
{
	char	 text[1024];
	size_t	 i;

	if (len > 256)
		len = 256;
	(void)sodium_bin2hex(text, sizeof(text), p, len);
	add_text(W_HEX, text, len * 2);
	for (i = 0; i < len * 2; i++)
		if (text[i] >= 'a')
			text[i] = (char)(text[i] - 'a' + 'A');
	add_text(W_HEX, text, len * 2);
	/* At each of the three places it may have in something longer. */
	for (i = 0; i < 3 && len > i + 12; i++) {
		(void)sodium_bin2base64(text, sizeof(text), p + i, len - i,
		    sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
		add_text(W_BASE64, text, (len - i) / 3 * 4);
	}
}

/* 32 bytes, and as four 64-bit limbs, the lowest first. */
static void
add_key(enum what what, const uint8_t *key)
{
	add_bytes(what, key, 32);
	add_reversed(W_CURVE, key, 32, 32);
	add_reversed(W_CURVE, key, 32, 8);
	add_coded(key, 32);
}

/* All that bip39 and bip32 make on the way to a key. */
static void
add_phrase(const char *phrase, size_t len, const uint8_t *pay, size_t paylen,
    const struct bip32_path *path)
{
	uint16_t	 word[24];
	uint8_t		 bits[33] = { 0 }, seed[BIP39_SEED_LEN];
	struct bip32_prv k;
	char		 text[BIP39_PHRASE_MAX], *w, *at = text;
	size_t		 i, n = 0, b, pos;

	add_text(W_TEXT, phrase, len);
	add_reversed(W_TEXT, (const uint8_t *)phrase, len, 8);
	if (len >= sizeof(text))
		return;
	memcpy(text, phrase, len);
	text[len] = '\0';
	while ((w = strsep(&at, " ")) != NULL && n < 24) {
		for (i = 0; i < BIP39_WORDS - 1 &&
		    strcmp(bip39_words[i], w) != 0; i++)
			;
		word[n++] = (uint16_t)i;
	}
	for (i = 0; i < n; i++)
		for (b = 0; b < 11; b++) {
			pos = i * 11 + b;
			bits[pos / 8] |= (uint8_t)((word[i] >> (10 - b) & 1) <<
			    (7 - pos % 8));
		}
	add_bytes(W_DERIVED, bits, n * 11 / 8);
	add_bytes(W_DERIVED, word, n * sizeof(word[0]));
	bip39_seed(phrase, len, pay, paylen, seed);
	add_bytes(W_DERIVED, seed, sizeof(seed));
	add_reversed(W_DERIVED, seed, sizeof(seed), 8);
	if (bip32_master(seed, sizeof(seed), &k) == -1)
		die("no master key");
	for (i = 0; ; i++) {
		add_key(W_DERIVED, k.key);
		add_bytes(W_DERIVED, k.chain, 32);
		add_reversed(W_DERIVED, k.chain, 32, 8);
		if (i == path->n)
			break;
		if (bip32_ckd_prv(&k, path->step[i], &k) == -1)
			die("no key at the path");
	}
}

static uint8_t *
read_file(const char *path, size_t *len)
{
	struct stat	 st;
	uint8_t		*p;
	int		 fd;

	if ((fd = open(path, O_RDONLY)) == -1 || fstat(fd, &st) == -1 ||
	    (p = malloc((size_t)st.st_size + 1)) == NULL ||
	    read(fd, p, (size_t)st.st_size) != st.st_size)
		die("%s: %s", path, strerror(errno));
	close(fd);
	*len = (size_t)st.st_size;
	p[*len] = '\0';
	return p;
}

static void
look_for_values(const struct isec_plain *p, const struct bip32_path *path)
{
	struct isec_entry	 e;
	enum secret_kind	 kind;
	const uint8_t		*pay;
	unsigned		 version;
	size_t			 pos = 0, paylen;
	char			 profile[10], name[NAME_BUF];

	while (isec_next(p->buf, p->len, &pos, &e)) {
		if (!secret_name_parse(e.name, e.namelen, &kind, profile,
		    &version))
			kind = SECRET_KIND_PAYMENT;	/* text */
		add_coded(e.value, e.len);
		switch (kind) {
		case SECRET_KIND_PRIVATE_KEY:
		case SECRET_KIND_IROH:
			if (e.len == 32)
				add_key(W_VALUE, e.value);
			break;
		case SECRET_KIND_PAYMENT:
			add_bytes(W_VALUE, e.value, e.len);
			break;
		case SECRET_KIND_MNEMONIC:
			pay = NULL;
			paylen = 0;
			if (secret_name(SECRET_KIND_PAYMENT, profile, name) ==
			    0)
				(void)isec_find(p->buf, p->len, name, &pay,
				    &paylen);
			add_phrase((const char *)e.value, e.len, pay, paylen,
			    path);
			break;
		}
	}
}

static void
look_for_layer1(const struct isec_plain *p, const char *box,
    const struct bip32_path *path)
{
	const uint8_t	*wallet, *pay = NULL;
	const char	*errstr;
	uint8_t		 key[32], hash256[32], phrase[WALLETCRYPT_MAX_PLAIN];
	size_t		 len, paylen = 0;

	if (!isec_find(p->buf, p->len, SECRET_WALLET, &wallet, &len))
		return;
	crypto_hash_sha256(hash256, wallet, len);
	add_bytes(W_DERIVED, hash256, 32);
	if (walletcrypt_key(wallet, len, key, &errstr) == -1)
		die("%s", errstr);
	if (!no_keys)
		add_bytes(W_KEY, key, 32);
	if (box == NULL)
		return;
	if (walletcrypt_decrypt(box, strlen(box), key, phrase, sizeof(phrase),
	    &len, &errstr) == -1)
		die("%s", errstr);
	(void)isec_find(p->buf, p->len, SECRET_PAYMENT, &pay, &paylen);
	add_phrase((const char *)phrase, len, pay, paylen, path);
}

static void
look_for(const char *file, const char *passfile, const char *box,
    const char *pathtext)
{
	struct isec_header	 h;
	struct isec_plain	 p = { 0 };
	struct bip32_path	 path;
	const char		*errstr;
	uint8_t			*data, *pass, *stream, key[32], sub[32];
	size_t			 len, passlen, i;

	data = read_file(file, &len);
	pass = read_file(passfile, &passlen);
	if (passlen > 0 && pass[passlen - 1] == '\n')
		passlen--;
	if (isec_parse_header(data, len, &h, &errstr) == -1 ||
	    isec_derive(&h, pass, passlen, key, &errstr) == -1 ||
	    isec_plain_open(&p, data, len, key, &errstr) == -1 ||
	    bip32_path_parse(pathtext, strlen(pathtext), &path,
	    &errstr) == -1)
		die("%s: %s", file, errstr);
	look_for_values(&p, &path);
	look_for_layer1(&p, box, &path);
	add_text(W_PASS, (char *)pass, passlen);
	if (!no_keys) {
		add_bytes(W_KEY, key, 32);
		add_coded(key, 32);
	}
	crypto_core_hchacha20(sub, h.nonce, key, NULL);
	add_bytes(W_STREAM, sub, 32);
	if ((stream = malloc(p.len)) == NULL)
		die("out of memory");
	for (i = 0; i < p.len; i++)
		stream[i] = p.buf[i] ^ data[ISEC_HEADER_LEN + i];
	/* Under zeros it is the ciphertext, which keyd keeps. */
	for (i = 0; i + WORD <= p.len; i++)
		if (load(p.buf + i) != 0)
			add(W_STREAM, load(stream + i), 0);
}

/* --- where --- */

static void
look(const uint8_t *p, size_t len, const char *where, uint64_t base)
{
	const struct slot	*s;
	uint64_t		 v;
	uint32_t		 h, k;
	size_t			 i;

	for (i = 0; i + WORD <= len; i++) {
		v = load(p + i);
		h = hash(v);
		if ((bloom[h >> 3] & 1U << (h & 7)) == 0)
			continue;
		for (k = h % SLOTS; (s = &table[k])->v != 0;
		    k = (k + 1) % SLOTS) {
			if (s->v != v || (s->rest != 0 && (i + TEXT > len ||
			    load(p + i + WORD) != s->rest)))
				continue;
			if (found[s->what]++ < SHOWN)
				printf("%s at %s+0x%llx\n",
				    what_name[s->what], where,
				    (unsigned long long)(base + i));
			break;
		}
	}
}

/* Stopped for a moment, with the vector registers. */
static void
scan_registers(pid_t pid)
{
	static const unsigned	 sets[] = { NT_PRSTATUS, NT_X86_XSTATE };
	static uint8_t		 buf[16384];
	struct iovec		 iov;
	size_t			 i;
	int			 status;

	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) == -1)
		die("ptrace %d: %s", (int)pid, strerror(errno));
	if (waitpid(pid, &status, __WALL) != pid)
		die("waitpid: %s", strerror(errno));
	for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		iov.iov_base = buf;
		iov.iov_len = sizeof(buf);
		if (ptrace(PTRACE_GETREGSET, pid, (void *)(uintptr_t)sets[i],
		    &iov) == 0)
			look(buf, iov.iov_len, "registers", 0);
	}
	(void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
}

static int
report(const char *target)
{
	uint64_t	 sum = 0;
	int		 i;

	for (i = 0; i < W_MAX; i++) {
		if (found[i] != 0)
			printf("%s: %llu of %s\n", target,
			    (unsigned long long)found[i], what_name[i]);
		sum += found[i];
	}
	return sum != 0;
}

static int
scan_pid(const char *pid)
{
	static uint8_t		 buf[CHUNK + TEXT];
	char			 path[64], line[512], where[512], perm[8];
	unsigned long long	 lo, hi, at, kept;
	uint64_t		 seen = 0, hidden = 0;
	size_t			 want;
	ssize_t			 n;
	FILE			*maps;
	int			 fd;

	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	if ((maps = fopen(path, "r")) == NULL)
		die("%s: %s", path, strerror(errno));
	snprintf(path, sizeof(path), "/proc/%s/mem", pid);
	if ((fd = open(path, O_RDONLY)) == -1)
		die("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), maps) != NULL) {
		where[0] = '\0';
		if (sscanf(line, "%llx-%llx %7s %*s %*s %*s %511[^\n]", &lo,
		    &hi, perm, where) < 3 || strstr(where, "[v") != NULL)
			continue;
		/*
		 * What a file holds and nobody can write is nobody's secret,
		 * and libc has words enough to look like one.
		 */
		if (where[0] == '/' && perm[1] != 'w')
			continue;
		if (where[0] == '\0')
			(void)strlcpy(where, perm, sizeof(where));
		if (hi - lo > MAX_REGION)
			die("%s: %llu bytes in one piece", pid, hi - lo);
		for (at = lo, kept = 0; at < hi; at += (size_t)n) {
			want = hi - at < CHUNK ? (size_t)(hi - at) : CHUNK;
			n = pread(fd, buf + kept, want, (off_t)at);
			if (n <= 0) {
				hidden += hi - at;
				break;
			}
			look(buf, kept + (size_t)n, where, at - lo - kept);
			seen += (size_t)n;
			/* What begins here may end in the next piece. */
			memmove(buf, buf + kept + (size_t)n - (WORD - 1),
			    WORD - 1);
			kept = WORD - 1;
		}
	}
	fclose(maps);
	close(fd);
	scan_registers((pid_t)strtol(pid, NULL, 10));
	printf("%s: %llu KiB read, %llu KiB hidden\n", pid,
	    (unsigned long long)seen / 1024, (unsigned long long)hidden /
	    1024);
	return report(pid);
}

static int
scan_file(const char *path)
{
	size_t	 len;
	uint8_t	*p = read_file(path, &len);

	look(p, len, path, 0);
	free(p);
	return report(path);
}

static int
scan(int argc, char **argv)
{
	const char	*box = NULL, *path = "m", *errstr;
	int		 ch, i, ret = 0;

	while ((ch = getopt(argc, argv, "kc:p:")) != -1)
		switch (ch) {
		case 'k':
			no_keys = true;
			break;
		case 'c':
			box = optarg;
			break;
		case 'p':
			path = optarg;
			break;
		default:
			return 2;
		}
	argc -= optind;
	argv += optind;
	if (argc < 3)
		die("scan FILE PASSFILE TARGET...");
	if ((table = calloc(SLOTS, sizeof(*table))) == NULL ||
	    curve_init() == -1 || secmem_init_insecure(1 << 20) == -1)
		die("out of memory");
	look_for(argv[0], argv[1], box, path);
	for (i = 2; i < argc; i++) {
		memset(found, 0, sizeof(found));
		(void)strtonum(argv[i], 1, INT32_MAX, &errstr);
		ret |= errstr == NULL ? scan_pid(argv[i]) :
		    scan_file(argv[i]);
	}
	return ret;
}

/* --- canaries --- */

static void
put(struct isec_plain *p, const char *name, const void *val, size_t len)
{
	const char	*errstr;

	if (isec_put(p, name, val, len, &errstr) == -1)
		die("%s: %s", name, errstr);
}

/* Random text in base64. */
static void
put_text(struct isec_plain *p, const char *name)
{
	uint8_t	 bin[24];
	char	 text[64];

	randombytes_buf(bin, sizeof(bin));
	(void)sodium_bin2base64(text, sizeof(text), bin, sizeof(bin),
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	put(p, name, text, strlen(text));
}

static int
make(const char *file, const char *passfile, const char *count)
{
	struct isec_header	 h;
	struct isec_plain	 p;
	const uint8_t		*wallet;
	const char		*errstr;
	uint8_t			*out, *pass, bin[32], key[32];
	char			 name[NAME_BUF], phrase[BIP39_PHRASE_MAX];
	char			 box[WALLETCRYPT_TEXT(WALLETCRYPT_MAX_PLAIN)];
	size_t			 len, passlen, n, i;
	FILE			*f;

	n = (size_t)strtonum(count, 300, 10000, &errstr);
	if (errstr != NULL || isec_plain_init(&p) == -1 ||
	    isec_header_init(&h, 8192, 1, 1, &errstr) == -1)
		die("make: %s", count);
	put_text(&p, SECRET_WALLET);
	put_text(&p, SECRET_PAYMENT);
	for (i = 1; isec_count(p.buf, p.len) < n; i++) {
		randombytes_buf(bin, sizeof(bin));
		bin[0] &= 0x7f;			/* below the order */
		snprintf(name, sizeof(name), i <= 99 ? SECRET_KEY_PREFIX
		    "signer-%02zu" : SECRET_KEY_PREFIX "signer-%02zu.v%zu",
		    (i - 1) % 99 + 1, (i - 1) / 99 + 1);
		put(&p, name, bin, sizeof(bin));
		if (i > 99)
			continue;
		snprintf(name, sizeof(name), SECRET_PAYMENT_PREFIX
		    "signer-%02zu", i);
		put_text(&p, name);
		if (i == 1)		/* this one's is in the config */
			continue;
		randombytes_buf(bin, sizeof(bin));
		if (bip39_from_entropy(bin, 32, phrase) == -1)
			die("no phrase");
		snprintf(name, sizeof(name), SECRET_MNEMONIC_PREFIX
		    "signer-%02zu", i);
		put(&p, name, phrase, strlen(phrase));
	}
	pass = read_file(passfile, &passlen);
	if (passlen > 0 && pass[passlen - 1] == '\n')
		passlen--;
	if (isec_seal_pass(&h, pass, passlen, &p, &out, &len, &errstr) == -1)
		die("%s", errstr);
	umask(077);
	if ((f = fopen(file, "w")) == NULL || fwrite(out, len, 1, f) != 1 ||
	    fclose(f) != 0)
		die("%s: %s", file, strerror(errno));
	randombytes_buf(bin, sizeof(bin));
	if (bip39_from_entropy(bin, 32, phrase) == -1 ||
	    !isec_find(p.buf, p.len, SECRET_WALLET, &wallet, &n) ||
	    walletcrypt_key(wallet, n, key, &errstr) == -1 ||
	    walletcrypt_encrypt((uint8_t *)phrase, strlen(phrase), key, box,
	    sizeof(box), &errstr) == -1)
		die("no phrase for the config");
	puts(box);
	return 0;
}

static int
without_memfd(char **argv)
{
	scmp_filter_ctx	 c = seccomp_init(SCMP_ACT_ALLOW);

	/* By number: this libseccomp may not know the name. */
	if (c == NULL ||
	    seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOSYS), 447, 0) != 0 ||
	    seccomp_attr_set(c, SCMP_FLTATR_CTL_NNP, 0) != 0 ||
	    seccomp_load(c) != 0)
		die("cannot take memfd_secret away");
	seccomp_release(c);
	execv(argv[0], argv);
	die("%s: %s", argv[0], strerror(errno));
}

int
main(int argc, char **argv)
{
	log_init("memscan", 0);
	if (sodium_init() == -1)
		return 2;
	if (argc == 5 && strcmp(argv[1], "make") == 0)
		return make(argv[2], argv[3], argv[4]);
	if (argc > 2 && strcmp(argv[1], "mlock") == 0)
		return without_memfd(argv + 2);
	if (argc > 4 && strcmp(argv[1], "scan") == 0)
		return scan(argc - 1, argv + 1);
	die("make, scan or mlock");
}
