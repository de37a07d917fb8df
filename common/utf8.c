#include "utf8.h"

int32_t
utf8_decode(const uint8_t *p, size_t len, size_t *n)
{
	static const int32_t	 least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	int32_t			 c;
	size_t			 i, want;

	if (len == 0)
		return -1;
	if (p[0] < 0x80) {
		*n = 1;
		return p[0];
	}
	if ((p[0] & 0xe0) == 0xc0) {
		want = 2;
		c = p[0] & 0x1f;
	} else if ((p[0] & 0xf0) == 0xe0) {
		want = 3;
		c = p[0] & 0x0f;
	} else if ((p[0] & 0xf8) == 0xf0) {
		want = 4;
		c = p[0] & 0x07;
	} else
		return -1;
	if (len < want)
		return -1;
	for (i = 1; i < want; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return -1;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[want] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return -1;
	*n = want;
	return c;
}

size_t
utf8_chars(const void *s, size_t len)
{
	const uint8_t	*p = s;
	size_t		 chars, n;

	for (chars = 0; len > 0; chars++, p += n, len -= n)
		if (utf8_decode(p, len, &n) == -1)
			return SIZE_MAX;
	return chars;
}

bool
utf8_valid(const void *s, size_t len)
{
	return utf8_chars(s, len) != SIZE_MAX;
}

bool
utf8_is_space(int32_t c)
{
	return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 ||
	    c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	    c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
	    c == 0x3000;
}
