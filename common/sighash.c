#include <string.h>

#include <sodium.h>

#include "blake3.h"
#include "kaspa.h"

#define SIGHASH_KEY	"TransactionSigningHash"
#define TX_ID_KEY	"TransactionID"
#define TX_V1_ID_KEY	"TransactionV1Id"
#define TX_REST_KEY	"TransactionRest"
#define PAYLOAD_KEY	"PayloadDigest"

#define HAVE_PREVOUTS		0x01
#define HAVE_SEQUENCES		0x02
#define HAVE_SIGOPCOUNTS	0x04
#define HAVE_OUTPUTS		0x08
#define HAVE_PAYLOAD		0x10

/* One encoding goes into either function: the id of version 1 is BLAKE3. */
struct hasher {
	bool				 is_blake3;
	union {
		crypto_generichash_state blake2b;
		struct blake3		 blake3;
	};
};

static void	 begin_blake2b(struct hasher *, const char *);
static void	 begin_blake3(struct hasher *, const char *);
static void	 add(struct hasher *, const void *, size_t);
static void	 add_uint(struct hasher *, uint64_t, unsigned);
static void	 add_u8(struct hasher *, uint8_t);
static void	 add_u16(struct hasher *, uint16_t);
static void	 add_u32(struct hasher *, uint32_t);
static void	 add_u64(struct hasher *, uint64_t);
static void	 add_bytes(struct hasher *, const struct bytes *);
static void	 add_outpoint(struct hasher *, const struct outpoint *);
static void	 add_output(struct hasher *, const struct tx *,
		    const struct tx_output *);
static void	 finish(struct hasher *, uint8_t [32]);

static const uint8_t	*prevouts(const struct tx *, uint8_t,
			    struct sighash_cache *);
static const uint8_t	*sequences(const struct tx *, uint8_t,
			    struct sighash_cache *);
static const uint8_t	*sigopcounts(const struct tx *, uint8_t,
			    struct sighash_cache *);
static const uint8_t	*outputs(const struct tx *, size_t, uint8_t,
			    struct sighash_cache *, uint8_t [32]);
static const uint8_t	*payload(const struct tx *, struct sighash_cache *);
static void		 add_id_fields(struct hasher *, const struct tx *, bool);

static const uint8_t	 zeros[32];

/* Keys are the ASCII names: as they are for BLAKE2b, 32 bytes for BLAKE3. */
static void
begin_blake2b(struct hasher *h, const char *name)
{
	h->is_blake3 = false;
	(void)crypto_generichash_init(&h->blake2b, (const uint8_t *)name,
	    strlen(name), 32);
}

static void
begin_blake3(struct hasher *h, const char *name)
{
	uint8_t	 key[BLAKE3_KEY_LEN] = { 0 };

	h->is_blake3 = true;
	memcpy(key, name, strlen(name));
	blake3_init_keyed(&h->blake3, key);
}

static void
add(struct hasher *h, const void *p, size_t len)
{
	if (len == 0)
		return;
	if (h->is_blake3)
		blake3_update(&h->blake3, p, len);
	else
		(void)crypto_generichash_update(&h->blake2b, p, len);
}

static void
add_uint(struct hasher *h, uint64_t v, unsigned len)
{
	uint8_t		 le[8];
	unsigned	 i;

	for (i = 0; i < len; i++)
		le[i] = (uint8_t)(v >> (8 * i));
	add(h, le, len);
}

static void
add_u8(struct hasher *h, uint8_t v)
{
	add_uint(h, v, 1);
}

static void
add_u16(struct hasher *h, uint16_t v)
{
	add_uint(h, v, 2);
}

static void
add_u32(struct hasher *h, uint32_t v)
{
	add_uint(h, v, 4);
}

static void
add_u64(struct hasher *h, uint64_t v)
{
	add_uint(h, v, 8);
}

static void
add_bytes(struct hasher *h, const struct bytes *b)
{
	add_u64(h, b->len);
	add(h, b->p, b->len);
}

