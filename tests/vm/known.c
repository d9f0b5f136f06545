/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * known: a workload whose counts are known beforehand, its own server and client, static so that it runs where there is
 * nothing else.
 *
 *   known server PORT DNS PATH          answers HTTP at the port over IPv4 and IPv6 and at the UNIX stream socket, and questions of
 *                                       DNS at its port, until it is ended; says "ready" once it listens
 *   known client PORT DNS PATH CLOSED   23 connects and 23 requests to PORT, one connect to CLOSED, where nobody listens, 23
 *                                       questions, 23 connects and 23 requests to PATH
 *   known brief PORT MS STATUS          listens that long and exits with that status
 *
 * The client ends with one line of what it did: "connects 23 requests 23 refused 1 dns 23 unix 23".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECTIONS 23

/* Requests on each connection, 23 in all: three kept alive, one after which the server closes, none. Even ones go over IPv4,
 * odd ones over IPv6. */
static const unsigned char requests_on[CONNECTIONS] = {
	3, 1, 0, 1, 1, 3, 0, 1, 0, 1, 1, 0, 3, 1, 0, 1, 1, 0, 0, 3, 1, 0, 1,
};

/* On the UNIX socket every connection has one. */
#define QUESTIONS 23

struct tally { unsigned connects, requests, refused, dns, unix_requests; };

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

/* The question back with the address 192.0.2.1 behind it (RFC 1035, section 4); not compressed but for the name. */
static bool dns_answer(int fd)
{
	static const uint8_t address[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1 };
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	uint8_t m[512];
	ssize_t n = recvfrom(fd, m, sizeof(m) - sizeof(address), 0, (struct sockaddr *)&from, &len);

	if (n < 12)
		return false;
	m[2] |= 0x80;           /* a response */
	m[7] = 1;               /* with one answer */
	memcpy(m + n, address, sizeof(address));
	return sendto(fd, m, n + sizeof(address), 0, (struct sockaddr *)&from, len) > 0;
}

static int datagram_on(unsigned port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_ANY_INIT };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), off = 0;

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)))
		return -1;
	return fd;
}

static socklen_t path_set(struct sockaddr_un *at, const char *path)
{
	*at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	strncpy(at->sun_path, path, sizeof(at->sun_path) - 1);
	return sizeof(*at);
}

static int unix_on(const char *path)
{
	struct sockaddr_un at;
	socklen_t len = path_set(&at, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) || listen(fd, CONNECTIONS))
		return -1;
	return fd;
}

static int serve(unsigned port, unsigned dns, const char *path)
{
	struct pollfd on[] = { { listen_on(port), POLLIN, 0 }, { unix_on(path), POLLIN, 0 }, { datagram_on(dns), POLLIN, 0 } };

	if (on[0].fd < 0 || on[1].fd < 0 || on[2].fd < 0)
		return fail("listen");
	puts("ready");
	fflush(stdout);
	while (poll(on, 3, -1) > 0) {
		for (int i = 0; i < 2; i++)
			if (on[i].revents)
				answer(accept(on[i].fd, NULL, NULL));
		if (on[2].revents && !dns_answer(on[2].fd))
			return fail("DNS");
	}
	return fail("poll");
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

/* Counts the requests that were answered. */
static bool ask(int fd, unsigned times, bool last, unsigned *count)
{
	const char *request = last ? "GET /known HTTP/1.1\r\nHost: known\r\nConnection: close\r\n\r\n"
				   : "GET /known HTTP/1.1\r\nHost: known\r\n\r\n";
	char head[1024];

	for (unsigned i = 0; i < times; i++) {
		if (!write_all(fd, request) || !head_read(fd, head, sizeof(head)))
			return false;
		++*count;
	}
	return !last || read(fd, head, 1) == 0;         /* until it has closed */
}

static bool converse(unsigned i, unsigned port, struct tally *t)
{
	int fd = connect_to(i & 1, port);
	bool good;

	if (fd < 0)
		return false;
	t->connects++;
	good = ask(fd, requests_on[i], requests_on[i] == 1, &t->requests);
	close(fd);
	return good;
}

static bool converse_unix(const char *path, struct tally *t)
{
	struct sockaddr_un at;
	socklen_t len = path_set(&at, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good = fd >= 0 && !connect(fd, (struct sockaddr *)&at, len) && ask(fd, 1, true, &t->unix_requests);

	close(fd);
	return good;
}

/* "known.test", type A, class IN; each from a socket of its own, as resolvers do. */
static bool question(unsigned i, unsigned port, struct tally *t)
{
	uint8_t m[512] = { 0, (uint8_t)i, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 5, 'k', 'n', 'o', 'w', 'n', 4, 't', 'e', 's', 't', 0, 0, 1, 0, 1 };
	struct sockaddr_storage at;
	socklen_t len = address_set(&at, i & 1, port);
	int fd = socket(at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool good = fd >= 0 && !connect(fd, (struct sockaddr *)&at, len) && send(fd, m, 28, 0) == 28 &&
		    recv(fd, m, sizeof(m), 0) == 44;

	t->dns += good;
	close(fd);
	return good;
}

static int client(unsigned port, unsigned dns, const char *path, unsigned closed)
{
	struct tally t = {0};
	int fd;

	for (unsigned i = 0; i < CONNECTIONS; i++)
		if (!converse(i, port, &t) || !converse_unix(path, &t))
			return fail("converse");
	for (unsigned i = 0; i < QUESTIONS; i++)
		if (!question(i, dns, &t))
			return fail("question");
	fd = connect_to(false, closed);
	t.refused = fd < 0 && errno == ECONNREFUSED;
	printf("connects %u requests %u refused %u dns %u unix %u\n", t.connects, t.requests, t.refused, t.dns,
	       t.unix_requests);
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

	if (argc == 5 && !strcmp(what, "server"))
		return serve(number(argv, 2), number(argv, 3), argv[4]);
	if (argc == 6 && !strcmp(what, "client"))
		return client(number(argv, 2), number(argv, 3), argv[4], number(argv, 5));
	if (argc == 5 && !strcmp(what, "brief"))
		return brief(number(argv, 2), number(argv, 3), number(argv, 4));
	fprintf(stderr, "usage: known server PORT DNS PATH | client PORT DNS PATH CLOSED | brief PORT MS STATUS\n");
	return 2;
}
