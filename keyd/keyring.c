#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "derive.h"
#include "keyring.h"
#include "log.h"
#include "own.h"
#include "secmem.h"

static const struct bip32_steps	 at_account;	/* none */

/* What a page of the arena holds. */
struct file_keys {
	uint8_t	 file_key[32];
	uint8_t	 layer1[32];
};

static bool		 usable(const struct keyring *, char *, size_t);
static int		 open_plain(const struct keyring_file *, uint8_t **,
			    size_t *, uint8_t **, const char **);
static void		 file_forget(struct keyring_file *);
static void		 cache_add(struct keyring *, struct key *);
static void		 cache_drop(struct keyring *, struct keys *,
			    struct key *);
static void		 cache_tell(struct keyring *, struct keys *,
			    const char *);
static void		 cache_arm(struct keyring *);
static void		 cache_expire(void *);
static void		 unlock_expire(void *);
static void		 relock_arm(struct keyring *);
static enum proto_code	 apply_rules(const struct conf *,
			    const struct secret_facts *,
			    const struct isec_header *, char *, size_t);

int
keyring_init(struct keyring *r, const struct conf *c, struct event_base *base)
{
	memset(r, 0, sizeof(*r));
	r->conf = c;
	keycache_init(&r->cache);
	TAILQ_INIT(&r->gone);
	r->staged.page = 1;
	r->evict = boottimer_new(base, cache_expire, r);
	r->relock = boottimer_new(base, unlock_expire, r);
	return r->evict == NULL || r->relock == NULL ? -1 : 0;
}

bool
keyring_locked(const struct keyring *r)
{
	return r->file.data == NULL;
}

/* unlock_ttl ends here too, should a request come before its timer. */
static bool
usable(const struct keyring *r, char *err, size_t errlen)
{
	uint64_t	 ttl = r->conf->unlock_ttl;

	if (!keyring_locked(r) && (ttl == 0 || bootclock_now() <
	    r->unlocked_at + (int64_t)ttl * NS_PER_S))
		return true;
	snprintf(err, errlen, "igra-keyd is locked: unlock it with igractl "
	    "unlock");
	return false;
}

/*
 * Decrypts a file into the arena; *layer1 is a copy there too (NULL without
 * one).  The caller frees both.
 */
static int
open_plain(const struct keyring_file *f, uint8_t **plain, size_t *len,
    uint8_t **layer1, const char **errstr)
{
	struct file_keys	*keys;
	size_t			 max = f->len - ISEC_OVERHEAD;
	int			 ret = -1;

	*layer1 = NULL;
	*errstr = "the secret arena is full: raise [security] "
	    "secrets_file_max";
	if ((*plain = secmem_alloc(max)) == NULL)
		return -1;
	if ((keys = secmem_page_open(f->page)) == NULL) {
		*errstr = "cannot open the page of the file key";
		goto out;
	}
	if (f->has_layer1) {
		if ((*layer1 = secmem_alloc(32)) == NULL)
			goto close;
		memcpy(*layer1, keys->layer1, 32);
	}
	ret = isec_open(f->data, f->len, keys->file_key, *plain, max, len,
	    errstr);
close:
	secmem_page_close(f->page);
out:
	if (ret == -1) {
		secmem_free(*plain);
		secmem_free(*layer1);
		*plain = *layer1 = NULL;
	}
	return ret;
}

static void
file_forget(struct keyring_file *f)
{
	struct file_keys	*keys;

	if ((keys = secmem_page_open(f->page)) != NULL)
		sodium_memzero(keys, sizeof(*keys));
	secmem_page_close(f->page);
	free(f->data);
	f->data = NULL;
	f->len = 0;
	f->has_layer1 = false;
}

enum proto_code
keyring_stage(struct keyring *r, uint8_t *data, size_t len,
    const struct msg_unlock *m, uint8_t pub[33], char ref[NAME_BUF],
    struct key_accesses *acc, char *err, size_t errlen)
{
	struct keyring_file	*f = &r->staged;
	struct file_keys	*keys;
	struct key		*k = NULL;
	const char		*errstr = NULL;
	uint8_t			*plain = NULL, *layer1 = NULL;
	size_t			 plainlen;
	enum proto_code		 code = CODE_INTERNAL;

