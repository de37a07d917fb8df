/* Between the seams of pskt; nobody else includes it. */
#ifndef IGRA_PSKT_INT_H
#define IGRA_PSKT_INT_H

#include "pskt.h"

/* Kinds of notes; of each, a document shows the first and counts the rest. */
enum note_kind {
	NOTE_INPUT_COUNT,
	NOTE_OUTPUT_COUNT,
	NOTE_PAYLOAD,
	NOTE_SIG_OP_COUNT,
	NOTE_NO_REDEEM,
	NOTE_MAX
};

struct note {
	size_t		 n;
	char		*text;		/* of the first */
};

/* One document being read. */
struct reader {
	struct pool			*pool;
	const struct pskt_context	*ctx;
	const struct json		*root;
	struct pskt_error		*e;
	struct pskt			*pskt;
	struct note			 note[NOTE_MAX];
	uint8_t				 own_p2sh[35];	/* of ctx->redeem */
	uint64_t			 sum_in, sum_out;
	bool				 all_utxos;
	uint64_t			 min_time;	/* greatest */
};

/* Fill *r->pskt from r->root (already an object).  0, or -1 with *r->e. */
int	 pskt_read(struct reader *);

/* --- members; r->e is filled in on error --- */

/* Error at v, or at member name of v; always -1. */
int	 rd_fail(struct reader *, enum pskt_code, const struct json *v,
	    const char *name, const char *what);
void	 rd_note(struct reader *, enum note_kind, const struct json *v,
	    const char *name, const char *what);
/* Member that must be there and of this type; NULL on error. */
const struct json *rd_get(struct reader *, const struct json *, const char *,
	    enum json_type);
/*
 * 1 and *v when the member is there and not null, 0 when it is null (or, if
 * may_be_absent, absent), -1 on error.
 */
int	 rd_opt(struct reader *, const struct json *, const char *,
	    enum json_type, bool may_be_absent, const struct json **v);
int	 rd_u64(struct reader *, const struct json *, const char *,
	    uint64_t max, uint64_t *);
/* Absent or null leaves *v alone and returns 0; 1 when it was set. */
int	 rd_opt_u64(struct reader *, const struct json *, const char *,
	    uint64_t max, uint64_t *v);
int	 rd_bool(struct reader *, const struct json *, const char *);
/* Bytes of a hex string; max is in bytes. */
int	 rd_bytes(struct reader *, const struct json *, size_t max,
	    struct bytes *);
/* Exactly len bytes of hex. */
int	 rd_fixed(struct reader *, const struct json *, uint8_t *, size_t len);
/* A 33-byte compressed public key that is v's name. */
int	 rd_key(struct reader *, const struct json *v, uint8_t key[33]);
/* v's scriptPublicKey: 2-byte big-endian version, then the script. */
int	 rd_spk(struct reader *, const struct json *v, struct spk *);
/* {"keyFingerprint": …, "derivationPath": …} */
int	 rd_key_source(struct reader *, const struct json *,
	    struct key_claim *);

#endif
