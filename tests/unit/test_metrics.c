#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "signd/metrics.h"

#define MS	1000000ULL

static struct metrics	 m;

/* The text; freed by the next call. */
static const char *
text(uint64_t now, const struct msg_keyd_status *st)
{
	static struct evbuffer	*buf;

	if (buf != NULL)
		evbuffer_free(buf);
	ck_assert_ptr_nonnull(buf = evbuffer_new());
	ck_assert_int_eq(metrics_write(buf, &m, now, st), 0);
	ck_assert_int_eq(evbuffer_add(buf, "", 1), 0);
	return (const char *)evbuffer_pullup(buf, -1);
}

static void
has(const char *s, const char *line)
{
	const char	*p = s;
	size_t		 n = strlen(line);

	while ((p = strstr(p, line)) != NULL) {
		if ((p == s || p[-1] == '\n') && p[n] == '\n')
			return;
		p += n;
	}
	ck_abort_msg("no line \"%s\" in:\n%s", line, s);
}

/* Of keyd only what it said, and of signd only what it has. */
START_TEST(sandboxes)
{
	struct msg_keyd_status	 st;
	const char		*s;

	memset(&st, 0, sizeof(st));
	metrics_init(&m, 0);
	m.sandbox = "chroot, no_new_privs, landlock 7, mdwe, seccomp";
	s = text(0, NULL);
	ck_assert_ptr_null(strstr(s, "igra_sandbox{daemon=\"keyd\""));
	st.sandbox = bytes_str("landlock 12, seccompish, roles not separated");
	st.audit_sandbox = bytes_str("chroot, seccomp");
	s = text(0, &st);
#ifndef __OpenBSD__
	has(s, "igra_sandbox{daemon=\"signd\",feature=\"chroot\"} 1");
	has(s, "igra_sandbox{daemon=\"signd\",feature=\"seccomp\"} 1");
	has(s, "igra_sandbox{daemon=\"signd\",feature=\"landlock\"} 7");
	has(s, "igra_sandbox{daemon=\"keyd\",feature=\"landlock\"} 12");
	has(s, "igra_sandbox{daemon=\"keyd\",feature=\"chroot\"} 0");
	has(s, "igra_sandbox{daemon=\"keyd\",feature=\"seccomp\"} 0");
	has(s, "igra_sandbox{daemon=\"keyd\",feature=\"no_new_privs\"} 0");
	ck_assert_ptr_null(strstr(s, "igra_sandbox{daemon=\"auditd\""));
	st.audit_ok = true;
	s = text(0, &st);
	has(s, "igra_sandbox{daemon=\"auditd\",feature=\"chroot\"} 1");
	has(s, "igra_sandbox{daemon=\"auditd\",feature=\"landlock\"} 0");
#endif
}
END_TEST

START_TEST(counts_calls)
{
	const char	*s;

	metrics_init(&m, 0);
	m.method[0] = "pskt.sign";
	m.method[1] = "none";
	metrics_call(&m, 0, CODE_NONE, MS / 2);		/* le 0.0005 */
	metrics_call(&m, 0, CODE_NONE, MS / 2 + 1);	/* le 0.001 */
	metrics_call(&m, 0, CODE_POLICY_DENIED, 60000 * MS);	/* +Inf */
	metrics_call(&m, 1, RPC_PARSE_ERROR, 0);
	metrics_call(&m, METRICS_METHODS, CODE_NONE, 0);	/* no such */
	metrics_call(&m, 0, RPC_CODE_MAX, 0);
	s = text(5000 * MS, NULL);
	has(s, "igra_rpc_requests_total{method=\"pskt.sign\"} 3");
	has(s, "igra_rpc_requests_total{method=\"none\"} 1");
	has(s, "igra_rpc_errors_total{method=\"pskt.sign\","
	    "code=\"POLICY_DENIED\"} 1");
	has(s, "igra_rpc_errors_total{method=\"none\",code=\"PARSE_ERROR\"} "
	    "1");
	has(s, "igra_rpc_request_duration_seconds_bucket"
	    "{method=\"pskt.sign\",le=\"0.0005\"} 1");
	has(s, "igra_rpc_request_duration_seconds_bucket"
	    "{method=\"pskt.sign\",le=\"0.001\"} 2");
	has(s, "igra_rpc_request_duration_seconds_bucket"
	    "{method=\"pskt.sign\",le=\"5\"} 2");
	has(s, "igra_rpc_request_duration_seconds_bucket"
	    "{method=\"pskt.sign\",le=\"+Inf\"} 3");
	has(s, "igra_rpc_request_duration_seconds_sum{method=\"pskt.sign\"} "
	    "60.001000001");
	has(s, "igra_rpc_request_duration_seconds_count"
	    "{method=\"pskt.sign\"} 3");
	has(s, "igra_signd_uptime_seconds 5");
}
END_TEST

