/*
 * devnet-keygen: groups and keys, against the SDK's vectors and values worked
 * out by code that shares none of ours.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "keyd/curve.h"
#include "keyd/kg_group.h"
#include "keyd/kg_keys.h"
#include "vec.h"

static void		 add_member(struct kg_group *, const char *);
static void		 build_ok(struct kg_group *);
static void		 build_bad(struct kg_group *, const char *);
static void		 parse_bad(const char *, const char *);
static struct kg_set	*make(enum kg_key_type, unsigned, struct kg_group *);

/* Points of the vectors' kind: 1, 2 and 3 times the generator. */
#define G1	"79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define G2	"c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
#define G3	"f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"

static void
add_member(struct kg_group *g, const char *text)
{
	const char	*why = "";

	ck_assert_uint_lt(g->n, MULTISIG_MAX_KEYS);
	ck_assert_msg(kg_member_parse(text, &g->member[g->n], &why) == 0,
	    "%s: %s", text, why);
	g->n++;
}

static void
build_ok(struct kg_group *g)
{
	char	 err[256] = "";

	ck_assert_msg(kg_group_build(g, err, sizeof(err)) == 0, "%s", err);
}

static void
build_bad(struct kg_group *g, const char *want)
{
	char	 err[256] = "";

	ck_assert_int_eq(kg_group_build(g, err, sizeof(err)), -1);
	ck_assert_msg(strstr(err, want) != NULL, "\"%s\" has no \"%s\"", err,
	    want);
}

static void
parse_bad(const char *text, const char *want)
{
	struct kg_member	 m;
	const char		*why = "";

	ck_assert_int_eq(kg_member_parse(text, &m, &why), -1);
	ck_assert_msg(strstr(why, want) != NULL, "%s: \"%s\"", text, why);
}

START_TEST(member_forms)
{
	struct kg_member	 m;
	const char		*why;

	ck_assert_int_eq(kg_member_parse(G1, &m, &why), 0);
	ck_assert(m.xonly);
	ck_assert_str_eq(vec_hex(m.key, 33), "02" G1);
	ck_assert_int_eq(kg_member_parse("0x03" G1, &m, &why), 0);
	ck_assert(!m.xonly);
	ck_assert_str_eq(vec_hex(m.key, 33), "03" G1);
	ck_assert_int_eq(kg_member_parse("0X79BE667EF9DCBBAC55A06295CE870B07"
	    "029BFCDB2DCE28D959F2815B16F81798", &m, &why), 0);
	ck_assert_str_eq(vec_hex(m.key, 33), "02" G1);

	parse_bad("", "64");
	parse_bad("0x", "64");
	parse_bad(G1 "0", "64");
	parse_bad("4" G1, "64");
	parse_bad("02" G1 "00", "64");
	parse_bad("0x0x" G1, "64");
	parse_bad(" 2" G1, "64");
	parse_bad("zz" G1, "64");
	parse_bad("04" G1, "02 or 03");
	/* No point has these: 0, the field's prime, and 5. */
	parse_bad("0000000000000000000000000000000000000000000000000000000000"
	    "000000", "point");
	parse_bad("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefff"
	    "ffc2f", "point");
	parse_bad("020000000000000000000000000000000000000000000000000000000000"
	    "000005", "point");
}
END_TEST

START_TEST(group_vectors)
{
	yajl_val	 all = vec_load("multisig.json"), v, keys;
	struct kg_group	 g;
	size_t		 i, j, used = 0;

	for (i = 0; i < vec_len(all); i++) {
		v = vec_at(all, i);
		keys = vec_get(v, "xonly_public_keys");
		memset(&g, 0, sizeof(g));
		g.m = (unsigned)vec_u64(v, "m");
		/* From the end, so that sorting has to do something. */
		for (j = vec_len(keys); j-- > 0;)
			add_member(&g, YAJL_GET_STRING(vec_at(keys, j)));
		g.network = KASPA_DEVNET;
		build_ok(&g);
		for (j = 1; j < g.n; j++)
			ck_assert_int_lt(memcmp(g.member[j - 1].key,
			    g.member[j].key, 33), 0);
		/* The vectors keep the order of their keys, sorted or not. */
		if (strcmp(vec_hex(g.redeem, g.redeemlen),
		    vec_str(v, "redeem_script")) != 0)
			continue;
		used++;
		ck_assert_str_eq(g.address,
		    vec_str(vec_get(v, "addresses"), "devnet"));
		g.network = KASPA_MAINNET;
		build_ok(&g);
		ck_assert_str_eq(g.address,
		    vec_str(vec_get(v, "addresses"), "mainnet"));
	}
	ck_assert_uint_ge(used, 3);
	yajl_tree_free(all);
}
END_TEST

