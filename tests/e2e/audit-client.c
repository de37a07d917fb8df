/*
 * Speaks proto to igra-auditd as igra-keyd or an operator does, and as they
 * do not.
 *
 * usage: audit-client [-a] [-k first] [-n messages] [-r records] [-s bytes]
 *            [-U uid] [-w window] socket command
 *
 *   hello      prints "state last_kseq seq head"
 *   append     sends -n messages of -r records from kseq -k on, at most -w
 *              unanswered; prints "ack last_kseq seq head" for each
 *   signing    like append: a SecretAccess and a Signing record a message,
 *              the latter with a script of -s bytes
 *   lifecycle  a KeyLifecycle record that claims operator 4711
 *   status     prints igra-auditd's status, a line a value
 *   spoof      a record of a source that may not come in by this socket
 *   unordered  two records whose kseq does not increase
 *   garbage    bytes that are no message
 *   idle       connects, says "connected", waits for the end of stdin
 *
 * -a: the admin socket.  -U: the uid that must listen.  Exit 0; 1 an error
 * answer ("error CODE: text"); 2 usage; 3 no connection or none any more.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"
#include "messages.h"

#define TIMEOUT_MS	5000

static struct {
	enum proto_link	 link;
	uint64_t	 kseq;
	unsigned	 messages, records, window;
	size_t		 script;
	int		 fd;
} opt = { LINK_AUDITD, 1, 1, 1, 1, 34, -1 };

static void	 usage(void) __attribute__((noreturn));
static void	 gone(const char *) __attribute__((noreturn));
static void	 print_head(const char *, uint64_t, uint64_t, const uint8_t *);
static int	 print_reply(const struct frame_reply *);
static int	 print_error(const struct frame_reply *);
static int	 print_status(const struct frame_reply *);
static int	 call(uint16_t, struct enc *);
static uint64_t	 since(void);
static void	 make_append(struct enc *, uint64_t);
static void	 make_signing(struct enc *, uint64_t);
static void	 make_one(struct enc *, enum audit_event, enum audit_source,
		    uint64_t, uint64_t);
static int	 read_some(void *, size_t);
static int	 read_reply(void);
static int	 stream(void (*)(struct enc *, uint64_t), uint64_t);
static int	 run(const char *);

static void
usage(void)
{
	fputs("usage: audit-client [-a] [-k first] [-n messages] [-r records] "
	    "[-s bytes] [-U uid] [-w window] socket command\n", stderr);
	exit(2);
}

static void
gone(const char *why)
{
	fprintf(stderr, "audit-client: %s\n", why);
	exit(3);
}

static void
print_head(const char *what, uint64_t kseq, uint64_t seq, const uint8_t *head)
{
	int	 i;

	printf("%s %" PRIu64 " %" PRIu64 " ", what, kseq, seq);
	for (i = 0; i < 32; i++)
		printf("%02x", head[i]);
	printf("\n");
	fflush(stdout);
}

static int
print_error(const struct frame_reply *r)
{
	struct msg_error	 m;
	struct pool		 pool;

	pool_init(&pool, 0);
	if (dec_error(r->p, r->len, &pool, &m) == -1)
		gone("bad error");
	printf("error %s: %.*s\n", proto_code_name(m.code),
	    (int)m.message.len, (const char *)m.message.p);
	fflush(stdout);
	pool_free(&pool);
	return 1;
}

static int
print_status(const struct frame_reply *r)
{
	struct msg_auditd_status	 m;
	struct pool			 pool;

	pool_init(&pool, 0);
	if (dec_auditd_status(r->p, r->len, &pool, &m) == -1)
		gone("bad status");
	printf("pid %u\nrecords %" PRIu64 "\nbytes %" PRIu64 "\ncommits %"
	    PRIu64 "\nsync_us %" PRIu64 "\nseq %" PRIu64 "\nkseq %" PRIu64
	    "\nwritable %d\npath %.*s\nfault %.*s\nsandbox %.*s\n", m.pid,
	    m.records, m.bytes, m.commits, m.sync_us, m.seq, m.last_kseq,
	    m.writable, (int)m.path.len, (const char *)m.path.p,
	    (int)m.fault.len, (const char *)m.fault.p, (int)m.sandbox.len,
	    (const char *)m.sandbox.p);
	pool_free(&pool);
	return 0;
}

static int
print_reply(const struct frame_reply *r)
{
	struct msg_audit_state	 state;
	struct msg_audit_ack	 ack;
	struct pool		 pool;

	pool_init(&pool, 0);
	switch (r->type) {
	case MSG_AUDIT_STATE:
		if (dec_audit_state(r->p, r->len, &pool, &state) == -1)
			gone("bad state");
		print_head("state", state.last_kseq, state.seq, state.head);
		return 0;
	case MSG_AUDIT_ACK:
		if (dec_audit_ack(r->p, r->len, &pool, &ack) == -1)
			gone("bad ack");
		print_head("ack", ack.last_kseq, ack.seq, ack.head);
		return 0;
	case MSG_AUDITD_STATUS:
		return print_status(r);
	case MSG_ERROR:
		return print_error(r);
	default:
		gone("an answer to another question");
	}
}

/* Sends what was encoded (or nothing) and prints the answer. */
static int
call(uint16_t type, struct enc *e)
{
	struct frame_reply	 r;
	char			 err[256];
	int			 ret;

	if (frame_call(opt.fd, opt.link, type, e->buf, e->len, TIMEOUT_MS, &r,
	    err, sizeof(err)) == -1)
		gone(err);
	ret = print_reply(&r);
	frame_reply_free(&r);
	enc_free(e);
	return ret;
}

