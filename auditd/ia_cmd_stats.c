/* igra-audit stats: what each key did in each hour. */
#include <sys/tree.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

#include "auditd/ia_cmd.h"
#include "auditd/ia_config.h"
#include "auditd/ia_hist.h"
#include "auditd/ia_output.h"
#include "auditd/ia_query.h"
#include "auditd/ia_text.h"

/* The _STATIC macros use __unused, which Linux has not. */
#define LOCAL		__attribute__((unused)) static

#define HOUR		13	/* 2026-11-24T08 */
#define KEY_MAX		200
#define CELLS_MAX	50000	/* keys times hours; 9 KiB each at most */
#define SOMPI		100000000
#define BAR_MAX		40
#define BAR_MIN		6
#define ROW_WIDTH	74	/* of a row, and of the space before a bar */

enum { O_JSON = 256 };

struct cell {
	RB_ENTRY(cell)	 entry;
	char		 hour[HOUR + 1];	/* "": all */
	char		*key;
	uint64_t	 requests;	/* that were signed */
	uint64_t	 signatures;
	uint64_t	 outflow;	/* sompi */
	uint64_t	 refusals;
	struct ia_hist	 hist;
};
RB_HEAD(cells, cell);

struct stats {
	struct ia_filter filter;
	struct ia_bad	 bad;
	struct cells	 cells;
	size_t		 ncells;
	struct ia_config config;
	bool		 json;
};

static const struct option	 options[] = {
	{ "since", required_argument, NULL, IA_O_SINCE },
	{ "until", required_argument, NULL, IA_O_UNTIL },
	{ "key", required_argument, NULL, IA_O_KEY },
	IA_LOG_OPTIONS,
	{ "json", no_argument, NULL, O_JSON },
	{ NULL, 0, NULL, 0 }
};

static int	 by_key(struct cell *, struct cell *);
static void	 add_up(uint64_t *, uint64_t);
static uint64_t	 number(const struct json *, const char *, uint64_t);
static uint64_t	 duration_us(const struct json *);
static struct cell *cell_of(struct stats *, const struct ia_head *,
		    const struct json *);
static int	 count(struct stats *, const struct ia_head *,
		    const struct json *);
static int	 read_file(struct stats *, struct ia_reader *,
		    const struct ia_file *, struct ia_progress *);
static int	 read_log(struct stats *, struct ia_files *);
static void	 print_json(const struct cell *);
static void	 print_bar(uint64_t, uint64_t, unsigned);
static void	 print_row(const struct cell *, uint64_t, unsigned);
static void	 print_table(struct stats *);
static void	 free_cells(struct stats *);

RB_PROTOTYPE_INTERNAL(cells, cell, entry, by_key, LOCAL)
RB_GENERATE_INTERNAL(cells, cell, entry, by_key, LOCAL)

static int
by_key(struct cell *a, struct cell *b)
{
	int	 c = strcmp(a->key, b->key);

	return c != 0 ? c : strcmp(a->hour, b->hour);
}

/* No sum of a forged log is to come out small. */
static void
add_up(uint64_t *sum, uint64_t n)
{
	*sum = n > UINT64_MAX - *sum ? UINT64_MAX : *sum + n;
}

static uint64_t
number(const struct json *root, const char *name, uint64_t otherwise)
{
	uint64_t	 v;

	return json_u64(json_get(root, name), UINT64_MAX, &v) == 0 ? v :
	    otherwise;
}

/* 12.345 milliseconds; UINT64_MAX when it is not that. */
static uint64_t
duration_us(const struct json *root)
{
	const struct json	*v = json_get(root, "duration_ms");
	uint64_t		 us = 0;
	size_t			 i, point = SIZE_MAX;

	if (v == NULL || v->type != JSON_NUMBER || v->text.len > 16)
		return UINT64_MAX;
	for (i = 0; i < v->text.len; i++) {
		if (v->text.p[i] == '.' && point == SIZE_MAX)
			point = i;
		else if (v->text.p[i] >= '0' && v->text.p[i] <= '9')
			us = us * 10 + (uint64_t)(v->text.p[i] - '0');
		else
			return UINT64_MAX;
	}
	return point != SIZE_MAX && v->text.len - point == 4 ? us : UINT64_MAX;
}

