/*
 * From a TOML value to a member of struct conf, as the table of keys says.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "conf_int.h"

static void	*member(struct conf *, const struct conf_key *);
static int	 set_bool(struct conf_ctx *, const struct conf_key *,
		    const struct toml_value *);
static int	 set_uint(struct conf_ctx *, const struct conf_key *,
		    const struct toml_value *);
static int	 set_text(struct conf_ctx *, const struct conf_key *,
		    const struct toml_value *);
static int	 set_texts(struct conf_ctx *, const struct conf_key *,
		    const struct toml_value *);
static char	*element(struct conf_ctx *, const struct conf_key *,
		    const struct toml_value *);
static int	 wrong_type(struct conf_ctx *, const struct toml_value *,
		    const char *);

static int	 verror(struct conf_ctx *, unsigned, const char *, const char *,
		    va_list) __attribute__((format(printf, 4, 0)));

static int
verror(struct conf_ctx *ctx, unsigned line, const char *key, const char *fmt,
    va_list ap)
{
	char	 msg[512];

	(void)vsnprintf(msg, sizeof(msg), fmt, ap);
	(void)snprintf(ctx->err, ctx->errlen, "%s:%u: %s%s%s", ctx->path, line,
	    key == NULL ? "" : key, key == NULL ? "" : " ", msg);
	return -1;
}

int
conf_error(struct conf_ctx *ctx, unsigned line, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	verror(ctx, line, NULL, fmt, ap);
	va_end(ap);
	return -1;
}

/* Begins with the key's name: the message goes on after it. */
int
conf_key_error(struct conf_ctx *ctx, unsigned line, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	verror(ctx, line, ctx->shown, fmt, ap);
	va_end(ap);
	return -1;
}

static int
wrong_type(struct conf_ctx *ctx, const struct toml_value *v, const char *want)
{
	return conf_key_error(ctx, v->line, "must be %s, not %s", want,
	    toml_type_name(v->type));
}

static void *
member(struct conf *c, const struct conf_key *key)
{
	return (char *)c + key->off;
}

char *
conf_string(struct conf_ctx *ctx, const struct toml_value *v)
{
	char	*s;

	if (v->type != TOML_STRING) {
		wrong_type(ctx, v, "a string");
		return NULL;
	}
	if (memchr(v->u.str.s, '\0', v->u.str.len) != NULL) {
		conf_key_error(ctx, v->line, "must not hold \\u0000");
		return NULL;
	}
	if ((s = strdup(v->u.str.s)) == NULL)
		conf_error(ctx, v->line, "out of memory");
	return s;
}

int
conf_strings_add(struct conf_strings *list, const char *s)
{
	char	**v;

	/* Doubles at each power of two. */
	if ((list->n & (list->n - 1)) == 0) {
		v = reallocarray(list->v, list->n == 0 ? 1 : list->n * 2,
		    sizeof(*v));
		if (v == NULL)
			return -1;
		list->v = v;
	}
	if ((list->v[list->n] = strdup(s)) == NULL)
		return -1;
	list->n++;
	return 0;
}

