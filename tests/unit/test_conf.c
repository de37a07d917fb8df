/*
 * The config.  tests/config has documents as data: NAME.in with what -nv
 * prints in NAME.ok, or with the error (after the file's name) in NAME.err.
 * A comment "# test: euid=N profile=P" among the first lines sets the rest.
 */
#include <sys/stat.h>

#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "conf_int.h"
#include "vec.h"

#define CASES	"tests/config/*.in"

static glob_t	 cases;

/* path with another suffix; NULL when there is no such file. */
static char *
sibling(const char *path, const char *suffix)
{
	static char	 buf[512];

	snprintf(buf, sizeof(buf), "%.*s%s", (int)(strlen(path) - 3), path,
	    suffix);
	return access(buf, F_OK) == 0 ? buf : NULL;
}

static struct conf *
parse(const char *text, const char *profile, uid_t euid, char *err,
    size_t errlen)
{
	struct conf	*c;

	err[0] = '\0';
	c = conf_parse(text, strlen(text), "igra.toml", profile, euid, err,
	    errlen);
	ck_assert((c == NULL) == (err[0] != '\0'));
	return c;
}

static struct conf *
good(const char *text)
{
	char		 err[1024];
	struct conf	*c = parse(text, NULL, 0, err, sizeof(err));

	ck_assert_msg(c != NULL, "%s", err);
	return c;
}

static void
test_options(const char *text, char *profile, uid_t *euid)
{
	const char	*line = strstr(text, "# test:"), *p;

	*profile = '\0';
	*euid = 0;
	if (line == NULL)
		return;
	if ((p = strstr(line, "euid=")) != NULL)
		*euid = (uid_t)strtoul(p + 5, NULL, 10);
	if ((p = strstr(line, "profile=")) != NULL)
		ck_assert_int_eq(sscanf(p + 8, "%31s", profile), 1);
}

START_TEST(test_case)
{
	const char	*path = cases.gl_pathv[_i];
	char		*text, *want, *other, err[1024], profile[32], *p;
	struct conf	*c;
	size_t		 len, wantlen;
	uid_t		 euid;

	text = vec_file(path, &len);
	test_options(text, profile, &euid);
	c = parse(text, *profile == '\0' ? NULL : profile, euid, err,
	    sizeof(err));
	if ((other = sibling(path, ".ok")) != NULL) {
		ck_assert_msg(c != NULL, "%s: %s", path, err);
		want = vec_file(other, &wantlen);
		ck_assert_msg(strcmp(c->canonical, want) == 0,
		    "%s: %s has changed to:\n%s", path, other, c->canonical);
	} else {
		ck_assert_msg((other = sibling(path, ".err")) != NULL,
		    "%s has neither .ok nor .err", path);
		ck_assert_msg(c == NULL, "%s is accepted", path);
		want = vec_file(other, &wantlen);
		want[strcspn(want, "\n")] = '\0';
		p = strncmp(err, "igra.toml:", 10) == 0 ? err + 10 : err;
		ck_assert_msg(strcmp(p, want) == 0, "%s: %s\nnot: %s", path, p,
		    want);
	}
	conf_free(c);
	free(want);
	free(text);
}
END_TEST

/* What -nv prints is a config that means the same. */
START_TEST(test_canonical)
{
	const char	*path = cases.gl_pathv[_i];
	char		*text, err[1024], profile[32];
	struct conf	*c, *again;
	size_t		 len;
	uid_t		 euid;

	if (sibling(path, ".ok") == NULL)
		return;
	text = vec_file(path, &len);
	test_options(text, profile, &euid);
	c = parse(text, *profile == '\0' ? NULL : profile, euid, err,
	    sizeof(err));
	ck_assert_ptr_nonnull(c);
	if (!c->token_set) {
		again = parse(c->canonical, NULL, euid, err, sizeof(err));
		ck_assert_msg(again != NULL, "%s: %s", path, err);
		ck_assert_str_eq(again->canonical, c->canonical);
		ck_assert_uint_eq(again->policy.keys_set.n,
		    c->policy.keys_set.n);
		ck_assert_ptr_null(conf_frozen_change(c, again));
		conf_free(again);
	}
	conf_free(c);
	free(text);
}
END_TEST

