/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls: HTTP between two processes, in every way in which bytes can get onto a socket and off it.
 *
 *   calls serve ADDRESS WAY…              answers until it is ended; ADDRESS is "127.0.0.1:80", "[::1]:80" or "/path"; the
 *                                         n-th connection is served the n-th way, from then on the last
 *   calls ask ADDRESS WAY N [HOLDER] [SIZE]  one connection, N requests GET /WAY, answers of SIZE bytes
 *   calls wait ADDRESS WAY N FILE         the same, but first it connects and waits until FILE is there
 *
 * HOLDER is who talks: self; dup (another descriptor); thread; child (inherits the socket); passed (another process, which
 * is given the socket over a UNIX socket).  serve-fork has a worker for each connection.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "way.h"

#define HEAD_MAX 4096
#define BODY_MAX (1 << 20)

union address { struct sockaddr any; struct sockaddr_in v4; struct sockaddr_in6 v6; struct sockaddr_un local; };

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static socklen_t address_parse(union address *a, const char *text)
{
	char host[128];
	const char *colon = strrchr(text, ':');

	memset(a, 0, sizeof(*a));
	if (text[0] == '/') {
		a->local.sun_family = AF_UNIX;
		snprintf(a->local.sun_path, sizeof(a->local.sun_path), "%s", text);
		return sizeof(a->local);
	}
	if (!colon)
		die(text);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	if (host[0] == '[') {
		host[strlen(host) - 1] = '\0';
		a->v6.sin6_family = AF_INET6;
		a->v6.sin6_port = htons((unsigned short)atoi(colon + 1));
		if (inet_pton(AF_INET6, host + 1, &a->v6.sin6_addr) != 1)
			die(text);
		return sizeof(a->v6);
	}
	a->v4.sin_family = AF_INET;
	a->v4.sin_port = htons((unsigned short)atoi(colon + 1));
	if (inet_pton(AF_INET, host, &a->v4.sin_addr) != 1)
		die(text);
	return sizeof(a->v4);
}

/* Up to the empty line, and then `body` bytes more, which the head tells where it is < 0. False: the peer is gone. */
static bool message_get(int fd, const struct way *w, char *head, long body)
{
	static __thread char rest[BODY_MAX];
	size_t have = 0;
	ssize_t n = 1;
	char *end = NULL;

	while (!end && have < HEAD_MAX - 1 && n > 0) {
		n = w->get(fd, head + have, HEAD_MAX - 1 - have);
		have += n > 0 ? (size_t)n : 0;
		head[have] = '\0';
		end = strstr(head, "\r\n\r\n");
	}
	if (!end)
		return false;
	if (body < 0)
		body = strstr(head, "Content-Length: ") ? atol(strstr(head, "Content-Length: ") + 16) : 0;
	for (body -= (long)(head + have - end - 4); body > 0; body -= n) {
		n = w->get(fd, rest, (size_t)body < sizeof(rest) ? (size_t)body : sizeof(rest));
		if (n <= 0)
			return false;
	}
	return true;
}

static bool answer(int fd, const struct way *w)
{
	static __thread char head[HEAD_MAX], out[HEAD_MAX + BODY_MAX];
	const char *size;
	int body, n;

	if (!message_get(fd, w, head, 0))
		return false;
	size = strstr(head, "Size: ");
	body = size ? atoi(size + 6) : 0;
	n = snprintf(out, HEAD_MAX, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", body);
	memset(out + n, 'x', (size_t)body);
	if (w->put(fd, out, (size_t)(n + body)))
		die(w->name);
	return true;
}

static void serve(const char *text, char **names, bool fork_each)
{
	union address a;
	socklen_t len = address_parse(&a, text);
	int on = 1, fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) || bind(fd, &a.any, len) || listen(fd, 64))
		die(text);
	signal(SIGCHLD, SIG_IGN);
	puts("ready");
	fflush(stdout);
	for (;;) {
		const struct way *w = way_find(names[0]);
		int c = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (c < 0 || !w)
			die(names[0]);
		if (!fork_each || !fork()) {
			while (answer(c, w))
				;
			if (fork_each)
				_exit(0);
		}
		close(c);
		if (names[1])
			names++;
	}
}

struct talk { int fd; const struct way *way; int n, size; };

static void *talk(void *arg)
{
	const struct talk *t = arg;
	char request[128], head[HEAD_MAX];

	snprintf(request, sizeof(request), "GET /%s HTTP/1.1\r\nHost: calls\r\nSize: %d\r\n\r\n", t->way->name, t->size);
	for (int i = 0; i < t->n; i++) {
		if (t->way->put(t->fd, request, strlen(request)))
			die(t->way->name);
		if (!message_get(t->fd, t->way, head, -1))
			die("answer");
	}
	return NULL;
}

static void in_child(struct talk *t)
{
	int status;

	if (!fork()) {
		talk(t);
		_exit(0);
	}
	close(t->fd);
	if (wait(&status) < 0 || status)
		exit(1);
}

/* The child is there before the connection is, so that it cannot have inherited it. */
static void passed(struct talk *t, int channel)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))];
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	int status;

	memset(control, 0, sizeof(control));
	c = CMSG_FIRSTHDR(&m);
	*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(c), &t->fd, sizeof(int));
	if (sendmsg(channel, &m, 0) != 1)
		die("SCM_RIGHTS");
	close(t->fd);
	if (wait(&status) < 0 || status)
		exit(1);
}

static int taker(struct talk *t)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		die("socketpair");
	if (fork())
		return pair[0];
	if (recvmsg(pair[1], &m, 0) != 1)
		die("SCM_RIGHTS");
	memcpy(&t->fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	talk(t);
	_exit(0);
}

static void hold(struct talk *t, const char *holder, int channel)
{
	pthread_t thread;
	int fd;

	if (!strcmp(holder, "thread")) {
		if (pthread_create(&thread, NULL, talk, t) || pthread_join(thread, NULL))
			die("thread");
	} else if (!strcmp(holder, "child")) {
		in_child(t);
	} else if (!strcmp(holder, "passed")) {
		passed(t, channel);
	} else {
		if (!strcmp(holder, "dup")) {
			fd = dup(t->fd);
			close(t->fd);
			t->fd = fd;
		}
		talk(t);
	}
}

static void ask(const char *text, struct talk *t, const char *holder, const char *until)
{
	int channel = strcmp(holder, "passed") ? -1 : taker(t);
	union address a;
	socklen_t len = address_parse(&a, text);

	t->fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (t->fd < 0 || connect(t->fd, &a.any, len))
		die(text);
	for (int i = 0; until && i < 3000 && access(until, F_OK); i++)
		usleep(10000);
	hold(t, holder, channel);
}

int main(int argc, char **argv)
{
	struct talk t = {0};

	if (argc >= 4 && !strcmp(argv[1], "serve"))
		serve(argv[2], argv + 3, false);
	if (argc >= 4 && !strcmp(argv[1], "serve-fork"))
		serve(argv[2], argv + 3, true);
	if (argc < 5 || !(t.way = way_find(argv[3]))) {
		fprintf(stderr, "usage: calls serve|serve-fork ADDRESS WAY... | ask ADDRESS WAY N [HOLDER] [SIZE] | wait ADDRESS WAY N FILE\n");
		return 2;
	}
	t.n = atoi(argv[4]);
	t.size = argc > 6 ? atoi(argv[6]) : 5;
	if (!strcmp(argv[1], "wait"))
		ask(argv[2], &t, "self", argv[5]);
	else
		ask(argv[2], &t, argc > 5 ? argv[5] : "self", NULL);
	return 0;
}
