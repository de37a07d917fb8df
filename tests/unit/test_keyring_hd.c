/*
 * Keys below an account: the right ones, cached no longer than the account's,
 * wiped with it; and an account that must be one of the config's xpubs.
 */
#include "keyring_rig.h"
#include "keyd/own.h"

#define ACCOUNT	"m/45'/111111'/0'"

static yajl_val	 vectors, phrase;

/* The first phrase of hd.json, which has no payment secret. */
static void
start_phrase(const char *hd, const char *security)
{
	start(hd, security);
	vectors = vec_load("hd.json");
	phrase = vec_at(vectors, 0);
	put("igra.signer.mnemonic_signer-01", vec_str(phrase, "phrase"),
	    strlen(vec_str(phrase, "phrase")));
}

static struct bip32_steps
steps(uint8_t n, uint32_t a, uint32_t b, uint32_t c)
{
	struct bip32_steps	 s;

	memset(&s, 0, sizeof(s));
	s.n = n;
	s.step[0] = a;
	s.step[1] = b;
	s.step[2] = n > 2 ? c : 0;
	return s;
}

static struct key *
account(void)
{
	struct key	*k;

	ck_assert_msg(keyring_get(&r, NULL, &k, NULL, err, sizeof(err)) ==
	    CODE_NONE, "%s", err);
	return k;
}

static struct key *
below(struct key *a, struct bip32_steps s)
{
	struct key	*k;

	ck_assert_msg(keyring_below(&r, a, &s, &k, err, sizeof(err)) ==
	    CODE_NONE, "%s", err);
	return k;
}

static const char *
key_at(const char *path, const char *member)
{
	yajl_val	 ks = vec_get(phrase, "keys");
	size_t		 i;

	for (i = 0; i < vec_len(ks); i++)
		if (strcmp(vec_str(vec_at(ks, i), "path"), path) == 0)
			return vec_str(vec_at(ks, i), member);
	ck_abort();
	return NULL;
}

static bool
private_in_arena(const char *path)
{
	size_t	 len;
	uint8_t	*k = vec_unhex(key_at(path, "private_key"), &len);
	bool	 found = in_arena(k, len);

	free(k);
	return found;
}

START_TEST(right_keys)
{
	struct key	*a, *k, *again;
	size_t		 used;

	start_phrase("derivation_path = \"" ACCOUNT "\"", "");
	unlock();
	ck_assert_uint_eq(secmem_used(), 0);
	a = account();
	ck_assert_ptr_nonnull(a->node);
	used = secmem_used();
	k = below(a, steps(3, 0, 0, 3));
	ck_assert_str_eq(vec_hex(k->pub, 33),
	    key_at(ACCOUNT "/0/0/3", "public_key"));
	ck_assert(private_in_arena(ACCOUNT "/0/0/3"));
	ck_assert_str_eq(k->ref, "igra.signer.mnemonic_signer-01");
	ck_assert_str_eq(k->backend, a->backend);
	ck_assert(k->hd && k->listed && k->node == NULL);
	ck_assert_int_eq(k->expires, a->expires);
	/* A keypair, and nothing of what it came from. */
	ck_assert_uint_eq(secmem_used() - used, sizeof(*k->pair));
	again = below(a, steps(3, 0, 0, 3));
	ck_assert_ptr_eq(again, k);
	ck_assert_uint_eq(r.cache.n, 2);
	keyring_put(&r, again);
	keyring_put(&r, k);
	k = below(a, steps(2, 0, 0, 0));
	ck_assert_str_eq(vec_hex(k->pub, 33),
	    key_at(ACCOUNT "/0/0", "public_key"));
	ck_assert_uint_eq(r.cache.n, 3);
	keyring_put(&r, k);
	keyring_put(&r, a);
	ck_assert_uint_eq(r.cache.n, 3);
	ck_assert(use(NULL));		/* still found by its profile alone */
	keyring_lock(&r);
	ck_assert_uint_eq(secmem_used(), 0);
	ck_assert(!private_in_arena(ACCOUNT "/0/0/3"));
	ck_assert(!private_in_arena(ACCOUNT "/0/0"));
	yajl_tree_free(vectors);
}
END_TEST

