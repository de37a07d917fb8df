#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signd/coord_witness.h"

static char		 dir[64], path[96];
static struct witness	 w;
static char		 err[512];

static void
setup(void)
{
	(void)strlcpy(dir, "/tmp/witness.XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/w", dir);
	(void)umask(022);
	err[0] = '\0';
}

static void
teardown(void)
{
	char	 lock[128];

	(void)snprintf(lock, sizeof(lock), "%s.lock", path);
	(void)unlink(path);
	(void)unlink(lock);
	ck_assert_int_eq(rmdir(dir), 0);	/* nothing else was left */
}

static struct witness_head
head_of(uint8_t key, uint64_t seq, uint8_t head)
{
	struct witness_head	 h;

	memset(&h, 0, sizeof(h));
	memset(h.key, key, sizeof(h.key));
	h.seq = seq;
	memset(h.head, head, sizeof(h.head));
	return h;
}

static void
put_text(const char *text, mode_t mode)
{
	int	 fd;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

static void
keep(uint8_t key, uint64_t seq, uint8_t head, enum witness_verdict want)
{
	struct witness_head	 h = head_of(key, seq, head);
	enum witness_verdict	 verdict;

	ck_assert_msg(witness_keep(&w, &h, &verdict, err, sizeof(err)) == 0,
	    "%s", err);
	ck_assert_int_eq(verdict, want);
}

static void
load(void)
{
	ck_assert_msg(witness_load(&w, path, err, sizeof(err)) == 0, "%s",
	    err);
}

static void
refused(const char *text, const char *why)
{
	put_text(text, 0600);
	ck_assert_int_eq(witness_load(&w, path, err, sizeof(err)), -1);
	ck_assert_msg(strstr(err, why) != NULL, "%s: %s", text, err);
}

START_TEST(judges)
{
	struct witness_head	 known = head_of(1, 10, 0xaa), now;

	now = head_of(1, 1, 0);
	ck_assert_int_eq(witness_judge(NULL, &now), WITNESS_OK);
	now = head_of(1, 11, 0xbb);
	ck_assert_int_eq(witness_judge(&known, &now), WITNESS_OK);
	now = head_of(1, UINT64_MAX, 0xbb);
	ck_assert_int_eq(witness_judge(&known, &now), WITNESS_OK);
	now = head_of(1, 10, 0xaa);
	ck_assert_int_eq(witness_judge(&known, &now), WITNESS_OK);
	now = head_of(1, 10, 0xab);
	ck_assert_int_eq(witness_judge(&known, &now), WITNESS_OTHER_HEAD);
	now = head_of(1, 9, 0xaa);
	ck_assert_int_eq(witness_judge(&known, &now), WITNESS_BACK);
	now = head_of(1, 0, 0xaa);
	ck_assert_int_eq(witness_judge(&known, &now), WITNESS_BACK);
}
END_TEST

START_TEST(keeps_and_reads)
{
	const struct witness_head	*h;
	struct stat			 st;
	uint8_t				 key[32];

	load();
	ck_assert_uint_eq(w.n, 0);
	keep(1, 10, 0xaa, WITNESS_OK);
	keep(2, UINT64_MAX, 0xbb, WITNESS_OK);
	keep(1, 11, 0xcc, WITNESS_OK);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	witness_free(&w);
	load();
	ck_assert_uint_eq(w.n, 2);
	memset(key, 1, sizeof(key));
	ck_assert_ptr_nonnull(h = witness_find(&w, key));
	ck_assert_uint_eq(h->seq, 11);
	ck_assert_uint_eq(h->head[31], 0xcc);
	memset(key, 2, sizeof(key));
	ck_assert_ptr_nonnull(h = witness_find(&w, key));
	ck_assert_uint_eq(h->seq, UINT64_MAX);
	key[31] = 0;
	ck_assert_ptr_null(witness_find(&w, key));
	witness_free(&w);
}
END_TEST

/* Two coordinators, of which the one that was told less comes last. */
START_TEST(another_was_quicker)
{
	struct witness		 other;
	struct witness_head	 h = head_of(1, 20, 0xbb);
	enum witness_verdict	 verdict;

	load();
	keep(1, 10, 0xaa, WITNESS_OK);
	ck_assert_int_eq(witness_load(&other, path, err, sizeof(err)), 0);
	ck_assert_int_eq(witness_keep(&other, &h, &verdict, err,
	    sizeof(err)), 0);
	witness_free(&other);
	keep(1, 15, 0xcc, WITNESS_OK);
	ck_assert_uint_eq(w.head[0].seq, 20);
	keep(1, 20, 0xcc, WITNESS_OTHER_HEAD);
	keep(1, 20, 0xbb, WITNESS_OK);
	witness_free(&w);
	load();
	ck_assert_uint_eq(w.head[0].seq, 20);
	ck_assert_uint_eq(w.head[0].head[0], 0xbb);
	witness_free(&w);
}
END_TEST

/* Eight processes, 25 heads each: nothing is lost. */
START_TEST(side_by_side)
{
	int	 i, k, status;

	for (i = 1; i <= 8; i++) {
		if (fork() != 0)
			continue;
		load();
		for (k = 1; k <= 25; k++)
			keep((uint8_t)i, (uint64_t)k, (uint8_t)k, WITNESS_OK);
		witness_free(&w);
		_exit(0);
	}
	for (i = 1; i <= 8; i++) {
		ck_assert_int_ne(wait(&status), -1);
		ck_assert_int_eq(status, 0);
	}
	load();
	ck_assert_uint_eq(w.n, 8);
	for (i = 0; i < 8; i++)
		ck_assert_uint_eq(w.head[i].seq, 25);
	witness_free(&w);
}
END_TEST

START_TEST(refuses_what_is_wrong)
{
	char	 text[512], key[65];

	memset(key, 'a', 64);
	key[64] = '\0';
	refused("", "");
	refused("{", "");
	refused("[]", "not a witness");
	refused("{\"version\":1}", "not a witness");
	refused("{\"version\":2,\"signers\":{}}", "not a witness");
	refused("{\"version\":1,\"signers\":[]}", "not a witness");
	refused("{\"version\":1,\"signers\":{},\"x\":1}", "not a witness");
	refused("{\"version\":1,\"signers\":{\"aa\":{\"seq\":1,\"head\":\"\"}}}",
	    "entry 0");
	(void)snprintf(text, sizeof(text), "{\"version\":1,\"signers\":{\"%s\":"
	    "{\"seq\":-1,\"head\":\"%s\"}}}", key, key);
	refused(text, "entry 0");
	(void)snprintf(text, sizeof(text), "{\"version\":1,\"signers\":{\"%s\":"
	    "{\"seq\":1,\"head\":\"%.63s\"}}}", key, key);
	refused(text, "entry 0");
	/* One key in two spellings. */
	(void)snprintf(text, sizeof(text), "{\"version\":1,\"signers\":{"
	    "\"%s\":{\"seq\":1,\"head\":\"%s\"},"
	    "\"A%s\":{\"seq\":2,\"head\":\"%s\"}}}", key, key, key + 1, key);
	refused(text, "entry 1");
}
END_TEST

START_TEST(refuses_loose_files)
{
	char	 target[128];

	put_text("{\"version\":1,\"signers\":{}}", 0620);
	ck_assert_int_eq(witness_load(&w, path, err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "others can write"));
	put_text("{\"version\":1,\"signers\":{}}", 0602);
	ck_assert_int_eq(witness_load(&w, path, err, sizeof(err)), -1);
	put_text("{\"version\":1,\"signers\":{}}", 0644);
	load();
	witness_free(&w);
	ck_assert_int_eq(unlink(path), 0);
	(void)snprintf(target, sizeof(target), "%s/other", dir);
	ck_assert_int_eq(symlink(target, path), 0);
	ck_assert_int_eq(witness_load(&w, path, err, sizeof(err)), -1);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(witness_load(&w, path, err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "not a regular file"));
	if (geteuid() == 0) {
		put_text("{\"version\":1,\"signers\":{}}", 0600);
		ck_assert_int_eq(chown(path, 64004, 64004), 0);
		ck_assert_int_eq(witness_load(&w, path, err, sizeof(err)), -1);
		ck_assert_ptr_nonnull(strstr(err, "another user"));
	}
}
END_TEST

/* It became wrong while we ran: what is there is not written over. */
START_TEST(broken_meanwhile)
{
	struct witness_head	 h = head_of(1, 10, 0xaa);
	enum witness_verdict	 verdict;
	struct stat		 st;

	load();
	put_text("{}", 0600);
	ck_assert_int_eq(witness_keep(&w, &h, &verdict, err, sizeof(err)), -1);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 2);
	witness_free(&w);
}
END_TEST

