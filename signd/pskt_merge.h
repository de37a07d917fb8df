/*
 * What pskt_combine is made of: JSON text changed in places, members of
 * several objects brought together, values compared.
 */
#ifndef IGRA_PSKT_MERGE_H
#define IGRA_PSKT_MERGE_H

#include "pskt.h"

struct merge {
	struct pool		*pool;
	const struct pskt_doc	*docs;
	size_t			 n;
	size_t			 member;	/* of the bundles */
	size_t			 longest;	/* document whose list counts */
	/* The combination as first read, once signatures are in doubt. */
	const struct pskt	*result;
	struct sighash_cache	*cache;
	bool			 doubt;
	unsigned		 checks;	/* signatures verified */
	struct pskt_error	*e;
};

/* Changes to the source text of one object or array. */
struct patch {
	struct pool		*pool;
	const char		*src;
	const struct json	*base;
	struct edit		*edit;
	size_t			 n, max;
	size_t			 nadded;
	size_t			 tail;		/* where; 0: not known */
};

/* A member of document doc. */
struct entry {
	const struct json	*v;
	size_t			 doc;
};

struct json_text {
	struct bytes		 text;
	bool			 changed;
};

/* Error of a value of document doc, or of its member name; always -1. */
int	 merge_fail(struct merge *, size_t doc, const struct json *v,
	    const char *name, const char *what);
int	 merge_no_memory(struct merge *);
/* v differs between two documents. */
int	 merge_conflict(struct merge *, size_t a, size_t b,
	    const struct json *v);
/* As it stands in its document. */
struct bytes merge_raw(const struct merge *, size_t doc, const struct json *);

/*
 * root's text, with what stands around it in the first document, as one JSON
 * value in that one's form.  0, or -1 with the error.
 */
int	 merge_frame(struct merge *, struct bytes root, struct bytes *out);

void	 patch_init(struct patch *, struct merge *, size_t doc,
	    const struct json *base);
/* In the place of old, a child of base.  0, or -1 without memory. */
int	 patch_replace(struct patch *, const struct json *old, struct bytes);
/* A further element or member ("name":value), after all others. */
int	 patch_append(struct patch *, struct bytes);
/* A further member, a copy of another document's. */
int	 patch_append_member(struct patch *, const struct merge *, size_t doc,
	    const struct json *);
/* The text that results: base's own if nothing has changed. */
int	 patch_text(struct patch *, struct json_text *);

/*
 * Members of all the objects v[0] .. v[n - 1] (NULL: none there), sorted by
 * name, then document; skip(arg, member) leaves members out.  Names are hex
 * where fold is set, and compared without case.  0, or -1 with the error: without memory, or
 * a name twice in one object.
 */
int	 merge_collect(struct merge *, const struct json *const *v, bool fold,
	    bool (*skip)(const void *, const struct json *), const void *arg,
	    struct entry **, size_t *n);
bool	 merge_same_name(const struct entry *, const struct entry *, bool fold);

/*
 * Is v, a member of an input's partialSigs, right by m->result's sighash, and
 * of the kind that the input's script takes?
 */
bool	 merge_verifies(struct merge *, const struct json *v);

/* 1 if they say the same, 0 if not, -1 without memory. */
typedef int	 same_fn(struct pool *, const struct json *,
		    const struct json *);
same_fn	 same_scalar;		/* numbers as they are written */
same_fn	 same_hex;		/* strings, without case */
same_fn	 same_outpoint, same_utxo, same_covenant, same_key_source;
same_fn	 same_signature;
same_fn	 same_json;		/* members in any order */

#endif
