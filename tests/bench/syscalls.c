/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syscalls: what a system call takes that has nothing to do with a socket, in ns: the least of several rounds each.
 *
 * usage: syscalls ROUNDS
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 1000000 };

static int zero, null;
static char byte = 'x';

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static long call_getppid(void)
{
	return syscall(SYS_getppid);
}

static long call_read(void)
{
	return read(zero, &byte, 1);
}

static long call_write(void)
{
	return write(null, &byte, 1);
}

static const struct { const char *name; long (*call)(void); } call_table[] = {
	{"getppid", call_getppid}, {"read", call_read}, {"write", call_write},
};

static double round_ns(long (*call)(void))
{
	uint64_t began = now_ns();

	for (int i = 0; i < CALLS; i++)
		if (call() < 0)
			exit(1);
	return (double)(now_ns() - began) / CALLS;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 0;

	zero = open("/dev/zero", O_RDONLY);
	null = open("/dev/null", O_WRONLY);
	if (rounds < 1 || zero < 0 || null < 0) {
		fprintf(stderr, "usage: syscalls ROUNDS\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof(call_table) / sizeof(call_table[0]); i++) {
		double least = 1e9;

		for (int k = 0; k < rounds; k++) {
			double ns = round_ns(call_table[i].call);

			least = ns < least ? ns : least;
		}
		printf("%s=%.1f%s", call_table[i].name, least, i + 1 < sizeof(call_table) / sizeof(call_table[0]) ? " " : "\n");
	}
	return 0;
}
