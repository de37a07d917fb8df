/* What the commands of igra-audit share. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/sandbox.h"

#include "auditd/ia_cmd.h"
#include "auditd/ia_text.h"
#ifdef IGRA_TEST_ENTRY
#include "tests/sandbox/attack.h"
#endif

#define SHOW_AFTER	1000	/* ms */
#define SHOW_EVERY	200
#define MIB		(1024.0 * 1024.0)

static uint64_t	 now_ms(void);

int
ia_usage(void)
{
	ia_help(stderr);
	return IA_USAGE;
}

void
ia_help(FILE *f)
{
	(void)fprintf(f,
	    "usage: igra-audit verify [-q] [--pub HEX] "
	    "[--anchor SEQ:HEAD | --anchor FILE]\n"
	    "           [--from-checkpoint FILE] [--sealed] [-f CONFIG] "
	    "[--log PATH] [FILE ...]\n"
	    "       igra-audit query [--since TIME] [--until TIME] "
	    "[--seq N[-M]] [--event TYPE]\n"
	    "           [--key NAME] [--result RESULT] [--request-id ID] "
	    "[--tx ID]\n"
	    "           [--limit N] [--json | --table] [-f CONFIG] "
	    "[--log PATH] [FILE ...]\n"
	    "       igra-audit follow [-n LINES] [query's filters] "
	    "[--json | --table]\n"
	    "           [-f CONFIG] [--log PATH]\n"
	    "       igra-audit stats [--since TIME] [--until TIME] "
	    "[--key NAME] [--json]\n"
	    "           [-f CONFIG] [--log PATH] [FILE ...]\n"
	    "       igra-audit checkpoint [-f CONFIG] [--log PATH] [FILE ...]\n"
	    "       igra-audit -h\n");
}

int
ia_bad_option(const char *option, const char *wrong)
{
	log_warnx("--%s: %s", option, wrong);
	return IA_USAGE;
}

int
ia_open(struct ia_files *fs, const char *path, char *const *files, size_t n)
{
	char	 err[PATH_MAX + 128];

	if (n > 0) {
		ia_files_operands(fs, files, n);
		ia_confine((const char *const *)files, n);
		return 0;
	}
	if (ia_files_open(fs, path, err, sizeof(err)) == -1) {
		log_warnx("%s", ia_safe(err));
		return -1;
	}
	path = fs->dir;
	ia_confine(&path, 1);
	return 0;
}

int
ia_any(const struct ia_files *fs, const char *path)
{
	if (ia_files_count(fs) != 0)
		return IA_OK;
	log_warnx("%s: there is no log", ia_safe(path));
	return IA_CANNOT;
}

void
ia_confine(const char *const *paths, size_t n)
{
	struct sandbox	 s;

#ifdef IGRA_TEST_ENTRY
	if (getenv("IGRA_TEST_ATTACK") != NULL)
		attack_run(SANDBOX_READER, *paths, getenv("IGRA_TEST_ATTACK"));
#endif
	sandbox_reader(paths, n, &s);
	if (!s.enough)
		log_warning("no sandbox of %s", s.missing);
}

int
ia_flush(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	log_warn("standard output");
	return IA_CANNOT;
}

static uint64_t
now_ms(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void
ia_progress_start(struct ia_progress *p, const struct ia_files *fs)
{
	memset(p, 0, sizeof(*p));
	if (!(p->on = isatty(STDERR_FILENO) == 1))
		return;
	p->total = ia_files_bytes(fs);
	p->start = now_ms();
	p->last = p->start + SHOW_AFTER - SHOW_EVERY;
}

void
ia_progress(struct ia_progress *p, uint64_t bytes)
{
	uint64_t	 now;
	double		 share;

	if (!p->on || (now = now_ms()) < p->last + SHOW_EVERY)
		return;
	p->last = now;
	p->shown = true;
	/* Of a pipe nobody knows how much there is. */
	if (p->total == 0)
		(void)fprintf(stderr, "\r%.0f MiB", (double)bytes / MIB);
	else {
		share = (double)bytes / (double)p->total;
		(void)fprintf(stderr, "\r%3.0f %% of %.0f MiB",
		    share > 1 ? 100 : share * 100, (double)p->total / MIB);
	}
	(void)fprintf(stderr, ", %.0f MiB/s ",
	    (double)bytes / MIB * 1000 / (double)(now - p->start + 1));
}

void
ia_progress_end(struct ia_progress *p)
{
	if (p->shown)
		(void)fprintf(stderr, "\r%50s\r", "");
	p->on = false;
}
