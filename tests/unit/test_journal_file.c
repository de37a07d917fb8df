/*
 * The policy journal's file: every torn end, every flipped byte, rollbacks,
 * kills at any moment.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal_rig.h"
#include "log.h"
#include "messages.h"

START_TEST(stays)
{
	struct journal		*j = jr_start(NULL, 1);
	struct journal_usage	 u;
	struct journal_state	 s;
	struct outpoint		 o;
	struct journal_found	 f;
	uint32_t		 i;

	ck_assert(jr_may_sign(j));
	for (i = 1; i <= 500; i++) {
		ck_assert_int_eq(jr_put(j, i, i % 7 + 1), 0);
		if (i % 100 == 0)
			jr_turn_until((int)i);
	}
	ck_assert_int_eq(jr_good, 500);
	/* Again: no entry, and at once. */
	journal_state(j, &s);
	ck_assert_uint_eq(s.reservation, 500);
	ck_assert_int_eq(jr_put(j, 400, 400 % 7 + 1), 0);
	ck_assert_int_eq(jr_answers, 501);
	/* One that is on its way is waited for. */
	ck_assert_int_eq(jr_put(j, 501, 1), 0);
	ck_assert_int_eq(jr_put(j, 501, 1), 0);
	ck_assert_int_eq(jr_answers, 501);
	jr_turn_until(503);
	ck_assert_int_eq(jr_good, 503);
	ck_assert_uint_eq(s.bytes + format_entry_len(1), j->file->end);
	memset(&o, 0, sizeof(o));
	i = 500;
	memcpy(o.txid, &i, sizeof(i));
	ck_assert(journal_find(j, &o, &f));
	journal_release(j, &o, jr_told, NULL);
	jr_turn_until(504);
	jr_end(j, false);
	j = jr_start(NULL, 1);
	ck_assert(jr_may_sign(j));
	ck_assert_uint_eq(j->reservation, 501);
	ck_assert_uint_eq(j->kseq, 501);
	for (i = 1; i < 500; i++)
		ck_assert(jr_has(j, i, i % 7 + 1));
	ck_assert(!journal_find(j, &o, &f));
	journal_usage(j, &u);
	ck_assert_uint_eq(u.hour, 5010);
	ck_assert_uint_eq(u.count, 501);
	jr_end(j, true);
	j = jr_start(NULL, 1);
	ck_assert_uint_eq(j->nids, 501);
	for (i = 0; i < 501; i++)
		ck_assert_uint_eq(j->ids[i].reservation, i + 1);
	jr_end(j, true);
}
END_TEST

/* The last entry as far as byte n: it is cut off, all before it is there. */
START_TEST(torn_everywhere)
{
	struct journal	*j = jr_start(NULL, 1);
	uint8_t		*p;
	uint64_t	 before, after, k;
	size_t		 len;
	int		 i;

	for (i = 1; i <= 3; i++)
		jr_put(j, (uint32_t)i, 2);
	jr_turn_until(3);
	before = j->file->end;
	jr_put(j, 4, 3);
	jr_turn_until(4);
	after = j->file->end;
	jr_end(j, false);
	p = jr_read_all(&len);
	for (k = after; k-- > before;) {
		/* Not there, or what stood there before. */
		p[k] = k % 2 == 0 ? 0 : 0xa5;
		j = jr_load_bytes(p, len);
		ck_assert_msg(jr_may_sign(j), "byte %llu",
		    (unsigned long long)k);
		ck_assert_uint_eq(j->nids, 3);
		ck_assert_uint_eq(j->file->end, before);
		journal_free(j);
		/* Or the file ends there. */
		j = jr_load_bytes(p, (size_t)k);
		ck_assert(jr_may_sign(j));
		ck_assert_uint_eq(j->nids, 3);
		journal_free(j);
	}
	free(p);
}
END_TEST

