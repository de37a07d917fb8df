/*
 * A daemon that attacks: linked only into builds with TEST_ENTRY=1.  Started
 * with IGRA_TEST_ATTACK set, such a daemon comes as far as its sandbox, and
 * tries from within it what a taken process would.
 */
#ifndef IGRA_TEST_ATTACK_H
#define IGRA_TEST_ATTACK_H

#include "common/sandbox.h"

#define ATTACK_DIRFD	9	/* a directory outside, left open by a mistake */
#define ATTACK_EXIT	42	/* of the program in it: it was run */

struct attack {
	const char	*name;
	/* -1 with errno, else it works. */
	long		 (*fn)(const struct attack *);
	long		 arg;
};

/* Where the attacks find things. */
struct attack_scene {
	enum sandbox_role	 role;
	const char		*dir;	/* the path of ATTACK_DIRFD */
	const char		*own;	/* the directory that this role sees */
	int			 parent;	/* pid of a process of the same user */
};
extern struct attack_scene	 scene;

extern const struct attack	 attack_files[], attack_calls[],
				    attack_sockets[];	/* name NULL at the end */

/*
 * Each attack, and with IGRA_TEST_ATTACK=sweep:DIR each number of a system
 * call, from a child that enters the sandbox first.  Prints a line for each.
 * path: as for sandbox_enter().
 */
void	attack_run(enum sandbox_role, const char *path, const char *how)
	    __attribute__((noreturn));

#endif
