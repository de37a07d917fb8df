/* Rules about what the config says. */
#include <arpa/inet.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "validate_int.h"

#define COIN_TYPE	"111111'"
#define COIN_TYPE_IGRA	"111110'"	/* Igra's own, on its mainnet */

struct endpoint {
	char	 scheme[16];
	char	 host[256];
	bool	 credentials;
	bool	 parsed;
};

static void	check_address(const struct validate *, struct rule_out *,
		    const char *, const char *, size_t);
static bool	key_twice(const struct multisig *);
static bool	own_redeem(const struct conf *, uint8_t *, size_t,
		    size_t *, struct multisig *);
static bool	member_key(const char *, uint8_t *);
static void	parse_endpoint(const char *, struct endpoint *);
static bool	local_host(const char *);
static bool	path_has_word(const char *, const char *);

enum rule_result
rule_network_mode(const struct validate *v, struct rule_out *o)
{
	return rule_ok(o, "Network mode: %s",
	    kaspa_network_name(v->network));
}

enum rule_result
rule_network_stated(const struct validate *v, struct rule_out *o)
{
	if (v->conf == NULL)
		return RULE_NA;
	if (!v->conf->network_set) {
		found(o, "%s: [service] network is missing: the config must "
		    "say network = \"%s\"", v->conf->path,
		    kaspa_network_name(v->network));
		return RULE_FOUND;
	}
	if (v->conf->network != v->network) {
		found_as(o, SEV_ERROR, "%s: [service] network is %s, but this "
		    "run is for %s: make them agree", v->conf->path,
		    kaspa_network_name(v->conf->network),
		    kaspa_network_name(v->network));
		return RULE_FOUND;
	}
	return rule_ok(o, "Network in the config: %s",
	    kaspa_network_name(v->conf->network));
}

static void
check_address(const struct validate *v, struct rule_out *o, const char *key,
    const char *text, size_t i)
{
	struct kaspa_address	 a;
	const char		*errstr;

	if (strchr(text, ':') == NULL)
		return;			/* a whole script */
	if (address_decode(text, strlen(text), &a, &errstr) == -1)
		found(o, "%s[%zu]: %s", key, i, errstr);
	else if (a.network != v->network)
		found(o, "%s[%zu] is an address of %s, not of %s", key, i,
		    kaspa_network_name(a.network),
		    kaspa_network_name(v->network));
}

enum rule_result
rule_addresses(const struct validate *v, struct rule_out *o)
{
	const struct conf	*c = v->conf;
	size_t			 i, before = o->f->n;

	for (i = 0; i < c->source_addresses.n; i++)
		check_address(v, o, "service.pskt.source_addresses",
		    c->source_addresses.v[i], i);
	if (c->change_address != NULL && *c->change_address != '\0')
		check_address(v, o, "service.pskt.change_address",
		    c->change_address, 0);
	for (i = 0; i < c->policy.allowed_destinations.n; i++)
		check_address(v, o, "policy.allowed_destinations",
		    c->policy.allowed_destinations.v[i], i);
	return o->f->n > before ? RULE_FOUND :
	    rule_ok(o, "Addresses: of %s", kaspa_network_name(v->network));
}