/* No error message and no -nv shows a token. */
START_TEST(test_token)
{
	uint8_t		 hash[32];
	char		 err[1024];
	struct conf	*c;

	c = good("[service]\nactive_profile = 'signer-01'\n[rpc]\n"
	    "token = 'open-sesame-0123456789'\n");
	crypto_generichash(hash, sizeof(hash),
	    (const uint8_t *)"open-sesame-0123456789", 22, NULL, 0);
	ck_assert(c->token_set);
	ck_assert_mem_eq(c->token_hash, hash, sizeof(hash));
	ck_assert_ptr_null(strstr(c->canonical, "sesame"));
	ck_assert_ptr_nonnull(strstr(c->canonical, "token = \"********\""));
	conf_free(c);
	ck_assert_ptr_null(parse("[rpc]\ntoken = 'open sesame'\n", NULL, 0, err,
	    sizeof(err)));
	ck_assert_ptr_null(strstr(err, "sesame"));
}
END_TEST

START_TEST(test_members)
{
	char		*text, err[1024];
	struct conf	*c;
	size_t		 len;

	text = vec_file("tests/config/every-key.in", &len);
	ck_assert_ptr_nonnull(c = parse(text, NULL, 0, err, sizeof(err)));
	ck_assert(c->network_set);
	ck_assert_int_eq(c->network, KASPA_TESTNET);
	ck_assert_str_eq(c->network_text, "testnet-10");
	ck_assert_int_eq(c->key_type, KEY_RAW_PRIVATE);
	ck_assert_int_eq(c->signer_key_parity, PARITY_TRUE);
	ck_assert_str_eq(c->fee_payment_mode, "split");
	ck_assert_double_eq(c->fee_recipient_parts, 1);
	ck_assert_double_eq(c->fee_signer_parts, 2.5);
	ck_assert_uint_eq(c->encrypted_mnemonics.n, 1);
	ck_assert_uint_eq(c->admin_users.n, 3);
	ck_assert_str_eq(c->admin_users.v[1], "1000");
	ck_assert_str_eq(c->signd_user.name, "64002");
	ck_assert_uint_eq(c->policy.allowed_sighash_types, 0x3f);
	ck_assert_uint_eq(c->policy.max_amount_sompi.v, 2900000000000000000ULL);
	ck_assert(c->policy.max_fee_percent_set);
	ck_assert_double_eq(c->policy.max_fee_percent, 0.1);
	ck_assert(c->group_present);
	ck_assert_uint_eq(c->group.member_pubkeys.n, 3);
	ck_assert_uint_eq(c->policy.keys_set.n, 14);
	ck_assert_str_eq(c->policy.keys_set.v[0], "allowed_destinations");
	ck_assert_str_eq(c->policy.keys_set.v[13], "max_outpoints");
	ck_assert_int_eq(strncmp(c->redeem_script_hex, "5220", 4), 0);
	ck_assert_uint_eq(c->notes.n, 0);
	conf_free(c);
	free(text);
}
END_TEST

START_TEST(test_defaults)
{
	struct conf	*c = good("[service]\nactive_profile = 'signer-09'\n");

	ck_assert(!c->network_set && c->network_text == NULL);
	ck_assert_int_eq(c->network, KASPA_MAINNET);
	ck_assert_str_eq(c->derivation_path, "");
	ck_assert_str_eq(c->fee_payment_mode, "recipient_pays");
	ck_assert(c->use_encrypted_secrets && c->verify_after_sign);
	ck_assert(!c->group_present && !c->token_set);
	ck_assert_ptr_null(c->keyd_user.name);
	ck_assert_uint_eq(c->policy.allowed_sighash_types, CONF_SIGHASH_ALL);
	ck_assert_uint_eq(c->policy.keys_set.n, 0);
	ck_assert_uint_eq(c->allow_users.n, 1);
	ck_assert_str_eq(c->allow_users.v[0], "0");
	ck_assert_uint_eq(c->secrets_file_max, 1024 * 1024);
	conf_free(c);
}
END_TEST

