/*
 * A keyring in a devnet config, and a secrets file made by hand: what the
 * tests of the keyring share.
 */
#ifndef IGRA_KEYRING_RIG_H
#define IGRA_KEYRING_RIG_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "keyd/keyring.h"
#include "log.h"
#include "secmem.h"
#include "vec.h"

static struct event_base	*base;
static struct keyring		 r;
static struct conf		*conf;
static struct isec_plain	 plain;
static struct msg_unlock	 keys;
static struct key_accesses	 acc;
static char			 err[512];
static uint8_t			 pub[33];
static char			 ref[NAME_BUF];
static unsigned			 evictions, expiries;
static char			 evicted_ref[NAME_BUF], evicted_why[64];

static void
evicted(const char *const which[], unsigned n, const char *why, void *arg)
{
	ck_assert_ptr_eq(arg, &r);
	ck_assert(n > 0 && n <= KEYRING_TELL);
	evictions += n;
	(void)strlcpy(evicted_ref, which[n - 1], sizeof(evicted_ref));
	(void)strlcpy(evicted_why, why, sizeof(evicted_why));
}

static void
expired(void *arg)
{
	(void)arg;
	expiries++;
	keyring_lock(&r);
}

/* A devnet config: hd and security are the bodies of those tables. */
static void
start(const char *hd, const char *security)
{
	char		 text[4096];
	const char	*errstr;
	int		 n;

	n = snprintf(text, sizeof(text), "[service]\nnetwork = \"devnet\"\n"
	    "active_profile = \"signer-01\"\n[service.hd]\n%s\n[security]\n"
	    "%s\n", hd, security);
	conf = conf_parse(text, (size_t)n, "igra.toml", NULL, 0, err,
	    sizeof(err));
	ck_assert_msg(conf != NULL, "%s", err);
	ck_assert_int_eq(secmem_init(2 << 20, SECMEM_NO_MEMFD, &errstr), 0);
	ck_assert_int_eq(curve_init(), 0);
	ck_assert_ptr_nonnull(base = event_base_new());
	ck_assert_int_eq(keyring_init(&r, conf, base), 0);
	r.evicted = evicted;
	r.expired = expired;
	r.arg = &r;
	ck_assert_int_eq(isec_plain_init(&plain), 0);
	memset(&keys, 0, sizeof(keys));
	memset(keys.file_key, 0x42, sizeof(keys.file_key));
}

static void
put(const char *name, const void *val, size_t len)
{
	const char	*errstr;

	ck_assert_int_eq(isec_put(&plain, name, val, len, &errstr), 0);
}

static void
put_raw(const char *name, uint8_t fill)
{
	uint8_t	 key[32];

	memset(key, fill, sizeof(key));
	put(name, key, sizeof(key));
}

static enum proto_code
stage(void)
{
	struct isec_header	 h;
	const char		*errstr;
	uint8_t			*file, key[32];
	size_t			 len;

	memset(key, 0x42, sizeof(key));
	ck_assert_int_eq(isec_header_init(&h, 8, 1, 1, &errstr), 0);
	isec_new_salt(&h);
	ck_assert_int_eq(isec_seal(&h, key, &plain, &file, &len, &errstr), 0);
	memset(&acc, 0, sizeof(acc));
	err[0] = '\0';
	return keyring_stage(&r, file, len, &keys, pub, ref, &acc, err,
	    sizeof(err));
}

static void
unlock(void)
{
	enum proto_code	 code = stage();

	ck_assert_msg(code == CODE_NONE, "%s", err);
	keyring_commit(&r);
	ck_assert(!keyring_locked(&r));
}

/* Uses a profile's key once; true when it came from the cache. */
static bool
use(const char *profile)
{
	struct key	*k;

	memset(&acc, 0, sizeof(acc));
	ck_assert_msg(keyring_get(&r, profile, &k, &acc, err, sizeof(err)) ==
	    CODE_NONE, "%s", err);
	memcpy(pub, k->pub, sizeof(pub));
	(void)strlcpy(ref, k->ref, sizeof(ref));
	keyring_put(&r, k);
	ck_assert_uint_ge(acc.n, 1);
	return acc.a[0].cached;
}

/* Runs the loop for so long, in ms. */
static void
run(int ms)
{
	struct timeval	 tv = { ms / 1000, ms % 1000 * 1000 };

	event_base_loopexit(base, &tv);
	event_base_dispatch(base);
}

/* Is it anywhere in the arena?  The heap comes right after the pages. */
static bool
in_arena(const void *what, size_t len)
{
	uint8_t	*p;

	ck_assert_ptr_nonnull(p = secmem_page_open(0));
	secmem_page_close(0);
	p += SECMEM_PAGES * sysconf(_SC_PAGESIZE);
	return memmem(p, secmem_size(), what, len) != NULL;
}

#endif
