/*
 * igra.toml: read, parse, apply the keys and the active profile's, fill in
 * the defaults.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_int.h"

#ifdef __OpenBSD__
#define RUN_DIR		"/var/run"
#define STATE_DIR	"/var/db/igra-keyd"
#else
#define RUN_DIR		"/run"
#define STATE_DIR	"/var/lib/igra-keyd"
#endif
#define DATA_DIR	"/var/lib/igra"
#define LOG_FILE	"/var/log/igra/key-audit.log"
#define KEY_CHARS	"abcdefghijklmnopqrstuvwxyz" \
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* One walk through the tables of a document or of a profile. */
struct walk {
	struct conf_ctx	 ctx;
	const char	*prefix;	/* "profiles.signer-01." or "" */
};

static int	 walk_table(struct walk *, const struct toml_table *,
		    const char *);
static int	 walk_entry(struct walk *, const struct toml_entry *,
		    const char *);
static int	 apply_key(struct walk *, const struct conf_key *,
		    const struct toml_entry *);
static int	 apply_profiles(struct conf_ctx *, const struct toml_table *,
		    const char *);
static int	 apply_profile(struct conf_ctx *, const struct toml_entry *,
		    bool);
static int	 choose_profile(struct conf_ctx *, const struct toml_table *,
		    const char *);
static int	 unknown_key(struct walk *, const struct toml_entry *,
		    const char *);
static int	 note_skipped(struct walk *, const struct toml_entry *);
static int	 remember_policy(struct conf *, const char *);
static int	 check_group(struct conf_ctx *, const struct toml_table *);
static int	 default_paths(struct conf_ctx *, uid_t);
static int	 default_path(struct conf_ctx *, const char *, char **,
		    const char *, const char *);
static int	 default_users(struct conf *, uid_t);
static struct conf *conf_new(const char *);

static int
note_skipped(struct walk *w, const struct toml_entry *e)
{
	char	 note[1024];

	(void)snprintf(note, sizeof(note), "%s:%u: %s has no meaning for the "
	    "signer and is skipped", w->ctx.path, e->line, w->ctx.shown);
	if (conf_strings_add(&w->ctx.conf->notes, note) == -1)
		return conf_error(&w->ctx, e->line, "out of memory");
	return 0;
}

/* policy.keys_set: once each, in the order of the file. */
static int
remember_policy(struct conf *c, const char *name)
{
	size_t	 i;

	if (strncmp(name, "policy.", 7) != 0)
		return 0;
	for (i = 0; i < c->policy.keys_set.n; i++)
		if (strcmp(c->policy.keys_set.v[i], name + 7) == 0)
			return 0;
	return conf_strings_add(&c->policy.keys_set, name + 7);
}

static int
apply_key(struct walk *w, const struct conf_key *key,
    const struct toml_entry *e)
{
	if (key->type == CONF_SKIP)
		return note_skipped(w, e);
	if (*w->prefix != '\0' && strcmp(key->name, "service.active_profile") ==
	    0)
		return conf_key_error(&w->ctx, e->line, "cannot be set by a "
		    "profile: set it in [service]");
	if (conf_set(&w->ctx, key, e->value) == -1)
		return -1;
	if (remember_policy(w->ctx.conf, key->name) == -1)
		return conf_error(&w->ctx, e->line, "out of memory");
	w->ctx.conf->lines[key - conf_keys] = e->line;
	return 0;
}

/* Says where the key belongs, when its last part is known. */
static int
unknown_key(struct walk *w, const struct toml_entry *e, const char *name)
{
	const char	*leaf;
	size_t		 i;

	if (strcmp(name, "service.hd.mnemonics") == 0)
		return conf_key_error(&w->ctx, e->line, "holds phrases in the "
		    "clear: remove it and import each with secrets-admin "
		    "import-mnemonic");
	for (i = 0; i < conf_nkeys; i++) {
		leaf = strrchr(conf_keys[i].name, '.');
		if (leaf != NULL && strcmp(leaf + 1, e->key.s) == 0)
			return conf_error(&w->ctx, e->line, "unknown key %s: "
			    "%s belongs in [%.*s]", w->ctx.shown, leaf + 1,
			    (int)(leaf - conf_keys[i].name),
			    conf_keys[i].name);
	}
	return conf_error(&w->ctx, e->line, "unknown key %s: igra.toml(5) "
	    "lists those there are", w->ctx.shown);
}

