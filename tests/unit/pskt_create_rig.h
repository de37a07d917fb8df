/* Requests to signd/pskt_create: what its tests share. */
#ifndef IGRA_PSKT_CREATE_RIG_H
#define IGRA_PSKT_CREATE_RIG_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pskt_doc.h"
#include "signd/pskt_create.h"

#define KEY_C \
	"e4bc3c692864fe02a7d747848438bb42b41fbe3e13d1cc32804e4f27f3d62784"
#define REDEEM	"5220" KEY_A "20" KEY_B "20" KEY_C "53ae"

#define KAS	100000000ULL

static struct create_result	 res;
static struct bytes		 redeem;
static uint8_t			 redeem_bytes[sizeof(REDEEM) / 2];
static uint8_t			 p2sh[P2SH_SCRIPT_LEN];
static char			 own[ADDRESS_MAX], payee[ADDRESS_MAX];
static char			 p2sh_hex[2 * P2SH_SCRIPT_LEN + 1];

static void
setup(void)
{
	struct kaspa_address	 a = { .network = KASPA_DEVNET, .len = 32 };

	pt_setup();
	pt_unhex(REDEEM, redeem_bytes);
	redeem.p = redeem_bytes;
	redeem.len = sizeof(REDEEM) / 2;
	script_p2sh(redeem.p, redeem.len, p2sh);
	pskt_hex(p2sh, sizeof(p2sh), p2sh_hex);
	a.version = ADDRESS_P2SH;
	memcpy(a.payload, p2sh + 2, 32);
	address_encode(&a, own);
	a.version = ADDRESS_SCHNORR;
	pt_unhex(KEY_A, a.payload);
	address_encode(&a, payee);
}

static int
create(const char *params)
{
	char		 err[256];
	struct json	*v;

	v = json_parse(&pt_pool, params, strlen(params), err, sizeof(err));
	ck_assert_msg(v != NULL, "%s in %s", err, params);
	return pskt_create(&pt_pool, KASPA_DEVNET, redeem, v, &res, &pt_err);
}

/* n UTXOs of these amounts, as a node shows them. */
static const char *
utxos(size_t n, const uint64_t *amount)
{
	char	*s = pool_alloc(&pt_pool, n * 400 + 3, 1), *to = s;
	size_t	 i;

	to += sprintf(to, "[");
	for (i = 0; i < n; i++)
		to += sprintf(to, "%s{\"address\":\"%s\",\"outpoint\":{"
		    "\"transactionId\":\"%064zx\",\"index\":%zu},\"utxoEntry\":"
		    "{\"amount\":%llu,\"scriptPublicKey\":\"0000%s\","
		    "\"blockDaaScore\":%zu,\"isCoinbase\":%s}}",
		    i == 0 ? "" : ",", own, i / 2 + 7, i % 2,
		    (unsigned long long)amount[i], p2sh_hex, 1000 + i,
		    i % 3 == 0 ? "true" : "false");
	(void)sprintf(to, "]");
	return s;
}

static const char *
outputs(size_t n, const uint64_t *amount)
{
	char	*s = pool_alloc(&pt_pool, n * 150 + 3, 1), *to = s;
	size_t	 i;

	to += sprintf(to, "[");
	for (i = 0; i < n; i++)
		to += sprintf(to, "%s{\"address\":\"%s\",\"amount\":%llu}",
		    i == 0 ? "" : ",", payee, (unsigned long long)amount[i]);
	(void)sprintf(to, "]");
	return s;
}

static const char *
params(const char *in, const char *out, uint64_t rate, const char *more)
{
	return pool_printf(&pt_pool, "{\"utxos\":%s,\"outputs\":%s,"
	    "\"change_address\":\"%s\",\"fee_rate\":%llu%s}", in, out, own,
	    (unsigned long long)rate, more);
}

#endif
