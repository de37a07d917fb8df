/*
 * proto's bytes.  tests/vectors/proto.json pins one frame with everything
 * empty and one with everything set per message type, written from
 * PROTOCOL.md by other means than this codec.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "proto_msg.h"
#include "vec.h"
#include "wire_tx.h"

#define FRAME_ID	UINT64_C(0x0102030405060708)

/* What each link carries to its server, and to its client. */
static const uint16_t to_server[LINK_MAX][8] = {
	[LINK_KEYD] = { MSG_INFO_REQ, MSG_SIGN_REQ, MSG_KEY_LIST_REQ,
	    MSG_KEY_PUBLIC_REQ, MSG_NOTE, MSG_KEYD_STATUS_REQ,
	    MSG_CHECK_REQ },
	[LINK_KEYD_ADMIN] = { MSG_KEYD_STATUS_REQ, MSG_UNLOCK_FILE, MSG_UNLOCK,
	    MSG_LOCK, MSG_RELOAD, MSG_POLICY_ACCEPT, MSG_POLICY_RELEASE,
	    MSG_POLICY_REQ },
	[LINK_AUDITD] = { MSG_AUDIT_HELLO, MSG_AUDIT_APPEND },
	[LINK_AUDITD_ADMIN] = { MSG_AUDIT_APPEND, MSG_AUDITD_STATUS_REQ,
	    MSG_AUDIT_ROTATE, MSG_AUDIT_REOPEN, MSG_RELOAD },
};
static const uint16_t to_client[LINK_MAX][8] = {
	[LINK_KEYD] = { MSG_ERROR, MSG_INFO, MSG_SIGN, MSG_KEY_LIST,
	    MSG_KEY_PUBLIC, MSG_KEYD_STATUS, MSG_CHECK },
	[LINK_KEYD_ADMIN] = { MSG_ERROR, MSG_OK, MSG_KEYD_STATUS, MSG_POLICY },
	[LINK_AUDITD] = { MSG_ERROR, MSG_AUDIT_STATE, MSG_AUDIT_ACK,
	    MSG_AUDIT_HEALTH },
	[LINK_AUDITD_ADMIN] = { MSG_ERROR, MSG_OK, MSG_AUDIT_ACK,
	    MSG_AUDITD_STATUS },
};

static bool
listed(const uint16_t *list, uint16_t type)
{
	int	 i;

	for (i = 0; i < 8 && list[i] != MSG_NONE; i++)
		if (list[i] == type)
			return true;
	return false;
}

static yajl_val	 vectors;

static const uint8_t *
golden(int i, uint16_t *type, bool *full, size_t *len, uint8_t **tofree)
{
	yajl_val	 v = vec_at(vectors, (size_t)i);

	*type = (uint16_t)vec_u64(v, "type");
	*full = strcmp(vec_str(v, "case"), "full") == 0;
	*tofree = vec_unhex(vec_str(v, "frame"), len);
	return *tofree + PROTO_HEADER_LEN;
}

START_TEST(golden_frame)
{
	struct proto_header	 h;
	struct enc		 e;
	const uint8_t		*p;
	const char		*why;
	uint8_t			*frame, head[PROTO_HEADER_LEN];
	uint16_t		 type;
	size_t			 len, n;
	bool			 full, server;
	int			 link;

	p = golden(_i, &type, &full, &len, &frame);
	n = len - PROTO_HEADER_LEN;
	ck_assert_ptr_nonnull(proto_rule(type));
	ck_assert_str_eq(proto_rule(type)->name,
	    vec_str(vec_at(vectors, (size_t)_i), "name"));
	enc_init(&e);
	if (proto_codec[type].build != NULL)
		proto_codec[type].build(&e, full);
	ck_assert(!e.failed);
	ck_assert_str_eq(vec_hex(e.buf, e.len), vec_hex(p, n));
	h.type = type;
	h.len = (uint32_t)n;
	h.id = FRAME_ID;
	proto_put_header(head, &h);
	ck_assert_mem_eq(head, frame, sizeof(head));
	server = proto_rule(type)->to_server != 0;
	for (link = 0; !proto_allowed(type, (enum proto_link)link, server); )
		ck_assert_int_lt(++link, LINK_MAX);
	memset(&h, 0, sizeof(h));
	ck_assert_int_eq(proto_get_header(head, &h, (enum proto_link)link,
	    server, &why), 0);
	ck_assert_uint_eq(h.type, type);
	ck_assert_uint_eq(h.len, n);
	ck_assert(h.id == FRAME_ID);
	/* With everything empty a message has its least length. */
	if (!full)
		ck_assert_uint_eq(n, proto_rule(type)->min);
	ck_assert_uint_le(n, proto_rule(type)->max);
	enc_free(&e);
	free(frame);
}
END_TEST

