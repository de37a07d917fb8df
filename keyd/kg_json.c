/* The JSON of devnet-keygen; see kg_out.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "json.h"
#include "kg_out.h"

static int	begin(struct json_out *);
static void	finish(struct kg_text *, struct json_out *);
static void	hex(struct json_out *, const char *, const void *, size_t);
static void	signer(struct json_out *, const struct kg_set *,
		    const struct kg_signer *, enum kaspa_network);
static void	group(struct json_out *, const struct kg_group *);
static void	group_id(struct json_out *, const struct kg_group *);
static void	wallet(struct json_out *, const struct kg_wallet *);
static void	devnet(struct json_out *, const struct kg_set *);

/*
 * The writer's own buffer is plain memory that moves as it grows.  Here it
 * gets one that is locked and large enough, and a limit so that it stays.
 */
static int
begin(struct json_out *o)
{
	char	*buf;

	if ((buf = sodium_malloc(KG_TEXT_MAX)) == NULL)
		return -1;
	if (json_out_init(o, KG_TEXT_MAX - 1) == -1) {
		sodium_free(buf);
		return -1;
	}
	free(o->buf);
	o->buf = buf;
	o->cap = KG_TEXT_MAX;
	json_out_begin_object(o);
	return 0;
}

static void
finish(struct kg_text *t, struct json_out *o)
{
	const char	*text;

	json_out_end_object(o);
	if ((text = json_out_text(o, NULL)) == NULL)
		t->failed = true;
	else {
		kg_text_add(t, text);
		kg_text_add(t, "\n");
	}
	sodium_free(o->buf);
	o->buf = NULL;
	json_out_free(o);
}

/* json_out_hex() makes its digits in memory that nobody wipes. */
static void
hex(struct json_out *o, const char *key, const void *p, size_t len)
{
	char	 text[2 * MULTISIG_MAX_SCRIPT + 1];

	json_out_key(o, key);
	if (len > MULTISIG_MAX_SCRIPT) {
		o->failed = true;
		return;
	}
	(void)sodium_bin2hex(text, sizeof(text), p, len);
	json_out_stringn(o, text, 2 * len);
	sodium_memzero(text, 2 * len);
}

static void
signer(struct json_out *o, const struct kg_set *set, const struct kg_signer *s,
    enum kaspa_network net)
{
	char	 address[ADDRESS_MAX];

	kg_member_address(net, s->pub, address);
	json_out_begin_object(o);
	json_put_string(o, "profile", s->profile);
	switch (set->type) {
	case KG_HD:
		json_put_string(o, "mnemonic", s->phrase);
		break;
	case KG_RAW:
		hex(o, "private_key_hex", s->key, sizeof(s->key));
		break;
	}
	hex(o, "iroh_seed_hex", s->iroh_seed, sizeof(s->iroh_seed));
	json_put_string(o, "iroh_peer_id", s->iroh_peer_id);
	hex(o, "iroh_pubkey_hex", s->iroh_pub, sizeof(s->iroh_pub));
	hex(o, "pubkey_hex", s->pub, sizeof(s->pub));
	json_put_string(o, "address", address);
	json_put_string(o, "derivation_path", "");
	json_out_end_object(o);
}

/* From signer_addresses to change_address. */
static void
group(struct json_out *o, const struct kg_group *g)
{
	char		 address[ADDRESS_MAX], x[65];
	unsigned	 i;

	json_out_key(o, "signer_addresses");
	json_out_begin_array(o);
	for (i = 0; i < g->n; i++) {
		kg_member_address(g->network, g->member[i].key, address);
		json_out_string(o, address);
	}
	json_out_end_array(o);
	json_out_key(o, "member_pubkeys");
	json_out_begin_array(o);
	for (i = 0; i < g->n; i++) {
		(void)sodium_bin2hex(x, sizeof(x), g->member[i].key + 1, 32);
		json_out_string(o, x);
	}
	json_out_end_array(o);
	hex(o, "redeem_script_hex", g->redeem, g->redeemlen);
	json_out_key(o, "source_addresses");
	json_out_begin_array(o);
	json_out_string(o, g->address);
	json_out_end_array(o);
	json_put_string(o, "change_address", g->address);
}