/* A derived key dies with its account's, whenever it was made. */
START_TEST(time_to_live)
{
	struct key	*a;

	start_phrase("derivation_path = \"" ACCOUNT "\"",
	    "secret_cache_ttl = 2");
	unlock();
	keyring_put(&r, account());
	run(1000);
	a = account();
	keyring_put(&r, below(a, steps(3, 0, 0, 3)));
	keyring_put(&r, a);
	ck_assert_uint_eq(r.cache.n, 2);
	ck_assert(private_in_arena(ACCOUNT "/0/0/3"));
	run(1100);
	ck_assert_uint_eq(r.cache.n, 0);
	ck_assert_uint_eq(evictions, 2);
	ck_assert_str_eq(evicted_why, "time to live over");
	ck_assert_uint_eq(secmem_used(), 0);
	ck_assert(!private_in_arena(ACCOUNT "/0/0/3"));
	/* Past its time it is not used, timer or not. */
	a = account();
	keyring_put(&r, below(a, steps(3, 0, 0, 3)));
	keyring_put(&r, a);
	usleep(2050000);
	a = account();
	ck_assert_uint_eq(r.cache.n, 1);
	keyring_put(&r, below(a, steps(3, 0, 0, 3)));
	keyring_put(&r, a);
	ck_assert_uint_eq(r.cache.n, 2);
	ck_assert_uint_eq(evictions, 4);
	keyring_lock(&r);
	yajl_tree_free(vectors);
}
END_TEST

START_TEST(nothing_cached)
{
	struct key	*a, *k;

	start_phrase("derivation_path = \"" ACCOUNT "\"",
	    "secret_cache_ttl = 0");
	unlock();
	a = account();
	k = below(a, steps(3, 0, 0, 3));
	ck_assert(private_in_arena(ACCOUNT "/0/0/3"));
	keyring_put(&r, k);
	ck_assert(!private_in_arena(ACCOUNT "/0/0/3"));
	keyring_put(&r, a);
	ck_assert_uint_eq(secmem_used(), 0);
	ck_assert_uint_eq(r.cache.n, 0);
	yajl_tree_free(vectors);
}
END_TEST

/* A full cache: what is in use stays, and the account with it. */
START_TEST(no_room)
{
	struct key	*a, *k[5];
	uint32_t	 i, max = _i == 0 ? 1 : 3;
	char		 text[64];

	snprintf(text, sizeof(text), "secret_cache_max = %u", max);
	start_phrase("derivation_path = \"" ACCOUNT "\"", text);
	unlock();
	a = account();
	for (i = 0; i < 5; i++) {
		k[i] = below(a, steps(3, 0, 0, i));
		ck_assert_uint_eq(r.cache.n, i + 2 < max ? i + 2 : max);
		ck_assert(a->listed && k[i]->listed == (i + 1 < max));
	}
	ck_assert_uint_eq(evictions, 0);
	for (i = 0; i < 5; i++)
		keyring_put(&r, k[i]);
	ck_assert_uint_eq(r.cache.n, max);
	for (i = 0; i < 5; i++)
		keyring_put(&r, below(a, steps(3, 1, 0, i)));
	ck_assert(a->listed);
	ck_assert_uint_eq(evictions, 0);	/* told of at the end */
	keyring_put(&r, a);
	ck_assert_uint_eq(evictions, max == 1 ? 0 : 5);
	if (max != 1)
		ck_assert_str_eq(evicted_why, "least recently used");
	ck_assert_uint_eq(r.cache.n, max);
	ck_assert(use(NULL));
	keyring_lock(&r);
	ck_assert_uint_eq(secmem_used(), 0);
	yajl_tree_free(vectors);
}
END_TEST

