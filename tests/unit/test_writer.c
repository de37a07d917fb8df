/* Group commit, and disks that fail at the worst moment. */
#include <sys/stat.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "auditd/writer.h"

/* A disk whose next calls do as they are told, then work. */
static struct {
	int	 fd;
	size_t	 chunk;		/* a write takes at most this */
	size_t	 room;		/* bytes until the disk is full */
	int	 write_errno, write_fails, write_eintr;
	int	 sync_fails, fsync_fails, truncate_fails;
	bool	 drop;		/* a failed sync loses what was written since */
	off_t	 synced;
	int	 writes, syncs, truncates;
} disk;

struct told {
	int		 n, refused;
	struct chain	 at;
	off_t		 file;		/* its length when told */
};

static ssize_t	 disk_write(int, const void *, size_t);
static int	 disk_fdatasync(int);
static int	 disk_fsync(int);
static int	 disk_ftruncate(int, off_t);
static off_t	 length(void);
static void	 tell(void *, const struct chain *);
static void	 add(struct writer *, uint64_t, struct told *);
static void	 verify(uint64_t lines);
static struct writer *start(void);
static void	 stop(struct writer *);

static const struct writer_ops	 ops = {
	.write = disk_write,
	.fdatasync = disk_fdatasync,
	.fsync = disk_fsync,
	.ftruncate = disk_ftruncate,
};

static ssize_t
disk_write(int fd, const void *p, size_t len)
{
	disk.writes++;
	if (disk.write_eintr > 0) {
		disk.write_eintr--;
		errno = EINTR;
		return -1;
	}
	if (disk.write_fails > 0) {
		disk.write_fails--;
		errno = disk.write_errno;
		return disk.write_errno == 0 ? 0 : -1;
	}
	if (len > disk.chunk)
		len = disk.chunk;
	if (len > disk.room)
		len = disk.room;
	if (len == 0) {
		errno = ENOSPC;
		return -1;
	}
	disk.room -= len;
	return write(fd, p, len);
}

static int
disk_fdatasync(int fd)
{
	disk.syncs++;
	if (disk.sync_fails > 0) {
		disk.sync_fails--;
		/* What Linux does: the pages are clean and gone. */
		if (disk.drop)
			ck_assert_int_eq(ftruncate(fd, disk.synced), 0);
		errno = EIO;
		return -1;
	}
	disk.synced = length();
	return 0;
}

static int
disk_fsync(int fd)
{
	(void)fd;
	if (disk.fsync_fails > 0) {
		disk.fsync_fails--;
		errno = EIO;
		return -1;
	}
	disk.synced = length();
	return 0;
}

static int
disk_ftruncate(int fd, off_t len)
{
	disk.truncates++;
	if (disk.truncate_fails > 0) {
		disk.truncate_fails--;
		errno = EIO;
		return -1;
	}
	return ftruncate(fd, len);
}

static off_t
length(void)
{
	struct stat	 st;

	ck_assert_int_eq(fstat(disk.fd, &st), 0);
	return st.st_size;
}

static void
tell(void *arg, const struct chain *at)
{
	struct told	*t = arg;

	t->n++;
	if (at == NULL) {
		t->refused++;
		return;
	}
	t->at = *at;
	t->file = disk.synced;
	/* Never before it is on the disk. */
	ck_assert_int_eq((int)disk.synced, (int)length());
}

static void
add(struct writer *w, uint64_t kseq, struct told *t)
{
	struct audit_record	 r;

	audit_record_init(&r, EV_LOCK, SRC_KEYD, true);
	audit_set_u64(&r, FIELD_KSEQ, kseq);
	ck_assert_int_eq(writer_add(w, &r), 0);
	if (t != NULL)
		ck_assert_int_eq(writer_wait(w, tell, t), 0);
}

