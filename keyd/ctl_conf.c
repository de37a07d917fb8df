/* Which config igractl goes by, and whose defaults. */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "kaspa.h"

static int	load(struct ctl *, const char *, const char *, uid_t, char *,
		    size_t);
static int	guess(struct ctl *, const char *, char *, size_t);
static bool	has_own_keyd(const struct conf *);
static int	settle_network(struct conf *, const char *, char *, size_t);

/* A daemon that a user starts listens on a socket of that user. */
static bool
has_own_keyd(const struct conf *c)
{
	struct stat	 st;

	return lstat(c->keyd_admin_socket, &st) == 0 &&
	    st.st_uid == geteuid();
}

static int
load(struct ctl *ctl, const char *file, const char *profile, uid_t euid,
    char *err, size_t errlen)
{
	ctl->euid = euid;
	ctl->conf = conf_load(file, profile, euid, err, errlen);
	if (ctl->conf == NULL)
		return -1;
	if (roles_resolve(ctl->conf, euid, euid == 0 ? 0 : getegid(),
	    &ctl->roles, err, errlen) == 0)
		return 0;
	ctl_free(ctl);
	return -1;
}

/* The system's default paths, for one who may not read its config. */
static int
guess(struct ctl *ctl, const char *profile, char *err, size_t errlen)
{
	static const char	 text[] =
	    "service.active_profile = \"signer-01\"\n";

	ctl->conf = conf_parse(text, sizeof(text) - 1, CTL_DEFAULT_CONF, profile,
	    0, err, errlen);
	if (ctl->conf == NULL)
		return -1;
	ctl->guessed = true;
	if (roles_resolve(ctl->conf, 0, 0, &ctl->roles, err, errlen) == 0)
		return 0;
	ctl_free(ctl);
	return -1;
}

static int
settle_network(struct conf *c, const char *network, char *err, size_t errlen)
{
	enum kaspa_network	 net;

	if (network == NULL)
		return 0;
	if (kaspa_network_parse(network, &net) == -1) {
		(void)snprintf(err, errlen, "--network %s: not a network",
		    network);
		return -1;
	}
	if (c->network_set && c->network != net) {
		(void)snprintf(err, errlen, "--network says %s, %s says %s: "
		    "make them agree", kaspa_network_name(net), c->path,
		    kaspa_network_name(c->network));
		return -1;
	}
	c->network = net;
	return 0;
}

int
ctl_conf(struct ctl *ctl, const char *file, const char *network,
    const char *profile, unsigned flags, char *err, size_t errlen)
{
	const char	*path = file != NULL ? file : CTL_DEFAULT_CONF;
	struct stat	 st;
	uid_t		 euid = roles_system(geteuid()) ? 0 : geteuid();

	memset(ctl, 0, sizeof(*ctl));
	if (file == NULL && !(flags & CTL_NEED) && access(path, R_OK) == -1 &&
	    (errno == EACCES || errno == ENOENT)) {
		if (guess(ctl, profile, err, errlen) == -1)
			return -1;
		return settle_network(ctl->conf, network, err, errlen);
	}
	if (load(ctl, path, profile, euid, err, errlen) == -1)
		return -1;
	if (euid != 0 && !(flags & CTL_OWN) && !has_own_keyd(ctl->conf) &&
	    stat(path, &st) == 0 && st.st_uid == 0) {
		ctl_free(ctl);
		if (load(ctl, path, profile, 0, err, errlen) == -1)
			return -1;
	}
	if (settle_network(ctl->conf, network, err, errlen) == 0)
		return 0;
	ctl_free(ctl);
	return -1;
}

void
ctl_free(struct ctl *ctl)
{
	conf_free(ctl->conf);
	memset(ctl, 0, sizeof(*ctl));
}
