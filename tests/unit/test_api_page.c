/* igra-signd-api(7) has every method and every error, and no other. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signd/rpc.h"
#include "signd/rpc_code.h"
#include "vec.h"

#define PAGE	"man/igra-signd-api.7"
#define METHODS	"\n.Ss Methods\n"
#define ERRORS	"\n.Ss Errors\n"

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

/* How often it is in that subsection. */
static size_t
times(const char *heading, const char *text)
{
	const char	*p, *end;
	size_t		 n = 0;

	ck_assert_ptr_nonnull(p = strstr(page, heading));
	p += strlen(heading) - 1;
	ck_assert_ptr_nonnull(end = strstr(p, "\n.S"));
	for (; (p = strstr(p, text)) != NULL && p < end; p += strlen(text) - 1)
		n++;
	return n;
}

START_TEST(methods)
{
	const struct rpc_method	*m;
	char			 item[64];
	size_t			 n = 0;

	for (m = rpc_methods; m->name != NULL; m++, n++) {
		(void)snprintf(item, sizeof(item), "\n.It Cm %s\n", m->name);
		ck_assert_msg(times(METHODS, item) == 1, PAGE ": %s",
		    m->name);
	}
	ck_assert_uint_eq(times(METHODS, "\n.It Cm "), n);
}
END_TEST

START_TEST(errors)
{
	char		 item[64];
	unsigned	 code, n = 0;

	for (code = 0; code < RPC_CODE_MAX; code++) {
		if (code == CODE_NONE)
			continue;
		(void)snprintf(item, sizeof(item), "\n.It %d Ta Dv %s Ta ",
		    rpc_code_number(code), rpc_code_name(code));
		ck_assert_msg(times(ERRORS, item) == 1, PAGE ": no %s", item);
		n++;
	}
	ck_assert_uint_eq(times(ERRORS, "\n.It -32"), n);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("api_page");
	TCase	*t = tcase_create("api_page");
	SRunner	*r;
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, methods);
	tcase_add_test(t, errors);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