static void
verify(uint64_t lines)
{
	struct chain_scan	 s;

	ck_assert_int_eq(chain_scan(disk.fd, &s), 0);
	ck_assert(!s.foreign);
	ck_assert_uint_eq(s.lines, lines);
	ck_assert_uint_eq(s.breaks, 0);
	ck_assert_int_eq((int)s.torn, 0);
}

static struct writer *
start(void)
{
	struct chain	 zero = { .seq = 0 };
	struct writer	*w;
	char		 name[] = "/tmp/igra-writer-XXXXXX";

	memset(&disk, 0, sizeof(disk));
	disk.chunk = disk.room = SIZE_MAX;
	ck_assert_int_ne(disk.fd = mkstemp(name), -1);
	(void)unlink(name);
	ck_assert_int_ne(fcntl(disk.fd, F_SETFL, O_APPEND), -1);
	ck_assert_ptr_nonnull(w = writer_new(disk.fd, 0, &zero, &ops));
	return w;
}

static void
stop(struct writer *w)
{
	writer_free(w);
	close(disk.fd);
}

START_TEST(group)
{
	struct writer		*w = start();
	struct writer_stats	 st;
	struct told		 t[100] = { { .n = 0 } };
	uint64_t		 i;

	ck_assert(writer_idle(w));
	ck_assert_int_eq(writer_commit(w), 0);
	ck_assert_int_eq(disk.writes, 0);
	for (i = 0; i < 100; i++)
		add(w, i + 1, &t[i]);
	ck_assert_int_eq(t[0].n, 0);
	ck_assert_int_eq(disk.writes, 0);
	ck_assert_int_eq(writer_commit(w), 0);
	ck_assert_int_eq(disk.writes, 1);
	ck_assert_int_eq(disk.syncs, 1);
	for (i = 0; i < 100; i++) {
		ck_assert_int_eq(t[i].n, 1);
		ck_assert_int_eq(t[i].refused, 0);
		ck_assert_uint_eq(t[i].at.seq, i + 1);
		ck_assert_uint_eq(t[i].at.kseq, i + 1);
	}
	ck_assert_mem_eq(t[99].at.head, writer_durable(w)->head, CHAIN_HASH);
	writer_stats(w, &st);
	ck_assert_uint_eq(st.records, 100);
	ck_assert_uint_eq(st.commits, 1);
	ck_assert_uint_eq(st.bytes, (uint64_t)length());
	ck_assert(writer_idle(w));
	verify(100);
	stop(w);
}
END_TEST

START_TEST(short_writes)
{
	struct writer	*w = start();
	struct told	 t = { .n = 0 };

	disk.chunk = 7;
	disk.write_eintr = 3;
	add(w, 1, NULL);
	add(w, 2, &t);
	ck_assert_int_eq(writer_commit(w), 0);
	ck_assert_int_eq(t.n, 1);
	ck_assert_int_gt(disk.writes, 20);
	ck_assert_int_eq(disk.syncs, 1);
	verify(2);
	stop(w);
}
END_TEST

/* A disk that is full after any number of bytes; then there is room again. */
START_TEST(full)
{
	struct writer		*w;
	struct told		 t, again;
	struct chain		 was;
	size_t			 room, len;

	w = start();
	add(w, 1, NULL);
	add(w, 2, NULL);
	len = writer_queued(w);
	stop(w);
	for (room = 0; room < len; room++) {
		memset(&t, 0, sizeof(t));
		memset(&again, 0, sizeof(again));
		w = start();
		add(w, 1, NULL);
		ck_assert_int_eq(writer_commit(w), 0);
		was = *writer_durable(w);
		disk.room = room;
		add(w, 2, &t);
		add(w, 3, NULL);
		ck_assert_int_eq(writer_commit(w), -1);
		ck_assert_int_eq(t.n, 1);
		ck_assert_int_eq(t.refused, 1);
		ck_assert_str_eq(writer_fault(w),
		    "write: No space left on device");
		ck_assert_mem_eq(writer_durable(w), &was, sizeof(was));
		ck_assert_mem_eq(writer_next(w), &was, sizeof(was));
		ck_assert_uint_eq(writer_queued(w), 0);
		verify(1);

		/* Nothing is retried behind the back of those refused. */
		ck_assert_int_eq(writer_commit(w), 0);
		ck_assert_ptr_nonnull(writer_fault(w));
		verify(1);
		disk.room = SIZE_MAX;
		add(w, 4, &again);
		ck_assert_int_eq(writer_commit(w), 0);
		ck_assert_ptr_null(writer_fault(w));
		ck_assert_int_eq(again.refused, 0);
		ck_assert_uint_eq(again.at.seq, 2);
		ck_assert_uint_eq(again.at.kseq, 4);
		verify(2);
		stop(w);
	}
}
END_TEST

