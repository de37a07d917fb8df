#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "keyd/isec.h"
#include "keyd/secrets_file.h"
#include "vec.h"

#define PASS		((const uint8_t *)"pass")
#define PASSLEN		4

static char	 dir[64], path[128];

static void	 setup(void);
static void	 teardown(void);
static void	 put_file(const char *, const void *, size_t, mode_t);
static void	 refused(const char *, const char *);
static size_t	 entries(const char *);
static void	 create(void);
static int	 update(const char *, const uint8_t *, size_t);
static size_t	 secrets_in_file(void);
static void	 pause_us(unsigned);

static void
setup(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/igra-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/secrets.bin", dir);
}

static void
teardown(void)
{
	struct dirent	*e;
	DIR		*d;

	ck_assert_ptr_nonnull(d = opendir(dir));
	while ((e = readdir(d)) != NULL)
		if (unlinkat(dirfd(d), e->d_name, 0) == -1)
			(void)unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	closedir(d);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void
put_file(const char *p, const void *data, size_t len, mode_t mode)
{
	int	 fd = open(p, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

/* Reading and a transaction refuse alike. */
static void
refused(const char *p, const char *want)
{
	struct secrets_file	 f;
	struct secrets_txn	 t;
	char			 e[256] = "";

	ck_assert_int_eq(secrets_file_read(p, 0, &f, e, sizeof(e)), -1);
	ck_assert_ptr_null(f.data);
	ck_assert_msg(strstr(e, want) != NULL, "\"%s\" has no \"%s\"", e, want);
	ck_assert_msg(strncmp(e, p, strlen(p)) == 0, "no path in \"%s\"", e);
	e[0] = '\0';
	ck_assert_int_eq(secrets_begin(&t, p, 0, e, sizeof(e)), -1);
	ck_assert_msg(strstr(e, want) != NULL, "\"%s\" has no \"%s\"", e, want);
}

/* Files in dir whose name begins with prefix. */
static size_t
entries(const char *prefix)
{
	struct dirent	*e;
	DIR		*d;
	size_t		 n = 0;

	ck_assert_ptr_nonnull(d = opendir(dir));
	while ((e = readdir(d)) != NULL)
		n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
	closedir(d);
	return n;
}

static void
create(void)
{
	struct secrets_txn	 t;
	struct isec_header	 h;
	struct isec_plain	 p;
	const char		*errstr;
	char			 e[256];
	uint8_t			*f;
	size_t			 len;

	ck_assert_int_eq(isec_header_init(&h, 8, 1, 1, &errstr), 0);
	ck_assert_int_eq(isec_plain_init(&p), 0);
	ck_assert_int_eq(isec_seal_pass(&h, PASS, PASSLEN, &p, &f, &len,
	    &errstr), 0);
	ck_assert_int_eq(secrets_begin(&t, path, SECRETS_CREATE, e, sizeof(e)),
	    0);
	ck_assert(!t.exists);
	ck_assert_int_eq(secrets_commit(&t, f, len, e, sizeof(e)), 0);
	secrets_end(&t);
	isec_plain_free(&p);
	free(f);
}

/* What a tool does: read, open, change, seal, replace.  No check macros. */
static int
update(const char *name, const uint8_t *val, size_t vallen)
{
	struct secrets_txn	 t;
	struct isec_header	 h;
	struct isec_plain	 p;
	const char		*errstr;
	char			 e[256];
	uint8_t			*f = NULL, key[32];
	size_t			 len;
	int			 ret = -1;

	memset(&p, 0, sizeof(p));
	if (secrets_begin(&t, path, 0, e, sizeof(e)) == -1)
		return -1;
	if (isec_parse_header(t.old.data, t.old.len, &h, &errstr) == 0 &&
	    isec_derive(&h, PASS, PASSLEN, key, &errstr) == 0 &&
	    isec_plain_open(&p, t.old.data, t.old.len, key, &errstr) == 0 &&
	    isec_put(&p, name, val, vallen, &errstr) == 0 &&
	    isec_seal_pass(&h, PASS, PASSLEN, &p, &f, &len, &errstr) == 0)
		ret = secrets_commit(&t, f, len, e, sizeof(e));
	secrets_end(&t);
	isec_plain_free(&p);
	free(f);
	return ret;
}

/* The file opens; number of secrets in it. */
static size_t
secrets_in_file(void)
{
	struct secrets_file	 f;
	struct isec_header	 h;
	struct isec_plain	 p;
	const char		*errstr = "";
	char			 e[256];
	uint8_t			 key[32];
	size_t			 n;

	memset(&p, 0, sizeof(p));
	ck_assert_msg(secrets_file_read(path, 0, &f, e, sizeof(e)) == 0, "%s",
	    e);
	ck_assert_int_eq(isec_parse_header(f.data, f.len, &h, &errstr), 0);
	ck_assert_int_eq(isec_derive(&h, PASS, PASSLEN, key, &errstr), 0);
	ck_assert_msg(isec_plain_open(&p, f.data, f.len, key, &errstr) == 0,
	    "%s", errstr);
	n = (size_t)isec_count(p.buf, p.len);
	isec_plain_free(&p);
	secrets_file_free(&f);
	return n;
}

static void
pause_us(unsigned us)
{
	struct timespec	 ts = { 0, (long)us * 1000 };

	(void)nanosleep(&ts, NULL);
}

START_TEST(test_refused)
{
	struct secrets_file	 f;
	char			 e[256], other[128], *big;
	static const mode_t	 loose[] = { 0640, 0604, 0660, 0666, 0610,
				    0601, 0620, 0602 };
	size_t			 i;

	refused(path, "no such secrets file");
	ck_assert_uint_eq(entries("secrets.bin"), 0);
	refused(dir, "is a directory");
	put_file(path, "x", 1, 0600);
	ck_assert_int_eq(secrets_file_read(path, 0, &f, e, sizeof(e)), 0);
	ck_assert_str_eq(e, "");
	ck_assert_uint_eq(f.len, 1);
	ck_assert_uint_eq(f.mode, 0600);
	secrets_file_free(&f);
	for (i = 0; i < sizeof(loose) / sizeof(loose[0]); i++) {
		ck_assert_int_eq(chmod(path, loose[i]), 0);
		refused(path, "lets others in");
	}
	ck_assert_int_eq(secrets_file_read(path, SECRETS_LOOSE, &f, e,
	    sizeof(e)), 0);
	ck_assert_ptr_nonnull(strstr(e, "lets others in"));
	secrets_file_free(&f);
	ck_assert_int_eq(chmod(path, 0600), 0);
	(void)snprintf(other, sizeof(other), "%s/link", dir);
	ck_assert_int_eq(symlink("secrets.bin", other), 0);
	refused(other, "is a symbolic link");
	ck_assert_int_eq(unlink(other), 0);
	ck_assert_int_eq(mkfifo(other, 0600), 0);
	refused(other, "is not a regular file");
	ck_assert_ptr_nonnull(big = calloc(1, ISEC_MAX_FILE + 1));
	put_file(path, big, ISEC_MAX_FILE, 0600);
	ck_assert_int_eq(secrets_file_read(path, 0, &f, e, sizeof(e)), 0);
	secrets_file_free(&f);
	put_file(path, big, ISEC_MAX_FILE + 1, 0600);
	refused(path, "larger than 16 MiB");
	free(big);
	(void)snprintf(other, sizeof(other), "%s/nodir/secrets.bin", dir);
	ck_assert_int_eq(secrets_file_read(other, 0, &f, e, sizeof(e)), -1);
	(void)snprintf(other, sizeof(other), "%s/", dir);
	ck_assert_int_eq(secrets_file_read(other, 0, &f, e, sizeof(e)), -1);
}
END_TEST

START_TEST(test_owner)
{
	struct secrets_file	 f;
	struct secrets_txn	 t;
	struct stat		 st;
	char			 e[256];
	int			 status;
	pid_t			 pid;

	if (geteuid() != 0)
		return;
	put_file(path, "x", 1, 0600);
	ck_assert_int_eq(chown(path, 64001, 64002), 0);
	refused(path, "belongs to uid 64001");
	ck_assert_int_eq(secrets_file_read(path, SECRETS_LOOSE, &f, e,
	    sizeof(e)), 0);
	ck_assert_ptr_nonnull(strstr(e, "64001"));
	secrets_file_free(&f);

	/* Owner and mode survive; the lock serves the owner too. */
	ck_assert_int_eq(chmod(path, 0400), 0);
	ck_assert_int_eq(secrets_begin(&t, path, SECRETS_LOOSE, e, sizeof(e)),
	    0);
	ck_assert_int_eq(secrets_commit(&t, (const uint8_t *)"new", 3, e,
	    sizeof(e)), 0);
	secrets_end(&t);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_uid, 64001);
	ck_assert_uint_eq(st.st_gid, 64002);
	ck_assert_uint_eq(st.st_mode & 07777, 0400);
	ck_assert_int_eq(st.st_size, 3);
	ck_assert_int_eq(chown(dir, 64001, 64002), 0);
	ck_assert_int_ne(pid = fork(), -1);
	if (pid == 0) {
		if (setgid(64002) == -1 || setuid(64001) == -1)
			_exit(2);
		if (secrets_begin(&t, path, 0, e, sizeof(e)) == -1)
			_exit(3);
		_exit(secrets_commit(&t, (const uint8_t *)"own", 3, e,
		    sizeof(e)) == 0 ? 0 : 4);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

START_TEST(test_create)
{
	struct secrets_txn	 t;
	struct stat		 st;
	char			 e[256];

	create();
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_uint_eq(st.st_nlink, 1);
	ck_assert_uint_eq(entries(".secrets.bin"), 0);
	ck_assert_uint_eq(secrets_in_file(), 0);
	/* A file that somebody without the lock made meanwhile survives. */
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(secrets_begin(&t, path, SECRETS_CREATE, e, sizeof(e)),
	    0);
	put_file(path, "theirs", 6, 0600);
	ck_assert_int_eq(secrets_commit(&t, (const uint8_t *)"ours", 4, e,
	    sizeof(e)), -1);
	secrets_end(&t);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 6);
	ck_assert_uint_eq(entries(".secrets.bin"), 0);
}
END_TEST

/* A lock or temporary file that is something else must not be followed. */
START_TEST(test_traps)
{
	struct secrets_txn	 t;
	struct stat		 st;
	char			 e[256], lock[160], victim[160], tmp[160];

	create();
	(void)snprintf(lock, sizeof(lock), "%s.lock", path);
	(void)snprintf(victim, sizeof(victim), "%s/victim", dir);
	put_file(victim, "v", 1, 0644);
	ck_assert_int_eq(unlink(lock), 0);
	ck_assert_int_eq(symlink(victim, lock), 0);
	ck_assert_int_eq(secrets_begin(&t, path, 0, e, sizeof(e)), -1);
	ck_assert_ptr_nonnull(strstr(e, ".lock"));
	ck_assert_int_eq(unlink(lock), 0);
	ck_assert_int_eq(mkfifo(lock, 0600), 0);
	ck_assert_int_eq(secrets_begin(&t, path, 0, e, sizeof(e)), -1);
	ck_assert_ptr_nonnull(strstr(e, "not a regular file"));
	ck_assert_int_eq(unlink(lock), 0);

	/* Left by a killed writer: gone.  Similar names: not ours. */
	(void)snprintf(tmp, sizeof(tmp), "%s/.secrets.bin.tmp.AbC012", dir);
	put_file(tmp, "half", 4, 0600);
	(void)snprintf(victim, sizeof(victim), "%s/.secrets.bin.tmp.old", dir);
	put_file(victim, "mine", 4, 0600);
	ck_assert_int_eq(secrets_begin(&t, path, 0, e, sizeof(e)), 0);
	secrets_end(&t);
	ck_assert_int_eq(stat(tmp, &st), -1);
	ck_assert_int_eq(stat(victim, &st), 0);
}
END_TEST

/* Killed at any instant: the file opens, and what was confirmed is in it. */
START_TEST(test_kill)
{
	uint8_t	 val[4000];
	char	 name[32];
	size_t	 n = 0, most = 0, last;
	ssize_t	 r;
	int	 i, fds[2], st;
	pid_t	 pid;

	create();
	randombytes_buf(val, sizeof(val));
	for (i = 0; i < 40; i++) {
		ck_assert_int_eq(pipe(fds), 0);
		ck_assert_int_ne(pid = fork(), -1);
		if (pid == 0) {
			for (last = n;; last++) {
				(void)snprintf(name, sizeof(name), "igra.%zu",
				    last);
				if (update(name, val, last % 4000) == -1)
					_exit(1);
				if (write(fds[1], &last, sizeof(last)) == -1)
					_exit(1);
			}
		}
		close(fds[1]);
		pause_us(500 + randombytes_uniform(25000));
		ck_assert_int_eq(kill(pid, SIGKILL), 0);
		ck_assert_int_eq(waitpid(pid, &st, 0), pid);
		ck_assert(WIFSIGNALED(st));
		while ((r = read(fds[0], &last, sizeof(last))) > 0)
			n = last + 1;
		close(fds[0]);
		/* The last one may be there without having been confirmed. */
		last = secrets_in_file();
		ck_assert_msg(last == n || last == n + 1, "%zu, not %zu",
		    last, n);
		n = last;
		if (n > most)
			most = n;
		if (n > 500) {
			ck_assert_int_eq(unlink(path), 0);
			create();
			n = 0;
		}
	}
	ck_assert_uint_gt(most, 0);
	ck_assert_int_eq(update("igra.last", val, 1), 0);
	ck_assert_uint_eq(entries(".secrets.bin"), 0);
}
END_TEST

/* Four writers at once: no update is lost. */
START_TEST(test_concurrent)
{
	char	 name[32];
	int	 w, i, st;
	pid_t	 pid[4];

	create();
	for (w = 0; w < 4; w++) {
		ck_assert_int_ne(pid[w] = fork(), -1);
		if (pid[w] == 0) {
			for (i = 0; i < 25; i++) {
				(void)snprintf(name, sizeof(name),
				    "igra.%d.%d", w, i);
				if (update(name, (const uint8_t *)name,
				    strlen(name)) == -1)
					_exit(1);
			}
			_exit(0);
		}
	}
	for (w = 0; w < 4; w++) {
		ck_assert_int_eq(waitpid(pid[w], &st, 0), pid[w]);
		ck_assert(WIFEXITED(st) && WEXITSTATUS(st) == 0);
	}
	ck_assert_uint_eq(secrets_in_file(), 100);
}
END_TEST

/* All five vectors, through the file. */
START_TEST(test_vectors)
{
	yajl_val		 all = vec_load("secrets.json"), c;
	struct secrets_file	 f;
	struct isec_header	 h;
	struct isec_plain	 p;
	const char		*pass, *errstr;
	char			 e[256], *data;
	uint8_t			 key[32];
	size_t			 i, len;

	memset(&p, 0, sizeof(p));
	for (i = 0; i < vec_len(all); i++) {
		c = vec_at(all, i);
		data = vec_read(vec_str(c, "file"), &len);
		pass = vec_str(c, "passphrase");
		put_file(path, data, len, 0600);
		ck_assert_int_eq(secrets_file_read(path, 0, &f, e, sizeof(e)),
		    0);
		ck_assert_uint_eq(f.len, len);
		ck_assert_int_eq(isec_parse_header(f.data, f.len, &h,
		    &errstr), 0);
		ck_assert_int_eq(isec_derive(&h, (const uint8_t *)pass,
		    strlen(pass), key, &errstr), 0);
		ck_assert_int_eq(isec_plain_open(&p, f.data, f.len, key,
		    &errstr), 0);
		ck_assert_uint_eq(isec_count(p.buf, p.len),
		    vec_get(c, "secrets")->u.object.len);
		secrets_file_free(&f);
		free(data);
	}
	isec_plain_free(&p);
	yajl_tree_free(all);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("secrets_file");
	TCase	*tc = tcase_create("all");
	SRunner	*sr;
	int	 failed;

	if (sodium_init() == -1)
		return 1;
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_refused);
	tcase_add_test(tc, test_owner);
	tcase_add_test(tc, test_create);
	tcase_add_test(tc, test_traps);
	tcase_add_test(tc, test_kill);
	tcase_add_test(tc, test_concurrent);
	tcase_add_test(tc, test_vectors);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
