#include <string.h>

#include "kaspa.h"

#define TESTNET_SUFFIX	"testnet-"

static int	 suffix_valid(const char *);

static const struct {
	const char	*name;
	const char	*prefix;
} networks[] = {
	[KASPA_MAINNET] = { "mainnet", "kaspa" },
	[KASPA_TESTNET] = { "testnet", "kaspatest" },
	[KASPA_DEVNET]	= { "devnet", "kaspadev" },
	[KASPA_SIMNET]	= { "simnet", "kaspasim" }
};
#define NNETWORKS	(sizeof(networks) / sizeof(networks[0]))

/* A u32 without sign, blanks or leading zeros. */
static int
suffix_valid(const char *s)
{
	uint64_t	 v = 0;

	if (*s < '1' || *s > '9')
		return 0;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return 0;
		v = v * 10 + (uint64_t)(*s - '0');
		if (v > UINT32_MAX)
			return 0;
	}
	return 1;
}

int
kaspa_network_parse(const char *s, enum kaspa_network *network)
{
	unsigned	 i;

	for (i = 0; i < NNETWORKS; i++)
		if (strcmp(s, networks[i].name) == 0) {
			*network = (enum kaspa_network)i;
			return 0;
		}
	if (strncmp(s, TESTNET_SUFFIX, strlen(TESTNET_SUFFIX)) == 0 &&
	    suffix_valid(s + strlen(TESTNET_SUFFIX))) {
		*network = KASPA_TESTNET;
		return 0;
	}
	return -1;
}

const char *
kaspa_network_name(enum kaspa_network network)
{
	return (unsigned)network < NNETWORKS ? networks[network].name : NULL;
}

const char *
kaspa_network_prefix(enum kaspa_network network)
{
	return (unsigned)network < NNETWORKS ? networks[network].prefix : NULL;
}
