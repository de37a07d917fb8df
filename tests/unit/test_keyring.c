/*
 * The unlocked file and the keys made from it: staged, cached, evicted,
 * forgotten; and that nothing of them stays in the arena.
 */
#include "keyring_rig.h"
#include "keyd/walletcrypt.h"
#include "vec.h"

/* BIP32's master public key of PHRASE with the passphrase TREZOR. */
#define MASTER_PUB "02f632717d78bf73e74aa8461e2e782532abae4eed5110241025afb59ebfd3d2fd"
#define PHRASE	"abandon abandon abandon abandon abandon abandon abandon " \
		"abandon abandon abandon abandon about"

START_TEST(stage_commit_lock)
{
	struct key	*k;
	uint8_t		 want[33], key[32];

	start("key_type = \"raw_private_key\"", "");
	ck_assert(keyring_locked(&r));
	ck_assert_int_eq(keyring_get(&r, NULL, &k, NULL, err, sizeof(err)),
	    CODE_LOCKED);
	put_raw("igra.signer.private_key_signer-01", 0x31);
	ck_assert_int_eq(stage(), CODE_NONE);
	ck_assert(keyring_locked(&r));		/* not before the commit */
	ck_assert_uint_eq(secmem_used(), 0);	/* nothing in the clear */
	ck_assert_str_eq(ref, "igra.signer.private_key_signer-01");
	memset(key, 0x31, sizeof(key));
	ck_assert_int_eq(curve_pubkey(key, want), 0);
	ck_assert_mem_eq(pub, want, 33);
	ck_assert_uint_eq(acc.n, 1);
	ck_assert_str_eq(acc.a[0].name, ref);
	ck_assert(!acc.a[0].cached);
	keyring_abort(&r);
	ck_assert(keyring_locked(&r));
	unlock();
	ck_assert(!use(NULL));
	ck_assert_mem_eq(pub, want, 33);
	ck_assert(use("signer-01"));
	ck_assert_uint_eq(r.cache.n, 1);
	ck_assert(in_arena(key, 32));	/* or we see nothing */
	/* Another file takes its place, whole. */
	isec_plain_free(&plain);
	ck_assert_int_eq(isec_plain_init(&plain), 0);
	put_raw("igra.signer.private_key_signer-01", 0x32);
	unlock();
	ck_assert_uint_eq(r.cache.n, 0);
	ck_assert(!in_arena(key, 32));
	ck_assert(!use(NULL));
	ck_assert_mem_ne(pub, want, 33);
	/* Staging what fails leaves what is unlocked alone. */
	isec_plain_free(&plain);
	ck_assert_int_eq(isec_plain_init(&plain), 0);
	ck_assert_int_eq(stage(), CODE_KEY_NOT_FOUND);
	ck_assert(use(NULL));
	keyring_lock(&r);
	ck_assert(keyring_locked(&r));
	ck_assert_uint_eq(secmem_used(), 0);
	memset(key, 0x32, sizeof(key));
	ck_assert(!in_arena(key, 32));
	ck_assert_int_eq(keyring_get(&r, NULL, &k, NULL, err, sizeof(err)),
	    CODE_LOCKED);
	keyring_lock(&r);			/* twice is once */
	ck_assert_uint_eq(evictions, 0);	/* a lock is not one */
}
END_TEST

START_TEST(refusals)
{
	uint8_t	*junk;

	start("key_type = \"raw_private_key\"", "secrets_file_max = 65536");
	put_raw("igra.signer.private_key_signer-01", 0x31);
	keys.file_key[31] ^= 1;
	ck_assert_int_eq(stage(), CODE_UNAUTHORIZED);
	ck_assert_ptr_nonnull(strstr(err, "wrong passphrase"));
	ck_assert_uint_eq(secmem_used(), 0);
	keys.file_key[31] ^= 1;
	ck_assert_ptr_nonnull(junk = calloc(1, 200));
	ck_assert_int_eq(keyring_stage(&r, junk, 200, &keys, pub, ref, &acc,
	    err, sizeof(err)), CODE_UNAUTHORIZED);
	ck_assert_ptr_nonnull(junk = calloc(1, 1));
	ck_assert_int_eq(keyring_stage(&r, junk, 1, &keys, pub, ref, &acc,
	    err, sizeof(err)), CODE_UNAUTHORIZED);
	/* Keys that are none. */
	put("igra.signer.private_key_signer-01", "short", 5);
	ck_assert_int_eq(stage(), CODE_KEY_NOT_FOUND);
	put_raw("igra.signer.private_key_signer-01", 0);
	ck_assert_int_eq(stage(), CODE_KEY_NOT_FOUND);
	put_raw("igra.signer.private_key_signer-01", 0xff);
	ck_assert_int_eq(stage(), CODE_KEY_NOT_FOUND);
	put_raw("igra.signer.private_key_signer-01", 0x31);
	ck_assert_ptr_nonnull(junk = calloc(1, 65000));
	put("a", junk, 65000);
	ck_assert_int_eq(stage(), CODE_NONE);
	put("b", junk, 500);
	ck_assert_int_eq(stage(), CODE_TOO_LARGE);
	ck_assert_ptr_nonnull(strstr(err, "secrets_file_max"));
	free(junk);
	ck_assert(keyring_locked(&r));
	ck_assert_uint_eq(secmem_used(), 0);
}
END_TEST

