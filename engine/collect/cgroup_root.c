/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/cgroup_root.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a cgroup namespace of its own (a container) a process sees its part as "/", but the inode is not that of the root: kernfs
 * numbers the root of each hierarchy 1. */
#define ROOT_INODE 1

static int root_checked(int fd)
{
	struct stat st;

	if (fd < 0 || (fstat(fd, &st) == 0 && st.st_ino == ROOT_INODE))
		return fd;
	close(fd);
	return -ENOENT;
}

static int root_at(const char *point)
{
	int fd = open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : root_checked(fd);
}

/* mountinfo(5): "… root mountpoint options - fstype …"; the mount of the whole hierarchy, not of a part. */
static int root_mounted(void)
{
	char line[4096], root[2048], point[2048];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	int fd = -ENOENT;

	if (!f)
		return -errno;
	while (fd < 0 && fgets(line, sizeof(line), f)) {
		if (!strstr(line, " - cgroup2 "))
			continue;
		if (sscanf(line, "%*s %*s %*s %2047s %2047s", root, point) == 2)
			fd = root_at(point);
	}
	fclose(f);
	return fd;
}

/* Mounted nowhere (fsopen: 5.2). */
static int root_detached(void)
{
	int fs = syscall(SYS_fsopen, "cgroup2", 1u /* FSOPEN_CLOEXEC */), mnt, err;

	if (fs < 0)
		return -errno;
	if (syscall(SYS_fsconfig, fs, 6u /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0) < 0)
		mnt = -1;
	else
		mnt = syscall(SYS_fsmount, fs, 1u /* FSMOUNT_CLOEXEC */, 0);
	err = errno;
	close(fs);
	return mnt < 0 ? -err : root_checked(mnt);
}

/* Where the calls above are refused or unknown: a child that shares our descriptors, and nothing else, mounts it in a mount
 * namespace of its own. What it opened stays, the mount is gone with the child. */
static int root_of_child(void)
{
	int *ret = mmap(NULL, sizeof(*ret), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), fd;
	pid_t pid;

	if (ret == MAP_FAILED)
		return -errno;
	*ret = -ECHILD;
	pid = (pid_t)syscall(SYS_clone, (long)(CLONE_FILES | SIGCHLD), 0L, 0L, 0L, 0L);
	if (!pid) {
		if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("none", "/proc", "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
			*ret = -errno;
		else
			*ret = root_at("/proc");
		_exit(0);
	}
	if (pid > 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	fd = pid > 0 ? *ret : -errno;
	munmap(ret, sizeof(*ret));
	return fd;
}

int cgroup_root_open(void)
{
	int fd = root_mounted();

	if (fd < 0)
		fd = root_detached();
	return fd < 0 ? root_of_child() : fd;
}
