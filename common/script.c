#include <string.h>

#include <sodium.h>

#include "kaspa.h"

/* rusty-kaspa crypto/txscript/src/opcodes/mod.rs */
#define OP_DATA_1		0x01
#define OP_DATA_32		0x20
#define OP_DATA_33		0x21
#define OP_1			0x51
#define OP_16			0x60
#define OP_EQUAL		0x87
#define OP_CHECK_MULTISIG_ECDSA	0xa9
#define OP_BLAKE2B		0xaa
#define OP_CHECK_SIG_ECDSA	0xab
#define OP_CHECK_SIG		0xac
#define OP_CHECK_MULTISIG	0xae

#define MAX_PUBKEYS		20	/* consensus limit per multisig */

static void	 p2sh_of_hash(const uint8_t [32], uint8_t *);
static int	 take_number(const uint8_t **, size_t *, unsigned *);
static int	 take_keys(const uint8_t **, size_t *, struct multisig *);

enum script_class
script_classify(const struct spk *spk)
{
	const uint8_t	*s = spk->script.p;

	if (spk->version != 0)
		return SCRIPT_NONSTANDARD;
	if (spk->script.len == P2PK_SCRIPT_LEN && s[0] == OP_DATA_32 &&
	    s[33] == OP_CHECK_SIG)
		return SCRIPT_P2PK;
	if (spk->script.len == P2PK_ECDSA_SCRIPT_LEN && s[0] == OP_DATA_33 &&
	    s[34] == OP_CHECK_SIG_ECDSA)
		return SCRIPT_P2PK_ECDSA;
	if (spk->script.len == P2SH_SCRIPT_LEN && s[0] == OP_BLAKE2B &&
	    s[1] == OP_DATA_32 && s[34] == OP_EQUAL)
		return SCRIPT_P2SH;
	return SCRIPT_NONSTANDARD;
}

void
script_p2pk(const uint8_t xonly[32], uint8_t *out)
{
	out[0] = OP_DATA_32;
	memcpy(out + 1, xonly, 32);
	out[33] = OP_CHECK_SIG;
}

static void
p2sh_of_hash(const uint8_t hash[32], uint8_t *out)
{
	out[0] = OP_BLAKE2B;
	out[1] = OP_DATA_32;
	memcpy(out + 2, hash, 32);
	out[34] = OP_EQUAL;
}

void
script_p2sh(const uint8_t *redeem, size_t len, uint8_t *out)
{
	uint8_t	 hash[32];

	(void)crypto_generichash(hash, sizeof(hash), redeem, len, NULL, 0);
	p2sh_of_hash(hash, out);
}

size_t
address_script(const struct kaspa_address *a, uint8_t *out)
{
	switch (a->version) {
	case ADDRESS_SCHNORR:
		script_p2pk(a->payload, out);
		return P2PK_SCRIPT_LEN;
	case ADDRESS_ECDSA:
		out[0] = OP_DATA_33;
		memcpy(out + 1, a->payload, 33);
		out[34] = OP_CHECK_SIG_ECDSA;
		return P2PK_ECDSA_SCRIPT_LEN;
	case ADDRESS_P2SH:
		p2sh_of_hash(a->payload, out);
		return P2SH_SCRIPT_LEN;
	}
	return 0;
}

size_t
script_multisig(unsigned m, unsigned n, const uint8_t (*xonly)[32],
    uint8_t *out)
{
	size_t		 at = 0;
	unsigned	 i;

	if (m < 1 || m > n || n > MULTISIG_MAX_KEYS)
		return 0;
	out[at++] = (uint8_t)(OP_1 - 1 + m);
	for (i = 0; i < n; i++) {
		out[at++] = OP_DATA_32;
		memcpy(out + at, xonly[i], 32);
		at += 32;
	}
	out[at++] = (uint8_t)(OP_1 - 1 + n);
	out[at++] = OP_CHECK_MULTISIG;
	return at;
}

/* A number from 1 to 20 as a script builder writes it: past 16 it is a push. */
static int
take_number(const uint8_t **p, size_t *len, unsigned *v)
{
	if (*len >= 1 && **p >= OP_1 && **p <= OP_16) {
		*v = (unsigned)(**p - OP_1 + 1);
		*p += 1;
		*len -= 1;
		return 0;
	}
	if (*len >= 2 && (*p)[0] == OP_DATA_1 && (*p)[1] > 16 &&
	    (*p)[1] <= MAX_PUBKEYS) {
		*v = (*p)[1];
		*p += 2;
		*len -= 2;
		return 0;
	}
	return -1;
}

/* Pushes of one length: 32 bytes makes Schnorr keys, 33 ECDSA keys. */
static int
take_keys(const uint8_t **p, size_t *len, struct multisig *ms)
{
	size_t	 keylen;

	if (*len < 1 || (**p != OP_DATA_32 && **p != OP_DATA_33))
		return -1;
	keylen = **p;
	ms->ecdsa = keylen == 33;
	/* A count above 16 starts with OP_DATA_1, so no push of a key is one. */
	while (*len > keylen && **p == keylen) {
		if (ms->n == MAX_PUBKEYS)
			return -1;
		memcpy(ms->keys[ms->n++], *p + 1, keylen);
		*p += 1 + keylen;
		*len -= 1 + keylen;
	}
	return 0;
}

int
script_multisig_parse(const uint8_t *script, size_t len, struct multisig *ms)
{
	unsigned	 n;

	memset(ms, 0, sizeof(*ms));
	if (take_number(&script, &len, &ms->m) == -1 ||
	    take_keys(&script, &len, ms) == -1 ||
	    take_number(&script, &len, &n) == -1)
		return -1;
	if (n != ms->n || ms->m > n || len != 1)
		return -1;
	if (*script != (ms->ecdsa ? OP_CHECK_MULTISIG_ECDSA : OP_CHECK_MULTISIG))
		return -1;
	return 0;
}

int
script_multisig_index(const struct multisig *ms, const uint8_t xonly[32])
{
	unsigned	 i;

	if (ms->ecdsa)
		return -1;
	for (i = 0; i < ms->n; i++)
		if (memcmp(ms->keys[i], xonly, 32) == 0)
			return (int)i;
	return -1;
}
