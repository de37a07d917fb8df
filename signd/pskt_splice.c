#include <stdlib.h>
#include <string.h>

#include "pskt_splice.h"

static int	 compare_splices(const void *, const void *);
static char	*copy(char *, const char *, size_t, bool);

static int
compare_splices(const void *a, const void *b)
{
	const struct splice	*x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

size_t
splice_tail(const struct json *obj)
{
	const struct json	*v = obj->first;

	if (v == NULL)
		return obj->start + 1;
	while (v->next != NULL)
		v = v->next;
	return v->end;
}

static char *
copy(char *to, const char *from, size_t len, bool hex)
{
	if (len == 0)
		return to;
	if (hex) {
		pskt_hex(from, len, to);
		return to + 2 * len;
	}
	memcpy(to, from, len);
	return to + len;
}

int
splice_apply(struct pool *pool, const struct pskt_doc *doc,
    struct splice *splice, size_t n, struct bytes *out)
{
	struct splice	*s;
	size_t		 i, len, at = doc->start;
	bool		 hex = doc->form != PSKT_FORM_OBJECT;
	char		*text, *to;

	if (n != 0)
		qsort(splice, n, sizeof(*splice), compare_splices);
	len = doc->end - doc->start;
	for (i = 0; i < n; i++)
		len = len - splice[i].skip + splice[i].len;
	/* Two quotes and the prefix. */
	if ((text = pool_alloc(pool, hex ? 2 * len + 6 : len, 1)) == NULL)
		return -1;
	to = text;
	if (hex)
		to = copy(to, doc->form == PSKT_FORM_PSKT ? "\"PSKT" :
		    "\"PSKB", 5, false);
	for (i = 0; i < n; i++) {
		s = &splice[i];
		to = copy(to, doc->src + at, s->at - at, hex);
		to = copy(to, s->text, s->len, hex);
		at = s->at + s->skip;
	}
	to = copy(to, doc->src + at, doc->end - at, hex);
	if (hex)
		*to++ = '"';
	out->p = (const uint8_t *)text;
	out->len = (size_t)(to - text);
	return 0;
}
