/* What a service manager hears, and that a chroot does not matter to it. */
#include <sys/socket.h>
#include <sys/un.h>

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "notify.h"

static char			 dir[] = "/tmp/igra-notify-XXXXXX";
static struct event_base	*base;
static int			 manager = -1;

static void
listen_at(const char *name)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	size_t			 len = strlen(name);
	struct timeval		 tv = { 5, 0 };

	ck_assert_uint_lt(len, sizeof(sun.sun_path));
	memcpy(sun.sun_path, name, len);
	if (*name == '@')
		sun.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM, 0);
	ck_assert_int_ne(manager, -1);
	ck_assert_int_eq(setsockopt(manager, SOL_SOCKET, SO_RCVTIMEO, &tv,
	    sizeof(tv)), 0);
	ck_assert_int_eq(bind(manager, (struct sockaddr *)&sun,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)), 0);
	setenv("NOTIFY_SOCKET", name, 1);
}

static void
hears(const char *want)
{
	char	 buf[64];
	ssize_t	 n = recv(manager, buf, sizeof(buf) - 1, 0);

	ck_assert_msg(n > 0, "nothing, not %s", want);
	buf[n] = '\0';
	ck_assert_str_eq(buf, want);
}

static void
hears_nothing(void)
{
	char	 buf[64];

	ck_assert_int_eq(recv(manager, buf, sizeof(buf), MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, EAGAIN);
}

static void
turn(int ms)
{
	struct timeval	 tv = { 0, ms * 1000 };

	event_base_loopexit(base, &tv);
	event_base_dispatch(base);
}

/* By itself, within 20 s. */
static void
hears_soon(const char *want)
{
	struct pollfd	 p = { .fd = manager, .events = POLLIN };
	int		 i;

	for (i = 0; i < 1000 && poll(&p, 1, 0) == 0; i++)
		turn(20);
	hears(want);
}

static void
setup(void)
{
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	ck_assert_ptr_nonnull(base = event_base_new());
}

START_TEST(nobody_asks)
{
	notify_open();
	ck_assert_int_eq(notify_ready(base), 0);
	notify_stopping();
}
END_TEST

START_TEST(ready_and_stopping)
{
	char	 path[64];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/notify", dir);
	listen_at(path);
	notify_open();
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	/* It goes on whatever becomes of the path. */
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	hears_nothing();
	ck_assert_int_eq(notify_ready(base), 0);
	hears("READY=1");
	turn(50);
	hears_nothing();
	notify_stopping();
	hears("STOPPING=1");
	close(manager);			/* and whatever becomes of it */
	notify_stopping();
}
END_TEST

START_TEST(watchdog)
{
	char	 name[64];

	snprintf(name, sizeof(name), "@igra-test-%d", (int)getpid());
	listen_at(name);
	setenv("WATCHDOG_USEC", "40000", 1);
	snprintf(name, sizeof(name), "%d", (int)getpid());
	setenv("WATCHDOG_PID", name, 1);
	notify_open();
	ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
	ck_assert_int_eq(notify_ready(base), 0);
	hears("READY=1");
	hears_soon("WATCHDOG=1");
	hears_soon("WATCHDOG=1");
}
END_TEST

/* Of another process; nothing that is a number; no address. */
START_TEST(not_for_us)
{
	static const char *const	 us[] = { "40000", "x", "-1", "" };
	static const char *const	 pid[] = { "1", NULL, NULL, NULL };
	char				 name[64];

	snprintf(name, sizeof(name), "@igra-test-%d", (int)getpid());
	listen_at(name);
	setenv("WATCHDOG_USEC", us[_i], 1);
	if (pid[_i] != NULL)
		setenv("WATCHDOG_PID", pid[_i], 1);
	notify_open();
	ck_assert_int_eq(notify_ready(base), 0);
	hears("READY=1");
	turn(100);
	hears_nothing();
}
END_TEST

START_TEST(no_address)
{
	static const char *const	 bad[] = { "", "/", "@", "notify",
					    "/nowhere/notify", NULL };
	char				 longest[256];

	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	setenv("NOTIFY_SOCKET", bad[_i] == NULL ? longest : bad[_i], 1);
	notify_open();
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	ck_assert_int_eq(notify_ready(base), 0);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("notify");
	TCase	*tc = tcase_create("notify");
	SRunner	*sr;
	int	 failed;

	log_init("test_notify", 0);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, nobody_asks);
	tcase_add_test(tc, ready_and_stopping);
	tcase_add_test(tc, watchdog);
	tcase_add_loop_test(tc, not_for_us, 0, 4);
	tcase_add_loop_test(tc, no_address, 0, 6);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
