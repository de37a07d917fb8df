/*
 * Passphrases and values on their way into a tool: from a prompt without
 * echo, a file, a descriptor, or (where that is allowed) the command line.
 * They live in memory of sodium_malloc() only.
 */
#ifndef IGRA_READPASS_H
#define IGRA_READPASS_H

#include <stdbool.h>
#include <stddef.h>

#define READPASS_LINE	4096		/* bytes of a line, with its NUL */

/* Bytes and, behind them, a NUL; zero-initialise, then secret_free() it. */
struct secret {
	char	*p;
	size_t	 len;
	size_t	 cap;		/* without the NUL */
};

/* No core files, no ptrace: what a tool does before it reads a secret. */
void	 readpass_init(void);

/* Empty, with room for cap bytes; frees what was there.  0, or -1 (ENOMEM). */
int	 secret_alloc(struct secret *, size_t cap);
int	 secret_set(struct secret *, const void *, size_t);
void	 secret_free(struct secret *);
/* Takes a word of argv over and overwrites it there, as ps(1) shows it. */
int	 secret_take_arg(struct secret *, char *arg);
/* The same with a variable of the environment; false when it is not set. */
bool	 secret_take_env(struct secret *, const char *name);

/* Is there a terminal to ask at? */
bool	 readpass_have_tty(void);
/*
 * One line without echo from /dev/tty.  Without a terminal: one line of
 * standard input, no prompt.  -1: err says why (end of file, too long).
 */
int	 readpass_prompt(const char *prompt, struct secret *, char *err,
	    size_t errlen);
/* Asks at the terminal twice, until both agree (three rounds). */
int	 readpass_new(const char *prompt, struct secret *, char *err,
	    size_t errlen);
/*
 * One line of a descriptor, byte by byte, so that what follows is still
 * there; without its newline (or CR LF).
 */
int	 readpass_fd(int fd, struct secret *, char *err, size_t errlen);
/* All of a descriptor up to max bytes, as it is. */
int	 readpass_all(int fd, size_t max, struct secret *, char *err,
	    size_t errlen);
/*
 * A file's only line; "-" is one line of standard input.  A regular file that
 * group or others may read or write is refused, or with loose_ok read all the
 * same, with a warning in err (empty otherwise).  The group may read one in
 * CREDENTIALS_DIRECTORY.
 */
int	 readpass_file(const char *path, bool loose_ok, struct secret *,
	    char *err, size_t errlen);
/* The same, all of the file up to max bytes, as it is. */
int	 readpass_file_all(const char *path, bool loose_ok, size_t max,
	    struct secret *, char *err, size_t errlen);

/* Cuts one newline (or CR LF) off the end. */
void	 secret_chomp(struct secret *);

#endif
