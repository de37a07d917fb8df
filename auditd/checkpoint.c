#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "common/secmem.h"

#include "auditd/checkpoint.h"

#define MAGIC		"IGRACKP1"
#define AT_GENERATION	8
#define AT_SEED		16
#define AT_KEY		48
#define AT_ORIGIN	80
#define AT_LEN		112
#define AT_LINE		116
#define AT_SUM		(CHECKPOINT_SLOT - 32)

_Static_assert(AT_LINE + CHECKPOINT_LINE_MAX <= AT_SUM, "the line fits");

/* Where a slot's line stands to the log. */
enum place { IN_LOG, MISSING, ELSEWHERE };

static int	 fail(struct checkpoint *, const char *);
static int	 open_state(struct checkpoint *, int, uid_t);
static int	 read_slots(struct checkpoint *);
static bool	 is_valid(const uint8_t *);
static uint64_t	 generation_of(const uint8_t *);
static size_t	 line_of(const uint8_t *);
static int	 write_slot(struct checkpoint *, unsigned);
static int	 zero_slot(struct checkpoint *, unsigned);
static void	 fill_slot(uint8_t *, uint64_t, const uint8_t *,
		    const uint8_t *, const uint8_t *, const char *, size_t);
static bool	 unsigned_yet(const struct chain_scan *);
static enum place place_of(const uint8_t *, const struct chain_scan *);
static void	 use_slot(struct checkpoint *, unsigned);
static int	 new_series(struct checkpoint *);
static int	 sign_line(struct checkpoint *, const struct chain *,
		    const struct line_clock *, const uint8_t *, uint8_t *);

const struct checkpoint_ops	 checkpoint_system = {
	.pwrite = pwrite,
	.fdatasync = fdatasync,
};

static int
fail(struct checkpoint *c, const char *what)
{
	(void)snprintf(c->fault, sizeof(c->fault), "%s: %s: %s",
	    CHECKPOINT_FILE, what, strerror(errno));
	return -1;
}

static uint64_t
generation_of(const uint8_t *slot)
{
	uint64_t	 v = 0;
	int		 i;

	for (i = 7; i >= 0; i--)
		v = v << 8 | slot[AT_GENERATION + i];
	return v;
}

static size_t
line_of(const uint8_t *slot)
{
	return (size_t)slot[AT_LEN] | (size_t)slot[AT_LEN + 1] << 8 |
	    (size_t)slot[AT_LEN + 2] << 16 | (size_t)slot[AT_LEN + 3] << 24;
}

static bool
is_valid(const uint8_t *slot)
{
	uint8_t	 sum[32];

	crypto_generichash(sum, sizeof(sum), slot, AT_SUM, NULL, 0);
	return memcmp(slot, MAGIC, 8) == 0 &&
	    sodium_memcmp(sum, slot + AT_SUM, sizeof(sum)) == 0 &&
	    line_of(slot) <= CHECKPOINT_LINE_MAX;
}

static void
fill_slot(uint8_t *slot, uint64_t generation, const uint8_t *seed,
    const uint8_t *key, const uint8_t *origin, const char *line, size_t len)
{
	int	 i;

	sodium_memzero(slot, CHECKPOINT_SLOT);
	memcpy(slot, MAGIC, 8);
	for (i = 0; i < 8; i++)
		slot[AT_GENERATION + i] = (uint8_t)(generation >> (8 * i));
	memcpy(slot + AT_SEED, seed, 32);
	memcpy(slot + AT_KEY, key, 32);
	memcpy(slot + AT_ORIGIN, origin, 32);
	for (i = 0; i < 4; i++)
		slot[AT_LEN + i] = (uint8_t)(len >> (8 * i));
	if (len != 0)
		memcpy(slot + AT_LINE, line, len);
	crypto_generichash(slot + AT_SUM, 32, slot, AT_SUM, NULL, 0);
}

