/*
 * ISEC version 1, the format of the secrets file (igra-secrets(5), DESIGN 4):
 * a header of 93 bytes, which is also the associated data, then
 * XChaCha20-Poly1305 of count and records.
 *
 * Reading never allocates memory for secrets: the caller gives the buffer
 * (locked), the plaintext is checked once with isec_check() and then walked
 * in place.  Building uses struct isec_plain, which is for the tools.
 */
#ifndef IGRA_ISEC_H
#define IGRA_ISEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ISEC_HEADER_LEN		93
#define ISEC_TAG_LEN		16
#define ISEC_COUNT_LEN		8
#define ISEC_OVERHEAD		(ISEC_HEADER_LEN + ISEC_TAG_LEN)
#define ISEC_MIN_FILE		(ISEC_OVERHEAD + ISEC_COUNT_LEN)
#define ISEC_MAX_FILE		(16 * 1024 * 1024)
#define ISEC_MAX_PLAIN		(ISEC_MAX_FILE - ISEC_OVERHEAD)
#define ISEC_KEY_LEN		32
#define ISEC_NAME_MAX		256		/* bytes, without a NUL */
#define ISEC_VALUE_MAX		(64 * 1024)	/* what isec_put() takes */

/* Defaults of a new file, and the least that mainnet takes of m and t. */
#define ISEC_DEFAULT_M		65536		/* KiB */
#define ISEC_DEFAULT_T		3
#define ISEC_DEFAULT_P		4

struct isec_header {
	uint32_t	 m, t, p;		/* Argon2id; m in KiB */
	uint8_t		 salt[32];
	uint8_t		 nonce[24];
	uint64_t	 created_ns;		/* since 1970 */
	uint64_t	 rotated_ns;		/* passphrase last changed */
};

/*
 * Reads the header of a whole file and applies every bound of DESIGN 4, each
 * with its own message.  Allocates nothing.  0 or -1.
 */
int	 isec_parse_header(const uint8_t *file, size_t len,
	    struct isec_header *, const char **errstr);

/* At least 64 MiB x 3, what mainnet asks of a file. */
bool	 isec_params_strong(const struct isec_header *);

/*
 * File key from the passphrase, with the header's salt and parameters (which
 * are checked again).  Costs m KiB of memory for the time of the call.
 */
int	 isec_derive(const struct isec_header *, const uint8_t *pass,
	    size_t passlen, uint8_t key[ISEC_KEY_LEN], const char **errstr);

/*
 * Decrypts the file (header included) into plain, which needs
 * len - ISEC_OVERHEAD bytes.  -1 with "wrong passphrase or damaged file" when
 * the tag does not agree; plain holds nothing then.  The plaintext is not
 * trusted before isec_check().
 */
int	 isec_open(const uint8_t *file, size_t len,
	    const uint8_t key[ISEC_KEY_LEN], uint8_t *plain, size_t plainmax,
	    size_t *plainlen, const char **errstr);

/*
 * Validates a plaintext to its last byte: count, every length, names of 1 to
 * ISEC_NAME_MAX bytes of UTF-8, no name twice.  Allocates at most a table of
 * pointers into plain, and that only after all lengths are known to be good.
 */
int	 isec_check(const uint8_t *plain, size_t len, const char **errstr);

/*
 * Walks a checked plaintext.  Start with *pos = 0; name and value point into
 * plain and are not terminated.  true while there was one more.
 */
struct isec_entry {
	const char	*name;
	size_t		 namelen;
	const uint8_t	*value;
	size_t		 len;
};
bool	 isec_next(const uint8_t *plain, size_t len, size_t *pos,
	    struct isec_entry *);

/* Number of secrets in a checked plaintext. */
uint64_t isec_count(const uint8_t *plain, size_t len);

/* Finds name in a checked plaintext; *val points into it. */
bool	 isec_find(const uint8_t *plain, size_t len, const char *name,
	    const uint8_t **val, size_t *vallen);

/*
 * A plaintext that can change, in memory of sodium_malloc(): wiped whenever it
 * moves and when it is freed.  For the tools; keyd keeps to its arena.
 */
struct isec_plain {
	uint8_t		*buf;
	size_t		 len;
	size_t		 cap;
};

/* Empty, with count 0.  -1: no memory. */
int	 isec_plain_init(struct isec_plain *);
/*
 * Header check, decryption and isec_check() in one; the key is the caller's.
 * Frees what p held before.
 */
int	 isec_plain_open(struct isec_plain *, const uint8_t *file, size_t len,
	    const uint8_t key[ISEC_KEY_LEN], const char **errstr);
void	 isec_plain_free(struct isec_plain *);

/*
 * Adds or replaces; val must not point into the plaintext.  -1: bad name, value too long, file too big, no
 * memory.
 */
int	 isec_put(struct isec_plain *, const char *name, const uint8_t *val,
	    size_t len, const char **errstr);
/* -1: there is no such name. */
int	 isec_del(struct isec_plain *, const char *name, const char **errstr);
/* Keeps value and place.  -1: no such name, or the new one is there. */
int	 isec_rename(struct isec_plain *, const char *from, const char *to,
	    const char **errstr);

/* Parameters as given, both dates now; the salt comes with isec_new_salt(). */
int	 isec_header_init(struct isec_header *, uint32_t m, uint32_t t,
	    uint32_t p, const char **errstr);
/* Every save takes a new salt, and therefore a new key. */
void	 isec_new_salt(struct isec_header *);
/* Nanoseconds since 1970, as the header's dates. */
uint64_t isec_now(void);

/*
 * Encrypts under key, which must come from isec_derive() with this header's
 * salt; takes a fresh nonce.  *file is malloc'd (ciphertext: free() will do).
 */
int	 isec_seal(struct isec_header *, const uint8_t key[ISEC_KEY_LEN],
	    const struct isec_plain *, uint8_t **file, size_t *len,
	    const char **errstr);

/* New salt, key from the passphrase, isec_seal(): one save. */
int	 isec_seal_pass(struct isec_header *, const uint8_t *pass,
	    size_t passlen, const struct isec_plain *, uint8_t **file,
	    size_t *len, const char **errstr);

#endif
