#include <stdio.h>
#include <string.h>

#include "isec.h"
#include "names.h"
#include "utf8.h"

static const char *const	 prefixes[SECRET_KINDS] = {
	[SECRET_KIND_PRIVATE_KEY]	= SECRET_KEY_PREFIX,
	[SECRET_KIND_MNEMONIC]		= SECRET_MNEMONIC_PREFIX,
	[SECRET_KIND_PAYMENT]		= SECRET_PAYMENT_PREFIX,
	[SECRET_KIND_IROH]		= SECRET_IROH_PREFIX
};

#define PROFILE_LEN	9	/* signer-01 */

bool
profile_valid(const char *p)
{
	return strncmp(p, "signer-", 7) == 0 && p[7] >= '0' && p[7] <= '9' &&
	    p[8] >= '0' && p[8] <= '9' && p[9] == '\0' &&
	    !(p[7] == '0' && p[8] == '0');
}

int
secret_name(enum secret_kind kind, const char *profile, char *out)
{
	out[0] = '\0';
	if (!profile_valid(profile))
		return -1;
	(void)snprintf(out, NAME_BUF, "%s%s", prefixes[kind], profile);
	return 0;
}

bool
secret_name_parse(const char *name, size_t len, enum secret_kind *kind,
    char profile[10], unsigned *version)
{
	size_t		 i, k, plen;
	unsigned	 v;

	for (k = 0; k < SECRET_KINDS; k++) {
		plen = strlen(prefixes[k]);
		if (len >= plen + PROFILE_LEN &&
		    memcmp(name, prefixes[k], plen) == 0)
			break;
	}
	if (k == SECRET_KINDS)
		return false;
	memcpy(profile, name + plen, PROFILE_LEN);
	profile[PROFILE_LEN] = '\0';
	if (!profile_valid(profile))
		return false;
	*kind = (enum secret_kind)k;
	*version = 1;
	i = plen + PROFILE_LEN;
	if (i == len)
		return true;
	/* ".v" and a number without leading zeros. */
	if (len - i < 3 || len - i > 8 || name[i] != '.' || name[i + 1] != 'v' ||
	    name[i + 2] == '0')
		return false;
	for (i += 2, v = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return false;
		v = v * 10 + (unsigned)(name[i] - '0');
	}
	*version = v;
	return true;
}

bool
secret_name_valid(const char *name, size_t len)
{
	const uint8_t	*p = (const uint8_t *)name;
	size_t		 n;
	int32_t		 c;

	if (len < 1 || len > ISEC_NAME_MAX)
		return false;
	for (; len > 0; p += n, len -= n) {
		if ((c = utf8_decode(p, len, &n)) == -1)
			return false;
		if (c < 0x20 || (c >= 0x7f && c < 0xa0) || utf8_is_space(c))
			return false;
	}
	return true;
}
