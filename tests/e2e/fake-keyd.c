/*
 * A keyd that misbehaves on demand, for tests/e2e/signd.sh.
 *
 *   fake-keyd [-m mode] [-d ms] -k KEYHEX SOCKET
 *
 * Signs every input whose redeem script or script public key holds the test
 * key, without any policy or log.  SIGUSR1 goes back to mode normal.  Modes:
 *
 *   normal   answers, after -d milliseconds
 *   locked   LOCKED, no public key yet
 *   denied   POLICY_DENIED with check, limit and value
 *   hang     reads, and answers neither SIGN nor STATUS
 *   die      exits upon SIGN
 *   garbage  answers SIGN with bytes that decode to nothing
 *   misfit   answers SIGN for another number of transactions
 *   noise    sends what is no frame at all
 *   noaudit  AUDIT_UNAVAILABLE, and says so in its status
 *
 * Notes are printed: note EVENT CODE METHOD UID ERROR.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/listener.h>
#include <sodium.h>

#include "frame.h"
#include "kaspa.h"
#include "keyd/curve.h"
#include "log.h"

enum mode {
	NORMAL, LOCKED, DENIED, HANG, DIE, GARBAGE, MISFIT, NOISE, NOAUDIT,
	MODES
};
static const char *const mode_names[MODES] = {
	"normal", "locked", "denied", "hang", "die", "garbage", "misfit",
	"noise", "noaudit"
};

struct fake {
	struct event_base	*base;
	enum mode		 mode;
	int			 delay_ms;
	secp256k1_keypair	 keypair;
	uint8_t			 pub[33];
	uint64_t		 seq;
	struct frame_conn	*last;	/* signd has but one */
};

/* An answer on its way, if it has to wait. */
struct answer {
	struct fake		*k;
	struct frame_conn	*conn;
	uint16_t		 type;
	uint64_t		 id;
	struct enc		 e;
	struct event		*timer;
};

static void	on_accept(struct evconnlistener *, evutil_socket_t,
		    struct sockaddr *, int, void *);
static void	on_message(struct frame_conn *, const struct frame *, void *);
static void	on_closed(struct frame_conn *, const char *, void *);
static void	on_usr1(int, short, void *);
static void	send_later(struct fake *, struct frame_conn *, uint16_t,
		    uint64_t, struct enc *);
static void	on_due(int, short, void *);
static void	do_info(struct fake *, struct enc *);
static void	do_status(struct fake *, struct enc *);
static void	do_list(struct enc *);
static void	do_public(struct fake *, struct enc *);
static void	do_sign(struct fake *, struct frame_conn *,
		    const struct frame *);
static void	do_check(struct fake *, struct frame_conn *,
		    const struct frame *);
static bool	misbehave(struct fake *, struct frame_conn *,
		    const struct frame *);
static enum mode mode_of(const char *);
static bool	holds_key(const struct fake *, const struct tx_input *);
static void	do_note(const struct frame *);

static const struct frame_ops ops = { on_message, on_closed };

static void
on_due(int fd, short what, void *arg)
{
	struct answer	*a = arg;

	(void)fd;
	(void)what;
	if (a->k->last == a->conn)
		(void)frame_send_enc(a->conn, a->type, a->id, &a->e);
	else
		enc_free(&a->e);
	if (a->timer != NULL)
		event_free(a->timer);
	free(a);
}

static void
send_later(struct fake *k, struct frame_conn *conn, uint16_t type,
    uint64_t id, struct enc *e)
{
	struct timeval	 tv;
	struct answer	*a;

	if (k->delay_ms == 0) {
		(void)frame_send_enc(conn, type, id, e);
		return;
	}
	if ((a = calloc(1, sizeof(*a))) == NULL)
		fatal("calloc");
	a->k = k;
	a->conn = conn;
	a->type = type;
	a->id = id;
	a->e = *e;
	if ((a->timer = evtimer_new(k->base, on_due, a)) == NULL)
		fatal("event");
	tv.tv_sec = k->delay_ms / 1000;
	tv.tv_usec = (suseconds_t)(k->delay_ms % 1000) * 1000;
	evtimer_add(a->timer, &tv);
}