static void
add_outpoint(struct hasher *h, const struct outpoint *o)
{
	add(h, o->txid, sizeof(o->txid));
	add_u32(h, o->index);
}

static void
add_output(struct hasher *h, const struct tx *tx, const struct tx_output *o)
{
	add_u64(h, o->value);
	add_u16(h, o->spk.version);
	add_bytes(h, &o->spk.script);
	if (tx->version < 1)
		return;
	add_u8(h, o->has_covenant ? 1 : 0);
	if (o->has_covenant) {
		add_u16(h, o->authorizing_input);
		add(h, o->covenant_id, sizeof(o->covenant_id));
	}
}

static void
finish(struct hasher *h, uint8_t out[32])
{
	if (h->is_blake3)
		blake3_final(&h->blake3, out);
	else
		(void)crypto_generichash_final(&h->blake2b, out, 32);
}

void
sighash_cache_init(struct sighash_cache *c)
{
	memset(c, 0, sizeof(*c));
}

bool
sighash_type_valid(uint8_t type)
{
	uint8_t	 base = (uint8_t)(type & ~SIGHASH_ANYONECANPAY);

	return base == SIGHASH_ALL || base == SIGHASH_NONE ||
	    base == SIGHASH_SINGLE;
}

static const uint8_t *
prevouts(const struct tx *tx, uint8_t type, struct sighash_cache *c)
{
	struct hasher	 h;
	size_t		 i;

	if (type & SIGHASH_ANYONECANPAY)
		return zeros;
	if ((c->have & HAVE_PREVOUTS) == 0) {
		begin_blake2b(&h, SIGHASH_KEY);
		for (i = 0; i < tx->nin; i++)
			add_outpoint(&h, &tx->in[i].outpoint);
		finish(&h, c->prevouts);
		c->have |= HAVE_PREVOUTS;
	}
	return c->prevouts;
}

static const uint8_t *
sequences(const struct tx *tx, uint8_t type, struct sighash_cache *c)
{
	struct hasher	 h;
	size_t		 i;

	if (type != SIGHASH_ALL)
		return zeros;
	if ((c->have & HAVE_SEQUENCES) == 0) {
		begin_blake2b(&h, SIGHASH_KEY);
		for (i = 0; i < tx->nin; i++)
			add_u64(&h, tx->in[i].sequence);
		finish(&h, c->sequences);
		c->have |= HAVE_SEQUENCES;
	}
	return c->sequences;
}

static const uint8_t *
sigopcounts(const struct tx *tx, uint8_t type, struct sighash_cache *c)
{
	struct hasher	 h;
	size_t		 i;

	if (type & SIGHASH_ANYONECANPAY)
		return zeros;
	if ((c->have & HAVE_SIGOPCOUNTS) == 0) {
		begin_blake2b(&h, SIGHASH_KEY);
		for (i = 0; i < tx->nin; i++)
			add_u8(&h, tx->in[i].sig_op_count);
		finish(&h, c->sigopcounts);
		c->have |= HAVE_SIGOPCOUNTS;
	}
	return c->sigopcounts;
}

/* single: where the hash of the one output of SINGLE goes. */
static const uint8_t *
outputs(const struct tx *tx, size_t i, uint8_t type, struct sighash_cache *c,
    uint8_t single[32])
{
	struct hasher	 h;
	size_t		 o;

	type = (uint8_t)(type & ~SIGHASH_ANYONECANPAY);
	if (type == SIGHASH_NONE || (type == SIGHASH_SINGLE && i >= tx->nout))
		return zeros;
	if (type == SIGHASH_SINGLE) {
		begin_blake2b(&h, SIGHASH_KEY);
		add_output(&h, tx, &tx->out[i]);
		finish(&h, single);
		return single;
	}
	if ((c->have & HAVE_OUTPUTS) == 0) {
		begin_blake2b(&h, SIGHASH_KEY);
		for (o = 0; o < tx->nout; o++)
			add_output(&h, tx, &tx->out[o]);
		finish(&h, c->outputs);
		c->have |= HAVE_OUTPUTS;
	}
	return c->outputs;
}

