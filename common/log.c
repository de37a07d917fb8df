#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static const char	*log_name = "igra";
static int		 log_debugging;
static bool		 log_impatient;
static unsigned long	 log_lost;
static void		(*log_fatalfn)(void);

static bool	log_taken(void);
static void	log_put(const char *, size_t);
static void	log_line(const char *, const char *, va_list, int);

void
log_init(const char *progname, int debug)
{
	log_name = progname;
	log_debugging = debug;
}

void
log_nowait(void)
{
	log_impatient = true;
}

int
log_getdebug(void)
{
	return log_debugging;
}

void
log_onfatal(void (*fn)(void))
{
	log_fatalfn = fn;
}

/*
 * Whether a line would go.  Not by O_NONBLOCK, which whoever else has this
 * pipe or terminal would have as well.
 */
static bool
log_taken(void)
{
	struct pollfd	 pfd = { STDERR_FILENO, POLLOUT, 0 };
	int		 n;

	if (!log_impatient)
		return true;
	while ((n = poll(&pfd, 1, log_lost == 0 ? LOG_WAIT_MS : 0)) == -1 &&
	    errno == EINTR)
		;
	return n != 0;
}

static void
log_put(const char *line, size_t len)
{
	char		 note[128];
	unsigned long	 lost = log_lost;
	int		 n;

	if (!log_taken()) {
		log_lost++;
		return;
	}
	if (lost > 0) {
		n = snprintf(note, sizeof(note), "%s: WARNING: %lu lines are "
		    "missing here: nobody took them\n", log_name, lost);
		if (n < 0 || (size_t)n >= sizeof(note) ||
		    write(STDERR_FILENO, note, (size_t)n) == -1)
			return;
		/* This one is, too, unless it goes at once. */
		log_lost = 1;
		if (!log_taken())
			return;
		log_lost = 0;
	}
	if (write(STDERR_FILENO, line, len) == -1)
		return;
}

/*
 * One write(2) a line, so that lines of several processes on one stderr do
 * not mix.  Control characters in what a peer sent must not reach a terminal.
 */
static void
log_line(const char *prefix, const char *fmt, va_list ap, int err)
{
	char	 buf[2048];
	size_t	 off, i;
	int	 n;

	n = snprintf(buf, sizeof(buf), "%s: %s", log_name, prefix);
	if (n < 0)
		return;
	off = (size_t)n < sizeof(buf) ? (size_t)n : sizeof(buf) - 1;
	n = vsnprintf(buf + off, sizeof(buf) - off, fmt, ap);
	if (n > 0)
		off += (size_t)n;
	if (off > sizeof(buf) - 2)
		off = sizeof(buf) - 2;
	if (err != 0) {
		n = snprintf(buf + off, sizeof(buf) - off, ": %s",
		    strerror(err));
		if (n > 0)
			off += (size_t)n;
		if (off > sizeof(buf) - 2)
			off = sizeof(buf) - 2;
	}
	for (i = 0; i < off; i++)
		if ((unsigned char)buf[i] < 0x20 || buf[i] == 0x7f)
			buf[i] = '?';
	buf[off++] = '\n';
	log_put(buf, off);
}

#define LOG_BODY(prefix, err) do {					\
	int	 saved_errno = errno;					\
	va_list	 ap;							\
	va_start(ap, fmt);						\
	log_line(prefix, fmt, ap, (err) ? saved_errno : 0);		\
	va_end(ap);							\
	errno = saved_errno;						\
} while (0)

void
log_warn(const char *fmt, ...)
{
	LOG_BODY("", 1);
}

void
log_warnx(const char *fmt, ...)
{
	LOG_BODY("", 0);
}

void
log_info(const char *fmt, ...)
{
	LOG_BODY("", 0);
}

void
log_debug(const char *fmt, ...)
{
	if (log_debugging > 0)
		LOG_BODY("debug: ", 0);
}

void
log_warning(const char *fmt, ...)
{
	LOG_BODY("WARNING: ", 0);
}

void
log_alert(const char *fmt, ...)
{
	LOG_BODY("SECURITY ALERT: ", 0);
}

void
fatal(const char *fmt, ...)
{
	LOG_BODY("", 1);
	if (log_fatalfn != NULL)
		log_fatalfn();
	exit(1);
}

void
fatalx(const char *fmt, ...)
{
	LOG_BODY("", 0);
	if (log_fatalfn != NULL)
		log_fatalfn();
	exit(1);
}
