#include <sys/mman.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "derive.h"
#include "frame.h"
#include "isec.h"
#include "keyring.h"
#include "messages.h"
#include "names.h"
#include "passphrase.h"
#include "secmem.h"
#include "secrets_file.h"
#include "unlock_client.h"
#include "validate.h"
#include "walletcrypt.h"

#define ANSWER_MS	5000
#define UNLOCK_MS	30000		/* keyd waits for auditd meanwhile */
#define UNLOCK_LEN	67		/* payload of MSG_UNLOCK */

/* One allocation of locked memory. */
struct unlock_keys {
	struct msg_unlock	 m;
	uint8_t			 payload[UNLOCK_LEN];
};

/* What one unlock has in hand. */
struct unlock {
	const struct unlock_client *c;
	struct secrets_file	 file;
	struct isec_header	 header;
	struct secret		 pass;
	struct unlock_keys	*keys;
	uint8_t			*plain;
	size_t			 plainlen;
	bool			 right;		/* the passphrase is the file's */
	bool			 warned;	/* that memory is not locked */
	enum proto_clock	 clock;		/* keyd's */
	uint64_t		 gap;
	struct validate		 v;
	char			*err;
	size_t			 errlen;
};

static int	fail(struct unlock *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));
static enum unlock_result failed(char *, size_t, const struct frame_reply *);
static void	note(const struct unlock *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));
static enum unlock_result ask_status(struct unlock *);
static int	check_status(struct unlock *, const struct frame_reply *);
static int	read_file(struct unlock *);
static int	read_passphrase(struct unlock *);
static int	check_locked(struct unlock *, const void *, size_t);
static int	make_keys(struct unlock *);
static void	weigh(struct unlock *);
static int	apply_rules(struct unlock *);
static int	derive_facts(struct unlock *, struct secret_facts *);
static int	open_file(struct unlock *, bool *);
static int	layer1_key(struct unlock *);
static enum unlock_result send_keys(struct unlock *);

static int
fail(struct unlock *u, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(u->err, u->errlen, fmt, ap);
	va_end(ap);
	return -1;
}

