/* SPDX-License-Identifier: BSD-2-Clause */
#include "way.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define HALVES(p, n) { { (void *)(p), (n) / 2 }, { (char *)(p) + (n) / 2, (n) - (n) / 2 } }

/* A call that may take less than it is given: until it has taken all. */
#define ALL(n, call) \
	for (size_t done = 0; done < (n);) { \
		ssize_t r = (call); \
		if (r < 0) \
			return -1; \
		done += (size_t)r; \
	} \
	return 0

static int put_write(int fd, const char *p, size_t n)
{
	ALL(n, write(fd, p + done, n - done));
}

static ssize_t get_read(int fd, char *p, size_t n)
{
	return read(fd, p, n);
}

static int put_writev(int fd, const char *p, size_t n)
{
	const struct iovec v[2] = HALVES(p, n);

	return writev(fd, v, 2) == (ssize_t)n ? 0 : -1;
}

static ssize_t get_readv(int fd, char *p, size_t n)
{
	const struct iovec v[2] = HALVES(p, n);

	return readv(fd, v, 2);
}

/* An offset of -1 is the only one that a socket takes. */
static int put_pwritev(int fd, const char *p, size_t n)
{
	const struct iovec v[2] = HALVES(p, n);

	return pwritev2(fd, v, 2, -1, 0) == (ssize_t)n ? 0 : -1;
}

static ssize_t get_preadv(int fd, char *p, size_t n)
{
	const struct iovec v[2] = HALVES(p, n);

	return preadv2(fd, v, 2, -1, 0);
}

static int put_send(int fd, const char *p, size_t n)
{
	ALL(n, send(fd, p + done, n - done, MSG_NOSIGNAL));
}

static ssize_t get_recv(int fd, char *p, size_t n)
{
	return recv(fd, p, n, 0);
}

static int put_sendto(int fd, const char *p, size_t n)
{
	ALL(n, sendto(fd, p + done, n - done, MSG_NOSIGNAL, NULL, 0));
}

static ssize_t get_recvfrom(int fd, char *p, size_t n)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);

	return recvfrom(fd, p, n, 0, (struct sockaddr *)&from, &len);
}

static int put_sendmsg(int fd, const char *p, size_t n)
{
	struct iovec v[2] = HALVES(p, n);
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };

	return sendmsg(fd, &m, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -1;
}

static ssize_t get_recvmsg(int fd, char *p, size_t n)
{
	struct iovec v[2] = HALVES(p, n);
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };

	return recvmsg(fd, &m, 0);
}

static int put_sendmmsg(int fd, const char *p, size_t n)
{
	struct iovec v[2] = HALVES(p, n);
	struct mmsghdr m[2] = { { .msg_hdr = { .msg_iov = &v[0], .msg_iovlen = 1 } },
				{ .msg_hdr = { .msg_iov = &v[1], .msg_iovlen = 1 } } };

	return sendmmsg(fd, m, 2, MSG_NOSIGNAL) == 2 && m[0].msg_len + m[1].msg_len == n ? 0 : -1;
}

static ssize_t get_recvmmsg(int fd, char *p, size_t n)
{
	struct iovec v = { p, n };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } };

	return recvmmsg(fd, &m, 1, 0, NULL) == 1 ? (ssize_t)m.msg_len : -1;
}

static int put_sendfile(int fd, const char *p, size_t n)
{
	int file = memfd_create("answer", MFD_CLOEXEC), ret = -1;
	off_t at = 0;

	if (file >= 0 && write(file, p, n) == (ssize_t)n && sendfile(fd, file, &at, n) == (ssize_t)n)
		ret = 0;
	close(file);
	return ret;
}

static int put_splice(int fd, const char *p, size_t n)
{
	int pipes[2], ret = -1;

	if (pipe2(pipes, O_CLOEXEC))
		return -1;
	if (write(pipes[1], p, n) == (ssize_t)n && splice(pipes[0], NULL, fd, NULL, n, 0) == (ssize_t)n)
		ret = 0;
	close(pipes[0]);
	close(pipes[1]);
	return ret;
}

static ssize_t get_splice(int fd, char *p, size_t n)
{
	ssize_t got, ret = -1;
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC))
		return -1;
	got = splice(fd, NULL, pipes[1], NULL, n, 0);
	if (got >= 0)
		ret = got ? read(pipes[0], p, (size_t)got) : 0;
	close(pipes[0]);
	close(pipes[1]);
	return ret;
}

static ssize_t get_peek(int fd, char *p, size_t n)
{
	if (recv(fd, p, n / 2, MSG_PEEK) < 0 || recv(fd, p, n, MSG_PEEK) < 0)
		return -1;
	return recv(fd, p, n, 0);
}

/* The kernel tells in the error queue when it has no more use for the pages. */
static int put_zerocopy(int fd, const char *p, size_t n)
{
	char control[128], *pages = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct msghdr m = { .msg_control = control, .msg_controllen = sizeof(control) };
	int on = 1, ret = -1;

	if (pages == MAP_FAILED)
		return -1;
	memcpy(pages, p, n);
	if (!setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)) && send(fd, pages, n, MSG_ZEROCOPY | MSG_NOSIGNAL) == (ssize_t)n)
		ret = 0;
	for (int i = 0; !ret && i < 1000 && recvmsg(fd, &m, MSG_ERRQUEUE) < 0 && errno == EAGAIN; i++)
		usleep(100);
	munmap(pages, n);
	return ret;
}

static int put_uring(int fd, const char *p, size_t n)
{
	return uring_put(fd, p, n, 0);
}

static ssize_t get_uring(int fd, char *p, size_t n)
{
	return uring_get(fd, p, n, 0);
}

static int put_uring_async(int fd, const char *p, size_t n)
{
	return uring_put(fd, p, n, 1);
}

static ssize_t get_uring_async(int fd, char *p, size_t n)
{
	return uring_get(fd, p, n, 1);
}

const struct way ways[] = {
	{ "read-write", put_write, get_read },
	{ "readv-writev", put_writev, get_readv },
	{ "preadv-pwritev", put_pwritev, get_preadv },
	{ "send-recv", put_send, get_recv },
	{ "sendto-recvfrom", put_sendto, get_recvfrom },
	{ "sendmsg-recvmsg", put_sendmsg, get_recvmsg },
	{ "sendmmsg-recvmmsg", put_sendmmsg, get_recvmmsg },
	{ "sendfile", put_sendfile, get_read },
	{ "splice", put_splice, get_splice },
	{ "peek", put_send, get_peek },
	{ "zerocopy", put_zerocopy, get_recv },
	{ "uring", put_uring, get_uring },
	{ "uring-worker", put_uring_async, get_uring_async },
	{ NULL, NULL, NULL },
};

const struct way *way_find(const char *name)
{
	for (const struct way *w = ways; w->name; w++)
		if (!strcmp(w->name, name))
			return w;
	return NULL;
}
