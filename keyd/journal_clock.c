/*
 * Policy time (DESIGN 12).  Within one boot it is what CLOCK_BOOTTIME says,
 * which nobody can set.  What passed between two boots only the wall clock
 * knows, so an operator has to believe it; until then policy time stands
 * still, and no limit frees.  So it does when the wall clock has been stepped:
 * whoever did that may have meant more by it.
 */
#ifdef __OpenBSD__
#include <sys/sysctl.h>
#include <sys/time.h>
#endif

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "journal_int.h"

static int64_t	boot_now(const struct journal *);
static int64_t	wall_now(const struct journal *);
static int64_t	since(const struct journal *);

/* Hashed: what the kernel says has no length in common. */
int
journal_boot_id(uint8_t out[16])
{
#ifdef __OpenBSD__
	const int	 mib[2] = { CTL_KERN, KERN_BOOTTIME };
	struct timeval	 tv;
	size_t		 len = sizeof(tv);

	if (sysctl(mib, 2, &tv, &len, NULL, 0) == 0) {
		(void)crypto_generichash(out, 16, (uint8_t *)&tv, len, NULL,
		    0);
		return 0;
	}
#else
	char		 text[64];
	ssize_t		 n = -1;
	int		 fd;

	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		n = read(fd, text, sizeof(text));
		close(fd);
	}
	if (n > 0) {
		(void)crypto_generichash(out, 16, (uint8_t *)text, (size_t)n,
		    NULL, 0);
		return 0;
	}
#endif
	randombytes_buf(out, 16);
	return -1;
}

static int64_t
boot_now(const struct journal *j)
{
	return j->clocks.boot != NULL ? j->clocks.boot(j->clocks.arg) :
	    bootclock_now();
}

static int64_t
wall_now(const struct journal *j)
{
	struct timespec	 ts;

	if (j->clocks.wall != NULL)
		return j->clocks.wall(j->clocks.arg);
	if (clock_gettime(CLOCK_REALTIME, &ts) == -1)
		return 0;
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* By the boot clock, since the moment that is known; never less than none. */
static int64_t
since(const struct journal *j)
{
	int64_t	 ns = boot_now(j) - j->clock.boot_ns;

	return ns > 0 ? ns : 0;
}

int64_t
clock_policy(const struct journal *j)
{
	const struct moment	*m = &j->clock;

	return m->state == CLOCK_RUNS ? m->policy_ns + since(j) : m->policy_ns;
}

void
clock_start(struct journal *j)
{
	struct moment	*m = &j->clock;

	memcpy(m->boot_id, j->clocks.boot_id, sizeof(m->boot_id));
	m->boot_ns = boot_now(j);
	m->wall_ns = wall_now(j);
	m->state = CLOCK_RUNS;
}

/*
 * The moment moves on with the boot clock, its wall time as reckoned and not
 * as shown: many small steps come to one that is seen.
 */
void
clock_check(struct journal *j)
{
	struct moment	*m = &j->clock;
	int64_t		 ns, off;

	if (m->state != CLOCK_RUNS)
		return;
	if (memcmp(m->boot_id, j->clocks.boot_id, sizeof(m->boot_id)) != 0 ||
	    boot_now(j) < m->boot_ns) {
		/* Where nothing is counted there is nothing to free. */
		if (j->nids == 0)
			clock_start(j);
		else
			m->state = CLOCK_REBOOT;
		return;
	}
	ns = since(j);
	off = wall_now(j) - (m->wall_ns + ns);
	m->boot_ns += ns;
	m->wall_ns += ns;
	m->policy_ns += ns;
	if (off > STEP_NS || off < -STEP_NS)
		m->state = CLOCK_STEP;
}

void
clock_accept(struct journal *j)
{
	uint64_t	 gap;

	if (journal_clock_pending(j, &gap) == CLOCK_RUNS)
		return;
	j->clock.policy_ns += (int64_t)gap * NS_PER_S;
	clock_start(j);
}

enum journal_clock
journal_clock_pending(const struct journal *j, uint64_t *gap)
{
	const struct moment	*m = &j->clock;
	int64_t			 ns = 0;

	switch (m->state) {
	case CLOCK_RUNS:
		break;
	case CLOCK_REBOOT:
		ns = wall_now(j) - m->wall_ns;
		break;
	case CLOCK_STEP:
		ns = since(j);
		break;
	}
	*gap = ns > 0 ? (uint64_t)(ns / NS_PER_S) : 0;
	return m->state;
}
