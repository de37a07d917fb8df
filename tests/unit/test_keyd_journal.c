/*
 * igra-keyd between its journal and auditd: a signature leaves when both have
 * it, and never else.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>

#include "keyd_rig.h"
#include "keyd/journal_int.h"
#include "keyd/sign_int.h"

/* Shared with the writer. */
static volatile struct {
	int	 hang, sync_hang, error;
} *disk;

static ssize_t
disk_pwrite(int fd, const void *p, size_t len, off_t off)
{
	/* More than to spin its sandbox forbids. */
	while (disk->hang != 0)
		;
	if (disk->error != 0) {
		errno = disk->error;
		return -1;
	}
	return pwrite(fd, p, len, off);
}

static int
disk_sync(int fd)
{
	while (disk->sync_hang != 0)
		;
	return fdatasync(fd);
}

static const struct journal_io	 io = { disk_pwrite, disk_sync };
static bool			 died;

static void
writer_died(void *arg)
{
	(void)arg;
	died = true;
}

/* The rig's journal is in memory; this one has a file. */
static void
journal_setup(void)
{
	struct journal_owner	 o = { geteuid(), getegid(), false, true };
	char			 path[96], err[256];

	setup();
	disk = mmap(NULL, sizeof(*disk), PROT_READ | PROT_WRITE, MAP_SHARED |
	    MAP_ANON, -1, 0);
	journal_free(k.journal);
	ck_assert_ptr_nonnull(k.journal = journal_new(1000, NULL));
	(void)snprintf(path, sizeof(path), "%s/policy.journal", dir);
	ck_assert_int_eq(journal_open(k.journal, path, &o, err, sizeof(err)),
	    0);
	ck_assert_int_eq(journal_fork(k.journal, &io), 0);
	ck_assert_int_eq(journal_load(k.journal, err, sizeof(err)), 0);
	ck_assert_int_eq(journal_start(k.journal, k.base, writer_died, NULL),
	    0);
	k.audit.journal = k.journal;
	died = false;
	unlock(1);
}

/* Nothing comes on fd for so long. */
static void
silence(int fd, int ms)
{
	struct pollfd	 p = { .fd = fd, .events = POLLIN };

	for (; ms > 0; ms--) {
		turn();
		usleep(1000);
		ck_assert_int_eq(poll(&p, 1, 0), 0);
	}
}

/* The request is there, and so far, or farther. */
static void
job_reaches(enum job_state state)
{
	while (TAILQ_EMPTY(&k.jobs) || TAILQ_FIRST(&k.jobs)->state < state)
		turn();
}

/* auditd is late: for what is new, and for the same again. */
START_TEST(auditd_late)
{
	struct journal_state	 st;
	int			 fd = dial(LINK_KEYD);
	uint64_t		 i;

	for (i = 1; i <= 3; i++) {
		auditd.hold = true;
		send_sign(fd, 1, 2, 0, i);
		silence(fd, 200);
		ck_assert_uint_eq(k.signatures, 2 * (i - 1));
		auditd.hold = false;
		auditd_ack();
		expect(fd, LINK_KEYD, MSG_SIGN);
		ck_assert_uint_eq(k.signatures, 2 * i);
		/* The record names what the journal has. */
		journal_state(k.journal, &st);
		ck_assert_uint_eq(st.reservation, 1);
		ck_assert_uint_eq(st.entries, 1);
		ck_assert_uint_eq(auditd.reservation[auditd.n - 1], 1);
	}
	close(fd);
}
END_TEST

/* Written and not synced: there is a record, which alone is not enough. */
START_TEST(sync_late)
{
	int		 fd = dial(LINK_KEYD);
	uint64_t	 i;
	unsigned	 n;

	for (i = 1; i <= 3; i++) {
		n = auditd.n;
		disk->sync_hang = 1;
		auditd.hold = i == 2;
		send_sign(fd, 1, i, 0, i);
		silence(fd, 100);
		ck_assert_uint_eq(auditd.n, n + 1);
		ck_assert_uint_eq(auditd.reservation[n], i);
		ck_assert_uint_eq(k.signatures, i * (i - 1) / 2);
		disk->sync_hang = 0;
		if (auditd.hold) {
			silence(fd, 100);
			auditd.hold = false;
			auditd_ack();
		}
		expect(fd, LINK_KEYD, MSG_SIGN);
	}
	/* It does not come: a record, and no signature. */
	disk->sync_hang = 1;
	send_sign(fd, 1, i, 0, i);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_AUDIT_UNAVAILABLE);
	ck_assert_uint_eq(k.signatures, i * (i - 1) / 2);
	disk->sync_hang = 0;
	close(fd);
}
END_TEST

