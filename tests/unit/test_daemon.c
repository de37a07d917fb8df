/*
 * The steps of a daemon's start.  They end the process when something is
 * wrong, so each runs in a child, and what it says is read.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "log.h"
#include "roles.h"

#define OTHER	64009		/* a uid that nobody has */

static struct daemon	 d;
static char		 dir[64], said[4096];

static struct conf *
parse(const char *text)
{
	struct conf	*c;
	char		 err[256];

	c = conf_parse(text, strlen(text), "igra.toml", NULL, 1000, err,
	    sizeof(err));
	ck_assert_msg(c != NULL, "%s", err);
	return c;
}

static void
setup(void)
{
	int	 i;

	(void)strlcpy(dir, "/tmp/igra-daemon-XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chmod(dir, 0755), 0);
	memset(&d, 0, sizeof(d));
	d.conf = parse("[service]\nnetwork = \"devnet\"\n"
	    "active_profile = \"signer-01\"\n");
	d.network = KASPA_DEVNET;
	d.progname = "igra-keyd";
	for (i = 0; i < ROLE_MAX; i++) {
		d.uid[i] = geteuid();
		d.gid[i] = getegid();
	}
}

static void
teardown(void)
{
	char	 cmd[96];

	conf_free(d.conf);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	ck_assert_int_eq(system(cmd), 0);
}

static const char *
in_dir(const char *name)
{
	static char	 buf[4][256];
	static int	 at;

	at = (at + 1) % 4;
	snprintf(buf[at], sizeof(buf[at]), "%s/%s", dir, name);
	return buf[at];
}

/* What fn does in a child: its exit status; what it said is in said. */
static int
child(void (*fn)(const void *), const void *arg)
{
	size_t	 n = 0;
	ssize_t	 r;
	pid_t	 pid;
	int	 p[2], status;

	ck_assert_int_eq(pipe(p), 0);
	if ((pid = fork()) == 0) {
		dup2(p[1], STDERR_FILENO);
		dup2(p[1], STDOUT_FILENO);
		close(p[0]);
		close(p[1]);
		fn(arg);
		_exit(0);
	}
	close(p[1]);
	while (n < sizeof(said) - 1 &&
	    (r = read(p[0], said + n, sizeof(said) - 1 - n)) > 0)
		n += (size_t)r;
	said[n] = '\0';
	close(p[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "%s", said);
	return WEXITSTATUS(status);
}

#define SAYS(text)							\
	ck_assert_msg(strstr(said, (text)) != NULL, "said: %s", said)
#define DIES(fn, arg, text) do {					\
	ck_assert_int_eq(child(fn, arg), 1);				\
	SAYS(text);							\
} while (0)

static void
do_bind(const void *path)
{
	(void)daemon_bind(&d, path);
}

static void
do_mkdir(const void *path)
{
	daemon_mkdir(&d, ROLE_KEYD, path, 0700);
}

START_TEST(roles)
{
	struct conf	*c;
	struct roles	 r;
	char		 err[256];

	c = parse("service.active_profile = \"signer-01\"\n"
	    "keyd.user = \"64001\"\nsignd.user = 64002\n"
	    "auditd.user = \"64003\"\n");
	ck_assert_int_eq(roles_resolve(c, 0, 0, &r, err, sizeof(err)), 0);
	ck_assert(r.separated);
	ck_assert_uint_eq(r.uid[ROLE_KEYD], 64001);
	ck_assert_uint_eq(r.uid[ROLE_SIGND], 64002);
	ck_assert_uint_eq(r.uid[ROLE_AUDITD], 64003);
	ck_assert_uint_eq(r.gid[ROLE_AUDITD], 64003);
	conf_free(c);
	/* Two that share a user are not separated. */
	c = parse("service.active_profile = \"signer-01\"\n"
	    "keyd.user = \"64001\"\nsignd.user = \"64002\"\n"
	    "auditd.user = \"64001\"\n");
	ck_assert_int_eq(roles_resolve(c, 0, 0, &r, err, sizeof(err)), 0);
	ck_assert(!r.separated);
	conf_free(c);
	c = parse("service.active_profile = \"signer-01\"\n"
	    "auditd.user = \"no-such-user\"\n");
	ck_assert_int_eq(roles_resolve(c, 1000, 1001, &r, err, sizeof(err)),
	    -1);
	ck_assert_ptr_nonnull(strstr(err, "no user no-such-user"));
	ck_assert_ptr_nonnull(strstr(err, "[auditd] user"));
	conf_free(c);
	/* Nothing set, an ordinary user: all three are that one. */
	ck_assert_int_eq(roles_resolve(d.conf, OTHER, 1001, &r, err,
	    sizeof(err)), 0);
	ck_assert(!r.separated);
	ck_assert_uint_eq(r.uid[ROLE_SIGND], OTHER);
	ck_assert_uint_eq(r.gid[ROLE_SIGND], 1001);
	ck_assert(roles_system(0));
	ck_assert(!roles_system(OTHER));
}
END_TEST

START_TEST(paths)
{
	ck_assert_str_eq(daemon_path(&d, "/run/a/s"), "/run/a/s");
	d.chrooted = "/run/a";
	ck_assert_str_eq(daemon_path(&d, "/run/a/s"), "/s");
	ck_assert_str_eq(daemon_path(&d, "/run/a/b/s"), "/b/s");
	ck_assert_str_eq(daemon_path(&d, "/run/ab/s"), "/run/ab/s");
	ck_assert_str_eq(daemon_path(&d, "/run/a"), "/run/a");
	ck_assert_str_eq(daemon_path(&d, "/run"), "/run");
	d.chrooted = "/";
	ck_assert_str_eq(daemon_path(&d, "/s"), "/s");
}
END_TEST

START_TEST(admins)
{
	uid_t	 list[2] = { 5, 6 };

	d.uid[ROLE_KEYD] = 1000;
	d.admins = list;
	d.nadmins = 2;
	ck_assert(daemon_is_admin(&d, 0));
	ck_assert(daemon_is_admin(&d, 6));
	ck_assert(!daemon_is_admin(&d, 7));
	ck_assert(daemon_is_admin(&d, 1000));
	d.separated = true;
	ck_assert(!daemon_is_admin(&d, 1000));
	ck_assert(daemon_is_admin(&d, 5));
	d.nadmins = 0;
	ck_assert(!daemon_is_admin(&d, 5));
}
END_TEST

START_TEST(mkdirs)
{
	struct stat	 st;
	const char	*p;

	p = in_dir("a/b/c");
	ck_assert_int_eq(child(do_mkdir, p), 0);
	ck_assert_int_eq(lstat(p, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(child(do_mkdir, p), 0);	/* there already */
	ck_assert_int_eq(chmod(p, 0720), 0);
	DIES(do_mkdir, p, "writable by others (mode 0720)");
	ck_assert_int_eq(chmod(p, 0702), 0);
	DIES(do_mkdir, p, "writable by others");
	ck_assert_int_eq(chmod(p, 0700), 0);
	p = in_dir("file");
	close(open(p, O_CREAT | O_WRONLY, 0600));
	DIES(do_mkdir, p, "not a directory");
	DIES(do_mkdir, in_dir("file/x"), "file/x");
	p = in_dir("link");
	ck_assert_int_eq(symlink(in_dir("a"), p), 0);
	DIES(do_mkdir, p, "not a directory");
	ck_assert_int_eq(symlink(in_dir("nowhere"), in_dir("dangling")), 0);
	DIES(do_mkdir, in_dir("dangling"), "not a directory");
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(in_dir("a"), OTHER, OTHER), 0);
	DIES(do_mkdir, in_dir("a"), "belongs to uid 64009, should be uid 0");
}
END_TEST

/* Whatever call failed before, what root makes belongs to the role. */
START_TEST(mkdir_owner)
{
	struct stat	 st;

	if (geteuid() != 0)
		return;
	d.root = true;
	d.uid[ROLE_KEYD] = d.gid[ROLE_KEYD] = OTHER;
	errno = EEXIST;
	daemon_mkdir(&d, ROLE_KEYD, in_dir("new"), 0700);
	ck_assert_int_eq(lstat(in_dir("new"), &st), 0);
	ck_assert_uint_eq(st.st_uid, OTHER);
	ck_assert_uint_eq(st.st_gid, OTHER);
	umask(0077);
	errno = EEXIST;
	daemon_mkdir(&d, ROLE_KEYD, in_dir("sockets"), 0755);
	ck_assert_int_eq(lstat(in_dir("sockets"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0755);
	/* One that root had before stays as it was. */
	ck_assert_int_eq(mkdir(in_dir("old"), 0700), 0);
	daemon_mkdir(&d, ROLE_KEYD, in_dir("old"), 0755);
	ck_assert_int_eq(lstat(in_dir("old"), &st), 0);
	ck_assert_uint_eq(st.st_uid, 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
}
END_TEST

START_TEST(binding)
{
	char		 name[200];
	struct stat	 st;
	const char	*p = in_dir("run/s");
	int		 fd;

	memset(name, 'x', sizeof(name) - 1);
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	DIES(do_bind, name, "socket path too long (at most 107 bytes)");
	fd = daemon_bind(&d, p);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(lstat(p, &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 0777, 0666);
	ck_assert_int_eq(lstat(in_dir("run"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0755);
	/* The first instance lives in this process. */
	DIES(do_bind, p, "another igra-keyd already serves");
	ck_assert_int_eq(lstat(p, &st), 0);
	/* One that has died leaves its socket behind; the next takes it. */
	ck_assert_int_eq(child(do_bind, in_dir("run/t")), 0);
	ck_assert_int_eq(lstat(in_dir("run/t"), &st), 0);
	ck_assert_int_eq(child(do_bind, in_dir("run/t")), 0);
	/* But never anything else. */
	close(open(in_dir("run/u"), O_CREAT | O_WRONLY, 0600));
	DIES(do_bind, in_dir("run/u"), "exists and is not a socket");
	ck_assert_int_eq(lstat(in_dir("run/u"), &st), 0);
	ck_assert_int_eq(symlink(p, in_dir("run/v")), 0);
	DIES(do_bind, in_dir("run/v"), "exists and is not a socket");
	ck_assert_int_eq(symlink(in_dir("run/u"), in_dir("run/w.lock")), 0);
	DIES(do_bind, in_dir("run/w"), "w.lock");
	close(fd);
}
END_TEST

START_TEST(peers)
{
	struct peer	 peer;
	const char	*p = in_dir("run/s");
	char		 name[200];
	int		 fd, a, b;

	fd = daemon_bind(&d, p);
	ck_assert_int_eq(daemon_connect(&d, ROLE_AUDITD, p), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	daemon_listen(fd);
	ck_assert_int_eq(daemon_accept(fd, &peer), -1);
	ck_assert_int_eq(errno, EAGAIN);
	a = daemon_connect(&d, ROLE_AUDITD, p);
	ck_assert_int_ge(a, 0);
	b = daemon_accept(fd, &peer);
	ck_assert_int_ge(b, 0);
	ck_assert_uint_eq(peer.uid, geteuid());
	ck_assert_uint_eq(peer.gid, getegid());
	ck_assert_int_eq(peer.pid, getpid());
	ck_assert_int_ne(fcntl(b, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_ne(fcntl(b, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_ne(fcntl(a, F_GETFL) & O_NONBLOCK, 0);
	/* Who listens must be who should, before a byte is sent. */
	d.uid[ROLE_AUDITD] = OTHER;
	ck_assert_int_eq(daemon_connect(&d, ROLE_AUDITD, p), -1);
	ck_assert_int_eq(errno, EACCES);
	ck_assert_int_eq(daemon_connect(&d, ROLE_AUDITD, in_dir("run/no")),
	    -1);
	ck_assert_int_eq(errno, ENOENT);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(daemon_connect(&d, ROLE_AUDITD, name), -1);
	ck_assert_int_eq(errno, ENAMETOOLONG);
	close(a);
	close(b);
	close(fd);
}
END_TEST

/* In the child: what is left after the drop. */
static void
do_drop(const void *path)
{
	struct rlimit	 rl;
	struct stat	 st;
	uid_t		 r, e, s;
	gid_t		 g[8];

	daemon_drop(&d, path);
	if (getrlimit(RLIMIT_CORE, &rl) == -1 || rl.rlim_max != 0)
		_exit(10);
#if defined(__linux__) && !defined(IGRA_SANITIZED)
	if (prctl(PR_GET_DUMPABLE) != 0)
		_exit(11);
#endif
	if (!d.root)
		_exit(0);
	if (getresuid(&r, &e, &s) == -1 || r != OTHER || e != OTHER ||
	    s != OTHER || getegid() != OTHER || getgroups(8, g) != 1 ||
	    g[0] != OTHER)
		_exit(12);
	if (setuid(0) != -1 || setgid(0) != -1 || seteuid(0) != -1)
		_exit(13);
	if (stat("/inside", &st) == -1 || stat("/tmp", &st) != -1 ||
	    stat("../tmp", &st) != -1)
		_exit(14);
	if (strcmp(daemon_path(&d, in_dir("x")), "/x") != 0)
		_exit(15);
}

START_TEST(dropping)
{
	close(open(in_dir("inside"), O_CREAT | O_WRONLY, 0644));
	ck_assert_int_eq(child(do_drop, dir), 0);
	if (geteuid() != 0)
		return;
	d.root = true;
	d.uid[ROLE_KEYD] = d.gid[ROLE_KEYD] = OTHER;
	ck_assert_int_eq(child(do_drop, dir), 0);
	DIES(do_drop, in_dir("nowhere"), "chroot");
}
END_TEST

/* The arguments after the program's name; ends with NULL. */
static void
do_init(const void *arg)
{
	char	*const *args = arg;
	char	*argv[8];
	int	 n = 0;

	argv[n++] = (char *)(uintptr_t)"igra-keyd";
	while (*args != NULL)
		argv[n++] = *args++;
	argv[n] = NULL;
	conf_free(d.conf);		/* setup()'s: daemon_init forgets it */
	daemon_init(&d, ROLE_KEYD, n, argv);
}

static int
init(const char *a, const char *b, const char *c, const char *e)
{
	const char	*args[5] = { a, b, c, e, NULL };

	return child(do_init, args);
}

START_TEST(options)
{
	const char	*f = in_dir("igra.toml");
	FILE		*fp;

	ck_assert_int_eq(init("-h", NULL, NULL, NULL), 0);
	SAYS("usage: igra-keyd");
	ck_assert_int_eq(init("-x", NULL, NULL, NULL), 2);
	ck_assert_int_eq(init("-f", f, "more", NULL), 2);
	ck_assert_int_eq(init("-f", f, NULL, NULL), 1);
	SAYS("igra.toml: No such file");
	ck_assert_int_eq(init("-f", dir, NULL, NULL), 1);
	SAYS("not a regular file");
	ck_assert_ptr_nonnull(fp = fopen(f, "w"));
	fputs("[service]\nnetwork = \"devnet\"\nactive_profile = "
	    "\"signer-01\"\n[rpc]\ntoken = \"0123456789abcdef0123\"\n", fp);
	fclose(fp);
	ck_assert_int_eq(init("-n", "-f", f, NULL), 0);
	ck_assert_str_eq(said, "");
	ck_assert_int_eq(init("-nv", "-f", f, NULL), 0);
	SAYS("signer-01");
	ck_assert_ptr_null(strstr(said, "0123456789abcdef"));
	ck_assert_int_eq(init("-n", "--network=nonet", "-f", f), 2);
	SAYS("not a network");
	ck_assert_int_eq(init("-n", "--profile=signer-00", "-f", f), 1);
	ck_assert_ptr_nonnull(fp = fopen(f, "a"));
	fputs("nonsense = 1\n", fp);
	fclose(fp);
	ck_assert_int_eq(init("-n", "-f", f, NULL), 1);
	SAYS("igra.toml:6: ");
	ck_assert_ptr_null(strstr(said, "0123456789abcdef"));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("daemon");
	TCase	*tc = tcase_create("daemon");
	SRunner	*sr;
	int	 failed;

	log_init("test_daemon", 0);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, roles);
	tcase_add_test(tc, paths);
	tcase_add_test(tc, admins);
	tcase_add_test(tc, mkdirs);
	tcase_add_test(tc, mkdir_owner);
	tcase_add_test(tc, binding);
	tcase_add_test(tc, peers);
	tcase_add_test(tc, dropping);
	tcase_add_test(tc, options);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
