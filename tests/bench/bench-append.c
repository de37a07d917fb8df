/*
 * How many records a second igra-auditd makes durable, against bare append +
 * fdatasync of the same bytes on the same file system.
 *
 *   bench-append [-k first] [-n records] [-r rounds] [-U uid] SOCKET DIR
 *
 * Speaks as igra-keyd does, which gathers all its producers on one connection:
 * each of 1, 16 and 64 producers sends its next record when it has the
 * acknowledgement of the one before.  By turns with the bare loop in DIR, -n
 * records each, kseq from -k on, -r times.  Prints "name value" lines: bare and
 * durable records a second, and the kseq to go on with.
 */
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/frame.h"
#include "measure.h"
#include "proto/messages.h"

#include "auditd/record.h"

#define TIMEOUT_MS	10000
#define PRODUCERS	3

static const unsigned	 producers[PRODUCERS] = { 1, 16, 64 };

/* What igra-auditd has sent and nobody has read yet. */
struct inbox {
	int		 fd;
	uint8_t		 buf[65536];
	size_t		 len;
};

static void	 make_record(struct audit_record *, uint64_t);
static size_t	 line_length(void);
static double	 bare(const char *, size_t, unsigned);
static void	 produce(int, uint64_t, uint64_t);
static unsigned	 acknowledged(struct inbox *);
static double	 durable(int, unsigned, unsigned, uint64_t *);

/* The Signing record of one input, without destinations: they point outside. */
static void
make_record(struct audit_record *r, uint64_t kseq)
{
	static const uint8_t	 hash[32] = { 7 };

	audit_record_init(r, EV_SIGNING, SRC_KEYD, true);
	audit_set_u64(r, FIELD_KSEQ, kseq);
	audit_set_str(r, FIELD_REQUEST_ID, "payout-2026-11-24-000017");
	audit_set_str(r, FIELD_KEY_REF, "igra.signer.mnemonic_signer-01");
	audit_set_str(r, FIELD_SCHEME, "Secp256k1Schnorr");
	audit_set_bytes(r, FIELD_PAYLOAD_HASH, hash, sizeof(hash));
	audit_set_bytes(r, FIELD_TX_ID, hash, sizeof(hash));
	audit_set_u64(r, FIELD_INPUTS, 1);
	audit_set_u64(r, FIELD_OUTFLOW, 1000000000);
	audit_set_u64(r, FIELD_FEE, 2000);
	audit_set_str(r, FIELD_POLICY, "allowed");
	audit_set_u64(r, FIELD_PEER_UID, 1000);
	audit_set_u64(r, FIELD_PEER_PID, 4711);
}

/* As it stands in the log, with its newline. */
static size_t
line_length(void)
{
	struct audit_record	 r;
	struct line_clock	 clock;
	struct json_out		 o;
	struct chain		 at;
	size_t			 len;

	memset(&at, 0, sizeof(at));
	at.seq = 10000;
	line_clock_now(&clock);
	make_record(&r, 10000);
	if (line_format(&o, &r, &at, &clock, &len) == NULL)
		errx(1, "no line");
	json_out_free(&o);
	return len + 1;
}

static double
bare(const char *dir, size_t len, unsigned n)
{
	char		 path[PATH_MAX], *line;
	double		 start;
	unsigned	 i;
	int		 fd, ret;

	ret = snprintf(path, sizeof(path), "%s/bare.XXXXXXXX", dir);
	if (ret < 0 || (size_t)ret >= sizeof(path))
		errx(1, "%s: too long", dir);
	if ((line = malloc(len)) == NULL || (fd = mkstemp(path)) == -1 ||
	    fcntl(fd, F_SETFL, O_APPEND) == -1)
		err(1, "%s", path);
	(void)unlink(path);
	memset(line, 'x', len);
	start = now();
	for (i = 0; i < n; i++)
		if (write(fd, line, len) != (ssize_t)len ||
		    fdatasync(fd) == -1)
			err(1, "%s: append", dir);
	start = now() - start;
	close(fd);
	free(line);
	return (double)n / start;
}