static void
do_info(struct fake *k, struct enc *e)
{
	struct msg_info	 m;

	memset(&m, 0, sizeof(m));
	m.version = bytes_str("fake");
	m.network = bytes_str("devnet");
	m.profile = bytes_str("signer-01");
	m.key_ref = bytes_str("igra.signer.private_key_signer-01");
	m.locked = k->mode == LOCKED;
	m.has_key = !m.locked;
	if (m.has_key) {
		memcpy(m.public_key, k->pub, sizeof(m.public_key));
		m.address = bytes_str("kaspadev:fake");
	}
	m.threshold_m = 2;
	m.threshold_n = 3;
	enc_info(e, &m);
}

static void
do_status(struct fake *k, struct enc *e)
{
	struct msg_keyd_status	 m;

	memset(&m, 0, sizeof(m));
	m.locked = k->mode == LOCKED;
	m.audit_ok = k->mode != NOAUDIT;
	m.audit_healthy = true;
	m.journal_ok = true;
	m.pid = (uint32_t)getpid();
	m.kseq = m.audit_seq = k->seq;
	m.network = bytes_str("devnet");
	enc_keyd_status(e, &m);
}

static void
do_list(struct enc *e)
{
	struct key_entry_info	 key;
	struct msg_key_list	 m;

	memset(&key, 0, sizeof(key));
	key.key_ref = bytes_str("igra.signer.private_key_signer-01");
	key.profile = bytes_str("signer-01");
	key.active = true;
	m.n = 1;
	m.key = &key;
	enc_key_list(e, &m);
}

static void
do_public(struct fake *k, struct enc *e)
{
	struct msg_key_public	 m;

	memset(&m, 0, sizeof(m));
	m.key_ref = bytes_str("igra.signer.private_key_signer-01");
	m.profile = bytes_str("signer-01");
	memcpy(m.public_key, k->pub, sizeof(m.public_key));
	m.address = bytes_str("kaspadev:fake");
	enc_key_public(e, &m);
}

static bool
holds_key(const struct fake *k, const struct tx_input *in)
{
	const struct bytes	*s = in->redeem.len != 0 ? &in->redeem :
				    &in->spk.script;

	return in->has_utxo && s->len >= 32 &&
	    memmem(s->p, s->len, k->pub + 1, 32) != NULL;
}

/* All is allowed. */
static void
do_check(struct fake *k, struct frame_conn *conn, const struct frame *f)
{
	static struct check_result	 result;
	struct msg_sign_req		 req;
	struct msg_check		 m;
	struct pool			 pool;
	struct enc			 e;
	uint32_t			 i;

	pool_init(&pool, 0);
	if (dec_sign_req(f->p, f->len, &pool, &req) == -1)
		fatalx("bad CHECK_REQ");
	m.n = req.n;
	if ((m.tx = pool_alloc(&pool, m.n, sizeof(*m.tx))) == NULL)
		fatalx("out of memory");
	result.check = bytes_str("require_reason");
	result.outcome = CHECK_NOT_SET;
	for (i = 0; i < m.n; i++) {
		(void)tx_id(&req.tx[i], m.tx[i].tx_id);
		m.tx[i].nresult = 1;
		m.tx[i].result = &result;
	}
	enc_init(&e);
	enc_check(&e, &m);
	pool_free(&pool);
	send_later(k, conn, MSG_CHECK, f->id, &e);
}

