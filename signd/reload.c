/* admin.reload: another config for a signd that runs. */
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "log.h"
#include "methods.h"
#include "pskt.h"
#include "signd.h"

struct reload_params {
	const struct json *value;	/* of config */
	struct bytes	 config;
	bool		 check;		/* only say whether it could be taken */
};

static bool	 may(const struct rpc_call *);
static void	 wipe(struct rpc_call *);

int
signd_conf_init(struct signd_conf *s, const struct conf *c, bool numbers,
    char *err, size_t errlen)
{
	const struct conf_strings	*users = &c->allow_users;
	const char			*hex = c->redeem_script_hex;
	gid_t				 gid;
	size_t				 i;

	memset(s, 0, sizeof(*s));
	(void)strlcpy(err, "out of memory", errlen);
	if ((s->allow = calloc(users->n + 1, sizeof(*s->allow))) == NULL)
		goto bad;
	for (i = 0; i < users->n; i++)
		if ((numbers ? conf_uid_number(users->v[i], &s->allow[i]) :
		    conf_uid(users->v[i], &s->allow[i], &gid)) == -1) {
			(void)snprintf(err, errlen, "%s: [rpc] allow_users: "
			    "no user %s", c->path, users->v[i]);
			goto bad;
		}
	s->nallow = users->n;
	if (hex == NULL)
		return 0;
	/* The config has checked that it is hex. */
	s->redeem_len = strlen(hex) / 2;
	if ((s->redeem = malloc(s->redeem_len + 1)) == NULL ||
	    pskt_unhex((const uint8_t *)hex, 2 * s->redeem_len,
	    s->redeem) == -1)
		goto bad;
	return 0;
bad:
	signd_conf_free(s);
	return -1;
}

void
signd_conf_free(struct signd_conf *s)
{
	free(s->allow);
	free(s->redeem);
	memset(s, 0, sizeof(*s));
}

static bool
may(const struct rpc_call *c)
{
	return daemon_is_root(&c->signd->d, rpc_peer(c)->uid);
}

void *
reload_parse(struct rpc_call *c, const struct json *params, char *err)
{
	static const char *const	 names[] = { "config", "check",
					    "request_id", NULL };
	const struct json		*check = json_get(params, "check");
	struct reload_params		*p;

	/* What others ask for is not looked at. */
	if ((p = pool_alloc(c->pool, 1, sizeof(*p))) == NULL || !may(c))
		return p;
	if (rpc_params_only(params, names, err) == -1 ||
	    rpc_param_request_id(c, params, err) == -1 ||
	    rpc_param_text(params, "config", CONF_MAX_SIZE, &p->config,
	    err) == -1)
		return NULL;
	p->value = json_get(params, "config");
	if (p->config.len == 0) {
		(void)strlcpy(err, "params.config: the text of a config is missing", RPC_ERR_LEN);
		return NULL;
	}
	if (check != NULL && check->type != JSON_BOOL) {
		(void)strlcpy(err, "params.check: must be true or false",
		    RPC_ERR_LEN);
		return NULL;
	}
	p->check = check != NULL && check->truth;
	return p;
}

/* The text has the bearer token; here, at least, no copy of it stays. */
static void
wipe(struct rpc_call *c)
{
	struct reload_params	*p = c->params;

	if (p->config.len != 0)
		explicit_bzero((void *)(uintptr_t)p->config.p, p->config.len);
	explicit_bzero((void *)(uintptr_t)(c->src + p->value->start),
	    p->value->end - p->value->start);
}

void
reload_run(struct rpc_call *c)
{
	struct signd		*s = c->signd;
	struct reload_params	*p = c->params;
	struct signd_conf	 sc, old;
	struct reload		 r;
	struct json_out		*o;
	uint8_t			 hash[32];
	char			 err[1024];

	if (!may(c)) {
		rpc_refuse(c, CODE_UNAUTHORIZED, PROTO_NO_PSKT,
		    "only root may reload");
		return;
	}
	conf_hash(p->config.p, p->config.len, hash);
	if (daemon_reload_parse(&s->d, (const char *)p->config.p,
	    p->config.len, &r, err, sizeof(err)) == -1) {
		wipe(c);
		rpc_refuse(c, r.frozen ? CODE_CONFLICT : RPC_INVALID_PARAMS,
		    PROTO_NO_PSKT, "%s", err);
		return;
	}
	wipe(c);
	if (signd_conf_init(&sc, r.conf, true, err, sizeof(err)) == -1) {
		daemon_reload_free(&r);
		rpc_refuse(c, RPC_INVALID_PARAMS, PROTO_NO_PSKT, "%s", err);
		return;
	}
	if (!p->check) {
		daemon_reload_swap(&s->d, &r, hash);
		old = s->c;
		s->c = sc;
		sc = old;
		limits_change(&s->limits, s->d.conf->rate_limit_rps,
		    s->d.conf->rate_limit_burst, s->c.allow, s->c.nallow);
		log_info("the config was reloaded by uid %u",
		    (unsigned)rpc_peer(c)->uid);
	}
	signd_conf_free(&sc);
	daemon_reload_free(&r);
	if ((o = rpc_result(c)) == NULL)
		return;
	json_out_begin_object(o);
	json_put_bool(o, "applied", !p->check);
	json_put_string(o, "request_id", c->request_id);
	json_out_end_object(o);
	rpc_done(c);
}