START_TEST(is_full)
{
	struct witness_head	 h;
	enum witness_verdict	 verdict;
	FILE			*f;
	unsigned		 i, k;

	ck_assert_ptr_nonnull(f = fopen(path, "w"));
	fputs("{\"version\":1,\"signers\":{", f);
	for (i = 0; i < WITNESS_MAX_SIGNERS; i++) {
		fprintf(f, "%s\"%064x\":{\"seq\":1,\"head\":\"",
		    i == 0 ? "" : ",", i);
		for (k = 0; k < 32; k++)
			fputs("11", f);
		fputs("\"}", f);
	}
	fputs("}}\n", f);
	ck_assert_int_eq(fclose(f), 0);
	load();
	ck_assert_uint_eq(w.n, WITNESS_MAX_SIGNERS);
	h = head_of(0xff, 1, 1);
	ck_assert_int_eq(witness_keep(&w, &h, &verdict, err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "no room"));
	/* Those that are there still can be. */
	h = w.head[5];
	h.seq = 7;
	ck_assert_int_eq(witness_keep(&w, &h, &verdict, err, sizeof(err)), 0);
	ck_assert_uint_eq(w.head[5].seq, 7);
	witness_free(&w);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("coord_witness");
	TCase	*tc = tcase_create("all");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, judges);
	tcase_add_test(tc, keeps_and_reads);
	tcase_add_test(tc, another_was_quicker);
	tcase_add_test(tc, side_by_side);
	tcase_add_test(tc, refuses_what_is_wrong);
	tcase_add_test(tc, refuses_loose_files);
	tcase_add_test(tc, broken_meanwhile);
	tcase_add_test(tc, is_full);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
