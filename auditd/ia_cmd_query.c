/* igra-audit query, and checkpoint. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

#include "auditd/ia_checkpoint.h"
#include "auditd/ia_cmd.h"
#include "auditd/ia_config.h"
#include "auditd/ia_query.h"
#include "auditd/ia_text.h"

enum { O_LIMIT = 256, O_JSON, O_TABLE };

struct query_args {
	struct ia_filter	 filter;
	struct ia_output	 out;
	struct ia_bad		 bad;
	enum ia_form		 form;
	uint64_t		 limit;		/* 0: none */
	uint64_t		 shown;
	struct ia_config	 config;
};

/* The newest Checkpoint so far. */
struct newest {
	char	*line;
	size_t	 len;
	char	 path[PATH_MAX];
	uint64_t lineno;
};

static const struct option	 options[] = {
	IA_FILTER_OPTIONS,
	IA_LOG_OPTIONS,
	{ "limit", required_argument, NULL, O_LIMIT },
	{ "json", no_argument, NULL, O_JSON },
	{ "table", no_argument, NULL, O_TABLE },
	{ NULL, 0, NULL, 0 }
};

static int	 take_option(struct query_args *, int);
static bool	 enough(const struct query_args *);
static int	 query_file(struct query_args *, struct ia_reader *,
		    const struct ia_file *, struct ia_progress *);
static int	 newest_in(struct newest *, struct ia_reader *,
		    const struct ia_file *);
static int	 find_newest(struct newest *, struct ia_files *);
static int	 print_newest(const struct newest *);

int
ia_query_line(const struct ia_filter *f, const char *path,
    const struct ia_line *l, struct pool *pool, struct ia_head *h,
    const struct json **root, struct ia_bad *bad)
{
	char		 err[256];
	const char	*wrong;

	*root = NULL;
	if (l->kind == IA_TORN)
		return 0;
	wrong = l->kind == IA_LONG ? "longer than a line can be" :
	    ia_head_parse(l->p, l->len, h);
	if (wrong == NULL) {
		if (!ia_filter_head(f, h) || !ia_filter_text(f, l->p, l->len))
			return 0;
		*root = json_parse(pool, l->p, l->len, err, sizeof(err));
		if (*root != NULL)
			return ia_filter_json(f, *root);
		wrong = err;
	}
	if (bad->n++ == 0)
		log_warning("%s:%" PRIu64 ": no record, left out: %s",
		    ia_safe(path), l->lineno, wrong);
	return -1;
}

int
ia_query_bad(const struct ia_bad *bad)
{
	if (bad->n == 0)
		return IA_OK;
	if (bad->n > 1)
		log_warning("%" PRIu64 " lines were no records", bad->n);
	return IA_BAD;
}

static int
take_option(struct query_args *a, int opt)
{
	const char	*wrong;
	int		 ret;

	if ((ret = ia_filter_option(&a->filter, opt, optarg)) != -1)
		return ret;
	if (ia_config_option(&a->config, opt, optarg))
		return IA_OK;
	switch (opt) {
	case O_LIMIT:
		a->limit = (uint64_t)strtonum(optarg, 1, INT64_MAX, &wrong);
		return wrong == NULL ? IA_OK :
		    ia_bad_option("limit", "not a number from 1");
	case O_JSON:
		a->form = IA_FORM_JSON;
		return IA_OK;
	case O_TABLE:
		a->form = IA_FORM_TABLE;
		return IA_OK;
	}
	return ia_usage();
}

static bool
enough(const struct query_args *a)
{
	return (a->limit != 0 && a->shown == a->limit) || ferror(stdout);
}

/* 0, or -1 (errno) when the file cannot be read. */
static int
query_file(struct query_args *a, struct ia_reader *r, const struct ia_file *f,
    struct ia_progress *p)
{
	const struct json	*root;
	struct ia_line		 l;
	struct ia_head		 h;
	struct pool		 pool;
	int			 n = 0;

	ia_reader_start(r, f->fd);
	while (!enough(a) && (n = ia_reader_next(r, &l)) == 1) {
		pool_init(&pool, IA_LINE_POOL);
		if (ia_query_line(&a->filter, f->path, &l, &pool, &h, &root,
		    &a->bad) == 1) {
			ia_output_record(&a->out, &h, l.p, l.len, root);
			a->shown++;
		}
		pool_free(&pool);
		if (!a->out.terminal && l.lineno % 1024 == 0)
			ia_progress(p, r->bytes);
	}
	return n == -1 ? -1 : 0;
}

