#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "metrics.h"
#include "sandbox.h"

struct out {
	struct evbuffer	*buf;
	bool		 failed;
};

/* Upper bounds of the latency buckets but +Inf. */
static const struct {
	uint64_t	 ns;
	const char	*label;
} bounds[METRICS_BUCKETS - 1] = {
	{ 500000, "0.0005" }, { 1000000, "0.001" }, { 2000000, "0.002" },
	{ 5000000, "0.005" }, { 10000000, "0.01" }, { 20000000, "0.02" },
	{ 50000000, "0.05" }, { 100000000, "0.1" }, { 200000000, "0.2" },
	{ 500000000, "0.5" }, { 1000000000, "1" }, { 2000000000, "2" },
	{ 5000000000, "5" }
};

static void	put(struct out *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));
static void	head(struct out *, const char *, const char *, const char *);
static void	value(struct out *, const char *, const char *, const char *,
		    uint64_t);
static void	write_calls(struct out *, const struct metrics *);
static void	write_latency(struct out *, const struct metrics *);
static void	write_server(struct out *, const struct metrics *, uint64_t);
static void	write_daemons(struct out *, const struct metrics *,
		    const struct msg_keyd_status *);
static void	write_sandbox(struct out *, const char *, const char *);
static void	write_keyd(struct out *, const struct msg_keyd_status *);

void
metrics_init(struct metrics *m, uint64_t start)
{
	memset(m, 0, sizeof(*m));
	m->start = start;
}

void
metrics_call(struct metrics *m, unsigned method, unsigned code, uint64_t ns)
{
	unsigned	 b;

	if (method >= METRICS_METHODS || code >= RPC_CODE_MAX)
		return;
	for (b = 0; b < METRICS_BUCKETS - 1 && ns > bounds[b].ns; b++)
		;
	m->calls[method][code]++;
	m->bucket[method][b]++;
	m->sum_ns[method] += ns;
}

static void
put(struct out *o, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	if (evbuffer_add_vprintf(o->buf, fmt, ap) == -1)
		o->failed = true;
	va_end(ap);
}

