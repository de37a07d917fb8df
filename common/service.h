/*
 * igra-service run: the three daemons as children in the foreground, started
 * from the log outwards and stopped in the opposite order, so that whatever a
 * daemon records last still finds the next one there.
 */
#ifndef IGRA_SERVICE_H
#define IGRA_SERVICE_H

#include <sys/types.h>

#include <stdbool.h>

#include <event2/event.h>

#include "keyd/ctl.h"
#include "keyd/unlock_client.h"

#define SERVICE_START_S	30	/* for a daemon to be up */
#define SERVICE_STOP_S	10	/* from SIGTERM to SIGKILL */

struct service_options {
	const char		*file, *network, *profile;
	int			 debug;
	bool			 no_unlock;
	struct unlock_source	 source;
	char			*dir;		/* where igra-service is, or NULL */
};

struct service_child {
	const char	*name;
	const char	*socket;	/* asked whether it is up */
	uid_t		 uid;
	pid_t		 pid;		/* 0: does not run */
	bool		 told;		/* has our SIGTERM */
};

struct service {
	struct service_options	*o;
	struct ctl		 ctl;
	struct event_base	*base;
	struct service_child	 child[ROLE_MAX];
	unsigned		 nup;		/* of service_order */
	struct event		*tick;		/* while they start */
	int64_t			 started;	/* the last of them, bootclock */
	struct event		*kill;		/* SERVICE_STOP_S are over */
	pid_t			 unlocker;
	bool			 stopping;
	int			 status;	/* what run exits with */
};

/* auditd, keyd, signd; backwards when stopping. */
extern const enum daemon_role service_order[ROLE_MAX];

/* --- service_child.c --- */

/* Forks and executes a daemon.  0 or -1 (errno). */
int	service_spawn(struct service *, enum daemon_role);
/*
 * Forks a process that unlocks and exits with an unlock_result: the prompt
 * must not keep this process from its signals, and secrets not stay in it.
 */
int	service_unlock(struct service *);
/* "status 1" or "signal 9 (Killed)", from a waitpid status. */
const char *service_why(int status, char *buf, size_t len);

/* --- service_validate.c --- */

/* The command validate-config: argv[0] is its name.  The exit status. */
int	service_validate(int argc, char **argv);

/* --- service_run.c --- */

/* Until the daemons have ended: the exit status. */
int	service_run(struct service *);

#endif