/* In place: the file is as long as it will ever be. */
static int
write_slot(struct checkpoint *c, unsigned i)
{
	size_t	 done = 0;
	ssize_t	 n;

	while (done < CHECKPOINT_SLOT) {
		n = c->ops->pwrite(c->fd, c->slot[i] + done,
		    CHECKPOINT_SLOT - done,
		    (off_t)(i * CHECKPOINT_SLOT + done));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			return fail(c, "write");
		done += (size_t)n;
	}
	if (c->ops->fdatasync(c->fd) == -1)
		return fail(c, "sync");
	return 0;
}

static int
zero_slot(struct checkpoint *c, unsigned i)
{
	sodium_memzero(c->slot[i], CHECKPOINT_SLOT);
	c->valid[i] = false;
	return write_slot(c, i);
}

static int
open_state(struct checkpoint *c, int dirfd, uid_t owner)
{
	const int	 flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	struct stat	 st;

	c->fd = openat(dirfd, CHECKPOINT_FILE, flags | O_CREAT | O_EXCL, 0600);
	if (c->fd != -1) {
		if (fchmod(c->fd, 0600) == -1 || fsync(dirfd) == -1)
			return fail(c, "cannot make it");
	} else if (errno != EEXIST ||
	    (c->fd = openat(dirfd, CHECKPOINT_FILE, flags)) == -1)
		return fail(c, "open");
	if (fstat(c->fd, &st) == -1)
		return fail(c, "stat");
	if (!S_ISREG(st.st_mode) || st.st_uid != owner || st.st_nlink != 1) {
		(void)snprintf(c->fault, sizeof(c->fault), "%s: not a regular "
		    "file with one name that uid %u owns: move it away",
		    CHECKPOINT_FILE, (unsigned)owner);
		return -1;
	}
	if ((st.st_mode & 07777) != 0600) {
		c->loose = true;
		if (fchmod(c->fd, 0600) == -1)
			return fail(c, "chmod");
	}
	/* Later writes need no space that a full disk has not. */
	if (st.st_size != 2 * CHECKPOINT_SLOT &&
	    (zero_slot(c, 0) == -1 || zero_slot(c, 1) == -1 ||
	    ftruncate(c->fd, 2 * CHECKPOINT_SLOT) == -1 ||
	    fsync(c->fd) == -1))
		return fail(c, "cannot preallocate it");
	return 0;
}

static int
read_slots(struct checkpoint *c)
{
	unsigned	 i;
	ssize_t		 n;

	for (i = 0; i < 2; i++) {
		do {
			n = pread(c->fd, c->slot[i], CHECKPOINT_SLOT,
			    (off_t)(i * CHECKPOINT_SLOT));
		} while (n == -1 && errno == EINTR);
		if (n == -1)
			return fail(c, "read");
		c->valid[i] = n == CHECKPOINT_SLOT && is_valid(c->slot[i]);
	}
	return 0;
}

int
checkpoint_open(struct checkpoint *c, int dirfd, uid_t owner,
    const struct checkpoint_ops *ops)
{
	memset(c, 0, sizeof(*c));
	c->fd = -1;
	c->ops = ops;
	c->slot[0] = secmem_alloc(CHECKPOINT_SLOT);
	c->slot[1] = secmem_alloc(CHECKPOINT_SLOT);
	c->work = secmem_alloc(crypto_sign_SECRETKEYBYTES + 32);
	if (c->slot[0] == NULL || c->slot[1] == NULL || c->work == NULL)
		return fail(c, "secret arena");
	if (open_state(c, dirfd, owner) == -1)
		return -1;
	return read_slots(c);
}

void
checkpoint_close(struct checkpoint *c)
{
	secmem_free(c->slot[0]);
	secmem_free(c->slot[1]);
	secmem_free(c->work);
	if (c->fd != -1)
		close(c->fd);
	memset(c, 0, sizeof(*c));
	c->fd = -1;
}

/* The whole chain until here has no Checkpoint. */
static bool
unsigned_yet(const struct chain_scan *s)
{
	return s->checkpoint_seq == 0 &&
	    (s->lines != 0 ? s->first_seq == 1 : s->chain.seq == 0);
}

