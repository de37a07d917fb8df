/*
 * BIP32 with Kaspa's version bytes (rusty-kaspa wallet/bip32).  Functions with
 * private keys need curve_init(); those with public keys only do not.
 */
#ifndef IGRA_BIP32_H
#define IGRA_BIP32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BIP32_HARDENED		0x80000000U
#define BIP32_MAX_PATH		32	/* steps */
#define BIP32_PATH_TEXT		(1 + 12 * BIP32_MAX_PATH + 1)
#define BIP32_XKEY_MAX		113	/* 111 or 112 characters and the NUL */

#define BIP32_KPRV		0x038f2ef4U
#define BIP32_KPUB		0x038f332eU
#define BIP32_KTRV		0x03909e07U
#define BIP32_KTUB		0x0390a241U
#define BIP32_XPRV		0x0488ade4U
#define BIP32_XPUB		0x0488b21eU	/* how PSKTs write xpubs */

struct bip32_prv {				/* secret: bip32_wipe() it */
	uint8_t		 key[32];
	uint8_t		 chain[32];
	uint8_t		 depth;
	uint32_t	 child;			/* index it was derived with */
	uint8_t		 parent[4];		/* fingerprint */
};

struct bip32_pub {
	uint8_t		 key[33];		/* compressed */
	uint8_t		 chain[32];
	uint8_t		 depth;
	uint32_t	 child;
	uint8_t		 parent[4];
};

struct bip32_path {
	size_t		 n;
	uint32_t	 step[BIP32_MAX_PATH];	/* hardened: BIP32_HARDENED set */
};

/* The way from one key to another below it, none of it hardened. */
#define BIP32_MAX_STEPS		8
struct bip32_steps {
	uint8_t		 n;
	uint32_t	 step[BIP32_MAX_STEPS];
};

/*
 * "", "m" (both the master key) or "m/44'/111111'/0'/0/0"; only ' hardens.
 * text need not be terminated.
 */
int	 bip32_path_parse(const char *text, size_t len, struct bip32_path *,
	    const char **errstr);
/* Canonical text, "m" for the master; out holds BIP32_PATH_TEXT bytes. */
void	 bip32_path_format(const struct bip32_path *, char *out);

/* seed: 16 to 64 bytes.  -1: length, or (never in practice) no valid key. */
int	 bip32_master(const uint8_t *seed, size_t len, struct bip32_prv *);
/* One step; out may be the parent.  -1: no valid key, or depth 255. */
int	 bip32_ckd_prv(const struct bip32_prv *, uint32_t index,
	    struct bip32_prv *out);
/* As many steps as the path has; out may be the parent. */
int	 bip32_derive(const struct bip32_prv *, const struct bip32_path *,
	    struct bip32_prv *out);
/* Public part. */
int	 bip32_neuter(const struct bip32_prv *, struct bip32_pub *);
/* One step that is not hardened; out may be the parent. */
int	 bip32_ckd_pub(const struct bip32_pub *, uint32_t index,
	    struct bip32_pub *out);
/* The first 4 bytes of RIPEMD160(SHA256(compressed public key)). */
void	 bip32_fingerprint(const uint8_t pub[33], uint8_t out[4]);

/* out holds BIP32_XKEY_MAX bytes; version is one of the above. */
void	 bip32_prv_encode(const struct bip32_prv *, uint32_t version, char *out);
void	 bip32_pub_encode(const struct bip32_pub *, uint32_t version, char *out);
/* kprv, ktrv, xprv; kpub, ktub, xpub.  *version says which, if not NULL. */
int	 bip32_prv_decode(const char *, size_t, struct bip32_prv *,
	    uint32_t *version, const char **errstr);
int	 bip32_pub_decode(const char *, size_t, struct bip32_pub *,
	    uint32_t *version, const char **errstr);

void	 bip32_wipe(struct bip32_prv *);

#endif
