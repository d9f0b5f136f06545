/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

struct opener { int procfd; const char *path; int protocol, ret; };

static int socket_here(int protocol)
{
	struct timeval patience = { .tv_sec = 1 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

/* A thread of its own enters the namespace and ends there, so that nobody has to find the way back. */
static void *open_there(void *arg)
{
	struct opener *o = arg;
	int ns = openat(o->procfd, o->path, O_RDONLY | O_CLOEXEC);

	if (ns < 0) {
		o->ret = -errno;
		return NULL;
	}
	o->ret = setns(ns, CLONE_NEWNET) ? -errno : 0;
	close(ns);
	if (!o->ret)
		o->ret = socket_here(o->protocol);
	return NULL;
}

/* The device that namespaces are files of: one for the kernel's life. 0: not known. */
static dev_t namespaces_device(int procfd)
{
	static _Atomic dev_t known;
	struct stat ours;

	if (!known && !fstatat(procfd, "thread-self/ns/net", &ours, 0))
		known = ours.st_dev;
	return known;
}

uint32_t netns_inode(int procfd, const char *path)
{
	struct stat st;

	/* a name whose namespace is gone is a file like any other */
	if (fstatat(procfd, path, &st, 0) || st.st_dev != namespaces_device(procfd))
		return 0;
	return (uint32_t)st.st_ino;
}

int netns_socket(int procfd, const char *path, int protocol)
{
	struct opener o = { .procfd = procfd, .path = path, .protocol = protocol };
	uint32_t there = netns_inode(procfd, path);
	pthread_t thread;
	int err;

	if (there && there == netns_inode(procfd, "thread-self/ns/net"))        /* needs no privilege */
		return socket_here(protocol);
	err = pthread_create(&thread, NULL, open_there, &o);
	if (err)
		return -err;
	pthread_join(thread, NULL);
	return o.ret;
}
