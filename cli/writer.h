/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writer: the thread that puts ticks into the store.  SQLite may block on a slow disk for seconds; the ring buffer has to be
 * drained meanwhile, so ticks wait in a bounded queue.
 *
 * A tick defines the services, edges and operations that are new in it.  When a tick is given up (queue full, disk
 * full), what it defined moves into the next one, and the loss is counted there.
 */
#ifndef ROOTLE_CLI_WRITER_H
#define ROOTLE_CLI_WRITER_H

#include "store/store.h"

#define WRITER_QUEUE 64         /* ticks: about a minute */

struct writer;

struct writer_totals { uint64_t written, lost, waiting; int64_t last_error; };   /* waiting: in the queue still */

/* Starts the thread; store s belongs to the writer until writer_close(). NULL with errno. */
struct writer *writer_open(struct store *s);

/* Takes the tick. Never blocks for the disk. */
void writer_put(struct writer *w, struct tick *t);

/* Waits until everything that was put is in the file, or given up, at most timeout_ms. 0, or the error of the
 * last failed tick (-errno, with err), -ETIMEDOUT. */
int writer_flush(struct writer *w, int timeout_ms, struct store_error *err);

void writer_totals(struct writer *w, struct writer_totals *ret);
/* A failure, or a full disk that costs the oldest ticks; err is filled with a sentence that says what becomes of the recording.
 * For one note, not one a second: true once until it worked again. */
bool writer_news(struct writer *w, struct store_error *err);

/* Writes what waits (up to timeout_ms), ends the thread. The store stays open and is the caller's again. */
void writer_close(struct writer *w, int timeout_ms);

/* Moves what `from` defines into `into` (its strings are copied) and counts one lost tick there. 0 or -ENOMEM. */
int tick_carry(struct tick *into, const struct tick *from);

#endif
