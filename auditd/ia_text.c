#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "common/utf8.h"

#include "auditd/ia_text.h"

#define ESCAPE_MAX	16

static int	 escape_one(char [ESCAPE_MAX], int32_t);

/* JSON's way: two for what is beyond 16 bits. */
static int
escape_one(char out[ESCAPE_MAX], int32_t c)
{
	if (c < 0x10000)
		return snprintf(out, ESCAPE_MAX, "\\u%04x", (unsigned)c);
	c -= 0x10000;
	return snprintf(out, ESCAPE_MAX, "\\u%04x\\u%04x",
	    0xd800 + ((unsigned)c >> 10), 0xdc00 + ((unsigned)c & 0x3ff));
}

void
ia_escape(char *out, size_t size, size_t *at, const void *text, size_t len)
{
	const uint8_t	*p = text;
	char		 one[ESCAPE_MAX];
	size_t		 i, n;
	int32_t		 c;
	int		 w;

	for (i = 0; i < len; i += n) {
		n = 1;
		if (p[i] == '\\')
			w = snprintf(one, sizeof(one), "\\\\");
		else if (p[i] >= 0x20 && p[i] < 0x7f)
			w = snprintf(one, sizeof(one), "%c", p[i]);
		else if ((c = utf8_decode(p + i, len - i, &n)) != -1)
			w = escape_one(one, c);
		else {
			n = 1;
			w = snprintf(one, sizeof(one), "\\x%02x", p[i]);
		}
		if (w < 0 || *at + (size_t)w >= size)
			break;
		memcpy(out + *at, one, (size_t)w);
		*at += (size_t)w;
	}
	if (*at < size)
		out[*at] = '\0';
}

const char *
ia_safe(const char *text)
{
	static char	 buf[2 * PATH_MAX];
	size_t		 at = 0;

	ia_escape(buf, sizeof(buf), &at, text, strlen(text));
	return buf;
}

void
ia_put_json(FILE *f, const char *line, size_t len, bool terminal)
{
	const uint8_t	*p = (const uint8_t *)line;
	char		 one[ESCAPE_MAX];
	size_t		 i, n;
	int32_t		 c;

	if (!terminal) {
		(void)fwrite(line, 1, len, f);
		return;
	}
	for (i = 0; i < len; i += n) {
		n = 1;
		if (p[i] >= 0x20 && p[i] < 0x7f)
			(void)putc(p[i], f);
		else if (p[i] < 0x20)
			(void)putc(' ', f);	/* white space between values */
		else if ((c = utf8_decode(p + i, len - i, &n)) != -1) {
			(void)escape_one(one, c);
			(void)fputs(one, f);
		} else
			n = 1;
	}
}
