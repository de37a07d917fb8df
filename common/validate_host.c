/* Rules about files, and about the process and its host. */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "validate_int.h"

#define MIN_DISK	(UINT64_C(1024) * 1024 * 1024)
#define KEYD		0		/* of struct validate's uid[] */
#define AUDITD		2

static bool	parent(const char *, char *, size_t);
static bool	check_file(const struct validate *, struct rule_out *,
		    const char *, const char *, uid_t, mode_t);
static void	check_dir(const struct validate *, struct rule_out *,
		    const char *, uid_t);
static bool	may_not_look(const struct validate *);

static bool
parent(const char *path, char *dir, size_t size)
{
	char	 copy[PATH_MAX];

	return strlcpy(copy, path, sizeof(copy)) < sizeof(copy) &&
	    strlcpy(dir, dirname(copy), size) < size;
}

/*
 * Another user's directory hides it from a daemon that is not started as root,
 * and so may the service manager.  Root sees everything.
 */
static bool
may_not_look(const struct validate *v)
{
	return geteuid() != 0 && (errno == EACCES ||
	    (errno == ENOENT && v->hidden));
}

/*
 * Mode at most 0600 and the right owner (root always is); false when there
 * is nothing more to say.
 */
static bool
check_file(const struct validate *v, struct rule_out *o, const char *what,
    const char *path, uid_t owner, mode_t want)
{
	struct stat	 st;
	size_t		 before = o->f->n;

	if (lstat(path, &st) == -1) {
		if (!may_not_look(v))
			found(o, "%s %s: %s", what, path, strerror(errno));
		return o->f->n > before;
	}
	if (!S_ISREG(st.st_mode)) {
		found(o, "%s %s is not a regular file", what, path);
		return true;
	}
	if ((st.st_mode & 07777 & ~want) != 0)
		found(o, "%s %s has mode %04o: chmod %04o it", what, path,
		    (unsigned)st.st_mode & 07777, (unsigned)want);
	if (st.st_uid != owner && st.st_uid != 0 && st.st_uid != geteuid())
		found(o, "%s %s belongs to uid %u: chown it to uid %u", what,
		    path, (unsigned)st.st_uid, (unsigned)owner);
	return o->f->n > before;
}

enum rule_result
rule_config_file(const struct validate *v, struct rule_out *o)
{
	/* The group's bits of a credential may be the mask of its ACL. */
	mode_t	 want = v->credential ? 0660 : 0600;

	if (v->conf == NULL || v->conf->path == NULL || v->inside)
		return RULE_NA;
	return check_file(v, o, "the config", v->conf->path, v->owner, want) ?
	    RULE_FOUND : rule_ok(o, "Config file: %s, private",
	    v->conf->path);
}

enum rule_result
rule_secrets_file(const struct validate *v, struct rule_out *o)
{
	if (v->conf == NULL || !v->conf->use_encrypted_secrets)
		return RULE_NA;
	return check_file(v, o, "the secrets file", v->conf->secrets_file,
	    v->owner, 0600) ? RULE_FOUND : rule_ok(o,
	    "Secrets file: %s, private", v->conf->secrets_file);
}

static void
check_dir(const struct validate *v, struct rule_out *o, const char *path,
    uid_t owner)
{
	struct stat	 st;

	if (stat(path, &st) == -1) {
		if (!may_not_look(v))
			found(o, "directory %s: %s", path, strerror(errno));
		return;
	}
	if (!S_ISDIR(st.st_mode)) {
		found(o, "%s is not a directory", path);
		return;
	}
	if ((st.st_mode & 07077) != 0)
		found(o, "directory %s has mode %04o: chmod 0700 it", path,
		    (unsigned)st.st_mode & 07777);
	if (st.st_uid != owner && st.st_uid != 0)
		found(o, "directory %s belongs to uid %u: chown it to uid %u",
		    path, (unsigned)st.st_uid, (unsigned)owner);
}

/*
 * data_dir and the secrets' directory must be there.  The log's and keyd's
 * are made by their daemons; if they are there they must be private.
 */
enum rule_result
rule_directories(const struct validate *v, struct rule_out *o)
{
	const struct conf	*c = v->conf;
	char			 dir[PATH_MAX];
	size_t			 before = o->f->n;

	if (c == NULL || v->inside)
		return RULE_NA;
	check_dir(v, o, c->data_dir, v->owner);
	if (parent(c->secrets_file, dir, sizeof(dir)) &&
	    strcmp(dir, c->data_dir) != 0)
		check_dir(v, o, dir, v->owner);
	if (v->users_known && access(c->keyd_state_dir, F_OK) == 0)
		check_dir(v, o, c->keyd_state_dir, v->uid[KEYD]);
	if (v->users_known && parent(c->key_audit_log_path, dir,
	    sizeof(dir)) && access(dir, F_OK) == 0)
		check_dir(v, o, dir, v->uid[AUDITD]);
	return o->f->n > before ? RULE_FOUND :
	    rule_ok(o, "Directories: private");
}

