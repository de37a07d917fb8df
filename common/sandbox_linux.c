#ifdef __linux__
/*
 * no_new_privs, Landlock and MDWE; the filter of system calls comes last,
 * since it forbids what sets these up.
 *
 * Landlock's system calls and structures are written down here: libc has no
 * functions for them, and the headers of a distribution are often older than
 * the kernel that runs.  Source: the kernel's
 * Documentation/userspace-api/landlock.rst and include/uapi/linux/landlock.h.
 */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "sandbox.h"

/* Since Linux 6.3, newer than many headers. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE		65
#define PR_GET_MDWE		66
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

/* The numbers are the same on every architecture. */
#define NR_CREATE_RULESET	444
#define NR_ADD_RULE		445
#define NR_RESTRICT_SELF	446

#define CREATE_RULESET_VERSION	1U
#define RULE_PATH_BENEATH	1

#define FS_EXECUTE		(1ULL << 0)
#define FS_WRITE_FILE		(1ULL << 1)
#define FS_READ_FILE		(1ULL << 2)
#define FS_READ_DIR		(1ULL << 3)
#define FS_REMOVE_FILE		(1ULL << 5)
#define FS_MAKE_REG		(1ULL << 8)
#define FS_TRUNCATE		(1ULL << 14)
/* Version 1 had 13 rights; 2 added REFER, 3 TRUNCATE, 5 IOCTL_DEV. */
#define FS_ALL(abi)		((1ULL << ((abi) >= 5 ? 16 :		\
				    (abi) >= 3 ? 15 : (abi) >= 2 ? 14 : 13)) - 1)
#define NET_ALL			3ULL	/* bind and connect TCP: version 4 */
#define SCOPE_ALL		3ULL	/* abstract sockets, signals: 6 */
/* The last of which we use all that it restricts. */
#define ABI_KNOWN		7

/* What igra-auditd does in its directory; it never runs or links anything. */
#define FS_AUDITD		(FS_WRITE_FILE | FS_READ_FILE | FS_READ_DIR | \
				    FS_REMOVE_FILE | FS_MAKE_REG | FS_TRUNCATE)

struct ruleset_attr {
	uint64_t	 fs;
	uint64_t	 net;
	uint64_t	 scoped;
};

struct path_beneath_attr {
	uint64_t	 access;
	int32_t		 fd;
} __attribute__((packed));

static void	landlock(enum sandbox_role, const char *const *, size_t,
		    struct sandbox *);
static int	landlock_ruleset(int);
static int	landlock_keep(int, uint64_t, enum sandbox_role, const char *);
static void	enter(enum sandbox_role, const char *const *, size_t,
		    struct sandbox *);
static void	mdwe(struct sandbox *);

/* That allows nothing. */
static int
landlock_ruleset(int abi)
{
	struct ruleset_attr	 attr;

	/* A kernel takes a longer structure if what it lacks is zero. */
	memset(&attr, 0, sizeof(attr));
	attr.fs = FS_ALL(abi);
	if (abi >= 4)
		attr.net = NET_ALL;
	if (abi >= 6)
		attr.scoped = SCOPE_ALL;
	return (int)syscall(NR_CREATE_RULESET, &attr, sizeof(attr), 0);
}

/* But what the role does there.  -1 with errno. */
static int
landlock_keep(int ruleset, uint64_t all, enum sandbox_role role,
    const char *path)
{
	struct path_beneath_attr	 beneath;
	struct stat			 st;
	int				 fd, ret, saved;

	if ((fd = open(path, O_PATH | O_CLOEXEC)) == -1)
		return role == SANDBOX_READER ? 0 : -1;
	memset(&beneath, 0, sizeof(beneath));
	beneath.access = role == SANDBOX_AUDITD ? FS_AUDITD & all :
	    FS_READ_FILE;
	if (role == SANDBOX_READER && fstat(fd, &st) == 0 &&
	    S_ISDIR(st.st_mode))
		beneath.access |= FS_READ_DIR;
	beneath.fd = fd;
	ret = (int)syscall(NR_ADD_RULE, ruleset, RULE_PATH_BENEATH, &beneath,
	    0);
	saved = errno;
	close(fd);
	errno = saved;
	return ret;
}

static void
landlock(enum sandbox_role role, const char *const *paths, size_t n,
    struct sandbox *s)
{
	char	 text[32];
	size_t	 i;
	int	 abi, fd, rc;

	abi = (int)syscall(NR_CREATE_RULESET, NULL, 0,
	    CREATE_RULESET_VERSION);
	if (abi < 1) {
		sandbox_lacks(s, "landlock", strerror(errno));
		return;
	}
	if (abi > ABI_KNOWN)
		abi = ABI_KNOWN;
	fd = rc = landlock_ruleset(abi);
	for (i = 0; i < n && rc != -1; i++)
		rc = landlock_keep(fd, FS_ALL(abi), role, paths[i]);
	if (rc == -1 || syscall(NR_RESTRICT_SELF, fd, 0) == -1) {
		sandbox_lacks(s, "landlock", strerror(errno));
	} else {
		(void)snprintf(text, sizeof(text), "landlock %d", abi);
		sandbox_has(s, text);
	}
	if (fd != -1)
		close(fd);
}

/* Not missed where it is not: the filter refuses PROT_EXEC as well. */
static void
mdwe(struct sandbox *s)
{
	if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0UL, 0UL, 0UL) == 0 &&
	    prctl(PR_GET_MDWE, 0UL, 0UL, 0UL, 0UL) ==
	    PR_MDWE_REFUSE_EXEC_GAIN)
		sandbox_has(s, "mdwe");
}

void
sandbox_enter(enum sandbox_role role, const char *path, struct sandbox *s)
{
	enter(role, &path, role == SANDBOX_AUDITD || role == SANDBOX_READER,
	    s);
}

void
sandbox_reader(const char *const *paths, size_t n, struct sandbox *s)
{
	enter(SANDBOX_READER, paths, n, s);
}

static void
enter(enum sandbox_role role, const char *const *paths, size_t n,
    struct sandbox *s)
{
	const char	*errstr;
	bool		 on = true;

	memset(s, 0, sizeof(*s));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) == -1 ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0UL, 0UL, 0UL, 0UL) != 1)
		fatal("cannot give up new privileges");
	sandbox_has(s, "no_new_privs");
#ifdef IGRA_SANITIZED
	/*
	 * The sanitizers open /proc, start a thread to trace the process and
	 * map what they like.  This build is for tests and says so.
	 */
	on = false;
#endif
#ifdef IGRA_TEST_ENTRY
	/* For valgrind, and to see the attacks of tests/sandbox succeed. */
	if (getenv("IGRA_TEST_NO_SANDBOX") != NULL)
		on = false;
#endif
	if (!on) {
		sandbox_lacks(s, "seccomp, landlock", "a build for tests");
		s->enough = true;
		return;
	}
	landlock(role, paths, n, s);
	mdwe(s);
	if (sandbox_seccomp(role, &errstr) == 0)
		sandbox_has(s, "seccomp");
	else
		sandbox_lacks(s, "seccomp", errstr);
	s->enough = s->missing[0] == '\0';
}
#endif
