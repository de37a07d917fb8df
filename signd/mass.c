#include "kaspa.h"
#include "mass.h"
#include "saturate.h"

#define TX_SIZE			94U	/* without payload, inputs, outputs */
#define INPUT_SIZE		52U
#define INPUT_SIZE_V1		54U	/* compute budget */
#define OUTPUT_SIZE		18U
#define COVENANT_SIZE		34U

#define GRAMS_PER_SIZE		1U
#define GRAMS_PER_SCRIPT	10U
#define GRAMS_PER_SIGOP		1000U
#define TRANSIENT_PER_SIZE	4U

/* KIP-9: C, and what of a UTXO's entry counts as one of its hundreds. */
#define STORAGE_C		1000000000000U
#define UTXO_CONST		63U
#define UTXO_COVENANT		32U
#define UTXO_UNIT		100U

#define DUST_INPUT		148U
#define DUST_LIMIT		100000U

/* One side of the storage mass. */
struct side {
	size_t		 n;
	uint64_t	 plurality;
	uint64_t	 value;
	uint64_t	 harmonic;	/* sum of C p^2 / v */
};

static void	 side_add(struct side *, uint64_t, size_t, bool);
static uint64_t	 storage_mass(const struct side *, const struct side *);

size_t
mass_push(size_t len)
{
	if (len <= 75)
		return len + 1;
	return len <= 255 ? len + 2 : len + 3;
}

size_t
mass_signature_script(const struct tx_input *in)
{
	struct multisig	 ms;

	if (!in->has_utxo)
		return 0;
	switch (script_classify(&in->spk)) {
	case SCRIPT_NONSTANDARD:
		break;
	case SCRIPT_P2PK:
	case SCRIPT_P2PK_ECDSA:
		return MASS_SIGNATURE;
	case SCRIPT_P2SH:
		if (in->redeem.len == 0 || script_multisig_parse(in->redeem.p,
		    in->redeem.len, &ms) == -1)
			break;
		return ms.m * MASS_SIGNATURE + mass_push(in->redeem.len);
	}
	return 0;
}

static void
side_add(struct side *s, uint64_t value, size_t script, bool covenant)
{
	uint64_t	 bytes, p;

	bytes = sat_add(UTXO_CONST + (covenant ? UTXO_COVENANT : 0), script);
	p = bytes / UTXO_UNIT + (bytes % UTXO_UNIT != 0);
	s->n++;
	s->plurality = sat_add(s->plurality, p);
	s->value = sat_add(s->value, value);
	/* No UTXO has a value of 0; a document may claim one. */
	s->harmonic = sat_add(s->harmonic, sat_mul(sat_mul(STORAGE_C, p), p) /
	    (value == 0 ? 1 : value));
}

static uint64_t
storage_mass(const struct side *in, const struct side *out)
{
	uint64_t	 ins, mean;

	if (in->n == 0 || out->n == 0)
		return out->harmonic;
	if (out->plurality == 1 || in->plurality == 1 ||
	    (out->plurality == 2 && in->plurality == 2))
		ins = in->harmonic;
	else {
		mean = in->value / in->plurality;
		ins = sat_mul(in->plurality, STORAGE_C / (mean == 0 ? 1 : mean));
	}
	return out->harmonic > ins ? out->harmonic - ins : 0;
}

void
mass_of_tx(const struct tx *tx, const size_t *sigscripts, struct mass *m)
{
	const struct tx_output	*o;
	struct side		 in = { 0 }, out = { 0 };
	uint64_t		 size, scripts = 0, sigops = 0;
	size_t			 i;

	m->storage_known = true;
	size = sat_add(TX_SIZE, tx->payload.len);
	for (i = 0; i < tx->nin; i++) {
		size = sat_add(size, tx->version == 0 ? INPUT_SIZE :
		    INPUT_SIZE_V1);
		size = sat_add(size, sigscripts != NULL ? sigscripts[i] :
		    mass_signature_script(&tx->in[i]));
		sigops = sat_add(sigops, tx->in[i].sig_op_count);
		if (tx->in[i].has_utxo)
			side_add(&in, tx->in[i].amount,
			    tx->in[i].spk.script.len,
			    tx->in[i].utxo_covenant);
		else
			m->storage_known = false;
	}
	for (i = 0; i < tx->nout; i++) {
		o = &tx->out[i];
		size = sat_add(size, sat_add(OUTPUT_SIZE, o->spk.script.len));
		if (o->has_covenant)
			size = sat_add(size, COVENANT_SIZE);
		scripts = sat_add(scripts, sat_add(2, o->spk.script.len));
		side_add(&out, o->value, o->spk.script.len, o->has_covenant);
	}
	m->size = size;
	m->compute = sat_add(sat_mul(size, GRAMS_PER_SIZE),
	    sat_add(sat_mul(scripts, GRAMS_PER_SCRIPT),
	    sat_mul(sigops, GRAMS_PER_SIGOP)));
	m->transient = sat_mul(size, TRANSIENT_PER_SIZE);
	m->storage = m->storage_known ? storage_mass(&in, &out) : 0;
}

static uint64_t
relay_mass(const struct mass *m)
{
	uint64_t	 half = m->transient / 2 + m->transient % 2;

	return m->compute > half ? m->compute : half;
}

uint64_t
mass_for_fee(const struct mass *m)
{
	uint64_t	 relay = relay_mass(m);

	return relay > m->storage ? relay : m->storage;
}

uint64_t
mass_relay_fee(const struct mass *m)
{
	return sat_mul(relay_mass(m), MASS_RELAY_RATE);
}

uint64_t
mass_fee(const struct mass *m, uint64_t rate)
{
	return sat_mul(mass_for_fee(m), rate);
}

bool
mass_is_dust(uint64_t value, size_t script_len)
{
	uint64_t	 bytes = sat_mul(3, sat_add(OUTPUT_SIZE + DUST_INPUT,
			    script_len));

	/* Saturated, the quotient is still far above the limit. */
	return sat_mul(1000, value) / bytes < DUST_LIMIT;
}
