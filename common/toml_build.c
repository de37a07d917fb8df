/*
 * What may be defined where: each key once, each [table] once, tables made by
 * dotted keys or braces not reopened (TOML 1.0, "Keys", "Table", "Inline
 * Table", "Array of Tables").
 */
#include <string.h>

#include "toml_int.h"

static int		 entry_cmp(struct toml_entry *, struct toml_entry *);
static struct toml_entry *add_entry(struct toml_parser *, struct toml_table *,
			    const struct toml_key *, struct toml_value *);
static struct toml_value *add_table(struct toml_parser *, struct toml_table *,
			    const struct toml_key *, enum toml_origin);
static struct toml_table *descend_header(struct toml_parser *,
			    struct toml_table *, const struct toml_key *);
static struct toml_table *descend_dotted(struct toml_parser *,
			    struct toml_table *, const struct toml_key *);
static struct toml_table *parent_of(struct toml_parser *,
			    const struct toml_path *);
static int		 twice(struct toml_parser *, const struct toml_key *,
			    const struct toml_entry *, const char *);

RB_PROTOTYPE(toml_index, toml_entry, node, entry_cmp)
RB_GENERATE(toml_index, toml_entry, node, entry_cmp)

static int
entry_cmp(struct toml_entry *a, struct toml_entry *b)
{
	size_t	 n = a->key.len < b->key.len ? a->key.len : b->key.len;
	int	 c = n == 0 ? 0 : memcmp(a->key.s, b->key.s, n);

	if (c != 0)
		return c;
	return (a->key.len > b->key.len) - (a->key.len < b->key.len);
}

void
toml_table_init(struct toml_table *t, enum toml_origin origin, unsigned depth)
{
	TAILQ_INIT(&t->entries);
	RB_INIT(&t->index);
	t->n = 0;
	t->origin = origin;
	t->depth = depth;
}

struct toml_entry *
toml_lookup(const struct toml_table *t, const struct toml_str *key)
{
	struct toml_entry	 probe;
	struct toml_index	 head = t->index;	/* RB_FIND is not const */

	probe.key = *key;
	return RB_FIND(toml_index, &head, &probe);
}

struct toml_entry *
toml_find(const struct toml_table *t, const char *key)
{
	struct toml_str	 s = { key, strlen(key) };

	return toml_lookup(t, &s);
}

int
toml_path_add(struct toml_parser *ps, struct toml_path *path,
    struct toml_key *key)
{
	if (path->n == TOML_MAX_DEPTH)
		return toml_error(ps, key->line, "a key of more than %d parts: "
		    "tables may nest no deeper", TOML_MAX_DEPTH);
	key->next = NULL;
	if (path->last == NULL)
		path->first = key;
	else
		path->last->next = key;
	path->last = key;
	path->n++;
	return 0;
}

static struct toml_entry *
add_entry(struct toml_parser *ps, struct toml_table *t,
    const struct toml_key *key, struct toml_value *v)
{
	struct toml_entry	*e;

	if ((e = toml_alloc(ps, sizeof(*e))) == NULL)
		return NULL;
	e->key = key->name;
	e->line = key->line;
	e->value = v;
	TAILQ_INSERT_TAIL(&t->entries, e, order);
	RB_INSERT(toml_index, &t->index, e);
	t->n++;
	return e;
}

static struct toml_value *
add_table(struct toml_parser *ps, struct toml_table *parent,
    const struct toml_key *key, enum toml_origin origin)
{
	struct toml_value	*v;

	if (parent->depth == TOML_MAX_DEPTH) {
		toml_error(ps, key->line, "tables nest deeper than %d levels",
		    TOML_MAX_DEPTH);
		return NULL;
	}
	if ((v = toml_new(ps, TOML_TABLE, key->line)) == NULL)
		return NULL;
	toml_table_init(&v->u.table, origin, parent->depth + 1);
	if (add_entry(ps, parent, key, v) == NULL)
		return NULL;
	return v;
}

static int
twice(struct toml_parser *ps, const struct toml_key *key,
    const struct toml_entry *e, const char *what)
{
	char	 name[TOML_KEYBUF];

	return toml_error(ps, key->line, "%s is already %s on line %u: keep "
	    "one of the two", toml_keyname(&key->name, name), what, e->line);
}

/* One step of [a.b.c] before the last part. */
static struct toml_table *
descend_header(struct toml_parser *ps, struct toml_table *t,
    const struct toml_key *key)
{
	struct toml_entry	*e = toml_lookup(t, &key->name);
	struct toml_value	*v;

	if (e == NULL) {
		v = add_table(ps, t, key, TOML_IMPLICIT);
		return v == NULL ? NULL : &v->u.table;
	}
	v = e->value;
	if (v->type == TOML_ARRAY && v->u.array.of_tables)
		return &STAILQ_LAST(&v->u.array.items, toml_value, next)->u.table;
	if (v->type == TOML_TABLE && v->u.table.origin != TOML_INLINE)
		return &v->u.table;
	twice(ps, key, e, v->type == TOML_TABLE ? "a closed inline table" :
	    "a value and no table");
	return NULL;
}