static void
note(const struct unlock *u, const char *fmt, ...)
{
	char	 text[UNLOCK_ERR];
	va_list	 ap;

	if (u->c->note == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	u->c->note(text, u->c->arg);
}

void
unlock_source_init(struct unlock_source *s)
{
	memset(s, 0, sizeof(*s));
	s->fd = -1;
}

int
unlock_source_environment(struct unlock_source *s, enum kaspa_network net)
{
	if (validate_environment(net, true) == -1)
		return -1;
	(void)secret_take_env(&s->env, UNLOCK_ENV);
	return 0;
}

void
unlock_source_free(struct unlock_source *s)
{
	secret_free(&s->env);
}

bool
unlock_source_given(const struct unlock_source *s)
{
	return s->file != NULL || s->fd != -1 || s->env.p != NULL;
}

/* An answer that is not the one hoped for, in words. */
static enum unlock_result
failed(char *err, size_t errlen, const struct frame_reply *r)
{
	struct msg_error	 m;
	struct pool		 pool;

	pool_init(&pool, 0);
	if (r->type != MSG_ERROR || dec_error(r->p, r->len, &pool, &m) == -1) {
		pool_free(&pool);
		(void)strlcpy(err, "igra-keyd answers something else",
		    errlen);
		return UNLOCK_FAILED;
	}
	(void)snprintf(err, errlen, "%s: %.*s", proto_code_name(m.code),
	    (int)m.message.len, (const char *)m.message.p);
	pool_free(&pool);
	return m.code == CODE_LOCKED ? UNLOCK_MARKER : UNLOCK_FAILED;
}

/* A keyd of another network must not be sent this one's keys. */
static int
check_status(struct unlock *u, const struct frame_reply *r)
{
	struct msg_keyd_status	 m;
	struct pool		 pool;
	const char		*name = kaspa_network_name(u->c->conf->network);
	int			 ret = 0;

	pool_init(&pool, 0);
	if (dec_keyd_status(r->p, r->len, &pool, &m) == -1)
		ret = fail(u, "igra-keyd's status makes no sense");
	else if (!bytes_eq(m.network, bytes_str(name)))
		ret = fail(u, "igra-keyd runs on %.*s, but here the network is "
		    "%s", (int)m.network.len, (const char *)m.network.p, name);
	else if (m.lock_marker && !unlock_source_given(u->c->source) &&
	    readpass_have_tty())
		note(u, "locked by an operator (igractl lock); this unlock "
		    "lifts that");
	u->clock = m.clock;
	u->gap = m.clock_gap;
	pool_free(&pool);
	return ret;
}

static enum unlock_result
ask_status(struct unlock *u)
{
	struct frame_reply	 r;
	enum unlock_result	 res = UNLOCK_FAILED;

	if (admin_call(u->c->conf->keyd_admin_socket, u->c->keyd_uid,
	    LINK_KEYD_ADMIN, MSG_KEYD_STATUS_REQ, &r, u->err, u->errlen) == -1)
		return UNLOCK_UNREACHABLE;
	if (r.type != MSG_KEYD_STATUS)
		res = failed(u->err, u->errlen, &r);
	else if (check_status(u, &r) == 0)
		res = UNLOCK_OK;
	frame_reply_free(&r);
	return res;
}

static int
read_file(struct unlock *u)
{
	const struct conf	*c = u->c->conf;
	bool			 mainnet = c->network == KASPA_MAINNET;
	const char		*why;

	if (secrets_file_read(c->secrets_file, mainnet ? 0 : SECRETS_LOOSE,
	    &u->file, u->err, u->errlen) == -1)
		return -1;
	if (u->err[0] != '\0')
		note(u, "WARNING: %s", u->err);
	u->err[0] = '\0';
	if (u->file.len > c->secrets_file_max)
		return fail(u, "%s: larger than secrets_file_max (%llu bytes): "
		    "raise it in [security] and restart igra-keyd",
		    c->secrets_file, (unsigned long long)c->secrets_file_max);
	if (isec_parse_header(u->file.data, u->file.len, &u->header,
	    &why) == -1)
		return fail(u, "%s: %s", c->secrets_file, why);
	if (mainnet && !isec_params_strong(&u->header))
		return fail(u, "%s: Argon2id parameters too weak for mainnet "
		    "(%u KiB x %u; at least %u x %u): rotate-passphrase makes "
		    "them anew", c->secrets_file, u->header.m, u->header.t,
		    ISEC_DEFAULT_M, ISEC_DEFAULT_T);
	return 0;
}

static int
read_passphrase(struct unlock *u)
{
	struct unlock_source	*s = u->c->source;
	enum kaspa_network	 net = u->c->conf->network;
	char			 why[512] = "";
	int			 r;

	if (s->file != NULL)
		r = readpass_file(s->file, net != KASPA_MAINNET, &u->pass, why,
		    sizeof(why));
	else if (s->fd != -1)
		r = readpass_fd(s->fd, &u->pass, why, sizeof(why));
	else if (s->env.p != NULL)
		r = secret_set(&u->pass, s->env.p, s->env.len);
	else
		r = readpass_prompt("Passphrase: ", &u->pass, why,
		    sizeof(why));
	if (r == -1)
		return fail(u, "no passphrase: %s", why);
	if (why[0] != '\0')
		note(u, "WARNING: %s", why);
	if (u->pass.len == 0)
		return fail(u, "the passphrase is empty");
	return check_locked(u, u->pass.p, u->pass.len);
}

/* sodium_malloc() says nothing when it could not lock. */
static int
check_locked(struct unlock *u, const void *p, size_t len)
{
	if (mlock(p, len) == 0)
		return 0;
	if (u->c->conf->network == KASPA_MAINNET)
		return fail(u, "cannot lock memory: raise RLIMIT_MEMLOCK "
		    "(ulimit -l)");
	if (!u->warned)
		note(u, "WARNING: cannot lock memory (ulimit -l): secrets may "
		    "be swapped out");
	u->warned = true;
	return 0;
}

/*
 * Opens the file here as well: into plain, when the key is right.  What is
 * wrong with the contents is keyd's to say.
 */
static int
open_file(struct unlock *u, bool *right)
{
	const char	*why;

	u->plain = sodium_malloc(u->file.len - ISEC_OVERHEAD);
	if (u->plain == NULL)
		return fail(u, "out of memory");
	if (check_locked(u, u->plain, u->file.len - ISEC_OVERHEAD) == -1)
		return -1;
	*right = isec_open(u->file.data, u->file.len, u->keys->m.file_key,
	    u->plain, u->file.len - ISEC_OVERHEAD, &u->plainlen, &why) == 0;
	return 0;
}

static int
layer1_key(struct unlock *u)
{
	const uint8_t	*v;
	const char	*why;
	size_t		 len;

	if (isec_check(u->plain, u->plainlen, &why) == -1)
		return 0;
	if (!isec_find(u->plain, u->plainlen, SECRET_WALLET, &v, &len))
		return fail(u, "the config has encrypted_mnemonics, but the "
		    "secrets file no %s", SECRET_WALLET);
	if (walletcrypt_key(v, len, u->keys->m.layer1_key, &why) == -1)
		return fail(u, "%s: %s", SECRET_WALLET, why);
	u->keys->m.has_layer1 = true;
	return 0;
}

/*
 * What the rules ask about passphrase and wallet_secret.  Only for a
 * passphrase that is known to be the file's.
 */
static void
weigh(struct unlock *u)
{
	const char		*context[] = { u->c->conf->active_profile, NULL };
	struct secret_facts	*f = &u->v.secrets;
	const uint8_t		*val;
	const char		*why;
	size_t			 len;

	f->pass_known = true;
	f->pass = passphrase_check(u->c->conf->network, u->pass.p,
	    u->pass.len, context, f->pass_msg, sizeof(f->pass_msg));
	if (isec_check(u->plain, u->plainlen, &why) == -1 ||
	    !isec_find(u->plain, u->plainlen, SECRET_WALLET, &val, &len))
		return;
	f->wallet_known = true;
	f->wallet = passphrase_check(u->c->conf->network, (const char *)val,
	    len, context, f->wallet_msg, sizeof(f->wallet_msg));
}

/* The rules of an unlock; what is wrong with the keys themselves keyd says. */
static int
apply_rules(struct unlock *u)
{
	struct findings		 f = { 0 };
	const struct finding	*first;
	size_t			 i;
	int			 ret = 0;

	u->v.conf = u->c->conf;
	u->v.network = u->c->conf->network;
	u->v.when = VALIDATE_UNLOCK;
	u->v.owner = geteuid();
	u->v.age_known = true;
	u->v.age_days = keyring_age_days(&u->header);
	validate_run(&u->v, &f);
	for (i = 0; i < f.n; i++)
		if (f.v[i].severity == SEV_WARNING)
			note(u, "WARNING: %s", f.v[i].message);
	if (findings_worst(&f) == SEV_ERROR) {
		first = findings_first(&f, SEV_ERROR);
		ret = fail(u, "%s", first == NULL ? "out of memory" :
		    first->message);
	}
	findings_free(&f);
	return ret;
}

/*
 * A wrong passphrase is no error here, whatever its strength: keyd is sent
 * what came of it, and counts and records the failure.
 */
static int
make_keys(struct unlock *u)
{
	const char	*why;
	bool		 right = false;

	if ((u->keys = sodium_malloc(sizeof(*u->keys))) == NULL)
		return fail(u, "out of memory");
	memset(u->keys, 0, sizeof(*u->keys));
	if (check_locked(u, u->keys, sizeof(*u->keys)) == -1)
		return -1;
	if (isec_derive(&u->header, (const uint8_t *)u->pass.p, u->pass.len,
	    u->keys->m.file_key, &why) == -1)
		return fail(u, "%s", why);
	if (open_file(u, &right) == -1)
		return -1;
	if (!right)
		return 0;
	u->right = true;
	weigh(u);
	if (u->c->conf->encrypted_mnemonics.n > 0)
		return layer1_key(u);
	return 0;
}

static enum unlock_result
send_keys(struct unlock *u)
{
	struct frame_reply	 r;
	struct enc		 e;
	enum unlock_result	 res = UNLOCK_UNREACHABLE;
	int			 fd;

	enc_init_fixed(&e, u->keys->payload, sizeof(u->keys->payload));
	enc_unlock(&e, &u->keys->m);
	if (e.failed || e.len != sizeof(u->keys->payload)) {
		(void)fail(u, "cannot encode the unlock message");
		return UNLOCK_FAILED;
	}
	fd = frame_connect(u->c->conf->keyd_admin_socket, u->c->keyd_uid,
	    u->err, u->errlen);
	if (fd == -1)
		return UNLOCK_UNREACHABLE;
	/* The file has no answer of its own: the UNLOCK that follows has it. */
	if (frame_write(fd, MSG_UNLOCK_FILE, 0, u->file.data,
	    u->file.len) == -1)
		(void)fail(u, "igra-keyd closed the connection");
	else if (frame_call(fd, LINK_KEYD_ADMIN, MSG_UNLOCK, u->keys->payload,
	    sizeof(u->keys->payload), UNLOCK_MS, &r, u->err,
	    u->errlen) == 0) {
		res = r.type == MSG_OK ? UNLOCK_OK :
		    failed(u->err, u->errlen, &r);
		frame_reply_free(&r);
	}
	close(fd);
	return res;
}

enum unlock_result
unlock_client(const struct unlock_client *c, char *err, size_t errlen)
{
	struct unlock		 u;
	enum unlock_result	 res;

	memset(&u, 0, sizeof(u));
	u.c = c;
	u.err = err;
	u.errlen = errlen;
	err[0] = '\0';
	if (sodium_init() == -1) {
		(void)fail(&u, "cannot initialise libsodium");
		return UNLOCK_FAILED;
	}
	if ((res = ask_status(&u)) != UNLOCK_OK)
		return res;
	res = UNLOCK_FAILED;
	if (read_file(&u) == -1 || read_passphrase(&u) == -1 ||
	    make_keys(&u) == -1 || (u.right && apply_rules(&u) == -1))
		goto out;
	u.keys->m.interactive = !unlock_source_given(c->source) &&
	    readpass_have_tty();
	u.keys->m.accept_clock = u.keys->m.interactive && u.right &&
	    u.clock != PROTO_CLOCK_RUNS && c->ask_clock != NULL &&
	    c->ask_clock(u.clock, u.gap, c->arg);
	/* Nothing needs them any more; keyd's answer may take a while. */
	secret_free(&u.pass);
	sodium_free(u.plain);
	u.plain = NULL;
	res = send_keys(&u);
out:
	secret_free(&u.pass);
	sodium_free(u.plain);
	sodium_free(u.keys);
	secrets_file_free(&u.file);
	return res;
}

/* The active key is derived as keyd would, in the arena, for its facts only. */
static int
derive_facts(struct unlock *u, struct secret_facts *facts)
{
	const struct conf	*c = u->c->conf;
	struct secret_facts	 derived;
	struct key		 k;
	char			 why[256];
	enum proto_code		 code;

	memset(&k, 0, sizeof(k));
	if ((k.pair = secmem_alloc(sizeof(*k.pair))) == NULL)
		return fail(u, "the secret arena is full");
	code = derive_key(c, u->plain, u->plainlen, u->keys->m.has_layer1 ?
	    u->keys->m.layer1_key : NULL, c->active_profile, &k, NULL,
	    &derived, why, sizeof(why));
	secmem_free(k.pair);
	stack_scrub();
	if (code != CODE_NONE && !derived.two_phrases)
		return fail(u, "%s", why);
	*facts = derived;
	return 0;
}

int
unlock_examine(const struct unlock_client *c, struct validate *v, char *err,
    size_t errlen)
{
	struct unlock		 u;
	struct secret_facts	 facts;
	const char		*why;
	int			 ret = -1;

	memset(&u, 0, sizeof(u));
	u.c = c;
	u.err = err;
	u.errlen = errlen;
	err[0] = '\0';
	if (read_file(&u) == -1 || read_passphrase(&u) == -1 ||
	    make_keys(&u) == -1)
		goto out;
	if (!u.right) {
		(void)fail(&u, "wrong passphrase or damaged file");
		goto out;
	}
	if (isec_check(u.plain, u.plainlen, &why) == -1) {
		(void)fail(&u, "%s", why);
		goto out;
	}
	if (derive_facts(&u, &facts) == -1)
		goto out;
	v->secrets = facts;
	v->secrets.pass_known = u.v.secrets.pass_known;
	v->secrets.pass = u.v.secrets.pass;
	memcpy(v->secrets.pass_msg, u.v.secrets.pass_msg,
	    sizeof(v->secrets.pass_msg));
	v->secrets.wallet_known = u.v.secrets.wallet_known;
	v->secrets.wallet = u.v.secrets.wallet;
	memcpy(v->secrets.wallet_msg, u.v.secrets.wallet_msg,
	    sizeof(v->secrets.wallet_msg));
	ret = 0;
out:
	secret_free(&u.pass);
	sodium_free(u.plain);
	sodium_free(u.keys);
	secrets_file_free(&u.file);
	return ret;
}

void
unlock_examine_header(const struct conf *c, struct validate *v,
    uint8_t salt[32])
{
	struct secrets_file	 file = { 0 };
	struct isec_header	 h;
	const char		*why;
	char			 err[512];

	memset(salt, 0, 32);
	if (secrets_file_read(c->secrets_file, SECRETS_LOOSE, &file, err,
	    sizeof(err)) == -1)
		return;
	if (isec_parse_header(file.data, file.len, &h, &why) == 0) {
		v->age_known = true;
		v->age_days = keyring_age_days(&h);
		memcpy(salt, h.salt, sizeof(h.salt));
	}
	secrets_file_free(&file);
}

int
admin_call(const char *path, uid_t uid, enum proto_link link, uint16_t type,
    struct frame_reply *r, char *err, size_t errlen)
{
	return admin_send(path, uid, link, type, NULL, 0, r, err, errlen);
}

int
admin_send(const char *path, uid_t uid, enum proto_link link, uint16_t type,
    const void *p, size_t len, struct frame_reply *r, char *err, size_t errlen)
{
	char	 why[256];
	int	 fd, ret;

	if ((fd = frame_connect(path, uid, err, errlen)) == -1)
		return -1;
	ret = frame_call(fd, link, type, p, len, ANSWER_MS, r, why,
	    sizeof(why));
	close(fd);
	/* A daemon does not tell strangers that they are. */
	if (ret == -1)
		(void)snprintf(err, errlen, "%s: %s%s", path, why,
		    geteuid() == 0 ? "" : " (is this user one of [security] "
		    "admin_users?)");
	return ret;
}

enum unlock_result
keyd_command(const struct conf *conf, uid_t uid, uint16_t type, char *err,
    size_t errlen)
{
	struct frame_reply	 r;
	enum unlock_result	 res;

	if (admin_call(conf->keyd_admin_socket, uid, LINK_KEYD_ADMIN, type,
	    &r, err, errlen) == -1)
		return UNLOCK_UNREACHABLE;
	res = r.type == MSG_OK ? UNLOCK_OK : failed(err, errlen, &r);
	frame_reply_free(&r);
	return res;
}