/* Any byte of what a slot or a later entry vouches for. */
START_TEST(flipped_everywhere)
{
	struct journal	*j = jr_start(NULL, 1);
	uint8_t		*p;
	uint64_t	 end_at, k;
	size_t		 len, used = 0;
	int		 i, slot;

	for (i = 1; i <= 3; i++) {
		jr_put(j, (uint32_t)i, 2);
		jr_turn_until(i);
	}
	jr_end(j, true);
	j = jr_start(NULL, 1);
	end_at = j->file->end;
	slot = j->file->slot;
	jr_end(j, false);
	p = jr_read_all(&len);
	for (k = 0; k < end_at; k++) {
		p[k] ^= 0x10;
		j = jr_load_bytes(p, len);
		if (k < FORMAT_SLOT || k >= FORMAT_FIRST) {
			ck_assert_msg(!jr_may_sign(j), "byte %llu",
			    (unsigned long long)k);
			used++;
		} else {
			/* The other slot is there, and nobody's bytes. */
			ck_assert(jr_may_sign(j));
			ck_assert_uint_eq(j->nids, 3);
			used += k >= FORMAT_SLOT_AT(slot) &&
			    k < FORMAT_SLOT_AT(slot) + FORMAT_SLOT;
		}
		journal_free(j);
		p[k] ^= 0x10;
		if (k == FORMAT_SLOT)
			k = FORMAT_SLOT_AT(0) - 1;
		if (k == FORMAT_SLOT_AT(1) + FORMAT_SLOT)
			k = FORMAT_FIRST - 1;
	}
	ck_assert_uint_ge(used, 2 * FORMAT_SLOT + 3 * format_entry_len(2));
	/* Both slots. */
	p[FORMAT_SLOT_AT(0)] ^= 1;
	p[FORMAT_SLOT_AT(1)] ^= 1;
	j = jr_load_bytes(p, len);
	ck_assert(!jr_may_sign(j));
	journal_free(j);
	free(p);
}
END_TEST

/* Without a slot that says so, later entries do: the middle one is damaged. */
START_TEST(damage_in_the_middle)
{
	struct journal	*j = jr_start(NULL, 1);
	uint64_t	 at;
	uint8_t		*p;
	size_t		 len;

	jr_put(j, 1, 1);
	jr_turn_until(1);
	at = j->file->end;
	jr_put(j, 2, 1);
	jr_turn_until(2);
	jr_put(j, 3, 1);
	jr_turn_until(3);
	jr_put(j, 4, 1);
	jr_turn_until(4);
	jr_end(j, false);
	p = jr_read_all(&len);
	memset(p + at, 0, 100);
	j = jr_load_bytes(p, len);
	ck_assert(!jr_may_sign(j));
	journal_free(j);
	free(p);
}
END_TEST

START_TEST(refused_files)
{
	struct journal	*j = jr_start(NULL, 1), *k;
	char		 err[256], other[128];

	/* In use. */
	ck_assert_ptr_nonnull(k = journal_new(1, NULL));
	ck_assert_int_eq(journal_open(k, jr_path, jr_owner(true), err,
	    sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "another process has it"));
	journal_free(k);
	jr_end(j, true);
	ck_assert_int_eq(chmod(jr_path, 0640), 0);
	ck_assert_ptr_nonnull(k = journal_new(1, NULL));
	ck_assert_int_eq(journal_open(k, jr_path, jr_owner(true), err,
	    sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "chmod 0600"));
	journal_free(k);
	ck_assert_ptr_nonnull(k = journal_new(1, NULL));
	ck_assert_int_eq(journal_open(k, jr_path, jr_owner(false), err,
	    sizeof(err)), 0);
	journal_free(k);
	(void)snprintf(other, sizeof(other), "%s/other", jr_dir);
	ck_assert_int_eq(link(jr_path, other), 0);
	ck_assert_ptr_nonnull(k = journal_new(1, NULL));
	ck_assert_int_eq(journal_open(k, jr_path, jr_owner(true), err,
	    sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "another name"));
	journal_free(k);
	ck_assert_int_eq(unlink(jr_path), 0);
	ck_assert_int_eq(symlink(other, jr_path), 0);
	ck_assert_ptr_nonnull(k = journal_new(1, NULL));
	ck_assert_int_eq(journal_open(k, jr_path, jr_owner(true), err,
	    sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "symbolic link"));
	journal_free(k);
}
END_TEST

