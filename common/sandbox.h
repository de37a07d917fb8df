/*
 * What is left of the system to a daemon once it takes untrusted input.
 *
 * Linux (sandbox_linux.c, sandbox_seccomp.c): no new privileges; Landlock,
 * with all that the kernel's version of it can restrict; no memory that is or
 * becomes executable (MDWE); and a list of system calls per role, with their
 * arguments where those matter.  OpenBSD (sandbox_openbsd.c): unveil and
 * pledge.
 */
#ifndef IGRA_SANDBOX_H
#define IGRA_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

enum sandbox_role {
	SANDBOX_KEYD,
	SANDBOX_SIGND,
	SANDBOX_AUDITD,
	SANDBOX_JOURNAL,	/* igra-keyd's writer of its policy journal */
	SANDBOX_TOOL,		/* reads and writes what is open, no more */
	SANDBOX_READER		/* opens to read what it was given: igra-audit */
};

/* All that this one may use. */
#define SANDBOX_JOURNAL_SOCK	3	/* orders and answers */
#define SANDBOX_JOURNAL_FILE	4

struct sandbox {
	char	 text[128];	/* in force: "seccomp, landlock 7, mdwe, …" */
	char	 missing[256];	/* what is not, and why; "" when nothing */
	bool	 enough;	/* for mainnet */
};

/*
 * Cannot be undone, and opens nothing afterwards.  For one thread: there must
 * be no other.  path: for SANDBOX_AUDITD the directory that it keeps; for the
 * other daemons the socket they connect to; for SANDBOX_JOURNAL and
 * SANDBOX_TOOL NULL.  Fatal where new privileges cannot be given up; what else
 * fails is in missing, and the caller decides.
 */
void	sandbox_enter(enum sandbox_role, const char *path, struct sandbox *);

/*
 * The same for SANDBOX_READER, a program that reads files others have written
 * (igra-audit): it keeps these, files and directories with what is in them, to
 * be read, and what it has open.  One that is not there is passed over.
 */
void	sandbox_reader(const char *const *paths, size_t n, struct sandbox *);

/*
 * No core file; on Linux no trace and no /proc/pid/mem for the user's own other
 * processes either, until an exec or a change of user.  0, or -1 with errno.
 */
int	sandbox_no_dump(void);
/* Where there is a way, SIGTERM when the parent ends. */
void	sandbox_die_with_parent(void);

/*
 * What a text of struct sandbox, or one that a daemon sent, says of a feature
 * (sandbox_features[]): 0 not in force, else 1 or its version.
 */
unsigned	sandbox_feature(const char *text, const char *feature);
extern const char *const	 sandbox_features[];	/* ends with NULL */

/* For sandbox.c's own and its two systems. */
void	sandbox_has(struct sandbox *, const char *);
void	sandbox_lacks(struct sandbox *, const char *what, const char *why);

#ifdef __linux__
/* The filter of system calls.  0, or -1 with *errstr. */
int	sandbox_seccomp(enum sandbox_role, const char **errstr);
#endif

#endif