START_TEST(test_profile)
{
	char		*text, err[1024];
	struct conf	*c;
	size_t		 len;

	text = vec_file("tests/config/profile.in", &len);
	ck_assert_ptr_nonnull(c = parse(text, "signer-02", 0, err,
	    sizeof(err)));
	ck_assert_str_eq(c->active_profile, "signer-02");
	ck_assert_str_eq(c->data_dir, "/data/2");
	ck_assert_str_eq(c->secrets_file, "/data/2/secrets.bin");
	ck_assert_uint_eq(c->policy.max_amount_sompi.v, 20);
	ck_assert(!c->policy.max_fee_sompi.set);
	ck_assert_uint_eq(c->source_addresses.n, 1);
	ck_assert_uint_eq(c->sig_op_count.v, 3);
	ck_assert_uint_eq(c->policy.keys_set.n, 2);
	ck_assert_uint_eq(conf_line(c, "security.secret_cache_ttl"), 13);
	ck_assert_uint_eq(conf_line(c, "policy.max_per_hour"), 25);
	ck_assert_uint_eq(conf_line(c, "policy.max_fee_sompi"), 0);
	ck_assert_uint_eq(conf_line(c, "no.such"), 0);
	conf_free(c);
	ck_assert_ptr_nonnull(c = parse(text, NULL, 0, err, sizeof(err)));
	ck_assert_str_eq(c->data_dir, "/data/1");
	ck_assert_uint_eq(c->policy.max_amount_sompi.v, 10);
	ck_assert_uint_eq(c->policy.max_fee_sompi.v, 1);
	conf_free(c);
	free(text);

	ck_assert_int_eq(conf_profile_index("signer-01"), 1);
	ck_assert_int_eq(conf_profile_index("signer-99"), 99);
	ck_assert_int_eq(conf_profile_index("signer-00"), -1);
	ck_assert_int_eq(conf_profile_index("signer-1"), -1);
	ck_assert_int_eq(conf_profile_index("signer-001"), -1);
	ck_assert_int_eq(conf_profile_index("Signer-01"), -1);
	ck_assert_int_eq(conf_profile_index(""), -1);
}
END_TEST

START_TEST(test_notes)
{
	struct conf	*c;

	c = good("[service]\nactive_profile = 'signer-01'\n"
	    "allow_schema_wipe = true\n[iroh]\n[[hyperlane]]\n[[hyperlane]]\n"
	    "[profiles.signer-01.rpc]\naddr = 'x'\n"
	    "[profiles.signer-02.rpc]\naddr = 'y'\n");
	ck_assert_uint_eq(c->notes.n, 4);
	ck_assert_str_eq(c->notes.v[0], "igra.toml:3: service.allow_schema_wipe "
	    "has no meaning for the signer and is skipped");
	ck_assert_ptr_nonnull(strstr(c->notes.v[1], ":4: iroh "));
	ck_assert_ptr_nonnull(strstr(c->notes.v[2], ":5: hyperlane "));
	ck_assert_ptr_nonnull(strstr(c->notes.v[3],
	    ":8: profiles.signer-01.rpc.addr "));
	conf_free(c);
}
END_TEST

