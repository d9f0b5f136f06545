/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pingpong: requests and responses over keep-alive connections on loopback, a thread a connection on either side, client and
 * server as two processes.  Reports the CPU time that a request took of both, kernel included.
 *
 * usage: pingpong CONNECTIONS SECONDS http|redis|raw [PORT]
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 64, SAMPLES_MAX = 20000000 };

static char request[512], response[2048];
static size_t request_size, response_size;
static uint16_t port = 18080;
static volatile sig_atomic_t going = 1;

struct client {
	pthread_t thread;
	uint32_t n, cap;
	uint32_t *latency_ns;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static void choose_messages(const char *mode)
{
	if (strcmp(mode, "http") == 0) {
		request_size = sprintf(request, "GET /api/v1/items?id=42 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: pp\r\n\r\n");
		response_size = sprintf(response, "HTTP/1.1 200 OK\r\nContent-Length: 1024\r\nContent-Type: text/plain\r\n\r\n");
		memset(response + response_size, 'x', 1024);
		response_size += 1024;
	} else if (strcmp(mode, "redis") == 0) {
		request_size = sprintf(request, "*2\r\n$3\r\nGET\r\n$5\r\nkey:1\r\n");
		response_size = sprintf(response, "$5\r\nhello\r\n");
	} else {
		request_size = response_size = 64;
		memset(request, 0xee, request_size);
		memset(response, 0xdd, response_size);
	}
}

static struct sockaddr_in address(void)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char buf[4096];

	while (read(fd, buf, sizeof(buf)) > 0)
		if (write(fd, response, response_size) != (ssize_t)response_size)
			break;
	close(fd);
	return NULL;
}

static _Noreturn void run_server(int listener)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL), one = 1;
		pthread_t thread;

		if (fd < 0)
			_exit(1);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd))
			_exit(1);
		pthread_detach(thread);
	}
}

static pid_t start_server(void)
{
	struct sockaddr_in at = address();
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, CONNECTIONS_MAX))
		die("bind");
	pid_t pid = fork();
	if (pid == 0)
		run_server(fd);
	close(fd);
	return pid;
}

static int ask(int fd)
{
	char buf[4096];
	size_t got = 0;

	if (write(fd, request, request_size) != (ssize_t)request_size)
		return -1;
	while (got < response_size) {
		ssize_t n = read(fd, buf, sizeof(buf));

		if (n <= 0)
			return -1;
		got += n;
	}
	return 0;
}

static void *run_client(void *arg)
{
	struct sockaddr_in to = address();
	struct client *c = arg;
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("connect");
	while (going) {
		uint64_t began = now_ns();

		if (ask(fd))
			break;
		if (c->n < c->cap)
			c->latency_ns[c->n] = now_ns() - began;
		c->n++;
	}
	close(fd);
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double cpu_s(const struct rusage *r)
{
	return r->ru_utime.tv_sec + r->ru_stime.tv_sec + (r->ru_utime.tv_usec + r->ru_stime.tv_usec) / 1e6;
}

static void report(const struct client *c, int n, const char *mode, double elapsed_s, double cpu)
{
	uint64_t total = 0;
	uint32_t *all, k = 0;

	for (int i = 0; i < n; i++)
		total += c[i].n;
	all = malloc((total + 1) * sizeof(*all));
	if (!all || !total)
		die("nothing was measured");
	for (int i = 0; i < n; i++)
		for (uint32_t j = 0; j < c[i].n && j < c[i].cap; j++)
			all[k++] = c[i].latency_ns[j];
	qsort(all, k, sizeof(*all), by_value);
	printf("mode=%s conns=%d req=%llu rps=%.0f p50=%.1fus p99=%.1fus p999=%.1fus cpu_us_per_req=%.2f\n", mode, n,
	       (unsigned long long)total, total / elapsed_s, all[k / 2] / 1e3, all[(size_t)(k * 0.99)] / 1e3,
	       all[(size_t)(k * 0.999)] / 1e3, cpu * 1e6 / total);
	free(all);
}

int main(int argc, char **argv)
{
	static struct client clients[CONNECTIONS_MAX];
	struct rusage server, self;
	int n = argc > 3 ? atoi(argv[1]) : 0;

	if (n < 1 || n > CONNECTIONS_MAX) {
		fprintf(stderr, "usage: pingpong CONNECTIONS SECONDS http|redis|raw [PORT]\n");
		return 2;
	}
	if (argc > 4)
		port = atoi(argv[4]);
	signal(SIGPIPE, SIG_IGN);
	choose_messages(argv[3]);
	pid_t pid = start_server();
	for (int i = 0; i < n; i++) {
		clients[i].cap = SAMPLES_MAX / n;
		clients[i].latency_ns = malloc(clients[i].cap * sizeof(uint32_t));
		if (!clients[i].latency_ns || pthread_create(&clients[i].thread, NULL, run_client, &clients[i]))
			die("client");
	}
	uint64_t began = now_ns();
	sleep(atoi(argv[2]));
	going = 0;
	for (int i = 0; i < n; i++)
		pthread_join(clients[i].thread, NULL);
	double elapsed_s = (now_ns() - began) / 1e9;
	kill(pid, SIGKILL);
	wait4(pid, NULL, 0, &server);
	getrusage(RUSAGE_SELF, &self);
	report(clients, n, argv[3], elapsed_s, cpu_s(&server) + cpu_s(&self));
	return 0;
}
