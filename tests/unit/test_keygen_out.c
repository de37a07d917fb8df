/*
 * devnet-keygen: the texts it prints and the files it writes.
 */
#include <sys/stat.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "common/conf.h"
#include "common/json.h"
#include "common/log.h"
#include "keyd/isec.h"
#include "keyd/kg_files.h"
#include "keyd/kg_out.h"
#include "keyd/secrets_file.h"
#include "vec.h"

static void		 build_ok(struct kg_group *);
static struct kg_set	*make(enum kg_key_type, unsigned, struct kg_group *);
static void		 order_of(struct json *, const char *const *);
static void		 same_hex(struct pool *, struct json *, const char *,
			    const void *, size_t);

static void
build_ok(struct kg_group *g)
{
	char	 err[256] = "";

	ck_assert_msg(kg_group_build(g, err, sizeof(err)) == 0, "%s", err);
}

/* A group of new keys; the caller frees the set. */
static struct kg_set *
make(enum kg_key_type type, unsigned n, struct kg_group *g)
{
	struct kg_set	*set = kg_set_new();
	unsigned	 i;

	ck_assert_ptr_nonnull(set);
	ck_assert_int_eq(kg_make_signers(set, type, n, NULL,
	    (const uint8_t *)"s\xc3\xbc\xc3\x9f", 5), 0);
	memset(g, 0, sizeof(*g));
	g->network = KASPA_TESTNET;
	g->m = n < 2 ? n : 2;
	g->n = n;
	for (i = 0; i < n; i++)
		memcpy(g->member[i].key, set->signer[i].pub, 33);
	build_ok(g);
	return set;
}

static void
order_of(struct json *v, const char *const *names)
{
	struct json	*m;

	for (m = v->first; m != NULL; m = m->next) {
		ck_assert_ptr_nonnull(*names);
		ck_assert_uint_eq(m->key.len, strlen(*names));
		ck_assert_int_eq(memcmp(m->key.p, *names, m->key.len), 0);
		names++;
	}
	ck_assert_ptr_null(*names);
}

static void
same_hex(struct pool *p, struct json *v, const char *name, const void *want,
    size_t len)
{
	ck_assert_str_eq(json_cstr(p, json_get(v, name)), vec_hex(want, len));
}

START_TEST(json_set)
{
	static const char *const	 top[] = { "wallet", "signers",
	    "signer_addresses", "member_pubkeys", "redeem_script_hex",
	    "source_addresses", "change_address", "hyperlane_keys", "evm",
	    "group_id", "multisig_address", NULL };
	static const char *const	 one[] = { "profile", "mnemonic",
	    "iroh_seed_hex", "iroh_peer_id", "iroh_pubkey_hex", "pubkey_hex",
	    "address", "derivation_path", NULL };
	struct kg_group	 g;
	struct kg_set	*set = make(KG_HD, 15, &g);
	struct kg_text	 t;
	struct pool	 pool;
	struct json	*v, *s;
	char		 err[256] = "";

	ck_assert_int_eq(kg_make_devnet(set, 99, false), 0);
	ck_assert_int_eq(kg_text_init(&t), 0);
	kg_json_set(&t, set, &g);
	ck_assert(!t.failed);
	ck_assert_uint_lt(t.len, KG_TEXT_MAX / 4);
	ck_assert_int_eq(t.p[t.len - 1], '\n');
	ck_assert_ptr_eq(strchr(t.p, '\n'), t.p + t.len - 1);
	pool_init(&pool, 16 * 1024 * 1024);
	v = json_parse(&pool, t.p, t.len, err, sizeof(err));
	ck_assert_msg(v != NULL, "%s", err);
	order_of(v, top);
	s = json_get(v, "signers");
	ck_assert_uint_eq(s->n, 15);
	order_of(s->first, one);
	ck_assert_str_eq(json_cstr(&pool, json_get(s->first, "mnemonic")),
	    set->signer[0].phrase);
	ck_assert_str_eq(json_cstr(&pool, json_get(s->first,
	    "derivation_path")), "");
	same_hex(&pool, s->first, "iroh_seed_hex", set->signer[0].iroh_seed,
	    32);
	same_hex(&pool, s->first, "pubkey_hex", set->signer[0].pub, 33);
	same_hex(&pool, v, "redeem_script_hex", g.redeem, g.redeemlen);
	same_hex(&pool, v, "group_id", g.id, 32);
	ck_assert_uint_eq(json_get(v, "hyperlane_keys")->n, 99);
	ck_assert_str_eq(json_cstr(&pool, json_get(json_get(v, "wallet"),
	    "password")), "devnet");
	same_hex(&pool, json_get(v, "wallet"), "private_key_hex",
	    set->wallet.key, 32);
	pool_free(&pool);
	kg_text_free(&t);
	kg_set_free(set);
}
END_TEST

