/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * processes: what each process used so far, one row a process, summed over its threads: from the task iterator's records or from
 * /proc/PID/{stat,schedstat,io}.  Remembers every process from one reading to the next, because that makes readings cheap
 * (a process whose CPU clock stands still has not changed) and sums monotonic (threads that ended still count).
 */
#ifndef ROOTLE_COLLECT_PROCESSES_H
#define ROOTLE_COLLECT_PROCESSES_H

#include <stdbool.h>

#include "base/map.h"
#include "collect/cgroups.h"
#include "facts/sample.h"

struct processes {
	int procfd;               /* not owned */
	bool ours;                /* /proc is that of our pid namespace: CPU clocks of pids can be asked */
	bool fd_sizes;            /* the size of /proc/PID/fd is the number of descriptors (6.2) */
	bool runq_seen, disk_seen, io_seen, waits_seen;   /* ever nonzero or readable; else the kernel does not say */
	bool from_tasks;          /* this reading */
	uint64_t tick_ns, page_bytes;
	uint64_t reading;
	uint32_t limit;
	uint64_t refused;         /* processes past the limit, times seen */
	struct map table;         /* pid → struct process_entry */
	struct map threads;       /* tid → struct thread_entry */
	VEC(uint32_t) gone;       /* scratch */
	char buf[4096];
};

/* 0 or -errno. procfd stays open as long as p lives. */
int processes_init(struct processes *p, int procfd, uint32_t limit);
void processes_done(struct processes *p);

/* A reading from the task iterator: begin, one call a thread, then _read. */
void processes_begin(struct processes *p, bool from_tasks);
void processes_task(struct processes *p, const struct ev_task *t);
/* A reading from /proc: instead of _task. Count, or -errno where /proc cannot be listed. */
int processes_scan(struct processes *p);
/* Forgets everything, for a change from one way of reading to the other. */
void processes_forget(struct processes *p);
/* Appends the rows to ret, tells the cgroups who is in them, forgets who is gone. */
void processes_read(struct processes *p, struct cgroups *c, struct sample *ret);

void processes_report(const struct processes *p, struct probe_report *r);

#endif
