/*
 * keyd's line to igra-auditd: records that are refused, and an igra-auditd
 * that answers nonsense.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bootclock.h"
#include "keyd/audit_int.h"
#include "log.h"

#define MAX_SEEN	4096

static struct daemon	 d;
static struct conf	 conf;
static struct audit_link al;
static struct event_base *base;
static char		 dir[64], path[96];

/* The igra-auditd of these tests, and the records that it took. */
static struct {
	struct frame_conn	*conn;
	unsigned		 greeted;
	bool			 refuse;
	enum proto_code		 code;
	unsigned		 refused;	/* messages */
	uint64_t		 kseq;
	unsigned		 n;
	struct {
		enum audit_event	 event;
		uint64_t		 kseq;
		bool			 delayed;
		char			 text[64];	/* reason or actual */
	} seen[MAX_SEEN];
} auditd;

static unsigned	 answered, refusals;	/* of who waits ... */
static char	 refusal[128];		/* ... and what was said */

static void
take(const struct audit_record *r)
{
	enum audit_field	 f = audit_has(r, FIELD_ACTUAL) ?
				    FIELD_ACTUAL : FIELD_REASON;

	ck_assert_uint_lt(auditd.n, MAX_SEEN);
	ck_assert_uint_gt(r->v[FIELD_KSEQ].u, auditd.kseq);
	auditd.kseq = r->v[FIELD_KSEQ].u;
	auditd.seen[auditd.n].event = r->event;
	auditd.seen[auditd.n].kseq = auditd.kseq;
	auditd.seen[auditd.n].delayed = audit_has(r, FIELD_DELAYED);
	auditd.seen[auditd.n].text[0] = '\0';
	if (audit_has(r, f))
		ck_assert(bytes_cstr(r->v[f].b, auditd.seen[auditd.n].text,
		    sizeof(auditd.seen[0].text)));
	auditd.n++;
}

static void
append(struct frame_conn *c, const struct frame *f)
{
	struct msg_audit_append	 m;
	struct msg_audit_ack	 ack;
	struct pool		 pool;
	struct enc		 e;
	uint32_t		 i;

	if (auditd.refuse) {
		auditd.refused++;
		ck_assert_int_eq(frame_send_error(c, f->id, auditd.code,
		    PROTO_NO_PSKT, "no space"), 0);
		return;
	}
	pool_init(&pool, 0);
	ck_assert_int_eq(dec_audit_append(f->p, f->len, &pool, &m), 0);
	for (i = 0; i < m.n; i++)
		take(&m.record[i]);
	pool_free(&pool);
	memset(&ack, 0, sizeof(ack));
	ack.last_kseq = ack.seq = auditd.kseq;
	enc_init(&e);
	enc_audit_ack(&e, &ack);
	ck_assert_int_eq(frame_send_enc(c, MSG_AUDIT_ACK, f->id, &e), 0);
}

static void
message(struct frame_conn *c, const struct frame *f, void *arg)
{
	struct msg_audit_state	 m;
	struct enc		 e;

	(void)arg;
	if (f->type == MSG_AUDIT_APPEND) {
		append(c, f);
		return;
	}
	ck_assert_uint_eq(f->type, MSG_AUDIT_HELLO);
	memset(&m, 0, sizeof(m));
	m.last_kseq = auditd.kseq;
	enc_init(&e);
	enc_audit_state(&e, &m);
	ck_assert_int_eq(frame_send_enc(c, MSG_AUDIT_STATE, f->id, &e), 0);
	auditd.greeted++;
}

static void
closed(struct frame_conn *c, const char *why, void *arg)
{
	(void)c;
	(void)why;
	(void)arg;
	auditd.conn = NULL;
}

static const struct frame_ops ops = { message, closed };

static void
on_accept(int fd, short what, void *arg)
{
	(void)what;
	(void)arg;
	ck_assert_int_ge(fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK), 0);
	auditd.conn = frame_conn_new(base, fd, LINK_AUDITD, true, &ops, NULL);
	ck_assert_ptr_nonnull(auditd.conn);
}

