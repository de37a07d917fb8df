/*
 * Where no secret can come, a connection reads ahead: nothing may be lost,
 * delayed or delivered twice because of it.  Where secrets come it must not.
 */
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frame.h"

#define MANY	500

static struct event_base	*base;
static struct frame_conn	*conn;
static int			 peer;

static struct {
	unsigned	 n;
	size_t		 len[MANY];
	bool		 wrong;		/* id or payload */
	unsigned	 closed;
	unsigned	 pause_at, close_at;
	unsigned	 ticked_at;	/* messages when the timer ran */
} saw;

static void
message(struct frame_conn *c, const struct frame *f, void *arg)
{
	size_t	 i;

	(void)arg;
	ck_assert_uint_lt(saw.n, MANY);
	saw.wrong |= f->id != saw.n;
	for (i = 0; i < f->len; i++)
		saw.wrong |= f->p[i] != (uint8_t)(f->id + i);
	saw.len[saw.n++] = f->len;
	if (saw.n == saw.pause_at)
		frame_conn_pause(c);
	if (saw.n == saw.close_at) {
		frame_conn_close(c);
		conn = NULL;
	}
}

static void
closed(struct frame_conn *c, const char *why, void *arg)
{
	(void)c;
	(void)arg;
	ck_assert_str_eq(why, "closed by the peer");
	saw.closed++;
	conn = NULL;
}

static void
tick(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	saw.ticked_at = saw.n;
}

static const struct frame_ops ops = { message, closed };

static void
start(enum proto_link link)
{
	int	 sv[2];

	memset(&saw, 0, sizeof(saw));
	ck_assert_ptr_nonnull(base = event_base_new());
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	peer = sv[1];
	ck_assert_int_eq(evutil_make_socket_nonblocking(sv[0]), 0);
	conn = frame_conn_new(base, sv[0], link, true, &ops, NULL);
	ck_assert_ptr_nonnull(conn);
}

static void
stop(void)
{
	if (conn != NULL)
		frame_conn_close(conn);
	conn = NULL;
	if (peer != -1)
		close(peer);
	event_base_free(base);
}

/* One frame of len bytes, which depend on its id. */
static void
put(struct enc *e, uint16_t type, uint64_t id, size_t len)
{
	struct proto_header	 h = { type, (uint32_t)len, id };
	uint8_t			 head[PROTO_HEADER_LEN];
	size_t			 i;

	proto_put_header(head, &h);
	enc_raw(e, head, sizeof(head));
	for (i = 0; i < len; i++)
		enc_u8(e, (uint8_t)(id + i));
}

static void
feed(const struct enc *e)
{
	ck_assert_int_eq(write(peer, e->buf, e->len), (ssize_t)e->len);
}

