/*
 * The document that igra-coord collects signatures for: what each input needs,
 * which of it is there, and the document with it.  Nothing of a signer's answer
 * gets in but signatures that have been verified here.
 */
#ifndef IGRA_COORD_DOC_H
#define IGRA_COORD_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pskt.h"

#define COORD_MAX_DOC	(8 * 1024 * 1024)	/* bytes, as igra-signd takes */

struct coord_slot {			/* a key of an input's script */
	uint8_t		 key[32];	/* x-only */
	bool		 have;		/* a signature that is valid */
	bool		 added;		/* and was not in the document */
	uint8_t		 sig[64];
};

struct coord_input {
	uint8_t			 sighash[32];
	unsigned		 m, n;		/* m of n keys */
	unsigned		 have;
	struct coord_slot	*slot;
};

struct coord_tx {
	uint8_t			 id[TX_ID_LEN];
	size_t			 nin;
	struct coord_input	*in;
};

struct coord_doc {
	struct pool	 pool;
	char		*text;		/* the JSON value, NUL-terminated */
	size_t		 len;
	struct pskt_doc	 doc;
	size_t		 n;		/* transactions: 1 but in a bundle */
	struct coord_tx	*tx;
	size_t		 inputs;	/* of all */
	size_t		 complete;	/* inputs that have m signatures */
	size_t		 wrong;		/* signatures in it that are not valid */
	size_t		 added;		/* signatures, since it was read */
};

/*
 * Reads a document from text (taken over, malloc'd, NUL-terminated): a JSON
 * object or string, or the bare hex form.  redeem: a redeem script for inputs
 * that have none of their own and hash to it, or len 0.  Every input must have
 * its UTXO and a script whose Schnorr keys are known.  0, or -1 with the reason
 * in err (512 bytes are enough); coord_doc_free() in both cases.
 */
int	 coord_doc_read(struct coord_doc *, char *text, size_t len,
	    struct bytes redeem, char *err, size_t errlen);
void	 coord_doc_free(struct coord_doc *);

enum coord_sig {
	COORD_SIG_NEW,
	COORD_SIG_KNOWN,	/* this key has signed this input already */
	COORD_SIG_NO_INPUT,	/* there is no such input */
	COORD_SIG_NO_KEY,	/* the key is not in the input's script */
	COORD_SIG_WRONG		/* it does not verify */
};

/* Verifies a signature and takes it if it is of use. */
enum coord_sig coord_doc_add(struct coord_doc *, uint64_t pskt, uint64_t input,
	    const uint8_t key[32], const uint8_t sig[64]);

/* Is the x-only key one of those that this input can be signed with? */
bool	 coord_doc_has_key(const struct coord_doc *, uint64_t pskt,
	    uint64_t input, const uint8_t key[32]);

/* Has every input its m signatures? */
bool	 coord_doc_complete(const struct coord_doc *);

/*
 * Is value (of src) this document, signatures aside?  Compares the form, the
 * transactions' ids and every sighash, which covers the amount and script of
 * the coin that an input spends.
 */
bool	 coord_doc_same(const struct coord_doc *, const char *src,
	    const struct json *value);

/*
 * The document with the signatures taken, as a JSON value in the form it came
 * in, in memory of the document's pool.  -1 without memory.
 */
int	 coord_doc_emit(struct coord_doc *, struct bytes *out);

#endif