static void
turns(int n)
{
	while (n-- > 0)
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

/* Until it is connected; false: not in 20 s. */
static bool
is_ready(void)
{
	int	 i;

	for (i = 0; i < 20000 && !audit_ready(&al); i++) {
		turns(1);
		usleep(1000);
	}
	return audit_ready(&al);
}

static void
health(bool healthy)
{
	struct msg_audit_health	 m;
	struct enc		 e;

	memset(&m, 0, sizeof(m));
	m.healthy = healthy;
	m.reason = bytes_str(healthy ? "" : "no space");
	enc_init(&e);
	enc_audit_health(&e, &m);
	ck_assert_int_eq(frame_send_enc(auditd.conn, MSG_AUDIT_HEALTH, 0,
	    &e), 0);
	turns(10);
}

static void
setup(void)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	struct event		*ev;
	int			 fd;

	signal(SIGPIPE, SIG_IGN);
	(void)strlcpy(dir, "/tmp/igra-link-XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/auditd.sock", dir);
	d.conf = &conf;
	conf.auditd_socket = path;
	d.uid[ROLE_AUDITD] = geteuid();
	ck_assert_ptr_nonnull(base = event_base_new());
	(void)strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ev = event_new(base, fd, EV_READ | EV_PERSIST, on_accept, NULL);
	ck_assert_int_eq(event_add(ev, NULL), 0);
	auditd.code = CODE_AUDIT_UNAVAILABLE;
	ck_assert_int_eq(audit_init(&al, &d, base), 0);
	ck_assert(is_ready());
}

