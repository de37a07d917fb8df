/*
 * Logging goes to stderr, one line a message.  Lines that an operator must
 * act on begin "SECURITY ALERT:" (log_alert) or "WARNING:" (log_warning).
 * No function here may be given a secret.
 */
#ifndef IGRA_LOG_H
#define IGRA_LOG_H

#include <stdarg.h>

/* Name shown before each message; debug > 0 lets log_debug through. */
void	log_init(const char *progname, int debug);
int	log_getdebug(void);
/*
 * For a daemon, whose keys have their time: from here on no line is waited for
 * longer than LOG_WAIT_MS.  What nobody takes by then is lost, and when somebody
 * does again, a line says how many were.
 */
#define LOG_WAIT_MS	50
void	log_nowait(void);

/* log_warn and fatal append ": strerror(errno)"; the x forms do not. */
void	log_warn(const char *, ...) __attribute__((format(printf, 1, 2)));
void	log_warnx(const char *, ...) __attribute__((format(printf, 1, 2)));
void	log_info(const char *, ...) __attribute__((format(printf, 1, 2)));
void	log_debug(const char *, ...) __attribute__((format(printf, 1, 2)));
void	log_warning(const char *, ...) __attribute__((format(printf, 1, 2)));
void	log_alert(const char *, ...) __attribute__((format(printf, 1, 2)));
void	fatal(const char *, ...)
	    __attribute__((noreturn, format(printf, 1, 2)));
void	fatalx(const char *, ...)
	    __attribute__((noreturn, format(printf, 1, 2)));

/*
 * Runs before a fatal exit: a process with secrets wipes them there.
 * The function must not log or allocate.
 */
void	log_onfatal(void (*)(void));

#endif
