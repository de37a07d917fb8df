/*
 * The log as auditd finds it at its start: any file.  The scan accounts for
 * every byte, and agrees with a check of the same lines one by one.
 */
#include <sys/mman.h>

#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "auditd/chain.h"

#include "fuzz.h"

static int	fd = -1;

static void	put(const uint8_t *, size_t);
static void	check_lines(const uint8_t *, size_t, const struct chain_scan *);
static void	check_prefix(const struct chain_scan *);

static void
put(const uint8_t *data, size_t size)
{
	if (fd == -1)
		CHECK((fd = memfd_create("log", 0)) != -1);
	CHECK(ftruncate(fd, 0) == 0);
	CHECK(pwrite(fd, data, size, 0) == (ssize_t)size);
}

/* By hand, and only while the chain holds. */
static void
check_lines(const uint8_t *p, size_t size, const struct chain_scan *s)
{
	const uint8_t		*nl;
	struct chain_line	 cl;
	uint8_t			 head[CHAIN_HASH] = { 0 };
	uint64_t		 lines = 0, seq = 0, first = 0;
	bool			 whole = true;
	size_t			 n;

	for (; (nl = memchr(p, '\n', size)) != NULL; p += n, size -= n) {
		n = (size_t)(nl - p) + 1;
		if (chain_parse((const char *)p, n, &cl) == -1)
			whole = false;
		else if (lines == 0)
			whole = cl.seq != 1 ||
			    memcmp(cl.prev, head, sizeof(head)) == 0;
		else if (cl.seq != seq + 1 ||
		    memcmp(cl.prev, head, sizeof(head)) != 0)
			whole = false;
		seq = cl.seq;
		if (lines == 0)
			first = seq;
		(void)crypto_generichash(head, sizeof(head), p, n, NULL, 0);
		lines++;
	}
	CHECK(s->lines == lines && s->torn == (off_t)size);
	CHECK((s->breaks == 0) == whole && s->first_seq == first);
	CHECK(s->checkpoint_seq <= s->chain.seq);
	if (lines != 0)
		CHECK(memcmp(s->chain.head, head, sizeof(head)) == 0);
	if (lines != 0 && whole)
		CHECK(s->chain.seq == seq);
}

/* Without its torn line the log is the same. */
static void
check_prefix(const struct chain_scan *s)
{
	struct chain_scan	 again;

	CHECK(ftruncate(fd, s->end) == 0);
	CHECK(chain_scan(fd, &again) == 0);
	CHECK(again.torn == 0 && again.end == s->end && !again.foreign);
	CHECK(again.lines == s->lines && again.breaks == s->breaks);
	CHECK(again.chain.seq == s->chain.seq &&
	    again.chain.kseq == s->chain.kseq &&
	    again.chain.reservation == s->chain.reservation &&
	    memcmp(again.chain.head, s->chain.head, CHAIN_HASH) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct chain_scan	 s;

	put(data, size);
	CHECK(chain_scan(fd, &s) == 0);
	CHECK(s.end >= 0 && s.torn >= 0);
	if (s.foreign) {
		CHECK(size != 0);
		return 0;
	}
	CHECK((size_t)(s.end + s.torn) == size);
	CHECK(s.breaks <= s.lines);
	if (s.breaks != 0)
		CHECK(s.break_at >= 0 && s.break_at < s.end);
	check_lines(data, size, &s);
	check_prefix(&s);
	return 0;
}
