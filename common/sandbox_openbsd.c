#ifdef __OpenBSD__
/*
 * unveil hides the file system, pledge what a promise does not name.  Of what
 * is promised here, "unix" is for connect(2) and accept(2) on path sockets;
 * there is no promise for mlock(2), so the arena is made before.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sandbox.h"

static const char *const promises[] = {
	[SANDBOX_KEYD] = "stdio unix",
	[SANDBOX_SIGND] = "stdio unix",
	[SANDBOX_AUDITD] = "stdio unix rpath wpath cpath fattr flock",
	[SANDBOX_JOURNAL] = "stdio",
	[SANDBOX_TOOL] = "stdio",
	[SANDBOX_READER] = "stdio rpath",
};

/* igra-auditd's directory; of the others', one socket to connect to. */
static const char *const unveiled[] = {
	[SANDBOX_KEYD] = "w",
	[SANDBOX_SIGND] = "w",
	[SANDBOX_AUDITD] = "rwc",
	[SANDBOX_JOURNAL] = NULL,
	[SANDBOX_READER] = "r",
};

static void	enter(enum sandbox_role, const char *const *, size_t,
		    struct sandbox *);

static void
enter(enum sandbox_role role, const char *const *paths, size_t n,
    struct sandbox *s)
{
	size_t	 i;
	bool	 hidden = true;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < n && hidden; i++)
		if (unveil(paths[i], unveiled[role]) == -1 &&
		    (role != SANDBOX_READER || errno != ENOENT))
			hidden = false;
	if (!hidden || unveil(NULL, NULL) == -1)
		sandbox_lacks(s, "unveil", strerror(errno));
	else
		sandbox_has(s, "unveil");
	if (pledge(promises[role], NULL) == -1)
		sandbox_lacks(s, "pledge", strerror(errno));
	else
		sandbox_has(s, "pledge");
	s->enough = s->missing[0] == '\0';
}

void
sandbox_enter(enum sandbox_role role, const char *path, struct sandbox *s)
{
	enter(role, &path, path != NULL, s);
}

void
sandbox_reader(const char *const *paths, size_t n, struct sandbox *s)
{
	enter(SANDBOX_READER, paths, n, s);
}
#endif
