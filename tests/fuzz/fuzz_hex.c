/* Hex of public data: both ways, and agreement with libsodium's decoder. */
#include <string.h>

#include <sodium.h>

#include "signd/pskt.h"

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t	*bin, *other;
	char	*text;
	size_t	 i, n = 0;
	int	 ok, sodium;

	CHECK((bin = malloc(size + 1)) != NULL);
	CHECK((other = malloc(size + 1)) != NULL);
	CHECK((text = malloc(2 * size + 1)) != NULL);
	/* As digits. */
	ok = pskt_unhex(data, size, bin) == 0;
	sodium = sodium_hex2bin(other, size + 1, (const char *)data, size,
	    NULL, &n, NULL) == 0 && 2 * n == size;
	CHECK(ok == sodium);
	if (ok) {
		CHECK(memcmp(bin, other, n) == 0);
		pskt_hex(bin, n, text);
		for (i = 0; i < size; i++)
			CHECK((text[i] | 0x20) == (data[i] | 0x20));
	}
	/* As bytes. */
	pskt_hex(data, size, text);
	CHECK(pskt_unhex((uint8_t *)text, 2 * size, bin) == 0);
	CHECK(memcmp(bin, data, size) == 0);
	free(bin);
	free(other);
	free(text);
	return 0;
}
