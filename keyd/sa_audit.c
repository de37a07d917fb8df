#include <sys/types.h>

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frame.h"
#include "log.h"
#include "names.h"
#include "pool.h"
#include "roles.h"
#include "sa_audit.h"

#ifdef __OpenBSD__
#define DEFAULT_SOCKET	"/var/run/igra-auditd/admin.sock"
#else
#define DEFAULT_SOCKET	"/run/igra-auditd/admin.sock"
#endif
#define AUDITD_USER	"_igra_auditd"
#define TIMEOUT_MS	3000
#define MAX_CHANGES	512

static uid_t	auditd_uid(const struct conf *);
static bool	is_key(const char *);
static size_t	make_records(struct audit_record *,
		    const struct audit_change *, size_t);
static int	send_records(int, struct audit_record *, size_t, char *,
		    size_t);

static uid_t
auditd_uid(const struct conf *conf)
{
	struct roles	 r;
	struct passwd	*pw;
	char		 err[256];

	if (conf != NULL && roles_resolve(conf, geteuid(), getegid(), &r, err,
	    sizeof(err)) == 0)
		return r.uid[ROLE_AUDITD];
	if ((pw = getpwnam(AUDITD_USER)) != NULL)
		return pw->pw_uid;
	return geteuid();
}

/* A key has a life cycle; a passphrase or seed has only a value. */
static bool
is_key(const char *name)
{
	enum secret_kind	 kind;
	char			 profile[10];
	unsigned		 version;

	return secret_name_parse(name, strlen(name), &kind, profile,
	    &version) && (kind == SECRET_KIND_PRIVATE_KEY ||
	    kind == SECRET_KIND_MNEMONIC);
}

static size_t
make_records(struct audit_record *r, const struct audit_change *c, size_t n)
{
	size_t	 i, k = 0;

	for (i = 0; i < n; i++, c++) {
		audit_record_init(&r[k], EV_SECRET_ACCESS, SRC_ADMIN, true);
		audit_set_str(&r[k], FIELD_SECRET_NAME, c->name);
		audit_set_str(&r[k], FIELD_BACKEND, "EncryptedFile");
		audit_set_str(&r[k], FIELD_OPERATION,
		    c->removed ? "Remove" : "Set");
		audit_set_u64(&r[k], FIELD_CACHED, 0);
		k++;
		if (!is_key(c->name))
			continue;
		audit_record_init(&r[k], EV_KEY_LIFECYCLE, SRC_ADMIN, true);
		audit_set_str(&r[k], FIELD_KEY_REF, c->name);
		audit_set_str(&r[k], FIELD_OPERATION, c->removed ? "Deleted" :
		    c->replaced ? "Rotated" : "Created");
		k++;
	}
	return k;
}

static int
send_records(int fd, struct audit_record *r, size_t n, char *err,
    size_t errlen)
{
	struct msg_audit_append	 m;
	struct msg_error	 e;
	struct frame_reply	 reply;
	struct pool		 pool;
	struct enc		 enc;
	int			 ret = -1;

	m.n = (uint32_t)n;
	m.record = r;
	enc_init(&enc);
	enc_audit_append(&enc, &m);
	if (enc.failed) {
		(void)strlcpy(err, "out of memory", errlen);
		goto out;
	}
	if (frame_call(fd, LINK_AUDITD_ADMIN, MSG_AUDIT_APPEND, enc.buf,
	    enc.len, TIMEOUT_MS, &reply, err, errlen) == -1)
		goto out;
	if (reply.type == MSG_AUDIT_ACK)
		ret = 0;
	else if (reply.type == MSG_ERROR) {
		pool_init(&pool, 65536);
		if (dec_error(reply.p, reply.len, &pool, &e) == 0)
			(void)snprintf(err, errlen, "%.*s",
			    (int)(e.message.len < 200 ? e.message.len : 200),
			    (const char *)e.message.p);
		else
			(void)strlcpy(err, "an answer that is no answer",
			    errlen);
		pool_free(&pool);
	} else
		(void)strlcpy(err, "an answer of another kind", errlen);
	frame_reply_free(&reply);
out:
	enc_free(&enc);
	return ret;
}

bool
audit_report(const struct conf *conf, const struct audit_change *c, size_t n)
{
	struct audit_record	*r;
	const char		*path;
	char			 err[512];
	int			 fd;
	bool			 ok = false;

	if (n == 0)
		return true;
	if (n > MAX_CHANGES)
		n = MAX_CHANGES;
	path = conf != NULL ? conf->auditd_admin_socket : DEFAULT_SOCKET;
	if (access(path, F_OK) == -1) {
		log_warning("no igra-auditd admin socket at %s: this change "
		    "is not in the audit log", path);
		return false;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	if ((fd = frame_connect(path, auditd_uid(conf), err, sizeof(err))) ==
	    -1) {
		log_warning("%s: this change is not in the audit log", err);
		return false;
	}
	if ((r = reallocarray(NULL, 2 * n, sizeof(*r))) == NULL)
		(void)strlcpy(err, "out of memory", sizeof(err));
	else
		ok = send_records(fd, r, make_records(r, c, n), err,
		    sizeof(err)) == 0;
	if (!ok)
		log_warning("igra-auditd: %s: this change is not in the audit "
		    "log", err);
	free(r);
	close(fd);
	return ok;
}
