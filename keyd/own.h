/*
 * Which scripts are this signer's (DESIGN 2): a closed set, from the config
 * and its own key alone.  Paths and redeem scripts in a request are claims
 * that are checked against it, never a source.
 */
#ifndef IGRA_OWN_H
#define IGRA_OWN_H

#include <sys/tree.h>

#include "bip32.h"
#include "conf.h"
#include "destinations.h"
#include "kaspa.h"
#include "tx.h"

/* Scripts that are this signer's, and those it may pay, from the config. */
struct own {
	unsigned	 refs;
	bool		 has_redeem;
	bool		 p2pk;		/* nothing configured: our key's own scripts */
	uint8_t		 redeem[TX_MAX_SCRIPT];
	size_t		 redeem_len;
	struct multisig	 multisig;
	uint8_t		 p2sh[P2SH_SCRIPT_LEN];
	struct destinations dest;
	bool		 mainnet;
	struct bip32_path account;	/* service.hd.derivation_path */
	/* service.hd.xpubs and required_sigs; nxpub is 0 unless both are set. */
	unsigned	 nxpub, required;
	struct bip32_pub xpub[MULTISIG_MAX_KEYS];
	/* Those at c/{0|1}, c < nxpub: (2 * c + change) * nxpub + cosigner. */
	struct bip32_pub *branch;
};

/*
 * 0, or -1: redeem_script_hex is no m-of-n Schnorr multisig, an xpub is none
 * or there twice, required_sigs exceeds them, a destination is no address, or
 * memory is out.
 */
int	own_init(struct own *, const struct conf *, const char **errstr);
void	own_free(struct own *);
/*
 * The same, on the heap and counted: a request that was decided goes on with
 * what it was decided by, whatever is reloaded meanwhile.  NULL on error.
 */
struct own	*own_new(const struct conf *, const char **errstr);
struct own	*own_ref(struct own *);
void		 own_unref(struct own *);	/* NULL is fine */

/* BLAKE2b-256 of an extended public key's key and chain code, in out. */
void	own_account_id(const struct bip32_pub *, uint8_t out[32]);
/* Is the extended public key with this id one of service.hd.xpubs? */
bool	own_xpub_listed(const struct conf *, const uint8_t id[32]);

/* Whose key is asked about. */
struct own_key {
	const uint8_t		*xonly;		/* at derivation_path */
	const struct bip32_pub	*account;	/* there too; NULL: no phrase */
	const uint8_t		*fingerprint;	/* of its master key; 4 bytes */
};

/* What has been derived for one request, by path below derivation_path. */
struct own_path {
	RB_ENTRY(own_path)	 entry;
	struct bip32_steps	 rel;
	bool			 has_p2sh, has_xonly;
	uint8_t			 p2sh[P2SH_SCRIPT_LEN];	/* of all xpubs' keys */
	uint8_t			 xonly[32];		/* our key */
};
RB_HEAD(own_paths, own_path);

struct own_cache {
	struct pool		*pool;
	struct own_paths	 paths;
	uint32_t		 tx;		/* where own_prepare goes on */
	size_t			 at;
};

/* Paths come from the pool, which must outlive the cache. */
void	own_cache_init(struct own_cache *, struct pool *);
/*
 * Derives what deciding on these transactions needs, so many derivation steps
 * at a time (an extended key each; of at least one path), and notes where it
 * stands.  1: all is there; 0: call again; -1: no memory.
 */
int	own_prepare(const struct own *, const struct own_key *,
	    struct own_cache *, const struct tx *, uint32_t n, unsigned steps);

/*
 * The steps of a claimed path below derivation_path.  False unless it extends
 * that by 0 to BIP32_MAX_STEPS steps, none of them hardened.
 */
bool	own_relative(const struct own *, const struct key_claim *,
	    struct bip32_steps *rel);

enum own_match {
	OWN_NOT,
	OWN_ACCOUNT,		/* with the key at derivation_path */
	OWN_DERIVED,		/* with the key at the claimed path */
	OWN_MISCLAIMED,		/* our script, but another master key's claim */
	OWN_NOMEM
};
/* Is this an own script? */
enum own_match	own_script(const struct own *, const struct own_key *,
		    struct own_cache *, const struct spk *,
		    const struct key_claim *);
/*
 * Or is our key in it: pay-to-pubkey of it, or P2SH of this redeem script (its
 * hash has been compared) with it?  Never OWN_MISCLAIMED; on mainnet no path
 * is looked at, as nothing but own scripts is signed for there.
 */
enum own_match	own_shared(const struct own *, const struct own_key *,
		    struct own_cache *, const struct spk *,
		    struct bytes redeem, const struct key_claim *);

#endif
