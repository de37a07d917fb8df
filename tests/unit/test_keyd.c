/* igra-keyd's requests, in one process (keyd_rig.h). */
#include "keyd_rig.h"

START_TEST(signs)
{
	struct frame_reply	 r;
	struct msg_sign		 m;
	struct pool		 pool;
	int			 fd = dial(LINK_KEYD);

	send_sign(fd, 1, 3, 0, 7);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_LOCKED);
	unlock(1);
	send_sign(fd, 1, 3, 0, 8);
	ck_assert_uint_eq(answer(fd, LINK_KEYD, &r), MSG_SIGN);
	ck_assert_uint_eq(r.id, 8);
	pool_init(&pool, 0);
	ck_assert_int_eq(dec_sign(r.p, r.len, &pool, &m), 0);
	ck_assert_uint_eq(m.nsig, 3);
	ck_assert_uint_eq(k.signatures, 3);
	pool_free(&pool);
	frame_reply_free(&r);
	close(fd);
}
END_TEST

/* No room for its records: refused there and then, while it is signed. */
START_TEST(record_refused_at_once)
{
	int	 fd = dial(LINK_KEYD);

	unlock(1);
	send_sign(fd, 1, 3, 0, 1);
	k.audit.bytes += AUDIT_MAX_BYTES + 1;
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_AUDIT_UNAVAILABLE);
	k.audit.bytes -= AUDIT_MAX_BYTES + 1;
	ck_assert_uint_eq(k.njobs, 0);
	send_sign(fd, 1, 3, 0, 2);
	expect(fd, LINK_KEYD, MSG_SIGN);
	close(fd);
}
END_TEST

/* A lock overtakes a large request: the loop looks at sockets in between. */
START_TEST(lock_overtakes)
{
	int	 fd = dial(LINK_KEYD), admin = dial(LINK_KEYD_ADMIN);

	unlock(1);
	send_sign(fd, 1, INPUTS, 0, 1);
	while (k.njobs == 0)
		turn();
	ck_assert_int_eq(frame_write(admin, MSG_LOCK, 2, NULL, 0), 0);
	expect(admin, LINK_KEYD_ADMIN, MSG_OK);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_LOCKED);
	ck_assert_uint_eq(k.signatures, 0);
	ck_assert_uint_eq(k.njobs, 0);
	ck_assert(k.marker);
	close(fd);
	close(admin);
}
END_TEST

/* A small request does not wait for the large one before it. */
START_TEST(small_overtakes)
{
	struct frame_reply	 r;
	int			 fd = dial(LINK_KEYD), other = dial(LINK_KEYD);

	unlock(1);
	send_sign(fd, 1, INPUTS, 0, 1);
	while (k.njobs == 0)
		turn();
	send_sign(other, 1, 1, 0, 2);
	expect(other, LINK_KEYD, MSG_SIGN);
	ck_assert_uint_eq(k.signatures, 1);
	ck_assert_uint_eq(answer(fd, LINK_KEYD, &r), MSG_SIGN);
	frame_reply_free(&r);
	ck_assert_uint_eq(k.signatures, INPUTS + 1);
	close(fd);
	close(other);
}
END_TEST

/* Half signed with one key and half with another would be no answer. */
START_TEST(key_changes_meanwhile)
{
	int	 fd = dial(LINK_KEYD), admin = dial(LINK_KEYD_ADMIN);

	unlock(1);
	send_sign(fd, 1, INPUTS, 0, 1);
	while (k.njobs == 0)
		turn();
	send_unlock(admin, 2, 1);
	expect(admin, LINK_KEYD_ADMIN, MSG_OK);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_LOCKED);
	ck_assert_uint_eq(k.njobs, 0);
	/* The same key again does not disturb. */
	send_sign(fd, 2, INPUTS, 0, 2);
	while (k.njobs == 0)
		turn();
	send_unlock(admin, 2, 2);
	expect(admin, LINK_KEYD_ADMIN, MSG_OK);
	ck_assert_uint_eq(k.njobs, 1);
	expect(fd, LINK_KEYD, MSG_SIGN);
	close(fd);
	close(admin);
}
END_TEST

