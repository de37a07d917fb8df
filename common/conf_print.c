/*
 * The canonical document of -nv: every value in force, in the order of the
 * table of keys.  Parsed again it gives the same.  Of [policy] only what the
 * file sets is in it: on mainnet, setting a key there that is not enforced
 * yet stops signing, whatever its value.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "conf_int.h"

static const void	*member(const struct conf *, const struct conf_key *);
static char		*render(const struct conf *, const struct conf_key *);

static const void *
member(const struct conf *c, const struct conf_key *key)
{
	return (const char *)c + key->off;
}

void
conf_print_text(const char *s, FILE *f)
{
	fputc('"', f);
	for (; *s != '\0'; s++) {
		unsigned char	 ch = (unsigned char)*s;

		if (ch == '"' || ch == '\\')
			fprintf(f, "\\%c", ch);
		else if (ch < 0x20 || ch == 0x7f)
			fprintf(f, "\\u%04X", ch);
		else
			fputc(ch, f);
	}
	fputc('"', f);
}

/* One a line when there are many, so that differences show. */
void
conf_print_texts(const struct conf_strings *list, FILE *f)
{
	bool	 lines = list->n > 3;
	size_t	 i;

	fputc('[', f);
	for (i = 0; i < list->n; i++) {
		fputs(lines ? "\n\t" : i > 0 ? ", " : "", f);
		conf_print_text(list->v[i], f);
		if (lines)
			fputc(',', f);
	}
	fputs(lines ? "\n]" : "]", f);
}

/* The shortest digits that read back as the same number. */
void
conf_print_real(double d, FILE *f)
{
	char	 buf[64];
	int	 digits;

	for (digits = 1; digits <= 17; digits++) {
		(void)snprintf(buf, sizeof(buf), "%.*g", digits, d);
		if (strtod(buf, NULL) == d)	/* exact on purpose */
			break;
	}
	fprintf(f, "%s%s", buf, strpbrk(buf, ".e") == NULL ? ".0" : "");
}

void
conf_print_value(const struct conf *c, const struct conf_key *key, FILE *f)
{
	const void		*p = member(c, key);
	const struct conf_u64	*opt;

	if (key->flags & CONF_OF_GROUP && !c->group_present)
		return;
	switch (key->type) {
	case CONF_BOOL:
		fputs(*(const bool *)p ? "true" : "false", f);
		break;
	case CONF_UINT:
		fprintf(f, "%" PRIu64, *(const uint64_t *)p);
		break;
	case CONF_OPT_UINT:
		opt = p;
		if (opt->set)
			fprintf(f, "%" PRIu64, opt->v);
		break;
	case CONF_TEXT:
	case CONF_USER:
		if (*(char *const *)p != NULL)
			conf_print_text(*(char *const *)p, f);
		break;
	case CONF_TEXTS:
	case CONF_USERS:
		conf_print_texts(p, f);
		break;
	case CONF_CUSTOM:
		key->print(c, f);
		break;
	case CONF_SKIP:
		break;
	}
}

/* The value alone, "" when there is none; NULL out of memory. */
static char *
render(const struct conf *c, const struct conf_key *key)
{
	char	*text = NULL;
	size_t	 len;
	FILE	*f = open_memstream(&text, &len);

	if (f == NULL)
		return NULL;
	conf_print_value(c, key, f);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

char *
conf_print(const struct conf *c)
{
	char		*text = NULL, *value;
	const char	*name, *leaf, *table = "";
	size_t		 i, len, tablelen = 0;
	FILE		*f = open_memstream(&text, &len);

	if (f == NULL)
		return NULL;
	for (i = 0; i < conf_nkeys; i++) {
		name = conf_keys[i].name;
		if (strncmp(name, "policy.", 7) == 0 && c->lines[i] == 0)
			continue;
		if ((value = render(c, &conf_keys[i])) == NULL)
			goto bad;
		if (*value != '\0') {
			leaf = strrchr(name, '.') + 1;
			if ((size_t)(leaf - name) != tablelen ||
			    strncmp(name, table, tablelen) != 0) {
				fprintf(f, "%s[%.*s]\n", tablelen == 0 ? "" :
				    "\n", (int)(leaf - name - 1), name);
				table = name;
				tablelen = (size_t)(leaf - name);
			}
			fprintf(f, "%s = %s\n", leaf, value);
		}
		free(value);
	}
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
bad:
	(void)fclose(f);
	free(text);
	return NULL;
}

const char *
conf_frozen_change(const struct conf *a, const struct conf *b)
{
	const char	*name = NULL;
	size_t		 i;

	for (i = 0; i < conf_nkeys && name == NULL; i++) {
		char	*x, *y;

		if (!(conf_keys[i].flags & CONF_FROZEN))
			continue;
		x = render(a, &conf_keys[i]);
		y = render(b, &conf_keys[i]);
		if (x == NULL || y == NULL || strcmp(x, y) != 0)
			name = conf_keys[i].name;
		free(x);
		free(y);
	}
	return name;
}
