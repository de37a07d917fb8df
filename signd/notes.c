#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "limits.h"
#include "log.h"
#include "notes.h"
#include "rpc_code.h"

#define NOTE_MAX_WORD	64
#define NOTE_MAX_ERROR	1024

static void	note_send(struct notes *, const struct peer *, unsigned,
		    struct bytes, struct bytes, const char *, uint64_t);
static bool	note_tell(struct notes *, const struct msg_note *);
static void	note_rest(struct notes *, uint64_t);
static void	on_timer(int, short, void *);
static struct bytes cut(struct bytes, size_t);

int
notes_init(struct notes *n, struct event_base *base, struct keyd_link *link,
    struct metrics *m)
{
	const struct timeval	 tv = { LIMITER_WINDOW / 1000000000, 0 };

	limiter_init(&n->limiter, LIMITER_EVENTS, LIMITER_WINDOW);
	n->link = link;
	n->metrics = m;
	n->timer = event_new(base, -1, EV_PERSIST, on_timer, n);
	return n->timer == NULL || event_add(n->timer, &tv) == -1 ? -1 : 0;
}

void
notes_free(struct notes *n)
{
	note_rest(n, UINT64_MAX);
	event_free(n->timer);
}

static bool
note_tell(struct notes *n, const struct msg_note *m)
{
	struct enc	 e;
	uint8_t		 buf[NOTE_MAX_ERROR + 512];

	enc_init_fixed(&e, buf, sizeof(buf));
	enc_note(&e, m);
	return !e.failed && keyd_link_tell(n->link, MSG_NOTE, e.buf, e.len);
}

bool
notes_started(struct notes *n, const uint8_t hash[32])
{
	struct msg_note	 m;
	char		 hex[65];

	memset(&m, 0, sizeof(m));
	m.event = EV_SERVICE_STARTED;
	m.method = bytes_str(IGRA_VERSION);
	m.code = bytes_str(sodium_bin2hex(hex, sizeof(hex), hash, 32));
	m.peer_uid = (uint32_t)getuid();
	m.peer_pid = (uint32_t)getpid();
	return note_tell(n, &m);
}

bool
notes_stopped(struct notes *n, const char *reason)
{
	struct msg_note	 m;

	memset(&m, 0, sizeof(m));
	m.event = EV_SERVICE_STOPPED;
	m.error = bytes_str(reason);
	m.peer_uid = (uint32_t)getuid();
	m.peer_pid = (uint32_t)getpid();
	return note_tell(n, &m);
}

/* Not within a character. */
static struct bytes
cut(struct bytes b, size_t max)
{
	if (b.len <= max)
		return b;
	for (b.len = max; b.len > 0 && (b.p[b.len] & 0xc0) == 0x80; b.len--)
		;
	return b;
}

static void
note_send(struct notes *n, const struct peer *peer, unsigned code,
    struct bytes method, struct bytes request_id, const char *error,
    uint64_t suppressed)
{
	struct msg_note	 m;

	memset(&m, 0, sizeof(m));
	m.event = code == CODE_UNAUTHORIZED ? EV_PEER_REJECTED :
	    EV_REQUEST_REJECTED;
	m.request_id = cut(request_id, PROTO_MAX_REQUEST_ID);
	m.method = cut(method, NOTE_MAX_WORD);
	m.code = bytes_str(rpc_code_name(code));
	m.error = cut(bytes_str(error), NOTE_MAX_ERROR);
	m.peer_uid = peer->uid;
	m.peer_pid = (uint32_t)peer->pid;
	m.suppressed = suppressed;
	if (note_tell(n, &m))
		n->metrics->notes_sent++;
}

void
notes_refused(struct notes *n, const struct peer *peer, unsigned code,
    struct bytes method, struct bytes request_id, const char *error)
{
	if (!limiter_allow(&n->limiter, code, peer->uid, now_ns())) {
		n->metrics->notes_suppressed++;
		return;
	}
	if (code == CODE_UNAUTHORIZED)
		log_warnx("refused uid %u pid %ld: %s", (unsigned)peer->uid,
		    (long)peer->pid, error);
	else
		log_debug("refused %s of uid %u: %s", rpc_code_name(code),
		    (unsigned)peer->uid, error);
	note_send(n, peer, code, method, request_id, error, 0);
}

static void
on_timer(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	note_rest(arg, now_ns());
}

/* One note for each window that has left some out by now. */
static void
note_rest(struct notes *n, uint64_t now)
{
	const struct bytes	 none = { NULL, 0 };
	struct peer		 peer;
	uint64_t		 count;
	unsigned		 type;
	uint32_t		 uid;
	char			 text[64];

	memset(&peer, 0, sizeof(peer));
	while (limiter_next(&n->limiter, now, &type, &uid, &count)) {
		(void)snprintf(text, sizeof(text), "%" PRIu64 " more were not "
		    "written", count);
		peer.uid = uid;
		note_send(n, &peer, type, none, none, text, count);
	}
}