/* Each unlock commits its own file, or none. */
START_TEST(two_unlocks)
{
	int	 a = dial(LINK_KEYD_ADMIN), b = dial(LINK_KEYD_ADMIN);
	int	 fd = dial(LINK_KEYD);
	uint8_t	 key[32], pub[33];

	auditd.hold = true;
	send_unlock(a, 1, 1);
	turns(5);
	send_unlock(b, 2, 2);
	turns(5);
	ck_assert_uint_eq(auditd.n - auditd.done, 2);
	auditd_ack();			/* a's, whose file is gone */
	ck_assert_int_eq(refusal(a, LINK_KEYD_ADMIN), CODE_CONFLICT);
	ck_assert(keyring_locked(&k.ring));
	ck_assert(!k.has_pub);
	auditd_ack();
	expect(b, LINK_KEYD_ADMIN, MSG_OK);
	memset(key, 2, sizeof(key));
	ck_assert_int_eq(curve_pubkey(key, pub), 0);
	ck_assert_mem_eq(k.pub, pub, sizeof(pub));
	auditd.hold = false;
	send_sign(fd, 2, 1, 0, 3);
	expect(fd, LINK_KEYD, MSG_SIGN);
	close(a);
	close(b);
	close(fd);
}
END_TEST

/* A lock while an unlock waits for its record wins. */
START_TEST(lock_during_unlock)
{
	int	 a = dial(LINK_KEYD_ADMIN), b = dial(LINK_KEYD_ADMIN);

	auditd.hold = true;
	send_unlock(a, 1, 1);
	turns(5);
	ck_assert_int_eq(frame_write(b, MSG_LOCK, 1, NULL, 0), 0);
	expect(b, LINK_KEYD_ADMIN, MSG_OK);
	auditd_ack();
	ck_assert_int_eq(refusal(a, LINK_KEYD_ADMIN), CODE_CONFLICT);
	ck_assert(keyring_locked(&k.ring));
	ck_assert(k.marker);
	ck_assert_uint_eq(secmem_used(), 0);
	close(a);
	close(b);
}
END_TEST

/* A record's answer goes to who asked, not to who has its memory now. */
START_TEST(answer_of_one_who_left)
{
	struct msg_key_list_req	 m;
	struct enc		 e;
	struct pollfd		 p = { .events = POLLIN };
	int			 fd[KEYD_MAX_SIGND], i;

	unlock(1);
	auditd.hold = true;
	memset(&m, 0, sizeof(m));
	enc_init(&e);
	enc_key_list_req(&e, &m);
	for (i = 0; i < KEYD_MAX_SIGND; i++) {
		fd[i] = dial(LINK_KEYD);
		ck_assert_int_eq(frame_write(fd[i], MSG_KEY_LIST_REQ, 1,
		    e.buf, e.len), 0);
		turns(3);
	}
	enc_free(&e);
	for (i = 0; i < KEYD_MAX_SIGND; i++)
		close(fd[i]);
	turns(30);
	ck_assert(TAILQ_EMPTY(&k.clients));
	for (i = 0; i < KEYD_MAX_SIGND; i++)
		fd[i] = dial(LINK_KEYD);
	auditd.hold = false;
	auditd_ack();
	turns(30);
	for (i = 0; i < KEYD_MAX_SIGND; i++) {
		p.fd = fd[i];
		ck_assert_int_eq(poll(&p, 1, 0), 0);
		close(fd[i]);
	}
}
END_TEST

/* What waits when igra-keyd stops is refused; its refusal has no record. */
START_TEST(stop_while_waiting)
{
	int	 fd = dial(LINK_KEYD), admin = dial(LINK_KEYD_ADMIN);

	unlock(1);
	auditd.hold = true;
	send_sign(fd, 1, 1, 0, 1);
	while (auditd.n == auditd.done)
		turn();
	send_unlock(admin, 2, 1);
	turns(5);
	ck_assert_uint_eq(auditd.n - auditd.done, 2);
	while (!TAILQ_EMPTY(&k.clients))
		client_close(TAILQ_FIRST(&k.clients));
	audit_free(&k.audit);
	ck_assert_uint_eq(k.njobs, 0);
	ck_assert_uint_eq(k.signatures, 0);
	keyring_lock(&k.ring);
	ck_assert_uint_eq(secmem_used(), 0);
	close(fd);
	close(admin);
}
END_TEST