static const int	 write_errors[] = { EIO, ENOSPC, EDQUOT, EFBIG, EROFS, 0 };

START_TEST(write_error)
{
	struct writer	*w = start();
	struct told	 t = { .n = 0 };

	add(w, 1, NULL);
	ck_assert_int_eq(writer_commit(w), 0);
	disk.write_errno = write_errors[_i];
	disk.write_fails = 1;
	add(w, 2, &t);
	ck_assert_int_eq(writer_commit(w), -1);
	ck_assert_int_eq(t.refused, 1);
	ck_assert_ptr_nonnull(strstr(writer_fault(w),
	    strerror(write_errors[_i] == 0 ? EIO : write_errors[_i])));
	add(w, 2, &t);
	ck_assert_int_eq(writer_commit(w), 0);
	ck_assert_int_eq(t.refused, 1);
	ck_assert_int_eq(t.n, 2);
	verify(2);
	stop(w);
}
END_TEST

/* The pages of a failed sync are gone: the lines are written anew. */
START_TEST(sync_error)
{
	struct writer	*w = start();
	struct told	 t = { .n = 0 };

	add(w, 1, NULL);
	ck_assert_int_eq(writer_commit(w), 0);
	disk.drop = _i != 0;
	disk.sync_fails = 1;
	disk.writes = disk.syncs = 0;
	add(w, 2, &t);
	ck_assert_int_eq(writer_commit(w), 0);
	ck_assert_int_eq(t.refused, 0);
	ck_assert_int_eq(disk.writes, 2);
	ck_assert_int_eq(disk.syncs, 2);
	ck_assert_int_eq(disk.truncates, 1);
	verify(2);

	disk.sync_fails = 2;
	add(w, 3, &t);
	ck_assert_int_eq(writer_commit(w), -1);
	ck_assert_int_eq(t.refused, 1);
	ck_assert_str_eq(writer_fault(w), "sync: Input/output error");
	verify(2);
	add(w, 3, &t);
	ck_assert_int_eq(writer_commit(w), 0);
	verify(3);
	stop(w);
}
END_TEST

/* While the file cannot be cut back nothing may follow what is there. */
START_TEST(cut_error)
{
	struct writer	*w = start();
	struct told	 t = { .n = 0 };
	off_t		 len;

	add(w, 1, NULL);
	ck_assert_int_eq(writer_commit(w), 0);
	len = length();
	disk.room = 10;
	if (_i == 0)
		disk.truncate_fails = 2;
	else
		disk.fsync_fails = 2;
	add(w, 2, &t);
	ck_assert_int_eq(writer_commit(w), -1);
	ck_assert(!writer_idle(w));
	if (_i == 0)
		ck_assert_int_eq((int)length(), (int)len + 10);
	disk.room = SIZE_MAX;
	disk.writes = 0;
	add(w, 3, &t);
	ck_assert_int_eq(writer_commit(w), -1);
	ck_assert_int_eq(disk.writes, 0);
	ck_assert_int_eq(t.refused, 2);
	ck_assert_ptr_nonnull(writer_fault(w));
	add(w, 4, &t);
	ck_assert_int_eq(writer_commit(w), 0);
	ck_assert_int_eq(t.refused, 2);
	ck_assert_uint_eq(t.at.seq, 2);
	verify(2);
	stop(w);
}
END_TEST

