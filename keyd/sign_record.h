/* What Signing and PolicyDenied records say of a transaction. */
#ifndef IGRA_SIGN_RECORD_H
#define IGRA_SIGN_RECORD_H

#include "daemon.h"
#include "messages.h"
#include "policy.h"

/*
 * Fills in the record of transaction i of the request.  dest receives the
 * destinations and must outlive the record, as must all arguments.
 */
void	sign_record_fill(struct audit_record *, const struct daemon *,
	    const struct msg_sign_req *, uint32_t i, const struct decision *,
	    const char *key_ref, const uint8_t txid[32], uint64_t started_ns,
	    struct enc *dest);

#endif
