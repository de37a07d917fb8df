/*
 * Changes of a secrets file, reported to igra-auditd's admin socket.
 */
#ifndef IGRA_SA_AUDIT_H
#define IGRA_SA_AUDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "conf.h"

struct audit_change {
	const char	*name;		/* of the secret */
	bool		 removed;
	bool		 replaced;	/* it had a value before */
};

/*
 * Sends one SecretAccess (Set or Remove) per change and, where the secret is
 * a key, one KeyLifecycle (Created, Rotated or Deleted); auditd adds who it
 * was.  conf may be NULL.  When nobody is there it warns and goes on: false.
 */
bool	 audit_report(const struct conf *, const struct audit_change *,
	    size_t n);

#endif
