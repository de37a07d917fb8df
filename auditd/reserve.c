#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "auditd/reserve.h"
#include "common/compat/allocate.h"

#define LEAST_BESIDE	65536

int
reserve_open(struct reserve *r, int dirfd, uint64_t bytes, uid_t owner)
{
	const int	 flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC |
			    O_NONBLOCK;
	struct stat	 st;

	r->kept = false;
	r->bytes = (off_t)bytes;
	if ((r->fd = openat(dirfd, RESERVE_FILE, flags, 0600)) == -1)
		return -1;
	if (fstat(r->fd, &st) == -1)
		goto fail;
	if (!S_ISREG(st.st_mode) || st.st_uid != owner || st.st_nlink != 1) {
		errno = EPERM;
		goto fail;
	}
	if ((st.st_size > r->bytes && ftruncate(r->fd, r->bytes) == -1) ||
	    fchmod(r->fd, 0600) == -1)
		goto fail;
	/* What is there already costs nothing to keep. */
	if (st.st_size >= r->bytes &&
	    allocate(r->fd, r->bytes) == 0) {
		r->kept = true;
		return 0;
	}
	return reserve_keep(r);
fail:
	reserve_close(r);
	return -1;
}

bool
reserve_give(struct reserve *r)
{
	if (r->fd == -1 || !r->kept || ftruncate(r->fd, 0) == -1)
		return false;
	r->kept = false;
	return true;
}

int
reserve_keep(struct reserve *r)
{
	struct statvfs	 vfs;
	off_t		 beside = r->bytes / 8;
	int		 error;

	if (r->fd == -1) {
		errno = EBADF;
		return -1;
	}
	if (r->kept)
		return 0;
	if (beside < LEAST_BESIDE)
		beside = LEAST_BESIDE;
	if (fstatvfs(r->fd, &vfs) == 0 && (uint64_t)vfs.f_bavail <
	    (uint64_t)(r->bytes + beside) / (vfs.f_frsize ? vfs.f_frsize : 1)) {
		errno = ENOSPC;
		return -1;
	}
	if ((error = allocate(r->fd, r->bytes)) != 0) {
		/* It may have taken what there was. */
		if (ftruncate(r->fd, 0) == -1)
			error = errno;
		errno = error;
		return -1;
	}
	r->kept = true;
	return 0;
}

void
reserve_close(struct reserve *r)
{
	if (r->fd != -1)
		close(r->fd);
	r->fd = -1;
	r->kept = false;
}
