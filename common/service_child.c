/* The processes that igra-service makes. */
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "sandbox.h"
#include "service.h"
#include "validate.h"

#define MAX_ARGS	24

static pid_t	fork_clean(void);
static void	run_daemon(const struct service *, enum daemon_role)
		    __attribute__((noreturn));
static void	note(const char *, void *);

/*
 * Signals wait until the child has the default handlers again: ours would
 * write into the event loop that it shares with us.
 */
static pid_t
fork_clean(void)
{
	struct sigaction	 sa;
	sigset_t		 all, old;
	pid_t			 pid;
	int			 sig;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &old);
	if ((pid = fork()) == 0) {
		memset(&sa, 0, sizeof(sa));
		sa.sa_handler = SIG_DFL;
		for (sig = 1; sig < NSIG; sig++)
			if (sig != SIGKILL && sig != SIGSTOP)
				(void)sigaction(sig, &sa, NULL);
		(void)sigemptyset(&old);
	}
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return pid;
}

static void
run_daemon(const struct service *s, enum daemon_role role)
{
	const struct service_options	*o = s->o;
	const char			*name = s->child[role].name;
	char				*argv[MAX_ARGS], path[PATH_MAX];
	int				 n = 0, i, fd;

	argv[n++] = (char *)(uintptr_t)name;
	for (i = 0; i < o->debug && i < 8; i++)
		argv[n++] = (char *)(uintptr_t)"-d";
	argv[n++] = (char *)(uintptr_t)"-f";
	argv[n++] = (char *)(uintptr_t)s->ctl.conf->path;
	if (o->network != NULL) {
		argv[n++] = (char *)(uintptr_t)"--network";
		argv[n++] = (char *)(uintptr_t)o->network;
	}
	if (o->profile != NULL) {
		argv[n++] = (char *)(uintptr_t)"--profile";
		argv[n++] = (char *)(uintptr_t)o->profile;
	}
	argv[n] = NULL;
	/* A terminal's ^C is for igra-service, which stops them in order. */
	(void)setpgid(0, 0);
	/* Lost with the change of user, so it only helps daemons of ours. */
	sandbox_die_with_parent();
	/* They are for igra-keyd, which alone may use them. */
	if (role != ROLE_KEYD)
		env_wipe_secrets();
	if ((fd = open("/dev/null", O_RDWR)) == -1 ||
	    dup2(fd, STDIN_FILENO) == -1)
		_exit(127);
	closefrom(STDERR_FILENO + 1);
	if (o->dir != NULL &&
	    snprintf(path, sizeof(path), "%s/%s", o->dir, name) <
	    (int)sizeof(path) && access(path, X_OK) == 0)
		execv(path, argv);
	else
		execvp(name, argv);
	log_warn("cannot execute %s", name);
	_exit(127);
}

int
service_spawn(struct service *s, enum daemon_role role)
{
	pid_t	 pid;

	if ((pid = fork_clean()) == -1)
		return -1;
	if (pid == 0)
		run_daemon(s, role);
	/* It has its own copy now. */
	if (role == ROLE_KEYD)
		env_wipe_secrets();
	s->child[role].pid = pid;
	log_info("%s started, pid %d", s->child[role].name, (int)pid);
	return 0;
}

static void
note(const char *text, void *arg)
{
	(void)arg;
	log_info("%s", text);
}

int
service_unlock(struct service *s)
{
	struct unlock_client	 u;
	char			 err[UNLOCK_ERR];
	enum unlock_result	 res;
	pid_t			 pid;

	if ((pid = fork_clean()) == -1)
		return -1;
	if (pid == 0) {
		memset(&u, 0, sizeof(u));
		u.conf = s->ctl.conf;
		u.keyd_uid = s->ctl.roles.uid[ROLE_KEYD];
		u.source = &s->o->source;
		u.note = note;
		res = unlock_client(&u, err, sizeof(err));
		if (res != UNLOCK_OK)
			log_warnx("%s", err);
		unlock_source_free(&s->o->source);
		_exit((int)res);
	}
	s->unlocker = pid;
	/* What it needed is its own now. */
	unlock_source_free(&s->o->source);
	if (s->o->source.fd > STDERR_FILENO)
		(void)close(s->o->source.fd);
	return 0;
}

const char *
service_why(int status, char *buf, size_t len)
{
	if (WIFSIGNALED(status))
		(void)snprintf(buf, len, "signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	else
		(void)snprintf(buf, len, "status %d", WEXITSTATUS(status));
	return buf;
}