static void
teardown(void)
{
	audit_free(&al);
	(void)unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void
tell(enum audit_event event, const char *reason)
{
	struct audit_record	 r;

	audit_record_init(&r, event, SRC_KEYD, true);
	audit_set_str(&r, FIELD_REASON, reason);
	audit_tell(&al, &r);
	turns(3);
}

static void
answer(bool ok, const struct msg_audit_ack *ack, const char *why, void *arg)
{
	(void)ack;
	(void)arg;
	answered++;
	if (!ok) {
		refusals++;
		(void)strlcpy(refusal, why, sizeof(refusal));
	}
}

/* Nothing kept, nothing outstanding, and the sums say so. */
static void
is_empty(void)
{
	ck_assert(TAILQ_EMPTY(&al.waits));
	ck_assert_uint_eq(al.nwaits, 0);
	ck_assert_uint_eq(al.bytes, 0);
	ck_assert(TAILQ_EMPTY(&al.later));
	ck_assert_uint_eq(al.nlater, 0);
	ck_assert_uint_eq(al.later_bytes, 0);
}

/* What a full disk has refused comes when there is room, in its order. */
START_TEST(refused_is_kept)
{
	uint64_t	 kseq;
	unsigned	 sent;

	auditd.refuse = true;
	tell(EV_LOCK, "first");
	tell(EV_CACHE_EVICTED, "second");
	tell(EV_LOCK, "third");
	ck_assert_uint_eq(auditd.refused, 3);
	ck_assert_uint_eq(al.nlater, 3);
	kseq = al.kseq;
	/* Once in a while one of them is tried. */
	sent = auditd.refused;
	audit_tick(-1, 0, &al);
	turns(10);
	audit_tick(-1, 0, &al);
	turns(10);
	ck_assert_uint_eq(auditd.refused, sent + 2);
	ck_assert_uint_eq(al.nlater, 3);
	ck_assert_uint_eq(auditd.n, 0);
	sleep(1);
	auditd.refuse = false;
	/* Told that it is well again, or by the next try. */
	if (_i == 0)
		health(true);
	else {
		audit_tick(-1, 0, &al);
		turns(10);
	}
	ck_assert_uint_eq(auditd.n, 3);
	ck_assert_str_eq(auditd.seen[0].text, "first");
	ck_assert_int_eq(auditd.seen[1].event, EV_CACHE_EVICTED);
	ck_assert_str_eq(auditd.seen[2].text, "third");
	ck_assert_uint_gt(auditd.seen[0].kseq, kseq);
	ck_assert(auditd.seen[0].delayed && auditd.seen[2].delayed);
	is_empty();
	tell(EV_LOCK, "now");
	ck_assert_uint_eq(auditd.n, 4);
	ck_assert(!auditd.seen[3].delayed);
	is_empty();
}
END_TEST

/* It fills up again halfway: the order stays, and nothing is there twice. */
START_TEST(refused_again)
{
	auditd.refuse = true;
	tell(EV_LOCK, "1");
	tell(EV_LOCK, "2");
	tell(EV_LOCK, "3");
	auditd.refuse = false;
	audit_later_send(&al, false);
	while (auditd.n == 0)
		turns(1);
	auditd.refuse = true;
	turns(20);
	ck_assert_uint_eq(auditd.n, 1);
	ck_assert_uint_eq(al.nlater, 2);
	auditd.refuse = false;
	audit_tick(-1, 0, &al);
	turns(20);
	ck_assert_uint_eq(auditd.n, 3);
	ck_assert_str_eq(auditd.seen[0].text, "1");
	ck_assert_str_eq(auditd.seen[1].text, "2");
	ck_assert_str_eq(auditd.seen[2].text, "3");
	is_empty();
}
END_TEST

/* The line breaks while they are kept, or while one is on its way. */
START_TEST(kept_over_reconnect)
{
	auditd.refuse = true;
	tell(EV_LOCK, "1");
	tell(EV_LOCK, "2");
	if (_i == 1)
		audit_later_send(&al, false);
	frame_conn_close(auditd.conn);
	auditd.conn = NULL;
	auditd.refuse = false;
	while (audit_ready(&al))
		turns(1);
	ck_assert(is_ready());
	turns(10);
	health(true);
	ck_assert_uint_eq(auditd.n, 2);
	ck_assert_str_eq(auditd.seen[0].text, "1");
	ck_assert_str_eq(auditd.seen[1].text, "2");
	is_empty();
}
END_TEST

/* There is an end to it; what is lost is counted, and that is recorded. */
START_TEST(bounded)
{
	unsigned	 i, more = 7;

	auditd.refuse = true;
	for (i = 0; i < AUDIT_MAX_LATER + more; i++)
		tell(EV_LOCK, "x");
	ck_assert_uint_eq(al.nlater, AUDIT_MAX_LATER);
	ck_assert_uint_le(al.later_bytes, AUDIT_MAX_LATER_BYTES);
	ck_assert_uint_eq(al.lost, more);
	auditd.refuse = false;
	health(true);
	for (i = 0; i < 5000 && auditd.n < AUDIT_MAX_LATER; i++)
		turns(1);
	ck_assert_uint_eq(auditd.n, AUDIT_MAX_LATER);
	audit_tick(-1, 0, &al);
	turns(10);
	ck_assert_uint_eq(auditd.n, AUDIT_MAX_LATER + 1);
	ck_assert_int_eq(auditd.seen[auditd.n - 1].event, EV_SECURITY_ALERT);
	ck_assert_str_eq(auditd.seen[auditd.n - 1].text, "7 records");
	ck_assert_uint_eq(al.lost, 0);
	is_empty();
}
END_TEST

/* Few, but long. */
START_TEST(bounded_in_bytes)
{
	static struct audit_record	 r[64];
	char				 text[AUDIT_MAX_STR + 1];
	unsigned			 i;

	memset(text, 'x', AUDIT_MAX_STR);
	text[AUDIT_MAX_STR] = '\0';
	auditd.refuse = true;
	for (i = 0; i < 64; i++) {
		audit_record_init(&r[i], EV_LOCK, SRC_KEYD, true);
		audit_set_str(&r[i], FIELD_REASON, text);
	}
	for (i = 0; i < 8; i++) {
		audit_tell_all(&al, r, 64);
		turns(20);
	}
	ck_assert_uint_eq(al.nlater, 3);
	ck_assert_uint_le(al.later_bytes, AUDIT_MAX_LATER_BYTES);
	ck_assert_uint_eq(al.lost, 5 * 64);
}
END_TEST

/* Who waits is told no, and asks again itself; nonsense stays refused. */
START_TEST(not_kept)
{
	struct audit_record	 r;

	auditd.refuse = true;
	audit_record_init(&r, EV_LOCK, SRC_KEYD, true);
	audit_submit(&al, &r, 1, bootclock_now(), answer, NULL);
	turns(10);
	ck_assert_uint_eq(answered, 1);
	ck_assert_str_eq(refusal, "no space");
	ck_assert_uint_eq(refusals, 1);
	is_empty();
	auditd.code = CODE_TOO_LARGE;
	tell(EV_LOCK, "x");
	is_empty();
	auditd.refuse = false;
	health(true);
	ck_assert_uint_eq(auditd.n, 0);
}
END_TEST

/* A word on its health, whole, and then broken in each way there is. */
static void
broken_health(struct enc *e, int how)
{
	struct msg_audit_health	 m;
	char			 text[PROTO_MAX_HEALTH + 2];

	memset(&m, 0, sizeof(m));
	m.reason = bytes_str("no\0space");
	if (how == 0)
		m.reason.len = 8;		/* a NUL within */
	if (how == 1) {
		memset(text, 'x', sizeof(text));
		m.reason.p = (const uint8_t *)text;
		m.reason.len = PROTO_MAX_HEALTH + 1;
	}
	enc_init(e);
	enc_audit_health(e, &m);
	if (how == 2)
		e->buf[0] = 2;			/* neither true nor false */
	if (how == 3)
		enc_u8(e, 0);			/* more than it says */
	if (how == 4)
		e->len--;			/* less */
	if (how == 5)
		e->len = 0;
	if (how == 6)
		memset(e->buf + 9, 0xff, 4);	/* a length beyond the end */
}

START_TEST(health_is_broken)
{
	struct audit_record	 r;
	unsigned		 greeted = auditd.greeted;
	struct enc		 e;

	health(false);
	ck_assert(!al.healthy);
	ck_assert_str_eq(al.reason, "no space");
	broken_health(&e, _i);
	ck_assert_int_eq(frame_send(auditd.conn, MSG_AUDIT_HEALTH, 0, e.buf,
	    e.len), 0);
	enc_free(&e);
	while (audit_ready(&al))
		turns(1);
	/* Nothing is signed until it is back. */
	audit_record_init(&r, EV_LOCK, SRC_KEYD, true);
	audit_submit(&al, &r, 1, bootclock_now(), answer, NULL);
	ck_assert_uint_eq(refusals, 1);
	ck_assert_str_eq(refusal, "igra-auditd cannot be reached");
	is_empty();
	ck_assert(is_ready());
	ck_assert_uint_eq(auditd.greeted, greeted + 1);
	health(true);
	ck_assert(al.healthy);
	tell(EV_LOCK, "x");
	ck_assert_uint_eq(auditd.n, 1);
}
END_TEST

/* Before its greeting it has nothing to say. */
START_TEST(health_too_early)
{
	struct msg_audit_health	 m;
	struct enc		 e;

	al.ready = false;
	memset(&m, 0, sizeof(m));
	m.healthy = true;
	enc_init(&e);
	enc_audit_health(&e, &m);
	ck_assert_int_eq(frame_send_enc(auditd.conn, MSG_AUDIT_HEALTH, 0,
	    &e), 0);
	while (al.conn != NULL)
		turns(1);
	ck_assert(is_ready());
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("audit_link");
	TCase	*tc = tcase_create("audit_link");
	SRunner	*sr;
	int	 failed;

	log_init("test_audit_link", 0);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, refused_is_kept, 0, 2);
	tcase_add_test(tc, refused_again);
	tcase_add_loop_test(tc, kept_over_reconnect, 0, 2);
	tcase_add_test(tc, bounded);
	tcase_add_test(tc, bounded_in_bytes);
	tcase_add_test(tc, not_kept);
	tcase_add_loop_test(tc, health_is_broken, 0, 7);
	tcase_add_test(tc, health_too_early);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
