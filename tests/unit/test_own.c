/*
 * Which scripts are a signer's: rebuilt from xpubs at claimed paths, against
 * keys that the Kaspa SDK derived (hd.json), and against requesters who
 * would have other scripts taken for ours.
 */
#include <time.h>

#include "own_rig.h"

static enum own_match
match(const uint8_t *script, size_t len, const char *path,
    const uint8_t *print)
{
	struct spk		 spk = { 0, { script, len } };
	struct key_claim	 claim;

	memset(&claim, 0, sizeof(claim));
	claim.path = view(path, strlen(path));
	if (print != NULL) {
		claim.has_fingerprint = true;
		memcpy(claim.fingerprint, print, 4);
	}
	return own_script(&own, &key, &cache, &spk, &claim);
}

static const char *
vector_key(size_t phrase, const char *path)
{
	yajl_val	 ks = vec_get(vec_at(vectors, phrase), "keys");
	size_t		 i;

	for (i = 0; i < vec_len(ks); i++)
		if (strcmp(vec_str(vec_at(ks, i), "path"), path) == 0)
			return vec_str(vec_at(ks, i), "public_key");
	ck_abort_msg("%s: not in hd.json", path);
	return NULL;
}

/* Any three phrases of the vectors, at both their multisig paths. */
START_TEST(sdk_vectors)
{
	static const struct { const char *account, *path; } t[] = {
		{ ACCOUNT, ACCOUNT "/0/0/3" },
		{ "m/45'/111111'/1'", "m/45'/111111'/1'/2/1/2147483647" },
	};
	uint8_t	 keys[N][33], *k, script[P2SH_SCRIPT_LEN];
	size_t	 i, j, first, len;
	unsigned m;

	for (i = 0; i < 2; i++) {
		masters(t[i].account);
		for (first = 0; first + N <= vec_len(vectors); first++) {
			m = 1 + (unsigned)first % N;
			use("mainnet", t[i].account, first, N, m);
			for (j = 0; j < N; j++) {
				k = vec_unhex(vector_key(first + j, t[i].path),
				    &len);
				ck_assert_uint_eq(len, 33);
				memcpy(keys[j], k, 33);
				free(k);
			}
			p2sh_of(keys, m, N, true, script);
			ck_assert_int_eq(match(script, sizeof(script),
			    t[i].path, NULL), OWN_DERIVED);
			ck_assert_int_eq(match(script, sizeof(script),
			    t[i].path, fingerprint[first]), OWN_DERIVED);
			ck_assert_int_eq(match(script, sizeof(script),
			    t[i].path, fingerprint[first + 1]),
			    OWN_MISCLAIMED);
			ck_assert_int_eq(match(script, sizeof(script), "",
			    NULL), OWN_NOT);
		}
	}
}
END_TEST

/*
 * The claim changes and the script that is ours at 1/0/7 stays: nothing but
 * its own path makes it ours.
 */
