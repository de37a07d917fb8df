/* What methods.c and method_sign.c share. */
#ifndef IGRA_METHODS_H
#define IGRA_METHODS_H

#include "rpc.h"

void	*sign_parse(struct rpc_call *, const struct json *, char *);
void	 sign_run(struct rpc_call *);

void	*reload_parse(struct rpc_call *, const struct json *, char *);
void	 reload_run(struct rpc_call *);

#endif
