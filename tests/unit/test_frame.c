/* proto over sockets: the daemons' side on libevent, and the tools'. */
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"
#include "secmem.h"

static struct event_base	*base;
static struct frame_conn	*conn;	/* the server's end */
static int			 peer;	/* the other, not blocking */

/* What the handler saw, and what it is to do. */
static struct {
	unsigned	 n;
	uint64_t	 id[4096];
	uint16_t	 type;
	uint8_t		 last[4096];
	size_t		 len;
	unsigned	 closed;
	char		 why[128];
	unsigned	 close_at, pause_at;	/* message number; 0: never */
	bool		 take, echo;
	uint8_t		*taken;
	size_t		 arena;			/* used during the call */
} saw;

static void
message(struct frame_conn *c, const struct frame *f, void *arg)
{
	ck_assert_ptr_eq(arg, &saw);
	ck_assert_ptr_eq(c, conn);
	ck_assert_uint_lt(saw.n, 4096);
	saw.id[saw.n++] = f->id;
	saw.type = f->type;
	saw.len = f->len;
	ck_assert(f->len == 0 || f->p != NULL);
	if (f->len != 0)
		memcpy(saw.last, f->p, f->len < sizeof(saw.last) ? f->len :
		    sizeof(saw.last));
	saw.arena = secmem_used();
	if (saw.take)
		saw.taken = frame_take(c);
	if (saw.echo)
		ck_assert_int_eq(frame_send_error(c, f->id, CODE_LOCKED, 0,
		    "no"), 0);
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
	(void)arg;
	ck_assert_ptr_eq(c, conn);
	saw.closed++;
	(void)strlcpy(saw.why, why, sizeof(saw.why));
	conn = NULL;
}

static const struct frame_ops ops = { message, closed };

static void
turns(int n)
{
	while (n-- > 0)
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void
start(enum proto_link link)
{
	int	 sv[2];

	memset(&saw, 0, sizeof(saw));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    sv), 0);
	peer = sv[1];
	conn = frame_conn_new(base, sv[0], link, true, &ops, &saw);
	ck_assert_ptr_nonnull(conn);
	ck_assert_int_eq(frame_fd(conn), sv[0]);
}

static void
stop(void)
{
	if (conn != NULL)
		frame_conn_close(conn);
	conn = NULL;
	close(peer);
}

static void
setup(void)
{
	const char	*errstr;

	signal(SIGPIPE, SIG_IGN);
	ck_assert_ptr_nonnull(base = event_base_new());
	ck_assert_int_eq(secmem_init(65536, SECMEM_NO_MEMFD, &errstr), 0);
}

/* Appends a frame of len bytes 0, 1, 2, ... */
static void
put(struct enc *e, uint16_t type, uint64_t id, size_t len)
{
	struct proto_header	 h = { type, (uint32_t)len, id };
	uint8_t			 head[PROTO_HEADER_LEN];
	size_t			 i;

	proto_put_header(head, &h);
	enc_raw(e, head, sizeof(head));
	for (i = 0; i < len; i++)
		enc_u8(e, (uint8_t)i);
}

static void
feed(const void *p, size_t len)
{
	ck_assert_int_eq(write(peer, p, len), (ssize_t)len);
}

/* Three frames, cut in two at every place, and sent byte by byte. */
START_TEST(split)
{
	struct enc	 e;
	size_t		 cut, i;

	enc_init(&e);
	put(&e, MSG_INFO_REQ, 1, 0);
	put(&e, MSG_NOTE, 2, 40);
	put(&e, MSG_KEY_LIST_REQ, 3, 12);
	for (cut = 0; cut <= e.len; cut++) {
		start(LINK_KEYD);
		feed(e.buf, cut);
		turns(4);
		ck_assert_uint_eq(saw.n, (cut >= 20 ? 1U : 0) +
		    (cut >= 80 ? 1U : 0) + (cut >= 112 ? 1U : 0));
		feed(e.buf + cut, e.len - cut);
		turns(4);
		ck_assert_uint_eq(saw.n, 3);
		for (i = 0; i < 3; i++)
			ck_assert_uint_eq(saw.id[i], i + 1);
		ck_assert_uint_eq(saw.type, MSG_KEY_LIST_REQ);
		ck_assert_uint_eq(saw.len, 12);
		for (i = 0; i < 12; i++)
			ck_assert_uint_eq(saw.last[i], i);
		stop();
	}
	start(LINK_KEYD);
	for (i = 0; i < e.len; i++) {
		feed(e.buf + i, 1);
		turns(1);
	}
	turns(2);
	ck_assert_uint_eq(saw.n, 3);
	stop();
	enc_free(&e);
}
END_TEST

