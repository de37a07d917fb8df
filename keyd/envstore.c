#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "envstore.h"
#include "log.h"
#include "secmem.h"
#include "validate.h"
#include "walletcrypt.h"

#define VALUE_MAX	4096

extern char	**environ;

static void	put_u64(uint8_t *, uint64_t);
static bool	put_secret(struct isec_plain *, const char *, const uint8_t *,
		    size_t);
static void	collect(struct isec_plain *);
static int	seal(const struct isec_plain *, struct msg_unlock *,
		    uint8_t **, size_t *, const char **);

/*
 * The namespace's _ are dots and so is each further __; the name keeps its
 * _, but for the one in a profile, which stands for a hyphen.
 */
int
envstore_name(const char *var, size_t len, char *out)
{
	size_t	 i, n = 0, plen = strlen(ENVSTORE_PREFIX);
	bool	 in_namespace = true;
	char	*p;

	if (len <= plen || len >= NAME_BUF + plen ||
	    strncmp(var, ENVSTORE_PREFIX, plen) != 0)
		return -1;
	for (i = plen; i < len; i++) {
		if (var[i] == '_' && i + 1 < len && var[i + 1] == '_') {
			out[n++] = '.';
			in_namespace = false;
			i++;
		} else
			out[n++] = var[i] == '_' && in_namespace ? '.' :
			    var[i];
	}
	out[n] = '\0';
	if (in_namespace || n == 0)
		return -1;
	if (n >= 10 && (p = out + n - 10)[0] == '_' &&
	    strncmp(p + 1, "signer_", 7) == 0)
		p[7] = '-';
	return secret_name_valid(out, n) ? 0 : -1;
}

ssize_t
envstore_value(const char *value, uint8_t *out, size_t max)
{
	size_t	 len = strlen(value), n = 0;

	if (strncmp(value, "hex:", 4) == 0) {
		if (sodium_hex2bin(out, max, value + 4, len - 4, NULL, &n,
		    NULL) != 0 || n * 2 != len - 4)
			return -1;
	} else if (strncmp(value, "b64:", 4) == 0) {
		if (sodium_base642bin(out, max, value + 4, len - 4, NULL, &n,
		    NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
			return -1;
	} else {
		if (len > max)
			return -1;
		memcpy(out, value, n = len);
	}
	return n == 0 ? -1 : (ssize_t)n;
}

static void
put_u64(uint8_t *p, uint64_t v)
{
	int	 i;

	for (i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static bool
put_secret(struct isec_plain *p, const char *name, const uint8_t *val,
    size_t len)
{
	size_t		 namelen = strlen(name);
	const uint8_t	*there;
	size_t		 n;

	if (isec_find(p->buf, p->len, name, &there, &n) ||
	    16 + namelen + len > p->cap - p->len)
		return false;
	put_u64(p->buf + p->len, namelen);
	memcpy(p->buf + p->len + 8, name, namelen);
	put_u64(p->buf + p->len + 8 + namelen, len);
	memcpy(p->buf + p->len + 16 + namelen, val, len);
	p->len += 16 + namelen + len;
	put_u64(p->buf, isec_count(p->buf, p->len) + 1);
	return true;
}

static void
collect(struct isec_plain *p)
{
	char		 name[NAME_BUF], *eq;
	uint8_t		*val;
	ssize_t		 n;
	size_t		 i, len;
	bool		 wallet;

	if ((val = secmem_alloc(VALUE_MAX)) == NULL)
		return;
	for (i = 0; environ != NULL && environ[i] != NULL; i++) {
		if ((eq = strchr(environ[i], '=')) == NULL)
			continue;
		len = (size_t)(eq - environ[i]);
		wallet = len == strlen(ENVSTORE_WALLET) &&
		    strncmp(environ[i], ENVSTORE_WALLET, len) == 0;
		if (!wallet && strncmp(environ[i], ENVSTORE_PREFIX,
		    strlen(ENVSTORE_PREFIX)) != 0)
			continue;
		if (wallet)
			(void)strlcpy(name, SECRET_WALLET, sizeof(name));
		if ((!wallet && envstore_name(environ[i], len, name) == -1) ||
		    (n = envstore_value(eq + 1, val, VALUE_MAX)) == -1 ||
		    !put_secret(p, name, val, (size_t)n))
			log_warning("the variable %.*s is malformed or there "
			    "twice and is skipped", (int)len, environ[i]);
		sodium_memzero(val, VALUE_MAX);
	}
	secmem_free(val);
}

/* Under a key made for this once: from here on it is a file like any other. */
static int
seal(const struct isec_plain *p, struct msg_unlock *m, uint8_t **file,
    size_t *len, const char **errstr)
{
	struct isec_header	 h;
	const uint8_t		*wallet;
	size_t			 walletlen;

	randombytes_buf(m->file_key, sizeof(m->file_key));
	if (isec_find(p->buf, p->len, SECRET_WALLET, &wallet, &walletlen)) {
		if (walletcrypt_key(wallet, walletlen, m->layer1_key,
		    errstr) == -1)
			return -1;
		m->has_layer1 = true;
	}
	if (isec_header_init(&h, ISEC_DEFAULT_M, ISEC_DEFAULT_T,
	    ISEC_DEFAULT_P, errstr) == -1)
		return -1;
	isec_new_salt(&h);
	return isec_seal(&h, m->file_key, p, file, len, errstr);
}

int
envstore_unlock(struct keyd *k, char *err, size_t errlen)
{
	struct key_accesses	 acc = { 0 };
	struct isec_plain	 p;
	struct msg_unlock	*m;
	const char		*errstr = "the secret arena is full";
	uint8_t			*file = NULL;
	size_t			 len;
	enum proto_code		 code = CODE_INTERNAL;

	/* Half: the staged file is opened beside it. */
	p.cap = (size_t)k->d.conf->secrets_file_max / 2;
	p.len = ISEC_COUNT_LEN;
	p.buf = secmem_alloc(p.cap);
	m = secmem_alloc(sizeof(*m));
	if (p.buf == NULL || m == NULL)
		goto fail;
	collect(&p);
	env_wipe_secrets();
	if (seal(&p, m, &file, &len, &errstr) == -1)
		goto fail;
	secmem_free(p.buf);
	p.buf = NULL;
	code = keyring_stage(&k->ring, file, len, m, k->pub, k->key_ref, &acc,
	    err, errlen);
	if (code == CODE_NONE) {
		keyring_commit(&k->ring);
		k->has_pub = true;
	}
	goto out;
fail:
	snprintf(err, errlen, "%s", errstr);
out:
	env_wipe_secrets();
	secmem_free(p.buf);
	secmem_free(m);
	return code == CODE_NONE ? 0 : -1;
}
