#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auditd/record.h"
#include "common/utf8.h"
#include "vec.h"

static const struct line_clock	 now = {
	.real = { 1735787045, 67 },		/* 2025-01-02T03:04:05 */
	.mono_ns = 5000000000U,
};
static const struct chain	 first;

static char	*line(const struct audit_record *, const struct chain *);
static void	 golden(const struct audit_record *, const struct chain *,
		    const char *);
static void	 sample(struct audit_record *, enum audit_field,
		    struct enc *);

/* The line as C text, or NULL (errno). */
static char *
line(const struct audit_record *r, const struct chain *after)
{
	struct json_out	 o;
	const char	*text;
	char		*copy = NULL;
	size_t		 len;
	int		 saved;

	if ((text = line_format(&o, r, after, &now, &len)) != NULL) {
		ck_assert_uint_lt(len, AUDIT_MAX_LINE);
		ck_assert(utf8_valid(text, len));
		ck_assert_ptr_null(memchr(text, '\n', len));
		ck_assert_ptr_nonnull(copy = strndup(text, len));
		ck_assert_uint_eq(strlen(copy), len);
	}
	saved = errno;
	json_out_free(&o);
	errno = saved;
	return copy;
}

static void
golden(const struct audit_record *r, const struct chain *after,
    const char *want)
{
	char	*got = line(r, after);

	ck_assert_ptr_nonnull(got);
	ck_assert_str_eq(got, want);
	free(got);
}

START_TEST(golden_signing)
{
	struct audit_record	 r;
	struct chain		 c = { .seq = 41 };
	struct enc		 dest;
	struct bytes		 none = { NULL, 0 };
	uint8_t			 hash[32];

	memset(c.head, 0xab, sizeof(c.head));
	memset(hash, 0x1f, sizeof(hash));
	enc_init(&dest);
	audit_dest_add(&dest, "kaspa:qq", none, 1000);
	audit_dest_add(&dest, NULL, bytes_str("\xaa\x20"),
	    UINT64_C(18446744073709551615));
	audit_record_init(&r, EV_SIGNING, SRC_KEYD, true);
	audit_set_bytes(&r, FIELD_DESTINATIONS, dest.buf, dest.len);
	audit_set_u64(&r, FIELD_PEER_PID, 77);
	audit_set_u64(&r, FIELD_PEER_UID, 1000);
	audit_set_u64(&r, FIELD_DURATION, 5000000000U - 12345678U);
	audit_set_str(&r, FIELD_REASON, "pay \"Bob\"\n");
	audit_set_str(&r, FIELD_POLICY, "allowed");
	audit_set_u64(&r, FIELD_FEE, 10);
	audit_set_u64(&r, FIELD_OUTFLOW, UINT64_C(9007199254740993));
	audit_set_u64(&r, FIELD_INPUTS, 2);
	audit_set_bytes(&r, FIELD_TX_ID, hash, 32);
	audit_set_bytes(&r, FIELD_PAYLOAD_HASH, hash, 32);
	audit_set_str(&r, FIELD_SCHEME, "Secp256k1Schnorr");
	audit_set_str(&r, FIELD_KEY_REF, "igra.signer.mnemonic_signer-01");
	audit_set_str(&r, FIELD_REQUEST_ID, "r-1");
	audit_set_u64(&r, FIELD_KSEQ, 9);
	golden(&r, &c,
	    "{\"seq\":42,\"prev\":\"abababababababababababababababab"
	    "abababababababababababababababab\","
	    "\"timestamp\":\"2025-01-02T03:04:05.000000067Z\","
	    "\"event_type\":\"Signing\",\"source\":\"keyd\","
	    "\"request_id\":\"r-1\",\"result\":\"Success\",\"kseq\":9,"
	    "\"key_ref\":\"igra.signer.mnemonic_signer-01\","
	    "\"scheme\":\"Secp256k1Schnorr\","
	    "\"payload_hash\":\"1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f"
	    "1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f\","
	    "\"tx_id\":\"1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f"
	    "1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f\","
	    "\"inputs\":2,\"outflow_sompi\":9007199254740993,"
	    "\"fee_sompi\":10,\"destinations\":["
	    "{\"address\":\"kaspa:qq\",\"amount_sompi\":1000},"
	    "{\"script\":\"aa20\",\"amount_sompi\":18446744073709551615}],"
	    "\"policy\":\"allowed\",\"reason\":\"pay \\\"Bob\\\"\\n\","
	    "\"duration_ms\":12.345,\"peer_uid\":1000,\"peer_pid\":77}");
	enc_free(&dest);
}
END_TEST

