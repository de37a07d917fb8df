/*
 * What every daemon does at start, in the one order of DESIGN 1:
 *
 *   daemon_init        fix stdin, out, err; options; read the config
 *   daemon_bind        open files, bind() sockets (not yet listening)
 *   daemon_drop        chroot, groups, gid, uid; undumpable; no core files
 *   daemon_listen      listen(): the credentials that clients see freeze here
 *   (secmem_init)      the secret arena, for the process that holds secrets
 *   daemon_confine     no new privileges, then the sandbox
 *   only now secrets and untrusted input
 *   (notify_ready      tell the service manager)
 */
#ifndef IGRA_DAEMON_H
#define IGRA_DAEMON_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "peer.h"

enum daemon_role { ROLE_KEYD, ROLE_SIGND, ROLE_AUDITD, ROLE_MAX };

struct daemon {
	enum daemon_role role;
	const char	*progname;	/* igra-keyd, … */
	struct conf	*conf;
	enum kaspa_network network;	/* --network, else the config's */
	uint8_t		 conf_hash[32];	/* BLAKE2b-256 of the config's text */
	int		 debug;
	bool		 root;		/* started as root */
	bool		 separated;	/* the three roles have three uids */
	uid_t		 uid[ROLE_MAX];	/* of each role */
	gid_t		 gid[ROLE_MAX];
	uid_t		*admins;	/* [security] admin_users, resolved */
	size_t		 nadmins;
	/* For reading a config again. */
	const char	*profile;	/* --profile, or NULL */
	uid_t		 conf_euid;	/* whose defaults */
	uid_t		 default_uid[ROLE_MAX];	/* without [keyd] user, ... */
	bool		 credential;	/* it came from the service manager */
	const char	*chrooted;	/* directory that is now "/", or NULL */
	char		 sandbox[256];	/* what is in force, in words */
	char		 unconfined[256];	/* what is missing of it */
	bool		 sandboxed;	/* enough of it for mainnet */
};

/*
 * Parses [-dhnv] [-f FILE] [--network N] [--profile P], reads the config,
 * resolves users.  Exits for -h, -n, -nv (0), usage (2), errors (1).
 */
void	daemon_init(struct daemon *, enum daemon_role, int argc, char **argv);

/*
 * Makes the socket's directory (0755, owned by the role) if it is missing,
 * takes its instance lock, clears a stale socket, binds, mode 0666.
 * Fatal on error; a second instance is an error of its own.
 */
int	daemon_bind(struct daemon *, const char *path);

/*
 * Makes path (a directory, and outside mainnet what leads to it) if it is
 * missing: mode, owned by the role.  Fatal when it exists as something else
 * or belongs to another user than the role or root.
 */
void	daemon_mkdir(struct daemon *, enum daemon_role, const char *path,
	    mode_t mode);

/*
 * Becomes the role's user for good.  chroot_dir: only when started as root;
 * NULL for none.
 */
void	daemon_drop(struct daemon *, const char *chroot_dir);
void	daemon_listen(int fd);
/* Raises RLIMIT_MEMLOCK to at least this while still root. */
void	daemon_allow_memlock(struct daemon *, size_t bytes);
void	daemon_confine(struct daemon *);
/*
 * Applies the rules of the network (validate.h) for VALIDATE_DAEMON or
 * VALIDATE_CONFINED; an error is fatal.
 */
void	daemon_validate(struct daemon *, unsigned when);

/* path as this process sees it, after a chroot into its directory. */
const char *daemon_path(const struct daemon *, const char *path);

/*
 * Starts a non-blocking connect to a peer daemon's socket and checks that
 * its listener has the role's uid.  fd, or -1 (errno; EACCES: wrong uid).
 */
int	daemon_connect(struct daemon *, enum daemon_role, const char *path);

/*
 * accept(2) on a listening socket: non-blocking, close-on-exec, with the
 * peer's credentials.  fd, or -1 (errno).
 */
int	daemon_accept(int fd, struct peer *);

/*
 * Is uid 0 or one of [security] admin_users?  Where the roles are not
 * separated, our own uid is the operator as well.
 */
bool	daemon_is_admin(const struct daemon *, uid_t uid);

/*
 * Is this uid root, or where the roles are not separated ourselves?  They may
 * unlock and reload.
 */
bool	daemon_is_root(const struct daemon *, uid_t uid);

/* A config that may take the place of the daemon's. */
struct reload {
	struct conf	*conf;
	uid_t		*admins;
	size_t		 nadmins;
	bool		 frozen;	/* why not: a key that may not change */
};

/*
 * Parses what igractl reload sends, its users numbers, and judges it as at
 * the start, but for what only the file system could tell.  Opens nothing.
 * 0, or -1 with the reason in err; then there is nothing to free.
 */
int	daemon_reload_parse(const struct daemon *, const char *text,
	    size_t len, struct reload *, char *err, size_t errlen);
/* The two change places: r has the old one then.  hash: of the file. */
void	daemon_reload_swap(struct daemon *, struct reload *,
	    const uint8_t hash[32]);
void	daemon_reload_free(struct reload *);

#endif
