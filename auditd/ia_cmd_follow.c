/* igra-audit follow: the log as it grows, over its rotations. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"

#include "auditd/ia_cmd.h"
#include "auditd/ia_config.h"
#include "auditd/ia_query.h"
#include "auditd/ia_text.h"

#define POLL_MS		250
#define SHOW		10	/* lines of before */

enum { O_JSON = 256, O_TABLE };

struct follow {
	struct ia_filter	 filter;
	struct ia_output	 out;
	struct ia_bad		 bad;
	struct ia_reader	 r;
	struct ia_config	 config;
	uint64_t		 show;
	char			 active[PATH_MAX]; /* the log being written */
	struct ia_file		 f;		/* fd -1: none yet */
	uint64_t		 first_seq;	/* of the file; 0: not known */
	off_t			 at;		/* lines up to here are done */
	uint64_t		 skip;		/* matches not to be shown */
	bool			 have;
	bool			 confined;
	uint64_t		 last_seq;
	char			 head[IA_HEX];
};

static const struct option	 options[] = {
	IA_FILTER_OPTIONS,
	IA_LOG_OPTIONS,
	{ "json", no_argument, NULL, O_JSON },
	{ "table", no_argument, NULL, O_TABLE },
	{ NULL, 0, NULL, 0 }
};

static int	 take_args(struct follow *, int, char **);
static void	 check_chain(struct follow *, const struct ia_line *,
		    const struct ia_head *);
static void	 line(struct follow *, const struct ia_line *);
static void	 drain(struct follow *);
static uint64_t	 count(struct follow *);
static bool	 replaced(const struct follow *);
static bool	 is_same(int, const struct ia_file *);
static void	 take_file(struct follow *, const struct ia_file *);
static void	 next_file(struct follow *);
static void	 shrunk(struct follow *);
static void	 start(struct follow *);

static int
take_args(struct follow *w, int argc, char **argv)
{
	enum ia_form	 form = IA_FORM_AUTO;
	const char	*wrong;
	int		 opt, ret;

	w->show = SHOW;
	while ((opt = getopt_long(argc, argv, "f:n:", options, NULL)) != -1) {
		ret = ia_filter_option(&w->filter, opt, optarg);
		if (ret == IA_USAGE)
			return ret;
		if (ret == IA_OK || ia_config_option(&w->config, opt, optarg))
			continue;
		switch (opt) {
		case O_JSON:
			form = IA_FORM_JSON;
			break;
		case O_TABLE:
			form = IA_FORM_TABLE;
			break;
		case 'n':
			w->show = (uint64_t)strtonum(optarg, 0, INT64_MAX,
			    &wrong);
			if (wrong != NULL) {
				log_warnx("-n: %s", wrong);
				return IA_USAGE;
			}
			break;
		default:
			return ia_usage();
		}
	}
	if (optind != argc)
		return ia_usage();
	ia_output_init(&w->out, form);
	return ia_config_load(&w->config, false);
}

static void
check_chain(struct follow *w, const struct ia_line *l, const struct ia_head *h)
{
	if (w->have && (h->seq != w->last_seq + 1 ||
	    memcmp(h->prev, w->head, IA_HEX) != 0))
		log_alert("%s:%" PRIu64 ": seq %" PRIu64 " does not follow seq "
		    "%" PRIu64 ": igra-audit verify says more",
		    ia_safe(w->f.path), l->lineno, h->seq, w->last_seq);
	ia_hash(l->p, l->len, w->head);
	w->last_seq = h->seq;
	w->have = true;
	if (w->first_seq == 0)
		w->first_seq = h->seq;
}

static void
line(struct follow *w, const struct ia_line *l)
{
	const struct json	*root;
	struct ia_head		 h;
	struct pool		 pool;

	if (l->kind == IA_LINE && ia_head_parse(l->p, l->len, &h) == NULL)
		check_chain(w, l, &h);
	pool_init(&pool, IA_LINE_POOL);
	if (ia_query_line(&w->filter, w->f.path, l, &pool, &h, &root,
	    &w->bad) == 1) {
		if (w->skip > 0)
			w->skip--;
		else
			ia_output_record(&w->out, &h, l->p, l->len, root);
	}
	pool_free(&pool);
}

/* All lines that are there. */
static void
drain(struct follow *w)
{
	struct ia_line	 l;
	int		 n;

	while ((n = ia_reader_more(&w->r, &l)) == 1) {
		w->at += (off_t)l.len;
		line(w, &l);
	}
	if (n == -1)
		fatal("%s", ia_safe(w->f.path));
	if (ia_flush(IA_OK) != IA_OK)
		exit(IA_CANNOT);
}

