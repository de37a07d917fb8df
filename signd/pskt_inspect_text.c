#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "pskt_inspect.h"

#define SOMPI_PER_KAS	100000000U

static void	 text_doc(const struct inspect *, size_t, FILE *);
static void	 text_input(const struct inspect *, const struct inspect_doc *,
		    size_t, FILE *);
static void	 text_keys(const struct inspect *, const struct verify_input *,
		    FILE *);
static void	 text_output(const struct inspect *, const struct inspect_doc *,
		    size_t, FILE *);
static void	 text_money(const struct inspect_doc *, FILE *);
static void	 text_lock_time(const struct inspect_doc *, FILE *);
static void	 text_totals(const struct inspect *, FILE *);
static void	 put_hex(FILE *, const void *, size_t);
static void	 put_plain(FILE *, const char *);
static void	 put_amount(FILE *, uint64_t);
static void	 put_spk(const struct inspect *, FILE *, const struct spk *);

static void
put_hex(FILE *f, const void *p, size_t len)
{
	const uint8_t	*b = p;
	size_t		 i;

	for (i = 0; i < len; i++)
		(void)fprintf(f, "%02x", b[i]);
}

/* What a document says may not move a terminal's cursor. */
static void
put_plain(FILE *f, const char *s)
{
	for (; *s != '\0'; s++)
		(void)fputc(*s >= ' ' && *s <= '~' ? *s : '?', f);
}

/* In KAS, all eight decimals. */
static void
put_amount(FILE *f, uint64_t sompi)
{
	(void)fprintf(f, "%" PRIu64 ".%08" PRIu64 " KAS", sompi / SOMPI_PER_KAS,
	    sompi % SOMPI_PER_KAS);
}

static void
put_spk(const struct inspect *s, FILE *f, const struct spk *spk)
{
	char	 address[ADDRESS_MAX];

	inspect_address(s, spk, address);
	if (address[0] != '\0') {
		(void)fputs(address, f);
		return;
	}
	(void)fprintf(f, "script version %u, %zu bytes", spk->version,
	    spk->script.len);
	if (spk->script.len != 0 && spk->script.len <= 64) {
		(void)fputs(": ", f);
		put_hex(f, spk->script.p, spk->script.len);
	}
}

void
inspect_text(const struct inspect *s, FILE *f)
{
	size_t	 i;

	for (i = 0; i < s->doc->n; i++)
		text_doc(s, i, f);
	if (s->doc->form == PSKT_FORM_PSKB)
		text_totals(s, f);
}

static void
text_doc(const struct inspect *s, size_t n, FILE *f)
{
	const struct inspect_doc	*d = &s->d[n];
	const struct tx			*tx = &d->pskt->tx;
	size_t				 i;
	int				 w;

	if (s->doc->form == PSKT_FORM_PSKB)
		(void)fprintf(f, "PSKT %zu of the bundle\n", n);
	(void)fputs("transaction  ", f);
	put_hex(f, d->id, sizeof(d->id));
	(void)fprintf(f, "\nversions     PSKT %u, transaction %u\n",
	    d->pskt->version, tx->version);
	(void)fprintf(f, "state        %s", inspect_state(d));
	if (d->missing != 0)
		(void)fprintf(f, ", %u signature%s missing", d->missing,
		    d->missing == 1 ? "" : "s");
	(void)fputc('\n', f);
	for (i = 0; i < tx->nin; i++)
		text_input(s, d, i, f);
	for (i = 0; i < tx->nout; i++)
		text_output(s, d, i, f);
	text_money(d, f);
	text_lock_time(d, f);
	if (tx->payload.len != 0)
		(void)fprintf(f, "payload      %zu bytes\n", tx->payload.len);
	for (w = 0; w < WARN_MAX; w++) {
		if (d->nwarn[w] == 0)
			continue;
		(void)fprintf(f, "WARNING      %s: ",
		    inspect_warn_name((enum inspect_warn)w));
		put_plain(f, d->warn[w] == NULL ? "" : d->warn[w]);
		if (d->nwarn[w] > 1)
			(void)fprintf(f, " (and %zu more)", d->nwarn[w] - 1);
		(void)fputc('\n', f);
	}
}