START_TEST(rollbacks)
{
	struct journal_log	 log = { 2, 50, { 1 }, 3 };
	struct journal		*j = jr_start(NULL, 1);

	jr_put(j, 1, 1);
	jr_put(j, 2, 1);
	jr_turn_until(2);
	journal_acked(j, 3, 50, log.head);
	jr_end(j, true);
	j = jr_start(NULL, 1);
	journal_compare(j, &log);
	ck_assert(jr_may_sign(j));
	/* In the journal alone, after a crash: nothing was rolled back. */
	jr_put(j, 3, 1);
	jr_turn_until(3);
	journal_compare(j, &log);
	ck_assert(jr_may_sign(j));
	/* Another line there. */
	log.head[0] = 2;
	journal_compare(j, &log);
	ck_assert_uint_eq(journal_rollback(j), PROTO_ROLLBACK_LOG);
	ck_assert(!jr_may_sign(j));
	/* It stays seen while the log grows, and over a restart. */
	log.seq = 60;
	journal_acked(j, 3, 60, log.head);
	journal_compare(j, &log);
	ck_assert(!jr_may_sign(j));
	jr_turn_ms(100);
	jr_end(j, false);
	j = jr_start(NULL, 1);
	ck_assert_uint_eq(journal_rollback(j), PROTO_ROLLBACK_LOG);
	ck_assert_uint_eq(j->acked_seq, 50);
	journal_accept_rollback(j, jr_told, NULL);
	jr_turn_until(4);
	ck_assert(jr_may_sign(j));
	jr_end(j, false);
	j = jr_start(NULL, 1);
	ck_assert(jr_may_sign(j));
	log.seq = 60;
	log.reservation = 4;
	journal_compare(j, &log);
	ck_assert_uint_eq(journal_rollback(j), PROTO_ROLLBACK_JOURNAL);
	journal_accept_rollback(j, jr_told, NULL);
	jr_turn_until(5);
	jr_end(j, false);
	j = jr_start(NULL, 1);
	journal_compare(j, &log);
	ck_assert(jr_may_sign(j));
	ck_assert_uint_eq(j->reservation, 4);
	/*
	 * It lost keyd's last record and has grown on since, by what others
	 * told it.
	 */
	journal_acked(j, 9, 60, log.head);
	jr_end(j, true);
	j = jr_start(NULL, 1);
	log.seq = 63;
	log.last_kseq = 9;
	journal_compare(j, &log);
	ck_assert(jr_may_sign(j));
	log.last_kseq = 8;
	journal_compare(j, &log);
	ck_assert_uint_eq(journal_rollback(j), PROTO_ROLLBACK_LOG);
	ck_assert(!jr_may_sign(j));
	journal_accept_rollback(j, jr_told, NULL);
	jr_turn_until(6);
	jr_end(j, false);
	j = jr_start(NULL, 1);
	journal_compare(j, &log);
	ck_assert(jr_may_sign(j));
	jr_end(j, true);
}
END_TEST

/* What was frozen stays so over restarts, and what was accepted accepted. */
START_TEST(clock_over_restarts)
{
	struct journal		*j;
	struct journal_usage	 u;
	uint64_t		 gap;

	jr_now.fake = true;
	jr_now.boot = 100 * S;
	jr_now.wall = INT64_C(1700000000) * S;
	j = jr_start(NULL, 1);
	jr_put(j, 1, 1);
	jr_turn_until(1);
	jr_end(j, false);
	/* The same boot: exact. */
	jr_now.boot += 3000 * S;
	jr_now.wall += 3000 * S;
	j = jr_start(NULL, 1);
	journal_usage(j, &u);
	ck_assert_uint_eq(u.hour, 10);
	ck_assert_uint_eq(u.hour_frees, 600);
	jr_end(j, false);
	/* Another: the wall clock says two hours, and nobody believes it. */
	jr_now.boot = 5 * S;
	jr_now.wall += 4200 * S;
	j = jr_start(NULL, 2);
	ck_assert_int_eq(journal_clock_pending(j, &gap), CLOCK_REBOOT);
	ck_assert_uint_eq(gap, 7200);
	jr_put(j, 2, 1);
	jr_turn_until(2);
	jr_end(j, false);
	jr_now.boot += 86400 * S;
	jr_now.wall += 86400 * S;
	j = jr_start(NULL, 2);
	ck_assert_int_eq(journal_clock_pending(j, &gap), CLOCK_REBOOT);
	ck_assert_uint_eq(gap, 7200 + 86400);
	journal_usage(j, &u);
	ck_assert_uint_eq(u.hour, 20);
	journal_accept_clock(j, jr_told, NULL);
	jr_turn_until(3);
	jr_end(j, false);
	j = jr_start(NULL, 2);
	ck_assert_int_eq(journal_clock_pending(j, &gap), CLOCK_RUNS);
	journal_usage(j, &u);
	ck_assert_uint_eq(u.day, 0);
	ck_assert_uint_eq(u.week, 20);
	jr_end(j, true);
}
END_TEST

