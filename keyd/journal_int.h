/* The journal's insides, shared by journal*.c. */
#ifndef IGRA_JOURNAL_INT_H
#define IGRA_JOURNAL_INT_H

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
	bool		 written;	/* into the file, or on its way */
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
	uint64_t	 kseq;		/* of the last Signing record */
	uint64_t	 acked_seq;	/* auditd's last acknowledgement … */
	uint8_t		 acked_head[32];	/* … and that line's hash */
	struct journal_log log;		/* as last compared */
	unsigned	 rollback;	/* PROTO_ROLLBACK_*, not accepted */
	uint64_t	 bytes;
	char		 fault[JOURNAL_WHY];	/* "": none */
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

int64_t	clock_boot(const struct journal *);
int64_t	clock_wall(const struct journal *);
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
/* Forgets what has left the windows by then. */
void	window_advance(struct window *, const struct journal *, int64_t now);

#endif