START_TEST(test_frozen)
{
	static const struct {
		const char	*line, *key;
	} t[] = {
		{ "[service]\nnetwork = 'mainnet'", "service.network" },
		{ "[service]\ndata_dir = '/x'", "service.data_dir" },
		{ "[service]\nsecrets_file = '/x'", "service.secrets_file" },
		{ "[security]\nsecrets_file_max = 4096",
		    "security.secrets_file_max" },
		{ "[service]\nuse_encrypted_secrets = false",
		    "service.use_encrypted_secrets" },
		{ "[service.hd]\nkey_type = 'raw'", "service.hd.key_type" },
		{ "[security]\nsecret_cache_max = 1",
		    "security.secret_cache_max" },
		{ "[audit]\nreserve_bytes = 65536", "audit.reserve_bytes" },
		{ "[policy]\nmax_outpoints = 1000", "policy.max_outpoints" },
		{ "[keyd]\nuser = 5", "keyd.user" },
		{ "[signd]\nsocket = '/x'", "signd.socket" },
		{ "[service]\nnetwork = 'devnet'", NULL },
		{ "[policy]\nmax_amount_sompi = 1", NULL },
		{ "[security]\nsecret_cache_ttl = 1", NULL },
		{ "[rpc]\nallow_users = [5]\ntoken = 'abc'", NULL },
	};
	char		 text[256];
	struct conf	*a, *b;
	size_t		 i;

	a = good("service.active_profile = 'signer-01'\n"
	    "service.network = 'devnet'\n");
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		snprintf(text, sizeof(text), "%s\n%s\n", t[i].line,
		    strncmp(t[i].line, "[service]\nn", 11) == 0 ? "" :
		    "[profiles.signer-01.service]\nnetwork = 'devnet'");
		{
			char	 err[1024];

			b = parse(text, "signer-01", 0, err, sizeof(err));
			ck_assert_msg(b != NULL, "%s", err);
		}
		if (t[i].key == NULL)
			ck_assert_ptr_null(conf_frozen_change(a, b));
		else
			ck_assert_str_eq(conf_frozen_change(a, b), t[i].key);
		conf_free(b);
	}
	conf_free(a);
}
END_TEST

START_TEST(test_rotation)
{
	uint64_t	 warn, error;
	struct conf	*c;

	c = good("service.active_profile = 'signer-01'\n");
	conf_rotation_days(c, KASPA_MAINNET, &warn, &error);
	ck_assert(warn == 60 && error == 90);
	conf_rotation_days(c, KASPA_TESTNET, &warn, &error);
	ck_assert(warn == 90 && error == 0);
	conf_rotation_days(c, KASPA_DEVNET, &warn, &error);
	ck_assert(warn == 0 && error == 0);
	conf_free(c);
	c = good("[service]\nactive_profile = 'signer-01'\n"
	    "passphrase_rotation_warn_days = 5\n"
	    "passphrase_rotation_error_days = 0\n");
	conf_rotation_days(c, KASPA_MAINNET, &warn, &error);
	ck_assert(warn == 5 && error == 0);
	conf_free(c);
	c = good("[service]\nactive_profile = 'signer-01'\n"
	    "passphrase_rotation_enabled = false\n");
	conf_rotation_days(c, KASPA_MAINNET, &warn, &error);
	ck_assert(warn == 0 && error == 0);
	conf_free(c);
}
END_TEST

START_TEST(test_uid)
{
	uid_t	 uid;
	gid_t	 gid;

	ck_assert_int_eq(conf_uid("root", &uid, &gid), 0);
	ck_assert(uid == 0 && gid == 0);
	ck_assert_int_eq(conf_uid("64001", &uid, &gid), 0);
	ck_assert(uid == 64001 && gid == 64001);
	ck_assert_int_eq(conf_uid("no such user", &uid, &gid), -1);
	ck_assert_int_eq(conf_uid("-1", &uid, &gid), -1);
	ck_assert_int_eq(conf_uid("4294967295", &uid, &gid), -1);
}
END_TEST