static void
text_input(const struct inspect *s, const struct inspect_doc *d, size_t i,
    FILE *f)
{
	const struct verify_input	*in = &d->in[i];
	const struct tx_input		*txin = &d->pskt->tx.in[i];

	(void)fprintf(f, "input %-6zu ", i);
	if (txin->has_utxo) {
		put_amount(f, txin->amount);
		(void)fputs(" from ", f);
		put_spk(s, f, &txin->spk);
	} else
		(void)fputs("amount and script not known", f);
	(void)fputs(d->own[i] == OWN_YES ? " (own)\n" : "\n", f);
	(void)fputs("             ", f);
	put_hex(f, txin->outpoint.txid, sizeof(txin->outpoint.txid));
	(void)fprintf(f, ":%" PRIu32 "\n", txin->outpoint.index);
	(void)fprintf(f, "             %s", inspect_lock_name(in->kind));
	if (in->m != 0)
		(void)fprintf(f, " %u of %u: %u valid", in->m, in->n,
		    in->valid);
	(void)fprintf(f, ", sighash %s",
	    inspect_sighash_name(txin->sighash_type));
	if (in->foreign != 0)
		(void)fprintf(f, ", %zu signature%s of other keys",
		    in->foreign, in->foreign == 1 ? "" : "s");
	(void)fputc('\n', f);
	text_keys(s, in, f);
	if (in->final != FINAL_NONE)
		(void)fprintf(f, "             final script: %s%s%s\n",
		    inspect_final_name(in->final), in->why[0] != '\0' ? ": " :
		    "", in->why);
}

static void
text_keys(const struct inspect *s, const struct verify_input *in, FILE *f)
{
	unsigned	 i;

	for (i = 0; i < in->n; i++) {
		(void)fputs("             ", f);
		put_hex(f, in->key[i].key, in->key_len);
		(void)fprintf(f, " %s%s\n", inspect_sig_name(in->key[i].state),
		    s->ctx.xonly != NULL && in->key_len == 32 &&
		    memcmp(in->key[i].key, s->ctx.xonly, 32) == 0 ? " (own)" :
		    "");
	}
}

static void
text_output(const struct inspect *s, const struct inspect_doc *d, size_t i,
    FILE *f)
{
	const struct tx_output	*out = &d->pskt->tx.out[i];

	(void)fprintf(f, "output %-5zu ", i);
	put_amount(f, out->value);
	(void)fputs(" to ", f);
	put_spk(s, f, &out->spk);
	(void)fprintf(f, "%s%s%s\n", d->change[i] == OWN_YES ? " (change)" : "",
	    d->dust[i] ? " (dust)" : "", out->has_covenant ? " (covenant)" :
	    "");
}

static void
text_money(const struct inspect_doc *d, FILE *f)
{
	char	 rate[32];

	if (d->outflow_known) {
		(void)fputs("outflow      ", f);
		put_amount(f, d->outflow);
		(void)fputc('\n', f);
	}
	(void)fputs("fee          ", f);
	if (d->fee_known) {
		inspect_fee_rate(d, rate);
		put_amount(f, d->fee);
		(void)fprintf(f, " (%" PRIu64 " sompi, %s per gram; ", d->fee,
		    rate);
	} else
		(void)fputs("not known (", f);
	(void)fprintf(f, "relayed from %" PRIu64 ")\n", d->relay_fee);
	(void)fprintf(f, "mass         compute %" PRIu64 " of %u, transient %"
	    PRIu64 " of %u, storage ", d->mass.compute, MASS_LIMIT_COMPUTE,
	    d->mass.transient, MASS_LIMIT_TRANSIENT);
	if (d->mass.storage_known)
		(void)fprintf(f, "%" PRIu64, d->mass.storage);
	else
		(void)fputs("not known", f);
	(void)fprintf(f, " of %u%s\n", MASS_LIMIT_STORAGE, d->mass_known ? "" :
	    ", without the signature scripts that are not known");
}

static void
text_lock_time(const struct inspect_doc *d, FILE *f)
{
	uint64_t	 at = d->pskt->tx.lock_time;
	struct tm	 tm;
	time_t		 t = (time_t)(at / 1000);
	char		 date[64];

	if (at == 0)
		return;
	(void)fprintf(f, "lock time    %" PRIu64, at);
	if (!inspect_is_time(at))
		(void)fputs(" (DAA score)", f);
	/* Years that a struct tm holds, and a reader believes. */
	else if (at / 1000 < 253402300800U && gmtime_r(&t, &tm) != NULL &&
	    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm) != 0)
		(void)fprintf(f, " (%s)", date);
	else
		(void)fputs(" (ms)", f);
	(void)fputs(d->locked ? "\n" : ", switched off by the sequences\n", f);
}

static void
text_totals(const struct inspect *s, FILE *f)
{
	struct inspect_sums	 t;

	inspect_sums(s, &t);
	(void)fprintf(f, "bundle       %zu PSKTs, %zu inputs, %zu outputs, "
	    "%u signature%s missing\n", s->doc->n, t.inputs, t.outputs,
	    t.missing, t.missing == 1 ? "" : "s");
	if (t.outflow_known) {
		(void)fputs("outflow      ", f);
		put_amount(f, t.outflow);
		(void)fputc('\n', f);
	}
	if (!t.fee_known)
		return;
	(void)fputs("fee          ", f);
	put_amount(f, t.fee);
	(void)fputc('\n', f);
}