static void
head(struct out *o, const char *name, const char *type, const char *help)
{
	put(o, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
value(struct out *o, const char *name, const char *type, const char *help,
    uint64_t v)
{
	head(o, name, type, help);
	put(o, "%s %" PRIu64 "\n", name, v);
}

static void
write_calls(struct out *o, const struct metrics *m)
{
	uint64_t	 sum;
	unsigned	 i, c;

	head(o, "igra_rpc_requests_total", "counter",
	    "JSON-RPC calls by method.");
	for (i = 0; i < METRICS_METHODS; i++) {
		if (m->method[i] == NULL)
			continue;
		for (sum = 0, c = 0; c < RPC_CODE_MAX; c++)
			sum += m->calls[i][c];
		put(o, "igra_rpc_requests_total{method=\"%s\"} %" PRIu64 "\n",
		    m->method[i], sum);
	}
	head(o, "igra_rpc_errors_total", "counter",
	    "JSON-RPC calls that failed, by method and data.code.");
	for (i = 0; i < METRICS_METHODS; i++)
		for (c = CODE_NONE + 1; c < RPC_CODE_MAX; c++)
			if (m->method[i] != NULL && m->calls[i][c] != 0)
				put(o, "igra_rpc_errors_total{method=\"%s\","
				    "code=\"%s\"} %" PRIu64 "\n", m->method[i],
				    rpc_code_name(c), m->calls[i][c]);
}

static void
write_latency(struct out *o, const struct metrics *m)
{
	static const char	 name[] = "igra_rpc_request_duration_seconds";
	uint64_t		 n;
	unsigned		 i, b;

	head(o, name, "histogram", "Time from the request read to its answer.");
	for (i = 0; i < METRICS_METHODS; i++) {
		if (m->method[i] == NULL)
			continue;
		for (n = 0, b = 0; b < METRICS_BUCKETS; b++) {
			n += m->bucket[i][b];
			put(o, "%s_bucket{method=\"%s\",le=\"%s\"} %" PRIu64
			    "\n", name, m->method[i], b < METRICS_BUCKETS - 1 ?
			    bounds[b].label : "+Inf", n);
		}
		put(o, "%s_sum{method=\"%s\"} %" PRIu64 ".%09" PRIu64 "\n",
		    name, m->method[i], m->sum_ns[i] / 1000000000,
		    m->sum_ns[i] % 1000000000);
		put(o, "%s_count{method=\"%s\"} %" PRIu64 "\n", name,
		    m->method[i], n);
	}
}

static void
write_server(struct out *o, const struct metrics *m, uint64_t now)
{
	unsigned	 c;

	value(o, "igra_signd_uptime_seconds", "gauge",
	    "Since igra-signd started.", (now - m->start) / 1000000000);
	value(o, "igra_http_connections", "gauge", "Open connections.",
	    m->connections);
	value(o, "igra_http_connections_total", "counter",
	    "Connections accepted.", m->accepted);
	value(o, "igra_http_evicted_total", "counter",
	    "Idle connections closed to make room.", m->evicted);
	value(o, "igra_http_timeouts_total", "counter",
	    "Connections closed over a slow request or an unread answer.",
	    m->timed_out);
	head(o, "igra_http_refused_total", "counter",
	    "Requests refused before any method, by code.");
	for (c = CODE_NONE + 1; c < RPC_CODE_MAX; c++)
		if (m->http_refused[c] != 0)
			put(o, "igra_http_refused_total{code=\"%s\"} %" PRIu64
			    "\n", rpc_code_name(c), m->http_refused[c]);
	value(o, "igra_keyd_connects_total", "counter",
	    "Times igra-signd connected to igra-keyd.", m->keyd_connects);
	value(o, "igra_keyd_timeouts_total", "counter",
	    "Requests that igra-keyd did not answer in time.",
	    m->keyd_timeouts);
	value(o, "igra_keyd_inflight", "gauge",
	    "Requests that wait for igra-keyd.", m->keyd_inflight);
	value(o, "igra_notes_total", "counter",
	    "Refusals handed on to the audit log.", m->notes_sent);
	value(o, "igra_notes_suppressed_total", "counter",
	    "Refusals over the log's limit, only counted.",
	    m->notes_suppressed);
}

/* Its version, 1, or 0 when it is not in force. */
static void
write_sandbox(struct out *o, const char *daemon, const char *text)
{
	size_t	 i;

	for (i = 0; sandbox_features[i] != NULL; i++)
		put(o, "igra_sandbox{daemon=\"%s\",feature=\"%s\"} %u\n",
		    daemon, sandbox_features[i],
		    sandbox_feature(text, sandbox_features[i]));
}

static void
write_daemons(struct out *o, const struct metrics *m,
    const struct msg_keyd_status *s)
{
	bool	 ready = s != NULL && !s->locked && s->audit_ok &&
		    s->audit_healthy && s->journal_ok;
	char	 text[PROTO_MAX_SANDBOX + 1];

	head(o, "igra_up", "gauge", "Does the daemon answer?");
	put(o, "igra_up{daemon=\"signd\"} 1\n");
	put(o, "igra_up{daemon=\"keyd\"} %d\n", m->keyd_connected && s != NULL);
	put(o, "igra_up{daemon=\"auditd\"} %d\n", s != NULL && s->audit_ok);
	value(o, "igra_ready", "gauge", "Can it sign?", ready);
	head(o, "igra_sandbox", "gauge", "Is the feature in force? Its "
	    "version, or 1.");
	if (m->sandbox != NULL)
		write_sandbox(o, "signd", m->sandbox);
	if (s != NULL && bytes_cstr(s->sandbox, text, sizeof(text)))
		write_sandbox(o, "keyd", text);
	/* Of a daemon that is not there none is in force. */
	if (s != NULL && s->audit_ok && bytes_cstr(s->audit_sandbox, text,
	    sizeof(text)))
		write_sandbox(o, "auditd", text);
	head(o, "igra_build_info", "gauge", "Version.");
	put(o, "igra_build_info{version=\"" IGRA_VERSION "\"} 1\n");
}

static void
write_keyd(struct out *o, const struct msg_keyd_status *s)
{
	value(o, "igra_keyd_uptime_seconds", "gauge",
	    "Since igra-keyd started.", s->uptime_s);
	value(o, "igra_keyd_locked", "gauge", "Is igra-keyd locked?",
	    s->locked);
	value(o, "igra_keyd_lock_marker", "gauge",
	    "Was it locked by an operator?", s->lock_marker);
	value(o, "igra_keyd_unlocked_seconds", "gauge", "Since the unlock.",
	    s->unlocked_s);
	value(o, "igra_audit_ok", "gauge",
	    "Does the audit log take records?", s->audit_ok);
	value(o, "igra_audit_healthy", "gauge",
	    "Is the audit log writable, and as igra-auditd left it?",
	    s->audit_healthy);
	value(o, "igra_audit_alerts_total", "counter",
	    "Security alerts of igra-auditd since it started.",
	    s->audit_alerts);
	value(o, "igra_journal_ok", "gauge",
	    "Does the policy journal let sign?", s->journal_ok);
	value(o, "igra_journal_transactions", "gauge",
	    "Transactions in the policy journal.", s->journal_entries);
	value(o, "igra_journal_outpoints", "gauge",
	    "Outpoints claimed there.", s->journal_outpoints);
	value(o, "igra_journal_outpoints_max", "gauge",
	    "Outpoints that there may be.", s->journal_max);
	value(o, "igra_policy_clock_pending", "gauge",
	    "Does no limit free until the clock is accepted?",
	    s->clock != PROTO_CLOCK_RUNS);
	value(o, "igra_roles_separated", "gauge",
	    "Do the daemons run as different users?", s->roles_separated);
	value(o, "igra_keyd_signatures_total", "counter",
	    "Signatures made.", s->signatures);
	value(o, "igra_keyd_requests_total", "counter",
	    "Requests to igra-keyd.", s->requests);
	value(o, "igra_keyd_refusals_total", "counter",
	    "Requests that igra-keyd refused.", s->refusals);
	value(o, "igra_keyd_cache_entries", "gauge",
	    "Secrets in the cache.", s->cache_entries);
	value(o, "igra_keyd_cache_max", "gauge",
	    "Secrets that the cache may hold.", s->cache_max);
	value(o, "igra_keyd_cache_evictions_total", "counter",
	    "Secrets evicted from the cache.", s->evictions);
	value(o, "igra_keyd_kseq", "counter",
	    "Last number igra-keyd gave a record.", s->kseq);
	value(o, "igra_audit_seq", "counter",
	    "Last record that is known to be durable.", s->audit_seq);
	value(o, "igra_audit_commits_total", "counter",
	    "Acknowledgements of igra-auditd.", s->audit_commits);
	head(o, "igra_audit_wait_seconds_total", "counter",
	    "Time waited for those.");
	put(o, "igra_audit_wait_seconds_total %" PRIu64 ".%06" PRIu64 "\n",
	    s->audit_wait_us / 1000000, s->audit_wait_us % 1000000);
}

int
metrics_write(struct evbuffer *buf, const struct metrics *m, uint64_t now,
    const struct msg_keyd_status *status)
{
	struct out	 o = { buf, false };

	write_calls(&o, m);
	write_latency(&o, m);
	write_server(&o, m, now);
	write_daemons(&o, m, status);
	if (status != NULL)
		write_keyd(&o, status);
	return o.failed ? -1 : 0;
}
