/*
 * Loaded before libc (LD_PRELOAD): a disk that fails when it is told to.
 *
 * $IGRA_FAULTS names a file of FAULT_OPS entries of five 32-bit numbers in the
 * machine's order, mapped by whoever is to be told and by whoever tells:
 *
 *	at	the how manieth call from now on fails; 0: none does
 *	times	and how many from there; 0: all
 *	halves	how many of these do half of what they should (write, pwrite)
 *	error	errno of the others
 *	calls	how many there have been; set to 0 with at
 *
 * Only what goes to regular files counts, and not standard error.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

enum { WRITE, PWRITE, FDATASYNC, FSYNC, FTRUNCATE, OPENAT, RENAMEAT,
	FAULT_OPS };

struct fault {
	volatile uint32_t	 at, times, halves, error, calls;
};

static struct fault	*faults;
static ssize_t		(*real_write)(int, const void *, size_t);
static ssize_t		(*real_pwrite)(int, const void *, size_t, off_t);
static int		(*real_fdatasync)(int);
static int		(*real_fsync)(int);
static int		(*real_ftruncate)(int, off_t);
static int		(*real_openat)(int, const char *, int, ...);
static int		(*real_renameat)(int, const char *, int, const char *);

static void	*find(const char *);
static bool	 fails(int, unsigned, bool *);

/* ISO C has no conversion from an object to a function. */
static void *
find(const char *name)
{
	void	*p = dlsym(RTLD_NEXT, name);

	if (p == NULL)
		abort();
	return p;
}

__attribute__((constructor)) static void
load(void)
{
	const char	*path = getenv("IGRA_FAULTS");
	void		*p;
	int		 fd;

	*(void **)&real_write = find("write");
	*(void **)&real_pwrite = find("pwrite");
	*(void **)&real_fdatasync = find("fdatasync");
	*(void **)&real_fsync = find("fsync");
	*(void **)&real_ftruncate = find("ftruncate");
	*(void **)&real_openat = find("openat");
	*(void **)&real_renameat = find("renameat");
	if (path == NULL || (fd = open(path, O_RDWR)) == -1)
		return;
	p = mmap(NULL, FAULT_OPS * sizeof(*faults), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	close(fd);
	if (p != MAP_FAILED)
		faults = p;
}

/* fd: what is written to, or -1.  half: it does not fail, but is cut short. */
static bool
fails(int fd, unsigned op, bool *half)
{
	struct fault	*f;
	struct stat	 st;
	uint32_t	 n;

	if (half != NULL)
		*half = false;
	if (faults == NULL || (fd != -1 && (fd <= 2 ||
	    fstat(fd, &st) == -1 || S_ISSOCK(st.st_mode))))
		return false;
	f = &faults[op];
	n = ++f->calls;
	if (f->at == 0 || n < f->at ||
	    (f->times != 0 && n - f->at >= f->times))
		return false;
	if (n - f->at < f->halves && half != NULL) {
		*half = true;
		return false;
	}
	errno = (int)f->error;
	return true;
}

ssize_t
write(int fd, const void *p, size_t n)
{
	bool	 half;

	if (fails(fd, WRITE, &half))
		return -1;
	return real_write(fd, p, half && n > 1 ? n / 2 : n);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	bool	 half;

	if (fails(fd, PWRITE, &half))
		return -1;
	return real_pwrite(fd, p, half && n > 1 ? n / 2 : n, at);
}

int
fdatasync(int fd)
{
	return fails(fd, FDATASYNC, NULL) ? -1 : real_fdatasync(fd);
}

int
fsync(int fd)
{
	return fails(fd, FSYNC, NULL) ? -1 : real_fsync(fd);
}

int
ftruncate(int fd, off_t len)
{
	return fails(fd, FTRUNCATE, NULL) ? -1 : real_ftruncate(fd, len);
}

int
openat(int dirfd, const char *path, int flags, ...)
{
	mode_t	 mode = 0;
	va_list	 ap;

	if ((flags & O_CREAT) != 0) {
		va_start(ap, flags);
		mode = (mode_t)va_arg(ap, int);
		va_end(ap);
	}
	if ((flags & O_ACCMODE) != O_RDONLY && fails(-1, OPENAT, NULL))
		return -1;
	return real_openat(dirfd, path, flags, mode);
}

int
renameat(int from, const char *a, int to, const char *b)
{
	return fails(-1, RENAMEAT, NULL) ? -1 : real_renameat(from, a, to, b);
}