/* The journal is late: till then there is not even a record. */
START_TEST(journal_late)
{
	int		 fd = dial(LINK_KEYD), other = dial(LINK_KEYD);
	uint64_t	 i, had;
	unsigned	 n;

	for (i = 1; i <= 3; i++) {
		n = auditd.n;
		had = k.signatures;
		disk->hang = 1;
		send_sign(fd, 1, i, 0, i);
		silence(fd, 100);
		/* The same, on its way: that waits as well. */
		send_sign(other, 1, i, 0, i);
		silence(other, 100);
		ck_assert_uint_eq(auditd.n, n);
		ck_assert_uint_eq(k.signatures, had);
		disk->hang = 0;
		expect(fd, LINK_KEYD, MSG_SIGN);
		expect(other, LINK_KEYD, MSG_SIGN);
		ck_assert_uint_eq(k.signatures, had + 2 * i);
		ck_assert_uint_eq(auditd.n, n + 2);
		ck_assert_uint_eq(auditd.reservation[n], i);
		ck_assert_uint_eq(auditd.reservation[n + 1], i);
		/* Durable, it needs the journal no more. */
		disk->hang = 1;
		send_sign(fd, 1, i, 0, i);
		expect(fd, LINK_KEYD, MSG_SIGN);
		disk->hang = 0;
	}
	close(other);
	close(fd);
}
END_TEST

/* Locked, or its client gone, a request leaves the journal's answer behind. */
START_TEST(gone_meanwhile)
{
	struct journal_state	 st;
	int			 fd = dial(LINK_KEYD);

	disk->hang = 1;
	/* More than is signed in one turn. */
	send_sign(fd, 1, 200, 0, 1);
	job_reaches(JOB_SIGN);
	ck_assert_int_eq(TAILQ_FIRST(&k.jobs)->state, JOB_SIGN);
	sign_cancel_all(&k);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_LOCKED);
	send_sign(fd, 1, 201, 0, 2);
	job_reaches(JOB_SIGN);
	close(fd);
	while (!TAILQ_EMPTY(&k.jobs))
		turn();
	disk->hang = 0;
	fd = dial(LINK_KEYD);
	send_sign(fd, 1, 1, 0, 3);
	expect(fd, LINK_KEYD, MSG_SIGN);
	/* Reserved is reserved. */
	journal_state(k.journal, &st);
	ck_assert_uint_eq(st.entries, 3);
	ck_assert_uint_eq(st.reservation, 3);
	ck_assert_uint_eq(k.signatures, 1);
	close(fd);
}
END_TEST

/* Signed, and locked before there is a record: it does not leave any more. */
START_TEST(locked_before_record)
{
	int		 fd = dial(LINK_KEYD);
	unsigned	 n = auditd.n;

	disk->hang = 1;
	send_sign(fd, 1, 1, 0, 1);
	job_reaches(JOB_RECORD);
	sign_cancel_all(&k);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_LOCKED);
	disk->hang = 0;
	silence(fd, 100);
	ck_assert_uint_eq(k.signatures, 0);
	ck_assert_uint_eq(auditd.reservation[n], 0);
	/* But not what is on record. */
	disk->sync_hang = 1;
	send_sign(fd, 1, 2, 0, 2);
	while (TAILQ_EMPTY(&k.jobs) || !TAILQ_FIRST(&k.jobs)->recorded)
		turn();
	sign_cancel_all(&k);
	disk->sync_hang = 0;
	expect(fd, LINK_KEYD, MSG_SIGN);
	ck_assert_uint_eq(k.signatures, 2);
	close(fd);
}
END_TEST

/* Found rolled back between the decision and the record: there is none. */
START_TEST(rolled_back_meanwhile)
{
	struct journal_log	 log;
	struct journal_state	 st;
	int			 fd = dial(LINK_KEYD);
	unsigned		 n = auditd.n;

	disk->hang = 1;
	send_sign(fd, 1, 1, 0, 1);
	job_reaches(JOB_RECORD);
	journal_state(k.journal, &st);
	memset(&log, 0, sizeof(log));
	log.reservation = 100;
	log.seq = st.acked_seq + 1;
	log.last_kseq = st.kseq;
	journal_compare(k.journal, &log);
	disk->hang = 0;
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_AUDIT_UNAVAILABLE);
	silence(fd, 100);
	ck_assert_uint_eq(k.signatures, 0);
	ck_assert_uint_eq(auditd.reservation[n], 0);
	close(fd);
}
END_TEST

