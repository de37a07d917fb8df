/*
 * igra-keyd in one process, for test_keyd.c: its own sockets and event loop,
 * clients that block, and an igra-auditd that answers when it is told to.
 */
#ifndef IGRA_KEYD_RIG_H
#define IGRA_KEYD_RIG_H

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <check.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "keyd/keyd.h"
#include "log.h"
#include "secmem.h"

#define INPUTS	1000

static struct keyd	 k;
static char		 dir[64];
static int		 keyd_fd, admin_fd;
static struct event	*keyd_ev, *admin_ev, *auditd_ev;
/* Other lines of [service.hd], and a phrase in each secrets file. */
static const char	*rig_hd = "key_type = \"raw_private_key\"\n";
static const char	*rig_profile;	/* of requests; NULL: they name none */
static const char	*rig_phrase;

/* The igra-auditd of these tests. */
static struct {
	struct frame_conn	*conn;
	bool			 hold;		/* answers only to auditd_ack */
	uint64_t		 id[64];
	uint64_t		 last[64];	/* kseq */
	uint64_t		 reservation[64];
	unsigned		 n, done;
	/* What its greeting says. */
	uint64_t		 kseq, greatest, seq;
} auditd;

static void
auditd_ack(void)
{
	struct msg_audit_ack	 m;
	struct enc		 e;

	while (auditd.done < auditd.n) {
		memset(&m, 0, sizeof(m));
		m.last_kseq = m.seq = auditd.last[auditd.done];
		enc_init(&e);
		enc_audit_ack(&e, &m);
		ck_assert_int_eq(frame_send_enc(auditd.conn, MSG_AUDIT_ACK,
		    auditd.id[auditd.done++], &e), 0);
		if (auditd.hold)
			return;
	}
}

static void
auditd_message(struct frame_conn *c, const struct frame *f, void *arg)
{
	struct msg_audit_state	 st;
	struct msg_audit_append	 m;
	struct pool		 pool;
	struct enc		 e;

	(void)arg;
	if (f->type == MSG_AUDIT_HELLO) {
		memset(&st, 0, sizeof(st));
		st.last_kseq = auditd.kseq;
		st.reservation = auditd.greatest;
		st.seq = auditd.seq;
		enc_init(&e);
		enc_audit_state(&e, &st);
		ck_assert_int_eq(frame_send_enc(c, MSG_AUDIT_STATE, f->id,
		    &e), 0);
		return;
	}
	ck_assert_uint_eq(f->type, MSG_AUDIT_APPEND);
	pool_init(&pool, 0);
	ck_assert_int_eq(dec_audit_append(f->p, f->len, &pool, &m), 0);
	ck_assert_uint_lt(auditd.n, 64);
	auditd.id[auditd.n] = f->id;
	auditd.reservation[auditd.n] =
	    m.record[m.n - 1].v[FIELD_RESERVATION].u;
	auditd.last[auditd.n++] = m.record[m.n - 1].v[FIELD_KSEQ].u;
	pool_free(&pool);
	if (!auditd.hold)
		auditd_ack();
}

static void
auditd_closed(struct frame_conn *c, const char *why, void *arg)
{
	(void)c;
	(void)why;
	(void)arg;
	auditd.conn = NULL;
}

static const struct frame_ops auditd_ops = { auditd_message, auditd_closed };

static void
auditd_accept(int fd, short what, void *arg)
{
	(void)what;
	(void)arg;
	fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
	ck_assert_int_ge(fd, 0);
	auditd.conn = frame_conn_new(k.base, fd, LINK_AUDITD, true,
	    &auditd_ops, NULL);
	ck_assert_ptr_nonnull(auditd.conn);
}

static int
listen_on(const char *path)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	int			 fd;

	(void)strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(listen(fd, 64), 0);
	return fd;
}

static void
accept_keyd(int fd, short what, void *arg)
{
	(void)what;
	client_accept(&k, fd, arg == NULL ? LINK_KEYD : LINK_KEYD_ADMIN);
}

