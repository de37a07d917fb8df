/*
 * Field-by-field encoding of proto messages, little-endian.  An encoder or
 * decoder that failed once stays failed, so callers check at the end.
 */
#ifndef IGRA_CODEC_H
#define IGRA_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool.h"

struct enc {
	uint8_t	*buf;
	size_t	 len, cap;
	bool	 fixed;		/* caller's buffer: never grown nor freed */
	bool	 failed;
};

void	enc_init(struct enc *);
void	enc_init_fixed(struct enc *, void *, size_t);
/* Wipes and frees a grown buffer. */
void	enc_free(struct enc *);
void	enc_u8(struct enc *, uint8_t);
void	enc_u16(struct enc *, uint16_t);
void	enc_u32(struct enc *, uint32_t);
void	enc_u64(struct enc *, uint64_t);
void	enc_raw(struct enc *, const void *, size_t);
/* u32 length, then the bytes. */
void	enc_bytes(struct enc *, struct bytes);
void	enc_str(struct enc *, const char *);	/* NULL counts as "" */

struct dec {
	const uint8_t	*p;
	size_t		 left;
	bool		 failed;
};

void		dec_init(struct dec *, const void *, size_t);
uint8_t		dec_u8(struct dec *);
bool		dec_bool(struct dec *);	/* 0 or 1; anything else fails */
uint16_t	dec_u16(struct dec *);
uint32_t	dec_u32(struct dec *);
uint64_t	dec_u64(struct dec *);
void		dec_raw(struct dec *, void *, size_t);
/* A view into the message, at most max bytes. */
struct bytes	dec_bytes(struct dec *, size_t max);
/*
 * An element count: fails unless count <= max and count elements of at least
 * minsize bytes each can still follow, so nothing is allocated on a lie.
 */
uint32_t	dec_count(struct dec *, uint32_t max, size_t minsize);
/* 0 when nothing failed and every byte was consumed, else -1. */
int		dec_done(const struct dec *);

/* Bytes of a C string, without its NUL; NULL gives none. */
struct bytes	bytes_str(const char *);
bool		bytes_eq(struct bytes, struct bytes);
/* NUL-terminated copy; false if it has a NUL inside or does not fit. */
bool		bytes_cstr(struct bytes, char *, size_t);

#endif
