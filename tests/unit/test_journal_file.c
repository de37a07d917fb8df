/*
 * The policy journal's file: every torn end, every flipped byte, rollbacks,
 * writes and syncs that fail, kills at any moment.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keyd/journal_int.h"
#include "log.h"
#include "messages.h"
#include "sandbox.h"

#define S	NS_PER_S

static char		 dir[64], path[96];
static struct event_base *base;
static int		 answers, good;
static bool		 writer_died;

/* Clocks: of this boot, until a test says otherwise. */
static struct {
	bool	 fake;
	int64_t	 boot, wall;
} now;

static int64_t
boot(void *arg)
{
	(void)arg;
	return now.boot;
}

static int64_t
wall(void *arg)
{
	(void)arg;
	return now.wall;
}

/* On a disk, or where a sync costs nothing. */
static void
setup_in(const char *where)
{
	(void)snprintf(dir, sizeof(dir), "%s/igra-journal.XXXXXX", where);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/policy.journal", dir);
	ck_assert_ptr_nonnull(base = event_base_new());
	memset(&now, 0, sizeof(now));
	answers = good = 0;
	writer_died = false;
}

static void
setup(void)
{
	setup_in("/tmp");
}

static void
setup_fast(void)
{
	setup_in(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

static void
teardown(void)
{
	char	 cmd[96];

	event_base_free(base);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	ck_assert_int_eq(system(cmd), 0);
}

static void
died(void *arg)
{
	(void)arg;
	writer_died = true;
}

static const struct journal_owner *
owner(bool strict)
{
	static struct journal_owner	 o;

	o.uid = geteuid();
	o.gid = getegid();
	o.strict = strict;
	return &o;
}

static struct journal *
start(const struct journal_io *io, uint8_t boot_id)
{
	struct journal_clocks	 c = { NULL, NULL, NULL, { 0 } };
	struct journal		*j;
	char			 err[256];

	c.boot_id[0] = boot_id;
	if (now.fake) {
		c.boot = boot;
		c.wall = wall;
	}
	ck_assert_ptr_nonnull(j = journal_new(1000000, &c));
	ck_assert_msg(journal_open(j, path, owner(true), err,
	    sizeof(err)) == 0, "%s", err);
	ck_assert_int_eq(journal_fork(j, io), 0);
	ck_assert_msg(journal_load(j, err, sizeof(err)) == 0, "%s", err);
	ck_assert_int_eq(journal_start(j, base, died, NULL), 0);
	return j;
}

/* The writer has the lock as long as it lives. */
static void
end(struct journal *j, bool clean)
{
	pid_t	 pid = j->file->pid;

	if (clean)
		journal_stop(j);
	journal_free(j);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static void
told(bool ok, const char *why, void *arg)
{
	(void)why;
	(void)arg;
	answers++;
	good += ok;
}

static void
entry_of(uint32_t id, uint32_t n, struct journal_entry *e)
{
	uint32_t	 i;

	memset(e, 0, sizeof(*e));
	memcpy(e->sid, &id, sizeof(id));
	e->outflow = 10;
	e->kseq = id;
	e->n = n;
	ck_assert_ptr_nonnull(e->claim = calloc(n, sizeof(*e->claim)));
	for (i = 0; i < n; i++) {
		e->claim[i].outpoint.index = i;
		memcpy(e->claim[i].outpoint.txid, &id, sizeof(id));
		e->claim[i].amount = id;
		memset(e->claim[i].script_hash, (int)i,
		    sizeof(e->claim[i].script_hash));
	}
}

static int
put(struct journal *j, uint32_t id, uint32_t n)
{
	struct journal_entry	 e;
	int			 r;

	entry_of(id, n, &e);
	if ((r = journal_reserve(j, &e, 1)) == 0)
		journal_commit(j, &e, 1, told, NULL);
	free(e.claim);
	return r;
}

static void
turn_until(int want)
{
	const struct timeval	 tick = { 0, 10000 };
	int			 i;

	for (i = 0; i < 1000 && answers < want; i++) {
		ck_assert_int_eq(event_base_loopexit(base, &tick), 0);
		ck_assert_int_ge(event_base_dispatch(base), 0);
	}
	ck_assert_int_eq(answers, want);
}

static void
turn_ms(int ms)
{
	struct timeval	 tv = { ms / 1000, ms % 1000 * 1000 };

	ck_assert_int_eq(event_base_loopexit(base, &tv), 0);
	ck_assert_int_ge(event_base_dispatch(base), 0);
}

static bool
may_sign(struct journal *j)
{
	char	 why[JOURNAL_WHY];

	return journal_may_sign(j, why, sizeof(why));
}

static bool
has(struct journal *j, uint32_t id, uint32_t n)
{
	struct journal_entry	 e;
	uint32_t		 i;
	bool			 all;

	entry_of(id, n, &e);
	all = journal_known(j, e.sid);
	for (i = 0; i < n && all; i++)
		all = journal_claim(j, &e.claim[i], e.sid, NULL) == CLAIM_SAME;
	free(e.claim);
	return all;
}

/* Loads a copy of the bytes, without a writer. */
static struct journal *
load_bytes(const uint8_t *p, size_t len)
{
	struct journal	*j;
	char		 copy[128], err[256];
	int		 fd;

	(void)snprintf(copy, sizeof(copy), "%s/copy", dir);
	fd = open(copy, O_RDWR | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_eq(write_all(&journal_system, fd, p, len, 0), 0);
	close(fd);
	ck_assert_ptr_nonnull(j = journal_new(1000000, NULL));
	ck_assert_msg(journal_open(j, copy, owner(true), err,
	    sizeof(err)) == 0, "%s", err);
	ck_assert_msg(journal_load(j, err, sizeof(err)) == 0, "%s", err);
	return j;
}

static uint8_t *
read_all(size_t *len)
{
	struct stat	 st;
	uint8_t		*p;
	int		 fd = open(path, O_RDONLY);

	ck_assert_int_eq(fstat(fd, &st), 0);
	/* Without most of what is preallocated. */
	*len = st.st_size > 64 * 1024 ? 64 * 1024 : (size_t)st.st_size;
	ck_assert_ptr_nonnull(p = malloc(*len));
	ck_assert_int_eq((int)pread(fd, p, *len, 0), (int)*len);
	close(fd);
	return p;
}

START_TEST(stays)
{
	struct journal		*j = start(NULL, 1);
	struct journal_usage	 u;
	struct journal_state	 s;
	struct outpoint		 o;
	struct journal_found	 f;
	uint32_t		 i;

	ck_assert(may_sign(j));
	for (i = 1; i <= 500; i++) {
		ck_assert_int_eq(put(j, i, i % 7 + 1), 0);
		if (i % 100 == 0)
			turn_until((int)i);
	}
	ck_assert_int_eq(good, 500);
	/* Again: no entry, but the kseq is kept. */
	journal_state(j, &s);
	ck_assert_int_eq(put(j, 500, 500 % 7 + 1), 0);
	j->kseq = 777;
	ck_assert_int_eq(put(j, 500, 500 % 7 + 1), 0);
	turn_until(502);
	ck_assert_uint_eq(s.bytes, j->file->end);
	memset(&o, 0, sizeof(o));
	i = 500;
	memcpy(o.txid, &i, sizeof(i));
	ck_assert(journal_find(j, &o, &f));
	journal_release(j, &o, told, NULL);
	turn_until(503);
	end(j, false);
	j = start(NULL, 1);
	ck_assert(may_sign(j));
	ck_assert_uint_eq(j->kseq, 777);
	for (i = 1; i < 500; i++)
		ck_assert(has(j, i, i % 7 + 1));
	ck_assert(!journal_find(j, &o, &f));
	journal_usage(j, &u);
	ck_assert_uint_eq(u.hour, 5000);
	ck_assert_uint_eq(u.count, 500);
	end(j, true);
	j = start(NULL, 1);
	ck_assert_uint_eq(j->nids, 500);
	end(j, true);
}
END_TEST

/* The last entry as far as byte n: it is cut off, all before it is there. */
START_TEST(torn_everywhere)
{
	struct journal	*j = start(NULL, 1);
	uint8_t		*p;
	uint64_t	 before, after, k;
	size_t		 len;
	int		 i;

	for (i = 1; i <= 3; i++)
		put(j, (uint32_t)i, 2);
	turn_until(3);
	before = j->file->end;
	put(j, 4, 3);
	turn_until(4);
	after = j->file->end;
	end(j, false);
	p = read_all(&len);
	for (k = after; k-- > before;) {
		/* Not there, or what stood there before. */
		p[k] = k % 2 == 0 ? 0 : 0xa5;
		j = load_bytes(p, len);
		ck_assert_msg(may_sign(j), "byte %llu", (unsigned long long)k);
		ck_assert_uint_eq(j->nids, 3);
		ck_assert_uint_eq(j->file->end, before);
		journal_free(j);
		/* Or the file ends there. */
		j = load_bytes(p, (size_t)k);
		ck_assert(may_sign(j));
		ck_assert_uint_eq(j->nids, 3);
		journal_free(j);
	}
	free(p);
}
END_TEST

/* Any byte of what a slot or a later entry vouches for. */
START_TEST(flipped_everywhere)
{
	struct journal	*j = start(NULL, 1);
	uint8_t		*p;
	uint64_t	 end_at, k;
	size_t		 len, used = 0;
	int		 i, slot;

	for (i = 1; i <= 3; i++) {
		put(j, (uint32_t)i, 2);
		turn_until(i);
	}
	end(j, true);
	j = start(NULL, 1);
	end_at = j->file->end;
	slot = j->file->slot;
	end(j, false);
	p = read_all(&len);
	for (k = 0; k < end_at; k++) {
		p[k] ^= 0x10;
		j = load_bytes(p, len);
		if (k < FORMAT_SLOT || k >= FORMAT_FIRST) {
			ck_assert_msg(!may_sign(j), "byte %llu",
			    (unsigned long long)k);
			used++;
		} else {
			/* The other slot is there, and nobody's bytes. */
			ck_assert(may_sign(j));
			ck_assert_uint_eq(j->nids, 3);
			used += k >= FORMAT_SLOT_AT(slot) &&
			    k < FORMAT_SLOT_AT(slot) + FORMAT_SLOT;
		}
		journal_free(j);
		p[k] ^= 0x10;
		if (k == FORMAT_SLOT)
			k = FORMAT_SLOT_AT(0) - 1;
		if (k == FORMAT_SLOT_AT(1) + FORMAT_SLOT)
			k = FORMAT_FIRST - 1;
	}
	ck_assert_uint_ge(used, 2 * FORMAT_SLOT + 3 * format_entry_len(2));
	/* Both slots. */
	p[FORMAT_SLOT_AT(0)] ^= 1;
	p[FORMAT_SLOT_AT(1)] ^= 1;
	j = load_bytes(p, len);
	ck_assert(!may_sign(j));
	journal_free(j);
	free(p);
}
END_TEST

/* Without a slot that says so, later entries do: the middle one is damaged. */
START_TEST(damage_in_the_middle)
{
	struct journal	*j = start(NULL, 1);
	uint64_t	 at;
	uint8_t		*p;
	size_t		 len;

	put(j, 1, 1);
	turn_until(1);
	at = j->file->end;
	put(j, 2, 1);
	turn_until(2);
	put(j, 3, 1);
	turn_until(3);
	put(j, 4, 1);
	turn_until(4);
	end(j, false);
	p = read_all(&len);
	memset(p + at, 0, 100);
	j = load_bytes(p, len);
	ck_assert(!may_sign(j));
	journal_free(j);
	free(p);
}
END_TEST

START_TEST(refused_files)
{
	struct journal	*j = start(NULL, 1), *k;
	char		 err[256], other[128];

	/* In use. */
	ck_assert_ptr_nonnull(k = journal_new(1, NULL));
	ck_assert_int_eq(journal_open(k, path, owner(true), err,
	    sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "another process has it"));
	journal_free(k);
	end(j, true);
	ck_assert_int_eq(chmod(path, 0640), 0);
	ck_assert_ptr_nonnull(k = journal_new(1, NULL));
	ck_assert_int_eq(journal_open(k, path, owner(true), err,
	    sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "chmod 0600"));
	journal_free(k);
	ck_assert_ptr_nonnull(k = journal_new(1, NULL));
	ck_assert_int_eq(journal_open(k, path, owner(false), err,
	    sizeof(err)), 0);
	journal_free(k);
	(void)snprintf(other, sizeof(other), "%s/other", dir);
	ck_assert_int_eq(link(path, other), 0);
	ck_assert_ptr_nonnull(k = journal_new(1, NULL));
	ck_assert_int_eq(journal_open(k, path, owner(true), err,
	    sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "another name"));
	journal_free(k);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink(other, path), 0);
	ck_assert_ptr_nonnull(k = journal_new(1, NULL));
	ck_assert_int_eq(journal_open(k, path, owner(true), err,
	    sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "symbolic link"));
	journal_free(k);
}
END_TEST

START_TEST(rollbacks)
{
	struct journal_log	 log = { 2, 50, { 1 }, 3 };
	struct journal		*j = start(NULL, 1);

	put(j, 1, 1);
	put(j, 2, 1);
	turn_until(2);
	journal_acked(j, 3, 50, log.head);
	end(j, true);
	j = start(NULL, 1);
	journal_compare(j, &log);
	ck_assert(may_sign(j));
	/* In the journal alone, after a crash: nothing was rolled back. */
	put(j, 3, 1);
	turn_until(3);
	journal_compare(j, &log);
	ck_assert(may_sign(j));
	/* Another line there. */
	log.head[0] = 2;
	journal_compare(j, &log);
	ck_assert_uint_eq(journal_rollback(j), PROTO_ROLLBACK_LOG);
	ck_assert(!may_sign(j));
	/* It stays seen while the log grows, and over a restart. */
	log.seq = 60;
	journal_acked(j, 3, 60, log.head);
	journal_compare(j, &log);
	ck_assert(!may_sign(j));
	turn_ms(100);
	end(j, false);
	j = start(NULL, 1);
	ck_assert_uint_eq(journal_rollback(j), PROTO_ROLLBACK_LOG);
	ck_assert_uint_eq(j->acked_seq, 50);
	journal_accept_rollback(j, told, NULL);
	turn_until(4);
	ck_assert(may_sign(j));
	end(j, false);
	j = start(NULL, 1);
	ck_assert(may_sign(j));
	log.seq = 60;
	log.sign_kseq = 4;
	journal_compare(j, &log);
	ck_assert_uint_eq(journal_rollback(j), PROTO_ROLLBACK_JOURNAL);
	journal_accept_rollback(j, told, NULL);
	turn_until(5);
	end(j, false);
	j = start(NULL, 1);
	journal_compare(j, &log);
	ck_assert(may_sign(j));
	ck_assert_uint_eq(j->kseq, 4);
	/*
	 * It lost keyd's last record and has grown on since, by what others
	 * told it.
	 */
	journal_acked(j, 9, 60, log.head);
	end(j, true);
	j = start(NULL, 1);
	log.seq = 63;
	log.last_kseq = 9;
	journal_compare(j, &log);
	ck_assert(may_sign(j));
	log.last_kseq = 8;
	journal_compare(j, &log);
	ck_assert_uint_eq(journal_rollback(j), PROTO_ROLLBACK_LOG);
	ck_assert(!may_sign(j));
	journal_accept_rollback(j, told, NULL);
	turn_until(6);
	end(j, false);
	j = start(NULL, 1);
	journal_compare(j, &log);
	ck_assert(may_sign(j));
	end(j, true);
}
END_TEST

/* What was frozen stays so over restarts, and what was accepted accepted. */
START_TEST(clock_over_restarts)
{
	struct journal		*j;
	struct journal_usage	 u;
	uint64_t		 gap;

	now.fake = true;
	now.boot = 100 * S;
	now.wall = INT64_C(1700000000) * S;
	j = start(NULL, 1);
	put(j, 1, 1);
	turn_until(1);
	end(j, false);
	/* The same boot: exact. */
	now.boot += 3000 * S;
	now.wall += 3000 * S;
	j = start(NULL, 1);
	journal_usage(j, &u);
	ck_assert_uint_eq(u.hour, 10);
	ck_assert_uint_eq(u.hour_frees, 600);
	end(j, false);
	/* Another: the wall clock says two hours, and nobody believes it. */
	now.boot = 5 * S;
	now.wall += 4200 * S;
	j = start(NULL, 2);
	ck_assert_int_eq(journal_clock_pending(j, &gap), CLOCK_REBOOT);
	ck_assert_uint_eq(gap, 7200);
	put(j, 2, 1);
	turn_until(2);
	end(j, false);
	now.boot += 86400 * S;
	now.wall += 86400 * S;
	j = start(NULL, 2);
	ck_assert_int_eq(journal_clock_pending(j, &gap), CLOCK_REBOOT);
	ck_assert_uint_eq(gap, 7200 + 86400);
	journal_usage(j, &u);
	ck_assert_uint_eq(u.hour, 20);
	journal_accept_clock(j, told, NULL);
	turn_until(3);
	end(j, false);
	j = start(NULL, 2);
	ck_assert_int_eq(journal_clock_pending(j, &gap), CLOCK_RUNS);
	journal_usage(j, &u);
	ck_assert_uint_eq(u.day, 0);
	ck_assert_uint_eq(u.week, 20);
	end(j, true);
}
END_TEST

/* --- writes and syncs that fail --- */

/* Shared with the writer: which call fails, and how. */
static struct {
	int	 calls, fail_to;
	volatile int fail_from;
	bool	 partial;
	int	 error;
} *fault;

static bool
fails(void)
{
	int	 n = fault->calls++;

	return n >= fault->fail_from && n < fault->fail_to;
}

static ssize_t
faulty_pwrite(int fd, const void *p, size_t len, off_t off)
{
	if (fails()) {
		if (fault->partial && len > 1)
			return pwrite(fd, p, len / 2, off);
		errno = fault->error;
		return -1;
	}
	return pwrite(fd, p, len, off);
}

static int
faulty_sync(int fd)
{
	if (fails()) {
		errno = fault->error;
		return -1;
	}
	return fdatasync(fd);
}

static const struct journal_io	 faulty = { faulty_pwrite, faulty_sync };

/*
 * The _i-th call of the writer fails, and the next few: whoever was told yes
 * is there afterwards; it recovers without a restart.
 */
START_TEST(nth_call_fails)
{
	struct journal	*j;
	uint32_t	 i, id = 1, yes[64], nyes = 0;
	int		 before, tries;

	fault = mmap(NULL, sizeof(*fault), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANON, -1, 0);
	fault->fail_from = _i;
	fault->fail_to = _i + 1 + _i % 3;
	fault->error = _i % 2 == 0 ? ENOSPC : EIO;
	fault->partial = _i % 5 == 4;
	j = start(&faulty, 1);
	for (tries = 0; tries < 12; tries++) {
		before = good;
		/* One alone, so that the answer is its own. */
		put(j, id, 2);
		turn_until(tries + 1);
		if (good > before)
			yes[nyes++] = id;
		else
			turn_ms(300);
		/* Refused: the same again, or another. */
		if (good > before || tries % 2 == 0)
			id++;
	}
	for (i = 0; i < 40 && !may_sign(j); i++)
		turn_ms(100);
	ck_assert(may_sign(j));
	put(j, id, 2);
	turn_until(13);
	yes[nyes++] = id;
	end(j, false);
	j = start(NULL, 1);
	ck_assert(may_sign(j));
	for (i = 0; i < nyes; i++)
		ck_assert_msg(has(j, yes[i], 2), "entry %u", yes[i]);
	ck_assert_uint_ge(nyes, 8);
	end(j, true);
	munmap(fault, sizeof(*fault));
}
END_TEST

/*
 * A full disk: what an operator was refused does not count later, and what was
 * found meanwhile is not forgotten.
 */
START_TEST(full_disk_accepts_nothing)
{
	struct journal_log	 log = { 9, 50, { 1 }, 9 };
	struct journal		*j;
	uint64_t		 gap;
	int			 i;

	now.fake = true;
	now.boot = 100 * S;
	now.wall = 1000000 * S;
	fault = mmap(NULL, sizeof(*fault), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANON, -1, 0);
	j = start(&faulty, 1);
	put(j, 1, 2);
	turn_until(1);
	ck_assert_int_eq(good, 1);
	fault->error = ENOSPC;
	fault->fail_to = INT_MAX;
	fault->fail_from = fault->calls;
	put(j, 2, 2);
	turn_until(2);
	ck_assert(!may_sign(j));
	journal_compare(j, &log);
	now.wall += 3600 * S;
	journal_tick(j);
	ck_assert_int_eq(journal_clock_pending(j, &gap), CLOCK_STEP);
	journal_accept_rollback(j, told, NULL);
	journal_accept_clock(j, told, NULL);
	ck_assert_int_eq(answers, 4);
	ck_assert_int_eq(good, 1);
	ck_assert_uint_eq(journal_rollback(j), PROTO_ROLLBACK_JOURNAL);
	ck_assert_int_eq(journal_clock_pending(j, &gap), CLOCK_STEP);
	fault->fail_from = INT_MAX;
	for (i = 0; i < 40 && write_fault(j) != NULL; i++)
		turn_ms(100);
	ck_assert_ptr_null(write_fault(j));
	ck_assert(!may_sign(j));
	turn_ms(1300);
	end(j, false);
	j = start(NULL, 1);
	ck_assert_uint_eq(journal_rollback(j), PROTO_ROLLBACK_JOURNAL);
	ck_assert_int_eq(journal_clock_pending(j, &gap), CLOCK_STEP);
	end(j, true);
	munmap(fault, sizeof(*fault));
	now.fake = false;
}
END_TEST

/* A hung disk: no within its time, and again yes when it goes on. */
static ssize_t
slow_pwrite(int fd, const void *p, size_t len, off_t off)
{
	/* To sleep is more than its sandbox allows. */
	while (fault->fail_from != 0)
		;
	return pwrite(fd, p, len, off);
}

static const struct journal_io	 slow = { slow_pwrite, fdatasync };

START_TEST(hung_disk)
{
	struct journal	*j;
	int64_t		 t;

	fault = mmap(NULL, sizeof(*fault), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANON, -1, 0);
	j = start(&slow, 1);
	fault->fail_from = 1;
	t = bootclock_now();
	put(j, 1, 1);
	turn_until(1);
	ck_assert_int_eq(good, 0);
	t = bootclock_now() - t;
	ck_assert_msg(t > S && t < 2 * S, "%lld ns", (long long)t);
	ck_assert(!may_sign(j));
	/* At once. */
	put(j, 2, 1);
	ck_assert_int_eq(answers, 2);
	fault->fail_from = 0;
	turn_ms(300);
	ck_assert(may_sign(j));
	put(j, 2, 1);
	turn_until(3);
	ck_assert_int_eq(good, 1);
	end(j, false);
	j = start(NULL, 1);
	ck_assert(has(j, 1, 1));
	ck_assert(has(j, 2, 1));
	end(j, true);
	munmap(fault, sizeof(*fault));
}
END_TEST

/* The writer is killed: what it had is written all the same. */
START_TEST(writer_killed)
{
	struct journal	*j;
	uint32_t	 i;

	fault = mmap(NULL, sizeof(*fault), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANON, -1, 0);
	j = start(&slow, 1);
	fault->fail_from = 1;
	for (i = 1; i <= 20; i++)
		put(j, i, 3);
	kill(j->file->pid, SIGKILL);
	turn_until(20);
	ck_assert_int_eq(good, 0);
	ck_assert(writer_died);
	ck_assert(!may_sign(j));
	end(j, true);
	j = start(NULL, 1);
	for (i = 1; i <= 20; i++)
		ck_assert(has(j, i, 3));
	end(j, true);
	munmap(fault, sizeof(*fault));
}
END_TEST

/* --- the writer, taken --- */

#if defined(__linux__) && !defined(IGRA_SANITIZED)
static volatile int	*came;		/* shared: what the call returned */
static int		 attack;

static int
a_open(void)
{
	return open("/etc/passwd", O_RDONLY) == -1 ? errno : 0;
}

static int
a_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int
a_fork(void)
{
	return (int)fork();
}

static int
a_exec(void)
{
	char	*argv[] = { NULL };

	return execve("/bin/true", argv, argv);
}

static int
a_kill(void)
{
	return kill(getppid(), 0);
}

static int
a_read_file(void)
{
	char	 c;

	return (int)pread(SANDBOX_JOURNAL_FILE, &c, 1, 0);
}

static int
a_truncate(void)
{
	return ftruncate(SANDBOX_JOURNAL_FILE, 0);
}

static int
a_write_stderr(void)
{
	return (int)write(STDERR_FILENO, "", 1);
}

static int
a_write_other(void)
{
	return (int)pwrite(STDOUT_FILENO, "", 1, 0);
}

static int
a_dup(void)
{
	return dup(SANDBOX_JOURNAL_FILE);
}

static int
a_mmap(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANON,
	    -1, 0) == MAP_FAILED;
}

static const struct {
	int	 (*fn)(void);
	int	 want;			/* 0: SIGSYS */
} attacks[] = {
	{ a_open, EACCES }, { a_socket, 0 }, { a_fork, 0 }, { a_exec, 0 },
	{ a_kill, 0 }, { a_read_file, 0 }, { a_truncate, 0 },
	{ a_write_stderr, 0 }, { a_write_other, 0 }, { a_dup, 0 },
	{ a_mmap, 0 },
};
#define NATTACK	((int)(sizeof(attacks) / sizeof(attacks[0])))

static ssize_t
taken_pwrite(int fd, const void *p, size_t len, off_t off)
{
	*came = attacks[attack].fn();
	return pwrite(fd, p, len, off);
}

static const struct journal_io	 taken = { taken_pwrite, fdatasync };

START_TEST(writer_taken)
{
	struct journal	*j;
	pid_t		 pid;
	int		 status;

	came = mmap(NULL, sizeof(*came), PROT_READ | PROT_WRITE, MAP_SHARED |
	    MAP_ANON, -1, 0);
	*came = -12345;
	attack = _i;
	j = start(&taken, 1);
	pid = j->file->pid;
	put(j, 1, 1);
	turn_until(1);
	journal_free(j);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (attacks[_i].want != 0) {
		ck_assert_int_eq(*came, attacks[_i].want);
		ck_assert(WIFEXITED(status));
	} else {
		ck_assert_int_eq(*came, -12345);
		ck_assert(WIFSIGNALED(status));
		ck_assert_int_eq(WTERMSIG(status), SIGSYS);
	}
	j = start(NULL, 1);
	ck_assert(has(j, 1, 1));
	end(j, true);
}
END_TEST
#endif

/* --- kills at any moment --- */

#define LIMIT		400	/* sompi an hour: 40 entries of 10 */

/* What the one that is killed says: sent, and answered. */
struct said {
	uint32_t	 sent, yes[4096], nyes;
};
static struct said	*said;

static void
said_yes(bool ok, const char *why, void *arg)
{
	(void)why;
	if (ok)
		said->yes[said->nyes++] = (uint32_t)(uintptr_t)arg;
}

/* As a keyd would, under a limit, until it is killed. */
static void
victim(void)
{
	struct journal		*j = start(NULL, 1);
	struct journal_usage	 u;
	struct journal_entry	 e;

	for (;;) {
		journal_usage(j, &u);
		if (u.hour + 10 <= LIMIT) {
			said->sent++;
			entry_of(said->sent, said->sent % 4 + 1, &e);
			if (journal_reserve(j, &e, 1) == 0)
				journal_commit(j, &e, 1, said_yes,
				    (void *)(uintptr_t)said->sent);
			free(e.claim);
		} else
			usleep(100);
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	}
}

/*
 * Killed at a random moment, again and again: all that was answered is there,
 * with its outpoints, and all runs together stay below the limit.
 */
START_TEST(kills)
{
	struct journal_usage	 u;
	struct journal		*j;
	pid_t			 pid;
	uint32_t		 i, runs;
	bool			 full;
	const uint32_t		 most = getenv("LONG") != NULL ? 1000 : 60;

	said = mmap(NULL, sizeof(*said), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANON, -1, 0);
	for (runs = 0; runs < most; runs++) {
		if ((pid = fork()) == 0) {
			if (event_reinit(base) == -1)
				_exit(9);
			victim();
		}
		usleep(1500 + randombytes_uniform(9000));
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
		/* Waits for the writer of the one that was killed. */
		j = start(NULL, 1);
		ck_assert(may_sign(j));
		for (i = 0; i < said->nyes; i++)
			ck_assert_msg(has(j, said->yes[i], said->yes[i] % 4 +
			    1), "%u was answered and is not there",
			    said->yes[i]);
		journal_usage(j, &u);
		ck_assert_uint_le(u.hour, LIMIT);
		/* What was sent before the kill is there as well. */
		ck_assert_uint_ge(j->nids + 1, said->sent);
		said->sent = (uint32_t)j->nids;
		full = j->nids * 10 == LIMIT;
		end(j, runs % 2 == 0);
		if (full) {
			ck_assert_int_eq(unlink(path), 0);
			memset(said, 0, sizeof(*said));
		}
	}
	munmap(said, sizeof(*said));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("journal_file");
	TCase	*t = tcase_create("file"), *disk = tcase_create("disk");
	SRunner	*r;
	int	 failed;

	if (sodium_init() == -1 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return 1;
	log_init("test_journal_file", 0);
	tcase_add_checked_fixture(t, setup_fast, teardown);
	tcase_add_checked_fixture(disk, setup, teardown);
#if defined(__linux__) && !defined(IGRA_SANITIZED)
	tcase_add_loop_test(t, writer_taken, 0, NATTACK);
#endif
	tcase_add_test(disk, stays);
	tcase_add_test(t, torn_everywhere);
	tcase_add_test(t, flipped_everywhere);
	tcase_add_test(t, damage_in_the_middle);
	tcase_add_test(t, refused_files);
	tcase_add_test(t, rollbacks);
	tcase_add_test(t, clock_over_restarts);
	tcase_add_loop_test(t, nth_call_fails, 0, 16);
	tcase_add_test(t, hung_disk);
	tcase_add_test(t, full_disk_accepts_nothing);
	tcase_add_test(t, writer_killed);
	tcase_add_test(disk, kills);
	tcase_set_timeout(t, 240);
	tcase_set_timeout(disk, 240);
	suite_add_tcase(s, t);
	suite_add_tcase(s, disk);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
