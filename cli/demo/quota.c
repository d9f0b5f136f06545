/* SPDX-License-Identifier: BSD-2-Clause */
/* The shop's CPU quota: a cgroup named after the demo's folder, on v1 or v2. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "system.h"

/* Writes a line of text to a file that is there. 0 or -errno. */
static int __attribute__((format(printf, 2, 3))) put(const char *path, const char *fmt, ...)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;
	va_list args;

	if (fd < 0)
		return -errno;
	va_start(args, fmt);
	if (vdprintf(fd, fmt, args) < 0)
		err = -errno;
	va_end(args);
	close(fd);
	return err;
}

static int limit_v1(struct system *s, double cores)
{
	char path[160];

	snprintf(s->cgroup, sizeof(s->cgroup), "/sys/fs/cgroup/cpu/%s", text_basename(s->dir));
	if (mkdir(s->cgroup, 0755))
		return -errno;
	snprintf(path, sizeof(path), "%s/cpu.cfs_quota_us", s->cgroup);
	return put(path, "%d", (int)(cores * 100000));
}

static int limit_v2(struct system *s, double cores)
{
	char path[160];
	int err = put("/sys/fs/cgroup/cgroup.subtree_control", "+cpu");

	if (err)
		return err;
	snprintf(s->cgroup, sizeof(s->cgroup), "/sys/fs/cgroup/%s", text_basename(s->dir));
	if (mkdir(s->cgroup, 0755))
		return -errno;
	snprintf(path, sizeof(path), "%s/cpu.max", s->cgroup);
	return put(path, "%d 100000", (int)(cores * 100000));
}

int system_limit_shop(struct system *s, double cores)
{
	char path[160];
	int err;

	if (access("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", F_OK) == 0)
		err = limit_v1(s, cores);
	else
		err = limit_v2(s, cores);
	snprintf(path, sizeof(path), "%s/cgroup.procs", s->cgroup);
	return err ? err : put(path, "%d", (int)s->shop.pid);
}
