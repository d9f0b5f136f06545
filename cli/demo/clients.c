/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clients: an open-loop load: requests are due at Poisson times around a steady rate, whether or not earlier ones were answered.
 * A pool of threads, each with a keep-alive connection, takes the next due time; latency counts from there.  At most
 * CLIENTS_MOST requests are under way.  Each second one line on stdout: requests, failures and 95th percentile in milliseconds.
 */
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hist.h"
#include "net.h"
#include "role.h"

enum { CLIENTS_MOST = 64, CUSTOMERS = 20000, TIMEOUT_MS = 5000 };

struct load {
	uint16_t port;
	double mean_gap_ns;
	pthread_mutex_t lock;      /* of what follows */
	uint64_t due_ts_ns;
	unsigned random;
	unsigned requests, failures;
	struct hist latencies;
};

static double uniform(unsigned *random)
{
	return (rand_r(random) + 1.0) / ((double)RAND_MAX + 2.0);
}

/* Takes the next request off the schedule. */
static uint64_t next_due(struct load *l, int *customer)
{
	uint64_t due;

	pthread_mutex_lock(&l->lock);
	l->due_ts_ns += (uint64_t)(-log(uniform(&l->random)) * l->mean_gap_ns);
	due = l->due_ts_ns;
	*customer = rand_r(&l->random) % CUSTOMERS;
	pthread_mutex_unlock(&l->lock);
	return due;
}

static void sleep_until(uint64_t ts_ns)
{
	struct timespec at = {ts_ns / NS_PER_S, ts_ns % NS_PER_S};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL))
		;
}

/* Reads one response. Its status, or -1. */
static int read_response(int fd)
{
	char buf[16384];
	size_t n = 0;

	while (n + 1 < sizeof(buf)) {
		ssize_t got = read(fd, buf + n, sizeof(buf) - 1 - n);
		char *body, *length;

		if (got <= 0)
			return -1;
		n += got;
		buf[n] = '\0';
		body = strstr(buf, "\r\n\r\n");
		length = body ? strcasestr(buf, "content-length:") : NULL;
		if (length && n - (body + 4 - buf) >= strtoul(length + 15, NULL, 10))
			return atoi(buf + 9);
	}
	return -1;
}

static int request(const struct load *l, int *fd, int customer)
{
	char head[128];
	int n = snprintf(head, sizeof(head), "GET /orders/%d HTTP/1.1\r\nHost: shop.test\r\n\r\n", customer), status = -1;

	if (*fd < 0)
		*fd = net_connect(l->port, TIMEOUT_MS);
	if (*fd >= 0 && net_write(*fd, head, n) == 0)
		status = read_response(*fd);
	if (status < 0 && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	return status;
}

static void *visit(void *arg)
{
	struct load *l = arg;
	int fd = -1, customer;

	for (;;) {
		uint64_t due = next_due(l, &customer);
		int status;

		sleep_until(due);
		status = request(l, &fd, customer);
		pthread_mutex_lock(&l->lock);
		l->requests++;
		l->failures += status < 0 || status >= 500;
		hist_add(&l->latencies, clock_ts_ns() - due, 1);
		pthread_mutex_unlock(&l->lock);
	}
	return NULL;
}

static void report(struct load *l)
{
	pthread_mutex_lock(&l->lock);
	printf("%u %u %.1f\n", l->requests, l->failures, l->requests ? hist_quantile(&l->latencies, 0.95) / 1e6 : 0.0);
	l->requests = l->failures = 0;
	hist_reset(&l->latencies);
	pthread_mutex_unlock(&l->lock);
	fflush(stdout);
}

int role_clients(char **args)
{
	static struct load l = {.lock = PTHREAD_MUTEX_INITIALIZER, .random = 20};
	pthread_t thread;

	signal(SIGPIPE, SIG_IGN);        /* the demo may leave us running alone */
	l.port = atoi(args[0]);
	l.mean_gap_ns = 1e9 / atof(args[1]);
	l.due_ts_ns = clock_ts_ns();
	for (int i = 0; i < CLIENTS_MOST; i++)
		if (pthread_create(&thread, NULL, visit, &l))
			return 1;
	for (;;) {
		sleep(1);
		report(&l);
	}
}