START_TEST(claimed_paths)
{
	static const char *const wrong[] = {
		"", "m", ACCOUNT, ACCOUNT "/1", ACCOUNT "/1/0",
		ACCOUNT "/0/7", ACCOUNT "/1/0/8", ACCOUNT "/1/1/7",
		ACCOUNT "/0/0/7", ACCOUNT "/2/0/7", ACCOUNT "/3/0/7",
		ACCOUNT "/1/2/7", ACCOUNT "/1/0/7'", ACCOUNT "/1/0'/7",
		ACCOUNT "/1'/0/7", ACCOUNT "/1/0/7/0", ACCOUNT "/0/1/0/7",
		ACCOUNT "/1/0/2147483655", ACCOUNT "/1/0/4294967303",
		ACCOUNT "/1/0/7/", ACCOUNT "/1/0/", ACCOUNT "//1/0/7",
		"m/45'/111111'/1'/1/0/7", "m/45'/111111'/0/1/0/7",
		"m/45'/111111'/1/0/7", "m/1/0/7", "1/0/7",
		"M/45'/111111'/0'/1/0/7", "m/45h/111111h/0h/1/0/7",
		ACCOUNT "/1/0/7 ", " " ACCOUNT "/1/0/7",
	};
	struct key_claim claim;
	struct spk	 spk;
	uint8_t		 keys[N][33], script[P2SH_SCRIPT_LEN];
	size_t		 i;

	keys_at(0, N, ACCOUNT "/1/0/7", keys);
	p2sh_of(keys, 2, N, true, script);
	ck_assert_int_eq(match(script, sizeof(script), ACCOUNT "/1/0/7",
	    NULL), OWN_DERIVED);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(match(script, sizeof(script), wrong[i],
		    fingerprint[0]) == OWN_NOT, "%s", wrong[i]);
	/* No text at all, and one with a NUL inside. */
	memset(&spk, 0, sizeof(spk));
	memset(&claim, 0, sizeof(claim));
	spk.script = view(script, sizeof(script));
	ck_assert_int_eq(own_script(&own, &key, &cache, &spk, &claim),
	    OWN_NOT);
	claim.path = view(ACCOUNT "/1/0/7\0", strlen(ACCOUNT) + 7);
	ck_assert_int_eq(own_script(&own, &key, &cache, &spk, &claim),
	    OWN_NOT);
	spk.version = 1;
	claim.path.len--;
	ck_assert_int_eq(own_script(&own, &key, &cache, &spk, &claim),
	    OWN_NOT);
	spk.version = 0;
	ck_assert_int_eq(own_script(&own, &key, &cache, &spk, &claim),
	    OWN_DERIVED);
}
END_TEST

/* The claim is right and the script is another. */
START_TEST(other_scripts)
{
	const char	*path = ACCOUNT "/1/0/7";
	uint8_t		 keys[4][33], other[33], script[P2SH_SCRIPT_LEN];
	uint8_t		 p2pk[P2PK_SCRIPT_LEN];
	struct bip32_prv prv;

	keys_at(0, 3, path, keys);
	p2sh_of(keys, 1, 3, true, script);
	ck_assert_int_eq(match(script, sizeof(script), path, NULL), OWN_NOT);
	p2sh_of(keys, 3, 3, true, script);
	ck_assert_int_eq(match(script, sizeof(script), path, NULL), OWN_NOT);
	/* The right keys in another order. */
	p2sh_of(keys, 2, 3, true, script);
	ck_assert_int_eq(match(script, sizeof(script), path, NULL),
	    OWN_DERIVED);
	memcpy(other, keys[0], 33);
	memcpy(keys[0], keys[1], 33);
	memcpy(keys[1], other, 33);
	p2sh_of(keys, 2, 3, false, script);
	ck_assert_int_eq(match(script, sizeof(script), path, NULL), OWN_NOT);
	/* An attacker in one cosigner's place, and beside them. */
	keys_at(0, 4, path, keys);
	memcpy(other, keys[2], 33);
	memcpy(keys[2], keys[3], 33);
	p2sh_of(keys, 2, 3, true, script);
	ck_assert_int_eq(match(script, sizeof(script), path, NULL), OWN_NOT);
	keys_at(0, 4, path, keys);
	p2sh_of(keys, 2, 4, true, script);
	ck_assert_int_eq(match(script, sizeof(script), path, NULL), OWN_NOT);
	/* Only two of them; our key alone; the account keys themselves. */
	keys_at(0, 3, path, keys);
	p2sh_of(keys, 2, 2, true, script);
	ck_assert_int_eq(match(script, sizeof(script), path, NULL), OWN_NOT);
	derive(&master[0], path, &prv);
	ck_assert_int_eq(curve_pubkey(prv.key, other), 0);
	script_p2pk(other + 1, p2pk);
	ck_assert_int_eq(match(p2pk, sizeof(p2pk), path, NULL), OWN_NOT);
	script_p2pk(key.xonly, p2pk);
	ck_assert_int_eq(match(p2pk, sizeof(p2pk), ACCOUNT, NULL), OWN_NOT);
	keys_at(0, 3, ACCOUNT, keys);
	p2sh_of(keys, 2, 3, true, script);
	ck_assert_int_eq(match(script, sizeof(script), ACCOUNT, NULL),
	    OWN_NOT);
}
END_TEST