/* What somebody else has written, or cut, is not built upon. */
START_TEST(touched)
{
	struct writer	*w = start();
	struct told	 t = { .n = 0 };
	off_t		 len;

	add(w, 1, NULL);
	ck_assert_int_eq(writer_commit(w), 0);
	len = length();
	if (_i == 0)
		ck_assert_int_eq((int)write(disk.fd, "x", 1), 1);
	else
		ck_assert_int_eq(ftruncate(disk.fd, len - 1), 0);
	disk.writes = 0;
	add(w, 2, &t);
	ck_assert_int_eq(writer_commit(w), -1);
	ck_assert_int_eq(t.refused, 1);
	ck_assert_int_eq(disk.writes, 0);
	ck_assert(!writer_full(w));
	ck_assert(!writer_dirty(w));
	/* The stranger's byte is left for whoever looks into it. */
	ck_assert_int_eq((int)length(), (int)len + (_i == 0 ? 1 : -1));
	stop(w);
}
END_TEST

/* Only a lack of space is one. */
START_TEST(space)
{
	static const int	 errors[] = { ENOSPC, EDQUOT, EIO, EROFS };
	struct writer		*w = start();

	disk.write_errno = errors[_i];
	disk.write_fails = 1;
	add(w, 1, NULL);
	ck_assert_int_eq(writer_commit(w), -1);
	ck_assert_int_eq(writer_full(w), _i < 2);
	add(w, 1, NULL);
	ck_assert_int_eq(writer_commit(w), 0);
	ck_assert(!writer_full(w));
	stop(w);
}
END_TEST

/* On into the next file, whose first line is there already. */
START_TEST(next_file)
{
	struct writer		*w = start();
	struct writer_stats	 st;
	struct chain_scan	 s;
	struct chain		 at;
	char			 name[] = "/tmp/igra-writer-XXXXXX";
	char			*first;
	size_t			 len;
	int			 old = disk.fd;

	add(w, 1, NULL);
	ck_assert_int_eq(writer_commit(w), 0);
	/* Any line will do: the chain's own second one. */
	add(w, 2, NULL);
	len = writer_queued(w);
	at = *writer_next(w);
	ck_assert_int_eq(writer_commit(w), 0);
	ck_assert_ptr_nonnull(first = malloc(len));
	ck_assert_int_eq((int)pread(old, first, len,
	    length() - (off_t)len), (int)len);
	ck_assert_int_ne(disk.fd = mkstemp(name), -1);
	(void)unlink(name);
	ck_assert_int_ne(fcntl(disk.fd, F_SETFL, O_APPEND), -1);
	ck_assert_int_eq((int)write(disk.fd, first, len), (int)len);
	writer_switch(w, disk.fd, (off_t)len, &at);
	ck_assert_int_eq((int)writer_end(w), (int)len);
	add(w, 3, NULL);
	ck_assert_uint_eq(writer_records(w), 1);
	ck_assert_int_eq(writer_commit(w), 0);
	ck_assert_int_eq(chain_scan(disk.fd, &s), 0);
	ck_assert_uint_eq(s.first_seq, 2);
	ck_assert_uint_eq(s.chain.seq, 3);
	ck_assert_uint_eq(s.breaks, 0);
	writer_stats(w, &st);
	ck_assert_uint_eq(st.bytes, (uint64_t)length());
	free(first);
	close(old);
	stop(w);
}
END_TEST

/* Half a message is taken back; what came before it stays. */
START_TEST(rewind_message)
{
	struct writer		*w = start();
	struct writer_mark	 mark;
	struct writer_stats	 st;
	struct told		 t = { .n = 0 };

	add(w, 1, &t);
	writer_mark(w, &mark);
	add(w, 2, NULL);
	add(w, 3, NULL);
	writer_rewind(w, &mark);
	ck_assert_uint_eq(writer_next(w)->kseq, 1);
	add(w, 4, &t);
	ck_assert_int_eq(writer_commit(w), 0);
	ck_assert_uint_eq(t.at.seq, 2);
	ck_assert_uint_eq(t.at.kseq, 4);
	writer_stats(w, &st);
	ck_assert_uint_eq(st.records, 2);
	verify(2);
	stop(w);
}
END_TEST

