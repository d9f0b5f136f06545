/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store: one SQLite file that holds a rolling window of facts.  The only layer that knows SQL.
 *
 * One writer (a recorder, an import), any number of readers, in WAL mode.  The writer holds an OFD lock on the file's
 * companion "F.lock" (its content: the writer's pid) as long as it lives.  Readers need read permission only; on read-only media, or
 * without -wal, they open the file as immutable.  Schema: store/schema/001.sql, PRAGMA application_id and user_version; see
 * rootle-schema(5).  Not for several threads with one handle.
 */
#ifndef ROOTLE_STORE_STORE_H
#define ROOTLE_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/tick.h"
#include "model/window.h"

struct store;

/* Every failing function fills err (one line for people, what to do included) and returns -errno-like codes:
 * -EBUSY another writer (err names its pid), -EMEDIUMTYPE not a rootle recording, -EPROTO another schema version,
 * -EINVAL limits too small or a line refused, -ENODATA truncated, corrupt or empty, -ESTALE the file being written was removed or
 * replaced, -ENOSPC, -EACCES, -ENOENT, -EIO. The file is untouched by a failed open. */
struct store_error { int code; char text[512]; };

struct store_limits {
	int64_t keep_ns;           /* rows older than this are pruned; 0: keep all */
	int64_t max_bytes;         /* of the file with its -wal and -shm; oldest rows go first; 0: unlimited */
	int64_t raw_ns;            /* rows older than this are rolled up to 10 s; 0: never */
};

/* Creates the file where it is missing (mode 0640 and group rootle where that group exists, else 0600), takes the
 * writer's lock, migrates nothing: another user_version is refused. NULL on failure. */
struct store *store_open_writer(const char *path, const struct store_limits *limits, struct store_error *err);
/* NULL on failure; -ENOENT where there is no file. */
struct store *store_open_reader(const char *path, struct store_error *err);
/* Checkpoints when it was the writer. A file that this handle created and that got no tick and no import is removed. */
void store_close(struct store *s);

/* One transaction: dictionary, rows, coverage, then retention (a bounded slice of pruning and roll-up work a tick, limits kept at
 * all times). Whole or not at all. */
int store_put_tick(struct store *s, const struct tick *t, struct store_error *err);
/* Whether the disk was full lately (64 puts), so that the oldest ticks had to go, before their time, for the new ones. */
bool store_is_tight(const struct store *s);
/* Facts of the recording: "node", "version", "started", "probes" …, replacing. */
int store_put_meta(struct store *s, const char *key, const char *value, struct store_error *err);
/* A note on the timeline of a recording that another process may be writing (its own connection, busy timeout 2 s). */
int store_mark(const char *path, int64_t unix_ns, const char *text, struct store_error *err);

/* What there is: from the start of the first interval to the end of the last (of those that begin in the last hour). Counting
 * the ticks reads an index from end to end: ask once, not in a loop. */
struct store_span { int64_t first_ns, last_ns; uint64_t ticks; int64_t file_bytes; uint32_t writer_pid; /* 0: none */ };
int store_span(struct store *s, struct store_span *ret, struct store_error *err);
/* The pid of who is writing the file now; 0: nobody, or it may not be asked. Opens no database. */
uint32_t store_writer_pid(const char *path);
/* NULL where the key is not there; caller frees. */
char *store_meta(struct store *s, const char *key);

enum {                              /* what to load */
	LOAD_REQUESTS = 1, LOAD_TCP = 2, LOAD_POINTS = 4, LOAD_EVENTS = 8, LOAD_LOGS = 16, LOAD_PROCESSES = 32,
	LOAD_HISTS = 64,           /* decode the histograms of the requests */
	LOAD_PROFILE = 128,
	LOAD_OUTCOMES = 256,
	LOAD_SPANS = 512,          /* of traces that touch the range, each whole */
	LOAD_DOWNSTREAM = 1024,
	LOAD_ALL = 2047,
	LOAD_EXPLAIN = LOAD_ALL & ~LOAD_SPANS,    /* what the diagnosis reads */
};

/* Rows whose interval overlaps [since, until), added to w (empty, or filled from another file: names are joined).
 * Services and edges of the whole recording are always loaded. Sets w's ranges and coverage. 0, or negative with err. */
int store_load(struct store *s, int64_t since_ns, int64_t until_ns, unsigned what, struct window *w, struct store_error *err);

/* Waits up to timeout_ms for a tick that ends after *last_ns, then sets it to that end. 1: there is one, 0: timeout, negative: err.
 * For --follow and the terminal view. */
int store_wait(struct store *s, int64_t *last_ns, int timeout_ms, struct store_error *err);

/* A consistent, redacted copy of a range as one plain file (no -wal, mode 0600): rows are copied into a new file and what
 * looks like a secret is taken out on the way (scrub.h). Refuses an existing file (-EEXIST); appears whole or not at all. */
int store_snapshot(struct store *s, const char *to, int64_t since_ns, int64_t until_ns, struct store_error *err);

/* Interchange (contract ndjson/1). Export calls line() for each line, '\n' included; a negative return stops it and is
 * returned.  One read transaction: while line() blocks, the -wal of a recording that is being written cannot be used again and
 * grows, to its limits.max_bytes at most; so do not export a live recording into something that waits. */
int store_export_ndjson(struct store *s, int64_t since_ns, int64_t until_ns,
			int (*line)(void *arg, const char *text, size_t n), void *arg, struct store_error *err);

struct import_stats { uint64_t lines, rows, unknown_types, unknown_keys; };
/* One file, one transaction: nothing of it stays when a line is refused; err then says file and line number. */
int store_import_ndjson(struct store *s, const char *file, struct import_stats *stats, struct store_error *err);

#endif
