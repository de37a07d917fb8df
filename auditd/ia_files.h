/*
 * The files of a log in their order: the closed ones by the seq in their
 * names, then the one being written.  Or files that the operator names, in
 * the order given.
 */
#ifndef IGRA_IA_FILES_H
#define IGRA_IA_FILES_H

#include <sys/types.h>

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IA_UTC		16	/* 20261124T082641Z */
#define IA_FILES_MAX	4000000	/* closed files of one log */

/* Of a closed file; its whole name follows from this. */
struct ia_name {
	uint64_t	 seq;
	char		 utc[IA_UTC + 1];
};

struct ia_files {
	char		 dir[PATH_MAX];
	char		 base[NAME_MAX + 1];	/* key-audit */
	char		 active_name[NAME_MAX + 1];
	int		 dirfd;			/* -1: operands */
	struct ia_name	*closed;
	size_t		 nclosed;
	int		 active;		/* -1: none */
	int		 active_errno;		/* why */
	char *const	*operand;
	size_t		 noperands;
	size_t		 at;
};

struct ia_file {
	int		 fd;
	char		 path[PATH_MAX];
	uint64_t	 name_seq;	/* first seq, says the name; 0: does not */
	bool		 last;
};

/*
 * path: the log being written, or its directory.  What is opened and listed
 * belongs together even if igra-auditd rotates meanwhile.  No closed file and
 * no log is no error.  0, or -1 with the reason in err.
 */
int	ia_files_open(struct ia_files *, const char *path, char *err, size_t);
/* "-" is standard input. */
void	ia_files_operands(struct ia_files *, char *const *, size_t n);
void	ia_files_close(struct ia_files *);
/* How many there are, and their bytes together as of now. */
size_t	ia_files_count(const struct ia_files *);
uint64_t ia_files_bytes(const struct ia_files *);

/*
 * Opens the next one: 1 with f (close f->fd), 0 after the last, -1 with the
 * reason in err; f->path says which.  Links and what is no regular file are
 * errors in a log's directory.
 */
int	ia_files_next(struct ia_files *, struct ia_file *, char *err, size_t);
/* Any of them: 0 <= i < ia_files_count.  0 or -1. */
int	ia_files_get(const struct ia_files *, size_t i, struct ia_file *,
	    char *err, size_t);

/* NAME is BASE.UTC.SEQ.log, written as igra-auditd writes it? */
bool	ia_name_parse(const char *base, const char *name, struct ia_name *);

#endif
