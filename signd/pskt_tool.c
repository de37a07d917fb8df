#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pskt_combine.h"
#include "pskt_create.h"
#include "pskt_final.h"
#include "pskt_tool.h"

#define MAX_POOL	(1024UL * 1024 * 1024)

static int	 run_create(struct pt *, struct pool *);
static int	 run_inspect(struct pt *, struct pool *);
static int	 run_combine(struct pt *, struct pool *);
static int	 run_finalize(struct pt *, struct pool *);
static int	 run_extract(struct pt *, struct pool *);
static int	 complain(struct pt *, size_t, const char *, ...)
		    __attribute__((format(printf, 3, 4)));
static int	 wrong(struct pt *, size_t, const struct pskt_error *);
static int	 parse(struct pt *, struct pool *, size_t, struct bytes *,
		    struct json **);
static int	 document(struct pt *, struct pool *, size_t,
		    struct pskt_doc *);
static bool	 is_bare(const struct pt_text *);
static void	 print(struct bytes, bool);

static const struct pt_command	 commands[] = {
	{ "create",	PT_NETWORK,			run_create },
	{ "inspect",	PT_NETWORK | PT_INSPECTS,	run_inspect },
	{ "combine",	PT_MANY,			run_combine },
	{ "finalize",	0,				run_finalize },
	{ "extract",	0,				run_extract },
};

