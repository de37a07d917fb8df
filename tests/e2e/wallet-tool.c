/*
 * Layer 1 of a phrase (keyd/walletcrypt.h) for tests/interop/encryption.mjs.
 *
 *   wallet-tool encrypt     lines "SECRET TEXT", both in hex, "-" for empty;
 *                           prints what the config would hold
 *   wallet-tool decrypt     lines "SECRET BASE64"; prints the text in hex
 *
 * A line that cannot be done is answered with "error: why".
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "log.h"
#include "keyd/walletcrypt.h"

#define LINE		8192

static int	from_hex(const char *, uint8_t *, size_t, size_t *);
static int	encrypt(const uint8_t *, const char *, const char **);
static int	decrypt(const uint8_t *, const char *, const char **);

static int
from_hex(const char *s, uint8_t *out, size_t max, size_t *len)
{
	*len = 0;
	if (strcmp(s, "-") == 0)
		return 0;
	return sodium_hex2bin(out, max, s, strlen(s), NULL, len, NULL) == 0 &&
	    *len * 2 == strlen(s) ? 0 : -1;
}

static int
encrypt(const uint8_t *key, const char *arg, const char **errstr)
{
	char	 text[WALLETCRYPT_TEXT(WALLETCRYPT_MAX_PLAIN)];
	uint8_t	 plain[LINE / 2];
	size_t	 len;

	*errstr = "not hex";
	if (from_hex(arg, plain, sizeof(plain), &len) == -1 ||
	    walletcrypt_encrypt(plain, len, key, text, sizeof(text),
	    errstr) == -1)
		return -1;
	puts(text);
	return 0;
}

static int
decrypt(const uint8_t *key, const char *arg, const char **errstr)
{
	uint8_t	 plain[WALLETCRYPT_MAX_PLAIN];
	char	 hex[2 * WALLETCRYPT_MAX_PLAIN + 1];
	size_t	 len;

	if (walletcrypt_decrypt(arg, strlen(arg), key, plain, sizeof(plain),
	    &len, errstr) == -1)
		return -1;
	puts(sodium_bin2hex(hex, sizeof(hex), plain, len));
	return 0;
}

int
main(int argc, char **argv)
{
	int		(*run)(const uint8_t *, const char *, const char **);
	char		  line[LINE], *arg;
	const char	 *errstr;
	uint8_t		  secret[LINE / 2], key[WALLETCRYPT_KEY_LEN];
	size_t		  len;

	log_init("wallet-tool", 0);
	if (argc != 2 || (strcmp(argv[1], "encrypt") != 0 &&
	    strcmp(argv[1], "decrypt") != 0))
		fatalx("usage: wallet-tool encrypt|decrypt");
	run = argv[1][0] == 'e' ? encrypt : decrypt;
	if (sodium_init() == -1)
		fatalx("libsodium cannot be set up");
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		errstr = "not a line of SECRET TEXT";
		if ((arg = strchr(line, ' ')) != NULL)
			*arg++ = '\0';
		if (arg == NULL ||
		    from_hex(line, secret, sizeof(secret), &len) == -1 ||
		    walletcrypt_key(secret, len, key, &errstr) == -1 ||
		    run(key, arg, &errstr) == -1)
			printf("error: %s\n", errstr);
	}
	return 0;
}
