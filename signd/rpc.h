/*
 * JSON-RPC 2.0 (https://www.jsonrpc.org/specification) over one HTTP request:
 * a call, a notification, or a batch of at most RPC_MAX_BATCH of them.
 */
#ifndef IGRA_RPC_H
#define IGRA_RPC_H

#include "frame.h"
#include "http.h"
#include "json.h"
#include "keyd_link.h"
#include "rpc_code.h"

#define RPC_MAX_BATCH		100
#define RPC_MAX_ID		1024	/* bytes of an id as written */
#define RPC_MAX_MEMORY		(128 * 1024 * 1024)	/* of one HTTP request */
/* One uid's requests under way hold so much when no further one is read. */
#define RPC_MAX_HELD		(256 * 1024 * 1024)
#define RPC_ERR_LEN		512
#define RPC_RELOAD		"admin.reload"

struct signd;
struct rpc_batch;
struct rpc_call;

/*
 * parse reads params (an object, or NULL for none) into memory of the call's
 * pool: its result is run's to use, as call->params.  NULL with a message for
 * -32602 in err (RPC_ERR_LEN bytes).  run ends, now or later, in rpc_done,
 * rpc_refuse or rpc_keyd_error, each once.
 */
struct rpc_method {
	const char	*name;
	void		*(*parse)(struct rpc_call *, const struct json *params,
			    char *err);
	void		 (*run)(struct rpc_call *);
};

/* methods.c; the last has no name. */
extern const struct rpc_method rpc_methods[];

struct rpc_call {
	struct rpc_batch	*batch;
	struct signd		*signd;
	struct pool		*pool;		/* of the whole batch */
	const char		*src;		/* what source ranges count from */
	const struct rpc_method	*method;
	unsigned		 label;		/* of the metrics */
	const struct json	*id;		/* NULL: none came */
	bool			 notification;
	bool			 bundle;	/* errors say which document */
	struct bytes		 method_text;
	char			 request_id[PROTO_MAX_REQUEST_ID + 1];
	void			*params;
	uint64_t		 start;		/* ns */
	unsigned		 code;		/* how it ended */
	bool			 writing;	/* out is open */
	struct json_out		 out;		/* the answer */
};

/* Names the metrics' labels after the methods. */
void	 rpc_init(struct signd *);
/*
 * False when a token is configured and the request has not got it: then it
 * has been answered.
 */
bool	 rpc_authorized(struct signd *, struct http_req *);
/* POST /rpc.  Ends in http_reply. */
void	 rpc_handle(struct signd *, struct http_req *);

const struct peer *rpc_peer(const struct rpc_call *);

/*
 * The answer up to "result": write one value, then rpc_done.  NULL without
 * memory: the call is then over.
 */
struct json_out	*rpc_result(struct rpc_call *);
void	 rpc_done(struct rpc_call *);

/*
 * Ends the call with an error of signd's own, and notes it for the log but
 * for KEYD_UNAVAILABLE.  pskt: index, told if it is a bundle.
 */
void	 rpc_refuse(struct rpc_call *, unsigned code, uint32_t pskt,
	    const char *, ...) __attribute__((format(printf, 4, 5)));
/* Ends the call because keyd did not answer. */
void	 rpc_keyd_failed(struct rpc_call *, enum keyd_fail);
/*
 * What a keyd_cb is given, where `want` was hoped for: 1 if it is that; 0 if
 * there was no answer or an ERROR, with which the call is over; -1 if it may
 * not be.  Then the call is over too, and the keyd_cb returns -1.
 */
int	 rpc_keyd_answer(struct rpc_call *, const struct frame *,
	    enum keyd_fail, uint16_t want);
/* Over, since keyd's answer does not decode or does not fit. */
void	 rpc_keyd_broken(struct rpc_call *);

/* No members of params but these (the last NULL).  0 or -1 with err. */
int	 rpc_params_only(const struct json *params, const char *const *names,
	    char *err);
/*
 * A string of at most max bytes, without NUL; absent and null are empty.
 * 0 or -1 with err.
 */
int	 rpc_param_text(const struct json *params, const char *name,
	    size_t max, struct bytes *, char *err);
/* A profile's name, signer-01 … signer-99, or empty. */
int	 rpc_param_profile(const struct json *params, struct bytes *,
	    char *err);
/* The client's, or "req-" and 16 digits; into call->request_id. */
int	 rpc_param_request_id(struct rpc_call *, const struct json *params,
	    char *err);

#endif