/* Decoding loses nothing, and takes neither less nor more. */
START_TEST(exact)
{
	struct enc	 e;
	const uint8_t	*p;
	uint8_t		*frame, *copy;
	uint16_t	 type;
	size_t		 len, n, i;
	bool		 full;

	p = golden(_i, &type, &full, &len, &frame);
	n = len - PROTO_HEADER_LEN;
	if (proto_codec[type].recode == NULL) {
		free(frame);
		return;
	}
	enc_init(&e);
	ck_assert_int_eq(proto_codec[type].recode(p, n, &e), 0);
	ck_assert_str_eq(vec_hex(e.buf, e.len), vec_hex(p, n));
	/* In a buffer of just that size, so that ASan sees a step too far. */
	for (i = 0; i < n; i++) {
		ck_assert_ptr_nonnull(copy = malloc(i == 0 ? 1 : i));
		memcpy(copy, p, i);
		ck_assert_msg(proto_codec[type].recode(copy, i, &e) == -1,
		    "%s cut to %zu of %zu", proto_rule(type)->name, i, n);
		free(copy);
	}
	ck_assert_ptr_nonnull(copy = calloc(1, n + 1));
	memcpy(copy, p, n);
	ck_assert_int_eq(proto_codec[type].recode(copy, n + 1, &e), -1);
	free(copy);
	enc_free(&e);
	free(frame);
}
END_TEST

/*
 * Any bit turned over: refused, or read as another message that encodes to
 * just those bytes.  No decoder normalises.
 */
START_TEST(flipped)
{
	struct enc	 e;
	const uint8_t	*p;
	uint8_t		*frame, *copy;
	uint16_t	 type;
	size_t		 len, n, i;
	bool		 full;

	p = golden(_i, &type, &full, &len, &frame);
	n = len - PROTO_HEADER_LEN;
	ck_assert_ptr_nonnull(copy = malloc(n + 1));
	for (i = 0; proto_codec[type].recode != NULL && i < 8 * n; i++) {
		memcpy(copy, p, n);
		copy[i / 8] ^= (uint8_t)(1 << i % 8);
		enc_init(&e);
		if (proto_codec[type].recode(copy, n, &e) == 0) {
			ck_assert_uint_eq(e.len, n);
			ck_assert_mem_eq(e.buf, copy, n);
		}
		enc_free(&e);
	}
	free(copy);
	free(frame);
}
END_TEST

/* The table against the lists above, each type, link and direction. */
START_TEST(links)
{
	enum proto_link	 l;
	uint16_t	 t;

	for (l = 0; l < LINK_MAX; l++) {
		for (t = 0; t < 200; t++) {
			ck_assert_int_eq(proto_allowed(t, l, true),
			    listed(to_server[l], t));
			ck_assert_int_eq(proto_allowed(t, l, false),
			    listed(to_client[l], t));
		}
		ck_assert(!proto_allowed(UINT16_MAX, l, true));
	}
	ck_assert(!proto_allowed(MSG_ERROR, LINK_MAX, false));
	for (t = MSG_NONE + 1; t < MSG_MAX; t++) {
		ck_assert_ptr_nonnull(proto_rule(t));
		ck_assert_uint_le(proto_rule(t)->min, proto_rule(t)->max);
		ck_assert_int_eq((proto_rule(t)->flags & PROTO_SECRET) != 0,
		    t == MSG_UNLOCK);
	}
	ck_assert_ptr_null(proto_rule(MSG_NONE));
	ck_assert_ptr_null(proto_rule(MSG_MAX));
	ck_assert_ptr_null(proto_rule(UINT16_MAX));
}
END_TEST