/* NULL with errno. */
static struct cell *
cell_of(struct stats *s, const struct ia_head *h, const struct json *root)
{
	const struct json	*v = json_get(root, "key_ref");
	struct cell		 find, *c;
	char			 key[KEY_MAX] = "-";
	size_t			 at = 0;

	if (v != NULL && v->type == JSON_STRING)
		ia_escape(key, sizeof(key), &at, v->text.p, v->text.len);
	memcpy(find.hour, h->time, HOUR);
	find.hour[HOUR] = '\0';
	find.key = key;
	if ((c = RB_FIND(cells, &s->cells, &find)) != NULL)
		return c;
	if (s->ncells == CELLS_MAX) {
		errno = EFBIG;
		return NULL;
	}
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	memcpy(c->hour, find.hour, sizeof(c->hour));
	if ((c->key = strdup(key)) == NULL) {
		free(c);
		return NULL;
	}
	s->ncells++;
	RB_INSERT(cells, &s->cells, c);
	return c;
}

static int
count(struct stats *s, const struct ia_head *h, const struct json *root)
{
	struct cell	*c;
	uint64_t	 us;
	bool		 signing = ia_event_is(h, "Signing");

	if (!signing && !ia_event_is(h, "PolicyDenied") &&
	    !ia_event_is(h, "RequestRejected"))
		return 0;
	if ((c = cell_of(s, h, root)) == NULL)
		return -1;
	if (!signing || !json_is_string(json_get(root, "result"), "Success")) {
		/* One record and all that it stands for. */
		add_up(&c->refusals, 1);
		add_up(&c->refusals, number(root, "suppressed", 0));
		return 0;
	}
	c->requests++;
	add_up(&c->signatures, number(root, "inputs", 0));
	add_up(&c->outflow, number(root, "outflow_sompi", 0));
	us = duration_us(root);
	return us == UINT64_MAX ? 0 : ia_hist_add(&c->hist, us);
}

/* 0, or -1 (errno). */
static int
read_file(struct stats *s, struct ia_reader *r, const struct ia_file *f,
    struct ia_progress *p)
{
	const struct json	*root;
	struct ia_line		 l;
	struct ia_head		 h;
	struct pool		 pool;
	int			 n, ret = 0;

	ia_reader_start(r, f->fd);
	while (ret == 0 && (n = ia_reader_next(r, &l)) == 1) {
		pool_init(&pool, IA_LINE_POOL);
		if (ia_query_line(&s->filter, f->path, &l, &pool, &h, &root,
		    &s->bad) == 1)
			ret = count(s, &h, root);
		pool_free(&pool);
		if (l.lineno % 1024 == 0)
			ia_progress(p, r->bytes);
	}
	return ret == 0 ? n : -1;
}

static int
read_log(struct stats *s, struct ia_files *fs)
{
	struct ia_progress	 p;
	struct ia_reader	 r;
	struct ia_file		 f;
	char			 err[256];
	int			 n, status = IA_OK;

	if (ia_reader_init(&r) == -1)
		fatal("cannot read");
	ia_progress_start(&p, fs);
	while ((n = ia_files_next(fs, &f, err, sizeof(err))) != 0) {
		if (n == 1 && read_file(s, &r, &f, &p) == -1) {
			(void)strlcpy(err, errno == EFBIG ? "too many keys "
			    "and hours: ask for less with --since, --until or "
			    "--key" : strerror(errno), sizeof(err));
			n = -1;
		}
		if (f.fd != -1)
			close(f.fd);
		if (n == 1)
			continue;
		ia_progress_end(&p);
		log_warnx("%s: %s", ia_safe(f.path), err);
		status = IA_CANNOT;
		break;
	}
	ia_progress_end(&p);
	ia_reader_free(&r);
	return status;
}

static void
print_json(const struct cell *c)
{
	struct json_out	 o;
	const char	*text;
	char		 ms[32];
	unsigned	 i;
	static const struct { const char *name; double percent; } shares[] = {
		{ "p50_ms", 50 }, { "p90_ms", 90 }, { "p99_ms", 99 },
		{ "max_ms", 100 }
	};
	uint64_t	 us;

	if (json_out_init(&o, 0) == -1)
		fatal("cannot print");
	json_out_begin_object(&o);
	json_put_string(&o, "hour", c->hour);
	json_put_string(&o, "key_ref", c->key);
	json_put_u64(&o, "requests", c->requests);
	json_put_u64(&o, "signatures", c->signatures);
	json_put_u64(&o, "outflow_sompi", c->outflow);
	json_put_u64(&o, "refusals", c->refusals);
	for (i = 0; c->hist.n > 0 && i < sizeof(shares) / sizeof(shares[0]);
	    i++) {
		us = ia_hist_at(&c->hist, shares[i].percent);
		(void)snprintf(ms, sizeof(ms), "%" PRIu64 ".%03" PRIu64,
		    us / 1000, us % 1000);
		json_out_key(&o, shares[i].name);
		json_out_raw(&o, ms, strlen(ms));
	}
	json_out_end_object(&o);
	if ((text = json_out_text(&o, NULL)) == NULL)
		fatalx("cannot print");
	puts(text);
	json_out_free(&o);
}

