/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reading: what a reading command reads: the captures of --pcap, made a recording; the recordings of --db; else the
 * default recording where it is being written or is fresh; else, as root, a temporary recording that is made on the
 * spot (--for, 15 s) and goes with the command.
 */
#ifndef ROOTLE_CLI_READING_H
#define ROOTLE_CLI_READING_H

#include <signal.h>

#include "model/window.h"
#include "options.h"
#include "range.h"
#include "store/store.h"
#include "temp_recording.h"

#define DEFAULT_RECORDING "/var/lib/rootle/rootle.db"

struct reading {
	VEC(struct store *) stores;
	VEC(const char *) paths;
	struct temp_recording temp; /* removed by reading_close(); SIGINT, SIGTERM and SIGHUP wait until then */
	sigset_t signals;           /* the mask before that */
	int64_t first_ns, last_ns;  /* of all of them together; equal: empty */
	uint64_t ticks;
	bool live;                  /* somebody is writing one of them */
	struct range range;
};

/* Opens and resolves the range, and says it; relative times of o count from the end of a capture then. 0, or an exit
 * code after one line on stderr; then nothing is open. */
int reading_open(struct reading *r, struct options *o);
void reading_close(struct reading *r);

/* The facts of [since, until) of all recordings in one window; NULL after one line on stderr. window_free() it. */
struct window *reading_load(struct reading *r, int64_t since_ns, int64_t until_ns, unsigned what);

/* The path a command means that works on one recording: --db or the default. NULL after a usage error on stderr. */
const char *recording_path(const struct options *o, const char *command);

/* Opens the recording there and reads its span: for status and stop. 0, or an exit code after one line on stderr
 * (EXIT_NO_DATA where there is none) and *s NULL. */
int recording_open(const char *path, struct store **s, struct store_span *span);
/* Is somebody writing it now? 1, 0, or negative with err: it is there but cannot be read. */
int recording_written(const char *path, struct store_error *err);
/* 1: somebody is writing it, or was until less than a minute ago; 0: not, or there is none; negative with err: it is
 * there but cannot be read. */
int recording_fresh(const char *path, int64_t now_ns, struct store_error *err);

/* The exit code of a failed store call, after one line on stderr. */
int store_failed(const struct store_error *err);

#endif