static int
walk_entry(struct walk *w, const struct toml_entry *e, const char *table)
{
	const struct conf_key	*key;
	char			 name[CONF_NAME_MAX], shown[CONF_NAME_MAX + 32];
	bool			 plain;

	/* "a.b" in quotes is one part, and must not pass for two. */
	plain = e->key.len < 64 && e->key.len > 0 &&
	    strspn(e->key.s, KEY_CHARS) == e->key.len;
	(void)snprintf(name, sizeof(name), "%s%s%.64s", table,
	    *table == '\0' ? "" : ".", e->key.s);
	(void)snprintf(shown, sizeof(shown), "%s%s", w->prefix, name);
	w->ctx.shown = shown;

	if (!plain)
		return conf_error(&w->ctx, e->line, "unknown key in quotes: "
		    "igra.toml(5) lists those there are");
	if ((key = conf_key_find(name)) != NULL)
		return apply_key(w, key, e);
	if (*table == '\0' && *w->prefix != '\0' &&
	    (strcmp(name, "hd") == 0 || strcmp(name, "pskt") == 0))
		(void)snprintf(name, sizeof(name), "service.%s", e->key.s);
	if (!conf_table_known(name))
		return unknown_key(w, e, name);
	if (e->value->type != TOML_TABLE)
		return conf_key_error(&w->ctx, e->line, "must be a table, "
		    "written once as [%s]", shown);
	if (strcmp(name, "group") == 0)
		w->ctx.conf->group_present = true;
	return walk_table(w, &e->value->u.table, name);
}

/* Recursion ends with the depth of our own table names. */
static int
walk_table(struct walk *w, const struct toml_table *t, const char *table)
{
	const struct toml_entry	*e;

	TAILQ_FOREACH(e, &t->entries, order) {
		if (*table == '\0' && *w->prefix == '\0' &&
		    strcmp(e->key.s, "profiles") == 0)
			continue;		/* apply_profiles() */
		if (walk_entry(w, e, table) == -1)
			return -1;
	}
	return 0;
}

static int
choose_profile(struct conf_ctx *ctx, const struct toml_table *root,
    const char *profile)
{
	struct conf		*c = ctx->conf;
	struct toml_entry	*service = toml_find(root, "service");
	char			*s;

	if (profile == NULL) {
		if (c->active_profile == NULL)
			return conf_error(ctx, service == NULL ? 1 :
			    service->line, "service.active_profile is missing: "
			    "set it to signer-01 ... signer-99, or give "
			    "--profile");
		return 0;
	}
	if (conf_profile_index(profile) == -1) {
		(void)snprintf(ctx->err, ctx->errlen,
		    "--profile must be signer-01 to signer-99");
		return -1;
	}
	if ((s = strdup(profile)) == NULL)
		return conf_error(ctx, 1, "out of memory");
	free(c->active_profile);
	c->active_profile = s;
	return 0;
}

/* A profile that is not active is checked all the same, and then dropped. */
static int
apply_profile(struct conf_ctx *ctx, const struct toml_entry *e, bool active)
{
	struct walk	 w = { .ctx = *ctx };
	struct conf	*scratch = NULL;
	char		 prefix[32];
	int		 ret;

	(void)snprintf(prefix, sizeof(prefix), "profiles.%s.", e->key.s);
	w.prefix = prefix;
	if (!active) {
		if ((scratch = conf_new(ctx->path)) == NULL)
			return conf_error(ctx, e->line, "out of memory");
		w.ctx.conf = scratch;
	}
	ret = walk_table(&w, &e->value->u.table, "");
	conf_free(scratch);
	return ret;
}

static int
apply_profiles(struct conf_ctx *ctx, const struct toml_table *root,
    const char *active)
{
	struct toml_entry	*profiles = toml_find(root, "profiles"), *e;

	if (profiles == NULL)
		return 0;
	if (profiles->value->type != TOML_TABLE)
		return conf_error(ctx, profiles->line, "profiles must be "
		    "tables: [profiles.signer-01.service] and so on");
	TAILQ_FOREACH(e, &profiles->value->u.table.entries, order) {
		if (e->key.len != strlen(e->key.s) ||
		    conf_profile_index(e->key.s) == -1)
			return conf_error(ctx, e->line, "a profile must be "
			    "named signer-01 to signer-99");
		if (e->value->type != TOML_TABLE)
			return conf_error(ctx, e->line, "profiles.%s must be a "
			    "table", e->key.s);
		if (apply_profile(ctx, e, strcmp(e->key.s, active) == 0) == -1)
			return -1;
	}
	return 0;
}