	keyring_abort(r);
	r->staging++;
	f->data = data;
	f->len = len;
	if (isec_parse_header(data, len, &f->header, &errstr) == -1) {
		code = CODE_UNAUTHORIZED;
		goto fail;
	}
	if (len > r->conf->secrets_file_max) {
		snprintf(err, errlen, "the secrets file has %zu bytes, more "
		    "than [security] secrets_file_max = %llu", len,
		    (unsigned long long)r->conf->secrets_file_max);
		code = CODE_TOO_LARGE;
		goto fail;
	}
	if ((keys = secmem_page_open(f->page)) == NULL) {
		errstr = "cannot open the page of the file key";
		goto fail;
	}
	memcpy(keys->file_key, m->file_key, sizeof(keys->file_key));
	memcpy(keys->layer1, m->layer1_key, sizeof(keys->layer1));
	secmem_page_close(f->page);
	f->has_layer1 = m->has_layer1;
	if (open_plain(f, &plain, &plainlen, &layer1, &errstr) == -1 ||
	    isec_check(plain, plainlen, &errstr) == -1) {
		code = CODE_UNAUTHORIZED;
		goto fail;
	}
	errstr = NULL;		/* from here on err has the reason */
	if ((k = key_new()) == NULL) {
		errstr = "the secret arena is full";
		goto fail;
	}
	code = derive_key(r->conf, plain, plainlen, layer1,
	    r->conf->active_profile, k, acc, &r->staged_facts, err, errlen);
	if (code == CODE_NONE)
		code = keyring_rules(r, &r->staged_facts, &f->header, err,
		    errlen);
	if (code != CODE_NONE)
		goto fail;
	memcpy(pub, k->pub, 33);
	(void)strlcpy(ref, k->ref, NAME_BUF);
	goto out;
fail:
	if (errstr != NULL)
		snprintf(err, errlen, "%s", errstr);
	keyring_abort(r);
out:
	key_free(k);
	secmem_free(plain);
	secmem_free(layer1);
	stack_scrub();
	return code;
}

uint64_t
keyring_age_days(const struct isec_header *h)
{
	uint64_t	 now = isec_now();

	return now < h->rotated_ns ? 0 :
	    (now - h->rotated_ns) / 1000000000 / 86400;
}

static enum proto_code
apply_rules(const struct conf *c, const struct secret_facts *facts,
    const struct isec_header *h, char *err, size_t errlen)
{
	struct validate		 v;
	struct findings		 f = { 0 };
	const struct finding	*first;
	size_t			 i;
	enum proto_code		 code = CODE_NONE;

	memset(&v, 0, sizeof(v));
	v.conf = c;
	v.network = c->network;
	v.when = VALIDATE_SECRETS;
	v.secrets = *facts;
	/* This config may not be the one that the facts were found with. */
	v.secrets.xpub_listed = own_xpub_listed(c, facts->account);
	if (h != NULL) {
		v.age_known = true;
		v.age_days = keyring_age_days(h);
	}
	validate_run(&v, &f);
	for (i = 0; h != NULL && i < f.n; i++) {
		if (f.v[i].severity == SEV_WARNING)
			log_warning("[%s] %s",
			    validate_category_name(f.v[i].category),
			    f.v[i].message);
		else if (f.v[i].severity == SEV_DEBUG)
			log_debug("%s", f.v[i].message);
	}
	if (findings_worst(&f) == SEV_ERROR) {
		first = findings_first(&f, SEV_ERROR);
		snprintf(err, errlen, "%s", first == NULL ? "out of memory" :
		    first->message);
		code = CODE_POLICY_DENIED;
	}
	findings_free(&f);
	return code;
}

enum proto_code
keyring_rules(const struct keyring *r, const struct secret_facts *facts,
    const struct isec_header *h, char *err, size_t errlen)
{
	return apply_rules(r->conf, facts, h, err, errlen);
}

enum proto_code
keyring_reload_check(const struct keyring *r, const struct conf *c, char *err,
    size_t errlen)
{
	enum proto_code	 code = CODE_NONE;

	if (r->file.data != NULL && r->facts.known)
		code = apply_rules(c, &r->facts, NULL, err, errlen);
	if (code == CODE_NONE && r->staged.data != NULL &&
	    r->staged_facts.known)
		code = apply_rules(c, &r->staged_facts, NULL, err, errlen);
	return code;
}

void
keyring_reload(struct keyring *r, const struct conf *c)
{
	int64_t		 longer = ((int64_t)c->secret_cache_ttl -
			    (int64_t)r->conf->secret_cache_ttl) * NS_PER_S;
	struct key	*k;

	r->conf = c;
	/*
	 * The time to live counts from decryption, whatever it is by now.  All
	 * move alike: their order stays.
	 */
	TAILQ_FOREACH(k, &r->cache.used, entry)
		k->expires += longer;
	cache_expire(r);
	if (!keyring_locked(r))
		relock_arm(r);
}

