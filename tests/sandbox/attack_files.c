/* Attacks on the file system. */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attack.h"

#define FD	ATTACK_DIRFD

static const char	*in_own(const char *);

/* The path of a name in the one directory that the role sees. */
static const char *
in_own(const char *name)
{
	static char	 path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%.*s/%s", PATH_MAX - 64,
	    strcmp(scene.own, "/") == 0 ? "" : scene.own, name);
	return path;
}

static long
open_read(const struct attack *a)
{
	char	 byte;
	int	 fd;

	(void)a;
	if ((fd = openat(FD, "secret", O_RDONLY)) == -1)
		return -1;
	return read(fd, &byte, 1);
}

static long
open_write(const struct attack *a)
{
	int	 fd;

	(void)a;
	if ((fd = openat(FD, "file", O_WRONLY)) == -1)
		return -1;
	return write(fd, "x", 1);
}

static long
open_create(const struct attack *a)
{
	(void)a;
	return openat(FD, "new", O_CREAT | O_EXCL | O_WRONLY, 0600);
}

static long
open_dir(const struct attack *a)
{
	(void)a;
	return openat(FD, ".", O_RDONLY | O_DIRECTORY);
}

static long
open_openat2(const struct attack *a)
{
	uint64_t	 how[3] = { O_RDONLY, 0, 0 };

	(void)a;
	return syscall(SYS_openat2, FD, "secret", how, sizeof(how));
}

#ifdef SYS_open
static long
open_old(const struct attack *a)
{
	char	 path[PATH_MAX];

	(void)a;
	(void)snprintf(path, sizeof(path), "%.*s/secret", PATH_MAX - 64,
	    scene.dir);
	return syscall(SYS_open, path, O_RDONLY);
}
#endif

static long
open_peer_dir(const struct attack *a)
{
	(void)a;
	return open(in_own("."), O_RDONLY | O_DIRECTORY);
}

static long
open_proc_mem(const struct attack *a)
{
	char	 path[64];

	(void)a;
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", scene.parent);
	return open(path, O_RDWR);
}

static long
fs_unlink(const struct attack *a)
{
	(void)a;
	return unlinkat(FD, "victim", 0);
}

static long
fs_rename(const struct attack *a)
{
	(void)a;
	return renameat(FD, "file", FD, "file2");
}

static long
fs_rename_in(const struct attack *a)
{
	(void)a;
	return renameat(FD, "guest", AT_FDCWD, in_own("attack.guest"));
}

static long
fs_link(const struct attack *a)
{
	(void)a;
	return linkat(FD, "file", FD, "linked", 0);
}

static long
fs_symlink(const struct attack *a)
{
	(void)a;
	return symlinkat("/", FD, "symlinked");
}

static long
fs_mkdir(const struct attack *a)
{
	(void)a;
	return mkdirat(FD, "made", 0700);
}

static long
fs_mknod(const struct attack *a)
{
	(void)a;
	return mknodat(FD, "fifo", S_IFIFO | 0600, 0);
}

static long
fs_chmod(const struct attack *a)
{
	(void)a;
	return fchmodat(FD, "file", 0777, 0);
}

static long
fs_chown(const struct attack *a)
{
	(void)a;
	return fchownat(FD, "file", getuid(), getgid(), 0);
}

static long
fs_fchown(const struct attack *a)
{
	(void)a;
	return fchown(FD, getuid(), getgid());
}

static long
fs_fchmod(const struct attack *a)
{
	(void)a;
	return fchmod(FD, 0777);
}

static long
fs_utime(const struct attack *a)
{
	(void)a;
	return utimensat(FD, "file", NULL, 0);
}

static long
fs_xattr(const struct attack *a)
{
	(void)a;
	return fsetxattr(FD, "user.igra", "x", 1, 0);
}

static long
fs_truncate(const struct attack *a)
{
	(void)a;
	return truncate(in_own("file"), 0);
}

static long
fs_stat(const struct attack *a)
{
	struct stat	 st;

	(void)a;
	return fstatat(FD, "secret", &st, 0);
}

static long
fs_readlink(const struct attack *a)
{
	char	 buf[16];

	(void)a;
	return readlinkat(FD, "pointer", buf, sizeof(buf));
}

static long
fs_list(const struct attack *a)
{
	char	 buf[1024];

	(void)a;
	return syscall(SYS_getdents64, FD, buf, sizeof(buf));
}

static long
fs_fchdir(const struct attack *a)
{
	(void)a;
	return fchdir(FD);
}

static long
fs_chroot(const struct attack *a)
{
	(void)a;
	return chroot("/");
}

static long
fs_handle(const struct attack *a)
{
	struct {
		unsigned	 bytes;
		int		 type;
		uint8_t		 h[128];
	}	 h = { 128, 0, { 0 } };
	int	 mount;

	(void)a;
	return syscall(SYS_name_to_handle_at, FD, "secret", &h, &mount, 0);
}

static long
fs_watch(const struct attack *a)
{
	(void)a;
	return syscall(SYS_fanotify_init, 0, 0);
}

static long
own_create(const struct attack *a)
{
	(void)a;
	return open(in_own("attack.tmp"), O_CREAT | O_WRONLY, 0600);
}

static long
own_mkdir(const struct attack *a)
{
	(void)a;
	return mkdir(in_own("attack.d"), 0700);
}

static long
own_symlink(const struct attack *a)
{
	(void)a;
	return symlink("/", in_own("attack.link"));
}

static long
own_chmod(const struct attack *a)
{
	(void)a;
	return chmod(in_own("."), 0700);
}

const struct attack	 attack_files[] = {
	{ "read-a-file", open_read, 0 },
	{ "write-a-file", open_write, 0 },
	{ "make-a-file", open_create, 0 },
	{ "open-a-directory", open_dir, 0 },
	{ "openat2", open_openat2, 0 },
#ifdef SYS_open
	{ "open-by-path", open_old, 0 },
#endif
	{ "open-proc-mem", open_proc_mem, 0 },
	{ "link", fs_link, 0 },
	{ "symlink", fs_symlink, 0 },
	{ "mkdir", fs_mkdir, 0 },
	{ "mknod", fs_mknod, 0 },
	{ "chmod", fs_chmod, 0 },
	{ "chown", fs_chown, 0 },
	{ "fchown-open", fs_fchown, 0 },
	{ "fchmod-open", fs_fchmod, 0 },
	{ "utime", fs_utime, 0 },
	{ "setxattr", fs_xattr, 0 },
	{ "truncate", fs_truncate, 0 },
	{ "stat", fs_stat, 0 },
	{ "readlink", fs_readlink, 0 },
	{ "list-open-directory", fs_list, 0 },
	{ "fchdir", fs_fchdir, 0 },
	{ "chroot", fs_chroot, 0 },
	{ "name_to_handle_at", fs_handle, 0 },
	{ "fanotify", fs_watch, 0 },
	{ "own-open-directory", open_peer_dir, 0 },
	{ "own-make-a-file", own_create, 0 },
	{ "own-mkdir", own_mkdir, 0 },
	{ "own-symlink", own_symlink, 0 },
	{ "own-chmod", own_chmod, 0 },
	{ "rename", fs_rename, 0 },
	{ "rename-into-own", fs_rename_in, 0 },
	{ "unlink", fs_unlink, 0 },
	{ NULL, NULL, 0 }
};