START_TEST(says_who_is_up)
{
	struct msg_keyd_status	 st;
	const char		*s;

	metrics_init(&m, 0);
	s = text(0, NULL);
	has(s, "igra_up{daemon=\"signd\"} 1");
	has(s, "igra_up{daemon=\"keyd\"} 0");
	has(s, "igra_up{daemon=\"auditd\"} 0");
	has(s, "igra_ready 0");
	memset(&st, 0, sizeof(st));
	m.keyd_connected = true;
	st.locked = true;
	st.audit_ok = st.audit_healthy = st.journal_ok = true;
	st.audit_alerts = 3;
	s = text(0, &st);
	has(s, "igra_up{daemon=\"keyd\"} 1");
	has(s, "igra_up{daemon=\"auditd\"} 1");
	has(s, "igra_keyd_locked 1");
	has(s, "igra_ready 0");
	st.locked = false;
	st.audit_wait_us = 1500001;
	s = text(0, &st);
	has(s, "igra_ready 1");
	has(s, "igra_audit_wait_seconds_total 1.500001");
	has(s, "igra_audit_healthy 1");
	has(s, "igra_audit_alerts_total 3");
	st.audit_healthy = false;
	s = text(0, &st);
	has(s, "igra_audit_healthy 0");
	has(s, "igra_ready 0");
	st.audit_healthy = true;
	st.journal_ok = false;
	st.journal_outpoints = 12;
	st.clock = PROTO_CLOCK_STEP;
	s = text(0, &st);
	has(s, "igra_journal_ok 0");
	has(s, "igra_journal_outpoints 12");
	has(s, "igra_policy_clock_pending 1");
	has(s, "igra_ready 0");
	st.journal_ok = true;
	st.audit_ok = false;
	s = text(0, &st);
	has(s, "igra_up{daemon=\"auditd\"} 0");
	has(s, "igra_ready 0");
}
END_TEST

/* Every sample has a HELP and a TYPE, once, before it. */
START_TEST(is_well_formed)
{
	struct msg_keyd_status	 st;
	char			 name[128], line[160];
	const char		*s, *p;
	size_t			 n;

	metrics_init(&m, 0);
	m.method[0] = "pskt.sign";
	m.http_refused[CODE_TOO_LARGE] = 2;
	metrics_call(&m, 0, CODE_LOCKED, 1);
	memset(&st, 0, sizeof(st));
	s = text(0, &st);
	for (p = s; *p != '\0'; p = strchr(p, '\n') + 1) {
		if (*p == '#')
			continue;
		n = strcspn(p, "{ ");
		ck_assert_uint_lt(n, sizeof(name));
		memcpy(name, p, n);
		name[n] = '\0';
		if (strncmp(name, "igra_rpc_request_duration_seconds", 33) == 0)
			name[33] = '\0';	/* _bucket, _sum, _count */
		snprintf(line, sizeof(line), "# TYPE %s ", name);
		ck_assert_msg(strstr(s, line) != NULL &&
		    strstr(s, line) < p, "%s", line);
		ck_assert_msg(strstr(strstr(s, line) + 1, line) == NULL,
		    "%s twice", line);
		snprintf(line, sizeof(line), "# HELP %s ", name);
		ck_assert_msg(strstr(s, line) != NULL, "%s", line);
	}
}
END_TEST

START_TEST(codes_have_numbers_and_words)
{
	ck_assert_int_eq(rpc_code_number(CODE_LOCKED), -32001);
	ck_assert_int_eq(rpc_code_number(CODE_TOO_LARGE), -32012);
	ck_assert_int_eq(rpc_code_number(CODE_INTERNAL), -32603);
	ck_assert_int_eq(rpc_code_number(RPC_PARSE_ERROR), -32700);
	ck_assert_str_eq(rpc_code_name(CODE_CONFLICT), "CONFLICT");
	ck_assert_str_eq(rpc_code_name(RPC_INVALID_PARAMS), "INVALID_PARAMS");
	ck_assert_int_eq(rpc_code_http(CODE_UNAUTHORIZED), 401);
	ck_assert_int_eq(rpc_code_http(CODE_TOO_LARGE), 413);
	ck_assert_int_eq(rpc_code_http(CODE_RATE_LIMITED), 429);
	ck_assert_int_eq(rpc_code_http(CODE_INVALID_PSKT), 200);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("metrics");
	TCase	*t = tcase_create("metrics");
	SRunner	*r;
	int	 failed;

	tcase_add_test(t, counts_calls);
	tcase_add_test(t, sandboxes);
	tcase_add_test(t, says_who_is_up);
	tcase_add_test(t, is_well_formed);
	tcase_add_test(t, codes_have_numbers_and_words);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