static void
do_sign(struct fake *k, struct frame_conn *conn, const struct frame *f)
{
	struct msg_sign_req	 req;
	struct msg_sign		 m;
	struct sighash_cache	 cache;
	struct pool		 pool;
	struct enc		 e;
	uint8_t			 hash[32];
	uint32_t		 i, j;

	pool_init(&pool, 0);
	if (dec_sign_req(f->p, f->len, &pool, &req) == -1)
		fatalx("a SIGN_REQ does not decode");
	printf("sign %.*s %.*s %u\n", (int)req.request_id.len,
	    (const char *)req.request_id.p, (int)req.reason.len,
	    (const char *)req.reason.p, req.n);
	memset(&m, 0, sizeof(m));
	m.audit_seq = ++k->seq;
	memset(m.audit_head, 0xab, sizeof(m.audit_head));
	m.n = k->mode == MISFIT ? req.n + 1 : req.n;
	m.tx_id = pool_alloc(&pool, m.n, sizeof(*m.tx_id));
	m.sig = pool_alloc(&pool, (size_t)req.n * TX_MAX_INPUTS,
	    sizeof(*m.sig));
	if (m.tx_id == NULL || m.sig == NULL)
		fatal("pool");
	for (i = 0; i < req.n; i++) {
		if (tx_id(&req.tx[i], m.tx_id[i]) == -1)
			fatalx("tx_id");
		sighash_cache_init(&cache);
		for (j = 0; j < req.tx[i].nin; j++) {
			if (!holds_key(k, &req.tx[i].in[j]))
				continue;
			if (sighash_schnorr(&req.tx[i], j,
			    req.tx[i].in[j].sighash_type, &cache, hash) == -1)
				continue;
			m.sig[m.nsig].tx = i;
			m.sig[m.nsig].input = j;
			memcpy(m.sig[m.nsig].public_key, k->pub,
			    sizeof(k->pub));
			if (curve_sign(&k->keypair, hash,
			    m.sig[m.nsig++].sig) == -1)
				fatalx("curve_sign");
		}
	}
	enc_init(&e);
	enc_sign(&e, &m);
	send_later(k, conn, MSG_SIGN, f->id, &e);
	pool_free(&pool);
}

static void
do_note(const struct frame *f)
{
	struct msg_note	 m;
	struct pool	 pool;

	pool_init(&pool, 0);
	if (dec_note(f->p, f->len, &pool, &m) == -1)
		fatalx("a NOTE does not decode");
	printf("note %s %.*s %.*s %u %.*s\n", audit_event_name(m.event),
	    (int)m.code.len, (const char *)m.code.p, (int)m.method.len,
	    (const char *)m.method.p, m.peer_uid, (int)m.error.len,
	    (const char *)m.error.p);
	pool_free(&pool);
}

/* True: the mode has dealt with a SIGN_REQ. */
static bool
misbehave(struct fake *k, struct frame_conn *conn, const struct frame *f)
{
	static const uint8_t	 garbage[100] = { 0xff, 0xff, 0xff };
	struct msg_error	 m;
	struct enc		 e;

	memset(&m, 0, sizeof(m));
	m.pskt = PROTO_NO_PSKT;
	switch (k->mode) {
	case LOCKED:
		m.code = CODE_LOCKED;
		m.message = bytes_str("locked");
		break;
	case NOAUDIT:
		m.code = CODE_AUDIT_UNAVAILABLE;
		m.message = bytes_str("no log");
		break;
	case DENIED:
		m.code = CODE_POLICY_DENIED;
		m.pskt = 1;
		m.message = bytes_str("too much");
		m.check = bytes_str("max_amount_sompi");
		m.limit = bytes_str("1");
		m.value = bytes_str("18446744073709551615");
		break;
	case HANG:
		return true;
	case DIE:
		_exit(3);
	case GARBAGE:
		frame_send(conn, MSG_SIGN, f->id, garbage, sizeof(garbage));
		return true;
	case NOISE:
		if (write(frame_fd(conn), "HTTP/1.1 200 OK\r\n\r\n\r\n\r\n",
		    23) != 23)
			fatal("write");
		return true;
	case NORMAL:
	case MISFIT:
	case MODES:
		return false;
	}
	enc_init(&e);
	enc_error(&e, &m);
	send_later(k, conn, MSG_ERROR, f->id, &e);
	return true;
}

