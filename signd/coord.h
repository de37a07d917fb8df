/* igra-coord: one run, its signers, and what became of each. */
#ifndef IGRA_COORD_H
#define IGRA_COORD_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coord_doc.h"
#include "coord_http.h"
#include "coord_witness.h"

#define COORD_MAX_SIGNERS	64
#define COORD_MAX_INFO		(64 * 1024)	/* bytes of an answer */
#define COORD_MAX_SIGN		(16 * 1024 * 1024)
#define COORD_MAX_WHAT		700
#define COORD_REQUEST_ID	65
#define COORD_ID_INFO		1	/* of JSON-RPC */
#define COORD_ID_SIGN		2

enum coord_result {
	COORD_PENDING,			/* nothing final yet */
	COORD_SIGNED,
	COORD_DUPLICATE,		/* the same signer as another */
	COORD_REFUSED,
	COORD_FAILED,
	COORD_LIED
};

struct coord;

struct coord_signer {
	struct coord		*coord;
	const char		*path;		/* of its socket */
	enum coord_result	 result;
	bool			 signing;	/* asked to sign, not only who */
	bool			 have_key;
	uint8_t			 key[32];	/* what it says it is, x-only */
	bool			 proven;	/* by a new signature of that key */
	uint64_t		 retry_at;	/* ms; 0: not waiting */
	bool			 have_known;	/* witness when it was asked */
	struct witness_head	 known;
	bool			 have_audit;
	struct witness_head	 audit;
	size_t			 inputs;	/* that it has signed */
	char			 code[32];	/* of a refusal, or "" */
	char			 what[COORD_MAX_WHAT];	/* printable ASCII */
};

struct coord {
	struct coord_doc	 doc;
	struct coord_http	*http;
	bool			 have_witness;
	struct witness		 witness;
	bool			 witness_failed;	/* could not be kept */
	size_t			 n;
	struct coord_signer	*signer;
	size_t			 pending;
	uint64_t		 deadline;	/* ms, monotonic */
	unsigned		 timeout;	/* s */
	char			 request_id[COORD_REQUEST_ID];
	char			*info, *sign;	/* requests, malloc'd */
	size_t			 infolen, signlen;
	/* In the document's pool; len 0 while there is none. */
	struct bytes		 pskt;		/* with the signatures */
	struct bytes		 transaction;	/* what pskt_extract makes */
};

/* --- coord_signer.c --- */

/* The bodies of the two requests.  reason may be NULL.  -1 without memory. */
int	 coord_requests(struct coord *, const char *reason);
/*
 * Asks all signers at once until every input has its signatures, no signer is
 * left or the time is over.  0, or -1 without memory.
 */
int	 coord_ask_all(struct coord *);

/* --- coord_answer.c --- */

/*
 * Reads an answer to signer.info or pskt.sign and sees what the signer has
 * come to: *again seconds when it is to be asked again, otherwise either its
 * key is known (signer.info) or its result is set.
 */
void	 coord_answer(struct coord_signer *, const struct coord_answer *,
	    unsigned *again);
/* A result, and the sentence for it. */
void	 coord_result(struct coord_signer *, enum coord_result,
	    const char *, ...) __attribute__((format(printf, 3, 4)));

/* --- coord_out.c --- */

/* Appends bytes as printable ASCII, what is not as \xXX; cut after max. */
void	 coord_escape(char *out, size_t size, const void *, size_t len,
	    size_t max);
/* One line on stderr. */
void	 coord_tell(const struct coord_signer *);
/* The machine's result, malloc'd with its newline; NULL without memory. */
char	*coord_json(const struct coord *, size_t *len);

#endif
