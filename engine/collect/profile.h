/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile: samples of the CPUs, added up: a thread of its own empties the ring buffer of the samples ten times a second
 * (twice on an idle node), names the functions at once, while the process is there to be asked, and adds equal stacks
 * up until profile_take() comes for them. So reading symbol tables, which may take tens of milliseconds, holds up
 * nobody else.
 */
#ifndef ROOTLE_COLLECT_PROFILE_H
#define ROOTLE_COLLECT_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/source.h"
#include "collect/symbols.h"

#define PROFILE_HZ 49           /* not in step with what runs 50 or 100 times a second */
#define PROFILE_HZ_MAX 999

struct profile;

/* What the probes offer for it (bpf_source_profile). */
struct profile_probe { int prog_fd, ring_fd; size_t ring_bytes; };

/* Equal stacks of one process since the last profile_take(). */
struct profile_row {
	uint32_t pid;
	const char *stack;      /* folded, see symbols.h; "(other)" where there was no room for more */
	uint64_t samples;
};

struct profile_counters {
	struct symbols_counters symbols;
	uint64_t samples;
	uint64_t paused_ms;     /* without samples, by profile_pause() */
	uint64_t no_room;       /* samples added to "(other)" because of too many different stacks in one interval */
};

/* proc: "/proc". 0; -EACCES or -EPERM where perf events are refused, -errno. Samples until it is closed. */
int profile_open(const struct profile_probe *probe, const char *proc, uint32_t hz, struct profile **ret);
void profile_close(struct profile *p);
/* No samples until it is told to go on; within a second. */
void profile_pause(struct profile *p, bool pause);
/* Ends the samples and takes in what there are, for the last profile_take(). */
void profile_stop(struct profile *p);

/* Hands over what came in since the last call (but for a tenth of a second); rows are valid during the call of fn.
 * Rows. */
typedef void profile_fn(void *arg, const struct profile_row *row);
int profile_take(struct profile *p, profile_fn *fn, void *arg);
void profile_counters(struct profile *p, struct profile_counters *ret);

/* For tests: one record as from the ring buffer. */
void profile_sample(struct profile *p, const struct ev_stack *e);
/* Without probe and thread: profile_sample() only. NULL: no memory. */
struct profile *profile_new(const char *proc);

#endif