enum rule_result
rule_xpubs(const struct validate *v, struct rule_out *o)
{
	const struct conf	*c = v->conf;
	bool			 mainnet = v->network == KASPA_MAINNET;
	size_t			 i, before = o->f->n;
	const char		*x;

	if (c->xpubs.n == 0)
		return RULE_NA;
	for (i = 0; i < c->xpubs.n; i++) {
		x = c->xpubs.v[i];
		if (strncmp(x, "xpub", 4) == 0)
			continue;	/* says nothing of the network */
		if (strncmp(x, mainnet ? "kpub" : "ktub", 4) != 0)
			found(o, "service.hd.xpubs[%zu] begins with %.4s; a "
			    "key of %s begins with %s", i, x,
			    kaspa_network_name(v->network),
			    mainnet ? "kpub" : "ktub");
	}
	if (!c->required_sigs.set)
		found(o, "service.hd.required_sigs is missing: nothing is "
		    "built from xpubs without it");
	else if (c->required_sigs.v > c->xpubs.n)
		found_as(o, SEV_ERROR, "service.hd.required_sigs is %llu, "
		    "service.hd.xpubs has %zu keys",
		    (unsigned long long)c->required_sigs.v, c->xpubs.n);
	if (c->group_present && c->group.threshold_n != c->xpubs.n)
		found_as(o, SEV_ERROR, "service.hd.xpubs has %zu keys, [group] "
		    "threshold_n is %llu", c->xpubs.n,
		    (unsigned long long)c->group.threshold_n);
	if (c->group_present && c->required_sigs.set &&
	    c->required_sigs.v != c->group.threshold_m)
		found_as(o, SEV_ERROR, "service.hd.required_sigs is %llu, "
		    "[group] threshold_m is %llu",
		    (unsigned long long)c->required_sigs.v,
		    (unsigned long long)c->group.threshold_m);
	return o->f->n > before ? RULE_FOUND :
	    rule_ok(o, "Extended public keys: %zu", c->xpubs.n);
}

/* Only a path longer than m has a coin type (igra-network-modes(7)). */
enum rule_result
rule_coin_type(const struct validate *v, struct rule_out *o)
{
	const char	*p = v->conf->derivation_path, *coin;
	size_t		 len;

	if (p == NULL || strchr(p, '/') == NULL)
		return RULE_NA;
	if ((coin = strchr(strchr(p, '/') + 1, '/')) == NULL) {
		found(o, "service.hd.derivation_path %s has no coin type", p);
		return RULE_FOUND;
	}
	len = strcspn(++coin, "/");
	if (len == strlen(COIN_TYPE) && strncmp(coin, COIN_TYPE, len) == 0)
		return rule_ok(o, "Derivation path: %s", p);
	if (len == strlen(COIN_TYPE_IGRA) &&
	    strncmp(coin, COIN_TYPE_IGRA, len) == 0)
		found(o, "service.hd.derivation_path has coin type 111110, "
		    "which Igra took for mainnet; Kaspa's is 111111 on every "
		    "network. Keys made with 111110 are other keys: sweep "
		    "their funds (igra-key-rotation(7))");
	else
		found(o, "service.hd.derivation_path has coin type %.*s; "
		    "Kaspa's is %s", (int)len, coin, COIN_TYPE);
	return RULE_FOUND;
}

static bool
own_redeem(const struct conf *c, uint8_t *buf, size_t size, size_t *len,
    struct multisig *ms)
{
	const char	*hex = c->redeem_script_hex;

	return hex != NULL && *hex != '\0' &&
	    sodium_hex2bin(buf, size, hex, strlen(hex), NULL, len,
	    NULL) == 0 && script_multisig_parse(buf, *len, ms) == 0;
}

static bool
key_twice(const struct multisig *ms)
{
	unsigned	 i;

	for (i = 0; i < ms->n; i++)
		if (script_multisig_index(ms, ms->keys[i]) != (int)i)
			return true;
	return false;
}