static void
on_message(struct frame_conn *conn, const struct frame *f, void *arg)
{
	struct fake	*k = arg;
	struct enc	 e;
	uint16_t	 type;

	enc_init(&e);
	switch (f->type) {
	case MSG_INFO_REQ:
		type = MSG_INFO;
		do_info(k, &e);
		break;
	case MSG_KEYD_STATUS_REQ:
		if (k->mode == HANG)
			return;
		type = MSG_KEYD_STATUS;
		do_status(k, &e);
		break;
	case MSG_KEY_LIST_REQ:
		type = MSG_KEY_LIST;
		do_list(&e);
		break;
	case MSG_KEY_PUBLIC_REQ:
		type = MSG_KEY_PUBLIC;
		do_public(k, &e);
		break;
	case MSG_SIGN_REQ:
		if (!misbehave(k, conn, f))
			do_sign(k, conn, f);
		return;
	case MSG_CHECK_REQ:
		if (!misbehave(k, conn, f))
			do_check(k, conn, f);
		return;
	case MSG_NOTE:
		do_note(f);
		return;
	default:
		fatalx("type %u", f->type);
	}
	if (frame_send_enc(conn, type, f->id, &e) == -1)
		log_warnx("cannot answer");
}

static void
on_closed(struct frame_conn *conn, const char *why, void *arg)
{
	struct fake	*k = arg;

	printf("closed %s\n", why);
	if (k->last == conn)
		k->last = NULL;
}

static void
on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa,
    int len, void *arg)
{
	struct fake	*k = arg;

	(void)l;
	(void)sa;
	(void)len;
	k->last = frame_conn_new(k->base, fd, LINK_KEYD, true, &ops, k);
	if (k->last == NULL)
		fatal("frame_conn_new");
	printf("connected\n");
}

static void
on_usr1(int sig, short what, void *arg)
{
	struct fake	*k = arg;

	(void)sig;
	(void)what;
	k->mode = NORMAL;
	k->delay_ms = 0;
	printf("normal\n");
}

static enum mode
mode_of(const char *name)
{
	unsigned	 i;

	for (i = 0; i < MODES; i++)
		if (strcmp(mode_names[i], name) == 0)
			return (enum mode)i;
	fatalx("mode %s?", name);
}

int
main(int argc, char *argv[])
{
	struct sockaddr_un	 sun;
	struct fake		 k;
	struct event		*usr1;
	uint8_t			 secret[32];
	size_t			 len = 0;
	int			 ch;

	log_init("fake-keyd", 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	memset(&k, 0, sizeof(k));
	while ((ch = getopt(argc, argv, "d:k:m:")) != -1) {
		if (ch == 'd')
			k.delay_ms = atoi(optarg);
		else if (ch == 'k')
			(void)sodium_hex2bin(secret, sizeof(secret), optarg,
			    strlen(optarg), NULL, &len, NULL);
		else if (ch == 'm')
			k.mode = mode_of(optarg);
		else
			fatalx("usage");
	}
	if (optind != argc - 1 || len != sizeof(secret) ||
	    sodium_init() == -1 || curve_init() == -1 ||
	    curve_keypair(secret, &k.keypair, k.pub) == -1)
		fatalx("usage: fake-keyd [-m mode] [-d ms] -k KEYHEX SOCKET");
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		fatal("signal");
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlcpy(sun.sun_path, argv[optind], sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path))
		fatalx("path too long");
	(void)unlink(sun.sun_path);
	umask(0111);
	if ((k.base = event_base_new()) == NULL ||
	    evconnlistener_new_bind(k.base, on_accept, &k,
	    LEV_OPT_CLOSE_ON_EXEC, 16, (struct sockaddr *)&sun,
	    sizeof(sun)) == NULL)
		fatal("%s", argv[optind]);
	usr1 = evsignal_new(k.base, SIGUSR1, on_usr1, &k);
	if (usr1 == NULL || evsignal_add(usr1, NULL) == -1)
		fatalx("event");
	return event_base_dispatch(k.base) == -1;
}
