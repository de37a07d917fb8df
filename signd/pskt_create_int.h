/* Between the seams of pskt_create; nobody else includes it. */
#ifndef IGRA_PSKT_CREATE_INT_H
#define IGRA_PSKT_CREATE_INT_H

#include "pskt_create.h"

struct create_redeem {
	struct bytes	 script;
	struct multisig	 ms;
	uint8_t		 p2sh[P2SH_SCRIPT_LEN];
};

struct create_source {
	uint8_t			 key[33];
	const struct json	*v;		/* its KeySource */
};

struct create_utxo {
	struct tx_input	 in;
	bool		 coinbase;
};

struct create {
	struct pool		*pool;
	enum kaspa_network	 network;
	const struct json	*params;
	struct pskt_error	*e;
	size_t			 nredeem;
	struct create_redeem	*redeem;
	size_t			 nutxo;
	struct create_utxo	*utxo;		/* greatest first */
	size_t			 nleft;		/* left out: not worth it */
	size_t			 nout;
	struct tx_output	*out;
	uint64_t		 total;		/* of out */
	struct tx_output	 change;	/* its value is not set */
	const struct create_redeem *change_redeem; /* NULL: none of ours */
	uint64_t		 rate;
	bool			 has_dust;	/* dust_to_fee was given */
	uint64_t		 dust;
	struct bytes		 payload;
	size_t			 nsource;
	struct create_source	*source;	/* by x-only key, then parity */
};

/* Params into c: all but pool, network, params and e.  0, or -1 with *e. */
int	 create_read(struct create *, struct bytes redeem);
/* The redeem script that hashes to this script, or NULL. */
const struct create_redeem *create_find_redeem(const struct create *,
	    const struct spk *);
/* r->text from r->tx.  0, or -1 without memory. */
int	 create_emit(const struct create *, struct create_result *);
/* Fills in *e.  -1. */
int	 create_fail(struct create *, enum pskt_code, const char *, ...)
	    __attribute__((format(printf, 3, 4)));

#endif
