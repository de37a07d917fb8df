/*
 * igra-audit-log(5) has every event and every field that can be written, and
 * says of each event which fields it carries.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "record.h"
#include "vec.h"

#define PAGE	"man/igra-audit-log.5"

static char	*page;

static void
setup(void)
{
	size_t	 n;

	page = vec_file(PAGE, &n);
	ck_assert_uint_gt(n, 1000);
}

static void
teardown(void)
{
	free(page);
}

/* The text of a section, without its heading; to be freed. */
static char *
section(const char *name)
{
	char		 head[64];
	const char	*p, *end, *next;

	(void)snprintf(head, sizeof(head), "\n.Ss %s\n", name);
	ck_assert_msg((p = strstr(page, head)) != NULL, "no %s", name);
	p += strlen(head);
	end = strstr(p, "\n.Ss ");
	next = strstr(p, "\n.Sh ");
	if (end == NULL || (next != NULL && next < end))
		end = next;
	ck_assert_ptr_nonnull(end);
	return strndup(p, (size_t)(end - p) + 1);
}

/* As a word of its own. */
static bool
has_word(const char *text, size_t len, const char *word)
{
	size_t	 n = strlen(word), i;

#define IN_WORD(c)	(isalnum((unsigned char)(c)) || (c) == '_')
	for (i = 0; i + n <= len; i++)
		if (memcmp(text + i, word, n) == 0 &&
		    (i == 0 || !IN_WORD(text[i - 1])) &&
		    (i + n == len || !IN_WORD(text[i + n])))
			return true;
	return false;
}

/* Is it in one of the section's .It Cm lines? */
static bool
is_item(const char *text, const char *word)
{
	const char	*p, *nl;

	for (p = text; (p = strstr(p, ".It Cm ")) != NULL; p = nl) {
		ck_assert_ptr_nonnull(nl = strchr(p, '\n'));
		if (has_word(p, (size_t)(nl - p), word))
			return true;
	}
	return false;
}

START_TEST(fields)
{
	char		*first = section("Members of every line");
	char		*more = section("Further members");
	const char	*name;
	unsigned	 f;

	for (f = 0; f < FIELD_MAX; f++) {
		name = audit_field_name(f);
		ck_assert_msg(is_item(first, name) || is_item(more, name),
		    "%s is not in %s", name, PAGE);
	}
	/* What the writer adds, and has a name nowhere else. */
	ck_assert(is_item(first, "seq"));
	ck_assert(is_item(first, "prev"));
	ck_assert(is_item(first, "timestamp"));
	ck_assert(is_item(first, "event_type"));
	ck_assert(is_item(first, "source"));
	ck_assert(is_item(first, "result"));
	ck_assert(is_item(more, "destinations_omitted"));
	ck_assert_ptr_nonnull(strstr(more, ".Cm address\n"));
	ck_assert_ptr_nonnull(strstr(more, ".Cm script\n"));
	ck_assert_ptr_nonnull(strstr(more, ".Cm amount_sompi "));
	free(first);
	free(more);
}
END_TEST

/* The order of the page is that of the lines. */
START_TEST(order)
{
	char		*more = section("Further members");
	const char	*p, *last = more, *name;
	char		 item[64];
	unsigned	 f;

	for (f = 0; f < FIELD_MAX; f++) {
		name = audit_field_name(f);
		if (f == FIELD_REQUEST_ID || f == FIELD_ERROR)
			continue;
		(void)snprintf(item, sizeof(item), ".It Cm %s\n", name);
		if ((p = strstr(more, item)) == NULL) {
			item[strlen(item) - 1] = ' ';
			p = strstr(more, item);
		}
		if (p == NULL)
			continue;	/* not the first of its line */
		ck_assert_msg(p >= last, "%s comes too early", name);
		last = p;
	}
	free(more);
}
END_TEST

START_TEST(events)
{
	char		*all = section("Events"), *end;
	const char	*p, *name;
	char		 item[64];
	uint64_t	 may, common = UINT64_MAX, tx;
	unsigned	 e, f;
	bool		 says, signing;

	for (e = 0; e < EV_MAX; e++)
		common &= audit_event_fields(e);
	/* All but the reservation, since nothing was reserved. */
	tx = audit_event_fields(EV_SIGNING) &
	    ~(UINT64_C(1) << FIELD_RESERVATION);
	ck_assert_ptr_nonnull(p = strstr(all, ".Bl "));
	for (f = 0; f < FIELD_MAX; f++)
		if ((common >> f & 1) != 0)
			ck_assert_msg(has_word(all, (size_t)(p - all),
			    audit_field_name(f)), "any may have %s",
			    audit_field_name(f));
	for (e = 0; e < EV_MAX; e++) {
		name = audit_event_name(e);
		(void)snprintf(item, sizeof(item), "\n.It %s\n", name);
		ck_assert_msg((p = strstr(all, item)) != NULL,
		    "%s is not in %s", name, PAGE);
		p += strlen(item);
		if ((end = strstr(p, "\n.It ")) == NULL)
			ck_assert_ptr_nonnull(end = strstr(p, "\n.El"));
		signing = memmem(p, (size_t)(end - p), "what Signing has",
		    16) != NULL;
		may = audit_event_fields(e) & ~common;
		for (f = 0; f < FIELD_MAX; f++) {
			if ((common >> f & 1) != 0)
				continue;
			says = has_word(p, (size_t)(end - p),
			    audit_field_name(f)) ||
			    (signing && (tx >> f & 1) != 0);
			ck_assert_msg(says == (may >> f & 1), "%s of %s: the "
			    "page %s", audit_field_name(f), name,
			    says ? "has it" : "lacks it");
		}
	}
	free(all);
}
END_TEST

/* Sources and operations are words that are compared with. */
START_TEST(words)
{
	char		*first = section("Members of every line");
	unsigned	 s;

	for (s = 0; s < SRC_MAX; s++)
		ck_assert_msg(has_word(first, strlen(first),
		    audit_source_name(s)), "%s", audit_source_name(s));
	free(first);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("log_page");
	TCase	*tc = tcase_create("log_page");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, fields);
	tcase_add_test(tc, order);
	tcase_add_test(tc, events);
	tcase_add_test(tc, words);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