/* More than the loop takes in one turn; all answered, in order. */
START_TEST(many)
{
	struct proto_header	 h;
	struct enc		 e;
	const char		*why;
	uint8_t			 head[PROTO_HEADER_LEN], rest[64];
	uint64_t		 i;

	start(LINK_KEYD);
	saw.echo = true;
	enc_init(&e);
	for (i = 0; i < 1000; i++)
		put(&e, MSG_INFO_REQ, i, 0);
	feed(e.buf, e.len);
	turns(40);
	ck_assert_uint_eq(saw.n, 1000);
	for (i = 0; i < 1000; i++) {
		ck_assert_uint_eq(saw.id[i], i);
		ck_assert_int_eq(read(peer, head, sizeof(head)), sizeof(head));
		ck_assert_int_eq(proto_get_header(head, &h, LINK_KEYD, false,
		    &why), 0);
		ck_assert_uint_eq(h.type, MSG_ERROR);
		ck_assert_uint_eq(h.id, i);
		ck_assert_int_eq(read(peer, rest, h.len), (ssize_t)h.len);
		turns(1);
	}
	enc_free(&e);
	stop();
}
END_TEST

START_TEST(secret_in_arena)
{
	struct enc	 e;
	size_t		 i;

	start(LINK_KEYD_ADMIN);
	saw.take = true;
	saw.taken = (uint8_t *)&saw;
	enc_init(&e);
	put(&e, MSG_UNLOCK, 1, 67);
	/* Already while it comes in. */
	feed(e.buf, 40);
	turns(3);
	ck_assert_uint_ge(secmem_used(), 67);
	feed(e.buf + 40, e.len - 40);
	turns(3);
	ck_assert_uint_eq(saw.n, 1);
	ck_assert_uint_eq(saw.len, 67);
	for (i = 0; i < 67; i++)
		ck_assert_uint_eq(saw.last[i], i);
	ck_assert_uint_ge(saw.arena, 67);
	ck_assert_ptr_null(saw.taken);		/* it may not leave */
	ck_assert_uint_eq(secmem_used(), 0);
	/* Given back when the peer goes in the middle, or we do. */
	feed(e.buf, 40);
	turns(3);
	ck_assert_uint_ge(secmem_used(), 67);
	close(peer);
	turns(3);
	ck_assert_uint_eq(saw.closed, 1);
	ck_assert_uint_eq(secmem_used(), 0);
	start(LINK_KEYD_ADMIN);
	saw.close_at = 1;
	feed(e.buf, e.len);
	turns(3);
	ck_assert_uint_eq(saw.n, 1);
	ck_assert_uint_eq(secmem_used(), 0);
	stop();
	/* A message that is not secret does not touch it. */
	start(LINK_KEYD_ADMIN);
	saw.take = true;
	e.len = 0;
	put(&e, MSG_UNLOCK_FILE, 1, 100);
	feed(e.buf, e.len);
	turns(3);
	ck_assert_uint_eq(saw.arena, 0);
	ck_assert_ptr_nonnull(saw.taken);
	ck_assert_uint_eq(saw.taken[99], 99);
	free(saw.taken);
	stop();
	enc_free(&e);
}
END_TEST

