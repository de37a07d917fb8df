/* What the parsers of params share. */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "conf.h"
#include "rpc.h"

int
rpc_params_only(const struct json *params, const char *const *names, char *err)
{
	const struct json	*v;
	const char *const	*n;
	char			 path[64];

	for (v = params == NULL ? NULL : params->first; v != NULL;
	    v = v->next) {
		for (n = names; *n != NULL; n++)
			if (v->key.len == strlen(*n) &&
			    memcmp(v->key.p, *n, v->key.len) == 0)
				break;
		if (*n != NULL)
			continue;
		json_path(params, v, path, sizeof(path));
		(void)snprintf(err, RPC_ERR_LEN,
		    "params: %s is not a parameter of this method", path);
		return -1;
	}
	return 0;
}

int
rpc_param_text(const struct json *params, const char *name, size_t max,
    struct bytes *out, char *err)
{
	const struct json	*v = json_get(params, name);

	memset(out, 0, sizeof(*out));
	if (v == NULL || v->type == JSON_NULL)
		return 0;
	if (v->type != JSON_STRING || v->text.len > max ||
	    (v->text.len != 0 && memchr(v->text.p, 0, v->text.len) != NULL)) {
		(void)snprintf(err, RPC_ERR_LEN,
		    "params.%s: must be a string of at most %zu bytes", name,
		    max);
		return -1;
	}
	*out = v->text;
	return 0;
}

int
rpc_param_profile(const struct json *params, struct bytes *out, char *err)
{
	char	 name[PROTO_MAX_PROFILE + 1];

	if (rpc_param_text(params, "profile", PROTO_MAX_PROFILE, out,
	    err) == -1)
		return -1;
	if (out->len == 0)
		return 0;
	memcpy(name, out->p, out->len);
	name[out->len] = '\0';
	if (conf_profile_index(name) != -1)
		return 0;
	(void)strlcpy(err, "params.profile: must be a name such as signer-01",
	    RPC_ERR_LEN);
	return -1;
}

int
rpc_param_request_id(struct rpc_call *c, const struct json *params, char *err)
{
	struct bytes	 id;
	uint8_t		 random[8];
	char		 hex[2 * sizeof(random) + 1];
	size_t		 i;
	uint8_t		 ch;

	if (rpc_param_text(params, "request_id", PROTO_MAX_REQUEST_ID, &id,
	    err) == -1)
		return -1;
	for (i = 0; i < id.len; i++) {
		ch = id.p[i];
		if ((ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') ||
		    (ch >= '0' && ch <= '9') || ch == '.' || ch == '_' ||
		    ch == '-')
			continue;
		(void)strlcpy(err, "params.request_id: may hold A-Z a-z 0-9 . "
		    "_ - only", RPC_ERR_LEN);
		return -1;
	}
	if (id.len != 0) {
		memcpy(c->request_id, id.p, id.len);
		c->request_id[id.len] = '\0';
		return 0;
	}
	randombytes_buf(random, sizeof(random));
	sodium_bin2hex(hex, sizeof(hex), random, sizeof(random));
	(void)snprintf(c->request_id, sizeof(c->request_id), "req-%s", hex);
	return 0;
}