static void
relock_arm(struct keyring *r)
{
	boottimer_set(r->relock, r->conf->unlock_ttl == 0 ? 0 :
	    r->unlocked_at + (int64_t)r->conf->unlock_ttl * NS_PER_S);
}

void
keyring_commit(struct keyring *r)
{
	struct keyring_file	 old = r->file;

	keycache_clear(&r->cache);
	r->file = r->staged;
	r->facts = r->staged_facts;
	r->staged = old;
	file_forget(&r->staged);
	if (curve_rerandomize() == -1)
		log_warnx("cannot re-randomise the curve context");
	r->unlocked_at = bootclock_now();
	relock_arm(r);
}

void
keyring_abort(struct keyring *r)
{
	file_forget(&r->staged);
}

void
keyring_lock(struct keyring *r)
{
	keycache_clear(&r->cache);
	file_forget(&r->staged);
	file_forget(&r->file);
	r->unlocked_at = 0;
	boottimer_set(r->relock, 0);
	boottimer_set(r->evict, 0);
	stack_scrub();
}

static void
unlock_expire(void *arg)
{
	struct keyring	*r = arg;

	if (r->expired != NULL)
		r->expired(r->arg);
}

/* Wipes one, and keeps its name in gone for cache_tell. */
static void
cache_drop(struct keyring *r, struct keys *gone, struct key *k)
{
	keycache_remove(&r->cache, k);
	key_wipe(k);
	TAILQ_INSERT_TAIL(gone, k, entry);
	r->evictions++;
}

/* Telling anybody may take time: it comes after the wiping. */
static void
cache_tell(struct keyring *r, struct keys *gone, const char *reason)
{
	const char	*ref[KEYRING_TELL];
	struct key	*k;
	unsigned	 i, n;

	while (!TAILQ_EMPTY(gone)) {
		n = 0;
		TAILQ_FOREACH(k, gone, entry) {
			ref[n++] = k->ref;
			if (n == KEYRING_TELL)
				break;
		}
		if (r->evicted != NULL)
			r->evicted(ref, n, reason, r->arg);
		for (i = 0; i < n; i++) {
			k = TAILQ_FIRST(gone);
			TAILQ_REMOVE(gone, k, entry);
			key_free(k);
		}
	}
}

static void
cache_add(struct keyring *r, struct key *k)
{
	struct key	*idle;

	if (r->conf->secret_cache_ttl == 0)
		return;
	while (r->cache.n >= r->conf->secret_cache_max) {
		if ((idle = keycache_idle(&r->cache)) == NULL)
			return;		/* all are in use */
		cache_drop(r, &r->gone, idle);
	}
	keycache_add(&r->cache, k);
	cache_arm(r);
}

static void
cache_arm(struct keyring *r)
{
	struct key	*k = keycache_next(&r->cache);

	boottimer_set(r->evict, k == NULL ? 0 : k->expires);
}

static void
cache_expire(void *arg)
{
	struct keys	 gone = TAILQ_HEAD_INITIALIZER(gone);
	struct keyring	*r = arg;
	struct key	*k;
	int64_t		 now = bootclock_now();

	/* Nobody holds a key between two turns of the loop. */

	while ((k = keycache_next(&r->cache)) != NULL && k->expires <= now)
		cache_drop(r, &gone, k);
	cache_arm(r);
	cache_tell(r, &gone, "time to live over");
}

enum proto_code
keyring_get(struct keyring *r, const char *profile, struct key **out,
    struct key_accesses *acc, char *err, size_t errlen)
{
	struct secret_facts	 facts;
	struct key		*k;
	const char		*errstr;
	uint8_t			*plain, *layer1;
	size_t			 len;
	enum proto_code		 code;

