/*
 * BIP39 phrases, English words, 12 or 24 of them (DESIGN 5).
 */
#ifndef IGRA_BIP39_H
#define IGRA_BIP39_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#define BIP39_WORDS		2048
#define BIP39_PHRASE_MAX	216	/* 24 words of 8 letters, blanks, NUL */
#define BIP39_SEED_LEN		64

extern const char bip39_words[BIP39_WORDS][9];	/* sorted */

/*
 * Trims phrase and leaves one blank between words, into out
 * (BIP39_PHRASE_MAX bytes, terminated).  Length, or -1 if it is too long.
 */
ssize_t	 bip39_normalise(const char *phrase, size_t len, char *out);

/*
 * 12 or 24 words with single blanks, all of them on the list, checksum right.
 * -1 with what is wrong in err, which names the number of a word (from 1), but
 * never a word.
 */
int	 bip39_check(const char *phrase, size_t len, char *err, size_t errlen);

/*
 * Phrase of 16 or 32 bytes of entropy; out holds BIP39_PHRASE_MAX bytes.
 * Length, or -1 for another length.
 */
ssize_t	 bip39_from_entropy(const uint8_t *entropy, size_t len, char *out);

/*
 * PBKDF2-HMAC-SHA512, 2048 rounds, salt "mnemonic" and the passphrase.  Kaspa
 * does not normalise: the bytes count as they are.  An empty passphrase is
 * none.  The phrase must have passed bip39_check().
 */
void	 bip39_seed(const char *phrase, size_t len, const uint8_t *passphrase,
	    size_t passlen, uint8_t seed[BIP39_SEED_LEN]);

#endif
