/* See journal_rig.h. */
#include <sys/stat.h>
#include <sys/wait.h>

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal_rig.h"

char			 jr_dir[64];
char			 jr_path[96];
struct event_base	*jr_base;
int			 jr_answers, jr_good;
bool			 jr_writer_died;
struct jr_clocks	 jr_now;

static int64_t	 boot(void *);
static int64_t	 wall(void *);
static void	 setup_in(const char *);
static void	 died(void *);

static int64_t
boot(void *arg)
{
	(void)arg;
	return jr_now.boot;
}

static int64_t
wall(void *arg)
{
	(void)arg;
	return jr_now.wall;
}

static void
setup_in(const char *where)
{
	(void)snprintf(jr_dir, sizeof(jr_dir), "%s/igra-journal.XXXXXX", where);
	ck_assert_ptr_nonnull(mkdtemp(jr_dir));
	(void)snprintf(jr_path, sizeof(jr_path), "%s/policy.journal", jr_dir);
	ck_assert_ptr_nonnull(jr_base = event_base_new());
	memset(&jr_now, 0, sizeof(jr_now));
	jr_answers = jr_good = 0;
	jr_writer_died = false;
}

void
jr_setup(void)
{
	setup_in("/tmp");
}

void
jr_setup_fast(void)
{
	setup_in(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

void
jr_teardown(void)
{
	char	 cmd[96];

	event_base_free(jr_base);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", jr_dir);
	ck_assert_int_eq(system(cmd), 0);
}

static void
died(void *arg)
{
	(void)arg;
	jr_writer_died = true;
}

const struct journal_owner *
jr_owner(bool strict)
{
	static struct journal_owner	 o;

	o.uid = geteuid();
	o.gid = getegid();
	o.strict = strict;
	return &o;
}

struct journal *
jr_start(const struct journal_io *io, uint8_t boot_id)
{
	struct journal_clocks	 c = { NULL, NULL, NULL, { 0 } };
	struct journal		*j;
	char			 err[256];

	c.boot_id[0] = boot_id;
	if (jr_now.fake) {
		c.boot = boot;
		c.wall = wall;
	}
	ck_assert_ptr_nonnull(j = journal_new(1000000, &c));
	ck_assert_msg(journal_open(j, jr_path, jr_owner(true), err,
	    sizeof(err)) == 0, "%s", err);
	ck_assert_int_eq(journal_fork(j, io), 0);
	ck_assert_msg(journal_load(j, err, sizeof(err)) == 0, "%s", err);
	ck_assert_int_eq(journal_start(j, jr_base, died, NULL), 0);
	return j;
}

void
jr_end(struct journal *j, bool clean)
{
	pid_t	 pid = j->file->pid;

	if (clean)
		journal_stop(j);
	journal_free(j);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

void
jr_told(bool ok, const char *why, void *arg)
{
	(void)why;
	(void)arg;
	jr_answers++;
	jr_good += ok;
}

void
jr_entry_of(uint32_t id, uint32_t n, struct journal_entry *e)
{
	uint32_t	 i;

	memset(e, 0, sizeof(*e));
	memcpy(e->sid, &id, sizeof(id));
	e->outflow = 10;
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

int
jr_put(struct journal *j, uint32_t id, uint32_t n)
{
	struct journal_entry	 e;
	int			 r;

	jr_entry_of(id, n, &e);
	if ((r = journal_reserve(j, &e, 1)) == 0)
		journal_commit(j, &e, 1, id, NULL, jr_told, NULL);
	free(e.claim);
	return r;
}

void
jr_turn_until(int want)
{
	const struct timeval	 tick = { 0, 10000 };
	int			 i;

	for (i = 0; i < 1000 && jr_answers < want; i++) {
		ck_assert_int_eq(event_base_loopexit(jr_base, &tick), 0);
		ck_assert_int_ge(event_base_dispatch(jr_base), 0);
	}
	ck_assert_int_eq(jr_answers, want);
}

void
jr_turn_ms(int ms)
{
	struct timeval	 tv = { ms / 1000, ms % 1000 * 1000 };

	ck_assert_int_eq(event_base_loopexit(jr_base, &tv), 0);
	ck_assert_int_ge(event_base_dispatch(jr_base), 0);
}

bool
jr_may_sign(struct journal *j)
{
	char	 why[JOURNAL_WHY];

	return journal_may_sign(j, why, sizeof(why));
}

bool
jr_has(struct journal *j, uint32_t id, uint32_t n)
{
	struct journal_entry	 e;
	uint32_t		 i;
	bool			 all;

	jr_entry_of(id, n, &e);
	all = journal_known(j, e.sid);
	for (i = 0; i < n && all; i++)
		all = journal_claim(j, &e.claim[i], e.sid, NULL) == CLAIM_SAME;
	free(e.claim);
	return all;
}

struct journal *
jr_load_bytes(const uint8_t *p, size_t len)
{
	struct journal	*j;
	char		 copy[128], err[256];
	int		 fd;

	(void)snprintf(copy, sizeof(copy), "%s/copy", jr_dir);
	fd = open(copy, O_RDWR | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_eq(write_all(&journal_system, fd, p, len, 0), 0);
	close(fd);
	ck_assert_ptr_nonnull(j = journal_new(1000000, NULL));
	ck_assert_msg(journal_open(j, copy, jr_owner(true), err,
	    sizeof(err)) == 0, "%s", err);
	ck_assert_msg(journal_load(j, err, sizeof(err)) == 0, "%s", err);
	return j;
}

uint8_t *
jr_read_all(size_t *len)
{
	struct stat	 st;
	uint8_t		*p;
	int		 fd = open(jr_path, O_RDONLY);

	ck_assert_int_eq(fstat(fd, &st), 0);
	/* Without most of what is preallocated. */
	*len = st.st_size > 64 * 1024 ? 64 * 1024 : (size_t)st.st_size;
	ck_assert_ptr_nonnull(p = malloc(*len));
	ck_assert_int_eq((int)pread(fd, p, *len, 0), (int)*len);
	close(fd);
	return p;
}
