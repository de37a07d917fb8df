#include <sys/mman.h>
#include <sys/stat.h>

#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/secmem.h"

#include "auditd/checkpoint.h"
#include "auditd/writer.h"

#include "ialog.h"

#define LOG	"key-audit.log"

static struct {
	char			 dir[64];
	int			 dirfd, fd;
	struct writer		*writer;
	struct checkpoint	 cp;
	uint64_t		 first_seq;
	uint64_t		 kseq;
	long			 skew;
	struct ialog		 log;
} made;

static void	 open_file(void);
static void	 keep_file(const char *);
static void	 commit(void);
static void	 add(const struct audit_record *);
static void	 recover(struct chain_scan *);

static void
open_file(void)
{
	made.fd = openat(made.dirfd, LOG, O_RDWR | O_APPEND | O_CREAT, 0600);
	ck_assert_int_ge(made.fd, 0);
}

static void
commit(void)
{
	ck_assert_int_eq(writer_commit(made.writer), 0);
}

/* As writer_add, with a clock of ours. */
static void
add(const struct audit_record *r)
{
	struct line_clock	 now;
	struct json_out		 o;
	const char		*text;
	char			*line;
	size_t			 len;

	line_clock_now(&now);
	now.real.tv_sec += made.skew;
	text = line_format(&o, r, writer_next(made.writer), &now, &len);
	ck_assert_ptr_nonnull(text);
	ck_assert_ptr_nonnull(line = malloc(len + 1));
	memcpy(line, text, len);
	line[len] = '\n';
	json_out_free(&o);
	ck_assert_int_eq(writer_add_line(made.writer, line, len + 1), 0);
	free(line);
}

static void
recover(struct chain_scan *s)
{
	ck_assert_int_eq(checkpoint_open(&made.cp, made.dirfd, geteuid(),
	    &checkpoint_system), 0);
	ck_assert_int_ne(checkpoint_recover(&made.cp, s), CHECKPOINT_FAILED);
}

