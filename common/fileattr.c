#include <sys/types.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/ioctl.h>

#include <linux/fs.h>
#endif

#include <errno.h>

#include "fileattr.h"

#ifdef __linux__

bool
fileattr_append_only(int fd)
{
	int	 flags = 0;

	return ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 &&
	    (flags & FS_APPEND_FL) != 0;
}

int
fileattr_set_append_only(int fd, bool on)
{
	int	 flags = 0;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == -1)
		return -1;
	flags = on ? flags | FS_APPEND_FL : flags & ~FS_APPEND_FL;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

#elif defined(UF_APPEND) && defined(SF_APPEND)

bool
fileattr_append_only(int fd)
{
	struct stat	 st;

	return fstat(fd, &st) == 0 &&
	    (st.st_flags & (UF_APPEND | SF_APPEND)) != 0;
}

int
fileattr_set_append_only(int fd, bool on)
{
	struct stat	 st;

	if (fstat(fd, &st) == -1)
		return -1;
	return fchflags(fd, on ? st.st_flags | SF_APPEND :
	    st.st_flags & ~(unsigned)(UF_APPEND | SF_APPEND));
}

#else

bool
fileattr_append_only(int fd)
{
	(void)fd;
	return false;
}

int
fileattr_set_append_only(int fd, bool on)
{
	(void)fd;
	(void)on;
	errno = ENOTSUP;
	return -1;
}

#endif