int
ia_cmd_query(int argc, char **argv)
{
	struct query_args	 a;
	struct ia_progress	 p;
	struct ia_reader	 r;
	struct ia_files		 fs;
	struct ia_file		 f;
	char			 err[256];
	int			 opt, n, status = IA_OK;

	memset(&a, 0, sizeof(a));
	while ((opt = getopt_long(argc, argv, "f:", options, NULL)) != -1)
		if ((status = take_option(&a, opt)) != IA_OK)
			return status;
	if ((status = ia_config_load(&a.config, optind < argc)) != IA_OK)
		return status;
	if (ia_open(&fs, a.config.path, argv + optind,
	    (size_t)(argc - optind)) == -1)
		return IA_CANNOT;
	if (ia_reader_init(&r) == -1)
		fatal("cannot read");
	ia_output_init(&a.out, a.form);
	ia_progress_start(&p, &fs);
	while (!enough(&a) &&
	    (n = ia_files_next(&fs, &f, err, sizeof(err))) != 0) {
		if (n == 1 && query_file(&a, &r, &f, &p) == -1) {
			(void)strlcpy(err, strerror(errno), sizeof(err));
			n = -1;
		}
		if (n == -1) {
			log_warnx("%s: %s", ia_safe(f.path), err);
			status = IA_CANNOT;
		}
		if (f.fd != -1)
			close(f.fd);
	}
	ia_progress_end(&p);
	ia_reader_free(&r);
	if (ia_any(&fs, a.config.path) != IA_OK)
		status = IA_CANNOT;
	ia_files_close(&fs);
	return ia_query_bad(&a.bad) != IA_OK && status == IA_OK ?
	    IA_BAD : status;
}

/* 0, or -1 (errno). */
static int
newest_in(struct newest *newest, struct ia_reader *r, const struct ia_file *f)
{
	struct ia_line	 l;
	struct ia_head	 h;
	int		 n;

	ia_reader_start(r, f->fd);
	while ((n = ia_reader_next(r, &l)) == 1) {
		if (l.kind != IA_LINE ||
		    ia_head_parse(l.p, l.len, &h) != NULL ||
		    !ia_event_is(&h, "Checkpoint"))
			continue;
		free(newest->line);
		if ((newest->line = malloc(l.len)) == NULL)
			return -1;
		memcpy(newest->line, l.p, l.len);
		newest->len = l.len;
		newest->lineno = l.lineno;
		(void)strlcpy(newest->path, f->path, sizeof(newest->path));
	}
	return n;
}

/* From the last file backwards.  0 or -1, which it has told. */
static int
find_newest(struct newest *newest, struct ia_files *fs)
{
	struct ia_reader	 r;
	struct ia_file		 f;
	char			 err[256];
	size_t			 i;
	int			 ret = 0;

	if (ia_reader_init(&r) == -1)
		fatal("cannot read");
	for (i = ia_files_count(fs); ret == 0 && newest->line == NULL &&
	    i > 0; i--) {
		ret = ia_files_get(fs, i - 1, &f, err, sizeof(err));
		if (ret == 0 && (ret = newest_in(newest, &r, &f)) == -1)
			(void)strlcpy(err, strerror(errno), sizeof(err));
		if (ret == -1)
			log_warnx("%s: %s", ia_safe(f.path), err);
		if (f.fd != -1)
			close(f.fd);
	}
	ia_reader_free(&r);
	return ret;
}

static int
print_newest(const struct newest *newest)
{
	struct ia_checkpoint	 cp;
	struct ia_head		 h;
	const char		*wrong;

	(void)ia_head_parse(newest->line, newest->len, &h);
	wrong = ia_checkpoint_parse(newest->line, newest->len, &h, &cp);
	if (wrong == NULL && !cp.canonical)
		wrong = "the Checkpoint is not as igra-auditd writes it";
	if (wrong != NULL) {
		log_warnx("%s:%" PRIu64 ": seq %" PRIu64 ": %s",
		    ia_safe(newest->path), newest->lineno, h.seq, wrong);
		return IA_BAD;
	}
	/* A canonical line is plain ASCII. */
	(void)fwrite(newest->line, 1, newest->len, stdout);
	return IA_OK;
}

int
ia_cmd_checkpoint(int argc, char **argv)
{
	static const struct option	 log_only[] = {
		IA_LOG_OPTIONS,
		{ NULL, 0, NULL, 0 }
	};
	struct ia_config	 config;
	struct newest		 newest;
	struct ia_files		 fs;
	int			 opt, status;

	memset(&config, 0, sizeof(config));
	while ((opt = getopt_long(argc, argv, "f:", log_only, NULL)) != -1)
		if (!ia_config_option(&config, opt, optarg))
			return ia_usage();
	if ((status = ia_config_load(&config, optind < argc)) != IA_OK)
		return status;
	memset(&newest, 0, sizeof(newest));
	status = IA_CANNOT;
	if (ia_open(&fs, config.path, argv + optind, (size_t)(argc - optind)) == -1)
		return IA_CANNOT;
	if (find_newest(&newest, &fs) == 0) {
		if (newest.line != NULL)
			status = print_newest(&newest);
		else
			log_warnx("there is no Checkpoint yet");
	}
	free(newest.line);
	ia_files_close(&fs);
	return status;
}