START_TEST(time_to_live)
{
	start("key_type = \"raw_private_key\"", "secret_cache_ttl = 2");
	put_raw("igra.signer.private_key_signer-01", 0x31);
	unlock();
	ck_assert(!use(NULL));
	ck_assert_uint_gt(secmem_used(), 0);
	run(1000);
	ck_assert(use(NULL));			/* which does not prolong it */
	ck_assert_uint_eq(evictions, 0);
	run(1100);
	ck_assert_uint_eq(evictions, 1);
	ck_assert_str_eq(evicted_ref, "igra.signer.private_key_signer-01");
	ck_assert_str_eq(evicted_why, "time to live over");
	ck_assert_uint_eq(secmem_used(), 0);
	ck_assert_uint_eq(r.cache.n, 0);
	ck_assert(!keyring_locked(&r));
	ck_assert(!use(NULL));			/* derived anew */
	keyring_lock(&r);
	run(2100);
	ck_assert_uint_eq(evictions, 1);
}
END_TEST

/* Without a turn of the loop it must not be used past its time either. */
START_TEST(time_to_live_asleep)
{
	start("key_type = \"raw_private_key\"", "secret_cache_ttl = 1");
	put_raw("igra.signer.private_key_signer-01", 0x31);
	unlock();
	ck_assert(!use(NULL));
	usleep(1050000);
	ck_assert(!use(NULL));
	ck_assert_uint_eq(evictions, 1);
	ck_assert(use(NULL));
}
END_TEST

START_TEST(nothing_cached)
{
	uint8_t	 key[32];

	start("key_type = \"raw_private_key\"", "secret_cache_ttl = 0");
	put_raw("igra.signer.private_key_signer-01", 0x31);
	unlock();
	memset(key, 0x31, sizeof(key));
	ck_assert(!use(NULL));
	ck_assert_uint_eq(secmem_used(), 0);
	ck_assert(!in_arena(key, 32));
	ck_assert(!use(NULL));
	ck_assert_uint_eq(r.cache.n, 0);
	ck_assert_uint_eq(evictions, 0);
}
END_TEST

START_TEST(least_recently_used)
{
	char	 name[64];
	int	 i;

	start("key_type = \"raw_private_key\"", "secret_cache_max = 3");
	for (i = 1; i <= 5; i++) {
		snprintf(name, sizeof(name), "igra.signer.private_key_"
		    "signer-0%d", i);
		put_raw(name, (uint8_t)i);
	}
	unlock();
	ck_assert(!use("signer-01"));
	ck_assert(!use("signer-02"));
	ck_assert(!use("signer-03"));
	ck_assert(use("signer-01"));
	ck_assert(!use("signer-04"));
	ck_assert_uint_eq(r.cache.n, 3);
	ck_assert_uint_eq(evictions, 1);
	ck_assert_str_eq(evicted_ref, "igra.signer.private_key_signer-02");
	ck_assert_str_eq(evicted_why, "least recently used");
	ck_assert(use("signer-01"));
	ck_assert(use("signer-03"));
	ck_assert(!use("signer-02"));
	ck_assert_str_eq(evicted_ref, "igra.signer.private_key_signer-04");
	keyring_lock(&r);
	ck_assert_uint_eq(secmem_used(), 0);
}
END_TEST

START_TEST(unlock_time)
{
	start("key_type = \"raw_private_key\"", "unlock_ttl = 2");
	put_raw("igra.signer.private_key_signer-01", 0x31);
	unlock();
	run(1050);
	unlock();				/* counts anew */
	ck_assert(!use(NULL));
	run(1050);
	ck_assert_uint_eq(expiries, 0);
	run(1050);
	ck_assert_uint_eq(expiries, 1);
	ck_assert(keyring_locked(&r));
	ck_assert_uint_eq(secmem_used(), 0);
}
END_TEST