/* There, or auditd (which starts as root, or owns the directory) can make it. */
enum rule_result
rule_audit_log(const struct validate *v, struct rule_out *o)
{
	const char	*path = v->conf->key_audit_log_path;
	char		 dir[PATH_MAX], up[PATH_MAX];
	const char	*where = NULL;
	struct stat	 st;

	if (v->inside)
		return RULE_NA;
	if (path == NULL || *path == '\0') {
		found(o, "service.key_audit_log_path is empty: nothing is "
		    "signed without an audit log");
		return RULE_FOUND;
	}
	if (lstat(path, &st) == 0) {
		if (S_ISREG(st.st_mode))
			return rule_ok(o, "Audit logging: enabled");
		found(o, "the audit log %s is not a regular file", path);
		return RULE_FOUND;
	}
	if (may_not_look(v))
		return rule_ok(o, "Audit logging: enabled");
	if (parent(path, dir, sizeof(dir))) {
		if (stat(dir, &st) == 0)
			where = dir;
		else if (parent(dir, up, sizeof(up)) && stat(up, &st) == 0)
			where = up;
	}
	if (where != NULL && S_ISDIR(st.st_mode) &&
	    (geteuid() == 0 || access(where, W_OK) == 0))
		return rule_ok(o, "Audit logging: enabled");
	found(o, "the audit log %s is not there and igra-auditd could not "
	    "make it: make its directory, 0700 and igra-auditd's", path);
	return RULE_FOUND;
}

enum rule_result
rule_audit_log_mode(const struct validate *v, struct rule_out *o)
{
	const char	*path = v->conf->key_audit_log_path;

	if (v->inside || !v->users_known || path == NULL ||
	    access(path, F_OK) == -1)
		return RULE_NA;
	return check_file(v, o, "the audit log", path, v->uid[AUDITD], 0600) ?
	    RULE_FOUND : rule_ok(o, "Audit log: %s, private", path);
}

enum rule_result
rule_debug_logging(const struct validate *v, struct rule_out *o)
{
	if (!v->debug)
		return RULE_OK;
	found(o, "debug logging (-d) is on");
	return RULE_FOUND;
}

enum rule_result
rule_root(const struct validate *v, struct rule_out *o)
{
	int	 i;

	if (!v->users_known)
		return RULE_NA;
	for (i = 0; i < 3; i++) {
		if (v->uid[i] != 0)
			continue;
		found(o, "a daemon would run as root: set [keyd], [signd] and "
		    "[auditd] user");
		return RULE_FOUND;
	}
	return rule_ok(o, "Users: not root");
}

enum rule_result
rule_roles(const struct validate *v, struct rule_out *o)
{
	if (!v->users_known && v->users_error != NULL && !v->elsewhere) {
		found(o, "the daemons cannot start: %s", v->users_error);
		return RULE_FOUND;
	}
	if (!v->users_known)
		return rule_unknown(o, "Roles: not checked (%s)",
		    v->users_error == NULL ? "the daemons' users are not "
		    "known here" : v->users_error);
	if (v->separated)
		return rule_ok(o, "Roles: separated, uids %u, %u, %u",
		    (unsigned)v->uid[0], (unsigned)v->uid[1],
		    (unsigned)v->uid[2]);
	found(o, "roles are not separated: the three daemons need three "
	    "users");
	return RULE_FOUND;
}

enum rule_result
rule_core_dumps(const struct validate *v, struct rule_out *o)
{
	if (!v->core_dumps)
		return RULE_OK;
	found(o, "core dumps could not be switched off");
	return RULE_FOUND;
}

enum rule_result
rule_memory_lock(const struct validate *v, struct rule_out *o)
{
	if (!v->has_arena)
		return RULE_NA;
	if (v->memory_locked)
		return RULE_OK;
	found(o, "the memory for secrets is not locked and may reach swap: "
	    "raise the locked-memory limit (LimitMEMLOCK=, ulimit -l, "
	    "login.conf memorylocked)");
	return RULE_FOUND;
}

enum rule_result
rule_sandbox(const struct validate *v, struct rule_out *o)
{
	if (v->sandboxed)
		return RULE_OK;
	found(o, "the sandbox is missing%s%s", v->unconfined != NULL ? ": " :
	    "", v->unconfined != NULL ? v->unconfined : "");
	return RULE_FOUND;
}

enum rule_result
rule_descriptors(const struct validate *v, struct rule_out *o)
{
	struct rlimit	 rl;

	if (v->inside)
		return RULE_NA;
	/* A daemon raises its limit as far as it may: that is what counts. */
	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return rule_unknown(o, "Open files: not checked (%s)",
		    strerror(errno));
	if (rl.rlim_max != RLIM_INFINITY && rl.rlim_max < VALIDATE_MIN_FILES) {
		found(o, "at most %llu open files are allowed, %d are needed: "
		    "raise LimitNOFILE= (ulimit -n, login.conf openfiles)",
		    (unsigned long long)rl.rlim_max, VALIDATE_MIN_FILES);
		return RULE_FOUND;
	}
	return rule_ok(o, "Open files: enough");
}

enum rule_result
rule_disk(const struct validate *v, struct rule_out *o)
{
	struct statvfs	 fs;
	char		 dir[PATH_MAX], up[PATH_MAX];
	uint64_t	 avail;

	if (v->inside)
		return RULE_NA;
	if (!parent(v->conf->key_audit_log_path, dir, sizeof(dir)) ||
	    !parent(dir, up, sizeof(up)) ||
	    (statvfs(dir, &fs) == -1 && statvfs(up, &fs) == -1))
		return rule_unknown(o, "Disk space: not checked (%s)",
		    strerror(errno));
	avail = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (avail < MIN_DISK) {
		found(o, "%llu MiB are free where the audit log grows; at "
		    "least 1024 are needed", (unsigned long long)(avail >>
		    20));
		return RULE_FOUND;
	}
	return rule_ok(o, "Disk space: enough");
}
