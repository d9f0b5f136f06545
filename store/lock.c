/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Beside the file itself, whatever link it was reached by: two names of one recording are one lock. */
static char *lock_path(const char *path)
{
	char *name, *full = realpath(path, NULL);       /* NULL: not there yet */
	int n = asprintf(&name, "%s.lock", full ? full : path);

	free(full);
	return n < 0 ? NULL : name;
}

/* To be opened and read by the group, a file must belong to it first. */
static void share_with_group(int fd)
{
	struct group entry, *found = NULL;
	char buf[4096];

	if (getgrnam_r("rootle", &entry, buf, sizeof(buf), &found) == 0 && found &&
	    fchown(fd, (uid_t)-1, found->gr_gid) == 0)
		(void)!fchmod(fd, 0640);
}

int file_create(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	share_with_group(fd);
	return fd;
}

static uint32_t pid_read(int fd)
{
	char buf[16];
	ssize_t n = pread(fd, buf, sizeof(buf) - 1, 0);

	if (n <= 0)
		return 0;
	buf[n] = '\0';
	return (uint32_t)strtoul(buf, NULL, 10);
}

static int lock_open(const char *name)
{
	int fd = file_create(name);

	if (fd != -EEXIST)
		return fd;
	fd = open(name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? fd : errno == ENOENT ? -EAGAIN : -errno;    /* its holder removed it just now */
}

/* The previous holder may have removed the file between our open and our lock: then we hold a lock on nothing. */
static int still_there(int fd, const char *name)
{
	struct stat ours, now;

	return fstat(fd, &ours) == 0 && lstat(name, &now) == 0 && ours.st_ino == now.st_ino && ours.st_dev == now.st_dev;
}

static int lock_try(const char *name, uint32_t *pid)
{
	struct flock want = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = lock_open(name), rc;
	char text[16];

	if (fd < 0)
		return fd;
	if (fcntl(fd, F_OFD_SETLK, &want) < 0) {
		rc = errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
		*pid = pid_read(fd);
		close(fd);
		return rc;
	}
	if (!still_there(fd, name)) {
		close(fd);
		return -EAGAIN;
	}
	snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, strlen(text), 0) < 0) {
		/* A full disk: the lock holds all the same, it only cannot say whose it is. */
	}
	return fd;
}

int lock_take(const char *path, uint32_t *pid)
{
	char *name = lock_path(path);
	int rc = -EAGAIN;

	*pid = 0;
	if (!name)
		return -ENOMEM;
	for (int i = 0; rc == -EAGAIN && i < 100; i++)
		rc = lock_try(name, pid);
	free(name);
	return rc;
}

void lock_release(int fd, const char *path)
{
	char *name;

	if (fd < 0)
		return;
	name = lock_path(path);
	if (name && still_there(fd, name))
		unlink(name);
	free(name);
	close(fd);
}

uint32_t lock_holder(const char *path)
{
	struct flock ask = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	char *name = lock_path(path);
	int fd = name ? open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	uint32_t pid = 0;

	free(name);
	if (fd < 0)
		return 0;
	if (fcntl(fd, F_OFD_GETLK, &ask) == 0 && ask.l_type != F_UNLCK)
		pid = pid_read(fd);
	close(fd);
	return pid;
}