/* What waits is bounded in bytes, too: then igra-signd is not read. */
START_TEST(memory_is_bounded)
{
	const size_t		 size = 4 * 1024 * 1024;
	struct frame_conn	*c;
	struct msg_sign_req	 m;
	struct tx		 tx[3];
	struct enc		 e;
	int			 fd = dial(LINK_KEYD), i;

	memset(tx, 0, sizeof(tx));
	for (i = 0; i < 3; i++) {
		ck_assert_ptr_nonnull(tx[i].payload.p = calloc(1, size));
		tx[i].payload.len = size;
	}
	memset(&m, 0, sizeof(m));
	m.n = 3;
	m.tx = tx;
	enc_init(&e);
	enc_sign_req(&e, &m);
	evutil_make_socket_nonblocking(fd);
	c = frame_conn_new(k.base, fd, LINK_KEYD, false, &auditd_ops, NULL);
	event_del(k.work);
	for (i = 0; i < 5; i++)
		ck_assert_int_eq(frame_send(c, MSG_SIGN_REQ, 1, e.buf, e.len),
		    0);
	/* Nothing is worked off meanwhile. */
	while (frame_queued(c) != 0) {
		turn();
		event_del(k.work);
	}
	for (i = 0; i < 5; i++)
		ck_assert_int_eq(frame_send(c, MSG_SIGN_REQ, 1, e.buf, e.len),
		    0);
	for (i = 0; i < 20000; i++) {
		turn();
		event_del(k.work);
	}
	ck_assert(k.paused);
	ck_assert_uint_eq(k.njobs, 6);
	ck_assert_uint_ge(k.jobbytes, 6 * 3 * size);
	frame_conn_close(c);
	while (k.njobs != 0) {
		sign_work(-1, 0, &k);
		turn();
	}
	ck_assert_uint_eq(k.jobbytes, 0);
	ck_assert(!k.paused);
	enc_free(&e);
	for (i = 0; i < 3; i++)
		free((void *)(uintptr_t)tx[i].payload.p);
}
END_TEST

/* admin_users may lock; to unlock is root's, or that of the only user. */
START_TEST(who_may_unlock)
{
	static const struct {
		uid_t	 uid;
		bool	 separated, may;
	} c[] = {
		{ 0, true, true }, { 0, false, true }, { 64001, false, true },
		{ 64001, true, false }, { 64005, false, false },
		{ 64005, true, false },
	};
	size_t	 i;
	int	 fd;

	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		fd = dial(LINK_KEYD_ADMIN);
		k.d.uid[ROLE_KEYD] = 64001;
		k.d.separated = c[i].separated;
		TAILQ_FIRST(&k.clients)->peer.uid = c[i].uid;
		send_unlock(fd, 1, 1);
		if (c[i].may)
			expect(fd, LINK_KEYD_ADMIN, MSG_OK);
		else
			ck_assert_int_eq(refusal(fd, LINK_KEYD_ADMIN),
			    CODE_UNAUTHORIZED);
		ck_assert_int_eq(keyring_locked(&k.ring), !c[i].may);
		keyring_lock(&k.ring);
		close(fd);
		turns(3);
	}
}
END_TEST

/* How many lines of keyd's say so, from here to lines_end. */
static char	lines_path[96];