START_TEST(another_profile)
{
	struct key	*a, *b, *k;
	uint8_t		 first[33];

	start_phrase("derivation_path = \"" ACCOUNT "\"", "");
	put("igra.signer.mnemonic_signer-02", vec_str(vec_at(vectors, 4),
	    "phrase"), strlen(vec_str(vec_at(vectors, 4), "phrase")));
	unlock();
	a = account();
	ck_assert_int_eq(keyring_get(&r, "signer-02", &b, NULL, err,
	    sizeof(err)), CODE_NONE);
	k = below(a, steps(3, 0, 0, 3));
	memcpy(first, k->pub, 33);
	keyring_put(&r, k);
	k = below(b, steps(3, 0, 0, 3));
	ck_assert_mem_ne(first, k->pub, 33);
	phrase = vec_at(vectors, 4);
	ck_assert_str_eq(vec_hex(k->pub, 33),
	    key_at(ACCOUNT "/0/0/3", "public_key"));
	keyring_put(&r, k);
	keyring_put(&r, b);
	keyring_put(&r, a);
	ck_assert_uint_eq(r.cache.n, 4);
	yajl_tree_free(vectors);
}
END_TEST

static void
xpub_of(size_t i, char *out)
{
	struct bip32_path	 path;
	struct bip32_prv	 prv;
	struct bip32_pub	 xpub;
	const char		*e;
	uint8_t			*seed;
	size_t			 len;

	ck_assert_int_eq(curve_init(), 0);
	seed = vec_unhex(vec_str(vec_at(vectors, i), "seed"), &len);
	ck_assert_int_eq(bip32_master(seed, len, &prv), 0);
	free(seed);
	ck_assert_int_eq(bip32_path_parse(ACCOUNT, strlen(ACCOUNT), &path,
	    &e), 0);
	ck_assert_int_eq(bip32_derive(&prv, &path, &prv), 0);
	ck_assert_int_eq(bip32_neuter(&prv, &xpub), 0);
	bip32_pub_encode(&xpub, BIP32_KTUB, out);
}

/* Our own xpub is one of the config's, or nothing is unlocked. */
START_TEST(own_xpub)
{
	struct conf	 next;
	char		 xpub[3][BIP32_XKEY_MAX], hd[1024];
	char		*list[2];
	size_t		 i;

	vectors = vec_load("hd.json");
	for (i = 0; i < 3; i++)
		xpub_of(i, xpub[i]);
	yajl_tree_free(vectors);
	snprintf(hd, sizeof(hd), "derivation_path = \"" ACCOUNT "\"\n"
	    "required_sigs = 2\nxpubs = [\"%s\", \"%s\"]", xpub[1], xpub[0]);
	start_phrase(hd, "");
	ck_assert_int_eq(stage(), CODE_NONE);
	keyring_commit(&r);
	ck_assert(!use(NULL));
	/* Another list is refused while this key is unlocked. */
	next = *conf;
	list[0] = xpub[1];
	list[1] = xpub[2];
	next.xpubs.v = list;
	next.xpubs.n = 2;
	ck_assert_int_eq(keyring_reload_check(&r, &next, err, sizeof(err)),
	    CODE_POLICY_DENIED);
	ck_assert_ptr_nonnull(strstr(err, "service.hd.xpubs"));
	list[1] = xpub[0];
	ck_assert_int_eq(keyring_reload_check(&r, &next, err, sizeof(err)),
	    CODE_NONE);
	keyring_lock(&r);
	list[1] = xpub[2];
	r.conf = &next;
	ck_assert_int_eq(stage(), CODE_POLICY_DENIED);
	ck_assert_ptr_nonnull(strstr(err, "signer-01 at " ACCOUNT));
	ck_assert_uint_eq(secmem_used(), 0);
	ck_assert(keyring_locked(&r));
	/* A single key has none. */
	next.key_type = KEY_RAW_PRIVATE;
	put_raw("igra.signer.private_key_signer-01", 0x31);
	ck_assert_int_eq(stage(), CODE_POLICY_DENIED);
	ck_assert_ptr_nonnull(strstr(err, "phrase"));
	yajl_tree_free(vectors);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("keyring_hd");
	TCase	*tc = tcase_create("keyring_hd");
	SRunner	*sr;
	int	 failed;

	log_init("test_keyring_hd", 0);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, right_keys);
	tcase_add_test(tc, time_to_live);
	tcase_add_test(tc, nothing_cached);
	tcase_add_loop_test(tc, no_room, 0, 2);
	tcase_add_test(tc, another_profile);
	tcase_add_test(tc, own_xpub);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
