/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "collect/procfs.h"

#define USUAL_PLACE "/host"

/* A descriptor of root/proc where a procfs is mounted there, or -ENOENT. */
static int proc_open(const char *root)
{
	char path[HOST_PATH_MAX];
	struct statfs fs;
	int fd;

	snprintf(path, sizeof(path), "%s/proc", root);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -ENOENT;
	if (fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC)
		return fd;
	close(fd);
	return -ENOENT;
}

static bool has_initial_proc(const char *root)
{
	int fd = proc_open(root);
	bool is = fd >= 0 && procfs_is_initial(fd);

	if (fd >= 0)
		close(fd);
	return is;
}

static uint32_t self_in(int procfd)
{
	char buf[32];
	ssize_t n = readlinkat(procfd, "self", buf, sizeof(buf) - 1);

	if (n <= 0)
		return (uint32_t)getpid();
	buf[n] = '\0';
	return pid_parse(buf) ? pid_parse(buf) : (uint32_t)getpid();
}

int host_find(struct host *h, const char *root)
{
	size_t n;
	int fd;

	*h = (struct host){ .proc = "/proc", .sys = "/sys", .self = (uint32_t)getpid() };
	if (!root)
		root = !has_initial_proc("") && has_initial_proc(USUAL_PLACE) ? USUAL_PLACE : "";
	for (n = strlen(root); n && root[n - 1] == '/'; n--)
		;
	if (n + sizeof("/proc") > sizeof(h->proc))
		return -ENAMETOOLONG;
	snprintf(h->proc, sizeof(h->proc), "%.*s/proc", (int)n, root);
	snprintf(h->sys, sizeof(h->sys), "%.*s/sys", (int)n, root);
	h->proc[n] = '\0';
	fd = proc_open(h->proc);
	h->proc[n] = '/';
	h->moved = n > 0;
	if (fd < 0)
		return h->moved ? -ENOENT : 0;  /* who reads /proc says so */
	h->foreign = !procfs_is_initial(fd);
	h->narrow = !h->foreign && !procfs_self_is_initial(fd);
	h->self = self_in(fd);
	close(fd);
	return 0;
}