void
ialog_begin(void)
{
	struct chain		 zero;
	struct chain_scan	 s;

	memset(&made, 0, sizeof(made));
	memset(&zero, 0, sizeof(zero));
	memset(&s, 0, sizeof(s));
	if (secmem_size() == 0)
		ck_assert_int_eq(secmem_init_insecure(65536), 0);
	(void)strlcpy(made.dir, "/tmp/igra-ialog-XXXXXX", sizeof(made.dir));
	ck_assert_ptr_nonnull(mkdtemp(made.dir));
	made.dirfd = open(made.dir, O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(made.dirfd, 0);
	open_file();
	made.writer = writer_new(made.fd, 0, &zero, &writer_system);
	ck_assert_ptr_nonnull(made.writer);
	made.first_seq = 1;
	recover(&s);
}

void
ialog_records(unsigned n)
{
	static const char	*reasons[] = { "payout 17", "\u0142\u00f3d\u017a",
	    "\u202e evil", "a \"quote\" and \\" };
	struct audit_record	 r;
	struct bytes		 script = { (const uint8_t *)"\x20\x01", 2 };
	struct enc		 e;
	uint8_t			 hash[32], dest[256];
	unsigned		 i;

	for (i = 0; i < n; i++) {
		made.kseq++;
		memset(hash, (int)made.kseq, sizeof(hash));
		audit_record_init(&r, made.kseq % 3 == 0 ? EV_SIGNING :
		    made.kseq % 3 == 1 ? EV_SECRET_ACCESS : EV_POLICY_DENIED,
		    SRC_KEYD, made.kseq % 3 != 2);
		audit_set_u64(&r, FIELD_KSEQ, made.kseq);
		if (r.event == EV_SIGNING)
			audit_set_u64(&r, FIELD_RESERVATION, made.kseq / 3);
		if (r.event == EV_SECRET_ACCESS)
			audit_set_str(&r, FIELD_SECRET_NAME,
			    "igra.hd.wallet_secret");
		else {
			enc_init_fixed(&e, dest, sizeof(dest));
			audit_dest_add(&e, i % 2 == 0 ? "kaspadev:q" : NULL,
			    script, 1000 + i);
			audit_set_str(&r, FIELD_KEY_REF,
			    "igra.signer.mnemonic_signer-01");
			audit_set_bytes(&r, FIELD_TX_ID, hash, sizeof(hash));
			audit_set_str(&r, FIELD_REASON, reasons[i % 4]);
			audit_set_bytes(&r, FIELD_DESTINATIONS, dest, e.len);
			audit_set_u64(&r, FIELD_OUTFLOW, UINT64_MAX - i);
		}
		add(&r);
	}
	commit();
}

void
ialog_checkpoint(void)
{
	struct line_clock	 now;

	commit();
	line_clock_now(&now);
	now.real.tv_sec += made.skew;
	ck_assert_int_eq(checkpoint_make(&made.cp,
	    writer_durable(made.writer), &now), 0);
	ck_assert_int_eq(writer_add_line(made.writer, made.cp.line,
	    made.cp.len), 0);
	commit();
	checkpoint_appended(&made.cp);
}

/* The file at hand, as it stands, under its final name. */
static void
keep_file(const char *name)
{
	struct ialog_file	*f = &made.log.f[made.log.n++];
	struct stat		 st;

	ck_assert_uint_le(made.log.n, IALOG_FILES);
	ck_assert_int_eq(fstat(made.fd, &st), 0);
	f->len = (size_t)st.st_size;
	ck_assert_ptr_nonnull(f->p = malloc(f->len + 1));
	ck_assert_int_eq((int)pread(made.fd, f->p, f->len, 0), (int)f->len);
	(void)strlcpy(f->name, name, sizeof(f->name));
	close(made.fd);
	ck_assert_int_eq(unlinkat(made.dirfd, LOG, 0), 0);
}

void
ialog_rotate(void)
{
	struct audit_record	 r;
	char			 name[96];

	ialog_checkpoint();
	(void)snprintf(name, sizeof(name), "key-audit.20261124T0826%02uZ.%012"
	    PRIu64 ".log", (unsigned)made.log.n, made.first_seq);
	keep_file(name);
	open_file();
	writer_switch(made.writer, made.fd, 0, writer_durable(made.writer));
	made.first_seq = writer_durable(made.writer)->seq + 1;
	audit_record_init(&r, EV_LOG_ROTATED, SRC_AUDITD, true);
	audit_set_str(&r, FIELD_PATH, name);
	audit_set_str(&r, FIELD_REASON, "size");
	audit_set_u64(&r, FIELD_LAST_KSEQ, made.kseq);
	audit_set_u64(&r, FIELD_RESERVATION, made.kseq / 3);
	add(&r);
	commit();
}

void
ialog_lose_key(void)
{
	struct chain_scan	 s;

	checkpoint_close(&made.cp);
	ck_assert_int_eq(unlinkat(made.dirfd, CHECKPOINT_FILE, 0), 0);
	ck_assert_int_eq(lseek(made.fd, 0, SEEK_SET), 0);
	ck_assert_int_eq(chain_scan(made.fd, &s), 0);
	recover(&s);
}

void
ialog_clock(long skew)
{
	made.skew = skew;
}

void
ialog_end(struct ialog *log)
{
	commit();
	keep_file(LOG);
	checkpoint_close(&made.cp);
	writer_free(made.writer);
	(void)unlinkat(made.dirfd, CHECKPOINT_FILE, 0);
	close(made.dirfd);
	ck_assert_int_eq(rmdir(made.dir), 0);
	*log = made.log;
}

void
ialog_copy(struct ialog *to, const struct ialog *from)
{
	size_t	 i;

	*to = *from;
	for (i = 0; i < to->n; i++) {
		ck_assert_ptr_nonnull(to->f[i].p = malloc(to->f[i].len + 1));
		memcpy(to->f[i].p, from->f[i].p, to->f[i].len);
	}
}

void
ialog_free(struct ialog *log)
{
	size_t	 i;

	for (i = 0; i < log->n; i++)
		free(log->f[i].p);
	log->n = 0;
}

enum ia_verdict
ialog_verify(const struct ialog *log, const struct ia_opts *o,
    struct ia_verify *v)
{
	static struct ia_reader	 r;
	static int		 fd = -1;
	struct ia_name		 name;
	struct ia_line		 l;
	size_t			 i;
	int			 n;

	if (fd == -1) {
		ck_assert_int_ge(fd = memfd_create("log", MFD_CLOEXEC), 0);
		ck_assert_int_eq(ia_reader_init(&r), 0);
	}
	ia_verify_init(v, o);
	for (i = 0; i < log->n; i++) {
		ck_assert_int_eq(ftruncate(fd, 0), 0);
		ck_assert_int_eq((int)pwrite(fd, log->f[i].p, log->f[i].len,
		    0), (int)log->f[i].len);
		ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
		ia_verify_begin(v, log->f[i].name, ia_name_parse("key-audit",
		    log->f[i].name, &name) ? name.seq : 0);
		ia_reader_start(&r, fd);
		while ((n = ia_reader_next(&r, &l)) == 1)
			ia_verify_line(v, &l);
		ck_assert_int_eq(n, 0);
		ia_verify_end(v, i + 1 == log->n);
	}
	return ia_verify_finish(v);
}

size_t
ialog_lines(const struct ialog *log, struct ialog_line *out, size_t max)
{
	const char	*p, *end, *nl;
	size_t		 i, n = 0;

	for (i = 0; i < log->n; i++) {
		end = log->f[i].p + log->f[i].len;
		for (p = log->f[i].p; p < end && (nl = memchr(p, '\n',
		    (size_t)(end - p))) != NULL; p = nl + 1) {
			ck_assert_uint_lt(n, max);
			out[n].p = p;
			out[n].len = (size_t)(nl - p) + 1;
			out[n++].file = i;
		}
	}
	return n;
}