void
conf_strings_free(struct conf_strings *list)
{
	size_t	 i;

	for (i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
	list->v = NULL;
	list->n = 0;
}

static int
set_bool(struct conf_ctx *ctx, const struct conf_key *key,
    const struct toml_value *v)
{
	if (v->type != TOML_BOOLEAN)
		return wrong_type(ctx, v, "true or false");
	*(bool *)member(ctx->conf, key) = v->u.boolean;
	return 0;
}

static int
set_uint(struct conf_ctx *ctx, const struct conf_key *key,
    const struct toml_value *v)
{
	struct conf_u64	*opt;
	bool		 unset;

	if (v->type != TOML_INTEGER)
		return wrong_type(ctx, v, "an integer");
	unset = key->flags & CONF_EMPTY_UNSETS && v->u.integer == 0;
	if (!unset && (v->u.integer < 0 || (uint64_t)v->u.integer < key->min ||
	    (uint64_t)v->u.integer > key->max))
		return conf_key_error(ctx, v->line, "must be %" PRIu64 " to %"
		    PRIu64 "%s", key->min, key->max, key->min == 1 &&
		    key->type == CONF_OPT_UINT ? "; leave it out for none" :
		    "");
	if (key->type == CONF_UINT) {
		*(uint64_t *)member(ctx->conf, key) = (uint64_t)v->u.integer;
		return 0;
	}
	opt = member(ctx->conf, key);
	opt->set = !unset;
	opt->v = (uint64_t)v->u.integer;
	return 0;
}

/* One text, checked; a user may be a number. */
static char *
element(struct conf_ctx *ctx, const struct conf_key *key,
    const struct toml_value *v)
{
	bool		 user = key->type == CONF_USER ||
			    key->type == CONF_USERS;
	const char	*why;
	char		*s;

	if (user && v->type == TOML_INTEGER) {
		if (asprintf(&s, "%" PRId64, v->u.integer) == -1) {
			conf_error(ctx, v->line, "out of memory");
			return NULL;
		}
	} else if (user && v->type != TOML_STRING) {
		wrong_type(ctx, v, "a user's name or number");
		return NULL;
	} else if ((s = conf_string(ctx, v)) == NULL)
		return NULL;
	if (key->check == NULL || (why = key->check(s)) == NULL)
		return s;
	conf_key_error(ctx, v->line, "%s", why);
	free(s);
	return NULL;
}

static int
set_text(struct conf_ctx *ctx, const struct conf_key *key,
    const struct toml_value *v)
{
	char	**text = member(ctx->conf, key), *s = NULL;

	if (!(key->flags & CONF_EMPTY_UNSETS && v->type == TOML_STRING &&
	    v->u.str.len == 0) && (s = element(ctx, key, v)) == NULL)
		return -1;
	free(*text);
	*text = s;
	return 0;
}

static int
set_texts(struct conf_ctx *ctx, const struct conf_key *key,
    const struct toml_value *v)
{
	struct conf_strings	*list = member(ctx->conf, key);
	const char		*outer = ctx->shown;
	const struct toml_value	*item;
	char			 name[CONF_NAME_MAX + 32], *s;
	size_t			 i = 0;
	int			 ok;

	if (v->type != TOML_ARRAY)
		return wrong_type(ctx, v, "an array");
	if (v->u.array.n > key->max)
		return conf_key_error(ctx, v->line, "must have at most %" PRIu64
		    " elements", key->max);
	conf_strings_free(list);
	STAILQ_FOREACH(item, &v->u.array.items, next) {
		(void)snprintf(name, sizeof(name), "%s[%zu]", outer, i++);
		ctx->shown = name;
		s = element(ctx, key, item);
		ctx->shown = outer;
		if (s == NULL)
			return -1;
		ok = conf_strings_add(list, s);
		free(s);
		if (ok == -1)
			return conf_error(ctx, item->line, "out of memory");
	}
	return 0;
}

int
conf_set(struct conf_ctx *ctx, const struct conf_key *key,
    const struct toml_value *v)
{
	switch (key->type) {
	case CONF_BOOL:
		return set_bool(ctx, key, v);
	case CONF_UINT:
	case CONF_OPT_UINT:
		return set_uint(ctx, key, v);
	case CONF_TEXT:
	case CONF_USER:
		return set_text(ctx, key, v);
	case CONF_TEXTS:
	case CONF_USERS:
		return set_texts(ctx, key, v);
	case CONF_CUSTOM:
		return key->set(ctx, v);
	case CONF_SKIP:
		break;
	}
	return 0;
}

void
conf_key_free(struct conf *c, const struct conf_key *key)
{
	switch (key->type) {
	case CONF_TEXT:
	case CONF_USER:
		free(*(char **)member(c, key));
		break;
	case CONF_TEXTS:
	case CONF_USERS:
		conf_strings_free(member(c, key));
		break;
	case CONF_BOOL:
	case CONF_UINT:
	case CONF_OPT_UINT:
	case CONF_CUSTOM:		/* conf_free() knows these */
	case CONF_SKIP:
		break;
	}
}
