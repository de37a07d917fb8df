#include <sys/endian.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "blake3.h"
#include "kg_group.h"
#include "schnorr.h"

static int	by_key(const void *, const void *);
static int	by_xonly(const void *, const void *);
static int	check_members(const struct kg_group *, char *, size_t);
static bool	place_depends(const struct kg_group *, unsigned);
static void	put64(struct blake3 *, uint64_t);
static void	group_id(struct kg_group *);

int
kg_member_parse(const char *text, struct kg_member *m, const char **errstr)
{
	const char	*p = text;
	size_t		 len, n, i;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
		p += 2;
	len = strlen(p);
	for (i = 0; i < len; i++)
		if (!isxdigit((unsigned char)p[i]))
			break;
	if (i != len || (len != 64 && len != 66)) {
		*errstr = "is not a public key of 64 (x-only) or 66 "
		    "(compressed) hex digits";
		return -1;
	}
	m->xonly = len == 64;
	m->key[0] = 2;
	if (sodium_hex2bin(m->key + (m->xonly ? 1 : 0), len / 2, p, len, NULL,
	    &n, NULL) != 0 || n != len / 2) {
		*errstr = "is not hex";
		return -1;
	}
	if (m->key[0] != 2 && m->key[0] != 3) {
		*errstr = "must begin with 02 or 03 when it has 66 hex digits";
		return -1;
	}
	if (!schnorr_key_valid(m->key + 1)) {
		*errstr = "is not a point of the curve";
		return -1;
	}
	return 0;
}

static int
by_key(const void *a, const void *b)
{
	const struct kg_member	*x = a, *y = b;

	return memcmp(x->key, y->key, sizeof(x->key));
}

static int
by_xonly(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

/*
 * An x-only key stands at 02‖x or at 03‖x.  Its place is known only if no other
 * key is between the two; another x-only key always may be.
 */
static bool
place_depends(const struct kg_group *g, unsigned i)
{
	uint8_t		 odd[33];
	unsigned	 j;

	memcpy(odd, g->member[i].key, sizeof(odd));
	odd[0] = 3;
	for (j = 0; j < g->n; j++) {
		if (j == i)
			continue;
		if (g->member[j].xonly)
			return true;
		if (memcmp(g->member[j].key, g->member[i].key, 33) > 0 &&
		    memcmp(g->member[j].key, odd, 33) < 0)
			return true;
	}
	return false;
}

static int
check_members(const struct kg_group *g, char *err, size_t errlen)
{
	char		 hex[65];
	unsigned	 i, j, xonly = 0;

	if (g->n < 1 || g->n > MULTISIG_MAX_KEYS || g->m < 1 || g->m > g->n) {
		(void)snprintf(err, errlen, "%u of %u is no threshold: 1 <= m "
		    "<= n <= %d", g->m, g->n, MULTISIG_MAX_KEYS);
		return -1;
	}
	for (i = 0; i < g->n; i++) {
		xonly += g->member[i].xonly;
		(void)sodium_bin2hex(hex, sizeof(hex), g->member[i].key + 1,
		    32);
		/* The script has x-only keys: 02‖x and 03‖x are one there. */
		for (j = 0; j < i; j++)
			if (by_xonly(g->member[i].key + 1,
			    g->member[j].key + 1) == 0) {
				(void)snprintf(err, errlen, "key %s is given "
				    "twice", hex);
				return -1;
			}
	}
	if (xonly == 0 || xonly == g->n)
		return 0;
	for (i = 0; i < g->n; i++)
		if (g->member[i].xonly && place_depends(g, i)) {
			(void)sodium_bin2hex(hex, sizeof(hex),
			    g->member[i].key + 1, 32);
			(void)snprintf(err, errlen, "key %s is given x-only "
			    "among compressed keys, and its place among them "
			    "depends on its parity: give all 66 digits", hex);
			return -1;
		}
	return 0;
}

static void
put64(struct blake3 *b, uint64_t v)
{
	uint8_t	 p[8];

	le64enc(p, v);
	blake3_update(b, p, sizeof(p));
}

/*
 * Igra's group id: BLAKE3 over, integers little-endian,
 *
 *	u16	threshold m			u16	threshold n
 *	32 n	x-only keys, sorted as such	u8	network id
 *	u64	fee rate, 0			u64	finality, 0
 *	u64	dust threshold, 0		u64	least amount, 0
 *	u64	session timeout, 60 s
 *	metadata:
 *	u64	creation time, 0		u8	0, no name
 *	u32	policy version, 1		u64	0, nothing extra
 *	policy:
 *	u64	0, number of destinations (each would be u64 length, bytes)
 *	u8 1, u64  least amount			u8 1, u64  greatest amount
 *	u8 1, u64  daily volume			u8	0, no reason needed
 *
 * Parity has no part in it, and neither has the order in the redeem script.
 */
static void
group_id(struct kg_group *g)
{
	static const uint64_t	 limits[] = { KG_POLICY_MIN, KG_POLICY_MAX,
				    KG_POLICY_DAILY };
	struct blake3		 b;
	uint8_t			 keys[MULTISIG_MAX_KEYS][32], p[5];
	unsigned		 i;

	for (i = 0; i < g->n; i++)
		memcpy(keys[i], g->member[i].key + 1, 32);
	qsort(keys, g->n, sizeof(keys[0]), by_xonly);
	blake3_init(&b);
	le16enc(p, (uint16_t)g->m);
	le16enc(p + 2, (uint16_t)g->n);
	blake3_update(&b, p, 4);
	for (i = 0; i < g->n; i++)
		blake3_update(&b, keys[i], 32);
	blake3_update(&b, &g->network_id, 1);
	for (i = 0; i < 4; i++)
		put64(&b, 0);
	put64(&b, KG_SESSION_TIMEOUT);
	put64(&b, 0);
	p[0] = 0;
	le32enc(p + 1, KG_POLICY_VERSION);
	blake3_update(&b, p, 5);
	put64(&b, 0);
	put64(&b, 0);
	p[0] = 1;
	for (i = 0; i < 3; i++) {
		blake3_update(&b, p, 1);
		put64(&b, limits[i]);
	}
	p[0] = 0;
	blake3_update(&b, p, 1);
	blake3_final(&b, g->id);
}

int
kg_group_build(struct kg_group *g, char *err, size_t errlen)
{
	uint8_t		 xonly[MULTISIG_MAX_KEYS][32];
	uint8_t		 script[P2SH_SCRIPT_LEN];
	struct spk	 spk;
	unsigned	 i;

	if (check_members(g, err, errlen) == -1)
		return -1;
	qsort(g->member, g->n, sizeof(g->member[0]), by_key);
	for (i = 0; i < g->n; i++)
		memcpy(xonly[i], g->member[i].key + 1, 32);
	g->redeemlen = script_multisig(g->m, g->n,
	    (const uint8_t (*)[32])xonly, g->redeem);
	script_p2sh(g->redeem, g->redeemlen, script);
	memset(&spk, 0, sizeof(spk));
	spk.script.p = script;
	spk.script.len = sizeof(script);
	if (g->redeemlen == 0 ||
	    address_from_spk(g->network, &spk, g->address) == -1) {
		(void)strlcpy(err, "no script of these keys", errlen);
		return -1;
	}
	group_id(g);
	return 0;
}

void
kg_member_address(enum kaspa_network net, const uint8_t pub[33], char *out)
{
	struct kaspa_address	 a;

	memset(&a, 0, sizeof(a));
	a.network = net;
	a.version = ADDRESS_SCHNORR;
	memcpy(a.payload, pub + 1, 32);
	a.len = 32;
	address_encode(&a, out);
}
