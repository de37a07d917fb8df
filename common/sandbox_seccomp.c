#ifdef __linux__
/*
 * The system calls of each role, and what becomes of the others:
 *
 * - What a role needs is allowed, with its arguments where they matter: no
 *   memory that can be executed, no socket but a Unix stream, no resource
 *   limit of its own changed, no signal but to itself, and a reader opens to
 *   read.
 * - What takes a path, and what libc asks for on an occasion of its own
 *   (tzset(3) opens a file, qsort(3) asks for the size of the memory), gets
 *   EACCES: it has a way to go on.
 * - What is newer than this list gets ENOSYS, as from an older kernel: a new
 *   libc tries such calls and goes on without them.
 * - All else kills the process.  Nothing here starts a program, a thread or a
 *   trace by mistake, and who wants to is not to have a second try.  The
 *   kernel's log names the system call.
 *
 * The names are looked up when the filter is made: an older libseccomp, or
 * another architecture, does not know all of them.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <linux/fs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <seccomp.h>

#include "sandbox.h"

#define K	(1U << SANDBOX_KEYD)
#define S	(1U << SANDBOX_SIGND)
#define A	(1U << SANDBOX_AUDITD)
#define J	(1U << SANDBOX_JOURNAL)
#define T	(1U << SANDBOX_TOOL)
#define R	(1U << SANDBOX_READER)
#define DAEMONS	(K | S | A)
#define ALL	(DAEMONS | T | R)

/* Linux 6.1 ends with the first (set_mempolicy_home_node), 6.18 at 470. */
#define LAST_KNOWN	450
#define LAST_NEW	599

#define MAXCMP	3

struct call {
	const char		*name;
	unsigned		 roles;
	unsigned		 ncmp;
	struct scmp_arg_cmp	 cmp[MAXCMP];
};

#define NOEXEC(arg)	1, { { arg, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } }
#define EQ(arg, value)	1, { { arg, SCMP_CMP_EQ, value, 0 } }
#define READ_ONLY(arg)	1, { { arg, SCMP_CMP_MASKED_EQ, \
			    O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY } }

static const struct call	 allowed[] = {
	/* Memory. */
	{ "brk",		ALL, 0, { { 0 } } },
	{ "mmap",		ALL, NOEXEC(2) },
	{ "mprotect",		ALL, NOEXEC(2) },
	{ "munmap",		ALL, 0, { { 0 } } },
	{ "mremap",		ALL, 0, { { 0 } } },
	{ "madvise",		ALL, 0, { { 0 } } },
	{ "futex",		ALL, 0, { { 0 } } },
	{ "getrandom",		ALL, 0, { { 0 } } },

	/* Time, where the vDSO does not answer. */
	{ "clock_gettime",	ALL, 0, { { 0 } } },
	{ "clock_getres",	ALL, 0, { { 0 } } },
	{ "gettimeofday",	ALL, 0, { { 0 } } },
	{ "time",		ALL, 0, { { 0 } } },

	/* The process itself. */
	{ "exit",		ALL, 0, { { 0 } } },
	{ "exit_group",		ALL, 0, { { 0 } } },
	{ "rt_sigaction",	ALL, 0, { { 0 } } },
	{ "rt_sigprocmask",	ALL, 0, { { 0 } } },
	{ "rt_sigreturn",	ALL, 0, { { 0 } } },
	{ "restart_syscall",	ALL, 0, { { 0 } } },
	{ "getpid",		ALL, 0, { { 0 } } },
	{ "gettid",		ALL, 0, { { 0 } } },
	{ "getuid",		ALL, 0, { { 0 } } },
	{ "geteuid",		ALL, 0, { { 0 } } },
	{ "getgid",		ALL, 0, { { 0 } } },
	{ "getegid",		ALL, 0, { { 0 } } },
	/* getrlimit(3): a null pointer for new limits, of itself. */
	{ "prlimit64",		ALL, 2, { { 0, SCMP_CMP_EQ, 0, 0 },
				    { 2, SCMP_CMP_EQ, 0, 0 } } },

	/* Descriptors that are open. */
	{ "read",		ALL, 0, { { 0 } } },
	{ "write",		ALL, 0, { { 0 } } },
	{ "writev",		ALL, 0, { { 0 } } },
	{ "close",		ALL, 0, { { 0 } } },
	{ "fstat",		ALL, 0, { { 0 } } },
	{ "fcntl",		ALL, EQ(1, F_GETFD) },
	{ "fcntl",		ALL, EQ(1, F_SETFD) },
	{ "fcntl",		ALL, EQ(1, F_GETFL) },
	{ "fcntl",		ALL, EQ(1, F_SETFL) },
	{ "epoll_ctl",		DAEMONS, 0, { { 0 } } },
	{ "epoll_wait",		DAEMONS, 0, { { 0 } } },
	{ "epoll_pwait",	DAEMONS, 0, { { 0 } } },
	{ "epoll_pwait2",	DAEMONS, 0, { { 0 } } },
	/* Whether a line of the log would go (log.c). */
	{ "poll",		DAEMONS, 0, { { 0 } } },
	{ "ppoll",		DAEMONS, 0, { { 0 } } },
	{ "pread64",		K | A, 0, { { 0 } } },
	{ "pwrite64",		K | A, 0, { { 0 } } },
	{ "fdatasync",		K | A, 0, { { 0 } } },

	/* Sockets.  No recvmsg: none of them takes a descriptor. */
	{ "accept4",		DAEMONS, 0, { { 0 } } },
	{ "getsockopt",		DAEMONS, 0, { { 0 } } },
	{ "sendmsg",		DAEMONS, 0, { { 0 } } },
	{ "connect",		K | S, 0, { { 0 } } },
	{ "socket",		K | S, 3, { { 0, SCMP_CMP_EQ, AF_UNIX, 0 },
				    { 1, SCMP_CMP_EQ, SOCK_STREAM |
				    SOCK_CLOEXEC | SOCK_NONBLOCK, 0 },
				    { 2, SCMP_CMP_EQ, 0, 0 } } },

	/* HTTP: libevent's buffers, a look whether the client left, an end. */
	{ "readv",		S, 0, { { 0 } } },
	{ "ioctl",		S, EQ(1, FIONREAD) },
	{ "recvfrom",		S, 0, { { 0 } } },
	{ "shutdown",		S, 0, { { 0 } } },

	/* The event loop and its timers are made behind the sandbox. */
	{ "epoll_create1",	K, 0, { { 0 } } },
	{ "pipe2",		K, 0, { { 0 } } },
	{ "timerfd_create",	K, 0, { { 0 } } },
	{ "timerfd_settime",	K, 0, { { 0 } } },

#ifdef ENV_SECRETS
	/* Such a build derives keys itself, behind the sandbox. */
	{ "mlock",		K, 0, { { 0 } } },
#endif

	/* The log's directory: Landlock says where, the chroot as well. */
	{ "openat",		A, 0, { { 0 } } },
	{ "openat",		R, READ_ONLY(2) },
	{ "newfstatat",		A | R, 0, { { 0 } } },
	{ "statx",		A | R, 0, { { 0 } } },
	{ "unlinkat",		A, 0, { { 0 } } },
	{ "renameat",		A, 0, { { 0 } } },
	{ "renameat2",		A, 0, { { 0 } } },
	{ "getdents64",		A | R, 0, { { 0 } } },
	{ "fstatfs",		A, 0, { { 0 } } },
	{ "fchmod",		A, 0, { { 0 } } },
	{ "flock",		A, 0, { { 0 } } },
	{ "fsync",		A, 0, { { 0 } } },
	{ "ftruncate",		A, 0, { { 0 } } },
	{ "fallocate",		A, 0, { { 0 } } },
	{ "lseek",		A | R, 0, { { 0 } } },
	{ "ioctl",		A, EQ(1, FS_IOC_GETFLAGS) },
	{ "inotify_init1",	A, 0, { { 0 } } },
	{ "inotify_add_watch",	A, 0, { { 0 } } },
	{ "inotify_rm_watch",	A, 0, { { 0 } } },

	/* What a reader does with its files, and waiting for more of them. */
	{ "dup",		R, 0, { { 0 } } },
	{ "fcntl",		R, EQ(1, F_DUPFD_CLOEXEC) },
	{ "ioctl",		R, EQ(1, TCGETS) },
	{ "ioctl",		R, EQ(1, TIOCGWINSZ) },
	{ "nanosleep",		R, 0, { { 0 } } },
	{ "clock_nanosleep",	R, 0, { { 0 } } },

	/* The journal's writer: one socket, one file, an end. */
	{ "recvfrom",		J, EQ(0, SANDBOX_JOURNAL_SOCK) },
	{ "sendto",		J, EQ(0, SANDBOX_JOURNAL_SOCK) },
	{ "pwrite64",		J, EQ(0, SANDBOX_JOURNAL_FILE) },
	{ "fdatasync",		J, EQ(0, SANDBOX_JOURNAL_FILE) },
	{ "fallocate",		J, 2, { { 0, SCMP_CMP_EQ,
				    SANDBOX_JOURNAL_FILE, 0 },
				    { 1, SCMP_CMP_EQ, 0, 0 } } },
	{ "exit_group",		J, 0, { { 0 } } },
	{ "rt_sigreturn",	J, 0, { { 0 } } },
	{ "restart_syscall",	J, 0, { { 0 } } },
};