START_TEST(json_public)
{
	struct kg_group	 g;
	struct kg_set	*set = make(KG_HD, 3, &g);
	struct kg_text	 t;
	struct pool	 pool;
	struct json	*v;
	char		 err[256] = "";
	unsigned	 i;

	ck_assert_int_eq(kg_text_init(&t), 0);
	kg_json_public(&t, &g);
	kg_toml(&t, &g);
	for (i = 0; i < 3; i++) {
		ck_assert_ptr_null(strstr(t.p, set->signer[i].phrase));
		ck_assert_ptr_null(strstr(t.p,
		    vec_hex(set->signer[i].iroh_seed, 32)));
		ck_assert_ptr_nonnull(strstr(t.p,
		    vec_hex(set->signer[i].pub, 33)));
	}
	t.len = 0;
	kg_json_public(&t, &g);
	pool_init(&pool, 1024 * 1024);
	v = json_parse(&pool, t.p, t.len, err, sizeof(err));
	ck_assert_msg(v != NULL, "%s", err);
	ck_assert_ptr_null(json_get(v, "wallet"));
	ck_assert_ptr_null(json_get(v, "evm"));
	ck_assert_uint_eq(json_get(v, "signers")->first->n, 3);

	/* Off devnet there is no wallet either. */
	t.len = 0;
	kg_json_set(&t, set, &g);
	v = json_parse(&pool, t.p, t.len, err, sizeof(err));
	ck_assert_ptr_nonnull(v);
	ck_assert_ptr_null(json_get(v, "wallet"));
	ck_assert_ptr_null(json_get(v, "evm"));
	ck_assert_ptr_null(json_get(v, "hyperlane_keys"));
	pool_free(&pool);
	kg_text_free(&t);
	kg_set_free(set);
}
END_TEST

START_TEST(env_lines)
{
	struct kg_group	 g;
	struct kg_set	*set = make(KG_HD, 2, &g);
	struct kg_text	 t;
	char		 want[512];

	ck_assert_int_eq(kg_text_init(&t), 0);
	kg_env(&t, set, "hex:'\"", 6);
	(void)snprintf(want, sizeof(want),
	    "export IGRA_SECRET__igra_signer__mnemonic_signer_01='%s'\n"
	    "export IGRA_SECRET__igra_iroh__signer_seed_signer_01=hex:%s\n"
	    "export IGRA_SECRET__igra_signer__payment_secret_signer_01="
	    "hex:6865783a2722\n"
	    "export IGRA_SECRET__igra_signer__mnemonic_signer_02='",
	    set->signer[0].phrase, vec_hex(set->signer[0].iroh_seed, 32));
	ck_assert_int_eq(strncmp(t.p, want, strlen(want)), 0);
	kg_set_free(set);

	set = make(KG_RAW, 1, &g);
	t.len = 0;
	kg_env(&t, set, NULL, 0);
	(void)snprintf(want, sizeof(want),
	    "export IGRA_SECRET__igra_signer__private_key_signer_01=hex:%s\n"
	    "export IGRA_SECRET__igra_iroh__signer_seed_signer_01=hex:%s\n",
	    vec_hex(set->signer[0].key, 32),
	    vec_hex(set->signer[0].iroh_seed, 32));
	ck_assert_str_eq(t.p, want);
	t.len = 0;
	kg_text_quote(&t, "plain-1./_");
	kg_text_add(&t, " ");
	kg_text_quote(&t, "it's $x");
	kg_text_add(&t, " ");
	kg_text_quote(&t, "");
	ck_assert_str_eq(t.p, "plain-1./_ 'it'\\''s $x' ''");
	kg_text_free(&t);
	kg_set_free(set);
}
END_TEST

