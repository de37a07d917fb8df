#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "kaspa.h"

int
outpoint_cmp(const struct outpoint *a, const struct outpoint *b)
{
	int	 c;

	if ((c = memcmp(a->txid, b->txid, sizeof(a->txid))) != 0)
		return c;
	return (a->index > b->index) - (a->index < b->index);
}

void
outpoint_text(const struct outpoint *o, char *out)
{
	char	 hex[2 * TX_ID_LEN + 1];

	(void)sodium_bin2hex(hex, sizeof(hex), o->txid, sizeof(o->txid));
	(void)snprintf(out, OUTPOINT_TEXT, "%s:%" PRIu32, hex, o->index);
}
