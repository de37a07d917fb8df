#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "log.h"
#include "sandbox.h"
#include "secmem.h"
#include "validate.h"
#ifdef IGRA_TEST_ENTRY
#include "tests/sandbox/attack.h"
#endif

/*
 * Whoever connects without waiting, as curl does, fails when it is full: one
 * user must not fill it.  The kernel takes less where it has less.
 */
#define LISTEN_BACKLOG	4096

static void	bind_lock(struct daemon *, const char *);
static void	clear_stale(const char *);
static void	make_parents(const struct daemon *, const char *);
static int	set_sockaddr(struct sockaddr_un *, const char *);
static void	drop_user(const struct daemon *);
static void	make_undumpable(void);
static const char *kept_path(const struct daemon *, char [PATH_MAX]);

static int
set_sockaddr(struct sockaddr_un *sun, const char *path)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	if (strlcpy(sun->sun_path, path, sizeof(sun->sun_path)) >=
	    sizeof(sun->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

static void
make_parents(const struct daemon *d, const char *path)
{
	char	 copy[PATH_MAX], *p;

	if (strlcpy(copy, path, sizeof(copy)) >= sizeof(copy))
		fatalx("%s: path too long", path);
	for (p = copy + 1; (p = strchr(p, '/')) != NULL; *p++ = '/') {
		*p = '\0';
		if (mkdir(copy, 0755) == 0 && d->root &&
		    d->conf->network == KASPA_MAINNET)
			log_warning("%s: made; it was missing", copy);
		else if (access(copy, F_OK) == -1)
			fatal("%s: cannot make it", copy);
	}
}

void
daemon_mkdir(struct daemon *d, enum daemon_role role, const char *path,
    mode_t mode)
{
	struct stat	 st;
	bool		 made = mkdir(path, mode) == 0;

	if (!made && errno == ENOENT) {
		make_parents(d, path);
		made = mkdir(path, mode) == 0;
	}
	if (!made && errno != EEXIST)
		fatal("%s: cannot make the directory", path);
	/* umask may have taken bits off; root makes it for the role. */
	if (made && d->root &&
	    lchown(path, d->uid[role], d->gid[role]) == -1)
		fatal("%s: chown", path);
	if (made && chmod(path, mode) == -1)
		fatal("%s: chmod", path);
	if (lstat(path, &st) == -1)
		fatal("%s", path);
	if (!S_ISDIR(st.st_mode))
		fatalx("%s: not a directory", path);
	if (st.st_uid != d->uid[role] && st.st_uid != 0)
		fatalx("%s: belongs to uid %u, should be uid %u: chown it",
		    path, (unsigned)st.st_uid, (unsigned)d->uid[role]);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		fatalx("%s: writable by others (mode %04o): chmod %04o %s",
		    path, (unsigned)st.st_mode & 07777, (unsigned)mode, path);
}

/*
 * Held as long as the process lives: a second instance must not take the
 * socket from under the first.
 */
static void
bind_lock(struct daemon *d, const char *path)
{
	char	 lock[PATH_MAX];
	int	 fd, n;

	n = snprintf(lock, sizeof(lock), "%s.lock", path);
	if (n < 0 || (size_t)n >= sizeof(lock))
		fatalx("%s: path too long", path);
	fd = open(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		fatal("%s", lock);
	if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno == EWOULDBLOCK)
			fatalx("another %s already serves %s", d->progname,
			    path);
		fatal("%s: flock", lock);
	}
	if (d->root && fchown(fd, d->uid[d->role], d->gid[d->role]) == -1)
		fatal("%s: chown", lock);
	/* Left open on purpose. */
}

static void
clear_stale(const char *path)
{
	struct stat	 st;

	if (lstat(path, &st) == -1) {
		if (errno == ENOENT)
			return;
		fatal("%s", path);
	}
	if (!S_ISSOCK(st.st_mode))
		fatalx("%s: exists and is not a socket: move it away", path);
	if (unlink(path) == -1)
		fatal("%s: cannot remove the old socket", path);
}

int
daemon_bind(struct daemon *d, const char *path)
{
	struct sockaddr_un	 sun;
	char			 dir[PATH_MAX];
	mode_t			 old;
	int			 fd;

	if (set_sockaddr(&sun, path) == -1)
		fatalx("%s: socket path too long (at most %zu bytes): shorten "
		    "it or data_dir in the config", path,
		    sizeof(sun.sun_path) - 1);
	if (strlcpy(dir, path, sizeof(dir)) >= sizeof(dir))
		fatalx("%s: path too long", path);
	daemon_mkdir(d, d->role, dirname(dir), 0755);
	bind_lock(d, path);
	clear_stale(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		fatal("socket");
	/* By umask, since a chmod of the path would follow a planted link. */
	old = umask(0111);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		fatal("%s: bind", path);
	umask(old);
	if (d->root && lchown(path, d->uid[d->role], d->gid[d->role]) == -1)
		fatal("%s: chown", path);
	return fd;
}

void
daemon_allow_memlock(struct daemon *d, size_t bytes)
{
	struct rlimit	 rl;

	if (!d->root || getrlimit(RLIMIT_MEMLOCK, &rl) == -1)
		return;
	if (rl.rlim_cur != RLIM_INFINITY && rl.rlim_cur < bytes)
		rl.rlim_cur = bytes;
	if (rl.rlim_max != RLIM_INFINITY && rl.rlim_max < bytes)
		rl.rlim_max = bytes;
	if (setrlimit(RLIMIT_MEMLOCK, &rl) == -1)
		log_warn("cannot raise the locked-memory limit");
}

static void
drop_user(const struct daemon *d)
{
	uid_t	 uid = d->uid[d->role];
	gid_t	 gid = d->gid[d->role];

	if (setgroups(1, &gid) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1)
		fatal("cannot become uid %u gid %u", (unsigned)uid,
		    (unsigned)gid);
	if (uid != 0 && (setuid(0) != -1 || seteuid(0) != -1))
		fatalx("root can be had back after the drop");
}

/* set*id and exec reset it, so this comes after both, and is read back. */
static void
make_undumpable(void)
{
	if (sandbox_no_dump() == -1)
		fatal("cannot forbid core files and traces");
}

void
daemon_drop(struct daemon *d, const char *dir)
{
	if (d->root && dir != NULL) {
		if (chroot(dir) == -1 || chdir("/") == -1)
			fatal("%s: chroot", dir);
		if ((d->chrooted = strdup(dir)) == NULL)
			fatal("strdup");
	}
	if (d->root)
		drop_user(d);
	make_undumpable();
}

void
daemon_listen(int fd)
{
	if (listen(fd, LISTEN_BACKLOG) == -1)
		fatal("listen");
}

/*
 * What the role keeps of the file system: keyd and signd one socket, auditd
 * its log's directory, which is "/" after a chroot into it.
 */
static const char *
kept_path(const struct daemon *d, char buf[PATH_MAX])
{
	const struct conf	*c = d->conf;
	const char		*path = c->key_audit_log_path;

	if (d->role == ROLE_KEYD)
		path = c->auditd_socket;
	else if (d->role == ROLE_SIGND)
		path = c->keyd_socket;
	if (strlcpy(buf, daemon_path(d, path), PATH_MAX) >= PATH_MAX)
		fatalx("%s: path too long", path);
	return d->role == ROLE_AUDITD ? dirname(buf) : buf;
}

void
daemon_confine(struct daemon *d)
{
	static const enum sandbox_role	 roles[ROLE_MAX] = {
		[ROLE_KEYD] = SANDBOX_KEYD,
		[ROLE_SIGND] = SANDBOX_SIGND,
		[ROLE_AUDITD] = SANDBOX_AUDITD,
	};
	struct sandbox			 s;
	char				 buf[PATH_MAX];

#ifdef IGRA_TEST_ENTRY
	if (getenv("IGRA_TEST_ATTACK") != NULL)
		attack_run(roles[d->role], kept_path(d, buf),
		    getenv("IGRA_TEST_ATTACK"));
#endif
	sandbox_enter(roles[d->role], kept_path(d, buf), &s);
	(void)snprintf(d->sandbox, sizeof(d->sandbox), "%s%s%s",
	    d->chrooted != NULL ? "chroot, " : "", s.text,
	    d->separated ? "" : ", roles not separated");
	log_info("confined: %s", d->sandbox);
	d->sandboxed = s.enough;
	(void)strlcpy(d->unconfined, s.missing, sizeof(d->unconfined));
	daemon_validate(d, VALIDATE_CONFINED);
	/* Where it is not a rule. */
	if (s.missing[0] != '\0' && d->network == KASPA_DEVNET)
		log_warning("no sandbox of %s", s.missing);
}

void
daemon_validate(struct daemon *d, unsigned when)
{
	struct validate	 v;
	struct rlimit	 rl;

	memset(&v, 0, sizeof(v));
	v.conf = d->conf;
	v.network = d->network;
	v.when = when;
	v.owner = d->root ? 0 : geteuid();
	memcpy(v.uid, d->uid, sizeof(v.uid));
	v.users_known = true;
	v.separated = d->separated;
	v.hidden = !d->root && d->separated;
	v.credential = d->credential;
	v.debug = d->debug > 0;
	v.core_dumps = getrlimit(RLIMIT_CORE, &rl) == -1 || rl.rlim_max != 0;
	v.has_arena = d->role == ROLE_KEYD;
	v.memory_locked = secmem_locked();
	v.sandboxed = d->sandboxed;
	v.unconfined = d->unconfined;
	if (validate_log(&v) > 0)
		fatalx("not starting on %s; igra-service validate-config "
		    "shows all there is to do",
		    kaspa_network_name(d->network));
}

const char *
daemon_path(const struct daemon *d, const char *path)
{
	size_t	 len;

	if (d->chrooted == NULL)
		return path;
	len = strlen(d->chrooted);
	if (strncmp(path, d->chrooted, len) == 0 && path[len] == '/')
		return path + len;
	return path;
}

int
daemon_connect(struct daemon *d, enum daemon_role role, const char *path)
{
	struct sockaddr_un	 sun;
	struct peer		 peer;
	int			 fd, saved;

	if (set_sockaddr(&sun, daemon_path(d, path)) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    peer_get(fd, &peer) == -1)
		goto fail;
	if (peer.uid != d->uid[role]) {
		log_alert("%s is listened to by uid %u, expected uid %u: not "
		    "talking to it", path, (unsigned)peer.uid,
		    (unsigned)d->uid[role]);
		errno = EACCES;
		goto fail;
	}
	return fd;
fail:
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int
daemon_accept(int lfd, struct peer *peer)
{
	int	 fd, saved;

	fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd == -1)
		return -1;
	if (peer_get(fd, peer) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

bool
daemon_is_root(const struct daemon *d, uid_t uid)
{
	return uid == 0 || (!d->separated && uid == d->uid[d->role]);
}

bool
daemon_is_admin(const struct daemon *d, uid_t uid)
{
	size_t	 i;

	if (daemon_is_root(d, uid))
		return true;
	for (i = 0; i < d->nadmins; i++)
		if (d->admins[i] == uid)
			return true;
	return false;
}
