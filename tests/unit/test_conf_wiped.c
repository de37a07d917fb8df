/*
 * What a config holds in confidence is not left in memory.  Linux only, by
 * reading /proc/self/mem; the sanitizers' own memory would take too long.
 */
#include <sys/stat.h>

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"

#if defined(__linux__) && !defined(IGRA_SANITIZED)
/* How often a text is in this process's writable memory. */
static int
count_in_memory(const char *text, size_t len)
{
	static uint8_t	 page[65536];
	char		 line[512];
	unsigned long	 from, to;
	int		 mem, found = 0;
	FILE		*maps;

	ck_assert_ptr_nonnull(maps = fopen("/proc/self/maps", "r"));
	ck_assert_int_ne(mem = open("/proc/self/mem", O_RDONLY), -1);
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx rw", &from, &to) != 2 ||
		    strstr(line, " rw") == NULL || strstr(line, "[v") != NULL)
			continue;
		for (; from < to; from += sizeof(page) / 2) {
			ssize_t	 n = pread(mem, page, sizeof(page),
				    (off_t)from);
			uint8_t	*p = page;

			if (n <= 0)
				break;
			/* Half of the page again next time: no gap. */
			while ((p = memmem(p, (size_t)(page + n - p), text,
			    len)) != NULL) {
				found += p < page + sizeof(page) / 2;
				p++;
			}
			explicit_bzero(page, sizeof(page));
		}
	}
	close(mem);
	fclose(maps);
	return found;
}

/* The token's text is nowhere after the config is read; nor after an error. */
START_TEST(test_wiped)
{
	static const char	 good_head[] = "[service]\nactive_profile = "
				    "'signer-01'\n[rpc]\ntoken = \"";
	static const char	 bad_head[] = "[rpc]\nx = 1\ntoken = \"";
	char			 dir[] = "/tmp/test_conf.XXXXXX", path[64];
	char			 err[1024], token[] = "pqfsbujpo-tftbnf-xpse";
	struct conf		*c;
	size_t			 i, n = strlen(token);
	int			 fd, round;

	/* Not in this program as it is looked for. */
	for (i = 0; i < n; i++)
		if (token[i] != '-')
			token[i]--;
	ck_assert_int_gt(count_in_memory(token, n), 0);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/igra.toml", dir);
	for (round = 0; round < 2; round++) {
		const char	*head = round == 0 ? good_head : bad_head;

		fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
		ck_assert_int_ne(fd, -1);
		ck_assert_int_eq(write(fd, head, strlen(head)),
		    (ssize_t)strlen(head));
		ck_assert_int_eq(write(fd, token, n), (ssize_t)n);
		ck_assert_int_eq(write(fd, "\"\n", 2), 2);
		close(fd);
		c = conf_load(path, NULL, 0, err, sizeof(err));
		ck_assert((c != NULL) == (round == 0));
		ck_assert_int_eq(count_in_memory(token, n), 1);	/* token[] */
		conf_free(c);
	}
	unlink(path);
	rmdir(dir);
}
END_TEST
#endif

int
main(void)
{
	Suite	*s = suite_create("conf_wiped");
	TCase	*tc = tcase_create("conf_wiped");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(tc, 60);
#if defined(__linux__) && !defined(IGRA_SANITIZED)
	tcase_add_test(tc, test_wiped);
#endif
	suite_add_tcase(s, tc);
#if !defined(__linux__) || defined(IGRA_SANITIZED)
	puts("skip - a token is wiped (needs /proc/self/mem, and memory that "
	    "no sanitizer keeps)");
#endif
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
