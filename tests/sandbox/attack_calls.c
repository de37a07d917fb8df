/* Attacks by programs, processes, memory and the kernel's other doors. */
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "attack.h"

#define NR_IO_URING_SETUP	425
#define X32_BIT			0x40000000

/* Calls that need no more than a number and plain arguments. */
static long
raw(const struct attack *a)
{
	static char	 big[256];

	return syscall(a->arg, 0L, big, big, 0L, 0L, 0L);
}

static long
run_program(const struct attack *a)
{
	char	*argv[] = { NULL, NULL }, *envp[] = { NULL };
	char	 name[] = "prog";

	(void)a;
	argv[0] = name;
	return syscall(SYS_execveat, ATTACK_DIRFD, name, argv, envp, 0);
}

static long
run_shell(const struct attack *a)
{
	(void)a;
	return execl("/bin/sh", "sh", "-c", "exit 42", (char *)NULL);
}

static long
run_memfd(const struct attack *a)
{
	char	*argv[] = { NULL, NULL }, *envp[] = { NULL };
	char	 name[] = "prog";
	int	 fd;

	(void)a;
	argv[0] = name;
	if ((fd = memfd_create("prog", 0)) == -1 ||
	    write(fd, "#!/bin/sh\nexit 42\n", 18) != 18)
		return -1;
	return fexecve(fd, argv, envp);
}

static long
do_fork(const struct attack *a)
{
	long	 pid;

	(void)a;
	if ((pid = fork()) == 0)
		_exit(0);
	return pid;
}

static long
do_vfork(const struct attack *a)
{
	long	 pid;

	(void)a;
	if ((pid = syscall(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0)) == 0)
		_exit(0);
	return pid;
}

/* Nothing runs in it: there is no stack.  It dies, or is not made. */
static long
do_thread(const struct attack *a)
{
	long	 tid;

	(void)a;
	tid = syscall(SYS_clone, CLONE_VM | CLONE_FS | CLONE_FILES |
	    CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, 0, 0, 0, 0);
	if (tid == 0)
		for (;;)
			(void)syscall(SYS_exit, 0);
	return tid;
}

static long
do_clone3(const struct attack *a)
{
	uint64_t	 args[11] = { 0 };
	long		 pid;

	(void)a;
	args[4] = SIGCHLD;
	if ((pid = syscall(SYS_clone3, args, sizeof(args))) == 0)
		_exit(0);
	return pid;
}