static int
check_group(struct conf_ctx *ctx, const struct toml_table *root)
{
	struct conf		*c = ctx->conf;
	struct toml_entry	*e;

	if (!c->group_present)
		return 0;
	if (c->group.threshold_m != 0 && c->group.threshold_n != 0)
		return 0;
	if ((e = toml_find(root, "group")) == NULL)
		e = toml_find(root, "profiles");
	return conf_error(ctx, e->line, "group.threshold_%c is missing",
	    c->group.threshold_m == 0 ? 'm' : 'n');
}

/* dir/file, unless the config says otherwise. */
static int
default_path(struct conf_ctx *ctx, const char *key, char **path,
    const char *dir, const char *file)
{
	const struct conf_key	*k = conf_key_find(key);
	unsigned		 line;
	const char		*why;

	if (*path != NULL)
		return 0;
	if (asprintf(path, "%s%s%s", strcmp(dir, "/") == 0 ? "" : dir,
	    *file == '\0' ? "" : "/", file) == -1) {
		*path = NULL;
		return conf_error(ctx, 1, "out of memory");
	}
	if ((why = k->check(*path)) == NULL)
		return 0;
	line = conf_line(ctx->conf, "service.data_dir");
	return conf_error(ctx, line == 0 ? 1 : line, "%s: its default path "
	    "under service.data_dir %s", key, why);
}

static int
default_paths(struct conf_ctx *ctx, uid_t euid)
{
	struct conf	*c = ctx->conf;
	char		 run[PATH_MAX + 8] = RUN_DIR;
	bool		 root = euid == 0;
	const char	*data;

	if (default_path(ctx, "service.data_dir", &c->data_dir, DATA_DIR, "") ==
	    -1)
		return -1;
	data = c->data_dir;
	if (!root)
		(void)snprintf(run, sizeof(run), "%s/run", strcmp(data, "/") ==
		    0 ? "" : data);
	if (default_path(ctx, "service.secrets_file", &c->secrets_file, data,
	    "secrets.bin") == -1 ||
	    default_path(ctx, "service.key_audit_log_path",
	    &c->key_audit_log_path, root ? LOG_FILE : data,
	    root ? "" : "log/key-audit.log") == -1 ||
	    default_path(ctx, "keyd.socket", &c->keyd_socket, run,
	    "igra-keyd/keyd.sock") == -1 ||
	    default_path(ctx, "keyd.admin_socket", &c->keyd_admin_socket, run,
	    "igra-keyd/admin.sock") == -1 ||
	    default_path(ctx, "keyd.state_dir", &c->keyd_state_dir,
	    root ? STATE_DIR : data, root ? "" : "keyd") == -1 ||
	    default_path(ctx, "signd.socket", &c->signd_socket, run,
	    "igra-signd/signd.sock") == -1 ||
	    default_path(ctx, "auditd.socket", &c->auditd_socket, run,
	    "igra-auditd/auditd.sock") == -1 ||
	    default_path(ctx, "auditd.admin_socket", &c->auditd_admin_socket,
	    run, "igra-auditd/admin.sock") == -1)
		return -1;
	return 0;
}

static int
default_users(struct conf *c, uid_t euid)
{
	char	 self[16];

	if (c->allow_users.n > 0)
		return 0;
	(void)snprintf(self, sizeof(self), "%u", (unsigned)euid);
	return conf_strings_add(&c->allow_users, self);
}

static struct conf *
conf_new(const char *path)
{
	struct conf	*c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	conf_defaults(c);
	if ((c->path = strdup(path)) == NULL ||
	    (c->lines = calloc(conf_nkeys, sizeof(*c->lines))) == NULL ||
	    (c->derivation_path = strdup("")) == NULL ||
	    (c->fee_payment_mode = strdup("recipient_pays")) == NULL) {
		conf_free(c);
		return NULL;
	}
	return c;
}

