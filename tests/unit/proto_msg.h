/* The messages of tests/vectors/proto.json, made from structs. */
#ifndef IGRA_PROTO_MSG_H
#define IGRA_PROTO_MSG_H

#include "messages.h"

struct proto_codec {
	/* Encodes the one with everything empty, or with everything set. */
	void	(*build)(struct enc *, bool full);
	/* Decodes and, when that works, encodes again.  0 or -1. */
	int	(*recode)(const uint8_t *, size_t, struct enc *);
};

/* By type; NULL where a payload is empty, recode for one of mere bytes. */
extern const struct proto_codec	 proto_codec[MSG_MAX];

#endif
