/*
 * The bytes of the policy journal, little-endian.
 *
 *	0	header: "IGRAPOLJ", version
 *	4096	slot 0	the state as a whole, written in turns, so that one of
 *	8192	slot 1	them is always whole; the greater generation counts
 *	12288	entries, one behind the other; then zeros
 *
 * Header, slots and entries end with the BLAKE2b-256 of what stands before.
 * An entry names its own offset, and how far the file was durable when it was
 * made: what is broken before that is damage, what is behind it may be torn.
 */
#include <string.h>

#include "codec.h"
#include "journal_int.h"
#include "messages.h"

#define MAGIC		"IGRAPOLJ"
#define VERSION		1
#define SLOT_MAGIC	"JSLT"
#define SUM		32

static void	seal(uint8_t *, size_t);
static bool	sealed(const uint8_t *, size_t);
static void	enc_moment(struct enc *, const struct moment *);
static void	dec_moment(struct dec *, struct moment *);

static void
seal(uint8_t *p, size_t len)
{
	(void)crypto_generichash(p + len - SUM, SUM, p, len - SUM, NULL, 0);
}

static bool
sealed(const uint8_t *p, size_t len)
{
	uint8_t	 sum[SUM];

	(void)crypto_generichash(sum, SUM, p, len - SUM, NULL, 0);
	return memcmp(sum, p + len - SUM, SUM) == 0;
}

static void
enc_moment(struct enc *e, const struct moment *m)
{
	enc_u8(e, (uint8_t)m->state);
	enc_raw(e, m->boot_id, sizeof(m->boot_id));
	enc_u64(e, (uint64_t)m->boot_ns);
	enc_u64(e, (uint64_t)m->wall_ns);
	enc_u64(e, (uint64_t)m->policy_ns);
}

static void
dec_moment(struct dec *d, struct moment *m)
{
	uint8_t	 state = dec_u8(d);

	if (state > CLOCK_STEP)
		d->failed = true;
	m->state = state;
	dec_raw(d, m->boot_id, sizeof(m->boot_id));
	m->boot_ns = (int64_t)dec_u64(d);
	m->wall_ns = (int64_t)dec_u64(d);
	m->policy_ns = (int64_t)dec_u64(d);
}

void
format_header(uint8_t out[FORMAT_SLOT])
{
	struct enc	 e;

	memset(out, 0, FORMAT_SLOT);
	enc_init_fixed(&e, out, FORMAT_SLOT - SUM);
	enc_raw(&e, MAGIC, 8);
	enc_u32(&e, VERSION);
	seal(out, FORMAT_SLOT);
}

bool
format_header_ok(const uint8_t in[FORMAT_SLOT])
{
	uint8_t	 want[FORMAT_SLOT];

	format_header(want);
	return memcmp(in, want, FORMAT_SLOT) == 0;
}

void
format_slot(const struct slot *s, uint8_t out[FORMAT_SLOT])
{
	struct enc	 e;

	memset(out, 0, FORMAT_SLOT);
	enc_init_fixed(&e, out, FORMAT_SLOT - SUM);
	enc_raw(&e, SLOT_MAGIC, 4);
	enc_u64(&e, s->generation);
	enc_u64(&e, s->end);
	enc_u64(&e, s->reservation);
	enc_u64(&e, s->kseq);
	enc_u64(&e, s->acked_kseq);
	enc_u64(&e, s->acked_seq);
	enc_raw(&e, s->acked_head, sizeof(s->acked_head));
	enc_u8(&e, (uint8_t)s->rollback);
	enc_u64(&e, s->log.reservation);
	enc_u64(&e, s->log.seq);
	enc_raw(&e, s->log.head, sizeof(s->log.head));
	enc_u64(&e, s->log.last_kseq);
	enc_moment(&e, &s->clock);
	seal(out, FORMAT_SLOT);
}

