/*
 * proto, each message in each direction.  Input: link and direction, a frame
 * header, a payload.  What decodes must encode to the same bytes, and no
 * payload may be the beginning of another.
 */
#include <string.h>

#include "tests/unit/proto_msg.h"

#include "fuzz.h"

static void	header(const uint8_t *, enum proto_link, bool);
static void	payload(uint16_t, const uint8_t *, size_t);
static int	decodes(uint16_t, const uint8_t *, size_t);

static void
header(const uint8_t *in, enum proto_link link, bool to_server)
{
	const struct proto_rule	*r;
	struct proto_header	 h;
	const char		*why = NULL;
	uint8_t			 made[PROTO_HEADER_LEN];

	if (proto_get_header(in, &h, link, to_server, &why) == -1) {
		CHECK(why != NULL);
		return;
	}
	CHECK((r = proto_rule(h.type)) != NULL);
	CHECK(h.len >= r->min && h.len <= r->max);
	CHECK(proto_allowed(h.type, link, to_server));
	proto_put_header(made, &h);
	CHECK(memcmp(in, made, sizeof(made)) == 0);
}

static int
decodes(uint16_t type, const uint8_t *p, size_t len)
{
	struct enc	 e;
	int		 ret;

	enc_init(&e);
	ret = proto_codec[type].recode(p, len, &e);
	if (ret == 0) {
		CHECK(!e.failed);
		CHECK(e.len == len);
		CHECK(len == 0 || memcmp(e.buf, p, len) == 0);
	}
	enc_free(&e);
	return ret;
}

static void
payload(uint16_t type, const uint8_t *p, size_t len)
{
	uint8_t	*copy;

	if (proto_codec[type].recode == NULL || decodes(type, p, len) == -1)
		return;
	CHECK((copy = malloc(len + 1)) != NULL);
	memcpy(copy, p, len);
	copy[len] = 0;
	CHECK(decodes(type, copy, len + 1) == -1);
	free(copy);
	if (len == 0)
		return;
	CHECK((copy = malloc(len)) != NULL);
	memcpy(copy, p, len - 1);
	CHECK(decodes(type, copy, len - 1) == -1);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proto_header	 h = { 0 };
	enum proto_link		 link;
	const char		*why;
	uint8_t			 head[PROTO_HEADER_LEN];
	bool			 to_server;
	size_t			 len;

	if (size < 1 + PROTO_HEADER_LEN)
		return 0;
	link = data[0] % LINK_MAX;
	to_server = (data[0] & 0x80) != 0;
	header(data + 1, link, to_server);
	/* The payload, under a header that has its length. */
	len = size - 1 - PROTO_HEADER_LEN;
	h.type = (uint16_t)(data[5] | data[6] << 8);
	h.len = (uint32_t)len;
	proto_put_header(head, &h);
	if (proto_get_header(head, &h, link, to_server, &why) == 0)
		payload(h.type, data + 1 + PROTO_HEADER_LEN, len);
	return 0;
}
