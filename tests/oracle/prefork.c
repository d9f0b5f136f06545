/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prefork: processes that are there before anybody calls; each accepts a connection, serves it to its end, and asks over connections of
 * its own.  GET /m/N asks for /b/N at WEB and for the key kN at CACHE.  usage: prefork PORT WEB CACHE
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 64

static struct sockaddr_in local(const char *port)
{
	return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int call(const char *port)
{
	struct sockaddr_in to = local(port);
	int s = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (s < 0 || connect(s, (struct sockaddr *)&to, sizeof(to)))
		err(1, "port %s", port);
	setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return s;
}

/* Bytes up to an end, as a string; its length, 0: closed. */
static size_t read_until(int s, char *buf, size_t cap, const char *end)
{
	size_t n = 0, e = strlen(end);
	ssize_t got;

	while (n < e || memcmp(buf + n - e, end, e)) {
		got = read(s, buf + n, cap - 1 - n);
		if (got <= 0)
			return 0;
		n += (size_t)got;
	}
	buf[n] = '\0';
	return n;
}

static void ask(int s, const char *asked, const char *end)
{
	char answer[4096];

	if (write(s, asked, strlen(asked)) < 0 || !read_until(s, answer, sizeof(answer), end))
		err(1, "backend");
}

/* The line of the head that begins so, with its end; "" where there is none. */
static void field(const char *head, const char *name, char *line, size_t cap)
{
	const char *at = strcasestr(head, name);

	snprintf(line, cap, "%.*s", at ? (int)(strcspn(at, "\n") + 1) : 0, at ? at : "");
}

static void serve(int s, int web, int cache)
{
	char head[4096], text[1024], parent[128], id[128];
	unsigned n;
	int len;

	while (read_until(s, head, sizeof(head), "\r\n\r\n") && sscanf(head, "GET /m/%u ", &n) == 1) {
		snprintf(text, sizeof(text), "get k%u\r\n", n);
		if (n % 2)
			ask(cache, text, "END\r\n");
		field(head, "traceparent:", parent, sizeof(parent));
		field(head, "x-request-id:", id, sizeof(id));
		snprintf(text, sizeof(text), "GET /b/%u HTTP/1.1\r\nHost: b\r\n%s%s\r\n", n, parent, id);
		ask(web, text, "\n");
		snprintf(text, sizeof(text), "get k%u\r\n", n);
		if (!(n % 2))
			ask(cache, text, "END\r\n");
		len = snprintf(NULL, 0, "%u\n", n);
		snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%u\n", len, n);
		if (write(s, text, strlen(text)) < 0)
			break;
	}
}

static void worker(int listener, char **argv)
{
	int web, cache, on = 1;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	web = call(argv[2]);
	cache = call(argv[3]);
	for (;;) {
		int s = accept(listener, NULL, NULL);

		if (s < 0)
			err(1, "accept");
		setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		serve(s, web, cache);
		close(s);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in at;
	int s = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (argc != 4)
		errx(2, "usage: prefork PORT WEB CACHE");
	at = local(argv[1]);
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(s, (struct sockaddr *)&at, sizeof(at)))
		err(1, "port %s", argv[1]);
	if (listen(s, 256))
		err(1, "listen");
	for (int i = 0; i < WORKERS; i++)
		if (fork() == 0)
			worker(s, argv);
	while (wait(NULL) > 0)
		;
	return 1;
}