START_TEST(codes)
{
	static const char *want[] = { "NONE", "LOCKED", "POLICY_DENIED",
	    "KEY_NOT_FOUND", "NOT_A_SIGNER", "INVALID_PSKT", "UNSUPPORTED",
	    "AUDIT_UNAVAILABLE", "KEYD_UNAVAILABLE", "RATE_LIMITED",
	    "UNAUTHORIZED", "CONFLICT", "TOO_LARGE", "INTERNAL" };
	unsigned	 i;

	for (i = 0; i < CODE_MAX; i++)
		ck_assert_str_eq(proto_code_name((enum proto_code)i), want[i]);
	ck_assert_str_eq(proto_code_name(CODE_MAX), "?");
}
END_TEST

/* Appends a header's fields as given. */
static void
put(struct enc *e, uint32_t magic, uint16_t type, uint16_t zero, uint32_t len)
{
	e->len = 0;
	enc_u32(e, magic);
	enc_u16(e, type);
	enc_u16(e, zero);
	enc_u32(e, len);
	enc_u64(e, UINT64_MAX);
}

START_TEST(header)
{
	struct proto_header	 h;
	struct enc		 e;
	const char		*why = NULL;
	uint8_t			 buf[PROTO_HEADER_LEN];
	uint16_t		 zero;
	int			 i;

#define GET(link, server) proto_get_header(buf, &h, link, server, &why)
	enc_init_fixed(&e, buf, sizeof(buf));
	put(&e, PROTO_MAGIC, MSG_INFO_REQ, 0, 0);
	ck_assert_int_eq(GET(LINK_KEYD, true), 0);
	ck_assert(h.id == UINT64_MAX);
	ck_assert_mem_eq(buf, "IGR1", 4);
	ck_assert_int_eq(GET(LINK_KEYD, false), -1);
	ck_assert_str_eq(why, "message type not allowed on this socket");
	ck_assert_int_eq(GET(LINK_KEYD_ADMIN, true), -1);
	for (i = 0; i < 32; i++) {
		put(&e, PROTO_MAGIC ^ UINT32_C(1) << i, MSG_INFO_REQ, 0, 0);
		ck_assert_int_eq(GET(LINK_KEYD, true), -1);
		ck_assert_str_eq(why, "not an igra protocol message");
	}
	for (zero = 1; zero != 0; zero = (uint16_t)(zero << 1)) {
		put(&e, PROTO_MAGIC, MSG_INFO_REQ, zero, 0);
		ck_assert_int_eq(GET(LINK_KEYD, true), -1);
	}
	put(&e, PROTO_MAGIC, MSG_MAX, 0, 0);
	ck_assert_int_eq(GET(LINK_KEYD, true), -1);
	ck_assert_str_eq(why, "unknown message type");
	put(&e, PROTO_MAGIC, MSG_NONE, 0, 0);
	ck_assert_int_eq(GET(LINK_KEYD, true), -1);
}
END_TEST

/* Each type's least and greatest length are let in, one beyond is not. */
START_TEST(lengths)
{
	const struct proto_rule	*r = proto_rule((uint16_t)_i);
	struct proto_header	 h;
	struct enc		 e;
	const char		*why = NULL;
	uint8_t			 buf[PROTO_HEADER_LEN];
	bool			 server = r->to_server != 0;
	enum proto_link		 l = 0;

	while (!proto_allowed((uint16_t)_i, l, server))
		l++;
	enc_init_fixed(&e, buf, sizeof(buf));
	put(&e, PROTO_MAGIC, (uint16_t)_i, 0, r->min);
	ck_assert_int_eq(GET(l, server), 0);
	put(&e, PROTO_MAGIC, (uint16_t)_i, 0, r->max);
	ck_assert_int_eq(GET(l, server), 0);
	put(&e, PROTO_MAGIC, (uint16_t)_i, 0, r->max + 1);
	ck_assert_int_eq(GET(l, server), -1);
	ck_assert_str_eq(why, "message length out of bounds");
	put(&e, PROTO_MAGIC, (uint16_t)_i, 0, UINT32_MAX);
	ck_assert_int_eq(GET(l, server), -1);
	if (r->min > 0) {
		put(&e, PROTO_MAGIC, (uint16_t)_i, 0, r->min - 1);
		ck_assert_int_eq(GET(l, server), -1);
	}
#undef GET
}
END_TEST