/* How many records of the file the filter lets through. */
static uint64_t
count(struct follow *w)
{
	const struct json	*root;
	struct ia_bad		 bad = { 1 };	/* told when they are shown */
	struct ia_line		 l;
	struct ia_head		 h;
	struct pool		 pool;
	uint64_t		 n = 0;

	ia_reader_start(&w->r, w->f.fd);
	while (ia_reader_more(&w->r, &l) == 1) {
		pool_init(&pool, IA_LINE_POOL);
		n += ia_query_line(&w->filter, w->f.path, &l, &pool, &h,
		    &root, &bad) == 1;
		pool_free(&pool);
	}
	return n;
}

static bool
is_same(int fd, const struct ia_file *f)
{
	struct stat	 a, b;

	return fd != -1 && f->fd != -1 && fstat(fd, &a) == 0 &&
	    fstat(f->fd, &b) == 0 && a.st_dev == b.st_dev &&
	    a.st_ino == b.st_ino;
}

/* Is the file no longer the one that is being written? */
static bool
replaced(const struct follow *w)
{
	struct stat	 a, b;

	if (w->f.fd == -1)
		return true;
	return fstat(w->f.fd, &a) == -1 || lstat(w->active, &b) == -1 ||
	    a.st_dev != b.st_dev || a.st_ino != b.st_ino;
}

static void
take_file(struct follow *w, const struct ia_file *f)
{
	if (w->f.fd != -1)
		close(w->f.fd);
	w->f = *f;
	w->first_seq = 0;
	w->at = 0;
	ia_reader_start(&w->r, w->f.fd);
}

/* The one that comes after the file at hand, if it is there already. */
static void
next_file(struct follow *w)
{
	struct ia_files	 fs;
	struct ia_file	 f;
	char		 err[PATH_MAX + 128];
	const char	*dir = fs.dir;
	uint64_t	 after;
	size_t		 i;

	if (ia_files_open(&fs, w->config.path, err, sizeof(err)) == -1)
		return;
	if (!w->confined)
		ia_confine(&dir, 1);
	w->confined = true;
	(void)snprintf(w->active, sizeof(w->active), "%.*s/%s",
	    (int)(sizeof(w->active) - NAME_MAX - 2), fs.dir, fs.active_name);
	after = w->first_seq != 0 ? w->first_seq : w->last_seq;
	/* Without a line at hand the log itself is the first one. */
	for (i = after == 0 ? fs.nclosed : 0; i < fs.nclosed; i++)
		if (fs.closed[i].seq > after)
			break;
	if (i < ia_files_count(&fs) &&
	    ia_files_get(&fs, i, &f, err, sizeof(err)) == 0) {
		if (is_same(f.fd, &w->f)) {
			/* It only got another name. */
			(void)strlcpy(w->f.path, f.path, sizeof(w->f.path));
			close(f.fd);
		} else
			take_file(w, &f);
	}
	ia_files_close(&fs);
}

/* What was not synced has been taken back. */
static void
shrunk(struct follow *w)
{
	struct stat	 st;
	off_t		 read_to;

	read_to = w->at + (off_t)(w->r.end - w->r.start);
	if (w->f.fd == -1 || fstat(w->f.fd, &st) == -1 ||
	    st.st_size >= read_to)
		return;
	if (st.st_size < w->at) {
		log_warning("%s is shorter than it was: the last lines shown "
		    "are gone", ia_safe(w->f.path));
		w->at = st.st_size;
		w->have = false;
	}
	ia_reader_start(&w->r, w->f.fd);
	if (lseek(w->f.fd, w->at, SEEK_SET) == -1)
		fatal("%s", ia_safe(w->f.path));
}

static void
start(struct follow *w)
{
	uint64_t	 n;

	next_file(w);
	if (w->f.fd == -1) {
		log_info("%s: waiting for it", ia_safe(w->config.path));
		return;
	}
	n = count(w);
	w->skip = n > w->show ? n - w->show : 0;
	if (lseek(w->f.fd, 0, SEEK_SET) == -1)
		fatal("%s", ia_safe(w->f.path));
	ia_reader_start(&w->r, w->f.fd);
}

int
ia_cmd_follow(int argc, char **argv)
{
	static struct follow	 w;
	const struct timespec	 pause = { 0, POLL_MS * 1000000L };
	bool			 moved;
	int			 status;

	w.f.fd = -1;
	if ((status = take_args(&w, argc, argv)) != IA_OK)
		return status;
	if (ia_reader_init(&w.r) == -1)
		fatal("cannot read");
	start(&w);
	for (;;) {
		shrunk(&w);
		/* Asked before the last of the old file is read. */
		moved = replaced(&w);
		if (w.f.fd != -1)
			drain(&w);
		if (moved)
			next_file(&w);
		else
			(void)nanosleep(&pause, NULL);
		if (moved && replaced(&w))
			(void)nanosleep(&pause, NULL);
	}
}
