#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "compat/allocate.h"

#define BLOCK	65536

int
allocate_by_writing(int fd, off_t len)
{
	static const char	 zeros[BLOCK];
	struct stat		 st;
	off_t			 at;
	ssize_t			 n;

	if (len < 0)
		return EINVAL;
	if (fstat(fd, &st) == -1)
		return errno;
	for (at = st.st_size; at < len; at += n) {
		n = pwrite(fd, zeros, len - at < BLOCK ? (size_t)(len - at) :
		    BLOCK, at);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n == -1)
			return errno;
		else if (n == 0)
			return EIO;
	}
	return 0;
}

int
allocate(int fd, off_t len)
{
#ifdef __OpenBSD__
	return allocate_by_writing(fd, len);
#else
	return posix_fallocate(fd, 0, len);
#endif
}
