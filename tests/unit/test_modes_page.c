/* The table of igra-network-modes(7) is that of validate.c, row by row. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "validate.h"

#define PAGE	"man/igra-network-modes.7"

static const struct {
	unsigned	 when;
	char		 letter;
} checked[] = {
	{ VALIDATE_PROGRAM, 'P' }, { VALIDATE_DAEMON, 'D' },
	{ VALIDATE_CONFINED, 'C' }, { VALIDATE_UNLOCK, 'U' },
	{ VALIDATE_SECRETS, 'S' }, { VALIDATE_CONFIG, 'V' },
	{ VALIDATE_AGE, 'A' },
};

/* What the page should say of a severity. */
static const char *
word(const struct validate_rule_info *r, int net)
{
	if (strcmp(r->name, "network-mode") == 0)
		return "shown";		/* it never finds anything */
	return r->severity[net] == SEV_OK ? "-" :
	    validate_severity_name(r->severity[net]);
}

static void
letters(unsigned when, char *out)
{
	size_t	 i;

	for (i = 0; i < sizeof(checked) / sizeof(checked[0]); i++)
		if ((when & checked[i].when) != 0)
			*out++ = checked[i].letter;
	*out = '\0';
}

/* In whatever order the page has them. */
static bool
same_letters(const char *a, const char *b)
{
	return strlen(a) == strlen(b) && strspn(a, b) == strlen(a) &&
	    strspn(b, a) == strlen(b);
}

START_TEST(test_table)
{
	const struct validate_rule_info	*r;
	char				 line[512], name[64], w[3][16], at[16];
	char				 want[16];
	size_t				 n = validate_rules(&r), row = 0;
	FILE				*f;
	int				 i;

	f = fopen(PAGE, "r");
	ck_assert_msg(f != NULL, "no %s: run it from the source's top", PAGE);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, ".It %63s Ta %15s Ta %15s Ta %15s Ta %15s",
		    name, w[0], w[1], w[2], at) != 5 ||
		    strcmp(name, "Sy") == 0)
			continue;
		ck_assert_msg(row < n, "%s: the page has a rule too many",
		    name);
		ck_assert_str_eq(name, r[row].name);
		for (i = 0; i < 3; i++)
			ck_assert_msg(strcmp(w[i], word(&r[row], i)) == 0,
			    "%s: the page says %s, the rule is %s", name,
			    w[i], word(&r[row], i));
		letters(r[row].when, want);
		ck_assert_msg(same_letters(at, want), "%s: the page says "
		    "checked %s, it is %s", name, at, want);
		row++;
	}
	fclose(f);
	ck_assert_uint_eq(row, n);
}
END_TEST

/* Each rule is explained as well: in an .It line of its own or with others. */
START_TEST(test_explained)
{
	const struct validate_rule_info	*r;
	char				 line[512], *p;
	size_t				 n = validate_rules(&r), i, len;
	bool				 there;
	FILE				*f;

	for (i = 0; i < n; i++) {
		there = false;
		f = fopen(PAGE, "r");
		ck_assert_ptr_nonnull(f);
		while (!there && fgets(line, sizeof(line), f) != NULL) {
			if (strncmp(line, ".It ", 4) != 0 ||
			    strstr(line, " Ta ") != NULL)
				continue;
			len = strlen(r[i].name);
			for (p = line; (p = strstr(p, r[i].name)) != NULL;
			    p += len)
				if (p[-1] == ' ' &&
				    isspace((unsigned char)p[len]))
					there = true;
		}
		fclose(f);
		ck_assert_msg(there, "%s: not explained in %s", r[i].name,
		    PAGE);
	}
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("modes_page");
	TCase	*tc = tcase_create("modes_page");
	SRunner	*sr;
	int	 failed;

	tcase_add_test(tc, test_table);
	tcase_add_test(tc, test_explained);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