static uint64_t
since(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static void
make_append(struct enc *e, uint64_t kseq)
{
	struct audit_record	 r;
	unsigned		 i;

	enc_u32(e, opt.records);
	for (i = 0; i < opt.records; i++) {
		audit_record_init(&r, EV_SECRET_ACCESS, SRC_KEYD, true);
		audit_set_u64(&r, FIELD_KSEQ, kseq + i);
		audit_set_str(&r, FIELD_SECRET_NAME,
		    "igra.signer.mnemonic_signer-01");
		audit_set_str(&r, FIELD_OPERATION, "Get");
		audit_set_str(&r, FIELD_BACKEND, "file");
		audit_set_u64(&r, FIELD_CACHED, 1);
		enc_audit_record(e, &r);
	}
}

static void
make_signing(struct enc *e, uint64_t kseq)
{
	struct audit_record	 r;
	struct bytes		 script;
	struct enc		 dest;
	uint8_t			 hash[32];
	uint8_t			*p;

	if ((p = calloc(1, opt.script + 1)) == NULL)
		gone("out of memory");
	memset(hash, 7, sizeof(hash));
	script.p = p;
	script.len = opt.script;
	enc_init(&dest);
	audit_dest_add(&dest, "kaspadev:qq", script, 1000);
	audit_dest_add(&dest, NULL, script, UINT64_MAX);
	opt.records = 1;
	make_append(e, kseq);
	if (!e->failed)
		e->buf[0] = 2;		/* records: one follows */
	audit_record_init(&r, EV_SIGNING, SRC_KEYD, true);
	audit_set_u64(&r, FIELD_KSEQ, kseq + 1);
	audit_set_u64(&r, FIELD_RESERVATION, kseq);
	audit_set_str(&r, FIELD_KEY_REF, "igra.signer.mnemonic_signer-01");
	audit_set_str(&r, FIELD_SCHEME, "Secp256k1Schnorr");
	audit_set_bytes(&r, FIELD_PAYLOAD_HASH, hash, sizeof(hash));
	audit_set_bytes(&r, FIELD_TX_ID, hash, sizeof(hash));
	audit_set_u64(&r, FIELD_INPUTS, 1);
	audit_set_u64(&r, FIELD_OUTFLOW, 1000);
	audit_set_u64(&r, FIELD_FEE, 1);
	audit_set_bytes(&r, FIELD_DESTINATIONS, dest.buf, dest.len);
	audit_set_str(&r, FIELD_POLICY, "allowed");
	audit_set_u64(&r, FIELD_DURATION, since() - 1500000);
	audit_set_u64(&r, FIELD_PEER_UID, 1000);
	enc_audit_record(e, &r);
	enc_free(&dest);
	free(p);
}

static void
make_one(struct enc *e, enum audit_event event, enum audit_source source,
    uint64_t kseq, uint64_t again)
{
	struct audit_record	 r;
	uint64_t		 k[2] = { kseq, again };
	unsigned		 i, n = again != 0 ? 2 : 1;

	enc_init(e);
	enc_u32(e, n);
	for (i = 0; i < n; i++) {
		audit_record_init(&r, event, source, true);
		if (k[i] != 0)
			audit_set_u64(&r, FIELD_KSEQ, k[i]);
		if (event == EV_KEY_LIFECYCLE) {
			audit_set_str(&r, FIELD_KEY_REF, "igra.signer.x");
			audit_set_str(&r, FIELD_OPERATION, "Created");
			audit_set_u64(&r, FIELD_OPERATOR, 4711);
		}
		enc_audit_record(e, &r);
	}
}

static int
read_some(void *buf, size_t len)
{
	uint8_t	*p = buf;
	ssize_t	 n;

	for (; len > 0; p += n, len -= (size_t)n)
		if ((n = read(opt.fd, p, len)) <= 0)
			return -1;
	return 0;
}

static int
read_reply(void)
{
	struct pollfd		 pfd = { opt.fd, POLLIN, 0 };
	struct proto_header	 h;
	struct frame_reply	 r;
	uint8_t			 head[PROTO_HEADER_LEN], body[8192];
	const char		*why;

	if (poll(&pfd, 1, TIMEOUT_MS) != 1)
		gone("no answer in time");
	if (read_some(head, sizeof(head)) == -1)
		gone("closed");
	if (proto_get_header(head, &h, opt.link, false, &why) == -1)
		gone(why);
	if (h.len > sizeof(body) || read_some(body, h.len) == -1)
		gone("closed");
	r.type = h.type;
	r.id = h.id;
	r.p = body;
	r.len = h.len;
	return print_reply(&r);
}

static int
stream(void (*make)(struct enc *, uint64_t), uint64_t per_message)
{
	struct enc	 e;
	unsigned	 sent = 0, answered = 0;
	int		 ret = 0;

	while (answered < opt.messages) {
		while (sent < opt.messages && sent - answered < opt.window) {
			enc_init(&e);
			make(&e, opt.kseq);
			opt.kseq += per_message;
			if (frame_write(opt.fd, MSG_AUDIT_APPEND, sent + 1,
			    e.buf, e.len) == -1)
				gone(strerror(errno));
			enc_free(&e);
			sent++;
		}
		ret |= read_reply();
		answered++;
	}
	return ret;
}

static int
run(const char *cmd)
{
	struct enc	 e;
	char		 c;

	enc_init(&e);
	if (strcmp(cmd, "hello") == 0)
		return call(MSG_AUDIT_HELLO, &e);
	if (strcmp(cmd, "status") == 0)
		return call(MSG_AUDITD_STATUS_REQ, &e);
	if (strcmp(cmd, "append") == 0)
		return stream(make_append, opt.records);
	if (strcmp(cmd, "signing") == 0)
		return stream(make_signing, 2);
	if (strcmp(cmd, "lifecycle") == 0)
		make_one(&e, EV_KEY_LIFECYCLE, SRC_ADMIN, 0, 0);
	else if (strcmp(cmd, "spoof") == 0)
		make_one(&e, EV_LOCK, opt.link == LINK_AUDITD ? SRC_AUDITD :
		    SRC_KEYD, opt.link == LINK_AUDITD ? opt.kseq : 0, 0);
	else if (strcmp(cmd, "unordered") == 0)
		make_one(&e, EV_LOCK, SRC_KEYD, opt.kseq, opt.kseq);
	else if (strcmp(cmd, "garbage") == 0) {
		if (write(opt.fd, "GET / HTTP/1.1\r\n\r\n", 18) == -1)
			gone(strerror(errno));
		return read_reply();
	} else if (strcmp(cmd, "idle") == 0) {
		printf("connected\n");
		fflush(stdout);
		while (read(STDIN_FILENO, &c, 1) > 0)
			;
		return 0;
	} else
		usage();
	return call(MSG_AUDIT_APPEND, &e);
}

int
main(int argc, char **argv)
{
	const char	*errstr = NULL;
	uid_t		 uid = geteuid();
	char		 err[256];
	int		 ch;

	while ((ch = getopt(argc, argv, "ak:n:r:s:U:w:")) != -1) {
		switch (ch) {
		case 'a':
			opt.link = LINK_AUDITD_ADMIN;
			break;
		case 'k':
			opt.kseq = (uint64_t)strtonum(optarg, 0, INT64_MAX,
			    &errstr);
			break;
		case 'n':
			opt.messages = (unsigned)strtonum(optarg, 1, 10000000,
			    &errstr);
			break;
		case 'r':
			opt.records = (unsigned)strtonum(optarg, 0, 4096,
			    &errstr);
			break;
		case 's':
			opt.script = (size_t)strtonum(optarg, 0, 250000,
			    &errstr);
			break;
		case 'U':
			uid = (uid_t)strtonum(optarg, 0, UINT32_MAX, &errstr);
			break;
		case 'w':
			opt.window = (unsigned)strtonum(optarg, 1, 100000,
			    &errstr);
			break;
		default:
			usage();
		}
		if (errstr != NULL)
			usage();
	}
	if (argc - optind != 2)
		usage();
	if ((opt.fd = frame_connect(argv[optind], uid, err, sizeof(err))) == -1)
		gone(err);
	ch = run(argv[optind + 1]);
	close(opt.fd);
	return ch;
}
