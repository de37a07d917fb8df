/* igractl status: what both daemons say, for people and for programs. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "ctl.h"
#include "isec.h"
#include "json.h"
#include "messages.h"
#include "secrets_file.h"
#include "unlock_client.h"

#define EXIT_UNREACHABLE	3

/* The secrets file on disk against the one that keyd has. */
enum file_state {
	FILE_UNKNOWN,		/* keyd is locked or away */
	FILE_SAME,
	FILE_CHANGED,
	FILE_MISSING,
	FILE_UNREADABLE
};

static const char *const file_words[] = {
	[FILE_UNKNOWN] = "unknown",
	[FILE_SAME] = "same",
	[FILE_CHANGED] = "changed",
	[FILE_MISSING] = "missing",
	[FILE_UNREADABLE] = "unreadable"
};

struct status {
	const struct ctl	*ctl;
	struct pool		 pool;
	bool			 keyd, auditd;		/* answered */
	struct frame_reply	 keyd_reply, auditd_reply;
	char			 keyd_err[CTL_ERR], auditd_err[CTL_ERR];
	struct msg_keyd_status	 k;
	struct msg_auditd_status a;
	enum file_state		 file;
};

static void	ask(struct status *);
static enum file_state compare_file(const char *, const uint8_t *);
static const char *duration(uint64_t, char *, size_t);
static const char *mean_ms(uint64_t, uint64_t, char *, size_t);
static void	line(const char *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));
static void	keyd_text(const struct status *);
static void	keyd_counts(const struct msg_keyd_status *);
static void	keyd_journal(const struct msg_keyd_status *);
static void	auditd_text(const struct status *);
static void	auditd_health(const struct msg_auditd_status *);
static void	file_text(const struct status *);
static void	put_hash(struct json_out *, const char *, bool,
		    const uint8_t *);
static void	keyd_json(struct json_out *, const struct status *);
static void	auditd_json(struct json_out *, const struct status *);
static int	print_json(const struct status *);

static void
ask(struct status *s)
{
	const struct conf	*c = s->ctl->conf;
	const uid_t		*uid = s->ctl->roles.uid;
	struct frame_reply	*r = &s->keyd_reply;

	if (admin_call(c->keyd_admin_socket, uid[ROLE_KEYD], LINK_KEYD_ADMIN,
	    MSG_KEYD_STATUS_REQ, r, s->keyd_err, sizeof(s->keyd_err)) == 0) {
		s->keyd = r->type == MSG_KEYD_STATUS &&
		    dec_keyd_status(r->p, r->len, &s->pool, &s->k) == 0;
		if (!s->keyd)
			(void)strlcpy(s->keyd_err, "its answer makes no sense",
			    sizeof(s->keyd_err));
	}
	r = &s->auditd_reply;
	if (admin_call(c->auditd_admin_socket, uid[ROLE_AUDITD],
	    LINK_AUDITD_ADMIN, MSG_AUDITD_STATUS_REQ, r, s->auditd_err,
	    sizeof(s->auditd_err)) == 0) {
		s->auditd = r->type == MSG_AUDITD_STATUS &&
		    dec_auditd_status(r->p, r->len, &s->pool, &s->a) == 0;
		if (!s->auditd)
			(void)strlcpy(s->auditd_err, "its answer makes no "
			    "sense", sizeof(s->auditd_err));
	}
	if (s->keyd && !s->k.locked && !s->ctl->guessed)
		s->file = compare_file(c->secrets_file, s->k.file_salt);
}

/* Every save takes a new salt. */
static enum file_state
compare_file(const char *path, const uint8_t *salt)
{
	struct secrets_file	 f;
	struct isec_header	 h;
	const char		*why;
	char			 err[CTL_ERR];
	enum file_state		 state = FILE_UNREADABLE;

	if (secrets_file_read(path, SECRETS_LOOSE, &f, err, sizeof(err)) == -1)
		return strstr(err, "no such secrets file") != NULL ?
		    FILE_MISSING : FILE_UNREADABLE;
	if (isec_parse_header(f.data, f.len, &h, &why) == 0)
		state = sodium_memcmp(h.salt, salt, sizeof(h.salt)) == 0 ?
		    FILE_SAME : FILE_CHANGED;
	secrets_file_free(&f);
	return state;
}

