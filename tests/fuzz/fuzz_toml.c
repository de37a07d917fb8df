/*
 * TOML: the tree is consistent, and the index of a table finds each key and
 * only that.
 */
#include <string.h>

#include "toml.h"
#include "utf8.h"

#include "fuzz.h"

static void	check_value(const struct toml_value *, unsigned, size_t *);
static void	check_table(const struct toml_table *, unsigned, size_t *);

static void
check_table(const struct toml_table *t, unsigned depth, size_t *n)
{
	const struct toml_entry	*e;
	size_t			 members = 0;

	TAILQ_FOREACH(e, &t->entries, order) {
		members++;
		CHECK(e->key.s[e->key.len] == '\0');
		CHECK(utf8_valid(e->key.s, e->key.len));
		if (memchr(e->key.s, '\0', e->key.len) == NULL)
			CHECK(toml_find(t, e->key.s) == e);
		check_value(e->value, depth + 1, n);
	}
	CHECK(members == t->n);
}

static void
check_value(const struct toml_value *v, unsigned depth, size_t *n)
{
	const struct toml_value	*item;
	size_t			 items = 0;

	CHECK(depth <= TOML_MAX_DEPTH + 1);
	++*n;
	switch (v->type) {
	case TOML_STRING:
	case TOML_DATETIME:
	case TOML_DATETIME_LOCAL:
	case TOML_DATE_LOCAL:
	case TOML_TIME_LOCAL:
		CHECK(v->u.str.s[v->u.str.len] == '\0');
		CHECK(utf8_valid(v->u.str.s, v->u.str.len));
		break;
	case TOML_INTEGER:
	case TOML_FLOAT:
	case TOML_BOOLEAN:
		break;
	case TOML_ARRAY:
		STAILQ_FOREACH(item, &v->u.array.items, next) {
			items++;
			CHECK(!v->u.array.of_tables ||
			    item->type == TOML_TABLE);
			check_value(item, depth + 1, n);
		}
		CHECK(items == v->u.array.n);
		break;
	case TOML_TABLE:
		check_table(&v->u.table, depth, n);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct toml	*t;
	size_t		 n = 0;
	char		 err[512];

	t = toml_parse((const char *)data, size, "in.toml", err, sizeof(err));
	if (t == NULL) {
		CHECK(strncmp(err, "in.toml:", 8) == 0);
		CHECK(strchr(err, '\n') == NULL);
		return 0;
	}
	CHECK(utf8_valid(data, size));
	CHECK(t->root->type == TOML_TABLE);
	check_value(t->root, 0, &n);
	CHECK(n <= TOML_MAX_VALUES + 1);
	toml_free(t);
	return 0;
}
