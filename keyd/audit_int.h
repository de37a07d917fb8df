/* What the files about keyd's line to igra-auditd share. */
#ifndef IGRA_KEYD_AUDIT_INT_H
#define IGRA_KEYD_AUDIT_INT_H

#include "audit.h"

/* audit.c */

/*
 * The records as a message at the end of waits; its kseq is given if that is
 * known.  NULL with the reason.
 */
struct audit_wait *audit_wait_new(struct audit_link *, struct audit_record *,
		    uint32_t n, const char **why);
/* Gives each record the next kseq; -1 without memory. */
int		 audit_wait_number(struct audit_link *, struct audit_wait *);
void		 audit_wait_send(struct audit_link *, struct audit_wait *);
/* On and off the end of waits; the wait itself stays. */
void		 audit_wait_queue(struct audit_link *, struct audit_wait *);
void		 audit_wait_unqueue(struct audit_link *, struct audit_wait *);
void		 audit_wait_free(struct audit_wait *);

/* audit_tell.c */

/* Takes what auditd has refused, to be sent again; frees it without room. */
void		 audit_later_keep(struct audit_link *, struct audit_wait *);
/* Sends the first of what was kept, as a probe, or all of it. */
void		 audit_later_send(struct audit_link *, bool all);
void		 audit_later_free(struct audit_link *);
/* Event callback: what is due every few seconds. */
void		 audit_tick(int, short, void *);

#endif