enum rule_result
rule_redeem_addresses(const struct validate *v, struct rule_out *o)
{
	const struct conf	*c = v->conf;
	struct kaspa_address	 a;
	struct multisig		 ms;
	const char		*errstr, *text;
	uint8_t			 redeem[TX_MAX_SCRIPT], own[P2SH_SCRIPT_LEN];
	uint8_t			 script[P2SH_SCRIPT_LEN];
	size_t			 i, len, before = o->f->n;

	if (c->redeem_script_hex == NULL || *c->redeem_script_hex == '\0') {
		if (v->network != KASPA_MAINNET || (c->xpubs.n > 0 &&
		    c->required_sigs.set))
			return RULE_NA;
		found(o, "service.pskt.redeem_script_hex is missing: on "
		    "mainnet nothing else says which coins are ours, and "
		    "nothing would be signed");
		return RULE_FOUND;
	}
	if (!own_redeem(c, redeem, sizeof(redeem), &len, &ms) || ms.ecdsa) {
		found_as(o, SEV_ERROR, "service.pskt.redeem_script_hex is no "
		    "m-of-n Schnorr multisig script");
		return RULE_FOUND;
	}
	if (key_twice(&ms))
		found(o, "service.pskt.redeem_script_hex has a key twice: its "
		    "signer counts as two");
	script_p2sh(redeem, len, own);
	for (i = 0; i <= c->source_addresses.n; i++) {
		text = i < c->source_addresses.n ? c->source_addresses.v[i] :
		    c->change_address;
		if (text == NULL || *text == '\0' ||
		    address_decode(text, strlen(text), &a, &errstr) == -1)
			continue;	/* address-network says so */
		if (address_script(&a, script) != sizeof(own) ||
		    memcmp(script, own, sizeof(own)) != 0)
			found(o, "service.pskt.%s is not the address of "
			    "redeem_script_hex", i < c->source_addresses.n ?
			    "source_addresses" : "change_address");
	}
	return o->f->n > before ? RULE_FOUND :
	    rule_ok(o, "Redeem script: %u of %u", ms.m, ms.n);
}

enum rule_result
rule_group(const struct validate *v, struct rule_out *o)
{
	const struct conf	*c = v->conf;

	if (!c->group_present) {
		found(o, "[group] is missing: it says who signs with us "
		    "(devnet-keygen --member-pubkey prints it)");
		return RULE_FOUND;
	}
	if (c->group.threshold_m < 2) {
		found(o, "[group] threshold_m is %llu: one signer alone could "
		    "spend; it must be at least 2",
		    (unsigned long long)c->group.threshold_m);
		return RULE_FOUND;
	}
	return rule_ok(o, "Group: %llu of %llu",
	    (unsigned long long)c->group.threshold_m,
	    (unsigned long long)c->group.threshold_n);
}

/* 64 or 66 hex digits, 0x allowed: the x-only key. */
static bool
member_key(const char *text, uint8_t *xonly)
{
	uint8_t	 key[33];
	size_t	 len;

	if (strncmp(text, "0x", 2) == 0)
		text += 2;
	if (sodium_hex2bin(key, sizeof(key), text, strlen(text), NULL, &len,
	    NULL) != 0 || (len != 32 && len != 33))
		return false;
	memcpy(xonly, key + len - 32, 32);
	return true;
}

enum rule_result
rule_group_redeem(const struct validate *v, struct rule_out *o)
{
	const struct conf	*c = v->conf;
	struct multisig		 ms;
	uint8_t			 redeem[TX_MAX_SCRIPT], key[32];
	bool			 seen[sizeof(ms.keys) / sizeof(ms.keys[0])];
	size_t			 i, len, before = o->f->n;
	int			 at;

	if (!c->group_present || !own_redeem(c, redeem, sizeof(redeem), &len,
	    &ms))
		return RULE_NA;
	if (c->group.threshold_m != ms.m || c->group.threshold_n != ms.n)
		found(o, "[group] says %llu of %llu, redeem_script_hex is %u "
		    "of %u", (unsigned long long)c->group.threshold_m,
		    (unsigned long long)c->group.threshold_n, ms.m, ms.n);
	else if (c->group.member_pubkeys.n != ms.n)
		found(o, "[group] member_pubkeys has %zu keys, "
		    "redeem_script_hex has %u", c->group.member_pubkeys.n,
		    ms.n);
	memset(seen, 0, sizeof(seen));
	for (i = 0; i < c->group.member_pubkeys.n; i++) {
		at = member_key(c->group.member_pubkeys.v[i], key) ?
		    script_multisig_index(&ms, key) : -1;
		if (at == -1)
			found(o, "[group] member_pubkeys[%zu] is not in "
			    "redeem_script_hex", i);
		else if (seen[at])
			found(o, "[group] member_pubkeys[%zu] is there twice",
			    i);
		else
			seen[at] = true;
	}
	return o->f->n > before ? RULE_FOUND :
	    rule_ok(o, "Group and redeem script: agree");
}