/* The two greatest units: "3 d 4 h". */
static const char *
duration(uint64_t s, char *buf, size_t len)
{
	if (s >= 86400)
		(void)snprintf(buf, len, "%" PRIu64 " d %" PRIu64 " h",
		    s / 86400, s % 86400 / 3600);
	else if (s >= 3600)
		(void)snprintf(buf, len, "%" PRIu64 " h %" PRIu64 " min",
		    s / 3600, s % 3600 / 60);
	else if (s >= 60)
		(void)snprintf(buf, len, "%" PRIu64 " min %" PRIu64 " s",
		    s / 60, s % 60);
	else
		(void)snprintf(buf, len, "%" PRIu64 " s", s);
	return buf;
}

static const char *
mean_ms(uint64_t sum_us, uint64_t n, char *buf, size_t len)
{
	uint64_t	 us = n == 0 ? 0 : sum_us / n;

	(void)snprintf(buf, len, "%" PRIu64 ".%03" PRIu64 " ms", us / 1000,
	    us % 1000);
	return buf;
}

static void
line(const char *label, const char *fmt, ...)
{
	va_list	 ap;

	printf("  %-13s", label);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

#define TEXT(b)	(int)(b).len, (const char *)(b).p

static void
keyd_text(const struct status *s)
{
	const struct msg_keyd_status	*k = &s->k;
	char				 t[64];

	printf("%-15s", "igra-keyd");
	if (!s->keyd) {
		printf("away: %s\n", s->keyd_err);
		return;
	}
	if (k->locked)
		printf("locked%s\n", k->lock_marker ? " by an operator: only "
		    "an unlock typed at a terminal lifts it" : "");
	else
		printf("unlocked for %s\n", duration(k->unlocked_s, t,
		    sizeof(t)));
	line("network", "%.*s", TEXT(k->network));
	line("profile", "%.*s", TEXT(k->profile));
	line("running", "%s, version %.*s, pid %u", duration(k->uptime_s, t,
	    sizeof(t)), TEXT(k->version), k->pid);
	file_text(s);
	keyd_counts(k);
	keyd_journal(k);
	line("memory", "%.*s", TEXT(k->memory));
	line("sandbox", "%.*s", TEXT(k->sandbox));
	line("roles", "%s", k->roles_separated ? "separated" :
	    "not separated");
}

static void
keyd_counts(const struct msg_keyd_status *k)
{
	char	 t[64];

	line("signatures", "%" PRIu64 " (%" PRIu64 " requests, %" PRIu64
	    " refused)", k->signatures, k->requests, k->refusals);
	line("cache", "%u of %u keys, for %" PRIu64 " s each, %" PRIu64
	    " evicted", k->cache_entries, k->cache_max, k->cache_ttl_s,
	    k->evictions);
	if (k->audit_ok)
		line("audit log", "answers (pid %u), record %" PRIu64
		    " acknowledged, mean wait %s", k->auditd_pid,
		    k->audit_seq, mean_ms(k->audit_wait_us, k->audit_commits,
		    t, sizeof(t)));
	else
		line("audit log", "NOT AVAILABLE: nothing is signed");
	if (!k->audit_healthy)
		line("", "NOT IN ORDER: %.*s", TEXT(k->audit_reason));
}

const char *
ctl_clock(uint64_t gap)
{
	static char	 text[128];
	char		 t[64], now[64] = "?";
	time_t		 clock = time(NULL);
	struct tm	 tm;

	if (gmtime_r(&clock, &tm) != NULL)
		(void)strftime(now, sizeof(now), "%Y-%m-%d %H:%M:%S UTC", &tm);
	(void)snprintf(text, sizeof(text), "%s; %s would count", now,
	    duration(gap, t, sizeof(t)));
	return text;
}

static void
keyd_journal(const struct msg_keyd_status *k)
{
	if (k->journal_ok)
		line("journal", "%" PRIu64 " transactions, %" PRIu64 " of %"
		    PRIu64 " outpoints", k->journal_entries,
		    k->journal_outpoints, k->journal_max);
	else
		line("journal", "NOTHING IS SIGNED: %.*s",
		    TEXT(k->journal_reason));
	if (k->clock != PROTO_CLOCK_RUNS)
		line("", "no limit frees since the %s: igractl policy "
		    "accept-clock (%s)", k->clock == PROTO_CLOCK_REBOOT ?
		    "reboot" : "clock was set", ctl_clock(k->clock_gap));
}

static void
file_text(const struct status *s)
{
	const char	*path = s->ctl->conf->secrets_file;

	switch (s->file) {
	case FILE_UNKNOWN:
		break;
	case FILE_SAME:
		line("secrets file", "%s, as unlocked", path);
		break;
	case FILE_CHANGED:
		line("secrets file", "%s has changed since the unlock: unlock "
		    "again to use it", path);
		break;
	case FILE_MISSING:
		line("secrets file", "%s is missing", path);
		break;
	case FILE_UNREADABLE:
		line("secrets file", "%s cannot be read by this user", path);
		break;
	}
}

static void
auditd_text(const struct status *s)
{
	const struct msg_auditd_status	*a = &s->a;
	char				 t[64];

	printf("%-15s", "igra-auditd");
	if (!s->auditd) {
		printf("away: %s\n", s->auditd_err);
		return;
	}
	if (a->writable)
		printf("writing\n");
	else
		printf("CANNOT WRITE: %.*s\n", TEXT(a->fault));
	line("log", "%.*s", TEXT(a->path));
	line("running", "%s, pid %u", duration(a->uptime_s, t, sizeof(t)),
	    a->pid);
	if (a->have)
		line("last record", "%" PRIu64, a->seq);
	else
		line("last record", "none yet");
	auditd_health(a);
	line("written", "%" PRIu64 " records, %" PRIu64 " bytes, %" PRIu64
	    " syncs of %s", a->records, a->bytes, a->commits,
	    mean_ms(a->sync_us, a->commits, t, sizeof(t)));
	line("sandbox", "%.*s", TEXT(a->sandbox));
}

static void
auditd_health(const struct msg_auditd_status *a)
{
	char	 hex[65];

	if (a->covered_seq != 0)
		line("checkpoint", "up to record %" PRIu64, a->covered_seq);
	else
		line("checkpoint", "none yet");
	line("origin", "%s", sodium_bin2hex(hex, sizeof(hex), a->origin,
	    sizeof(a->origin)));
	if (a->append_only)
		line("attribute", "append-only: rotate with igractl audit "
		    "rotate, as root");
	if (!a->healthy)
		line("NOT IN ORDER", "%.*s", TEXT(a->reason));
	line("alerts", "%" PRIu64 " since it started", a->alerts);
}

static void
put_hash(struct json_out *o, const char *key, bool have, const uint8_t *p)
{
	json_put_hex_or_null(o, key, p, have ? 32 : 0);
}

static void
keyd_json(struct json_out *o, const struct status *s)
{
	const struct msg_keyd_status	*k = &s->k;

	json_out_key(o, "keyd");
	json_out_begin_object(o);
	json_put_bool(o, "reachable", s->keyd);
	if (!s->keyd) {
		json_put_text(o, "error", bytes_str(s->keyd_err));
		json_out_end_object(o);
		return;
	}
	json_put_bool(o, "locked", k->locked);
	json_put_bool(o, "lock_marker", k->lock_marker);
	json_put_bool(o, "audit_ok", k->audit_ok);
	json_put_bool(o, "roles_separated", k->roles_separated);
	json_put_u64(o, "pid", k->pid);
	json_put_u64(o, "uptime_s", k->uptime_s);
	json_put_u64(o, "unlocked_s", k->unlocked_s);
	json_put_u64(o, "cache_entries", k->cache_entries);
	json_put_u64(o, "cache_max", k->cache_max);
	json_put_u64(o, "cache_ttl_s", k->cache_ttl_s);
	json_put_u64(o, "signatures", k->signatures);
	json_put_u64(o, "requests", k->requests);
	json_put_u64(o, "refusals", k->refusals);
	json_put_u64(o, "evictions", k->evictions);
	json_put_u64(o, "kseq", k->kseq);
	json_put_u64(o, "audit_seq", k->audit_seq);
	put_hash(o, "audit_head", k->audit_seq != 0, k->audit_head);
	json_put_u64(o, "audit_commits", k->audit_commits);
	json_put_u64(o, "audit_wait_us", k->audit_wait_us);
	json_put_u64(o, "auditd_pid", k->auditd_pid);
	put_hash(o, "file_salt", !sodium_is_zero(k->file_salt,
	    sizeof(k->file_salt)), k->file_salt);
	json_put_text(o, "network", k->network);
	json_put_text(o, "profile", k->profile);
	json_put_text(o, "version", k->version);
	json_put_text(o, "memory", k->memory);
	json_put_text(o, "sandbox", k->sandbox);
	json_put_bool(o, "audit_healthy", k->audit_healthy);
	json_put_u64(o, "audit_alerts", k->audit_alerts);
	json_put_text(o, "audit_reason", k->audit_reason);
	json_put_bool(o, "journal_ok", k->journal_ok);
	json_put_text(o, "journal_reason", k->journal_reason);
	json_put_u64(o, "journal_entries", k->journal_entries);
	json_put_u64(o, "journal_outpoints", k->journal_outpoints);
	json_put_u64(o, "journal_max", k->journal_max);
	json_put_bool(o, "clock_pending", k->clock != PROTO_CLOCK_RUNS);
	json_put_u64(o, "clock_gap_s", k->clock_gap);
	json_out_end_object(o);
}

static void
auditd_json(struct json_out *o, const struct status *s)
{
	const struct msg_auditd_status	*a = &s->a;

	json_out_key(o, "auditd");
	json_out_begin_object(o);
	json_put_bool(o, "reachable", s->auditd);
	if (!s->auditd) {
		json_put_text(o, "error", bytes_str(s->auditd_err));
		json_out_end_object(o);
		return;
	}
	json_put_u64(o, "pid", a->pid);
	json_put_u64(o, "uptime_s", a->uptime_s);
	json_put_u64(o, "records", a->records);
	json_put_u64(o, "bytes", a->bytes);
	json_put_u64(o, "commits", a->commits);
	json_put_u64(o, "sync_us", a->sync_us);
	json_put_u64(o, "seq", a->seq);
	json_put_bool(o, "have", a->have);
	put_hash(o, "head", a->have, a->head);
	json_put_u64(o, "last_kseq", a->last_kseq);
	json_put_bool(o, "writable", a->writable);
	json_put_text(o, "path", a->path);
	json_put_text(o, "fault", a->fault);
	json_put_text(o, "sandbox", a->sandbox);
	json_put_bool(o, "append_only", a->append_only);
	json_put_bool(o, "healthy", a->healthy);
	json_put_u64(o, "alerts", a->alerts);
	json_put_text(o, "reason", a->reason);
	json_put_u64(o, "covered_seq", a->covered_seq);
	put_hash(o, "origin", true, a->origin);
	json_out_end_object(o);
}

static int
print_json(const struct status *s)
{
	struct json_out	 o;
	const char	*text;

	if (json_out_init(&o, 0) == -1)
		return -1;
	json_out_begin_object(&o);
	keyd_json(&o, s);
	auditd_json(&o, s);
	json_out_key(&o, "secrets_file");
	json_out_begin_object(&o);
	json_put_text(&o, "path", bytes_str(s->ctl->conf->secrets_file));
	json_put_text(&o, "state", bytes_str(file_words[s->file]));
	json_out_end_object(&o);
	json_out_end_object(&o);
	if ((text = json_out_text(&o, NULL)) != NULL)
		puts(text);
	json_out_free(&o);
	return text == NULL ? -1 : 0;
}

int
ctl_status(const struct ctl *ctl, bool json)
{
	struct status	*s;
	int		 ret = 0;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return 1;
	s->ctl = ctl;
	pool_init(&s->pool, 0);
	ask(s);
	if (!json) {
		keyd_text(s);
		auditd_text(s);
	} else if (print_json(s) == -1)
		ret = 1;
	if (ret == 0 && !s->keyd)
		ret = EXIT_UNREACHABLE;
	frame_reply_free(&s->keyd_reply);
	frame_reply_free(&s->auditd_reply);
	pool_free(&s->pool);
	free(s);
	return ret;
}