static enum place
place_of(const uint8_t *slot, const struct chain_scan *s)
{
	const char		*line = (const char *)slot + AT_LINE;
	size_t			 len = line_of(slot);
	struct chain_line	 cl;
	uint8_t			 hash[CHAIN_HASH];

	if (len == 0)
		return unsigned_yet(s) ? IN_LOG : ELSEWHERE;
	crypto_generichash(hash, sizeof(hash), slot + AT_LINE, len, NULL, 0);
	/* Of a file without a Checkpoint the one before it ended in one. */
	if (memcmp(hash, s->checkpoint_seq != 0 ? s->checkpoint_head :
	    s->first_prev, CHAIN_HASH) == 0)
		return IN_LOG;
	/* A file without a line: where the chain stands comes from elsewhere. */
	if (s->lines == 0 && memcmp(hash, s->chain.head, CHAIN_HASH) == 0)
		return IN_LOG;
	if (chain_parse(line, len, &cl) == 0 &&
	    cl.seq == s->chain.seq + 1 &&
	    memcmp(cl.prev, s->chain.head, CHAIN_HASH) == 0)
		return MISSING;
	return ELSEWHERE;
}

static void
use_slot(struct checkpoint *c, unsigned i)
{
	struct chain_line	 cl;

	c->cur = i;
	c->generation = generation_of(c->slot[i]);
	memcpy(c->origin, c->slot[i] + AT_ORIGIN, sizeof(c->origin));
	memcpy(c->key, c->slot[i] + AT_KEY, sizeof(c->key));
	c->covered = 0;
	if (chain_parse((const char *)c->slot[i] + AT_LINE,
	    line_of(c->slot[i]), &cl) == 0)
		c->covered = cl.seq - 1;
}

/* A first key, or one after the last was lost. */
static int
new_series(struct checkpoint *c)
{
	uint8_t		*seed = c->work + crypto_sign_SECRETKEYBYTES;
	uint64_t	 last = c->generation;
	unsigned	 i;

	for (i = 0; i < 2; i++)
		if (c->valid[i] && generation_of(c->slot[i]) > last)
			last = generation_of(c->slot[i]);
	randombytes_buf(seed, 32);
	crypto_sign_seed_keypair(c->key, c->work, seed);
	fill_slot(c->slot[0], last + 1, seed, c->key, c->key, NULL, 0);
	sodium_memzero(c->work, crypto_sign_SECRETKEYBYTES + 32);
	if (write_slot(c, 0) == -1 || zero_slot(c, 1) == -1)
		return -1;
	c->valid[0] = true;
	use_slot(c, 0);
	return 0;
}

enum checkpoint_found
checkpoint_recover(struct checkpoint *c, const struct chain_scan *s)
{
	unsigned	 i, newer, other;
	enum place	 where = ELSEWHERE;
	bool		 first;

	newer = c->valid[1] && (!c->valid[0] ||
	    generation_of(c->slot[1]) > generation_of(c->slot[0])) ? 1 : 0;
	/*
	 * The older one counts if it is still there and the newer's line never
	 * got out: the checkpoint was given up after step 3.
	 */
	for (i = 0; i < 2; i++) {
		other = i == 0 ? newer : 1 - newer;
		if (c->valid[other] &&
		    (where = place_of(c->slot[other], s)) != ELSEWHERE)
			break;
	}
	if (where == ELSEWHERE) {
		first = !c->valid[0] && !c->valid[1] && unsigned_yet(s);
		if (new_series(c) == -1)
			return CHECKPOINT_FAILED;
		return first ? CHECKPOINT_FRESH : CHECKPOINT_LOST;
	}
	use_slot(c, other);
	if (!sodium_is_zero(c->slot[1 - other], CHECKPOINT_SLOT) &&
	    zero_slot(c, 1 - other) == -1)
		return CHECKPOINT_FAILED;
	if (where == IN_LOG)
		return CHECKPOINT_GOES_ON;
	c->len = line_of(c->slot[other]);
	memcpy(c->line, c->slot[other] + AT_LINE, c->len);
	return CHECKPOINT_APPEND;
}

