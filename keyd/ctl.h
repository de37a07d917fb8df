/* What igractl's files share. */
#ifndef IGRA_CTL_H
#define IGRA_CTL_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "roles.h"
#include "tx.h"

#define CTL_ERR		1280
#define CTL_DEFAULT_CONF	"/etc/igra/igra.toml"

struct ctl {
	struct conf	*conf;
	struct roles	 roles;
	bool		 guessed;	/* no config: default paths */
	uid_t		 euid;		/* whose defaults the config has */
};

#define CTL_NEED	0x01	/* default paths will not do */
#define CTL_OWN		0x02	/* daemons that this user starts */

/*
 * The config as the daemons see it, whoever asks: an operator who is not root
 * and has no daemons of his own means the system's, whose paths and users are
 * root's defaults (unless CTL_OWN).  file NULL is the default config; if that
 * cannot be read, and without CTL_NEED, its defaults are taken: admin_users
 * may lock and ask for the status without being able to read the config.
 * network and profile may be NULL.  0, or -1 with the reason in err.
 */
int	ctl_conf(struct ctl *, const char *file, const char *network,
	    const char *profile, unsigned flags, char *err, size_t errlen);
void	ctl_free(struct ctl *);

/*
 * Asks both daemons and prints what they say, as text or JSON.  igractl's exit
 * status: 0, 1 (no memory), 3 (no keyd).
 */
int	ctl_status(const struct ctl *, bool json);

/*
 * igra-auditd begins a new file of the log; where the file is append-only,
 * root takes that off for the moment and sets it on the new one.  Exit status
 * likewise.
 */
int	ctl_audit_rotate(const struct ctl *);
/* igra-auditd takes records again after somebody has tampered with the log. */
int	ctl_audit_reopen(const struct ctl *);

/* "txid:index" to an outpoint; 0, or -1: it is none. */
int	ctl_outpoint(const char *, struct outpoint *);
/*
 * The policy (ctl_policy.c): limits, what is used of them, and what is claimed
 * for an outpoint (NULL: not asked); to clear a claim; to accept, after a yes
 * at the terminal, the clock or a rollback.  igractl's exit status.
 */
int	ctl_policy_show(const struct ctl *, const struct outpoint *, bool json);
int	ctl_policy_release(const struct ctl *, const struct outpoint *,
	    const char *reason);
int	ctl_policy_accept_clock(const struct ctl *);
int	ctl_policy_accept_rollback(const struct ctl *);

/*
 * Hands the config's text to all three daemons: each checks it first, and
 * only if all would take it, all do.  profile as for ctl_conf.  igractl's exit
 * status: 0, 1 (refused; err says by whom and why), 3.
 */
int	ctl_reload(const struct ctl *, const char *profile, char *err,
	    size_t errlen);

/*
 * The time now, and that so many seconds count when it is accepted; in a static
 * buffer.
 */
const char *ctl_clock(uint64_t gap_s);
/*
 * Asks at the terminal alone: nothing that a script could pipe in.  0 for yes,
 * else -1, having said what comes of it.
 */
int	ctl_ask_yes(const char *prompt);

/*
 * One JSON-RPC call of igra-signd's (ctl_http.c): body is the request, pool
 * holds the answer.  0 with the answer's result or error, or -1 with the
 * reason in err.
 */
struct json;
struct pool;
int	ctl_rpc(const struct ctl *, const void *body, size_t len,
	    struct pool *, const struct json **answer, char *err,
	    size_t errlen);

#endif
