/* What methods.c and the files of single methods share. */
#ifndef IGRA_METHODS_H
#define IGRA_METHODS_H

#include "rpc.h"

struct pskt_error;

/* Ends the call with what pskt_parse, finalize or extract found. */
void	 pskt_refuse(struct rpc_call *, const struct pskt_error *);

void	*sign_parse(struct rpc_call *, const struct json *, char *);
void	 sign_run(struct rpc_call *);

/*
 * What pskt.check shares with it: reads the document of a call that
 * sign_parse made and sends it to keyd; how many documents there were; what
 * is to be noted about them, as an array.
 */
void	 sign_ask(struct rpc_call *, uint16_t type, keyd_cb);
size_t	 sign_documents(const struct rpc_call *);
void	 sign_notes(struct json_out *, const struct rpc_call *);
void	 check_run(struct rpc_call *);

/* pskt.inspect, pskt.finalize, pskt.extract: without igra-keyd. */
void	*life_parse(struct rpc_call *, const struct json *, char *);
void	 inspect_run(struct rpc_call *);
void	 finalize_run(struct rpc_call *);
void	 extract_run(struct rpc_call *);

/* Nor do these. */
void	*create_parse(struct rpc_call *, const struct json *, char *);
void	 create_run(struct rpc_call *);
void	*combine_parse(struct rpc_call *, const struct json *, char *);
void	 combine_run(struct rpc_call *);

void	*reload_parse(struct rpc_call *, const struct json *, char *);
void	 reload_run(struct rpc_call *);

#endif
