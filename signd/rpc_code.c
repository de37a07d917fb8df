#include "rpc_code.h"

int
rpc_code_number(unsigned code)
{
	switch (code) {
	case RPC_PARSE_ERROR:
		return -32700;
	case RPC_INVALID_REQUEST:
		return -32600;
	case RPC_METHOD_NOT_FOUND:
		return -32601;
	case RPC_INVALID_PARAMS:
		return -32602;
	case CODE_INTERNAL:
		return -32603;
	}
	return -32000 - (int)code;
}

const char *
rpc_code_name(unsigned code)
{
	switch (code) {
	case CODE_NONE:
		return "OK";
	case RPC_PARSE_ERROR:
		return "PARSE_ERROR";
	case RPC_INVALID_REQUEST:
		return "INVALID_REQUEST";
	case RPC_METHOD_NOT_FOUND:
		return "METHOD_NOT_FOUND";
	case RPC_INVALID_PARAMS:
		return "INVALID_PARAMS";
	}
	return proto_code_name((enum proto_code)code);
}

int
rpc_code_http(unsigned code)
{
	switch (code) {
	case CODE_UNAUTHORIZED:
		return 401;
	case CODE_TOO_LARGE:
		return 413;
	case CODE_RATE_LIMITED:
		return 429;
	}
	return 200;
}
