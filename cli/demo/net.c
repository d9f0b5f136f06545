/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "net.h"

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int close_with(int fd, int err)
{
	close(fd);
	return -err;
}

int net_listen(uint16_t port)
{
	struct sockaddr_in at = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 128))
		return close_with(fd, errno);
	return fd;
}

int net_connect(uint16_t port, int timeout_ms)
{
	struct sockaddr_in to = loopback(port);
	struct timeval limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return close_with(fd, errno);
	return fd;
}

uint16_t net_free_port(void)
{
	struct sockaddr_in at;
	socklen_t size = sizeof(at);
	int fd = net_listen(0);
	uint16_t port = 0;

	if (fd < 0)
		return 0;
	if (getsockname(fd, (struct sockaddr *)&at, &size) == 0)
		port = ntohs(at.sin_port);
	close(fd);
	return port;
}

int net_write(int fd, const void *buf, size_t n)
{
	const char *p = buf;

	while (n) {
		ssize_t put = send(fd, p, n, MSG_NOSIGNAL);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		p += put;
		n -= put;
	}
	return 0;
}

int net_read(int fd, void *buf, size_t n)
{
	char *p = buf;

	while (n) {
		ssize_t got = read(fd, p, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -ECONNRESET;
		p += got;
		n -= got;
	}
	return 0;
}

struct served { int fd; void (*serve)(int fd, void *arg); void *arg; };

static void *serve_one(void *p)
{
	struct served s = *(struct served *)p;

	free(p);
	s.serve(s.fd, s.arg);
	close(s.fd);
	return NULL;
}

static void start_serving(int fd, void (*serve)(int fd, void *arg), void *arg)
{
	struct served *s = malloc(sizeof(*s));
	pthread_t thread;
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (s)
		*s = (struct served){fd, serve, arg};
	if (s && pthread_create(&thread, NULL, serve_one, s) == 0) {
		pthread_detach(thread);
		return;
	}
	free(s);
	close(fd);
}

int net_serve(uint16_t port, void (*serve)(int fd, void *arg), void *arg)
{
	int listener = net_listen(port);

	while (listener >= 0) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0)
			start_serving(fd, serve, arg);
		else if (errno != EINTR && errno != ECONNABORTED)
			return close_with(listener, errno);
	}
	return listener;
}
