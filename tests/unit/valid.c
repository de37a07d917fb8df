#include <sys/stat.h>

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "valid.h"
#include "vec.h"

static const char	 base[] =
    "service.network = \"@N\"\n"
    "service.active_profile = \"signer-01\"\n"
    "service.data_dir = \"@T/data\"\n"
    "service.key_audit_log_path = \"@T/log/key-audit.log\"\n"
    "service.node_rpc_url = \"grpc://127.0.0.1:16110\"\n"
    "service.hd.derivation_path = \"m/45'/111111'/0'/0/0\"\n"
    "service.pskt.redeem_script_hex = \"@R\"\n"
    "service.pskt.source_addresses = [\"@A\"]\n"
    "service.pskt.change_address = \"@A\"\n"
    "policy.max_fee_sompi = 1000000\n"
    "policy.allowed_destinations = [\"@C\"]\n"
    "group.threshold_m = 2\n"
    "group.threshold_n = 3\n"
    "group.member_pubkeys = [\"0x@1\", \"@2\", \"02@3\"]\n"
    "keyd.state_dir = \"@T/keyd\"\n";

static void	 put(char *, size_t, const char *, ...)
		    __attribute__((format(printf, 3, 4)));
static void	 make_file(const char *);
static void	 keys_of(uint8_t [4][32]);
static char	*expand(const struct valid *, const char *);
static const char *meaning(const struct valid *, char, char *, size_t);
static void	 address(enum kaspa_network, bool, char *);
static void	 set_line(char **, const char *);
static void	 reparse(struct valid *);
static int	 remove_one(const char *, const struct stat *, int,
		    struct FTW *);

static void
put(char *buf, size_t size, const char *fmt, ...)
{
	va_list	 ap;
	int	 n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	ck_assert(n >= 0 && (size_t)n < size);
}

static void
make_file(const char *path)
{
	int	 fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	ck_assert_msg(fd != -1, "%s", path);
	close(fd);
}

/* Three of the multisig vectors, and a stranger's. */
static void
keys_of(uint8_t keys[4][32])
{
	yajl_val	 list, all = vec_load("multisig.json");
	uint8_t		*key;
	size_t		 i, len;

	list = vec_get(vec_at(all, 1), "xonly_public_keys");
	for (i = 0; i < 3; i++) {
		key = vec_unhex(YAJL_GET_STRING(vec_at(list, i)), &len);
		ck_assert_uint_eq(len, 32);
		memcpy(keys[i], key, 32);
		free(key);
	}
	memset(keys[3], 0x5a, 32);
	yajl_tree_free(all);
}

void
valid_pub(int i, uint8_t pub[33])
{
	uint8_t	 keys[4][32];

	keys_of(keys);
	pub[0] = 2;
	memcpy(pub + 1, keys[i], 32);
}

static void
address(enum kaspa_network network, bool own, char *out)
{
	struct kaspa_address	 a;
	uint8_t			 keys[4][32], redeem[MULTISIG_MAX_SCRIPT];
	uint8_t			 script[P2SH_SCRIPT_LEN];
	size_t			 len;

	keys_of(keys);
	memset(&a, 0, sizeof(a));
	a.network = network;
	a.len = 32;
	if (own) {
		len = script_multisig(2, 3,
		    (const uint8_t (*)[32])(const void *)keys, redeem);
		script_p2sh(redeem, len, script);
		a.version = ADDRESS_P2SH;
		memcpy(a.payload, script + 2, 32);
	} else {
		a.version = ADDRESS_SCHNORR;
		memcpy(a.payload, keys[3], 32);
	}
	address_encode(&a, out);
	ck_assert_str_ne(out, "");
}

static const char *
meaning(const struct valid *f, char letter, char *buf, size_t size)
{
	enum kaspa_network	 net = f->v.network, other;
	uint8_t			 keys[4][32], script[MULTISIG_MAX_SCRIPT];
	size_t			 len;

	other = net == KASPA_MAINNET ? KASPA_TESTNET : KASPA_MAINNET;
	keys_of(keys);
	switch (letter) {
	case 'N':
		return kaspa_network_name(net);
	case 'O':
		return kaspa_network_name(other);
	case 'A':
		address(net, true, buf);
		return buf;
	case 'B':
		address(other, true, buf);
		return buf;
	case 'C':
		address(net, false, buf);
		return buf;
	case 'R':
		len = script_multisig(2, 3,
		    (const uint8_t (*)[32])(const void *)keys, script);
		put(buf, size, "%s", vec_hex(script, len));
		return buf;
	case 'E':
		put(buf, size, "5221%s%s21%s%s52a9", "02",
		    vec_hex(keys[0], 32), "03", vec_hex(keys[1], 32));
		return buf;
	case '1':
	case '2':
	case '3':
	case '4':
		return vec_hex(keys[letter - '1'], 32);
	case 'X':
	case 'Y':
		put(buf, size, "%s%0107d", (net == KASPA_MAINNET) ==
		    (letter == 'X') ? "kpub" : "ktub", 0);
		memset(buf + 4, 'a', 107);
		return buf;
	case 'T':
		return f->dir;
	}
	ck_abort_msg("@%c", letter);
}