	*out = NULL;
	if (!usable(r, err, errlen))
		return CODE_LOCKED;
	if (profile == NULL)
		profile = r->conf->active_profile;
	if ((k = keycache_find(&r->cache, profile, &at_account)) != NULL) {
		if (k->expires > bootclock_now()) {
			keycache_touch(&r->cache, k);
			if (acc != NULL && acc->n < KEYRING_MAX_ACCESS) {
				(void)strlcpy(acc->a[acc->n].name, k->ref,
				    NAME_BUF);
				acc->a[acc->n].backend = k->backend;
				acc->a[acc->n++].cached = true;
			}
			k->held++;
			*out = k;
			return CODE_NONE;
		}
		cache_expire(r);	/* before its timer could */
	}
	if ((k = key_new()) == NULL) {
		snprintf(err, errlen, "the secret arena is full");
		return CODE_INTERNAL;
	}
	if (open_plain(&r->file, &plain, &len, &layer1, &errstr) == -1) {
		snprintf(err, errlen, "%s", errstr);
		key_free(k);
		return CODE_INTERNAL;
	}
	(void)strlcpy(k->profile, profile, sizeof(k->profile));
	code = derive_key(r->conf, plain, len, layer1, profile, k, acc,
	    &facts, err, errlen);
	if (code == CODE_NONE && strcmp(profile, r->conf->active_profile) == 0)
		code = keyring_rules(r, &facts, NULL, err, errlen);
	secmem_free(plain);
	secmem_free(layer1);
	stack_scrub();
	if (code != CODE_NONE) {
		key_free(k);
		return code;
	}
	k->expires = bootclock_now() +
	    (int64_t)r->conf->secret_cache_ttl * NS_PER_S;
	k->held++;
	cache_add(r, k);
	*out = k;
	return CODE_NONE;
}

enum proto_code
keyring_below(struct keyring *r, const struct key *account,
    const struct bip32_steps *below, struct key **out, char *err,
    size_t errlen)
{
	struct key	*k;

	*out = NULL;
	k = keycache_find(&r->cache, account->profile, below);
	if (k != NULL && k->expires <= bootclock_now()) {
		cache_drop(r, &r->gone, k);
		k = NULL;
	}
	if (k != NULL)
		keycache_touch(&r->cache, k);
	else {
		if ((k = key_new()) == NULL ||
		    derive_below(account, below, k) == -1) {
			key_free(k);
			snprintf(err, errlen, "no key can be derived at this "
			    "path, or the secret arena is full");
			return CODE_INTERNAL;
		}
		k->expires = account->expires;
		cache_add(r, k);
	}
	k->held++;
	*out = k;
	return CODE_NONE;
}

void
keyring_put(struct keyring *r, struct key *k)
{
	bool	 last;

	stack_scrub();
	if (k == NULL)
		return;
	last = k->below.n == 0;		/* the account's, after those below */
	if (--k->held == 0 && !k->listed)
		key_free(k);
	if (last)
		cache_tell(r, &r->gone, "least recently used");
}

enum proto_code
keyring_list(struct keyring *r, struct pool *pool, struct msg_key_list *m,
    char *err, size_t errlen)
{
	struct isec_entry	 e;
	struct key_entry_info	*info;
	enum secret_kind	 kind;
	const char		*errstr;
	uint8_t			*plain, *layer1;
	size_t			 len, pos = 0;
	unsigned		 version;
	char			 profile[10];
	enum proto_code		 code = CODE_NONE;

	memset(m, 0, sizeof(*m));
	if (!usable(r, err, errlen))
		return CODE_LOCKED;
	if (open_plain(&r->file, &plain, &len, &layer1, &errstr) == -1) {
		snprintf(err, errlen, "%s", errstr);
		return CODE_INTERNAL;
	}
	m->key = pool_alloc(pool, isec_count(plain, len) + 1,
	    sizeof(*m->key));
	if (m->key != NULL && r->conf->key_type == KEY_HD_MNEMONIC &&
	    r->conf->encrypted_mnemonics.n > 0) {
		info = &m->key[m->n++];
		info->key_ref = bytes_str(KEY_REF_CONFIG);
		info->profile = bytes_str(r->conf->active_profile);
		info->hd = info->active = true;
	}
	while (m->key != NULL && isec_next(plain, len, &pos, &e)) {
		if (!secret_name_parse(e.name, e.namelen, &kind, profile,
		    &version) || version != 1 || m->n >= 4096)
			continue;
		if (kind != (r->conf->key_type == KEY_RAW_PRIVATE ?
		    SECRET_KIND_PRIVATE_KEY : SECRET_KIND_MNEMONIC))
			continue;
		info = &m->key[m->n++];
		info->key_ref.p = pool_dup(pool, e.name, e.namelen);
		info->key_ref.len = e.namelen;
		info->profile.p = pool_dup(pool, profile, strlen(profile));
		info->profile.len = strlen(profile);
		info->hd = kind == SECRET_KIND_MNEMONIC;
		info->active = strcmp(profile, r->conf->active_profile) == 0;
		if (info->key_ref.p == NULL || info->profile.p == NULL)
			m->key = NULL;
	}
	if (m->key == NULL) {
		snprintf(err, errlen, "out of memory");
		code = CODE_INTERNAL;
	}
	secmem_free(plain);
	secmem_free(layer1);
	stack_scrub();
	return code;
}
