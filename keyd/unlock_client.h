/*
 * Unlocking, from the operator's side (DESIGN 6): what igractl and
 * igra-service share.  The passphrase is read here and goes no further; keyd
 * gets the file's bytes and the keys.  Everything secret is in memory of
 * sodium_malloc() and wiped on every path.
 */
#ifndef IGRA_UNLOCK_CLIENT_H
#define IGRA_UNLOCK_CLIENT_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "frame.h"
#include "messages.h"
#include "readpass.h"
#include "validate.h"

#define UNLOCK_ERR	1280		/* room for any message */
#define UNLOCK_ENV	"IGRA_SECRETS_PASSPHRASE"

/* These are igractl's exit statuses. */
enum unlock_result {
	UNLOCK_OK = 0,
	UNLOCK_FAILED = 1,
	UNLOCK_UNREACHABLE = 3,		/* no keyd, or not the one expected */
	UNLOCK_MARKER = 4		/* locked by an operator: ask at a terminal */
};

/* Where the passphrase comes from: the first that is set, else a prompt. */
struct unlock_source {
	const char	*file;
	int		 fd;		/* -1: none; not closed */
	struct secret	 env;		/* of the environment, or empty */
};

/* fd -1 and nothing else. */
void	unlock_source_init(struct unlock_source *);
/*
 * What the environment has, once the network is known and before anything is
 * forked: -1 if its rules say stop, else its passphrase is taken over and
 * erased there.  Other secrets stay, for a daemon that may read them; who
 * starts none erases them with env_wipe_secrets().
 */
int	unlock_source_environment(struct unlock_source *, enum kaspa_network);
void	unlock_source_free(struct unlock_source *);
/* Does an option or the environment say it?  Then it is not interactive. */
bool	unlock_source_given(const struct unlock_source *);

struct unlock_client {
	const struct conf	*conf;	/* network as settled */
	uid_t			 keyd_uid;	/* expected of the listener */
	struct unlock_source	*source;
	/* A line for the operator that is no error; never secret. */
	void			(*note)(const char *, void *);
	/*
	 * Asks whether the clock is right, when that is open and the passphrase
	 * is typed; NULL: it stays open.
	 */
	bool			(*ask_clock)(enum proto_clock, uint64_t gap_s,
				    void *);
	void			*arg;
};

/*
 * Asks keyd's status first, so that nobody types a passphrase for nothing;
 * then reads the file and the passphrase, derives, sends, waits up to 30 s.
 * A wrong passphrase is sent as well: keyd counts and records it.  Anything
 * but UNLOCK_OK has its reason in err.
 */
enum unlock_result unlock_client(const struct unlock_client *, char *err,
	    size_t errlen);

/*
 * For igra-service validate-config: reads the file and the passphrase as for
 * an unlock and fills in what the rules want to know of the secrets and their
 * age; nothing is sent.  Needs the secret arena and curve_init().  0, or -1
 * with the reason in err.
 */
int	unlock_examine(const struct unlock_client *, struct validate *,
	    char *err, size_t errlen);
/*
 * What the file's header tells without a passphrase: its age, and its salt,
 * zeros when it cannot be read.
 */
void	unlock_examine_header(const struct conf *, struct validate *,
	    uint8_t salt[32]);

/*
 * Sends one message without a payload to keyd's admin socket, which answers OK
 * (MSG_LOCK).  Same results.
 */
enum unlock_result keyd_command(const struct conf *, uid_t keyd_uid,
	    uint16_t type, char *err, size_t errlen);

/*
 * Connects to an admin socket whose listener must be uid, sends a message
 * without a payload and waits 5 s for the answer.  0 with an answer of
 * whatever type, or -1 with the reason in err.
 */
int	admin_call(const char *path, uid_t uid, enum proto_link, uint16_t type,
	    struct frame_reply *, char *err, size_t errlen);
/* The same with a payload of len bytes. */
int	admin_send(const char *path, uid_t uid, enum proto_link, uint16_t type,
	    const void *, size_t len, struct frame_reply *, char *err,
	    size_t errlen);

#endif