START_TEST(golden_first)
{
	struct audit_record	 r;

	audit_record_init(&r, EV_SERVICE_STARTED, SRC_AUDITD, true);
	audit_set_str(&r, FIELD_PROGRAM, "igra-auditd");
	audit_set_str(&r, FIELD_VERSION, "0.1.0");
	audit_set_str(&r, FIELD_NETWORK, "devnet");
	golden(&r, &first,
	    "{\"seq\":1,\"prev\":\"0000000000000000000000000000000000000000"
	    "000000000000000000000000\","
	    "\"timestamp\":\"2025-01-02T03:04:05.000000067Z\","
	    "\"event_type\":\"ServiceStarted\",\"source\":\"auditd\","
	    "\"request_id\":\"req-0000000000000001\",\"result\":\"Success\","
	    "\"program\":\"igra-auditd\",\"version\":\"0.1.0\","
	    "\"network\":\"devnet\"}");
}
END_TEST

START_TEST(golden_failure)
{
	struct audit_record	 r;
	struct chain		 c = { .seq = UINT64_MAX - 1 };

	audit_record_init(&r, EV_SECRET_ACCESS, SRC_ADMIN, false);
	audit_set_u64(&r, FIELD_OPERATOR, 0);
	audit_set_u64(&r, FIELD_CACHED, 0);
	golden(&r, &c,
	    "{\"seq\":18446744073709551615,"
	    "\"prev\":\"0000000000000000000000000000000000000000"
	    "000000000000000000000000\","
	    "\"timestamp\":\"2025-01-02T03:04:05.000000067Z\","
	    "\"event_type\":\"SecretAccess\",\"source\":\"admin\","
	    "\"request_id\":\"req-ffffffffffffffff\",\"result\":\"Failure\","
	    "\"error\":\"unspecified\",\"cached\":false,\"operator\":0}");
}
END_TEST

static void
sample(struct audit_record *r, enum audit_field f, struct enc *dest)
{
	switch (audit_field_kind(f)) {
	case AK_STR:
		audit_set_str(r, f, "text");
		break;
	case AK_HEX:
		audit_set_bytes(r, f, "\x01\xff", 2);
		break;
	case AK_U64:
		audit_set_u64(r, f, UINT64_MAX);
		break;
	case AK_BOOL:
		audit_set_u64(r, f, 1);
		break;
	case AK_SINCE:
		audit_set_u64(r, f, 4999000000U);
		break;
	case AK_DESTINATIONS:
		audit_set_bytes(r, f, dest->buf, dest->len);
		break;
	}
}

/* Every event with every field it may carry comes out, once, as JSON. */
START_TEST(every_event)
{
	static const char *const kinds[] = {
		[AK_STR] = "\"text\"", [AK_HEX] = "\"01ff\"",
		[AK_U64] = "18446744073709551615", [AK_BOOL] = "true",
		[AK_SINCE] = "1.000",
		[AK_DESTINATIONS] =
		    "[{\"address\":\"kaspa:a\",\"amount_sompi\":3}]",
	};
	struct audit_record	 r;
	struct bytes		 none = { NULL, 0 };
	struct pool		 pool;
	struct json		*v;
	struct enc		 dest;
	char			 want[128], err[256], *got, *hit;
	unsigned		 e, f, n;

	enc_init(&dest);
	audit_dest_add(&dest, "kaspa:a", none, 3);
	for (e = 0; e < EV_MAX; e++) {
		audit_record_init(&r, e, SRC_SIGND, false);
		for (f = n = 0; f < FIELD_MAX; f++)
			if (audit_event_fields(e) & (UINT64_C(1) << f)) {
				sample(&r, f, &dest);
				n++;
			}
		got = line(&r, &first);
		ck_assert_ptr_nonnull(got);
		pool_init(&pool, 0);
		v = json_parse(&pool, got, strlen(got), err, sizeof(err));
		ck_assert_msg(v != NULL, "%s", err);
		/* seq prev timestamp event_type source result */
		ck_assert_uint_eq(v->n, 6 + n);
		ck_assert(json_is_string(json_get(v, "event_type"),
		    audit_event_name(e)));
		for (f = 0; f < FIELD_MAX; f++) {
			if (!audit_has(&r, f))
				continue;
			(void)snprintf(want, sizeof(want), ",\"%s\":%s",
			    audit_field_name(f), kinds[audit_field_kind(f)]);
			hit = strstr(got, want);
			ck_assert_msg(hit != NULL, "%s in %s", want, got);
		}
		pool_free(&pool);
		free(got);
	}
	enc_free(&dest);
}
END_TEST