/* What igractl reload sends: users are numbers, and the token goes. */
START_TEST(test_reload_text)
{
	static const char	 text[] = "\xef\xbb\xbf[rpc]\n"
	    "token = 'a-token' # 'a-token' it is not here\n"
	    "allow_users = [ \"root\", 7,\n  'root', 'no such user' ]\n"
	    "[profiles.signer-02.rpc]\ntoken = \"other\"\n"
	    "allow_users = ['root']\n"
	    "[service]\nactive_profile = 'root'\n"
	    "[profiles.signer-02]\nkeyd = { user = 'root' }\n"
	    "[security]\nadmin_users = []\n";
	static const char	 want[] = "\xef\xbb\xbf[rpc]\n"
	    "token = \"-\" # 'a-token' it is not here\n"
	    "allow_users = [ 0, 7,\n  0, 'no such user' ]\n"
	    "[profiles.signer-02.rpc]\ntoken = \"-\"\n"
	    "allow_users = [0]\n"
	    "[service]\nactive_profile = 'root'\n"
	    "[profiles.signer-02]\nkeyd = { user = 0 }\n"
	    "[security]\nadmin_users = []\n";
	struct conf		*c;
	char			*out, err[256];
	size_t			 len;

	out = conf_reload_text(text, sizeof(text) - 1, "igra.toml", false,
	    &len, err, sizeof(err));
	ck_assert_msg(out != NULL, "%s", err);
	ck_assert_str_eq(out, want);
	ck_assert_uint_eq(len, sizeof(want) - 1);
	free(out);
	out = conf_reload_text(text, sizeof(text) - 1, "igra.toml", true,
	    &len, err, sizeof(err));
	ck_assert_ptr_nonnull(out);
	ck_assert_ptr_nonnull(strstr(out, "token = 'a-token'"));
	ck_assert_ptr_nonnull(strstr(out, "token = \"other\""));
	free(out);
	out = conf_reload_text("", 0, "igra.toml", true, &len, err,
	    sizeof(err));
	ck_assert_str_eq(out, "");
	free(out);
	ck_assert_ptr_null(conf_reload_text("a", 1, "igra.toml", true, &len,
	    err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, "igra.toml:1: "));

	c = good("[service]\nactive_profile = 'signer-01'\n"
	    "[keyd]\nuser = 5\n[rpc]\nallow_users = [0]\n");
	ck_assert_ptr_null(conf_named_user(c));
	conf_free(c);
	c = good("[service]\nactive_profile = 'signer-01'\n"
	    "[security]\nadmin_users = [5, 'x']\n");
	ck_assert_str_eq(conf_named_user(c), "x");
	conf_free(c);
	c = good("[service]\nactive_profile = 'signer-01'\n"
	    "[auditd]\nuser = 'y'\n");
	ck_assert_str_eq(conf_named_user(c), "y");
	conf_free(c);
}
END_TEST

/* 10,000 destinations fit; a file too large, missing or a folder is told. */
START_TEST(test_load)
{
	char		 dir[] = "/tmp/test_conf.XXXXXX", path[64], err[1024];
	struct conf	*c;
	FILE		*f;
	int		 i;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/igra.toml", dir);
	ck_assert_ptr_null(conf_load(path, NULL, 0, err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, "No such file"));
	ck_assert_ptr_null(conf_load(dir, NULL, 0, err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, "Is a directory"));

	ck_assert_ptr_nonnull(f = fopen(path, "w"));
	fprintf(f, "[service]\nactive_profile = 'signer-01'\n[policy]\n"
	    "allowed_destinations = [\n");
	for (i = 0; i < 10000; i++)
		fprintf(f, "\t\"kaspa:pzh5wrh8zvtjkx095d537g3s7qudrhhca9zxk4"
		    "et9v7lenm4yxu62sa6r0ykk\",\n");
	fprintf(f, "]\n");
	fclose(f);
	c = conf_load(path, NULL, 0, err, sizeof(err));
	ck_assert_msg(c != NULL, "%s", err);
	ck_assert_uint_eq(c->policy.allowed_destinations.n, 10000);
	ck_assert_str_eq(c->path, path);
	conf_free(c);

	ck_assert_int_eq(truncate(path, CONF_MAX_SIZE + 1), 0);
	ck_assert_ptr_null(conf_load(path, NULL, 0, err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, "larger than"));
	unlink(path);
	rmdir(dir);
}
END_TEST

/* Lines that begin with mark, without it; the others become empty. */
static char *
uncomment(const char *text, const char *mark, bool others)
{
	char		*out = calloc(1, strlen(text) + 2), *q = out;
	const char	*p, *end;
	size_t		 n = strlen(mark);

	ck_assert_ptr_nonnull(out);
	for (p = text; *p != '\0'; p = end + (*end == '\n')) {
		end = p + strcspn(p, "\n");
		if (strncmp(p, mark, n) == 0 && p[n] != ' ' && p[n] != '#' &&
		    p[n] != '-' && p[n] != '\n')
			p += n;
		else if (!others)
			p = end;
		memcpy(q, p, (size_t)(end - p));
		q += end - p;
		*q++ = '\n';
	}
	return out;
}