/* Never waits: what has come is handled without another byte. */
static void
turns(int n)
{
	while (n-- > 0)
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

/* More than one turn's messages in a few reads, and others have their turn. */
START_TEST(many)
{
	struct timeval	 soon = { 0, 0 };
	struct event	*ev;
	struct enc	 e;
	unsigned	 i;

	start(LINK_AUDITD);
	ev = evtimer_new(base, tick, NULL);
	enc_init(&e);
	for (i = 0; i < MANY; i++)
		put(&e, MSG_AUDIT_APPEND, i, 4 + i % 7);
	feed(&e);
	turns(1);
	ck_assert_uint_gt(saw.n, 0);
	ck_assert_uint_lt(saw.n, MANY);
	event_add(ev, &soon);
	turns(MANY);
	ck_assert_uint_eq(saw.n, MANY);
	ck_assert(!saw.wrong);
	ck_assert_uint_lt(saw.ticked_at, MANY);
	enc_free(&e);
	event_free(ev);
	stop();
}
END_TEST

/* Lengths around that of the buffer, fed in pieces of every kind. */
START_TEST(lengths)
{
	static const size_t	 len[] = { 4, 4096 - 20, 4096, 4095, 4097, 5,
				    8192, 100000, 4, 4096 - 44, 6 };
	static const size_t	 piece[] = { 1, 7, 20, 4095, 4096, 4097,
				    1000000 };
	struct enc		 e, part;
	size_t			 i, n, step = piece[_i];

	start(LINK_AUDITD);
	enc_init(&e);
	for (i = 0; i < sizeof(len) / sizeof(len[0]); i++)
		put(&e, MSG_AUDIT_APPEND, i, len[i]);
	for (i = 0; i < e.len; i += n) {
		n = e.len - i < step ? e.len - i : step;
		part = e;
		part.buf = e.buf + i;
		part.len = n;
		feed(&part);
		turns(step == 1 ? 1 : 8);
	}
	turns(64);
	ck_assert_uint_eq(saw.n, sizeof(len) / sizeof(len[0]));
	ck_assert(!saw.wrong);
	for (i = 0; i < saw.n; i++)
		ck_assert_uint_eq(saw.len[i], len[i]);
	enc_free(&e);
	stop();
}
END_TEST

/* A paused connection delivers nothing, also not what it has read already. */
START_TEST(paused)
{
	struct enc	 e;
	unsigned	 i;

	start(LINK_AUDITD);
	saw.pause_at = 10;
	enc_init(&e);
	for (i = 0; i < 100; i++)
		put(&e, MSG_AUDIT_APPEND, i, 4);
	feed(&e);
	turns(20);
	ck_assert_uint_eq(saw.n, 10);
	frame_conn_resume(conn);
	frame_conn_pause(conn);
	turns(20);
	ck_assert_uint_eq(saw.n, 10);
	frame_conn_resume(conn);
	turns(20);
	ck_assert_uint_eq(saw.n, 100);
	ck_assert(!saw.wrong);
	enc_free(&e);
	stop();
}
END_TEST

/* What was sent before the peer left is delivered, then the end is told. */
START_TEST(end)
{
	struct enc	 e;
	unsigned	 i;

	start(LINK_AUDITD);
	enc_init(&e);
	for (i = 0; i < 200; i++)
		put(&e, MSG_AUDIT_APPEND, i, 30);
	feed(&e);
	close(peer);
	peer = -1;
	turns(100);
	ck_assert_uint_eq(saw.n, 200);
	ck_assert_uint_eq(saw.closed, 1);
	enc_free(&e);
	stop();
}
END_TEST

START_TEST(closed_inside)
{
	struct enc	 e;
	unsigned	 i;

	start(LINK_AUDITD);
	saw.close_at = 3;
	enc_init(&e);
	for (i = 0; i < 100; i++)
		put(&e, MSG_AUDIT_APPEND, i, 4);
	feed(&e);
	turns(20);
	ck_assert_uint_eq(saw.n, 3);
	ck_assert_uint_eq(saw.closed, 0);
	enc_free(&e);
	stop();
}
END_TEST

/* On the socket that UNLOCK comes by, what follows a message stays there. */
START_TEST(not_past_secrets)
{
	struct enc	 e;
	unsigned	 i;
	int		 left = -1;

	start(LINK_KEYD_ADMIN);
	saw.pause_at = 1;
	enc_init(&e);
	put(&e, MSG_UNLOCK_FILE, 0, 33);
	for (i = 1; i < 5; i++)
		put(&e, MSG_LOCK, i, 0);
	feed(&e);
	turns(5);
	ck_assert_uint_eq(saw.n, 1);
	ck_assert_int_eq(ioctl(frame_fd(conn), FIONREAD, &left), 0);
	ck_assert_int_eq(left, 4 * PROTO_HEADER_LEN);
	enc_free(&e);
	stop();
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("frame_ahead");
	TCase	*tc = tcase_create("all");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, many);
	tcase_add_loop_test(tc, lengths, 0, 7);
	tcase_add_test(tc, paused);
	tcase_add_test(tc, end);
	tcase_add_test(tc, closed_inside);
	tcase_add_test(tc, not_past_secrets);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
