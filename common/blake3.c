#include <string.h>

#include <sodium.h>

#include "blake3.h"

#define BLOCK_LEN	64
#define CHUNK_BLOCKS	16	/* 1024 bytes */
#define ROUNDS		7

/* Domain separation flags, paper table 3. */
#define CHUNK_START	0x01
#define CHUNK_END	0x02
#define PARENT		0x04
#define ROOT		0x08
#define KEYED_HASH	0x10

/* A node before its compression: only the last one becomes the root. */
struct node {
	uint32_t	 cv[8];
	uint32_t	 m[16];
	uint64_t	 counter;
	uint32_t	 len;
	uint32_t	 flags;
};

static uint32_t	 load32(const uint8_t *);
static void	 store32(uint8_t *, uint32_t);
static uint32_t	 rotr(uint32_t, unsigned);
static void	 quarter(uint32_t *, unsigned, unsigned, unsigned, unsigned,
		    uint32_t, uint32_t);
static void	 compress(const struct node *, uint32_t, uint32_t [8]);
static void	 init(struct blake3 *, uint32_t);
static void	 chunk_node(const struct blake3 *, uint32_t, struct node *);
static void	 parent_node(const struct blake3 *, const uint32_t [8],
		    const uint32_t [8], struct node *);
static void	 block_done(struct blake3 *);
static void	 chunk_done(struct blake3 *);

static const uint32_t iv[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
};

/* Where each round finds its message words: word i comes from permute[i]. */
static const uint8_t permute[16] = {
	2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8
};

static uint32_t
load32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

static void
store32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

static uint32_t
rotr(uint32_t v, unsigned n)
{
	return v >> n | v << (32 - n);
}

static void
quarter(uint32_t *v, unsigned a, unsigned b, unsigned c, unsigned d,
    uint32_t x, uint32_t y)
{
	v[a] += v[b] + x;
	v[d] = rotr(v[d] ^ v[a], 16);
	v[c] += v[d];
	v[b] = rotr(v[b] ^ v[c], 12);
	v[a] += v[b] + y;
	v[d] = rotr(v[d] ^ v[a], 8);
	v[c] += v[d];
	v[b] = rotr(v[b] ^ v[c], 7);
}

/* Chaining value of a node; extra is ROOT or 0.  cv may be n->cv. */
static void
compress(const struct node *n, uint32_t extra, uint32_t cv[8])
{
	uint32_t	 v[16], m[16], next[16];
	unsigned	 i, round;

	memcpy(v, n->cv, sizeof(n->cv));
	memcpy(v + 8, iv, 4 * sizeof(iv[0]));
	v[12] = (uint32_t)n->counter;
	v[13] = (uint32_t)(n->counter >> 32);
	v[14] = n->len;
	v[15] = n->flags | extra;
	memcpy(m, n->m, sizeof(m));
	for (round = 0; round < ROUNDS; round++) {
		quarter(v, 0, 4, 8, 12, m[0], m[1]);
		quarter(v, 1, 5, 9, 13, m[2], m[3]);
		quarter(v, 2, 6, 10, 14, m[4], m[5]);
		quarter(v, 3, 7, 11, 15, m[6], m[7]);
		quarter(v, 0, 5, 10, 15, m[8], m[9]);
		quarter(v, 1, 6, 11, 12, m[10], m[11]);
		quarter(v, 2, 7, 8, 13, m[12], m[13]);
		quarter(v, 3, 4, 9, 14, m[14], m[15]);
		for (i = 0; i < 16; i++)
			next[i] = m[permute[i]];
		memcpy(m, next, sizeof(m));
	}
	for (i = 0; i < 8; i++)
		cv[i] = v[i] ^ v[i + 8];
	sodium_memzero(v, sizeof(v));
	sodium_memzero(m, sizeof(m));
	sodium_memzero(next, sizeof(next));
}

