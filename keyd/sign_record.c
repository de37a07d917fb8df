#include <string.h>

#include "sign_record.h"

/*
 * A log line has room for 1,000 addresses; scripts that have none are cut,
 * so that a line cannot overflow: the transaction id still commits to them.
 */
#define MAX_SCRIPT_SHOWN	64

static void	destinations(const struct daemon *, const struct tx *,
		    const struct decision *, struct enc *);

static void
destinations(const struct daemon *d, const struct tx *tx,
    const struct decision *dec, struct enc *e)
{
	const struct tx_output	*o;
	struct bytes		 script;
	char			 address[ADDRESS_MAX];
	size_t			 i;

	for (i = 0; i < tx->nout; i++) {
		o = &tx->out[i];
		if (dec->change != NULL && dec->change[i])
			continue;
		if (address_from_spk(d->conf->network, &o->spk,
		    address) == 0) {
			script.p = NULL;
			script.len = 0;
			audit_dest_add(e, address, script, o->value);
			continue;
		}
		script = o->spk.script;
		if (script.len > MAX_SCRIPT_SHOWN)
			script.len = MAX_SCRIPT_SHOWN;
		audit_dest_add(e, NULL, script, o->value);
	}
}

void
sign_record_fill(struct audit_record *r, const struct daemon *d,
    const struct msg_sign_req *req, uint32_t i, const struct decision *dec,
    const char *key_ref, const uint8_t txid[32], uint64_t started,
    struct enc *dest)
{
	audit_set_bytes(r, FIELD_REQUEST_ID, req->request_id.p,
	    req->request_id.len);
	audit_set_str(r, FIELD_KEY_REF, key_ref);
	audit_set_str(r, FIELD_SCHEME, "Secp256k1Schnorr");
	audit_set_bytes(r, FIELD_TX_ID, txid, TX_ID_LEN);
	audit_set_u64(r, FIELD_INPUTS, dec->nsign);
	audit_set_u64(r, FIELD_OUTFLOW, dec->outflow);
	if (dec->fee_known)
		audit_set_u64(r, FIELD_FEE, dec->fee);
	destinations(d, &req->tx[i], dec, dest);
	audit_set_bytes(r, FIELD_DESTINATIONS, dest->buf, dest->len);
	audit_set_str(r, FIELD_POLICY, r->success ? "allowed" : "denied");
	if (req->reason.len != 0)
		audit_set_bytes(r, FIELD_REASON, req->reason.p,
		    req->reason.len);
	audit_set_u64(r, FIELD_DURATION, started);
	audit_set_u64(r, FIELD_PEER_UID, req->peer_uid);
	audit_set_u64(r, FIELD_PEER_PID, req->peer_pid);
}
