/*
 * igra-keyd and requests that need keys derived: each input is signed with
 * its own, the deriving gives way to others, and what comes between it and
 * the decision counts.
 */
#include "keyd_rig.h"
#include "keyd/bip39.h"

#define ACCOUNT	"m/45'/111111'/0'"
#define PHRASE	"legal winner thank year wave sausage worth useful legal " \
		"winner thank yellow"

static char	 path[INPUTS][48];

/* The key of the rig's phrase at a path, with the payment secret of seed. */
static void
pub_at(uint8_t seed, const char *text, uint8_t pub[33])
{
	struct bip32_path	 p;
	struct bip32_prv	 prv;
	const char		*e;
	uint8_t			 s[BIP39_SEED_LEN];

	bip39_seed(PHRASE, strlen(PHRASE), &seed, 1, s);
	ck_assert_int_eq(bip32_master(s, sizeof(s), &prv), 0);
	ck_assert_int_eq(bip32_path_parse(text, strlen(text), &p, &e), 0);
	ck_assert_int_eq(bip32_derive(&prv, &p, &prv), 0);
	ck_assert_int_eq(curve_pubkey(prv.key, pub), 0);
}

/*
 * nin inputs at 0/0, 0/1, …, of which the first own pay to the keys there,
 * the others to nobody.
 */
static void
send_hd(int fd, uint8_t seed, size_t nin, size_t own, uint64_t id)
{
	static struct tx_input	 in[INPUTS];
	static uint8_t		 script[INPUTS][P2PK_SCRIPT_LEN];
	uint8_t			 pub[33];
	size_t			 i;

	memset(in, 0, sizeof(in));
	for (i = 0; i < nin; i++) {
		snprintf(path[i], sizeof(path[i]), ACCOUNT "/0/%zu", i);
		memset(pub, 0x5a, sizeof(pub));
		if (i < own)
			pub_at(seed, path[i], pub);
		script_p2pk(pub + 1, script[i]);
		in[i].outpoint.txid[0] = (uint8_t)id;
		in[i].outpoint.index = (uint32_t)i;
		in[i].sighash_type = SIGHASH_ALL;
		in[i].has_utxo = true;
		in[i].amount = 1000;
		in[i].spk.script.p = script[i];
		in[i].spk.script.len = P2PK_SCRIPT_LEN;
		in[i].claim.path = bytes_str(path[i]);
	}
	send_inputs(fd, in, nin, 0, id);
}

/* n signatures, each by the key at its input's path. */
static void
signed_by(int fd, uint8_t seed, uint32_t n)
{
	struct frame_reply	 r;
	struct msg_sign		 m;
	struct pool		 pool;
	uint8_t			 pub[33];
	uint32_t		 i;

	pool_init(&pool, 0);
	ck_assert_uint_eq(answer(fd, LINK_KEYD, &r), MSG_SIGN);
	ck_assert_int_eq(dec_sign(r.p, r.len, &pool, &m), 0);
	ck_assert_uint_eq(m.nsig, n);
	for (i = 0; i < n; i++) {
		ck_assert_uint_eq(m.sig[i].input, i);
		pub_at(seed, path[i], pub);
		ck_assert_mem_eq(m.sig[i].public_key, pub, 33);
	}
	pool_free(&pool);
	frame_reply_free(&r);
}

static void
begin(void)
{
	rig_hd = "derivation_path = \"" ACCOUNT "\"\n";
	rig_phrase = PHRASE;
	setup();
}

/* A request of many paths that has come and is not decided by far. */
static int
ask_for_many(uint8_t seed, size_t own)
{
	int	 fd = dial(LINK_KEYD);

	send_hd(fd, seed, INPUTS, own, 1);
	while (k.njobs == 0)
		turn();
	turns(2);
	ck_assert_uint_eq(k.njobs, 1);
	return fd;
}

START_TEST(own_keys)
{
	int	 fd = dial(LINK_KEYD);

	unlock(1);
	send_hd(fd, 1, 150, 140, 1);	/* more than one turn of them */
	signed_by(fd, 1, 140);
	ck_assert_uint_eq(k.ring.cache.n, 100);
	ck_assert_uint_eq(k.njobs, 0);
	close(fd);
}
END_TEST

START_TEST(lock_overtakes)
{
	int	 fd, admin = dial(LINK_KEYD_ADMIN);

	unlock(1);
	fd = ask_for_many(1, 1);
	ck_assert_int_eq(frame_write(admin, MSG_LOCK, 2, NULL, 0), 0);
	expect(admin, LINK_KEYD_ADMIN, MSG_OK);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_LOCKED);
	ck_assert_uint_eq(k.njobs, 0);
	ck_assert_uint_eq(secmem_used(), 0);
}
END_TEST

START_TEST(small_overtakes)
{
	int	 fd, other = dial(LINK_KEYD);

	unlock(1);
	fd = ask_for_many(1, 1);
	send_hd(other, 1, 1, 1, 2);
	signed_by(other, 1, 1);
	ck_assert_uint_eq(k.njobs, 1);	/* the other still is at it */
	expect(fd, LINK_KEYD, MSG_SIGN);
}
END_TEST

/* What was derived with one key must not decide for another. */
START_TEST(another_key)
{
	int	 fd;

	unlock(1);
	fd = ask_for_many(1, 1);
	unlock(2);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_LOCKED);
	send_hd(fd, 2, 3, 3, 2);
	signed_by(fd, 2, 3);
	send_hd(fd, 1, 3, 3, 3);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_NOT_A_SIGNER);
}
END_TEST

/* Another config: decided by it, from the start. */
START_TEST(another_config)
{
	struct own	*old = k.own;
	const char	*errstr;
	int		 fd;

	unlock(1);
	fd = ask_for_many(1, 70);
	ck_assert_uint_eq(old->refs, 2);
	ck_assert_ptr_nonnull(k.own = own_new(k.d.conf, &errstr));
	turns(2);
	ck_assert_uint_eq(old->refs, 1);
	own_unref(old);
	signed_by(fd, 1, 70);
}
END_TEST

START_TEST(client_left)
{
	int	 fd;

	unlock(1);
	fd = ask_for_many(1, 1);
	close(fd);
	turns(20);
	ck_assert_uint_eq(k.njobs, 0);
	ck_assert_uint_eq(k.signatures, 0);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("keyd_hd");
	TCase	*tc = tcase_create("keyd_hd");
	SRunner	*sr;
	int	 failed;

	log_init("test_keyd_hd", 0);
	tcase_add_checked_fixture(tc, begin, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, own_keys);
	tcase_add_test(tc, lock_overtakes);
	tcase_add_test(tc, small_overtakes);
	tcase_add_test(tc, another_key);
	tcase_add_test(tc, another_config);
	tcase_add_test(tc, client_left);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