static void
lines_begin(void)
{
	int	 fd;

	snprintf(lines_path, sizeof(lines_path), "%s/stderr", dir);
	fd = open(lines_path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	ck_assert_int_ne(dup2(fd, STDERR_FILENO), -1);
	close(fd);
}

static int
lines_end(const char *part)
{
	char	 line[512];
	FILE	*f;
	int	 n = 0;

	ck_assert_ptr_nonnull(f = fopen(lines_path, "r"));
	while (fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, part) != NULL;
	fclose(f);
	return n;
}

/* Whoever may not come in can fill neither log with knocking. */
START_TEST(knocking)
{
	int	 i;

	lines_begin();
	k.d.uid[ROLE_SIGND] = 64005;
	for (i = 0; i < 100; i++)
		close(dial(LINK_KEYD));
	ck_assert_int_eq(lines_end("turned uid"), LIMITER_EVENTS);
	ck_assert_uint_eq(auditd.n, LIMITER_EVENTS);
	ck_assert(TAILQ_EMPTY(&k.clients));
}
END_TEST

/* What signd's user sends wrong fills neither log, however often. */
START_TEST(violations)
{
	static const uint8_t	 junk[PROTO_HEADER_LEN] = "GET / HTTP/1.0\r";
	struct enc		 e;
	int			 i, fd;

	lines_begin();
	for (i = 0; i < 100; i++) {
		fd = dial(LINK_KEYD);
		ck_assert_int_eq(write(fd, junk, sizeof(junk)),
		    sizeof(junk));
		turns(3);
		close(fd);
		turns(3);
	}
	ck_assert_int_eq(lines_end("not an igra protocol message"),
	    LIMITER_EVENTS);
	ck_assert_uint_eq(auditd.n, LIMITER_EVENTS);
	/* Broken in what it says, and gone without a word. */
	for (i = 0; i < 100; i++) {
		fd = dial(LINK_KEYD);
		enc_init(&e);
		enc_bytes(&e, bytes_str("nonsense, and too long by far"));
		(void)frame_write(fd, MSG_SIGN_REQ, 1, e.buf, e.len);
		enc_free(&e);
		turns(5);
		close(fd);
		turns(5);
	}
	ck_assert_int_eq(lines_end("turned uid"), LIMITER_EVENTS);
	ck_assert_uint_eq(auditd.n, LIMITER_EVENTS);
	ck_assert(TAILQ_EMPTY(&k.clients));
	ck_assert_uint_eq(k.njobs, 0);
}
END_TEST

/* keyd's own bucket, whatever signd lets through. */
START_TEST(rate)
{
	struct conf	*c = (struct conf *)(uintptr_t)k.d.conf;
	struct frame_reply rep;
	unsigned	 i, ok = 0, refused = 0, more;
	uint64_t	 start;
	int		 fd = dial(LINK_KEYD), r;

	c->rate_limit_rps = 1;
	c->rate_limit_burst = 10;
	unlock(1);
	start = monotonic_now();
	client_limits(&k);
	for (i = 0; i < 40; i++) {
		send_sign(fd, 1, 1, 0, i);
		r = answer(fd, LINK_KEYD, &rep);
		ck_assert(r == MSG_SIGN || r == MSG_ERROR);
		*(r == MSG_SIGN ? &ok : &refused) += 1;
		frame_reply_free(&rep);
	}
	/* Two more for each second that it takes. */
	more = (unsigned)((monotonic_now() - start) / (NS_PER_S / 2));
	ck_assert_msg(ok >= 20 && ok <= 20 + more, "%u, %u", ok, more);
	ck_assert_uint_eq(k.refusals, refused);
	ck_assert_uint_gt(refused, 0);
	k.bucket.level = 0;
	k.bucket.refilled = monotonic_now();
	send_sign(fd, 1, 1, 0, 50);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_RATE_LIMITED);
	/* Status and lock are no such requests. */
	ck_assert_int_eq(frame_write(fd, MSG_KEYD_STATUS_REQ, 51, NULL, 0),
	    0);
	expect(fd, LINK_KEYD, MSG_KEYD_STATUS);
	usleep(600000);
	send_sign(fd, 1, 1, 0, 52);
	expect(fd, LINK_KEYD, MSG_SIGN);
	close(fd);
}
END_TEST

/* Who never reads is not read either; the others do not notice. */
START_TEST(never_reads)
{
	int	 fd = dial(LINK_KEYD), other = dial(LINK_KEYD), n = 0, i;
	size_t	 queued;
	ssize_t	 r;
	char	 buf[65536];
	uint8_t	 head[PROTO_HEADER_LEN];
	struct proto_header h = { .type = MSG_INFO_REQ };
	struct frame_conn *conn = TAILQ_FIRST(&k.clients)->conn;

	proto_put_header(head, &h);
	for (i = 0; i < 20000; i++) {
		r = send(fd, head, sizeof(head), MSG_DONTWAIT);
		n += r == (ssize_t)sizeof(head);
		turn();
	}
	ck_assert_int_lt(n, i);
	queued = frame_queued(conn);
	ck_assert_msg(queued > FRAME_HIGH && queued < FRAME_HIGH + 65536,
	    "%zu", queued);
	ck_assert_int_eq(frame_write(other, MSG_INFO_REQ, 1, NULL, 0), 0);
	expect(other, LINK_KEYD, MSG_INFO);
	/* Read at last, it is answered to the end. */
	for (i = 0; i < 200; i++) {
		while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
			;
		turn();
	}
	ck_assert_uint_eq(frame_queued(conn), 0);
	ck_assert_int_eq(frame_write(fd, MSG_INFO_REQ, 2, NULL, 0), 0);
	expect(fd, LINK_KEYD, MSG_INFO);
	close(fd);
	close(other);
}
END_TEST

/* Turns the loop until igra-auditd has n messages; false: not in 20 s. */
static bool
auditd_has(unsigned n)
{
	int	 i;

	for (i = 0; i < 20000 && auditd.n < n; i++) {
		turn();
		usleep(1000);
	}
	return auditd.n == n;
}

