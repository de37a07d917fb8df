/*
 * Checks of single texts: what each says about itself, without the others.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "conf_int.h"

#define MAX_SCRIPT	10000		/* bytes of any Kaspa script */
#define SPK_VERSION_LEN	2		/* bytes before it in a script public key */
#define MAX_LEVELS	32		/* of a derivation path */
#define XPUB_LEN	111
#define SEAL_OVERHEAD	40		/* nonce and tag */

static bool	 printable(const char *);
static bool	 lower_hex(char *);

#define STR(x)	#x
#define XSTR(x)	STR(x)
#ifdef __linux__
#define SOCKET_MAX	107
#else
#define SOCKET_MAX	103
#endif
_Static_assert(sizeof(((struct sockaddr_un *)0)->sun_path) == SOCKET_MAX + 1,
    "SOCKET_MAX is what a socket's address holds");

static bool
printable(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s <= 0x20 || (unsigned char)*s >= 0x7f)
			return false;
	return true;
}

static bool
lower_hex(char *s)
{
	for (; *s != '\0'; s++) {
		if (!isxdigit((unsigned char)*s))
			return false;
		*s = (char)tolower((unsigned char)*s);
	}
	return true;
}

const char *
conf_check_path(char *s)
{
	size_t		 len = strlen(s);
	const char	*p;

	if (*s != '/')
		return "must be an absolute path: begin it with '/'";
	if (len >= PATH_MAX)
		return "is longer than a path may be";
	for (p = s; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return "must not hold control characters";
	while (len > 1 && s[len - 1] == '/')
		s[--len] = '\0';
	return NULL;
}

const char *
conf_check_socket(char *s)
{
	const char	*why = conf_check_path(s);

	if (why != NULL)
		return why;
	if (strlen(s) > SOCKET_MAX)
		return "is too long for a socket: at most " XSTR(SOCKET_MAX)
		    " bytes fit, choose a shorter path";
	return NULL;
}

int
conf_profile_index(const char *s)
{
	if (strncmp(s, "signer-", 7) != 0 || !isdigit((unsigned char)s[7]) ||
	    !isdigit((unsigned char)s[8]) || s[9] != '\0' ||
	    (s[7] == '0' && s[8] == '0'))
		return -1;
	return (s[7] - '0') * 10 + (s[8] - '0');
}

const char *
conf_check_profile(char *s)
{
	return conf_profile_index(s) == -1 ?
	    "must be signer-01 to signer-99" : NULL;
}

/* A name as user databases allow it, or a number. */
const char *
conf_check_user(char *s)
{
	const char	*errstr;
	size_t		 i;

	if (isdigit((unsigned char)*s)) {
		(void)strtonum(s, 0, UINT32_MAX - 1, &errstr);
		return errstr != NULL || (*s == '0' && s[1] != '\0') ?
		    "must be a user's name or number (0 to 4294967294)" : NULL;
	}
	for (i = 0; s[i] != '\0'; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_' &&
		    s[i] != '.' && (s[i] != '-' || i == 0) &&
		    (s[i] != '$' || s[i + 1] != '\0'))
			return "must be a user's name: letters, digits, "
			    "'_', '-' and '.'";
	if (i == 0 || i > 255)
		return "must be a user's name of 1 to 255 characters";
	return NULL;
}

const char *
conf_check_url(char *s)
{
	static const char *const	 schemes[] = {
		"grpc://", "grpcs://", "ws://", "wss://", "http://", "https://"
	};
	size_t	 i;

	if (!printable(s))
		return "must be a URL without blanks or control characters";
	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncmp(s, schemes[i], strlen(schemes[i])) == 0 &&
		    s[strlen(schemes[i])] != '\0')
			return NULL;
	return "must be a URL: grpc, grpcs, ws, wss, http or https, then "
	    "://host:port";
}

