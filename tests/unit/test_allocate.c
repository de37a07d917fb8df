/* What stands in for posix_fallocate(3) on OpenBSD. */
#include <sys/stat.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "compat/allocate.h"

static int
file(void)
{
	char	 path[] = "/tmp/igra-allocate-XXXXXX";
	int	 fd = mkstemp(path);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(unlink(path), 0);
	return fd;
}

START_TEST(test_writes)
{
	char		 got[6];
	struct stat	 st;
	int		 fd = file();

	ck_assert_int_eq(write(fd, "abc", 3), 3);
	ck_assert_int_eq(allocate_by_writing(fd, 200000), 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_size, 200000);
	ck_assert_int_ge(st.st_blocks, 200000 / 512);
	ck_assert_int_eq(pread(fd, got, 6, 0), 6);
	ck_assert_mem_eq(got, "abc\0\0\0", 6);
	/* What is there is left as it is. */
	ck_assert_int_eq(allocate_by_writing(fd, 10), 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_size, 200000);
	ck_assert_int_eq(allocate(fd, 300000), 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_size, 300000);
	close(fd);
}
END_TEST

START_TEST(test_refuses)
{
	int	 fd;

	ck_assert_int_eq(allocate_by_writing(-1, 10), EBADF);
	ck_assert_int_eq(allocate_by_writing(0, -1), EINVAL);
	ck_assert_int_ne(fd = open("/dev/full", O_RDWR | O_CLOEXEC), -1);
	ck_assert_int_eq(allocate_by_writing(fd, 10), ENOSPC);
	close(fd);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("allocate");
	TCase	*t = tcase_create("allocate");
	SRunner	*r;
	int	 failed;

	tcase_add_test(t, test_writes);
	tcase_add_test(t, test_refuses);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