START_TEST(group_ids)
{
	struct kg_group	 g = { .m = 2, .network_id = 2 };

	add_member(&g, "b93ff1c2c3c89b5284e7e62c090032a3dac67a62b8b0372f9417ee5"
	    "ee58b6d7b");
	add_member(&g, "a4ebef8e3553bd9bf9212c8c66c356d4beee198580cf9e85dc20a93"
	    "05e5daba9");
	add_member(&g, "ca1582d546037ff74ebc280c84a40d7118c0959b7885b94eba69a57"
	    "8b273deec");
	build_ok(&g);
	ck_assert_str_eq(vec_hex(g.id, 32), "4460676a5965a944e95f4813995720c6bd"
	    "df3bc2527f210c66dcb86bb848c253");

	/* The script's order follows parity, the id does not. */
	g.n = 0;
	add_member(&g, "03a4ebef8e3553bd9bf9212c8c66c356d4beee198580cf9e85dc20a"
	    "9305e5daba9");
	add_member(&g, "02b93ff1c2c3c89b5284e7e62c090032a3dac67a62b8b0372f9417e"
	    "e5ee58b6d7b");
	add_member(&g, "02ca1582d546037ff74ebc280c84a40d7118c0959b7885b94eba69a"
	    "578b273deec");
	build_ok(&g);
	ck_assert_uint_eq(g.member[2].key[1], 0xa4);
	ck_assert_uint_eq(g.redeem[2], 0xb9);
	ck_assert_str_eq(vec_hex(g.id, 32), "4460676a5965a944e95f4813995720c6bd"
	    "df3bc2527f210c66dcb86bb848c253");

	g.network_id = 3;
	build_ok(&g);
	ck_assert_str_ne(vec_hex(g.id, 32), "4460676a5965a944e95f4813995720c6bd"
	    "df3bc2527f210c66dcb86bb848c253");
}
END_TEST

START_TEST(group_refusals)
{
	struct kg_group	 g = { .m = 2 };

	add_member(&g, G1);
	build_bad(&g, "2 of 1");
	g.m = 0;
	build_bad(&g, "0 of 1");
	g.m = 1;
	build_ok(&g);
	g.n = 0;
	build_bad(&g, "1 of 0");
	g.n = 16;
	build_bad(&g, "1 of 16");

	/* One x coordinate with two parities is one key of the script. */
	g.n = 0;
	add_member(&g, "02" G1);
	add_member(&g, "03" G1);
	build_bad(&g, "twice");
	g.n = 0;
	add_member(&g, G1);
	add_member(&g, "03" G1);
	build_bad(&g, "twice");
}
END_TEST

START_TEST(group_mixed)
{
	struct kg_group	 g = { .m = 1 };

	/* G2 x-only is last at 02 and at 03: others are even and smaller. */
	add_member(&g, G3);
	add_member(&g, "02" G1);
	add_member(&g, "02" G2);
	build_ok(&g);
	ck_assert_uint_eq(g.member[2].key[1], 0xf9);
	/* Or first, as the others are odd and greater. */
	g.n = 0;
	add_member(&g, "03" G3);
	add_member(&g, G1);
	build_ok(&g);
	ck_assert_uint_eq(g.member[0].key[1], 0x79);

	/* Between 02 G1 and 03 G1 there is 02 G2, or 03 of a smaller x. */
	g.n = 0;
	add_member(&g, G1);
	add_member(&g, "02" G2);
	build_bad(&g, "66 digits");
	g.n = 0;
	add_member(&g, "03" G1);
	add_member(&g, G2);
	build_bad(&g, "66 digits");
	/* Two x-only keys can always be either way round. */
	g.n = 0;
	add_member(&g, G3);
	add_member(&g, G2);
	add_member(&g, "02" G1);
	build_bad(&g, "66 digits");
	/* All of them x-only is a rule of its own. */
	g.n = 0;
	add_member(&g, G3);
	add_member(&g, G2);
	add_member(&g, G1);
	build_ok(&g);
	ck_assert_uint_eq(g.member[0].key[1], 0x79);
}
END_TEST