struct conf *
conf_parse(const char *text, size_t len, const char *path, const char *profile,
    uid_t euid, char *err, size_t errlen)
{
	struct walk		 w = { .prefix = "" };
	struct toml		*doc;
	const struct toml_table	*root;

	if (len > CONF_MAX_SIZE) {
		(void)snprintf(err, errlen, "%s: larger than %d bytes", path,
		    CONF_MAX_SIZE);
		return NULL;
	}
	if ((doc = toml_parse(text, len, path, err, errlen)) == NULL)
		return NULL;
	root = &doc->root->u.table;
	w.ctx.path = path;
	w.ctx.err = err;
	w.ctx.errlen = errlen;
	w.ctx.conf = conf_new(path);
	if (w.ctx.conf == NULL) {
		conf_error(&w.ctx, 1, "out of memory");
		goto bad;
	}
	if (walk_table(&w, root, "") == -1 ||
	    choose_profile(&w.ctx, root, profile) == -1 ||
	    apply_profiles(&w.ctx, root, w.ctx.conf->active_profile) == -1 ||
	    check_group(&w.ctx, root) == -1 ||
	    default_paths(&w.ctx, euid) == -1)
		goto bad;
	if (default_users(w.ctx.conf, euid) == -1 ||
	    (w.ctx.conf->canonical = conf_print(w.ctx.conf)) == NULL) {
		conf_error(&w.ctx, 1, "out of memory");
		goto bad;
	}
	toml_free(doc);
	return w.ctx.conf;
bad:
	toml_free(doc);
	conf_free(w.ctx.conf);
	return NULL;
}

char *
conf_read(const char *path, size_t *len, char *err, size_t errlen)
{
	char		*buf = NULL;
	struct stat	 st;
	ssize_t		 n;
	int		 fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) == -1 ||
	    fstat(fd, &st) == -1)
		goto bad;
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		goto bad;
	}
	if ((buf = malloc(CONF_MAX_SIZE + 1)) == NULL)
		goto bad;
	for (*len = 0; *len < CONF_MAX_SIZE + 1; *len += (size_t)n) {
		n = read(fd, buf + *len, CONF_MAX_SIZE + 1 - *len);
		if (n == 0)
			break;
		if (n == -1) {
			if (errno == EINTR) {
				n = 0;
				continue;
			}
			goto bad;
		}
	}
	(void)close(fd);
	return buf;
bad:
	(void)snprintf(err, errlen, "%s: %s", path, strerror(errno));
	if (buf != NULL)
		freezero(buf, CONF_MAX_SIZE + 1);
	if (fd != -1)
		(void)close(fd);
	return NULL;
}

struct conf *
conf_load(const char *path, const char *profile, uid_t euid, char *err,
    size_t errlen)
{
	struct conf	*c;
	char		*text;
	size_t		 len;

	if ((text = conf_read(path, &len, err, errlen)) == NULL)
		return NULL;
	c = conf_parse(text, len, path, profile, euid, err, errlen);
	explicit_bzero(text, len);
	free(text);
	return c;
}

void
conf_free(struct conf *c)
{
	size_t	 i;

	if (c == NULL)
		return;
	for (i = 0; i < conf_nkeys; i++)
		conf_key_free(c, &conf_keys[i]);
	conf_strings_free(&c->encrypted_mnemonics);
	conf_strings_free(&c->policy.keys_set);
	conf_strings_free(&c->notes);
	free(c->network_text);
	free(c->fee_payment_mode);
	free(c->canonical);
	free(c->lines);
	free(c->path);
	freezero(c, sizeof(*c));
}

unsigned
conf_line(const struct conf *c, const char *key)
{
	const struct conf_key	*k = conf_key_find(key);

	return k == NULL ? 0 : c->lines[k - conf_keys];
}

void
conf_rotation_days(const struct conf *c, enum kaspa_network network,
    uint64_t *warn, uint64_t *error)
{
	*warn = *error = 0;
	if (!c->passphrase_rotation_enabled)
		return;
	if (network == KASPA_MAINNET) {
		*warn = 60;
		*error = 90;
	} else if (network == KASPA_TESTNET)
		*warn = 90;
	if (c->passphrase_rotation_warn_days.set)
		*warn = c->passphrase_rotation_warn_days.v;
	if (c->passphrase_rotation_error_days.set)
		*error = c->passphrase_rotation_error_days.v;
}

int
conf_uid_number(const char *name, uid_t *uid)
{
	const char	*errstr;
	long long	 n = strtonum(name, 0, UINT32_MAX - 1, &errstr);

	if (errstr != NULL)
		return -1;
	*uid = (uid_t)n;
	return 0;
}

int
conf_uid(const char *name, uid_t *uid, gid_t *gid)
{
	struct passwd	*pw;
	bool		 number = conf_uid_number(name, uid) == 0;

	pw = number ? getpwuid(*uid) : getpwnam(name);
	if (pw == NULL && !number)
		return -1;
	if (pw != NULL)
		*uid = pw->pw_uid;
	*gid = pw == NULL ? (gid_t)*uid : pw->pw_gid;
	return 0;
}
