/* Which keys and hashes an auditor may believe, and what they prove. */
#include <inttypes.h>
#include <string.h>

#include <sodium.h>

#include "auditd/ia_verify_int.h"

static void	 anchor(struct ia_verify *, const struct ia_head *,
		    const struct ia_anchor *, const char *, const char *);
static void	 anchors(struct ia_verify *, const struct ia_head *,
		    const char *);
static bool	 kept(struct ia_verify *, const struct ia_head *, const char *);
static bool	 given(const struct ia_verify *, const uint8_t [IA_KEY]);
static void	 announce(struct ia_verify *, const struct ia_checkpoint *);
static void	 first_key(struct ia_verify *, const struct ia_checkpoint *,
		    const struct ia_where *);
static void	 next_key(struct ia_verify *, const struct ia_checkpoint *,
		    const struct ia_where *);
static void	 checkpoint(struct ia_verify *, const struct ia_head *,
		    const struct ia_line *);
static void	 finish_key(struct ia_verify *);

/* Everything up to an anchored line is as it was, the keys in it as well. */
static void
anchor(struct ia_verify *v, const struct ia_head *h, const struct ia_anchor *a,
    const char *hash, const char *wrong)
{
	struct ia_where	 at;

	if (memcmp(a->head, hash, IA_HEX) != 0) {
		ia_here(v, h->seq, &at);
		ia_fault(v, &at, wrong, a->seq);
		return;
	}
	v->anchors_met++;
	ia_seal(v, a->seq, h);
	if (v->series.known && v->series.seq >= v->chain.first)
		v->series.trusted = true;
}

static void
anchors(struct ia_verify *v, const struct ia_head *h, const char *hash)
{
	const struct ia_anchor	*a;

	for (; v->anchor < v->o.nanchor; v->anchor++) {
		a = &v->o.anchor[v->anchor];
		if (a->seq > h->seq)
			return;
		if (a->seq == h->seq)
			anchor(v, h, a, hash, "this is not the line that was "
			    "anchored as seq %" PRIu64);
		else if (a->seq == h->seq - 1 && v->lines == 1)
			anchor(v, h, a, h->prev, "this line does not follow "
			    "the one that was anchored as seq %" PRIu64);
		else
			ia_verify_unproven(v, "the anchored line with seq %"
			    PRIu64 " is not here", a->seq);
	}
}

/* The Checkpoint that the auditor kept: true for the line itself. */
static bool
kept(struct ia_verify *v, const struct ia_head *h, const char *hash)
{
	const struct ia_kept	*k = v->o.kept;
	struct ia_where		 at;

	if (k == NULL || h->seq != k->cp.seq)
		return false;
	v->kept_met = true;
	if (memcmp(k->hash, hash, IA_HEX) != 0) {
		ia_here(v, h->seq, &at);
		ia_fault(v, &at, "this is not the Checkpoint that was kept");
		return false;
	}
	v->checkpoints++;
	announce(v, &k->cp);
	v->series.trusted = true;
	ia_seal(v, h->seq, h);
	return true;
}

void
ia_trust_first(struct ia_verify *v, const struct ia_head *h)
{
	const struct ia_kept	*k = v->o.kept;
	struct ia_where		 at;

	if (k != NULL && h->seq == k->cp.seq + 1) {
		v->kept_met = true;
		announce(v, &k->cp);
		v->series.trusted = true;
		if (memcmp(h->prev, k->hash, IA_HEX) == 0)
			return;
		ia_here(v, h->seq, &at);
		ia_fault(v, &at, "this line does not follow the Checkpoint "
		    "that was kept");
	} else if (h->seq > 1 && (k == NULL || h->seq > k->cp.seq) &&
	    v->faults == 0)
		ia_verify_unproven(v, "the log begins with seq %" PRIu64
		    ": what was before it is missing", h->seq);
}

static bool
given(const struct ia_verify *v, const uint8_t key[IA_KEY])
{
	size_t	 i;

	for (i = 0; i < v->o.npub; i++)
		if (memcmp(v->o.pub[i], key, IA_KEY) == 0)
			return true;
	return false;
}

static void
announce(struct ia_verify *v, const struct ia_checkpoint *cp)
{
	v->series.known = true;
	v->series.seq = cp->seq;
	memcpy(v->series.origin, cp->origin, IA_KEY);
	memcpy(v->series.next, cp->next, IA_KEY);
}