/* On mainnet only the active profile signs, whatever keys there are. */
START_TEST(other_profile)
{
	char	*active = k.d.conf->active_profile, other[] = "signer-02";
	int	 fd = dial(LINK_KEYD);

	k.d.conf->active_profile = other;
	rig_profile = "signer-01";
	send_sign(fd, 1, 1, 0, 1);
	expect(fd, LINK_KEYD, MSG_SIGN);
	k.d.conf->network = KASPA_MAINNET;
	send_sign(fd, 1, 1, 0, 2);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_KEY_NOT_FOUND);
	ck_assert_uint_eq(k.signatures, 1);
	k.d.conf->active_profile = active;
	close(fd);
}
END_TEST

START_TEST(journal_hangs)
{
	int	 fd = dial(LINK_KEYD);

	disk->hang = 1;
	refused_while_it_hangs(fd);
	disk->hang = 0;
	silence(fd, 200);
	send_sign(fd, 1, 1, 0, 3);
	expect(fd, LINK_KEYD, MSG_SIGN);
	ck_assert_uint_eq(k.signatures, 1);
	close(fd);
}
END_TEST

/* Full: refused, and without a restart it goes on when there is room. */
START_TEST(journal_full)
{
	struct journal_usage	 u;
	int			 fd = dial(LINK_KEYD);

	disk->error = ENOSPC;
	send_sign(fd, 1, 1, 0, 1);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_AUDIT_UNAVAILABLE);
	send_sign(fd, 1, 1, 0, 2);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_AUDIT_UNAVAILABLE);
	ck_assert_uint_eq(k.signatures, 0);
	silence(fd, 700);
	disk->error = 0;
	silence(fd, 900);
	send_sign(fd, 1, 1, 0, 3);
	expect(fd, LINK_KEYD, MSG_SIGN);
	/* Counted once, when it was decided. */
	journal_usage(k.journal, &u);
	ck_assert_uint_eq(u.count, 1);
	close(fd);
}
END_TEST

START_TEST(writer_dies)
{
	int	 fd = dial(LINK_KEYD);

	disk->hang = 1;
	send_sign(fd, 1, 1, 0, 1);
	silence(fd, 50);
	ck_assert_int_eq(kill(k.journal->file->pid, SIGKILL), 0);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_AUDIT_UNAVAILABLE);
	ck_assert(died);
	send_sign(fd, 1, 1, 0, 2);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_AUDIT_UNAVAILABLE);
	ck_assert_uint_eq(k.signatures, 0);
	close(fd);
}
END_TEST

static void
send_word(int fd, enum policy_accept what, uint64_t id)
{
	struct msg_policy_accept	 m = { what };
	struct enc			 e;

	enc_init(&e);
	enc_policy_accept(&e, &m);
	ck_assert_int_eq(frame_write(fd, MSG_POLICY_ACCEPT, id, e.buf, e.len),
	    0);
	enc_free(&e);
}

/* Claims are freed by root with a reason, after their record. */
START_TEST(release)
{
	struct msg_policy_release	 m;
	struct journal_found		 found;
	struct outpoint			 o;
	struct enc			 e;
	unsigned			 n;
	int				 fd = dial(LINK_KEYD);
	int				 admin = dial(LINK_KEYD_ADMIN), i;

	send_sign(fd, 1, 1, 0, 1);
	expect(fd, LINK_KEYD, MSG_SIGN);
	/* As send_sign() makes it, of seed 1 and one input. */
	memset(&o, 0, sizeof(o));
	o.txid[0] = o.txid[1] = 1;
	ck_assert(journal_find(k.journal, &o, &found));
	memset(&m, 0, sizeof(m));
	for (i = 0; i < 3; i++) {
		/* Without a reason; of another; of this one. */
		m.outpoint = o;
		m.outpoint.index = i == 1 ? 7 : 0;
		m.reason = bytes_str(i == 0 ? NULL : "replaced");
		enc_init(&e);
		enc_policy_release(&e, &m);
		n = auditd.n;
		auditd.hold = i == 2;
		ck_assert_int_eq(frame_write(admin, MSG_POLICY_RELEASE,
		    (uint64_t)i, e.buf, e.len), 0);
		enc_free(&e);
		if (i < 2) {
			ck_assert_int_eq(refusal(admin, LINK_KEYD_ADMIN),
			    i == 0 ? CODE_UNSUPPORTED : CODE_CONFLICT);
			continue;
		}
		silence(admin, 100);
		ck_assert_uint_eq(auditd.n, n + 1);
		ck_assert(journal_find(k.journal, &o, &found));
		auditd.hold = false;
		auditd_ack();
		expect(admin, LINK_KEYD_ADMIN, MSG_OK);
		ck_assert(!journal_find(k.journal, &o, &found));
	}
	/* Nothing is in doubt. */
	send_word(admin, ACCEPT_CLOCK, 8);
	ck_assert_int_eq(refusal(admin, LINK_KEYD_ADMIN), CODE_CONFLICT);
	send_word(admin, ACCEPT_ROLLBACK, 9);
	ck_assert_int_eq(refusal(admin, LINK_KEYD_ADMIN), CODE_CONFLICT);
	close(admin);
	close(fd);
}
END_TEST

