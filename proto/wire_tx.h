/* The transaction within MSG_SIGN_REQ (PROTOCOL.md, "transaction"). */
#ifndef IGRA_WIRE_TX_H
#define IGRA_WIRE_TX_H

#include "codec.h"
#include "tx.h"

#define WIRE_TX_MIN	50		/* no inputs, no outputs, no payload */

void	enc_tx(struct enc *, const struct tx *);
/* Arrays from the pool, scripts as views; failure is in d->failed. */
void	dec_tx(struct dec *, struct pool *, struct tx *);

#endif
