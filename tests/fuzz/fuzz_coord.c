/*
 * signd/coord_answer.  Input: a byte of options, then the body of a signer's
 * answer to igra-coord, which has asked for signatures of the document below.
 * Whatever it says: what counts as signed verifies, what is told is printable
 * ASCII, and with the signatures taken the document reads again and is the
 * same transaction.
 */
#include <string.h>

#include "schnorr.h"
#include "signd/coord.h"

#include "fuzz.h"

#define OPT_SIGN	0x01	/* it was asked to sign, not who it is */
#define OPT_STATUS	0x02	/* HTTP status 429, Retry-After */
#define OPT_OTHER	0x04	/* another key is what it has said */

/* Two inputs, 2-of-3. */
static const char	 document[] =
	"{\"global\":{\"version\":0,\"txVersion\":0,\"fallbackLockTime\":null,\"inpu"
	"tsModifiable\":false,\"outputsModifiable\":false,\"inputCount\":2,\"outp"
	"utCount\":1,\"xpubs\":{},\"id\":null,\"proprietaries\":{},\"payload\":null}"
	",\"inputs\":[{\"utxoEntry\":{\"amount\":951461053,\"scriptPublicKey\":\"000"
	"0aa200faa1c50775d3d3ff126b445274fc569c527da0fa151cd42bacd2e02ec6f4"
	"dcc87\",\"blockDaaScore\":36151168,\"isCoinbase\":false},\"previousOutpo"
	"int\":{\"transactionId\":\"1e127a08409e05df71e1872b5117e0692b4c287e87b"
	"72248a6d6da6c45568f33\",\"index\":3},\"sequence\":null,\"minTime\":null,\""
	"partialSigs\":{},\"sighashType\":1,\"redeemScript\":\"52200720a8b564d1d0"
	"25563ea876661e3236c713c50d93e5244ba84b91ec4f9cd2e4200cb1b7c079ba61"
	"f0eead7a68411634a8d1ee0e479351338a92ea0dcc15f2dfb820e4bc3c692864fe"
	"02a7d747848438bb42b41fbe3e13d1cc32804e4f27f3d6278453ae\",\"sigOpCoun"
	"t\":3,\"bip32Derivations\":{},\"finalScriptSig\":null,\"proprietaries\":{"
	"}},{\"utxoEntry\":{\"amount\":558175197,\"scriptPublicKey\":\"0000aa200fa"
	"a1c50775d3d3ff126b445274fc569c527da0fa151cd42bacd2e02ec6f4dcc87\",\""
	"blockDaaScore\":36151168,\"isCoinbase\":false},\"previousOutpoint\":{\"t"
	"ransactionId\":\"4014662f5d78a7e558efa23a202016a587c908f479f3000b667"
	"47c032f607f67\",\"index\":1},\"sequence\":null,\"minTime\":null,\"partialS"
	"igs\":{},\"sighashType\":1,\"redeemScript\":\"52200720a8b564d1d025563ea8"
	"76661e3236c713c50d93e5244ba84b91ec4f9cd2e4200cb1b7c079ba61f0eead7a"
	"68411634a8d1ee0e479351338a92ea0dcc15f2dfb820e4bc3c692864fe02a7d747"
	"848438bb42b41fbe3e13d1cc32804e4f27f3d6278453ae\",\"sigOpCount\":3,\"bi"
	"p32Derivations\":{},\"finalScriptSig\":null,\"proprietaries\":{}}],\"out"
	"puts\":[{\"amount\":1507636250,\"scriptPublicKey\":\"00002091b2fb8af4187"
	"f90da6d6a984632dd7e29525222348200bb7ceb83174cdda12dac\",\"redeemScri"
	"pt\":null,\"bip32Derivations\":{},\"proprietaries\":{}}]}";