/* Whose key it is counts as well: in the list, with its own chain code. */
START_TEST(other_signers)
{
	struct bip32_pub pub;
	uint8_t		 keys[N][33], script[P2SH_SCRIPT_LEN];
	const char	*path = ACCOUNT "/2/1/0";
	size_t		 i;

	keys_at(0, N, path, keys);
	p2sh_of(keys, 2, N, true, script);
	for (i = 0; i < 5; i++) {
		key.account = &account[i];
		key.xonly = account[i].key + 1;
		key.fingerprint = fingerprint[i];
		ck_assert_int_eq(match(script, sizeof(script), path, NULL),
		    i < N ? OWN_DERIVED : OWN_NOT);
	}
	pub = account[0];
	pub.chain[31] ^= 1;
	key.account = &pub;
	ck_assert_int_eq(match(script, sizeof(script), path, NULL), OWN_NOT);
	key.account = NULL;		/* a raw private key */
	ck_assert_int_eq(match(script, sizeof(script), path, NULL), OWN_NOT);
}
END_TEST

/* On devnet and testnet, with neither redeem script nor xpubs. */
START_TEST(pay_to_pubkey)
{
	static const struct { const char *path; bool own; } t[] = {
		{ ACCOUNT "/0/0", true }, { ACCOUNT "/1/2147483647", true },
		{ ACCOUNT "/0/0/3", true }, { ACCOUNT "/9/1/3", true },
		{ ACCOUNT "/2/0", false }, { ACCOUNT "/0/2/3", false },
		{ ACCOUNT "/5", false }, { ACCOUNT "/0/0/0/0", false },
		{ ACCOUNT "/0'/0", false }, { "m/44'/111111'/0'/0/0", false },
	};
	uint8_t	 keys[1][33], script[P2PK_SCRIPT_LEN];
	size_t	 i;

	use("devnet", ACCOUNT, 0, 0, 0);
	script_p2pk(key.xonly, script);
	ck_assert_int_eq(match(script, sizeof(script), "", NULL),
	    OWN_ACCOUNT);
	ck_assert_int_eq(match(script, sizeof(script), ACCOUNT "/0/0", NULL),
	    OWN_ACCOUNT);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		keys_at(0, 1, t[i].path, keys);
		script_p2pk(keys[0] + 1, script);
		ck_assert_msg(match(script, sizeof(script), t[i].path,
		    NULL) == (t[i].own ? OWN_DERIVED : OWN_NOT), "%s",
		    t[i].path);
		ck_assert_int_eq(match(script, sizeof(script), t[i].path,
		    fingerprint[1]), t[i].own ? OWN_MISCLAIMED : OWN_NOT);
		/* Another's key at that path. */
		keys_at(1, 1, t[i].path, keys);
		script_p2pk(keys[0] + 1, script);
		ck_assert_int_eq(match(script, sizeof(script), t[i].path,
		    NULL), OWN_NOT);
	}
	use("mainnet", ACCOUNT, 0, 0, 0);
	keys_at(0, 1, t[0].path, keys);
	script_p2pk(keys[0] + 1, script);
	ck_assert_int_eq(match(script, sizeof(script), t[0].path, NULL),
	    OWN_NOT);
	use("testnet-10", ACCOUNT, 0, N, 2);
	ck_assert_int_eq(match(script, sizeof(script), t[0].path, NULL),
	    OWN_NOT);
	/* xpubs alone make nothing ours. */
	use("testnet-10", ACCOUNT, 0, N, 0);
	ck_assert_int_eq(match(script, sizeof(script), t[0].path, NULL),
	    OWN_NOT);
	ck_assert_uint_eq(own.nxpub, 0);
}
END_TEST