static const uint8_t *
payload(const struct tx *tx, struct sighash_cache *c)
{
	struct hasher	 h;

	/* The native subnetwork is all zeros. */
	if (tx->payload.len == 0 &&
	    memcmp(tx->subnetwork, zeros, sizeof(tx->subnetwork)) == 0)
		return zeros;
	if ((c->have & HAVE_PAYLOAD) == 0) {
		begin_blake2b(&h, SIGHASH_KEY);
		add_bytes(&h, &tx->payload);
		finish(&h, c->payload);
		c->have |= HAVE_PAYLOAD;
	}
	return c->payload;
}

int
sighash_schnorr(const struct tx *tx, size_t i, uint8_t type,
    struct sighash_cache *c, uint8_t out[32])
{
	const struct tx_input	*in;
	struct hasher		 h;
	uint8_t			 single[32];

	if (tx->version > 1 || i >= tx->nin || !tx->in[i].has_utxo ||
	    !sighash_type_valid(type))
		return -1;
	in = &tx->in[i];
	begin_blake2b(&h, SIGHASH_KEY);
	add_u16(&h, tx->version);
	add(&h, prevouts(tx, type, c), 32);
	add(&h, sequences(tx, type, c), 32);
	if (tx->version == 0)
		add(&h, sigopcounts(tx, type, c), 32);
	add_outpoint(&h, &in->outpoint);
	add_u16(&h, in->spk.version);
	add_bytes(&h, &in->spk.script);
	add_u64(&h, in->amount);
	add_u64(&h, in->sequence);
	if (tx->version == 0)
		add_u8(&h, in->sig_op_count);
	add(&h, outputs(tx, i, type, c, single), 32);
	add_u64(&h, tx->lock_time);
	add(&h, tx->subnetwork, sizeof(tx->subnetwork));
	add_u64(&h, tx->gas);
	add(&h, payload(tx, c), 32);
	add_u8(&h, type);
	finish(&h, out);
	return 0;
}

/* Without signature scripts (their length is 0), sig op counts and mass. */
static void
add_id_fields(struct hasher *h, const struct tx *tx, bool with_payload)
{
	static const struct bytes	 none;
	size_t				 i;

	add_u16(h, tx->version);
	add_u64(h, tx->nin);
	for (i = 0; i < tx->nin; i++) {
		add_outpoint(h, &tx->in[i].outpoint);
		add_bytes(h, &none);
		add_u64(h, tx->in[i].sequence);
	}
	add_u64(h, tx->nout);
	for (i = 0; i < tx->nout; i++)
		add_output(h, tx, &tx->out[i]);
	add_u64(h, tx->lock_time);
	add(h, tx->subnetwork, sizeof(tx->subnetwork));
	add_u64(h, tx->gas);
	add_bytes(h, with_payload ? &tx->payload : &none);
}

int
tx_id(const struct tx *tx, uint8_t out[32])
{
	struct hasher	 h;
	uint8_t		 digest[32], rest[32];

	if (tx->version > 1)
		return -1;
	if (tx->version == 0) {
		begin_blake2b(&h, TX_ID_KEY);
		add_id_fields(&h, tx, true);
		finish(&h, out);
		return 0;
	}
	begin_blake3(&h, PAYLOAD_KEY);
	add(&h, tx->payload.p, tx->payload.len);
	finish(&h, digest);
	begin_blake3(&h, TX_REST_KEY);
	add_id_fields(&h, tx, false);
	finish(&h, rest);
	begin_blake3(&h, TX_V1_ID_KEY);
	add(&h, digest, sizeof(digest));
	add(&h, rest, sizeof(rest));
	finish(&h, out);
	return 0;
}
