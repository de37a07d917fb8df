/* What the files about igra-auditd's clients share. */
#ifndef IGRA_AUDITD_CLIENT_H
#define IGRA_AUDITD_CLIENT_H

#include "common/frame.h"

#include "auditd/auditd.h"

struct client {
	TAILQ_ENTRY(client)	 entry;
	struct auditd		*a;
	struct frame_conn	*conn;
	struct peer		 peer;
	enum proto_link		 link;
	const char		*name;		/* of the socket */
	bool			 greeted;	/* keyd, who is told of our health */
};

/* Answers with an error; hang_up when the peer does not speak our language. */
void	client_refuse(struct client *, const struct frame *, enum proto_code,
	    const char *why, bool hang_up);

/* append.c: MSG_AUDIT_APPEND */
void	append_message(struct client *, const struct frame *);
void	append_client_gone(struct client *);

/* reload.c: MSG_RELOAD */
void	reload_message(struct client *, const struct frame *);

#endif