static void
group_id(struct json_out *o, const struct kg_group *g)
{
	hex(o, "group_id", g->id, sizeof(g->id));
	json_put_string(o, "multisig_address", g->address);
}

static void
wallet(struct json_out *o, const struct kg_wallet *w)
{
	char	 address[ADDRESS_MAX];

	kg_member_address(KASPA_DEVNET, w->pub, address);
	json_out_key(o, "wallet");
	json_out_begin_object(o);
	json_put_string(o, "mnemonic", w->phrase);
	json_put_string(o, "password", kaspa_network_name(KASPA_DEVNET));
	json_put_string(o, "name", kaspa_network_name(KASPA_DEVNET));
	json_put_string(o, "mining_address", address);
	hex(o, "private_key_hex", w->key, sizeof(w->key));
	json_out_end_object(o);
}

static void
devnet(struct json_out *o, const struct kg_set *set)
{
	const struct kg_validator	*v;
	unsigned			 i;

	json_out_key(o, "hyperlane_keys");
	json_out_begin_array(o);
	for (i = 0; i < set->nvalidators; i++) {
		v = &set->validator[i];
		json_out_begin_object(o);
		json_put_string(o, "name", v->name);
		hex(o, "private_key_hex", v->key, sizeof(v->key));
		hex(o, "public_key_hex", v->pub, sizeof(v->pub));
		json_out_end_object(o);
	}
	json_out_end_array(o);
	json_out_key(o, "evm");
	json_out_begin_object(o);
	json_put_string(o, "mnemonic", KG_EVM_PHRASE);
	hex(o, "private_key_hex", set->evm.key, sizeof(set->evm.key));
	hex(o, "public_key_uncompressed_hex", set->evm.pub,
	    sizeof(set->evm.pub));
	json_put_string(o, "address_hex", KG_EVM_ADDRESS);
	json_put_u64(o, "chain_id", KG_EVM_CHAIN_ID);
	json_out_end_object(o);
}

void
kg_json_set(struct kg_text *t, const struct kg_set *set,
    const struct kg_group *g)
{
	struct json_out	 o;
	unsigned	 i;

	if (begin(&o) == -1) {
		t->failed = true;
		return;
	}
	if (set->devnet)
		wallet(&o, &set->wallet);
	json_out_key(&o, "signers");
	json_out_begin_array(&o);
	for (i = 0; i < set->n; i++)
		signer(&o, set, &set->signer[i], g->network);
	json_out_end_array(&o);
	group(&o, g);
	if (set->devnet)
		devnet(&o, set);
	group_id(&o, g);
	finish(t, &o);
}

void
kg_json_one(struct kg_text *t, const struct kg_set *set,
    enum kaspa_network net)
{
	struct json_out	 o;

	if (begin(&o) == -1) {
		t->failed = true;
		return;
	}
	json_out_key(&o, "signer");
	signer(&o, set, &set->signer[0], net);
	finish(t, &o);
}

void
kg_json_public(struct kg_text *t, const struct kg_group *g)
{
	struct json_out	 o;
	char		 text[ADDRESS_MAX];
	unsigned	 i;

	if (begin(&o) == -1) {
		t->failed = true;
		return;
	}
	json_out_key(&o, "signers");
	json_out_begin_array(&o);
	for (i = 0; i < g->n; i++) {
		json_out_begin_object(&o);
		(void)snprintf(text, sizeof(text), "signer-%02u", i + 1);
		json_put_string(&o, "profile", text);
		/* As much of the key as was given. */
		hex(&o, "pubkey_hex", g->member[i].key + g->member[i].xonly,
		    33U - g->member[i].xonly);
		kg_member_address(g->network, g->member[i].key, text);
		json_put_string(&o, "address", text);
		json_out_end_object(&o);
	}
	json_out_end_array(&o);
	group(&o, g);
	group_id(&o, g);
	finish(t, &o);
}
