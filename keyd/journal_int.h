/* The journal's insides, shared by journal*.c. */
#ifndef IGRA_JOURNAL_INT_H
#define IGRA_JOURNAL_INT_H

#include <sys/queue.h>

#include <event2/event.h>
#include <sodium.h>

#include "bootclock.h"
#include "journal.h"

#define HOUR_NS		(INT64_C(3600) * NS_PER_S)
#define DAY_NS		(24 * HOUR_NS)
#define WEEK_NS		(7 * DAY_NS)
#define STEP_NS		(INT64_C(300) * NS_PER_S)

/* A claim: 80 bytes an outpoint, and 8 to 16 in the index. */
struct claim {
	struct outpoint	 outpoint;
	uint32_t	 id;		/* in ids, the last for it */
	uint64_t	 amount;
	uint8_t		 script_hash[32];
};

/* A signing id: 56 bytes, and 8 to 16 in the index. */
struct signing {
	uint8_t		 sid[JOURNAL_ID_LEN];
	int64_t		 policy_ns;	/* never less than the one before */
	uint64_t	 outflow;
	uint64_t	 reservation;	/* in the file or on its way; or 0 */
};

/* Open addressing over numbers of an array; 0 is empty, else number + 1. */
struct index {
	uint32_t	*slot;
	size_t		 mask;		/* slots - 1, a power of two */
	size_t		 used;
};

__extension__ typedef unsigned __int128 journal_sum;

/* The signing ids of one window: from first on, and what they come to. */
struct window {
	int64_t		 ns;
	size_t		 first;
	journal_sum	 sum;
};

enum { WINDOW_HOUR, WINDOW_DAY, WINDOW_WEEK, WINDOWS };

/* A moment at which policy time was known, and whether it runs since. */
struct moment {
	uint8_t		 boot_id[16];
	int64_t		 boot_ns;
	int64_t		 wall_ns;	/* as reckoned from boot_ns */
	int64_t		 policy_ns;
	enum journal_clock state;
};

/* The file's state as a whole, in one of two places. */
struct slot {
	uint64_t	 generation;
	uint64_t	 end;		/* up to there all entries are whole */
	uint64_t	 reservation;	/* the last */
	uint64_t	 kseq, acked_kseq, acked_seq;
	uint8_t		 acked_head[32];
	unsigned	 rollback;
	struct journal_log log;
	struct moment	 clock;
};

enum entry_type { ENTRY_SIGN = 1, ENTRY_RELEASE };

/* What an entry says besides its claims. */
struct entry {
	enum entry_type	 type;
	uint64_t	 at;		/* its own offset */
	uint64_t	 synced;	/* what was durable when it was made */
	uint64_t	 generation;	/* of the last slot before it */
	uint64_t	 reservation;	/* its number; 0 of a release */
	uint64_t	 kseq;		/* the last given when it was made */
	uint64_t	 acked_kseq, acked_seq;
	uint8_t		 acked_head[32];
	struct moment	 clock;
	uint8_t		 sid[JOURNAL_ID_LEN];
	uint64_t	 outflow;
	size_t		 n;
	const uint8_t	*claims;	/* entry_claim() */
};

struct file;
struct journal {
	struct journal_clocks clocks;
	uint8_t		 key[crypto_shorthash_KEYBYTES];
	size_t		 max;
	struct index	 by_outpoint, by_sid;
	struct claim	*claims;
	size_t		 nclaims, claims_cap;
	struct signing	*ids;
	size_t		 nids, ids_cap;
	struct window	 window[WINDOWS];
	struct moment	 clock;
	uint64_t	 reservation;	/* number of the last */
	uint64_t	 kseq;		/* the last given that it knows of */
	uint64_t	 acked_kseq;	/* auditd's last acknowledgement … */
	uint64_t	 acked_seq;
	uint8_t		 acked_head[32];	/* … and that line's hash */
	struct journal_log log;		/* as last compared */
	unsigned	 rollback;	/* PROTO_ROLLBACK_*, not accepted */
	uint64_t	 bytes;
	uint64_t	 generation;	/* of the last slot made */
	char		 fault[JOURNAL_WHY];	/* "": none */
	struct file	*file;		/* NULL: in memory alone */
};

/* --- journal_table.c --- */

#define NOT_FOUND	SIZE_MAX

int	table_init(struct journal *);
void	table_free(struct journal *);
size_t	table_find(const struct journal *, const struct outpoint *);
size_t	table_find_id(const struct journal *, const uint8_t *sid);
/* Room for so many more, or -1. */
int	table_grow(struct journal *, size_t claims, size_t ids);
/* After table_grow these cannot fail.  The outpoint may be there already. */
void	table_claim(struct journal *, const struct journal_claim_in *,
	    size_t id);
size_t	table_add_id(struct journal *, const uint8_t *sid, int64_t policy_ns,
	    uint64_t outflow);
