/* Transactions out of the JSON of the vectors; a missing member aborts. */
#ifndef IGRA_VECTX_H
#define IGRA_VECTX_H

#include <yajl/yajl_tree.h>

#include "pool.h"
#include "tx.h"

/* A PSKT document as KASPA.md says: lock time, null sequence, payload. */
void		 vectx_pskt(struct pool *, yajl_val doc, struct tx *);
/* The "transaction" of a case of sighash.json. */
void		 vectx_plain(struct pool *, yajl_val transaction, struct tx *);
/*
 * A request: the document itself, or the text "PSKT<hex>" or "PSKB<hex>" (its
 * first document).  The caller frees *decoded, NULL for a plain document.
 */
yajl_val	 vectx_request(yajl_val request, yajl_val *decoded);

#endif
