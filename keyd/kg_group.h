/*
 * devnet-keygen: what n public keys and m make.  Nothing here is secret.
 */
#ifndef IGRA_KG_GROUP_H
#define IGRA_KG_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kaspa.h"

struct kg_member {
	uint8_t		 key[33];	/* compressed; x-only: 02 before it */
	bool		 xonly;		/* given as 64 digits: parity unknown */
};

/* What Igra's devnet-keygen puts into the group's id and config. */
#define KG_SESSION_TIMEOUT	60U
#define KG_POLICY_VERSION	1U
#define KG_POLICY_MIN		UINT64_C(1000000)
#define KG_POLICY_MAX		UINT64_C(100000000000)
#define KG_POLICY_DAILY		UINT64_C(500000000000)

struct kg_group {
	/* The caller's: */
	enum kaspa_network	 network;
	uint8_t			 network_id;
	unsigned		 m, n;
	struct kg_member	 member[MULTISIG_MAX_KEYS];
	/* kg_group_build()'s: member[] sorted, and */
	uint8_t			 redeem[MULTISIG_MAX_SCRIPT];
	size_t			 redeemlen;
	char			 address[ADDRESS_MAX];	/* P2SH */
	uint8_t			 id[32];
};

/*
 * 64 (x-only) or 66 (compressed) hex digits of either case, 0x before them
 * allowed; must be a point.  0, or -1 with *errstr.
 */
int	 kg_member_parse(const char *, struct kg_member *,
	    const char **errstr);

/*
 * Checks m and n and that all keys differ, sorts by the 33 compressed bytes
 * and makes script, address and id.  A list of x-only keys sorts as if all
 * were even.  In a mixed list an x-only key whose place depends on its parity
 * is refused.  0, or -1 with err.
 */
int	 kg_group_build(struct kg_group *, char *err, size_t errlen);

/* Address of one member (P2PK); out holds ADDRESS_MAX bytes. */
void	 kg_member_address(enum kaspa_network, const uint8_t pub[33],
	    char *out);

#endif