/* Another config: its times count for what is there already. */
START_TEST(another_config)
{
	struct conf	 next;

	start("key_type = \"raw_private_key\"", "secret_cache_ttl = 300");
	put_raw("igra.signer.private_key_signer-01", 0x31);
	unlock();
	ck_assert(!use(NULL));
	next = *conf;
	next.secret_cache_ttl = 600;
	ck_assert_int_eq(keyring_reload_check(&r, &next, err, sizeof(err)),
	    CODE_NONE);
	keyring_reload(&r, &next);
	ck_assert(use(NULL));
	next.secret_cache_ttl = 600;
	keyring_reload(&r, conf);
	ck_assert(use(NULL));
	ck_assert_uint_eq(evictions, 0);
	next.secret_cache_ttl = 0;
	keyring_reload(&r, &next);
	ck_assert_uint_eq(evictions, 1);
	ck_assert_str_eq(evicted_why, "time to live over");
	ck_assert_uint_eq(secmem_used(), 0);
	ck_assert(!keyring_locked(&r));
	/* Longer ago than that: at once. */
	next.unlock_ttl = 1;
	usleep(1050000);
	keyring_reload(&r, &next);
	run(100);
	ck_assert_uint_eq(expiries, 1);
	ck_assert(keyring_locked(&r));
	r.conf = conf;
}
END_TEST

/* A script in which our key is not, or elsewhere, is none for this keyring. */
START_TEST(config_with_other_keys)
{
	struct conf	 next;
	char		 hex[] = "5120"
	    "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
	    "51ae";

	start("key_type = \"raw_private_key\"", "");
	put_raw("igra.signer.private_key_signer-01", 0x31);
	next = *conf;
	next.redeem_script_hex = hex;
	ck_assert_int_eq(keyring_reload_check(&r, &next, err, sizeof(err)),
	    CODE_NONE);			/* locked: the unlock will tell */
	ck_assert_int_eq(stage(), CODE_NONE);
	ck_assert_int_eq(keyring_reload_check(&r, &next, err, sizeof(err)),
	    CODE_POLICY_DENIED);
	keyring_commit(&r);
	err[0] = '\0';
	ck_assert_int_eq(keyring_reload_check(&r, &next, err, sizeof(err)),
	    CODE_POLICY_DENIED);
	ck_assert_ptr_nonnull(strstr(err, "not in redeem_script_hex"));
	keyring_lock(&r);
	ck_assert_int_eq(keyring_reload_check(&r, &next, err, sizeof(err)),
	    CODE_NONE);
}
END_TEST

START_TEST(unknown_profiles)
{
	static const char	*bad[] = { "signer-02", "signer-00", "signer-1",
				    "", "signer-001", "x", "signer-01.v2" };
	struct key		*k;
	size_t			 i;

	start("key_type = \"raw_private_key\"", "");
	put_raw("igra.signer.private_key_signer-01", 0x31);
	put_raw("igra.signer.private_key_signer-01.v2", 0x32);
	unlock();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(keyring_get(&r, bad[i], &k, NULL, err,
		    sizeof(err)), CODE_KEY_NOT_FOUND);
		ck_assert_ptr_null(k);
	}
	ck_assert_uint_eq(secmem_used(), 0);
}
END_TEST

/* A phrase in the file, against vectors that others made. */
START_TEST(phrase_in_file)
{
	uint8_t	 with[33], without[33];

	start("", "");
	put("igra.signer.mnemonic_signer-01", PHRASE, strlen(PHRASE));
	unlock();
	ck_assert(!use(NULL));
	ck_assert_str_eq(ref, "igra.signer.mnemonic_signer-01");
	ck_assert_uint_eq(acc.n, 1);
	memcpy(without, pub, 33);
	/* An empty payment secret is none. */
	put("igra.signer.payment_secret_signer-01", "", 0);
	unlock();
	ck_assert(!use(NULL));
	ck_assert_uint_eq(acc.n, 2);
	ck_assert_str_eq(acc.a[1].name,
	    "igra.signer.payment_secret_signer-01");
	ck_assert_mem_eq(pub, without, 33);
	/* The other place's payment secret is not this one's. */
	put("igra.hd.payment_secret", "TREZOR", 6);
	unlock();
	ck_assert(!use(NULL));
	ck_assert_mem_eq(pub, without, 33);
	put("igra.signer.payment_secret_signer-01", "TREZOR", 6);
	unlock();
	ck_assert(!use(NULL));
	memcpy(with, pub, 33);
	ck_assert_mem_ne(with, without, 33);
	ck_assert_str_eq(vec_hex(with, 33), MASTER_PUB);
	ck_assert(!in_arena("abandon abandon", 15));
	ck_assert(!in_arena("TREZOR", 6));
	keyring_lock(&r);
	ck_assert_uint_eq(secmem_used(), 0);
	put("igra.signer.mnemonic_signer-01", "abandon about", 13);
	ck_assert_int_eq(stage(), CODE_KEY_NOT_FOUND);
	ck_assert_uint_eq(secmem_used(), 0);
}
END_TEST

