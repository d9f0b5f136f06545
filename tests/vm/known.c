/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * known: a workload whose counts are known beforehand, its own server and client, static so that it runs where there is
 * nothing else.
 *
 *   known server PORT            answers HTTP over IPv4 and IPv6 until it is ended; says "ready" once it listens
 *   known client PORT CLOSED     23 connects and 23 requests to PORT, then one connect to CLOSED, where nobody listens
 *   known brief PORT MS STATUS   listens that long and exits with that status
 *
 * The client ends with one line of what it did: "connects 23 requests 23 refused 1".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS 23

/* Requests on each connection, 23 in all: three kept alive, one after which the server closes, none. Even ones go over IPv4,
 * odd ones over IPv6. */
static const unsigned char requests_on[CONNECTIONS] = {
	3, 1, 0, 1, 1, 3, 0, 1, 0, 1, 1, 0, 3, 1, 0, 1, 1, 0, 0, 3, 1, 0, 1,
};

struct tally { unsigned connects, requests, refused; };

static int fail(const char *what)
{
	perror(what);
	return 1;
}

/* ::1, or 127.0.0.1 in the form that a socket of either family takes apart */
static socklen_t address_set(struct sockaddr_storage *at, bool v6, unsigned port)
{
	memset(at, 0, sizeof(*at));
	if (v6) {
		*(struct sockaddr_in6 *)at = (struct sockaddr_in6){
			.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT,
		};
		return sizeof(struct sockaddr_in6);
	}
	*(struct sockaddr_in *)at = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	return sizeof(struct sockaddr_in);
}

static int listen_on(unsigned port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_ANY_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, off = 0;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) || listen(fd, CONNECTIONS))
		return -1;
	return fd;
}

static bool write_all(int fd, const char *s)
{
	size_t n = strlen(s);

	return send(fd, s, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* Reads up to the empty line that ends a head, of a request or of an answer without a body. False: the peer is gone. */
static bool head_read(int fd, char *buf, size_t size)
{
	size_t have = 0;

	while (have < size - 1) {
		ssize_t n = read(fd, buf + have, size - 1 - have);

		if (n <= 0)
			return false;
		have += n;
		buf[have] = '\0';
		if (have >= 4 && !strcmp(buf + have - 4, "\r\n\r\n"))
			return true;
	}
	return false;
}

static void answer(int fd)
{
	char head[1024];

	while (head_read(fd, head, sizeof(head)) && write_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
		if (strstr(head, "Connection: close"))
			break;
	close(fd);
}

static int serve(unsigned port)
{
	int listener = listen_on(port);

	if (listener < 0)
		return fail("listen");
	puts("ready");
	fflush(stdout);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			return fail("accept");
		answer(fd);
	}
}

static int connect_to(bool v6, unsigned port)
{
	struct sockaddr_storage at;
	socklen_t len = address_set(&at, v6, port);
	int fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, len)) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool converse(unsigned i, unsigned port, struct tally *t)
{
	const char *ask = requests_on[i] == 1 ? "GET /known HTTP/1.1\r\nHost: known\r\nConnection: close\r\n\r\n"
					      : "GET /known HTTP/1.1\r\nHost: known\r\n\r\n";
	int fd = connect_to(i & 1, port);
	char head[1024];

	if (fd < 0)
		return false;
	t->connects++;
	for (unsigned r = 0; r < requests_on[i]; r++) {
		if (!write_all(fd, ask) || !head_read(fd, head, sizeof(head)))
			return false;
		t->requests++;
	}
	if (requests_on[i] == 1 && read(fd, head, 1) != 0)      /* until it has closed */
		return false;
	close(fd);
	return true;
}

static int client(unsigned port, unsigned closed)
{
	struct tally t = {0};
	int fd;

	for (unsigned i = 0; i < CONNECTIONS; i++)
		if (!converse(i, port, &t))
			return fail("converse");
	fd = connect_to(false, closed);
	t.refused = fd < 0 && errno == ECONNREFUSED;
	printf("connects %u requests %u refused %u\n", t.connects, t.requests, t.refused);
	return 0;
}

static int brief(unsigned port, int ms, int status)
{
	if (listen_on(port) < 0)
		return fail("listen");
	poll(NULL, 0, ms);
	return status;
}

static unsigned number(char *argv[], int i)
{
	return strtoul(argv[i], NULL, 10);
}

int main(int argc, char *argv[])
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 3 && !strcmp(what, "server"))
		return serve(number(argv, 2));
	if (argc == 4 && !strcmp(what, "client"))
		return client(number(argv, 2), number(argv, 3));
	if (argc == 5 && !strcmp(what, "brief"))
		return brief(number(argv, 2), number(argv, 3), number(argv, 4));
	fprintf(stderr, "usage: known server PORT | client PORT CLOSED | brief PORT MS STATUS\n");
	return 2;
}
