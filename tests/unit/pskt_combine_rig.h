/* Documents to combine: what the tests of signd/pskt_combine share. */
#ifndef IGRA_PSKT_COMBINE_RIG_H
#define IGRA_PSKT_COMBINE_RIG_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pskt_doc.h"
#include "signd/pskt_combine.h"

#define MAX_DOCS	101

static struct pskt_doc	 docs[MAX_DOCS];
static size_t		 ndocs;

static void
add_doc(const char *src)
{
	struct pskt_error	 e;
	struct json		*v;
	char			*copy, err[256];

	copy = pool_strndup(&pt_pool, src, strlen(src));
	v = json_parse(&pt_pool, copy, strlen(copy), err, sizeof(err));
	ck_assert_msg(v != NULL, "%s: %s", err, src);
	ck_assert_msg(pskt_parse(&pt_pool, NULL, copy, v, &docs[ndocs++],
	    &e) == 0, "%s", e.message);
}

/* What comes out, or NULL with pt_err. */
static const char *
combined(void)
{
	struct bytes	 out;
	size_t		 n = ndocs;

	ndocs = 0;
	if (pskt_combine(&pt_pool, docs, n, &out, &pt_err) == -1) {
		ck_assert_int_ne(pt_err.code, PSKT_OK);
		return NULL;
	}
	return pool_strndup(&pt_pool, (const char *)out.p, out.len);
}

/* The document with from replaced. */
static const char *
with(const char *from, const char *to)
{
	char	*s = pt_change(from, to);
	char	*copy = pool_strndup(&pt_pool, s, strlen(s));

	free(s);
	return copy;
}

static const char *
combine2(const char *a, const char *b)
{
	add_doc(a);
	add_doc(b);
	return combined();
}

#endif