static const struct {
	const char	*text;
	size_t		 len;
	const char	*want;
} texts[] = {
	{ "", 0, "" },
	{ "plain /", 7, "plain /" },
	{ "\0\x01\x1f\t\r\"\\", 7, "\\u0000\\u0001\\u001F\\t\\r\\\"\\\\" },
	{ "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", 11,
	    "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80" },
	{ "\x7f\xc2\x9b[2J", 6, "\xef\xbf\xbd\xef\xbf\xbd[2J" },
	{ "a\xff\xfe" "b", 4, "a\xef\xbf\xbd\xef\xbf\xbd" "b" },
	{ "cut\xe2\x82", 5, "cut\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xed\xa0\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xc0\xaf", 2, "\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\",\"kseq\":7,\"", 12, "\\\",\\\"kseq\\\":7,\\\"" },
};

START_TEST(hostile_text)
{
	struct audit_record	 r;
	struct chain_line	 cl;
	char			 want[256], *got, *exact;
	size_t			 len = texts[_i].len;

	ck_assert_ptr_nonnull(exact = malloc(len == 0 ? 1 : len));
	memcpy(exact, texts[_i].text, len);
	audit_record_init(&r, EV_LOCK, SRC_KEYD, true);
	audit_set_bytes(&r, FIELD_REASON, exact, len);
	(void)snprintf(want, sizeof(want), ",\"reason\":\"%s\"}",
	    texts[_i].want);
	got = line(&r, &first);
	ck_assert_ptr_nonnull(got);
	ck_assert_str_eq(strstr(got, ",\"reason\""), want);

	/* No text makes a kseq. */
	ck_assert_ptr_nonnull(got = realloc(got, strlen(got) + 2));
	(void)strlcat(got, "\n", strlen(got) + 2);
	ck_assert_int_eq(chain_parse(got, strlen(got), &cl), 0);
	ck_assert_uint_eq(cl.kseq, 0);
	free(got);
	free(exact);
}
END_TEST

/* n destinations with scripts of len bytes. */
static void
scripts(struct enc *e, unsigned n, size_t len)
{
	struct bytes	 script;
	uint8_t		*p;
	unsigned	 i;

	ck_assert_ptr_nonnull(p = calloc(1, len));
	script.p = p;
	script.len = len;
	enc_init(e);
	for (i = 0; i < n; i++)
		audit_dest_add(e, NULL, script, i);
	free(p);
}

/* Up to the last byte of a line, and one further. */
START_TEST(longest)
{
	struct audit_record	 r;
	struct enc		 dest;
	char			*got, text[AUDIT_MAX_STR];
	size_t			 len, room;

	scripts(&dest, 1, 129000);
	memset(text, 'x', sizeof(text));
	audit_record_init(&r, EV_SIGNING, SRC_KEYD, true);
	audit_set_bytes(&r, FIELD_DESTINATIONS, dest.buf, dest.len);
	audit_set_bytes(&r, FIELD_REASON, text, 0);
	ck_assert_ptr_nonnull(got = line(&r, &first));
	len = strlen(got);
	free(got);
	room = AUDIT_MAX_LINE - 1 - len;
	ck_assert_uint_lt(room, AUDIT_MAX_STR);

	audit_set_bytes(&r, FIELD_REASON, text, room);
	ck_assert_ptr_nonnull(got = line(&r, &first));
	ck_assert_uint_eq(strlen(got), AUDIT_MAX_LINE - 1);
	free(got);

	audit_set_bytes(&r, FIELD_REASON, text, room + 1);
	ck_assert_ptr_null(line(&r, &first));
	ck_assert_int_eq(errno, EMSGSIZE);

	/* What releases no signature is recorded, but shorter. */
	r.success = false;
	ck_assert_ptr_nonnull(got = line(&r, &first));
	ck_assert_ptr_nonnull(strstr(got, ",\"destinations_omitted\":1,"));
	ck_assert_ptr_null(strstr(got, "\"destinations\""));
	free(got);
	enc_free(&dest);
}
END_TEST

