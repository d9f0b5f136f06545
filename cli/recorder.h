/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recorder: from probes to a file: opens the sources, drains them, makes a tick each second and hands it to the thread that
 * writes.  Used by record, by reading commands that find no recording, by top and demo.
 *
 * The draining thread never waits for the disk.  All BPF descriptors belong to this process, so any kind of exit detaches.
 */
#ifndef ROOTLE_CLI_RECORDER_H
#define ROOTLE_CLI_RECORDER_H

#include <sys/types.h>

#include "collect/bpf_source.h"
#include "options.h"
#include "store/store.h"

struct recorder_options {
	const char *path;
	struct store_limits limits;
	int64_t for_ns;                        /* 0: until a signal */
	bool no_bpf;
	const struct options *attach;          /* --pid, --port, --cgroup, --exclude-…, --cpu-budget; borrowed */
};

/* What a recorder did, for the summary. */
struct recorder_totals {
	uint64_t ticks, events, lost_events, lost_ticks;
	double cpu_ratio;                      /* of one core, own CPU time over the run */
	double probes_ratio;                   /* of one core, the programs in other processes' time */
	size_t map_bytes;                      /* locked by BPF maps */
};

/* From the command line: defaults of --keep and --max-size filled in. path is borrowed. */
void recorder_options_from(struct recorder_options *ro, const struct options *o, const char *path);

/* Called once, when every probe is attached and the first tick is in the file. */
typedef void recorder_ready_fn(void *arg, const char *path);

/*
 * Records until the time is up, SIGINT, SIGTERM or SIGHUP. Blocks. Says notes and errors on stderr; the line "recording: F" is
 * the caller's, in ready (may be NULL). Returns an exit code: EXIT_NO_PERMISSION where no probe may be attached
 * and no_bpf is not set, EXIT_NOTHING_SEEN where nothing can be observed, EXIT_FAILED where the file cannot be written.
 */
int recorder_run(const struct recorder_options *o, recorder_ready_fn *ready, void *arg);

/*
 * A recorder in a process of its own, which ends with this one (it gets SIGTERM). Returns when it is ready. 0 and
 * *pid, or the child's exit code after its line on stderr. silent: its notes go nowhere (the terminal belongs to somebody else).
 */
int recorder_spawn(const struct recorder_options *o, bool silent, pid_t *pid);
/* SIGTERM, and waits for the end. Returns its exit code. */
int recorder_stop(pid_t pid);
/* A temporary recording with its recorder beside use(), whose result is returned; both go with it. Else an exit code after one
 * line on stderr. */
int recorder_beside(const struct options *o, int (*use)(void *arg, const char *db), void *arg);
/* As recorder_spawn(), but in the background, for good: session of its own, stdio on /dev/null. Returns when it is ready. */
int recorder_detach(const struct recorder_options *o, pid_t *pid);

#endif