/* No arena, no secret message: the peer is let go, nothing is read. */
START_TEST(arena_full)
{
	struct enc	 e;
	void		*p;

	ck_assert_ptr_nonnull(p = secmem_alloc(secmem_size() - 64));
	start(LINK_KEYD_ADMIN);
	enc_init(&e);
	put(&e, MSG_UNLOCK, 1, 67);
	feed(e.buf, e.len);
	turns(3);
	ck_assert_uint_eq(saw.n, 0);
	ck_assert_uint_eq(saw.closed, 1);
	ck_assert_str_eq(saw.why, "out of memory for a message");
	secmem_free(p);
	enc_free(&e);
	close(peer);
}
END_TEST

static const struct {
	uint16_t	 type;
	uint32_t	 len;
	const char	*why;
} bad_heads[] = {
	{ MSG_SIGN_REQ, PROTO_MAX_SIGN + 1, "message length out of bounds" },
	{ MSG_SIGN_REQ, UINT32_MAX, "message length out of bounds" },
	{ MSG_INFO_REQ, 1, "message length out of bounds" },
	{ MSG_KEY_LIST_REQ, 11, "message length out of bounds" },
	{ MSG_UNLOCK, 67, "message type not allowed on this socket" },
	{ MSG_INFO, 61, "message type not allowed on this socket" },
	{ MSG_MAX, 0, "unknown message type" },
	{ MSG_NONE, 0, "unknown message type" },
};

/* Refused at the header: the rest need not come, and nothing waits for it. */
START_TEST(bad_header)
{
	struct proto_header	 h = { bad_heads[_i].type, bad_heads[_i].len,
				    1 };
	uint8_t			 head[PROTO_HEADER_LEN];

	start(LINK_KEYD);
	proto_put_header(head, &h);
	feed(head, sizeof(head));
	turns(3);
	ck_assert_uint_eq(saw.n, 0);
	ck_assert_uint_eq(saw.closed, 1);
	ck_assert_str_eq(saw.why, bad_heads[_i].why);
	ck_assert_int_eq(read(peer, head, 1), 0);
	close(peer);
}
END_TEST

START_TEST(close_and_pause)
{
	struct enc	 e;
	uint64_t	 i;

	enc_init(&e);
	for (i = 1; i <= 10; i++)
		put(&e, MSG_NOTE, i, 34);
	start(LINK_KEYD);
	saw.close_at = 3;
	feed(e.buf, e.len);
	turns(5);
	ck_assert_uint_eq(saw.n, 3);
	ck_assert_uint_eq(saw.closed, 0);	/* who closes is not told */
	stop();
	start(LINK_KEYD);
	saw.pause_at = 4;
	feed(e.buf, e.len);
	turns(5);
	ck_assert_uint_eq(saw.n, 4);
	frame_conn_pause(conn);			/* twice is once */
	frame_conn_resume(conn);
	frame_conn_resume(conn);
	turns(5);
	ck_assert_uint_eq(saw.n, 10);
	/* Paused, then closed from within, then by the owner's pause. */
	frame_conn_pause(conn);
	feed(e.buf, e.len);
	turns(3);
	ck_assert_uint_eq(saw.n, 10);
	stop();
	/* The peer has left, but what it sent is still read. */
	start(LINK_KEYD);
	feed(e.buf, e.len);
	close(peer);
	turns(5);
	ck_assert_uint_eq(saw.n, 10);
	ck_assert_uint_eq(saw.closed, 1);
	ck_assert_str_eq(saw.why, "closed by the peer");
	/* In the middle of a message: nothing is handed over. */
	start(LINK_KEYD);
	feed(e.buf, 49);
	close(peer);
	turns(5);
	ck_assert_uint_eq(saw.n, 0);
	ck_assert_uint_eq(saw.closed, 1);
	enc_free(&e);
}
END_TEST

