/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "demo.h"
#include "role.h"

enum { HEALTHY_S = 25, FAULT_S = 20, EXIT_PERMISSION = 77, EXIT_INTERRUPTED = 130 };

static volatile sig_atomic_t interrupted;

static void on_signal(int signo)
{
	interrupted = 1;
}

static void catch_signals(void)
{
	struct sigaction act = {.sa_handler = on_signal};      /* without SA_RESTART: sleeps end */

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void __attribute__((format(printf, 2, 3))) note(const struct demo_options *o, const char *fmt, ...)
{
	va_list args;

	if (o->quiet)
		return;
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
}

/* What the clients saw since the last call: the lines "REQUESTS FAILURES P95_MS" that came meanwhile. */
struct seen { unsigned requests, failures; double worst_p95_ms; };

static void read_clients(int fd, struct seen *seen)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char buf[1024], *line = buf, *end;
	ssize_t n;

	if (poll(&p, 1, 0) <= 0 || (n = read(fd, buf, sizeof(buf) - 1)) <= 0)
		return;
	buf[n] = '\0';
	for (; (end = strchr(line, '\n')); line = end + 1) {
		unsigned requests, failures;
		double p95_ms;

		if (sscanf(line, "%u %u %lf", &requests, &failures, &p95_ms) != 3)
			continue;
		seen->requests += requests;
		seen->failures += failures;
		if (p95_ms > seen->worst_p95_ms)
			seen->worst_p95_ms = p95_ms;
	}
}

/* Lets the load run, telling every five seconds what the clients see. 0, or -EINTR. */
static int wait_watching(const struct demo_options *o, struct system *s, int64_t ns)
{
	uint64_t until = clock_ts_ns() + ns, next = clock_ts_ns() + 5 * NS_PER_S;
	struct seen seen = {0};

	while (!interrupted && clock_ts_ns() < until) {
		process_sleep(100);
		read_clients(s->clients_fd, &seen);
		if (clock_ts_ns() < next)
			continue;
		note(o, "  clients: %u requests, %u failed, p95 %.1f ms\n", seen.requests, seen.failures, seen.worst_p95_ms);
		seen = (struct seen){0};
		next += 5 * NS_PER_S;
	}
	return interrupted ? -EINTR : 0;
}

static void introduce(const struct demo_options *o, const struct system *s)
{
	if (!s->nginx[0])
		note(o, "nginx is not installed: the clients ask the shop directly\n");
	if (!s->postgres_bin[0])
		note(o, "PostgreSQL is not installed: stock-db, which speaks its protocol, stands in for it\n");
	note(o, "up: clients -> %sshop:%u -> %s:%u, %d requests/s on 127.0.0.1; files in %s\n",
	     s->nginx[0] ? "nginx -> " : "", s->shop_port, s->postgres_bin[0] ? "postgres" : "stock-db", s->database_port,
	     SYSTEM_RATE, s->dir);
}

/* The explanation, by the command that a person would type. Its exit code. */
static int print_explanation(const struct demo_options *o, const struct system *s)
{
	char db[64];

	snprintf(db, sizeof(db), "%s/demo.db", s->dir);
	note(o, "\n$ rootle explain --db %s%s\n\n", db, o->json ? " --json" : "");
	return process_run(&(struct process_spec){.name = "explain", .file = s->self, .out_fd = STDOUT_FILENO,
		.end_signal = SIGTERM,
		.argv = ARGV((char *)"rootle", (char *)"explain", (char *)"--db", db, o->json ? (char *)"--json" : NULL)});
}

static int failed(const char *what, int err)
{
	fprintf(stderr, "rootle: demo: %s: %s\n", what, strerror(-err));
	return EXIT_FAILURE;
}

static int record_and_break(const struct demo_options *o, struct system *s)
{
	int ret = system_record(s);

	if (ret)
		return ret > 0 ? ret : failed("the recorder did not start", ret);
	note(o, "recording; the system is healthy\n");
	if (wait_watching(o, s, o->healthy_ns ? o->healthy_ns : HEALTHY_S * NS_PER_S))
		return EXIT_INTERRUPTED;
	note(o, "now: %s\n", o->scenario->what);
	ret = o->scenario->do_break(s);
	if (ret)
		return failed("could not break it", ret);
	if (wait_watching(o, s, o->fault_ns ? o->fault_ns : FAULT_S * NS_PER_S))
		return EXIT_INTERRUPTED;
	ret = print_explanation(o, s);
	return ret < 0 ? failed("cannot run rootle explain", ret) : ret;
}

static void leave_running(const struct demo_options *o, const struct system *s)
{
	note(o, "\nstill running, with its fault and its recorder. Look:\n"
	     "  rootle top --db %s/demo.db\n  rootle map --db %s/demo.db\n  rootle explain --db %s/demo.db --last 30s\n"
	     "stop it:\n  rootle demo --stop %s\n", s->dir, s->dir, s->dir, s->dir);
}

int demo_run(const struct demo_options *o)
{
	struct system s;
	char why[512] = "";
	int ret;

	if (geteuid() != 0) {
		fprintf(stderr, "rootle: demo: needs root: it attaches probes and starts servers under other users\n");
		return EXIT_PERMISSION;
	}
	catch_signals();
	ret = system_init(&s, o->keep_running);
	if (ret) {
		system_done(&s);
		return failed("cannot make a folder under /tmp", ret);
	}
	note(o, "starting a small shop …\n");
	ret = system_start(&s, why, sizeof(why));
	if (ret) {
		fprintf(stderr, "rootle: demo: %s\n", why);
		ret = EXIT_FAILURE;
	} else {
		introduce(o, &s);
		ret = record_and_break(o, &s);
	}
	if (ret == 0 && o->keep_running) {
		leave_running(o, &s);
		return 0;
	}
	note(o, "\ncleaning up\n");
	system_done(&s);
	return interrupted ? EXIT_INTERRUPTED : ret;
}

int demo_stop(const char *given)
{
	char dir[PATH_MAX];
	size_t n = (size_t)snprintf(dir, sizeof(dir), "%s", given);
	int err;

	while (n > 1 && n < sizeof(dir) && dir[n - 1] == '/')       /* as completion leaves it */
		dir[--n] = '\0';
	err = system_end(dir);
	if (err == -EPERM)
		fprintf(stderr, "rootle: demo: %s is not ours alone: nothing is ended by what it says\n", given);
	else if (err)
		fprintf(stderr, "rootle: demo: no demo runs in %s\n", given);
	return err ? EXIT_FAILURE : 0;
}

int demo_part(int argc, char **argv)
{
	return role_run(argc, argv);
}