/*
 * A count is believed only as far as the bytes that follow can bear it: the
 * pool here has room for next to nothing.
 */
START_TEST(counts_that_lie)
{
	struct msg_sign_req	 sr;
	struct msg_sign		 sg;
	struct msg_key_list	 kl;
	struct msg_audit_append	 aa;
	struct pool		 pool;
	struct enc		 e;
	uint8_t			 zero[52 + 8] = { 0 };
	static const uint32_t	 n[] = { 1, 2, 255, 257, 4096, 4097, 65536,
				    UINT32_MAX / 105, INT32_MAX, UINT32_MAX };
	size_t			 i, at;

	for (i = 0; i < sizeof(n) / sizeof(n[0]); i++) {
		pool_init(&pool, 4096);
		enc_init(&e);
		enc_raw(&e, zero, 20);
		enc_u32(&e, n[i]);
		ck_assert_int_eq(dec_sign_req(e.buf, e.len, &pool, &sr), -1);
		e.len = 0;
		enc_u32(&e, n[i]);
		ck_assert_int_eq(dec_key_list(e.buf, e.len, &pool, &kl), -1);
		ck_assert_int_eq(dec_audit_append(e.buf, e.len, &pool, &aa),
		    -1);
		for (at = 40; at < 52; at += 4) {
			e.len = 0;
			enc_raw(&e, zero, at);
			enc_u32(&e, n[i]);
			enc_raw(&e, zero, 52 - at - 4);
			ck_assert_int_eq(dec_sign(e.buf, e.len, &pool, &sg),
			    -1);
		}
		ck_assert_uint_lt(pool.used, 4096);
		enc_free(&e);
		pool_free(&pool);
	}
}
END_TEST

static int
sign_req_of(struct tx *tx, uint32_t n)
{
	struct msg_sign_req	 m, back;
	struct pool		 pool;
	struct enc		 e;
	int			 ret = -1;

	memset(&m, 0, sizeof(m));
	m.n = n;
	m.tx = tx;
	enc_init(&e);
	pool_init(&pool, 0);
	enc_sign_req(&e, &m);
	if (!e.failed)
		ret = dec_sign_req(e.buf, e.len, &pool, &back);
	enc_free(&e);
	pool_free(&pool);
	return ret;
}

START_TEST(transaction_limits)
{
	static uint8_t		 big[4 * 1024 * 1024 + 1];
	static struct tx_input	 in[TX_MAX_INPUTS + 1];
	static struct tx_output	 out[TX_MAX_OUTPUTS + 1];
	static struct tx	 many[PROTO_MAX_BUNDLE + 1];
	struct tx		 tx;

	memset(&tx, 0, sizeof(tx));
	tx.in = in;
	tx.out = out;
	tx.nin = TX_MAX_INPUTS;
	tx.nout = TX_MAX_OUTPUTS;
	ck_assert_int_eq(sign_req_of(&tx, 1), 0);
	tx.nin++;
	ck_assert_int_eq(sign_req_of(&tx, 1), -1);
	tx.nin--;
	tx.nout++;
	ck_assert_int_eq(sign_req_of(&tx, 1), -1);
	tx.nin = tx.nout = 1;
	tx.payload.p = big;
	tx.payload.len = sizeof(big) - 1;
	ck_assert_int_eq(sign_req_of(&tx, 1), 0);
	tx.payload.len++;
	ck_assert_int_eq(sign_req_of(&tx, 1), -1);
	tx.payload.len = 0;
	in[0].redeem.p = big;
	in[0].redeem.len = TX_MAX_SCRIPT;
	ck_assert_int_eq(sign_req_of(&tx, 1), 0);
	in[0].redeem.len++;
	ck_assert_int_eq(sign_req_of(&tx, 1), -1);
	in[0].redeem.len = 0;
	in[0].claim.path.p = big;
	in[0].claim.path.len = 256;
	ck_assert_int_eq(sign_req_of(&tx, 1), 0);
	in[0].claim.path.len++;
	ck_assert_int_eq(sign_req_of(&tx, 1), -1);
	in[0].claim.path.len = 0;
	out[0].claim.path.p = big;
	out[0].claim.path.len = 256;
	ck_assert_int_eq(sign_req_of(&tx, 1), 0);
	out[0].claim.path.len++;
	ck_assert_int_eq(sign_req_of(&tx, 1), -1);
	out[0].claim.path.len = 0;
	ck_assert_int_eq(sign_req_of(many, PROTO_MAX_BUNDLE), 0);
	ck_assert_int_eq(sign_req_of(many, PROTO_MAX_BUNDLE + 1), -1);
}
END_TEST