/* KASPA.md, HD: from m, only ' hardens, each index below 2^31. */
const char *
conf_check_derivation(char *s)
{
	static const char	 form[] = "must be empty, m, or like "
				    "m/45'/111111'/0' (only ' hardens)";
	unsigned		 levels = 0;
	char			*p = s;

	if (*s == '\0')
		return NULL;
	if (*p++ != 'm')
		return form;
	while (*p != '\0') {
		uint64_t	 index = 0;
		char		*first;

		if (*p++ != '/' || !isdigit((unsigned char)*p))
			return form;
		for (first = p; isdigit((unsigned char)*p); p++) {
			index = index * 10 + (uint64_t)(*p - '0');
			if (index >= 0x80000000U)
				return "has an index above 2147483647";
		}
		if (*first == '0' && p - first > 1)
			return "has an index with leading zeros";
		if (*p == '\'')
			p++;
		if (++levels > MAX_LEVELS)
			return "has more than " XSTR(MAX_LEVELS) " levels";
	}
	if (levels == 0)
		*s = '\0';		/* "m" is the master key as well */
	return NULL;
}

const char *
conf_check_script(char *s)
{
	size_t	 len = strlen(s);

	if (len >= 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		memmove(s, s + 2, len - 1);
		len -= 2;
	}
	if (len == 0 || len % 2 != 0 || !lower_hex(s))
		return "must be hex: an even number of digits 0-9 a-f";
	if (len / 2 > MAX_SCRIPT)
		return "is longer than a script may be (10000 bytes)";
	return NULL;
}

const char *
conf_check_hex32(char *s)
{
	if (strlen(s) != 64 || !lower_hex(s))
		return "must be 64 hex digits";
	return NULL;
}

/* Kept as written: 64 digits x-only or 66 compressed, 0x allowed. */
const char *
conf_check_member(char *s)
{
	const char	*p = s;
	size_t		 i, n;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
		p += 2;
	n = strlen(p);
	for (i = 0; i < n; i++)
		if (!isxdigit((unsigned char)p[i]))
			n = 0;
	if (n != 64 && n != 66)
		return "must be a public key of 64 (x-only) or 66 hex digits";
	if (n == 66 && (p[0] != '0' || (p[1] != '2' && p[1] != '3')))
		return "must begin with 02 or 03 when it has 66 hex digits";
	return NULL;
}

const char *
conf_check_address(char *s)
{
	struct kaspa_address	 address;
	const char		*errstr = "is not a Kaspa address";

	if (address_decode(s, strlen(s), &address, &errstr) == -1)
		return errstr;
	return NULL;
}

/* An address, or a script public key in hex: version and script, as in a PSKT. */
const char *
conf_check_destination(char *s)
{
	size_t	 len = strlen(s);

	if (len == 0 || strspn(s, "0123456789abcdefABCDEF") != len)
		return conf_check_address(s);
	(void)lower_hex(s);
	if (len % 2 != 0 || len / 2 <= SPK_VERSION_LEN)
		return "is no script public key in hex: four digits of "
		    "version and then the script";
	if (len / 2 > SPK_VERSION_LEN + MAX_SCRIPT)
		return "is longer than a script may be (10000 bytes)";
	return NULL;
}

const char *
conf_check_xpub(char *s)
{
	static const char	 base58[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
				    "abcdefghijkmnopqrstuvwxyz";

	if (strncmp(s, "kprv", 4) == 0 || strncmp(s, "ktrv", 4) == 0 ||
	    strncmp(s, "xprv", 4) == 0 || strncmp(s, "tprv", 4) == 0)
		return "is a private key: remove it from this file, treat it "
		    "as exposed, and write the public one (kpub, ktub)";
	if (strncmp(s, "kpub", 4) != 0 && strncmp(s, "ktub", 4) != 0 &&
	    strncmp(s, "xpub", 4) != 0 && strncmp(s, "tpub", 4) != 0)
		return "must be an extended public key: kpub..., ktub... or "
		    "xpub...";
	if (strlen(s) != XPUB_LEN || strspn(s, base58) != XPUB_LEN)
		return "must be 111 base58 characters";
	return NULL;
}

/* base64(nonce24, ciphertext, tag16) of a phrase under layer 1 (DESIGN 5). */
const char *
conf_check_sealed(char *s)
{
	static const char	 form[] = "must be base64 of nonce, ciphertext "
				    "and tag";
	unsigned char		 bin[1024];
	const char		*end;
	size_t			 n;

	if (sodium_base642bin(bin, sizeof(bin), s, strlen(s), NULL, &n, &end,
	    sodium_base64_VARIANT_ORIGINAL) != 0 || *end != '\0' ||
	    n <= SEAL_OVERHEAD)
		return form;
	return NULL;
}