/* Not an own script, but our derived key is in it: off mainnet it is signed. */
START_TEST(shared)
{
	static const char *const paths[] = { ACCOUNT "/4", ACCOUNT "/7/7",
	    ACCOUNT "/1/2/3/4/5/6/7/8", ACCOUNT "/0/0/3" };
	struct key_claim claim;
	struct spk	 spk;
	uint8_t		 keys[2][33], p2pk[P2PK_SCRIPT_LEN];
	uint8_t		 redeem[MULTISIG_MAX_SCRIPT], p2sh[P2SH_SCRIPT_LEN];
	uint8_t		 xonly[2][32];
	size_t		 i, len;

	memset(&spk, 0, sizeof(spk));
	memset(&claim, 0, sizeof(claim));
	for (i = 0; i < 4; i++) {
		use("devnet", ACCOUNT, 0, N, 2);
		keys_at(0, 1, paths[i], keys);
		script_p2pk(keys[0] + 1, p2pk);
		memcpy(xonly[1], keys[0] + 1, 32);
		memset(xonly[0], 0x33, 32);
		len = script_multisig(1, 2,
		    (const uint8_t (*)[32])(const void *)xonly, redeem);
		script_p2sh(redeem, len, p2sh);
#define SHARED() own_shared(&own, &key, &cache, &spk, view(redeem, len), &claim)
		claim.path = view(paths[i], strlen(paths[i]));
		spk.script = view(p2pk, sizeof(p2pk));
		ck_assert_int_eq(SHARED(), OWN_DERIVED);
		spk.script = view(p2sh, sizeof(p2sh));
		ck_assert_int_eq(SHARED(), OWN_DERIVED);
		ck_assert_int_eq(own_script(&own, &key, &cache, &spk, &claim),
		    OWN_NOT);
		/* Another master key's claim: not our key source. */
		claim.has_fingerprint = true;
		memcpy(claim.fingerprint, fingerprint[1], 4);
		ck_assert_int_eq(SHARED(), OWN_NOT);
		memcpy(claim.fingerprint, fingerprint[0], 4);
		ck_assert_int_eq(SHARED(), OWN_DERIVED);
		claim.has_fingerprint = false;
		claim.path = view("m/0", 3);
		ck_assert_int_eq(SHARED(), OWN_NOT);
		claim.path = view(ACCOUNT "/1/2/3/4/5/6/7/8/9",
		    strlen(ACCOUNT "/1/2/3/4/5/6/7/8/9"));
		ck_assert_int_eq(SHARED(), OWN_NOT);
		use("mainnet", ACCOUNT, 0, N, 2);
		claim.path = view(paths[i], strlen(paths[i]));
		ck_assert_int_eq(SHARED(), OWN_NOT);
	}
	/* With the account's own key no path is needed. */
	memset(&claim, 0, sizeof(claim));
	script_p2pk(key.xonly, p2pk);
	spk.script = view(p2pk, sizeof(p2pk));
	ck_assert_int_eq(SHARED(), OWN_ACCOUNT);
}
END_TEST

START_TEST(configs)
{
	const char	*errstr;
	char		 bad[256], xpub[BIP32_XKEY_MAX];

	ck_assert_int_eq(try("mainnet", ACCOUNT, 0, N, 4, "", &errstr), -1);
	ck_assert_ptr_nonnull(strstr(errstr, "required_sigs"));
	account[5] = account[4];
	ck_assert_int_eq(try("mainnet", ACCOUNT, 4, 2, 2, "", &errstr), -1);
	ck_assert_ptr_nonnull(strstr(errstr, "twice"));
	account[5].chain[0] ^= 1;	/* the same key all the same */
	ck_assert_int_eq(try("mainnet", ACCOUNT, 4, 2, 2, "", &errstr), -1);
	/* A typing error, even where nothing is rebuilt from it. */
	bip32_pub_encode(&account[0], BIP32_KPUB, xpub);
	xpub[50] = xpub[50] == 'a' ? 'b' : 'a';
	snprintf(bad, sizeof(bad), "[profiles.signer-01.service.hd]\n"
	    "xpubs = [\"%s\"]\n", xpub);
	ck_assert_int_eq(try("devnet", ACCOUNT, 0, 0, 0, bad, &errstr), -1);
	ck_assert_ptr_nonnull(strstr(errstr, "mistyped"));
	masters("m");
	use("mainnet", "m", 0, 15, 15);
	ck_assert_uint_eq(own.nxpub, 15);
}
END_TEST

