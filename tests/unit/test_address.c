#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kaspa.h"
#include "vec.h"

static const char	 charset[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
static const char	*nets[] = { "mainnet", "testnet-10", "devnet", "simnet" };

static int	 decode(const char *, size_t, struct kaspa_address *);
static void	 refused(const char *, size_t);
static void	 check_good(const char *, enum kaspa_network, uint8_t,
		    const uint8_t *, size_t);
static void	 check_mutations(const char *);
static size_t	 groups_of(const uint8_t *, size_t, uint8_t *);
static void	 seal(const char *, const uint8_t *, size_t, char *);

/* From a copy of just that size, so that ASan sees any byte too far. */
static int
decode(const char *s, size_t len, struct kaspa_address *a)
{
	const char	*why = NULL;
	char		*exact;
	int		 r;

	ck_assert_ptr_nonnull(exact = malloc(len == 0 ? 1 : len));
	memcpy(exact, s, len);
	r = address_decode(exact, len, a, &why);
	free(exact);
	if (r == -1)
		ck_assert_ptr_nonnull(why);
	return r;
}

static void
refused(const char *s, size_t len)
{
	struct kaspa_address	 a;

	ck_assert_msg(decode(s, len, &a) == -1, "accepted %.*s", (int)len, s);
	ck_assert_int_eq(address_decode(s, len, &a, NULL), -1);
}

static void
check_good(const char *text, enum kaspa_network network, uint8_t version,
    const uint8_t *payload, size_t len)
{
	struct kaspa_address	 a;
	uint8_t			 script[35];
	char			 out[ADDRESS_MAX];
	struct spk		 spk = { 0, { script, 0 } };

	ck_assert_msg(decode(text, strlen(text), &a) == 0, "%s", text);
	ck_assert_int_eq(a.network, network);
	ck_assert_uint_eq(a.version, version);
	ck_assert_uint_eq(a.len, len);
	ck_assert_mem_eq(a.payload, payload, len);
	memset(out, 'x', sizeof(out));
	address_encode(&a, out);
	ck_assert_str_eq(out, text);
	spk.script.len = address_script(&a, script);
	memset(out, 'x', sizeof(out));
	ck_assert_int_eq(address_from_spk(network, &spk, out), 0);
	ck_assert_str_eq(out, text);
}

/* Each position with every other character of any address, and with others. */
static void
check_mutations(const char *text)
{
	static const char	 others[] = "1bioABQZ:;- \t\n\x7f\x80\xff\x01";
	struct kaspa_address	 a;
	char			 s[ADDRESS_MAX];
	size_t			 i, k, len = strlen(text);

	memcpy(s, text, len);
	for (i = 0; i < len; i++) {
		/* sizeof takes in the NUL at the end of either. */
		for (k = 0; k < sizeof(charset); k++)
			if ((s[i] = charset[k]) != text[i])
				refused(s, len);
		for (k = 0; k < sizeof(others); k++)
			if ((s[i] = others[k]) != text[i])
				refused(s, len);
		s[i] = (char)(text[i] ^ 0x20);
		refused(s, len);
		s[i] = text[i];
	}
	ck_assert_int_eq(decode(s, len, &a), 0);
	for (i = 0; i + 1 < len; i++) {		/* neighbours swapped */
		if (text[i] == text[i + 1])
			continue;
		s[i] = text[i + 1];
		s[i + 1] = text[i];
		refused(s, len);
		s[i] = text[i];
		s[i + 1] = text[i + 1];
	}
}

START_TEST(hd_addresses)
{
	yajl_val	 v = vec_load("hd.json"), keys, key, addrs;
	uint8_t		*pub;
	size_t		 i, k, n, len, count = 0;

	for (i = 0; i < vec_len(v); i++) {
		keys = vec_get(vec_at(v, i), "keys");
		for (k = 0; k < vec_len(keys); k++) {
			key = vec_at(keys, k);
			pub = vec_unhex(vec_str(key, "public_key"), &len);
			ck_assert_uint_eq(len, 33);
			addrs = vec_get(key, "addresses");
			for (n = 0; n < 4; n++)
				check_good(vec_str(addrs, nets[n]),
				    (enum kaspa_network)n, ADDRESS_SCHNORR,
				    pub + 1, 32);
			check_good(vec_str(key, "ecdsa_mainnet"),
			    KASPA_MAINNET, ADDRESS_ECDSA, pub, 33);
			free(pub);
			count++;
		}
	}
	ck_assert_uint_gt(count, 60);
	yajl_tree_free(v);
}
END_TEST

START_TEST(multisig_addresses)
{
	yajl_val	 v = vec_load("multisig.json"), c;
	uint8_t		*spk;
	size_t		 i, n, len;

	for (i = 0; i < vec_len(v); i++) {
		c = vec_at(v, i);
		spk = vec_unhex(vec_str(c, "script_public_key"), &len);
		ck_assert_uint_eq(len, 2 + P2SH_SCRIPT_LEN);
		for (n = 0; n < 4; n++)
			check_good(vec_str(vec_get(c, "addresses"), nets[n]),
			    (enum kaspa_network)n, ADDRESS_P2SH, spk + 4, 32);
		free(spk);
	}
	yajl_tree_free(v);
}
END_TEST

START_TEST(mutations)
{
	yajl_val	 hd = vec_load("hd.json"), ms = vec_load("multisig.json");
	yajl_val	 key = vec_at(vec_get(vec_at(hd, 0), "keys"), 0);
	size_t		 n;

	for (n = 0; n < 4; n++) {
		check_mutations(vec_str(vec_get(key, "addresses"), nets[n]));
		check_mutations(vec_str(vec_get(vec_at(ms, 1), "addresses"),
		    nets[n]));
	}
	check_mutations(vec_str(key, "ecdsa_mainnet"));
	yajl_tree_free(hd);
	yajl_tree_free(ms);
}
END_TEST

START_TEST(case_and_length)
{
	yajl_val	 ms = vec_load("multisig.json");
	const char	*text = vec_str(vec_get(vec_at(ms, 0), "addresses"),
			    "testnet-10");
	const char	*body = strchr(text, ':') + 1;
	char		 s[256];
	size_t		 i, len = strlen(text);

	for (i = 0; i <= len; i++)		/* all in upper case */
		s[i] = (char)toupper((unsigned char)text[i]);
	refused(s, len);
	memcpy(s, text, (size_t)(body - text));	/* only the prefix in lower */
	refused(s, len);
	for (i = 0; i < len; i++)		/* cut at the end, at the start */
		refused(text, i);
	for (i = 1; i < len; i++)
		refused(text + i, len - i);
	for (i = 0; charset[i] != '\0'; i++) {	/* one more at the end */
		(void)snprintf(s, sizeof(s), "%s%c", text, charset[i]);
		refused(s, len + 1);
		/* Right after the colon: a zero there must not go unnoticed. */
		(void)snprintf(s, sizeof(s), "%.*s%c%s", (int)(body - text),
		    text, charset[i], body);
		refused(s, len + 1);
	}
	(void)snprintf(s, sizeof(s), "%s\n", text);
	refused(s, len + 1);
	refused(text, len + 1);			/* with its NUL */
	(void)snprintf(s, sizeof(s), " %s", text);
	refused(s, len + 1);
	(void)snprintf(s, sizeof(s), "%s:%s", text, body);
	refused(s, strlen(s));
	refused(body, strlen(body));
	(void)snprintf(s, sizeof(s), ":%s", body);
	refused(s, strlen(s));
	(void)snprintf(s, sizeof(s), "kaspa:%s", body);
	refused(s, strlen(s));
	(void)snprintf(s, sizeof(s), "bitcoincash:%s", body);
	refused(s, strlen(s));
	refused("", 0);
	refused("kaspa:", 6);
	refused("kaspa:qqqqqqqq", 14);
	memset(s, 'q', sizeof(s));
	memcpy(s, "kaspa:", 6);
	refused(s, sizeof(s));
	yajl_tree_free(ms);
}
END_TEST

static size_t
groups_of(const uint8_t *in, size_t len, uint8_t *out)
{
	size_t	 bit, n = (len * 8 + 4) / 5;

	memset(out, 0, n);
	for (bit = 0; bit < len * 8; bit++)
		if (in[bit / 8] >> (7 - bit % 8) & 1)
			out[bit / 5] |= (uint8_t)(16 >> bit % 5);
	return n;
}

/* Groups as an address with a right checksum, whatever they say. */
static void
seal(const char *prefix, const uint8_t *groups, size_t n, char *out)
{
	static const uint64_t	 gen[5] = {
		0x98f2bc8e61, 0x79b76d99e2, 0xf33e5fb3c4, 0xae2eabe2a8,
		0x1e4f43e470
	};
	uint8_t		 all[256] = { 0 };
	uint64_t	 c = 1, top;
	size_t		 i, k, plen = strlen(prefix), total;

	for (i = 0; i < plen; i++)
		all[i] = prefix[i] & 31;
	memcpy(all + plen + 1, groups, n);
	total = plen + 1 + n + 8;
	for (i = 0; i < total; i++) {
		top = c >> 35;
		c = ((c & 0x07ffffffff) << 5) ^ all[i];
		for (k = 0; k < 5; k++)
			if ((top >> k & 1) != 0)
				c ^= gen[k];
	}
	c ^= 1;
	memcpy(out, prefix, plen);
	out += plen;
	*out++ = ':';
	for (i = 0; i < n; i++)
		*out++ = charset[groups[i]];
	for (i = 0; i < 8; i++)
		*out++ = charset[c >> (35 - 5 * i) & 31];
	*out = '\0';
}

/* All with a right checksum: only the rule under test can refuse them. */
START_TEST(sealed)
{
	struct kaspa_address	 a;
	uint8_t			 raw[64], g[128];
	char			 s[256];
	size_t			 n, len;
	unsigned		 v, pad;

	memset(raw, 0xff, sizeof(raw));
	for (v = 0; v < 256; v++)
		for (len = 0; len <= 36; len++) {
			raw[0] = (uint8_t)v;
			n = groups_of(raw, 1 + len, g);
			seal("kaspa", g, n, s);
			if ((len == 32 && (v == 0 || v == 8)) ||
			    (len == 33 && v == 1))
				ck_assert_int_eq(decode(s, strlen(s), &a), 0);
			else
				refused(s, strlen(s));
		}
	raw[0] = ADDRESS_P2SH;			/* one bit of padding */
	n = groups_of(raw, 33, g);
	g[n - 1] |= 1;
	seal("kaspa", g, n, s);
	refused(s, strlen(s));
	raw[0] = ADDRESS_ECDSA;			/* three bits */
	n = groups_of(raw, 34, g);
	for (pad = 1; pad < 8; pad++) {
		g[n - 1] = (uint8_t)((g[n - 1] & ~7U) | pad);
		seal("kaspa", g, n, s);
		refused(s, strlen(s));
	}
	raw[0] = ADDRESS_SCHNORR;		/* a whole group of padding */
	n = groups_of(raw, 33, g);
	g[n] = 0;
	seal("kaspa", g, n + 1, s);
	refused(s, strlen(s));
	seal("kaspa", g, n - 1, s);
	refused(s, strlen(s));
	/*
	 * A NUL taken for a 33rd character would be the group 32, and 30, 32
	 * gives the checksum of 31, 0.
	 */
	g[10] = 31;
	g[11] = 0;
	seal("kaspa", g, n, s);
	len = strlen(s);
	ck_assert_int_eq(decode(s, len, &a), 0);
	s[strlen("kaspa:") + 10] = charset[30];
	s[strlen("kaspa:") + 11] = '\0';
	refused(s, len);
	seal("kaspax", g, n, s);		/* no such network */
	refused(s, strlen(s));
	seal("", g, n, s);
	refused(s, strlen(s));
	seal("kaspasim", g, n, s);
	ck_assert_int_eq(decode(s, strlen(s), &a), 0);
}
END_TEST

START_TEST(encode_refuses)
{
	struct kaspa_address	 a = { KASPA_MAINNET, ADDRESS_P2SH, { 0 }, 33 };
	uint8_t			 script[35] = { 0 };
	struct spk		 spk = { 0, { script, sizeof(script) } };
	char			 out[ADDRESS_MAX] = "x";

	address_encode(&a, out);
	ck_assert_str_eq(out, "");
	a.len = 32;
	a.version = 2;
	address_encode(&a, out);
	ck_assert_str_eq(out, "");
	ck_assert_uint_eq(address_script(&a, script), 0);
	a.version = ADDRESS_P2SH;
	a.network = (enum kaspa_network)4;
	address_encode(&a, out);
	ck_assert_str_eq(out, "");
	ck_assert_int_eq(address_from_spk(KASPA_MAINNET, &spk, out), -1);
}
END_TEST

START_TEST(networks)
{
	static const struct {
		const char		*text;
		enum kaspa_network	 network;
	} good[] = {
		{ "mainnet", KASPA_MAINNET }, { "testnet", KASPA_TESTNET },
		{ "testnet-10", KASPA_TESTNET }, { "testnet-11", KASPA_TESTNET },
		{ "testnet-4294967295", KASPA_TESTNET },
		{ "devnet", KASPA_DEVNET }, { "simnet", KASPA_SIMNET }
	};
	static const char	*bad[] = {
		"", "main", "Mainnet", "MAINNET", "mainnet ", " mainnet",
		"mainnet\n", "mainnet-10", "mainnet-1", "devnet-10", "simnet-1",
		"testnet-", "testnet-x", "testnet-10x", "testnet-010",
		"testnet-0", "testnet--1", "testnet-+1", "testnet- 1",
		"testnet-1 ", "testnet10", "testnet_10", "testnet-4294967296",
		"testnet-99999999999999999999999", "testnet-10-11", "kaspa",
		"testnets", "kaspatest"
	};
	enum kaspa_network	 n;
	size_t			 i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		n = (enum kaspa_network)9;
		ck_assert_int_eq(kaspa_network_parse(good[i].text, &n), 0);
		ck_assert_int_eq(n, good[i].network);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(kaspa_network_parse(bad[i], &n) == -1, "%s",
		    bad[i]);
	ck_assert_str_eq(kaspa_network_name(KASPA_TESTNET), "testnet");
	ck_assert_str_eq(kaspa_network_prefix(KASPA_SIMNET), "kaspasim");
	ck_assert_ptr_null(kaspa_network_name((enum kaspa_network)4));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("address");
	TCase	*tc = tcase_create("all");
	SRunner	*r;
	int	 failed;

	tcase_add_test(tc, hd_addresses);
	tcase_add_test(tc, multisig_addresses);
	tcase_add_test(tc, mutations);
	tcase_add_test(tc, case_and_length);
	tcase_add_test(tc, sealed);
	tcase_add_test(tc, encode_refuses);
	tcase_add_test(tc, networks);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
