/* igra-audit verify: reads the files, and says what they prove. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "common/log.h"

#include "auditd/ia_cmd.h"
#include "auditd/ia_config.h"
#include "auditd/ia_text.h"
#include "auditd/ia_verify.h"

#define PUBS_MAX	64
#define PROGRESS_EVERY	2048	/* lines */
#define OLD_TAIL	600	/* seconds; Checkpoints come every minute */

struct verify_args {
	struct ia_verify	 v;	/* large */
	struct ia_opts		 o;
	uint8_t			 pub[PUBS_MAX][IA_KEY];
	struct ia_anchors	 anchors;
	struct ia_kept		 kept;
	struct ia_config	 config;
	bool			 pinned;	/* pub[0] is the config's */
	bool			 quiet;
};

enum { O_PUB = 256, O_ANCHOR, O_FROM, O_SEALED };

static const struct option	 options[] = {
	{ "pub", required_argument, NULL, O_PUB },
	{ "anchor", required_argument, NULL, O_ANCHOR },
	{ "from-checkpoint", required_argument, NULL, O_FROM },
	{ "sealed", no_argument, NULL, O_SEALED },
	IA_LOG_OPTIONS,
	{ "quiet", no_argument, NULL, 'q' },
	{ NULL, 0, NULL, 0 }
};

static int	 take_option(struct verify_args *, int);
static void	 take_pinned(struct verify_args *);
static int	 read_file(struct ia_verify *, struct ia_reader *,
		    const struct ia_file *, struct ia_progress *);
static void	 read_log(struct ia_verify *, struct ia_files *);
static bool	 is_log_being_written(const struct ia_files *,
		    const struct ia_file *);
static int64_t	 age_of(const char *);
static void	 print_where(const struct ia_where *);
static void	 report_fault(const struct ia_verify *);
static void	 report_proven(const struct verify_args *);
static void	 report_tail(const struct ia_verify *);
static void	 report(const struct verify_args *, enum ia_verdict);
static void	 report_quietly(const struct ia_verify *);
static void	 warn_of(const struct ia_verify *);

static int
take_option(struct verify_args *a, int opt)
{
	char	 err[PATH_MAX + 128];

	if (ia_config_option(&a->config, opt, optarg))
		return IA_OK;
	switch (opt) {
	case O_PUB:
		if (a->o.npub == PUBS_MAX ||
		    ia_key_parse(optarg, a->pub[a->o.npub]) == -1)
			return ia_bad_option("pub", "not 64 hex digits");
		a->o.npub++;
		return IA_OK;
	case O_ANCHOR:
		if (ia_anchor_add(&a->anchors, optarg, err, sizeof(err)) == -1)
			return ia_bad_option("anchor", ia_safe(err));
		return IA_OK;
	case O_FROM:
		if (ia_kept_read(optarg, &a->kept, err, sizeof(err)) == -1)
			return ia_bad_option("from-checkpoint", ia_safe(err));
		a->o.kept = &a->kept;
		return IA_OK;
	case O_SEALED:
		a->o.sealed = true;
		return IA_OK;
	case 'q':
		a->quiet = true;
		return IA_OK;
	}
	return ia_usage();
}

/* The key that the operator has pinned, unless the auditor has one. */
static void
take_pinned(struct verify_args *a)
{
	if (a->o.npub != 0 || !a->config.pinned)
		return;
	memcpy(a->pub[0], a->config.anchor, IA_KEY);
	a->o.npub = 1;
	a->pinned = true;
}

/* 0, or -1 (errno) when the file cannot be read. */
static int
read_file(struct ia_verify *v, struct ia_reader *r, const struct ia_file *f,
    struct ia_progress *p)
{
	struct ia_line	 l;
	int		 n;

	ia_verify_begin(v, f->path, f->name_seq);
	ia_reader_start(r, f->fd);
	while ((n = ia_reader_next(r, &l)) == 1) {
		ia_verify_line(v, &l);
		if (v->lines % PROGRESS_EVERY == 0)
			ia_progress(p, r->bytes);
	}
	ia_verify_end(v, f->last);
	return n;
}