/* One step of a.b.c = value before the last part. */
static struct toml_table *
descend_dotted(struct toml_parser *ps, struct toml_table *t,
    const struct toml_key *key)
{
	struct toml_entry	*e = toml_lookup(t, &key->name);
	struct toml_value	*v;

	if (e == NULL) {
		v = add_table(ps, t, key, TOML_DOTTED);
		return v == NULL ? NULL : &v->u.table;
	}
	v = e->value;
	if (v->type != TOML_TABLE) {
		twice(ps, key, e, "a value and no table");
		return NULL;
	}
	switch (v->u.table.origin) {
	case TOML_IMPLICIT:
		v->u.table.origin = TOML_DOTTED;
		/* FALLTHROUGH */
	case TOML_DOTTED:
		return &v->u.table;
	case TOML_HEADER:
		twice(ps, key, e, "a table of its own");
		break;
	case TOML_INLINE:
		twice(ps, key, e, "a closed inline table");
		break;
	}
	return NULL;
}

static struct toml_table *
parent_of(struct toml_parser *ps, const struct toml_path *path)
{
	struct toml_table	*t = &ps->doc->root->u.table;
	struct toml_key		*k;

	for (k = path->first; k != path->last && t != NULL; k = k->next)
		t = descend_header(ps, t, k);
	return t;
}

/* [path] */
int
toml_open_section(struct toml_parser *ps, const struct toml_path *path)
{
	struct toml_table	*t = parent_of(ps, path);
	struct toml_entry	*e;
	struct toml_value	*v;

	if (t == NULL)
		return -1;
	if ((e = toml_lookup(t, &path->last->name)) == NULL) {
		if ((v = add_table(ps, t, path->last, TOML_HEADER)) == NULL)
			return -1;
	} else {
		v = e->value;
		if (v->type != TOML_TABLE)
			return twice(ps, path->last, e, v->type == TOML_ARRAY &&
			    v->u.array.of_tables ? "an array of tables" :
			    "a value");
		if (v->u.table.origin != TOML_IMPLICIT)
			return twice(ps, path->last, e, "a table");
		v->u.table.origin = TOML_HEADER;
		v->line = e->line = path->last->line;
	}
	ps->tables[0] = &v->u.table;
	return 0;
}

/* [[path]] */
int
toml_open_element(struct toml_parser *ps, const struct toml_path *path)
{
	struct toml_table	*t = parent_of(ps, path);
	struct toml_entry	*e;
	struct toml_value	*v, *array;

	if (t == NULL)
		return -1;
	if (t->depth == TOML_MAX_DEPTH)
		return toml_error(ps, path->last->line,
		    "tables nest deeper than %d levels", TOML_MAX_DEPTH);
	if ((e = toml_lookup(t, &path->last->name)) == NULL) {
		if ((array = toml_new(ps, TOML_ARRAY, path->last->line)) == NULL)
			return -1;
		STAILQ_INIT(&array->u.array.items);
		array->u.array.of_tables = true;
		if (add_entry(ps, t, path->last, array) == NULL)
			return -1;
	} else {
		array = e->value;
		if (array->type != TOML_ARRAY || !array->u.array.of_tables)
			return twice(ps, path->last, e,
			    array->type == TOML_TABLE ? "a table" : "a value");
	}
	if ((v = toml_new(ps, TOML_TABLE, path->last->line)) == NULL)
		return -1;
	toml_table_init(&v->u.table, TOML_HEADER, t->depth + 1);
	STAILQ_INSERT_TAIL(&array->u.array.items, v, next);
	array->u.array.n++;
	ps->tables[0] = &v->u.table;
	return 0;
}

/* path = value, in the section or in the innermost inline table. */
int
toml_assign(struct toml_parser *ps, const struct toml_path *path,
    struct toml_value *v)
{
	struct toml_table	*t = ps->tables[ps->ntables - 1];
	struct toml_entry	*e;
	struct toml_key		*k;

	for (k = path->first; k != path->last; k = k->next)
		if ((t = descend_dotted(ps, t, k)) == NULL)
			return -1;
	if ((e = toml_lookup(t, &path->last->name)) != NULL)
		return twice(ps, path->last, e, "set");
	return add_entry(ps, t, path->last, v) == NULL ? -1 : 0;
}

struct toml_value *
toml_inline_begin(struct toml_parser *ps, unsigned line)
{
	struct toml_table	*outer = ps->tables[ps->ntables - 1];
	struct toml_value	*v;

	if (outer->depth == TOML_MAX_DEPTH) {
		toml_error(ps, line, "tables nest deeper than %d levels",
		    TOML_MAX_DEPTH);
		return NULL;
	}
	if ((v = toml_new(ps, TOML_TABLE, line)) == NULL)
		return NULL;
	toml_table_init(&v->u.table, TOML_INLINE, outer->depth + 1);
	ps->tables[ps->ntables++] = &v->u.table;	/* the lexer bounds it */
	return v;
}

struct toml_value *
toml_array_begin(struct toml_parser *ps, unsigned line)
{
	struct toml_value	*v;

	if ((v = toml_new(ps, TOML_ARRAY, line)) == NULL)
		return NULL;
	STAILQ_INIT(&v->u.array.items);
	ps->arrays[ps->narrays++] = &v->u.array;	/* the lexer bounds it */
	return v;
}

int
toml_array_add(struct toml_parser *ps, struct toml_value *v)
{
	struct toml_array	*a = ps->arrays[ps->narrays - 1];

	STAILQ_INSERT_TAIL(&a->items, v, next);
	a->n++;
	return 0;
}
