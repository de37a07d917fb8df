/*
 * BLAKE3 (hash and keyed hash), portable and small: what transaction ids of
 * version 1 and group ids need, a few kilobytes at a time.  Source: the
 * BLAKE3 paper, sections 2 and 5.1.
 */
#ifndef IGRA_BLAKE3_H
#define IGRA_BLAKE3_H

#include <stddef.h>
#include <stdint.h>

#define BLAKE3_OUT_LEN	32
#define BLAKE3_KEY_LEN	32

struct blake3 {
	uint32_t	 key[8];	/* IV, or the key's words */
	uint32_t	 flags;		/* 0 or KEYED_HASH, for every block */
	uint32_t	 cv[8];		/* chaining value of the current chunk */
	uint8_t		 block[64];
	uint8_t		 block_len;
	uint8_t		 blocks;	/* compressed in the current chunk */
	uint64_t	 chunks;	/* finished */
	uint32_t	 stack[54][8];	/* subtree roots, by falling size */
	uint8_t		 depth;
};

void	 blake3_init(struct blake3 *);
void	 blake3_init_keyed(struct blake3 *, const uint8_t key[BLAKE3_KEY_LEN]);
/* Any number of pieces of any size, up to 2^64 - 1 bytes in all. */
void	 blake3_update(struct blake3 *, const void *, size_t);
/*
 * Leaves the state as it is: more input may follow.  Who hashed a secret
 * wipes the state.
 */
void	 blake3_final(const struct blake3 *, uint8_t out[BLAKE3_OUT_LEN]);

#endif
