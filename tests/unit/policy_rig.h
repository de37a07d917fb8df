/* A transaction made by hand, and the policy that decides it. */
#ifndef IGRA_POLICY_RIG_H
#define IGRA_POLICY_RIG_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "keyd/policy.h"

#define MAXIO	8

static struct pool	 pool;
static struct conf	*conf;
static struct own	 own;
static struct journal	*journal;
static struct tx	 tx;
static struct tx_input	 in[MAXIO];
static struct tx_output	 out[MAXIO];
static struct policy_request request;
static struct decision	 d;
static uint8_t		 keys[3][32];		/* the first is ours */
static uint8_t		 redeem[MULTISIG_MAX_SCRIPT], other[MULTISIG_MAX_SCRIPT];
static size_t		 redeemlen, otherlen;
static uint8_t		 p2sh[P2SH_SCRIPT_LEN], other_p2sh[P2SH_SCRIPT_LEN];
static uint8_t		 ours[P2PK_SCRIPT_LEN], theirs[P2PK_SCRIPT_LEN];

static struct bytes
view(const void *p, size_t len)
{
	struct bytes	 b = { p, len };

	return b;
}

/* The config of a network, with the redeem script unless extra says pubkey. */
static void
use(const char *network, bool multisig, const char *extra)
{
	char		 text[4096], err[256], hex[2 * MULTISIG_MAX_SCRIPT + 1];
	const char	*errstr;
	int		 n;

	(void)sodium_bin2hex(hex, sizeof(hex), redeem, redeemlen);
	n = snprintf(text, sizeof(text), "[service]\nnetwork = \"%s\"\n"
	    "active_profile = \"signer-01\"\n[service.pskt]\n"
	    "redeem_script_hex = \"%s\"\n%s", network, multisig ? hex : "",
	    extra);
	conf_free(conf);
	conf = conf_parse(text, (size_t)n, "igra.toml", NULL, 0, err,
	    sizeof(err));
	ck_assert_msg(conf != NULL, "%s", err);
	own_free(&own);
	ck_assert_int_eq(own_init(&own, conf, &errstr), 0);
}

/* One own input of 1000 sompi, 600 to another, 300 back, fee 100. */
static void
setup(void)
{
	size_t	 i;

	for (i = 0; i < 3; i++)
		memset(keys[i], (int)(0x11 * (i + 1)), 32);
	redeemlen = script_multisig(2, 3,
	    (const uint8_t (*)[32])(const void *)keys, redeem);
	otherlen = script_multisig(1, 2,
	    (const uint8_t (*)[32])(const void *)(keys + 1), other);
	script_p2sh(redeem, redeemlen, p2sh);
	script_p2sh(other, otherlen, other_p2sh);
	script_p2pk(keys[0], ours);
	script_p2pk(keys[1], theirs);
	memset(&request, 0, sizeof(request));
	request.key.xonly = keys[0];
	ck_assert_ptr_nonnull(journal = journal_new(1000, NULL));
	request.journal = journal;
	pool_init(&pool, 0);
	use("mainnet", true, "");
	memset(&tx, 0, sizeof(tx));
	memset(in, 0, sizeof(in));
	memset(out, 0, sizeof(out));
	tx.in = in;
	tx.out = out;
	tx.nin = 1;
	tx.nout = 2;
	for (i = 0; i < MAXIO; i++) {
		in[i].outpoint.index = (uint32_t)i;
		in[i].sighash_type = SIGHASH_ALL;
		in[i].has_utxo = true;
		in[i].amount = 1000;
		in[i].spk.script = view(p2sh, sizeof(p2sh));
		in[i].redeem = view(redeem, redeemlen);
		out[i].value = 600;
		out[i].spk.script = view(theirs, sizeof(theirs));
	}
	out[1].value = 300;
	out[1].spk.script = view(p2sh, sizeof(p2sh));
}

static void
teardown(void)
{
	pool_free(&pool);
	own_free(&own);
	journal_free(journal);
	conf_free(conf);
	conf = NULL;
}

static enum proto_code
decide(void)
{
	request.conf = conf;
	request.own = &own;
	(void)policy_decide(&request, &tx, 1, &pool, &d);
	if (d.code != CODE_NONE) {
		ck_assert_str_ne(d.message, "");
		ck_assert(d.check != NULL || d.code != CODE_POLICY_DENIED);
	}
	return d.code;
}

#define REFUSED(c, text) do {						\
	ck_assert_int_eq(decide(), (c));				\
	ck_assert_msg(strstr(d.message, (text)) != NULL,		\
	    "%s", d.message);						\
} while (0)

#endif
