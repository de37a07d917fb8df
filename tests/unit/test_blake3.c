#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "blake3.h"
#include "vec.h"

static void	 start(struct blake3 *, bool);
static void	 check_pieces(const uint8_t *, size_t, size_t, bool,
		    const char *);
static void	 check_case(yajl_val, bool);

static void
start(struct blake3 *b, bool keyed)
{
	uint8_t	 key[BLAKE3_KEY_LEN] = "TransactionRest";

	/* What is left over from an earlier use must not matter. */
	memset(b, 0xa5, sizeof(*b));
	if (keyed)
		blake3_init_keyed(b, key);
	else
		blake3_init(b);
}

/* Fed step bytes at a time, or 1, 2, 3, ... when step is 0. */
static void
check_pieces(const uint8_t *in, size_t len, size_t step, bool keyed,
    const char *want)
{
	struct blake3	 b;
	uint8_t		 out[BLAKE3_OUT_LEN];
	size_t		 at = 0, n, turn = 0;

	start(&b, keyed);
	while (at < len) {
		n = step != 0 ? step : ++turn;
		if (n > len - at)
			n = len - at;
		blake3_update(&b, in + at, n);
		blake3_update(&b, in + at, 0);
		at += n;
	}
	blake3_final(&b, out);
	ck_assert_str_eq(vec_hex(out, sizeof(out)), want);
	/* The state is not used up. */
	memset(out, 0, sizeof(out));
	blake3_final(&b, out);
	ck_assert_str_eq(vec_hex(out, sizeof(out)), want);
}

static void
check_case(yajl_val c, bool keyed)
{
	static const size_t	 steps[] = {
		0, 1, 7, 63, 64, 65, 1000, 1023, 1024, 1025, 4096, SIZE_MAX
	};
	const char		*want;
	uint8_t			*in;
	size_t			 i, len = vec_u64(c, "length");

	want = vec_str(c, keyed ? "keyed_TransactionRest" : "hash");
	ck_assert_ptr_nonnull(in = malloc(len + 1));
	for (i = 0; i < len; i++)
		in[i] = (uint8_t)(i % 251);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		check_pieces(in, len, steps[i], keyed, want);
	free(in);
}

START_TEST(vectors)
{
	yajl_val	 v = vec_load("blake3.json"), cases;
	size_t		 i;

	cases = vec_get(v, "cases");
	ck_assert_uint_eq(vec_len(cases), 18);
	for (i = 0; i < vec_len(cases); i++) {
		check_case(vec_at(cases, i), false);
		check_case(vec_at(cases, i), true);
	}
	yajl_tree_free(v);
}
END_TEST

/* A hash taken half way must not disturb what follows. */
START_TEST(continues_after_final)
{
	struct blake3	 a, b;
	uint8_t		 in[2500], x[32], y[32], half[32];

	memset(in, 0x42, sizeof(in));
	start(&a, false);
	blake3_update(&a, in, 1024);
	blake3_final(&a, half);
	blake3_update(&a, in + 1024, sizeof(in) - 1024);
	blake3_final(&a, x);
	start(&b, false);
	blake3_update(&b, in, sizeof(in));
	blake3_final(&b, y);
	ck_assert_mem_eq(x, y, 32);
	ck_assert_mem_ne(x, half, 32);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("blake3");
	TCase	*tc = tcase_create("all");
	SRunner	*r;
	int	 failed;

	tcase_add_test(tc, vectors);
	tcase_add_test(tc, continues_after_final);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