/* EACCES, but for a role that is allowed it.  None is behind LAST_KNOWN. */
static const char *const	 refused[] = {
	"open", "openat", "openat2", "creat",
	"access", "faccessat", "faccessat2", "stat", "lstat", "newfstatat",
	"statx", "statfs", "readlink", "readlinkat", "getcwd", "chdir",
	"unlink", "unlinkat", "rename", "renameat", "renameat2", "rmdir",
	"mkdir", "mkdirat", "mknod", "mknodat", "link", "linkat", "symlink",
	"symlinkat", "truncate", "chmod", "fchmodat", "chown", "lchown",
	 "fchownat", "utime", "utimes", "futimesat", "utimensat",
	"getxattr", "lgetxattr", "setxattr", "lsetxattr", "listxattr",
	"llistxattr", "removexattr", "lremovexattr",
	"sysinfo", "sched_getaffinity", "uname",
};

#define LEN(a)	(sizeof(a) / sizeof((a)[0]))

static bool	is_allowed(const char *, unsigned);
static int	add(scmp_filter_ctx, uint32_t, const struct call *);
static int	add_allowed(scmp_filter_ctx, unsigned);
static int	add_refused(scmp_filter_ctx, unsigned);
static int	add_new(scmp_filter_ctx);

static bool
is_allowed(const char *name, unsigned role)
{
	size_t	 i;

	for (i = 0; i < LEN(allowed); i++)
		if ((allowed[i].roles & role) != 0 &&
		    strcmp(allowed[i].name, name) == 0)
			return true;
	return false;
}

/* What this libseccomp, or this architecture, does not have has no number. */
static int
add(scmp_filter_ctx ctx, uint32_t action, const struct call *c)
{
	int	 nr = seccomp_syscall_resolve_name(c->name);

	return nr < 0 ? 0 : seccomp_rule_add_array(ctx, action, nr, c->ncmp,
	    c->cmp);
}

static int
add_allowed(scmp_filter_ctx ctx, unsigned role)
{
	const struct call	 self = { "tgkill", 0,
				    EQ(0, (scmp_datum_t)getpid()) };
	size_t			 i;
	int			 rc = 0;

	for (i = 0; i < LEN(allowed) && rc == 0; i++)
		if ((allowed[i].roles & role) != 0)
			rc = add(ctx, SCMP_ACT_ALLOW, &allowed[i]);
	/* abort(3) */
	return rc != 0 ? rc : add(ctx, SCMP_ACT_ALLOW, &self);
}

static int
add_refused(scmp_filter_ctx ctx, unsigned role)
{
	/* isatty(3), which stdio may ask for. */
	const struct call	 tty = { "ioctl", 0, EQ(1, TCGETS) };
	struct call		 c = { NULL, 0, 0, { { 0 } } };
	size_t			 i;
	int			 rc = 0;

	if (role != R)
		rc = add(ctx, SCMP_ACT_ERRNO(ENOTTY), &tty);
	for (i = 0; i < LEN(refused) && rc == 0; i++) {
		c.name = refused[i];
		if (!is_allowed(c.name, role))
			rc = add(ctx, SCMP_ACT_ERRNO(EACCES), &c);
	}
	return rc;
}

static int
add_new(scmp_filter_ctx ctx)
{
	int	 nr, rc = 0;

	for (nr = LAST_KNOWN + 1; nr <= LAST_NEW && rc == 0; nr++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), nr, 0);
	return rc;
}

int
sandbox_seccomp(enum sandbox_role role, const char **errstr)
{
	scmp_filter_ctx	 ctx;
	int		 rc;

	if ((ctx = seccomp_init(SCMP_ACT_KILL_PROCESS)) == NULL) {
		*errstr = "libseccomp cannot make a filter";
		return -1;
	}
	/* A tree instead of a list: there are hundreds of numbers. */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	/* 32-bit and x32 calls on x86. */
	rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS);
	if (rc == 0)
		rc = add_allowed(ctx, 1U << role);
	if (rc == 0)
		rc = add_refused(ctx, 1U << role);
	if (rc == 0)
		rc = add_new(ctx);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	if (rc != 0)
		*errstr = strerror(-rc);
	return rc == 0 ? 0 : -1;
}
#endif