START_TEST(queue_cap)
{
	static uint8_t	 big[8 * 1024 * 1024];
	int		 i;

	start(LINK_KEYD);
	for (i = 0; frame_send(conn, MSG_SIGN, 1, big, sizeof(big)) == 0; i++)
		ck_assert_int_lt(i, 10);
	ck_assert_int_ge(i, 7);
	ck_assert_uint_le(frame_queued(conn), FRAME_MAX_QUEUE + 200);
	/* Not told within the call, and told once. */
	ck_assert_uint_eq(saw.closed, 0);
	ck_assert_int_eq(frame_send(conn, MSG_OK, 1, NULL, 0), -1);
	turns(3);
	ck_assert_uint_eq(saw.closed, 1);
	ck_assert_str_eq(saw.why, "the peer does not read its answers");
	close(peer);
	/* Closed by its owner before the loop could tell. */
	start(LINK_KEYD);
	while (frame_send(conn, MSG_SIGN, 1, big, sizeof(big)) == 0)
		;
	stop();
	turns(3);
	ck_assert_uint_eq(saw.closed, 0);
}
END_TEST

/* A slow reader gets every byte, in order. */
START_TEST(slow_reader)
{
	static uint8_t	 big[3 * 1024 * 1024], got[sizeof(big) * 2 + 40];
	size_t		 i, n = 0;
	ssize_t		 r;

	for (i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 7 + (i >> 11));
	start(LINK_KEYD);
	ck_assert_int_eq(frame_send(conn, MSG_SIGN, 1, big, sizeof(big)), 0);
	ck_assert_int_eq(frame_send(conn, MSG_SIGN, 2, big, sizeof(big)), 0);
	while (n < sizeof(got)) {
		r = read(peer, got + n, sizeof(got) - n < 10007 ?
		    sizeof(got) - n : 10007);
		if (r > 0)
			n += (size_t)r;
		turns(1);
	}
	ck_assert_uint_eq(frame_queued(conn), 0);
	ck_assert_mem_eq(got + 20, big, sizeof(big));
	ck_assert_mem_eq(got + 40 + sizeof(big), big, sizeof(big));
	ck_assert_uint_eq(got[20 + sizeof(big) + 12], 2);
	stop();
	/* Gone while there is something to write. */
	start(LINK_KEYD);
	ck_assert_int_eq(frame_send(conn, MSG_SIGN, 1, big, sizeof(big)), 0);
	close(peer);
	turns(5);
	ck_assert_uint_eq(saw.closed, 1);
}
END_TEST

/* --- the tools' side --- */

