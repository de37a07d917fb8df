/* igractl audit: rotation and reopening of the log, asked of igra-auditd. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "fileattr.h"
#include "log.h"
#include "messages.h"
#include "unlock_client.h"

#define EXIT_UNREACHABLE	3

static int	ask(const struct ctl *, uint16_t);
static int	is_append_only(const struct ctl *);
static int	open_log(const struct ctl *);
static int	rotate_as_root(const struct ctl *);

/* One message without a payload; igractl's exit status. */
static int
ask(const struct ctl *ctl, uint16_t type)
{
	struct frame_reply	 r;
	struct msg_error	 m;
	struct pool		 pool;
	char			 err[CTL_ERR], why[PROTO_MAX_TEXT + 1];
	int			 ret = 1;

	if (admin_call(ctl->conf->auditd_admin_socket,
	    ctl->roles.uid[ROLE_AUDITD], LINK_AUDITD_ADMIN, type, &r, err,
	    sizeof(err)) == -1) {
		log_warnx("%s", err);
		return EXIT_UNREACHABLE;
	}
	pool_init(&pool, 0);
	if (r.type == MSG_OK)
		ret = 0;
	else if (r.type == MSG_ERROR &&
	    dec_error(r.p, r.len, &pool, &m) == 0 &&
	    bytes_cstr(m.message, why, sizeof(why)))
		log_warnx("igra-auditd: %s: %s", proto_code_name(m.code),
		    why);
	else
		log_warnx("igra-auditd: its answer makes no sense");
	pool_free(&pool);
	frame_reply_free(&r);
	return ret;
}

/* 1, 0, or -1: it does not say. */
static int
is_append_only(const struct ctl *ctl)
{
	struct frame_reply		 r;
	struct msg_auditd_status	 m;
	struct pool			 pool;
	char				 err[CTL_ERR];
	int				 ret = -1;

	if (admin_call(ctl->conf->auditd_admin_socket,
	    ctl->roles.uid[ROLE_AUDITD], LINK_AUDITD_ADMIN,
	    MSG_AUDITD_STATUS_REQ, &r, err, sizeof(err)) == -1) {
		log_warnx("%s", err);
		return -1;
	}
	pool_init(&pool, 0);
	if (r.type == MSG_AUDITD_STATUS &&
	    dec_auditd_status(r.p, r.len, &pool, &m) == 0)
		ret = m.append_only;
	else
		log_warnx("igra-auditd: its answer makes no sense");
	pool_free(&pool);
	frame_reply_free(&r);
	return ret;
}

/* The directory is another user's: nothing there is taken on trust. */
static int
open_log(const struct ctl *ctl)
{
	const char	*path = ctl->conf->key_audit_log_path;
	struct stat	 st;
	int		 fd;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1)
		log_warn("%s", path);
	else if (!S_ISREG(st.st_mode) || st.st_nlink != 1 ||
	    st.st_uid != ctl->roles.uid[ROLE_AUDITD])
		log_warnx("%s: not a file of igra-auditd's with one name",
		    path);
	else
		return fd;
	if (fd != -1)
		close(fd);
	return -1;
}

/* Off for the moment of the rename; then on for both files. */
static int
rotate_as_root(const struct ctl *ctl)
{
	int	 old, new, ret;

	if ((old = open_log(ctl)) == -1)
		return 1;
	if (fileattr_set_append_only(old, false) == -1) {
		log_warn("%s: cannot take the append-only attribute off",
		    ctl->conf->key_audit_log_path);
		close(old);
		return 1;
	}
	ret = ask(ctl, MSG_AUDIT_ROTATE);
	if (fileattr_set_append_only(old, true) == -1) {
		log_warn("cannot set the append-only attribute again");
		ret = 1;
	}
	close(old);
	if (ret != 0)
		return ret;
	if ((new = open_log(ctl)) == -1)
		return 1;
	if (fileattr_set_append_only(new, true) == -1) {
		log_warn("%s: cannot set the append-only attribute",
		    ctl->conf->key_audit_log_path);
		ret = 1;
	}
	close(new);
	return ret;
}

int
ctl_audit_rotate(const struct ctl *ctl)
{
	int	 attr, ret;

	if ((attr = is_append_only(ctl)) == -1)
		return EXIT_UNREACHABLE;
	ret = attr == 1 && geteuid() == 0 ? rotate_as_root(ctl) :
	    ask(ctl, MSG_AUDIT_ROTATE);
	if (ret == 0)
		puts("rotated");
	return ret;
}

int
ctl_audit_reopen(const struct ctl *ctl)
{
	int	 ret;

	if ((ret = ask(ctl, MSG_AUDIT_REOPEN)) == 0)
		puts("reopened");
	return ret;
}
