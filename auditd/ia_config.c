#include <sys/stat.h>

#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/log.h"

#include "auditd/ia_cmd.h"
#include "auditd/ia_config.h"
#include "auditd/ia_text.h"

static int	 take(struct ia_config *, const char *, char *, size_t);

bool
ia_config_option(struct ia_config *c, int opt, const char *arg)
{
	if (opt == IA_O_LOG)
		c->log = arg;
	else if (opt == 'f')
		c->file = arg;
	else
		return false;
	return true;
}

/* A config of root's has a system service's defaults, whoever reads it. */
static int
take(struct ia_config *c, const char *file, char *err, size_t errlen)
{
	struct conf	*conf;
	struct stat	 st;
	uid_t		 euid = geteuid();

	if (stat(file, &st) == 0 && st.st_uid == 0)
		euid = 0;
	if ((conf = conf_load(file, NULL, euid, err, errlen)) == NULL)
		return -1;
	if (c->log == NULL)
		(void)strlcpy(c->path, conf->key_audit_log_path,
		    sizeof(c->path));
	c->pinned = conf->anchor != NULL &&
	    ia_key_parse(conf->anchor, c->anchor) == 0;
	conf_free(conf);
	return 0;
}

int
ia_config_load(struct ia_config *c, bool named)
{
	char	 err[1024];

	(void)strlcpy(c->path, c->log != NULL ? c->log : IA_DEFAULT_LOG,
	    sizeof(c->path));
	if (c->file != NULL) {
		if (take(c, c->file, err, sizeof(err)) == 0)
			return IA_OK;
		return ia_bad_option("config", ia_safe(err));
	}
	if (c->log != NULL || named || access(IA_DEFAULT_CONFIG, R_OK) == -1)
		return IA_OK;
	if (take(c, IA_DEFAULT_CONFIG, err, sizeof(err)) == -1)
		log_warning("%s", ia_safe(err));
	return IA_OK;
}