/* The worst that fits a message still makes a line. */
START_TEST(worst_shortened)
{
	struct audit_record	 r;
	struct enc		 dest;
	char			*got, text[AUDIT_MAX_STR];
	unsigned		 f;

	memset(text, 1, sizeof(text));
	scripts(&dest, 1000, 200);
	audit_record_init(&r, EV_POLICY_DENIED, SRC_KEYD, false);
	for (f = 0; f < FIELD_MAX; f++)
		if ((audit_event_fields(r.event) & (UINT64_C(1) << f)) != 0) {
			sample(&r, f, &dest);
			if (audit_field_kind(f) == AK_STR)
				audit_set_bytes(&r, f, text, sizeof(text));
		}
	ck_assert_ptr_nonnull(got = line(&r, &first));
	ck_assert_ptr_nonnull(strstr(got, ",\"destinations_omitted\":1000,"));
	free(got);
	enc_free(&dest);
}
END_TEST

/* 1,000 outputs to addresses, as many as a transaction may have, fit whole. */
START_TEST(thousand_outputs)
{
	static const char	 addr[] = "kaspadev:pz0000000000000000000000000"
	    "0000000000000000000000000000000000000";
	struct audit_record	 r;
	struct bytes		 none = { NULL, 0 };
	struct enc		 dest;
	char			*got;
	int			 i;

	enc_init(&dest);
	for (i = 0; i < 1000; i++)
		audit_dest_add(&dest, addr, none, UINT64_MAX);
	audit_record_init(&r, EV_SIGNING, SRC_KEYD, true);
	audit_set_bytes(&r, FIELD_DESTINATIONS, dest.buf, dest.len);
	ck_assert_ptr_nonnull(got = line(&r, &first));
	free(got);
	enc_free(&dest);
}
END_TEST

START_TEST(malformed_destinations)
{
	struct audit_record	 r;
	struct bytes		 none = { NULL, 0 };
	struct enc		 dest;
	uint8_t			*cut;
	size_t			 len;

	enc_init(&dest);
	audit_dest_add(&dest, "kaspa:a", none, 3);
	audit_record_init(&r, EV_SIGNING, SRC_KEYD, true);
	for (len = 1; len < dest.len; len++) {
		ck_assert_ptr_nonnull(cut = malloc(len));
		memcpy(cut, dest.buf, len);
		audit_set_bytes(&r, FIELD_DESTINATIONS, cut, len);
		errno = 0;
		ck_assert_ptr_null(line(&r, &first));
		ck_assert_int_eq(errno, EINVAL);
		free(cut);
	}
	enc_free(&dest);
}
END_TEST

/* A start in the future (a client's nonsense) is no negative duration. */
START_TEST(duration)
{
	static const struct { uint64_t start; const char *want; } cases[] = {
		{ 5000000000U, "0.000}" }, { 6000000000U, "0.000}" },
		{ UINT64_MAX, "0.000}" }, { 4999999001U, "0.000}" },
		{ 4999999000U, "0.001}" }, { 0, "5000.000}" },
	};
	struct audit_record	 r;
	char			*got;
	size_t			 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		audit_record_init(&r, EV_SIGNING, SRC_KEYD, true);
		audit_set_u64(&r, FIELD_DURATION, cases[i].start);
		ck_assert_ptr_nonnull(got = line(&r, &first));
		ck_assert_str_eq(strstr(got, "\"duration_ms\":") + 14,
		    cases[i].want);
		free(got);
	}
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("record");
	TCase	*tc = tcase_create("record");
	SRunner	*sr;
	int	 failed;

	tcase_add_test(tc, golden_signing);
	tcase_add_test(tc, golden_first);
	tcase_add_test(tc, golden_failure);
	tcase_add_test(tc, every_event);
	tcase_add_loop_test(tc, hostile_text, 0,
	    sizeof(texts) / sizeof(texts[0]));
	tcase_add_test(tc, longest);
	tcase_add_test(tc, worst_shortened);
	tcase_add_test(tc, thousand_outputs);
	tcase_add_test(tc, malformed_destinations);
	tcase_add_test(tc, duration);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