/* --- kills at any moment --- */

#define LIMIT		400	/* sompi an hour: 40 entries of 10 */

/* What the one that is killed says: sent, and answered. */
struct said {
	uint32_t	 sent, yes[4096], nyes;
};
static struct said	*said;

static void
said_yes(bool ok, const char *why, void *arg)
{
	(void)why;
	if (ok)
		said->yes[said->nyes++] = (uint32_t)(uintptr_t)arg;
}

/* As a keyd would, under a limit, until it is killed. */
static void
victim(void)
{
	struct journal		*j = jr_start(NULL, 1);
	struct journal_usage	 u;
	struct journal_entry	 e;

	for (;;) {
		journal_usage(j, &u);
		if (u.hour + 10 <= LIMIT) {
			said->sent++;
			jr_entry_of(said->sent, said->sent % 4 + 1, &e);
			if (journal_reserve(j, &e, 1) == 0)
				journal_commit(j, &e, 1, 0, NULL, said_yes,
				    (void *)(uintptr_t)said->sent);
			free(e.claim);
		} else
			usleep(100);
		(void)event_base_loop(jr_base, EVLOOP_NONBLOCK);
	}
}

/*
 * Killed at a random moment, again and again: all that was answered is there,
 * with its outpoints, and all runs together stay below the limit.
 */
START_TEST(kills)
{
	struct journal_usage	 u;
	struct journal		*j;
	pid_t			 pid;
	uint32_t		 i, runs;
	bool			 full;
	const uint32_t		 most = getenv("LONG") != NULL ? 1000 : 60;

	said = mmap(NULL, sizeof(*said), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANON, -1, 0);
	for (runs = 0; runs < most; runs++) {
		if ((pid = fork()) == 0) {
			if (event_reinit(jr_base) == -1)
				_exit(9);
			victim();
		}
		usleep(1500 + randombytes_uniform(9000));
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
		/* Waits for the writer of the one that was killed. */
		j = jr_start(NULL, 1);
		ck_assert(jr_may_sign(j));
		for (i = 0; i < said->nyes; i++)
			ck_assert_msg(jr_has(j, said->yes[i], said->yes[i] % 4 +
			    1), "%u was answered and is not there",
			    said->yes[i]);
		journal_usage(j, &u);
		ck_assert_uint_le(u.hour, LIMIT);
		/* What was sent before the kill is there as well. */
		ck_assert_uint_ge(j->nids + 1, said->sent);
		said->sent = (uint32_t)j->nids;
		full = j->nids * 10 == LIMIT;
		jr_end(j, runs % 2 == 0);
		if (full) {
			ck_assert_int_eq(unlink(jr_path), 0);
			memset(said, 0, sizeof(*said));
		}
	}
	munmap(said, sizeof(*said));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("journal_file");
	TCase	*t = tcase_create("file"), *disk = tcase_create("disk");
	SRunner	*r;
	int	 failed;

	if (sodium_init() == -1 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return 1;
	log_init("test_journal_file", 0);
	tcase_add_checked_fixture(t, jr_setup_fast, jr_teardown);
	tcase_add_checked_fixture(disk, jr_setup, jr_teardown);
	tcase_add_test(disk, stays);
	tcase_add_test(t, torn_everywhere);
	tcase_add_test(t, flipped_everywhere);
	tcase_add_test(t, damage_in_the_middle);
	tcase_add_test(t, refused_files);
	tcase_add_test(t, rollbacks);
	tcase_add_test(t, clock_over_restarts);
	tcase_add_test(disk, kills);
	tcase_set_timeout(t, 240);
	tcase_set_timeout(disk, 240);
	suite_add_tcase(s, t);
	suite_add_tcase(s, disk);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