/* Beside closed files it has a line before it has its name. */
static bool
is_log_being_written(const struct ia_files *fs, const struct ia_file *f)
{
	return fs->operand == NULL && fs->nclosed > 0 && f->last;
}

static void
read_log(struct ia_verify *v, struct ia_files *fs)
{
	struct ia_progress	 p;
	struct ia_reader	 r;
	struct ia_file		 f;
	char			 err[256];
	uint64_t		 before;
	int			 n;

	if (ia_reader_init(&r) == -1)
		fatal("cannot read");
	ia_progress_start(&p, fs);
	while ((n = ia_files_next(fs, &f, err, sizeof(err))) != 0) {
		if (n == -1) {
			ia_verify_unproven(v, "%s: %s", f.path, err);
			continue;
		}
		before = v->lines;
		if (read_file(v, &r, &f, &p) == -1)
			ia_verify_unproven(v, "%s: %s", f.path,
			    strerror(errno));
		else if (is_log_being_written(fs, &f) && v->lines == before)
			ia_verify_unproven(v, "%s has no line, though there "
			    "are closed files: what it had is missing", f.path);
		close(f.fd);
	}
	ia_progress_end(&p);
	ia_reader_free(&r);
	if (fs->operand == NULL && fs->active == -1 &&
	    fs->active_errno == ENOENT)
		ia_verify_unproven(v, "%s/%s is missing", fs->dir,
		    fs->active_name);
}

/* Seconds since a timestamp; -1 when it is none or to come. */
static int64_t
age_of(const char *text)
{
	struct tm	 tm;
	time_t		 t, now = time(NULL);

	memset(&tm, 0, sizeof(tm));
	if (strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) == NULL ||
	    (t = timegm(&tm)) == -1 || t > now)
		return -1;
	return (int64_t)(now - t);
}

static void
print_where(const struct ia_where *at)
{
	printf("%s", ia_safe(at->path));
	if (at->line > 0)
		printf(":%" PRIu64, at->line);
	if (at->seq > 0)
		printf(": seq %" PRIu64, at->seq);
}

static void
report_fault(const struct ia_verify *v)
{
	printf("first bad line: ");
	print_where(&v->fault_at);
	printf(": %s\n", ia_safe(v->fault));
	if (v->faults > 1)
		printf("further faults: %" PRIu64 "\n", v->faults - 1);
}

static void
report_proven(const struct verify_args *a)
{
	const struct ia_verify	*v = &a->v;
	char		 hex[2 * IA_KEY + 1];
	uint64_t	 i;

	for (i = 0; i < v->nranges && i < IA_RANGES; i++)
		printf("proven: seq %" PRIu64 " to %" PRIu64 "\n",
		    v->range[i].first, v->range[i].last);
	if (v->nranges > IA_RANGES)
		printf("proven: and %" PRIu64 " ranges more\n",
		    v->nranges - IA_RANGES);
	if (v->nranges == 0)
		printf("proven: nothing\n");
	else
		printf("last time covered: %s\n", v->covered_time);
	if (v->o.kept != NULL)
		printf("key: announced by the Checkpoint that was kept, seq %"
		    PRIu64 "\n", v->o.kept->cp.seq);
	else if (v->checkpoints > 0) {
		sodium_bin2hex(hex, sizeof(hex), v->first_origin, IA_KEY);
		printf("key: %s, %s\n", hex, v->key_matched ?
		    a->pinned ? "as the config says" : "as given" : v->key_from_log ? "from the log itself" :
		    "not given");
	}
	if (v->checkpoints > 0)
		printf("checkpoints: %" PRIu64 "\n", v->checkpoints);
	if (v->anchors_met > 0)
		printf("anchors met: %" PRIu64 "\n", v->anchors_met);
	if (v->breaks > 0) {
		sodium_bin2hex(hex, sizeof(hex), v->break_key, IA_KEY);
		printf("break: at seq %" PRIu64 " the checkpoints begin anew "
		    "with %s (%" PRIu64 " such in all)\n", v->break_seq, hex,
		    v->breaks);
	}
}