/* One turn of the loop, without waiting. */
static void
turn(void)
{
	event_base_loop(k.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void
turns(int n)
{
	while (n-- > 0)
		turn();
}

static void
setup(void)
{
	char		 text[512], err[256], path[96];
	const char	*errstr;
	int		 n, i;

	signal(SIGPIPE, SIG_IGN);
	(void)mallopt(M_PERTURB, 0xa5);	/* freed memory must not look good */
	(void)strlcpy(dir, "/tmp/igra-keyd-XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	n = snprintf(text, sizeof(text), "[service]\nnetwork = \"devnet\"\n"
	    "active_profile = \"signer-01\"\ndata_dir = \"%s\"\n"
	    "[service.hd]\n%s", dir, rig_hd);
	k.d.conf = conf_parse(text, (size_t)n, "igra.toml", NULL, 1, err,
	    sizeof(err));
	ck_assert_msg(k.d.conf != NULL, "%s", err);
	for (i = 0; i < ROLE_MAX; i++)
		k.d.uid[i] = geteuid();
	k.d.progname = "igra-keyd";
	ck_assert_int_eq(secmem_init(4 << 20, SECMEM_NO_MEMFD, &errstr), 0);
	ck_assert_int_eq(curve_init(), 0);
	ck_assert_ptr_nonnull(k.own = own_new(k.d.conf, &errstr));
	TAILQ_INIT(&k.clients);
	TAILQ_INIT(&k.jobs);
	ck_assert_ptr_nonnull(k.base = event_base_new());
	for (i = 0; i < 4; i++) {
		static const char *sub[] = { "run", "run/igra-keyd",
		    "run/igra-auditd", "keyd" };

		snprintf(path, sizeof(path), "%s/%s", dir, sub[i]);
		ck_assert_int_eq(mkdir(path, 0755), 0);
	}
	keyd_fd = listen_on(k.d.conf->keyd_socket);
	admin_fd = listen_on(k.d.conf->keyd_admin_socket);
	snprintf(path, sizeof(path), "%s/state", dir);
	k.state_fd = open(path, O_RDWR | O_CREAT, 0600);
	keyd_ev = event_new(k.base, keyd_fd, EV_READ | EV_PERSIST,
	    accept_keyd, NULL);
	admin_ev = event_new(k.base, admin_fd, EV_READ | EV_PERSIST,
	    accept_keyd, &k);
	auditd_ev = event_new(k.base, listen_on(k.d.conf->auditd_socket),
	    EV_READ | EV_PERSIST, auditd_accept, NULL);
	event_add(keyd_ev, NULL);
	event_add(admin_ev, NULL);
	event_add(auditd_ev, NULL);
	ck_assert_int_eq(keyring_init(&k.ring, k.d.conf, k.base), 0);
	ck_assert_int_eq(audit_init(&k.audit, &k.d, k.base), 0);
	k.journal = journal_new(1000000, NULL);
	ck_assert_ptr_nonnull(k.journal);
	client_limits(&k);
	k.work = event_new(k.base, -1, 0, sign_work, &k);
	k.ring.evicted = admin_evicted;
	k.ring.expired = admin_relock;
	k.ring.arg = &k;
	while (!audit_ready(&k.audit))
		turn();
}

static void
teardown(void)
{
	char	 cmd[96];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	ck_assert_int_eq(system(cmd), 0);
}

/* --- the clients of these tests: blocking descriptors --- */

static int
dial(enum proto_link l)
{
	char	 err[256];
	int	 fd;

	fd = frame_connect(l == LINK_KEYD ? k.d.conf->keyd_socket :
	    k.d.conf->keyd_admin_socket, geteuid(), err, sizeof(err));
	ck_assert_msg(fd != -1, "%s", err);
	turns(3);
	return fd;
}

/* The next answer on fd; its type, 0 when none comes in time. */
static uint16_t
answer(int fd, enum proto_link l, struct frame_reply *r)
{
	struct pollfd		 p = { .fd = fd, .events = POLLIN };
	struct proto_header	 h;
	const char		*why;
	uint8_t			 head[PROTO_HEADER_LEN];
	size_t			 got = 0;
	ssize_t			 n;
	int			 i;

	memset(r, 0, sizeof(*r));
	for (i = 0; i < 20000 && poll(&p, 1, 0) == 0; i++) {
		turn();
		if (i > 100)
			usleep(1000);
	}
	if (poll(&p, 1, 0) == 0)
		return 0;
	if (recv(fd, head, sizeof(head), MSG_WAITALL) != sizeof(head))
		return 0;
	ck_assert_int_eq(proto_get_header(head, &h, l, false, &why), 0);
	r->type = h.type;
	r->id = h.id;
	r->len = h.len;
	ck_assert_ptr_nonnull(r->p = malloc(h.len + 1));
	while (got < h.len) {
		turn();
		n = recv(fd, r->p + got, h.len - got, MSG_DONTWAIT);
		got += n > 0 ? (size_t)n : 0;
	}
	return r->type;
}

/* The code of the ERROR that comes next. */
static int
refusal(int fd, enum proto_link l)
{
	struct frame_reply	 r;
	struct msg_error	 m;
	struct pool		 pool;

	pool_init(&pool, 0);
	ck_assert_uint_eq(answer(fd, l, &r), MSG_ERROR);
	ck_assert_int_eq(dec_error(r.p, r.len, &pool, &m), 0);
	frame_reply_free(&r);
	return (int)m.code;
}

static void
expect(int fd, enum proto_link l, uint16_t type)
{
	struct frame_reply	 r;

	ck_assert_uint_eq(answer(fd, l, &r), type);
	frame_reply_free(&r);
}

/* A secrets file whose key is seed repeated. */
static void
send_unlock(int fd, uint8_t seed, uint64_t id)
{
	struct isec_header	 h;
	struct isec_plain	 plain;
	struct msg_unlock	 m;
	struct enc		 e;
	const char		*errstr;
	uint8_t			 key[32], *file;
	size_t			 len;

	memset(&m, 0, sizeof(m));
	memset(m.file_key, seed, sizeof(m.file_key));
	memset(key, seed, sizeof(key));
	ck_assert_int_eq(isec_header_init(&h, 8, 1, 1, &errstr), 0);
	isec_new_salt(&h);
	ck_assert_int_eq(isec_plain_init(&plain), 0);
	ck_assert_int_eq(isec_put(&plain, "igra.signer.private_key_signer-01",
	    key, sizeof(key), &errstr), 0);
	if (rig_phrase != NULL) {
		ck_assert_int_eq(isec_put(&plain,
		    "igra.signer.mnemonic_signer-01",
		    (const uint8_t *)rig_phrase, strlen(rig_phrase),
		    &errstr), 0);
		ck_assert_int_eq(isec_put(&plain,
		    "igra.signer.payment_secret_signer-01", key, 1,
		    &errstr), 0);
	}
	ck_assert_int_eq(isec_seal(&h, m.file_key, &plain, &file, &len,
	    &errstr), 0);
	isec_plain_free(&plain);
	ck_assert_int_eq(frame_write(fd, MSG_UNLOCK_FILE, 0, file, len), 0);
	free(file);
	enc_init(&e);
	enc_unlock(&e, &m);
	ck_assert_int_eq(frame_write(fd, MSG_UNLOCK, id, e.buf, e.len), 0);
	enc_free(&e);
}

static void
unlock(uint8_t seed)
{
	int	 fd = dial(LINK_KEYD_ADMIN);

	send_unlock(fd, seed, 1);
	expect(fd, LINK_KEYD_ADMIN, MSG_OK);
	close(fd);
	turns(3);
}

/* Asks for a transaction that spends these inputs, with a payload of zeros. */
static void __attribute__((unused))
send_inputs(int fd, struct tx_input *in, size_t nin, size_t payload,
    uint64_t id)
{
	struct tx_output	 out;
	struct msg_sign_req	 m;
	struct tx		 tx;
	struct enc		 e;

	memset(&out, 0, sizeof(out));
	out.value = 1;
	out.spk = in[0].spk;
	memset(&tx, 0, sizeof(tx));
	tx.nin = nin;
	tx.in = in;
	tx.nout = 1;
	tx.out = &out;
	ck_assert_ptr_nonnull(tx.payload.p = calloc(1, payload + 1));
	tx.payload.len = payload;
	memset(&m, 0, sizeof(m));
	m.n = 1;
	m.tx = &tx;
	m.profile = bytes_str(rig_profile);
	enc_init(&e);
	enc_sign_req(&e, &m);
	ck_assert_int_eq(frame_write(fd, MSG_SIGN_REQ, id, e.buf, e.len), 0);
	enc_free(&e);
	free((void *)(uintptr_t)tx.payload.p);
}

/* Asks for a transaction of nin inputs that pay to the key of seed. */
static void __attribute__((unused))
send_sign(int fd, uint8_t seed, size_t nin, size_t payload, uint64_t id)
{
	static struct tx_input	 in[INPUTS];
	uint8_t			 key[32], pub[33], script[P2PK_SCRIPT_LEN];
	size_t			 i;

	memset(key, seed, sizeof(key));
	ck_assert_int_eq(curve_pubkey(key, pub), 0);
	script_p2pk(pub + 1, script);
	memset(in, 0, sizeof(in));
	for (i = 0; i < nin; i++) {
		/* Another transaction spends other outpoints. */
		in[i].outpoint.txid[0] = seed;
		memcpy(in[i].outpoint.txid + 1, &nin, sizeof(nin));
		memcpy(in[i].outpoint.txid + 9, &payload, sizeof(payload));
		in[i].outpoint.index = (uint32_t)i;
		in[i].sighash_type = SIGHASH_ALL;
		in[i].has_utxo = true;
		in[i].amount = 1000;
		in[i].spk.script.p = script;
		in[i].spk.script.len = sizeof(script);
	}
	send_inputs(fd, in, nin, payload, id);
}

/*
 * What must be durable hangs: the first request is refused (within 2 s, where
 * the machine has the time), the next at once, and neither is signed.
 */
static void __attribute__((unused))
refused_while_it_hangs(int fd)
{
	int64_t	 from = bootclock_now();

	send_sign(fd, 1, 1, 0, 1);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_AUDIT_UNAVAILABLE);
	printf("refused after %lld ms, ",
	    (long long)((bootclock_now() - from) / 1000000));
	from = bootclock_now();
	send_sign(fd, 1, 1, 0, 2);
	ck_assert_int_eq(refusal(fd, LINK_KEYD), CODE_AUDIT_UNAVAILABLE);
	printf("the next after %lld ms\n",
	    (long long)((bootclock_now() - from) / 1000000));
	ck_assert_uint_eq(k.signatures, 0);
}

#endif
