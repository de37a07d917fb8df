/* Tries each attack behind the sandbox and prints what came of it. */
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <seccomp.h>

#include "attack.h"

#define NCALLS	1025
#define NARGS	6

enum state { UNTRIED, TRYING, FAILED, WORKED };

struct result {
	volatile enum state	 state;
	volatile int		 error;
};

struct attack_scene	 scene;

static struct result	*shared;	/* with the children */
static const char	*sandbox_path;

static void	enter(void);
static const char *outcome(const struct result *, int, char *, size_t);
static void	one(const struct attack *);
static void	families(void);
static void	sweep(const char *, long);

/* The alarm is for what would wait for ever. */
static void
enter(void)
{
	const struct itimerval	 soon = { { 0, 0 }, { 0, 900000 } };
	struct sandbox		 s;

	(void)setitimer(ITIMER_REAL, &soon, NULL);
	(void)signal(SIGALRM, SIG_DFL);
	sandbox_enter(scene.role, sandbox_path, &s);
}

static const char *
outcome(const struct result *r, int status, char *buf, size_t size)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == ATTACK_EXIT)
		return "works";
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return "killed";
	if (r->state == WORKED)
		return "works";
	if (r->state == FAILED)
		return strerrorname_np(r->error);
	if (WIFSIGNALED(status))
		(void)snprintf(buf, size, "signal-%d", WTERMSIG(status));
	else
		(void)snprintf(buf, size, "exit-%d", WEXITSTATUS(status));
	return buf;
}

static void
one(const struct attack *a)
{
	char	 buf[32];
	long	 ret;
	int	 status;
	pid_t	 pid;

	shared->state = UNTRIED;
	if ((pid = fork()) == -1)
		abort();
	if (pid == 0) {
		enter();
		shared->state = TRYING;
		ret = a->fn(a);
		shared->error = errno;
		shared->state = ret == -1 ? FAILED : WORKED;
		_exit(0);
	}
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	if (a->arg >= 0 && strchr(a->name, '%') != NULL)
		printf(a->arg > 9 ? "attack socket-family-%ld %s\n" :
		    "attack socket-family-0%ld %s\n", a->arg,
		    outcome(shared, status, buf, sizeof(buf)));
	else
		printf("attack %s %s\n", a->name, outcome(shared, status, buf,
		    sizeof(buf)));
}

/*
 * Many calls by one child, as long as it lives: who dies of a call is
 * followed by one who goes on behind it.
 */
static void
sweep(const char *what, long arg)
{
	char	 buf[32], *name;
	int	 status[NCALLS], nr, from;
	pid_t	 pid;

	for (from = 0; from < NCALLS; ) {
		if ((pid = fork()) == -1)
			abort();
		if (pid == 0) {
			enter();
			for (nr = from; nr < NCALLS; nr++) {
				shared[nr].state = TRYING;
				errno = 0;
				if (syscall(nr, arg, arg, arg, arg, arg,
				    arg) == -1 && errno != 0) {
					shared[nr].error = errno;
					shared[nr].state = FAILED;
				} else
					shared[nr].state = WORKED;
			}
			_exit(0);
		}
		while (waitpid(pid, &nr, 0) == -1 && errno == EINTR)
			;
		for (; from < NCALLS && shared[from].state > TRYING; from++)
			status[from] = 0;
		if (from < NCALLS)
			status[from++] = nr;
	}
	for (nr = 0; nr < NCALLS; nr++) {
		name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);
		printf("%s %d %s %s\n", what, nr, name == NULL ? "-" : name,
		    outcome(&shared[nr], status[nr], buf, sizeof(buf)));
		free(name);
	}
}

static void
families(void)
{
	struct attack	 a = *attack_sockets;
	long		 f;

	for (f = 0; f <= 45; f++) {
		a.arg = f;
		if (f != 1)	/* AF_UNIX has rows of its own */
			one(&a);
	}
}

void
attack_run(enum sandbox_role role, const char *path, const char *how)
{
	const struct attack	*lists[] = { attack_files, attack_calls,
				    attack_sockets + 1 }, *a;
	static char		 own[PATH_MAX];
	size_t			 i;

	shared = mmap(NULL, NCALLS * sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		abort();
	setvbuf(stdout, NULL, _IOLBF, 0);
	sandbox_path = path;
	scene.role = role;
	scene.dir = how + strcspn(how, "/");
	(void)strlcpy(own, path, sizeof(own));
	scene.own = role == SANDBOX_AUDITD || role == SANDBOX_READER ? own :
	    dirname(own);
	scene.parent = (int)getpid();
	if (strncmp(how, "sweep:", 6) == 0) {
		sweep("zeros", 0);
		memset(shared, 0, NCALLS * sizeof(*shared));
		sweep("ones", -1);
		exit(0);
	}
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (a = lists[i]; a->name != NULL; a++)
			one(a);
	families();
	exit(0);
}