static char *
expand(const struct valid *f, const char *text)
{
	char	*out, buf[2 * MULTISIG_MAX_SCRIPT + 1];
	size_t	 size = 16384, at = 0;

	ck_assert_ptr_nonnull(out = malloc(size));
	out[0] = '\0';
	for (; *text != '\0'; text++) {
		ck_assert_uint_lt(at + 1, size);
		/* An @ between letters is an URL's. */
		if (*text == '@' && strchr("NOABCRE1234XYT", text[1]) != NULL) {
			at = strlcat(out, meaning(f, *++text, buf,
			    sizeof(buf)), size);
			ck_assert_uint_lt(at, size);
		} else {
			out[at++] = *text;
			out[at] = '\0';
		}
	}
	return out;
}

/* Applies one line of an edit to the text. */
static void
set_line(char **text, const char *line)
{
	const char	*name = *line == '-' ? line + 1 : line;
	size_t		 len = strcspn(name, " \n"), size, at = 0;
	char		*new, *p, *end;

	size = strlen(*text) + strlen(line) + 2;
	ck_assert_ptr_nonnull(new = malloc(size));
	for (p = *text; *p != '\0'; p = end) {
		end = p + strcspn(p, "\n") + 1;
		if (strncmp(p, name, len) == 0 &&
		    (p[len] == ' ' || name[len - 1] == '.'))
			continue;
		memcpy(new + at, p, (size_t)(end - p));
		at += (size_t)(end - p);
	}
	if (*line != '-') {
		len = strcspn(line, "\n");
		memcpy(new + at, line, len);
		at += len;
		new[at++] = '\n';
	}
	new[at] = '\0';
	free(*text);
	*text = new;
}

static void
reparse(struct valid *f)
{
	char	 err[1024], *text = expand(f, f->text);

	conf_free(f->conf);
	f->conf = conf_parse(text, strlen(text), f->conf_path, NULL, 0, err,
	    sizeof(err));
	ck_assert_msg(f->conf != NULL, "%s\n%s", err, text);
	f->v.conf = f->conf;
	free(text);
}

void
valid_edit(struct valid *f, const char *lines)
{
	for (; *lines != '\0'; lines += strcspn(lines, "\n"),
	    lines += *lines == '\n')
		set_line(&f->text, lines);
	reparse(f);
}

void
valid_init(struct valid *f, enum kaspa_network network)
{
	memset(f, 0, sizeof(*f));
	put(f->dir, sizeof(f->dir), "/tmp/valid.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(f->dir));
	put(f->conf_path, sizeof(f->conf_path), "%s/igra.toml", f->dir);
	put(f->data, sizeof(f->data), "%s/data", f->dir);
	put(f->secrets, sizeof(f->secrets), "%s/data/secrets.bin", f->dir);
	put(f->log_dir, sizeof(f->log_dir), "%s/log", f->dir);
	put(f->log, sizeof(f->log), "%s/log/key-audit.log", f->dir);
	put(f->keyd, sizeof(f->keyd), "%s/keyd", f->dir);
	ck_assert_int_eq(mkdir(f->data, 0700), 0);
	ck_assert_int_eq(mkdir(f->log_dir, 0700), 0);
	ck_assert_int_eq(mkdir(f->keyd, 0700), 0);
	make_file(f->conf_path);
	make_file(f->secrets);
	make_file(f->log);

	f->v.network = network;
	f->v.owner = geteuid();
	f->v.users_known = f->v.separated = true;
	f->v.uid[0] = f->v.uid[1] = f->v.uid[2] = geteuid();
	if (geteuid() == 0) {
		f->v.uid[0] = 64001;
		f->v.uid[1] = 64002;
		f->v.uid[2] = 64003;
	}
	f->v.has_arena = f->v.memory_locked = f->v.sandboxed = true;
	f->v.age_known = true;
	f->v.secrets.known = f->v.secrets.phrase = true;
	f->v.secrets.payment_there = f->v.secrets.payment_utf8 = true;
	f->v.secrets.payment_chars = 12;
	f->v.secrets.has_pub = true;
	valid_pub(0, f->v.secrets.pub);
	f->v.secrets.pass_known = f->v.secrets.wallet_known = true;
	ck_assert_ptr_nonnull(f->text = strdup(base));
	reparse(f);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *w)
{
	(void)st;
	(void)type;
	(void)w;
	return remove(path);
}

void
valid_free(struct valid *f)
{
	/* A row may have taken our own right to write away. */
	ck_assert_int_eq(chmod(f->data, 0700), 0);
	ck_assert_int_eq(nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	conf_free(f->conf);
	free(f->text);
}

const struct finding *
valid_finding(const struct findings *f, const char *rule, size_t *n)
{
	const struct finding	*worst = NULL;
	size_t			 i;

	*n = 0;
	for (i = 0; i < f->n; i++) {
		if (strcmp(f->v[i].rule, rule) != 0)
			continue;
		++*n;
		if (worst == NULL || f->v[i].severity > worst->severity)
			worst = &f->v[i];
	}
	return worst;
}