/* Who only repeats what is there waits for no sync, but for the queue. */
START_TEST(wait_without_record)
{
	struct writer	*w = start();
	struct told	 t = { .n = 0 };

	ck_assert_int_eq(writer_wait(w, tell, &t), 0);
	ck_assert(!writer_idle(w));
	ck_assert_int_eq(writer_commit(w), 0);
	ck_assert_int_eq(t.n, 1);
	ck_assert_uint_eq(t.at.seq, 0);
	ck_assert_int_eq(disk.syncs, 0);

	add(w, 1, NULL);
	ck_assert_int_eq(writer_wait(w, tell, &t), 0);
	disk.write_errno = EIO;
	disk.write_fails = 1;
	ck_assert_int_eq(writer_commit(w), -1);
	ck_assert_int_eq(t.refused, 1);
	stop(w);
}
END_TEST

/* A record of the greatest size, and a queue that grows past its buffer. */
START_TEST(big)
{
	struct writer		*w = start();
	struct audit_record	 r;
	struct bytes		 script;
	struct enc		 dest;
	struct told		 t = { .n = 0 };
	int			 i;

	script.len = 130000;
	ck_assert_ptr_nonnull(script.p = calloc(1, script.len));
	enc_init(&dest);
	audit_dest_add(&dest, NULL, script, 1);
	audit_record_init(&r, EV_SIGNING, SRC_KEYD, true);
	audit_set_bytes(&r, FIELD_DESTINATIONS, dest.buf, dest.len);
	for (i = 0; i < 20; i++)
		ck_assert_int_eq(writer_add(w, &r), 0);
	ck_assert_uint_gt(writer_queued(w), 20 * 260000);
	ck_assert_int_eq(writer_wait(w, tell, &t), 0);
	ck_assert_int_eq(writer_commit(w), 0);
	ck_assert_int_eq(disk.syncs, 1);
	verify(20);

	script.len = 200000;
	free((void *)(uintptr_t)script.p);
	ck_assert_ptr_nonnull(script.p = calloc(1, script.len));
	enc_free(&dest);
	enc_init(&dest);
	audit_dest_add(&dest, NULL, script, 1);
	audit_set_bytes(&r, FIELD_DESTINATIONS, dest.buf, dest.len);
	ck_assert_int_eq(writer_add(w, &r), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert(writer_idle(w));
	enc_free(&dest);
	free((void *)(uintptr_t)script.p);
	stop(w);
}
END_TEST

/* Whoever waits when the writer ends is refused, not forgotten. */
START_TEST(freed)
{
	struct writer	*w = start();
	struct told	 t = { .n = 0 };

	add(w, 1, &t);
	stop(w);
	ck_assert_int_eq(t.refused, 1);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("writer");
	TCase	*tc = tcase_create("writer");
	SRunner	*sr;
	int	 failed;

	if (sodium_init() == -1)
		return 1;
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, group);
	tcase_add_test(tc, short_writes);
	tcase_add_test(tc, full);
	tcase_add_loop_test(tc, write_error, 0,
	    sizeof(write_errors) / sizeof(write_errors[0]));
	tcase_add_loop_test(tc, sync_error, 0, 2);
	tcase_add_loop_test(tc, cut_error, 0, 2);
	tcase_add_loop_test(tc, touched, 0, 2);
	tcase_add_loop_test(tc, space, 0, 4);
	tcase_add_test(tc, next_file);
	tcase_add_test(tc, rewind_message);
	tcase_add_test(tc, wait_without_record);
	tcase_add_test(tc, big);
	tcase_add_test(tc, freed);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
