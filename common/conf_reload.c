/* A config's text on its way to daemons that run already. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "conf_int.h"

#define TOKEN_KEY	"rpc.token"
#define TOKEN_OTHER	"\"-\""
#define HASH_STACK	4096
#define MAX_EDITS	100000

/* Text that takes the place of bytes start to end of the config. */
struct edit {
	uint32_t	 start, end;
	char		 text[16];
};

struct edits {
	struct edit	*v;
	size_t		 n;
	bool		 with_token;
	bool		 failed;	/* out of memory */
};

static void	 edit_add(struct edits *, const struct toml_value *,
		    const char *);
static void	 edit_user(struct edits *, const struct toml_value *);
static void	 edit_value(struct edits *, const struct conf_key *,
		    const struct toml_value *);
static void	 edit_table(struct edits *, const struct toml_table *);
static int	 edit_cmp(const void *, const void *);
static char	*edit_text(struct edits *, const char *, size_t, size_t *);
static const struct toml_value *lookup(const struct toml_table *,
		    const char *);

static void
edit_add(struct edits *e, const struct toml_value *v, const char *text)
{
	struct edit	*p;

	if (e->n == MAX_EDITS || (p = reallocarray(e->v, e->n + 1,
	    sizeof(*p))) == NULL) {
		e->failed = true;
		return;
	}
	e->v = p;
	p += e->n++;
	p->start = v->start;
	p->end = v->end;
	(void)strlcpy(p->text, text, sizeof(p->text));
}

/* Whom the system does not know stays, and is refused if he matters. */
static void
edit_user(struct edits *e, const struct toml_value *v)
{
	char	 number[16];
	uid_t	 uid;
	gid_t	 gid;

	if (v->type != TOML_STRING || strlen(v->u.str.s) != v->u.str.len ||
	    conf_uid(v->u.str.s, &uid, &gid) == -1)
		return;
	(void)snprintf(number, sizeof(number), "%u", (unsigned)uid);
	edit_add(e, v, number);
}

static void
edit_value(struct edits *e, const struct conf_key *key,
    const struct toml_value *v)
{
	const struct toml_value	*item;

	if (key->type == CONF_USER)
		edit_user(e, v);
	else if (key->type == CONF_USERS && v->type == TOML_ARRAY)
		STAILQ_FOREACH(item, &v->u.array.items, next)
			edit_user(e, item);
	else if (!e->with_token && v->type == TOML_STRING &&
	    strcmp(key->name, TOKEN_KEY) == 0)
		edit_add(e, v, TOKEN_OTHER);
}

/* The value of a dotted name, or NULL. */
static const struct toml_value *
lookup(const struct toml_table *t, const char *name)
{
	const struct toml_entry	*e;
	char			 part[CONF_NAME_MAX];
	size_t			 n;

	for (;;) {
		if ((n = strcspn(name, ".")) >= sizeof(part))
			return NULL;
		memcpy(part, name, n);
		part[n] = '\0';
		if ((e = toml_find(t, part)) == NULL)
			return NULL;
		if (name[n] == '\0')
			return e->value;
		if (e->value->type != TOML_TABLE)
			return NULL;
		t = &e->value->u.table;
		name += n + 1;
	}
}

static void
edit_table(struct edits *e, const struct toml_table *t)
{
	const struct toml_value	*v;
	size_t			 i;

	for (i = 0; i < conf_nkeys; i++)
		if ((conf_keys[i].type == CONF_USER ||
		    conf_keys[i].type == CONF_USERS ||
		    strcmp(conf_keys[i].name, TOKEN_KEY) == 0) &&
		    (v = lookup(t, conf_keys[i].name)) != NULL)
			edit_value(e, &conf_keys[i], v);
}

static int
edit_cmp(const void *a, const void *b)
{
	const struct edit	*x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static char *
edit_text(struct edits *e, const char *text, size_t len, size_t *outlen)
{
	char	*out, *p;
	size_t	 i, n, at = 0;

	if ((out = malloc(len + e->n * sizeof(e->v[0].text) + 1)) == NULL)
		return NULL;
	if (e->n > 0)
		qsort(e->v, e->n, sizeof(*e->v), edit_cmp);
	for (p = out, i = 0; i < e->n; i++) {
		n = e->v[i].start - at;
		memcpy(p, text + at, n);
		p += n;
		n = strlen(e->v[i].text);
		memcpy(p, e->v[i].text, n);
		p += n;
		at = e->v[i].end;
	}
	memcpy(p, text + at, len - at);
	p += len - at;
	*p = '\0';
	*outlen = (size_t)(p - out);
	return out;
}

char *
conf_reload_text(const char *text, size_t len, const char *path,
    bool with_token, size_t *outlen, char *err, size_t errlen)
{
	struct edits		 edits = { .with_token = with_token };
	struct toml		*doc;
	struct toml_entry	*profiles, *e;
	char			*out = NULL;

	if (len > CONF_MAX_SIZE) {
		(void)snprintf(err, errlen, "%s: larger than %d bytes", path,
		    CONF_MAX_SIZE);
		return NULL;
	}
	if ((doc = toml_parse(text, len, path, err, errlen)) == NULL)
		return NULL;
	edit_table(&edits, &doc->root->u.table);
	profiles = toml_find(&doc->root->u.table, "profiles");
	if (profiles != NULL && profiles->value->type == TOML_TABLE)
		TAILQ_FOREACH(e, &profiles->value->u.table.entries, order)
			if (e->value->type == TOML_TABLE)
				edit_table(&edits, &e->value->u.table);
	if (!edits.failed)
		out = edit_text(&edits, text, len, outlen);
	if (out == NULL)
		(void)snprintf(err, errlen, "%s: out of memory", path);
	free(edits.v);
	toml_free(doc);
	return out;
}

void
conf_hash(const void *text, size_t len, uint8_t hash[32])
{
	(void)crypto_generichash(hash, 32, text, len, NULL, 0);
	sodium_stackzero(HASH_STACK);	/* BLAKE2b leaves its last block there */
}

const char *
conf_named_user(const struct conf *c)
{
	const struct conf_strings	*lists[] = { &c->admin_users,
					    &c->allow_users };
	const char			*users[] = { c->keyd_user.name,
					    c->signd_user.name,
					    c->auditd_user.name };
	size_t				 i, j;
	uid_t				 uid;

	for (i = 0; i < 3; i++)
		if (users[i] != NULL &&
		    conf_uid_number(users[i], &uid) == -1)
			return users[i];
	for (i = 0; i < 2; i++)
		for (j = 0; j < lists[i]->n; j++)
			if (conf_uid_number(lists[i]->v[j], &uid) == -1)
				return lists[i]->v[j];
	return NULL;
}