size_t
checkpoint_message(char out[CHECKPOINT_MESSAGE_MAX], const uint8_t *origin,
    const struct chain *at, const char *time, const uint8_t *next)
{
	char	 hex[3][2 * CHAIN_HASH + 1];
	int	 n;

	n = snprintf(out, CHECKPOINT_MESSAGE_MAX,
	    "igra-audit-checkpoint-v1\n%s\n%" PRIu64 "\n%s\n%s\n%s\n",
	    sodium_bin2hex(hex[0], sizeof(hex[0]), origin, CHECKPOINT_KEY),
	    at->seq,
	    sodium_bin2hex(hex[1], sizeof(hex[1]), at->head, CHAIN_HASH),
	    time,
	    sodium_bin2hex(hex[2], sizeof(hex[2]), next, CHECKPOINT_KEY));
	return n < 0 || n >= CHECKPOINT_MESSAGE_MAX ? 0 : (size_t)n;
}

/* Step 2: the line that follows at, into c->line. */
static int
sign_line(struct checkpoint *c, const struct chain *at,
    const struct line_clock *now, const uint8_t *next, uint8_t *secret)
{
	struct audit_record	 r;
	struct json_out		 o;
	const char		*text;
	char			 msg[CHECKPOINT_MESSAGE_MAX], time[LINE_TIME];
	uint8_t			 sig[crypto_sign_BYTES], key[CHECKPOINT_KEY];
	size_t			 len;
	int			 ret = -1;

	line_timestamp(time, &now->real);
	crypto_sign_seed_keypair(key, secret, c->slot[c->cur] + AT_SEED);
	len = checkpoint_message(msg, c->origin, at, time, next);
	crypto_sign_detached(sig, NULL, (const uint8_t *)msg, len, secret);
	sodium_memzero(secret, crypto_sign_SECRETKEYBYTES);

	audit_record_init(&r, EV_CHECKPOINT, SRC_AUDITD, true);
	audit_set_bytes(&r, FIELD_ORIGIN, c->origin, sizeof(c->origin));
	audit_set_bytes(&r, FIELD_KEY, key, sizeof(key));
	audit_set_u64(&r, FIELD_COVERED_SEQ, at->seq);
	audit_set_bytes(&r, FIELD_HEAD, at->head, CHAIN_HASH);
	audit_set_str(&r, FIELD_TIME, time);
	audit_set_bytes(&r, FIELD_NEXT_KEY, next, CHECKPOINT_KEY);
	audit_set_bytes(&r, FIELD_SIGNATURE, sig, sizeof(sig));
	text = line_format(&o, &r, at, now, &len);
	if (text != NULL && len < sizeof(c->line)) {
		memcpy(c->line, text, len);
		c->line[len] = '\n';
		c->len = len + 1;
		ret = 0;
	}
	json_out_free(&o);
	return ret == 0 ? 0 : fail(c, "cannot make the line");
}

int
checkpoint_make(struct checkpoint *c, const struct chain *at,
    const struct line_clock *now)
{
	uint8_t		*seed = c->work + crypto_sign_SECRETKEYBYTES;
	uint8_t		 next[CHECKPOINT_KEY];
	unsigned	 to = 1 - c->cur;

	randombytes_buf(seed, 32);
	crypto_sign_seed_keypair(next, c->work, seed);
	if (sign_line(c, at, now, next, c->work) == -1)
		goto fail;
	fill_slot(c->slot[to], c->generation + 1, seed, next, c->origin,
	    c->line, c->len);
	sodium_memzero(seed, 32);
	if (write_slot(c, to) == -1) {
		/* Whatever is there: recovery knows that it never got out. */
		sodium_memzero(c->slot[to], CHECKPOINT_SLOT);
		goto fail;
	}
	c->valid[to] = true;
	use_slot(c, to);
	c->half = true;
	return checkpoint_finish(c);
fail:
	sodium_memzero(c->work, crypto_sign_SECRETKEYBYTES + 32);
	c->len = 0;
	return -1;
}

int
checkpoint_finish(struct checkpoint *c)
{
	if (!c->half)
		return 0;
	if (zero_slot(c, 1 - c->cur) == -1)
		return -1;
	c->half = false;
	return 0;
}

void
checkpoint_appended(struct checkpoint *c)
{
	c->len = 0;
}