/* Eighths of a column where the terminal shows them. */
static void
print_bar(uint64_t n, uint64_t most, unsigned width)
{
	static const char *const eighth[] = {
		"", "\u258f", "\u258e", "\u258d", "\u258c", "\u258b", "\u258a",
		"\u2589"
	};
	bool		 blocks = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	unsigned	 parts;

	if (most == 0)
		return;
	parts = (unsigned)((double)n / (double)most * width * 8 + 0.5);
	if (n > 0 && parts == 0)
		parts = 1;
	if (!blocks)
		parts = (parts + 7) / 8 * 8;
	for (; parts >= 8; parts -= 8)
		(void)fputs(blocks ? "\u2588" : "#", stdout);
	(void)fputs(eighth[parts], stdout);
}

static void
print_row(const struct cell *c, uint64_t most, unsigned width)
{
	static const double	 shares[] = { 50, 90, 99 };
	uint64_t		 us;
	size_t			 i;

	if (c->hour[0] == '\0')
		printf("%-13s", "sum");
	else
		printf("%.10s %.2s", c->hour, c->hour + 11);
	printf(" %7" PRIu64 " %8" PRIu64 ".%08" PRIu64 " %7" PRIu64,
	    c->signatures, c->outflow / SOMPI, c->outflow % SOMPI,
	    c->refusals);
	for (i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		us = ia_hist_at(&c->hist, shares[i]);
		if (c->hist.n == 0)
			printf(" %7s", "-");
		else
			printf(" %7.1f", (double)us / 1000);
	}
	if (width > 0) {
		printf("  ");
		print_bar(c->signatures, most, width);
	}
	printf("\n");
}

static void
print_table(struct stats *s)
{
	struct cell	*c, all = { .key = NULL };
	const char	*key = NULL;
	uint64_t	 most = 0;
	unsigned	 width = ia_columns();

	/* Bars are for people. */
	width = width < ROW_WIDTH + BAR_MIN ? 0 : width - ROW_WIDTH;
	if (width > BAR_MAX)
		width = BAR_MAX;
	RB_FOREACH(c, cells, &s->cells)
		if (c->signatures > most)
			most = c->signatures;
	printf("%-13s %7s %17s %7s %7s %7s %7s\n", "HOUR (UTC)", "SIGNED",
	    "OUTFLOW (KAS)", "REFUSED", "P50 MS", "P90 MS", "P99 MS");
	RB_FOREACH(c, cells, &s->cells) {
		if (key == NULL || strcmp(key, c->key) != 0)
			printf("%s\n", strcmp(c->key, "-") == 0 ?
			    "(no key)" : c->key);
		key = c->key;
		print_row(c, most, width);
		add_up(&all.signatures, c->signatures);
		add_up(&all.outflow, c->outflow);
		add_up(&all.refusals, c->refusals);
		if (ia_hist_merge(&all.hist, &c->hist) == -1)
			fatal("cannot add up");
	}
	print_row(&all, 0, 0);
	ia_hist_free(&all.hist);
}

static void
free_cells(struct stats *s)
{
	struct cell	*c, *next;

	RB_FOREACH_SAFE(c, cells, &s->cells, next) {
		RB_REMOVE(cells, &s->cells, c);
		ia_hist_free(&c->hist);
		free(c->key);
		free(c);
	}
}

int
ia_cmd_stats(int argc, char **argv)
{
	struct stats	 s;
	struct ia_files	 fs;
	struct cell	*c;
	int		 opt, ret, status;

	memset(&s, 0, sizeof(s));
	RB_INIT(&s.cells);
	(void)setlocale(LC_CTYPE, "");
	while ((opt = getopt_long(argc, argv, "f:", options, NULL)) != -1) {
		ret = ia_filter_option(&s.filter, opt, optarg);
		if (ret == IA_USAGE)
			return ret;
		if (ia_config_option(&s.config, opt, optarg))
			continue;
		if (opt == O_JSON)
			s.json = true;
		else if (ret != IA_OK)
			return ia_usage();
	}
	if ((ret = ia_config_load(&s.config, optind < argc)) != IA_OK)
		return ret;
	if (ia_open(&fs, s.config.path, argv + optind,
	    (size_t)(argc - optind)) == -1)
		return IA_CANNOT;
	if ((status = ia_any(&fs, s.config.path)) == IA_OK)
		status = read_log(&s, &fs);
	ia_files_close(&fs);
	if (s.json)
		RB_FOREACH(c, cells, &s.cells)
			print_json(c);
	else
		print_table(&s);
	free_cells(&s);
	return ia_query_bad(&s.bad) != IA_OK && status == IA_OK ?
	    IA_BAD : status;
}
