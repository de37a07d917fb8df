/* What igra-coord says: to people on stderr, to machines as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coord.h"
#include "json.h"
#include "log.h"

static const char *result_name(enum coord_result);
static void	 put_signer(struct json_out *, const struct coord_signer *);
static void	 put_audit(struct json_out *, const struct coord_signer *);
static void	 put_signatures(struct json_out *, const struct coord_doc *);
static void	 put_ids(struct json_out *, const struct coord_doc *);
static void	 put_raw(struct json_out *, const char *, struct bytes);
static void	 put_witness(struct json_out *, const struct coord *);

void
coord_escape(char *out, size_t size, const void *text, size_t len, size_t max)
{
	const uint8_t	*p = text;
	size_t		 at = strlen(out), i;
	int		 n;

	for (i = 0; i < len && i < max; i++) {
		if (p[i] >= 0x20 && p[i] < 0x7f && p[i] != '\\')
			n = snprintf(out + at, size - at, "%c", p[i]);
		else
			n = snprintf(out + at, size - at, "\\x%02x", p[i]);
		if (n < 0 || (size_t)n >= size - at) {
			out[at] = '\0';
			return;
		}
		at += (size_t)n;
	}
	if (i < len)
		(void)strlcat(out, "...", size);
}

static const char *
result_name(enum coord_result r)
{
	switch (r) {
	case COORD_PENDING:
		return "not_needed";
	case COORD_SIGNED:
		return "signed";
	case COORD_DUPLICATE:
		return "duplicate";
	case COORD_REFUSED:
		return "refused";
	case COORD_FAILED:
		return "failed";
	case COORD_LIED:
		return "lied";
	}
	return "failed";
}

void
coord_tell(const struct coord_signer *s)
{
	char	 path[4 * 128] = "", key[65] = "unknown key";

	coord_escape(path, sizeof(path), s->path, strlen(s->path), 128);
	if (s->have_key) {
		pskt_hex(s->key, sizeof(s->key), key);
		key[64] = '\0';
	}
	if (s->result == COORD_LIED)
		log_alert("%s: %s: %s", path, key, s->what);
	else
		log_info("%s: %s: %s", path, key, s->what);
}

char *
coord_json(const struct coord *c, size_t *len)
{
	struct json_out	 o;
	const char	*text;
	char		*copy = NULL;
	size_t		 i;

	if (json_out_init(&o, 0) == -1)
		return NULL;
	json_out_begin_object(&o);
	json_put_bool(&o, "complete", coord_doc_complete(&c->doc));
	json_put_string(&o, "request_id", c->request_id);
	json_out_key(&o, "signers");
	json_out_begin_array(&o);
	for (i = 0; i < c->n; i++)
		put_signer(&o, &c->signer[i]);
	json_out_end_array(&o);
	json_out_key(&o, "signatures");
	put_signatures(&o, &c->doc);
	put_ids(&o, &c->doc);
	put_raw(&o, "pskt", c->pskt);
	put_raw(&o, "transaction", c->transaction);
	json_out_key(&o, "witness");
	put_witness(&o, c);
	json_out_end_object(&o);
	if ((text = json_out_text(&o, len)) != NULL &&
	    (copy = malloc(*len + 2)) != NULL) {
		memcpy(copy, text, *len);
		copy[(*len)++] = '\n';
		copy[*len] = '\0';
	}
	json_out_free(&o);
	return copy;
}

static void
put_signer(struct json_out *o, const struct coord_signer *s)
{
	json_out_begin_object(o);
	json_put_string(o, "socket", s->path);
	json_put_hex_or_null(o, "public_key", s->key, s->have_key ? 32 : 0);
	json_put_string(o, "result", result_name(s->result));
	json_put_string_or_null(o, "code", s->code);
	json_put_string(o, "message", s->what);
	json_put_u64(o, "inputs", s->inputs);
	json_out_key(o, "audit");
	put_audit(o, s);
	json_out_end_object(o);
}

static void
put_audit(struct json_out *o, const struct coord_signer *s)
{
	if (!s->have_audit) {
		json_out_null(o);
		return;
	}
	json_out_begin_object(o);
	json_put_u64(o, "seq", s->audit.seq);
	json_put_hex(o, "head", s->audit.head, sizeof(s->audit.head));
	json_out_end_object(o);
}

/* All that are valid, those that came with the document as well. */
static void
put_signatures(struct json_out *o, const struct coord_doc *d)
{
	const struct coord_input	*in;
	size_t				 i, k;
	unsigned			 j;

	json_out_begin_array(o);
	for (i = 0; i < d->n; i++)
		for (k = 0; k < d->tx[i].nin; k++) {
			in = &d->tx[i].in[k];
			for (j = 0; j < in->n; j++) {
				if (!in->slot[j].have)
					continue;
				json_out_begin_object(o);
				json_put_u64(o, "pskt", i);
				json_put_u64(o, "input", k);
				json_out_key(o, "public_key");
				json_out_hex(o, in->slot[j].key, 32);
				json_out_key(o, "signature");
				json_out_hex(o, in->slot[j].sig, 64);
				json_out_end_object(o);
			}
		}
	json_out_end_array(o);
}

static void
put_ids(struct json_out *o, const struct coord_doc *d)
{
	size_t	 i;

	if (d->doc.form != PSKT_FORM_PSKB) {
		json_put_hex(o, "transaction_id", d->tx[0].id, TX_ID_LEN);
		return;
	}
	json_out_key(o, "transaction_ids");
	json_out_begin_array(o);
	for (i = 0; i < d->n; i++)
		json_out_hex(o, d->tx[i].id, TX_ID_LEN);
	json_out_end_array(o);
}

static void
put_raw(struct json_out *o, const char *name, struct bytes v)
{
	json_out_key(o, name);
	if (v.len == 0)
		json_out_null(o);
	else
		json_out_raw(o, (const char *)v.p, v.len);
}

static void
put_witness(struct json_out *o, const struct coord *c)
{
	char	 key[65];
	size_t	 i;

	if (!c->have_witness) {
		json_out_null(o);
		return;
	}
	json_out_begin_object(o);
	for (i = 0; i < c->witness.n; i++) {
		pskt_hex(c->witness.head[i].key, 32, key);
		key[64] = '\0';
		json_out_key(o, key);
		json_out_begin_object(o);
		json_put_u64(o, "seq", c->witness.head[i].seq);
		json_put_hex(o, "head", c->witness.head[i].head, 32);
		json_out_end_object(o);
	}
	json_out_end_object(o);
}