static long
trace_me(const struct attack *a)
{
	(void)a;
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long
trace_parent(const struct attack *a)
{
	(void)a;
	return ptrace(PTRACE_SEIZE, scene.parent, NULL, NULL);
}

static long
parent_memory(const struct attack *a)
{
	char		 buf[16];
	struct iovec	 mine = { buf, sizeof(buf) }, theirs;

	theirs.iov_base = &scene;
	theirs.iov_len = sizeof(buf);
	return syscall(a->arg, scene.parent, &mine, 1, &theirs, 1, 0);
}

static long
signal_parent(const struct attack *a)
{
	(void)a;
	return kill(scene.parent, SIGCONT);
}

static long
signal_tgkill(const struct attack *a)
{
	(void)a;
	return syscall(SYS_tgkill, scene.parent, scene.parent, SIGCONT);
}

static long
signal_queue(const struct attack *a)
{
	union sigval	 v = { 0 };

	(void)a;
	return sigqueue(scene.parent, SIGCONT, v);
}

static long
signal_owner(const struct attack *a)
{
	(void)a;
	return fcntl(STDIN_FILENO, F_SETOWN, scene.parent);
}

static long
pidfd(const struct attack *a)
{
	(void)a;
	return syscall(SYS_pidfd_open, scene.parent, 0);
}

static long
map_exec(const struct attack *a)
{
	void	*p;

	p = mmap(NULL, 4096, (int)a->arg, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? -1 : 0;
}

static long
protect_exec(const struct attack *a)
{
	void	*p;

	(void)a;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? -1 : mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static long
pkey_exec(const struct attack *a)
{
	void	*p;

	(void)a;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? -1 : syscall(SYS_pkey_mprotect, p, 4096,
	    PROT_READ | PROT_EXEC, -1);
}

static long
shm_exec(const struct attack *a)
{
	void	*p;
	int	 id;

	(void)a;
	if ((id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0700)) == -1)
		return -1;
	p = shmat(id, NULL, SHM_EXEC);
	(void)shmctl(id, IPC_RMID, NULL);
	return p == (void *)-1 ? -1 : 0;
}

static long
read_implies_exec(const struct attack *a)
{
	(void)a;
	return personality(READ_IMPLIES_EXEC);
}

static long
dumpable(const struct attack *a)
{
	(void)a;
	return prctl(PR_SET_DUMPABLE, 1L, 0L, 0L, 0L);
}

static long
core_limit(const struct attack *a)
{
	struct rlimit	 rl = { 0, 0 };

	(void)a;
	return setrlimit(RLIMIT_CPU, &rl);
}

static long
limit_of_other(const struct attack *a)
{
	struct rlimit	 rl;

	(void)a;
	return prlimit(scene.parent, RLIMIT_CORE, NULL, &rl);
}

static long
type_ahead(const struct attack *a)
{
	(void)a;
	return ioctl(STDIN_FILENO, TIOCSTI, "x");
}

static long
terminal(const struct attack *a)
{
	(void)a;
	return isatty(STDERR_FILENO) ? 0 : -1;
}

static long
uring(const struct attack *a)
{
	char	 params[120] = { 0 };

	(void)a;
	return syscall(NR_IO_URING_SETUP, 1, params);
}

static long
keys(const struct attack *a)
{
	(void)a;
	return syscall(SYS_keyctl, 0, -4, 0, 0, 0);
}

static long
namespace(const struct attack *a)
{
	(void)a;
	return unshare((int)a->arg);
}

static long
posix_timer(const struct attack *a)
{
	timer_t	 t;

	(void)a;
	return timer_create(CLOCK_MONOTONIC, NULL, &t);
}

static long
new_mount(const struct attack *a)
{
	(void)a;
	return syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL);
}

#ifdef __x86_64__
/* getpid, as the 32-bit system call. */
static long
int80(const struct attack *a)
{
	long	 ret;

	(void)a;
	__asm__ volatile("int $0x80" : "=a"(ret) : "0"(20L) : "memory",
	    "r8", "r9", "r10", "r11");
	if (ret < 0) {
		errno = (int)-ret;
		return -1;
	}
	return ret;
}

static long
x32(const struct attack *a)
{
	(void)a;
	return syscall(X32_BIT | SYS_getpid);
}
#endif

const struct attack	 attack_calls[] = {
	{ "run-a-program", run_program, 0 },
	{ "run-a-shell", run_shell, 0 },
	{ "run-from-memfd", run_memfd, 0 },
	{ "fork", do_fork, 0 },
	{ "vfork", do_vfork, 0 },
	{ "thread", do_thread, 0 },
	{ "clone3", do_clone3, 0 },
	{ "ptrace-self", trace_me, 0 },
	{ "ptrace-other", trace_parent, 0 },
	{ "process_vm_readv", parent_memory, SYS_process_vm_readv },
	{ "process_vm_writev", parent_memory, SYS_process_vm_writev },
	{ "kill-other", signal_parent, 0 },
	{ "tgkill-other", signal_tgkill, 0 },
	{ "sigqueue-other", signal_queue, 0 },
	{ "signal-by-F_SETOWN", signal_owner, 0 },
	{ "pidfd_open", pidfd, 0 },
	{ "mmap-exec", map_exec, PROT_READ | PROT_EXEC },
	{ "mmap-write-exec", map_exec, PROT_READ | PROT_WRITE | PROT_EXEC },
	{ "mprotect-exec", protect_exec, 0 },
	{ "pkey_mprotect-exec", pkey_exec, 0 },
	{ "shmat-exec", shm_exec, 0 },
	{ "read-implies-exec", read_implies_exec, 0 },
	{ "memfd_create", raw, SYS_memfd_create },
	{ "dumpable-again", dumpable, 0 },
	{ "setrlimit", core_limit, 0 },
	{ "prlimit-other", limit_of_other, 0 },
	{ "ioctl-TIOCSTI", type_ahead, 0 },
	{ "isatty", terminal, 0 },
	{ "bpf", raw, SYS_bpf },
	{ "io_uring", uring, 0 },
	{ "userfaultfd", raw, SYS_userfaultfd },
	{ "keyctl", keys, 0 },
	{ "add_key", raw, SYS_add_key },
	{ "request_key", raw, SYS_request_key },
	{ "perf_event_open", raw, SYS_perf_event_open },
	{ "mount", new_mount, 0 },
	{ "umount", raw, SYS_umount2 },
	{ "open_tree", raw, SYS_open_tree },
	{ "pivot_root", raw, SYS_pivot_root },
	{ "unshare-user", namespace, CLONE_NEWUSER },
	{ "unshare-net", namespace, CLONE_NEWNET },
	{ "setns", raw, SYS_setns },
	{ "setuid", raw, SYS_setuid },
	{ "setgroups", raw, SYS_setgroups },
	{ "capset", raw, SYS_capset },
	{ "init_module", raw, SYS_init_module },
	{ "kexec_load", raw, SYS_kexec_load },
	{ "reboot", raw, SYS_reboot },
	{ "swapon", raw, SYS_swapon },
	{ "clock_settime", raw, SYS_clock_settime },
	{ "landlock_create", raw, 444 },
	{ "seccomp", raw, SYS_seccomp },
	{ "memfd_secret", raw, 447 },
	{ "timer_create", posix_timer, 0 },
	{ "mq_open", raw, SYS_mq_open },
	{ "msgget", raw, SYS_msgget },
	{ "process_madvise", raw, 440 },
#ifdef __x86_64__
	{ "iopl", raw, SYS_iopl },
	{ "modify_ldt", raw, SYS_modify_ldt },
	{ "arch_prctl", raw, SYS_arch_prctl },
	{ "int80", int80, 0 },
	{ "x32", x32, 0 },
#endif
	{ NULL, NULL, 0 }
};