/* Of this process, so that other work of the machine does not count. */
static double
now_ms(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/*
 * 1,000 inputs and 1,000 outputs at as many paths, 15 cosigners, and one
 * transaction all at one path: so many steps a turn, and no path twice.
 */
START_TEST(many_paths)
{
	static struct tx_input	 in[1000], same[1000];
	static struct tx_output	 out[1000];
	static char		 path[2000][40];
	struct tx		 tx[2];
	uint8_t			 keys[15][33], script[P2SH_SCRIPT_LEN];
	uint8_t			 junk[P2SH_SCRIPT_LEN] = { 0xaa, 0x20 };
	double			 t, turn, longest = 0;
	size_t			 i, used;
	unsigned		 turns = 0;
	int			 ret;

	junk[34] = 0x87;
	use("mainnet", ACCOUNT, 0, 15, 9);
	keys_at(0, 15, ACCOUNT "/14/1/999", keys);
	p2sh_of(keys, 9, 15, true, script);
	memset(tx, 0, sizeof(tx));
	for (i = 0; i < 2000; i++)
		snprintf(path[i], sizeof(path[i]), ACCOUNT "/%zu/%zu/%zu",
		    i % 15, i / 1000, i % 1000);
	for (i = 0; i < 1000; i++) {
		in[i].has_utxo = same[i].has_utxo = true;
		in[i].spk.script = out[i].spk.script = view(junk,
		    sizeof(junk));
		same[i].spk.script = view(script, sizeof(script));
		in[i].claim.path = view(path[i], strlen(path[i]));
		out[i].claim.path = view(path[1000 + i],
		    strlen(path[1000 + i]));
		same[i].claim.path = view(ACCOUNT "/14/1/999",
		    strlen(ACCOUNT "/14/1/999"));
	}
	tx[0].nin = tx[0].nout = tx[1].nin = 1000;
	tx[0].in = in;
	tx[0].out = out;
	tx[1].in = same;
	t = now_ms();
	do {
		turn = now_ms();
		ret = own_prepare(&own, &key, &cache, tx, 2, 150);
		ck_assert_int_ge(ret, 0);
		turn = now_ms() - turn;
		if (turn > longest)
			longest = turn;
		turns++;
	} while (ret == 0);
	t = now_ms() - t;
	printf("2,000 paths of 15 keys: %.0f ms in %u turns, longest %.1f ms\n",
	    t, turns, longest);
	ck_assert_uint_ge(turns, 2000 * 15 / 150);
	ck_assert_uint_le(turns, 2 * 2000 * 15 / 150);
#ifndef IGRA_SANITIZED
	ck_assert_msg(longest < 50, "%.1f ms", longest);
#endif
	/* Deciding derives nothing more. */
	used = pool.used;
	t = now_ms();
	for (i = 0; i < 1000; i++) {
		ck_assert_int_eq(own_script(&own, &key, &cache, &same[i].spk,
		    &same[i].claim), OWN_DERIVED);
		ck_assert_int_eq(own_script(&own, &key, &cache, &in[i].spk,
		    &in[i].claim), OWN_NOT);
		ck_assert_int_eq(own_script(&own, &key, &cache, &out[i].spk,
		    &out[i].claim), OWN_NOT);
	}
	t = now_ms() - t;
	ck_assert_uint_eq(pool.used, used);
#ifndef IGRA_SANITIZED
	ck_assert_msg(t < 50, "%.1f ms", t);
#endif
	/* Nothing is derived for what cannot be ours. */
	own_cache_init(&cache, &pool);
	for (i = 0; i < 1000; i++) {
		in[i].spk.script.len--;
		out[i].spk.script.len--;
	}
	tx[0].nin = tx[0].nout = 1000;
	ck_assert_int_eq(own_prepare(&own, &key, &cache, tx, 1, 1), 1);
	ck_assert_uint_eq(pool.used, used);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("own");
	TCase	*tc = tcase_create("own");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, sdk_vectors);
	tcase_add_test(tc, claimed_paths);
	tcase_add_test(tc, other_scripts);
	tcase_add_test(tc, other_signers);
	tcase_add_test(tc, pay_to_pubkey);
	tcase_add_test(tc, shared);
	tcase_add_test(tc, configs);
	tcase_add_test(tc, many_paths);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
