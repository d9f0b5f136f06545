/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define PID_NS_INITIAL 0xEFFFFFFCu /* PROC_PID_INIT_INO of linux/proc_ns.h */

bool scan_u64(const char **s, uint64_t *ret)
{
	const char *p = *s;
	uint64_t v = 0;

	while (*p == ' ' || *p == '\t')
		p++;
	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++)
		v = v * 10 + (uint64_t)(*p - '0');
	*ret = v;
	*s = p;
	return true;
}

const char *scan_skip(const char *s, int n)
{
	for (; n > 0; n--) {
		while (*s == ' ' || *s == '\t')
			s++;
		while (*s && *s != ' ' && *s != '\t' && *s != '\n')
			s++;
	}
	return s;
}

const char *scan_line(const char *s)
{
	const char *nl = strchrnul(s, '\n');

	return *nl ? nl + 1 : nl;
}

uint64_t scan_key(const char *text, const char *key, uint64_t missing)
{
	size_t n = strlen(key);

	for (const char *l = text; *l; l = scan_line(l)) {
		if (strncmp(l, key, n) || (l[n] != ' ' && l[n] != '\t'))
			continue;
		const char *p = l + n;
		uint64_t v;
		return scan_u64(&p, &v) ? v : missing;
	}
	return missing;
}

static void comm_copy(struct proc_stat *ret, const char *from, const char *to)
{
	size_t n = (size_t)(to - from);

	if (n >= sizeof(ret->comm))
		n = sizeof(ret->comm) - 1;
	memcpy(ret->comm, from, n);
	ret->comm[n] = '\0';
}

int proc_stat_parse(const char *text, struct proc_stat *ret)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	uint64_t pid, ppid, session, threads;

	*ret = (struct proc_stat){ .state = '?' };
	if (!open || !close || close < open || close[1] != ' ' || !close[2] || close[3] != ' ' || !scan_u64(&text, &pid))
		return -EINVAL;
	comm_copy(ret, open + 1, close);
	ret->state = close[2];
	const char *p = close + 3;                        /* field 4 follows */
	if (!scan_u64(&p, &ppid))
		return -EINVAL;
	p = scan_skip(p, 1);
	if (!scan_u64(&p, &session))                      /* 6 */
		return -EINVAL;
	p = scan_skip(p, 2);                              /* tty_nr tpgid (-1 may be) */
	if (!scan_u64(&p, &ret->flags))                   /* 9 */
		return -EINVAL;
	p = scan_skip(p, 2);                              /* minflt cminflt */
	if (!scan_u64(&p, &ret->major_faults))            /* 12 */
		return -EINVAL;
	p = scan_skip(p, 1);
	if (!scan_u64(&p, &ret->utime_ticks) || !scan_u64(&p, &ret->stime_ticks))   /* 14 15 */
		return -EINVAL;
	p = scan_skip(p, 4);                              /* cutime cstime priority nice */
	if (!scan_u64(&p, &threads))                      /* 20 */
		return -EINVAL;
	p = scan_skip(p, 1);
	if (!scan_u64(&p, &ret->start_ticks))             /* 22 */
		return -EINVAL;
	if (!scan_u64(&p, &ret->vsize_bytes) || !scan_u64(&p, &ret->rss_pages))     /* 23 24 */
		return -EINVAL;
	p = scan_skip(p, 3);
	scan_u64(&p, &ret->start_stack);                  /* 28 */
	p = scan_skip(p, 13);
	scan_u64(&p, &ret->blkio_ticks);                  /* 42 */
	ret->pid = (uint32_t)pid;
	ret->ppid = (uint32_t)ppid;
	ret->session = (uint32_t)session;
	ret->threads = (uint32_t)threads;
	return 0;
}

static ssize_t read_whole(int fd, char *buf, size_t cap)
{
	size_t n = 0;

	while (n < cap - 1) {
		ssize_t r = pread(fd, buf + n, cap - 1 - n, (off_t)n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		n += (size_t)r;
	}
	buf[n] = '\0';
	return (ssize_t)n;
}

void kept_close(struct kept_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

ssize_t kept_read(struct kept_file *f, int dirfd, const char *path, char *buf, size_t cap)
{
	bool kept = f->fd >= 0;

	buf[0] = '\0';
	for (;;) {
		if (f->fd < 0)
			f->fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
		if (f->fd < 0)
			return -errno;
		ssize_t n = read_whole(f->fd, buf, cap);
		if (n >= 0)
			return n;
		buf[0] = '\0';
		kept_close(f);
		if (!kept)
			return n;
		kept = false;
	}
}

ssize_t pid_file_read(int procfd, uint32_t pid, const char *name, char *buf, size_t cap)
{
	char path[64];

	snprintf(path, sizeof(path), "%u/%s", pid, name);
	return file_read(procfd, path, buf, cap);
}

DIR *procfs_list(int procfd, int *err)
{
	int fd = openat(procfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	*err = d ? 0 : -errno;
	if (!d && fd >= 0)
		close(fd);
	return d;
}

uint32_t pid_parse(const char *name)
{
	uint64_t v;

	if (*name < '1' || *name > '9' || !scan_u64(&name, &v) || *name || v > INT32_MAX)
		return 0;
	return (uint32_t)v;
}

bool procfs_is_ours(int procfd)
{
	char buf[32];
	ssize_t n = readlinkat(procfd, "self", buf, sizeof(buf) - 1);

	if (n <= 0)
		return false;
	buf[n] = '\0';
	return pid_parse(buf) == (uint32_t)getpid();
}

bool procfs_self_is_initial(int procfd)
{
	struct stat st;

	return fstatat(procfd, "self/ns/pid", &st, 0) || st.st_ino == PID_NS_INITIAL;
}

bool procfs_is_initial(int procfd)
{
	struct stat st;

	/* not of "self": through the host's /proc in a container that would be the container's */
	if (fstatat(procfd, "1/ns/pid", &st, 0))
		return true;
	return st.st_ino == PID_NS_INITIAL;
}