/* A server in a child: answers what comes as the script says. */
static int
server(const char *script, pid_t *pid)
{
	struct proto_header	 h;
	const char		*why;
	uint8_t			 buf[PROTO_HEADER_LEN + 4];
	int			 sv[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	if ((*pid = fork()) != 0) {
		close(sv[1]);
		return sv[0];
	}
	close(sv[0]);
	if (*script == 'h') {			/* hangs, reads nothing */
		pause();
		_exit(0);
	}
	if (recv(sv[1], buf, PROTO_HEADER_LEN, MSG_WAITALL) !=
	    PROTO_HEADER_LEN || proto_get_header(buf, &h, LINK_KEYD_ADMIN,
	    true, &why) == -1)
		_exit(1);
	for (; *script != '\0'; script++) {
		switch (*script) {
		case 'o':			/* another's answer */
			(void)frame_write(sv[1], MSG_OK, h.id + 1, NULL, 0);
			break;
		case 'a':
			(void)frame_write(sv[1], MSG_OK, h.id, NULL, 0);
			break;
		case 'w':			/* of another socket */
			(void)frame_write(sv[1], MSG_INFO, h.id, buf, 0);
			break;
		case 'p':			/* half an answer */
			(void)send(sv[1], buf, 7, 0);
			break;
		case 's':
			pause();
		}
	}
	_exit(0);
}

START_TEST(call)
{
	static const struct {
		const char	*script, *err;
	} c[] = {
		{ "a", NULL }, { "ooa", NULL },
		{ "w", "bad answer: message type not allowed on this socket" },
		{ "", "the daemon closed the connection" },
		{ "p", "the daemon closed the connection" },
		{ "s", "no answer in time" }, { "os", "no answer in time" },
		{ "ps", "no answer in time" },
	};
	struct frame_reply	 r;
	char			 err[256];
	pid_t			 pid;
	int			 fd, ret;
	bool			 late = strchr(c[_i].script, 's') != NULL;

	fd = server(c[_i].script, &pid);
	ret = frame_call(fd, LINK_KEYD_ADMIN, MSG_LOCK, NULL, 0,
	    late ? 150 : 15000, &r, err, sizeof(err));
	if (c[_i].err == NULL) {
		ck_assert_msg(ret == 0, "%s", err);
		ck_assert_uint_eq(r.type, MSG_OK);
		ck_assert_uint_eq(r.len, 0);
		frame_reply_free(&r);
	} else {
		ck_assert_int_eq(ret, -1);
		ck_assert_str_eq(err, c[_i].err);
		ck_assert_ptr_null(r.p);
	}
	close(fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
END_TEST

/* A daemon that hangs must not hang its operator, however much is sent. */
START_TEST(call_to_a_hung_daemon)
{
	static uint8_t		 big[4 * 1024 * 1024];
	struct frame_reply	 r;
	struct timespec		 a, b;
	char			 err[256];
	pid_t			 pid;
	int			 fd = server("h", &pid);

	clock_gettime(CLOCK_MONOTONIC, &a);
	ck_assert_int_eq(frame_call(fd, LINK_KEYD_ADMIN, MSG_UNLOCK_FILE, big,
	    sizeof(big), 200, &r, err, sizeof(err)), -1);
	clock_gettime(CLOCK_MONOTONIC, &b);
	ck_assert_str_eq(err, "no answer in time");
	/* However late this machine is. */
	ck_assert_int_le(b.tv_sec - a.tv_sec, 15);
	close(fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
END_TEST

START_TEST(connecting)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	char			 dir[] = "/tmp/igra-frame-XXXXXX", err[512];
	char			 name[200];
	int			 fd, c;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(frame_connect(name, 0, err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "too long"));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/s", dir);
	ck_assert_int_eq(frame_connect(sun.sun_path, 0, err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "No such file"));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(frame_connect(sun.sun_path, 0, err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "refused"));
	ck_assert_int_eq(listen(fd, 5), 0);
	c = frame_connect(sun.sun_path, geteuid(), err, sizeof(err));
	ck_assert_int_ne(c, -1);
	ck_assert_int_ne(fcntl(c, F_GETFD) & FD_CLOEXEC, 0);
	close(c);
	/* A listener that is neither who we want nor root. */
	c = frame_connect(sun.sun_path, 64009, err, sizeof(err));
	if (geteuid() == 0)
		ck_assert_int_ne(c, -1);
	else {
		ck_assert_int_eq(c, -1);
		ck_assert_ptr_nonnull(strstr(err, "not talking to it"));
	}
	close(c);
	if (geteuid() == 0) {
		/* Its credentials are those at listen(). */
		ck_assert_int_eq(seteuid(64009), 0);
		ck_assert_int_eq(listen(fd, 5), 0);
		ck_assert_int_eq(seteuid(0), 0);
		ck_assert_int_eq(frame_connect(sun.sun_path, 64001, err,
		    sizeof(err)), -1);
		ck_assert_ptr_nonnull(strstr(err, "uid 64009, expected 64001"));
	}
	unlink(sun.sun_path);
	rmdir(dir);
	close(fd);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("frame");
	TCase	*tc = tcase_create("frame");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, split);
	tcase_add_test(tc, many);
	tcase_add_test(tc, secret_in_arena);
	tcase_add_test(tc, arena_full);
	tcase_add_loop_test(tc, bad_header, 0,
	    (int)(sizeof(bad_heads) / sizeof(bad_heads[0])));
	tcase_add_test(tc, close_and_pause);
	tcase_add_test(tc, queue_cap);
	tcase_add_test(tc, slow_reader);
	tcase_add_loop_test(tc, call, 0, 8);
	tcase_add_test(tc, call_to_a_hung_daemon);
	tcase_add_test(tc, connecting);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
