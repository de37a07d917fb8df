/* A policy journal in a temporary directory, and entries to put into it. */
#ifndef IGRA_JOURNAL_RIG_H
#define IGRA_JOURNAL_RIG_H

#include "keyd/journal_int.h"

#define S	NS_PER_S

/* Clocks: of this boot, until a test says otherwise. */
struct jr_clocks {
	bool	 fake;
	int64_t	 boot, wall;
};
extern struct jr_clocks		 jr_now;
extern char			 jr_dir[64];
extern char			 jr_path[96];	/* the journal */
extern struct event_base	*jr_base;
extern int			 jr_answers, jr_good;
extern bool			 jr_writer_died;

/* On a disk, or where a sync costs nothing. */
void	 jr_setup(void);
void	 jr_setup_fast(void);
void	 jr_teardown(void);

/* The user of the test. */
const struct journal_owner	*jr_owner(bool strict);
/* Opened, loaded, and its writer running; io NULL: the system's. */
struct journal	*jr_start(const struct journal_io *, uint8_t boot_id);
/* Returns when the writer, which has the lock as long as it lives, is gone. */
void	 jr_end(struct journal *, bool clean);
/* A journal_told() that counts. */
void	 jr_told(bool ok, const char *why, void *);

/* An entry of 10 sompi with n claims, all made of its id; free() its claims. */
void	 jr_entry_of(uint32_t id, uint32_t n, struct journal_entry *);
/* Reserves and commits it; what journal_reserve() said. */
int	 jr_put(struct journal *, uint32_t id, uint32_t n);
/* Is it there, with all its claims? */
bool	 jr_has(struct journal *, uint32_t id, uint32_t n);
bool	 jr_may_sign(struct journal *);

/* Runs until so many answers have come, or so long. */
void	 jr_turn_until(int want);
void	 jr_turn_ms(int);

/* Loads a copy of the bytes, without a writer. */
struct journal	*jr_load_bytes(const uint8_t *, size_t);
/* What the file has; the caller frees it. */
uint8_t	*jr_read_all(size_t *len);

#endif