/*
 * The line breaks before the acknowledgement: refused, and the record counts
 * as written.  It is sent again if the log does not have it (0), else not (1).
 */
START_TEST(record_after_reconnect)
{
	uint64_t	 kseq;
	unsigned	 n;
	int		 fd = dial(LINK_KEYD);

	unlock(1);
	auditd.hold = true;
	n = auditd.n;
	send_sign(fd, 1, 1, 0, 1);
	ck_assert(auditd_has(n + 1));
	kseq = auditd.last[n];
	auditd.kseq = _i == 0 ? kseq - 2 : kseq;	/* access and signing */
	auditd.done = auditd.n;
	frame_conn_close(auditd.conn);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_AUDIT_UNAVAILABLE);
	ck_assert(!audit_ready(&k.audit));
	send_sign(fd, 1, 1, 0, 2);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_AUDIT_UNAVAILABLE);
	/* Then the two refusals. */
	ck_assert(auditd_has(n + (_i == 0 ? 4 : 3)));
	ck_assert_uint_eq(auditd.last[n + 1], _i == 0 ? kseq : kseq + 1);
	ck_assert_uint_eq(auditd.last[auditd.n - 1], kseq + 2);
	auditd.hold = false;
	auditd_ack();
	send_sign(fd, 1, 1, 0, 3);
	expect(fd, LINK_KEYD, MSG_SIGN);
	ck_assert(TAILQ_EMPTY(&k.audit.waits));
	ck_assert_uint_eq(k.audit.bytes, 0);
	ck_assert_uint_eq(k.audit.nwaits, 0);
	close(fd);
}
END_TEST

/* It hangs: a refusal within 2 s, at once from then on, until it is back. */
START_TEST(auditd_hangs)
{
	int	 fd = dial(LINK_KEYD);

	unlock(1);
	auditd.hold = true;
	refused_while_it_hangs(fd);
	auditd.hold = false;
	auditd_ack();
	turns(10);
	send_sign(fd, 1, 1, 0, 3);
	expect(fd, LINK_KEYD, MSG_SIGN);
	ck_assert_uint_eq(k.signatures, 1);
	close(fd);
}
END_TEST

/* What auditd sends wrong costs it the line, and nobody else anything. */
START_TEST(auditd_lies)
{
	struct msg_audit_ack	 m;
	struct enc		 e;
	unsigned		 n;
	int			 fd = dial(LINK_KEYD);

	unlock(1);
	auditd.hold = true;
	n = auditd.n;
	send_sign(fd, 1, 1, 0, 1);
	ck_assert(auditd_has(n + 1));
	auditd.kseq = auditd.last[n];
	auditd.done = auditd.n;
	memset(&m, 0, sizeof(m));
	m.last_kseq = auditd.last[n] - (_i == 0);
	enc_init(&e);
	enc_audit_ack(&e, &m);
	ck_assert_int_eq(frame_send_enc(auditd.conn, MSG_AUDIT_ACK,
	    auditd.id[n] + (_i == 1), &e), 0);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_AUDIT_UNAVAILABLE);
	ck_assert_uint_eq(k.signatures, 0);
	auditd.hold = false;
	ck_assert(auditd_has(n + 2));
	send_sign(fd, 1, 1, 0, 3);
	expect(fd, LINK_KEYD, MSG_SIGN);
	close(fd);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("keyd");
	TCase	*tc = tcase_create("keyd");
	SRunner	*sr;
	int	 failed;

	log_init("test_keyd", 0);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, signs);
	tcase_add_test(tc, record_refused_at_once);
	tcase_add_test(tc, lock_overtakes);
	tcase_add_test(tc, small_overtakes);
	tcase_add_test(tc, key_changes_meanwhile);
	tcase_add_test(tc, two_unlocks);
	tcase_add_test(tc, lock_during_unlock);
	tcase_add_test(tc, answer_of_one_who_left);
	tcase_add_test(tc, stop_while_waiting);
	tcase_add_test(tc, memory_is_bounded);
	tcase_add_test(tc, who_may_unlock);
	tcase_add_test(tc, knocking);
	tcase_add_test(tc, violations);
	tcase_add_test(tc, rate);
	tcase_add_test(tc, never_reads);
	tcase_add_loop_test(tc, record_after_reconnect, 0, 2);
	tcase_add_test(tc, auditd_hangs);
	tcase_add_loop_test(tc, auditd_lies, 0, 2);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