static void
report_tail(const struct ia_verify *v)
{
	int64_t	 age = age_of(v->tail_time);

	printf("tail: %" PRIu64 " lines", v->tail);
	if (v->tail > 0 && age >= 0)
		printf(", the oldest %" PRId64 " s old", age);
	else if (v->tail > 0)
		printf(", the oldest from %s", v->tail_time);
	if (v->torn > 0)
		printf(", and %" PRIu64 " bytes of a line that is not whole",
		    v->torn);
	printf("\n");
	if (v->last_seq > 0)
		printf("end: %" PRIu64 ":%.*s\n", v->last_seq, IA_HEX,
		    v->head);
}

static void
report(const struct verify_args *a, enum ia_verdict verdict)
{
	const struct ia_verify	*v = &a->v;
	unsigned		 i;

	switch (verdict) {
	case IA_INTACT:
		printf("result: no fault\n");
		break;
	case IA_TAMPERED:
		printf("result: TAMPERED\n");
		report_fault(v);
		break;
	case IA_UNPROVEN:
		printf("result: cannot be proven\n");
		break;
	}
	for (i = 0; i < v->nreasons; i++)
		printf("not proven: %s\n", ia_safe(v->reason[i]));
	printf("files: %" PRIu64 "\nlines: %" PRIu64, v->files, v->lines);
	if (v->last_seq > 0)
		printf(", seq %" PRIu64 " to %" PRIu64, v->first_seq,
		    v->last_seq);
	printf("\n");
	report_proven(a);
	report_tail(v);
}

static void
report_quietly(const struct ia_verify *v)
{
	unsigned	 i;

	if (v->faults > 0)
		log_warnx("%s:%" PRIu64 ": seq %" PRIu64 ": %s",
		    ia_safe(v->fault_at.path), v->fault_at.line,
		    v->fault_at.seq, v->fault);
	for (i = 0; i < v->nreasons; i++)
		log_warnx("%s", ia_safe(v->reason[i]));
}

static void
warn_of(const struct ia_verify *v)
{
	int64_t	 age = age_of(v->tail_time);

	if (v->key_from_log)
		log_warning("the public key came from the log itself: whoever "
		    "can rewrite the log can make such a key; give the one "
		    "you keep elsewhere (--pub, --anchor or "
		    "--from-checkpoint)");
	if (v->checkpoints == 0 && v->anchors_met == 0 && v->last_seq > 0)
		log_warning("no Checkpoint and no anchor: nothing is proven");
	else if (v->tail > 0 && age > OLD_TAIL)
		log_warning("the first line that nothing proves is %" PRId64
		    " s old: a Checkpoint should have followed it", age);
	if (v->clock_back > 0)
		log_warning("the clock went back %" PRIu64 " times, first at "
		    "seq %" PRIu64, v->clock_back, v->clock_seq);
	if (v->unclosed > 0)
		log_warning("%s and %" PRIu64 " others do not end in a "
		    "Checkpoint", ia_safe(v->unclosed_path), v->unclosed - 1);
}

int
ia_cmd_verify(int argc, char **argv)
{
	static struct verify_args	 a;
	struct ia_files			 fs;
	enum ia_verdict			 verdict;
	int				 opt, status;

	while ((opt = getopt_long(argc, argv, "f:q", options, NULL)) != -1)
		if ((status = take_option(&a, opt)) != IA_OK)
			return status;
	if ((status = ia_config_load(&a.config, optind < argc)) != IA_OK)
		return status;
	take_pinned(&a);
	ia_anchors_sort(&a.anchors);
	a.o.pub = (const uint8_t (*)[IA_KEY])a.pub;
	a.o.anchor = a.anchors.v;
	a.o.nanchor = a.anchors.n;
	if (ia_open(&fs, a.config.path, argv + optind,
	    (size_t)(argc - optind)) == -1)
		return IA_CANNOT;
	ia_verify_init(&a.v, &a.o);
	read_log(&a.v, &fs);
	ia_files_close(&fs);
	verdict = ia_verify_finish(&a.v);
	warn_of(&a.v);
	if (a.quiet)
		report_quietly(&a.v);
	else
		report(&a, verdict);
	ia_anchors_free(&a.anchors);
	return (int)verdict;
}
