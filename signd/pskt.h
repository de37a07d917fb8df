/*
 * Partially Signed Kaspa Transactions as signd reads them (KASPA.md, "PSKT
 * JSON"; rusty-kaspa wallet/pskt): checks a document member by member, makes
 * the transaction that keyd signs, and puts signatures into the document,
 * which else comes back byte for byte as it was.
 */
#ifndef IGRA_PSKT_H
#define IGRA_PSKT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json.h"
#include "pool.h"
#include "tx.h"

#define PSKT_MAX_BUNDLE		256	/* documents; PROTO_MAX_BUNDLE */
#define PSKT_MAX_SOMPI		2900000000000000000U	/* consensus MAX_SOMPI */
#define PSKT_NOT_IN_BUNDLE	SIZE_MAX

enum pskt_form {
	PSKT_FORM_OBJECT,
	PSKT_FORM_PSKT,		/* "PSKT" + hex of an object */
	PSKT_FORM_PSKB		/* "PSKB" + hex of an array of objects */
};

enum pskt_code {
	PSKT_OK,
	PSKT_INVALID,		/* INVALID_PSKT */
	PSKT_UNSUPPORTED,	/* UNSUPPORTED */
	PSKT_TOO_LARGE		/* TOO_LARGE */
};

struct pskt_error {
	enum pskt_code	 code;
	size_t		 pskt;		/* index in a bundle, or PSKT_NOT_IN_BUNDLE */
	char		 message[512];	/* inputs[3].utxoEntry.amount: … */
};

/* What is known of the signer; zeros when it is not. */
struct pskt_context {
	const uint8_t	*xonly;		/* 32 bytes, or NULL */
	struct bytes	 redeem;	/* own redeem script; len 0: none */
	const char	*derivation_path; /* of the config; "" is "m"; NULL: none */
	const uint8_t	*fingerprint;	/* 4 bytes, of our master key, or NULL */
};

struct pskt_sig {			/* a member of partialSigs */
	uint8_t		 key[33];
	bool		 schnorr;
	bool		 ecdsa;		/* neither: DER that is none */
	uint8_t		 sig[64];	/* r and s, of either kind */
	uint32_t	 start, end;	/* source range of the value */
};

struct pskt_input {
	size_t			 nsig;
	struct pskt_sig		*sig;
	const struct json	*partial_sigs;
	const struct json	*derivations;
	struct bytes		 final;		/* finalScriptSig; p NULL: none */
};

struct pskt {
	unsigned		 version;	/* 0, 1 or 2 */
	struct tx		 tx;		/* tx.in[i] and in[i] are one input */
	struct pskt_input	*in;
	const struct json	*root;
};

struct pskt_note {
	size_t		 pskt;		/* index of the document */
	char		*text;
};

struct pskt_doc {
	enum pskt_form	 form;
	const char	*src;		/* what source ranges count from */
	size_t		 start, end;	/* the document within src */
	const struct json *root;	/* object, or array of objects */
	size_t		 n;		/* 1 unless PSKT_FORM_PSKB */
	struct pskt	*pskt;
	size_t		 nnote;
	struct pskt_note *note;
};

/*
 * Reads value, which json_parse made of src; both must outlive doc, whose
 * parts come from the pool.  ctx may be NULL.  Checks everything that needs no
 * key; which inputs are own, and what only matters for those (utxoEntry
 * missing, the sighash type), is keyd's to decide.  An input without redeemScript
 * whose UTXO is ctx->redeem's gets that script; an input or output with a
 * KeySource that may be ours gets that claim.  0, or -1 with *e filled in.
 */
int	 pskt_parse(struct pool *, const struct pskt_context *ctx,
	    const char *src, const struct json *value, struct pskt_doc *doc,
	    struct pskt_error *e);

/*
 * The signatures of this x-only key, under either parity, that input i has:
 * the next after prev (NULL: the first), or NULL.
 */
const struct pskt_sig *pskt_own_signature(const struct pskt *, size_t i,
	    const uint8_t xonly[32], const struct pskt_sig *prev);

struct pskt_new_sig {
	size_t		 pskt;		/* index of the document */
	size_t		 input;
	uint8_t		 key[33];	/* parity byte as it is to be written */
	uint8_t		 sig[64];
};

/*
 * The document with the n signatures in it, as one JSON value in the form it
 * came in (a hex form is a string, with its quotes), in memory of the pool.  A
 * signature whose key (compared x-only) the input already has takes its place
 * and leaves the member's name as it is; a new one is added at the end, with a
 * null bip32Derivations entry unless the key has an entry there.  -1 without
 * memory, or if sigs names an input that is not there or a key twice.
 */
int	 pskt_emit(struct pool *, const struct pskt_doc *,
	    const struct pskt_new_sig *sigs, size_t n, struct bytes *out);

/*
 * Hex text, either case, n digits (even) to n / 2 bytes.  For public data: the
 * time it takes depends on them.  0, or -1 if odd or not hex.
 */
int	 pskt_unhex(const uint8_t *text, size_t n, uint8_t *out);
/* Lower-case hex, 2 * len digits, no NUL. */
void	 pskt_hex(const void *, size_t len, char *out);

#endif