/* A phrase in the config, under layer 1. */
static void
start_config_phrase(void)
{
	const char	*errstr;
	uint8_t		 layer1[32];
	char		 text[WALLETCRYPT_TEXT(200)], hd[1024];

	ck_assert_int_eq(walletcrypt_key((const uint8_t *)"wallet", 6, layer1,
	    &errstr), 0);
	ck_assert_int_eq(walletcrypt_encrypt((const uint8_t *)PHRASE,
	    strlen(PHRASE), layer1, text, sizeof(text), &errstr), 0);
	snprintf(hd, sizeof(hd), "encrypted_mnemonics = [\"%s\"]", text);
	start(hd, "");
	memcpy(keys.layer1_key, layer1, 32);
	keys.has_layer1 = true;
	put("igra.hd.wallet_secret", "wallet", 6);
	put("igra.hd.payment_secret", "TREZOR", 6);
}

START_TEST(phrase_in_config)
{
	start_config_phrase();
	unlock();
	ck_assert(!use(NULL));
	ck_assert_str_eq(ref, "service.hd.encrypted_mnemonics[0]");
	ck_assert_str_eq(vec_hex(pub, 33), MASTER_PUB);
	ck_assert_uint_eq(acc.n, 3);
	ck_assert_str_eq(acc.a[0].name, "igra.hd.wallet_secret");
	ck_assert_str_eq(acc.a[1].name, ref);
	ck_assert_str_eq(acc.a[1].backend, "EncryptedConfig");
	ck_assert_str_eq(acc.a[2].name, "igra.hd.payment_secret");
	ck_assert(!in_arena("abandon abandon", 15));
	keyring_lock(&r);
	ck_assert_uint_eq(secmem_used(), 0);
	/* Without layer 1, or with a wrong one. */
	keys.has_layer1 = false;
	ck_assert_int_eq(stage(), CODE_KEY_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(err, "wallet_secret"));
	keys.has_layer1 = true;
	keys.layer1_key[0] ^= 1;
	ck_assert_int_eq(stage(), CODE_KEY_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(err, "encrypted_mnemonics[0]"));
	keys.layer1_key[0] ^= 1;
	/* In both places: nobody could say which one signs. */
	put("igra.signer.mnemonic_signer-01", PHRASE, strlen(PHRASE));
	ck_assert_int_ne(stage(), CODE_NONE);
	ck_assert_ptr_nonnull(strstr(err, "two phrases"));
	ck_assert(keyring_locked(&r));
	ck_assert_uint_eq(secmem_used(), 0);
}
END_TEST

START_TEST(listing)
{
	struct msg_key_list	 m;
	struct pool		 pool;

	start("key_type = \"raw_private_key\"", "");
	pool_init(&pool, 0);
	ck_assert_int_eq(keyring_list(&r, &pool, &m, err, sizeof(err)),
	    CODE_LOCKED);
	put_raw("igra.signer.private_key_signer-01", 1);
	put_raw("igra.signer.private_key_signer-07", 2);
	put_raw("igra.signer.private_key_signer-07.v2", 3);
	put_raw("igra.signer.private_key_signer-7", 4);
	put_raw("igra.iroh.signer_seed_signer-01", 5);
	put("igra.signer.mnemonic_signer-02", PHRASE, strlen(PHRASE));
	unlock();
	ck_assert_int_eq(keyring_list(&r, &pool, &m, err, sizeof(err)),
	    CODE_NONE);
	ck_assert_uint_eq(m.n, 2);
	ck_assert(bytes_eq(m.key[0].profile, bytes_str("signer-01")));
	ck_assert(m.key[0].active && !m.key[0].hd);
	ck_assert(bytes_eq(m.key[1].key_ref,
	    bytes_str("igra.signer.private_key_signer-07")));
	ck_assert(!m.key[1].active);
	ck_assert_uint_eq(secmem_used(), 0);
	pool_free(&pool);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("keyring");
	TCase	*tc = tcase_create("keyring");
	SRunner	*sr;
	int	 failed;

	log_init("test_keyring", 0);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, stage_commit_lock);
	tcase_add_test(tc, refusals);
	tcase_add_test(tc, time_to_live);
	tcase_add_test(tc, time_to_live_asleep);
	tcase_add_test(tc, nothing_cached);
	tcase_add_test(tc, least_recently_used);
	tcase_add_test(tc, unlock_time);
	tcase_add_test(tc, another_config);
	tcase_add_test(tc, config_with_other_keys);
	tcase_add_test(tc, unknown_profiles);
	tcase_add_test(tc, phrase_in_file);
	tcase_add_test(tc, phrase_in_config);
	tcase_add_test(tc, listing);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