bool
format_slot_read(const uint8_t in[FORMAT_SLOT], struct slot *s)
{
	struct dec	 d;
	uint8_t		 magic[4];

	memset(s, 0, sizeof(*s));
	dec_init(&d, in, FORMAT_SLOT - SUM);
	dec_raw(&d, magic, sizeof(magic));
	s->generation = dec_u64(&d);
	s->end = dec_u64(&d);
	s->reservation = dec_u64(&d);
	s->kseq = dec_u64(&d);
	s->acked_kseq = dec_u64(&d);
	s->acked_seq = dec_u64(&d);
	dec_raw(&d, s->acked_head, sizeof(s->acked_head));
	s->rollback = dec_u8(&d);
	s->log.reservation = dec_u64(&d);
	s->log.seq = dec_u64(&d);
	dec_raw(&d, s->log.head, sizeof(s->log.head));
	s->log.last_kseq = dec_u64(&d);
	dec_moment(&d, &s->clock);
	return memcmp(magic, SLOT_MAGIC, sizeof(magic)) == 0 &&
	    sealed(in, FORMAT_SLOT) && !d.failed && s->end >= FORMAT_FIRST;
}

size_t
format_entry_len(size_t n)
{
	return FORMAT_ENTRY + n * FORMAT_CLAIM;
}

void
format_entry(const struct entry *x, const struct journal_claim_in *c,
    size_t n, uint8_t *out)
{
	size_t		 len = format_entry_len(n), i;
	struct enc	 e;

	enc_init_fixed(&e, out, len - SUM);
	enc_raw(&e, FORMAT_MAGIC, 4);
	enc_u32(&e, (uint32_t)len);
	enc_u32(&e, (uint32_t)n);
	enc_u8(&e, (uint8_t)x->type);
	enc_u64(&e, x->at);
	enc_u64(&e, x->synced);
	enc_u64(&e, x->generation);
	enc_u64(&e, x->reservation);
	enc_u64(&e, x->kseq);
	enc_u64(&e, x->acked_kseq);
	enc_u64(&e, x->acked_seq);
	enc_raw(&e, x->acked_head, sizeof(x->acked_head));
	enc_moment(&e, &x->clock);
	enc_raw(&e, x->sid, sizeof(x->sid));
	enc_u64(&e, x->outflow);
	for (i = 0; i < n; i++) {
		enc_raw(&e, c[i].outpoint.txid, TX_ID_LEN);
		enc_u32(&e, c[i].outpoint.index);
		enc_u64(&e, c[i].amount);
		enc_raw(&e, c[i].script_hash, sizeof(c[i].script_hash));
	}
	/* As long as FORMAT_ENTRY says, whatever is added here. */
	memset(out + e.len, 0, len - SUM - e.len);
	seal(out, len);
}

size_t
format_entry_read(const uint8_t *p, size_t len, uint64_t at, struct entry *x)
{
	struct dec	 d;
	uint32_t	 size, n;
	uint8_t		 type;

	if (len < FORMAT_ENTRY || memcmp(p, FORMAT_MAGIC, 4) != 0)
		return 0;
	memset(x, 0, sizeof(*x));
	dec_init(&d, p + 4, len - 4);
	size = dec_u32(&d);
	n = dec_u32(&d);
	if (n > TX_MAX_INPUTS || size != format_entry_len(n) || size > len ||
	    !sealed(p, size))
		return 0;
	type = dec_u8(&d);
	x->type = type;
	x->at = dec_u64(&d);
	x->synced = dec_u64(&d);
	x->generation = dec_u64(&d);
	x->reservation = dec_u64(&d);
	x->kseq = dec_u64(&d);
	x->acked_kseq = dec_u64(&d);
	x->acked_seq = dec_u64(&d);
	dec_raw(&d, x->acked_head, sizeof(x->acked_head));
	dec_moment(&d, &x->clock);
	dec_raw(&d, x->sid, sizeof(x->sid));
	x->outflow = dec_u64(&d);
	x->n = n;
	x->claims = d.p;
	if (d.failed || x->at != at || (type != ENTRY_SIGN &&
	    (type != ENTRY_RELEASE || n != 1)))
		return 0;
	return size;
}

void
format_claim_read(const struct entry *x, size_t i, struct journal_claim_in *c)
{
	struct dec	 d;

	dec_init(&d, x->claims + i * FORMAT_CLAIM, FORMAT_CLAIM);
	dec_raw(&d, c->outpoint.txid, TX_ID_LEN);
	c->outpoint.index = dec_u32(&d);
	c->amount = dec_u64(&d);
	dec_raw(&d, c->script_hash, sizeof(c->script_hash));
}
