/*
 * Every way a call can end: proto's codes (DESIGN 10, in its order), then
 * what JSON-RPC 2.0 itself names.
 */
#ifndef IGRA_RPC_CODE_H
#define IGRA_RPC_CODE_H

#include "messages.h"

enum rpc_code {
	/* 0 .. CODE_MAX - 1 are enum proto_code; CODE_NONE is success */
	RPC_PARSE_ERROR = CODE_MAX,
	RPC_INVALID_REQUEST,
	RPC_METHOD_NOT_FOUND,
	RPC_INVALID_PARAMS,
	RPC_CODE_MAX
};

/* -32001 and down, or JSON-RPC's own; CODE_INTERNAL is -32603. */
int		 rpc_code_number(unsigned);
/* The word in data.code; "OK" for CODE_NONE. */
const char	*rpc_code_name(unsigned);
/* HTTP status of a reply that is this error alone. */
int		 rpc_code_http(unsigned);

#endif