static int
record_of(const struct audit_record *r)
{
	struct audit_record	 back;
	struct dec		 d;
	struct enc		 e;
	int			 ret;

	enc_init(&e);
	enc_audit_record(&e, r);
	ck_assert(!e.failed);
	dec_init(&d, e.buf, e.len);
	dec_audit_record(&d, &back);
	ret = dec_done(&d);
	enc_free(&e);
	return ret;
}

/* Each event with each field: only those of its list go through. */
START_TEST(record_fields)
{
	struct audit_record	 r;
	unsigned		 f;
	enum audit_event	 ev = (enum audit_event)_i;

	for (f = 0; f < 64; f++) {
		audit_record_init(&r, ev, SRC_KEYD, true);
		r.have = UINT64_C(1) << f;
		if (f < FIELD_MAX) {
			ck_assert_int_eq(record_of(&r),
			    (audit_event_fields(ev) & r.have) != 0 ? 0 : -1);
			ck_assert_str_ne(audit_field_name(f), "?");
		} else
			ck_assert_int_eq(record_of(&r), -1);
	}
	ck_assert_str_ne(audit_event_name(ev), "?");
}
END_TEST

START_TEST(record_values)
{
	static char		 text[AUDIT_MAX_STR + 2];
	static uint8_t		 dest[AUDIT_MAX_LINE + 1];
	struct audit_record	 r;

	memset(text, 'x', sizeof(text) - 1);
	audit_record_init(&r, EV_SIGNING, SRC_KEYD, true);
	ck_assert_int_eq(record_of(&r), 0);
	audit_set_str(&r, FIELD_ERROR, text);	/* cut to what a field holds */
	ck_assert_uint_eq(r.v[FIELD_ERROR].b.len, AUDIT_MAX_STR);
	ck_assert_int_eq(record_of(&r), 0);
	r.v[FIELD_ERROR].b.len++;
	ck_assert_int_eq(record_of(&r), -1);
	r.v[FIELD_ERROR].b.len--;
	audit_set_bytes(&r, FIELD_TX_ID, dest, 64);
	audit_set_bytes(&r, FIELD_DESTINATIONS, dest, AUDIT_MAX_LINE);
	ck_assert_int_eq(record_of(&r), 0);
	r.v[FIELD_TX_ID].b.len++;
	ck_assert_int_eq(record_of(&r), -1);
	r.v[FIELD_TX_ID].b.len--;
	r.v[FIELD_DESTINATIONS].b.len++;
	ck_assert_int_eq(record_of(&r), -1);
	audit_record_init(&r, EV_MAX, SRC_KEYD, true);
	ck_assert_int_eq(record_of(&r), -1);
	audit_record_init(&r, EV_LOCK, SRC_MAX, true);
	ck_assert_int_eq(record_of(&r), -1);
	ck_assert_str_eq(audit_event_name(EV_MAX), "?");
	ck_assert_str_eq(audit_source_name(SRC_MAX), "?");
	ck_assert(audit_event_fields(EV_MAX) == 0);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("proto");
	TCase	*tc = tcase_create("proto");
	SRunner	*sr;
	int	 n, failed;

	vectors = vec_load("proto.json");
	n = (int)vec_len(vectors);
	tcase_add_loop_test(tc, golden_frame, 0, n);
	tcase_add_loop_test(tc, exact, 0, n);
	tcase_add_loop_test(tc, flipped, 0, n);
	tcase_add_test(tc, links);
	tcase_add_test(tc, codes);
	tcase_add_test(tc, header);
	tcase_add_loop_test(tc, lengths, MSG_NONE + 1, MSG_MAX);
	tcase_add_test(tc, counts_that_lie);
	tcase_add_test(tc, transaction_limits);
	tcase_add_loop_test(tc, record_fields, 0, EV_MAX);
	tcase_add_test(tc, record_values);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	yajl_tree_free(vectors);
	return failed == 0 ? 0 : 1;
}