START_TEST(evm_account)
{
	struct kg_set	*set = kg_set_new();

	ck_assert_ptr_nonnull(set);
	ck_assert_int_eq(kg_make_devnet(set, 99, false), 0);
	ck_assert_str_eq(vec_hex(set->evm.key, 32), "ac0974bec39a17e36ba4a6b4d2"
	    "38ff944bacb478cbed5efcae784d7bf4f2ff80");
	ck_assert_str_eq(vec_hex(set->evm.pub, 65), "048318535b54105d4a7aae60c0"
	    "8fc45f9687181b4fdfc625bd1a753fa7397fed753547f11ca8696646f2f3acb08e"
	    "31016afac23e630c5d11f59f61fef57b0d2aa5");
	ck_assert_str_eq(set->validator[0].name, "validator-1");
	ck_assert_str_eq(set->validator[98].name, "validator-99");
	ck_assert_int_eq(kg_make_devnet(set, 2, true), 0);
	ck_assert_str_eq(set->validator[1].name, "validator-02");
	ck_assert_int_eq(kg_make_devnet(set, 100, true), -1);
	kg_set_free(set);
}
END_TEST

/* RFC 8032, 7.1, TEST 1. */
START_TEST(iroh_identity)
{
	struct kg_signer	 s;
	uint8_t			*seed;
	size_t			 len;

	memset(&s, 0, sizeof(s));
	seed = vec_unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703b"
	    "ac031cae7f60", &len);
	memcpy(s.iroh_seed, seed, 32);
	ck_assert_int_eq(kg_iroh(&s), 0);
	ck_assert_str_eq(vec_hex(s.iroh_pub, 32), "d75a980182b10ab7d54bfed3c964"
	    "073a0ee172f3daa62325af021a68f707511a");
	ck_assert_str_eq(s.iroh_peer_id, "peer-484db6d7bb588815");
	free(seed);
}
END_TEST

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

START_TEST(signers)
{
	struct kg_group	 g;
	struct kg_set	*set = make(KG_HD, 15, &g);
	char		 name[KG_PROFILE_LEN], err[256];
	uint8_t		 key[32], pub[33];
	unsigned	 i;

	for (i = 0; i < 15; i++) {
		(void)snprintf(name, sizeof(name), "signer-%02u", i + 1);
		ck_assert_str_eq(set->signer[i].profile, name);
		/* The position in the script is the profile's number. */
		ck_assert_int_eq(memcmp(g.member[i].key, set->signer[i].pub,
		    33), 0);
		ck_assert_int_eq(bip39_check(set->signer[i].phrase,
		    strlen(set->signer[i].phrase), err, sizeof(err)), 0);
		ck_assert_int_eq(kg_derive(set->signer[i].phrase,
		    (const uint8_t *)"s\xc3\xbc\xc3\x9f", 5, "m", key, pub), 0);
		ck_assert_int_eq(memcmp(pub, set->signer[i].pub, 33), 0);
		ck_assert_int_eq(kg_derive(set->signer[i].phrase, NULL, 0, "m",
		    key, pub), 0);
		ck_assert_int_ne(memcmp(pub, set->signer[i].pub, 33), 0);
	}
	kg_set_free(set);

	set = make(KG_RAW, 2, &g);
	ck_assert_int_eq(curve_pubkey(set->signer[1].key, pub), 0);
	ck_assert_int_eq(memcmp(pub, set->signer[1].pub, 33), 0);
	ck_assert_str_eq(set->signer[1].phrase, "");
	ck_assert_int_eq(kg_make_signers(set, KG_RAW, 1, "signer-42", NULL, 0),
	    0);
	ck_assert_str_eq(set->signer[0].profile, "signer-42");
	ck_assert_int_eq(kg_make_signers(set, KG_RAW, 2, "signer-42", NULL, 0),
	    -1);
	ck_assert_int_eq(kg_make_signers(set, KG_RAW, 16, NULL, NULL, 0), -1);
	ck_assert_int_eq(kg_make_signers(set, KG_RAW, 0, NULL, NULL, 0), -1);
	kg_set_free(set);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("keygen");
	TCase	*t = tcase_create("keygen");
	SRunner	*r;
	int	 failed;

	if (sodium_init() == -1)
		return 1;
	tcase_add_test(t, member_forms);
	tcase_add_test(t, group_vectors);
	tcase_add_test(t, group_ids);
	tcase_add_test(t, group_refusals);
	tcase_add_test(t, group_mixed);
	tcase_add_test(t, evm_account);
	tcase_add_test(t, iroh_identity);
	tcase_add_test(t, signers);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