/* The profile's number says which key of the script is ours. */
enum rule_result
rule_profile_position(const struct validate *v, struct rule_out *o)
{
	const struct conf	*c = v->conf;
	struct multisig		 ms;
	uint8_t			 redeem[TX_MAX_SCRIPT];
	size_t			 len;
	int			 at, index;

	if (!own_redeem(c, redeem, sizeof(redeem), &len, &ms))
		return RULE_NA;
	if (!v->secrets.has_pub)
		return rule_unknown(o, "Position in the redeem script: not "
		    "checked (%s)", v->unchecked == NULL ?
		    "the public key is not known" : v->unchecked);
	index = conf_profile_index(c->active_profile);
	at = script_multisig_index(&ms, v->secrets.pub + 1);
	if (at == -1) {
		found(o, "the key of %s is not in redeem_script_hex",
		    c->active_profile);
		return RULE_FOUND;
	}
	if (at + 1 != index) {
		found(o, "the key of %s stands at position %d of "
		    "redeem_script_hex: rename it with secrets-admin "
		    "rename-profile %s signer-%02d and set active_profile",
		    c->active_profile, at + 1, c->active_profile, at + 1);
		return RULE_FOUND;
	}
	return rule_ok(o, "Position in the redeem script: %d", at + 1);
}

/* Else scripts of others' keys alone would be taken for ours. */
enum rule_result
rule_own_xpub(const struct validate *v, struct rule_out *o)
{
	const struct conf	*c = v->conf;

	if (c->xpubs.n == 0)
		return RULE_NA;
	if (v->secrets.has_pub && !v->secrets.phrase) {
		found(o, "service.hd.xpubs is set, but the key of %s does not "
		    "come from a phrase", c->active_profile);
		return RULE_FOUND;
	}
	if (!v->secrets.has_account)
		return rule_unknown(o, "Own extended public key: not checked "
		    "(%s)", v->unchecked == NULL ? "the key is not known" :
		    v->unchecked);
	if (!v->secrets.xpub_listed) {
		found(o, "this signer's own key is not in service.hd.xpubs: "
		    "the extended public key of %s at %s (secrets-admin xpub "
		    "prints it) must be one of them", c->active_profile,
		    c->derivation_path[0] == '\0' ? "m" :
		    c->derivation_path);
		return RULE_FOUND;
	}
	return rule_ok(o, "Own extended public key: in service.hd.xpubs");
}

/* What igra-keyd finds out by itself at its start, and stops for. */
enum rule_result
rule_own_scripts(const struct validate *v, struct rule_out *o)
{
	if (v->own_error == NULL)
		return RULE_NA;
	found(o, "%s: igra-keyd does not start with it", v->own_error);
	return RULE_FOUND;
}

enum rule_result
rule_policy_limits(const struct validate *v, struct rule_out *o)
{
	const struct conf	*c = v->conf;
	size_t			 before = o->f->n;

	if (!c->policy.max_fee_sompi.set)
		found(o, "[policy] max_fee_sompi is missing: without it a fee "
		    "can eat the multisig");
	if (c->policy.allowed_destinations.n == 0 &&
	    (!c->policy.max_amount_sompi.set ||
	    !c->policy.max_daily_volume_sompi.set))
		found(o, "[policy] needs allowed_destinations, or both "
		    "max_amount_sompi and max_daily_volume_sompi");
	return o->f->n > before ? RULE_FOUND :
	    rule_ok(o, "Policy: fee and destinations or volume limited");
}

