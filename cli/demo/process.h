/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process: the demo's processes: each leads a session of its own, is known by pid and start time, and is ended by them.
 */
#ifndef ROOTLE_DEMO_PROCESS_H
#define ROOTLE_DEMO_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
	char name[24];
	pid_t pid;
	uint64_t start;         /* field 22 of /proc/PID/stat: with pid, its identity */
	int end_signal;         /* what it ends on in good order */
};

struct process_spec {
	const char *name;
	char *const *argv;      /* argv[0] as the program sees it */
	const char *file;       /* what is executed; NULL: argv[0] */
	const char *user;       /* NULL: as we are */
	const char *dir;        /* working directory */
	const char *log;        /* stderr, and stdout where out_fd is -1; NULL: ours */
	int out_fd;             /* its stdout, -1: see log */
	int end_signal;
	bool outlives;          /* false: gets end_signal when this process dies */
};

/* 0 or -errno; an execution that fails shows as exit code 127. */
int process_start(const struct process_spec *spec, struct process *ret);
/* Whether it is still the same process, and not a zombie. */
bool process_alive(const struct process *p);
/* Ends it: end_signal, three seconds of grace, SIGKILL for its whole session's group. Works for processes that are not our
 * children too. */
void process_end(const struct process *p);
void process_sleep(int ms);
/* Runs a program to its end: its exit code, 128 + signal, or -errno. */
int process_run(const struct process_spec *spec);

#endif