static void
produce(int fd, uint64_t id, uint64_t kseq)
{
	struct audit_record	 r;
	struct enc		 e;

	make_record(&r, kseq);
	enc_init(&e);
	enc_u32(&e, 1);
	enc_audit_record(&e, &r);
	if (e.failed || frame_write(fd, MSG_AUDIT_APPEND, id, e.buf,
	    e.len) == -1)
		err(1, "send");
	enc_free(&e);
}

/* Waits; how many answers have come, all of which must say yes. */
static unsigned
acknowledged(struct inbox *in)
{
	struct pollfd		 pfd = { in->fd, POLLIN, 0 };
	struct proto_header	 h;
	const char		*why = "closed";
	unsigned		 n = 0;
	size_t			 at = 0;
	ssize_t			 got;

	if (poll(&pfd, 1, TIMEOUT_MS) != 1)
		errx(1, "no answer in time");
	got = read(in->fd, in->buf + in->len, sizeof(in->buf) - in->len);
	if (got <= 0)
		errx(1, "igra-auditd hung up");
	in->len += (size_t)got;
	while (in->len - at >= PROTO_HEADER_LEN) {
		if (proto_get_header(in->buf + at, &h, LINK_AUDITD, false,
		    &why) == -1)
			errx(1, "%s", why);
		if (in->len - at < PROTO_HEADER_LEN + h.len)
			break;
		if (h.type != MSG_AUDIT_ACK)
			errx(1, "a record was refused");
		at += PROTO_HEADER_LEN + h.len;
		n++;
	}
	in->len -= at;
	memmove(in->buf, in->buf + at, in->len);
	return n;
}

static double
durable(int fd, unsigned window, unsigned n, uint64_t *kseq)
{
	static struct inbox	 in;
	unsigned		 sent = 0, answered = 0, got = window;
	double			 start = now();

	in.fd = fd;
	in.len = 0;
	while (answered < n) {
		for (; got > 0 && sent < n; got--, sent++)
			produce(fd, sent + 1, (*kseq)++);
		got = acknowledged(&in);
		answered += got;
	}
	return (double)n / (now() - start);
}

int
main(int argc, char **argv)
{
	const char	*errstr = NULL;
	char		 why[256];
	uid_t		 uid = geteuid();
	uint64_t	 kseq = 1;
	unsigned	 i, n = 500, rounds = 4;
	size_t		 len;
	int		 ch, fd;

	while ((ch = getopt(argc, argv, "k:n:r:U:")) != -1) {
		if (ch == 'k')
			kseq = (uint64_t)strtonum(optarg, 1, INT64_MAX,
			    &errstr);
		else if (ch == 'n')
			n = (unsigned)strtonum(optarg, 1, 1000000, &errstr);
		else if (ch == 'r')
			rounds = (unsigned)strtonum(optarg, 1, 1000, &errstr);
		else if (ch == 'U')
			uid = (uid_t)strtonum(optarg, 0, UINT32_MAX, &errstr);
		else
			errstr = "usage";
		if (errstr != NULL)
			break;
	}
	if (errstr != NULL || argc - optind != 2) {
		fprintf(stderr, "usage: bench-append [-k first] [-n records] "
		    "[-r rounds] [-U uid] socket directory\n");
		return 2;
	}
	len = line_length();
	if ((fd = frame_connect(argv[optind], uid, why, sizeof(why))) == -1)
		errx(1, "%s", why);
	printf("record_bytes %zu\n", len);
	for (i = 0; i < rounds * PRODUCERS; i++) {
		printf("durable_bare %.0f\n", bare(argv[optind + 1], len, n));
		printf("durable_%u %.0f\n", producers[i % PRODUCERS],
		    durable(fd, producers[i % PRODUCERS], n, &kseq));
	}
	printf("kseq %" PRIu64 "\n", kseq);
	close(fd);
	return 0;
}