enum rule_result
rule_verify_after_sign(const struct validate *v, struct rule_out *o)
{
	if (v->conf->verify_after_sign)
		return rule_ok(o, "Signatures: verified before they leave");
	found(o, "[security] verify_after_sign is false: on mainnet a "
	    "signature is always verified before it leaves; remove it");
	return RULE_FOUND;
}

/* Has the path a word that begins so ("test", "testnet-10", not "latest")? */
static bool
path_has_word(const char *path, const char *word)
{
	const char	*p;

	for (p = path; (p = strcasestr(p, word)) != NULL; p++)
		if (p == path || !isalnum((unsigned char)p[-1]))
			return true;
	return false;
}

enum rule_result
rule_data_dir_name(const struct validate *v, struct rule_out *o)
{
	const char	*dir = v->conf->data_dir;

	if (dir == NULL)
		return RULE_NA;
	if (path_has_word(dir, "devnet") || path_has_word(dir, "test")) {
		found(o, "data_dir %s looks like one of devnet or a test",
		    dir);
		return RULE_FOUND;
	}
	return rule_ok(o, "Data directory: %s", dir);
}

/* scheme://[user[:password]@]host[:port][/…]; a bare host:port as well. */
static void
parse_endpoint(const char *url, struct endpoint *e)
{
	const char	*p, *host, *end, *at;
	size_t		 n;

	memset(e, 0, sizeof(*e));
	host = url;
	if ((p = strstr(url, "://")) != NULL) {
		n = (size_t)(p - url);
		if (n == 0 || n >= sizeof(e->scheme))
			return;
		memcpy(e->scheme, url, n);
		host = p + 3;
	}
	/* Some libraries end the host at a backslash, so none may follow it. */
	end = host + strcspn(host, "/?#\\");
	for (at = end; at > host && *(at - 1) != '@'; at--)
		;
	if (at > host) {
		/* ":@" names nobody. */
		e->credentials = at - 1 > host && *host != ':';
		host = at;
	}
	if (*host == '[') {
		host++;
		n = strcspn(host, "]");
	} else
		n = strcspn(host, ":/?#\\");
	if (n == 0 || n >= sizeof(e->host) || host + n > end)
		return;
	memcpy(e->host, host, n);
	e->parsed = true;
}

static bool
local_host(const char *host)
{
	struct in_addr	 a4;
	struct in6_addr	 a6;

	if (strcasecmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, &a4) == 1)
		return ntohl(a4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, host, &a6) == 1 && IN6_IS_ADDR_LOOPBACK(&a6);
}

enum rule_result
rule_rpc_endpoint(const struct validate *v, struct rule_out *o)
{
	const struct conf	*c = v->conf;
	struct endpoint		 e;
	size_t			 before = o->f->n;
	bool			 tls;

	if (c->node_rpc_url == NULL || *c->node_rpc_url == '\0')
		return rule_ok(o, "RPC endpoint: none");
	parse_endpoint(c->node_rpc_url, &e);
	if (!e.parsed) {
		found(o, "service.node_rpc_url is no URL");
		return RULE_FOUND;
	}
	if (local_host(e.host))
		return rule_ok(o, "RPC endpoint: localhost");
	if (!c->allow_remote_rpc) {
		found(o, "service.node_rpc_url names the host %s: a signer "
		    "asks a node of its own, or set allow_remote_rpc = true "
		    "and use TLS and credentials", e.host);
		return RULE_FOUND;
	}
	tls = strcasecmp(e.scheme, "grpcs") == 0 ||
	    strcasecmp(e.scheme, "wss") == 0 ||
	    strcasecmp(e.scheme, "https") == 0;
	if (!tls)
		found(o, "service.node_rpc_url is remote and without TLS: use "
		    "grpcs://, wss:// or https://");
	if (!e.credentials)
		found(o, "service.node_rpc_url is remote and without "
		    "credentials (user:password@)");
	return o->f->n > before ? RULE_FOUND :
	    rule_ok(o, "RPC endpoint: %s, with TLS", e.host);
}