/* As shipped, with its commented lines, and its mainnet part. */
START_TEST(test_example)
{
	char		*text, *full, *mainnet, *line, err[1024];
	struct conf	*c, *all;
	size_t		 len;

	text = vec_file("etc/igra.toml", &len);
	c = parse(text, NULL, 0, err, sizeof(err));
	ck_assert_msg(c != NULL, "%s", err);
	ck_assert_uint_eq(c->notes.n, 0);

	full = uncomment(text, "#", true);
	all = parse(full, NULL, 0, err, sizeof(err));
	ck_assert_msg(all != NULL, "%s", err);
	/* What it says the defaults are, they are. */
	for (line = strtok(c->canonical, "\n"); line != NULL;
	    line = strtok(NULL, "\n"))
		ck_assert_msg(strstr(all->canonical, line) != NULL,
		    "etc/igra.toml has not the default: %s", line);
	conf_free(all);
	conf_free(c);

	mainnet = uncomment(text, "## ", false);
	c = parse(mainnet, NULL, 0, err, sizeof(err));
	ck_assert_msg(c != NULL, "%s", err);
	ck_assert(c->network_set && c->network == KASPA_MAINNET);
	ck_assert(c->group_present && c->policy.max_fee_sompi.set);
	conf_free(c);
	free(mainnet);
	free(full);
	free(text);
}
END_TEST

/* The example and the manual know every key, and the manual if it reloads. */
START_TEST(test_documented)
{
	char		*text, *man, *p, *end, want[256];
	const char	*leaf, *mark;
	size_t		 i, len;

	text = vec_file("etc/igra.toml", &len);
	man = vec_file("man/igra.toml.5", &len);
	for (i = 0; i < conf_nkeys; i++) {
		const struct conf_key	*k = &conf_keys[i];

		leaf = strrchr(k->name, '.');
		if (k->type != CONF_SKIP) {
			snprintf(want, sizeof(want), "%s = ", leaf + 1);
			ck_assert_msg(strstr(text, want) != NULL,
			    "etc/igra.toml lacks %s", k->name);
		}
		snprintf(want, sizeof(want), ".\\\" %s\n", k->name);
		p = strstr(man, want);
		ck_assert_msg(p != NULL, "man/igra.toml.5 lacks %s", k->name);
		if (k->type == CONF_SKIP)
			continue;
		p += strlen(want);
		snprintf(want, sizeof(want), ".It Ic %s ", leaf + 1);
		ck_assert_msg(strncmp(p, want, strlen(want)) == 0,
		    "man/igra.toml.5: %s", k->name);
		end = p + strcspn(p, "\n");
		mark = k->flags & CONF_FROZEN ? ", not reloadable" :
		    ", reloadable";
		ck_assert_msg(strncmp(end - strlen(mark), mark, strlen(mark)) ==
		    0, "man/igra.toml.5: %s is%s", k->name, mark + 1);
	}
	free(text);
	free(man);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("conf");
	TCase	*tc = tcase_create("conf");
	SRunner	*sr;
	int	 failed;

	if (sodium_init() == -1 || glob(CASES, 0, NULL, &cases) != 0) {
		fprintf(stderr, "no %s: run it from the source's top\n", CASES);
		return EXIT_FAILURE;
	}
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_case, 0, (int)cases.gl_pathc);
	tcase_add_loop_test(tc, test_canonical, 0, (int)cases.gl_pathc);
	tcase_add_test(tc, test_token);
	tcase_add_test(tc, test_members);
	tcase_add_test(tc, test_defaults);
	tcase_add_test(tc, test_profile);
	tcase_add_test(tc, test_notes);
	tcase_add_test(tc, test_frozen);
	tcase_add_test(tc, test_rotation);
	tcase_add_test(tc, test_uid);
	tcase_add_test(tc, test_reload_text);
	tcase_add_test(tc, test_load);
	tcase_add_test(tc, test_example);
	tcase_add_test(tc, test_documented);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	globfree(&cases);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