START_TEST(toml_is_config)
{
	struct kg_group	 g;
	struct kg_set	*set = make(KG_HD, 15, &g);
	struct kg_text	 t;
	struct conf	*c;
	char		 err[256] = "";
	size_t		 i;

	g.network_id = 255;
	build_ok(&g);
	ck_assert_int_eq(kg_text_init(&t), 0);
	kg_text_add(&t, "[service]\nnetwork = \"testnet\"\n"
	    "active_profile = \"signer-15\"\n");
	kg_toml(&t, &g);
	ck_assert(!t.failed);
	c = conf_parse(t.p, t.len, "made.toml", NULL, 0, err, sizeof(err));
	ck_assert_msg(c != NULL, "%s", err);
	ck_assert_str_eq(c->redeem_script_hex, vec_hex(g.redeem, g.redeemlen));
	ck_assert_uint_eq(c->source_addresses.n, 1);
	ck_assert_str_eq(c->source_addresses.v[0], g.address);
	ck_assert_str_eq(c->change_address, g.address);
	ck_assert(c->sig_op_count.set);
	ck_assert_uint_eq(c->sig_op_count.v, 15);
	ck_assert(c->group_present);
	ck_assert_uint_eq(c->group.threshold_m, 2);
	ck_assert_uint_eq(c->group.threshold_n, 15);
	ck_assert_uint_eq(c->group.network_id, 255);
	ck_assert_uint_eq(c->group.member_pubkeys.n, 15);
	for (i = 0; i < 15; i++)
		ck_assert_str_eq(c->group.member_pubkeys.v[i],
		    vec_hex(g.member[i].key + 1, 32));
	ck_assert_uint_eq(c->group.session_timeout_seconds, 60);
	ck_assert_uint_eq(c->group.policy_version, 1);
	ck_assert_uint_eq(c->group.policy_min_amount_sompi.v, KG_POLICY_MIN);
	ck_assert_uint_eq(c->group.policy_max_amount_sompi.v, KG_POLICY_MAX);
	ck_assert_uint_eq(c->group.policy_max_daily_volume_sompi.v,
	    KG_POLICY_DAILY);
	/* [policy] is the operator's: nothing of it is set. */
	ck_assert_uint_eq(c->policy.keys_set.n, 0);
	conf_free(c);
	kg_text_free(&t);
	kg_set_free(set);
}
END_TEST

START_TEST(files)
{
	struct kg_opts	 o;
	struct kg_group	 g;
	struct kg_set	*set = make(KG_HD, 3, &g);
	struct secret	 pass = { 0 }, payment = { 0 };
	struct isec_header h;
	struct isec_plain plain = { 0 };
	struct secrets_file f;
	struct stat	 st;
	const char	*why = "";
	const uint8_t	*val;
	char		 dir[] = "/tmp/test_keygen.XXXXXX", path[64], err[256];
	uint8_t		 key[ISEC_KEY_LEN];
	size_t		 len;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/s.bin", dir);
	memset(&o, 0, sizeof(o));
	o.network = KASPA_TESTNET;
	o.argon_m = 64;
	o.argon_t = o.argon_p = 1;
	ck_assert_int_eq(secret_set(&pass, "pass", 4), 0);
	/* Not the payment secret that the keys were made with. */
	ck_assert_int_eq(secret_set(&payment, "other", 5), 0);
	ck_assert_int_eq(kg_write(&o, path, set, 0, 3, &pass, &payment), -1);
	ck_assert_int_eq(kg_check_free(&o, path), -1);
	o.overwrite = true;
	ck_assert_int_eq(kg_check_free(&o, path), 0);
	ck_assert_int_eq(secret_set(&payment, "s\xc3\xbc\xc3\x9f", 5), 0);
	ck_assert_int_eq(kg_write(&o, path, set, 1, 2, &pass, &payment), 0);
	/* Without leave an existing file stays as it is. */
	o.overwrite = false;
	ck_assert_int_eq(kg_write(&o, path, set, 0, 3, &pass, &payment), -1);

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(secrets_file_read(path, 0, &f, err, sizeof(err)), 0);
	ck_assert_int_eq(isec_parse_header(f.data, f.len, &h, &why), 0);
	ck_assert_int_eq(isec_derive(&h, (const uint8_t *)"pass", 4, key,
	    &why), 0);
	ck_assert_int_eq(isec_plain_open(&plain, f.data, f.len, key, &why), 0);
	ck_assert_uint_eq(isec_count(plain.buf, plain.len), 6);
	ck_assert(isec_find(plain.buf, plain.len,
	    "igra.signer.mnemonic_signer-02", &val, &len));
	ck_assert_uint_eq(len, strlen(set->signer[1].phrase));
	ck_assert_int_eq(memcmp(val, set->signer[1].phrase, len), 0);
	ck_assert(isec_find(plain.buf, plain.len,
	    "igra.iroh.signer_seed_signer-03", &val, &len));
	ck_assert_uint_eq(len, 32);
	ck_assert(isec_find(plain.buf, plain.len,
	    "igra.signer.payment_secret_signer-03", &val, &len));
	ck_assert_uint_eq(len, 5);
	ck_assert(!isec_find(plain.buf, plain.len,
	    "igra.signer.mnemonic_signer-01", &val, &len));
	isec_plain_free(&plain);
	secrets_file_free(&f);
	secret_free(&pass);
	secret_free(&payment);
	kg_set_free(set);
	(void)unlink(path);
	(void)strlcat(path, ".lock", sizeof(path));
	(void)unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("keygen_out");
	TCase	*t = tcase_create("keygen_out");
	SRunner	*r;
	int	 failed;

	log_init("test_keygen_out", 0);
	if (sodium_init() == -1)
		return 1;
	tcase_add_test(t, json_set);
	tcase_add_test(t, json_public);
	tcase_add_test(t, env_lines);
	tcase_add_test(t, toml_is_config);
	tcase_add_test(t, files);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
