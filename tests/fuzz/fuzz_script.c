/* Redeem scripts: a multisig is parsed from exactly one script. */
#include <string.h>

#include "kaspa.h"

#include "fuzz.h"

static size_t	 put_number(uint8_t *, unsigned);
static size_t	 build(const struct multisig *, uint8_t *);

/* As a script builder pushes it: one byte to 16, then a push of one. */
static size_t
put_number(uint8_t *out, unsigned v)
{
	if (v <= 16) {
		out[0] = (uint8_t)(0x50 + v);
		return 1;
	}
	out[0] = 1;
	out[1] = (uint8_t)v;
	return 2;
}

static size_t
build(const struct multisig *ms, uint8_t *out)
{
	size_t		 at, keylen = ms->ecdsa ? 33 : 32;
	unsigned	 i;

	at = put_number(out, ms->m);
	for (i = 0; i < ms->n; i++) {
		out[at++] = (uint8_t)keylen;
		memcpy(out + at, ms->keys[i], keylen);
		at += keylen;
	}
	at += put_number(out + at, ms->n);
	out[at++] = ms->ecdsa ? 0xa9 : 0xae;
	return at;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct multisig	 ms;
	struct spk	 spk = { 0, { data, size } };
	uint8_t		 made[5 + 20 * 34];
	uint8_t		 keys[MULTISIG_MAX_KEYS][32];
	char		 text[ADDRESS_MAX];
	unsigned	 i;
	int		 at;

	CHECK((script_classify(&spk) != SCRIPT_NONSTANDARD) ==
	    (address_from_spk(KASPA_MAINNET, &spk, text) == 0));
	if (script_multisig_parse(data, size, &ms) == -1)
		return 0;
	CHECK(ms.m >= 1 && ms.m <= ms.n && ms.n <= 20);
	CHECK(build(&ms, made) == size && memcmp(made, data, size) == 0);
	if (ms.ecdsa || ms.n > MULTISIG_MAX_KEYS)
		return 0;
	for (i = 0; i < ms.n; i++) {
		memcpy(keys[i], ms.keys[i], 32);
		at = script_multisig_index(&ms, keys[i]);
		CHECK(at >= 0 && at <= (int)i);
		CHECK(memcmp(ms.keys[at], keys[i], 32) == 0);
	}
	CHECK(script_multisig(ms.m, ms.n, (const uint8_t (*)[32])keys,
	    made) == size);
	CHECK(memcmp(made, data, size) == 0);
	return 0;
}
