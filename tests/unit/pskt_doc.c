#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pskt_doc.h"

const char pt_base[] =
    "{ \"global\" : {\"version\":1,\"txVersion\": 1 ,\"fallbackLockTime\":null,"
    "\"inputsModifiable\":false,\"outputsModifiable\":true,\"inputCount\":2,"
    "\"outputCount\":2,\"xpubs\":{\"xpub1\":" SOURCE "},\"id\":null,"
    "\"proprietaries\":{\"p\":[1.50,-0,1e5]},\"payload\":\"00fF\","
    "\"un\\u006bnown \\ud83d\\ude00\":[18446744073709551615,1.0]},\n\t"
    "\"inputs\": [{\"utxoEntry\":{\"amount\":721525998,\"scriptPublicKey\":\""
    SPK_A "\",\"blockDaaScore\":36151168,\"isCoinbase\":false,"
    "\"covenantId\":null},\"previousOutpoint\":{\"transactionId\":\"" TXID_1
    "\",\"index\":4294967295},\"sequence\":18446744073709551615,"
    "\"minTime\":77,\"bip32Derivations\":{ },\"partialSigs\":{ },"
    "\"sighashType\":1,\"redeemScript\":null,\"sigOpCount\":1,"
    "\"finalScriptSig\":\"ab\",\"proprietaries\":{}, \"x\" : \"\\/\" }\r\n,"
    "{\"utxoEntry\":null,\"previousOutpoint\":{\"index\":0,\"transactionId\":\""
    TXID_2 "\"},\"sequence\":null,\"minTime\":null,"
    "\"partialSigs\" : { \"03" KEY_B "\" : {\"schnorr\" : \"" SIG_1 "\"},"
    "\"02" TXID_1 "\":{\"eCDSA\":\"" DER "\"} },"
    "\"sighashType\":129,\"redeemScript\":\"51ac\",\"sigOpCount\":null,"
    "\"bip32Derivations\":{\"02" KEY_A "\": " SOURCE ",\"03" KEY_B "\":null},"
    "\"finalScriptSig\":null,\"proprietaries\":{},\"hidden\":null}],"
    "\"outputs\":[{\"amount\":1000,\"scriptPublicKey\":\"" SPK_A
    "\",\"redeemScript\":null,\"bip32Derivations\":{},\"proprietaries\":{}},"
    "{\"amount\":2899999999999990000,\"scriptPublicKey\":\"0102\","
    "\"redeemScript\":\"aB\",\"bip32Derivations\":{\"02" KEY_A "\":null},"
    "\"covenant\":{\"authorizingInput\":1,\"covenantId\":\"" TXID_2 "\"},"
    "\"proprietaries\":{}}],\"role\":null,\"more\":{}  }";
const size_t pt_base_len = sizeof(pt_base) - 1;

struct pool		 pt_pool;
struct pskt_doc		 pt_doc;
struct pskt_error	 pt_err;
static char		*text;

void
pt_setup(void)
{
	pool_init(&pt_pool, 0);
}

void
pt_teardown(void)
{
	pool_free(&pt_pool);
	free(text);
	text = NULL;
}

int
pt_parse_ctx(const struct pskt_context *ctx, const char *src, size_t len)
{
	struct json	*v;
	char		 err[256], *copy;

	ck_assert_ptr_nonnull(copy = malloc(len == 0 ? 1 : len));
	memcpy(copy, src, len);
	free(text);
	text = copy;
	if ((v = json_parse(&pt_pool, text, len, err, sizeof(err))) == NULL) {
		pt_err.code = PSKT_INVALID;
		(void)snprintf(pt_err.message, sizeof(pt_err.message), "%s",
		    err);
		return -1;
	}
	return pskt_parse(&pt_pool, ctx, text, v, &pt_doc, &pt_err);
}

int
pt_parse(const char *src)
{
	return pt_parse_ctx(NULL, src, strlen(src));
}

void
pt_unhex(const char *hex, uint8_t *out)
{
	ck_assert_int_eq(pskt_unhex((const uint8_t *)hex, strlen(hex), out), 0);
}

char *
pt_frame(const char *prefix, const char *src, size_t len)
{
	char	*s;

	ck_assert_ptr_nonnull(s = calloc(1, 2 * len + 8));
	s[0] = '"';
	memcpy(s + 1, prefix, 4);
	pskt_hex(src, len, s + 5);
	s[5 + 2 * len] = '"';
	return s;
}

char *
pt_change(const char *from, const char *to)
{
	const char	*at = strstr(pt_base, from);
	char		*s;
	size_t		 n;

	ck_assert_msg(at != NULL, "%s: not in the document", from);
	n = pt_base_len + 1 + strlen(to) + 1;
	ck_assert_ptr_nonnull(s = malloc(n));
	(void)snprintf(s, n, "%.*s%s%s", (int)(at - pt_base), pt_base, to,
	    at + strlen(from));
	return s;
}

double
pt_now(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}