/* An operator's word is root's. */
START_TEST(only_root)
{
	int	 fd = dial(LINK_KEYD_ADMIN);

	k.d.uid[ROLE_KEYD] = 64001;
	k.d.separated = true;
	TAILQ_FIRST(&k.clients)->peer.uid = 64005;
	send_word(fd, ACCEPT_ROLLBACK, 1);
	ck_assert_int_eq(refusal(fd, LINK_KEYD_ADMIN), CODE_UNAUTHORIZED);
	close(fd);
}
END_TEST

static void
reconnect(void)
{
	frame_conn_close(auditd.conn);
	while (audit_ready(&k.audit))
		turn();
	while (!audit_ready(&k.audit))
		turn();
}

/* Reconnected, auditd has a signature that the journal does not know. */
START_TEST(rolled_back)
{
	int	 fd = dial(LINK_KEYD), admin = dial(LINK_KEYD_ADMIN);

	send_sign(fd, 1, 1, 0, 1);
	expect(fd, LINK_KEYD, MSG_SIGN);
	auditd.kseq = k.audit.kseq + 100;
	auditd.greatest = 100;
	auditd.seq = k.audit.acked_seq + 100;
	reconnect();
	send_sign(fd, 1, 1, 0, 2);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_AUDIT_UNAVAILABLE);
	ck_assert_uint_eq(journal_rollback(k.journal), PROTO_ROLLBACK_JOURNAL);
	send_word(admin, ACCEPT_ROLLBACK, 3);
	expect(admin, LINK_KEYD_ADMIN, MSG_OK);
	send_sign(fd, 1, 2, 0, 4);
	expect(fd, LINK_KEYD, MSG_SIGN);
	/* Numbers go on from the greater. */
	ck_assert_uint_gt(auditd.last[auditd.n - 1], auditd.kseq);
	ck_assert_uint_eq(auditd.reservation[auditd.n - 1], 101);
	/* Now the log ends earlier than what it acknowledged. */
	auditd.kseq = k.audit.kseq;
	auditd.seq = 1;
	reconnect();
	send_sign(fd, 1, 1, 0, 5);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_AUDIT_UNAVAILABLE);
	ck_assert_uint_eq(journal_rollback(k.journal), PROTO_ROLLBACK_LOG);
	close(admin);
	close(fd);
}
END_TEST

static void
journal_teardown(void)
{
	pid_t	 pid = k.journal->file == NULL ? -1 : k.journal->file->pid;

	disk->hang = disk->sync_hang = 0;
	journal_stop(k.journal);
	journal_free(k.journal);
	if (pid != -1)
		(void)waitpid(pid, NULL, 0);
	munmap((void *)(uintptr_t)disk, sizeof(*disk));
	teardown();
}

int
main(void)
{
	Suite	*s = suite_create("keyd_journal");
	TCase	*tc = tcase_create("keyd_journal");
	SRunner	*sr;
	int	 failed;

	log_init("test_keyd_journal", 0);
	tcase_add_checked_fixture(tc, journal_setup, journal_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, auditd_late);
	tcase_add_test(tc, sync_late);
	tcase_add_test(tc, journal_late);
	tcase_add_test(tc, gone_meanwhile);
	tcase_add_test(tc, locked_before_record);
	tcase_add_test(tc, rolled_back_meanwhile);
	tcase_add_test(tc, other_profile);
	tcase_add_test(tc, journal_hangs);
	tcase_add_test(tc, journal_full);
	tcase_add_test(tc, writer_dies);
	tcase_add_test(tc, release);
	tcase_add_test(tc, only_root);
	tcase_add_test(tc, rolled_back);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