/* False when it is not there. */
bool	table_release(struct journal *, const struct outpoint *);

/* --- journal_clock.c --- */

/* The policy time of now; changes nothing. */
int64_t	clock_policy(const struct journal *);
/* Looks at the clocks: from here on policy time may stand still. */
void	clock_check(struct journal *);
void	clock_start(struct journal *);
/* The operator believes it: policy time goes on. */
void	clock_accept(struct journal *);

/* --- journal_window.c --- */

void	window_init(struct journal *);
/* A new signing id has been added as the last. */
void	window_add(struct journal *, uint64_t outflow);
/* Forgets what has left the windows by now. */
void	window_tick(struct journal *);

/* --- journal_format.c --- */

#define FORMAT_SLOT	512
#define FORMAT_SLOT_AT(i) (4096U * (1U + (unsigned)(i)))	/* 0 and 1 */
#define FORMAT_FIRST	12288U		/* of the entries */
#define FORMAT_CLAIM	76U
#define FORMAT_ENTRY	216U		/* without claims */
#define FORMAT_MAX	(FORMAT_ENTRY + TX_MAX_INPUTS * FORMAT_CLAIM)
#define FORMAT_MAGIC	"JENT"

void	format_header(uint8_t out[FORMAT_SLOT]);
bool	format_header_ok(const uint8_t in[FORMAT_SLOT]);
void	format_slot(const struct slot *, uint8_t out[FORMAT_SLOT]);
bool	format_slot_read(const uint8_t in[FORMAT_SLOT], struct slot *);
size_t	format_entry_len(size_t nclaims);
/* out: format_entry_len(n) bytes. */
void	format_entry(const struct entry *, const struct journal_claim_in *,
	    size_t n, uint8_t *out);
/*
 * The entry at offset at, of which len bytes are there: its length, or 0 when
 * that is no whole entry.  Views into p.
 */
size_t	format_entry_read(const uint8_t *p, size_t len, uint64_t at,
	    struct entry *);
void	format_claim_read(const struct entry *, size_t i,
	    struct journal_claim_in *);

/* --- journal_load.c, journal_write.c, journal_child.c --- */

#define RING_SIZE	(32U * 1024 * 1024)

/* One write on its way; its bytes stay in the ring until it is durable. */
struct jwrite {
	TAILQ_ENTRY(jwrite) entry;
	uint64_t	 id;
	uint64_t	 pos;		/* in the ring, counted on */
	uint32_t	 len;
	uint64_t	 off;		/* in the file */
	int		 slot;		/* -1: entries */
	bool		 sent;
	int64_t		 made_ns;	/* boot clock */
	journal_written_cb written;	/* NULL once told */
	journal_cb	 cb;		/* NULL once answered */
	void		*arg;
};
TAILQ_HEAD(jwrites, jwrite);

struct file {
	int		 fd;
	char		*path;
	uint64_t	 end;		/* of the entries made */
	uint64_t	 synced;	/* of those that are durable */
	uint64_t	 allocated;
	bool		 damaged;	/* nothing is written any more */
	/* The writer. */
	int		 sock;
	pid_t		 pid;
	uint8_t		*ring;		/* shared with it */
	uint64_t	 head, tail;	/* positions: free from head on */
	struct jwrites	 queue;
	uint64_t	 next_id;
	uint64_t	 ignore;	/* answers up to this one are old */
	uint64_t	 answered;	/* the last group that is over */
	uint64_t	 half;		/* the group that is written, or 0 */
	int		 slot;		/* the one that is durable */
	bool		 noted;		/* an acknowledgement is not in a slot */
	struct event_base *base;
	struct event	*answer, *timer, *retry, *note;
	void		(*died)(void *);
	void		*arg;
};

/* What keyd sends its writer, the same program: as it stands in memory. */
struct write_order {
	uint64_t	 id, pos, off;
	uint32_t	 len, zero;
};
/*
 * All orders up to id are durable, or as yet only written, or error.  One
 * answer or, when all was written, two for each group of orders.
 */
struct write_answer {
	uint64_t	 id;
	int32_t		 error;		/* errno */
	uint32_t	 synced;
};

/* Preallocates from to; errors do not matter. */
void	child_extend(int fd, uint64_t from, uint64_t bytes);
/* The whole of it, or -1 (errno). */
int	write_all(const struct journal_io *, int fd, const uint8_t *, size_t,
	    uint64_t off);
extern const struct journal_io	 journal_system;

/*
 * Writes the state as it is now; cb may be NULL.  0, or -1 when it cannot: then
 * cb is not called.
 */
int	write_slot(struct journal *, journal_cb, void *);
/* Forgets the claim, in memory and in the file. */
void	write_release(struct journal *, const struct journal_claim_in *,
	    journal_cb, void *);
/* A slot within a second. */
void	write_note(struct journal *);
/* NULL, or why nothing can be written now. */
const char *write_fault(const struct journal *);
void	file_free(struct journal *);

#endif
