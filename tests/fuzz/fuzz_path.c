/* Derivation paths: what is taken prints canonically and reads the same. */
#include <string.h>

#include "keyd/bip32.h"

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bip32_path	 path, again;
	const char		*why = NULL;
	char			 text[BIP32_PATH_TEXT], second[BIP32_PATH_TEXT];
	size_t			 i;
	int			 quotes = 0;

	if (bip32_path_parse((const char *)data, size, &path, &why) == -1) {
		CHECK(why != NULL);
		return 0;
	}
	CHECK(path.n <= BIP32_MAX_PATH);
	/* Only ' hardens. */
	for (i = 0; i < path.n; i++)
		quotes -= (path.step[i] & BIP32_HARDENED) != 0;
	for (i = 0; i < size; i++)
		quotes += data[i] == '\'';
	CHECK(quotes == 0);
	bip32_path_format(&path, text);
	CHECK(strlen(text) < sizeof(text));
	CHECK(bip32_path_parse(text, strlen(text), &again, &why) == 0);
	CHECK(again.n == path.n);
	CHECK(memcmp(again.step, path.step, sizeof(path.step)) == 0);
	bip32_path_format(&again, second);
	CHECK(strcmp(text, second) == 0);
	return 0;
}