static void
init(struct blake3 *b, uint32_t flags)
{
	b->flags = flags;
	memcpy(b->cv, b->key, sizeof(b->cv));
	memset(b->block, 0, sizeof(b->block));
	b->block_len = 0;
	b->blocks = 0;
	b->chunks = 0;
	b->depth = 0;
}

void
blake3_init(struct blake3 *b)
{
	memcpy(b->key, iv, sizeof(b->key));
	init(b, 0);
}

void
blake3_init_keyed(struct blake3 *b, const uint8_t key[BLAKE3_KEY_LEN])
{
	unsigned	 i;

	for (i = 0; i < 8; i++)
		b->key[i] = load32(key + 4 * i);
	init(b, KEYED_HASH);
}

/* The current block of the current chunk; it is zero past block_len. */
static void
chunk_node(const struct blake3 *b, uint32_t flags, struct node *n)
{
	unsigned	 i;

	memcpy(n->cv, b->cv, sizeof(n->cv));
	for (i = 0; i < 16; i++)
		n->m[i] = load32(b->block + 4 * i);
	n->counter = b->chunks;
	n->len = b->block_len;
	n->flags = b->flags | flags | (b->blocks == 0 ? CHUNK_START : 0);
}

static void
parent_node(const struct blake3 *b, const uint32_t left[8],
    const uint32_t right[8], struct node *n)
{
	memcpy(n->cv, b->key, sizeof(n->cv));
	memcpy(n->m, left, 8 * sizeof(left[0]));
	memcpy(n->m + 8, right, 8 * sizeof(right[0]));
	n->counter = 0;
	n->len = BLOCK_LEN;
	n->flags = b->flags | PARENT;
}

/* The block is full and more input follows, so this chunk is not the root. */
static void
block_done(struct blake3 *b)
{
	struct node	 n;

	if (b->blocks == CHUNK_BLOCKS - 1)
		chunk_done(b);
	else {
		chunk_node(b, 0, &n);
		compress(&n, 0, b->cv);
		b->blocks++;
		sodium_memzero(&n, sizeof(n));
	}
	memset(b->block, 0, sizeof(b->block));
	b->block_len = 0;
}

/*
 * Each trailing zero bit of the number of chunks is a subtree that this chunk
 * completes (paper, section 5.1.2).
 */
static void
chunk_done(struct blake3 *b)
{
	struct node	 n;
	uint32_t	 cv[8];
	uint64_t	 total;

	chunk_node(b, CHUNK_END, &n);
	compress(&n, 0, cv);
	b->chunks++;
	for (total = b->chunks; (total & 1) == 0; total >>= 1) {
		parent_node(b, b->stack[--b->depth], cv, &n);
		compress(&n, 0, cv);
	}
	memcpy(b->stack[b->depth++], cv, sizeof(cv));
	memcpy(b->cv, b->key, sizeof(b->cv));
	b->blocks = 0;
	sodium_memzero(&n, sizeof(n));
	sodium_memzero(cv, sizeof(cv));
}

void
blake3_update(struct blake3 *b, const void *data, size_t len)
{
	const uint8_t	*p = data;
	size_t		 n;

	while (len > 0) {
		if (b->block_len == BLOCK_LEN)
			block_done(b);
		n = (size_t)BLOCK_LEN - b->block_len;
		if (n > len)
			n = len;
		memcpy(b->block + b->block_len, p, n);
		b->block_len = (uint8_t)(b->block_len + n);
		p += n;
		len -= n;
	}
}

void
blake3_final(const struct blake3 *b, uint8_t out[BLAKE3_OUT_LEN])
{
	struct node	 n;
	uint32_t	 cv[8];
	unsigned	 i;

	chunk_node(b, CHUNK_END, &n);
	for (i = b->depth; i > 0; i--) {
		compress(&n, 0, cv);
		parent_node(b, b->stack[i - 1], cv, &n);
	}
	compress(&n, ROOT, cv);
	for (i = 0; i < 8; i++)
		store32(out + 4 * i, cv[i]);
	sodium_memzero(&n, sizeof(n));
	sodium_memzero(cv, sizeof(cv));
}
