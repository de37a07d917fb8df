/* [policy] allowed_destinations: the scripts that may be paid. */
#ifndef IGRA_DESTINATIONS_H
#define IGRA_DESTINATIONS_H

#include "conf.h"
#include "tx.h"

struct destinations {
	size_t		 n;		/* 0: any script may be paid */
	struct spk	*spk;		/* sorted, for bsearch(3) */
	uint8_t		*bytes;		/* that their scripts point into */
};

/*
 * From the config's list of addresses and scripts.  0, or -1: an element is
 * neither, or memory is out.
 */
int	destinations_init(struct destinations *, const struct conf_strings *,
	    const char **errstr);
void	destinations_free(struct destinations *);
/* Version and script both, to the last byte. */
bool	destinations_has(const struct destinations *, const struct spk *);

#endif