/* The first Checkpoint of what is here. */
static void
first_key(struct ia_verify *v, const struct ia_checkpoint *cp,
    const struct ia_where *at)
{
	memcpy(v->first_origin, cp->origin, IA_KEY);
	v->first_checkpoint = *at;
	/* With something from elsewhere the log's own word is not asked. */
	v->key_from_log = v->o.npub == 0 && v->o.nanchor == 0 &&
	    v->o.kept == NULL;
	v->series.trusted = v->key_from_log;
	if (v->first_seq == 1 && v->faults == 0 &&
	    memcmp(cp->key, cp->origin, IA_KEY) != 0) {
		v->series.trusted = false;
		ia_fault(v, at, "the first Checkpoint is not the first of its "
		    "series: those before it were removed");
	}
}

static void
next_key(struct ia_verify *v, const struct ia_checkpoint *cp,
    const struct ia_where *at)
{
	if (v->series.known && memcmp(cp->key, v->series.next, IA_KEY) == 0) {
		if (memcmp(cp->origin, v->series.origin, IA_KEY) == 0)
			return;
		v->series.trusted = false;
		ia_fault(v, at, "the Checkpoint's origin is not that of the "
		    "one before");
		return;
	}
	if (memcmp(cp->key, cp->origin, IA_KEY) == 0) {
		v->breaks++;
		v->break_seq = cp->seq;
		memcpy(v->break_key, cp->key, IA_KEY);
	} else if (v->series.known)
		ia_fault(v, at, "the Checkpoint is signed with a key that the "
		    "one before did not announce");
	v->series.trusted = false;
}

static void
checkpoint(struct ia_verify *v, const struct ia_head *h,
    const struct ia_line *l)
{
	struct ia_checkpoint	 cp;
	struct ia_where		 at;
	const char		*wrong;

	ia_here(v, h->seq, &at);
	if ((wrong = ia_checkpoint_parse(l->p, l->len, h, &cp)) != NULL) {
		ia_fault(v, &at, "%s", wrong);
		v->series.known = v->series.trusted = false;
		return;
	}
	/* What comes before the one that was kept needs no key. */
	if (v->o.kept != NULL && h->seq < v->o.kept->cp.seq)
		return;
	if (v->checkpoints++ == 0 && !v->series.known)
		first_key(v, &cp, &at);
	else
		next_key(v, &cp, &at);
	if (given(v, cp.key))
		v->key_matched = v->series.trusted = true;
	announce(v, &cp);
	if (v->series.trusted)
		ia_seal(v, cp.canonical ? cp.seq : cp.seq - 1, h);
}

void
ia_trust_line(struct ia_verify *v, const struct ia_head *h,
    const struct ia_line *l, const char *hash)
{
	if (!kept(v, h, hash) && v->last_is_checkpoint)
		checkpoint(v, h, l);
	anchors(v, h, hash);
}

/* The keys that the auditor gave, and the one that signs at the end. */
static void
finish_key(struct ia_verify *v)
{
	char	 hex[2 * IA_KEY + 1];

	if (v->o.npub > 0 && v->checkpoints == 0)
		ia_verify_unproven(v, "there is no Checkpoint that the given "
		    "key could prove");
	else if (v->o.npub > 0 && !v->key_matched && v->o.kept == NULL) {
		sodium_bin2hex(hex, sizeof(hex), v->first_origin, IA_KEY);
		if (v->first_seq == 1)
			ia_fault(v, &v->first_checkpoint, "the log's "
			    "Checkpoints begin with another key than the one "
			    "given: %s", hex);
		else
			ia_verify_unproven(v, "the given key signed nothing "
			    "here; these Checkpoints began with %s", hex);
	} else if (v->checkpoints > 0 && !v->series.trusted && v->breaks > 0) {
		sodium_bin2hex(hex, sizeof(hex), v->break_key, IA_KEY);
		ia_verify_unproven(v, "at seq %" PRIu64 " the Checkpoints begin "
		    "anew with a key that nothing before announced: %s; if you "
		    "know it from elsewhere, give it with --pub",
		    v->break_seq, hex);
	}
}

void
ia_trust_finish(struct ia_verify *v)
{
	const struct ia_kept	*k = v->o.kept;

	if (v->last_seq > 0 && v->faults == 0)
		finish_key(v);
	if (v->anchor < v->o.nanchor)
		ia_verify_unproven(v, "the anchored line with seq %" PRIu64
		    " is beyond the end of the log, which is seq %" PRIu64,
		    v->o.anchor[v->o.nanchor - 1].seq, v->last_seq);
	if (k != NULL && !v->kept_met && v->last_seq < k->cp.seq)
		ia_verify_unproven(v, "the Checkpoint that was kept, seq %"
		    PRIu64 ", is beyond the end of the log, which is seq %"
		    PRIu64, k->cp.seq, v->last_seq);
}
