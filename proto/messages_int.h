/* What the files of the messages share. */
#ifndef IGRA_MESSAGES_INT_H
#define IGRA_MESSAGES_INT_H

#include <string.h>

#include "messages.h"

/* A decoder, from its name to its end; d and m are what it reads and fills. */
#define DEC_BEGIN(name)							\
int									\
dec_##name(const void *p, size_t len, struct pool *pool,		\
    struct msg_##name *m)						\
{									\
	struct dec	 dec, *d = &dec;				\
									\
	(void)pool;							\
	memset(m, 0, sizeof(*m));					\
	dec_init(d, p, len)
#define DEC_END()							\
	return dec_done(d);						\
}

#endif
