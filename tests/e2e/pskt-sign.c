/*
 * Signs as the daemons do, for tests/interop/pskt.mjs: signd's parser, the
 * message to keyd and back, keyd's sighash and curve, signd's splicing.
 *
 *   pskt-sign     lines "KEY[,KEY…] DOCUMENT": secret keys in hex, a PSKT as a
 *                 JSON object on one line; each key signs every input whose
 *                 script has it.  Prints the document, or "error: why".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "kaspa.h"
#include "log.h"
#include "messages.h"
#include "keyd/curve.h"
#include "signd/pskt.h"

#define MAX_KEYS	20

struct key {
	secp256k1_keypair	 pair;
	uint8_t			 pub[33];
};

static size_t	read_keys(const char *, size_t, struct key *);
static int	through_wire(struct pool *, const struct pskt *, struct tx *);
static size_t	sign_all(const struct tx *, const struct key *, size_t,
		    struct pskt_new_sig *);
static const char *sign_line(struct pool *, char *);

static size_t
read_keys(const char *text, size_t len, struct key *key)
{
	uint8_t	 secret[32];
	size_t	 n;

	for (n = 0; n < MAX_KEYS && len >= 64; n++) {
		if (pskt_unhex((const uint8_t *)text, 64, secret) == -1 ||
		    curve_keypair(secret, &key[n].pair, key[n].pub) == -1)
			return 0;
		text += len > 64 ? 65 : 64;
		len -= len > 64 ? 65 : 64;
	}
	return len == 0 ? n : 0;
}

/* As keyd gets it. */
static int
through_wire(struct pool *pool, const struct pskt *p, struct tx *tx)
{
	struct msg_sign_req	 m, got;
	struct enc		 e;
	struct tx		 one = p->tx;
	uint8_t			*copy;
	size_t			 len;
	int			 rc = -1;

	memset(&m, 0, sizeof(m));
	m.n = 1;
	m.tx = &one;
	enc_init(&e);
	enc_sign_req(&e, &m);
	len = e.len;
	if (!e.failed && (copy = pool_dup(pool, e.buf, len)) != NULL &&
	    dec_sign_req(copy, len, pool, &got) == 0) {
		*tx = got.tx[0];
		rc = 0;
	}
	enc_free(&e);
	return rc;
}

static bool
has_key(const struct bytes *script, const uint8_t xonly[32])
{
	return script->len >= 32 && memmem(script->p, script->len, xonly,
	    32) != NULL;
}

static size_t
sign_all(const struct tx *tx, const struct key *key, size_t nkey,
    struct pskt_new_sig *sig)
{
	struct sighash_cache	 cache;
	uint8_t			 hash[32];
	size_t			 i, k, n = 0;

	sighash_cache_init(&cache);
	for (i = 0; i < tx->nin; i++)
		for (k = 0; k < nkey; k++) {
			if (!has_key(tx->in[i].redeem.len != 0 ?
			    &tx->in[i].redeem : &tx->in[i].spk.script,
			    key[k].pub + 1))
				continue;
			sig[n].pskt = 0;
			sig[n].input = i;
			memcpy(sig[n].key, key[k].pub, 33);
			if (sighash_schnorr(tx, i, tx->in[i].sighash_type,
			    &cache, hash) == -1 ||
			    curve_sign(&key[k].pair, hash,
			    sig[n].sig) == -1)
				return 0;
			n++;
		}
	return n;
}

/* The document signed, or NULL after saying why not. */
static const char *
sign_line(struct pool *pool, char *line)
{
	static struct key	 key[MAX_KEYS];
	struct pskt_new_sig	*sig;
	struct pskt_error	 e;
	struct pskt_doc		 doc;
	struct bytes		 out;
	struct tx		 tx;
	struct json		*v;
	char			 err[256], *text;
	size_t			 len = strcspn(line, " "), nkey, n;

	if ((nkey = read_keys(line, len, key)) == 0 || line[len] == '\0')
		return "error: keys";
	text = line + len + 1;
	if ((v = json_parse(pool, text, strlen(text), err,
	    sizeof(err))) == NULL)
		return pool_printf(pool, "error: %s", err);
	if (pskt_parse(pool, NULL, text, v, &doc, &e) == -1)
		return pool_printf(pool, "error: %s", e.message);
	if (through_wire(pool, &doc.pskt[0], &tx) == -1 ||
	    (sig = pool_alloc(pool, tx.nin * nkey, sizeof(*sig))) == NULL)
		return "error: message to keyd";
	n = sign_all(&tx, key, nkey, sig);
	if (n == 0 || pskt_emit(pool, &doc, sig, n, &out) == -1)
		return "error: signing";
	return pool_strndup(pool, (const char *)out.p, out.len);
}

int
main(void)
{
	struct pool	 pool;
	const char	*out;
	char		*line = NULL;
	size_t		 cap = 0;
	ssize_t		 len;

	log_init("pskt-sign", 0);
	if (sodium_init() == -1 || curve_init() == -1)
		fatalx("cannot start");
	while ((len = getline(&line, &cap, stdin)) != -1) {
		if (len > 0 && line[len - 1] == '\n')
			line[len - 1] = '\0';
		pool_init(&pool, 0);
		if ((out = sign_line(&pool, line)) == NULL)
			fatalx("out of memory");
		puts(out);
		pool_free(&pool);
	}
	free(line);
	curve_free();
	return 0;
}