static const uint8_t	 own[32] = {
	0x07, 0x20, 0xa8, 0xb5, 0x64, 0xd1, 0xd0, 0x25, 0x56, 0x3e, 0xa8, 0x76,
	0x66, 0x1e, 0x32, 0x36, 0xc7, 0x13, 0xc5, 0x0d, 0x93, 0xe5, 0x24, 0x4b,
	0xa8, 0x4b, 0x91, 0xec, 0x4f, 0x9c, 0xd2, 0xe4
};

static void	check_taken(const struct coord_doc *);
static void	check_emitted(struct coord_doc *);
static void	check_text(const char *, size_t);

static void
check_taken(const struct coord_doc *d)
{
	const struct coord_input	*in;
	size_t				 i, complete = 0, added = 0;
	unsigned			 k, have;

	for (i = 0; i < d->tx[0].nin; i++) {
		in = &d->tx[0].in[i];
		for (k = have = 0; k < in->n; k++) {
			if (!in->slot[k].have)
				continue;
			CHECK(schnorr_verify(in->slot[k].key, in->sighash,
			    in->slot[k].sig));
			have++;
			added += in->slot[k].added;
		}
		CHECK(have == in->have);
		complete += have >= in->m;
	}
	CHECK(complete == d->complete && added == d->added);
}

static void
check_emitted(struct coord_doc *d)
{
	const struct json	*root;
	struct coord_doc	 again;
	struct bytes		 out;
	char			*text, err[512];

	CHECK(coord_doc_emit(d, &out) == 0);
	root = json_parse(&d->pool, (const char *)out.p, out.len, err,
	    sizeof(err));
	CHECK(root != NULL);
	CHECK(coord_doc_same(d, (const char *)out.p, root));
	CHECK((text = malloc(out.len + 1)) != NULL);
	memcpy(text, out.p, out.len);
	text[out.len] = '\0';
	CHECK(coord_doc_read(&again, text, out.len, (struct bytes){ NULL, 0 },
	    err, sizeof(err)) == 0);
	CHECK(again.complete == d->complete && again.wrong == 0);
	coord_doc_free(&again);
}

static void
check_text(const char *text, size_t size)
{
	size_t	 i, len = strnlen(text, size);

	CHECK(len < size);
	for (i = 0; i < len; i++)
		CHECK(text[i] >= ' ' && text[i] <= '~');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct coord		 c;
	struct coord_signer	 s;
	struct coord_answer	 a;
	unsigned		 again = 0;
	uint8_t			 opt;
	char			*text, err[512];

	if (size == 0)
		return 0;
	opt = data[0];
	memset(&c, 0, sizeof(c));
	memset(&s, 0, sizeof(s));
	memset(&a, 0, sizeof(a));
	CHECK((text = strdup(document)) != NULL);
	CHECK(coord_doc_read(&c.doc, text, strlen(text),
	    (struct bytes){ NULL, 0 }, err, sizeof(err)) == 0);
	c.n = 1;
	c.signer = &s;
	(void)strlcpy(c.request_id, "r", sizeof(c.request_id));
	s.coord = &c;
	s.path = "s.sock";
	s.signing = (opt & OPT_SIGN) != 0;
	s.have_key = s.signing;
	if (!(opt & OPT_OTHER))
		memcpy(s.key, own, sizeof(own));
	a.status = opt & OPT_STATUS ? 429 : 200;
	a.retry_after = opt & OPT_STATUS ? 5 : 0;
	a.body = (const char *)data + 1;
	a.len = size - 1;
	coord_answer(&s, &a, &again);

	check_text(s.what, sizeof(s.what));
	check_text(s.code, sizeof(s.code));
	check_taken(&c.doc);
	CHECK(again == 0 || s.result == COORD_PENDING);
	/* Pending, it is to be asked again or has just said who it is. */
	CHECK(s.result != COORD_PENDING || again != 0 ||
	    (!s.signing && s.have_key));
	CHECK(s.result != COORD_SIGNED || (s.signing && s.inputs > 0 &&
	    s.have_audit));
	CHECK(c.doc.added == 0 || s.proven);
	if (c.doc.added != 0)
		check_emitted(&c.doc);
	coord_doc_free(&c.doc);
	return 0;
}