const struct pt_command *
pt_find(const char *name)
{
	size_t	 i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

int
pt_run(struct pt *t)
{
	struct pool	 pool;
	int		 rc;

	pool_init(&pool, MAX_POOL);
	t->err[0] = '\0';
	rc = t->cmd->run(t, &pool);
	pool_free(&pool);
	return rc;
}

void
pt_error_line(const struct pt *t)
{
	struct json_out	 o;
	const char	*text;

	if (json_out_init(&o, 0) == -1)
		return;
	json_out_begin_object(&o);
	json_put_string(&o, "error", t->err);
	json_out_end_object(&o);
	if ((text = json_out_text(&o, NULL)) != NULL)
		(void)puts(text);
	json_out_free(&o);
}

static int
complain(struct pt *t, size_t i, const char *fmt, ...)
{
	va_list	 ap;
	size_t	 len;

	(void)snprintf(t->err, sizeof(t->err), "%.400s: ", t->text[i].name);
	len = strlen(t->err);
	va_start(ap, fmt);
	(void)vsnprintf(t->err + len, sizeof(t->err) - len, fmt, ap);
	va_end(ap);
	return -1;
}

static int
wrong(struct pt *t, size_t i, const struct pskt_error *e)
{
	if (e->pskt == PSKT_NOT_IN_BUNDLE)
		return complain(t, i, "%s", e->message);
	return complain(t, i, "pskt[%zu]: %s", e->pskt, e->message);
}

/* Hex as it is, without the quotes of JSON? */
static bool
is_bare(const struct pt_text *text)
{
	size_t	 i = 0;

	while (i < text->len && memchr(" \t\r\n", text->p[i], 4) != NULL)
		i++;
	return i < text->len && text->p[i] == 'P';
}

/* The text as JSON: *src is what source ranges count from. */
static int
parse(struct pt *t, struct pool *pool, size_t i, struct bytes *src,
    struct json **v)
{
	const struct pt_text	*text = &t->text[i];
	size_t			 start = 0, end = text->len;
	char			*p, err[256];

	src->p = (const uint8_t *)text->p;
	src->len = text->len;
	if (is_bare(text)) {
		while (text->p[start] != 'P')
			start++;
		while (memchr(" \t\r\n", text->p[end - 1], 4) != NULL)
			end--;
		if ((p = pool_alloc(pool, end - start + 2, 1)) == NULL)
			return complain(t, i, "out of memory");
		p[0] = p[end - start + 1] = '"';
		memcpy(p + 1, text->p + start, end - start);
		src->p = (const uint8_t *)p;
		src->len = end - start + 2;
	}
	if ((*v = json_parse(pool, (const char *)src->p, src->len, err,
	    sizeof(err))) == NULL)
		return complain(t, i, "%s", err);
	return 0;
}

static int
document(struct pt *t, struct pool *pool, size_t i, struct pskt_doc *doc)
{
	struct pskt_context	 ctx;
	struct pskt_error	 e;
	struct bytes		 src;
	struct json		*v;

	memset(&ctx, 0, sizeof(ctx));
	ctx.xonly = t->ctx.xonly;
	ctx.redeem = t->ctx.redeem;
	if (parse(t, pool, i, &src, &v) == -1)
		return -1;
	if (pskt_parse(pool, &ctx, (const char *)src.p, v, doc, &e) == -1)
		return wrong(t, i, &e);
	return 0;
}

/* bare: a string without its quotes. */
static void
print(struct bytes text, bool bare)
{
	if (bare && text.len >= 2 && text.p[0] == '"') {
		text.p++;
		text.len -= 2;
	}
	(void)fwrite(text.p, 1, text.len, stdout);
	(void)putchar('\n');
}

static int
run_create(struct pt *t, struct pool *pool)
{
	struct create_result	 r;
	struct pskt_error	 e;
	struct bytes		 src;
	struct json		*v;

	if (parse(t, pool, 0, &src, &v) == -1)
		return -1;
	if (pskt_create(pool, t->ctx.network, t->ctx.redeem, v, &r, &e) == -1)
		return wrong(t, 0, &e);
	print(r.text, true);
	return 0;
}

static int
run_inspect(struct pt *t, struct pool *pool)
{
	struct pskt_doc	 doc;
	struct json_out	 o;
	struct bytes	 b;
	const char	*text = NULL;

	if (document(t, pool, 0, &doc) == -1)
		return -1;
	if (!t->json)
		return pskt_inspect_text(pool, &t->ctx, &doc, stdout) == -1 ?
		    complain(t, 0, "out of memory") : 0;
	if (json_out_init(&o, 0) == -1)
		return complain(t, 0, "out of memory");
	if (pskt_inspect(pool, &t->ctx, &doc, &o) == 0 &&
	    (text = json_out_text(&o, &b.len)) != NULL) {
		b.p = (const uint8_t *)text;
		print(b, false);
	}
	json_out_free(&o);
	return text != NULL ? 0 : complain(t, 0, "out of memory");
}

static int
run_combine(struct pt *t, struct pool *pool)
{
	struct pskt_doc		*docs;
	struct pskt_error	 e;
	struct bytes		 out;
	size_t			 i;

	if ((docs = pool_alloc(pool, t->n, sizeof(*docs))) == NULL)
		return complain(t, 0, "out of memory");
	for (i = 0; i < t->n; i++)
		if (document(t, pool, i, &docs[i]) == -1)
			return -1;
	if (pskt_combine(pool, docs, t->n, &out, &e) == -1) {
		/* Which files they are, the message says by number. */
		if (e.pskt == PSKT_NOT_IN_BUNDLE)
			(void)snprintf(t->err, sizeof(t->err), "%s",
			    e.message);
		else
			(void)snprintf(t->err, sizeof(t->err),
			    "pskt[%zu]: %s", e.pskt, e.message);
		return -1;
	}
	print(out, is_bare(&t->text[0]));
	return 0;
}

static int
run_finalize(struct pt *t, struct pool *pool)
{
	struct pskt_doc		 doc;
	struct pskt_error	 e;
	struct bytes		 out;

	if (document(t, pool, 0, &doc) == -1)
		return -1;
	if (pskt_finalize(pool, &doc, &out, &e) == -1)
		return wrong(t, 0, &e);
	print(out, is_bare(&t->text[0]));
	return 0;
}

static int
run_extract(struct pt *t, struct pool *pool)
{
	struct pskt_doc		 doc;
	struct pskt_error	 e;
	struct bytes		 out;

	if (document(t, pool, 0, &doc) == -1)
		return -1;
	if (pskt_extract(pool, &doc, &out, &e) == -1)
		return wrong(t, 0, &e);
	print(out, false);
	return 0;
}
