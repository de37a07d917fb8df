/*
 * Tells when the log's file or directory may have been touched: inotify or
 * kqueue.  It says only that something happened; what, is for a look at the
 * file itself (tamper.h).
 */
#ifndef IGRA_AUDITD_WATCH_H
#define IGRA_AUDITD_WATCH_H

#include <stdbool.h>

#include <event2/event.h>

struct watch;

typedef void (*watch_cb)(void *);

/*
 * dir: the log's directory as this process sees it.  cb comes at most ten
 * times a second.  NULL (errno) when the system cannot.
 */
struct watch	*watch_new(struct event_base *, const char *dir, int dirfd,
		    watch_cb, void *arg);
/*
 * The file by that name in the directory is another one now; fd is open on
 * it.
 */
void		 watch_file(struct watch *, const char *name, int fd);
/*
 * Has the directory itself been renamed or deleted?  From within nothing else
 * shows that; it stays so until watch_forget.
 */
bool		 watch_moved(const struct watch *);
void		 watch_forget(struct watch *);
void		 watch_free(struct watch *);

#endif
