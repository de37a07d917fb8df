#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "destinations.h"
#include "kaspa.h"

#define SPK_VERSION_LEN	2		/* big-endian, before the script */

static int	spk_cmp(const void *, const void *);
static int	from_hex(const char *, size_t, uint8_t *, struct spk *);

static int
spk_cmp(const void *a, const void *b)
{
	const struct spk	*x = a, *y = b;

	if (x->version != y->version)
		return x->version < y->version ? -1 : 1;
	if (x->script.len != y->script.len)
		return x->script.len < y->script.len ? -1 : 1;
	return memcmp(x->script.p, y->script.p, x->script.len);
}

/* As a PSKT writes it.  The script stays in out, which has len / 2 bytes. */
static int
from_hex(const char *text, size_t len, uint8_t *out, struct spk *spk)
{
	size_t	 n;

	if (sodium_hex2bin(out, len / 2, text, len, NULL, &n, NULL) != 0 ||
	    n != len / 2 || len % 2 != 0 || n <= SPK_VERSION_LEN ||
	    n > SPK_VERSION_LEN + TX_MAX_SCRIPT)
		return -1;
	spk->version = (uint16_t)(out[0] << 8 | out[1]);
	spk->script.p = out + SPK_VERSION_LEN;
	spk->script.len = n - SPK_VERSION_LEN;
	return 0;
}

int
destinations_init(struct destinations *d, const struct conf_strings *list,
    const char **errstr)
{
	struct kaspa_address	 a;
	uint8_t			*p;
	size_t			 i, len, bytes = 0;

	memset(d, 0, sizeof(*d));
	if (list->n == 0)
		return 0;
	/* An address is longer than the script that it stands for. */
	for (i = 0; i < list->n; i++)
		bytes += strlen(list->v[i]);
	if ((d->spk = calloc(list->n, sizeof(*d->spk))) == NULL ||
	    (d->bytes = p = malloc(bytes)) == NULL) {
		*errstr = "out of memory";
		return -1;
	}
	for (i = 0; i < list->n; i++) {
		len = strlen(list->v[i]);
		if (strchr(list->v[i], ':') == NULL) {
			if (from_hex(list->v[i], len, p, &d->spk[i]) == -1) {
				*errstr = "policy.allowed_destinations: "
				    "neither an address nor a script";
				return -1;
			}
		} else {
			if (address_decode(list->v[i], len, &a, errstr) == -1)
				return -1;
			d->spk[i].script.len = address_script(&a, p);
			d->spk[i].script.p = p;
		}
		p += len;
	}
	d->n = list->n;
	qsort(d->spk, d->n, sizeof(*d->spk), spk_cmp);
	return 0;
}

void
destinations_free(struct destinations *d)
{
	free(d->spk);
	free(d->bytes);
	memset(d, 0, sizeof(*d));
}

bool
destinations_has(const struct destinations *d, const struct spk *spk)
{
	if (d->n == 0 || spk->script.len == 0)
		return false;
	return bsearch(spk, d->spk, d->n, sizeof(*d->spk), spk_cmp) != NULL;
}
