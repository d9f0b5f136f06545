/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/below.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Found, but not opened: what it is can be asked without touching it. */
static int below_find(const char *root, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	int at = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), fd, err;

	if (at < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, at, path, &how, sizeof(how));
	err = errno;
	close(at);
	return fd < 0 ? -err : fd;
}

/* A file that is not stored but made by the kernel: to read one may do something (/proc/kmsg, trace_pipe). */
static bool is_made(int fd)
{
	static const unsigned long types[] = {PROC_SUPER_MAGIC, SYSFS_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC, SECURITYFS_MAGIC,
					      CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, BPF_FS_MAGIC, EFIVARFS_MAGIC};
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return true;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((unsigned long)fs.f_type == types[i])
			return true;
	return false;
}

/* Found is closed. wrong: the error where it is of another kind. */
static int reopen(int found, mode_t kind, int flags, int wrong)
{
	char same[64];
	struct stat st;
	int fd = wrong;

	if (fstat(found, &st) == 0 && (st.st_mode & S_IFMT) == kind && !is_made(found)) {
		snprintf(same, sizeof(same), "/proc/self/fd/%d", found);
		fd = open(same, O_RDONLY | O_CLOEXEC | flags);
		if (fd < 0)
			fd = -errno;
	}
	close(found);
	return fd;
}

int below_open(const char *root, const char *path)
{
	int found = below_find(root, path);

	return found < 0 ? found : reopen(found, S_IFREG, 0, -ENOEXEC);
}

int below_open_dir(const char *root, const char *path)
{
	int found = below_find(root, path);

	return found < 0 ? found : reopen(found, S_IFDIR, O_DIRECTORY, -ENOTDIR);
}
