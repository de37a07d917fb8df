#include <sys/types.h>

#include <string.h>

#include <sodium.h>

#include "base58.h"

static const char	 alphabet[] =
    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

static void	checksum(const uint8_t *, size_t, uint8_t[4]);

static void
checksum(const uint8_t *data, size_t len, uint8_t out[4])
{
	uint8_t	 h[32];

	(void)crypto_hash_sha256(h, data, len);
	(void)crypto_hash_sha256(h, h, sizeof(h));
	memcpy(out, h, 4);
	sodium_memzero(h, sizeof(h));
}

/* The number is kept as base-58 digits, least significant first. */
ssize_t
base58check_encode(const uint8_t *data, size_t len, char *out, size_t outmax)
{
	uint8_t		 in[BASE58_MAX_DATA + 4];
	uint8_t		 digit[BASE58_MAX_TEXT];
	size_t		 i, j, zeros, n = 0;
	uint32_t	 carry;
	ssize_t		 ret = -1;

	if (len > BASE58_MAX_DATA)
		return -1;
	if (len > 0)
		memcpy(in, data, len);
	checksum(data, len, in + len);
	len += 4;
	for (zeros = 0; zeros < len && in[zeros] == 0; zeros++)
		;
	for (i = zeros; i < len; i++) {
		carry = in[i];
		for (j = 0; j < n; j++) {
			carry += (uint32_t)digit[j] << 8;
			digit[j] = (uint8_t)(carry % 58);
			carry /= 58;
		}
		for (; carry > 0 && n < sizeof(digit); carry /= 58)
			digit[n++] = (uint8_t)(carry % 58);
	}
	if (zeros + n + 1 > outmax)
		goto out;
	for (i = 0; i < zeros; i++)
		out[i] = '1';
	for (j = n; j > 0; j--)
		out[i++] = alphabet[digit[j - 1]];
	out[i] = '\0';
	ret = (ssize_t)i;
out:
	sodium_memzero(in, sizeof(in));
	sodium_memzero(digit, sizeof(digit));
	return ret;
}

ssize_t
base58check_decode(const char *text, size_t len, uint8_t *out, size_t outmax)
{
	uint8_t		 num[BASE58_MAX_DATA + 4];	/* little-endian */
	uint8_t		 buf[BASE58_MAX_DATA + 4], sum[4];
	const char	*p;
	size_t		 i, j, zeros, n = 0, total;
	uint32_t	 carry;
	ssize_t		 ret = -1;

	if (len == 0 || len >= BASE58_MAX_TEXT)
		return -1;
	for (zeros = 0; zeros < len && text[zeros] == '1'; zeros++)
		;
	for (i = zeros; i < len; i++) {
		if (text[i] == '\0' ||
		    (p = strchr(alphabet, text[i])) == NULL)
			goto out;
		carry = (uint32_t)(p - alphabet);
		for (j = 0; j < n; j++) {
			carry += (uint32_t)num[j] * 58;
			num[j] = (uint8_t)carry;
			carry >>= 8;
		}
		for (; carry > 0; carry >>= 8) {
			if (n == sizeof(num))
				goto out;
			num[n++] = (uint8_t)carry;
		}
	}
	total = zeros + n;
	if (total < 4 || total > sizeof(buf) || total - 4 > outmax)
		goto out;
	memset(buf, 0, zeros);
	for (j = 0; j < n; j++)
		buf[zeros + j] = num[n - 1 - j];
	checksum(buf, total - 4, sum);
	if (sodium_memcmp(sum, buf + total - 4, 4) != 0)
		goto out;
	memcpy(out, buf, total - 4);
	ret = (ssize_t)(total - 4);
out:
	sodium_memzero(num, sizeof(num));
	sodium_memzero(buf, sizeof(buf));
	return ret;
}
